"""Rounding to bfloat16 and to bytes, against a second way to compute each; what a rule remembers, in bytes."""

import numpy as np
import pytest

import optcore as oc


def nearest(x):
    """bfloat16 by arithmetic in float64: 8 significant bits, ties to even; below 2⁻¹²⁶ marks 2⁻¹³³ apart."""
    x = np.asarray(x, float)
    exponent = np.maximum(np.floor(np.log2(np.where(x == 0, 1.0, np.abs(x)))), -126)
    mark = 2.0 ** (exponent - 7)
    return np.round(x / mark) * mark


RNG = np.random.default_rng(0)
NUMBERS = np.concatenate(
    [RNG.normal(size=3000) * 10.0 ** RNG.uniform(-42, 38, 3000), [0.0, 1.0, -2.5], 1 + np.arange(-64, 65) / 256]
).astype(np.float32)


def test_bfloat16_is_the_nearest_number_of_eight_bits():
    found = oc.bfloat16(NUMBERS)
    assert found.dtype == np.float32 and len(np.unique(found)) > 1000
    np.testing.assert_array_equal(found.astype(float), nearest(NUMBERS))
    np.testing.assert_array_equal(oc.bfloat16(found), found)


def test_bfloat16_at_its_ends():
    assert oc.bfloat16(3.3895e38) < np.inf and oc.bfloat16(3.3962e38) == np.inf and oc.bfloat16(-3.4e38) == -np.inf
    assert np.isnan(oc.bfloat16(np.nan)) and oc.bfloat16([-np.inf, np.inf]).tolist() == [-np.inf, np.inf]
    assert np.signbit(oc.bfloat16(-0.0)) and oc.bfloat16(1.0).shape == ()
    quiet = np.array([0x7FFFFFFF, 0xFFFFFFFF], np.uint32).view(np.float32)  # all bits set: the sum would carry over
    assert np.isnan(oc.bfloat16(quiet)).all() and np.isnan(oc.stochastic_bfloat16(quiet, 0)).all()


@pytest.mark.peers
def test_bfloat16_is_pytorchs():
    import torch

    theirs = torch.from_numpy(NUMBERS).bfloat16().float().numpy()
    np.testing.assert_array_equal(oc.bfloat16(NUMBERS), theirs)


def test_stochastic_rounding_takes_a_neighbour_and_has_the_right_mean():
    x = NUMBERS[np.abs(NUMBERS) > 1e-30][:300]
    draws = np.stack([oc.stochastic_bfloat16(x, rng) for rng in range(400)])
    gap = np.abs(draws - x).astype(float)
    spacing = 2.0 ** (np.floor(np.log2(np.abs(x.astype(float)))) - 7)
    assert (gap <= spacing).all() and (draws == oc.bfloat16(draws)).all()
    error = (draws.astype(float) - x).mean(axis=0) / spacing  # its deviation is at most ½/√400
    assert np.abs(error).max() < 0.12 and abs(error.mean()) < 0.01
    low = np.float32(1 + 2**-9)  # a quarter of the way from 1 to the next
    up = oc.stochastic_bfloat16(np.full(20000, low), 1) > 1
    assert abs(up.mean() - 0.25) < 0.015


def test_stochastic_rounding_knows_chances_of_one_in_65536():
    """A hair above a mark it goes up sometimes, a hair below the next one it stays down sometimes."""
    low, high = np.array([0x3F800001, 0x3F80FFFF], np.uint32).view(np.float32)
    for x, rare in ((low, 1.0078125), (high, 1.0)):
        found = oc.stochastic_bfloat16(np.full(1 << 20, x), 0)  # 16 times, on average
        assert 2 < np.sum(found == rare) < 40


def test_stochastic_rounding_keeps_what_needs_no_rounding_and_repeats_with_its_seed():
    marks = oc.bfloat16(NUMBERS)
    np.testing.assert_array_equal(oc.stochastic_bfloat16(marks, 3), marks)
    assert np.array_equal(oc.stochastic_bfloat16(NUMBERS, 5), oc.stochastic_bfloat16(NUMBERS, 5))
    assert not np.array_equal(oc.stochastic_bfloat16(NUMBERS, 5), oc.stochastic_bfloat16(NUMBERS, 6))
    rng = np.random.default_rng(5)
    first, second = (oc.stochastic_bfloat16(NUMBERS, rng) for _ in range(2))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("signed", [True, False])
def test_dynamic_codes_are_bytes_read_as_decade_and_place(signed):
    """Byte by byte: a sign, leading zeros for the decade, a one, and the rest in equal steps from a tenth to all."""
    numbers = {0.0, 1.0}
    bits = 7 if signed else 8
    for pattern in range(1 if signed else 2, 2**bits):  # the others stand for the two numbers above
        written = f"{pattern:0{bits}b}"
        zeros = len(written) - len(written.lstrip("0"))
        place, steps = int("0" + written[zeros + 1 :], 2), 2 ** (bits - zeros - 1)
        size = 10.0**-zeros * (0.1 + 0.9 * (place + 0.5) / steps)
        numbers |= {size, -size} if signed else {size}
    codes = oc.dynamic_codes(signed)
    assert codes.shape == (256,) and len(numbers) == 256
    np.testing.assert_allclose(codes, sorted(numbers), rtol=1e-6)
    codes[:] = 7
    assert oc.dynamic_codes(signed)[-1] == 1


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(("shape", "block"), [((130,), 64), ((2, 3, 50), 16), ((5,), 64)])
def test_a_quantized_number_is_the_nearest_code_of_its_block(signed, shape, block):
    x = RNG.normal(size=shape) * 10.0 ** RNG.uniform(-3, 3, shape)
    x = (x if signed else np.abs(x)).astype(np.float32)
    codes, scales = oc.quantize(x, block, signed=signed)
    assert codes.dtype == np.uint8 and codes.shape == shape and scales.shape == (*shape[:-1], -(-shape[-1] // block))
    back, table = oc.dequantize(codes, scales, block, signed=signed), oc.dynamic_codes(signed).astype(float)
    for k in range(scales.shape[-1]):
        part = (..., slice(k * block, (k + 1) * block))
        top = np.abs(x[part]).max(axis=-1, keepdims=True)
        np.testing.assert_array_equal(scales[..., k : k + 1], top)
        best = np.abs(x[part] / top - table[:, *[None] * x.ndim]).min(axis=0)
        np.testing.assert_allclose(np.abs(back[part] - x[part]) / top, best, atol=1e-6)


def test_a_block_of_zeros_stays_zero_and_a_block_is_a_whole_number():
    codes, scales = oc.quantize(np.zeros(70))
    assert not oc.dequantize(codes, scales).any() and not scales.any()
    assert not oc.dynamic_codes()[codes].any()
    for block in (0, 1.5, -3):
        with pytest.raises(ValueError, match="block must be a whole number, 1 or more"):
            oc.quantize(np.ones(3), block)


def test_adam8_is_adam_with_states_that_go_through_bytes():
    rng = np.random.default_rng(2)
    w8, w, m, v = (np.zeros(150, np.float32) for _ in range(4))
    optimizer = oc.Optimizer(oc.adam8, w8, lr=0.01)
    for t in range(1, 30):
        g = (np.linspace(0.01, 3, 150) * rng.normal(size=150)).astype(np.float32)
        optimizer.step(g)
        d, m, v = oc.adam(g, m, v, t=t)
        w -= np.float32(0.01) * d
        m, v = (oc.dequantize(*oc.quantize(a, signed=s), signed=s) for a, s in ((m, True), (v, False)))
    np.testing.assert_allclose(w8, w, rtol=1e-5, atol=1e-7)
    state = optimizer.state()
    assert [state[f"0.{name}"].dtype for name in ("m", "v")] == [np.uint8, np.uint8]
    assert sum(array.nbytes for name, array in state.items() if name != "t") == 150 * 2 + 3 * 4 * 2


def test_adam8_keeps_the_runs_of_a_batch_apart_and_can_go_on():
    run = lambda lr, steps, start=(1.0, -1.0): oc.descend(oc.adam8, oc.bowl, start, steps, lr)
    both = run(np.array([[0.01], [0.1]]), 40)
    for k, lr in enumerate((0.01, 0.1)):
        np.testing.assert_array_equal(both.points[:, k], run(lr, 40).points)
    half = run(0.1, 20)
    np.testing.assert_array_equal(run(0.1, 20, half).final, run(0.1, 40).final)
    assert run(0.1, 400).loss[-1] < 1e-3 * run(0.1, 0).loss[0]


@pytest.mark.parametrize("rule", [oc.gd, oc.momentum, oc.adam, oc.lion, oc.muon, oc.shampoo, oc.adafactor, oc.adam8])
def test_state_bytes_are_those_of_an_optimizer_after_a_step(rule):
    W = RNG.normal(size=(12, 40)).astype(np.float32)
    optimizer = oc.Optimizer(rule, W, lr=0.01)
    optimizer.step(RNG.normal(size=W.shape).astype(np.float32))
    held = sum(np.asarray(array).nbytes for name, array in optimizer.state().items() if name != "t")
    assert oc.state_bytes(rule, (12, 40)) == held / W.size


def test_state_bytes_of_other_shapes_and_types():
    assert oc.state_bytes(oc.adam, 100, float) == 16 and oc.state_bytes(oc.amsgrad, (3, 4, 5)) == 12
    assert oc.state_bytes(oc.adafactor, (1000, 1000)) == pytest.approx(0.008)
    assert oc.state_bytes(oc.adam8, 65) * 65 == 2 * (65 + 2 * 4)  # a byte each, and a scale for each block of 64
    with pytest.raises(ValueError, match="A rule of matrices needs a shape of two numbers; it was"):
        oc.state_bytes(oc.muon, 100)
