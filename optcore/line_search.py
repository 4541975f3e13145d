"""Line searches: a step length along a direction.

`[NW]` is Nocedal & Wright, *Numerical Optimization*, 2nd ed., 2006.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .support import explains, real, whole

__all__ = ["LineSearchError", "backtracking", "strong_wolfe"]

ROUNDING = 100 * np.finfo(float).eps  # values of f closer than this, relatively, may be equal


class LineSearchError(ValueError):
    """The direction points uphill, or no acceptable step was found along it."""


def _slope(g, d):
    slope = float(g @ d)
    if not -np.inf < slope < 0:
        raise LineSearchError(f"the direction must point downhill (gᵀd < 0); gᵀd was {slope:g}.")
    return slope


@explains
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
    if not real("step", step) > 0:
        raise ValueError(f"step must be positive; it was {step}.")
    if not 0 < shrink < 1:
        raise ValueError(f"shrink must be between 0 and 1, got {shrink}.")
    f0, slope, alpha = f(x), _slope(g, d), step
    while not f(x + alpha * d) <= f0 + c * alpha * slope:
        alpha *= shrink
        if np.array_equal(x + alpha * d, x + 0 * d, equal_nan=True):
            raise LineSearchError("no step along the direction decreases f, not even the smallest.")
    return alpha


@explains
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
    if not real("step", step) > 0:
        raise ValueError(f"step must be positive; it was {step}.")
    if not 0 < c1 < c2 < 1:
        raise ValueError(f"0 < c1 < c2 < 1 is needed, got c1 = {c1} and c2 = {c2}.")
    f0, slope0 = f(x), _slope(grad(x), d)
    phi = lambda a: f(x + a * d)
    slope = lambda a: float(grad(x + a * d) @ d)
    decreases = lambda a, value: value <= f0 + c1 * a * slope0

    # The bracket: `low` decreases f enough, with the lowest value so far; an acceptable α lies between it and `high`.
    low, f_low, slope_low, high, f_high, alpha = 0.0, f0, slope0, None, np.inf, step
    for _ in range(whole("tries", tries)):
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
    raise LineSearchError(f"no step among {tries} along the direction meets the strong Wolfe conditions.")


def _between(low, f_low, slope_low, high, f_high):
    """The minimum of the parabola through both values and the slope at `low`, kept off the ends of the interval."""
    width = high - low
    bend = f_high - f_low - slope_low * width
    fraction = -slope_low * width / (2 * bend) if 0 < bend < np.inf else 0.5
    return low + width * min(max(fraction, 0.1), 0.9)
