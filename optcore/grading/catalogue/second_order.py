"""Exercises of chapter 6, second-order methods."""

import numpy as np

from ..exercise import Exercise, Misconception, choice
from ..slips import altered

# --- 6.1 Newton's method ----------------------------------------------------------------------------------------------


def saddle_free_step(g, H, radius):
    values, Q = np.linalg.eigh(H)
    sizes, parts = np.abs(values), Q.T @ g
    low, high = 0.0, np.linalg.norm(g) / radius
    for _ in range(100):
        shift = (low + high) / 2
        if np.linalg.norm(parts / (sizes + shift)) > radius:
            low = shift
        else:
            high = shift
    return -Q @ (parts / (sizes + high))


def _shortened(g, H, radius, change):
    """The step -Q change(Λ) Qᵀ g, cut to the radius."""
    values, Q = np.linalg.eigh(H)
    d = -Q @ ((Q.T @ g) * change(values))
    return d * min(1.0, radius / np.linalg.norm(d))


def _symmetric(rng, values):
    Q = np.linalg.qr(rng.normal(size=(len(values), len(values))))[0]
    return Q * np.array(values) @ Q.T


_SADDLE_FREE = Exercise(
    id="second-order/saddle-free-step",
    notebook="6.1",
    title="A Newton step that goes downhill, and not too far",
    statement=r"""
        With $H = Q\Lambda Q^\top$, the matrix $\lvert H\rvert = Q\lvert\Lambda\rvert Q^\top$ has the same eigenvectors and the
        eigenvalues without their signs. Return the saddle-free step in a trust region, $d = -(\lvert H\rvert + \mu I)^{-1} g$ with
        the smallest $\mu \ge 0$ for which $\lVert d\rVert \le$ `radius`, right to $10^{-6}$. `H` is symmetric and invertible. (The
        longer μ, the shorter the step: how large can μ be at most?)""",
    stub='''
        def saddle_free_step(g, H, radius):
            """The step d, shape (n,), for a gradient g (n,), a symmetric Hessian H (n, n) and a trusted radius."""
            ...''',
    reference=saddle_free_step,
    rtol=1e-6,
    cases=lambda rng: [
        (np.array([1.0, 1.0]), np.diag([1.0, -2.0]), 5.0),
        (np.array([1.0, 1.0]), np.diag([1.0, -2.0]), 0.5),
        (np.array([1.0, -1.0]), np.diag([4.0, 2.0]), 0.2),
        (np.array([3.0, 0.1]), np.diag([2.0, -0.1]), 1.0),
        (rng.normal(size=3), _symmetric(rng, [3.0, -0.5, -2.0]), 20.0),
        (rng.normal(size=3) + 2, _symmetric(rng, [3.0, -0.5, -2.0]), 0.3),
    ],
    misconceptions=[
        Misconception(
            lambda g, H, radius: np.linalg.solve(H, -g),
            "That is plain Newton: along a negative eigenvalue it steps uphill, towards the saddle, and as far as it likes.",
        ),
        Misconception(
            lambda g, H, radius: _shortened(g, H, radius, lambda v: 1 / v),
            "That is Newton's step, shortened: along a negative eigenvalue it goes uphill, towards the saddle.",
        ),
        Misconception(
            lambda g, H, radius: _shortened(g, H, radius, lambda v: 1 / np.abs(v)),
            "You cut the step to the radius and keep its direction. With μ in the matrix it turns towards -g as it gets shorter.",
        ),
        Misconception(
            lambda g, H, radius: saddle_free_step(g, H, 1e12),
            "The radius has no effect: your step goes beyond what is trusted.",
        ),
        Misconception(
            lambda g, H, radius: _shortened(g, H, radius, lambda v: 1 / np.maximum(v, 1e-3)),
            "You lift negative eigenvalues to a small ε, so the step is all in their directions. Keep their size and drop the sign.",
        ),
        Misconception(
            lambda g, H, radius: _shortened(g, H, radius, lambda v: (v > 0) / np.abs(v)),
            "You drop the negative directions. They are the way out of a saddle.",
        ),
        Misconception(
            lambda g, H, radius: -saddle_free_step(g, H, radius),
            "The sign is wrong: a step has to go against the gradient.",
        ),
        Misconception(
            lambda g, H, radius: saddle_free_step(g, np.abs(H) + 1e-9 * np.eye(len(g)), radius),
            "You take the absolute value of every entry of H. It belongs to the eigenvalues.",
        ),
        Misconception(
            altered(saddle_free_step, "low, high = 0.0", "low, high = -np.min(sizes)"),
            "Your μ becomes negative, to make the step as long as the radius. That is a limit: shorter steps stay as they are.",
        ),
    ],
    hints=[
        "`np.linalg.eigh` gives eigenvalues and eigenvectors; in the eigenvectors each part of g is divided by |λ| + μ.",
        "‖d‖ falls as μ grows, and is at most ‖g‖/μ: that brackets μ, and bisection finds it.",
    ],
)


def damped_newton(f, grad, hess, x, steps):
    for _ in range(steps):
        g = grad(x)
        d = np.linalg.solve(hess(x), -g)
        if g @ d >= 0:
            d = -g
        t = 1.0
        while f(x + t * d) > f(x) + 1e-4 * t * (g @ d):
            t /= 2
        x = x + t * d
    return x


def _on_a_logarithm(answer, scale, x, steps):
    """called with f(x) = Σ ln(1 + (x/scale)²)/2, not convex beyond `scale`, its gradient and its Hessian"""
    u = lambda x: x / scale
    f = lambda x: float(np.log1p(u(x) ** 2).sum() / 2)
    grad = lambda x: u(x) / (1 + u(x) ** 2) / scale
    hess = lambda x: np.diag((1 - u(x) ** 2) / (1 + u(x) ** 2) ** 2 / scale**2)
    return answer(f, grad, hess, x, steps)


_DAMPED = Exercise(
    id="second-order/damped-newton",
    notebook="6.1",
    title="Newton with a line search and a way out",
    statement=r"""
        Take `steps` steps from `x` along $d = -H^{-1}g$, or along $d = -g$ where the Newton direction does not point downhill
        ($g^\top d \ge 0$). Each has a length $t$ out of $1, \frac12, \frac14, \dots$: the first with
        $f(x + td) \le f(x) + 10^{-4}\, t\, g^\top d$. `f`, `grad` and `hess` are functions of a point. Every step starts again at
        $t = 1$. Return the last point.""",
    stub='''
        def damped_newton(f, grad, hess, x, steps):
            """The point after `steps` damped Newton steps from x, shape (n,)."""
            ...''',
    reference=damped_newton,
    probe=_on_a_logarithm,
    cases=lambda rng: [
        (1.0, np.array([0.5]), 1),
        (1.0, np.array([0.7]), 3),
        (1.0, np.array([3.0]), 2),
        (0.1, np.array([0.3]), 3),
        (2.0, np.array([1.0]), 2),
        (1.0, np.array([0.57730253]), 1),  # the full step gains 1.24 times what is asked
        (1.0, np.array([0.57733487]), 1),  # and here 0.4 times
        (1.0, np.array([0.57738]), 1),  # and here it loses a little
        (1.0, np.array([2.0, 0.6]), 1),
        (1.0, np.array([0.774566367163509]), 1),  # half a step gains 1.47 times what is asked
        (np.array([1.0, 3.0]), np.array([2.0, 1.0]), 3),
        (1.0, rng.uniform(0.6, 0.7, size=2), 2),
    ],
    atol=1e-9,
    misconceptions=[
        Misconception(
            altered(damped_newton, "        while", "        while False and"),
            "Undamped: where the curvature is small the full step lands far on the other side, and it gets worse from there.",
        ),
        Misconception(
            altered(damped_newton, "    for _ in range(steps):", "    t = 1.0\n    for _ in range(steps):", "        t = 1.0\n", ""),
            "Once shortened, your t stays short. Every step should begin with the full one again.",
        ),
        Misconception(
            altered(damped_newton, "t = 1.0", "t = 0.5", "        while", "        while False and"),
            "A fixed damping of one half: near the minimum it throws the fast convergence away, and far out it is not enough.",
        ),
        Misconception(
            altered(damped_newton, "    return x", "        return x"), "You take one step and return; `steps` of them are asked for."
        ),
        Misconception(
            altered(damped_newton, "f(x) + 1e-4 * t * (g @ d)", "f(x)"),
            "You are content with any decrease. Armijo asks for a share of what the slope promises.",
        ),
        Misconception(
            altered(damped_newton, "1e-4 * t", "1e-4"),
            "The decrease that you ask for does not shrink with t: a shorter step promises less.",
        ),
        Misconception(
            altered(damped_newton, "1e-4 * t * (g @ d)", "1e-4 * t"),
            "The slope gᵀd is missing in your condition; it is negative, so you allow f to rise.",
        ),
        Misconception(
            altered(damped_newton, "            d = -g\n", "            d = -d\n"),
            "You turn a bad Newton direction round. Asked for is the negative gradient there.",
        ),
        Misconception(
            altered(damped_newton, "if g @ d >= 0", "if g @ d <= 0"),
            "Your test is turned round: you throw the Newton direction away just where it points downhill.",
        ),
        Misconception(
            altered(damped_newton, "        d = np.linalg.solve(hess(x), -g)\n        if g @ d >= 0:\n            d = -g\n", "        d = -g\n"),
            "That is gradient descent with a line search: the Hessian plays no part.",
        ),
    ],
    hints=["Inside the loop over steps stands another loop, which halves t.",
           "g and d do not change while t is being found; d is settled before."],
)  # fmt: skip


def gauss_newton(X, w, y):
    phi = np.tanh(X @ w)
    slope = 1 - phi**2
    G = (X.T * slope**2) @ X
    return G + (X.T * ((phi - y) * -2 * phi * slope)) @ X, G


_DERIVE = Exercise(
    id="second-order/derive-gauss-newton",
    notebook="6.3",
    title="Derive: what Gauss and Newton leave out",
    statement=r"""
        The loss is $\frac12\sum_i (\tanh(x_i^\top w) - y_i)^2$ over the rows $x_i$ of `X`. Derive its Hessian on paper, and the part of it that
        Gauss and Newton keep: the one without second derivatives of the model. Return both matrices. (Which of the two can have
        negative eigenvalues, and when do they agree?)""",
    stub='''
        def gauss_newton(X, w, y):
            """(Hessian, Gauss-Newton matrix) of the loss at w, both of shape (d, d)."""
            ...''',
    reference=gauss_newton,
    cases=lambda rng: [
        (np.array([[1.0]]), np.array([0.5]), np.array([2.0])),
        (np.array([[1.0, 2.0]]), np.zeros(2), np.array([1.0])),
        (rng.normal(size=(4, 2)), rng.normal(size=2), rng.normal(size=4)),
    ],
    misconceptions=[
        Misconception(
            lambda X, w, y: (gauss_newton(X, w, y)[1],) * 2, "The Hessian lacks the second derivative of the model."
        ),
        Misconception(lambda X, w, y: gauss_newton(X, w, y)[::-1], "The two matrices have changed places."),
        Misconception(
            altered(gauss_newton, "(phi - y)", "(y - phi)"),
            "The second part has the wrong sign: it is weighted with the residual, model minus target.",
        ),
        Misconception(
            altered(gauss_newton, "slope**2", "slope"),
            "The first part holds the slope of the model twice: once from each of the two derivatives.",
        ),
        Misconception(
            altered(gauss_newton, "-2 * phi * slope", "-2 * phi"),
            "The derivative of 1 - tanh² is -2·tanh times the slope of tanh: the chain rule once more.",
        ),
        Misconception(
            altered(gauss_newton, "-2 * phi", "-phi"), "A factor 2 is missing in the second derivative of tanh."
        ),
        Misconception(
            lambda X, w, y: tuple(2 * H for H in gauss_newton(X, w, y)),
            "Both are twice as large as they should be: the half in front cancels the 2 of the square.",
        ),
        Misconception(
            lambda X, w, y: tuple(H / len(X) for H in gauss_newton(X, w, y)),
            "You take a mean over the rows; the loss is a sum.",
        ),
    ],
    hints=[
        "First derivative: Σ (φ - y) φ' x. Differentiate the product.",
        "With φ = tanh: φ' = 1 - φ², φ'' = -2 φ φ'.",
    ],
)


_HESSIAN_SIZE = Exercise(
    id="second-order/how-many-parameters",
    notebook="6.1",
    title="How large a Hessian fits",
    kind="measure",
    statement=r"""
        A machine has 16 GB ($16 \cdot 10^9$ bytes) of free memory. A thrifty program keeps the Hessian in float32 (4 bytes), and of a symmetric
        matrix only the diagonal and what is below it; the factors of Cholesky take the place of the Hessian itself. How many parameters
        can a model have at most? Within 1%. (How much has all that thrift gained over $n^2$ numbers of 8 bytes?)""",
    stub="""
        parameters = ...""",
    reference=89442.2,
    rtol=0.01,
    misconceptions=[
        Misconception(4e9, "That many numbers fit. The Hessian has one number for each pair of parameters."),
        Misconception(44721.4, "That is a full matrix in float64. Which numbers does the thrifty program leave out?"),
        Misconception(63245.6, "That is a full matrix in float32, or half of one in float64: one of the two savings is missing."),
        Misconception(126491.1, "That is a full matrix with a byte for a number: 16e9 bytes are not 16e9 numbers."),
        Misconception(178885.4, "Half of the entries are kept, but a float32 number takes 4 bytes."),
    ],
    hints=["How many numbers stand on the diagonal and below it, for n parameters?", "How many numbers of 4 bytes fit?"],
)  # fmt: skip

# --- 6.2 quasi-Newton -------------------------------------------------------------------------------------------------


def _pair(rng, n=3):
    """A pair from a random quadratic with positive curvature."""
    M = rng.normal(size=(n, n))
    s = rng.normal(size=n)
    return s, (M @ M.T + np.eye(n)) @ s


def damped_bfgs(B, s, y):
    Bs = B @ s
    now, least = s @ y, 0.2 * (s @ Bs)
    if now < least:
        share = (s @ Bs - least) / (s @ Bs - now)
        y = share * y + (1 - share) * Bs
    return B - np.outer(Bs, Bs) / (s @ Bs) + np.outer(y, y) / (s @ y)


def _damped(mend):
    """A BFGS update of B with y as `mend(y, s, Bs)` leaves it where its curvature is too small."""

    def wrong(B, s, y):
        Bs = B @ s
        if s @ y < 0.2 * (s @ Bs):
            y = mend(y, s, Bs)
        return B - np.outer(Bs, Bs) / (s @ Bs) + np.outer(y, y) / (s @ y)

    return wrong


_BFGS = Exercise(
    id="second-order/damped-bfgs",
    notebook="6.2",
    title="A BFGS update that keeps every pair",
    statement=r"""
        BFGS updates an estimate `B` of the **Hessian**, symmetric and positive definite, with the step `s` and the change `y` of the
        gradient: $B \leftarrow B - \frac{Bs\,s^\top B}{s^\top B s} + \frac{yy^\top}{s^\top y}$. It stays positive definite only for
        $s^\top y > 0$. Instead of skipping a pair Powell bends it: if $s^\top y < 0.2\, s^\top B s$, replace $y$ by the point on the straight
        way from $y$ to $Bs$ at which equality holds, and update with that. Return the new `B`.""",
    stub='''
        def damped_bfgs(B, s, y):
            """The updated B, shape (n, n), for s and y of shape (n,)."""
            ...''',
    reference=damped_bfgs,
    cases=lambda rng: [
        (np.eye(2), np.array([1.0, 0.0]), np.array([4.0, 2.0])),
        (np.eye(2), np.array([1.0, 0.0]), np.array([-0.5, 1.0])),
        (np.eye(2), np.array([1.0, 0.0]), np.array([0.1, 1.0])),
        (np.diag([2.0, 1.0]), np.array([0.5, 0.5]), np.array([1.0, 0.25])),
        (np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([1.0, -1.0]), np.array([-1.0, 2.0])),
        (np.diag([1.0, 3.0, 0.5]), *_pair(rng)),
    ],
    misconceptions=[
        Misconception(
            _damped(lambda y, s, Bs: y),
            "There is no damping: with sᵀy < 0 the matrix stops being positive definite, and near 0 it explodes.",
        ),
        Misconception(
            lambda B, s, y: damped_bfgs(B, s, y) if s @ y >= 0.2 * (s @ B @ s) else B,
            "That leaves B as it was. The pair is to be bent only so far that the bound is met, so that what it says is kept.",
        ),
        Misconception(
            lambda B, s, y: damped_bfgs(B, s, y) if s @ y <= 0 else _damped(lambda y, s, Bs: y)(B, s, y),
            "You bend only pairs with sᵀy ≤ 0. A small positive sᵀy in the denominator does harm too.",
        ),
        Misconception(
            _damped(lambda y, s, Bs: y + (0.2 * (s @ Bs) - s @ y) / (s @ Bs - s @ y) * (y - Bs)),
            "You move away from Bs: on the way from y towards Bs the curvature grows.",
        ),
        Misconception(
            _damped(lambda y, s, Bs: y + (0.2 * (s @ Bs) - s @ y) / (s @ s) * s),
            "You add a multiple of s. That mends sᵀy too, but the way is to lead to Bs, which changes nothing in B.",
        ),
        Misconception(
            _damped(lambda y, s, Bs: 0.2 * y + 0.8 * Bs),
            "A fixed mixture: how far to go depends on how far sᵀy is from the bound.",
        ),
        Misconception(
            altered(damped_bfgs, "least = s @ y, 0.2 *", "least = s @ y, 0.8 *"),
            "0.8 is the share that Powell's formula for the mixture shows; the bound itself is 0.2.",
        ),
        Misconception(
            altered(damped_bfgs, " + np.outer(y, y) / (s @ y)", ""),
            "The last term is missing: with it the new B maps s to the (bent) y.",
        ),
        Misconception(
            altered(damped_bfgs, "B - np.outer(Bs, Bs) / (s @ Bs) + np.outer", "B + np.outer"),
            "The old curvature along s has to go before the new one comes: the middle term is missing.",
        ),
    ],
    hints=[
        "On the way y(θ) = θy + (1 - θ)Bs the product sᵀy(θ) is linear in θ. Where does it meet the bound?",
        "Test: sᵀy of the bent pair is 0.2 sᵀBs, and the new B maps s to the bent y.",
    ],
)  # fmt: skip


def smallest_symmetric_change(B, s, y):
    r, length = y - B @ s, s @ s
    return B + (np.outer(r, s) + np.outer(s, r)) / length - (r @ s) * np.outer(s, s) / length**2


_SMALLEST = Exercise(
    id="second-order/derive-smallest-change",
    notebook="6.2",
    title="Derive: the smallest symmetric change",
    statement=r"""
        An estimate `B` of the Hessian, symmetric, is to map the step `s` to the change `y` of the gradient. Among all symmetric matrices that
        do, find the one nearest to `B`, with the change measured by the sum of the squares of its entries. In one dimension there is no
        choice, it is $y/s$; in two there is one. Derive it in any dimension (a multiplier for each equation, as in 2.3,
        or turn the axes so that `s` lies on the first), and return the new `B`.""",
    stub='''
        def smallest_symmetric_change(B, s, y):
            """The symmetric matrix nearest to B that maps s to y, shape (n, n)."""
            ...''',
    reference=smallest_symmetric_change,
    cases=lambda rng: [
        (np.array([[2.0]]), np.array([0.5]), np.array([3.0])),
        (np.eye(2), np.array([2.0, 0.0]), np.array([4.0, 2.0])),
        (np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([1.0, -1.0]), np.array([-1.0, 2.0])),
        (np.diag([1.0, 3.0, 0.5]), *_pair(rng)),
    ],
    misconceptions=[
        Misconception(
            lambda B, s, y: B + np.outer(y - B @ s, s) / (s @ s),
            "That is the smallest change of all matrices, Broyden's; it is not symmetric.",
        ),
        Misconception(
            lambda B, s, y: B + (np.outer(y - B @ s, s) + np.outer(s, y - B @ s)) / (2 * (s @ s)),
            "You made Broyden's change symmetric by averaging; after that the matrix no longer maps s to y.",
        ),
        Misconception(
            altered(smallest_symmetric_change, " - (r @ s) * np.outer(s, s) / length**2", ""),
            "Symmetric, but along s the missing part is added twice: test B s = y.",
        ),
        Misconception(
            altered(smallest_symmetric_change, "length - (r @ s)", "length + (r @ s)"),
            "The last term has the wrong sign: test B s = y.",
        ),
        Misconception(
            altered(smallest_symmetric_change, "length**2", "length"),
            "Scale s and y by the same number: the new matrix must not change, and yours does.",
        ),
        Misconception(
            lambda B, s, y: B + np.outer(y - B @ s, y - B @ s) / ((y - B @ s) @ s),
            "That is the symmetric change of rank one, SR1. It maps s to y, and other matrices that do are nearer.",
        ),
        Misconception(
            lambda B, s, y: B - np.outer(B @ s, B @ s) / (s @ B @ s) + np.outer(y, y) / (s @ y),
            "That is BFGS: it is the smallest change in another norm, one that weighs the entries.",
        ),
        Misconception(
            lambda B, s, y: smallest_symmetric_change(B, s, y) - B,
            "That is the change itself. Asked for is the new matrix.",
        ),
        Misconception(
            altered(smallest_symmetric_change, "r, length = y - B @ s", "r, length = y"),
            "You add what y asks for without taking off what B does to s already.",
        ),
    ],
    hints=[
        "Turn the axes so that s = (a, 0, …): the equation fixes the first column, symmetry the first row. What is left free?",
        "With r = y - Bs the change is (r sᵀ + s rᵀ)/sᵀs and a multiple of s sᵀ, which B s = y determines.",
    ],
)  # fmt: skip


def lbfgs_direction(g, S, Y):
    pairs = [(s, y) for s, y in zip(S, Y, strict=True) if s @ y > 0]
    q, alphas = g, []
    for s, y in pairs[::-1]:
        alphas.append((s @ q) / (s @ y))
        q = q - alphas[-1] * y
    if pairs:
        s, y = pairs[-1]
        q = q * (s @ y) / (y @ y)
    for (s, y), alpha in zip(pairs, alphas[::-1], strict=True):
        q = q + (alpha - (y @ q) / (s @ y)) * s
    return -q


def _pairs(rng, n, m, bad=()):
    """m pairs of a quadratic with positive curvature; those in `bad` with y turned round."""
    M = rng.normal(size=(n, n))
    S = [rng.normal(size=n) for _ in range(m)]
    return S, [(-1 if k in bad else 1) * (M @ M.T + np.eye(n)) @ s for k, s in enumerate(S)]


_LBFGS = Exercise(
    id="second-order/lbfgs-direction",
    notebook="6.2",
    title="L-BFGS that skips bad pairs",
    statement=r"""
        Return the direction $-Wg$ by the two-loop recursion, without forming a matrix. `S` and `Y` are lists of pairs, oldest first.
        Pairs with $s^\top y \le 0$ are left out as if they were not there. Between the loops multiply by $\gamma = s^\top y / y^\top y$
        of the newest pair that is left. If none is, the direction is $-g$.""",
    stub='''
        def lbfgs_direction(g, S, Y):
            """The direction, shape (n,), for the gradient g (n,) and lists S and Y of vectors (n,)."""
            ...''',
    reference=lbfgs_direction,
    cases=lambda rng: [
        (np.array([1.0, 1.0]), [np.array([1.0, 0.0])], [np.array([2.0, 0.0])]),
        (np.array([1.0, 2.0]), [], []),
        (np.array([1.0, 2.0]), [np.array([1.0, 0.0])], [np.array([-2.0, 1.0])]),
        (np.array([1.0, 1.0]), [np.array([1.0, 0.0]), np.array([0.0, 1.0])], [np.array([2.0, 0.0]), np.array([1.0, 0.0])]),
        (rng.normal(size=4), *_pairs(rng, 4, 3)),
        (rng.normal(size=4), *_pairs(rng, 4, 4, bad=(1,))),
        (rng.normal(size=5), *_pairs(rng, 5, 4, bad=(0, 3))),
    ],
    misconceptions=[
        Misconception(
            altered(lbfgs_direction, " if s @ y > 0]", "]"),
            "You use every pair. One with negative curvature turns the direction uphill in places.",
        ),
        Misconception(
            altered(lbfgs_direction, "s @ y > 0]", "s @ y >= 0]"),
            "A pair with sᵀy = 0 passes your check, and is divided by.",
        ),
        Misconception(
            altered(lbfgs_direction, "s, y = pairs[-1]", "s, y = S[-1], Y[-1]"),
            "γ comes from the newest pair of all, which may be one that was left out.",
        ),
        Misconception(
            altered(lbfgs_direction, "s, y = pairs[-1]", "s, y = pairs[0]"),
            "γ comes from the oldest pair. The newest one knows the curvature here.",
        ),
        Misconception(
            altered(lbfgs_direction, "in pairs[::-1]", "in pairs", "zip(pairs, alphas[::-1]", "zip(pairs[::-1], alphas[::-1]"),
            "The loops run in the wrong order: the first goes from the newest pair to the oldest, the second back.",
        ),
        Misconception(
            altered(lbfgs_direction, "in pairs[::-1]", "in pairs", "alphas[::-1]", "alphas"),
            "Your first loop goes from the oldest pair to the newest; it undoes the newest one first.",
        ),
        Misconception(
            altered(lbfgs_direction, "        q = q * (s @ y) / (y @ y)\n", ""),
            "The factor γ between the loops is missing. Without it the untouched directions have the wrong length.",
        ),
        Misconception(
            altered(lbfgs_direction, "(s @ y) / (y @ y)", "(y @ y) / (s @ y)"),
            "γ is upside down: it estimates the inverse of the curvature.",
        ),
        Misconception(
            altered(lbfgs_direction, "(s @ y) / (y @ y)", "(s @ s) / (s @ y)"),
            "You use the longer of the two step lengths, sᵀs/sᵀy; here γ = sᵀy/yᵀy.",
        ),
        Misconception(
            altered(lbfgs_direction, "return -q", "return q"), "You return Wg, which points uphill. A direction goes against the gradient."
        ),
        Misconception(
            altered(lbfgs_direction, "alphas[::-1]", "alphas"),
            "In the second loop the alphas are matched with the wrong pairs: they were collected newest first.",
        ),
    ],
    hints=["First loop, newest to oldest: remember each α = sᵀq / sᵀy and subtract α y.",
           "Second loop, oldest to newest: compare yᵀq / sᵀy with the α of the same pair."],
)  # fmt: skip


def sr1_update(B, S, Y):
    skipped = 0
    for s, y in zip(S, Y, strict=True):
        r = y - B @ s
        if abs(r @ s) <= 1e-8 * np.linalg.norm(r) * np.linalg.norm(s):
            skipped += 1
        else:
            B = B + np.outer(r, r) / (r @ s)
    return B, skipped


def _sr1_cases(rng):
    S = [rng.normal(size=3) for _ in range(3)]
    one, two = np.eye(2)
    return [
        (np.eye(2), [two], [np.array([0.0, -2.0])]),
        (np.eye(2), [one, two], [np.array([1.0, 1.0]), np.array([0.0, 3.0])]),
        (np.eye(2), [one], [np.array([1.1, 0.5])]),
        (np.diag([2.0, 1.0]), [np.array([1.0, 1.0])], [np.array([1.0, 2.0])]),
        (np.eye(2), [np.array([1.0, 2.0])], [np.array([1.0, 2.0])]),
        (np.eye(2), [np.array([1e-6, 2e-6])], [np.array([3e-6, 1e-6])]),
        (np.eye(2), [100 * one], [np.array([100 + 0.7e-5, 1000.0])]),  # 0.7 times the limit
        (np.eye(2), [100 * one], [np.array([100 + 1.2e-5, 1000.0])]),  # 1.2 times
        (np.eye(2), [0.01 * one], [np.array([0.01 + 1.2e-5, 1000.0])]),
        (np.eye(3), S, [rng.normal(size=3) for _ in S]),
    ]


_SR1 = Exercise(
    id="second-order/sr1-update",
    notebook="6.2",
    title="Learn a Hessian from pairs",
    statement=r"""
        Update an estimate `B` of the **Hessian** with the pairs in `S` and `Y`, one after the other: $B \leftarrow B + \frac{rr^\top}{r^\top s}$
        with $r = y - Bs$. Skip a pair when $\lvert r^\top s\rvert \le 10^{-8} \lVert r\rVert \lVert s\rVert$. Return the last $B$, which
        may be indefinite, and the number of pairs that were skipped.""",
    stub='''
        def sr1_update(B, S, Y):
            """(B, skipped) after all pairs; B of shape (n, n), the lists S and Y hold vectors (n,)."""
            ...''',
    reference=sr1_update,
    cases=_sr1_cases,
    rtol=1e-7,
    misconceptions=[
        Misconception(
            altered(sr1_update, "abs(r @ s) <= 1e-8 * np.linalg.norm(r) * np.linalg.norm(s)", "False"),
            "No skip rule: when the denominator vanishes, the estimate fills with infinities.",
        ),
        Misconception(
            altered(sr1_update, "abs(r @ s) <=", "r @ s <="),
            "You accept positive denominators alone, so negative curvature is never learned. Only the size has to be checked.",
        ),
        Misconception(
            altered(sr1_update, "<= 1e-8 * np.linalg.norm(r) * np.linalg.norm(s)", "== 0"),
            "You skip only where the denominator is exactly zero. One that is tiny beside ‖r‖ ‖s‖ does as much harm.",
        ),
        Misconception(
            altered(sr1_update, " * np.linalg.norm(r) * np.linalg.norm(s)", ""),
            "Your limit is absolute: near a minimum all steps are short, and every pair would be skipped.",
        ),
        Misconception(
            lambda B, S, Y: sr1_update(B, Y, S), "s and y are exchanged: that updates an estimate of the inverse."
        ),
        Misconception(
            altered(sr1_update, "y - B @ s", "y - s"),
            "r is what B still gets wrong along s; you compare y with s, as if B were the identity.",
        ),
        Misconception(
            altered(sr1_update, "zip(S, Y", "zip(S[::-1], Y[::-1]"),
            "You go from the last pair to the first. The newest pair should have the last word.",
        ),
        Misconception(
            altered(sr1_update, "B = B + np.outer(r, r)", "B = np.eye(len(s)) + np.outer(r, r)"),
            "Every update starts from the identity again; it should add to what was learned before.",
        ),
        Misconception(
            altered(sr1_update, "return B, skipped", "return B, len(S) - skipped"),
            "You count the pairs that were used; asked for are those that were skipped.",
        ),
        Misconception(
            altered(sr1_update, "np.outer(r, r)", "(r @ r)"),
            "r rᵀ is a matrix, the outer product. You have the number rᵀr.",
        ),
        Misconception(
            altered(sr1_update, "            skipped += 1\n", "            return B, skipped + 1\n"),
            "You stop at the first bad pair; leave it out and go on with the next.",
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


def _mean_of_quadratics(answer, path, batches):
    """called with grad(w, batch), the mean over the batch of w·(1 + i) - i"""
    grad = lambda w, batch: np.mean([(1 + i) * w - i for i in batch], axis=0)
    pairs = answer(grad, path, batches)
    return None if pairs is None else [list(pair) for pair in pairs]


_NOISY_PAIRS = Exercise(
    id="second-order/noisy-pairs",
    notebook="6.2",
    title="Notes that do not add up",
    kind="bug hunt",
    statement=r"""
        A stochastic quasi-Newton method collects pairs `(s, y)` along its path; `batches[k]` is the mini-batch drawn at step `k`, and
        `grad(w, batch)` the gradient on a batch. The loss on every batch is convex, and still some of its pairs have
        $s^\top y < 0$, and the others claim a curvature that no batch has. Find the bug and repair it, with no more gradients
        than now, and none of a batch that is still to be drawn.""",
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
        ([np.array([2.0]), np.array([1.9]), np.array([1.8])], [[0, 1], [5, 2], [3, 3]]),
        (
            [rng.normal(size=2) for _ in range(4)],
            [[0, 1], [5, 2], [3, 7], [4, int(rng.integers(9, 20))]],
        ),
    ],
    misconceptions=[
        Misconception(
            altered(curvature_pairs, "batches[k])", "batches[k + 1])"),
            "Both gradients use one batch, as they should, but it is the batch of the next step.",
        ),
        Misconception(
            altered(curvature_pairs, "batches[k])", "sum(batches, []))"),
            "All batches together also give true differences, but at the price of the full gradient.",
        ),
        Misconception(
            altered(curvature_pairs, "grad(path[k], batches[k])", "grad(path[k], batches[k + 1])"),
            "The batches have changed places, but there are still two of them in one difference.",
        ),
        Misconception(
            altered(curvature_pairs, "grad(path[k + 1], batches[k])", "grad(path[k + 1], batches[k + 1])",
                    "        pairs.append((s, y))", "        if s @ y > 0:\n            pairs.append((s, y))"),
            "You drop the pairs whose sign gives them away. The others are as wrong: each still compares two functions.",
        ),
        Misconception(
            altered(curvature_pairs, "grad(path[k + 1], batches[k])", "grad(path[k + 1], batches[k + 1])",
                    "pairs.append((s, y))", "pairs.append((s, y if s @ y > 0 else -y))"),
            "You turn the bad differences round. Their sign is only where the trouble shows.",
        ),
    ],
    hints=["A difference of gradients tells curvature when both belong to the same function.",
           "How many different batches does one pair see?"],
)  # fmt: skip

_WHY_NOT = choice(
    {
        "steps": (
            "The steps are too long for the curvature to stay the same along them.",
            "The loss is a quadratic: its curvature is the same everywhere, and the same steps on one batch give exactly 1.",
        ),
        "batches": (
            "The two gradients belong to different functions, and the step itself was made by the noise of one of them.",
            "y is the change along s plus the difference of two batches. s points against the noise of its own batch, which the "
            "other one does not share, so the difference is taken for curvature: too large, and rarely of the wrong sign.",
        ),
        "indefinite": (
            "The loss has directions of negative curvature, which a method for convex losses cannot store.",
            "It is a quadratic with the curvature 1 in all directions; every batch's loss is convex.",
        ),
        "memory": (
            "The pairs are too old when they are used; a shorter memory would bring the estimate down.",
            "A pair is right or wrong by itself, whatever the memory does with it later.",
        ),
    },
    "batches",
    id="second-order/why-pairs-fail",
    notebook="6.2",
    title="A curvature of twenty where it is one",
    statement="The code runs SGD on a noisy problem whose curvature is 1 in every direction, and estimates it from the pairs by "
    "$s^\\top y/s^\\top s$. Few signs are wrong, and yet the estimate is far off. Why?",
    name="reason",
    code="""
        rng = np.random.default_rng(1)
        samples, w, fresh, same = rng.normal(size=(1000, 5)), np.ones(5), [], []
        grad = lambda w, i: w - samples[i].mean(axis=0)
        for step in range(400):
            i, j = rng.choice(1000, 8), rng.choice(1000, 8)
            s = -0.05 * grad(w, i)
            fresh.append(s @ (grad(w + s, j) - grad(w, i)) / (s @ s))
            same.append(s @ (grad(w + s, i) - grad(w, i)) / (s @ s))
            w = w + s
        for name, found in (("fresh batches", fresh[200:]), ("same batch", same[200:])):
            print(f"{name}: {np.median(found):.0f} in the median, {np.sum(np.array(found) <= 0)} of 200 not positive")""",
    hints=["What is y if the step is tiny?", "What does s have to do with the noise of batch i?"],
)


# --- 6.3 curvature in deep nets ---------------------------------------------------------------------------------------


def hvp(grad, x, v):
    length = np.linalg.norm(v)
    if length == 0:
        return np.zeros_like(v)
    h = 1e-5 / length
    return (grad(x + h * v) - grad(x - h * v)) / (2 * h)


def _smooth_grad(answer, name, x, v):
    """called with the gradient of that name, which counts its calls"""
    grads = {
        "cube": lambda x: x**3,
        "product": lambda x: np.array([x[0] * x[1] ** 2, x[0] ** 2 * x[1]]),
        "exponential": lambda x: np.exp(x),
    }
    offsets = []

    def grad(at):
        offsets.append(at - x)
        return grads[name](at)

    product = answer(grad, x, v)
    if product is None:
        return None
    alone = [a for a in offsets if not any(np.allclose(a, -b, 1e-6, 0) for b in offsets)]
    return {
        "product": product,
        "number of calls beyond two": max(len(offsets) - 2, 0),
        "number of points on one side": len(alone),
    }


_HVP = Exercise(
    id="second-order/hvp",
    notebook="6.3",
    title="Multiply by the Hessian without having it",
    statement=r"""
        Return $Hv$ at `x` from at most two calls of the gradient function `grad`, by a central difference along $v$, right to $10^{-6}$
        relative **for a `v` of any length**, $10^{-8}$ or $10^{8}$: choose the step so that the two points always lie about $10^{-5}$
        from `x`. For $v = 0$ the product is 0.""",
    stub='''
        def hvp(grad, x, v):
            """The product of the Hessian at x with v, both of shape (n,)."""
            ...''',
    reference=hvp,
    probe=_smooth_grad,
    cases=lambda rng: [
        ("cube", np.array([1.0, 2.0]), np.array([1.0, -1.0])),
        ("product", np.array([1.0, 2.0]), np.array([0.5, 1.0])),
        ("cube", np.array([1.0, 2.0]), np.zeros(2)),
        ("cube", np.array([1.0, 2.0]), np.array([3e8, 4e8])),
        ("product", np.array([1.0, 2.0]), np.array([1e-8, 2e-8])),
        ("exponential", rng.uniform(0.5, 1.5, 3), rng.uniform(0.5, 1.5, 3)),
    ],
    rtol=1e-6,
    atol=1e-15,
    misconceptions=[
        Misconception(
            altered(hvp, "grad(x - h * v)) / (2 * h)", "grad(x)) / h"),
            "A forward difference: its error is proportional to the step. Take both sides.",
        ),
        Misconception(
            altered(hvp, "1e-5", "1e-8", "grad(x - h * v)) / (2 * h)", "grad(x)) / h"),
            "A forward difference with a step of 1e-8: half of the digits are lost to rounding. Take both sides.",
        ),
        Misconception(altered(hvp, "(2 * h)", "h"), "The two points are 2ε apart; you divide by ε."),
        Misconception(
            altered(hvp, "1e-5 / length", "1e-5"),
            "Your step is in proportion to v: a long v takes the points far away, a short one leaves nothing but rounding.",
        ),
        Misconception(
            altered(hvp, "1e-5 / length", "1e-5 * length"),
            "Your step grows with v twice over; divide by the length instead.",
        ),
        Misconception(
            altered(hvp, "h = 1e-5 / length", "h, v = 1e-5, v / length"),
            "You return the product with v/‖v‖: give it its length back.",
        ),
        Misconception(
            altered(hvp, "    if length == 0:\n        return np.zeros_like(v)\n", ""),
            "v = 0 has no direction: you divide by its length. The product is 0.",
        ),
        Misconception(
            lambda grad, x, v: hvp(grad, x, np.ones(len(x))) * v,
            "You difference along (1, …, 1) and multiply by v afterwards. Move along v itself.",
        ),
        Misconception(
            lambda grad, x, v: v @ hvp(grad, x, v),
            "That is the curvature vᵀHv, one number. The product Hv is a vector.",
        ),
        Misconception(
            lambda grad, x, v: np.array([hvp(grad, x, e) for e in np.eye(len(x))]).T @ v,
            "The product is right and far too dear: you build the whole Hessian, two gradients for each coordinate.",
        ),
    ],
    hints=["How much does the gradient change when you move by εv?", "An ε of 1e-5/‖v‖ balances both errors."],
)


def power_iteration(hvp, n):
    def largest_in_size(product):
        v = np.random.default_rng(0).normal(size=n)
        for _ in range(80):
            v = v / np.linalg.norm(v)
            Hv = product(v)
            value, v = v @ Hv, Hv
        return value

    top = largest_in_size(hvp)
    return top if top < 0 else top + largest_in_size(lambda v: hvp(v) - top * v)


def _reflected(answer, values, seed):
    """called with hvp(v) = H v for a matrix with these eigenvalues, and n; the products are counted"""
    u = np.random.default_rng(seed).normal(size=len(values))
    u, count = u / np.linalg.norm(u), [0]

    def hvp(v):
        count[0] += 1
        v = values * (v - 2 * (u @ v) * u)
        return v - 2 * (u @ v) * u

    value = answer(hvp, len(values))
    return None if value is None else {"eigenvalue": value, "number of products beyond 220": max(count[0] - 220, 0)}


def _whole_matrix(hvp, n):
    return np.linalg.eigvalsh(np.array([hvp(e) for e in np.eye(n)]))[0]


_POWER = Exercise(
    id="second-order/power-iteration",
    notebook="6.3",
    title="The smallest eigenvalue, from products alone",
    statement=r"""
        Return the **smallest** eigenvalue of a symmetric matrix (the most negative one, if any is), to $10^{-6}$, from products `hvp(v)`
        alone; `n` is the dimension. Power iteration finds the eigenvalue of largest size, with its sign; subtract a multiple of the
        identity so that the one you want becomes that. With 220 products it can be done for any `n`: in the cases each of the two
        eigenvalues stands out by a quarter.""",
    stub='''
        def power_iteration(hvp, n):
            """The smallest eigenvalue, a number; hvp maps a vector (n,) to H v."""
            ...''',
    reference=power_iteration,
    probe=_reflected,
    cases=lambda rng: [
        (np.array([-5.0, 2.0, 1.0]), 0),
        (np.array([0.5, 4.0, -1.0]), 1),
        (np.array([4.0, 3.0, 1.0]), 2),
        (np.array([0.8, 0.4, 0.1]), 4),
        (np.array([-4.0, -3.0, -1.0]), 3),
        (np.concatenate([[6.0, -4.0], rng.uniform(-1, 1, 238)]), int(rng.integers(1000))),
    ],
    rtol=1e-6,
    misconceptions=[
        Misconception(
            altered(power_iteration, "return top if", "return top\n    return top if"),
            "That is the eigenvalue of largest size. The smallest one may be another: shift the matrix and iterate once more.",
        ),
        Misconception(
            altered(power_iteration, "return top if", "return -abs(top)\n    return top if"),
            "You give the largest size a minus sign. There need not be a negative eigenvalue of that size.",
        ),
        Misconception(
            altered(power_iteration, "top + largest", "largest"),
            "That is an eigenvalue of the shifted matrix; shift it back.",
        ),
        Misconception(
            altered(power_iteration, "hvp(v) - top * v", "hvp(v) + top * v"),
            "You shift the wrong way: the wanted eigenvalue moves towards zero, and the largest grows further.",
        ),
        Misconception(
            altered(power_iteration, "v @ Hv, Hv", "np.linalg.norm(Hv), Hv"),
            "You take the length of Hv for the eigenvalue, which has no sign. The quotient vᵀHv has.",
        ),
        Misconception(
            altered(power_iteration, "range(80)", "range(2)"),
            "Stopped too early: repeat until the value no longer changes.",
        ),
        Misconception(
            _whole_matrix,
            "The number is right, and it took n products to build the whole matrix. For a network n is a million.",
        ),
        Misconception(
            lambda hvp, n: 0.0 + np.linalg.eigvalsh(np.array([hvp(e) for e in np.eye(n)]))[-1],
            "That is the largest eigenvalue, from the whole matrix. Asked for is the smallest, from products.",
        ),
    ],
    hints=[
        "Multiply, rescale, repeat: for the unit vector v that is left, vᵀHv is the eigenvalue of largest size.",
        "If that is negative, you are done. If not, which eigenvalue of H - λI is largest in size?",
    ],
)


_STABLE = Exercise(
    id="second-order/largest-stable-rate",
    notebook="6.3",
    title="A rate from the sharpness, with momentum",
    kind="measure",
    statement=r"""
        The code gives a small tanh network and its data. At its initial parameters, below which constant learning rate is the **heavy
        ball** with $\beta = 0.9$ ($u \leftarrow \beta u + g$, $\theta \leftarrow \theta - \eta u$) stable, if the loss is taken as its
        quadratic model? `oc.sharpness` gives $\lambda_{\max}$. Within 2%. (Momentum's condition is in 3.3; or iterate on a quadratic.)""",
    stub="""
        rng = np.random.default_rng(0)
        X = rng.normal(size=(50, 4))
        y = (X[:, 0] > X[:, 1] ** 2).astype(int)
        net = oc.MLP([4, 8, 2], "tanh", seed=0)
        # oc.sharpness(net, X, y)
        limit = ...""",
    reference=4.3137,
    rtol=0.02,
    misconceptions=[
        Misconception(2.2704, "That is 2/λ, the limit of plain gradient descent. Does momentum lower it or raise it?"),
        Misconception(0.22704, "An effective rate of η/(1 - β) does not have to stay below 2/λ: momentum raises the limit of η."),
        Misconception(22.704, "You multiply by 1/(1 - β): the limit grows with 1 + β, less than twofold."),
        Misconception(43.137, "That is the limit in the average form, where the gradient enters with the weight 1 - β."),
        Misconception(1.5406, "That is Nesterov's limit, which is lower. The heavy ball is asked for."),
        Misconception(0.88091, "That is the sharpness itself. The rate is bounded by its inverse, with a factor."),
    ],
    hints=["Write two successive errors along the sharpest direction as a recursion; when is one of its roots -1?",
           "At the limit the error only changes its sign: x, -x, x, … Put that into the two lines of the heavy ball."],
)  # fmt: skip

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
        "d": ("It has converged.", "It still falls: from step 600 to step 1000 by about a third."),
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


# --- 6.4 curvature as a preconditioner --------------------------------------------------------------------------------


def fisher_matrices(X, w, y):
    p = 1 / (1 + np.exp(-X @ w))
    F = (X.T * (p * (1 - p))) @ X / len(X)
    E = (X.T * (p - y) ** 2) @ X / len(X)
    return F, E


_FISHER = Exercise(
    id="second-order/fisher-matrices",
    notebook="6.4",
    title="Two matrices of one name",
    statement=r"""
        Logistic regression gives example $i$, a row $x_i$ of `X`, the probability $p_i = \sigma(x_i^\top w)$ of the label 1. Return the
        Fisher matrix $F$ and the empirical Fisher $E$ of the mean loss at `w`: the means over the examples of $g g^\top$, with labels that
        the model draws (in full expectation, nothing is drawn) and with the labels `y` of the data, 0 or 1.""",
    stub='''
        def fisher_matrices(X, w, y):
            """(F, E), both of shape (d, d), for X (n, d), w (d,) and labels y (n,)."""
            ...''',
    reference=fisher_matrices,
    cases=lambda rng: [
        (np.array([[1.0, 2.0]]), np.array([1.0, 0.0]), np.array([1])),
        (np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([2.0, -1.0]), np.array([0, 1])),
        (rng.normal(size=(6, 3)), rng.normal(size=3), np.array([0, 1, 1, 0, 1, 0])),
    ],
    misconceptions=[
        Misconception(
            lambda X, w, y: (fisher_matrices(X, w, y)[1],) * 2,
            "Both are made with the labels of the data. For F the model draws them: 1 with probability p, 0 with 1 - p.",
        ),
        Misconception(lambda X, w, y: fisher_matrices(X, w, y)[::-1], "The two matrices have changed places."),
        Misconception(
            lambda X, w, y: tuple(len(X) * M for M in fisher_matrices(X, w, y)),
            "You sum over the examples; the loss is a mean, and so are its matrices.",
        ),
        Misconception(
            altered(fisher_matrices, "(p - y) ** 2", "(y - p)"),
            "E holds the residual squared: the gradient stands in it twice.",
        ),
        Misconception(
            altered(fisher_matrices, "p * (1 - p)", "p"),
            "A drawn label is 1 with probability p, and then (p - 1)²; it is 0 with 1 - p, and then p². What is the mean?",
        ),
        Misconception(
            altered(fisher_matrices, "p * (1 - p)", "p**2"),
            "You drew the label 0 for everybody. Average over both, with their probabilities.",
        ),
        Misconception(
            altered(fisher_matrices, "p * (1 - p)", "(p * (1 - p)) ** 2"),
            "p(1 - p) is the mean of the squared residual already.",
        ),
        Misconception(
            lambda X, w, y: (
                fisher_matrices(X, w, y)[0],
                np.outer(*[X.T @ (1 / (1 + np.exp(-X @ w)) - y) / len(X)] * 2),
            ),
            "E is the mean of the outer products, not the outer product of the mean: that one has rank 1.",
        ),
    ],
    hints=[
        "The gradient of one example is (p - y)x. Square it, and average over what y can be.",
        "E(p - y)² over a label that is 1 with probability p is p(1 - p).",
    ],
)


def kronecker_solve(A, B, G, damping):
    a, Q = np.linalg.eigh(A)
    b, P = np.linalg.eigh(B)
    return Q @ ((Q.T @ G @ P) / (np.outer(a, b) + damping)) @ P.T


def _positive(rng, n):
    M = rng.normal(size=(n, n))
    return M @ M.T / n + 0.1 * np.eye(n)


_KRONECKER = Exercise(
    id="second-order/kronecker-solve",
    notebook="6.4",
    title="Derive: damping that no small matrix has",
    statement=r"""
        K-FAC solves $(A \otimes B) \operatorname{vec}(V) = \operatorname{vec}(G)$ by two small solves. With $\lambda I$ added to the *large* matrix,
        $(A \otimes B + \lambda I) \operatorname{vec}(V) = \operatorname{vec}(G)$, that is $AVB + \lambda V = G$, this no longer works. Derive what does: write
        $A = Q \operatorname{diag}(\alpha)\, Q^\top$ and $B = P \operatorname{diag}(\beta)\, P^\top$, and find the equation for each entry of $Q^\top V P$.
        Return $V$. The symmetric matrices `A` (m, m) and `B` (n, n) have no negative eigenvalue; no matrix of $mn$ rows is needed.""",
    stub='''
        def kronecker_solve(A, B, G, damping):
            """V of shape (m, n), for G (m, n) and a damping of 0 or more."""
            ...''',
    reference=kronecker_solve,
    cases=lambda rng: [
        (np.diag([1.0, 2.0]), np.array([[4.0]]), np.array([[1.0], [1.0]]), 0.0),
        (np.array([[2.0, 1.0], [1.0, 2.0]]), np.diag([1.0, 3.0]), np.array([[1.0, 2.0], [3.0, 4.0]]), 0.5),
        (_positive(rng, 4), _positive(rng, 3), rng.normal(size=(4, 3)), 0.3),
        (np.zeros((2, 2)), np.eye(3), rng.normal(size=(2, 3)), 2.0),
    ],
    misconceptions=[
        Misconception(
            lambda A, B, G, damping: np.linalg.lstsq(A, G, rcond=None)[0] @ np.linalg.pinv(B),
            "The damping has no effect: you solve with A and with B alone.",
        ),
        Misconception(
            lambda A, B, G, damping: kronecker_solve(
                A + damping * np.eye(len(A)), B + damping * np.eye(len(B)), G, 1e-300
            ),
            "You add λ to both factors. The product of the two then holds λA and λB as well, and λ² in place of λ.",
        ),
        Misconception(
            lambda A, B, G, damping: kronecker_solve(
                A + damping**0.5 * np.eye(len(A)), B + damping**0.5 * np.eye(len(B)), G, 1e-300
            ),
            "√λ in both factors is what K-FAC does in practice: close, but it adds √λ(A + B) too. Here λ alone is asked for.",
        ),
        Misconception(
            altered(kronecker_solve, "/ (np.outer(a, b) + damping)", "* (np.outer(a, b) + damping)"),
            "You multiply by the matrix; the inverse is asked for.",
        ),
        Misconception(
            altered(kronecker_solve, "np.outer(a, b) + damping", "a[:, None] + b + damping"),
            "The eigenvalues of A ⊗ B are the products α β, not the sums.",
        ),
        Misconception(
            altered(kronecker_solve, "return Q @ (", "return (", ") @ P.T", ")"),
            "That is V in the axes of the eigenvectors; turn it back.",
        ),
        Misconception(
            altered(kronecker_solve, "(Q.T @ G @ P)", "G"),
            "You divide G by the eigenvalues without turning it into the axes that they belong to.",
        ),
        Misconception(
            altered(kronecker_solve, "Q.T @ G @ P", "Q @ G @ P.T"),
            "You turn the wrong way: the entries in the axes of the eigenvectors, the columns of Q and P, are QᵀGP.",
        ),
    ],
    hints=[
        "Multiply AVB + λV = G by Qᵀ from the left and by P from the right.",
        "For U = QᵀVP the equation reads αᵢ Uᵢⱼ βⱼ + λ Uᵢⱼ = (QᵀGP)ᵢⱼ.",
    ],
)


def trace_with_error(product, V):
    found = np.array([v @ product(v) for v in V])
    return found.mean(), found.std(ddof=1) / np.sqrt(len(V))


def _counted_products(answer, diagonal, seed, draws):
    """called with product(v) = H v and V, `draws` rows of random signs; the products are counted"""
    rng, count = np.random.default_rng(seed), [0]
    n = len(diagonal)
    M = rng.normal(size=(n, n))
    H = np.diag(diagonal) + (M + M.T) / 4

    def product(v):
        count[0] += 1
        return H @ v

    result = answer(product, rng.choice([-1.0, 1.0], (draws, n)))
    if result is None:
        return None
    return {"estimate and error": result, "products beyond one for each row": max(count[0] - draws, 0)}


def _by_unit_vectors(product, V):
    n = V.shape[1]
    return sum(e @ product(e) for e in np.eye(n)), 0.0


_TRACE = Exercise(
    id="second-order/trace-with-error",
    notebook="6.4",
    title="A trace, and how far to trust it",
    statement=r"""
        Return Hutchinson's estimate of $\operatorname{tr} H$ and the standard error of that estimate, from one product `product(v)` for each row $v$ of
        `V`. The rows are independent draws of random signs; estimate their variance from the draws themselves, without a bias.""",
    stub='''
        def trace_with_error(product, V):
            """(estimate, standard error), two numbers; V is (draws, n), and product maps (n,) to H v."""
            ...''',
    reference=trace_with_error,
    probe=_counted_products,
    cases=lambda rng: [
        (np.array([1.0, 2.0, 3.0]), 0, 2),
        (np.array([-1.0, 4.0, 0.5, 2.0]), 1, 5),
        (rng.normal(size=8), int(rng.integers(1000)), 12),
    ],
    misconceptions=[
        Misconception(
            altered(trace_with_error, " / np.sqrt(len(V))", ""),
            "That is the spread of single draws. The mean of k draws is surer by the root of k.",
        ),
        Misconception(
            altered(trace_with_error, "np.sqrt(len(V))", "len(V)"),
            "The error falls with the root of the number of draws, not with the number.",
        ),
        Misconception(
            altered(trace_with_error, "ddof=1", "ddof=0"),
            "Divide by k - 1: the mean is estimated from the same draws.",
        ),
        Misconception(
            altered(trace_with_error, "found.mean()", "found.sum()"),
            "Each draw estimates the whole trace: take their mean.",
        ),
        Misconception(
            lambda product, V: trace_with_error(lambda v: product(v) / len(v), V),
            "You divide by n: that is the mean of the diagonal, not its sum.",
        ),
        Misconception(
            lambda product, V: trace_with_error(lambda v: product(v) / np.sqrt(len(v)), V),
            "You make v a unit vector. With signs vᵀv = n, which is what makes the mean the trace.",
        ),
        Misconception(
            _by_unit_vectors,
            "The trace is exact and took n products, one for each coordinate. For a network n is a million.",
        ),
    ],
    hints=["E vᵀHv = Σ Hᵢⱼ E vᵢvⱼ. What is left?", "The standard error of a mean of k draws is their standard deviation over √k."],
)  # fmt: skip

_FADING = choice(
    {
        "labels": (
            "The labels of the data are fitted, so their gradients fade; over the labels that the model draws, doubt is left.",
            "The residual p - y of the data goes to 0 with the fit, squared. Over drawn labels its mean square is p(1 - p), which "
            "falls only as fast as the doubt itself.",
        ),
        "flat": (
            "The loss has become flat: its curvature has fallen by this factor, and both matrices measure it.",
            "Then both would have fallen alike, and their ratio would have stayed at 1.",
        ),
        "batch": (
            "The gradient of the batch goes to zero at a minimum, and with it the mean of its square.",
            "Single examples are squared before they are averaged; at a minimum with noisy labels that mean stays large.",
        ),
        "rank": (
            "Of 200 examples the empirical matrix has the rank 200 at most, and the other directions are missing in it.",
            "The rank was the same at the start, where the ratio was 1. A trace adds up whatever is there.",
        ),
    },
    "labels",
    id="second-order/fading-squares",
    notebook="6.4",
    title="A matrix that fades",
    statement="The code trains a network with gradient descent and compares the traces of the empirical Fisher and of the Fisher "
    "matrix. Why does their ratio fall?",
    name="fading",
    code="""
        (X, y), _ = oc.digits(200)
        for steps in (1, 50, 300):
            net = oc.MLP([64, 16, 10], "tanh", seed=1)
            oc.train(net, (X, y), oc.gd, 0.5, steps=steps, batch=None, every=steps)
            ratio = np.trace(oc.empirical_fisher(net, X, y)) / np.trace(oc.fisher_matrix(net, X))
            print(f"{steps:3d} steps: loss {oc.cross_entropy(net(X), y)[0]:.2f}, ratio of traces {ratio:.1f}")""",
    hints=["What is (p - y)² for an image that is fitted with p = 0.9? And its mean over labels drawn with that p?"],
)

EXERCISES = [
    _SADDLE_FREE,
    _DAMPED,
    _HESSIAN_SIZE,
    _BFGS,
    _SMALLEST,
    _LBFGS,
    _SR1,
    _NOISY_PAIRS,
    _WHY_NOT,
    _HVP,
    _POWER,
    _DERIVE,
    _STABLE,
    _EDGE,
    _FISHER,
    _KRONECKER,
    _TRACE,
    _FADING,
]
