"""`oc.signal()`: activations and gradients of a deep network at its start, layer by layer, computed in the page."""

from collections.abc import Callable

import numpy as np

from .. import initializers as init
from ..layers import ACTIVATIONS
from ..support import explains
from ..symbolic import trace
from .allowed import choice, number, whole
from .base import Goal, Setting, Widget
from .draws import normal_draws, uniform_draws

__all__ = ["INITS", "Signal", "signal"]

WIDTHS = (8, 16, 32, 64)
MOST_VALUES = 384  # activations of a layer in the page: width times batch

#: name -> (label, initializer)
INITS: dict[str, tuple[str, Callable]] = {
    "he": ("He normal", init.he_normal),
    "glorot": ("Glorot normal", init.glorot_normal),
    "lecun": ("LeCun normal", init.lecun_normal),
    "torch": ("PyTorch default", init.torch_linear),
    "orthogonal": ("orthogonal", init.orthogonal),
    "normal": ("N(0, 1)", lambda m, n, rng: init.normal_init(m, n, rng, std=1.0)),
    "small": ("N(0, 0.01²)", lambda m, n, rng: init.normal_init(m, n, rng, std=0.01)),
}
_PHI = ("relu", "tanh", "sigmoid", "identity")


def _family(name: str) -> dict:
    """How the page scales its draws: `std` at width 1 and whether it shrinks like 1/√width."""
    _, make = INITS[name]
    if name == "orthogonal":
        return {"kind": "orthogonal", "std": 1.0, "power": 0.5}
    # one seed gives every initializer of a kind the same draws, so the ratio of two weights is that of their scales
    reference = init.lecun_uniform if name == "torch" else init.lecun_normal
    scale = lambda n: float(make(n, n, 1)[0, 0] / reference(n, n, 1)[0, 0])
    power = 0.5 if np.isclose(scale(16), scale(1)) else 0.0
    return {"kind": "uniform" if name == "torch" else "normal", "std": scale(1), "power": power}


class Signal(Widget):
    """A network at its start: the size of activations and gradients at each layer; `signal` makes it."""

    name = "signal"
    line = "Choose the initial weights and the gain: do activations and gradients fade, explode, or keep their size?"
    init = Setting("Name of the initializer.", choice(INITS))
    activation = Setting("Name of the activation.", choice(_PHI))
    gain = Setting("What the initial weights are multiplied by.", number(0.25, 4))
    depth = Setting("Number of hidden layers.", whole(1, 32))
    width = Setting("Units in each layer.", choice(WIDTHS))
    seed = Setting("The draw of the weights.", whole(0, 99))

    def __init__(self, settings):
        settings = self.checked(settings)
        phi = {name: ACTIVATIONS[name] for name in _PHI}
        super().__init__(
            spec={
                "title": "Signals in a deep network",
                "inits": [[name, label, _family(name)] for name, (label, _) in INITS.items()],
                "activations": {
                    name: trace(lambda z, f=f, slope=slope: {"a": f(z), "slope": slope(z, f(z))}, ()).program()
                    for name, (f, slope) in phi.items()
                },
                "values": MOST_VALUES,
            },
            value=settings,
            label="Signal({activation}, {init}, depth {depth}, width {width})".format(**settings),
            summary="Mean squares of activations and gradients through {depth} layers of {width} {activation} units, "
            "weights from {init}.".format(**settings),
        )

    def weights(self, **changes) -> list[np.ndarray]:
        """The matrices (width, width) of the page's network, first layer first; `changes` to the settings."""
        v = {**self.value, **changes}
        n, family = v["width"], dict((k, f) for k, _, f in self.spec["inits"])[v["init"]]
        scale = v["gain"] * family["std"] / n ** family["power"]
        return [scale * self._unit(v["seed"], layer, n, family["kind"]) for layer in range(v["depth"])]

    @staticmethod
    def _unit(seed: int, layer: int, n: int, kind: str) -> np.ndarray:
        begin = 2 * MOST_VALUES + layer * n * n
        if kind == "uniform":
            return np.sqrt(12) * (uniform_draws(seed, np.arange(begin, begin + n * n)) - 0.5).reshape(n, n)
        draws = normal_draws(seed, begin, n * n).reshape(n, n)
        if kind == "normal":
            return draws
        Q, R = np.linalg.qr(draws)
        return np.sqrt(n) * Q * np.sign(np.diag(R))

    def signals(self, **changes) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Activations after 0 … depth layers and the gradients in them, each (batch, width), as in the page.

        The input and the gradient that comes back from above are standard normal. `changes` to the settings.
        """
        v = {**self.value, **changes}
        n, seed = v["width"], v["seed"]
        batch = MOST_VALUES // n
        value, slope = ACTIVATIONS[v["activation"]]
        a, slopes, matrices = [normal_draws(seed, 0, batch * n).reshape(batch, n)], [], self.weights(**changes)
        with np.errstate(over="ignore", invalid="ignore"):
            for W in matrices:
                z = a[-1] @ W
                a.append(value(z))
                slopes.append(slope(z, a[-1]))
            g = [normal_draws(seed, MOST_VALUES, batch * n).reshape(batch, n)]
            for W, s in zip(matrices[::-1], slopes[::-1], strict=True):
                g.append((g[-1] * s) @ W.T)
        return a, g[::-1]

    def goal(self) -> Goal | None:
        if self.factor() < 3.3 or all(self.factor(init=name) > 2.9 for name in ("he", "lecun")):
            return None
        return Goal(
            f"Keep both within a factor of 3 over {self.depth} layers.",
            [("activation", "=", self.activation), ("depth", ">", self.depth - 1), ("factor", "<", 3)],
            "the larger factor is {factor}.",
        )

    def factor(self, **changes) -> float:
        """How many times activations or gradients grow or shrink from end to end, the larger of the two."""
        a, g = ([np.mean(x**2) for x in layers] for layers in self.signals(**changes))
        with np.errstate(all="ignore"):
            return float(max(a[-1] / a[0], a[0] / a[-1], g[0] / g[-1], g[-1] / g[0]))

    def still(self):
        """Mean squares of activations and gradients against the layer."""
        from ..plotting import plt

        figure, ax = plt.subplots(figsize=(6.4, 3.0))
        a, g = self.signals()
        ax.plot([np.mean(x**2) for x in a], "o-", color="#0b63b5", label="activations")
        ax.plot([np.mean(x**2) for x in g], "s-", color="#c2410c", label="gradients")
        ax.set(yscale="log", xlabel="layer", ylabel="mean square")
        ax.legend()
        return figure


@explains
def signal(
    *,
    init: str = "glorot",
    activation: str = "relu",
    gain: float = 1.0,
    depth: int = 20,
    width: int = 64,
    seed: int = 0,
) -> Signal:
    """Follow activations forwards and gradients backwards through a network of equal layers at its start.

    init: a name out of `INITS` ("he", "glorot", "lecun", "torch", "orthogonal", "normal", "small"); gain multiplies
    its weights. activation: "relu", "tanh", "sigmoid" or "identity". depth 1 to 32, width 8, 16, 32 or 64. Read
    back `.init`, `.gain`, …, `.weights()`, `.signals()`.

    >>> from optcore.widgets.signal import signal
    >>> a, g = signal(init="glorot", activation="relu").signals()
    >>> bool(np.mean(a[20] ** 2) < 1e-4)
    True
    """
    settings = {"init": init, "activation": activation, "gain": gain, "depth": depth, "width": width, "seed": seed}
    return Signal(settings)
