"""Exercises of chapter 1, the objective."""

import numpy as np

from ..exercise import Exercise, Misconception, choice

# --- 1.1 from data to a loss surface ----------------------------------------------------------------------------------


def mse_and_grad(w, b, x, y):
    e = w * x + b - y
    return np.mean(e**2), 2 * np.mean(e * x), 2 * np.mean(e)


_X, _Y = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([4.0, 3.0, 8.0, 9.0, 11.0])


def _line_cases(rng):
    return [(1.0, 2.0, _X, _Y), (rng.normal(), rng.normal(), rng.normal(size=4), rng.normal(size=4))]


_MSE = Exercise(
    id="objective/mse-and-grad",
    notebook="1.1",
    title="Cost and gradient of a line",
    statement=r"""
        For the line $\hat y = wx + b$ on the data `x`, `y` (arrays of equal length), return the mean squared error $J$ and its two
        partial derivatives, $(J, \partial J/\partial w, \partial J/\partial b)$.""",
    stub='''
        def mse_and_grad(w, b, x, y):
            """(J, dJ/dw, dJ/db) of the mean squared error."""
            ...''',
    reference=mse_and_grad,
    cases=_line_cases,
    misconceptions=[
        Misconception(
            lambda w, b, x, y: (mse_and_grad(w, b, x, y)[0], *(g / 2 for g in mse_and_grad(w, b, x, y)[1:])),
            "The factor 2 of the square's derivative is missing in the gradient.",
        ),
        Misconception(
            lambda w, b, x, y: tuple(len(x) * v for v in mse_and_grad(w, b, x, y)),
            "You sum over the examples; the cost is a mean.",
        ),
        Misconception(
            lambda w, b, x, y: (mse_and_grad(w, b, x, y)[0], *(-g for g in mse_and_grad(w, b, x, y)[1:])),
            "The gradient has the wrong sign: the error is prediction minus target.",
        ),
        Misconception(
            lambda w, b, x, y: (*mse_and_grad(w, b, x, y)[:2], 2 * np.mean((w * x + b - y) * x)),
            "b is not multiplied by x in the model, so its derivative is not either.",
        ),
        Misconception(
            lambda w, b, x, y: (np.sqrt(mse_and_grad(w, b, x, y)[0]), *mse_and_grad(w, b, x, y)[1:]),
            "You took the root: the cost is the mean of the squares itself.",
        ),
    ],
    hints=[
        "First the errors, as one array.",
        "The chain rule: outer derivative times how the prediction depends on the parameter.",
    ],
)


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


def _sequential(w, b, x, y, eta):
    w = w - eta * mse_and_grad(w, b, x, y)[1]
    return w, b - eta * mse_and_grad(w, b, x, y)[2]


def _uphill(w, b, x, y, eta):
    _, gw, gb = mse_and_grad(w, b, x, y)
    return w + eta * gw, b + eta * gb


def _downhill(w, b, x, y, eta):
    _, gw, gb = mse_and_grad(w, b, x, y)
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
        Misconception(_fit(_uphill), "The cost rises: you add the gradient, which points uphill."),
        Misconception(_fit(_downhill, first=0), "The start is missing from the history; it is the first row."),
        Misconception(
            lambda *case: gd_fit(*case)[-1:],
            "You return only the last point; all of them are asked for, one row each.",
        ),
    ],
    hints=["`mse_and_grad` gives both derivatives at one point.", "Compute both, then move both."],
)


def standardise(x):
    mean, std = x.mean(), x.std()
    return (x - mean) / std, mean, std


_STANDARDISE = Exercise(
    id="objective/standardise",
    notebook="1.1",
    title="Standardize the inputs",
    statement=r"""
        Return $(z, m, s)$: the inputs shifted and scaled to mean 0 and **mean square 1**, and the mean and standard deviation that
        were used, so that new inputs can be treated alike.""",
    stub='''
        def standardise(x):
            """(z, mean, std) with z = (x - mean)/std, mean(z) = 0 and mean(z**2) = 1."""
            ...''',
    reference=standardise,
    cases=lambda rng: [(_X,), (rng.normal(3, 5, size=8),)],
    misconceptions=[
        Misconception(
            lambda x: ((x - x.mean()) / x.std(ddof=1), x.mean(), x.std(ddof=1)),
            "You divide by n - 1 in the variance; then the mean square of z is not 1, and κ is not 1 either.",
        ),
        Misconception(lambda x: (x / x.std(), x.mean(), x.std()), "The mean is still there: subtract it first."),
        Misconception(
            lambda x: ((x - x.mean()) / x.var(), x.mean(), x.var()),
            "You divide by the variance; it is the standard deviation that has the units of x.",
        ),
        Misconception(
            lambda x: ((x - x.min()) / (x.max() - x.min()), x.min(), x.max() - x.min()),
            "That scales to the interval from 0 to 1. Asked for are mean 0 and mean square 1.",
        ),
    ],
    hints=["Two steps: subtract, then divide.", "What does `x.std()` divide by, n or n - 1?"],
)

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
    reference=2 / 2.0022,
    rtol=0.02,
    misconceptions=[
        Misconception(0.0845, "That is the limit for x from 1 to 5. Here the curvature in w has almost vanished."),
        Misconception(0.5, "At 0.5 the steep direction is gone after one step; twice that is still stable."),
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


def bce_with_logits(z, y):
    return np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z)))


def _bce_half(z, y):
    return -y * np.log(1 / (1 + np.exp(-z)))


def _bce_naive(z, y):
    p = 1 / (1 + np.exp(-z))
    return -y * np.log(p) - (1 - y) * np.log(1 - p)


def _bce_clipped(z, y):
    p = np.clip(1 / (1 + np.exp(-np.clip(z, -500, 500))), 1e-7, 1 - 1e-7)
    return -y * np.log(p) - (1 - y) * np.log(1 - p)


_BCE = Exercise(
    id="objective/bce-with-logits",
    notebook="1.2",
    title="Two classes, from the logit",
    statement=r"""
        Return the cross-entropy of one example with logit `z` and label `y` (0 or 1): $\ln(1 + e^z) - yz$, computed so that it is right
        for any `z`. `z` and `y` are numbers or arrays.""",
    stub='''
        def bce_with_logits(z, y):
            """Cross-entropy of the label y under the probability sigmoid(z)."""
            ...''',
    reference=bce_with_logits,
    cases=lambda rng: [
        (0.0, 1.0),
        (2.0, 0.0),
        (40.0, 0.0),
        (-800.0, 1.0),
        (800.0, 1.0),
        (rng.normal(size=3), np.array([0.0, 1.0, 1.0])),
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
            _bce_clipped, "Clipping the probability caps the loss near 16: a sure mistake at -800 costs 800."
        ),
        Misconception(
            lambda z, y: np.log1p(np.exp(z)) - y * z, "exp(z) overflows for large z: bring the sign of z into it."
        ),
        Misconception(
            lambda z, y: bce_with_logits(z, 1 - np.asarray(y)),
            "The labels are swapped: a large z should be cheap for y = 1.",
        ),
    ],
    hints=[
        "For large positive z the loss with y = 0 is about z itself.",
        "Write ln(1 + eᶻ) as max(z, 0) plus something that cannot overflow.",
    ],
)


def hinge(scores, y):
    return np.mean(np.maximum(0, 1 - y * scores))


_HINGE = Exercise(
    id="objective/hinge",
    notebook="1.2",
    title="Hinge loss",
    statement="Return the mean hinge loss of raw scores for labels -1 and +1.",
    stub='''
        def hinge(scores, y):
            """Mean hinge loss; y holds -1 and +1."""
            ...''',
    reference=hinge,
    cases=lambda rng: [
        (np.array([0.3, 2.0, -0.5]), np.array([1, 1, -1])),
        (rng.normal(size=6) * 2, rng.choice([-1, 1], size=6)),
        (np.array([3.0, -3.0]), np.array([1, -1])),
    ],
    misconceptions=[
        Misconception(
            lambda scores, y: np.mean(np.maximum(0, 1 - (y + 1) / 2 * scores)),
            "You turn the labels into 0 and 1: then every negative example costs 1, whatever its score.",
        ),
        Misconception(
            lambda scores, y: np.mean(1 - y * scores),
            "The max is missing: a score far on the right side earns nothing extra.",
        ),
        Misconception(lambda scores, y: np.sum(np.maximum(0, 1 - y * scores)), "You sum; the loss is a mean."),
        Misconception(
            lambda scores, y: np.mean(np.maximum(0, -y * scores)),
            "The margin is missing: a score on the right side but below 1 still costs something.",
        ),
    ],
    hints=["One array of margins y·s, one maximum, one mean."],
)


def l2_penalty(W, b, lam):
    return lam * np.sum(W**2), 2 * lam * W, np.zeros_like(b)


_L2 = Exercise(
    id="objective/l2-penalty",
    notebook="1.2",
    title="L2 penalty",
    statement=r"""
        For the penalty $\lambda \sum W_{ij}^2$ (biases are left alone), return its value and its gradients in `W` and in `b`.""",
    stub='''
        def l2_penalty(W, b, lam):
            """(value, gradient in W, gradient in b) of lam * sum of W squared."""
            ...''',
    reference=l2_penalty,
    cases=lambda rng: [
        (np.array([[1.0, -2.0]]), np.array([3.0]), 0.1),
        (rng.normal(size=(2, 3)), rng.normal(size=3), rng.uniform(0.01, 1)),
    ],
    misconceptions=[
        Misconception(
            lambda W, b, lam: (lam / 2 * np.sum(W**2), lam * W, np.zeros_like(b)),
            "You use λ/2: that is a common form, but here the penalty is λ times the sum of squares.",
        ),
        Misconception(
            lambda W, b, lam: (lam * np.sum(W**2), lam * W, np.zeros_like(b)),
            "The value is right; the derivative of the square brings a factor 2.",
        ),
        Misconception(
            lambda W, b, lam: (lam * (np.sum(W**2) + np.sum(b**2)), 2 * lam * W, 2 * lam * b),
            "The bias is penalized too. It only shifts the output and is left alone.",
        ),
        Misconception(
            lambda W, b, lam: (lam * np.sqrt(np.sum(W**2)), 2 * lam * W, np.zeros_like(b)),
            "You take the norm; the penalty is the sum of squares without the root.",
        ),
    ],
    hints=["Three things to return; one of them is all zeros."],
)

# --- 1.3 where gradients come from ------------------------------------------------------------------------------------


def relu_backward(h, upstream):
    return upstream * (h > 0)


_RELU = Exercise(
    id="objective/relu-backward",
    notebook="1.3",
    title="Back through ReLU",
    statement=r"""
        Return the gradient in $h$ of the loss, given the gradient `upstream` in $\mathrm{ReLU}(h)$. At $h = 0$ take the slope 0.""",
    stub='''
        def relu_backward(h, upstream):
            """Gradient in h, same shape as h."""
            ...''',
    reference=relu_backward,
    cases=lambda rng: [
        (np.array([-1.0, 1.0, 2.0]), np.ones(3)),
        (np.array([0.0, -0.5, 3.0]), np.array([2.0, 5.0, -1.0])),
        (rng.normal(size=(2, 4)), rng.normal(size=(2, 4))),
    ],
    misconceptions=[
        Misconception(
            lambda h, upstream: upstream * (h >= 0), "At h = 0 you pass the gradient on; the convention is slope 0."
        ),
        Misconception(
            lambda h, upstream: np.where(upstream > 0, upstream, 0.0),
            "You cut off the negative part of the upstream gradient. What decides is the sign of h.",
        ),
        Misconception(
            lambda h, upstream: upstream * np.maximum(h, 0),
            "You multiply by the value of ReLU; the chain rule asks for its slope, 0 or 1.",
        ),
        Misconception(lambda h, upstream: (h > 0) * 1.0, "The slope alone: multiply it by the upstream gradient."),
    ],
    hints=["The slope of ReLU is an array of zeros and ones."],
)


def linear_backward(x, W, upstream):
    return upstream @ W.T, x.T @ upstream, upstream.sum(axis=0)


_LINEAR = Exercise(
    id="objective/linear-backward",
    notebook="1.3",
    title="Back through a linear layer",
    statement=r"""
        For $h = xW + b$ with a batch `x` of shape `(n, in)` and `W` of shape `(in, out)`, and the gradient `upstream` in $h$, shape
        `(n, out)`, return the gradients in $x$, $W$ and $b$.""",
    stub='''
        def linear_backward(x, W, upstream):
            """(dx, dW, db) of shapes (n, in), (in, out), (out,)."""
            ...''',
    reference=linear_backward,
    cases=lambda rng: [
        (np.array([[1.0, 2.0, 3.0]]), np.ones((3, 3)), np.array([[0.0, 1.0, 1.0]])),
        (np.arange(6.0).reshape(2, 3), np.eye(3), np.array([[1.0, 0.0, -1.0], [2.0, 1.0, 0.0]])),
        (rng.normal(size=(4, 3)), rng.normal(size=(3, 3)), rng.normal(size=(4, 3))),
        (rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=(4, 2))),
    ],
    misconceptions=[
        Misconception(
            lambda x, W, up: (up @ W.T, up.T @ x, up.sum(axis=0)),
            "dW is transposed: with W of shape (in, out) it is xᵀ times upstream; PyTorch stores weights the other way.",
        ),
        Misconception(
            lambda x, W, up: (up @ W.T, x.T @ up, up.mean(axis=0)),
            "db is a mean over the batch; the outer contributions add up. A mean belongs to the loss.",
        ),
        Misconception(
            lambda x, W, up: (up @ W.T, x.T @ up, up),
            "db still has one row for each example: b is shared by all of them, so sum over the batch.",
        ),
        Misconception(
            lambda x, W, up: (up @ W.T, x.T @ up / len(x), up.sum(axis=0)),
            "dW is divided by the batch size; if the loss is a mean, upstream already contains that factor.",
        ),
    ],
    hints=["Shapes decide: which product of two of the three arrays has the shape of W?", "b is added to every row."],
)


def grad_check(f, g, theta):
    h, worst = 1e-5, 0.0
    for i in range(len(theta)):
        e = np.zeros(len(theta))
        e[i] = h
        numeric = (f(theta + e) - f(theta - e)) / (2 * h)
        worst = max(worst, abs(numeric - g[i]) / max(1.0, abs(numeric)))
    return worst


def _check_probe(answer, theta, factor):
    """called with f, a smooth function, and g, its gradient with the last coordinate times `factor`"""
    f = lambda t: np.sum(np.sin(t) * np.exp(t))
    g = (np.sin(theta) + np.cos(theta)) * np.exp(theta)
    g[-1] *= factor
    before = theta.copy()
    error = answer(f, g, theta)
    if error is None:
        return None
    return {"accepts": bool(error < 1e-8), "near": bool(error < 1e-4), "untouched": bool(np.array_equal(theta, before))}


def _check_with(h, forward=False, coordinates=slice(None), in_place=False):
    def wrong(f, g, theta):
        worst = 0.0
        for i in range(len(theta))[coordinates]:
            e = np.zeros(len(theta))
            e[i] = h
            base = f(theta) if forward else f(theta - e)
            numeric = (f(theta + e) - base) / (h if forward else 2 * h)
            worst = max(worst, abs(numeric - g[i]) / max(1.0, abs(numeric)))
            if in_place:
                theta[i] += h
        return worst

    return wrong


_CHECK = Exercise(
    id="objective/grad-check",
    notebook="1.3",
    title="Check a gradient",
    statement=r"""
        Compare a gradient `g` (an array) with **central differences** of the function `f` at `theta`, coordinate by coordinate. Return the
        largest of $\lvert \text{numeric} - g_i\rvert / \max(1, \lvert\text{numeric}\rvert)$. A right gradient must come out below $10^{-8}$.
        Leave `theta` as it was.""",
    stub='''
        def grad_check(f, g, theta):
            """The largest relative error of the gradient g at theta."""
            ...''',
    reference=grad_check,
    probe=_check_probe,
    cases=lambda rng: [
        (np.array([0.3, 0.5]), 1.0),
        (np.array([0.3, 0.5, -0.2]), 1.01),
        (rng.uniform(-1, 1, 4), 1.0),
        (rng.uniform(0.2, 0.5, 3), 1.01),
    ],
    misconceptions=[
        Misconception(
            _check_with(1e-5, forward=True),
            "A forward difference is off by about h times the curvature: a right gradient does not pass. Take both sides.",
        ),
        Misconception(
            _check_with(1e-13),
            "The step is so small that rounding eats the difference; a right gradient fails by far. Try 1e-5.",
        ),
        Misconception(
            _check_with(1e-5, coordinates=slice(0, 1)),
            "Only the first coordinate is checked, so an error elsewhere passes.",
        ),
        Misconception(
            _check_with(1e-5, in_place=True),
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
    ],
    hints=["Which quantity does the slope of tanh use, its input or its output?"],
)

EXERCISES = [
    _MSE, _FIT, _STANDARDISE, _LARGEST, _SPACES, _CE, _BCE, _HINGE, _L2, _RELU, _LINEAR, _CHECK, _BUG,
]  # fmt: skip
