"""What is generated is up to date, and `make sync --check` notices when it is not."""

import json
import re

from book.commands import sync
from tests.copies import Copy

WRITTEN_WHOLE = ("concepts.md", "intro.md", "notation.md", "bibliography.md", "CITATION.cff")


def sources(notebook: str) -> list[str]:
    return ["".join(cell["source"]) for cell in json.loads(notebook)["cells"]]


def test_everything_generated_is_up_to_date(capsys):
    assert (sync.main(check=True), capsys.readouterr().out) == (0, "")


def test_canary_whatever_is_out_of_date_is_named_and_written(tmp_path):
    copy = Copy(tmp_path / "copy")
    first, exercises = "chapters/1-objective/1-from-data-to-a-loss-surface.ipynb", "exercises/1-objective.ipynb"
    second = "chapters/1-objective/2-losses-that-behave.ipynb"
    before = {name: copy.read(name) for name in (first, second, exercises, *WRITTEN_WHOLE)}
    notebook = json.loads(before[first])
    notebook["cells"] = [cell for cell in notebook["cells"] if "setup" not in cell["metadata"].get("tags", [])]
    copy.write(first, json.dumps(notebook))
    copy.path(exercises).unlink()
    copy.write(second, before[second].replace("**Time:** ", "**Time:** 1"))
    copy.write("concepts.md", before["concepts.md"].replace("**Adam**", "**Eve**"))
    copy.write("intro.md", before["intro.md"].replace("- [4.2 Adam]", "- [4.2 Eve]"))
    copy.write("CITATION.cff", before["CITATION.cff"].replace("\nversion: ", "\nversion: 9."))
    copy.replace("book/site/addresses.txt", "glossary.html\n", "")
    copy.replace("notation.md", "[Srivastava et al. (2014)]", "[]")
    copy.replace("bibliography.md", '"goh2017why"', '"goh2016why"')
    told = copy.sync("--check")
    named = [line.split(": ")[0] for line in told.stdout.splitlines()]
    assert told.returncode == 1 and named == [
        exercises,
        first,
        "intro.md",
        "CITATION.cff",
        "book/site/addresses.txt",
        "notation.md",
        "bibliography.md",
        "concepts.md",
        second,
    ], told.stderr
    assert copy.sync().returncode == 0 and copy.sync("--check").stdout == ""
    assert [copy.read(name) for name in WRITTEN_WHOLE] == [before[name] for name in WRITTEN_WHOLE]
    for name in (first, second, exercises):
        assert sources(copy.read(name)) == sources(before[name])


def test_a_comparison_that_was_not_run_yet_does_not_stop_its_run(tmp_path):
    copy = Copy(tmp_path / "copy")
    name = "chapters/3-gradient-descent/3-momentum-and-nesterov.ipynb"
    notebook = json.loads(copy.read(name))
    cell = {"cell_type": "code", "id": "race", "metadata": {}, "execution_count": None, "outputs": []}
    notebook["cells"].insert(-2, cell | {"source": "race = oc.compare(…)\nrace"})
    copy.write(name, json.dumps(notebook))
    run = re.search(
        r"^run:.*\n\t@\$\(BIN\)/python -m book\.commands\.sync (--\S+)$", copy.read("Makefile"), re.MULTILINE
    )
    assert copy.sync(run[1]).returncode == 0
    told = copy.sync()
    assert (
        told.returncode == 1
        and f"1 comparisons are made and 0 stored: end each cell with its result, then make run NOTEBOOKS={name}"
        in told.stderr
    )
