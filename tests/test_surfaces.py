"""Every surface: formula, derivatives and minima against each other, and JavaScript against NumPy."""

import numpy as np
import pytest

from optcore import SURFACES, bowl, rosenbrock
from tests.javascript import run_programs

SPECIAL = [[0.0, 0.0], [np.inf, 1.0], [1.0, -np.inf], [np.nan, 1.0], [1e200, -1e200]]


def test_the_list_of_surfaces():
    assert set(SURFACES) >= {
        "bowl", "rosenbrock", "himmelblau", "beale", "rastrigin", "saddle", "monkey_saddle", "plateau", "cliff",
        "two_basins",
    }  # fmt: skip


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
