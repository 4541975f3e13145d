"""The site's search: what it knows of each page beside its words, and one spelling for compounds.

Sphinx writes the index of words; here come the entries by which a page is found first: its headings (from that index),
the concepts that it teaches (chapters/concepts.json), and what people type who do not know its terms (ALIASES).
book/assets/searchtools.js ranks pages by all of them.
"""

import json
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

from book.course import docname, notebooks, number
from book.pages import concepts

COMPOUNDS = """ada-grad adam-w batch-norm cross-entropy drop-out early-stopping fine-tuning heavy-ball hyper-parameter
ill-conditioned l-bfgs learning-rate line-search mini-batch non-convex over-fit quasi-newton rms-prop saddle-point
second-order soft-max step-size trust-region under-fit warm-up weight-decay""".split()
_BETWEEN = r"[\s\u2010\u2011-]+"
_COMPOUND = rf"\b(?:{'|'.join(word.replace('-', _BETWEEN) for word in COMPOUNDS)})"

# They say how a question is asked, not what it is about.
IDLE_WORDS = """about am can could did do does from get gets has have how i me my not or our should so still than them
too use used using versus very vs want we what when where which who why would you your""".split()

# What people type -> the page that answers it, by the number of its notebook or by its name.
ALIASES = {
    "1.1": ["loss function", "cost function", "loss landscape", "linear regression"],
    "1.2": ["mse", "logits", "log loss", "loss for classification", "softmax", "numerically stable softmax"],
    "1.3": ["backprop", "autograd", "automatic differentiation", "computational graph", "chain rule", "jacobian"],
    "2.1": ["ill-conditioned", "condition number", "poorly conditioned problem", "ravine", "convex function", "jensen"],
    "2.2": ["saddle", "stuck in local minima", "loss landscape of networks", "plateau", "non-convex optimization"],
    "2.3": ["kkt", "complementary slackness", "lagrangian", "duality", "constrained optimization", "projection"],
    "3.1": ["learning rate too high", "choose learning rate", "armijo condition", "step size", "loss diverges",
            "zig-zag", "line search"],
    "3.2": ["sgd", "choose batch size", "batch size", "epoch", "stochastic gradient", "linear scaling rule"],
    "3.3": ["nag", "heavy ball", "polyak momentum", "nesterov accelerated gradient", "overshoot", "beta 0.9"],
    "3.4": ["exploding gradients", "loss is nan", "loss becomes nan", "gradient norm clipping", "recurrent network"],
    "4.1": ["adagrad", "rmsprop", "adaptive learning rate", "per-parameter learning rate"],
    "4.2": ["adam optimizer", "beta1 beta2", "bias correction", "amsgrad", "adam not converging", "epsilon in adam"],
    "4.3": ["weight decay", "weight decay vs l2", "adamw", "decoupled weight decay", "adam vs adamw"],
    "4.4": ["muon", "lion", "shampoo", "lars", "lamb", "large batch training", "trust ratio"],
    "5.1": ["learning rate schedule", "learning rate decay", "step decay", "reduce learning rate", "when to decay"],
    "5.2": ["warm-up", "one cycle", "1cycle", "cosine annealing", "sgdr", "warm restarts", "schedule-free", "swa"],
    "5.3": ["reduce on plateau", "reducelronplateau", "patience", "feedback schedule"],
    "6.1": ["newton", "newton method", "damped newton", "levenberg-marquardt", "trust region"],
    "6.2": ["bfgs", "l-bfgs", "quasi-newton", "secant equation", "wolfe conditions"],
    "6.3": ["hessian", "hessian-vector product", "eigenvalues of the hessian", "gauss-newton", "sharpness", "lanczos"],
    "6.4": ["fisher information", "empirical fisher", "natural gradient", "k-fac", "kronecker", "soap", "sophia",
            "hutchinson", "preconditioner", "newton-cg", "truncated newton"],
    "7.1": ["vanishing gradients", "symmetry breaking", "initialize weights randomly", "zero initialization",
            "dead relu"],
    "7.2": ["xavier", "kaiming", "he initialization", "glorot initialization", "weight initialization"],
    "7.3": ["bias initialization", "lstm forget gate", "layer norm", "batch norm", "mup", "maximal update"],
    "8.1": ["overfitting", "underfitting", "generalization gap", "double descent", "bias-variance", "validation set"],
    "8.2": ["regularization", "dropout", "lasso", "ridge", "data augmentation", "early stopping",
            "prevent overfitting"],
    "8.3": ["flat minima", "sharp minima", "sam", "sharpness-aware", "implicit bias", "large batch generalization"],
    "8.4": ["compare optimizers", "comparing optimizers", "tune hyper-parameters", "hyper-parameter search",
            "debug training", "network does not learn", "loss does not decrease", "training recipe", "baseline"],
    "which-optimizer-when": ["which optimizer", "best optimizer", "choose an optimizer", "adam or sgd", "adam vs sgd"],
    "exercises/README": ["grade exercises", "grading", "autograder", "nbgrader", "gradescope"],
    "notation": ["symbols", "meaning of eta"],
}  # fmt: skip


def compounds(text: str) -> list[str]:
    """The compounds of a text, with their endings, each as one word.

    >>> compounds("Warm-up over the first mini batches.")
    ['Warmup', 'minibatches']
    """
    return [re.sub(_BETWEEN, "", found) for found in re.findall(rf"{_COMPOUND}\w*", text, re.IGNORECASE)]


class Search(SearchEnglish):
    """English; a page's index also holds its compounds joined, and a query is joined likewise."""

    stopwords = SearchEnglish.stopwords | set(IDLE_WORDS)
    js_splitter_code = rf"""
const joinCompounds = (text) => text.replace(/{_COMPOUND}/giu, (found) => found.replace(/{_BETWEEN}/gu, ""));
const splitWords = (text) => text.split(/[^\p{{Letter}}\p{{Number}}_\p{{Emoji_Presentation}}]+/gu).filter(Boolean);
const splitQuery = (query) => splitWords(joinCompounds(query));
"""

    def split(self, input: str) -> list[str]:
        return super().split(input) + compounds(input)


def entries(root: Path) -> list[tuple[str, str, str]]:
    """(page, anchor, words) for every concept and alias."""
    names = {number(path): docname(path) for path in notebooks()}
    index = concepts.read(root)
    taught: set[tuple[str, str, str]] = set()
    for concept in index.concepts:
        for place in index.places[concept.id]:
            page, _, anchor = place.link.replace(".ipynb", "").partition("#")
            taught.add((page, anchor, concept.name))
    typed = [(names.get(page, page), "", words) for page, known in ALIASES.items() for words in known]
    return [*sorted(taught), *typed]


def write_entries(app: Sphinx, exception: Exception | None) -> None:
    """_static/entries.js, which the search page loads."""
    if exception or app.builder.format != "html":
        return
    known = json.dumps(entries(Path(app.srcdir)), ensure_ascii=False, separators=(",", ":"))
    Path(app.outdir, "_static", "entries.js").write_text(f"const ENTRIES={known};\n", encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Register the language in place of Sphinx's English."""
    app.add_search_language(Search)
    app.connect("build-finished", write_entries)
