"""Make the editor of the pages from CodeMirror again, and say what differs from the one that is kept.

    make editor        needs Node.js with npm, and the network

In book/live/editor, source.js is ours, package.json says which versions go into the bundle, editor.js is the bundle,
and LICENSE holds the licences of all that is in it.
"""

import gzip
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from book.course import ROOT

EDITOR = ROOT / "book/live/editor"
BUNDLE = "--bundle --minify --format=esm --target=es2022 --legal-comments=none --banner:js=/*!LICENSE:./LICENSE*/"


def licences(modules: Path, names: list[str]) -> str:
    """Each licence once, under the names of what comes under it."""
    under: dict[str, list[str]] = {}
    for name in names:
        version = json.loads((modules / name / "package.json").read_text(encoding="utf-8"))["version"]
        under.setdefault((modules / name / "LICENSE").read_text(encoding="utf-8").strip(), []).append(
            f"{name} {version}"
        )
    return "\n\n\n".join(f"{', '.join(those)}\n\n{text}" for text, those in under.items()) + "\n"


def make(folder: Path) -> dict[str, str]:
    """The texts of what is generated, by name, made in an empty folder."""
    for name in ("package.json", "source.js"):
        shutil.copy(EDITOR / name, folder)
    for command in (
        ["npm", "install", "--silent", "--no-package-lock"],
        ["npx", "esbuild", "source.js", *BUNDLE.split(), "--outfile=editor.js", "--metafile=parts.json"],
    ):
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if run.returncode:
            raise SystemExit(f"{' '.join(command[:2])} stopped:\n{run.stderr[-2000:]}")
    parts = json.loads((folder / "parts.json").read_text(encoding="utf-8"))["outputs"]["editor.js"]["inputs"]
    paths = [path.split("/")[1:] for path in parts if path.startswith("node_modules/")]
    names = sorted({"/".join(path[: 1 + path[0].startswith("@")]) for path in paths})
    return {
        "editor.js": (folder / "editor.js").read_text(encoding="utf-8"),
        "LICENSE": licences(folder / "node_modules", names),
    }


def main() -> None:
    if shutil.which("npm") is None:
        raise SystemExit("The editor is made with npm, which comes with Node.js (nodejs.org).")
    with tempfile.TemporaryDirectory() as folder:
        made = make(Path(folder))
    for name, text in made.items():
        path = EDITOR / name
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        size = f"{len(text)} bytes, {len(gzip.compress(text.encode(), mtime=0))} gzipped"
        if text == old:
            print(f"{name}: as it is kept ({size})")
            continue
        path.write_text(text, encoding="utf-8")
        at = next((i for i, (a, b) in enumerate(zip(text, old, strict=False)) if a != b), min(len(text), len(old)))
        print(f"{name}: written anew ({size}); it had {len(old)} bytes and differs from byte {at} on")


if __name__ == "__main__":
    main()
