"""The exercise notebooks: up to date, complete, without solutions, and running in a bare environment."""

import ast
import io
import json
import os
import re
import subprocess
import sys
import tokenize

import numpy as np
import pytest

from book.course import ROOT, source
from optcore.grading.catalogue import CHAPTERS, chapter, exercises
from optcore.grading.cells import statements
from optcore.grading.demo import write_class
from optcore.grading.notebooks import file_name, notebook, stale

WRITTEN = [name for name in CHAPTERS if chapter(name)]
every_chapter = pytest.mark.parametrize("name", WRITTEN)


def cells(name, tag):
    stored = json.loads((ROOT / "exercises" / file_name(name)).read_text(encoding="utf-8"))
    return [source(cell) for cell in stored["cells"] if tag in cell["metadata"].get("tags", ())]


def code_words(source):
    """The words of code that carry meaning, in order: no comments, no texts, no layout."""
    skipped = (tokenize.COMMENT, tokenize.STRING, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    return [
        t.string
        for t in tokenize.generate_tokens(io.StringIO(source).readline)
        if t.type not in skipped and t.string.strip()
    ]


def test_there_is_one_for_every_chapter_that_has_exercises():
    found = {path.name for path in (ROOT / "exercises").glob("*.ipynb")}
    assert found == {file_name(name) for name in WRITTEN} and found


@every_chapter
def test_every_exercise_has_its_statement_stub_and_check(name):
    assert cells(name, "exercise") == [e.stub for e in chapter(name)]
    assert cells(name, "check") == [f'oc.check("{e.id}", {e.name})' for e in chapter(name)]
    text = (ROOT / "exercises" / file_name(name)).read_text(encoding="utf-8")
    assert all(json.dumps(e.title, ensure_ascii=False)[1:-1] in text for e in chapter(name))
    assert len(cells(name, "setup")) == 1


@every_chapter
def test_no_solution_is_in_them(name):
    """No telling line of a solution stands anywhere, nor twelve words of its code in a row, save what the stub has.

    The broken code of a bug hunt is left aside: it may well be what an earlier exercise asks for, with a bug in it.
    """
    stored = json.loads((ROOT / "exercises" / file_name(name)).read_text(encoding="utf-8"))
    broken = [exercise.stub for exercise in chapter(name) if exercise.kind == "bug hunt"]
    shown = [cell for cell in map(source, stored["cells"]) if cell not in broken]
    anywhere = squeezed("".join(shown))
    code = " ".join(word for cell in cells(name, "exercise") if cell in shown for word in code_words(cell))
    to_write = [exercise for exercise in chapter(name) if exercise.template is not ...]
    looked_at = 0
    for exercise in to_write:
        given, words = " ".join(code_words(exercise.stub)), code_words(exercise.solution)
        runs = {" ".join(words[i : i + 12]) for i in range(len(words) - 11)}
        leaked = [run for run in runs if run in code and run not in given and not run.startswith("for ")]
        lines = {squeezed(line) for line in exercise.solution.splitlines() if '"""' not in line}
        leaked += [
            line
            for line in lines
            if len(line) >= 16
            and not line.startswith(("for", "def"))
            and line in anywhere
            and line not in squeezed(exercise.stub)
        ]
        assert leaked == [], exercise.id
        looked_at += len(runs)
    assert looked_at >= 5 * len(to_write)


def squeezed(text):
    return re.sub(r"\s", "", text)


@every_chapter
def test_they_run_in_a_bare_environment(name, tmp_path):
    """Every cell, in order, without plots, widgets and IPython; each check answers."""
    stored = json.loads((ROOT / "exercises" / file_name(name)).read_text(encoding="utf-8"))
    cells = [statements(source(cell)) for cell in stored["cells"] if cell["cell_type"] == "code"]
    code = ["\n".join(map(ast.unparse, cell)) for cell in cells]
    script = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
for absent in ("matplotlib", "IPython", "ipywidgets", "anywidget", "tqdm"):
    sys.modules[absent] = None
voices = []
for source in {code!r}:
    head, _, last = source.rstrip().rpartition("\\n")
    if last.startswith("oc.check("):
        exec(head)
        voices.append(eval(last).voice)
    else:
        exec(source)
print(*voices, sep=",")
"""
    done = subprocess.run(
        [sys.executable, "-I", "-c", script],
        cwd=tmp_path,
        text=True,
        capture_output=True,
        env={**os.environ, "OPTCORE_PROGRESS": "off"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split(",") == ["Still missing"] * len(chapter(name))


def test_writing_keeps_a_foreign_setup_cell_and_touches_only_what_changed(tmp_path):
    texts = stale(tmp_path, ROOT)
    assert [path.name for path in texts] == [file_name(name) for name in WRITTEN]
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    assert stale(tmp_path, ROOT) == {}
    path = next(iter(texts))
    stored = json.loads(path.read_text(encoding="utf-8"))
    setup = next(cell for cell in stored["cells"] if "setup" in cell["metadata"].get("tags", ()))
    setup["source"], setup["metadata"]["tags"] = ["import optcore as oc  # elsewhere"], ["setup", "hide-cell"]
    path.write_text(json.dumps(stored))
    assert stale(tmp_path, ROOT) == {}
    stored["cells"][-1]["source"] = ["oc.check('x', 1)"]
    path.write_text(json.dumps(stored))
    ((changed, text),) = stale(tmp_path, ROOT).items()
    assert changed == path and "# elsewhere" in text and "hide-cell" in text and "'x'" not in text


# --- the class that never was -----------------------------------------------------------------------------------------


def test_the_made_up_class_is_the_same_each_time_and_varied(tmp_path):
    for folder in ("a", "b"):
        write_class(tmp_path / folder, 12)
    texts = [[path.read_text() for path in sorted((tmp_path / folder).iterdir())] for folder in ("a", "b")]
    assert texts[0] == texts[1] and len(set(texts[0])) > 6


def test_a_notebook_may_hold_answers():
    made = notebook("gradient-descent", ROOT, lambda exercise: f"# {exercise.id}")
    assert sum("".join(cell["source"]).startswith("# gradient-descent/") for cell in made["cells"]) == len(
        chapter("gradient-descent")
    )
    assert len(exercises()) >= 3 and np.all([e.notebook for e in exercises()])
