"""Figures: what is drawn, in which colour."""

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

import matplotlib.pyplot as plt

import optcore as oc
from optcore import plotting


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
