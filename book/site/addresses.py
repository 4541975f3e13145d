"""What others see of the site: each page's address and preview, the root page, the sitemap, 404.html."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.config import Config

from book.course import has_address

CARD = "card.png"  # book/pages/pictures.py draws it
CARD_ALT = "Contour lines of a valley, and the paths of gradient descent, momentum and Adam through it"
_RELATIVE = re.compile(r'\b(href|src|action|data-content_root)="(?![a-z]+:|/|#)([^"]*)"')


def set_base_url(_app: Sphinx, config: Config) -> None:
    """Unless `html: baseurl` says otherwise, the site lives on the GitHub Pages of the repository."""
    if not config.html_baseurl:
        owner, name = config.html_theme_options["repository_url"].rstrip("/").split("/")[-2:]
        config.html_baseurl = f"https://{owner.lower()}.github.io/{name}/"


def hide_buttons(_app: Sphinx, config: Config) -> None:
    """While the repository has no address, no button leads there."""
    if not has_address():
        config.html_theme_options["launch_buttons"] = {}
        config.html_theme_options |= {f"use_{what}_button": False for what in ("repository", "issues", "edit_page")}


def address(app: Sphinx, docname: str) -> str:
    """A page's one address; the root page's is the site's."""
    base = app.config.html_baseurl.rstrip("/") + "/"
    return base if docname == app.config.root_doc else f"{base}{docname}.html"


def describe(doctree: nodes.document, limit: int = 160) -> str:
    """A page's first paragraph of plain words, for search engines and link previews."""
    whole = (p for p in doctree.findall(nodes.paragraph) if not isinstance(p.parent, nodes.list_item))
    plain = (p.astext() for p in whole if not any(p.findall(nodes.math)))
    text = " ".join(next((words for words in plain if len(words) > 50 and not words.startswith("Needs:")), "").split())
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " …"


def add_meta(app: Sphinx, docname: str, context: dict, doctree: nodes.document) -> None:
    """Description, address, and what a link to the page shows elsewhere."""
    site = app.config.html_title
    title = nodes.Text(context["title"]) if docname != app.config.root_doc else site
    title = html.unescape(re.sub(r"<[^>]+>", "", title))
    description = describe(doctree)
    if docname.startswith("exercises/"):  # they open with the same words
        description = f"{title}. {description}"
    picture = urljoin(address(app, app.config.root_doc), f"_static/{CARD}")
    context["pageurl"] = address(app, docname)  # the canonical link
    properties = {
        "og:type": "website" if docname == app.config.root_doc else "article",
        "og:site_name": site,
        "og:title": title,
        "og:description": description,
        "og:url": context["pageurl"],
        "og:image": picture,
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": CARD_ALT,
    }
    tags = [("name", "description", description), *(("property", key, text) for key, text in properties.items())]
    tags.append(("name", "twitter:card", "summary_large_image"))
    lines = [f'<meta {kind}="{key}" content="{html.escape(text)}" />' for kind, key, text in tags]
    context["metatags"] = "\n".join([context.get("metatags", ""), *lines])


def lost_page(app: Sphinx) -> Iterator[tuple[str, dict, str]]:
    """404.html: a search box and the table of contents."""
    if app.builder.format != "html":
        return
    lists = []
    for tree in app.env.get_doctree(app.config.root_doc).findall(addnodes.toctree):
        entries = ((title or app.env.titles[name].astext(), name) for title, name in tree["entries"])
        links = "".join(f'<li><a href="{name}.html">{html.escape(title)}</a></li>' for title, name in entries)
        lists.append(f"<h2>{html.escape(tree['caption'])}</h2><ul>{links}</ul>")
    body = f"""<h1>This page does not exist</h1>
<p>The address may have a typing error, or the page has moved. Search, or choose a page.</p>
<form class="lost-search" action="search.html" role="search">
<label for="lost-search">Search</label> <input id="lost-search" type="search" name="q" class="form-control" />
<button class="btn btn-outline-primary">Search</button></form>
<div class="lost-pages">{"".join(f"<section>{part}</section>" for part in lists)}</div>"""
    yield "404", {"title": "Page not found", "body": body}, "page.html"


def write_site_files(app: Sphinx) -> None:
    """The root page, the sitemap, and absolute links on 404.html, which hosts show at any depth."""
    site, base = Path(app.outdir), address(app, app.config.root_doc)
    (site / "index.html").write_bytes((site / f"{app.config.root_doc}.html").read_bytes())

    entries = "\n".join(f"<url><loc>{address(app, name)}</loc></url>" for name in sorted(app.env.found_docs))
    head = '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    (site / "sitemap.xml").write_text(f"{head}\n{entries}\n</urlset>\n", encoding="utf-8")
    (site / "robots.txt").write_text(f"User-agent: *\nAllow: /\nSitemap: {base}sitemap.xml\n", encoding="utf-8")

    lost = site / "404.html"
    root = urlsplit(base).path
    absolute = _RELATIVE.sub(lambda m: f'{m[1]}="{urljoin(root, m[2])}"', lost.read_text(encoding="utf-8"))
    lost.write_text(absolute, encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Connect what extension.py does not call itself."""
    app.connect("config-inited", set_base_url)
    app.connect("config-inited", hide_buttons)
    app.connect("html-collect-pages", lost_page)
