"""A copy of the repository, to try on it what would change the repository."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from book.course import ROOT

LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", "_build", "__pycache__", ".*_cache", ".hypothesis", ".ipynb_checkpoints"
)


class Copy:
    """The repository as it stands, copied into a folder; programs run there use its own `optcore` and `book`."""

    def __init__(self, root: Path):
        self.root = root
        shutil.copytree(ROOT, root, ignore=LEFT_OUT)

    def path(self, name: str) -> Path:
        return self.root / name

    def read(self, name: str) -> str:
        return self.path(name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        self.path(name).write_text(text, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace the one place where a text stands."""
        text = self.read(name)
        assert text.count(old) == 1, f"{name} has {text.count(old)} times: {old}"
        self.write(name, text.replace(old, new))

    def python(self, *arguments: str, minutes: int = 10) -> subprocess.CompletedProcess:
        """`python arguments` at the root of the copy."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        env |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=self.root, env=env, capture_output=True, text=True, timeout=60 * minutes)

    def sync(self, *options: str) -> subprocess.CompletedProcess:
        return self.python("-m", "book.commands.sync", *options)

    def test(self, *arguments: str) -> subprocess.CompletedProcess:
        """`pytest arguments`, in one process, which for all tests of the widgets takes half an hour and more."""
        options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--color=no"]
        return self.python("-m", "pytest", *options, *arguments, minutes=90)
