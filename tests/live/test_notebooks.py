"""Notebooks run whole in the page's Python and print what they print elsewhere; readers' own rules are traced there.

A sample, one of each kind; `make pages-run` runs all of them, on their pages.
"""

import pytest

from book.course import ROOT, load, source

from .conftest import printed

SAMPLE = [
    "1-objective/1-from-data-to-a-loss-surface",
    "2-convexity/3-constraints-and-lagrange-multipliers",
    "3-gradient-descent/3-momentum-and-nesterov",
    "4-adaptive-methods/2-adam",
    "6-second-order/1-newton",
    "2-convexity/1-convexity-and-conditioning",
]


@pytest.mark.parametrize("name", SAMPLE)
def test_a_notebook_prints_what_is_stored(name, python):
    cells = [cell for cell in load(ROOT / f"chapters/{name}.ipynb")["cells"] if cell["cell_type"] == "code"]
    compared = shown = 0
    for at, cell in enumerate(cells, 1):
        result = python(source(cell), f"cell {at}")
        stored = "".join("".join(o["text"]) for o in cell["outputs"] if o["output_type"] == "stream")
        assert printed(result) == stored, f"cell {at}"
        compared += bool(stored)
        kinds = [kind for o in cell["outputs"] for kind in o.get("data", {}) if kind in ("image/png", "text/html")]
        assert [k for o in result["outputs"] for k in o.get("data", {}) if k in ("image/png", "text/html")] == kinds
        shown += len(kinds)
    assert len(cells) > 10 and compared > 3 and shown > 3


RULES = {  # what a reader types -> None where it goes live, else words of the one sentence
    "def rule(g, m=0.0, *, beta=0.9):\n    m = beta*m + g\n    return m, m": None,
    "def rule(g, m=0.0, *, beta=0.9):\n    m = beta*m + (1 - beta)*g\n    return m, m": None,
    "def rule(g, m=0.0, *, beta=0.9):\n    m = beta*m + g\n    return g + beta*m, m": None,
    "def rule(g):\n    return np.sign(g)": None,
    "def rule(g, v=0.0, *, rho=0.9):\n    v = rho*v + (1 - rho)*g**2\n    return g/(np.sqrt(v) + 1e-8), v": None,
    "def rule(g, m=0.0, v=0.0, *, t, b1=0.9, b2=0.999):\n    m = b1*m + (1 - b1)*g\n    v = b2*v + (1 - b2)*g**2\n"
    "    limit = 2/(1 - b2) - 1\n    rho = limit - 2*t*b2**t/(1 - b2**t)\n"
    "    r = np.sqrt(np.maximum((rho - 4)*(rho - 2)*limit/((limit - 4)*(limit - 2)*np.maximum(rho, 1)), 0))\n"
    "    h = m/(1 - b1**t)\n"
    "    return np.where(rho > 4, h*r/(np.sqrt(v/(1 - b2**t)) + 1e-8), h), m, v": None,
    "def rule(g, m=0.0, *, beta=0.9):\n    m = beta*m + grad\n    return m, m": "grad",
    "def rule(g):\n    if g > 0:\n        return g\n    return -g": "np.where",
    "def rule(g, m=0.0):\n    return g": "rule",
    "def rule(g)\n    return g": "expected ':'",
}


def test_ten_rules_that_readers_write_go_live_or_are_told_in_one_sentence_what_to_change(python):
    assert len(RULES) == 10
    for code, words in RULES.items():
        begin, end = "globals().pop('grad', 0)", "oc.explore(oc.rosenbrock, [rule, oc.adam])"
        result = python(f"import numpy as np, optcore as oc\n{begin}\n{code}\n{end}")
        if words is None:
            assert "error" not in result, (code, result["error"]["text"])
            assert 'data-oc="explore"' in result["outputs"][-1]["data"]["text/html"]
        else:
            said = result["error"]["text"].splitlines()[-1]
            assert words in said and len(said) < 400, (code, result["error"]["text"])
