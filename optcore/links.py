"""Links: what composes with a rule by `chain`, and what is put around gradients and around runs.

A link has the form of a rule; most have no state.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .rule_spec import apply, name_of, spec
from .support import as_floats, explains, pickles, real

__all__ = [
    "averaged",
    "cautious",
    "clip_global_norm",
    "clip_norm",
    "clip_value",
    "decay",
    "gradient_noise",
    "lookahead",
    "sam",
    "trust_ratio",
    "weight_average",
]


def _length(g):
    """‖g‖ over the last axis, kept; where squares overflow, by way of g/max|g|."""
    if np.ndim(g) == 0:
        raise TypeError(f"A link takes a gradient of shape (…, n), not {g!r}; functools.partial sets its numbers.")
    plain, top = np.linalg.norm(g, axis=-1, keepdims=True), np.max(np.abs(g), axis=-1, keepdims=True)
    safe = np.where((top > 1) & np.isfinite(top), top, 1.0)
    return np.where(np.isfinite(plain), plain, top * np.linalg.norm(g / safe, axis=-1, keepdims=True))


def clip_value(g, *, max_value=1.0):
    """Clip each coordinate to [-max_value, max_value]; unlike `clip_norm` it may turn the direction.

    Source: Goodfellow, Bengio & Courville 2016, §10.11.1; torch.nn.utils.clip_grad_value_.

    >>> clip_value(np.array([30.0, 0.5]))
    array([1. , 0.5])
    """
    return np.clip(g, -max_value, max_value)


def clip_norm(g, *, max_norm=1.0):
    """Shorten `g` to length `max_norm` if it is longer: `d = g·min(1, c/(‖g‖ + 1e-6))`.

    Source: Pascanu, Mikolov & Bengio 2013, Algorithm 1; the 1e-6 is that of torch.nn.utils.clip_grad_norm_.

    >>> clip_norm(np.array([3.0, 4.0])).round(4)
    array([0.6, 0.8])
    """
    return g * np.minimum(1.0, max_norm / (_length(g) + 1e-6))


def decay(g, *, w, weight_decay=0.01):
    """Weight decay: `d = g + λw`. Before a rule it is an L2 penalty (λ/2)‖w‖², after it decoupled decay.

    Source: Loshchilov & Hutter 2019, Algorithms 1 and 2.

    >>> decay(np.array([0.0]), w=np.array([2.0]), weight_decay=0.1)
    array([0.2])
    """
    return g + weight_decay * w


def trust_ratio(g, *, w, coefficient=1.0):
    """Give the step the length of the weights: `d = c·‖w‖/‖g‖·g`; d = g where either norm is 0.

    Source: You, Gitman & Ginsburg 2017 (LARS); the form of optax.scale_by_trust_ratio.

    >>> trust_ratio(np.array([0.0, 0.5]), w=np.array([3.0, 4.0]))
    array([0., 5.])
    """
    size, length = _length(w), _length(g)
    both = (size > 0) & (length > 0)
    return np.where(both, coefficient * size / np.where(both, length, 1.0), 1.0) * g


def lookahead(g, slow="w", *, w, t, lr, period=5.0, pull=0.5):
    """Lookahead: every `period` steps the weights go back to a slow copy, which has moved by `pull` towards them.

    After the rule: `chain(adam, lookahead)`. `slow <- slow + α(w - lr·d - slow)`, and the step leads there.
    Source: Zhang et al. 2019, Algorithm 1; what the rule remembers goes on.

    >>> lookahead(np.array([1.0]), np.array([9.0]), w=np.array([2.0]), t=5, lr=1.0)
    (array([-3.]), array([5.]))
    """
    ahead = w - lr * g
    meet, now = slow + pull * (ahead - slow), t % period == 0
    return np.where(now, (w - meet) / (lr + (lr == 0)), g), np.where(now, meet, slow)


def weight_average(g, mean="w", *, w, lr, memory=0.999):
    """The running average of the weights, `mean <- β·mean + (1-β)(w - lr·d)`, from w₀; the run itself stays as it is.

    Last in a chain: `chain(adam, weight_average)`. Read it from `path.state["mean"]` or `Optimizer.state()`.
    Source: Polyak & Juditsky 1992, with exponential weights; torch.optim.swa_utils.get_ema_multi_avg_fn.

    >>> weight_average(np.array([1.0]), np.array([0.0]), w=np.array([2.0]), lr=1.0, memory=0.5)
    (array([1.]), array([0.5]))
    """
    return g, memory * mean + (1 - memory) * (w - lr * g)


@pickles
def cautious(rule: Callable) -> Callable:
    """The rule without the coordinates in which its direction and the gradient disagree; the others grow to make up.

    `d <- d·k/max(mean k, 1e-3)` with k = 1 where d·g > 0, else 0. Source: Liang et al. 2024, Algorithm 1.

    >>> from optcore import momentum
    >>> cautious(momentum)(np.array([1.0, 1.0]), np.array([1.0, -9.0]))[0].round(3)
    array([3.8, 0. ])
    """

    spec(rule)  # says what is wrong with what is no rule

    def careful(g, *state, **keywords):
        d, *new = apply(rule, g, state or tuple(spec(rule).state.values()), keywords)
        agree = np.where(d * g > 0, np.ones_like(g), 0.0)
        share = np.mean(agree, axis=(-2, -1) if spec(rule).takes_matrices else -1, keepdims=True)
        return (np.where(agree > 0, d / np.maximum(share, 1e-3), 0.0), *new)

    careful.__signature__ = inspect.signature(rule)  # type: ignore[attr-defined]
    careful.__name__ = f"cautious_{name_of(rule)}"
    return careful


@pickles
def gradient_noise(seed: int = 0) -> Callable:
    """A link that adds annealed normal noise: `d = g + std·t^{-γ/2}·ξ`, ξ drawn from (seed, t) alone.

    The same step gets the same draws in every run and for every array of the same length, so runs stay comparable.
    Source: Neelakantan et al. 2015, whose variance is η/(1+t)^γ with t from 0.

    >>> gradient_noise(seed=0)(np.zeros(2), t=1, std=1.0).round(3)
    array([ 0.103, -0.981])
    """

    def noisy(g, *, t, std=0.1, gamma=0.55):
        draws = np.random.default_rng([seed, int(t)]).standard_normal(g.shape[-1]).astype(g.dtype)
        return g + std * t ** (-gamma / 2) * draws

    return noisy


# ------------------------------------------------------------------------------------ around gradients and around runs


@explains
def clip_global_norm(grads: Any, max_norm: float = 1.0) -> tuple[Any, float]:
    """Shorten a list or dict of gradients by one common factor min(1, c/(‖g‖ + 1e-6)), ‖g‖ over all of them.

    Returns (clipped gradients, the norm before); nothing is written into. The direction of the whole stays as it was.
    Source: Pascanu, Mikolov & Bengio 2013, Algorithm 1; the 1e-6 is that of torch.nn.utils.clip_grad_norm_.

    >>> clipped, norm = clip_global_norm([np.array([3.0, 0.0]), np.array([4.0])], max_norm=1.0)
    >>> norm, [c.round(5).tolist() for c in clipped]
    (5.0, [[0.6, 0.0], [0.8]])
    """
    named = grads if isinstance(grads, Mapping) else dict(enumerate(grads))
    if not max_norm >= 0:
        raise ValueError(f"max_norm must be 0 or more; it was {max_norm}.")
    norm = float(np.sqrt(sum(np.sum(np.square(g)) for g in named.values())))
    if not np.isfinite(norm):  # squares of float32 numbers overflow at 2e19
        norm = float(np.sqrt(sum(np.sum(np.square(g, dtype=float)) for g in named.values())))
    factor = min(1.0, max_norm / (norm + 1e-6))
    clipped = {key: g * factor for key, g in named.items()}
    return (clipped if isinstance(grads, Mapping) else [*clipped.values()]), norm


@pickles
def sam(grad: Callable, rho: float = 0.05) -> Callable:
    """Sharpness-aware minimisation: the gradient at the worst point nearby, `w -> ∇f(w + ρ∇f(w)/‖∇f(w)‖)`.

    grad maps points (…, n) to gradients; so does the result, for `descend(rule, f, …, grad=sam(f.grad))` with any rule.
    Source: Foret et al. 2021, eq. 2–3.

    >>> sam(lambda w: 2 * w, rho=0.5)(np.array([3.0, 4.0])).round(6)
    array([6.6, 8.8])
    """

    def perturbed(w):
        g = grad(w)
        return grad(w + rho * g / (np.linalg.norm(g, axis=-1, keepdims=True) + 1e-12))

    return perturbed


@explains
def averaged(points: Any, beta: float = 0.0) -> np.ndarray:
    """The average that belongs to each point of a path: `x_t = x_{t-1} + (w_t - x_{t-1})/((1-β)t + β)`.

    points is (steps + 1, …), and so is the result; x_0 = w_0 does not count. With β = 0 the mean of w_1 … w_t; for the
    last part of a run only, pass that part. With the β of `schedule_free`, the x of that rule.
    Source: Polyak & Juditsky 1992; Defazio et al. 2024.

    >>> averaged([9.0, 1.0, 2.0, 3.0])
    array([9. , 1. , 1.5, 2. ])
    >>> averaged([9, 1, 2, 3])
    array([9. , 1. , 1.5, 2. ])
    """
    if not 0 <= real("beta", beta) <= 1:
        raise ValueError(f"beta must be between 0 and 1; it was {beta}.")
    x = as_floats(points).copy()
    for t in range(1, len(x)):
        x[t] = x[t - 1] + (x[t] - x[t - 1]) / ((1 - beta) * t + beta)
    return x
