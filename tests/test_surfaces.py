"""Every surface: formula, derivatives and minima against each other, and JavaScript against NumPy."""

import math
import pickle

import numpy as np
import pytest

import optcore as oc
from optcore import SURFACES, Surface, bowl, rosenbrock, surfaces
from tests.javascript import run_programs

#: What the pages show, as (x0, x1, y0, y1), the start, and the formula once more, in plain numbers.
SHOWN = {
    "bowl": ((-3, 3, -3, 3), (-2.5, 1.5), lambda x, y: (x * x + 20 * y * y) / 2),
    "rosenbrock": ((-2, 2, -1, 3), (-1.5, 2), lambda x, y: (1 - x) ** 2 + 100 * (y - x * x) ** 2),
    "himmelblau": ((-5, 5, -5, 5), (-0.5, -1), lambda x, y: (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2),
    "beale": (
        (-1, 4.5, -2, 2),
        (1, 1.5),
        lambda x, y: sum((c - x * (1 - y**k)) ** 2 for k, c in enumerate((1.5, 2.25, 2.625), 1)),
    ),
    "rastrigin": (
        (-3, 3, -3, 3),
        (2.2, -1.7),
        lambda x, y: sum(v * v + 10 * (1 - math.cos(2 * math.pi * v)) for v in (x, y)),
    ),
    "saddle": ((-2, 2, -2, 2), (1.5, 0.001), lambda x, y: (2 * x * x - 2 * y * y + y**4) / 4),
    "monkey_saddle": ((-1.5, 1.5, -1.5, 1.5), (1, 0.001), lambda x, y: complex(x, y).__pow__(3).real),
    "plateau": ((-6, 6, -6, 6), (4, 3), lambda x, y: 1 - 1 / (1 + x * x + y * y)),
    "cliff": ((-4, 4, -2, 2), (3, 1), lambda x, y: (x + 2) ** 2 / 10 + y * y / 2 + 10 / (1 + math.exp(-40 * (x - 1)))),
    "two_basins": (
        (-4, 4, -3, 3),
        (-0.2, 1.5),
        lambda x, y: (
            math.hypot(x, y) ** 2 / 20
            - math.exp(-(math.hypot(x - 1.7, y) ** 2) / 2)
            - math.exp(-(math.hypot(x + 2, y) ** 2) * 12.5)
        ),
    ),
    "hills": (
        (-3, 3, -3, 3),
        (-0.1, 0.06),
        lambda x, y: (x * (x + 0.2) - y * (y - 0.1)) / math.exp(math.hypot(x, y) ** 2 / 2),
    ),
}

SPECIAL = [[0.0, 0.0], [np.inf, 1.0], [1.0, -np.inf], [np.nan, 1.0], [1e200, -1e200]]

RANGES = {
    "bowl": {"kappa": (1, 1000, "log"), "angle": (0, 90, "linear")},
    "cliff": {"height": (0, 20, "linear")},
}


def test_the_tables_hold_every_public_surface():
    public = {name for name in surfaces.__all__ if isinstance(getattr(surfaces, name), Surface)}
    assert set(SURFACES) == set(SHOWN) == public and len(public) > 10
    assert all(SURFACES[name] is getattr(surfaces, name) for name in public)


@pytest.mark.parametrize("name", SURFACES)
def test_formula_window_and_start(name):
    s, ((x0, x1, y0, y1), start, formula) = SURFACES[name], SHOWN[name]
    assert s.domain == ((x0, x1), (y0, y1)) and tuple(s.start) == start
    assert x0 < start[0] < x1 and y0 < start[1] < y1 and np.linalg.norm(s.grad(start)) > 1e-4
    for point in (start, (x0, y0), (x1, y1), (0.3, -0.7)):
        assert s(point) == pytest.approx(formula(*point), rel=1e-12)
    assert s.ranges == RANGES.get(name, {}) and s.ranges.keys() <= s.params.keys()


@pytest.mark.parametrize("name", SURFACES)
def test_derivatives_agree_with_central_differences(name):
    s = SURFACES[name]
    (x0, x1), (y0, y1) = s.domain
    w = np.random.default_rng(1).uniform([x0, y0], [x1, y1], (20, 2))
    h = 1e-5
    steps = h * np.eye(2)
    grad = np.stack([(s.fn(w + d) - s.fn(w - d)) / (2 * h) for d in steps], axis=-1)
    scale = np.abs(s.fn(w)).max()
    np.testing.assert_allclose(s.grad(w), grad, rtol=1e-5, atol=1e-7 * scale)
    hess = np.stack([(s.grad(w + d) - s.grad(w - d)) / (2 * h) for d in steps], axis=-1)
    np.testing.assert_allclose(s.hess(w), hess, rtol=1e-4, atol=1e-5 * scale)


@pytest.mark.parametrize("name", [n for n, s in SURFACES.items() if len(s.minima)])
def test_minima_are_minima_inside_the_window(name):
    s = SURFACES[name]
    for m in s.minima:
        assert np.abs(s.grad(m)).max() < 1e-6
        assert np.linalg.eigvalsh(s.hess(m)).min() > 0
        assert all(low <= v <= high for v, (low, high) in zip(m, s.domain, strict=True))


def test_most_surfaces_state_their_minima():
    assert sum(len(s.minima) > 0 for s in SURFACES.values()) >= 9


def test_bowl_has_the_stated_condition_number_whatever_its_angle():
    for kappa, angle in [(1.0, 0.0), (7.0, 30.0), (100.0, 77.0)]:
        eigenvalues = np.linalg.eigvalsh(bowl.at(kappa=kappa, angle=angle).hess([0.3, -2.0]))
        np.testing.assert_allclose(eigenvalues, [1.0, kappa], rtol=1e-9)


def test_rosenbrock_value_and_hessian_at_the_classical_start():
    """Nocedal & Wright 2006 use (-1.2, 1): f = 24.2, Hessian [[1330, 480], [480, 200]]."""
    w = [-1.2, 1.0]
    np.testing.assert_allclose(rosenbrock(w), 24.2)
    np.testing.assert_allclose(rosenbrock.hess(w), [[1330, 480], [480, 200]])


def test_javascript_agrees_with_numpy_on_value_gradient_and_hessian():
    rng = np.random.default_rng(2)
    jobs, expected = [], []
    for s in SURFACES.values():
        (x0, x1), (y0, y1) = s.domain
        w = np.concatenate([rng.uniform([x0, y0], [x1, y1], (50, 2)), SPECIAL])
        rows = np.column_stack([w, *(np.full(len(w), v) for v in s.params.values())])
        jobs.append((s.program(), rows))
        expected.append(np.column_stack([s(w), s.grad(w), s.hess(w).reshape(-1, 4)]))
    assert len(jobs) >= 10
    for s, e, got in zip(SURFACES.values(), expected, run_programs(jobs), strict=True):
        scale = np.nanmax(np.abs(np.where(np.isfinite(e[:50]), e[:50], 0)))
        np.testing.assert_allclose(got, e, rtol=1e-12, atol=1e-12 * scale, err_msg=s.__name__)


def test_other_parameters_make_another_surface():
    steep = bowl.at(kappa=500.0)
    assert steep([0.0, 1.0]) == 250.0 and bowl([0.0, 1.0]) == 10.0
    with pytest.raises(TypeError, match="no parameter 'k'; it has: kappa, angle"):
        bowl.at(k=3.0)


CHANGED = {
    "bowl": [dict(kappa=3.0), dict(angle=30.0), dict(kappa=-2.0)],
    "rosenbrock": [dict(a=2.0), dict(a=-0.5, b=10.0), dict(b=-1.0)],
    "rastrigin": [dict(depth=3.0), dict(depth=0.0), dict(depth=-2.0)],
    "cliff": [dict(height=0.0), dict(height=3.0), dict(height=-5.0)],
}


def test_every_parameter_is_changed_below():
    assert {name for name, s in oc.SURFACES.items() if s.params} == set(CHANGED)
    for name, changes in CHANGED.items():
        assert {key for change in changes for key in change} == set(oc.SURFACES[name].params)


@pytest.mark.parametrize("name", CHANGED)
def test_minima_follow_the_parameters_or_are_unknown(name):
    """What is called the lowest value is a stationary point that no point of a fine grid of the window undercuts."""
    surface = oc.SURFACES[name]
    for change in CHANGED[name]:
        s = surface.at(**change)
        if s.lowest is None:
            assert not len(s.minima)
            continue
        grid = np.stack(np.meshgrid(*(np.linspace(lo, hi, 401) for lo, hi in s.domain)), axis=-1)
        assert s(grid).min() >= s.lowest - 1e-12, change
        np.testing.assert_allclose(s.grad(s.minima), 0, atol=1e-9)
        found = oc.minimize(s, s.minima[0] + 0.05, "bfgs")
        assert found.f == pytest.approx(s.lowest, abs=1e-12)
    assert any(surface.at(**change).lowest is None for change in CHANGED[name])


def test_without_ripples_a_surface_is_a_bowl_that_has_its_minimum():
    assert oc.rastrigin.at(depth=0.0).minima.tolist() == [[0.0, 0.0]]
    assert oc.cliff.at(height=0.0).minima.tolist() == oc.cliff.minima.tolist()


def test_a_surface_of_ones_own_knows_its_minima_at_its_defaults_alone():
    s = oc.Surface(lambda w, *, a=1.0: np.sum((w - a) ** 2, axis=-1), minima=[(1, 1)])
    assert s.lowest == 0.0 and s.at(a=2.0).lowest is None
    follows = oc.Surface(lambda w, *, a=1.0: np.sum((w - a) ** 2, axis=-1), minima=lambda a: [(a, a)])
    assert follows.at(a=2.0).minima.tolist() == [[2.0, 2.0]]


def test_a_surface_takes_points_of_the_plane_alone():
    for call in (oc.rosenbrock, oc.rosenbrock.grad, oc.rosenbrock.hess):
        with pytest.raises(
            ValueError, match=r"rosenbrock takes points \(x, y\), of shape \(…, 2\); it was given \(3,\)"
        ):
            call([1.0, 1.0, 5.0])
    with pytest.raises(ValueError, match="takes points"):
        oc.minimize("rosenbrock", [-1.2, 1.0, 5.0])


def test_named_surfaces_pickle_with_their_parameters():
    s = pickle.loads(pickle.dumps(oc.rosenbrock.at(a=2.0)))
    assert s.params == {"a": 2.0, "b": 100.0} and s.minima.tolist() == [[2.0, 4.0]]
