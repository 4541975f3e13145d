"""What several modules need: numbers as floats, a name looked up in a table, a progress bar."""

import ast
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np

from .symbolic import Traced


def as_floats(x: Any) -> Any:
    """`x` as floats: float32 stays float32, integers become float64, a traced array stays itself."""
    if isinstance(x, Traced):
        return x
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(float)


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


def whole(name: str, value: Any, least: int = 1) -> int:
    """`value` as a whole number of at least `least`; raises ValueError, naming it, where it is none.

    >>> whole("steps", 1e3)
    1000
    """
    number = isinstance(value, (int, float, np.integer, np.floating)) and np.isfinite(value)
    if number and int(value) == value >= least:
        return int(value)
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


class Made:
    """What a factory returned, as a function that pickles: by the factory and what that was given."""

    def __init__(self, factory: Callable, given: tuple[tuple, dict]):
        made = factory.__wrapped__(*given[0], **given[1])  # type: ignore[attr-defined]
        self.factory, self.given = factory, given
        self.__wrapped__, self.__name__, self.__doc__ = made, made.__name__, made.__doc__
        self.__module__ = made.__module__

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self.__wrapped__(*args, **keywords)

    def __reduce__(self) -> tuple:
        return Made, (self.factory, self.given)

    def __repr__(self) -> str:
        shown = [*map(_short, self.given[0]), *(f"{k}={_short(v)}" for k, v in self.given[1].items())]
        return f"{self.factory.__name__}({', '.join(shown)})"


def _short(value: Any) -> str:
    return repr(value) if isinstance(value, Made) else getattr(value, "__name__", None) or repr(value)


def pickles(factory: Callable) -> Callable:
    """A factory of functions, the results of which can be saved by pickle and copied by deepcopy."""

    @wraps(factory)
    def make(*args: Any, **keywords: Any) -> Made:
        return Made(make, (args, keywords))

    return make


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
