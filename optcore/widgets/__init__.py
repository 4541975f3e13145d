"""Widgets that live in the page, in JupyterLab and in Colab: see `base.py` and `common.js` for how one is made."""

from .base import Setting, Widget
from .explore import Explore, explore
from .quiz import Quiz, load_quiz, quiz

__all__ = ["Explore", "Quiz", "Setting", "Widget", "explore", "load_quiz", "quiz"]
