"""optcore/initializers.py: each draw has the variance of its source, the shape (fan_in, fan_out) and its dtype."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import optcore.initializers as initializers
from optcore.initializers import (
    constant_init,
    gain,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    lecun_normal,
    lecun_uniform,
    lstm_bias,
    normal_init,
    orthogonal,
    torch_linear,
    torch_linear_bias,
    zeros_init,
)
from tests.references.network import topic

# initializer, variance as a function of (fan_in, fan_out), whether uniform
RANDOM = {
    "glorot_uniform": (glorot_uniform, lambda m, n: 2 / (m + n), True),
    "glorot_normal": (glorot_normal, lambda m, n: 2 / (m + n), False),
    "glorot, gain 5/3": (partial(glorot_normal, gain=5 / 3), lambda m, n: 25 / 9 * 2 / (m + n), False),
    "he_uniform": (he_uniform, lambda m, n: 2 / m, True),
    "he_normal": (he_normal, lambda m, n: 2 / m, False),
    "he, slope ½": (partial(he_normal, slope=0.5), lambda m, n: 2 / (1.25 * m), False),
    "lecun_uniform": (lecun_uniform, lambda m, n: 1 / m, True),
    "lecun_normal": (lecun_normal, lambda m, n: 1 / m, False),
    "torch_linear": (torch_linear, lambda m, n: 1 / (3 * m), True),
    "normal_init": (partial(normal_init, std=0.3), lambda m, n: 0.09, False),
    "orthogonal": (orthogonal, lambda m, n: 1 / max(m, n), None),
}
FIXED = {"constant_init": constant_init, "zeros_init": zeros_init}
EVERY = {name: init for name, (init, *_) in RANDOM.items()} | FIXED

sizes = st.integers(1, 12)


def test_the_table_names_every_initializer_of_the_module():
    assert set(initializers.__all__) - set(EVERY) == {"gain", "lstm_bias", "torch_linear_bias"}


@pytest.mark.parametrize("shape", [(200, 80), (80, 200)])
@pytest.mark.parametrize("name", RANDOM)
def test_mean_zero_and_the_variance_of_the_source(name, shape):
    init, variance, uniform = RANDOM[name]
    W = init(*shape, np.random.default_rng(1))
    expected = variance(*shape)
    assert abs(W.mean()) < 4 * np.sqrt(expected / W.size)
    assert W.var() == pytest.approx(expected, rel=0.04)
    if uniform is not None:
        limit = np.sqrt(3 * expected)
        assert (np.abs(W).max() <= limit) == uniform
        assert (np.abs(W).max() > 0.99 * limit) or not uniform


@pytest.mark.parametrize("name", EVERY)
@given(fan_in=sizes, fan_out=sizes, seed=st.integers(0, 2**32))
def test_shape_dtype_and_seed(name, fan_in, fan_out, seed):
    W = EVERY[name](fan_in, fan_out, seed)
    assert W.shape == (fan_in, fan_out) and W.dtype == np.float64 and np.isfinite(W).all()
    np.testing.assert_array_equal(EVERY[name](fan_in, fan_out, np.random.default_rng(seed)), W)
    np.testing.assert_array_equal(EVERY[name](fan_in, fan_out, seed, dtype=np.float32), W.astype(np.float32))
    np.testing.assert_array_equal(EVERY[name](fan_in, fan_out), EVERY[name](fan_in, fan_out, 0))


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (-1, 3), (2.5, 3)])
def test_sizes_that_are_no_sizes_are_refused(name, shape):
    with pytest.raises(ValueError, match="positive whole number"):
        EVERY[name](*shape)


@given(fan_in=sizes, fan_out=sizes, seed=st.integers(0, 2**32))
def test_all_singular_values_of_orthogonal_are_its_gain(fan_in, fan_out, seed):
    singular = np.linalg.svd(orthogonal(fan_in, fan_out, seed, gain=1.5), compute_uv=False)
    np.testing.assert_allclose(singular, 1.5, rtol=1e-12)


def test_orthogonal_is_haar_because_of_the_sign_fix():
    """Mezzadri 2007: E[Q₀₀] = 0 and E[Q₀₀²] = 1/n under Haar; plain QR has E[Q₀₀] ≈ -0.42 at n = 4."""
    rng = np.random.default_rng(0)
    corner = np.array([orthogonal(4, 4, rng)[0, 0] for _ in range(2000)])
    assert abs(corner.mean()) < 4 * 0.5 / np.sqrt(2000)
    assert (corner**2).mean() == pytest.approx(1 / 4, rel=0.1)


def test_he_keeps_the_mean_square_of_a_relu_net_and_glorot_halves_it():
    """He et al. 2015, §2.2: 20 ReLU layers at He variance keep E[a²] near 1, at half of it near 2⁻²⁰."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal((64, 256))
    kept, halved = a, a
    for _ in range(20):
        kept = np.maximum(kept @ he_normal(256, 256, rng), 0)
        halved = np.maximum(halved @ glorot_normal(256, 256, rng), 0)
    assert 0.1 < (kept**2).mean() < 10
    assert 0.1 < (halved**2).mean() * 2**20 < 10


def test_torch_linear_bias_shares_the_limit_of_the_weights():
    b = torch_linear_bias(25, 2000, 0)
    assert b.shape == (2000,) and 0.198 < np.abs(b).max() <= 0.2


def test_lstm_bias_opens_the_forget_gates_only():
    b = lstm_bias(3, forget=2.0, dtype=np.float32)
    assert b.shape == (12,) and b.dtype == np.float32
    assert b.reshape(4, 3).tolist() == [[0] * 3, [2] * 3, [0] * 3, [0] * 3]
    with pytest.raises(ValueError, match="positive whole number"):
        lstm_bias(0)


def test_gain_of_a_function_keeps_the_mean_square():
    """E[max(z, 0)²] = 1/2 for z ~ N(0, 1), so ReLU's gain is √2 from either side."""
    assert gain(lambda z: np.maximum(z, 0)) == pytest.approx(gain("relu"), rel=1e-12)
    assert gain(lambda z: np.where(z > 0, z, 0.3 * z)) == pytest.approx(gain("leaky_relu", slope=0.3), rel=1e-12)
    assert gain(lambda z: z) == pytest.approx(gain("identity"), rel=1e-12)
    with pytest.raises(ValueError, match="no agreed gain for 'gelu'; known are identity"):
        gain("gelu")


def test_gains_and_limits_are_those_of_pytorch():
    """calculate_gain exactly; the largest of 100,000 uniform weights within 0.01 % of a shared limit."""
    torch = topic("scales")
    names = {"identity": "linear", "sigmoid": "sigmoid", "tanh": "tanh", "relu": "relu", "leaky_relu": "leaky_relu"}
    for ours, theirs in names.items():
        assert gain(ours) == pytest.approx(float(torch[f"gain_{theirs}"]), rel=1e-15)
    largest = {
        "xavier": glorot_uniform(200, 500, gain=2.0),
        "kaiming": he_uniform(200, 500, slope=0.3),
        "linear": torch_linear(200, 500),
    }
    for name, W in largest.items():
        assert np.abs(W).max() == pytest.approx(float(torch[name]), rel=1e-4)
    assert np.abs(torch_linear_bias(200, 500)).max() == pytest.approx(float(torch["linear_bias"]), rel=0.02)
