"""Which pairs are listed, and which are not."""

import json

import numpy as np
import pytest

from optcore.grading.catalogue import find
from optcore.grading.demo import write_class
from optcore.grading.handins import find_handins
from optcore.grading.similar import fingerprints, similar_pairs, tokens, write_similar

EXERCISE = find("gradient-descent/gd")
ODD = '''
def gradient_descent(grad, w0, lr, steps):
    """Mine."""
    table = np.zeros((steps + 1, np.size(w0)))
    table[0, :] = np.ravel(w0)
    row = 0
    while row < steps:
        slope = np.ravel(grad(table[row, :].copy()))
        scaled = np.multiply(slope, -lr)
        table[row + 1, :] = np.add(table[row, :], scaled)
        row += 1
    return table.reshape(steps + 1, -1)
'''
RENAMED = ODD.replace("table", "out").replace("row", "k").replace("slope", "g").replace('"""Mine."""', "# my own")
USUAL = """
def gradient_descent(grad, w0, lr, steps):
    history = [np.array(w0, float)]
    for _ in range(steps):
        history.append(history[-1] - lr*grad(history[-1]))
    return np.array(history)
"""


@pytest.fixture
def pairs(tmp_path):
    def of(**codes):
        folder = tmp_path / "class"
        folder.mkdir(exist_ok=True)
        for name, code in codes.items():
            cells = [{"cell_type": "code", "source": "import numpy as np\n%matplotlib inline"},
                     {"cell_type": "code", "source": code}]  # fmt: skip
            (folder / f"{name}.ipynb").write_text(json.dumps({"cells": cells}))
        return similar_pairs(find_handins(folder), [EXERCISE])

    return of


def test_names_comments_and_layout_do_not_hide_a_copy(pairs):
    (pair,) = pairs(anna=ODD, ben=USUAL, cem=RENAMED.replace("    ", "  "))
    assert (pair.one, pair.other, pair.exercise, pair.share) == ("anna", "cem", EXERCISE.id, 1.0)


def test_a_copy_in_a_longer_answer_is_found(pairs):
    longer = RENAMED.replace("    k = 0\n", "    k = 0\n    print(len(w0), steps % 7, lr, sep=', ', end='!')\n")
    assert [(p.one, p.other) for p in pairs(anna=ODD, cem=longer)] == [("anna", "cem")]


def test_what_the_solution_forces_is_not_listed(pairs):
    assert pairs(anna=USUAL, ben=USUAL, cem=EXERCISE.solution.replace("w", "v")) == []


def test_what_many_wrote_is_not_listed(pairs):
    assert pairs(**{f"s{i}": ODD for i in range(8)}) == []


def test_what_does_not_parse_or_answer_is_passed_over(pairs):
    assert (
        pairs(
            anna="def gradient_descent(:", ben="gradient_descent = 3", cem="", dana="(" * 300, eve="%time x\n" * 10_000
        )
        == []
    )


def test_a_made_up_class_has_no_pairs_but_the_copy(tmp_path):
    """Slips of one solution share what the solution forces, and little else."""
    write_class(tmp_path / "class", 60)
    for name, code in (("anna", ODD), ("zoe", RENAMED)):
        (tmp_path / "class" / f"{name}.py").write_text("import numpy as np\n" + code)
    found = similar_pairs(find_handins(tmp_path / "class"), [EXERCISE])
    assert [(p.one, p.other) for p in found] == [("anna", "zoe")]
    write_similar(tmp_path / "s.html", found)
    page = (tmp_path / "s.html").read_text(encoding="utf-8")
    assert "1 pairs share" in page and "np.multiply(slope, -lr)" in page and "Read both before" in page


def test_two_stretches_long_enough_share_a_fingerprint():
    """Winnowing's promise: eleven tokens in common, wherever they stand, leave one in common."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        words = [f"np.f{i}" for i in rng.integers(0, 1000, 60)]
        cut = int(rng.integers(0, 40))
        common = "+".join(words[cut : cut + 3])
        assert len(tokens(common)) == 11
        one, other = "x = 1;" * int(rng.integers(0, 5)) + common, "y[2] = " + common + "*3" * int(rng.integers(0, 2))
        assert fingerprints(one) & fingerprints(other)
    assert len(tokens("a = 1  # c\n")) == 3 and fingerprints("") == frozenset()
