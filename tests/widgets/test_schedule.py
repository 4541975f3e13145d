"""The schedule designer: rates and errors equal optcore's; every control counts."""

import numpy as np
import pytest

import optcore as oc
from optcore.widgets.schedule import FAMILIES, expected_error, noisy_quadratic, product, schedule

from .controls import assign, exact, live, numbers, seen, words


def test_families_are_the_schedules_of_the_package():
    t = np.arange(100)
    w = schedule(["cosine"], steps=100, lr=0.3, gamma=0.5, every=30, rate=0.02, floor=0.1, period=40)
    for name, expected in {
        "constant": oc.constant_rate(0.3),
        "step": oc.step_decay(0.3, every=30, gamma=0.5),
        "exponential": oc.exponential_decay(0.3, rate=0.02),
        "inverse": oc.inverse_time_decay(0.3, 0.1),
        "root": oc.inverse_time_decay(0.3, 0.1, 0.5),
        "linear": oc.linear_decay(0.3, 100, 0.03),
        "cosine": oc.cosine_decay(0.3, 100, 0.03),
        "restarts": oc.cosine_restarts(0.3, 40),
        "cyclic": oc.cyclic(0.03, 0.3, 20),
        "one_cycle": oc.one_cycle(0.3, 100),
    }.items():
        np.testing.assert_allclose(w.rates(name), expected(t), rtol=1e-12, err_msg=name)
    assert set(FAMILIES) == {f[0] for f in w.spec["families"]} - {"drawn"}


def test_constant_with_warmup_and_cooldown_is_wsd():
    w = schedule(["constant"], steps=100, warmup=10, cooldown=20)
    np.testing.assert_allclose(w.rates("constant"), oc.wsd(0.1, 10, 70, 20)(np.arange(100)), rtol=1e-12)


@pytest.mark.parametrize(
    ("settings", "reading"),
    [
        ({"noise": 0.0}, "it stopped short of the minimum"),
        ({"steps": 1000, "lr": 0.1}, "what is left is noise"),
        ({"steps": 30, "lr": 0.05, "start": 1.0}, "bias and noise balance"),
    ],
)
def test_the_larger_of_bias_and_variance_is_named(open_page, settings, reading):
    w = schedule(["constant"], **{"steps": 20, **settings})
    bias, variance, _ = expected_error(w.rates("constant"), noise=w.noise)
    said = {bias[-1] > 5 * variance[-1]: "it stopped short of the minimum"}
    said |= {variance[-1] > 5 * bias[-1]: "what is left is noise"}
    assert said.get(True, "bias and noise balance") == reading and f"so {reading}." in words(open_page(w))


def test_expected_error_is_the_mean_over_many_runs():
    rates = schedule(["cosine"], steps=60, lr=0.3).rates("cosine")
    x = np.full(40_000, 2.0)
    rng = np.random.default_rng(1)
    for eta in rates:
        x -= eta * (x + 0.5 * rng.standard_normal(x.size))
    assert expected_error(rates, noise=0.5, start=2.0)[2][-1] == pytest.approx(np.mean(x**2), rel=0.03)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"shown": []}, "at least one"),
        ({"shown": ["cosin"]}, "cosin"),
        ({"lr": -1}, "positive"),
        ({"steps": 3}, "whole number"),
        ({"warmup": 900, "cooldown": 200}, "fit"),
        ({"model": "x"}, "model"),
        ({"gama": 0.1}, "gama"),
        ({"gamma": 1.0}, "0.95"),
        ({"every": 10}, "whole number from 20 to 1000"),
        ({"rate": 0.2}, "0.1"),
        ({"slowing": 2}, "from 0.001 to 1"),
        ({"floor": 0.6}, "0.5"),
        ({"period": 1}, "whole number from 20 to 500"),
        ({"rise": 1.0}, "from 0.05 to 0.9"),
    ],
)
def test_bad_arguments_are_named(arguments, part):
    with pytest.raises(ValueError, match=part):
        schedule(**arguments)


def test_page_computes_what_optcore_computes(open_page):
    """E x² of every family in the status line, at steps where its rounding cannot hide a wrong step."""
    w = schedule(["cosine"], warmup=37, cooldown=91, steps=500, noise=0.7, start=3.0)
    page = open_page(body=exact(w))
    for name in [*FAMILIES, "drawn"]:
        bias, variance, total = (e[-1] for e in expected_error(w.rates(name), noise=0.7, start=3.0))
        shown = numbers(assign(page, shown=[name]))
        np.testing.assert_allclose(shown[-3:], [total, bias, variance], rtol=1e-9, err_msg=name)


def test_sharpness_of_the_product_equals_descend(open_page):
    w = schedule(["constant"], model="product", lr=0.8, warmup=100)
    noise = np.array(w.spec["noise"]).reshape(-1, 2)
    rates = w.rates("constant")
    point = np.array([2.5, 0.3])
    first = np.linalg.eigvalsh(product.hess(point))[-1]
    for eta, xi in zip(rates, noise, strict=True):
        point = point - eta * (product.grad(point) + xi)
    last = np.linalg.eigvalsh(product.hess(point))[-1]
    assert last < 2 / 0.8
    np.testing.assert_allclose(w.sharpness("constant")[[0, -1]], [first, last], rtol=1e-12)
    page = open_page(body=exact(w))
    shown = numbers(words(page))
    np.testing.assert_allclose([shown[0], *shown[3:5]], [last, first, 2 / first], rtol=1e-9)
    assert "diverged" in assign(page, warmup=0)
    w.value = {**w.value, "warmup": 0}
    assert np.isnan(w.sharpness("constant")[-1])


def test_the_schedule_in_detail_comes_first(open_page):
    page = open_page(body=live(schedule(["constant", "linear"], model="product", lr=0.1)))
    for name in ("constant", "linear"):
        assert assign(page, focus=name).startswith(f"{name}: ends at sharpness")


def test_corners_move_by_keyboard(open_page):
    page = open_page(body=live(schedule(["drawn"])))
    before = seen(page)
    handle = page.get_by_role("slider", name="Corner 4")
    handle.focus()
    page.keyboard.press("ArrowUp")
    after = seen(page)
    assert before[0] != after[0] and before[1] != after[1]
    assign(page, shown=["constant"])
    assert page.get_by_role("slider", name="Corner 2").count() == 0


def test_own_schedules_are_drawn(open_page):
    w = schedule({"mine": lambda t: 0.1 / (1 + t) ** 0.7})
    assert w.rates("mine")[3] == pytest.approx(0.1 / 4**0.7)
    assert "mine has E x²" in words(open_page(body=live(w)))


def test_ten_steps_are_enough():
    schedule(steps=10)
    with pytest.raises(ValueError, match="steps"):
        schedule(steps=9)


def test_the_menu_says_what_is_drawn_in_detail(open_page):
    page = open_page(body=live(schedule(["constant", "cosine"])))
    assert "constant has" in assign(page, shown=["constant"])
    assert page.get_by_label("In detail").input_value() == "constant"


@pytest.mark.parametrize("eta, curvature, noise", [(0.1, 1.0, 1.0), (0.3, 4.0, 0.5), (0.05, 0.2, 3.0)])
def test_mean_and_variance_of_a_noisy_step_are_those_of_a_sample(eta, curvature, noise):
    rng = np.random.default_rng(0)
    x = rng.normal(2.0, 1.5, 400_000)
    after = x - eta * (curvature * x + noise * rng.normal(size=x.size))
    found = noisy_quadratic(eta, 2.0, 1.5**2, curvature=curvature, noise=noise)
    assert found["m"] == pytest.approx(after.mean(), abs=0.02) and found["v"] == pytest.approx(after.var(), rel=0.02)
