"""A trace of one component as a loop for Numba, which reads and writes every array once."""

import hashlib
import importlib.util
import math
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

#: Operation -> how Python writes it for numbers of one type.
WRITTEN = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1}",
    "power": "{0} ** {1}",
    "negative": "-{0}",
    "absolute": "abs({0})",
    "sign": "np.sign({0})",
    "sqrt": "np.sqrt({0})",
    "exp": "np.exp({0})",
    "expm1": "np.expm1({0})",
    "log": "np.log({0})",
    "log1p": "np.log1p({0})",
    "sin": "np.sin({0})",
    "cos": "np.cos({0})",
    "tanh": "np.tanh({0})",
    "arctan": "np.arctan({0})",
    "minimum": "({0} if {0} <= {1} or {0} != {0} else {1})",
    "maximum": "({0} if {0} >= {1} or {0} != {0} else {1})",
    "where": "({1} if {0} else {2})",
    "floor": "np.floor({0})",
    "remainder": "np.remainder({0}, {1})",
    "less": "{0} < {1}",
    "less_equal": "{0} <= {1}",
    "greater": "{0} > {1}",
    "greater_equal": "{0} >= {1}",
    "equal": "{0} == {1}",
    "not_equal": "{0} != {1}",
    "logical_and": "({0} and {1})",
    "logical_or": "({0} or {1})",
    "logical_not": "(not {0})",
    "isfinite": "np.isfinite({0})",
}
TRUTHS = {"less", "less_equal", "greater", "greater_equal", "equal", "not_equal"}
TRUTHS |= {"logical_and", "logical_or", "logical_not", "isfinite"}
#: Where compiled loops are kept from one session to the next; the environment variable OPTCORE_FUSED names another.
CACHE = Path(os.environ.get("OPTCORE_FUSED", Path.home() / ".cache" / "optcore" / "fused"))


def source(trace: Any, states: Sequence[str], dtype: str) -> str:
    """A function `step(w, g, *states, *numbers)` that updates w and the states in place: `w -= lr·d`.

    The trace is that of a rule on one component: inputs g, the states, and w, of shape (1,), the rest numbers; outputs
    d and the states. As in NumPy, numbers are combined with each other in float64 and with arrays in the arrays' type.
    """
    numbers = scalars(trace)
    arrays = ["g", *states, "w"]
    names: dict[int, str] = {}
    met: dict[int, str] = {}  # numbers that meet arrays: converted once, before the loop
    vectors: set[int] = set()
    truths: set[int] = set()
    before: list[str] = []
    inside: list[str] = []

    def read(i: int, in_loop: bool) -> str:
        if not in_loop or i in vectors or i in truths:
            return names[i]
        return met.setdefault(i, f"n{len(met)}")

    for i in trace.graph.reachable(trace.roots()):
        op, *args = trace.graph.nodes[i]
        if op == "const":
            names[i] = repr(args[0]) if math.isfinite(args[0]) else f"float('{args[0]}')"
            truths |= {i} if isinstance(args[0], bool) else set()
        elif op == "input":
            names[i] = args[0] if args[0] in numbers else f"{args[0]}_i"
            vectors |= set() if args[0] in numbers else {i}
        else:
            in_loop = any(a in vectors for a in args)
            names[i] = f"t{i}"
            line = f"t{i} = {WRITTEN[op].format(*(read(a, in_loop) for a in args))}"
            (inside if in_loop else before).append(line)
            vectors |= {i} if in_loop else set()
            truths |= {i} if op in TRUTHS else set()
    outputs = {name: read(int(value.ids.ravel()[0]), True) for name, value in trace.outputs.items()}
    lines = [
        *before,
        *(f"{name} = real({names[i]})" for i, name in met.items()),
        "rate = real(lr)",
        "for i in range(w.size):",
        *(f"    {name}_i = {name}[i]" for name in arrays),
        *(f"    {line}" for line in inside),
        *(f"    {name}[i] = {outputs[name]}" for name in states),
        f"    w[i] = w_i - rate * {outputs['d']}",
    ]
    head = f"def step({', '.join(['w', 'g', *states, *numbers])}):"
    body = "\n".join(f"    {line}" for line in lines)
    decorator = "@numba.njit(cache=True, error_model='numpy')"
    return f"import numba\nimport numpy as np\n\nreal = np.{dtype}\n\n\n{decorator}\n{head}\n{body}\n"


def scalars(trace: Any) -> list[str]:
    """The names of the numbers that the loop takes after its arrays."""
    numbers = [name for name, value in trace.inputs.items() if value.shape == ()]
    return numbers if "lr" in numbers else [*numbers, "lr"]


@cache
def has_numba() -> bool:
    """Whether Numba is here and can be imported."""
    try:
        import numba  # noqa: F401
    except Exception:  # not installed, or not for this version of NumPy
        return False
    return True


def compiled(text: str) -> Callable:
    """The function of that source, compiled when first called; machine code is kept in `CACHE`, or with the process."""
    name = f"fused_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name].step
    path = CACHE / f"{name}.py"
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(f".{os.getpid()}.part")
            part.write_text(text, encoding="utf-8")
            part.replace(path)
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
        sys.modules[name] = module
        spec.loader.exec_module(module)  # type: ignore[union-attr]
        return module.step
    except OSError:  # nowhere to write
        space: dict[str, Any] = {}
        exec(text.replace("cache=True, ", ""), space)
        return space["step"]
