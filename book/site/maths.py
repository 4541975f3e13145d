"""Maths as HTML and MathML, written by KaTeX when the book is built: pages need no maths script.

KaTeX (katex/, MIT) runs in QuickJS, which comes as a 2.5 MB wheel.
"""

import json
import re
from functools import cache
from pathlib import Path

import quickjs
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

KATEX = Path(__file__).parent / "katex"
_NUMBERED = re.compile(r"\\(begin|end)\{(align|alignat|equation|gather)\}")  # KaTeX would number each line
_APPLIED_TO_NOTHING = re.compile("<mo>\u2061</mo>(?=</m(?:sub|sup)>)")  # KaTeX's \max as an index: one child too many
_log = logging.getLogger(__name__)


@cache
def _engine():
    context = quickjs.Context()
    context.eval((KATEX / "katex.min.js").read_text(encoding="utf-8"))
    # JSON in and out, because QuickJS hands back long concatenated strings as ropes, which Python cannot read.
    return context.eval(
        "(tex, displayMode) => JSON.stringify(katex.renderToString(tex, {displayMode, strict: 'ignore'}))"
    )


@cache
def render(tex: str, display: bool = False) -> str:
    r"""HTML with MathML of one formula; raises ValueError that shows where KaTeX stopped.

    >>> "√" in render(r"\sqrt{2}") or "<msqrt>" in render(r"\sqrt{2}")
    True
    >>> "<msub><mi>η</mi><mi>max</mi></msub>" in render(r"\eta_{\max}")
    True
    """
    try:
        return _APPLIED_TO_NOTHING.sub("", json.loads(_engine()(tex, display)))
    except quickjs.JSException as error:
        raise ValueError(str(error).splitlines()[0]) from None


def _rendered(node: nodes.Element, tex: str, display: bool) -> str:
    try:
        return render(tex, display)
    except ValueError as error:
        _log.warning("maths: %s", error, location=node)
        return f"<code>{tex}</code>"


def _visit_inline(translator, node: nodes.math) -> None:
    translator.body.append(f'<span class="math">{_rendered(node, node.astext(), False)}</span>')
    raise nodes.SkipNode


def _visit_display(translator, node: nodes.math_block) -> None:
    tex = node.astext().strip()
    if ("&" in tex or r"\\" in tex) and not node["nowrap"] and r"\begin" not in tex:
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    tex = _NUMBERED.sub(r"\\\1{\2*}", tex)
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append(_rendered(node, tex, True) + "</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Register the renderer as `html_math_renderer: katex`."""
    app.add_html_math_renderer("katex", (_visit_inline, None), (_visit_display, None))
