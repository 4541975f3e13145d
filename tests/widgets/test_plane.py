"""The plane through three networks: losses in the page equal those of Python and, on the grid, those of the network."""

import numpy as np
import pytest

import optcore as oc
from optcore.widgets.plane import LEVELS, SIZE, plane

from .controls import assign, exact, numbers, words
from .exact import exact_numbers
from .examples import THREE, _shifted, _wells

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])


def make(**options):
    return plane({"far": THREE, "near": 0.3 * THREE}, _wells, _shifted, **options)


@pytest.mark.parametrize("name", ["far", "near"])
@pytest.mark.parametrize("weights", [(1 / 3, 1 / 3), (0.5, 0.0), (-0.1, 0.7), (0.0, 1.0)])
def test_the_page_reads_what_python_reads(name, weights, open_page):
    w = make(plane=name, point=weights, start=2)
    shown = exact_numbers(open_page, w)
    here, corners = w.losses(name, weights), w.losses(name, CORNERS)
    expected = [1 - sum(weights), *weights, *here, *corners[:, 1], 2]
    np.testing.assert_allclose(shown[: len(expected)], expected, rtol=1e-9, atol=1e-12)
    path = CORNERS[1] + np.linspace(0, 1, 4001)[:, None] * (np.array(weights) - CORNERS[1])
    np.testing.assert_allclose(shown[-2:], w.losses(name, path).max(axis=0), rtol=2e-3)


def test_the_grid_holds_the_losses_to_a_step_of_the_logarithm():
    w = make()
    for name, corners in (("far", THREE), ("near", 0.3 * THREE)):
        p = w._planes[name]
        first, second = corners[1] - corners[0], corners[2] - corners[0]
        a, b = np.meshgrid(np.linspace(*p["x"], SIZE), np.linspace(*p["y"], SIZE))
        share = b / p["third"][1]
        at = np.stack([(a - share * p["third"][0]) / p["side"], share], axis=-1)
        theta = corners[0] + at[..., :1] * first + at[..., 1:] * second
        step = (p["high"] - p["low"]) / LEVELS
        for k, f in enumerate((_wells, _shifted)):
            np.testing.assert_allclose(np.log(w.losses(name, at)[..., k]), np.log(f(theta)), atol=0.51 * step + 1e-9)


def test_the_triangle_is_laid_out_at_its_true_size():
    (p,) = plane({"one": THREE}, _wells, _wells).spec["planes"]
    u, v = p["third"]
    sides = [p["side"], np.hypot(u, v), np.hypot(u - p["side"], v)]
    true = [np.linalg.norm(THREE[i] - THREE[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    np.testing.assert_allclose(sides, true, rtol=1e-12)


def test_another_plane_keeps_the_weights(open_page):
    page = open_page(body=exact(make(point=(0.5, 0.25))))
    said = numbers(assign(page, plane="near"))
    np.testing.assert_allclose(said[:3], [0.25, 0.5, 0.25], rtol=1e-12)


def test_buttons_lead_to_the_corners_and_the_middle(open_page):
    page = open_page(make())
    page.get_by_role("button", name="Next corner").click()
    assert words(page).startswith("Weights of the three: 0, 1, 0.")
    page.get_by_role("button", name="To the middle").click()
    assert words(page).startswith("Weights of the three: 0.33, 0.33, 0.33.")


def test_the_goal_is_asked_for_only_where_it_can_be_reached():
    bowl = lambda w: 0.1 + ((w - THREE.mean(axis=0)) ** 2).sum(axis=-1)
    assert plane({"bowl": THREE}, bowl, bowl, point=(0, 0)).goal() is not None
    assert plane({"bowl": THREE}, bowl, bowl).goal() is None  # reached at the start
    hill = lambda w: np.exp(-((w - THREE.mean(axis=0)) ** 2).sum(axis=-1))
    assert plane({"hill": THREE}, hill, hill).goal() is None


@pytest.mark.parametrize(
    "planes, options",
    [
        ({}, {}),
        ({"two": THREE[:2]}, {}),
        ({"line": [[0, 0], [1, 1], [2, 2]]}, {}),
        ({"point": np.zeros((3, 2))}, {}),
        ({"one": THREE}, {"plane": "another"}),
        ({"one": THREE}, {"start": 4}),
        ({"one": THREE}, {"point": (np.nan, 0)}),
    ],
)
def test_bad_input_is_refused_in_a_sentence(planes, options):
    with pytest.raises(ValueError, match=r"\.$"):
        plane(planes, _wells if "line" not in planes else lambda w: 1 + (w**2).sum(axis=-1), _wells, **options)


def test_losses_must_be_positive():
    with pytest.raises(ValueError, match="positive"):
        plane({"one": THREE}, lambda w: w[..., 0], _wells)


def test_an_objective_serves():
    net = oc.MLP([2, 3, 2], seed=0)
    X, y = np.eye(2), np.array([0, 1])
    f = oc.Objective(net, X, y)
    w = plane({"three": [oc.MLP([2, 3, 2], seed=s).theta for s in range(3)]}, f, f)
    assert w.losses("three", CORNERS).shape == (3, 2)
