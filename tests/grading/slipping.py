"""What the grader says to every solution of the catalogue with one slip in it: `python -m tests.grading.slipping`.

Prints a table, and the slips that pass without being listed as equal; with names of exercises after it, every slip of
those and what is said. Exits 1 if an unlisted slip passes.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import optcore as oc
from optcore.grading.answer_key import Key, draw_cases, run_all
from optcore.grading.catalogue import exercises, find
from optcore.grading.exercise import Exercise
from optcore.grading.feedback import HINT, Feedback
from optcore.grading.judge import judge
from optcore.grading.slips import Slip, made_of, slips

SEEDS = (0, 1, 2)


def read_equal() -> dict[str, dict[str, str]]:
    """Exercise -> slip -> why it changes nothing."""
    found: dict[str, dict[str, str]] = {}
    for line in (Path(__file__).parent / "equal_slips.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            here = found.setdefault(line[3:], {})
        elif line.startswith("- `"):
            slip = line[3:-1]
        elif line.startswith("  "):
            here[slip] = line.strip()
    return found


EQUAL = read_equal()
WHAT_TO_DO = "choose a case that refuses it, or say in tests/grading/equal_slips.md why it changes nothing"


@dataclass(frozen=True)
class Trial:
    """A slip and what is said to it, None if the code does not even define the answer."""

    slip: Slip
    said: Feedback | None

    @property
    def passed(self) -> bool:
        return bool(self.said)

    @property
    def named(self) -> bool:
        return self.said is not None and self.said.voice == HINT

    @property
    def by_the_exercise(self) -> bool:
        """Whether one of the exercise's own sentences names it, and not the general words for slips."""
        return self.named and self.said.misconception.wrong is not None


def slips_of(exercise: Exercise) -> list[Slip]:
    return [] if exercise.template is ... else slips(exercise.solution)


def trials(exercise: Exercise, chosen: Iterable[Slip], seeds: Iterable[int] = SEEDS) -> Iterator[Trial]:
    """The chosen slips of an exercise, each graded until a seed refuses it."""
    quick = replace(exercise, seconds=1.0)  # enough on a busy machine, and short for a loop without an end
    keys = [Key(quick, draw_cases(exercise, seed)) for seed in seeds]
    for slip in chosen:
        try:
            answer = made_of(slip.source, exercise.name, {"np": np, "oc": oc})
        except Exception:
            yield Trial(slip, None)
            continue
        for key in keys:
            said = judge(key, run_all(quick, answer, key.cases))
            if not said:
                break
        yield Trial(slip, said)


def main(names: list[str]) -> int:
    totals, bad = Counter(), 0
    for exercise in map(find, names) if names else exercises():
        start = time.perf_counter()
        found = list(trials(exercise, slips_of(exercise)))
        if not found:
            continue
        equal = EQUAL.get(exercise.id, {})
        counts = Counter(
            slips=len(found),
            refused=sum(not t.passed for t in found),
            equal=sum(t.passed and str(t.slip) in equal for t in found),
            own_words=sum(t.by_the_exercise for t in found),
            named=sum(t.named for t in found),
        )
        totals += counts
        part = counts["named"] / max(counts["refused"], 1)
        print(f"{exercise.id:45} {dict(counts)}  {part:.0%} named  {time.perf_counter() - start:.1f} s", flush=True)
        for trial in found:
            if trial.passed and str(trial.slip) not in equal:
                bad += 1
                print(f"    PASSES  {trial.slip}: {WHAT_TO_DO}")
            elif names and not trial.passed:
                said = "it cannot be run" if trial.said is None else trial.said.text
                print(f"    {'named ' if trial.named else '      '}  {trial.slip}   |  {said}")
        for line in equal.keys() - {str(trial.slip) for trial in found if trial.passed}:
            bad += 1
            print(f"    listed as equal, but refused or not there: {line}")
    print(f"all: {dict(totals)}  {totals['named'] / max(totals['refused'], 1):.1%} of the refused are named")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
