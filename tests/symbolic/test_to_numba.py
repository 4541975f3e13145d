"""The compiled loop: its values against NumPy's to one unit in the last place, and what happens without Numba."""

import subprocess
import sys

import numpy as np
import pytest

import optcore as oc
from optcore import rules
from optcore.rule_spec import fused_loop, is_elementwise, trace_rule
from optcore.symbolic import to_numba
from optcore.symbolic.operations import OPERATIONS

#: Together they hold every kind of operation: powers, roots, signs, choices, bounds; compiling takes seconds for each.
TRIED = [
    *(oc.adam, oc.nadam, oc.radam, oc.adamax, oc.adan, oc.rprop, oc.schedule_free, oc.centered_rmsprop),
    oc.chain(oc.clip_value, oc.lion, oc.decay, name="clipped_lion"),
    oc.chain(oc.momentum, oc.lookahead, oc.weight_average, name="lookahead"),
]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path_factory, monkeypatch):
    monkeypatch.setattr(to_numba, "CACHE", tmp_path_factory.getbasetemp() / "fused")


def test_every_operation_is_written():
    assert set(to_numba.WRITTEN) == set(OPERATIONS)
    found = [getattr(rules, name) for name in rules.__all__ if is_elementwise(getattr(rules, name))]
    assert len(found) >= 20
    for rule in found:
        source = to_numba.source(trace_rule(rule, 1), [*oc.spec(rule).state], "float32")
        compile(source, rule.__name__, "exec")


@pytest.mark.parametrize(
    "rule, dtype", [*((rule, np.float32) for rule in TRIED), (oc.adam, np.float64)], ids=lambda v: v.__name__
)
def test_a_step_is_numpys_to_one_unit_in_the_last_place(rule, dtype):
    """From states that ten steps of NumPy made; a state may be a difference of near numbers, so its scale counts."""
    rng = np.random.default_rng(0)
    w = rng.normal(size=5000).astype(dtype)
    plain = oc.Optimizer(rule, w, lr=oc.linear_decay(0.01, 20), fused=False)
    for t in range(12):
        g = rng.normal(size=w.size).astype(dtype) * rng.choice([0, 1, 1e-3, 1e3], w.size).astype(dtype)
        twin = w.copy()
        loop = oc.Optimizer(rule, twin, lr=oc.linear_decay(0.01, 20), fused=True)
        loop.load_state(plain.state())
        before = np.abs(w)
        plain.step(g), loop.step(g)
        for mine, theirs in [(twin, w), *((loop.state()[k], v) for k, v in plain.state().items() if k != "t")]:
            scale = np.maximum(np.abs(theirs), before if theirs is w else 0)
            unit = np.spacing(np.maximum(scale, np.finfo(dtype).tiny).astype(dtype))
            assert (np.abs(mine - theirs) <= unit).all(), (t, np.abs(mine - theirs).max())
    assert twin.dtype == dtype and loop.t == 12


def test_nan_and_infinities_go_through_as_in_numpy():
    g = np.array([np.nan, np.inf, -np.inf, 0.0, 1e30], np.float32)
    for rule in TRIED:
        w, twin = np.ones(5, np.float32), np.ones(5, np.float32)
        oc.Optimizer(rule, w, lr=0.1, fused=False).step(g)
        oc.Optimizer(rule, twin, lr=0.1, fused=True).step(g)
        np.testing.assert_array_equal(np.isnan(w), np.isnan(twin), err_msg=rule.__name__)
        np.testing.assert_allclose(w, twin, rtol=1e-6, err_msg=rule.__name__)


def test_long_arrays_take_the_loop_and_short_ones_do_not(monkeypatch):
    taken = []
    monkeypatch.setattr("optcore.optimizer.fused_loop", lambda rule, dtype: taken.append(dtype))
    for size in (1 << 10, 1 << 18):
        oc.Optimizer(oc.adam, np.ones(size, np.float32)).step(np.ones(size, np.float32))
    assert taken == ["float32"]


def test_a_rule_that_is_not_elementwise_is_refused_and_runs_without():
    with pytest.raises(ValueError, match="No loop can be compiled for lamb: it needs Numba and an element-wise rule"):
        oc.Optimizer(oc.lamb, np.ones(3), fused=True)
    assert fused_loop(oc.lamb, "float32") is None and fused_loop(oc.adam, "float16") is None


def test_machine_code_is_kept_and_a_folder_that_cannot_be_written_is_no_obstacle(monkeypatch, tmp_path):
    def fancy(g, m=0.0, *, beta=0.25):
        m = beta * m + np.tanh(g)
        return m, m

    loop, numbers = fused_loop(fancy, "float64")
    w, m = np.ones(3), np.zeros(3)
    loop(w, np.full(3, 0.5), m, *(0.25 if n == "beta" else 0.1 for n in numbers))
    np.testing.assert_allclose(w, 1 - 0.1 * np.tanh(0.5), rtol=1e-15)
    kept = to_numba.CACHE / f"{loop.py_func.__module__}.py"
    assert kept.exists() and list((to_numba.CACHE / "__pycache__").glob(f"{loop.py_func.__module__}*.nbc"))
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(to_numba, "CACHE", tmp_path / "file" / "folder")
    text = "import numba\n@numba.njit(cache=True, )\ndef step(x):\n    return 2 * x\n"
    again = to_numba.compiled(text)
    assert again(3.0) == 6.0


WITHOUT = """
import sys
sys.modules["numba"] = None
import numpy as np, optcore as oc
w = np.ones(1 << 18, np.float32)
oc.Optimizer(oc.adam, w, lr=0.1).step(np.ones(w.size, np.float32))
assert abs(w - 0.9).max() < 1e-6
try:
    oc.Optimizer(oc.adam, w, fused=True)
except ValueError as error:
    print(error)
"""


def test_without_numba_the_steps_are_numpys():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True)
    assert "it needs Numba" in done.stdout
