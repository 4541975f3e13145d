"""The site: how soon a page shows something, and how soon its first widget is alive: `python -m bench.site`.

Needs the built site (`make book`). Every load starts with an empty cache. The phone is a laptop core slowed four times
behind a line of 1.6 Mbit/s with 150 ms round trips, the setting that Lighthouse uses.
"""

from statistics import median

from book.browser import chromium, require_browser, served
from book.course import SAMPLE, SITE, require_site

ROUNDS = 5
LINE = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 750e3 / 8}
# A widget is alive when it has said in words what it draws, and the frame is done.
WATCH = """
  window.aliveAt = null;
  const isAlive = () => document.querySelector("[data-oc-ready] output[role=status]")?.textContent;
  new MutationObserver((_, watch) => {
    if (!isAlive()) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => (window.aliveAt = performance.now())));
  }).observe(document, { subtree: true, childList: true, characterData: true });
"""
NEAR = """() => {
  document.querySelector("[data-oc]").scrollIntoView({ behavior: "instant" });
  return window.aliveAt !== null;
}"""


def load(browser, url: str, phone: bool) -> tuple[float, float | None]:
    """Milliseconds to the first paint with content, and to the first living widget when it is brought into view."""
    size = {"width": 412, "height": 823} if phone else {"width": 1280, "height": 800}
    context = browser.new_context(viewport=size, is_mobile=phone)
    page = context.new_page()
    page.add_init_script(WATCH)
    if phone:
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", LINE)
        session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.goto(url)
    first = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    paint = page.wait_for_function(first).json_value()  # it may be reported a little after the load
    alive = None
    if page.query_selector("[data-oc]"):
        page.wait_for_function(NEAR, polling=50, timeout=30_000)
        alive = page.evaluate("window.aliveAt")
    context.close()
    return paint, alive


def main() -> None:
    require_browser()
    require_site()
    print(f"seconds from the request, median of {ROUNDS} loads with an empty cache")
    print(f"  {'':50} first paint      widget alive")
    print(f"  {'':50} laptop  phone    laptop  phone")
    with served(SITE) as base, chromium() as browser:
        for name in SAMPLE:
            runs = {
                phone: [load(browser, f"{base}/{name}.html", phone) for _ in range(ROUNDS)] for phone in (False, True)
            }
            figures = []
            for kind in (0, 1):
                for phone in (False, True):
                    times = [run[kind] for run in runs[phone]]
                    figures.append("     -" if None in times else f"{median(times) / 1000:6.2f}")
            print(f"  {name:50} {figures[0]} {figures[1]}    {figures[2]} {figures[3]}", flush=True)


if __name__ == "__main__":
    main()
