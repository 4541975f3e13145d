"""One slip in a solution, in every way that there is.

The judge compares what is handed in with them, the tests of the catalogue ask that none of them passes, the made-up
class of `demo` hands them in, and a chapter writes its misconceptions with `altered`.
"""

import ast
import copy
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

_OTHER: dict[type, list[type]] = {
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Div],
    ast.Div: [ast.Mult],
    ast.Pow: [ast.Mult],
    ast.FloorDiv: [ast.Div],
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.GtE],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.LtE],
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.And: [ast.Or],
    ast.Or: [ast.And],
}
_OPERATOR = {
    ast.Add: "a minus stands where a plus belongs",
    ast.Sub: "a plus stands where a minus belongs",
    ast.Mult: "a quotient stands where a product belongs",
    ast.Div: "a product stands where a quotient belongs",
    ast.Pow: "a product stands where a power belongs",
    ast.FloorDiv: "a quotient is not rounded down",
}
_TWINS = {
    "sum": "mean",
    "mean": "sum",
    "std": "var",
    "var": "std",
    "max": "min",
    "min": "max",
    "maximum": "minimum",
    "minimum": "maximum",
    "argmax": "argmin",
    "argmin": "argmax",
    "zeros": "ones",
    "ones": "zeros",
    "cos": "sin",
    "sin": "cos",
}
_MISSING = {
    "sqrt": "a square root is missing",
    "abs": "an absolute value is missing",
    "log": "a logarithm is missing",
    "log1p": "a logarithm is missing",
    "exp": "an exponential is missing",
    "mean": "a mean is missing",
    "sum": "a sum is missing",
    "norm": "a norm is missing",
    "sign": "a sign function is missing",
    "sort": "the sorting is missing",
    "cumsum": "a running sum is missing",
    "max": "a maximum is missing",
    "min": "a minimum is missing",
    "maximum": "a maximum is missing",
    "minimum": "a minimum is missing",
    "round": "the rounding is missing",
}


@dataclass(frozen=True)
class Slip:
    """A solution with one slip: its kind, the line that it changes, what stands there instead, and the whole source.

    `clause` says what the slip is, in words that fit behind "a solution in which"; "" if nobody makes such a slip.
    """

    kind: str
    was: str
    now: str
    source: str
    clause: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.was} -> {self.now}"


@cache
def slips(source: str) -> list[Slip]:
    """The source with one slip in it, in every way that there is.

    >>> for slip in slips("def f(x, a=2):\\n    return a * abs(x)"):
    ...     print(f"{slip.now:20} {slip.clause}")
    def f(x, a=2):; a = 2 `a` has no effect and counts as 2 whatever is handed in
    def f(x, a=3):       a number is too large by 1
    return a / abs(x)    a quotient stands where a product belongs
    return a             a factor is missing
    return abs(x)        the factor `a` is missing
    return a * x         an absolute value is missing
    """
    tree = ast.parse(source)
    whole, made, seen = ast.unparse(tree), [], set()
    for node in _changeable(tree):
        for kind, clause, new in _instead(node):
            text = ast.unparse(_replaced(tree, node, new))
            if text != whole and text not in seen:
                seen.add(text)
                made.append(Slip(kind, *_parting(whole, text), text, clause))
    return made


def _changeable(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node; but `strict=True` changes nothing where the lengths are as promised."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if not (isinstance(child, ast.keyword) and child.arg == "strict"):
            yield from _changeable(child)


def altered(solution: Callable, *pieces: str) -> Any:
    """A function or class with pieces of its source replaced: what stands there and what is to, turn about.

    >>> altered(slips, "no such line", "")
    Traceback (most recent call last):
    ValueError: The source of slips does not contain 'no such line'.
    """
    source = _source(solution)
    for was, now in zip(pieces[::2], pieces[1::2], strict=True):
        if was not in source:
            raise ValueError(f"The source of {solution.__name__} does not contain '{was}'.")
        source = source.replace(was, now)
    return made_of(source, solution.__name__, vars(sys.modules[solution.__module__]))


def made_of(source: str, name: str, known: dict[str, Any]) -> Any:
    """What `source` defines under `name`; it may use what is `known`. Raises what its definitions raise."""
    namespace = dict(known)
    exec(compile(source, f"<{name} with a slip>", "exec"), namespace)
    return namespace[name]


@cache
def _source(function: Callable) -> str:
    return textwrap.dedent(inspect.getsource(function))


# --- what may stand by mistake where a piece of code stands: its kind, in words, the code -----------------------------

Slipped = Iterator[tuple[str, str, ast.AST]]


def _instead(node: ast.AST) -> Slipped:
    match node:
        case ast.BinOp():
            yield from _of_sum_or_product(node)
        case ast.UnaryOp(ast.USub(), operand):
            yield "sign dropped", "a minus sign is missing", operand
        case ast.UnaryOp(ast.Not(), operand):
            yield "sign dropped", "a `not` is missing", operand
        case ast.Compare(left, [op], right):
            strict = "equality falls on the wrong side of a comparison"
            for other, clause in zip(_OTHER.get(type(op), []), (strict, "a comparison is turned round"), strict=False):
                yield "comparison", clause, ast.Compare(left, [other()], right)
        case ast.BoolOp(op, values):
            for other in _OTHER[type(op)]:
                yield "other connective", "`and` and `or` are exchanged", ast.BoolOp(other(), values)
            for i in range(len(values)):
                rest = values[:i] + values[i + 1 :]
                yield "condition dropped", "a condition is missing", ast.BoolOp(op, rest) if rest[1:] else rest[0]
        case ast.IfExp(_, body, orelse):
            for case in (body, orelse):
                yield "one case for all", "one of two cases is treated like the other", case
        case ast.If():
            for value in (True, False):
                clause = "one of two cases is treated like the other"
                yield "one case for all", clause, _with(node, test=ast.Constant(value))
        case ast.Call():
            yield from _of_call(node)
        case ast.Attribute(value, "T"):
            yield "transpose dropped", "a transpose is missing", value
        case ast.Constant(bool() as value):
            yield "other constant", "", ast.Constant(not value)
        case ast.Constant(int() as value):
            yield "other constant", "a number is too large by 1", ast.Constant(value + 1)
        case ast.Constant(float() as value):
            yield "other constant", "", ast.Constant(1.5 * value or 1.0)
        case ast.Slice(lower, upper, step):
            clause = "more is taken than the slice that is wanted"
            for slice in ((None, upper, step), (lower, None, step), (lower, upper, None)):
                yield "slice", clause, ast.Slice(*slice)
        case ast.Return(ast.Tuple([first, second, *rest])):
            clause = "the first two results are exchanged"
            yield "results exchanged", clause, ast.Return(ast.Tuple([second, first, *rest], ast.Load()))
        case ast.FunctionDef():
            yield from _of_function(node)
    if isinstance(getattr(node, "body", None), list):
        yield from _of_block(node)


def _of_sum_or_product(node: ast.BinOp) -> Slipped:
    left, op, right = node.left, node.op, node.right
    for other in _OTHER.get(type(op), []):
        yield "other operator", _OPERATOR[type(op)], ast.BinOp(left, other(), right)
    yield "operand dropped", _without(op, right, "right"), left
    yield "operand dropped", _without(op, left, "left"), right
    if isinstance(op, ast.Div):
        yield "operands exchanged", "a quotient is upside down", ast.BinOp(right, op, left)
    if isinstance(op, ast.MatMult):
        yield "operands exchanged", "a matrix product is in the wrong order", ast.BinOp(right, op, left)
    match node:
        case ast.BinOp(ast.Call(ast.Attribute(_, "sqrt") as root, [inside]), ast.Add(), small):
            clause = f"`{ast.unparse(small)}` stands inside the root"
            yield "into the root", clause, ast.Call(root, [ast.BinOp(inside, ast.Add(), small)], [])
        case ast.BinOp(
            ast.BinOp(ast.Call(f, [ast.BinOp(x, ast.Add(), h), *more]), ast.Sub(), ast.Call(_, [ast.BinOp(), *_])),
            ast.Div(),
            ast.BinOp(ast.Constant(2), ast.Mult(), step),
        ):
            there, here = (ast.Call(f, [at, *more], []) for at in (ast.BinOp(x, ast.Add(), h), x))
            forward = ast.BinOp(ast.BinOp(there, ast.Sub(), here), ast.Div(), step)
            yield "forward difference", "a difference is taken on one side only", forward


def _without(op: ast.operator, lost: ast.expr, side: str) -> str:
    """What is missing when an operand is, by its name if it has one."""
    called = f" `{ast.unparse(lost)}`" if isinstance(lost, ast.Name | ast.Constant) else ""
    article = "the" if called else "a"
    match op:
        case ast.Add() | ast.Sub():
            return f"{article} term{called} is missing"
        case ast.Mult() | ast.MatMult():
            return f"{article} factor{called} is missing"
        case ast.Div():
            return f"{article} {'divisor' if side == 'right' else 'numerator'}{called} is missing"
        case ast.Pow():
            return f"{article} exponent{called} is missing" if side == "right" else ""
    return ""


def _of_call(node: ast.Call) -> Slipped:
    function, args, keywords = node.func, node.args, node.keywords
    name = getattr(function, "attr", getattr(function, "id", ""))
    lost = _MISSING.get(name, "")
    if name in _TWINS:
        other = _with(function, **{"attr" if isinstance(function, ast.Attribute) else "id": _TWINS[name]})
        yield "other function", f"`{_TWINS[name]}` stands where `{name}` belongs", ast.Call(other, args, keywords)
    if args:
        yield "call dropped", lost, args[0]
    elif isinstance(function, ast.Attribute):
        yield "call dropped", lost, function.value
    if len(args) > 1 and name in ("max", "min", "maximum", "minimum", "logaddexp", "hypot"):  # in any order
        yield from (("call dropped", lost, arg) for arg in args[1:])
    elif len(args) > 1:
        clause = f"two arguments of `{name}` are exchanged"
        yield "arguments exchanged", clause, ast.Call(function, [args[1], args[0], *args[2:]], keywords)
        for i in range(len(args)):
            yield "argument dropped", "", ast.Call(function, args[:i] + args[i + 1 :], keywords)
    for i, keyword in enumerate(keywords):
        if keyword.arg != "strict":
            clause = f"`{keyword.arg}` is missing in a call of `{name}`"
            yield "keyword dropped", clause, ast.Call(function, args, keywords[:i] + keywords[i + 1 :])
    match node:
        case ast.Call(ast.Attribute(_, "sqrt"), [ast.BinOp(inside, ast.Add(), small)]):
            clause = f"`{ast.unparse(small)}` stands outside the root"
            yield "out of the root", clause, ast.BinOp(ast.Call(function, [inside], []), ast.Add(), small)
        case ast.Call(ast.Name("range"), [stop]):
            for op, word in ((ast.Sub(), "few"), (ast.Add(), "many")):
                clause = f"the loop takes one round too {word}"
                yield f"a round too {word}", clause, ast.Call(function, [ast.BinOp(stop, op, ast.Constant(1))], [])


def _of_function(node: ast.FunctionDef) -> Slipped:
    """An argument that is set to something else at once."""

    def begin(line: str) -> ast.AST:
        return _with(node, body=[*ast.parse(line).body, *node.body])

    arguments = [arg.arg for arg in node.args.posonlyargs + node.args.args]
    for name, default in zip(arguments[::-1], map(ast.unparse, node.args.defaults[::-1]), strict=False):
        clause = f"`{name}` has no effect and counts as {default} whatever is handed in"
        yield "argument without effect", clause, begin(f"{name} = {default}")
    if "rng" in arguments:
        clause = "the draws do not come from the generator `rng` that is handed in"
        for generator in ("np.random.default_rng(5)", "np.random"):
            yield "another generator", clause, begin(f"rng = {generator}")


def _of_block(node: ast.AST) -> Slipped:
    """A line left out, two lines exchanged, a line that writes in place, a return that comes too early."""
    body: list[ast.stmt] = node.body  # type: ignore[attr-defined]
    parameters = {arg.arg for arg in node.args.args} if isinstance(node, ast.FunctionDef) else set()
    kept = set().union(*(_names(line) for line in body if isinstance(line, ast.Expr)))
    for i, line in enumerate(body):
        target = _written(line)
        if isinstance(line, ast.Assign) and target & _names(line.value) or isinstance(line, ast.Expr | ast.AugAssign):
            clause = f"a line that changes {_listed(target)} is missing" if target else ""
            yield "line dropped", clause, _with(node, body=body[:i] + body[i + 1 :] or [ast.Pass()])
        before = body[i - 1] if i else line
        simple = all(isinstance(it, ast.Assign | ast.AugAssign | ast.Expr) for it in (before, line))
        if simple and (_names(before) & target or _names(line) & _written(before)) and before is not line:
            clause = f"{_listed(target)} comes before {_listed(_written(before))}" if target else ""
            yield "lines exchanged", clause, _with(node, body=[*body[: i - 1], line, before, *body[i + 1 :]])
        match line:
            case ast.Assign([ast.Name(name) as at], ast.BinOp(ast.Name(same), op, right)) if name == same:
                if name in parameters or name in kept:
                    changed = ast.AugAssign(at, op, right)
                    clause = f"`{name}` is changed in place"
                    yield "written in place", clause, _with(node, body=[*body[:i], changed, *body[i + 1 :]])
            case ast.For() | ast.While() if i + 1 < len(body) and isinstance(body[-1], ast.Return):
                early = _with(line, body=[*line.body, body[-1]])
                clause = "`return` stands inside the loop, which then ends in its first round"
                yield "return inside the loop", clause, _with(node, body=[*body[:i], early, *body[i + 1 :]])


def _written(line: ast.stmt) -> set[str]:
    match line:
        case ast.Assign([ast.Subscript(target)]) | ast.AugAssign(ast.Subscript(target)):
            return _names(target)
        case ast.Assign([target]) | ast.AugAssign(target):
            return _names(target)
        case ast.Expr(ast.Call(ast.Attribute(ast.Name(name)))):
            return {name}
    return set()


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _listed(names: set[str]) -> str:
    return " and ".join(f"`{name}`" for name in sorted(names))


def _with(node: Any, **fields: Any) -> Any:
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _replaced(where: Any, old: ast.AST, new: ast.AST) -> Any:
    """A tree or list of trees with one node replaced; what does not contain it is shared with the original."""
    if where is old:
        return new
    if isinstance(where, list):
        items = [_replaced(item, old, new) for item in where]
        return items if any(map(lambda a, b: a is not b, items, where)) else where
    if isinstance(where, ast.AST):
        for name, value in ast.iter_fields(where):
            changed = _replaced(value, old, new)
            if changed is not value:
                return _with(where, **{name: changed})
    return where


def _parting(whole: str, other: str) -> tuple[str, str]:
    """The lines in which two sources differ, each as one line of text."""
    a, b, last = whole.splitlines(), other.splitlines(), ""
    while a and b and a[0] == b[0]:
        last, *a = a
        b = b[1:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    if not a:  # a line came in: say after which
        a, b = [last], [last, *b]
    return "; ".join(map(str.strip, a)), "; ".join(map(str.strip, b))
