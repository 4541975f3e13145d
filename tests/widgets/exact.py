"""Widgets that print every digit, so that what the page computed can be compared with optcore to 1e-9."""

from collections.abc import Callable, Sequence

from .controls import numbers, settle

EVERY_DIGIT = "oc.fmt = x => String(x).replace(/^-/, '−');"


def exact_all(open_page: Callable, widgets: Sequence) -> list[str]:
    """The status lines of widgets on one page, their numbers unrounded."""
    bodies = [w.html().replace("oc.mount(document", f"{EVERY_DIGIT} oc.mount(document") for w in widgets]
    assert all(EVERY_DIGIT in body for body in bodies)
    page = open_page(body="\n".join(bodies))
    page.wait_for_function(
        "n => [...document.querySelectorAll('.oc-widget output')].filter(o => o.textContent).length === n",
        arg=len(bodies),
    )
    settle(page)
    return page.locator(".oc-widget output").all_text_contents()


def exact_words(open_page: Callable, widget) -> str:
    """The status line of the widget, its numbers unrounded."""
    return exact_all(open_page, [widget])[0]


def exact_numbers(open_page: Callable, widget) -> list[float]:
    """The numbers of that status line, in order."""
    return numbers(exact_words(open_page, widget))
