"""Formulas as HTML and MathML."""

from bs4 import BeautifulSoup

from book.course import pages

PARTS = {"mfrac": 2, "mroot": 2, "mover": 2, "munder": 2, "msub": 2, "msup": 2, "msubsup": 3, "munderover": 3}


def test_formulas_are_valid_mathml(built_book):
    """What a screen reader is given; Firefox says "invalid markup" of a wrong number of parts."""
    seen, wrong = 0, []
    for name in pages():
        soup = BeautifulSoup((built_book[0] / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        for tag in soup.find_all(list(PARTS)):
            seen += 1
            if len(tag.find_all(True, recursive=False)) != PARTS[tag.name]:
                wrong.append(f"{name}: {tag}")
    assert seen > 1000 and not wrong, wrong
