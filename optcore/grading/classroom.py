"""Grade a class: run what each student handed in in a sandbox, judge what comes back, keep the results.

Judging happens here and nowhere else: the sandboxes know neither the seed nor the solutions. What each hand-in gave is
written down at once, so that a run that was interrupted goes on where it stopped.
"""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from . import cluster, portable, sandbox, wire
from .answer_key import Key, key
from .catalogue import CHAPTERS, chapter, exercises, find
from .exercise import Exercise
from .feedback import MISSING, WORKING, Feedback
from .handins import HandIn, find_handins
from .journal import Journal, Place
from .judge import judge
from .run import Outcome
from .sandbox import Limits

NEEDS = ("ipython", "joblib", "tqdm")  # beside NumPy: the extra "grading" of pyproject.toml
Ran = list[tuple[str, str, bytes]]  # for each file its name, how it ended, and its frames


@dataclass
class Grade:
    """What is known of one student."""

    student: str
    feedback: dict[str, Feedback]
    notes: list[str] = field(default_factory=list)
    handin: HandIn = field(default_factory=lambda: HandIn(""))
    shares: dict[str, float] = field(default_factory=dict)  # of the cases that agree, where not all do
    mistakes: dict[str, str] = field(default_factory=dict)  # known ones that were met
    files: dict[str, str] = field(default_factory=dict)  # where the answer stood
    broken: str = ""  # why there is no grade: it says nothing about the student
    worth: dict[str, float] = field(
        default_factory=dict
    )  # points that there are; these and what follows: `points.mark`
    marks: dict[str, float] = field(default_factory=dict)  # points for each exercise
    deduction: float = 0.0  # for being late
    total: float | None = None  # given by hand
    remarks: list[str] = field(default_factory=list)  # how the points came about

    @property
    def points(self) -> float:
        """What the student gets; a point for each exercise solved unless a scheme says otherwise."""
        earned = sum(self.marks.get(id, bool(said)) for id, said in self.feedback.items())
        return self.total if self.total is not None else max(0.0, earned - self.deduction)

    @property
    def of(self) -> float:
        """What there is to get."""
        return sum(self.worth.get(id, 1) for id in self.feedback)

    @property
    def email(self) -> str:
        return self.handin.person.email if self.handin.person else ""


# --- the plan ---------------------------------------------------------------------------------------------------------


def choose(names: list[str]) -> list[Exercise]:
    """The exercises that these chapters and ids name; all of them for no names.

    >>> [exercise.id for exercise in choose(["gradient-descent"])][:2]
    ['gradient-descent/gd', 'gradient-descent/contraction']
    """
    chosen = [e for name in names for e in (chapter(name) if name in CHAPTERS else [find(name)])]
    return list({e.id: e for e in chosen}.values()) if names else exercises()


def seed_number(seed: str) -> int:
    """A seed may be any text."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8])


def make_plan(chosen: list[Exercise], seed: int, limits: Limits) -> bytes:
    """What the sandboxes get to know: stubs, ways to call, cases, limits."""
    return wire.encode(
        {
            "limits": asdict(limits),
            "exercises": [
                {
                    "id": e.id,
                    "stub": e.stub,
                    "seconds": e.seconds,
                    "cases": key(e.id, seed).cases,
                    "probe": portable.pack(e.probe) if e.probe else None,
                }
                for e in chosen
            ],
        }
    )


# --- judging ----------------------------------------------------------------------------------------------------------


def judge_frames(data: bytes, seed: int, chosen: set[str]) -> tuple[dict[str, Feedback], dict[str, float], list[str]]:
    """Feedback, shares of cases that agree, and notes from what a sandbox sent.

    The bytes may be forged: only values count, and only here.
    """
    feedback: dict[str, Feedback] = {}
    shares: dict[str, float] = {}
    notes: list[str] = []
    for frame in sandbox.frames(data):
        name = frame.get("id")
        try:
            if name is None:
                notes.append(str(frame["note"])[:300])
            elif name in chosen and "refused" in frame:
                voice, text = frame["refused"]
                feedback[name] = Feedback(name, MISSING if voice == MISSING else WORKING, str(text)[:500])
            elif name in chosen:
                outcomes = [_outcome(made) for made in frame["outcomes"]]
                feedback[name] = judge(key(name, seed), outcomes)
                shares[name] = 1.0 if feedback[name] else share(key(name, seed), outcomes)
        except Exception as error:  # a forged or freakish value must not end the run
            feedback[str(name)] = Feedback(str(name), WORKING, f"The result cannot be judged ({type(error).__name__}).")
            shares[str(name)] = 0.0
    return {name: said for name, said in feedback.items() if name in chosen}, shares, notes[:20]


def share(key: Key, outcomes: list[Outcome]) -> float:
    """The share of the cases on which an answer agrees with the solution; none for an untouched stub."""
    if key.alike(key.untouched, outcomes):
        return 0.0
    pairs = enumerate(zip(key.expected, outcomes, strict=False))
    return sum(key.difference(i, a, b) is None for i, (a, b) in pairs) / len(key.cases)


def _outcome(made: dict[str, Any]) -> Outcome:
    return Outcome(
        made["value"],
        str(made["error"])[:300],
        str(made["where"])[:200],
        [str(name) for name in made["changed"]][:20],
        str(made["printed"])[:400],
    )


def judge_files(ran: Ran, seed: int, chosen: set[str]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """What the newest file that answers an exercise says, for each exercise, and what went wrong in any.

    Of several answers the newest counts, right or wrong; a stub that was left as it is, is no answer.
    """
    said: dict[str, dict[str, Any]] = {}
    notes: list[str] = []
    for name, ended, data in ran:
        feedback, shares, noted = judge_frames(data, seed, chosen)
        label = f"{name}: " if len(ran) > 1 else ""
        notes += [label + note for note in noted + [f"ended by the grader: {ended}"] * bool(ended)]
        for id, one in feedback.items():
            if id not in said or said[id]["voice"] == MISSING:
                mistake = one.misconception.sentence if one.misconception else ""
                kept = {"voice": one.voice, "text": one.text, "case": one.case, "mistake": mistake, "file": name}
                said[id] = kept | {"share": shares.get(id, 0.0)}
    return said, notes


# --- the run ----------------------------------------------------------------------------------------------------------


def grade_class(
    folder: Path,
    seed: str,
    journal: Path,
    *,
    only: list[str] | None = None,
    jobs: int = 1,
    limits: Limits | None = None,
    walled: bool = True,
    again: list[str] | None = None,
    quiet: bool = False,
    dask: str = "",
    handins: list[HandIn] | None = None,
) -> list[Grade]:
    """Grade everything handed in in `folder`, except what `journal` already holds; returns one grade per student.

    `again` names students and exercises whose results are forgotten first. `dask` is the address of a scheduler, whose
    workers then do the work. Raises ValueError if the journal belongs to another seed or other exercises, RuntimeError
    if a package is missing, or a worker lacks what it needs.
    """
    try:
        import IPython  # noqa: F401
        from joblib import Parallel, delayed
        from tqdm import tqdm
    except ModuleNotFoundError:
        raise RuntimeError(f"Grading a class needs {', '.join(NEEDS)}: pip install {' '.join(NEEDS)}.") from None

    chosen, number, limits = choose(only or []), seed_number(seed), limits or Limits()
    ids = {exercise.id for exercise in chosen}
    handins = find_handins(folder) if handins is None else handins
    plan = make_plan(chosen, number, limits)
    walled = walled and (bool(dask) or bool(sandbox.bubblewrap()))
    broken: dict[Place, str] = {}
    places: list[Place] = []

    def tasks() -> Iterator:
        for handin in handins:
            files, problems = _contents(handin, limits.size)
            place = _place(handin, files, problems)
            places.append(place)
            asked = stale(place, handin)
            if asked is None:
                progress.update()
            else:
                yield delayed(_attempt)(place, problems, asked, plan, limits.wall, walled, files)

    def stale(place: Place, handin: HandIn) -> list[str] | None:
        """The exercises to grade again, none in particular if all; nothing if there is nothing to do."""
        if place not in kept.entries or {handin.student, handin.id, handin.name} & students:
            return []
        return sorted(regraded) or None

    with contextlib.ExitStack() as stack:
        kept = stack.enter_context(Journal(journal, seed, ids))
        for line in kept.damaged:
            print(f"{journal}: line {line} is damaged; what it held is graded again")
        students, regraded = split_again(again or [], handins, ids)
        stack.enter_context(cluster.connected(dask, plan, walled) if dask else _closing(plan))
        progress = stack.enter_context(tqdm(total=len(handins), unit="student", disable=quiet))
        workers: dict[str, Any] = {} if dask else {"n_jobs": jobs, "prefer": "threads"}
        for place, notes, asked, ran, breakdown in Parallel(return_as="generator_unordered", **workers)(tasks()):
            if breakdown:
                broken[place] = breakdown
            else:
                said, noted = judge_files(ran, number, ids)
                if asked:
                    said = kept.entries[place]["feedback"] | {id: one for id, one in said.items() if id in asked}
                kept.add(place, notes + noted, said)
            progress.update()
        return [_grade(h, kept.entries.get(p), broken.get(p, ""), chosen) for h, p in zip(handins, places, strict=True)]


def split_again(names: list[str], handins: list[HandIn], ids: set[str]) -> tuple[set[str], set[str]]:
    """The students and the exercises among these names. Raises ValueError for a name that is neither."""
    known = {name for handin in handins for name in (handin.student, handin.id, handin.name) if name}
    unknown = sorted(set(names) - known - ids)
    if unknown:
        raise ValueError(f"--again: no student and no exercise of this run is called {', '.join(unknown)}.")
    return set(names) & known, set(names) & ids


@contextlib.contextmanager
def _closing(plan: bytes) -> Iterator[None]:
    try:
        yield
    finally:
        sandbox.close_all(plan)


def _contents(handin: HandIn, most: int) -> tuple[list[tuple[str, bytes]], list[str]]:
    """The files that can be read, the newest first, and why the others cannot."""
    files, problems = [], []
    for file in reversed(handin.files):
        content, problem = file.read(most)
        if problem:
            problems.append(problem if len(handin.files) == 1 else f"{file.name}: {problem}")
        else:
            files.append((file.name, content))
    return files, problems


def _place(handin: HandIn, files: list[tuple[str, bytes]], problems: list[str]) -> Place:
    digest = hashlib.sha256(repr(problems).encode())
    for name, content in files:
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0" + hashlib.sha256(content).digest())
    return handin.student, handin.id, digest.hexdigest()


def _attempt(
    place: Place, notes: list[str], asked: list[str], plan: bytes, wall: float, walled: bool, files: list
) -> tuple[Place, list[str], list[str], Ran, str]:
    """Run what was handed in; the last part is empty unless the sandbox broke down."""
    try:
        return place, notes, asked, sandbox.attempt(plan, wall, walled, files, asked), ""
    except sandbox.Breakdown as error:
        return place, notes, asked, [], str(error)


def _grade(handin: HandIn, entry: dict[str, Any] | None, broken: str, chosen: list[Exercise]) -> Grade:
    grade = Grade(handin.label, {e.id: Feedback(e.id, MISSING, "Not handed in.") for e in chosen}, handin=handin)
    grade.notes = list(handin.notes)
    if broken:
        grade.broken = broken
        grade.notes.append(f"NOT GRADED, the sandbox broke down twice ({broken}); the next run tries again")
    elif entry:
        grade.notes += entry["notes"]
        for id, said in entry["feedback"].items():
            grade.feedback[id] = Feedback(id, said["voice"], said["text"], said["case"])
            grade.shares[id] = said["share"]
            grade.files[id] = said["file"]
            if said["mistake"]:
                grade.mistakes[id] = said["mistake"]
    return grade
