"""Every Predict box asks for a guess, and what it says is right is what its page computes."""

import re
from collections import Counter
from pathlib import Path

import pytest

from book.course import load, notebooks, number, source, text_outputs
from book.pages import minutes
from book.site import predictions
from optcore.drawn import drawn_order
from tests.widgets.test_quiz_options import by_chance, length

PATHS = notebooks()
ENTRIES = [(path, entry) for path in PATHS for entry in predictions.entries(path)]
CHOICES = [(path, entry) for path, entry in ENTRIES if entry["kind"] == "choice"]
NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e-?\d+)?")
DO = (
    "Give each Predict box an entry, found by its first words, and mend what is wrong with the others "
    "(CONTRIBUTING.md, “Ask for a prediction”):"
)


def test_every_box_has_an_entry_and_every_entry_its_box():
    found = [predictions.paired(path, load(path)) for path in PATHS]
    faults = [line for _, lines in found for line in lines]
    seen = sum(len(pairs) for pairs, _ in found)
    assert not faults, "\n".join([DO, *faults])
    assert seen == len(ENTRIES) > 110


def test_every_kind_is_asked_for():
    kinds = Counter(entry["kind"] for _, entry in ENTRIES)
    assert set(kinds) == {"choice", "number", "sketch"} and min(kinds.values()) >= 3


def on_the_page(path: Path) -> set[float]:
    """The numbers that a notebook shows: text (but its minutes), code, what it prints, what it states."""
    nb = load(path)
    words = " ".join(minutes.LINE.sub("", source(cell)) + " " + text_outputs(cell) for cell in nb["cells"])
    words = re.sub(r"(?<=\d)(\\,| | )(?=\d{3}\b)|\{,\}", "", words)
    return {float(found) for found in NUMBER.findall(words)}


@pytest.mark.parametrize("path", PATHS, ids=number)
def test_numbers_of_answers_stand_on_the_page(path):
    known = on_the_page(path)
    assert len(known) > 10
    strange = []
    for entry in predictions.entries(path):
        mine = {float(found) for text in entry.get("wrong", []) for found in NUMBER.findall(text)}
        said = {float(found) for found in NUMBER.findall(entry["answer"] + " " + entry.get("right", ""))}
        strange += [f"{entry['id']}: {found:g}" for found in sorted(said - known - mine) if found > 12 or found % 1]
    assert not strange, f"{path.name} does not show what {predictions.FILE} says: {', '.join(strange)}"


def test_answers_are_short_and_names_are_plain():
    for path, entry in ENTRIES:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry["id"]), (path.name, entry["id"])
        words = re.sub(r"\$[^$]*\$", "x", entry["answer"])
        assert words.endswith((".", "?")) and len(words.split()) <= 60, (path.name, entry["id"])
        assert len(re.findall(r"[.?](?: |$)", words)) <= 3, (path.name, entry["id"])


def test_neither_place_nor_length_tells_the_right_option():
    places, chances = Counter(), []
    seen = {"longest": 0.0, "shortest": 0.0}
    for path, entry in CHOICES:
        options = drawn_order([entry["right"], *entry["wrong"]], f"{number(path)}/{entry['id']}")
        places[options.index(entry["right"])] += 1
        chances.append(1 / len(options))
        lengths = [length({"text": option}) for option in options]
        for name, extreme in (("longest", max), ("shortest", min)):
            if lengths[options.index(entry["right"])] == extreme(lengths):
                seen[name] += 1 / lengths.count(extreme(lengths))
    for name, count in {**seen, "first": places[0]}.items():
        fits, found = by_chance(count, chances)
        assert fits, f"the right option is {name}: {found}"


def test_close_is_neither_everything_nor_nothing():
    """A number that is off by ten, or by its own size, is not close."""
    for path, entry in ENTRIES:
        if entry["kind"] == "choice":
            continue
        assert 1 < entry.get("factor", 2) <= 3, (path.name, entry["id"])
        if entry["kind"] == "number" and "tolerance" in entry:
            row = predictions.claims(load(path))[entry["claim"]]
            span = max(abs(row["value"]), 1) * entry.get("times", 1)
            assert 0 < entry["tolerance"] <= span / 2, (path.name, entry["id"])


# ---- the checks can fail ------------------------------------------------------------------------------------

GOOD = {"id": "a", "box": "How", "kind": "choice", "right": "1", "wrong": ["2"], "answer": "So."}
COUNT = {"id": "a", "box": "How", "kind": "number", "claim": "steps", "unit": "", "factor": 2, "answer": "So."}
CURVE = {**COUNT, "kind": "sketch", "x": "x", "y": "y", "low": 0, "high": 1, "log": True, "points": [{"x": "1"}]}
KNOWN = {"steps": {"claim": "steps", "value": 3, "low": 3, "high": 3, "band": False}, "": {"text": "7 steps, 8 steps"}}


@pytest.mark.parametrize(
    "entry, said",
    [
        (GOOD, None),
        (COUNT, None),
        ({**GOOD, "answer": ""}, "'answer'"),
        ({**GOOD, "kind": "text"}, "kind 'text'"),
        ({**GOOD, "wrong": []}, "two to five"),
        ({**GOOD, "wrong": ["1"]}, "two to five"),
        ({**COUNT, "claim": "step"}, "'step'"),
        ({**COUNT, "tolerance": 1}, "what counts as close"),
        ({**CURVE, "points": [{"x": "1", "read": r"(\d) steps"}]}, "or several"),
        ({**CURVE, "points": [{"x": "1", "read": r"7 steps, (\d)"}]}, None),
        ({**CURVE, "points": [{"x": "1", "claim": "steps"}], "log": False}, "log axis"),
    ],
)
def test_canary_a_faulty_entry_is_named(entry, said):
    found = predictions.fault(entry, KNOWN)
    assert found is None if said is None else said in found


def test_canary_boxes_without_an_entry_are_noticed(tmp_path):
    text = "Words.\n\n> **Predict.** How many,\n> and why?\n\nMore.\n\n> **Predict.** Which?"
    told = lambda text: {"cell_type": "markdown", "source": text}
    code = lambda *outputs: {"cell_type": "code", "source": "", "outputs": list(outputs)}
    found = lambda *cells: [box.cells for box in predictions.boxes({"cells": [told(text), *cells]})]
    assert [box.text for box in predictions.boxes({"cells": [told(text)]})] == ["How many, and why?", "Which?"]
    assert found(code({}), code({}), told("Text."), code({})) == [0, 2]
    assert found(code(), told("Text."), code({}), told("Text."), code({})) == [0, 2]
    assert (
        found(code(), told("## Heading"), code({}))
        == found(code(), told("> **Predict.** More?"), code({}))[:2]
        == [0, 0]
    )
    folder = tmp_path / "3-x"
    folder.mkdir()
    path = folder / "1-y.ipynb"
    path.write_text('{"cells": [{"cell_type": "markdown", "source": "> **Predict.** How many?"}]}')
    (folder / predictions.FILE).write_text('{"3.1": [{"id": "b", "box": "Which", "kind": "choice"}]}')
    pairs, faults = predictions.paired(path, load(path))
    assert pairs == [(predictions.Box("How many?", 0), None)]
    assert [line.split(": ", 1)[1][:20] for line in faults] == [
        "the box “How many?” ",
        "the entry 'b' needs ",
        "the entry 'b' has no",
    ]
