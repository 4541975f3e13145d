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
