"""`Optimizer`: update rules for arrays that change in place, as networks and programs in PyTorch's form have them."""

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from .hyper import at, check_hyper
from .rule_spec import apply, fused_loop, initial, is_elementwise, name_of, spec
from .support import as_numbers, explains, whole

__all__ = ["Optimizer"]

_LONG = 1 << 18  # numbers, from which a loop that Numba compiles is worth its second of compilation
_BLOCK = 1 << 17  # bytes per block: temporaries stay in the processor's cache, and malloc need not ask the system


class Optimizer:
    """The PyTorch-shaped doorway to the same rules: holds parameters and state, and steps in place.

    params: one array, or a list or dict of arrays (contiguous, float); grads has the same form. A rule sees each
    array as one flat vector, so norms are per layer; element-wise rules run in blocks, with the same bits. Rules
    whose first argument is `G` see each array as the matrix it is. float16 is computed as float32.

    overrides: another (rule, lr) or (rule, lr, hyper) for some parameters, by key, or for all "matrices" or "vectors".
    accumulate: so many gradients make one step, from their mean.
    fused: element-wise rules as one compiled loop over each array, to within a unit in the last place of the same
    values, where Numba is installed (`pip install "optcore[fast]"`). None: for arrays that are long. The first step
    compiles for some seconds; the machine code is kept in ~/.cache/optcore for the next session.

    `state()` gives all that a next step depends on besides parameters and settings, as arrays and whole numbers;
    `load_state` takes it back, so that a run cut in two makes the steps of one, bit for bit. Optimizers also pickle.

    >>> w = np.array([1.0, 1.0])
    >>> from optcore import gd
    >>> Optimizer(gd, w, lr=0.1).step(np.array([1.0, -1.0]))
    >>> w
    array([0.9, 1.1])
    """

    @explains
    def __init__(
        self,
        rule: Callable,
        params: Any,
        lr: Any = 1e-3,
        *,
        overrides: Mapping[Any, tuple] | None = None,
        accumulate: int = 1,
        fused: bool | None = None,
        **hyper: Any,
    ):
        check_hyper(rule, {"lr": lr} | hyper)
        self.rule, self.lr, self.hyper, self.t = rule, lr, hyper, 0
        self._every, self._seen = whole("accumulate", accumulate), 0
        self._params = _named(params)
        _check_arrays(self._params)
        self._others = []
        taken = _overridden(self._params, overrides or {})
        for settings in {id(settings): settings for settings in taken.values()}.values():
            meant = {key: self._params[key] for key in taken if taken[key] is settings}
            other, rate, *more = settings
            own, loop = more[0] if more else {}, fused and is_elementwise(other)
            self._others.append(Optimizer(other, meant, rate, accumulate=accumulate, fused=loop, **own))
        self._own = {key: w for key, w in self._params.items() if key not in taken}
        self._state: dict[Any, list] = {}
        self._sums: dict[Any, np.ndarray] = {}
        self._asked: tuple = ()
        self._blocks = is_elementwise(rule)
        self._fused = fused
        if fused and fused_loop(rule, "float32") is None:
            raise ValueError(f"No loop can be compiled for {name_of(rule)}: it needs Numba and an element-wise rule.")
        for key, w in self._own.items():
            if spec(rule).takes_matrices and w.ndim != 2:
                raise ValueError(
                    f"{name_of(rule)} takes matrices and parameter {key!r} has shape {w.shape}; give the vectors "
                    "another rule, as in overrides={'vectors': (adam, 1e-3)}."
                )

    def now(self) -> dict[str, float]:
        """The learning rate and the given hyper-parameters of the coming step; a schedule is asked once for it."""
        settings = {"lr": self.lr, **self.hyper}
        asked = (self.t, *settings.values())
        if not self._asked or self._asked[0] != asked:
            self._asked = asked, {name: _one(name, at(name, v, self.t)) for name, v in settings.items()}
        return self._asked[1]

    def step(self, grads: Any) -> None:
        """One update of every parameter from its gradient, or its part of one (`accumulate`)."""
        grads = _named(grads)
        if grads.keys() != self._params.keys():
            raise ValueError(f"Gradients are for {list(grads)}, parameters are {list(self._params)}.")
        arrays = {key: _gradient_of(key, w, grads[key]) for key, w in self._params.items()}
        for other in self._others:
            other.step({key: arrays[key] for key in other._params})
        if self._every > 1:
            for key in self._own:
                self._sums[key] = self._sums[key] + arrays[key] if self._seen else arrays[key].copy()
            self._seen = (self._seen + 1) % self._every
            if self._seen:
                return
            arrays = {key: total / self._every for key, total in self._sums.items()}
        now = self.now()
        self.t += 1
        for key, w in self._own.items():
            self._update(key, w, arrays[key], now)

    def _update(self, key: Any, w: np.ndarray, g: np.ndarray, now: dict[str, float]) -> None:
        if not spec(self.rule).takes_matrices:
            w, g = w.reshape(-1), g.reshape(-1)
        work = np.promote_types(w.dtype, np.float32)  # ε = 1e-8 is 0 in float16
        size = _BLOCK // w.itemsize if self._blocks else max(len(w), 1)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            if key not in self._state:
                begun = initial(self.rule, g.astype(work, copy=False), w.astype(work, copy=False))
                self._state[key] = [_apart(v, g, w) for v in begun]
            state = self._state[key]
            wanted = w.size >= _LONG if self._fused is None else self._fused
            if wanted and self._blocks and (loop := fused_loop(self.rule, w.dtype.name)):
                numbers = spec(self.rule).hyper | now | {"t": self.t}
                loop[0](w, g, *state, *(float(numbers[name]) for name in loop[1]))
                return
            for i in range(0, len(w), size):
                part = slice(i, i + size)
                w_i, g_i = w[part].astype(work, copy=False), g[part].astype(work, copy=False)
                held = [s[part] for s in state] if self._blocks else state
                d, *new = apply(self.rule, g_i, held, now | {"w": w_i, "t": self.t})
                new = [_apart(v, g_i, w_i, *held) for v in new]
                if self._blocks:
                    for s, value in zip(state, new, strict=True):
                        s[part] = value
                else:
                    self._state[key] = new
                w[part] -= now["lr"] * d

    def state(self) -> dict[str, Any]:
        """What to save: "t", and "key.name" -> array for each thing that the rule remembers of a parameter.

        >>> from optcore import momentum
        >>> opt = Optimizer(momentum, {"w": np.ones(2)}, lr=0.1)
        >>> opt.step({"w": np.array([1.0, 2.0])})
        >>> opt.state()
        {'t': 1, 'w.u': array([1., 2.])}
        """
        saved: dict[str, Any] = {"t": self.t}
        for optimizer in (self, *self._others):
            names = spec(optimizer.rule).state
            for key, arrays in optimizer._state.items():
                saved |= {f"{key}.{name}": array.copy() for name, array in zip(names, arrays, strict=True)}
            if optimizer._seen:
                saved |= {f"{key}.sum of {optimizer._seen}": total.copy() for key, total in optimizer._sums.items()}
        return saved

    def load_state(self, saved: Mapping[str, Any]) -> None:
        """Take back what `state` gave, to an Optimizer of the same rule and parameters.

        Raises ValueError, and changes nothing, when the names or shapes are not those of this one.
        """
        if "t" not in saved:
            raise ValueError("This is not what state() gave: it holds no 't'.")
        t = whole("t", np.asarray(saved["t"]).item(), 0)
        rest, found = {name: np.asarray(v) for name, v in saved.items() if name != "t"}, []
        for optimizer in (self, *self._others):
            state, sums, seen = {}, {}, 0
            for key, w in optimizer._own.items():
                names = [f"{key}.{name}" for name in spec(optimizer.rule).state] if t else []
                if missing := [name for name in names if name not in rest]:
                    raise ValueError(f"The saved state has no {missing[0]!r}; it holds: {', '.join(saved)}.")
                state[key] = [rest.pop(name).copy() for name in names]
                for name, array in zip(names, state[key], strict=True):
                    if optimizer._blocks and array.shape != (w.size,):
                        raise ValueError(f"{name!r} has shape {array.shape}; parameter {key!r} has {w.size} numbers.")
                for name in [name for name in rest if name.startswith(f"{key}.sum of ")]:
                    sums[key], seen = rest.pop(name).copy(), int(name.rpartition(" ")[2])
            found.append((optimizer, state if t else {}, sums, seen))
        if rest:
            raise ValueError(f"The saved state has {next(iter(rest))!r}, of which this Optimizer knows nothing.")
        for optimizer, state, sums, seen in found:
            optimizer.t, optimizer._state, optimizer._sums, optimizer._seen = t, state, sums, seen


def _apart(value: Any, *others: np.ndarray) -> Any:
    """What a rule remembers: a copy where it is a view of arrays that change before the next step."""
    shared = getattr(value, "base", value) is not None and any(np.may_share_memory(value, other) for other in others)
    return value.copy() if shared else value


def _one(name: str, value: Any) -> float:
    if np.size(value) != 1:
        raise ValueError(f"{name} must be one number here, not {np.size(value)}; batches of runs are for descend.")
    return float(np.ravel(value)[0])


def _gradient_of(key: Any, w: np.ndarray, g: Any) -> np.ndarray:
    g = as_numbers(f"The gradient of {key!r}", g).astype(w.dtype, copy=False)
    if g.shape != w.shape:
        raise ValueError(f"The gradient of {key!r} has shape {g.shape}; the parameter has {w.shape}.")
    return g


def _check_arrays(params: Mapping[Any, Any]) -> None:
    for key, w in params.items():
        fits = isinstance(w, np.ndarray) and w.dtype.kind == "f" and w.flags.c_contiguous and w.flags.writeable
        if not fits:
            raise TypeError(
                f"Parameter {key!r} must be a contiguous float array that may be written: it changes in place."
            )
    for (a, v), (b, w) in combinations(params.items(), 2):
        if np.may_share_memory(v, w):
            raise ValueError(f"Parameters {a!r} and {b!r} share memory and would step twice; give the array once.")


def _overridden(params: Mapping[Any, np.ndarray], overrides: Mapping[Any, tuple]) -> dict[Any, tuple]:
    """Key -> (rule, lr) or (rule, lr, hyper) of each parameter that has its own."""
    kinds = {"vectors": lambda w: w.ndim < 2, "matrices": lambda w: w.ndim >= 2}
    taken: dict[Any, tuple] = {}
    for key, settings in overrides.items():
        if key not in kinds and key not in params:
            names = ", ".join(map(str, params))
            raise ValueError(f"There is no parameter {key!r}; there are: vectors, matrices, {names}.")
        if not isinstance(settings, tuple) or not 2 <= len(settings) <= 3:
            raise TypeError(f"overrides[{key!r}] must be (rule, lr) or (rule, lr, hyper); it was {settings!r}.")
        meant = [key] if key in params else [name for name, w in params.items() if kinds[key](w)]
        taken |= dict.fromkeys(meant, settings)
    return taken


def _named(arrays: Any) -> dict:
    if isinstance(arrays, Mapping):
        return dict(arrays)
    return dict(enumerate(arrays)) if isinstance(arrays, (list, tuple)) else {0: arrays}
