"""Run a submission in a process of its own and bring back plain data: the grader's side of `child`.

With bubblewrap the process has no network and sees nothing but Python, NumPy, optcore without its solutions, and
itself. Without it, limits of time, memory, disk and processes hold, and as root it runs as a stranger, but it may read
what every user may read and open sockets. `isolation()` says in a line which of the two it is.
"""

import contextlib
import functools
import os
import platform
import select
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import wire
from .child import KILLED, OUTPUT, send

_PACKAGE = Path(__file__).parents[1]
_HIDDEN = Path(__file__).with_name("catalogue")
_CHILD = """import sys
sys.path.insert(0, sys.argv.pop(1))  # this optcore, whatever else is installed
from optcore.grading.child import main
sys.path.pop(0)
main()"""
_FRAMES = 1000
_SPARE = 10.0  # seconds more than a submission has, before its server counts as broken
SCRATCH = 32 << 20  # bytes of disk for one submission, in a memory file system
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/nonexistent",
    "MPLBACKEND": "agg",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class Limits:
    """What one student's submission may use."""

    wall: float = 60.0  # seconds, all files together; at most half of them for running cells
    cpu: int = 60  # seconds of processor time
    memory: int = 1 << 30  # bytes of address space
    file: int = 1 << 20  # bytes in one file
    size: int = 20 << 20  # bytes of the submission itself


@functools.cache
def bubblewrap() -> tuple[str, ...]:
    """The command that walls off a process, nothing if bubblewrap is missing or not allowed to do so."""
    program = shutil.which("bwrap")
    if program is None:
        return ()
    visible = [
        Path(path)
        for path in dict.fromkeys(
            (
                "/usr",
                "/lib",
                "/lib64",
                "/bin",
                "/etc/ld.so.cache",
                sys.base_prefix,
                sys.prefix,
                sysconfig.get_path("purelib"),
                sysconfig.get_path("platlib"),
                str(_PACKAGE),
            )
        )
    ]
    above = sorted({parent for path in visible for parent in path.parents} - {Path("/")})
    apart = ["--unshare-all"]
    if os.getuid() == 0:  # no user namespace: root of one could not become a stranger outside
        apart = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    index = _HIDDEN / "__init__.py"
    command = list(
        map(
            str,
            [
                program,
                *apart,
                *(word for path in above for word in ("--perms", "0755", "--dir", path)),
                *(word for path in visible for word in ("--ro-bind-try", path, path)),
                "--tmpfs",
                _HIDDEN,
                "--ro-bind",
                index,
                index,
                "--remount-ro",
                _HIDDEN,
                *(
                    word
                    for name in ("null", "zero", "urandom", "random")
                    for word in ("--dev-bind", *[f"/dev/{name}"] * 2)
                ),
                "--size",
                SCRATCH,
                "--perms",
                "1777",
                "--tmpfs",
                "/scratch",
                "--setenv",
                "TMPDIR",
                "/scratch",
                "--remount-ro",
                "/",
                "--die-with-parent",
                "--new-session",
                "--chdir",
                "/",
            ],
        )
    )
    works = subprocess.run([*command, "/usr/bin/true"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return tuple(command) if works.returncode == 0 else ()


def isolation(walled: bool = True, elsewhere: bool = False) -> str:
    """In a line, how well student code is kept in; `elsewhere`, the workers have been asked for bubblewrap."""
    limits = "time, memory, disk and number of processes are limited"
    if walled and (elsewhere or bubblewrap()):
        where = " on every worker" if elsewhere else ""
        return f"Isolation: bubblewrap{where}; no network, no files but the submission's own; {limits}."
    why = "bubblewrap is missing, older than 0.8, or not allowed here" if walled else "bubblewrap is switched off"
    closed = _closed_to_strangers() if os.getuid() == 0 else ""
    late = f" Others may not enter {closed}, so modules that a submission loads late are missing." if closed else ""
    files = "read files" if os.getuid() == 0 else "read and change your files"
    return (
        f"Isolation: WEAK ({why}); {limits}, but student code can {files} and use the network. "
        f"Grade strangers' code in a container.{late}"
    )


def _closed_to_strangers() -> str:
    """The first folder on the way to Python or to optcore that only its owner may enter."""
    ways = [folder for end in (sys.base_prefix, sys.prefix, _HIDDEN) for folder in Path(end).parents]
    return next((str(folder) for folder in ways if not folder.stat().st_mode & 0o001), "")


class Breakdown(Exception):
    """The sandbox broke, twice: this says nothing about the submission, or only that it attacks its sandbox."""


class Sandbox:
    """One server with one plan; `run` may be called again and again, also after a submission broke the server."""

    def __init__(self, plan: bytes, walled: bool = True):
        self.plan, self.walled = plan, walled
        self.server: Any = None  # a subprocess.Popen while it runs
        self.scratch = ""  # where submissions write when there is no wall
        self.patience = _SPARE

    def run(self, name: str, source: bytes, wall: float, only: list[str] | None = None) -> tuple[str, bytes]:
        """How the file ended ("" if well) and the frames it gave, still encoded.

        What breaks the server is tried once more in a fresh one. Raises Breakdown if that breaks too.
        """
        request = wire.encode({"name": name, "source": source, "wall": wall, "only": only or []})
        try:
            return self._ask(request, wall)
        except (OSError, EOFError):
            try:
                return self._ask(request, wall)
            except (OSError, EOFError) as error:
                raise Breakdown(str(error)) from None

    def _ask(self, request: bytes, wall: float) -> tuple[str, bytes]:
        server = self._started()
        self.patience = wall + _SPARE
        try:
            send(server.stdin, request)
            ended, frames = self._receive().decode(), self._receive()
        except (OSError, EOFError):
            self.close()
            raise
        if ended == KILLED:
            raise EOFError(ended)
        return ended, frames

    def _started(self) -> Any:
        if self.server is None:
            wall = bubblewrap() if self.walled else ()
            if self.walled and not wall:
                raise RuntimeError(f"bubblewrap is missing, older than 0.8, or not allowed on {platform.node()}.")
            if not wall:
                self.scratch = tempfile.mkdtemp(prefix="optcore-")
                os.chmod(self.scratch, 0o711)
            where = ("/scratch", "walled") if wall else (self.scratch,)
            self.server = subprocess.Popen(
                [*wall, sys.executable, "-I", "-B", "-c", _CHILD, str(_PACKAGE.parent), *where],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd="/",
                stderr=subprocess.PIPE,
                env=_ENVIRONMENT,
                start_new_session=True,
            )
            _running.add(self)
            self.patience = 6 * _SPARE  # a busy machine, a cold disk
            try:
                send(self.server.stdin, self.plan)
                self._receive()
            except (OSError, EOFError):
                os.killpg(self.server.pid, signal.SIGKILL)
                said = self.server.stderr.read().decode(errors="replace")
                self.close()
                raise RuntimeError(f"The sandbox does not start: {said[-500:].rstrip('.')}.") from None
        return self.server

    def _receive(self) -> bytes:
        def read(size: int) -> bytes:
            data = bytearray()
            while len(data) < size:
                if not select.select([pipe], [], [], self.patience)[0]:
                    raise EOFError("no answer in time")
                part = os.read(pipe, min(size - len(data), 1 << 20))
                if not part:
                    raise EOFError("the server is gone")
                data += part
            return bytes(data)

        pipe = self.server.stdout.fileno()
        size = int.from_bytes(read(8))
        if size > 2 * OUTPUT:
            raise EOFError("not an answer")
        return read(size)

    def close(self) -> None:
        """End the server and whatever it started."""
        if self.server is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.server.pid, signal.SIGKILL)
        for stream in (self.server.stdin, self.server.stdout, self.server.stderr):
            with contextlib.suppress(OSError):  # what was buffered has no reader any more
                stream.close()
        self.server.wait()
        self.server = None
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)
        _running.discard(self)


_running: set[Sandbox] = set()
_mine = threading.local()


def attempt(
    plan: bytes, wall: float, walled: bool, files: list[tuple[str, bytes]], only: list[str] | None = None
) -> list[tuple[str, str, bytes]]:
    """Run a student's files, in `wall` seconds all together, in the sandbox of this thread.

    Returns for each file its name, how it ended, and its frames. Raises Breakdown if the sandbox broke.
    """
    box = getattr(_mine, "box", None)
    if box is None or (box.plan, box.walled) != (plan, walled):
        if box is not None:
            box.close()
        box = _mine.box = Sandbox(plan, walled)
    ran, end = [], time.monotonic() + wall
    for name, source in files:
        left = end - time.monotonic()
        ran.append((name, *(box.run(name, source, left, only) if left > 0.1 else ("no time is left", b""))))
    return ran


def close_all(plan: bytes | None = None) -> None:
    """End the servers that this process started, with this plan or all of them."""
    for box in list(_running):
        if plan in (None, box.plan):
            box.close()


def frames(data: bytes) -> Iterator[dict[str, Any]]:
    """The frames in these bytes, up to the first that is broken, and no more than an honest notebook makes."""
    at = 0
    for _ in range(_FRAMES):
        end = at + 8 + int.from_bytes(data[at : at + 8])
        try:
            frame = wire.decode(data[at + 8 : end])
        except ValueError:
            return
        if isinstance(frame, dict):
            yield frame
        at = end
