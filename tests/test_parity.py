"""Rules, schedules, plateau and L-BFGS against the paths that PyTorch and optax take (tests/references/rules.py)."""

from itertools import combinations

import numpy as np
import pytest

import optcore as oc
from tests.references import rules as R

STORED = dict(np.load(R.FILE))
TOLERANCE = 1e-10
CASES = R.RULES | R.MATRIX_RULES


def path(case, move=0.0):
    start, gradient = (
        (R.MATRIX_START, R.matrix_gradient) if oc.spec(case.rule).takes_matrices else (R.START, R.gradient)
    )
    start = start if case.start is None else case.start
    return oc.descend(case.rule, None, start + move, R.STEPS, case.lr, grad=gradient, **case.hyper).points[:: R.EVERY]


@pytest.mark.parametrize("name", CASES)
def test_paths_over_200_steps(name):
    case = CASES[name]
    ours = path(case)
    assert case.calls
    for call in case.calls:
        np.testing.assert_allclose(ours, STORED[call], rtol=0, atol=TOLERANCE, err_msg=call)


@pytest.mark.parametrize("name", CASES)
def test_the_tolerance_is_not_one_for_chaos(name):
    """A start moved by 1e-15 stays within a tenth of the tolerance, so rounding alone cannot fail the test above."""
    assert np.abs(path(CASES[name], move=1e-15) - path(CASES[name])).max() < TOLERANCE / 10


def test_no_two_rules_share_a_path():
    """The problem tells the rules apart: each pair of paths from one start differs by far more than the tolerance."""
    paths = {name: path(case) for name, case in R.RULES.items()}
    gaps = {pair: np.abs(paths[pair[0]] - paths[pair[1]]).max() for pair in combinations(paths, 2)}
    assert len(gaps) >= 200
    assert min(gaps.values()) > 1e4 * TOLERANCE, min(gaps, key=gaps.get)


@pytest.mark.parametrize("name", R.SCHEDULES)
def test_schedules_over_120_steps(name):
    schedule, call = R.SCHEDULES[name]
    np.testing.assert_allclose(schedule(np.arange(R.EPOCHS)), STORED[call], rtol=1e-13, atol=1e-15)


def test_pytorchs_cosine_rises_again_and_ours_stays():
    """Past T_max the recursion of `CosineAnnealingLR` retraces the curve; ours is clamped, as in optax."""
    schedule, _ = R.SCHEDULES["cosine"]
    assert schedule(R.EPOCHS + 60) == 0.01


@pytest.mark.parametrize("k", range(len(R.PLATEAUS)))
def test_plateaus_cut_at_the_same_values(k):
    settings, histories, expected = R.PLATEAUS[k], STORED["histories"], STORED[f"plateau {k}"]
    assert len(histories) == 50 and (expected[:, -1] < 1).any()
    for history, rates in zip(histories, expected, strict=True):
        plateau = oc.ReduceLROnPlateau(1.0, **settings)
        assert [plateau.step(v) for v in history] == rates.tolist()


def test_the_running_average_is_pytorchs():
    w, means = R.START.copy(), []
    optimizer = oc.Optimizer(oc.chain(oc.adam, oc.weight_average), w, R.AVERAGED_LR, memory=R.MEMORY)
    for _ in range(R.STEPS):
        optimizer.step(R.gradient(w))
        means.append(optimizer.state()["0.mean"])
    np.testing.assert_allclose(means[:: R.EVERY], STORED["weight average"], rtol=0, atol=TOLERANCE)
    assert np.abs(w - means[-1]).max() > 1e4 * TOLERANCE


def test_lbfgs_takes_pytorchs_steps():
    """torch.optim.LBFGS without a line search: lr·d, the first shortened by min(1, 1/‖g‖₁), pairs with yᵀs > 1e-10."""
    x, pairs, points = R.START, [], [R.START]
    g = R.convex_gradient(x)
    for k in range(R.LBFGS_STEPS):
        d = oc.lbfgs_direction(g, [s for s, _ in pairs], [y for _, y in pairs])
        x_new = x + R.LBFGS_LR * (min(1.0, 1 / np.abs(g).sum()) if k == 0 else 1.0) * d
        g_new = R.convex_gradient(x_new)
        if (x_new - x) @ (g_new - g) > 1e-10:
            pairs = [*pairs, (x_new - x, g_new - g)][-R.LBFGS_MEMORY :]
        x, g = x_new, g_new
        points.append(x)
    np.testing.assert_allclose(points, STORED["lbfgs"], rtol=0, atol=TOLERANCE)
    assert np.linalg.norm(g) < 1e-6


@pytest.mark.peers
def test_the_stored_paths_can_be_made_again():
    from tests.references.make_rule_references import make

    made = make()
    assert made.keys() == STORED.keys()
    for key, array in made.items():
        np.testing.assert_allclose(array, STORED[key], rtol=0, atol=1e-11, equal_nan=True, err_msg=key)
