"""The page "Every comparison of this course", from what the notebooks store, and a check that each is sound.

A notebook's cell that ends in the result of `oc.compare` stores its record; `claims.verdict` states what the text says.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from book.course import ROOT, load, notebooks, number, source
from book.pages.concepts import headings
from optcore.claims import RECORD, with_interval
from optcore.verdicts import unsound

PAGE = ROOT / "comparisons.md"
INTRODUCTION = """\
# Every comparison of this course

Wherever the course says which of two is better, the sentence rests on one of the {count} comparisons below. Each side
has its own best rate, found inside its grid on other seeds; all spend the same, or the line says why not; the verdict
comes from fresh seeds that all sides share, in pairs. In brackets is the 95 % t-interval of the mean difference, or of
the mean factor where it says "times". An interval that holds 0 (or the factor 1) is a tie; so is a difference within
the margin that a notebook calls small. Where one question has several lines, their intervals hold together with 95 %.
[8.4]({how}) shows how such a comparison is made. What the course shows at one rate for all is not in this list: it
illustrates, and concludes nothing about which is better.

The page is written from the notebooks' stored outputs.
"""


@dataclass(frozen=True)
class Stored:
    """One comparison as a notebook stores it, and the link to the section it stands in."""

    record: dict[str, Any]
    notebook: str
    title: str
    link: str


def records(nb: dict, part: str) -> Iterator[tuple[int, Any]]:
    """The claims, or the comparisons, that the cells of a notebook store: (number of the cell, record)."""
    for place, cell in enumerate(nb["cells"]):
        for output in cell.get("outputs", []):
            if part in (record := output.get("metadata", {}).get(RECORD, {})):
                yield place, record[part]


def read(path: Path) -> list[Stored]:
    """The comparisons of a notebook, in order."""
    nb, anchors = load(path), headings(path)
    title = source(nb["cells"][0]).splitlines()[0].removeprefix("# ")
    found = []
    for place, record in records(nb, "comparison"):
        above = "\n".join(source(cell) for cell in nb["cells"][:place] if cell["cell_type"] == "markdown")
        titles = [title for title in re.findall(r"^#+ +(.*?) *$", above, re.MULTILINE) if title in anchors]
        link = path.relative_to(path.parents[2]).as_posix() + (f"#{anchors[titles[-1]]}" if titles else "")
        found.append(Stored(record, number(path), title, link))
    return found


def problems(path: Path) -> list[str]:
    """What is wrong with the comparisons of a notebook, in sentences."""
    nb = load(path)
    stored = [record for _, record in records(nb, "comparison")]
    asked = sum(source(cell).count("oc.compare(") for cell in nb["cells"] if cell["cell_type"] == "code")
    claimed = {claim.get("comparison") for _, claims in records(nb, "claims") for claim in claims}
    questions = [record["question"] for record in stored]
    found = [f"{q!r}: {sentence}" for q, r in zip(questions, stored, strict=True) for sentence in unsound(r)]
    if len(stored) < asked:
        where = f"make run NOTEBOOKS={path.relative_to(ROOT) if path.is_relative_to(ROOT) else path}"
        found.append(
            f"{asked} comparisons are made and {len(stored)} stored: end each cell with its result, then {where}"
        )
    found += [f"{q!r} is asked twice" for q in dict.fromkeys(questions) if questions.count(q) > 1]
    found += [f"{q!r} has no claims.verdict(…)" for q in questions if q not in claimed]
    found += [f"{q!r} is claimed and its result not shown" for q in claimed - {*questions, None}]
    return [f"{path.name}: {sentence}" for sentence in found]


def _number(value: Any) -> str:
    return f"{value:.3g}".replace("-", "−") if isinstance(value, float) else str(value)


def _best(name: str, side: dict) -> str:
    """A side, its best rate, and what was tried."""
    settings = []
    for setting, values in side["grid"].items():
        word = "" if setting == "rate" else f"{setting} "
        settings.append(
            f"{word}{_number(side['best'][setting])} of {len(values)}, {_number(values[0])} to {_number(values[-1])}"
        )
    return f"{name}: {'; '.join(settings)}"


def _difference(record: dict, difference: dict) -> str:
    mean, times = difference["mean"], " times" if record["ratio"] else ""
    text = with_interval(mean, *(difference["interval"] or ())) + times
    if ends := difference["test_interval"]:
        text += f"; with other test examples {with_interval(mean, *ends).split(' ', 1)[1]}"
    return text


def _verdict(record: dict, difference: dict) -> str:
    """The word; with the margin that makes a tie of what an interval tells apart."""
    word, ends, even = difference["verdict"], difference["interval"], 1 if record["ratio"] else 0
    if word != "a tie" or not record["margin"] or not ends or ends[0] <= even <= ends[1]:
        return word
    return f"a tie (within {_number(even + record['margin'])}{' times' if even else ''})"


def lines(stored: Stored) -> list[str]:
    """The lines of one comparison in the table, one for each difference."""
    record = stored.record
    sides = record["sides"]
    rows = []
    for k, difference in enumerate(record["differences"]):
        name, reference = difference["side"], record["reference"]
        shown = [name] if k else [name, reference]
        seeds = sides[name]["seeds"]
        chance = f"{len(sides[name]['tuning_seeds'])} and {len(seeds)}" if seeds else "none"
        rows.append(
            [
                "" if k else f"[{record['question']}]({stored.link}) {record['score']}, {record['better']} is better",
                f"{name} against {reference}",
                ". ".join(_best(side, sides[side]) for side in shown),
                chance + (f"; {record['unit']}: {record['unequal']}" if record["unequal"] else ""),
                _difference(record, difference),
                _verdict(record, difference),
            ]
        )
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]


def render(found: list[Stored]) -> str:
    """The page: a table for each notebook that compares."""
    how = "chapters/8-generalization/4-the-practitioners-loop.ipynb#a-fair-comparison"
    text = [INTRODUCTION.format(count=len(found), how=how)]
    for notebook in dict.fromkeys(stored.notebook for stored in found):
        here = [stored for stored in found if stored.notebook == notebook]
        text += [f"## {notebook} {here[0].title}", ""]
        text.append(
            "| question | sides | best rates, of those tried | seeds: rates and verdict | difference | verdict |"
        )
        text.append("|---|---|---|---|---|---|")
        text += [line for stored in here for line in lines(stored)] + [""]
    return "\n".join(text).rstrip("\n") + "\n"


def stale() -> dict[Path, str]:
    """comparisons.md, if it is out of date; comparisons that are not sound are refused."""
    paths = notebooks()
    found = [stored for path in paths for stored in read(path)]
    if amiss := [sentence for path in paths for sentence in problems(path)]:
        raise ValueError("\n".join(amiss))
    text = render(found)
    return {} if not found or (PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text) else {PAGE: text}
