"""What stands in a notebook or a script, as code cells, and what IPython adds to Python in them.

Whoever may open a file in Jupyter gets it read here: notebooks of format 3 and 4 under any name, scripts in the
encoding that they declare, with or without a byte order mark.
"""

import ast
import codecs
import io
import json
import re
import tokenize
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import MagicMock

SUFFIXES = (".ipynb", ".py", ".ipynb.txt", ".py.txt", ".ipynb.json")
_RUN_THEIR_CELL = ("time", "capture", "prun")
_MARKER = re.compile(r"^# (?:In ?\[[\d ]*\]:?|%%.*)$", re.MULTILINE)


def is_code(name: str) -> bool:
    """Whether a file's name says that it is a notebook or a script.

    >>> [is_code(name) for name in ("a.ipynb", "A.IPYNB", "a.ipynb.txt", "a.py", "a.pdf")]
    [True, True, True, True, False]
    """
    return name.lower().endswith(SUFFIXES)


def code_cells(name: str, content: bytes) -> list[str]:
    """The code of a notebook, cell by cell; a script is one cell, or those that `# In[1]:` and `# %%` mark.

    Raises ValueError for what is neither, with a sentence that says why.
    """
    looks_like_one = content.lstrip(codecs.BOM_UTF8 + b" \t\r\n")[:1] == b"{"
    if not looks_like_one and ".py" in name.lower():
        return [cell for cell in _MARKER.split(_text(content)) if cell.strip()]
    try:
        sources = list(_sources(json.loads(content)))
    except RecursionError:
        raise ValueError("not a notebook: nested without end") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"not a notebook: {error}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a notebook: {type(error).__name__}: {error}"[:200]) from None
    if not any(source.strip() for source in sources):
        raise ValueError("not a notebook: it has no code cells")
    return sources


def _sources(notebook: dict[str, Any]) -> Iterator[str]:
    sheets = [notebook] if "cells" in notebook else notebook["worksheets"]  # format 3 has sheets, and "input"
    for cell in (cell for sheet in sheets for cell in sheet["cells"]):
        if cell["cell_type"] == "code":
            yield "".join(cell["source"] if "source" in cell else cell["input"])


def _text(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    try:
        return content.decode(tokenize.detect_encoding(io.BytesIO(content).readline)[0])
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ValueError(f"not a script: {error}; save it as UTF-8") from None


# --- IPython ----------------------------------------------------------------------------------------------------------


def statements(source: str) -> list[ast.stmt]:
    """The statements of a cell, with IPython's own ways of writing turned into calls of `get_ipython()`.

    Each module of an `import` stands by itself, so that one that is missing does not take the others away.

    >>> print(*map(ast.unparse, statements("  import torch, numpy as np\\n  files = !ls\\n  np.sum?")), sep="\\n")
    import torch
    import numpy as np
    files = get_ipython().getoutput('ls')
    get_ipython().run_line_magic('pinfo', 'np.sum')
    """
    try:
        body = ast.parse(source).body
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager

        body = ast.parse(TransformerManager().transform_cell(source)).body
    found: list[ast.stmt] = []
    for one in body:
        apart = [ast.Import([name]) for name in one.names] if isinstance(one, ast.Import) else [one]
        found += [ast.copy_location(part, one) for part in apart]
    return found


def shell(run: Callable[[str], Any]) -> MagicMock:
    """What stands for IPython's shell: magics that time or capture code `run` it, everything else does nothing."""

    def run_cell_magic(magic: str, _line: str, cell: str) -> Any:
        return run(cell) if magic in _RUN_THEIR_CELL else None

    def run_line_magic(magic: str, line: str, *_: Any) -> Any:
        return run(line) if magic == "time" else MagicMock()

    stand_in = MagicMock(name="IPython")
    stand_in.run_cell_magic, stand_in.run_line_magic = run_cell_magic, run_line_magic
    stand_in.getoutput.return_value = []
    return stand_in
