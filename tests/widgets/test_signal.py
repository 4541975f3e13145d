"""Signals of a deep network: the page's network is `Signal.signals`, and that is an optcore MLP."""

import numpy as np
import pytest

import optcore as oc
from optcore.widgets.draws import normal_draws
from optcore.widgets.signal import INITS, signal

from .controls import assign, exact, live, numbers, words

ACTIVATIONS = ("relu", "tanh", "sigmoid", "identity")


def test_draws_are_standard_normal_and_independent_of_where_one_starts():
    d = normal_draws(3, 0, 100_000)
    moments = [np.mean(d**k) for k in (1, 2, 3, 4)]
    np.testing.assert_allclose(moments, [0, 1, 0, 3], atol=0.06)
    assert abs(np.corrcoef(d[:-1], d[1:])[0, 1]) < 0.015
    assert abs(np.corrcoef(d, normal_draws(4, 0, 100_000))[0, 1]) < 0.015
    np.testing.assert_array_equal(normal_draws(3, 500, 20), d[500:520])


@pytest.mark.parametrize("init", INITS)
def test_weights_have_the_scale_of_the_initializer(init):
    w = signal(init=init, gain=1.5, depth=3, width=64)
    expected = 1.5 * np.std([INITS[init][1](64, 64, seed) for seed in range(3)])
    assert np.std(w.weights()) == pytest.approx(expected, rel=0.02)
    if init == "orthogonal":
        np.testing.assert_allclose(w.weights()[0] @ w.weights()[0].T, 2.25 * np.eye(64), atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_signals_are_those_of_an_mlp(activation):
    w = signal(init="he", activation=activation, depth=4, width=16)
    net = oc.MLP([16] * 6, activation)
    for k, W in enumerate(w.weights(), 1):
        net.params[f"W{k}"][...] = W
    a, g = w.signals()
    theirs = net.signals(a[0])
    top = net.gradients(np.zeros_like(theirs[-1]))  # a forward pass was made; now send the same gradient down
    for layer in reversed(net.layers[:-1]):
        top = g[-1] if layer is net.layers[-2] else top
        top = layer.backward(top)
    np.testing.assert_allclose(a[1:], theirs[2:-1:2], rtol=1e-12)
    np.testing.assert_allclose(g[0], top, rtol=1e-10)


def test_page_computes_the_same_network(open_page):
    w = signal()
    page = open_page(body=exact(w))
    for init in INITS:
        for activation in ("relu", "tanh"):
            depth = 6 if init in ("normal", "small") else 12  # so that rounding is not what is compared
            w.value = {
                **w.value,
                "init": init,
                "activation": activation,
                "depth": depth,
                "width": 32,
                "gain": 1.25,
                "seed": 7,
            }
            a, g = w.signals()
            up, down = np.mean(a[-1] ** 2), np.mean(g[0] ** 2)
            shown = numbers(assign(page, **w.value))
            np.testing.assert_allclose([shown[0], shown[4]], [up, down], rtol=1e-9, err_msg=f"{init}, {activation}")
            assert shown[1] == depth


def test_infinite_width_is_the_exact_recursion(open_page):
    page = open_page(body=exact(signal(init="he", gain=1.2, depth=10)))
    shown = numbers(words(page))
    np.testing.assert_allclose([shown[2], shown[5]], [1.44**10] * 2, rtol=1e-3)
    # saturated tanh: compare with many samples of one unit
    shown = numbers(assign(page, init="normal", activation="tanh", gain=1.0, depth=1))
    z = 8 * normal_draws(1, 0, 2_000_000)
    np.testing.assert_allclose(shown[2], np.mean(np.tanh(z) ** 2), rtol=2e-3)
    np.testing.assert_allclose(shown[5], 64 * np.mean((1 - np.tanh(z) ** 2) ** 2), rtol=1e-2)


def test_the_lesson_is_in_the_words(open_page):
    page = open_page(body=live(signal()))
    assert "Activations vanish" in words(page) and "Gradients vanish" in words(page)
    kept = assign(page, init="he")
    assert "Activations keep" in kept and "Gradients keep" in kept
    saturated = assign(page, init="normal", activation="tanh")
    assert "Activations keep" in saturated and "Gradients explode" in saturated


@pytest.mark.parametrize(
    ("arguments", "part"),
    [({"init": "hee"}, "hee"), ({"activation": "gelu"}, "gelu"), ({"width": 100}, "100"), ({"gain": -1}, "gain")],
)
def test_bad_arguments_are_named(arguments, part):
    with pytest.raises(ValueError, match=part):
        signal(**arguments)
