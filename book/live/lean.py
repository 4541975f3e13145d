"""What of the official files the site carries: no tests, headers, type stubs and formats that nobody shows.

Of the core, the standard library is made lean. Three archives stand beside it: `numpy.zip`, `optcore.zip`, and
`figures.zip` (Matplotlib and what it imports), which Python asks for with the first figure. Equal input gives equal
bytes. They are kept in _build/live between builds.
"""

import gzip
import hashlib
import importlib.metadata
import io
import json
import re
import shutil
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from matplotlib.font_manager import ttfFontProperty
from matplotlib.ft2font import FT2Font

from book.course import ROOT
from book.site.shrink import write_minified

from . import fetch

CACHE = ROOT / "_build" / "live"
SCRIPTS = ["worker.js", "room.py", "room_backend.py"]
ASKED = ["answers.py", "own.py"]  # what python.ask names
MODULES = ["python.js", "cells.js", "answering.js", "own_panel.js", "look.js"]  # what the page itself loads
EDITOR = ["editor/editor.js", "editor/LICENSE"]
LEFT_OUT = re.compile(
    r"(^|/)(tests?|testing/jpl_units|sphinxext|web_backend|__pycache__)/|\.(pyi|pxd|pyx|h|c|a|pc|in|ini|f90|md|typed)$"
    r"|/(RECORD|WHEEL|entry_points\.txt|top_level\.txt)$"
    r"|^numpy/(distutils|f2py)/|^numpy/_core/(include|lib)/|^numpy/\w+/(lib|_examples)/|^numpy/_pyinstaller/"
    r"|^matplotlib/mpl-data/(sample_data|images|plot_directive)/|^matplotlib/mpl-data/fonts/(afm|pdfcorefonts)/"
    r"|/ttf/DejaVuS(erif|ansMono-|ans-BoldOblique)|/(_tkagg|_ttconv)\.cpython|^mpl_toolkits/(axisartist|axes_grid1)/"
    r"|/backends/(_?backend_(cairo|gtk|macosx|nbagg|pdf|pgf|ps|qt|tk|webagg|wx)|qt_|_tkagg|qt_editor)|/_type1font"
    r"|/_(\w*(operand|struct|rational|umath)_tests|simd)\.cpython"
    r"|^PIL/_(imagingft|webp|imagingcms)\.|^dateutil/zoneinfo/.*gz$"
)
STDLIB = "python_stdlib.zip"
NOT_NEEDED = re.compile(  # of the standard library: rare encodings, mail and servers, sound, windows, installers
    r"^encodings/(?!(__init__|aliases|ascii|base64_codec|charmap|cp1252|cp437|hex_codec|idna|iso8859_1|iso8859_15"
    r"|latin_1|punycode|raw_unicode_escape|undefined|unicode_escape|utf_\w+|zlib_codec)\.py$)"
    r"|^(curses|ensurepip|idlelib|lib2to3|pydoc_data|tkinter|turtledemo|wsgiref|xmlrpc)/"
    r"|^(aifc|cgi|cgitb|chunk|ftplib|imaplib|mailbox|mailcap|msilib|nntplib|poplib|smtplib|sunau|telnetlib|wave)\.py$"
)


def archive(files: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip of the files, in order of their names, without times."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for name, content in sorted(files):
            target.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)
    return packed.getvalue()


def of_wheels(names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """The files of kept wheels that the site needs."""
    for name in names:
        with zipfile.ZipFile(fetch.ASSETS / name) as wheel:
            for entry in wheel.namelist():
                if not entry.endswith("/") and not LEFT_OUT.search(entry):
                    yield entry, wheel.read(entry)


def of_stdlib() -> Iterator[tuple[str, bytes]]:
    """The files of the standard library that the site needs."""
    with zipfile.ZipFile(fetch.ASSETS / STDLIB) as library:
        for entry in library.namelist():
            if not entry.endswith("/") and not NOT_NEEDED.search(entry):
                yield entry, library.read(entry)


def font_list(files: dict[str, bytes]) -> bytes:
    """Matplotlib's list of its fonts, which it would otherwise make in the page, for seconds."""
    [version] = re.findall(rb"^ +__version__ = (\d+)", files["matplotlib/font_manager.py"], re.MULTILINE)
    fonts = []
    with tempfile.TemporaryDirectory() as folder:
        for name in sorted(name for name in files if name.endswith(".ttf")):
            file = Path(folder, "font.ttf")
            file.write_bytes(files[name])
            entry = ttfFontProperty(FT2Font(str(file)))
            kept = {key: getattr(entry, key) for key in ("name", "style", "variant", "weight", "stretch", "size")}
            place = name.removeprefix("matplotlib/mpl-data/")
            fonts.append({"fname": place, **kept, "__class__": "FontEntry"})
    default = {"_FontManager__default_weight": "normal", "default_size": None, "defaultFamily": {"ttf": "DejaVu Sans"}}
    listed = {"_version": int(version), **default, "afmlist": [], "ttflist": fonts, "__class__": "FontManager"}
    return json.dumps(listed).encode()


def of_figures(names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Matplotlib with the list of its fonts, where that of Pyodide looks for it."""
    files = dict(of_wheels(names))
    yield from (files | {"matplotlib/fontlist.json": font_list(files)}).items()


def of_optcore() -> Iterator[tuple[str, bytes]]:
    """What the wheel of optcore holds, latex2mathml as the book uses it, and what the page asks Python."""
    for name in ("../__init__.py", "__init__.py", *ASKED):
        path = (Path(__file__).parent / name).resolve()
        yield path.relative_to(ROOT).as_posix(), path.read_bytes()
    for path in (ROOT / "optcore").rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path.relative_to(ROOT).as_posix(), path.read_bytes()
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    for source, name in build["targets"]["wheel"]["force-include"].items():
        yield name, (ROOT / source).read_bytes()
    for file in importlib.metadata.files("latex2mathml") or []:
        if file.parts[0] == "latex2mathml" and "__pycache__" not in file.parts or file.name == "LICENSE":
            yield file.as_posix(), file.read_binary()


def _kept(name: str, made_of: list[Path], make) -> bytes:
    """make(), or what it gave for the same input."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in [Path(__file__), *made_of])).hexdigest()
    file = CACHE / f"{digest[:16]}-{name}"
    if not file.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        for old in CACHE.glob(f"*-{name}"):
            old.unlink(missing_ok=True)
        part = file.with_suffix(f".{id(make)}.part")
        part.write_bytes(make())
        part.replace(file)
    return file.read_bytes()


def files() -> dict[str, bytes]:
    """Name -> content of all that the page's Python is made of."""
    if wrong := fetch.faults():
        raise ValueError(f"{'; '.join(wrong)}. Run make live-assets.")
    made = {name: (fetch.ASSETS / name).read_bytes() for name in fetch.CORE}
    made[STDLIB] = _kept(STDLIB, [fetch.ASSETS / STDLIB], lambda: archive(of_stdlib()))
    contents = [("numpy.zip", fetch.NUMPY, of_wheels), ("figures.zip", fetch.MATPLOTLIB, of_figures)]
    for archived, names, of in contents:
        wheels = [*fetch.locked(names)]
        made[archived] = _kept(archived, [fetch.ASSETS / w for w in wheels], lambda w=wheels, of=of: archive(of(w)))
    made |= {name: (Path(__file__).parent / name).read_bytes() for name in SCRIPTS}
    return made | {"optcore.zip": archive(of_optcore())}


def write_modules(folder: Path) -> None:
    """Write what the page itself loads."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in MODULES:
        write_minified(Path(__file__).parent / name, folder)
    for name in EDITOR:
        shutil.copy(Path(__file__).parent / name, folder)


def write(folder: Path) -> None:
    """Write the files, and files.js, which says for each its size in bytes, plain and gzipped, and its digest."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = {}
    for name, content in files().items():
        target = folder / name
        if not target.is_file() or target.read_bytes() != content:
            target.write_bytes(content)
        packed = _kept(f"{name}.gz", [target], lambda c=content: gzip.compress(c, mtime=0))
        digest = hashlib.sha256(content).hexdigest()[:16]
        listed[name] = {"size": len(content), "sent": min(len(content), len(packed)), "digest": digest}
    (folder / "files.js").write_text(f"export default {json.dumps(listed, indent=1)};\n", encoding="utf-8")
    shutil.copy(fetch.ASSETS / "LICENSES.md", folder)
