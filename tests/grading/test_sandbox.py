"""What crosses the pipe, in both directions, and what does not."""

import io
import json
import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, scalar_dtypes

from optcore.grading import Exercise, child, choice, portable, sandbox, wire
from optcore.grading.classroom import judge_frames, seed_number
from optcore.grading.run import plain
from tests.grading.wall import require_wall

# --- wire -------------------------------------------------------------------------------------------------------------

numbers = scalar_dtypes().filter(lambda dtype: dtype.kind in "biuf" and dtype.itemsize <= 8)
plain_data = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats()
    | st.text()
    | st.binary()
    | arrays(numbers, array_shapes(min_dims=0, min_side=0, max_side=4)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=12,
)


def same(a, b):
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return type(a) is type(b) and (a == b or a != a)


@given(plain_data)
def test_plain_data_comes_back_as_it_was(value):
    assert same(wire.decode(wire.encode(value)), value)


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(data):
    try:
        wire.decode(data)
    except ValueError:
        pass


def headed(head, body=b""):
    text = json.dumps(head).encode()
    return len(text).to_bytes(8) + text + body


@pytest.mark.parametrize(
    "data",
    [
        headed({"array": ["|O", [1], 0]}, bytes(8)),
        headed({"array": ["<M8[s]", [1], 0]}, bytes(8)),
        headed({"array": ["V1000000", [1], 0]}, bytes(8)),
        headed({"array": ["<f8", [10**12], 0]}, bytes(8)),
        headed({"array": ["<f8", [-1], 0]}, bytes(8)),
        headed({"array": ["<f8", [1], -8]}, bytes(8)),
        headed({"array": ["<f8", [1], 8]}, bytes(8)),
        headed({"array": ["<f8", [2**40, 2**40], 0]}, bytes(8)),
        headed([{"array": ["<f8", [1], 0]}] * 2, bytes(8)),
        headed({"bytes": [-1, 0]}),
        headed({"bytes": [9, 0]}, bytes(8)),
        headed({"array": ["<f8", ["x"], 0]}, bytes(8)),
        headed({"array": [1, 2]}),
        headed({"dict": 3}),
        headed({}),
        headed({"call": ["os.system", "true"]}),
        headed({"tuple": 1, "array": 2}),
        headed(["<f8"])[:-1],
        b"",
        bytes(8),
        (2**63).to_bytes(8),
        headed(0)[:8] + b"[" * 100_000,
        (10**5).to_bytes(8) + b"9" * 10**5,
    ],
)
def test_what_encode_would_not_have_made_is_refused(data):
    with pytest.raises(ValueError, match="broken bytes"):
        wire.decode(data)


def test_decoding_takes_no_more_room_than_it_was_given():
    large = headed([{"array": ["<f8", [1 << 17], 0]}] * 100_000, bytes(1 << 20))
    with pytest.raises(ValueError, match="overlap"):
        wire.decode(large)


# --- plain ------------------------------------------------------------------------------------------------------------


class LyingFloat(float):
    __eq__ = lambda self, other: True
    __hash__ = float.__hash__


class LyingArray(np.ndarray):
    __eq__ = lambda self, other: np.ones(self.shape, bool)


@pytest.mark.parametrize(
    "value, base",
    [
        (LyingFloat(1), float),
        (np.ones(2).view(LyingArray), np.ndarray),
        (np.float32(1), float),
        (np.bool_(True), bool),
        (np.int8(1), int),
    ],
)
def test_results_are_reduced_to_base_types(value, base):
    assert type(plain(value)) is base
    assert type(plain([value])[0]) is base


def test_a_result_is_a_copy():
    w = np.zeros(2)
    copy = plain({"w": w})
    w += 1
    assert copy["w"].tolist() == [0, 0]


# --- probes travel ----------------------------------------------------------------------------------------------------

FACTOR = 3.0


def helper(x):
    return FACTOR * np.cos(x)


def probe(f, x, *, shift=1.0):
    """called as f(x)"""
    return [f(y) for y in (helper(x) + shift, sandbox.Limits().wall)], [lambda: helper(x)][0]()


def test_a_function_travels_with_what_it_names():
    packed = wire.decode(wire.encode(portable.pack(probe)))
    assert set(packed["functions"]) == {"", "helper"}
    assert packed["modules"] == {"np": "numpy", "sandbox": "optcore.grading.sandbox"}
    assert packed["values"] == {"FACTOR": 3.0}
    there = portable.unpack(packed)
    assert there(np.sqrt, 0.2) == probe(np.sqrt, 0.2)
    assert there.__doc__ == probe.__doc__ and there.__globals__ is not probe.__globals__
    assert "probe" not in there.__globals__


def test_a_function_that_closes_over_variables_is_refused():
    def around(x):
        return lambda f: f(x)

    with pytest.raises(ValueError, match="uses variables of the function around it"):
        portable.pack(around(1))


# --- frames -----------------------------------------------------------------------------------------------------------

ID = "gradient-descent/contraction"


def framed(*frames):
    return b"".join(len(data).to_bytes(8) + data for data in map(wire.encode, frames))


def made(value):
    return {"value": value, "error": "", "where": "", "changed": [], "printed": ""}


@pytest.mark.parametrize(
    "frame",
    [
        {"id": ID, "outcomes": []},
        {"id": ID, "outcomes": [{}]},
        {"id": ID, "outcomes": 3},
        {"id": ID},
        {},
        {"id": ID, "refused": ("Correct", "Well done.")},
        {"id": ID, "refused": 5},
        {"id": [ID], "outcomes": []},
        {"id": ID, "voice": "Correct", "outcomes": [made("Correct")] * 5},
        {"id": ID, "outcomes": [made(True)] * 5},
        {"id": ID, "outcomes": [made([[1.0], "x", {"a": np.zeros(3)}])] * 5},
        {"id": ID, "outcomes": [made(np.ones(5))] * 5},
        {"id": ID, "outcomes": [{"value": 0.0, "error": 3, "where": {}, "changed": 5, "printed": None}] * 5},
    ],
)
def test_no_frame_earns_a_point_without_the_right_values(frame):
    feedback, shares, notes = judge_frames(framed(frame), seed_number("s"), {ID})
    assert not any(feedback.values())
    assert all(isinstance(said.text, str) and said.exercise == ID for said in feedback.values())
    assert not any(shares.values())


def test_what_comes_after_a_broken_frame_is_not_read():
    good = framed({"note": "one"})
    for broken in (b"\x07" + good, b"\xff" * 16, bytes(8), bytes(3), b"\x00" * 7 + b"\x05" + b"12345"):
        assert judge_frames(good + broken, 0, {ID}) == ({}, {}, ["one"])


def test_a_flood_of_frames_is_cut_off():
    assert len(list(sandbox.frames(framed({"note": ""}) * 100_000))) == 1000


# --- the child --------------------------------------------------------------------------------------------------------


def limits(**changed):
    return {"cpu": 6, "memory": 1 << 30, "file": 1 << 20, "size": 1 << 20, **changed}


def box(exercises=(), **changed):
    return sandbox.Sandbox(wire.encode({"limits": limits(**changed), "exercises": list(exercises)}), walled=False)


def test_a_server_serves_many_and_starts_again_when_broken():
    served = box()
    try:
        assert served.run("a.py", b"pass", 5) == ("", b"")
        first = served.server.pid
        assert served.run("a.py", b"x = 1/0", 5)[0] == "" and served.server.pid == first
        served.server.kill()
        assert served.run("a.py", b"pass", 5) == ("", b"") and served.server.pid != first
    finally:
        served.close()
    assert served not in sandbox._running and served.server is None


def test_what_breaks_its_sandbox_twice_is_no_result(monkeypatch):
    served = box()
    broken = []
    monkeypatch.setattr(served, "_receive", lambda: broken.append(1) or (_ for _ in ()).throw(EOFError("gone")))
    monkeypatch.setattr(served, "_started", lambda: SimpleNamespace(stdin=io.BytesIO()))
    with pytest.raises(sandbox.Breakdown, match="gone"):
        served.run("a.py", b"pass", 5)
    assert len(broken) == 2


def test_an_end_from_outside_is_no_result_either():
    served = box()
    try:
        with pytest.raises(sandbox.Breakdown, match="killed from outside"):
            served.run("a.py", b"import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", 5)
    finally:
        served.close()


def test_without_a_wall_only_the_folder_that_was_given_is_emptied():
    served = box()
    try:
        served.run("a.py", b"open('mine', 'w').write('x')", 5)
        assert list(Path(served.scratch).iterdir()) == []
        beside = Path(tempfile.mkdtemp()) / "of somebody else"
        beside.write_text("stays")
        served.run("a.py", b"pass", 5)
        assert beside.read_text() == "stays"
        scratch = Path(served.scratch)
    finally:
        served.close()
    assert not scratch.exists()


def test_a_wall_that_is_missing_where_it_was_promised_is_an_error(monkeypatch):
    promised = sandbox.Sandbox(wire.encode({"limits": limits(), "exercises": []}), walled=True)
    monkeypatch.setattr(sandbox, "bubblewrap", lambda: ())
    with pytest.raises(RuntimeError, match="bubblewrap is missing"):
        promised.run("a.py", b"pass", 5)
    with pytest.raises(RuntimeError, match="The wall that was promised is missing"):
        child.serve(io.BytesIO(), io.BytesIO(), Path(tempfile.mkdtemp()), walled=True)


def test_a_server_that_hears_nothing_ends_by_itself():
    served = box()
    try:
        served.run("a.py", b"pass", 5)
        served.server.stdin.close()
        assert served.server.wait(20) == 0
        assert not Path(served.scratch).exists()
    finally:
        served.close()


def test_another_optcore_that_is_installed_does_not_win(tmp_path):
    """A package of the same name in site-packages, as after `pip install optcore`, beside the one that was started."""
    (tmp_path / "optcore").mkdir()
    (tmp_path / "optcore" / "__init__.py").write_text("raise ImportError('the wrong one')")
    served = box()
    (tmp_path / "python").write_text(f'#!/bin/sh\nshift\nPYTHONPATH={tmp_path} exec {sys.executable} "$@"\n')
    (tmp_path / "python").chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox.sys, "executable", str(tmp_path / "python"))
        try:
            assert served.run("a.py", b"import optcore\noptcore.rosenbrock", 5) == ("", b"")
        finally:
            served.close()


def test_every_kind_of_exercise_is_answered_in_the_child():
    class Counter:
        def add(self, x):
            return x + 1

    kinds = [
        Exercise(
            id="objective/counter",
            notebook="1.1",
            title="",
            statement="",
            reference=Counter,
            stub="class Counter:\n    def add(self, x):\n        ...",
            probe=lambda cls, x: cls().add(x),
        ),
        Exercise(id="objective/largest", notebook="1.1", title="", statement="", stub="largest = ...", reference=0.02),
        choice(
            {"a": ("A.", "Yes."), "b": ("B.", "No.")},
            "a",
            id="objective/why",
            notebook="1.1",
            title="",
            statement="",
            name="why",
        ),
    ]
    packed = [
        {
            "id": e.id,
            "stub": e.stub,
            "seconds": 1.0,
            "cases": [(2.0,)] if e.probe else [()],
            "probe": portable.pack(e.probe) if e.probe else None,
        }
        for e in kinds
    ]
    source = (
        b"class Counter:\n    def add(self, x): return x + 1\nlargest = 0.02\n"
        b"import optcore as oc\noc.check('why', 'a')"
    )
    served = box(packed)
    try:
        ended, data = served.run("a.py", source, 5)
    finally:
        served.close()
    values = {frame["id"]: frame["outcomes"][0]["value"] for frame in sandbox.frames(data)}
    assert ended == "" and values == {"objective/counter": 3.0, "objective/largest": 0.02, "objective/why": "a"}


def test_weak_isolation_is_called_weak(monkeypatch):
    monkeypatch.setattr(sandbox, "bubblewrap", lambda: ())
    assert "WEAK (bubblewrap is missing" in sandbox.isolation()
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    assert "can read and change your files and use the network" in sandbox.isolation()
    assert "WEAK (bubblewrap is switched off)" in sandbox.isolation(False)
    monkeypatch.setattr(sandbox, "_closed_to_strangers", lambda: "/root")
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert sandbox.isolation().endswith(
        "Others may not enter /root, so modules that a submission loads late are missing."
    )
    monkeypatch.setattr(sandbox, "bubblewrap", lambda: ("bwrap",))
    assert sandbox.isolation().startswith("Isolation: bubblewrap; no network")


@pytest.mark.parametrize(
    "bwrap, required, outcome, why",
    [
        (None, "1", pytest.fail, "is not installed"),
        (None, "", pytest.skip, "is not installed"),
        ("exit 1", "1", pytest.skip, "may not create namespaces"),
        ("exit 1", "", pytest.skip, "may not create namespaces"),
        ("exit 0", "1", pytest.fail, "the grader's options"),
        ("exit 0", "", pytest.skip, "the grader's options"),
    ],
)
def test_only_a_machine_that_forbids_walls_is_excused(bwrap, required, outcome, why, tmp_path, monkeypatch):
    if bwrap:
        (tmp_path / "bwrap").write_text(f"#!/bin/sh\n{bwrap}\n")
        (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("OC_REQUIRE_BUBBLEWRAP", required)
    monkeypatch.setattr(sandbox, "bubblewrap", lambda: ())
    with pytest.raises(outcome.Exception, match=why):
        require_wall()
