"""Runs the tests of a module on its mutants, each in a forked process on a copy of the repository."""

import contextlib
import gc
import importlib
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.copies import Copy

from .mutants import Mutant

HEAVY = ("hypothesis", "matplotlib.pyplot", "numpy", "playwright.sync_api", "pytest", "scipy.stats")
OWN = ("optcore", "book", "tests")
SECONDS = 200  # of processor time: a loop without end counts as noticed, however slow the machine
WALL_SECONDS = 900  # the same for one that waits, as for a page that hangs
KILLED, SURVIVED = "killed", "survived"


@dataclass
class Running:
    """A child at work on a mutant."""

    copy: Copy
    mutant: Mutant
    original: str
    deadline: float


def import_what_all_tests_need() -> None:
    """Children are forked from this process and find these modules loaded."""
    for name in HEAVY:
        importlib.import_module(name)
    gc.freeze()


def _child(root: Path, tests: list[str]) -> None:
    """Become a run of pytest on the copy; the exit code is pytest's."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    os.chdir(root)
    sys.path[:] = [str(root), *(path for path in sys.path if path)]
    for name in [name for name in sys.modules if name.split(".")[0] in OWN]:
        del sys.modules[name]
    import pytest

    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly", "--doctest-modules"]
    os._exit(pytest.main([*options, *tests]))


def run_tests(copy: Copy, tests: list[str]) -> int:
    """Fork a run of the tests on the copy; returns its process id."""
    sys.stdout.flush()
    if child := os.fork():
        return child
    try:
        _child(copy.root, tests)
    finally:
        os._exit(3)


def verdicts(
    mutants: list[Mutant], tests_of: Callable[[str], list[str]], copies: list[Copy]
) -> Iterator[tuple[Mutant, str]]:
    """Each mutant with what became of it, in the order in which the runs end; as many at a time as there are copies."""
    waiting, free, running = list(mutants)[::-1], list(copies), dict[int, Running]()
    while waiting or running:
        while waiting and free:
            mutant, copy = waiting.pop(), free.pop()
            original = copy.read(mutant.file)
            copy.write(mutant.file, mutant.of(original))
            child = run_tests(copy, tests_of(mutant.file))
            running[child] = Running(copy, mutant, original, time.monotonic() + WALL_SECONDS)
        child, status = os.waitpid(-1, os.WNOHANG)
        if child not in running:
            for late in [pid for pid, one in running.items() if time.monotonic() > one.deadline]:
                os.killpg(late, signal.SIGKILL)
            time.sleep(0.05)
            continue
        done = running.pop(child)
        with contextlib.suppress(ProcessLookupError):  # what the run has left behind
            os.killpg(child, signal.SIGKILL)
        done.copy.write(done.mutant.file, done.original)
        free.append(done.copy)
        yield done.mutant, SURVIVED if os.waitstatus_to_exitcode(status) == 0 else KILLED
