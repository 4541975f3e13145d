"""Exercises of chapter 3, gradient descent and its variants."""

import numpy as np

from ..exercise import Exercise, Misconception, choice, draw_facts, take, three_draws
from ..slips import altered

# --- 3.1 gradient descent and the step size ---------------------------------------------------------------------------


def gradient_descent(grad, w0, lr, steps):
    history = [np.array(w0, float)]
    for _ in range(steps):
        history.append(history[-1] - lr * grad(history[-1]))
    return np.array(history)


def _on_quadratic(gradient_descent, A, b, w0, lr, steps):
    """called with grad(w) = A @ w - b"""
    return gradient_descent(lambda w: A @ w - b, w0, lr, steps)


def _gd_cases(rng):
    random = [rng.normal(size=(3, 3)) for _ in range(2)]
    return [
        (np.array([[2.0]]), np.array([2.0]), np.array([2.0]), 0.1, 2),
        (np.array([[2.0, 1.0], [1.0, 3.0]]), np.zeros(2), np.array([1.0, -1.0]), 0.25, 3),
        *((M @ M.T / 3, rng.normal(size=3), rng.normal(size=3), rng.uniform(0.05, 0.2), 5) for M in random),
    ]


def _descend(step, *, start=None, keep=np.array):
    """A wrong descent: `step(grad, w, lr)` makes the next point, `keep` stores it, `start` takes over `w0`."""

    def wrong(grad, w0, lr, steps):
        w = (start or np.array)(w0)
        history = [keep(w)]
        for _ in range(steps):
            w = step(grad, w, lr)
            history.append(keep(w))
        return np.array(history)

    return wrong


def _in_place(grad, w, lr):
    w -= lr * grad(w)
    return w


def _one_coordinate_after_the_other(grad, w, lr):
    w = w.copy()
    for i in range(w.size):
        w[i] -= lr * grad(w)[i]
    return w


def _gradient_of_the_start(grad, w0, lr, steps):
    return w0 - lr * np.arange(steps + 1)[:, None] * grad(w0)


_GD = Exercise(
    id="gradient-descent/gd",
    notebook="3.1",
    title="Gradient descent",
    statement=r"""
        Write batch gradient descent, $w_{k+1} = w_k - \eta\,\nabla f(w_k)$.

        `grad` is a function that gives the gradient at a point, `w0` the starting point, an array of shape
        `(n,)`, `lr` the learning rate $\eta$. Return every point visited, the start included, as an array of
        shape `(steps + 1, n)`. The caller's `w0` stays as it was.""",
    stub='''
        def gradient_descent(grad, w0, lr, steps):
            """All points of `steps` steps of gradient descent from `w0`, shape (steps + 1, n)."""
            ...''',
    reference=gradient_descent,
    probe=_on_quadratic,
    cases=_gd_cases,
    misconceptions=[
        Misconception(
            _descend(lambda grad, w, lr: w + lr * grad(w)),
            "You walk uphill: the gradient points to where f grows, and the step goes the other way.",
        ),
        Misconception(
            lambda *case: gradient_descent(*case)[-1],
            "You return only the last point; the exercise asks for all of them, one row each.",
        ),
        Misconception(
            lambda *case: gradient_descent(*case)[1:],
            "The start is missing: the first row of the history is `w0` itself, before any step.",
        ),
        Misconception(
            lambda grad, w0, lr, steps: gradient_descent(grad, w0, lr, steps + 1),
            "You take one step too many: `steps` steps visit `steps + 1` points.",
        ),
        Misconception(
            lambda grad, w0, lr, steps: gradient_descent(grad, w0, lr, steps - 1),
            "You take one step too few: the start is not a step.",
        ),
        Misconception(
            _descend(lambda grad, w, lr: w - grad(w)), "The learning rate is not used: your step is the whole gradient."
        ),
        Misconception(
            _descend(_in_place, keep=lambda w: w),
            "All rows are equal: `w -= …` changes the array that the history already holds, so "
            "every row is the same array. Store a copy, or make a new array in each step.",
        ),
        Misconception(
            _descend(_in_place, start=np.asarray, keep=lambda w: w),
            "All rows are equal and the caller's `w0` is overwritten: every row, and `w0` too, "
            "is one array that `-=` changes in place.",
        ),
        Misconception(
            _descend(_in_place, start=np.asarray),
            "The points are right, but the caller's `w0` has moved: `w = w0` gives the array a "
            "second name, it does not copy it, and `w -= …` then writes into it.",
        ),
        Misconception(
            _descend(_one_coordinate_after_the_other),
            "You move one coordinate after the other, so the later ones see a gradient at a "
            "point that is already half moved. All coordinates of a step use the same gradient.",
        ),
        Misconception(
            _gradient_of_the_start,
            "You use the gradient of the start in every step; it has to be taken afresh at each point.",
        ),
        Misconception(
            _descend(lambda grad, w, lr: w - lr * grad(w) / np.linalg.norm(grad(w))),
            "You divide the gradient by its length, so that every step is equally long. In "
            "gradient descent the steps shrink with the slope.",
        ),
        Misconception(
            altered(
                gradient_descent,
                "history.append(history[-1] - lr * grad(history[-1]))",
                "history.append(history[-1] - lr * grad(history[-1]))\n        return np.array(history)",
            ),
            "Your `return` stands inside the loop, so the function ends after its first step.",
        ),
        Misconception(
            altered(gradient_descent, "history[-1] - lr", "w0 - lr"),
            "Every step starts from `w0` again; it should start from the newest point.",
        ),
    ],
    hints=[
        "Two points suffice to see the pattern: what is the point after `w0`? And the one after that?",
        "A list that starts with a copy of `w0` and grows by one point per step becomes the result with `np.array`.",
        "In each step take the newest point of the list, and make a *new* array from it rather than changing it.",
    ],
)


def contraction(mu, L, lr):
    return max(abs(1 - lr * mu), abs(1 - lr * L))


_CONTRACTION = Exercise(
    id="gradient-descent/contraction",
    notebook="3.1",
    title="How fast the error shrinks",
    statement=r"""
        On a quadratic whose Hessian has its eigenvalues between $\mu$ and $L$ (both occur), each step of
        gradient descent multiplies the error along an eigenvector by a factor. Return the number by which the
        length of the error shrinks (or grows) per step in the worst case, for $0 < \mu \le L$ and any learning
        rate $\eta > 0$.""",
    stub='''
        def contraction(mu, L, lr):
            """The factor by which the error changes in one step of gradient descent, in the worst direction."""
            ...''',
    reference=contraction,
    cases=lambda rng: [
        (1.0, 100.0, 2 / 101),
        (0.5, 100.0, 0.001),
        (1.0, 100.0, 0.021),
        (0.8, 3.0, 1.5),
        (1.0, 1.2, 1.0),
        (2.9, 3.0, 0.3),
        (rng.uniform(0.1, 1), rng.uniform(2, 9), rng.uniform(0.1, 1)),
    ],
    misconceptions=[
        Misconception(
            lambda mu, L, lr: abs(1 - lr * mu),
            "You look at the flattest direction only. Beyond lr = 2/(L + μ) the steepest one is "
            "worse, and beyond 2/L it diverges.",
        ),
        Misconception(
            lambda mu, L, lr: abs(1 - lr * L),
            "You look at the steepest direction only. With a small learning rate the flattest one is the slow one.",
        ),
        Misconception(
            lambda mu, L, lr: max(1 - lr * mu, 1 - lr * L),
            "A factor of −1.1 makes the error grow just as 1.1 does: what counts is its size, not its sign.",
        ),
        Misconception(
            lambda mu, L, lr: (L - mu) / (L + mu),
            "That is the rate at the best learning rate, 2/(L + μ); here the learning rate is given.",
        ),
        Misconception(
            lambda mu, L, lr: max(abs(1 - lr * mu), abs(1 - lr * L)) ** 2,
            "That is the factor of the loss, which is quadratic in the error; asked for is the error itself.",
        ),
        Misconception(
            lambda mu, L, lr: min(abs(1 - lr * mu), abs(1 - lr * L)),
            "You return the best direction; the worst one decides.",
        ),
    ],
    hints=[
        "Along an eigenvector with eigenvalue λ the error e becomes e − η λ e. By which factor is that?",
        "The factor is linear in λ, so its size is largest at one of the two ends of the interval.",
    ],
)


def two_rates(mu, L, lr1, lr2):
    top = np.clip((1 / lr1 + 1 / lr2) / 2, mu, L)
    return max(abs((1 - lr1 * curvature) * (1 - lr2 * curvature)) for curvature in (mu, L, top))


def _over(curvatures, of=abs):
    """The largest factor of two steps over some curvatures."""
    return lambda mu, L, lr1, lr2: max(of((1 - lr1 * c) * (1 - lr2 * c)) for c in curvatures(mu, L, lr1, lr2))


_TWO_RATES = Exercise(
    id="gradient-descent/derive-two-rates",
    notebook="3.1",
    title="Derive: two rates by turns",
    statement=r"""
        Gradient descent on a quadratic uses two learning rates by turns, $\eta_1, \eta_2, \eta_1, \dots$ Its Hessian may have any eigenvalues
        between $\mu$ and $L$, so count all of that interval. Derive the factor by which **two** steps together change the length of the
        error in the worst direction, and return it. (One of the two steps alone may be too long to be stable. For $\mu = 1$, $L = 10$ try
        0.115 and 0.431 and compare with the best single rate, used twice.)""",
    stub='''
        def two_rates(mu, L, lr1, lr2):
            """The worst factor on the error, over all curvatures from mu to L, after a step of lr1 and one of lr2."""
            ...''',
    reference=two_rates,
    cases=lambda rng: [
        (1.0, 10.0, 0.105, 0.45),
        (1.0, 10.0, 0.15, 0.15),
        (1.0, 4.0, 0.6, 1.0),
        (2.0, 3.0, 0.1, 0.2),
        (1.0, 3.0, 2.0, 1.5),
        (3.0, 4.0, 0.1, 1.0),
        (1.0, 10.0, 0.3, 0.3),
        (rng.uniform(0.5, 1), rng.uniform(8, 12), rng.uniform(0.1, 0.13), rng.uniform(0.4, 0.6)),
    ],
    misconceptions=[
        Misconception(
            lambda mu, L, lr1, lr2: contraction(mu, L, lr1) * contraction(mu, L, lr2),
            "You multiply the worst factors of the two steps. Each has a worst direction of its own; one direction meets both steps.",
        ),
        Misconception(
            _over(lambda mu, L, lr1, lr2: (mu, L)),
            "You look at μ and L alone. The factor of two steps is quadratic in the curvature, and may be worst between them.",
        ),
        Misconception(
            lambda *case: np.sqrt(two_rates(*case)), "That is the factor of one step on average; asked for are both steps together."
        ),
        Misconception(
            lambda mu, L, lr1, lr2: contraction(mu, L, (lr1 + lr2) / 2) ** 2,
            "Two different rates do not act like their mean: (1 - η₁λ)(1 - η₂λ) is another parabola than a square.",
        ),
        Misconception(
            _over(lambda mu, L, lr1, lr2: (mu, L, np.clip((1 / lr1 + 1 / lr2) / 2, mu, L)), of=lambda x: x),
            "A factor of -0.9 is as bad as 0.9: what counts is its size, not its sign.",
        ),
        Misconception(
            altered(two_rates, "np.clip((1 / lr1 + 1 / lr2) / 2, mu, L)", "(1 / lr1 + 1 / lr2) / 2"),
            "The turning point of the parabola counts only if it lies between μ and L: no curvature is found outside.",
        ),
        Misconception(
            _over(lambda mu, L, lr1, lr2: (mu, L, (mu + L) / 2)),
            "Half-way between μ and L is not where the parabola turns: that depends on its two zeros, 1/η₁ and 1/η₂.",
        ),
        Misconception(
            lambda mu, L, lr1, lr2: max(contraction(mu, L, lr1), contraction(mu, L, lr2)),
            "You take the worse one of the two steps. Both are taken, so their factors multiply.",
        ),
    ],
    hints=[
        "Along an eigenvector with eigenvalue λ: what do two steps multiply the error by? Draw it as a function of λ.",
        "Its zeros are 1/η₁ and 1/η₂. Where can the size of a parabola be largest on an interval?",
    ],
)  # fmt: skip


def backtracking(f, grad, w, c):
    lr, g = 1.0, grad(w)
    while f(w - lr * g) > f(w) - c * lr * (g @ g):
        lr = lr / 2
    return lr


def _line_search(f_enough, *, then=lambda lr: lr):
    """A wrong line search: `f_enough(f0, c, lr, gg)` is the value it is content with."""

    def wrong(f, grad, w, c):
        lr, g = 1.0, grad(w)
        while f(w - lr * g) > f_enough(f(w), c, lr, g @ g):
            lr /= 2
        return then(lr)

    return wrong


def _halve_once(f, grad, w, c):
    g = grad(w)
    return 1.0 if f(w - g) <= f(w) - c * (g @ g) else 0.5


def _search_on_quadratic(backtracking, A, w, c):
    """called with f(w) = w @ A @ w / 2 and grad(w) = A @ w"""
    return backtracking(lambda w: w @ A @ w / 2, lambda w: A @ w, w, c)


def _search_cases(rng):
    slopes = np.geomspace(1, 300, 6) * rng.uniform(0.9, 1.1, 6)
    return [
        (np.array([[2.0]]), np.array([1.0]), 1e-4),
        (np.array([[2.0]]), np.array([1.0]), 0.5),
        (np.array([[100.0]]), np.array([0.5]), 1e-4),
        (np.diag([0.4, 0.1]), rng.normal(size=2), 0.1),
        *(
            (np.diag([L, rng.uniform(0.2, 1)]), rng.normal(size=2), c)
            for L, c in zip(slopes, (0.9, 0.6, 0.4, 0.3, 0.6, 0.9), strict=True)
        ),
    ]


_BACKTRACKING = Exercise(
    id="gradient-descent/backtracking",
    notebook="3.1",
    title="Backtracking line search",
    statement=r"""
        Find a learning rate without knowing $L$: begin with $\eta = 1$ and halve it until Armijo's condition
        $f(w - \eta g) \le f(w) - c\,\eta\,\lVert g\rVert^2$ holds, $g = \nabla f(w)$. Return that $\eta$.""",
    stub='''
        def backtracking(f, grad, w, c):
            """The first of 1, 1/2, 1/4, … that meets Armijo's condition at `w`."""
            ...''',
    reference=backtracking,
    probe=_search_on_quadratic,
    cases=_search_cases,
    misconceptions=[
        Misconception(
            _line_search(lambda f0, c, lr, gg: np.nextafter(f0, -np.inf)),
            "You are content with any decrease. Armijo asks for a share c of the decrease that "
            "the slope promises; without it the steps can stall.",
        ),
        Misconception(
            _line_search(lambda f0, c, lr, gg: f0),
            "You accept a step that leaves f as high as before: on f(w) = w² from 1, lr = 1 "
            "jumps to −1 and back, for ever.",
        ),
        Misconception(_halve_once, "You halve at most once: keep halving while the condition fails."),
        Misconception(
            _line_search(lambda f0, c, lr, gg: f0 - c * lr * np.sqrt(gg)),
            "You take the length of the gradient where its square belongs: along −g the slope is −‖g‖².",
        ),
        Misconception(
            _line_search(lambda f0, c, lr, gg: f0 + c * lr * gg),
            "The sign is turned round: your condition allows f to rise.",
        ),
        Misconception(
            _line_search(lambda f0, c, lr, gg: f0 - c * lr * gg, then=lambda lr: lr / 2),
            "You halve once more after the condition already holds.",
        ),
        Misconception(
            altered(backtracking, "> f(w) - c", ">= f(w) - c"),
            "You also halve where the condition holds with equality: it asks for at most that value.",
        ),
        Misconception(
            altered(backtracking, "lr = lr / 2", "lr = lr / 10"),
            "You divide by ten. The rates to try are 1, one half, one quarter and so on.",
        ),
        Misconception(
            altered(backtracking, "lr / 2\n    return lr", "lr / 2\n    return w - lr * g"),
            "You return the point that the step leads to; asked for is the learning rate.",
        ),
    ],
    hints=[
        "Which is the first learning rate to try, and what is to be compared with what?",
        "A `while` loop whose condition is the *opposite* of Armijo's, with one line in its body.",
        "The promise of the slope: a step lr along −g changes f by about −lr times g·g.",
    ],
)


# --- 3.2 stochastic and mini-batch gradient descent ------------------------------------------------------------------


def minibatches(n, b, rng):
    order = rng.permutation(n)
    for start in range(0, n, b):
        yield order[start : start + b]


def _two_epochs(minibatches, n, b, seed):
    """called twice with the same rng = np.random.default_rng(seed), once for each of two epochs"""
    return three_draws(lambda rng: [take(minibatches(n, b, rng), 200) for _ in range(2)], seed)


def _what_counts(draws, n, b, seed):
    """What is the same for every right shuffle: sizes, that each index comes once, that the order is new and drawn."""
    first, second = (np.concatenate([np.ravel(batch) for batch in epoch]) for epoch in draws[0])
    moved = [len(set(batch) & set(range(k * b, k * b + b))) for k, batch in enumerate(map(np.ravel, draws[0][0]))]
    return {
        "list of batch sizes": [len(batch) for batch in draws[0][0]],
        "count of each index": [int(sum(epoch == i)) for i in range(n) for epoch in (first, second)],
        "random order": list(first) != sorted(first),
        "mixing across the whole data": n <= b or sum(moved) < n,
        "order of the second epoch": list(first) != list(second),
    } | draw_facts(draws)


def _sliced(order, whole=lambda n, b: n):
    """Batches cut from `order(n, rng)`; `whole(n, b)` is where the cutting ends."""

    def batches(n, b, rng):
        indices = order(n, rng)
        return [indices[start : start + b] for start in range(0, whole(n, b), b)]

    return batches


def _shuffled_in_place(n, rng):
    order = np.arange(n)
    rng.shuffle(order)
    return order


_MINIBATCHES = Exercise(
    id="gradient-descent/minibatches",
    notebook="3.2",
    title="One epoch of mini-batches",
    statement=r"""
        Cut the indices $0, \dots, n-1$ into mini-batches for one epoch: in a random order drawn from the
        generator `rng`, `b` at a time, every index exactly once. If `b` does not divide `n`, the last batch
        is smaller. Yield the batches (or return them in a list), each an array of indices. The next call
        with the same `rng` gives another order; a new generator with the same seed gives the same one.""",
    stub="""
        def minibatches(n, b, rng):
            \"\"\"The batches of one epoch, arrays of indices.\"\"\"
            ...""",
    reference=minibatches,
    probe=_two_epochs,
    summary=_what_counts,
    also_right=[_sliced(_shuffled_in_place), _sliced(lambda n, rng: rng.choice(n, n, replace=False))],
    cases=lambda rng: [(20, 5, 0), (23, 6, 1), (30, 30, 2), (int(rng.integers(40, 60)), 7, int(rng.integers(1000)))],
    misconceptions=[
        Misconception(
            _sliced(lambda n, rng: rng.integers(n, size=n)),
            "You draw with replacement: in one epoch some examples come twice and others not at all.",
        ),
        Misconception(
            lambda n, b, rng: [rng.choice(n, b, replace=False) for _ in range(0, n, b)],
            "You draw every batch afresh: no index comes twice in one batch, but it may in the next one.",
        ),
        Misconception(
            _sliced(lambda n, rng: rng.permutation(n), whole=lambda n, b: n - n % b),
            "You leave out the last, smaller batch; its examples are never seen in this epoch.",
        ),
        Misconception(
            _sliced(lambda n, rng: np.arange(n)),
            "The order is that of the data. Sorted data then gives batches that all say the same; shuffle.",
        ),
        Misconception(
            _sliced(lambda n, rng: np.random.default_rng(0).permutation(n)),
            "Every epoch has the same order: you make a generator of your own instead of using `rng`.",
        ),
        Misconception(
            _sliced(lambda n, rng: np.random.permutation(n)),
            "You draw from NumPy's global generator: the run cannot be repeated from the `rng` that is handed in.",
        ),
        Misconception(
            lambda n, b, rng: [rng.permutation(np.arange(n)[start : start + b]) for start in range(0, n, b)],
            "You shuffle inside each batch. Batch k still holds the same examples in every epoch: shuffle before you cut.",
        ),
        Misconception(
            _sliced(lambda n, rng: rng.permutation(n), whole=lambda n, b: b),
            "You stop after the first batch; an epoch goes through all of the data.",
        ),
    ],
    hints=[
        "Shuffle once, then cut.",
        "`rng.permutation` gives each index once, in a random order.",
        "A slice that reaches beyond the end of an array is just shorter.",
    ],
)


def sgd_step(theta, rows, lr, x, prob):
    return theta - lr * np.mean(2 * (theta - x[rows]) / (len(x) * prob[rows]))


_SGD_STEP = Exercise(
    id="gradient-descent/sgd-step",
    notebook="3.2",
    title="A mini-batch step with a lopsided draw",
    statement=r"""
        The loss is $J(\theta) = \frac1N \sum_{i} (\theta - x_i)^2$ over the numbers in the array `x`. The examples of a mini-batch are drawn
        independently, with replacement, but not all alike: number $i$ comes with probability `prob[i]`. Weigh the examples so that the
        batch's gradient is **right on average**, and take one step with learning rate `lr` from the number `theta`; `rows` holds the
        indices that were drawn. Return the new $\theta$.""",
    stub="""
        def sgd_step(theta, rows, lr, x, prob):
            \"\"\"theta after one step on the examples x[rows], drawn with the probabilities prob[rows].\"\"\"
            ...""",
    reference=sgd_step,
    cases=lambda rng: [
        (10.0, np.arange(4), 0.1, np.arange(1.0, 9.0), np.full(8, 0.125)),
        (0.0, np.array([2]), 0.25, np.arange(3.0), np.array([0.5, 0.3, 0.2])),
        (1.0, np.array([0, 0, 1]), 0.2, np.array([2.0, -3.0]), np.array([0.9, 0.1])),
        (rng.normal(), rng.integers(12, size=5), 0.2, rng.normal(size=12), rng.dirichlet(np.full(12, 3.0))),
    ],
    misconceptions=[
        Misconception(
            altered(sgd_step, " / (len(x) * prob[rows])", ""),
            "Every example counts the same in your batch, so those that come often pull too hard: weigh against that.",
        ),
        Misconception(
            altered(sgd_step, " / (len(x) * prob[rows])", " * (len(x) * prob[rows])"),
            "The wrong way round: what is drawn often has to count less each time.",
        ),
        Misconception(
            altered(sgd_step, "(len(x) * prob[rows])", "prob[rows]"),
            "With all probabilities 1/N the weights must be 1, and yours are N.",
        ),
        Misconception(
            lambda theta, rows, lr, x, prob: theta - lr * np.sum(2 * (theta - x[rows]) / prob[rows]) / np.sum(1 / prob[rows]),
            "You divide by the sum of the weights in the batch, which is drawn as well: that is not right on average.",
        ),
        Misconception(
            altered(sgd_step, "np.mean", "np.sum"),
            "You add up the gradients of the batch; the rule takes their mean, or the step grows with the batch size.",
        ),
        Misconception(
            lambda theta, rows, lr, x, prob: theta - lr * np.sum(2 * prob * (theta - x)),
            "You take the mean over all examples with the probabilities: only those of the batch are seen, and J weighs all alike.",
        ),
        Misconception(altered(sgd_step, "theta - lr", "theta + lr"), "You step uphill: check the sign of the step."),
        Misconception(
            altered(sgd_step, "2 * (theta", "(theta"), "The derivative of a square has a factor that you left out."
        ),
        Misconception(
            altered(sgd_step, "theta - x[rows]", "theta - rows"),
            "You use the indices as if they were the examples: `rows` says where in `x` they stand.",
        ),
        Misconception(
            altered(sgd_step, "len(x)", "len(rows)"),
            "The N of the weights is the number of all examples; the batch's size is in the mean already.",
        ),
    ],
    hints=[
        "Write down the expected value of w(i) times the gradient of example i, if i comes with probability p(i).",
        "It has to be the sum of all gradients over N, whatever these are: so p(i) w(i) is the same number for all.",
    ],
)  # fmt: skip


def batch_moments(x, b):
    N, spread = len(x), np.var(x)
    return spread / b * (N - b) / (N - 1), -spread / (N - 1)


_DERIVE = Exercise(
    id="gradient-descent/derive-batch-moments",
    notebook="3.2",
    title="Derive: two batches of one epoch",
    statement=r"""
        The $N$ numbers in `x` are shuffled and cut into batches of `b`, so that no number comes twice in an epoch. Derive on paper, and
        return, the variance of the mean of one batch, and the covariance of the means of two different batches of the same
        epoch. (What do the means of all batches of an epoch add up to?)""",
    stub="""
        def batch_moments(x, b):
            \"\"\"(variance of a batch mean, covariance of two batch means) without replacement; b divides len(x).\"\"\"
            ...""",
    reference=batch_moments,
    cases=lambda rng: [
        (np.array([0.0, 1.0, 2.0, 5.0]), 2),
        (np.array([1.0, -1.0, 3.0]), 1),
        (rng.normal(size=12), int(rng.choice([2, 3, 4]))),
    ],
    misconceptions=[
        Misconception(
            lambda x, b: (np.var(x) / b, 0.0),
            "That holds for draws with replacement. Without it, what is in one batch cannot be in another.",
        ),
        Misconception(
            altered(batch_moments, "-spread / (N - 1)", "0.0"),
            "The variance is right. The batches are not independent: a number that is in one of them is missing in the other.",
        ),
        Misconception(
            altered(batch_moments, "-spread / (N - 1)", "spread / (N - 1)"),
            "The sign is wrong: if one batch got the large numbers, they are missing in the other.",
        ),
        Misconception(
            altered(batch_moments, "-spread / (N - 1)", "-spread / N"),
            "The covariance is slightly too small: two different numbers are drawn, the second from N - 1.",
        ),
        Misconception(
            altered(batch_moments, "(N - b) / (N - 1)", "(N - b) / N", "-spread / (N - 1)", "-spread / N"),
            "You divide by N where N - 1 belongs: with b = 1 a batch has the variance of the data.",
        ),
        Misconception(
            altered(batch_moments, " * (N - b) / (N - 1)", ""),
            "The variance lacks its correction: a batch of all N numbers always has the same mean.",
        ),
        Misconception(
            altered(batch_moments, "np.var(x)", "np.var(x, ddof=1)"),
            "The numbers are the whole population, so their variance divides by N.",
        ),
        Misconception(
            altered(batch_moments, "-spread / (N - 1)", "-spread / b / (N - 1)"),
            "Count the pairs: b² of them, each with weight 1/b². The batch size drops out of the covariance.",
        ),
    ],
    hints=[
        "Two different numbers have the covariance c. The sum of all N never changes: N·σ² + N(N - 1)·c = 0.",
        "A batch mean has b variances and b(b - 1) covariances in it, each with weight 1/b².",
    ],
)


def noise_scale(G):
    g = G.mean(axis=0)
    spread = np.sum((G - g) ** 2) / (len(G) - 1)
    return spread / (g @ g - spread / len(G))


_NOISE_SCALE = Exercise(
    id="gradient-descent/noise-scale",
    notebook="3.2",
    title="The gradient noise scale",
    statement=r"""
        The rows of `G`, shape `(m, n)`, are gradients of `m` examples drawn at random. Estimate
        $B_{\text{simple}} = \operatorname{tr}\Sigma / \lVert g\rVert^2$, the variance of the gradients
        summed over the coordinates, divided by the squared length of the expected gradient $g$. Both the
        numerator and the denominator shall be unbiased estimates. Mind that the squared length of the *mean
        row* is on average too large: it contains the noise that is left in the mean.""",
    stub="""
        def noise_scale(G):
            \"\"\"tr Σ / ‖g‖² from a sample of gradients, numerator and denominator unbiased.\"\"\"
            ...""",
    reference=noise_scale,
    cases=lambda rng: [
        (np.array([[1.0, 0.0], [3.0, 0.0]]),),
        (np.array([[1.0, 2.0], [3.0, 2.0], [2.0, 5.0]]),),
        (rng.normal(size=(8, 3)) + 2,),
        (rng.normal(size=(50, 4)) + 1,),
    ],
    misconceptions=[
        Misconception(
            lambda G: np.sum(G.var(axis=0, ddof=1)) / np.sum(G.mean(axis=0) ** 2),
            "The squared length of the mean row is too large by the noise that averaging "
            "leaves; your noise scale comes out too small.",
        ),
        Misconception(
            lambda G: np.sum(G.var(axis=0)) / (np.sum(G.mean(axis=0) ** 2) - np.sum(G.var(axis=0)) / len(G)),
            "Your variance divides by m. The mean was estimated from the same rows, which makes that too small.",
        ),
        Misconception(
            lambda G: np.sum(G.var(axis=0)) / np.sum(G.mean(axis=0) ** 2),
            "Neither part is unbiased: the variance divides by m, and the squared mean still holds noise.",
        ),
        Misconception(
            lambda G: np.sum(G.std(axis=0, ddof=1)) / np.sqrt(np.sum(G.mean(axis=0) ** 2)),
            "You compare lengths; the noise scale compares squares, variances with a squared norm.",
        ),
        Misconception(
            lambda G: (np.mean(np.sum(G**2, axis=1))) / np.sum(G.mean(axis=0) ** 2),
            "Your numerator is the mean squared length of the gradients. That is not their spread about the mean.",
        ),
        Misconception(
            lambda G: np.var(G, ddof=1) / np.mean(G) ** 2,
            "You mix all numbers of `G`; the coordinates have means of their own.",
        ),
    ],
    hints=[
        "tr Σ is the sum of the variances of the columns.",
        "How large is the expected squared length of the mean of m noisy rows?",
        "$E\\lVert\\bar g\\rVert^2 = \\lVert g\\rVert^2 + \\operatorname{tr}\\Sigma/m$: subtract the "
        "estimate of the last term.",
    ],
)


_NOISE_FLOOR = Exercise(
    id="gradient-descent/noise-floor",
    notebook="3.2",
    title="Measure a noise floor",
    kind="measure",
    statement=r"""
        Gradient descent on $\frac12\theta^2$ with learning rate 0.5 and normal noise of standard deviation
        1 on every gradient. Measure the mean of $\theta^2$ once the start is forgotten, to within 5%. One step of 300
        runs is not enough for that (the mean of 300 squares is off by 8% as a rule): average over many late steps as well.""",
    stub="""
        runs = oc.descend(oc.gd, lambda w: 0.5*w[..., 0]**2, [[3.0]], steps=400, lr=0.5, noise=1.0,
                          seed=np.arange(300)[:, None])     # runs.points has the shape (steps + 1, runs, 1)

        floor = ...""",
    reference=1 / 3,
    rtol=0.05,
    misconceptions=[
        Misconception(3**-0.5, "That is the standard deviation of θ. Asked for is the mean of its square."),
        Misconception(1 / 6, "That is the mean loss, half of what is asked for."),
        Misconception(0.25, "That is the approximation for small learning rates; 0.5 is not small. Measure it."),
        Misconception(0.5, "That is the learning rate. The floor is in proportion to it, but not equal."),
        Misconception(9.0, "That is the square of the starting point: leave out the first steps."),
        Misconception(0.308, "That is the last step alone: 300 squares scatter by 8%. Average over late steps too."),
    ],
    hints=["Which steps still remember the start?", "Square first, then average, over runs and over late steps."],
)


# --- 3.3 momentum and Nesterov ----------------------------------------------------------------------------------------


def best_momentum(mu, L, lr):
    beta = max((1 - np.sqrt(lr * mu)) ** 2, (1 - np.sqrt(lr * L)) ** 2)
    return beta, np.sqrt(beta)


_BEST_MOMENTUM = Exercise(
    id="gradient-descent/derive-momentum",
    notebook="3.3",
    title="Derive: the momentum for a given rate",
    statement=r"""
        The page chooses learning rate and momentum together. Now the rate is given, $0 < \eta < 4/L$, and with it a quadratic whose
        curvatures lie between $\mu$ and $L$ (both occur). Derive the $\beta$ in $[0, 1)$ with which the heavy ball
        $u \leftarrow \beta u + g$, $\theta \leftarrow \theta - \eta u$ is fastest in the long run. Return it, and the factor per step.""",
    stub="""
        def best_momentum(mu, L, lr):
            \"\"\"(beta, factor per step) of the fastest heavy ball with this learning rate.\"\"\"
            ...""",
    reference=best_momentum,
    cases=lambda rng: [
        (1.0, 100.0, 0.01),
        (1.0, 100.0, 0.039),
        (1.0, 4.0, 0.64),
        (1.0, 1.5, 2.0),
        (rng.uniform(0.1, 1), rng.uniform(2, 50), rng.uniform(0.001, 0.02)),
    ],
    misconceptions=[
        Misconception(
            lambda mu, L, lr: ((1 - np.sqrt(lr * mu)) ** 2, abs(1 - np.sqrt(lr * mu))),
            "You look at μ alone. With a large rate it is the steepest direction that needs the most momentum.",
        ),
        Misconception(
            lambda mu, L, lr: ((1 - np.sqrt(lr * L)) ** 2, abs(1 - np.sqrt(lr * L))),
            "You look at L alone. With a small rate it is the flattest direction that needs the most momentum.",
        ),
        Misconception(
            altered(best_momentum, "max(", "min("),
            "The direction that needs less momentum is served, and the other one has real eigenvalues, of which one is large.",
        ),
        Misconception(
            lambda mu, L, lr: (best_momentum(mu, L, lr)[1], np.sqrt(best_momentum(mu, L, lr)[1])),
            "That is the factor per step itself. The product of the two eigenvalues is β, so β is the square of their size.",
        ),
        Misconception(
            altered(best_momentum, "return beta, np.sqrt(beta)", "return beta, beta"),
            "β is right. Two equal eigenvalues whose product is β have another size than β.",
        ),
        Misconception(
            lambda mu, L, lr: (
                ((np.sqrt(L) - np.sqrt(mu)) / (np.sqrt(L) + np.sqrt(mu))) ** 2,
                (np.sqrt(L) - np.sqrt(mu)) / (np.sqrt(L) + np.sqrt(mu)),
            ),
            "That β belongs to one learning rate, the best one. Here another is given.",
        ),
        Misconception(
            altered(best_momentum, "np.sqrt(lr * mu)", "lr * mu", "np.sqrt(lr * L)", "lr * L"),
            "The eigenvalues meet where the root of ηλ, not ηλ itself, is 1 minus the root of β.",
        ),
        Misconception(
            lambda mu, L, lr: (0.0, contraction(mu, L, lr)),
            "Without momentum both eigenvalues are real. A larger β makes the worst one smaller until they meet.",
        ),
        Misconception(lambda mu, L, lr: best_momentum(mu, L, lr)[::-1], "The two results are in the wrong order."),
    ],
    hints=[
        "For one curvature: the two eigenvalues have the product β. What is their size while they are complex, and when do they meet?",
        "More β than that makes √β larger; less makes them real, and one of them grows. What if several curvatures are to be served?",
    ],
)  # fmt: skip


def nesterov_path(grad, w0, lr, beta, steps):
    points, v = [np.array(w0, float)], np.zeros(len(w0))
    for _ in range(steps):
        v = beta * v - lr * grad(points[-1] + beta * v)
        points.append(points[-1] + v)
    return np.array(points)


def _velocity_method(look):
    """A path in velocity form whose gradient is taken at `look(w, v, beta)`."""

    def path(grad, w0, lr, beta, steps):
        points, v = [np.array(w0, float)], np.zeros(len(w0))
        for _ in range(steps):
            v = beta * v - lr * grad(look(points[-1], v, beta))
            points.append(points[-1] + v)
        return np.array(points)

    return path


def _shifted(grad, w0, lr, beta, steps):
    points, u = [np.array(w0, float)], np.zeros(len(w0))
    for _ in range(steps):
        g = grad(points[-1])
        u = beta * u + g
        points.append(points[-1] - lr * (g + beta * u))
    return np.array(points)


def _without_memory(grad, w0, lr, beta, steps):
    points, v = [np.array(w0, float)], np.zeros(len(w0))
    for _ in range(steps):
        v = -lr * grad(points[-1] + beta * v)
        points.append(points[-1] + v)
    return np.array(points)


def _nesterov_on_quadratic(nesterov_path, A, w0, lr, beta, steps):
    """called with grad(w) = A @ w"""
    return nesterov_path(lambda w: A @ w, w0, lr, beta, steps)


_NESTEROV = Exercise(
    id="gradient-descent/nesterov",
    notebook="3.3",
    title="Nesterov's look-ahead",
    statement=r"""
        Write Nesterov momentum in velocity form: with the velocity $v$ (zero at the start), each step takes
        the gradient where the velocity alone would lead, $v \leftarrow \beta v - \eta\,\nabla f(\theta +
        \beta v)$, and then moves, $\theta \leftarrow \theta + v$. Return every $\theta$, the start
        included, as an array of shape `(steps + 1, n)`.""",
    stub="""
        def nesterov_path(grad, w0, lr, beta, steps):
            \"\"\"All points of `steps` steps from `w0`, shape (steps + 1, n).\"\"\"
            ...""",
    reference=nesterov_path,
    probe=_nesterov_on_quadratic,
    cases=lambda rng: [
        (np.array([[1.0]]), np.array([1.0]), 0.5, 0.5, 3),
        (np.diag([1.0, 20.0]), np.array([1.0, -1.0]), 0.05, 0.8, 30),
        (np.diag(rng.uniform(0.5, 5, 3)), rng.normal(size=3), 0.1, 0.7, 10),
    ],
    misconceptions=[
        Misconception(
            _velocity_method(lambda w, v, beta: w),
            "You take the gradient where you stand: that is the heavy ball. Nesterov looks ahead first.",
        ),
        Misconception(
            _velocity_method(lambda w, v, beta: w + v),
            "You look ahead by the whole velocity. It is damped before it acts, so look where it leads after that.",
        ),
        Misconception(
            _velocity_method(lambda w, v, beta: w - beta * v),
            "You look back instead of ahead: check the sign in front of the velocity.",
        ),
        Misconception(
            _shifted,
            "These are the points of PyTorch's form, θ + βv: the same method in shifted variables. Asked for is θ.",
        ),
        Misconception(
            _without_memory,
            "Your velocity forgets: it holds the last gradient only, and not the damped velocity before it.",
        ),
        Misconception(
            altered(nesterov_path, "- lr * grad", "+ lr * grad"),
            "The gradient enters the velocity with the wrong sign: the run climbs.",
        ),
        Misconception(
            altered(nesterov_path, "v = beta * v - lr", "v = beta * v - (1 - beta) * lr"),
            "You average: the newest gradient enters with 1 - β. In the velocity form it enters at full weight.",
        ),
        Misconception(
            altered(nesterov_path, "points.append(points[-1] + v)", "points.append(points[-1] + beta * v)"),
            "You move by βv; the damping is already in the new velocity, and the point moves by all of it.",
        ),
    ],
    hints=[
        "Two lines in the loop: the new velocity, then the new point.",
        "The gradient is evaluated before the move, at a point that is not part of the path.",
    ],
)


def ema_to_velocity_lr(lr, beta, m):
    return lr * (1 - beta), -lr * m


_EMA_LR = Exercise(
    id="gradient-descent/ema-to-velocity-lr",
    notebook="3.3",
    title="Change the form of momentum in the middle of a run",
    statement=r"""
        A run uses $m \leftarrow \beta m + (1-\beta) g$, $\theta \leftarrow \theta - \eta m$. It is stopped after some steps, with the
        average `m` (an array), and goes on in the velocity form $v \leftarrow \beta v - \eta' g$, $\theta \leftarrow \theta + v$.
        Return the learning rate $\eta'$ and the velocity $v$ to start from, so that nobody could tell from the path.""",
    stub="""
        def ema_to_velocity_lr(lr, beta, m):
            \"\"\"(lr', v): the velocity form's learning rate and its velocity at the change.\"\"\"
            ...""",
    reference=ema_to_velocity_lr,
    cases=lambda rng: [
        (0.1, 0.9, np.array([1.0, -2.0])),
        (1.0, 0.5, np.array([3.0])),
        (rng.uniform(0.01, 1), rng.uniform(0.6, 0.99), rng.normal(size=3)),
    ],
    misconceptions=[
        Misconception(
            altered(ema_to_velocity_lr, "lr * (1 - beta)", "lr"),
            "With the same learning rate the velocity form takes steps that are 1/(1 − β) times as long.",
        ),
        Misconception(
            altered(ema_to_velocity_lr, "lr * (1 - beta)", "lr / (1 - beta)"),
            "That is the other direction. Which of the two forms takes the longer steps at equal rates?",
        ),
        Misconception(
            altered(ema_to_velocity_lr, "lr * (1 - beta)", "lr * beta"),
            "Compare the factors in front of the newest gradient: is one of them β?",
        ),
        Misconception(
            altered(ema_to_velocity_lr, "-lr * m", "m"),
            "The rate is right. The velocity is a step of θ, and m an average of gradients: they differ by a factor and a sign.",
        ),
        Misconception(
            altered(ema_to_velocity_lr, "-lr * m", "lr * m"),
            "The velocity points uphill: it is added, and η m was subtracted.",
        ),
        Misconception(
            altered(ema_to_velocity_lr, "-lr * m", "-lr * (1 - beta) * m"),
            "The velocity is too short: the weight 1 − β of each gradient is already in the average.",
        ),
        Misconception(
            altered(ema_to_velocity_lr, "-lr * m", "0 * m"),
            "You start from rest: what the average remembers would be lost at the change.",
        ),
    ],
    hints=[
        "Both forms add a step to θ. Write the step of the first form as v.",
        "Multiply the first line by -η: which recursion does v = -ηm follow?",
    ],
)


def excess_loss(lr, beta, curvatures, start, k):
    loss = 0.0
    for lam, x0 in zip(curvatures, start, strict=True):
        R = np.array([[beta, lam], [-lr * beta, 1 - lr * lam]])  # (u, x) -> (u, x) after one step
        s1, s2 = np.linalg.eigvals(R.astype(complex))
        R1 = (R - s2 * np.eye(2)) / (s1 - s2)
        R2 = (R - s1 * np.eye(2)) / (s1 - s2)
        u, x = (s1**k * R1 - s2**k * R2).real @ np.array([0.0, x0])
        loss += lam * x**2 / 2
    return loss


def _excess(*, swapped, half, sign=1, plus=False):
    """The excess loss with the published slips, or with half-way repairs of them."""

    def wrong(lr, beta, curvatures, start, k):
        loss = 0.0
        for lam, x0 in zip(curvatures, start, strict=True):
            R = np.array([[beta, lam], [-lr * beta, 1 - lr * lam]])
            s = np.linalg.eigvals(R.astype(complex))
            a, b = s if swapped else s[::-1]
            R1, R2 = ((R - root * np.eye(2)) / (s[0] - s[1]) for root in (a, b))
            x = ((s[0] ** k * R1 + (s[1] ** k * R2 if plus else -(s[1] ** k) * R2)).real @ np.array([0.0, x0]))[1]
            loss += lam * (sign * x) ** 2 * (0.5 if half else 1)
        return loss

    return wrong


_EXCESS_LOSS = Exercise(
    id="gradient-descent/excess-loss",
    notebook="3.3",
    title="Two slips in a published formula",
    kind="bug hunt",
    statement=r"""
        A widely read article gives the heavy ball on a quadratic in closed form. Along an eigenvector with
        curvature $\lambda$ one step maps $(u, x)$ to $R\,(u, x)$, and with the eigenvalues $\sigma_1 \ne
        \sigma_2$ of $R$ the power $R^k$ is a combination of $\sigma_1^k$ and $\sigma_2^k$. The code below
        computes $f(\theta_k) - f(\theta^\star)$ from it, for $f = \frac12\sum_i \lambda_i x_i^2$, as it was
        printed. Two slips are in it. Find both. (What must $R^0$ be?)""",
    stub="""
        def excess_loss(lr, beta, curvatures, start, k):
            \"\"\"f(w_k) - f* after k steps of momentum from `start` (in eigen-coordinates) with u = 0.\"\"\"
            loss = 0.0
            for lam, x0 in zip(curvatures, start, strict=True):
                R = np.array([[beta, lam], [-lr*beta, 1 - lr*lam]])           # (u, x) -> (u, x) after one step
                s1, s2 = np.linalg.eigvals(R.astype(complex))
                R1 = (R - s1*np.eye(2))/(s1 - s2)
                R2 = (R - s2*np.eye(2))/(s1 - s2)
                u, x = (s1**k*R1 - s2**k*R2).real @ np.array([0.0, x0])
                loss += lam*x**2
            return loss""",
    reference=excess_loss,
    cases=lambda rng: [
        (0.1, 0.5, np.array([2.0]), np.array([1.0]), 0),
        (0.1, 0.5, np.array([2.0]), np.array([1.0]), 1),
        (0.01, 0.8, np.array([1.0, 30.0]), np.array([1.0, 1.0]), 5),
        (0.05, 0.7, rng.uniform(2, 9, 3), rng.normal(size=3), int(rng.integers(2, 9))),
    ],
    misconceptions=[
        Misconception(
            _excess(swapped=False, half=False),
            "The path is right now, the loss is not: compare it with f at k = 0, for one curvature and x = 1.",
        ),
        Misconception(
            _excess(swapped=True, half=True),
            "At k = 0 the loss is right now. At k = 1 it is not: the combination does not give R back yet.",
        ),
        Misconception(
            _excess(swapped=True, half=True, plus=True),
            "Turning the minus into a plus does not help: at k = 0 the two parts must add up to the identity.",
        ),
    ],
    hints=[
        "Put k = 0: what comes out, and what must come out?",
        "Put k = 1 and multiply out: do you get R? Which index belongs to which root?",
        "The second slip is in the last line of the loop: compare it with f.",
    ],
)


# --- 3.4 cliffs and gradient clipping ---------------------------------------------------------------------------------


def clip_by_global_norm(grads, c):
    norm = np.sqrt(sum(np.sum(g**2) for g in grads))
    factor = c / max(norm, c)
    return [factor * g for g in grads], norm


def _norm_of(grads):
    return np.sqrt(sum(np.sum(g**2) for g in grads))


def _one_by_one(grads, c):
    return [c / max(np.sqrt(np.sum(g**2)), c) * g for g in grads], _norm_of(grads)


def _in_their_place(grads, c):
    norm = _norm_of(grads)
    for g in grads:
        g *= c / max(norm, c)
    return grads, norm


_CLIP = Exercise(
    id="gradient-descent/clip-by-global-norm",
    notebook="3.4",
    title="Clip by global norm",
    statement=r"""
        `grads` is a list of arrays, the gradients of a network's parameters. If the norm of all their
        entries together, $\lVert g\rVert$, exceeds the threshold $c$, scale all of them by the one factor
        that brings it down to $c$. Return the new list and the norm *before* clipping. The arrays you were
        given stay as they were.""",
    stub="""
        def clip_by_global_norm(grads, c):
            \"\"\"(clipped gradients, global norm before clipping).\"\"\"
            ...""",
    reference=clip_by_global_norm,
    cases=lambda rng: [
        ([np.array([3.0, 0.0]), np.array([4.0])], 1.0),
        ([np.array([0.3, 0.0]), np.array([0.4])], 1.0),
        ([np.zeros(2), np.zeros(1)], 1.0),
        ([np.array([[30.0, -1.0]]), np.array([2.0, 0.5])], 2.0),
        ([rng.normal(size=(2, 3)), rng.normal(size=3)], 0.5),
    ],
    misconceptions=[
        Misconception(
            _one_by_one,
            "You clip each array by its own norm. That changes how they compare with each other, and so "
            "the direction of the joint step.",
        ),
        Misconception(
            lambda grads, c: ([np.clip(g, -c, c) for g in grads], _norm_of(grads)),
            "You clip entry by entry, which turns the direction. One factor for everything is asked for.",
        ),
        Misconception(
            lambda grads, c: ([c * g / max(_norm_of(grads), 1e-300) for g in grads], _norm_of(grads)),
            "You scale every gradient to length c. Gradients within the threshold are to be left alone.",
        ),
        Misconception(_in_their_place, "The arrays you were given have changed. Make new ones."),
        Misconception(
            lambda grads, c: (clip_by_global_norm(grads, c)[0], min(_norm_of(grads), c)),
            "You return the norm after clipping. The one before tells whether, and how often, it was needed.",
        ),
        Misconception(
            lambda grads, c: ([g * min(1, c / (_norm_of(grads) + 1e-6)) for g in grads], _norm_of(grads)),
            "You add 1e-6 to the norm, as PyTorch does. Here the clipped norm is exactly c.",
        ),
        Misconception(
            lambda grads, c: ([c / max(_norm_of(grads) ** 2, c) * g for g in grads], _norm_of(grads)),
            "You compare the squared norm with c: a root is missing.",
        ),
        Misconception(
            lambda grads, c: clip_by_global_norm(grads, c)[0],
            "You return the clipped gradients only; the norm before clipping is asked for too.",
        ),
        Misconception(
            altered(
                clip_by_global_norm,
                "np.sqrt(sum(np.sum(g**2) for g in grads))",
                "sum(np.sqrt(np.sum(g**2)) for g in grads)",
            ),
            "You add up the norms of the arrays. The norm of everything is the root of the sum of all squares.",
        ),
    ],
    hints=[
        "First one number: the root of the sum of all squares, over all arrays.",
        "The factor is $c/\\lVert g\\rVert$, but never above 1. What happens if all entries are 0?",
    ],
)


def gradient_norms(W, states, g):
    norms = [np.linalg.norm(g)]
    for h in states[::-1]:
        g = (g * (1 - h**2)) @ W.T
        norms.append(np.linalg.norm(g))
    return np.array(norms)


def _run_backwards(answer, W, start, g, T):
    """called with the states of h = tanh(h @ W), one row for each of T steps from `start`, oldest first"""
    states = []
    for _ in range(T):
        start = np.tanh(start @ W)
        states.append(start)
    return answer(W, np.array(states), g)


_GRADIENT_NORMS = Exercise(
    id="gradient-descent/gradient-norms",
    notebook="3.4",
    title="A gradient on its way back through time",
    statement=r"""
        A recurrent net computes $h_t = \tanh(h_{t-1} W)$ with row vectors. The rows of `states`, shape `(T, n)`, are $h_1, \dots, h_T$,
        oldest first; `g` is the gradient of the loss with respect to $h_T$. Carry it back through the last step, the one before,
        and so on. Return its norms before $h_T$ and after each of the $T$ steps back, an array of shape `(T + 1,)`.""",
    stub="""
        def gradient_norms(W, states, g):
            \"\"\"Norms of the gradient in h_T, h_{T-1}, …, h_0, shape (T + 1,).\"\"\"
            ...""",
    reference=gradient_norms,
    probe=_run_backwards,
    cases=lambda rng: [
        (np.array([[0.5, 2.0], [0.0, 0.5]]), np.array([0.1, 0.2]), np.array([1.0, 0.0]), 1),
        (1.1 * np.eye(2), np.array([0.5, 0.1]), np.array([3.0, 4.0]), 5),
        (np.array([[0.9, 5.0], [0.0, 0.9]]), np.array([1.0, -0.2]), np.array([0.0, 1.0]), 6),
        (rng.normal(size=(3, 3)), rng.normal(size=3), rng.normal(size=3), 6),
    ],
    misconceptions=[
        Misconception(
            altered(gradient_norms, "@ W.T", "@ W"),
            "You go forward: without the transpose it is the state that is carried on, not the gradient carried back.",
        ),
        Misconception(
            altered(gradient_norms, "(g * (1 - h**2)) @", "g @"),
            "The slope of tanh is missing: that is the gradient of a linear net, which only W shrinks or stretches.",
        ),
        Misconception(
            altered(gradient_norms, "(g * (1 - h**2)) @ W.T", "g @ W.T * (1 - h**2)"),
            "Slope and matrix are in the wrong order: on the way back the tanh of a step comes before its W.",
        ),
        Misconception(
            altered(gradient_norms, "states[::-1]", "states"),
            "You walk through the states from the oldest to the newest; the way back begins at the last one.",
        ),
        Misconception(
            altered(gradient_norms, "1 - h**2", "h"),
            "You multiply by the state; the chain rule asks for the slope of tanh there.",
        ),
        Misconception(
            altered(gradient_norms, "1 - h**2", "1 - np.tanh(h) ** 2"),
            "You apply tanh once more: the states are its values already.",
        ),
        Misconception(
            altered(gradient_norms, "return np.array(norms)", "return np.array(norms[1:])"),
            "Your first entry is the norm after one step; begin with the norm of g itself.",
        ),
        Misconception(
            altered(gradient_norms, "np.array(norms)", "np.array(norms) ** 2"), "These are the squares of the norms."
        ),
        Misconception(
            altered(gradient_norms, "np.array(norms)", "np.array(norms[::-1])"),
            "The norms come from the oldest to the newest; asked for is the order on the way back.",
        ),
    ],
    hints=[
        "One step forward: multiply by W, then tanh. One step back: the same two things, the other way round.",
        "The slope of tanh is written with its value.",
    ],
)


_FROZEN = choice(
    {
        "a": (
            "It has converged to a minimum.",
            "A minimum needs a zero gradient and nothing lower nearby. Here the gradient is zero because the unit "
            "is flat; the loss goes down to 0 elsewhere.",
        ),
        "b": (
            "The unit is saturated, so the gradient is practically 0.",
            "Its output is 1 to the last digit, (1 - 0.7)² = 0.09, and the sigmoid's slope there is below 1e-100.",
        ),
        "c": (
            "The learning rate is too small for the new place.",
            "No learning rate helps: it multiplies a gradient of zero.",
        ),
        "d": ("The parameters have become nan.", "They are large but finite; a nan would show in the loss as well."),
    },
    "b",
    id="gradient-descent/frozen",
    notebook="3.4",
    title="Why the loss stays at 0.09",
    name="why_frozen",
    statement=r"""
        The unit of this page with recurrence $x_t = w\,\sigma(x_{t-1}) + b$ is trained from the edge of the
        cliff, without clipping. After one jump the loss is 0.09 and stays there. Look at the point, the
        gradient and the output. Why?""",
    code="""
        def unit(p, T=50):
            x = 0.5
            for _ in range(T):
                x = p[..., 0]*oc.sigmoid(x) + p[..., 1]
            return oc.sigmoid(x)

        path = oc.descend(oc.gd, lambda p: (unit(p) - 0.7)**2, [5.2, -2.5], steps=30, lr=0.5)
        """,
    hints=[
        "Print `path.final`, `unit(path.final)` and `path.f.grad(path.final)`.",
        "What is the slope of the sigmoid where its value is 1?",
    ],
)


# --- 3.5 one step on many machines ------------------------------------------------------------------------------------


def accumulated(grads, sizes, c):
    g = np.average(grads, axis=0, weights=sizes)
    return g * min(1.0, c / np.linalg.norm(g))


def _clipped(g, c):
    return g * min(1.0, c / np.linalg.norm(g))


_ACCUMULATED = Exercise(
    id="gradient-descent/accumulated",
    notebook="3.5",
    title="A batch in pieces, clipped",
    statement=r"""
        A batch is computed in pieces. The rows of `grads`, shape `(k, n)`, are the gradients of the pieces, each the **mean** over
        its own examples; `sizes` holds how many examples each piece has. Return the gradient of the whole batch, clipped to the
        norm `c`, as if it had been computed at once.""",
    stub="""
        def accumulated(grads, sizes, c):
            \"\"\"The clipped gradient of the whole batch, shape (n,).\"\"\"
            ...""",
    reference=accumulated,
    cases=lambda rng: [
        (np.array([[3.0, 0.0], [0.0, 4.0]]), np.array([8, 8]), 10.0),
        (np.array([[3.0, 0.0], [0.0, 4.0]]), np.array([12, 4]), 1.0),
        (np.array([[2.0, 0.0], [-1.0, 1.0], [0.0, 8.0]]), np.array([4, 4, 1]), 0.5),
        (rng.normal(size=(5, 4)), rng.integers(1, 30, size=5), 0.3),
        (rng.normal(size=(3, 4)), rng.integers(1, 30, size=3), 1e4),
    ],
    misconceptions=[
        Misconception(
            lambda grads, sizes, c: _clipped(np.mean(grads, axis=0), c),
            "You take the mean of the means: an example in a small piece then counts more than one in a large piece.",
        ),
        Misconception(
            lambda grads, sizes, c: _clipped(np.sum(grads, axis=0), c),
            "You add the gradients of the pieces without dividing: k pieces make the gradient about k times as long.",
        ),
        Misconception(
            lambda grads, sizes, c: np.average([_clipped(g, c) for g in grads], axis=0, weights=sizes),
            "You clip each piece before the mean. Long pieces are cut and short ones kept, which turns the direction.",
        ),
        Misconception(
            lambda grads, sizes, c: np.mean([_clipped(g, c) for g in grads], axis=0),
            "You clip each piece, and then take a mean that forgets how many examples each has.",
        ),
        Misconception(
            lambda grads, sizes, c: _clipped(sizes @ grads, c),
            "You weigh the pieces by their sizes and do not divide by the number of all examples.",
        ),
        Misconception(
            lambda grads, sizes, c: _clipped(sizes @ grads / len(sizes), c),
            "You divide by the number of pieces. The weights are numbers of examples: divide by their sum.",
        ),
        Misconception(
            lambda grads, sizes, c: np.average(grads, axis=0, weights=sizes),
            "The mean is right, and it is not clipped.",
        ),
        Misconception(
            lambda grads, sizes, c: np.clip(np.average(grads, axis=0, weights=sizes), -c, c),
            "You clip entry by entry; the norm of the whole gradient is to be at most c.",
        ),
        Misconception(
            altered(accumulated, "min(1.0, c / np.linalg.norm(g))", "c / np.linalg.norm(g)"),
            "A gradient that is shorter than c stays as it is; you make it longer.",
        ),
        Misconception(
            lambda grads, sizes, c: _clipped(np.average(grads, axis=0, weights=1 / np.asarray(sizes)), c),
            "The wrong way round: a piece with more examples counts more.",
        ),
    ],
    hints=[
        "How much of the whole batch's mean does one example make up, whichever piece it is in?",
        "Clipping asks for the length of the whole gradient, so it comes last.",
    ],
)  # fmt: skip


def late_floor(lr, h, sigma2, b):
    a = lr * h
    return lr**2 * sigma2 / b * (1 + a) / (a * (1 - a) * (2 + a))


_LATE_FLOOR = Exercise(
    id="gradient-descent/derive-late-floor",
    notebook="3.5",
    title="Derive: the noise floor with a delay of one",
    statement=r"""
        A run on $\frac h2 w^2$ whose gradients are one step late and noisy: $w_{t+1} = w_t - \eta\,(h\, w_{t-1} + \epsilon_t)$, with independent
        noise of variance `sigma2 / b`. Derive on paper, and return, the value $V$ of $\operatorname{E} w_t^2$ that one more step leaves as it is.
        (Let $C$ be what $\operatorname{E} w_t w_{t-1}$ is then, and write down two equations for $V$ and $C$.)""",
    stub="""
        def late_floor(lr, h, sigma2, b):
            \"\"\"The mean of w squared in the long run, for gradients that are one step late.\"\"\"
            ...""",
    reference=late_floor,
    cases=lambda rng: [
        (0.5, 1.0, 1.0, 1),
        (0.1, 4.0, 9.0, 16),
        (rng.uniform(0.01, 0.1), rng.uniform(1, 9), rng.uniform(1, 9), int(rng.integers(2, 64))),
    ],
    misconceptions=[
        Misconception(
            lambda lr, h, sigma2, b: lr**2 * sigma2 / b / (lr * h * (2 - lr * h)),
            "That is the floor without delay. A late gradient also makes w(t) and w(t - 1) matter together.",
        ),
        Misconception(
            lambda lr, h, sigma2, b: lr * sigma2 / (2 * b * h),
            "That is what is left for very small rates, where the delay cannot be seen.",
        ),
        Misconception(
            altered(late_floor, " / b", ""),
            "The batch size is missing: a mean of b examples has the variance sigma2 / b.",
        ),
        Misconception(
            altered(late_floor, "lr**2 * sigma2", "sigma2"),
            "The noise enters a step with the factor lr, its variance with lr squared.",
        ),
        Misconception(
            altered(late_floor, "lr**2 * sigma2", "lr * sigma2"),
            "The noise enters a step with the factor lr, so its variance with the square of lr.",
        ),
        Misconception(
            altered(late_floor, "(1 + a)", "1"),
            "You have lost C on the way: from C = V - a C it is V / (1 + a), not V.",
        ),
        Misconception(
            lambda lr, h, sigma2, b: lr**2 * sigma2 / b / (lr * h * (2 - lr * h) + 2 * lr * h),
            "Check the sign of the mixed term: w(t) and w(t - 1) have a positive product on average.",
        ),
        Misconception(
            altered(late_floor, "lr**2 * sigma2 / b", "lr**2 * sigma2 / b**2"),
            "The variance of a mean of b examples falls with b, not with its square.",
        ),
        Misconception(
            altered(late_floor, "a = lr * h", "a = 2 * lr * h"),
            "The derivative of h/2 w² is h w: there is no factor 2.",
        ),
    ],
    hints=[
        "Square the recursion and take means: V = V - 2 a C + a² V + η² σ²/b with a = ηh.",
        "Multiply the recursion by w(t) and take means: C = V - a C.",
    ],
)  # fmt: skip


def local_rest(h, m, lr, steps, weights):
    left = (1 - lr * h) ** steps
    return np.average(m, weights=weights * (1 - left))


_LOCAL_REST = Exercise(
    id="gradient-descent/local-rest",
    notebook="3.5",
    title="Where unequal workers rest",
    statement=r"""
        Worker $i$ has the loss $\frac{h_i}2 (w - m_i)^2$ (arrays `h`, `m`). In each round all start at the same $w$; worker $i$ takes `steps[i]` steps
        of gradient descent with the rate `lr` (fast workers take more), and the next $w$ is the mean of their results with the `weights`,
        which are positive and add up to 1. Return the $w$ that a round leaves as it is.""",
    stub="""
        def local_rest(h, m, lr, steps, weights):
            \"\"\"The resting point of local steps, a number.\"\"\"
            ...""",
    reference=local_rest,
    cases=lambda rng: [
        (np.array([1.0, 9.0]), np.array([0.0, 1.0]), 0.1, np.array([4, 4]), np.array([0.5, 0.5])),
        (np.array([1.0, 1.0]), np.array([0.0, 1.0]), 0.1, np.array([1, 8]), np.array([0.5, 0.5])),
        (np.array([2.0, 1.0, 4.0]), np.array([1.0, -1.0, 3.0]), 0.2, np.array([1, 1, 1]), np.array([0.2, 0.7, 0.1])),
        (rng.uniform(0.5, 4, 4), rng.normal(size=4), 0.1, rng.integers(1, 20, size=4), rng.dirichlet(np.full(4, 3.0))),
    ],
    misconceptions=[
        Misconception(
            lambda h, m, lr, steps, weights: np.average(m, weights=weights * h),
            "That is the minimum of the mean loss. Local steps rest there only when every worker takes a single one.",
        ),
        Misconception(
            lambda h, m, lr, steps, weights: np.average(m, weights=weights),
            "That is the mean of the minima, where local steps rest after very many of them.",
        ),
        Misconception(
            lambda h, m, lr, steps, weights: np.average(m, weights=weights * (1 - lr * h) ** steps),
            "You weigh by the share of the way that is left. The pull of a worker is the share that it goes.",
        ),
        Misconception(
            lambda h, m, lr, steps, weights: np.average(m, weights=1 - (1 - lr * h) ** steps),
            "The weights of the mean are missing: a worker counts as much as the mean of the results lets it.",
        ),
        Misconception(
            lambda h, m, lr, steps, weights: np.average(m, weights=weights * h * steps),
            "The way of several steps is not the way of one times their number: each starts closer to the minimum.",
        ),
        Misconception(
            lambda h, m, lr, steps, weights: np.sum(weights * (1 - (1 - lr * h) ** steps) * m),
            "That is what one round adds to w = 0. The resting point is this over the sum of the pulls.",
        ),
        Misconception(
            lambda h, m, lr, steps, weights: np.average(m, weights=weights * (1 - (1 - lr * h) ** np.mean(steps))),
            "Each worker takes its own number of steps; you give all of them the mean.",
        ),
        Misconception(
            altered(local_rest, "lr * h", "lr"),
            "The factor of a step is 1 - lr·h: the curvature is missing in yours.",
        ),
    ],
    hints=[
        "One worker alone: w - m shrinks by the same factor in each step.",
        "Write the next w as w plus a sum of pulls towards the minima; at rest the pulls cancel.",
    ],
)  # fmt: skip


def adam_for(kappa, lr, beta1, beta2, eps):
    return lr * np.sqrt(kappa), 1 - kappa * (1 - beta1), 1 - kappa * (1 - beta2), eps / np.sqrt(kappa)


_ADAM_FOR = Exercise(
    id="gradient-descent/adam-for",
    notebook="3.5",
    title="Adam for a larger batch",
    statement=r"""
        A run with Adam has the settings `lr`, `beta1`, `beta2`, `eps`. The batch is made `kappa` times as large (far below the noise scale, and
        `kappa * (1 - beta1)` stays below 1). Return the four settings with which way, noise and memory stay the same, **counted in examples**;
        `eps` keeps its size against the root that it is added to.""",
    stub="""
        def adam_for(kappa, lr, beta1, beta2, eps):
            \"\"\"(lr, beta1, beta2, eps) for a batch kappa times as large.\"\"\"
            ...""",
    reference=adam_for,
    cases=lambda rng: [
        (4, 0.001, 0.9, 0.999, 1e-8),
        (1, 0.01, 0.95, 0.99, 1e-6),
        (0.25, 0.002, 0.8, 0.98, 1e-4),
        (rng.uniform(2, 5), rng.uniform(0.001, 0.1), 0.9, rng.uniform(0.95, 0.999), rng.uniform(1e-6, 1e-2)),
    ],
    misconceptions=[
        Misconception(
            altered(adam_for, "lr * np.sqrt(kappa)", "lr * kappa"),
            "Linear scaling is for SGD. Adam divides the noise away, and its way per example goes with lr/√b.",
        ),
        Misconception(
            lambda kappa, lr, beta1, beta2, eps: (lr * np.sqrt(kappa), beta1, beta2, eps / np.sqrt(kappa)),
            "With the same β the averages reach back as many steps as before, which are kappa times as many examples.",
        ),
        Misconception(
            lambda kappa, lr, beta1, beta2, eps: (
                lr * np.sqrt(kappa), 1 - (1 - beta1) / kappa, 1 - (1 - beta2) / kappa, eps / np.sqrt(kappa),
            ),
            "The wrong way round: there are fewer steps now, so the averages have to forget faster, not slower.",
        ),
        Misconception(
            altered(adam_for, "1 - kappa * (1 - beta1)", "beta1 / kappa", "1 - kappa * (1 - beta2)", "beta2 / kappa"),
            "What is multiplied is 1 - β, one over the number of steps that the average reaches back.",
        ),
        Misconception(
            altered(adam_for, "1 - kappa * (1 - beta1)", "beta1**kappa", "1 - kappa * (1 - beta2)", "beta2**kappa"),
            "β to the power kappa forgets as much in a step as before in kappa of them. It is close while 1 - β is small; asked for "
            "is 1/(1 - β) in examples.",
        ),
        Misconception(
            altered(adam_for, "eps / np.sqrt(kappa)", "eps"),
            "√v shrinks with the noise, by √kappa. The same eps is then larger against it.",
        ),
        Misconception(
            altered(adam_for, "eps / np.sqrt(kappa)", "eps / kappa"),
            "eps is added to √v, not to v: it goes with the root of the variance.",
        ),
        Misconception(
            altered(adam_for, "eps / np.sqrt(kappa)", "eps * np.sqrt(kappa)"),
            "A larger batch has less noise, so √v becomes smaller; your eps becomes larger.",
        ),
        Misconception(
            altered(adam_for, "lr * np.sqrt(kappa)", "lr"),
            "The rate is as before: there are fewer steps now, and each has to go farther.",
        ),
        Misconception(
            altered(adam_for, "lr * np.sqrt(kappa)", "lr / np.sqrt(kappa)"),
            "A larger batch has less noise and allows a larger rate; yours is smaller.",
        ),
        Misconception(
            altered(adam_for, "1 - kappa * (1 - beta1)", "beta1"),
            "beta1 stays as it was: the average of the gradients has to be shorter in steps as well.",
        ),
        Misconception(
            altered(adam_for, "1 - kappa * (1 - beta2)", "beta2"),
            "beta2 stays as it was: the average of the squares has to be shorter in steps as well.",
        ),
    ],
    hints=["Lines 6 and 7 of the derivation.", "v is σ²/b where noise rules. What happens to its root?"],
)  # fmt: skip


EXERCISES = [
    _GD,
    _CONTRACTION,
    _TWO_RATES,
    _BACKTRACKING,
    _MINIBATCHES,
    _SGD_STEP,
    _DERIVE,
    _NOISE_SCALE,
    _NOISE_FLOOR,
    _BEST_MOMENTUM,
    _NESTEROV,
    _EMA_LR,
    _EXCESS_LOSS,
    _CLIP,
    _GRADIENT_NORMS,
    _FROZEN,
    _ACCUMULATED,
    _LATE_FLOOR,
    _LOCAL_REST,
    _ADAM_FOR,
]
