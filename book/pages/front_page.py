"""The cards of the front page: each lists the notebooks of its chapter."""

import re
from pathlib import Path

from book.course import ROOT, notebooks, number, title

_CARD = re.compile(r"^(:::\{grid-item-card\} (\d+) ·(?:(?!:::|- ).*\n)*)(?:- .*\n)*(?=:::)", re.MULTILINE)


def entries(chapter: str) -> str:
    """The notebooks of a chapter, a line each."""
    paths = [path for path in notebooks() if number(path).startswith(f"{chapter}.")]
    return "".join(f"- [{number(path)} {title(path)}]({path.relative_to(ROOT).as_posix()})\n" for path in paths)


def stale() -> dict[Path, str]:
    """intro.md, if a card is out of date."""
    page = ROOT / "intro.md"
    before = page.read_text(encoding="utf-8")
    after = _CARD.sub(lambda card: card[1] + entries(card[2]), before)
    return {} if after == before else {page: after}
