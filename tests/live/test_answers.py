"""What the page's Python says about an answer: what `oc.check` says, or where the code stops."""

import json

import pytest

import optcore as oc
from book.live.answers import said
from optcore.grading.catalogue import exercises

GD = next(exercise for exercise in exercises() if exercise.id == "gradient-descent/gd")
CHECK = f'oc.check("{GD.id}", {GD.name})'


def ask(code, before=(), check=CHECK):
    return json.loads(repr(said(json.dumps([[*before], code, check]))))


@pytest.mark.parametrize("wrong", [GD.template, *(m.wrong for m in GD.misconceptions)])
def test_it_says_what_check_says(wrong, monkeypatch):
    monkeypatch.setattr(oc, "handed_in", wrong, raising=False)
    feedback = oc.check(GD.id, wrong)
    assert not feedback
    assert ask(f"{GD.name} = oc.handed_in") == {"voice": feedback.voice, "text": feedback.text, "case": feedback.case}


@pytest.mark.parametrize(
    "code, line, words",
    [
        ("x = 1\nx +", 2, "Python cannot read line 2"),
        ("def f():\n    return 1 / 0\n\nf()", 2, "`return 1 / 0`, with ZeroDivisionError"),
        ("import no_such_module", 1, "with ModuleNotFoundError"),
        ("raise SystemExit", 1, "with SystemExit"),
        ("", None, f"NameError: name '{GD.name}' is not defined"),
    ],
)
def test_where_code_stops_a_sentence_names_the_line(code, line, words):
    answer = ask(code)
    assert answer["voice"] == "Error" and words in answer["text"] and answer.get("line") == line


def test_what_stands_above_may_help_and_cannot_harm(capsys):
    helped = f"{GD.name} = helper(1)"
    helper = f"{GD.solution}\ndef helper(_):\n    return {GD.name}\nprint('above')"
    assert ask(helped)["text"].endswith("NameError: name 'helper' is not defined.")
    assert ask(helped, ["1 / 0", "x +", helper, "raise SystemExit"])["voice"] == "Correct"
    assert ask(GD.stub, [helper])["voice"] == "Still missing"
    assert capsys.readouterr().out == ""


def test_each_check_begins_afresh(capsys):
    assert ask(f"{GD.solution}\nlater = 1\nprint('here')")["voice"] == "Correct"
    assert capsys.readouterr().out == "here\n"
    assert "name 'later'" in ask("later")["text"]


def test_a_line_is_named_in_the_code_that_was_checked_last():
    assert ask("x = 1\ndef gradient_descent(*_):\n    pass\ny")["line"] == 4
    text = ask("def gradient_descent(grad, w0, lr, steps):\n    return missing")["text"]
    assert "line 2 of gradient_descent: `return missing`" in text
