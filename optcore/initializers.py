"""Where the weights of a layer start: one draw of a matrix W, shape (fan_in, fan_out), for h = xW + b.

Every initializer has one form, `init(fan_in, fan_out, rng, *, …, dtype) -> W`. `rng` is a seed or a
NumPy Generator. Draws are made in float64 and rounded, so that one seed gives the same weights in every
precision. Weights have no units: a rule fixes their variance so that signals keep their mean square from
layer to layer. PyTorch stores the transpose, (fan_out, fan_in). Sizes that are not positive whole
numbers raise ValueError.
"""

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np

from .support import explains, real

__all__ = [
    "constant_init",
    "gain",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "lecun_normal",
    "lecun_uniform",
    "lstm_bias",
    "normal_init",
    "orthogonal",
    "torch_linear",
    "torch_linear_bias",
    "zeros_init",
]

Rng = int | np.random.Generator | None


def _check_sizes(*sizes: int) -> None:
    for size in sizes:
        if size != int(size) or size < 1:
            raise ValueError(f"The size of a layer must be a positive whole number, got {size}.")


def _std(fan_in: int, fan_out: int, power: float, fan: int) -> float:
    """√(power/fan), the standard deviation under which a sum of `fan` unit terms has mean square `power`."""
    _check_sizes(fan_in, fan_out)
    return sqrt(power / fan)


def _normal(fan_in: int, fan_out: int, rng: Rng, power: float, fan: int, dtype: Any) -> np.ndarray:
    std = _std(fan_in, fan_out, power, fan)
    return (std * np.random.default_rng(rng).standard_normal((fan_in, fan_out))).astype(dtype)


def _uniform(fan_in: int, fan_out: int, rng: Rng, power: float, fan: int, dtype: Any) -> np.ndarray:
    limit = sqrt(3) * _std(fan_in, fan_out, power, fan)  # U(-a, a) has variance a²/3
    return np.random.default_rng(rng).uniform(-limit, limit, (fan_in, fan_out)).astype(dtype)


# ---------------------------------------------------------------------------------------- variance rules


@explains
def glorot_uniform(fan_in: int, fan_out: int, rng: Rng = 0, *, gain: float = 1.0, dtype: Any = float) -> np.ndarray:
    """W ~ U(-a, a), a = gain·√(6/(fan_in + fan_out)): variance 2/(fan_in + fan_out) at gain 1.

    The harmonic compromise between 1/fan_in, which keeps signals, and 1/fan_out, which keeps gradients.
    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks",
    AISTATS 2010, eq. 16. PyTorch's xavier_uniform_, the default of Keras's Dense.

    >>> round(float(np.abs(glorot_uniform(64, 32)).max()), 2), round(sqrt(6 / 96), 2)
    (0.25, 0.25)
    """
    return _uniform(fan_in, fan_out, rng, 2 * gain**2, fan_in + fan_out, dtype)


@explains
def glorot_normal(fan_in: int, fan_out: int, rng: Rng = 0, *, gain: float = 1.0, dtype: Any = float) -> np.ndarray:
    """W ~ N(0, gain²·2/(fan_in + fan_out)).

    Source: Glorot and Bengio, AISTATS 2010, eq. 12. PyTorch's xavier_normal_.

    >>> round(float(glorot_normal(500, 300).std() ** 2 * 800), 1)
    2.0
    """
    return _normal(fan_in, fan_out, rng, 2 * gain**2, fan_in + fan_out, dtype)


@explains
def he_uniform(fan_in: int, fan_out: int, rng: Rng = 0, *, slope: float = 0.0, dtype: Any = float) -> np.ndarray:
    """W ~ U(-a, a), a = √(6/((1 + slope²)·fan_in)): the variance of `he_normal`.

    √(6/fan_in) is the limit of the interval, not the standard deviation, which is √(2/fan_in).
    PyTorch's kaiming_uniform_(a=slope).

    >>> round(float(np.abs(he_uniform(64, 500)).max()), 3), round(sqrt(6 / 64), 3)
    (0.306, 0.306)
    """
    return _uniform(fan_in, fan_out, rng, 2 / (1 + slope**2), fan_in, dtype)


@explains
def he_normal(fan_in: int, fan_out: int, rng: Rng = 0, *, slope: float = 0.0, dtype: Any = float) -> np.ndarray:
    """W ~ N(0, 2/((1 + slope²)·fan_in)): keeps the mean square of signals through (leaky) ReLU.

    `slope` is that of the leaky ReLU for negative inputs, 0 for ReLU. Source: He, Zhang, Ren and Sun,
    "Delving deep into rectifiers", ICCV 2015, eq. 10 and 15. PyTorch's kaiming_normal_(a=slope).

    >>> round(float(he_normal(500, 300).std() ** 2 * 500), 1)
    2.0
    """
    return _normal(fan_in, fan_out, rng, 2 / (1 + slope**2), fan_in, dtype)


@explains
def lecun_uniform(fan_in: int, fan_out: int, rng: Rng = 0, *, dtype: Any = float) -> np.ndarray:
    """W ~ U(-a, a), a = √(3/fan_in): variance 1/fan_in.

    Source: LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998, §4.6.

    >>> round(float(np.abs(lecun_uniform(64, 500)).max()), 3), round(sqrt(3 / 64), 3)
    (0.217, 0.217)
    """
    return _uniform(fan_in, fan_out, rng, 1, fan_in, dtype)


@explains
def lecun_normal(fan_in: int, fan_out: int, rng: Rng = 0, *, dtype: Any = float) -> np.ndarray:
    """W ~ N(0, 1/fan_in): keeps the mean square of signals through linear layers.

    Source: LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998, §4.6.

    >>> round(float(lecun_normal(500, 300).std() ** 2 * 500), 1)
    1.0
    """
    return _normal(fan_in, fan_out, rng, 1, fan_in, dtype)


@explains
def torch_linear(fan_in: int, fan_out: int, rng: Rng = 0, *, dtype: Any = float) -> np.ndarray:
    """W ~ U(-a, a), a = 1/√fan_in: variance 1/(3·fan_in), a sixth of He's.

    The default of PyTorch's nn.Linear, written there as kaiming_uniform_ with a = √5.

    >>> float(np.abs(torch_linear(64, 500)).max().round(3))
    0.125
    """
    return _uniform(fan_in, fan_out, rng, 1 / 3, fan_in, dtype)


@explains
def torch_linear_bias(fan_in: int, fan_out: int, rng: Rng = 0, *, dtype: Any = float) -> np.ndarray:
    """b ~ U(-a, a), a = 1/√fan_in, shape (fan_out,): the default bias of PyTorch's nn.Linear.

    >>> torch_linear_bias(64, 32).shape
    (32,)
    """
    return _uniform(1, fan_out, rng, 1 / 3, fan_in, dtype)[0]


@explains
def normal_init(fan_in: int, fan_out: int, rng: Rng = 0, *, std: float = 0.01, dtype: Any = float) -> np.ndarray:
    """W ~ N(0, std²), whatever the size of the layer: what the rules above put right.

    >>> round(float(normal_init(500, 300, std=0.5).std()), 2)
    0.5
    """
    return _normal(fan_in, fan_out, rng, std**2, 1, dtype)


# ------------------------------------------------------------------------------------- structured starts


@explains
def orthogonal(fan_in: int, fan_out: int, rng: Rng = 0, *, gain: float = 1.0, dtype: Any = float) -> np.ndarray:
    """W = gain·Q with orthonormal rows or columns, whichever are fewer, uniform (Haar) over all such Q.

    All singular values are `gain`. The QR factor of a Gaussian matrix becomes Haar once its columns take
    the signs of diag(R); without them LAPACK's choice favours negative entries. Sources: Saxe,
    McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep linear neural
    networks", ICLR 2014; Mezzadri, "How to generate random matrices from the classical compact groups",
    Notices AMS 54, 2007. PyTorch's orthogonal_.

    >>> W = orthogonal(5, 3, gain=2.0)
    >>> np.linalg.svd(W, compute_uv=False).round(6).tolist()
    [2.0, 2.0, 2.0]
    """
    tall = _normal(max(fan_in, fan_out), min(fan_in, fan_out), rng, 1, 1, float)
    Q, R = np.linalg.qr(tall)
    Q = Q * np.sign(np.diag(R))
    return (gain * (Q if fan_in >= fan_out else Q.T)).astype(dtype)


@explains
def constant_init(fan_in: int, fan_out: int, rng: Rng = None, *, value: float = 0.1, dtype: Any = float) -> np.ndarray:  # noqa: ARG001
    """W = value everywhere, which leaves all units of a layer alike for ever. `rng` is not used.

    >>> constant_init(1, 3, value=0.5).tolist()
    [[0.5, 0.5, 0.5]]
    """
    _check_sizes(fan_in, fan_out)
    return np.full((fan_in, fan_out), value, dtype)


@explains
def zeros_init(fan_in: int, fan_out: int, rng: Rng = None, *, dtype: Any = float) -> np.ndarray:  # noqa: ARG001
    """W = 0: behind it no gradient reaches any other layer. `rng` is not used.

    >>> zeros_init(1, 3).tolist()
    [[0.0, 0.0, 0.0]]
    """
    return constant_init(fan_in, fan_out, value=0.0, dtype=dtype)


@explains
def lstm_bias(hidden: int, forget: float = 1.0, *, dtype: Any = float) -> np.ndarray:
    """b of an LSTM, shape (4·hidden,), zero but for the forget gates: b_f = forget.

    Order of the gates: input, forget, cell, output, as in PyTorch. At σ(b_f) the memory of an otherwise
    quiet cell halves in ln ½/ln σ(b_f) steps: 2.2 for b_f = 1. Sources: Gers, Schmidhuber and Cummins,
    "Learning to forget", Neural Computation 12, 2000; Jozefowicz, Zaremba and Sutskever, ICML 2015, for
    the 1.

    >>> lstm_bias(2).tolist()
    [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    """
    _check_sizes(hidden)
    return np.repeat(np.array([0.0, real("forget", forget), 0.0, 0.0], dtype), hidden)


# ------------------------------------------------------------------------------------------------- gains

_GAINS = {"identity": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": sqrt(2)}


@explains
def gain(activation: str | Callable, slope: float = 0.01) -> float:
    """Factor on a standard deviation of 1/√fan that makes up for what the activation takes away.

    A name gives the value in use: "identity" and "sigmoid" 1, "tanh" 5/3, "relu" √2, "leaky_relu" √(2/(1
    + slope²)), as PyTorch's calculate_gain. A function φ gives 1/√E[φ(z)²] for z ~ N(0, 1), the factor
    that keeps the mean square of signals (He et al., ICCV 2015, §2.2, for any φ), by Gauss-Hermite
    quadrature. Raises ValueError for a name without an agreed value.

    >>> gain("tanh"), round(gain(np.tanh), 4)
    (1.6666666666666667, 1.5925)
    """
    if callable(activation):
        z, weight = np.polynomial.hermite_e.hermegauss(100)
        return float(1 / np.sqrt(np.sum(weight / weight.sum() * activation(z) ** 2)))
    if activation == "leaky_relu":
        return sqrt(2 / (1 + slope**2))
    if activation not in _GAINS:
        names = ", ".join([*_GAINS, "leaky_relu"])
        raise ValueError(f"There is no agreed gain for {activation!r}; known are {names}, or pass the function.")
    return _GAINS[activation]
