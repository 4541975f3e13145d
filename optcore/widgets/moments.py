"""`oc.moments()`: one coordinate's gradients, what adaptive rules remember of them, and the steps that follow."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..descent import descend
from ..palette import color_of
from ..rule_spec import name_of, rule_program, spec
from ..rules import adagrad, adam, rmsprop
from ..support import explains
from .allowed import choice, positive, series, subset, whole
from .base import Goal, Setting, Widget
from .explore import SLIDERS, named_rules

__all__ = ["SIGNALS", "Moments", "moments", "uncorrected_adam"]


def uncorrected_adam(g, m=0.0, v=0.0, *, beta1=0.9, beta2=0.999, eps=1e-8):
    """Adam without bias correction: `d = m/(√v + ε)`, too long at first by (1-β₁ᵗ)/√(1-β₂ᵗ).

    >>> uncorrected_adam(np.array([5.0]))[0].round(4)
    array([3.1623])
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return m / (np.sqrt(v) + eps), m, v


_LABELS = {"adam": "Adam", "uncorrected_adam": "uncorrected Adam", "rmsprop": "RMSProp", "adagrad": "AdaGrad"}
_COLORS = {"uncorrected_adam": "#c2410c"}
_DEFAULT = (adam, uncorrected_adam, rmsprop, adagrad)
_SHOWN = ("beta1", "beta2", "rho", "eps")  # the hyper-parameters that have a slider


def _signals(steps: int) -> dict[str, np.ndarray]:
    t = np.arange(steps)
    return {
        "constant": np.ones(steps),
        "spike": np.where(t == steps // 3, 3.0, 0.0),
        "alternating": np.where(t % 2 == 0, 1.0, -1.0),
        "sparse": np.where(t % 10 == 4, 1.0, 0.0),
        "noisy": 0.3 + np.random.default_rng(0).standard_normal(steps).round(2),
        "reddi": np.where(t % 3 == 0, 3.0, -1.0),
    }


#: signal -> label
SIGNALS = {
    "constant": "constant",
    "spike": "one spike",
    "alternating": "alternating",
    "sparse": "sparse",
    "noisy": "noisy, mean 0.3",
    "reddi": "3, −1, −1 (Reddi)",
}


class Moments(Widget):
    """A signal of gradients, its running means and the steps of several rules; `moments` makes it."""

    name = "moments"
    line = "Choose a gradient, or draw one: what does Adam remember of it, and how far does each rule step?"
    signal = Setting("Name of the signal, 'drawn' for the reader's own.")
    drawn = Setting("The signal drawn by hand, one number a step.")
    rules = Setting("Names of the rules shown.")
    at = Setting("The step that is read, from 0.")

    def __init__(self, rules, signals, signal, shown, hyper, scale, steps, view):
        self._rules = {name_of(rule): rule for rule in rules}
        defaults = {k: v for rule in reversed(rules) for k, v in spec(rule).hyper.items() if k in _SHOWN}
        self._signals, self._steps = signals, steps
        value = {"signal": signal, "rules": shown, "scale": scale, "at": steps // 5, "view": view}
        value = self.checked(value | {**defaults, **hyper, "drawn": signals[signal]})
        if unknown := sorted(set(hyper) - set(defaults)):
            raise ValueError(f"No rule shown has '{unknown[0]}'; there are: {', '.join(defaults)}.")
        sliders = {
            k: dict(zip(("label", "scale", "min", "max", "tip"), SLIDERS[k], strict=True))
            for k in _SHOWN if k in defaults
        }  # fmt: skip
        super().__init__(
            spec={
                "title": "Moments of a gradient",
                "rules": [
                    {
                        "name": name,
                        "label": _LABELS.get(name, name),
                        "color": _COLORS.get(name) or color_of(name, k),
                        "program": rule_program(rule, 1),
                    }
                    for k, (name, rule) in enumerate(self._rules.items())
                ],
                "moments": rule_program(adam, 1),
                "signals": {k: [SIGNALS.get(k, k), v] for k, v in signals.items()},
                "sliders": sliders,
            },
            value=value,
            label=f"Moments({signal}; {', '.join(self._rules)})",
            summary=f"A {signal} gradient, its running means, and the steps of {', '.join(self._rules)}.",
        )

    def checked(self, value: dict) -> dict:
        choice([*self._signals, "drawn"]).check("signal", value["signal"])
        series(self._steps, self._steps).check("drawn", value["drawn"])
        subset(self._rules).check("rules", value["rules"])
        whole(0, self._steps - 1).check("at", value["at"])
        positive().check("scale", value["scale"])
        choice(("step", "distance")).check("view", value["view"])
        return value

    @property
    def gradients(self) -> np.ndarray:
        """The gradients (steps,) that the rules are shown."""
        v = self.value
        signal = v["drawn"] if v["signal"] == "drawn" else self.spec["signals"][v["signal"]][1]
        return v["scale"] * np.array(signal, float)

    def steps(self, rule: str) -> np.ndarray:
        """The directions d (steps,) of a rule on these gradients: its steps in units of the learning rate."""
        fn, g = self._rules[rule], iter(self.gradients)
        hyper = {k: self.value[k] for k in spec(fn).hyper if k in self.value}
        path = descend(fn, None, [0.0], len(self.gradients), 1.0, grad=lambda w: np.array([next(g)]), **hyper)
        return -np.diff(path.points[:, 0])

    def goal(self) -> Goal | None:
        v, rules = self.value, {"adam", "uncorrected_adam"}
        if not rules <= {*self._rules} or v["signal"] != "constant" or v["beta1"] > 0.99:
            return None  # with a constant gradient and β₂ ≤ β₁ no step is longer than η
        if np.abs(self.steps("uncorrected_adam")).max() < 1.1:
            return None
        return Goal(
            "Find a β₂ with which uncorrected Adam never steps farther than 1.01 η.",
            [("signal", "=", "constant"), ("uncorrected_adam.longest", "<", 1.01)],
            "with β₂ = {beta2} its longest step is {uncorrected_adam.longest} η.",
        )

    def still(self):
        """The gradients above, the steps below."""
        from ..plotting import plt

        figure, (above, below) = plt.subplots(2, 1, figsize=(6.4, 3.8), sharex=True)
        t = np.arange(1, len(self.gradients) + 1)
        above.bar(t, self.gradients, color="#56616c")
        for rule in self.spec["rules"]:
            below.plot(t, self.steps(rule["name"]), color=rule["color"], label=rule["label"])
        above.set(ylabel="gradient")
        below.set(ylabel="step / η", xlabel="step")
        below.legend(ncols=2)
        return figure


@explains
def moments(
    signal: str | Sequence[float] = "constant",
    *,
    rules: Sequence[Callable | str] = _DEFAULT,
    scale: float = 1.0,
    steps: int = 60,
    view: str = "step",
    **hyper: float,
) -> Moments:
    """Choose or draw the gradients of one coordinate; see m and √v of Adam and the step of each rule in units of η.

    signal: a name out of `SIGNALS` ("constant", "spike", "alternating", "sparse", "noisy", "reddi") or a list of
    numbers. rules: functions or names; one's own may be among them. scale multiplies the signal. view: "step" or
    "distance" (the sum of the steps). hyper: beta1, beta2, rho, eps, shared by the rules that have them. Read back
    `.signal`, `.drawn`, `.at`, `.gradients`, `.steps("adam")`.

    >>> from optcore.widgets.moments import moments
    >>> moments("constant").steps("uncorrected_adam")[[0, 11]].round(4).tolist()
    [3.1623, 6.5685]
    """
    given: list[Any] = [named_rules().get(rule) if isinstance(rule, str) else rule for rule in rules]
    found: list[Callable] = [rule for rule in given if callable(rule)]
    if not found or len(found) < len(given):
        raise ValueError(f"rules must be functions or names of optcore's rules; got {list(rules)}.")
    whole(5, 200).check("steps", steps)
    if isinstance(signal, str):
        signals = _signals(steps)
        if signal not in signals:
            raise ValueError(f"There is no signal '{signal}'; there are: {', '.join(signals)}.")
    else:
        own = np.asarray(signal, float)
        if own.ndim != 1 or not 5 <= len(own) <= 200 or not np.isfinite(own).all():
            raise ValueError("A signal of your own must be 5 to 200 numbers.")
        signals, signal, steps = {"yours": own, **_signals(len(own))}, "yours", len(own)
    return Moments(found, signals, signal, [name_of(rule) for rule in found], hyper, scale, steps, view)
