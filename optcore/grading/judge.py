"""Compare outcomes with those of the reference and say, in one of four voices, what is the matter."""

import inspect
from typing import Any

import numpy as np

from .answer_key import Key
from .compare import a_kind
from .exercise import Exercise, Misconception
from .feedback import CORRECT, HINT, MISSING, WORKING, Feedback
from .run import Outcome
from .show import show_case


def refuse(exercise: Exercise, answer: Any) -> Feedback | None:
    """What is said about an answer that is not even worth running: nothing, a call's result, the wrong arguments."""

    def say(voice: str, text: str) -> Feedback:
        return Feedback(exercise.id, voice, text)

    name, template = exercise.name, exercise.template
    if answer is None or answer is Ellipsis or answer is NotImplemented:
        return say(MISSING, f"What you hand in is still empty ({answer}).")
    if template is ...:
        return say(WORKING, f"Hand in the value of `{name}`, not a function.") if callable(answer) else None
    kind = "class" if inspect.isclass(template) else "function"
    if not callable(answer) or (kind == "class" and not inspect.isclass(answer)):
        return say(
            WORKING, f'Hand in the {kind} itself, `oc.check("{exercise.id}", {name})`; this is {a_kind(answer)}.'
        )
    try:
        wanted, given = inspect.signature(template), inspect.signature(answer)
    except (TypeError, ValueError):  # some built-in functions do not tell
        return None
    needed = [p for p in wanted.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    named = [p.name for p in wanted.parameters.values() if p.kind is p.KEYWORD_ONLY]
    try:
        given.bind(*needed, **dict.fromkeys(named))
    except TypeError:
        return say(WORKING, f"`{name}` must take {wanted}; yours takes {given}.")
    return None


def judge(key: Key, outcomes: list[Outcome]) -> Feedback:
    """The feedback on an answer with these outcomes."""
    exercise, total = key.exercise, len(key.cases)

    def say(voice: str, text: str, case: str = "", misconception: Misconception | None = None) -> Feedback:
        return Feedback(exercise.id, voice, text, case, misconception)

    wrong = {
        i: difference
        for i, (expected, got) in enumerate(zip(key.expected, outcomes, strict=False))
        if (difference := key.difference(i, expected, got)) is not None
    }
    if not wrong and len(outcomes) == total:
        agree = f"All {total} cases agree." if total > 1 else "That is it."
        return say(CORRECT, f"{exercise.title}: {agree} {exercise.explanation}".strip())
    if not outcomes or key.alike(key.untouched, outcomes) or outcomes[0].error.startswith("NotImplementedError"):
        return _untouched(exercise, outcomes)

    at = min(wrong, key=lambda i: (_length(key.cases[i]), i))
    difference, got = wrong[at], outcomes[at]
    case = show_case(exercise, key.cases[at], difference, got)
    misconception = key.named(outcomes)
    if misconception is not None:
        return say(HINT, misconception.sentence, case, misconception)
    if difference.text:
        return say(difference.voice, difference.text, case)
    part = f"{difference.part} is not right" if difference.part else ""
    if total == 1:
        return say(WORKING, f"{part or 'Not yet'}.", case)
    agree = f"{total - len(wrong)} of {total} cases agree"
    return say(
        WORKING, f"{agree}{'; ' + part[0].lower() + part[1:] if part else ''}; the smallest that does not:", case
    )


def _untouched(exercise: Exercise, outcomes: list[Outcome]) -> Feedback:
    """What is said about an answer that behaves like the stub."""
    shown = next((outcome.printed.rstrip() for outcome in outcomes if outcome.printed.strip()), "")
    if exercise.kind == "bug hunt":
        text = f"`{exercise.name}` still does what the broken code does: the bug is not found yet."
    elif inspect.isclass(exercise.template):
        text = f"The methods of `{exercise.name}` are still empty."
    elif shown:
        text = f"`{exercise.name}` prints something and gives nothing back: what it finds has to be returned."
        return Feedback(exercise.id, MISSING, text, f"printed  {shown}")
    else:
        text = f"`{exercise.name}` gives nothing back yet: write its body, and end with `return`."
    return Feedback(exercise.id, MISSING, text)


def _length(value: Any) -> int:
    """How much there is to read in a plain value: its entries, and three times those with many digits."""
    if isinstance(value, list | tuple):
        return sum(map(_length, value))
    if isinstance(value, np.ndarray):
        return _length(value.ravel().tolist()) if value.size <= 24 else 3 * value.size
    return 3 if isinstance(value, float) and len(f"{value:.6g}") > 4 else 1
