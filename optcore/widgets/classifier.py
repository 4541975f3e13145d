"""`oc.classifier()`: a small network trained in the page on points in the plane, and why a run of it fails.

The rule, the schedule, the activation, the loss and the data sets are traced; the passes through the network are
written in `parts/perceptron.js`. `Classifier.run` makes the same run with `optcore.MLP` and `optcore.Optimizer`.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

from .. import rules as _rules
from .. import schedules
from ..layers import ACTIVATIONS
from ..losses import accuracy, binary_cross_entropy
from ..network import MLP
from ..optimizer import Optimizer
from ..palette import color_of
from ..regularizers import l1, l2
from ..rule_spec import is_elementwise, name_of, rule_program
from ..support import explains, known
from ..symbolic import trace
from .allowed import Allowed, choice, number, point, subset, whole
from .base import Setting, Widget, plain
from .draws import normal_draws, uniform_draws
from .explore import labelled

__all__ = ["CRITERIA", "DATA", "INITS", "SCHEDULES", "Classifier", "classifier"]

RULES = ("gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "lion")
WINDOW = (-1.25, 1.25)
HELD = 200  # held-out points
_MOST_OWN = 60
_EVALUATIONS = 100  # of a run, at most, after the one at its start
_DATA_SEED, _ORDERS = 7, 2**20  # the data's own seed, and where the draws for the order of samples begin
_GONE = 1000.0  # training loss at which a run ends


def rings(u: Any, v: Any, c: Any) -> tuple:  # noqa: ARG001
    """A ring around another."""
    r = 0.35 + 0.5 * c
    return r * np.cos(2 * np.pi * u), r * np.sin(2 * np.pi * u)


def spirals(u: Any, v: Any, c: Any) -> tuple:  # noqa: ARG001
    """Two arms, one and a quarter turns each."""
    r = 0.1 + 0.9 * np.sqrt(u)
    return r * np.cos(2.5 * np.pi * r + np.pi * c), r * np.sin(2.5 * np.pi * r + np.pi * c)


def blobs(u: Any, v: Any, c: Any) -> tuple:
    """Two discs that touch."""
    r, middle = 0.4 * np.sqrt(v), 0.56 * c - 0.28
    return middle + r * np.cos(2 * np.pi * u), middle + r * np.sin(2 * np.pi * u)


def xor(u: Any, v: Any, c: Any) -> tuple:
    """Four squares, opposite ones alike."""
    x, y = 1.8 * u - 0.9, 0.08 + 0.82 * v
    return x, np.sign(x) * y * (2 * c - 1)


#: name -> the place (x, y) of a point of class c (0 or 1) from two draws in (0, 1), before noise; "own" draws none
DATA: dict[str, Callable] = {"rings": rings, "spirals": spirals, "blobs": blobs, "xor": xor}

#: name -> variance of the weights from fan_in and fan_out; "alike" gives all of a layer one value, the root of it
INITS: dict[str, tuple[str, Callable]] = {
    "he": ("He normal", lambda m, n: 2 / m),
    "glorot": ("Glorot normal", lambda m, n: 2 / (m + n)),
    "lecun": ("LeCun normal", lambda m, n: 1 / m),
    "alike": ("all weights alike", lambda m, n: 1 / m),
}

#: name -> the factor on the learning rate at step t of T
SCHEDULES: dict[str, Callable] = {
    "constant": lambda t, T: schedules.constant_rate(1.0)(t) + 0 * T,
    "step": lambda t, T: schedules.step_decay(1.0, T / 3)(t),
    "linear": lambda t, T: schedules.linear_decay(1.0, T)(t),
    "cosine": lambda t, T: schedules.cosine_decay(1.0, T)(t),
    "warmup + cosine": lambda t, T: schedules.warmup(schedules.cosine_decay(1.0, 0.9 * T), 0.1 * T)(t),
}

_PENALTIES = {"none": "none", "l2": "L2 (λΣw²)", "l1": "L1 (λΣ|w|)"}
_VIEWS = {"norms": "gradient norms", "units": "units", "slice": "loss surface"}

#: What the status line calls a run, tried in this order by `parts/diagnosis.js`.
CRITERIA = {
    "gone": 10.0,  # it diverges: the training loss is above so many times its start, or not a number
    "flat": 0.05,  # a unit is dead: its slope is below this at every training point
    "vanish": 1e-3,  # gradients vanish: all start below this, or the first layer's is below this part of the last's
    "jump": 2.0,  # it jumps: in the last quarter the training loss rises to more than so many times what it was …
    "high": 0.1,  # … and to more than this part of its start
    "overfit": 1.2,  # it overfits: the held-out loss is above so many times its lowest
    "right": 0.95,  # it has learned: this share of the training points is right
    "fall": 0.05,  # it is still learning: in the last tenth the training loss fell by this part
}


def _points() -> Allowed:
    """Own points: [x, y, class]."""
    one = point(WINDOW)

    def holds(v: Any) -> bool:
        rows = v if isinstance(v, list | tuple) else [None]
        good = lambda p: isinstance(p, list | tuple) and len(p) == 3 and one.holds(p[:2]) and p[2] in (0, 1)
        return len(rows) <= _MOST_OWN and all(map(good, rows))

    return Allowed(f"a list of up to {_MOST_OWN} points [x, y, class], class 0 or 1", holds)


@cache
def _programs() -> dict:
    """What is the same in all networks that learn, traced."""
    cost = lambda z, y: dict(zip(("loss", "slope"), binary_cross_entropy(z, y, axis=()), strict=True))
    unit = lambda f, slope: lambda z: {"a": f(z), "slope": slope(z, f(z))}
    return {
        "data": {k: trace(lambda u, v, c, f=f: np.stack(f(u, v, c)), (), (), ()).program() for k, f in DATA.items()},
        "variance": trace(lambda m, n: {k: f(m, n) + 0 * n for k, (_, f) in INITS.items()}, (), ()).program(),
        "schedules": {k: trace(f, (), ()).program() for k, f in SCHEDULES.items()},
        "activations": {k: trace(unit(*pair), ()).program() for k, pair in ACTIVATIONS.items()},
        "cost": trace(cost, (), ()).program(),
    }


class Classifier(Widget):
    """A network that learns in the page; `classifier` makes it and says what its settings are."""

    name = "classifier"
    line = "Move the learning rate, change the rule or the start, click to add points: does the run fail, and why?"
    tall = ("calc(98cqi + 28.5rem)", "calc(225cqi + 42rem)")
    data = Setting("Name of the data set.", choice([*DATA, "own"]))
    n = Setting("Number of training points that are drawn.", whole(10, 300))
    noise = Setting("Standard deviation of the noise on each coordinate.", number(0, 0.5))
    points = Setting("Own training points, [x, y, class].", _points())
    adds = Setting("The class that a click adds, 'first' or 'second'.", choice(("first", "second")))
    probe = Setting("The point that the status line tells of.", point(WINDOW))
    rule = Setting("Label of the rule.")
    lr = Setting("Learning rate.", number(1e-4, 10))
    batch = Setting("Points in a mini-batch; all of them from n on.", whole(1, 400))
    schedule = Setting("Name of the schedule.", choice(SCHEDULES))
    steps = Setting("Number of updates.", whole(50, 20_000))
    shown = Setting("The evaluation that is shown, or None for the last.", whole(0, _EVALUATIONS).or_none())
    init = Setting("Name of the initializer.", choice(INITS))
    scale = Setting("What the initial weights are multiplied by.", number(0, 10))
    activation = Setting("Name of the activation.", choice(ACTIVATIONS))
    width = Setting("Units in each hidden layer.", whole(1, 32))
    depth = Setting("Number of hidden layers.", whole(1, 8))
    penalty = Setting("'none', 'l2' or 'l1', on the matrices.", choice(_PENALTIES))
    lam = Setting("Strength λ of the penalty.", number(1e-5, 1))
    seed = Setting("The draw of the weights and of the order of the points.", whole(0, 99))
    view = Setting("What the third figure shows: 'norms', 'units' or 'slice'.", choice(_VIEWS))

    def __init__(self, rules: Mapping[str, Callable], front: Sequence[str], settings: dict):
        self._rules = dict(rules)
        value = plain(self.checked(settings))
        net = f"2-{'-'.join([str(value['width'])] * value['depth'])}-1"
        super().__init__(
            spec={
                "title": "A network that learns",
                "window": WINDOW,
                "held": HELD,
                "evaluations": _EVALUATIONS,
                "own": _MOST_OWN,
                "seeds": [_DATA_SEED, _ORDERS],
                "gone": _GONE,
                "criteria": CRITERIA,
                "front": list(front),
                "rules": [
                    {"label": label, "color": color_of(name_of(rule), k), "program": rule_program(rule, 1)}
                    for k, (label, rule) in enumerate(self._rules.items())
                ],
                "inits": {k: label for k, (label, _) in INITS.items()},
                **_programs(),
                "penalties": _PENALTIES,
                "views": _VIEWS,
            },
            value=value,
            label=f"Classifier({value['data']}, {net}, {value['rule']})",
            summary=f"A {net} network of {value['activation']} units trained on {value['data']} by {value['rule']} at "
            f"learning rate {value['lr']:g}: its decision boundary, its losses and the gradient norms of its layers.",
        )  # fmt: skip

    def checked(self, value: dict) -> dict:
        value = super().checked(value)
        choice(self._rules).check("rule", value["rule"])
        if value["data"] == "own" and len(value["points"]) < 2:
            raise ValueError("With data='own' there must be two points or more.")
        return value

    # -- the same run, by optcore
    def samples(self, held: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """The training points X (n, 2), the own ones last, and their classes (n,), 0 or 1; or the held-out points."""
        n = 0 if self.data == "own" else HELD if held else self.n
        number = 8 * (np.arange(n) + 4096 * held)
        u, v, c = uniform_draws(_DATA_SEED, number), uniform_draws(_DATA_SEED, number + 1), np.arange(n) % 2
        drawn = [normal_draws(_DATA_SEED, int(k) + 2, 2) for k in number]
        X = np.stack(DATA[self.data](u, v, c), axis=-1) + self.noise * np.array(drawn) if n else np.empty((0, 2))
        own = np.array([] if held else self.points, float).reshape(-1, 3)
        return np.r_[X, own[:, :2]], np.r_[c, own[:, 2]].astype(float)

    def network(self) -> MLP:
        """The network at its start: weights of the drawn variance, biases 0."""
        net = MLP([2, *[self.width] * self.depth, 1], self.activation)
        net.theta[...] = 0
        begin = 0
        for k in range(self.depth + 1):
            W = net.params[f"W{k + 1}"]
            draws = 1.0 if self.init == "alike" else normal_draws(self.seed, begin, W.size).reshape(W.shape)
            W[...] = self.scale * np.sqrt(INITS[self.init][1](*W.shape)) * draws
            begin += W.size + W.size % 2
        return net

    def batches(self, n: int):
        """The samples of each step, epoch after epoch, in the order that the page draws."""
        epoch = 0
        while True:
            order = np.arange(n)
            if self.batch < n:
                u = uniform_draws(self.seed, _ORDERS + 1024 * epoch + np.arange(n))
                for j in range(n - 1, 0, -1):
                    k = int(u[j] * (j + 1))
                    order[j], order[k] = order[k], order[j]
            yield from (order[i : i + self.batch] for i in range(0, n, self.batch))
            epoch += 1

    def run(self) -> dict[str, np.ndarray]:
        """The run as `optcore.MLP` and `optcore.Optimizer` make it, at each evaluation of the page.

        step (k,); theta (k, parameters); loss, held, right, held_right (k,), nan where there is nothing held out; norms
        (k, layers): of the gradient of the training loss in each matrix.
        """
        net, (X, y), (X_held, y_held) = self.network(), self.samples(), self.samples(held=True)
        factor = lambda t: SCHEDULES[self.schedule](float(t), float(self.steps))
        optimizer = Optimizer(self._rules[self.rule], net.theta, lambda t: self.lr * factor(t))
        penalty = {"l1": l1, "l2": l2}.get(self.penalty)
        every, batches = -(-self.steps // _EVALUATIONS), self.batches(len(X))
        seen: list[dict] = []

        def evaluate(step: int) -> float:
            score = lambda X, y: (
                (float(binary_cross_entropy(net(X), y[:, None])[0]), accuracy(net(X), y[:, None]))
                if len(X)
                else (np.nan,) * 2
            )
            (held, held_right), (_, right) = score(X_held, y_held), score(X, y)
            loss, _ = net.loss_and_grad(X, y[:, None], binary_cross_entropy)
            norms = [np.linalg.norm(net.grads[f"W{k + 1}"]) for k in range(self.depth + 1)]
            seen.append({"step": step, "theta": net.theta.copy(), "loss": loss, "held": held, "right": right,
                         "held_right": held_right, "norms": norms})  # fmt: skip
            return loss

        with np.errstate(over="ignore", invalid="ignore"):
            evaluate(0)
            for step in range(1, self.steps + 1):
                rows = next(batches)
                _, grad = net.loss_and_grad(X[rows], y[rows, None], binary_cross_entropy)
                if penalty:
                    grad[: net.weights.size] += penalty(net.weights, self.lam)[1]
                optimizer.step(grad)
                if (step % every == 0 or step == self.steps) and not evaluate(step) <= _GONE:
                    break
        return {name: np.array([one[name] for one in seen]) for name in seen[0]}

    def still(self):
        """Points and decision regions, and the two losses."""
        from ..plotting import plt

        run, net, (X, y) = self.run(), self.network(), self.samples()
        net.theta[...] = run["theta"][-1]
        figure, (plane, losses) = plt.subplots(1, 2, figsize=(7.2, 3.2))
        grid = np.linspace(*WINDOW, 80)
        z = net(np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)).reshape(80, 80)
        plane.contourf(grid, grid, z, [-1e9, 0, 1e9], colors=["#cfe0f0", "#f3d9cc"])
        for c, (marker, color) in enumerate((("o", "#0b63b5"), ("s", "#c2410c"))):
            plane.plot(*X[y == c].T, marker, color=color, markersize=3)
        plane.set(aspect="equal")
        losses.plot(run["step"], run["loss"], color="#1d2630", label="training")
        losses.plot(run["step"], run["held"], "--", color="#b3125a", label="held out")
        losses.set(yscale="log", xlabel="step")
        losses.legend()
        return figure


def _elementwise(rules: Any) -> dict[str, Callable]:
    """Label -> rule, of names, functions, or a dict that gives the labels."""
    named = {name: getattr(_rules, name) for name in _rules.__all__}
    found = labelled(rules, lambda name: known("rule", name, named), "classifier")
    for rule in found.values():
        if not is_elementwise(rule):
            raise ValueError(f"{name_of(rule)} does not treat each parameter alone; the page trains by rules that do.")
    return found


@explains
def classifier(
    data: str = "rings",
    rule: str = "adam",
    lr: float = 0.02,
    *,
    rules: Any = RULES,
    front: Sequence[str] = ("data", "rule", "lr", "view"),
    **settings: Any,
) -> Classifier:
    """Train a small network on points in the plane, and hear why a run fails.

    data: "rings", "spirals", "blobs", "xor" or "own" (with points=[[x, y, class], …], which are added to any set).
    rule: one of `rules`: names out of optcore.rules, functions that treat each parameter alone, or a dict label ->
    either. front: the settings, four at most, whose controls stand before *More*. settings: n, noise, batch, schedule,
    steps, init, scale, activation, width, depth, penalty, lam, seed, view, …, as the class describes them.

    The network has two inputs, `depth` hidden layers of `width` units, and one output, the logit of the second class;
    its loss is the mean binary cross-entropy. Read back `.lr`, `.data`, …, `.samples()`, `.network()`, and `.run()`:
    the same run by optcore.

    >>> from optcore.widgets.classifier import classifier
    >>> run = classifier("blobs", steps=100).run()
    >>> bool(run["right"][-1] > 0.9), run["step"][[0, 1, -1]].tolist()
    (True, [0, 1, 100])
    """
    start = {
        "data": data, "n": 100, "noise": 0.08, "points": [], "adds": "first", "probe": [0.0, 0.0], "rule": rule,
        "lr": lr, "batch": 20, "schedule": "constant", "steps": 1000, "shown": None, "init": "he", "scale": 1.0,
        "activation": "relu", "width": 16, "depth": 2, "penalty": "none", "lam": 0.001, "seed": 1, "view": "norms",
    }  # fmt: skip
    if unknown := [name for name in settings if name not in start]:
        raise TypeError(f"There is no setting '{unknown[0]}'; there are: {', '.join(start)}.")
    subset(start).check("front", front)
    whole(0, 4).check("the number of settings in front", len(front))
    return Classifier(_elementwise(rules), front, {**start, **settings})
