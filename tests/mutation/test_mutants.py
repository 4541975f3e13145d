"""The mutants: each changes one place, all can be read as code, and what nothing notices is named with its reason."""

import ast
import json

import pytest

from book.course import ROOT
from tests.copies import Copy

from .__main__ import LAST, equal, sources, users, whose_tests
from .mutants import mutants
from .run import import_what_all_tests_need


def changes(source: str, file: str = "a.py") -> list[str]:
    return [mutant.changed for mutant in mutants(file, source)]


@pytest.mark.parametrize(
    "source, changed",
    [
        ("a + b*c", ["a + b/c", "a - b*c"]),
        ("(a) - (-b)", ["(a) + (-b)", "(a) - (b)"]),
        ("a <= b < 2", ["a > b < 2", "a <= b < 3", "a <= b <= 2"]),
        ("not a and b is not None", ["a and b is not None", "not a and b is None", "not a or b is not None"]),
        ("def f(x: int = 0, *, y=1e-8, **k): return min(x, True)", 4),
        ('f"{x + 1}" + """2 + 2"""', ['f"{x + 1}" - """2 + 2"""']),
        ("np.argmin(é @ x)", ["np.argmax(é @ x)", "np.argmin(é * x)"]),
        ("x += 1", ["x += 2", "x -= 1"]),
        ("import numpy as min", []),
        ("ax.plot(x, y + 1, linewidth=2)", ["ax.plot(x, y + 2, linewidth=2)", "ax.plot(x, y - 1, linewidth=2)"]),
        ("def still(self):\n    return 1", []),
        ("zip(a, b, strict=True)", []),
        ("zip(a, b, strict=False)", ["zip(a, b, strict=True)"]),
    ],
)
def test_what_is_changed_in_python(source, changed):
    found = [text.strip() for text in changes(source)]
    assert sorted(found) == sorted(changed) if isinstance(changed, list) else len(found) == changed
    assert not changed or all(ast.parse(text) for text in found)


@pytest.mark.parametrize(
    "source, changed",
    [
        ("const a = b + 1; // 2 + 2", ["const a = b + 2; // 2 + 2", "const a = b - 1; // 2 + 2"]),
        ("`a + ${b}` + '1'", ["`a + ${b}` - '1'"]),
        ("x => x === 0 && !y", ["x => x !== 0 && !y", "x => x === 0 || !y", "x => x === 1 && !y"]),
        ("a.replace(/[-+]/g, b) / c", ["a.replace(/[-+]/g, b) * c"]),
        ("Math.min(x1, i++)", ["Math.max(x1, i++)"]),
        ("f(...a, b?.c)", []),
        (
            "ui.plot({ ratio: 1.5, x: [0, 1] })",
            ["ui.plot({ ratio: 1.5, x: [1, 1] })", "ui.plot({ ratio: 1.5, x: [0, 2] })"],
        ),
    ],
)
def test_what_is_changed_in_javascript(source, changed):
    assert sorted(changes(source, "a.js")) == sorted(changed)


def test_equal_lines_are_told_apart():
    first, second = mutants("a.py", "x = a + b\nx = a + b\n")
    assert (first.name, second.name) == ("a.py: x = a + b → x = a - b", "a.py: (2) x = a + b → x = a - b")
    assert second.of("x = a + b\nx = a + b\n") == "x = a + b\nx = a - b\n"


def test_every_module_has_tests_that_must_notice():
    files = sources()
    assert len(files) > 90
    for file in files:
        source = (ROOT / file).read_text(encoding="utf-8")
        found = list(mutants(file, source))
        if found:
            named = whose_tests(file)
            paths = named[: named.index("-k")] if "-k" in named else named
            assert paths and [name for name in paths if not (ROOT / name).exists()] == []
        if file.endswith(".py"):
            ast.parse(found[len(found) // 2].of(source)) if found else None


def test_a_part_of_a_script_has_the_tests_of_the_widgets_that_use_it():
    assert users("optcore/widgets/parts/draws.js") == ["classifier", "signal"]
    assert "tests/widgets/test_explore.py" in whose_tests("optcore/widgets/explore_parts/map.js")


def test_words_that_choose_tests_choose_some_in_each_file(tmp_path):
    named = whose_tests("optcore/widgets/regression.py")
    done = Copy(tmp_path / "copy").test("--collect-only", "--doctest-modules", *named)
    paths = named[: named.index("-k")]
    assert len(paths) == 5 and [path for path in paths if f"{path}::" not in done.stdout] == [], done.stdout[-2000:]


def test_what_children_share_can_be_imported():
    import_what_all_tests_need()


def test_what_is_called_equal_has_a_reason():
    """An entry whose line has changed since is of no effect; make mutants names it."""
    entries = equal()
    assert len(entries) > 20 and all(len(why) > 10 for why in entries.values())
    files = {name.split(": ")[0] for name in entries}
    there = {m.name for file in files for m in mutants(file, (ROOT / file).read_text(encoding="utf-8"))}
    assert len(entries.keys() & there) > 10


def test_nineteen_in_twenty_were_noticed_the_last_time():
    last = json.loads(LAST.read_text(encoding="utf-8"))
    killed, made = (sum(pair[k] for pair in last["files"].values()) for k in (0, 1))
    assert made >= 150 and len(last["survivors"]) == made - killed
    assert not set(last["survivors"]) & equal().keys(), "python -m tests.mutation --again takes them out"
    assert killed >= 0.95 * made, last["survivors"]
