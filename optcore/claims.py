"""Numbers on this page: every result that the prose states is computed and checked where it is stated."""

from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

__all__ = ["Claims"]


class Claims:
    """A notebook's table of stated numbers; each is asserted when it is added, and the last cell prints them.

    >>> claims = Claims()
    >>> claims("contraction per step", "0.9802", 99 / 101, source="closed form")
    >>> claims("test accuracy", (0.9, 1.0), 0.953)
    >>> claims.table()
    claim                  stated      measured
    contraction per step   0.9802      0.9802    closed form
    test accuracy          0.9 to 1.0  within
    2 numbers, all as stated
    """

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, str]] = []

    def __call__(self, claim: str, stated: Any, measured: Any, source: str = "") -> None:
        """Assert that `measured` is what the page states.

        stated: a string such as "0.980" or "2.3e-5" (measured must round to it, to the digit stated), a whole number
        (must be equal), or a pair (low, high), a band. Raises AssertionError with both values.
        """
        value = float(measured)
        if isinstance(stated, tuple):
            low, high = stated
            text, shown = f"{low} to {high}", "within"
            agrees = low <= value <= high
        elif isinstance(stated, (int, np.integer)):
            text, shown = str(stated), f"{value:.0f}"
            agrees = value == stated
        else:
            text = str(stated).replace("−", "-")
            try:
                exact = Decimal(text)
            except InvalidOperation:
                raise ValueError(f"'{stated}' is not a number; state a number, a whole number or a band.") from None
            unit = Decimal(1).scaleb(int(exact.as_tuple().exponent))
            shown = text
            agrees = bool(np.isfinite(value)) and abs(Decimal(value) - exact) <= unit / 2 * Decimal("1.000001")
        if not agrees:
            raise AssertionError(f"{claim}: the page states {text}, the computation gives {value:.10g}.")
        self.rows.append((claim, text, shown, source))

    def table(self) -> None:
        """Print the table; strict comparison of the stored output then guards every stated number."""
        if not self.rows:
            raise AssertionError("No claim was made; a page that states no number needs no table.")
        rows = [("claim", "stated", "measured", ""), *self.rows]
        widths = [max(len(row[k]) for row in rows) for k in range(3)]
        for row in rows:
            print("  ".join([row[0].ljust(widths[0] + 1), *(row[k].ljust(widths[k]) for k in (1, 2)), row[3]]).rstrip())
        print(f"{len(self.rows)} numbers, all as stated")
