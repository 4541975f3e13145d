"""`oc.spectrum()`: what a step does to the singular values of a matrix: the gradient, its sign, Newton-Schulz."""

import numpy as np

from ..matrix_rules import MUON_COEFFICIENTS, newton_schulz, newton_schulz_step
from ..palette import color_of
from ..rules import signsgd
from ..support import explains
from ..symbolic import trace
from .allowed import choice, number, whole
from .base import Goal, Setting, Widget

__all__ = ["COEFFICIENTS", "Spectrum", "spectrum"]

SIZE = 6  # rows and columns of the gradient
DRAWS = 4
MOST_STEPS = 30

#: name -> (label, (a, b, c)); the last two are the polynomials of their degree that are flattest at 1
COEFFICIENTS: dict[str, tuple[str, tuple[float, float, float]]] = {
    "muon": ("Muon (3.44, −4.78, 2.03)", MUON_COEFFICIENTS),
    "quintic": ("1.875, −1.25, 0.375", (1.875, -1.25, 0.375)),
    "cubic": ("1.5, −0.5, 0", (1.5, -0.5, 0.0)),
}


def _turned(draw: int) -> list[np.ndarray]:
    """Two random orthogonal matrices: the singular vectors of one draw, to nine decimals: they travel with pages."""
    rng = np.random.default_rng(draw)
    return [np.linalg.qr(rng.standard_normal((SIZE, SIZE)))[0].round(9) for _ in range(2)]


class Spectrum(Widget):
    """A gradient matrix, its sign and its orthogonalised form, with their singular values; `spectrum` makes it."""

    name = "spectrum"
    line = "Add Newton-Schulz steps: what becomes of the six singular values of the gradient?"
    tall = ("calc(70.5cqi + 20.2rem)", "calc(112cqi + 34rem)")
    spread = Setting("Largest over smallest singular value of the gradient.", number(1, 1e4))
    steps = Setting("Number of Newton-Schulz steps.", whole(0, MOST_STEPS))
    coefficients = Setting("Name of the coefficients.", choice(COEFFICIENTS))
    draw = Setting("The draw of the singular vectors.", whole(0, DRAWS - 1))

    def __init__(self, settings):
        settings = self.checked(settings)
        matrix = (SIZE, SIZE)
        super().__init__(
            spec={
                "title": "A step on a matrix",
                "size": SIZE,
                "most": MOST_STEPS,
                "turns": [_turned(draw) for draw in range(DRAWS)],
                "coefficients": {k: [label, abc] for k, (label, abc) in COEFFICIENTS.items()},
                "colors": {rule: color_of(rule) for rule in ("gd", "signsgd", "muon")},
                "sign": trace(signsgd, matrix).program(),
                "scaled": trace(lambda G: newton_schulz(G, 0), matrix).program(),
                "step": trace(newton_schulz_step, matrix, (), (), ()).program(),
                "number": trace(newton_schulz_step, (1, 1), (), (), ()).program(),
            },
            value=settings,
            label="Spectrum(spread {spread:g}, {steps} steps)".format(**settings),
            summary="Singular values of a gradient (spread {spread:g}), of its sign, and after {steps} Newton-Schulz "
            "steps.".format(**settings),
        )

    def goal(self) -> Goal | None:
        sizes = lambda *how: np.linalg.svd(newton_schulz(self.gradient, *how), compute_uv=False)
        near = lambda values: 0.91 < values.min() and values.max() < 1.09
        now = (self.steps, COEFFICIENTS[self.coefficients][1])
        if near(sizes(*now)) or not near(sizes(MOST_STEPS, COEFFICIENTS["quintic"][1])):
            return None
        return Goal(
            "Bring all six values after the steps between 0.9 and 1.1. Muon's coefficients will not do it.",
            [("spread", ">", 0.999 * self.spread), ("low", ">", 0.9), ("high", "<", 1.1)],
            "they lie between {low} and {high} after {steps} steps.",
        )

    @property
    def gradient(self) -> np.ndarray:
        """The gradient (6, 6); its singular values fall in equal ratios from 1 to 1/spread."""
        U, V = _turned(self.draw)
        return U * np.geomspace(1, 1 / self.spread, SIZE) @ V.T

    @property
    def orthogonalized(self) -> np.ndarray:
        """The gradient after the Newton-Schulz steps."""
        return newton_schulz(self.gradient, self.steps, COEFFICIENTS[self.coefficients][1])

    def still(self):
        """The singular values of the three matrices."""
        from ..plotting import plt

        G = self.gradient
        figure, ax = plt.subplots(figsize=(6.4, 3.0))
        rows = [("gradient", "gd", "o-", G), ("its sign", "signsgd", "s-", np.sign(G))]
        for label, rule, mark, step in [*rows, ("iteration", "muon", "^-", self.orthogonalized)]:
            values = np.linalg.svd(step, compute_uv=False)
            largest = 1 if rule == "muon" else values[0]
            ax.plot(range(1, SIZE + 1), values / largest, mark, color=color_of(rule), label=label)
        ax.set(yscale="log", xlabel="number of the singular value", ylabel="size")
        ax.legend()
        return figure


@explains
def spectrum(*, spread: float = 100.0, steps: int = 5, coefficients: str = "muon", draw: int = 0) -> Spectrum:
    """See the singular values of a gradient, of its sign, and of the step that Muon makes of it.

    spread: largest over smallest singular value of the gradient, 1 to 10000. steps: Newton-Schulz steps, 0 to 30.
    coefficients: a name out of `COEFFICIENTS` ("muon", "quintic", "cubic"). draw: 0 to 3. Read back `.spread`, …,
    `.gradient`, `.orthogonalized`.

    >>> from optcore.widgets.spectrum import spectrum
    >>> np.linalg.svd(spectrum(spread=1000).orthogonalized, compute_uv=False).round(2)
    array([1.2 , 1.04, 0.92, 0.74, 0.74, 0.46])
    """
    return Spectrum({"spread": spread, "steps": steps, "coefficients": coefficients, "draw": draw})
