"""Curvature: Newton and quasi-Newton steps, line searches, conjugate gradients, and the loop that joins them.

Steps and updates are pure functions on one point or on a batch: gradients g and steps p are (…, n), matrices
(…, n, n), and the next point is x + p. They never branch on values, so in two dimensions each of them traces
into the page. W stands for an estimate of the inverse Hessian (Nocedal & Wright write H for it), B for one of
the Hessian. `[NW]` is Nocedal & Wright, *Numerical Optimization*, 2nd ed., 2006.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .symbolic import Differentiable

__all__ = [
    "newton_step",
    "saddle_free_step",
    "newton_rule",
    "bfgs_inverse_update",
    "sr1_update",
    "lbfgs_direction",
    "LineSearchError",
    "backtracking",
    "strong_wolfe",
    "Result",
    "minimize",
    "gauss_newton",
    "conjugate_gradient",
]


def _dot(a, b):
    return np.sum(a * b, axis=-1)


def _outer(a, b):
    return a[..., :, None] * b[..., None, :]


def _times(A, v):
    return (A @ v[..., None])[..., 0]


# -------------------------------------------------------------------------------------------------- steps and
# updates


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


def saddle_free_step(g: Any, H: Any, damping: Any = 0.0) -> Any:
    """p = -(|H| + damping·I)⁻¹ g with |H| = Q|Λ|Qᵀ: Newton's scaling, but always downhill.

    Source: Dauphin et al., "Identifying and attacking the saddle point problem", 2014, §5.
    Raises np.linalg.LinAlgError when the matrix is singular.

    >>> saddle_free_step(np.array([1.0, 1.0]), np.diag([1.0, -2.0])).tolist()
    [-1.0, -0.5]
    """
    return newton_step(g, _absolute(H), damping)


def newton_rule(f: Callable, step: Callable = newton_step) -> Callable:
    """Newton's method on f as an update rule: `d = -step(g, ∇²f(w), damping)`, to be run with lr = 1.

    f is a Surface or a traceable function; `step` is `newton_step` or `saddle_free_step`. In two dimensions
    the rule traces.

    >>> from optcore import descend, rosenbrock
    >>> descend(newton_rule(rosenbrock), rosenbrock, [-1.2, 1.0], steps=6, lr=1.0).final.round(6).tolist()
    [1.0, 1.0]
    """
    smooth = f if isinstance(f, Differentiable) else Differentiable(f)

    def rule(g, *, w, damping=0.0):
        return -step(g, smooth.hess(w), damping)

    rule.__name__ = step.__name__.removesuffix("_step")
    return rule


_TINY = float(np.finfo(np.float32).tiny)
_FLAT = 1e-10  # the cosine between s and y up to which a pair counts as without curvature


def _curves_up(s, y, skip):
    return _dot(s, y) > skip * np.linalg.norm(s, axis=-1) * np.linalg.norm(y, axis=-1)


def bfgs_inverse_update(W: Any, s: Any, y: Any, skip: float = _FLAT) -> Any:
    """W⁺ = (I - ρsyᵀ) W (I - ρysᵀ) + ρssᵀ with ρ = 1/(yᵀs): the inverse Hessian estimate after a step s.

    s is the step taken and y the change of the gradient along it. W⁺y = s (the secant equation), and W⁺ is
    positive definite when W is. Pairs that show no positive curvature, sᵀy ≤ skip·‖s‖‖y‖, leave W as it was.
    Source: [NW] eq. 6.17.

    >>> s, y = np.array([1.0, 0.0]), np.array([4.0, 2.0])
    >>> W = bfgs_inverse_update(np.eye(2), s, y)
    >>> (W @ y).tolist()
    [1.0, 0.0]
    """
    valid = _curves_up(s, y, skip)
    rho = (1 / np.where(valid, _dot(s, y), 1.0))[..., None, None]
    V = np.eye(s.shape[-1], dtype=s.dtype) - rho * _outer(s, y)
    return np.where(valid[..., None, None], V @ W @ np.swapaxes(V, -1, -2) + rho * _outer(s, s), W)


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


# ---------------------------------------------------------------------------------------------- line searches


ROUNDING = 100 * np.finfo(float).eps  # values of f closer than this, relatively, may be equal


class LineSearchError(ValueError):
    """The direction points uphill, or no acceptable step was found along it."""


def _slope(g, d):
    slope = float(g @ d)
    if not -np.inf < slope < 0:
        raise LineSearchError(f"the direction must point downhill (gᵀd < 0); gᵀd was {slope:g}")
    return slope


def backtracking(
    f: Callable, x: Any, d: Any, g: Any, *, step: float = 1.0, c: float = 1e-4, shrink: float = 0.5
) -> float:
    """The first α of step, step·shrink, step·shrink², … with f(x + αd) ≤ f(x) + cα gᵀd (Armijo's condition).

    x, d and the gradient g are (n,). Source: [NW] algorithm 3.1. Raises LineSearchError unless gᵀd < 0, and
    when α has shrunk until x + αd = x; ValueError unless 0 < shrink < 1.

    >>> square = lambda x: float(x @ x)
    >>> backtracking(square, np.array([1.0]), np.array([-2.0]), np.array([2.0]))  # α = 1 lands on -1: no decrease
    0.5
    """
    if not 0 < shrink < 1:
        raise ValueError(f"shrink must be between 0 and 1, got {shrink}")
    f0, slope, alpha = f(x), _slope(g, d), step
    while not f(x + alpha * d) <= f0 + c * alpha * slope:
        alpha *= shrink
        if np.array_equal(x + alpha * d, x):
            raise LineSearchError("no step along the direction decreases f, not even the smallest")
    return alpha


def strong_wolfe(
    f: Callable,
    grad: Callable,
    x: Any,
    d: Any,
    *,
    step: float = 1.0,
    c1: float = 1e-4,
    c2: float = 0.9,
    tries: int = 40,
) -> float:
    """An α with f(x + αd) ≤ f(x) + c1·α gᵀd and |∇f(x + αd)ᵀd| ≤ c2·|gᵀd|: enough decrease, and flat enough.

    The second condition makes sᵀy > 0, so a BFGS update stays positive definite. x and d are (n,). Doubles
    the step until it brackets such an α, then interpolates with parabolas. Source: [NW] algorithms 3.5 and
    3.6; where a value may differ from f(x) by rounding alone, the slope decides, as in Hager & Zhang 2005. Raises
    LineSearchError unless gᵀd < 0, and when `tries` evaluations found none; ValueError unless 0 < c1 < c2 < 1.

    >>> f, grad = (lambda x: float(x @ x)), (lambda x: 2 * x)
    >>> strong_wolfe(f, grad, np.array([1.0]), np.array([-2.0]), c2=0.1)
    0.5
    """
    if not 0 < c1 < c2 < 1:
        raise ValueError(f"0 < c1 < c2 < 1 is needed, got c1 = {c1} and c2 = {c2}")
    f0, slope0 = f(x), _slope(grad(x), d)
    phi = lambda a: f(x + a * d)
    slope = lambda a: float(grad(x + a * d) @ d)
    decreases = lambda a, value: value <= f0 + c1 * a * slope0

    # The bracket: `low` decreases f enough, with the lowest value so far; an acceptable α lies between it and `high`.
    low, f_low, slope_low, high, f_high, alpha = 0.0, f0, slope0, None, np.inf, step
    for _ in range(tries):
        value = phi(alpha)
        blind = abs(value - f0) <= ROUNDING * abs(f0)
        if not blind and (not decreases(alpha, value) or value >= f_low):
            high, f_high = alpha, value
        else:
            rise = slope(alpha)
            if abs(rise) <= -c2 * slope0:
                return alpha
            if rise * ((alpha if high is None else high) - low) >= 0:
                high, f_high = low, f_low
            low, f_low, slope_low = alpha, value, rise
        alpha = 2 * alpha if high is None else _between(low, f_low, slope_low, high, f_high)
    raise LineSearchError(f"no step among {tries} along the direction meets the strong Wolfe conditions")


def _between(low, f_low, slope_low, high, f_high):
    """The minimum of the parabola through both values and the slope at `low`, kept off the ends of the interval."""
    width = high - low
    bend = f_high - f_low - slope_low * width
    fraction = -slope_low * width / (2 * bend) if 0 < bend < np.inf else 0.5
    return low + width * min(max(fraction, 0.1), 0.9)


# --------------------------------------------------------------------------------------------------------------
# loop


@dataclass(frozen=True, repr=False)
class Result:
    """What an iterative solver found, and what it took.

    x (n,) and f are the last point and its value, grad (n,) the gradient there; path is (iterations + 1, n)
    and loss (iterations + 1,); evaluations counts the calls by kind; reason says in words why the run
    stopped.
    """

    x: np.ndarray
    f: float
    grad: np.ndarray
    iterations: int
    evaluations: dict[str, int]
    path: np.ndarray
    loss: np.ndarray
    converged: bool
    reason: str

    def __repr__(self) -> str:
        calls = ", ".join(f"{count} {kind}" for kind, count in self.evaluations.items())
        return f"f = {self.f:.6g} after {self.iterations} iterations ({calls}): {self.reason}"


class _Counted:
    """A function that counts its calls and remembers the last one, so that asking twice in a row costs once."""

    def __init__(self, fn: Callable):
        self.fn, self.calls, self.at, self.value = fn, 0, None, None

    def __call__(self, x):
        if self.at is None or not np.array_equal(x, self.at):
            self.at, self.value, self.calls = x, self.fn(x), self.calls + 1
        return self.value


def _no_hessian(x):
    raise TypeError("this method needs hess along with grad; without grad, both come from the trace of f")


def _oracles(f: Callable, grad: Callable | None, hess: Callable | None = None) -> dict[str, _Counted]:
    """f, its gradient and its Hessian, counted; what is not given comes from the trace of f."""
    if isinstance(f, Differentiable) or grad is None:
        smooth = f if isinstance(f, Differentiable) else Differentiable(f)
        grad, hess = grad or smooth.grad, hess or smooth.hess
    return {"f": _Counted(f), "grad": _Counted(grad), "hess": _Counted(hess or _no_hessian)}


def _done(value, g, tol, iterations, limit) -> str:
    """Why to stop here, in words; empty when there is more to do."""
    size = np.linalg.norm(g)
    if not np.isfinite(value + size):
        return "f or its gradient is not finite"
    if size <= tol:
        return f"the gradient norm {size:.1e} is within tol = {tol:g}"
    if iterations >= limit:
        return f"max_iterations = {limit} reached, the gradient norm is {size:.1e}"
    return ""


def _result(path, losses, g, counted, tol, reason) -> Result:
    calls = {kind: fn.calls for kind, fn in counted.items()}
    converged = bool(np.linalg.norm(g) <= tol)
    return Result(path[-1], losses[-1], g, len(path) - 1, calls, np.array(path), np.array(losses), converged, reason)


def _known(what: str, name: str, table: dict):
    if name not in table:
        raise ValueError(f"{what} must be one of {', '.join(table)}; it was {name!r}")
    return table[name]


def _method(name: str, n: int, hess: Callable, damping: float, memory: int):
    """(state, direction(state, x, g), update(state, s, y), line search) of a method; a new one is listed here."""
    keep = lambda state, s, y: state
    newton = lambda _, x, g: newton_step(g, hess(x), damping)
    saddle_free = lambda _, x, g: saddle_free_step(g, hess(x), damping)
    two_loop = lambda pairs, x, g: lbfgs_direction(g, [s for s, _ in pairs], [y for _, y in pairs])
    push = lambda pairs, s, y: [*pairs, (s, y)][-memory:] if _curves_up(s, y, _FLAT) else pairs
    methods: dict[str, tuple[Any, Callable, Callable, str]] = {
        "gd": (None, lambda _, x, g: -g, keep, "armijo"),
        "newton": (None, newton, keep, "none"),
        "damped-newton": (None, newton, keep, "armijo"),
        "saddle-free": (None, saddle_free, keep, "armijo"),
        "bfgs": (np.eye(n), lambda W, x, g: -W @ g, bfgs_inverse_update, "wolfe"),
        "lbfgs": ([], two_loop, push, "wolfe"),
        # B may be indefinite; |B| makes the direction downhill all the same
        "sr1": (np.eye(n), lambda B, x, g: saddle_free_step(g, B, damping), sr1_update, "armijo"),
    }
    return _known("method", name, methods)


_SEARCHES: dict[str, Callable] = {
    "none": lambda f, grad, x, d, step: step,
    "armijo": lambda f, grad, x, d, step: backtracking(f, x, d, grad(x), step=step),
    "wolfe": lambda f, grad, x, d, step: strong_wolfe(f, grad, x, d, step=step),
}


def minimize(
    f: Callable,
    x0: Any,
    method: str = "bfgs",
    grad: Callable | None = None,
    hess: Callable | None = None,
    *,
    line_search: str | None = None,
    step: float = 1.0,
    tol: float = 1e-8,
    max_iterations: int = 1000,
    damping: float = 0.0,
    memory: int = 10,
) -> Result:
    """Minimise f from x0 (n,) until ‖∇f‖ ≤ tol: a direction from `method`, a length from `line_search`.

    f is a Surface or a traceable function of one point; gradient and Hessian come from its trace. Any other
    function takes `grad`, and `hess` for the Newton methods. The methods and the line search each uses by
    default:

    "gd": -g, armijo. "newton": `newton_step`, none. "damped-newton": `newton_step`, armijo. "saddle-free":
    `saddle_free_step`, armijo. "bfgs": `bfgs_inverse_update` from W = I, wolfe. "lbfgs": `lbfgs_direction` on
    the newest `memory` pairs, wolfe. "sr1": `sr1_update` from B = I with `saddle_free_step`, armijo.

    `line_search` is "none" (the move is step·d), "armijo" (`backtracking`) or "wolfe" (`strong_wolfe`); both
    searches try `step` first. `damping` is added to the diagonal of the Hessian or of B. Raises ValueError
    for an unknown method or line search and for a start that is not one point. What goes wrong on the way (a
    singular Hessian, a direction uphill, values that are not finite) ends the run and is named in `reason`.

    >>> rosenbrock = lambda w: (1 - w[..., 0]) ** 2 + 100 * (w[..., 1] - w[..., 0] ** 2) ** 2
    >>> result = minimize(rosenbrock, [-1.2, 1.0], method="newton")
    >>> result.iterations, result.evaluations, result.x.round(6).tolist()
    (6, {'f': 7, 'grad': 7, 'hess': 6}, [1.0, 1.0])
    """
    x = np.array(x0, dtype=float)
    if x.ndim != 1:
        raise ValueError(f"x0 must be one point of shape (n,); its shape was {x.shape}")
    counted = _oracles(f, grad, hess)
    value, gradient = counted["f"], counted["grad"]
    state, direction, update, default = _method(method, x.size, counted["hess"], damping, memory)
    search = _known("line_search", line_search or default, _SEARCHES)

    path, losses = [x], [float(value(x))]
    with np.errstate(all="ignore"):
        while not (reason := _done(losses[-1], gradient(x), tol, len(path) - 1, max_iterations)):
            g = gradient(x)
            try:
                d = direction(state, x, g)
                new = x + search(value, gradient, x, d, step) * d
            except (np.linalg.LinAlgError, LineSearchError) as error:
                reason = str(error)
                break
            state = update(state, new - x, gradient(new) - g)
            x = new
            path.append(x)
            losses.append(float(value(x)))
    return _result(path, losses, gradient(x), counted, tol, reason)


def gauss_newton(residuals: Callable, jacobian: Callable, x0: Any, **options: Any) -> Result:
    """Minimise ½‖r(x)‖² by Newton steps with JᵀJ in place of the Hessian, damped by backtracking.

    residuals(x) is (m,), jacobian(x) is (m, n) with J[i, j] = ∂r_i/∂x_j, x0 (n,). JᵀJ is never indefinite; it
    leaves out Σ r_i ∇²r_i, which vanishes with the residuals. `damping` makes it Levenberg's method; all
    options are those of `minimize`. Source: [NW] §10.3.

    >>> t = np.array([0.0, 1.0, 2.0])  # fit e^{xt} to data made with x = 0.5
    >>> fit = gauss_newton(lambda x: np.exp(x * t) - np.exp(0.5 * t), lambda x: (t * np.exp(x * t))[:, None], [0.0])
    >>> fit.iterations, fit.x.round(9).tolist()
    (5, [0.5])
    """
    half_square = lambda x: residuals(x) @ residuals(x) / 2
    grad = lambda x: jacobian(x).T @ residuals(x)
    hess = lambda x: jacobian(x).T @ jacobian(x)
    return minimize(half_square, x0, options.pop("method", "damped-newton"), grad, hess, **options)


def conjugate_gradient(
    A: Any, b: Any, x0: Any = None, *, tol: float = 1e-10, max_iterations: int | None = None
) -> Result:
    """Solve Ax = b, A symmetric positive definite, by minimising ½xᵀAx - bᵀx along A-conjugate directions.

    A is (n, n) or a function v -> Av, so a Hessian need never be formed; b and x0 (default 0) are (n,). Stops
    when ‖b - Ax‖ ≤ tol·‖b‖, after at most n steps in exact arithmetic, and with a reason when a direction of
    curvature dᵀAd ≤ 0 shows that A is not positive definite. Source: [NW] algorithm 5.2.

    >>> result = conjugate_gradient(np.diag([1.0, 10.0]), np.array([1.0, 10.0]))
    >>> result.iterations, result.x.round(9).tolist()
    (2, [1.0, 1.0])
    """
    times = _Counted(A if callable(A) else lambda v: A @ v)
    b = np.asarray(b, dtype=float)
    x = np.zeros_like(b) if x0 is None else np.array(x0, dtype=float)
    enough, limit = tol * float(np.linalg.norm(b)), 10 * len(b) if max_iterations is None else max_iterations
    g = times(x) - b
    d, path, losses = -g, [x], [float(x @ (g - b)) / 2]
    while not (reason := _done(losses[-1], g, enough, len(path) - 1, limit)):
        Ad = times(d)
        if not d @ Ad > 0:
            reason = f"A is not positive definite: a direction with dᵀAd = {d @ Ad:g}"
            break
        old, alpha = g @ g, (g @ g) / (d @ Ad)
        x, g = x + alpha * d, g + alpha * Ad
        d = -g + (g @ g) / old * d
        path.append(x)
        losses.append(float(x @ (g - b)) / 2)
    return _result(path, losses, g, {"A": times}, enough, reason)
