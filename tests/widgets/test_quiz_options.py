"""Neither its place nor its length tells the right option of a question."""

import math
import re
from collections import Counter

from optcore.widgets.quiz import load_quiz, quizzes

ONE = [q for notebook in quizzes() for q in load_quiz(notebook) if q["kind"] == "one"]


def length(option):
    """Characters that are seen, formulas without their commands."""
    return len(re.sub(r"\\[a-zA-Z]+|[$\\{}`*^_]", "", option["text"]))


def right_place(question):
    return next(k for k, option in enumerate(question["options"]) if option["right"])


def by_chance(seen, chances):
    """Whether a count is within 2.5 standard deviations of what independent chances give."""
    expected, deviation = sum(chances), math.sqrt(sum(p * (1 - p) for p in chances))
    return abs(
        seen - expected
    ) < 2.5 * deviation, f"{seen} of {len(chances)}, {expected:.0f} ± {deviation:.0f} by chance"


def test_there_are_as_many_questions_and_options_as_that_takes():
    assert len(ONE) >= 115
    assert min(len(q["options"]) for q in ONE) >= 3
    assert all(len({option["text"] for option in q["options"]}) == len(q["options"]) for q in ONE)


def test_the_right_option_stands_anywhere():
    places = Counter(right_place(q) for q in ONE)
    for place in range(4):
        fits, found = by_chance(places[place], [(place < len(q["options"])) / len(q["options"]) for q in ONE])
        assert fits, f"place {place + 1}: {found}"
    last = sum(right_place(q) == len(q["options"]) - 1 for q in ONE)
    fits, found = by_chance(last, [1 / len(q["options"]) for q in ONE])
    assert fits, f"last: {found}"


def test_the_right_option_is_neither_the_longest_nor_the_shortest():
    for name, extreme in (("longest", max), ("shortest", min)):
        seen = 0.0
        for q in ONE:
            lengths = [length(option) for option in q["options"]]
            if lengths[right_place(q)] == extreme(lengths):
                seen += 1 / lengths.count(extreme(lengths))
        fits, found = by_chance(seen, [1 / len(q["options"]) for q in ONE])
        assert fits, f"{name}: {found}"


def test_the_order_is_the_same_each_time():
    again = [q for notebook in quizzes() for q in load_quiz(notebook) if q["kind"] == "one"]
    assert again == ONE
