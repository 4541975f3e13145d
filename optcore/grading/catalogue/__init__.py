"""All exercises, chapter by chapter; a chapter's module is imported when one of its exercises is asked for."""

import functools
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec

from ..exercise import Exercise

CHAPTERS = (
    "objective",
    "convexity",
    "gradient-descent",
    "adaptive-methods",
    "schedules",
    "second-order",
    "initialization",
    "generalization",
)


@functools.cache
def chapter(name: str) -> list[Exercise]:
    """The exercises of one chapter, in the order of its notebooks.

    >>> chapter("gradient-descent")[0].id
    'gradient-descent/gd'
    """
    module = f"{__name__}.{name.replace('-', '_')}"
    return import_module(module).EXERCISES if find_spec(module) else []


def exercises() -> list[Exercise]:
    """Every exercise of the course."""
    return [exercise for name in CHAPTERS for exercise in chapter(name)]


def find(name: str) -> Exercise:
    """The exercise `chapter/name`; the last part alone will do where it is unique.

    >>> find("gd").title
    'Gradient descent'

    Raises LookupError, which names the exercises that sound alike.
    """
    head, _, tail = name.rpartition("/")
    known = {e.id: e for e in (chapter(head) if head in CHAPTERS else exercises())}
    found = [e for id, e in known.items() if name in (id, id.rpartition("/")[2])]
    if len(found) == 1:
        return found[0]
    near = (
        [e.id for e in found]
        or get_close_matches(name, known)
        or get_close_matches(tail, {id.rpartition("/")[2] for id in known})
    )
    raise LookupError(
        f"There is {'more than one' if found else 'no'} exercise '{name}'"
        + (f"; did you mean {' or '.join(near)}?" if near else ".")
    )
