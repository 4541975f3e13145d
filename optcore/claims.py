"""Numbers on this page: every result that the prose states is computed and checked where it is stated."""

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

__all__ = ["Claims"]

#: Where programs find claims and comparisons with the numbers of the run: in the metadata of a stored output.
RECORD = "optcore"


def html_table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], note: str = "") -> str:
    """A small table that says what one run measured; its text beside it holds what every run finds."""
    cell = lambda tag, text: f"<{tag}>{html.escape(text)}</{tag}>"
    line = lambda row: f'<tr><th scope="row">{html.escape(row[0])}</th>{"".join(cell("td", v) for v in row[1:])}</tr>'
    titles = "".join(f'<th scope="col">{html.escape(v)}</th>' for v in head)
    body = "".join(map(line, rows))
    return (
        f'<div class="oc-run"><table><caption>{html.escape(caption)}</caption>'
        f"<thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"
        f"{f'<p>{html.escape(note)}</p>' if note else ''}</div>"
    )


def with_interval(mean: float, low: float | None = None, high: float | None = None) -> str:
    """A number and its interval, to two digits of half its width.

    >>> with_interval(-0.000556, -0.00503, 0.00392), with_interval(1.2345), with_interval(0.0, 0.0, 0.0)
    ('−0.0006 [−0.0050, 0.0039]', '1.23', '0 [0, 0]')
    """
    if low is None or high is None:
        return f"{mean:.3g}".replace("-", "−")
    half = (high - low) / 2
    digits = f".{max(0, 1 - math.floor(math.log10(half)))}f" if 0 < half < math.inf else ".3g"
    return f"{mean:{digits}} [{low:{digits}}, {high:{digits}}]".replace("-", "−")


@dataclass(frozen=True)
class _Claim:
    """One row: what the page states (`text`, and the band it stands for), what the run measured."""

    claim: str
    text: str
    shown: str
    source: str
    value: float
    low: float
    high: float
    band: bool
    run: str
    question: str = ""  # of the comparison that the claim is about

    def record(self) -> dict[str, Any]:
        ends = {name: v if math.isfinite(v) else None for name, v in (("low", self.low), ("high", self.high))}
        about = {"comparison": self.question} if self.question else {}
        return {"claim": self.claim, "value": float(f"{self.value:.10g}"), "band": self.band, **ends, **about}


class _Table:
    """Claims as text that every processor prints, as HTML with the numbers of this run, and as a record."""

    def __init__(self, rows: list[_Claim], whole: bool) -> None:
        self.rows, self.whole = rows, whole

    def __repr__(self) -> str:
        if not self.whole:
            return "\n".join(f"{row.claim}: {row.text}" for row in self.rows)
        rows = [("claim", "stated", "measured", ""), *((r.claim, r.text, r.shown, r.source) for r in self.rows)]
        widths = [max(len(row[k]) for row in rows) for k in range(3)]
        lines = [
            "  ".join([r[0].ljust(widths[0] + 1), r[1].ljust(widths[1]), r[2].ljust(widths[2]), r[3]]) for r in rows
        ]
        return "\n".join([*map(str.rstrip, lines), f"{len(self.rows)} numbers, all as stated"])

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        source = [row.source for row in self.rows] if any(row.source for row in self.rows) else None
        head = ["claim", "stated", "this run", *(["source"] if source else [])]
        rows = [[r.claim, r.text, r.run, *([r.source] if source else [])] for r in self.rows]
        caption = f"{len(self.rows)} numbers, all as stated." if self.whole else "Measured here."
        record = {RECORD: {"claims": [row.record() for row in self.rows]}} if self.whole else {}
        return {"text/plain": repr(self), "text/html": html_table(caption, head, rows)}, record


class Claims:
    """A notebook's table of stated numbers; each is asserted when it is added, and the last cell shows them.

    >>> claims = Claims()
    >>> claims("contraction per step", "0.9802", 99 / 101, source="closed form")
    >>> claims("test accuracy", (0.9, 1.0), 0.953)
    >>> claims("the held-out loss rises, end over lowest", (1.1, None), 1.62)
    >>> claims.table()
    claim                                      stated      measured
    contraction per step                       0.9802      0.9802    closed form
    test accuracy                              0.9 to 1.0  within
    the held-out loss rises, end over lowest   above 1.1   within
    3 numbers, all as stated

    The text is what every processor prints; the HTML that notebooks and the site show has what this run measured.
    `claims.show()` shows the claims since the last one in the same way, under a figure or instead of a printed True.
    """

    def __init__(self) -> None:
        self.rows: list[_Claim] = []
        self._shown = 0

    def __call__(self, claim: str, stated: Any, measured: Any, source: str = "") -> None:
        """Assert that `measured` is what the page states.

        stated: a string such as "0.980" or "2.3e-5" (measured must round to it, to the digit stated), a whole number
        (must be equal), or a pair (low, high), a band; an end that is None is open. Raises AssertionError with both
        values.
        """
        value = float(measured)
        run = f"{value:.4g}"
        if isinstance(stated, tuple):
            text = _band(*stated)
            low, high = (-math.inf if stated[0] is None else stated[0]), (math.inf if stated[1] is None else stated[1])
            shown, agrees = "within", low <= value <= high
        elif isinstance(stated, (int, np.integer)):
            text, shown = str(stated), f"{value:.0f}"
            low = high = int(stated)
            agrees = value == stated
            run = f"{value:.10g}"
        else:
            text = shown = str(stated).replace("−", "-")
            try:
                exact = Decimal(text)
            except InvalidOperation:
                raise ValueError(f"'{stated}' is not a number; state a number, a whole number or a band.") from None
            half = Decimal(1).scaleb(int(exact.as_tuple().exponent)) / 2
            low, high = float(exact - half), float(exact + half)
            agrees = bool(np.isfinite(value)) and abs(Decimal(value) - exact) <= half * Decimal("1.000001")
            run = f"{value:.{len(exact.as_tuple().digits) + 2}g}"
        if not agrees:
            raise AssertionError(f"{claim}: the page states {text}, the computation gives {value:.10g}.")
        band = isinstance(stated, tuple)
        self.rows.append(_Claim(claim, text, shown, source, value, float(low), float(high), band, run))

    def line(self, number: int, words: str, stated: str, left: Any, right: Any) -> None:
        """Assert that one line of a derivation holds at some values: both sides are equal, and what the page states.

        Equal to 1e-9 of the larger side (or of 1, if both are smaller). Raises AssertionError with both sides.

        >>> claims = Claims()
        >>> claims.line(1, "the square multiplied out", "1.21", (1 + 0.1) ** 2, 1 + 2 * 0.1 + 0.1**2)
        >>> claims.show()
        line 1, the square multiplied out: 1.21
        """
        if not math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9):
            raise AssertionError(f"Line {number}, {words}: the left side is {left:.10g}, the right side {right:.10g}.")
        self(f"line {number}, {words}", stated, left)

    def verdict(self, comparison: Any, stated: str, by: Any, *, side: str | None = None, claim: str = "") -> None:
        """Assert the verdict of a comparison (of `compare`) and the size of its mean difference, or factor.

        stated: "better", "worse" or "a tie", the word for `side` against the reference; "… on these test examples"
        when the seeds tell the sides apart and the choice of the test examples could turn it round. side: may be left
        out when there are two. by: a band, as in a claim, for side minus reference (side over reference, for a ratio).
        claim: the words of the table, if "adam minus sgd, test accuracy" does not say it. Raises AssertionError when
        the words differ, or would if the interval moved by a tenth of its width.
        """
        if side is None:
            if len(comparison.differences) > 1:
                raise ValueError(f"Say which side the verdict is about: {', '.join(comparison.differences)}.")
            side = next(iter(comparison.differences))
        found = comparison[side]
        name = claim or f"{side} {'over' if comparison.ratio else 'minus'} {found.reference}, {comparison.score}"
        run = with_interval(found.mean, found.low, found.high)
        if found.verdict != stated:
            raise AssertionError(f"{name}: the page states '{stated}', the runs say '{found.verdict}': {run}.")
        if not found.sure:
            raise AssertionError(
                f"{name}: '{stated}', but {run} is within a tenth of its interval's width of another verdict, which "
                "another processor may find. More seeds settle it."
            )
        pairs = f"{len(comparison.seeds)} pairs" if comparison.seeds else "no chance"
        self(f"{name}: {stated}", by, found.mean, source=pairs)
        self.rows[-1] = replace(self.rows[-1], run=run, question=comparison.question)

    def show(self) -> _Table:
        """The claims since the last `show`: in words what holds, in HTML with what this run measured."""
        rows, self._shown = self.rows[self._shown :], len(self.rows)
        if not rows:
            raise AssertionError("No claim was made since the last look.")
        return _Table(rows, whole=False)

    def table(self) -> _Table:
        """All claims; strict comparison of the stored text then guards every stated number."""
        if not self.rows:
            raise AssertionError("No claim was made; a page that states no number needs no table.")
        return _Table(self.rows, whole=True)


def _band(low: Any, high: Any) -> str:
    """A band in words.

    >>> _band(0.9, 1.0), _band(None, 0.5), _band(1.1, float("inf"))
    ('0.9 to 1.0', 'below 0.5', 'above 1.1')
    """
    open_below, open_above = low in (None, -math.inf), high in (None, math.inf)
    if open_below and open_above:
        raise ValueError("A band needs an end: (low, high), (low, None) or (None, high).")
    return f"above {low}" if open_above else f"below {high}" if open_below else f"{low} to {high}"
