"""`Optimizer`: the steps of `descend`, blocks, overrides, accumulated gradients, save and resume, sentences."""

import pickle

import numpy as np
import pytest

import optcore as oc
from optcore import Optimizer, adamw, chain, clip_norm, descend, gd, rosenbrock


def test_optimizer_takes_the_same_steps_as_descend():
    w = {"a": np.array([[-1.5, 2.0]]), "b": np.array([0.5])}
    opt = Optimizer(adamw, w, lr=lambda t: 0.1 / (t + 1), weight_decay=0.1)
    first = w["a"]
    for _ in range(20):
        opt.step({"a": rosenbrock.grad(w["a"]), "b": w["b"]})
    assert w["a"] is first
    path = descend(adamw, rosenbrock, [-1.5, 2.0], steps=20, lr=lambda t: 0.1 / (t + 1), weight_decay=0.1)
    np.testing.assert_allclose(w["a"][0], path.final, rtol=1e-14)


def test_blocks_give_the_same_bits_as_whole_vectors():
    rng = np.random.default_rng(0)
    w = rng.normal(size=200_003).astype(np.float32)
    g = rng.normal(size=(3, w.size)).astype(np.float32)
    rows = iter(g)
    whole = descend(adamw, None, w, steps=3, lr=0.01, grad=lambda _: next(rows)).final
    opt = Optimizer(adamw, w, lr=0.01)
    for k in range(3):
        opt.step(g[k])
    assert w.dtype == np.float32 and np.array_equal(w, whole)


def test_what_a_rule_remembers_is_its_own():
    """Whoever fills one gradient array again and again must not change the rule's memory."""

    def change(g, last=0.0):
        return g - last, g

    def moved(g, before=0.0, *, w):
        return w - before, w

    for rule in (change, moved):
        w, buffer = np.array([1.0, 2.0]), np.empty(2)
        opt = Optimizer(rule, w, lr=0.1)
        for k in range(5):
            buffer[:] = [k, k * k]
            opt.step(buffer)
        rows = iter(np.array([[k, k * k] for k in range(5)], float))
        path = descend(rule, None, [1.0, 2.0], steps=5, lr=0.1, grad=lambda _, rows=rows: next(rows))
        np.testing.assert_array_equal(w, path.final)


def test_a_norm_is_taken_over_each_layer():
    layers = [np.zeros((2, 2)), np.zeros(1)]
    Optimizer(chain(clip_norm, gd), layers, lr=1.0, max_norm=1.0).step([np.full((2, 2), 3.0), np.array([0.5])])
    np.testing.assert_allclose(layers[0], -0.5, rtol=1e-6)
    np.testing.assert_allclose(layers[1], -0.5)


@pytest.mark.parametrize(
    ("params", "grads", "sentence"),
    [
        ([1.0], None, "contiguous float array"),
        (np.ones((4, 4)).T[:2], None, "contiguous float array"),
        (np.ones(2), np.ones(3), r"has shape \(3,\); the parameter has \(2,\)"),
        ({"a": np.ones(2)}, {"b": np.ones(2)}, "Gradients are for"),
    ],
)
def test_optimizer_refuses_what_it_cannot_update_in_place(params, grads, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        Optimizer(gd, params).step(grads)


def problem(rng, dtype=float):
    """Parameters of a small network and a stream of gradients."""
    params = {"W1": rng.normal(size=(3, 4)).astype(dtype), "b1": rng.normal(size=4).astype(dtype)}
    grads = [{k: rng.normal(size=w.shape).astype(dtype) for k, w in params.items()} for _ in range(12)]
    return params, grads


RESUMED = {
    "adamw": (oc.adamw, {}),
    "nadam": (oc.nadam, {}),
    "lamb": (oc.lamb, {}),
    "muon, adam for vectors": (oc.muon, {"overrides": {"vectors": (oc.adam, oc.cosine_decay(0.1, 10))}}),
    "accumulated": (oc.adam, {"accumulate": 5}),
    "noise": (oc.chain(oc.gradient_noise(3), oc.momentum), {}),
}


@pytest.mark.parametrize("how", ["state", "npz", "pickle"])
@pytest.mark.parametrize("name", RESUMED)
def test_a_run_cut_in_two_makes_the_steps_of_one(name, how, tmp_path):
    rule, settings = RESUMED[name]
    make = lambda params: Optimizer(rule, params, oc.warmup(oc.cosine_decay(0.1, 10), 3), **settings)
    whole, grads = problem(np.random.default_rng(0))
    first = {k: w.copy() for k, w in whole.items()}
    opt, half = make(whole), make(first)
    for g in grads:
        opt.step(g)
    for g in grads[:7]:
        half.step(g)
    if how == "pickle":
        rest = pickle.loads(pickle.dumps(half))
        second = rest._params
    else:
        saved = half.state()
        if how == "npz":
            np.savez(tmp_path / "saved.npz", **saved)
            saved = dict(np.load(tmp_path / "saved.npz"))
        second = {k: w.copy() for k, w in first.items()}
        rest = make(second)
        rest.load_state(saved)
    for g in grads[7:]:
        rest.step(g)
    for key in whole:
        np.testing.assert_array_equal(second[key], whole[key])
    assert rest.t == opt.t and rest.state().keys() == opt.state().keys()


def test_a_state_of_another_optimizer_is_refused_and_changes_nothing():
    params, grads = problem(np.random.default_rng(0))
    opt = Optimizer(oc.adam, params)
    opt.step(grads[0])
    before = opt.state()
    for saved, sentence in [
        (Optimizer(oc.momentum, {"W1": np.ones(2)}).state() | {"t": 3}, "has no 'W1.m'"),
        ({}, "holds no 't'"),
        (before | {"b1.m": np.ones(7)}, r"'b1.m' has shape \(7,\); parameter 'b1' has 4 numbers"),
        (before | {"b9.m": np.ones(7)}, "'b9.m', of which this Optimizer knows nothing"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            opt.load_state(saved)
        after = opt.state()
        assert after.keys() == before.keys() and all(np.array_equal(after[k], before[k]) for k in before)


def test_accumulated_gradients_make_one_step_from_their_mean():
    params, grads = problem(np.random.default_rng(1))
    twin = {k: w.copy() for k, w in params.items()}
    opt, other = Optimizer(oc.adam, params, 0.1, accumulate=4), Optimizer(oc.adam, twin, 0.1)
    for g in grads:
        opt.step(g)
    for k in range(0, 12, 4):
        other.step({key: sum(g[key] for g in grads[k : k + 4]) / 4 for key in params})
    assert opt.t == other.t == 3
    for key in params:
        np.testing.assert_allclose(params[key], twin[key], rtol=1e-14)


def test_a_state_saved_between_accumulated_steps_ends_a_begun_one():
    params, grads = problem(np.random.default_rng(1))
    opt = Optimizer(oc.adam, params, 0.1, accumulate=2)
    for g in grads[:2]:
        opt.step(g)
    saved, kept = opt.state(), {k: w.copy() for k, w in params.items()}
    for g in grads[2:4]:
        opt.step(g)
    after = {k: w.copy() for k, w in params.items()}
    opt.step(grads[4])
    opt.load_state(saved)
    for key in params:
        params[key][...] = kept[key]
    for g in grads[2:4]:
        opt.step(g)
    for key in params:
        np.testing.assert_array_equal(params[key], after[key])


def test_overrides_give_parameters_a_rule_of_their_own():
    params, grads = problem(np.random.default_rng(2))
    start = {k: w.copy() for k, w in params.items()}
    Optimizer(
        oc.gd, params, 0.1, overrides={"vectors": (oc.signsgd, 0.5), "W1": (oc.decay, 1.0, {"weight_decay": 0.1})}
    ).step(grads[0])
    np.testing.assert_allclose(params["b1"], start["b1"] - 0.5 * np.sign(grads[0]["b1"]))
    np.testing.assert_allclose(params["W1"], start["W1"] - (grads[0]["W1"] + 0.1 * start["W1"]))


def test_matrices_are_what_has_two_axes_or_more():
    params = {"b": np.ones(2), "W": np.ones((2, 2)), "filters": np.ones((2, 2, 2))}
    grads = {name: np.full_like(w, 3.0) for name, w in params.items()}
    Optimizer(oc.gd, params, 0.1, overrides={"matrices": (oc.signsgd, 0.5)}).step(grads)
    assert {name: float(w.flat[0].round(12)) for name, w in params.items()} == {"b": 0.7, "W": 0.5, "filters": 0.5}


def test_a_schedule_is_asked_once_a_step():
    asked = []

    def rate(t):
        asked.append(t)
        return 0.1

    opt = Optimizer(oc.gd, np.ones(2), rate, overrides={})
    for _ in range(3):
        assert opt.now() == {"lr": 0.1}
        opt.step(np.ones(2))
    assert asked == [0, 1, 2]


@pytest.mark.parametrize("rule", [oc.adam, oc.amsgrad, oc.nadam, oc.adamw, oc.rmsprop, oc.centered_rmsprop, oc.adagrad])
def test_float16_is_computed_as_float32(rule):
    w, wide = np.ones(2, np.float16), np.ones(2, np.float32)
    opt, twin = Optimizer(rule, w, lr=1e-2), Optimizer(rule, wide, lr=1e-2)
    for g in ([0.0, 0.0], [0.5, -2.0]):
        opt.step(np.array(g, np.float16))
        twin.step(np.array(g, np.float32))
    assert w.dtype == np.float16 and np.isfinite(w).all()
    np.testing.assert_allclose(w, wide, atol=2e-3)
    path = descend(rule, None, np.ones(2, np.float16), steps=3, lr=0.1, grad=np.zeros_like)
    assert path.points.dtype == np.float16 and np.isfinite(path.points).all()


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda w: Optimizer(oc.gd, [w, w]), ValueError, "0 and 1 share memory and would step twice"),
        (lambda w: Optimizer(oc.gd, [w, w[1:]]), ValueError, "share memory"),
        (lambda w: Optimizer("adam", w), TypeError, "such as optcore.adam, not 'adam'"),
        (lambda w: Optimizer(oc.gd, w, lr=lambda t: None).step(w), TypeError, "schedule of lr must give a number"),
        (lambda w: Optimizer(oc.gd, w, lr=np.ones(3)).step(w), ValueError, "lr must be one number here, not 3"),
        (
            lambda w: Optimizer(oc.gd, w, overrides={"c": (oc.gd, 0.1)}),
            ValueError,
            "no parameter 'c'; there are: vectors",
        ),
        (lambda w: Optimizer(oc.gd, w, overrides={0: 0.1}), TypeError, r"must be \(rule, lr\) or"),
        (lambda w: Optimizer(oc.gd, w, accumulate=0), ValueError, "accumulate must be a whole number, 1 or more"),
        (lambda w: Optimizer(oc.gd, w).step("up"), TypeError, "gradient of 0 must be numbers"),
        (lambda w: Optimizer(chain(clip_norm, gd), w, max_norm=-1.0), ValueError, r"max_norm must be in \[0, inf\]"),
        (lambda w: Optimizer(oc.muon, w), ValueError, "muon takes matrices and parameter 0 has shape"),
    ],
)
def test_bad_settings_get_one_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call(np.ones(3))
