"""Widgets of each kind that the package exports, for tests that walk over all of them.

A new kind is met by being exported: its factory is called without arguments. What needs some, or has several faces, is
listed in FACES.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

import optcore as oc
from optcore import widgets
from optcore.widgets import Quiz, Widget
from optcore.widgets.newton import METHODS

from .test_quiz import QUESTIONS

EXPORTED = [getattr(widgets, name) for name in widgets.__all__]
KINDS = [kind for kind in EXPORTED if isinstance(kind, type) and issubclass(kind, Widget) and kind is not Widget]
NAMES = sorted(kind.name for kind in KINDS)


@dataclass
class Face:
    """One way to make a widget, how many controls it shows, and which of them the status line may pass over."""

    make: Callable[[], Widget]
    controls: int | None = None
    quiet: set[str] = field(default_factory=set)


def _loss_curves(kind: str) -> Callable[[], Widget]:
    return lambda: widgets.loss_curves(kind, reach=50, shift=720 if kind == "softmax" else 0)


def _learnt(method: str) -> Callable[[], Widget]:
    return lambda: widgets.newton("rosenbrock", start=[-1.2, 1.0], method=method, k=6, memory=1, compare=[])


THREE = np.array([[-1.0, 0.0, 0.2], [1.0, 0.0, 0.0], [0.0, 1.5, 0.1]])
_wells = lambda w: 0.1 + (w[..., 0] ** 2 - 1) ** 2 + w[..., 1] ** 2
_shifted = lambda w: _wells(w - [0.1, 0.4, 0.0]) + 0.05


# the length of the axis, and formulas that agree, change the picture or nothing that can be said
_AXIS = {"Axis up to ±", "Compute as textbooks write it"}
_SCHEDULES = ["constant", "step", "exponential", "inverse", "cosine", "restarts", "one_cycle", "drawn"]

FACES: dict[str, list[Face]] = {
    # at the edge to x the sentence is about x alone
    "backprop": [
        Face(lambda: widgets.backprop(activation="softmax")),
        Face(
            lambda: widgets.backprop(
                [0.5, -1.2, 2.0], [[0.2, -1.0, 0.4], [1.1, 0.3, -0.5], [-0.6, 0.8, 0.9]], [0.3, 0.1, -0.7],
                activation="tanh", loss="squared", stage=5, requires_grad=["x", "W", "b"],
            ), 12, {"W", "b"},
        ),
    ],
    "chord": [
        Face(lambda: widgets.chord("square", bounds="parabolas", mu=1, L=3), 5),
        Face(lambda: widgets.chord("ring"), 2),
        Face(widgets.chord),
        Face(lambda: widgets.chord("star")),
    ],
    "classifier": [
        Face(lambda: widgets.classifier(steps=50, n=40, width=6), 18),
        Face(lambda: widgets.classifier("spirals", steps=50, n=40, width=6, penalty="l2", view="slice"), 19),
    ],
    "constrained": [
        Face(lambda: widgets.constrained("disk", 1.2, centre=(1.6, 1.0), kappa=4, projected=True, lr=0.02), 6),
        Face(widgets.constrained),
        Face(lambda: widgets.constrained("halfplane", projected=True)),
    ],
    "critical_points": [
        Face(lambda: widgets.critical_points(lr=0.3), 4),
        Face(lambda: widgets.critical_points(basins=True)),
    ],
    "explore": [
        Face(lambda: widgets.explore("rosenbrock", ["gd", "adam"], lr=1e-3)),
        Face(
            lambda: widgets.explore(
                "bowl", ["gd", "momentum", "adam"], steps=60, lr=0.02, phase=("momentum", "beta"),
                schedules={"constant": oc.constant_rate(1.0), "step": oc.step_decay(1.0, every=20)},
            ), 15,
        ),
    ],
    "feedback": [Face(widgets.feedback, 5, {"Evaluation to move"})],
    "fit": [
        Face(lambda penalty=penalty: widgets.fit(penalty=penalty), 2 if penalty == "none" else 4)
        for penalty in ("none", "l2", "l1", "stop")
    ],
    "gradient_cloud": [Face(widgets.gradient_cloud, 6)],
    "loss_curves": [
        Face(_loss_curves("score"), 8, _AXIS),
        Face(_loss_curves("residual"), 6, _AXIS),
        Face(_loss_curves("softmax"), 4, _AXIS),
        Face(lambda: widgets.loss_curves("softmax", naive=True)),
    ],
    "moments": [Face(lambda: widgets.moments("noisy", scale=1e-6), 12), Face(lambda: widgets.moments("sparse"))],
    "newton": [
        Face(widgets.newton, 7, {*METHODS.values(), "Damping τ"}),
        *(
            Face(_learnt(method), count + 4, set(METHODS.values()))
            for method, count in (("lbfgs", 4), ("sr1", 4), ("bfgs", 3))
        ),
    ],
    "plane": [Face(lambda: widgets.plane({"far": THREE, "near": 0.3 * THREE}, _wells, _shifted), 3)],
    "quiz": [Face(lambda: Quiz("3.1", QUESTIONS))],
    "regression": [Face(widgets.regression, 5)],
    "schedule": [Face(widgets.schedule), Face(lambda: widgets.schedule(_SCHEDULES), 27)],
    "signal": [Face(lambda: widgets.signal(init="he"), 6)],
    "spectrum": [Face(widgets.spectrum, 4)],
    "training": [
        Face(
            lambda: widgets.training(
                {k: {"loss": np.arange(1, 100.0) ** -k, "end": 1 / k} for k in range(1, 9)},
                curves=["loss"], values=["end"],
            ), 2,
        ),
        Face(
            lambda: widgets.training(
                {k: {"weights": np.outer([1, 0.25 * k], [0.5, 0, -1]), "region": np.tri(3, 4, k, int)} for k in (0, 1)},
                images=["weights", "region"],
            ), 1,
        ),
    ],
    "workers": [Face(lambda: widgets.workers(4, delay=2), 5)],
}  # fmt: skip


def faces(name: str) -> list[Face]:
    """Every listed way to make the widget; without one, its factory."""
    return FACES.get(name) or [Face(getattr(widgets, name))]


def example(name: str) -> Widget:
    """The widget in its first form."""
    return faces(name)[0].make()


ALL = [(f"{name}-{k}", face) for name in NAMES for k, face in enumerate(faces(name))]
