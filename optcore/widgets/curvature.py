"""Second-order steps in the form of rules for points in the plane, so that `explore` races them like the others.

A rule only sees a gradient; Newton's also asks the surface for its Hessian, and so takes the surface's parameters as
hyper-parameters. The quasi-Newton rules remember the last point and gradient. With lr = 1 each makes its full step.
"""

import inspect
from collections.abc import Callable

import numpy as np

from ..second_order import bfgs_inverse_update, lbfgs_direction, newton_step
from ..surfaces import Surface

__all__ = ["SECOND_ORDER"]


def newton(surface: Surface) -> Callable:
    """Newton's step on `surface`: d = (H + damping·I)⁻¹ g.

    >>> from optcore import bowl, descend
    >>> descend(newton(bowl), bowl, [1.0, 1.0], steps=1, lr=1.0).final
    array([0., 0.])
    """

    def newton(g, *, w, damping=0.0, **params):
        numbers = {k: v[..., 0] if np.ndim(v) else v for k, v in params.items()}
        return -newton_step(g, surface.hess(w, **numbers), damping)

    P = inspect.Parameter
    named = [p for p in inspect.signature(newton).parameters.values() if p.kind is not P.VAR_KEYWORD]
    named += [P(k, P.KEYWORD_ONLY, default=v) for k, v in surface.params.items()]
    newton.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
    return newton


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


#: Name -> rule on a surface.
SECOND_ORDER: dict[str, Callable[[Surface], Callable]] = {
    "newton": newton,
    "bfgs": lambda surface: bfgs,
    "lbfgs": lambda surface: lbfgs,
}
