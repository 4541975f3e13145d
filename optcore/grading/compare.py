"""Compare two plain values: where they part, and the sentence that says how."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .feedback import MISSING, WORKING


@dataclass(frozen=True)
class Difference:
    """How a result departs from the expected one: a sentence, the two values where it does, and which part it is."""

    text: str = ""
    expected: Any = None
    got: Any = None
    voice: str = WORKING
    part: str = ""  # "Result 2 of 3", if there are several


def compare(
    expected: Any, got: Any, rtol: float, atol: float, part: str = "", names: Sequence[str] = ()
) -> Difference | None:
    """The first difference between two plain values, None if they agree; `part` says which piece is looked at.

    `names` are those of the results, where there are several.

    >>> compare(1.0, 1.0 + 1e-12, 1e-9, 0.0) is None
    True
    >>> compare((1.0, np.zeros(3)), (1.0, np.zeros((3, 1))), 1e-9, 0.0, names=("J", "dJ/dw")).text
    'Result 2 of 2, dJ/dw, has shape (3, 1), expected (3,).'
    """
    result = part or "The result"

    def differ(text: str = "", voice: str = WORKING) -> Difference:
        return Difference(text, expected, got, voice, part)

    if got is None:
        return None if expected is None else differ(f"{result} is missing: `None` came back.", MISSING)
    if isinstance(expected, dict):
        return (
            _compare_dicts(expected, got, rtol, atol)
            if isinstance(got, dict)
            else differ(f"{result} is {a_kind(got)}, expected a dict.")
        )
    if isinstance(expected, list | tuple):
        asked = f"{len(expected)} {'result is' if len(expected) == 1 else 'results are'} asked for"
        if isinstance(got, np.ndarray) and got.ndim and len(got) == len(expected):
            got = list(got)
        if not isinstance(got, list | tuple):
            return differ(f"{result} is {a_kind(got)}, but {asked}.", MISSING)
        if len(got) != len(expected):
            short = MISSING if len(got) < len(expected) else WORKING
            return differ(
                f"{result} has {len(got)} {'part' if len(got) == 1 else 'parts'}, expected {len(expected)}.", short
            )
        piece = "Entry" if isinstance(expected, list) else "Part" if part else "Result"
        within = f" of {part[0].lower()}{part[1:]}" if part else ""
        called = [f", {name}," for name in names] if len(names) == len(expected) else [""] * len(expected)
        for i, (a, b, name) in enumerate(zip(expected, got, called, strict=True), 1):
            which = f"{piece} {i}{within}" if within else f"{piece} {i} of {len(expected)}{name}"
            difference = compare(a, b, rtol, atol, which)
            if difference is not None:
                return difference
        return None
    if isinstance(expected, str):
        if not isinstance(got, str):
            return differ(f"{result} is {a_kind(got)}, expected a piece of text.")
        return None if got.strip().lower() == expected.strip().lower() else differ()
    if expected is None or isinstance(got, str | dict):
        wanted = "an array" if isinstance(expected, np.ndarray) else "nothing" if expected is None else "a number"
        return differ(f"{result} is {a_kind(got)}, expected {wanted}.")
    return _compare_numbers(expected, got, rtol, atol, differ, result)


def _compare_dicts(expected: dict, got: dict, rtol: float, atol: float) -> Difference | None:
    for name, value in expected.items():
        difference = compare(value, got.get(name), rtol, atol, f"The {name}")
        if difference is not None:
            return difference if difference.text else replace(difference, text=f"Not right: the {name}.")
    return None


def _compare_numbers(expected, got, rtol, atol, differ, result) -> Difference | None:
    listed = isinstance(got, list | tuple)
    try:
        a, b = np.asarray(expected), np.asarray(got)
    except ValueError:
        return differ(f"{result} is {a_kind(got)} with rows of different lengths.")
    if b.dtype.kind not in "biuf":
        return differ(f"{result} is {a_kind(got)} that holds something else than numbers.")
    if a.shape != b.shape:
        if not a.ndim:
            return differ(f"{result} is {a_kind(got)}, expected one number.")
        if not b.ndim:
            return differ(f"{result} is one number, expected an array of shape {a.shape}.")
        return differ(f"{result} has shape {b.shape}, expected {a.shape}.")
    exact = a.dtype.kind in "biu" and b.dtype.kind in "biu"
    close = a == b if exact else np.isclose(b.astype(float), a.astype(float), rtol, atol, equal_nan=True)
    if not np.all(close):
        strange = np.isnan(b.astype(float)) & ~np.isnan(a.astype(float))
        if strange.any():
            return differ(f"{result} contains nan where a number is expected.")
        if b.dtype.itemsize < 8 and b.dtype.kind == "f" and np.allclose(b, a, 1e-5, 1e-7, equal_nan=True):
            return differ(f"{result} is right to the digits of {b.dtype}: compute it in float64.")
        return differ()
    return (
        differ(
            f"The numbers are right, but {result[0].lower()}{result[1:]} is {a_kind(got)}: "
            "turn it into an array with `np.array`."
        )
        if listed
        else None
    )


def a_kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, bool):
        return f"{value}"
    names = {
        str: "a piece of text",
        int: "a number",
        float: "a number",
        list: "a list",
        tuple: "a tuple",
        dict: "a dict",
    }
    return names.get(type(value), f"an object of type {type(value).__name__}")
