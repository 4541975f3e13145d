"""Make the site's faces: three families from npm, cut to the signs that pages show, and stand-ins of their measures.

make faces      needs npm and a network; writes book/assets/faces/

Greek comes in files of its own, which a page loads only where it shows Greek outside of formulas.
"""

import io
import json
import string
import tempfile
from dataclasses import dataclass
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib import instancer

from book import npm
from book.course import ROOT

FACES = ROOT / "book" / "assets" / "faces"
BUDGET = 70_000  # bytes, all files together
VERSION = "5.3.1"
OFL = "This Font Software is licensed under"  # how the licence begins; before it stands the copyright
COPYRIGHT = 0  # as fonts number their names

ASCII = string.printable[:95]
SIGNS = "\u00a0©§°±²³·¹¼½×–—‘’“”…−•áäéèíóôöøúüçÉÖ"
GREEK = "ΔΣΦΩαβγδεηθκλμνξπρστφχψω"  # what pages show outside of formulas, and a few more
WORDS = string.ascii_letters + string.digits + " .,:;-()'/!?’“”–áäéóôöü"  # what stands in italics


@dataclass(frozen=True)
class Cut:
    """One file: which of a family's files it comes from, its weights, its signs, and what of its layout is kept."""

    family: str
    package: str
    source: str
    file: str
    weights: tuple[int, int]
    signs: str
    features: tuple[str, ...] = ("kern",)
    style: str = "normal"


SERIF, SANS, CODE = "Course Serif", "Course Sans", "Course Code"
CUTS = [
    Cut(SERIF, "source-serif-4", "latin-wght-normal", "serif", (400, 700), ASCII + SIGNS, ("kern", "liga")),
    Cut(SERIF, "source-serif-4", "latin-wght-italic", "serif-italic", (400, 400), WORDS, style="italic"),
    Cut(SERIF, "source-serif-4", "greek-wght-normal", "serif-greek", (400, 400), GREEK),
    Cut(SANS, "source-sans-3", "latin-wght-normal", "sans", (400, 700), ASCII + SIGNS),
    Cut(SANS, "source-sans-3", "greek-wght-normal", "sans-greek", (400, 400), GREEK),
    Cut(CODE, "source-code-pro", "latin-wght-normal", "code", (400, 400), ASCII + SIGNS, ()),
    Cut(CODE, "source-code-pro", "greek-wght-normal", "code-greek", (400, 400), GREEK, ()),
]


@dataclass(frozen=True)
class Measures:
    """Of a face, in thousandths of its size: the width of an average letter, the height above and below the line."""

    width: float
    ascent: float
    descent: float


# From @capsizecss/metrics 4.3.0; DejaVu measured likewise.
OURS = {SERIF: Measures(479, 1036, 335), SANS: Measures(418, 1024, 400), CODE: Measures(600, 984, 273)}
STAND_INS: dict[str, dict[str, tuple[str, float | None]]] = {
    SERIF: {
        "Georgia": ("Georgia", 913 / 2.048),
        "Times": ("Times New Roman, Liberation Serif, Times", 832 / 2.048),
        "Noto Serif": ("Noto Serif", 481),
        "DejaVu Serif": ("DejaVu Serif", None),
    },
    SANS: {
        "Arial": ("Arial, Liberation Sans, Helvetica", 913 / 2.048),
        "Segoe UI": ("Segoe UI", 908 / 2.048),
        "Roboto": ("Roboto", 911 / 2.048),
        "DejaVu Sans": ("DejaVu Sans", None),
    },
    CODE: {
        "Menlo": ("Menlo, DejaVu Sans Mono", 1233 / 2.048),
        "Consolas": ("Consolas", 1126 / 2.048),
        "Courier": ("Liberation Mono, Courier New", 1229 / 2.048),
    },
}
DEJAVU = {"DejaVu Serif": "DejaVuSerif", "DejaVu Sans": "DejaVuSans"}


def average_width(font: TTFont) -> float:
    """Of a letter of English text, in thousandths: the frequencies are those of this course's pages."""
    text = (ROOT / "intro.md").read_text(encoding="utf-8") + (ROOT / "glossary.md").read_text(encoding="utf-8")
    names, advances = font.getBestCmap(), font["hmtx"].metrics
    widths = [advances[names[ord(sign)]][0] for sign in text if sign in string.ascii_letters + " "]
    return 1000 * sum(widths) / len(widths) / font["head"].unitsPerEm


def cut_font(data: bytes, cut: Cut) -> TTFont:
    """The signs and weights of one file."""
    low, high = cut.weights
    font = TTFont(io.BytesIO(data))
    font = complete(instancer.instantiateVariableFont(complete(font), {"wght": low if low == high else (low, high)}))
    cutter = subset.Subsetter(subset.Options(layout_features=list(cut.features), hinting=False, name_IDs=["*"]))
    cutter.populate(text=cut.signs)
    cutter.subset(font)
    rename(font, cut.family)
    font.flavor = "woff2"
    return font


def complete(font: TTFont) -> TTFont:
    """With an entry for signs that do not vary, such as the space: the cutting asks for all."""
    if "gvar" in font:
        varied = font["gvar"].variations
        font["gvar"].variations = {name: varied[name] if name in varied else [] for name in font.getGlyphOrder()}
    return font


def rename(font: TTFont, family: str) -> None:
    """Keep copyright and licence, and give up the name: "Source" is reserved for the fonts as Adobe made them.

    What goes by names that are gone goes too: Firefox complains of it.
    """
    names = font["name"]
    names.names = [record for record in names.names if record.nameID in (COPYRIGHT, 13, 14)]
    for which, text in ((1, family), (2, "Regular"), (4, family), (6, family.replace(" ", ""))):
        names.setName(text, which, 3, 1, 0x409)
    if "STAT" in font:
        del font["STAT"]
    if "fvar" in font:
        font["fvar"].instances = []
        for axis in font["fvar"].axes:
            axis.axisNameID = names.addName("Weight", platforms=[(3, 1, 0x409)])


def copyright_of(data: bytes) -> str:
    """As the font itself states it."""
    return TTFont(io.BytesIO(data))["name"].getDebugName(COPYRIGHT)


def ranges(signs: str) -> str:
    """Signs as a unicode-range.

    >>> ranges("abcx")
    'U+61-63, U+78'
    """
    runs: list[list[int]] = []
    for code in sorted(map(ord, set(signs))):
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return ", ".join(f"U+{low:X}" if low == high else f"U+{low:X}-{high:X}" for low, high in runs)


def stand_ins(family: str, widths: dict[str, float]) -> tuple[list[str], list[str]]:
    """(the rules, the names) of system faces that take as much room as the family while it is on its way."""
    rules, names = [], []
    for name, (local, width) in STAND_INS[family].items():
        size = OURS[family].width / width if width else widths[family] / widths[name]
        lines = [
            f'font-family: "like {family} ({name})"',
            "src: " + ", ".join(f'local("{one}")' for one in local.split(", ")),
            f"size-adjust: {size:.1%}",
            f"ascent-override: {OURS[family].ascent / 1000 / size:.1%}",
            f"descent-override: {OURS[family].descent / 1000 / size:.1%}",
            "line-gap-override: 0%",
        ]
        rules.append("@font-face {\n" + "".join(f"  {line};\n" for line in lines) + "}\n")
        names.append(f'"like {family} ({name})"')
    return rules, names


def sheet(widths: dict[str, float], signs: dict[str, str]) -> str:
    """The style sheet that declares all faces and names the three stacks."""
    rules = ["/* Written by book/commands/faces.py. */\n"]
    for cut in CUTS:
        low, high = cut.weights
        weight = f"{low} {high}" if low < high else "400 700" if cut.file != "serif-italic" else "400"
        lines = [
            f'font-family: "{cut.family}"',
            f"font-style: {cut.style}",
            f"font-weight: {weight}",
            "font-display: swap",
            f'src: url(faces/{cut.file}.woff2) format("woff2")',
            f"unicode-range: {ranges(signs[cut.file])}",
        ]
        rules.append("@font-face {\n" + "".join(f"  {line};\n" for line in lines) + "}\n")
    stacks = []
    for variable, family, generic in (
        ("text", SERIF, "serif"),
        ("interface", SANS, "sans-serif"),
        ("code", CODE, "monospace"),
    ):
        faces, names = stand_ins(family, widths)
        rules += faces
        stacks.append(f"  --face-{variable}: " + ",\n    ".join([f'"{family}"', *names, generic]) + ";\n")
    return "".join([*rules, "html {\n", *stacks, "}\n"])


def main() -> None:
    import matplotlib

    FACES.mkdir(exist_ok=True)
    widths: dict[str, float] = {}
    signs: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for cut in CUTS:
            with npm.package(f"@fontsource-variable/{cut.package}@{VERSION}", Path(folder)) as package:
                data = npm.content(package, f"files/{cut.package}-{cut.source}.woff2")
                licence = npm.content(package, "LICENSE").decode()
            (FACES / f"{cut.package}-OFL.txt").write_text(
                f"{copyright_of(data)}\n\n{licence[licence.index(OFL) :]}", encoding="utf-8"
            )
            font = cut_font(data, cut)
            if "latin" in cut.source and cut.style == "normal":
                widths[cut.family] = average_width(font)
            signs[cut.file] = "".join(map(chr, font.getBestCmap()))
            font.save(FACES / f"{cut.file}.woff2")
            print(f"{cut.file}.woff2: {(FACES / f'{cut.file}.woff2').stat().st_size:,} bytes", flush=True)
    drawn = Path(matplotlib.get_data_path(), "fonts", "ttf")
    widths |= {name: average_width(TTFont(drawn / f"{file}.ttf")) for name, file in DEJAVU.items()}
    (FACES.parent / "faces.css").write_text(sheet(widths, signs), encoding="utf-8")
    print(json.dumps({name: round(width) for name, width in widths.items()}))
    total = sum(file.stat().st_size for file in FACES.glob("*.woff2"))
    if total > BUDGET:
        raise SystemExit(f"The faces take {total:,} bytes; {BUDGET:,} are allowed.")


if __name__ == "__main__":
    main()
