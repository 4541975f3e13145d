"""The graph of scalar operations that a trace is."""

import numpy as np


class TraceError(TypeError):
    """The traced code does something that has no counterpart in the graph; the message says what to write."""


MOST_CASES = 12  # conditions on t in one run, so that a loop on t comes to an end


class Graph:
    """Scalar nodes in the order they were made, which is a topological order; equal nodes are made once."""

    def __init__(self):
        self.nodes: list[tuple] = []  # (op, args…); ("const", value); ("input", name, position)
        self._known: dict[tuple, int] = {}
        self.answers: dict[int, bool] | None = None  # to conditions on the step t, while a function is run by cases

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

    def decide(self, i: int) -> bool | None:
        """The answer to an `if` on node i in this run of the traced code; None where there is none to give.

        Constants answer for themselves. A condition on the step t alone has one answer for every run: see `by_cases`.
        """
        if self.value(i) is not None:
            return bool(self.value(i))
        read = {self.nodes[k][1] for k in self.reachable([i]) if self.nodes[k][0] == "input"}
        if self.answers is None or read != {"t"} or len(self.answers) >= MOST_CASES:
            return None
        return self.answers.setdefault(i, True)

    def arguments(self, i: int) -> tuple[int, ...]:
        return () if self.nodes[i][0] in ("const", "input") else self.nodes[i][1:]
