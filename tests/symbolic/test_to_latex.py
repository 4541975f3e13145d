"""LaTeX reads like the formula."""

import numpy as np
import pytest

from optcore import trace


def test_latex_reads_like_the_formula():
    rosenbrock = trace(lambda w, *, a, b: (a - w[0]) ** 2 + b * (w[1] - w[0] ** 2) ** 2, (2,), a=(), b=())
    assert rosenbrock.latex() == (
        r"\left(\mathrm{a}".replace(r"\mathrm{a}", "a") + r" - w_{1}\right)^2 + b \, \left(w_{2} - w_{1}^2\right)^2"
    )
    assert trace(lambda g, *, beta1: (1 - beta1) * g**2, (), beta1=()).latex() == (r"\left(1 - \beta_{1}\right) \, g^2")


@pytest.mark.parametrize(
    ("f", "written"),
    [
        (lambda a, b, c: a - (b - c), r"a - \left(b - c\right)"),
        (lambda a, b, c: (a - b) - c, "a - b - c"),
        (lambda a, b, c: a - b * c, r"a - b \, c"),
        (lambda a, b, c: (a - b) * c, r"\left(a - b\right) \, c"),
        (lambda a, b, c: a + (b + c), "a + b + c"),
        (lambda a, b, c: -(a + b) / c, r"\frac{-\left(a + b\right)}{c}"),
        (lambda a, b, c: -(a * b) - (-c), r"-a \, b - \left(-c\right)"),
        (lambda a, b, c: (-a) ** b + 0 * c, r"\left(-a\right)^{b} + 0 \, c"),
        (lambda a, b, c: np.exp(a - b) * c, r"\exp(a - b) \, c"),
    ],
)
def test_brackets_stand_where_they_are_needed(f, written):
    assert trace(f, (), (), ()).latex() == written


def test_each_component_has_its_line():
    both = trace(lambda w, *, lr: {"d": lr * w, "t": lr + 1}, (2,), lr=())
    assert both.latex() == r"d_{1} = \eta \, w_{1} \\ d_{2} = \eta \, w_{2} \\ t = \eta + 1"
