"""`descend` and `Optimizer`: the loop, batches, schedules, noise, divergence, and the sentences for bad input."""

import warnings
from functools import partial

import numpy as np
import pytest

from optcore import adam, adamw, bowl, chain, clip_norm, descend, gd, momentum, monkey_saddle, muon, rosenbrock


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
        (dict(rule="adam"), TypeError, "A rule is a function such as optcore.adam"),
        (dict(rule=lambda g: np.ones(3)), ValueError, r"direction of shape \(3,\) for points of shape \(2,\)"),
        (dict(grad=lambda w: np.ones(3)), ValueError, r"gradient has shape \(3,\)"),
    ],
)
def test_bad_input_gets_one_sentence(arguments, error, sentence):
    call = dict(rule=adam, f=bowl, start=[1.0, 1.0], steps=2, lr=0.1) | arguments
    with pytest.raises(error, match=sentence):
        descend(**call)


# ------------------------------------------------------------------------------------- never a silent wrong number


def test_where_no_minimum_is_known_nothing_is_reached():
    """A loss that may be negative has no 0 to count from."""
    path = descend(gd, lambda w: np.sum(w**2, axis=-1) - 5, [1.0, 1.0], lr=0.1, steps=100)
    assert path.summary() == "gd: 100 steps, loss -5"
    assert path.summary(lowest=-5.0) == "gd: 33 steps to 1e-06"  # 2·0.64³³ < 1e-6
    with pytest.raises(ValueError, match="lowest value of this function is not known"):
        path.steps_to(1e-6)
    assert "steps to" not in descend(gd, monkey_saddle, [1.0, 0.001], steps=60, lr=0.05).summary()


@pytest.mark.parametrize("f", [lambda x: x[0] ** 2 + x[1] ** 2, lambda x: np.sum(x**2), lambda x: x @ x, bowl])
@pytest.mark.parametrize("steps", [1, 2, 4])
def test_the_loss_is_the_same_whether_the_gradient_is_given_or_traced(f, steps):
    slope = bowl.grad if f is bowl else lambda x: 2 * x
    given = descend(gd, f, [1.0, 3.0], grad=slope, steps=steps, lr=0.01)
    traced = descend(gd, f, [1.0, 3.0], steps=steps, lr=0.01)
    assert given.loss.shape == traced.loss.shape == (steps + 1,)
    np.testing.assert_allclose(given.loss, traced.loss, rtol=1e-12)


def test_a_gradient_may_write_into_its_argument_and_fill_one_array():
    buffer = np.empty(2)

    def careless(x):
        x -= x.mean()
        buffer[:] = 2 * x
        return buffer

    path = descend(momentum, None, [1.0, 3.0], grad=careless, steps=3, lr=0.1)
    clean = descend(momentum, None, [1.0, 3.0], grad=lambda x: 2 * (x - x.mean()), steps=3, lr=0.1)
    assert path.points[0].tolist() == [1.0, 3.0]
    np.testing.assert_allclose(path.points, clean.points, rtol=1e-14)

    def keeps(g, *, w):
        w *= 0
        return g

    assert descend(keeps, bowl, [1.0, 3.0], steps=1, lr=0.0).points[0].tolist() == [1.0, 3.0]


A = np.array([[2.0, 1.0], [0.0, 1.0]])


@pytest.mark.parametrize(
    "grad", [lambda x: A @ x, lambda x: x / np.linalg.norm(x), lambda x: 2 * x, lambda x: np.stack([x[1], x[0]])]
)
@pytest.mark.parametrize("runs", [1, 2, 3])
def test_runs_of_a_batch_are_those_made_alone_whatever_the_gradient(grad, runs):
    rates = np.linspace(0.1, 0.3, runs)
    batch = descend(momentum, None, [1.0, 3.0], grad=grad, steps=5, lr=rates[:, None])
    for k, rate in enumerate(rates):
        alone = descend(momentum, None, [1.0, 3.0], grad=grad, steps=5, lr=rate)
        np.testing.assert_allclose(batch.points[:, k], alone.points, rtol=1e-13)


def test_gradients_that_come_one_by_one_are_not_lost_to_the_comparison():
    rows = np.random.default_rng(0).normal(size=(9, 2))
    given = iter(rows)
    path = descend(
        gd, None, [0.0, 0.0], steps=5, lr=np.array([[0.1], [0.2]]), grad=lambda w: next(given) + np.zeros((2, 2))
    )
    np.testing.assert_allclose(path.final[0], -0.1 * rows[:5].sum(axis=0))


def test_a_random_gradient_stays_one():
    rng = np.random.default_rng(0)
    path = descend(gd, None, [0.0, 0.0], steps=50, lr=np.full((3, 1), 0.1), grad=lambda w: w + rng.normal(size=w.shape))
    assert len(np.unique(path.final)) == 6


def test_a_rule_that_mixes_the_runs_of_a_batch_is_refused():
    unit = lambda g: g / np.linalg.norm(g)
    with pytest.raises(ValueError, match="mixes the runs of a batch.*axis=-1 and keepdims=True"):
        descend(unit, bowl, [1.0, 3.0], steps=2, lr=np.array([[0.1], [0.2]]))
    with pytest.raises(ValueError, match="mixes the runs of a batch"):
        descend(unit, bowl, [[1.0, 3.0], [2.0, 1.0]], steps=2, lr=0.1)
    descend(unit, bowl, [1.0, 3.0], steps=2, lr=0.1)


def test_a_run_cut_in_two_is_the_run_in_one():
    for rule in (adamw, momentum, chain(clip_norm, adam)):
        settings = dict(lr=lambda t: 0.01 / (1 + t), noise=lambda t: 0.1 * t, seed=np.array([[1], [2]]))
        whole = descend(rule, rosenbrock, [-1.5, 2.0], steps=20, **settings)
        first = descend(rule, rosenbrock, [-1.5, 2.0], steps=13, **settings)
        rest = descend(rule, rosenbrock, first, steps=7, **settings)
        np.testing.assert_array_equal(rest.points, whole.points[13:])
        assert rest.t == 20 and rest.steps == 7
        for name, array in whole.state.items():
            np.testing.assert_array_equal(rest.state[name], array)
    with pytest.raises(ValueError, match="made by chain|made by clip_norm_adam, not by gd"):
        descend(gd, rosenbrock, rest)


def test_a_stopping_rule_ends_the_run_and_a_callback_does_not():
    seen = []
    path = descend(gd, bowl, [1.0, 1.0], steps=500, lr=0.05, stop=lambda w, g: np.linalg.norm(g) < 1e-3)
    assert 50 < path.steps < 500 and np.linalg.norm(bowl.grad(path.final)) < 1e-3 <= np.linalg.norm(bowl.grad(path[-2]))
    assert descend(gd, bowl, [1.0, 1.0], steps=7, stop=lambda w, g: seen.append((w, g))).steps == 7 == len(seen)
    both = descend(
        gd, bowl, [[1.0, 1.0], [0.1, 0.1]], steps=500, lr=0.05, stop=lambda w, g: np.abs(w).max(axis=-1) < 0.01
    )
    assert (np.abs(both.final) < 0.01).all() and not (np.abs(both.points[-2]) < 0.01).all()


class Signs:
    """A rule that is an object."""

    def __call__(self, g):
        return np.sign(g)


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (dict(lr=np.logspace(-4, -1, 50)), ValueError, r"lr has shape \(50,\).*lr\[:, None\]"),
        (dict(lr=np.ones(2)), ValueError, r"lr\[:, None\]"),
        (
            dict(lr=lambda t: None),
            TypeError,
            "schedule of lr must give a number for every step; at step 0 it gave None",
        ),
        (dict(lr=lambda t: np.nan), TypeError, "at step 0 it gave nan"),
        (dict(rule=muon), ValueError, r"muon takes matrices: start must be of shape \(…, m, n\); it was \(2,\)"),
        (dict(start=[1.0, 1.0, 1.0]), ValueError, r"bowl takes points \(x, y\).*it was given \(3,\)"),
        (dict(start=[]), ValueError, "start must be a point of finite numbers"),
        (dict(start=[np.nan, 1.0]), ValueError, "start must be a point of finite numbers"),
        (dict(start="here"), TypeError, "start must be numbers; it was 'here'"),
        (
            dict(start=[[1.0, 2.0]] * 3, lr=np.ones((2, 1))),
            ValueError,
            r"batch axes do not fit together: start \(3,\), lr \(2,\)",
        ),
        (dict(seed=-1), ValueError, "seed must be a whole number"),
        (dict(steps="many"), ValueError, "steps must be a whole number"),
        (dict(steps=10**15), ValueError, "does not fit into memory"),
        (dict(f=5), TypeError, "function of one point is needed"),
        (dict(rule=chain(partial(clip_norm, max_norm=-1.0), gd)), ValueError, r"max_norm must be in \[0, inf\]"),
    ],
)
def test_more_bad_input_gets_one_sentence(arguments, error, sentence):
    call = dict(rule=adam, f=bowl, start=[1.0, 1.0], steps=2, lr=0.1) | arguments
    with pytest.raises(error, match=sentence):
        descend(**call)


def test_whole_floats_and_objects_will_do():
    assert descend(Signs(), bowl, [1.0, 1.0], steps=1e1, lr=0.01).summary().startswith("Signs: 10 steps")


def test_a_function_of_many_points_is_called_for_all_at_once():
    """Twice for the ends, to see that it is one, and once for the path."""
    asked = []

    def f(w):
        asked.append(w.shape)
        return np.sum(w**2, axis=-1)

    path = descend(gd, f, [3.0, 1.0], 5, 0.1, grad=lambda w: 2 * w)
    np.testing.assert_allclose(path.loss, np.sum(path.points**2, axis=-1))
    assert asked.count((6, 2)) == 1 and len(asked) == 3


def test_noise_is_that_of_seed_0_unless_another_is_asked_for():
    run = lambda **seed: descend(gd, bowl, [1.0, 1.0], 5, 0.1, noise=0.5, **seed).final
    np.testing.assert_array_equal(run(), run(seed=0))
    assert (run() != run(seed=1)).all()
