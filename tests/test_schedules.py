"""Schedules: closed forms, exact recursions, edges, and the properties that every schedule shares."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import optcore as oc
from optcore import schedules

# Every one peaks at 0.5.
SCHEDULES = {
    "constant_rate": oc.constant_rate(0.5),
    "step_decay": oc.step_decay(0.5, every=30),
    "multi_step_decay": oc.multi_step_decay(0.5, [20, 50, 50], gamma=0.2),
    "exponential_decay": oc.exponential_decay(0.5, gamma=0.97),
    "exponential_decay: rate": oc.exponential_decay(0.5, rate=0.05),
    "inverse_time_decay": oc.inverse_time_decay(0.5, rate=0.1),
    "inverse_time_decay: root": oc.inverse_time_decay(0.5, power=0.5),
    "polynomial_decay": oc.polynomial_decay(0.5, 80, floor=0.01, power=2.5),
    "linear_decay": oc.linear_decay(0.5, 80, floor=0.01),
    "cosine_decay": oc.cosine_decay(0.5, 80, floor=0.01),
    "cosine_restarts": oc.cosine_restarts(0.5, 20),
    "cosine_restarts: longer": oc.cosine_restarts(0.5, 10, factor=2, floor=0.01),
    "warmup": oc.warmup(0.5, 7),
    "warmup: cosine": oc.warmup(oc.cosine_decay(0.5, 80), 7),
    "join_schedules": oc.join_schedules(
        oc.constant_rate(0.5), oc.step_decay(0.5, 5), oc.constant_rate(0.1), at=[10, 40]
    ),
    "cyclic": oc.cyclic(0.1, 0.5, half=12),
    "cyclic: triangular2": oc.cyclic(0.1, 0.5, half=12, shape="triangular2"),
    "cyclic: exp_range": oc.cyclic(0.1, 0.5, half=12, shape="exp_range", gamma=0.99),
    "one_cycle": oc.one_cycle(0.5, 90),
    "wsd": oc.wsd(0.5, 5, 40, 30),
}
every_schedule = pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
some_steps = st.floats(0, 1e6) | st.sampled_from([0.0, 1e-300, 1e15, 1e300])


# ---------------------------------------------------------------------------------------- what every schedule does


def test_the_table_names_every_schedule_of_the_module():
    assert {name.split(":")[0] for name in SCHEDULES} == set(schedules.__all__) - {"ReduceLROnPlateau"}  # a class


@every_schedule
@given(t=some_steps)
def test_rates_stay_between_zero_and_the_peak(schedule, t):
    assert 0 <= schedule(t) <= 0.5 * (1 + 1e-12)


@every_schedule
def test_an_array_of_steps_gives_the_values_of_the_single_steps(schedule):
    steps = np.arange(120).reshape(4, 30)
    together = schedule(steps)
    assert together.shape == (4, 30)
    # a power of an array and of a number may differ in the last bit
    np.testing.assert_allclose(together.ravel(), [schedule(t) for t in range(120)], rtol=1e-14)


@every_schedule
def test_no_steps_give_no_rates(schedule):
    assert np.shape(schedule(np.empty((0, 3)))) == (0, 3)


@every_schedule
def test_extreme_steps_raise_nothing_and_keep_their_shape(schedule):
    extreme = np.array([1e300, 1e-300, np.inf, np.nan, -1.0])
    with np.errstate(all="ignore"):
        rates = schedule(extreme)
    assert rates.shape == (5,)
    assert np.isfinite(rates[:2]).all()


@every_schedule
def test_a_schedule_traces_to_the_same_values(schedule):
    traced = oc.trace(schedule, ())
    steps = np.arange(120.0)
    assert np.array_equal(traced(steps), schedule(steps))
    assert traced.js().startswith("const ")


@every_schedule
def test_steps_are_not_written_into(schedule):
    steps = np.arange(50)
    schedule(steps)
    assert steps.tolist() == list(range(50))


def test_a_batch_of_rates_is_as_good_as_one():
    lr = np.array([[0.1], [0.2]])
    assert np.array_equal(oc.cosine_decay(lr, 10)(3)[1], oc.cosine_decay(0.2, 10)(np.array([3])))


def test_durations_may_be_traced_too():
    traced = oc.trace(lambda t, lr, steps: oc.warmup(oc.cosine_decay(lr, steps), 4)(t), (), (), ())
    assert traced(30.0, 0.1, 60.0) == oc.warmup(oc.cosine_decay(0.1, 60), 4)(30)


# ------------------------------------------------------------------------------------------------------- each
# shape


@pytest.mark.parametrize("t, rate", [(0, 0.1), (29, 0.1), (30, 0.01), (59, 0.01), (60, 0.001)])
def test_step_decay_cuts_on_the_step_itself(t, rate):
    assert oc.step_decay(0.1, every=30)(t) == pytest.approx(rate, rel=1e-15)


def test_milestones_given_twice_cut_twice():
    assert oc.multi_step_decay(1.0, [5, 5], gamma=0.5)(5) == 0.25


@given(rate=st.floats(1e-6, 2), t=st.integers(0, 500))
def test_both_exponentials_are_one_curve(rate, t):
    """γ = e^{-λ}; λ = 0.1 means γ = 0.9048."""
    assert oc.exponential_decay(1.0, rate=rate)(t) == pytest.approx(np.exp(-rate * t), rel=1e-12)
    assert oc.exponential_decay(1.0, gamma=np.exp(-rate))(t) == oc.exponential_decay(1.0, rate=rate)(t)


def test_linear_decay_stops_at_its_floor_where_the_unclamped_line_turns_negative():
    assert oc.linear_decay(0.1, 200, floor=0.001)(250) == 0.001
    assert 0.1 * (1 - 220 / 200) == pytest.approx(-0.01)


@given(power=st.floats(0.1, 5), t=st.floats(0, 1e4))
def test_polynomial_decay_never_rises(power, t):
    schedule = oc.polynomial_decay(0.3, 100, floor=0.02, power=power)
    assert schedule(t + 1) <= schedule(t)


def test_cosine_values():
    """Half way down at half time; a quarter of the way off the ends at (1 ± 1/√2)/2."""
    rates = oc.cosine_decay(0.1, 100, floor=0.001)(np.array([0, 25, 50, 75, 100, 120]))
    assert rates == pytest.approx([0.1, 0.0855018, 0.0505, 0.0154982, 0.001, 0.001], abs=5e-8)


@given(factor=st.integers(1, 10), period=st.integers(2, 12), k=st.integers(0, 4))
def test_restarts_begin_exactly_at_the_peak(factor, period, k):
    start = period * sum(factor**i for i in range(k))
    schedule = oc.cosine_restarts(1.0, period, factor)
    assert schedule(start) == pytest.approx(1.0, abs=1e-9)
    assert start == 0 or schedule(start - 1) < 1


def test_a_warmed_up_schedule_starts_from_its_own_beginning():
    schedule = oc.warmup(oc.cosine_decay(0.8, 10), 4)
    assert schedule(np.arange(4)) == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert schedule(4 + np.arange(11)) == pytest.approx(oc.cosine_decay(0.8, 10)(np.arange(11)))


def test_one_warm_up_step_is_no_warm_up():
    assert oc.warmup(0.3, 1)(np.arange(3)).tolist() == [0.3, 0.3, 0.3]


def test_cyclic_reaches_its_top_after_half_a_cycle():
    """`half` is half the cycle: reading it as the whole one would be back at the bottom there."""
    assert oc.cyclic(0.1, 0.5, half=10)(np.array([0, 10, 20, 30])) == pytest.approx([0.1, 0.5, 0.1, 0.5])
    assert oc.cyclic(0.0, 1.0, 10, "triangular2")(np.array([10, 30, 50])).tolist() == [1, 0.5, 0.25]


def test_one_cycle_peaks_at_thirty_percent():
    rates = oc.one_cycle(1.0, 200)(np.arange(200))
    assert rates.argmax() == 0.3 * 200 - 1
    assert rates[[0, -1]] == pytest.approx([1 / 25, 1 / 25e4])


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: oc.step_decay(0.1, every=0), "every must be positive, got 0"),
        (lambda: oc.cosine_decay(0.1, -5), "steps must be positive, got -5"),
        (lambda: oc.cosine_decay(0.1, float("nan")), "steps must be positive, got nan"),
        (lambda: oc.cosine_restarts(0.1, 10, factor=0.5), "factor must be at least 1, got 0.5"),
        (lambda: oc.multi_step_decay(0.1, []), "at least one step"),
        (lambda: oc.exponential_decay(0.1), "exactly one of gamma"),
        (lambda: oc.exponential_decay(0.1, gamma=0.9, rate=0.1), "exactly one of gamma"),
        (lambda: oc.warmup(0.1, 0), "steps must be positive, got 0"),
        (lambda: oc.cyclic(0, 1, 5, "sawtooth"), "shape must be one of triangular, triangular2, exp_range"),
        (lambda: oc.one_cycle(1.0, 3), "must be positive"),
        (lambda: oc.join_schedules(oc.constant_rate(1), at=[3]), "1 schedules need 0 boundaries, got 1"),
        (lambda: oc.join_schedules(*[oc.constant_rate(1)] * 3, at=[3, 3]), "boundaries must increase"),
        (lambda: oc.ReduceLROnPlateau(1.0, factor=1.0), "factor must be in"),
        (lambda: oc.ReduceLROnPlateau(1.0, mode="down"), "mode must be 'min' or 'max', got 'down'"),
        (lambda: oc.ReduceLROnPlateau(1.0, threshold_mode="x"), "threshold_mode must be 'rel' or 'abs'"),
    ],
)
def test_bad_input_gets_one_clear_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


# ------------------------------------------------------------------------------------------- what the rates
# achieve


def mean_square_after(schedule, steps=1000):
    """E x² of SGD on λx²/2, λ = σ = 1, x₀ = 1: m ← (1-η)m and v ← (1-η)²v + η², exactly; returns (m², v)."""
    mean, variance = 1.0, 0.0
    for eta in schedule(np.arange(steps)):
        mean, variance = (1 - eta) * mean, (1 - eta) ** 2 * variance + eta**2
    return mean**2, variance


@pytest.mark.parametrize(
    "schedule, expected",
    [
        (oc.constant_rate(0.1), 0.05263),  # noise floor η/(2-η)
        (oc.constant_rate(0.01), 0.00503),
        (oc.linear_decay(0.1, 1000), 0.00445),
        (oc.cosine_decay(0.1, 1000), 0.00364),
        (oc.multi_step_decay(0.1, [500, 750]), 0.00343),
        (oc.exponential_decay(0.1, rate=0.005), 0.00159),
        (oc.inverse_time_decay(1.0), 0.00100),
        (oc.inverse_time_decay(0.1, power=0.5), 0.00174),
        (oc.join_schedules(oc.constant_rate(0.1), oc.linear_decay(0.1, 200), at=[800]), 0.00999),
    ],
)
def test_exact_noise_left_by_each_schedule(schedule, expected):
    assert sum(mean_square_after(schedule)) == pytest.approx(expected, abs=5.1e-6)


def test_a_fast_exponential_stops_short():
    """Robbins & Monro 1951: Ση finite. With η₀ = λ = 0.1 on x²/2, 34.0 % of the way is left for ever."""
    left = np.prod(1 - oc.exponential_decay(0.1, rate=0.1)(np.arange(2000)))
    assert left == pytest.approx(0.3397, abs=5e-5)


# --------------------------------------------------------------------------------------------------------
# feedback


def test_plateau_cuts_at_the_third_bad_value():
    plateau = oc.ReduceLROnPlateau(1.0, patience=2)
    rates = [plateau.step(v) for v in [1, 0.9] + [0.8] * 6 + [0.79] * 8]
    assert rates == pytest.approx([1] * 5 + [0.1] * 6 + [0.01] * 3 + [0.001] * 2)
    assert plateau.cuts == 3


def test_plateau_cooldown_forgives():
    eager, patient = (oc.ReduceLROnPlateau(1.0, patience=0, cooldown=c) for c in (0, 3))
    flat = [1.0] * 6
    assert [eager.step(v) for v in flat][-1] == pytest.approx(1e-5)
    assert [patient.step(v) for v in flat][-1] == pytest.approx(0.01)


def test_plateau_threshold_is_relative():
    """On losses near 100, four steps of 0.002 are below 1e-4 of the best, so they do not count."""
    relative, absolute = (oc.ReduceLROnPlateau(1.0, patience=3, threshold_mode=mode) for mode in ("rel", "abs"))
    losses = 100 - 0.002 * np.arange(5)
    assert [relative.step(v) for v in losses][-1] == pytest.approx(0.1)
    assert [absolute.step(v) for v in losses][-1] == 1.0


def test_plateau_threshold_on_negative_losses_asks_for_less_than_it_seems():
    plateau = oc.ReduceLROnPlateau(1.0, patience=0)
    assert [plateau.step(v) for v in (-1.0, -0.99995)] == [1.0, 1.0]


def test_plateau_counts_nan_as_bad_and_stops_at_the_floor():
    plateau = oc.ReduceLROnPlateau(1.0, patience=0, min_lr=0.05)
    assert [plateau.step(v) for v in (1.0, np.nan, np.nan, np.nan)] == pytest.approx([1.0, 0.1, 0.05, 0.05])


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60))
def test_plateau_rates_never_rise(metrics):
    plateau = oc.ReduceLROnPlateau(1.0, patience=1, mode="max")
    rates = [1.0] + [plateau.step(v) for v in metrics]
    assert all(b <= a for a, b in zip(rates, rates[1:], strict=False))


def test_every_schedule_pickles_and_says_how_it_was_made():
    made = [
        oc.constant_rate(0.1), oc.step_decay(0.1, 5), oc.multi_step_decay(0.1, [3]),
        oc.exponential_decay(0.1, rate=0.2), oc.inverse_time_decay(0.1), oc.polynomial_decay(0.1, 9),
        oc.linear_decay(0.1, 9), oc.cosine_decay(0.1, 9), oc.cosine_restarts(0.1, 4, 2),
        oc.warmup(oc.cosine_decay(0.1, 5), 3), oc.wsd(0.1, 2, 3, 4), oc.one_cycle(0.1, 20), oc.cyclic(0.1, 0.2, 3),
        oc.join_schedules(oc.constant_rate(0.1), oc.linear_decay(0.1, 4), at=[2]),
        oc.ReduceLROnPlateau(0.1, warmup=3),
    ]  # fmt: skip
    factories = {name for name in schedules.__all__ if callable(getattr(oc, name))}
    assert len(made) == len(factories)
    for schedule in made:
        again = pickle.loads(pickle.dumps(schedule))
        assert [again(t) for t in range(10)] == [schedule(t) for t in range(10)]
    assert repr(oc.warmup(oc.cosine_decay(0.1, 5), 3)) == "warmup(cosine_decay(0.1, 5), 3)"


def test_a_plateau_can_warm_up():
    plateau = oc.ReduceLROnPlateau(0.8, warmup=4, patience=0, factor=0.5)
    assert [plateau(t) for t in range(6)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 0.8, 0.8])
    plateau.step(1.0), plateau.step(1.0)
    assert [plateau(t) for t in range(6)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    X = np.random.default_rng(0).normal(size=(8, 2))
    seen = oc.train(
        oc.MLP([2, 3, 2]), (X, np.zeros(8, int)), oc.gd, oc.ReduceLROnPlateau(0.8, warmup=4), steps=6, batch=None
    )
    np.testing.assert_allclose(seen.lr, [0.2, 0.4, 0.6, 0.8, 0.8, 0.8])


def test_training_asks_a_schedule_once_a_step():
    asked = []
    X = np.random.default_rng(0).normal(size=(8, 2))
    seen = oc.train(
        oc.MLP([2, 3, 2]), (X, np.zeros(8, int)), oc.adam, lambda t: asked.append(t) or 0.1, steps=5, batch=None
    )
    assert asked == [0, 1, 2, 3, 4] and seen.lr.tolist() == [0.1] * 5


@pytest.mark.parametrize("rate", [-0.1, np.array([0.1, -0.1]), np.array([-0.1, 0.1])])
def test_no_rate_of_decay_may_be_negative(rate):
    with pytest.raises(ValueError, match="rate"):
        oc.inverse_time_decay(1.0, rate)
    oc.inverse_time_decay(1.0, np.abs(rate))
