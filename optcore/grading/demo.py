"""A class that never was: `python -m optcore.grading.demo FOLDER` writes its submissions.

Each student solves some exercises, leaves some as they are, and gets some wrong: a wrong answer is the solution with
one slip in it, a sign, a forgotten factor or function, a number, a comparison. The report then looks like a real one,
and shows which slips the misconceptions of the catalogue name.
"""

import argparse
import ast
import copy
import json
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path

import numpy as np

from .catalogue import CHAPTERS
from .exercise import Exercise
from .notebooks import notebook

_OTHER_SIGN = {ast.Add: ast.Sub(), ast.Sub: ast.Add()}
_OPPOSITE = {ast.Lt: ast.GtE(), ast.GtE: ast.Lt(), ast.Gt: ast.LtE(), ast.LtE: ast.Gt()}


def _instead(node: ast.AST) -> Iterator[ast.expr]:
    """What may stand by mistake where `node` stands."""
    match node:
        case ast.BinOp(left, ast.Add() | ast.Sub() as op, right):
            yield ast.BinOp(left, _OTHER_SIGN[type(op)], right)
        case ast.BinOp(left, ast.Mult() | ast.Div(), right):
            yield from (left, right)
        case ast.Compare(left, [op], right) if type(op) in _OPPOSITE:
            yield ast.Compare(left, [_OPPOSITE[type(op)]], right)
        case ast.Call(_, [first]):
            yield first
        case ast.Constant(int() | float() as value):
            yield ast.Constant(value + 1)


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST):
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)


@cache
def slips(source: str) -> list[str]:
    """The source with one slip in it, in every way that there is.

    >>> slips("def f(x):\\n    return 2*x")
    ['def f(x):\\n    return 2', 'def f(x):\\n    return x', 'def f(x):\\n    return 3 * x']
    """
    tree = ast.parse(source)
    made = [(node, slip) for node in ast.walk(tree) for slip in _instead(node)]
    return [ast.unparse(_Replace(node, slip).visit(copy.deepcopy(tree, {id(node): node}))) for node, slip in made]


def answer(exercise: Exercise, rng: np.random.Generator) -> str:
    """What some student writes into the exercise's cell."""
    solved, wrong = rng.random(2) < (0.6, 0.7)
    if exercise.template is ...:
        values = [m.wrong for m in exercise.misconceptions]
        value = exercise.reference if solved else values[rng.integers(len(values))]
        return exercise.stub if not (solved or wrong) else f"{exercise.name} = {value!r}"
    return exercise.solution if solved else rng.choice(slips(exercise.solution)) if wrong else exercise.stub


def write_class(folder: Path, students: int, chapter: str = "gradient-descent", seed: int = 0) -> None:
    """Write a notebook per student into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(students):
        made = notebook(chapter, folder, partial(answer, rng=np.random.default_rng([seed, number])))
        (folder / f"student-{number:04d}.ipynb").write_text(json.dumps(made), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m optcore.grading.demo", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--students", type=int, default=200)
    parser.add_argument("--chapter", choices=CHAPTERS, default="gradient-descent")
    asked = parser.parse_args()
    write_class(asked.folder, asked.students, asked.chapter)
