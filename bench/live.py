"""Python in the page: how soon the first answer to an exercise has its feedback, and how soon the next ones.

python -m bench.live needs the built site (`make book`). Every first answer starts with an empty cache; the yardstick is
Python on this machine, doing the same from its own start, measured in the same rounds.
"""

import json
import subprocess
import sys
import time
from statistics import median

from book.browser import chromium, require_browser, served
from book.course import SITE, require_site
from tests.live.test_python import UNFINISHED_ADAM as ANSWER

ROUNDS, LATER = 5, 20
PAGE, ID, NAME = "exercises/4-adaptive-methods", "adaptive-methods/adam", "adam"
IN_PYTHON = f"""import time
{ANSWER}oc.check({ID!r}, {NAME})
begun = time.perf_counter()
for _ in range({LATER}):
    oc.check({ID!r}, {NAME})
print((time.perf_counter() - begun) / {LATER})
"""
# Presses Check and waits for another feedback: [voice, text, ms from the page's request, ms from the press].
CHECK = """async (id) => {
  const bar = document.querySelector(`[data-exercise="${id}"]`);
  const said = bar.parentElement.querySelector(".oc-said");
  const before = said.firstChild;
  const pressed = performance.now();
  [...bar.children].find((one) => one.textContent === "Check").click();
  while ([null, before].includes(said.firstChild) || !said.dataset.voice)
    await new Promise((done) => setTimeout(done, 1));
  return [said.dataset.voice, said.textContent, performance.now(), performance.now() - pressed];
}"""


def sent() -> tuple[float, float]:
    """Megabytes, gzipped, that come before the first check, and before the first figure."""
    listed = (SITE / "_static/live/files.js").read_text(encoding="utf-8")
    sizes = {name: one["sent"] for name, one in json.loads(listed[len("export default ") : -2]).items()}
    figures = sizes.pop("figures.zip")
    return sum(sizes.values()) / 1e6, figures / 1e6


def in_page(browser, address: str) -> tuple[float, float]:
    """Seconds from the request of the page to the first feedback, and for each later one."""
    context = browser.new_context()
    context.add_init_script(
        f"addEventListener('load', () => ocStore.set('exercise', {ID!r}, {json.dumps({'code': ANSWER})}))"
    )
    page = context.new_page()
    page.set_default_timeout(300_000)
    page.goto(f"{address}/{PAGE}.html", wait_until="load")
    voice, text, first, _ = page.evaluate(CHECK, ID)
    if voice != "Hint" or "bias correction" not in text:
        raise SystemExit(f"The page says {text!r}, which does not name the bug.")
    later = [page.evaluate(CHECK, ID)[3] for _ in range(LATER)]
    context.close()
    return first / 1000, median(later) / 1000


def in_python() -> tuple[float, float]:
    """The same two in a Python of its own."""
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", IN_PYTHON], capture_output=True, text=True, check=True)
    later = float(done.stdout)
    return time.perf_counter() - begun - LATER * later, later


def main() -> None:
    require_browser()
    require_site()
    page, python = [], []
    with served(SITE) as address, chromium() as browser:
        for _ in range(ROUNDS):
            page.append(in_page(browser, address))
            python.append(in_python())
    (first, later), (begun, each) = (
        [median(times) for times in zip(*rounds, strict=True)] for rounds in (page, python)
    )
    print(f"an answer that lacks Adam's bias correction, in the page and in Python itself, median of {ROUNDS} rounds")
    lines = [("first feedback, from the request", first, 8, begun), ("each later one", later, 0.1, each)]
    for what, ours, goal, theirs in lines:
        print(f"  {what:34} {ours:7.3f} s (goal {goal} s), {ours / theirs:5.1f} times Python's {theirs:.4f} s")
    check, figure = sent()
    print(f"  loaded: {check:.1f} MB gzipped (goal 9 MB), for the first figure {figure:.1f} MB more (goal 5 MB)")


if __name__ == "__main__":
    main()
