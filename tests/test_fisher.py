"""Fisher matrices and Kronecker factors against differences, sums over all labels, and dense solves."""

import numpy as np
import pytest

import optcore as oc
from optcore import MLP, numerical_gradient
from optcore.fisher import _own_gradients
from optcore.losses import cross_entropy, mse, softmax

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 4))
Y = np.array([0, 1, 2, 2, 1, 0])


def network(seed=0, dtype=float):
    return MLP([4, 5, 3], "tanh", bias=lambda _, n, rng: rng.normal(size=n), seed=seed, dtype=dtype)


def outputs(net, x):
    """The outputs for one example as a function of the parameters."""
    other = net.copy()

    def z(w):
        other.theta[...] = w
        return other(x[None])[0].copy()

    return z


def by_differences(net):
    """The Jacobian, (n, outputs, parameters), from central differences of the outputs."""
    rows = []
    for x in X:
        z = outputs(net, x)
        rows.append([numerical_gradient(lambda w, z=z, k=k: z(w)[k], net.theta) for k in range(3)])
    return np.array(rows)


def order(net):
    """Where the entries of [W; b], row by row, stand in theta, layer by layer."""
    places, begin = {}, 0
    for name, value in net.params.items():
        places[name] = np.arange(begin, begin + value.size).reshape(value.shape)
        begin += value.size
    return [np.concatenate([places[f"W{k}"], places[f"b{k}"][None]]).ravel() for k in (1, 2)]


def test_jacobian_is_what_differences_give():
    net = network()
    np.testing.assert_allclose(oc.jacobian(net, X), by_differences(net), atol=1e-8)


def test_per_example_gradients_are_the_gradients_of_batches_of_one():
    net = network()
    each = oc.per_example_gradients(net, X, lambda z: softmax(z) - np.eye(3)[Y])
    alone = np.array([net.loss_and_grad(X[i : i + 1], Y[i : i + 1])[1].copy() for i in range(len(X))])
    np.testing.assert_allclose(each, alone, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(each.mean(axis=0), net.loss_and_grad(X, Y)[1], atol=1e-14)


def test_softmax_curvature_is_the_hessian_of_cross_entropy_and_the_spread_of_its_gradients():
    z = RNG.normal(size=5)
    H = oc.softmax_curvature(z)
    for label in range(5):
        grad = lambda z, label=label: softmax(z) - np.eye(5)[label]
        columns = [(grad(z + 1e-5 * e) - grad(z - 1e-5 * e)) / 2e-5 for e in np.eye(5)]
        np.testing.assert_allclose(H, np.array(columns).T, atol=1e-9)
    p = softmax(z)
    np.testing.assert_allclose(H, sum(p[c] * np.outer(p - e, p - e) for c, e in enumerate(np.eye(5))), atol=1e-14)
    assert oc.softmax_curvature(RNG.normal(size=(2, 3, 5))).shape == (2, 3, 5, 5)


def test_gauss_newton_and_fisher_are_the_same_sum_written_twice():
    net = network()
    J = by_differences(net)
    G = np.mean([j.T @ oc.softmax_curvature(z) @ j for j, z in zip(J, net(X), strict=True)], axis=0)
    np.testing.assert_allclose(oc.gauss_newton_matrix(net, X), G, atol=1e-8)
    np.testing.assert_allclose(oc.fisher_matrix(net, X), oc.gauss_newton_matrix(net, X), atol=1e-12)
    flat = lambda z: np.broadcast_to(np.eye(3), (len(z), 3, 3))
    np.testing.assert_allclose(oc.fisher_matrix(net, X, "normal"), oc.gauss_newton_matrix(net, X, flat), atol=1e-12)


def test_in_a_linear_model_the_fisher_matrix_is_the_hessian():
    net = MLP([4, 3], seed=1)
    objective = oc.Objective(net, X, Y)
    H = np.array([objective.hvp(net.theta, e) for e in np.eye(net.theta.size)])
    np.testing.assert_allclose(oc.fisher_matrix(net, X), H, atol=1e-8)


@pytest.mark.parametrize(("loss", "y"), [(cross_entropy, Y), (mse, RNG.normal(size=(6, 3)))])
def test_empirical_fisher_is_the_mean_of_outer_products(loss, y):
    net = network()
    alone = [net.loss_and_grad(X[i : i + 1], y[i : i + 1], loss)[1].copy() for i in range(len(X))]
    E = np.mean([np.outer(g, g) for g in alone], axis=0)
    np.testing.assert_allclose(oc.empirical_fisher(net, X, y, loss), E, atol=1e-12)


@pytest.mark.parametrize("model", ["softmax", "normal"])
def test_kronecker_factors_are_exact_for_one_example(model):
    net = network()
    F = oc.fisher_matrix(net, X[:1], model)
    factors = oc.kfac_factors(net, X[:1], model)
    for (A, B), at in zip(factors, order(net), strict=True):
        np.testing.assert_allclose(np.kron(A, B), F[np.ix_(at, at)], atol=1e-12)
    several = [np.kron(*both) for both in oc.kfac_factors(net, X, model)]
    assert any(
        np.abs(K - oc.fisher_matrix(net, X, model)[np.ix_(at, at)]).max() > 1e-3
        for K, at in zip(several, order(net), strict=True)
    )


@pytest.mark.parametrize("model", ["softmax", "normal"])
def test_drawn_targets_have_the_expectation_for_their_mean(model):
    net, many = network(), np.repeat(X, 20_000, axis=0)
    for (A, B), (C, D) in zip(oc.kfac_factors(net, X, model), oc.kfac_factors(net, many, model, 0), strict=True):
        np.testing.assert_allclose(A, C, atol=1e-10)
        np.testing.assert_allclose(B, D, atol=0.02 * np.abs(B).max())
        assert np.abs(B - D).max() > 0


def test_the_last_class_is_drawn_where_rounding_leaves_the_probabilities_short_of_one():
    class AtTheEnd:
        random = staticmethod(lambda shape: np.full(shape, np.nextafter(1.0, 0.0)))

    logits = np.random.default_rng(0).normal(size=(400, 10)).astype(np.float32)
    p = softmax(logits)
    assert (p.cumsum(axis=1)[:, -1] < AtTheEnd.random(())).any()
    ((gradients, _),) = _own_gradients(logits, "softmax", AtTheEnd())
    np.testing.assert_array_equal(gradients, p - np.eye(10, dtype=np.float32)[9])


@pytest.mark.parametrize("damping", [0.0, 0.1])
def test_the_direction_solves_the_dense_system(damping):
    net = network()
    net.loss_and_grad(X, Y)
    factors = [(A + np.eye(len(A)), B + np.eye(len(B))) for A, B in oc.kfac_factors(net, X)]
    d = oc.kfac_direction(net, factors, damping)
    for (A, B), at in zip(factors, order(net), strict=True):
        pi = np.sqrt(np.trace(A) / len(A) / (np.trace(B) / len(B)))
        A, B = A + pi * damping**0.5 * np.eye(len(A)), B + damping**0.5 / pi * np.eye(len(B))
        np.testing.assert_allclose(np.kron(A, B) @ d[at], net.grad[at], atol=1e-10)


def test_a_step_of_kfac_is_what_its_parts_make():
    net = network()
    other, optimizer = net.copy(), oc.KFAC(net, lr=0.3, damping=0.05, decay=0.6, seed=3)
    rng, mean = np.random.default_rng(3), None
    for t in range(1, 4):
        new = oc.kfac_factors(other, X, rng=rng)
        keep = [0, 1 / 2, 0.6][t - 1]  # a plain mean while that forgets sooner
        mean = new if mean is None else [
            (keep * A + (1 - keep) * C, keep * B + (1 - keep) * D) for (A, B), (C, D) in zip(mean, new, strict=True)
        ]  # fmt: skip
        expected = other.loss_and_grad(X, Y)[0]
        other.theta -= 0.3 * oc.kfac_direction(other, mean, 0.05)
        assert optimizer.step(X, Y) == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(net.theta, other.theta, rtol=1e-10)


def test_with_full_factors_of_a_linear_model_of_one_output_the_step_is_newtons():
    """One output with normal noise: B is the number 1, and A the whole curvature."""
    net, t = MLP([4, 1], seed=0), RNG.normal(size=(6, 1))
    half = lambda z, y: (np.sum((z - y) ** 2) / (2 * len(z)), (z - y) / len(z))
    net.loss_and_grad(X, t, half)
    net.theta -= oc.kfac_direction(net, oc.kfac_factors(net, X, "normal"))
    best = np.linalg.lstsq(np.c_[X, np.ones(6)], t, rcond=None)[0]
    np.testing.assert_allclose(net.theta, best[:, 0], atol=1e-8)


def test_kfac_keeps_the_dtype_and_trains():
    net = network(dtype=np.float32)
    optimizer = oc.KFAC(net, lr=0.3, damping=0.1)
    losses = [optimizer.step(X.astype(np.float32), Y) for _ in range(30)]
    assert net.theta.dtype == np.float32 and losses[-1] < 0.2 * losses[0]
    assert all(M.dtype == np.float32 for both in oc.kfac_factors(net, X.astype(np.float32), rng=0) for M in both)


def test_what_cannot_be_is_refused():
    normed = MLP([4, 5, 3], norm="layer")
    with pytest.raises(ValueError, match="not LayerNorm"):
        oc.jacobian(normed, X)
    with pytest.raises(ValueError, match="softmax, normal"):
        oc.kfac_factors(network(), X, "poisson")
    with pytest.raises(ValueError, match="damping must be 0 or more"):
        oc.kfac_direction(network(), oc.kfac_factors(network(), X), -1.0)
    with pytest.raises(ValueError, match="decay must be in"):
        oc.KFAC(network(), 0.1, decay=1.0)
    with pytest.raises(ValueError, match="softmax, normal"):
        oc.KFAC(network(), 0.1, model="poisson")
