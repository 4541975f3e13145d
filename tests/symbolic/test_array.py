"""The stand-in array: what cannot be traced names the operation and what to write."""

import numpy as np
import pytest

from optcore import TraceError, trace


def if_on_a_value(x):
    if x[0] > 0:
        return x
    return -x


def writes(x):
    x[0] = 1.0
    return x


def adds_in_place(x):
    x += 1.0
    return x


def plain_math(x):
    import math

    return math.sqrt(x[0])


@pytest.mark.parametrize(
    ("f", "operation", "instead"),
    [
        (if_on_a_value, "if x[0] > 0:", "np.where(condition, a, b)"),
        (writes, "x[0] = 1.0", "np.stack"),
        (adds_in_place, "x += 1.0", "m = m + g"),
        (plain_math, "math.sqrt(x[0])", "NumPy function of the same name"),
        (lambda x: np.arcsinh(x), "np.arcsinh", "tanh"),
        (lambda x: np.linalg.eigvalsh(x), "np.linalg.eigvalsh", "np.stack"),
        (lambda x: np.array([x[0], x[1]]), "np.array", "np.stack"),
        (lambda x: x.max(), ".max", "np."),
        (lambda x: np.linalg.solve(np.eye(3) * x[0], np.ones(3)), "(3, 3)", "2×2"),
        (lambda x: np.cumsum(x), "np.cumsum", "np.sum"),
        (lambda x: np.max(x[2:]), "np.maximum of no entries", "a slice"),
    ],
)
def test_what_cannot_be_traced_names_the_operation_and_what_to_write(f, operation, instead):
    with pytest.raises(TraceError) as error:
        trace(f, (2,))
    assert operation in str(error.value) and instead in str(error.value)
    assert str(error.value).startswith("line ")


def test_a_sum_of_no_entries_is_zero():
    traced = trace(lambda x: np.sum(x[2:]) + np.sum(x**2), (2,))
    assert traced(np.array([1.0, 2.0])) == 5.0
