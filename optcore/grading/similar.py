"""Pairs of hand-ins whose code is alike, for a human to read: nothing here says why.

The code of each exercise becomes tokens in which names are no longer told apart; every stretch of `_LENGTH` tokens has
a fingerprint, of which winnowing keeps one in each window, so that two stretches long enough share one wherever they
stand (Schleimer, Wilkerson, Aiken: Winnowing, SIGMOD 2003, section 3). What the stub and the solution have, and what
many students have, says nothing and does not count.
"""

import ast
import builtins
import hashlib
import io
import keyword
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from .cells import code_cells, statements
from .exercise import Exercise
from .handins import HandIn
from .report import page, text

_LENGTH, _WINDOW = 8, 4  # tokens in a stretch, fingerprints in a window
_LEAST, _SHARE = 6, 0.6  # fingerprints that a pair has to share, and their share of the smaller hand-in's
_COMMON = 0.05  # of the class: what more students than this share is the way to write it
_KEPT = {*keyword.kwlist, *dir(builtins), "np", "oc"}
_SIZE, _CELL = 1 << 20, 20_000  # bytes of a file, characters of a cell: this is read outside of the sandbox


@dataclass(frozen=True)
class Pair:
    """Two hand-ins, the share of the smaller one's rare fingerprints that both have, and the code of both."""

    one: str
    other: str
    exercise: str
    share: float
    shared: int
    codes: tuple[str, str]


def tokens(source: str) -> list[str]:
    """The tokens of code without comments, layout and names of its own.

    >>> tokens("def f(w):  # a step\\n    return w - 0.1*np.sign(w)")
    ['def', 'v', '(', 'v', ')', ':', 'return', 'v', '-', '0.1', '*', 'np', '.', 'sign', '(', 'v', ')']
    """
    made: list[str] = []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME:
            known = token.string in _KEPT or (made and made[-1] == ".")
            made.append(token.string if known else "v")
        elif token.type in (tokenize.OP, tokenize.NUMBER):
            made.append(token.string)
        elif token.type == tokenize.STRING:
            made.append('""')
    return made


def fingerprints(source: str) -> frozenset[int]:
    """The fingerprints of code, winnowed."""
    words = tokens(source)
    stretches = [" ".join(words[i : i + _LENGTH]) for i in range(max(1, len(words) - _LENGTH + 1))] if words else []
    hashes = [int.from_bytes(hashlib.blake2b(one.encode(), digest_size=8).digest()) for one in stretches]
    return frozenset(min(hashes[i : i + _WINDOW]) for i in range(max(1, len(hashes) - _WINDOW + 1)) if hashes)


def answers(files: Iterable[tuple[str, bytes]], names: set[str]) -> dict[str, str]:
    """The source of each name that is asked for: the definition that stands last, without its docstring."""
    found: dict[str, str] = {}
    for name, content in files:
        try:
            body = [statement for cell in code_cells(name, content) for statement in _parsed(cell)]
        except ValueError:
            continue
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name in names:
                found[node.name] = _plain(node)
    return found


def _parsed(cell: str) -> list[ast.stmt]:
    try:
        return statements(cell) if len(cell) < _CELL else []
    except Exception:  # what does not parse has no definition
        return []


def _plain(node: ast.stmt) -> str:
    for part in ast.walk(node):
        if isinstance(part, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(part, False) is not None:
            part.body = part.body[1:] or [ast.Pass()]
    try:
        return ast.unparse(node)
    except RecursionError:
        return ""


def similar_pairs(handins: list[HandIn], exercises: list[Exercise]) -> list[Pair]:
    """The pairs whose code for an exercise is alike beyond what it has to be, most alike first."""
    asked = [exercise for exercise in exercises if exercise.template is not ...]
    code: dict[str, dict[str, str]] = defaultdict(dict)  # by exercise, by student
    for handin in handins:
        files = [(file.name, file.read(_SIZE)[0]) for file in handin.files]
        for name, source in answers(files, {exercise.name for exercise in asked}).items():
            code[name][f"{handin.label} ({handin.id})" if handin.id else handin.label] = source
    pairs = [pair for exercise in asked for pair in _alike(exercise, code[exercise.name])]
    return sorted(pairs, key=lambda pair: (-pair.share, -pair.shared, pair.one, pair.other))


def _alike(exercise: Exercise, code: dict[str, str]) -> Iterable[Pair]:
    given = fingerprints(exercise.stub) | fingerprints(exercise.solution)
    made = {student: fingerprints(source) - given for student, source in code.items()}
    count = Counter(stretch for prints in made.values() for stretch in prints)
    most = max(2, _COMMON * len(code))
    rare = {student: {stretch for stretch in prints if count[stretch] <= most} for student, prints in made.items()}
    owners = defaultdict(list)
    for student, prints in rare.items():
        for stretch in prints:
            owners[stretch].append(student)
    shared = Counter(pair for students in owners.values() for pair in combinations(sorted(students), 2))
    for (one, other), number in shared.items():
        share = number / min(len(rare[one]), len(rare[other]))
        if number >= _LEAST and share >= _SHARE:
            yield Pair(one, other, exercise.id, share, number, (code[one], code[other]))


def write_similar(path: Path, pairs: list[Pair]) -> None:
    """A page of the pairs, each with both codes side by side."""
    intro = f"""<h1>Code that is alike</h1>
<p>{len(pairs)} pairs share most of what is rare in their code once names, comments and layout are left out, and so is
what the exercise's text and solution have and what many in this class wrote. That has many reasons: working together
where it is allowed, one book, one forum. Read both before you conclude anything.</p>"""
    rows = "".join(
        f"<details><summary>{text(pair.one)} and {text(pair.other)}, {text(pair.exercise)}: "
        f"{pair.share:.0%} of the rare stretches of the shorter one, {pair.shared} in all</summary><table><tr>"
        + "".join(f"<td><pre>{html_code(source)}</pre></td>" for source in pair.codes)
        + "</tr></table></details>\n"
        for pair in pairs
    )
    path.write_text(page("Code that is alike", intro + rows), encoding="utf-8")


def html_code(source: str) -> str:
    """Code for a page, its line ends kept."""
    return "\n".join(map(text, source.splitlines()))
