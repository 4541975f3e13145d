"""`oc.fit()`: points, a curve of more or fewer features through them, and what penalties do to it."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..descent import descend
from ..regularizers import ista
from ..rules import gd
from ..support import explains
from ..symbolic import TraceError, trace
from .allowed import choice, number, pairs, whole
from .base import Goal, Setting, Widget, plain, rounded

__all__ = ["Fit", "fit", "legendre"]

PENALTIES = {"none": "none", "l2": "L2 (ridge)", "l1": "L1 (lasso)", "stop": "early stopping"}
_WINDOW = ((-1.0, 1.0), (-2.5, 2.5))


def legendre(x: Any, degree: int = 20) -> list:
    """√(2k+1)·P_k(x) for k = 0 … degree: polynomials that are orthonormal for x uniform on (-1, 1).

    >>> [round(float(p), 4) for p in legendre(0.5, degree=2)]
    [1.0, 0.866, -0.2795]
    """
    p = [1.0 + 0.0 * x, x]
    for k in range(1, degree):
        p.append(((2 * k + 1) * x * p[k] - k * p[k - 1]) / (k + 1))
    return [(2 * k + 1) ** 0.5 * p[k] for k in range(degree + 1)]


class Fit(Widget):
    """A curve fitted to points that can be dragged, with train and test error; `fit` makes it."""

    name = "fit"
    line = "Raise the degree, drag the points, choose a regularizer: what happens to the error on held-out points?"
    points = Setting("The training points, a list of [x, y].", pairs(2, 40, ((-1, 1), (-2.5, 2.5))))
    degree = Setting("The number of features after the first.", whole())
    penalty = Setting("'none', 'l2', 'l1' or 'stop'.", choice(PENALTIES))
    lam = Setting("Strength λ of the penalty.", number(1e-5, 10))
    steps = Setting("Steps of gradient descent before it is stopped.", whole(1, 1000))

    def __init__(self, points, test, truth, features, settings):
        self._features = trace(lambda x: np.stack(features(x)), ())
        most = self._features.outputs["y"].shape[0] - 1
        self._most = most
        value = plain(self.checked({"points": np.round(points, 4), **settings}))
        grid = np.linspace(*_WINDOW[0], 101)
        super().__init__(
            spec={
                "title": "Fitting a curve",
                "features": self._features.program(),
                "most": most,
                "window": _WINDOW,
                "test": np.round(test, 4),
                "truth": np.round(truth(grid), 4),
                "penalties": [{"value": k, "label": v} for k, v in PENALTIES.items()],
            },
            value=value,
            label=f"Fit(degree {settings['degree']}, {settings['penalty']})",
            summary=f"{len(points)} points and a curve of degree {settings['degree']} through them.",
        )

    def checked(self, value: dict) -> dict:
        value = super().checked(value)
        if value["degree"] > self._most:
            raise ValueError(f"degree must be at most {self._most}; it was {value['degree']}.")
        return value

    def design(self, x: Any) -> np.ndarray:
        """The features of the points x (n,): the matrix F, (n, degree + 1)."""
        return np.array([self._features(v) for v in np.asarray(x, float)])[:, : self.degree + 1]

    def coefficients(self) -> np.ndarray:
        """The minimiser w of ‖Fw - y‖²/2n + penalty, the first coefficient free, as the page computes it.

        Without penalty the shortest of all w that fit best; for "stop" gradient descent from 0 with 1/‖FᵀF/n‖∞.
        """
        x, y = np.array(self.points, float).T
        F, n = self.design(x), len(x)
        G, c = F.T @ F / n, F.T @ y / n
        free = np.r_[0.0, np.ones(self.degree)]
        rate = 1 / np.abs(G).sum(axis=1).max()
        if self.penalty == "l2":
            A, b = np.r_[F, np.sqrt(n * self.lam) * np.diag(free)], np.r_[y, np.zeros(len(c))]
            return np.linalg.lstsq(A, b, rcond=None)[0]
        if self.penalty == "l1":
            return ista(lambda w: G @ w - c, np.zeros(len(c)), 20_000, rate, self.lam * free)[-1]
        if self.penalty == "stop":
            return descend(gd, None, np.zeros(len(c)), self.steps, rate, grad=lambda w: G @ w - c).final
        return np.linalg.lstsq(F, y, rcond=None)[0]

    def errors(self) -> tuple[float, float]:
        """Mean squared error on the training points and on the held-out points."""
        w = self.coefficients()
        mean = lambda x, y: float(np.mean((self.design(x) @ w - y) ** 2))
        return mean(*np.array(self.points, float).T), mean(*np.array(self.spec["test"], float).T)

    def goal(self) -> Goal | None:
        (x, y), (u, v) = np.array(self.points, float).T, np.array(self.spec["test"], float).T
        F, G = (np.array([self._features(p) for p in at]) for at in (x, u))
        plain_fits = [np.linalg.lstsq(F[:, : d + 1], y, rcond=None)[0] for d in range(self._most + 1)]
        tests = [float(np.mean((G[:, : len(w)] @ w - v) ** 2)) for w in plain_fits]
        limit, now = rounded(1.03 * min(tests)), self.errors()[1]
        if not limit < 0.97 * now:
            return None
        return Goal(
            f"Bring the error on the held-out points below {limit:g}.",
            [("test", "<", limit)],
            "it is {test}, at degree {degree}.",
        )

    def still(self):
        """The points and the curve."""
        from ..plotting import plt

        figure, ax = plt.subplots(figsize=(5.4, 3.2))
        grid = np.linspace(*_WINDOW[0], 301)
        ax.plot(*np.array(self.spec["test"]).T, ".", color="#c2410c", alpha=0.4, label="held out")
        ax.plot(*np.array(self.points, float).T, "o", color="#0b63b5", label="training")
        ax.plot(grid, self.design(grid) @ self.coefficients(), color="#0b63b5")
        ax.set(ylim=_WINDOW[1], xlabel="x")
        ax.legend()
        return figure


def _wave(x: Any) -> Any:
    return np.sin(3.5 * x) + 0.3 * x


@explains
def fit(
    points: Sequence | None = None,
    *,
    degree: int = 12,
    penalty: str = "none",
    lam: float = 0.01,
    steps: int = 30,
    noise: float = 0.3,
    n: int = 15,
    truth: Callable = _wave,
    features: Callable = legendre,
    seed: int = 0,
) -> Fit:
    """Raise the degree, bend the curve with L1, L2 or early stopping, drag the points: train against test error.

    points: (n, 2) training points with x in (-1, 1), |y| ≤ 2.5; by default n draws of truth(x) + noise·N(0, 1), as
    are the 100 held-out points. features: a traceable function of a number x that returns a list of features, of
    which the first degree + 1 are used; past n of them the shortest fit is drawn. penalty: "none", "l2" (λ/2·Σw²),
    "l1" (λΣ|w|) or "stop" (`steps` of gradient descent); it leaves the first coefficient alone. Read back
    `.points`, `.degree`, `.lam`, …, `.coefficients()`, `.errors()`.

    >>> from optcore.widgets.fit import fit
    >>> train, test = fit(degree=14).errors()
    >>> train < 1e-12 and test > 0.3
    True
    """
    number(0).check("noise", noise)
    whole(2, 40).check("n", n)
    rng = np.random.default_rng(seed)

    def draw(count):
        x = 2 * (np.arange(count) + rng.random(count)) / count - 1  # one in each of so many equal parts
        y = truth(x) + noise * rng.standard_normal(count)
        return np.stack([x, np.clip(y, *_WINDOW[1])], axis=1)

    own = draw(n) if points is None else points
    Fit.points.allowed.check("points", own)
    settings: dict = {"degree": degree, "penalty": penalty, "lam": lam, "steps": steps}
    try:
        return Fit(
            own, draw(100), truth, features, {**settings, "against": "degree" if penalty == "none" else "strength"}
        )
    except TraceError as error:
        raise ValueError(f"The features cannot run in the page: {str(error).rstrip('.')}.") from None
