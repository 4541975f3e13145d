"""What several modules need: numbers as floats, a name looked up in a table, a progress bar."""

import ast
import inspect
import math
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from textwrap import shorten
from typing import Any, ParamSpec, TypeVar

import numpy as np

from .symbolic import Traced

P = ParamSpec("P")
R = TypeVar("R")
_PACKAGE, _NUMPY = Path(__file__).parent, Path(np.__file__).parent


def as_floats(x: Any) -> Any:
    """`x` as floats: float32 stays float32, integers become float64, a traced array stays itself."""
    return x if isinstance(x, Traced) else as_numbers("What is given", x)


def as_numbers(name: str, value: Any) -> np.ndarray:
    """`value` as an array of floats; raises TypeError, naming it, where it is none.

    >>> as_numbers("start", [1, 2])
    array([1., 2.])
    """
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "iufb":
        raise TypeError(f"{name} must be numbers; it was {value!r}.")
    return array if array.dtype.kind == "f" else array.astype(float)


def real(name: str, value: Any) -> float:
    """`value` as one finite number; raises TypeError, naming it, where it is none.

    >>> real("lr", 1)
    1.0
    """
    number = isinstance(value, (int, float, np.integer, np.floating)) and math.isfinite(value)
    if not number:
        raise TypeError(f"{name} must be a finite number; it was {value!r}.")
    return float(value)


def whole(name: str, value: Any, least: int = 1) -> int:
    """`value` as a whole number of at least `least`; raises ValueError, naming it, where it is none.

    >>> whole("steps", 1e3)
    1000
    """
    small = isinstance(value, (int, float, np.integer, np.floating)) and abs(float(value)) < sys.maxsize
    number = int(value) if small else least - 1
    if number == value and number >= least:
        return number
    raise ValueError(f"{name} must be a whole number, {least} or more; it was {value!r}.")


def known(kind: str, name: Any, table: Mapping) -> Any:
    """The entry of that name; raises ValueError with the names there are."""
    if name not in table:
        raise ValueError(f"There is no {kind} named {name!r}; there are: {', '.join(table)}.")
    return table[name]


def progress_bar(items: Any, show: bool | None, unit: str, total: int) -> Any:
    """A bar on the error stream if tqdm is there; `show=None` means only on a terminal, so never in a notebook."""
    try:
        from tqdm import tqdm
    except ImportError:
        return items
    return tqdm(items, disable=None if show is None else not show, unit=unit, total=total, leave=False)


_RAW = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, MemoryError)


def explains(function: Callable[P, R]) -> Callable[P, R]:
    """The function, whose errors are sentences: those that NumPy or Python raise inside it name what it was given.

    Errors of this package, and of functions that a caller passes in, go through as they are. Costs nothing otherwise.
    """

    @wraps(function)
    def call(*args: P.args, **keywords: P.kwargs) -> R:
        try:
            return function(*args, **keywords)
        except _RAW as error:
            if not _is_raw(error):
                raise
            kind: type[Exception] = TypeError if isinstance(error, (TypeError, AttributeError)) else ValueError
            kind = np.linalg.LinAlgError if isinstance(error, np.linalg.LinAlgError) else kind
            raise kind(_sentence(function, args, keywords, error)) from error

    return call


def _is_raw(error: BaseException) -> bool:
    """Whether it was raised below a line of this package that is no `raise`, and not in a caller's own function."""
    for below, frame in enumerate(reversed(traceback.extract_tb(error.__traceback__))):
        if Path(frame.filename).is_relative_to(_PACKAGE):
            return below > 0 or not (frame.line or "").startswith("raise")
        compiled = not os.path.isabs(frame.filename)  # "<…>", and what Cython made
        if not (compiled or Path(frame.filename).is_relative_to(_NUMPY)):
            return False
    return False


def _sentence(function: Callable, args: tuple, keywords: dict, error: BaseException) -> str:
    name = function.__qualname__.removesuffix(".__init__")
    if isinstance(error, np.linalg.LinAlgError):
        return f"{str(error).rstrip('.')}."
    try:
        given = inspect.signature(function).bind(*args, **keywords).arguments
    except TypeError as wrong:
        return f"{name}: {wrong}."
    given.pop("self", None)
    strange = {k: v for k, v in given.items() if not _is_usual(v)}
    if strange:
        return (
            f"{name} cannot work with {', '.join(f'{k} = {_shown(v)}' for k, v in strange.items())}; see help({name})."
        )
    told = ", ".join(f"{k} {_shown(v)}" for k, v in given.items())
    return f"What {name} was given does not fit together: {told}; see help({name})."


def _is_usual(value: Any) -> bool:
    """Whether it is a function, or numbers of which there is at least one, all finite."""
    if callable(value) and not isinstance(value, type):
        return True
    try:
        array = np.asarray(value)
        return array.dtype.kind in "iufb" and array.size > 0 and bool(np.isfinite(array).all())
    except (ValueError, TypeError):
        return False


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > 3:
        return f"array {value.shape}"
    return shorten(_short(value), 40, placeholder="…")


class Made:
    """What a factory returned, as a function that pickles: by the factory and what that was given."""

    def __init__(self, factory: Callable, given: tuple[tuple, dict]):
        made = inspect.unwrap(factory)(*given[0], **given[1])
        self.factory, self.given = factory, given
        self.__wrapped__, self.__name__, self.__doc__ = made, made.__name__, made.__doc__
        self.__module__ = made.__module__

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        try:
            return self.__wrapped__(*args, **keywords)
        except _RAW as error:
            if not _is_raw(error):
                raise
            raise TypeError(f"{self!r} cannot be worked out at {', '.join(map(_shown, args))}.") from error

    def __reduce__(self) -> tuple:
        return Made, (self.factory, self.given)

    def __repr__(self) -> str:
        shown = [*map(_short, self.given[0]), *(f"{k}={_short(v)}" for k, v in self.given[1].items())]
        return f"{self.factory.__name__}({', '.join(shown)})"


def _short(value: Any) -> str:
    return repr(value) if isinstance(value, Made) else getattr(value, "__name__", None) or repr(value)


def pickles(factory: Callable) -> Callable:
    """A factory of functions, the results of which can be saved by pickle and copied by deepcopy."""

    @explains
    @wraps(factory)
    def make(*args: Any, **keywords: Any) -> Made:
        return Made(make, (tuple(map(_wide, args)), {name: _wide(value) for name, value in keywords.items()}))

    return make


def _wide(value: Any) -> Any:
    """Numbers with room for products and powers: float16 as float64, whole numbers that no float64 tells apart too."""
    if isinstance(value, complex | np.complexfloating | np.ndarray) and np.iscomplexobj(value):
        raise TypeError(f"Numbers here are real; {_shown(value)} is complex.")
    if isinstance(value, np.float16):
        return float(value)
    if isinstance(value, int) and abs(value) > 1 << 53:
        return float(value)
    return value.astype(float) if isinstance(value, np.ndarray) and value.dtype == np.float16 else value


def exported(module: str) -> list[str]:
    """The `__all__` of a module of this package, read from its source, so that the module need not be imported.

    >>> exported("sweeps")
    ['Table', 'mean_se', 'sweep']
    """
    place = Path(__file__).parent / module
    source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    tree = ast.parse(source.read_text(encoding="utf-8"))
    lists = [n.value for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "__all__"]
    return ast.literal_eval(lists[0])
