"""Rules that take whole weight matrices, shape (…, m, n): their first argument is called G."""

from functools import partial
from typing import Any

import numpy as np

from .rule_spec import chain
from .rules import nesterov

__all__ = ["muon", "newton_schulz", "orthogonalize", "shampoo"]


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


# Jordan et al. 2024: Nesterov momentum whose step is made orthogonal.
muon = chain(partial(nesterov, beta=0.95), orthogonalize, name="muon")
