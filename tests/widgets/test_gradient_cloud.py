"""Mini-batch gradients and runs in the page equal those of `descend`; the cloud obeys the formula for its variance."""

import numpy as np
import pytest

from optcore.widgets.gradient_cloud import DRAWS, EPOCHS, SAMPLES, SAMPLING, gradient_cloud

from .controls import assign, exact, heights, live, numbers, seen, words

ALL = np.arange(SAMPLES)


@pytest.mark.parametrize("sampling", SAMPLING)
@pytest.mark.parametrize("batch", [1, 4, 32])
def test_the_page_equals_descend(batch, sampling, open_page):
    w = gradient_cloud(batch=batch, sampling=sampling)
    page = open_page(body=exact(w))
    for start, lr, epochs, draw in (([-0.5, 2.5], 0.05, 10, 0), ([1.25, -1.0], 0.01, 20, 2), ([3.0, 3.0], 0.02, 1, 1)):
        w.start, w.lr, w.epochs, w.draw = start, lr, epochs, draw
        said = numbers(assign(page, start=start, lr=lr, epochs=epochs, draw=draw))
        g, cloud, loss = w.gradient(w.start, ALL), w.cloud, w.loss(w.path.points)
        error = np.sqrt(np.mean(np.sum((cloud - g) ** 2, axis=1)))
        ends = loss[:: SAMPLES // batch]
        later = ends[-max(1, len(ends) // 2) :].mean()
        hit = int(np.argmax(loss < 0.1))
        here = [np.sum(cloud @ g < 0), 60, batch, np.linalg.norm(g), error, theory(w)]
        expected = [*here, epochs * 32, loss[-1], later]
        expected += [0.1, hit, hit * batch] if (loss < 0.1).any() else []
        np.testing.assert_allclose(said, expected, rtol=1e-8, atol=1e-12)


def theory(w) -> float:
    """Root of the mean squared error of a batch drawn without replacement."""
    single = np.array([w.gradient(w.start, [k]) for k in ALL])
    trace = np.sum(np.var(single, axis=0))
    return float(np.sqrt(trace / w.batch * (SAMPLES - w.batch) / (SAMPLES - 1)))


def test_the_error_follows_the_formula():
    for batch in (1, 2, 4, 8, 16):
        w = gradient_cloud(batch=batch)
        error = np.sqrt(np.mean(np.sum((w.cloud - w.gradient(w.start, ALL)) ** 2, axis=1)))
        assert error == pytest.approx(theory(w), rel=0.2)
    assert theory(gradient_cloud(batch=32)) == 0


def test_orders_are_epochs_of_every_sample():
    words = gradient_cloud().spec["orders"]["reshuffle"]
    orders = np.array([[[int(letter, 36) for letter in word] for word in draw] for draw in words])
    assert orders.shape == (DRAWS, EPOCHS, SAMPLES)
    assert np.array_equal(np.sort(orders), np.broadcast_to(ALL, orders.shape))


def test_the_full_batch_does_not_depend_on_the_draw(open_page):
    page = open_page(body=live(gradient_cloud(batch=32)))
    said = {assign(page, draw=k) for k in range(DRAWS)}
    assert len(said) == 1 and "(formula: 0)" in said.pop()


def test_divergence_is_named(open_page):
    page = open_page(body=live(gradient_cloud(lr=1.0, epochs=20)))
    assert "diverges at step" in words(page)


def test_the_start_moves_by_click_and_keyboard(open_page):
    page = open_page(body=live(gradient_cloud()))
    before = seen(page)
    page.locator("canvas").first.click(position={"x": 200, "y": 150})
    clicked = seen(page)
    assert before[0] != clicked[0] and before[1] != clicked[1]
    page.get_by_role("slider", name="Start").focus()
    page.keyboard.press("ArrowDown")
    assert seen(page)[0] != clicked[0]


@pytest.mark.parametrize("width", [375, 760])
def test_narrow_dark_and_touch_in_the_place_held(width, open_page):
    page = open_page(gradient_cloud(), width=width, dark=True, touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    before, after = heights(page)
    assert before == pytest.approx(after, rel=0.08)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"batch": 3}, "8, 16, 32"),
        ({"lr": 0}, "lr"),
        ({"epochs": 2.5}, "whole"),
        ({"sampling": "x"}, "reshuffle"),
        ({"count": "hours"}, "examples"),
        ({"start": [9, 9]}, "two numbers"),
    ],
)
def test_bad_arguments_are_named(arguments, part):
    with pytest.raises(ValueError, match=part):
        gradient_cloud(**arguments)
