"""The page of all comparisons, and each that the notebooks store: inside its grid, paired, fresh, claimed."""

import json

import numpy as np
import pytest

import optcore as oc
from book.course import notebooks, pages
from book.pages import comparisons
from optcore.claims import RECORD, with_interval

NOTEBOOKS = notebooks()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_comparison_of_a_notebook_is_sound(path):
    assert comparisons.problems(path) == []


def test_the_page_is_in_the_book_and_has_what_the_course_compares():
    assert comparisons.PAGE.stem in pages()
    assert sum(len(comparisons.read(path)) for path in NOTEBOOKS) >= 15


# ---- on a notebook of its own


def asked(sides=("plain", "new"), **how):
    """A comparison: the second side and later ones are 0.3 worse."""
    noise = lambda *seed: np.random.default_rng(seed).normal()
    side = lambda k: lambda rate, seed: np.exp(0.3 * (k > 0) + np.log(rate) ** 2 + noise(seed) + 0.02 * noise(seed, k))
    rates = {name: [0.1, 0.3, 1.0, 3.0] for name in sides}
    return oc.compare("Is it a | better one?", {s: side(k) for k, s in enumerate(sides)}, rates, budget=9, **how)


def markdown(text):
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def code(text, value=None):
    data, metadata = json.loads(json.dumps(value._repr_mimebundle_())) if value else ({}, {})
    output = {"output_type": "execute_result", "execution_count": 1, "data": data, "metadata": metadata}
    cell = {"cell_type": "code", "execution_count": 1, "metadata": {}, "source": text}
    return cell | {"outputs": [output] if value else []}


@pytest.fixture
def notebook(tmp_path):
    """`notebook(result, change)`: the file of a small notebook that stores the comparison, after `change(nb)`."""

    def write(result, change=lambda nb: None):
        claims = oc.Claims()
        for side, d in result.differences.items():
            claims.verdict(result, d.verdict, (0, 9), side=side)
        cells = [markdown("# A lesson\n\nwords"), markdown("## A *fair* one\n\n```\n# not a title\n```\n")]
        cells += [
            code("result = oc.compare(…)\nresult", result),
            markdown("## Next"),
            code("claims.table()", claims.table()),
        ]
        nb = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
        change(nb)
        path = tmp_path / "chapters" / "3-descent" / "2-noise.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(nb))
        return path

    return write


def test_a_line_says_what_was_tried_and_what_came_out(notebook):
    result = asked()
    path = notebook(result)
    assert comparisons.problems(path) == []
    (stored,) = comparisons.read(path)
    assert stored.link == "chapters/3-descent/2-noise.ipynb#a-fair-one" and stored.notebook == "3.2"
    (line,) = comparisons.lines(stored)
    d = result["new"]
    assert line.startswith(f"| [Is it a \\| better one?]({stored.link}) loss, lower is better | new against plain |")
    assert "| new: 1.0 of 4, 0.1 to 3" in line.replace("1 of", "1.0 of") and ". plain: 1" in line
    assert line.endswith(f"| 3 and 10 | {with_interval(d.mean, d.low, d.high)} | worse |")
    page = comparisons.render([stored])
    assert "## 3.2 A lesson" in page and line in page and "one of the 1 comparisons" in page


def test_each_difference_has_its_line_and_a_ratio_says_times(notebook):
    result = asked(("plain", "new", "newer"), ratio=True)
    (stored,) = comparisons.read(notebook(result))
    first, second = comparisons.lines(stored)
    d = result["new"]
    assert f"{with_interval(d.mean, d.low, d.high)} times |" in first and second.startswith(
        "|  | newer against plain | newer: "
    )


@pytest.mark.parametrize(("how", "words"), [({}, "0.5"), ({"ratio": True}, "1.5 times")])
def test_a_tie_within_the_margin_names_it(notebook, how, words):
    (stored,) = comparisons.read(notebook(asked(margin=0.5, **how)))
    assert comparisons.lines(stored)[0].endswith(f"| a tie (within {words}) |")
    assert comparisons.lines(comparisons.read(notebook(asked(margin=0.01, **how)))[0])[0].endswith("| worse |")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda nb: best(nb).update(rate=3.0), "the best rate of new, 3.0, is not inside its grid"),
        (lambda nb: record(nb)["sides"]["new"]["seeds"].__setitem__(0, 5), "not paired"),
        (lambda nb: record(nb)["sides"]["new"]["seeds"].__setitem__(0, 0), "seeds that chose its rate"),
        (lambda nb: record(nb)["sides"]["new"].update(budget=99), "the budgets differ"),
        (lambda nb: nb["cells"].pop(), "has no claims.verdict"),
        (lambda nb: nb["cells"][2]["outputs"].clear(), "1 comparisons are made and 0 stored"),
        (lambda nb: nb["cells"][2]["outputs"].clear(), "is claimed and its result not shown"),
        (lambda nb: nb["cells"].append(nb["cells"][2]), "is asked twice"),
    ],
)
def test_canary_an_unfair_comparison_in_a_notebook_is_named(notebook, change, sentence):
    found = comparisons.problems(notebook(asked(), change))
    assert any(sentence in problem and problem.startswith("2-noise.ipynb: ") for problem in found), found


def record(nb):
    return nb["cells"][2]["outputs"][0]["metadata"][RECORD]["comparison"]


def best(nb):
    return record(nb)["sides"]["new"]["best"]


def test_an_unfair_comparison_keeps_the_page_from_being_written(notebook, monkeypatch):
    path = notebook(asked(), lambda nb: best(nb).update(rate=3.0))
    monkeypatch.setattr(comparisons, "notebooks", lambda: [path])
    with pytest.raises(ValueError, match="not inside its grid"):
        comparisons.stale()
