"""The Sphinx side: the files of the page's Python go into _static/live when the book is built."""

from pathlib import Path

from sphinx.application import Sphinx

from . import lean


def write_files(app: Sphinx, exception: Exception | None) -> None:
    """Called when the pages are written, so that nothing here changes which of them are out of date."""
    if not exception and app.builder.format == "html":
        lean.write(Path(app.outdir, "_static", "live"))


def setup(app: Sphinx) -> None:
    """Called by book.site.extension."""
    app.connect("build-finished", write_files, priority=950)  # after the scripts of pages have been gone through
