"""What the page's Python makes of a rule and a landscape that a reader writes: a new state, or one sentence."""

import json

import numpy as np
import pytest

import optcore as oc
from book.live.own import said
from optcore.widgets.base import to_json

HEAVY = "def heavy(g, m=0.0, *, beta=0.8):\n    m = beta*m + g\n    return m, m"
RIDGE = "domain = (-3, 1), (0, 2)\ndef ridge(x, y, *, k=4.0):\n    return x**2 + k*y**2"


def ask(rule="", landscape="", explorer=("bowl", "gd")):
    w = oc.explore(*explorer)
    state = json.loads(to_json({"spec": w.spec, "value": w.value}))
    return json.loads(repr(said(json.dumps([state, {"rule": rule, "landscape": landscape}]))))


def labels(answer):
    return [rule["label"] for rule in answer["state"]["spec"]["rules"]]


def test_rules_join_under_the_names_that_the_reader_gave_them():
    answer = ask(HEAVY)
    assert answer["joined"] == ["heavy"] and labels(answer) == ["gd", "heavy"] and answer["rests"] == []
    helper = "def half(x):\n    return x/2\ndef a(g):\n    return half(g)\nb = oc.chain(oc.clip_norm, a)\n"
    assert ask(helper)["joined"] == ["a", "b"], "what takes g"
    assert ask("from optcore import lion")["joined"] == ["lion"]
    assert ask("def mine(grad):\n    return grad")["joined"] == ["mine"]


def test_a_landscape_takes_x_and_y_or_one_point_and_its_numbers_get_sliders():
    answer = ask(landscape=RIDGE)
    spec, value = answer["state"]["spec"], answer["state"]["value"]
    assert spec["surface"]["domain"] == [[-3, 1], [0, 2]] and value["start"] == [0, 1.5] and value["surface.k"] == 4
    assert [s["key"] for s in spec["surfaceSliders"]] == ["surface.k"]
    one = ask(landscape="def f(w, *, k=4.0):\n    x, y = w\n    return x**2 + k*y**2")
    assert one["state"]["spec"]["surface"]["program"]["js"] == spec["surface"]["program"]["js"]
    loss = "X = np.linspace(-1, 1, 9)\ndef mse(w, b):\n    return np.mean((w*X + b - np.tanh(2*X))**2)"
    assert ask(landscape=loss)["state"]["spec"]["title"] == "Descent explorer: mse"
    assert ask(landscape="from optcore import himmelblau")["state"]["spec"]["surface"]["domain"] == [[-5, 5], [-5, 5]]


def test_both_together():
    answer = ask("def follow(g, *, k=1.0):\n    return k*g", RIDGE, ("rosenbrock", ["gd", "newton"]))
    assert labels(answer) == ["gd", "newton", "follow"]
    hyper = {rule["label"]: rule["hyper"] for rule in answer["state"]["spec"]["rules"]}
    assert hyper["follow"]["k"] == hyper["newton"]["k"] == "surface.k"


BAD = {  # code of a rule -> line, words of the sentence
    "def r(g):\n    if g > 0:\n        return g\n    return -g": (2, "Line 2 (if g > 0:): an if"),
    "def r(g, m=0.0):\n    return g": (None, "r must return d, m: the direction and each new state."),
    "def r(g):\n    return np.stack([g[0], g[1], g[0]])": (None, "r returned 'd' of shape (3,)"),
    "def r(g)\n    return g": (1, "Python cannot read line 1: expected ':'."),
    "def r(g):\n    return 2*grad": (2, "Your code stops in line 2, `return 2*grad`, with NameError"),
    "def r(g, m):\n    return g, m": (None, "state 'm' needs its initial value"),
    "def r(g, *, beta):\n    return beta*g": (None, "'beta' needs a default value"),
    "def r(g):\n    g[0] = 0\n    return g": (2, "writing into an array"),
    "def r(g, *, beta=1.5):\n    return beta*g": (None, "beta must be in [0, 1)"),
    "def r(*g):\n    return g": (None, "takes *args"),
    "def r():\n    return 1": (None, "needs the gradient as its first argument"),
    "def r(g):\n    g": (None, "r must return d"),
    "x = 3": (None, "There is no rule here"),
    "1/0": (1, "ZeroDivisionError"),
}


@pytest.mark.parametrize("code", BAD)
def test_a_rule_that_cannot_run_gets_one_sentence(code):
    line, words = BAD[code]
    answer = ask(code)
    assert answer["kind"] == "rule" and words in answer["text"] and answer.get("line") == line, answer
    assert "\n" not in answer["text"] and answer["text"].endswith(".")


BAD_LANDSCAPES = {
    "def f(x, y, z):\n    return x": "def f(x, y, *, k=1.0).",
    "def f(x, y, a=1.0):\n    return x": "def f(x, y, *, k=1.0).",
    "def f(x, y, *, a):\n    return x": "'a' needs a number to start from",
    "def f(x, y):\n    return np.stack([x, y])": "f must return one number for a point; it returned 2.",
    "def f(x, y):\n    x*y": "needs a return statement",
    "def f(x, y):\n    return np.fft.fft(x)": "cannot be traced",
    "def f(x, y):\n    return np.log(x - 9)": "f is nan at (1, 1), where the paths start; change the domain.",
    "domain = 3\ndef f(x, y):\n    return x": "domain must be a pair for each",
    "domain = (1, 0), (0, 1)\ndef f(x, y):\n    return x": "domain must be a pair for each",
    "domain = 'wide'\ndef f(x, y):\n    return x": "domain must be a pair for each",
    "def f(w):\n    return w[2]": "index 2 is out of bounds",
    "pass": "There is no landscape here",
}


@pytest.mark.parametrize("code", BAD_LANDSCAPES)
def test_a_landscape_that_cannot_be_drawn_gets_one_sentence(code):
    answer = ask(HEAVY, code)
    assert answer["kind"] == "landscape" and BAD_LANDSCAPES[code] in answer["text"] and "\n" not in answer["text"], (
        answer
    )


def test_the_rule_that_joins_is_the_one_that_was_written():
    space = {}
    exec(HEAVY, space)
    state = ask(HEAVY)["state"]
    own, direct = state["spec"]["rules"][1]["program"], oc.explore("bowl", space["heavy"]).spec["rules"][0]["program"]
    assert own == json.loads(to_json(direct)) and np.isfinite(state["value"]["heavy.lr"])
