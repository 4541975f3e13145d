"""The layers of a transformer: gradients against differences, a whole one against PyTorch, what may see what."""

from functools import partial

import numpy as np
import pytest

from optcore import (
    MLP,
    Attention,
    Embedding,
    Linear,
    Network,
    Residual,
    RMSNorm,
    characters,
    cross_entropy,
    numerical_gradient,
    sharpness,
    train,
    transformer,
)
from tests.references.network import topic

RNG = np.random.default_rng(0)
X, Y = RNG.integers(0, 5, (3, 6)), RNG.integers(0, 5, (3, 6))
LOSS = partial(cross_entropy, axis=(0, 1))


def assert_gradients_check(net, x, y):
    _, grad = net.loss_and_grad(x, y, LOSS)
    grad = grad.copy()

    def value(theta):
        other = net.copy()
        other.theta[...] = theta
        return LOSS(other(x), y)[0]

    np.testing.assert_allclose(grad, numerical_gradient(value, net.theta), atol=2e-9)


BETWEEN = {
    "attention": lambda: [Attention(4)],
    "two heads": lambda: [Attention(4, 2)],
    "rms norm": lambda: [RMSNorm(4)],
    "residual": lambda: [Residual([RMSNorm(4), Linear(4, 4)])],
    "residual in residual": lambda: [Residual([Linear(4, 4), Residual([Attention(4, 2)]), RMSNorm(4)])],
}


@pytest.mark.parametrize("name", BETWEEN)
def test_each_layer_hands_back_the_gradient(name):
    net = Network([Embedding(5, 4, 6), *BETWEEN[name](), Linear(4, 5)], seed=1)
    assert_gradients_check(net, X, Y)
    assert_gradients_check(net, X[:, :3], Y[:, :3])


def test_the_transformer_is_that_of_pytorch():
    torch = topic("transformer")
    net = transformer(5, 6, 4, 2, blocks=2)
    assert len(net.params) == 25
    for name, value in net.params.items():
        value[...] = torch[f"start_{name}"]
    np.testing.assert_allclose(net(torch["tokens"]), torch["logits"], rtol=1e-11, atol=1e-12)
    net.loss_and_grad(torch["tokens"], torch["y"], LOSS)
    for name, grad in net.grads.items():
        np.testing.assert_allclose(grad, torch[f"grad_{name}"], rtol=1e-9, atol=1e-12, err_msg=name)


def test_no_token_sees_a_later_one():
    net = transformer(5, 6, 4, 2, seed=0)
    changed = X.copy()
    changed[:, 4] = (X[:, 4] + 1) % 5
    before, after = net(X), net(changed)
    assert np.array_equal(before[:, :4], after[:, :4])
    assert (np.abs(before - after)[:, 4:].max(axis=(0, 2)) > 1e-3).all()


def test_every_parameter_begins_where_it_says_and_depth_makes_residual_writers_smaller():
    one, eight = transformer(29, 16, 64, blocks=1, seed=0), transformer(29, 16, 64, blocks=8, seed=0)
    for net, blocks in ((one, 1), (eight, 8)):
        assert net.params["O1"].std() * 64**0.5 * (2 * blocks) ** 0.5 == pytest.approx(1, rel=0.05)
        assert net.params["W2"].std() * 256**0.5 * (2 * blocks) ** 0.5 == pytest.approx(1, rel=0.05)
        assert net.params["Q1"].std() * 64**0.5 == pytest.approx(1, rel=0.05)
    spread = [np.std(net.signals(X[:, :5])[-3]) for net in (one, eight)]
    assert 0.7 < spread[1] / spread[0] < 1.4
    assert one.copy(np.float32)(X).dtype == np.float32 and np.array_equal(one.copy()(X), one(X))


def test_copies_train_alone_and_curvature_reads_them():
    net = transformer(29, 8, 8, 2, seed=0)
    (x, y), held = characters(8)
    twin = net.copy()
    seen = train(net, (x[:256], y[:256]), lr=0.01, steps=60, batch=32, loss=LOSS, valid=(held[0], held[1]), every=60)
    assert seen.valid_loss[-1] < 0.9 * seen.valid_loss[0] and np.isfinite(seen.valid_accuracy).all()
    assert not np.array_equal(net.theta, twin.theta)
    twin.load(net)
    assert np.array_equal(net(x[:2]), twin(x[:2]))
    assert sharpness(net, x[:20], y[:20], LOSS, tol=1e-2) > 0
    net = Network([Embedding(5, 4, 6), Residual(MLP([4, 3, 4]).layers)], seed=0)
    with pytest.raises(ValueError, match="relu has a kink"):
        sharpness(net, X, RNG.integers(0, 4, (3, 6)), LOSS)


@pytest.mark.parametrize(
    "call, sentence",
    [
        (lambda: Attention(6, 4), "must divide the size, 6; it was 4"),
        (lambda: Attention(4, 0), "must divide the size, 4; it was 0"),
        (lambda: transformer(5, 6, 4)(np.zeros((2, 7))), r"tokens of shape \(n, up to 6\), not \(2, 7\)"),
        (lambda: transformer(5, 6, 4)(np.full((2, 6), 5)), "whole numbers from 0 to 4"),
        (lambda: transformer(5, 6, 4)(np.full((2, 6), -1)), "whole numbers from 0 to 4"),
        (lambda: transformer(5, 6, 4)(np.full((2, 6), 0.5)), "whole numbers from 0 to 4"),
        (lambda: Network([Attention(4)])(np.zeros((2, 4))), r"sequences of shape \(n, time, 4\), not \(2, 4\)"),
    ],
)
def test_what_does_not_fit_is_said(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()
