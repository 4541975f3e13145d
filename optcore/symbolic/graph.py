"""The graph of scalar operations that a trace is."""

import numpy as np


class TraceError(TypeError):
    """The traced code does something that has no counterpart in the graph; the message says what to write."""


class Graph:
    """Scalar nodes in the order they were made, which is a topological order; equal nodes are made once."""

    def __init__(self):
        self.nodes: list[tuple] = []  # (op, args…); ("const", value); ("input", name, position)
        self._known: dict[tuple, int] = {}

    def _add(self, node: tuple) -> int:
        # repr keeps 0.0 and -0.0 apart and makes nan equal to itself
        key = ("const", repr(node[1])) if node[0] == "const" else node
        if key not in self._known:
            self._known[key] = len(self.nodes)
            self.nodes.append(node)
        return self._known[key]

    def const(self, value) -> int:
        return self._add(("const", value if isinstance(value, bool) else float(value)))

    def input(self, name: str, position: int) -> int:
        return self._add(("input", name, position))

    def value(self, i: int):
        return self.nodes[i][1] if self.nodes[i][0] == "const" else None

    def op(self, name: str, *args: int) -> int:
        known = [self.value(i) for i in args]
        if all(v is not None for v in known):
            with np.errstate(all="ignore"):
                return self.const(getattr(np, name)(*known).item())
        simpler = self._simpler(name, args, known)
        return self._add((name, *args)) if simpler is None else simpler

    def _simpler(self, name: str, args: tuple[int, ...], known: list) -> int | None:
        """Rewrites that change no value, not even at inf and nan: x+0, x-0, 1·x, x/1, x¹, x², √x, --x."""
        match name, *known:
            case ("add", _, 0.0) | ("subtract", _, 0.0) | ("multiply", _, 1.0) | ("divide" | "power", _, 1.0):
                return args[0]
            case ("add", 0.0, _) | ("multiply", 1.0, _):
                return args[1]
            case "power", _, 2.0:
                return self.op("multiply", args[0], args[0])
            case "power", _, 0.5:
                return self.op("sqrt", args[0])
            case "negative", _ if self.nodes[args[0]][0] == "negative":
                return self.nodes[args[0]][1]
        return None

    def reachable(self, roots) -> list[int]:
        seen: set[int] = set()
        stack = [int(r) for r in roots]
        while stack:
            i = stack.pop()
            if i not in seen:
                seen.add(i)
                stack.extend(self.arguments(i))
        return sorted(seen)

    def arguments(self, i: int) -> tuple[int, ...]:
        return () if self.nodes[i][0] in ("const", "input") else self.nodes[i][1:]
