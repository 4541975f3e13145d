"""The kinds of exercise that the author's interface has to express, each tried with a right and a wrong answer."""

import numpy as np
import pytest

from optcore.grading import Exercise, Misconception, choice, moments, take
from optcore.grading.answer_key import Key, draw_cases, run_all
from optcore.grading.feedback import CORRECT, HINT, MISSING, WORKING
from optcore.grading.judge import judge, refuse


def feedback_on(exercise, answer, seed=0):
    key = Key(exercise, draw_cases(exercise, seed))
    refused = refuse(exercise, answer)
    return refused if refused is not None else judge(key, run_all(exercise, answer, key.cases))


def an_exercise(**fields):
    return Exercise(**{"id": "objective/x", "notebook": "1.1", "title": "X", "statement": "Do it.", **fields})


# --- classes ----------------------------------------------------------------------------------------------------------


class Counter:
    def __init__(self, start):
        self.count = start

    def add(self, step):
        self.count += step
        return self.count


class Forgetful(Counter):
    def add(self, step):
        return self.count + step


def count(cls, start, steps):
    counter = cls(start)
    return [counter.add(step) for step in steps], counter.count


COUNTER = an_exercise(
    stub="""
        class Counter:
            def __init__(self, start):
                ...

            def add(self, step):
                ...""",
    reference=Counter,
    probe=count,
    cases=lambda rng: [(1, [2, 3])],
    misconceptions=[Misconception(Forgetful, "The sum is returned but not remembered.")],
)


def test_a_class_is_driven_by_its_probe():
    assert feedback_on(COUNTER, Counter).voice == CORRECT
    assert feedback_on(COUNTER, Forgetful).misconception is COUNTER.misconceptions[0]
    assert repr(feedback_on(COUNTER, COUNTER.template)) == "Still missing. The methods of `Counter` are still empty."


def test_a_class_is_asked_for_and_an_instance_or_function_refused():
    assert "Hand in the class itself" in feedback_on(COUNTER, Counter(1)).text
    assert "Hand in the class itself" in feedback_on(COUNTER, lambda start: Counter(start)).text


def test_an_error_in_a_method_shows_the_method():
    class Broken(Counter):
        def add(self, step):
            return self.total + step

    said = feedback_on(COUNTER, Broken).text
    assert "in line 2 of Broken.add: `return self.total + step`" in said


# --- random numbers ---------------------------------------------------------------------------------------------------


def weights(fan_in, fan_out, rng):
    return rng.normal(0, np.sqrt(2 / fan_in), (fan_in, fan_out))


WEIGHTS = an_exercise(
    stub="def weights(fan_in, fan_out, rng):\n    ...",
    reference=weights,
    rtol=0.1,
    cases=lambda rng: [(100, 200, int(rng.integers(1 << 32))), (200, 100, int(rng.integers(1 << 32)))],
    probe=lambda f, fan_in, fan_out, seed: f(fan_in, fan_out, np.random.default_rng(seed)),
    summary=moments,
    also_right=[lambda fan_in, fan_out, rng: rng.standard_normal((fan_in, fan_out)) * np.sqrt(2 / fan_in)],
    misconceptions=[
        Misconception(
            lambda fan_in, fan_out, rng: rng.normal(0, 2 / fan_in, (fan_in, fan_out)), "That is the variance."
        ),
        Misconception(lambda fan_in, fan_out, rng: weights(fan_in, fan_out, rng).T, "Transposed."),
        Misconception(
            lambda fan_in, fan_out, rng: rng.uniform(-1, 1, (fan_in, fan_out)) * np.sqrt(6 / fan_in), "Uniform."
        ),
        Misconception(lambda fan_in, fan_out, rng: np.abs(weights(fan_in, fan_out, rng)), "All positive."),
    ],
)


@pytest.mark.parametrize("seed", range(20))
def test_draws_are_compared_by_their_statistics(seed):
    assert feedback_on(WEIGHTS, weights, seed)
    assert feedback_on(WEIGHTS, WEIGHTS.also_right[0], seed)
    for misconception in WEIGHTS.misconceptions:
        assert feedback_on(WEIGHTS, misconception.wrong, seed).misconception is misconception


def test_the_statistic_that_is_off_is_named():
    said = feedback_on(WEIGHTS, lambda fan_in, fan_out, rng: 1.5 * weights(fan_in, fan_out, rng))
    assert said.text == "Not right: the std."
    assert "expected  0.14" in said.case and "got       0.21" in said.case


def test_what_cannot_be_summarised_is_still_answered():
    assert feedback_on(WEIGHTS, lambda fan_in, fan_out, rng: "normal").text == (
        "The result is a piece of text, expected an array."
    )
    assert feedback_on(WEIGHTS, lambda fan_in, fan_out, rng: None).voice == MISSING


# --- generators -------------------------------------------------------------------------------------------------------


def minibatches(n, b, rng):
    order = rng.permutation(n)
    for i in range(0, n, b):
        yield order[i : i + b]


def cover(batches, n, b, seed):
    return {"sizes": [len(batch) for batch in batches], "indices": np.sort(np.concatenate(batches))}


BATCHES = an_exercise(
    stub="def minibatches(n, b, rng):\n    ...",
    reference=minibatches,
    cases=lambda rng: [(5, 2, 0), (64, 16, 1)],
    probe=lambda f, n, b, seed: take(f(n, b, np.random.default_rng(seed)), 1000),
    summary=cover,
)


def endless(n, b, rng):
    while True:
        yield np.arange(b)


def test_generators_are_compared_by_what_they_cover():
    assert feedback_on(BATCHES, minibatches)
    assert feedback_on(BATCHES, lambda n, b, rng: list(minibatches(n, b, np.random.default_rng(7))))
    assert feedback_on(BATCHES, lambda n, b, rng: list(minibatches(n, b, rng))[:-1]).voice == MISSING
    assert not feedback_on(BATCHES, endless)


# --- values, choices, bug hunts ---------------------------------------------------------------------------------------

LARGEST = an_exercise(
    kind="measure",
    stub="for lr in (0.1, 1.0):\n    print(lr)\n\nlargest = ...",
    reference=0.02,
    rtol=0.02,
    misconceptions=[Misconception(0.01, "That is 1/L.")],
    explanation="It is 2/L.",
)


def test_a_measured_value_is_right_within_its_band():
    assert repr(feedback_on(LARGEST, 0.0201)) == "Correct. X: That is it. It is 2/L."
    assert feedback_on(LARGEST, 0.0101).text == "That is 1/L."
    assert feedback_on(LARGEST, ...).voice == MISSING
    assert feedback_on(LARGEST, 0.03).voice == WORKING
    assert "0.02\n" not in repr(feedback_on(LARGEST, 0.03))
    assert feedback_on(LARGEST, "0.02").text == "The result is a piece of text, expected a number."
    assert feedback_on(LARGEST, lambda: 0.02).text == "Hand in the value of `largest`, not a function."


WHY = choice(
    {"a": ("It diverges.", "Beyond 2/L it does."), "b": ("It stalls.", "Look at the last ten points.")},
    "a",
    id="objective/why",
    notebook="1.1",
    title="Why",
    statement="What happens?",
    name="why",
    code="print(1)",
)


def test_a_choice_may_be_indented_like_the_code_around_it():
    indented = choice(
        {"a": ("Yes.", "It is so."), "b": ("No.", "It is not so.")},
        "a",
        id="gradient-descent/x",
        notebook="3.1",
        title="X",
        name="x",
        statement="""
                          Which?""",
        code="""
                          for k in range(2):
                              print(k)
                          """,
    )
    assert indented.stub.splitlines()[:2] == ["for k in range(2):", "    print(k)"]
    assert indented.statement.splitlines()[0] == "Which?" and indented.name == "x"


def test_a_choice_explains_the_option_that_was_taken():
    assert WHY.stub == 'print(1)\n\nwhy = ...        # "a" or "b"'
    assert WHY.statement.endswith("- **a** It stalls.\n- **b** It diverges.")
    assert repr(feedback_on(WHY, " B")) == "Correct. Why: That is it. Beyond 2/L it does."
    assert repr(feedback_on(WHY, "a")) == "Hint. Look at the last ten points."
    assert repr(feedback_on(WHY, "z")) == "Keep working. Not yet."


def twice(x):
    return 2 * x


HUNT = an_exercise(
    kind="bug hunt",
    stub="def twice(x):\n    return 2 + x",
    reference=twice,
    cases=lambda rng: [(2.0,), (3.0,)],
    misconceptions=[Misconception(lambda x: x**2, "A square.")],
)


def test_in_a_bug_hunt_the_broken_code_is_not_taken_for_an_attempt():
    assert feedback_on(HUNT, twice)
    assert feedback_on(HUNT, HUNT.template).text == (
        "`twice` still does what the broken code does: the bug is not found yet."
    )
    assert feedback_on(HUNT, lambda x: x + 2).voice == MISSING
    assert feedback_on(HUNT, lambda x: x * x).voice == HINT


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="unknown kind 'essay'; known are implement, measure, explain, bug hunt"):
        an_exercise(kind="essay", stub="x = ...", reference=1)


def test_several_results_are_named_by_the_stub():
    stub = 'def square(x):\n    """(J, dJ/dx) of a square."""'
    known = an_exercise(stub=stub, reference=lambda x: (x**2, 2 * x), cases=lambda rng: [(3.0,)])
    assert known.results == ["J", "dJ/dx"]
    assert "Result 2 of 2, dJ/dx" in feedback_on(known, lambda x: (x**2, np.zeros(2))).text
