"""`loss_curves()`: what a prediction costs and how hard that cost pulls: scores, residuals, logits."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..losses import binary_cross_entropy, cross_entropy, hinge, huber, mae, mse, sigmoid, softmax
from ..palette import color_of
from ..support import explains
from ..symbolic import Trace, trace
from .allowed import choice, flag, number, positive, series, whole
from .base import Goal, Setting, Widget

__all__ = ["LossCurves", "loss_curves"]

KINDS = ("score", "residual", "softmax")
REACH = (8.0, 800.0)  # how far the axis of scores may go
LOGIT, SHIFT = 8.0, 1000.0


def squared_error(z, y):
    """Squared error on a probability: its slope carries the factor σ'(z) = p(1 - p)."""
    p = sigmoid(z)
    value, slope = mse(p, y, axis=())
    return value, slope * p * (1 - p)


def naive_cross_entropy(z, y):
    """Cross-entropy as the textbook writes it, through p; the chain rule gives its slope."""
    p = 1 / (1 + np.exp(-z))
    value = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    return value, (-y / p + (1 - y) / (1 - p)) * p * (1 - p)


SCORES: dict[str, tuple[str, Callable]] = {  # functions of the score z and the label y in {0, 1}
    "squared": ("squared error on σ(z)", squared_error),
    "cross_entropy": ("cross-entropy", lambda z, y: binary_cross_entropy(z, y, axis=())),
    "hinge": ("hinge", lambda z, y: hinge(z, 2 * y - 1, axis=())),
}


def _huber(r, delta):
    """Huber's loss of any δ from that of δ = 1: huber(r, δ) = δ²·huber(r/δ, 1)."""
    value, slope = huber(r / delta, 0.0, axis=())
    return delta**2 * value, delta * slope


RESIDUALS: dict[str, tuple[str, Callable]] = {  # functions of the residual r and Huber's δ
    "mse": ("squared error", lambda r, delta: mse(r, 0.0, axis=())),
    "mae": ("absolute error", lambda r, delta: mae(r, 0.0, axis=())),
    "huber": ("Huber", _huber),
}


def softmax_loss(right: int) -> Callable:
    """logits -> probabilities, cross-entropy of class `right`, its gradient p - y."""
    return lambda z: (softmax(z), *cross_entropy(z, np.array(right), axis=()))


def naive_softmax_loss(right: int) -> Callable:
    """The same, written as the definition says: exponentials first."""

    def loss(z):
        p = np.exp(z) / np.sum(np.exp(z))
        return p, -np.log(p[right]), p - np.eye(len(z))[right]

    return loss


def _curves(losses: dict, second: str) -> list[dict]:
    return [
        {"value": key, "label": label, "color": color_of("", k), "program": _scalar(fn, second)}
        for k, (key, (label, fn)) in enumerate(losses.items())
    ]


def _scalar(fn: Callable, second: str) -> dict:
    traced: Trace = trace(lambda x, **other: fn(x, other[second]), (), **{second: ()})
    return traced.program()


_LINES = {
    "score": "Drag the score z: what does each loss cost there, and how hard does it pull?",
    "residual": "Drag the residual: what does each loss cost there, and how hard does it pull?",
    "softmax": "Drag the logits: the arrows show where each probability is pulled.",
}


class LossCurves(Widget):
    """Losses and their slopes over the score or the residual; softmax with its gradient."""

    name = "loss_curves"
    kind = Setting('"score", "residual" or "softmax".', choice(KINDS))
    z = Setting("Score of the classifier.", number())
    label = Setting("Whether the label is 1; else it is 0.", flag())
    residual = Setting("Prediction minus target.", number())
    delta = Setting("Huber's δ.", positive())
    logits = Setting("Logits, before the shift.", series(2, 6))
    right = Setting("Right class, counted from 1.", whole(1))
    shift = Setting("Number added to every logit.", number())
    naive = Setting("Whether the formulas are computed as textbooks write them.", flag())
    reach = Setting("How far the axis of scores goes.", number(*REACH))

    def __init__(self, value: dict):
        value = self.checked(value)
        self.line = _LINES[value["kind"]]
        rest = ("25rem", "37rem") if value["kind"] == "score" else ("22.5rem", "31rem")
        self.tall = (f"calc(38cqi + {rest[0]})", f"calc(154cqi + {rest[1]})")
        k = len(value["logits"])
        traced = lambda make: [trace(make(right), (k,)).program() for right in range(k)]
        spec = {
            "title": "Loss curves",
            "scores": _curves(SCORES, "y"),
            "naive": _scalar(naive_cross_entropy, "y"),
            "residuals": _curves(RESIDUALS, "delta"),
            "softmax": traced(softmax_loss),
            "naive_softmax": traced(naive_softmax_loss),
            "reach": REACH,
            "logit": LOGIT,
            "shift": SHIFT,
        }
        summary = {
            "score": "Squared error, cross-entropy and hinge over the score of a classifier, and their slopes; "
            f"for a score of {value['z']:g} the slope of the squared error is close to zero on the wrong side.",
            "residual": "Squared, absolute and Huber's error over the residual, and their slopes: only that of the "
            "squared error grows without bound.",
            "softmax": f"{k} logits, their softmax and the gradient p - y of the cross-entropy.",
        }[value["kind"]]
        super().__init__(spec=spec, value=value, label=f"LossCurves({value['kind']})", summary=summary)

    def goal(self) -> Goal | None:
        v = self.value
        if v["kind"] == "score":
            if (v["z"] if v["label"] else -v["z"]) < -7.5:
                return None  # it is there
            return Goal(
                "Find a wrong answer on which cross-entropy pulls 1000 times as hard as the squared error.",
                [("kind", "=", "score"), ("cross_entropy.slope", ">", 0.9), ("pull", ">", 1000)],
                "at a score of {z} it pulls {pull} times as hard.",
            )
        if v["kind"] == "residual":
            slopes = [float(np.abs(fn(np.array(v["residual"]), v["delta"])[1])) for fn in (RESIDUALS["mse"][1], _huber)]
            if slopes[0] > 10 * slopes[1]:
                return None
            return Goal(
                "Find a residual on which the squared error pulls ten times as hard as Huber's loss.",
                [("kind", "=", "residual"), ("pull", ">", 10)],
                "at a residual of {residual} it pulls {pull} times as hard.",
            )
        loss = float(softmax_loss(v["right"] - 1)(np.array(v["logits"]))[1])
        if loss < 0.01:
            return None
        return Goal(
            "Bring the loss below 0.01.", [("kind", "=", "softmax"), ("loss", "<", 0.01)], "the loss is {loss}."
        )

    def checked(self, value: dict) -> dict:
        value = super().checked(value)
        if value["right"] > len(value["logits"]):
            raise ValueError(f"right must be a class from 1 to {len(value['logits'])}; it was {value['right']}.")
        return value

    def still(self):
        from .. import plotting

        v = self.value
        figure, (left, right) = plotting.plt.subplots(1, 2, figsize=(7.2, 2.8))
        if v["kind"] == "softmax":
            p, _, slope = softmax_loss(v["right"] - 1)(np.array(v["logits"]))
            classes = np.arange(1, len(p) + 1)
            left.stem(classes, v["logits"])
            right.bar(classes, p)
            right.bar(classes, slope, width=0.3, color="#c2410c")
            left.set(xlabel="class", ylabel="logit")
            right.set(xlabel="class", ylabel="p, and p - y")
            return figure
        score = v["kind"] == "score"
        losses, second = (SCORES, float(v["label"])) if score else (RESIDUALS, v["delta"])
        at = v["z"] if score else v["residual"]
        reach = v["reach"] if score else max(4.0, abs(at))
        x = np.linspace(-reach, reach, 201)
        for k, (label, fn) in enumerate(losses.values()):
            for axes, curve, dot in zip((left, right), fn(x, second), fn(np.array(at), second), strict=True):
                axes.plot(x, curve, color=color_of("", k), label=label)
                axes.plot(at, dot, "o", color=color_of("", k))
        name = "score z" if score else "residual r"
        left.set(xlabel=name, ylabel="loss", ylim=(-0.3, 9))
        right.set(xlabel=name, ylabel="slope", ylim=(-3, 3))
        left.legend()
        return figure


@explains
def loss_curves(
    kind: str = "score",
    *,
    z: float = -4.0,
    label: int = 1,
    residual: float = 3.0,
    delta: float = 1.0,
    logits: Sequence[float] | Any = (1.0, 2.0, -1.0),
    right: int = 1,
    shift: float = 0.0,
    naive: bool = False,
    reach: float = 8.0,
) -> LossCurves:
    """Losses and their slopes: over a score, over a residual, or from logits through the softmax.

    kind: what to begin with, "score" (squared error on σ(z), cross-entropy, hinge, for a label 0 or 1),
    "residual" (squared, absolute, Huber's with δ = delta) or "softmax" (2 to 6 logits, the right one counted
    from 1, shift added to all). naive: compute as textbooks write it, which overflows; reach: the axis of
    scores goes from -reach to reach, 8 to 800.

    What the reader did can be read back from the attributes of the same names. Raises ValueError for an unknown
    kind, a label other than 0 and 1, a class that is not there, or delta that is not positive.

    >>> loss_curves("residual")
    LossCurves(residual)
    """
    if label not in (0, 1):
        raise ValueError(f"label must be 0 or 1; it was {label}.")
    value = {
        "kind": kind,
        "z": float(z),
        "label": bool(label),
        "residual": float(residual),
        "delta": float(delta),
        "logits": [float(v) for v in logits],
        "right": int(right),
        "shift": float(shift),
        "naive": naive,
        "reach": float(reach),
        "shown": [*SCORES, *RESIDUALS],
    }
    return LossCurves(value)
