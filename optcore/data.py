"""Samples to learn from: mini-batches, splits, and two data sets that the package carries, digits and a text."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .support import explains, whole

__all__ = ["ALPHABET", "characters", "digits", "minibatches", "stratified_split"]

#: Samples and their targets: (X, y).
Data = tuple[np.ndarray, np.ndarray]


@explains
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


@explains
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


@cache
def _read_digits() -> Data:
    """Pixels (1797, 64), 0 … 16, as floats, and labels, 0 … 9, as integers."""
    with np.load(Path(__file__).with_name("digits.npz")) as stored:
        return stored["pixels"].astype(float), stored["labels"].astype(int)


@explains
def digits(
    n: int | None = None, *, test: int = 360, scale: str = "centred", seed: int = 0, dtype: Any = float
) -> tuple[Data, Data]:
    """8×8 handwritten digits, split by class: `(X, y), (X_test, y_test)`.

    1,797 scans of handwritten digits, X (n, 64), y integers 0 … 9. `test` samples are held out and n of
    the others (all 1,437 by default) are for training; another n with the same seed keeps the test set.
    scale: "raw" pixels 0 … 16, "unit" 0 … 1, "centred" unit less the mean of each pixel, "standard"
    divided by its standard deviation too; mean and deviation are those of the training part. Source:
    Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI Machine Learning Repository,
    1998 (CC BY 4.0), of which these are the test part, as in scikit-learn. Raises ValueError for sizes
    and scales that do not exist.

    >>> (X, y), (X_test, y_test) = digits()
    >>> X.shape, X_test.shape, bool(abs(X.mean(axis=0)).max() < 1e-12)
    ((1437, 64), (360, 64), True)
    """
    if scale not in ("raw", "unit", "centred", "standard"):
        raise ValueError(f"scale must be 'raw', 'unit', 'centred' or 'standard', got {scale!r}.")
    pixels, labels = _read_digits()
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


#: The characters of the text, in the order of their numbers.
ALPHABET = " abcdefghijklmnopqrstuvwxyz.,"


@cache
def _read_text() -> np.ndarray:
    text = " ".join(Path(__file__).with_name("text.txt").read_text(encoding="ascii").split())
    return np.array([ALPHABET.index(character) for character in text])


@explains
def characters(length: int = 16, *, test: int = 400) -> tuple[Data, Data]:
    """Sentences of this course, as windows to predict the next character in: `(X, y), (X_test, y_test)`.

    The text of some 39,000 characters is cut into windows of `length`, X (n, length); y (n, length) holds the
    character that follows each, so that a window's last answer is the next one's first character. Characters are
    numbers, their places in `ALPHABET`: the space, 26 small letters, stop and comma. The last `test` windows are held
    out. Raises ValueError for lengths and numbers that leave nothing.

    >>> (X, y), (X_test, y_test) = characters(12)
    >>> "".join(ALPHABET[c] for c in X[0]), "".join(ALPHABET[c] for c in y[0])
    ('two numbers ', 'wo numbers n')
    """
    codes = _read_text()
    length, test = whole("length", length), whole("test", test, 0)
    count = (len(codes) - 1) // length
    if not test < count:
        raise ValueError(f"The text has {count} windows of {length} characters, so {test} cannot be held out.")
    X, y = (codes[k : k + count * length].reshape(count, length) for k in (0, 1))
    return (X[: count - test], y[: count - test]), (X[count - test :], y[count - test :])
