"""Intervals for a mean from a few runs: Student's t, with NumPy alone.

>>> import optcore as oc
>>> mean, low, high = oc.t_interval([0.02, 0.01, 0.0, 0.01])
>>> low < 0 < high      # four seeds do not show that the mean differs from 0
True
"""

import math
from functools import cache
from typing import Any

import numpy as np

__all__ = ["t_interval", "t_quantile"]


def _t_inside(x: float, df: int) -> float:
    """P(|T| ≤ x) of Student's t with a whole number of degrees of freedom: Abramowitz and Stegun 26.7.3 and 26.7.4."""
    angle = math.atan2(x, math.sqrt(df))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = df % 2
    if df == 1:
        return angle * 2 / math.pi
    k = np.arange(1 + odd, df - 2, 2)
    series = float(np.cumprod([cosine if odd else 1.0, *(cosine**2 * k / (k + 1))]).sum())
    return (angle + sine * series) * 2 / math.pi if odd else sine * series


@cache
def t_quantile(level: float, df: int) -> float:
    """The t with P(|T| ≤ t) = level: half the width, in standard errors, of an interval of that level.

    level: in [0, 1), as 0.95. df: degrees of freedom, a whole number from 1, the number of values less one. The
    series for whole df is exact; bisection of the angle leaves errors of rounding.

    >>> round(t_quantile(0.95, 9), 4), round(t_quantile(0.95, 2), 4)
    (2.2622, 4.3027)
    """
    if not (0 <= level < 1 and df >= 1 and df == int(df)):
        raise ValueError(f"A t-quantile needs 0 ≤ level < 1 and a whole number df ≥ 1; got {level} and {df}.")
    low, high = 0.0, math.pi / 2
    for _ in range(80):
        middle = (low + high) / 2
        if _t_inside(math.sqrt(df) * math.tan(middle), int(df)) < level:
            low = middle
        else:
            high = middle
    return math.sqrt(df) * math.tan((low + high) / 2)


def t_interval(values: Any, level: float = 0.95) -> tuple[float, float, float]:
    """Mean of n values and the ends of its t-interval, mean ± t s/√n with s² = Σ(x - mean)²/(n - 1).

    values: (n,), n ≥ 2, independent of each other: paired differences, one a seed. In units of the values. Of such
    intervals, a share `level` covers the true mean when the values are normal (Student 1908).

    >>> [round(v, 4) for v in t_interval([0.02, 0.01, 0.0, 0.01])]
    [0.01, -0.003, 0.023]
    """
    values = np.asarray(values, float)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"An interval needs at least two values in a row; got the shape {values.shape}.")
    half = t_quantile(level, len(values) - 1) * float(values.std(ddof=1)) / math.sqrt(len(values))
    mean = float(values.mean())
    return mean, mean - half, mean + half
