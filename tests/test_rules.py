"""One table of rules × generic tests: a new rule gets them all by being listed once in RULES."""

import numpy as np
import pytest

import optcore as oc
from optcore.rule_spec import rule_program
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
        program = rule_program(rule)
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
