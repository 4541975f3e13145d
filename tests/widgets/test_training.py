"""Tables of runs: what is drawn is what was given, every control counts, and faults of a table are named."""

import numpy as np
import pytest

import optcore as oc
from optcore.widgets.base import to_json
from optcore.widgets.training import training

from .controls import assign, drawn, drawn_lines, exact, live, numbers, seen, words

STEPS = np.arange(0, 300, 3)
ETAS = (0.1, 0.2, 0.4)


def _runs(eta, rule, seeds=4):
    rng = np.random.default_rng(int(1000 * eta) + len(rule))
    return np.exp(-eta * STEPS / 50) + 0.01 * rng.random((seeds, len(STEPS)))


def _table():
    return {
        (eta, rule): {
            "train": _runs(eta, rule),
            "test": 0.1 + _runs(eta, rule)[0],
            "step": STEPS,
            "2/η": 2 / eta,
            "sharpness": np.minimum(STEPS / 10, 2 / eta),
            "accuracy": 0.9 + eta * np.arange(4) / 10,
            "weights": np.outer(np.arange(4) - 1.5, np.full(6, eta)),
            "all": np.linspace(-eta, eta, 100),
        }
        for eta in ETAS
        for rule in ("gd", "adam")
    }


def _widget(**changes):
    return training(
        _table(),
        ["η", "rule"],
        **{
            "curves": {"Loss": ["train", "test"], "Sharpness": ["sharpness", "2/η"]},
            "values": {"Accuracy": ["accuracy"]},
            "images": ["weights"],
            "histograms": ["all"],
            "x": "step",
            "log": ["Loss"],
            **changes,
        },
    )


@pytest.mark.parametrize(
    ("bands", "line", "edges"),
    [
        ("range", np.median, lambda a: (a.min(), a.max())),
        ("quartiles", np.median, lambda a: np.quantile(a, [0.25, 0.75])),
        ("se", np.mean, lambda a: a.mean() + np.array([-1, 1]) * 2 * a.std(ddof=1) / np.sqrt(len(a))),
    ],
)
def test_bands_over_seeds_are_the_statistics_named(open_page, bands, line, edges):
    w = _widget(bands=bands)
    page = open_page(body=exact(w))
    for s0, eta in enumerate(ETAS):
        for rule in ("gd", "adam"):
            shown = numbers(assign(page, s0=s0, s1=rule))
            last = _runs(eta, rule)[:, -1]
            expected = [eta, line(last), *edges(last), 0.1 + last[0], min(29.7, 2 / eta)]
            np.testing.assert_allclose(shown[:6], expected, rtol=1e-3)


def test_choice_and_record_follow_the_controls():
    w = _widget(start=(0.2, "adam"))
    assert w.choice == {"η": 0.2, "rule": "adam"}
    assert w.record["2/η"] == 10
    w.choice = {"η": 0.4}
    assert w.choice == {"η": 0.4, "rule": "adam"} and w.value["s0"] == 2
    with pytest.raises(ValueError, match=r"η has no value 0.3; it has: 0.1, 0.2, 0.4"):
        w.choice = {"η": 0.3}
    with pytest.raises(ValueError, match="no setting 'lr'"):
        w.choice = {"lr": 0.1}


def test_long_curves_are_thinned_to_the_last_point_and_equal_arrays_travel_once():
    t = np.arange(10_001)
    w = training({eta: {"loss": t * eta, "same": t} for eta in ETAS}, "η", curves=["loss", "same"], points=50)
    entry = w.spec["pool"][w.spec["rows"][0]["loss"]]
    x = w.spec["pool"][entry["x"]]
    assert len(x) == 50 and x[0] == 0 and x[-1] == 10_000
    assert len({row["same"] for row in w.spec["rows"]}) == 1
    assert len(to_json(w.spec)) < 4_000


def test_values_panel_picks_by_click(open_page):
    page = open_page(body=live(_widget()))
    assert words(page).startswith("η 0.1, rule gd")
    box = page.get_by_role("img", name="Accuracy, against η").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 30, box["y"] + 40)
    assert words(page).startswith("η 0.4, rule gd")


def test_pinned_run_stays(open_page):
    page = open_page(body=live(_widget()))
    before = seen(page)
    page.get_by_role("button", name="Pin this run").click()
    page.get_by_role("slider", name="η").press("End")
    pinned = seen(page)
    assert "Pinned, thin: η 0.1, rule gd" in pinned[0]
    page.get_by_role("button", name="Unpin").click()
    assert "Pinned" not in words(page) and seen(page)[1] != pinned[1] != before[1]


def test_notes_are_said(open_page):
    w = training({"a": {"v": [0.0, 1.0]}, "b": {"v": [1.0, 2.0]}}, "run", curves=["v"], notes={"b": "This one climbs."})
    page = open_page(body=live(w))
    assert "climbs" not in words(page) and "This one climbs." in assign(page, s0="b")


def test_decision_regions_and_diverged_runs(open_page):
    g = np.linspace(-1, 1, 20)
    table = {
        d: {"region": (g[:, None] > np.sin(d * g)).astype(int), "loss": np.full((2, 5), np.nan if d == 3 else 1.0)}
        for d in (1, 3)
    }
    points = (np.array([[0.0, 0.5], [0.1, -0.5]]), [0, 1])
    w = training(table, "model", images=["region"], curves=["loss"], extent=(-1, 1, -1, 1), scatter=points)
    page = open_page(body=live(w))
    before = seen(page)
    assert "loss nan" in assign(page, s0=1)
    assert seen(page)[1] != before[1]


def test_history_of_real_training(open_page):
    X, y = np.random.default_rng(0).standard_normal((40, 2)), np.arange(40) % 2
    runs = {
        lr: [oc.train(oc.MLP([2, 4, 2], seed=s), (X, y), oc.gd, lr, steps=10, batch=None) for s in range(2)]
        for lr in (0.1, 1.0)
    }
    w = training({lr: {"loss": [h.loss for h in hs]} for lr, hs in runs.items()}, "η", curves=["loss"])
    shown = numbers(assign(open_page(body=exact(w)), s0=1))
    last = [h.loss[-1] for h in runs[1.0]]
    np.testing.assert_allclose(shown[1:4], [np.median(last), min(last), max(last)], rtol=1e-3)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"curves": {"Loss": ["trian"]}}, "no 'trian'"),
        ({"curves": (), "values": (), "images": (), "histograms": (), "log": ()}, "nothing to draw"),
        ({"bands": "std"}, "bands"),
        ({"log": ["Los"]}, "no panel 'Los'"),
        ({"start": (0.3, "gd")}, "start"),
        ({"against": "lr"}, "against"),
        ({"x": np.arange(5)}, r"has 100 points; its x must too, and was \(5,\)"),
        ({"x": 5.0}, r"has 100 points; its x must too, and was \(\)"),
        ({"images": ["test"]}, "rows, columns"),
        ({"values": {"Accuracy": ["train"]}}, "number or"),
    ],
)
def test_faults_are_named(changes, part):
    with pytest.raises(ValueError, match=part):
        _widget(**changes)


def test_tables_with_holes_or_without_end_are_refused():
    table = _table()
    del table[0.2, "adam"]
    with pytest.raises(ValueError, match=r"no record for \(0.2, 'adam'\)"):
        training(table, ["η", "rule"], curves=["train"])
    with pytest.raises(ValueError, match="2 values"):
        training({1: {"a": 1.0}}, ["η", "rule"], curves=["a"])
    with pytest.raises(ValueError, match="empty"):
        training({}, curves=["a"])
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="kB"):
        training({k: {"a": rng.random(1000)} for k in range(50)}, curves=["a"], points=1000)


def test_the_curves_of_the_record_are_drawn_with_their_bands(open_page):
    w = _widget(bands="range", start=(0.2, "adam"))
    made = drawn(open_page, w)
    runs = _runs(0.2, "adam")
    x = lambda line: np.interp(line[:, 0], STEPS, np.arange(len(STEPS))).round().astype(int)
    found = drawn_lines(open_page, w)
    for curve in (np.median(runs, axis=0), 0.1 + runs[0]):
        assert any(np.allclose(line[:, 1], curve[x(line)], rtol=1e-3) for line in found if len(line) > 20)
    areas = [np.array(a[1:3], float) for number, kind, a in made if (number, kind) == (0, "area")]
    assert areas and any(
        len(lo) == len(STEPS)
        and np.allclose(lo, runs.min(axis=0), rtol=1e-3)
        and np.allclose(hi, runs.max(axis=0), rtol=1e-3)
        for lo, hi in areas
    )
