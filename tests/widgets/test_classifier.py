"""A network that learns in the page: its runs are those of `optcore.MLP` and `optcore.Optimizer`, and what it says of a
run is checked against numbers that were computed apart."""

import numpy as np
import pytest

import optcore as oc
from optcore.regularizers import l1, l2
from optcore.rule_spec import is_elementwise
from optcore.widgets.base import page_source
from optcore.widgets.classifier import CRITERIA, DATA, INITS, RULES, SCHEDULES, classifier

from .controls import assign, live, numbers, seen, settle, words

ELEMENTWISE = [name for name in oc.rules.__all__ if is_elementwise(getattr(oc, name))]

PARTS = f"""<script>{page_source("common.js")}</script><script>{{
{page_source("classifier.js").replace("export default", "const none =")}
window.parts = {{ experiment, sliceOf, unitsOf, fused }};
window.runs = ([spec, values]) => {{
  const runOf = parts.experiment(oc.revive(spec));
  return values.map((value) => {{
    const run = runOf(value).advance(1e9), k = run.last + 1;
    const list = (a) => oc.plain([...a.subarray(0, k)]);
    return {{
      X: [...run.data.X], y: [...run.data.y], step: Array.from({{ length: k }}, (_, i) => run.step(i)),
      theta: oc.plain(Array.from({{ length: k }}, (_, i) => [...run.theta(i)]).flat()),
      loss: list(run.loss), held: list(run.held),
      right: list(run.right), held_right: list(run.heldRight), norms: run.norms.map(list), done: run.done,
    }};
  }});
}};
}}</script>"""


@pytest.fixture
def parts(open_page):
    return open_page(body=PARTS)


def runs_in_page(parts, widgets):
    """The runs of widgets with the same rules, computed by the page."""
    return parts.evaluate("runs", [widgets[0].spec, [w.value for w in widgets]])


def compare(run: dict, widget, tol: float = 1e-10) -> None:
    """A run of the page against the same run of optcore."""
    ours = widget.run()
    assert run["done"] and run["step"] == ours["step"].tolist()
    X, y = widget.samples()
    np.testing.assert_allclose(np.reshape(run["X"], X.shape), X, rtol=0, atol=1e-14)
    assert run["y"] == y.tolist()
    close = lambda a, b, name: np.testing.assert_allclose(np.array(a, float), b, rtol=tol, atol=tol, err_msg=name)
    for name in ("loss", "held", "right", "held_right"):
        close(run[name], ours[name], name)
    close(np.transpose(np.array(run["norms"], float)), ours["norms"], "norms")
    close(np.reshape(np.array(run["theta"], float), ours["theta"].shape), ours["theta"], "theta")


STARTS = [
    {"activation": "tanh", "init": "glorot", "data": "rings", "batch": 7},
    {"activation": "relu", "init": "he", "data": "xor", "batch": 400, "depth": 3, "width": 8},
    {"activation": "sigmoid", "init": "lecun", "data": "spirals", "batch": 1, "scale": 2.0, "depth": 1},
]


@pytest.mark.parametrize("rule", ELEMENTWISE)
def test_a_run_is_that_of_optcore(rule, parts):
    """Each rule that treats every parameter alone, from three starts with the same batches: 80 steps, all seen."""
    rate = 0.002 if rule in ("lion", "signsgd") else 0.02
    widgets = [classifier(rules=ELEMENTWISE, rule=rule, lr=rate, steps=80, seed=3, **start) for start in STARTS]
    found = runs_in_page(parts, widgets)
    assert len(found) == len(STARTS)
    for run, widget in zip(found, widgets, strict=True):
        assert len(run["loss"]) == 81 and abs(run["loss"][-1] / run["loss"][0] - 1) > 1e-4
        compare(run, widget)


def test_every_setting_is_that_of_optcore(parts):
    """Data, initial weights, activations, schedules, penalties, sizes, own points: each choice at least once."""
    own = [[0.5, 0.5, 1], [-0.25, 0.1, 0], [-1, 1, 1]]
    changes = [
        *({"data": name, "noise": 0.2, "n": 31} for name in DATA),
        *({"init": name, "scale": 0.5} for name in INITS),
        *({"activation": name} for name in oc.layers.ACTIVATIONS),
        *({"schedule": name} for name in SCHEDULES),
        *({"penalty": name, "lam": 0.05} for name in ("l1", "l2")),
        *({"width": width, "depth": depth} for width, depth in ((1, 1), (32, 2), (3, 8))),
        {"data": "own", "points": own, "batch": 2},
        {"points": own, "seed": 99},
        {"steps": 50},
        {"steps": 333, "width": 4, "depth": 1},
    ]
    widgets = [classifier(lr=0.01, **{"activation": "tanh", "steps": 60, **change}) for change in changes]
    for run, widget in zip(runs_in_page(parts, widgets), widgets, strict=True):
        compare(run, widget, 1e-9)
    assert len(widgets) > 25


def test_the_variance_of_the_weights_is_that_of_the_initializers():
    """One draw by the initializer over the same draw with variance 1 is the root of the variance."""
    for name, make in {"he": oc.he_normal, "glorot": oc.glorot_normal, "lecun": oc.lecun_normal}.items():
        for sizes in ((2, 16), (16, 16), (16, 1)):
            ratio = make(*sizes, 5) / oc.normal_init(*sizes, 5, std=1.0)
            np.testing.assert_allclose(ratio, np.sqrt(INITS[name][1](*sizes)), rtol=1e-12)
    W = classifier(init="alike").network().params
    assert all(len(np.unique(W[f"W{k}"])) == 1 for k in (1, 2, 3))


def test_penalties_are_those_of_the_course():
    w = classifier(penalty="l2", lam=0.3, steps=50, batch=400, rule="gd", lr=0.1)
    plain = classifier(steps=50, batch=400, rule="gd", lr=0.1)
    start = w.network()
    for kind, penalty in (("l1", l1), ("l2", l2)):
        w.penalty = kind
        pulled = plain.run()["theta"][1] - w.run()["theta"][1]
        expected = np.r_[0.1 * penalty(start.weights, 0.3)[1], np.zeros(start.theta.size - start.weights.size)]
        np.testing.assert_allclose(pulled, expected, atol=1e-12)


# ---------------------------------------------------------------------------------------------------------- verdicts

FATES = {
    "It has learned the points": {},
    "It diverges": {"rule": "gd", "lr": 10, "activation": "identity", "width": 32, "scale": 3},
    "is dead": {"data": "spirals", "scale": 0.0},
    "are all alike": {"init": "alike", "activation": "tanh", "data": "xor"},
    "Gradients vanish": {"activation": "sigmoid", "depth": 8, "rule": "gd", "lr": 0.1},
    "It jumps": {
        "data": "blobs",
        "noise": 0.3,
        "lr": 0.3,
        "batch": 2,
        "activation": "identity",
        "depth": 1,
        "steps": 200,
    },
    "It overfits": {"data": "blobs", "noise": 0.35, "n": 40, "steps": 500, "lr": 0.05, "activation": "tanh"},
    "It is still learning": {"data": "spirals", "rule": "gd", "lr": 0.2, "steps": 200, "batch": 400},
    "It is stuck": {"data": "xor", "depth": 1, "activation": "identity", "steps": 500, "batch": 400},
}


def holds(verdict: str, w) -> bool:
    """Whether the criterion holds, by the run of optcore."""
    run, c = w.run(), CRITERIA
    net, (X, _) = w.network(), w.samples()
    net.theta[...] = run["theta"][-1]
    signals, last = net.signals(X), run["loss"][-1]
    hidden = signals[2 : 1 + 2 * w.depth : 2]
    slopes = [np.abs(oc.activation_slope(w.activation, z)) for z in signals[1 : 2 * w.depth : 2]]
    quarter = run["loss"][len(run["loss"]) - 1 - (len(run["loss"]) - 1) // 4 :]
    tenth = run["loss"][len(run["loss"]) - 1 - -(-(len(run["loss"]) - 1) // 10)]
    facts = {
        "It diverges": not last <= c["gone"] * run["loss"][0],
        "is dead": any((s < c["flat"]).all() for s in slopes),
        "are all alike": w.width > 1 and any(np.ptp(a, axis=1).max() <= 1e-9 * np.abs(a).max() for a in hidden),
        "Gradients vanish": run["right"][-1] < c["right"]
        and (run["norms"][0].max() < c["vanish"] or run["norms"][-1, 0] < c["vanish"] * run["norms"][-1, -1]),
        "It jumps": any(
            x > max(c["jump"] * quarter[: i + 1].min(), c["high"] * run["loss"][0]) for i, x in enumerate(quarter)
        ),
        "It overfits": run["held"][-1] > c["overfit"] * run["held"].min(),
        "It has learned the points": run["right"][-1] >= c["right"],
        "It is still learning": last < (1 - c["fall"]) * tenth,
        "It is stuck": True,
    }
    before = list(facts)[: list(facts).index(verdict)]
    return facts[verdict] and not any(facts[other] for other in before)


@pytest.mark.parametrize("verdict", FATES)
def test_the_status_line_names_the_cause(verdict, open_page):
    w = classifier(**FATES[verdict])
    assert holds(verdict, w)
    assert verdict in words(open_page(body=live(w))).split(". ")[0]


def test_units_that_are_dead_are_counted(open_page):
    w = classifier(data="spirals", rule="gd", lr=3, view="units", batch=5, steps=500)
    run, net, (X, _) = w.run(), w.network(), w.samples()
    net.theta[...] = run["theta"][-1]
    dead = [int((z <= 0).all(axis=0).sum()) for z in net.signals(X)[1:4:2]]
    assert sum(dead) > 3
    assert f"Dead units by layer: {dead[0]}, {dead[1]} of 16." in words(open_page(body=live(w)))


def test_the_status_line_reads_out_the_run(open_page):
    w = classifier("spirals", lr=0.01, steps=200, probe=[0.3, -0.4])
    run, net = w.run(), w.network()
    page = open_page(body=live(w))
    for shown in (0, 40, None):
        k = -1 if shown is None else shown
        found = numbers(assign(page, shown=shown).partition("Step ")[2])
        net.theta[...] = run["theta"][k]
        p = float(oc.sigmoid(net([w.probe]))[0, 0])
        expected = [
            run["step"][k],
            200,
            run["loss"][k],
            100 * run["right"][k],
            run["held"][k],
            100 * run["held_right"][k],
        ]
        np.testing.assert_allclose(found[:6], expected, rtol=6e-3)
        np.testing.assert_allclose(found[7:10], run["norms"][k], rtol=6e-3)
        assert found[12] == pytest.approx(100 * max(p, 1 - p), rel=6e-3)


# -------------------------------------------------------------------------------------------------- the loss surface


def test_the_slice_is_of_the_runs_own_loss(parts):
    """Start, end, and the evaluation farthest from the line between them lie in the plane, with the loss of the run."""
    w = classifier("rings", activation="tanh", steps=300, width=6)
    found = parts.evaluate(
        """([spec, value]) => {
          const run = parts.experiment(oc.revive(spec))(value).advance(1e9), slice = parts.sliceOf(run, 9);
          while (!slice.advance(1e9));
          const corners = [0, 8].flatMap((j) => [0, 8].map((i) => {
            const at = ([lo, hi], k) => lo + (hi - lo) * k / 8;
            return [slice.at([at(slice.x, i), at(slice.y, j)]), slice.loss(at(slice.x, i), at(slice.y, j))];
          }));
          return { path: [...slice.path], share: slice.share, corners,
                   losses: [...slice.path].map((a, i, path) => (i % 2 ? 0 : slice.loss(a, path[i + 1]))) };
        }""",
        [w.spec, w.value],
    )
    run = w.run()
    path, losses = np.reshape(found["path"], (-1, 2)), np.array(found["losses"][::2])
    np.testing.assert_allclose(path[[0, -1]], [[0, 0], [1, 0]], atol=1e-12)
    moved = run["theta"] - run["theta"][0]
    axis = moved[-1]
    rest = moved - np.outer(moved @ axis / (axis @ axis), axis)
    far = np.linalg.norm(rest, axis=1).argmax()
    np.testing.assert_allclose(
        path[far], [moved[far] @ axis, np.linalg.norm(rest[far]) * np.linalg.norm(axis)] / (axis @ axis)
    )
    np.testing.assert_allclose(losses[[0, far, -1]], run["loss"][[0, far, -1]], rtol=1e-9)
    inside = (path**2).sum() * (axis @ axis) / (moved**2).sum()
    assert found["share"] == pytest.approx(inside, rel=1e-9) and 0.5 < inside <= 1
    np.testing.assert_allclose(*np.transpose(found["corners"]), rtol=1e-4)


def test_the_slice_is_shown_on_demand(open_page):
    page = open_page(body=live(classifier(steps=100)))
    assert "The plane holds" not in words(page)
    before = seen(page)[1]
    assert "The plane holds" in assign(page, view="slice") and seen(page)[1] != before
    assert "has not moved" in assign(
        page, init="alike", scale=0, activation="relu", lr=1e-4, data="own", points=[[0, 0, 0], [0, 0, 1]]
    )


# ---------------------------------------------------------------------------------------------------- points by hand


def test_a_click_a_tap_and_a_key_add_points_and_delete_removes_them(open_page):
    for touch in (False, True):
        page = open_page(body=live(classifier(steps=50)), touch=touch, width=500)
        box = page.locator(".oc-canvas").first.bounding_box()
        (page.touchscreen.tap if touch else page.mouse.click)(
            box["x"] + 0.7 * box["width"], box["y"] + 0.3 * box["height"]
        )
        settle(page)
        page.wait_for_function("model.get('value').points.length === 1")
        x, y, c = page.evaluate("model.get('value').points[0]")
        assert 0.2 < x < 0.8 and 0.2 < y < 0.8 and c == 0
        assign(page, adds="second")
        handle = page.get_by_role("slider", name="Probe")
        handle.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.wait_for_function("model.get('value').points.length === 2")
        x, y, c = page.evaluate("model.get('value').points[1]")
        assert x > 0 and y == 0 and c == 1
        page.keyboard.press("Delete")
        page.wait_for_function("model.get('value').points.length === 1")


def test_points_of_ones_own_alone(open_page):
    page = open_page(body=live(classifier(steps=300)))
    assert "two at least" in assign(page, data="own")
    said = assign(page, points=[[-0.5, 0, 0], [0.5, 0, 1]])
    assert "100% right." in said and "held out" not in said
    assert "Points were not a list" in assign(page, points=[[1, 2]])


def test_reduced_motion_shows_start_and_end_alone(open_page):
    w = classifier("spirals", steps=20_000, width=32, batch=1)
    page = open_page(body=live(w), reduced=True)
    assert "Step 0 of 20000" in page.evaluate("document.querySelector('output').textContent")
    page = open_page(body=live(w))
    page.wait_for_function("/Step [1-9][0-9]* of 20000/.test(document.querySelector('output').textContent)")


# -------------------------------------------------------------------------------------------------------------- data


def test_points_are_drawn_from_the_shapes_that_are_named():
    """Of each shape the figures that its sentence tells, class by class, over its whole extent."""
    u, v = np.random.default_rng(0).random((2, 2000))
    for c in (0, 1):
        x, y = DATA["rings"](u, v, c)
        np.testing.assert_allclose(np.hypot(x, y), (0.35, 0.85)[c])
        np.testing.assert_allclose([x.mean(), y.mean()], 0, atol=0.05)  # all around
        x, y = DATA["blobs"](u, v, c)
        middle = (-0.28, 0.28)[c]
        radius = np.hypot(x - middle, y - middle)
        assert radius.max() <= 0.4 and np.mean(radius**2) == pytest.approx(0.4**2 / 2, rel=0.05)  # evenly filled
        np.testing.assert_allclose([x.mean(), y.mean()], middle, atol=0.02)
        x, y = DATA["xor"](u, v, c)
        assert np.array_equal(x * y > 0, np.full(2000, c == 1)) and np.abs(x).max() <= 0.9 and np.abs(y).min() >= 0.08
        x, y = DATA["spirals"](u, v, c)
        r, turned = np.hypot(x, y), np.unwrap(np.arctan2(y, x)[np.argsort(u)])
        assert r.min() >= 0.1 and turned[-1] - turned[0] == pytest.approx(2 * np.pi * 1.25 * (r.max() - r.min()))
    first, second = (np.array(DATA["spirals"](u, v, c)) for c in (0, 1))
    np.testing.assert_allclose(first, -second, atol=1e-12)  # half a turn apart


# ------------------------------------------------------------------------------------------------------------ Python


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"data": "moons"}, "data must be one of rings"),
        ({"rule": "adamz"}, "rule must be one of gd"),
        ({"rules": ["adamz"]}, "no rule named 'adamz'"),
        ({"rules": ["lamb"], "rule": "lamb"}, "does not treat each parameter alone"),
        ({"lr": 0}, "lr must be a number from 0.0001 to 10"),
        ({"width": 33}, "whole number from 1 to 32"),
        ({"points": [[0, 0, 2]]}, "class 0 or 1"),
        ({"data": "own"}, "two points or more"),
        ({"front": ["speed"]}, "front must be a list out of"),
        ({"front": ["data", "rule", "lr", "view", "n"]}, "from 0 to 4"),
    ],
)
def test_bad_arguments_are_named(arguments, part):
    with pytest.raises((TypeError, ValueError), match=part):
        classifier(**arguments)
    with pytest.raises(TypeError, match="no setting 'momentum'"):
        classifier(momentum=0.9)


def test_a_rule_of_ones_own_trains_in_the_page(parts):
    def mine(g, m=0.5, *, t, w, keep=0.5, pull=0.01):
        m = keep * m + g / t
        return m + pull * w, m

    w = classifier(rules={"mine": mine}, rule="mine", steps=60, activation="tanh")
    compare(runs_in_page(parts, [w])[0], w)
    assert len(RULES) > 5
