"""The whole site as one PDF."""

from pypdf import PdfReader

from book.commands.pdf import links_of, make_pdf

CHAPTER = "chapters/4-adaptive-methods/2-adam"


def test_pages_print_into_one_file(site, browser, tmp_path):
    names = ["intro", CHAPTER, "glossary"]
    make_pdf(browser, site, names, tmp_path / "course.pdf")
    reader = PdfReader(tmp_path / "course.pdf")
    titles = [item.title for item in reader.outline if not isinstance(item, list)]
    links = list(links_of(reader.pages))
    jumps = [link for link in links if link.get("/A", {}).get("/S") == "/GoTo"]
    within = [reader.get_page_number(link["/Dest"][0].get_object()) for link in links if "/Dest" in link]
    assert len(reader.pages) > 15 and "Adam" in titles and "Glossary" in titles
    assert jumps and not [a for a in links if str(a.get("/A", {}).get("/URI", "")).startswith(f"{site}/{CHAPTER}")]
    assert len(set(within)) > 10  # headings are found on their own pages
