"""Exercises of chapter 6, second-order methods."""

import numpy as np

from ..exercise import Exercise, Misconception, choice

# --- 6.1 Newton's method ----------------------------------------------------------------------------------------------


def saddle_free_step(g, H):
    values, Q = np.linalg.eigh(H)
    return -Q @ ((Q.T @ g) / np.abs(values))


def _spectral_step(g, H, change):
    values, Q = np.linalg.eigh(H)
    return -Q @ ((Q.T @ g) * change(values))


def _symmetric(rng, values):
    Q = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
    return Q * np.array(values) @ Q.T


_SADDLE_FREE = Exercise(
    id="second-order/saddle-free-step",
    notebook="6.1",
    title="A Newton step that goes downhill",
    statement=r"""
        Return the saddle-free step $d = -\lvert H\rvert^{-1} g$: with $H = Q\Lambda Q^\top$, the matrix $\lvert H\rvert =
        Q\lvert\Lambda\rvert Q^\top$ has the same eigenvectors and the eigenvalues without their signs. `H` is symmetric and
        invertible.""",
    stub='''
        def saddle_free_step(g, H):
            """The step d, shape (n,), for a gradient g (n,) and a symmetric Hessian H (n, n)."""
            ...''',
    reference=saddle_free_step,
    cases=lambda rng: [
        (np.array([1.0, 1.0]), np.diag([1.0, -2.0])),
        (np.array([1.0, -1.0]), np.diag([4.0, 2.0])),
        (rng.normal(size=3), _symmetric(rng, [3.0, -0.5, -2.0])),
    ],
    misconceptions=[
        Misconception(
            lambda g, H: np.linalg.solve(H, -g),
            "That is plain Newton: along a negative eigenvalue it steps uphill, towards the saddle.",
        ),
        Misconception(
            lambda g, H: _spectral_step(g, H, lambda v: 1 / np.maximum(v, 1e-3)),
            "You lift negative eigenvalues to a small ε. The step there becomes enormous; keep their size and drop the sign.",
        ),
        Misconception(
            lambda g, H: _spectral_step(g, H, lambda v: (v > 0) / np.abs(v)),
            "You drop the negative directions. They are the way out of a saddle.",
        ),
        Misconception(
            lambda g, H: -saddle_free_step(g, H),
            "The sign is wrong: a step has to go against the gradient.",
        ),
        Misconception(
            lambda g, H: np.linalg.solve(np.abs(H), -g),
            "You take the absolute value of every entry of H. It belongs to the eigenvalues.",
        ),
    ],
    hints=["`np.linalg.eigh` gives eigenvalues and eigenvectors of a symmetric matrix.",
           "Write g in the eigenvectors, divide each part, and turn back."],
)  # fmt: skip


def damped_newton(f, grad, hess, x, steps):
    for _ in range(steps):
        g = grad(x)
        d = np.linalg.solve(hess(x), -g)
        t = 1.0
        while f(x + t * d) > f(x) + 1e-4 * t * (g @ d):
            t /= 2
        x = x + t * d
    return x


def _newton_family(f, grad, hess, x, steps, start=1.0, accept=None):
    for _ in range(steps):
        g = grad(x)
        d = np.linalg.solve(hess(x), -g)
        t = start
        while accept is not None and t > 1e-12 and not accept(f, x, t, d, g):
            t /= 2
        x = x + t * d
    return x


def _two_steps_back(f, grad, hess, x, steps):
    t = 1.0
    for _ in range(steps):
        g = grad(x)
        d = np.linalg.solve(hess(x), -g)
        while f(x + t * d) > f(x) + 1e-4 * t * (g @ d):
            t /= 2
        x = x + t * d
    return x


def _on_a_root(answer, scale, x, steps):
    """called with f(x) = Σ √(1 + (x/scale)²), its gradient and its Hessian"""
    u = lambda x: x / scale
    f = lambda x: float(np.sqrt(1 + u(x) ** 2).sum())
    grad = lambda x: u(x) / np.sqrt(1 + u(x) ** 2) / scale
    hess = lambda x: np.diag((1 + u(x) ** 2) ** -1.5 / scale**2)
    with np.errstate(all="ignore"):
        return answer(f, grad, hess, x, steps)


_DAMPED = Exercise(
    id="second-order/damped-newton",
    notebook="6.1",
    title="Newton with a line search",
    statement=r"""
        Take `steps` Newton steps from `x`, each of length `t` out of $1, \frac12, \frac14, \dots$: the first with
        $f(x + td) \le f(x) + 10^{-4}\, t\, g^\top d$. `f`, `grad` and `hess` are functions of a point. Every step starts again at
        $t = 1$. Return the last point.""",
    stub='''
        def damped_newton(f, grad, hess, x, steps):
            """The point after `steps` damped Newton steps from x, shape (n,)."""
            ...''',
    reference=damped_newton,
    probe=_on_a_root,
    cases=lambda rng: [
        (1.0, np.array([3.0]), 1),
        (1.0, np.array([3.0]), 3),
        (2.0, np.array([1.0]), 2),
        (np.array([1.0, 3.0]), np.array([2.0, 1.0]), 2),
        (1.0, rng.uniform(2.2, 2.4, size=2), 2),
    ],
    atol=1e-9,
    misconceptions=[
        Misconception(
            lambda f, grad, hess, x, steps: _newton_family(f, grad, hess, x, steps),
            "Undamped: from 3 the full step lands on -27, and it gets worse from there.",
        ),
        Misconception(
            _two_steps_back,
            "Once shortened, your t stays short. Every step should begin with the full Newton step again.",
        ),
        Misconception(
            lambda f, grad, hess, x, steps: _newton_family(f, grad, hess, x, steps, start=0.5),
            "A fixed damping of one half: near the minimum it throws the fast convergence away, and far out it is not enough.",
        ),
        Misconception(
            lambda f, grad, hess, x, steps: x + damped_newton(f, grad, hess, x, 1) - x,
            "You take one step and return; `steps` of them are asked for.",
        ),
    ],
    hints=["Inside the loop over steps stands another loop, which halves t.",
           "g and d do not change while t is being found."],
)  # fmt: skip

_HESSIAN_SIZE = Exercise(
    id="second-order/how-many-parameters",
    notebook="6.1",
    title="How large a Hessian fits",
    kind="measure",
    statement=r"""
        A machine has 16 GB ($16 \cdot 10^9$ bytes) of free memory. How many parameters can a model have at most if its Hessian, in
        float64 and with all $n^2$ entries, is to fit? Within 1%.""",
    stub="""
        parameters = ...""",
    reference=44721.4,
    rtol=0.01,
    misconceptions=[
        Misconception(2e9, "That many numbers fit. The Hessian has one number for each pair of parameters."),
        Misconception(63245.6, "That is float32; a float64 number takes 8 bytes."),
        Misconception(126491.1, "That forgets the size of a number: 16e9 bytes are not 16e9 numbers."),
    ],
    hints=["How many numbers of 8 bytes fit, and how many parameters make that many pairs?"],
)

# --- 6.2 quasi-Newton -------------------------------------------------------------------------------------------------


def bfgs_inverse_update(W, s, y):
    if s @ y <= 0:
        return W
    rho = 1 / (s @ y)
    V = np.eye(len(s)) - rho * np.outer(s, y)
    return V @ W @ V.T + rho * np.outer(s, s)


def _bfgs_unchecked(W, s, y):
    V = np.eye(len(s)) - np.outer(s, y) / (s @ y)
    return V @ W @ V.T + np.outer(s, s) / (s @ y)


def _bfgs_hessian(W, s, y):
    if s @ y <= 0:
        return W
    Ws = W @ s
    return W - np.outer(Ws, Ws) / (s @ Ws) + np.outer(y, y) / (s @ y)


def _bfgs_without_last(W, s, y):
    if s @ y <= 0:
        return W
    V = np.eye(len(s)) - np.outer(s, y) / (s @ y)
    return V @ W @ V.T


def _bfgs_turned(W, s, y):
    if s @ y <= 0:
        return W
    V = np.eye(len(s)) - np.outer(s, y) / (s @ y)
    return V.T @ W @ V + np.outer(s, s) / (s @ y)


_BFGS = Exercise(
    id="second-order/bfgs-inverse-update",
    notebook="6.2",
    title="The BFGS update of the inverse",
    statement=r"""
        Update an estimate `W` of the inverse Hessian with the pair `s` (step) and `y` (change of the gradient):
        $W \leftarrow (I - \rho s y^\top) W (I - \rho y s^\top) + \rho s s^\top$ with $\rho = 1/(s^\top y)$. If $s^\top y \le 0$,
        return `W` unchanged. `W` is symmetric and positive definite, and has to stay so.""",
    stub='''
        def bfgs_inverse_update(W, s, y):
            """The updated W, shape (n, n), for s and y of shape (n,)."""
            ...''',
    reference=bfgs_inverse_update,
    cases=lambda rng: [
        (np.eye(2), np.array([1.0, 0.0]), np.array([4.0, 2.0])),
        (np.eye(2), np.array([1.0, 0.0]), np.array([-0.5, 1.0])),
        (np.diag([1.0, 3.0, 0.5]), *_pair(rng)),
    ],
    misconceptions=[
        Misconception(
            _bfgs_hessian,
            "That is the update of the Hessian estimate. For its inverse s and y change places: W y = s must hold.",
        ),
        Misconception(
            _bfgs_unchecked,
            "No check of the curvature: with sᵀy ≤ 0 the matrix stops being positive definite, and steps go uphill.",
        ),
        Misconception(
            _bfgs_without_last,
            "The last term with ssᵀ is missing. Without it W y is zero instead of s.",
        ),
        Misconception(
            _bfgs_turned,
            "The two factors are in the wrong order: test W y = s.",
        ),
    ],
    hints=["`np.outer(s, y)` is the matrix s yᵀ.", "The factor on the right is the transpose of the one on the left."],
)


def _pair(rng, n=3):
    """A pair from a random quadratic with positive curvature."""
    M = rng.normal(size=(n, n))
    s = rng.normal(size=n)
    return s, (M @ M.T + np.eye(n)) @ s


def lbfgs_direction(g, S, Y):
    q = g
    alphas = []
    for s, y in zip(S[::-1], Y[::-1]):
        alphas.append((s @ q) / (s @ y))
        q = q - alphas[-1] * y
    q = q * (S[-1] @ Y[-1]) / (Y[-1] @ Y[-1])
    for s, y, alpha in zip(S, Y, alphas[::-1]):
        q = q + (alpha - (y @ q) / (s @ y)) * s
    return -q


def _two_loop(g, S, Y, order=-1, scale=True, sign=-1.0, plain_alpha=False):
    S, Y = list(S), list(Y)
    first = list(zip(S, Y))[::order]
    q, alphas = np.array(g, float), []
    for s, y in first:
        alphas.append((s @ q) / (s @ y))
        q = q - alphas[-1] * y
    if scale:
        q = q * (S[-1] @ Y[-1]) / (Y[-1] @ Y[-1])
    back = list(zip(first[::-1], alphas if plain_alpha else alphas[::-1]))
    for (s, y), alpha in back:
        q = q + (alpha - (y @ q) / (s @ y)) * s
    return sign * q


def _pairs(rng, n, m):
    M = rng.normal(size=(n, n))
    S = [rng.normal(size=n) for _ in range(m)]
    return S, [(M @ M.T + np.eye(n)) @ s for s in S]


_LBFGS = Exercise(
    id="second-order/lbfgs-direction",
    notebook="6.2",
    title="The two loops of L-BFGS",
    statement=r"""
        Return the direction $-Wg$ by the two-loop recursion, without forming a matrix. `S` and `Y` are lists of pairs, oldest first
        and at least one, all with $s^\top y > 0$. Between the loops multiply by $\gamma = s^\top y / y^\top y$ of the newest pair.""",
    stub='''
        def lbfgs_direction(g, S, Y):
            """The direction, shape (n,), for the gradient g (n,) and lists S and Y of vectors (n,)."""
            ...''',
    reference=lbfgs_direction,
    cases=lambda rng: [
        (np.array([1.0, 1.0]), [np.array([1.0, 0.0])], [np.array([2.0, 0.0])]),
        (rng.normal(size=4), *_pairs(rng, 4, 3)),
        (rng.normal(size=5), *_pairs(rng, 5, 4)),
    ],
    misconceptions=[
        Misconception(
            lambda g, S, Y: _two_loop(g, S, Y, order=1),
            "The loops run in the wrong order: the first goes from the newest pair to the oldest, the second back.",
        ),
        Misconception(
            lambda g, S, Y: _two_loop(g, S, Y, scale=False),
            "The factor γ between the loops is missing. Without it the untouched directions have the wrong length.",
        ),
        Misconception(
            lambda g, S, Y: _two_loop(g, S, Y, sign=1.0),
            "You return Wg, which points uphill. A direction goes against the gradient.",
        ),
        Misconception(
            lambda g, S, Y: _two_loop(g, S, Y, plain_alpha=True),
            "In the second loop the alphas are matched with the wrong pairs: they were collected newest first.",
        ),
    ],
    hints=["First loop, newest to oldest: remember each α = sᵀq / sᵀy and subtract α y.",
           "Second loop, oldest to newest: compare yᵀq / sᵀy with the α of the same pair."],
)  # fmt: skip


def sr1_update(B, s, y):
    r = y - B @ s
    if abs(r @ s) <= 1e-8 * np.linalg.norm(r) * np.linalg.norm(s):
        return B
    return B + np.outer(r, r) / (r @ s)


def _sr1_unchecked(B, s, y):
    r = y - B @ s
    with np.errstate(all="ignore"):
        return B + np.outer(r, r) / (r @ s)


def _sr1_positive(B, s, y):
    r = y - B @ s
    return B + np.outer(r, r) / (r @ s) if r @ s > 1e-8 * np.linalg.norm(r) * np.linalg.norm(s) else B


_SR1 = Exercise(
    id="second-order/sr1-update",
    notebook="6.2",
    title="The symmetric rank-one update",
    statement=r"""
        Update an estimate `B` of the **Hessian**: $B \leftarrow B + \frac{rr^\top}{r^\top s}$ with $r = y - Bs$. Leave `B` as it is
        when $\lvert r^\top s\rvert \le 10^{-8} \lVert r\rVert \lVert s\rVert$. The result may be indefinite.""",
    stub='''
        def sr1_update(B, s, y):
            """The updated B, shape (n, n), for s and y of shape (n,)."""
            ...''',
    reference=sr1_update,
    cases=lambda rng: [
        (np.eye(2), np.array([0.0, 1.0]), np.array([0.0, -2.0])),
        (np.eye(2), np.array([1.0, 0.0]), np.array([1.0, 1.0])),
        (np.eye(2), np.array([1.0, 0.0]), np.array([1.1, 0.5])),
        (np.eye(2), np.array([1.0, 2.0]), np.array([1.0, 2.0])),
        (np.eye(3), *_pair(rng)),
    ],
    misconceptions=[
        Misconception(
            _sr1_unchecked,
            "No skip rule: when the denominator vanishes, the estimate fills with infinities.",
        ),
        Misconception(
            _sr1_positive,
            "You accept positive denominators alone, so negative curvature is never learned. Only the size has to be checked.",
        ),
        Misconception(
            lambda B, s, y: sr1_update(B, y, s),
            "s and y are exchanged: that updates an estimate of the inverse.",
        ),
    ],
    hints=["r is what B still gets wrong along s.", "A denominator is checked by its size, not by its sign."],
)


def curvature_pairs(grad, path, batches):
    pairs = []
    for k in range(len(path) - 1):
        s = path[k + 1] - path[k]
        y = grad(path[k + 1], batches[k]) - grad(path[k], batches[k])
        pairs.append((s, y))
    return pairs


def _pairs_of(choose):
    """The same loop, the two batches given by choose(batches, k)."""

    def curvature_pairs(grad, path, batches):
        pairs = []
        for k in range(len(path) - 1):
            new, old = choose(batches, k)
            pairs.append((path[k + 1] - path[k], grad(path[k + 1], new) - grad(path[k], old)))
        return pairs

    return curvature_pairs


def _mean_of_quadratics(answer, path, batches):
    """called with grad(w, batch), the mean over the batch of w·(1 + i) - i"""
    grad = lambda w, batch: np.mean([(1 + i) * w - i for i in batch], axis=0)
    return [list(pair) for pair in answer(grad, path, batches)]


_NOISY_PAIRS = Exercise(
    id="second-order/noisy-pairs",
    notebook="6.2",
    title="Notes that do not add up",
    kind="bug hunt",
    statement=r"""
        A stochastic quasi-Newton method collects pairs `(s, y)` along its path; `batches[k]` is the mini-batch drawn at step `k`, and
        `grad(w, batch)` the gradient on a batch. The loss on every batch is convex, and still many of its pairs have
        $s^\top y < 0$. Find the bug and repair it: the pair of step `k` should see only `batches[k]`.""",
    stub='''
        def curvature_pairs(grad, path, batches):
            """The pairs (s, y) of the steps along path, one for each step."""
            pairs = []
            for k in range(len(path) - 1):
                s = path[k + 1] - path[k]
                y = grad(path[k + 1], batches[k + 1]) - grad(path[k], batches[k])
                pairs.append((s, y))
            return pairs''',
    reference=curvature_pairs,
    probe=_mean_of_quadratics,
    cases=lambda rng: [
        ([np.array([1.0]), np.array([0.9]), np.array([0.8])], [[0, 1], [5, 2], [3, 3]]),
        (
            [rng.normal(size=2) for _ in range(4)],
            [[0, 1], [5, 2], [3, 7], [4, int(rng.integers(9, 20))]],
        ),
    ],
    misconceptions=[
        Misconception(
            _pairs_of(lambda batches, k: (batches[k + 1], batches[k + 1])),
            "Both gradients use one batch, as they should, but it is the batch of the next step.",
        ),
        Misconception(
            _pairs_of(lambda batches, k: (sum(batches, []), sum(batches, []))),
            "All batches together also give true differences, but at the price of the full gradient.",
        ),
        Misconception(
            _pairs_of(lambda batches, k: (batches[k], batches[k + 1])),
            "The batches have changed places, but there are still two of them in one difference.",
        ),
    ],
    hints=["A difference of gradients tells curvature when both belong to the same function.",
           "How many different batches does one pair see?"],
)  # fmt: skip

_WHY_NOT = choice(
    {
        "a": (
            "The step length is too large.",
            "With the same steps, pairs taken on one batch are all valid: the code shows it.",
        ),
        "b": (
            "The two gradients belong to different functions.",
            "y mixes the change along s with the difference of two batches, and for a short step the second wins.",
        ),
        "c": (
            "The loss has directions of negative curvature.",
            "It is a quadratic with positive curvatures; every batch's loss is convex.",
        ),
        "d": ("The memory is too short.", "A pair is right or wrong by itself, whatever the memory."),
    },
    "b",
    id="second-order/why-pairs-fail",
    notebook="6.2",
    title="Why half of the pairs are useless",
    statement="The code takes short steps on a noisy convex problem and counts pairs with $s^\\top y \\le 0$. Why are there so many?",
    name="reason",
    code="""
        rng = np.random.default_rng(0)
        samples, w, counts = rng.normal(size=(1000, 5)), np.ones(5), [0, 0]
        grad = lambda w, i: w - samples[i].mean(axis=0)
        for step in range(200):
            i, j = rng.choice(1000, 8), rng.choice(1000, 8)
            s = -0.01 * w
            counts[0] += s @ (grad(w + s, j) - grad(w, i)) <= 0
            counts[1] += s @ (grad(w + s, i) - grad(w, i)) <= 0
            w = w + s
        print("fresh batches:", counts[0], "of 200;  same batch:", counts[1])""",
    hints=["What is y if the step is tiny?"],
)

# --- 6.3 curvature in deep nets ---------------------------------------------------------------------------------------


def hvp(grad, x, v):
    eps = 1e-5
    return (grad(x + eps * v) - grad(x - eps * v)) / (2 * eps)


def _smooth_grad(answer, name, x, v):
    """called with the gradient of that name"""
    grads = {
        "cube": lambda x: x**3,
        "product": lambda x: np.array([x[0] * x[1] ** 2, x[0] ** 2 * x[1]]),
        "exponential": lambda x: np.exp(x),
    }
    return answer(grads[name], x, v)


_HVP = Exercise(
    id="second-order/hvp",
    notebook="6.3",
    title="Multiply by the Hessian without having it",
    statement=r"""
        Return $Hv$ at `x` from two calls of the gradient function `grad`, by a central difference. It has to be right to
        $10^{-6}$ relative.""",
    stub='''
        def hvp(grad, x, v):
            """The product of the Hessian at x with v, both of shape (n,)."""
            ...''',
    reference=hvp,
    probe=_smooth_grad,
    cases=lambda rng: [
        ("cube", np.array([1.0, 2.0]), np.array([1.0, -1.0])),
        ("product", np.array([1.0, 2.0]), np.array([0.5, 1.0])),
        ("exponential", rng.uniform(0.5, 1.5, 3), rng.uniform(0.5, 1.5, 3)),
    ],
    rtol=1e-6,
    atol=1e-8,
    misconceptions=[
        Misconception(
            lambda grad, x, v: (grad(x + 1e-5 * v) - grad(x)) / 1e-5,
            "A forward difference: its error is proportional to the step. Take both sides.",
        ),
        Misconception(
            lambda grad, x, v: 2 * hvp(grad, x, v),
            "The two points are 2ε apart; you divide by ε.",
        ),
        Misconception(
            lambda grad, x, v: hvp(grad, x, np.ones(len(x))) * v,
            "You difference along (1, …, 1) and multiply by v afterwards. Move along v itself.",
        ),
        Misconception(
            lambda grad, x, v: v @ hvp(grad, x, v),
            "That is the curvature vᵀHv, one number. The product Hv is a vector.",
        ),
    ],
    hints=["How much does the gradient change when you move by εv?", "An ε near 1e-5 balances both errors."],
)


def power_iteration(hvp, n):
    v = np.random.default_rng(0).normal(size=n)
    for _ in range(100):
        v = v / np.linalg.norm(v)
        Hv = hvp(v)
        value = v @ Hv
        v = Hv
    return value


def _with_matrix(answer, H):
    """called with hvp(v) = H v, and n"""
    with np.errstate(all="ignore"):
        return answer(lambda v: H @ v, len(H))


def _power(hvp, n, returned, normalise=True, steps=1000):
    v = np.random.default_rng(0).normal(size=n)
    v = v / np.linalg.norm(v)
    for _ in range(steps):
        v = hvp(v)
        v = v / np.linalg.norm(v) if normalise else v
    return returned(v, hvp(v))


_POWER = Exercise(
    id="second-order/power-iteration",
    notebook="6.3",
    title="The largest eigenvalue, with its sign",
    statement=r"""
        Return the eigenvalue of largest absolute value of a symmetric matrix, **with its sign**, from products `hvp(v)` alone. `n` is
        the dimension. Start from a random vector; the second largest is at most half as large.""",
    stub='''
        def power_iteration(hvp, n):
            """The eigenvalue of largest size, a number; hvp maps a vector (n,) to H v."""
            ...''',
    reference=power_iteration,
    probe=_with_matrix,
    cases=lambda rng: [
        (np.diag([-5.0, 2.0, 1.0]),),
        (np.diag([0.5, 4.0, -1.0]),),
        (_symmetric(rng, [-6.0, 3.0, 1.0, -0.5]),),
    ],
    rtol=1e-6,
    misconceptions=[
        Misconception(
            lambda hvp, n: _power(hvp, n, lambda v, Hv: np.linalg.norm(Hv)),
            "You return the length of Hv, which has no sign. The quotient vᵀHv has.",
        ),
        Misconception(
            lambda hvp, n: _power(hvp, n, lambda v, Hv: v @ Hv, normalise=False),
            "The vector is never rescaled: after enough products it overflows or vanishes.",
        ),
        Misconception(
            lambda hvp, n: np.linalg.eigvalsh(np.array([hvp(e) for e in np.eye(n)]))[-1],
            "That is the largest eigenvalue, from the whole matrix. Asked for is the one of largest size, which may be negative.",
        ),
        Misconception(
            lambda hvp, n: _power(hvp, n, lambda v, Hv: v @ Hv, steps=2),
            "Stopped too early: repeat until the value no longer changes.",
        ),
    ],
    hints=["Multiply, rescale, repeat.", "For a unit eigenvector v, what is vᵀHv?"],
)

_STABLE = Exercise(
    id="second-order/largest-stable-rate",
    notebook="6.3",
    title="A rate from the sharpness",
    kind="measure",
    statement=r"""
        The code gives a small tanh network and its data. At its initial parameters, below which constant learning rate is gradient
        descent stable, if the loss is taken as its quadratic model? `oc.sharpness` gives $\lambda_{\max}$. Within 2%.""",
    stub="""
        rng = np.random.default_rng(0)
        X = rng.normal(size=(50, 4))
        y = (X[:, 0] > X[:, 1] ** 2).astype(int)
        net = oc.MLP([4, 8, 2], "tanh", seed=0)
        # oc.sharpness(net, X, y)
        limit = ...""",
    reference=2.2704,
    rtol=0.02,
    misconceptions=[
        Misconception(0.88091, "That is the sharpness itself. The rate is bounded by its inverse, with a factor."),
        Misconception(
            1.1352,
            "That is 1/λ, the rate that minimizes the model along the sharpest direction. Stable is twice as much.",
        ),
        Misconception(0.44046, "Upside down: a sharper place allows a smaller rate, not a larger one."),
    ],
    hints=["The limit of section 3.1 was two over the largest curvature."],
)

_EDGE = choice(
    {
        "a": (
            "It diverges soon.",
            "It would on a quadratic. Here the bounce moves the run to flatter ground, and the loss falls over longer stretches.",
        ),
        "b": (
            "The gradients are noisy.",
            "The batch is the full set: there is no noise in this run.",
        ),
        "c": (
            "It trains at the edge of stability.",
            "The sharpness has reached 2/η; the loss rises on many steps and falls overall.",
        ),
        "d": ("It has converged.", "The loss at the end is far below the one in the middle."),
    },
    "c",
    id="second-order/at-the-edge",
    notebook="6.3",
    title="A loss that goes up and down",
    statement="A network is trained with the full batch. Its loss rises on many single steps. What is going on?",
    name="diagnosis",
    code="""
        X = np.random.default_rng(1).normal(size=(40, 4))
        Y = np.sin(2 * X[:, :1]) * X[:, 1:2]
        net = oc.MLP([4, 16, 1], "tanh", seed=0)
        run = oc.train(net, (X, Y), oc.gd, 0.3, steps=1000, batch=None, loss=oc.mse, classify=False)
        print("steps on which the loss rose:", int((np.diff(run.loss) > 0).sum()))
        print(f"sharpness times rate: {0.3 * oc.sharpness(net, X, Y, oc.mse, tol=1e-2):.1f}")
        print("loss at 200, 600, 1000:", run.loss[[199, 599, 999]].round(4))""",
    hints=["Compare the sharpness with two over the rate."],
)

EXERCISES = [
    _SADDLE_FREE,
    _DAMPED,
    _HESSIAN_SIZE,
    _BFGS,
    _LBFGS,
    _SR1,
    _NOISY_PAIRS,
    _WHY_NOT,
    _HVP,
    _POWER,
    _STABLE,
    _EDGE,
]
