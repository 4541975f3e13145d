"""The Sphinx side: the files of the page's Python go into _static/live when the book is built."""

from pathlib import Path

from sphinx.application import Sphinx

from book.site.shrink import write_minified

from . import exercises, lean

HERE = Path(__file__).parent
SCRIPTS = ("exercises.js", "here.js", "own.js")  # what pages load themselves, where NEEDED_WHEN says so


def write_files(app: Sphinx, exception: Exception | None) -> None:
    """Called when the pages are written, so that nothing here changes which of them are out of date."""
    if not exception and app.builder.format == "html":
        lean.write(Path(app.outdir, "_static", "live"))


def add_buttons(app: Sphinx, pagename: str, _template: str, _context: dict, _doctree) -> None:
    """Run and Edit on the pages whose cells are read one after the other; exercises have buttons of their own."""
    if pagename.startswith("chapters/") or pagename == "gallery":
        app.add_js_file("run.js", priority=905)  # after page.js


def write_modules(app: Sphinx) -> None:
    """Before the style sheet is made, which keeps the classes that scripts name."""
    if app.builder.format == "html":
        folder = Path(app.outdir, "_static", "live")
        lean.write_modules(folder)
        for name in SCRIPTS:
            write_minified(HERE / name, folder)


def setup(app: Sphinx) -> None:
    """Called by book.site.extension."""
    app.add_css_file("run.css")
    for name in SCRIPTS:
        app.add_js_file(f"live/{name}", priority=910)
    app.connect("html-page-context", add_buttons)
    exercises.setup(app)
    app.connect("builder-inited", write_modules)
    app.connect("build-finished", write_files, priority=950)  # after the scripts of pages have been gone through
