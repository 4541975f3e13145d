"""optcore/losses.py: one table of losses under generic tests, then each closed form with its source."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import optcore.losses as losses
from optcore.losses import (
    accuracy,
    binary_cross_entropy,
    cross_entropy,
    hinge,
    huber,
    log_softmax,
    logsumexp,
    mae,
    mse,
    multiclass_hinge,
    sigmoid,
    softmax,
    softplus,
)
from optcore.symbolic import trace
from tests.references.network import topic

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(4, 6)) * 2
SCORES = RNG.normal(size=(6, 3)) * 2
LABELS = np.array([0, 1, 2, 2, 1, 0])

# loss, predictions, targets: every loss listed here gets every generic test
ELEMENTWISE = {
    "mse": (mse, Z, RNG.normal(size=6)),
    "mae": (mae, Z, RNG.normal(size=6)),
    "huber": (huber, Z, RNG.normal(size=6)),
    "binary_cross_entropy": (binary_cross_entropy, Z, np.array([0, 1, 1, 0, 0.3, 1])),
    "hinge": (hinge, Z, np.array([-1, 1, 1, -1, -1, 1])),
}
OF_SCORES = {
    "cross_entropy": (cross_entropy, SCORES, LABELS),
    "multiclass_hinge": (multiclass_hinge, SCORES, LABELS),
}
LOSSES = {**ELEMENTWISE, **OF_SCORES}

every_loss = pytest.mark.parametrize("name", LOSSES)
numbers = st.floats(-1e300, 1e300)
anything = st.floats(allow_nan=True, allow_infinity=True)


def test_the_table_names_every_loss_of_the_module():
    values = {"accuracy", "log_softmax", "logsumexp", "sigmoid", "softmax", "softplus"}
    assert set(LOSSES) == set(losses.__all__) - values


def central_difference(f, x, h=1e-6):
    grad = np.zeros_like(x)
    for k in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[k] = h
        grad[k] = (f(x + e) - f(x - e)) / (2 * h)
    return grad


@every_loss
def test_the_gradient_is_that_of_the_value(name):
    loss, pred, target = LOSSES[name]
    _, grad = loss(pred, target)
    np.testing.assert_allclose(grad, central_difference(lambda p: loss(p, target)[0], pred), atol=1e-8)


@every_loss
def test_float32_stays_float32_and_inputs_stay_as_they_were(name):
    loss, pred, target = LOSSES[name]
    pred, before = pred.astype(np.float32), pred.astype(np.float32)
    value, grad = loss(pred, target)
    assert (value.dtype, grad.dtype, grad.shape) == (np.float32, np.float32, pred.shape)
    np.testing.assert_array_equal(pred, before)
    np.testing.assert_allclose(value, loss(pred.astype(float), target)[0], rtol=1e-5)


@every_loss
def test_axis_empty_gives_each_sample_its_own_loss_and_none_their_mean(name):
    loss, pred, target = LOSSES[name]
    values, slopes = loss(pred, target, axis=())
    value, grad = loss(pred, target)
    np.testing.assert_allclose(value, values.mean(), rtol=1e-14)
    np.testing.assert_allclose(grad, slopes / values.size, rtol=1e-14)


@every_loss
def test_a_batch_of_losses_equals_the_single_ones(name):
    loss, pred, target = LOSSES[name]
    batch = pred if name in ELEMENTWISE else np.stack([pred, 2 * pred - 1])
    labels = target if name in ELEMENTWISE else np.stack([target, target])
    values, grads = loss(batch, labels, axis=-1)
    for k, one in enumerate(batch):
        value, grad = loss(one, target)
        assert value == values[k]
        np.testing.assert_array_equal(grad, grads[k])


@every_loss
def test_the_trace_gives_the_same_value_and_gradient(name):
    loss, pred, target = LOSSES[name]
    pred = pred[0] if name in ELEMENTWISE else pred
    value, grad = loss(pred, target)
    traced_value, traced_grad = trace(lambda p: loss(p, target), pred.shape)(pred)
    np.testing.assert_allclose(traced_value, value, rtol=1e-14)
    np.testing.assert_allclose(traced_grad, grad, rtol=1e-13, atol=1e-15)
    by_symbolic = trace(lambda p: loss(p, target)[0], pred.shape).gradient()(pred)
    np.testing.assert_allclose(by_symbolic, grad, rtol=1e-9, atol=1e-12)


@every_loss
def test_empty_batches_and_shapes_that_do_not_fit_are_refused(name):
    loss, pred, target = LOSSES[name]
    with pytest.raises(ValueError, match="no samples"):
        loss(pred[:0], target if name in ELEMENTWISE else target[:0])
    with pytest.raises(ValueError, match="shape"):
        loss(pred, target[:-1])


@every_loss
@given(anything)
def test_extreme_predictions_give_a_value_without_an_exception(name, x):
    loss, pred, target = LOSSES[name]
    pred = pred.copy()
    pred[0, 0] = x
    with np.errstate(all="ignore"):
        value, grad = loss(pred, target)
    assert value >= 0 or np.isnan(value)
    if np.isnan(x):
        assert np.isnan(value)
    assert np.isfinite(grad).all() or not np.isfinite(x) or name in ("mse",)


def test_column_predictions_against_flat_targets_do_not_broadcast():
    with pytest.raises(ValueError, match=r"\(6, 1\) do not fit targets of shape \(6,\)"):
        mse(np.ones((6, 1)), np.ones(6))


def test_targets_of_the_wrong_kind_are_named():
    with pytest.raises(ValueError, match=r"-1 or 1; found 0"):
        hinge([0.5, 1.0], [0, 1])
    with pytest.raises(ValueError, match=r"probabilities in \[0, 1\]; found -1"):
        binary_cross_entropy([0.5, 1.0], [1, -1])
    with pytest.raises(ValueError, match="class numbers from 0 to 2; found 3"):
        cross_entropy(np.ones((1, 3)), [3])
    with pytest.raises(ValueError, match="sum to one; found 2"):
        cross_entropy(np.ones((1, 3)), [[1.0, 1.0, 0.0]])
    with pytest.raises(ValueError, match="not float64"):
        cross_entropy(np.ones((2, 3)), [0.0, 1.0])
    with pytest.raises(ValueError, match="delta"):
        huber([1.0], [0.0], delta=0)


# ----------------------------------------------------------------------------------------------- closed forms


def test_uniform_scores_cost_ln_k():
    """A uniform prediction over k classes costs ln k (Goodfellow et al. 2016, §3.13)."""
    value, grad = cross_entropy(np.zeros((5, 10)), np.arange(5))
    assert value == pytest.approx(np.log(10), rel=1e-15)
    np.testing.assert_allclose(grad.sum(axis=1), 0, atol=1e-16)


def test_probabilities_as_targets_agree_with_labels_and_are_linear_in_the_target():
    a, b = np.eye(3)[LABELS], np.eye(3)[[1, 1, 0, 0, 2, 2]]
    np.testing.assert_allclose(cross_entropy(SCORES, a)[0], cross_entropy(SCORES, OF_SCORES["cross_entropy"][2])[0])
    mixed = cross_entropy(SCORES, 0.3 * a + 0.7 * b)[0]
    assert mixed == pytest.approx(0.3 * cross_entropy(SCORES, a)[0] + 0.7 * cross_entropy(SCORES, b)[0])


def test_a_ruled_out_class_costs_nothing_unless_it_is_the_right_one():
    masked = np.array([[0.0, 0.0, -np.inf]])
    assert cross_entropy(masked, [0])[0] == pytest.approx(np.log(2))
    assert cross_entropy(masked, [2])[0] == np.inf


def test_two_classes_are_the_binary_case():
    """softmax of (0, z) is (1 - σ(z), σ(z))."""
    z, y = Z[0], np.array([0, 1, 1, 0, 0, 1])
    pairs = np.stack([np.zeros_like(z), z], axis=-1)
    assert cross_entropy(pairs, y)[0] == pytest.approx(binary_cross_entropy(z, y)[0], rel=1e-14)


@given(st.floats(-700, 700), st.sampled_from([0.0, 1.0]))
def test_binary_cross_entropy_keeps_its_digits_in_both_tails(z, y):
    """-ln σ(±z) is ln(1 + e^∓z), known by log1p to full precision on either side."""
    right = z if y else -z
    exact = np.log1p(np.exp(-right))
    assert binary_cross_entropy([z], [y])[0] == pytest.approx(exact, rel=1e-12)


@given(st.floats(-100, 100), st.floats(0.01, 10))
def test_huber_is_quadratic_inside_and_linear_outside(r, delta):
    """Huber 1964: r²/2 where |r| ≤ δ, δ|r| - δ²/2 beyond."""
    expected = r**2 / 2 if abs(r) <= delta else delta * abs(r) - delta**2 / 2
    assert huber([r], [0.0], delta)[0] == pytest.approx(expected, rel=1e-12, abs=1e-300)


def test_multiclass_hinge_is_zero_exactly_where_the_margin_is_kept():
    value, grad = multiclass_hinge([[2.0, 1.0, 0.5]], [0])
    assert value == 0 and not grad.any()


# ------------------------------------------------------------------------------------------- stable functions


@given(anything)
def test_sigmoid_and_softplus_on_any_number(z):
    with np.errstate(all="raise", under="ignore"):
        s, p = sigmoid(z), softplus(z)
    if np.isnan(z):
        assert np.isnan(s) and np.isnan(p)
    else:
        assert 0 <= s <= 1 and p >= max(z, 0)


@given(st.floats(-700, 700))
def test_sigmoid_and_softplus_against_the_textbook_forms(z):
    assert sigmoid(z) == pytest.approx(1 / (1 + np.exp(-z)), rel=1e-14)
    assert softplus(z) == pytest.approx(np.logaddexp(0, z), rel=1e-14)
    assert sigmoid(z) + sigmoid(-z) == pytest.approx(1, abs=1e-15)


@settings(max_examples=200)
@given(hnp.arrays(float, hnp.array_shapes(min_dims=1, max_dims=3), elements=numbers), st.floats(-1e3, 1e3))
def test_softmax_is_a_distribution_whatever_the_scores(z, shift):
    p = softmax(z)
    assert p.shape == z.shape and (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-13)
    top = z.max(axis=-1)
    assert (logsumexp(z) >= top).all()
    assert (logsumexp(z) <= top + np.log(z.shape[-1]) + 1e-9 * abs(top)).all()
    small = np.clip(z, -1e3, 1e3)
    np.testing.assert_allclose(softmax(small + shift), softmax(small), rtol=1e-11, atol=1e-300)


def test_softmax_normalises_along_the_axis_asked_for():
    np.testing.assert_allclose(softmax(SCORES).sum(axis=1), 1)
    np.testing.assert_allclose(softmax(SCORES, axis=0).sum(axis=0), 1)
    np.testing.assert_allclose(np.exp(log_softmax(SCORES, axis=0)), softmax(SCORES, axis=0))


def test_softmax_jacobian_is_diag_p_minus_p_pt():
    """Goodfellow et al. 2016, §6.2.2.3; singular, because softmax(z + c) = softmax(z)."""
    z = np.array([0.3, -1.0, 2.0])
    p = softmax(z)
    jacobian = np.stack([central_difference(lambda x, k=k: softmax(x)[k], z) for k in range(3)])
    np.testing.assert_allclose(jacobian, np.diag(p) - np.outer(p, p), atol=1e-9)
    np.testing.assert_allclose((np.diag(p) - np.outer(p, p)).sum(axis=1), 0, atol=1e-15)


def test_logsumexp_at_infinities():
    assert logsumexp([-np.inf, -np.inf]) == -np.inf
    assert logsumexp([np.inf, 0.0]) == np.inf
    assert logsumexp([0.0, -np.inf]) == 0.0
    assert np.isnan(logsumexp([np.nan, 0.0]))
    assert logsumexp(np.zeros((2, 3)), axis=0, keepdims=True).shape == (1, 3)
    with pytest.raises(ValueError, match="logsumexp cannot work with z = "):
        logsumexp([])


@pytest.mark.parametrize("function", [sigmoid, softplus, softmax, log_softmax, logsumexp])
def test_stable_functions_keep_float32_and_lift_integers(function):
    assert function(np.float32([0.5, 1.0])).dtype == np.float32
    assert function([0, 1]).dtype == np.float64


# --------------------------------------------------------------------------------------------------- accuracy


def test_accuracy_of_labels_one_hot_rows_and_single_scores():
    scores, labels = np.array([[0.1, 2.0], [3.0, 0.0], [0.0, 1.0], [1.0, 0.0]]), np.array([1, 0, 0, 0])
    assert accuracy(scores, labels) == accuracy(scores, np.eye(2)[labels]) == 0.75
    signs = np.array([[-1], [1], [1], [1]])
    for target in (signs, (signs + 1) // 2):  # ±1, or 0 and 1
        assert accuracy(np.array([[-0.2], [0.4], [0.1], [-3.0]]), target) == 0.75
        assert accuracy(np.array([[0.0], [0.4], [0.1], [0.0]]), target) == 0.75  # 0 is not positive
    with pytest.raises(ValueError, match="no samples"):
        accuracy(np.zeros((0, 3)), np.zeros(0, int))


# ----------------------------------------------------------------------------------------------------- parity


@pytest.mark.parametrize(
    "name, loss, target",
    [
        ("mse", mse, "targets"),
        ("mae", mae, "targets"),
        ("huber", lambda p, t: huber(p, t, delta=0.7), "targets"),
        ("binary_cross_entropy", binary_cross_entropy, "rows"),
        ("cross_entropy", cross_entropy, "labels"),
        ("cross_entropy_rows", cross_entropy, "rows"),
        ("multiclass_hinge", multiclass_hinge, "labels"),
    ],
)
def test_values_and_gradients_are_those_of_pytorch(name, loss, target):
    """torch.nn.functional with reduction="mean", in float64 (tests/references/make_network_references.py)."""
    torch = topic("losses")
    value, grad = loss(torch["scores"], torch[target])
    np.testing.assert_allclose(value, torch[f"{name}_value"], rtol=1e-14)
    np.testing.assert_allclose(grad, torch[f"{name}_grad"], rtol=1e-12, atol=1e-16)
