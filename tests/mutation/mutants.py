"""One-line changes of a source text: another operator, number, comparison, name.

Left alone is what a drawing looks like: sizes, widths, and the still figures that stand in for widgets.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_OPERATORS = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.MatMult: ("@", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.Lt: ("<", ">="),
    ast.LtE: ("<=", ">"),
    ast.Gt: (">", "<="),
    ast.GtE: (">=", "<"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
}
_AT_THE_EDGE = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}  # between real numbers a matter of rounding
_TWINS = {"min": "max", "argmin": "argmax", "minimum": "maximum", "any": "all", "floor": "ceil", "sin": "cos"}
_TWINS |= {b: a for a, b in _TWINS.items()}
_TOKEN_JS = re.compile(
    r"""(?P<skip>//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`|=>|\+\+|--|[?]\.|[.]{3})"""
    r"""|(?P<regex>(?<=[(,=:\[!&|?{};\s])/(?![/*\s])(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n])+/[a-z]*)"""
    r"""|(?P<number>(?<![\w.#$])\d+(?:\.\d+)?(?:e-?\d+)?(?![\w.]))"""
    r"""|(?P<operator>===|!==|<=|>=|&&|\|\||\+=|-=|\*=|/=|[-+*/<>])|(?P<word>\b[A-Za-z_$][\w$]*\b)""",
    re.DOTALL | re.VERBOSE,
)
_OTHER_JS = {"===": "!==", "!==": "===", "<": ">=", "<=": ">", ">": "<=", ">=": "<", "&&": "||", "||": "&&"}
_OTHER_JS |= {"+": "-", "-": "+", "*": "/", "/": "*", "+=": "-=", "-=": "+=", "*=": "/=", "/=": "*="}
_OTHER_JS |= {"true": "false", "false": "true", "min": "max", "max": "min", "floor": "ceil", "ceil": "floor"}
_OTHER_JS |= {"sin": "cos", "cos": "sin"}


_LOOKS = {
    "figsize",
    "fontsize",
    "linewidth",
    "alpha",
    "markersize",
    "dpi",
    "zorder",
    "pad",
    "max_line_width",
    "va",
    "ha",
}
# What holds only against slips in this code itself, or for speed; tests/test_rooms.py asks that results are frozen.
_GUARDS = {("strict", True), ("frozen", True), ("maxsize", 512), ("maxsize", 1024)}
_LOOKS_JS = re.compile(r"\b(?:ratio|narrow|width|size|alpha|halo|d[xy]|dash|digits)\s*[:=]\s*\[?[-\d., ]*$")


@dataclass(frozen=True)
class Mutant:
    """A file with one place changed; the line it stands on names it, however far down it moves."""

    file: str
    line: str  # as it is, without indentation
    changed: str  # as it becomes
    number: int  # which of the equal lines of the file, from 0
    start: int
    end: int
    new: str

    @property
    def name(self) -> str:
        place = f"({self.number + 1}) " if self.number else ""
        return f"{self.file}: {place}{self.line} → {self.changed}"

    def of(self, source: str) -> str:
        """The text of the file, changed."""
        return source[: self.start] + self.new + source[self.end :]


def mutants(file: str, source: str) -> Iterator[Mutant]:
    """Every mutant of a file, in order."""
    edits = _in_javascript(source) if Path(file).suffix == ".js" else _in_python(source)
    lines = source.splitlines()
    seen: dict[tuple[str, str], int] = {}
    for start, end, new in sorted(set(edits)):
        row = source.count("\n", 0, start)
        at = source.rfind("\n", 0, start) + 1
        line = lines[row]
        changed = line[: start - at] + new + line[end - at :]
        key = line.strip(), changed.strip()
        yield Mutant(file, *key, seen.setdefault(key, 0), start, end, new)
        seen[key] += 1


def _other_number(text: str) -> str:
    """Another number of the same kind: one more, or twice and a bit."""
    value = ast.literal_eval(text)
    return str(value + 1) if isinstance(value, int) else repr(2 * value + (0.5 if value == 0 else 0))


def _in_python(source: str) -> Iterator[tuple[int, int, str]]:
    offsets = [0]
    for line in source.splitlines(keepends=True):
        offsets.append(offsets[-1] + len(line))

    def at(row: int, column: int) -> int:
        """Place in the text of a row (from 1) and a column in bytes."""
        line = source[offsets[row - 1] : offsets[row]]
        return offsets[row - 1] + len(line.encode()[:column].decode())

    tokens = [
        (offsets[t.start[0] - 1] + t.start[1], offsets[t.end[0] - 1] + t.end[1], t.string)
        for t in tokenize.generate_tokens(io.StringIO(source).readline)
        if t.string.strip()
    ]

    def between(left: ast.AST, right: ast.AST, words: str) -> tuple[int, int] | None:
        """Where an operator of one or two words stands between two operands."""
        low, high = at(left.end_lineno, left.end_col_offset), at(right.lineno, right.col_offset)  # type: ignore
        inside = [t for t in tokens if low <= t[0] and t[1] <= high]
        for k in range(len(inside)):
            run = inside[k : k + len(words.split())]
            if [t[2] for t in run] == words.split():
                return run[0][0], run[-1][1]
        return None

    def edit(left: ast.AST, op: ast.AST, right: ast.AST) -> Iterator[tuple[int, int, str]]:
        old, new = _OPERATORS.get(type(op), ("", ""))
        if old in _AT_THE_EDGE and any(
            isinstance(side, ast.Constant) and type(side.value) is int for side in (left, right)
        ):
            new = _AT_THE_EDGE[old]
        if old and (place := between(left, right, old)):
            yield *place, new

    def walk(node: ast.AST) -> Iterator[tuple[int, int, str]]:
        match node:
            case ast.BinOp(left, op, right):
                yield from edit(left, op, right)
            case ast.BoolOp(op, values):
                for left, right in zip(values[:-1], values[1:], strict=True):
                    yield from edit(left, op, right)
            case ast.Compare(left, ops, comparators):
                for a, op, b in zip([left, *comparators[:-1]], ops, comparators, strict=True):
                    yield from edit(a, op, b)
            case ast.AugAssign(target, op, value) if type(op) in _OPERATORS:
                old, new = _OPERATORS[type(op)]
                if place := between(target, value, f"{old}="):
                    yield *place, f"{new}="
            case ast.UnaryOp(ast.USub() | ast.Not() as op):
                start = at(node.lineno, node.col_offset)
                yield start, start + (1 if isinstance(op, ast.USub) else 3), ""
            case ast.Constant(value) if isinstance(value, bool):
                yield at(node.lineno, node.col_offset), at(node.end_lineno, node.end_col_offset), str(not value)  # type: ignore
            case ast.Constant(value) if isinstance(value, int | float):
                start, end = at(node.lineno, node.col_offset), at(node.end_lineno, node.end_col_offset)  # type: ignore
                yield start, end, _other_number(source[start:end])
            case ast.Attribute(_, name) if name in _TWINS:
                end = at(node.end_lineno, node.end_col_offset)  # type: ignore
                yield end - len(name), end, _TWINS[name]
            case ast.Name(name) if name in _TWINS:
                start = at(node.lineno, node.col_offset)
                yield start, start + len(name), _TWINS[name]
            case ast.Break():
                start = at(node.lineno, node.col_offset)
                yield start, start + 5, "continue"
            case ast.JoinedStr():
                return  # messages; what they format is looked at elsewhere
            case ast.arg() | ast.Import() | ast.ImportFrom():
                return
            case ast.keyword(name, value) if name in _LOOKS or (name, getattr(value, "value", None)) in _GUARDS:
                return
            case ast.FunctionDef(name) if name == "still":
                return
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "type_comment"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from walk(child)

    yield from walk(ast.parse(source))


def _in_javascript(source: str) -> Iterator[tuple[int, int, str]]:
    for token in _TOKEN_JS.finditer(source):
        text = token[0]
        if token.lastgroup == "number" and not _LOOKS_JS.search(source, token.start() - 40, token.start()):
            yield *token.span(), _other_number(text)
        elif token.lastgroup in ("operator", "word") and text in _OTHER_JS:
            twin = token.lastgroup == "word" and text not in ("true", "false")
            if not twin or source[: token.start()].endswith("Math."):
                yield *token.span(), _OTHER_JS[text]
