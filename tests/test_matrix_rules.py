"""Rules on whole matrices: one table of generic tests, then each rule's own property."""

import numpy as np
import pytest
from scipy.linalg import fractional_matrix_power

import optcore as oc
from optcore import matrix_rules
from optcore.rule_spec import initial

NO_RULES = {"newton_schulz"}  # the iteration behind two of them
MATRIX_RULES = [
    *(getattr(matrix_rules, name) for name in matrix_rules.__all__ if name not in NO_RULES),
    oc.chain(oc.momentum, oc.orthogonalize, name="plain_muon"),
    oc.chain(oc.muon, oc.decay, name="muon_with_decay"),
    oc.cautious(oc.muon),
]
every_matrix_rule = pytest.mark.parametrize("rule", MATRIX_RULES, ids=lambda rule: rule.__name__)


def kronecker(rng, m=6, n=4):
    """½ tr(Wᵀ A W B) with κ(A) = κ(B) = 30, and its gradient A W B."""
    A, B = (
        Q @ np.diag(np.geomspace(1, 30, k)) @ Q.T for k in (m, n) for Q in [np.linalg.qr(rng.normal(size=(k, k)))[0]]
    )
    return (lambda W: np.sum(W * (A @ W @ B)) / 2), (lambda W: A @ W @ B)


@every_matrix_rule
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_matrix_rule_converges_and_keeps_its_dtype(rule, dtype):
    rng = np.random.default_rng(0)
    f, grad = kronecker(rng)
    start = rng.normal(size=(6, 4)).astype(dtype)
    runs = [oc.descend(rule, None, start, 300, oc.cosine_decay(lr, 300), grad=grad) for lr in (0.1, 0.3, 1.0)]
    assert min(f(run.final) for run in runs) < 1e-3 * f(start)
    state = initial(rule, start, start)
    for t in (1, 2):
        for result in oc.apply(rule, grad(start).astype(dtype), state, {"w": start, "t": t}):
            assert result.dtype == dtype


@every_matrix_rule
def test_a_matrix_rule_is_pure_and_takes_stacks(rule):
    rng = np.random.default_rng(1)
    G, W = rng.normal(size=(2, 3, 6, 4))
    start = initial(rule, G, W)
    before = [a.copy() for a in (G, W, *start)]
    stack = oc.apply(rule, G, start, {"w": W, "t": 2})
    assert all(np.array_equal(a, b) for a, b in zip(before, (G, W, *start), strict=True))
    assert [r.shape for r in stack[1:]] == [s.shape for s in start] and stack[0].shape == G.shape
    for k in range(3):
        one = oc.apply(rule, G[k], [s[k] for s in start], {"w": W[k], "t": 2})
        for together, alone in zip(stack, one, strict=True):
            np.testing.assert_allclose(together[k], alone, rtol=1e-12, atol=1e-12)


@every_matrix_rule
def test_a_matrix_rule_is_finite_at_zero_gradient(rule):
    W = np.ones((3, 2))
    optimizer = oc.Optimizer(rule, W, lr=0.1)
    optimizer.step(np.zeros((3, 2)))
    assert np.isfinite(W).all()


@pytest.mark.parametrize("shape", [(8, 8), (12, 5), (5, 12)])
def test_newton_schulz_flattens_the_singular_values(shape):
    """Singular values from 0.02 to 1 of the norm come out within 0.65 … 1.25, on either side of the matrix."""
    rng = np.random.default_rng(4)
    U, _, Vt = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
    G = 37.0 * U * np.geomspace(0.02, 1, min(shape)) @ Vt
    X = oc.newton_schulz(G)
    values = np.linalg.svd(X, compute_uv=False)
    assert 0.65 < values.min() and values.max() < 1.25
    assert np.sum(X * (U @ Vt)) / np.linalg.norm(X) / np.linalg.norm(U @ Vt) > 0.97
    np.testing.assert_allclose(oc.newton_schulz(1e6 * G), X, rtol=1e-6)


def test_shampoo_is_invariant_to_rotations_where_adam_is_not():
    """The same problem in turned coordinates gives Shampoo the same losses."""
    rng = np.random.default_rng(5)
    f, grad = kronecker(rng)
    start = rng.normal(size=(6, 4))
    Q, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    gap = {}
    for rule, lr in ((oc.shampoo, 1.0), (oc.adam, 0.05)):
        here = oc.descend(rule, None, start, steps=40, lr=lr, grad=grad).final
        there = oc.descend(rule, None, Q.T @ start, steps=40, lr=lr, grad=lambda W: Q.T @ grad(Q @ W)).final
        gap[rule] = abs(f(Q @ there) / f(here) - 1)
    assert gap[oc.shampoo] < 1e-6 and gap[oc.adam] > 0.05


@pytest.mark.parametrize("size", [0.03, 1.0, 30.0])
def test_shampoo_divides_by_fourth_roots(size):
    """Against SciPy's power of a matrix, from statistics of former steps."""
    rng = np.random.default_rng(2)
    before, G = size * rng.normal(size=(2, 3, 3))
    L, R, eps = before @ before.T, before.T @ before, 1e-6
    d, new_L, new_R = oc.shampoo(G, L, R, eps=eps)
    np.testing.assert_allclose(new_L, L + G @ G.T)
    np.testing.assert_allclose(new_R, R + G.T @ G)
    root = lambda A: fractional_matrix_power(A + eps * np.eye(3), -0.25)
    np.testing.assert_allclose(d, root(new_L) @ G @ root(new_R), rtol=1e-6, atol=1e-9)


def test_rounding_below_zero_does_not_leave_the_root():
    """A matrix of rank 1 has eigenvalues of -1e-16 in rounding; with ε = 0 it would be nan, or 1e4 times too long."""
    G = np.outer([1.0, 2.0, 3.0], [1.0, -1.0])
    L, R = -1e-9 * np.eye(3), -1e-9 * np.eye(2)
    d = oc.shampoo(G, L, R, eps=1e-12)[0]
    assert np.isfinite(d).all()
