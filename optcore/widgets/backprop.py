"""`backprop()`: one layer as a graph, its values forward and its gradients backward, one edge at a time."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..layers import relu
from ..losses import sigmoid, softmax
from ..support import explains
from ..symbolic import trace
from .allowed import choice, subset, whole
from .base import Goal, Setting, Widget

__all__ = ["Backprop", "backprop"]

N = 3
LEAVES = ("x", "W", "b")
LIMIT = 4.0  # of the sliders of x and b


def _elementwise(value: Callable, slope: Callable) -> Callable:
    """h -> (a, ∂a/∂h): an activation that acts on each component has a diagonal Jacobian."""
    return lambda h: (value(h), np.eye(N) * slope(h))


def _softmax(h):
    p = softmax(h)
    return p, np.eye(N) * p - p[:, None] * p


ACTIVATIONS: dict[str, tuple[str, Callable]] = {
    "relu": ("ReLU", _elementwise(relu, lambda h: np.where(h > 0, 1.0, 0.0))),
    "sigmoid": ("sigmoid", _elementwise(sigmoid, lambda h: sigmoid(h) * (1 - sigmoid(h)))),
    "tanh": ("tanh", _elementwise(np.tanh, lambda h: 1 - np.tanh(h) ** 2)),
    "softmax": ("softmax", _softmax),
}


def losses(y: np.ndarray) -> dict[str, tuple[str, Callable]]:
    """name -> (label, a -> (l, ∂l/∂a)) for a target y."""
    used = y != 0
    return {
        "sum": ("Σ aₖ", lambda a: (np.sum(a), np.ones(N) + 0 * a)),
        "squared": ("½ Σ (aₖ − yₖ)²", lambda a: (np.sum((a - y) ** 2) / 2, a - y)),
        "cross_entropy": (
            "−Σ yₖ ln aₖ",
            lambda a: (np.sum(np.where(used, -y * np.log(a), 0.0)), np.where(used, -y / a, 0.0)),
        ),
    }


def linear(x, W, b):
    """h = xW + b."""
    return x @ W + b


def backward(x, W, upstream, J):
    """(∂l/∂h, ∂l/∂W, ∂l/∂x) from the upstream gradient ∂l/∂a."""
    g = upstream @ J
    return g, x[:, None] * g, g @ W.T


class Backprop(Widget):
    """A layer h = xW + b, an activation and a loss; gradients walk back through it."""

    name = "backprop"
    line = "Press Step to walk back edge by edge; move the bias and see which gradients die or come alive."
    activation = Setting('"relu", "sigmoid", "tanh" or "softmax".', choice(ACTIVATIONS))
    loss = Setting('"sum", "squared" or "cross_entropy".')
    requires_grad = Setting("Which of x, W and b ask for a gradient.", subset(LEAVES))
    stage = Setting("How many edges were walked back, 0 to 5; None for all.", whole(0, 5).or_none())

    def __init__(self, W: np.ndarray, y: np.ndarray, value: dict):
        value = self.checked(value)
        programs = lambda table: [
            {"value": k, "label": label, "program": trace(fn, (N,)).program()} for k, (label, fn) in table.items()
        ]
        spec = {
            "title": "Backpropagation",
            "W": W,
            "y": y,
            "linear": trace(linear, (N,), (N, N), (N,)).program(),
            "activations": programs(ACTIVATIONS),
            "losses": programs(losses(y)),
            "backward": trace(backward, (N,), (N, N), (N,), (N, N)).program(),
            "limit": LIMIT,
        }
        self._W, self._y = W, y
        h = np.array([value[f"x{k}"] for k in (1, 2, 3)]) @ W + [value[f"b{k}"] for k in (1, 2, 3)]
        label = ACTIVATIONS[value["activation"]][0]
        summary = (
            f"The graph x, W, b → h = ({', '.join(f'{v:.3g}' for v in h)}) → {label} → loss, the gradient that flows "
            "back along each edge, and the Jacobian of the activation."
        )
        super().__init__(spec=spec, value=value, label=f"Backprop({label})", summary=summary)

    @property
    def x(self) -> list[float]:
        """The input, as the sliders stand."""
        return [self.value[f"x{k}"] for k in (1, 2, 3)]

    @property
    def b(self) -> list[float]:
        """The bias, as the sliders stand."""
        return [self.value[f"b{k}"] for k in (1, 2, 3)]

    def checked(self, value: dict) -> dict:
        choice(losses(np.zeros(N))).check("loss", value["loss"])
        return super().checked(value)

    def goal(self) -> Goal | None:
        v = self.value
        if v["activation"] != "relu" or v["loss"] == "cross_entropy" or np.max(np.array(self.x) @ self._W) > LIMIT:
            return None  # the bias could not reach
        h = linear(np.array(self.x), self._W, np.array(self.b))
        if not np.any(h > 0) or not np.any(self.x):
            return None
        return Goal(
            "With the bias alone, stop every gradient: all of ∂l/∂W is zero.",
            [("W.grad", "<", 1e-12)],
            "with b = ({b1}, {b2}, {b3}) no unit fires, and nothing flows back.",
        )

    def still(self):
        from .. import plotting

        with np.errstate(all="ignore"):  # the logarithm of 0 shows as inf
            h = linear(np.array(self.x), self._W, np.array(self.b))
            a, J = ACTIVATIONS[self.value["activation"]][1](h)
            l, upstream = losses(self._y)[self.value["loss"]][1](a)
            g, gW, gx = backward(np.array(self.x), self._W, upstream, J)
        figure, ax = plotting.plt.subplots(figsize=(7.2, 2.4))
        ax.axis("off")
        text = lambda v: np.array2string(np.asarray(v), precision=3)
        columns = [("x, b", f"{text(self.x)}\n{text(self.b)}", gx), ("W", text(self._W), gW), ("h", text(h), g)]
        columns += [("a", text(a), upstream), ("loss", f"{l:.4g}", 1.0)]
        for k, (name, value, gradient) in enumerate(columns):
            words = f"{name}\n{value}\n\ngradient\n{text(gradient)}"
            ax.text((k + 0.5) / 5, 0.5, words, ha="center", va="center", fontsize=9, transform=ax.transAxes)
        return figure


@explains
def backprop(
    x: Sequence[float] | Any = (1, 2, 3),
    W: Sequence[Sequence[float]] | Any = ((0, 1, 0), (1, 0, 1), (-1, 0, 0)),
    b: Sequence[float] | Any = (0, 0, 0),
    *,
    y: Sequence[float] | Any = (0, 0, 1),
    activation: str = "relu",
    loss: str = "sum",
    requires_grad: Sequence[str] = ("W", "b"),
    stage: int | None = 3,
) -> Backprop:
    """Walk back through h = xW + b, a = φ(h), loss: each edge multiplies the upstream gradient by a local one.

    x, W, b: three components each, W (3, 3); by default h = (-1, 1, 2). y: target of the losses that need one.
    activation: "relu", "sigmoid", "tanh" or "softmax"; loss: "sum", "squared" or "cross_entropy". requires_grad:
    which leaves ask for `.grad`. stage: edges walked back, 0 to 5, None for all.

    What the reader did can be read back: `.x`, `.b`, `.activation`, `.loss`, `.requires_grad`, `.stage`. Raises
    ValueError for wrong shapes, numbers that are not finite, or unknown names.

    >>> backprop(activation="softmax", loss="cross_entropy")
    Backprop(softmax)
    """
    arrays = {"x": (x, (N,)), "W": (W, (N, N)), "b": (b, (N,)), "y": (y, (N,))}
    for name, (array, shape) in arrays.items():
        if np.shape(array) != shape or not np.all(np.isfinite(array)):
            raise ValueError(f"{name} must be finite numbers of shape {shape}; it was {array!r}.")
    if max(np.abs(x).max(), np.abs(b).max()) > LIMIT:
        raise ValueError(f"x and b must lie between -{LIMIT:g} and {LIMIT:g}, the range of their sliders.")
    value: dict[str, Any] = {
        f"{name}{k}": float(v) for name, array in (("x", x), ("b", b)) for k, v in enumerate(array, 1)
    }
    value |= {
        "activation": activation,
        "loss": loss,
        "requires_grad": list(requires_grad),
        "stage": stage,
    }
    return Backprop(np.array(W, float), np.array(y, float), value)
