"""Comparisons: own best rates inside the grid, equal budgets, fresh seeds in pairs, and a verdict with its interval."""

import json
from functools import partial

import matplotlib
import numpy as np
import pytest
from scipy import stats

matplotlib.use("Agg")

import matplotlib.pyplot as plt

import optcore as oc
from optcore.claims import RECORD, with_interval
from optcore.verdicts import difference, unsound

RATES = [0.1, 0.3, 1.0, 3.0]


def score(shift, rate, seed):
    """Best at the rate 1 (in a grid of factors of 3), the same noise for every side."""
    return shift + 0.1 * np.log(rate) ** 2 + np.random.default_rng(seed).normal()


def noisy(shift, rate, seed):
    """A side with noise of its own."""
    return score(shift, rate, seed) + 0.02 * np.random.default_rng([seed, round(1e3 * shift)]).normal()


SIDES = {"a": partial(noisy, 0.0), "b": partial(noisy, 0.3)}
ask = partial(oc.compare, "Is b better than a?", budget=100)


# ---- what is measured


def test_each_side_runs_at_its_own_best_rate_on_the_fresh_seeds():
    own = {"a": partial(noisy, 0.0), "b": lambda rate, seed: noisy(0.3, rate / 10, seed)}
    found = ask(own, {"a": RATES, "b": [1, 3, 10, 30]}, tuning=[5, 6], seeds=[7, 8, 9])
    assert found.best == {"a": {"rate": 1.0}, "b": {"rate": 10.0}}
    for name in own:
        rate = found.best[name]["rate"]
        np.testing.assert_array_equal(found.fresh[name], [own[name](rate, seed) for seed in (7, 8, 9)])
        np.testing.assert_array_equal(
            found.tuned_runs[name][0], [own[name](found.grids[name]["rate"][0], s) for s in (5, 6)]
        )
    pairs = found.fresh["b"] - found.fresh["a"]
    np.testing.assert_array_equal(found["b"].pairs, pairs)
    np.testing.assert_allclose((found["b"].mean, found["b"].low, found["b"].high), oc.t_interval(pairs))
    assert found["b"].verdict == "worse" and np.abs(pairs).max() < 0.5 < found.fresh["a"].std()


def test_batched_runs_are_the_single_runs():
    bowl = oc.bowl.at(kappa=20.0)

    def loss(rule, rate, seed):
        return oc.descend(rule, bowl, [1.0, 1.0], 50, rate, noise=0.1, seed=seed).loss[-1]

    sides = {"gd": partial(loss, oc.gd), "adam": partial(loss, oc.adam)}
    rates = {"gd": np.geomspace(0.003, 0.1, 6), "adam": np.geomspace(0.003, 1, 6)}
    one, all_at_once = (ask(sides, rates, batched=b, ratio=True, seeds=4) for b in (False, True))
    assert one.best == all_at_once.best
    for name in sides:
        np.testing.assert_array_equal(one.fresh[name], all_at_once.fresh[name])
        np.testing.assert_array_equal(one.tuned_runs[name], all_at_once.tuned_runs[name])


def test_a_ratio_is_the_geometric_mean_of_factors_of_pairs():
    sides = {
        "a": lambda rate, seed: np.exp(noisy(0.0, rate, seed)),
        "b": lambda rate, seed: np.exp(noisy(0.3, rate, seed)),
    }
    found = ask(sides, RATES, ratio=True)
    factors = found.fresh["b"] / found.fresh["a"]
    np.testing.assert_allclose(found["b"].mean, stats.gmean(factors))
    np.testing.assert_allclose(found["b"].low, np.exp(oc.t_interval(np.log(factors))[1]))
    assert 1.2 < found["b"].low < np.exp(0.3) < found["b"].high < 1.5
    with pytest.raises(ValueError, match="ratio needs positive scores"):
        ask(SIDES, RATES, ratio=True)


def test_more_settings_than_the_rate_are_tuned_together():
    def side(rate, decay, seed):
        return noisy(0, rate, seed) + (decay - 2) ** 2

    with pytest.raises(ValueError, match="best decay of b is 2, the largest of its grid.*with 3 and 4.5"):
        grid = {"rate": RATES, "decay": [0.0, 4 / 3, 2.0]}
        ask({"a": SIDES["a"], "b": side}, {"a": RATES, "b": grid})
    grid["decay"] = [0.0, 2.0, 4.0]
    found = ask({"a": SIDES["a"], "b": side}, {"a": RATES, "b": grid}, margin=0.05)
    assert found.best["b"] == {"rate": 1.0, "decay": 2.0}
    assert "4 rates from 0.1 to 3 times 3 values of decay from 0 to 4" in repr(found)
    assert "3 seeds to choose the settings, 10 fresh ones" in repr(found)
    assert found.tuned["b"].shape == (4, 3) and found["b"].verdict == "a tie"


def test_rates_may_be_chosen_on_validation_data():
    def run(rate, seed):
        return {"score": score(0.0, rate, seed), "validation": score(0.0, rate / 0.3, seed)}

    found = ask({"a": run, "b": lambda rate, seed: noisy(0.3, rate, seed)}, RATES)
    assert found.best == {"a": {"rate": 0.3}, "b": {"rate": 1.0}}
    np.testing.assert_array_equal(found.fresh["a"], [score(0.0, 0.3, seed) for seed in found.seeds])


def test_of_equal_rates_the_middle_one_is_taken_and_zero_is_no_edge():
    flat = lambda rate, seed: float(rate < 20) + 0.001 * np.random.default_rng(seed).normal()
    found = ask({"a": flat, "b": flat}, [0.1, 1, 10, 30], better="higher")
    assert found.best["a"] == {"rate": 1.0}
    found = ask({"a": flat, "b": lambda rate, seed: flat(0, seed) - rate}, [0, 1, 2, 30], better="higher")
    assert found.best["b"] == {"rate": 0.0}


def test_more_than_two_sides_share_the_error_by_bonferroni():
    sides = {f"side {k}": partial(noisy, 0.2 * (k - 1) ** 2) for k in range(4)}
    found = ask(sides, RATES, reference="best")
    assert found.reference == "side 1" and list(found.differences) == ["side 0", "side 2", "side 3"]
    for name, d in found.differences.items():
        pairs = found.fresh[name] - found.fresh["side 1"]
        np.testing.assert_allclose((d.mean, d.low, d.high), oc.t_interval(pairs, 1 - 0.05 / 3))
    assert "3 comparisons, each interval at 98.33 % (Bonferroni)" in repr(found)
    assert ask(sides, RATES).reference == "side 0"


# ---- the error of the test set


def examples(skill, rate, seed):
    """Right or wrong on 400 images, the same ones for every side and seed."""
    hard = np.random.default_rng(0).random(400)
    own = np.random.default_rng([seed, 1]).normal(0, 0.01)
    return hard < skill + own - 0.02 * np.log(rate) ** 2


def test_the_choice_of_the_test_examples_widens_the_interval():
    sides = {"a": partial(examples, 0.90), "b": partial(examples, 0.905)}
    found = ask(sides, RATES, better="higher", score="accuracy", seeds=8)
    d, rate = found["b"], 1.0
    differences = np.array([examples(0.905, rate, s) * 1.0 - examples(0.90, rate, s) for s in found.seeds])
    np.testing.assert_allclose(d.pairs, differences.mean(axis=1))
    error = stats.sem(differences.mean(axis=0)) * stats.t.ppf(0.975, 399)
    np.testing.assert_allclose((d.test[1] - d.mean) ** 2, (d.high - d.mean) ** 2 + error**2)
    assert found.test_size == 400 and "400 test examples" in repr(found)

    means = {name: lambda rate, seed, side=side: side(rate, seed).mean() for name, side in sides.items()}
    bound = ask(means, RATES, better="higher", score="accuracy", seeds=8, test_size=400)
    p, q = bound.fresh["b"].mean(), bound.fresh["a"].mean()
    error = stats.t.ppf(0.975, 399) * np.sqrt((p * (1 - p) + q * (1 - q)) / 400)
    np.testing.assert_allclose((bound["b"].test[1] - d.mean) ** 2, (d.high - d.mean) ** 2 + error**2)
    assert bound["b"].verdict == "better on these test examples" and bound["b"].test[0] < 0 < d.low
    with pytest.raises(ValueError, match="test_size is for accuracies"):
        ask({"a": lambda rate, seed: 2 + score(0, rate, seed) / 9, "b": lambda rate, seed: 3.0}, RATES, test_size=9)
    with pytest.raises(ValueError, match="test_size is for accuracies"):  # where one of ten is below 0
        below = lambda rate, seed: 0.1 * np.log(rate) ** 2 + (-0.1 if seed == 1009 else 0.5)
        ask({"a": below, "b": below}, RATES, test_size=9)


def test_a_batched_side_may_return_each_example():
    def side(skill, rate, seed):
        rate, seed = np.ravel(rate), np.ravel(seed)
        return np.array([[examples(skill, r, s) for s in seed] for r in rate])

    one = ask({"a": partial(examples, 0.9), "b": partial(examples, 0.95)}, RATES, better="higher", seeds=4)
    many = ask({"a": partial(side, 0.9), "b": partial(side, 0.95)}, RATES, better="higher", seeds=4, batched=True)
    assert one.record() == many.record() and one["b"].verdict == "better"


# ---- without chance


def test_without_seeds_there_is_a_difference_and_no_interval():
    sides = {"a": lambda rate: (rate - 1) ** 2, "b": lambda rate: (rate - 1) ** 2 + 0.25}
    for batched in (False, True):
        wrapped = {n: (lambda rate, f=f: f(rate)[:, 0]) if batched else f for n, f in sides.items()}
        found = ask(wrapped, RATES, seeds=None, batched=batched)
        d = found["b"]
        assert (d.mean, d.low, d.high, d.verdict) == (0.25, None, None, "worse")
        assert "nothing random: one run a rate, no interval" in repr(found)
    assert ask({"a": sides["a"], "b": sides["a"]}, RATES, seeds=None)["b"].verdict == "a tie"
    assert ask(sides, RATES, seeds=None, margin=0.3)["b"].verdict == "a tie"


# ---- canaries: what is not fair is refused


def test_canary_a_best_rate_at_the_edge_is_refused_with_the_next_values():
    with pytest.raises(
        ValueError, match="best rate of a is 1, the largest of its grid.*Extend the grid of a, with 3.333 and 11.11"
    ):
        ask(SIDES, [0.1, 0.3, 1.0])
    with pytest.raises(ValueError, match="best rate of a is 1, the smallest of its grid.*with 0.3333 and 0.1111"):
        ask(SIDES, [1.0, 3.0, 9.0])


def test_canary_seeds_used_twice_are_refused():
    with pytest.raises(ValueError, match="Seeds 2, 3 choose the rates and give the verdict"):
        ask(SIDES, RATES, tuning=4, seeds=range(2, 9))
    with pytest.raises(ValueError, match="Two of the verdict seeds are equal"):
        ask(SIDES, RATES, seeds=[7, 7, 8])
    with pytest.raises(ValueError, match="two or more fresh ones"):
        ask(SIDES, RATES, seeds=1)


def test_canary_unequal_budgets_are_refused_until_somebody_says_why():
    budget = {"a": 100, "b": 250}
    with pytest.raises(ValueError, match="b spends 2.5 times the gradients of a, 250 against 100"):
        ask(SIDES, RATES, budget=budget, unit="gradients")
    found = ask(SIDES, RATES, budget=budget, unit="gradients", unequal="b looks ahead")
    assert "gradients a run: a 100, b 250 (b looks ahead)" in repr(found)
    with pytest.raises(ValueError, match="budgets are equal"):
        ask(SIDES, RATES, unequal="no reason")
    with pytest.raises(ValueError, match="budget of every side"):
        ask(SIDES, RATES, budget={"a": 1})


def test_canary_counted_budgets_are_compared():
    def counting(shift, gradients, rate, seed):
        return {"score": noisy(shift, rate, seed), "gradients": gradients}

    equal = {"a": partial(counting, 0.0, 50), "b": partial(counting, 0.3, 50)}
    assert ask(equal, RATES, budget="counted", unit="gradients").budget == {"a": 50, "b": 50}
    whole = {
        n: lambda rate, seed, n=n: {"score": 0 * seed[:, 0] + np.log(rate[..., 0]) ** 2, "gradients": 50} for n in "ab"
    }
    assert ask(whole, RATES, budget="counted", unit="gradients", batched=True).budget == {"a": 50, "b": 50}
    with pytest.raises(ValueError, match="b spends 2 times the gradients of a"):
        ask(equal | {"b": partial(counting, 0.3, 100)}, RATES, budget="counted", unit="gradients")
    with pytest.raises(ValueError, match="To be counted, gradients must be in what a, b returns"):
        ask(SIDES, RATES, budget="counted", unit="gradients")


def test_canary_seeds_that_change_nothing_are_refused():
    with pytest.raises(ValueError, match="say seeds=None"):
        ask({"a": lambda rate, seed: (rate - 1) ** 2, "b": lambda rate, seed: (rate - 1) ** 2 + 1}, RATES)


def test_runs_that_do_not_end_in_a_number_lose_their_rate_or_stop_the_verdict():
    def wild(rate, seed):
        return np.inf if rate > 0.5 and seed == 1 else noisy(0, rate, seed)

    assert ask({"a": SIDES["a"], "b": wild}, RATES).best["b"] == {"rate": 0.3}
    with pytest.raises(ValueError, match="b at .*1.0.* does not end in a number on the fresh seeds 1:"):
        ask({"a": SIDES["a"], "b": wild}, RATES, tuning=[7], seeds=[0, 1])
    with pytest.raises(ValueError, match="No setting of b ended in a number"):
        ask({"a": SIDES["a"], "b": lambda rate, seed: np.nan}, RATES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sides": {"a": SIDES["a"]}}, "two sides or more"),
        ({"better": "larger"}, "'lower' or 'higher'"),
        ({"reference": "c"}, "none of a, b"),
        ({"rates": {"a": RATES}}, "rates for every side"),
        ({"rates": [1.0, 2.0]}, "three different values"),
        ({"rates": [1.0, 2.0, 2.0]}, "three different values"),
        ({"batched": True, "rates": {"rate": RATES, "beta": RATES}}, "tuned over the rate alone"),
        (
            {"batched": True, "rates": {"a": {"rate": RATES}, "b": {"rate": RATES, "beta": RATES}}},
            "tuned over the rate alone",
        ),
        ({"batched": True, "sides": {"a": lambda rate, seed: 0.0, "b": lambda rate, seed: 0.0}}, "the shape \\(\\)"),
    ],
)
def test_a_bad_question_gets_a_sentence(change, message):
    with pytest.raises(ValueError, match=message):
        ask(**({"sides": SIDES, "rates": RATES} | change))


# ---- claims, tables, pictures, records


def test_a_verdict_is_claimed_with_its_number():
    found = ask(SIDES, RATES)
    claims = oc.Claims()
    claims.verdict(found, "worse", (0.2, 0.4))
    table = claims.table()
    assert "b minus a, loss: worse   0.2 to 0.4  within    10 pairs" in repr(table)
    d = found["b"]
    stored, metadata = table._repr_mimebundle_()
    assert with_interval(d.mean, d.low, d.high) in stored["text/html"]
    assert metadata[RECORD]["claims"][0] | {"value": 0} == {
        "claim": "b minus a, loss: worse", "value": 0, "band": True, "low": 0.2, "high": 0.4,
        "comparison": "Is b better than a?",
    }  # fmt: skip
    with pytest.raises(AssertionError, match="the page states 'a tie', the runs say 'worse'"):
        claims.verdict(found, "a tie", (0.2, 0.4))
    with pytest.raises(AssertionError, match="the page states 0.4 to 0.5"):
        claims.verdict(found, "worse", (0.4, 0.5))
    three = ask(SIDES | {"c": SIDES["b"]}, RATES)
    with pytest.raises(ValueError, match="which side the verdict is about: b, c"):
        claims.verdict(three, "worse", (0.2, 0.4))
    claims.verdict(three, "worse", (0.2, 0.4), side="c")


def test_a_verdict_at_the_brink_is_refused():
    pairs = np.array([0.0, 1.0, 2.0, 4.0])
    _, low, high = oc.t_interval(pairs)
    for part, verdict, sure in (
        (-0.3, "a tie", True),
        (-0.05, "a tie", False),
        (0.05, "worse", False),
        (0.3, "worse", True),
    ):
        moved = dict(enumerate(pairs - low + part * (high - low)))  # the interval begins at this part of its width
        sides = {"a": lambda rate, seed: abs(rate - 1), "b": lambda rate, seed, m=moved: abs(rate - 1) + m.get(seed, 0)}
        found = ask(sides, RATES, tuning=[9], seeds=range(4))
        assert (found["b"].verdict, found["b"].sure) == (verdict, sure)
        if not sure:
            with pytest.raises(AssertionError, match="within a tenth of its interval's width"):
                oc.Claims().verdict(found, verdict, (-99, 99))


def test_the_text_has_no_number_that_was_measured_and_the_html_has():
    found = ask(SIDES, RATES)
    assert repr(found).splitlines() == [
        "Is b better than a? (loss, lower is better)",
        "  a  4 rates from 0.1 to 3, the best inside",
        "  b  4 rates from 0.1 to 3, the best inside",
        "  100 steps each; 3 seeds to choose the rates, 10 fresh ones for the verdict",
        "  b against a: worse",
    ]
    d = found["b"]
    bundle, metadata = found._repr_mimebundle_()
    assert with_interval(d.mean, d.low, d.high) in bundle["text/html"]
    assert json.loads(json.dumps(metadata[RECORD])) == metadata[RECORD] == {"comparison": found.record()}


@pytest.mark.parametrize("how", [{}, {"ratio": True}, {"seeds": None}])
def test_the_picture_shows_the_rates_and_the_pairs(how):
    sides = {
        "a": lambda rate, seed=0: np.exp(noisy(0, rate, seed)),
        "b": lambda rate, seed=0: np.exp(noisy(1, rate, seed)),
    }
    found = ask(sides, RATES, **how)
    left = oc.plotting.draw_comparison(found)
    curves = [line for line in left.lines if len(line.get_xdata()) == 4 and line.get_linestyle() == "-"]
    for name, line in zip(sides, curves, strict=True):
        np.testing.assert_allclose(line.get_ydata(), found.tuned[name])
    assert left.get_xlabel() == "learning rate" and left.get_ylabel() == "loss" and left.get_xscale() == "log"
    if found.seeds:
        dots = plt.gcf().axes[1].lines[0]
        np.testing.assert_array_equal(dots.get_xdata(), found["b"].pairs)
    assert len(plt.gcf().axes) == (2 if found.seeds else 1)
    plt.close("all")


def test_canary_an_unsound_record_is_named():
    good = ask(SIDES, RATES).record()
    assert unsound(good) == []

    def broken(change):
        record = json.loads(json.dumps(good))
        change(record)
        return unsound(record)

    assert "not inside its grid" in broken(lambda r: r["sides"]["a"]["best"].update(rate=0.1))[0]
    assert "not inside its grid" in broken(lambda r: r["sides"]["a"]["best"].update(rate=0.2))[0]
    weakest = lambda grid, best: lambda r: r["sides"]["a"].update(grid={"decay": grid}, best={"decay": best})
    assert broken(weakest([0, 0.01, 0.1], 0)) == []  # there is no less than none
    assert "best decay of a, 1, is not inside its grid" in broken(weakest([0.01, 0.1, 1], 1))[0]
    assert (
        "seeds that chose its rate"
        in broken(lambda r: [s["tuning_seeds"].append(1003) for s in r["sides"].values()])[0]
    )
    assert "not paired" in broken(lambda r: r["sides"]["b"]["seeds"].__setitem__(0, 2000))[0]
    assert "budgets differ" in broken(lambda r: r["sides"]["b"].update(budget=200))[0]
    assert "has 9 scores for 10 seeds" in broken(lambda r: r["sides"]["b"]["scores"].pop())[0]
    assert "not every side" in broken(lambda r: r["differences"].pop())[0]


# ---- the word


ASKED = dict(better="lower", ratio=False, margin=0.0, level=0.95, seeds=[1, 2, 3, 4], test_size=None)


def found_for(mean, half, **asked):
    """The difference of four pairs whose t-interval is mean ± half."""
    spread = np.array([-1.0, -1.0, 1.0, 1.0])
    pairs = mean + spread * half / (oc.t_interval(spread)[2])
    return difference("b", "a", pairs, np.zeros(4), ASKED | asked)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("short, sure", [(-0.4, True), (-0.21, True), (-0.19, False), (0.19, False), (0.21, True)])
def test_a_verdict_is_sure_when_a_tenth_of_the_width_changes_no_word(sign, short, sure):
    """`short` is how far the interval, ±1, ends from 0: a tenth of its width is 0.2."""
    d = found_for(sign * (1 + short), 1.0)
    assert (d.high - d.low) / 10 == pytest.approx(0.2)
    assert d.sure == sure
    assert d.verdict == ("a tie" if short < 0 else "worse" if sign > 0 else "better")
    assert found_for(sign * (1 + short), 1.0, better="higher").verdict == (
        "a tie" if short < 0 else "better" if sign > 0 else "worse"
    )


@pytest.mark.parametrize("mean, word, sure", [(0.7, "a tie", True), (0.95, "a tie", False), (1.3, "worse", True)])
def test_a_difference_within_the_margin_is_a_tie(mean, word, sure):
    d = found_for(mean, 0.5, margin=1.0)
    assert (d.verdict, d.sure) == (word, sure)
    without_chance = difference("b", "a", np.array([mean]), np.zeros(1), ASKED | dict(margin=1.0, seeds=[]))
    assert (without_chance.verdict, without_chance.sure) == (word, sure) and without_chance.low is None


@pytest.mark.parametrize("gap, word", [(1e-10, "a tie"), (1e-8, "worse")])
def test_without_chance_rounding_is_a_tie(gap, word):
    for scale in (1.0, 1e3):
        a, b = np.array([scale * (1 + gap)]), np.array([scale])
        assert difference("b", "a", a, b, ASKED | dict(seeds=[])).verdict == word
        assert difference("b", "a", a, b, ASKED | dict(seeds=[], ratio=True)).verdict == word


def test_the_interval_over_test_examples_is_that_of_independent_errors():
    """Half its width is √(half² + (t s/√n)²); with accuracies alone, s² is the sum of the variances p(1 - p)."""
    rng = np.random.default_rng(0)
    a, b = rng.random((4, 50)) < 0.8, rng.random((4, 50)) < 0.7
    d = difference("b", "a", a.astype(float), b.astype(float), ASKED | dict(better="higher"))
    pairs, by_example = (a.astype(float) - b).mean(axis=1), (a.astype(float) - b).mean(axis=0)
    mean, low, high = oc.t_interval(pairs)
    half = np.hypot((high - low) / 2, oc.t_quantile(0.95, 49) * stats.sem(by_example))
    np.testing.assert_allclose(d.test, (mean - half, mean + half))
    p, q = a.mean(axis=1), b.mean(axis=1)
    d = difference("b", "a", p, q, ASKED | dict(test_size=50))
    variance = p.mean() * (1 - p.mean()) + q.mean() * (1 - q.mean())
    half = np.hypot((high - low) / 2, oc.t_quantile(0.95, 49) * np.sqrt(variance / 50))
    np.testing.assert_allclose(d.test, (mean - half, mean + half))
