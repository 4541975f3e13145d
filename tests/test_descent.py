"""`descend` and `Optimizer`: the loop, batches, schedules, noise, divergence, and the sentences for bad input."""

import warnings

import numpy as np
import pytest

from optcore import Optimizer, adam, adamw, bowl, chain, clip_norm, descend, gd, momentum, rosenbrock


def test_gradient_descent_contracts_at_the_classical_rate():
    """Nesterov 2004, Theorem 2.1.15: with lr = 2/(L + μ) the distance shrinks by (κ - 1)/(κ + 1) a step."""
    path = descend(gd, bowl.at(kappa=100.0), [1.0, 1.0], steps=50, lr=2 / 101)
    distance = np.linalg.norm(path.points, axis=-1)
    np.testing.assert_allclose(distance[1:] / distance[:-1], 99 / 101, rtol=1e-12)


def test_the_path_holds_the_start_and_every_point_and_leaves_the_start_alone():
    start = np.array([1.0, 1.0])
    path = descend(gd, bowl, start, steps=3, lr=0.01)
    assert path.points.shape == (4, 2) and path.loss.shape == (4,)
    assert np.array_equal(start, [1.0, 1.0]) and np.array_equal(path[0], start)
    assert len(np.unique(path.points, axis=0)) == 4
    assert np.array_equal(np.asarray(path), path.points) and len(path) == 4


def test_schedules_are_hyper_parameters():
    path = descend(gd, bowl.at(kappa=1.0), [1.0, 0.0], steps=3, lr=lambda t: [0.5, 0.25, 1.0][t])
    np.testing.assert_allclose(path.points[:, 0], [1.0, 0.5, 0.375, 0.0])
    faster = descend(momentum, bowl, [1.0, 0.0], steps=2, lr=0.1, beta=lambda t: 0.5 * t)
    np.testing.assert_allclose(faster.points[:, 0], [1.0, 0.9, 0.9 - 0.1 * (0.9 + 0.5 * 1.0)])


def test_noise_has_a_seed_and_one_stream_for_each_seed():
    run = lambda **k: descend(gd, bowl, [1.0, 1.0], steps=20, lr=0.02, noise=0.5, **k).points
    assert np.array_equal(run(seed=3), run(seed=3)) and not np.array_equal(run(seed=3), run(seed=4))
    both = run(seed=np.array([[3], [4]]))
    assert both.shape == (21, 2, 2)
    assert np.array_equal(both[:, 0], run(seed=3)) and np.array_equal(both[:, 1], run(seed=4))


def test_noise_floor_of_constant_step():
    """On ½x² with unit noise E x² settles at η/(2 - η): cf. Bottou, Curtis & Nocedal 2018, §4.2."""
    path = descend(gd, lambda w: 0.5 * np.sum(w**2, axis=-1), [0.0], steps=400, lr=0.1, noise=1.0,
                   seed=np.arange(500)[:, None])  # fmt: skip
    measured = np.mean(path.points[200:] ** 2)
    assert abs(measured / (0.1 / 1.9) - 1) < 0.05


def test_a_diverging_run_ends_in_inf_or_nan_without_a_warning_and_says_so():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = descend(gd, rosenbrock, [-1.5, 2.0], steps=50, lr=np.array([[0.1], [1e-4]]))
        assert path.loss.shape == (51, 2)
    assert path.diverged.tolist() == [True, False]
    assert path.diverged_at[0] > 0 and path.diverged_at[1] == -1
    assert not np.isfinite(path.final[0]).all()
    alone = descend(gd, rosenbrock, [-1.5, 2.0], steps=50, lr=0.1)
    assert alone.summary() == f"gd: diverged at step {path.diverged_at[0]}"


def test_a_summary_says_when_a_run_arrives_or_where_it_stands():
    """On ½x² with lr = ½ the loss is ½·4⁻ᵏ: below 10⁻⁶ after 10 steps."""
    run = lambda steps, **k: descend(gd, bowl.at(kappa=1.0), [1.0, 0.0], steps=steps, lr=0.5, **k)
    assert run(20).summary() == "gd: 10 steps to 1e-06" and run(20).summary(tol=0.5) == "gd: 0 steps to 0.5"
    assert run(3).summary() == "gd: 3 steps, loss 0.00781"
    assert descend(gd, None, [4.0], steps=1, lr=0.5, grad=lambda w: w).summary() == "gd: 1 steps"
    two = descend(gd, rosenbrock, [-1.5, 2.0], steps=50, lr=np.array([[0.1], [1e-4]]))
    assert two.summary() == "gd: 2 runs, 1 diverged"


def test_steps_to_counts_from_the_start_and_knows_the_minimum():
    path = descend(gd, bowl.at(kappa=1.0), [1.0, 0.0], steps=20, lr=0.5)
    assert path.steps_to(0.5) == 0 and path.steps_to(0.125 + 1e-12) == 1 and path.steps_to(1e-30) == -1
    many = descend(gd, bowl, [1.0, 0.0], steps=20, lr=np.array([[0.01], [0.05]]))
    assert many.steps_to(0.4).shape == (2,)


def test_a_gradient_alone_is_enough_and_loss_then_says_what_is_missing():
    path = descend(gd, None, [4.0, 2.0], steps=1, lr=0.5, grad=lambda w: w)
    assert path.final.tolist() == [2.0, 1.0]
    with pytest.raises(ValueError, match="no loss"):
        _ = path.loss


def test_one_dimension_and_a_function_by_name():
    path = descend(gd, lambda w: w**2 - 2 * w + 1, 2.0, steps=1, lr=0.1)
    np.testing.assert_allclose(path.final, [1.8])
    assert descend(gd, "bowl", [1.0, 0.0], steps=1, lr=1.0).final.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (dict(lr="fast"), TypeError, "lr must be a number, an array or a schedule, not 'fast'"),
        (dict(lr=-0.1), ValueError, r"lr must be in \[0, inf\)"),
        (dict(beta=0.5), TypeError, "adam has no hyper-parameter 'beta'; it has: beta1, beta2, eps"),
        (dict(beta1=1.0), ValueError, r"beta1 must be in \[0, 1\)"),
        (dict(steps=1.5), ValueError, "steps must be a whole number"),
        (dict(f="bowll"), ValueError, "no surface named 'bowll'; there are: bowl"),
        (dict(f=lambda x, y, z: x), TypeError, "a surface takes one point"),
        (dict(f=None), TypeError, "needs a function f, or its gradient"),
        (dict(rule="adam"), TypeError, "The rule must be a function such as optcore.adam"),
        (dict(rule=lambda g: np.ones(3)), ValueError, r"direction of shape \(3,\) for points of shape \(2,\)"),
        (dict(grad=lambda w: np.ones(3)), ValueError, r"gradient has shape \(3,\)"),
    ],
)
def test_bad_input_gets_one_sentence(arguments, error, sentence):
    call = dict(rule=adam, f=bowl, start=[1.0, 1.0], steps=2, lr=0.1) | arguments
    with pytest.raises(error, match=sentence):
        descend(**call)


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
