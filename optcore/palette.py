"""One colour per rule throughout the book, shared by Matplotlib and the widgets.

Every colour is dark enough for 4.5:1 contrast on white. So many hues cannot all differ for readers with deuteranopia
or protanopia; widgets therefore give each rule a mark of its own shape as well.
"""

__all__ = ["color_of"]

RULE_COLORS = {
    "gd": "#0b63b5",
    "sgd": "#0b63b5",
    "momentum": "#c2410c",
    "nesterov": "#8a6100",
    "adagrad": "#0f766e",
    "rmsprop": "#7c3aed",
    "adadelta": "#5b6770",
    "adam": "#b3125a",
    "amsgrad": "#8b5e3c",
    "nadam": "#a21caf",
    "adamw": "#15803d",
    "adam_l2": "#92700c",
    "lars": "#3f6212",
    "lamb": "#0e7490",
    "lion": "#b45309",
    "signsgd": "#6b21a8",
    "shampoo": "#1e3a8a",
    "muon": "#0a0a0a",
    "newton": "#111827",
    "damped-newton": "#7c3aed",
    "saddle-free": "#15803d",
    "bfgs": "#be185d",
    "lbfgs": "#b34700",
    "sr1": "#646b77",
}
#: Low and high of a landscape, on white: low is dark, and a path in any colour of a rule is seen on both (3:1).
LANDSCAPE = ("#bbd5e6", "#fbfaf6")
SPARE_COLORS = ["#0b63b5", "#c2410c", "#0f766e", "#b3125a", "#7c3aed", "#8a6100"]


def color_of(name: str, index: int = 0) -> str:
    """The book's colour of a rule; a reader's own rule takes the spare colour number `index`.

    >>> color_of("adam")
    '#b3125a'
    """
    return RULE_COLORS.get(name, SPARE_COLORS[index % len(SPARE_COLORS)])
