"""Ways to drive a widget in a page, shared by the tests of the single widgets."""

import re
from collections.abc import Callable

import numpy as np

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


_RECORDS = """<script>
window.drawn = [];
oc.ui = (make => options => {
  const ui = make(options), plot = ui.plot;
  let plots = 0;
  ui.plot = (...given) => {
    const made = plot.apply(ui, given), number = plots++;
    for (const name of ["line", "dot", "rule", "area", "bars", "path", "text", "arrow"]) {
      const draw = made[name];
      const values = (v, n) => typeof v === "function" ? Array.from({ length: n }, (_, i) => v(i))
        : ArrayBuffer.isView(v) ? [...v] : v;
      made[name] = (...a) => {
        window.drawn.push([number, name, a.map(v => values(v, a.at(-1)?.n ?? a[0].length))]);
        return draw.apply(made, a);
      };
    }
    return made;
  };
  return ui;
})(oc.ui);
{
const state"""


def drawn(open_page: Callable, widget) -> list[tuple]:
    """What the widget draws, in the units of its axes: (number of the plot, "line", "dot" …, its arguments)."""
    page = open_page(body=live(widget).replace("<script>{\nconst state", _RECORDS))
    page.wait_for_function("document.querySelector('output').textContent")
    settle(page)
    found = page.evaluate("window.drawn")
    assert found
    return [tuple(one) for one in found]


def drawn_lines(open_page: Callable, widget, plot: int = 0) -> list[np.ndarray]:
    """The lines of a plot as points (n, 2)."""
    found = [a for number, name, a in drawn(open_page, widget) if (number, name) == (plot, "line")]
    return [np.stack([np.ravel(np.array(v[: len(a[0])], float)) for v in a[:2]], axis=1) for a in found]


def holds_line(lines: list[np.ndarray], points, tol: float = 1e-9) -> bool:
    """Whether one of the lines goes through just these points."""
    points = np.asarray(points, float)
    return any(line.shape == points.shape and np.allclose(line, points, tol, tol, equal_nan=True) for line in lines)


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
