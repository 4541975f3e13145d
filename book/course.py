"""What the repository says the book consists of: its notebooks, its pages, and the widgets on them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
GALLERY = ROOT / "gallery.ipynb"  # every widget on one page
SITE = ROOT / "_build" / "html"  # what `make book` builds
SAMPLE = [  # pages of every kind, for measurements that take long
    "index",
    "chapters/1-objective/1-from-data-to-a-loss-surface",
    "chapters/2-convexity/2-non-convex-landscapes",
    "chapters/4-adaptive-methods/2-adam",
    "gallery",
    "glossary",
]


def require_site() -> None:
    """Leave a program that measures the built site, when there is none, with a sentence that says what to do."""
    if not (SITE / "index.html").is_file():
        raise SystemExit("There is no built site; run: make book.")


def _files(node) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (node[key] for key in ("root", "file") if key in node)
        for value in node.values():
            yield from _files(value)
    elif isinstance(node, list):
        for item in node:
            yield from _files(item)


def pages() -> list[str]:
    """Every page of the book, in the order of _toc.yml, without suffix."""
    return list(_files(yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))))


def notebooks(folder: str = "chapters") -> list[Path]:
    """The notebooks of the book below a folder."""
    return [path for page in pages() if page.startswith(f"{folder}/") and (path := ROOT / f"{page}.ipynb").is_file()]


def docname(path: Path) -> str:
    """What Sphinx calls the page of a notebook: its path from the root, without the suffix.

    >>> docname(GALLERY)
    'gallery'
    """
    return path.relative_to(ROOT).with_suffix("").as_posix()


def title(path: Path) -> str:
    """The first heading of a notebook."""
    return next(line[2:] for cell in load(path)["cells"] for line in source(cell).splitlines() if line.startswith("# "))


def repository() -> tuple[str, str]:
    """Address and branch of the repository, from the one place that states them."""
    stated = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["repository"]
    return stated["url"].rstrip("/"), stated["branch"]


def has_address() -> bool:
    """Whether the repository has an address: until it is published, _config.yml says OWNER."""
    return "/OWNER/" not in repository()[0]


def number(path: Path) -> str:
    """The number of a notebook: chapters/3-gradient-descent/1-the-update.ipynb is "3.1"."""
    return f"{path.parent.name.split('-')[0]}.{path.name.split('-')[0]}"


def load(path: Path) -> dict:
    """A notebook as it is stored."""
    return json.loads(path.read_text(encoding="utf-8"))


def stored(nb: dict) -> str:
    """A notebook's text in its file, with keys in the order that they had."""
    return json.dumps(nb, indent=1, ensure_ascii=False) + "\n"


def source(cell: dict) -> str:
    """A cell's text."""
    return "".join(cell["source"])


def text_outputs(cell: dict) -> str:
    """What a cell wrote, and its results as text."""
    outputs = cell.get("outputs", [])
    return "\n".join("".join(o.get("text", "")) + "".join(o.get("data", {}).get("text/plain", "")) for o in outputs)


def html_outputs(cell: dict) -> str:
    """The text/html outputs of a cell, joined."""
    return "\n".join("".join(output.get("data", {}).get("text/html", "")) for output in cell.get("outputs", []))


def stored_html(path: Path) -> str:
    """The text/html outputs stored in a notebook, joined."""
    return "\n".join(map(html_outputs, load(path)["cells"]))


def widgets_on(page: str) -> list[str]:
    """The kinds of the widgets of a page, one by one: those its notebook stores, or its text takes from a notebook."""
    notebook = ROOT / f"{page}.ipynb"
    if notebook.is_file():
        return re.findall(r'<div class="oc-widget[^>]*data-oc="([^"]*)"', stored_html(notebook))
    return re.findall(r"^```\{stored-widget\} \S+ (\w+)", (ROOT / f"{page}.md").read_text(encoding="utf-8"), re.M)
