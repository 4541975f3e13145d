"""The quizzes as question banks: by their schemas, whole, formulas and explanations as they were."""

import html
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from lxml import etree

from optcore.grading import bank
from optcore.widgets.quiz import load_quiz, quizzes

HERE = Path(__file__).parent
QUESTIONS = [(notebook, question) for notebook in quizzes() for question in load_quiz(notebook)]
NS = {"q": bank.QTI, "m": bank.MATHML, "c": bank.PACKAGE}


def schema(name):
    return etree.RelaxNG(etree.parse(HERE / name))


def explanations(question):
    if question["kind"] == "number":
        return [question["why"], *(trap["why"] for trap in question.get("traps", []))]
    return [option["why"] for option in question["options"]]


def formulas(question):
    texts = [question["text"], *explanations(question), *(option["text"] for option in question.get("options", []))]
    return [formula for text in texts for formula in re.findall(r"\$([^$]+)\$", text)]


@pytest.fixture(scope="module")
def moodle():
    return etree.fromstring(bank.moodle(bank.chosen([])))


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    path = tmp_path_factory.mktemp("qti") / "questions.zip"
    bank.write_qti(path, bank.chosen([]))
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_there_are_questions_of_every_kind_and_formulas():
    assert len(QUESTIONS) > 100 and {q["kind"] for _, q in QUESTIONS} == {"one", "many", "number"}
    assert sum(len(formulas(q)) for _, q in QUESTIONS) > 300


def test_moodle_xml_keeps_to_its_schema(moodle):
    rules = schema("moodle.rng")
    assert rules.validate(moodle), rules.error_log.last_error
    moodle_copy = etree.fromstring(etree.tostring(moodle))
    moodle_copy.find(".//answer").set("fraction", "30.5")
    assert not rules.validate(moodle_copy)


def test_moodle_xml_is_in_lines_and_no_space_comes_into_the_texts_of_qti(package):
    lines = bank.moodle(bank.chosen(["1.1"])).decode().splitlines()
    assert len(lines) > 100 and lines[1].startswith("<quiz") and lines[2].startswith("  <question")
    items = [text for name, text in package.items() if name.startswith("items/")]
    assert len(items) == len(QUESTIONS) and not any(b">\n  <" in text for text in items)


def test_moodle_has_every_question_with_its_explanations_and_formulas(moodle):
    made = [one for one in moodle if one.get("type") != "category"]
    assert len(made) == len(QUESTIONS)
    for element, (notebook, question) in zip(made, QUESTIONS, strict=True):
        assert element.findtext("name/text") == f"{notebook} {question['id']}"
        texts = "\n".join(text.text or "" for text in element.iter("text"))
        found = re.findall(r"\\\((.*?)\\\)", texts)
        assert sorted(map(html.unescape, found)) == sorted(formulas(question))
        assert "$" not in texts.replace(r"\$", "")
        said = [f"<p>{bank.tex(why)}</p>" for why in explanations(question)]
        given = [
            text.text for text in (*element.iterfind("answer/feedback/text"), element.find("generalfeedback/text"))
        ]
        assert set(said) <= set(given)
        fractions = [float(answer.get("fraction")) for answer in element.iterfind("answer")]
        if question["kind"] == "number":
            assert (fractions[0], float(element.findtext("answer/text"))) == (100, question["answer"])
            assert float(element.findtext("answer/tolerance")) == question.get("tolerance", 1e-6)
        else:
            marks = [element.findtext(name) for name in ("single", "shuffleanswers", "answernumbering")]
            assert marks == [str(question["kind"] == "one").lower(), "true", "abc"]
            assert sum(f for f in fractions if f > 0) == pytest.approx(100, abs=1e-3)
            assert [f > 0 for f in fractions] == [option["right"] for option in question["options"]]
            assert sum(f for f in fractions if f < 0) == pytest.approx(-100 * (question["kind"] == "many"), abs=1e-3)


def test_every_qti_item_keeps_to_its_schema_and_the_manifest_lists_it(package):
    rules = schema("qti.rng")
    items = {name: content for name, content in package.items() if name.startswith("items/")}
    assert len(items) == len(QUESTIONS)
    for name, content in items.items():
        assert rules.validate(etree.fromstring(content)), (name, rules.error_log.last_error)
    broken = etree.fromstring(content)
    broken.append(broken.find("q:responseDeclaration", NS))
    assert not rules.validate(broken)
    manifest = etree.fromstring(package["imsmanifest.xml"])
    assert {one.get("href") for one in manifest.iterfind(".//c:resource", NS)} == set(items)
    assert len({one.get("identifier") for one in manifest.iterfind(".//c:resource", NS)}) == len(items)


def test_qti_has_every_question_with_its_explanations_and_formulas(package):
    for notebook, question in QUESTIONS:
        item = etree.fromstring(bank.qti_item(notebook, question))
        assert len(item.findall(".//m:math", NS)) == len(formulas(question))
        assert all(math.get("alttext") and len(math) for math in item.iterfind(".//m:math", NS))
        assert len(item.findall("q:modalFeedback", NS)) == len(explanations(question))
        declared = item.find("q:responseDeclaration", NS)
        assert declared.get("cardinality") == ("multiple" if question["kind"] == "many" else "single")
        right = [value.text for value in item.iterfind("q:responseDeclaration/q:correctResponse/q:value", NS)]
        if question["kind"] == "number":
            assert [float(value) for value in right] == [question["answer"]]
            assert len(item.findall(".//q:equal", NS)) == 1 + len(question.get("traps", []))
        else:
            options = [one.get("identifier") for one in item.iterfind(".//q:simpleChoice", NS)]
            asked = item.find(".//q:choiceInteraction", NS)  # 0: as many as one likes
            assert (asked.get("maxChoices"), asked.get("shuffle")) == (
                {"one": "1", "many": "0"}[question["kind"]],
                "true",
            )
            assert [one in right for one in options] == [option["right"] for option in question["options"]]
            assert options == [one.get("identifier") for one in item.iterfind("q:modalFeedback", NS)]


def test_the_command_writes_the_notebooks_that_are_named(tmp_path):
    run = lambda *words: subprocess.run(
        [sys.executable, "-m", "optcore.grading.bank", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    done = run("moodle", "q.xml", "--only", "3.1")
    assert done.stdout == f"{len(load_quiz('3.1'))} questions: q.xml\n"
    done = run("qti", "q.zip", "--only", "3.7")
    assert done.returncode == 1 and done.stderr.startswith("error: There is no quiz '3.7'")
