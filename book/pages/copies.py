"""What is stated once and also stands in files that cannot look it up: addresses and the version."""

import re
from pathlib import Path

import optcore
from book.course import ROOT, pages, repository

WORKFLOW = ROOT / "exercises" / "github-classroom.yml"
PROJECT = ROOT / "pyproject.toml"
CITATION = ROOT / "CITATION.cff"
ADDRESSES = ROOT / "book" / "site" / "addresses.txt"


def with_addresses(text: str) -> str:
    """The list of addresses with those of new pages: others may link to the old ones, which therefore stay."""
    head, old = text.split("\n", 1)
    return "\n".join([head, *sorted({*old.split(), *(f"{page}.html" for page in pages())})]) + "\n"


def stale() -> dict[Path, str]:
    """The files whose copies are out of date."""
    before = {path: path.read_text(encoding="utf-8") for path in (WORKFLOW, PROJECT, CITATION, ADDRESSES)}
    url, branch = repository()
    after = {
        WORKFLOW: re.sub(r"git\+[^\s\"]+", f"git+{url}@{branch}", before[WORKFLOW]),
        PROJECT: re.sub(r'^Repository = ".*"$', f'Repository = "{url}"', before[PROJECT], flags=re.MULTILINE),
        CITATION: re.sub(r"^version: .*$", f"version: {optcore.__version__}", before[CITATION], flags=re.MULTILINE),
        ADDRESSES: with_addresses(before[ADDRESSES]),
    }
    return {path: text for path, text in after.items() if text != before[path]}
