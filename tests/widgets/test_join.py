"""A stored explorer takes in rules and a landscape of the reader's: as `explore` would have made it with them."""

import json

import numpy as np
import pytest

import optcore as oc
from optcore.widgets.base import to_json
from optcore.widgets.join import join

from .controls import live, words


def heavy(g, m=0.0, *, beta=0.8, kick=1.0):
    m = beta * m + g
    return kick * m, m


def pulled(g, *, w, kappa=3.0):
    return g + kappa * w


def one_value(g, m=0.0):
    return g


def three_numbers(g):
    return np.stack([g[..., 0], g[..., 0], g[..., 1]], axis=-1)


def stored(*arguments, **options):
    """The state as a page holds it."""
    w = oc.explore(*arguments, **options)
    return json.loads(to_json({"spec": w.spec, "value": w.value}))


def widget_of(state):
    """A widget that shows a state, for a page."""
    w = oc.explore("bowl", noise=None)
    w.spec, w.value = state["spec"], state["value"]
    return w


def test_a_rule_joins_with_sliders_of_its_own(open_page):
    state = stored("rosenbrock", ["gd", "momentum"], steps=50, lr={"gd": 1e-3, "momentum": 2e-4})
    new, joined, rests = join(state, {"heavy": heavy})
    assert (joined, rests) == (["heavy"], [])
    assert [r["label"] for r in new["spec"]["rules"]] == new["value"]["on"] == ["gd", "momentum", "heavy"]
    assert new["spec"]["rules"][2]["hyper"] == {"lr": "heavy.lr", "beta": "heavy.beta", "kick": "heavy.kick"}
    assert new["value"]["heavy.beta"] == 0.8 and new["value"]["heavy.lr"] == 2e-4, "the smallest rate there is"
    assert new["value"]["beta"] == 0.9 and len({r["color"] for r in new["spec"]["rules"]}) == 3
    labels = {s["key"]: s["label"] for s in new["spec"]["sliders"]}
    assert labels["heavy.beta"] == "Momentum β, heavy" and list(labels)[-3:] == [
        f"heavy.{k}" for k in ("lr", "beta", "kick")
    ]
    expected = oc.descend(heavy, oc.rosenbrock, state["value"]["start"], 50, lr=2e-4)
    assert f"heavy: loss {expected.loss[-1]:.4g}" in words(open_page(body=live(widget_of(new))))


def test_a_rule_named_like_one_that_is_there_gets_another_label():
    new, joined, _ = join(stored("bowl", ["gd", "adam"]), {"adam": oc.lion, "b": oc.gd})
    assert joined == ["adam (yours)", "b"] and new["value"]["on"] == ["gd", "adam", "adam (yours)", "b"]


def test_a_hyper_parameter_named_like_one_of_the_landscape_follows_it():
    new, _, _ = join(stored("bowl", "gd"), {"pulled": pulled})
    assert new["spec"]["rules"][1]["hyper"] == {"lr": "pulled.lr", "kappa": "surface.kappa"}
    assert "pulled.kappa" not in {s["key"] for s in new["spec"]["sliders"]}


@oc.Surface
def ridge(w, *, k=4.0):
    return w[..., 0] ** 2 + k * np.sin(w[..., 1]) ** 2


def test_another_landscape_takes_the_place_of_the_stored_one(open_page):
    state = stored("rosenbrock", {"gd": "gd", "newton": "newton", "pulled": pulled}, steps=30, lr=0.05)
    new, _, rests = join(state, surface=ridge)
    assert new["spec"]["goal"] is None
    assert rests == ["pulled"] and new["value"]["on"] == ["gd", "newton"]
    assert new["value"]["surface.k"] == 4.0 and "surface.a" not in new["value"]
    assert [s["key"] for s in new["spec"]["surfaceSliders"]] == ["surface.k"]
    said = words(open_page(body=live(widget_of(new))))
    for label, rule in {"gd": oc.gd, "newton": oc.newton_rule(ridge)}.items():
        path = oc.descend(rule, ridge, new["value"]["start"], 30, lr=0.05)
        assert f"{label}: loss {path.loss[-1]:.4g}" in said.replace("−", "-")


def test_rules_that_need_nothing_of_the_landscape_move_with_it():
    rules = {"gd": "gd", "decayed": oc.chain(oc.gd, oc.decay), "adamw": "adamw", "heavy": heavy}
    new, _, rests = join(stored("rosenbrock", rules), surface=ridge)
    assert rests == ["decayed"] and [rule["label"] for rule in new["spec"]["rules"]] == ["gd", "adamw", "heavy"]


def test_a_map_of_where_a_rule_ends_stays_with_its_rule():
    state = stored("bowl", {"pulled": pulled, "momentum": "momentum"}, phase=("momentum", "beta"))
    assert join(state, surface=ridge)[0]["spec"]["phase"]["rule"] == 0
    state = stored("bowl", {"gd": "gd", "own": heavy}, phase=("own", "beta"))
    assert join(state, {"pulled": pulled})[0]["spec"]["phase"]["rule"] == 1


def test_what_was_stored_is_not_changed_and_bad_rules_are_named():
    state = stored("bowl", "gd")
    before = json.dumps(state)
    join(state, {"heavy": heavy}, ridge)
    assert json.dumps(state) == before
    for rule, sentence in {one_value: "must return d, m", three_numbers: "of shape"}.items():
        with pytest.raises(TypeError, match=sentence):
            join(state, {"mine": rule})
