"""What a beginner may hand in, and the sentence that comes back."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

import optcore as oc
from book.course import ROOT
from optcore.grading.answer_key import Key, draw_cases, key, run_all
from optcore.grading.catalogue import exercises, find
from optcore.grading.compare import compare
from optcore.grading.exercise import Exercise
from optcore.grading.feedback import HINT, MISSING, WORKING
from optcore.grading.judge import judge
from optcore.grading.run import Outcome, plain
from optcore.grading.show import show

right = find("gd").reference


def with_a_slip(grad, w0, lr, steps):
    history = [w0]
    for _ in range(steps):
        history.append(history[-1] - lr * grd(history[-1]))  # noqa: F821
    return history


def raising(error):
    def answer(grad, w0, lr, steps):
        raise error

    return answer


def swallowing(grad, w0, lr, steps):
    while True:
        try:
            grad(w0)
        except:  # noqa: E722
            return w0


def endless(grad, w0, lr, steps):
    while True:
        w0 = w0 - lr * grad(w0)


HANDED_IN = {
    "nothing": (None, MISSING, "What you hand in is still empty (None)."),
    "dots": (..., MISSING, "What you hand in is still empty (Ellipsis)."),
    "the stub": (find("gd").template, MISSING, "gives nothing back yet"),
    "NotImplementedError": (raising(NotImplementedError()), MISSING, "gives nothing back yet"),
    "NotImplemented": (lambda grad, w0, lr, steps: NotImplemented, MISSING, "gives nothing back yet"),
    "a number": (
        3,
        WORKING,
        'Hand in the function itself, `oc.check("gradient-descent/gd", gradient_descent)`; this is a number.',
    ),
    "a string": ("gradient_descent", WORKING, "this is a piece of text"),
    "a call's result": (np.zeros((3, 1)), WORKING, "this is an array of shape (3, 1)"),
    "too few arguments": (lambda grad, w0: w0, WORKING, "must take (grad, w0, lr, steps); yours takes (grad, w0)"),
    "an exception": (
        with_a_slip,
        WORKING,
        "in line 4 of with_a_slip: `history.append(history[-1] - "
        "lr * grd(history[-1])) # noqa: F821` with NameError: name 'grd'",
    ),
    "an exit": (raising(SystemExit()), WORKING, "ends the whole program"),
    "a list": (lambda *case: list(right(*case)), WORKING, "The numbers are right, but the result is a list"),
    "a list of lists": (lambda *case: right(*case).tolist(), WORKING, "turn it into an array with `np.array`"),
    "ragged lists": (lambda *case: [[1.0], [1.0, 2.0]], WORKING, "rows of different lengths"),
    "a wrong shape": (lambda *case: right(*case)[:, :, None], WORKING, "has shape (3, 1, 1), expected (3, 1)"),
    "one number": (lambda *case: 1.0, WORKING, "is one number, expected an array of shape (3, 1)"),
    "nan": (lambda *case: right(*case) * np.nan, WORKING, "contains nan where a number is expected"),
    "a text back": (lambda *case: "done", WORKING, "is a piece of text, expected an array"),
    "a dict back": (lambda *case: {"w": 1}, WORKING, "is a dict, expected an array"),
    "an object back": (lambda *case: object(), WORKING, "gives back an object of type object"),
    "objects in an array": (lambda *case: np.array([object()]), WORKING, "an array of objects instead of numbers"),
    "complex numbers": (lambda *case: right(*case) + 0j, WORKING, "an array of complex128 instead of numbers"),
    "a huge array": (lambda *case: np.zeros(1 << 21), WORKING, "an array of shape (2097152,), far larger than"),
    "too much memory": (lambda *case: np.empty(10**15), WORKING, "Unable to allocate"),
    "deep recursion": (lambda *case: HANDED_IN["deep recursion"][0](*case), WORKING, "RecursionError"),
    "plain wrong": (lambda *case: right(*case) + 1, WORKING, "0 of 4 cases agree"),
}


@pytest.mark.parametrize("what", HANDED_IN)
def test_everything_that_is_handed_in_gets_a_sentence(what):
    answer, voice, sentence = HANDED_IN[what]
    feedback = oc.check("gd", answer)
    assert feedback.voice == voice
    assert sentence in feedback.text
    assert "Traceback" not in repr(feedback) and "optcore/" not in repr(feedback)


UNLIKE = [
    None,
    1.0,
    (1.0,),
    (1.0, 2.0),
    (1.0, 2.0, 3.0),
    np.ones(2),
    np.ones((2, 1)),
    (np.ones((2, 2)), np.ones(2)),
    {},
    "a",
]


@pytest.mark.parametrize("exercise", [e for e in exercises() if e.template is not ...], ids=lambda e: e.id)
def test_results_of_any_shape_get_a_sentence(exercise):
    """A forgotten return, a part too few, a matrix beside a vector: no check ends in a traceback."""
    its_key = key(exercise.id)
    for value in UNLIKE:
        outcomes = [Outcome(plain(value)) for _ in its_key.cases]
        for given in (outcomes, [replace(outcome, value=[value, value]) for outcome in outcomes]):
            assert judge(its_key, given).text


def test_the_result_that_is_wrong_is_named():
    def exponential(w, b, x, y, delta):
        e = w * x + b - y
        cost = np.where(abs(e) <= delta, e**2, 2 * delta * abs(e) - delta**2)
        return np.mean(cost), np.sum(np.exp(e)), 0.0

    assert oc.check("huber-and-grad", exponential).text == (
        "0 of 4 cases agree; result 2 of 3, dJ/dw, is not right; the smallest that does not:"
    )


def test_what_is_printed_instead_of_returned_is_shown():
    feedback = oc.check("contraction", lambda mu, L, lr: print("rate", 1 - lr * mu))
    assert feedback.voice == MISSING and "prints something and gives nothing back" in feedback.text
    assert feedback.case == "printed  rate 0.9801980198019802"


def test_an_error_that_cannot_be_read_is_an_error_all_the_same():
    class Worse(BaseException):
        def __str__(self):
            raise ValueError

    assert "with Worse: (its message cannot be read: ValueError)" in oc.check("gd", raising(Worse())).text


def test_a_slip_that_no_misconception_names_is_named_all_the_same():
    said = oc.check("contraction", lambda mu, L, lr: max(abs(1 - lr * mu), abs(1 + lr * L)))
    assert said.voice == HINT and said.text == (
        "Your results are those of a solution in which a plus stands where a minus belongs."
    )
    nobody = oc.check("contraction", lambda mu, L, lr: np.exp(mu) + L**3)
    assert nobody.voice == WORKING and nobody.misconception is None


def test_an_input_that_was_written_into_is_named():
    def mutating(f, grad, w, c):
        lr = find("backtracking").reference(f, grad, w, c)
        w *= 2
        return lr

    assert oc.check("backtracking", mutating).text == (
        "Your answer writes into its input `w`, which the caller still needs: make a copy first."
    )


@pytest.mark.parametrize("answer", [endless, swallowing])
def test_an_endless_loop_is_stopped(answer):
    feedback = oc.check("gd", answer)
    assert not feedback
    if answer is endless:
        assert feedback.text == "Your code was stopped after 2 s: does every loop come to an end?"


def test_an_endless_loop_is_stopped_outside_the_main_thread_too():
    said = []
    thread = threading.Thread(target=lambda: said.append(oc.check("gd", endless)))
    thread.start()
    thread.join(6)
    assert said[0].text.startswith("Your code was stopped")


def test_the_keyboard_still_interrupts():
    with pytest.raises(KeyboardInterrupt):
        oc.check("gd", raising(KeyboardInterrupt()))


def test_a_check_leaves_alarm_and_warnings_as_they_were(capsys, recwarn):
    import signal

    before = signal.getsignal(signal.SIGALRM)
    oc.check("gd", lambda grad, w0, lr, steps: print("here") or right(grad, w0, lr, steps) / np.zeros(1))
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    assert capsys.readouterr().out == "" and not recwarn.list


def test_what_the_answer_printed_is_shown_with_the_failing_case():
    feedback = oc.check("gd", lambda grad, w0, lr, steps: print("lr is", lr) or right(grad, w0, lr, steps) + 1)
    assert feedback.case.endswith("printed  lr is 0.1")
    flood = oc.check("gd", lambda grad, w0, lr, steps: print("x" * 10**6) or right(grad, w0, lr, steps) + 1)
    assert len(flood.case) < 1000


def test_a_failing_case_is_small_and_shows_inputs_expected_and_got():
    assert (
        repr(oc.check("gd", lambda grad, w0, lr, steps: right(grad, w0, -lr, steps)))
        == """\
Hint. You walk uphill: the gradient points to where f grows, and the step goes the other way.
  called with grad(w) = A @ w - b
  A =      [[2.]]
  b =      [2.]
  w0 =     [2.]
  lr =     0.1
  steps =  2
  expected [[2.  ],
            [1.8 ],
            [1.64]]
  got      [[2.  ],
            [2.2 ],
            [2.44]]"""
    )


def test_where_rounding_hides_the_difference_its_size_is_shown():
    feedback = oc.check("gd", lambda *case: right(*case) * (1 + 1e-7))
    assert feedback.case.endswith("apart by 2e-07")


def test_feedback_is_true_only_when_correct_and_escapes_its_html():
    assert oc.check("gd", right) and not oc.check("gd", None)
    html = oc.check("gd", lambda *case: "<script>")._repr_html_()
    assert "&lt;script&gt;" in html and "<script>" not in html
    assert "<code>grad</code>" not in html and html.startswith('<div class="oc-feedback"')


@pytest.mark.parametrize(
    "expected, got, sentence",
    [
        ((1.0, np.zeros(2)), 1.0, "is a number, but 2 results are asked for."),
        ((1.0, np.zeros(2)), (1.0, None), "Result 2 of 2 is missing"),
        ((1.0, 2.0, 3.0), np.ones(5), "is an array of shape (5,), but 3 results are asked for."),
        ([np.ones(2)], [1.0], "Entry 1 of 1 is one number, expected an array of shape (2,)."),
        (([np.ones(2)], 2.0), ([1.0], 2.0), "Entry 1 of result 1 of 2 is one number"),
        ([1.0], 1.0, "is a number, but 1 result is asked for."),
        (1 / 3 * np.ones(2), (1 / 3 * np.ones(2)).astype(np.float32), "right to the digits of float32"),
        ((1.0, np.zeros(2)), (1.0,), "The result has 1 part, expected 2."),
        (([1.0], 2.0), ([None], 2.0), "Entry 1 of result 1 of 2 is missing"),
        (1.0, np.ones(1), "is an array of shape (1,), expected one number"),
        (1.0, [1.0], "is a list, expected one number"),
        (1.0, "1", "is a piece of text, expected a number"),
        ("saddle", 1, "is a number, expected a piece of text"),
        ({"mean": 0.0}, {"mean": 1.0}, "Not right: the mean."),
        ({"mean": 0.0}, {}, "The mean is missing"),
        (None, 1.0, "is a number, expected nothing"),
    ],
)
def test_differences_in_words(expected, got, sentence):
    assert sentence in compare(expected, got, 1e-9, 1e-12).text


@pytest.mark.parametrize(
    "expected, got",
    [
        (1.0, np.float64(1.0)),
        (1.0, np.array(1.0)),
        (np.inf, np.inf),
        (np.nan, np.nan),
        (True, True),
        (1.0, 1),
        ("saddle", " Saddle"),
        ((1.0, 2.0), [1.0, 2.0]),
        ([np.ones(2)] * 2, np.ones((2, 2))),
        (None, None),
    ],
)
def test_what_counts_as_equal(expected, got):
    assert compare(expected, got, 1e-9, 1e-12) is None


@pytest.mark.parametrize(
    "expected, got",
    [
        (1.0, 1 + 1e-8),
        (0.0, 1e-11),
        (5, 6),
        (True, False),
        (np.arange(3), np.array([0, 1, 3])),
        (np.inf, -np.inf),
        ("saddle", "minimum"),
        (1.0, np.nan),
    ],
)
def test_what_counts_as_different(expected, got):
    assert compare(expected, got, 1e-9, 1e-12) is not None


def test_integers_are_compared_exactly_whatever_the_tolerance():
    assert compare(100, 101, 0.5, 0.5) is not None
    assert compare(100.0, 101, 0.5, 0.5) is None


def test_values_are_shown_short():
    assert show(np.arange(1000.0)) == "[  0.,   1., ..., 998., 999.]"
    assert show(list(range(9))) == "[0, 1, 2, 3, 4, 5, …]"
    assert show(np.arange(24)).count(",") == 23 and "..." in show(np.arange(25))
    assert show(list(range(6))) == "[0, 1, 2, 3, 4, 5]"
    assert show({"a": 1 / 3, "b": (True, "x")}) == "a 0.333333, b (True, 'x')"


# --- hints, solution, progress ----------------------------------------------------------------------------------------


def test_hints_come_in_steps():
    assert oc.hint("gd").endswith('The next one: oc.hint("gradient-descent/gd", 2)')
    assert oc.hint("gd", 3).endswith('oc.solution("gradient-descent/gd", i_have_tried=True)')
    with pytest.raises(ValueError, match="hints 1 to 3, not 4"):
        oc.hint("gd", 4)


def test_the_solution_needs_a_deliberate_word():
    assert "history" not in oc.solution("gd")
    assert oc.solution("gd", i_have_tried=True).startswith("def gradient_descent(grad, w0, lr, steps):")
    assert repr(oc.solution("gd", True)) == str(oc.solution("gd", True))


def test_progress_is_kept_in_one_file(progress_file):
    assert "  0 of " in repr(oc.progress())
    oc.check("gd", None)
    oc.check("gd", right)
    oc.check("gd", None)  # once solved, it stays solved
    oc.hint("gd")
    assert json.loads(progress_file.read_text()) == {"gradient-descent/gd": {"attempts": 3, "solved": True, "hints": 1}}
    assert "1 of " in repr(oc.progress()) and "gradient-descent/contraction" in repr(oc.progress())
    assert "value='1'" in oc.progress()._repr_html_()
    assert [path.name for path in progress_file.parent.iterdir()] == [progress_file.name]


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'{"gradient-descent/gd": 3}'])
def test_a_broken_progress_file_counts_as_empty(progress_file, content):
    progress_file.write_bytes(content)
    assert oc.check("gd", right)
    assert json.loads(progress_file.read_text())["gradient-descent/gd"]["solved"] is True


def test_progress_may_be_off_or_impossible(monkeypatch, tmp_path):
    monkeypatch.setenv("OPTCORE_PROGRESS", "off")
    assert oc.check("gd", right)
    monkeypatch.setenv("OPTCORE_PROGRESS", str(tmp_path / "no" / "such" / "folder.json"))
    assert oc.check("gd", right)
    assert list(tmp_path.iterdir()) == []


def test_neither_tests_nor_stored_outputs_count_as_attempts():
    code = "import os; print(os.environ.get('OPTCORE_PROGRESS'))"
    for module in ("tests.conftest", "book.commands.run_notebooks"):
        done = subprocess.run(
            [sys.executable, "-c", f"import {module}; {code}"],
            cwd=ROOT,
            text=True,
            check=True,
            capture_output=True,
            env={**os.environ, "OPTCORE_PROGRESS": ""},
        )
        assert done.stdout == "off\n"


def test_a_check_needs_nothing_but_numpy():
    """No plotting, no widgets, no side files: what a fresh Colab or a script has."""
    code = (
        "import sys, optcore as oc; print(oc.check('gd', None)); "
        "print(sorted({'matplotlib', 'sklearn', 'joblib', 'tqdm', 'anywidget'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OPTCORE_PROGRESS": "off"},
    )
    assert done.stdout == "Still missing. What you hand in is still empty (None).\n[]\n"


def test_fewer_parts_than_asked_for_are_missing_and_more_are_wrong():
    assert compare((1.0, 2.0), (1.0,), 1e-9, 1e-12).voice == MISSING
    assert compare((1.0, 2.0), (1.0, 2.0, 3.0), 1e-9, 1e-12).voice == WORKING


def test_a_letter_that_is_no_option_does_not_reveal_the_right_one():
    said = [oc.check(exercise.id, "?") for exercise in exercises() if exercise.kind == "explain"]
    assert len(said) >= 8
    assert [one for one in said if one or "expected" in str(one)] == []


def test_on_a_slow_machine_an_answer_may_take_as_long_as_it_does(monkeypatch):
    """The time of the reference counts, not the clock alone: here it needs more than the exercise's seconds."""

    def slow(x):
        time.sleep(0.05)
        return x

    exercise = Exercise(
        id="x/slow", notebook="1.1", title="Slow", statement="", stub="def slow(x):\n    ...", reference=slow,
        cases=lambda rng: [(1.0,), (2.0,)], seconds=0.01,
    )  # fmt: skip
    its_key = Key(exercise, draw_cases(exercise, 0))
    assert judge(its_key, run_all(its_key.exercise, lambda x: slow(x), its_key.cases))
    endless = judge(its_key, run_all(its_key.exercise, lambda x: time.sleep(100), its_key.cases))
    assert "was stopped after" in endless.text


def test_the_case_that_is_shown_is_the_shortest_to_read():
    """Entries count, those with many digits three times, and so do all of a large array."""
    short = [np.arange(30.0), np.full(3, 1 / 3), np.arange(8.0)]
    for first, second in zip(short, short[1:], strict=False):
        exercise = Exercise(
            id="x/sum", notebook="1.1", title="Sum", statement="", stub="def total(x):\n    ...", reference=np.sum,
            cases=lambda rng, first=first, second=second: [(first,), (second,)],
        )  # fmt: skip
        key = Key(exercise, draw_cases(exercise, 0))
        said = judge(key, run_all(exercise, lambda x: np.sum(x) + 0.37, key.cases))
        assert said.case.splitlines()[0].endswith(f" {show(second)}")
