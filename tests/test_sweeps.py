"""optcore/sweeps.py: the table, the same bits whatever the number of jobs, and a cache that knows what it holds."""

import functools
import os
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from optcore import MLP, adam, chain, clip_norm, gd, momentum, train
from optcore.sweeps import Table, _content, mean_se, sweep

CALLS = []


def noisy_parabola(lr, start, seed):
    CALLS.append((lr, start, seed))
    noise = np.random.default_rng(seed).normal(size=3)
    return {"loss": (start * (1 - lr)) ** 2 + 0.01 * noise[0], "path": noise}


GRID = {"lr": [0.5, 1.0, 1.5], "start": [1.0, 2.0]}
once = functools.partial(sweep, n_jobs=1, cache=None)


@pytest.fixture(autouse=True)
def forget_calls():
    CALLS.clear()


# ------------------------------------------------------------------------------------------------- statistics


@given(hnp.arrays(float, st.tuples(st.integers(2, 20), st.integers(0, 3)), elements=st.floats(-1e6, 1e6)))
def test_mean_and_standard_error_are_the_textbook_ones(values):
    mean, se = mean_se(values)
    n = len(values)
    np.testing.assert_allclose(mean, values.sum(axis=0) / n, rtol=1e-12, atol=1e-9)
    expected = np.sqrt(((values - values.mean(axis=0)) ** 2).sum(axis=0) / (n - 1) / n)
    np.testing.assert_allclose(se, expected, rtol=1e-9, atol=1e-9)


def test_one_value_has_no_standard_error_and_none_no_mean():
    mean, se = mean_se([[1.0, 2.0]])
    assert mean.tolist() == [1, 2] and np.isnan(se).all()
    assert np.isnan(mean_se([3.0])[1])
    with pytest.raises(ValueError, match="no values"):
        mean_se([])


# ------------------------------------------------------------------------------------------------------ table


def test_rows_are_settings_times_seeds_the_last_fastest():
    table = once(noisy_parabola, GRID, seeds=[7, 3])
    assert len(table) == 12 and table.shape == (3, 2, 2) and table.settings == ("lr", "start")
    assert table["lr"].tolist() == [0.5] * 4 + [1.0] * 4 + [1.5] * 4
    assert table["start"].tolist() == [1.0, 1.0, 2.0, 2.0] * 3 and table["seed"].tolist() == [7, 3] * 6
    assert CALLS == list(zip(table["lr"], table["start"], table["seed"], strict=True))
    for k, call in enumerate(CALLS[:]):
        expected = noisy_parabola(*call)
        assert table["loss"][k] == expected["loss"]
        np.testing.assert_array_equal(table["path"][k], expected["path"])
    assert table.grid("loss")[2, 1, 0] == table["loss"][10] and table.grid("path").shape == (3, 2, 2, 3)


def test_select_takes_rows_and_drops_axes():
    table = once(noisy_parabola, GRID, seeds=4)
    part = table.select(lr=1.0)
    assert part.settings == ("start",) and part.shape == (2, 4) and set(part["lr"]) == {1.0}
    np.testing.assert_array_equal(part.grid("loss"), table.grid("loss")[1])
    one = table.select(lr=1.0, start=2.0)
    assert one.shape == (4,)
    np.testing.assert_array_equal(one["loss"], table.grid("loss")[1, 1])
    for wrong in ({"lr": 9.0}, {"loss": 1.0}):
        with pytest.raises(ValueError, match="settings are lr, start"):
            table.select(**wrong)
    with pytest.raises(KeyError, match="no column 'gap'; there are: lr, start, seed, loss, path"):
        table["gap"]


def test_summary_has_mean_and_standard_error_of_each_setting():
    table = once(noisy_parabola, GRID, seeds=6)
    summary = table.summary("loss", "path")
    assert len(summary) == 6 and summary["lr"].tolist() == [0.5, 0.5, 1.0, 1.0, 1.5, 1.5]
    for k in range(6):
        mine = (table["lr"] == summary["lr"][k]) & (table["start"] == summary["start"][k])
        mean, se = mean_se(table["loss"][mine])
        assert summary["loss"][k] == pytest.approx(mean) and summary["loss_se"][k] == pytest.approx(se)
        np.testing.assert_allclose(summary["path"][k], table["path"][mine].mean(axis=0))
    assert summary["path_se"].shape == (6, 3) and summary.grid("loss").shape == (3, 2, 1)


def test_a_table_prints_its_columns_aligned():
    table = Table({"rule": np.array(["gd", "adam"]), "loss": np.array([0.123456, 12.0])}, ("rule",), (2, 1))
    assert str(table) == "rule    loss\n  gd  0.1235\nadam      12"


def test_functions_and_dicts_give_labels():
    seen = []

    def run(rule, recipe, seed):
        seen.append((rule, recipe))
        return 1.0

    table = once(run, {"rule": [gd, momentum], "recipe": {"plain": (1, 2), "odd": None}}, seeds=1)
    assert table["rule"].tolist() == ["gd", "gd", "momentum", "momentum"]
    assert table["recipe"].tolist() == ["plain", "odd"] * 2
    assert seen == [(gd, (1, 2)), (gd, None), (momentum, (1, 2)), (momentum, None)]
    assert table["value"].tolist() == [1.0] * 4
    pairs = once(run, {"rule": [gd], "recipe": [(1, 2), (3, 4)]}, seeds=1)
    assert pairs["recipe"].dtype == object and pairs.select(recipe=(3, 4))["recipe"].tolist() == [(3, 4)]


@pytest.mark.parametrize(
    "run, grid, seeds, error, message",
    [
        (noisy_parabola, {}, 3, ValueError, "at least one setting and one seed"),
        (noisy_parabola, GRID, 0, ValueError, "at least one setting and one seed"),
        (noisy_parabola, {"lr": []}, 3, ValueError, "values that can be told apart"),
        (noisy_parabola, {"lr": [1, 1]}, 3, ValueError, "values that can be told apart"),
        (lambda lr, seed: {"lr": 1.0}, {"lr": [1]}, 1, ValueError, "names, other than lr, seed"),
        (lambda lr, seed: {f"at {lr}": 1.0}, {"lr": [1, 2]}, 1, ValueError, "got at 1 and at 2"),
        (lambda lr, seed: np.ones(lr), {"lr": [1, 2]}, 1, ValueError, r"different shapes: \(1,\), \(2,\)"),
        (lambda lr, seed: {"net": object()}, {"lr": [1]}, 1, TypeError, "'net' is object"),
    ],
)
def test_what_makes_no_table_is_refused(run, grid, seeds, error, message):
    with pytest.raises(error, match=message):
        once(run, grid, seeds)


def test_an_error_names_its_settings():
    def run(lr, seed):
        return 1 / (lr - 2)

    with pytest.raises(ZeroDivisionError) as caught:
        once(run, {"lr": [1, 2]}, seeds=[5])
    assert caught.value.__notes__ == ["In the run with lr=2, seed=5."]


# ------------------------------------------------------------------------------------------------ parallel runs


def train_small(width, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(300, 8))
    y = np.argmax(X[:, :3], axis=1)
    net = MLP([8, width, 3], seed=seed)
    history = train(net, (X, y), adam, 0.01, epochs=3, seed=seed)
    return {"loss": history.train_loss, "theta": net.theta[:50]}


def test_results_do_not_depend_on_the_number_of_jobs(tmp_path):
    grid = {"width": [16, 200]}
    alone = sweep(train_small, grid, seeds=3, n_jobs=1, cache=None)
    together = sweep(train_small, grid, seeds=3, n_jobs=2, cache=tmp_path)
    assert alone.columns.keys() == together.columns.keys()
    for name, column in alone.columns.items():
        np.testing.assert_array_equal(together[name], column)
    assert len(list(tmp_path.glob("*.npz"))) == 6


def test_a_function_made_on_the_spot_runs_in_parallel():
    shift = 3
    table = sweep(lambda lr, seed: lr + seed + shift, {"lr": [1, 2]}, seeds=2, n_jobs=2, cache=None)
    assert table["value"].tolist() == [4, 5, 5, 6]


def test_the_bar_counts_runs_on_the_error_stream(capsys):
    once(noisy_parabola, GRID, seeds=1, progress=True)
    out, err = capsys.readouterr()
    assert out == "" and "/6 [" in err
    once(noisy_parabola, GRID, seeds=1)
    assert capsys.readouterr() == ("", "")


# ------------------------------------------------------------------------------------------------------ cache


def kept(folder, run=noisy_parabola, grid=GRID, seeds=2):
    """The table, and how many runs had to be made."""
    CALLS.clear()
    table = sweep(run, grid, seeds, n_jobs=1, cache=folder)
    return table, len(CALLS)


def test_what_is_kept_is_not_run_again(tmp_path):
    first, made = kept(tmp_path)
    assert made == 12
    again, made = kept(tmp_path)
    assert made == 0
    for name, column in first.columns.items():
        np.testing.assert_array_equal(again[name], column)
        assert again[name].dtype == column.dtype
    assert kept(tmp_path, seeds=3)[1] == 6
    assert kept(tmp_path, grid=GRID | {"lr": [0.5, 0.7]})[1] == 4


@pytest.mark.parametrize("damage", [b"", b"not a zip", None])
def test_damaged_files_are_run_again(tmp_path, damage):
    first, _ = kept(tmp_path)
    broken, cut, *_ = sorted(tmp_path.glob("*.npz"))
    content = cut.read_bytes()
    cut.write_bytes(content[: len(content) // 2])
    flipped = bytearray(broken.read_bytes())
    flipped[70] ^= 255
    broken.write_bytes(bytes(flipped) if damage is None else damage)
    again, made = kept(tmp_path)
    assert made == 2 and kept(tmp_path)[1] == 0
    np.testing.assert_array_equal(again["loss"], first["loss"])


def test_an_interrupted_sweep_goes_on_where_it_stopped(tmp_path):
    ready = str(tmp_path / "ready")

    def run(lr, start, seed):
        if lr == 1.5 and not os.path.exists(ready):
            raise KeyboardInterrupt
        return noisy_parabola(lr, start, seed)

    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path, run, seeds=1)
    assert len(list(tmp_path.glob("*.npz"))) == 4 and not list(tmp_path.glob("*.part"))
    open(ready, "w").close()
    assert kept(tmp_path, run, seeds=1)[1] == 2


def test_names_that_numpy_uses_itself_can_be_columns(tmp_path):
    run = lambda lr, seed: {"file": lr, "note": "ok", "allow_pickle": seed}
    for _ in range(2):
        table = sweep(run, {"lr": [0.5]}, 2, n_jobs=1, cache=tmp_path)
        assert table["file"].tolist() == [0.5, 0.5] and table["note"].tolist() == ["ok", "ok"]


def test_the_key_changes_with_what_a_function_does():
    def make(power, offset=0):
        def run(lr, seed):
            # a comment is no change
            return lr**power + offset

        return run

    def same(power, offset=0):
        def run(lr, seed):
            return lr**power + offset

        return run

    assert _content(make(2)) == _content(same(2))
    different = [make(2), make(3), make(2, 1), lambda lr, seed: lr + 2, lambda lr, seed=1: lr + 2]
    assert len({repr(_content(run)) for run in different}) == len(different)


HELPER_SCALE = 1.0


def helper(x):
    return HELPER_SCALE * x


def uses_helper(lr, seed):
    return helper(lr)


def test_the_key_follows_globals_and_helpers(monkeypatch):
    before = _content(uses_helper)
    assert before == _content(uses_helper)
    monkeypatch.setitem(globals(), "HELPER_SCALE", 2.0)
    changed = _content(uses_helper)
    monkeypatch.setitem(globals(), "helper", lambda x: x)
    assert len({repr(before), repr(changed), repr(_content(uses_helper))}) == 3


class Recipe:
    def __init__(self, lr):
        self.lr = lr

    def rate(self):
        return self.lr


def test_the_key_tells_values_of_every_kind_apart():
    def recursive(n):
        return recursive(n - 1) if n else 0

    plain = [None, True, 1, 1.0, "1", b"1", [1], (1,), {1, 2}, {"a": 1}, {"a": 2}, {"b": 1}]
    arrays = [np.float32(1), np.ones(2), np.ones(2, np.float32), np.ones((1, 2)), np.array([None, 1]), np.array([None])]
    rules = [gd, adam, chain(adam, gd), chain(clip_norm, gd)]
    rules += [functools.partial(adam, eps=1e-6), functools.partial(adam, eps=1e-5)]
    code = [np, warnings, np.sum, np.exp, len, recursive, lambda x: x in {"a", "b"}]
    objects = [Recipe, Recipe(1), Recipe(2), Recipe(1).rate, np.random.default_rng(0), np.random.default_rng(1)]
    values = plain + arrays + rules + code + objects
    assert len({repr(_content(v)) for v in values}) == len(values)
    for make in (lambda: Recipe(1), lambda: np.random.default_rng(0), lambda: chain(adam, gd), lambda: np.ones(3)):
        assert _content(make()) == _content(make())
