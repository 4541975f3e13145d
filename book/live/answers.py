"""Runs in the page's Python: the answer to an exercise as its notebook would run it, and what `oc.check` says."""

import contextlib
import functools
import io
import json
import linecache
import traceback

import numpy as np

import optcore as oc


class Json(str):
    """A text that a cell shows as it is, without quotes."""

    __repr__ = str.__str__


def said(asked: str) -> Json:
    """What is said about the code of an exercise, as JSON: voice, text and case as `oc.check` gives them.

    Where the code stops before it can be checked: the voice "Error", a sentence, and the `line` where it stops. `asked`
    holds what the reader has written for the exercises above, which may help here, this exercise's code, and the source
    of the cell that checks it.
    """
    return Json(json.dumps(_said(*json.loads(asked))))


def _said(before: list[str], code: str, check: str) -> dict:
    space = dict(_after(tuple(before)))
    try:
        run(code, space)
        feedback = eval(check, space)
    except BaseException as error:
        return {"voice": "Error", **sentence(error, code)}
    return {"voice": feedback.voice, "text": feedback.text, "case": feedback.case}


@functools.lru_cache(maxsize=256)
def _after(cells: tuple[str, ...]) -> dict:
    """The names after these cells; one that fails costs only what it would have defined, as when a class is graded."""
    if not cells:
        return {"__name__": "__main__", "np": np, "oc": oc}
    space = dict(_after(cells[:-1]))
    with contextlib.suppress(BaseException), contextlib.redirect_stdout(io.StringIO()):
        run(cells[-1], space)
    return space


def run(code: str, space: dict) -> None:
    """Execute the code there, as a file that errors can quote."""
    linecache.cache["<answer>"] = len(code), None, code.splitlines(keepends=True), "<answer>"
    exec(compile(code, "<answer>", "exec"), space)


def sentence(error: BaseException, code: str) -> dict:
    """Where the code stops, and with what, in one sentence; and the `line`."""
    if isinstance(error, SyntaxError) and error.filename == "<answer>":
        return {"text": f"Python cannot read line {error.lineno}: {error.msg}.", "line": error.lineno}
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == "<answer>" and frame.lineno]
    what = f"{type(error).__name__}: {error}"
    if not lines:
        return {"text": f"The check stops with {what}."}
    shown = code.splitlines()[lines[-1] - 1].strip()
    return {"text": f"Your code stops in line {lines[-1]}, `{shown}`, with {what}.", "line": lines[-1]}
