"""One table of rules × generic tests: a new rule gets them all by being public. Then each rule's own property."""

import inspect

import numpy as np
import pytest

import optcore as oc
from optcore import links, matrix_rules, rules
from optcore.hyper import RANGES
from optcore.rule_spec import initial, rule_program
from tests.javascript import run_programs

#: Compositions that readers meet, in both orders.
CHAINS = [
    oc.chain(oc.clip_norm, oc.momentum, name="clipped_momentum"),
    oc.chain(oc.clip_value, oc.momentum, name="clipped_values"),
    oc.chain(oc.lion, oc.decay, name="lion_with_decay"),
    oc.chain(oc.rmsprop, oc.momentum, name="rmsprop_with_momentum"),
    oc.chain(oc.adam, oc.lookahead, name="lookahead_adam"),
    oc.chain(oc.adam, oc.weight_average, name="averaged_adam"),
    oc.cautious(oc.adam),
    oc.cautious(oc.chain(oc.momentum, oc.decay, name="momentum_decay")),
]
#: JavaScript's powers may differ from NumPy's in the last digit, which the ρ of RAdam's first steps enlarges.
LOOSER = {"radam": 1e-10}


def named(*modules, first="g"):
    """The public functions of modules that take a gradient: rules of points (g), or of matrices (G)."""
    public = [getattr(module, name) for module in modules for name in module.__all__]
    return [function for function in public if next(iter(inspect.signature(function).parameters)) == first]


RULES = named(rules) + CHAINS
EVERY = RULES + named(links)
each = {"ids": lambda rule: rule.__name__}
every_rule = pytest.mark.parametrize("rule", EVERY, **each)


def wells(w):
    """Smooth, separable, not quadratic: Σ ln cosh wᵢ, with gradient tanh wᵢ."""
    return np.sum(np.log(np.exp(w) + np.exp(-w)) - np.log(2.0), axis=-1)


def test_the_table_holds_every_public_rule():
    assert len(RULES) >= 22 and len(EVERY) >= 26 and len({rule.__name__ for rule in EVERY}) == len(EVERY)
    taken = {function.__name__ for function in EVERY + named(matrix_rules, first="G")}
    assert {*rules.__all__, *matrix_rules.__all__} == taken - {rule.__name__ for rule in CHAINS + named(links)}
    assert {*links.__all__} - taken == {"averaged", "cautious", "clip_global_norm", "gradient_noise", "sam"}  # no rules


@pytest.mark.parametrize("rule", RULES, **each)
@pytest.mark.parametrize(
    ("f", "start", "steps", "factor"),
    [(oc.bowl, [-2.5, 1.5], 1500, 1e-3), (oc.rosenbrock, [-1.2, 1.0], 4000, 2e-2), (wells, [2.0, -3.0], 1500, 1e-3)],
    ids=["bowl", "rosenbrock", "wells"],
)
def test_converges_at_some_rate(rule, f, start, steps, factor):
    path = oc.descend(rule, f, start, steps=steps, lr=np.geomspace(1e-4, 3.0, 12)[:, None])
    assert np.nanmin(path.loss[-1]) < factor * path.loss[0, 0]


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
    g, w = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(dtype)
    state = initial(rule, g, w)
    for t in (1, 2, 50):
        d, *state = oc.apply(rule, g, state, {"w": w, "t": t, "lr": 0.1})
        assert {np.asarray(result).dtype for result in (d, *state)} == {np.dtype(dtype)}


@every_rule
def test_bad_input_gets_one_sentence(rule):
    run = lambda **hyper: oc.descend(rule, oc.bowl, [1.0, 1.0], steps=2, lr=0.01, **hyper)
    with pytest.raises(TypeError, match="has no hyper-parameter 'nonsense'") as refused:
        run(nonsense=1.0)
    hyper = oc.spec(rule).hyper
    assert all(name in str(refused.value) for name in hyper)
    for name in hyper:
        with pytest.raises(TypeError, match=f"^{name} must be a number"):
            run(**{name: "much"})
        assert name in RANGES, f"{name} needs its range in optcore/hyper.py"
        with pytest.raises(ValueError, match=f"^{name} must be in"):
            run(**{name: np.nextafter(RANGES[name][0], -1.0)})
        with pytest.raises(ValueError, match=f"^{name} must be in"):
            run(**{name: np.nan})


@every_rule
def test_is_pure_and_deterministic(rule):
    rng = np.random.default_rng(0)
    g, w = rng.normal(size=(2, 4, 3))
    state = [np.abs(rng.normal(size=(4, 3))) for _ in oc.spec(rule).state]
    before = [a.copy() for a in (g, w, *state)]
    keywords = {"w": w, "t": 3, "lr": 0.1}
    first = oc.apply(rule, g, state, keywords)
    second = oc.apply(rule, g, state, keywords)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(before, (g, w, *state), strict=True))


@every_rule
def test_is_finite_at_zero_gradient_and_keeps_shapes(rule):
    g = np.zeros((5, 3))
    w = np.ones((5, 3))
    state = initial(rule, g, w)
    results = oc.apply(rule, g, state, {"w": w, "t": 1, "lr": 0.1})
    assert len(results) == 1 + len(state)
    for r in results:
        assert np.isfinite(r).all() and np.broadcast_shapes(np.shape(r), g.shape) == g.shape


def test_javascript_of_every_rule_agrees_with_numpy():
    rng = np.random.default_rng(3)
    special = [0.0, 1.0, np.inf, -np.inf, np.nan, 1e200]
    jobs, expected = [], []
    for rule in EVERY:
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
            values |= {"lr": np.abs(values["lr"])} if "lr" in names else {}
            for n, start in oc.spec(rule).state.items():
                values |= {n: values["w"]} if start == "w" and k == 0 else {}
            rows.append(values)
        jobs.append((program, np.array([np.concatenate([v.ravel() for v in map(r.get, names)]) for r in rows])))
        direct = []
        for r in rows:
            with np.errstate(all="ignore"):
                results = oc.apply(rule, r["g"], [r[n] for n in oc.spec(rule).state], r)
            direct.append(np.concatenate([np.broadcast_to(x, 2) for x in results]))
        expected.append(np.array(direct))
    assert len(jobs) == len(EVERY)
    for rule, e, got in zip(EVERY, expected, run_programs(jobs), strict=True):
        np.testing.assert_allclose(got, e, rtol=LOOSER.get(rule.__name__, 1e-12), atol=1e-300, err_msg=rule.__name__)


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


def test_lars_steps_a_thousandth_of_each_layer():
    """You, Gitman & Ginsburg 2017: decay, then the trust ratio with η = 0.001, then momentum."""
    w, g = np.array([3.0, 4.0]), np.array([1.0, -2.0])
    decayed = g + 0.1 * w
    d, u = oc.lars(g, w=w, weight_decay=0.1)
    np.testing.assert_allclose(d, 1e-3 * 5.0 * decayed / np.linalg.norm(decayed), rtol=1e-14)
    np.testing.assert_allclose(oc.lars(g, u, w=w, weight_decay=0.1)[0], 1.9 * d, rtol=1e-14)


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
