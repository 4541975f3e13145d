"""Many runs of one experiment: every setting of a grid with every seed, in parallel, kept on disk, as one table.

>>> def run(lr, seed):
...     noise = np.random.default_rng(seed).normal()
...     return {"loss": (1 - lr) ** 2 + 0.01 * noise}
>>> table = sweep(run, {"lr": [0.5, 1.0]}, seeds=3, n_jobs=1, cache=None)
>>> table["lr"].tolist(), table["seed"].tolist()
([0.5, 0.5, 0.5, 1.0, 1.0, 1.0], [0, 1, 2, 0, 1, 2])
>>> table.summary("loss")["loss"].round(1).tolist()
[0.3, 0.0]
"""

import functools
import hashlib
import itertools
import os
import pickle
import sys
import types
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .rule_spec import name_of
from .support import as_numbers, explains, progress_bar

__all__ = ["Table", "mean_se", "sweep"]

_FOLDERS = (Path(__file__).parent, Path(__file__).parent / "symbolic")  # what runs call; widgets and grading are not
#: Where `sweep` keeps results unless told otherwise; the environment variable OPTCORE_CACHE names another folder.
CACHE = Path(os.environ.get("OPTCORE_CACHE", ".cache/optcore"))


@explains
def mean_se(values: Any, axis: int = 0) -> tuple[Any, Any]:
    """The mean of n values and its standard error, s/√n with s² = Σ(x - mean)²/(n - 1); nan for a single value.

    Shapes: values (…), reduced along `axis`. In units of the values. Raises ValueError for no values.

    >>> mean, se = mean_se([0.9, 0.92, 0.94])
    >>> round(float(mean), 4), round(float(se), 4)
    (0.92, 0.0115)
    """
    values = as_numbers("values", values)
    n = values.shape[axis]
    if n == 0:
        raise ValueError("The mean of no values is not defined.")
    mean = values.mean(axis=axis)
    return mean, values.std(axis=axis, ddof=1) / np.sqrt(n) if n > 1 else np.full_like(mean, np.nan)[()]


@dataclass(frozen=True)
class Table:
    """Columns of equal length, one row a run: the settings, the seed, and what the runs returned.

    columns: name -> (rows, …). settings: the names that tell runs apart. shape: (values of each setting…, seeds),
    the product of which is the number of rows, in that order.
    """

    columns: dict[str, np.ndarray]
    settings: tuple[str, ...]
    shape: tuple[int, ...]

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.columns:
            raise KeyError(f"There is no column {name!r}; there are: {', '.join(self.columns)}.")
        return self.columns[name]

    def __len__(self) -> int:
        return int(np.prod(self.shape))

    def grid(self, name: str) -> np.ndarray:
        """A column with an axis for each setting, then one for the seeds: (*shape, …), what a heat map needs."""
        column = self[name]
        return column.reshape(*self.shape, *column.shape[1:])

    def select(self, **settings: Any) -> "Table":
        """The rows in which all the named settings have these values; each setting named loses its axis."""
        keep = np.ones(len(self), bool)
        for name, value in settings.items():
            mine = [label == value for label in self[name].tolist()] if name in self.settings else [False]
            if not any(mine):
                raise ValueError(f"No row has {name} = {value!r}; the settings are {', '.join(self.settings)}.")
            keep &= mine
        rest = tuple(name for name in self.settings if name not in settings)
        shape = tuple(size for name, size in zip(self.settings, self.shape, strict=False) if name in rest)
        return Table({name: c[keep] for name, c in self.columns.items()}, rest, (*shape, self.shape[-1]))

    def summary(self, *names: str) -> "Table":
        """One row a setting: for each named column its mean over the seeds, and as `name_se` the standard error."""
        columns = {name: self.grid(name)[..., 0].ravel() for name in self.settings}
        for name in names:
            for key, value in zip((name, f"{name}_se"), mean_se(self.grid(name), len(self.settings)), strict=True):
                columns[key] = value.reshape(-1, *self[name].shape[1:])
        return Table(columns, self.settings, (*self.shape[:-1], 1))

    def __str__(self) -> str:
        """The columns of numbers and names as aligned text, four significant digits."""
        flat = {name: c for name, c in self.columns.items() if c.ndim == 1}
        cells = [
            [name, *(f"{v:.4g}" if isinstance(v, float) else str(v) for v in c.tolist())] for name, c in flat.items()
        ]
        widths = [max(map(len, column)) for column in cells]
        rows = zip(*cells, strict=True)
        return "\n".join("  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows)


# ------------------------------------------------------------------------------------------------- what was run


@functools.cache
def _package_digest() -> str:
    """Of the source that runs call: a result is not taken from the disk once the package has changed."""
    sources = b"".join(path.read_bytes() for folder in _FOLDERS for path in sorted(folder.glob("*.py")))
    return hashlib.sha256(sources).hexdigest()


def _is_installed(module: str, file: str) -> bool:
    """Whether code belongs to a library, or to this package: its name and version say what it does."""
    known = module.partition(".")[0] in sys.stdlib_module_names
    return known or "site-packages" in file or Path(file).parent in _FOLDERS


def _code(code: types.CodeType) -> tuple:
    """What compiled code does, whatever its comments, layout and line numbers."""
    constants = [_code(c) if isinstance(c, types.CodeType) else c for c in code.co_consts]
    constants = [sorted(map(repr, c)) if isinstance(c, frozenset) else c for c in constants]
    return code.co_code.hex(), code.co_names, code.co_varnames, repr(constants)


def _names(code: types.CodeType) -> set[str]:
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _content(value: Any, inside: frozenset = frozenset()) -> Any:
    """Nested tuples of strings that differ when what `value` holds, or does when called, differs.

    A function is its code, defaults and closure, and the globals it names, followed to the libraries.
    """
    if id(value) in inside:
        return "recursion"
    deep = lambda v: _content(v, inside | {id(value)})
    name = getattr(value, "__qualname__", type(value).__qualname__)
    match value:
        case None | bool() | int() | float() | complex() | str() | bytes() | np.generic():
            return type(value).__name__, repr(value)
        case np.ndarray() if value.dtype.kind != "O":
            return "array", value.dtype.str, value.shape, hashlib.sha256(value.tobytes()).hexdigest()
        case Mapping():
            return name, *((deep(k), deep(v)) for k, v in value.items())
        case list() | tuple():
            return name, *map(deep, value)
        case functools.partial():
            return name, deep(value.func), deep(value.args), deep(value.keywords)
        case types.ModuleType():
            return value.__name__, getattr(value, "__version__", "")
        case types.MethodType():
            return name, deep(value.__func__), deep(value.__self__)
        case types.FunctionType():
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
            held = deep(value.__defaults__), deep(value.__kwdefaults__), deep(cells)
            if _is_installed(value.__module__ or "", value.__code__.co_filename):
                return value.__module__, name, *held
            named = sorted(_names(value.__code__) & value.__globals__.keys())
            return _code(value.__code__), *held, *((n, deep(value.__globals__[n])) for n in named)
        case type():
            methods = {k: v for k, v in vars(value).items() if isinstance(v, types.FunctionType)}
            return value.__module__, name, deep(methods)
        case types.BuiltinFunctionType() | np.ufunc():
            return getattr(value, "__module__", ""), name if name != "ufunc" else value.__name__
    if hasattr(value, "__dict__"):
        return deep(type(value)), deep(vars(value))
    return name, hashlib.sha256(pickle.dumps(value)).hexdigest()


# ------------------------------------------------------------------------------------------------------ the disk


def _load(path: Path | None) -> dict[str, np.ndarray] | None:
    """The stored result, or None when there is none or the file is damaged, which means to run again."""
    if path is None:
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name.removeprefix("run."): file[name] for name in file.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error):
        return None


def _store(path: Path, result: dict[str, np.ndarray]) -> None:
    """Write under another name, then rename: a reader sees the whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.stem}.{os.getpid()}.part")
    with part.open("wb") as file:
        np.savez_compressed(file, **{f"run.{name}": value for name, value in result.items()})  # type: ignore
    part.replace(path)


# ------------------------------------------------------------------------------------------------------ the runs


def _one_thread() -> Any:
    """Linear algebra on one thread, so that no digit depends on how many runs go on side by side."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    return threadpool_limits(1)


def _run(run: Callable, settings: dict[str, Any], seed: int, path: Path | None) -> dict[str, np.ndarray]:
    try:
        with _one_thread():
            returned = run(**settings, seed=seed)
    except Exception as error:
        error.add_note(f"In the run with {', '.join(f'{k}={v!r}' for k, v in settings.items())}, seed={seed}.")
        raise
    result = {k: np.asarray(v) for k, v in (returned if isinstance(returned, Mapping) else {"value": returned}).items()}
    for name, value in result.items():
        if value.dtype.kind not in "biufU":
            raise TypeError(f"A run returns numbers, texts and arrays of them; {name!r} is {value.dtype.name}.")
    if path is not None:
        _store(path, result)
    return result


def _all(jobs: list[tuple], n_jobs: int) -> Iterable[dict[str, np.ndarray]]:
    """What each run returns, in order; one run after the other where there is one job, or no joblib."""
    if n_jobs != 1 and len(jobs) > 1:
        try:
            from joblib import Parallel, delayed
        except ImportError:  # as in the page
            pass
        else:
            return Parallel(n_jobs=n_jobs, return_as="generator")(delayed(_run)(*job) for job in jobs)
    return (_run(*job) for job in jobs)


def _labelled(values: Any) -> dict[Any, Any]:
    """label -> value: those of a mapping, the names of functions, else the values themselves."""
    if isinstance(values, Mapping):
        return dict(values)
    values = list(values)
    labels = [name_of(v) if callable(v) else v for v in values]
    if not values or len(set(labels)) < len(labels):
        raise ValueError(f"A setting needs values that can be told apart, or a dict of label: value; got {labels}.")
    return dict(zip(labels, values, strict=True))


def sweep(
    run: Callable,
    grid: Mapping[str, Any],
    seeds: int | Iterable[int] = 5,
    *,
    n_jobs: int = -1,
    cache: str | Path | None = CACHE,
    progress: bool | None = None,
) -> Table:
    """Call `run(**settings, seed=seed)` for every combination of the grid with every seed; a `Table` of the results.

    grid: setting -> its values, a list or a dict label -> value (for rules, recipes, anything without a short name);
    functions are labelled with their names. The last setting varies fastest, then the seeds. seeds: a number n for
    0 … n-1, or the seeds themselves. run returns a number, or a dict of numbers, texts and arrays, of the same
    names and shapes each time. All randomness must come from its seed; runs are then the same, bit for bit,
    whatever n_jobs is (joblib; -1 for every core, 1 for a plain loop), since each has one thread.

    Each result is kept in the folder `cache` (None: nowhere) under a key of the code of `run` and all that it
    names, the settings, the seed, the source of this package and the version of NumPy; change one of them and the
    run is made again, as it is when its file is damaged. An interrupted sweep goes on where it stopped. progress:
    as in `train`. Raises ValueError for empty grids, repeated values, and results that do not make columns; an
    exception in a run carries a note with its settings.
    """
    choices = {name: _labelled(values) for name, values in grid.items()}
    seeds = list(range(seeds)) if isinstance(seeds, (int, np.integer)) else [int(s) for s in seeds]
    if not choices or not seeds:
        raise ValueError("A sweep needs at least one setting and one seed.")
    labels = [*itertools.product(*choices.values(), seeds)]
    tasks = [({name: choices[name][v] for name, v in zip(choices, row, strict=False)}, row[-1]) for row in labels]
    paths: list[Path | None] = [None] * len(tasks)
    if cache is not None:
        what = _content(run), _package_digest(), np.__version__
        keys = [hashlib.sha256(repr((what, _content(task))).encode()).hexdigest() for task in tasks]
        paths = [Path(cache) / f"{key}.npz" for key in keys]
    results = [_load(path) for path in paths]
    missing = [k for k, result in enumerate(results) if result is None]
    jobs = [(run, *tasks[k], paths[k]) for k in missing]
    made = _all(jobs, n_jobs)
    for k, result in zip(missing, progress_bar(made, progress, "run", len(jobs)), strict=True):
        results[k] = result
    columns = {name: _column([row[k] for row in labels]) for k, name in enumerate((*choices, "seed"))}
    return Table(columns | _columns(results, columns), tuple(choices), (*map(len, choices.values()), len(seeds)))


def _column(labels: list) -> np.ndarray:
    """Numbers or texts as an array of their type; anything else, such as tuples, as objects."""
    if all(isinstance(v, (int, float)) for v in labels) or all(isinstance(v, str) for v in labels):
        return np.array(labels)
    column = np.empty(len(labels), object)
    column[:] = labels
    return column


def _columns(results: list, taken: Mapping) -> dict[str, np.ndarray]:
    """One column for each name in the results."""
    names = list(results[0])
    for result in results:
        if list(result) != names or set(names) & set(taken):
            raise ValueError(
                f"Every run must return the same names, other than {', '.join(taken)}; "
                f"got {', '.join(names)} and {', '.join(result)}."
            )
    columns = {}
    for name in names:
        shapes = {result[name].shape for result in results}
        if len(shapes) > 1:
            raise ValueError(f"Runs returned {name!r} in different shapes: {', '.join(map(str, sorted(shapes)))}.")
        columns[name] = np.stack([result[name] for result in results])
    return columns
