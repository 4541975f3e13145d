"""Links: clipping, trust ratio, noise, averages, and the gradient uphill."""

import numpy as np
import pytest

import optcore as oc


@pytest.mark.parametrize(("w", "g"), [([0.0, 0.0], [3.0, 4.0]), ([3.0, 4.0], [0.0, 0.0])])
def test_trust_ratio_of_a_zero_norm_is_one(w, g):
    assert np.array_equal(oc.trust_ratio(np.array(g), w=np.array(w), coefficient=7.0), g)


def test_clipping_values_turns_and_clipping_norms_only_shortens():
    g = np.array([30.0, 0.5])
    cosine = lambda a: a @ g / np.linalg.norm(a) / np.linalg.norm(g)
    assert cosine(oc.clip_norm(g)) == pytest.approx(1.0)
    assert cosine(oc.clip_value(g)) < 0.91


@pytest.mark.parametrize("wrap", [list, lambda gs: dict(zip("ab", gs, strict=True))], ids=["list", "dict"])
def test_the_global_norm_is_one_norm(wrap):
    grads = wrap([np.array([3.0, 0.0]), np.array([[4.0]], np.float32)])
    clipped, norm = oc.clip_global_norm(grads, 2.5)
    flat = clipped if isinstance(clipped, list) else [*clipped.values()]
    assert norm == 5.0 and type(clipped) is type(grads) and flat[1].dtype == np.float32
    np.testing.assert_allclose([flat[0][0], flat[1][0, 0]], [1.5, 2.0], rtol=1e-6)
    untouched, _ = oc.clip_global_norm(grads, 10.0)
    assert all(np.array_equal(untouched[k], grads[k]) for k in (grads if isinstance(grads, dict) else range(2)))


def test_gradient_noise_is_reproducible_and_fades():
    link = oc.chain(oc.gradient_noise(seed=1), oc.gd)
    run = lambda std: oc.descend(link, None, np.zeros((2, 500)), steps=100, lr=1.0, grad=np.zeros_like, std=std)
    path = run(2.0)
    assert np.array_equal(path.points, run(2.0).points)
    assert np.array_equal(path.points[:, 0], path.points[:, 1])
    steps = np.diff(path.points[:, 0], axis=0).std(axis=-1)
    np.testing.assert_allclose(steps[[0, 99]], [2.0, 2.0 * 100**-0.275], rtol=0.1)


def test_sam_looks_uphill_and_prefers_the_flat_valley():
    """(ab - 1)²/2 from a sharp end of the valley: SAM slides to a = b, where the sharpness a² + b² is least, 2."""
    f = oc.Surface(lambda w: (w[..., 0] * w[..., 1] - 1) ** 2 / 2)
    start = np.array([2.5, 0.3])
    plain = oc.descend(oc.gd, f, start, steps=3000, lr=0.1).final
    flat = oc.descend(oc.gd, f, start, steps=3000, lr=0.1, grad=oc.sam(f.grad, rho=0.2)).final
    assert np.sum(plain**2) > 6 and np.sum(flat**2) == pytest.approx(2.0, abs=0.05)
    assert np.isfinite(oc.sam(f.grad)(np.zeros(2))).all()
    assert oc.sam(lambda w: w)(np.array([3.0, 4.0])) == pytest.approx([3.03, 4.04], rel=1e-9)  # ρ = 0.05
    points = np.random.default_rng(0).standard_normal((2, 3, 2))
    each = [[oc.sam(f.grad, rho=0.2)(w) for w in row] for row in points]
    np.testing.assert_allclose(oc.sam(f.grad, rho=0.2)(points), each, rtol=1e-12)


def test_averaging_removes_the_noise_of_a_constant_rate():
    path = oc.descend(oc.gd, oc.bowl, [1.0, 1.0], steps=4000, lr=0.02, noise=1.0, seed=3)
    tail = oc.averaged(path.points[2000:])[-1]
    np.testing.assert_allclose(tail, path.points[2001:].mean(axis=0), rtol=1e-10)
    assert oc.bowl(tail) < 0.1 * path.loss[2000:].mean()


def test_a_gradient_whose_square_overflows_keeps_its_direction():
    g = np.array([3e20, 4e20], np.float32)
    np.testing.assert_allclose(oc.clip_norm(g), [0.6, 0.8], rtol=1e-6)
    np.testing.assert_allclose(oc.trust_ratio(g, w=np.array([3.0, 4.0], np.float32)), [3.0, 4.0], rtol=1e-6)
    (clipped,), norm = oc.clip_global_norm([g])
    np.testing.assert_allclose(clipped, [0.6, 0.8], rtol=1e-6)
    assert norm == pytest.approx(5e20)
    assert oc.clip_norm(np.zeros(2, np.float32)).tolist() == [0.0, 0.0]
    assert np.isnan(oc.clip_norm(np.array([np.inf, 1.0]))).any()


def test_a_link_that_was_given_its_number_in_the_place_of_a_gradient_says_so():
    with pytest.raises(TypeError, match="takes a gradient of shape .* functools.partial sets its numbers"):
        oc.chain(oc.clip_norm(1.0), oc.adam)
    with pytest.raises(ValueError, match="max_norm must be 0 or more"):
        oc.clip_global_norm([np.ones(2)], -1.0)


@pytest.mark.parametrize("norm", [0.0, 0.5, 3.0])
def test_the_global_norm_becomes_what_was_asked_for(norm):
    (clipped,), before = oc.clip_global_norm([np.array([3.0, 4.0])], norm)
    assert before == 5.0
    np.testing.assert_allclose(np.linalg.norm(clipped), norm, rtol=1e-6)
    for bad in (-1e-9, np.nan):
        with pytest.raises(ValueError, match="max_norm must be 0 or more"):
            oc.clip_global_norm([np.ones(2)], bad)
