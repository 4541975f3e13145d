"""One table of rules × generic tests: a new rule gets them all by being listed once in RULES."""

import numpy as np
import pytest

from optcore import (
    adam,
    adamw,
    apply,
    bowl,
    chain,
    clip_norm,
    decay,
    descend,
    gd,
    momentum,
    nesterov,
    rosenbrock,
    rule_program,
    spec,
    trace,
)
from tests.javascript import run_programs

#: rule -> (learning rate on the bowl with κ = 20, on Rosenbrock, on the sum of absolute-value-like wells)
RULES = {
    gd: (0.05, 1e-3, 0.1),
    momentum: (0.02, 3e-4, 0.05),
    nesterov: (0.02, 3e-4, 0.05),
    adam: (0.05, 0.02, 0.05),
    adamw: (0.05, 0.02, 0.05),
    chain(clip_norm, momentum, name="clipped_momentum"): (0.02, 1e-3, 0.05),
    chain(decay, adam, name="adam_l2"): (0.05, 0.02, 0.05),
}
names = [rule.__name__ for rule in RULES]
every_rule = pytest.mark.parametrize("rule", RULES, ids=names)


def wells(w):
    """Smooth, separable, not quadratic: Σ ln cosh wᵢ, with gradient tanh wᵢ."""
    return np.sum(np.log(np.exp(w) + np.exp(-w)) - np.log(2.0), axis=-1)


def test_the_table_is_not_empty():
    assert len(RULES) >= 7 and len(set(names)) == len(names)


@every_rule
@pytest.mark.parametrize(
    ("problem", "f", "start", "steps", "factor"),
    [(0, bowl, [-2.5, 1.5], 1500, 1e-3), (1, rosenbrock, [-1.2, 1.0], 4000, 2e-2), (2, wells, [2.0, -3.0], 1500, 1e-3)],
    ids=["bowl", "rosenbrock", "wells"],
)
def test_converges(rule, problem, f, start, steps, factor):
    path = descend(rule, f, start, steps=steps, lr=RULES[rule][problem])
    assert path.loss[-1] < factor * path.loss[0]
    assert not path.diverged


@every_rule
def test_a_batch_equals_the_single_runs_bit_for_bit(rule):
    rates = np.logspace(-3, -1.5, 7)
    starts = np.array([[-1.2, 1.0], [0.5, 2.0], [1.5, -0.5]])
    hyper = {k: np.linspace(v * 0.9, v, 7)[:, None, None] for k, v in spec(rule).hyper.items()}
    batch = descend(rule, rosenbrock, starts, steps=60, lr=rates[:, None, None], **hyper)
    assert batch.points.shape == (61, 7, 3, 2)
    for i in range(7):
        for j in range(3):
            one = descend(
                rule, rosenbrock, starts[j], steps=60, lr=rates[i], **{k: v[i, 0, 0] for k, v in hyper.items()}
            )
            assert np.array_equal(one.points, batch.points[:, i, j], equal_nan=True)


@every_rule
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(rule, dtype):
    path = descend(rule, bowl, np.array([1.0, 1.0], dtype), steps=5, lr=0.01)
    assert path.points.dtype == dtype and path.loss.dtype == dtype


@every_rule
def test_is_pure_and_deterministic(rule):
    rng = np.random.default_rng(0)
    g, w = rng.normal(size=(2, 4, 3))
    state = [np.abs(rng.normal(size=(4, 3))) for _ in spec(rule).state]
    before = [a.copy() for a in (g, w, *state)]
    keywords = {"w": w, "t": 3}
    first = apply(rule, g, state, keywords)
    second = apply(rule, g, state, keywords)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(before, (g, w, *state), strict=True))


@every_rule
def test_is_finite_at_zero_gradient_and_keeps_shapes(rule):
    g = np.zeros((5, 3))
    state = [np.full_like(g, v) for v in spec(rule).state.values()]
    results = apply(rule, g, state, {"w": np.ones((5, 3)), "t": 1})
    assert len(results) == 1 + len(state)
    for r in results:
        assert np.isfinite(r).all() and np.broadcast_shapes(np.shape(r), g.shape) == g.shape


def test_javascript_of_every_rule_agrees_with_numpy():
    rng = np.random.default_rng(3)
    special = [0.0, 1.0, np.inf, -np.inf, np.nan, 1e200]
    jobs, expected = [], []
    for rule in RULES:
        program = rule_program(rule)
        names = [n for n, _ in program["inputs"]]
        rows = []
        for k in range(40):
            values = {n: rng.normal(size=shape) for n, shape in program["inputs"]}
            for n in spec(rule).state:
                values[n] = np.abs(values[n])
            if k < len(special):
                values["g"] = np.array([special[k], 0.5])
            values |= {h["name"]: np.array(h["default"]) for h in program["hyper"]}
            values |= {"t": np.array(float(k + 1))} if "t" in names else {}
            rows.append(values)
        jobs.append((program, np.array([np.concatenate([v.ravel() for v in map(r.get, names)]) for r in rows])))
        direct = []
        for r in rows:
            with np.errstate(all="ignore"):
                results = apply(rule, r["g"], [r[n] for n in spec(rule).state], r)
            direct.append(np.concatenate([np.broadcast_to(x, 2) for x in results]))
        expected.append(np.array(direct))
    assert len(jobs) == len(RULES)
    for rule, e, got in zip(RULES, expected, run_programs(jobs), strict=True):
        np.testing.assert_allclose(got, e, rtol=1e-12, atol=1e-300, err_msg=rule.__name__)


def test_adam_is_algorithm_1():
    """Three steps by hand: Kingma & Ba 2015, Algorithm 1, on gradients 1, -2, 3."""
    m = v = x = 0.0
    state = [np.zeros(1), np.zeros(1)]
    w = np.zeros(1)
    for t, g in enumerate([1.0, -2.0, 3.0], start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        x -= 0.1 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8)
        d, *state = adam(np.array([g]), *state, t=t)
        w = w - 0.1 * d
        np.testing.assert_allclose(w, x, rtol=1e-13)


def test_order_in_a_chain_carries_meaning():
    """Zero gradient: decoupled decay shrinks by lr·λ a step; the L2 form takes a full Adam step."""
    flat = dict(grad=np.zeros_like, start=[2.0], steps=1, lr=0.1)
    decoupled = descend(adamw, None, **flat, weight_decay=0.5).final
    coupled = descend(chain(decay, adam), None, **flat, weight_decay=0.5).final
    np.testing.assert_allclose(decoupled, 2.0 * (1 - 0.1 * 0.5))
    np.testing.assert_allclose(coupled, 2.0 - 0.1, rtol=1e-6)


def test_a_readers_rule_of_four_lines_works_in_a_chain_and_in_the_page():
    def halving(g, u=0.0, *, beta=0.5):
        u = beta * u + g
        return u, u

    both = chain(clip_norm, halving)
    assert spec(both).hyper == {"max_norm": 1.0, "beta": 0.5}
    assert descend(both, bowl, [-1.0, 1.0], steps=300, lr=0.02).loss[-1] < 1e-3
    assert [n for n, _ in rule_program(both)["inputs"]] == ["g", "u", "max_norm", "beta"]


def no_default(g, m, *, beta=0.9):
    return g, m


def swallows(g, **rest):
    return g


def forgets_state(g, m=0.0):
    return g


def no_hyper_default(g, *, beta):
    return g


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (no_default, "state 'm' needs its initial value"),
        (swallows, "takes \\*args or \\*\\*kwargs"),
        (no_hyper_default, "hyper-parameter 'beta' needs a default"),
        (forgets_state, "must return d, m"),
    ],
)
def test_a_rule_that_is_none_gets_one_sentence(rule, sentence):
    with pytest.raises(TypeError, match=sentence):
        descend(rule, bowl, [1.0, 1.0], steps=1)


def test_links_that_disagree_about_a_default_say_so():
    def other(g, *, beta=0.5):
        return g * beta

    with pytest.raises(ValueError, match="share 'beta' with different defaults"):
        chain(momentum, other)


def test_a_rule_formula_prints_as_latex():
    step = trace(lambda g, u, *, beta: momentum(g, u, beta=beta)[0], (), (), beta=())
    assert step.latex() == r"\beta \, u + g"
