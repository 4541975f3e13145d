"""Audit six pages of the built site with Lighthouse as on a phone, three times each; keep the median run.

    make lighthouse        needs Node.js 18 or newer with npx, and Chromium or Chrome

Scores go to _build/lighthouse.json, from which book/pages/what_is_tested.py fills its table.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

from book.browser import FLAGS, find_browser, served
from book.course import ROOT, SAMPLE, SITE

SCORES = ROOT / "_build" / "lighthouse.json"
RUNS = 3
GOALS = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}


def audit(url: str) -> dict:
    """One run's report."""
    chromium = ["--headless=new", "--disable-component-update", "--disable-sync", *FLAGS]
    command = ["npx", "--yes", "lighthouse@12", url, "--quiet", "--output=json", f"--chrome-flags={' '.join(chromium)}"]
    run = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "CHROME_PATH": find_browser() or ""}
    )
    if run.returncode:
        raise SystemExit(f"Lighthouse stopped on {url}:\n{run.stderr[-2000:]}")
    return json.loads(run.stdout)


def scores(report: dict) -> dict[str, int]:
    """The four scores of a report, from 0 to 100."""
    return {goal: round(100 * report["categories"][goal]["score"]) for goal in GOALS}


def lost(report: dict) -> list[str]:
    """What costs points: each audit below a full score, with what was measured."""
    weighed = [ref for goal in GOALS for ref in report["categories"][goal]["auditRefs"] if ref["weight"]]
    audits = [report["audits"][ref["id"]] for ref in weighed]
    return [f"{a['id']} {a.get('displayValue', '')}".strip() for a in audits if (a["score"] or 0) < 0.9]


def main(site: Path = SITE, pages: list[str] = SAMPLE) -> None:
    if shutil.which("npx") is None or find_browser() is None:
        raise SystemExit("Lighthouse needs npx, which comes with Node.js (nodejs.org), and Chromium or Chrome.")
    results, short = {}, 0
    with served(site) as base:
        for name in pages:
            runs = sorted((audit(f"{base}/{name}.html") for _ in range(RUNS)), key=lambda r: scores(r)["performance"])
            middle = runs[RUNS // 2]
            results[name] = scores(middle)
            failed = [goal for goal, least in GOALS.items() if results[name][goal] < least]
            short += bool(failed)
            detail = f"   {'; '.join(lost(middle))}" if failed else ""
            print(f"{'/'.join(map(str, results[name].values())):17} {name}{detail}", flush=True)
    SCORES.parent.mkdir(exist_ok=True)
    SCORES.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    if short:
        raise SystemExit(f"{short} of {len(pages)} pages fall short of {GOALS}.")


if __name__ == "__main__":
    main()
