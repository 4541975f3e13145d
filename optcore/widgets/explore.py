"""`explore(surface, rules, …)`: rules race down a landscape, computed in the page from their traced code."""

import base64
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import links as _links
from .. import rules as _rules
from ..descent import Path, descend
from ..palette import color_of
from ..rule_spec import name_of, rule_program, spec
from ..second_order import SECOND_ORDER
from ..support import explains, known
from ..surfaces import Surface, surface_named
from ..symbolic import Differentiable, trace
from .allowed import number, subset
from .base import Goal, Setting, Widget, between, titled

__all__ = ["Explore", "explore"]

#: Hyper-parameter -> label, slider scale, range, one sentence. A name that is not here gets its range from its default.
SLIDERS: dict[str, tuple[str, str, float, float, str]] = {
    "lr": ("Learning rate η", "log", 1e-5, 10.0, "Length of a step for each unit of direction."),
    "beta": ("Momentum β", "beta", 0.0, 0.999, "Share of the last velocity that each step keeps."),
    "beta1": ("β₁", "beta", 0.0, 0.999, "Memory of the running mean of gradients, about 1/(1 − β₁) steps."),
    "beta2": ("β₂", "beta", 0.0, 0.9999, "Memory of the running mean of squared gradients, about 1/(1 − β₂) steps."),
    "rho": ("ρ", "beta", 0.0, 0.9999, "Memory of the running mean of squared gradients, about 1/(1 − ρ) steps."),
    "eps": ("ε", "log", 1e-12, 10.0, "Added to the denominator, so that it cannot vanish."),
    "weight_decay": ("Weight decay λ", "log0", 1e-5, 1.0, "Pull of every weight towards zero."),
    "max_norm": ("Clipping threshold", "log", 1e-2, 1e3, "Longer gradients are shortened to this length."),
    "bits": ("Significant bits", "linear", 2, 24, "How finely numbers are kept: 8 bits are bfloat16's, 24 float32's."),
    "damping": ("Damping", "log0", 1e-4, 1e3, "Added to the curvature: large values turn the step towards −g."),
}
_SURFACE_SLIDERS = {
    "kappa": ("Condition number κ", "How many times the largest curvature is the smallest."),
    "angle": ("Rotation (degrees)", "Turns the landscape about its middle, against the clock."),
}
_WHOLE = {"bits"}  # hyper-parameters that take whole numbers
_LEAST_STEPS = 500  # what the slider offers at least


# ------------------------------------------------------------------------------------------------- what was asked for


def named_rules() -> dict[str, Callable]:
    """Name -> rule: what takes a gradient `g` among optcore's links and rules."""
    functions = {name: getattr(module, name) for module in (_links, _rules) for name in module.__all__}
    return {name: f for name, f in functions.items() if next(iter(inspect.signature(f).parameters)) == "g"}


def labelled(rules: Any, named: Callable[[str], Callable], who: str) -> dict[str, Callable]:
    """Label -> rule, from a name, a function, several of them, or a dict that gives the labels; `named` finds a name's
    rule, `who` needs them.
    """
    if isinstance(rules, str) or callable(rules):
        rules = [rules]
    pairs = rules.items() if isinstance(rules, Mapping) else [(None, rule) for rule in rules]
    found: dict[str, Callable] = {}
    for label, rule in pairs:
        rule = named(rule) if isinstance(rule, str) else rule
        if not callable(rule):
            raise TypeError(f"A rule is a function such as optcore.adam, or its name, not {rule!r}.")
        found[label or name_of(rule)] = rule
    if not found:
        raise ValueError(f"{who} needs at least one rule.")
    return found


def _on(surface: Surface) -> Callable[[str], Callable]:
    """Name -> rule: those of second order are made for the surface."""

    def named(name: str) -> Callable:
        plain = named_rules()
        rule = known("rule", name, plain | SECOND_ORDER)
        return rule if name in plain else rule(surface)

    return named


def _as_surface(surface: Any) -> Surface:
    if isinstance(surface, str):
        return surface_named(surface)
    if isinstance(surface, Surface):
        return surface
    if not callable(surface):
        raise TypeError(f"The surface is a Surface, its name, or a function of one point, not {surface!r}.")
    made = Surface(surface.fn if isinstance(surface, Differentiable) else surface)
    try:
        made.traced(2)
    except IndexError:
        raise ValueError(
            f"{made.__name__} reads more coordinates than a point in the plane has; explore draws functions of two."
        ) from None
    return made


def _point(start: Any) -> list[float]:
    try:
        point = np.asarray(start, float)
    except (TypeError, ValueError):
        point = np.empty(0)
    if point.shape != (2,) or not np.all(np.isfinite(point)):
        raise ValueError(f"start must be a point [x, y]; it was {start!r}.")
    return point.tolist()


def _whole(steps: Any) -> int:
    if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or steps < 1:
        raise ValueError(f"steps must be a whole number, 1 or more; it was {steps!r}.")
    return int(steps)


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise TypeError(f"{name} must be a number, not {value!r}.")
    return float(value)


# -------------------------------------------------------------------------------------------------- what the page needs


def _range(value: float) -> tuple[str, float, float]:
    """Scale and range for a parameter of which only a value is known."""
    return ("linear", 0.0, 2 * value) if value > 0 else ("linear", value - 1, value + 1)


def _slider(key: str, name: str, value: float, label: str = "", limits: tuple[float, float] | None = None) -> dict:
    """A hyper-parameter's slider, wide enough for its value; `label` names the rule that has it for itself."""
    words, scale, low, high, tip = SLIDERS.get(name, (name, *_range(value), f"Hyper-parameter {name}."))
    low, high = limits or (low, high)
    low = min(low, value) if value > 0 or scale in ("linear", "beta") else low
    own = f", {label}" if label else ""
    whole = {"int": True} if name in _WHOLE else {}
    return {"key": key, "label": words + own, "scale": scale, "min": low, "max": max(high, value), "tip": tip} | whole


def _surface_slider(name: str, value: float, ranges: Mapping) -> dict:
    low, high, scale = ranges[name] if name in ranges else _range(value)[1:] + _range(value)[:1]
    label, tip = _SURFACE_SLIDERS.get(name, (f"Surface: {name}", f"Parameter {name} of the surface."))
    key = f"surface.{name}"
    return {"key": key, "label": label, "scale": scale, "min": min(low, value), "max": max(high, value), "tip": tip}


def _is_quadratic(surface: Surface) -> bool:
    (x0, x1), (y0, y1) = surface.domain
    hess = surface.hess(np.random.default_rng(0).uniform((x0, y0), (x1, y1), (5, 2)))
    return bool(np.all(np.isfinite(hess)) and np.allclose(hess, hess[0], rtol=1e-9, atol=1e-12))


def _draws(seed: int, steps: int) -> str:
    """The normal draws that `descend` takes for this seed, to the seven digits of float32, base64."""
    draws = np.random.default_rng(int(seed)).standard_normal((steps, 2))
    return base64.b64encode(draws.astype("<f4").tobytes()).decode()


def _keys(rules: Mapping[str, Callable], surface: Surface, given: Mapping) -> dict[str, dict[str, str]]:
    """Label -> hyper-parameter -> key of its setting.

    Rules share a hyper-parameter of the same name, unless it was given by label, or not given and their defaults
    differ. One that is named like a parameter of the surface follows that parameter.
    """
    known = ["lr", *dict.fromkeys(name for rule in rules.values() for name in spec(rule).hyper)]
    for name, value in given.items():
        if name not in known:
            raise TypeError(f"No rule here has a hyper-parameter '{name}'; they have: {', '.join(known)}.")
        if isinstance(value, Mapping) and (wrong := [label for label in value if label not in rules]):
            raise ValueError(f"{name} names '{wrong[0]}'; the rules are: {', '.join(rules)}.")
        if callable(value):
            raise TypeError(f"{name} must be a number; schedules of the learning rate go into schedules={{…}}.")

    def key(label, name):
        if name in surface.params:
            return f"surface.{name}"
        defaults = {hyper[name] for hyper in (spec(rule).hyper for rule in rules.values()) if name in hyper}
        own = isinstance(given[name], Mapping) if name in given else len(defaults) > 1
        return f"{label}.{name}" if own else name

    return {label: {name: key(label, name) for name in ("lr", *spec(rule).hyper)} for label, rule in rules.items()}


class Explore(Widget):
    """Rules racing down a surface; `explore` makes it and says what its settings are."""

    name = "explore"
    line = "Drag the start, move the learning rate, press Play: which rule gets there, and how soon?"
    start = Setting("The point [x, y] from which every rule starts.")
    steps = Setting("Number of steps.")
    noise = Setting("Standard deviation of the normal noise added to each gradient.")
    schedule = Setting("Name of the schedule that multiplies the learning rate.")
    on = Setting("Labels of the rules that run.")

    def __init__(
        self,
        surface: Any,
        rules: Any,
        steps: int,
        lr: float | Mapping[str, float],
        *,
        start: Sequence[float] | None = None,
        noise: float | None = 0.0,
        seed: int = 0,
        schedules: Mapping[str, Callable] | None = None,
        phase: tuple[str, str] | None = None,
        ranges: Mapping[str, tuple[float, float]] | None = None,
        **hyper: Any,
    ):
        self._surface = surface = _as_surface(surface)
        self._ranges = dict(ranges or {})
        self._rules = labelled(rules, _on(surface), "explore")
        self._schedules, self._seed = dict(schedules or {}), seed
        self._keys = _keys(self._rules, surface, {"lr": lr, **hyper})
        for name, limits in self._ranges.items():
            if not any(name in keys for keys in self._keys.values()):
                raise TypeError(f"ranges names '{name}', which no rule here has.")
            if not 0 < limits[0] < limits[1]:
                raise ValueError(f"The range of {name} must be (low, high) with 0 < low < high, not {limits!r}.")
        most = max(_LEAST_STEPS, _whole(steps))
        value: dict[str, Any] = {
            "start": _point(surface.start if start is None else start), "steps": int(steps), "step": None,
            "on": list(self._rules), "curve": "loss", "noise": _number("noise", noise or 0.0),
        }  # fmt: skip
        if self._schedules:
            value["schedule"] = next(iter(self._schedules))
        value |= {f"surface.{name}": number for name, number in surface.params.items()}
        sliders = self._sliders({"lr": lr, **hyper})
        value |= {key: number for key, (_, number) in sliders.items()}
        shown = [slider for slider, _ in sliders.values()]
        self.tall = self._heights(shown, phase is not None)
        names = ", ".join(self._rules)
        raced = [
            {
                "label": label, "name": name_of(rule), "color": color_of(name_of(rule), k),
                "hyper": self._keys[label], "program": rule_program(rule),
            }
            for k, (label, rule) in enumerate(self._rules.items())
        ]  # fmt: skip
        self._run(1, value)  # further faults of rules and numbers are named here, in descend's words
        super().__init__(
            spec={
                "title": f"Descent explorer: {surface.__name__.replace('_', ' ')}",
                "surface": {
                    "name": titled(surface.__name__),
                    "program": surface.program(), "domain": surface.domain, "minima": surface.minima,
                    "quadratic": _is_quadratic(surface), "params": list(surface.params),
                },
                "rules": raced,
                "sliders": shown,
                "surfaceSliders": [_surface_slider(k, v, surface.ranges) for k, v in surface.params.items()],
                "steps": most,
                "noise": None if noise is None else _draws(seed, most),
                "schedules": {k: trace(lambda t, s=s: s(t), t=()).program() for k, s in self._schedules.items()},
                "phase": self._phase(phase, sliders),
            },
            value=value,
            label=f"Explore({surface.__name__}; {names})",
            summary=f"Contours of {surface.__name__} with the paths of {names} from {tuple(value['start'])}.",
        )  # fmt: skip

    # -- building
    def _sliders(self, given: Mapping) -> dict[str, tuple[dict, float]]:
        """Key -> (slider, first value) of every hyper-parameter that the surface does not set."""
        made = {}
        for label, rule in self._rules.items():
            defaults = {"lr": 0.01} | spec(rule).hyper
            for name, key in self._keys[label].items():
                if key not in made and not key.startswith("surface."):
                    value = given.get(name, defaults[name])
                    number = _number(name, value.get(label, defaults[name]) if isinstance(value, Mapping) else value)
                    made[key] = _slider(key, name, number, label if key != name else "", self._ranges.get(name)), number
        return made

    def _phase(self, phase: tuple[str, str] | None, sliders: Mapping) -> dict | None:
        if phase is None:
            return None
        label, name = phase
        if name not in self._keys.get(label, {}) or name == "lr":
            raise ValueError("phase is a pair (label of a rule, its hyper-parameter), as in ('momentum', 'beta').")
        x, y = (sliders[self._keys[label][axis]][0] for axis in ("lr", name))
        return {"rule": list(self._rules).index(label), "name": name, "x": x, "y": y}

    def _heights(self, sliders: list[dict], phase: bool) -> tuple[str, str]:
        # rates have marks, and with them a row each on a phone
        rates = min(3, len([s for s in sliders if s["key"].split(".")[-1] == "lr"]))
        lines = len(self._rules) + 3 * phase
        narrow = 24.1 + 3.3 * (rates + (4 - rates) // 2) + 1.7 * lines
        return (
            f"calc({53 + 45 * phase}cqi + {24.1 + lines / 2:.1f}rem)",
            f"calc({162 + 83 * phase}cqi + {narrow:.1f}rem)",
        )

    # -- settings
    def checked(self, value: dict) -> dict:
        subset(self._rules).check("on", value["on"])
        if _whole(value["steps"]) > self.spec["steps"]:
            raise ValueError(f"steps must be at most {self.spec['steps']}; it was {value['steps']}.")
        if value.get("schedule") not in (None, *self._schedules):
            raise ValueError(f"There is no schedule '{value['schedule']}'; there are: {', '.join(self._schedules)}.")
        _point(value["start"])
        number(0).check("noise", value["noise"])
        self._run(steps=1, value=value)
        return value

    @property
    def hyper(self) -> dict[str, float]:
        """Every hyper-parameter by the key of its slider; `w.hyper = {"beta": 0.5}` changes some."""
        return {slider["key"]: self.value[slider["key"]] for slider in self.spec["sliders"]}

    @hyper.setter
    def hyper(self, changes: Mapping[str, float]) -> None:
        if unknown := [key for key in changes if key not in self.hyper]:
            raise TypeError(f"There is no slider '{unknown[0]}'; there are: {', '.join(self.hyper)}.")
        self.value = self.checked({**self.value, **changes})

    @property
    def lr(self) -> float | dict[str, float]:
        """The learning rate, or one for each label when the rules have their own."""
        own = {label: self.value[keys["lr"]] for label, keys in self._keys.items()}
        return self.value["lr"] if "lr" in self.value else own

    @lr.setter
    def lr(self, lr: float | Mapping[str, float]) -> None:
        self.hyper = {f"{label}.lr": v for label, v in lr.items()} if isinstance(lr, Mapping) else {"lr": lr}

    @property
    def path(self) -> dict[str, Path]:
        """Label -> path of every rule that is on, by `optcore.descend` with the present settings."""
        return self._run()

    def _run(self, steps: int | None = None, value: dict | None = None) -> dict[str, Path]:
        value = self.value if value is None else value
        surface = self._surface.at(**{k: value[f"surface.{k}"] for k in self._surface.params})
        paths = {}
        for label in value["on"]:
            hyper = {name: value[key] for name, key in self._keys[label].items()}
            if self._schedules:
                rate, schedule = _number("lr", hyper["lr"]), self._schedules[value["schedule"]]
                hyper["lr"] = lambda t, rate=rate, schedule=schedule: rate * schedule(t)
            options = {"steps": steps or value["steps"], "noise": value["noise"], "seed": self._seed}
            paths[label] = descend(self._rules[label], surface, value["start"], **options, **hyper)
        return paths

    # -- the goal
    def goal(self) -> Goal | None:
        """The last rule that some other learning rate brings much sooner, or much lower, than the one it has."""
        v = self.value
        if self._schedules:
            return None
        known, noise = bool(self.spec["surface"]["minima"]), v["noise"]
        lowest = self._surface.lowest if known else 0.0
        for label in reversed(self._rules):
            key = self._keys[label]["lr"]
            low, high = (next(s for s in self.spec["sliders"] if s["key"] == key)[k] for k in ("min", "max"))
            rates = np.append(np.geomspace(max(low, v[key] / 30), min(high, 30 * v[key]), 40), v[key])[:, None]
            others = {name: v[k] for name, k in self._keys[label].items() if not k.startswith("surface.")}
            with np.errstate(all="ignore"):
                given = {**others, "lr": rates, "noise": noise, "seed": self._seed}
                run = descend(self._rules[label], self._surface, v["start"], v["steps"], **given)
                first, ends = run.steps_to(1e-6, lowest), np.where(run.diverged, np.inf, run.loss[-1] - lowest)
            first = np.where(run.diverged | (first < 0), v["steps"] + 1, first)
            most = int(np.sqrt(first.min() * first[-1]))
            kept = [
                ("start", "=", v["start"]),
                *((f"surface.{k}", "=", v[f"surface.{k}"]) for k in self._surface.params),
            ]
            if known and not noise and first.min() + 1 < most:
                return Goal(
                    f"Bring {label}'s loss within 1e-6 of its lowest value in {most} steps, from this start.",
                    [(f"{label}.first", "<", most + 1), *kept],
                    f"{label} is there after {{{label}.first}} steps.",
                )
            if 0 < ends.min() < 0.3 * ends[-1] and lowest == 0:
                limit = between(ends.min(), min(ends[-1], self._surface(np.array(v["start"]))))
                return Goal(
                    f"Let {label} end below {limit:g} after {v['steps']} steps, from this start.",
                    [(f"{label}.loss", "<", limit), ("steps", "<", v["steps"] + 1), *kept],
                    f"{label} ends at {{{label}.loss}}.",
                )
        return None

    # -- without scripts
    def still(self):
        from .. import plotting

        figure, ax = plotting.plt.subplots(figsize=(4.8, 3.8))
        params = {k: self.value[f"surface.{k}"] for k in self._surface.params}
        plotting.draw_path(self.path, plotting.draw_landscape(self._surface, ax, **params), marker="")
        return figure


@explains
def explore(
    surface: Any,
    rules: Any = ("gd", "momentum", "adam"),
    steps: int = 200,
    lr: float | Mapping[str, float] = 0.01,
    **options: Any,
) -> Explore:
    """The descent explorer: landscape, paths, curves, and a slider for every hyper-parameter of the rules.

    surface: a Surface, its name, or any traceable function of one point `(…, 2)`.
    rules: names (those of optcore.rules; "newton", "bfgs", "lbfgs"), functions of the form that optcore.rules
    describes, or a dict label -> either. lr, and hyper-parameters as keywords: a number that all rules share, or a
    dict label -> number. start: (2,). noise: standard deviation of gradient noise (None: no slider, a smaller page);
    seed: its draws. schedules: name -> schedule that multiplies lr, chosen in the page. phase: (label,
    hyper-parameter) adds a map of where that rule ends, over its learning rate and that hyper-parameter. ranges:
    hyper-parameter -> (low, high), the ends of its slider.

    In a live kernel `w.lr`, `w.hyper`, `w.start`, `w.steps`, `w.noise`, `w.schedule` and `w.on` read and set what the
    page shows, and `w.path` is a dict label -> `Path`. Raises TypeError or ValueError, in one sentence, for what
    cannot be run.

    >>> explore("rosenbrock", lr={"gd": 1e-3, "momentum": 1e-3, "adam": 0.05})
    Explore(rosenbrock; gd, momentum, adam)
    """
    return Explore(surface, rules, steps, lr, **options)
