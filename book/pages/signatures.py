"""The public names of optcore with what they take: notebooks count on the names, and on each value that is left out."""

import inspect
import re
from pathlib import Path
from typing import Any

import optcore
from book.course import ROOT

PUBLIC = [name for name in dir(optcore) if not name.startswith("_")]
STORED = ROOT / "book" / "pages" / "signatures.txt"


def render() -> str:
    """A line for each public function, class and method, in order."""
    return "".join(f"{line}\n" for name in PUBLIC for line in _lines(name, getattr(optcore, name)))


def _lines(name: str, thing: Any) -> list[str]:
    error = isinstance(thing, type) and issubclass(thing, Exception)
    if error or not callable(thing) or not getattr(thing, "__module__", "").startswith("optcore"):
        return []
    methods = vars(thing).items() if isinstance(thing, type) else ()
    named = [(name, thing), *((f"{name}.{n}", f) for n, f in methods if inspect.isfunction(f) and n[0] != "_")]
    return [f"{n}{_parameters(f)}" for n, f in sorted(named, key=lambda pair: pair[0])]


def _parameters(f: Any) -> str:
    """What is taken, without types; functions that are values left out go by their names."""
    signature = inspect.signature(f)
    bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    text = str(signature.replace(parameters=bare, return_annotation=signature.empty))
    return re.sub(r"<(?:function|class) '?(\w+)[^>]*>", r"\1", text)


def stale() -> dict[Path, str]:
    """signatures.txt, if it is out of date."""
    text = render()
    return {} if STORED.is_file() and STORED.read_text(encoding="utf-8") == text else {STORED: text}
