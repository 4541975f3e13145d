"""Statements of a cell that only check the page's numbers are set quietly, so that a lesson's code is the lesson."""

import ast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


def _checks(statement: ast.stmt) -> bool:
    """Does it only make, call or show `claims`?"""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id="claims") | ast.Attribute(value=ast.Name(id="claims")))):
            return True
        case ast.Assign(targets=[ast.Name(id="claims")]):
            return True
        case ast.For(body=body) | ast.If(body=body, orelse=[]):
            return all(map(_checks, body))
    return False


def check_lines(code: str) -> list[int]:
    """Numbers, from 1, of the lines of statements that only check; none if they are all of the code.

    >>> check_lines("loss = 0.1\\nclaims(\\n  'loss', '0.10', loss)\\nif loss:\\n  claims('a', '1', 1)")
    [2, 3, 4, 5]
    """
    try:
        tree = ast.parse(code)
    except SyntaxError:  # a magic of IPython's
        return []
    found: list[ast.stmt] = []
    for statement in tree.body:
        inner = statement.body if isinstance(statement, ast.For | ast.With | ast.If) else []
        found += [statement] if _checks(statement) else [part for part in inner if _checks(part)]
    if found == tree.body:
        return []
    return sorted({n for part in found for n in range(part.lineno, (part.end_lineno or part.lineno) + 1)})


class QuietChecks(SphinxTransform):
    """Mark them as lines that Pygments sets apart; look.css says how."""

    default_priority = 400

    def apply(self) -> None:
        for block in self.document.findall(nodes.literal_block):
            if block.get("language", "").startswith("ipython") and (lines := check_lines(block.astext())):
                block["highlight_args"] = {**block.get("highlight_args", {}), "hl_lines": lines}


def setup(app: Sphinx) -> None:
    """Called by extension.py."""
    app.add_transform(QuietChecks)
