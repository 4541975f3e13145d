"""Batches and splits keep every sample once and the classes in proportion; the digits."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optcore import (
    ALPHABET,
    characters,
    digits,
    minibatches,
    stratified_split,
)
from optcore.data import _read_digits

RNG = np.random.default_rng(0)


X = RNG.normal(size=(7, 4))


@given(st.integers(1, 60), st.integers(1, 70), st.integers(0, 2**32))
def test_minibatches_cover_each_sample_once(n, b, seed):
    batches = list(minibatches(n, b, seed))
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.arange(n))
    assert {len(part) for part in batches[:-1]} <= {b} and len(batches[-1]) == (n % b or min(b, n))


def test_minibatches_change_from_epoch_to_epoch_and_check_their_sizes():
    rng = np.random.default_rng(0)
    first, second = (np.concatenate(list(minibatches(50, 7, rng))) for _ in range(2))
    assert not np.array_equal(first, second)
    for n, b in [(0, 3), (3, 0), (3, 1.5)]:
        with pytest.raises(ValueError, match="positive whole numbers"):
            minibatches(n, b, 0)


@given(st.lists(st.integers(0, 3), max_size=60), st.data(), st.integers(0, 2**32))
def test_stratified_split_keeps_proportions(labels, data, seed):
    y = np.array(labels, int)
    size = data.draw(st.integers(0, len(y)))
    first, rest = stratified_split(y, size, seed)
    np.testing.assert_array_equal(np.sort(np.concatenate([first, rest])), np.arange(len(y)))
    assert len(first) == size
    for label in np.unique(y):
        share = size * np.mean(y == label)
        assert abs(np.sum(y[first] == label) - share) < 2


def test_stratified_split_shuffles_and_checks_its_size():
    y = np.repeat([0, 1], 50)
    first, _ = stratified_split(y, 40, 0)
    assert not np.array_equal(np.sort(first), first)
    assert not np.array_equal(first, stratified_split(y, 40, 1)[0])
    with pytest.raises(ValueError, match="A part of 100 samples cannot have 101"):
        stratified_split(y, 101, 0)


@pytest.mark.parametrize("scale", ["raw", "unit", "centred", "standard"])
def test_digits_are_split_by_class_and_scaled_by_the_training_part(scale):
    (X, y), (X_test, y_test) = digits(400, scale=scale, seed=5)
    assert X.shape == (400, 64) and X_test.shape == (360, 64)
    assert np.bincount(y).tolist() == pytest.approx([40] * 10, abs=2)
    assert np.bincount(y_test).tolist() == pytest.approx([36] * 10, abs=2)
    if scale in ("raw", "unit"):
        assert X.min() == 0 and X.max() == (16 if scale == "raw" else 1)
    else:
        np.testing.assert_allclose(X.mean(axis=0), 0, atol=1e-12)
        assert abs(X_test.mean(axis=0)).max() > 1e-3
    if scale == "standard":
        assert set(X.std(axis=0).round(9)) == {0.0, 1.0}


def test_a_pixel_that_is_constant_in_training_is_centred_and_not_scaled():
    (X, _), (X_test, _) = digits(20, scale="standard", seed=5)
    (_, _), (centred, _) = digits(20, scale="centred", seed=5)
    constant = X.std(axis=0) == 0
    assert np.abs(centred[:, constant]).max() > 0.1
    np.testing.assert_array_equal(X_test[:, constant], centred[:, constant])


def test_digits_keep_the_test_set_when_n_changes_and_never_share_samples():
    (X, y), test = digits(seed=1, scale="raw")
    (few, few_y), same = digits(100, seed=1, scale="raw", dtype=np.float32)
    np.testing.assert_array_equal(test[0], same[0])
    np.testing.assert_array_equal(X[:100], few)
    assert few.dtype == np.float32 and len(X) + len(test[0]) == 1797
    for wrong in ({"n": 0}, {"n": 1438}, {"scale": "log"}, {"test": 1798}):
        with pytest.raises(ValueError):
            digits(**wrong)


def test_any_number_of_digits_that_are_left_may_be_asked_for():
    for n in (1, 1437):
        assert len(digits(n)[0][0]) == n
    for n in (0, 1438):
        with pytest.raises(ValueError, match="n must be in 1 … 1437"):
            digits(n)


def test_the_stored_digits_are_those_of_the_archive():
    """1,797 scans; the checksum is that of the pixels and labels that scikit-learn 1.9 loads, as bytes."""
    (X, y), (X_test, y_test) = digits(scale="raw", test=0)
    assert X.shape == (1797, 64) and X.dtype == float and y.dtype.kind == "i" and X_test.shape == (0, 64)
    assert (
        X.min() == 0 and X.max() == 16 and np.bincount(y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    )
    pixels, labels = _read_digits()
    stored = hashlib.sha256(pixels.astype(np.uint8).tobytes() + labels.astype(np.uint8).tobytes()).hexdigest()
    assert stored == "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def test_the_text_is_cut_into_windows_whose_answers_come_next():
    (x, y), (held, answers) = characters(16, test=100)
    assert x.shape == y.shape and len(held) == len(answers) == 100 and len(x) > 2000
    every = np.concatenate([x, held]).ravel()
    assert np.array_equal(every[1:], np.concatenate([y, answers]).ravel()[:-1])
    assert set(every) == set(range(len(ALPHABET))) and len(ALPHABET) == 29
    for length, test in ((16, 10**6), (0, 1), (50_000, 0)):
        with pytest.raises(ValueError):
            characters(length, test=test)
