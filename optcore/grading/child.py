"""The process that runs student code. Started by `sandbox`; it knows the cases and how to call, but no solutions.

A small server imports NumPy and optcore once. For each submission it forks a child, which gives up its rights, runs the
notebook, answers the cases and ends; the server reads what the child writes, as far as the limits allow, kills what is
left of it, and passes the bytes on unread. On stdin: the plan, then one submission after the other. On stdout: for each
submission how the child ended, and its frames.
"""

import ast
import ctypes
import json
import linecache
import os
import re
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[2]))

import optcore
from optcore.grading import portable, wire
from optcore.grading.exercise import Exercise
from optcore.grading.judge import refuse, run_all
from optcore.grading.run import TimeLimit, their_line, time_limit

OUTPUT = 8 << 20  # bytes of answers that are read from one submission
_SET_DUMPABLE, _NO_NEW_PRIVILEGES = 4, 38  # <sys/prctl.h>


# --- the server -------------------------------------------------------------------------------------------------------


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer submissions until there are no more."""
    keep_memory_private()
    plan = wire.decode(receive(requests))
    exercises = [_exercise(packed) for packed in plan["exercises"]]
    send(replies, b"ready")
    while request := receive(requests):
        read, write = os.pipe()
        scratch = tempfile.mkdtemp()
        child = os.fork()
        if child == 0:
            try:
                os.chdir(scratch)
                os.environ["TMPDIR"] = tempfile.tempdir = scratch
                _limit(write, plan["limits"])
                _run_submission(request, exercises, plan["limits"], os.fdopen(write, "wb"))
                os._exit(0)
            finally:
                os._exit(1)
        os.close(write)
        ended, frames = _collect(read, child, plan["limits"]["wall"])
        _remove([Path(scratch)] if not plan["walled"] else Path(tempfile.gettempdir()).iterdir())
        send(replies, ended.encode())
        send(replies, frames)


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
        ended = ended or ("CPU time" if code == -signal.SIGXCPU else f"exit code {code}" if code else "")
    return ended, bytes(frames[:OUTPUT])


def _remove(paths: Iterable[Path]) -> None:
    """Clear away what a submission left: behind the wall all of /scratch is its own, elsewhere only one folder."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()


def _wait(child: int, seconds: float) -> None:
    """Wait until the child has ended, but leave it to be reaped."""
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
    for name, limit in (
        ("CORE", 0),
        ("CPU", limits["cpu"]),
        ("AS", limits["memory"]),
        ("FSIZE", limits["file"]),
        ("NOFILE", 64),
    ):
        with suppress(ValueError, OSError):  # macOS knows fewer limits than Linux
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (limit, limit))


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
    request: bytes, exercises: list[tuple[Exercise, list[tuple]]], limits: dict[str, Any], out: BinaryIO
) -> None:
    """Run the cells, then write a frame for every exercise that was handed in."""

    def frame(**content: Any) -> None:
        send(out, wire.encode(content))

    submission = wire.decode(request)
    try:
        cells = _cells(submission["name"], submission["source"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        frame(note=f"not a notebook: {error}"[:200])
        return
    if os.getuid() == 0:
        _import_ahead(cells)
    _give_up_rights()
    handed_in: dict[str, Any] = {}
    namespace = {"__name__": "__main__", "display": lambda *what, **how: None}
    _hide_grading(handed_in)
    try:
        with time_limit(limits["cells"]):
            for number, source in enumerate(cells, 1):
                if said := _execute(source, f"<cell {number}>", namespace):
                    frame(note=f"cell {number}, {said}")
    except TimeLimit:
        frame(note=f"the cells ran longer than {limits['cells']:g} s")
    names = Counter(exercise.name for exercise, _ in exercises)
    for exercise, cases in exercises:
        by_name = namespace.get(exercise.name) if names[exercise.name] == 1 else None
        short = exercise.id.rpartition("/")[2]
        answer = handed_in.get(exercise.id, handed_in.get(short, by_name))
        if answer is None:
            continue
        refused = refuse(exercise, answer)
        if refused is not None:
            frame(id=exercise.id, refused=(refused.voice, refused.text))
        else:
            frame(id=exercise.id, outcomes=[asdict(outcome) for outcome in run_all(exercise, answer, cases)])


def _import_ahead(cells: list[str]) -> None:
    """Import while still root what the cells import: a stranger may not be able to read root's Python."""
    for cell in cells:
        with suppress(SyntaxError, ValueError, RecursionError):
            for node in ast.walk(ast.parse(cell)):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
                if isinstance(node, ast.ImportFrom) and node.module:
                    names = [node.module, *(f"{node.module}.{name}" for name in names)]
                for name in names:
                    with suppress(Exception):
                        import_module(name)


def _cells(name: str, source: bytes) -> list[str]:
    """The code of a notebook, cell by cell, or of a script."""
    text = source.decode("utf-8")
    if name.endswith(".py"):
        return [text]
    cells = ["".join(cell["source"]) for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    if not any(cell.strip() for cell in cells):
        raise ValueError("it has no code cells")
    return cells


def _execute(source: str, name: str, namespace: dict[str, Any]) -> str:
    """Run one cell; what it raises becomes a sentence."""
    try:
        source = without_magics(source)
        linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name
        exec(compile(source, name, "exec"), namespace)
    except TimeLimit:
        raise
    except BaseException as error:  # SystemExit and KeyboardInterrupt too: the next cell counts
        return f"{their_line(error)}: {type(error).__name__}: {error}"[:300]
    return ""


def without_magics(source: str) -> str:
    """A cell as plain Python: where it is not, `pass` stands for IPython's `%pip …` and `!ls`.

    >>> without_magics("if x:\\n    %pip install y"), without_magics("a = (7\\n  % 3)")
    ('if x:\\n    pass', 'a = (7\\n  % 3)')
    """
    try:
        ast.parse(source)
    except SyntaxError:
        return re.sub(r"^([ \t]*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)
    return source


def _hide_grading(handed_in: dict[str, Any]) -> None:
    """Take the grader out of reach: from here on `oc.check(id, answer)` only notes what is handed in."""
    for name in [name for name in sys.modules if name.startswith("optcore.grading")]:
        del sys.modules[name]
    quiet: Any = ModuleType("optcore.grading")
    quiet.hint = quiet.solution = quiet.progress = lambda *what, **how: None
    quiet.check = lambda exercise, answer: handed_in.update({exercise: answer})
    for name in ("check", "hint", "solution", "progress"):
        setattr(optcore, name, getattr(quiet, name))
    sys.modules["optcore.grading"] = optcore.grading = quiet


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
