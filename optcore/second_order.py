"""Newton and quasi-Newton steps and updates, and the same as update rules.

Steps and updates are pure functions on one point or on a batch: gradients g and steps p are (…, n), matrices
(…, n, n), and the next point is x + p. They never branch on values, so in two dimensions each of them traces
into the page. W stands for an estimate of the inverse Hessian (Nocedal & Wright write H for it), B for one of
the Hessian. `[NW]` is Nocedal & Wright, *Numerical Optimization*, 2nd ed., 2006.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .support import explains, pickles
from .symbolic import Differentiable

__all__ = [
    "bfgs_inverse_update",
    "lbfgs_direction",
    "newton_rule",
    "newton_step",
    "saddle_free_step",
    "sr1_update",
]


def _dot(a, b):
    return np.sum(a * b, axis=-1)


def _outer(a, b):
    return a[..., :, None] * b[..., None, :]


def _times(A, v):
    return (A @ v[..., None])[..., 0]


# ------------------------------------------------------------------------------------------------- steps and updates


@explains
def newton_step(g: Any, H: Any, damping: Any = 0.0) -> Any:
    """p = -(H + damping·I)⁻¹ g, by solving, not by inverting.

    With damping 0 it lands on the stationary point of the quadratic model, be it a minimum, a saddle or a
    maximum. Source: [NW] eq. 2.15; with damping, Levenberg's. Raises np.linalg.LinAlgError when the matrix is
    singular.

    >>> newton_step(np.array([1.0, 1.0]), np.diag([1.0, -2.0])).tolist()
    [-1.0, 0.5]
    """
    return -np.linalg.solve(H + damping * np.eye(g.shape[-1], dtype=g.dtype), g[..., None])[..., 0]


def _absolute(H):
    """|H| = (H²)^½: the same eigenvectors, the eigenvalues without their signs."""
    if H.shape[-2:] == (2, 2):
        # √M = (M + √det M·I)/√(tr M + 2√det M) for 2×2 (Cayley–Hamilton); here M = H² and √det M = |det H|.
        det = np.abs(H[..., 0, 0] * H[..., 1, 1] - H[..., 0, 1] * H[..., 1, 0])[..., None, None]
        M = H @ H
        trace_M = (M[..., 0, 0] + M[..., 1, 1])[..., None, None]
        return (M + det * np.eye(2, dtype=H.dtype)) / np.sqrt(np.maximum(trace_M + 2 * det, _TINY))
    values, vectors = np.linalg.eigh(H)
    return vectors * np.abs(values)[..., None, :] @ np.swapaxes(vectors, -1, -2)


@explains
def saddle_free_step(g: Any, H: Any, damping: Any = 0.0) -> Any:
    """p = -(|H| + damping·I)⁻¹ g with |H| = Q|Λ|Qᵀ: Newton's scaling, but always downhill.

    Source: Dauphin et al., "Identifying and attacking the saddle point problem", 2014, §5.
    Raises np.linalg.LinAlgError when the matrix is singular.

    >>> saddle_free_step(np.array([1.0, 1.0]), np.diag([1.0, -2.0])).tolist()
    [-1.0, -0.5]
    """
    return newton_step(g, _absolute(H), damping)


_TINY = float(np.finfo(np.float32).tiny)
FLAT = 1e-10  # the cosine between s and y up to which a pair counts as without curvature


def curves_up(s, y, skip):
    return _dot(s, y) > skip * np.linalg.norm(s, axis=-1) * np.linalg.norm(y, axis=-1)


@explains
def bfgs_inverse_update(W: Any, s: Any, y: Any, skip: float = FLAT) -> Any:
    """W⁺ = (I - ρsyᵀ) W (I - ρysᵀ) + ρssᵀ with ρ = 1/(yᵀs): the inverse Hessian estimate after a step s.

    s is the step taken and y the change of the gradient along it. W⁺y = s (the secant equation), and W⁺ is
    positive definite when W is. Pairs that show no positive curvature, sᵀy ≤ skip·‖s‖‖y‖, leave W as it was.
    Source: [NW] eq. 6.17.

    >>> s, y = np.array([1.0, 0.0]), np.array([4.0, 2.0])
    >>> W = bfgs_inverse_update(np.eye(2), s, y)
    >>> (W @ y).tolist()
    [1.0, 0.0]
    """
    valid = curves_up(s, y, skip)
    rho = (1 / np.where(valid, _dot(s, y), 1.0))[..., None, None]
    V = np.eye(s.shape[-1], dtype=s.dtype) - rho * _outer(s, y)
    return np.where(valid[..., None, None], V @ W @ np.swapaxes(V, -1, -2) + rho * _outer(s, s), W)


@explains
def sr1_update(B: Any, s: Any, y: Any, skip: float = 1e-8) -> Any:
    """B⁺ = B + rrᵀ/(rᵀs) with r = y - Bs: the symmetric rank-one estimate of the Hessian, which may be indefinite.

    The denominator may vanish, so pairs with |rᵀs| ≤ skip·‖r‖‖s‖ leave B as it was. Source: [NW] eq. 6.24 and
    6.26.

    >>> sr1_update(np.eye(2), np.array([0.0, 1.0]), np.array([0.0, -2.0])).tolist()
    [[1.0, 0.0], [0.0, -2.0]]
    """
    r = y - _times(B, s)
    rs = _dot(r, s)
    valid = np.abs(rs) > skip * np.linalg.norm(r, axis=-1) * np.linalg.norm(s, axis=-1)
    scale = np.where(valid, 1 / np.where(valid, rs, 1.0), 0.0)
    return B + scale[..., None, None] * _outer(r, r)


@explains
def lbfgs_direction(g: Any, S: Sequence[Any], Y: Sequence[Any]) -> Any:
    """p = -W g by the two-loop recursion, W the BFGS estimate from the pairs (S[i], Y[i]), oldest first.

    W starts from γI with γ = sᵀy/yᵀy of the newest pair; without pairs p = -g. Costs 4mn multiplications and
    2mn numbers for m pairs instead of n² of both. Source: [NW] algorithm 7.4 and eq. 7.20. Every pair must
    have sᵀy > 0.

    >>> lbfgs_direction(np.array([1.0, 1.0]), [np.array([1.0, 0.0])], [np.array([2.0, 0.0])]).tolist()
    [-0.5, -0.5]
    """
    rho = [1 / _dot(s, y)[..., None] for s, y in zip(S, Y, strict=True)]
    q, alphas = g, []
    for s, y, r in zip(reversed(S), reversed(Y), reversed(rho), strict=True):
        alphas.append(r * _dot(s, q)[..., None])
        q = q - alphas[-1] * y
    if rho:
        q = q / (rho[-1] * _dot(Y[-1], Y[-1])[..., None])
    for s, y, r, alpha in zip(S, Y, rho, reversed(alphas), strict=True):
        q = q + s * (alpha - r * _dot(y, q)[..., None])
    return -q


# ------------------------------------------------------------------------------------------------------- as rules


@pickles
def newton_rule(f: Callable, step: Callable = newton_step) -> Callable:
    """Newton's method on f as an update rule: `d = -step(g, ∇²f(w), damping)`, to be run with lr = 1.

    f is a Surface or a traceable function, whose parameters become hyper-parameters of the rule; `step` is
    `newton_step` or `saddle_free_step`. In two dimensions the rule traces.

    >>> from optcore import descend, rosenbrock
    >>> descend(newton_rule(rosenbrock), rosenbrock, [-1.2, 1.0], steps=6, lr=1.0).final.round(6).tolist()
    [1.0, 1.0]
    """
    smooth = f if isinstance(f, Differentiable) else Differentiable(f)

    def rule(g, *, w, damping=0.0, **params):
        numbers = {k: v[..., 0] if np.ndim(v) else v for k, v in params.items()}
        return -step(g, smooth.hess(w, **numbers), damping[..., None] if np.ndim(damping) else damping)

    P = inspect.Parameter
    named = [p for p in inspect.signature(rule).parameters.values() if p.kind is not P.VAR_KEYWORD]
    named += [P(k, P.KEYWORD_ONLY, default=v) for k, v in smooth.params.items()]
    rule.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
    rule.__name__ = step.__name__.removesuffix("_step")
    return rule


def bfgs(g, w_last=0.0, g_last=0.0, row1=0.0, row2=0.0, *, w, t):
    """BFGS: d = Wg, with W updated from the last step s and the change y of the gradient along it.

    No line search is made, so the start matters: W = I/max(1, ‖g‖), rescaled to (sᵀy/yᵀy)I before the first update.
    Source: Nocedal & Wright, "Numerical Optimization", 2nd edition, equation (6.20).
    """
    dot = lambda a, b: np.sum(a * b, axis=-1)[..., None, None]
    s, y, last = w - w_last, g - g_last, np.stack([row1 + 0 * g, row2 + 0 * g], axis=-2)
    first = np.eye(2) / np.maximum(1.0, np.sqrt(dot(g, g)))
    scaled = np.where((t == 2) & (dot(s, y) > 0), dot(s, y) / dot(y, y) * np.eye(2), last)
    W = np.where(t == 1, first, bfgs_inverse_update(scaled, s, y))
    return (W @ g[..., None])[..., 0], w, g, W[..., 0, :], W[..., 1, :]


def lbfgs(g, w_last=0.0, g_last=0.0, *, w, t):
    """L-BFGS with one pair: BFGS that starts from the scaled identity at every step."""
    s, y = w - w_last, g - g_last
    curved = np.sum(s * y, axis=-1, keepdims=True) > 0
    return np.where((t > 1) & curved, -lbfgs_direction(g, [s], [y]), g), w, g


#: Name -> the rule for a surface, for points in the plane; with lr = 1 each makes its full step.
SECOND_ORDER: dict[str, Callable[[Callable], Callable]] = {
    "newton": newton_rule,
    "bfgs": lambda f: bfgs,
    "lbfgs": lambda f: lbfgs,
}
