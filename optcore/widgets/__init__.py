"""Widgets that live in the page, in JupyterLab and in Colab: see `base.py` and `common.js` for how one is made."""

from .base import Setting, Widget
from .quiz import Quiz, load_quiz, quiz

__all__ = ["Quiz", "Setting", "Widget", "load_quiz", "quiz"]
