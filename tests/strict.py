"""Notebooks executed and compared with what they store, and computing as on another processor while they do."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from book.course import ROOT

# Names under which OpenBLAS tells that it took what was asked for: "Katmai" is the first of several for one kernel.
SAME = {"Prescott": {"Prescott", "Katmai"}}
TELL = """
import json, warnings
import numpy as np
from numpy._core import _multiarray_umath as core
from threadpoolctl import threadpool_info
blas = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
kernels = [pool.get("architecture", pool["internal_api"]) for pool in blas]
used = [name for name in core.__cpu_dispatch__ if core.__cpu_features__.get(name)]
print(json.dumps([kernels, used]))
"""


@dataclass(frozen=True)
class Processor:
    """What computes: kernels of linear algebra, and the instruction sets beyond the baseline in NumPy's own loops."""

    kernels: tuple[str, ...]
    features: tuple[str, ...]

    def __str__(self) -> str:
        return f"{', '.join(self.kernels) or 'no BLAS told'}; NumPy with {', '.join(self.features) or 'its baseline'}"


@cache
def processor(settings: tuple[tuple[str, str], ...] = ()) -> Processor:
    """What a fresh Python computes with under these environment variables. Raises OSError when it does not survive."""
    done = subprocess.run(
        [sys.executable, "-c", TELL], env={**os.environ, **dict(settings)}, capture_output=True, text=True, timeout=120
    )
    if done.returncode:
        raise OSError(f"ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:] or 'no message'}")
    kernels, features = json.loads(done.stdout.splitlines()[-1])
    return Processor(tuple(kernels), tuple(features))


def without(*features: str) -> dict[str, str]:
    """Environment variables that keep NumPy from these of the instruction sets that it uses here."""
    return {"NPY_DISABLE_CPU_FEATURES": " ".join(features)} if features else {}


def another_processor() -> dict[str, str]:
    """Environment variables under which Python computes as on the plainest processor that it supports.

    No machine has this one of its own accord, so that stored outputs which it reproduces were made on another. Where
    somebody has asked for its kernels already, those of the next plainest are taken.
    """
    plainest = "Nehalem" if set(processor().kernels) & {"Katmai", "Prescott"} else "Prescott"
    return {"OPENBLAS_CORETYPE": plainest, **without(*processor().features)}


def nbval(path: Path, settings: Mapping[str, str] = {}) -> subprocess.CompletedProcess:
    """Execute a notebook, under these environment variables, and compare its outputs with the stored ones."""
    options = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=900", "-p", "tests.nbval_plugin"]
    quiet = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--color=no", "-c", os.devnull]
    quiet += [f"--rootdir={path.parent}"]
    command = [sys.executable, "-m", "pytest", *options, *quiet, "--nbval-sanitize-with", "tests/nbval.cfg", str(path)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **settings}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=600)
