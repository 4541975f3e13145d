"""Draw the picture that links to the site show, and one for each chapter's card on the front page.

python -m book.pages.pictures        writes book/assets/card.png and book/assets/chapters/*.svg
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

import optcore as oc
from book.course import ROOT
from optcore import plotting

ASSETS = ROOT / "book" / "assets"
BOWL = oc.Surface(lambda w: 0.5 * (w[..., 0] ** 2 + 12 * w[..., 1] ** 2), name="bowl", domain=((-4, 4), (-2, 2)))
START = [-3.4, 1.3]
GREY = "#8a97a5"  # readable on white and on the dark ground


def contours(ax, surface: oc.Surface, count: int = 9) -> None:
    """Contour lines without a frame."""
    points, x, y = plotting.grid(surface.domain, 40)
    height = np.sqrt(surface(points))
    ax.contour(x, y, height, levels=np.linspace(0, height.max(), count)[1:], colors=GREY, linewidths=0.9)


def walk(ax, rule, surface: oc.Surface, *, start=START, color=None, **run) -> None:
    """A rule's path, ending in a dot."""
    points = oc.descend(rule, surface, start, **run).points
    color = color or oc.color_of(rule.__name__)
    ax.plot(*points.T, color=color, linewidth=2.2)
    ax.plot(*points[-1], "o", color=color, markersize=6)


def objective(ax) -> None:
    x = np.array([0.5, 1.5, 2.5, 3.5, 4.5])
    y = np.array([1.2, 1.7, 3.4, 3.3, 4.6])
    slope, height = np.polyfit(x, y, 1)
    ax.vlines(x, y, slope * x + height, color=oc.color_of("momentum"), linewidth=2)
    ax.plot([0, 5], [height, 5 * slope + height], color=oc.color_of("gd"), linewidth=2.4)
    ax.plot(x, y, "o", color=GREY, markersize=8)


def convexity(ax) -> None:
    x = np.linspace(-2, 2, 100)
    ax.plot(x, 0.5 * x**2, color=oc.color_of("gd"), linewidth=2.4)
    ax.plot([-1.6, 1.2], [1.28, 0.72], "o-", color=GREY, linewidth=1.6)
    x = np.linspace(2.6, 6.6, 200)
    u = x - 4.6
    ax.plot(x, 0.5 * (u**2 - 1.6) ** 2 / 1.6 + 0.25 * u + 0.5, color=oc.color_of("momentum"), linewidth=2.4)


def gradient_descent(ax) -> None:
    contours(ax, BOWL)
    walk(ax, oc.gd, BOWL, steps=25, lr=0.155)


def adaptive(ax) -> None:
    contours(ax, BOWL)
    walk(ax, oc.gd, BOWL, steps=12, lr=0.155)
    walk(ax, oc.adam, BOWL, steps=60, lr=0.15)


def schedules(ax) -> None:
    t = np.arange(101)
    rate = oc.warmup(oc.cosine_decay(1.0, 90), 12)
    ax.plot(t, rate(t), color=oc.color_of("adam"), linewidth=2.4)
    ax.plot(t, oc.step_decay(0.9, 30, 0.5)(t), color=GREY, linewidth=1.6, drawstyle="steps-post")


def second_order(ax) -> None:
    contours(ax, BOWL)
    walk(ax, oc.gd, BOWL, steps=8, lr=0.155, color=GREY)
    ax.annotate("", (0, 0), START, arrowprops={"arrowstyle": "-|>", "color": oc.color_of("momentum"), "linewidth": 2.4})


def initialization(ax) -> None:
    depth = np.arange(21)
    for gain, color in ((1.12, oc.color_of("momentum")), (1.0, oc.color_of("gd")), (0.88, oc.color_of("adam"))):
        ax.plot(depth, np.log(gain) * depth, "o-", color=color, markersize=3, linewidth=1.8)


def generalization(ax) -> None:
    t = np.linspace(0, 5, 100)
    ax.plot(t, 0.1 + np.exp(-t), color=oc.color_of("gd"), linewidth=2.4)
    ax.plot(t, 0.35 + np.exp(-1.2 * t) + 0.022 * t**2, color=oc.color_of("momentum"), linewidth=2.4)


CHAPTERS = [objective, convexity, gradient_descent, adaptive, schedules, second_order, initialization, generalization]


def chapter_pictures(folder: Path) -> None:
    """One small drawing for each chapter, without words, on no ground."""
    folder.mkdir(exist_ok=True)
    for number, draw in enumerate(CHAPTERS, 1):
        figure, ax = plt.subplots(figsize=(3.2, 1.5), layout="constrained")
        draw(ax)
        ax.set_axis_off()
        figure.savefig(folder / f"{number}.svg", transparent=True, metadata={"Date": None})
        plt.close(figure)


def card(path: Path) -> None:
    """1200 × 630: three rules in a valley, and the title."""
    figure, ax = plt.subplots(figsize=(12, 6.3), layout="none")
    ax.set_position((0, 0.32, 1, 0.68))
    plotting.draw_landscape(oc.rosenbrock, ax, bands=18)
    for rule, lr in ((oc.adam, 2e-2), (oc.momentum, 1e-3), (oc.gd, 1e-3)):
        walk(ax, rule, oc.rosenbrock, start=[-1.5, 2.0], steps=600, lr=lr)
    figure.text(0.04, 0.17, "Optimization for Deep Learning", fontsize=42, fontweight="bold", color="#1d2630")
    figure.text(0.04, 0.07, "A course whose update rules run in the page", fontsize=25, color="#34424f")
    ax.set_axis_off()
    figure.savefig(path, dpi=100)
    plt.close(figure)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


if __name__ == "__main__":
    plt.rcParams["svg.hashsalt"] = "optcore"  # the same file each time
    chapter_pictures(ASSETS / "chapters")
    card(ASSETS / "card.png")
