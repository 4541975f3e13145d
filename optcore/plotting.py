"""Figures of the book: one style, one colour per rule. Importing this room imports Matplotlib and sets the style."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from .descent import Path, descend
from .palette import color_of
from .rules import name_of
from .surfaces import Surface, beale

__all__ = ["draw_landscape", "draw_loss", "draw_path", "draw_race", "grid", "use_style"]


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


def draw_landscape(surface: Surface, ax: Axes | None = None, *, bands: int = 14, **params: float) -> Axes:
    """Contour bands of a surface over its domain, spaced so that the valley floor shows, and its minima as crosses."""
    ax = ax or plt.gca()
    points, x, y = grid(surface.domain)
    height = surface(points, **params)
    # bands of equal area rather than equal height: steep walls would take all the colours otherwise
    levels = np.unique(np.quantile(height, np.linspace(0, 1, bands + 1) ** 1.3))
    ax.contourf(x, y, height, levels=levels, cmap="Blues", norm=plt.matplotlib.colors.BoundaryNorm(levels, 256))
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
    draw_loss(paths, right, lowest=surface.lowest)
    right.get_legend().remove()
    return paths
