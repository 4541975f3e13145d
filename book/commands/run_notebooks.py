"""Execute notebooks afresh, in place, so that unchanged code leaves unchanged files.

    python -m book.commands.run_notebooks [--jobs 2] [NOTEBOOK ...]      (default: all of them)

What would differ from run to run is not stored: times, the Python version, widget models (their pages travel as
text/html), and the split of a stream into pieces. Pictures are stored with 64 colours, a third of the size.
"""

import argparse
import base64
import io
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

from book.course import GALLERY, ROOT, notebooks
from optcore.grading.notebooks import METADATA

os.environ["OPTCORE_PROGRESS"] = "off"  # stored outputs are not the reader's own attempts; kernels inherit this
LIVE_ONLY = "application/vnd.jupyter.widget-view+json"  # names a model of one session


def joined_streams(outputs: list) -> list:
    """Neighbouring pieces of one stream, as one output: where they were cut depends on the clock."""
    joined: list = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def with_few_colours(png: str) -> str:
    """A picture in base64, reduced to 64 colours; thin lines keep theirs, though they cover few pixels."""
    small = io.BytesIO()
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    picture.quantize(64, method=Image.Quantize.MAXCOVERAGE, kmeans=1).save(small, format="png", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


def normalise(nb: nbformat.NotebookNode) -> None:
    """Drop from an executed notebook what another run would store differently."""
    nb.metadata = nbformat.from_dict(METADATA)
    for number, cell in enumerate(nb.cells):
        cell.setdefault("id", f"cell-{number:02d}")
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = joined_streams(cell.outputs)
            for output in cell.outputs:
                data = output.get("data", {})
                data.pop(LIVE_ONLY, None)
                if "image/png" in data:
                    data["image/png"] = with_few_colours(data["image/png"])


def execute(path: Path) -> tuple[nbformat.NotebookNode, float]:
    """The notebook with the outputs of a fresh kernel, and the seconds it took."""
    start = time.perf_counter()
    nb = nbformat.read(path, as_version=4)
    client = NotebookClient(
        nb,
        timeout=120,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    return nb, time.perf_counter() - start


def run(path: Path) -> float:
    """Execute one notebook, store it, and return the seconds it took."""
    nb, seconds = execute(path)
    normalise(nb)
    nbformat.write(nb, path)
    return seconds


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("paths", nargs="*", type=Path, metavar="NOTEBOOK")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    paths = [p.resolve() for p in args.paths] or [*notebooks(), GALLERY]
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # two kernels at a time, one thread each

    failed = 0
    with ThreadPoolExecutor(args.jobs) as pool:
        futures = {pool.submit(run, path): path for path in paths}
        for done, future in enumerate(as_completed(futures), start=1):
            name = os.path.relpath(futures[future], ROOT)
            try:
                print(f"[{done:2d}/{len(paths)}] {future.result():5.1f} s  {name}", flush=True)
            except CellExecutionError as error:
                failed += 1
                print(f"[{done:2d}/{len(paths)}] FAILED   {name}\n{error}", flush=True)
    if not paths:
        print("no notebooks yet")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
