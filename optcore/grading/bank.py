"""The quizzes as question banks of an LMS: `python -m optcore.grading.bank moodle questions.xml --only 3.1 3.2`.

`moodle` writes Moodle XML (docs.moodle.org, "Moodle XML format"), `qti` a zip in 1EdTech's QTI 2.1 with an item for
each question. Each option keeps its explanation as feedback. Formulas stay TeX for Moodle, whose pages show `\\(…\\)`,
and become MathML in QTI.
"""

import argparse
import html
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement, fromstring, indent, register_namespace, tostring

from optcore.widgets.quiz import load_quiz, markup, quizzes

from .report import printable

QTI, MATHML = "http://www.imsglobal.org/xsd/imsqti_v2p1", "http://www.w3.org/1998/Math/MathML"
PACKAGE = "http://www.imsglobal.org/xsd/imscp_v1p1"


def chosen(names: list[str]) -> dict[str, list[dict]]:
    """The questions of these notebooks, all for none. Raises ValueError for a notebook without a quiz."""
    return {name: load_quiz(name) for name in names or quizzes()}


# --- Moodle -----------------------------------------------------------------------------------------------------------


def moodle(bank: dict[str, list[dict]]) -> bytes:
    """Moodle XML: a category for each notebook."""
    quiz = Element("quiz")
    for notebook, questions in bank.items():
        category = SubElement(SubElement(quiz, "question", type="category"), "category")
        SubElement(category, "text").text = f"$course$/top/Optimization for Deep Learning/{notebook}"
        for question in questions:
            quiz.append(_moodle_question(notebook, question))
    return _xml(quiz)


def _moodle_question(notebook: str, question: dict[str, Any]) -> Element:
    number = question["kind"] == "number"
    made = Element("question", type="numerical" if number else "multichoice")
    SubElement(SubElement(made, "name"), "text").text = f"{notebook} {question['id']}"
    _moodle_text(made, "questiontext", question["text"])
    _moodle_text(made, "generalfeedback", question.get("why", ""))
    for name, value in (("defaultgrade", "1"), ("penalty", "0"), ("hidden", "0")):
        SubElement(made, name).text = value
    if number:
        tolerance = question.get("tolerance", 1e-6)
        _moodle_answer(made, "100", repr(question["answer"]), "", tolerance)
        for trap in question.get("traps", []):
            _moodle_answer(made, "0", repr(trap["value"]), trap["why"], tolerance)
        return made
    options = question["options"]
    for name, value in (
        ("single", str(question["kind"] == "one").lower()),
        ("shuffleanswers", "true"),
        ("answernumbering", "abc"),
    ):
        SubElement(made, name).text = value
    right = sum(option["right"] for option in options)
    for option in options:
        wrong = "0" if question["kind"] == "one" else f"{-100 / max(1, len(options) - right):.7g}"
        _moodle_answer(made, f"{100 / right:.7g}" if option["right"] else wrong, option["text"], option["why"])
    return made


def _moodle_answer(question: Element, fraction: str, text: str, why: str, tolerance: float | None = None) -> None:
    answer = SubElement(
        question, "answer", fraction=fraction, format="html" if tolerance is None else "moodle_auto_format"
    )
    SubElement(answer, "text").text = text if tolerance is not None else tex(text)
    _moodle_text(answer, "feedback", why)
    if tolerance is not None:
        SubElement(answer, "tolerance").text = repr(tolerance)


def _moodle_text(parent: Element, name: str, text: str) -> None:
    SubElement(SubElement(parent, name, format="html"), "text").text = f"<p>{tex(text)}</p>" if text else ""


def tex(text: str) -> str:
    r"""The little Markdown of the questions as HTML in which formulas are TeX between `\(` and `\)`.

    >>> print(tex("**Not** `a < b` but $a<b$"))
    <strong>Not</strong> <code>a &lt; b</code> but \(a&lt;b\)
    """
    parts = re.split(r"(\$[^$]+\$)", text)
    formula = lambda part: rf"\({html.escape(part[1:-1], quote=False)}\)"
    return "".join(formula(part) if len(part) > 2 and part[0] == "$" else markup(part) for part in parts)


# --- QTI --------------------------------------------------------------------------------------------------------------


def write_qti(path: Path, bank: dict[str, list[dict]]) -> None:
    """A content package: a manifest and an item for each question."""
    items = {_identifier(name, q["id"]): qti_item(name, q) for name, questions in bank.items() for q in questions}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("imsmanifest.xml", qti_manifest(list(items)))
        for identifier, item in items.items():
            archive.writestr(f"items/{identifier}.xml", item)


def _identifier(*parts: str) -> str:
    return "q-" + re.sub(r"[^A-Za-z0-9_-]", "-", "-".join(parts))


def qti_manifest(identifiers: list[str]) -> bytes:
    """The list of the items in the package."""
    manifest = Element(f"{{{PACKAGE}}}manifest", identifier="optcore-questions")
    metadata = SubElement(manifest, f"{{{PACKAGE}}}metadata")
    SubElement(metadata, f"{{{PACKAGE}}}schema").text = "QTIv2.1 Package"
    SubElement(metadata, f"{{{PACKAGE}}}schemaversion").text = "1.0.0"
    SubElement(manifest, f"{{{PACKAGE}}}organizations")
    resources = SubElement(manifest, f"{{{PACKAGE}}}resources")
    for one in identifiers:
        what = {"identifier": one, "type": "imsqti_item_xmlv2p1", "href": f"items/{one}.xml"}
        SubElement(SubElement(resources, f"{{{PACKAGE}}}resource", what), f"{{{PACKAGE}}}file", href=what["href"])
    return _xml(manifest)


def qti_item(notebook: str, question: dict[str, Any]) -> bytes:
    """One question as an assessment item: what is right, what is shown, what is said to each answer."""
    number = question["kind"] == "number"
    item = _tag(
        None, "assessmentItem", identifier=_identifier(notebook, question["id"]),
        title=printable(f"{notebook} {question['id']}"), adaptive="false", timeDependent="false",
    )  # fmt: skip
    options = [] if number else [(f"option{i}", one) for i, one in enumerate(question["options"], 1)]
    right = [repr(question["answer"])] if number else [name for name, one in options if one["right"]]
    cardinality = "multiple" if question["kind"] == "many" else "single"
    response = _tag(
        item, "responseDeclaration", identifier="RESPONSE", cardinality=cardinality,
        baseType="float" if number else "identifier",
    )  # fmt: skip
    correct = _tag(response, "correctResponse")
    for value in right:
        _tag(correct, "value").text = value
    _tag(item, "outcomeDeclaration", identifier="SCORE", cardinality="single", baseType="float")
    _tag(item, "outcomeDeclaration", identifier="FEEDBACK", cardinality="multiple", baseType="identifier")
    body = _tag(item, "itemBody")
    if number:
        _content(body, "p", question["text"])
        _tag(_tag(body, "p"), "textEntryInteraction", responseIdentifier="RESPONSE", expectedLength="12")
    else:
        most = "1" if question["kind"] == "one" else "0"
        asked = _tag(body, "choiceInteraction", responseIdentifier="RESPONSE", shuffle="true", maxChoices=most)
        _content(asked, "prompt", question["text"])
        for name, one in options:
            _content(asked, "simpleChoice", one["text"], identifier=name)
    _processing(item, question)
    for name, why in _feedback(question, options):
        said = _tag(item, "modalFeedback", outcomeIdentifier="FEEDBACK", identifier=name, showHide="show")
        _content(said, "p", why)
    return _xml(item)


def _feedback(question: dict[str, Any], options: list[tuple[str, dict]]) -> Iterator[tuple[str, str]]:
    if question["kind"] != "number":
        yield from ((name, one["why"]) for name, one in options)
        return
    yield "right", question["why"]
    yield from ((f"trap{i}", trap["why"]) for i, trap in enumerate(question.get("traps", []), 1))


def _processing(item: Element, question: dict[str, Any]) -> None:
    """What the answer earns and which feedback it shows."""
    rules = _tag(item, "responseProcessing")
    if question["kind"] == "number":
        tolerance = question.get("tolerance", 1e-6)
        values = [("right", question["answer"])]
        values += [(f"trap{i}", trap["value"]) for i, trap in enumerate(question.get("traps", []), 1)]
        condition = _tag(rules, "responseCondition")
        for name, value in values:
            branch = _tag(condition, "responseIf" if name == "right" else "responseElseIf")
            near = _tag(branch, "equal", toleranceMode="absolute", tolerance=f"{tolerance!r} {tolerance!r}")
            _tag(near, "variable", identifier="RESPONSE")
            _tag(near, "baseValue", baseType="float").text = repr(value)
            _set(branch, "SCORE", "float", "1" if name == "right" else "0")
            _set(_tag_multiple(branch, "FEEDBACK"), "", "identifier", name)
        return
    branch = _tag(_tag(rules, "responseCondition"), "responseIf")
    same = _tag(branch, "match")
    _tag(same, "variable", identifier="RESPONSE")
    _tag(same, "correct", identifier="RESPONSE")
    _set(branch, "SCORE", "float", "1")
    value = _tag(rules, "setOutcomeValue", identifier="FEEDBACK")
    _tag(_tag(value, "multiple"), "variable", identifier="RESPONSE")


def _set(parent: Element, outcome: str, base: str, value: str) -> None:
    into = _tag(parent, "setOutcomeValue", identifier=outcome) if outcome else parent
    _tag(into, "baseValue", baseType=base).text = value


def _tag_multiple(parent: Element, outcome: str) -> Element:
    return _tag(_tag(parent, "setOutcomeValue", identifier=outcome), "multiple")


def _tag(parent: Element | None, name: str, **attributes: str) -> Element:
    made = Element(f"{{{QTI}}}{name}", attributes)
    if parent is not None:
        parent.append(made)
    return made


def _content(parent: Element, name: str, text: str, **attributes: str) -> None:
    """An element with the question's Markdown as its content; formulas are MathML."""
    inside = fromstring(f'<{name} xmlns="{QTI}">{markup(text)}</{name}>')
    for key, value in attributes.items():
        inside.set(key, value)
    parent.append(inside)


def _xml(root: Element) -> bytes:
    register_namespace("", PACKAGE if PACKAGE in root.tag else QTI)
    register_namespace("m", MATHML)
    if root.tag == "quiz":
        indent(root)
    return tostring(root, encoding="utf-8", xml_declaration=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m optcore.grading.bank", description="The quizzes for an LMS.")
    parser.add_argument("kind", choices=["moodle", "qti"], help="Moodle's own XML, or QTI for others")
    parser.add_argument("path", type=Path, help="the file that is written")
    parser.add_argument("--only", nargs="+", default=[], metavar="NOTEBOOK", help='such as "3.1" (default: all)')
    asked = parser.parse_args()
    try:
        bank = chosen(asked.only)
    except (ValueError, FileNotFoundError) as error:
        sys.exit(f"error: {error}")
    if asked.kind == "moodle":
        asked.path.write_bytes(moodle(bank))
    else:
        write_qti(asked.path, bank)
    print(f"{sum(map(len, bank.values()))} questions: {asked.path}")


if __name__ == "__main__":
    main()
