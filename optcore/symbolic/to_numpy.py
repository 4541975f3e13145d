"""A trace as Python on NumPy's functions."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .operations import OPERATIONS


def replay(trace: Any) -> Callable:
    """The graph as straight-line Python, one argument for each scalar input; returns a tuple, one entry a component."""
    names = {i: f"x{k}" for k, i in enumerate(trace.input_nodes())}
    head, lines = ",".join(names.values()), []
    for i in trace.graph.reachable(trace.roots()):
        op, *args = trace.graph.nodes[i]
        if op == "const":
            names[i] = f"c{i}"
        elif op != "input":
            names[i] = f"t{i}"
            lines.append(f" t{i}={op}({','.join(names[a] for a in args)})")
    result = "".join(names[r] + "," for r in trace.roots())
    source = "\n".join([f"def replay({head}):", *lines, f" return ({result})"])
    space: dict[str, Any] = {name: getattr(np, name) for name in OPERATIONS}
    space |= {f"c{i}": n[1] for i, n in enumerate(trace.graph.nodes) if n[0] == "const"}
    exec(source, space)
    return space["replay"]
