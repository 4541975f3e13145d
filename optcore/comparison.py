"""Which of two is better: `compare`, the one way in which this course says so.

A comparison is fair when each side has its own best rate, inside its grid; when all spend the same; and when the
verdict rests on fresh seeds, the same for all sides, so that run i of both differs in nothing but the side.

>>> import optcore as oc
>>> bowl = oc.bowl.at(kappa=20.0)
>>> def last_loss(rule, rate, seed):
...     return oc.descend(rule, bowl, [1.0, 1.0], 100, rate, noise=0.1, seed=seed).loss[-1]
>>> result = oc.compare(
...     "Does momentum help under noise?",
...     {"gd": partial(last_loss, oc.gd), "momentum": partial(last_loss, oc.momentum)},
...     {"gd": np.geomspace(0.01, 0.1, 6), "momentum": np.geomspace(0.001, 0.1, 9)},
...     budget=100, score="final loss", ratio=True, seeds=20, batched=True)
>>> result
Does momentum help under noise? (final loss, lower is better)
  gd        6 rates from 0.01 to 0.1, the best inside
  momentum  9 rates from 0.001 to 0.1, the best inside
  100 steps each; 3 seeds to choose the rates, 20 fresh ones for the verdict
  momentum against gd: a tie
>>> claims = oc.Claims()
>>> claims.verdict(result, "a tie", (0.5, 2.0))      # what the text says, with the band of the measured factor

A side is a function `(rate, seed) -> score`; `partial` makes one of a function with more arguments. As the last
expression of a notebook's cell the result is shown as a table with this run's numbers, and stored for the page "Every
comparison of this course"; `oc.plotting.draw_comparison(result)` draws scores over rates, and the paired differences.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .sweeps import sweep
from .verdicts import Comparison, difference

__all__ = ["compare"]

FRESH = 1000  # seeds for the verdict are counted from here, those for the rates from 0


def _grids(sides: Mapping[str, Callable], rates: Any) -> dict[str, dict[str, list]]:
    """side -> setting -> its values in order; `rates` is for all sides, or a grid for each."""
    if isinstance(rates, Mapping) and set(rates) & set(sides):
        if set(rates) != set(sides):
            odd = ", ".join(map(repr, set(rates) ^ set(sides)))
            raise ValueError(f"Give rates for every side and for no other; look at {odd}.")
        each = dict(rates)
    else:
        each = dict.fromkeys(sides, rates)
    grids = {}
    for side, grid in each.items():
        grid = grid if isinstance(grid, Mapping) else {"rate": grid}
        grids[side] = {name: sorted(np.asarray(values, float).tolist()) for name, values in grid.items()}
        for name, values in grids[side].items():
            if len(values) < 3 or len(set(values)) < len(values):
                raise ValueError(f"The grid of {side} needs three different values of {name} or more; got {values}.")
    return {side: grids[side] for side in sides}


def _seeds(tuning: int | Iterable[int], seeds: int | Iterable[int] | None) -> tuple[list[int], list[int]]:
    if seeds is None:
        return [], []
    listed = lambda given, first: [*range(first, first + given)] if isinstance(given, int) else [int(s) for s in given]
    chosen, fresh = listed(tuning, 0), listed(seeds, FRESH)
    if not chosen or len(fresh) < 2:
        raise ValueError("A comparison needs a seed to choose the rates with, and two or more fresh ones.")
    for name, some in (("tuning", chosen), ("verdict", fresh)):
        if len(set(some)) < len(some):
            raise ValueError(f"Two of the {name} seeds are equal: {some}.")
    if both := sorted(set(chosen) & set(fresh)):
        raise ValueError(
            f"Seeds {', '.join(map(str, both))} choose the rates and give the verdict: a rate chosen on a seed looks "
            "better there than it is. Take other seeds for the verdict."
        )
    return chosen, fresh


def _call(side: Callable, named: bool, random: bool, *, seed: int, **settings: Any) -> Any:
    """One run: a side with one rate is called by position, one with more settings by name."""
    if named:
        return side(**settings, **({"seed": seed} if random else {}))
    return side(settings["rate"], seed) if random else side(settings["rate"])


def _runs(name: str, side: Callable, grid: dict[str, list], seeds: list[int], batched: bool, unit: str, **how: Any):
    """What the runs of a side return, name -> (settings…, seeds or one, examples…)."""
    shape = (*map(len, grid.values()), len(seeds) or 1)
    if batched:
        rate = np.array(grid["rate"])
        found = side(rate[:, None, None], np.array(seeds)[:, None]) if seeds else side(rate[:, None])
        found = dict(found) if isinstance(found, Mapping) else {"score": found}
        found = {k: np.asarray(v, float) for k, v in found.items()}
        if not seeds:
            found = {k: v[:, None] if v.ndim else v for k, v in found.items()}
    else:
        run = partial(_call, side, [*grid] != ["rate"], bool(seeds))
        table = sweep(run, grid, seeds or [0], **how)
        found = {"score" if k == "value" else k: table.grid(k).astype(float) for k in table.columns if k != "seed"}
    if "score" not in found:
        raise ValueError(f"A run returns its score, or a dict with 'score' and {unit!r}; {name} gave {list(found)}.")
    scores = found["score"]
    if scores.shape[: len(shape)] != shape or scores.ndim > len(shape) + 1:
        raise ValueError(
            f"{name} returned scores of the shape {scores.shape}; {shape} was expected, with one axis more for test "
            "examples."
        )
    return found


def _best(name: str, grid: dict[str, list], tuned: np.ndarray, better: str) -> tuple[int, ...]:
    """Where the best mean is; of equal ones next to each other the middle. Raises ValueError at an edge."""
    loss = tuned if better == "lower" else -tuned
    loss = np.where(np.isnan(loss), np.inf, loss)
    if not np.isfinite(loss).any():
        raise ValueError(f"No setting of {name} ended in a number on every seed: extend its grid to smaller rates.")
    equal = np.argwhere(loss == loss.min())
    at = tuple(int(k) for k in equal[len(equal) // 2])
    for k, (setting, values) in zip(at, grid.items(), strict=True):
        if 0 < k < len(values) - 1 or (k == 0 and values[0] == 0):  # below 0 there is nothing to try
            continue
        before, last = (values[1], values[0]) if k == 0 else values[-2:]
        more = [last * (last / before) ** n if before * last > 0 else last + n * (last - before) for n in (1, 2)]
        end = "smallest" if k == 0 else "largest"
        raise ValueError(
            f"The best {setting} of {name} is {last:.4g}, the {end} of its grid, so the best may lie beyond. "
            f"Extend the grid of {name}, with {more[0]:.4g} and {more[1]:.4g}."
        )
    return at


def _spent(sides: Mapping, budget: Any, counted: dict[str, Any], unit: str, unequal: str) -> dict[str, float]:
    """side -> what a run spends; ValueError when that differs and nobody said why."""
    if budget == "counted":
        missing = [name for name, value in counted.items() if value is None]
        if missing:
            raise ValueError(f"To be counted, {unit} must be in what {', '.join(missing)} returns, beside 'score'.")
        spent = {name: float(np.mean(value)) for name, value in counted.items()}
    else:
        spent = dict(budget) if isinstance(budget, Mapping) else dict.fromkeys(sides, budget)
        if set(spent) != set(sides):
            raise ValueError(f"Give the budget of every side: {', '.join(sides)}; got {', '.join(map(str, spent))}.")
    least, most = min(spent, key=spent.__getitem__), max(spent, key=spent.__getitem__)
    if spent[most] > 1.01 * spent[least] and not unequal:
        raise ValueError(
            f"{most} spends {spent[most] / spent[least]:.3g} times the {unit} of {least}, {spent[most]:g} against "
            f"{spent[least]:g}: give both the same, or say in `unequal` why not."
        )
    if spent[most] <= 1.01 * spent[least] and unequal:
        raise ValueError(f"The budgets are equal, so `unequal` has nothing to say; it says {unequal!r}.")
    return {name: spent[name] for name in sides}


def compare(
    question: str,
    sides: Mapping[str, Callable],
    rates: Any,
    *,
    budget: Any,
    unit: str = "steps",
    unequal: str = "",
    score: str = "loss",
    better: str = "lower",
    ratio: bool = False,
    tuning: int | Iterable[int] = 3,
    seeds: int | Iterable[int] | None = 10,
    test_size: int | None = None,
    margin: float = 0.0,
    reference: str | None = None,
    batched: bool = False,
    n_jobs: int = 1,
    cache: str | Path | None = None,
    progress: bool | None = None,
) -> Comparison:
    """Choose the best rate of each side on the tuning seeds, then compare the sides at these rates on fresh seeds.

    sides: name -> function `(rate, seed) -> score`; all randomness comes from the seed, and equal seeds give all
    sides the same data, start and noise, which pairs the runs. rates: a grid for all, or name -> grid. A grid is a
    list of rates, or a dict keyword -> values when more than the rate is tuned; the side is then called by keyword.
    budget: what a run spends, in `unit`: a number, name -> number, or "counted": each run returns
    {"score": …, unit: …}. unequal: why budgets differ, when they must. A run may also return {"score": …,
    "validation": …}: rates are then judged by the validation score, and the verdict by the other.

    score: what is measured. better: "lower" or "higher". ratio: compare by factors (of positive scores: pairs are
    then differences of logarithms, back as side/reference) instead of differences. tuning, seeds: a number, or the
    seeds themselves; seeds=None for runs without chance, functions `rate -> score`: one difference, no interval.
    A score may be (n,), a value for each of n test examples (right or wrong, say): their mean is the score, and the
    error that the choice of these n adds is taken from the same pairs. With accuracies alone, test_size=n gives an
    upper bound of it, that of independent test sets. margin: a mean difference smaller than this is a tie (of a
    ratio: a factor below 1 + margin). reference: the side all others are compared with, the first by default;
    "best": the one with the best score on the tuning seeds. Of k comparisons each has the level 1 - 0.05/k
    (Bonferroni), so that all k intervals hold together with 95 %.

    batched: each side is called once for all, with rates (rates, 1, 1) and seeds (seeds, 1), as `descend` takes them,
    and returns (rates, seeds), or (rates, seeds, n); without chance, rates (rates, 1) and (rates,).
    n_jobs, cache, progress: as in `sweep`.

    Rates are judged by their mean over the tuning seeds (of logarithms, for a ratio); one that ends in inf or nan on
    any seed is out. Raises ValueError when the best rate is at an edge of the grid, with the next values to try; when
    seeds are used twice, budgets differ without a word, or a fresh run does not end in a number.
    """
    sides = dict(sides)
    if len(sides) < 2 or not all(map(callable, sides.values())):
        raise ValueError("A comparison needs two sides or more, name -> function of a rate and a seed.")
    if better not in ("lower", "higher"):
        raise ValueError(f"`better` is 'lower' or 'higher', not {better!r}.")
    reference = reference or next(iter(sides))
    if reference not in (*sides, "best"):
        raise ValueError(f"The reference {reference!r} is none of {', '.join(sides)}.")
    grids = _grids(sides, rates)
    if batched and any([*grid] != ["rate"] for grid in grids.values()):
        raise ValueError("Batched runs are tuned over the rate alone.")
    chosen, fresh_seeds = _seeds(tuning, seeds)
    how: dict[str, Any] = {} if batched else dict(n_jobs=n_jobs, cache=cache, progress=progress)
    run = lambda name, grid, some: _runs(name, sides[name], grid, some, batched, unit, **how)

    tuned_runs, tuned, best, fresh, counted = {}, {}, {}, {}, {}
    with np.errstate(all="ignore"):  # too long steps overflow, and are out
        for name in sides:
            found = run(name, grids[name], chosen)
            scores = found.get("validation", found["score"])
            tuned_runs[name] = scores if scores.ndim == len(grids[name]) + 1 else scores.mean(axis=-1)
            tuned[name] = np.exp(np.log(tuned_runs[name]).mean(axis=-1)) if ratio else tuned_runs[name].mean(axis=-1)
            at = _best(name, grids[name], tuned[name], better)
            best[name] = {k: values[i] for i, (k, values) in zip(at, grids[name].items(), strict=True)}
            if chosen:
                found = run(name, {k: [value] for k, value in best[name].items()}, fresh_seeds)
                at = (0,) * len(at)
            fresh[name], counted[name] = found["score"][at], found.get(unit)
    spent = _spent(sides, budget, counted, unit, unequal)
    _check_scores(fresh, best, fresh_seeds, ratio, test_size)
    if reference == "best":
        overall = {name: (min if better == "lower" else max)(tuned[name][np.isfinite(tuned[name])]) for name in sides}
        reference = (min if better == "lower" else max)(overall, key=overall.__getitem__)
    level = 1 - 0.05 / (len(sides) - 1)
    asked = dict(better=better, ratio=ratio, margin=margin, level=level, seeds=fresh_seeds, test_size=test_size)
    others = [name for name in sides if name != reference]
    differences = {name: difference(name, reference, fresh[name], fresh[reference], asked) for name in others}
    size = next((f.shape[1] for f in fresh.values() if f.ndim == 2), test_size)
    return Comparison(
        question, score, better, ratio, unit, spent, unequal, grids, best, tuned_runs, tuned,
        {name: f if f.ndim == 1 else f.mean(axis=-1) for name, f in fresh.items()},
        chosen, fresh_seeds, size, margin, level, reference, differences,
    )  # fmt: skip


def _check_scores(
    fresh: dict[str, np.ndarray], best: dict, seeds: list[int], ratio: bool, test_size: int | None
) -> None:
    for name, scores in fresh.items():
        means = scores if scores.ndim == 1 else scores.mean(axis=-1)
        bad = ~np.isfinite(means)
        if bad.any():
            where = ", ".join(str(seed) for seed, b in zip(seeds, bad, strict=True) if b)
            raise ValueError(
                f"{name} at {best[name]} does not end in a number on the fresh seeds {where}: its best rate is too "
                "near to divergence. Choose it on more tuning seeds, or return a score that a diverged run deserves."
            )
        if ratio and (means <= 0).any():
            raise ValueError(f"A ratio needs positive scores; {name} has {means.min():g}.")
        if test_size and (means.min() < 0 or means.max() > 1):
            raise ValueError(f"test_size is for accuracies, from 0 to 1; {name} has scores up to {means.max():g}.")
    if len({f.shape for f in fresh.values()}) > 1:
        raise ValueError(f"Sides return scores of different shapes: {', '.join(str(f.shape) for f in fresh.values())}.")
    constant = all((f == f[:1]).all() for f in fresh.values())
    if seeds and constant and len({float(f.mean()) for f in fresh.values()}) > 1:
        raise ValueError(
            "Every seed gives the same score: use the seed in the runs; or, where nothing is random, say seeds=None."
        )
