"""Widgets that live in the page, in JupyterLab and in Colab: see `base.py` and `common.js` for how one is made."""

from .backprop import Backprop, backprop
from .base import Setting, Widget
from .chord import Chord, chord
from .classifier import Classifier, classifier
from .constrained import Constrained, constrained
from .critical_points import CriticalPoints, critical_points
from .explore import Explore, explore
from .feedback import Feedback, feedback
from .fit import Fit, fit
from .gradient_cloud import GradientCloud, gradient_cloud
from .loss_curves import LossCurves, loss_curves
from .moments import Moments, moments
from .newton import Newton, newton
from .plane import Plane, plane
from .quiz import Quiz, quiz
from .quiz import load_quiz as load_quiz
from .regression import Regression, regression
from .schedule import Schedule, schedule
from .signal import Signal, signal
from .spectrum import Spectrum, spectrum
from .training import Training, training
from .workers import Workers, workers

__all__ = [
    "Backprop",
    "Chord",
    "Classifier",
    "Constrained",
    "CriticalPoints",
    "Explore",
    "Feedback",
    "Fit",
    "GradientCloud",
    "LossCurves",
    "Moments",
    "Newton",
    "Plane",
    "Quiz",
    "Regression",
    "Schedule",
    "Setting",
    "Signal",
    "Spectrum",
    "Training",
    "Widget",
    "Workers",
    "backprop",
    "chord",
    "classifier",
    "constrained",
    "critical_points",
    "explore",
    "feedback",
    "fit",
    "gradient_cloud",
    "loss_curves",
    "moments",
    "newton",
    "plane",
    "quiz",
    "regression",
    "schedule",
    "signal",
    "spectrum",
    "training",
    "workers",
]
