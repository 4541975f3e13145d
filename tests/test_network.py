"""optcore/network.py: every layer's backward pass against differences, then PyTorch, curvature, data and training."""

import copy
import pickle
import runpy
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optcore.initializers import constant_init, he_normal, zeros_init
from optcore.losses import cross_entropy, mse
from optcore.network import (
    ACTIVATIONS,
    LSTM,
    MLP,
    Activation,
    BatchNorm,
    Dropout,
    Layer,
    LayerNorm,
    Linear,
    Network,
    Objective,
    activation_slope,
    digits,
    dropout_mask,
    gelu,
    hvp,
    lanczos,
    leaky_relu,
    minibatches,
    numerical_gradient,
    power_iteration,
    relu,
    sharpness,
    stratified_split,
    train,
)
from optcore.rules import adam, chain, clip_norm, decay, gd, momentum
from optcore.schedules import ReduceLROnPlateau
from tests.references.network import ARRAYS, topic

RNG = np.random.default_rng(0)
X = RNG.normal(size=(7, 4))
Y = np.array([0, 1, 2, 2, 1, 0, 1])

# the layer under test between two linear ones, so that its inputs and outputs both pass gradients
BETWEEN = {
    "linear": lambda: Linear(5, 5),
    **{f"activation {name}": partial(Activation, name) for name in ACTIVATIONS},
    "dropout": lambda: Dropout(0.4),
    "batch norm": lambda: BatchNorm(5),
    "layer norm": lambda: LayerNorm(5),
}


# ---------------------------------------------------------------------------------------------- backward pass


def assert_gradients_check(net, X, y, loss=cross_entropy, train=True):
    """Written gradients in parameters and input agree with central differences of the same pass."""

    def value(theta=None, inputs=X):
        twin = copy.deepcopy(net)  # same dropout stream, same running statistics
        if theta is not None:
            twin.theta[...] = theta
        return loss(twin.forward(inputs, train), y)[0]

    twin = copy.deepcopy(net)
    _, g = loss(twin.forward(X, train), y)
    in_input = twin.backward(g)
    np.testing.assert_allclose(twin.grad, numerical_gradient(value, net.theta), atol=2e-9)
    np.testing.assert_allclose(in_input, numerical_gradient(lambda x: value(inputs=x), X), atol=2e-9)


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("name", BETWEEN)
def test_each_layer_hands_back_the_gradient(name, mode):
    net = Network([Linear(4, 5), BETWEEN[name](), Linear(5, 3)], seed=1)
    assert_gradients_check(net, X, Y, train=mode == "train")


@pytest.mark.parametrize("norm", [None, "batch", "layer"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_mlp_gradients(activation, norm):
    net = MLP([4, 6, 5, 3], activation, norm=norm, dropout=0.2, bias=0.1, seed=2)
    assert_gradients_check(net, X, Y)


def test_lstm_gradients():
    net = Network([LSTM(2, 3), Linear(3, 3)], seed=0)
    assert_gradients_check(net, RNG.normal(size=(7, 5, 2)), Y)


def test_signals_and_gradients_are_listed_layer_by_layer():
    net = MLP([4, 6, 3], "tanh")
    signals = net.signals(X)
    assert [s.shape for s in signals] == [(7, 4), (7, 6), (7, 6), (7, 3)]
    np.testing.assert_array_equal(signals[2], np.tanh(signals[1]))
    gradients = net.gradients(np.ones((7, 3)))
    assert [g.shape for g in gradients] == [s.shape for s in signals]
    np.testing.assert_allclose(gradients[1], gradients[2] * (1 - signals[2] ** 2))


# ------------------------------------------------------------------------------------------------ activations


@given(st.floats(-1e300, 1e300), st.sampled_from(sorted(ACTIVATIONS)))
def test_activations_and_slopes_are_finite_everywhere_and_match_differences(z, name):
    value, slope = ACTIVATIONS[name][0](z), activation_slope(name, z)
    assert np.isfinite(value) and np.isfinite(slope)
    if 1e-3 < abs(z) < 1e3:
        h = 1e-6 * max(1, abs(z))
        difference = (ACTIVATIONS[name][0](z + h) - ACTIVATIONS[name][0](z - h)) / (2 * h)
        assert slope == pytest.approx(difference, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_keep_nan_shape_and_type(name):
    z = np.array([[np.nan, 1.0, -2.0]], np.float32)
    value = ACTIVATIONS[name][0](z)
    assert value.shape == z.shape and value.dtype == np.float32 and np.isnan(value[0, 0])
    assert activation_slope(name, z).dtype == np.float32
    assert ACTIVATIONS[name][0](z[:0]).shape == (0, 3)


def test_unknown_activations_list_the_known_ones():
    for call in (lambda: activation_slope("swish", 1.0), lambda: MLP([2, 2, 1], "swish")):
        with pytest.raises(ValueError, match="no activation named 'swish'; there are: identity, sigmoid"):
            call()


def test_slope_at_the_kink_is_that_of_the_frameworks():
    assert activation_slope("relu", [0.0, -0.0]).tolist() == [0, 0]
    assert relu(-3) == 0 and leaky_relu([-2.0], slope=0.1)[0] == -0.2
    assert gelu(-40.0) == 0 and gelu(40.0) == 40


# ----------------------------------------------------------------------------------------------------- layers


@given(p=st.floats(0, 0.95), seed=st.integers(0, 2**32))
def test_dropout_mask_holds_zeros_and_one_scale(p, seed):
    mask = dropout_mask((50, 8), p, seed)
    np.testing.assert_allclose(mask[mask != 0], 1 / (1 - p), rtol=1e-15)


def test_dropout_mask_keeps_the_mean():
    """E[mask] = 1 (inverted dropout, Srivastava et al. 2014, §10): within 4 standard errors of 40,000 draws."""
    mask = dropout_mask((200, 200), 0.3, 0)
    assert abs(mask.mean() - 1) < 4 * np.sqrt(0.3 / 0.7) / 200
    assert dropout_mask(3, 0.5, 0, np.float32).dtype == np.float32
    for p in (-0.1, 1.0, np.nan):
        with pytest.raises(ValueError, match="probability to drop"):
            dropout_mask(3, p, 0)


def test_dropout_is_off_at_test_and_draws_afresh_in_training():
    net = Network([Dropout(0.5)], seed=0)
    np.testing.assert_array_equal(net(X), X)
    assert not np.array_equal(net.forward(X, train=True), net.forward(X, train=True))


def test_batch_norm_makes_scale_of_the_weights_irrelevant():
    """BN(7xW) = BN(xW) up to ε, and the gradient in W shrinks by 7 (van Laarhoven 2017)."""
    net = Network([Linear(4, 6), BatchNorm(6, eps=0.0), Linear(6, 3)], seed=0)
    small, grad = net.loss_and_grad(X, Y)[0], net.grads["W1"].copy()
    net.params["W1"] *= 7
    assert net.loss_and_grad(X, Y)[0] == pytest.approx(small, rel=1e-12)
    np.testing.assert_allclose(net.grads["W1"] * 7, grad, rtol=1e-9, atol=1e-15)


def test_batch_norm_refuses_a_training_batch_of_one():
    net = MLP([4, 5, 3], norm="batch")
    with pytest.raises(ValueError, match="two samples"):
        net.forward(X[:1], train=True)
    assert net.forward(X[:1]).shape == (1, 3)


def test_wrong_inputs_are_named():
    with pytest.raises(ValueError, match=r"shape \(n, 4\), not \(7, 3\)"):
        MLP([4, 3])(X[:, :3])
    with pytest.raises(ValueError, match=r"sequences of shape \(n, time, 2\)"):
        Network([LSTM(2, 3)])(X)
    with pytest.raises(AttributeError, match="Linear has no 'W'; parameters are there once"):
        Linear(2, 3).W  # noqa: B018
    with pytest.raises(NotImplementedError):
        Layer().forward(X)
    with pytest.raises(NotImplementedError):
        Layer().backward(X)


def test_lstm_forget_bias_sets_how_long_memory_lasts():
    """With no input and no recurrence c_T = σ(b_f)ᵀ c₀; the first input writes c₀."""
    net = Network([LSTM(1, 1, forget=2.0)], seed=0)
    layer = net.layers[0]
    net.params["W1"][...] = [[0, 0, 1, 0]]
    net.params["U1"][...] = 0
    x = np.zeros((1, 21, 1))
    x[0, 0] = 1.0
    net(x)
    kept = layer.cells[21, 0, 0] / layer.cells[1, 0, 0]
    assert kept == pytest.approx((1 / (1 + np.exp(-2.0))) ** 20, rel=1e-12)


# --------------------------------------------------------------------------------------------------- networks


def test_parameters_are_views_of_one_vector_matrices_first():
    net = MLP([4, 6, 3], "tanh", norm="layer", bias=0.5)
    assert list(net.params) == ["W1", "W2", "b1", "gamma1", "beta1", "b2"]
    assert net.theta.size == 24 + 18 + 6 + 6 + 6 + 3 and net.weights.size == 42
    net.theta[...] = np.arange(net.theta.size)
    np.testing.assert_array_equal(net.params["W1"], np.arange(24).reshape(4, 6))
    assert net.layers[0].W[0, 1] == 1 and np.shares_memory(net.layers[0].dW, net.grad)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, MLP.copy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_keep_their_own_vectors(duplicate):
    net = MLP([4, 6, 3], "gelu", norm="batch", dropout=0.1)
    net.forward(X, train=True)
    twin = duplicate(net)
    before = net(X)
    np.testing.assert_array_equal(twin(X), before)
    twin.theta[...] = 0
    assert not twin(X).any()
    np.testing.assert_array_equal(net(X), before)
    twin.load(net)
    np.testing.assert_array_equal(twin(X), before)


def test_precision_is_kept_and_can_be_changed():
    net = MLP([4, 6, 3], "gelu", norm="batch", dropout=0.2, dtype=np.float32)
    value, grad = net.loss_and_grad(X, Y)
    assert value.dtype == grad.dtype == net.forward(X, train=True).dtype == net(X).dtype == np.float32
    assert net.layers[1].running_var.dtype == np.float32
    double = net.copy(float)
    assert double.dtype == double(X).dtype == np.float64
    np.testing.assert_allclose(double(X), net(X), atol=1e-5)


def test_the_seed_fixes_the_weights_whatever_norm_and_dropout_are():
    plain, busy = MLP([4, 6, 3], seed=3), MLP([4, 6, 3], seed=3, norm="batch", dropout=0.5)
    np.testing.assert_array_equal(plain.weights, busy.weights)
    assert not np.array_equal(plain.weights, MLP([4, 6, 3], seed=4).weights)


def test_initializers_one_for_all_or_one_a_layer():
    net = MLP([4, 6, 3], init=[zeros_init, partial(constant_init, value=2.0)], bias=he_normal_bias)
    assert not net.params["W1"].any() and (net.params["W2"] == 2).all()
    assert net.params["b1"].tolist() == [4.0] * 6 and net.params["b2"].tolist() == [6.0] * 3
    for wrong, message in [
        (lambda: MLP([4]), "at least input and output"),
        (lambda: MLP([4, 3], norm="group"), "norm must be None"),
        (lambda: MLP([4, 5, 3], init=[he_normal]), "2 layers of weights need 2 initializers, got 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            wrong()


def he_normal_bias(fan_in, fan_out, rng):
    return np.full(fan_out, float(fan_in))


# -------------------------------------------------------------------------------------------------- curvature


def quadratic(n=30, seed=0):
    A = np.random.default_rng(seed).normal(size=(n, n))
    return (A + A.T) / 2


def test_numerical_gradient_leaves_its_point_alone():
    w = np.array([[1.0, 2.0], [3.0, 4.0]])
    grad = numerical_gradient(lambda w: np.sum(w**3), w)
    np.testing.assert_allclose(grad, 3 * w**2, rtol=1e-9)
    assert w.tolist() == [[1, 2], [3, 4]]


def test_hvp_of_a_quadratic_is_the_matrix_times_v_at_any_scale_of_v():
    H = quadratic()
    w, v = np.ones(30), np.arange(30.0)
    for scale in (1e-8, 1.0, 1e8):
        np.testing.assert_allclose(hvp(lambda w: H @ w, w, scale * v), scale * (H @ v), rtol=1e-6, atol=scale * 1e-6)
    assert not hvp(lambda w: H @ w, w, np.zeros(30)).any()


@given(st.integers(0, 1000), st.integers(1, 12))
def test_power_iteration_and_lanczos_find_the_ends_of_the_spectrum(seed, n):
    H = quadratic(n, seed)
    values = np.linalg.eigvalsh(H)
    scale = np.abs(values).max()
    ritz = lanczos(lambda v: H @ v, n, tol=0)
    np.testing.assert_allclose(ritz[[0, -1]], values[[0, -1]], atol=1e-6 * scale)
    sizes = np.sort(np.abs(values))
    if n == 1 or sizes[-2] < 0.9 * sizes[-1]:
        value, v = power_iteration(lambda v: H @ v, n)
        assert value == pytest.approx(values[np.abs(values).argmax()], rel=1e-4)
        assert np.linalg.norm(v) == pytest.approx(1)


def test_power_iteration_keeps_the_sign_and_survives_the_zero_matrix():
    assert power_iteration(lambda v: np.array([-5.0, 2.0, 1.0]) * v, 3)[0] == pytest.approx(-5)
    assert power_iteration(lambda v: 0 * v, 3)[0] == 0
    assert lanczos(lambda v: 0 * v, 3)[-1] == 0


def test_objective_gives_value_gradient_and_hessian_of_the_network():
    net = MLP([4, 5, 3], "tanh", dropout=0.5, dtype=np.float32)
    penalty = lambda w: (0.5 * np.sum(w**2), w)
    objective = Objective(net, X, Y, penalty=penalty)
    w = objective.start
    assert objective(w) == pytest.approx(cross_entropy(net.copy(float)(X), Y)[0] + penalty(net.weights)[0], rel=1e-6)
    np.testing.assert_allclose(objective.grad(w), numerical_gradient(objective, w), atol=1e-9)
    hessian = np.stack([objective.hvp(w, e) for e in np.eye(w.size)])
    np.testing.assert_allclose(hessian, hessian.T, atol=1e-7)
    by_differences = np.stack(
        [(objective.grad(w + 1e-5 * e) - objective.grad(w - 1e-5 * e)) / 2e-5 for e in np.eye(w.size)]
    )
    np.testing.assert_allclose(hessian, by_differences, atol=1e-6)
    grid = np.stack([[w, w + 1], [w - 1, 2 * w], [0 * w, w]])
    assert objective(grid).shape == (3, 2) and objective.grad(grid).shape == grid.shape
    assert objective(grid)[0, 0] == objective(w)
    np.testing.assert_array_equal(net.theta, w.astype(np.float32))


def test_sharpness_is_the_largest_eigenvalue_and_refuses_kinks():
    """A linear model under mse has the Hessian 2XᵀX/n for each output, here with one output."""
    target = RNG.normal(size=(7, 1))
    Z = np.column_stack([X, np.ones(7)])
    exact = np.linalg.eigvalsh(2 * Z.T @ Z / 7)[-1]
    assert sharpness(MLP([4, 1]), X, target, mse, tol=1e-9) == pytest.approx(exact, rel=1e-6)
    net = MLP([4, 5, 3], "tanh", seed=1)
    objective = Objective(net, X, Y)
    hessian = np.stack([objective.hvp(objective.start, e) for e in np.eye(objective.start.size)])
    assert sharpness(net, X, Y) == pytest.approx(np.linalg.eigvalsh((hessian + hessian.T) / 2)[-1], rel=1e-3)
    with pytest.raises(ValueError, match="relu has a kink"):
        sharpness(MLP([4, 5, 3], "relu"), X, Y)


# ------------------------------------------------------------------------------------------------------- data


@given(st.integers(1, 60), st.integers(1, 70), st.integers(0, 2**32))
def test_minibatches_cover_each_sample_once(n, b, seed):
    batches = list(minibatches(n, b, seed))
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.arange(n))
    assert {len(part) for part in batches[:-1]} <= {b} and len(batches[-1]) == (n % b or min(b, n))


def test_minibatches_change_from_epoch_to_epoch_and_check_their_sizes():
    rng = np.random.default_rng(0)
    first, second = (np.concatenate(list(minibatches(50, 7, rng))) for _ in range(2))
    assert not np.array_equal(first, second)
    for n, b in [(0, 3), (3, 0), (3, 1.5)]:
        with pytest.raises(ValueError, match="positive whole numbers"):
            minibatches(n, b, 0)


@given(st.lists(st.integers(0, 3), max_size=60), st.data(), st.integers(0, 2**32))
def test_stratified_split_keeps_proportions(labels, data, seed):
    y = np.array(labels, int)
    size = data.draw(st.integers(0, len(y)))
    first, rest = stratified_split(y, size, seed)
    np.testing.assert_array_equal(np.sort(np.concatenate([first, rest])), np.arange(len(y)))
    assert len(first) == size
    for label in np.unique(y):
        share = size * np.mean(y == label)
        assert abs(np.sum(y[first] == label) - share) < 2


def test_stratified_split_shuffles_and_checks_its_size():
    y = np.repeat([0, 1], 50)
    first, _ = stratified_split(y, 40, 0)
    assert not np.array_equal(np.sort(first), first)
    assert not np.array_equal(first, stratified_split(y, 40, 1)[0])
    with pytest.raises(ValueError, match="A part of 100 samples cannot have 101"):
        stratified_split(y, 101, 0)


@pytest.mark.parametrize("scale", ["raw", "unit", "centred", "standard"])
def test_digits_are_split_by_class_and_scaled_by_the_training_part(scale):
    (X, y), (X_test, y_test) = digits(400, scale=scale, seed=5)
    assert X.shape == (400, 64) and X_test.shape == (360, 64)
    assert np.bincount(y).tolist() == pytest.approx([40] * 10, abs=2)
    assert np.bincount(y_test).tolist() == pytest.approx([36] * 10, abs=2)
    if scale in ("raw", "unit"):
        assert X.min() == 0 and X.max() == (16 if scale == "raw" else 1)
    else:
        np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-12)
        assert abs(X_test.mean(axis=0)).max() > 1e-3
    if scale == "standard":
        assert set(X.std(axis=0).round(9)) == {0.0, 1.0}


def test_digits_keep_the_test_set_when_n_changes_and_never_share_samples():
    (X, y), test = digits(seed=1, scale="raw")
    (few, few_y), same = digits(100, seed=1, scale="raw", dtype=np.float32)
    np.testing.assert_array_equal(test[0], same[0])
    np.testing.assert_array_equal(X[:100], few)
    assert few.dtype == np.float32 and len(X) + len(test[0]) == 1797
    for wrong in ({"n": 0}, {"n": 1438}, {"scale": "log"}, {"test": 1798}):
        with pytest.raises(ValueError):
            digits(**wrong)


# --------------------------------------------------------------------------------------------------- training


def small_problem(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(90, 4))
    return X, np.argmax(X @ rng.normal(size=(4, 3)), axis=1)


def test_training_lowers_the_loss_and_fills_the_history():
    X, y = small_problem()
    net = MLP([4, 8, 3], seed=0)
    history = train(net, (X[:60], y[:60]), adam, 0.02, epochs=30, batch=16, valid=(X[60:], y[60:]))
    assert history.stopped == "budget" and history.names == ("W1", "W2", "b1", "b2")
    assert history.loss.shape == history.lr.shape == (120,) and history.grad_norm.shape == (120, 4)
    assert history.step.tolist() == list(range(0, 121, 4)) and history.weight_norm.shape == (31, 4)
    assert history.train_loss[-1] < 0.3 * history.train_loss[0] and history.valid_accuracy[-1] > 0.8
    assert history.train_loss[-1] == pytest.approx(cross_entropy(net(X[:60]), y[:60])[0])
    assert history.best_step == history.step[history.valid_loss[1:].argmin() + 1]
    assert history.summary().startswith("120 steps (budget); train loss")


def test_the_same_seed_gives_the_same_training():
    X, y = small_problem()

    def run(seed):
        net = MLP([4, 8, 3], dropout=0.2, seed=0)
        train(net, (X, y), momentum, 0.1, epochs=3, batch=16, seed=seed)
        return net.theta

    np.testing.assert_array_equal(run(1), run(1))
    assert not np.array_equal(run(1), run(2))


def test_one_step_is_the_rule_on_the_gradient():
    X, y = small_problem()
    net, twin = MLP([4, 8, 3]), MLP([4, 8, 3])
    history = train(net, (X, y), gd, 0.5, steps=1, batch=None)
    value, grad = twin.loss_and_grad(X, y)
    np.testing.assert_allclose(net.theta, twin.theta - 0.5 * grad, rtol=1e-14, atol=1e-16)
    assert history.loss[0] == value
    norms = [np.linalg.norm(g) for g in twin.grads.values()]
    np.testing.assert_allclose(history.grad_norm[0], norms)
    np.testing.assert_allclose(history.weight_norm[0], [np.linalg.norm(w) for w in MLP([4, 8, 3]).params.values()])


def test_clip_shortens_the_whole_gradient_and_penalty_spares_biases():
    X, y = small_problem()
    net, start = MLP([4, 8, 3], bias=1.0), MLP([4, 8, 3], bias=1.0)
    train(net, (X, y), gd, 1.0, steps=1, batch=None, clip=0.01)
    assert np.linalg.norm(net.theta - start.theta) == pytest.approx(0.01, rel=1e-3)
    plain, penalised = MLP([4, 8, 3], bias=1.0), MLP([4, 8, 3], bias=1.0)
    train(plain, (X, y), gd, 0.1, steps=1, batch=None)
    train(penalised, (X, y), gd, 0.1, steps=1, batch=None, penalty=lambda w: (np.sum(w**2), 2 * w))
    np.testing.assert_allclose(penalised.weights, plain.weights - 0.1 * 2 * start.weights, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(penalised.params["b1"], plain.params["b1"])


def test_a_rule_with_norms_sees_one_layer_at_a_time():
    X, y = small_problem()
    net, twin = MLP([4, 8, 3]), MLP([4, 8, 3])
    train(net, (X, y), chain(clip_norm, gd), 1.0, steps=1, batch=None, max_norm=1e-3)
    _, grad = twin.loss_and_grad(X, y)
    for name, g in twin.grads.items():
        moved = np.linalg.norm(net.params[name] - twin.params[name])
        assert moved == pytest.approx(min(1e-3, np.linalg.norm(g)), rel=1e-2)


def whole_matrix(G):
    """A matrix rule that can be told from any other: it sends every row to the mean row."""
    return np.broadcast_to(G.mean(axis=-2, keepdims=True), G.shape)


def test_matrix_rules_need_another_rule_for_the_vectors():
    X, y = small_problem()
    net, twin = MLP([4, 8, 3]), MLP([4, 8, 3])
    with pytest.raises(ValueError, match="whole_matrix takes matrices; give the biases another rule"):
        train(net, (X, y), whole_matrix, 0.1, steps=1)
    train(net, (X, y), whole_matrix, 0.1, steps=1, batch=None, overrides={"vectors": (gd, 0.5), "W2": (gd, 0.0)})
    twin.loss_and_grad(X, y)
    for name, step in {"W1": 0.1 * whole_matrix(twin.grads["W1"]), "W2": 0, "b1": 0.5 * twin.grads["b1"]}.items():
        np.testing.assert_allclose(net.params[name], twin.params[name] - step, rtol=1e-13, atol=1e-16)
    with pytest.raises(ValueError, match="no parameter 'W9'; there are: vectors, W1, W2, b1, b2"):
        train(net, (X, y), gd, 0.1, steps=1, overrides={"W9": (gd, 0.1)})


def test_overrides_take_hyper_parameters():
    X, y = small_problem()
    spared, decayed = MLP([4, 8, 3], bias=1.0), MLP([4, 8, 3], bias=1.0)
    rule = chain(gd, decay)
    train(decayed, (X, y), rule, 0.1, steps=1, batch=None, weight_decay=0.5)
    train(
        spared, (X, y), rule, 0.1, steps=1, batch=None, weight_decay=0.5,
        overrides={"vectors": (rule, 0.1, {"weight_decay": 0.0})},
    )  # fmt: skip
    np.testing.assert_array_equal(spared.weights, decayed.weights)
    np.testing.assert_allclose(spared.params["b1"] - decayed.params["b1"], 0.05, rtol=1e-12)


def test_schedules_and_feedback_set_the_rate():
    X, y = small_problem()
    history = train(MLP([4, 8, 3]), (X, y), gd, lambda t: 0.1 / (1 + t), steps=4, batch=None)
    np.testing.assert_allclose(history.lr, [0.1, 0.05, 0.1 / 3, 0.025])
    plateau = ReduceLROnPlateau(0.3, patience=0, factor=0.5, threshold=0.9)
    history = train(MLP([4, 8, 3]), (X, y), gd, plateau, steps=4, batch=None)
    assert history.lr.tolist() == [0.3, 0.3, 0.15, 0.075]


class Stop:
    """Stops at the n-th evaluation and remembers what it was told."""

    def __init__(self, n):
        self.n, self.seen = n, []

    def step(self, value):
        self.seen.append(value)
        return len(self.seen) >= self.n


def test_stopping_early_puts_the_best_parameters_back():
    X, y = small_problem()
    stop = Stop(6)
    net = MLP([4, 8, 3], norm="batch", seed=0)
    rates = lambda t: 0.5 if t < 3 else -0.5  # downhill for three steps, then uphill
    history = train(net, (X, y), gd, rates, steps=50, batch=None, stop=stop, monitor="train")
    assert history.stopped == "early" and history.best_step == 3 and len(history.loss) == 6
    assert cross_entropy(net(X), y)[0] == pytest.approx(min(stop.seen), rel=1e-12)


def test_monitor_chooses_what_feedback_sees():
    X, y = small_problem()
    half = (X[:45], y[:45]), (X[45:], y[45:])
    for monitor, attribute in [("valid", "valid_loss"), ("train", "train_loss"), (None, "valid_loss")]:
        stop = Stop(99)
        history = train(MLP([4, 8, 3]), half[0], gd, 0.1, steps=5, batch=9, valid=half[1], every=1, stop=stop,
                        monitor=monitor)  # fmt: skip
        assert stop.seen == getattr(history, attribute)[1:].tolist()
    stop = Stop(99)
    history = train(MLP([4, 8, 3]), half[0], gd, 0.1, steps=5, batch=9, every=1, stop=stop, monitor="batch")
    assert stop.seen == history.loss.tolist()
    for monitor in ("valid", "test"):
        with pytest.raises(ValueError, match="monitor must be"):
            train(MLP([4, 8, 3]), half[0], monitor=monitor)


def test_augmentation_changes_the_batches_and_probes_are_recorded():
    X, y = small_problem()
    shapes = []

    def blank(inputs, rng):
        shapes.append(inputs.shape)
        return np.zeros_like(inputs)

    net = MLP([4, 8, 3], bias=0.1)
    history = train(net, (X, y), gd, 0.1, steps=4, batch=40, every=2, augment=blank,
                    probes={"largest": lambda net: abs(net.weights).max()})  # fmt: skip
    assert shapes == [(40, 4), (40, 4), (10, 4), (40, 4)]
    np.testing.assert_array_equal(net.params["W1"], MLP([4, 8, 3], bias=0.1).params["W1"])
    assert history.probes["largest"].shape == history.step.shape == (3,)


def test_divergence_ends_the_run():
    X, y = small_problem()
    net = MLP([4, 8, 1], "identity")
    history = train(net, (X, y[:, None].astype(float)), gd, 1e6, steps=500, loss=mse, batch=None, classify=False)
    assert history.stopped == "diverged" and len(history.loss) < 500 and not np.isfinite(history.loss[-1])
    assert np.isnan(history.train_accuracy).all()


@pytest.mark.parametrize("show", [True, False, None])
def test_the_progress_bar_writes_to_the_error_stream_only_when_asked(show, capsys):
    X, y = small_problem()
    train(MLP([4, 3]), (X, y), gd, 0.1, steps=3, progress=show)
    out, err = capsys.readouterr()
    assert out == "" and ("step" in err) == (show is True)


def test_training_works_without_tqdm(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tqdm", None)
    X, y = small_problem()
    assert len(train(MLP([4, 3]), (X, y), gd, 0.1, steps=3, progress=True).loss) == 3


def test_data_that_does_not_fit_is_refused():
    X, y = small_problem()
    for data in ((X, y[:-1]), (X[:0], y[:0])):
        with pytest.raises(ValueError, match="as many targets as samples"):
            train(MLP([4, 3]), data)


def test_digits_are_learnt():
    (X, y), test = digits(dtype=np.float32)
    history = train(MLP([64, 32, 10], dtype=np.float32), (X, y), momentum, 0.1, epochs=15, valid=test)
    assert history.valid_accuracy[-1] > 0.95 and history.train_accuracy[-1] > 0.98


# ----------------------------------------------------------------------------------------------------- parity


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "leaky_relu", "gelu"])
def test_activations_are_those_of_pytorch(name):
    torch = topic("activations")
    np.testing.assert_allclose(ACTIVATIONS[name][0](torch["z"]), torch[f"{name}_a"], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(activation_slope(name, torch["z"]), torch[f"{name}_slope"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("name, layer", [("batch", BatchNorm), ("layer", LayerNorm)])
def test_norms_are_those_of_pytorch(name, layer, mode):
    torch = topic("norms")
    net = Network([layer(4)])
    net.params["gamma1"][...], net.params["beta1"][...] = torch["gamma"], torch["beta"]
    if mode == "eval":
        net.forward(torch["x"], train=True)
    out = net.forward(torch["x"], mode == "train")
    dx = net.backward(torch["g"])
    for value, key in ((out, "out"), (dx, "dx"), (net.grads["gamma1"], "dgamma"), (net.grads["beta1"], "dbeta")):
        np.testing.assert_allclose(value, torch[f"{name}_{mode}_{key}"], rtol=1e-10, atol=1e-12)


def test_running_statistics_are_those_of_pytorch():
    torch = topic("norms")
    net = Network([BatchNorm(4)])
    for part in (torch["x"], torch["x"][:3] - 1):
        net.forward(part, train=True)
    np.testing.assert_allclose(net.layers[0].running_mean, torch["running_mean"], rtol=1e-13)
    np.testing.assert_allclose(net.layers[0].running_var, torch["running_var"], rtol=1e-13)


def test_lstm_is_that_of_pytorch():
    torch = topic("lstm")
    net = Network([LSTM(2, 4)])
    for name in ("W", "U", "b"):
        net.params[f"{name}1"][...] = torch[name]
    np.testing.assert_allclose(net(torch["x"]), torch["h"], rtol=1e-12)
    np.testing.assert_allclose(net.layers[0].cells[-1], torch["c"], rtol=1e-12)
    np.testing.assert_allclose(net.backward(torch["g"]), torch["dx"], rtol=1e-10, atol=1e-14)
    for name in ("W", "U", "b"):
        np.testing.assert_allclose(net.grads[f"{name}1"], torch[f"d{name}"], rtol=1e-10, atol=1e-14)


def test_sixty_steps_of_training_are_those_of_pytorch():
    """AdamW, clipped by global norm, through linear, layer norm and tanh layers."""
    torch = topic("training")
    net = MLP([6, 8, 3], "tanh", norm="layer")
    for name in ("W1", "W2", "b1", "b2"):
        net.params[name][...] = torch[f"start_{name}"]
    adamw = chain(adam, decay)
    history = train(
        net, (torch["X"], torch["y"]), adamw, 1e-2, steps=60, batch=None, clip=0.5, every=100, weight_decay=0.1
    )
    np.testing.assert_allclose(history.loss, torch["losses"], rtol=1e-12)
    for name, value in net.params.items():
        np.testing.assert_allclose(value, torch[f"end_{name}"], rtol=1e-10, atol=1e-12)


def test_the_stored_references_are_what_pytorch_gives_today():
    pytest.importorskip("torch")
    script = Path(__file__).with_name("references") / "make_network_references.py"
    made = runpy.run_path(str(script))["make"]()
    assert made.keys() == ARRAYS.keys()
    for name, value in made.items():
        np.testing.assert_allclose(value, ARRAYS[name], rtol=1e-9, atol=1e-12, err_msg=name)
