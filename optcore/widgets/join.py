"""`join(state, rules, surface)`: an explorer that a page has stored, with rules and a landscape of the reader's in it.

The page knows no more of its explorer than the state it was stored with: programs, sliders, settings. What joins it is
described as `explore` describes it, and refused in the same words.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..palette import SPARE_COLORS
from ..rule_spec import spec
from ..second_order import SECOND_ORDER
from ..surfaces import Surface
from .base import plain, revived
from .explore import Explore, named_rules

__all__ = ["join"]

_PLAIN = Surface(lambda w: np.sum(w**2, axis=-1), name="plain")  # on which rules are tried


def join(
    state: Mapping[str, dict], rules: Mapping[str, Callable] | None = None, surface: Surface | None = None
) -> tuple[dict[str, dict], list[str], list[str]]:
    """The state {"spec", "value"} with what joins it, the labels of the rules that joined, and of those that rest.

    rules: label -> rule; each gets sliders of its own, but follows a parameter of the landscape that is named like one
    of its hyper-parameters. surface: a landscape in place of the stored one. Rules that were made for that one rest:
    "newton", "bfgs" and "lbfgs" are made again, and what reads w and is none of optcore's rules may hold its gradient.
    Raises TypeError or ValueError, in one sentence, for what cannot be run.
    """
    spec_, value = dict(revived(state["spec"])), dict(revived(state["value"]))
    rests = _move(spec_, value, surface) if surface is not None else []
    joined = _add(spec_, value, rules) if rules else []
    used = {key for rule in spec_["rules"] for key in rule["hyper"].values()}
    spec_["sliders"] = [slider for slider in spec_["sliders"] if slider["key"] in used]
    spec_["summary"] = f"{spec_['title']}, with the paths of {', '.join(value['on'])}."
    return {"spec": plain(spec_), "value": plain(value)}, joined, rests


def _move(spec_: dict, value: dict, surface: Surface) -> list[str]:
    """Put another landscape in, and give the labels of the rules that rest on it."""
    own = Explore(surface, "gd", 1, 1e-9, noise=None)
    for name in ("surface", "surfaceSliders", "title"):
        spec_[name] = own.spec[name]
    spec_["goal"] = None  # it spoke of the other landscape
    for key in [key for key in value if key.startswith("surface.")]:
        del value[key]
    value |= {key: v for key, v in own.value.items() if key.startswith("surface.") or key == "start"}
    kept, before = [], spec_["rules"]
    for rule in before:
        hyper = {name: key for name, key in rule["hyper"].items() if not key.startswith("surface.")}
        if rule["label"] in SECOND_ORDER:
            again = Explore(surface, rule["label"], 1, 1e-9, noise=None).spec["rules"][0]
            kept.append({**rule, "program": again["program"], "hyper": again["hyper"] | hyper})
        elif rule["label"] in named_rules() or "w" not in dict(rule["program"]["inputs"]):
            kept.append({**rule, "hyper": hyper})
    labels = [rule["label"] for rule in kept]
    if phase := spec_["phase"]:
        label = before[phase["rule"]]["label"]
        moved = label in labels and phase["name"] in kept[labels.index(label)]["hyper"]
        spec_["phase"] = {**phase, "rule": labels.index(label)} if moved else None
    spec_["rules"] = kept
    value["on"] = [label for label in value["on"] if label in labels]
    return [rule["label"] for rule in before if rule["label"] not in labels]


def _add(spec_: dict, value: dict, rules: Mapping[str, Callable]) -> list[str]:
    """Put rules in, with sliders of their own, and give the labels that they have there."""
    taken = {rule["label"] for rule in spec_["rules"]}
    rules = {f"{label} (yours)" if label in taken else label: rule for label, rule in rules.items()}
    given: dict[str, Any] = {"lr": dict.fromkeys(rules, _careful_rate(spec_, value))}
    for label, rule in rules.items():
        for name, default in spec(rule).hyper.items():
            given.setdefault(name, {})[label] = default
    own = Explore(_PLAIN, rules, 1, noise=None, **given)
    colors = [color for color in SPARE_COLORS if color not in {rule["color"] for rule in spec_["rules"]}]
    for k, rule in enumerate(own.spec["rules"]):
        follow = {name: f"surface.{name}" for name in rule["hyper"] if f"surface.{name}" in value}
        color = (colors or SPARE_COLORS)[k % len(colors or SPARE_COLORS)]
        spec_["rules"] = [*spec_["rules"], {**rule, "hyper": rule["hyper"] | follow, "color": color}]
    spec_["sliders"] = [*spec_["sliders"], *own.spec["sliders"]]
    value |= own.hyper
    value["on"] = [*value["on"], *rules]
    return list(rules)


def _careful_rate(spec_: dict, value: dict) -> float:
    """The smallest learning rate of the rules that are there: with it, few rules leave the picture at once."""
    return min((value[rule["hyper"]["lr"]] for rule in spec_["rules"]), default=0.01)
