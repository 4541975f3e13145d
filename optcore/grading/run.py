"""Run an answer on a case and write down what came out: in the reader's notebook and in the class grader's child.

Whatever the answer does ends as an `Outcome` of plain data (numbers, strings, arrays, and lists, tuples and dicts of
them). Nothing of the answer's own making, such as an object with a dishonest `__eq__`, gets further than `plain`.
"""

import contextlib
import copy
import io
import linecache
import signal
import sys
import sysconfig
import textwrap
import threading
import time
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

_NOT_THEIRS = tuple(
    {
        str(Path(__file__).parents[1]),
        str(Path(np.__file__).parent),
        "<frozen ",
        *(sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")),
    }
)
_PRINTED = 400  # characters of the answer's own printing that are kept
_LARGE = 1 << 20  # entries of an array that no exercise asks for


class TimeLimit(BaseException):
    """Raised inside an answer that runs too long; not an `Exception`, so that `except Exception` lets it through."""


class NotPlain(TypeError):
    """A result that holds something else than numbers, strings, arrays, and lists, tuples and dicts of them."""


@dataclass
class Outcome:
    """What one call gave: a plain value, or the error that ended it."""

    value: Any = None
    error: str = ""  # "ZeroDivisionError: division by zero"
    where: str = ""  # "line 3 of adam: `m = beta*m`", when the error arose in their code
    changed: list[str] = field(default_factory=list)  # inputs that were written into
    printed: str = ""


def run_case(answer: Any, probe: Callable, case: tuple, names: list[str], seconds: float) -> Outcome:
    """Call `probe(answer, *case)` on copies of the case, for at most `seconds`."""
    given = copy.deepcopy(case)
    outcome, printed = Outcome(), _Start()
    with contextlib.redirect_stdout(printed), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with time_limit(seconds):
                outcome.value = plain(probe(answer, *given))
        except KeyboardInterrupt:
            raise
        except TimeLimit:
            outcome.error = "TimeLimit: it ran out of time"
        except BaseException as error:  # SystemExit and the like: an answer must not end the reader's session
            outcome.error, outcome.where = error_line(error), their_line(error)
    outcome.changed = [name for name, now, was in zip(names, given, case, strict=False) if not _identical(now, was)]
    outcome.printed = printed.getvalue()
    return outcome


def error_line(error: BaseException) -> str:
    """The error in a line.

    >>> error_line(ZeroDivisionError("division by zero"))
    'ZeroDivisionError: division by zero'
    """
    return f"{type(error).__name__}: {_message(error)}"


def _message(error: BaseException) -> str:
    """The text of an error, which may be of the answer's own making and fail to give one."""
    try:
        return str(error)[:_PRINTED]
    except KeyboardInterrupt:
        raise
    except BaseException as worse:
        return f"(its message cannot be read: {type(worse).__name__})"


def plain(value: Any) -> Any:
    """A copy of `value` made of built-in types and base-class arrays only.

    >>> plain((np.float32(0.5), [True, "a"], ...))
    (0.5, [True, 'a'], None)
    """
    if value is None or value is Ellipsis or value is NotImplemented:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool | str):
        return value
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int):
        if abs(value) >> 63:
            raise NotPlain("an integer that does not fit into 64 bits")
        return int(value)
    if isinstance(value, np.ndarray) and value.size > _LARGE:
        raise NotPlain(f"an array of shape {value.shape}, far larger than what is asked for")
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        return np.array(value, copy=True, subok=False, order="C", dtype=value.dtype.newbyteorder("="))
    for kind in (list, tuple):
        if isinstance(value, kind):
            return kind(plain(part) for part in value)
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, np.ndarray):
        raise NotPlain(f"an array of {'objects' if value.dtype == object else value.dtype} instead of numbers")
    raise NotPlain(f"an object of type {type(value).__name__}")


@contextlib.contextmanager
def time_limit(seconds: float):
    """Raise `TimeLimit` inside the block after `seconds`.

    In the main thread on Unix an alarm does it. Where a bare `except:` swallows the first one, the second ends every
    line that follows, those of the `except:` too. Elsewhere the clock is read on every line the block executes, which
    needs neither thread nor process.
    """
    rang, tracer = 0, sys.gettrace()

    def stop(*_):
        raise TimeLimit

    def at_next_line(_, event, __):
        return stop() if event == "line" else at_next_line

    def ring(_, frame):
        nonlocal rang
        rang += 1
        if rang > 1:
            sys.settrace(lambda called, *_: at_next_line if _is_theirs(called.f_code) else None)
            while frame is not None:
                if _is_theirs(frame.f_code):
                    frame.f_trace = at_next_line
                frame = frame.f_back
        stop()

    if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
        handler = signal.signal(signal.SIGALRM, ring)
        timer = signal.setitimer(signal.ITIMER_REAL, seconds, 0.2)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, *timer)
            signal.signal(signal.SIGALRM, handler)
            sys.settrace(tracer)
    else:
        end = time.monotonic() + seconds

        def on_line(*_):
            return on_line if time.monotonic() < end else stop()

        sys.settrace(on_line)
        try:
            yield
        finally:
            sys.settrace(tracer)


class _Start(io.StringIO):
    """A text stream that keeps the first characters and forgets the rest."""

    def write(self, text: str) -> int:
        super().write(text[: max(0, _PRINTED - self.tell())])
        return len(text)


def _identical(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(_identical, a, b))
    return a == b or a != a  # nan equals itself here


def _is_theirs(code: types.CodeType) -> bool:
    return not code.co_filename.startswith(_NOT_THEIRS)


def their_line(error: BaseException) -> str:
    """The last line of the answer's own code on the way to the error: `line 3 of adam: "m = beta*m"`."""
    found, step = "", error.__traceback__
    while step is not None:
        code: types.CodeType = step.tb_frame.f_code
        if _is_theirs(code):
            text = textwrap.shorten(linecache.getline(code.co_filename, step.tb_lineno).strip(), 70, placeholder=" …")
            name = code.co_qualname.split("<locals>.")[-1]
            found = f"line {step.tb_lineno - code.co_firstlineno + 1} of {name}" + (f": `{text}`" if text else "")
        step = step.tb_next
    return found
