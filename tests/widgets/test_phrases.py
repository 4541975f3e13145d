"""Phrases of a lesson that set the widget beside them: what they ask for exists, and a click or a key does it."""

import json
import re
from urllib.parse import parse_qsl

from book.course import ROOT, load, notebooks, number, source
from optcore import widgets
from optcore.widgets.base import page_source

from .controls import words
from .reader import stored_widget

MARKS = re.compile(r"^(#+) |<span data-set='([^']*)'>(.*?)</span>", re.DOTALL | re.MULTILINE)  # headings and phrases
TAGS = re.compile(r"<[a-z/][^>]*>")


def phrases(path):
    """Each phrase, and the settings of the instrument that page.js takes: next in its section, else the last before."""
    parts, found = [], []
    for cell in load(path)["cells"]:
        if cell["cell_type"] == "markdown":
            parts += [match.groups() for match in MARKS.finditer(source(cell))]
        elif state := stored_widget(cell):
            parts.append(state)
    for at, part in enumerate(parts):
        if isinstance(part, tuple) and part[1] is not None:
            after = parts[at + 1 :]
            level = next((len(one[0]) for one in reversed(parts[:at]) if isinstance(one, tuple) and one[0]), 0)
            ends = (k for k, one in enumerate(after) if isinstance(one, tuple) and one[0] and len(one[0]) <= level)
            states = lambda some: [one for one in some if isinstance(one, dict)]
            order = states(after[: next(ends, None)])[:1] + states(parts[:at])[-1:] + states(after)[:1]
            found.append((*part[1:], order[0]["value"]))
    return found


def test_phrases_name_settings_of_the_notebook_s_instrument():
    seen = {}
    for path in notebooks():
        found = phrases(path)
        assert len(found) == "".join(map(source, load(path)["cells"])).count("data-set=")
        for query, text, settings in found:
            assert text and "\n\n" not in text
            for key, value in parse_qsl(query):
                assert key in settings, (path.name, key)
                json.loads(value)
        seen[number(path)] = len(found)
    assert all(seen[name] >= 4 for name in ("2.1", "3.3", "4.2"))


def lesson(*parts) -> str:
    """A page of the site, as far as page.js and the widgets' scripts see it."""
    names = {part.name for part in parts if not isinstance(part, str)}
    modules = "".join(
        "<script>{" + page_source(f"{name}.js").replace("export default", f"oc.widgets.{name} =", 1) + "}</script>"
        for name in names
    )
    body = "".join(part if isinstance(part, str) else part.element() for part in parts)
    page = (ROOT / "book/assets/page.js").read_text(encoding="utf-8")
    return (
        f"<style>{page_source('oc.css')}</style><article class=bd-article><section>{body}</section></article>"
        f"<script>{page_source('common.js')}</script>{modules}<script>{page}</script>"
    )


EARLIER = "<section><p><span data-set='lr=0.02'>At a <i>small</i> rate</span> it creeps.</p></section>"
LATER = "<p>And <span data-set='lr=0.099&amp;start=[1,2]&amp;on=[%22gd%22]'>with η = 0.099</span> it zig-zags.</p>"


def test_a_click_or_a_key_sets_the_instrument_which_says_so(open_page):
    widget = widgets.explore("bowl", ["gd", "momentum"], lr=0.05, steps=100)
    page = open_page(body=lesson(EARLIER, widget, LATER))
    page.wait_for_function("document.querySelector('output')?.textContent")
    before = words(page)
    page.get_by_role("button", name="At a small rate").click()
    page.wait_for_function("document.querySelector('output').textContent.includes('Set: Learning rate η 0.02.')")
    assert page.get_by_label("Learning rate η").get_attribute("aria-valuetext") == "0.02"
    assert page.locator("section section i").inner_text() == "small"
    phrase = page.get_by_role("button", name="with η = 0.099")
    phrase.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('output').textContent.includes('Set: Learning rate η 0.099')")
    said = words(page)
    assert said.startswith("From (1, 2)") and "momentum" not in said.replace("Rules", "")
    assert "Start point (1, 2), Rules gd" in said
    assert page.locator("output").get_attribute("role") == "status"
    assert phrase.evaluate("e => e === document.activeElement")
    assert page.evaluate("location.hash").endswith("&lr=0.099&start=[1,2]&on=[%22gd%22]")
    page.get_by_role("button", name="At a small rate").click()  # from the first state, not from the last
    page.wait_for_function("document.querySelector('output').textContent.includes('momentum:')")
    page.get_by_role("button", name="Reset").click()
    assert words(page) == before


def test_thestored_widget_of_the_section_is_set_else_the_one_before(open_page):
    first, second = (widgets.explore("bowl", "gd", lr=rate, steps=50) for rate in (0.05, 0.06))
    sections = (
        "<section><p><span data-set='lr=0.01'>here</span></p>",
        "</section><p><span data-set='lr=0.02'>after</span>",
    )
    page = open_page(body=lesson(first, sections[0], second, sections[1]))
    page.wait_for_function("[...document.querySelectorAll('output')].filter(o => o.textContent).length === 2")
    for name in ("here", "after"):
        page.get_by_role("button", name=name).click()
        rate = {"here": "0.01", "after": "0.02"}[name]
        page.wait_for_function(
            f"document.querySelectorAll('output')[1].textContent.includes('Set: Learning rate η {rate}')"
        )
    assert "Set" not in page.evaluate("document.querySelector('output').textContent")


def test_without_scripts_a_phrase_is_text():
    for path in notebooks():
        for _, text, _ in phrases(path):
            assert not TAGS.search(text), "a phrase is words and formulas, read as they stand"
