"""Exercises of chapter 7, initialization."""

import numpy as np

import optcore as oc

from ..exercise import Exercise, Misconception, choice, draw_facts, moments, three_draws
from ..slips import altered

# --- 7.1 signals and symmetry -----------------------------------------------------------------------------------------


def named_activation(name):
    return {"identity": oc.identity, "relu": oc.relu, "tanh": np.tanh, "sigmoid": oc.sigmoid}[name]


def second_moments(X, weights, phi, slope, g):
    a, slopes, forward = X, [], [np.mean(X**2)]
    for W in weights:
        z = a @ W
        a = phi(z)
        slopes.append(slope(z))
        forward.append(np.mean(a**2))
    backward = [np.mean(g**2)]
    for W, s in zip(weights[::-1], slopes[::-1], strict=True):
        g = (g * s) @ W.T
        backward.append(np.mean(g**2))
    return forward, backward[::-1]


def _by_the_formula(X, weights, phi, slope, g):
    forward = [len(W) * np.mean(W**2) for W in weights]
    backward = [len(W.T) * np.mean(W**2) for W in weights[::-1]]
    return np.mean(X**2) * np.cumprod([1.0, *forward]), np.mean(g**2) * np.cumprod([1.0, *backward])[::-1]


def named_slope(name):
    return {
        "identity": np.ones_like,
        "relu": lambda z: (z > 0) * 1.0,
        "tanh": lambda z: 1 - np.tanh(z) ** 2,
        "sigmoid": lambda z: oc.sigmoid(z) * oc.sigmoid(-z),
    }[name]


def _with_activation(answer, X, weights, name, g):
    """called with phi and slope, the activation of that name and its derivative, both functions of z"""
    return answer(X, weights, named_activation(name), named_slope(name), g)


_MOMENTS = Exercise(
    id="initialization/second-moments",
    notebook="7.1",
    title="Follow the signal, there and back",
    statement=r"""
        A network without biases: $a_0 = X$, $z_l = a_{l-1} W_l$, $a_l = \phi(z_l)$, examples in rows, with $L$ matrices in `weights`.
        `g` is the gradient of some loss in $a_L$, of the shape of $a_L$; the chain rule gives the gradients $g_l$ in all $a_l$. Return two
        lists of $L + 1$ numbers each: the mean squares of $a_0, \dots, a_L$, and those of $g_0, \dots, g_L$. `phi` and its derivative
        `slope` work on arrays.""",
    stub='''
        def second_moments(X, weights, phi, slope, g):
            """Mean squares of a_0 … a_L and of the gradients in them, two lists of L + 1 numbers."""
            ...''',
    reference=second_moments,
    probe=_with_activation,
    cases=lambda rng: [
        (np.array([[1.0, 2.0]]), [np.array([[1.0], [-1.0]])], "relu", np.array([[3.0]])),
        (np.array([[1.0, 2.0]]), [np.array([[1.0, 2.0], [0.5, -1.0]])], "sigmoid", np.array([[1.0, 0.0]])),
        (
            rng.normal(size=(4, 3)) + 1,
            [rng.normal(size=(3, 5)), rng.normal(size=(5, 2))],
            "sigmoid",
            rng.normal(size=(4, 2)),
        ),
        (rng.normal(size=(4, 3)), [rng.normal(size=(3, 3)) for _ in range(4)], "tanh", rng.normal(size=(4, 3))),
        (rng.normal(size=(2, 3)), [], "relu", rng.normal(size=(2, 3))),
    ],
    misconceptions=[
        Misconception(
            _by_the_formula,
            "That is the formula for linear layers of many random weights. Send the signal through these layers, and measure.",
        ),
        Misconception(
            altered(second_moments, "forward.append(np.mean(a**2))", "forward.append(np.var(a))"),
            "You return variances. What the next layer sums is the mean square, and activations such as ReLU have a mean.",
        ),
        Misconception(
            altered(second_moments, "forward.append(np.mean(a**2))", "forward.append(np.mean(z**2))"),
            "You measure before the activation. What travels on is what comes out of it.",
        ),
        Misconception(altered(second_moments, "a = phi(z)", "a = z"), "The activation is never applied."),
        Misconception(
            altered(second_moments, "(g * s) @ W.T", "g @ W.T"),
            "On the way back the slope of the activation is missing.",
        ),
        Misconception(
            altered(second_moments, "slopes.append(slope(z))", "slopes.append(slope(a))"),
            "You take the slope at the output of the activation. It belongs to the input, z.",
        ),
        Misconception(
            altered(second_moments, "(g * s) @ W.T", "(g * phi(s)) @ W.T"),
            "Backwards no activation is applied; the gradient is multiplied by its slope.",
        ),
        Misconception(
            altered(second_moments, "backward[::-1]", "backward"),
            "Your gradients stand in the order in which they were found, from the last layer to the first.",
        ),
        Misconception(
            altered(
                second_moments, "zip(weights[::-1], slopes[::-1], strict=True)", "zip(weights, slopes, strict=True)"
            ),
            "The gradient goes back: it meets the last layer first.",
        ),
        Misconception(
            lambda X, weights, phi, slope, g: tuple(part[1:] for part in second_moments(X, weights, phi, slope, g)),
            "The input is missing: it is layer 0, the first of the L + 1 numbers, for signals and for gradients.",
        ),
    ],
    hints=[
        "Two loops: on the way forward remember what the way back will need.",
        "The gradient in z is the one in a times the slope there; the one in the layer before follows with the transpose.",
    ],
)


def redundant_units(W_in, W_out):
    units = np.hstack([W_in.T, W_out])
    return len(units) - len(np.unique(units, axis=0))


def _copies(rng):
    """Six hidden units: 0, 1 and 2 alike, 3 like 0 in its inputs only, 4 like 0 in its outputs only."""
    W_in, W_out = rng.normal(size=(3, 6)), rng.normal(size=(6, 2))
    W_in[:, [1, 2, 3]] = W_in[:, [0]]
    W_out[[1, 2, 4]] = W_out[0]
    return W_in, W_out


_REDUNDANT = Exercise(
    id="initialization/redundant-units",
    notebook="7.1",
    title="Count the clones",
    statement=r"""
        A hidden layer without biases has incoming weights `W_in`, shape (inputs, units), and outgoing weights `W_out`, shape
        (units, outputs). Two units that are alike now stay alike for ever under gradient descent. How many units are superfluous:
        the number of units less the number of different ones? Compare exactly.""",
    stub='''
        def redundant_units(W_in, W_out):
            """Units less different units, where alike units get alike gradients."""
            ...''',
    reference=redundant_units,
    cases=lambda rng: [
        (np.array([[1.0, 1.0]]), np.array([[2.0], [2.0]])),
        (np.array([[1.0, 1.0]]), np.array([[2.0], [3.0]])),
        (np.array([[1.0, 2.0]]), np.array([[3.0], [3.0]])),
        (np.full((3, 5), 0.1), np.full((5, 2), 0.1)),
        _copies(rng),
        (rng.normal(size=(2, 5)), rng.normal(size=(5, 2))),
    ],
    misconceptions=[
        Misconception(
            lambda W_in, W_out: W_in.shape[1] - np.linalg.matrix_rank(W_in),
            "The rank counts independent columns. Units may depend on each other linearly and still learn different things.",
        ),
        Misconception(
            lambda W_in, W_out: W_in.shape[1] - len(np.unique(W_in, axis=1).T),
            "You look at the incoming weights alone. Different outgoing weights bring different gradients back.",
        ),
        Misconception(
            lambda W_in, W_out: len(W_out) - len(np.unique(W_out, axis=0)),
            "You look at the outgoing weights alone. Units with different inputs compute different values.",
        ),
        Misconception(
            lambda W_in, W_out: len(np.unique(np.hstack([W_in.T, W_out]), axis=0)),
            "That is the number of different units; the superfluous ones are asked for.",
        ),
    ],
    hints=["What decides the gradient of a unit: what comes in, what comes back, or both?", "`np.unique` knows axes."],
)

_SATURATED = choice(
    {
        "a": (
            "A saturated unit has a large slope.",
            "It is the other way round: far from 0 the slope of tanh is nearly 0.",
        ),
        "b": (
            "The few units that are not saturated pass their gradient on through weights that are far too large.",
            "A seventh of the units has a slope; n·σ² = 256 times that share of slope is still far above 1.",
        ),
        "c": ("The activations explode.", "tanh never exceeds 1: the activations look healthy in every layer."),
        "d": ("The loss is badly scaled.", "The gradient grows on its way back, whatever number it starts with."),
    },
    "b",
    id="initialization/why-explode",
    notebook="7.1",
    title="Saturated and exploding",
    statement=r"""
        A tanh network of width 256 with weights from $N(0, 1)$: 86% of the units are beyond ±0.99, and yet the gradient's mean
        square grows by a factor of about 9 with each layer on the way back. Why?""",
    name="why",
    hints=["The factor per layer is n·σ²·E[φ'(z)²]. Put numbers in.", "Which units contribute to E[φ'(z)²]?"],
)

# --- 7.2 Glorot, He, orthogonal ---------------------------------------------------------------------------------------


def _drawn(answer, fan_in, fan_out, seed):
    """called three times: twice with rng, a NumPy generator made from the seed, then with another one"""
    return three_draws(lambda rng: answer(fan_in, fan_out, rng), seed)


def _moments_of_draws(draws, *_):
    return moments(draws[0]) | draw_facts(draws)


def _draw_cases(rng):
    return [(250, 160, 0), (100, 400, int(rng.integers(1, 1000)))]


def he_truncated(fan_in, fan_out, rng):
    draws = rng.normal(size=2 * fan_in * fan_out)
    kept = draws[np.abs(draws) <= 2][: fan_in * fan_out]
    return np.sqrt(2 / fan_in / 0.7737) * kept.reshape(fan_in, fan_out)


def _moments_and_reach(draws, *_):
    first = np.asarray(draws[0], float)
    reach = float(np.abs(first).max(initial=0.0) / (first.std() or 1.0))
    return _moments_of_draws(draws) | {"largest entry over the standard deviation": reach}


_HE = Exercise(
    id="initialization/he-truncated",
    notebook="7.2",
    title="He's start without tails",
    statement=r"""
        Some frameworks draw weights from a normal distribution that is cut off: what lies beyond two standard deviations is drawn again until
        nothing does. Draw such a matrix of shape `(fan_in, fan_out)` for a ReLU layer $h = xW$, with mean 0 and He's variance **after
        the cut**, which has taken variance away. `rng` is a NumPy generator. Shape, mean, standard deviation, kurtosis and the largest
        entry of your draws are compared.""",
    stub='''
        def he_truncated(fan_in, fan_out, rng):
            """A draw of shape (fan_in, fan_out) from a cut-off normal that keeps the mean square through ReLU."""
            ...''',
    reference=he_truncated,
    probe=_drawn,
    summary=_moments_and_reach,
    rtol=0.035,
    cases=_draw_cases,
    also_right=[
        lambda fan_in, fan_out, rng: (
            (w := he_truncated(fan_in, fan_out, rng)) / w.std() * np.sqrt(2 / fan_in)  # what is left is measured
        )
    ],
    misconceptions=[
        Misconception(
            altered(he_truncated, " / 0.7737", ""),
            "The variance is He's before the cut. The cut takes some of it away: measure what is left, and make up for it.",
        ),
        Misconception(
            altered(he_truncated, "2 / fan_in / 0.7737", "2 / fan_in * 0.7737"),
            "You shrink the draws where they have to be stretched: the cut has made them narrower already.",
        ),
        Misconception(
            lambda fan_in, fan_out, rng: rng.normal(0, np.sqrt(2 / fan_in), (fan_in, fan_out)),
            "The variance is He's and nothing is cut off: some entries lie beyond two standard deviations.",
        ),
        Misconception(
            lambda fan_in, fan_out, rng: np.sqrt(2 / fan_in) * np.clip(rng.normal(size=(fan_in, fan_out)), -2, 2),
            "You move what lies beyond to the edge, where it piles up. It is to be drawn again.",
        ),
        Misconception(
            lambda fan_in, fan_out, rng: (
                np.sqrt(2 / fan_in) * np.clip(w := rng.normal(size=(fan_in, fan_out)), -2, 2) / np.clip(w, -2, 2).std()
            ),
            "The variance is right, but what lies beyond is moved to the edge, where it piles up. It is to be drawn again.",
        ),
        Misconception(
            altered(he_truncated, "np.sqrt(2 / fan_in / 0.7737)", "2 / fan_in / 0.7737"),
            "A root is missing: you scale by the variance, where the standard deviation belongs.",
        ),
        Misconception(
            altered(he_truncated, "2 / fan_in", "2 / fan_out"),
            "You divide by the outputs. A unit sums over its inputs.",
        ),
        Misconception(
            lambda fan_in, fan_out, rng: he_truncated(fan_in, fan_out, rng).T,
            "The matrix is transposed: that is how PyTorch stores it. Here h = xW.",
        ),
        Misconception(
            altered(he_truncated, "2 / fan_in", "2 / (fan_in + fan_out)"),
            "That is Glorot's compromise between inputs and outputs; it leaves out what ReLU takes away.",
        ),
        Misconception(
            altered(he_truncated, "2 / fan_in", "1 / fan_in"),
            "That keeps signals through linear layers. ReLU cuts off half of the mean square.",
        ),
        Misconception(
            altered(he_truncated, "rng.normal", "np.random.normal"),
            "You draw from NumPy's global generator: the weights cannot be made again from the `rng` that is handed in.",
        ),
        Misconception(
            altered(he_truncated, "rng.normal", "np.random.default_rng(0).normal"),
            "You make a generator of your own, so every layer of a network starts with the same numbers.",
        ),
        Misconception(
            lambda fan_in, fan_out, rng: rng.uniform(-1, 1, (fan_in, fan_out)) * np.sqrt(6 / fan_in),
            "The variance is He's and the distribution is uniform; a normal one, cut off, is asked for.",
        ),
    ],
    hints=[
        "Draw a standard normal and redraw what is beyond 2; scale last.",
        "Which variance has a standard normal that was cut at ±2? A million draws tell it to three digits.",
    ],
)


def glorot_kernel(shape, rng):
    outputs, inputs, *window = shape
    limit = np.sqrt(6 / (np.prod(window) * (inputs + outputs)))
    return rng.uniform(-limit, limit, shape)


def _kernels(answer, shape, seed):
    """called three times: twice with rng, a NumPy generator made from the seed, then with another one"""
    return three_draws(lambda rng: answer(tuple(shape), rng), seed)


_GLOROT = Exercise(
    id="initialization/glorot-kernel",
    notebook="7.2",
    title="Glorot's start for a convolution",
    statement=r"""
        The kernel of a convolution is stored as (output channels, input channels, height, width), as PyTorch does; a linear layer, without a
        window, as (outputs, inputs). Draw such an array from a uniform distribution around 0 with Glorot's variance $2/(m + n)$: $m$ is the
        number of products that are summed in one output, $n$ the number of outputs that one input takes part in (away from the border, each
        step one pixel). `rng` is a NumPy generator. Shape, mean, standard deviation and kurtosis are compared.""",
    stub="""
        def glorot_kernel(shape, rng):
            \"\"\"A uniform draw of the given shape, (out, in) or (out, in, height, width), with Glorot's variance.\"\"\"
            ...""",
    reference=glorot_kernel,
    probe=_kernels,
    summary=_moments_of_draws,
    rtol=0.035,
    cases=lambda rng: [([250, 160], 0), ([40, 20, 5, 7], 1), ([20, 60, 6, 6], int(rng.integers(2, 1000)))],
    misconceptions=[
        Misconception(
            altered(glorot_kernel, "np.prod(window) * (inputs + outputs)", "(inputs + outputs)"),
            "You leave out the window: an output sums over all pixels in it, and an input meets as many outputs.",
        ),
        Misconception(
            altered(glorot_kernel, "np.prod(window) * (inputs + outputs)", "np.prod(window) * inputs + outputs"),
            "The window counts on one side only. An input, too, takes part in one output for each of its places.",
        ),
        Misconception(
            altered(glorot_kernel, "(np.prod(window) * (inputs + outputs))", "(sum(shape[-2:]))"),
            "You take the last two axes for inputs and outputs. Those are the window; the channels stand in front.",
        ),
        Misconception(
            altered(glorot_kernel, "np.prod(window)", "np.sum(window)"),
            "The sides of a window multiply; you add them.",
        ),
        Misconception(
            altered(glorot_kernel, "np.sqrt(6 /", "np.sqrt(2 /"),
            "You use the standard deviation as the limit. A uniform distribution is narrower than its limits.",
        ),
        Misconception(
            altered(glorot_kernel, "limit = np.sqrt(", "limit = ("),
            "The root is missing: a limit has the units of a weight, not of its square.",
        ),
        Misconception(
            altered(glorot_kernel, "(inputs + outputs)", "inputs"),
            "You count the inputs only. Glorot's compromise weighs inputs and outputs alike.",
        ),
        Misconception(
            altered(glorot_kernel, "rng.uniform(-limit, limit, shape)", "rng.normal(0, limit / np.sqrt(3), shape)"),
            "The variance is right and the distribution is normal; a uniform one is asked for.",
        ),
        Misconception(
            altered(glorot_kernel, "-limit, limit", "0, limit"),
            "All your weights are positive: the interval has to lie around 0.",
        ),
        Misconception(
            altered(glorot_kernel, "rng.uniform", "np.random.uniform"),
            "You draw from NumPy's global generator: the weights cannot be made again from the `rng` that is handed in.",
        ),
        Misconception(
            altered(glorot_kernel, "rng.uniform", "np.random.default_rng(0).uniform"),
            "You make a generator of your own, so every layer of a network starts with the same numbers.",
        ),
        Misconception(
            altered(glorot_kernel, "limit, shape)", "limit, shape[::-1])"),
            "The axes are in the other order; the shape that is given is asked for.",
        ),
    ],
    hints=[
        "How many weights does one output see? How many outputs see one input pixel?",
        "What is the variance of a uniform distribution from -a to a? Solve that for a.",
    ],
)


def orthogonal(fan_in, fan_out, rng, gain):
    tall = rng.normal(size=(max(fan_in, fan_out), min(fan_in, fan_out)))
    Q, R = np.linalg.qr(tall)
    Q = Q * np.sign(np.diag(R))
    return gain * (Q if fan_in >= fan_out else Q.T)


def _no_sign(fan_in, fan_out, rng, gain):
    Q = np.linalg.qr(rng.normal(size=(max(fan_in, fan_out), min(fan_in, fan_out))))[0]
    return gain * (Q if fan_in >= fan_out else Q.T)


def _tall_only(fan_in, fan_out, rng, gain):
    Q, R = np.linalg.qr(rng.normal(size=(fan_in, fan_out)))
    return gain * Q * np.sign(np.diag(R))


def _unit_columns(fan_in, fan_out, rng, gain):
    A = rng.normal(size=(fan_in, fan_out))
    return gain * A / np.linalg.norm(A, axis=0)


def _many_draws(answer, fan_in, fan_out, gain, draws, seed):
    """called as often as `draws` says with rng, a NumPy generator made from the seed; then again, and with another seed"""
    return three_draws(lambda rng: [answer(fan_in, fan_out, rng, gain) for _ in range(draws)], seed)


def _rotations(drawn, *_):
    """Shape, singular values and, of many draws, the mean trace: 0 for a matrix without a preferred direction."""
    draws = np.asarray(drawn[0], float)
    singular = np.linalg.svd(draws, compute_uv=False)
    found = {
        "shape": draws.shape[1:],
        "smallest singular value": float(singular.min()),
        "largest singular value": float(singular.max()),
    }
    if len(draws) > 10:
        trace = np.trace(draws, axis1=-2, axis2=-1)
        near_zero = abs(trace.mean()) < 5 * trace.std() / np.sqrt(len(trace))
        found["mean trace"] = 0.0 if near_zero else float(trace.mean())
    return found | draw_facts(drawn)


_ORTHOGONAL = Exercise(
    id="initialization/orthogonal",
    notebook="7.2",
    title="A random rotation",
    statement=r"""
        Draw a matrix of shape `(fan_in, fan_out)` whose columns (rows, if there are fewer of them) are orthonormal, times `gain`.
        No direction may be preferred: over many draws the mean trace must be 0. Start from the QR factors of a normal matrix.
        Shape, singular values and mean trace over 150 draws are compared.""",
    stub='''
        def orthogonal(fan_in, fan_out, rng, gain):
            """gain times a random matrix with orthonormal columns, or rows when fan_in < fan_out."""
            ...''',
    reference=orthogonal,
    probe=_many_draws,
    summary=_rotations,
    rtol=0.15,
    cases=lambda rng: [
        (3, 2, 2.0, 2, int(rng.integers(1, 1000))),
        (3, 6, 0.5, 2, int(rng.integers(1, 1000))),
        (6, 6, 1.0, 150, 0),
    ],
    misconceptions=[
        Misconception(
            _tall_only, "A wide matrix comes out with the wrong shape: QR of 3 × 6 numbers gives a 3 × 3 factor."
        ),
        Misconception(_no_sign, "The signs that QR chooses prefer a direction: the mean trace is not 0. R knows them."),
        Misconception(
            lambda fan_in, fan_out, rng, gain: orthogonal(fan_in, fan_out, rng, 1.0), "The gain has no effect."
        ),
        Misconception(
            _unit_columns,
            "Your columns have length one and are not perpendicular to each other: the singular values differ.",
        ),
        Misconception(
            lambda fan_in, fan_out, rng, gain: orthogonal(fan_in, fan_out, np.random.default_rng(0), gain),
            "Every draw is the same matrix. Use the generator that is handed in.",
        ),
        Misconception(
            altered(orthogonal, "rng.normal", "np.random.normal"),
            "You draw from NumPy's global generator: the matrix cannot be made again from the `rng` that is handed in.",
        ),
        Misconception(
            altered(orthogonal, "np.sign(np.diag(R))", "np.sign(np.diag(Q))"),
            "You take the signs of the diagonal of Q, which makes the trace positive. R holds those that QR chose.",
        ),
    ],
    hints=["Always factor a tall matrix, and turn it round at the end if need be.", "Look at the diagonal of R."],
)

_ABSOLUTE = Exercise(
    id="initialization/absolute-gain",
    notebook="7.2",
    title="The gain of the absolute value",
    kind="measure",
    statement=r"""
        Layers with the activation $\phi(z) = |z|$ and weights from $N(0, \text{gain}^2/n)$. Find by experiment, to 5%, the gain
        at which the power at layer 20 is about what it was at the input.""",
    stub="""
        def power_at_layer_20(gain, width=128):
            rng = np.random.default_rng(0)
            a = rng.normal(size=(32, width))
            for _ in range(20):
                a = np.abs(a @ rng.normal(0, gain / np.sqrt(width), (width, width)))
            return np.mean(a**2)

        gain = ...""",
    reference=1.0,
    rtol=0.05,
    misconceptions=[
        Misconception(np.sqrt(2), "That is the gain of ReLU, which throws half of the square away. Does |z|?"),
        Misconception(2.0, "Two is the factor on the variance for ReLU. Does |z| lose any of the mean square?"),
        Misconception(0.5, "With one half the power falls by four in each layer."),
        Misconception(5 / 3, "That is the value in use for tanh."),
    ],
    hints=["Try 0.9 and 1.1 first: 20 layers make the difference large.", "What is |z|²?"],
)

_BROKEN_START = '''
    def start(sizes, rng):
        """He's weights for a ReLU network with layers of these sizes, one matrix for each pair of neighbours."""
        weights = []
        for fan_in, fan_out in zip(sizes[:-1], sizes[1:]):
            std = np.sqrt(2 / sizes[0])
            weights.append(rng.normal(0, std, (fan_in, fan_out)))
        return weights'''


def start(sizes, rng):
    weights = []
    for fan_in, fan_out in zip(sizes[:-1], sizes[1:], strict=True):
        std = np.sqrt(2 / fan_in)
        weights.append(rng.normal(0, std, (fan_in, fan_out)))
    return weights


def _start_with(std):
    return lambda sizes, rng: [rng.normal(0, std(m, n), (m, n)) for m, n in zip(sizes[:-1], sizes[1:], strict=True)]


def _seeded_start(answer, sizes, seed):
    """called three times: twice with rng, a NumPy generator made from the seed, then with another one"""
    return three_draws(lambda rng: answer(sizes, rng), seed)


def _spread(draws, *_):
    """Shape, root of the mean square and standard deviation of each matrix."""
    found = {
        f"shape, root mean square and deviation in layer {k}": (
            np.shape(W),
            float(np.sqrt(np.mean(W**2))),
            float(np.std(W)),
        )
        for k, W in enumerate(map(np.asarray, draws[0]), 1)
    }
    return found | draw_facts(draws)


_START = Exercise(
    id="initialization/fading-start",
    notebook="7.2",
    title="The network that fades",
    kind="bug hunt",
    statement=r"""
        This start works for networks whose layers are equally wide. In a network that narrows or widens, signals fade or explode.
        Find the bug.""",
    stub=_BROKEN_START,
    reference=start,
    probe=_seeded_start,
    summary=_spread,
    rtol=0.12,
    cases=lambda rng: [([100, 100, 100], 0), ([400, 50, 200], int(rng.integers(1, 1000)))],
    misconceptions=[
        Misconception(
            _start_with(lambda m, n: np.sqrt(2 / n)),
            "Now you divide by the outputs of the layer. A unit sums over its inputs.",
        ),
        Misconception(
            _start_with(lambda m, n: np.sqrt(4 / (m + n))),
            "You average inputs and outputs, a compromise; He's start keeps the signal through each layer.",
        ),
        Misconception(
            _start_with(lambda m, n: 2 / m), "You took the variance for the standard deviation: the root got lost."
        ),
        Misconception(
            _start_with(lambda m, n: np.sqrt(1 / m)), "The 2 makes up for the half that ReLU cuts off; it has to stay."
        ),
        Misconception(
            altered(start, "np.sqrt(2 / fan_in)", "np.sqrt(2 / sizes[1])"),
            "Still one number for all layers, only another one. Each layer has inputs of its own.",
        ),
    ],
    hints=[
        "Print the standard deviation of each matrix for sizes 400, 50, 200.",
        "Which size should each of them know?",
    ],
)

# --- 7.3 biases, gates, norm layers, width ----------------------------------------------------------------------------


def output_bias(Y):
    positive = Y.sum(axis=0) + 0.5
    negative = (1 - Y).sum(axis=0) + 0.5
    return np.log(positive / negative)


_OUTPUT_BIAS = Exercise(
    id="initialization/output-bias",
    notebook="7.3",
    title="Say the base rates",
    statement=r"""
        A network has one sigmoid output for each of $C$ labels, of which an example may have none or several: `Y`, shape $(N, C)$, holds 1
        where it has the label and 0 elsewhere. Return the $C$ output biases with which the network says how frequent each label is, when
        its weights contribute nothing. So that a label that never occurs, or always, gets a finite bias, count half an example more that
        has the label, and half an example more that has not.""",
    stub='''
        def output_bias(Y):
            """The biases, shape (C,), of one sigmoid per label."""
            ...''',
    reference=output_bias,
    cases=lambda rng: [
        (np.array([[1.0], [0.0], [0.0], [0.0]]),),
        (np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0]]),),
        ((rng.random((50, 3)) < [0.05, 0.5, 0.9]) * 1.0,),
    ],
    misconceptions=[
        Misconception(
            lambda Y: np.log((Y.sum(axis=0) + 0.5) / (len(Y) + 1)),
            "ln p is right for a softmax over all classes; for one sigmoid the odds count.",
        ),
        Misconception(
            lambda Y: np.log(Y.mean(axis=0)),
            "ln p is right for a softmax; for one sigmoid the odds count. And where a label never occurs it has no value.",
        ),
        Misconception(
            lambda Y: np.log(Y.sum(axis=0) / (1 - Y).sum(axis=0)),
            "Those are the log-odds as counted: a label that never occurs gets minus infinity, from which no step leads back.",
        ),
        Misconception(
            lambda Y: (Y.sum(axis=0) + 0.5) / (len(Y) + 1),
            "That is the probability itself. The bias is a logit: a sigmoid comes after it.",
        ),
        Misconception(lambda Y: -output_bias(Y), "The sign is wrong: with these biases the network says 1 - p."),
        Misconception(lambda Y: np.exp(output_bias(Y)), "Those are the odds; the logarithm is missing."),
        Misconception(
            altered(output_bias, "(1 - Y).sum(axis=0) + 0.5", "(1 - Y).sum(axis=0)"),
            "You add half an example to those with the label only; the others get one too.",
        ),
        Misconception(
            altered(output_bias, "0.5", "1"), "You add whole examples; half a one on each side is asked for."
        ),
        Misconception(
            lambda Y: np.log((Y.sum() + 0.5) / ((1 - Y).sum() + 0.5)) + np.zeros(Y.shape[1]),
            "You take all labels together. Each output has a frequency of its own.",
        ),
        Misconception(
            lambda Y: np.log((Y.sum(axis=0) + 0.5) / (Y.sum() + 0.5 * Y.shape[1])),
            "You divide by the number of labels given, as for a softmax. Each sigmoid is asked about every example.",
        ),
    ],
    hints=["Solve σ(b) = p for b.", "What are the odds of a label: examples that have it over examples that have not?"],
)


def forget_bias_for_half_life(T):
    keep = 0.5 ** (1 / T)
    return np.log(keep / (1 - keep))


_HALF_LIFE = Exercise(
    id="initialization/forget-bias-for-half-life",
    notebook="7.3",
    title="Forget by half in T steps",
    statement=r"""
        An LSTM cell keeps the factor $\sigma(b)$ of its memory in each step. Return the bias for which exactly half is left after
        `T` steps.""",
    stub='''
        def forget_bias_for_half_life(T):
            """The bias b with sigmoid(b)**T = 1/2."""
            ...''',
    reference=forget_bias_for_half_life,
    cases=lambda rng: [(20,), (1,), (100,), (float(rng.uniform(2, 50)),)],
    misconceptions=[
        Misconception(
            lambda T: np.log(T - 1) if T > 1 else -np.inf,
            "That makes the factor 1 - 1/T, which keeps about 37% over T steps, not half.",
        ),
        Misconception(lambda T: 1.0, "A bias of 1 has a half-life of 2.2 steps, whatever T is."),
        Misconception(lambda T: 0.5 ** (1 / T), "That is the factor per step; the gate gets there through a sigmoid."),
        Misconception(lambda T: np.log(0.5 ** (1 / T)), "You inverted an exponential; the gate is a sigmoid."),
        Misconception(
            lambda T: -forget_bias_for_half_life(T), "The sign is wrong: this gate forgets what it should keep."
        ),
    ],
    hints=["First the factor per step, then the bias.", "The inverse of the sigmoid is the log-odds."],
)


def width_rates(lr, width, base):
    return lr, lr * base / width, lr * base / width


_WIDTH = Exercise(
    id="initialization/width-rates",
    notebook="7.3",
    title="Learning rates for a wider network",
    statement=r"""
        A network of width `base` was tuned: Adam, learning rate `lr`. Return Adam's learning rates $(\text{input}, \text{hidden},
        \text{output})$ for the weight matrices of a network of width `width` under μP, in the form of 7.3's table: the output matrix
        starts with a variance in proportion to 1/width², and nothing multiplies its result.""",
    stub='''
        def width_rates(lr, width, base):
            """Adam's learning rates of input, hidden and output matrices under μP."""
            ...''',
    reference=width_rates,
    cases=lambda rng: [(0.01, 32, 32), (0.01, 256, 32), (float(rng.uniform(0.001, 0.1)), 96, 64)],
    misconceptions=[
        Misconception(
            lambda lr, width, base: (lr, lr, lr), "That is the standard parametrization: nothing depends on width."
        ),
        Misconception(
            lambda lr, width, base: (lr * base / width,) * 3,
            "The input matrix sums over the features, whose number stays the same: its rate does too.",
        ),
        Misconception(
            lambda lr, width, base: (lr, lr * base / width, lr),
            "That goes with another form of μP, in which the output is divided by the width (the package of its authors does "
            "that). Here nothing divides it: its steps pull together over the wide layer, so its rate has to shrink.",
        ),
        Misconception(
            lambda lr, width, base: (lr, lr * np.sqrt(base / width), lr * np.sqrt(base / width)),
            "The root would be right for random signs. Adam's steps pull together, so they add up in proportion to width.",
        ),
        Misconception(
            lambda lr, width, base: (lr, lr * width / base, lr * width / base),
            "Wider layers need smaller steps; yours grow.",
        ),
    ],
    hints=["Over how many weights does a unit of each layer sum?", "Adam moves each weight by about lr."],
)


def carry_over(rates, narrow, wide):
    narrow, wide = narrow.mean(axis=1), wide.mean(axis=1)
    here, there = np.nanargmin(narrow), np.nanargmin(wide)
    return np.log2(rates[here] / rates[there]), wide[here] / wide[there]


def _curves(rng):
    rates = 2.0 ** np.arange(-8, 0)
    valley = lambda best, draws=3: (
        0.05 * 4.0 ** abs(np.arange(8) - best)[:, None] * np.exp(0.05 * rng.normal(size=(8, draws)))
    )
    lucky = valley(3)
    lucky[6] = [1e-4, 3.0, 3.0]  # one draw that is far lower at another rate
    lost = valley(2)
    lost[3] = [1e-3, 1e-3, np.nan]  # the lowest of those that ended, and one that did not
    uneven = np.array([0.001, 0.003, 0.01, 0.05, 0.2, 0.3, 0.5, 0.9])
    return [
        (rates, valley(5), valley(2)),
        (rates, valley(3), valley(3)),
        (rates, valley(2), valley(4, 5)),
        (rates, lucky, valley(1)),
        (rates, lost, valley(1)),
        (rates, valley(6), lost),
        (uneven, valley(5, 2), valley(int(rng.integers(1, 4)), 2)),
    ]


_CARRY = Exercise(
    id="initialization/carry-over",
    notebook="7.3",
    title="What a carried-over rate costs",
    statement=r"""
        `narrow` and `wide` are the last losses of two networks, one row for each of the `rates` and one column for each draw of the
        weights. The best rate of a network is that with the lowest mean over its draws; a rate at which a draw did not end in a number
        (nan) is out. Return by how many octaves (factors of 2) the best rate falls from the narrow to the wide network, and the factor by
        which the mean loss of the wide network at the narrow one's best rate exceeds its lowest.""",
    stub='''
        def carry_over(rates, narrow, wide):
            """(octaves by which the best rate falls, loss at the carried-over rate over the lowest)."""
            ...''',
    reference=carry_over,
    cases=_curves,
    misconceptions=[
        Misconception(
            altered(carry_over, "rates[here] / rates[there]", "rates[there] / rates[here]"),
            "The sign is turned round: a best rate that is smaller in the wide network has fallen, by a positive number of octaves.",
        ),
        Misconception(
            altered(carry_over, "np.log2", "np.log10"), "You count factors of ten; an octave is a factor of 2."
        ),
        Misconception(
            altered(carry_over, "np.log2", "np.log"), "You take the natural logarithm; an octave is a factor of 2."
        ),
        Misconception(
            lambda rates, narrow, wide: (
                np.log2(
                    rates[np.unravel_index(np.nanargmin(narrow), narrow.shape)[0]]
                    / rates[np.unravel_index(np.nanargmin(wide), wide.shape)[0]]
                ),
                carry_over(rates, narrow, wide)[1],
            ),
            "You take the lowest single draw. One lucky draw then names the rate; take the mean over the draws first.",
        ),
        Misconception(
            altered(carry_over, "wide[here] / wide[there]", "narrow[here] / wide[there]"),
            "You divide the narrow network's loss by the wide one's. Asked for is the wide network at both rates.",
        ),
        Misconception(
            altered(carry_over, "wide[here] / wide[there]", "wide[here] - wide[there]"),
            "That is the difference of the losses; asked for is their ratio.",
        ),
        Misconception(
            altered(
                carry_over,
                "narrow.mean(axis=1), wide.mean(axis=1)",
                "np.nanmean(narrow, axis=1), np.nanmean(wide, axis=1)",
            ),
            "You leave out the draws that did not end in a number and keep the rate. A rate at which a run is lost is no good rate.",
        ),
    ],
    hints=[
        "First the means over the draws, then the best rates.",
        "`np.nanargmin` passes over nan; a mean with nan in it is nan.",
    ],
)

_DEAD = choice(
    {
        "biases": (
            "The biases, which start at 0; a small positive start of 0.1 would keep the units alive.",
            "They are 0 in all four runs, and in two of them nobody dies.",
        ),
        "offset": (
            "The offset of the inputs: all are positive, so one step can turn a unit off for all images at once.",
            "Without the mean the responses w·x of a unit sum to 0 over the images, so it cannot be negative on all of them "
            "unless its bias does it. That holds at any size and any rate.",
        ),
        "size": (
            "The size of the inputs: numbers up to 16 make gradients that no unit survives.",
            "Numbers up to 16 less their mean kill nobody at the same rate, and numbers up to 1 with their mean kill nearly all.",
        ),
        "start": (
            "He's variance, which is too large for a first layer that sums over 64 pixels.",
            "The start is the same in all four runs. The deaths come with the steps.",
        ),
    },
    "offset",
    id="initialization/dead-why",
    notebook="7.3",
    title="Who killed the units",
    statement=r"""
        The code trains one network on the digits four times for 60 steps of SGD, with pixels of two sizes, with and without their
        mean, at a rate that suits the size, and prints how many ReLU units are dead. What is to blame?""",
    name="culprit",
    code="""
        (X, y), _ = oc.digits(400, scale="raw")
        mean = X.mean(axis=0)
        for name, inputs, lr in [
            ("0 to 16", X, 0.1),
            ("0 to 16 less mean", X - mean, 0.1),
            ("0 to 1", X / 16, 2.0),
            ("0 to 1 less mean", (X - mean) / 16, 2.0),
        ]:
            net = oc.MLP([64, 128, 10])
            oc.train(net, (inputs, y), oc.gd, lr=lr, steps=60, every=60, classify=False)
            print(f"{name:18} lr {lr}: {(net.signals(inputs)[2] <= 0).all(axis=0).mean():.0%} dead")""",
    hints=["The four runs differ in two things. Change one at a time: which change brings the deaths down?"],
)


def leaky_variance(fan_in, slope, p):
    return 2 * (1 - p) / ((1 + slope**2) * fan_in)


_DERIVE = Exercise(
    id="initialization/derive-leaky-variance",
    notebook="7.2",
    title="Derive: a start for leaky units behind dropout",
    statement=r"""
        A layer computes $h = xW$, where $x$ comes from leaky ReLU units ($z$ for $z > 0$, $\text{slope}\cdot z$ otherwise), whose $z$ is
        symmetric around 0, and went through inverted dropout (each entry 0 with probability $p$, else divided by $1 - p$). Derive and
        return the variance of the weights for which $h$ has the same mean square as $z$. With slope 0 and $p = 0$ it is He's.""",
    stub='''
        def leaky_variance(fan_in, slope, p):
            """The variance of the weights that keeps the mean square from z to h."""
            ...''',
    reference=leaky_variance,
    cases=lambda rng: [
        (100, 0.0, 0.0),
        (50, 0.5, 0.0),
        (50, 0.0, 0.5),
        (20, 1.0, 0.2),
        (int(rng.integers(10, 500)), rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.8)),
    ],
    misconceptions=[
        Misconception(
            altered(leaky_variance, "2 * (1 - p) / ", "2 / "),
            "Dropout is left out: the kept entries are enlarged, so the mean square of x grows.",
        ),
        Misconception(
            altered(leaky_variance, "2 * (1 - p) / ", "2 / (1 - p) / "),
            "The wrong way round: dropout makes the mean square larger, so the weights must be smaller.",
        ),
        Misconception(
            altered(leaky_variance, "(1 - p)", "(1 - p) ** 2"),
            "You correct for the enlarged entries and forget that a share p of them is 0.",
        ),
        Misconception(
            altered(leaky_variance, "(1 - p)", "p"), "p is the share that is dropped; the share that is kept counts."
        ),
        Misconception(
            altered(leaky_variance, "slope**2", "slope"),
            "The slope enters the mean square of the negative half with its square.",
        ),
        Misconception(
            altered(leaky_variance, "(1 + slope**2) * fan_in", "fan_in"),
            "That is He's for plain ReLU: the leak lets a part of the negative half through.",
        ),
        Misconception(
            altered(leaky_variance, "2 * (1 - p)", "(1 - p)"),
            "A factor 2 is missing: each half of a symmetric z holds half of its mean square.",
        ),
        Misconception(
            lambda fan_in, slope, p: np.sqrt(leaky_variance(fan_in, slope, p)),
            "That is the standard deviation; the variance is asked for.",
        ),
    ],
    hints=[
        "E[x²] is a product: what leaky ReLU does to E[z²], times what dropout does to it.",
        "h sums fan_in products of independent factors with mean-0 weights: E[h²] = fan_in · variance · E[x²].",
    ],
)


def branch_scale(blocks, growth, gain):
    return np.sqrt((growth ** (1 / blocks) - 1) / gain)


_BRANCH = Exercise(
    id="initialization/derive-branch-scale",
    notebook="7.2",
    title="Derive: how quiet a residual branch must start",
    statement=r"""
        A residual network has `blocks` blocks, $x \leftarrow x + a\,f(x)$, each with a branch $f$ of its own. At the start $f(x)$ has
        mean 0, independently of $x$, and a mean square that is `gain` times that of $x$. Derive the factor $a > 0$ with which the mean square
        of the last $x$ is `growth` times that of the first, and return it. (To which power of the number of blocks is $a$ in proportion
        when there are many?)""",
    stub='''
        def branch_scale(blocks, growth, gain):
            """The factor a of each branch, for blocks blocks and growth > 1."""
            ...''',
    reference=branch_scale,
    cases=lambda rng: [
        (1, 5.0, 1.0),
        (2, 4.0, 1.0),
        (12, 2.0, 0.5),
        (int(rng.integers(5, 50)), rng.uniform(1.5, 10), rng.uniform(0.3, 3)),
    ],
    misconceptions=[
        Misconception(
            lambda blocks, growth, gain: np.sqrt((growth - 1) / (blocks * gain)),
            "You let each block add the same. It multiplies: the later blocks have a larger x, and so a larger branch, to add.",
        ),
        Misconception(
            lambda blocks, growth, gain: (growth ** (1 / (2 * blocks)) - 1) / np.sqrt(gain),
            "You add sizes. Branch and skip are uncorrelated, so their mean squares add.",
        ),
        Misconception(
            altered(
                branch_scale, "np.sqrt((growth ** (1 / blocks) - 1) / gain)", "(growth ** (1 / blocks) - 1) / gain"
            ),
            "A root is missing: the factor on the branch enters its mean square squared.",
        ),
        Misconception(
            altered(branch_scale, " / gain", ""), "The branch has a gain of its own, which your factor leaves out."
        ),
        Misconception(
            altered(branch_scale, " / gain", " * gain"), "The wrong way round: a louder branch needs a smaller factor."
        ),
        Misconception(
            altered(branch_scale, "(growth ** (1 / blocks) - 1)", "growth ** (1 / blocks)"),
            "The skip is left out: x itself passes unchanged and holds the whole of its mean square already.",
        ),
        Misconception(
            lambda blocks, growth, gain: 1 / np.sqrt(blocks * gain),
            "One over the root of the number of blocks keeps the growth near e, whatever growth is wanted.",
        ),
        Misconception(
            altered(branch_scale, "/ gain", "/ gain**2"),
            "The gain is that of the mean square already: it is not squared again.",
        ),
    ],
    hints=[
        "By which factor does one block multiply the mean square? The mixed term of the square has mean 0.",
        "All blocks together multiply by the power of that factor. Solve for a.",
    ],
)

EXERCISES = [
    _MOMENTS,
    _REDUNDANT,
    _SATURATED,
    _HE,
    _GLOROT,
    _DERIVE,
    _BRANCH,
    _ORTHOGONAL,
    _ABSOLUTE,
    _START,
    _OUTPUT_BIAS,
    _HALF_LIFE,
    _WIDTH,
    _CARRY,
    _DEAD,
]
