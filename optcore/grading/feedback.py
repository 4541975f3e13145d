"""What is said about an answer, in one of four voices."""

import html
import re
import textwrap
from dataclasses import dataclass

from .exercise import Misconception

CORRECT, HINT, MISSING, WORKING = "Correct", "Hint", "Still missing", "Keep working"
_COLOURS = {CORRECT: "#1b7f4b", HINT: "#b35c00", MISSING: "#4a6fa5", WORKING: "#b3382c"}
_WIDTH = 96


@dataclass(frozen=True, repr=False)
class Feedback:
    """What is said about an answer: a voice, a sentence, and where it helps a small failing case. True if correct."""

    exercise: str
    voice: str
    text: str
    case: str = ""
    misconception: Misconception | None = None

    def __bool__(self) -> bool:
        return self.voice == CORRECT

    def __repr__(self) -> str:
        said = textwrap.fill(f"{self.voice}. {self.text}", _WIDTH, break_on_hyphens=False)
        return said + ("\n" + textwrap.indent(self.case, "  ") if self.case else "")

    def _repr_html_(self) -> str:
        said = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(self.text))
        case = f'<pre style="margin:.5em 0 0">{html.escape(self.case)}</pre>' if self.case else ""
        return (
            f'<div class="oc-feedback" style="border-left:4px solid {_COLOURS[self.voice]};padding:.3em .8em">'
            f"<strong>{self.voice}.</strong> {said}{case}</div>"
        )
