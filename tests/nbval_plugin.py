"""For `pytest --nbval -p tests.nbval_plugin`: text outputs are compared strictly, pages and pictures are not.

A widget's HTML holds unrounded numbers; tests/test_notebooks.py looks at it, and tests/test_site.py runs it.
"""

NOT_COMPARED = ("text/html", "image/svg+xml", "application/javascript")


def pytest_collectstart(collector) -> None:
    if type(collector).__name__ == "IPyNbFile":
        collector.skip_compare += NOT_COMPARED
