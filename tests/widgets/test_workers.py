"""Workers that share a step: expected losses equal simulated runs, the page equals Python, every control counts."""

from itertools import islice

import numpy as np
import pytest

from optcore.widgets.workers import ALONE, COUNTS, CURVATURE, LIMIT, NOISE, RATES, TARGET, delayed_losses, workers

from .controls import assign, exact, live, numbers, words


@pytest.mark.parametrize(("lr", "batch", "delay"), [(0.9, 64, 0), (0.3, 16, 2), (0.1, 4, 5)])
def test_expected_losses_equal_the_mean_of_simulated_runs(lr, batch, delay):
    rng, h, runs, steps = np.random.default_rng(0), np.array(CURVATURE), 40_000, 30
    path = [np.broadcast_to(np.sqrt(2 / (3 * h)), (runs, 3))] * (delay + 1)
    losses = []
    for _ in range(steps):
        losses.append(np.mean(path[-1] ** 2 @ h / 2))
        gradient = h * path[-1 - delay] + rng.normal(size=(runs, 3)) * np.sqrt(h * NOISE / batch)
        path.append(path[-1] - lr * gradient)
    np.testing.assert_allclose(list(islice(delayed_losses(lr, batch, delay), steps)), losses, rtol=0.03)


def test_many_rates_at_once_are_the_single_ones():
    together = np.array(list(islice(delayed_losses(np.array(RATES[8:]), 32, 3), 50)))
    for k, lr in enumerate(RATES[8:]):
        np.testing.assert_allclose(together[:, k], list(islice(delayed_losses(lr, 32, 3), 50)), rtol=1e-12)


@pytest.mark.parametrize("delay", [1, 3, 7])
def test_the_limit_of_the_rate_under_delay(delay):
    limit = 2 * np.sin(np.pi / (4 * delay + 2))  # for h = 1
    last = lambda lr: next(islice(delayed_losses(lr, 10**9, delay), 2000, None))
    assert last(0.99 * limit) < 1 < last(1.01 * limit)


def test_needed_is_the_first_step_below_the_target_at_the_best_rate():
    w = workers(8, batch=8, delay=3)
    steps, examples, time, rate = w.needed
    losses = np.array(list(islice(delayed_losses(rate, w.total, 3), steps + 1)))
    assert losses[-1] < TARGET <= losses[:-1].min()
    every = list(islice(delayed_losses(np.array(RATES), w.total, 3), steps))
    assert np.min(every) >= TARGET
    assert (examples, time) == (64 * steps, steps * w.pace) and w.pace == max(8, (8 + 16) / 4)
    assert workers(1, delay=0).needed == w.alone and w.alone.examples == ALONE * w.alone.steps


def test_no_setting_is_out_of_reach():
    assert workers(1, batch=1, delay=8).needed.steps < LIMIT


def test_the_page_equals_python(open_page):
    w = workers()
    page = open_page(body=exact(w))
    for value in (
        {"workers": 1, "batch": 1, "pieces": 1, "delay": 8, "count": "steps"},
        {"workers": 64, "batch": 32, "pieces": 16, "delay": 1, "count": "examples"},
        {"workers": 8, "batch": 2, "pieces": 4, "delay": 3, "count": "time"},
        {"workers": 32, "batch": 1, "pieces": 1, "delay": 8, "count": "time"},
    ):
        w.value = value
        shown = numbers(assign(page, **value))
        steps, examples, time, rate = w.needed
        share = getattr(w.needed, w.count) / getattr(w.alone, w.count)
        expected = [w.total, w.pace, rate, TARGET, steps, examples, time, ALONE, share]
        np.testing.assert_allclose(shown, expected, rtol=1e-9)


def test_powers_of_two_alone(open_page):
    page = open_page(body=live(workers()))
    assert "uses 32 examples" in assign(page, workers=6, batch=4)


def test_the_goal_is_asked_where_it_is_not_reached_and_can_be():
    assert workers().goal() and not workers(32, batch=1, delay=8).goal() and not workers(cost=4).goal()
    sync = [workers(k, batch=b, pieces=a) for k in (16, 32, 64) for b in (1, 4, 16) for a in (1, 2, 8)]
    assert all(w.goal() for w in sync)  # without a delay it stays out of reach


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"workers": 3}, "workers"),
        ({"batch": 64}, "batch"),
        ({"pieces": 0}, "pieces"),
        ({"delay": 9}, "delay"),
        ({"count": "epochs"}, "count"),
        ({"cost": -1}, "cost"),
    ],
)
def test_bad_arguments_are_named(arguments, part):
    with pytest.raises(ValueError, match=part):
        workers(**arguments)


def test_the_axis_is_named(open_page):
    page = open_page(body=live(workers()))
    words(page)
    for count in COUNTS:
        assert f"in {count}." in assign(page, count=count)
