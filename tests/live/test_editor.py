"""The editor of Python, alone on a page: keys, fingers, what a screen reader is told."""

import gzip
import re
from contextlib import contextmanager

import pytest

from book.browser import axe, served
from book.course import ROOT

EDITOR = ROOT / "book/live/editor"
PAGE = """<!DOCTYPE html><html lang="en"><title>editor</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="live.css"><main>
<button id="before">before</button><div id="here"></div><button id="after">after</button></main><script type="module">
import { edit } from "./editor.js";
window.changes = [], window.runs = 0;
window.it = edit(document.querySelector("#here"), { label: "Code of f", code: "def f(x):\\n    ...",
  changed: (code) => changes.push(code), run: () => runs++ });
</script>"""
CODE, BOX = "it.code", ".cm-content"


@pytest.fixture
def address(tmp_path):
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "editor.js").write_bytes((EDITOR / "editor.js").read_bytes())
    (tmp_path / "live.css").write_bytes((ROOT / "book/assets/live.css").read_bytes())
    with served(tmp_path) as address:
        yield address


@contextmanager
def editor(browser, address, **device):
    context = browser.new_context(**device)
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(error))
    page.goto(address)
    page.wait_for_selector(BOX)
    yield page
    assert not errors
    context.close()


def test_python_is_typed_with_its_indents_brackets_and_colours(address, browser):
    with editor(browser, address) as page:
        page.evaluate("it.code = ''")
        page.locator(BOX).click()
        page.keyboard.type("def f(x):\nfor a in (x")
        page.keyboard.type("):\nreturn 'a', 1  # b")
        assert page.evaluate(CODE) == "def f(x):\n    for a in (x):\n        return 'a', 1  # b"
        assert page.evaluate("changes.at(-1) === it.code && changes[0] === 'd'")
        classes = page.eval_on_selector_all(f"{BOX} span[class]", "all => all.map(one => one.className)")
        assert {"k", "nf", "s2", "mi", "c1", "ow"} <= set(classes)
        page.keyboard.press("Control+z")
        assert page.evaluate(CODE) != page.evaluate("changes.at(-2)")


def test_tab_indents_and_escape_lets_it_leave(address, browser):
    focus = "document.activeElement.id || document.activeElement.className"
    with editor(browser, address) as page:
        page.locator("#before").focus()
        page.keyboard.press("Tab")
        assert "cm-content" in page.evaluate(focus)
        page.keyboard.press("Tab")
        assert page.evaluate(CODE).startswith("    def") and "cm-content" in page.evaluate(focus)
        page.keyboard.press("Shift+Tab")
        assert page.evaluate(CODE).startswith("def")
        page.keyboard.press("Escape")
        page.wait_for_timeout(2500)  # CodeMirror's own Escape is forgotten after two seconds
        page.keyboard.press("Tab")
        assert page.evaluate(focus) == "after"
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Escape")
        page.keyboard.type("#")
        page.keyboard.press("Tab")
        assert "cm-content" in page.evaluate(focus), "who types again gets indents again"
        page.keyboard.press("Escape")
        page.keyboard.press("Shift+Tab")
        assert page.evaluate(focus) == "before"
        told = page.locator(BOX).get_attribute("aria-describedby")
        page.locator(BOX).focus()
        assert "Escape, then Tab" in page.inner_text(f"#{told}")
        page.keyboard.press("Shift+Enter")
        page.keyboard.press("Control+Enter")
        assert page.evaluate("runs") == 2


def test_a_line_is_marked_until_the_code_changes(address, browser):
    with editor(browser, address) as page:
        for line, marked in ((1, "def f(x):"), (2, "    ..."), (99, "    ...")):
            page.evaluate("line => it.mark(line)", line)
            assert page.eval_on_selector_all(".oc-at-fault", "all => all.map(l => l.textContent)") == [marked]
        page.locator(BOX).press("End")
        page.keyboard.type(" ")
        assert page.locator(".oc-at-fault").count() == 0
        page.evaluate("it.mark(1); it.mark(null)")
        assert page.locator(".oc-at-fault").count() == 0
        page.evaluate("it.close()")
        assert page.locator("#here > *").count() == 0


def test_symbols_that_phones_hide_are_typed_with_a_finger(address, browser):
    with editor(browser, address) as page:
        assert not page.locator(".oc-symbols").is_visible()
    phone = {"viewport": {"width": 375, "height": 700}, "has_touch": True, "is_mobile": True}
    with editor(browser, address, **phone) as page:
        page.evaluate("it.code = ''")
        page.locator(BOX).tap()
        buttons = page.locator(".oc-symbols button")
        names = [button.text_content() for button in buttons.all()]
        assert names == ["⇥", "_", "[", "]", "(", ")", "**", "=", ":"]
        for button in buttons.all():
            box = button.bounding_box()
            assert box["width"] >= 24 and box["height"] >= 40 and box["x"] >= 0 and box["x"] + box["width"] <= 375
        for name in ("_", "=", "[", "]", "**", "(", ")", ":"):
            page.get_by_role("button", name=f"insert {name}", exact=True).tap()
            assert "cm-content" in page.evaluate("document.activeElement.className")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="indent", exact=True).tap()
        assert page.evaluate(CODE) == "_=[]**():\n    "
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        page.evaluate("it.code = 'x = ' + '1 + '.repeat(60)")
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
        assert page.eval_on_selector(BOX, "box => parseFloat(getComputedStyle(box).fontSize)") >= 16


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(scheme, address, browser):
    with editor(browser, address, color_scheme=scheme) as page:
        page.locator(BOX).click()
        page.evaluate("it.mark(1)")
        assert [line for line in axe(page) if not line.startswith("page-has-heading")] == []


def test_the_bundle_is_small_and_names_its_licences():
    bundle, licence = ((EDITOR / name).read_bytes() for name in ("editor.js", "LICENSE"))
    assert len(gzip.compress(bundle)) < 121_000 and b"LICENSE" in bundle[:40]
    named = re.findall(rb"^((?:@?[\w-]+/?[\w-]* [\d.]+(?:, )?)+)$", licence, re.MULTILINE)
    versions = dict(name.split() for line in named for name in line.decode().split(", "))
    pinned = re.findall(r'"([@\w/-]+)": "([\d.]+)"', (EDITOR / "package.json").read_text(encoding="utf-8"))
    assert len(versions) >= 10 and set(versions.items()) <= set(pinned)
    assert licence.count(b"WITHOUT WARRANTY OF ANY KIND") >= 3
