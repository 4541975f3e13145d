"""The grammar of update rules: what a signature says, how rules are applied, composed and traced.

The signature is the specification. The first argument is the gradient `g`, shape `(…, n)`; positional arguments with
defaults are the state and its initial value; keyword-only arguments are the hyper-parameters. A rule that names `w`
(parameters) or `t` (step, from 1) is handed them. It returns `d`, or `d` followed by the new state, and writes into
nothing it was given. A first argument called `G` says that the rule takes whole matrices, shape `(…, m, n)`; a state
default that is a function makes the initial state from the gradient.

>>> def my_rule(g, m=0.0, *, beta=0.5):
...     m = beta * m + g
...     return m, m
>>> spec(my_rule).hyper
{'beta': 0.5}
"""

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .symbolic import TraceError, trace

__all__ = ["apply", "chain", "name_of", "spec"]


class Spec(NamedTuple):
    """What a rule's signature says."""

    state: dict[str, Any]  # name -> initial value, or a function of the gradient
    hyper: dict[str, float]  # name -> default
    uses_w: bool
    uses_t: bool
    takes_matrices: bool


#: The values that make sense for a hyper-parameter of the course's rules: name -> (lowest, highest, highest allowed?).
RANGES: dict[str, tuple[float, float, bool]] = {
    "lr": (0.0, np.inf, False),
    "beta": (0.0, 1.0, False),
    "beta1": (0.0, 1.0, False),
    "beta2": (0.0, 1.0, False),
    "rho": (0.0, 1.0, False),
    "psi": (0.0, np.inf, False),
    "eps": (0.0, np.inf, False),
    "weight_decay": (0.0, np.inf, False),
    "max_norm": (0.0, np.inf, True),
    "max_value": (0.0, np.inf, True),
    "coefficient": (0.0, np.inf, False),
    "std": (0.0, np.inf, False),
}


def name_of(rule: Callable) -> str:
    """The name under which a rule is shown: its own, or that of the function inside a partial."""
    return getattr(rule, "__name__", None) or name_of(rule.func) if hasattr(rule, "func") else rule.__name__


@lru_cache(maxsize=512)
def spec(rule: Callable) -> Spec:
    """Read a rule's signature; raises TypeError with what to change when it is not one of a rule."""
    parameters = list(inspect.signature(rule).parameters.values())
    name = name_of(rule)
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        raise TypeError(f"{name} takes *args or **kwargs; a rule names its state and its hyper-parameters.")
    positional = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    keywords = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    if not positional or positional[0].default is not inspect.Parameter.empty:
        raise TypeError(f"{name} needs the gradient as its first argument, as in def {name}(g, …).")
    for p in positional[1:]:
        if p.default is inspect.Parameter.empty:
            raise TypeError(f"{name}: state '{p.name}' needs its initial value, as in {p.name}=0.0.")
    hyper = {k: d for k, d in keywords.items() if k not in ("w", "t")}
    for k, default in hyper.items():
        if default is inspect.Parameter.empty:
            raise TypeError(f"{name}: hyper-parameter '{k}' needs a default value.")
    state = {p.name: p.default for p in positional[1:]}
    return Spec(state, hyper, "w" in keywords, "t" in keywords, positional[0].name == "G")


def apply(rule: Callable, g, state, keywords: Mapping) -> tuple:
    """Call `rule` with those of `keywords` that it names; always returns `(d, *new_state)`."""
    s = spec(rule)
    named = {k: v for k, v in keywords.items() if k in s.hyper or (k == "w" and s.uses_w) or (k == "t" and s.uses_t)}
    result = rule(g, *state, **named)
    result = result if isinstance(result, tuple) else (result,)
    if len(result) != 1 + len(s.state) or any(r is None for r in result):
        expected = ", ".join(["d", *s.state])
        raise TypeError(f"{name_of(rule)} must return {expected}: the direction and each new state.")
    return result


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
        state = state or tuple(i for s in specs for i in s.state.values())
        for link, s in zip(links, specs, strict=True):
            g, *kept = apply(link, g, state[len(new) : len(new) + len(s.state)], keywords)
            new += kept
        return (g, *new) if new else g

    P, E = inspect.Parameter, inspect.Parameter.empty
    gradient = "G" if any(s.takes_matrices for s in specs) else "g"
    chained.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [P(gradient, P.POSITIONAL_OR_KEYWORD)]
        + [P(k, P.POSITIONAL_OR_KEYWORD, default=v) for k, v in state.items()]
        + [P("w", P.KEYWORD_ONLY) for _ in range(any(s.uses_w for s in specs))]
        + [P("t", P.KEYWORD_ONLY) for _ in range(any(s.uses_t for s in specs))]
        + [P(k, P.KEYWORD_ONLY, default=v if v is not E else E) for k, v in hyper.items()]
    )
    chained.__name__ = name or "_".join(name_of(link) for link in links)
    chained.__doc__ = f"{' → '.join(name_of(link) for link in links)}, composed by `chain`."
    return chained


# ----------------------------------------------------------------------------------------------- the same, traced


@lru_cache(maxsize=512)
def _trace_rule(rule: Callable, n: int):
    s = spec(rule)
    if s.takes_matrices:
        raise TraceError(f"{name_of(rule)} takes whole matrices; the page runs rules that take a point.")
    for k, v in [*s.state.items(), *s.hyper.items()]:
        if isinstance(v, bool) or not isinstance(v, (int, float)):
            raise TraceError(f"{name_of(rule)}: '{k}' must start from a number to be traced, not {v!r}.")
    names = ["d", *s.state]

    def step(g, *state, **keywords):
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
    keywords: dict[str, tuple[int, ...]] = {"w": (n,)} if s.uses_w else {}
    keywords |= {"t": ()} if s.uses_t else {}
    return trace(step, *[(n,)] * (1 + len(s.state)), **keywords, **dict.fromkeys(s.hyper, ()))


def rule_program(rule: Callable, n: int = 2) -> dict:
    """A rule as a JavaScript program on points of dimension `n` (see `Trace.program`).

    Inputs: g, each state, w and t where named, the hyper-parameters. Outputs: d, then the states in the same order.
    `state0` holds the initial state, flat; `hyper` the names and defaults.
    """
    s = spec(rule)
    program = _trace_rule(rule, n).program()
    state0 = [float(v) for v in s.state.values() for _ in range(n)]
    return program | {"state0": state0, "hyper": [{"name": k, "default": v} for k, v in s.hyper.items()]}


def is_elementwise(rule: Callable) -> bool:
    """Whether component k of the direction depends on component k alone; such rules may run in blocks.

    >>> from optcore import adam, clip_norm
    >>> is_elementwise(adam), is_elementwise(clip_norm)
    (True, False)
    """
    try:
        return _trace_rule(rule, 3).is_elementwise()
    except TraceError:
        return False
