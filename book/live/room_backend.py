"""Matplotlib's backend in the page: figures drawn as arrays, shown below the cell."""

from matplotlib.backends.backend_agg import FigureCanvasAgg as FigureCanvas  # noqa: F401
from room import show  # noqa: F401
