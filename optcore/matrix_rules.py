"""Rules that take whole weight matrices, shape (…, m, n): their first argument is called G."""

from functools import partial
from typing import Any

import numpy as np

from .rule_spec import chain
from .rules import nesterov

__all__ = ["adafactor", "muon", "newton_schulz", "orthogonalize", "shampoo", "soap"]


def _transposed(A):
    return np.swapaxes(A, -1, -2)


def _inverse_fourth_root(A, eps):
    values, vectors = np.linalg.eigh(A)
    return vectors * ((np.maximum(values, 0.0) + eps) ** -0.25)[..., None, :] @ _transposed(vectors)


def _square_of_rows(G):
    return G @ _transposed(G)


def _square_of_columns(G):
    return _transposed(G) @ G


def _no_rows(G):
    return np.zeros_like(_square_of_rows(G))


def _no_columns(G):
    return np.zeros_like(_square_of_columns(G))


def shampoo(G, L=_no_rows, R=_no_columns, *, eps=1e-6):
    """Shampoo: `L <- L + GGᵀ`, `R <- R + GᵀG`, `d = (L + εI)^{-1/4} G (R + εI)^{-1/4}`.

    AdaGrad for a weight matrix: directions among its rows and its columns are rescaled, not single entries.
    Source: Gupta, Koren & Singer 2018, Algorithm 1.

    >>> shampoo(np.diag([4.0, 1.0]), np.zeros((2, 2)), np.zeros((2, 2)))[0].round(4)
    array([[1., 0.],
           [0., 1.]])
    """
    L = L + _square_of_rows(G)
    R = R + _square_of_columns(G)
    return _inverse_fourth_root(L, eps) @ G @ _inverse_fourth_root(R, eps), L, R


def _row_axes(G):
    return np.linalg.eigh(_square_of_rows(G))[1][..., ::-1]


def _column_axes(G):
    return np.linalg.eigh(_square_of_columns(G))[1][..., ::-1]


def soap(
    G, m=0.0, v=0.0, L=_no_rows, R=_no_columns, P=_row_axes, Q=_column_axes,
    *, t, beta1=0.95, beta2=0.95, eps=1e-8,
):  # fmt: skip
    """SOAP: Adam in the axes of Shampoo, `d = P·(PᵀmQ/(1-β₁ˢ) / (√(v/(1-β₂ˢ)) + ε))·Qᵀ`, v the mean of (PᵀGQ)².

    L and R are running means of GGᵀ and GᵀG, P and Q their eigenvectors, which take one step of orthogonal iteration,
    `P <- qr(LP)`, after each step. The first gradient makes the axes and no step, so that s = t - 1: seen along its own
    axes a matrix is diagonal, and the rest would be rounding, scaled up to 1. Source: Vyas et al. 2024, Algorithms 3
    and 4, with axes renewed at every step.

    >>> state = np.zeros((2, 2)), np.zeros((2, 2)), np.eye(2), np.eye(2), np.eye(2), np.eye(2)
    >>> soap(np.diag([4.0, 1.0]), *state, t=2)[0].round(4)
    array([[1., 0.],
           [0., 1.]])
    """
    L = beta2 * L + (1 - beta2) * _square_of_rows(G)
    R = beta2 * R + (1 - beta2) * _square_of_columns(G)
    if t == 1:
        return 0 * G, m, v, L, R, P, Q
    m = beta1 * m + (1 - beta1) * G
    v = beta2 * v + (1 - beta2) * (_transposed(P) @ G @ Q) ** 2
    scaled = _transposed(P) @ m @ Q / (1 - beta1 ** (t - 1)) / (np.sqrt(v / (1 - beta2 ** (t - 1))) + eps)
    return P @ scaled @ _transposed(Q), m, v, L, R, np.linalg.qr(L @ P)[0], np.linalg.qr(R @ Q)[0]


def _rows(G):
    return np.zeros_like(G[..., 0])


def _columns(G):
    return np.zeros_like(G[..., 0, :])


def _rms(A):
    return np.sqrt(np.mean(A**2, axis=(-2, -1), keepdims=True))


def adafactor(G, r=_rows, c=_columns, *, w, t, eps=1e-30, least=1e-3, most=1.0):
    """Adafactor: the second moments from the means of their rows and columns, `V̂ = rcᵀ/mean(r)`, no first moment.

    `r <- βr + (1-β)·row means of G² + ε`, c likewise for the columns, with β = 1 - t^-0.8; `u = G/√V̂`, shortened where
    its root mean square is above `most`; `d = max(least, RMS(w))·u`, so that lr is a step relative to the weights.
    Source: Shazeer & Stern 2018, Algorithm 4; the form of torch.optim.Adafactor for lr ≤ 1/√t.

    >>> w, G = np.ones((2, 2)), np.outer([1.0, 10.0], [3.0, 4.0])
    >>> adafactor(G, np.zeros(2), np.zeros(2), w=w, t=1)[0]
    array([[1., 1.],
           [1., 1.]])
    """
    beta, squares = 1 - t**-0.8, G**2 + eps
    r = beta * r + (1 - beta) * squares.mean(axis=-1)
    c = beta * c + (1 - beta) * squares.mean(axis=-2)
    share = r / r.mean(axis=-1, keepdims=True)
    u = G / np.sqrt(share[..., :, None] * c[..., None, :])
    return np.maximum(least, _rms(w)) * u / np.maximum(1.0, _rms(u) / most), r, c


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
    """`d = √max(1, out/in)·newton_schulz(G)`: a step of nearly the same size along every singular direction.

    G is (…, in, out), as weights are stored here; PyTorch stores (out, in). Source: Jordan et al. 2024; the scale is
    that of torch.optim.Muon's default.

    >>> [float(np.linalg.norm(orthogonalize(np.ones(shape)), 2).round(2)) for shape in ((8, 2), (2, 8))]
    [0.7, 1.39]
    """
    fan_in, fan_out = G.shape[-2:]
    return newton_schulz(G) * max(1.0, fan_out / fan_in) ** 0.5


# Jordan et al. 2024: Nesterov momentum whose step is made orthogonal.
muon = chain(partial(nesterov, beta=0.95), orthogonalize, name="muon")
