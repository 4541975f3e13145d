"""Build the course for JupyterLite: notebooks that run in the browser, with no server that computes: `make lite`.

Optional, and linked from no page of the book: Python itself (Pyodide, with NumPy and Matplotlib) is not part of the
site. A browser fetches it from a public server when a notebook is opened. Widgets are shown as pages, as in Colab.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

from book.course import GALLERY, ROOT, notebooks
from book.pages.setup_cells import EXERCISE_IMPORTS, is_setup

SITE = ROOT / "_build" / "lite"
WORK = ROOT / "_build" / "lite-work"
SETUP = "%pip install -q optcore matplotlib joblib tqdm latex2mathml\nimport optcore"


def adapted(path: Path) -> nbformat.NotebookNode:
    """A notebook whose set-up cell installs the wheel that lies beside it: a browser cannot install from git."""
    nb = nbformat.read(path, as_version=4)
    for cell in filter(is_setup, nb.cells):
        cell.source = SETUP + (EXERCISE_IMPORTS if path.parent.name == "exercises" else "")
    return nb


def missing() -> list[str]:
    """Notebooks that the built site does not list, and wheels that it does not offer."""
    lists = (SITE / "api" / "contents").rglob("all.json")
    listed = {entry["path"] for file in lists for entry in json.loads(file.read_text(encoding="utf-8"))["content"]}
    offered = json.loads((SITE / "pypi" / "all.json").read_text(encoding="utf-8"))
    return sorted({*map(path_in_site, sources())} - listed) + sorted({"optcore", "latex2mathml"} - offered.keys())


def sources() -> list[Path]:
    """The notebooks of the course."""
    return [*notebooks(), *notebooks("exercises"), GALLERY]


def path_in_site(path: Path) -> str:
    """Where a notebook stands among the site's files."""
    return path.relative_to(ROOT).as_posix()


def main() -> int:
    for folder in (WORK, SITE):
        shutil.rmtree(folder, ignore_errors=True)
    for path in sources():
        copy = WORK / "contents" / path_in_site(path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(adapted(path), copy)
    wheel = [sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*wheel, "-w", str(WORK / "wheels"), str(ROOT), "latex2mathml"], check=True)
    options = ["--contents=contents", f"--output-dir={SITE}", "--no-sourcemaps", "--log-level=ERROR"]
    options += [f"--piplite-wheels={path}" for path in sorted((WORK / "wheels").glob("*.whl"))]
    with (WORK / "log").open("w") as log:
        build = [sys.executable, "-m", "jupyterlite_core", "build", *options]
        done = subprocess.run(build, cwd=WORK, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        print((WORK / "log").read_text()[-3000:], file=sys.stderr)
        return done.returncode
    if gone := missing():
        print("not in the site:", *gone, file=sys.stderr)
        return 1
    print(f"{len(sources())} notebooks: serve {SITE.relative_to(ROOT)} with any web server")
    return 0


if __name__ == "__main__":
    sys.exit(main())
