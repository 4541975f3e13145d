"""Exercises of chapter 1, the objective."""

import numpy as np

from ..exercise import Exercise, Misconception, choice
from ..slips import altered

# --- 1.1 from data to a loss surface ----------------------------------------------------------------------------------


def huber_and_grad(w, b, x, y, delta):
    e = w * x + b - y
    pull = np.clip(e, -delta, delta)
    return np.mean(pull * (2 * e - pull)), 2 * np.mean(pull * x), 2 * np.mean(pull)


_X, _Y = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([4.0, 3.0, 8.0, 9.0, 11.0])


def _huber(pull=lambda e, d: np.clip(e, -d, d), cost=lambda e, d: np.where(abs(e) <= d, e**2, 2 * d * abs(e) - d**2)):
    """A wrong answer with another `pull` on the line or another `cost` of an error."""

    def wrong(w, b, x, y, delta):
        e = w * x + b - y
        g = pull(e, delta)
        return np.mean(cost(e, delta)), 2 * np.mean(g * x), 2 * np.mean(g)

    return wrong


_HUBER = Exercise(
    id="objective/huber-and-grad",
    notebook="1.1",
    title="Cost and gradient of a line that far points cannot drag away",
    statement=r"""
        With the errors $e_i = wx_i + b - y_i$ the mean squared error lets one far point drag the line along. Let an error cost $e^2$
        up to $\lvert e\rvert = \delta$, and from there on follow the tangent, so that the cost goes on as a straight line without a
        jump or a kink. Work out that line's formula. For the data `x`, `y` return the mean cost $J$ and its two partial derivatives,
        $(J, \partial J/\partial w, \partial J/\partial b)$.""",
    stub='''
        def huber_and_grad(w, b, x, y, delta):
            """(J, dJ/dw, dJ/db) of the mean of e² near 0 and of its tangents beyond delta."""
            ...''',
    reference=huber_and_grad,
    cases=lambda rng: [
        (1.0, 2.0, _X, _Y, 2.0),
        (0.0, 0.0, np.array([1.0, -2.0]), np.array([0.5, -6.0]), 1.0),
        (2.0, 1.0, _X, _Y + np.array([0.0, 0.0, 0.0, 0.0, 30.0]), 1.5),
        (rng.normal(), rng.normal(), rng.normal(size=6), 4 * rng.normal(size=6), rng.uniform(0.5, 1.5)),
    ],
    misconceptions=[
        Misconception(
            _huber(lambda e, d: e, lambda e, d: e**2), "That is the squared error for all: far points still drag the line."
        ),
        Misconception(
            _huber(pull=lambda e, d: e),
            "The cost is right. Its gradient is still that of the squared error; beyond delta the slope no longer grows.",
        ),
        Misconception(
            _huber(pull=lambda e, d: np.where(abs(e) <= d, e, 0.0)),
            "In your gradient far points do not pull at all. Their cost still rises along a line, with a constant slope.",
        ),
        Misconception(
            _huber(cost=lambda e, d: np.where(abs(e) <= d, e**2, 2 * d * abs(e))),
            "The slope of your line is right and it starts too high: at delta the cost jumps. Which constant makes the pieces meet?",
        ),
        Misconception(
            _huber(lambda e, d: np.where(abs(e) <= d, e, np.sign(e) * d / 2), lambda e, d: np.where(abs(e) <= d, e**2, d * abs(e))),
            "The two pieces meet, with a kink: at delta the square already rises twice as steeply as your line.",
        ),
        Misconception(
            _huber(pull=lambda e, d: np.where(abs(e) <= d, e, np.sign(e))),
            "Beyond delta your gradient has the slope 2 whatever delta is; the tangent there is steeper for a larger delta.",
        ),
        Misconception(
            _huber(pull=lambda e, d: np.minimum(e, d)),
            "Only errors above the line are limited: an error may be far on the negative side as well.",
        ),
        Misconception(
            lambda *case: tuple(v / 2 for v in huber_and_grad(*case)),
            "You use half the square, as many libraries do. Here the cost near 0 is the square itself.",
        ),
        Misconception(
            altered(huber_and_grad, "2 * np.mean", "np.mean"),
            "The cost is right; in the gradient the factor of the square's derivative is missing.",
        ),
        Misconception(
            lambda w, b, x, y, delta: tuple(len(x) * v for v in huber_and_grad(w, b, x, y, delta)),
            "You sum over the examples; the cost is a mean.",
        ),
        Misconception(
            altered(huber_and_grad, "2 * np.mean", "2 * np.sum"),
            "The cost is a mean, but the gradient is that of a sum: it grows with the number of examples.",
        ),
        Misconception(
            altered(huber_and_grad, "2 * np.mean(pull)", "2 * np.mean(pull * x)"),
            "b is not multiplied by x in the model, so its derivative is not either.",
        ),
        Misconception(
            altered(huber_and_grad, "2 * np.mean(pull * x), 2 * np.mean(pull)", "-2 * np.mean(pull * x), -2 * np.mean(pull)"),
            "The gradient has the wrong sign: the error is prediction minus target.",
        ),
        Misconception(
            lambda *case: huber_and_grad(*case)[::-1],
            "The results come in the wrong order: first the cost, then the derivatives in w and in b.",
        ),
    ],
    hints=[
        "First the errors, as one array. What are height and slope of e² at e = δ?",
        "In the derivative of each cost, the error stands limited to the interval from -δ to δ: `np.clip`.",
    ],
)  # fmt: skip


def gd_fit(x, y, eta, steps, w0, b0):
    history = [(w0, b0)]
    for _ in range(steps):
        w, b = history[-1]
        e = w * x + b - y
        history.append((w - eta * 2 * np.mean(e * x), b - eta * 2 * np.mean(e)))
    return np.array(history)


def _fit(move, first=1):
    def wrong(x, y, eta, steps, w0, b0):
        history = [(w0, b0)]
        for _ in range(steps):
            history.append(move(*history[-1], x, y, eta))
        return np.array(history)[1 - first :]

    return wrong


def _slopes(w, b, x, y):
    e = w * x + b - y
    return 2 * np.mean(e * x), 2 * np.mean(e)


def _sequential(w, b, x, y, eta):
    w = w - eta * _slopes(w, b, x, y)[0]
    return w, b - eta * _slopes(w, b, x, y)[1]


def _uphill(w, b, x, y, eta):
    gw, gb = _slopes(w, b, x, y)
    return w + eta * gw, b + eta * gb


def _downhill(w, b, x, y, eta):
    gw, gb = _slopes(w, b, x, y)
    return w - eta * gw, b - eta * gb


_FIT = Exercise(
    id="objective/gd-fit",
    notebook="1.1",
    title="Fit a line by descent",
    statement=r"""
        Take `steps` gradient descent steps of size `eta` on the mean squared error of the line, from `(w0, b0)`. Return all points,
        the start included, as an array of shape `(steps + 1, 2)` with rows $(w, b)$.""",
    stub='''
        def gd_fit(x, y, eta, steps, w0, b0):
            """All points (w, b) of the descent, shape (steps + 1, 2)."""
            ...''',
    reference=gd_fit,
    cases=lambda rng: [
        (_X, _Y, 0.01, 1, 1.0, 2.0),
        (_X, _Y, 0.05, 6, 0.0, 0.0),
        (rng.normal(size=5), rng.normal(size=5), 0.1, 4, rng.normal(), rng.normal()),
    ],
    misconceptions=[
        Misconception(
            _fit(_sequential),
            "You move w first and use the new w for the gradient in b. Both derivatives belong to the old point.",
        ),
        Misconception(
            altered(gd_fit, "eta * 2 * np.mean", "eta * np.mean"),
            "Your steps are half as long as they should be: a factor of the square's derivative is missing.",
        ),
        Misconception(
            altered(gd_fit, "eta * 2 * np.mean", "eta * 2 * np.sum"),
            "You step along the gradient of a sum; the cost is a mean over the examples.",
        ),
        Misconception(
            altered(gd_fit, "w, b = history[-1]", "w, b = w0, b0"),
            "Every step starts from (w0, b0) again; it should start from the newest point.",
        ),
        Misconception(_fit(_uphill), "The cost rises: you add the gradient, which points uphill."),
        Misconception(_fit(_downhill, first=0), "The start is missing from the history; it is the first row."),
        Misconception(
            lambda *case: gd_fit(*case)[-1:],
            "You return only the last point; all of them are asked for, one row each.",
        ),
    ],
    hints=["Write a function for both derivatives at one point.", "Compute both, then move both."],
)


def standardise(x, w, b):
    mean, std = x.mean(), x.std()
    return (x - mean) / std, w / std, b - w * mean / std


_STANDARDISE = Exercise(
    id="objective/standardise",
    notebook="1.1",
    title="Standardize the inputs, and read the line in the old units",
    statement=r"""
        Let $z$ be the inputs `x` shifted and scaled to mean 0 and **mean square 1**. A line $\hat y = wz + b$ was fitted to them.
        Return $z$, and slope and intercept of the same line as a function of $x$: for every input both must predict the same.""",
    stub='''
        def standardise(x, w, b):
            """(z, slope, intercept): the line w z + b is slope x + intercept."""
            ...''',
    reference=standardise,
    cases=lambda rng: [
        (_X, 2.0, 1.0),
        (np.array([10, 20, 60]), -1.0, 0.5),
        (rng.normal(3, 5, size=8), rng.normal(), rng.normal()),
    ],
    misconceptions=[
        Misconception(
            altered(standardise, "x.std()", "x.std(ddof=1)"),
            "You divide by n - 1 in the variance; then the mean square of z is not 1, and κ is not 1 either.",
        ),
        Misconception(
            altered(standardise, "(x - mean) / std, w / std, b - w * mean / std", "x / std, w / std, b"),
            "The mean is still there: subtract it first.",
        ),
        Misconception(
            altered(standardise, "x.std()", "x.var()"),
            "You divide by the variance; it is the standard deviation that has the units of x.",
        ),
        Misconception(
            altered(standardise, "x.mean(), x.std()", "x.min(), x.max() - x.min()"),
            "That scales to the interval from 0 to 1. Asked for are mean 0 and mean square 1.",
        ),
        Misconception(
            altered(standardise, "b - w * mean / std", "b"),
            "The intercept is that of the line in z, its height at the mean; at x = 0 the line is elsewhere.",
        ),
        Misconception(
            altered(standardise, "b - w * mean / std", "b - w * mean"),
            "The intercept forgets the scaling: put x = 0 into z, and z into the line.",
        ),
        Misconception(
            altered(standardise, "w / std, b - w * mean / std", "w * std, b - w * mean * std"),
            "You scale the wrong way: one unit of x is 1/s units of z.",
        ),
        Misconception(
            altered(standardise, "w / std, b - w * mean / std", "w, b"),
            "Slope and intercept are still those for z; a prediction from x needs others.",
        ),
    ],
    hints=["Put z = (x - m)/s into the line and sort by x.", "What does `x.std()` divide by, n or n - 1?"],
)


def growth_hessian(w, b, x, y):
    rise = np.exp(w * x)
    p = b * rise
    ww, wb = 2 * np.mean(x**2 * p * (2 * p - y)), 2 * np.mean(x * rise * (2 * p - y))
    return np.array([[ww, wb], [wb, 2 * np.mean(rise**2)]])


_DERIVE = Exercise(
    id="objective/derive-curvatures",
    notebook="1.1",
    title="Derive: how curved the cost of a curve is",
    statement=r"""
        For a line the Hessian of the mean squared error knows nothing of the $y_i$. Take a model that is not linear in its parameters,
        growth $\hat y = b\,e^{wx}$, with $J(w, b) = \frac1n\sum_i (b\,e^{wx_i} - y_i)^2$, and differentiate twice on paper:
        $\partial^2 J/\partial w^2$, $\partial^2 J/\partial w\,\partial b$, $\partial^2 J/\partial b^2$. Return the Hessian, in the order
        $(w, b)$. (Which entries hold the $y_i$ now, and can an eigenvalue be negative?)""",
    stub='''
        def growth_hessian(w, b, x, y):
            """The Hessian of the mean squared error of b exp(w x) in (w, b), shape (2, 2)."""
            ...''',
    reference=growth_hessian,
    cases=lambda rng: [
        (0.0, 1.0, np.array([1.0, 2.0]), np.array([3.0, 5.0])),
        (0.5, 2.0, np.array([-1.0, 0.0, 2.0]), np.array([1.0, 2.0, 5.0])),
        (rng.normal() / 2, rng.normal(), rng.normal(size=5), rng.normal(size=5)),
    ],
    misconceptions=[
        Misconception(
            altered(growth_hessian, "x**2 * p * (2 * p - y)", "x**2 * p**2", "x * rise * (2 * p - y)", "x * rise * p"),
            "You multiply first derivatives only. The model bends in w, and each error times its second derivative belongs to it too.",
        ),
        Misconception(
            altered(growth_hessian, "x * rise * (2 * p - y)", "x * rise * p"),
            "In the mixed entry a product of first derivatives is there, and the error times the model's mixed derivative is not.",
        ),
        Misconception(
            altered(growth_hessian, "x**2 * p * (2 * p - y)", "x**2 * p * (p - y)", "x * rise * (2 * p - y)", "x * rise * (p - y)"),
            "You differentiate the model twice and leave the error as it is; the error changes with the parameters too (product rule).",
        ),
        Misconception(
            altered(growth_hessian, "2 * np.mean", "np.mean"),
            "A factor is missing: it comes down when the square is differentiated for the first time.",
        ),
        Misconception(altered(growth_hessian, "np.mean", "np.sum"), "You sum over the examples; the cost is a mean."),
        Misconception(
            altered(growth_hessian, "[ww, wb], [wb,", "[ww, 0.0], [0.0,"), "The mixed derivatives are missing: w and b act together."
        ),
        Misconception(
            altered(growth_hessian, "x**2 * p", "x * p"),
            "e^(wx) differentiated twice in w brings down x twice: in the first entry one of them is missing.",
        ),
        Misconception(
            lambda w, b, x, y: growth_hessian(w, b, x, y)[::-1, ::-1], "Rows and columns are those of (b, w); asked for is (w, b)."
        ),
        Misconception(
            altered(growth_hessian, "2 * np.mean(rise**2)", "2.0"),
            "A second derivative of 2 in b belongs to the line: here b is multiplied by e^(wx).",
        ),
    ],
    hints=[
        "First derivatives: 2·mean(e·x·p) and 2·mean(e·r), with r = e^(wx), p = br and e = p - y.",
        "Differentiate each product again: once the error, once what it is multiplied with.",
    ],
)  # fmt: skip


_LARGEST = Exercise(
    id="objective/largest-rate",
    notebook="1.1",
    title="The largest stable learning rate",
    kind="measure",
    statement=r"""
        The same five months, but spending is measured in hundreds: `x = [0.01, 0.02, 0.03, 0.04, 0.05]`. Find by experiment, to 2%, the
        largest learning rate at which gradient descent on the mean squared error does not diverge.""",
    stub="""
        x = np.array([0.01, 0.02, 0.03, 0.04, 0.05])
        y = np.array([4.0, 3.0, 8.0, 9.0, 11.0])
        rate = ...""",
    reference=0.9991,
    rtol=0.02,
    misconceptions=[
        Misconception(0.0845, "That is the limit for x from 1 to 5. Here the curvature in w has almost vanished."),
        Misconception(
            0.5, "At 0.5 the steep direction is gone after one step; almost twice that rate is still stable."
        ),
        Misconception(2.0, "At 2 the error in b changes sign and triples with each step."),
    ],
    hints=[
        "Run 200 steps for a few rates and look at the cost.",
        "Which of the two directions, w or b, is the steep one now?",
    ],
)

_SPACES = choice(
    {
        "a": ("One of the five months.", "A month is a point of the data space, the scatter plot."),
        "b": ("One line.", "A pair (w, b) is one model; its height is how wrong that line is."),
        "c": ("One step of the optimizer.", "A step is an arrow between two points."),
        "d": ("One prediction.", "A line makes a prediction for every x."),
    },
    "b",
    id="objective/two-spaces",
    notebook="1.1",
    title="A point of the surface",
    statement="The code prints the cost at four points of the (w, b) plane. What is one point of that plane?",
    name="point",
    code="""
        x, y = np.array([1.0, 2, 3, 4, 5]), np.array([4.0, 3, 8, 9, 11])
        for w, b in [(0, 0), (1, 2), (2, 1), (3, -2)]:
            print((w, b), "predicts", w * x + b, "cost", np.mean((w * x + b - y) ** 2).round(2))""",
    hints=["How many predictions belong to one row of the output?"],
)

# --- 1.2 losses that behave -------------------------------------------------------------------------------------------


def softmax_cross_entropy(logits, labels):
    n = len(labels)
    z = logits - logits.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    grad = np.exp(log_p)
    grad[np.arange(n), labels] -= 1
    return -log_p[np.arange(n), labels].mean(), grad / n


def _naive(logits, labels):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    return -np.log(p[rows, labels]).mean(), (p - np.eye(logits.shape[1])[labels]) / len(labels)


def _log_of_probability(logits, labels):
    _, grad = softmax_cross_entropy(logits, labels)
    p = len(labels) * grad + np.eye(logits.shape[1])[labels]
    return -np.log(p[np.arange(len(labels)), labels]).mean(), grad


def _whole_matrix(logits, labels):
    z = logits - logits.max()
    p = np.exp(z) / np.exp(z).sum()
    rows = np.arange(len(labels))
    with np.errstate(divide="ignore"):
        loss = -np.log(p[rows, labels]).mean()
    return loss, (p - np.eye(logits.shape[1])[labels]) / len(labels)


def _twice(logits, labels):
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return softmax_cross_entropy(e / e.sum(axis=1, keepdims=True), labels)


def _ce_cases(rng):
    return [
        (np.array([[1.0, 2.0, 0.0]]), np.array([1])),
        (np.array([[1000.0, 1001.0, 1002.0], [0.0, 0.0, 0.0]]), np.array([0, 2])),
        (np.array([[0.0, 1000.0]]), np.array([0])),
        (rng.normal(size=(4, 3)), rng.integers(3, size=4)),
    ]


_CE = Exercise(
    id="objective/softmax-cross-entropy",
    notebook="1.2",
    title="Cross-entropy from logits",
    statement=r"""
        For logits of shape `(n, k)` and integer labels of shape `(n,)`, return the **mean** cross-entropy of the softmax and its
        gradient in the logits, shape `(n, k)`. Logits around 1000 must work.""",
    stub='''
        def softmax_cross_entropy(logits, labels):
            """(loss, gradient of shape (n, k)) for integer labels."""
            ...''',
    reference=softmax_cross_entropy,
    cases=_ce_cases,
    misconceptions=[
        Misconception(_naive, "Right for small logits; at 1000 the exponential overflows. Subtract the largest logit of each row."),
        Misconception(
            _log_of_probability,
            "Your probabilities are stable and their logarithm is not: one of e⁻¹⁰⁰⁰ rounds to 0. Do not exponentiate first.",
        ),
        Misconception(
            lambda logits, labels: tuple(len(labels) * v for v in softmax_cross_entropy(logits, labels)),
            "You sum over the examples; the loss is a mean, and so is its gradient.",
        ),
        Misconception(
            _whole_matrix,
            "The softmax runs over the whole matrix: the rows of a batch get mixed. Each row has to sum to 1.",
        ),
        Misconception(_twice, "The softmax is applied twice: the loss already contains it, and gets probabilities for logits."),
        Misconception(
            lambda logits, labels: (softmax_cross_entropy(logits, labels)[0], len(labels) * softmax_cross_entropy(logits, labels)[1]),
            "The loss is a mean, but the gradient is that of the sum: divide it by n as well.",
        ),
    ],
    hints=["log p = z - logsumexp(z), row by row, with the largest logit taken out first.",
           "The gradient in one row is p minus the one-hot label."],
)  # fmt: skip


def temperature_slope(logits, labels, T):
    p = np.exp((logits - logits.max(axis=1, keepdims=True)) / T)
    p = p / p.sum(axis=1, keepdims=True)
    right = logits[np.arange(len(labels)), labels]
    return np.mean(right - np.sum(p * logits, axis=1)) / T**2


_TEMPERATURE = Exercise(
    id="objective/derive-temperature",
    notebook="1.2",
    title="Derive: colder or warmer",
    statement=r"""
        A trained classifier is too sure of itself. Its logits `z`, shape `(n, k)`, are divided by one number $T$, the temperature, before
        the softmax, and $T$ is chosen so that the mean cross-entropy $L(T)$ on held-out examples is lowest. Derive $L'(T)$ on paper, for
        the integer `labels`, and return it. (Read your formula: for which predictions is a warmer softmax better?)""",
    stub='''
        def temperature_slope(logits, labels, T):
            """The derivative in T of the mean cross-entropy of softmax(logits/T)."""
            ...''',
    reference=temperature_slope,
    cases=lambda rng: [
        (np.array([[1.0, 0.0]]), np.array([0]), 1.0),
        (np.array([[2.0, 0.0, 1.0], [0.0, 3.0, 0.0]]), np.array([2, 1]), 2.0),
        (np.array([[800.0, 0.0], [0.0, 0.0]]), np.array([1, 0]), 0.5),
        (3 * rng.normal(size=(5, 4)), rng.integers(4, size=5), rng.uniform(0.4, 3)),
    ],
    misconceptions=[
        Misconception(
            altered(temperature_slope, "keepdims=True)) / T)", "keepdims=True)))"),
            "Your probabilities are those of T = 1: the softmax is taken of z/T.",
        ),
        Misconception(
            altered(temperature_slope, " / T**2", " / T"),
            "The derivative of z/T in T is -z/T²: a factor 1/T is missing.",
        ),
        Misconception(altered(temperature_slope, " / T**2", ""), "You forgot the inner derivative, that of z/T in T."),
        Misconception(
            altered(temperature_slope, "np.mean(right -", "-np.mean(right -"),
            "The sign is wrong: 1/T falls when T grows, and the inner derivative is negative.",
        ),
        Misconception(
            altered(temperature_slope, "right - np.sum(p * logits, axis=1)", "right - np.mean(logits, axis=1)"),
            "You compare with the plain mean of the logits. The normalizer's derivative weighs them with their probabilities.",
        ),
        Misconception(
            altered(temperature_slope, "right - np.sum(p * logits, axis=1)", "right - np.max(logits, axis=1)"),
            "You compare with the largest logit: that is the limit of a cold softmax. Every logit counts with its probability.",
        ),
        Misconception(
            altered(temperature_slope, "right - np.sum(p * logits, axis=1)", "right"),
            "The logarithm of the sum in the softmax depends on T as well, and its derivative is missing.",
        ),
        Misconception(
            altered(temperature_slope, "np.mean(right", "np.sum(right"),
            "You sum over the examples; the loss is a mean.",
        ),
        Misconception(
            altered(temperature_slope, "(logits - logits.max(axis=1, keepdims=True)) / T", "logits / T"),
            "Right for small logits; large ones overflow. The softmax stays the same if the largest logit is taken off first.",
        ),
    ],
    hints=[
        "One example costs -z_y/T + ln Σ e^(z_j/T). Differentiate both terms in T.",
        "The derivative of the logarithm of a sum of exponentials is a mean, weighted with the softmax.",
    ],
)


def bce_with_logits(z, y, weight):
    missed, raised = np.logaddexp(0, -z), np.logaddexp(0, z)  # what a positive and a negative example cost
    p = np.exp(-missed)
    loss = weight * y * missed + (1 - y) * raised
    return loss.mean(), (weight * y * (p - 1) + (1 - y) * p) / len(z)


def _bce_half(z, y, weight):
    p = 1 / (1 + np.exp(-z))
    return np.mean(-weight * y * np.log(p)), weight * y * (p - 1) / len(z)


def _bce_naive(z, y, weight, clip=lambda p: p):
    p = clip(1 / (1 + np.exp(-z)))
    loss = -weight * y * np.log(p) - (1 - y) * np.log(1 - p)
    return loss.mean(), (weight * y * (p - 1) + (1 - y) * p) / len(z)


def _bce_overflows(z, y, weight):
    loss = (1 - y) * np.log1p(np.exp(z)) + weight * y * np.log1p(np.exp(-z))
    return loss.mean(), bce_with_logits(z, y, weight)[1]


_BCE = Exercise(
    id="objective/bce-with-logits",
    notebook="1.2",
    title="Two classes, one of them rare",
    statement=r"""
        Positive examples are rare, so each counts `weight` times. With logits `z` and labels `y` (0 or 1), arrays of shape `(n,)`, the
        loss is the mean of $-\,\text{weight}\cdot y \ln\sigma(z) - (1 - y)\ln(1 - \sigma(z))$ over the $n$ examples. Return it, right for
        any `z`, and its gradient in `z`, shape `(n,)`.""",
    stub='''
        def bce_with_logits(z, y, weight):
            """(loss, gradient in z) of the weighted cross-entropy from logits."""
            ...''',
    reference=bce_with_logits,
    cases=lambda rng: [
        (np.array([0.0]), np.array([1.0]), 3.0),
        (np.array([2.0, 0.5]), np.array([0.0, 1.0]), 2.0),
        (np.array([40.0]), np.array([0.0]), 2.0),
        (np.array([-800.0, 800.0]), np.array([1.0, 1.0]), 5.0),
        (np.array([800.0]), np.array([0.0]), 5.0),
        (rng.normal(size=4), np.array([0.0, 1.0, 1.0, 0.0]), rng.uniform(2, 9)),
    ],
    misconceptions=[
        Misconception(
            _bce_half, "Half of the formula is missing: with label 0 your loss is 0 whatever the model says."
        ),
        Misconception(
            _bce_naive,
            "The formula is complete but not stable: the probability rounds to 0 or 1, and its logarithm is infinite.",
        ),
        Misconception(
            lambda z, y, weight: _bce_naive(z, y, weight, lambda p: np.clip(p, 1e-7, 1 - 1e-7)),
            "Clipping the probability caps the loss near 16: a sure mistake at -800 costs 800.",
        ),
        Misconception(_bce_overflows, "An exponential overflows: exp(z) for large z, exp(-z) for very negative ones."),
        Misconception(
            lambda z, y, weight: bce_with_logits(z, 1 - y, weight),
            "The labels are swapped: a large z should be cheap for y = 1.",
        ),
        Misconception(
            altered(bce_with_logits, "weight * y * (p - 1) + (1 - y) * p", "p - y"),
            "The loss is weighted and its gradient is not: p - y belongs to weight 1.",
        ),
        Misconception(
            altered(bce_with_logits, "weight * y * (p - 1) + (1 - y) * p", "weight * (p - y)"),
            "In the gradient the weight acts on both classes; it belongs to the positive examples.",
        ),
        Misconception(
            lambda z, y, weight: tuple(weight * part for part in bce_with_logits(z, y, 1.0)),
            "You weigh both classes alike: then nothing changes but the learning rate.",
        ),
        Misconception(
            lambda z, y, weight: bce_with_logits(z, y, 1.0), "The weight has no effect on loss and gradient."
        ),
        Misconception(
            lambda z, y, weight: tuple(
                len(z) / np.sum(1 + (weight - 1) * y) * v for v in bce_with_logits(z, y, weight)
            ),
            "You divide by the sum of the weights. Asked for is the mean over the n examples.",
        ),
        Misconception(
            altered(bce_with_logits, ") / len(z)", ")"), "The loss is a mean, but the gradient is that of the sum."
        ),
    ],
    hints=[
        "-ln σ(z) is ln(1 + e⁻ᶻ): for z = -800 that is 800. Which function of NumPy computes ln(eᵃ + eᵇ)?",
        "Without the weight the gradient of one example is p - y. Which of its two terms does the weight touch?",
    ],
)


def hinge(scores, y):
    lacking = 1 - y * scores
    return np.mean(np.maximum(0, lacking)), np.where(lacking > 0, -y, 0) / len(y)


_HINGE = Exercise(
    id="objective/hinge",
    notebook="1.2",
    title="Hinge loss and its slope",
    statement=r"""
        Return the mean hinge loss of raw scores for labels -1 and +1, and a subgradient in the scores, an array like `scores`. Exactly at
        the kink take the slope 0.""",
    stub='''
        def hinge(scores, y):
            """(mean hinge loss, subgradient in the scores); y holds -1 and +1."""
            ...''',
    reference=hinge,
    cases=lambda rng: [
        (np.array([0.3, 2.0, -0.5]), np.array([1, 1, -1])),
        (np.array([1.0, -1.0, 0.0]), np.array([1, -1, -1])),
        (rng.normal(size=6) * 2, rng.choice([-1, 1], size=6)),
        (np.array([3.0, -3.0]), np.array([1, -1])),
    ],
    misconceptions=[
        Misconception(
            lambda scores, y: hinge(scores, (y + 1) // 2),
            "You turn the labels into 0 and 1: then every negative example costs 1, whatever its score.",
        ),
        Misconception(
            altered(hinge, "np.maximum(0, lacking)", "lacking", "np.where(lacking > 0, -y, 0)", "-y"),
            "The max is missing: a score far on the right side earns nothing extra.",
        ),
        Misconception(lambda scores, y: tuple(len(y) * v for v in hinge(scores, y)), "You sum; the loss is a mean."),
        Misconception(
            altered(hinge, "1 - y * scores", "-y * scores"),
            "The margin is missing: a score on the right side but below 1 still costs something.",
        ),
        Misconception(
            altered(hinge, "-y, 0)", "-1, 0)"),
            "The slope does not know the label: a negative example is helped by a lower score.",
        ),
        Misconception(
            altered(hinge, "lacking > 0", "lacking >= 0"), "At the kink you take the slope of the left side; take 0."
        ),
        Misconception(
            altered(hinge, "np.where(lacking > 0, -y, 0)", "-y"),
            "The loss is right. Its slope is 0 for scores beyond the margin, and yours is not.",
        ),
        Misconception(altered(hinge, " / len(y)", ""), "The loss is a mean, so each example has 1/n of its slope."),
    ],
    hints=[
        "One array 1 - y·s tells both: how much is lacking, and where anything is.",
        "What is the derivative of 1 - y·s in s?",
    ],
)


def l2_penalty(params, lam):
    value = lam * sum(np.sum(p**2) for p in params if p.ndim > 1)
    return value, [2 * lam * p if p.ndim > 1 else np.zeros_like(p) for p in params]


_L2 = Exercise(
    id="objective/l2-penalty",
    notebook="1.2",
    title="L2 penalty of a network",
    statement=r"""
        `params` is a list of a network's parameters: weight matrices, and biases with one dimension, in any order. Only the matrices
        are penalized, by $\lambda \sum W_{ij}^2$ over all of them. Return the value, and a list of gradients, one like each parameter.""",
    stub='''
        def l2_penalty(params, lam):
            """(value, gradients) of lam times the sum of squares of all weight matrices."""
            ...''',
    reference=l2_penalty,
    cases=lambda rng: [
        ([np.array([[1.0, -2.0]]), np.array([3.0])], 0.1),
        ([np.array([1.5]), np.array([[2.0]]), np.array([[0.5], [1.0]])], 0.5),
        ([rng.normal(size=s) for s in ((2, 3), 3, (3, 1), 1)], rng.uniform(0.01, 1)),
    ],
    misconceptions=[
        Misconception(
            lambda params, lam: l2_penalty(params, lam / 2),
            "You use λ/2: that is a common form, but here the penalty is λ times the sum of squares.",
        ),
        Misconception(
            altered(l2_penalty, "2 * lam * p", "lam * p"),
            "The value is right; the derivative of the square brings a factor 2.",
        ),
        Misconception(
            altered(
                l2_penalty, " if p.ndim > 1)", ")", "2 * lam * p if p.ndim > 1 else np.zeros_like(p)", "2 * lam * p"
            ),
            "The biases are penalized too. They only shift the output and are left alone.",
        ),
        Misconception(
            altered(l2_penalty, " if p.ndim > 1)", ")"),
            "The gradients leave the biases alone and the value does not: both belong to one penalty.",
        ),
        Misconception(
            altered(l2_penalty, "2 * lam * p if p.ndim > 1 else np.zeros_like(p)", "2 * lam * p"),
            "The value leaves the biases alone and their gradients do not.",
        ),
        Misconception(
            altered(l2_penalty, "np.sum(p**2)", "np.sqrt(np.sum(p**2))"),
            "You add up norms; the penalty is the sum of squares without a root.",
        ),
        Misconception(
            altered(l2_penalty, "np.zeros_like(p) for", "0.0 for"),
            "The gradient of a bias is an array of zeros, not one zero: it is added to other gradients of its shape.",
        ),
        Misconception(
            altered(l2_penalty, " else np.zeros_like(p) for p in params]", " else None for p in params if p.ndim > 1]"),
            "The biases have no gradient in your list. Theirs is zero, and it has its place.",
        ),
    ],
    hints=["An array's `ndim` tells a matrix from a bias.", "The list of gradients is as long as that of parameters."],
)


# --- 1.3 where gradients come from ------------------------------------------------------------------------------------


def _from_logits(answer, logits, upstream):
    """called with p, the softmax of the logits, row by row"""
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return answer(p / p.sum(axis=1, keepdims=True), upstream)


def softmax_backward(p, upstream):
    return p * (upstream - np.sum(p * upstream, axis=1, keepdims=True))


_SOFTMAX_BACK = Exercise(
    id="objective/softmax-backward",
    notebook="1.3",
    title="Back through a softmax, without its Jacobian",
    statement=r"""
        Attention weights are a softmax in the middle of a network, with no cross-entropy behind it. Given its outputs `p`, shape
        `(n, k)`, each row the softmax of a row of logits, and the gradient `upstream` of the loss in them, return the gradient in the
        logits, shape `(n, k)`. Make no array larger than that: with thousands of outputs the Jacobians would not fit.""",
    stub='''
        def softmax_backward(p, upstream):
            """Gradient in the logits, same shape as p."""
            ...''',
    reference=softmax_backward,
    probe=_from_logits,
    cases=lambda rng: [
        (np.array([[0.0, 0.0]]), np.array([[1.0, 0.0]])),
        (np.array([[1.0, 0.0, -1.0], [0.0, 0.0, 2.0]]), np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 0.5]])),
        (rng.normal(size=(3, 4)), rng.normal(size=(3, 4))),
        (rng.normal(size=(2, 3000)), rng.normal(size=(2, 3000))),
    ],
    misconceptions=[
        Misconception(
            lambda p, upstream: upstream * p * (1 - p),
            "That is the diagonal of the Jacobian. Each output depends on the other logits of its row too: they share a sum.",
        ),
        Misconception(
            lambda p, upstream: upstream * p,
            "The numerator of the softmax is differentiated, the sum in its denominator is not: your rows do not add up to 0.",
        ),
        Misconception(
            altered(softmax_backward, "np.sum(p * upstream, axis=1, keepdims=True)", "np.sum(p * upstream)"),
            "You sum over the whole batch: rows do not know of each other.",
        ),
        Misconception(
            altered(softmax_backward, "np.sum(p * upstream", "np.sum(upstream"),
            "The upstream gradients of a row are to be averaged with the probabilities as weights, and you add them up.",
        ),
        Misconception(
            altered(softmax_backward, "np.sum(p * upstream", "np.mean(upstream"),
            "You take off the plain mean of the upstream row; its entries count with their probabilities.",
        ),
        Misconception(
            altered(softmax_backward, "p * (upstream - np", "(upstream - np"),
            "What is left after the mean is taken off has to be weighted with the probabilities once more.",
        ),
        Misconception(
            lambda p, upstream: p - upstream,
            "p minus something is the gradient of softmax and cross-entropy together; here another loss follows.",
        ),
    ],
    hints=[
        "Row by row it is upstream times the Jacobian diag(p) - p pᵀ, with p as a column. Multiply out the two terms.",
        "The second term is a number for each row, times p. Check: adding 1 to all logits changes nothing, so each row sums to 0.",
    ],
)


def tied_backward(x, W, b, upstream):
    g_h = upstream @ W
    return g_h @ W.T, x.T @ g_h + upstream.T @ (x @ W + b), g_h.sum(axis=0)


_TIED = Exercise(
    id="objective/tied-backward",
    notebook="1.3",
    title="Back through a weight that is used twice",
    statement=r"""
        An autoencoder squeezes a batch `x` of shape `(n, in)` to $h = xW + b$, with `W` of shape `(in, code)`, and restores it with the
        **same** weights, $\hat x = hW^\top$. Given the gradient `upstream` in $\hat x$, shape `(n, in)`, return the gradients in $x$ (as the
        input alone), $W$ and $b$.""",
    stub='''
        def tied_backward(x, W, b, upstream):
            """(dx, dW, db) of shapes (n, in), (in, code), (code,)."""
            ...''',
    reference=tied_backward,
    cases=lambda rng: [
        (np.array([[1.0, 2.0]]), np.array([[1.0], [0.5]]), np.array([1.0]), np.array([[0.0, 1.0]])),
        (np.arange(6.0).reshape(2, 3), np.eye(3), np.array([0.0, 1.0, 0.0]), np.array([[1.0, 0.0, -1.0], [2.0, 1.0, 0.0]])),
        (rng.normal(size=(4, 3)), rng.normal(size=(3, 3)), rng.normal(size=3), rng.normal(size=(4, 3))),
        (rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=2), rng.normal(size=(4, 3))),
    ],
    misconceptions=[
        Misconception(
            altered(tied_backward, " + upstream.T @ (x @ W + b)", ""),
            "Only the first use of W counts in your dW. It is used twice, and the gradients of both uses add.",
        ),
        Misconception(
            altered(tied_backward, "x.T @ g_h + upstream.T @ (x @ W + b)", "upstream.T @ (x @ W + b)"),
            "Only the second use of W counts in your dW. It is used twice, and the gradients of both uses add.",
        ),
        Misconception(
            altered(tied_backward, "x.T @ g_h + upstream.T @ (x @ W + b)", "(x.T @ g_h + upstream.T @ (x @ W + b)) / 2"),
            "You average the two uses of W: both move the loss, so their gradients add.",
        ),
        Misconception(
            altered(tied_backward, "(x @ W + b)", "(x @ W)"),
            "For its second use W meets the whole code h, and the bias is a part of it.",
        ),
        Misconception(
            altered(tied_backward, ", g_h.sum(axis=0)", ", g_h.mean(axis=0)"),
            "db is a mean over the batch; the contributions add up. A mean belongs to the loss.",
        ),
        Misconception(
            altered(tied_backward, ", g_h.sum(axis=0)", ", g_h"),
            "db still has one row for each example: b is shared by all of them, so sum over the batch.",
        ),
        Misconception(
            lambda x, W, b, up: tied_backward(x, W, b, up)[1:] + tied_backward(x, W, b, up)[:1],
            "The results come in another order: first the gradient in x, then those in W and b.",
        ),
        Misconception(
            lambda x, W, b, up: (up, *tied_backward(x, W, b, up)[1:]),
            "Your gradient in x is that in the output: on its way back it goes through both layers.",
        ),
        Misconception(
            lambda x, W, b, up: (tied_backward(x, W, b, up)[0], tied_backward(x, W, b, up)[1] / len(x), up.sum(axis=0) @ W),
            "dW is divided by the batch size; if the loss is a mean, upstream already contains that factor.",
        ),
    ],
    hints=[
        "Give the two uses two names, W and V, and write down the gradient in each; then both are the same matrix.",
        "V = Wᵀ has the gradient hᵀ·upstream, of shape (code, in). What is that for W?",
    ],
)  # fmt: skip


def grad_check(f, g, theta):
    h, worst = 1e-5, 0.0
    for i in range(len(theta)):
        e = np.zeros(len(theta))
        e[i] = h
        numeric = (f(theta + e) - f(theta - e)) / (2 * h)
        worst = max(worst, abs(numeric - g[i]) / max(1.0, abs(numeric)))
    return worst


def _check_probe(answer, theta, factors):
    """called with f, a smooth function of height 50, and g, its gradient times `factors`; below 1e-8 counts as 0"""
    f = lambda t: 50 + np.sum(np.sin(t) * np.exp(t))
    error = answer(f, factors * (np.sin(theta) + np.cos(theta)) * np.exp(theta), theta)
    return 0.0 if isinstance(error, float) and 0 <= error < 1e-8 else error


_CHECK = Exercise(
    id="objective/grad-check",
    notebook="1.3",
    title="Check a gradient",
    statement=r"""
        Compare a gradient `g` (an array) with **central differences** of the function `f` at `theta`, coordinate by coordinate. Return the
        largest of $\lvert \text{numeric} - g_i\rvert / \max(1, \lvert\text{numeric}\rvert)$. Choose the step so that a right gradient
        comes out below $10^{-8}$ where `f` is about 50. Leave `theta` as it was.""",
    stub='''
        def grad_check(f, g, theta):
            """The largest relative error of the gradient g at theta."""
            ...''',
    reference=grad_check,
    probe=_check_probe,
    rtol=1e-4,
    cases=lambda rng: [
        (np.array([0.3, 0.5]), np.ones(2)),
        (np.array([0.3, 0.5, -0.2]), np.array([1.0, 1.0, 1.01])),
        (np.array([0.1, 0.4]), np.array([0.5, 1.0])),
        (np.array([-1.0, 0.2]), np.array([3.0, 1.0])),
        (np.array([3.0, 0.2]), np.array([1.1, 1.05])),
        (rng.uniform(-1, 1, 4), np.ones(4)),
        (rng.uniform(0.2, 0.5, 3), np.array([1.0, 0.9, 1.2])),
    ],
    misconceptions=[
        Misconception(
            altered(grad_check, "f(theta - e)) / (2 * h)", "f(theta)) / h"),
            "A forward difference is off by about h times the curvature: a right gradient does not pass. Take both sides.",
        ),
        Misconception(
            altered(grad_check, "1e-5", "1e-13"),
            "The step is so small that rounding eats the difference; a right gradient fails by far. Try 1e-5.",
        ),
        Misconception(
            altered(grad_check, "1e-5", "1e-2"),
            "The step is so long that the function bends within it. A right gradient does not pass; try a shorter one.",
        ),
        Misconception(
            altered(grad_check, "(2 * h)", "h"),
            "You divide by h. The two points are 2h apart, so every slope is doubled.",
        ),
        Misconception(
            altered(grad_check, "range(len(theta))", "range(1)"),
            "Only the first coordinate is checked, so an error elsewhere passes.",
        ),
        Misconception(
            altered(
                grad_check,
                "max(worst, abs(numeric - g[i]) / max(1.0, abs(numeric)))",
                "abs(numeric - g[i]) / max(1.0, abs(numeric))",
            ),
            "Only the last coordinate counts: keep the largest error that you have met.",
        ),
        Misconception(
            altered(grad_check, " / max(1.0, abs(numeric))", ""),
            "That is the absolute error; a large slope may be off by more. Divide as the statement says.",
        ),
        Misconception(
            altered(grad_check, "max(1.0, abs(numeric))", "abs(numeric)"),
            "You divide by the slope alone: where it is near 0 the quotient says nothing. That is what the 1 is for.",
        ),
        Misconception(
            altered(grad_check, "abs(numeric - g[i])", "numeric - g[i]"),
            "A gradient that is too large hides: its error is negative. Take the absolute value.",
        ),
        Misconception(
            altered(grad_check, "worst = max(worst, abs", "theta[i] += h\n        worst = max(worst, abs"),
            "theta has moved: each coordinate has to be put back, or a copy moved instead.",
        ),
    ],
    hints=[
        "One coordinate at a time: move it by +h and by -h.",
        "Which h balances truncation and rounding? See the figure.",
    ],
)


def two_layer_gradients(x, y, W1, W2):
    h = x @ W1
    a = np.tanh(h)
    error = a @ W2 - y
    upstream = 2 * error / error.size
    return x.T @ ((upstream @ W2.T) * (1 - a**2)), a.T @ upstream


def _two_layer(slope=lambda h, a: 1 - a**2, scale=lambda e: 2 / e.size, hidden=True):
    def wrong(x, y, W1, W2):
        h = x @ W1
        a = np.tanh(h)
        error = a @ W2 - y
        upstream = scale(error) * error
        back = upstream @ W2.T
        return x.T @ (back * slope(h, a)), (a if hidden else h).T @ upstream

    return wrong


_BUG = Exercise(
    id="objective/wrong-slope",
    notebook="1.3",
    title="The network that learns badly",
    kind="bug hunt",
    statement=r"""
        A two-layer network $\hat y = \tanh(xW_1)W_2$ with mean squared error (mean over all entries of $\hat y$). Its backward pass has one
        mistake: `grad_check` fails for `W1` and passes for `W2`. Repair it.""",
    stub='''
        def two_layer_gradients(x, y, W1, W2):
            """Gradients of the mean squared error in W1 and W2."""
            h = x @ W1
            a = np.tanh(h)
            error = a @ W2 - y
            upstream = 2 * error / error.size
            g_W2 = a.T @ upstream
            g_W1 = x.T @ ((upstream @ W2.T) * (1 - h**2))
            return g_W1, g_W2''',
    reference=two_layer_gradients,
    cases=lambda rng: [
        (np.array([[1.0, 0.5]]), np.array([[1.0]]), np.array([[0.5, -0.3], [0.2, 0.8]]), np.array([[1.0], [-0.5]])),
        tuple(rng.normal(size=s) for s in [(5, 3), (5, 2), (3, 4), (4, 2)]),
    ],
    misconceptions=[
        Misconception(_two_layer(slope=lambda h, a: 1.0), "Now the activation's slope is missing altogether."),
        Misconception(
            _two_layer(slope=lambda h, a: 1 - a), "The slope of tanh is 1 minus the **square** of its value."
        ),
        Misconception(_two_layer(slope=lambda h, a: a * (1 - a)), "That is the slope of the sigmoid."),
        Misconception(
            lambda *case: two_layer_gradients(*case)[::-1],
            "The two gradients have changed places: that of W1 comes first.",
        ),
        Misconception(
            _two_layer(scale=lambda e: 2 / len(e)),
            "The slope is right now. The mean runs over all entries of ŷ, and you divide by the number of rows.",
        ),
    ],
    hints=["Which quantity does the slope of tanh use, its input or its output?"],
)

EXERCISES = [
    _HUBER, _FIT, _STANDARDISE, _DERIVE, _LARGEST, _SPACES, _CE, _TEMPERATURE, _BCE, _HINGE, _L2, _SOFTMAX_BACK, _TIED, _CHECK, _BUG,
]  # fmt: skip
