"""The key to an exercise: its cases, and what the reference, the stub, known mistakes and slips make of them."""

import functools
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .compare import Difference, compare
from .exercise import Exercise, Misconception
from .run import Outcome, run_case
from .slips import Slip, made_of, slips

_PATIENCE = 600.0  # seconds for the reference, which comes to an end on any machine
_TIMES = 20  # as long as the reference an answer may take, where that is more than the exercise's seconds
_SLIP_SECONDS = 0.1  # for all cases together; a slip that takes longer goes round in circles


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
    """The cases of one exercise for one seed, and what the reference, the stub and the misconceptions make of them.

    Its exercise allows the time that answers need here: in a browser or on a slow machine more than elsewhere.
    """

    exercise: Exercise
    cases: list[tuple]

    def __post_init__(self):
        begun = time.monotonic()
        self.expected = run_all(replace(self.exercise, seconds=_PATIENCE), self.exercise.reference, self.cases)
        seconds = max(self.exercise.seconds, _TIMES * (time.monotonic() - begun))
        self.exercise = replace(self.exercise, seconds=seconds)
        wrong = [misconception.wrong for misconception in self.exercise.misconceptions]
        self.wrong = functools.cache(lambda i: run_all(self.exercise, wrong[i], self.cases))
        self.slipped = functools.cache(self._slipped)

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


def _on_error(got: Outcome, exercise: Exercise) -> str:
    name, _, message = got.error.partition(": ")
    if name == "TimeLimit":
        return f"Your code was stopped after {exercise.seconds:.2g} s: does every loop come to an end?"
    if name == "NotPlain":
        return f"Your answer gives back {message}."
    if name == "SystemExit":
        return "Your code ends the whole program (`exit`); it should `return` instead."
    return f"Your code stops{' in ' + got.where if got.where else ''} with {got.error}."


def _holds_fractions(value: Any) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return any(map(_holds_fractions, value))
    return isinstance(value, float | np.ndarray) and bool(np.any(np.asarray(value, float) % 1))
