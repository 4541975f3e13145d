"""What each widget draws as it opens, on record in pictures.json: a drawing that changes unasked is found.

    python -m tests.widgets.pictures [NAME ...]

draws them again, all or those of some widgets, after a change that is wanted; look at what it has changed.
"""

import json
import sys
from pathlib import Path

from book.browser import chromium
from book.widgets import live, settle

from .examples import ALL

HERE = Path(__file__).parent
RECORD = HERE / "pictures.json"
SCRIPT = (HERE / "pictures.js").read_text(encoding="utf-8")
LATER = """async () => {
  const begun = performance.now();
  for (let k = 0; k < 30 || performance.now() < begun + 500; k++) await new Promise(requestAnimationFrame);
  return pictures();
}"""
FACES = {name: face for name, face in ALL if not name.startswith("quiz")}


def drawn(browser, widget) -> list[list[list]]:
    """Of each canvas the kinds of strokes, areas, words and images: [kind, how many places, their means, spreads]."""
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    script, body = f"<script>{SCRIPT}</script>", live(widget)
    page.set_content(f"<!DOCTYPE html><body style='margin:0'><main style='width:900px'>{script}{body}</main>")
    page.wait_for_function("document.querySelector('output').textContent")
    settle(page)
    found, before = page.evaluate(LATER), None
    while found != before:  # maps become finer frame by frame, and frames are rare on a busy machine
        found, before = page.evaluate(LATER), found
    page.close()
    return found


def main(names: list[str]) -> None:
    with chromium() as browser:
        chosen = {name: face for name, face in FACES.items() if not names or name.rsplit("-", 1)[0] in names}
        record = {name: drawn(browser, face.make()) for name, face in chosen.items()}
    if names:
        record = json.loads(RECORD.read_text(encoding="utf-8")) | record
    lines = (
        f"{json.dumps(name)}: [\n"
        + ",\n".join(f" {json.dumps(canvas, ensure_ascii=False)}" for canvas in canvases)
        + "\n]"
        for name, canvases in sorted(record.items())
        if name in FACES
    )
    RECORD.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    print(f"{len(chosen)} widgets drawn")


if __name__ == "__main__":
    main(sys.argv[1:])
