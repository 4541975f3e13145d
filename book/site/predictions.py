"""Guesses: each Predict box asks for one before its answer, and the outputs of the cells below it, unfold.

What a box asks stands in the chapter's `predictions.json`, by notebook ("3.1"), one entry a box:

- `id`: a short name, under which the guess is kept; `box`: the first words of the box, as the notebook has them;
- `kind`: "choice", with `right`, an option, and `wrong`, one to four others (readers get them in a drawn order);
  "number", with `claim`, a number of the page by the name it has there, `unit`, and what is close: `factor` or
  `tolerance` (`times` turns the claim into the unit that is asked for: 100 makes a share per cent);
  "sketch", with `x` and `y`, the names of the axes, `low` and `high`, the ends of the y-axis, `log` where it goes by
  factors, `points`, a list of `{"x": label, "claim": name}` or `{"x": label, "read": pattern}`, which finds the number
  in what the page's cells print, and what is close, as before;
- `answer`: a sentence or two that say why.

The texts are written in the little Markdown of the quizzes. A guess within the claim's own band is right.
"""

import html
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from book.course import ROOT, load, number, source, text_outputs
from optcore.claims import RECORD
from optcore.drawn import drawn_order
from optcore.widgets.quiz import markup

FILE = "predictions.json"
PRINTED = ""  # a name that no claim has
UNSEEN = "oc-unseen"  # class of the outputs that wait for a guess
_BOX = re.compile(r"^((?:> ?)+)\*\*Predict[^*\n]*\*\* *(.*(?:\n\1.*)*)", re.MULTILINE)
_CELL_OUTPUT = re.compile(rf'(<div class="[^"]*\b{UNSEEN}\b[^"]*")')
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 360, 190, 44, 34, 8  # of a sketch
_NEEDS = {
    "choice": {"right", "wrong"},
    "number": {"claim", "unit"},
    "sketch": {"x", "y", "low", "high", "points"},
}
_SURE = ((50, "a guess"), (75, "fairly sure"), (95, "sure"))


@dataclass(frozen=True)
class Box:
    """A Predict box of a notebook: its words, and how many of the next code cells wait for a guess."""

    text: str
    cells: int


def boxes(nb: dict) -> list[Box]:
    """The Predict boxes of a notebook, in order."""
    found = []
    for at, cell in enumerate(nb["cells"]):
        if cell["cell_type"] != "markdown":
            continue
        inside = list(_BOX.finditer(source(cell)))
        for match in inside:
            text = " ".join(re.sub(r"^(> ?)+", "", line).strip() for line in match[2].splitlines())
            found.append(Box(text.strip(), _waiting(nb["cells"][at + 1 :]) if match is inside[-1] else 0))
    return found


def _waiting(cells: list[dict]) -> int:
    """How many of the next code cells wait: up to the text below the first output, a heading or another box."""
    count, shown = 0, False
    for cell in cells:
        if cell["cell_type"] == "code":
            count += 1
            shown = shown or bool(cell.get("outputs"))
        elif shown or re.search(r"^(#|> \*\*)", source(cell), re.MULTILINE):
            break
    return count if shown else 0


def claims(nb: dict) -> dict[str, dict]:
    """The numbers that a notebook states, by name, as stored; of equal names, none. And what its cells print."""
    outputs = (output for cell in nb["cells"] for output in cell.get("outputs", []))
    rows = [row for output in outputs for row in output.get("metadata", {}).get(RECORD, {}).get("claims", [])]
    names = [row["claim"] for row in rows]
    said = {PRINTED: {"text": "\n".join(text_outputs(cell) for cell in nb["cells"])}}
    return {row["claim"]: row for row in rows if names.count(row["claim"]) == 1} | said


def _value(point: dict, known: dict[str, dict]) -> float | None:
    """The number that a claim, or a pattern for what is printed, stands for."""
    if "read" in point:
        found = re.findall(point["read"], known[PRINTED]["text"])
        return float(found[0]) if len(found) == 1 else None
    return known.get(point.get("claim", ""), {}).get("value")


def entries(path: Path) -> list[dict]:
    """What the file beside a notebook says of its boxes."""
    file = path.with_name(FILE)
    return json.loads(file.read_text(encoding="utf-8")).get(number(path), []) if file.is_file() else []


def fault(entry: dict, known: dict[str, dict]) -> str | None:
    """What is wrong with an entry, given the claims of its notebook."""
    if not all(isinstance(entry.get(key), str) and entry[key] for key in ("id", "box", "answer")):
        return "needs 'id', 'box' and 'answer', texts"
    if (kind := entry.get("kind")) not in _NEEDS:
        return f"has the kind {kind!r}; it must be one of {', '.join(_NEEDS)}"
    if missing := _NEEDS[kind] - set(entry):
        return f"needs {', '.join(sorted(missing))}"
    if kind == "choice":
        options = [entry["right"], *entry["wrong"]]
        return None if 2 <= len(options) == len(set(options)) <= 5 else "needs two to five options that differ"
    if ("factor" in entry) == ("tolerance" in entry):
        return "needs 'factor' or 'tolerance': what counts as close"
    for point in entry["points"] if kind == "sketch" else [entry]:
        if _value(point, known) is None:
            return f"takes a number from {point.get('claim') or point.get('read')!r}: its notebook has none, or several"
    if kind == "sketch" and bool(entry.get("log")) != ("factor" in entry):
        return "takes 'factor' with a log axis, 'tolerance' with another"
    return None


def paired(path: Path, nb: dict) -> tuple[list[tuple[Box, dict | None]], list[str]]:
    """Each box of a notebook with its entry, and what is wrong with boxes and entries."""
    found, known = entries(path), claims(nb)
    where, faults, pairs, used = number(path), [], [], set()
    for box in boxes(nb):
        mine = [entry for entry in found if box.text.startswith(entry.get("box") or "\0")]
        if len(mine) != 1:
            what = "has no entry" if not mine else f"has {len(mine)} entries"
            faults.append(f"{where}: the box “{box.text[:60]}” {what} in {path.parent.name}/{FILE}")
        pairs.append((box, mine[0] if mine else None))
        used |= {entry["id"] for entry in mine}
    for entry in found:
        name = entry.get("id")
        faults += [f"{where}: the entry {name!r} {what}" for what in [fault(entry, known)] if what]
        faults += [f"{where}: the entry {name!r} has no box that begins “{entry.get('box')}”"] * (name not in used)
        faults += [f"{where}: two entries are called {name!r}"] * ([e.get("id") for e in found].count(name) > 1)
    return pairs, faults


# ---- the form -------------------------------------------------------------------------------------------------


def _radio(name: str, value: int, label: str, said: str = "") -> str:
    """said: for a label that is a formula and no words, which screen readers do not take for a name."""
    named = f' aria-label="{html.escape(said)}"' if said else ""
    return f'<label><input type="radio" name="{name}" value="{value}"{named} /> <span>{label}</span></label>'


def _formula(option: str) -> str:
    """The formula of an option that has no words; else nothing.

    >>> _formula("$10^{5}$"), _formula("a tenth of $x$")
    ('10^{5}', '')
    """
    return "" if re.search(r"[A-Za-z0-9]", re.sub(r"\$[^$]*\$", "", option)) else option.replace("$", "")


def _choice(entry: dict, place: str) -> tuple[str, dict]:
    options = drawn_order([entry["right"], *entry["wrong"]], place)
    rows = "".join(_radio("guess", k, _words(option), _formula(option)) for k, option in enumerate(options))
    legend = '<legend class="visually-hidden">What do you expect?</legend>'
    return f'<fieldset class="oc-options">{legend}{rows}</fieldset>', {"right": options.index(entry["right"])}


def spoken(value: float, row: dict) -> str:
    """A number as the page states it: to the digits of its claim.

    >>> exact, band = {"low": 0.9801975, "high": 0.9801985, "band": False}, {"low": 0.75, "high": 0.95, "band": True}
    >>> spoken(0.98019802, exact), spoken(691, {"low": 691, "high": 691, "band": False}), spoken(0.8575, band)
    ('0.980198', '691', 'about 0.86')
    """
    low, high = row["low"], row["high"]
    if row["band"]:
        return f"about {float(f'{value:.2g}'):g}"
    places = 0 if low == high else max(0, -math.floor(math.log10((high - low) * 1.000001)))
    return f"{value:.{places}f}" if 1e-3 <= abs(value) < 1e6 or value == 0 else f"{value:.2g}"


def _number(entry: dict, row: dict) -> tuple[str, dict]:
    times = entry.get("times", 1)
    value, low, high = (times * (row["value"] if row[key] is None else row[key]) for key in ("value", "low", "high"))
    unit = _words(entry["unit"])
    field = f'<input name="guess" type="text" inputmode="decimal" autocomplete="off" size="9" /> <span>{unit}</span>'
    value, low, high = (float(f"{number:.8g}") for number in (value, low, high))
    data = {"low": low, "high": high, "value": value, "said": spoken(value, {**row, "low": low, "high": high})}
    return f'<label class="oc-number">I expect {field}</label>', data


def _sketch(entry: dict, known: dict[str, dict]) -> tuple[str, dict]:
    """Axes and one slider for each point; the curve is in parts of the height."""
    scale = math.log10 if entry.get("log") else float
    low, high = scale(entry["low"]), scale(entry["high"])
    part = lambda value: round((scale(value) - low) / (high - low), 3)
    labels = [point["x"] for point in entry["points"]]
    xs = [_LEFT + (k + 0.5) * (_WIDTH - _LEFT - 8) / len(labels) for k in range(len(labels))]
    bottom = _HEIGHT - _BOTTOM
    values = [entry["low"], *entry.get("ticks", []), entry["high"]]
    marks = "".join(
        f'<path d="M{_LEFT} {(y := bottom - part(v) * (bottom - _TOP)):.0f}H{_WIDTH - 8}" />'
        f'<text x="{_LEFT - 5}" y="{y + 4:.0f}" text-anchor="end">{v:g}</text>'
        for v in values
    )
    below = "".join(
        f'<text x="{x:.0f}" y="{bottom + 15}" text-anchor="middle">{html.escape(label)}</text>'
        for x, label in zip(xs, labels, strict=True)
    )
    name = f'<text x="{(_WIDTH + _LEFT) // 2}" y="{_HEIGHT - 3}" text-anchor="middle">{html.escape(entry["x"])}</text>'
    drawing = (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true">{marks}{below}{name}'
        '<polyline class="oc-true" /><polyline class="oc-mine" /></svg>'
    )
    sliders = "".join(
        f'<label>{html.escape(label)} <input type="range" name="guess" min="0" max="100" value="50" /></label>'
        for label in labels
    )
    legend = f"<legend>Draw {html.escape(entry['y'])}, or set it point by point:</legend>"
    close = math.log10(entry["factor"]) if entry.get("log") else entry["tolerance"]
    curve = [part(entry.get("times", 1) * _value(point, known)) for point in entry["points"]]
    data = {"curve": curve, "xs": [round(x) for x in xs], "close": round(close / (high - low), 3)}
    ends = [entry["low"], entry["high"], bool(entry.get("log"))]
    return f'<fieldset class="oc-sketch">{legend}{drawing}<div>{sliders}</div></fieldset>', {**data, "ends": ends}


def _words(text: str) -> str:
    """A text as HTML; formulas without what only other readers of MathML need."""
    return re.sub(r"<math [^>]*>", "<math>", markup(text))


def form(entry: dict, where: str, known: dict[str, dict]) -> str:
    """The guess form of a box, its verdict, and its answer, folded."""
    place, kind = f"{where}/{entry['id']}", entry["kind"]
    if kind == "choice":
        ask, data = _choice(entry, place)
    else:
        ask, data = _number(entry, known[entry["claim"]]) if kind == "number" else _sketch(entry, known)
        data |= {key: entry[key] for key in ("factor", "tolerance") if key in entry and kind == "number"}
    sure = "".join(_radio("sure", value, label) for value, label in _SURE)
    spec = html.escape(json.dumps({"id": place, "kind": kind, **data}, separators=(",", ":")))
    return (
        f'<form class="oc-guess pst-js-only" data-guess="{spec}">{ask}'
        f'<fieldset class="oc-sure"><legend>How sure?</legend>{sure}</fieldset>'
        '<button class="plain-button">Guess</button></form>'
        '<p class="oc-verdict" role="status" tabindex="-1"></p>'
        f'<details class="oc-answer"><summary>Answer</summary><p>{_words(entry["answer"])}</p></details>'
    )


class Guesses(SphinxTransform):
    """Put the forms into the boxes of a notebook, and mark the outputs of the cells that follow each."""

    default_priority = 110  # after the boxes are made

    def apply(self) -> None:
        path = Path(self.env.doc2path(self.env.docname))
        file = path.with_name(FILE)
        if path.suffix != ".ipynb" or not file.is_file():
            return
        self.env.note_dependency(file.relative_to(ROOT).as_posix())
        nb = load(path)
        known = claims(nb)
        left, pairs = 0, iter(paired(path, nb)[0])
        for node in self.document.findall(nodes.Element):
            classes = node.get("classes", [])
            if isinstance(node, nodes.admonition) and "predict" in classes:
                box, entry = next(pairs, (None, None))
                left = 0
                if box and entry and not fault(entry, known):
                    left = box.cells
                    node += nodes.raw("", form(entry, number(path), known), format="html")
            elif "cell" in classes and left:
                left -= 1
                for output in node.children:
                    if "cell_output" in output.get("classes", []):
                        output["classes"].append(UNSEEN)


def hide(body: str) -> str:
    """The outputs that wait, hidden where scripts run (look.css) and yet found by the browser's search."""
    return _CELL_OUTPUT.sub(r'\1 hidden="until-found"', body)


def setup(app: Sphinx) -> None:
    """Called by extension.py."""
    app.add_transform(Guesses)
    app.add_js_file("sketch.js", priority=904)  # after page.js
    app.add_js_file("predict.js", priority=905)
