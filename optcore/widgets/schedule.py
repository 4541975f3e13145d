"""`oc.schedule()`: learning rates against the step, and what runs do under them.

A family of schedules is a function `family(lr, steps, *, knobs…) -> schedule` that traces; the page gets one program
for each, with warm-up and cooldown chained on, so that it computes what `optcore.schedules` computes.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import schedules as s
from ..descent import DIVERGED
from ..rule_spec import name_of, rule_program
from ..rules import gd
from ..support import explains
from ..surfaces import Surface
from ..symbolic import Trace, trace
from .allowed import choice, number, pairs, positive, subset, whole
from .base import Goal, Setting, Widget, between

__all__ = ["FAMILIES", "Schedule", "noisy_quadratic", "product", "schedule"]

#: name -> (label, colour, family)
FAMILIES: dict[str, tuple[str, str, Callable]] = {
    "constant": ("constant", "#0b63b5", lambda lr, steps: s.constant_rate(lr)),
    "step": ("step cuts", "#c2410c", lambda lr, steps, *, gamma=0.1, every=400.0: s.step_decay(lr, every, gamma)),
    "exponential": ("exponential", "#0f766e", lambda lr, steps, *, rate=0.005: s.exponential_decay(lr, rate=rate)),
    "inverse": ("1/t", "#b3125a", lambda lr, steps, *, slowing=0.1: s.inverse_time_decay(lr, slowing)),
    "root": ("1/√t", "#7c3aed", lambda lr, steps, *, slowing=0.1: s.inverse_time_decay(lr, slowing, 0.5)),
    "linear": ("linear", "#8a6100", lambda lr, steps, *, floor=0.0: s.linear_decay(lr, steps, floor * lr)),
    "cosine": ("cosine", "#15803d", lambda lr, steps, *, floor=0.0: s.cosine_decay(lr, steps, floor * lr)),
    "restarts": ("cosine, restarts", "#1e3a8a", lambda lr, steps, *, period=200.0: s.cosine_restarts(lr, period)),
    "cyclic": ("triangles", "#5b6770", lambda lr, steps, *, period=200.0: s.cyclic(lr / 10, lr, period / 2)),
    "one_cycle": ("one cycle", "#a21caf", lambda lr, steps, *, rise=0.3: s.one_cycle(lr, steps, rise)),
}
START = [2.5, 0.3]  # of the runs on the product: a steep place
_DRAWN = ("drawn by you", "#111827")

#: knob -> how its slider looks
_KNOBS: dict[str, dict[str, Any]] = {
    "gamma": {"label": "Factor of a cut γ", "min": 0.05, "max": 0.95, "tip": "Each cut multiplies the rate by γ."},
    "every": {"label": "Steps between cuts", "min": 20, "max": 1000, "int": True, "tip": "After so many steps, a cut."},
    "rate": {
        "label": "Exponential rate", "min": 1e-4, "max": 0.1, "scale": "log",
        "tip": "The r of e^(−rt): the rates add up to η₀/r only, so a large r stops the run short.",
    },
    "slowing": {
        "label": "Slowing of 1/t", "min": 1e-3, "max": 1, "scale": "log",
        "tip": "The k of η₀/(1 + kt): after 1/k steps the rate has halved.",
    },
    "floor": {"label": "Floor, part of η₀", "min": 0, "max": 0.5, "tip": "Where linear and cosine end."},
    "period": {"label": "Period", "min": 20, "max": 500, "int": True, "tip": "Steps from one peak to the next."},
    "rise": {"label": "Rise of one cycle", "min": 0.05, "max": 0.9, "tip": "The part of the steps before the peak."},
}  # fmt: skip


def noisy_quadratic(eta: Any, m: Any, v: Any, *, curvature: Any = 1.0, noise: Any = 1.0) -> dict:
    """Mean m and variance v of x after a step x ← x - η(λx + σξ), ξ ~ N(0, 1): E x² = m² + v, without sampling.

    >>> noisy_quadratic(0.1, 1.0, 0.0)
    {'m': 0.9, 'v': 0.010000000000000002}
    """
    shrink = 1 - eta * curvature
    return {"m": shrink * m, "v": shrink**2 * v + eta**2 * noise**2}


@Surface
def product(w):
    """½(ab - 1)²: the smallest network, y = abx, with sharpness a² + b² along its minima."""
    return (w[..., 0] * w[..., 1] - 1) ** 2 / 2


def _chained(family: Callable) -> Trace:
    """`warmup` steps up, then the family over what is left, its last `cooldown` steps straight down to zero."""
    knobs = [p.name for p in inspect.signature(family).parameters.values() if p.kind is p.KEYWORD_ONLY]

    def rate(t, lr, steps, warmup, cooldown, **values):
        left = steps - warmup
        main, begin = family(lr, left, **values), left - cooldown
        return s.warmup(s.join_schedules(main, s.linear_decay(main(begin), cooldown), at=[begin]), warmup)(t)

    return trace(rate, (), (), (), (), (), **dict.fromkeys(knobs, ()))


def _fixed(fn: Callable) -> Callable:
    """A reader's schedule as a family: its own rates, whatever the sliders say."""
    return lambda lr, steps: fn


class Schedule(Widget):
    """Learning rates of several schedules, and the exact error of a noisy quadratic under each; `schedule` makes it."""

    name = "schedule"
    line = "Move η₀, the warm-up and the cooldown, or draw a schedule of your own: which run ends lowest?"
    shown = Setting("Names of the schedules drawn.")
    focus = Setting("Name of the schedule whose bias² and variance are drawn apart.")
    lr = Setting("η₀, the base learning rate.", positive())
    knots = Setting("The corners [step, rate] of the schedule drawn by hand.", pairs(2, 12))
    model = Setting('What descends: the noisy "quadratic", or the "product".', choice(("quadratic", "product")))
    curvature = Setting("λ of the quadratic.", number(0.01, 10))
    noise = Setting("Standard deviation σ of the noise in its gradient.", number(0, 3))
    start = Setting("Where its run begins.", number(0.1, 10))

    def __init__(self, shown, own, lr, steps, warmup, cooldown, curvature, noise, start, model, knobs):
        families = {**FAMILIES, **{k: (k, c, _fixed(f)) for (k, f), c in zip(own.items(), _OWN_COLORS, strict=False)}}
        self._names = [*families, "drawn"]
        self._traces = {name: _chained(family) for name, (_, _, family) in families.items()}
        defaults = {
            p.name: p.default for _, _, f in families.values() for p in inspect.signature(f).parameters.values()
            if p.kind is p.KEYWORD_ONLY
        }  # fmt: skip
        if unknown := sorted(set(knobs) - set(defaults)):
            raise ValueError(f"There is no knob '{unknown[0]}'; there are: {', '.join(defaults)}.")
        knots = [[0, lr / 10], [steps / 10, lr], [0.6 * steps, lr], [steps, lr / 50]]
        value = {"shown": list(shown), "focus": shown[-1], "model": model, "lr": lr, "steps": steps}
        value |= {"warmup": warmup, "cooldown": cooldown, **defaults, **knobs, "knots": knots}
        value = self.checked({**value, "curvature": curvature, "noise": noise, "start": start})
        noises = np.random.default_rng(0).standard_normal((steps, 2))
        super().__init__(
            spec={
                "title": "Learning-rate schedules",
                "families": [[k, label, color] for k, (label, color, _) in families.items()] + [["drawn", *_DRAWN]],
                "programs": {k: t.program() for k, t in self._traces.items()},
                "knobs": {k: _KNOBS[k] for k in defaults},
                "most": steps,
                "top": 2 * max([lr, *(float(np.max(f(np.arange(steps)))) for f in own.values())]),
                "quadratic": trace(
                    lambda eta, m, v, **kw: noisy_quadratic(eta, m, v, **kw), (), (), (), curvature=(), noise=()
                ).program(),
                "product": product.program(),
                "from": START,
                "gd": rule_program(gd),
                "noise": np.round(1e-3 * noises, 6).ravel(),
            },
            value=value,
            label=f"Schedule({', '.join(shown)})",
            summary=f"Learning rates of the schedules {', '.join(shown)} over {steps} steps, and the error under each.",
        )

    def checked(self, value: dict) -> dict:
        subset(self._names).check("shown", value["shown"])
        choice(self._names).check("focus", value["focus"])
        whole(10, 5000).check("steps", value["steps"])
        for name, knob in _KNOBS.items():
            (whole if "int" in knob else number)(knob["min"], knob["max"]).check(name, value[name])
        for name in ("warmup", "cooldown"):
            whole(0, value["steps"]).check(name, value[name])
        if value["warmup"] + value["cooldown"] > value["steps"]:
            raise ValueError(f"warmup and cooldown must fit into {value['steps']} steps.")
        return super().checked(value)

    def goal(self) -> Goal | None:
        v = self.value
        problem = {key: v[key] for key in ("curvature", "noise", "start")}
        end = lambda knots: float(expected_error(self.rates("drawn", knots=knots), **problem)[2][-1])
        # the third corner pulled down, so that the last steps average more noise away
        at = len(v["knots"]) // 2
        lower = [[t, rate / 10 if k == at else rate] for k, (t, rate) in enumerate(v["knots"])]
        now, best = end(v["knots"]), end(lower)
        if v["model"] != "quadratic" or not 0 < best < 0.7 * now:
            return None
        limit = between(best, now, 0.4)
        return Goal(
            f"Draw a schedule by its corners that ends below {limit:g}, in {v['steps']} steps.",
            [(key, "=", v[key]) for key in ("steps", *problem)] + [("drawn", "<", limit)],
            "yours ends at {drawn}.",
        )

    def rates(self, name: str, **changes: float) -> np.ndarray:
        """The rates (steps,) of a schedule as the widget shows it: what `lr=lambda t: rates[t]` would run with."""
        value = {**self.value, **changes}
        t = np.arange(value["steps"], dtype=float)
        if name == "drawn":
            return np.interp(t, *np.array(sorted(value["knots"], key=lambda knot: knot[0])).T)
        fn = self._traces[name]
        with np.errstate(all="ignore"):
            return fn(t, **{k: value[k] for k in fn.inputs if k != "t"}) + np.zeros_like(t)

    def sharpness(self, name: str) -> np.ndarray:
        """The largest eigenvalue of the Hessian of ½(ab - 1)² along the run (steps + 1,); nan once it has diverged."""
        noise = np.reshape(self.spec["noise"], (-1, 2))
        points = [np.array(START)]
        with np.errstate(all="ignore"):
            for eta, xi in zip(self.rates(name), noise, strict=False):
                points.append(points[-1] - eta * (product.grad(points[-1]) + xi))
            hessians = product.hess(np.array(points))
        fine = np.isfinite(hessians).all(axis=(1, 2)) & (np.abs(points).max(axis=1) < DIVERGED)
        out = np.full(len(points), np.nan)
        out[fine] = np.linalg.eigvalsh(hessians[fine])[:, -1]
        return out

    def still(self):
        """The rates, and the expected squared error of the noisy quadratic or the sharpness of the product."""
        from ..plotting import plt

        figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 2.8))
        names = {name: (label, color) for name, label, color in self.spec["families"]}
        problem, exact = {k: self.value[k] for k in ("curvature", "noise", "start")}, self.value["model"] == "quadratic"
        for name in self.value["shown"]:
            label, color = names[name]
            rates = self.rates(name)
            left.plot(rates, color=color, label=label)
            right.plot(expected_error(rates, **problem)[2] if exact else self.sharpness(name), color=color)
        left.set(xlabel="step", ylabel="learning rate")
        right.set(xlabel="step", ylabel="E x²" if exact else "sharpness", yscale="log")
        left.legend()
        return figure


_OWN_COLORS = ["#9f1239", "#0e7490", "#3f6212", "#6b21a8"]


def expected_error(rates: Any, *, curvature: float = 1.0, noise: float = 1.0, start: float = 1.0) -> tuple:
    """bias², variance and their sum E x² after 0 … T steps with the given rates (T,), by `noisy_quadratic`."""
    m, v, path = start, 0.0, [(start, 0.0)]
    for eta in rates:
        m, v = noisy_quadratic(eta, m, v, curvature=curvature, noise=noise).values()
        path.append((m, v))
    m, v = np.array(path).T
    return m**2, v, m**2 + v


@explains
def schedule(
    shown: Any = ("constant", "exponential", "cosine"),
    *,
    lr: float = 0.1,
    steps: int = 1000,
    warmup: int = 0,
    cooldown: int = 0,
    curvature: float = 1.0,
    noise: float = 1.0,
    start: float = 1.0,
    model: str = "quadratic",
    **knobs: float,
) -> Schedule:
    """Choose, overlay, chain and draw schedules, and watch what a run does under each.

    shown: names out of `FAMILIES`, and "drawn" for the one with corners to drag; schedules of one's own (any
    traceable function of t) stand among them, alone, or in a dict name -> schedule. A warm-up and a linear
    cooldown can be chained to any family. knobs: gamma, every, rate, slowing, floor, period, rise. model:
    "quadratic" draws the exact bias² and variance of x ← x - η(λx + σξ) from `start`; "product" runs gradient
    descent on ½(ab - 1)² from (2.5, 0.3) and draws its sharpness beside 2/η. Read back `.shown`, `.lr`, `.knots`,
    `.value`, `.rates(name)`.

    >>> from optcore.widgets.schedule import schedule
    >>> schedule(["step"], steps=100, every=50).rates("step")[[0, 49, 50]].round(6).tolist()
    [0.1, 0.1, 0.01]
    """
    listed = [shown] if callable(shown) or isinstance(shown, str) else shown
    if not isinstance(listed, (Sequence, dict)) or not listed:
        raise ValueError("shown must list at least one schedule, as in schedule(['constant', 'cosine']).")
    own = listed if isinstance(listed, dict) else {name_of(s): s for s in listed if callable(s)}
    shown = [name_of(s) if callable(s) else s for s in listed]
    positive().check("lr", lr)
    whole(10, 5000).check("steps", steps)
    return Schedule(shown, own, lr, steps, warmup, cooldown, curvature, noise, start, model, knobs)
