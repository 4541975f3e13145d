"""Exercises that name the bug: `check`, `hint`, `solution`, `progress`, and a grader for classes (`__main__`)."""

from .check import check, hint, solution
from .exercise import Exercise, Misconception, choice, moments, take
from .progress import progress

__all__ = ["Exercise", "Misconception", "check", "choice", "hint", "moments", "progress", "solution", "take"]
