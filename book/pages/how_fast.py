"""Run the benchmarks and write what they print into how-fast.md.

    python -m book.pages.how_fast [--peers PYTHON]        `make bench` calls it; takes some minutes

PYTHON is an interpreter with requirements-peers.txt, such as `make peers` leaves; without it the comparisons with
PyTorch, JAX and optax are left out, and each benchmark says so.
"""

import argparse
import ast
import platform
import subprocess
import sys
from pathlib import Path

from book.course import ROOT

PEERS = {"network", "page", "rules"}  # the benchmarks that compare with other libraries
TEXT = """# How fast is it

This page is made by `make bench` from one run of the programs in `bench/`, on one machine ({machine}). Times on another
machine differ; ratios, taken side by side in one process, differ less. Where a goal is stated beside a figure, it was
written down before the measurement, and it is not always met.

"""


def report(script: Path, python: str) -> str:
    """One section: the first line of the script's docstring, and everything that it prints."""
    title = (ast.get_docstring(ast.parse(script.read_text())) or script.stem).split("\n")[0].split(": `")[0].rstrip(".")
    print(f"\n== {title}", flush=True)
    lines = []
    with subprocess.Popen([python, "-m", f"bench.{script.stem}"], stdout=subprocess.PIPE, text=True, cwd=ROOT) as run:
        assert run.stdout
        for line in run.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if run.returncode:
        raise SystemExit(f"{script.name} stopped with exit code {run.returncode}; nothing was written.")
    return f"## {title}\n\n```text\n{''.join(lines).strip()}\n```\n"


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the benchmarks and write how-fast.md.")
    parser.add_argument("--peers", default=sys.executable, help="an interpreter with requirements-peers.txt")
    peers = parser.parse_args().peers
    scripts = sorted((ROOT / "bench").glob("[a-z]*.py"))
    sections = [report(s, peers if s.stem in PEERS else sys.executable) for s in scripts]
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    (ROOT / "how-fast.md").write_text(TEXT.format(machine=machine) + "\n".join(sections))
    print(f"\nhow-fast.md: {len(sections)} benchmarks")


if __name__ == "__main__":
    main()
