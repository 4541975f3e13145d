"""`oc.feedback()`: a metric drawn by hand, and the learning rate that patience makes of it."""

from collections.abc import Sequence

import numpy as np

from ..schedules import ReduceLROnPlateau
from ..support import explains
from .allowed import number, positive, series, whole
from .base import Goal, Setting, Widget

__all__ = ["Feedback", "feedback"]


class Feedback(Widget):
    """A metric drawn by hand and the learning rate that `ReduceLROnPlateau` makes of it; `feedback` makes it."""

    name = "feedback"
    line = "Draw the metric with the pointer: when does patience run out, and the rate is cut?"
    metric = Setting("The metric, one value for each evaluation.", series(2, 60, 0))
    patience = Setting("Bad values in a row that are put up with.", whole(0, 10))
    factor = Setting("What a cut multiplies the rate by.", number(0.1, 0.9))
    threshold = Setting("The part of the best value by which a better one must be lower.", number(0, 0.2))
    cooldown = Setting("Values after a cut that are not counted as bad.", whole(0, 10))

    def __init__(self, metric, lr, settings):
        self._lr = lr
        value = self.checked({"metric": metric, "at": len(metric) // 2, **settings})
        top = float(1.25 * max(metric))
        super().__init__(
            spec={"title": "Reduce on plateau", "top": top, "lr": lr},
            value=value,
            label=f"Feedback({len(metric)} values)",
            summary=f"A metric of {len(metric)} values, and the learning rate that patience makes of it.",
        )

    def checked(self, value: dict) -> dict:
        value = super().checked(value)
        if (old := getattr(self, "value", None)) and len(value["metric"]) != len(old["metric"]):
            raise ValueError(f"metric must keep its {len(old['metric'])} values; there were {len(value['metric'])}.")
        self._rule(value)  # its own checks
        return value

    def _rule(self, value: dict) -> ReduceLROnPlateau:
        return ReduceLROnPlateau(self._lr, **{k: value[k] for k in ("factor", "patience", "threshold", "cooldown")})

    def goal(self) -> Goal | None:
        def cuts(patience):
            rule = self._rule({**self.value, "patience": patience})
            return len(set(np.array([rule.step(v) for v in self.metric]).tolist()) - {self._lr})

        if cuts(self.patience) == 1 or 1 not in map(cuts, range(11)):
            return None
        return Goal("Let noise cut the rate only once.", [("cuts", "=", 1)], "one cut, after evaluation {first}.")

    def rates(self) -> np.ndarray:
        """The rate that holds after each value of the metric."""
        rule = self._rule(self.value)
        return np.array([rule.step(v) for v in self.metric])

    def still(self):
        """The metric and the staircase of rates."""
        from ..plotting import plt

        figure, (above, below) = plt.subplots(2, 1, figsize=(6.4, 3.4), sharex=True)
        steps = np.arange(1, len(self.metric) + 1)
        above.plot(steps, self.metric, ".-")
        below.step(steps, self.rates(), where="post", color="#c2410c")
        above.set(ylabel="metric")
        below.set(ylabel="learning rate", yscale="log", xlabel="evaluation")
        return figure


def _noisy_metric() -> list[float]:
    t = np.arange(30)
    return (0.25 + 0.75 * np.exp(-t / 6) + 0.02 * np.random.default_rng(4).standard_normal(30)).round(3).tolist()


@explains
def feedback(
    metric: Sequence[float] | None = None,
    *,
    lr: float = 1.0,
    patience: int = 2,
    factor: float = 0.1,
    threshold: float = 1e-4,
    cooldown: int = 0,
) -> Feedback:
    """Draw a metric by hand and see when `ReduceLROnPlateau` cuts the rate.

    metric: 2 to 60 positive values, one an evaluation (default: a noisy validation loss). lr is above 0; the others
    reach as far as their sliders: patience and cooldown to 10, factor from 0.1 to 0.9, threshold to 0.2. Read back
    `.metric`, `.patience`, `.factor`, `.threshold`, `.cooldown`, `.rates()`.

    >>> from optcore.widgets.feedback import feedback
    >>> feedback([1, 0.9] + [0.8] * 6, patience=2).rates().round(3).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1]
    """
    positive().check("lr", lr)
    values = _noisy_metric() if metric is None else list(metric)
    return Feedback(values, lr, {"patience": patience, "factor": factor, "threshold": threshold, "cooldown": cooldown})
