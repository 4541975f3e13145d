"""The site's search takes "warm-up", "warm up" and "warmup" for one word, in pages and in queries."""

import re

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

COMPOUNDS = """ada-grad batch-norm cross-entropy drop-out early-stopping fine-tuning heavy-ball hyper-parameter
ill-conditioned l-bfgs learning-rate line-search mini-batch non-convex over-fit quasi-newton rms-prop saddle-point
second-order soft-max step-size trust-region warm-up weight-decay""".split()
_BETWEEN = r"[\s\u2010\u2011-]+"
_COMPOUND = rf"\b(?:{'|'.join(word.replace('-', _BETWEEN) for word in COMPOUNDS)})"


def compounds(text: str) -> list[str]:
    """The compounds of a text, with their endings, each as one word.

    >>> compounds("Warm-up over the first mini batches.")
    ['Warmup', 'minibatches']
    """
    return [re.sub(_BETWEEN, "", found) for found in re.findall(rf"{_COMPOUND}\w*", text, re.IGNORECASE)]


class Search(SearchEnglish):
    """English; a page's index also holds its compounds joined, and a query is joined likewise."""

    js_splitter_code = rf"""
function splitQuery(query) {{
  return query
    .replace(/{_COMPOUND}/giu, (found) => found.replace(/{_BETWEEN}/gu, ""))
    .split(/[^\p{{Letter}}\p{{Number}}_\p{{Emoji_Presentation}}]+/gu)
    .filter((term) => term);
}}
"""

    def split(self, input: str) -> list[str]:
        return super().split(input) + compounds(input)


def setup(app: Sphinx) -> None:
    """Register the language in place of Sphinx's English."""
    app.add_search_language(Search)
