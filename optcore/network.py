"""Small neural networks whose backward pass is written out, their curvature, and the loop that trains them.

A sample is a row: a batch is X of shape (n, features) and a layer computes h = xW + b with W of shape
(in, out). Each layer keeps what its backward pass needs and stands next to it. All parameters of a
network are views of one long vector `theta`, all gradients views of `grad`, matrices first, so that one
call of an update rule moves the whole network and penalties reach the matrices as one slice.

>>> net = MLP([2, 3, 1], activation="tanh")
>>> net.theta.shape, list(net.params)
((13,), ['W1', 'W2', 'b1', 'b2'])
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .descent import Optimizer
from .initializers import glorot_uniform, he_normal, lecun_normal, lstm_bias, orthogonal
from .losses import accuracy, cross_entropy, sigmoid
from .rules import adam, is_elementwise, name_of, spec

__all__ = [
    "ACTIVATIONS",
    "LSTM",
    "MLP",
    "Activation",
    "BatchNorm",
    "Dropout",
    "History",
    "Layer",
    "LayerNorm",
    "Linear",
    "Network",
    "Objective",
    "activation_slope",
    "digits",
    "dropout_mask",
    "gelu",
    "hvp",
    "identity",
    "lanczos",
    "leaky_relu",
    "minibatches",
    "numerical_gradient",
    "power_iteration",
    "relu",
    "sharpness",
    "stratified_split",
    "train",
]

# ---------------------------------------------------------------------------------------------- activations


def identity(z: Any) -> Any:
    """φ(z) = z; slope 1.

    >>> identity(2.0)
    2.0
    """
    return z


def relu(z: Any) -> Any:
    """φ(z) = max(z, 0); slope 1 where z > 0, else 0: at the kink the subgradient that frameworks take.

    Source: Nair and Hinton, "Rectified linear units improve restricted Boltzmann machines", ICML 2010.

    >>> relu(np.array([-1.0, 0.0, 2.0])).tolist()
    [0.0, 0.0, 2.0]
    """
    return np.maximum(z, 0)


def leaky_relu(z: Any, slope: float = 0.01) -> Any:
    """φ(z) = z where z > 0, slope·z elsewhere.

    Source: Maas, Hannun and Ng, "Rectifier nonlinearities improve neural network acoustic models", 2013.

    >>> leaky_relu(np.array([-1.0, 2.0])).tolist()
    [-0.01, 2.0]
    """
    return np.where(np.asarray(z) > 0, z, slope * np.asarray(z))


def _gelu_parts(z):
    """z within ±10, beyond which the tanh is ±1 to the last digit, and the tanh of the formula."""
    z = np.clip(z, -10, 10)
    return z, np.tanh(np.sqrt(2 / np.pi).astype(z.dtype) * (z + 0.044715 * z**3))


def gelu(z: Any) -> Any:
    """φ(z) = z/2·(1 + tanh(√(2/π)(z + 0.044715z³))), close to z·P(N(0, 1) ≤ z).

    Source: Hendrycks and Gimpel, "Gaussian error linear units", 2016, §2. PyTorch's
    gelu(approximate="tanh"), which differs from the exact form by at most 5e-4.

    >>> gelu(np.array([-1.0, 0.0, 1.0])).round(4).tolist()
    [-0.1588, 0.0, 0.8412]
    """
    return np.asarray(z) * (1 + _gelu_parts(z)[1]) / 2


def _gelu_slope(z, a):
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
_KINKED = {"relu", "leaky_relu"}


def activation_slope(name: str, z: Any) -> Any:
    """φ'(z), element by element, of the activation called `name` in `ACTIVATIONS`.

    Raises ValueError for an unknown name, listing the known ones.

    >>> activation_slope("relu", [-1.0, 0.0, 2.0]).tolist()
    [0.0, 0.0, 1.0]
    """
    value, slope = _activation(name)
    z = np.asarray(z, float) if np.asarray(z).dtype.kind != "f" else np.asarray(z)
    return slope(z, value(z))


def _activation(name: str) -> tuple[Callable, Callable]:
    if name not in ACTIVATIONS:
        raise ValueError(f"There is no activation named {name!r}; there are: {', '.join(ACTIVATIONS)}.")
    return ACTIVATIONS[name]


# ---------------------------------------------------------------------------------------------- layers


class Layer:
    """One step of a network: what goes forward, and how the gradient comes back.

    `start(rng)` draws the parameters, name -> array. The network then sets, for a parameter called W, the
    attributes `W` and `dW`: views of its long vectors. `forward(x, train)` returns the output and keeps what
    `backward` needs; `backward(g)` takes the gradient in the output, fills `dW` and returns that in x.
    """

    buffers: tuple[str, ...] = ()  # names of arrays that are kept but not trained

    def __getattr__(self, name: str) -> np.ndarray:
        raise AttributeError(
            f"{type(self).__name__} has no '{name}'; parameters are there once the layer is part of a Network."
        )

    def start(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {}

    def forward(self, x: np.ndarray, train: bool = False) -> np.ndarray:
        raise NotImplementedError

    def backward(self, g: np.ndarray) -> np.ndarray:
        raise NotImplementedError


class Linear(Layer):
    """h = xW + b, x (n, in), W (in, out); backward ∂l/∂W = xᵀg, ∂l/∂b = Σ g over the batch, ∂l/∂x = gWᵀ.

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
        if x.ndim != 2 or x.shape[1] != self.fan_in:
            raise ValueError(f"This layer takes a batch of shape (n, {self.fan_in}), not {x.shape}.")
        self.x = x
        return x @ self.W + self.b

    def backward(self, g):
        np.matmul(self.x.T, g, out=self.dW)
        g.sum(axis=0, out=self.db)
        return g @ self.W.T


class Activation(Layer):
    """a = φ(z) for a name in `ACTIVATIONS`; backward g ⊙ φ'(z), the diagonal Jacobian."""

    def __init__(self, name: str):
        self.name = name
        self.value, self.slope = _activation(name)

    def __reduce__(self):  # the table's lambdas cannot be pickled; the name can
        return type(self), (self.name,)

    def forward(self, x, train=False):
        self.z, self.a = x, self.value(x)
        return self.a

    def backward(self, g):
        return g * self.slope(self.z, self.a)


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


# ---------------------------------------------------------------------------------------------- networks


class Network:
    """Layers in a row, their parameters in one vector.

    theta, grad: (n,), all parameters and their gradients, matrices first. params, grads: name -> view of
    natural shape ("W1", "b1", "gamma1", …, numbered by kind in the order of the layers). weights: the
    slice of theta that holds the matrices, which is what penalties and decay are for. Copies and pickles
    keep their own vectors.

    >>> net = Network([Linear(2, 3), Activation("tanh"), Linear(3, 1)], seed=0)
    >>> net(np.ones((5, 2))).shape, net.weights.size
    ((5, 1), 9)
    """

    def __init__(self, layers: Sequence[Layer], seed: int | np.random.Generator = 0, dtype: Any = float):
        self.layers = list(layers)
        rng = np.random.default_rng(seed)
        drawn = [(layer, key, v) for layer in self.layers for key, v in layer.start(rng).items()]
        drawn.sort(key=lambda parameter: parameter[2].ndim < 2)
        count: dict[str, int] = {}
        self._places = {}
        end = 0
        for layer, key, value in drawn:
            count[key] = count.get(key, 0) + 1
            self._places[f"{key}{count[key]}"] = (self.layers.index(layer), key, value.shape, end)
            end += value.size
        self._matrix_count = sum(v.size for _, _, v in drawn if v.ndim >= 2)
        values = [v.ravel() for _, _, v in drawn]
        self._bind(np.concatenate(values).astype(dtype) if values else np.zeros(0, dtype))

    def _bind(self, theta: np.ndarray) -> None:
        """Take `theta` as the parameters and give every layer its views."""
        self.theta, self.grad = theta, np.zeros_like(theta)
        self.params: dict[str, np.ndarray] = {}
        self.grads: dict[str, np.ndarray] = {}
        for name, (k, key, shape, begin) in self._places.items():
            part = slice(begin, begin + int(np.prod(shape)))
            self.params[name], self.grads[name] = theta[part].reshape(shape), self.grad[part].reshape(shape)
            setattr(self.layers[k], key, self.params[name])
            setattr(self.layers[k], f"d{key}", self.grads[name])
        for layer in self.layers:
            for buffer in layer.buffers:
                setattr(layer, buffer, getattr(layer, buffer).astype(theta.dtype))

    def __setstate__(self, state: dict) -> None:  # copied or unpickled arrays are no longer views of one vector
        self.__dict__ |= state
        self._bind(self.theta)

    dtype = property(lambda self: self.theta.dtype)
    weights = property(lambda self: self.theta[: self._matrix_count])

    def copy(self, dtype: Any = None) -> "Network":
        """A network of its own with the same parameters, in another precision if `dtype` is given."""
        other = copy.deepcopy(self)
        if dtype is not None:
            other._bind(other.theta.astype(dtype))
        return other

    def load(self, other: "Network") -> None:
        """Take over the parameters and buffers of a network of the same shape."""
        self.theta[...] = other.theta
        for mine, theirs in zip(self.layers, other.layers, strict=True):
            for buffer in mine.buffers:
                getattr(mine, buffer)[...] = getattr(theirs, buffer)

    def signals(self, X: Any, train: bool = False) -> list[np.ndarray]:
        """The forward pass: X and what leaves each layer after it, in order."""
        signals = [np.asarray(X, self.dtype)]
        for layer in self.layers:
            signals.append(layer.forward(signals[-1], train))
        return signals

    def gradients(self, g: np.ndarray) -> list[np.ndarray]:
        """The backward pass of the last forward pass: the gradients in each of its signals, in the same order."""
        gradients = [g]
        for layer in reversed(self.layers):
            gradients.append(layer.backward(gradients[-1]))
        return gradients[::-1]

    def forward(self, X: Any, train: bool = False) -> np.ndarray:
        """The output for a batch; `train` switches dropout on and batch statistics in."""
        return self.signals(X, train)[-1]

    __call__ = forward

    def backward(self, g: np.ndarray) -> np.ndarray:
        """From the gradient in the output to `grad`, overwriting it; returns the gradient in the input."""
        return self.gradients(g)[0]

    def loss_and_grad(
        self, X: Any, y: Any, loss: Callable = cross_entropy, train: bool = True
    ) -> tuple[float, np.ndarray]:
        """The mean loss on a batch and its gradient in `theta`: the vector `grad` itself, which the next call fills."""
        value, g = loss(self.forward(X, train), y)
        self.backward(g)
        return value, self.grad


_NORMS = {"batch": BatchNorm, "layer": LayerNorm}


class MLP(Network):
    """A multi-layer perceptron: [Linear, norm, activation, dropout] for each hidden layer, then Linear.

    sizes: [features, hidden…, outputs]. activation: a name in `ACTIVATIONS`. init(fan_in, fan_out, rng):
    one for all layers or a list; by default `he_normal` behind (leaky) ReLU and `glorot_uniform`
    elsewhere. bias: as in `Linear`. norm: None, "batch" or "layer". dropout: probability to drop a
    hidden unit. The seed fixes the weights, whatever norm and dropout are. Raises ValueError for sizes,
    names and numbers of initializers that do not fit.

    >>> MLP([64, 32, 10], activation="relu", dtype=np.float32)(np.zeros((5, 64))).shape
    (5, 10)
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str = "relu",
        *,
        init: Callable | Sequence[Callable] | None = None,
        bias: float | Callable = 0.0,
        norm: str | None = None,
        dropout: float = 0.0,
        seed: int | np.random.Generator = 0,
        dtype: Any = float,
    ):
        if len(sizes) < 2:
            raise ValueError(f"sizes must name at least input and output, as in [64, 32, 10]; got {list(sizes)}.")
        if norm not in (None, *_NORMS):
            raise ValueError(f"norm must be None, 'batch' or 'layer', got {norm!r}.")
        depth = len(sizes) - 1
        init = init or (he_normal if activation in _KINKED else glorot_uniform)
        inits = [init] * depth if callable(init) else list(init)
        if len(inits) != depth:
            raise ValueError(f"{depth} layers of weights need {depth} initializers, got {len(inits)}.")
        layers: list[Layer] = []
        for k, (fan_in, fan_out) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
            layers.append(Linear(fan_in, fan_out, inits[k], bias))
            if k < depth - 1:
                layers += [_NORMS[norm](fan_out)] if norm else []
                layers.append(Activation(activation))
                layers += [Dropout(dropout)] if dropout else []
        super().__init__(layers, seed, dtype)


# ---------------------------------------------------------------------------------------------- curvature


def numerical_gradient(f: Callable, w: Any, h: float = 1e-5) -> np.ndarray:
    """(f(w + hεᵢ) - f(w - hεᵢ))/2h for every coordinate of w, whatever its shape: a check for written gradients.

    Truncation costs O(h²) and rounding O(2⁻⁵³/h), so that h near 1e-5 is best. w is not changed.

    >>> numerical_gradient(lambda w: w[0] ** 2 + 3 * w[1], np.array([2.0, 1.0])).round(6)
    array([4., 3.])
    """
    w = np.array(w, dtype=float)
    grad = np.empty_like(w)
    for k in np.ndindex(w.shape):
        at = w[k]
        w[k] = at + h
        above = f(w.copy())
        w[k] = at - h
        grad[k] = (above - f(w.copy())) / (2 * h)
        w[k] = at
    return grad


def hvp(grad: Callable, w: Any, v: Any, h: float = 1e-5) -> np.ndarray:
    """The Hessian times v from two gradients: (∇f(w + εv) - ∇f(w - εv))/2ε, ε = h(1 + ‖w‖)/‖v‖.

    Shapes: w and v (n,). Good to about h² where the gradient is smooth, in float64; at a kink, as of
    ReLU, the difference is not a Hessian. Source: Pearlmutter, "Fast exact multiplication by the
    Hessian", Neural Computation 6, 1994, §2.

    >>> hvp(lambda w: w**3, np.array([1.0, 2.0]), np.array([1.0, -1.0])).round(6)
    array([  3., -12.])
    """
    w, v = np.asarray(w, float), np.asarray(v, float)
    length = np.linalg.norm(v)
    if length == 0:
        return np.zeros_like(w)
    eps = h * (1 + np.linalg.norm(w)) / length
    return (grad(w + eps * v) - grad(w - eps * v)) / (2 * eps)


def power_iteration(
    product: Callable, n: int, *, tol: float = 1e-6, max_steps: int = 1000, seed: int = 0
) -> tuple[float, np.ndarray]:
    """The eigenvalue of largest size, with its sign, and its unit vector, from products v -> Hv alone.

    v <- Hv/‖Hv‖ until the Rayleigh quotient vᵀHv moves by less than tol relatively, or max_steps. It
    converges at the rate |λ₂/λ₁|, so a pair ±λ of equal size never settles. Source: Golub and Van Loan,
    *Matrix Computations*, 4th ed., 2013, §8.2.1.

    >>> value, v = power_iteration(lambda v: np.array([-5.0, 2.0, 1.0]) * v, 3)
    >>> round(float(value), 4)
    -5.0
    """
    v = np.random.default_rng(seed).standard_normal(n)
    v /= np.linalg.norm(v)
    value = np.inf
    for _ in range(max_steps):
        Hv = product(v)
        before, value = value, v @ Hv
        length = np.linalg.norm(Hv)
        if length == 0 or abs(value - before) <= tol * abs(value):
            break
        v = Hv / length
    return value, v


def lanczos(product: Callable, n: int, *, tol: float = 1e-4, max_steps: int = 60, seed: int = 0) -> np.ndarray:
    """Ritz values of a symmetric operator, ascending: both ends are soon those of its spectrum.

    Builds an orthonormal basis of v, Hv, H²v, … (every vector orthogonalised twice against all before)
    until the largest Ritz value moves by less than tol relatively. Needs far fewer products than
    `power_iteration`, and its last value is the largest eigenvalue even when a negative one is larger in
    size. Source: Golub and Van Loan, *Matrix Computations*, 4th ed., 2013, §10.1.

    >>> lanczos(lambda v: np.array([-5.0, 2.0, 1.0]) * v, 3).round(6)
    array([-5.,  1.,  2.])
    """
    v = np.random.default_rng(seed).standard_normal(n)
    basis = [v / np.linalg.norm(v)]
    diagonal: list[float] = []
    beside: list[float] = []
    values = np.zeros(0)
    while len(diagonal) < min(n, max_steps):
        u = product(basis[-1])
        diagonal.append(float(basis[-1] @ u))
        for _ in range(2):
            u = u - np.array(basis).T @ (np.array(basis) @ u)
        before = values[-1:]
        values = np.linalg.eigvalsh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
        settled = len(before) and abs(values[-1] - before[0]) <= tol * abs(values[-1])
        length = float(np.linalg.norm(u))
        if settled or length <= 1e-10 * max(abs(values[0]), abs(values[-1])):
            break
        beside.append(length)
        basis.append(u / length)
    return values


class Objective:
    """The loss of a network on fixed data as a function of its parameters, in float64 and without dropout.

    Called with w, (…, n), it gives the losses, shape (…); `grad(w)` their gradients, (…, n); `hvp(w, v)`
    the Hessian at one w times v. `start` are the network's parameters. The network itself is not
    touched. Any `minimize`, `descend(…, grad=objective.grad)` or picture of the surface can use it.
    penalty(weights) -> (value, grad), as in `train`, is added when given.

    >>> objective = Objective(MLP([2, 3, 2], "tanh"), np.eye(2), [0, 1])
    >>> objective.grad(objective.start).shape
    (17,)
    """

    def __init__(self, net: Network, X: Any, y: Any, loss: Callable = cross_entropy, penalty: Callable | None = None):
        self.net, self.X, self.y, self.loss, self.penalty = net.copy(float), np.asarray(X, float), y, loss, penalty
        self.start = self.net.theta.copy()

    def _each(self, one: Callable, w: Any, tail: tuple[int, ...]) -> np.ndarray:
        w = np.asarray(w, float)
        rows = w.reshape(-1, w.shape[-1])
        return np.array([one(row) for row in rows]).reshape((*w.shape[:-1], *tail))[()]

    def _value(self, w: np.ndarray) -> float:
        self.net.theta[...] = w
        value = self.loss(self.net(self.X), self.y)[0]
        return value + (self.penalty(self.net.weights)[0] if self.penalty else 0.0)

    def _grad(self, w: np.ndarray) -> np.ndarray:
        self.net.theta[...] = w
        grad = self.net.loss_and_grad(self.X, self.y, self.loss, train=False)[1].copy()
        if self.penalty:
            grad[: self.net.weights.size] += self.penalty(self.net.weights)[1]
        return grad

    def __call__(self, w: Any) -> Any:
        return self._each(self._value, w, ())

    def grad(self, w: Any) -> np.ndarray:
        return self._each(self._grad, w, (self.start.size,))

    def hvp(self, w: Any, v: Any) -> np.ndarray:
        for layer in self.net.layers:
            if isinstance(layer, Activation) and layer.name in _KINKED:
                raise ValueError(
                    f"{layer.name} has a kink, at which differences of gradients are no second derivatives; "
                    "use a smooth activation: tanh, gelu or sigmoid."
                )
        return hvp(self._grad, w, v)


def sharpness(
    net: Network, X: Any, y: Any, loss: Callable = cross_entropy, *, tol: float = 1e-4, seed: int = 0
) -> float:
    """λ_max of the Hessian of the mean loss on (X, y) at the network's parameters, by `lanczos` on `hvp`.

    In units of loss per squared parameter; gradient descent on a quadratic is stable while the learning
    rate is below 2/λ_max. Source: Cohen et al., "Gradient descent on neural networks typically occurs at
    the edge of stability", ICLR 2021, §2. Raises ValueError for networks with kinked activations (ReLU,
    leaky ReLU).

    >>> X = np.array([[1.0], [2.0], [3.0]])
    >>> from optcore.losses import mse
    >>> round(sharpness(MLP([1, 1]), X, X, mse), 4)
    11.0929
    """
    objective = Objective(net, X, y, loss)
    return float(lanczos(lambda v: objective.hvp(objective.start, v), objective.start.size, tol=tol, seed=seed)[-1])


# ---------------------------------------------------------------------------------------------- data


def minibatches(n: int, b: int, rng: Any) -> Iterator[np.ndarray]:
    """One epoch: the numbers 0 … n-1 in random order, b at a time without replacement, the rest as the last batch.

    rng: a seed or a NumPy Generator. Raises ValueError unless n and b are positive whole numbers.

    >>> [batch.tolist() for batch in minibatches(5, 2, 0)]
    [[2, 4], [3, 0], [1]]
    """
    if min(n, b) < 1 or int(n) != n or int(b) != b:
        raise ValueError(f"The number of samples and the batch size must be positive whole numbers, got {n} and {b}.")
    order = np.random.default_rng(rng).permutation(n)
    return (order[i : i + b] for i in range(0, n, b))


def stratified_split(y: Any, size: int, rng: Any) -> tuple[np.ndarray, np.ndarray]:
    """Indices of `size` samples with the classes of y in proportion, and indices of the rest, in random order.

    Within each class the k-th sample of m in random order gets the place (k - ½)/m; the first `size`
    places are taken. So every class is within one sample of its share, and so is every beginning of
    either part. Raises ValueError unless 0 ≤ size ≤ len(y).

    >>> first, rest = stratified_split([0, 0, 0, 0, 1, 1], 3, 0)
    >>> sorted(np.array([0, 0, 0, 0, 1, 1])[first].tolist()), len(rest)
    ([0, 0, 1], 3)
    """
    y = np.asarray(y)
    if not 0 <= size <= len(y):
        raise ValueError(f"A part of {len(y)} samples cannot have {size}.")
    order = np.random.default_rng(rng).permutation(len(y))
    place = np.empty(len(y))
    for label in np.unique(y):
        mine = y[order] == label
        place[mine] = (np.arange(mine.sum()) + 0.5) / mine.sum()
    order = order[np.argsort(place, kind="stable")]
    return order[:size], order[size:]


Data = tuple[np.ndarray, np.ndarray]


def digits(
    n: int | None = None, *, test: int = 360, scale: str = "centred", seed: int = 0, dtype: Any = float
) -> tuple[Data, Data]:
    """The 8×8 digits of scikit-learn, split by class: `(X, y), (X_test, y_test)`.

    1,797 scans of handwritten digits, X (n, 64), y integers 0 … 9. `test` samples are held out and n of
    the others (all 1,437 by default) are for training; another n with the same seed keeps the test set.
    scale: "raw" pixels 0 … 16, "unit" 0 … 1, "centred" unit less the mean of each pixel, "standard"
    divided by its standard deviation too; mean and deviation are those of the training part. Source:
    Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning Repository,
    1998. Needs scikit-learn, which carries the data; raises ValueError for sizes and scales that do not
    exist.

    >>> (X, y), (X_test, y_test) = digits()
    >>> X.shape, X_test.shape, bool(abs(X.mean(axis=0)).max() < 1e-12)
    ((1437, 64), (360, 64), True)
    """
    from sklearn.datasets import load_digits

    if scale not in ("raw", "unit", "centred", "standard"):
        raise ValueError(f"scale must be 'raw', 'unit', 'centred' or 'standard', got {scale!r}.")
    pixels, labels = load_digits(return_X_y=True)
    held, rest = stratified_split(labels, test, seed)
    n = len(rest) if n is None else n
    if not 1 <= n <= len(rest):
        raise ValueError(f"{test} of {len(labels)} digits are held out, so that n must be in 1 … {len(rest)}, not {n}.")
    kept = rest[:n]
    X = pixels if scale == "raw" else pixels / 16
    if scale in ("centred", "standard"):
        X = X - X[kept].mean(axis=0)
    if scale == "standard":
        deviation = X[kept].std(axis=0)
        X = X / np.where(deviation > 0, deviation, 1.0)
    X = X.astype(dtype)
    return (X[kept], labels[kept]), (X[held], labels[held])


# ---------------------------------------------------------------------------------------------- training


@dataclass
class History:
    """What `train` saw. Arrays of one entry a step, then of one entry an evaluation (the first before any step).

    names: the parameters, the last axis of the norms. loss: (steps,), of each mini-batch before its
    step, without penalty; lr: (steps,); grad_norm: (steps, names), before clipping. step:
    (evaluations,), how many steps had been made; train_loss, train_accuracy, valid_loss, valid_accuracy:
    (evaluations,), in evaluation mode, nan where there is nothing to measure; weight_norm: (evaluations,
    names); probes: name -> (evaluations, …). stopped: "budget", "early" or "diverged". best_step: the
    step with the lowest monitored loss.
    """

    names: tuple[str, ...]
    loss: Any = field(default_factory=list)
    lr: Any = field(default_factory=list)
    grad_norm: Any = field(default_factory=list)
    step: Any = field(default_factory=list)
    train_loss: Any = field(default_factory=list)
    train_accuracy: Any = field(default_factory=list)
    valid_loss: Any = field(default_factory=list)
    valid_accuracy: Any = field(default_factory=list)
    weight_norm: Any = field(default_factory=list)
    probes: dict[str, Any] = field(default_factory=dict)
    stopped: str = "budget"
    best_step: int = 0

    def _finish(self) -> "History":
        for name, value in vars(self).items():
            if isinstance(value, list):
                setattr(self, name, np.array(value))
        self.probes = {name: np.array(values) for name, values in self.probes.items()}
        return self

    def summary(self) -> str:
        """One sentence: how long, why it ended, and the last losses and accuracies."""
        parts = [f"{len(self.loss)} steps ({self.stopped})"]
        for part in ("train", "valid"):
            loss, right = getattr(self, f"{part}_loss")[-1], getattr(self, f"{part}_accuracy")[-1]
            if np.isfinite(loss):
                parts.append(f"{part} loss {loss:.3g}" + ("" if np.isnan(right) else f", accuracy {right:.3f}"))
        return "; ".join(parts)


def _norms(vector: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """The Euclidean norms of the parts of a vector."""
    return np.sqrt(np.add.reduceat(vector * vector, begins))


def _endless(n: int, batch: int | None, rng: np.random.Generator) -> Iterator:
    """Mini-batches epoch after epoch; the whole set, in its order, when there is but one batch."""
    while True:
        yield from [slice(None)] if batch is None or batch >= n else minibatches(n, batch, rng)


def _optimizers(net: Network, rule: Callable, lr: Any, hyper: dict, overrides: Mapping) -> list[tuple]:
    """(Optimizer, its gradients) of `rule`, on one long vector if it can be, and of each override."""
    vectors = [name for name, w in net.params.items() if w.ndim < 2]
    taken: dict[str, Any] = {}
    for key, override in overrides.items():
        if key != "vectors" and key not in net.params:
            raise ValueError(f"There is no parameter {key!r}; there are: vectors, {', '.join(net.params)}.")
        taken |= dict.fromkeys(vectors if key == "vectors" else [key], override)
    main = [name for name in net.params if name not in taken]
    if spec(rule).takes_matrices and set(main) & set(vectors):
        raise ValueError(
            f"{name_of(rule)} takes matrices; give the biases another rule, as in "
            "overrides={'vectors': (adam, 1e-3)}."
        )
    if not taken and is_elementwise(rule):
        return [(Optimizer(rule, net.theta, lr, **hyper), net.grad)]
    pick = lambda arrays, names: {name: arrays[name] for name in names}
    made: list[tuple] = [(Optimizer(rule, pick(net.params, main), lr, **hyper), pick(net.grads, main))]
    for name, (other, rate, *more) in taken.items():
        optimizer = Optimizer(other, net.params[name], rate, **(more[0] if more else {}))
        made.append((optimizer, net.grads[name]))
    return made


def _progress(items: Any, show: bool | None, unit: str, total: int) -> Any:
    """A bar on the error stream if tqdm is there; `show=None` means only on a terminal, so never in a notebook."""
    try:
        from tqdm import tqdm
    except ImportError:
        return items
    return tqdm(items, disable=None if show is None else not show, unit=unit, total=total, leave=False)


def train(
    net: Network,
    data: Data,
    rule: Callable = adam,
    lr: Any = 1e-3,
    *,
    epochs: int = 20,
    steps: int | None = None,
    batch: int | None = 64,
    valid: Data | None = None,
    loss: Callable = cross_entropy,
    penalty: Callable | None = None,
    clip: float | None = None,
    augment: Callable | None = None,
    stop: Any = None,
    overrides: Mapping[str, tuple] | None = None,
    monitor: str | None = None,
    probes: Mapping[str, Callable] | None = None,
    every: int | None = None,
    classify: bool = True,
    seed: int | np.random.Generator = 0,
    progress: bool | None = None,
    **hyper: Any,
) -> History:
    """Train a network in place by mini-batches and return the `History`.

    data, valid: (X, y). lr: a number, a schedule of the step t = 0, 1, …, or a feedback schedule such as
    `ReduceLROnPlateau`, which is told the monitored loss at each evaluation. epochs, or steps when
    given, is the budget; batch=None is the full set. Every `every` steps (an epoch) the losses and
    accuracies of both sets are taken; classify=False leaves the accuracies out. hyper: hyper-parameters
    of the rule.

    penalty(weights) -> (value, grad) is added to the gradient of the matrices, biases left out. clip:
    the largest norm of the whole gradient, all layers together (the factor min(1, c/(‖g‖ + 1e-6)) of
    `clip_norm`). augment(X, rng) changes each batch of inputs. stop: an object such as `EarlyStopping`
    with `step(loss) -> bool`; the parameters of the best evaluation are put back at the end. monitor:
    "valid" (default if there is a validation set), "train" or "batch" (the latest mini-batch): the loss
    that feedback and `stop` see. overrides: another (rule, lr) or (rule, lr, hyper) for some parameters
    by name, or for all "vectors" (biases and norms); matrix rules need it. probes: name -> function of
    the network, recorded at each evaluation.

    Element-wise rules move one long vector, other rules one layer at a time. A loss that is not finite
    ends the run as "diverged". The seed fixes batches and augmentation; progress shows a bar (None: on a
    terminal only). Raises ValueError for empty or ragged data and settings that do not exist.

    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> net = MLP([2, 8, 2], "tanh", seed=1)
    >>> history = train(net, (X, np.array([0, 1, 1, 0])), lr=0.05, steps=200, batch=None)
    >>> history.stopped, float(history.train_accuracy[-1])
    ('budget', 1.0)
    """
    X, y = np.asarray(data[0], net.dtype), np.asarray(data[1])
    if len(X) == 0 or len(X) != len(y):
        raise ValueError(f"Training needs as many targets as samples and at least one; got {len(y)} and {len(X)}.")
    monitor = monitor or ("train" if valid is None else "valid")
    if monitor not in ("train", "valid", "batch") or (monitor == "valid" and valid is None):
        raise ValueError(f"monitor must be 'train', 'batch', or 'valid' with a validation set; got {monitor!r}.")
    feedback = lr if hasattr(lr, "step") else None
    optimizers = _optimizers(net, rule, feedback.lr if feedback else lr, hyper, overrides or {})
    main = optimizers[0][0]
    rng = np.random.default_rng(seed)
    per_epoch = 1 if batch is None else -(-len(X) // batch)
    budget = epochs * per_epoch if steps is None else steps
    begins = np.array([place[-1] for place in net._places.values()])
    seen = History(tuple(net.params), probes={name: [] for name in probes or {}})
    best, best_loss = None, np.inf

    def measure(part: str, samples: Data | None) -> float:
        value = right = np.nan
        if samples is not None:
            scores = net(samples[0])
            value = float(loss(scores, samples[1])[0])
            right = accuracy(scores, samples[1]) if classify else np.nan
        getattr(seen, f"{part}_loss").append(value)
        getattr(seen, f"{part}_accuracy").append(right)
        return value

    def evaluate(step: int, latest: float) -> float:
        seen.step.append(step)
        monitored = {"batch": latest, "train": measure("train", (X, y)), "valid": measure("valid", valid)}
        seen.weight_norm.append(_norms(net.theta, begins))
        for name, probe in (probes or {}).items():
            seen.probes[name].append(probe(net))
        return monitored[monitor]

    with np.errstate(over="ignore", invalid="ignore"):
        evaluate(0, np.nan)
        counted = _progress(range(1, budget + 1), progress, "step", budget)
        for step, part in zip(counted, _endless(len(X), batch, rng), strict=False):
            inputs = X[part] if augment is None else augment(X[part], rng)
            value, grad = net.loss_and_grad(inputs, y[part], loss)
            if penalty is not None:
                grad[: net.weights.size] += penalty(net.weights)[1]
            norms = _norms(grad, begins)
            seen.loss.append(value)
            seen.grad_norm.append(norms)
            seen.lr.append(main.lr(main.t) if callable(main.lr) else main.lr)
            if not np.isfinite(value):
                seen.stopped = "diverged"
                break
            if clip is not None:
                grad *= min(1.0, clip / (float(np.linalg.norm(norms)) + 1e-6))
            for optimizer, gradients in optimizers:
                optimizer.step(gradients)
            if step % (every or per_epoch) == 0 or step == budget:
                monitored = evaluate(step, value)
                if monitored < best_loss:
                    best_loss, seen.best_step = monitored, step
                    best = net.copy() if stop is not None else None
                if feedback:
                    main.lr = feedback.step(monitored)
                if stop is not None and stop.step(monitored):
                    seen.stopped = "early"
                    break
    if best is not None:
        net.load(best)
    return seen._finish()
