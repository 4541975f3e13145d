"""The layers of a small transformer, each with its backward pass written out.

A sample is a row of tokens, whole numbers below the size of the vocabulary: a batch is (n, time). Between the layers
each token is a vector, x (n, time, size).

>>> net = transformer(vocabulary=27, length=16, size=8, heads=2, seed=0)
>>> net(np.zeros((5, 16))).shape
(5, 16, 27)
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .initializers import lecun_normal
from .layers import Activation, Layer, Linear
from .losses import softmax
from .network import Network
from .support import explains

__all__ = ["Attention", "Embedding", "RMSNorm", "Residual", "transformer"]


class Embedding(Layer):
    """x_t = E[token_t] + P[t], tokens (n, time) to x (n, time, size); backward: each row of E adds up its tokens' g.

    E is (vocabulary, size), one row for each token, and P is (length, size), one for each place; both begin with the
    standard deviation `std`. Raises ValueError for longer inputs and tokens that are not in the vocabulary.
    Source: Vaswani et al., "Attention is all you need", NeurIPS 2017, §3.4 and §3.5 (places learned).
    """

    def __init__(self, vocabulary: int, size: int, length: int, std: float = 1.0):
        self.vocabulary, self.size, self.length, self.std = vocabulary, size, length, std

    def start(self, rng):
        draw = lambda rows: self.std * rng.standard_normal((rows, self.size))
        return {"E": draw(self.vocabulary), "P": draw(self.length)}

    def forward(self, x, train=False):
        if x.ndim != 2 or x.shape[1] > self.length:
            raise ValueError(f"This layer takes tokens of shape (n, up to {self.length}), not {x.shape}.")
        tokens = x.astype(int)
        if x.size and ((tokens != x).any() or tokens.min() < 0 or tokens.max() >= self.vocabulary):
            raise ValueError(f"Tokens are whole numbers from 0 to {self.vocabulary - 1}.")
        self.tokens = tokens
        return self.E[tokens] + self.P[: x.shape[1]]

    def backward(self, g):
        chosen = (self.tokens[..., None] == np.arange(self.vocabulary)).astype(g.dtype)
        np.matmul(chosen.reshape(-1, self.vocabulary).T, g.reshape(-1, self.size), out=self.dE)
        self.dP[...] = 0
        g.sum(axis=0, out=self.dP[: g.shape[1]])
        return np.zeros(self.tokens.shape, g.dtype)  # a token is no number: nothing flows into it


class RMSNorm(Layer):
    """γx/√(mean(x²) + ε), over the features of each token: layer norm without mean and shift.

    Source: Zhang and Sennrich, "Root mean square layer normalization", NeurIPS 2019, eq. 4; PyTorch's RMSNorm.
    """

    def __init__(self, size: int, eps: float = 1e-5):
        self.size, self.eps = size, eps

    def start(self, rng):
        return {"gamma": np.ones(self.size)}

    def forward(self, x, train=False):
        self.scale = 1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + self.eps)
        self.xhat = x * self.scale
        return self.gamma * self.xhat

    def backward(self, g):
        (g * self.xhat).sum(axis=tuple(range(g.ndim - 1)), out=self.dgamma)
        g = g * self.gamma
        return self.scale * (g - self.xhat * (g * self.xhat).mean(axis=-1, keepdims=True))


class Attention(Layer):
    """Causal self-attention: softmax(qkᵀ/√d + mask)v for each head, the heads side by side, times O.

    q, k, v = xQ, xK, xV, cut into `heads` parts of d = size/heads features; the mask hides what comes later. Q, K, V
    and O are (size, size), without biases, drawn by `init`, O by `output` where that is given. Raises ValueError unless
    heads divide size.
    Source: Vaswani et al., "Attention is all you need", NeurIPS 2017, §3.2.
    """

    def __init__(self, size: int, heads: int = 1, init: Callable = lecun_normal, output: Callable | None = None):
        if heads < 1 or size % heads:
            raise ValueError(f"The number of heads must divide the size, {size}; it was {heads}.")
        self.size, self.heads, self.inits = size, heads, (init, init, init, output or init)

    def start(self, rng):
        return {key: init(self.size, self.size, rng) for key, init in zip("QKVO", self.inits, strict=True)}

    def _split(self, x):  # (n, time, size) -> (n, heads, time, d)
        return x.reshape(*x.shape[:2], self.heads, -1).swapaxes(1, 2)

    def _join(self, x):
        return x.swapaxes(1, 2).reshape(x.shape[0], x.shape[2], self.size)

    def forward(self, x, train=False):
        if x.ndim != 3 or x.shape[2] != self.size:
            raise ValueError(f"This layer takes sequences of shape (n, time, {self.size}), not {x.shape}.")
        self.x = x
        self.q, self.k, self.v = (self._split(x @ W) for W in (self.Q, self.K, self.V))
        scores = self.q @ self.k.swapaxes(2, 3) / np.sqrt(self.q.shape[3]).astype(x.dtype)
        later = np.triu(np.ones(scores.shape[2:], bool), 1)
        self.weights = softmax(np.where(later, np.asarray(-np.inf, x.dtype), scores))
        self.mixed = self._join(self.weights @ self.v)
        return self.mixed @ self.O

    def backward(self, g):
        flat = lambda a: a.reshape(-1, self.size)
        np.matmul(flat(self.mixed).T, flat(g), out=self.dO)
        g = self._split(g @ self.O.T)
        dweights = g @ self.v.swapaxes(2, 3)
        dscores = self.weights * (dweights - (dweights * self.weights).sum(axis=-1, keepdims=True))
        dscores = dscores / np.sqrt(self.q.shape[3]).astype(g.dtype)
        dq, dk, dv = dscores @ self.k, dscores.swapaxes(2, 3) @ self.q, self.weights.swapaxes(2, 3) @ g
        back = 0
        for W, dW, d in ((self.Q, self.dQ, dq), (self.K, self.dK, dk), (self.V, self.dV, dv)):
            d = self._join(d)
            np.matmul(flat(self.x).T, flat(d), out=dW)
            back = back + d @ W.T
        return back


class Residual(Layer):
    """x + layers(x), the layers in a row: the gradient comes back through them and past them, g + backward(g).

    Source: He et al., "Deep residual learning for image recognition", CVPR 2016, eq. 1.
    """

    def __init__(self, layers: Sequence[Layer]):
        self.layers = list(layers)

    def leaves(self):
        return [leaf for layer in self.layers for leaf in layer.leaves()]

    def forward(self, x, train=False):
        h = x
        for layer in self.layers:
            h = layer.forward(h, train)
        return x + h

    def backward(self, g):
        back = g
        for layer in reversed(self.layers):
            back = layer.backward(back)
        return g + back


@explains
def transformer(
    vocabulary: int, length: int, size: int, heads: int = 1, *, blocks: int = 1, seed: Any = 0, dtype: Any = float
) -> Network:
    """A decoder of `blocks` blocks: tokens (n, time ≤ length) to logits (n, time, vocabulary) of the next token.

    A block is x + attention(norm(x)), then x + W₂ gelu(W₁ norm(x)) with 4·size hidden units; norms are RMSNorm. The
    matrices that write into x begin 1/√(2·blocks) times as large as LeCun's, so that x does not grow with the depth.
    Train it with `cross_entropy` over both axes: `partial(cross_entropy, axis=(0, 1))`.
    Sources: Radford et al., "Language models are unsupervised multitask learners", 2019, §2.3, for norms before each
    part and the start by depth; Zhang and Sennrich 2019 for the norm.

    >>> list(transformer(27, 16, 8, seed=0).params)
    ['E1', 'P1', 'Q1', 'K1', 'V1', 'O1', 'W1', 'W2', 'W3', 'gamma1', 'gamma2', 'b1', 'b2', 'gamma3', 'b3']
    """
    writes = lambda fan_in, fan_out, rng: lecun_normal(fan_in, fan_out, rng) / np.sqrt(2 * blocks)
    layers: list[Layer] = [Embedding(vocabulary, size, length, std=0.5**0.5)]
    for _ in range(blocks):
        layers.append(Residual([RMSNorm(size), Attention(size, heads, output=writes)]))
        wide = [Linear(size, 4 * size, lecun_normal), Activation("gelu"), Linear(4 * size, size, writes)]
        layers.append(Residual([RMSNorm(size), *wide]))
    layers += [RMSNorm(size), Linear(size, vocabulary, lecun_normal)]
    return Network(layers, seed, dtype)
