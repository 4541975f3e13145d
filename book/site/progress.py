"""What there is to do on each page, for the script that remembers what was done (book/assets/progress.js)."""

import json
import re
from pathlib import Path

from sphinx.application import Sphinx

from book.course import docname, notebooks, number, stored_html, title
from optcore.grading.catalogue import CHAPTERS, chapter
from optcore.grading.notebooks import file_name
from optcore.widgets.quiz import load_quiz


def course(root: Path) -> list[dict]:
    """For each page of a chapter its questions, for each page of exercises its exercises, in order.

    >>> [page["page"] for page in course(Path("."))][3]
    'exercises/1-objective'
    """
    lessons: dict[str, list[dict]] = {}
    for path in notebooks():
        name, which = docname(path), number(path)
        questions = [question["id"] for question in load_quiz(which)]
        lesson = {"page": name, "title": f"{which} {title(path)}", "quiz": questions}
        goals = stored_html(path).count('"goal":{"text"')  # of the widgets
        lessons.setdefault(which[0], []).append(lesson | {"goals": goals})
    found = []
    for name in CHAPTERS:
        path = root / "exercises" / file_name(name)
        exercises = {"page": f"exercises/{path.stem}", "title": title(path)}
        found += [*lessons.get(path.name[0], []), exercises | {"exercises": [one.id for one in chapter(name)]}]
    return found


def write_course(app: Sphinx, exception: Exception | None) -> None:
    """_static/course.js: one global, ocCourse."""
    if exception or app.builder.format != "html":
        return
    text = json.dumps(course(Path(app.srcdir)), ensure_ascii=False, separators=(",", ":"))
    text = re.sub(r'"(page|title|quiz|goals|exercises)":', r"\1:", text)
    Path(app.outdir, "_static", "course.js").write_text(f"globalThis.ocCourse={text};\n", encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Called by extension.py."""
    app.add_js_file("course.js", priority=510)  # after the store
    app.add_js_file("progress.js", priority=700)  # after the widgets' scripts, before page.js mounts them
    app.add_js_file("front.js", priority=710)
    app.add_js_file("your-progress.js", priority=910)
    app.connect("build-finished", write_course)
