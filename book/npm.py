"""Packages of npm's as they were published, for the programs that make or check what the site keeps of them."""

import subprocess
import tarfile
from pathlib import Path


def package(spec: str, folder: Path) -> tarfile.TarFile:
    """The archive of a package, as name@version, downloaded into a folder and opened."""
    asked = ["npm", "pack", "--silent", "--pack-destination", str(folder), spec]
    file = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split()[-1]
    return tarfile.open(folder / file)


def content(archive: tarfile.TarFile, name: str) -> bytes:
    """One file of a package."""
    return archive.extractfile(f"package/{name}").read()  # type: ignore[union-attr]
