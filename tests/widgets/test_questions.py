"""Every numbered question of an instrument, answered by its own controls.

`@question("1.1", 2)` replays question 2 of notebook 1.1 as a reader would: moves the controls that it names, and holds
the status line against the answer folded below it; `reader.stated("0.0666")` is a number that this answer states.
Where a question asks to look, what is looked at is read from the words of the page as far as they say it.
"""

import math
import re
from collections.abc import Callable

import pytest

from book.course import GALLERY, notebooks, number

from .reader import NUMBER, Reader, instruments, page_of

COVERED = "12345678"  # chapters
NOTEBOOKS = {number(path): path for path in notebooks()} | {"gallery": GALLERY}
REPLAYS: dict[tuple[str, int, int], Callable[[Reader], None]] = {}


def question(notebook: str, asked: int, instrument: int = 1):
    """Registers the replay of a question of a notebook's instrument; both are counted from 1."""

    def register(replay):
        assert (notebook, instrument, asked) not in REPLAYS
        REPLAYS[notebook, instrument, asked] = replay
        return replay

    return register


approx = pytest.approx

# ------------------------------------------------------------------------------------------------------- 1 objective


@question("1.1", 1)
def _(reader):
    """The point moves the line at both ends; an end of the line moves the point along a slant."""
    ends = lambda: [reader.place(f"{side} end of the line")[0] for side in ("Left", "Right")]
    before = ends()
    reader.drag("Model (w, b)", 1.5, 2.0)
    after = ends()
    assert after[0] > before[0] and after[1] > before[1] + 1
    w, b = reader.place("Model (w, b)")
    reader.keys("Left end of the line", "ArrowUp")
    moved = reader.place("Model (w, b)")
    assert moved[0] < w and moved[1] > b
    assert ends()[1] == approx(after[1], abs=0.02)
    _, still = ends()
    reader.drag("Left end of the line", 1, 13)  # as far as the parameter space goes, and the right end stays
    assert ends()[0] > after[0] + 1 and ends()[1] == approx(still, abs=0.02) and "limited" not in reader.said


@question("1.1", 2)
def _(reader):
    reader.slide("Slope w", 2)
    reader.slide("Intercept b", 1)
    least = reader.read("costs")
    assert "you are there" in reader.said
    reader.slide("Slope w", 2.1)
    wrong_w = reader.read("costs") - least
    reader.slide("Slope w", 2)
    reader.slide("Intercept b", 1.1)
    assert wrong_w / (reader.read("costs") - least) == approx(reader.stated("11"), rel=0.01)


@question("1.1", 3)
def _(reader):
    """The dashed line is the last (w, b) of the path; the line of text gives it."""
    dashed = lambda: [reader.read(r"lead to \("), reader.read(r"lead to \(\S+,")]

    def pull(loss, k, height):
        reader.press("Reset")
        reader.choose("Loss", loss)
        before = dashed()
        reader.drag(f"Point {k}", k, height)
        w, b = (now - then for now, then in zip(dashed(), before, strict=True))
        return max(abs(w + b), abs(5 * w + b))

    far = [(1, -2.8), (1, 13.8), (3, 13.8), (5, -2.8)]
    squared, absolute = ([pull(f"Mean {loss} error", *to) for to in far] for loss in ("squared", "absolute"))
    assert max(squared) == approx(reader.stated("7"), abs=0.7)
    assert 0.5 < max(absolute) < reader.stated("1") + 0.5 and min(squared) > max(absolute)


@question("1.2", 1)
def _(reader):
    reader.slide("Score z", -8)
    assert reader.read("σ.z. costs .*? with slope") == approx(reader.stated("-0.00067"), rel=0.01)
    assert reader.read("ross-entropy costs .*? with slope") == approx(reader.stated("-0.99966"), abs=1e-3)


@question("1.2", 2)
def _(reader):
    for score, slope in [(0.96, -1), (1.04, 0), (8, 0)]:
        reader.slide("Score z", score)
        assert reader.read("inge costs .*? with slope") == slope
    reader.stated("1")
    reader.check("The label is 1", on=False)
    reader.slide("Score z", -1.04)
    assert reader.read("inge costs .*? with slope") == 0


@question("1.2", 3)
def _(reader):
    reader.choose("Loss of", "logits, through softmax")
    before = reader.read("the loss is")
    reader.slide("Added to all logits", 800)
    assert reader.read("the loss is") == before and reader.read(r"Softmax of \(") > 790
    reader.check("Compute as textbooks write it")
    assert "the loss is nan" in reader.said and "breaks down here" in reader.said


@question("1.3", 1)
def _(reader):
    reader.slide("Edges walked back", 0)
    assert "the gradient of l in itself is 1" in reader.said
    heard = []
    for _ in range(5):
        reader.press("Step")
        heard.append(reader.said)
    assert "Slope of the loss: ∂l/∂a = (1, 1, 1)" in heard[0]
    assert "Upstream times local: ∂l/∂h = ∂l/∂a · J = (0, 1, 1)" in heard[1]
    assert "∂l/∂W = xᵀ ∂l/∂h, the outer product with rows (0, 1, 1), (0, 2, 2)" in heard[2]
    assert "∂l/∂b = ∂l/∂h = (0, 1, 1)" in heard[3]


@question("1.3", 2)
def _(reader):
    reader.check("x", on=True)
    read = {}
    for b in (0, 2):
        reader.slide("b₁", b)
        for stage in (2, 3, 4, 5):
            reader.slide("Edges walked back", stage)
            read[b, stage] = reader.said.split("=", 4)[-1] if stage < 5 else reader.said.split("∂l/∂x")[1]
    assert "(0, 1, 1)" in read[0, 2] and "(1, 1, 1)" in read[2, 2]
    assert "(0, 1, 1), (0, 2, 2), (0, 3, 3)" in read[0, 3] and "(1, 1, 1), (2, 2, 2), (3, 3, 3)" in read[2, 3]
    assert "(0, 1, 1)" in read[0, 4] and "(1, 1, 1)" in read[2, 4]
    assert read[0, 5] != read[2, 5]


@question("1.3", 3)
def _(reader):
    reader.choose("Activation", "softmax")
    reader.slide("Edges walked back", 2)
    assert "∂l/∂h = ∂l/∂a · J = (0, 0, 0)" in reader.said
    reader.slide("Edges walked back", 4)
    assert "= (0, 0, 0)" in reader.said
    reader.choose("Loss", "−Σ yₖ ln aₖ")
    assert "= (0, 0, 0)" not in reader.said


@question("1.3", 4)
def _(reader):
    reader.check("x")
    others = {}
    for on in (True, False):
        reader.check("W", on=on)
        for stage in (4, 5):
            reader.slide("Edges walked back", stage)
            others[on, stage] = reader.said.split("backward()")[1].split(".", 3)[-1]
        reader.slide("Edges walked back", 3)
    assert "W.grad stays None" in reader.said
    assert all(others[True, stage].split("∂l/∂")[1:] == others[False, stage].split("∂l/∂")[1:] for stage in (4, 5))


# ------------------------------------------------------------------------------------------------------- 2 convexity

CHORDS = "This chord stays above the curve", "The curve rises above this chord"


@question("2.1", 1)
def _(reader):
    reader.choose("Function or set", "|x|")
    for a, b in [(-1.5, 1), (-2, -0.5), (0.5, 1.8), (-0.3, 0.2)]:
        reader.drag("Point A", a, abs(a))
        reader.drag("Point B", b, abs(b))
        assert CHORDS[0] in reader.said


@question("2.1", 2)
def _(reader):
    reader.choose("Function or set", "x² + 3 sin² x")
    for a, b, held in [(-0.5, 0.5, True), (1, 3, False)]:
        reader.drag("Point A", a, 1)
        reader.drag("Point B", b, 1)
        assert CHORDS[0 if held else 1] in reader.said
        reader.stated(str(a)), reader.stated(str(b))
    reader.slide("Share t of A", 0.5)
    assert reader.read("the curve is at") == approx(reader.stated("6.48"), abs=0.05)
    assert reader.read("the chord at") == approx(reader.stated("6.09"), abs=0.1)


@question("2.1", 3)
def _(reader):
    """Across the hole, from arm to arm, from horn to horn; and in the convex sets nowhere."""
    places = {
        "ring": [(-0.8, 0), (0.8, 0)],
        "ℓ½ ball": [(0.8, 0), (0, 0.8)],
        "crescent": [(-0.1, 1.0), (-0.1, -1.0)],
        "disk": [(-0.6, 0.7), (0.6, 0.7)],
        "ℓ₁ ball": [(0.8, 0), (0, 0.8)],
    }
    for name, (a, b) in places.items():
        reader.choose("Function or set", f"Set: {name}")
        reader.drag("Point A", *a)
        reader.drag("Point B", *b)
        convex = name in ("disk", "ℓ₁ ball")
        assert ("The whole segment is inside" if convex else "the set is not convex") in reader.said, name


@question("2.1", 4)
def _(reader):
    above = {"x²", "|x|", "eˣ", "ln(1 + eˣ)"}
    kinks = {"|x|": 0.5, "√|x|": 0.5}
    for name in ["x²", "|x|", "eˣ", "ln(1 + eˣ)", "√|x|", "x² + 3 sin² x", "x⁴/4 − x²/2"]:
        reader.choose("Function or set", name)
        reader.choose("Drawn at A", "the tangent")
        stays = []
        for a in (-1.2, -0.3, 0.4, 1.3):
            reader.drag("Point A", a, 0)
            stays.append("The tangent at A stays below" in reader.said)
        assert all(stays) == (name in above), (name, stays)
        if name in kinks:
            continue
        reader.choose("Drawn at A", "parabolas with μ and L")
        low, high = {
            "x²": (2, 2), "eˣ": (0.05, 7.4), "ln(1 + eˣ)": (0, 0.25), "x² + 3 sin² x": (-4, 8), "x⁴/4 − x²/2": (-1, 11)
        }[name]  # fmt: skip
        reader.slide("Lower curvature μ", low, within=0.05)
        reader.slide("Upper curvature L", high, within=0.05)
        for a in (-1.2, 0.4, 1.3):
            reader.drag("Point A", a, 0)
            assert re.search("μ = \\S+ stays below .* L = \\S+ stays above", reader.said), (name, reader.said)


@question("2.2", 1)
def _(reader):
    seen = []
    for _ in range(5):
        reader.press("Next critical point")
        seen.append((reader.place("Point"), reader.read("eigenvalues"), reader.read("eigenvalues .* and")))
    saddles = [one for one in seen if one[1] < 0 < one[2]]
    assert len({tuple(p) for p, *_ in seen}) == 5 and len(saddles) == 1
    ((place, low, high),) = saddles
    assert place == approx([reader.stated("-0.100"), reader.stated("0.050")], abs=1e-3)
    assert (low, high) == approx((reader.stated("-1.98"), reader.stated("2.00")), abs=0.006)


@question("2.2", 2)
def _(reader):
    to_saddle(reader)
    assert reader.read("gradient has length") == 0
    reader.keys("Point", "Shift+ArrowUp")
    assert reader.read("Descent needs") == approx(reader.stated("23") - reader.stated("3"), abs=1)
    to_saddle(reader)
    reader.slide("Gradient noise σ", 0.01)
    assert reader.read("Descent needs") == approx(reader.stated("40"), abs=10)


def to_saddle(reader):
    for _ in range(5):
        reader.press("Next critical point")
        if "strict saddle" in reader.said:
            return


@question("2.2", 3)
def _(reader):
    reader.check("Map of basins")
    reader.wait("reach")
    reader.drag("Point", 2.5, 0)
    assert reader.read(r"and is at \(") > 3  # out of the window
    reader.drag("Point", -0.7, 0.5)
    up = reader.read(r"and is at \(\S+,")
    reader.drag("Point", -0.7, -0.6)
    assert up > 1 and reader.read(r"and is at \(\S+,") < -1  # on either side of the ridge


@question("2.3", 1)
def _(reader):
    reader.choose("Constraint", "w₁ + w₂ = c")
    reader.slide("Position s", 0)
    assert "f can still fall" in reader.said
    reader.press("Go to the best point")
    assert "They are parallel" in reader.said
    assert reader.read("λ =") == approx(reader.stated("1.6"), abs=1e-9)
    assert [reader.read(r"^At \("), reader.read(r"^At \(\S+,")] == approx([0.8, 0.2], abs=1e-3)
    assert reader.read("by about") == approx(reader.stated("-0.16"), abs=1e-9)
    before = reader.read(r"f\* =")
    reader.slide("Level b or R", 1.1)
    assert reader.read(r"f\* =") - before == approx(reader.stated("-0.155"), abs=6e-3)


@question("2.3", 2)
def _(reader):
    reader.slide("Level b or R", 1.85, within=0.01)
    assert 0 < reader.read("μ =") < 0.1
    assert reader.slide("Level b or R", 1.92, within=0.01) > reader.stated("1.887")
    assert "inactive, μ = 0" in reader.said


@question("2.3", 3)
def _(reader):
    assert reader.read("μ =") > 0.5
    reader.drag("Minimum of f", 0.3, -0.4)
    assert "inactive, μ = 0" in reader.said and reader.stated("0") == 0


# ------------------------------------------------------------------------------------------------ 3 gradient descent


def place(reader, rule):
    """Where a rule is, as the line of text says."""
    found = re.search(rf"{rule}: [^;]*? at \(([^,]+), ([^)]+)\)", reader.said)
    assert found, reader.said
    return [float(v.replace("−", "-")) for v in found.groups()]


def loss(reader, rule):
    if f"{rule}: diverged" in reader.said:
        return math.inf
    return reader.read(rf"\b{rule}: [^;]*?loss")


@question("3.1", 1)
def _(reader):
    """The marks 1/L and 2/L are stops; between them the lowest loss lies close to the right one."""
    losses = {}
    for rate in (0.05, 0.07, 0.09, 0.095, 0.099, 0.1, 0.105):
        shown = reader.slide("Learning rate η", rate, within=0.006)
        losses[shown] = loss(reader, "gd")
    assert min(losses, key=losses.get) == approx(reader.stated("0.095"), abs=0.0055)
    assert losses[0.1] > 1 and losses[reader.stated("0.1")] > losses[0.05]
    assert reader.marks("Learning rate η") == ["1/L", "2/L"]


@question("3.1", 2)
def _(reader):
    reader.slide("Learning rate η", 0.103)
    w1, w2 = place(reader, "gd")
    assert abs(w1) < 0.01 and abs(w2) > 5 and "thrown out of the picture" in reader.said


@question("3.1", 3)
def _(reader):
    def best(rates):
        found = {}
        for rate in rates:
            shown = reader.slide("Learning rate η", rate, within=0.006)
            found[shown] = loss(reader, "gd")
        return min(found, key=found.get), min(found.values())

    before = best([0.09, 0.092, 0.094, 0.095, 0.096, 0.097])
    reader.slide("Condition number κ", 40)
    after = best([0.045, 0.046, 0.047, 0.048, 0.049])
    assert after[0] / before[0] == approx(0.5, rel=0.05)
    assert after[1] / before[1] == approx(20_000, rel=0.3) and "20 000" in reader.answer


@question("3.2", 1)
def _(reader):
    reader.drag("Start (w, b)", -0.5, 2.5)
    assert reader.read("Here") == 0 and "none of sixty far away" in reader.answer
    reader.drag("Start (w, b)", 1.0, 1.1)
    assert reader.read("Here") == approx(20, abs=2) and "twenty of sixty close by" in reader.answer


@question("3.2", 2)
def _(reader):
    reader.slide("Epochs", 20)
    for batch, examples, steps in [(1, "12", "12"), (32, "512", "16")]:
        reader.slide("Batch size b", batch)
        assert reader.read("first below 0.1 after") == reader.stated(steps)
        assert reader.read("steps,") == reader.stated(examples)


@question("3.2", 3)
def _(reader):
    reader.slide("Batch size b", 1)
    reader.slide("Learning rate η", 0.005)
    reader.slide("Epochs", 20)
    ends = {}
    for way in ("reshuffle each epoch", "draw with replacement"):
        reader.choose("Next samples", way)
        for draw in range(3):
            reader.slide("Random draw", draw)
            ends[way, draw] = reader.read("above its minimum,")
    shuffled, drawn = (sum(v for (way, _), v in ends.items() if way.startswith(w)) for w in ("resh", "draw"))
    assert drawn / shuffled == approx(7, abs=3) and "about sevenfold" in reader.answer


@question("3.2", 1, instrument=2)
def _(reader):
    reader.only("gd")
    reader.slide("Gradient noise σ", 0)
    assert "first below 1e−6" in reader.said
    reader.slide("Gradient noise σ", 5)
    assert "first below" not in reader.said
    assert 0.2 < reader.read("second half: gd") < 2.9  # in a ball around it, and far nearer than the start


@question("3.2", 2, instrument=2)
def _(reader):
    reader.only("gd")
    reader.slide("Steps", 500)
    wide = reader.read("second half: gd")
    reader.slide("Learning rate η", 0.0125, within=0.012)
    assert wide / reader.read("second half: gd") == approx(2, abs=0.5)
    reader.slide("Gradient noise σ", 0)
    reader.slide("Step shown", 400)
    slow = loss(reader, "gd")
    reader.slide("Learning rate η", 0.05)
    reader.slide("Step shown", 100)
    assert slow / loss(reader, "gd") == approx(1, abs=0.35) and "four times" in reader.answer


@question("3.2", 3, instrument=2)
def _(reader):
    assert reader.read(r"second half: .*momentum") > 1.5 * reader.read("second half: gd")
    assert "Momentum’s" in reader.answer.replace("'", "’")


@question("3.2", 1, instrument=3)
def _(reader):
    low, high = reader.read("rose from"), reader.read("rose from .* to")
    assert reader.said.startswith("It jumps") and high / low > reader.stated("10")
    reader.slide("Mini-batch", 100)
    assert "It has learned" in reader.said and reader.read("training loss") == reader.stated("0.103")


@question("3.2", 2, instrument=3)
def _(reader):
    reader.slide("Learning rate η", 0.5, within=0.03)
    reader.choose("Schedule of η", "cosine")
    assert reader.read("training loss") == approx(reader.stated("0.134"), abs=0.001)
    assert reader.read("Step 400 of") == reader.stated("400") and 400 * 100 == reader.stated("40,000")


@question("3.3", 1)
def _(reader):
    reader.wait("Lowest on the map")
    assert reader.read("Lowest on the map: Learning rate η") == approx(reader.stated("0.033"), rel=0.1)
    assert reader.read("map: .*Momentum β") == approx(reader.stated("0.67"), abs=0.06)
    reader.press("Best η and β by the formulas")
    shown = [reader.shown("Learning rate η"), reader.shown("Momentum β")]
    assert shown == approx([4 / 11**2, (9 / 11) ** 2], rel=2e-3)
    exact = loss(reader, "momentum")
    reader.slide("Learning rate η", 1.05 * 4 / 121, within=0.01)
    assert loss(reader, "momentum") > 1e3 > 1e-9 > exact


@question("3.3", 2)
def _(reader):
    reader.slide("Momentum β", 0.9)
    reader.slide("Learning rate η", 0.0125, within=0.012)
    below = loss(reader, "nesterov")
    reader.slide("Learning rate η", 0.0145, within=0.012)
    assert below < 0.1 < loss(reader, "nesterov") and loss(reader, "momentum") < 0.1
    reader.slide("Learning rate η", 0.0365, within=0.012)
    assert reader.stated("0.038") and "momentum: diverged" not in reader.said and loss(reader, "momentum") < 116
    reader.slide("Learning rate η", 0.041, within=0.012)
    assert re.search(r"momentum: (diverged|loss [^;]*thrown out)", reader.said)


@question("3.3", 3)
def _(reader):
    """Turns of the path of momentum in the flat direction, seen as its steps are walked."""

    def swings():
        seen = []
        for step in range(0, 151, 10):
            reader.slide("Step shown", step)
            seen.append(place(reader, "momentum")[0])
        return sum(a * b < 0 for a, b in zip(seen, seen[1:], strict=False))

    few = swings()
    reader.slide("Momentum β", 0.99)
    assert swings() >= 4 > 1 >= few


@question("3.4", 1)
def _(reader):
    out = "gd: loss [^;]*thrown out of the picture"
    assert re.search(out, reader.said) and loss(reader, "clipped") < reader.stated("0.01")
    reader.slide("Learning rate η", 0.1)
    assert re.search(out, reader.said)
    reader.slide("Learning rate η", 0.05)
    assert not re.search(out, reader.said) and loss(reader, "gd") == approx(reader.stated("0.023"), rel=0.03)


@question("3.4", 2)
def _(reader):
    reader.slide("Clipping threshold", 0.05)
    w = place(reader, "clipped")
    assert math.dist(w, (5.2, -2.5)) == approx(reader.stated("0.24"), abs=0.01)
    reader.choose("Curve", "length of step")
    assert reader.read("clipped: .*at most") == approx(0.025, rel=0.01) == reader.stated("2.5") / 100


@question("3.4", 3)
def _(reader):
    reader.choose("Curve", "gradient norm")
    most = reader.read("gd: [^;]*at most")
    assert most == approx(reader.stated("10.9"), rel=0.005)
    reader.slide("Clipping threshold", 11)
    assert place(reader, "clipped") == place(reader, "gd")
    reader.slide("Clipping threshold", 10, within=0.03)
    assert place(reader, "clipped") != place(reader, "gd")


@question("3.5", 1)
def _(reader):
    """One worker alone is the reference; two and four lose to it."""
    reader.slide("Delay τ", 0)
    times = {}
    for k in (1, 2, 4, 8, 16, 32, 64):
        reader.slide("Workers k", k)
        times[k] = reader.read("examples,")
    assert times[1] == reader.stated("2908") and times[4] == reader.stated("3760") and times[2] > times[1]
    assert times[8] == reader.stated("1980") and times[64] == reader.stated("380") == min(times.values())
    assert reader.read("steps,") == reader.stated("4864") and reader.read("uses") == reader.stated("256")


@question("3.5", 2)
def _(reader):
    reader.slide("Workers k", 64)
    found = {}
    for passes in (1, 2, 4, 8, 16):
        reader.slide("Passes accumulated", passes)
        found[passes] = reader.read("examples,"), reader.read("after")
    times = {passes: time for passes, (time, _) in found.items()}
    assert min(times, key=times.get) == 2 and times[2] == reader.stated("312")
    assert (times[4], times[8]) == (reader.stated("320"), reader.stated("384"))
    assert [found[k][1] for k in (2, 4, 8)] == [13, 10, 8] and "(13, 10, 8)" in reader.answer


@question("3.5", 3)
def _(reader):
    reader.slide("Workers k", 64)
    found = {}
    for delay in range(9):
        reader.slide("Delay τ", delay)
        found[delay] = reader.read("examples,"), reader.read("steps,"), reader.read("takes")
    assert min(found, key=found.get) == 4 == found[4][2] and "At 4" in reader.answer
    assert found[4][1] == reader.stated("13056")
    assert found[4][1] / found[0][1] == approx(reader.stated("2.7"), abs=0.05)


# ------------------------------------------------------------------------------------------------ 4 adaptive methods


@question("4.1", 1)
def _(reader):
    reader.slide("Step shown", 20)
    seen = {}
    for kappa in (25, 5):
        reader.slide("Condition number κ", kappa)
        for rule in ("gd", "adagrad", "rmsprop"):
            seen[rule, kappa] = place(reader, rule)
    assert seen["adagrad", 25] == seen["adagrad", 5] and seen["rmsprop", 25] == seen["rmsprop", 5]
    assert seen["gd", 25] != seen["gd", 5] and "*gd*" in reader.answer


@question("4.1", 2)
def _(reader):
    reader.slide("Step shown", 5)
    losses = {}
    for angle, start in [(0, (-2.5, 1.5)), (45, (-2.8284, -0.7071))]:
        reader.slide("Rotation (degrees)", angle)
        reader.drag("Start point", *start)
        for rule in ("gd", "adagrad", "rmsprop"):
            losses[rule, angle] = loss(reader, rule)
    changed = {rule: losses[rule, 45] / losses[rule, 0] for rule in ("gd", "adagrad", "rmsprop")}
    assert changed["gd"] == approx(1, abs=0.02) and "*gd*" in reader.answer
    assert all(abs(changed[rule] - 1) > 0.05 for rule in ("adagrad", "rmsprop"))


@question("4.1", 3)
def _(reader):
    for rule in ("adagrad", "rmsprop"):
        reader.slide(f"ε, {rule}", 10)
    assert loss(reader, "adagrad") == approx(reader.stated("1.9"), abs=0.05)
    assert loss(reader, "rmsprop") == approx(reader.stated("0.3"), abs=0.05)
    path = place(reader, "rmsprop")
    reader.slide("Learning rate η", 0.007)
    assert reader.stated("0.007") and loss(reader, "gd") == approx(reader.stated("0.2"), abs=0.05)
    assert math.dist(path, place(reader, "gd")) < 0.3


@question("4.2", 1)
def _(reader):
    steps = {}
    for t in range(8, 17):
        reader.slide("Step read", t)
        steps[t] = reader.read("uncorrected Adam")
    assert max(steps, key=steps.get) == 12 and "12th step" in reader.answer
    reader.slide("β₂", 0.9)
    steps = []
    for t in (1, 5, 10, 20, 60):
        reader.slide("Step read", t)
        steps.append(reader.read("uncorrected Adam"))
    assert steps[0] == approx(reader.stated("0.32"), abs=0.005) and steps == sorted(steps)
    assert steps[-1] == approx(reader.stated("1"), abs=0.01)


@question("4.2", 2)
def _(reader):
    reader.choose("Gradient", "alternating")
    assert reader.read("At step") == 1 and reader.read("RMSProp") == reader.stated("10")
    reader.slide("Step read", 60)
    size = {name: abs(reader.read(name)) for name in (": Adam", "RMSProp", "AdaGrad")}
    assert size["RMSProp"] == approx(reader.stated("1.5"), rel=0.03)
    assert size[": Adam"] == approx(reader.stated("0.053"), rel=0.01) == min(size.values())
    assert size["AdaGrad"] == approx(reader.stated("0.13"), rel=0.02)


@question("4.2", 3)
def _(reader):
    reader.choose("Gradient", "one spike")
    spike = int(reader.read("At step"))
    assert reader.read("the gradient is") > 0 and reader.read("RMSProp") > 0
    fading = {}
    for after in (1, 10, 39):
        reader.slide("Step read", spike + after)
        assert reader.read("RMSProp") == 0
        fading[after] = reader.read(": Adam")
    assert fading[10] == approx(reader.stated("0.20"), abs=0.005)
    assert fading[39] == approx(reader.stated("0.013"), abs=0.0005)


@question("4.2", 4)
def _(reader):
    reader.choose("Gradient", "3, −1, −1 (Reddi)")
    reader.slide("β₁", 0)
    reader.slide("β₂", 0.1)
    steps = []
    for t in (58, 59, 60):
        reader.slide("Step read", t)
        steps.append(reader.read(": Adam"))
    assert steps == approx([reader.stated("1.05"), -0.76, -0.97], abs=0.006)
    assert sum(steps) == approx(reader.stated("-0.68"), abs=0.01)
    reader.choose("Third plot", "distance gone, in units of η")
    assert reader.read(": Adam") < -10  # against the gradient


@question("4.2", 1, instrument=2)
def _(reader):
    assert reader.read("training loss") == approx(reader.stated("0.692"), abs=0.001)
    reader.slide("Learning rate η", 3, within=0.05)
    assert reader.read("training loss") == approx(reader.stated("0.425"), abs=0.02)
    assert "It is still learning" in reader.said and "still learning" in reader.answer


@question("4.2", 2, instrument=2)
def _(reader):
    reader.choose("Rule", "adam")
    assert reader.read("training loss") == approx(reader.stated("0.126"), abs=0.001)
    reader.slide("Learning rate η", 0.1, within=0.001)
    assert reader.read("training loss") == approx(reader.stated("0.0018"), abs=0.0003)
    reader.slide("Learning rate η", 1)
    assert reader.read("training loss") == approx(reader.stated("0.7"), abs=0.1)
    assert reader.said.startswith("Layer 2 is dead") and "layer dead" in reader.answer


@question("4.3", 1)
def _(reader):
    ends = {}
    for decay in (0, 0.03, 0.3):
        reader.slide("Weight decay λ", decay, within=0.02)
        ends[decay] = {rule: place(reader, rule) for rule in ("adam_l2", "adamw")}
    assert ends[0]["adam_l2"] == approx([1, 1], abs=0.01) == ends[0]["adamw"]
    w1, w2 = ends[0.03]["adam_l2"]
    assert w1 < w2 - 0.2 and abs(ends[0.03]["adamw"][0] - ends[0.03]["adamw"][1]) < 0.01
    assert ends[0.3]["adam_l2"] == approx([reader.stated("0.14"), reader.stated("0.77")], abs=0.006)
    assert ends[0.3]["adamw"] == approx([reader.stated("0.93")] * 2, abs=0.006)


@question("4.3", 2)
def _(reader):
    before = {rule: place(reader, rule) for rule in ("adam_l2", "adamw")}
    reader.slide("Surface: quiet", 0.02)
    after = {rule: place(reader, rule) for rule in ("adam_l2", "adamw")}
    assert after["adamw"] == approx(before["adamw"], abs=2e-3)
    assert after["adam_l2"][0] < before["adam_l2"][0] - 0.05
    assert after["adam_l2"][1] == approx(before["adam_l2"][1], abs=2e-3)


@question("4.3", 3)
def _(reader):
    reader.slide("Surface: quiet", 1)
    l2, w = place(reader, "adam_l2"), place(reader, "adamw")
    assert l2 == approx([reader.stated("0.769")] * 2, abs=1e-3) and w[0] == w[1] > 0.9


@question("4.4", 1)
def _(reader):
    reader.slide("Spread", 10_000)
    needed = {}
    for menu in ("Muon (3.44, −4.78, 2.03)", "1.5, −0.5, 0", "1.875, −1.25, 0.375"):
        reader.choose("Coefficients a, b, c", menu)
        for steps in range(5, 31):
            reader.slide("Newton-Schulz steps", steps)
            if reader.read(r"steps \S+ \(") > 0.5:
                needed[menu] = steps
                break
    assert list(needed.values()) == [reader.stated(n) for n in ("7", "22", "14")]


@question("4.4", 2)
def _(reader):
    reader.slide("Spread", 10)
    reader.slide("Newton-Schulz steps", 20)
    least = []
    for menu in ("Muon (3.44, −4.78, 2.03)", "1.5, −0.5, 0", "1.875, −1.25, 0.375"):
        reader.choose("Coefficients a, b, c", menu)
        least.append(reader.read(r"steps \S+ \("))
    assert least == approx([reader.stated("0.682"), 1, 1], abs=1e-3)


@question("4.4", 3)
def _(reader):
    reader.slide("Spread", 1)
    for draw in range(4):
        reader.slide("Random draw", draw)
        assert reader.read("gradient") == 1
        assert reader.read("its sign") > 1.5 and reader.read(r"its sign \S+ with") == 6
    reader.slide("Spread", 10_000)
    kept = set()
    for draw in range(4):
        reader.slide("Random draw", draw)
        kept.add(reader.read(r"its sign \S+ with"))
    assert kept == {reader.stated("3"), reader.stated("4")} and reader.stated("10 000".split()[0])


@question("4.4", 1, instrument=2)
def _(reader):
    reader.slide("Step shown", 1)
    for rule in ("adam", "lamb", "lion"):
        dx, dy = (b - a for a, b in zip((1, 1.5), place(reader, rule), strict=True))
        assert dx < 0 and dy == approx(dx, abs=0.011), rule
    reader.choose("Curve", "length of step")
    assert reader.read("lamb: .*?length of step") == approx(reader.stated("0.036"), rel=0.02)


@question("4.4", 2, instrument=2)
def _(reader):
    reader.slide("Learning rate η", 0.2)
    reader.choose("Curve", "length of step")
    last = {rule: reader.read(rf"{rule}: [^;]*?length of step") for rule in ("adam", "lamb", "lion")}
    assert last["lion"] == approx(reader.stated("0.283"), rel=0.005) and last["adam"] < reader.stated("0.001")
    assert last["lamb"] == approx(reader.stated("0.2") * math.hypot(*place(reader, "lamb")), rel=0.25)


@question("4.4", 3, instrument=2)
def _(reader):
    reader.slide("Step shown", 1)
    reader.choose("Curve", "length of step")
    before = reader.read("lamb: .*?length of step")
    reader.drag("Start point", 0.1, 0.15)
    after = reader.read("lamb: .*?length of step")
    assert after == approx(reader.stated("0.0036"), rel=0.2) and after / before == approx(0.1, abs=0.02)


@question("4.5", 1)
def _(reader):
    assert reader.shown("Significant bits") == 8 and reader.shown("Learning rate η") == 0.001
    for rule in ("gd", "Kahan"):
        assert loss(reader, rule) == approx(reader.stated("0.195"), abs=0.0005)
    assert loss(reader, "rounded") == approx(reader.stated("6.1"), abs=0.05)
    assert math.dist(place(reader, "rounded"), (-1.5, 2)) < 0.1
    reader.slide("Significant bits", reader.stated("9"))
    assert loss(reader, "rounded") > 5
    reader.slide("Significant bits", reader.stated("10"))
    assert loss(reader, "rounded") == approx(reader.stated("0.16"), abs=0.005)


@question("4.5", 2)
def _(reader):
    before = loss(reader, "rounded")
    reader.slide("Learning rate η", reader.stated("0.0005"))
    assert before - 0.3 < loss(reader, "rounded") == approx(reader.stated("5.9"), abs=0.05)
    for rule in ("gd", "Kahan"):
        assert loss(reader, rule) == approx(reader.stated("2.78"), abs=0.03)
    here = place(reader, "rounded")
    reader.slide("Step shown", 2)
    assert place(reader, "rounded") == here


@question("4.5", 3)
def _(reader):
    reader.slide("Significant bits", reader.stated("5"))
    assert loss(reader, "Kahan") == approx(reader.stated("0.22"), abs=0.005)
    assert loss(reader, "gd") == approx(reader.stated("0.195"), abs=0.0005)


@question("4.6", 1)
def _(reader):
    reader.slide("Step shown", 20)
    even = lambda rule: place(reader, rule)[0] == place(reader, rule)[1]
    assert [rule for rule in ("gd", "momentum", "adam", "signsgd") if even(rule)] == ["adam", "signsgd"]
    assert place(reader, "adam")[0] == approx(reader.stated("2.44"), abs=0.006)
    assert place(reader, "signsgd")[0] == approx(reader.stated("2"), abs=1e-3)
    assert place(reader, "gd") == approx([reader.stated("2.20"), reader.stated("0.561")], abs=2e-3)


@question("4.6", 2)
def _(reader):
    reader.slide("Step shown", 20)
    rules = ("gd", "momentum", "adam", "signsgd")
    before = {rule: place(reader, rule) for rule in rules}
    reader.slide("Surface: share", 0.5)
    after = {rule: place(reader, rule) for rule in rules}
    changed = [rule for rule in rules if math.dist(before[rule], after[rule]) > 0.01]
    assert changed == ["gd", "momentum"] and all(x == y for x, y in after.values())


@question("4.6", 3)
def _(reader):
    reader.slide("Step shown", 20)
    reader.slide("Learning rate η, gd", 20, within=0.02)
    u, v = place(reader, "gd")
    assert v == approx(reader.stated("1.57"), abs=0.02) and u == approx(2.197, abs=0.02)
    reader.slide("Step shown", 60)
    reader.slide("Learning rate η, gd", reader.stated("23") + 1, within=0.02)
    assert abs(place(reader, "gd")[0] - 2.197) > 0.05


# ------------------------------------------------------------------------------------------------------- 5 schedules


@question("5.1", 1)
def _(reader):
    reader.only("constant", "1/t")
    order = "From the lowest up: .*?"
    reader.slide("Steps in all", 20)
    assert reader.read(order + "constant") == approx(reader.stated("0.0666"), rel=0.002)
    assert reader.read(order + "1/t") == approx(reader.stated("0.120"), rel=0.002)
    reader.slide("Steps in all", 1000)
    ratio = reader.read(order + "constant") / reader.read(order + "1/t")
    assert ratio == approx(reader.stated("50"), rel=0.1)


@question("5.1", 2)
def _(reader):
    reader.only("exponential")
    for rate, stated in [(0.05, "0.0148"), (0.1, "0.115")]:
        reader.slide("Exponential rate", rate)
        reader.slide("Steps in all", 1000)
        left = reader.read("bias²")
        assert left == approx(reader.stated(stated), rel=0.005)
        reader.slide("Steps in all", round(5 / rate))
        assert reader.read("bias²") < 1.1 * left
        reader.slide("Steps in all", round(2.4 / rate))
        assert reader.read("bias²") > 1.1 * left


@question("5.1", 3)
def _(reader):
    reader.slide("Gradient noise σ", 0)
    reader.slide("Steps in all", 100)
    left = {name: reader.read(f"lowest up: .*?{name}") for name in ("constant", "exponential", "linear", "1/t")}
    assert left["constant"] * 10 < min(v for name, v in left.items() if name != "constant")


@question("5.1", 1, instrument=2)
def _(reader):
    low, high = reader.read("rose from"), reader.read("rose from .* to")
    assert reader.said.startswith("It jumps") and high / low > reader.stated("3")
    reader.choose("Schedule of η", "cosine")
    assert reader.read("training loss") == approx(reader.stated("0.22"), abs=0.01) and "It jumps" not in reader.said


@question("5.1", 2, instrument=2)
def _(reader):
    reader.slide("Learning rate η", 0.03, within=0.03)
    for schedule, stated in (("constant", "0.46"), ("cosine", "0.57")):
        reader.choose("Schedule of η", schedule)
        assert reader.read("training loss") == approx(reader.stated(stated), abs=0.015)


@question("5.2", 1)
def _(reader):
    reader.only("cosine", "linear")
    assert reader.read("lowest up: .*?cosine") == approx(reader.stated("0.0061"), abs=6e-5)
    assert reader.read("lowest up: .*?linear") == approx(reader.stated("0.0092"), abs=6e-5)


@question("5.2", 2)
def _(reader):
    reader.only("constant", "cosine")
    for warmup, stated in [(50, "0.0061"), (100, "0.0063"), (500, "0.0093")]:
        reader.slide("Warm-up steps", warmup)
        assert reader.read("lowest up: .*?cosine") == approx(reader.stated(stated), abs=6e-5)
        assert reader.read("lowest up: .*?constant") == approx(reader.stated("0.25"), abs=1e-3)


@question("5.2", 3)
def _(reader):
    reader.only("constant", "cosine")
    assert reader.read("lowest up: .*?constant") == approx(reader.stated("0.25"), abs=1e-3)
    reader.slide("Cooldown steps", 200)
    assert reader.read("lowest up: .*?constant") == approx(reader.stated("0.020"), abs=6e-4)
    assert reader.read("lowest up: .*?cosine") == approx(reader.stated("0.006"), abs=6e-4)


@question("5.2", 4)
def _(reader):
    reader.choose("What runs", "½(ab − 1)², sharpness")
    reader.only("constant")
    reader.slide("Learning rate η₀", 0.8)
    alive = {}
    for warmup in (0, 20, 33, 34, 45, 60, 100, 200):
        reader.slide("Warm-up steps", warmup)
        alive[warmup] = "diverged" not in reader.said
    assert not any(alive[k] for k in (0, 20, 33, int(reader.stated("45"))))
    assert alive[34] and alive[int(reader.stated("60"))] and alive[100] and alive[200]
    reader.slide("Warm-up steps", 500)
    assert 2.2 < reader.read("ends at sharpness") < reader.read("2/η =") == reader.stated("2.5")


def metric(reader, values):
    """Draws the metric, in one go of the mouse over its plot."""
    reader.sketch("Metric, one value for each evaluation", [(k + 1, v) for k, v in enumerate(values)])


@question("5.3", 1)
def _(reader):
    falling = [1 - 0.03 * k for k in range(30)]
    for plateau, cuts in [(2, "never cut"), (3, "cut once")]:
        metric(reader, [falling[min(k, 10)] if k <= 10 + plateau else falling[k] for k in range(30)])
        assert cuts in reader.said and reader.read(r"\. ") == plateau


@question("5.3", 2)
def _(reader):
    falling = [0.97**k for k in range(30)]
    metric(reader, falling)
    assert "never cut" in reader.said
    metric(reader, [reader.stated("0.45") if k == 10 else v for k, v in enumerate(falling)])
    assert reader.read("cut") == reader.stated("5")


@question("5.3", 3)
def _(reader):
    assert reader.read("after evaluation") == reader.stated("20")
    for threshold in ("0.06", "0.1"):
        reader.slide("Threshold", reader.stated(threshold), within=0.02)
        assert reader.read("after evaluation") == reader.stated("12")


# ---------------------------------------------------------------------------------------------------- 6 second order

NEWTON, SEARCH, FREE = "Newton, full step", "Newton, line search", "saddle-free Newton"


def step_to(reader):
    return [reader.read(r"The step to \("), reader.read(r"The step to \(\S+,")]


@question("6.1", 1)
def _(reader):
    for y, way in [(0.5, -1), (0.65, 1)]:
        reader.drag("Start point", 1, y)
        for method in (NEWTON, SEARCH):
            reader.choose("Run and model of", method)
            assert math.copysign(1, step_to(reader)[1] - y) == way, method
        for method in (FREE, "gradient descent"):
            reader.choose("Run and model of", method)
            assert step_to(reader)[1] > y, method


@question("6.1", 2)
def _(reader):
    assert reader.read("curvatures") == reader.stated("-0.97")
    reader.slide("Damping τ", 0.95, within=0.02)
    assert step_to(reader)[1] < 0.1
    reader.slide("Damping τ", 1)
    assert step_to(reader)[1] > 1.1
    reader.slide("Damping τ", 1.1)
    assert 0.1 < step_to(reader)[1] < 1.1


@question("6.1", 3)
def _(reader):
    for method, end, curvatures in [(NEWTON, "a saddle point", (-1, 1)), (FREE, "a minimum", (1, 2))]:
        reader.choose("Run and model of", method)
        reader.press("Step", times=int(reader.read(f"{method}:")))
        assert f"converged at {end}" in reader.said
        assert [reader.read("curvatures"), reader.read("curvatures .* and")] == approx(curvatures, abs=1e-3)


@question("6.2", 1)
def _(reader):
    reader.slide("Step shown", reader.read("BFGS:"))
    assert reader.read("curvatures") == approx(0.4, rel=0.01)
    assert reader.read("curvatures .* and") == approx(1002, rel=0.01)


@question("6.2", 2)
def _(reader):
    reader.choose("Run and model of", "L-BFGS")
    for pairs, low, high in [(1, "45", "65"), (5, "30", "45")]:
        reader.slide("Pairs kept (L-BFGS)", pairs)
        assert reader.stated(low) <= reader.read("L-BFGS:") <= reader.stated(high)


@question("6.2", 3)
def _(reader):
    unused = []
    for noise in (0, 1, 10, 100):
        reader.slide("Noise in gradient changes", noise)
        unused.append(reader.read(r"\.") if "left unused" in reader.said else 0)
    assert unused[0] == 0 < max(unused)


def at_end(reader, name):
    return reader.read(rf"(?<!Pinned).*?\b{name}")


@question("6.3", 1)
def _(reader):
    reach = {}
    for rate in (0.05, 0.1, 0.2, 0.4):
        reader.slide("learning rate", rate)
        reach[rate] = reader.read("sharpness") / reader.read("2/η")
    assert min(rate for rate, part in reach.items() if part > 0.9) == reader.stated("0.2")
    assert reach[0.05] < 0.9 and reach[0.1] < 0.9


@question("6.3", 2)
def _(reader):
    losses = {}
    for rate in ("0.05", "0.4"):
        reader.slide("learning rate", reader.stated(rate))
        losses[rate] = reader.read("loss")
    assert losses["0.05"] / losses["0.4"] > reader.stated("6")


@question("6.3", 3)
def _(reader):
    reader.slide("learning rate", 0.2)
    reader.press("Pin this run")
    reader.slide("learning rate", 0.4)
    sharp = [reader.read("sharpness", which=k) for k in (0, 1)]
    assert sharp[1] / sharp[0] == approx(2, rel=0.1)
    reader.slide("Read at step", 0)
    assert reader.read("sharpness", which=0) == reader.read("sharpness", which=1)


@question("6.4", 1)
def _(reader):
    reader.slide("Step shown", 1)
    reader.choose("Curve", "length of step")
    lengths = []
    for start in ((-3, 5), (-1, 3)):
        reader.drag("Start point", *start)
        lengths.append(
            [reader.read(rf"{rule}: [^;]*?length of step") for rule in (r"of 40\. Fisher", "empirical Fisher")]
        )
    (exact, empirical), (halved, longer) = lengths
    assert exact / halved == approx(2, rel=0.02)
    assert (empirical, longer) == approx((reader.stated("0.202"), reader.stated("0.348")), rel=0.02)


@question("6.4", 2)
def _(reader):
    away = lambda: math.dist(place(reader, "empirical Fisher"), (1, 1))
    reader.slide("spread", 3, within=0.02)
    assert away() == approx(reader.stated("0.73"), abs=0.05)
    reader.slide("Learning rate η", 9, within=0.05)
    assert away() < 0.01 and reader.stated("0.001")


@question("6.4", 3)
def _(reader):
    away = lambda: math.dist(place(reader, "empirical Fisher"), (1, 1))
    reader.slide("spread", 0.3, within=0.1)
    seen = []
    for steps in range(30, 41):
        reader.slide("Step shown", steps)
        seen.append(away())
    assert max(seen) > 0.3
    reader.slide("Learning rate η", 0.1, within=0.02)
    assert away() == approx(reader.stated("4.8"), abs=0.1)


# --------------------------------------------------------------------------------------------------- 7 initialization

UP, DOWN = r"Activations .*?a factor", r"Gradients .*?a factor"


@question("7.1", 1, instrument=2)
def _(reader):
    for init, each in [("Glorot normal", 0.5), ("He normal", reader.stated("1"))]:
        reader.choose("Initial weights", init)
        assert [reader.read(UP), reader.read(DOWN)] == approx([each, each], rel=0.12)


@question("7.1", 2, instrument=2)
def _(reader):
    reader.choose("Initial weights", "He normal")
    power = {}
    for gain in (1, 0.9, 1.1):
        reader.slide("Gain", gain)
        power[gain] = reader.read("mean square")
    assert power[1] / power[0.9] == approx(reader.stated("68"), rel=0.01)
    assert power[1.1] / power[1] == approx(reader.stated("45"), rel=0.01)


@question("7.1", 3, instrument=2)
def _(reader):
    reader.choose("Activation", "tanh")
    reader.choose("Initial weights", "N(0, 1)")
    assert reader.read("mean square") == approx(reader.stated("0.9"), abs=0.06) and "Activations keep" in reader.said
    assert reader.read("Gradients explode:") > 1e10


@question("7.1", 4, instrument=2)
def _(reader):
    reader.choose("Activation", "tanh")
    each = []
    for gain in ("1.4", "1.5"):
        reader.slide("Gain", reader.stated(gain), within=0.011)
        each.append(reader.read(DOWN))
    assert each[0] < 1 < each[1]
    assert reader.read(UP) ** 20 == approx(1 / 3, abs=0.1)


@question("7.1", 1)
def _(reader):
    reader.choose("Initial weights", "all weights alike")
    assert "units of layer 1 are all alike" in reader.said and "all alike" in reader.answer
    assert reader.read(r"training loss [\d.]+,") == approx(50, abs=15) and "half of the points" in reader.answer


@question("7.1", 2)
def _(reader):
    largest = lambda: max(reader.read(rf"layer 1 up:(?: {NUMBER},){{{k}}}") for k in range(7))
    reader.slide("Step shown", 0)
    small = largest()
    reader.slide("Their scale", 1)
    reader.slide("Step shown", 0)
    assert small == reader.stated("0.000214") and largest() == reader.stated("0.155")
    assert largest() / small == approx(reader.stated("700"), rel=0.05)


@question("7.1", 3)
def _(reader):
    reader.slide("Their scale", 1)
    reader.choose("Activation", "sigmoid")
    reader.slide("Step shown", 0)
    assert 1 / reader.read("that of layer 1 is") == approx(reader.stated("2000"), rel=0.05)


@question("7.2", 1)
def _(reader):
    reader.choose("Initial weights", "He normal")
    power = {}
    for units in (64, 8):
        reader.slide("Units in a layer", units)
        for draw in range(5):
            reader.slide("Random draw", draw)
            power.setdefault(units, []).append(reader.read("mean square"))
    assert max(power[64]) / min(power[64]) < reader.stated("3")
    left = [p for p in power[8] if p]
    assert len(left) == 4 and max(left) / min(left) > 300


@question("7.2", 2)
def _(reader):
    reader.slide("Gain", 6**0.5, within=0.01)
    assert reader.read(UP) == approx(1, abs=0.1) and "keep their size" in reader.said


@question("7.2", 3)
def _(reader):
    reader.choose("Initial weights", "orthogonal")
    reader.choose("Activation", "none (linear)")
    assert reader.read(UP) == approx(1, abs=0.02)
    reader.choose("Activation", "ReLU")
    assert reader.read(UP) < 0.6
    reader.slide("Gain", 2**0.5)
    assert reader.read(UP) == approx(1, abs=0.05)


@question("7.2", 4)
def _(reader):
    reader.choose("Initial weights", "Glorot normal")
    reader.choose("Activation", "sigmoid")
    flat = reader.read("In the last layer")
    reader.slide("Gain", reader.stated("4"))
    assert 0 < reader.read("Gradients vanish:") < 1e-8 and reader.read("In the last layer") > flat + 10


@question("7.3", 1)
def _(reader):
    reader.slide("Read at step", 50)
    for bias, held in [(4, False), (reader.stated("4.5"), True)]:
        reader.slide("forget bias", bias)
        assert (reader.read("part kept") > 0.5) == held


@question("7.3", 2)
def _(reader):
    reader.slide("forget bias", 1)
    reader.press("Pin this run")
    reader.slide("forget bias", 2)
    reader.slide("Read at step", 20)
    assert reader.read("part kept", 0) / reader.read("part kept", 1) == approx(reader.stated("42"), rel=0.02)


@question("7.3", 3)
def _(reader):
    """The step at which a half is left, for biases half a unit apart."""
    reader.slide("Read at step", 60)
    lives = []
    for bias in (3, 3.5, 4):
        reader.slide("forget bias", bias)
        lives.append(-60 * math.log(2) / math.log(reader.read("part kept")))
    assert lives[1] / lives[0] == approx(reader.stated("1.65"), rel=0.03) == lives[2] / lives[1]


def crossing(reader):
    """The learning rate, in powers of two, at which the loss falls below the level."""
    losses = {}
    for power in reader.stops("Read at log2 of the learning rate"):
        losses[power] = reader.read("loss")
    first = min(p for p, v in losses.items() if v < 0.5)
    before = max(p for p in losses if p < first)
    part = math.log(losses[before] / 0.5) / math.log(losses[before] / losses[first])
    return before + part * (first - before)


@question("7.3", 1, instrument=2)
def _(reader):
    reader.slide("width", 256)
    wide = crossing(reader)
    reader.press("Pin this run")
    reader.slide("width", 32)
    assert crossing(reader) - wide == approx(3, abs=0.8) and "three octaves" in reader.answer


@question("7.3", 2, instrument=2)
def _(reader):
    reader.choose("parametrization", "μP")
    reader.slide("width", 256)
    wide = crossing(reader)
    reader.slide("width", 32)
    assert abs(crossing(reader) - wide) < 1 and "less than one" in reader.answer


@question("7.3", 3, instrument=2)
def _(reader):
    lowest = []
    for way in ("standard", "μP"):
        reader.choose("parametrization", way)
        reader.slide("width", 256)
        lowest.append(min(reader.read("loss") for _ in reader.stops("Read at log2 of the learning rate")))
    assert 0.5 < lowest[0] / lowest[1] < 2 and "less than a factor of two" in reader.answer


# --------------------------------------------------------------------------------------------------- 8 generalization


@question("8.1", 1)
def _(reader):
    assert reader.said.startswith("It overfits") and "It overfits" in reader.answer
    assert reader.read("held out") == approx(reader.stated("1.2"), abs=0.05)
    assert reader.read("times its lowest,") == approx(reader.stated("0.39"), abs=0.005)
    assert reader.read("times its lowest, .* at step") == reader.stated("5") and "100% right" in reader.said


@question("8.1", 2)
def _(reader):
    reader.slide("Number of points", 300)
    assert "overfits" not in reader.said and reader.read("held out") == approx(reader.stated("0.32"), abs=0.01)
    assert reader.read(r"training loss [\d.]+,") < 95 and "Not all training points" in reader.answer


@question("8.1", 3)
def _(reader):
    reader.choose("Penalty", "L2 (λΣw²)")
    reader.slide("Strength λ", 0.01, within=0.03)
    assert reader.read("held out") == approx(reader.stated("0.37"), abs=0.01)


@question("8.1", 1, instrument=2)
def _(reader):
    assert reader.read("test error") == approx(reader.stated("0.14"), abs=0.005)
    for degree in range(4, 10):
        assert reader.read("training error") > 0
        reader.slide("Degree", degree)
    assert reader.read("training error") == 0 and reader.stated("9") == degree
    assert reader.read("test error") == approx(reader.stated("5.02"), abs=0.005)
    assert "it overfits" in reader.said


@question("8.1", 2, instrument=2)
def _(reader):
    reader.slide("Degree", 20)
    assert reader.read("training error") == 0
    assert reader.read("test error") == approx(reader.stated("0.30"), abs=0.005)


@question("8.1", 3, instrument=2)
def _(reader):
    reader.slide("Degree", 9)
    without = reader.read("test error")
    reader.choose("Regularizer", "L2 (ridge)")
    reader.slide("Strength λ", 1e-5)
    assert reader.read("test error") < without
    reader.slide("Strength λ", 0.02, within=0.05)
    assert reader.read("test error") > reader.stated("0.30")
    reader.slide("Strength λ", 0.06, within=0.05)
    assert reader.read("test error") < reader.stated("0.30") and reader.stated("0.05")


@question("8.1", 4, instrument=2)
def _(reader):
    changed = {}
    for degree in (9, 4):
        reader.press("Reset")
        reader.slide("Degree", degree)
        before = reader.read("test error")
        x, y = reader.place("Point 5")
        reader.drag("Point 5", x, y + 0.1)
        changed[degree] = abs(reader.read("test error") - before)
    assert changed[9] > 0.5 > 0.05 > changed[4]


@question("8.2", 1)
def _(reader):
    seen = []
    for strength in (0.5, 0.3, 0.1):
        reader.slide("Strength λ", strength)
        seen.append(re.search(r"not number ([\d, ]+)", reader.said)[1].split(", "))
    assert seen == [["1"], ["1", "3"], ["1", "3", "5"]]


@question("8.2", 2)
def _(reader):
    reader.choose("Regularizer", "L2 (ridge)")
    assert ", 0 of 12 exactly zero" in reader.said and "None" in reader.answer


@question("8.2", 3)
def _(reader):
    reader.choose("Regularizer", "early stopping")
    assert reader.read("for the held-out points is") == reader.stated("16")
    reader.slide("Steps before the stop", 16)
    assert "close to the best" in reader.said
    length = reader.read("length")
    reader.choose("Regularizer", "L2 (ridge)")
    reader.slide("Strength λ", reader.stated("0.06"), within=0.05)
    assert reader.read("length") == approx(length, rel=0.1) and "close to the best" in reader.said


@question("8.2", 1, instrument=2)
def _(reader):
    test = {step: reader.read(r"\btest") for step in reader.stops("Read at step")}
    assert max(test, key=test.get) == approx(reader.stated("100"), abs=70) and max(test) == reader.stated("400")


@question("8.2", 2, instrument=2)
def _(reader):
    read = {}
    for method in ("none", "L2"):
        reader.choose("method", method)
        read[method] = reader.read(r"\btest"), reader.read(r"\btrain")
    assert 0.01 < read["L2"][0] - read["none"][0] < 0.1 and read["L2"][1] > 0.92


@question("8.2", 3, instrument=2)
def _(reader):
    reader.press("Pin this run")
    reader.choose("method", "L2")
    assert reader.read("spread of weights", 0) < 0.9 * reader.read("spread of weights", 1)


def sharpness(reader, rule):
    """a² + b² where a rule ends."""
    return sum(v * v for v in place(reader, rule))


@question("8.3", 1)
def _(reader):
    reader.press("Play")
    reader.wait("800 steps")
    assert sharpness(reader, "gradient descent") > reader.stated("6")
    assert place(reader, "SAM") == approx([1, 1], abs=0.25)


@question("8.3", 2)
def _(reader):
    reader.slide("Learning rate η", reader.stated("0.3"))
    assert sharpness(reader, "gradient descent") > 5.5
    reader.slide("Learning rate η", reader.stated("0.5"))
    assert "gradient descent: diverged" not in reader.said and sharpness(reader, "gradient descent") < 4


@question("8.3", 3)
def _(reader):
    assert place(reader, "SAM") != place(reader, "gradient descent")
    reader.slide("radius", 0)
    assert place(reader, "SAM") == place(reader, "gradient descent")


@question("8.3", 4)
def _(reader):
    still = sharpness(reader, "gradient descent")
    reader.slide("Gradient noise σ", 0.5)
    seen = []
    for steps in range(300, 801, 50):
        reader.slide("Steps", steps)
        seen.append(sharpness(reader, "gradient descent"))
    assert min(seen) < still - 0.3 and max(seen) > still + 3 and "in both directions" in reader.answer


@question("8.4", 1)
def _(reader):
    kept = {}
    for run in "ABCD":
        reader.choose("run", run)
        held = [reader.read("held out") for _ in reader.stops("Read at step")]
        kept[run] = held[-1] / min(held)
    assert kept["A"] > 1.1 and kept["C"] < 1.1


@question("8.4", 2)
def _(reader):
    reader.choose("run", "B")
    sharp = [(reader.read("sharpness"), reader.read("2/η")) for _ in reader.stops("Read at step")]
    assert all(now > limit for now, limit in sharp)
    reader.slide("Read at step", 0)
    assert reader.read("update / weight") > 0.5
    reader.choose("run", "D")
    reader.slide("Read at step", 300)
    assert reader.read("training") == approx(math.log(10), abs=0.01)
    assert reader.read("update / weight") == approx(1e-3, abs=1e-3)


@question("8.4", 3)
def _(reader):
    reader.choose("run", "C")
    read = {step: (reader.read("sharpness"), reader.read("training")) for step in reader.stops("Read at step")}
    assert all(now < reader.read("2/η") for now, _ in read.values())
    assert read[max(read)][1] < 0.3 * read[min(read)][1]


@question("8.5", 1)
def _(reader):
    assert reader.read("training loss is") == approx(reader.stated("0.7"), abs=0.2)
    reader.choose("Plane", "matched")
    assert reader.read("training loss is") == approx(reader.stated("0.05"), abs=0.03)


@question("8.5", 2)
def _(reader):
    """The mean of the three against the three, held out, plane by plane."""
    below = {}
    for plane in ("three seeds", "matched", "one run"):
        reader.choose("Plane", plane)
        reader.press("To the middle")
        found = [float(v) for v in re.search(r"the three have ([0-9.e−, ]+)\.", reader.said)[1].split(", ")]
        assert len(found) == 3
        below[plane] = reader.read("held-out loss") < min(found)
    assert below == {"three seeds": False, "matched": False, "one run": True}
    assert reader.read("held-out loss") == approx(reader.stated("0.09"), abs=0.03)
    assert min(found) == approx(reader.stated("0.14"), abs=0.04)


@question("8.5", 3)
def _(reader):
    reader.choose("Plane", "random directions")
    for height in ("1", "5"):
        reader.press("Next corner")
        loss = reader.read("training loss is")
        assert loss == approx(reader.stated(height), rel=0.4)
        assert reader.read("the point the training loss is at most") == approx(loss, rel=0.01)


# ---------------------------------------------------------------------------------------------------------- the tests


@pytest.mark.parametrize(
    ("notebook", "place"), sorted({key[:2] for key in REPLAYS if key[0][0] in COVERED}), ids=lambda part: str(part)
)
def test_the_controls_lead_to_the_answers(notebook, place, open_page):
    """One question after the other, as a reader goes: Reset is pressed only where a question says so."""
    instrument = instruments(NOTEBOOKS[notebook])[place - 1]
    page = open_page(body=page_of(instrument))
    page.wait_for_function("document.querySelector('output').textContent")
    for k, (asked, answer) in enumerate(zip(instrument.asked, instrument.answers, strict=True), 1):
        reader = Reader(page, answer)
        if asked.startswith("Reset"):
            reader.press("Reset")
        REPLAYS[notebook, place, k](reader)


def test_every_question_is_replayed():
    asked = [
        (name, place, k)
        for name, path in NOTEBOOKS.items()
        if name[0] in COVERED
        for place, instrument in enumerate(instruments(path), 1)
        for k, _ in enumerate(instrument.asked, 1)
    ]
    assert asked and sorted(key for key in REPLAYS if key[0][0] in COVERED) == sorted(asked)
