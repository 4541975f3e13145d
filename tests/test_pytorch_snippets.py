"""The "In PyTorch" boxes: each python block, run where torch is installed, prints the text block after it."""

import contextlib
import io
import re

import pytest

from book.course import ROOT, load, notebooks, source

PAIR = re.compile(r"```python\n(.*?)```\s*```text\n(.*?)```", re.DOTALL)


def snippets() -> dict[str, list[tuple[str, str]]]:
    """Notebook -> (code, printed text) of each block in its section "In PyTorch"."""
    found = {}
    for path in notebooks():
        text = "\n\n".join(source(cell) for cell in load(path)["cells"] if cell["cell_type"] == "markdown")
        _, _, section = text.partition("\n## In PyTorch")
        section = section.split("\n## ")[0]
        found[path.relative_to(ROOT / "chapters").as_posix()] = PAIR.findall(section)
        assert section.count("```python") == len(PAIR.findall(section)), f"{path.name}: a block without its output"
    return found


SNIPPETS = snippets()


def test_every_notebook_has_a_pytorch_box():
    assert SNIPPETS and all(SNIPPETS.values()), [name for name, pairs in SNIPPETS.items() if not pairs]


@pytest.mark.peers
@pytest.mark.parametrize("notebook", SNIPPETS)
def test_prints_what_the_page_shows(notebook):
    import torch

    for code, printed in SNIPPETS[notebook]:
        torch.manual_seed(0)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, notebook, "exec"), {})
        assert out.getvalue().strip() == printed.strip()
