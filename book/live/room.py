"""Runs the cells of a page as a notebook does. worker.js loads it into the page's Python, and only there.

`run(code, name, send)` executes a cell in `__main__` and sends, each as JSON, what comes while it runs:
    {"stream": text}                   what was printed
    {"data": {mime type: content}}     the last expression, what `display` was given, figures as image/png in base64
and returns, as JSON, {} or {"error": {"kind", "line", "text"}}: `text` is Python's last lines, `line` the one of this
cell that was at work, if any.
"""

import ast
import base64
import builtins
import importlib
import io
import json
import linecache
import os
import re
import sys
import traceback
from collections.abc import Callable
from pprint import pformat

os.environ["MPLBACKEND"] = "module://room_backend"
os.environ["OPTCORE_PROGRESS"] = "off"
PAGE = "/page/"  # where the cells seem to lie
WIDTH = 79
_FORMATS = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "image/svg+xml": "_repr_svg_",
    "text/latex": "_repr_latex_",
}
_send: Callable[[str], None] = print


def _tell(**output) -> None:
    _send(json.dumps(output))


class _Printed(io.TextIOBase):
    """What is printed leaves line by line, or when it is flushed."""

    def __init__(self):
        self.waiting = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.waiting += text
        if "\n" in text or len(self.waiting) > 4096:
            self.flush()
        return len(text)

    def flush(self) -> None:
        if self.waiting:
            text, self.waiting = self.waiting, ""
            _tell(stream=text)


# ---- values -----------------------------------------------------------------------------------------------------


def bundle(value) -> dict[str, str]:
    """The value as a notebook would store it; a widget without the still picture that stands in for a script."""
    widgets = sys.modules.get("optcore.widgets.base")
    if widgets and isinstance(value, widgets.Widget):
        return {"text/plain": repr(value), "text/html": value.element()}
    if type(value).__name__ == "Figure" and hasattr(value, "savefig"):
        return {"text/plain": repr(value), "image/png": _png(value)}
    data = {"text/plain": _plain(value)}
    if isinstance(value, type):
        return data
    if hasattr(value, "_repr_mimebundle_"):
        made = value._repr_mimebundle_()
        return data | (made[0] if isinstance(made, tuple) else made or {})
    for mime, method in _FORMATS.items():
        content = getattr(value, method, lambda: None)()
        if isinstance(content, str):
            data[mime] = content
    return data


def _plain(value) -> str:
    text = repr(value)
    built_in = type(value) in (list, tuple, dict, set)
    return pformat(value, width=WIDTH, sort_dicts=False) if built_in and len(text) > WIDTH else text


def display(*values) -> None:
    """Show values below the cell, as in a notebook."""
    sys.stdout.flush()
    for value in values:
        _tell(data=bundle(value))


def _displayhook(value) -> None:
    if value is not None:
        builtins._ = value  # type: ignore[attr-defined]
        display(value)


# ---- figures ----------------------------------------------------------------------------------------------------


def _png(figure) -> str:
    picture = io.BytesIO()
    figure.savefig(picture, format="png", bbox_inches="tight")
    return base64.b64encode(picture.getvalue()).decode()


def show(*_args, **_keywords) -> None:
    """Show the open figures, and close them; called at the end of each cell too."""
    if "matplotlib.pyplot" not in sys.modules:
        return
    plt = sys.modules["matplotlib.pyplot"]
    sys.stdout.flush()
    try:
        for number in plt.get_fignums():
            figure = plt.figure(number)
            if figure.get_axes():
                _tell(data={"text/plain": repr(figure), "image/png": _png(figure)})
    finally:
        plt.close("all")


class _Figures:
    """Finds Matplotlib by getting it first: most of what readers do needs no figure."""

    def __init__(self, load: Callable[[], None]):
        self.load = load

    def find_spec(self, name: str, _path=None, _target=None) -> None:
        if name.partition(".")[0] in ("matplotlib", "mpl_toolkits", "PIL"):
            sys.meta_path.remove(self)
            try:
                self.load()
            except BaseException:
                sys.meta_path.insert(0, self)
                raise
            importlib.invalidate_caches()


# ---- cells ------------------------------------------------------------------------------------------------------


def _parsed(code: str, file: str) -> ast.Module:
    try:
        return ast.parse(code, file)
    except SyntaxError:
        plain = re.sub(r"^(\s*)[%!]\s*\w", r"\1pass  # \g<0>", code, flags=re.MULTILINE)  # for IPython: `%pip …`
        try:
            return ast.parse(plain, file)
        except SyntaxError:
            pass
        raise


def _execute(code: str, file: str) -> None:
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    tree, space = _parsed(code, file), sys.modules["__main__"].__dict__
    last = tree.body[-1] if tree.body else None
    shown = isinstance(last, ast.Expr) and not code.rstrip().endswith(";")
    value = ast.Expression(tree.body.pop().value) if shown else None  # type: ignore[attr-defined, union-attr]
    exec(compile(tree, file, "exec"), space)
    if value:
        _displayhook(eval(compile(value, file, "eval"), space))


def _told(error: BaseException, file: str) -> dict:
    """Python's last lines: of the calls, those in the page's cells."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(PAGE)]
    lines = [frame.lineno for frame in frames if frame.filename == file]
    if isinstance(error, SyntaxError) and error.filename == file:
        lines.append(error.lineno)
    called = traceback.format_list(frames[-6:]) + traceback.format_exception_only(error)
    text = re.sub(rf'^  File "{PAGE}([^"]*)", ', r"\1, ", "".join(called), flags=re.MULTILINE)
    return {"kind": type(error).__name__, "line": lines[-1] if lines else None, "text": text.rstrip()}


def run(code: str, name: str, send: Callable[[str], None]) -> str:
    """Execute a cell; see the head of this file."""
    global _send
    _send = send
    file, error = PAGE + name, None
    try:
        _execute(code, file)
    except BaseException as raised:
        error = _told(raised, file)
    try:
        show()
    except BaseException as raised:
        error = error or _told(raised, file)
    sys.stdout.flush()
    sys.stderr.flush()
    return json.dumps({"error": error} if error else {})


def begin(load_figures: Callable[[], None]) -> None:
    """Once, before the first cell."""
    sys.stdout = sys.stderr = _Printed()
    sys.displayhook = _displayhook
    builtins.display = display  # type: ignore[attr-defined]
    sys.meta_path.insert(0, _Figures(load_figures))  # type: ignore[arg-type]
