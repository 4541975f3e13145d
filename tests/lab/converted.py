"""What a reader finds wrong with a notebook that `jupyter nbconvert --to html` has written, in words."""

from pathlib import Path

from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from playwright.sync_api import Browser

from book.widgets import SCRIPT
from tests.book.site.test_plain import raw
from tests.lab.faults import STILL

OUTPUTS = """() => [...document.querySelectorAll(".jp-OutputArea-output")].map(el => [
  el.innerText.trim().length + el.querySelectorAll("canvas, svg").length
    + [...el.querySelectorAll("img")].filter(img => img.naturalWidth > 20).length, el.innerHTML.slice(0, 60)])"""
ALIVE = """async el => {
  el.scrollIntoView();
  for (let k = 0; k < 200 && !sitecheck.status(el); k++) await sitecheck.frame();
  if (!sitecheck.status(el)) return "has an empty status line";
  if (sitecheck.blank(el).length) return `shows one colour in ${sitecheck.blank(el)}`;
  return el.dataset.oc === "quiz" || (await sitecheck.nudge(el, "script")) ? "" : "does not move";
}"""


def faults(browser: Browser, path: Path, kinds: list[str], folder: Path) -> list[str]:
    """All that is wrong with a notebook, in which widgets of these kinds are stored, once it is a page."""
    html, _ = HTMLExporter().from_filename(str(path))
    file = folder / f"{path.stem}.html"
    file.write_text(html, encoding="utf-8")
    texts = BeautifulSoup(html, "html.parser").select(".jp-RenderedMarkdown")
    found = [line for text in texts for line in raw(text)] + ([] if len(texts) > 3 else [f"{len(texts)} texts"])

    def uncaught(error) -> None:
        found.append(f"uncaught: {error}")

    for scripts in (True, False):
        context = browser.new_context(java_script_enabled=scripts, offline=True, reduced_motion="reduce")
        page = context.new_page()
        page.on("pageerror", uncaught)
        page.goto(file.as_uri())
        page.evaluate(SCRIPT)
        widgets = page.query_selector_all(".oc-widget")
        there = [widget.get_attribute("data-oc") for widget in widgets]
        found += [] if there == kinds else [f"{there} in place of {kinds}"]
        for kind, widget in zip(there, widgets, strict=True):
            fault = widget.evaluate(ALIVE if scripts else f"el => ({STILL})([el]) ? '' : 'neither a picture nor text'")
            found += [f"{kind}, scripts {'on' if scripts else 'off'}: {fault}"] if fault else []
        outputs = page.evaluate(OUTPUTS)
        found += [f"an empty box: {html}" for size, html in outputs if not size] + ["no outputs"] * (not outputs)
        context.close()
    return found
