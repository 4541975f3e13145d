"""Networks: gradients through all layers, one vector of parameters, copies, seeds."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest

from optcore import (
    ACTIVATIONS,
    LSTM,
    MLP,
    Layer,
    Linear,
    Network,
    numerical_gradient,
)
from optcore.initializers import constant_init, he_normal, zeros_init
from optcore.losses import cross_entropy

RNG = np.random.default_rng(0)


X = RNG.normal(size=(7, 4))


Y = np.array([0, 1, 2, 2, 1, 0, 1])


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


@pytest.mark.parametrize("norm", [None, "batch", "layer"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_mlp_gradients(activation, norm):
    net = MLP([4, 6, 5, 3], activation, norm=norm, dropout=0.2, bias=0.1, seed=2)
    assert_gradients_check(net, X, Y)


def test_signals_and_gradients_are_listed_layer_by_layer():
    net = MLP([4, 6, 3], "tanh")
    signals = net.signals(X)
    assert [s.shape for s in signals] == [(7, 4), (7, 6), (7, 6), (7, 3)]
    np.testing.assert_array_equal(signals[2], np.tanh(signals[1]))
    gradients = net.gradients(np.ones((7, 3)))
    assert [g.shape for g in gradients] == [s.shape for s in signals]
    np.testing.assert_allclose(gradients[1], gradients[2] * (1 - signals[2] ** 2))


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
