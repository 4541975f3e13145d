"""One table over the whole catalogue: what every exercise must do, whoever wrote it."""

import ast
import inspect
import re
from contextlib import suppress
from dataclasses import replace
from difflib import SequenceMatcher

import numpy as np
import pytest

import optcore as oc
from book.course import load, notebooks, source
from optcore.grading import check, hint, portable, solution
from optcore.grading.answer_key import Key, draw_cases, run_all
from optcore.grading.catalogue import CHAPTERS, chapter, exercises, find
from optcore.grading.exercise import KINDS
from optcore.grading.feedback import HINT, MISSING
from optcore.grading.judge import judge
from optcore.grading.similar import tokens

from .slipping import EQUAL, WHAT_TO_DO, slips_of, trials

# How many exercises a chapter has at least. Whoever adds some raises the number.
AT_LEAST = {
    "objective": 15,
    "convexity": 12,
    "gradient-descent": 16,
    "adaptive-methods": 16,
    "schedules": 13,
    "second-order": 14,
    "initialization": 14,
    "generalization": 21,
}
EXERCISES = exercises()
RANDOM_SEEDS = range(5, 35)


def code_lines(source):
    """The telling lines of a solution, without spaces: no signature, no docstring, no bare `return x`."""
    tree = ast.parse(source)
    docstrings = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    text = source
    for docstring in docstrings - {None}:
        text = text.replace(docstring, "")
    lines = [re.sub(r"\s+|#.*", "", line) for line in text.splitlines()]
    return [line for line in lines if len(line) >= 10 and not line.startswith(("def", "class", '"""'))]


def test_every_chapter_has_its_exercises():
    assert tuple(AT_LEAST) == CHAPTERS
    found = {name: len(chapter(name)) for name in CHAPTERS}
    assert all(found[name] >= least for name, least in AT_LEAST.items()), found
    assert len(EXERCISES) == sum(found.values()) >= sum(AT_LEAST.values())


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_chapter_has_all_kinds(name):
    assert {exercise.kind for exercise in chapter(name)} == set(KINDS)


def test_ids_are_unique_and_belong_to_their_chapter():
    ids = [e.id for e in EXERCISES]
    assert len(ids) == len(set(ids))
    names = [(e.id.split("/")[0], e.name) for e in EXERCISES]  # one notebook for a chapter: an answer has one home
    assert len(names) == len(set(names)), [name for name in names if names.count(name) > 1]
    for number, name in enumerate(CHAPTERS, 1):
        for exercise in chapter(name):
            assert exercise.id.startswith(name + "/")
            assert exercise.notebook.startswith(f"{number}.")


def test_the_right_letter_is_anywhere():
    keys = [exercise.reference for exercise in EXERCISES if exercise.kind == "explain"]
    assert len(keys) >= 12
    assert set(keys) == set("abcd") and max(map(keys.count, keys)) <= len(keys) / 2, keys


# --- what holds for each of them --------------------------------------------------------------------------------------


def the_text_is_complete(exercise):
    assert exercise.title and exercise.statement and exercise.hints and exercise.misconceptions
    assert not exercise.title.endswith(".")
    assert max(map(len, exercise.stub.splitlines())) <= 110
    if exercise.template is not ...:
        assert exercise.reference.__name__ == exercise.name
        assert list(inspect.signature(exercise.reference).parameters) == list(
            inspect.signature(exercise.template).parameters
        )


def the_stub_is_still_missing(exercise):
    assert check(exercise.id, exercise.template).voice == MISSING
    if exercise.kind == "implement":  # an answer that stops elsewhere must not be taken for an empty one
        key = Key(exercise, draw_cases(exercise, 0))
        assert not any(outcome.error for outcome in key.untouched), key.untouched


def right_answers_pass_on_every_seed(exercise):
    for seed in RANDOM_SEEDS if exercise.template is not ... else [0]:
        key = Key(exercise, draw_cases(exercise, seed))
        for answer in (exercise.reference, *exercise.also_right):
            feedback = judge(key, run_all(exercise, answer, key.cases))
            assert feedback, f"seed {seed}: {feedback}"


def every_misconception_is_named_as_itself(exercise):
    for seed in range(5):
        key = Key(exercise, draw_cases(exercise, seed))
        for misconception in exercise.misconceptions:
            feedback = judge(key, run_all(exercise, misconception.wrong, key.cases))
            assert feedback.voice == HINT and feedback.misconception is misconception, (
                f"seed {seed}: {feedback}\ninstead of: {misconception.sentence}"
            )


def no_slip_passes_but_those_that_change_nothing(exercise):
    passed = {str(t.slip) for t in trials(exercise, slips_of(exercise)) if t.passed}
    listed = EQUAL.get(exercise.id, {})
    assert passed == set(listed), "\n".join(
        [
            *(f"passes: {it}: {WHAT_TO_DO}" for it in passed - set(listed)),
            *(f"does not pass, and is listed: {it}" for it in set(listed) - passed),
        ]
    )
    assert all(len(reason) >= 10 for reason in listed.values())


def the_solution_stands_on_its_own(exercise):
    """What `oc.solution` shows can be pasted into a notebook."""
    namespace = {"np": np, "oc": oc}
    exec(exercise.solution, namespace)
    assert check(exercise.id, namespace[exercise.name])


def no_two_misconceptions_say_the_same(exercise):
    sentences = [m.sentence for m in exercise.misconceptions]
    assert len(set(sentences)) == len(sentences)
    assert all(s.endswith((".", "?")) and len(s) >= 20 for s in sentences)


def neither_hints_nor_feedback_hold_the_solution(exercise):
    if exercise.template is ...:
        return
    given = re.sub(r"\s", "", exercise.stub)
    said = re.sub(r"\s", "", " ".join([*exercise.hints, *(m.sentence for m in exercise.misconceptions)]))
    for line in code_lines(exercise.solution):
        assert line in given or line not in said


def the_probe_can_travel_and_takes_no_solution_along(exercise):
    if exercise.probe is None:
        return
    packed = portable.pack(exercise.probe)
    assert exercise.name not in packed["functions"] and exercise.name not in packed["library"]
    there = replace(exercise, probe=portable.unpack(packed))
    key = Key(exercise, draw_cases(exercise, 1))
    assert judge(key, run_all(there, exercise.reference, key.cases))
    assert there.inputs == exercise.inputs
    assert there.probe.__globals__["__builtins__"]  # see unpack


def hints_and_solution_can_be_asked_for(exercise):
    for step in range(1, len(exercise.hints) + 1):
        assert exercise.hints[step - 1] in hint(exercise.id, step)
    assert exercise.name in solution(exercise.id, i_have_tried=True)


EVERY = [
    the_text_is_complete,
    the_stub_is_still_missing,
    the_solution_stands_on_its_own,
    right_answers_pass_on_every_seed,
    every_misconception_is_named_as_itself,
    no_slip_passes_but_those_that_change_nothing,
    no_two_misconceptions_say_the_same,
    neither_hints_nor_feedback_hold_the_solution,
    the_probe_can_travel_and_takes_no_solution_along,
    hints_and_solution_can_be_asked_for,
]


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id)
def test_exercise(exercise):
    for requirement in EVERY:
        requirement(exercise)


def test_most_slips_are_named_and_many_in_words_of_the_exercise():
    found = [t for e in chapter("schedules") for t in trials(e, slips_of(e)) if not t.passed]
    assert len(found) >= 300
    assert sum(t.named for t in found) > 0.5 * len(found)
    assert sum(t.by_the_exercise for t in found) > 0.1 * len(found)


def test_no_answer_can_be_copied_from_its_page():
    """Functions that a notebook defines, handed in to its exercises of that name or with those arguments."""
    tried = []
    for path in notebooks():
        namespace, number = {"np": np, "oc": oc}, f"{path.parent.name[0]}.{path.name[0]}"
        for cell in load(path)["cells"]:
            if cell["cell_type"] == "code" and "oc.check(" not in source(cell):
                for node in ast.parse(source(cell)).body:
                    if isinstance(node, ast.FunctionDef | ast.ClassDef):
                        with suppress(Exception):  # a default value or a decorator that other cells would define
                            exec(compile(ast.Module([node], []), path.name, "exec"), namespace)
        for exercise in EXERCISES:
            if exercise.notebook != number or exercise.template is ...:
                continue
            wanted = [*inspect.signature(exercise.template).parameters]
            for name, answer in namespace.items():
                if getattr(answer, "__code__", None) and answer.__code__.co_filename == path.name:
                    if name == exercise.name or [*inspect.signature(answer).parameters] == wanted:
                        tried.append(exercise.id)
                        assert not check(exercise.id, answer), f"{name} of {path.name} solves {exercise.id}"
    assert len(tried) >= 8, tried


def longest_shared(solution, cell):
    """How much of a solution's body one cell has in one piece, names aside."""
    words = tokens(ast.unparse(ast.parse(solution).body[-1]))
    body = words[words.index(":") + 1 :]
    return SequenceMatcher(None, body, tokens(cell), autojunk=False).find_longest_match().size / len(body)


def test_what_counts_as_the_same_code():
    solution = "def f(a, b):\n    c = a + np.sqrt(b)\n    return c / (1 - b)"
    assert longest_shared(solution, "x = 1\ndef g(u, v):\n    w = u + np.sqrt(v)\n    return w / (1 - v)") == 1
    assert longest_shared(solution, "w = np.sqrt(v) + u") < 0.5


def test_no_solution_is_written_out_on_its_page():
    """No cell of the page that sends to an exercise has two thirds of its solution in one piece."""
    pages = {
        f"{path.parent.name[0]}.{path.name[0]}": [
            source(cell) for cell in load(path)["cells"] if cell["cell_type"] == "code"
        ]
        for path in notebooks()
    }
    shares = {
        exercise.id: max(longest_shared(exercise.solution, cell) for cell in pages[exercise.notebook])
        for exercise in EXERCISES
        if exercise.template is not ...
    }
    assert len(shares) >= 95
    assert not {id: round(share, 2) for id, share in shares.items() if share > 2 / 3}


def test_a_derivation_in_each_chapter():
    derived = {exercise.id.split("/")[0] for exercise in EXERCISES if exercise.title.startswith("Derive: ")}
    assert derived == set(CHAPTERS)


def test_no_slip_is_listed_for_an_exercise_that_there_is_not():
    assert set(EQUAL) <= {exercise.id for exercise in EXERCISES}


def test_an_exercise_is_found_by_its_last_part_and_a_slip_is_answered():
    assert find("gd") is find("gradient-descent/gd")
    with pytest.raises(LookupError, match="did you mean gradient-descent/gd"):
        find("gradient-descent/dg")
    with pytest.raises(LookupError, match="There is no exercise 'xyzzy'"):
        find("xyzzy")
