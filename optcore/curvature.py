"""The curvature of a network's loss: differences, Hessian products, the ends of the spectrum, trace, sharpness."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .layers import KINKED, Activation
from .losses import cross_entropy
from .network import Network
from .support import as_numbers, explains, known, real, whole

__all__ = ["Objective", "hutchinson", "hvp", "lanczos", "numerical_gradient", "power_iteration", "sharpness"]


@explains
def numerical_gradient(f: Callable, w: Any, h: float = 1e-5) -> np.ndarray:
    """(f(w + hεᵢ) - f(w - hεᵢ))/2h for every coordinate of w, whatever its shape: a check for written gradients.

    Truncation costs O(h²) and rounding O(2⁻⁵³/h), so that h near 1e-5 is best. w is not changed.

    >>> numerical_gradient(lambda w: w[0] ** 2 + 3 * w[1], np.array([2.0, 1.0])).round(6)
    array([4., 3.])
    """
    w = np.array(as_numbers("w", w), dtype=float)
    if not real("h", h) > 0:
        raise ValueError(f"h must be positive; it was {h}.")
    grad = np.empty_like(w)
    for k in np.ndindex(w.shape):
        at = w[k]
        w[k] = at + h
        above = f(w.copy())
        w[k] = at - h
        grad[k] = (above - f(w.copy())) / (2 * h)
        w[k] = at
    return grad


@explains
def hvp(grad: Callable, w: Any, v: Any, h: float = 1e-5) -> np.ndarray:
    """The Hessian times v from two gradients: (∇f(w + εv) - ∇f(w - εv))/2ε, ε = h(1 + ‖w‖)/‖v‖.

    Shapes: w and v (n,). Good to about h² where the gradient is smooth, in float64; at a kink, as of
    ReLU, the difference is not a Hessian. Source: Pearlmutter, "Fast exact multiplication by the
    Hessian", Neural Computation 6, 1994, §2.

    >>> hvp(lambda w: w**3, np.array([1.0, 2.0]), np.array([1.0, -1.0])).round(6)
    array([  3., -12.])
    """
    w, v = as_numbers("w", w), as_numbers("v", v)
    if not real("h", h) > 0:
        raise ValueError(f"h must be positive; it was {h}.")
    length = np.linalg.norm(v)
    if length == 0:
        return np.zeros_like(w)
    eps = h * (1 + np.linalg.norm(w)) / length
    return (grad(w + eps * v) - grad(w - eps * v)) / (2 * eps)


@explains
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
    for _ in range(whole("max_steps", max_steps)):
        Hv = product(v)
        before, value = value, v @ Hv
        length = np.linalg.norm(Hv)
        if length == 0 or abs(value - before) <= tol * abs(value):
            break
        v = Hv / length
    return value, v


@explains
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
    steps = min(n, whole("max_steps", max_steps))
    while len(diagonal) < steps:
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


_PROBES = {
    "signs": lambda rng, n: rng.choice([-1.0, 1.0], n),
    "normal": lambda rng, n: rng.standard_normal(n),
}


@explains
def hutchinson(product: Callable, n: int, draws: int, *, probe: str = "signs", seed: int = 0) -> np.ndarray:
    """v ⊙ Hv for random v, (draws, n), from products v -> Hv alone: the mean row estimates the diagonal of H.

    The sum of a row estimates the trace. With v of random signs an entry has the variance Σ_{j≠i} H_ij², a sum
    2(‖H‖² - Σ H_ii²); with normal v (probe="normal") a sum has 2‖H‖². Source: Hutchinson, "A stochastic
    estimator of the trace of the influence matrix for Laplacian smoothing splines", 1989.

    >>> hutchinson(lambda v: np.array([2.0, 3.0]) * v, 2, draws=2)
    array([[2., 3.],
           [2., 3.]])
    """
    draw, rng = known("probe", probe, _PROBES), np.random.default_rng(seed)
    vectors = [draw(rng, n) for _ in range(whole("draws", draws))]
    return np.array([v * product(v) for v in vectors])


class Objective:
    """The loss of a network on fixed data as a function of its parameters, in float64 and without dropout.

    Called with w, (…, n), it gives the losses, shape (…); `grad(w)` their gradients, (…, n); `hvp(w, v)`
    the Hessian at one w times v. `start` are the network's parameters. The network itself is not
    touched. Any `minimize`, `descend(…, grad=objective.grad)` or picture of the surface can use it.
    penalty(weights) -> (value, grad), as in `train`, is added when given.

    >>> from optcore import MLP
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
        for layer in self.net.leaves():
            if isinstance(layer, Activation) and layer.name in KINKED:
                raise ValueError(
                    f"{layer.name} has a kink, at which differences of gradients are no second derivatives; "
                    "use a smooth activation: tanh, gelu or sigmoid."
                )
        return hvp(self._grad, w, v)


@explains
def sharpness(
    net: Network, X: Any, y: Any, loss: Callable = cross_entropy, *, tol: float = 1e-4, seed: int = 0
) -> float:
    """λ_max of the Hessian of the mean loss on (X, y) at the network's parameters, by `lanczos` on `hvp`.

    In units of loss per squared parameter; gradient descent on a quadratic is stable while the learning
    rate is below 2/λ_max. Source: Cohen et al., "Gradient descent on neural networks typically occurs at
    the edge of stability", ICLR 2021, §2. Raises ValueError for networks with kinked activations (ReLU,
    leaky ReLU).

    >>> X = np.array([[1.0], [2.0], [3.0]])
    >>> from optcore import MLP, mse
    >>> round(sharpness(MLP([1, 1]), X, X, mse), 4)
    11.0929
    """
    objective = Objective(net, X, y, loss)
    return float(lanczos(lambda v: objective.hvp(objective.start, v), objective.start.size, tol=tol, seed=seed)[-1])
