"""Second-order steps in the page: every run equals `minimize`; every control counts."""

import numpy as np
import pytest

import optcore as oc
from optcore.widgets.newton import METHODS, newton

from .controls import assign, drawn, drawn_lines, exact, live, numbers, seen, words

STARTS = [("rosenbrock", [-1.2, 1.0]), ("saddle", [1.2, 0.3]), ("himmelblau", [-1.0, 0.5])]


@pytest.mark.parametrize(("surface", "start"), STARTS)
def test_runs_equal_minimize(open_page, surface, start):
    """The point and the curvatures at several steps of every method."""
    w = newton(surface, start=start, memory=3)
    page = open_page(body=exact(w))
    compared = 0
    for method in METHODS:
        w.value = {**w.value, "method": method, "damping": 0.5 if method == "saddle-free" else 0.0}
        path = w.run().path
        last = min(len(path) - 1, 10)  # later SR1 has blown the last bit up beyond 1e-9
        compared += last
        for k in {0, last // 4, last // 2, last}:
            shown = numbers(assign(page, **w.value | {"k": k}))[:3]
            point = np.where(np.abs(path[k]) < 1e-7, 0, path[k])  # as the page writes it
            np.testing.assert_allclose(shown, [*point, k], rtol=1e-9, atol=1e-9, err_msg=f"{method}, step {k}")
        if method == "newton":
            shown = numbers(assign(page, **w.value | {"k": 1}))[3:5]
            np.testing.assert_allclose(shown, np.linalg.eigvalsh(w._surface.hess(path[1])), rtol=1e-9)
    assert compared > 20


def test_number_of_steps_is_that_of_minimize(open_page):
    w = newton("rosenbrock", start=[-1.2, 1.0])
    page = open_page(body=live(w))
    for method, label in [("newton", "Newton, full step"), ("bfgs", "BFGS"), ("lbfgs", "L-BFGS")]:
        w.value = {**w.value, "method": method}
        assert f"{label}: {w.run().iterations} steps, converged at a minimum (1, 1)" in assign(page, method=method)


def test_newton_goes_to_the_saddle_and_the_others_do_not(open_page):
    page = open_page(body=live(newton(start=[1.0, 0.1])))
    assert "the model is a saddle" in words(page)
    assert "converged at a saddle point (0, 0)" in words(page)
    assert "converged at a minimum (0, 1)" in assign(page, method="saddle-free")
    assert "converged at a minimum (0, 1)" in assign(page, method="gd")


def test_a_direction_uphill_is_named_after_as_many_steps_as_in_minimize(open_page):
    # from the last start the full step would end lower all the same
    for start, steps in (([1.2, 0.3], 1), ([0.1, 0.3], 0), ([-0.15, 0.48], 0)):
        w = newton(start=start, method="damped-newton")
        assert w.run().iterations == steps and "must point downhill" in w.run().reason
        said = words(open_page(body=live(w)))
        assert f"{steps} step" in said and "its direction does not point downhill" in said


def test_noise_makes_pairs_unusable(open_page):
    page = open_page(body=live(newton("rosenbrock", start=[-1.2, 1.0], method="bfgs", k=None)))
    quiet = assign(page, noise=0.01)
    loud = assign(page, noise=100.0)
    unused = [numbers(text.split(". ")[-1])[0] for text in (quiet, loud)]
    assert unused[0] < unused[1]


def test_start_moves_by_keyboard_and_pointer(open_page):
    page = open_page(body=live(newton()))
    before = seen(page)
    page.get_by_role("slider", name="Start point").focus()
    page.keyboard.press("ArrowUp")
    moved = seen(page)
    assert before[0] != moved[0] and before[1] != moved[1]
    page.locator("canvas").first.click(position={"x": 120, "y": 60})
    assert seen(page)[0] != moved[0]


def test_singular_models_are_named(open_page):
    flat = oc.Surface(lambda w: w[..., 0] ** 2 + 0 * w[..., 1], domain=((-2, 2), (-2, 2)))
    assert "flat in one direction" in words(open_page(body=live(newton(flat, start=[1.0, 1.0]))))


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"surface": "bowle"}, "bowle"),
        ({"method": "adam"}, "adam"),
        ({"compare": ["bfgs"]}, "bfgs"),
        ({"start": [9, 9]}, "from -2 to 2"),
        ({"damping": -1}, "from 0 to 100"),
    ],
)
def test_bad_arguments_are_named(arguments, part):
    with pytest.raises(ValueError, match=part):
        newton(**arguments)


def test_the_path_is_drawn_and_the_slice_holds_height_and_model(open_page):
    w = newton("rosenbrock", start=[-1.2, 1.0])
    w.value = {**w.value, "k": 2}
    made, path = drawn(open_page, w), w.run().path
    paths = [np.reshape(a[0], (-1, 2)) for number, kind, a in made if (number, kind) == (0, "path")]
    assert any(len(one) == 3 and np.allclose(one, path[:3], rtol=1e-9) for one in paths)
    height, model = (line for line in drawn_lines(open_page, w, plot=1) if len(line) > 100)
    d = path[3] - path[2]
    t = height[:, 0]
    np.testing.assert_allclose(height[:, 1], oc.rosenbrock(path[2] + t[:, None] * d), rtol=1e-6)
    slope, bend = oc.rosenbrock.grad(path[2]) @ d, d @ oc.rosenbrock.hess(path[2]) @ d
    np.testing.assert_allclose(model[:, 1], oc.rosenbrock(path[2]) + t * slope + t**2 / 2 * bend, rtol=1e-6, atol=1e-9)


WORDS = """<script>{
const draw = CanvasRenderingContext2D.prototype.fillText;
window.texts = [];
CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
  const { left, right } = { left: x, right: x + this.measureText(text).width };
  texts.push([text, this.textAlign, left, right, this.canvas.clientWidth]);
  draw.call(this, text, x, y);
};
}</script>"""


@pytest.mark.parametrize("width", [375, 770])
def test_names_of_steps_stay_inside_the_landscape(width, open_page):
    page = open_page(body=WORDS + live(newton()), width=width)
    words(page)
    names = {text: place for text, *place in page.evaluate("texts") if text in {*METHODS.values()}}
    assert len(names) > 2
    for align, left, right, room in names.values():
        assert align == "left" and left >= 40 and right <= room - 14
