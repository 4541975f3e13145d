"""`minimize`: a direction from one method, a length from a line search; Gauss-Newton, conjugate gradients, assignment.

`[NW]` is Nocedal & Wright, *Numerical Optimization*, 2nd ed., 2006.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .descent import says_stop
from .line_search import LineSearchError, backtracking, strong_wolfe
from .second_order import (
    FLAT,
    bfgs_inverse_update,
    curves_up,
    lbfgs_direction,
    newton_step,
    saddle_free_step,
    sr1_update,
)
from .support import as_numbers, explains, known, whole
from .surfaces import surface_named
from .symbolic import Differentiable

__all__ = ["Result", "assignment", "conjugate_gradient", "gauss_newton", "minimize"]


@dataclass(frozen=True, repr=False)
class Result:
    """What an iterative solver found, and what it took.

    x (n,) and f are the last point and its value, grad (n,) the gradient there; points is (iterations + 1, n)
    and loss (iterations + 1,); evaluations counts the calls by kind; reason says in words why the run
    stopped.
    """

    x: np.ndarray
    f: float
    grad: np.ndarray
    iterations: int
    evaluations: dict[str, int]
    points: np.ndarray
    loss: np.ndarray
    converged: bool
    reason: str

    path = property(lambda self: self.points, doc="The same as `points`.")

    def __repr__(self) -> str:
        calls = ", ".join(f"{count} {kind}" for kind, count in self.evaluations.items())
        return f"f = {self.f:.6g} after {self.iterations} iterations ({calls}): {self.reason}"


class _Counted:
    """A function that counts its calls and remembers the last one, so that asking twice in a row costs once."""

    def __init__(self, fn: Callable, name: str, axes: int):
        self.fn, self.name, self.axes = fn, name, axes
        self.calls = 0
        self.at: np.ndarray | None = None
        self.value: Any = None

    def __call__(self, x):
        if self.at is None or not np.array_equal(x, self.at):
            value = np.array(as_numbers(self.name, self.fn(x.copy())))  # it may write into x, and fill one array again
            if value.size != x.size**self.axes:
                raise ValueError(f"{self.name} has shape {value.shape} at a point of shape {x.shape}.")
            self.at, self.value, self.calls = x, value.reshape(x.shape * self.axes)[()], self.calls + 1
        return self.value


def _no_hessian(_x):
    raise TypeError("this method needs hess along with grad; without grad, both come from the trace of f.")


def oracles(f: Callable, grad: Callable | None, hess: Callable | None = None) -> dict[str, _Counted]:
    """f, its gradient and its Hessian, counted; what is not given comes from the trace of f."""
    f = surface_named(f) if isinstance(f, str) else f
    if isinstance(f, Differentiable) or grad is None:
        smooth = f if isinstance(f, Differentiable) else Differentiable(f)
        grad, hess = grad or smooth.grad, hess or smooth.hess
    return {
        "f": _Counted(f, "The value of f", 0),
        "grad": _Counted(grad, "The gradient", 1),
        "hess": _Counted(hess or _no_hessian, "The Hessian", 2),
    }


def why_stop(value, g, tol, iterations, limit) -> str:
    """Why to stop here, in words; empty when there is more to do."""
    size = np.linalg.norm(g)
    if not np.isfinite(value + size):
        return "f or its gradient is not finite"
    if size <= tol:
        return f"the gradient norm {size:.1e} is within tol = {tol:g}"
    if iterations >= limit:
        return f"max_iterations = {limit} reached, the gradient norm is {size:.1e}"
    return ""


def result(path, losses, g, counted, tol, reason) -> Result:
    calls = {kind: fn.calls for kind, fn in counted.items()}
    converged = bool(np.linalg.norm(g) <= tol)
    return Result(path[-1], losses[-1], g, len(path) - 1, calls, np.array(path), np.array(losses), converged, reason)


def start_at(x0: Any) -> np.ndarray:
    x = np.array(as_numbers("x0", x0), dtype=float)
    if x.ndim != 1 or not x.size or not np.isfinite(x).all():
        raise ValueError(f"x0 must be one point of finite numbers, of shape (n,); it was {x0}.")
    return x


def _method(name: str, n: int, hess: Callable, damping: float, memory: int):
    """(state, direction(state, x, g), update(state, s, y), line search) of a method; a new one is listed here."""
    keep = lambda state, s, y: state
    newton = lambda _, x, g: newton_step(g, hess(x), damping)
    saddle_free = lambda _, x, g: saddle_free_step(g, hess(x), damping)
    two_loop = lambda pairs, x, g: lbfgs_direction(g, [s for s, _ in pairs], [y for _, y in pairs])
    push = lambda pairs, s, y: [*pairs, (s, y)][-memory:] if curves_up(s, y, FLAT) else pairs
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
    return known("method", name, methods)


_SEARCHES: dict[str, Callable] = {
    "none": lambda f, grad, x, d, step: step,
    "armijo": lambda f, grad, x, d, step: backtracking(f, x, d, grad(x), step=step),
    "wolfe": lambda f, grad, x, d, step: strong_wolfe(f, grad, x, d, step=step),
}


@explains
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
    stop: Callable | None = None,
) -> Result:
    """Minimise f from x0 (n,) until ‖∇f‖ ≤ tol: a direction from `method`, a length from `line_search`.

    f is a Surface or a traceable function of one point; gradient and Hessian come from its trace. Any other
    function takes `grad`, and `hess` for the Newton methods. The methods and the line search each uses by
    default:

    "gd": -g, armijo. "newton": `newton_step`, none. "damped-newton": `newton_step`, armijo. "saddle-free":
    `saddle_free_step`, armijo. "bfgs": `bfgs_inverse_update` from W = I, wolfe. "lbfgs": `lbfgs_direction` on
    the newest `memory` pairs, wolfe. "sr1": `sr1_update` from B = I with `saddle_free_step`, armijo.

    `line_search` is "none" (the move is step·d), "armijo" (`backtracking`) or "wolfe" (`strong_wolfe`); both
    searches try `step` first. `damping` is added to the diagonal of the Hessian or of B. stop(x, g) is called at
    each point; the run ends there when it says True, and one that says nothing is a callback. Raises ValueError
    for an unknown method or line search and for a start that is not one point. What goes wrong on the way (a
    singular Hessian, a direction uphill, values that are not finite) ends the run and is named in `reason`.

    >>> rosenbrock = lambda w: (1 - w[..., 0]) ** 2 + 100 * (w[..., 1] - w[..., 0] ** 2) ** 2
    >>> result = minimize(rosenbrock, [-1.2, 1.0], method="newton")
    >>> result.iterations, result.evaluations, result.x.round(6).tolist()
    (6, {'f': 7, 'grad': 7, 'hess': 6}, [1.0, 1.0])
    """
    x = start_at(x0)
    max_iterations = whole("max_iterations", max_iterations, 0)
    counted = oracles(f, grad, hess)
    value, gradient = counted["f"], counted["grad"]
    state, direction, update, default = _method(method, x.size, counted["hess"], damping, memory)
    search = known("line search", line_search or default, _SEARCHES)

    path, losses = [x], [float(value(x))]
    with np.errstate(all="ignore"):
        while not (reason := why_stop(losses[-1], gradient(x), tol, len(path) - 1, max_iterations)):
            g = gradient(x)
            if stop is not None and says_stop(stop(x.copy(), g.copy())):
                reason = "the stopping rule said so"
                break
            try:
                d = direction(state, x, g)
                new = x + search(value, gradient, x, d, step) * d
            except (np.linalg.LinAlgError, LineSearchError) as error:
                reason = str(error).rstrip(".")
                break
            state = update(state, new - x, gradient(new) - g)
            x = new
            path.append(x)
            losses.append(float(value(x)))
    return result(path, losses, gradient(x), counted, tol, reason)


@explains
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


@explains
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
    times = _Counted(A if callable(A) else lambda v: A @ v, "The product Av", 1)
    b = as_numbers("b", b)
    x = np.zeros_like(b) if x0 is None else start_at(x0)
    enough = tol * float(np.linalg.norm(b))
    limit = 10 * len(b) if max_iterations is None else whole("max_iterations", max_iterations, 0)
    g = times(x) - b
    d, path, losses = -g, [x], [float(x @ (g - b)) / 2]
    while not (reason := why_stop(losses[-1], g, enough, len(path) - 1, limit)):
        Ad = times(d)
        if not d @ Ad > 0:
            reason = f"A is not positive definite: a direction with dᵀAd = {d @ Ad:g}"
            break
        old, alpha = g @ g, (g @ g) / (d @ Ad)
        x, g = x + alpha * d, g + alpha * Ad
        d = -g + (g @ g) / old * d
        path.append(x)
        losses.append(float(x @ (g - b)) / 2)
    return result(path, losses, g, {"A": times}, enough, reason)


@explains
def assignment(gain: Any) -> np.ndarray:
    """The permutation p, (n,), with the largest Σᵢ gain[i, p[i]]: every row gets a column of its own. O(n³).

    Shapes: gain (n, n), finite. The Hungarian method: rows come in one by one, each by a shortest path of exchanges
    in the prices u, v, which keep u[i] + v[j] ≤ cost[i, j] and give equality on what is assigned, so that no other
    permutation costs less. Source: Kuhn, "The Hungarian method for the assignment problem", Naval Research
    Logistics Quarterly 2, 1955; the paths: Jonker and Volgenant, Computing 38, 1987. Raises ValueError unless gain
    is square and finite.

    >>> assignment([[5.0, 4.0], [4.0, 0.0]]).tolist()
    [1, 0]
    """
    cost = -as_numbers("gain", gain).astype(float)
    if cost.ndim != 2 or cost.shape[0] != cost.shape[1] or not np.isfinite(cost).all():
        raise ValueError(f"An assignment needs a square matrix of finite numbers; its shape was {cost.shape}.")
    n = len(cost)
    u, v = np.zeros(n), np.zeros(n + 1)
    row = np.full(n + 1, -1)  # of each column; the last one is where a new row waits
    for new in range(n):
        column, row[n] = n, new
        slack, before, done = np.full(n, np.inf), np.full(n, n), np.zeros(n + 1, bool)
        while row[column] >= 0:
            done[column] = True
            reduced = cost[row[column]] - u[row[column]] - v[:n]
            nearer = ~done[:n] & (reduced < slack)
            slack[nearer], before[nearer] = reduced[nearer], column
            nearest = int(np.where(done[:n], np.inf, slack).argmin())
            step = slack[nearest]
            u[row[done]] += step
            v[done] -= step
            slack[~done[:n]] -= step
            column = nearest
        while column != n:
            row[column], column = row[before[column]], before[column]
    return np.argsort(row[:n])
