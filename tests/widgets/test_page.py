"""What every widget owes its page, shown on the explorer and the quiz: accessibility, mounting, theme."""

import json
import re

import pytest

from book.browser import axe
from optcore.widgets import Quiz, explore, newton
from optcore.widgets.base import page_source, to_json

from .controls import settle, words
from .test_quiz import QUESTIONS


@pytest.mark.parametrize(("width", "dark"), [(1000, False), (1000, True), (375, False)])
def test_no_accessibility_fault(open_page, width, dark):
    widgets = explore("bowl", phase=("momentum", "beta"), steps=30), Quiz("3.1", QUESTIONS)
    page = open_page(*widgets, width=width, dark=dark)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Check").click()
    assert axe(page) == []


MOUNT = "document.querySelectorAll('[data-oc]').forEach(el => oc.mount(el));"


def site_page(*widgets):
    """The widgets as the book serves them: notebook scripts stripped, files loaded once as classic scripts."""
    stripped = [re.sub(r"<style data-oc-css>.*?</style>|<script type=\"module\".*?</script>", "", w.html(), flags=re.S)
                for w in widgets]  # fmt: skip
    scripts = [page_source("common.js")]
    for name in dict.fromkeys(w.name for w in widgets):
        scripts.append("{" + page_source(f"{name}.js").replace("export default", f"oc.widgets['{name}'] =", 1) + "}")
    scripts.append(MOUNT)
    return f"<style>{page_source('oc.css')}</style>" + "".join(stripped + [f"<script>{s}</script>" for s in scripts])


def test_the_book_mounts_what_the_notebook_stored(open_page):
    widgets = explore("bowl"), explore("cliff"), Quiz("3.1", QUESTIONS)
    page = open_page(*widgets, body=site_page(*widgets))
    assert page.locator(".oc-widget[role=group] output[role=status]").count() == 3
    assert page.locator("canvas").count() == 8
    page.evaluate(MOUNT)
    page.wait_for_timeout(50)
    assert page.locator("canvas").count() == 8


SHOWN = "([, state]) => oc.mount(document.querySelector('[data-oc]'), undefined, state)"


def test_another_state_is_shown_in_the_place_of_a_widget_and_keeps_what_was_set(open_page):
    """Settings stay where they began as they do now; Reset and the link speak of the new state."""
    first = explore("bowl", ["gd"], steps=40, lr=0.01)
    other = explore("bowl", ["gd", "adam"], steps=40, lr=0.01, beta1=0.5)
    page = open_page(first, body=site_page(first))
    page.get_by_label("Learning rate η").fill("450")
    page.get_by_label("Condition number κ").focus()
    page.keyboard.press("End")
    settle(page)
    rate, kappa = (page.get_by_label(name).get_attribute("aria-valuetext") for name in ("Learning rate η", "Condition"))
    state = json.loads(to_json({"spec": other.spec, "value": other.value, "link": "&my-rule=x"}))
    page.evaluate(SHOWN, [None, state])
    page.wait_for_function("document.querySelector('output').textContent.includes('adam: ')")
    assert page.locator("output").count() == 1 and page.locator("canvas").count() == 4
    assert page.get_by_label("Learning rate η").get_attribute("aria-valuetext") == rate != "0.01"
    assert page.get_by_label("Condition").get_attribute("aria-valuetext") == kappa != "20"
    page.get_by_role("button", name="Copy link").click()
    assert "lr=" in page.evaluate("location.hash") and page.evaluate("location.hash").endswith("&my-rule=x")
    page.get_by_role("button", name="Reset").click()
    settle(page)
    assert page.get_by_label("Learning rate η").get_attribute("aria-valuetext") == "0.01"
    page.evaluate(MOUNT)
    assert page.locator("output").count() == 1


def test_a_widget_that_cannot_start_says_so(open_page):
    body = site_page(explore("bowl")).replace('"domain":', '"nothing":')
    page = open_page(body=body)
    page.get_by_text("This widget could not start").wait_for()
    assert len(page.errors) == 1
    page.errors.clear()


def test_theme_changes_are_followed_at_once(open_page):
    page = open_page(explore("bowl"))
    light = page.evaluate("document.querySelector('canvas').toDataURL()")
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.wait_for_function("old => document.querySelector('canvas').toDataURL() !== old", arg=light)
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.wait_for_function("old => document.querySelector('canvas').toDataURL() === old", arg=light)


def test_tooltips_show_on_keyboard_focus_and_hide_on_escape(open_page):
    page = open_page(explore("bowl"))
    slider = page.get_by_label("Gradient noise σ")
    tip = page.locator(f"#{slider.get_attribute('aria-describedby')}")
    assert not tip.is_visible()
    page.get_by_text("More", exact=True).click()
    for _ in range(9):  # from "More" on, one after the other
        page.keyboard.press("Tab")
        if slider.evaluate("e => e === document.activeElement"):
            break
    tip.wait_for(state="visible")
    page.keyboard.press("Escape")
    tip.wait_for(state="hidden")


def test_a_tooltip_of_what_has_the_focus_takes_no_clicks(open_page):
    page = open_page(newton(k=0))
    before = page.locator(".oc-status").text_content()
    page.locator("select").first.focus()
    for key in ("Tab", "Shift+Tab"):  # by keys, so that the tooltip shows
        page.keyboard.press(key)
    tip = page.locator(":focus ~ .oc-tip")
    tip.wait_for(state="visible")
    play, above = page.get_by_role("button", name="Play").bounding_box(), tip.bounding_box()
    x, y = play["x"] + play["width"] / 2, play["y"] + play["height"] / 2
    assert above["x"] < x < above["x"] + above["width"] and above["y"] < y < above["y"] + above["height"]
    page.mouse.click(x, y)
    page.wait_for_function("old => document.querySelector('.oc-status').textContent !== old", arg=before)


def test_announcements_wait_until_changes_pause(open_page):
    page = open_page(explore("bowl"))
    status = page.locator("output")
    page.wait_for_function("!document.querySelector('output').hasAttribute('aria-busy')")
    page.get_by_role("button", name="Step", exact=True).click()
    before = words(page)
    assert "step 1" in before and status.get_attribute("aria-busy") == "true"
    page.wait_for_function("!document.querySelector('output').hasAttribute('aria-busy')")
