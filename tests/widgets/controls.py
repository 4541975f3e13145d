"""Ways to drive a widget in a page, shared by the tests of the single widgets."""

import re
from collections.abc import Callable

from book.widgets import live, settle

_WORDS = "() => document.querySelector('.oc-widget output').textContent"
_PICTURES = "() => [...document.querySelectorAll('.oc-widget canvas')].map(c => c.toDataURL()).join()"

_NUDGE = """input => {
  if (input.type === 'checkbox') return input.click();
  if (input.tagName === 'SELECT') input.selectedIndex = (input.selectedIndex + 1) % input.options.length;
  else input.value = input.value / input.max > 0.5 ? Math.round(0.3 * input.max) : Math.ceil(0.7 * input.max);
  input.dispatchEvent(new Event(input.tagName === 'SELECT' ? 'change' : 'input', { bubbles: true }));
}"""


def seen(page) -> list[str]:
    """The status line, and all pictures as one text."""
    return [words(page), page.evaluate(_PICTURES)]


def words(page) -> str:
    """The status line."""
    settle(page)
    return page.evaluate(_WORDS)


def heights(page) -> tuple[float, float]:
    """Height of the only widget before its script runs, and after; the page is of no use any more."""
    root = page.locator(".oc-widget")
    after = root.bounding_box()["height"]
    root.evaluate("e => { e.removeAttribute('role'); e.replaceChildren(); }")
    return root.bounding_box()["height"], after


def numbers(text: str) -> list[float]:
    """The numbers in a status line."""
    found = re.findall(r"−?\d+(?:\.\d+)?(?:e[−-]?\d+)?", text)
    return [float(n.replace("−", "-")) for n in found]


def assign(page, **settings) -> str:
    """Change settings on a `live` page, as Python would; returns the status line."""
    page.evaluate("value => model.assign(value)", settings)
    return words(page)


def nudge_every_control(page) -> dict[str, tuple[bool, bool]]:
    """Move each visible control on its own: its label -> (the status line changed, a picture changed)."""
    page.evaluate("() => document.querySelectorAll('details').forEach(d => d.open = true)")
    moved = {}
    for control in page.query_selector_all(".oc-widget :is(input, select)"):
        if not control.is_visible():
            continue
        label = control.evaluate("e => e.labels[0].textContent.replace(/^[●■▲◆▼⬟]/u, '')")
        before = seen(page)
        control.evaluate(_NUDGE)
        after = seen(page)
        moved[label] = before[0] != after[0], before[1] != after[1]
        page.get_by_role("button", name="Reset").click()
        settle(page)
    return moved


def exact(widget) -> str:
    """`live`, with every number of the status line in full."""
    return live(widget).replace(
        "<script>{\nconst state", "<script>oc.fmt = x => String(x).replaceAll('-', '−');{\nconst state"
    )


HOSTILE = ["NaN", "Infinity", "-Infinity", 1e308, -1e308, 0, [], None, "x", True, {}, [["NaN", 1], [2]]]


def feed(widget, open_page: Callable) -> None:
    """Set each setting to each hostile value, as a kernel or a link might; it must still say what it draws."""
    page = open_page(body=live(widget))
    page.wait_for_function("document.querySelector('output').textContent")
    said = page.evaluate(
        """async ([value, hostile]) => {
          const said = [];
          for (const key of Object.keys(value)) for (const bad of hostile) {
            model.assign({ ...value, [key]: bad });
            await new Promise(requestAnimationFrame);
            said.push(document.querySelector('output').textContent);
          }
          return said;
        }""",
        [widget.value, HOSTILE],
    )
    assert len(said) == len(HOSTILE) * len(widget.value) > 0
    assert [text for text in said if not text or "could not be drawn" in text] == []
