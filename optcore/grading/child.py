"""The process that runs student code. Started by `sandbox`; it knows the cases and how to call, but no solutions.

A small server imports NumPy and optcore once. For each submission it forks a child, which gives up its rights, runs the
notebook, answers the cases and ends; the server reads what the child writes, as far as the limits allow, kills what is
left of it, and passes the bytes on unread. On stdin: the plan, then one submission after the other. On stdout: for each
submission how the child ended, and its frames.
"""

import ast
import asyncio
import codeop
import ctypes
import functools
import gc
import inspect
import linecache
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, BinaryIO

import optcore
from optcore.grading import portable, wire
from optcore.grading.answer_key import run_all
from optcore.grading.cells import code_cells, shell, statements
from optcore.grading.exercise import Exercise
from optcore.grading.judge import refuse
from optcore.grading.run import TimeLimit, error_line, their_line, time_limit

OUTPUT = 8 << 20  # bytes of answers that are read from one submission
KILLED = "it was killed from outside, as when memory runs out"
_IDLE = 600.0  # seconds without a request after which a server ends by itself
_SET_DUMPABLE, _NO_NEW_PRIVILEGES = 4, 38  # <sys/prctl.h>


# --- the server -------------------------------------------------------------------------------------------------------


def serve(requests: BinaryIO, replies: BinaryIO, scratch: Path, walled: bool) -> None:
    """Answer submissions until there are no more. They write into `scratch`, which is this server's alone."""
    if walled and not scratch.is_mount():
        raise RuntimeError("The wall that was promised is missing.")
    keep_memory_private()
    plan = wire.decode(receive(requests))
    exercises = [_exercise(packed) for packed in plan["exercises"]]
    _grading()
    gc.freeze()  # children share what is imported, and need not copy it to look for garbage
    send(replies, b"ready")
    while select.select([requests], [], [], _IDLE)[0] and (request := receive(requests)):
        asked = wire.decode(request)
        limits = plan["limits"] | {"wall": asked["wall"], "cells": asked["wall"] / 2}
        read, write = os.pipe()
        folder = tempfile.mkdtemp(dir=scratch)
        child = os.fork()
        if child == 0:
            try:
                os.chdir(folder)
                os.environ["TMPDIR"] = tempfile.tempdir = folder
                _limit(write, limits)
                _run_submission(asked, exercises, limits, os.fdopen(write, "wb"))
                os._exit(0)
            finally:
                os._exit(1)
        os.close(write)
        ended, frames = _collect(read, child, limits["wall"])
        empty(scratch)
        send(replies, ended.encode())
        send(replies, frames)
    if not walled:
        shutil.rmtree(scratch, ignore_errors=True)


def send(stream: BinaryIO, data: bytes) -> None:
    """Write bytes with their length in front."""
    stream.write(len(data).to_bytes(8) + data)
    stream.flush()


def receive(stream: BinaryIO) -> bytes:
    """Read bytes with their length in front; nothing at the end of the stream."""
    return stream.read(int.from_bytes(stream.read(8)))


def _exercise(packed: dict[str, Any]) -> tuple[Exercise, list[tuple]]:
    probe = portable.unpack(packed["probe"]) if packed["probe"] else None
    return Exercise(
        id=packed["id"],
        notebook="",
        title="",
        statement="",
        stub=packed["stub"],
        reference=None,
        probe=probe,
        seconds=packed["seconds"],
    ), packed["cases"]


def _collect(read: int, child: int, wall: float) -> tuple[str, bytes]:
    """What the child writes until it ends or a limit is reached, and how it ended."""
    frames, ended, end = bytearray(), "", time.monotonic() + wall
    while not ended:
        left = end - time.monotonic()
        if left <= 0 or not select.select([read], [], [], left)[0]:
            ended = "wall time"
        elif not (part := os.read(read, 1 << 16)):
            break
        else:
            frames += part
            if len(frames) > OUTPUT:
                ended = "too much output"
    os.close(read)
    if not ended:  # it closed its pipe: a moment to go by itself, with a status of its own
        _wait(child, 0.5)
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(child, signal.SIGKILL)
    with suppress(ChildProcessError):
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        names = {-signal.SIGXCPU: "CPU time", -signal.SIGKILL: KILLED, 0: ""}
        ended = ended or names.get(code, f"exit code {code}")
    return ended, bytes(frames[:OUTPUT])


def empty(scratch: Path) -> None:
    """Clear away what a submission left."""
    for path in scratch.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _wait(child: int, seconds: float) -> None:
    """Wait until the child has ended, but leave it to be reaped."""
    if hasattr(os, "pidfd_open"):
        handle = os.pidfd_open(child)
        select.select([handle], [], [], seconds)
        os.close(handle)
        return
    end = time.monotonic() + seconds
    while time.monotonic() < end and os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        time.sleep(0.001)


# --- the student's process --------------------------------------------------------------------------------------------


def _limit(keep: int, limits: dict[str, Any]) -> None:
    """A session of its own, no descriptor but the one to write to, little memory, time and disk."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.closerange(3, keep)
    os.closerange(keep + 1, 1024)
    for name, limit, most in (
        ("CORE", 0, 0),
        ("CPU", limits["cpu"], limits["cpu"] + 1),  # a signal that names the reason, then the end
        ("AS", limits["memory"], limits["memory"]),
        ("FSIZE", limits["file"], limits["file"]),
        ("NOFILE", 64, 64),
    ):
        with suppress(ValueError, OSError):  # macOS knows fewer limits than Linux
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (limit, most))


def _give_up_rights() -> None:
    """From root to a stranger, whom limits bind; no new process or thread from here on, no set-uid program."""
    if os.getuid() == 0:
        stranger = 60001 + os.getpid() % 4000
        os.chown(".", stranger, stranger)
        os.setgroups([])
        os.setresgid(stranger, stranger, stranger)
        os.setresuid(stranger, stranger, stranger)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    _prctl(_NO_NEW_PRIVILEGES, 1)


def keep_memory_private() -> None:
    """No process of the same user may look into this one, or into those that it forks."""
    _prctl(_SET_DUMPABLE, 0)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _run_submission(
    asked: dict[str, Any], exercises: list[tuple[Exercise, list[tuple]]], limits: dict[str, Any], out: BinaryIO
) -> None:
    """Run the cells, then write a frame for every exercise that was handed in."""

    def frame(**content: Any) -> None:
        send(out, wire.encode(content))

    try:
        cells = [_Cell(number, source) for number, source in enumerate(code_cells(asked["name"], asked["source"]), 1)]
    except ValueError as error:
        frame(note=str(error))
        return
    if os.getuid() == 0:
        _import_ahead([statement for cell in cells for statement in cell.statements])
    _give_up_rights()
    handed_in: dict[str, Any] = {}
    _hide_grading(handed_in)
    namespace: dict[str, Any] = {"__name__": "__main__", "display": lambda *what, **how: None}
    for note in _run_cells(cells, namespace, limits["cells"]):
        frame(note=note)
    names = Counter(exercise.name for exercise, _ in exercises)
    for exercise, cases in exercises:
        by_name = namespace.get(exercise.name) if names[exercise.name] == 1 else None
        short = exercise.id.rpartition("/")[2]
        answer = handed_in.get(exercise.id, handed_in.get(short, by_name))
        if answer is None or exercise.id not in (asked["only"] or [exercise.id]):
            continue
        refused = refuse(exercise, answer)
        if refused is not None:
            frame(id=exercise.id, refused=(refused.voice, refused.text))
        else:
            frame(id=exercise.id, outcomes=[asdict(outcome) for outcome in run_all(exercise, answer, cases)])


class _Cell:
    """A cell, parsed; `problem` says why it could not be."""

    def __init__(self, number: int, source: str):
        self.label, self.name, self.problem = f"cell {number}", f"<cell {number}>", ""
        linecache.cache[self.name] = len(source), None, source.splitlines(keepends=True), self.name
        try:
            self.statements = statements(source)
        except Exception as error:
            self.statements, self.problem = [], f"{self.label}: {error_line(error)}"[:300]


def _import_ahead(statements: list[ast.stmt]) -> None:
    """Import while still root what the cells import: a stranger may not be able to read root's Python."""
    for node in (node for statement in statements for node in ast.walk(statement)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{name}" for name in names)]
        for name in names:
            with suppress(Exception):
                if not name.startswith("optcore.grading"):
                    import_module(name)


def _run_cells(cells: list[_Cell], namespace: dict[str, Any], seconds: float) -> Iterator[str]:
    """Run the cells in `namespace` and say what went wrong.

    Every statement stands for itself: after one that fails the next one counts all the same. None may take more than
    half of the time that is left, so that one without end costs itself only.
    """
    end = time.monotonic() + seconds
    execute = _executor(namespace)
    for cell in cells:
        if cell.problem:
            yield cell.problem
        for statement in cell.statements:
            left = end - time.monotonic()
            if left < 0.01:
                yield f"the cells ran longer than {seconds:g} s; {cell.label} and what follows did not run"
                return
            try:
                with time_limit(left / 2):
                    execute(statement, cell.name)
            except TimeLimit:
                yield f"{cell.label}, line {statement.lineno}: stopped after {left / 2:.2g} s"
            except BaseException as error:  # SystemExit and KeyboardInterrupt too
                yield f"{cell.label}, {their_line(error)}: {error_line(error)}"[:300]


def _executor(namespace: dict[str, Any]) -> Callable[[ast.stmt, str], None]:
    """Runs a statement as Jupyter would: `await` at the top, `from __future__` for what follows, `get_ipython()`."""
    compiler = codeop.Compile()
    compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    loop = functools.cache(asyncio.new_event_loop)

    def execute(statement: ast.stmt, name: str) -> None:
        code = compiler(ast.Module([statement], []), name, "exec")  # type: ignore[arg-type]  # a tree serves as well
        result = eval(code, namespace)
        if code.co_flags & inspect.CO_COROUTINE:
            loop().run_until_complete(result)

    def run(source: str) -> None:
        for statement in statements(source):
            execute(statement, "<magic>")

    import IPython

    namespace["get_ipython"] = IPython.get_ipython = functools.cache(lambda: shell(run))
    return execute


@functools.cache
def _grading() -> list[str]:
    """The grader's modules, listed once: a child that looks through all modules copies their pages."""
    return [name for name in sys.modules if name.startswith("optcore.grading")]


def _hide_grading(handed_in: dict[str, Any]) -> None:
    """Take the grader out of reach: from here on `oc.check(id, answer)` only notes what is handed in."""
    for name in _grading():
        sys.modules.pop(name, None)

    def check(exercise: str, answer: Any) -> Any:
        handed_in[exercise] = answer
        return SimpleNamespace(exercise=exercise, voice="", text="", case="")  # true, for `assert oc.check(…)`

    quiet: Any = ModuleType("optcore.grading")
    quiet.check = check
    quiet.hint = quiet.solution = quiet.progress = lambda *what, **how: None
    for name in ("check", "hint", "solution", "progress"):
        setattr(optcore, name, getattr(quiet, name))
    sys.modules["optcore.grading"] = optcore.grading = quiet


def main() -> None:
    """What `sandbox` starts: the arguments are the folder for scratch files and, behind a wall, "walled"."""
    import IPython.core.inputtransformer2  # noqa: F401  # once, and while it can still be read

    scratch, *walled = sys.argv[1:]
    serve(sys.stdin.buffer, sys.stdout.buffer, Path(scratch), walled == ["walled"])
