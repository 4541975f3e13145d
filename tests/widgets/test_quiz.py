"""Quiz data: the schema's faults are named, texts become HTML, and the page grades as the data says."""

import json
import sys

import pytest

from optcore.widgets.base import HERE
from optcore.widgets.quiz import Quiz, check_questions, load_quiz, markup, quiz, quizzes

ONE = {
    "id": "gd-step", "kind": "one", "text": "Which $\\eta$?",
    "options": [
        {"text": "$0.1$", "right": True, "why": "Below $2/L$."}, {"text": "9", "right": False, "why": "Too large."},
    ],
}  # fmt: skip
MANY = {
    "id": "many", "kind": "many", "text": "Which hold?",
    "options": [
        {"text": "a", "right": True, "why": "A."}, {"text": "b", "right": True, "why": "B."},
        {"text": "c", "right": False, "why": "C."},
    ],
}  # fmt: skip
NUMBER = {
    "id": "number", "kind": "number", "text": "One step?", "answer": 1.8, "why": "2 − 0.1·2.",
    "traps": [{"value": 2.2, "why": "You went uphill."}],
}  # fmt: skip
QUESTIONS = [ONE, MANY, NUMBER]


def test_good_questions_pass():
    assert check_questions(QUESTIONS, "quiz") == QUESTIONS


@pytest.mark.parametrize(
    "change, message",
    [
        ({"kind": "guess"}, "kind 'guess'"),
        ({"text": ""}, "needs 'text'"),
        ({"options": ONE["options"][:1]}, "at least two options"),
        ({"options": [{"text": "a", "right": True}, *ONE["options"]]}, "without 'text', 'why' or 'right'"),
        ({"options": [{**o, "right": True} for o in ONE["options"]]}, "has 2 right options"),
        ({"options": [{**o, "right": False} for o in ONE["options"]]}, "has 0 right options"),
        ({"kind": "number", "answer": "1.8"}, "needs 'answer', a number"),
        ({"kind": "number", "answer": 1.8}, "needs 'why'"),
        ({"kind": "number", "answer": 1.8, "why": "x", "traps": [{"value": 1}]}, "a trap without"),
        ({"kind": "number", "answer": 1.8, "why": "x", "traps": [{"value": 1, "why": "y"}, {}]}, "a trap without"),
    ],
)
def test_each_fault_is_named_in_one_sentence(change, message):
    with pytest.raises(ValueError, match=message) as caught:
        check_questions([{**ONE, **change}], "quiz 3.1")
    assert str(caught.value).startswith("quiz 3.1, question 'gd-step'") and "\n" not in str(caught.value)


def test_ids_are_unique_and_lists_not_empty():
    with pytest.raises(ValueError, match="another question has"):
        check_questions([ONE, ONE], "quiz")
    with pytest.raises(ValueError, match="at least one question"):
        check_questions([], "quiz")


def test_loading_names_the_missing_quiz(tmp_path, monkeypatch):
    file = tmp_path / "quizzes.json"
    file.write_text(json.dumps({"3.1": QUESTIONS}))
    monkeypatch.setattr(sys.modules[Quiz.__module__], "_file_of", lambda chapter: file)
    drawn = {q["id"]: q for q in load_quiz("3.1")}
    assert list(drawn) == [q["id"] for q in QUESTIONS]
    assert drawn["gd-step"] == {**ONE, "options": ONE["options"][::-1]}  # the order that its name draws
    assert repr(quiz("3.1")) == "Quiz(3.1; 3 questions)"
    with pytest.raises(ValueError, match=r"no quiz '3.2'; quizzes.json has: 3.1"):
        load_quiz("3.2")
    file.write_text("{")
    with pytest.raises(ValueError, match="is not JSON"):
        load_quiz("3.1")


def test_every_quiz_of_the_course_follows_the_schema():
    files = sorted((HERE.parent.parent / "chapters").glob("*/quizzes.json"))
    notebooks = [name for file in files for name in json.loads(file.read_text(encoding="utf-8"))]
    assert notebooks and len(set(notebooks)) == len(notebooks)
    assert quizzes() == notebooks
    for name in notebooks:
        assert len(load_quiz(name)) >= 1
        assert "<math" in quiz(name).html() or "$" not in str(load_quiz(name))


def test_markup_escapes_and_sets_maths():
    assert markup("a < b & **c**") == "a &lt; b &amp; <strong>c</strong>"
    assert markup("`x < 1`") == "<code>x &lt; 1</code>"
    assert markup(r"$\eta$").startswith("<math") and "&#x003B7;" in markup(r"$\eta$") or "η" in markup(r"$\eta$")


def test_without_scripts_every_option_is_explained():
    html = Quiz("3.1", QUESTIONS).still_html()
    assert html.count("<details>") == 3
    assert all(text in html for text in ("Right: A.", "Wrong: C.", "1.8. 2 − 0.1·2."))


# ---------------------------------------------------------------------------------------------------- in the page


def status(page):
    return page.locator("output").text_content()


def test_one_choice_is_graded_and_explained(open_page):
    page = open_page(Quiz("3.1", QUESTIONS))
    assert page.locator("fieldset legend").count() == 1
    page.get_by_role("button", name="Check").click()
    page.wait_for_function("document.querySelector('output').textContent.includes('Choose an option first')")
    page.get_by_label("9").check()
    page.get_by_role("button", name="Check").click()
    page.get_by_text("Wrong (your choice). Too large.").wait_for()
    assert page.locator(".oc-why").count() == 2
    assert "Score: 0 right of 1 answered" in status(page)
    page.get_by_role("button", name="Try again").click()
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Check").click()
    page.wait_for_function("document.querySelector('output').textContent.includes('Score: 1 right of 1')")
    assert page.get_by_role("button", name="Question 1, right").count() == 1


def test_keyboard_alone_answers_the_whole_quiz(open_page):
    page = open_page(Quiz("3.1", QUESTIONS))
    page.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.textContent === 'Next question'")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.textContent.includes('Question 2')")
    for _ in range(2):
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.textContent === 'Next question'")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.textContent.includes('Question 3')")
    page.keyboard.press("Tab")
    page.keyboard.type("1,8")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('output').textContent.includes('Score: 3 right of 3')")


def test_a_trap_is_named_and_other_numbers_are_told_the_answer(open_page):
    page = open_page(Quiz("3.1", [NUMBER]))
    page.get_by_label("Your answer").fill("2.2")
    page.keyboard.press("Enter")
    page.get_by_text("Wrong: the answer is 1.8. You went uphill.").wait_for()
    page.get_by_role("button", name="Try again").click()
    page.get_by_label("Your answer").fill("many")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('output').textContent.includes('Type a number first')")


def test_reset_starts_over(open_page):
    page = open_page(Quiz("3.1", QUESTIONS))
    page.get_by_role("radio").first.check()
    page.get_by_role("button", name="Check").click()
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function("document.querySelector('output').textContent.includes('0 right of 0')")
    assert not page.get_by_role("radio").first.is_checked()
