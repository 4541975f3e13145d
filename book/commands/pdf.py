"""Print every page of the built site, in order, into one PDF with an outline.

make pdf        needs Chromium or Chrome
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import yaml
from playwright.sync_api import Browser, PdfMargins
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject

from book.browser import chromium, opened, require_browser, served
from book.course import ROOT, SITE, pages

PDF = ROOT / "_build" / "course.pdf"
NO_HEAD = "<i></i>"
MARGIN: PdfMargins = {"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"}
FOOT = """<div style="font: 8px sans-serif; width: 100%; text-align: center">
<span class="title"></span> · <span class="pageNumber"></span></div>"""


def outline() -> dict[str, str]:
    """The first page of each part of the book, with the part's name."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return {part["chapters"][0]["file"]: part["caption"] for part in toc["parts"]}


def printed(browser: Browser, url: str) -> tuple[str, PdfReader]:
    """A page's title and its PDF."""
    with opened(browser, url) as (page, _):
        page.wait_for_timeout(500)  # widgets draw in the frames after they start
        data = page.pdf(
            format="A4", margin=MARGIN, display_header_footer=True, header_template=NO_HEAD, footer_template=FOOT
        )
        return page.title().split(" — ")[0], with_places(PdfReader(BytesIO(data)))


def links_of(pages) -> Iterator[DictionaryObject]:
    """Every link on the pages."""
    for page in pages:
        yield from (reference.get_object() for reference in page.get("/Annots") or [])


def with_places(reader: PdfReader) -> PdfReader:
    """Links within a page by place rather than by name: every chapter has a heading called Quiz."""
    for link in links_of(reader.pages):
        if str(link.get("/Dest", "")) in reader.named_destinations:
            link[NameObject("/Dest")] = reader.named_destinations[str(link["/Dest"])].dest_array
    return reader


def link_pages(writer: PdfWriter, base: str, starts: dict[str, int]) -> int:
    """Turn links between pages of the site into jumps within the file; returns how many."""
    count = 0
    for link in links_of(writer.pages):
        address = str(link.get("/A", {}).get("/URI", ""))
        name = address.removeprefix(f"{base}/").split("#")[0].removesuffix(".html")
        if address.startswith(base) and name in starts:
            target = writer.pages[starts[name]].indirect_reference
            jump = {NameObject("/S"): NameObject("/GoTo"), NameObject("/D"): ArrayObject([target, NameObject("/Fit")])}
            link[NameObject("/A")] = DictionaryObject(jump)
            count += 1
    return count


def make_pdf(browser: Browser, base: str, names: list[str], target: Path) -> None:
    """Print the named pages of the site at `base` into one file."""
    writer, parts, part, starts = PdfWriter(), outline(), None, {}
    for name in names:
        title, pdf = printed(browser, f"{base}/{name}.html")
        starts[name] = len(writer.pages)
        writer.append(pdf, import_outline=False)
        if name in parts:
            part = writer.add_outline_item(title=parts[name], page_number=starts[name])
        writer.add_outline_item(title=title, page_number=starts[name], parent=part)
        print(f"{len(pdf.pages):4} pages  {name}", flush=True)
    link_pages(writer, base, starts)
    writer.compress_identical_objects()  # each page brings its fonts
    writer.write(target)
    print(f"{target}: {len(writer.pages)} pages, {target.stat().st_size / 1e6:.1f} MB")


def main() -> None:
    require_browser()
    with served(SITE) as base, chromium() as browser:
        make_pdf(browser, base, pages(), PDF)


if __name__ == "__main__":
    main()
