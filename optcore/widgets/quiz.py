"""`quiz("3.1")`: the questions of a notebook, kept as data beside it in `quizzes.json`.

One question at a time; every option is explained once it was answered. A question is an object with
`id`, `kind` ("one", "many" or "number"), `text` (Markdown's `**`, `` ` `` and `$…$`) and

- one, many: `options`, each `{"text", "right": true or false, "why"}`, in any order: readers get another one;
- number: `answer`, `tolerance` (absolute, default 1e-6), `why`, and `traps`, a list of `{"value", "why"}`.
"""

import html
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from ..drawn import drawn_order
from ..support import explains
from .allowed import table
from .base import HERE, Setting, Widget

__all__ = ["Quiz", "load_quiz", "quiz"]


def _file_of(chapter: str) -> Path:
    """The chapter's questions: inside the wheel, or beside the notebooks of a clone."""
    packed = HERE.parent / "quizzes" / f"{chapter}.json"
    if packed.exists():
        return packed
    found = sorted((HERE.parent.parent / "chapters").glob(f"{chapter}-*/quizzes.json"))
    if not found:
        raise FileNotFoundError(f"There is no quiz file for chapter {chapter}.")
    return found[0]


def quizzes() -> list[str]:
    """The notebooks that have a quiz, in teaching order."""
    files = [_file_of(str(chapter)) for chapter in range(1, 9)]
    return [notebook for file in files for notebook in json.loads(file.read_text(encoding="utf-8"))]


def load_quiz(notebook: str) -> list[dict]:
    """The checked questions of a notebook such as "3.1"; raises ValueError that names the question and the fault."""
    file = _file_of(str(notebook).partition(".")[0])
    try:
        quizzes = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{file.name} is not JSON: {error}.") from None
    if str(notebook) not in quizzes:
        raise ValueError(f"There is no quiz '{notebook}'; {file.name} has: {', '.join(quizzes)}.")
    return [_shuffled(q, notebook) for q in check_questions(quizzes[str(notebook)], f"quiz {notebook}")]


def _shuffled(question: dict, notebook: str) -> dict:
    """The question with its options in the order that its name draws: the same on the site, in Lab and in a bank."""
    if "options" not in question:
        return question
    return {**question, "options": drawn_order(question["options"], f"{notebook}/{question['id']}")}


def check_questions(questions: Any, where: str) -> list[dict]:
    """`questions` when each follows the schema above, else a ValueError in one sentence."""
    if not isinstance(questions, list) or not questions:
        raise ValueError(f"{where} needs a list of at least one question.")
    seen: set[str] = set()
    for number, q in enumerate(questions, 1):
        fault = _fault(q)
        if fault is None and q["id"] in seen:
            fault = "has an id that another question has"
        if fault:
            name = f"'{q['id']}'" if isinstance(q, dict) and "id" in q else str(number)
            raise ValueError(f"{where}, question {name} {fault}.")
        seen.add(q["id"])
    return questions


def _fault(q: Any) -> str | None:
    if not isinstance(q, dict):
        return "is not an object"
    for key in ("id", "kind", "text"):
        if not isinstance(q.get(key), str) or not q[key]:
            return f"needs '{key}', a text"
    if q["kind"] == "number":
        numbers = {"answer": q.get("answer"), "tolerance": q.get("tolerance", 1e-6)}
        for key, v in numbers.items():
            if isinstance(v, bool) or not isinstance(v, (int, float)):
                return f"needs '{key}', a number"
        if not q.get("why"):
            return "needs 'why', the explanation of its answer"
        if not all(isinstance(t.get("value"), (int, float)) and t.get("why") for t in q.get("traps", [])):
            return "has a trap without 'value' or 'why'"
        return None
    if q["kind"] not in ("one", "many"):
        return f"has the kind '{q['kind']}'; it must be one, many or number"
    options = q.get("options")
    if not isinstance(options, list) or len(options) < 2:
        return "needs at least two options"
    for option in options:
        if not (option.get("text") and option.get("why") and isinstance(option.get("right"), bool)):
            return "has an option without 'text', 'why' or 'right' (true or false)"
    right = sum(option["right"] for option in options)
    if right == 0 or (q["kind"] == "one" and right > 1):
        return f"has {right} right options"
    return None


@cache
def markup(text: str) -> str:
    """The little Markdown of the questions as HTML; `$…$` becomes MathML.

    >>> markup("**Not** `a < b`")
    '<strong>Not</strong> <code>a &lt; b</code>'
    """
    parts = re.split(r"(\$[^$]+\$|`[^`]+`)", text)
    return "".join(_piece(part) for part in parts)


def _piece(part: str) -> str:
    if len(part) > 2 and part[0] == part[-1] == "$":
        return _math(part[1:-1])
    if len(part) > 2 and part[0] == part[-1] == "`":
        return f"<code>{html.escape(part[1:-1])}</code>"
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", html.escape(part, quote=False))


def _math(tex: str) -> str:
    try:
        from latex2mathml.converter import convert
    except ImportError:  # the TeX source can still be read
        return f"<code>{html.escape(tex)}</code>"
    return convert(tex).replace("<math ", f'<math alttext="{html.escape(_spoken(tex))}" ', 1)


def _spoken(tex: str) -> str:
    r"""A formula as words for a screen reader.

    >>> _spoken(r"\eta < \frac{2}{L}")
    'eta < (2)/(L)'
    """
    tex = re.sub(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}", r"(\1)/(\2)", tex)
    return re.sub(r"[{}$]|\\(?=[a-zA-Z])|\\.", "", tex).strip()


def _prepared(q: dict) -> dict:
    """A question as the page needs it: its texts as HTML."""
    ready = {**q, "text": markup(q["text"]), "why": markup(q.get("why", ""))}
    if q["kind"] == "number":
        ready["tolerance"] = q.get("tolerance", 1e-6)
        ready["traps"] = [{**t, "why": markup(t["why"])} for t in q.get("traps", [])]
    else:
        ready["options"] = [{**o, "text": markup(o["text"]), "why": markup(o["why"])} for o in q["options"]]
    return ready


class Quiz(Widget):
    """The questions of one notebook. `answers` maps question ids to what the reader chose or typed."""

    name = "quiz"
    tall = ("21rem", "23rem")
    answers = Setting("Question id -> chosen options (by number, from 0) or the number typed.", table())

    def __init__(self, notebook: str, questions: list[dict]):
        prepared = [_prepared(q) for q in questions]
        super().__init__(
            spec={"title": f"Quiz {notebook}", "questions": prepared},
            value={"at": 0, "answers": {}, "done": []},
            label=f"Quiz({notebook}; {len(questions)} questions)",
            summary=f"A quiz of {len(questions)} questions.",
        )

    def still_html(self) -> str:
        """Without scripts the quiz is a list, each answer behind a disclosure."""
        return "<ol>" + "".join(_still_question(q) for q in self.spec["questions"]) + "</ol>"


def _still_question(q: dict) -> str:
    if q["kind"] == "number":
        choices, why = "", f"<p>{q['answer']}. {q['why']}</p>"
    else:
        choices = "<ul>" + "".join(f"<li>{o['text']}</li>" for o in q["options"]) + "</ul>"
        verdicts = [f"<li>{'Right' if o['right'] else 'Wrong'}: {o['why']}</li>" for o in q["options"]]
        why = "<ul>" + "".join(verdicts) + "</ul>"
    return f"<li>{q['text']}{choices}<details><summary>Answer</summary>{why}</details></li>"


@explains
def quiz(notebook: str) -> Quiz:
    """The quiz of a notebook, for instance `quiz("3.1")`.

    Raises ValueError when the notebook has no quiz, or its questions do not follow the schema.
    """
    return Quiz(str(notebook), load_quiz(notebook))
