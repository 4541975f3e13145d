"""One table over the whole catalogue: what every exercise must do, whoever wrote it."""

import ast
import inspect
import re
import time
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest

import optcore as oc
from optcore.grading import check, hint, portable, solution
from optcore.grading.catalogue import CHAPTERS, chapter, exercises, find
from optcore.grading.demo import slips
from optcore.grading.exercise import KINDS
from optcore.grading.judge import HINT, MISSING, Key, draw_cases, judge, run_all

# How many exercises a chapter has at least. Whoever adds some raises the number.
AT_LEAST = {
    "objective": 13,
    "convexity": 10,
    "gradient-descent": 14,
    "adaptive-methods": 14,
    "schedules": 11,
    "second-order": 12,
    "initialization": 12,
    "generalization": 18,
}


EXERCISES = exercises()
every_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id)
every_misconception = pytest.mark.parametrize(
    "exercise, index",
    [(e, i) for e in EXERCISES for i in range(len(e.misconceptions))],
    ids=[f"{e.id}-{i}" for e in EXERCISES for i in range(len(e.misconceptions))],
)


def graded(exercise, answer, seed):
    key = Key(exercise, draw_cases(exercise, seed))
    return judge(key, run_all(exercise, answer, key.cases))


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
    for number, name in enumerate(CHAPTERS, 1):
        for exercise in chapter(name):
            assert exercise.id.startswith(name + "/")
            assert exercise.notebook.startswith(f"{number}.")


@every_exercise
def test_the_text_is_complete(exercise):
    assert exercise.title and exercise.statement and exercise.hints and exercise.misconceptions
    assert not exercise.title.endswith(".")
    assert max(map(len, exercise.stub.splitlines())) <= 110
    if exercise.template is not ...:
        assert exercise.reference.__name__ == exercise.name
        assert list(inspect.signature(exercise.reference).parameters) == list(
            inspect.signature(exercise.template).parameters
        )


@every_exercise
def test_the_stub_is_still_missing(exercise):
    assert check(exercise.id, exercise.template).voice == MISSING


@every_exercise
def test_right_answers_pass_on_200_seeds(exercise):
    for seed in range(200 if exercise.template is not ... else 1):
        key = Key(exercise, draw_cases(exercise, seed))
        for answer in (exercise.reference, *exercise.also_right):
            feedback = judge(key, run_all(exercise, answer, key.cases))
            assert feedback, f"seed {seed}: {feedback}"


@every_misconception
def test_every_misconception_is_named_as_itself(exercise, index):
    misconception = exercise.misconceptions[index]
    for seed in range(5):
        feedback = graded(exercise, misconception.wrong, seed)
        assert feedback.voice == HINT and feedback.misconception is misconception, f"seed {seed}: {feedback}"


@every_exercise
def test_the_solution_stands_on_its_own(exercise):
    """What `oc.solution` shows can be pasted into a notebook."""
    namespace = {"np": np, "oc": oc}
    exec(exercise.solution, namespace)
    assert check(exercise.id, namespace[exercise.name])


@every_exercise
def test_the_grade_of_a_slip_does_not_depend_on_the_seed(exercise):
    """One changed sign, number, factor or function in the solution: right on all seeds or wrong on all of them."""
    if exercise.template is ...:
        return
    quick = replace(exercise, seconds=0.5)
    for source in slips(exercise.solution):
        namespace = {"np": np, "oc": oc}
        with suppress(Exception):  # in a class body or a default value it fails at once
            exec(source, namespace)
        if exercise.name not in namespace:
            continue
        first = graded(quick, namespace[exercise.name], 0)
        if "was stopped" not in first.text:
            assert [bool(graded(quick, namespace[exercise.name], seed)) for seed in (1, 2)] == [bool(first)] * 2, source


@every_exercise
def test_no_two_misconceptions_say_the_same(exercise):
    sentences = [m.sentence for m in exercise.misconceptions]
    assert len(set(sentences)) == len(sentences)
    assert all(s.endswith((".", "?")) and len(s) >= 20 for s in sentences)


@every_exercise
def test_neither_hints_nor_feedback_hold_the_solution(exercise):
    if exercise.template is ...:
        return
    given = re.sub(r"\s", "", exercise.stub)
    said = re.sub(r"\s", "", " ".join([*exercise.hints, *(m.sentence for m in exercise.misconceptions)]))
    for line in code_lines(exercise.solution):
        assert line in given or line not in said


@every_exercise
def test_the_probe_can_travel_and_takes_no_solution_along(exercise):
    if exercise.probe is None:
        return
    packed = portable.pack(exercise.probe)
    assert exercise.name not in packed["functions"] and exercise.name not in packed["library"]
    there = replace(exercise, probe=portable.unpack(packed))
    key = Key(exercise, draw_cases(exercise, 1))
    assert judge(key, run_all(there, exercise.reference, key.cases))
    assert there.inputs == exercise.inputs


@every_exercise
def test_the_code_that_is_given_is_quick(exercise, capsys):
    """It runs for every submission of a class: half a second, and twice that for a busy machine."""
    start = time.process_time()
    exec(exercise.stub, {"np": np, "oc": oc})
    assert time.process_time() - start < 1


@every_exercise
def test_feedback_comes_within_a_fifth_of_a_second(exercise):
    for answer in (exercise.reference, exercise.misconceptions[-1].wrong):
        check(exercise.id, answer)  # the first one makes the key
        start = time.process_time()
        check(exercise.id, answer)
        assert time.process_time() - start < 0.2


@every_exercise
def test_hints_and_solution_can_be_asked_for(exercise):
    for step in range(1, len(exercise.hints) + 1):
        assert exercise.hints[step - 1] in hint(exercise.id, step)
    assert exercise.name in solution(exercise.id, i_have_tried=True)


def test_an_exercise_is_found_by_its_last_part_and_a_slip_is_answered():
    assert find("gd") is find("gradient-descent/gd")
    with pytest.raises(LookupError, match="did you mean gradient-descent/gd"):
        find("gradient-descent/dg")
    with pytest.raises(LookupError, match="there is no exercise 'xyzzy'"):
        find("xyzzy")
