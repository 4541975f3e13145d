"""The descent explorer: its page computes what `descend` computes, every control counts, and bad input is named."""

import re

import numpy as np
import pytest

import optcore as oc
from optcore.descent import DIVERGED, descend
from optcore.rule_spec import rule_program
from optcore.second_order import SECOND_ORDER
from optcore.widgets.base import page_source, to_json
from optcore.widgets.explore import SLIDERS, explore

from .controls import assign, drawn, heights, live, numbers, seen, settle, words

RULES = ["gd", "momentum", "nesterov", "adam", "adamw"]


def my_rule(g, m=0.0, *, w, beta=0.5, pull=0.1):
    m = beta * m + g
    return np.sign(m) * np.sqrt(np.abs(m)) + pull * w, m


# ---------------------------------------------------------------------------------------------------------- parity

RUN = """([surface, rule, options]) => {
  options = oc.revive(options);
  if (options.noise) options.noise = Float64Array.from(options.noise);
  const { points, loss, end, diverged } = oc.descend(oc.surface(surface), rule, options);
  const texts = (array, n) => Array.from(array.slice(0, n)).map(String);
  return { points: texts(points, 2 * end + 2), loss: texts(loss, end + 1), diverged };
}"""


def run_in_page(page, rule, surface, **options):
    n = {"params": {}, "hyper": {}} | options
    got = page.evaluate(RUN, [surface.program(), rule_program(rule), n])
    read = lambda texts: np.array([float(t.replace("Infinity", "inf")) for t in texts])
    return read(got["points"]).reshape(-1, 2), read(got["loss"]), got["diverged"]


@pytest.fixture
def common(open_page):
    """A page with nothing but the shared helpers."""
    return open_page(body=f"<script>{page_source('common.js')}</script>")


@pytest.mark.parametrize("name", oc.SURFACES)
def test_page_and_descend_make_the_same_paths(common, name):
    surface = oc.SURFACES[name]
    for rule in [oc.gd, oc.momentum, oc.nesterov, oc.adam, oc.adamw, oc.chain(oc.clip_norm, oc.gd), my_rule]:
        path = descend(rule, surface, surface.start, 150, lr=1e-3)
        points, loss, diverged = run_in_page(common, rule, surface, start=surface.start.tolist(), steps=150, lr=1e-3)
        assert len(points) == 151 and not diverged
        np.testing.assert_allclose(points, path.points, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(loss, path.loss, rtol=1e-9, atol=1e-9)


def test_hyper_parameters_noise_and_surface_parameters_agree_too(common):
    surface = oc.bowl.at(kappa=7.0, angle=30.0)
    draws = 0.3 * np.random.default_rng(5).standard_normal((80, 2))
    path = descend(oc.adam, surface, [2.0, -1.0], 80, lr=0.05, noise=0.3, seed=5, beta1=0.5, eps=1e-3)
    points, *_ = run_in_page(
        common, oc.adam, oc.bowl, start=[2.0, -1.0], steps=80, lr=0.05, hyper={"beta1": 0.5, "eps": 1e-3},
        params={"kappa": 7.0, "angle": 30.0}, noise=draws.ravel().tolist(),
    )  # fmt: skip
    np.testing.assert_allclose(points, path.points, rtol=1e-9, atol=1e-9)


def test_divergence_is_seen_at_the_same_step(common):
    path = descend(oc.gd, oc.bowl, [1.0, 1.0], 100, lr=0.2)
    points, _, diverged = run_in_page(common, oc.gd, oc.bowl, start=[1.0, 1.0], steps=100, lr=0.2)
    assert diverged and len(points) - 1 == path.diverged_at and np.abs(points).max() > DIVERGED
    nan, *_ = run_in_page(common, oc.gd, oc.bowl, start=["NaN", 1.0], steps=100, lr=0.2)
    assert len(nan) == 1


def table(page):
    page.locator("summary", has_text="Path statistics").click()
    settle(page)
    rows = page.locator(".oc-table tbody tr").all()
    return {row.locator("th").inner_text(): row.locator("td").all_inner_texts() for row in rows}


def test_the_widget_shows_the_numbers_of_its_python_path(open_page):
    widget = explore("bowl", RULES, steps=150, lr=0.04, noise=0.01, seed=3)
    page = open_page(body=live(widget))
    page.wait_for_function("document.querySelector('output').textContent")
    rows = table(page)
    assert list(rows) == RULES
    for label, path in widget.path.items():
        final, lowest, steps, length, slope = (cell.replace("−", "-") for cell in rows[label])
        assert float(final) == pytest.approx(path.loss[-1], rel=6e-3)
        assert float(lowest) == pytest.approx(path.loss.min(), rel=6e-3)
        assert (-1 if steps == "–" else int(steps)) == path.steps_to(1e-6)
        assert float(length) == pytest.approx(np.linalg.norm(np.diff(path.points, axis=0), axis=1).sum(), rel=6e-3)
        assert float(slope) == pytest.approx(np.linalg.norm(oc.bowl.grad(path.final)), rel=6e-3)


def test_what_a_run_lost_before_it_diverged_is_said(open_page):
    widget = explore("bowl", ["gd"], steps=100, lr=0.2)
    page = open_page(body=live(widget))
    page.wait_for_function("document.querySelector('output').textContent")
    path = widget.path["gd"] if isinstance(widget.path, dict) else widget.path
    assert path.diverged_at < 100
    _, lowest, *_ = (cell.replace("−", "-") for cell in table(page)["gd"])
    assert float(lowest) == pytest.approx(np.nanmin(path.loss), rel=6e-3)


def test_schedules_multiply_the_learning_rate(open_page):
    schedules = {"constant": oc.constant_rate(1.0), "cosine": oc.cosine_decay(1.0, steps=100)}
    widget = explore("rosenbrock", "adam", steps=100, lr=0.1, schedules=schedules)
    page = open_page(body=live(widget))
    for name in schedules:
        widget.schedule = name
        expected = descend(oc.adam, oc.rosenbrock, widget.start, 100, lr=lambda t, s=schedules[name]: 0.1 * s(t))
        np.testing.assert_allclose(widget.path["adam"].points, expected.points, rtol=1e-12)
        text = assign(page, schedule=name)
        assert f"η {name}" in text and numbers(text)[-3] == pytest.approx(expected.loss[-1], rel=6e-4)
        np.testing.assert_allclose(numbers(text)[-2:], expected.final, rtol=6e-3)
    assert len(schedules) == 2


def test_second_order_steps_race_with_the_rules_and_follow_the_surface(open_page):
    rates = {"gd": 0.3, "newton": 1.0, "bfgs": 0.5, "lbfgs": 0.5}
    widget = explore("bowl", list(rates), steps=40, lr=rates)
    assert widget.path["newton"].steps_to(1e-12) == 1
    page = open_page(body=live(widget))
    text = assign(page, **{"surface.kappa": 3.0, "surface.angle": 30.0})
    assert "newton: first below 1e−6 at step 1, now loss" in text
    widget.value = {**widget.value, "surface.kappa": 3.0, "surface.angle": 30.0}
    for label, path in widget.path.items():
        assert f"{label}: first below 1e−6 at step {path.steps_to(1e-6)}, now loss" in text


@pytest.mark.parametrize("name", ["newton", "bfgs", "lbfgs"])
def test_second_order_steps_are_the_same_in_the_page(common, name):
    rule = SECOND_ORDER[name](oc.rosenbrock)
    path = descend(rule, oc.rosenbrock, [-1.2, 1.0], 25, lr=0.01)
    points, *_ = run_in_page(common, rule, oc.rosenbrock, start=[-1.2, 1.0], steps=25, lr=0.01)
    assert len(points) == 26
    np.testing.assert_allclose(points, path.points, rtol=1e-9, atol=1e-9)


def test_bfgs_as_a_rule_is_bfgs():
    w, W, last, steps = np.array([-1.2, 1.0]), None, None, []
    for _ in range(8):
        g = oc.rosenbrock.grad(w)
        if last is None:
            W = np.eye(2) / np.linalg.norm(g)
        else:
            s, y = w - last[0], g - last[1]
            scaled = s @ y / (y @ y) * np.eye(2) if len(steps) == 1 else W
            W = oc.bfgs_inverse_update(scaled, s, y)
        last = w, g
        steps.append(w := w - 0.5 * W @ g)
    path = descend(SECOND_ORDER["bfgs"](oc.rosenbrock), oc.rosenbrock, [-1.2, 1.0], 60, lr=0.5)
    np.testing.assert_allclose(path.points[1:9], steps, rtol=1e-10)
    assert path.loss[-1] < 1e-10


# -------------------------------------------------------------------------------------------------------- controls


@pytest.fixture
def wide():
    """Everything that the explorer can show at once."""
    return explore(
        "bowl", ["gd", "momentum", "adam"], steps=60, lr=0.02, phase=("momentum", "beta"),
        schedules={"constant": oc.constant_rate(1.0), "step": oc.step_decay(1.0, every=20)},
    )  # fmt: skip


def test_start_is_dragged_picked_and_moved_by_keys(open_page):
    page = open_page(body=live(explore("bowl", "gd", lr=0.05)))
    handle = page.get_by_role("slider", name="Start point")
    box = handle.bounding_box()
    before = seen(page)
    page.mouse.move(box["x"] + 14, box["y"] + 14)
    page.mouse.down()
    page.mouse.move(box["x"] + 74, box["y"] + 14, steps=4)
    page.mouse.up()
    dragged = seen(page)
    assert all(a != b for a, b in zip(before, dragged, strict=True))
    handle.focus()
    page.keyboard.press("ArrowUp")
    stepped = words(page)
    page.keyboard.press("Shift+ArrowUp")
    assert len({dragged[0], stepped, words(page)}) == 3
    canvas = page.locator("canvas").first.bounding_box()
    page.mouse.click(canvas["x"] + canvas["width"] / 2, canvas["y"] + 40)
    assert numbers(words(page))[:2] == pytest.approx([-0.29, 2.56], abs=0.02)
    assert "y " in handle.get_attribute("aria-valuetext")


def test_touch_drags_the_start_and_a_tap_places_it(open_page):
    page = open_page(body=live(explore("bowl", "gd", lr=0.05)), width=375, touch=True)
    before = words(page)
    canvas = page.locator("canvas").first.bounding_box()
    page.touchscreen.tap(canvas["x"] + 200, canvas["y"] + 60)
    tapped = words(page)
    assert tapped != before
    assert page.locator(".oc-handle").first.evaluate("e => getComputedStyle(e).touchAction") == "none"
    assert "pan-y" in page.locator("canvas").first.evaluate("e => getComputedStyle(e).touchAction")


def test_sliders_land_on_landmarks(open_page):
    page = open_page(body=live(explore(oc.bowl.at(kappa=17.0), "gd", lr=0.01)))
    assert page.locator(".oc-mark").all_inner_texts() == ["1/L", "2/L"]
    slider = page.get_by_label("Learning rate η")
    slider.focus()
    for _ in range(150):
        page.keyboard.press("ArrowRight")
        settle(page)
        if slider.get_attribute("aria-valuetext") == "0.118":
            break
    assert slider.get_attribute("aria-valuetext") == "0.118"  # 2/17 = 0.1176…


def test_play_step_and_scrub(open_page, wide):
    page = open_page(body=live(wide))
    page.get_by_role("button", name="Step", exact=True).click()
    assert "step 1 of 60" in words(page)
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("/step ([2-9]|\\d\\d) of 60/.test(document.querySelector('output').textContent)")
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Play").wait_for()
    at = lambda: re.search(r"step \d+ of 60", words(page))[0]  # the map goes on being computed, and says so
    paused = at()
    page.wait_for_timeout(100)
    assert at() == paused


PIXELS = """places => {
  const c = document.querySelectorAll('.oc-ground')[2];
  const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);
  return places.map(([x, y]) => Math.round(y * c.height) * c.width + Math.round(x * c.width))
    .map(k => Array.from(data.slice(4 * k, 4 * k + 3)));
}"""


def test_phase_diagram_shows_where_runs_converge_and_diverge(open_page):
    widget = explore("bowl", ["momentum"], steps=100, lr=0.05, phase=("momentum", "beta"))
    page = open_page(body=live(widget))
    # heavy ball on curvature 20 is stable below η = 2(1 + β)/20, between 0.1 and 0.2: well right and left of that
    colours = f"({PIXELS})([[0.95, 0.5], [0.66, 0.85]])"
    page.wait_for_function(f"(([red, blue]) => red[0] > red[2] + 50 && blue[2] > blue[0])({colours})")
    handle = page.get_by_role("slider", name="Learning rate η and Momentum β")
    page.wait_for_function("document.querySelector('output').textContent.includes('Lowest on the map')")
    lr, beta = numbers(words(page).split("Lowest")[1])
    assert "diverged" not in words(page)
    rates, betas = np.meshgrid(np.geomspace(1e-5, 10, 121), 1 - np.geomspace(1, 1e-3, 121))
    ends = descend(oc.momentum, oc.bowl, widget.start, 100, rates.reshape(-1, 1), beta=betas.reshape(-1, 1)).loss[-1]
    lowest = np.where(np.isfinite(ends), ends, np.inf).argmin()
    assert lr == pytest.approx(rates.ravel()[lowest], rel=0.2)
    assert 1 - beta == pytest.approx(1 - betas.ravel()[lowest], rel=0.2)
    handle.focus()
    place = lambda: np.array(numbers(handle.get_attribute("aria-valuetext")))  # shares of the sides
    for key, way in [("ArrowRight", (1, 0)), ("ArrowLeft", (-1, 0)), ("ArrowUp", (0, 1)), ("ArrowDown", (0, -1))]:
        before = place()
        page.keyboard.press(key)
        settle(page)
        moved = place() - before
        assert (np.sign(moved.round(3)) == way).all() and np.abs(moved).max() < 0.1, (key, moved)
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('output').textContent.includes('diverged at step')")


def test_a_map_without_a_fall_is_light_all_over(open_page):
    def ascent(g, *, beta=0.9):
        return -beta * g

    page = open_page(body=live(explore("bowl", {"ascent": ascent}, steps=50, lr=1e-3, phase=("ascent", "beta"))))
    low, high = page.evaluate("['low', 'high'].map(name => oc.rgb(ui.theme[name]))")
    # η from 1e-5 to 1e-2: the loss grows by up to a factor of 10⁷
    places = page.evaluate(f"({PIXELS})([[0.2, 0.3], [0.35, 0.5], [0.5, 0.3]])")
    assert np.abs(np.array(places) - high).max() < 30 < np.abs(np.subtract(low, high)).max(), (places, low, high)


def test_under_reduced_motion_play_shows_stills(open_page):
    page = open_page(body=live(explore("bowl", "gd", lr=0.05, steps=60)), reduced=True)
    page.evaluate("""() => {
      window.said = [];
      const output = document.querySelector("output"), hear = () => said.push(output.textContent);
      new MutationObserver(hear).observe(output, { childList: true });
    }""")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("said.at(-1)?.includes('60 steps.')")
    shown = [re.search(r"step (\d+) of|60 steps", text)[1] for text in page.evaluate("said")]
    assert 4 < len(shown) == len(set(shown)) <= 11
    assert all(int(step) % 6 == 0 for step in shown[:-1]) and shown[-1] is None


def test_a_link_restores_the_state(open_page):
    widget = explore("bowl", lr=0.02)
    ident = re.search(r'id="(oc-explore-\w+)"', widget.html())[1]
    page = open_page(widget, hash=f"#{ident}&lr=0.05&start=[1,-2]&on=[%22adam%22]&steps=%22x%22&kappa")
    text = words(page)
    assert text.startswith("From (1, −2)") and "adam:" in text and "gd:" not in text
    assert "Steps was not a number" in text
    page.get_by_role("button", name="Reset").click()
    assert words(page).startswith("From (−2.5, 1.5)")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Steps").fill("50")
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_function("location.hash.includes('steps=')")
    assert page.evaluate("location.hash").startswith(f"#{ident}&steps=")


def test_python_values_out_of_the_slider_are_clamped_and_said(open_page):
    page = open_page(body=live(explore("bowl", lr=0.02)))
    text = assign(page, lr=1e9)
    assert "Learning rate η was limited to 10" in text
    assert "was not a number" in assign(page, lr="fast")
    assert "was moved into the window" in assign(page, start=[1e9, 0])


def test_phone_and_dark(open_page, wide):
    page = open_page(body=live(wide), width=375, dark=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    style = page.locator(".oc-widget").evaluate_handle("e => getComputedStyle(e)")
    background, text = style.evaluate("s => [s.backgroundColor, s.color]")
    level = lambda css: sum(map(int, re.findall(r"\d+", css)[:3]))
    assert level(background) < 150 < 600 < level(text)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"rules": ["gd", "momentum", "adam", "rmsprop", "nesterov"]},
        {"rules": ["momentum"], "phase": ("momentum", "beta")},
    ],
    ids=["three rules", "five rules", "phase"],
)
def test_the_place_is_held_before_the_script_runs(open_page, settings):
    for width in (375, 760):
        before, after = heights(open_page(explore("rosenbrock", lr=1e-3, **settings), width=width))
        assert before == pytest.approx(after, rel=0.05)


# ---------------------------------------------------------------------------------------------------------- Python


def test_settings_are_read_and_set_from_python():
    w = explore("bowl", ["gd", "adam"], lr={"gd": 0.05, "adam": 0.2}, steps=30)
    assert w.lr == {"gd": 0.05, "adam": 0.2} and w.start == [-2.5, 1.5]
    w.lr = {"adam": 0.1}
    w.start = [1.0, 1.0]
    w.hyper = {"beta1": 0.5}
    expected = descend(oc.adam, oc.bowl, [1.0, 1.0], 30, lr=0.1, beta1=0.5)
    np.testing.assert_allclose(w.path["adam"].points, expected.points, rtol=1e-12)
    assert explore("bowl", lr=0.3).lr == 0.3


def test_what_the_page_sends_is_read_in_the_next_cell():
    w = explore("bowl", lr=0.1)
    w.set_state({"value": {**w.value, "lr": 0.25, "start": [1.0, "Infinity"]}})
    assert w.lr == 0.25 and w.start == [1.0, np.inf]


def test_a_readers_function_and_rule_are_explored(open_page):
    widget = explore(lambda w: (w[..., 0] - 1) ** 2 + np.abs(w[..., 1]), {"mine": my_rule, "gd": "gd"}, lr=0.05)
    assert repr(widget) == "Explore(<lambda>; mine, gd)"
    assert {s["key"] for s in widget.spec["sliders"]} == {"lr", "beta", "pull"}
    assert "mine: loss" in words(open_page(widget))


def wrong_shape(g):
    return np.sum(g)


def three_numbers(g):
    return np.stack([g[..., 0], g[..., 0], g[..., 1]], axis=-1)


@pytest.mark.parametrize(
    "arguments, options, message",
    [
        (("himalaya",), {}, "no surface named 'himalaya'; there are: bowl"),
        ((lambda x, y, z: x,), {}, "takes 3 positional arguments"),
        ((lambda w: w[..., 0] + w[..., 2],), {}, "reads more coordinates"),
        ((3.0,), {}, "The surface is a Surface"),
        (("bowl", "adamz"), {}, "no rule named 'adamz'; there are: "),
        (("bowl", [3]), {}, "A rule is a function"),
        (("bowl", []), {}, "at least one rule"),
        (("bowl", [three_numbers]), {}, "three_numbers returned 'd' of shape"),
        (("bowl",), {"lr": "0.1"}, "lr must be a number"),
        (("bowl",), {"lr": {"sgd": 0.1}}, "lr names 'sgd'; the rules are: gd"),
        (("bowl",), {"lr": oc.constant_rate(0.1)}, "schedules of the learning rate go into"),
        (("bowl",), {"beta3": 0.5}, "hyper-parameter 'beta3'; they have: lr, beta"),
        (("bowl",), {"beta1": 1.5}, r"beta1 must be in \[0, 1\)"),
        (("bowl",), {"lr": -1.0}, "lr must be in"),
        (("bowl",), {"steps": 2.5}, "steps must be a whole number"),
        (("bowl",), {"steps": "many"}, "steps must be a whole number"),
        (("bowl",), {"start": [1.0]}, "start must be a point"),
        (("bowl",), {"start": 3}, "start must be a point"),
        (("bowl",), {"phase": ("gd", "beta")}, "phase is a pair"),
    ],
)
def test_bad_input_is_named_in_one_sentence(arguments, options, message):
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        explore(*arguments, **options)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_rules_share_a_slider_only_when_they_mean_the_same():
    def slow(g, m=0.0, *, beta=0.99):
        return beta * m + g, beta * m + g

    two = {"m": "momentum", "n": "nesterov"}
    assert list(explore("bowl", two).hyper) == ["lr", "beta"]
    assert list(explore("bowl", two | {"s": slow}).hyper) == ["lr", "m.beta", "n.beta", "s.beta"]


def test_bad_assignments_are_named_and_change_nothing():
    w = explore("bowl", lr=0.1)
    for name, bad in {"lr": "x", "on": ["adamz"], "steps": 0, "start": "here", "hyper": {"gamma": 1}}.items():
        before = w.value
        with pytest.raises((TypeError, ValueError)):
            setattr(w, name, bad)
        assert w.value == before


def test_every_slider_of_the_table_has_a_sentence():
    assert len(SLIDERS) >= 8
    for label, scale, low, high, tip in SLIDERS.values():
        assert label and scale in ("linear", "log", "log0", "beta") and low < high and tip.endswith(".")


def test_state_is_small():
    widget = explore("rosenbrock", RULES)
    assert len(to_json(widget.spec)) < 20_000
    assert len(to_json(explore("rosenbrock", RULES, noise=None).spec)) < 9_000


def test_new_rules_links_and_a_schedule_of_ones_own_run_in_the_page(common):
    rules = {
        "radam": oc.radam, "adan": oc.adan, "rprop": oc.rprop, "prodigy": oc.prodigy, "careful": oc.cautious(oc.adam),
        "lookahead": oc.chain(oc.adam, oc.lookahead), "mean": oc.chain(oc.momentum, oc.weight_average),
        "adamax": oc.adamax, "ademamix": oc.ademamix,
    }  # fmt: skip
    warm = lambda t: (t + 1) / 5 if t < 5 else 1.0
    w = oc.explore("bowl", rules, 60, 0.01, schedules={"mine": warm})
    assert len(w.spec["rules"]) == 9 and "mine" in w.spec["schedules"]
    rates = [0.01 * warm(t) for t in range(60)]
    for label, rule in rules.items():
        points, _, _ = run_in_page(common, rule, oc.bowl, start=w.start, steps=60, lr=rates)
        np.testing.assert_allclose(points, w.path[label].points, rtol=1e-9, atol=1e-12, err_msg=label)


def test_a_clipping_threshold_is_marked_where_norms_are_drawn(open_page):
    clipped = oc.chain(oc.clip_norm, oc.gd, name="clipped")
    w = explore("rosenbrock", {"gd": oc.gd, "clipped": clipped}, lr=1e-3, max_norm=0.5, steps=20)
    marks = lambda: [a for plot, kind, a in drawn(open_page, w) if plot == 1 and kind in ("rule", "text")]
    assert marks() == []
    w.value = {**w.value, "curve": "slope"}
    (rule, *_), (x, y, text, *_) = marks()
    assert rule == {"y": 0.5} and (x, y, text) == (0, 0.5, "threshold")
