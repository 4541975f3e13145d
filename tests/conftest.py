"""Fixtures that several test files share: the built book, its address, and one browser."""

import os
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from book.browser import chromium, find_browser, served
from book.course import ROOT

os.environ["OPTCORE_PROGRESS"] = "off"  # the progress of whoever runs the tests is theirs; kernels inherit this
PEERS = ("torch", "jax", "optax")
collect_ignore_glob = ["references/make_*.py"]  # programs that need torch and jax; they hold no tests

settings.register_profile("course", deadline=None)  # a busy machine is no failure
settings.load_profile("course")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that runs other libraries is skipped where they are missing, or fails where OC_REQUIRE_PEERS is set."""
    if item.get_closest_marker("peers") and (missing := [name for name in PEERS if find_spec(name) is None]):
        why = f"{' and '.join(missing)} not installed: make peers"
        pytest.fail(why) if os.environ.get("OC_REQUIRE_PEERS") else pytest.skip(why)


def once(folder: Path, make) -> None:
    """Run make() in one process; the other workers wait for it."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        deadline = time.monotonic() + 600
        while not (folder / "done").exists():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{folder} was not made") from None
            time.sleep(0.2)
    else:
        try:
            make()
        finally:
            (folder / "done").touch()


@pytest.fixture(scope="session")
def built_book(tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess]:
    """The book, built with warnings as errors: (folder of its pages, the finished build)."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "book"

    def build() -> None:
        command = [str(Path(sys.executable).with_name("jupyter-book")), "build", "-W", "--keep-going"]
        done = subprocess.run(
            [*command, "--path-output", str(shared), str(ROOT)], capture_output=True, text=True, timeout=600
        )
        (shared / "log").write_text(done.stdout + done.stderr, encoding="utf-8")
        (shared / "status").write_text(str(done.returncode))

    once(shared, build)
    status = int((shared / "status").read_text())
    log = (shared / "log").read_text(encoding="utf-8")
    return shared / "_build" / "html", subprocess.CompletedProcess([], status, stdout=log)


@pytest.fixture(scope="session")
def browser():
    """One headless Chromium; without one the test is skipped, or fails where OC_REQUIRE_BROWSER is set."""
    if find_browser() is None:
        missing = "no Chromium or Chrome on the PATH"
        pytest.fail(missing) if os.environ.get("OC_REQUIRE_BROWSER") else pytest.skip(missing)
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def site(built_book) -> str:
    """Address of the built book, served on this machine."""
    folder, build = built_book
    assert (folder / "index.html").is_file(), build.stdout[-4000:]
    with served(folder) as address:
        yield address
