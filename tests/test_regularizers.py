"""optcore/regularizers.py: penalties against differences, proximal maps against their definition, the rest by rule."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from optcore import MLP, digits, gd, numerical_gradient, train
from optcore.regularizers import (
    EarlyStopping,
    elastic_net,
    ista,
    ista_step,
    l1,
    l2,
    label_noise,
    shift_images,
    soft_threshold,
)
from optcore.symbolic import trace

W = np.random.default_rng(0).normal(size=(4, 6))
PENALTIES = {
    "l1": partial(l1, lam=0.3),
    "l2": partial(l2, lam=0.3),
    "elastic_net": partial(elastic_net, lam1=0.2, lam2=0.5),
}
every_penalty = pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)
numbers = st.floats(-1e300, 1e300)


# ------------------------------------------------------------------------------------------------- penalties


@every_penalty
def test_the_gradient_is_that_of_the_value(penalty):
    np.testing.assert_allclose(penalty(W)[1], numerical_gradient(lambda w: penalty(w)[0], W), atol=1e-8)


@every_penalty
def test_leading_axes_are_a_batch_and_float32_stays(penalty):
    values, grads = penalty(W, axis=-1)
    for k, w in enumerate(W):
        assert values[k] == penalty(w)[0]
        np.testing.assert_array_equal(grads[k], penalty(w)[1])
    value, grad = penalty(W.astype(np.float32))
    assert value.dtype == grad.dtype == np.float32


@every_penalty
def test_penalties_trace(penalty):
    value, grad = trace(lambda w: penalty(w), (6,))(W[0])
    np.testing.assert_allclose(value, penalty(W[0])[0], rtol=1e-14)
    np.testing.assert_allclose(grad, penalty(W[0])[1], rtol=1e-14)


@every_penalty
@given(w=st.floats(allow_nan=True, allow_infinity=True))
def test_penalties_of_extreme_weights(penalty, w):
    with np.errstate(over="ignore"):
        value = penalty([w, 1.0])[0]
    assert np.isnan(value) if np.isnan(w) else value > 0
    assert penalty(np.zeros(0))[0] == 0


def test_l2_is_half_of_pytorchs_weight_decay():
    """weight_decay adds weight_decay·w to the gradient; λ Σ w² adds 2λw."""
    np.testing.assert_allclose(l2(W, lam=0.01)[1], 0.02 * W)


def test_negative_strengths_are_refused():
    for call in (
        lambda: l1(W, -1.0),
        lambda: l2(W, np.nan),
        lambda: elastic_net(W, 0.1, -0.1),
        lambda: soft_threshold(W, -0.1),
    ):
        with pytest.raises(ValueError, match="must be 0 or more"):
            call()


# ------------------------------------------------------------------------------------------- proximal descent


@given(v=st.floats(-1e3, 1e3), t=st.floats(0, 1e3), other=st.floats(-1e3, 1e3))
def test_soft_threshold_minimises_what_defines_it(v, t, other):
    """prox(v) = argmin ½(w - v)² + t|w| (Parikh and Boyd 2014, eq. 1.1)."""
    objective = lambda w: 0.5 * (w - v) ** 2 + t * abs(w)
    best = soft_threshold(v, t)
    assert objective(best) <= objective(other) + 1e-9 * (1 + abs(objective(other)))
    assert (best == 0) == (abs(v) <= t)


@given(hnp.arrays(float, 5, elements=numbers), st.floats(0, 1e300))
def test_soft_threshold_never_grows_nor_turns(v, t):
    shrunk = soft_threshold(v, t)
    assert (np.abs(shrunk) <= np.abs(v)).all() and (shrunk * np.sign(v) >= 0).all()


def test_soft_threshold_at_infinity_nan_and_nothing():
    assert soft_threshold([np.inf, -np.inf], 1.0).tolist() == [np.inf, -np.inf]
    assert np.isnan(soft_threshold(np.nan, 1.0))
    assert soft_threshold(np.zeros(0), 1.0).shape == (0,)
    assert soft_threshold(np.float32([2.0]), 0.5).dtype == np.float32


def test_ista_step_traces():
    step = trace(lambda w, g: ista_step(w, g, 0.1, 2.0), (2,), (2,))
    w, g = np.array([1.0, 0.1]), np.array([0.0, 0.5])
    np.testing.assert_allclose(step(w, g), ista_step(w, g, 0.1, 2.0), rtol=1e-15)


def lasso(lam, seed=0):
    """A sparse regression whose loss is ‖Aw - b‖²/2n."""
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(60, 40))
    truth = np.where(np.arange(40) < 5, 3.0, 0.0)
    b = A @ truth + 0.1 * rng.normal(size=60)
    grad = lambda w: (w @ A.T - b) @ A / 60
    objective = lambda w: 0.5 * np.mean((A @ w - b) ** 2) + lam * np.abs(w).sum()
    return grad, objective, np.linalg.eigvalsh(A.T @ A / 60)[-1]


def test_ista_converges_at_its_rate_to_exact_zeros():
    """Beck and Teboulle 2009, Theorem 3.1: F(w_k) - F* ≤ L‖w₀ - w*‖²/2k, monotone at lr = 1/L."""
    grad, objective, L = lasso(0.2)
    path = ista(grad, np.zeros(40), 3000, 1 / L, 0.2)
    values = np.array([objective(w) for w in path])
    assert (np.diff(values) <= 1e-12).all()
    k = np.arange(1, 1000)
    assert (values[1:1000] - values[-1] <= L * np.sum(path[-1] ** 2) / (2 * k) + 1e-12).all()
    assert np.sum(path[-1] == 0) == 35 and path[-1, :5].all()
    slope = grad(path[-1])  # optimality: -λ·sign(w) where w is not zero, within ±λ where it is
    np.testing.assert_allclose(slope[:5], -0.2 * np.sign(path[-1, :5]), atol=1e-9)
    assert (np.abs(slope[5:]) < 0.2).all()
    subgradient = np.zeros(40)
    for _ in range(3000):
        subgradient -= (grad(subgradient) + l1(subgradient, 0.2)[1]) / L
    assert np.sum(subgradient == 0) == 0


def test_ista_runs_batches_and_checks_its_rate():
    grad, _, L = lasso(0.1)
    starts = np.stack([np.zeros(40), np.ones(40)])
    path = ista(grad, starts, 20, 1 / L, 0.1)
    assert path.shape == (21, 2, 40)
    np.testing.assert_allclose(path[:, 1], ista(grad, np.ones(40), 20, 1 / L, 0.1), rtol=1e-9, atol=1e-12)
    with pytest.raises(ValueError, match="learning rate must be positive"):
        ista(grad, starts, 1, 0.0, 0.1)


# --------------------------------------------------------------------------------------------------- stopping


@given(st.lists(st.floats(0, 10), min_size=1, max_size=40), st.integers(1, 6))
def test_early_stopping_stops_after_patience_misses_in_a_row(values, patience):
    stop = EarlyStopping(patience)
    told = [stop.step(v) for v in values]
    first = told.index(True) if True in told else len(values) - 1
    seen = values[: first + 1]
    best = int(np.argmin(seen))
    assert told[first] == (first - best == patience)
    if told[first]:
        again = EarlyStopping(patience)
        for v in seen:
            again.step(v)
        assert (again.best, again.best_step, again.bad) == (values[best], best, patience)


def test_early_stopping_with_a_margin_nan_and_bad_settings():
    stop = EarlyStopping(patience=2, min_delta=0.5)
    assert [stop.step(v) for v in [1.0, 0.6, 0.4, np.nan, 0.3]] == [False, False, False, False, True]
    assert stop.best == 0.4 and not stop.improved
    first = EarlyStopping(patience=2)
    assert [first.step(np.nan), first.step(np.nan)] == [False, True] and first.best_step == -1
    for patience, min_delta in [(0, 0.0), (3, -0.1), (3, np.nan)]:
        with pytest.raises(ValueError, match="patience must be at least 1"):
            EarlyStopping(patience, min_delta)


def test_early_stopping_ends_training_and_keeps_the_best():
    (X, y), _ = digits(200, dtype=np.float32)
    net = MLP([64, 16, 10], dtype=np.float32)
    stop = EarlyStopping(patience=3)
    history = train(net, (X[:100], y[:100]), gd, 0.5, epochs=300, valid=(X[100:], y[100:]), stop=stop)
    assert history.stopped == "early" and len(history.step) < 301
    assert stop.best == history.valid_loss.min() and history.valid_loss[-4] == stop.best


# ------------------------------------------------------------------------------------------------------- data


@given(st.integers(1, 5), st.integers(0, 3), st.integers(0, 2**32))
def test_shifted_images_are_moves_of_the_original(side, pixels, seed):
    X = np.random.default_rng(seed).random((3, side * side)) + 1
    moved = shift_images(X, seed, pixels).reshape(3, side, side)
    for image, result in zip(X.reshape(3, side, side), moved, strict=True):
        padded = np.pad(image, pixels)
        moves = [padded[i : i + side, j : j + side] for i in range(2 * pixels + 1) for j in range(2 * pixels + 1)]
        assert any(np.array_equal(result, move) for move in moves)


def test_all_moves_come_equally_often():
    image = np.zeros((9000, 9))
    image[:, 4] = 1.0
    places = shift_images(image, 0).argmax(axis=1)
    counts = np.bincount(places, minlength=9)
    assert len(counts) == 9 and abs(counts - 1000).max() < 5 * np.sqrt(1000)


def test_the_background_moves_in_and_the_input_stays():
    X = np.full((50, 9), 2.0, np.float32)
    before = X.copy()
    moved = shift_images(X, 0, background=np.full(9, 2.0))
    np.testing.assert_array_equal(moved, X)
    assert set(np.unique(shift_images(X, 0, background=-1.0))) == {-1.0, 2.0}
    np.testing.assert_array_equal(X, before)
    assert moved.dtype == np.float32 and shift_images(X[:0], 0).shape == (0, 9)
    for wrong, pixels, message in [(X[:, :8], 1, "side² pixels"), (X[0], 1, "side² pixels"), (X, -1, "0 or more")]:
        with pytest.raises(ValueError, match=message):
            shift_images(wrong, 0, pixels)


@given(st.integers(0, 80), st.floats(0, 1), st.integers(2, 10), st.integers(0, 2**32))
def test_label_noise_changes_exactly_its_share(n, share, classes, seed):
    y = np.random.default_rng(seed).integers(0, classes, n)
    before = y.copy()
    noisy = label_noise(y, share, seed, classes)
    assert np.sum(noisy != y) == round(share * n)
    assert noisy.min(initial=0) >= 0 and noisy.max(initial=0) < classes
    np.testing.assert_array_equal(y, before)


def test_label_noise_is_uniform_over_the_other_classes():
    noisy = label_noise(np.zeros(9000, int), 1.0, 0, classes=4)
    assert np.bincount(noisy, minlength=4).tolist() == pytest.approx([0, 3000, 3000, 3000], abs=250)
    for y, share, classes in [([0, 1], 1.5, 2), ([0, 1], -0.1, 2), ([0, 0], 0.5, None)]:
        with pytest.raises(ValueError, match="share in \\[0, 1\\] and two classes"):
            label_noise(y, share, 0, classes)
