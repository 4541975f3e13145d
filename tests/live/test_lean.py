"""The files of the page's Python: official, small, the same every time."""

import gzip
import hashlib
import json
import re
import zipfile

from book.course import ROOT
from book.live import fetch, lean

FIRST, FIGURE = 9_000_000, 5_000_000  # bytes as sent: the first check, and the first figure


def test_every_wheel_is_the_official_one_and_keeps_its_licence():
    locked = fetch.locked()
    assert len(locked) == 10 and fetch.faults() == []
    kept = {path.name for path in fetch.ASSETS.glob("*.whl")}
    assert kept == set(locked)
    told = (fetch.ASSETS / "LICENSES.md").read_text(encoding="utf-8")
    for name in kept:
        assert f"`{name.partition('-')[0]}-*.whl`" in told


def test_a_changed_wheel_is_named(monkeypatch, tmp_path):
    for path in fetch.ASSETS.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / "six-1.16.0-py2.py3-none-any.whl").unlink()
    pillow = next(tmp_path.glob("pillow-*.whl"))
    changed = bytearray(pillow.read_bytes())
    changed[999] ^= 1
    pillow.unlink()
    pillow.write_bytes(changed)
    monkeypatch.setattr(fetch, "ASSETS", tmp_path)
    wrong = fetch.faults()
    assert len(wrong) == 2 and "pillow" in wrong[0] and "differs" in wrong[0] and "six" in wrong[1]


def test_what_a_reader_loads_stays_within_its_budgets(live_files):
    listed = json.loads((live_files / "files.js").read_text(encoding="utf-8")[len("export default ") : -2])
    scripts = [live_files / name for name in ("editor.js", "answering.js", "look.js", "python.js", "files.js")]
    first = sum(one["sent"] for name, one in listed.items() if name != "figures.zip")
    assert len(listed) == 10 and first + sum(len(gzip.compress(one.read_bytes())) for one in scripts) <= FIRST
    assert listed["figures.zip"]["sent"] <= FIGURE
    for name, one in listed.items():
        content = (live_files / name).read_bytes()
        assert len(content) == one["size"] and hashlib.sha256(content).hexdigest().startswith(one["digest"])


def test_the_archives_hold_what_python_needs_and_their_licences(live_files):
    names = {kind: zipfile.ZipFile(live_files / f"{kind}.zip").namelist() for kind in ("numpy", "figures", "optcore")}
    licences = [name for name in names["figures"] if "dist-info/" in name and "LICENSE" in name]
    assert len({name.partition("-")[0] for name in licences}) == 9
    assert any("LICENSE" in name for name in names["numpy"]) and any("latex2mathml" in n for n in names["optcore"])
    wheel = {path.relative_to(ROOT).as_posix() for path in (ROOT / "optcore").rglob("*.py")}
    assert len(wheel) > 60 and wheel <= set(names["optcore"]) and "optcore/quizzes/8.json" in names["optcore"]
    assert not [n for kind in names.values() for n in kind if n.endswith((".pyi", ".h", ".afm")) or "/tests/" in n]


def test_the_standard_library_keeps_what_is_imported_by_what_it_keeps(live_files):
    """Where a module is left out, no other asks for it at its head; what functions import for themselves is theirs."""
    with zipfile.ZipFile(fetch.ASSETS / lean.STDLIB) as official, zipfile.ZipFile(live_files / lean.STDLIB) as kept:
        names = set(kept.namelist())
        gone = {name.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for name in official.namelist()}
        gone -= {name.removesuffix(".py").replace("/", ".").removesuffix(".__init__") for name in names}
        assert {"encodings.big5", "ftplib", "xmlrpc.client"} <= gone and "encodings.utf_8" not in gone
        heads = "\n".join(kept.read(name).decode() for name in names if name.endswith(".py"))
        asked = set(re.findall(r"^(?:import|from) ([\w.]+)", heads, re.MULTILINE))
        assert len(asked) > 100 and not asked & gone


def test_equal_input_gives_equal_bytes():
    files = [("b", b"2" * 5000), ("a", b"1")]
    assert lean.archive(files) == lean.archive(reversed(files))
