"""Every layer's backward pass against differences, then PyTorch."""

import copy
import inspect
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optcore import (
    ACTIVATIONS,
    LSTM,
    MLP,
    Activation,
    BatchNorm,
    Dropout,
    LayerNorm,
    Linear,
    Network,
    activation_slope,
    dropout_mask,
    gelu,
    leaky_relu,
    numerical_gradient,
    relu,
)
from optcore.losses import cross_entropy
from tests.references.network import topic

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


@pytest.mark.parametrize("layer", [Linear, Activation, Dropout, BatchNorm, LayerNorm, LSTM, Network])
def test_a_pass_is_no_training_unless_it_is_asked_for(layer):
    assert inspect.signature(layer.forward).parameters["train"].default is False


def test_lstm_gradients():
    net = Network([LSTM(2, 3), Linear(3, 3)], seed=0)
    assert_gradients_check(net, RNG.normal(size=(7, 5, 2)), Y)


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
