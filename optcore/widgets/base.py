"""What every widget shares: settings that Python and the page both hold, and the HTML that needs no kernel.

A widget is a constant `spec` (programs, tables, labels), a flat dict of settings `value` (what controls change), one
ES module `NAME.js`, a sentence that says what is drawn, and a still figure:

    class Chord(Widget):
        name = "chord"
        start = Setting("The dragged point.", point())     # w.start reads and writes w.value["start"]

        def __init__(self, ...):
            super().__init__(spec={...}, value={"start": [0.0, 1.0]}, label="Chord(x²)", summary="A parabola …")

        def still(self): ...                                # a Matplotlib figure, for pages without scripts

With anywidget installed it is a Jupyter widget and `value` is synced both ways; without it the same object shows the
same page and only the kernel hears nothing of the controls. Numbers that JSON lacks travel as the strings "NaN",
"Infinity" and "-Infinity", which both `float(…)` and JavaScript's `Number(…)` read.
"""

import base64
import hashlib
import html
import io
import itertools
import json
import math
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .allowed import Allowed

try:
    import anywidget
    import traitlets
except ImportError:  # an old ipywidgets, or none: the page alone carries the widget
    anywidget = None  # type: ignore[assignment]

__all__ = ["Goal", "Setting", "Widget", "page_source", "plain", "revived", "to_json"]

HERE = Path(__file__).parent
_NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_count = itertools.count(1)  # running number of the kernel: two equal widgets on a page have two ids


def plain(x: Any) -> Any:
    """`x` as JSON can hold it: arrays become lists, non-finite numbers become strings.

    >>> plain({"a": np.array([1.0, np.nan]), "b": (np.float32(2), -np.inf)})
    {'a': [1.0, 'NaN'], 'b': [2.0, '-Infinity']}
    """
    if isinstance(x, dict):
        return {str(k): plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    if isinstance(x, (np.ndarray, np.generic)):
        return plain(x.tolist())
    if isinstance(x, float) and not math.isfinite(x):
        return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"
    return x


def revived(x: Any) -> Any:
    """The inverse of `plain` for what comes back from the page.

    >>> revived({"lr": "Infinity", "on": ["adam"]})
    {'lr': inf, 'on': ['adam']}
    """
    if isinstance(x, dict):
        return {k: revived(v) for k, v in x.items()}
    if isinstance(x, list):
        return [revived(v) for v in x]
    return _NON_FINITE.get(x, x) if isinstance(x, str) else x


def to_json(x: Any) -> str:
    """JSON that is safe inside a script element.

    >>> to_json({"a": "</script><!--"})
    '{"a":"<\\\\/script><\\\\u0021--"}'
    """
    text = json.dumps(plain(x), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return text.replace("</", "<\\/").replace("<!--", "<\\u0021--")


_IMPORT = re.compile(r'^import [^;]* from "\./([^"]+)";\n', re.MULTILINE)


def _joined(path: Path, seen: set[Path]) -> str:
    """A module after all that it imports, each once. They share one scope, so their names differ."""
    seen.add(path)
    text = path.read_text(encoding="utf-8")
    files = [path.parent / name for name in _IMPORT.findall(text)]
    parts = [_joined(file, seen) for file in files if file not in seen]
    return "".join(parts) + re.sub(r"^export (?!default)", "", _IMPORT.sub("", text), flags=re.MULTILINE)


@cache
def page_source(file: str) -> str:
    """A front-end file (`common.js`, `oc.css`, a widget's module) as pages carry it: in one piece with what it imports,
    without comments and indentation. `common.js` becomes the global `oc`.
    """
    text = _joined(HERE / file, set())
    text = re.sub(r"^\s*/\*.*?\*/[ \t]*\n", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"^\s*//.*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^\s+", "", text, flags=re.MULTILINE)
    if file == "common.js":
        text = f"const oc = (() => {{\n{text.replace('export default', 'return', 1)}}})();\n"
    return text


def rounded(x: float, digits: int = 3) -> float:
    """A number of so many digits, as a goal states it.

    >>> rounded(0.123456)
    0.123
    """
    return float(f"{x:.{digits}g}")


def between(least: float, most: float, share: float = 0.5) -> float:
    """A number of two digits, that far from `least` to `most` in powers: a limit that leaves room on either side.

    >>> between(0.01, 1.0)
    0.1
    """
    return rounded(least * (most / least) ** share, 2)


def titled(name: str) -> str:
    """A function's name as a label; any other name is one already.

    >>> titled("two_basins"), titled("ab = 1")
    ('Two basins', 'ab = 1')
    """
    return name.replace("_", " ").capitalize() if name.isidentifier() else name


class Goal(NamedTuple):
    """What a reader is to reach, and how the page sees it: `Goal("Bring J below 2.", [("J", "<", 2)], "J is {J}.")`.

    when: conditions that hold together: (fact or setting, "<", ">" or "=", limit); the limit of < and > may be the name
    of another fact. reached: the answer, with the numbers of that moment. Facts are what the drawing of a widget found
    (`ui.facts` in its module).
    """

    text: str
    when: Sequence[tuple[str, str, Any]]
    reached: str


class Setting:
    """An attribute that lives in `widget.value`, so a control in the page and an assignment in Python meet.

    `allowed` says what it may be; where that depends on the widget, `Widget.checked` does.
    """

    def __init__(self, doc: str, allowed: Allowed | None = None):
        self.__doc__, self.allowed = doc, allowed

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, widget, owner=None):
        return self if widget is None else widget.value[self.name]

    def __set__(self, widget, new):
        widget.value = widget.checked({**widget.value, self.name: plain(new)})


if anywidget:

    class _Base(anywidget.AnyWidget):
        spec = traitlets.Dict().tag(sync=True, to_json=lambda v, _: plain(v))
        value = traitlets.Dict().tag(sync=True, to_json=lambda v, _: plain(v), from_json=lambda v, _: revived(v))
        # ipywidgets 7 defines it, and IPython would prefer it to the mime bundle
        _ipython_display_ = None

else:

    class _Base:  # type: ignore[no-redef]
        def __init__(self, spec: dict, value: dict):
            self.spec, self.value = spec, value

        def _repr_mimebundle_(self, **_):
            return {"text/plain": repr(self)}, {}


class Widget(_Base):
    """Base of the widgets: `spec`, `value`, one module, one sentence, one still figure (see the top of this file)."""

    name: str  # of the module, and of the factory in optcore
    line = ""  # what to move and what to look for, in one imperative sentence
    #: Height before the script runs, so that the page does not jump: CSS lengths for a wide page and for a phone, in
    #: which 100cqi is the width of the widget.
    tall = ("calc(50cqi + 20rem)", "calc(150cqi + 25rem)")

    def __init_subclass__(cls, **kwargs):
        if "name" in vars(cls):  # not in the anonymous subclass that anywidget makes of each instance
            cls._esm = page_source("common.js") + page_source(f"{cls.name}.js")
            cls._css = page_source("oc.css")
        super().__init_subclass__(**kwargs)

    def __init__(self, *, spec: dict, value: dict, label: str, summary: str):
        self._label, self._number = label, next(_count)
        super().__init__(spec=plain({"name": self.name, "summary": summary, **spec}), value=plain(value))
        self._ask(self.goal())

    def __repr__(self) -> str:
        return self._label

    def _ask(self, goal: Goal | None) -> None:
        self.spec = {**self.spec, "line": self.line, "goal": plain(goal._asdict()) if goal else None}

    def aim(self, text: str, when: Sequence[tuple[str, str, Any]], reached: str) -> "Widget":
        """The widget with a goal of your own in place of its first one; the parts are those of `Goal`."""
        self._ask(Goal(text, when, reached))
        return self

    # -- for subclasses to override
    def goal(self) -> Goal | None:
        """What can be reached from the settings as they are now, and is not yet; None when that cannot be promised."""
        return None

    def checked(self, value: dict) -> dict:
        """`value` when all settings are allowed, at the start as at an assignment; else a ValueError in a sentence."""
        for kind in reversed(type(self).__mro__):
            for name, setting in vars(kind).items():
                if isinstance(setting, Setting) and setting.allowed and name in value:
                    setting.allowed.check(name, value[name])
        return value

    def still(self):
        """A Matplotlib figure of the first state, or None."""
        return None

    def still_html(self) -> str:
        """What a page without scripts shows: the still figure, its summary as alternative text."""
        summary = html.escape(self.spec["summary"])
        picture = _png(self.still())
        if picture is None:
            return f"<p>{summary}</p>"
        return f'<img alt="{summary}" src="data:image/png;base64,{picture}">'

    # -- what notebooks store
    def _repr_mimebundle_(self, **kwargs):
        live = super()._repr_mimebundle_(**kwargs) or ({}, {})
        data, metadata = live if isinstance(live, tuple) else (live, {})
        return {**data, "text/plain": repr(self), "text/html": self.html()}, metadata

    def html(self) -> str:
        """The whole widget as HTML: style, state, still figure and the module that brings it to life."""
        module = self._esm.replace("export default", "const widget =", 1)
        name, element = self._element(f"<noscript>{self.still_html()}</noscript>")
        return (
            f"<style data-oc-css>{self._css}</style>\n{element}\n"
            f'<script type="module" data-oc-module="{self.name}">{module}\n'
            f'oc.mount(document.getElementById("{name}"), widget);</script>'
        )

    def element(self) -> str:
        """Its state as HTML, for a page that has style and module already; no still figure, which needs Matplotlib."""
        return self._element()[1]

    def _element(self, inside: str = "") -> tuple[str, str]:
        """The id and the HTML of the element that holds the widget's state."""
        state = to_json({"spec": self.spec, "value": self.value})
        name = f"oc-{self.name}-{hashlib.sha256(f'{self.name} {self._number} {state}'.encode()).hexdigest()[:8]}"
        return name, (
            f'<div class="oc-widget" data-oc="{self.name}" id="{name}" '
            f'style="--tall:{self.tall[0]};--tall-narrow:{self.tall[1]}">'
            f'<script type="application/json">{state}</script>{inside}</div>'
        )


def _png(figure) -> str | None:
    """A figure as a small PNG (64 colours) in base64."""
    if figure is None:
        return None
    import matplotlib.pyplot as plt
    from PIL import Image  # comes with Matplotlib

    raw, small = io.BytesIO(), io.BytesIO()
    figure.savefig(raw, format="png", dpi=80)
    plt.close(figure)  # else a notebook would show it as well
    Image.open(raw).convert("RGB").quantize(64).save(small, format="png", optimize=True)
    return base64.b64encode(small.getvalue()).decode()
