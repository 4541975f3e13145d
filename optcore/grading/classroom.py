"""Grade a class: find the submissions, run each in its sandbox, judge what comes back, keep the results.

Judging happens here and nowhere else: the sandboxes know neither the seed nor the solutions. What each submission gave
is written down at once, so that a run that was interrupted goes on where it stopped.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

from . import portable, sandbox, wire
from .catalogue import CHAPTERS, chapter, exercises, find
from .exercise import Exercise
from .judge import CORRECT, HINT, MISSING, WORKING, Feedback, judge, key
from .run import Outcome
from .sandbox import Limits

NEEDS = ("joblib", "tqdm")  # beside NumPy: the extra "grading" of pyproject.toml
Place = tuple[str, str]  # a file's place in the folder, and the digest of its content
_BEST_FIRST = (CORRECT, HINT, WORKING, MISSING)


@dataclass(frozen=True)
class Submission:
    """One file that a student handed in, or the reason why it is not even opened."""

    student: str
    path: Path
    problem: str = ""


@dataclass
class Grade:
    """What is known of one student."""

    student: str
    feedback: dict[str, Feedback]
    notes: list[str] = field(default_factory=list)

    @property
    def points(self) -> int:
        return sum(map(bool, self.feedback.values()))


# --- submissions ------------------------------------------------------------------------------------------------------


def find_submissions(folder: Path) -> list[Submission]:
    """A student is a notebook, a script, or a folder of them in `folder`; links are not followed."""
    found = []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(entry.path)
        known = path.suffix in (".ipynb", ".py")
        if entry.name.startswith(".") and not known:  # .DS_Store, .git and the like
            continue
        if entry.is_symlink():
            found.append(Submission(path.stem, path, "a symbolic link"))
        elif entry.is_dir():
            inside = sorted(
                Path(root) / name
                for root, _, names in os.walk(path)
                for name in names
                if Path(name).suffix in (".ipynb", ".py") and ".ipynb_checkpoints" not in root
            )
            found += [Submission(entry.name, file) for file in inside] or [
                Submission(entry.name, path, "no notebook in the folder")
            ]
        else:
            found.append(Submission(path.stem, path, "" if known else "neither a notebook nor a script"))
    return found


def read_submission(path: Path, most: int) -> tuple[bytes, str]:
    """The bytes of a submission, or what keeps us from reading it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        return b"", "a symbolic link" if path.is_symlink() else f"cannot be read: {error.strerror}"
    with open(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            return b"", "not a file"
        if about.st_size > most:
            return b"", f"larger than {most >> 20} MB"
        return file.read(most), ""


# --- the plan ---------------------------------------------------------------------------------------------------------


def choose(names: list[str]) -> list[Exercise]:
    """The exercises that these chapters and ids name; all of them for no names.

    >>> [exercise.id for exercise in choose(["gradient-descent"])][:2]
    ['gradient-descent/gd', 'gradient-descent/contraction']
    """
    chosen = [e for name in names for e in (chapter(name) if name in CHAPTERS else [find(name)])]
    return chosen if names else exercises()


def seed_number(seed: str) -> int:
    """A seed may be any text."""
    return int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8])


def make_plan(chosen: list[Exercise], seed: int, limits: Limits, walled: bool) -> bytes:
    """What the sandboxes get to know: stubs, ways to call, cases, limits."""
    return wire.encode(
        {
            "walled": walled and bool(sandbox.bubblewrap()),
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


def judge_frames(data: bytes, seed: int, chosen: set[str]) -> tuple[dict[str, Feedback], list[str]]:
    """Feedback and notes from what a sandbox sent. The bytes may be forged: only values count, and only here."""
    feedback: dict[str, Feedback] = {}
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
                feedback[name] = judge(key(name, seed), [_outcome(made) for made in frame["outcomes"]])
        except Exception as error:  # a forged or freakish value must not end the run
            feedback[str(name)] = Feedback(str(name), WORKING, f"The result cannot be judged ({type(error).__name__}).")
    return {name: said for name, said in feedback.items() if name in chosen}, notes[:20]


def _outcome(made: dict[str, Any]) -> Outcome:
    return Outcome(
        made["value"],
        str(made["error"])[:300],
        str(made["where"])[:200],
        [str(name) for name in made["changed"]][:20],
        str(made["printed"])[:400],
    )


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
    quiet: bool = False,
) -> list[Grade]:
    """Grade every submission in `folder`, except those that `journal` already holds; returns one grade per student.

    Raises ValueError if the journal belongs to another seed or other exercises, RuntimeError if a package is missing.
    """
    try:
        from joblib import Parallel, delayed
        from tqdm import tqdm
    except ModuleNotFoundError:
        raise RuntimeError(f"Grading a class needs {' and '.join(NEEDS)}: pip install {' '.join(NEEDS)}") from None

    chosen, number, limits = choose(only or []), seed_number(seed), limits or Limits()
    ids = {exercise.id for exercise in chosen}
    plan, submissions = make_plan(chosen, number, limits, walled), find_submissions(folder)
    entries, file = _open_journal(journal, seed, sorted(ids))

    def tasks() -> Iterator:
        for submission in submissions:
            source, problem = (
                (b"", submission.problem) if submission.problem else read_submission(submission.path, limits.size)
            )
            here = str(submission.path.relative_to(folder)), hashlib.sha256(source + problem.encode()).hexdigest()
            handed_in.append((submission.student, here))
            if here in entries:
                progress.update()
            else:
                yield delayed(_attempt)(here, problem, plan, limits.wall + 10, walled, submission.path.suffix, source)

    handed_in: list[tuple[str, Place]] = []
    with file, tqdm(total=len(submissions), unit="submission", disable=quiet) as progress:
        try:
            run = Parallel(n_jobs=jobs, prefer="threads", return_as="generator_unordered")
            for here, problem, data in run(tasks()):
                feedback, notes = judge_frames(data, number, ids)
                said = {name: [one.voice, one.text, one.case] for name, one in feedback.items()}
                entries[here] = {"at": here, "notes": notes + [problem] * bool(problem), "feedback": said}
                file.write(json.dumps(entries[here]) + "\n")
                file.flush()
                progress.update()
        finally:
            sandbox.close_all()
    return _merge(handed_in, entries, chosen)


def _attempt(here: Place, problem: str, *submission: Any) -> tuple[Place, str, bytes]:
    """Run a submission, unless a problem is known before; returns what ended it early and its frames."""
    ended, data = ("", b"") if problem else sandbox.attempt(*submission)
    return here, f"ended by the grader: {ended}" if ended else problem, data


def _merge(handed_in: list[tuple[str, Place]], entries: dict[Place, dict], chosen: list[Exercise]) -> list[Grade]:
    """One grade per student: of several files the best feedback on each exercise counts."""
    grades: dict[str, Grade] = {}
    for student, here in handed_in:
        entry = entries[here]
        grade = grades.setdefault(
            student, Grade(student, {e.id: Feedback(e.id, MISSING, "Not handed in.") for e in chosen})
        )
        grade.notes += entry["notes"]
        for name, said in entry["feedback"].items():
            new = Feedback(name, *said)
            old = grade.feedback[name]
            if _BEST_FIRST.index(new.voice) <= _BEST_FIRST.index(old.voice):
                grade.feedback[name] = new
    return [grades[student] for student in sorted(grades)]


def _open_journal(path: Path, seed: str, ids: list[str]) -> tuple[dict[Place, dict], TextIO]:
    """The entries of an earlier run, and the file to add to. Only its owner may read it."""
    salted = hashlib.scrypt(seed.encode(), salt=b"optcore", n=1 << 12, r=8, p=1).hex()
    head = json.dumps({"seed": salted, "exercises": ids})
    file = open(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
    whole = [line for line in file if line.endswith("\n")]  # a torn last line is done again
    if whole and whole[0].rstrip() != head:
        raise ValueError(f"{path} belongs to another seed or to other exercises; give another -o, or --fresh")
    file.seek(sum(len(line.encode()) for line in whole))
    file.truncate()
    if not whole:
        file.write(head + "\n")
    entries = [json.loads(line) for line in whole[1:]]
    return {tuple(entry["at"]): entry for entry in entries}, file
