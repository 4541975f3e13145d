"""Sphinx extension of the book: light, offline, accessible pages.

- maths is rendered when the book is built (maths.py);
- quotations, folds and links in plain Markdown become boxes, citations and terms (plain.py);
- Predict boxes ask for a guess, and the outputs below them wait for it (predictions.py);
- lines of code that only check numbers are set quietly (quiet.py);
- pages are numbered, and lead to chapters, concepts and terms (ways.py);
- scripts know what there is to do on each page (progress.py);
- a widget's stored HTML carries its own script, for notebooks; on the site every page loads the widget's file once;
- all styles come in one sheet without unused rules; a page loads only the scripts that it uses, deferred;
- what the theme leaves open is mended: names of buttons, landmarks, image sizes (no layout shift);
- addresses, previews, sitemap and 404 page come from addresses.py, the search's words from search.py.
"""

import base64
import hashlib
import re
import struct
from pathlib import Path

import nbformat
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.builders.html._assets import _JavaScript

from book.live import extension as live
from optcore.widgets import base

from . import addresses, maths, plain, predictions, progress, quiet, search, shrink, ways

WIDGETS = Path(base.__file__).parent

# Scripts that are loaded only where the page's body matches. Style sheets become one, see shrink.py.
NEEDED_WHEN = {
    "design-tabs.js": r'class="[^"]*\bsd-tab-set',
    "toggle": r'class="[^"]*\b(toggle|dropdown)\b',  # the script and its inline settings
    "copybutton": r'class="highlight',
    "your-progress.js": r'id="progress-report"',
    "sketch.js": r'class="oc-sketch"',
    "predict.js": r'class="oc-guess pst-js-only" data-guess',
    "front.js": r'class="oc-continue"',
    "clipboard.min.js": r'class="highlight',
    "live/exercises.js": r'class="cell tag_exercise\b',
    "live/own.js": r'data-oc="explore"',
    "live/here.js": r'href="\.\./\.\./exercises/\d',
}
THEME_SHEETS = ["basic.css", "styles/pydata-sphinx-theme.css"]
# Never: live kernels need a network, and nothing on the site reads the page's name.
DROPPED = ("thebe", "THEBE_JS_URL", "DOCUMENTATION_OPTIONS.pagename", "MathJax")

# The theme measures every scrolling region once the page has loaded, which lays out all of it; page.js does better.
MEASURES_ALL = '"complete"===document.readyState?O():window.addEventListener("load",O)'

# What other extensions write that axe objects to.
REPLACED = {
    '<summary aria-label="Toggle hidden content">': "<summary>",  # the text inside is the better name
    'role="doc-biblioentry"': 'role="listitem"',  # deprecated, and not a child of the list around it
}

_WIDGET = re.compile(r'<div class="oc-widget[^>]*\bdata-oc="([\w-]+)"')
_NOTEBOOK_ONLY = re.compile(
    r"<style data-oc-css[^>]*>.*?</style>\s*|<script\b[^>]*\bdata-oc-module\b[^>]*>.*?</script>\s*", re.DOTALL
)
_INLINE_PNG = re.compile(r'src="data:image/png;base64,([^"]+)"')
_IMAGE = re.compile(r'<img (?![^>]*\bwidth=)([^>]*\bsrc="[^"]*_images/([^"/]+\.png)"[^>]*?)\s*/?>')


# ---- widgets ------------------------------------------------------------------------------------------------


def write_widget_scripts(app: Sphinx) -> None:
    """Turn the widgets' ES modules into classic scripts, which also run from file://."""
    if app.builder.format != "html":
        return
    folder = Path(app.outdir, "_static", "oc")
    folder.mkdir(parents=True, exist_ok=True)
    for source in [*WIDGETS.glob("*.js"), *WIDGETS.glob("*.css")]:
        text = base.page_source(source.name)
        if source.suffix == ".js":
            if source.stem != "common":
                text = "{\n" + text.replace("export default", f'oc.widgets["{source.stem}"]=', 1) + "\n}\n"
            text = shrink.minified(text)
        (folder / source.name).write_text(text, encoding="utf-8")


def _move_png(match: re.Match, app: Sphinx, to_root: str) -> str:
    png = base64.b64decode(match[1])
    name = f"oc-{hashlib.sha256(png).hexdigest()[:16]}.png"
    images = Path(app.outdir, app.builder.imagedir)
    images.mkdir(exist_ok=True)
    (images / name).write_bytes(png)
    return f'src="{to_root}{app.builder.imagedir}/{name}"'


def site_widgets(app: Sphinx, pagename: str, body: str) -> str:
    """Strip from stored widgets what only a notebook needs; load their files on this page instead."""
    names = dict.fromkeys(_WIDGET.findall(body))
    if not names:
        return body
    for name in ["common", *names]:
        app.add_js_file(f"oc/{name}.js", priority=600)  # before page.js
    to_root = "../" * pagename.count("/")
    return _INLINE_PNG.sub(lambda m: _move_png(m, app, to_root), _NOTEBOOK_ONLY.sub("", body))


class StoredWidget(Directive):
    """`{stored-widget} gallery.ipynb explore`: the first widget of that kind stored in a notebook, on another page."""

    required_arguments = 2

    def run(self) -> list[nodes.Node]:
        file, kind = self.arguments
        env = self.state.document.settings.env
        relative, path = env.relfn2path(file)
        env.note_dependency(relative)
        outputs = (o for cell in nbformat.read(path, as_version=4).cells for o in cell.get("outputs", []))
        for page in (output.get("data", {}).get("text/html", "") for output in outputs):
            if f'data-oc="{kind}"' in page:
                return [nodes.raw("", page, format="html")]
        raise self.error(f"{file} stores no widget '{kind}'; run it, then build again.")


def disconnect_thebe(app: Sphinx) -> None:
    """Jupyter Book always loads sphinx-thebe, which writes a live-kernel configuration into every page."""
    for event in ("env-before-read-docs", "doctree-resolved"):
        for listener in list(app.events.listeners.get(event, [])):
            if listener.handler.__module__ == "sphinx_thebe":
                app.disconnect(listener.id)


# ---- pages --------------------------------------------------------------------------------------------------


def _png_size(path: Path) -> tuple[int, int]:
    """Width and height in CSS pixels; a figure drawn at twice the usual density shows at half its pixels."""
    data = path.read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    at = data.find(b"pHYs", 0, 512)
    per_metre = struct.unpack(">I", data[at + 4 : at + 8])[0] if at > 0 else 0
    scale = 2 if per_metre > 5500 else 1  # 140 dots per inch
    return round(width / scale), round(height / scale)


def size_images(app: Sphinx, body: str) -> str:
    """Write each PNG's size into its tag, so that the text below does not jump when it arrives."""

    def sized(match: re.Match) -> str:
        name = match[2]
        built = Path(app.outdir, app.builder.imagedir, name)
        source = next((Path(app.srcdir, s) for s, n in app.builder.images.items() if n == name), built)
        path = source if source.is_file() else built
        if not path.is_file():
            return match[0]
        width, height = _png_size(path)
        return f'<img {match[1]} width="{width}" height="{height}" loading="lazy" />'

    return _IMAGE.sub(sized, body)


def _asset_text(asset) -> str:
    return f"{asset.filename or ''} {getattr(asset, 'attributes', {}).get('body', '')}"


def _wanted(asset, body: str) -> bool:
    text = _asset_text(asset)
    if any(word in text for word in DROPPED):
        return False
    return all(re.search(pattern, body) for key, pattern in NEEDED_WHEN.items() if key in text)


def _deferred(script: _JavaScript) -> _JavaScript:
    """A copy, because pages share what is on every page."""
    if not script.filename:
        return script
    attributes = {"defer": "defer", **script.attributes}
    return _JavaScript(script.filename, priority=script.priority, **attributes)


def finish_page(app: Sphinx, pagename: str, _templatename: str, context: dict, doctree) -> None:
    """Edit one page's body and decide what it loads."""
    body = context.get("body", "")
    if doctree is not None:
        body = site_widgets(app, pagename, body)
        body = size_images(app, body)
        body = predictions.hide(body)
        for theirs, ours in REPLACED.items():
            body = body.replace(theirs, ours)
        if pagename == app.config.root_doc:
            body = ways.number_cards(body)
        context["body"] = body = body + ways.concept_list(app, pagename)
        addresses.add_meta(app, pagename, context, doctree)
    context["css_files"] = []  # all in site.css
    context["script_files"][:] = [asset for asset in context["script_files"] if _wanted(asset, body)]
    if pagename != "search":  # its own scripts run at once and need the others before them
        context["script_files"][:] = map(_deferred, context["script_files"])


def finish_site(app: Sphinx, exception: Exception | None) -> None:
    """Remove what no page asks for, and shrink what is left."""
    if exception or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    static = Path(app.outdir, "_static")
    if not list(static.rglob("fontawesome.js")):  # no page was out of date: Sphinx has left what an earlier build made
        return
    for pattern in ("*.map", "fontawesome.js*", "bootstrap.js*", "*thebe*", "katex.min.js"):
        for path in static.rglob(pattern):
            path.unlink()
    theme = static / "scripts" / "pydata-sphinx-theme.js"
    script = theme.read_text(encoding="utf-8")
    if MEASURES_ALL not in script:
        raise ValueError(f"{theme} has changed: it no longer ends in {MEASURES_ALL}.")
    theme.write_text(script.replace(MEASURES_ALL, "0"), encoding="utf-8")
    shrink.shrink_scripts(static)
    added = sorted(app.builder._css_files, key=lambda sheet: sheet.priority)
    names = [str(sheet.filename).removeprefix("_static/") for sheet in added if "thebe" not in str(sheet.filename)]
    shrink.write_site_sheet(Path(app.outdir), [*THEME_SHEETS, *names])
    shrink.shrink_fonts(Path(app.outdir))
    shrink.shrink_sheet(Path(app.outdir))
    shrink.shrink_figures(Path(app.outdir))
    addresses.write_site_files(app)


def setup(app: Sphinx) -> dict:
    """Called by Sphinx."""
    maths.setup(app)
    plain.setup(app)
    predictions.setup(app)
    progress.setup(app)
    quiet.setup(app)
    ways.setup(app)
    search.setup(app)
    addresses.setup(app)
    live.setup(app)
    code = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py"))))
    app.add_config_value("book_code", code.hexdigest(), "env")  # pages are read again when this code changes
    app.add_directive("stored-widget", StoredWidget)
    app.config.html_static_path.append(str(maths.KATEX))
    app.add_js_file("store.js", priority=500)
    app.add_js_file("page.js", priority=900)
    app.add_css_file("katex.min.css")
    app.add_css_file("oc/oc.css")
    app.connect("builder-inited", write_widget_scripts)
    app.connect("builder-inited", disconnect_thebe)
    app.connect("html-page-context", finish_page, priority=900)  # after the theme and other extensions
    app.connect("build-finished", finish_site, priority=900)  # the theme writes its colours of code here
    return {"parallel_read_safe": True, "parallel_write_safe": True}
