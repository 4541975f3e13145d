"""Update rules: each maps a gradient to a direction `d`, and every run does `w <- w - lr*d`.

The signature is the specification. The first argument is the gradient `g`, shape `(…, n)`; positional arguments with
defaults are the state and its initial value; keyword-only arguments are the hyper-parameters. A rule that names `w`
(parameters) or `t` (step, from 1) is handed them. It returns `d`, or `d` followed by the new state, and writes into
nothing it was given. A first argument called `G` says that the rule takes whole matrices, shape `(…, m, n)`; a state
default that is a function makes the initial state from the gradient.

>>> def my_rule(g, m=0.0, *, beta=0.5):
...     m = beta * m + g
...     return m, m
>>> spec(my_rule).hyper
{'beta': 0.5}
"""

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from .symbolic import TraceError, trace

__all__ = [
    "RANGES",
    "Spec",
    "adadelta",
    "adagrad",
    "adam",
    "adam_l2",
    "adamw",
    "amsgrad",
    "apply",
    "averaged",
    "centered_rmsprop",
    "chain",
    "clip_global_norm",
    "clip_norm",
    "clip_value",
    "decay",
    "ema",
    "gd",
    "gradient_noise",
    "is_elementwise",
    "lamb",
    "lars",
    "lion",
    "momentum",
    "muon",
    "nadam",
    "name_of",
    "nesterov",
    "newton_schulz",
    "newton_schulz_step",
    "orthogonalize",
    "rmsprop",
    "rule_program",
    "sam",
    "schedule_free",
    "shampoo",
    "signsgd",
    "spec",
    "trust_ratio",
]

# ----------------------------------------------------------------------------------------------------------- rules


def gd(g):
    """Gradient descent: `d = g`.

    Source: Cauchy 1847; Goodfellow, Bengio & Courville 2016, §4.3.

    >>> gd(np.array([3.0, -1.0]))
    array([ 3., -1.])
    """
    return g


def momentum(g, u=0.0, *, beta=0.9):
    """Heavy ball: `u <- beta*u + g`, `d = u` (the learning rate stays outside, as in PyTorch).

    Source: Polyak 1964, in the form of torch.optim.SGD(momentum=beta).

    >>> momentum(np.array([1.0]), np.array([2.0]), beta=0.5)
    (array([2.]), array([2.]))
    """
    u = beta * u + g
    return u, u


def nesterov(g, u=0.0, *, beta=0.9):
    """Nesterov momentum: `u <- beta*u + g`, `d = g + beta*u`; the look-ahead in shifted variables.

    Source: Nesterov 1983; Sutskever et al. 2013, §2; the form of torch.optim.SGD(nesterov=True).

    >>> nesterov(np.array([1.0]), np.array([2.0]), beta=0.5)
    (array([2.]), array([2.]))
    """
    u = beta * u + g
    return g + beta * u, u


def ema(g, m=0.0, *, beta=0.9):
    """Momentum as a running mean: `m <- βm + (1-β)g`, `d = m`.

    The path of `momentum` with lr/(1-β): the sum there weighs 1/(1-β) times what the mean does here.
    Source: the form of optax.ema(debias=False) and of Adam's first moment.

    >>> ema(np.array([1.0]), np.array([2.0]), beta=0.75)
    (array([1.75]), array([1.75]))
    """
    m = beta * m + (1 - beta) * g
    return m, m


def signsgd(g):
    """Only the signs: `d = sign(g)`, a step of length lr in every coordinate.

    Source: Bernstein et al. 2018, Algorithm 1.

    >>> signsgd(np.array([3.0, -1e-9, 0.0]))
    array([ 1., -1.,  0.])
    """
    return np.sign(g)


def lion(g, m=0.0, *, beta1=0.9, beta2=0.99):
    """Lion: `d = sign(β₁m + (1-β₁)g)` with a mean that forgets more slowly, `m <- β₂m + (1-β₂)g`.

    Source: Chen et al. 2023, Algorithm 2; `chain(lion, decay)` is their decoupled decay.

    >>> lion(np.array([-1.0, 1.0]), np.array([0.5, 0.5]))[0]
    array([1., 1.])
    """
    return np.sign(beta1 * m + (1 - beta1) * g), beta2 * m + (1 - beta2) * g


def adagrad(g, s=0.0, *, eps=1e-10):
    """AdaGrad: `s <- s + g²`, `d = g/(√s + ε)`: each coordinate divided by the size of all its gradients so far.

    Source: Duchi, Hazan & Singer 2011; the ε of torch.optim.Adagrad, outside the root.

    >>> adagrad(np.array([3.0, 1e-3]), np.array([16.0, 0.0]))[0].round(6)
    array([0.6, 1. ])
    """
    s = s + g**2
    return g / (np.sqrt(s) + eps), s


def rmsprop(g, v=0.0, *, rho=0.99, eps=1e-8):
    """RMSProp: `v <- ρv + (1-ρ)g²`, `d = g/(√v + ε)`: AdaGrad that forgets.

    Source: Tieleman & Hinton 2012, lecture 6e (ρ = 0.9); ρ and ε as in torch.optim.RMSprop. Nothing corrects the start
    at 0, so the first step is 1/√(1-ρ) long; `chain(rmsprop, momentum)` is RMSprop(momentum=…).

    >>> rmsprop(np.array([1.0, 50.0]))[0].round(3)
    array([10., 10.])
    """
    v = rho * v + (1 - rho) * g**2
    return g / (np.sqrt(v) + eps), v


def centered_rmsprop(g, v=0.0, m=0.0, *, rho=0.99, eps=1e-8):
    """RMSProp by the spread around the mean: `m <- ρm + (1-ρ)g`, `d = g/(√(v - m²) + ε)`.

    Source: Graves 2013, eq. 38–41; the form of torch.optim.RMSprop(centered=True).

    >>> centered_rmsprop(np.array([1.0, 2.0]), rho=0.5)[0].round(6)
    array([2., 2.])
    """
    v = rho * v + (1 - rho) * g**2
    m = rho * m + (1 - rho) * g
    return g / (np.sqrt(np.maximum(v - m**2, 0.0)) + eps), v, m


def adadelta(g, v=0.0, u=0.0, *, rho=0.9, eps=1e-6):
    """AdaDelta: `v <- ρv + (1-ρ)g²`, `d = √(u + ε)/√(v + ε)·g`, `u <- ρu + (1-ρ)d²`; made for lr = 1.

    The numerator is the size of recent steps, so d has the units of w. Source: Zeiler 2012, Algorithm 1.

    >>> adadelta(np.array([1.0]))[0].round(6)
    array([0.003162])
    """
    v = rho * v + (1 - rho) * g**2
    d = np.sqrt(u + eps) / np.sqrt(v + eps) * g
    return d, v, rho * u + (1 - rho) * d**2


def adam(g, m=0.0, v=0.0, *, t, beta1=0.9, beta2=0.999, eps=1e-8):
    """Adam: running means of g and g², both divided by what their zero start left out.

    `m <- β₁m + (1-β₁)g`, `v <- β₂v + (1-β₂)g²`, `d = m/(1-β₁ᵗ) / (√(v/(1-β₂ᵗ)) + ε)`.
    Source: Kingma & Ba 2015, Algorithm 1.

    >>> adam(np.array([1e-3, 50.0]), t=1)[0].round(4)
    array([1., 1.])
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps), m, v


def amsgrad(g, m=0.0, v=0.0, v_max=0.0, *, t, beta1=0.9, beta2=0.999, eps=1e-8):
    """Adam whose denominator never shrinks: `v_max <- max(v_max, v)` stands in for v.

    Source: Reddi, Kale & Kumar 2018, Algorithm 2, with Adam's bias correction after the maximum, as in
    torch.optim.Adam(amsgrad=True); optax takes the maximum of the corrected v.

    >>> amsgrad(np.array([1.0]), v_max=np.array([4.0]), t=1, beta2=0.0)[0].round(6)
    array([0.5])
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    v_max = np.maximum(v_max, v)
    return m / (1 - beta1**t) / (np.sqrt(v_max / (1 - beta2**t)) + eps), m, v, v_max


def nadam(g, m=0.0, v=0.0, p=1.0, *, t, beta1=0.9, beta2=0.999, eps=1e-8, psi=4e-3):
    """Adam with Nesterov's look-ahead and a momentum that warms up, `μ_t = β₁(1 - ½·0.96^{tψ})`; p is their product.

    `d = (μ_{t+1} m/(1 - p μ_{t+1}) + (1-μ_t) g/(1-p)) / (√v̂ + ε)`. Source: Dozat 2016; the schedule and ψ of
    torch.optim.NAdam (optax keeps μ constant, which is another path).

    >>> nadam(np.array([1.0, 50.0]), t=1)[0].round(3)
    array([1.056, 1.056])
    """
    mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (k * psi)) for k in (t, t + 1))
    p = p * mu
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    ahead = mu_next * m / (1 - p * mu_next) + (1 - mu) * g / (1 - p)
    return ahead / (np.sqrt(v / (1 - beta2**t)) + eps), m, v, p


def schedule_free(g, z=0.0, x=0.0, *, t, beta=0.9):
    """Schedule-free descent: gradients at y = (1-β)z + βx, where z takes the steps and x is the mean of all z.

    `z <- z + g`, `x <- x + (z - x)/t`, d = how far y moves (z and x are the ways gone so far, in units of lr, which is
    meant to stay constant). The run's points are y; the point to use is x, which `averaged(path.points, beta)` gives.
    Source: Defazio et al. 2024, "The road less scheduled".

    >>> schedule_free(np.array([1.0]), np.array([1.0]), np.array([1.0]), t=2)
    (array([0.55]), array([2.]), array([1.5]))
    """
    z_new = z + g
    x_new = x + (z_new - x) / t
    return (1 - beta) * (z_new - z) + beta * (x_new - x), z_new, x_new


# -------------------------------------------------------------------------------------------------- rules on matrices


def _transposed(A):
    return np.swapaxes(A, -1, -2)


def _inverse_fourth_root(A, eps):
    values, vectors = np.linalg.eigh(A)
    return vectors * ((np.maximum(values, 0.0) + eps) ** -0.25)[..., None, :] @ _transposed(vectors)


def _square_left(G):
    return np.zeros_like(G @ _transposed(G))


def _square_right(G):
    return np.zeros_like(_transposed(G) @ G)


def shampoo(G, L=_square_left, R=_square_right, *, eps=1e-6):
    """Shampoo: `L <- L + GGᵀ`, `R <- R + GᵀG`, `d = (L + εI)^{-1/4} G (R + εI)^{-1/4}`.

    AdaGrad for a weight matrix: directions among its rows and its columns are rescaled, not single entries.
    Source: Gupta, Koren & Singer 2018, Algorithm 1.

    >>> shampoo(np.diag([4.0, 1.0]), np.zeros((2, 2)), np.zeros((2, 2)))[0].round(4)
    array([[1., 0.],
           [0., 1.]])
    """
    L = L + G @ _transposed(G)
    R = R + _transposed(G) @ G
    return _inverse_fourth_root(L, eps) @ G @ _inverse_fourth_root(R, eps), L, R


MUON_COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def newton_schulz_step(X, a, b, c):
    """One step `aX + (bA + cA²)X` with A = XXᵀ: each singular value s of X (…, m, n) becomes as + bs³ + cs⁵.

    Source: Jordan et al. 2024, "Muon".

    >>> newton_schulz_step(np.diag([1.0, 0.5]), 1.5, -0.5, 0.0)
    array([[1.    , 0.    ],
           [0.    , 0.6875]])
    """
    A = X @ _transposed(X)
    return a * X + (b * A + c * A @ A) @ X


def newton_schulz(G: Any, steps: int = 5, coefficients: tuple[float, float, float] = MUON_COEFFICIENTS) -> Any:
    """Nearly the orthogonal factor UVᵀ of G = UΣVᵀ: `X <- aX + (bA + cA²)X` with A = XXᵀ, from X = G/‖G‖.

    With a, b, c = 3.4445, -4.7750, 2.0315, five steps take every singular value above a hundredth of ‖G‖ to between
    0.68 and 1.14, not to 1; other `coefficients` (a, b, c) may be given. G is (…, m, n).
    Source: Jordan et al. 2024, "Muon"; Bernstein & Newhouse 2024.

    >>> np.linalg.svd(newton_schulz(np.diag([3.0, 0.1])), compute_uv=False).round(2)
    array([1.13, 0.7 ])
    """
    tall = G.shape[-2] > G.shape[-1]
    X = _transposed(G) if tall else G
    X = X / np.maximum(np.linalg.norm(X, axis=(-2, -1), keepdims=True), 1e-7)
    for _ in range(steps):
        X = newton_schulz_step(X, *coefficients)
    return _transposed(X) if tall else X


def orthogonalize(G):
    """`d = √max(1, m/n)·newton_schulz(G)`: a step of nearly the same size along every singular direction.

    Source: Jordan et al. 2024; the scale is that of torch.optim.Muon's default.

    >>> float(np.linalg.norm(orthogonalize(np.ones((8, 2))), 2).round(2))
    1.39
    """
    return newton_schulz(G) * max(1.0, G.shape[-2] / G.shape[-1]) ** 0.5


# ----------------------------------------------------------------------------------------------------------- links


def clip_value(g, *, max_value=1.0):
    """Clip each coordinate to [-max_value, max_value]; unlike `clip_norm` it may turn the direction.

    Source: Goodfellow, Bengio & Courville 2016, §10.11.1; torch.nn.utils.clip_grad_value_.

    >>> clip_value(np.array([30.0, 0.5]))
    array([1. , 0.5])
    """
    return np.clip(g, -max_value, max_value)


def clip_norm(g, *, max_norm=1.0):
    """Shorten `g` to length `max_norm` if it is longer: `d = g·min(1, c/(‖g‖ + 1e-6))`.

    Source: Pascanu, Mikolov & Bengio 2013, Algorithm 1; the 1e-6 is that of torch.nn.utils.clip_grad_norm_.

    >>> clip_norm(np.array([3.0, 4.0])).round(4)
    array([0.6, 0.8])
    """
    return g * np.minimum(1.0, max_norm / (np.linalg.norm(g, axis=-1, keepdims=True) + 1e-6))


def decay(g, *, w, weight_decay=0.01):
    """Weight decay: `d = g + λw`. Before a rule it is an L2 penalty (λ/2)‖w‖², after it decoupled decay.

    Source: Loshchilov & Hutter 2019, Algorithms 1 and 2.

    >>> decay(np.array([0.0]), w=np.array([2.0]), weight_decay=0.1)
    array([0.2])
    """
    return g + weight_decay * w


def trust_ratio(g, *, w, coefficient=1.0):
    """Give the step the length of the weights: `d = c·‖w‖/‖g‖·g`; d = g where either norm is 0.

    Source: You, Gitman & Ginsburg 2017 (LARS); the form of optax.scale_by_trust_ratio.

    >>> trust_ratio(np.array([0.0, 0.5]), w=np.array([3.0, 4.0]))
    array([0., 5.])
    """
    size, length = (np.linalg.norm(a, axis=-1, keepdims=True) for a in (w, g))
    both = (size > 0) & (length > 0)
    return np.where(both, coefficient * size / np.where(both, length, 1.0), 1.0) * g


def gradient_noise(seed: int = 0) -> Callable:
    """A link that adds annealed normal noise: `d = g + std·t^{-γ/2}·ξ`, ξ drawn from (seed, t) alone.

    The same step gets the same draws in every run and for every array of the same length, so runs stay comparable.
    Source: Neelakantan et al. 2015, whose variance is η/(1+t)^γ with t from 0.

    >>> gradient_noise(seed=0)(np.zeros(2), t=1, std=1.0).round(3)
    array([ 0.103, -0.981])
    """

    def noisy(g, *, t, std=0.1, gamma=0.55):
        draws = np.random.default_rng([seed, int(t)]).standard_normal(g.shape[-1]).astype(g.dtype)
        return g + std * t ** (-gamma / 2) * draws

    return noisy


# ------------------------------------------------------------------------------------ around gradients and around runs


def clip_global_norm(grads: Any, max_norm: float = 1.0) -> tuple[Any, float]:
    """Shorten a list or dict of gradients by one common factor min(1, c/(‖g‖ + 1e-6)), ‖g‖ over all of them.

    Returns (clipped gradients, the norm before); nothing is written into. The direction of the whole stays as it was.
    Source: Pascanu, Mikolov & Bengio 2013, Algorithm 1; the 1e-6 is that of torch.nn.utils.clip_grad_norm_.

    >>> clipped, norm = clip_global_norm([np.array([3.0, 0.0]), np.array([4.0])], max_norm=1.0)
    >>> norm, [c.round(5).tolist() for c in clipped]
    (5.0, [[0.6, 0.0], [0.8]])
    """
    named = grads if isinstance(grads, Mapping) else dict(enumerate(grads))
    norm = float(np.sqrt(sum(np.sum(np.square(g)) for g in named.values())))
    factor = min(1.0, max_norm / (norm + 1e-6))
    clipped = {key: g * factor for key, g in named.items()}
    return (clipped if isinstance(grads, Mapping) else [*clipped.values()]), norm


def sam(grad: Callable, rho: float = 0.05) -> Callable:
    """Sharpness-aware minimisation: the gradient at the worst point nearby, `w -> ∇f(w + ρ∇f(w)/‖∇f(w)‖)`.

    grad maps points (…, n) to gradients; so does the result, for `descend(rule, f, …, grad=sam(f.grad))` with any rule.
    Source: Foret et al. 2021, eq. 2–3.

    >>> sam(lambda w: 2 * w, rho=0.5)(np.array([3.0, 4.0])).round(6)
    array([6.6, 8.8])
    """

    def perturbed(w):
        g = grad(w)
        return grad(w + rho * g / (np.linalg.norm(g, axis=-1, keepdims=True) + 1e-12))

    return perturbed


def averaged(points: Any, beta: float = 0.0) -> np.ndarray:
    """The average that belongs to each point of a path: `x_t = x_{t-1} + (w_t - x_{t-1})/((1-β)t + β)`.

    points is (steps + 1, …), and so is the result; x_0 = w_0 does not count. With β = 0 the mean of w_1 … w_t; for the
    last part of a run only, pass that part. With the β of `schedule_free`, the x of that rule.
    Source: Polyak & Juditsky 1992; Defazio et al. 2024.

    >>> averaged([9.0, 1.0, 2.0, 3.0])
    array([9. , 1. , 1.5, 2. ])
    """
    x = np.array(points)
    for t in range(1, len(x)):
        x[t] = x[t - 1] + (x[t] - x[t - 1]) / ((1 - beta) * t + beta)
    return x


# --------------------------------------------------------------------------------------------- what a signature says


class Spec(NamedTuple):
    """What a rule's signature says."""

    state: dict[str, Any]  # name -> initial value, or a function of the gradient
    hyper: dict[str, float]  # name -> default
    uses_w: bool
    uses_t: bool
    takes_matrices: bool


#: The values that make sense for a hyper-parameter of the course's rules: name -> (lowest, highest, highest allowed?).
RANGES: dict[str, tuple[float, float, bool]] = {
    "lr": (0.0, np.inf, False),
    "beta": (0.0, 1.0, False),
    "beta1": (0.0, 1.0, False),
    "beta2": (0.0, 1.0, False),
    "rho": (0.0, 1.0, False),
    "eps": (0.0, np.inf, False),
    "weight_decay": (0.0, np.inf, False),
    "max_norm": (0.0, np.inf, True),
    "max_value": (0.0, np.inf, True),
    "coefficient": (0.0, np.inf, False),
    "std": (0.0, np.inf, False),
}


def name_of(rule: Callable) -> str:
    """The name under which a rule is shown: its own, or that of the function inside a partial."""
    return getattr(rule, "__name__", None) or name_of(rule.func) if hasattr(rule, "func") else rule.__name__


@lru_cache(maxsize=512)
def spec(rule: Callable) -> Spec:
    """Read a rule's signature; raises TypeError with what to change when it is not one of a rule."""
    parameters = list(inspect.signature(rule).parameters.values())
    name = name_of(rule)
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        raise TypeError(f"{name} takes *args or **kwargs; a rule names its state and its hyper-parameters.")
    positional = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    keywords = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    if not positional or positional[0].default is not inspect.Parameter.empty:
        raise TypeError(f"{name} needs the gradient as its first argument, as in def {name}(g, …).")
    for p in positional[1:]:
        if p.default is inspect.Parameter.empty:
            raise TypeError(f"{name}: state '{p.name}' needs its initial value, as in {p.name}=0.0.")
    hyper = {k: d for k, d in keywords.items() if k not in ("w", "t")}
    for k, default in hyper.items():
        if default is inspect.Parameter.empty:
            raise TypeError(f"{name}: hyper-parameter '{k}' needs a default value.")
    state = {p.name: p.default for p in positional[1:]}
    return Spec(state, hyper, "w" in keywords, "t" in keywords, positional[0].name == "G")


def apply(rule: Callable, g, state, keywords: Mapping) -> tuple:
    """Call `rule` with those of `keywords` that it names; always returns `(d, *new_state)`."""
    s = spec(rule)
    named = {k: v for k, v in keywords.items() if k in s.hyper or (k == "w" and s.uses_w) or (k == "t" and s.uses_t)}
    result = rule(g, *state, **named)
    result = result if isinstance(result, tuple) else (result,)
    if len(result) != 1 + len(s.state) or any(r is None for r in result):
        expected = ", ".join(["d", *s.state])
        raise TypeError(f"{name_of(rule)} must return {expected}: the direction and each new state.")
    return result


def chain(*links: Callable, name: str | None = None) -> Callable:
    """Compose rules and links from left to right: the direction of one is the gradient of the next.

    Order carries meaning: `chain(decay, adam)` is Adam with an L2 penalty, `chain(adam, decay)` is AdamW.
    States are kept apart; links that name the same hyper-parameter share it.

    >>> clipped = chain(clip_norm, momentum)
    >>> clipped(np.array([30.0, 40.0]), max_norm=5.0)[0].round(3)
    array([3., 4.])
    """
    specs = [spec(link) for link in links]
    state: dict[str, Any] = {}
    hyper: dict[str, float] = {}
    for s in specs:
        for key, initial in s.state.items():
            unique = key
            while unique in state:
                unique += "_"
            state[unique] = initial
        for key, default in s.hyper.items():
            if hyper.setdefault(key, default) != default:
                raise ValueError(f"Two links share '{key}' with different defaults ({hyper[key]} and {default}).")

    def chained(g, *state, **keywords):
        new: list = []
        state = state or tuple(i for s in specs for i in s.state.values())
        for link, s in zip(links, specs, strict=True):
            g, *kept = apply(link, g, state[len(new) : len(new) + len(s.state)], keywords)
            new += kept
        return (g, *new) if new else g

    P, E = inspect.Parameter, inspect.Parameter.empty
    gradient = "G" if any(s.takes_matrices for s in specs) else "g"
    chained.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [P(gradient, P.POSITIONAL_OR_KEYWORD)]
        + [P(k, P.POSITIONAL_OR_KEYWORD, default=v) for k, v in state.items()]
        + [P("w", P.KEYWORD_ONLY) for _ in range(any(s.uses_w for s in specs))]
        + [P("t", P.KEYWORD_ONLY) for _ in range(any(s.uses_t for s in specs))]
        + [P(k, P.KEYWORD_ONLY, default=v if v is not E else E) for k, v in hyper.items()]
    )
    chained.__name__ = name or "_".join(name_of(link) for link in links)
    chained.__doc__ = f"{' → '.join(name_of(link) for link in links)}, composed by `chain`."
    return chained


# Adam with decoupled decay and with an L2 penalty: the same links in two orders (Loshchilov & Hutter 2019).
adamw = chain(adam, decay, name="adamw")
adam_l2 = chain(decay, adam, name="adam_l2")

# You et al. 2017 and 2020, as optax writes them: the decay counts in the ratio of norms.
lars = chain(decay, partial(trust_ratio, coefficient=1e-3), momentum, name="lars")
lamb = chain(partial(adam, eps=1e-6), decay, trust_ratio, name="lamb")

# Jordan et al. 2024: Nesterov momentum whose step is made orthogonal.
muon = chain(partial(nesterov, beta=0.95), orthogonalize, name="muon")


# ----------------------------------------------------------------------------------------------- the same, traced


@lru_cache(maxsize=512)
def _trace_rule(rule: Callable, n: int):
    s = spec(rule)
    if s.takes_matrices:
        raise TraceError(f"{name_of(rule)} takes whole matrices; the page runs rules that take a point.")
    for k, v in [*s.state.items(), *s.hyper.items()]:
        if isinstance(v, bool) or not isinstance(v, (int, float)):
            raise TraceError(f"{name_of(rule)}: '{k}' must start from a number to be traced, not {v!r}.")
    names = ["d", *s.state]

    def step(g, *state, **keywords):
        results = apply(rule, g, state, keywords)
        for name, result in zip(names, results, strict=True):
            if np.shape(result) not in ((), (1,), (n,)):
                raise TraceError(
                    f"{name_of(rule)} returned '{name}' of shape {np.shape(result)} for a gradient of shape ({n},)."
                )
        return {name: result + np.zeros(n) for name, result in zip(names, results, strict=True)}

    step.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(k, inspect.Parameter.POSITIONAL_OR_KEYWORD) for k in ("g", *s.state)]
    )
    keywords: dict[str, tuple[int, ...]] = {"w": (n,)} if s.uses_w else {}
    keywords |= {"t": ()} if s.uses_t else {}
    return trace(step, *[(n,)] * (1 + len(s.state)), **keywords, **dict.fromkeys(s.hyper, ()))


def rule_program(rule: Callable, n: int = 2) -> dict:
    """A rule as a JavaScript program on points of dimension `n` (see `Trace.program`).

    Inputs: g, each state, w and t where named, the hyper-parameters. Outputs: d, then the states in the same order.
    `state0` holds the initial state, flat; `hyper` the names and defaults.
    """
    s = spec(rule)
    program = _trace_rule(rule, n).program()
    state0 = [float(v) for v in s.state.values() for _ in range(n)]
    return program | {"state0": state0, "hyper": [{"name": k, "default": v} for k, v in s.hyper.items()]}


def is_elementwise(rule: Callable) -> bool:
    """Whether component k of the direction depends on component k alone; such rules may run in blocks.

    >>> is_elementwise(adam), is_elementwise(clip_norm)
    (True, False)
    """
    try:
        return _trace_rule(rule, 3).is_elementwise()
    except TraceError:
        return False
