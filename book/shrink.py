"""What every page loads, made small: icon fonts with the icons that the site shows, figures with 256 colours."""

import re
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from PIL import Image

_RULE = re.compile(r'((?:\.fa-[\w-]+:+before,?)+)\{content:"\\([0-9a-f]+)"\}')
_CODEPOINT = re.compile(r"\\(f[0-9a-f]{3})\b")
_WOFF2 = re.compile(r'url\([^)]*/fa-[\w-]+\.woff2\) format\("woff2"\),')


def shrink_icon_fonts(site: Path) -> None:
    """Keep in the site's Font Awesome style rules and fonts only what its pages and style sheets name."""
    static = site / "_static"
    theme = static / "styles" / "pydata-sphinx-theme.css"
    css = theme.read_text(encoding="utf-8")
    pages = "\n".join(page.read_text(encoding="utf-8") for page in site.rglob("*.html"))
    named = set(re.findall(r"\bfa-[\w-]+", pages))

    def kept(rule: re.Match) -> str:
        return rule[0] if named & set(re.findall(r"fa-[\w-]+", rule[1])) else ""

    css = _WOFF2.sub("", _RULE.sub(kept, css))
    theme.write_text(css, encoding="utf-8")
    sheets = [css, *(p.read_text(encoding="utf-8") for p in static.rglob("*.css") if p != theme)]
    used = {int(code, 16) for sheet in sheets for code in _CODEPOINT.findall(sheet)}

    for path in static.rglob("fa-*.ttf"):
        with TTFont(path) as font:
            subsetter = subset.Subsetter(subset.Options(layout_features=[], hinting=False, notdef_outline=False))
            subsetter.populate(unicodes=used)
            subsetter.subset(font)
            font.save(path)
    for path in static.rglob("fa-*.woff2"):
        path.unlink()


def shrink_figures(folder: Path) -> None:
    """Store figures with a palette, which looks the same and takes about a third."""
    for path in folder.glob("*.png"):
        with Image.open(path) as picture:
            if picture.mode == "P":
                continue
            opaque = Image.new("RGB", picture.size, "white")
            opaque.paste(picture, mask=picture.getchannel("A") if picture.mode == "RGBA" else None)
            small = opaque.quantize(256, dither=Image.Dither.NONE)
            dpi = {"dpi": picture.info["dpi"]} if "dpi" in picture.info else {}
        small.save(path, optimize=True, **dpi)
