"""Run by `make processors`: every notebook as other processors compute, and how much of each band they use.

    python -m tests.elsewhere.processors [--jobs 2] [NOTEBOOK ...]

Linear algebra takes another kernel under OPENBLAS_CORETYPE, NumPy's own loops leave out instruction sets under
NPY_DISABLE_CPU_FEATURES. Whether a processor's ways can be had here is asked of a fresh Python; what cannot is said. A
notebook must give its stored text under each. A claim is at fault when a run comes within a tenth of its band's width
of an edge (of an open band: nearer to its edge than the runs lie apart), unless no processor moves its value.
"""

import argparse
import json
import math
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from book.course import GALLERY, ROOT, notebooks
from tests.strict import SAME, another_processor, nbval, processor, without

KERNELS = ("Prescott", "Nehalem", "Sandybridge", "Haswell", "Zen", "SkylakeX")
EDGE = 0.1  # of a band's width
STILL = 1e-6  # of a band's width: a value that moves less does not hang on the processor


def variants() -> tuple[dict[str, dict[str, str]], list[str]]:
    """Name -> environment variables, of all that can be had here and differ; and what cannot, in sentences."""
    own = processor()
    wide = [name for name in own.features if "AVX512" in name or name.endswith("V4")]
    asked = {"as it is": {}} | {kernel: {"OPENBLAS_CORETYPE": kernel} for kernel in KERNELS}
    asked |= {"NumPy without AVX-512": without(*wide), "NumPy's baseline": without(*own.features)}
    asked |= {"the plainest": another_processor()}
    found: dict[str, dict[str, str]] = {}
    seen: dict = {}
    missing = []
    for name, settings in asked.items():
        try:
            told = processor(tuple(settings.items()))
        except OSError as error:
            missing.append(f"{name}: this machine cannot; Python {error}")
            continue
        kernel = settings.get("OPENBLAS_CORETYPE")
        if kernel and not set(told.kernels) & SAME.get(kernel, {kernel}):
            missing.append(f"{name}: not to be had here, it would be {told}")
        elif told in seen:
            missing.append(f"{name}: the same as {seen[told]!r}")
        else:
            seen[told] = name
            found[name] = settings
            print(f"{name:22} {told}")
    return found, missing


@dataclass
class Run:
    """One notebook under one variant."""

    notebook: str
    variant: str
    faults: list[str] = field(default_factory=list)
    claims: list[dict] = field(default_factory=list)


def run(path: Path, variant: str, settings: Mapping[str, str]) -> Run:
    """Execute a notebook under a variant, compare its text, and take its claims."""
    made = Run(path.relative_to(ROOT).as_posix(), variant)
    with tempfile.TemporaryDirectory() as folder:
        records = Path(folder, "records")
        done = nbval(path, {**settings, "OPTCORE_RECORDS": str(records)})
        if records.is_file():
            made.claims = [claim for line in records.read_text().splitlines() for claim in json.loads(line)["claims"]]
    if done.returncode:
        cells = re.findall(r"^_+ \S+::(Cell \d+) _+$", done.stdout, re.MULTILINE)
        told = re.findall(r"^(?:E  |  [-+] |.*Error: ).*$", done.stdout, re.MULTILINE)
        made.faults = [f"{', '.join(cells) or 'no cell'} differs", *told[:6]]
    return made


@dataclass
class Band:
    """A claim with its band, and what all runs measured."""

    notebook: str
    claim: str
    low: float | None
    high: float | None
    values: list[float]

    @property
    def spread(self) -> float:
        return max(self.values) - min(self.values)

    @property
    def used(self) -> float | None:
        """The part of the band that lies between the runs; None for an open band."""
        return None if self.low is None or self.high is None else self.spread / (self.high - self.low)

    @property
    def margin(self) -> float:
        """The distance to the nearest edge, in widths of the band; of an open band, in spreads of the runs."""
        ends = [v for v in (self.low, self.high) if v is not None]
        away = min(min(abs(value - end) for end in ends) for value in self.values)
        if self.used is not None:
            return away / (self.high - self.low)  # type: ignore[operator]
        return away / self.spread if self.spread else math.inf

    @property
    def still(self) -> bool:
        """Whether no processor moves the value."""
        size = (self.high - self.low) if self.used is not None else max(map(abs, self.values))  # type: ignore[operator]
        return self.spread <= STILL * size

    @property
    def at_fault(self) -> bool:
        return not self.still and self.margin < (EDGE if self.used is not None else 1)

    def __str__(self) -> str:
        used = f"{self.used:6.1%}" if self.used is not None else "  open"
        ends = " … ".join("" if end is None else f"{end:g}" for end in (self.low, self.high))
        values = f"{min(self.values):.6g}" + ("" if self.still else f" … {max(self.values):.6g}")
        return f"{used}  [{ends.strip()}]  {values}  {self.notebook}: {self.claim}"


def bands(runs: Sequence[Run]) -> list[Band]:
    """Every claim, with what all variants measured; claims of one name are told apart by their order."""
    found: dict[tuple, Band] = {}
    for one in runs:
        counts: dict[str, int] = {}
        for claim in one.claims:
            name = claim["claim"]
            counts[name] = counts.get(name, 0) + 1
            if claim["low"] == claim["high"]:  # a whole number
                continue
            band = Band(one.notebook, name, claim["low"], claim["high"], [])
            found.setdefault((one.notebook, name, counts[name]), band).values.append(claim["value"])
    return list(found.values())


def report(runs: Sequence[Run], missing: Sequence[str]) -> int:
    """Print what came out; the number of faults."""
    found = bands(runs)
    print("\nHow much of its band each claim uses:")
    for band in sorted(found, key=lambda band: (band.used or 0, band.notebook)):
        print(f"  {band}")
    wrong = [one for one in runs if one.faults]
    edges = [band for band in found if band.at_fault]
    for one in wrong:
        print(f"\nDIFFERS  {one.notebook} under {one.variant!r}", *one.faults, sep="\n    ")
    for band in edges:
        unit = "widths of the band" if band.used is not None else "of what the runs lie apart"
        print(f"\nAT AN EDGE, {band.margin:.2f} {unit} away\n    {band}")
    for sentence in missing:
        print(f"\nNOT RUN  {sentence}")
    names = {one.variant for one in runs}
    still = sum(band.still for band in found)
    print(
        f"\n{len({one.notebook for one in runs})} notebooks, {len(names)} variants: {len(wrong)} of {len(runs)} runs "
        f"differ; {len(edges)} of {len(found)} claims come near an edge; {still} do not move at all."
    )
    return len(wrong) + len(edges)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("paths", nargs="*", type=Path, metavar="NOTEBOOK")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args(arguments)
    paths = [path.resolve() for path in given.paths] or [*notebooks(), GALLERY]
    os.environ["OPTCORE_PROGRESS"] = "off"
    found, missing = variants()
    runs = []
    with ThreadPoolExecutor(given.jobs) as pool:
        futures = [pool.submit(run, path, name, found[name]) for path in paths for name in found]
        for done, future in enumerate(as_completed(futures), start=1):
            runs.append(future.result())
            one = runs[-1]
            state = "differs" if one.faults else "the same"
            print(f"[{done:3d}/{len(futures)}] {state:9} {one.notebook} under {one.variant!r}", flush=True)
    if len(found) < 2:
        missing.append("nothing but the machine itself; this says nothing about other processors")
    return 1 if report(runs, missing) or len(found) < 2 else 0


if __name__ == "__main__":
    sys.exit(main())
