"""`train`: what it does to a network, what it tells, and the same steps by PyTorch."""

import runpy
from pathlib import Path

import numpy as np
import pytest

from optcore import (
    MLP,
    adam,
    chain,
    clip_norm,
    decay,
    digits,
    gd,
    momentum,
    train,
)
from optcore.losses import cross_entropy, mse
from optcore.schedules import ReduceLROnPlateau
from tests.references.network import ARRAYS, topic

RNG = np.random.default_rng(0)


X = RNG.normal(size=(7, 4))


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


def test_clipping_to_nothing_stands_still_and_less_is_refused():
    X, y = small_problem()
    net = MLP([4, 8, 3])
    train(net, (X, y), gd, 1.0, steps=2, batch=None, clip=0)
    np.testing.assert_array_equal(net.theta, MLP([4, 8, 3]).theta)
    for clip in (-1e-9, np.nan):
        with pytest.raises(ValueError, match="clip must be 0 or more"):
            train(net, (X, y), gd, 1.0, steps=1, clip=clip)


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
    with pytest.raises(ValueError, match="whole_matrix takes matrices and parameter .* give the vectors another rule"):
        train(net, (X, y), whole_matrix, 0.1, steps=1)
    train(net, (X, y), whole_matrix, 0.1, steps=1, batch=None, overrides={"vectors": (gd, 0.5), "W2": (gd, 0.0)})
    twin.loss_and_grad(X, y)
    for name, step in {"W1": 0.1 * whole_matrix(twin.grads["W1"]), "W2": 0, "b1": 0.5 * twin.grads["b1"]}.items():
        np.testing.assert_allclose(net.params[name], twin.params[name] - step, rtol=1e-13, atol=1e-16)
    with pytest.raises(ValueError, match="no parameter 'W9'; there are: vectors, matrices, W1, W2, b1, b2"):
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


@pytest.mark.peers
def test_the_stored_references_are_what_pytorch_gives_today():
    script = Path(__file__).with_name("references") / "make_network_references.py"
    made = runpy.run_path(str(script))["make"]()
    assert made.keys() == ARRAYS.keys()
    for name, value in made.items():
        np.testing.assert_allclose(value, ARRAYS[name], rtol=1e-9, atol=1e-12, err_msg=name)
