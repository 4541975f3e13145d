"""Figures: what is drawn, in which colour."""

import re

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

import matplotlib.pyplot as plt

import optcore as oc
from optcore import palette, plotting
from optcore.widgets.base import HERE


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_a_race_starts_every_rule_at_one_point_and_draws_it_in_its_colour():
    rules = {oc.gd: {"lr": 1e-3}, oc.momentum: {"lr": 1e-3, "beta": 0.8}, oc.adam: {"lr": 0.1}}
    paths = plotting.draw_race(rules, steps=20)
    left, right = plt.gcf().axes
    for rule, hyper in rules.items():
        name = rule.__name__
        alone = oc.descend(rule, oc.beale, oc.beale.start, 20, **hyper)
        np.testing.assert_array_equal(paths[name].points, alone.points)
        drawn = [line for line in left.lines if line.get_color() == oc.color_of(name)]
        np.testing.assert_array_equal(drawn[0].get_xydata(), alone.points)
        assert drawn[1].get_xydata().tolist() == [oc.beale.start.tolist()]
        (curve,) = [line for line in right.lines if line.get_color() == oc.color_of(name)]
        np.testing.assert_array_equal(curve.get_ydata(), alone.loss)
    assert [text.get_text() for text in left.get_legend().texts] == [rule.__name__ for rule in rules]


def test_a_race_takes_another_surface_and_start_and_measures_loss_from_its_minimum():
    paths = plotting.draw_race({oc.gd: {"lr": 0.1}}, oc.saddle, steps=30, start=[0.5, 0.5])
    right = plt.gcf().axes[1]
    assert paths["gd"].points[0].tolist() == [0.5, 0.5]
    np.testing.assert_allclose(right.lines[0].get_ydata(), paths["gd"].loss + 0.25)
    assert right.get_yscale() == "log"


def luminance(color):
    """Relative luminance of WCAG 2."""
    rgb = np.asarray(matplotlib.colors.to_rgb(color))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


def contrast(a, b):
    low, high = sorted(map(luminance, (a, b)))
    return (high + 0.05) / (low + 0.05)


def test_low_is_dark_in_figures_and_in_both_themes_of_widgets_and_paths_are_seen_on_it():
    css = (HERE / "oc.css").read_text(encoding="utf-8")
    read = lambda name: re.search(rf"--oc-{name}: light-dark\((#\w+), (#\w+)\)", css).groups()
    (low, dark_low), (high, dark_high) = read("low"), read("high")
    assert (low, high) == palette.LANDSCAPE
    assert luminance(low) < luminance(high) and luminance(dark_low) < luminance(dark_high)
    assert len(palette.RULE_COLORS) > 15
    for color in palette.RULE_COLORS.values():
        assert min(contrast(color, low), contrast(color, high)) >= 3, color
    # in the dark, colours are mixed with that of words until they stand 4.5:1 against the background
    background, words = read("bg")[1], np.array(matplotlib.colors.to_rgb(read("fg")[1]))
    for color in palette.RULE_COLORS.values():
        rgb, t = np.array(matplotlib.colors.to_rgb(color)), 0.0
        while contrast(rgb + t * (words - rgb), background) < 4.5:
            t += 0.1
        mixed = rgb + t * (words - rgb)
        assert min(contrast(mixed, dark_low), contrast(mixed, dark_high)) >= 3, color


def test_bands_of_a_landscape_are_darker_the_lower_they_are():
    ax = plotting.draw_landscape(oc.bowl)
    filled = next(c for c in ax.collections if c.get_cmap().name == "landscape")
    shades = [luminance(c[:3]) for c in filled.to_rgba(filled.norm.boundaries[:-1] + 1e-9)]
    assert len(shades) > 10 and np.all(np.diff(shades) > 0)
    drawn = next(c for c in ax.collections if len(c.get_edgecolor()) > 10)
    lines = [luminance(c[:3]) for c in drawn.get_edgecolor()]
    assert np.all(np.diff(lines) > 0) and np.all(np.array(lines[1:]) < shades), "darker than the bands they divide"


@pytest.mark.parametrize("ratio", [False, True])
def test_a_comparison_is_drawn_with_one_standard_error_and_the_interval_of_the_pairs(ratio):
    rng = np.random.default_rng(0)
    scores = {side: rng.lognormal(size=(3, 1)) + np.array([[1.5], [1.0], [2.0]]) for side in "ab"}
    noise = {side: rng.uniform(0.9, 1.1, size=(2000,)) for side in "ab"}
    run = lambda side, rate, seed: scores[side].min() * (1 + np.log10(rate) ** 2) * noise[side][seed]
    sides = {side: lambda rate, seed, side=side: run(side, rate, seed) for side in "ab"}
    found = oc.compare("Which?", sides, [0.1, 1.0, 10.0], budget=1, ratio=ratio, tuning=4, seeds=5)
    left = plotting.draw_comparison(found)
    right = plt.gcf().axes[1]
    assert len(left.containers) == 2
    for side, bars in zip("ab", left.containers, strict=True):
        runs = np.log(found.tuned_runs[side]) if ratio else found.tuned_runs[side]
        mean, half = runs.mean(axis=1), runs.std(axis=1, ddof=1) / np.sqrt(4)
        back = np.exp if ratio else np.asarray
        ends = np.array([segment[:, 1] for segment in bars[2][0].get_segments()])
        np.testing.assert_allclose(ends, np.stack([back(mean - half), back(mean + half)], axis=1))
        np.testing.assert_allclose(bars[0].get_ydata(), found.tuned[side])
        marks = [line for line in left.lines if len(line.get_xdata()) == 1 and line.get_color() == bars[0].get_color()]
        assert [line.get_xydata().tolist() for line in marks] == [[[found.best[side]["rate"], found.tuned[side].min()]]]
    d = found["b"]
    lines = [line.get_xydata().tolist() for line in right.lines]
    assert lines[1:3] == [[[d.low, 0], [d.high, 0]], [[d.mean, 0]]]
    assert [x for x, _ in lines[3]] == [1 if ratio else 0] * 2
    assert right.get_ylim()[0] > right.get_ylim()[1]
    assert right.get_xlabel().endswith("over a" if ratio else "minus a")
    plt.close("all")
    ax = plt.figure().add_subplot()
    assert plotting.draw_comparison(found, ax) is ax and len(plt.gcf().axes) == 1


def test_of_more_settings_each_rate_has_its_best_and_what_diverged_is_not_drawn():
    def run(rate, beta):
        return np.inf if rate > 5 else (np.log10(rate) - 0.1) ** 2 + (beta - 0.5) ** 2

    grid = {"rate": [0.1, 1.0, 3.0, 10.0], "beta": [0.0, 0.5, 0.9]}
    sides = {"a": run, "b": lambda rate, beta: run(rate, beta) + 1}
    left = plotting.draw_comparison(oc.compare("Which?", sides, grid, budget=1, seeds=None))
    for line, bars, above in zip("ab", left.containers, (0, 1), strict=True):
        np.testing.assert_allclose(bars[0].get_xdata(), [0.1, 1.0, 3.0], err_msg=line)
        np.testing.assert_allclose(bars[0].get_ydata(), [run(rate, 0.5) + above for rate in (0.1, 1.0, 3.0)])
    upside_down = {"a": lambda rate, beta: -run(rate, beta)}
    upside_down["b"] = lambda rate, beta: -9 - run(rate, beta)
    found = oc.compare("Which?", upside_down, grid, budget=1, seeds=None, score="accuracy", better="higher")
    (bars, _) = plotting.draw_comparison(found).containers
    np.testing.assert_allclose(bars[0].get_ydata(), [-run(rate, 0.5) for rate in (0.1, 1.0, 3.0)])
    assert len(plt.gcf().axes) == 1 and left.get_xscale() == "log" and left.get_yscale() == "linear"


def test_the_books_figures_have_no_frame_and_can_be_read_on_a_phone():
    with plt.rc_context():
        plt.rcdefaults()
        plotting.use_style()
        fig, ax = plt.subplots()
        (line,) = ax.plot([0, 1], [0, 1], label="f")
        fig.canvas.draw()
        assert [side for side, spine in ax.spines.items() if spine.get_visible()] == ["left", "bottom"]
        assert all(one.get_visible() for one in ax.get_xgridlines() + ax.get_ygridlines())
        assert ax.get_xgridlines()[0].get_linewidth() < line.get_linewidth() / 2
        assert not ax.legend().get_frame_on()
        assert type(fig.get_layout_engine()).__name__ == "ConstrainedLayoutEngine"
        on_a_phone = min(375 / (fig.get_figwidth() * 72), 1)  # points of the figure to pixels of the page
        assert all(text.get_size() * on_a_phone > 8 for text in ax.get_xticklabels() + ax.get_yticklabels())
