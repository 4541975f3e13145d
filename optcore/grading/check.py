"""The reader's side of the exercises: `check` an answer, ask for a `hint`, see the `solution`."""

from typing import Any

from .answer_key import key, run_all
from .catalogue import find
from .feedback import Feedback
from .judge import judge, refuse
from .progress import note


def check(exercise: str, answer: Any) -> Feedback:
    """Say what is right or wrong with an answer to an exercise.

    >>> check("gradient-descent/gd", lambda grad, w0, lr, steps: None)
    Still missing. `gradient_descent` gives nothing back yet: write its body, and end with `return`.
    """
    if not isinstance(exercise, str):
        raise TypeError("check takes the exercise's name, then the answer: check('gradient-descent/gd', answer).")
    known = find(exercise)
    feedback = refuse(known, answer)
    if feedback is None:
        its_key = key(known.id)
        feedback = judge(its_key, run_all(its_key.exercise, answer, its_key.cases))
    note(known.id, attempts=1, **({"solved": True} if feedback else {}))
    return feedback


class Text(str):
    """A text that a notebook shows as it is, without quotes."""

    def __repr__(self) -> str:
        return str(self)


def hint(exercise: str, step: int = 1) -> Text:
    """The next nudge: `hint(id)`, then `hint(id, 2)`, and so on.

    >>> print(hint("gradient-descent/contraction").splitlines()[-1])
    The next one: oc.hint("gradient-descent/contraction", 2)

    Raises ValueError for a step that there is not.
    """
    known = find(exercise)
    if not 1 <= step <= len(known.hints):
        raise ValueError(f"{known.id} has hints 1 to {len(known.hints)}, not {step}.")
    note(known.id, hints=1)
    more = (
        f'The next one: oc.hint("{known.id}", {step + 1})'
        if step < len(known.hints)
        else f'That was the last one. After it: oc.solution("{known.id}", i_have_tried=True)'
    )
    return Text(f"{known.hints[step - 1]}\n{more}")


def solution(exercise: str, i_have_tried: bool = False) -> Text:
    """The solution's source text, for those who say that they have tried.

    >>> solution("gradient-descent/contraction")
    Try first; hints come in small steps: oc.hint("gradient-descent/contraction")
    To see the solution all the same: oc.solution("gradient-descent/contraction", i_have_tried=True)
    """
    known = find(exercise)
    if not i_have_tried:
        return Text(
            f'Try first; hints come in small steps: oc.hint("{known.id}")\n'
            f'To see the solution all the same: oc.solution("{known.id}", i_have_tried=True)'
        )
    note(known.id, looked=True)
    return Text(known.solution.rstrip())
