"""What keeps a fit from following its training data too closely: penalties, shrinkage, stopping, more data.

Penalties have the form of the losses, `penalty(w, λ, axis=None) -> (value, grad)`, summed over
everything, or over the last axis with `axis=-1` so that leading axes are a batch. `train(…,
penalty=partial(l2, lam=1e-3))` adds one to the matrices of a network and spares its biases. Dropout and
the norm layers are in `layers`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .losses import Axis
from .support import as_floats, explains, whole

__all__ = [
    "EarlyStopping",
    "elastic_net",
    "ista",
    "ista_step",
    "l1",
    "l2",
    "label_noise",
    "shift_images",
    "soft_threshold",
]


# -------------------------------------------------------------------------------------------- penalties


def _check_strength(*strengths: Any) -> None:
    for strength in strengths:
        if not np.all(np.asarray(strength) >= 0):
            raise ValueError(f"The strength of a penalty must be 0 or more, got {strength}.")


@explains
def l2(w: Any, lam: float, axis: Axis = None) -> tuple[Any, Any]:
    """λ Σ wᵢ², gradient 2λw: shrinks every weight by the same factor and makes none zero.

    PyTorch's weight_decay is 2λ: it stands for (weight_decay/2) Σ wᵢ². Shapes: w any, the gradient as w.
    Source: Hoerl and Kennard, "Ridge regression", Technometrics 12, 1970. Raises ValueError for λ < 0.

    >>> value, grad = l2(np.array([3.0, -4.0]), lam=0.1)
    >>> float(value), grad.round(6).tolist()
    (2.5, [0.6, -0.8])
    """
    _check_strength(lam)
    w = as_floats(w)
    return lam * (w**2).sum(axis=axis), 2 * lam * w


@explains
def l1(w: Any, lam: float, axis: Axis = None) -> tuple[Any, Any]:
    """λ Σ |wᵢ|, (sub)gradient λ·sign(w), 0 at 0. Exact zeros need `ista`, not this gradient.

    Shapes and errors as in `l2`. Source: Tibshirani, "Regression shrinkage and selection via the lasso",
    Journal of the Royal Statistical Society B 58, 1996.

    >>> value, grad = l1(np.array([3.0, 0.0, -4.0]), lam=0.5)
    >>> float(value), grad.tolist()
    (3.5, [0.5, 0.0, -0.5])
    """
    _check_strength(lam)
    w = as_floats(w)
    return lam * np.abs(w).sum(axis=axis), lam * np.sign(w)


@explains
def elastic_net(w: Any, lam1: float, lam2: float, axis: Axis = None) -> tuple[Any, Any]:
    """λ₁ Σ |wᵢ| + λ₂ Σ wᵢ²: the sum of `l1` and `l2`, values and gradients.

    Source: Zou and Hastie, "Regularization and variable selection via the elastic net", Journal of the Royal
    Statistical Society B 67, 2005, §2.

    >>> value, grad = elastic_net(np.array([3.0, -4.0]), lam1=0.5, lam2=0.1)
    >>> float(value), grad.round(6).tolist()
    (6.0, [1.1, -1.3])
    """
    (value1, grad1), (value2, grad2) = l1(w, lam1, axis), l2(w, lam2, axis)
    return value1 + value2, grad1 + grad2


# ------------------------------------------------------------------------------------- proximal descent


@explains
def soft_threshold(v: Any, t: Any) -> Any:
    """sign(v)·max(|v| - t, 0), element by element: the proximal map of t Σ |wᵢ|, zero wherever |v| ≤ t.

    It minimises ½(w - v)² + t|w|. Shapes: v (…), t a number or like v. Source: Parikh and Boyd, "Proximal
    algorithms", 2014, §6.5.2. Raises ValueError for t < 0.

    >>> soft_threshold([3.0, -0.5, -2.0], 1.0).tolist()
    [2.0, -0.0, -1.0]
    """
    if isinstance(t, (int, float, np.ndarray)):
        _check_strength(t)
    v = as_floats(v)
    return np.sign(v) * np.maximum(np.abs(v) - t, 0)


@explains
def ista_step(w: Any, g: Any, lr: Any, lam: Any) -> Any:
    """w <- soft_threshold(w - lr·g, lr·λ): a gradient step on the loss, then the proximal step of λ Σ |wᵢ|.

    Shapes: w and g (…, n). Source: Beck and Teboulle, "A fast iterative shrinkage-thresholding algorithm
    for linear inverse problems", SIAM Journal on Imaging Sciences 2, 2009, eq. 1.4.

    >>> ista_step(np.array([1.0, 0.1]), np.array([0.0, 0.5]), lr=0.1, lam=2.0).round(6).tolist()
    [0.8, 0.0]
    """
    return soft_threshold(w - lr * g, lr * lam)


@explains
def ista(grad: Callable, start: Any, steps: int, lr: float, lam: float) -> np.ndarray:
    """`steps` proximal gradient steps on loss + λ Σ |wᵢ| from the gradient of the loss; the path, (steps + 1, …, n).

    For a loss whose gradient has Lipschitz constant L, any lr ≤ 1/L lowers the objective at every step
    and the gap falls like ‖w₀ - w*‖²/(2·lr·k) (Beck and Teboulle 2009, Theorem 3.1). Raises ValueError
    for lr ≤ 0.

    >>> ista(lambda w: w - np.array([3.0, 0.5]), [0.0, 0.0], steps=1, lr=1.0, lam=1.0)[-1].tolist()
    [2.0, 0.0]
    """
    steps = whole("steps", steps, 0)
    if not lr > 0:
        raise ValueError(f"The learning rate must be positive, got {lr}.")
    path = [as_floats(start)]
    for _ in range(steps):
        path.append(ista_step(path[-1], grad(path[-1]), lr, lam))
    return np.stack(path)


# --------------------------------------------------------------------------------------------- stopping


class EarlyStopping:
    """Stop once a held-out loss has not improved `patience` times in a row.

    `step(value)` takes the newest value and returns True when it is time to stop. A value improves when
    it is below best - min_delta; nan never improves. Attributes: best, best_step (counted from 0), bad
    (misses in a row), improved (by the latest value). In `train(…, stop=EarlyStopping(5))` the best
    parameters are put back. Source: Prechelt, "Early stopping, but when?", 1998. Raises ValueError for a
    patience below 1 or min_delta < 0.

    >>> stop = EarlyStopping(patience=3)
    >>> [stop.step(v) for v in [3, 2, 2.5, 2.4, 2.3, 1]], stop.best_step
    ([False, False, False, False, True, False], 5)
    """

    @explains
    def __init__(self, patience: int = 5, min_delta: float = 0.0):
        if patience < 1 or not min_delta >= 0:
            raise ValueError(f"patience must be at least 1 and min_delta 0 or more, got {patience} and {min_delta}.")
        self.patience, self.min_delta = patience, min_delta
        self.best, self.best_step, self.bad, self.improved = np.inf, -1, 0, False
        self._step = -1

    def step(self, value: float) -> bool:
        """Count one value; True when `patience` values in a row have not improved."""
        self._step += 1
        self.improved = bool(value < self.best - self.min_delta)
        if self.improved:
            self.best, self.best_step, self.bad = float(value), self._step, 0
        else:
            self.bad += 1
        return self.bad >= self.patience


# ------------------------------------------------------------------------------------------------- data


@explains
def shift_images(X: Any, rng: Any, pixels: int = 1, background: Any = 0.0) -> np.ndarray:
    """Each image moved by whole pixels, up to `pixels` along either side, each move equally likely.

    Shapes: X (n, side²), rows of square images; the result is a new array like it. What moves in is
    `background`, a number or an image (side²,): 0 for raw or unit pixels; for centred pixels an empty
    image is minus the mean that was taken off. Helps only where moving keeps the label and the test
    images move too. Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to
    document recognition", Proceedings of the IEEE 86, 1998, §III. Raises ValueError for rows that are no
    square and for pixels < 0.

    >>> shift_images(np.arange(1.0, 5.0)[None], rng=4).tolist()
    [[4.0, 0.0, 0.0, 0.0]]
    """
    X = np.asarray(X)
    side = round(X.shape[-1] ** 0.5)
    if X.ndim != 2 or side * side != X.shape[1]:
        raise ValueError(f"Images come as rows of side² pixels, shape (n, side²), not {X.shape}.")
    if pixels < 0:
        raise ValueError(f"pixels must be 0 or more, got {pixels}.")
    empty = np.asarray(background, X.dtype)
    images = np.pad((X - empty).reshape(-1, side, side), ((0, 0), (pixels, pixels), (pixels, pixels)))
    top, left = np.random.default_rng(rng).integers(0, 2 * pixels + 1, (2, len(X), 1))
    rows, columns = top + np.arange(side), left + np.arange(side)
    moved = images[np.arange(len(X))[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved.reshape(X.shape) + empty


@explains
def label_noise(y: Any, share: float, rng: Any, classes: int | None = None) -> np.ndarray:
    """Labels with a share of them wrong: round(share·n) samples get another class, each other class as likely.

    Shapes: y (n,), integers 0 … classes - 1 (by default the largest label + 1); the result is a new
    array. share = 1 makes every label wrong, which is not the same as random labels: those are right
    once in `classes`. Raises ValueError unless 0 ≤ share ≤ 1 and there are two classes.

    >>> label_noise([0, 1, 2, 0, 1, 2], 0.5, rng=0).tolist()
    [0, 1, 2, 1, 2, 0]
    """
    y = np.array(y)
    classes = int(y.max(initial=0)) + 1 if classes is None else classes
    if not 0 <= share <= 1 or classes < 2:
        raise ValueError(f"Label noise needs a share in [0, 1] and two classes, got {share} and {classes}.")
    rng = np.random.default_rng(rng)
    wrong = rng.choice(len(y), round(share * len(y)), replace=False)
    y[wrong] = (y[wrong] + rng.integers(1, classes, len(wrong))) % classes
    return y
