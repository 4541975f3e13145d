"""Exercises of chapter 2, convexity."""

import numpy as np

from ..exercise import Exercise, Misconception, choice
from ..slips import altered

# --- 2.1 convexity and conditioning -----------------------------------------------------------------------------------


def named_function(name):
    return {
        "square": lambda x: x**2,
        "absolute": lambda x: abs(x),
        "root": lambda x: np.sqrt(abs(x)),
        "wiggle": lambda x: x**2 + 3 * np.sin(x) ** 2,
        "exponential": lambda x: np.exp(-x),
        "cubic": lambda x: x**3,
        "sine": lambda x: np.sin(x),
        "spike": lambda x: np.where(abs(x - 0.5) < 1e-4, 1.0, 0.0),
        "hair": lambda x: np.where(abs(x - 0.25) < 1e-4, 1.2e-12, 0.0),
        "half a hair": lambda x: np.where(abs(x - 0.25) < 1e-4, 0.6e-12, 0.0),
    }[name]


def convex_on_segment(f, x, y):
    t = np.linspace(0, 1, 101)
    return bool(np.all(f(t * x + (1 - t) * y) <= t * f(x) + (1 - t) * f(y) + 1e-12))


def _with_named_function(answer, name, x, y):
    """called with f, the function of that name"""
    return answer(named_function(name), x, y)


def _segment(f, x, y):
    t = np.linspace(0, 1, 101)
    return t, f(t * x + (1 - t) * y)


_CONVEX = Exercise(
    id="convexity/convex-on-segment",
    notebook="2.1",
    title="The chord test",
    statement=r"""
        Test whether the chord of `f` between the numbers `x` and `y` lies on or above the curve: check
        $f(tx + (1-t)y) \le t f(x) + (1-t) f(y)$ at 101 evenly spaced $t$ from 0 to 1, with a tolerance of $10^{-12}$ for
        rounding. `f` works on arrays. Return `True` or `False`.""",
    stub='''
        def convex_on_segment(f, x, y):
            """Whether the chord from (x, f(x)) to (y, f(y)) stays on or above the graph."""
            ...''',
    reference=convex_on_segment,
    probe=_with_named_function,
    cases=lambda rng: [
        ("square", -1.0, 2.0),
        ("root", 0.0, 1.0),
        ("root", -1.0, 1.0),
        ("root", 1.0, 0.0),
        ("sine", 0.0, np.pi),
        ("spike", 0.0, 1.0),
        ("hair", 0.0, 1.0),
        ("half a hair", 0.0, 1.0),
        ("absolute", -1.0, 3.0),
        ("wiggle", 0.0, np.pi),
        ("wiggle", -2.5, 2.5),
        ("cubic", -1.0, 1.0),
        ("cubic", -2.0, 1.5),
        ("cubic", 2.0, -0.5),
        ("exponential", 2.0, 1.0),
        ("exponential", 1.0, 2.0),
        ("square", 3.0, 3.0),
        ("square", 1.0, 5.0),
        ("exponential", float(rng.normal()), float(rng.normal())),
    ],
    misconceptions=[
        Misconception(
            lambda f, x, y: bool(f((x + y) / 2) <= (f(x) + f(y)) / 2 + 1e-12),
            "You test the midpoint alone. A curve can pass there and cut the chord elsewhere.",
        ),
        Misconception(
            lambda f, x, y: bool(np.all(_segment(f, x, y)[1] >= np.linspace(f(y), f(x), 101) - 1e-12)),
            "The inequality is the wrong way round: that is the test of a concave function.",
        ),
        Misconception(
            lambda f, x, y: bool(np.all(_segment(f, x, y)[1] <= max(f(x), f(y)) + 1e-12)),
            "You compare with the higher end point. That tests sublevel sets, which is quasiconvexity, a weaker property.",
        ),
        Misconception(
            lambda f, x, y: bool(np.all(_segment(f, x, y)[1] <= np.linspace(f(x), f(y), 101) + 1e-12)),
            "Chord and curve run in opposite directions: at t = 0 one is at y and the other at x.",
        ),
        Misconception(
            altered(convex_on_segment, " + 1e-12", ""),
            "The tolerance is missing: a difference below 1e-12 is rounding, and yours calls it a dent.",
        ),
        Misconception(
            altered(convex_on_segment, "np.all", "np.any"),
            "Your answer is always True: at its ends the chord meets the curve, so it is not enough that it lies above "
            "somewhere.",
        ),
    ],
    hints=[
        "Make all the points of the segment at once, as an array; `np.linspace` helps.",
        "What are the chord's value and the curve's argument at the same t?",
    ],
)


def penalty_for_kappa(X, counts, kappa):
    data = np.linalg.eigvalsh((X.T * counts) @ X)[-1] / (4 * counts.sum())
    return data / (kappa - 1)


_PENALTY = Exercise(
    id="convexity/penalty-for-kappa",
    notebook="2.1",
    title="How much penalty makes a problem well conditioned",
    statement=r"""
        Each row of `X` (shape `(n, d)`) was seen `counts[i]` times. The loss is the mean logistic loss over **all that was seen**, plus
        $\frac{\lambda}{2}\lVert w\rVert^2$. Return the smallest $\lambda$ for which the bounds of its curvature, valid for every $w$, guarantee
        a condition number $L/\mu$ of at most `kappa` (more than 1).""",
    stub='''
        def penalty_for_kappa(X, counts, kappa):
            """The smallest lam with L/mu <= kappa, for all weights."""
            ...''',
    reference=penalty_for_kappa,
    cases=lambda rng: [
        (np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([1, 1]), 11.0),
        (np.array([[2.0, 1.0], [1.0, 2.0], [0.0, 1.0]]), np.array([1, 3, 2]), 2.0),
        (rng.normal(size=(20, 3)) * [1, 5, 0.2], rng.integers(1, 9, size=20), rng.uniform(5, 500)),
    ],
    misconceptions=[
        Misconception(
            altered(penalty_for_kappa, "(4 * counts.sum())", "counts.sum()"),
            "A factor is missing in L: the slope of the sigmoid never exceeds a quarter.",
        ),
        Misconception(
            altered(penalty_for_kappa, "(4 * counts.sum())", "4"), "The loss is a mean over all that was seen: divide by their number."
        ),
        Misconception(
            altered(penalty_for_kappa, "counts.sum()", "len(X)"),
            "You divide by the number of different rows; the mean is over all that was seen.",
        ),
        Misconception(
            altered(penalty_for_kappa, "(X.T * counts) @ X", "X.T @ X", "counts.sum()", "len(X)"),
            "The counts have no effect: a row that was seen three times stands three times in the mean.",
        ),
        Misconception(
            altered(penalty_for_kappa, "(kappa - 1)", "kappa"),
            "The penalty lifts both ends: it adds its λ to L too, and you leave that out.",
        ),
        Misconception(
            lambda X, counts, kappa: (
                np.linalg.eigvalsh((X.T * counts) @ X) @ np.eye(X.shape[1])[[0, -1]].T @ [-kappa, 1] / (4 * counts.sum()) / (kappa - 1)
            ),
            "Your μ counts on the data. Far out the sigmoid is flat and the data contribute nothing: only λ is left.",
        ),
        Misconception(
            lambda *case: penalty_for_kappa(*case) / 2,
            "The half in front of the penalty cancels the 2 of its square: its curvature is λ.",
        ),
        Misconception(
            lambda X, counts, kappa: np.trace((X.T * counts) @ X) / (4 * counts.sum()) / (kappa - 1),
            "The trace is the sum of the eigenvalues. It is a bound, and not the smallest one: the largest alone decides.",
        ),
    ],
    hints=[
        "The Hessian is a mean of σ'(z) x xᵀ over all that was seen, plus λI. Between which numbers is σ'(z), for all w?",
        "Write κ = (L₀ + λ)/λ and solve for λ.",
    ],
)  # fmt: skip


def softmax_curvature(X, W, V, lam):
    Z, D = X @ W, X @ V
    P = np.exp(Z - Z.max(axis=1, keepdims=True))
    P = P / P.sum(axis=1, keepdims=True)
    change = P * (D - np.sum(P * D, axis=1, keepdims=True))
    return X.T @ change / len(X) + lam * V


_DERIVE = Exercise(
    id="convexity/derive-softmax-curvature",
    notebook="2.1",
    title="Derive: the curvature of softmax regression",
    statement=r"""
        The loss is the mean cross-entropy of the softmax of $XW$, for `X` of shape `(n, d)` and `W` of shape `(d, k)`, plus
        $\frac\lambda2\lVert W\rVert^2$. Its gradient is $X^\top (P - Y)/n + \lambda W$. Derive the derivative of that gradient at $t = 0$ when
        $W$ moves along $W + tV$: the Hessian times `V`, without forming its $(dk)^2$ entries. Return it, shape `(d, k)`. (Why is no label
        among the arguments? Multiply with $V$ and show that the result is never negative: that is convexity.)""",
    stub='''
        def softmax_curvature(X, W, V, lam):
            """The Hessian of the penalized cross-entropy at W times V, shape (d, k)."""
            ...''',
    reference=softmax_curvature,
    cases=lambda rng: [
        (np.array([[1.0, 2.0]]), np.zeros((2, 2)), np.array([[1.0, 0.0], [0.0, 1.0]]), 0.1),
        (np.array([[1.0, 0.0], [0.0, 3.0]]), np.array([[1.0, -0.5], [0.3, 0.0]]), np.array([[0.0, 1.0], [2.0, 0.0]]), 0.5),
        (*(rng.normal(size=s) for s in ((5, 3), (3, 4), (3, 4))), rng.uniform(0.1, 1)),
        (np.array([[900.0, 1.0], [0.0, 1.0]]), np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 1.0], [1.0, 0.0]]), 0.2),
    ],
    misconceptions=[
        Misconception(
            altered(softmax_curvature, "P * (D - np.sum(P * D, axis=1, keepdims=True))", "P * (1 - P) * D"),
            "Each probability is treated as a sigmoid of its own logit. It depends on the other logits of its row too.",
        ),
        Misconception(
            altered(softmax_curvature, "P * (D - np.sum(P * D, axis=1, keepdims=True))", "P * D"),
            "The denominator of the softmax moves as well: probabilities that all grow would no longer sum to 1.",
        ),
        Misconception(
            altered(softmax_curvature, "np.sum(P * D, axis=1, keepdims=True)", "np.mean(D, axis=1, keepdims=True)"),
            "You take off the plain mean of the moves of the logits; they count with their probabilities.",
        ),
        Misconception(
            altered(softmax_curvature, "np.sum(P * D, axis=1, keepdims=True)", "np.sum(P * D)"),
            "You sum over the whole batch: each example has a softmax of its own.",
        ),
        Misconception(
            altered(softmax_curvature, "X @ W, X @ V", "X @ W, X @ W"),
            "The logits move by XV, and you put in the logits themselves: the direction has no effect.",
        ),
        Misconception(altered(softmax_curvature, " / len(X)", ""), "You sum over the examples; the loss is a mean."),
        Misconception(
            altered(softmax_curvature, " + lam * V", ""), "The penalty has a curvature too, and it is missing."
        ),
        Misconception(
            altered(softmax_curvature, "lam * V", "2 * lam * V"),
            "The half in front of the penalty cancels the 2 of its square.",
        ),
        Misconception(
            altered(softmax_curvature, "lam * V", "lam * W"),
            "λW is the penalty's gradient. Asked for is how that changes along V.",
        ),
        Misconception(
            altered(softmax_curvature, "Z - Z.max(axis=1, keepdims=True)", "Z"),
            "Right for small logits; large ones overflow. Take off the largest of each row first.",
        ),
    ],
    hints=[
        "Only P depends on W. When the logits of a row move by d, its probabilities move by (diag(p) - p pᵀ) d, p a column.",
        "Multiply that out: p times (d minus a number), where the number is the mean of d with the weights p.",
    ],
)  # fmt: skip

_KAPPA = Exercise(
    id="convexity/rosenbrock-kappa",
    notebook="2.1",
    title="Where the valley gets long",
    kind="measure",
    statement=r"""
        On the floor $y = x^2$ of Rosenbrock's valley the condition number of the Hessian, `oc.rosenbrock.hess`, is 100 at $x = 0$ and
        2508 at the minimum $x = 1$. At which $x$ between them is it 1000? Within 1%. (It can be found by trying. With trace and determinant
        of the Hessian on the floor it can be solved.)""",
    stub="""
        # oc.rosenbrock.hess([x, x**2])
        x = ...""",
    reference=0.7340,
    rtol=0.01,
    misconceptions=[
        Misconception(0.5388, "That is y = x² at the point. Asked for is x."),
        Misconception(0.999, "There the largest eigenvalue is 1000. The condition number is a ratio."),
        Misconception(0.3738, "The condition number does not grow along a straight line in x: look at it half-way."),
        Misconception(0.7071, "Half-way in y is close, but not within 1%: evaluate the condition number there."),
    ],
    hints=[
        "`np.linalg.eigvalsh` gives the eigenvalues of a symmetric matrix in ascending order; evaluate their ratio for a few x.",
        "On the floor the determinant is the same everywhere. If product and ratio of two numbers are known, so are they.",
    ],
)

# --- 2.2 non-convex landscapes ----------------------------------------------------------------------------------------


def classify(g, H, tol):
    if np.linalg.norm(g) > tol:
        return "not critical"
    low, *_, high = np.linalg.eigvalsh(H)
    if low < -tol and high > tol:
        return "saddle"
    if low > tol:
        return "minimum"
    if high < -tol:
        return "maximum"
    return "degenerate"


def _by_signs(g, H, tol, critical=True, tol_of=lambda tol: tol):
    if critical and np.linalg.norm(g) > tol:
        return "not critical"
    return classify(np.zeros_like(g), H, tol_of(tol))


def _by_determinant(g, H, tol):
    if np.linalg.norm(g) > tol:
        return "not critical"
    det = np.linalg.det(H)
    if det < -tol:
        return "saddle"
    if abs(det) <= tol:
        return "degenerate"
    return "minimum" if np.trace(H) > 0 else "maximum"


def _zero_first(g, H, tol):
    if np.linalg.norm(g) > tol:
        return "not critical"
    values = np.linalg.eigvalsh(H)
    return "degenerate" if np.any(abs(values) <= tol) else classify(g, H, tol)


_CLASSIFY = Exercise(
    id="convexity/classify",
    notebook="2.2",
    title="What kind of point is this",
    statement=r"""
        From the gradient `g` and the symmetric Hessian `H` at a point, return one of `"not critical"` (the gradient is longer than
        `tol`), `"saddle"` (one eigenvalue below `-tol`, one above `tol`), `"minimum"` (all above `tol`), `"maximum"` (all below
        `-tol`), or `"degenerate"` (anything else). What equals the tolerance is neither below nor above it.""",
    stub='''
        def classify(g, H, tol):
            """One of "not critical", "saddle", "minimum", "maximum", "degenerate"."""
            ...''',
    reference=classify,
    cases=lambda rng: [
        (np.zeros(2), np.diag([1.0, 2.0]), 1e-8),
        (np.zeros(2), np.diag([1.0, -1.0]), 1e-8),
        (np.zeros(3), np.diag([1.0, -1.0, -1.0]), 1e-8),
        (np.zeros(2), np.diag([1.0, 0.0]), 1e-8),
        (np.zeros(3), np.diag([1.0, 0.0, -1.0]), 1e-8),
        (np.array([1.0, 0.0]), np.diag([1.0, 1.0]), 1e-8),
        (np.zeros(2), np.diag([-1.0, -3.0]), 1e-8),
        (np.array([1e-10, 0.0]), np.diag([1.0, 1e-10]), 1e-8),
        (np.zeros(2), np.array([[0.0, 1.0], [1.0, 0.0]]), 1e-8),
        (np.zeros(2), np.diag([-1.0, 0.0]), 1e-8),
        (np.array([0.5, 0.0]), np.diag([1.0, 2.0]), 0.5),
        (np.zeros(2), np.diag([0.5, 1.0]), 0.5),
        (np.zeros(2), np.diag([-0.5, -1.0]), 0.5),
        (np.zeros(2), np.diag([-0.5, 1.0]), 0.5),
        (np.zeros(2), np.diag([-1.0, 0.5]), 0.5),
    ],
    misconceptions=[
        Misconception(
            _by_determinant,
            "The determinant is only the product of the eigenvalues: two negative ones look like two positive ones.",
        ),
        Misconception(
            lambda g, H, tol: _by_signs(g, H, tol, critical=False),
            "You never look at the gradient: where it is not zero, the point is not critical at all.",
        ),
        Misconception(
            lambda g, H, tol: _by_signs(g, H, tol, tol_of=lambda tol: 0.0),
            "No tolerance on the eigenvalues: one of 1e-10 is zero up to rounding.",
        ),
        Misconception(
            _zero_first,
            "One zero eigenvalue does not make the point undecided if the others already have both signs: it is a saddle.",
        ),
        Misconception(
            lambda g, H, tol: classify(g, np.diag(np.diag(H)), tol),
            "You read the diagonal of H. Its signs are not those of the eigenvalues.",
        ),
        Misconception(
            altered(
                classify,
                "low > tol",
                "low >= tol",
                "high < -tol:",
                "high <= -tol:",
                "low < -tol and high > tol",
                "low <= -tol and high >= tol",
            ),
            "An eigenvalue that equals the tolerance does not count yet: it has to lie beyond.",
        ),
        Misconception(
            altered(classify, "np.linalg.norm(g) > tol", "np.any(g != 0)"),
            "You ask for a gradient of exactly zero. One of 1e-10 is zero up to rounding; that is what `tol` is for.",
        ),
    ],
    hints=[
        "First the gradient, then `np.linalg.eigvalsh(H)`; only the smallest and the largest matter.",
        "Test for both signs before you test for zeros.",
    ],
)


def hessian_from_grad(grad, x):
    h = 1e-5
    columns = [(grad(x + h * e) - grad(x - h * e)) / (2 * h) for e in np.eye(len(x))]
    H = np.array(columns)
    return (H + H.T) / 2


def _rosenbrock_grad(answer, x):
    """called with grad, the gradient of Rosenbrock's function, which notes where it is asked for"""
    x, offsets = np.array(x), []

    def grad(w):
        offsets.append(w - x)
        return np.array([-2 * (1 - w[0]) - 400 * w[0] * (w[1] - w[0] ** 2), 200 * (w[1] - w[0] ** 2)])

    H = answer(grad, x)
    if H is None:
        return None
    alone = [a for a in offsets if not any(np.allclose(a, -b, 1e-6, 0) for b in offsets)]
    return {
        "Hessian": H,
        "symmetry": bool(np.array_equal(H, np.transpose(H))),
        "number of points on one side": len(alone),
    }


_HESSIAN = Exercise(
    id="convexity/hessian-from-grad",
    notebook="2.2",
    title="A Hessian from gradients",
    statement=r"""
        Compute the Hessian of a function at `x` from its gradient alone, by **central** differences of `grad` along each coordinate:
        every point has its counterpart on the other side of `x`. Choose the step so that the result is right to $10^{-6}$
        relative, and return a matrix that is symmetric to the last digit.""",
    stub='''
        def hessian_from_grad(grad, x):
            """The Hessian (n, n) at the point x (n,), from central differences of grad."""
            ...''',
    reference=hessian_from_grad,
    probe=_rosenbrock_grad,
    cases=lambda rng: [([-1.2, 1.0],), (list(rng.uniform(-1.5, 1.5, 2)),)],
    rtol=1e-6,
    atol=1e-5,
    misconceptions=[
        Misconception(
            altered(hessian_from_grad, "grad(x - h * e)) / (2 * h)", "grad(x)) / h"),
            "A forward difference: its error shrinks only in proportion to the step. Take both sides.",
        ),
        Misconception(
            altered(hessian_from_grad, "1e-5", "1e-12"),
            "The step is so small that rounding eats the difference. Near 1e-5 both errors are small.",
        ),
        Misconception(
            altered(hessian_from_grad, "1e-5", "0.1"),
            "The step is so long that the curvature changes within it. Near 1e-5 both errors are small.",
        ),
        Misconception(
            altered(hessian_from_grad, "(2 * h)", "h"),
            "You divide by h instead of 2h: the two points are two steps apart.",
        ),
        Misconception(
            altered(hessian_from_grad, "(H + H.T) / 2", "np.diag(np.diag(H))"),
            "Only the diagonal: the mixed derivatives are missing.",
        ),
    ],
    hints=[
        "Row i: move x along coordinate i by ±h and see how the whole gradient changes.",
        "Differences leave an asymmetry in the last digits: average the matrix with its transpose.",
    ],
)


_WAITING = choice(
    {
        "a": (
            "The run has converged: the loss no longer changes.",
            "The gradient norm grows by a tenth every step: something is about to happen.",
        ),
        "b": (
            "The run is on a plateau.",
            "On a plateau the gradient would stay small; here it grows at a constant rate.",
        ),
        "c": (
            "The run is leaving a saddle.",
            "The loss is flat to second order while the offset, and with it the gradient, grows exponentially.",
        ),
        "d": ("The run diverges.", "Its gradient is still below 0.01, and the growth will end in the next valley."),
    },
    "c",
    id="convexity/waiting",
    notebook="2.2",
    title="Flat loss, growing gradient",
    statement="The code prints loss and gradient norm of a run while it waits. What is happening?",
    name="diagnosis",
    code="""
        path = oc.descend(oc.gd, oc.saddle, [0.5, 1e-8], steps=160, lr=0.1)
        for k in (110, 120, 130, 140):
            print(k, f"{path.loss[k]:.6f}", f"{np.linalg.norm(oc.saddle.grad(path.points[k])):.2e}")""",
    hints=["By what factor does the second number change from line to line?"],
)

# --- 2.3 constraints and Lagrange multipliers -------------------------------------------------------------------------


def solve_qp(Q, c, A, b, g, h):
    def on_equalities(A, b):
        zero = np.zeros((len(A), len(A)))
        solution = np.linalg.solve(np.block([[Q, A.T], [A, zero]]), np.concatenate([-c, b]))
        return solution[: len(c)], solution[len(c) :]

    x, lam = on_equalities(A, b)
    if g @ x <= h:
        return x, lam, 0.0
    x, lam = on_equalities(np.vstack([A, g]), np.append(b, h))
    return x, lam[:-1], lam[-1]


def _penalised(Q, c, A, b, g, h):
    m, binds = len(A), g @ solve_qp(Q, c, A, b, g, np.inf)[0] > h
    A, b = (np.vstack([A, g]), np.append(b, h)) if binds else (A, b)
    x = np.linalg.solve(Q + 1e3 * A.T @ A, 1e3 * A.T @ b - c)
    prices = 1e3 * (A @ x - b)
    return x, prices[:m], prices[m] if binds else 0.0


def _solve_then_project(Q, c, A, b, g, h):
    x, lam, _ = solve_qp(Q, c, A, b, g, np.inf)
    across = g - A.T @ np.linalg.solve(A @ A.T, A @ g)
    return x - max(g @ x - h, 0) / (g @ across) * across, lam, 0.0


def _always_active(Q, c, A, b, g, h):
    x, lam, _ = solve_qp(Q, c, np.vstack([A, g]), np.append(b, h), g, np.inf)
    return x, lam[:-1], lam[-1]


def _qp_cases(rng):
    M = rng.normal(size=(4, 4))
    two = np.array([1.0, 1.0])
    three = (M @ M.T + np.eye(4), rng.normal(size=4), rng.normal(size=(2, 4)), rng.normal(size=2), rng.normal(size=4))
    level = three[-1] @ solve_qp(*three, np.inf)[0]
    return [
        (2 * np.eye(2), np.zeros(2), two[None], np.array([1.0]), np.array([1.0, 0.0]), 0.8),
        (2 * np.eye(2), np.zeros(2), two[None], np.array([1.0]), np.array([1.0, 0.0]), 0.2),
        (
            np.diag([1.0, 10.0]),
            np.array([1.0, 0.0]),
            np.array([[1.0, 2.0]]),
            np.array([0.5]),
            np.array([-1.0, 1.0]),
            0.1,
        ),
        (*three, level - 0.5),
        (*three, level + 0.5),
    ]


_QP = Exercise(
    id="convexity/solve-eq-qp",
    notebook="2.3",
    title="Equations, and one inequality that may not matter",
    statement=r"""
        Minimize $\frac12 x^\top Q x + c^\top x$ subject to $Ax = b$ **and** $g^\top x \le h$ ($Q$ symmetric and positive definite, the rows
        of $A$ and $g$ independent). Return $(x, \lambda, \mu)$ with the Lagrangian
        $\frac12 x^\top Q x + c^\top x + \lambda^\top (Ax - b) + \mu\,(g^\top x - h)$, so that all conditions of Karush, Kuhn and Tucker
        hold. Where the inequality is not needed, $\mu$ is exactly 0.""",
    stub='''
        def solve_qp(Q, c, A, b, g, h):
            """(x, lam, mu) of shapes (n,), (m,) and a number, for A of shape (m, n) and g of shape (n,)."""
            ...''',
    reference=solve_qp,
    cases=_qp_cases,
    misconceptions=[
        Misconception(
            _penalised,
            "Close, but the constraints are only nearly met: a penalty never satisfies them exactly. Solve for x and λ together.",
        ),
        Misconception(
            lambda *case: (solve_qp(*case)[0], -solve_qp(*case)[1], -solve_qp(*case)[2]),
            "The point is right and the multipliers have the wrong sign: the Lagrangian adds λᵀ(Ax - b).",
        ),
        Misconception(
            _solve_then_project,
            "You solve without the inequality and project afterwards. With an anisotropic Q the nearest feasible point is not the "
            "best one, and the multipliers change too.",
        ),
        Misconception(
            lambda Q, c, A, b, g, h: solve_qp(Q, -c, A, b, g, h),
            "The gradient is Qx + c, so the right-hand side holds -c.",
        ),
        Misconception(
            lambda Q, c, A, b, g, h: solve_qp(Q, c, A, b, g, np.inf),
            "The inequality is ignored, and violated where it matters.",
        ),
        Misconception(
            _always_active,
            "You treat the inequality as an equation. Where it does not bind, that costs, and μ comes out negative.",
        ),
        Misconception(
            altered(solve_qp, "g @ x <= h", "g @ x >= h"),
            "Your test is turned round: you keep the first solution just when it violates the inequality.",
        ),
        Misconception(
            altered(solve_qp, "return x, lam[:-1], lam[-1]", "return x, lam[:-1], 0.0"),
            "The inequality binds and has no price: its multiplier stands in your solution too.",
        ),
    ],
    hints=[
        "Solve with the equations alone first. When is that already the answer?",
        "If not, the inequality holds as one more equation. `np.block` builds the matrix, `np.vstack` adds a row.",
    ],
)


def _random_qp(rng, n, m):
    M = rng.normal(size=(n, n))
    return M @ M.T + np.eye(n), rng.normal(size=(m, n))


def value_curvature(Q, A):
    return np.linalg.inv(A @ np.linalg.solve(Q, A.T))


_VALUE = Exercise(
    id="convexity/derive-value-curvature",
    notebook="2.3",
    title="Derive: how a price rises",
    statement=r"""
        Let $V(b)$ be the lowest value of $\frac12 x^\top Q x + c^\top x$ subject to $Ax = b$ ($Q$ symmetric and positive definite, the rows of
        `A` independent). The page shows that the multiplier is a price: $\nabla V(b) = -\lambda$. Prices change when one buys: derive, and
        return, the Hessian of $V$ in $b$, an array of shape `(m, m)` for `A` of shape `(m, n)`. (Why do $b$ and $c$ drop out? Is $V$
        convex?)""",
    stub='''
        def value_curvature(Q, A):
            """The Hessian of the optimal value in the right-hand side b, shape (m, m)."""
            ...''',
    reference=value_curvature,
    cases=lambda rng: [
        (np.array([[2.0]]), np.array([[4.0]])),
        (np.diag([1.0, 10.0]), np.array([[1.0, 2.0]])),
        _random_qp(rng, 4, 2),
        _random_qp(rng, 3, 3),
    ],
    misconceptions=[
        Misconception(
            lambda Q, A: -value_curvature(Q, A),
            "That is how λ changes with b. The price is its negative, and it rises: V is convex.",
        ),
        Misconception(
            lambda Q, A: np.linalg.inv(value_curvature(Q, A)),
            "That says how b changes with the price. Solve it for the price.",
        ),
        Misconception(
            lambda Q, A: np.linalg.inv(A @ A.T),
            "Q has dropped out: moving x costs more in directions in which Q is large.",
        ),
        Misconception(
            lambda Q, A: np.linalg.inv(A @ Q @ A.T),
            "Q stands where its inverse belongs: stationarity has to be solved for x before it is put into Ax = b.",
        ),
        Misconception(
            lambda Q, A: np.linalg.pinv(A).T @ Q @ np.linalg.pinv(A),
            "You move x the shortest way to the new constraint. The optimum moves the cheapest way, which Q decides.",
        ),
        Misconception(
            lambda Q, A: 2 * value_curvature(Q, A), "Twice too large: the objective holds half of xᵀQx, so its gradient is Qx + c."
        ),
        Misconception(
            lambda Q, A: value_curvature(Q, A) / 2, "Half of the Hessian: V itself holds ½ bᵀ(…)b, and two derivatives undo the half."
        ),
    ],
    hints=[
        "Stationarity: Qx + c + Aᵀλ = 0. Solve it for x and put that into Ax = b: which linear equation remains for λ?",
        "How does the λ of that equation change when b does? Mind the sign between λ and the price.",
    ],
)  # fmt: skip


def project_simplex(v):
    u = np.sort(v)[::-1]
    theta = (np.cumsum(u) - 1) / np.arange(1, len(v) + 1)
    last = np.nonzero(u > theta)[0][-1]
    return np.maximum(v - theta[last], 0)


def _softmax(v):
    e = np.exp(v - v.max())
    return e / e.sum()


_SIMPLEX = Exercise(
    id="convexity/project-simplex",
    notebook="2.3",
    title="Projection onto the simplex",
    statement=r"""
        Return the point with non-negative entries that sum to 1 which is **nearest** to `v`. It has the form
        $\max(v - \theta, 0)$ for one number $\theta$.""",
    stub='''
        def project_simplex(v):
            """The nearest point of the probability simplex to v, shape (n,)."""
            ...''',
    reference=project_simplex,
    cases=lambda rng: [
        (np.array([0.5, 0.8, -0.3]),),
        (np.array([0.2, 0.3, 0.5]),),
        (np.array([3.0, 0.0]),),
        (np.array([-1.0, -2.0, -1.5]),),
        (rng.normal(size=6),),
    ],
    misconceptions=[
        Misconception(
            lambda v: np.maximum(v, 0) / np.maximum(v, 0).sum() if (v > 0).any() else np.full(len(v), 1 / len(v)),
            "Clip and renormalize gives a point of the simplex, but not the nearest one: subtract, do not scale.",
        ),
        Misconception(
            lambda v: np.maximum(v, 0) / np.maximum(v, 0).sum(),
            "Clip and renormalize: it is not the nearest point, and where no entry is positive there is nothing to divide by.",
        ),
        Misconception(_softmax, "The softmax gives a point of the simplex, but not the nearest one; it even moves feasible points."),
        Misconception(
            lambda v: v - (v.sum() - 1) / len(v),
            "The sum is right, but entries may be negative: the shift must be found together with the clipping.",
        ),
        Misconception(
            lambda v: np.maximum(v - (v.sum() - 1) / len(v), 0),
            "One shift for all entries and then clipping: after the clipping the sum is no longer 1.",
        ),
    ],
    hints=["Suppose you knew which entries stay positive. Which θ makes their sum 1?",
           "Sort in descending order and try the k largest as the positive ones, for each k."],
)  # fmt: skip


def project_ball(v, centre, R):
    away = v - centre
    return centre + away * R / max(np.linalg.norm(away), R)


_BALL = Exercise(
    id="convexity/project-ball",
    notebook="2.3",
    title="Projection onto a ball",
    statement=r"""
        Return the point of the ball of radius `R` around `centre` that is nearest to `v`. With the origin as centre this is gradient
        clipping by norm; around a solution that is trusted it limits a step.""",
    stub='''
        def project_ball(v, centre, R):
            """The nearest point to v, shape (n,), in the ball of radius R > 0 around centre (n,)."""
            ...''',
    reference=project_ball,
    cases=lambda rng: [
        (np.array([3.0, 4.0]), np.zeros(2), 1.0),
        (np.array([0.3, 0.4]), np.zeros(2), 1.0),
        (np.array([0.9, 0.9]), np.zeros(2), 1.0),
        (np.array([1.2, 1.2]), np.zeros(2), 2.0),
        (np.array([4.0, 5.0]), np.array([1.0, 1.0]), 2.5),
        (np.array([1.0, 2.0, 2.0]), np.array([1.0, 2.0, 2.0]), 2.0),
        (rng.normal(size=4) * 3, rng.normal(size=4), 1.5),
    ],
    misconceptions=[
        Misconception(
            altered(project_ball, "max(np.linalg.norm(away), R)", "np.linalg.norm(away)"),
            "You always rescale: points inside the ball are their own projection and stay where they are.",
        ),
        Misconception(
            altered(project_ball, "away * R / max(np.linalg.norm(away), R)", "np.clip(away, -R, R)"),
            "That is the projection onto a box, coordinate by coordinate; it can turn the direction.",
        ),
        Misconception(
            altered(project_ball, "away * R / max(np.linalg.norm(away), R)", "away / max(np.linalg.norm(away), 1.0)"),
            "That is the ball of radius 1; the radius is R.",
        ),
        Misconception(
            lambda v, centre, R: project_ball(v, 0 * v, R),
            "That is the ball around the origin; it lies around `centre`.",
        ),
        Misconception(
            altered(project_ball, "centre + away", "away"),
            "You return the way from the centre: go there from the centre.",
        ),
        Misconception(
            altered(
                project_ball,
                "return centre",
                "return v if away @ away <= R else centre",
                "max(np.linalg.norm(away), R)",
                "np.linalg.norm(away)",
            ),
            "You compare the squared distance with R: a root is missing, or a square.",
        ),
    ],
    hints=[
        "Inside: nothing to do. Outside: which point of the sphere is nearest?",
        "One factor on the way from the centre, never above 1, covers both.",
    ],
)


def projected_descent(grad, w0, lr, steps, R):
    w = np.array(w0, float)
    for _ in range(steps):
        w = w - lr * grad(w)
        w = w * R / max(np.linalg.norm(w), R)
    return w


def _around(answer, centre, w0, lr, steps, R):
    """called with grad(w) = 2 (w - centre)"""
    return answer(lambda w: 2 * (w - centre), w0, lr, steps, R)


_BUG = Exercise(
    id="convexity/leaves-the-ball",
    notebook="2.3",
    title="The run that leaves the ball",
    kind="bug hunt",
    statement=r"""
        Projected gradient descent should stay in the ball of radius `R` around the origin. This version ends outside.
        Find the bug and repair it. It returns the last point.""",
    stub='''
        def projected_descent(grad, w0, lr, steps, R):
            """The point after `steps` steps of projected gradient descent."""
            w = np.array(w0, float)
            for _ in range(steps):
                g = grad(w)
                w = w - lr * g * R / max(np.linalg.norm(g), R)
            return w''',
    reference=projected_descent,
    probe=_around,
    cases=lambda rng: [
        (np.array([1.6, 1.0]), np.zeros(2), 0.3, 3, 1.0),
        (np.array([0.3, -0.2]), np.zeros(2), 0.3, 3, 2.0),
        (np.array([3.0, -1.0]), np.array([0.0, 1.0]), 0.45, 5, 1.0),
        (rng.normal(size=3) * 3, rng.normal(size=3), 0.4, 4, 1.2),
    ],
    misconceptions=[
        Misconception(
            altered(
                projected_descent,
                "w = w - lr * grad(w)",
                "w = w * R / max(np.linalg.norm(w), R)",
                "w = w * R / max(np.linalg.norm(w), R)\n        w = w * R",
                "w = w - lr * grad(w)\n        w = w * R",
                "\n        w = w * R / max(np.linalg.norm(w), R)\n    return",
                "\n    return",
            ),
            "The projection is there, but before the step: the last point has taken a step and not been brought back.",
        ),
        Misconception(
            altered(projected_descent, "        w = w * R", "    w = w * R"),
            "Projecting once at the end is not enough: the gradients on the way are taken at points outside.",
        ),
        Misconception(
            altered(projected_descent, "max(np.linalg.norm(w), R)", "np.linalg.norm(w)"),
            "Now every point is put on the sphere, also those that are inside; these stay where they are.",
        ),
        Misconception(
            altered(projected_descent, "w = w * R / max(np.linalg.norm(w), R)", "w = np.clip(w, -R, R)"),
            "You clip every coordinate, which keeps the run in a box; its corners lie outside the ball.",
        ),
    ],
    hints=[
        "Which vector is shortened in this code, and which one should be?",
        "In which order do step and projection come?",
    ],
)


EXERCISES = [_CONVEX, _PENALTY, _DERIVE, _KAPPA, _CLASSIFY, _HESSIAN, _WAITING, _QP, _VALUE, _SIMPLEX, _BALL, _BUG]
