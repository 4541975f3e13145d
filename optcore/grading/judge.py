"""Compare outcomes with those of the reference and say, in one of four voices, what is the matter."""

import functools
import html
import inspect
import re
import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .exercise import Exercise, Misconception
from .run import Outcome, run_case
from .slips import Slip, made_of, slips

CORRECT, HINT, MISSING, WORKING = "Correct", "Hint", "Still missing", "Keep working"
_COLOURS = {CORRECT: "#1b7f4b", HINT: "#b35c00", MISSING: "#4a6fa5", WORKING: "#b3382c"}
_WIDTH = 96
_SLIP_SECONDS = 0.1  # for all cases together; a slip that takes longer goes round in circles


@dataclass(frozen=True, repr=False)
class Feedback:
    """What is said about an answer: a voice, a sentence, and where it helps a small failing case. True if correct."""

    exercise: str
    voice: str
    text: str
    case: str = ""
    misconception: Misconception | None = None

    def __bool__(self) -> bool:
        return self.voice == CORRECT

    def __repr__(self) -> str:
        said = textwrap.fill(f"{self.voice}. {self.text}", _WIDTH, break_on_hyphens=False)
        return said + ("\n" + textwrap.indent(self.case, "  ") if self.case else "")

    def _repr_html_(self) -> str:
        said = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(self.text))
        case = f'<pre style="margin:.5em 0 0">{html.escape(self.case)}</pre>' if self.case else ""
        return (
            f'<div class="oc-feedback" style="border-left:4px solid {_COLOURS[self.voice]};padding:.3em .8em">'
            f"<strong>{self.voice}.</strong> {said}{case}</div>"
        )


@dataclass(frozen=True)
class Difference:
    """How a result departs from the expected one: a sentence, the two values where it does, and which part it is."""

    text: str = ""
    expected: Any = None
    got: Any = None
    voice: str = WORKING
    part: str = ""  # "Result 2 of 3", if there are several


# --- running ------------------------------------------------------------------------------------------------


def draw_cases(exercise: Exercise, seed: int) -> list[tuple]:
    """The exercise's cases for a seed; every exercise has a stream of its own."""
    return exercise.cases(np.random.default_rng([seed, *exercise.id.encode()]))


def run_all(exercise: Exercise, answer: Any, cases: list[tuple]) -> list[Outcome]:
    """The outcomes on the cases, as far as the exercise's time lasts."""
    outcomes: list[Outcome] = []
    end = time.monotonic() + exercise.seconds
    for case in cases:
        outcome = run_case(answer, exercise.call, case, exercise.inputs, max(0.01, end - time.monotonic()))
        outcomes.append(outcome)
        if outcome.error.startswith("TimeLimit"):
            break
    return outcomes


@dataclass(eq=False)
class Key:
    """The cases of one exercise for one seed, and what the reference, the stub and the misconceptions make of them."""

    exercise: Exercise
    cases: list[tuple]

    def __post_init__(self):
        wrong = [misconception.wrong for misconception in self.exercise.misconceptions]
        self.wrong = functools.cache(lambda i: run_all(self.exercise, wrong[i], self.cases))
        self.slipped = functools.cache(self._slipped)

    @functools.cached_property
    def expected(self) -> list[Outcome]:
        return run_all(self.exercise, self.exercise.reference, self.cases)

    @functools.cached_property
    def untouched(self) -> list[Outcome]:
        return run_all(self.exercise, self.exercise.template, self.cases)

    @functools.cached_property
    def slips(self) -> list[Slip]:
        """The slips that can be told from the results: these have to hold more than words and whole numbers."""
        told = self.exercise.template is not ... and any(_holds_fractions(outcome.value) for outcome in self.expected)
        return [slip for slip in slips(self.exercise.solution) if slip.clause] if told else []

    def _slipped(self, index: int) -> list[Outcome]:
        """What the solution with slip `index` gives; nothing if it stops, or is right all the same."""
        import optcore

        quick = replace(self.exercise, seconds=_SLIP_SECONDS)
        try:
            answer = made_of(self.slips[index].source, self.exercise.name, {"np": np, "oc": optcore})
        except Exception:  # a slip in a class body or in a default value may fail at once
            return []
        outcomes = run_all(quick, answer, self.cases)
        stopped = len(outcomes) < len(self.cases) or any(outcome.error for outcome in outcomes)
        return [] if stopped or self.alike(self.expected, outcomes) else outcomes

    def named(self, outcomes: list[Outcome]) -> Misconception | None:
        """The known mistake that behaves like this: one of the exercise's own, or a slip in its solution."""
        for i, misconception in enumerate(self.exercise.misconceptions):
            if self.alike(self.wrong(i), outcomes):
                return misconception
        if any(outcome.error for outcome in outcomes):
            return None
        for i, slip in enumerate(self.slips):
            if self.slipped(i) and self.alike(self.slipped(i), outcomes):
                return Misconception(None, f"Your results are those of a solution in which {slip.clause}.")
        return None

    def difference(self, index: int, expected: Outcome, got: Outcome) -> Difference | None:
        """How one outcome of case `index` departs from another, None if it does not."""
        if expected.error or got.error:
            same = expected.error.partition(":")[0] == got.error.partition(":")[0]
            return None if same else Difference(_on_error(got, self.exercise))
        if expected.changed != got.changed:
            names = " and ".join(f"`{name}`" for name in got.changed)
            return Difference(
                f"Your answer writes into its input {names}, which the caller still needs: make a copy first."
            )
        rtol, atol = self.exercise.rtol, self.exercise.atol
        raw = compare(expected.value, got.value, rtol, atol, names=self.exercise.results)
        if raw is None or self.exercise.summary is None:
            return raw
        try:
            a, b = (self._summary(index, outcome) for outcome in (expected, got))
        except Exception:  # not even the kind of thing that could be summarised
            return raw
        return compare(a, b, rtol, atol)

    def _summary(self, index: int, outcome: Outcome) -> Any:
        """The summary of an outcome of case `index`, kept with it: it is compared with many others."""
        assert self.exercise.summary is not None
        if "summary" not in vars(outcome):
            vars(outcome)["summary"] = self.exercise.summary(outcome.value, *self.cases[index])
        return vars(outcome)["summary"]

    def alike(self, those: list[Outcome], these: list[Outcome]) -> bool:
        """Whether two answers behave alike on every case."""
        if len(those) != len(these):
            return False
        if all(outcome.error for outcome in these):  # one type of error may have many causes
            return [outcome.error for outcome in those] == [outcome.error for outcome in these]
        return all(self.difference(i, a, b) is None for i, (a, b) in enumerate(zip(those, these, strict=True)))


@functools.lru_cache(maxsize=1024)
def key(exercise_id: str, seed: int = 0) -> Key:
    """The key to an exercise; readers are checked with seed 0."""
    from .catalogue import find

    exercise = find(exercise_id)
    return Key(exercise, draw_cases(exercise, seed))


# --- judging ------------------------------------------------------------------------------------------------


def refuse(exercise: Exercise, answer: Any) -> Feedback | None:
    """What is said about an answer that is not even worth running: nothing, a call's result, the wrong arguments."""

    def say(voice: str, text: str) -> Feedback:
        return Feedback(exercise.id, voice, text)

    name, template = exercise.name, exercise.template
    if answer is None or answer is Ellipsis or answer is NotImplemented:
        return say(MISSING, f"What you hand in is still empty ({answer}).")
    if template is ...:
        return say(WORKING, f"Hand in the value of `{name}`, not a function.") if callable(answer) else None
    kind = "class" if inspect.isclass(template) else "function"
    if not callable(answer) or (kind == "class" and not inspect.isclass(answer)):
        return say(
            WORKING, f'Hand in the {kind} itself, `oc.check("{exercise.id}", {name})`; this is {_a_kind(answer)}.'
        )
    try:
        wanted, given = inspect.signature(template), inspect.signature(answer)
    except (TypeError, ValueError):  # some built-in functions do not tell
        return None
    needed = [p for p in wanted.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    named = [p.name for p in wanted.parameters.values() if p.kind is p.KEYWORD_ONLY]
    try:
        given.bind(*needed, **dict.fromkeys(named))
    except TypeError:
        return say(WORKING, f"`{name}` must take {wanted}; yours takes {given}.")
    return None


def judge(key: Key, outcomes: list[Outcome]) -> Feedback:
    """The feedback on an answer with these outcomes."""
    exercise, total = key.exercise, len(key.cases)

    def say(voice: str, text: str, case: str = "", misconception: Misconception | None = None) -> Feedback:
        return Feedback(exercise.id, voice, text, case, misconception)

    wrong = {
        i: difference
        for i, (expected, got) in enumerate(zip(key.expected, outcomes, strict=False))
        if (difference := key.difference(i, expected, got)) is not None
    }
    if not wrong and len(outcomes) == total:
        agree = f"All {total} cases agree." if total > 1 else "That is it."
        return say(CORRECT, f"{exercise.title}: {agree} {exercise.explanation}".strip())
    if not outcomes or key.alike(key.untouched, outcomes) or outcomes[0].error.startswith("NotImplementedError"):
        return _untouched(exercise, outcomes)

    at = min(wrong, key=lambda i: (_length(key.cases[i]), i))
    difference, got = wrong[at], outcomes[at]
    case = show_case(key, at, difference, got)
    misconception = key.named(outcomes)
    if misconception is not None:
        return say(HINT, misconception.sentence, case, misconception)
    if difference.text:
        return say(difference.voice, difference.text, case)
    part = f"{difference.part} is not right" if difference.part else ""
    if total == 1:
        return say(WORKING, f"{part or 'Not yet'}.", case)
    agree = f"{total - len(wrong)} of {total} cases agree"
    return say(
        WORKING, f"{agree}{'; ' + part[0].lower() + part[1:] if part else ''}; the smallest that does not:", case
    )


def _untouched(exercise: Exercise, outcomes: list[Outcome]) -> Feedback:
    """What is said about an answer that behaves like the stub."""
    shown = next((outcome.printed.rstrip() for outcome in outcomes if outcome.printed.strip()), "")
    if exercise.kind == "bug hunt":
        text = f"`{exercise.name}` still does what the broken code does: the bug is not found yet."
    elif inspect.isclass(exercise.template):
        text = f"The methods of `{exercise.name}` are still empty."
    elif shown:
        text = f"`{exercise.name}` prints something and gives nothing back: what it finds has to be returned."
        return Feedback(exercise.id, MISSING, text, f"printed  {shown}")
    else:
        text = f"`{exercise.name}` gives nothing back yet: write its body, and end with `return`."
    return Feedback(exercise.id, MISSING, text)


def _on_error(got: Outcome, exercise: Exercise) -> str:
    name, _, message = got.error.partition(": ")
    if name == "TimeLimit":
        return f"Your code was stopped after {exercise.seconds:g} s: does every loop come to an end?"
    if name == "NotPlain":
        return f"Your answer gives back {message}."
    if name == "SystemExit":
        return "Your code ends the whole program (`exit`); it should `return` instead."
    return f"Your code stops{' in ' + got.where if got.where else ''} with {got.error}."


def compare(
    expected: Any, got: Any, rtol: float, atol: float, part: str = "", names: Sequence[str] = ()
) -> Difference | None:
    """The first difference between two plain values, None if they agree; `part` says which piece is looked at.

    `names` are those of the results, where there are several.

    >>> compare(1.0, 1.0 + 1e-12, 1e-9, 0.0) is None
    True
    >>> compare((1.0, np.zeros(3)), (1.0, np.zeros((3, 1))), 1e-9, 0.0, names=("J", "dJ/dw")).text
    'Result 2 of 2, dJ/dw, has shape (3, 1), expected (3,).'
    """
    result = part or "The result"

    def differ(text: str = "", voice: str = WORKING) -> Difference:
        return Difference(text, expected, got, voice, part)

    if got is None:
        return None if expected is None else differ(f"{result} is missing: `None` came back.", MISSING)
    if isinstance(expected, dict):
        return (
            _compare_dicts(expected, got, rtol, atol)
            if isinstance(got, dict)
            else differ(f"{result} is {_a_kind(got)}, expected a dict.")
        )
    if isinstance(expected, list | tuple):
        asked = f"{len(expected)} {'result is' if len(expected) == 1 else 'results are'} asked for"
        if isinstance(got, np.ndarray) and got.ndim and len(got) == len(expected):
            got = list(got)
        if not isinstance(got, list | tuple):
            return differ(f"{result} is {_a_kind(got)}, but {asked}.", MISSING)
        if len(got) != len(expected):
            short = MISSING if len(got) < len(expected) else WORKING
            return differ(
                f"{result} has {len(got)} {'part' if len(got) == 1 else 'parts'}, expected {len(expected)}.", short
            )
        piece = "Entry" if isinstance(expected, list) else "Part" if part else "Result"
        within = f" of {part[0].lower()}{part[1:]}" if part else ""
        called = [f", {name}," for name in names] if len(names) == len(expected) else [""] * len(expected)
        for i, (a, b, name) in enumerate(zip(expected, got, called, strict=True), 1):
            which = f"{piece} {i}{within}" if within else f"{piece} {i} of {len(expected)}{name}"
            difference = compare(a, b, rtol, atol, which)
            if difference is not None:
                return difference
        return None
    if isinstance(expected, str):
        if not isinstance(got, str):
            return differ(f"{result} is {_a_kind(got)}, expected a piece of text.")
        return None if got.strip().lower() == expected.strip().lower() else differ()
    if expected is None or isinstance(got, str | dict):
        wanted = "an array" if isinstance(expected, np.ndarray) else "nothing" if expected is None else "a number"
        return differ(f"{result} is {_a_kind(got)}, expected {wanted}.")
    return _compare_numbers(expected, got, rtol, atol, differ, result)


def _compare_dicts(expected: dict, got: dict, rtol: float, atol: float) -> Difference | None:
    for name, value in expected.items():
        difference = compare(value, got.get(name), rtol, atol, f"The {name}")
        if difference is not None:
            return difference if difference.text else replace(difference, text=f"Not right: the {name}.")
    return None


def _compare_numbers(expected, got, rtol, atol, differ, result) -> Difference | None:
    listed = isinstance(got, list | tuple)
    try:
        a, b = np.asarray(expected), np.asarray(got)
    except ValueError:
        return differ(f"{result} is {_a_kind(got)} with rows of different lengths.")
    if b.dtype.kind not in "biuf":
        return differ(f"{result} is {_a_kind(got)} that holds something else than numbers.")
    if a.shape != b.shape:
        if not a.ndim:
            return differ(f"{result} is {_a_kind(got)}, expected one number.")
        if not b.ndim:
            return differ(f"{result} is one number, expected an array of shape {a.shape}.")
        return differ(f"{result} has shape {b.shape}, expected {a.shape}.")
    exact = a.dtype.kind in "biu" and b.dtype.kind in "biu"
    close = a == b if exact else np.isclose(b.astype(float), a.astype(float), rtol, atol, equal_nan=True)
    if not np.all(close):
        strange = np.isnan(b.astype(float)) & ~np.isnan(a.astype(float))
        if strange.any():
            return differ(f"{result} contains nan where a number is expected.")
        if b.dtype.itemsize < 8 and b.dtype.kind == "f" and np.allclose(b, a, 1e-5, 1e-7, equal_nan=True):
            return differ(f"{result} is right to the digits of {b.dtype}: compute it in float64.")
        return differ()
    return (
        differ(
            f"The numbers are right, but {result[0].lower()}{result[1:]} is {_a_kind(got)}: "
            "turn it into an array with `np.array`."
        )
        if listed
        else None
    )


def _a_kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, bool):
        return f"{value}"
    names = {
        str: "a piece of text",
        int: "a number",
        float: "a number",
        list: "a list",
        tuple: "a tuple",
        dict: "a dict",
    }
    return names.get(type(value), f"an object of type {type(value).__name__}")


# --- showing ------------------------------------------------------------------------------------------------


def show(value: Any) -> str:
    """A plain value, short, and the same on every processor.

    >>> show(np.array([1/3, 1e-17])), show(0.1 + 0.2), show([1, np.arange(100)])
    ('[0.33333, 0.     ]', '0.3', '[1, [ 0,  1, ..., 98, 99]]')
    """
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f" and value.size:
            finite = np.abs(value[np.isfinite(value)])
            value = np.where(np.abs(value) < 1e-12 * finite.max(initial=0.0), 0.0, value)
        return np.array2string(value, precision=5, separator=", ", threshold=24, edgeitems=2, max_line_width=80)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        shown = [show(item) for item in value[:6]] + ["…"] * (len(value) > 6)
        return ("[{}]" if isinstance(value, list) else "({})").format(", ".join(shown))
    if isinstance(value, dict):
        return ", ".join(f"{name} {show(item)}" for name, item in value.items())
    return repr(value)


def show_case(key: Key, index: int, difference: Difference, got: Outcome) -> str:
    """A failing case in a few lines: how it is called, inputs, what was expected, what came back, what was printed."""
    exercise, case = key.exercise, key.cases[index]
    rows = [(f"{name} =", show(value)) for name, value in zip(exercise.inputs, case, strict=False)]
    if exercise.kind != "explain" and (difference.expected is not None or difference.got is not None):
        if exercise.kind != "measure":
            rows.append(("expected", _around(difference.expected, difference)))
        rows.append(("got", _around(difference.got, difference)))
        alike = len(rows) > 1 and rows[-1][1] == rows[-2][1] and not difference.text
        if alike:
            rows.append(("apart by", show(float(np.max(np.abs(np.subtract(difference.got, difference.expected)))))))
    if got.printed:
        rows.append(("printed", got.printed.rstrip()))
    width = max((len(label) for label, _ in rows), default=0) + 1
    lines = [label.ljust(width) + text.replace("\n", "\n" + " " * width) for label, text in rows]
    doc = inspect.getdoc(exercise.probe) if exercise.probe else None
    return "\n".join(([doc] if doc and rows else []) + lines)


def _around(value: Any, difference: Difference) -> str:
    """A value, or of long arrays of one shape the entry where they first part."""
    a, b = difference.expected, difference.got
    arrays = isinstance(a, np.ndarray) and isinstance(b, np.ndarray)
    if not arrays or a.shape != b.shape or a.size <= 24:
        return show(value)
    with np.errstate(all="ignore"):
        gap = ~(np.abs(a.astype(float) - b) <= 1e-9 * np.abs(a.astype(float)))
    where = np.unravel_index(int(np.argmax(gap)), a.shape)
    return f"{show(float(value[where]))} at [{', '.join(map(str, where))}]"


def _length(value: Any) -> int:
    """How much there is to read in a plain value: its entries, and three times those with many digits."""
    if isinstance(value, list | tuple):
        return sum(map(_length, value))
    if isinstance(value, np.ndarray):
        return _length(value.ravel().tolist()) if value.size <= 24 else 3 * value.size
    return 3 if isinstance(value, float) and len(f"{value:.6g}") > 4 else 1


def _holds_fractions(value: Any) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return any(map(_holds_fractions, value))
    return isinstance(value, float | np.ndarray) and bool(np.any(np.asarray(value, float) % 1))
