"""The layers of small neural networks, each with its backward pass written out, and the activations between them.

A sample is a row: a batch is X of shape (n, features) and a layer computes h = xW + b with W of shape (in, out). Each
layer keeps what its backward pass needs and stands next to it.

>>> activation_slope("tanh", [0.0]).tolist()
[1.0]
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .initializers import glorot_uniform, lecun_normal, lstm_bias, orthogonal
from .losses import sigmoid
from .support import as_floats, explains, known

__all__ = [
    "ACTIVATIONS",
    "LSTM",
    "Activation",
    "BatchNorm",
    "Dropout",
    "Layer",
    "LayerNorm",
    "Linear",
    "activation_slope",
    "dropout_mask",
    "gelu",
    "identity",
    "leaky_relu",
    "relu",
]

# ---------------------------------------------------------------------------------------------- activations


@explains
def identity(z: Any) -> Any:
    """φ(z) = z; slope 1.

    >>> identity(2.0)
    2.0
    """
    return z


@explains
def relu(z: Any) -> Any:
    """φ(z) = max(z, 0); slope 1 where z > 0, else 0: at the kink the subgradient that frameworks take.

    Source: Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines", ICML 2010.

    >>> relu(np.array([-1.0, 0.0, 2.0])).tolist()
    [0.0, 0.0, 2.0]
    """
    return np.maximum(as_floats(z), 0)


@explains
def leaky_relu(z: Any, slope: float = 0.01) -> Any:
    """φ(z) = z where z > 0, slope·z elsewhere.

    Source: Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic models", 2013.

    >>> leaky_relu(np.array([-1.0, 2.0])).tolist()
    [-0.01, 2.0]
    """
    z = as_floats(z)
    return np.where(z > 0, z, slope * z)


def _gelu_parts(z):
    """z within ±10, beyond which the tanh is ±1 to the last digit, and the tanh of the formula."""
    z = np.clip(z, -10, 10)
    return z, np.tanh(np.sqrt(2 / np.pi).astype(z.dtype) * (z + 0.044715 * z * z * z))


@explains
def gelu(z: Any) -> Any:
    """φ(z) = z/2·(1 + tanh(√(2/π)(z + 0.044715z³))), close to z·P(N(0, 1) ≤ z).

    Source: Hendrycks and Gimpel, "Gaussian error linear units", 2016, §2. PyTorch's
    gelu(approximate="tanh"), which differs from the exact form by at most 5e-4.

    >>> gelu(np.array([-1.0, 0.0, 1.0])).round(4).tolist()
    [-0.1588, 0.0, 0.8412]
    """
    z = as_floats(z)
    return z * (1 + _gelu_parts(z)[1]) / 2


def _gelu_slope(z, _a):
    z, t = _gelu_parts(z)
    return (1 + t + z * (1 - t**2) * np.sqrt(2 / np.pi).astype(z.dtype) * (1 + 3 * 0.044715 * z**2)) / 2


#: name -> φ(z) and its slope, a function of z and a = φ(z)
ACTIVATIONS: dict[str, tuple[Callable, Callable]] = {
    "identity": (identity, lambda z, a: np.ones_like(z)),
    "sigmoid": (sigmoid, lambda z, a: a * (1 - a)),
    "tanh": (np.tanh, lambda z, a: 1 - a**2),
    "relu": (relu, lambda z, a: (z > 0).astype(z.dtype)),
    "leaky_relu": (leaky_relu, lambda z, a: np.where(z > 0, np.ones_like(z), 0.01)),
    "gelu": (gelu, _gelu_slope),
}
#: The activations that have no second derivative everywhere.
KINKED = {"relu", "leaky_relu"}


@explains
def activation_slope(name: str, z: Any) -> Any:
    """φ'(z), element by element, of the activation called `name` in `ACTIVATIONS`.

    Raises ValueError for an unknown name, listing the known ones.

    >>> activation_slope("relu", [-1.0, 0.0, 2.0]).tolist()
    [0.0, 0.0, 1.0]
    """
    value, slope = known("activation", name, ACTIVATIONS)
    z = as_floats(z)
    return slope(z, value(z))


# ---------------------------------------------------------------------------------------------- layers


class Layer:
    """One step of a network: what goes forward, and how the gradient comes back.

    `start(rng)` draws the parameters, name -> array. The network then sets, for a parameter called W, the
    attributes `W` and `dW`: views of its long vectors. `forward(x, train)` returns the output and keeps what
    `backward` needs; `backward(g)` takes the gradient in the output, fills `dW` and returns that in x. A layer
    that is made of others names them in `leaves`; they are then the ones that have parameters.
    """

    buffers: tuple[str, ...] = ()  # names of arrays that are kept but not trained

    def __getattr__(self, name: str) -> np.ndarray:
        raise AttributeError(
            f"{type(self).__name__} has no '{name}'; parameters are there once the layer is part of a Network."
        )

    def leaves(self) -> list["Layer"]:
        return [self]

    def start(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {}

    def forward(self, x: np.ndarray, train: bool = False) -> np.ndarray:
        raise NotImplementedError

    def backward(self, g: np.ndarray) -> np.ndarray:
        raise NotImplementedError


class Linear(Layer):
    """h = xW + b, x (n, in), W (in, out); backward ∂l/∂W = xᵀg, ∂l/∂b = Σ g over the batch, ∂l/∂x = gWᵀ.

    Sequences, x (n, time, in), are batches of n·time rows.

    init(fan_in, fan_out, rng) draws W; bias is a number for every b, or a function like `init` that returns
    (fan_out,). Source: Goodfellow, Bengio and Courville, *Deep Learning*, 2016, §6.5.6.
    """

    def __init__(self, fan_in: int, fan_out: int, init: Callable = glorot_uniform, bias: float | Callable = 0.0):
        self.fan_in, self.fan_out, self.init, self.bias = fan_in, fan_out, init, bias

    def start(self, rng):
        W = self.init(self.fan_in, self.fan_out, rng)
        b = self.bias(self.fan_in, self.fan_out, rng) if callable(self.bias) else self.bias
        return {"W": W, "b": np.full(self.fan_out, b)}

    def forward(self, x, train=False):
        if x.ndim not in (2, 3) or x.shape[-1] != self.fan_in:
            raise ValueError(f"This layer takes a batch of shape (n, {self.fan_in}), not {x.shape}.")
        self.x = x
        return x @ self.W + self.b

    def backward(self, g):
        rows = g.reshape(-1, g.shape[-1])
        np.matmul(self.x.reshape(-1, self.fan_in).T, rows, out=self.dW)
        rows.sum(axis=0, out=self.db)
        return g @ self.W.T


class Activation(Layer):
    """a = φ(z) for a name in `ACTIVATIONS`; backward g ⊙ φ'(z), the diagonal Jacobian."""

    def __init__(self, name: str):
        self.name = name
        self.value, self.slope = known("activation", name, ACTIVATIONS)

    def __reduce__(self):  # the table's lambdas cannot be pickled; the name can
        return type(self), (self.name,)

    def forward(self, x, train=False):
        self.z, self.a = x, self.value(x)
        return self.a

    def backward(self, g):
        return g * self.slope(self.z, self.a)


@explains
def dropout_mask(shape: Any, p: float, rng: Any, dtype: Any = float) -> np.ndarray:
    """0 with probability p, else 1/(1 - p): multiplied in when training, so that nothing is rescaled at test.

    p is the probability to drop, as in PyTorch; the paper's p is the probability to keep. The mean of
    the mask is 1. Source: Srivastava et al., "Dropout", JMLR 15, 2014, §10 (inverted scaling). Raises
    ValueError unless 0 ≤ p < 1.

    >>> dropout_mask((2, 4), 0.5, 0).tolist()
    [[2.0, 0.0, 0.0, 0.0], [2.0, 2.0, 2.0, 2.0]]
    """
    if not 0 <= p < 1:
        raise ValueError(f"The probability to drop must be in [0, 1), got {p}.")
    return (np.random.default_rng(rng).random(shape) >= p) * np.asarray(1 / (1 - p), dtype)


class Dropout(Layer):
    """a ⊙ mask when training (`dropout_mask`), a at test. Each layer draws from a stream of its own."""

    def __init__(self, p: float):
        dropout_mask((), p, 0)
        self.p = p

    def start(self, rng):
        (self.rng,) = rng.spawn(1)
        return {}

    def forward(self, x, train=False):
        self.mask = dropout_mask(x.shape, self.p, self.rng, x.dtype) if train else None
        return x if self.mask is None else x * self.mask

    def backward(self, g):
        return g if self.mask is None else g * self.mask


def _through_normalisation(g, xhat, scale, axis):
    """Back through x̂ = (x - mean)·scale, where mean and scale depend on x as well (Ioffe and Szegedy, §3)."""
    mean = g.mean(axis=axis, keepdims=True)
    return scale * (g - mean - xhat * (g * xhat).mean(axis=axis, keepdims=True))


class _Norm(Layer):
    """γx̂ + β with x̂ = (x - mean)/√(var + ε): what batch and layer normalisation share."""

    def __init__(self, size: int, eps: float = 1e-5):
        self.size, self.eps = size, eps

    def start(self, rng):
        return {"gamma": np.ones(self.size), "beta": np.zeros(self.size)}

    def _normalise(self, x, mean, var):
        self.scale = 1 / np.sqrt(var + self.eps)
        self.xhat = (x - mean) * self.scale
        return self.gamma * self.xhat + self.beta

    def _parameter_gradients(self, g):
        (g * self.xhat).sum(axis=0, out=self.dgamma)
        g.sum(axis=0, out=self.dbeta)
        return g * self.gamma


class BatchNorm(_Norm):
    """γ(x - mean)/√(var + ε) + β, mean and variance of each feature over the batch; running values at test.

    The batch is normalised with its biased variance; the running mean and the running *unbiased*
    variance move by `momentum` towards those of each training batch, as in PyTorch's BatchNorm1d.
    Source: Ioffe and Szegedy, "Batch normalization", ICML 2015, Algorithms 1 and 2. Raises ValueError
    for a training batch of one sample.
    """

    buffers = ("running_mean", "running_var")

    def __init__(self, size: int, momentum: float = 0.1, eps: float = 1e-5):
        super().__init__(size, eps)
        self.momentum = momentum
        self.running_mean, self.running_var = np.zeros(size), np.ones(size)

    def forward(self, x, train=False):
        self.trains = train
        if not train:
            return self._normalise(x, self.running_mean, self.running_var)
        n = len(x)
        if n < 2:
            raise ValueError("Batch normalisation needs two samples in every training batch.")
        mean, var = x.mean(axis=0), x.var(axis=0)
        self.running_mean += self.momentum * (mean - self.running_mean)
        self.running_var += self.momentum * (var * n / (n - 1) - self.running_var)
        return self._normalise(x, mean, var)

    def backward(self, g):
        g = self._parameter_gradients(g)
        return _through_normalisation(g, self.xhat, self.scale, axis=0) if self.trains else g * self.scale


class LayerNorm(_Norm):
    """γ(x - mean)/√(var + ε) + β, mean and variance of each sample over its features; the same at test.

    Source: Ba, Kiros and Hinton, "Layer normalization", 2016, §3. PyTorch's LayerNorm.
    """

    def forward(self, x, train=False):
        return self._normalise(x, x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True))

    def backward(self, g):
        return _through_normalisation(self._parameter_gradients(g), self.xhat, self.scale, axis=1)


class LSTM(Layer):
    """The last hidden state of an LSTM: x (n, time, in) to h (n, hidden), by back-propagation through time.

    (i, f, u, o) = σ, σ, tanh, σ of xW + hU + b; c <- f·c + i·u; h = o·tanh(c). The gates stand in
    PyTorch's order, and `forget` is the initial bias of f (`lstm_bias`). After a forward pass `cells`
    holds c, (time + 1, n, hidden). Sources: Hochreiter and Schmidhuber, "Long short-term memory", Neural
    Computation 9, 1997; Gers, Schmidhuber and Cummins, "Learning to forget", Neural Computation 12,
    2000, for the forget gate.
    """

    def __init__(self, size: int, hidden: int, forget: float = 1.0):
        self.size, self.hidden, self.forget = size, hidden, forget

    def start(self, rng):
        recurrent = [orthogonal(self.hidden, self.hidden, rng) for _ in range(4)]
        W = lecun_normal(self.size, 4 * self.hidden, rng)
        return {"W": W, "U": np.concatenate(recurrent, axis=1), "b": lstm_bias(self.hidden, self.forget)}

    def forward(self, x, train=False):
        if x.ndim != 3 or x.shape[2] != self.size:
            raise ValueError(f"This layer takes sequences of shape (n, time, {self.size}), not {x.shape}.")
        h = c = np.zeros((len(x), self.hidden), x.dtype)
        self.steps, cells = [], [c]
        for x_t in np.swapaxes(x, 0, 1):
            i, f, u, o = np.split(x_t @ self.W + h @ self.U + self.b, 4, axis=1)
            i, f, u, o = sigmoid(i), sigmoid(f), np.tanh(u), sigmoid(o)
            self.steps.append((x_t, h, c, i, f, u, o))
            c = f * c + i * u
            h = o * np.tanh(c)
            cells.append(c)
        self.cells = np.stack(cells)
        return h

    def backward(self, g):
        dW, dU, db = self.dW, self.dU, self.db
        for total in (dW, dU, db):
            total[...] = 0
        dh, dc, dx = g, np.zeros_like(g), []
        for (x_t, h, c, i, f, u, o), after in zip(self.steps[::-1], self.cells[:0:-1], strict=True):
            t = np.tanh(after)
            dc = dc + dh * o * (1 - t**2)
            gates = dc * u * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - u**2), dh * t * o * (1 - o)
            dz = np.concatenate(gates, axis=1)
            dW += x_t.T @ dz
            dU += h.T @ dz
            db += dz.sum(axis=0)
            dx.append(dz @ self.W.T)
            dh, dc = dz @ self.U.T, dc * f
        return np.stack(dx[::-1], axis=1)
