"""Which library call each rule, schedule and solver must match, and the paths that those calls took (rules.npz).

The problem is smooth, coupled and seven-dimensional: ∇f(x) = Hx - b + 0.3 cos 3x. Learning rates are chosen so that
200 steps stay in the transient: in a limit cycle sign-like rules amplify rounding, and no two programs agree.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import optcore as oc

FILE = Path(__file__).with_name("rules.npz")
STEPS, EVERY, EPOCHS = 200, 10, 120  # of a path every tenth point is stored, of a schedule each value

_rng = np.random.default_rng(0)
_A = _rng.normal(size=(7, 7))
H = _A @ _A.T / 7 + 0.1 * np.eye(7)
B = _rng.normal(size=7)
START = _rng.normal(size=7)
MATRIX_START = _rng.normal(size=(7, 4))
WIDE_START, SQUARE_START = _rng.normal(size=(7, 12)), _rng.normal(size=(7, 7))


def gradient(x):
    """∇f at points (…, 7); `cos` and `@` alone, so that it serves NumPy, PyTorch and JAX arrays alike."""
    return x @ H - B + 0.3 * np.cos(3 * x)


def matrix_gradient(W):
    """The same for every column of W (7, 4), and the columns coupled by their sum."""
    return H @ W - B[:, None] + 0.3 * np.cos(3 * W) + 0.2 * W.sum(axis=1, keepdims=True)


class Case(NamedTuple):
    """A rule with its settings, and the calls of other libraries that make the same path."""

    rule: Callable
    lr: float
    hyper: dict
    calls: tuple[str, ...]
    start: np.ndarray | None = None  # of a matrix rule that needs another one


RULES = {
    "gd": Case(oc.gd, 0.05, {}, ("torch.optim.SGD([p], lr)", "optax.sgd(lr)")),
    "momentum": Case(
        oc.momentum, 0.02, {}, ("torch.optim.SGD([p], lr, momentum=0.9)", "optax.sgd(lr, momentum=0.9)")
    ),
    "nesterov": Case(
        oc.nesterov, 0.02, {},
        ("torch.optim.SGD([p], lr, momentum=0.9, nesterov=True)", "optax.sgd(lr, momentum=0.9, nesterov=True)"),
    ),
    "ema": Case(oc.ema, 0.1, {}, ("optax.chain(optax.ema(0.9, debias=False), optax.scale(-lr))",)),
    "adagrad": Case(oc.adagrad, 0.05, {}, ("torch.optim.Adagrad([p], lr)",)),
    "rmsprop": Case(
        oc.rmsprop, 1e-3, {},
        ("torch.optim.RMSprop([p], lr)", "optax.rmsprop(lr, decay=0.99, eps_in_sqrt=False)"),
    ),
    "centered rmsprop": Case(oc.centered_rmsprop, 1e-3, {}, ("torch.optim.RMSprop([p], lr, centered=True)",)),
    "rmsprop, momentum": Case(
        oc.chain(oc.rmsprop, oc.momentum), 2e-4, {}, ("torch.optim.RMSprop([p], lr, momentum=0.9)",)
    ),
    "adadelta": Case(
        oc.adadelta, 1.0, {}, ("torch.optim.Adadelta([p], lr)", "optax.adadelta(lr, rho=0.9, eps=1e-6)")
    ),
    "adam": Case(
        oc.adam, 0.01, {},
        ("torch.optim.Adam([p], lr)", "torch.optim.Adam([p], lr, foreach=True)",
         "torch.optim.Adam([p], lr, fused=True)", "optax.adam(lr)"),
    ),
    "adam, other settings": Case(
        oc.adam, 0.01, {"beta1": 0.8, "beta2": 0.95, "eps": 1e-3},
        ("torch.optim.Adam([p], lr, betas=(0.8, 0.95), eps=1e-3)", "optax.adam(lr, b1=0.8, b2=0.95, eps=1e-3)"),
    ),
    "adam, clipped": Case(
        oc.chain(oc.clip_norm, oc.adam), 0.01, {"max_norm": 0.5}, ("torch.optim.Adam([clipped(p, 0.5)], lr)",)
    ),
    "amsgrad": Case(oc.amsgrad, 0.01, {}, ("torch.optim.Adam([p], lr, amsgrad=True)",)),
    "nadam": Case(oc.nadam, 0.01, {}, ("torch.optim.NAdam([p], lr)",)),
    "adamw": Case(
        oc.adamw, 0.01, {"weight_decay": 0.1},
        ("torch.optim.AdamW([p], lr, weight_decay=0.1)", "optax.adamw(lr, weight_decay=0.1)"),
    ),
    "adam_l2": Case(
        oc.adam_l2, 0.01, {"weight_decay": 0.1},
        ("torch.optim.Adam([p], lr, weight_decay=0.1)",
         "optax.chain(optax.add_decayed_weights(0.1), optax.adam(lr))"),
    ),
    "lamb": Case(oc.lamb, 5e-3, {"weight_decay": 0.1}, ("optax.lamb(lr, weight_decay=0.1)",)),
    "lars": Case(
        oc.lars, 1.0, {"weight_decay": 0.1},
        ("optax.lars(lr, weight_decay=0.1, momentum=0.9)",),
    ),
    "lion": Case(oc.lion, 0.02, {}, ("optax.lion(lr, weight_decay=0.0)",)),
    "signsgd": Case(oc.signsgd, 0.02, {}, ("optax.sign_sgd(lr)",)),
    "radam": Case(oc.radam, 5e-3, {}, ("torch.optim.RAdam([p], lr)",)),
    "adamax": Case(oc.adamax, 0.01, {}, ("torch.optim.Adamax([p], lr)", "optax.adamax(lr)")),
    "adan": Case(oc.adan, 0.01, {}, ("adan(p, lr)",)),
    "ademamix": Case(oc.ademamix, 0.005, {"beta3": 0.999}, ("optax.contrib.ademamix(lr, b3=0.999)",)),
    "rprop": Case(oc.rprop, 1e-3, {"least": 1e-3, "most": 1e5}, ("torch.optim.Rprop([p], lr)",)),
    "prodigy": Case(oc.prodigy, 1.0, {}, ("optax.contrib.prodigy(lr)",)),
    "cautious adam": Case(oc.cautious(oc.adam), 0.01, {}, ("cautious(torch.optim.Adam)([p], lr)",)),
    "lookahead": Case(oc.chain(oc.adam, oc.lookahead), 0.01, {}, ("optax.lookahead(optax.adam(lr), 5, 0.5)",)),
    "schedule_free": Case(
        oc.schedule_free, 0.1, {}, ("optax.contrib.schedule_free(optax.sgd(lr), lr, b1=0.9)",)
    ),
}  # fmt: skip

#: Rules on the 7 × 4 matrix problem: seven inputs, four outputs, stored (in, out) here and (out, in) by torch, whose
#: parameter is the transpose. torch computes Muon in bfloat16; `in_float64` switches that off. SOAP starts from a
#: square matrix: of another one, rounding would choose some of its first axes.
MATRIX_RULES = {
    "muon": Case(oc.muon, 0.02, {}, ("in_float64(torch.optim.Muon)([p], lr, weight_decay=0.0)",)),
    "muon, wide": Case(
        oc.muon, 2e-3, {}, ("in_float64(torch.optim.Muon)([p], lr, weight_decay=0.0, nesterov=True)",), WIDE_START
    ),
    "muon, decay": Case(
        oc.chain(oc.muon, oc.decay), 0.02, {"weight_decay": 0.1},
        ("in_float64(torch.optim.Muon)([p], lr, weight_decay=0.1)",),
    ),
    "adafactor": Case(oc.adafactor, 0.02, {}, ("torch.optim.Adafactor([p], lr)",)),
    "adafactor, decay": Case(
        oc.chain(oc.adafactor, oc.decay), 0.01, {"weight_decay": 0.1},
        ("torch.optim.Adafactor([p], lr, weight_decay=0.1)",), WIDE_START,
    ),
    "soap": Case(oc.soap, 0.02, {"eps": 1e-3}, ("soap(p, lr, 1e-3)",), SQUARE_START),
}  # fmt: skip

#: schedule, and the call on an optimizer `o` whose rate is 0.5
SCHEDULES = {
    "step": (oc.step_decay(0.5, 30), "StepLR(o, 30)"),
    "multi-step": (oc.multi_step_decay(0.5, [20, 50], 0.3), "MultiStepLR(o, [20, 50], 0.3)"),
    "exponential": (oc.exponential_decay(0.5, gamma=0.97), "ExponentialLR(o, 0.97)"),
    "polynomial": (oc.polynomial_decay(0.5, 100, power=2), "PolynomialLR(o, 100, power=2)"),
    "linear": (oc.linear_decay(0.5, 100, 0.05), "LinearLR(o, 1, 0.1, total_iters=100)"),
    "cosine": (oc.cosine_decay(0.5, EPOCHS, 0.01), "CosineAnnealingLR(o, 120, eta_min=0.01)"),
    "restarts": (oc.cosine_restarts(0.5, 25, floor=0.01), "CosineAnnealingWarmRestarts(o, 25, eta_min=0.01)"),
    "restarts, longer": (oc.cosine_restarts(0.5, 10, factor=2), "CosineAnnealingWarmRestarts(o, 10, T_mult=2)"),
    "warm-up": (oc.warmup(0.5, 16), "LinearLR(o, 1 / 16, total_iters=15)"),
    "triangular": (oc.cyclic(0.1, 0.5, 12), "CyclicLR(o, 0.1, 0.5, 12)"),
    "triangular2": (oc.cyclic(0.1, 0.5, 12, "triangular2"), "CyclicLR(o, 0.1, 0.5, 12, mode='triangular2')"),
    "exp_range": (
        oc.cyclic(0.1, 0.5, 12, "exp_range", 0.99),
        "CyclicLR(o, 0.1, 0.5, 12, mode='exp_range', gamma=0.99)",
    ),
    "one cycle": (oc.one_cycle(0.5, EPOCHS), "OneCycleLR(o, 0.5, total_steps=120)"),
}

#: settings of ReduceLROnPlateau, each run on every stored history of a metric
PLATEAUS = [
    {},
    {"patience": 2},
    {"patience": 0, "cooldown": 3, "factor": 0.5},
    {"patience": 3, "threshold": 0.05, "threshold_mode": "abs", "min_lr": 0.01},
    {"patience": 1, "mode": "max", "threshold": 0.01},
    {"patience": 1, "factor": 0.2, "eps": 1e-3},
]

#: L-BFGS on the problem with H + I, where f is convex and every pair is kept
LBFGS_STEPS, LBFGS_LR, LBFGS_MEMORY = 50, 0.5, 5
MEMORY, AVERAGED_LR = 0.9, 0.01  # of the running average beside Adam


def convex_gradient(x):
    return gradient(x) + x
