"""LaTeX reads like the formula."""

from optcore import trace


def test_latex_reads_like_the_formula():
    rosenbrock = trace(lambda w, *, a, b: (a - w[0]) ** 2 + b * (w[1] - w[0] ** 2) ** 2, (2,), a=(), b=())
    assert rosenbrock.latex() == (
        r"\left(\mathrm{a}".replace(r"\mathrm{a}", "a") + r" - w_{1}\right)^2 + b \, \left(w_{2} - w_{1}^2\right)^2"
    )
    assert trace(lambda g, *, beta1: (1 - beta1) * g**2, (), beta1=()).latex() == (r"\left(1 - \beta_{1}\right) \, g^2")
