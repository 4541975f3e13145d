"""What several modules need: numbers as floats, a name looked up in a table, a progress bar."""

import ast
from collections.abc import Mapping
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
