"""`oc.training()`: real training, done beforehand; controls choose the run, the page draws it.

A table maps each combination of settings to a record, name -> numbers: a learning curve, several of them (one a seed),
a single number, an image. Arrays that occur more than once travel once.
"""

import itertools
import re
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..palette import RULE_COLORS, SPARE_COLORS
from ..support import explains
from .allowed import series, text, whole
from .base import Goal, Setting, Widget, to_json

__all__ = ["Training", "training"]

_MOST_BYTES = 200_000
_BINS = 40

#: name -> (line, lower and upper edge) of several runs, along axis 0
BANDS = {
    "range": lambda a: (np.nanmedian(a, axis=0), np.nanmin(a, axis=0), np.nanmax(a, axis=0)),
    "quartiles": lambda a: tuple(np.nanquantile(a, [0.5, 0.25, 0.75], axis=0)),
    "se": lambda a: (np.mean(a, axis=0), *(np.mean(a, axis=0) + k * _standard_error(a) for k in (-2, 2))),
}
_BAND_WORDS = {
    "range": "line: median, band: range of {} runs",
    "quartiles": "line: median, band: quartiles of {} runs",
    "se": "line: mean, band: ± 2 standard errors of {} runs",
}


def _standard_error(a):
    return np.std(a, axis=0, ddof=1) / np.sqrt(len(a))


def _short(x: Any) -> Any:
    """Four significant digits: what is only drawn needs no more."""
    return np.vectorize(lambda v: float(f"{v:.4g}"), otypes=[float])(x)


class _Pool(list):
    """Arrays kept once each; `add` returns the number under which one is found."""

    def __init__(self):
        super().__init__()
        self._seen: dict[str, int] = {}

    def add(self, entry: Any) -> int:
        key = to_json(entry)
        if key not in self._seen:
            self._seen[key] = len(self)
            self.append(entry)
        return self._seen[key]


def _panels(names: Any) -> dict[str, list[str]]:
    """{"Loss": ["train", "test"]} as given; a bare name or list of names as one panel each."""
    if isinstance(names, Mapping):
        return {title: [panel] if isinstance(panel, str) else list(panel) for title, panel in names.items()}
    return {name: [name] for name in ([names] if isinstance(names, str) else names)}


class _Builder:
    """Turns records of arrays into the table that the page reads."""

    def __init__(self, records: list[Mapping], bands: str, points: int):
        self.records, self.bands, self.points = records, bands, points
        self.pool = _Pool()
        self.rows: list[dict[str, int]] = [{} for _ in records]
        self.runs = 0

    def array(self, record: Mapping, name: str) -> np.ndarray:
        if name not in record:
            raise ValueError(f"A record has no '{name}'; it has: {', '.join(map(str, record))}.")
        return np.asarray(record[name], dtype=float)

    def band(self, a: np.ndarray) -> dict:
        """Several runs as line and edges."""
        self.runs = max(self.runs, len(a))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # all runs diverged: nan, a gap in the drawing
            return dict(zip(("y", "lo", "hi"), map(_short, BANDS[self.bands](a)), strict=True))

    def curves(self, name: str, x: Any) -> None:
        for row, record in zip(self.rows, self.records, strict=True):
            a = self.array(record, name)
            if a.ndim == 0:
                row[name] = self.pool.add({"level": float(_short(a))})
                continue
            if a.ndim > 2:
                raise ValueError(f"The curve '{name}' must be (points,) or (runs, points), not {a.shape}.")
            at = np.arange(a.shape[-1]) if x is None else self.array(record, x) if isinstance(x, str) else np.asarray(x)
            if at.shape != a.shape[-1:]:
                raise ValueError(f"The curve '{name}' has {a.shape[-1]} points; its x must too, and was {at.shape}.")
            keep = np.unique(np.linspace(0, len(at) - 1, min(self.points, len(at))).round().astype(int))
            lines = {"y": _short(a[keep])} if a.ndim == 1 else self.band(a[:, keep])
            row[name] = self.pool.add({"x": self.pool.add(_short(at[keep])), **lines})

    def values(self, name: str) -> None:
        for row, record in zip(self.rows, self.records, strict=True):
            a = self.array(record, name)
            if a.ndim > 1:
                raise ValueError(f"The value '{name}' must be a number or (runs,), not {a.shape}.")
            row[name] = self.pool.add(self.band(a) if a.ndim else {"y": float(_short(a))})

    def images(self, name: str) -> dict:
        stack = [np.asarray(record[name]) for record in self.records if self.array(record, name).ndim == 2]
        if len(stack) < len(self.records):
            raise ValueError(f"The image '{name}' must be (rows, columns) in every record.")
        classes = all(a.dtype.kind in "iub" for a in stack)
        top = 1.0 if classes else float(np.nanmax(np.abs(stack))) or 1.0
        for row, a in zip(self.rows, stack, strict=True):
            cells = a.astype(int) if classes else np.nan_to_num(np.round(100 * a / top)).astype(int)
            row[name] = self.pool.add({"rows": a.shape[0], "columns": a.shape[1], "cells": cells.ravel()})
        return {"name": name, "classes": classes, "top": top}

    def histograms(self, name: str) -> dict:
        arrays = [self.array(record, name).ravel() for record in self.records]
        reach = float(np.quantile(np.abs(np.concatenate(arrays)), 0.999)) or 1.0
        edges = np.linspace(-reach, reach, _BINS + 1)
        for row, a in zip(self.rows, arrays, strict=True):
            counts = np.histogram(np.clip(a, -reach, reach), edges)[0]
            row[name] = self.pool.add({"y": _short(counts / len(a))})
        return {"name": name, "edges": _short(edges)}

    def limits(self, names: list[str], log: bool) -> list[float]:
        """A window for these names that holds over the whole table, less the outermost half per cent."""
        seen = [
            np.ravel(self.pool[row[n]].get(k, ()))
            for row in self.rows
            for n in names
            for k in ("y", "lo", "hi", "level")
        ]
        v = np.concatenate(seen)
        v = v[np.isfinite(v) & ((v > 0) | (not log))]
        if not len(v):
            return [0.1, 1.0]
        lo, hi = (float(q) for q in np.quantile(v, [0.005, 0.995]))
        if log:
            return [lo / 1.3, hi * 1.3]
        room = 0.06 * (hi - lo) or abs(hi) or 1.0
        return [lo - room, hi + room]


class Training(Widget):
    """A table of runs; `training` makes it."""

    name = "training"
    pinned = Setting("The number of the record that is drawn thin for comparison, or None.")
    read = Setting("The place on the curves that the line of text reads: the number of a point, from 0.")

    def __init__(self, keys, records, axes, start, spec, label, summary):
        self._keys, self._records, self._axes = keys, records, axes
        self.line = f"Change {' and '.join(axes)} and compare the runs; Pin keeps one, thin, to compare."
        value: dict = {f"s{k}": _position(axis, start[k]) for k, axis in enumerate(axes.values())}
        points = [len(entry["y"]) for entry in spec["pool"] if isinstance(entry, dict) and "x" in entry]
        if points:
            value["read"] = max(points) - 1
        super().__init__(spec=spec, value={**value, "pinned": None}, label=label, summary=summary)

    def checked(self, value: dict) -> dict:
        whole(0, len(self._records) - 1).or_none().check("pinned", value["pinned"])
        whole(0).check("read", value.get("read", 0))
        return value

    def goal(self) -> Goal | None:
        """The first curve or value for which another run ends better than the one shown, by a margin."""
        pool, rows = self.spec["pool"], self.spec["rows"]
        last = lambda entry: float(np.ravel(entry["y"])[-1])
        at = self._keys.index(tuple(self.choice.values()))
        for name in (c["name"] for p in (*self.spec["panels"], *self.spec["values"]) for c in p["curves"]):
            if any("level" in pool[row[name]] for row in rows):
                continue
            sign = 1 if re.search("loss|error|sharpness", name) else -1
            ends = sign * np.array([last(pool[row[name]]) for row in rows])
            first, second = np.sort(ends)[:2] if len(ends) > 1 else (0, 0)
            if not np.isfinite(ends).all() or not second - first > 0.01 * abs(first) or ends[at] <= second:
                continue
            limit = sign * (first + second) / 2
            return Goal(
                f"Find the run in which {name} ends {'lowest' if sign > 0 else 'highest'}.",
                [(name, "<" if sign > 0 else ">", limit)],
                f"{name} ends at {{{name}}}.",
            )
        return None

    @property
    def choice(self) -> dict[str, Any]:
        """What the controls are set to: setting -> value. Assign such a dict (or a part of one) to change it."""
        return {name: _chosen(axis, self.value[f"s{k}"]) for k, (name, axis) in enumerate(self._axes.items())}

    @choice.setter
    def choice(self, new: Mapping[str, Any]) -> None:
        changes = {}
        for k, (name, axis) in enumerate(self._axes.items()):
            if name in new:
                if new[name] not in axis:
                    raise ValueError(f"{name} has no value {new[name]!r}; it has: {', '.join(map(str, axis))}.")
                changes[f"s{k}"] = _position(axis, new[name])
        if unknown := [name for name in new if name not in self._axes]:
            raise ValueError(f"There is no setting '{unknown[0]}'; there are: {', '.join(self._axes)}.")
        self.value = {**self.value, **changes}

    @property
    def record(self) -> Mapping[str, Any]:
        """The record that the controls choose, as it was given."""
        return self._records[self._keys.index(tuple(self.choice.values()))]

    def still(self):
        """The curves of the first choice."""
        from ..plotting import plt

        panels = self.spec["panels"]
        row, pool = self.spec["rows"][self._keys.index(tuple(self.choice.values()))], self.spec["pool"]
        figure, axs = plt.subplots(1, max(len(panels), 1), figsize=(3.4 * max(len(panels), 1), 2.8), squeeze=False)
        for ax, panel in zip(axs[0], panels, strict=False):
            for curve in panel["curves"]:
                entry = pool[row[curve["name"]]]
                if "level" in entry:
                    ax.axhline(entry["level"], color=curve["color"], linestyle="--", label=curve["name"])
                    continue
                at = pool[entry["x"]]
                ax.plot(at, entry["y"], color=curve["color"], label=curve["name"])
                if "lo" in entry:
                    ax.fill_between(at, entry["lo"], entry["hi"], color=curve["color"], alpha=0.2, linewidth=0)
            ax.set(title=panel["title"], xlabel=self.spec["xlabel"], yscale="log" if panel["log"] else "linear")
            ax.legend()
        return figure


def _numeric(axis: list) -> bool:
    return all(isinstance(v, (int, float, np.number)) and not isinstance(v, bool) for v in axis)


def _position(axis: list, v: Any) -> int | str:
    """How the page names a value of a setting: numbers by position, for a slider, anything else by its text."""
    return axis.index(v) if _numeric(axis) else str(v)


def _chosen(axis: list, position: Any) -> Any:
    return axis[position] if _numeric(axis) else next(v for v in axis if str(v) == position)


@explains
def training(
    table: Mapping[Any, Mapping[str, Any]],
    settings: str | Sequence[str] = "setting",
    *,
    curves: Any = (),
    values: Any = (),
    images: Sequence[str] = (),
    histograms: Sequence[str] = (),
    x: Any = None,
    xlabel: str = "step",
    bands: str = "range",
    log: Sequence[str] = (),
    limits: Mapping[str, tuple[float, float]] | None = None,
    against: str | None = None,
    start: Any = None,
    tips: Mapping[str, str] | None = None,
    notes: Mapping[Any, str] | None = None,
    scatter: tuple[Any, Any] | None = None,
    extent: tuple[float, float, float, float] | None = None,
    title: str = "Training runs",
    points: int = 100,
) -> Training:
    """Sweeps of real training as a table: sliders and menus choose the run, curves and bands over seeds are drawn.

    table: {value: record} for one setting, {(value, …): record} for several, every combination present; settings:
    their names in that order. Numbers get a slider, texts a menu. A record maps names to arrays.

    - curves: {"panel": ["name", …]} or a list of names. (points,) is a line, (runs, points) a line and a band
      (`bands`: "range", "quartiles" or "se", the mean ± 2 standard errors), a number a dashed level such as 2/η. x: the
      abscissas, an array or the name of an entry, or {curve: either of them}. At most `points` points are kept.
    - values: {"panel": ["name", …]}: numbers, or (runs,), drawn against the setting `against` (default the first).
    - images: (rows, columns): weights as floats, row 0 on top; with extent=(x0, x1, y0, y1) row 0 is at y0, as for
      decision regions, whose cells are integers, one a class. scatter=(X, classes) draws points over them.
    - histograms: arrays of any shape.

    log: panels with a logarithmic scale; limits: panel -> (low, high), else what holds over the whole table. start: the
    key shown first. tips: setting -> one sentence; notes: key -> a sentence for the status line. "Pin" keeps a run,
    thin. Read back `.choice`, `.record`, `.pinned`.

    >>> import numpy as np
    >>> from optcore.widgets.training import training
    >>> t = np.arange(50)
    >>> w = training({lr: {"loss": (1 - lr) ** t, "2/η": 2 / lr} for lr in (0.1, 0.5)}, "η", curves=["loss"])
    >>> w.choice, w
    ({'η': 0.1}, Training(η: 2; loss))
    """
    if not table:
        raise ValueError("The table is empty.")
    if bands not in BANDS:
        raise ValueError(f"bands must be one of {', '.join(BANDS)}; it was {bands!r}.")
    text().check("xlabel", xlabel)
    text().check("title", title)
    series(4, 4).or_none().check("extent", extent)
    names = [settings] if isinstance(settings, str) else list(settings)
    as_key = lambda key: key if isinstance(key, tuple) else (key,)
    full = {as_key(key): record for key, record in table.items()}
    if any(len(key) != len(names) for key in full):
        raise ValueError(f"Every key of the table needs {len(names)} values, one for each of: {', '.join(names)}.")
    axes = {name: list(dict.fromkeys(key[k] for key in full)) for k, name in enumerate(names)}
    axes = {name: sorted(axis) if _numeric(axis) else axis for name, axis in axes.items()}
    keys = list(itertools.product(*axes.values()))
    if missing := [key for key in keys if key not in full]:
        raise ValueError(f"The table has no record for {missing[0]}; it needs all {len(keys)} combinations.")
    first = as_key(start) if start is not None else keys[0]
    if first not in full:
        raise ValueError(f"start must be a key of the table; it was {start!r}.")
    if against is not None and against not in axes:
        raise ValueError(f"There is no setting '{against}' to draw values against; there are: {', '.join(axes)}.")

    records = [full[key] for key in keys]
    build = _Builder(records, bands, points)
    limits = dict(limits or {})
    colors = itertools.cycle(SPARE_COLORS)
    chosen: dict[str, str] = {}

    def panels(groups: Any) -> list[dict]:
        made = []
        for panel, members in _panels(groups).items():
            for name in members:
                if name not in chosen:
                    chosen[name] = RULE_COLORS.get(name) or next(colors)
            window = list(limits.get(panel) or build.limits(members, panel in log))
            lines = [{"name": name, "color": chosen[name]} for name in members]
            made.append({"title": panel, "log": panel in log, "limits": window, "curves": lines})
        return made

    for name in itertools.chain(*_panels(curves).values()):
        build.curves(name, x.get(name) if isinstance(x, Mapping) else x)
    for name in itertools.chain(*_panels(values).values()):
        build.values(name)
    shown = [*_panels(curves), *_panels(values), *images, *histograms]
    if not shown:
        raise ValueError("There is nothing to draw: name some curves, values, images or histograms.")
    if unknown := sorted({*log, *limits} - set(shown)):
        raise ValueError(f"There is no panel '{unknown[0]}'; there are: {', '.join(shown)}.")
    spec = {
        "title": title,
        "settings": [
            {"label": name, "values": axis, "numeric": _numeric(axis), "tip": (tips or {}).get(name)}
            for name, axis in axes.items()
        ],
        "panels": panels(curves),
        "values": panels(values),
        "images": [build.images(name) for name in images],
        "histograms": [build.histograms(name) for name in histograms],
        "against": list(axes).index(against) if against else 0,
        "xlabel": xlabel,
        "band": _BAND_WORDS[bands].format(build.runs) if build.runs else "",
        "notes": [(notes or {}).get(key if len(key) > 1 else key[0], "") for key in keys],
        "extent": extent,
        "scatter": None if scatter is None else [_short(scatter[0]), np.asarray(scatter[1]).astype(int)],
        "rows": build.rows,
        "pool": build.pool,
    }
    if (size := len(to_json(spec))) > _MOST_BYTES:
        raise ValueError(
            f"The table takes {size // 1000} kB, more than {_MOST_BYTES // 1000}; keep fewer runs or points."
        )
    counts = ", ".join(f"{name}: {len(axis)}" for name, axis in axes.items())
    summary = f"Runs for {counts}. Shown: {', '.join(shown)} for {', '.join(map(str, first))}."
    return Training(keys, records, axes, first, spec, f"Training({counts}; {', '.join(shown)})", summary)
