"""The grammar of rules: what a signature says, chains, the trace, and sentences for what is no rule."""

import pickle
from functools import partial

import numpy as np
import pytest

import optcore as oc
from optcore.rule_spec import name_of, rule_program
from tests.javascript import run_programs


def test_order_in_a_chain_carries_meaning():
    """Zero gradient: decoupled decay shrinks by lr·λ a step; the L2 form takes a full Adam step."""
    flat = dict(grad=np.zeros_like, start=[2.0], steps=1, lr=0.1)
    decoupled = oc.descend(oc.adamw, None, **flat, weight_decay=0.5).final
    coupled = oc.descend(oc.chain(oc.decay, oc.adam), None, **flat, weight_decay=0.5).final
    np.testing.assert_allclose(decoupled, 2.0 * (1 - 0.1 * 0.5))
    np.testing.assert_allclose(coupled, 2.0 - 0.1, rtol=1e-6)


def test_links_keep_states_of_one_name_apart():
    """Three momenta in a row, constant gradient 1, β = ½: each averages what the one before it gives."""
    three = oc.chain(oc.momentum, oc.momentum, oc.momentum)
    assert list(oc.spec(three).state) == ["u", "u_", "u__"]
    path = oc.descend(three, None, [0.0], steps=3, lr=1.0, grad=np.ones_like, beta=0.5)
    assert np.diff(path.points[:, 0]).tolist() == [-1.0, -2.5, -4.0]


def test_a_readers_rule_of_four_lines_works_in_a_chain_and_in_the_page():
    def halving(g, u=0.0, *, beta=0.5):
        u = beta * u + g
        return u, u

    both = oc.chain(oc.clip_norm, halving)
    assert oc.spec(both).hyper == {"max_norm": 1.0, "beta": 0.5}
    assert oc.descend(both, oc.bowl, [-1.0, 1.0], steps=300, lr=0.02).loss[-1] < 1e-3
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
        oc.descend(rule, oc.bowl, [1.0, 1.0], steps=1)


def test_links_that_disagree_about_a_default_say_so():
    def other(g, *, beta=0.5):
        return g * beta

    with pytest.raises(ValueError, match="share 'beta' with different defaults"):
        oc.chain(oc.momentum, other)


def test_a_rule_formula_prints_as_latex():
    step = oc.trace(lambda g, u, *, beta: oc.momentum(g, u, beta=beta)[0], (), (), beta=())
    assert step.latex() == r"\beta \, u + g"


@pytest.mark.parametrize("name", ["adamw", "muon", "lamb", "chained", "partial", "noise", "newton"])
def test_rules_pickle(name):
    made = {
        "chained": oc.chain(oc.clip_norm, oc.adam, name="clipped"),
        "partial": partial(oc.adam, beta1=0.5),
        "noise": oc.gradient_noise(4),
        "newton": oc.newton_rule(oc.rosenbrock),
    }
    rule = made.get(name) or getattr(oc, name)
    again = pickle.loads(pickle.dumps(rule))
    assert oc.spec(again) == oc.spec(rule) and name_of(again) == name_of(rule)
    if not oc.spec(rule).takes_matrices:
        run = lambda r: oc.descend(r, oc.rosenbrock, [-1.2, 1.0], steps=5, lr=1e-3).points
        np.testing.assert_array_equal(run(rule), run(again))


def test_a_state_may_start_from_the_parameters():
    """The running mean of the weights: it starts at the weights, not at 0."""

    def trailing(g, mean="w", *, w, beta=0.9):
        mean = beta * mean + (1 - beta) * w
        return g, mean

    path = oc.descend(trailing, oc.bowl, [4.0, 2.0], steps=3, lr=0.01)
    mean = path.points[0]
    for w in path.points[:3]:
        mean = 0.9 * mean + 0.1 * w
    np.testing.assert_allclose(path.state["mean"], mean, rtol=1e-14)
    # beside a state that starts at 0, the program takes whatever the first step is given for the parameters
    both = rule_program(oc.chain(oc.momentum, trailing))
    inputs = {"g": [1.0, 2.0], "u": [0.0, 0.0], "mean": [7.0, 7.0], "w": [4.0, 2.0]} | {"t": [1.0], "beta": [0.5]}
    rows = np.concatenate([inputs[name] for name, _ in both["inputs"]])[None]
    np.testing.assert_allclose(run_programs([(both, rows)])[0][0][-2:], [4.0, 2.0])
    program = rule_program(trailing)
    assert [name for name, _ in program["inputs"]] == ["g", "mean", "w", "t", "beta"] and program["state0"] == [
        0.0,
        0.0,
    ]
    with pytest.raises(TypeError, match="state 'm' needs its initial value"):
        oc.spec(lambda g, m="g": (g, m))


def test_a_rule_may_branch_on_the_step_and_read_the_rate():
    """The same in the loop, in a batch, and as JavaScript; here a warm-up written into the rule."""

    def careful(g, m=0.0, *, t, lr, beta=0.9):
        m = g if t == 1 else beta * m + (1 - beta) * g
        if t <= 5:
            return m * (t / 5), m
        return m + 0 * lr, m

    batch = oc.descend(careful, oc.bowl, [1.0, 1.0], steps=9, lr=np.array([[0.01], [0.02]]))
    alone = oc.descend(careful, oc.bowl, [1.0, 1.0], steps=9, lr=0.02)
    np.testing.assert_array_equal(batch.points[:, 1], alone.points)
    program = rule_program(careful)
    names = [name for name, _ in program["inputs"]]
    assert names == ["g", "m", "t", "lr", "beta"]
    rows, expected = [], []
    for t in (1, 3, 5, 6):
        rows.append([1.0, 2.0, 0.5, -0.5, t, 0.1, 0.9])
        expected.append(np.concatenate(careful(np.array([1.0, 2.0]), np.array([0.5, -0.5]), t=t, lr=0.1)))
    np.testing.assert_allclose(run_programs([(program, np.array(rows))])[0], expected, rtol=1e-14)
