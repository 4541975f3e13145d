"""What every widget draws as it opens is what was looked at and put on record (`python -m tests.widgets.pictures`)."""

import json

import pytest

from .pictures import FACES, RECORD, drawn

KNOWN = json.loads(RECORD.read_text(encoding="utf-8"))
ROUNDING, FONTS = 1.0, 25.0  # thousandths of a canvas: a tick is drawn on a whole pixel, fonts differ in their widths


def faults(made: list, known: list) -> list[str]:
    """The kinds of strokes, areas, words and images of a canvas that are not those on record."""
    kinds = [{kind: numbers for kind, *numbers in canvas if not kind.startswith("image")} for canvas in (made, known)]
    found = [f"{kind}: {'drawn' if kind in kinds[0] else 'missing'}" for kind in kinds[0].keys() ^ kinds[1].keys()]
    for kind in kinds[0].keys() & kinds[1].keys():
        (count, *place), (many, *there) = (one[kind] for one in kinds)
        tolerance = FONTS if kind.startswith("word") else ROUNDING
        if abs(count - many) > 0.02 * many or max(abs(a - b) for a, b in zip(place, there, strict=True)) > tolerance:
            found.append(f"{kind}: {count} at {place}; on record {many} at {there}")
    shades = [
        [float(v) for kind, *_ in canvas if kind.startswith("image") for v in kind.split()[1:]]
        for canvas in (made, known)
    ]
    if len(shades[0]) != len(shades[1]) or any(abs(a - b) > 1.5 for a, b in zip(*shades, strict=True)):
        found.append(f"image {shades[0]}; on record {shades[1]}")
    return found


def test_the_record_has_every_widget():
    assert FACES.keys() == KNOWN.keys() and len(FACES) > 30
    assert all(any(canvas for canvas in canvases) for canvases in KNOWN.values())


@pytest.mark.parametrize("name", FACES)
def test_a_widget_opens_with_the_picture_on_record(name, browser):
    made = drawn(browser, FACES[name].make())
    assert len(made) == len(KNOWN[name])
    assert [fault for canvas in zip(made, KNOWN[name], strict=True) for fault in faults(*canvas)] == []


def test_a_stroke_that_moves_or_changes_its_colour_is_found():
    canvas = next(canvas for canvas in KNOWN["fit-0"] if any(kind.startswith("line") for kind, *_ in canvas))
    first, *rest = [one for one in canvas if one[0].startswith("line")]
    kind, count, x, y, *spread, slant = first
    assert faults(canvas, canvas) == []
    for changed in (
        [kind, count, x + 2, y, *spread, slant],
        [kind, 2 * count, x, y, *spread, slant],
        [kind.replace("#", "#0"), count, x, y, *spread, slant],
        [kind, count, x, y, *spread, slant + 2],  # turned over, about its middle
    ):
        assert faults([changed, *rest], [first, *rest])
