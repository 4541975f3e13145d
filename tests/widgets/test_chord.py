"""The chord test and the segment test: numbers of the page against NumPy, verdicts, every control."""

import numpy as np
import pytest

from optcore.widgets.chord import SHAPES, chord

from .controls import drawn, drawn_lines, holds_line, seen, settle, words
from .exact import exact_numbers

FUNCTIONS = [k for k, s in SHAPES.items() if not s.is_set]
SETS = [k for k, s in SHAPES.items() if s.is_set]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_curve_and_chord_equal_numpy(open_page, name):
    fn, a, b, t = SHAPES[name].fn, -1.3, 1.7, 0.35
    share, rest, x, y, height = exact_numbers(open_page, chord(name, a, b, t=t))
    assert (share, rest) == (t, 1 - t)
    expected = [t * a + (1 - t) * b, fn(np.array(t * a + (1 - t) * b)), t * fn(np.array(a)) + (1 - t) * fn(np.array(b))]
    np.testing.assert_allclose([x, y, height], expected, rtol=1e-9)


def test_the_norm_of_the_sets_is_that_of_the_plane():
    """The disk has its edge at distance 1.2 all round, the crescent also at 0.9 from (0.5, 0)."""
    w = np.array([[0.6, 0.8], [1.2, 0.0], [0.0, 1.2], [0.5, 0.9]])
    np.testing.assert_allclose(SHAPES["disk"].fn(w)[0] - SHAPES["disk"].fn(w)[1:3], -0.2, atol=1e-12)
    assert np.abs(SHAPES["crescent"].fn(w[2:])).max() < 1e-12


def test_convex_functions_pass_and_the_others_fail_somewhere(open_page):
    pairs = [(-1.9, 0.3), (-1.0, 1.0), (0.0, 1.0), (0.2, 1.9)]
    page = open_page(*(chord(name, a, b) for name in FUNCTIONS for a, b in pairs))
    said = page.evaluate("() => [...document.querySelectorAll('.oc-widget output')].map(o => o.textContent)")
    failed = np.reshape(["not convex" in text for text in said], (len(FUNCTIONS), len(pairs))).any(axis=1)
    assert {name for name, fails in zip(FUNCTIONS, failed, strict=True) if fails} == {
        "sqrt_abs",
        "sine_bowl",
        "double_well",
    }


def test_the_square_root_of_the_course(open_page):
    """√|x| at 0.25 is 0.5, the chord from 0 to 1 is at 0.25."""
    said = words(open_page(chord("sqrt_abs", 0, 1, t=0.75)))
    assert "= 0.25 the curve is at 0.5, the chord at 0.25" in said and "not convex" in said


def test_sets_equal_numpy(open_page):
    rng = np.random.default_rng(1)
    for name in SETS:
        fn = SHAPES[name].fn
        w = rng.uniform(-1.2, 1.2, (300, 2))
        a, b = w[fn(w) <= 0][:2]
        segment = np.linspace(0, 1, 401)[:-1, None] + 1 / 800
        outside = np.mean(fn(segment * a + (1 - segment) * b) > 0)
        said = words(open_page(chord(name, a, b)))
        middle = "inside" if fn((a + b) / 2) <= 0 else "outside"
        assert f"lies {middle} the set" in said
        assert ("not convex" in said) == (outside > 0), (name, said)
        if outside:
            assert f"{outside:.0%}".replace("%", " %") in said
        assert name not in ("disk", "diamond") or outside == 0
    assert "does not apply" in words(open_page(chord("ring", (0, 0), (0.9, 0))))


def test_parabolas_hold_exactly_from_the_curvature_on(open_page):
    """x² + 3 sin² x has f″ between -4 and 8."""
    for mu, L, below, above in [(-4, 8, "stays", "stays"), (-3, 7, "does not stay", "does not stay")]:
        said = words(open_page(chord("sine_bowl", a=np.pi / 2 if mu > -4 else 0.3, bounds="parabolas", mu=mu, L=L)))
        assert f"μ = −{-mu} {below} below" in said
        flat = words(open_page(chord("sine_bowl", a=0, bounds="parabolas", mu=mu, L=L)))
        assert f"L = {L} {above} above" in flat
    assert "tangent at A stays below" in words(open_page(chord("exp", bounds="tangent")))
    assert "tangent at A does not stay below" in words(open_page(chord("double_well", 0.0, bounds="tangent")))


def test_points_move_by_keyboard_and_the_menu_brings_its_own(open_page):
    page = open_page(chord("crescent"))
    before = seen(page)
    page.get_by_role("slider", name="Point A").focus()
    page.keyboard.press("ArrowLeft")
    after = seen(page)
    assert before[0] != after[0] and before[1] != after[1]
    page.get_by_label("Function or set").select_option("square")
    settle(page)
    assert words(page).startswith("At 0.5A + 0.5B = −0.25 ")


def test_own_functions(open_page):
    def hat(x):
        return 1 / (1 + x**2)

    assert "not convex" in words(open_page(chord(hat, -0.5, 0.5, domain=(-2, 2))))


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"f": "cube"}, "one of square"),
        ({"bounds": "both"}, "none, tangent, parabolas"),
        ({"a": (1, 2, 3)}, "pair"),
        ({"t": 1.01}, "t must be"),
        ({"t": -0.01}, "t must be"),
        ({"f": lambda x: np.log(x), "domain": (-1, 1)}, "finite"),
    ],
)
def test_bad_arguments_are_named(arguments, part):
    with np.errstate(all="ignore"), pytest.raises(ValueError, match=part):
        chord(**arguments)


@pytest.mark.parametrize("name", ["square", "double_well"])
def test_the_chord_is_drawn_from_point_to_point_and_the_bounds_touch_at_a(open_page, name):
    fn, a, b, t, mu, L = SHAPES[name].fn, -1.3, 1.2, 0.35, 0.5, 6.0
    f = lambda x: float(fn(np.array(x)))
    w = chord(name, a, b, t=t, bounds="parabolas", mu=mu, L=L)
    lines = drawn_lines(open_page, w)
    x, height = t * a + (1 - t) * b, t * f(a) + (1 - t) * f(b)
    assert holds_line(lines, [(a, f(a)), (b, f(b))])
    assert holds_line(lines, [(x, f(x)), (x, height)])
    dots = [tuple(arguments[:2]) for _, kind, arguments in drawn(open_page, w) if kind == "dot"]
    np.testing.assert_allclose(dots[:2], [(x, height), (x, f(x))], rtol=1e-9)
    pieces = [line for line in lines if len(line) == 2][:-2]
    ends = np.concatenate(pieces)[:, 0]
    assert len(pieces) > 20 and (ends.min(), ends.max()) == pytest.approx((a, b))
    slope = (f(a + 1e-6) - f(a - 1e-6)) / 2e-6
    xs = next(line[:, 0] for line in lines if len(line) > 50)
    for c in (mu, L):
        assert holds_line(lines, np.stack([xs, f(a) + slope * (xs - a) + c / 2 * (xs - a) ** 2], axis=1), tol=1e-5)


def test_a_goal_about_a_set_asks_for_two_points_inside():
    goals = [goal for name in SETS if (goal := chord(name).goal()) is not None]
    assert len(goals) >= 3 and all(("outside", "=", 0) in goal.when for goal in goals)


@pytest.mark.parametrize(("a", "b", "asks"), [(1.05, 1.3, "two points where the test fails"), (-1, 1, "stays above")])
def test_a_goal_about_a_curve_asks_for_what_the_chord_is_not(a, b, asks):
    assert asks in chord("double_well", a, b).goal().text
    assert chord("square", a, b).goal() is None, "no chord of it fails"
