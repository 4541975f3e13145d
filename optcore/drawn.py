"""An order that a name draws: the same on every machine and in every version, and yet by chance."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")


def drawn_order(items: Sequence[T], name: str) -> list[T]:
    """The items in an order that `name` decides.

    >>> drawn_order("abcd", "why-frozen"), drawn_order("abcd", "recipe")
    (['c', 'a', 'd', 'b'], ['d', 'b', 'c', 'a'])
    """
    lots = [sha256(f"{name}/{place}".encode()).digest() for place in range(len(items))]
    return [items[place] for place in sorted(range(len(items)), key=lots.__getitem__)]
