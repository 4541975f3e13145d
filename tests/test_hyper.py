"""Hyper-parameters: the values that are taken, and those that are refused, at each end of each range."""

import numpy as np
import pytest

from optcore.hyper import RANGES, at, check_hyper, check_value
from optcore.rules import adam

DECAY = (0, "<1")  # how much of an average is kept: 1 would never learn
SIZE = (0, "<inf")
#: What the literature allows: the least value, and how far up.
MEANT = {
    "lr": SIZE, "beta": DECAY, "beta1": DECAY, "beta2": DECAY, "beta3": DECAY, "rho": DECAY, "memory": DECAY,
    "psi": SIZE, "alpha": SIZE, "up": (1, "<inf"), "down": (0, "1"), "least": SIZE, "most": (0, "inf"),
    "period": (1, "<inf"), "pull": (0, "1"), "eps": SIZE, "weight_decay": SIZE, "max_norm": (0, "inf"),
    "max_value": (0, "inf"), "coefficient": SIZE, "std": SIZE,
}  # fmt: skip


def test_each_has_its_range():
    assert MEANT.keys() == RANGES.keys(), "each range of optcore/hyper.py stands in MEANT too, above"


@pytest.mark.parametrize("name", MEANT)
def test_the_ends_of_a_range(name):
    low, high = MEANT[name][0], float(MEANT[name][1].lstrip("<"))
    inside = [float(low), np.nextafter(low, np.inf), min(np.nextafter(high, 0), 1e300)]
    outside = [np.nextafter(low, -np.inf), np.nan]
    (outside if MEANT[name][1].startswith("<") else inside).append(high)
    outside += [np.nextafter(high, np.inf)] if high < np.inf else []
    for value in (*inside, np.array(inside)):
        check_value(name, value)
    for value in (*outside, np.array([inside[0], outside[0]])):
        with pytest.raises(ValueError, match=f"^{name} must be in"):
            check_value(name, value)


@pytest.mark.parametrize("value", ["much", None, True, 1j, [0.1, "a"]])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match="^lr must be a number"):
        check_value("lr", value)


def test_a_schedule_is_looked_at_step_by_step():
    check_hyper(adam, {"lr": lambda t: -1.0, "beta1": 0.5})
    assert at("lr", 0.5, 3) == 0.5 and at("lr", lambda t: 0.5**t, 2) == 0.25
    assert at("lr", lambda t: -1.0, 0) == -1.0  # a schedule may leave the range
    for now in (np.nan, "a", np.array([0.1, np.nan])):
        with pytest.raises(TypeError, match="at step 7 it gave"):
            at("lr", lambda t, now=now: now, 7)


def test_only_what_the_rule_has_is_taken():
    with pytest.raises(TypeError, match="adam has no hyper-parameter 'momentum'; it has: beta1, beta2, eps"):
        check_hyper(adam, {"momentum": 0.9})
    with pytest.raises(ValueError, match="beta1 must be in"):
        check_hyper(adam, {"lr": 0.1, "beta1": 1.0})
