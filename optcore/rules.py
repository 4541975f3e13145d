"""Update rules: each maps a gradient to a direction `d`, and every run does `w <- w - lr*d`.

`rule_spec` says what the signature of a rule means, and what may be done with one.

>>> adam(np.array([1e-3, 50.0]), t=1)[0].round(4)
array([1., 1.])
"""

from functools import partial

import numpy as np

from .links import decay, trust_ratio
from .rule_spec import chain

__all__ = [
    "adadelta",
    "adagrad",
    "adam",
    "adam_l2",
    "adamax",
    "adamw",
    "adan",
    "ademamix",
    "amsgrad",
    "centered_rmsprop",
    "ema",
    "gd",
    "lamb",
    "lars",
    "lion",
    "momentum",
    "nadam",
    "nesterov",
    "prodigy",
    "radam",
    "rmsprop",
    "rprop",
    "schedule_free",
    "signsgd",
]


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


def radam(g, m=0.0, v=0.0, *, t, beta1=0.9, beta2=0.999, eps=1e-8):
    """Rectified Adam: `d = r·m̂/(√v̂ + ε)` once v has seen enough gradients, before that `d = m̂`.

    `ρ = ρ∞ - 2tβ₂ᵗ/(1-β₂ᵗ)` of `ρ∞ = 2/(1-β₂) - 1` gradients are enough when ρ > 5; r² is the variance of 1/√v̂ at ρ∞
    over that at ρ. Source: Liu et al. 2020, Algorithm 2; ε added to √v before its correction, as in torch.optim.RAdam.

    >>> radam(np.array([2.0]), t=1)[0], radam(np.array([2.0]), np.array([18.0]), np.array([4.0]), t=10**5)[0].round(3)
    (array([2.]), array([8.2]))
    """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    longest = 2 / (1 - beta2) - 1
    rho = longest - 2 * t * beta2**t / (1 - beta2**t)
    r2 = (rho > 5) * (rho - 4) * (rho - 2) * longest / ((longest - 4) * (longest - 2) * rho + 1e-300)
    scale = np.where(rho > 5, (r2 * (1 - beta2**t)) ** 0.5 / (np.sqrt(v) + eps), 1.0)
    return scale * m / (1 - beta1**t), m, v


def adamax(g, m=0.0, u=0.0, *, t, beta1=0.9, beta2=0.999, eps=1e-8):
    """Adam with the largest recent gradient in place of the mean of squares: `u <- max(β₂u, |g| + ε)`, `d = m̂/u`.

    Source: Kingma & Ba 2015, Algorithm 2; ε where torch.optim.Adamax and optax.adamax have it.

    >>> adamax(np.array([3.0, -1e-3]), t=1)[0].round(4)
    array([ 1., -1.])
    """
    m = beta1 * m + (1 - beta1) * g
    u = np.maximum(beta2 * u, np.abs(g) + eps)
    return m / (1 - beta1**t) / u, m, u


def adan(g, m=0.0, v=0.0, n=0.0, last=0.0, *, t, beta1=0.98, beta2=0.92, beta3=0.99, eps=1e-8):
    """Adan: Nesterov's look-ahead by the change of the gradient, `Δ = g - g_before` (0 at first).

    `m <- β₁m + (1-β₁)g`, `v <- β₂v + (1-β₂)Δ`, `n <- β₃n + (1-β₃)(g + β₂Δ)²`, `d = (m̂ + β₂v̂)/(√n̂ + ε)`.
    Source: Xie et al. 2022, Algorithm 1, means corrected as by the authors; each β is 1 minus the paper's. optax.adan
    weighs Δ by 1-β₂ instead.

    >>> adan(np.array([2.0]), t=1)[0].round(4)
    array([1.])
    """
    change = np.where(t == 1, 0.0, g - last)
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * change
    n = beta3 * n + (1 - beta3) * (g + beta2 * change) ** 2
    ahead = m / (1 - beta1**t) + beta2 * v / (1 - beta2**t)
    return ahead / (np.sqrt(n / (1 - beta3**t)) + eps), m, v, n, g


def ademamix(g, m=0.0, long=0.0, v=0.0, *, t, beta1=0.9, beta2=0.999, beta3=0.9999, alpha=5.0, eps=1e-8):
    """AdEMAMix: Adam whose numerator mixes in a second, much longer mean: `d = (m̂ + α·long)/(√v̂ + ε)`.

    `long <- β₃·long + (1-β₃)g` is not corrected for its start. Source: Pagliardini, Ablin & Grangier 2024, Algorithm 1;
    their warm-ups of α and β₃ are schedules here.

    >>> ademamix(np.array([2.0]), t=1)[0].round(4)
    array([1.0005])
    """
    m = beta1 * m + (1 - beta1) * g
    long = beta3 * long + (1 - beta3) * g
    v = beta2 * v + (1 - beta2) * g**2
    return (m / (1 - beta1**t) + alpha * long) / (np.sqrt(v / (1 - beta2**t)) + eps), m, long, v


def rprop(g, last=0.0, s=1.0, *, up=1.2, down=0.5, least=1e-4, most=5e3):
    """Rprop: a step size for each coordinate, which grows while its sign stays and shrinks when it turns.

    `d = s·sign(g)`; s and its bounds are in units of lr. After a turn the coordinate rests for a step. For full
    gradients only: noise turns signs. Source: Riedmiller & Braun 1993, in the form of torch.optim.Rprop.

    >>> rprop(np.array([1.0, -1.0]), np.array([2.0, 3.0]), np.array([1.0, 1.0]))[0]
    array([1.2, 0. ])
    """
    turn = np.sign(g * last)
    s = np.clip(np.where(turn > 0, up * s, np.where(turn < 0, down * s, s)), least, most)
    g = np.where(turn < 0, 0.0, g)
    return s * np.sign(g), g, s


def prodigy(g, m=0.0, v=0.0, s=0.0, r=0.0, D=1e-6, w0="w", *, w, t, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    """Prodigy: Adam that finds its own step size D, a lower bound on the distance from the start to a minimum.

    With γ = lr·√(1-β₂ᵗ)/(1-β₁ᵗ): `m <- β₁m + (1-β₁)Dg`, `v <- β₂v + (1-β₂)(Dg)²`, `r <- √β₂·r + γD²⟨g, w₀ - w⟩`,
    `s <- √β₂·s + γD²g`, `D <- max(D, r/‖s‖₁)`; the step is γ·D·m/(√v + εD). Made for lr = 1, or a schedule below it.
    Source: Mishchenko & Defazio 2024, Algorithm 4; the bias correction of optax.contrib.prodigy.

    >>> step = dict(w=np.array([1.0]), w0=np.array([3.0]), t=1, lr=1.0, D=0.5)
    >>> prodigy(np.array([2.0]), **step)[5]
    array([2.])
    """
    bias = (1 - beta2**t) ** 0.5 / (1 - beta1**t)
    m = beta1 * m + (1 - beta1) * D * g
    v = beta2 * v + (1 - beta2) * (D * g) ** 2
    r = beta2**0.5 * r + lr * bias * D**2 * np.sum(g * (w0 - w), axis=-1, keepdims=True)
    s = beta2**0.5 * s + lr * bias * D**2 * g
    size = np.sum(np.abs(s), axis=-1, keepdims=True)
    further = np.maximum(D, r / np.where(size > 0, size, 1.0))
    return bias * D * m / (np.sqrt(v) + further * eps), m, v, s, r, further, w0


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


# Adam with decoupled decay and with an L2 penalty: the same links in two orders (Loshchilov & Hutter 2019).
adamw = chain(adam, decay, name="adamw")
adam_l2 = chain(decay, adam, name="adam_l2")

# You et al. 2017 and 2020, as optax writes them: the decay counts in the ratio of norms.
lars = chain(decay, partial(trust_ratio, coefficient=1e-3), momentum, name="lars")
lamb = chain(partial(adam, eps=1e-6), decay, trust_ratio, name="lamb")
