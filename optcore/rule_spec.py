"""The grammar of update rules: what a signature says, how rules are applied, composed and traced.

The signature is the specification. The first argument is the gradient `g`, shape `(…, n)`; positional arguments with
defaults are the state and its initial value; keyword-only arguments are the hyper-parameters. A rule that names `w`
(parameters), `t` (step, from 1) or `lr` is handed them. It returns `d`, or `d` followed by the new state, and writes
into nothing it was given. A first argument called `G` says that the rule takes whole matrices, shape `(…, m, n)`; the
state default "w" starts from the parameters, and one that is a function makes the initial state from the gradient.

>>> def my_rule(g, m=0.0, *, beta=0.5):
...     m = beta * m + g
...     return m, m
>>> spec(my_rule).hyper
{'beta': 0.5}
"""

import inspect
from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .support import pickles
from .symbolic import TraceError, to_numba, trace

__all__ = ["apply", "chain", "spec"]


#: What a rule is handed when it names it: the parameters, the step from 1, the learning rate.
HANDED = ("w", "t", "lr")


class Spec(NamedTuple):
    """What a rule's signature says."""

    state: dict[str, Any]  # name -> initial value, "w" for the parameters, or a function of the gradient
    hyper: dict[str, float]  # name -> default
    handed: tuple[str, ...]  # of w, t and lr those that it names
    takes_matrices: bool


def name_of(rule: Callable) -> str:
    """The name under which a rule is shown: its own, that of the function inside a partial, or of an object's class."""
    inner = getattr(rule, "func", None)
    return getattr(rule, "__name__", None) or (name_of(inner) if inner else type(rule).__name__)


def spec(rule: Callable) -> Spec:
    """Read a rule's signature; raises TypeError with what to change when it is not one of a rule."""
    if not callable(rule) or isinstance(rule, type):
        raise TypeError(f"A rule is a function such as optcore.adam, not {rule!r}.")
    return _spec(rule) if isinstance(rule, Hashable) else _spec.__wrapped__(rule)


@lru_cache(maxsize=512)
def _spec(rule: Callable) -> Spec:
    name = name_of(rule)
    try:
        parameters = list(inspect.signature(rule).parameters.values())
    except ValueError:
        raise TypeError(f"{name} does not tell its arguments; write a rule as def my_rule(g, …).") from None
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        raise TypeError(f"{name} takes *args or **kwargs; a rule names its state and its hyper-parameters.")
    positional = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    keywords = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    if not positional or positional[0].default is not inspect.Parameter.empty:
        raise TypeError(f"{name} needs the gradient as its first argument, as in def {name}(g, …).")
    for p in positional[1:]:
        if p.default is inspect.Parameter.empty or (isinstance(p.default, str) and p.default != "w"):
            raise TypeError(f"{name}: state '{p.name}' needs its initial value, as in {p.name}=0.0 or {p.name}=\"w\".")
    hyper = {k: d for k, d in keywords.items() if k not in HANDED}
    for k, default in hyper.items():
        if default is inspect.Parameter.empty:
            raise TypeError(f"{name}: hyper-parameter '{k}' needs a default value.")
    state = {p.name: p.default for p in positional[1:]}
    return Spec(state, hyper, tuple(k for k in HANDED if k in keywords), positional[0].name == "G")


def initial(rule: Callable, g: np.ndarray, w: np.ndarray) -> list:
    """The state before the first step, from the first gradient and the parameters."""
    make = lambda v: w.copy() if isinstance(v, str) else v(g) if callable(v) else np.full_like(g, v)
    return [make(v) for v in spec(rule).state.values()]


def apply(rule: Callable, g, state, keywords: Mapping) -> tuple:
    """Call `rule` with those of `keywords` that it names; always returns `(d, *new_state)`."""
    s = spec(rule)
    named = {k: v for k, v in keywords.items() if k in s.hyper or k in s.handed}
    result = rule(g, *state, **named)
    result = result if isinstance(result, tuple) else (result,)
    if len(result) != 1 + len(s.state) or any(r is None for r in result):
        expected = ", ".join(["d", *s.state])
        raise TypeError(f"{name_of(rule)} must return {expected}: the direction and each new state.")
    return result


@pickles
def chain(*links: Callable, name: str | None = None) -> Callable:
    """Compose rules and links from left to right: the direction of one is the gradient of the next.

    Order carries meaning: `chain(decay, adam)` is Adam with an L2 penalty, `chain(adam, decay)` is AdamW.
    States are kept apart; links that name the same hyper-parameter share it.

    >>> from optcore import clip_norm, momentum
    >>> clipped = chain(clip_norm, momentum)
    >>> clipped(np.array([30.0, 40.0]), max_norm=5.0)[0].round(3)
    array([3., 4.])
    """
    specs = [spec(link) for link in links]
    state: dict[str, Any] = {}
    hyper: dict[str, float] = {}
    for s in specs:
        for key, initial in s.state.items():
            unique = key
            while unique in state:
                unique += "_"
            state[unique] = initial
        for key, default in s.hyper.items():
            if hyper.setdefault(key, default) != default:
                raise ValueError(f"Two links share '{key}' with different defaults ({hyper[key]} and {default}).")

    def chained(g, *state, **keywords):
        new: list = []
        state = state or tuple(keywords["w"] if v == "w" else v for s in specs for v in s.state.values())
        for link, s in zip(links, specs, strict=True):
            g, *kept = apply(link, g, state[len(new) : len(new) + len(s.state)], keywords)
            new += kept
        return (g, *new) if new else g

    P, E = inspect.Parameter, inspect.Parameter.empty
    gradient = "G" if any(s.takes_matrices for s in specs) else "g"
    chained.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [P(gradient, P.POSITIONAL_OR_KEYWORD)]
        + [P(k, P.POSITIONAL_OR_KEYWORD, default=v) for k, v in state.items()]
        + [P(k, P.KEYWORD_ONLY) for k in HANDED if any(k in s.handed for s in specs)]
        + [P(k, P.KEYWORD_ONLY, default=v if v is not E else E) for k, v in hyper.items()]
    )
    chained.__name__ = name or "_".join(name_of(link) for link in links)
    chained.__doc__ = f"{' → '.join(name_of(link) for link in links)}, composed by `chain`."
    return chained


# ----------------------------------------------------------------------------------------------- the same, traced


@lru_cache(maxsize=512)
def trace_rule(rule: Callable, n: int):
    s = spec(rule)
    if s.takes_matrices:
        raise TraceError(f"{name_of(rule)} takes whole matrices; the page runs rules that take a point.")
    from_w = [v == "w" for v in s.state.values()]
    for k, v in [*s.state.items(), *s.hyper.items()]:
        if v != "w" and (isinstance(v, bool) or not isinstance(v, (int, float))):
            raise TraceError(f"{name_of(rule)}: '{k}' must start from a number to be traced, not {v!r}.")
    names = ["d", *s.state]

    def step(g, *state, **keywords):
        if any(from_w):  # the page starts every state from a number; at the first step this one is the parameters
            begun = lambda v: np.where(keywords["t"] == 1, keywords["w"], v)
            state = tuple(begun(v) if is_w else v for v, is_w in zip(state, from_w, strict=True))
        results = apply(rule, g, state, keywords)
        for name, result in zip(names, results, strict=True):
            if np.shape(result) not in ((), (1,), (n,)):
                raise TraceError(
                    f"{name_of(rule)} returned '{name}' of shape {np.shape(result)} for a gradient of shape ({n},)."
                )
        return {name: result + np.zeros(n) for name, result in zip(names, results, strict=True)}

    step.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(k, inspect.Parameter.POSITIONAL_OR_KEYWORD) for k in ("g", *s.state)]
    )
    handed = {*s.handed, *(("w", "t") if any(from_w) else ())}
    keywords = {k: (n,) if k == "w" else () for k in HANDED if k in handed}
    return trace(step, *[(n,)] * (1 + len(s.state)), **keywords, **dict.fromkeys(s.hyper, ()))


def rule_program(rule: Callable, n: int = 2) -> dict:
    """A rule as a JavaScript program on points of dimension `n` (see `Trace.program`).

    Inputs: g, each state, w and t where named, the hyper-parameters. Outputs: d, then the states in the same order.
    `state0` holds the initial state, flat; `hyper` the names and defaults.
    """
    s = spec(rule)
    program = trace_rule(rule, n).program()
    state0 = [0.0 if v == "w" else float(v) for v in s.state.values() for _ in range(n)]
    return program | {"state0": state0, "hyper": [{"name": k, "default": v} for k, v in s.hyper.items()]}


def is_elementwise(rule: Callable) -> bool:
    """Whether component k of the direction depends on component k alone; such rules may run in blocks.

    >>> from optcore import adam, clip_norm
    >>> is_elementwise(adam), is_elementwise(clip_norm)
    (True, False)
    """
    try:
        return trace_rule(rule, 3).is_elementwise()
    except TraceError:
        return False


@lru_cache(maxsize=512)
def fused_loop(rule: Callable, dtype: str) -> tuple[Callable, tuple[str, ...]] | None:
    """An element-wise rule as one loop for Numba, and the names of the numbers it takes after w, g and the states.

    None where Numba is missing or the rule is not element-wise. See `symbolic.to_numba`.
    """
    if dtype not in ("float32", "float64") or not to_numba.has_numba() or not is_elementwise(rule):
        return None
    traced = trace_rule(rule, 1)
    source = to_numba.source(traced, [*spec(rule).state], dtype)
    return to_numba.compiled(source), tuple(to_numba.scalars(traced))
