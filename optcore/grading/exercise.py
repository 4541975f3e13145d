"""What an exercise is. One object holds its text, its stub, its solution, its cases and the known wrong answers.

A chapter's exercises are the list `EXERCISES` in `optcore/grading/catalogue/<chapter>.py`. One of them, complete:

    def effective_lr(lr, beta):                              # the solution, named as in the stub
        return lr/(1 - beta)

    EXERCISES = [Exercise(
        id="gradient-descent/effective-lr", notebook="3.3", title="The step that momentum really takes",
        statement="A constant gradient … Return the learning rate of plain descent that is as fast.",
        stub="def effective_lr(lr, beta):\\n    ...",
        reference=effective_lr,
        cases=lambda rng: [(0.1, 0.5), (rng.uniform(), rng.uniform())],        # the smallest failing one is shown
        misconceptions=[
            Misconception(altered(effective_lr, "lr/", "lr*"), "You multiply by 1 − β; the steps add up, …"),
            Misconception(lambda lr, beta: lr, "Momentum does change the pace: …")],
        hints=["Write down three steps with the same gradient.", "A geometric series adds up."])]

- Cases are tuples of plain data: numbers, strings, arrays, lists of them. Whatever else the answer is called with,
  the *probe* builds: `probe(answer, *case)` returns what came out, as plain data. Its parameter names label the
  failing case, its docstring says in a line how the answer is called. It may name `np`, `oc`, `take` and functions
  of its own module, but never a solution: when a class is graded, it runs in the student's process.
  Functions of functions: `lambda f, A, w0: f(lambda w: A @ w, w0)`. Classes: make an instance, call its methods,
  return what they gave and the attributes that count. Random numbers: the case holds a seed, the probe makes
  `np.random.default_rng(seed)`. Generators: `take(batches, 100)`.
- What is compared of a result that may be right in many ways (draws, shuffles) is its *summary*, on the grader's
  side: `summary(result, *case)`, a plain value or a dict, whose keys label the differences. `moments` serves for
  draws; `three_draws` and `draw_facts` show whether they came from the generator that was handed in. `also_right`
  holds further solutions (another order of draws) which have to pass as well.
- A wrong answer that is the solution with other words in one place is written with `slips.altered`. Slips for which no
  sentence is given are named too, in general words; a test asks that every slip is refused which is one.
- "measure": the stub ends in `name = ...`, the reference and the misconceptions are values, `rtol` is the band;
  integers are compared exactly, so write 50.0 for a band around 50.
  Code that the stub gives runs for every submission of a class: half a second at most.
- "explain": `choice(…)` makes the exercise from options, each wrong one with its sentence.
- "bug hunt": the stub is the broken code; an answer that behaves like it hears that the bug is still there.
- A misconception is compared as a whole: values, errors and inputs that were written into. No two may behave alike
  on the cases, and a sentence names the bug without giving the repaired line. Hints do not hold the solution.
- Texts and stubs may be indented with the code around them. `tests/grading/test_catalogue.py` checks all this.
"""

import ast
import functools
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from ..drawn import drawn_order

KINDS = ("implement", "measure", "explain", "bug hunt")


@dataclass(frozen=True)
class Misconception:
    """A known wrong answer and the sentence that explains it."""

    wrong: Any
    sentence: str


@dataclass(frozen=True)
class Exercise:
    """One exercise; the module's docstring tells how to write it."""

    id: str  # "chapter/name"
    notebook: str  # the notebook that it belongs to, "3.1"
    title: str
    statement: str  # Markdown
    stub: str  # source text; its last definition is what the reader completes
    reference: Any
    cases: Callable[[np.random.Generator], list[tuple]] = lambda rng: [()]
    misconceptions: Sequence[Misconception] = ()
    hints: Sequence[str] = ()
    kind: str = "implement"
    rtol: float = 1e-9
    atol: float = 1e-12
    probe: Callable | None = None
    summary: Callable | None = None
    seconds: float = 2.0  # all cases together
    explanation: str = ""  # said along with "Correct"
    also_right: Sequence[Any] = ()  # other answers that must pass, to keep the check from being too strict

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"{self.id}: unknown kind '{self.kind}'; known are {', '.join(KINDS)}.")
        for text in ("statement", "stub"):
            object.__setattr__(self, text, textwrap.dedent(getattr(self, text)).strip())

    @functools.cached_property
    def name(self) -> str:
        """The name that the stub defines last: a function, a class or a variable."""
        last = _last_definition(self.stub)
        return ast.unparse(last.targets[0]) if isinstance(last, ast.Assign) else last.name

    @functools.cached_property
    def template(self) -> Any:
        """The stub, executed: a function or class, or `...` where a value is asked for."""
        if isinstance(_last_definition(self.stub), ast.Assign):
            return ...
        import optcore

        namespace = {"np": np, "oc": optcore}
        exec(compile(self.stub, f"<stub of {self.id}>", "exec"), namespace)
        return namespace[self.name]

    @property
    def call(self) -> Callable:
        """The probe, or what it is by default: `answer(*case)`, or the value itself."""
        if self.probe is not None:
            return self.probe
        return itself if self.template is ... else plain_call

    @functools.cached_property
    def inputs(self) -> list[str]:
        """Names of what a case holds."""
        if self.probe is not None:
            return list(inspect.signature(self.probe).parameters)[1:]
        return [] if self.template is ... else list(inspect.signature(self.template).parameters)

    @functools.cached_property
    def results(self) -> list[str]:
        """Names of several results, from a stub whose docstring begins with them: (J, dJ/dw, dJ/db)."""
        listed = re.match(r"\(([^()]+)\)", getattr(self.template, "__doc__", None) or "")
        return listed[1].split(", ") if listed else []

    @functools.cached_property
    def solution(self) -> str:
        """Source text of the reference, or its value."""
        if self.template is ...:
            return f"{self.name} = {self.reference!r}"
        return textwrap.dedent(inspect.getsource(self.reference))


def _last_definition(source: str) -> ast.FunctionDef | ast.ClassDef | ast.Assign:
    definitions = ast.FunctionDef | ast.ClassDef | ast.Assign
    return [node for node in ast.parse(source).body if isinstance(node, definitions)][-1]


def plain_call(answer, *case):
    return answer(*case)


def itself(answer):
    return answer


def choice(
    options: dict[str, tuple[str, str]], right: str, *, id: str, statement: str, name: str, code: str = "", **more: Any
) -> Exercise:
    """An exercise of kind "explain": the reader runs `code`, which produces the evidence, and hands in a letter.

    `options` maps keys to what an option says and to the sentence that is said to whoever chooses it; `right` is the
    key of the right one. The exercise's id draws their order, and they get the letters a, b, c … in it.

    >>> why = choice({"far": ("It diverges.", "Beyond 2/L."), "slow": ("It stalls.", "At 2/L it would oscillate.")},
    ...              "far", id="gradient-descent/why", notebook="3.1", title="Why", statement="Which?", name="why")
    >>> print(why.statement, why.reference)
    Which?
    <BLANKLINE>
    - **a** It stalls.
    - **b** It diverges. b
    >>> print(why.stub)
    why = ...        # "a" or "b"
    """
    drawn = dict(zip("abcdefgh", drawn_order(list(options), id), strict=False))
    listed = "\n".join(f"- **{letter}** {options[key][0]}" for letter, key in drawn.items())
    letters = " or ".join(f'"{letter}"' for letter in drawn)
    return Exercise(
        id=id,
        statement=f"{textwrap.dedent(statement).strip()}\n\n{listed}",
        kind="explain",
        reference=next(letter for letter, key in drawn.items() if key == right),
        stub=f"{textwrap.dedent(code).strip()}\n\n{name} = ...        # {letters}".lstrip(),
        misconceptions=[Misconception(letter, options[key][1]) for letter, key in drawn.items() if key != right],
        explanation=options[right][1],
        **more,
    )


def take(batches: Iterable | None, most: int) -> list | None:
    """The first items of what may be an endless generator; None stays None, so that an empty answer is known as one.

    >>> import itertools
    >>> take(itertools.count(), 3)
    [0, 1, 2]
    """
    return batches if batches is None else list(islice(batches, most))


def three_draws(draw: Callable[[np.random.Generator], Any], seed: int) -> list:
    """What `draw(rng)` gives for a generator, for its twin, and for another one: see `draw_facts`."""
    return [draw(np.random.default_rng(s)) for s in (seed, seed, seed + 1)]


def draw_facts(draws: Sequence[Any]) -> dict[str, bool]:
    """Whether `three_draws` come from the generator that was handed in, as part of a `summary`.

    >>> draw_facts(three_draws(lambda rng: rng.random(2), 0))
    {'same draw from the same rng': True, 'other draw from another rng': True}
    >>> draw_facts(three_draws(lambda rng: np.random.default_rng(5).random(2), 0))
    {'same draw from the same rng': True, 'other draw from another rng': False}
    """
    first, twin, other = (np.concatenate([np.ravel(part) for part in _leaves(draw)]) for draw in draws)
    return {
        "same draw from the same rng": bool(np.array_equal(first, twin)),
        "other draw from another rng": not np.array_equal(first, other),
    }


def _leaves(value: Any) -> list:
    return [leaf for part in value for leaf in _leaves(part)] if isinstance(value, list | tuple) else [value]


def moments(draws: np.ndarray, *_: Any) -> dict[str, Any]:
    """What tells distributions apart, as a `summary`: shape, mean, standard deviation, kurtosis.

    The kurtosis m₄/m₂² is 3 for a normal and 1.8 for a uniform distribution. A mean within five standard errors of 0
    counts as 0, so that one relative tolerance, say `rtol=0.1` for 10,000 draws, serves for everything.

    >>> summary = moments(np.random.default_rng(0).uniform(-1, 1, (100, 200)))
    >>> summary["shape"], summary["mean"], round(summary["std"], 2), round(summary["kurtosis"], 1)
    ((100, 200), 0.0, 0.58, 1.8)
    """
    draws = np.asarray(draws, float)
    mean, std = float(draws.mean()), float(draws.std())
    if abs(mean) < 5 * std / np.sqrt(draws.size):
        mean = 0.0
    kurtosis = float(np.mean((draws - draws.mean()) ** 4) / std**4) if std > 0 else 0.0
    return {"shape": draws.shape, "mean": mean, "std": std, "kurtosis": kurtosis}
