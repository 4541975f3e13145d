"""The line and its point on the loss surface: page against optcore, every control, every hostile setting."""

import numpy as np
import pytest

import optcore as oc
from optcore.widgets.regression import regression

from .controls import live, seen, settle, words
from .exact import exact_numbers

X, Y = np.array([1.0, 2, 3, 4, 5]), np.array([4.0, 3, 8, 9, 11])


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_page_computes_what_optcore_computes(open_page, loss):
    w = regression(w=1.3, b=0.7, lr=0.03, steps=25, loss=loss)
    shown = exact_numbers(open_page, w)
    value, slopes = getattr(oc, loss)(1.3 * X + 0.7, Y)
    objective = oc.Surface(lambda t: getattr(oc, loss)(t[..., :1] * X + t[..., 1:], Y, axis=-1)[0])
    path = oc.descend(oc.gd, objective, [1.3, 0.7], steps=25, lr=0.03)
    np.testing.assert_allclose(shown[:3], [1.3, 0.7, value], rtol=1e-9)
    last = [slopes @ X, slopes.sum(), 25, 0.03, *path.final, path.loss[-1]]
    np.testing.assert_allclose(shown[-7:], last, rtol=1e-9)


def test_one_step_from_the_example_of_the_course(open_page):
    """The gradient at (1, 2) is (-16, -4); one step with η = 0.01 leads to (1.16, 2.04), where J = 4.8016."""
    page = open_page(regression(lr=0.01))
    assert "costs 7.2" in words(page) and "(−16, −4)" in words(page)
    page.get_by_role("button", name="Take one step").click()
    assert "y = 1.16x + 2.04 costs 4.802" in words(page)


def test_too_large_a_step_is_named_with_its_limit(open_page):
    assert "η exceeds 2/L = 0.0845" in words(open_page(regression(lr=0.09)))
    assert "2/L" not in words(open_page(regression(lr=0.084)))


def test_points_and_line_move_by_keyboard_and_pointer(open_page):
    page = open_page(regression())
    for name, key in [("Point 3", "ArrowDown"), ("Left end of the line", "ArrowUp"), ("Model (w, b)", "ArrowLeft")]:
        before = seen(page)
        page.get_by_role("slider", name=name).focus()
        page.keyboard.press(key)
        after = seen(page)
        assert before[0] != after[0] and before[1] != after[1], name
    count = page.get_by_role("slider", name="Point").count()
    page.locator("canvas").first.click(position={"x": 200, "y": 60})
    settle(page)
    assert page.get_by_role("slider", name="Point").count() == count + 1
    page.get_by_role("button", name="Remove the last point").click()
    settle(page)
    assert page.get_by_role("slider", name="Point").count() == count


def test_an_outlier_lies_where_the_line_is_high_and_it_is_low(open_page):
    page = open_page(body=live(regression()))
    page.get_by_role("button", name="Add an outlier").click()
    x, y = page.evaluate("ui.value.points.at(-1)")
    assert 3 < x < 5 and y < 4, "right of the middle, below the lowest sample but one"


def test_an_outlier_moves_mse_more_than_mae(open_page):
    ends = {}
    for loss in ("mse", "mae"):
        page = open_page(regression(w=2, b=1, loss=loss, lr=0.01, steps=200))
        page.get_by_role("button", name="Add an outlier").click()
        end = words(page).split("lead to (")[1].split(",")[0]
        ends[loss] = float(end)
    assert abs(ends["mse"] - 2) > 2 * abs(ends["mae"] - 2)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"x": [1, 2]}, "shapes"),
        ({"x": [1], "y": [1]}, "2 to 30"),
        ({"x": [1, 1], "y": [1, 2]}, "more than one value"),
        ({"x": [1, np.nan], "y": [1, 2]}, "finite"),
        ({"loss": "hinge"}, "mse, mae, huber"),
        ({"lr": 0}, "positive"),
        ({"steps": 0}, "from 1 to 200"),
    ],
)
def test_bad_arguments_are_named(arguments, part):
    with pytest.raises(ValueError, match=part):
        regression(**arguments)


def test_settings_are_read_and_written():
    w = regression()
    w.loss, w.w = "mae", 2.5
    assert (w.value["loss"], w.w, w.points[0]) == ("mae", 2.5, [1.0, 4.0])
    w.points = [[1.0, 2.0], [2.0, 2.0]]  # of one height
    with pytest.raises(ValueError, match="points must have more than one x"):
        w.points = [[1.0, 2.0], [1.0, 3.0]]
    with pytest.raises(ValueError, match="loss must be one of"):
        w.loss = "absolute"


def test_at_the_minimum_the_reader_is_there(open_page):
    said = words(open_page(regression(w=2, b=1)))
    assert "Gradient (0, 0): you are there." in said


def test_the_goal_lies_between_the_line_that_is_shown_and_the_best():
    """A fiftieth of the way from the best, by NumPy's own fit."""
    w = regression(X, Y, w=-1.0, b=0.5)
    cost = lambda line: np.mean((np.polyval(line, X) - Y) ** 2)
    best, shown = cost(np.polyfit(X, Y, 1)), cost([-1.0, 0.5])
    (limit,) = [one[2] for one in w.goal().when if one[0] == "cost"]
    assert limit == pytest.approx(best + (shown - best) / 50, rel=0.05)
