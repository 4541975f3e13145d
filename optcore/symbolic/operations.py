"""The scalar operations that a trace can hold, and how an adjoint flows back through each."""

from collections.abc import Callable

import numpy as np

#: Name -> for each argument, (adjoint a, arguments x[, y[, z]], result r) -> what it adds to the argument's adjoint, or
#: None where the slope is 0. The names are those of NumPy's functions, so a node is replayed under its own name.
OPERATIONS: dict[str, tuple[Callable | None, ...]] = {
    "add": (lambda a, x, y, r: a, lambda a, x, y, r: a),
    "subtract": (lambda a, x, y, r: a, lambda a, x, y, r: -a),
    "multiply": (lambda a, x, y, r: a * y, lambda a, x, y, r: a * x),
    "divide": (lambda a, x, y, r: a / y, lambda a, x, y, r: -a * r / y),
    "power": (lambda a, x, y, r: a * y * x ** (y - 1), lambda a, x, y, r: a * r * np.log(x)),
    "negative": (lambda a, x, r: -a,),
    "absolute": (lambda a, x, r: a * np.sign(x),),
    "sign": (None,),
    "sqrt": (lambda a, x, r: a / (2 * r),),
    "exp": (lambda a, x, r: a * r,),
    "expm1": (lambda a, x, r: a * (r + 1),),
    "log": (lambda a, x, r: a / x,),
    "log1p": (lambda a, x, r: a / (1 + x),),
    "sin": (lambda a, x, r: a * np.cos(x),),
    "cos": (lambda a, x, r: -a * np.sin(x),),
    "tanh": (lambda a, x, r: a * (1 - r * r),),
    "arctan": (lambda a, x, r: a / (1 + x * x),),
    "minimum": (lambda a, x, y, r: np.where(x <= y, a, 0.0), lambda a, x, y, r: np.where(x <= y, 0.0, a)),
    "maximum": (lambda a, x, y, r: np.where(x >= y, a, 0.0), lambda a, x, y, r: np.where(x >= y, 0.0, a)),
    "where": (None, lambda a, c, x, y, r: np.where(c, a, 0.0), lambda a, c, x, y, r: np.where(c, 0.0, a)),
    "floor": (None,),
    "remainder": (lambda a, x, y, r: a, lambda a, x, y, r: -a * np.floor(x / y)),
    "less": (None, None),
    "less_equal": (None, None),
    "greater": (None, None),
    "greater_equal": (None, None),
    "equal": (None, None),
    "not_equal": (None, None),
    "logical_and": (None, None),
    "logical_or": (None, None),
    "logical_not": (None,),
    "isfinite": (None,),
}
#: Other names of the same operations.
ALIASES = {"bitwise_and": "logical_and", "bitwise_or": "logical_or", "invert": "logical_not", "fabs": "absolute"}
