"""Numbers of few bits: rounding to bfloat16, states of eight bits, and what a rule costs in bytes."""

from collections.abc import Callable
from functools import cache
from math import prod
from typing import Any

import numpy as np

from .rule_spec import initial, spec
from .support import explains, whole

__all__ = ["adam8", "bfloat16", "dequantize", "dynamic_codes", "quantize", "state_bytes", "stochastic_bfloat16"]

_UPPER = np.uint32(0xFFFF0000)


def _upper_half(x: np.ndarray, added: Any) -> np.ndarray:
    """The upper 16 bits of float32 numbers after `added` (uint32) to their lower 16, which carries upward."""
    kept = ((x.view(np.uint32) + added) & _UPPER).view(np.float32)
    return np.where(np.isfinite(x), kept, x)[()]


@explains
def bfloat16(x: Any) -> Any:
    """The nearest bfloat16 number, ties to even, as float32 (…): one sign, 8 bits of exponent, 8 significant bits.

    The upper half of a float32. Beyond 3.39e38 it is inf. Source: torch.Tensor.bfloat16.

    >>> bfloat16([1.003, 1.006, 1e-8]).tolist()
    [1.0, 1.0078125, 1.0011717677116394e-08]
    """
    x = np.asarray(x, np.float32)
    return _upper_half(x, np.uint32(0x7FFF) + ((x.view(np.uint32) >> np.uint32(16)) & np.uint32(1)))


@explains
def stochastic_bfloat16(x: Any, rng: Any) -> Any:
    """One of the two bfloat16 neighbours of x, as float32 (…), the nearer one more often, so that the mean is x.

    With `a <= x <= a + h` it is a + h with probability (x - a)/h, to 16 bits. rng: a seed or a NumPy Generator.
    Source: Gupta et al. 2015; Zamirai et al. 2020.

    >>> found = stochastic_bfloat16(np.full(10000, 1.002), 0)
    >>> np.unique(found).tolist(), round(float(found.mean()), 3)
    ([1.0, 1.0078125], 1.002)
    """
    x = np.asarray(x, np.float32)
    return _upper_half(x, np.random.default_rng(rng).integers(0, 1 << 16, x.shape, np.uint32))


@cache
def _table(signed: bool) -> np.ndarray:
    bits = 7 - signed
    parts = [np.linspace(0.1, 1, 2 ** (bits - zeros) + 1) for zeros in range(7)]
    sizes = [10.0**-zeros * (ends[:-1] + ends[1:]) / 2 for zeros, ends in enumerate(parts)]
    positive = np.concatenate(sizes)
    return np.sort(np.concatenate([positive, -positive if signed else [], [0.0, 1.0]])).astype(np.float32)


def dynamic_codes(signed: bool = True) -> np.ndarray:
    """The 256 numbers that dynamic 8-bit codes stand for, (256,) float32, rising: 0, 1, and seven decades below 1.

    In the decade from 10⁻ᵏ/10 to 10⁻ᵏ lie 2^(6-k) numbers of each sign, in equal steps (2^(7-k) where all are
    positive): k leading zeros say the decade, what is left of the byte the place in it. Source: Dettmers et al. 2022.

    >>> codes = dynamic_codes(signed=False)
    >>> len(codes), codes[[0, -1]].tolist(), bool(np.allclose(codes[1:3], [3.25e-7, 7.75e-7]))
    (256, [0.0, 1.0], True)
    """
    return _table(bool(signed)).copy()


def _blocks(n: int, block: int) -> int:
    return -(-n // block)


@explains
def quantize(x: Any, block: int = 64, *, signed: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """One byte for each number of x (…, n) and one scale for each block of its last axis: codes (…, n), scales (…, k).

    A block is divided by its largest size, which is its scale, and each number goes to the nearest of
    `dynamic_codes`. The last of the k = ⌈n/block⌉ blocks may be shorter. signed=False is for numbers that are 0 or
    more. Source: Dettmers et al. 2022.

    >>> codes, scales = quantize([1.0, -0.5, 100.0, 2.0], block=2)
    >>> codes.tolist(), scales.tolist()
    ([255, 35, 255, 162], [1.0, 100.0])
    >>> dequantize(codes, scales, 2).round(2)
    array([  1.  ,  -0.5 , 100.  ,   1.98], dtype=float32)
    """
    x, block = np.asarray(x, np.float32), whole("block", block)
    blocks = _blocks(x.shape[-1], block)
    padded = np.zeros((*x.shape[:-1], blocks * block), np.float32)
    padded[..., : x.shape[-1]] = x
    parts = padded.reshape(*x.shape[:-1], blocks, block)
    scales = np.abs(parts).max(axis=-1)
    shares = parts / np.where(scales > 0, scales, 1)[..., None]
    table = _table(bool(signed))
    codes = np.searchsorted((table[:-1] + table[1:]) / 2, shares).astype(np.uint8)
    return codes.reshape(padded.shape)[..., : x.shape[-1]], scales


@explains
def dequantize(codes: Any, scales: Any, block: int = 64, *, signed: bool = True) -> np.ndarray:
    """The float32 numbers (…, n) that `quantize` kept: each code's number times its block's scale.

    >>> dequantize(*quantize([[0.0, 3.0]]))
    array([[0., 3.]], dtype=float32)
    """
    codes = np.asarray(codes)
    return _table(bool(signed))[codes] * np.repeat(scales, whole("block", block), axis=-1)[..., : codes.shape[-1]]


_BLOCK = 64


def _signed_zeros(g):
    return quantize(0 * g)[0]


def _zeros(g):
    return quantize(0 * g, signed=False)[0]


def _scales(g):
    return np.zeros((*g.shape[:-1], _blocks(g.shape[-1], _BLOCK)), np.float32)


def adam8(
    g, m=_signed_zeros, m_scale=_scales, v=_zeros, v_scale=_scales, *, t, beta1=0.9, beta2=0.999, eps=1e-8
):  # fmt: skip
    """Adam that keeps m and v in a byte each, by `quantize` in blocks of 64; the step itself is Adam's.

    Both are read, moved as by `adam`, used, and written back. Source: Dettmers et al. 2022, with shorter blocks
    than their 2048, for short parameters.

    >>> d, *state = adam8(np.array([1e-3, 50.0]), *(make(np.zeros(2)) for make in spec(adam8).state.values()), t=1)
    >>> d.round(4).tolist(), [s.nbytes for s in state]
    ([1.0, 1.0], [2, 4, 2, 4])
    """
    m = beta1 * dequantize(m, m_scale) + (1 - beta1) * g
    v = beta2 * dequantize(v, v_scale, signed=False) + (1 - beta2) * g**2
    d = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return d, *quantize(m), *quantize(v, signed=False)


@explains
def state_bytes(rule: Callable, shape: Any, dtype: Any = np.float32) -> float:
    """What a rule remembers of a parameter of that shape, in bytes for each number: its state, made and counted.

    Rules of points see the parameter as one flat vector, as in `Optimizer`; the parameter itself is not counted.

    >>> from optcore import adam, momentum, shampoo
    >>> [state_bytes(rule, (64, 32)) for rule in (momentum, adam, shampoo)]
    [4.0, 8.0, 10.0]
    """
    shape = (shape,) if np.ndim(shape) == 0 else tuple(shape)
    if len(shape) != 2 and spec(rule).takes_matrices:
        raise ValueError(f"A rule of matrices needs a shape of two numbers; it was {shape}.")
    g = np.zeros(shape if spec(rule).takes_matrices else prod(shape), dtype)
    return sum(state.nbytes for state in initial(rule, g, g)) / g.size
