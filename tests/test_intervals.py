"""Intervals of a mean, against SciPy and by how often they cover it."""

import numpy as np
import pytest
from scipy import stats

import optcore as oc


@pytest.mark.parametrize("df", [*range(1, 13), 29, 30, 100, 359, 10_001])
def test_t_quantiles_are_those_of_scipy(df):
    for level in (0.0, 0.5, 0.9, 0.95, 1 - 0.05 / 3, 0.99, 0.9999):
        assert oc.t_quantile(level, df) == pytest.approx(stats.t.ppf((1 + level) / 2, df), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("level", "df"), [(1.0, 3), (-0.1, 3), (0.95, 0), (0.95, 2.5)])
def test_a_quantile_without_meaning_is_refused(level, df):
    with pytest.raises(ValueError, match="whole number df"):
        oc.t_quantile(level, df)


def test_the_interval_is_that_of_scipy_and_covers_the_mean_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(1, 2, size=(4000, 5))
    mean, low, high = oc.t_interval(draws[0])
    np.testing.assert_allclose((low, high), stats.t.interval(0.95, 4, mean, stats.sem(draws[0])))
    ends = np.array([oc.t_interval(d)[1:] for d in draws])
    assert 0.94 < np.mean((ends[:, 0] < 1) & (ends[:, 1] > 1)) < 0.96
    for bad in ([1.0], [], np.ones((2, 2))):
        with pytest.raises(ValueError, match="at least two values"):
            oc.t_interval(bad)
