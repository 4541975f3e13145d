"""A trace as a LaTeX formula."""

from typing import Any

import numpy as np

#: Operation -> how LaTeX writes it, and how strongly that binds: 1 relation, 2 sum, 3 product, 4 power, 9 never needs
#: brackets.
WRITTEN = {
    "add": ("{0} + {1}", 2),
    "subtract": ("{0} - {1}", 2),
    "multiply": (r"{0} \, {1}", 3),
    "divide": (r"\frac{{{0}}}{{{1}}}", 9),
    "power": ("{0}^{{{1}}}", 4),
    "negative": ("-{0}", 2),
    "absolute": (r"\lvert {0} \rvert", 9),
    "sign": (r"\operatorname{{sign}}({0})", 9),
    "sqrt": (r"\sqrt{{{0}}}", 9),
    "exp": (r"\exp({0})", 9),
    "expm1": (r"(\exp({0}) - 1)", 9),
    "log": (r"\ln({0})", 9),
    "log1p": (r"\ln(1 + {0})", 9),
    "sin": (r"\sin({0})", 9),
    "cos": (r"\cos({0})", 9),
    "tanh": (r"\tanh({0})", 9),
    "arctan": (r"\arctan({0})", 9),
    "minimum": (r"\min({0}, {1})", 9),
    "maximum": (r"\max({0}, {1})", 9),
    "where": (r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}", 9),
    "floor": (r"\lfloor {0} \rfloor", 9),
    "remainder": (r"({0} \bmod {1})", 9),
    "less": ("{0} < {1}", 1),
    "less_equal": (r"{0} \le {1}", 1),
    "greater": ("{0} > {1}", 1),
    "greater_equal": (r"{0} \ge {1}", 1),
    "equal": ("{0} = {1}", 1),
    "not_equal": (r"{0} \ne {1}", 1),
    "logical_and": (r"{0} \text{{ and }} {1}", 1),
    "logical_or": (r"{0} \text{{ or }} {1}", 1),
    "logical_not": (r"\text{{not }} {0}", 1),
    "isfinite": (r"{0} \text{{ finite}}", 1),
}

_GREEK = {"lr": "eta", "eps": "varepsilon", "weight_decay": "lambda"}
_LETTERS = set("alpha beta gamma delta varepsilon eta theta kappa lambda mu nu xi rho sigma tau phi omega".split())


def _name(name: str, index=()) -> str:
    stem = name.rstrip("0123456789")
    digits = [name[len(stem) :]] if name != stem else []
    stem = _GREEK.get(stem, stem)
    symbol = "\\" + stem if stem in _LETTERS else stem if len(stem) == 1 else rf"\mathrm{{{stem}}}".replace("_", r"\_")
    subscript = ",".join(digits + [str(int(k) + 1) for k in index])
    return f"{symbol}_{{{subscript}}}" if subscript else symbol


def latex(trace: Any) -> str:
    """The outputs as a formula, one line each component; shared parts are written out."""
    lines = []
    for name, out in trace.outputs.items():
        for index in np.ndindex(out.shape):
            left = _name(name, index) + " = " if not trace.single or out.shape else ""
            lines.append(left + _formula(trace, int(out.ids[index]))[0])
    return r" \\ ".join(lines)


def _formula(trace: Any, i: int) -> tuple[str, int]:
    op, *args = trace.graph.nodes[i]
    if op == "const":
        return f"{args[0]:g}", 9 if args[0] >= 0 else 2
    if op == "input":
        shape = trace.inputs[args[0]].shape
        return _name(args[0], np.unravel_index(args[1], shape) if shape else ()), 9
    template, level = WRITTEN[op]
    if op == "multiply" and args[0] == args[1]:
        args, template, level = args[:1], "{0}^2", 4
    parts = []
    for k, a in enumerate(args):
        text, inner = _formula(trace, a)
        last = k == len(args) - 1
        tight = inner < level or (inner == level and (last and op in ("subtract", "negative") or level == 4))
        parts.append(rf"\left({text}\right)" if tight and level < 9 else text)
    return template.format(*parts), level
