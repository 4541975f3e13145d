"""Widgets that print every digit, so that what the page computed can be compared with optcore to 1e-9."""

from collections.abc import Callable

from .controls import numbers, words


def exact_words(open_page: Callable, widget) -> str:
    """The status line of the widget, its numbers unrounded."""
    every_digit = "oc.fmt = x => String(x).replace(/^-/, '−');"
    body = widget.html()
    assert body.count("oc.mount(document") == 1
    return words(open_page(body=body.replace("oc.mount(document", f"{every_digit} oc.mount(document")))


def exact_numbers(open_page: Callable, widget) -> list[float]:
    """The numbers of that status line, in order."""
    return numbers(exact_words(open_page, widget))
