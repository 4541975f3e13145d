"""`oc.newton()`: the quadratic model at a point, the step that goes to its stationary point, and whole runs."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..palette import color_of
from ..second_order import bfgs_inverse_update, newton_step, saddle_free_step, sr1_update
from ..solvers import minimize
from ..support import explains
from ..surfaces import Surface, saddle, surface_named
from ..symbolic import trace
from .allowed import choice, number, point, subset, whole
from .base import Goal, Setting, Widget

__all__ = ["METHODS", "Newton", "newton"]

#: method of `minimize` -> label
METHODS = {
    "newton": "Newton, full step",
    "damped-newton": "Newton, line search",
    "saddle-free": "saddle-free Newton",
    "gd": "gradient descent",
    "bfgs": "BFGS",
    "lbfgs": "L-BFGS",
    "sr1": "SR1",
}
_MEMORYLESS = ["newton", "damped-newton", "saddle-free", "gd"]  # can be asked for a step anywhere
MOST = 100  # steps in the page


def _programs() -> dict[str, dict]:
    vector, matrix = (2,), (2, 2)
    return {
        "newton": trace(newton_step, vector, matrix, ()).program(),
        "saddleFree": trace(saddle_free_step, vector, matrix, ()).program(),
        "bfgs": trace(bfgs_inverse_update, matrix, vector, vector).program(),
        "sr1": trace(sr1_update, matrix, vector, vector).program(),
    }


class Newton(Widget):
    """Quadratic models and the steps they give, on one surface; `newton` makes it."""

    name = "newton"
    line = "Drag the start, choose a method, press Play: where does the run end, and after how many steps?"
    start = Setting("The start point [x, y].", point())
    method = Setting("The method whose run and model are drawn, a name out of METHODS.", choice(METHODS))
    k = Setting("The step whose model is drawn; None means the last.", whole().or_none())
    damping = Setting("What is added to the diagonal of the curvature.", number(0, 100))

    def __init__(self, surface, start, method, k, compare, damping, memory, noise):
        self._surface = surface
        value = {"start": start, "method": method, "k": k, "compare": compare, "damping": damping}
        value = self.checked(value | {"memory": memory, "noise": noise})
        program = surface.program()
        names = ", ".join(METHODS[name] for name in compare) or METHODS[method]
        super().__init__(
            spec={
                "title": "Quadratic models",
                "surface": program,
                "params": {p["name"]: p["default"] for p in program["params"]},
                "domain": surface.domain,
                "minima": surface.minima,
                "lowest": surface.lowest,
                "methods": [[name, label, color_of(name)] for name, label in METHODS.items()],
                "memoryless": _MEMORYLESS,
                "programs": _programs(),
                "most": MOST,
                "noise": np.random.default_rng(0).standard_normal((MOST, 2)).round(3),
            },
            value=value,
            label=f"Newton({surface.__name__}, {method})",
            summary=f"The quadratic model of {surface.__name__} at ({start[0]:g}, {start[1]:g}), with steps: {names}.",
        )

    def checked(self, value: dict) -> dict:
        point(self._surface.domain).check("start", value["start"])
        subset(_MEMORYLESS).check("compare", value["compare"])
        whole(1, 20).check("memory", value["memory"])
        number(0, 100).check("noise", value["noise"])
        return super().checked(value)

    def run(self):
        """The run that the page shows (without gradient noise), as `minimize` makes it: a `Result`."""
        v = self.value
        options = {"damping": v["damping"], "memory": v["memory"], "max_iterations": MOST}
        return minimize(self._surface, v["start"], v["method"], **options)

    def goal(self) -> Goal | None:
        v, f = self.value, self._surface

        def steps(method):
            run = minimize(f, v["start"], method, damping=v["damping"], memory=v["memory"], max_iterations=MOST)
            point = run.path[-1]
            low = np.linalg.eigvalsh(f.hess(point))[0] if np.linalg.norm(f.grad(point)) <= 1e-8 else 0
            return run.iterations if low > 1e-6 else MOST + 1

        with np.errstate(all="ignore"):
            now, best = steps(v["method"]), min(map(steps, METHODS))
        if best > MOST or best > 0.7 * now:
            return None
        where, reached = [(key, "=", v[key]) for key in ("start", "damping")], "it takes {steps} steps."
        if now > MOST:
            return Goal("End in a minimum, from this start.", [("end", "=", "a bowl"), *where], reached)
        most = (best + now) // 2
        return Goal(
            f"Reach the minimum from this start in fewer than {most} steps.",
            [("end", "=", "a bowl"), ("steps", "<", most), *where],
            reached,
        )

    def still(self):
        """The landscape and the run."""
        from ..plotting import draw_landscape, draw_path, plt

        figure, ax = plt.subplots(figsize=(4.8, 3.6))
        draw_landscape(self._surface, ax)
        draw_path({self.value["method"]: self.run().path}, ax)
        return figure


@explains
def newton(
    surface: Surface | str | Callable = "saddle",
    *,
    start: Sequence[float] | None = None,
    method: str = "newton",
    k: int | None = 0,
    compare: Sequence[str] = tuple(_MEMORYLESS),
    damping: float = 0.0,
    memory: int = 5,
    noise: float = 0.0,
    domain: Any = None,
) -> Newton:
    """Drag a point and see the quadratic model there, its stationary point, and where each method steps.

    surface: a Surface, its name, or a traceable function of one point, then with domain=((x0, x1), (y0, y1)).
    method: whose run is drawn, and whose model after k steps: the Hessian of Newton's methods, the estimate of
    "bfgs", "lbfgs" (from the newest `memory` pairs) or "sr1". compare: methods without memory whose step from the
    same point is an arrow. damping is added to the diagonal; noise is that of gradient differences taken on two
    mini-batches. Read back `.start`, `.method`, `.k`, `.value`, `.run()`.

    >>> from optcore.widgets.newton import newton
    >>> newton("rosenbrock", start=[-1.2, 1.0]).run().iterations
    6
    """
    if isinstance(surface, str):
        surface = surface_named(surface)
    if not isinstance(surface, Surface):
        surface = Surface(surface, domain=domain or ((-2.0, 2.0), (-2.0, 2.0)))
    if start is None and surface is saddle:
        start = [1.2, 0.3]  # where the Hessian is indefinite
    first = surface.start.tolist() if start is None else start
    return Newton(surface, first, method, k, list(compare), damping, memory, noise)
