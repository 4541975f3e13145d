"""Matrices made of gradients: Gauss-Newton, Fisher and the empirical Fisher, and Kronecker factors of them.

Dense matrices are for small networks of linear layers and activations; their rows and columns stand in the order of
`net.theta`. All of them are means over the examples. `[MG]` is Martens & Grosse, "Optimizing neural networks with
Kronecker-factored approximate curvature", ICML 2015.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .layers import Activation, Linear
from .losses import cross_entropy, softmax
from .network import Network
from .support import explains, known, real

__all__ = [
    "KFAC",
    "empirical_fisher",
    "fisher_matrix",
    "gauss_newton_matrix",
    "jacobian",
    "kfac_direction",
    "kfac_factors",
    "per_example_gradients",
    "softmax_curvature",
]


def _linear(net: Network) -> list[int]:
    """Where the linear layers are. Raises ValueError for a network with other layers than these and activations."""
    for layer in net.layers:
        if not isinstance(layer, Linear | Activation):
            raise ValueError(f"Only linear layers and activations are understood here, not {type(layer).__name__}.")
    return [k for k, layer in enumerate(net.layers) if isinstance(layer, Linear)]


def _factors_of_gradients(net: Network, X: Any, g: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each linear layer its inputs with a 1 for the bias, (n, in + 1), and the gradients in its outputs, (n, out).

    The gradient of example i in [W; b] is the outer product of row i of the two. g: (n, outputs), the gradients of the
    examples' losses in the outputs of the network, or a function of these outputs.
    """
    places, kept = _linear(net), net.grad.copy()
    signals = net.signals(np.asarray(X, net.dtype) + 0)  # whole numbers have no -0
    back = net.gradients(g(signals[-1]) if callable(g) else np.asarray(g, net.dtype))
    net.grad[...] = kept
    ones = np.ones((len(signals[0]), 1), net.dtype)
    return [(np.concatenate([signals[k], ones], axis=1), back[k + 1]) for k in places]


def _own_gradients(z: np.ndarray, model: str, rng: np.random.Generator | None) -> Iterator[tuple[np.ndarray, Any]]:
    """Gradients in the outputs z (n, k) for targets that the model draws itself, and their weights, () or (n,).

    All targets with their probabilities, or one for each example when rng is given. A normal model has the loss
    ‖z - target‖²/2, whose gradient is minus the noise: e_1, …, e_k have the second moment of that noise.
    """
    known("model", model, _MODELS)
    every = np.eye(z.shape[1], dtype=z.dtype)
    if model == "normal":
        noise = None if rng is None else rng.standard_normal(z.shape).astype(z.dtype)
        yield from ((np.broadcast_to(e, z.shape), 1.0) for e in every) if noise is None else [(noise, 1.0)]
        return
    p = softmax(z)
    if rng is None:
        yield from ((p - e, p @ e) for e in every)
    else:
        drawn = (p.cumsum(axis=1) < rng.random((len(p), 1))).sum(axis=1)
        yield p - every[np.minimum(drawn, len(every) - 1)], 1.0


_MODELS = {"softmax": "a class, drawn from the softmax", "normal": "a vector, with normal noise of variance 1"}


@explains
def per_example_gradients(net: Network, X: Any, g: Any) -> np.ndarray:
    """∇l_i for every example i, (n, parameters): outer products of a layer's inputs and back-propagated gradients.

    g: (n, outputs), the gradients of the examples' own losses in the outputs, such as softmax(z) - onehot(y);
    or a function of the outputs z. Raises ValueError for layers other than linear ones and activations.

    >>> from optcore import MLP
    >>> per_example_gradients(MLP([1, 1]), [[2.0], [3.0]], [[1.0], [10.0]])
    array([[ 2.,  1.],
           [30., 10.]])
    """
    parts: dict[str, np.ndarray] = {}
    for number, (a, b) in enumerate(_factors_of_gradients(net, X, g), 1):
        both = a[:, :, None] * b[:, None, :]
        parts |= {f"W{number}": both[:, :-1], f"b{number}": both[:, -1]}
    return np.concatenate([parts[name].reshape(len(a), -1) for name in net.params], axis=1)


@explains
def jacobian(net: Network, X: Any) -> np.ndarray:
    """J of the outputs in the parameters, (n, outputs, parameters), by one backward pass for each output.

    >>> from optcore import MLP
    >>> jacobian(MLP([1, 1]), [[2.0], [3.0]]).tolist()
    [[[2.0, 1.0]], [[3.0, 1.0]]]
    """
    outputs = net(X).shape[1]
    rows = [per_example_gradients(net, X, lambda z, e=e: np.broadcast_to(e, z.shape)) for e in np.eye(outputs)]
    return np.stack(rows, axis=1)


@explains
def softmax_curvature(z: Any) -> np.ndarray:
    """diag(p) - ppᵀ, the column p = softmax(z): the Hessian of cross-entropy in the logits z (…, k), for any label.

    Shape (…, k, k). It is also E(p - e_y)(p - e_y)ᵀ for a label y drawn from p. Source: Martens, "New insights
    and perspectives on the natural gradient method", JMLR 21, 2020.

    >>> softmax_curvature([0.0, 0.0]).tolist()
    [[0.25, -0.25], [-0.25, 0.25]]
    """
    p = softmax(z)
    return p[..., None] * np.eye(p.shape[-1]) - p[..., :, None] * p[..., None, :]


@explains
def gauss_newton_matrix(net: Network, X: Any, curvature: Callable = softmax_curvature) -> np.ndarray:
    """G, the mean of JᵀH_l J, (parameters, parameters): J of `jacobian`, H_l = curvature(z) the loss's Hessian in z.

    curvature(z): (n, k) -> (n, k, k). With the softmax it is the Fisher matrix. Source: Martens, "New insights
    and perspectives on the natural gradient method", JMLR 21, 2020.

    >>> from optcore import MLP
    >>> gauss_newton_matrix(MLP([1, 1]), [[2.0], [3.0]], lambda z: np.ones((len(z), 1, 1))).tolist()
    [[6.5, 2.5], [2.5, 1.0]]
    """
    J = jacobian(net, X)
    half = np.matmul(np.asarray(curvature(net(X))), J)
    return np.einsum("ikp,ikq->pq", J, half, optimize=True) / len(J)


@explains
def fisher_matrix(net: Network, X: Any, model: str = "softmax") -> np.ndarray:
    """F, the mean over X of E ggᵀ, targets drawn from the network's own model: (parameters, parameters).

    model "softmax": labels, loss cross-entropy; "normal": vectors with noise of variance 1, loss half the
    squared error, summed over the outputs. The expectation is taken in full, one backward pass for each output.
    Source: Martens, "New insights and perspectives on the natural gradient method", JMLR 21, 2020.

    >>> from optcore import MLP
    >>> net = MLP([1, 2], seed=0)
    >>> bool(np.allclose(fisher_matrix(net, [[2.0]]), gauss_newton_matrix(net, [[2.0]])))
    True
    """
    F = np.zeros((net.theta.size, net.theta.size))
    z = net(X)
    for g, weight in _own_gradients(z, model, None):
        each = per_example_gradients(net, X, g) * np.sqrt(np.broadcast_to(weight, len(z)))[:, None]
        F += each.T @ each
    return F / len(z)


@explains
def empirical_fisher(net: Network, X: Any, y: Any, loss: Callable = cross_entropy) -> np.ndarray:
    """E, the mean of ggᵀ over the examples (X, y) with their own labels: (parameters, parameters).

    loss(outputs, y) -> (mean, gradient in the outputs). Not a curvature in general. Source: Kunstner, Balles &
    Hennig, "Limitations of the empirical Fisher approximation", NeurIPS 2019.

    >>> from optcore import MLP, mse
    >>> net = MLP([1, 1])
    >>> net.theta[:] = [1.0, 2.0]
    >>> empirical_fisher(net, [[1.0]], [[0.0]], mse).tolist()
    [[36.0, 36.0], [36.0, 36.0]]
    """
    z = net(X)
    g = per_example_gradients(net, X, len(z) * loss(z, y)[1])
    return g.T @ g / len(g)


# --------------------------------------------------------------------------------------------------------------- K-FAC


@explains
def kfac_factors(net: Network, X: Any, model: str = "softmax", rng: Any = None) -> list[tuple[np.ndarray, np.ndarray]]:
    """(A, B) of every linear layer: A = E aaᵀ of its inputs, (in + 1, in + 1), B = E bbᵀ of gradients, (out, out).

    a has a 1 for the bias at its end; b is the gradient in the layer's output for a target from the network's
    own model, as in `fisher_matrix`: in full expectation, or for one target an example, drawn by rng (a
    generator or a seed). A ⊗ B stands for the layer's block of the Fisher matrix, in the order of the rows of
    [W; b]. Source: [MG] §3.

    >>> from optcore import MLP
    >>> [(A.shape, B.shape) for A, B in kfac_factors(MLP([3, 5, 2], "tanh"), np.eye(3))]
    [((4, 4), (5, 5)), ((6, 6), (2, 2))]
    """
    rng = None if rng is None else np.random.default_rng(rng)
    sums: list[Any] = [0.0] * len(_linear(net))
    z = net(X)
    for g, weight in _own_gradients(z, model, rng):
        factors = _factors_of_gradients(net, X, g)
        for k, (_, b) in enumerate(factors):
            sums[k] = sums[k] + (b * np.reshape(weight, (-1, 1)).astype(z.dtype)).T @ b
    return [(a.T @ a / len(z), B / len(z)) for (a, _), B in zip(factors, sums, strict=True)]


def _damped(A, B, damping):
    """A + π√λ I and B + √λ/π I, π² the mean eigenvalue of A over that of B. Source: [MG] §6.3."""
    ratio = np.sqrt((np.trace(A) / len(A)) / max(np.trace(B) / len(B), 1e-30))
    root = np.sqrt(damping)
    identity = lambda M: np.eye(len(M), dtype=M.dtype)
    return A + ratio * root * identity(A), B + root / max(ratio, 1e-30) * identity(B)


@explains
def kfac_direction(net: Network, factors: list[tuple[np.ndarray, np.ndarray]], damping: float = 0.0) -> np.ndarray:
    """(A ⊗ B)⁻¹ vec(G) = vec(A⁻¹GB⁻¹), layer by layer, for the gradient in `net.grad`: (parameters,), not the minus.

    damping λ ≥ 0 goes into both factors, as A + π√λ I and B + √λ/π I. Source: [MG] §3 and §6.3. Raises
    np.linalg.LinAlgError when a factor is singular.

    >>> from optcore import MLP
    >>> net = MLP([1, 1])
    >>> net.grad[:] = [6.0, 2.0]
    >>> kfac_direction(net, [(np.diag([3.0, 1.0]), np.array([[2.0]]))]).tolist()
    [1.0, 1.0]
    """
    if not real("damping", damping) >= 0:
        raise ValueError(f"damping must be 0 or more; it was {damping}.")
    parts: dict[str, np.ndarray] = {}
    for number, (A, B) in enumerate(factors, 1):
        G = np.concatenate([net.grads[f"W{number}"], net.grads[f"b{number}"][None]])
        A, B = _damped(A, B, damping) if damping else (A, B)
        step = np.linalg.solve(A, np.linalg.solve(B, G.T).T)
        parts |= {f"W{number}": step[:-1], f"b{number}": step[-1]}
    return np.concatenate([parts[name].ravel() for name in net.params])


class KFAC:
    """K-FAC for a network: θ <- θ - lr (A ⊗ B + λ)⁻¹ g for each linear layer.

    A and B are running means of `kfac_factors` on the batches, with the weight 1 - decay for the newest and one
    drawn target an example; damping λ as in `kfac_direction`. `step(X, y)` makes one step and returns the batch's
    mean loss before it; `loss` should be that of the model. Left out of [MG]: their momentum, the rescaling of
    each step, and the adaptation of λ.

    >>> from optcore import MLP
    >>> net = MLP([2, 2], seed=0)
    >>> optimizer = KFAC(net, lr=0.5, damping=0.01)
    >>> losses = [optimizer.step(np.eye(2), [0, 1]) for _ in range(20)]
    >>> bool(losses[-1] < 0.1 * losses[0])
    True
    """

    @explains
    def __init__(
        self,
        net: Network,
        lr: float,
        damping: float = 1e-2,
        decay: float = 0.95,
        *,
        model: str = "softmax",
        loss: Callable = cross_entropy,
        seed: int | np.random.Generator = 0,
    ):
        if not 0 <= real("decay", decay) < 1:
            raise ValueError(f"decay must be in [0, 1); it was {decay}.")
        known("model", model, _MODELS)
        self.net, self.lr, self.damping, self.decay, self.t = net, lr, damping, decay, 0
        self.model, self.loss, self.rng = model, loss, np.random.default_rng(seed)
        self.factors: list[tuple[np.ndarray, np.ndarray]] = []

    def step(self, X: Any, y: Any) -> float:
        new = kfac_factors(self.net, X, self.model, self.rng)
        self.t += 1
        keep = min(self.decay, 1 - 1 / self.t)  # a plain mean at first
        mean = lambda before, now: keep * before + (1 - keep) * now
        self.factors = [(mean(A, C), mean(B, D)) for (A, B), (C, D) in zip(self.factors or new, new, strict=True)]
        value = self.net.loss_and_grad(X, y, self.loss)[0]
        self.net.theta -= self.lr * kfac_direction(self.net, self.factors, self.damping)
        return value
