"""One table of rules × generic tests: a new rule gets them all by being listed once in RULES."""

import numpy as np
import pytest

import optcore as oc
from tests.javascript import run_programs

#: rule -> (learning rate on the bowl with κ = 20, on Rosenbrock, on the sum of absolute-value-like wells)
RULES = {
    oc.gd: (0.05, 1e-3, 0.1),
    oc.momentum: (0.02, 3e-4, 0.05),
    oc.nesterov: (0.02, 3e-4, 0.05),
    oc.adam: (0.05, 0.02, 0.05),
    oc.adamw: (0.05, 0.02, 0.05),
    oc.chain(oc.clip_norm, oc.momentum, name="clipped_momentum"): (0.02, 1e-3, 0.05),
    oc.adam_l2: (0.05, 0.02, 0.05),
    oc.ema: (0.1, 5e-3, 0.5),
    oc.adagrad: (0.5, 0.5, 0.5),
    oc.rmsprop: (0.01, 2e-3, 0.01),
    oc.centered_rmsprop: (3e-3, 1e-3, 3e-3),
    oc.adadelta: (1.0, 0.1, 1.0),
    oc.amsgrad: (0.05, 0.1, 0.05),
    oc.nadam: (0.05, 0.02, 0.05),
    oc.lion: (0.01, 2e-3, 0.01),
    oc.signsgd: (0.01, 1e-3, 0.01),
    oc.lars: (2.0, 2.0, 2.0),
    oc.lamb: (0.05, 0.02, 0.05),
    oc.schedule_free: (0.1, 3e-3, 0.5),
    oc.chain(oc.clip_value, oc.momentum, name="clipped_values"): (0.02, 1e-3, 0.05),
    oc.chain(oc.lion, oc.decay, name="lion_with_decay"): (5e-3, 2e-3, 5e-3),
    oc.chain(oc.rmsprop, oc.momentum, name="rmsprop_with_momentum"): (1e-3, 2e-4, 1e-3),
}
#: rule on matrices -> learning rate on the Kronecker quadratic below
MATRIX_RULES = {
    oc.shampoo: 1.0,
    oc.muon: 0.1,
    oc.chain(oc.momentum, oc.orthogonalize, name="plain_muon"): 0.1,
    oc.chain(oc.muon, oc.decay, name="muon_with_decay"): 0.1,
}
names = [rule.__name__ for rule in RULES]
every_rule = pytest.mark.parametrize("rule", RULES, ids=names)
every_matrix_rule = pytest.mark.parametrize("rule", MATRIX_RULES, ids=[rule.__name__ for rule in MATRIX_RULES])


def wells(w):
    """Smooth, separable, not quadratic: Σ ln cosh wᵢ, with gradient tanh wᵢ."""
    return np.sum(np.log(np.exp(w) + np.exp(-w)) - np.log(2.0), axis=-1)


def test_the_table_is_not_empty():
    assert len(RULES) >= 22 and len(MATRIX_RULES) >= 4 and len(set(names)) == len(names)


@every_rule
@pytest.mark.parametrize(
    ("problem", "f", "start", "steps", "factor"),
    [
        (0, oc.bowl, [-2.5, 1.5], 1500, 1e-3),
        (1, oc.rosenbrock, [-1.2, 1.0], 4000, 2e-2),
        (2, wells, [2.0, -3.0], 1500, 1e-3),
    ],
    ids=["bowl", "rosenbrock", "wells"],
)
def test_converges(rule, problem, f, start, steps, factor):
    path = oc.descend(rule, f, start, steps=steps, lr=RULES[rule][problem])
    assert path.loss[-1] < factor * path.loss[0]
    assert not path.diverged


@every_rule
def test_a_batch_equals_the_single_runs_bit_for_bit(rule):
    rates = np.logspace(-3, -1.5, 7)
    starts = np.array([[-1.2, 1.0], [0.5, 2.0], [1.5, -0.5]])
    hyper = {k: np.linspace(v * 0.9, v, 7)[:, None, None] for k, v in oc.spec(rule).hyper.items()}
    batch = oc.descend(rule, oc.rosenbrock, starts, steps=60, lr=rates[:, None, None], **hyper)
    assert batch.points.shape == (61, 7, 3, 2)
    for i in range(7):
        for j in range(3):
            one = oc.descend(
                rule, oc.rosenbrock, starts[j], steps=60, lr=rates[i], **{k: v[i, 0, 0] for k, v in hyper.items()}
            )
            assert np.array_equal(one.points, batch.points[:, i, j], equal_nan=True)


@every_rule
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept(rule, dtype):
    path = oc.descend(rule, oc.bowl, np.array([1.0, 1.0], dtype), steps=5, lr=0.01)
    assert path.points.dtype == dtype and path.loss.dtype == dtype


@every_rule
def test_is_pure_and_deterministic(rule):
    rng = np.random.default_rng(0)
    g, w = rng.normal(size=(2, 4, 3))
    state = [np.abs(rng.normal(size=(4, 3))) for _ in oc.spec(rule).state]
    before = [a.copy() for a in (g, w, *state)]
    keywords = {"w": w, "t": 3}
    first = oc.apply(rule, g, state, keywords)
    second = oc.apply(rule, g, state, keywords)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(before, (g, w, *state), strict=True))


@every_rule
def test_is_finite_at_zero_gradient_and_keeps_shapes(rule):
    g = np.zeros((5, 3))
    state = [np.full_like(g, v) for v in oc.spec(rule).state.values()]
    results = oc.apply(rule, g, state, {"w": np.ones((5, 3)), "t": 1})
    assert len(results) == 1 + len(state)
    for r in results:
        assert np.isfinite(r).all() and np.broadcast_shapes(np.shape(r), g.shape) == g.shape


def test_javascript_of_every_rule_agrees_with_numpy():
    rng = np.random.default_rng(3)
    special = [0.0, 1.0, np.inf, -np.inf, np.nan, 1e200]
    jobs, expected = [], []
    for rule in RULES:
        program = oc.rule_program(rule)
        names = [n for n, _ in program["inputs"]]
        rows = []
        for k in range(40):
            values = {n: rng.normal(size=shape) for n, shape in program["inputs"]}
            for n in oc.spec(rule).state:
                values[n] = np.abs(values[n])
            if k < len(special):
                values["g"] = np.array([special[k], 0.5])
            values |= {h["name"]: np.array(h["default"]) for h in program["hyper"]}
            values |= {"t": np.array(float(k + 1))} if "t" in names else {}
            rows.append(values)
        jobs.append((program, np.array([np.concatenate([v.ravel() for v in map(r.get, names)]) for r in rows])))
        direct = []
        for r in rows:
            with np.errstate(all="ignore"):
                results = oc.apply(rule, r["g"], [r[n] for n in oc.spec(rule).state], r)
            direct.append(np.concatenate([np.broadcast_to(x, 2) for x in results]))
        expected.append(np.array(direct))
    assert len(jobs) == len(RULES)
    for rule, e, got in zip(RULES, expected, run_programs(jobs), strict=True):
        np.testing.assert_allclose(got, e, rtol=1e-12, atol=1e-300, err_msg=rule.__name__)


def kronecker(rng, m=6, n=4):
    """½ tr(Wᵀ A W B) with κ(A) = κ(B) = 30, and its gradient A W B."""
    A, B = (
        Q @ np.diag(np.geomspace(1, 30, k)) @ Q.T for k in (m, n) for Q in [np.linalg.qr(rng.normal(size=(k, k)))[0]]
    )
    return (lambda W: np.sum(W * (A @ W @ B)) / 2), (lambda W: A @ W @ B)


@every_matrix_rule
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_matrix_rule_converges_and_keeps_its_dtype(rule, dtype):
    rng = np.random.default_rng(0)
    f, grad = kronecker(rng)
    start = rng.normal(size=(6, 4)).astype(dtype)
    path = oc.descend(rule, None, start, steps=300, lr=oc.cosine_decay(MATRIX_RULES[rule], 300), grad=grad)
    assert path.points.dtype == dtype
    assert f(path.final) < 1e-3 * f(start)


@every_matrix_rule
def test_a_matrix_rule_is_pure_and_takes_stacks(rule):
    rng = np.random.default_rng(1)
    G, W = rng.normal(size=(2, 3, 6, 4))
    start = [v(G) if callable(v) else np.full_like(G, v) for v in oc.spec(rule).state.values()]
    before = [a.copy() for a in (G, W, *start)]
    stack = oc.apply(rule, G, start, {"w": W, "t": 1})
    assert all(np.array_equal(a, b) for a, b in zip(before, (G, W, *start), strict=True))
    assert [r.shape for r in stack[1:]] == [s.shape for s in start] and stack[0].shape == G.shape
    for k in range(3):
        one = oc.apply(rule, G[k], [s[k] for s in start], {"w": W[k], "t": 1})
        for together, alone in zip(stack, one, strict=True):
            np.testing.assert_allclose(together[k], alone, rtol=1e-12, atol=1e-12)


@every_matrix_rule
def test_a_matrix_rule_is_finite_at_zero_gradient(rule):
    W = np.ones((3, 2))
    optimizer = oc.Optimizer(rule, W, lr=0.1)
    optimizer.step(np.zeros((3, 2)))
    assert np.isfinite(W).all()


def test_adam_is_algorithm_1():
    """Three steps by hand: Kingma & Ba 2015, Algorithm 1, on gradients 1, -2, 3."""
    m = v = x = 0.0
    state = [np.zeros(1), np.zeros(1)]
    w = np.zeros(1)
    for t, g in enumerate([1.0, -2.0, 3.0], start=1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        x -= 0.1 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8)
        d, *state = oc.adam(np.array([g]), *state, t=t)
        w = w - 0.1 * d
        np.testing.assert_allclose(w, x, rtol=1e-13)


def test_order_in_a_chain_carries_meaning():
    """Zero gradient: decoupled decay shrinks by lr·λ a step; the L2 form takes a full Adam step."""
    flat = dict(grad=np.zeros_like, start=[2.0], steps=1, lr=0.1)
    decoupled = oc.descend(oc.adamw, None, **flat, weight_decay=0.5).final
    coupled = oc.descend(oc.chain(oc.decay, oc.adam), None, **flat, weight_decay=0.5).final
    np.testing.assert_allclose(decoupled, 2.0 * (1 - 0.1 * 0.5))
    np.testing.assert_allclose(coupled, 2.0 - 0.1, rtol=1e-6)


def test_a_readers_rule_of_four_lines_works_in_a_chain_and_in_the_page():
    def halving(g, u=0.0, *, beta=0.5):
        u = beta * u + g
        return u, u

    both = oc.chain(oc.clip_norm, halving)
    assert oc.spec(both).hyper == {"max_norm": 1.0, "beta": 0.5}
    assert oc.descend(both, oc.bowl, [-1.0, 1.0], steps=300, lr=0.02).loss[-1] < 1e-3
    assert [n for n, _ in oc.rule_program(both)["inputs"]] == ["g", "u", "max_norm", "beta"]


def no_default(g, m, *, beta=0.9):
    return g, m


def swallows(g, **rest):
    return g


def forgets_state(g, m=0.0):
    return g


def no_hyper_default(g, *, beta):
    return g


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (no_default, "state 'm' needs its initial value"),
        (swallows, "takes \\*args or \\*\\*kwargs"),
        (no_hyper_default, "hyper-parameter 'beta' needs a default"),
        (forgets_state, "must return d, m"),
    ],
)
def test_a_rule_that_is_none_gets_one_sentence(rule, sentence):
    with pytest.raises(TypeError, match=sentence):
        oc.descend(rule, oc.bowl, [1.0, 1.0], steps=1)


def test_links_that_disagree_about_a_default_say_so():
    def other(g, *, beta=0.5):
        return g * beta

    with pytest.raises(ValueError, match="share 'beta' with different defaults"):
        oc.chain(oc.momentum, other)


def test_a_rule_formula_prints_as_latex():
    step = oc.trace(lambda g, u, *, beta: oc.momentum(g, u, beta=beta)[0], (), (), beta=())
    assert step.latex() == r"\beta \, u + g"


# --------------------------------------------------------------------------------------------- what each rule is for


def test_the_mean_and_the_sum_of_gradients_make_one_path():
    """`ema` with lr/(1-β) is `momentum` with lr; at equal lr a constant gradient moves 10 times less far."""
    flat = dict(f=None, grad=np.ones_like, start=[0.0], steps=100, lr=0.1)
    assert oc.descend(oc.momentum, **flat).final == pytest.approx(-91.0, abs=0.05)
    assert oc.descend(oc.ema, **flat).final == pytest.approx(-9.10, abs=0.005)
    one = oc.descend(oc.momentum, oc.rosenbrock, [-1.2, 1.0], lr=1e-3).points
    other = oc.descend(oc.ema, oc.rosenbrock, [-1.2, 1.0], lr=1e-2).points
    np.testing.assert_allclose(one, other, rtol=1e-12)


def test_nesterov_is_the_look_ahead_in_shifted_variables():
    """Sutskever et al. 2013: v <- βv - lr·g(θ + βv), θ <- θ + v; the rule's points are θ + βv."""
    theta, v, ahead = np.array([-1.2, 1.0]), np.zeros(2), []
    for _ in range(200):
        ahead.append(theta + 0.9 * v)
        v = 0.9 * v - 3e-4 * oc.rosenbrock.grad(ahead[-1])
        theta = theta + v
    path = oc.descend(oc.nesterov, oc.rosenbrock, [-1.2, 1.0], steps=199, lr=3e-4)
    np.testing.assert_allclose(path.points, ahead, rtol=1e-11)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_adagrad_goes_as_far_for_every_size_of_gradient(size):
    """Constant gradient: Σ lr/√k ≈ 2·lr·√steps, 19.85 after 10,000 steps of lr = 0.1, whatever its size."""
    path = oc.descend(oc.adagrad, None, [0.0], steps=10_000, lr=0.1, grad=lambda w: np.full_like(w, size))
    assert -path.final[0] == pytest.approx(19.85, abs=0.005)


@pytest.mark.parametrize(("rho", "first"), [(0.9, 3.1623), (0.99, 10.0)])
def test_rmsprop_starts_with_a_long_step(rho, first):
    assert oc.rmsprop(np.array([1.0]), rho=rho)[0] == pytest.approx(first, rel=1e-5)


def test_diagonal_scaling_is_not_rotation_invariant():
    """κ = 10⁴, 500 steps from one point: AdaGrad solves the aligned valley and not the one turned by 45°."""
    aligned, turned = (
        oc.descend(oc.adagrad, oc.bowl.at(kappa=1e4, angle=angle), start, steps=500, lr=0.5)
        for angle, start in ((0.0, [1.0, 1.0]), (45.0, [0.0, np.sqrt(2)]))
    )
    assert aligned.loss[0] == pytest.approx(5000.5) == turned.loss[0]
    assert aligned.loss[-1] < 1e-10 and turned.loss[-1] > 0.1


def test_amsgrad_survives_reddis_game_and_adam_does_not():
    """Reddi, Kale & Kumar 2018, theorem 1, C = 3 on [-1, 1]: the best point is -1; Adam ends at the worst."""

    def play(rule):
        x, state = np.array([0.0]), [np.zeros(1) for _ in oc.spec(rule).state]
        for t in range(1, 3001):
            g = np.array([3.0 if t % 3 == 1 else -1.0])
            d, *state = oc.apply(rule, g, state, dict(t=t, beta1=0.0, beta2=0.1))
            x = oc.project_box(x - 0.5 / np.sqrt(t) * d, -1.0, 1.0)
        return x[0]

    assert play(oc.adam) > 0.9
    assert play(oc.amsgrad) < -0.9


def test_lion_sees_through_its_slow_mean():
    """Gradients 5, -1: m = 0.05 after the first, so c = 0.9·0.05 - 0.1·1 < 0 and the second step returns."""
    path = oc.descend(oc.lion, None, [0.0], steps=2, lr=1.0, grad=lambda w: np.where(w == 0, 5.0, -1.0)).points[:, 0]
    assert path.tolist() == [0.0, -1.0, 0.0]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_lamb_moves_each_layer_by_the_same_fraction(scale):
    w = np.array([3.0, 4.0])
    d, *_ = oc.lamb(scale * np.array([1.0, -2.0]), w=w, t=1, weight_decay=0.1)
    assert np.linalg.norm(d) / np.linalg.norm(w) == pytest.approx(1.0)


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


def test_schedule_free_is_its_three_lines():
    """Defazio et al. 2024: y = (1-β)z + βx, z ← z - lr·g(y), x ← x + (z - x)/t, and `averaged` gives x from the y."""
    y = z = x = np.array([-1.2, 1.0])
    ys, xs = [y], [x]
    for t in range(1, 51):
        z = z - 1e-3 * oc.rosenbrock.grad(y)
        x = x + (z - x) / t
        y = 0.1 * z + 0.9 * x
        ys.append(y)
        xs.append(x)
    path = oc.descend(oc.schedule_free, oc.rosenbrock, [-1.2, 1.0], steps=50, lr=1e-3)
    np.testing.assert_allclose(path.points, ys, rtol=1e-12)
    np.testing.assert_allclose(oc.averaged(path.points, beta=0.9), xs, rtol=1e-11)


def test_averaging_removes_the_noise_of_a_constant_rate():
    path = oc.descend(oc.gd, oc.bowl, [1.0, 1.0], steps=4000, lr=0.02, noise=1.0, seed=3)
    tail = oc.averaged(path.points[2000:])[-1]
    np.testing.assert_allclose(tail, path.points[2001:].mean(axis=0), rtol=1e-10)
    assert oc.bowl(tail) < 0.1 * path.loss[2000:].mean()


@pytest.mark.parametrize("shape", [(8, 8), (12, 5), (5, 12)])
def test_newton_schulz_flattens_the_singular_values(shape):
    """Singular values from 0.02 to 1 of the norm come out within 0.65 … 1.25, on either side of the matrix."""
    rng = np.random.default_rng(4)
    U, _, Vt = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
    G = 37.0 * U * np.geomspace(0.02, 1, min(shape)) @ Vt
    X = oc.newton_schulz(G)
    values = np.linalg.svd(X, compute_uv=False)
    assert 0.65 < values.min() and values.max() < 1.25
    assert np.sum(X * (U @ Vt)) / np.linalg.norm(X) / np.linalg.norm(U @ Vt) > 0.97
    np.testing.assert_allclose(oc.newton_schulz(1e6 * G), X, rtol=1e-6)


def test_shampoo_is_invariant_to_rotations_where_adam_is_not():
    """The same problem in turned coordinates gives Shampoo the same losses."""
    rng = np.random.default_rng(5)
    f, grad = kronecker(rng)
    start = rng.normal(size=(6, 4))
    Q, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    gap = {}
    for rule, lr in ((oc.shampoo, 1.0), (oc.adam, 0.05)):
        here = oc.descend(rule, None, start, steps=40, lr=lr, grad=grad).final
        there = oc.descend(rule, None, Q.T @ start, steps=40, lr=lr, grad=lambda W: Q.T @ grad(Q @ W)).final
        gap[rule] = abs(f(Q @ there) / f(here) - 1)
    assert gap[oc.shampoo] < 1e-6 and gap[oc.adam] > 0.05
