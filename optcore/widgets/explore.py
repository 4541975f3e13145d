"""`explore(surface, rules, …)`: rules race down a landscape, computed in the page from their traced code."""

import base64
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import rules as _rules
from ..descent import Path, descend
from ..palette import color_of
from ..rules import name_of, rule_program, spec
from ..surfaces import SURFACES, Surface
from ..symbolic import Differentiable, trace
from .base import Setting, Widget

__all__ = ["Explore", "explore"]

#: Hyper-parameter -> label, slider scale, range, one sentence. A name that is not here gets its range from its default.
SLIDERS: dict[str, tuple[str, str, float, float, str]] = {
    "lr": ("Learning rate η", "log", 1e-5, 10.0, "Length of a step for each unit of direction."),
    "beta": ("Momentum β", "beta", 0.0, 0.999, "Share of the last velocity that each step keeps."),
    "beta1": ("β₁", "beta", 0.0, 0.999, "Memory of the running mean of gradients, about 1/(1 − β₁) steps."),
    "beta2": ("β₂", "beta", 0.0, 0.9999, "Memory of the running mean of squared gradients, about 1/(1 − β₂) steps."),
    "rho": ("ρ", "beta", 0.0, 0.9999, "Memory of the running mean of squared gradients, about 1/(1 − ρ) steps."),
    "eps": ("ε", "log", 1e-12, 1.0, "Added to the denominator, so that it cannot vanish."),
    "weight_decay": ("Weight decay λ", "log0", 1e-5, 1.0, "Pull of every weight towards zero."),
    "max_norm": ("Clipping threshold", "log", 1e-2, 1e3, "Longer gradients are shortened to this length."),
    "damping": ("Damping", "log0", 1e-4, 1e3, "Added to the curvature: large values turn the step towards the gradient."),
}
_GREEK = {"kappa": "Condition number κ", "angle": "Rotation (degrees)"}
_LEAST_STEPS = 500  # what the slider offers at least


def _rule_names() -> list[str]:
    """The names in optcore.rules that are rules: functions of a gradient."""
    functions = {name: getattr(_rules, name) for name in _rules.__all__ if name.islower()}
    takes = {name: [*inspect.signature(f).parameters] for name, f in functions.items() if callable(f)}
    return [name for name, parameters in takes.items() if parameters[:1] == ["g"]]


def _labelled(rules: Any) -> dict[str, Callable]:
    """Label -> rule, from a name, a function, several of them, or a dict that gives the labels."""
    if isinstance(rules, str) or callable(rules):
        rules = [rules]
    pairs = rules.items() if isinstance(rules, Mapping) else [(r if isinstance(r, str) else None, r) for r in rules]
    found: dict[str, Callable] = {}
    for label, rule in pairs:
        if isinstance(rule, str):
            if rule not in _rule_names():
                raise ValueError(f"There is no rule named '{rule}'; there are: {', '.join(_rule_names())}.")
            rule = getattr(_rules, rule)
        if not callable(rule):
            raise TypeError(f"A rule is a function such as optcore.adam, or its name, not {rule!r}.")
        found[label or name_of(rule)] = rule
    if not found:
        raise ValueError("explore needs at least one rule.")
    return found


def _as_surface(surface: Any) -> Surface:
    if isinstance(surface, str):
        if surface not in SURFACES:
            raise ValueError(f"There is no surface named '{surface}'; there are: {', '.join(SURFACES)}.")
        return SURFACES[surface]
    if isinstance(surface, Surface):
        return surface
    if not callable(surface):
        raise TypeError(f"The surface is a Surface, its name, or a function of one point, not {surface!r}.")
    made = Surface(surface.fn if isinstance(surface, Differentiable) else surface)
    try:
        made.traces(2)
    except IndexError:
        raise ValueError(
            f"{made.__name__} reads more coordinates than a point in the plane has; explore draws functions of two."
        ) from None
    return made


def _slider(key: str, name: str, value: float, suffix: str = "") -> dict:
    """What the page needs to draw the slider of a hyper-parameter, wide enough for its value."""
    generic = (name, "linear", *((0.0, 2 * value) if value > 0 else (2 * value - 1, 1.0)), f"Hyper-parameter {name}.")
    label, scale, low, high, tip = SLIDERS.get(name, generic)
    low = low if value <= 0 and scale.startswith("log") else min(low, value)
    return {"key": key, "label": label + suffix, "scale": scale, "min": low, "max": max(high, value), "tip": tip}


def _surface_slider(name: str, default: float, ranges: Mapping) -> dict:
    low, high, scale = ranges.get(name) or ((0.0, 2 * default, "linear") if default > 0 else (default - 1, 1.0, "linear"))
    tip = f"Parameter {name} of the surface."
    return {
        "key": f"surface.{name}", "label": _GREEK.get(name, f"Surface: {name}"), "scale": scale,
        "min": min(low, default), "max": max(high, default), "tip": tip,
    }  # fmt: skip


def _is_quadratic(surface: Surface) -> bool:
    (x0, x1), (y0, y1) = surface.domain
    points = np.random.default_rng(0).uniform((x0, y0), (x1, y1), (5, 2))
    hess = surface.hess(points)
    return bool(np.all(np.isfinite(hess)) and np.allclose(hess, hess[0], rtol=1e-9, atol=1e-12))


class Explore(Widget):
    """Rules racing down a surface. Settings: start, steps, noise, on (labels shown); lr and hyper, below; path."""

    name = "explore"
    start = Setting("The point [x, y] from which every rule starts.")
    steps = Setting("Number of steps.")
    noise = Setting("Standard deviation of the normal noise added to each gradient.")
    schedule = Setting("Name of the schedule that multiplies the learning rate.")
    on = Setting("Labels of the rules that run.")

    def __init__(
        self,
        surface: Any,
        rules: Any = ("gd", "momentum", "adam"),
        steps: int = 200,
        lr: float | Mapping[str, float] = 0.01,
        *,
        start: Sequence[float] | None = None,
        noise: float | None = 0.0,
        seed: int = 0,
        schedules: Mapping[str, Callable] | None = None,
        phase: tuple[str, str] | None = None,
        **hyper: Any,
    ):
        self._surface, self._rules, self._seed = _as_surface(surface), _labelled(rules), seed
        self._schedules = dict(schedules or {})
        surface = self._surface
        start = [float(v) for v in (surface.start if start is None else start)]
        if len(start) != 2:
            raise ValueError(f"start must be a point [x, y]; it was {start}.")
        given = {"lr": lr, **hyper}
        value: dict[str, Any] = {"start": start, "steps": steps, "on": list(self._rules), "step": None, "curve": "loss"}
        value |= {"noise": noise or 0.0} | ({"schedule": next(iter(schedules))} if schedules else {})
        value |= {f"surface.{k}": v for k, v in surface.params.items()}
        self._keys = self._hyper_keys(given)
        for label, keys in self._keys.items():
            for name, key in keys.items():
                value[key] = _value_of(given, name, label, spec(self._rules[label]).hyper)
        sliders = self._sliders(value)
        most = max(_LEAST_STEPS, int(steps))
        shown = [
            {"label": label, "color": color_of(name_of(rule), k), "hyper": self._keys[label], "program": rule_program(rule)}
            for k, (label, rule) in enumerate(self._rules.items())
        ]
        what = f"{surface.__name__}; {', '.join(self._rules)}"
        super().__init__(
            spec={
                "title": f"Descent explorer: {surface.__name__.replace('_', ' ')}",
                "surface": {
                    "program": surface.program(), "domain": surface.domain, "minima": surface.minima,
                    "quadratic": _is_quadratic(surface), "params": list(surface.params),
                },
                "rules": shown,
                "sliders": sliders,
                "surfaceSliders": [_surface_slider(k, v, surface.ranges) for k, v in surface.params.items()],
                "steps": most,
                "noise": None if noise is None else _draws(seed, most),
                "schedules": {k: trace(_named_t(s), t=()).program() for k, s in self._schedules.items()},
                "phase": self._phase(phase, sliders),
            },
            value=value,
            label=f"Explore({what})",
            summary=f"Contours of {surface.__name__} with the paths of {', '.join(self._rules)} from ({start[0]:g}, {start[1]:g}).",
        )
        rates = len({keys["lr"] for keys in self._keys.values()})
        main, rest = rates + len(surface.params) + bool(schedules) + (noise is not None) + 2, len(sliders) - rates
        rows = lambda columns: -(-main // columns) - (-rest // columns)
        self.tall = tuple(
            f"calc({plots}cqi + {16.5 + 3.3 * rows(columns) + (4 if phase else 0):.1f}rem)"
            for plots, columns in ((100 if phase else 53, 3), (245 if phase else 162, 2))
        )
        self._run(steps=1)  # every fault of a rule or a number is named here, in descend's words

    # -- building
    def _hyper_keys(self, given: Mapping) -> dict[str, dict[str, str]]:
        """Rule label -> hyper-parameter -> key of its setting: shared between rules, unless given by label."""
        known = {"lr": None} | {name: None for rule in self._rules.values() for name in spec(rule).hyper}
        for name, v in given.items():
            if name not in known:
                raise TypeError(f"No rule here has a hyper-parameter '{name}'; they have: {', '.join(known)}.")
            if isinstance(v, Mapping) and (wrong := [label for label in v if label not in self._rules]):
                raise ValueError(f"{name} names '{wrong[0]}'; the rules are: {', '.join(self._rules)}.")
            if callable(v):
                raise TypeError(f"{name} must be a number; give schedules of the learning rate as schedules={{name: …}}.")
        own = {name for name, v in given.items() if isinstance(v, Mapping)}
        return {
            label: {name: f"{label}.{name}" if name in own else name for name in ("lr", *spec(rule).hyper)}
            for label, rule in self._rules.items()
        }

    def _sliders(self, value: Mapping) -> list[dict]:
        made: dict[str, dict] = {}
        for label, keys in self._keys.items():
            for name, key in keys.items():
                number = value[key]
                if isinstance(number, bool) or not isinstance(number, (int, float, np.number)):
                    raise TypeError(f"{name} must be a number, not {number!r}.")
                made.setdefault(key, _slider(key, name, float(number), f", {label}" if key != name else ""))
        return list(made.values())

    def _phase(self, phase: tuple[str, str] | None, sliders: list[dict]) -> dict | None:
        if phase is None:
            return None
        label, name = phase
        if label not in self._rules or name not in spec(self._rules[label]).hyper:
            raise ValueError("phase is a pair (label of a rule, one of its hyper-parameters), as in ('momentum', 'beta').")
        by_key = {s["key"]: s for s in sliders}
        keys = self._keys[label]
        return {"rule": list(self._rules).index(label), "name": name, "x": by_key[keys["lr"]], "y": by_key[keys[name]]}

    # -- settings
    def checked(self, value: dict) -> dict:
        if unknown := [label for label in value["on"] if label not in self._rules]:
            raise ValueError(f"There is no rule '{unknown[0]}' here; there are: {', '.join(self._rules)}.")
        if not (isinstance(value["steps"], int) and 0 < value["steps"] <= self.spec["steps"]):
            raise ValueError(f"steps must be a whole number from 1 to {self.spec['steps']}; it was {value['steps']!r}.")
        if "schedule" in value and value["schedule"] not in self._schedules:
            raise ValueError(f"There is no schedule '{value['schedule']}'; there are: {', '.join(self._schedules)}.")
        self._run(steps=1, value=value)
        return value

    @property
    def hyper(self) -> dict[str, float]:
        """Every hyper-parameter by the key of its slider; assign `w.hyper = {"beta": 0.5}` to change some."""
        keys = {key: None for keys in self._keys.values() for key in keys.values()}
        return {key: self.value[key] for key in keys}

    @hyper.setter
    def hyper(self, changes: Mapping[str, float]) -> None:
        if unknown := [key for key in changes if key not in self.hyper]:
            raise TypeError(f"There is no slider '{unknown[0]}'; there are: {', '.join(self.hyper)}.")
        self.value = self.checked({**self.value, **changes})

    @property
    def lr(self) -> float | dict[str, float]:
        """The learning rate, or one for each label when they differ."""
        rates = {label: self.value[keys["lr"]] for label, keys in self._keys.items()}
        return self.value["lr"] if "lr" in self.value else rates

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
            settings = {name: value[key] for name, key in self._keys[label].items()}
            if "schedule" in value and isinstance(settings["lr"], (int, float)):
                settings["lr"] = _scaled(self._schedules[value["schedule"]], settings["lr"])
            paths[label] = descend(
                self._rules[label], surface, value["start"], value["steps"] if steps is None else steps,
                noise=value["noise"], seed=self._seed, **settings,
            )  # fmt: skip
        return paths

    # -- without scripts
    def still(self):
        import matplotlib.pyplot as plt

        surface = self._surface
        (x0, x1), (y0, y1) = surface.domain
        xs, ys = np.linspace(x0, x1, 120), np.linspace(y0, y1, 120)
        z = surface(np.stack(np.meshgrid(xs, ys), axis=-1))
        base = surface.lowest if len(surface.minima) else np.median(z)
        scale = np.quantile(np.abs(z - base), 0.03) or 1.0
        fig, ax = plt.subplots(figsize=(5, 4), layout="constrained")
        ax.contourf(xs, ys, np.arcsinh((z - base) / scale), 16, cmap="Blues_r", alpha=0.6)
        for k, (label, path) in enumerate(self.path.items()):
            ax.plot(*path.points.T, color=color_of(name_of(self._rules[label]), k), label=label)
        ax.set(xlim=(x0, x1), ylim=(y0, y1), title=surface.__name__)
        ax.legend()
        plt.close(fig)
        return fig


def _value_of(given: Mapping, name: str, label: str, defaults: Mapping[str, float]) -> Any:
    v = given.get(name, defaults.get(name))
    return v.get(label, defaults.get(name, 0.01)) if isinstance(v, Mapping) else v


def _draws(seed: int, steps: int) -> str:
    """The normal draws that `descend` takes for this seed, float64, base64."""
    draws = np.random.default_rng(int(seed)).standard_normal((steps, 2))
    return base64.b64encode(draws.astype("<f8").tobytes()).decode()


def _named_t(schedule: Callable) -> Callable:
    return lambda t: schedule(t)


def _scaled(schedule: Callable, lr: float) -> Callable:
    return lambda t: lr * schedule(t)


def explore(surface: Any, rules: Any = ("gd", "momentum", "adam"), steps: int = 200, lr: Any = 0.01, **options: Any) -> Explore:
    """The descent explorer: landscape, paths, loss curves, and a slider for every hyper-parameter.

    surface: a Surface, its name, or any traceable function of one point `(…, 2)`.
    rules: names, functions of the form that optcore.rules describes, or a dict label -> either.
    lr and hyper-parameters (as keywords): a number that all rules share, or a dict label -> number.
    start: (2,). noise: standard deviation of gradient noise (None: no slider); seed: its draws.
    schedules: name -> schedule that multiplies lr, chosen in the page. phase: (label, hyper-parameter) adds a map of
    the final loss over learning rate × that hyper-parameter.

    In a live kernel `w.lr`, `w.hyper`, `w.start`, `w.steps`, `w.noise`, `w.on` read and set what the page shows, and
    `w.path` gives each rule's `Path`. Raises TypeError or ValueError, in one sentence, for what cannot be run.

    >>> explore("rosenbrock", lr={"gd": 1e-3, "momentum": 1e-3, "adam": 0.05})
    Explore(rosenbrock; gd, momentum, adam)
    """
    return Explore(surface, rules, steps, lr, **options)
