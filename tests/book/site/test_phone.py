"""The site on a phone, 375 by 667: a plot and the control that moves it are seen together, figures can be read."""

import pytest

from book.browser import axe
from book.commands import run_pages
from book.course import SAMPLE, widgets_on

PAGES = run_pages.pages()

# For each widget: kind, what the first plot and the first control take together, and how many of its controls were
# looked at, with those that hide the plot when they are brought into view.
LOOK = """async bar => {
  const frames = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  const found = [];
  for (const el of document.querySelectorAll(".oc-widget[data-oc]:not([data-oc=quiz])")) {
    const plot = el.querySelector(".oc-plot"), rect = e => e.getBoundingClientRect();
    const controls = [...el.querySelectorAll(":scope > .oc-controls :is(input, select, button)")]
      .filter(e => e.checkVisibility());
    const together = rect(controls[0]).bottom - rect(plot).top, hidden = [];
    for (const control of controls) {
      control.scrollIntoView({ block: "end" });
      await frames();
      const { top, bottom } = rect(plot), at = rect(control);
      if (top < bar - 1 || bottom > innerHeight + 1 || at.bottom > innerHeight + 1 || at.top < bottom - 1)
        hidden.push(control.labels?.[0]?.textContent ?? control.textContent);
    }
    found.push([el.dataset.oc, together, controls.length, hidden]);
  }
  return found;
}"""
LAID_OUT = """() => [...document.querySelectorAll(".bd-article > section > section")].every(
  section => getComputedStyle(section).contentVisibility === "visible")"""
FIGURES = """() => [...document.querySelectorAll(".cell_output > img")].map(
  img => img.getBoundingClientRect().width / img.getAttribute("width"))"""


@pytest.fixture
def phone(browser):
    context = browser.new_context(viewport={"width": 375, "height": 667}, has_touch=True, reduced_motion="reduce")
    page = context.new_page()
    yield page
    context.close()


def open_page(page, address):
    page.goto(address)
    page.keyboard.press("Shift")  # wakes the widgets
    page.wait_for_function(
        "[...document.querySelectorAll('.oc-widget[data-oc]')].every(e => e.querySelector('output')?.textContent)"
    )


@pytest.mark.parametrize("name", PAGES)
def test_the_first_plot_stays_in_view_while_controls_move(name, site, phone):
    open_page(phone, f"{site}/{name}.html")
    bar = phone.evaluate("document.querySelector('.bd-header-article').getBoundingClientRect().height")
    seen = phone.evaluate(LOOK, bar)
    assert len(seen) == sum(kind != "quiz" for kind in widgets_on(name)) > 0
    for kind, together, controls, hidden in seen:
        assert controls and together < 667 - bar and not hidden, (kind, together, hidden)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 375


def test_figures_keep_letters_of_ten_pixels(site, phone):
    """Figures are drawn with letters of 10.5 pt at 100 dots an inch, 14.6 pixels: 0.7 of them are 10."""
    sizes = []
    for name in PAGES:
        phone.goto(f"{site}/{name}.html")
        sizes += phone.evaluate(FIGURES)
    assert len(sizes) > 40 and min(sizes) > 0.7


@pytest.mark.parametrize("name", SAMPLE)
def test_a_page_that_nobody_touches_is_laid_out_and_its_targets_do_not_cover_one_another(name, site, phone):
    """What reads a page aloud or measures it never scrolls: it must not find sections in one another's places."""
    phone.set_viewport_size({"width": 412, "height": 823})
    phone.goto(f"{site}/{name}.html")
    if name.startswith("chapters"):
        assert not phone.evaluate(LAID_OUT)
    phone.wait_for_function(LAID_OUT)
    assert axe(phone) == []
