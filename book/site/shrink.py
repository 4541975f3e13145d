"""What every page loads, made small: one style sheet with the rules and properties that pages use, scripts without idle
spaces, the icons and signs of formulas that the site shows, figures with 256 colours as lossless WebP.
"""

import html
import logging
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

import minify_html
from fontTools import subset
from fontTools.ttLib import TTFont
from PIL import Image
from pygments.lexers.javascript import JavascriptLexer
from pygments.token import Comment

logging.getLogger("fontTools").setLevel(logging.ERROR)  # it tells of every table, and of dates before 1970
_ICON = re.compile(r"\.fa-[\w-]+:+before$")
_CODEPOINT = re.compile(r"\\(f[0-9a-f]{3})\b")
_OLDER_FONT = re.compile(r',url\([^)]*/(?:fa-|KaTeX_)[^)]*\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)')
_FORMULA, _SPAN, _TAG = re.compile('<span class="katex-html"'), re.compile("<(/?)span"), re.compile("<[^>]*>")
_DOUBLE_STROKE = re.compile(r'class="[^"]*\b(?:amsrm|mathbb)\b[^"]*"[^>]*>([^<]*)')
_FIGURE = re.compile(r"(_images/[\w.-]+)\.png\b")
_URL = re.compile(r"url\(\s*(['\"]?)(?!data:|#|https?:|/)([^'\")]+)\1\s*\)")
_STRING = r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'"
_PROPERTY = re.compile(rf"(?<=[{{;\s])(--[\w-]+)\s*:(?:{_STRING}|[^;{{}}\"'])*(?:;|(?=\}}))")
_CSS_TOKEN = re.compile(rf"/\*.*?\*/|{_STRING}|url\([^'\")]*\)|[{{}};]", re.DOTALL)
_NESTED = ("@media", "@supports", "@container", "@layer")
_NAME = re.compile(r"[.#](-*[a-zA-Z_][\w-]*)")


# ---- styles -------------------------------------------------------------------------------------------------


def css_rules(css: str) -> Iterator[tuple[str, str | None]]:
    """Top-level rules as (what stands before the brace, what stands inside); statements have no inside.

    >>> list(css_rules("@charset 'x'; a, .b { color: red } @media print { a { top: 0 } }"))
    [("@charset 'x'", None), ('a, .b', ' color: red '), ('@media print', ' a { top: 0 } ')]
    """
    start, depth, brace = 0, 0, 0
    for token in _CSS_TOKEN.finditer(css):
        at, sign = token.start(), token[0]
        if sign.startswith("/*") and not depth:
            if sign.startswith("/*!"):  # a licence
                yield sign, None
            start = token.end()
        elif sign == "{":
            brace = brace if depth else at
            depth += 1
        elif sign == "}":
            depth -= 1
            if not depth:
                yield css[start:brace].strip(), css[brace + 1 : at]
                start = at + 1
        elif sign == ";" and not depth:
            yield css[start:at].strip(), None
            start = at + 1


def _selectors(text: str) -> list[str]:
    """Split at the commas that stand outside of parentheses."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "([") - (char in ")]")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


def _may_match(selector: str, names: set[str]) -> bool:
    """Do all its classes and ids occur? What stands in parentheses, as in :not(…), asks for nothing."""
    while selector != (bare := re.sub(r"\([^()]*\)|\[[^\]]*\]", "", selector)):
        selector = bare
    return "\\" in selector or set(_NAME.findall(selector)) <= names


def used_rules(css: str, names: set[str], icons: set[str]) -> str:
    """The rules whose classes and ids occur among the names; of the icons, those that pages show.

    >>> used_rules(".a, .b > .c { top: 0 } .b { left: 0 }", {"a", "c"}, set())
    '.a{ top: 0 }'
    """
    kept = []
    for before, inside in css_rules(css):
        if inside is None:
            kept.append(before if before.startswith("/*") else f"{before};")
        elif before.startswith(_NESTED):
            inner = used_rules(inside, names, icons)
            kept += [f"{before}{{{inner}}}"] if inner else []
        elif before.startswith("@"):
            kept.append(f"{before}{{{inside}}}")
        else:
            pool = icons if _ICON.search(before) else names
            wanted = [selector for selector in _selectors(before) if _may_match(selector, pool)]
            kept += [f"{','.join(wanted)}{{{inside}}}"] if wanted else []
    return "\n".join(kept)


def used_properties(css: str, elsewhere: str) -> str:
    """Without the custom properties that nothing reads, here or elsewhere; a script may put a name together.

    >>> used_properties("a{--x: 1;--y: var(--x);--z: 2;--o-p: 3;color: var(--z)}", "`var(--o-${name})`")
    'a{--z: 2;--o-p: 3;color: var(--z)}'
    """
    begun = tuple(re.findall(r"--[\w-]+-(?=\$\{)", elsewhere)) or ("--none-",)
    while True:
        read = set(re.findall(r"(--[\w-]+)(?!\s*:)(?![\w-])", css)) | set(re.findall(r"--[\w-]+", elsewhere))
        unread = [found for found in _PROPERTY.finditer(css) if found[1] not in read and not found[1].startswith(begun)]
        if not unread:
            return css
        for found in reversed(unread):
            css = css[: found.start()] + css[found.end() :]


def _moved(css: str, folder: str) -> str:
    """Addresses as they read from _static/, where they were relative to the sheet's own folder."""
    return _URL.sub(lambda m: f"url({posixpath.normpath(posixpath.join(folder, m[2].strip()))})", css)


def write_site_sheet(site: Path, sheets: list[str]) -> None:
    """Join the sheets, in order, into _static/site.css, without the rules that no page can use; they go."""
    static = site / "_static"
    pages = "\n".join(page.read_text(encoding="utf-8") for page in site.rglob("*.html"))
    scripts = "\n".join(script.read_text(encoding="utf-8") for script in static.rglob("*.js"))
    in_pages = {name for value in re.findall(r'\b(?:class|id)="([^"]*)"', pages) for name in value.split()}
    names = in_pages | set(re.findall(r"[\w-]+", scripts))
    parts = [_moved((static / name).read_text(encoding="utf-8"), posixpath.dirname(name)) for name in sheets]
    css = used_rules("\n".join(parts), names, set(re.findall(r"\bfa-[\w-]+", pages)))
    css = used_properties(css, pages + scripts)
    (static / "site.css").write_text(_OLDER_FONT.sub("", css), encoding="utf-8")
    for sheet in sheets:
        (static / sheet).unlink()


# ---- scripts ------------------------------------------------------------------------------------------------


def without_comments(code: str) -> str:
    """JavaScript without its comments and the lines that they leave empty; those that begin with ! are licences.

    >>> without_comments("/* head */\\nlet a = `// ${ b /* c */ }`; // end\\n  // line\\nlet d = /[/]*/;\\n")
    'let a = `// ${ b  }`;\\nlet d = /[/]*/;\\n'
    """
    kept = [
        text if kind not in Comment or text.startswith("/*!") else "\0" + text[len(text.rstrip("\n")) :]
        for kind, text in JavascriptLexer(stripnl=False, ensurenl=False).get_tokens(code)
    ]
    without = re.sub(r"^[ \0]*\0[ \0]*\n", "", "".join(kept), flags=re.MULTILINE)
    return re.sub(r" *\0$", "", without, flags=re.MULTILINE).replace("\0", "")


def minified(code: str) -> str:
    """JavaScript without comments (but for licences, which begin with !) and idle spaces, said in fewer signs.

    The minifier asks for a page around it. It was chosen because it leaves numbers alone: another one turned
    Math.sqrt(x) into x**.5 and Math.trunc(x) into x|0, which are other numbers.

    >>> minified("/* head */ const root = (given) => Math.sqrt(given) + `a ${ `b  ${ given }` }`;  // as before")
    'const root=given=>Math.sqrt(given)+`a ${`b  ${given}`}`;'
    """
    kind = ' type="module"' if re.search(r"^(?:import|export)\b", code, re.MULTILINE) else ""
    page = minify_html.minify(f"<script{kind}>{without_comments(code)}</script>", minify_js=True)
    small = page[page.index(">") + 1 : page.rindex("</script>")]
    if small.strip() == code.strip():
        raise ValueError(f"This is no JavaScript: {code[:60]!r}.")
    return small


def write_minified(source: Path, folder: Path) -> None:
    """Write a script into a folder, small; the folder may be its own."""
    (folder / source.name).write_text(minified(source.read_text(encoding="utf-8")), encoding="utf-8")


def shrink_scripts(static: Path) -> None:
    """Make the scripts of all pages small."""
    for path in static.glob("*.js"):
        write_minified(path, static)


# ---- fonts and pictures -------------------------------------------------------------------------------------


def cut_font(source: Path, signs: set[int]) -> None:
    """Keep a font's signs, as WOFF2 beside the source, which goes."""
    with TTFont(source) as font:
        subsetter = subset.Subsetter(subset.Options(layout_features=[], hinting=False, notdef_outline=False))
        subsetter.populate(unicodes=signs)
        subsetter.subset(font)
        font.flavor = "woff2"
        font.save(source.with_suffix(".woff2"))
    if source.suffix != ".woff2":
        source.unlink()


def formulas(page: str) -> Iterator[str]:
    """Each formula of a page, as KaTeX has laid it out.

    >>> list(formulas('x <span class="katex-html"><span>y</span></span> z'))
    ['<span class="katex-html"><span>y</span>']
    """
    for begin in _FORMULA.finditer(page):
        depth = 0
        for tag in _SPAN.finditer(page, begin.start()):
            depth += -1 if tag[1] else 1
            if not depth:
                yield page[begin.start() : tag.start()]
                break


def shrink_fonts(site: Path) -> None:
    """Keep in Font Awesome's fonts the icons that the style sheet names, in KaTeX's the signs that formulas show."""
    static = site / "_static"
    icons = {int(code, 16) for code in _CODEPOINT.findall((static / "site.css").read_text(encoding="utf-8"))}
    for path in static.rglob("fa-*.ttf"):
        path.unlink()
    for path in static.rglob("fa-*.woff2"):
        cut_font(path, icons)
    pages = [page.read_text(encoding="utf-8") for page in site.rglob("*.html")]
    maths = "".join(formula for page in pages for formula in formulas(page))
    signs = set(map(ord, html.unescape(_TAG.sub("", maths))))
    double = set(map(ord, html.unescape("".join(_DOUBLE_STROKE.findall(maths)))))
    for path in static.rglob("KaTeX_*.woff"):
        cut_font(path, double if "AMS" in path.name else signs)


def shrink_sheet(site: Path) -> None:
    """The style sheet in fewer signs, below the licences that stand in it."""
    path = site / "_static/site.css"
    css = path.read_text(encoding="utf-8")
    page = minify_html.minify(f"<style>{css}</style>", minify_css=True)
    small = page.removeprefix("<style>").removesuffix("</style>")
    path.write_text("\n".join([*re.findall(r"/\*!.*?\*/", css, re.DOTALL), small]), encoding="utf-8")


def shrink_figures(site: Path) -> None:
    """Store figures with a palette, which looks the same, as WebP without loss: about a quarter of what they were."""
    for path in (site / "_images").glob("*.png"):
        with Image.open(path) as picture:
            opaque = Image.new("RGB", picture.size, "white")
            opaque.paste(picture, mask=picture.getchannel("A") if picture.mode == "RGBA" else None)
        palette = opaque.quantize(256, dither=Image.Dither.NONE)
        palette.convert("RGB").save(path.with_suffix(".webp"), lossless=True, quality=100, method=4)
        path.unlink()
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if (renamed := _FIGURE.sub(r"\1.webp", text)) != text:
            page.write_text(renamed, encoding="utf-8")
