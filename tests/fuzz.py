"""Calls of public functions with arguments made hostile: wrong type, shape, dtype, sign, nan, empty, huge, 0-d."""

import inspect
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

import optcore as oc
from optcore import schedules, widgets
from optcore.support import Made

PACKAGE = Path(oc.__file__).parent
V, W, M = np.array([0.5, -1.0, 2.0]), np.array([1.0, 0.2, -0.3]), np.arange(6.0).reshape(3, 2) / 3
X, Y = np.linspace(-1, 1, 16).reshape(8, 2), np.array([0, 1] * 4)
BOWL = oc.bowl.at(kappa=2.0)
CONSTRAINT = lambda w: np.sum(w, axis=-1, keepdims=True) - 1


def net() -> oc.MLP:
    return oc.MLP([2, 3, 2], "tanh", seed=0)


#: function -> arguments of a call that works; each of them is replaced in turn
CALLS: dict[str, dict] = {
    "descend": dict(rule=oc.adam, f=BOWL, start=[1.0, 1.0], steps=3, lr=0.1, noise=0.1, seed=1, beta1=0.9),
    "minimize": dict(
        f=BOWL,
        x0=[1.0, 1.0],
        method="bfgs",
        line_search="wolfe",
        step=1.0,
        tol=1e-8,
        max_iterations=5,
        damping=0.0,
        memory=3,
    ),
    "Optimizer": dict(rule=oc.adam, params=W, lr=0.1, accumulate=1, beta1=0.9),
    "train": dict(
        net=net, data=(X, Y), rule=oc.adam, lr=0.1, epochs=1, batch=4, clip=1.0, every=1, seed=0, monitor="train"
    ),
    "MLP": dict(sizes=[2, 3, 2], activation="tanh", norm="layer", dropout=0.1, seed=0),
    "mse": dict(pred=V, target=W),
    "mae": dict(pred=V, target=W),
    "huber": dict(pred=V, target=W, delta=1.0),
    "binary_cross_entropy": dict(logits=V, target=np.array([0.0, 1.0, 1.0])),
    "hinge": dict(scores=V, target=np.array([1.0, -1.0, 1.0])),
    "cross_entropy": dict(logits=X, target=Y),
    "multiclass_hinge": dict(scores=X, target=Y),
    "accuracy": dict(scores=X, target=Y),
    "sigmoid": dict(z=V),
    "softmax": dict(z=X),
    "log_softmax": dict(z=X),
    "logsumexp": dict(z=X),
    "softplus": dict(z=V),
    "relu": dict(z=V),
    "leaky_relu": dict(z=V, slope=0.01),
    "gelu": dict(z=V),
    "activation_slope": dict(name="tanh", z=V),
    "dropout_mask": dict(shape=(2, 3), p=0.5, rng=0),
    "constant_rate": dict(lr=0.1),
    "step_decay": dict(lr=0.1, every=3, gamma=0.5),
    "multi_step_decay": dict(lr=0.1, milestones=[2, 4], gamma=0.5),
    "exponential_decay": dict(lr=0.1, gamma=0.9),
    "inverse_time_decay": dict(lr=0.1, rate=1.0, power=0.5),
    "polynomial_decay": dict(lr=0.1, steps=5, floor=0.0, power=2.0),
    "linear_decay": dict(lr=0.1, steps=5, floor=0.0),
    "cosine_decay": dict(lr=0.1, steps=5, floor=0.0),
    "cosine_restarts": dict(lr=0.1, period=3, factor=2, floor=0.0),
    "warmup": dict(schedule=0.1, steps=3),
    "join_schedules": dict(at=[2]),
    "cyclic": dict(low=0.1, high=0.2, half=3, shape="triangular", gamma=1.0),
    "one_cycle": dict(peak=0.1, steps=20, rise=0.3),
    "wsd": dict(lr=0.1, warmup_steps=2, stable_steps=3, decay_steps=4, floor=0.0),
    "ReduceLROnPlateau": dict(
        lr=0.1, factor=0.1, patience=2, threshold=1e-4, cooldown=1, min_lr=0.0, eps=1e-8, warmup=2
    ),
    "l1": dict(w=V, lam=0.1),
    "l2": dict(w=V, lam=0.1),
    "elastic_net": dict(w=V, lam1=0.1, lam2=0.1),
    "soft_threshold": dict(v=V, t=0.5),
    "ista_step": dict(w=V, g=W, lr=0.1, lam=0.1),
    "ista": dict(grad=lambda w: w - 1.0, start=[0.0, 0.0], steps=3, lr=0.1, lam=0.1),
    "EarlyStopping": dict(patience=3),
    "label_noise": dict(y=Y, rate=0.5, classes=2, rng=0),
    "project_ball": dict(v=V, radius=1.0),
    "project_box": dict(v=V, low=0.0, high=1.0),
    "project_halfspace": dict(v=V, a=W, b=0.0),
    "project_simplex": dict(v=V, total=1.0),
    "projected_gradient": dict(f=BOWL, x0=[1.0, 1.0], project=oc.project_ball, lr=0.1, max_iterations=5),
    "solve_eq_qp": dict(Q=np.eye(2), c=np.zeros(2), A=np.ones((1, 2)), b=np.ones(1)),
    "penalty_method": dict(f=BOWL, c=CONSTRAINT, x0=[0.0, 0.0], rhos=[1.0, 10.0]),
    "augmented_lagrangian": dict(f=BOWL, c=CONSTRAINT, x0=[0.0, 0.0], rho=10.0, rounds=3),
    "kkt_residuals": dict(g=np.ones(2), c=[0.0], Jc=[[1.0, 1.0]], lam=[-1.0]),
    "minibatches": dict(n=10, b=3, rng=0),
    "stratified_split": dict(y=Y, size=4, rng=0),
    "digits": dict(n=20, test=30, scale="unit", seed=0),
    "numerical_gradient": dict(f=lambda w: float(w @ w), w=V, h=1e-5),
    "hvp": dict(grad=lambda w: w**3, w=V, v=W, h=1e-5),
    "power_iteration": dict(product=lambda v: 2 * v, n=3, tol=1e-6, max_steps=9, seed=0),
    "lanczos": dict(product=lambda v: 2 * v, n=3, tol=1e-4, max_steps=9, seed=0),
    "sharpness": dict(net=net, X=X, y=Y, tol=1e-2, seed=0),
    "hutchinson": dict(product=lambda v: 2 * v, n=3, draws=2, probe="signs", seed=0),
    "softmax_curvature": dict(z=V),
    "per_example_gradients": dict(net=net, X=X, g=np.ones((8, 2))),
    "jacobian": dict(net=net, X=X),
    "gauss_newton_matrix": dict(net=net, X=X),
    "fisher_matrix": dict(net=net, X=X, model="softmax"),
    "empirical_fisher": dict(net=net, X=X, y=Y),
    "kfac_factors": dict(net=net, X=X, model="softmax", rng=0),
    "kfac_direction": dict(net=net, factors=oc.kfac_factors(net(), X), damping=0.1),
    "KFAC": dict(net=net, lr=0.1, damping=0.1, decay=0.5, model="softmax", seed=0),
    "newton_step": dict(g=V[:2], H=np.eye(2), damping=0.1),
    "saddle_free_step": dict(g=V[:2], H=np.eye(2), damping=0.1),
    "bfgs_inverse_update": dict(W=np.eye(3), s=V, y=V),
    "sr1_update": dict(B=np.eye(3), s=V, y=W),
    "lbfgs_direction": dict(g=V, S=[V], Y=[V]),
    "backtracking": dict(f=BOWL, x=np.ones(2), d=-np.ones(2), g=np.ones(2), step=1.0, c=1e-4, shrink=0.5),
    "strong_wolfe": dict(f=BOWL, grad=BOWL.grad, x=np.ones(2), d=-np.ones(2), step=1.0, c1=1e-4, c2=0.9, tries=9),
    "gauss_newton": dict(residuals=lambda x: x - 1.0, jacobian=lambda x: np.eye(2), x0=[0.0, 0.0]),
    "assignment": dict(gain=np.array([[2.0, 1.0], [1.5, 3.0]])),
    "conjugate_gradient": dict(A=np.diag([1.0, 2.0]), b=np.ones(2), tol=1e-8, max_iterations=5),
    "clip_global_norm": dict(grads=[V, W], max_norm=1.0),
    "averaged": dict(points=M, beta=0.5),
    "chain": dict(name="two"),
    "newton_rule": dict(f=BOWL),
    "cautious": dict(rule=oc.adam),
    "sam": dict(grad=BOWL.grad, rho=0.1),
    "gradient_noise": dict(seed=0),
    "mean_se": dict(values=M, axis=0),
    "lstm_bias": dict(hidden=3, forget=1.0),
    **{
        name: dict(fan_in=3, fan_out=2, rng=0)
        for name in (
            "glorot_normal",
            "glorot_uniform",
            "he_normal",
            "he_uniform",
            "lecun_normal",
            "lecun_uniform",
            "orthogonal",
            "constant_init",
            "zeros_init",
        )
    },
}


def defaults(factory: Callable) -> dict:
    """The arguments of a widget's factory, as they are where none is given."""
    parameters = inspect.signature(factory).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


FACTORIES = [one for name in widgets.__all__ if not isinstance(one := getattr(widgets, name), type)]
#: what the factories of widgets take besides, or cannot do without
GIVEN: dict[str, dict] = {
    "chord": dict(f=lambda x: x**2),
    "classifier": dict(n=20, noise=0.1, batch=5, steps=5, width=3, depth=1, scale=1.0, seed=1, view="norms"),
    "explore": dict(surface=BOWL, rules=["gd", "adam"], steps=5, lr=0.1, beta1=0.9),
    "moments": dict(beta1=0.9),
    "newton": dict(surface=lambda w: np.sum(w**2, axis=-1)),
    "plane": dict(planes={"a": np.eye(3)}, loss=lambda w: np.sum(w**2, -1), held_out=lambda w: np.sum(w**2, -1)),
    "quiz": dict(notebook="1.1"),
    "schedule": dict(gamma=0.5, every=30, rate=0.01, slowing=0.1, floor=0.1, period=30, rise=0.3),
    "training": dict(table={0.1: {"loss": V}, 0.2: {"loss": W}}, curves=["loss"]),
}
WIDGETS = {factory.__name__: defaults(factory) | GIVEN.get(factory.__name__, {}) for factory in FACTORIES}
CALLS |= WIDGETS
#: what some take by place alone
PLACED = {"join_schedules": (oc.constant_rate(0.1), oc.linear_decay(0.1, 4)), "chain": (oc.clip_norm, oc.adam)}


#: whose docstrings say when there is no answer
NAN_IS_SAID = {"lbfgs_direction", "mean_se"}
#: what asks for a run without end where nothing makes it stop earlier
ENDLESS = {"max_iterations": {"huge", "huge whole"}, "max_steps": {"huge", "huge whole"}}


class Nothing:
    """An object that is no number, no array and no function."""


HOSTILE = {
    "None": None,
    "text": "much",
    "no text": "",
    "list": [],
    "tuple": (),
    "dict": {},
    "set": {1},
    "true": True,
    "zero": 0,
    "minus one": -1,
    "half": 1.5,
    "huge": 1e308,
    "inf": np.inf,
    "-inf": -np.inf,
    "nan": np.nan,
    "complex": 1j,
    "huge whole": 10**30,
    "empty": np.array([]),
    "0-d": np.array(3.0),
    "one nan": np.array([np.nan]),
    "two": np.ones(2),
    "seven": np.ones(7),
    "matrix": np.ones((3, 2)),
    "stack": np.ones((2, 3, 4)),
    "texts": np.array(["a", "b"]),
    "objects": np.array([1, None], object),
    "ragged": [[1, 2], [3]],
    "complexes": np.array([1j, 2j, 0]),
    "whole": np.array([1, 2, 3]),
    "bytes": b"x",
    "half precision": np.float16(1),
    "true or false": np.array([True, False, True]),
    "object": Nothing(),
    "class": Nothing,
    "no arguments": lambda: 0.0,
    "says None": lambda *a, **k: None,
    "says text": lambda *a, **k: "much",
    "says nan": lambda *a, **k: np.nan,
    "date": np.datetime64("2026-01-01"),
    "negative": np.array([-1.0, -2.0, -3.0]),
    "column": np.ones((3, 1)),
}


def fresh(value):
    return value() if value is net else value.copy() if isinstance(value, np.ndarray) else value


def is_ours(error: BaseException) -> bool:
    """Whether the innermost frame is a `raise` of this package, or the code of a caller's own function."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    own = Path(frame.filename).is_relative_to(PACKAGE)
    return own and (frame.line or "").startswith("raise") or Path(frame.filename) == Path(__file__)


def has_nan(value) -> bool:
    if isinstance(value, (tuple, list)):
        return any(map(has_nan, value))
    if isinstance(value, (float, np.ndarray, np.floating)):
        array = np.asarray(value)
        return array.dtype.kind in "fc" and bool(np.isnan(array).any())
    return False


def result_of(function: str, others: dict):
    """What the call gives with these arguments in place of its own; a schedule is asked for step 2."""
    given = {name: fresh(v) for name, v in CALLS[function].items()} | others
    result = getattr(oc, function)(*PLACED.get(function, ()), **given)
    return result(2) if isinstance(result, Made) and function in schedules.__all__ else result


def outcome(function: str, hostile: dict[str, str]) -> str:
    """ "" for a result or an error of our own; else what is raw about it, in a line. hostile: argument -> value."""
    if any(value in ENDLESS.get(argument, ()) for argument, value in hostile.items()):
        return ""
    what = f"{function}({', '.join(f'{k}={v}' for k, v in hostile.items())})"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = result_of(function, {k: HOSTILE[v] for k, v in hostile.items()})
    except Exception as error:
        return "" if is_ours(error) else f"{what}: {type(error).__name__}: {str(error)[:90]}"
    told = {"nan", "one nan", "inf", "-inf", "huge", "huge whole", "says nan"} & {
        *hostile.values()
    }  # what comes in may go out
    told |= {function} & NAN_IS_SAID
    return f"{what}: nan without a word" if not told and has_nan(result) else ""
