"""For `pytest --nbval -p tests.nbval_plugin`: text outputs are compared strictly, pages and pictures are not.

A widget's HTML holds unrounded numbers; tests/test_notebooks.py looks at it, and tests/test_site.py runs it. The
tables of claims and comparisons have in HTML what one run measured, and in their text what every run finds.
"""

import json
import os

from nbval.kernel import RunningKernel

from optcore.claims import RECORD

NOT_COMPARED = ("text/html", "image/svg+xml", "application/javascript")


def pytest_collectstart(collector) -> None:
    if type(collector).__name__ == "IPyNbFile":
        collector.skip_compare += NOT_COMPARED


def pytest_runtest_teardown(item) -> None:
    """Keep the claims of a run where OPTCORE_RECORDS says, one line for each table."""
    file = os.environ.get("OPTCORE_RECORDS")
    records = [output.get("metadata", {}).get(RECORD, {}) for output in getattr(item, "test_outputs", None) or []]
    if file and (tables := [record for record in records if "claims" in record]):
        with open(file, "a", encoding="utf-8") as kept:
            kept.writelines(json.dumps(record) + "\n" for record in tables)


def _execute(self, cell_input: str, allow_stdin: bool | None = None) -> str:
    return self.kc.execute(cell_input, allow_stdin=allow_stdin, stop_on_error=False)


def pytest_configure() -> None:
    # nbval keeps cells out of the history, which is where IPython looks for the ";" that silences a result.
    RunningKernel.execute_cell_input = _execute
