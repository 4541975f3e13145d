"""Figures of the book: one style, one colour per rule. Importing this module imports Matplotlib and sets the style."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap

from .descent import Path, descend
from .palette import LANDSCAPE, color_of
from .rule_spec import name_of
from .surfaces import Surface, beale

__all__ = ["draw_comparison", "draw_landscape", "draw_loss", "draw_path", "draw_race", "grid", "use_style"]


def use_style() -> None:
    """The book's Matplotlib settings: small figures that stay readable at 375 px, no frame where none is needed."""
    plt.rcParams.update(
        {
            "figure.figsize": (6.4, 3.6),
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "font.size": 10.5,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.titlesize": "medium",
            "grid.alpha": 0.25,
            "grid.linewidth": 0.6,
            "lines.linewidth": 1.8,
            "legend.frameon": False,
            "image.cmap": "viridis",
        }
    )


use_style()


def grid(domain: Iterable, count: int = 160) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (count, count, 2) that cover `domain`, and the two coordinate arrays that Matplotlib wants."""
    (x0, x1), (y0, y1) = domain
    x, y = np.meshgrid(np.linspace(x0, x1, count), np.linspace(y0, y1, count))
    return np.stack([x, y], axis=-1), x, y


def shade(ax: Axes, x: np.ndarray, y: np.ndarray, height: np.ndarray, bands: int = 14) -> None:
    """Contour bands of heights, low ones dark, as the widgets draw them.

    They are of equal area rather than equal height: steep walls would take all the colours otherwise.
    """
    levels = np.unique(np.quantile(height, np.linspace(0, 1, bands + 1) ** 1.3))
    colors = LinearSegmentedColormap.from_list("landscape", LANDSCAPE)
    ax.contourf(x, y, height, levels=levels, cmap=colors, norm=BoundaryNorm(levels, 256))
    lines = [colors(0.85 * t) for t in np.linspace(0, 1, len(levels))]
    ax.contour(x, y, height, levels=levels, colors=[[0.8 * c for c in line[:3]] for line in lines], linewidths=0.5)


def draw_landscape(surface: Surface, ax: Axes | None = None, *, bands: int = 14, **params: float) -> Axes:
    """Contour bands of a surface over its domain, spaced so that the valley floor shows, and its minima as crosses."""
    ax = ax or plt.gca()
    points, x, y = grid(surface.domain)
    shade(ax, x, y, surface(points, **params), bands)
    if len(surface.minima):
        ax.plot(*surface.minima.T, "k+", markersize=9, markeredgewidth=1.6)
    ax.set(xlim=surface.domain[0], ylim=surface.domain[1], xlabel="$w_1$", ylabel="$w_2$")
    ax.grid(False)
    return ax


def _color(name: str, path: Any, index: int) -> str:
    rule = name_of(path.rule) if isinstance(path, Path) else name
    return color_of(rule, index)


def draw_path(paths: Mapping[str, Path | np.ndarray], ax: Axes | None = None, *, marker: str = ".") -> Axes:
    """Paths in the plane, one colour per rule; each starts at an open circle. Keys are the labels."""
    ax = ax or plt.gca()
    xlim, ylim = ax.get_xlim(), ax.get_ylim()
    for index, (label, path) in enumerate(paths.items()):
        points = np.asarray(path)
        color = _color(label, path, index)
        ax.plot(*points.T, marker + "-", color=color, markersize=4, linewidth=1.2, label=label)
        ax.plot(*points[0], "o", markerfacecolor="white", color=color, markersize=6)
    ax.set(xlim=xlim, ylim=ylim)
    ax.legend(loc="best", framealpha=0.85, frameon=True)
    return ax


def draw_loss(paths: Mapping[str, Path | np.ndarray], ax: Axes | None = None, *, lowest: float = 0.0) -> Axes:
    """Loss above `lowest` against the step, on a log scale. Values may be Paths or arrays of losses."""
    ax = ax or plt.gca()
    for index, (label, path) in enumerate(paths.items()):
        loss = path.loss if isinstance(path, Path) else np.asarray(path)
        ax.plot(loss - lowest, color=_color(label, path, index), label=label)
    ax.set(yscale="log", xlabel="step", ylabel="loss above the minimum" if lowest else "loss")
    ax.legend()
    return ax


def draw_comparison(result: Any, ax: Axes | None = None) -> Axes:
    """What `compare` found: left the mean score over the rates, right the paired differences on fresh seeds.

    Bars: one standard error over the tuning seeds; filled: the best rate. Where more than the rate was tuned, each rate
    has its best other settings. Right, dots: one pair each (side minus reference, or side over it); bars: the interval
    of their mean. With `ax` given, the left picture alone is drawn there. Returns the axes of the rates.
    """
    right = None
    if ax is None:
        pairs = bool(result.seeds)
        _, axes = plt.subplots(1, 1 + pairs, figsize=(8.4 if pairs else 6.4, 3.2), squeeze=False)
        ax, right = axes[0, 0], axes[0, 1] if pairs else None
    for index, (side, grid) in enumerate(result.grids.items()):
        setting, rates = next(iter(grid.items()))
        loss = result.tuned[side] if result.better == "lower" else -result.tuned[side]
        loss = np.where(np.isfinite(loss), loss, np.inf).reshape(len(rates), -1)
        rows = np.arange(len(rates))
        runs = result.tuned_runs[side].reshape(*loss.shape, -1)[rows, loss.argmin(axis=1)]
        mean = result.tuned[side].reshape(loss.shape)[rows, loss.argmin(axis=1)]
        error = np.zeros((2, len(rates)))
        if runs.shape[1] > 1:
            with np.errstate(all="ignore"):
                values = np.log(runs) if result.ratio else runs
                half = values.std(axis=1, ddof=1) / np.sqrt(runs.shape[1])
                ends = (mean / np.exp(half), mean * np.exp(half)) if result.ratio else (mean - half, mean + half)
            error = np.array([mean - ends[0], ends[1] - mean])
        color, shown = color_of(side, index), np.isfinite(mean)
        style: dict[str, Any] = dict(marker="o", markersize=5, markerfacecolor="white", capsize=2, linewidth=1.4)
        x = np.array(rates)
        ax.errorbar(x[shown], mean[shown], error[:, shown], color=color, label=side, **style)
        best = rates.index(result.best[side][setting])
        ax.plot(x[best], mean[best], "o", color=color, markersize=7, zorder=9)
    ax.set(xlabel="learning rate" if setting == "rate" else setting, ylabel=result.score)
    if all(min(next(iter(grid.values()))) > 0 for grid in result.grids.values()):
        ax.set_xscale("log")
    if result.ratio:
        ax.set_yscale("log")
    ax.legend()
    if right is not None:
        for row, (side, d) in enumerate(result.differences.items()):
            color = color_of(side, list(result.grids).index(side))
            right.plot(d.pairs, np.full(len(d.pairs), row + 0.2), ".", color=color, markersize=5, alpha=0.7)
            right.plot([d.low, d.high], [row, row], color=color, linewidth=2.4)
            right.plot(d.mean, row, "o", color=color)
        right.axvline(1 if result.ratio else 0, color="gray", linewidth=0.8)
        right.set(yticks=range(len(result.differences)), yticklabels=list(result.differences))
        right.set(ylim=(len(result.differences) - 0.4, -0.6))
        right.set(xlabel=f"{result.score}, {'over' if result.ratio else 'minus'} {result.reference}")
        if result.ratio:
            right.set_xscale("log")
    return ax


def draw_race(
    rules: Mapping[Callable, Mapping[str, Any]],
    surface: Surface = beale,
    *,
    steps: int = 200,
    start: Sequence[float] | None = None,
) -> dict[str, Path]:
    """The picture that the book returns to: one start, one surface, every rule in its colour; paths left, loss right.

    rules: rule -> its learning rate and hyper-parameters, as `descend` takes them. Returns the paths, by name.

    >>> from optcore import gd, momentum
    >>> paths = draw_race({gd: {"lr": 1e-3}, momentum: {"lr": 1e-3, "beta": 0.9}})
    >>> paths["momentum"].loss[-1] < paths["gd"].loss[-1]
    np.True_
    """
    begin = surface.start if start is None else start
    paths = {name_of(rule): descend(rule, surface, begin, steps, **hyper) for rule, hyper in rules.items()}
    _, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8))
    draw_path(paths, draw_landscape(surface, left))
    draw_loss(paths, right, lowest=surface.lowest or 0.0)
    right.get_legend().remove()
    return paths
