"""Minimising under constraints: projections, the Lagrangian and its multipliers, penalties.

Equality constraints are functions c with c(x) = 0, values (…, m) for points (…, n); inequality constraints h
have h(x) ≤ 0. The Lagrangian is f + λᵀc + μᵀh, so λ = -df*/db for constraints Ax = b: minus the price of a
unit of b. `[NW]` is Nocedal & Wright, *Numerical Optimization*, 2nd ed., 2006.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .solvers import Result, minimize, oracles, result, start_at, why_stop
from .support import as_numbers, explains, whole

__all__ = [
    "ConstrainedResult",
    "KKTResiduals",
    "augmented_lagrangian",
    "kkt_residuals",
    "lagrangian",
    "penalty_method",
    "project_ball",
    "project_box",
    "project_halfspace",
    "project_simplex",
    "projected_gradient",
    "solve_eq_qp",
]


# -------------------------------------------------------------------------------------------------------- projections


@explains
def project_ball(v: Any, radius: Any = 1.0) -> Any:
    """The nearest point with ‖x‖ ≤ radius: v·min(1, radius/‖v‖); points inside come back unchanged.

    v is (…, n), radius a number or (…, 1). Clipping a gradient to a norm is this projection. Source: Boyd &
    Vandenberghe, *Convex Optimization*, 2004, §8.1. Raises ValueError unless radius is positive.

    >>> project_ball(np.array([3.0, 4.0]), 2.5).tolist()
    [1.5, 2.0]
    """
    if not np.all(np.greater(radius, 0)):
        raise ValueError(f"radius must be positive; it was {radius}.")
    scale = np.maximum(np.max(np.abs(v), axis=-1, keepdims=True), radius)  # squares of v/scale cannot overflow
    ratio = radius / scale
    return v * (ratio / np.maximum(np.linalg.norm(v / scale, axis=-1, keepdims=True), ratio))


@explains
def project_box(v: Any, low: Any, high: Any) -> Any:
    """The nearest point with low ≤ x ≤ high in each coordinate: min(max(v, low), high).

    v is (…, n), the bounds numbers or arrays that broadcast to it. Source: Boyd & Vandenberghe 2004, §8.1.
    Raises ValueError when a lower bound is above the upper one.

    >>> project_box(np.array([-2.0, 0.5]), 0.0, 1.0).tolist()
    [0.0, 0.5]
    """
    if not np.all(np.less_equal(low, high)):
        raise ValueError(f"low must not be above high; they were {low} and {high}.")
    return np.clip(v, low, high)


@explains
def project_halfspace(v: Any, a: Any, b: Any) -> Any:
    """The nearest point with aᵀx ≤ b: v - max(0, aᵀv - b)/‖a‖²·a.

    v is (…, n), a (n,), b a number. Source: Boyd & Vandenberghe 2004, §8.1. Raises ValueError when a is zero
    or not finite.

    >>> project_halfspace(np.array([5.0, 3.0]), np.array([0.0, 2.0]), 2.0).tolist()
    [5.0, 1.0]
    """
    size = float(np.linalg.norm(a))
    if not 0 < size < np.inf:
        raise ValueError(f"a must be a finite vector other than zero; it was {a}.")
    unit = a / size
    return v - np.maximum(0.0, np.sum(unit * v, axis=-1, keepdims=True) - b / size) * unit


@explains
def project_simplex(v: Any, total: float = 1.0) -> Any:
    """The nearest point with x ≥ 0 and Σx = total: max(v - θ, 0), with the one θ that makes the sum right.

    v is (…, n). Source: Held, Wolfe & Crowder 1974; the sort is Duchi et al., "Efficient projections onto the
    ℓ₁-ball", 2008, figure 1. Raises ValueError unless total is positive and there is a coordinate to hold it.

    >>> project_simplex(np.array([0.5, 0.8, -0.3])).round(9).tolist()
    [0.35, 0.65, 0.0]
    """
    if not total > 0 or np.shape(v)[-1:] in ((), (0,)):
        raise ValueError(f"a positive total and points (…, n), n ≥ 1, are needed; got {total} and {np.shape(v)}.")
    v = v - np.max(v, axis=-1, keepdims=True)  # the answer is the same for v + constant, and rounds better near 0
    u = -np.sort(-v, axis=-1)
    thetas = (np.cumsum(u, axis=-1) - total) / np.arange(1, v.shape[-1] + 1)
    last = np.sum(u > thetas, axis=-1, keepdims=True) - 1  # the largest k for which k coordinates stay positive
    return np.maximum(v - np.take_along_axis(thetas, np.maximum(last, 0), axis=-1), 0.0)


@explains
def projected_gradient(
    f: Callable,
    x0: Any,
    project: Callable,
    lr: float,
    grad: Callable | None = None,
    *,
    tol: float = 1e-8,
    max_iterations: int = 10_000,
) -> Result:
    """x ← project(x - lr·∇f(x)) from project(x0) until the gradient mapping (x - x⁺)/lr is no longer than tol.

    f is a Surface or a traceable function of one point, or any function with its `grad`; x0 is (n,). In the
    result, `grad` is the gradient mapping: it is zero exactly at the constrained stationary points. Source:
    Nesterov, *Introductory Lectures on Convex Optimization*, 2004, §2.2.3. Converges for convex f when lr ≤
    1/L. Raises ValueError unless lr is positive.

    >>> nearest = projected_gradient(lambda w: np.sum((w - 2.0) ** 2, axis=-1), [0.0, 0.0], project_ball, lr=0.25)
    >>> nearest.x.round(6).tolist()
    [0.707107, 0.707107]
    """
    if not lr > 0:
        raise ValueError(f"lr must be positive; it was {lr}.")
    max_iterations = whole("max_iterations", max_iterations, 0)
    counted = oracles(f, grad)
    value, gradient = counted["f"], counted["grad"]
    move = lambda x: project(x - lr * gradient(x))
    x = project(start_at(x0))
    path, losses = [x], [float(value(x))]
    mapping = (x - move(x)) / lr
    while not (reason := why_stop(losses[-1], mapping, tol, len(path) - 1, max_iterations)):
        x = move(x)
        path.append(x)
        losses.append(float(value(x)))
        mapping = (x - move(x)) / lr
    return result(path, losses, mapping, counted, tol, reason)


# -------------------------------------------------------------------------------------------------------- multipliers


@explains
def solve_eq_qp(Q: Any, c: Any, A: Any, b: Any) -> tuple[np.ndarray, np.ndarray]:
    """(x, λ) that minimise ½xᵀQx + cᵀx under Ax = b, from one linear system [[Q, Aᵀ], [A, 0]] [x; λ] = [-c; b].

    Q (n, n) symmetric and positive definite where Ax = 0, c (n,), A (m, n) of full row rank, b (m,).
    Source: Boyd & Vandenberghe 2004, §10.1.1. Raises ValueError when the shapes disagree,
    np.linalg.LinAlgError when the system is singular.

    >>> x, lam = solve_eq_qp(2 * np.eye(2), np.zeros(2), np.array([[1.0, 1.0]]), np.array([1.0]))
    >>> x.tolist(), lam.tolist()
    ([0.5, 0.5], [-1.0])
    """
    Q, c, A, b = (as_numbers(name, v) for name, v in zip("QcAb", (Q, c, A, b), strict=True))
    n, m = len(c), len(b)
    if Q.shape != (n, n) or A.shape != (m, n):
        raise ValueError(
            f"Q must be {(n, n)} and A {(m, n)} for c {c.shape} and b {b.shape}; got {Q.shape}, {A.shape}."
        )
    system = np.block([[Q, A.T], [A, np.zeros((m, m))]])
    solution = np.linalg.solve(system, np.concatenate([-c, b]))
    return solution[:n], solution[n:]


@explains
def lagrangian(f: Callable, c: Callable, lam: Any = 0.0, rho: float = 0.0) -> Callable:
    """x -> f(x) + λᵀc(x) + (ρ/2)‖c(x)‖².

    With ρ = 0 the Lagrangian, with λ = 0 the quadratic penalty, with both the augmented Lagrangian. c(x) is
    (…, m), λ is (m,). It traces when f and c do, so it can be minimised, drawn and differentiated. Source:
    [NW] eq. 17.2 and 17.36 (with the other sign of λ).

    >>> f, c = (lambda w: np.sum(w**2, axis=-1)), (lambda w: np.sum(w, axis=-1, keepdims=True) - 1)
    >>> float(lagrangian(f, c, lam=np.array([-1.0]), rho=10.0)(np.array([0.5, 1.0])))
    2.0
    """

    def function(x):
        violation = c(x)
        return f(x) + np.sum(lam * violation, axis=-1) + rho / 2 * np.sum(violation**2, axis=-1)

    return function


class KKTResiduals(NamedTuple):
    """How far a point and its multipliers are from each of the five conditions; all zero at a KKT point."""

    stationarity: float
    equality: float
    inequality: float
    sign: float
    complementarity: float


@explains
def kkt_residuals(
    g: Any, c: Any = (), Jc: Any = None, lam: Any = (), h: Any = (), Jh: Any = None, mu: Any = ()
) -> KKTResiduals:
    """Norms of g + Jcᵀλ + Jhᵀμ, c, max(h, 0), max(-μ, 0) and μ·h at one point.

    g (n,) is the gradient of f; c (m,) the values of the equality constraints, Jc (m, n) their Jacobian, lam
    (m,) their multipliers; h, Jh, mu the same for inequalities h ≤ 0. Source: [NW] theorem 12.1; Boyd &
    Vandenberghe 2004, §5.5.3.

    >>> kkt_residuals(g=np.array([1.0, 1.0]), c=[0.0], Jc=[[1.0, 1.0]], lam=[-1.0])
    KKTResiduals(stationarity=0.0, equality=0.0, inequality=0.0, sign=0.0, complementarity=0.0)
    """
    c, lam, h, mu = (as_numbers(name, v) for name, v in zip(("c", "lam", "h", "mu"), (c, lam, h, mu), strict=True))
    pull = lambda J, multipliers: 0.0 if J is None else np.asarray(J).T @ multipliers
    terms = [g + pull(Jc, lam) + pull(Jh, mu), c, np.maximum(h, 0), np.maximum(-mu, 0), mu * h]
    return KKTResiduals(*(float(np.linalg.norm(term)) for term in terms))


# ---------------------------------------------------------------------------------------------------------- penalties


@dataclass(frozen=True, repr=False)
class ConstrainedResult:
    """What a sequence of unconstrained minimisations found: one row for each.

    x (n,), f and multipliers (m,) are the last ones; points (k, n), violation (k,) = ‖c(x)‖ and iterations (k,)
    of the inner solver tell how it got there.
    """

    x: np.ndarray
    f: float
    multipliers: np.ndarray
    points: np.ndarray
    violation: np.ndarray
    iterations: np.ndarray

    path = property(lambda self: self.points, doc="The same as `points`.")

    def __repr__(self) -> str:
        return f"f = {self.f:.6g}, violation {self.violation[-1]:.1e} after {self.iterations.tolist()} iterations"


@explains
def penalty_method(
    f: Callable, c: Callable, x0: Any, rhos: Sequence[float] = (1.0, 10.0, 100.0, 1000.0), **options: Any
) -> ConstrainedResult:
    """Minimise f(x) + (ρ/2)‖c(x)‖² for each ρ in turn, each from the last solution; ρc(x) estimates the multipliers.

    The violation falls like 1/ρ while the condition number grows like ρ. f and c are traceable, c(x) is (…,
    m), x0 is (n,); `options` go to `minimize`. Source: [NW] framework 17.1.

    >>> f, c = (lambda w: np.sum(w**2, axis=-1)), (lambda w: np.sum(w, axis=-1, keepdims=True) - 1)
    >>> penalty_method(f, c, [0.0, 0.0], rhos=[2.0, 20.0]).violation.round(5).tolist()
    [0.33333, 0.04762]
    """
    return _in_turn(f, c, x0, rhos, accumulate=False, tol=0.0, options=options)


@explains
def augmented_lagrangian(
    f: Callable, c: Callable, x0: Any, rho: float = 10.0, *, tol: float = 1e-8, rounds: int = 50, **options: Any
) -> ConstrainedResult:
    """Minimise f + λᵀc + (ρ/2)‖c‖² in x, then λ ← λ + ρc(x), and again until ‖c(x)‖ ≤ tol or for `rounds` rounds.

    ρ stays as it is, so the conditioning does too. f and c are traceable, c(x) is (…, m), x0 is (n,);
    `options` go to `minimize`. Source: [NW] framework 17.3 and eq. 17.39 (with the other sign of λ); Hestenes
    1969, Powell 1969.

    >>> f, c = (lambda w: np.sum(w**2, axis=-1)), (lambda w: np.sum(w, axis=-1, keepdims=True) - 1)
    >>> result = augmented_lagrangian(f, c, [0.0, 0.0])
    >>> result.x.round(6).tolist(), result.multipliers.round(6).tolist()
    ([0.5, 0.5], [-1.0])
    """
    return _in_turn(f, c, x0, [rho] * whole("rounds", rounds), accumulate=True, tol=tol, options=options)


def _in_turn(f, c, x0, rhos, accumulate, tol, options) -> ConstrainedResult:
    x, lam, rows = start_at(x0), 0.0, []
    if not len(rhos) or not np.all(np.greater(rhos, 0)):
        raise ValueError(f"at least one penalty ρ, all positive, is needed; got {list(rhos)}.")
    for rho in rhos:
        inner = minimize(lagrangian(f, c, lam, rho), x, **options)
        x, estimate = inner.x, lam + rho * c(inner.x)
        rows.append((x, float(np.linalg.norm(c(x))), inner.iterations))
        if rows[-1][1] <= tol:
            break
        lam = estimate if accumulate else lam
    path, violation, iterations = (np.array(column) for column in zip(*rows, strict=True))
    return ConstrainedResult(x, float(f(x)), estimate, path, violation, iterations)
