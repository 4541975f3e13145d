"""A trace as JavaScript: straight-line code on flat arrays."""

import math
from typing import Any

#: Operation -> how JavaScript writes it.
WRITTEN = {
    "add": "{0}+{1}",
    "subtract": "{0}-{1}",
    "multiply": "{0}*{1}",
    "divide": "{0}/{1}",
    "power": "H.pow({0},{1})",
    "negative": "-{0}",
    "absolute": "Math.abs({0})",
    "sign": "Math.sign({0})",
    "sqrt": "Math.sqrt({0})",
    "exp": "Math.exp({0})",
    "expm1": "Math.expm1({0})",
    "log": "Math.log({0})",
    "log1p": "Math.log1p({0})",
    "sin": "Math.sin({0})",
    "cos": "Math.cos({0})",
    "tanh": "Math.tanh({0})",
    "arctan": "Math.atan({0})",
    "minimum": "Math.min({0},{1})",
    "maximum": "Math.max({0},{1})",
    "where": "{0}?{1}:{2}",
    "floor": "Math.floor({0})",
    "remainder": "H.mod({0},{1})",
    "less": "{0}<{1}",
    "less_equal": "{0}<={1}",
    "greater": "{0}>{1}",
    "greater_equal": "{0}>={1}",
    "equal": "+{0}===+{1}",
    "not_equal": "+{0}!==+{1}",
    "logical_and": "!!({0}&&{1})",
    "logical_or": "!!({0}||{1})",
    "logical_not": "!{0}",
    "isfinite": "Number.isFinite({0})",
}

#: What the generated JavaScript may call, as source: NumPy's answers where JavaScript's own differ.
JS_HELPERS = (
    "const H={"
    "pow:(a,b)=>a===1||b===0||a===-1&&(b===Infinity||b===-Infinity)?1:Math.pow(a,b),"
    "mod:(a,b)=>{const r=a%b;return r!==0&&r<0!==b<0?r+b:r}"
    "};"
)


def javascript(trace: Any) -> str:
    """Body of `(x, y) => {…}`: reads the inputs from the flat array x, writes the outputs to the flat array y."""
    position = {i: k for k, i in enumerate(trace.input_nodes())}
    names: dict[int, str] = {}
    lines: list[str] = []
    for i in trace.graph.reachable(trace.roots()):
        op, *args = trace.graph.nodes[i]
        if op == "const":
            names[i] = _number(args[0])
            continue
        names[i] = f"t{len(lines)}"
        code = f"x[{position[i]}]" if op == "input" else WRITTEN[op].format(*(names[a] for a in args))
        lines.append(f"const {names[i]}={code};")
    return "".join(lines) + "".join(f"y[{k}]={names[r]};" for k, r in enumerate(trace.roots()))


def _number(v) -> str:
    if isinstance(v, bool):
        return "true" if v else "false"
    if math.isnan(v):
        return "NaN"
    text = ("-" if v < 0 else "") + "Infinity" if math.isinf(v) else repr(v)
    return f"({text})" if text.startswith("-") else text
