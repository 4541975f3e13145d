"""The layer's values and gradients in the page against NumPy and central differences; every control."""

import itertools

import numpy as np
import pytest

import optcore as oc
from optcore.widgets.backprop import ACTIVATIONS, backprop, backward, linear, losses

from .controls import live, numbers, seen, words
from .exact import exact_all, exact_words

X, B = np.array([0.5, -1.2, 2.0]), np.array([0.3, 0.1, -0.7])
W = np.array([[0.2, -1.0, 0.4], [1.1, 0.3, -0.5], [-0.6, 0.8, 0.9]])
Y = np.array([0.2, 0.3, 0.5])
VALUES = {"relu": oc.relu, "sigmoid": oc.sigmoid, "tanh": np.tanh, "softmax": oc.softmax}


def after(said: str, begin: str) -> list[float]:
    return numbers(said.split(begin)[1])


POSITIVE = {"sigmoid", "softmax"}  # the activations whose logarithm exists


@pytest.mark.parametrize(
    ("activation", "loss"),
    [c for c in itertools.product(ACTIVATIONS, losses(Y)) if c[1] != "cross_entropy" or c[0] in POSITIVE],
)
def test_gradients_equal_central_differences(activation, loss):
    """The formulas that the page runs, against differences of the loss alone."""
    of = lambda theta: losses(Y)[loss][1](VALUES[activation](theta[:3] @ theta[3:12].reshape(3, 3) + theta[12:]))[0]
    a, J = ACTIVATIONS[activation][1](linear(X, W, B))
    g, gW, gx = backward(X, W, losses(Y)[loss][1](a)[1], J)
    theta = np.concatenate([X, W.ravel(), B])
    expected = oc.numerical_gradient(of, theta)
    np.testing.assert_allclose(np.concatenate([gx, gW.ravel(), g]), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(("activation", "loss"), [("relu", "sum"), ("tanh", "squared"), ("softmax", "cross_entropy")])
def test_every_stage_equals_numpy(open_page, activation, loss):
    make = lambda stage: backprop(
        X, W, B, y=Y, activation=activation, loss=loss, stage=stage, requires_grad=["x", "W", "b"]
    )
    h = linear(X, W, B)
    a, J = ACTIVATIONS[activation][1](h)
    value, upstream = losses(Y)[loss][1](a)
    g, gW, gx = backward(X, W, upstream, J)
    said = exact_all(open_page, [make(stage) for stage in range(6)])
    np.testing.assert_allclose(after(said[0], "Forward:")[:7], [*h, *a, value], rtol=1e-9)
    for stage, begin, expected in [
        (1, "∂l/∂a =", upstream),
        (2, "∂l/∂a · J =", g),
        (3, "rows", gW.ravel()),
        (4, "∂l/∂b = ∂l/∂h =", g),
        (5, "Wᵀ =", gx),
    ]:
        np.testing.assert_allclose(after(said[stage], begin)[: expected.size], expected, rtol=1e-9, err_msg=begin)


def test_the_example_of_the_course(open_page):
    """h = (-1, 1, 2), ReLU: the gradient (1, 1, 1) becomes (0, 1, 1) and W.grad [[0,1,1],[0,2,2],[0,3,3]]."""
    assert "rows (0, 1, 1), (0, 2, 2), (0, 3, 3)" in words(open_page(backprop()))
    assert "∂l/∂a · J = (0, 1, 1). Where h ≤ 0" in words(open_page(backprop(stage=2)))


def test_softmax_with_cross_entropy_gives_p_minus_y(open_page):
    said = exact_words(open_page, backprop(activation="softmax", loss="cross_entropy", stage=2))
    expected = oc.softmax([-1.0, 1.0, 2.0]) - [0, 0, 1]
    np.testing.assert_allclose(after(said, "∂l/∂a · J ="), expected, rtol=1e-9)


def test_leaves_that_ask_for_no_gradient_get_none(open_page):
    said = words(open_page(backprop(stage=5)))
    assert "x does not require a gradient" in said and "x.grad stays None" in said
    assert "backward() would raise" in words(open_page(backprop(requires_grad=[])))


def test_a_logarithm_of_nothing_is_named(open_page):
    assert "needs positive a" in words(open_page(backprop(loss="cross_entropy", y=(1, 0, 0))))


def test_step_walks_the_edges_and_a_click_chooses_one(open_page):
    page = open_page(backprop(stage=None))
    seen_words = []
    for _ in range(5):
        page.get_by_role("button", name="Step").click()
        seen_words.append(words(page))
    assert len(set(seen_words)) == 5 and "Slope of the loss" in seen_words[0]
    size = page.locator("canvas").first.bounding_box()
    page.locator("canvas").first.click(position={"x": 0.94 * size["width"], "y": 0.4 * size["height"]})
    assert "gradient of l in itself is 1" in words(page)


def test_sliders_move_by_keyboard(open_page):
    page = open_page(backprop())
    before = seen(page)
    page.get_by_label("b₁").focus()
    page.keyboard.press("ArrowRight")
    after_ = seen(page)
    assert before[0] != after_[0] and before[1] != after_[1]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"x": (1, 2)}, "x must be"),
        ({"W": np.full((3, 3), np.nan)}, "W must be"),
        ({"b": (9, 0, 0)}, "between -4 and 4"),
        ({"activation": "gelu"}, "relu, sigmoid, tanh, softmax"),
        ({"loss": "mse"}, "sum, squared, cross_entropy"),
        ({"requires_grad": ["h"]}, "'h'"),
        ({"stage": 9}, "0 to 5"),
    ],
)
def test_bad_arguments_are_named(arguments, part):
    with pytest.raises(ValueError, match=part):
        backprop(**arguments)


def test_a_goal_is_offered_where_the_bias_alone_can_reach_it():
    assert backprop().goal() is not None
    never = [backprop(activation="tanh"), backprop(activation="softmax", loss="cross_entropy")]
    never += [backprop((0, 0, 0)), backprop(b=(-4, -4, -4))]  # reached as it opens
    never += [backprop(W=3 * np.array([[0, 1, 0], [1, 0, 1], [-1, 0, 0]]))]  # h = (-3, 3, 6): a bias of -4 leaves 2
    assert [w.goal() for w in never] == [None] * 5


def test_lists_are_read_back():
    w = backprop(X, W, B)
    assert w.x == X.tolist() and w.b == B.tolist()


BOXES = """<script>{
const draw = CanvasRenderingContext2D.prototype.roundRect;
window.boxes = [];
CanvasRenderingContext2D.prototype.roundRect = function (...box) { boxes.push(box); draw.apply(this, box); };
}</script>"""


@pytest.mark.parametrize("width", [375, 600, 770, 1100])
def test_no_box_of_the_graph_covers_another(width, open_page):
    page = open_page(body=BOXES + live(backprop(requires_grad=["x", "W", "b"])), width=width)
    words(page)
    boxes = page.evaluate("boxes.slice(-6)")
    assert len(boxes) == 6
    for (x, y, w, h, _), (p, q, v, g, _) in itertools.combinations(boxes, 2):
        assert x + w < p or p + v < x or y + h < q or q + g < y
