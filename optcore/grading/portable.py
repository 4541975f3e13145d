"""A function as plain data: how a probe gets into the process that runs student code, and the solutions do not.

A probe's module also holds the references, so the module itself must stay outside. What travels is the probe's code
(`marshal`, between two processes of one interpreter), that of the functions of its module which it names, and the names
of the modules and library functions that it uses.
"""

import builtins
import dis
import marshal
from collections.abc import Callable, Iterator
from importlib import import_module
from types import CodeType, FunctionType, ModuleType
from typing import Any

from .run import plain


def pack(function: Callable) -> dict[str, Any]:
    """Plain data from which `unpack` rebuilds the function.

    Raises ValueError if it needs what cannot travel: variables around it, or globals that are no functions, modules or
    plain data.
    """
    packed: dict[str, Any] = {"functions": {}, "modules": {}, "library": {}, "values": {}}

    def visit(name: str, f: Any) -> None:
        if f.__closure__:
            raise ValueError(f"{f.__qualname__} uses variables of the function around it: {f.__code__.co_freevars}.")
        defaults = [plain(value) for value in f.__defaults__ or ()]
        keywords = {key: plain(value) for key, value in (f.__kwdefaults__ or {}).items()}
        packed["functions"][name] = [marshal.dumps(f.__code__), f.__doc__, defaults, keywords]
        for used in _globals_of(f.__code__):
            if used not in f.__globals__ or used in packed["functions"]:
                continue  # a built-in, or known already
            value = f.__globals__[used]
            if isinstance(value, ModuleType):
                packed["modules"][used] = value.__name__
            elif isinstance(value, FunctionType) and value.__module__ == f.__module__:
                visit(used, value)
            elif callable(value):
                packed["library"][used] = [value.__module__, value.__qualname__]
            else:
                packed["values"][used] = plain(value)

    visit("", function)
    return packed


def unpack(packed: dict[str, Any]) -> Callable:
    """The function that was packed.

    Its globals hold the built-ins, which NumPy asks for when it first imports a part of itself: in a child, that is in
    the probe.
    """
    namespace: dict[str, Any] = {"__builtins__": builtins, **packed["values"]}
    namespace |= {name: import_module(module) for name, module in packed["modules"].items()}
    namespace |= {name: getattr(import_module(module), known) for name, (module, known) in packed["library"].items()}
    for name, (code, doc, defaults, keywords) in packed["functions"].items():
        function = FunctionType(marshal.loads(code), namespace, name or None, tuple(defaults))
        function.__kwdefaults__, function.__doc__ = keywords, doc
        namespace[name] = function
    return namespace[""]


def _globals_of(code: CodeType) -> Iterator[str]:
    """Names of the globals that code reads, functions within it included."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _globals_of(constant)
