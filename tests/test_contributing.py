"""Each recipe of CONTRIBUTING.md and of the README, carried out step by step on a copy, and the tests that it names.

`make test` looks at what was added; with OC_WHOLE_RECIPES set (`make recipes`) the tests that a recipe names run whole.
"""

import json
import os
import re

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest

import optcore as oc
from book.course import ROOT
from tests.copies import Copy

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
WHOLE = bool(os.environ.get("OC_WHOLE_RECIPES"))


@pytest.fixture
def copy(tmp_path) -> Copy:
    return Copy(tmp_path / "copy")


def section(title: str) -> str:
    """A recipe, as CONTRIBUTING.md has it."""
    (found,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    return found


def named_tests(title: str) -> list[str]:
    """The test files that a recipe's `make test TESTS="…"` names."""
    (found,) = re.findall(r'`make test TESTS="?([^`"]+)"?`', section(title))
    return found.split()


def expect_green(copy: Copy, title: str, word: str, least: int) -> None:
    """The named tests pass, and at least so many of them are about what was added."""
    part = [] if WHOLE else ["-k", f"{word} and not another_processor"]
    done = copy.test("--doctest-modules", *named_tests(title), *part)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert int(re.findall(r"(\d+) passed", done.stdout)[-1]) >= least, done.stdout[-500:]


def expect_synced(copy: Copy) -> None:
    done = copy.sync("--check")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_every_file_that_it_names_is_there():
    words = re.findall(r"(?<![\w/])(?:book|tests|optcore|exercises|chapters|\.github)/[\w./-]*\w", TEXT)
    places = [word for word in words if not re.search(r"NAME|\bN\b", word)]
    assert len(places) > 15 and [name for name in places if not (ROOT / name).exists()] == []
    targets = re.findall(r"(?:`|│ )make ([a-z-]+)", TEXT)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert len(targets) > 8 and [name for name in targets if f"\n{name}:" not in makefile] == []


# ---- a rule -------------------------------------------------------------------------------------------------

RULE = '''

def adabelief(g, m=0.0, s=0.0, *, t, beta1=0.9, beta2=0.999, eps=1e-8):
    """Adam scaled by how far the gradient is from its own average: `s` averages `(g - m)²` in place of `g²`.

    Source: Zhuang et al. 2020, Algorithm 2.

    >>> adabelief(np.array([4.0]), t=1)[0].round(4)
    array([1.1111])
    """
    m = beta1 * m + (1 - beta1) * g
    s = beta2 * s + (1 - beta2) * (g - m) ** 2 + eps
    return m / (1 - beta1**t) / (np.sqrt(s / (1 - beta2**t)) + eps), m, s
'''
RULE_TEST = """

def test_adabelief_is_algorithm_2():
    m, s, state = 0.0, 0.0, [np.zeros(1), np.zeros(1)]
    for t, g in enumerate([1.0, -2.0, 3.0], start=1):
        m = m + 0.1 * (g - m)
        s = s + 0.001 * ((g - m) ** 2 - s) + 1e-8
        d, *state = oc.adabelief(np.array([g]), *state, t=t)
        np.testing.assert_allclose(d, m / (1 - 0.9**t) / ((s / (1 - 0.999**t)) ** 0.5 + 1e-8), rtol=1e-12)
"""
CARELESS = {
    "an_if_on_a_value": "return g * 2 if g[..., 0].sum() > 0 else g",
    "a_norm_over_the_batch": "return g / np.maximum(1.0, np.linalg.norm(g))",
    "another_dtype": "return np.asarray(g, np.float64)",
}


def add_rule(copy: Copy, name: str, source: str) -> None:
    rules = copy.read("optcore/rules.py").replace("__all__ = [\n", f'__all__ = [\n    "{name}",\n')
    copy.write("optcore/rules.py", rules + source)


def test_a_rule(copy):
    # 1 and 2: the function with its docstring, listed; 3: its own test
    add_rule(copy, "adabelief", RULE)
    copy.write("tests/test_rules.py", copy.read("tests/test_rules.py") + RULE_TEST)
    expect_green(copy, "Add a rule", "adabelief or agrees_with_numpy", least=10)


def test_canary_the_generic_tests_refuse_careless_rules(copy):
    for name, line in CARELESS.items():
        add_rule(copy, name, f"\n\ndef {name}(g):\n    {line}\n")
    done = copy.test("tests/test_rules.py", "-k", " or ".join([*CARELESS, "agrees_with_numpy"]))
    assert done.returncode == 1
    refused = re.findall(r"^FAILED \S+::(\w+)\[(?:[\w]+-)?(\w+)\]", done.stdout, re.MULTILINE)
    assert {name for _, name in refused} >= {*CARELESS}, done.stdout[-2000:]
    assert ("test_dtype_is_kept", "another_dtype") in {(test, name) for test, name in refused}


# ---- a widget -----------------------------------------------------------------------------------------------

WIDGET_JS = """/* A parabola and the tangent at a point. Settings: `at`. */
export default {
  render({ model, el }) {
    const ui = oc.ui({ model, el });
    const plot = ui.plot({ label: "A parabola and a tangent", ratio: 1.4, x: [-2, 2], y: [-4, 4] });
    ui.slider("at", { label: "Point x", min: -2, max: 2, tip: "Where the tangent touches." });
    return ui.run(({ at }) => {
      const xs = oc.linspace(-2, 2, 81);
      plot.axes();
      plot.line(xs, xs.map((x) => x * x), { color: "accent" });
      plot.line(xs, xs.map((x) => at * at + 2 * at * (x - at)), { color: "warn" });
      plot.dot(at, at * at, {});
      ui.facts({ slope: 2 * at });
      return `At x = ${oc.fmt(at)} the slope is ${oc.fmt(2 * at)}.`;
    });
  },
};
"""
WIDGET_PY = '''"""`oc.tangent()`: a parabola and the tangent at a point."""

from ..support import explains
from .base import Goal, Setting, Widget

__all__ = ["Tangent", "tangent"]


class Tangent(Widget):
    """A parabola and its tangent; `tangent` makes it."""

    name = "tangent"
    line = "Move the point along the parabola: where does the tangent lie flat?"
    at = Setting("Where the tangent touches.")

    def __init__(self, at):
        super().__init__(
            spec={"title": "A tangent"},
            value={"at": at},
            label=f"Tangent(at {at:g})",
            summary=f"A parabola and its tangent at {at:g}, of slope {2 * at:g}.",
        )

    def checked(self, value):
        at = value["at"]
        if isinstance(at, bool) or not isinstance(at, int | float) or not -2 <= at <= 2:
            raise ValueError(f"at must be a number from -2 to 2; it was {at!r}.")
        return value

    def goal(self):
        flat = [("slope", ">", -0.01), ("slope", "<", 0.01)]
        return Goal("Find where the slope is 0.", flat, "the slope is {slope}.") if abs(self.at) > 0.01 else None

    def still(self):
        """The parabola and the tangent."""
        from ..plotting import plt

        figure, ax = plt.subplots(figsize=(4.0, 3.0))
        xs = [k / 20 - 2 for k in range(81)]
        ax.plot(xs, [x * x for x in xs])
        ax.plot(xs, [self.at**2 + 2 * self.at * (x - self.at) for x in xs])
        return figure


@explains
def tangent(at: float = 1.0) -> Tangent:
    """See the tangent of a parabola; `at`, from -2 to 2, is where it touches.

    >>> tangent(0.5)
    Tangent(at 0.5)
    """
    return Tangent(at)
'''


def test_a_widget(copy):
    # 1 and 2: its two files, laid out; 3: exported
    copy.write("optcore/widgets/tangent.js", WIDGET_JS)
    copy.write("optcore/widgets/tangent.py", WIDGET_PY)
    init = "optcore/widgets/__init__.py"
    copy.replace(init, "from .training", "from .tangent import Tangent, tangent\nfrom .training")
    copy.replace(init, "__all__ = [\n", '__all__ = [\n    "Tangent",\n    "tangent",\n')
    shown = copy.python("-c", "import optcore as oc; print(oc.tangent())")
    assert shown.stdout == "Tangent(at 1)\n", shown.stderr
    faces, bench = "tests/widgets/examples.py", "bench/widgets.py"
    copy.replace(faces, '    "spectrum": [', '    "tangent": [Face(widgets.tangent, 1)],\n    "spectrum": [')
    copy.replace(bench, "WIDGETS = {\n", 'WIDGETS = {\n    "tangent": lambda: oc.tangent(),\n')
    if WHOLE:  # 5: the gallery, and how its goal is reached there
        moves = "tests/widgets/test_goals.py"
        copy.replace(moves, "MOVES = {\n", 'MOVES = {\n    "gallery tangent": [seek("Point x")],\n')
        gallery = nbformat.read(copy.path("gallery.ipynb"), as_version=4)
        gallery.cells += [nbformat.v4.new_markdown_cell("## A tangent"), nbformat.v4.new_code_cell("oc.tangent()")]
        nbformat.write(gallery, copy.path("gallery.ipynb"))
        done = copy.python("-m", "book.commands.run_notebooks", "gallery.ipynb")
        assert done.returncode == 0, done.stdout + done.stderr
    done = copy.python("-m", "tests.widgets.pictures", "tangent")
    assert done.stdout == "1 widgets drawn\n", done.stderr
    expect_green(copy, "Add a widget", "tangent", least=4)


# ---- a notebook ---------------------------------------------------------------------------------------------

LESSON = [
    """# Polynomial decay

> **The question.** The rate may fall from 1 to 0 in many ways. How much of it is left half-way?

The learning rate may fall on a straight line, or on a curve that ends more gently.

**Needs:** why to decay ([5.1](1-why-and-when-to-decay.ipynb)).
**Time:** 10 minutes.

## What you will be able to do

- write polynomial decay from memory;
- say what the power changes;
- work out the rate half-way by hand.
""",
    """import optcore as oc

claims = oc.Claims()""",
    "oc.schedule()",
    """All curves begin at the same rate.

## The curve

$$\\eta_t = \\eta_0\\,(1 - t/T)^p$$

> **Predict.** Where is the rate half-way down, with a power of 2?
""",
    """def polynomial_decay(t, lr, total, power):
    return lr * (1 - t / total) ** power


half = polynomial_decay(50, 1.0, 100, 2)
print(half)
claims("rate half-way, power 2", 0.25, half)""",
    """Half-way the rate is 0.25: a quarter of what it was, not a half.

### Line by line: the rate half-way

Given are the formula, and $t = T/2$ with $p = 2$.
"""
    + "".join(
        f"\n<details><summary>{line}</summary>\n\nBoth sides are 0.25.\n\n</details>\n"
        for line in (
            "1. Put the half in",
            "2. What is left is a half",
            "3. A square is a product",
            "4. A half of a half",
        )
    ),
    """for k, words in enumerate(("put in", "what is left", "a product", "a half of a half"), 1):
    claims.line(k, words, "0.25", (1 - 50 / 100) ** 2, [0.5**2, (1 - 0.5) ** 2, 0.5 * 0.5, 0.5 / 2][k - 1])""",
    """## The answer

A quarter, with a power of 2. The power sets how much is left.
""",
    "oc.schedule()",
    """The first half takes most of it.

## In PyTorch

```python
import torch

opt = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
decay = torch.optim.lr_scheduler.PolynomialLR(opt, total_iters=100, power=2)
for _ in range(50):
    opt.step()
    decay.step()
print(round(decay.get_last_lr()[0], 6))
```

```text
0.25
```

## Quiz
""",
    'oc.quiz("5.4")',
    """## Exercise

Write the decay with a floor: [exercises of chapter 5](../../exercises/5-schedules.ipynb).

## Numbers on this page
""",
    "claims.table()",
    """## Further reading

- [Bottou et al. (2018)](../../bibliography.md#bottou2018optimization), section 4: the noise floor.
""",
]
QUESTION = {
    "id": "polynomial-half",
    "kind": "one",
    "text": "Half-way, with a power of 2, the rate is …",
    "options": [
        {"text": "a quarter of what it was", "right": True, "why": "A half, squared."},
        {"text": "a half of what it was", "right": False, "why": "That is the straight line, a power of 1."},
    ],
}


PREDICTION = {
    "id": "half-way-with-a-power-of-2",
    "box": "Where is the rate half-way down",
    "kind": "choice",
    "right": "at a quarter of it",
    "wrong": ["at a half of it", "at a tenth of it"],
    "answer": "A half squared is 0.25.",
}


def change_json(copy: Copy, name: str, change) -> None:
    """Read a JSON file, change what it holds, and write it."""
    content = json.loads(copy.read(name))
    change(content)
    copy.write(name, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def test_a_notebook(copy):
    chapter, page = "chapters/5-schedules", "chapters/5-schedules/4-polynomial-decay"
    # 1: its folder, and _toc.yml
    v4 = nbformat.v4
    cells = [v4.new_markdown_cell(t) if re.match("[#A-Z]", t) else v4.new_code_cell(t) for t in LESSON]
    nbformat.write(v4.new_notebook(cells=cells), copy.path(f"{page}.ipynb"))
    exercises = "      - file: exercises/5-schedules\n"
    copy.replace("_toc.yml", exercises, f"      - file: {page}\n{exercises}")
    # 4: questions, predictions and concepts
    change_json(copy, f"{chapter}/quizzes.json", lambda quizzes: quizzes.update({"5.4": [QUESTION]}))
    change_json(copy, f"{chapter}/predictions.json", lambda boxes: boxes.update({"5.4": [PREDICTION]}))
    promised = json.loads(copy.read("chapters/concepts.json"))
    new = f"S{len(promised) + 1}"
    entry = {"id": new, "concept": "polynomial decay", "notebook": "5.4"}
    change_json(copy, "chapters/concepts.json", lambda concepts: concepts.append(entry))
    place = {"notebook": "5.4", "heading": "The curve"}
    change_json(copy, f"{chapter}/concepts.json", lambda places: places.update({new: place}))
    # 5: make run NOTEBOOKS=…, which begins and ends with make sync
    for step in (copy.sync, lambda: copy.python("-m", "book.commands.run_notebooks", f"{page}.ipynb"), copy.sync):
        done = step()
        assert done.returncode == 0, done.stdout + done.stderr
    assert f"- [5.4 Polynomial decay]({page}.ipynb)" in copy.read("intro.md")
    assert f"- **polynomial decay**: 5.4 [The curve]({page}.ipynb#the-curve)" in copy.read("concepts.md")
    assert f"{page}.html" in copy.read("book/site/addresses.txt").split()
    expect_synced(copy)
    expect_green(copy, "Add a notebook", "4-polynomial-decay", least=5)


# ---- an exercise --------------------------------------------------------------------------------------------

EXERCISE = '''
def polynomial_decay(t, lr, total, power):
    return lr * max(1 - t / total, 0) ** power


_POLYNOMIAL = Exercise(
    id="schedules/polynomial-decay",
    notebook="5.3",
    title="Polynomial decay",
    statement="The rate falls from `lr` to zero as the `power` of what is left of `total` steps, and stays there.",
    stub="""
        def polynomial_decay(t, lr, total, power):
            ...""",
    reference=polynomial_decay,
    cases=lambda rng: [
        *((t, 1.0, 4, 2) for t in (0, 1, 4, 5)),
        (int(rng.integers(1, 9)), rng.uniform(0.1, 1), 10, rng.uniform(1.5, 3)),
    ],
    misconceptions=[
        Misconception(
            lambda t, lr, total, power: lr * (1 - t / total) ** power,
            "Right until all steps are done; with an even power the rate rises again after them.",
        ),
    ],
    hints=["What part of the steps is left? It cannot be less than nothing."],
)
'''


def test_an_exercise(copy):
    catalogue = "optcore/grading/catalogue/schedules.py"
    # 1 to 3: the object, with its known wrong answers and its cases; at its place among the EXERCISES
    head, tail = copy.read(catalogue).split("EXERCISES = [\n")
    listed, end = tail.rsplit("]", 1)
    copy.write(catalogue, f"{head.rstrip()}\n\n{EXERCISE}\n\nEXERCISES = [\n{listed}    _POLYNOMIAL,\n]{end}")
    # 4: make sync
    done = copy.sync()
    assert "exercises/5-schedules.ipynb: written" in done.stdout.splitlines(), done.stderr
    assert "### Polynomial decay" in copy.read("exercises/5-schedules.ipynb")
    expect_synced(copy)
    expect_green(copy, "Add an exercise", "schedules", least=4)


# ---- a comparison -------------------------------------------------------------------------------------------


def test_a_comparison():
    steps = re.findall(r"```python\n(.*?)```", section("Compare two methods"), re.DOTALL)
    page = dict(oc=oc, np=np, claims=oc.Claims())  # what a notebook has
    for step in steps:
        exec(step, page)
    plt.close("all")
    assert len(steps) == 2 and "adam against momentum: a tie" in repr(page["race"])
    assert "adam minus momentum, test accuracy: a tie   -0.015 to 0.015  within" in repr(page["claims"].table())


# ---- a copy of one's own ------------------------------------------------------------------------------------


def test_a_copy_of_ones_own(copy):
    # 1: the address, in _config.yml alone; 2: make sync
    stated = re.search(r"url: (\S+)", copy.read("_config.yml"))[1]
    copy.replace("_config.yml", stated, "https://github.com/somebody/their-course")
    done = copy.sync()
    assert done.returncode == 0 and len(done.stdout.splitlines()) > 30, done.stderr
    left = [path for path in copy.root.rglob("*") if path.is_file() and stated.encode() in path.read_bytes()]
    assert left == []
    names = ["tests/grading/test_exports.py", "tests/test_elsewhere.py", "tests/test_readme.py"]
    done = copy.test(*names, "-k", "not built_again and not git")
    assert done.returncode == 0, done.stdout[-6000:]
