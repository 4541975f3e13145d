"""The numbers that a text states."""

import re
from decimal import Decimal

_NOT_PROSE = re.compile(
    r"```.*?```|`[^`]*`"  # code
    r"|\]\([^)]*\)|</?[a-z][^<>]*>|https?://\S+"  # addresses
    r"|\d+/\d+|\\frac\{\d+\}\{\d+\}",  # fractions, written out
    re.DOTALL,
)
_NUMBER = re.compile(
    r"(?<![\w.])(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?"
    r"(?:e(-?\d+)|\s*(?:\\cdot|\\times|·|×)\s*10(?:\^\{?(-?\d+)\}?|([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)))?(?![\w])"
)
_SUPERSCRIPT = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def numbers(text: str, digits: int = 1) -> list[Decimal]:
    """The numbers of a Markdown text (years left out) that have at least so many significant digits.

    Zeros count only behind a decimal point: 0.980 has three digits, 1500 has two.

    >>> [str(x) for x in numbers("In 1986: 99/101 = 0.980198, 1,797 digits, 4.32 · 10^{-5} and `0.123`", 3)]
    ['0.980198', '1797', '0.0000432']
    """
    found = []
    for match in _NUMBER.finditer(_NOT_PROSE.sub(" ", text).replace("{,}", ",")):
        whole, fraction, *exponents = match.groups()
        shown = whole.replace(",", "") + (fraction or "")
        significant = shown.replace(".", "").lstrip("0") if fraction else shown.strip("0")
        is_year = not fraction and re.fullmatch(r"(18|19|20)\d\d", whole)
        if len(significant) >= digits and not is_year:
            exponent = next(filter(None, exponents), "0").translate(_SUPERSCRIPT)
            found.append(Decimal(shown).scaleb(int(exponent)))
    return found


def unstated(text: str, table: str) -> list[Decimal]:
    """The numbers of three digits and more in a text that are not in its table (as they stand, or as per cent)."""
    stated = {x.normalize() for x in numbers(table.replace("−", "-"))}
    return [x for x in numbers(text, 3) if not {x.normalize(), (x / 100).normalize()} & stated]
