"""Random numbers that page and package draw alike: by a seed and a running number, in 32-bit integers.

The mixing function is that of mulberry32; normal draws are made of two uniform ones by the Box-Muller transform. One
seed means the same network and the same data in both homes. The page has them in `parts/draws.js`.
"""

import numpy as np

__all__ = ["normal_draws", "uniform_draws"]


def uniform_draws(seed: int, numbers: np.ndarray) -> np.ndarray:
    """Numbers in (0, 1), one for each running number: mulberry32's mixing of seed + number·0x6D2B79F5.

    >>> uniform_draws(0, np.arange(2)).round(6).tolist()
    [0.266429, 0.00033]
    """
    mask = np.uint64(0xFFFFFFFF)
    a = (np.uint64(seed) + (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0x6D2B79F5)) & mask
    t = ((a ^ (a >> np.uint64(15))) * (a | np.uint64(1))) & mask
    t = t ^ ((t + (((t ^ (t >> np.uint64(7))) * (t | np.uint64(61))) & mask)) & mask)
    return ((t ^ (t >> np.uint64(14))) + 0.5) / 2**32


def normal_draws(seed: int, begin: int, count: int) -> np.ndarray:
    """Standard normal draws number `begin` … `begin + count - 1` (`begin` even) of a seed, as the page makes them.

    Source: Box & Muller, "A note on the generation of random normal deviates", 1958.

    >>> normal_draws(0, 0, 2).round(6).tolist()
    [1.626432, 0.00337]
    """
    u = uniform_draws(seed, np.arange(begin, begin + count + count % 2)).reshape(-1, 2)
    radius, angle = np.sqrt(-2 * np.log(u[:, 0])), 2 * np.pi * u[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).ravel()[:count]
