"""What a prediction costs, and the gradient of that cost; stable sigmoid, softmax and log-sum-exp.

Every loss has one form: `loss(pred, target, axis=None) -> (value, grad)`. The value is a mean over
samples (natural logarithm throughout) and `grad` is its gradient in `pred`, of the shape of `pred`.
`axis` is that of np.mean:

- `axis=None` averages over everything and gives one number;
- `axis=-1` averages over the last axis only, so that leading axes are a batch of separate losses;
- `axis=()` averages over nothing: every sample's own loss and slope.

Losses of class scores (`cross_entropy`, `multiclass_hinge`) first reduce the last axis, which holds the
scores. All run on any leading axes, keep float32 and pass through `trace`. An infinite or nan prediction
gives an infinite or nan value.
"""

from typing import Any

import numpy as np

from .support import as_floats, explains
from .symbolic import Traced

__all__ = [
    "accuracy",
    "binary_cross_entropy",
    "cross_entropy",
    "hinge",
    "huber",
    "log_softmax",
    "logsumexp",
    "mae",
    "mse",
    "multiclass_hinge",
    "sigmoid",
    "softmax",
    "softplus",
]

Axis = int | tuple[int, ...] | None


def _pair(pred, target):
    """Both as floats of the type of `pred`. Refuses (n, 1) against (n,), which would broadcast to (n, n)."""
    pred, target = as_floats(pred), as_floats(target)
    if pred.shape[pred.ndim - target.ndim :] != target.shape:
        raise ValueError(f"Predictions of shape {pred.shape} do not fit targets of shape {target.shape}.")
    return pred, target if isinstance(target, Traced) else target.astype(pred.dtype, copy=False)


def _mean(losses, slopes, axis: Axis):
    """Mean of the samples' losses, and its gradient: the slopes over the number of samples in one mean."""
    if losses.size == 0:
        raise ValueError("A mean over no samples is not defined; the batch is empty.")
    total = losses.sum(axis=axis)
    n = losses.size / total.size
    return total / n, slopes / n


# ------------------------------------------------------------------------------------- stable functions


@explains
def sigmoid(z: Any) -> Any:
    """σ(z) = 1/(1 + e⁻ᶻ), element by element, without overflow: only e^(-|z|) is computed.

    Exact to rounding in both tails: σ(-745) is the smallest positive float, not 0. σ' = σ(1 - σ).
    Source: Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, chapter 1, on such rewriting.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    z = as_floats(z)
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1.0, e) / (1 + e)


@explains
def softplus(z: Any) -> Any:
    """ln(1 + eᶻ) = max(z, 0) + ln(1 + e^(-|z|)), element by element; its slope is the sigmoid.

    Source: Goodfellow, Bengio and Courville, *Deep Learning*, 2016, §3.10.

    >>> softplus(np.array([-1000.0, 0.0, 1000.0])).round(4).tolist()
    [0.0, 0.6931, 1000.0]
    """
    z = as_floats(z)
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


@explains
def logsumexp(z: Any, axis: int = -1, keepdims: bool = False) -> Any:
    """ln Σⱼ e^(zⱼ) along `axis`, the largest entry taken out first so that nothing overflows.

    Source: Blanchard, Higham and Higham, "Accurately computing the log-sum-exp and softmax functions", IMA
    Journal of Numerical Analysis 41, 2021. Raises ValueError when the axis is empty.

    >>> round(float(logsumexp([1000.0, 1001.0, 1002.0])), 6)
    1002.407606
    """
    z = as_floats(z)
    top = np.max(z, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)  # inf - inf would be nan
    with np.errstate(divide="ignore"):  # all entries -inf: ln 0 = -inf is the answer
        total = top + np.log(np.sum(np.exp(z - top), axis=axis, keepdims=True))
    return total if keepdims else np.squeeze(total, axis=axis)


@explains
def log_softmax(z: Any, axis: int = -1) -> Any:
    """zᵢ - ln Σⱼ e^(zⱼ) along `axis`: the logarithm of `softmax`, also where the softmax underflows.

    >>> log_softmax([0.0, -1000.0]).tolist()
    [0.0, -1000.0]
    """
    z = as_floats(z)
    z = z - np.maximum.reduce(z, axis=axis, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=axis, keepdims=True))


@explains
def softmax(z: Any, axis: int = -1) -> Any:
    """pᵢ = e^(zᵢ)/Σⱼ e^(zⱼ) along `axis`: positive, sums to one, the same for z and z + c.

    Its Jacobian is diag(p) - ppᵀ, with p as a column. Source: Goodfellow, Bengio and Courville, *Deep Learning*,
    2016, §4.1 and §6.2.2.3.

    >>> softmax([1000.0, 1001.0, 1002.0]).round(6).tolist()
    [0.090031, 0.244728, 0.665241]
    """
    z = as_floats(z)
    e = np.exp(z - np.maximum.reduce(z, axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


# ------------------------------------------------------------------------------------------- regression


@explains
def mse(pred: Any, target: Any, axis: Axis = None) -> tuple[Any, Any]:
    """Mean squared error: mean of r², r = pred - target; gradient 2r/n. In squared units of the target.

    Shapes: pred (…, n), target the same or its last axes. Raises ValueError when they do not fit or are
    empty. PyTorch's MSELoss.

    >>> value, grad = mse([3.0, 4.0, 5.0, 6.0, 7.0], [4.0, 3.0, 8.0, 9.0, 11.0])
    >>> float(value), grad.tolist()
    (7.2, [-0.4, 0.4, -1.2, -1.2, -1.6])
    """
    pred, target = _pair(pred, target)
    r = pred - target
    return _mean(r**2, 2 * r, axis)


@explains
def mae(pred: Any, target: Any, axis: Axis = None) -> tuple[Any, Any]:
    """Mean absolute error: mean of |r|, r = pred - target; (sub)gradient sign(r)/n, 0 at r = 0.

    In units of the target. Shapes and errors as in `mse`. PyTorch's L1Loss.

    >>> value, grad = mae([1.0, 2.0, 6.0, 3.0], [2.0, 2.0, 2.0, 2.0])
    >>> float(value), grad.tolist()
    (1.5, [-0.25, 0.0, 0.25, 0.25])
    """
    pred, target = _pair(pred, target)
    r = pred - target
    return _mean(np.abs(r), np.sign(r), axis)


@explains
def huber(pred: Any, target: Any, delta: float = 1.0, axis: Axis = None) -> tuple[Any, Any]:
    """Huber's loss: r²/2 where |r| ≤ δ, δ(|r| - δ/2) beyond; gradient r clipped to [-δ, δ], over n.

    Both branches are a(|r| - a/2) with a = min(|r|, δ). δ is in units of the target. Source: Huber,
    "Robust estimation of a location parameter", Annals of Mathematical Statistics 35, 1964. PyTorch's
    HuberLoss. Raises ValueError unless delta > 0; otherwise shapes and errors as in `mse`.

    >>> value, grad = huber([0.5, -3.0], [0.0, 0.0])
    >>> float(value), grad.tolist()
    (1.3125, [0.25, -0.5])
    """
    if not delta > 0:
        raise ValueError(f"delta must be positive, got {delta}.")
    pred, target = _pair(pred, target)
    r = pred - target
    a = np.minimum(np.abs(r), delta)
    return _mean(a * (np.abs(r) - a / 2), np.clip(r, -delta, delta), axis)


# --------------------------------------------------------------------------------------- classification


def _check_targets(target, allowed: str, wrong) -> None:
    """Complain when the targets of a classification are of another kind than the loss expects."""
    if not isinstance(target, Traced) and (found := wrong(target)).any():
        raise ValueError(f"Targets must be {allowed}; found {target[found].ravel()[0]:g}.")


@explains
def binary_cross_entropy(logits: Any, target: Any, axis: Axis = None) -> tuple[Any, Any]:
    """Mean of softplus(z) - yz = -y ln σ(z) - (1 - y) ln(1 - σ(z)) for logits z; gradient (σ(z) - y)/n.

    In nats. Shapes: logits (…, n), target the same or its last axes, with values in [0, 1]. Finite for
    every finite logit. Source: Goodfellow, Bengio and Courville, *Deep Learning*, 2016, §6.2.2.2.
    PyTorch's BCEWithLogitsLoss. Raises ValueError for targets outside [0, 1] and for shapes that do not
    fit.

    >>> value, grad = binary_cross_entropy([-10.0, 40.0, -800.0], [1.0, 0.0, 1.0], axis=())
    >>> value.round(6).tolist(), grad.round(5).tolist()
    ([10.000045, 40.0, 800.0], [-0.99995, 1.0, -1.0])
    """
    z, y = _pair(logits, target)
    _check_targets(y, "probabilities in [0, 1]", lambda y: ~((y >= 0) & (y <= 1)))
    return _mean(np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z))), sigmoid(z) - y, axis)


@explains
def hinge(scores: Any, target: Any, axis: Axis = None) -> tuple[Any, Any]:
    """Mean of max(0, 1 - ys) for labels y = ±1 and raw scores s; (sub)gradient -y/n where ys < 1, else 0.

    Shapes: scores (…, n), target the same or its last axes. Source: Cortes and Vapnik, "Support-vector
    networks", Machine Learning 20, 1995. Raises ValueError for labels other than -1 and 1 and for shapes
    that do not fit.

    >>> value, grad = hinge([0.3, 2.0, -0.5], [1, 1, -1])
    >>> round(float(value), 6), grad.round(4).tolist()
    (0.4, [-0.3333, 0.0, 0.3333])
    """
    s, y = _pair(scores, target)
    _check_targets(y, "-1 or 1", lambda y: np.abs(y) != 1)
    return _mean(np.maximum(1 - y * s, 0), np.where(y * s < 1, -y, 0.0), axis)


def _one_hot(scores, target):
    """Classes as rows of probabilities, in the type of the scores: labels (…) become rows (…, k)."""
    k = scores.shape[-1]
    target = np.asarray(target)
    if target.dtype.kind in "iu" and target.shape == scores.shape[:-1]:
        _check_targets(target, f"class numbers from 0 to {k - 1}", lambda y: (y < 0) | (y >= k))
        target = target[..., None] == np.arange(k)
    elif target.shape != scores.shape:
        raise ValueError(
            f"Scores of shape {scores.shape} need integer labels of shape {scores.shape[:-1]} or as many "
            f"probabilities, not {target.dtype.name} of shape {target.shape}."
        )
    else:
        _check_targets(target.sum(axis=-1), "probabilities that sum to one", lambda sums: ~(np.abs(sums - 1) < 1e-3))
    return target.astype(scores.dtype)


@explains
def cross_entropy(logits: Any, target: Any, axis: Axis = None) -> tuple[Any, Any]:
    """Mean of -Σⱼ yⱼ ln pⱼ, p = softmax(logits); gradient (p - y)/n. In nats.

    Shapes: logits (…, n, k); target integer labels (…, n), for which a sample costs ln Σⱼ e^(zⱼ) - z_y,
    or rows of probabilities (…, n, k) that sum to one (label smoothing, mixtures). A uniform prediction
    costs ln k. Source: Goodfellow, Bengio and Courville, *Deep Learning*, 2016, §3.13 and §6.2.2.3.
    PyTorch's CrossEntropyLoss. Raises ValueError for labels outside 0 … k-1, rows that do not sum to one
    and shapes that do not fit.

    >>> value, grad = cross_entropy([[1000.0, 1001.0, 1002.0]], [2])
    >>> round(float(value), 6), grad.round(6).tolist()
    (0.407606, [[0.090031, 0.244728, -0.334759]])
    """
    z = as_floats(logits)
    y = _one_hot(z, target)
    log_p = log_softmax(z)
    losses = (-y * np.where(y == 0, 0.0, log_p)).sum(axis=-1)  # 0 · ln 0 counts as 0
    return _mean(losses, np.exp(log_p) - y, axis)


@explains
def multiclass_hinge(scores: Any, target: Any, axis: Axis = None) -> tuple[Any, Any]:
    """Mean of Σ_{j≠y} max(0, 1 - s_y + sⱼ): every wrong class must stay a margin of 1 below the right one.

    Shapes: scores (…, n, k), target integer labels (…, n) or one-hot rows. Source: Weston and Watkins,
    "Support vector machines for multi-class pattern recognition", ESANN 1999. PyTorch's MultiMarginLoss
    divides this sum by k. Errors as in `cross_entropy`.

    >>> value, grad = multiclass_hinge([[3.2, 5.1, -1.7]], [0])
    >>> round(float(value), 6), grad.tolist()
    (2.9, [[-1.0, 1.0, 0.0]])
    """
    s = as_floats(scores)
    y = _one_hot(s, target)
    right = np.sum(y * s, axis=-1, keepdims=True)
    margins = np.where(y == 1, 0.0, 1 - right + s)
    wrong = np.where(margins > 0, np.ones_like(s), 0.0)
    slopes = wrong - y * np.sum(wrong, axis=-1, keepdims=True)
    return _mean(np.sum(np.maximum(margins, 0), axis=-1), slopes, axis)


@explains
def accuracy(scores: Any, target: Any) -> float:
    """Share of samples whose largest score is that of the right class, from 0 to 1.

    Shapes: scores (…, k) with labels (…) or one-hot rows (…, k); of equal scores the first counts. A
    single score a sample, (…, 1) against (…, 1), is right when it is positive exactly where the target
    is (0/1 or ±1).

    >>> accuracy([[0.1, 2.0], [3.0, 0.0], [0.0, 1.0]], [1, 0, 0])
    0.6666666666666666
    """
    scores, target = np.asarray(scores), np.asarray(target)
    if scores.size == 0:
        raise ValueError("The accuracy of no samples is not defined.")
    if scores.shape[-1] == 1 and target.shape == scores.shape:
        return float(np.mean((scores > 0) == (target > 0)))
    return float(np.mean(np.argmax(scores, -1) == np.argmax(_one_hot(scores, target), -1)))
