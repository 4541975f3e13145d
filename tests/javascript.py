"""Runs generated JavaScript in the Node that Playwright carries, so that no other installation is needed."""

import json
import subprocess

import numpy as np
from playwright._impl._driver import compute_driver_executable

from optcore.symbolic import JS_HELPERS

_HARNESS = """
const {programs} = JSON.parse(require("fs").readFileSync(0, "utf8"));
const number = v => v === "nan" ? NaN : v === "inf" ? Infinity : v === "-inf" ? -Infinity : v;
const text = v => Number.isNaN(v) ? "nan" : v === Infinity ? "inf" : v === -Infinity ? "-inf" : v;
%s
console.log(JSON.stringify(programs.map(({js, size, rows}) => {
  const run = new Function("H", "x", "y", js);
  return rows.map(row => {
    const y = new Float64Array(size);
    run(H, Float64Array.from(row, number), y);
    return Array.from(y, text);
  });
})));
"""


def node(script: str, text: str = "") -> str:
    """Standard output of a Node script that reads `text` on standard input."""
    done = subprocess.run([compute_driver_executable()[0], "-e", script], input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def run_programs(programs: list[tuple[dict, np.ndarray]]) -> list[np.ndarray]:
    """For each (program, rows of flat inputs) the rows of flat outputs, all in one Node process."""

    def plain(v):
        return float(v) if np.isfinite(v) else str(float(v))

    jobs = [
        {
            "js": program["js"],
            "size": sum(int(np.prod(shape)) for _, shape in program["outputs"]),
            "rows": [[plain(v) for v in row] for row in np.asarray(rows, float)],
        }
        for program, rows in programs
    ]
    results = json.loads(node(_HARNESS % JS_HELPERS, json.dumps({"programs": jobs})))
    return [np.array([[float(v) for v in row] for row in rows]) for rows in results]
