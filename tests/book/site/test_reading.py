"""A reader scrolls, follows links, goes by keyboard alone, and prints a page."""

from io import BytesIO

import pytest
from pypdf import PdfReader

from book.browser import comes_to_hold, opened

CHAPTER = "chapters/4-adaptive-methods/2-adam"

SHOWN = "all => all.filter(el => el.checkVisibility()).map(el => el.outerHTML.slice(0, 90))"
BLANK = "all => all.filter(el => !el.getContext('2d').getImageData(0, 0, el.width, el.height).data.some(v => v)).length"
FOCUS = """() => {
  const el = document.activeElement, style = getComputedStyle(el), box = el.getBoundingClientRect();
  const ring = e => getComputedStyle(e).outlineStyle !== "none" || getComputedStyle(e).boxShadow !== "none";
  el.dataset.visited = (Number(el.dataset.visited) || 0) + 1;
  return { tag: el.tagName, visits: el.dataset.visited, name: el.outerHTML.slice(0, 90),
           seen: box.width > 0 && (ring(el) || ring(el.parentElement)) };
}"""
REACHABLE = """() =>
  [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")].filter(el =>
  el.checkVisibility({ visibilityProperty: true }) && !el.disabled && el.tabIndex >= 0 && !el.closest("[inert]") &&
  !(el.type === "radio" && !el.checked && el.form?.querySelector(`[name="${el.name}"]`)))
  .filter(el => !el.dataset.visited).map(el => el.outerHTML.slice(0, 90))"""


def test_widgets_start_when_the_reader_comes_near(site, browser):
    context = browser.new_context(viewport={"width": 1000, "height": 700})
    page = context.new_page()
    page.goto(f"{site}/gallery.html")
    page.wait_for_selector("[data-oc-ready]")
    ready = "document.querySelectorAll('[data-oc-ready]').length"
    widgets = page.query_selector_all("[data-oc]")
    started = page.evaluate(ready)
    last = widgets[-1].get_attribute("id")
    assert 0 < started < len(widgets) / 2
    widgets[-1].scroll_into_view_if_needed()
    page.wait_for_selector(f"#{last}[data-oc-ready]")
    page.keyboard.press("Tab")
    assert page.evaluate(ready) == len(widgets)
    page.goto("about:blank")
    page.goto(f"{site}/gallery.html#{last}&x=1")
    page.wait_for_selector(f"#{last}[data-oc-ready]")
    context.close()


@pytest.mark.parametrize("haste", [True, False])
def test_a_link_within_a_page_leads_to_its_heading(haste, site, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{site}/{CHAPTER}.html")
    page.wait_for_timeout(0 if haste else 1500)
    for place in ("further-reading", "the-rule", "quiz"):
        page.click(f"#pst-page-toc-nav a[href='#{place}']")
        top = f"document.getElementById('{place}').getBoundingClientRect().top"
        assert comes_to_hold(page, f"{top} > -10 && {top} < 500"), page.evaluate(top)
    before = page.evaluate("scrollY")
    page.reload()
    assert comes_to_hold(page, f"Math.abs(scrollY - {before}) < 20"), (before, page.evaluate("scrollY"))
    context.close()


def test_what_scrolls_is_reached_with_tab(site, browser):
    with opened(browser, f"{site}/{CHAPTER}.html", width=375) as (page, _):
        wide, rest = page.evaluate(
            """() => {
              const blocks = [...document.querySelectorAll("pre, div.math")];
              const scrolls = el => el.scrollWidth > el.clientWidth || el.scrollHeight > el.clientHeight;
              return [true, false].map(yes => blocks.filter(el => scrolls(el) === yes).map(el => el.tabIndex));
            }"""
        )
    assert set(wide) == {0} and set(rest) == {-1}


def test_tab_alone_reaches_everything_on_a_page(site, browser):
    with opened(browser, f"{site}/{CHAPTER}.html") as (page, _):
        page.evaluate("scrollTo(0, 0)")
        stops = []
        for _ in range(600):
            page.keyboard.press("Tab")
            stop = page.evaluate(FOCUS)
            if stop["tag"] == "BODY" or int(stop["visits"]) > 1:
                break
            stops.append(stop)
        left = page.evaluate(REACHABLE)
    assert "Skip to main content" in stops[0]["name"] or "main-content" in stops[0]["name"]
    assert stop["tag"] == "BODY" or stop["name"] == stops[0]["name"], f"trapped at {stop['name']}"
    assert len(stops) > 80
    assert not left
    assert not [stop["name"] for stop in stops if not stop["seen"]]


def test_a_page_prints_without_what_can_only_be_clicked(site, browser):
    with opened(browser, f"{site}/{CHAPTER}.html", dark=True) as (page, _):
        reader = PdfReader(BytesIO(page.pdf(format="A4")))
        text = "".join("".join(sheet.extract_text() for sheet in reader.pages).split())  # pypdf guesses spaces
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"  # again
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.evaluate("document.documentElement.dataset.theme") == "light"
        shown = page.eval_on_selector_all("button, input, select, #pst-primary-sidebar, .headerlink", SHOWN)
        cut = page.eval_on_selector_all("pre", "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).length")
        blank = page.eval_on_selector_all("canvas", BLANK)
    assert not shown and not cut and blank == 0
    assert "Momentumaveragesgradients" in text and "Furtherreading" in text
    assert "Copylink" not in text and "Nextquestion" not in text and "Colab" not in text
    assert "WithoutbiascorrectionAdam" in text and "loss" in text
