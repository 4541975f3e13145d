"""Networks: layers in a row, whose parameters are views of one long vector.

All parameters of a network are views of `theta`, all gradients views of `grad`, matrices first, so that one call of an
update rule moves the whole network and penalties reach the matrices as one slice.

>>> net = MLP([2, 3, 1], activation="tanh")
>>> net.theta.shape, list(net.params)
((13,), ['W1', 'W2', 'b1', 'b2'])
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .initializers import glorot_uniform, he_normal
from .layers import KINKED, Activation, BatchNorm, Dropout, Layer, LayerNorm, Linear
from .losses import cross_entropy
from .support import explains

__all__ = ["MLP", "Network"]


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
        drawn = [(k, key, v) for k, layer in enumerate(self.leaves()) for key, v in layer.start(rng).items()]
        drawn.sort(key=lambda parameter: parameter[2].ndim < 2)
        count: dict[str, int] = {}
        self._places = {}
        end = 0
        for k, key, value in drawn:
            count[key] = count.get(key, 0) + 1
            self._places[f"{key}{count[key]}"] = (k, key, value.shape, end)
            end += value.size
        self._matrix_count = sum(v.size for _, _, v in drawn if v.ndim >= 2)
        values = [v.ravel() for _, _, v in drawn]
        self._bind(np.concatenate(values).astype(dtype) if values else np.zeros(0, dtype))

    def leaves(self) -> list[Layer]:
        """The layers that have parameters of their own: those inside other layers in their places."""
        return [leaf for layer in self.layers for leaf in layer.leaves()]

    def _bind(self, theta: np.ndarray) -> None:
        """Take `theta` as the parameters and give every layer its views."""
        leaves = self.leaves()
        self.theta, self.grad = theta, np.zeros_like(theta)
        self.params: dict[str, np.ndarray] = {}
        self.grads: dict[str, np.ndarray] = {}
        for name, (k, key, shape, begin) in self._places.items():
            part = slice(begin, begin + int(np.prod(shape)))
            self.params[name], self.grads[name] = theta[part].reshape(shape), self.grad[part].reshape(shape)
            setattr(leaves[k], key, self.params[name])
            setattr(leaves[k], f"d{key}", self.grads[name])
        for layer in leaves:
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
        for mine, theirs in zip(self.leaves(), other.leaves(), strict=True):
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

    @explains
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
        init = init or (he_normal if activation in KINKED else glorot_uniform)
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
