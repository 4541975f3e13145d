"""What a comparison says: the difference of two sides in a word, the table of a run, and what the notebooks store."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .claims import RECORD, html_table, with_interval
from .intervals import t_interval, t_quantile

__all__ = ["Comparison", "Difference"]


# -------------------------------------------------------------------------------------------------- the verdict


@dataclass(frozen=True)
class Difference:
    """One side against the reference, at the best rate of each, on the fresh seeds that both share.

    pairs: (seeds,), side minus reference for each seed (a factor: side over reference, when the comparison was asked
    for a ratio). low and high: the t-interval of their mean over seeds, None without seeds. test: the ends of the
    interval that counts the choice of the test examples too, else None.
    """

    side: str
    reference: str
    pairs: np.ndarray
    mean: float
    low: float | None
    high: float | None
    test: tuple[float, float] | None
    verdict: str
    sure: bool  # no other word if the interval moved by a tenth of its width


def _word(mean: float, low: float, high: float, test: tuple[float, float] | None, margin: float, better: str) -> str:
    """The verdict on a difference: a tie when the interval holds 0 or the mean is within the margin."""
    if low <= 0 <= high or abs(mean) < margin:
        return "a tie"
    word = "better" if (mean < 0) == (better == "lower") else "worse"
    return f"{word} on these test examples" if test and test[0] <= 0 <= test[1] else word


def difference(side: str, reference: str, a: np.ndarray, b: np.ndarray, asked: dict[str, Any]) -> Difference:
    """a and b: (seeds,), or (seeds, examples), scores on the same seeds."""
    better, ratio, margin, level = (asked[k] for k in ("better", "ratio", "margin", "level"))
    by_example = None
    if a.ndim == 2:
        by_example = (a - b).mean(axis=0)
        a, b = a.mean(axis=-1), b.mean(axis=-1)
    pairs = np.log(a / b) if ratio else a - b
    back = np.exp if ratio else lambda v: v
    margin = math.log1p(margin) if ratio else margin
    if not asked["seeds"]:
        mean = float(pairs[0])
        same = abs(mean) <= 1e-9 * (1 if ratio else max(abs(a[0]), abs(b[0])))
        word = "a tie" if same else _word(mean, mean, mean, None, margin, better)
        sure = not 0.9 * margin < abs(mean) < 1.1 * margin
        return Difference(side, reference, back(pairs), float(back(mean)), None, None, None, word, sure)
    mean, low, high = t_interval(pairs, level)
    test = None
    if by_example is not None:
        error, df = by_example.std(ddof=1) / math.sqrt(len(by_example)), len(by_example) - 1
    elif n := asked["test_size"]:
        p, q = a.mean(), b.mean()
        error, df = math.sqrt((p * (1 - p) + q * (1 - q)) / n), n - 1
    if by_example is not None or asked["test_size"]:
        half = math.hypot((high - low) / 2, t_quantile(level, df) * error)
        test = (mean - half, mean + half)
    move = (high - low) / 10
    words = {
        _word(mean + s, low + s, high + s, test and (test[0] + s, test[1] + s), margin, better)
        for s in (-move, 0, move)
    }
    word = _word(mean, low, high, test, margin, better)
    mean, low, high = (float(back(v)) for v in (mean, low, high))
    return Difference(side, reference, back(pairs), mean, low, high, test, word, len(words) == 1)


# ------------------------------------------------------------------------------------------------- all verdicts


@dataclass(frozen=True)
class Comparison:
    """What `compare` found. Its text holds what every processor finds, its HTML the numbers of this run.

    grids, best: side -> setting -> values tried, and the best one. tuned: side -> (settings…), mean score over the
    tuning seeds; tuned_runs: (settings…, seeds). fresh: side -> (seeds,), scores at the best rate. budget: side ->
    what a run spends, in `unit`. `result["adam"]` is the `Difference` of a side to the reference.
    """

    question: str
    score: str
    better: str
    ratio: bool
    unit: str
    budget: dict[str, float]
    unequal: str
    grids: dict[str, dict[str, list]]
    best: dict[str, dict[str, Any]]
    tuned_runs: dict[str, np.ndarray]
    tuned: dict[str, np.ndarray]
    fresh: dict[str, np.ndarray]
    tuning_seeds: list[int]
    seeds: list[int]
    test_size: int | None
    margin: float
    level: float
    reference: str
    differences: dict[str, Difference] = field(default_factory=dict)

    def __getitem__(self, side: str) -> Difference:
        if side not in self.differences:
            raise KeyError(f"{side!r} is not compared with {self.reference}; there are: {', '.join(self.differences)}.")
        return self.differences[side]

    @property
    def verdict(self) -> str:
        """The verdicts in words."""
        return "; ".join(f"{d.side} against {d.reference}: {d.verdict}" for d in self.differences.values())

    def __repr__(self) -> str:
        width = max(map(len, self.grids))
        lines = [f"{self.question} ({self.score}, {self.better} is better)"]
        lines += [f"  {side:{width}s}  {_tries(grid)}, the best inside" for side, grid in self.grids.items()]
        lines.append(f"  {self.spent}; {self.chance}")
        lines += [f"  {d.side} against {d.reference}: {d.verdict}" for d in self.differences.values()]
        return "\n".join(lines)

    @property
    def spent(self) -> str:
        """What a run costs, in words."""
        if not self.unequal:
            return f"{_short(next(iter(self.budget.values())))} {self.unit} each"
        each = ", ".join(f"{side} {_short(value)}" for side, value in self.budget.items())
        return f"{self.unit} a run: {each} ({self.unequal})"

    @property
    def chance(self) -> str:
        """Seeds, number of comparisons and test set, in words."""
        if not self.seeds:
            return "nothing random: one run a rate, no interval"
        tuned = "rates" if all([*grid] == ["rate"] for grid in self.grids.values()) else "settings"
        words = f"{len(self.tuning_seeds)} seeds to choose the {tuned}, {len(self.seeds)} fresh ones for the verdict"
        if (count := len(self.differences)) > 1:
            words += f"; {count} comparisons, each interval at {100 * self.level:.4g} % (Bonferroni)"
        return words + (f"; {self.test_size} test examples" if self.test_size else "")

    def _repr_mimebundle_(self, **_: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"text/plain": repr(self), "text/html": self.html()}, {RECORD: {"comparison": self.record()}}

    def html(self) -> str:
        """The table with the numbers of this run."""
        minus = "over" if self.ratio else "minus"
        head = ["side", "tried", "best", f"{self.score}, fresh", f"{minus} {self.reference}", "verdict"]
        rows = []
        for side, grid in self.grids.items():
            best = ", ".join(_short(v) if k == "rate" else f"{k} {_short(v)}" for k, v in self.best[side].items())
            row = [side, _tries(grid), best, _mean(self.fresh[side], self.ratio), "", ""]
            if side in self.differences:
                d = self.differences[side]
                row[4:] = [_with_interval(d), d.verdict]
            rows.append(row)
        caption = f"{self.question} ({self.score}, {self.better} is better.) Numbers of this run."
        notes = [f"{self.spent}; {self.chance}."]
        if self.seeds:
            notes.append(
                f"±: standard error. In brackets: {100 * self.level:.4g} % t-interval of the paired difference."
            )
        if self.margin:
            size = (
                f"by a factor below {_short(1 + self.margin)}" if self.ratio else f"by less than {_short(self.margin)}"
            )
            notes.append(f"Apart {size} is called a tie.")
        if any(d.test for d in self.differences.values()):
            notes.append("With other test examples: the interval that counts their choice as well.")
        return html_table(caption, head, rows, " ".join(notes))

    def record(self) -> dict[str, Any]:
        """What the page of all comparisons needs, as JSON can hold it."""
        sides: dict[str, dict[str, Any]] = {}
        for side, grid in self.grids.items():
            tuned = [_rounded(v) for v in self.tuned[side].ravel()]
            sides[side] = {"grid": {k: [_rounded(v) for v in values] for k, values in grid.items()}}
            sides[side] |= {"best": {k: _rounded(v) for k, v in self.best[side].items()}, "tuned": tuned}
            sides[side] |= {"budget": _rounded(self.budget[side]), "tuning_seeds": self.tuning_seeds}
            sides[side] |= {"seeds": self.seeds, "scores": [_rounded(v) for v in self.fresh[side]]}
        differences = [
            {
                "side": d.side,
                "verdict": d.verdict,
                "mean": _rounded(d.mean),
                "interval": None if d.low is None else [_rounded(d.low), _rounded(d.high)],
                "test_interval": d.test and [_rounded(v) for v in d.test],
            }
            for d in self.differences.values()
        ]
        names = ("question", "score", "better", "ratio", "unit", "unequal", "margin", "test_size", "level", "reference")
        return {name: getattr(self, name) for name in names} | {"sides": sides, "differences": differences}


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _rounded(value: Any) -> Any:
    """Six significant digits, as JSON can hold them."""
    return (
        value if not isinstance(value, (float, np.floating)) else float(f"{value:.6g}") if np.isfinite(value) else None
    )


def _tries(grid: Mapping[str, Sequence]) -> str:
    """How much was tried: "6 rates from 0.01 to 0.1"."""
    parts = [
        f"{len(values)} {'rates' if name == 'rate' else f'values of {name}'} "
        f"from {_short(min(values))} to {_short(max(values))}"
        for name, values in grid.items()
    ]
    return " times ".join(parts)


def _mean(scores: np.ndarray, ratio: bool) -> str:
    if ratio:
        return f"{np.exp(np.log(scores).mean()):.4g}"
    spread = f" ± {scores.std(ddof=1) / math.sqrt(len(scores)):.2g}" if len(scores) > 1 else ""
    return f"{scores.mean():.4g}{spread}"


def _with_interval(d: Difference) -> str:
    text = with_interval(d.mean, d.low, d.high)
    return text + (f"; with other test examples {with_interval(d.mean, *d.test).split(' ', 1)[1]}" if d.test else "")


def unsound(record: Mapping[str, Any]) -> list[str]:
    """What is wrong with a stored comparison, in sentences; the tests look at every one in the notebooks."""
    problems = []
    sides = record["sides"]
    for name, side in sides.items():
        for setting, values in side["grid"].items():
            best = side["best"][setting]
            if best not in values or best in (values[-1], values[0]) and best != 0:
                problems.append(f"the best {setting} of {name}, {best}, is not inside its grid")
        if both := set(side["tuning_seeds"]) & set(side["seeds"]):
            problems.append(f"{name} is judged on seeds that chose its rate: {sorted(both)}")
        if len(side["scores"]) != max(len(side["seeds"]), 1):
            problems.append(f"{name} has {len(side['scores'])} scores for {len(side['seeds'])} seeds")
    if len({tuple(side["seeds"]) for side in sides.values()}) != 1:
        problems.append("the sides are not paired: their seeds differ")
    budgets = [side["budget"] for side in sides.values()]
    if max(budgets) > 1.01 * min(budgets) and not record["unequal"]:
        problems.append(f"the budgets differ, {budgets}, and nothing says why")
    if len(record["differences"]) != len(sides) - 1:
        problems.append("not every side is compared with the reference")
    return problems
