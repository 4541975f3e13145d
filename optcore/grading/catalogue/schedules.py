"""Exercises of chapter 5, learning-rate schedules."""

import numpy as np

from ..exercise import Exercise, Misconception, choice

# --- 5.1 why and when to decay ----------------------------------------------------------------------------------------


def linear_decay(k, eps0, tau, eps_tau):
    alpha = min(k / tau, 1)
    return (1 - alpha) * eps0 + alpha * eps_tau


_LINEAR = Exercise(
    id="schedules/linear-decay",
    notebook="5.1",
    title="Linear decay with a floor",
    statement=r"""
        The learning rate falls on a straight line from $\varepsilon_0$ at step $k = 0$ to $\varepsilon_\tau$ at
        $k = \tau$, and stays there. Return the rate at step `k`.""",
    stub='''
        def linear_decay(k, eps0, tau, eps_tau):
            """The learning rate at step k = 0, 1, …"""
            ...''',
    reference=linear_decay,
    cases=lambda rng: [
        (0, 0.1, 200, 0.001),
        (250, 0.1, 200, 0.001),
        (100, 0.1, 200, 0.001),
        (int(rng.integers(1, 50)), rng.uniform(0.1, 1), 100, rng.uniform(0.01, 0.05)),
    ],
    misconceptions=[
        Misconception(
            lambda k, eps0, tau, eps_tau: eps0 * (1 - k / tau),
            "The rate goes to zero at τ and is negative after it, which is ascent: the line ends at the floor.",
        ),
        Misconception(
            lambda k, eps0, tau, eps_tau: eps0 * max(1 - k / tau, 0),
            "The rate is clamped at zero: the run stops dead at τ. The line should end at eps_tau and stay there.",
        ),
        Misconception(
            lambda k, eps0, tau, eps_tau: (1 - k / tau) * eps0 + k / tau * eps_tau,
            "Right up to τ, but the line goes on below the floor after it.",
        ),
        Misconception(
            lambda k, eps0, tau, eps_tau: max(eps0 * (1 - k / tau), eps_tau),
            "The line aims at zero and is cut off at the floor, so it reaches eps_tau before τ.",
        ),
    ],
    hints=["What part of the way to τ has been covered after k steps? It cannot be more than all of it.",
           "Mix the two rates with that part as the weight of the second."],
)  # fmt: skip


def step_decay(k, lr, every, gamma):
    return lr * gamma ** (k // every)


_STEP = Exercise(
    id="schedules/step-decay",
    notebook="5.1",
    title="Step decay",
    statement=r"""
        The learning rate is multiplied by $\gamma$ after every `every` steps: steps $0, \dots, s-1$ use $\eta_0$,
        steps $s, \dots, 2s-1$ use $\gamma\eta_0$, and so on. Return the rate at step `k`.""",
    stub='''
        def step_decay(k, lr, every, gamma):
            """The learning rate at step k = 0, 1, …"""
            ...''',
    reference=step_decay,
    cases=lambda rng: [
        *((k, 0.5, 30, 0.1) for k in (0, 29, 30, 59, 60)),
        (int(rng.integers(100)), rng.uniform(0.1, 1), 7, rng.uniform(0.2, 0.9)),
    ],
    misconceptions=[
        Misconception(
            lambda k, lr, every, gamma: lr * gamma ** (k / every),
            "You divide without rounding down, so the rate glides instead of falling in steps.",
        ),
        Misconception(
            lambda k, lr, every, gamma: lr * gamma ** ((k + 1) // every),
            "Each cut comes one step too early: step `every` - 1 still belongs to the first stage.",
        ),
        Misconception(
            lambda k, lr, every, gamma: lr * gamma ** (max(k - 1, 0) // every),
            "Each cut comes one step too late: step `every` is the first one with the smaller rate.",
        ),
        Misconception(
            lambda k, lr, every, gamma: lr * (1 - gamma * (k // every)),
            "Each cut multiplies the rate by γ; you subtract, and some cuts later the rate is negative.",
        ),
    ],
    hints=["How many cuts have been made before step k?", "Whole stages: integer division."],
)


def bias_variance(etas, x0):
    mean, variance = x0, 0.0
    for eta in etas:
        mean = (1 - eta) * mean
        variance = (1 - eta) ** 2 * variance + eta**2
    return mean**2, variance


def _wrong_recursion(mean_factor, variance_factor, added):
    def wrong(etas, x0):
        mean, variance = x0, 0.0
        for eta in etas:
            mean, variance = mean_factor(eta) * mean, variance_factor(eta) * variance + added(eta)
        return mean**2, variance

    return wrong


def _plain(eta):
    return 1 - eta


def _squared(eta):
    return (1 - eta) ** 2


_BIAS_VARIANCE = Exercise(
    id="schedules/bias-variance",
    notebook="5.1",
    title="The error of a noisy run, without sampling",
    statement=r"""
        A run on $\frac12 x^2$ takes the steps $x \leftarrow x - \eta_t (x + \xi_t)$ with independent noise of mean 0 and
        variance 1. Return the squared mean and the variance of $x$ after all the steps with the given rates, starting
        from the number `x0`, as a pair `(bias2, variance)`.""",
    stub='''
        def bias_variance(etas, x0):
            """Squared mean and variance of x after one step with each rate in etas."""
            ...''',
    reference=bias_variance,
    cases=lambda rng: [
        ([0.5], 1.0),
        ([0.1] * 400, 1.0),
        ([0.5, 0.25], -2.0),
        (list(rng.uniform(0, 1, 20)), rng.normal()),
    ],
    misconceptions=[
        Misconception(
            _wrong_recursion(_plain, _plain, lambda eta: eta**2),
            "The variance shrinks too slowly: a factor on x acts on its variance squared.",
        ),
        Misconception(
            _wrong_recursion(_plain, _squared, lambda eta: eta),
            "The noise enters multiplied by η, so its variance enters with the square of η.",
        ),
        Misconception(
            _wrong_recursion(_plain, lambda eta: 1.0, lambda eta: eta**2),
            "You only add noise; the step shrinks the noise that is already in x as well.",
        ),
        Misconception(
            lambda etas, x0: (np.sqrt(bias_variance(etas, x0)[0]), bias_variance(etas, x0)[1]),
            "You return the mean itself (without its sign); the first number is its square.",
        ),
        Misconception(
            _wrong_recursion(_squared, _squared, lambda eta: eta**2),
            "The mean shrinks too fast: it is squared once, at the end.",
        ),
    ],
    hints=["One step: E[(1-η)x - ηξ], and the variance of a sum of independent terms.",
           "Two numbers, updated together for each rate."],
)  # fmt: skip

_LARGEST = Exercise(
    id="schedules/noise-floor",
    notebook="5.1",
    title="The largest rate that still reaches a given floor",
    kind="measure",
    statement=r"""
        On $\frac12 x^2$ with gradient noise of variance 1 a constant learning rate ends at a floor. Find, by experiment or by
        the recursion of the notebook, the largest constant rate whose floor $\operatorname{E} x^2$ is at most 0.02.
        Two correct digits are enough.""",
    stub="""
        # oc.descend(oc.gd, lambda w: 0.5 * np.sum(w**2, axis=-1), [0.0], noise=1.0, seed=np.arange(200)[:, None], …)
        rate = ...""",
    reference=2 * 0.02 / 1.02,
    rtol=0.05,
    misconceptions=[
        Misconception(0.02, "That is η with a floor of 0.01: for small rates the floor is about half of η."),
        Misconception(0.2, "At 0.2 the floor is 0.11; you may have taken the standard deviation for the variance."),
        Misconception(0.0796, "At 0.08 the floor is 0.041, twice what is asked."),
    ],
    hints=["Measure the mean of x² over many seeds after a few hundred steps, for several rates.",
           "The floor is a simple function of η; the notebook states it."],
)  # fmt: skip

_DECAY_OR_NOT = choice(
    {
        "a": (
            "Decay: it always helps at the end.",
            "At the smaller rate the run ends *worse* with decay; look at the first row.",
        ),
        "b": (
            "No decay at 0.03, decay at 0.5.",
            "At 0.03 the run is limited by progress and any decay slows it; at 0.5 it has reached its noise floor.",
        ),
        "c": (
            "Decay at 0.03, none at 0.5.",
            "It is the other way round: the large rate is the one whose noise needs taking out.",
        ),
        "d": (
            "It makes no difference.",
            "Decay changes the loss by a factor of almost 2 at 0.03 and almost 4 at 0.5, in opposite directions.",
        ),
    },
    "b",
    id="schedules/decay-or-not",
    notebook="5.1",
    title="When does decay help?",
    statement=r"""
        The code runs a noisy quadratic with curvature 0.1 for 200 steps, with a constant rate and with linear decay, for a small
        and a large rate, and prints the mean loss over 400 seeds. Which advice does it support for this budget?""",
    name="advice",
    code="""
        f = lambda w: 0.05 * np.sum(w**2, axis=-1)
        for lr in (0.03, 0.5):
            for schedule in (oc.constant_rate(lr), oc.linear_decay(lr, 200)):
                path = oc.descend(oc.gd, f, [3.0], steps=200, lr=schedule, noise=1.0, seed=np.arange(400)[:, None])
                print(lr, path.loss[-1].mean().round(4))""",
    hints=["Compare the two numbers for each rate: which of the two schedules ends lower?"],
)

# --- 5.2 warm-up, cosine, cycles, WSD ---------------------------------------------------------------------------------


def cosine(t, T, lr_max, lr_min):
    part = min(t / T, 1)
    return lr_min + 0.5 * (lr_max - lr_min) * (1 + np.cos(np.pi * part))


_COSINE = Exercise(
    id="schedules/cosine",
    notebook="5.2",
    title="Cosine decay",
    statement=r"""
        The rate follows half a cosine from $\eta_{\max}$ at $t = 0$ to $\eta_{\min}$ at $t = T$ and stays at $\eta_{\min}$.
        Return the rate at step `t`.""",
    stub='''
        def cosine(t, T, lr_max, lr_min):
            """The learning rate at step t = 0, 1, …"""
            ...''',
    reference=cosine,
    cases=lambda rng: [
        *((t, 100, 0.1, 0.001) for t in (0, 25, 50, 100, 120)),
        (int(rng.integers(1, 50)), 60, rng.uniform(0.1, 1), rng.uniform(0, 0.05)),
    ],
    misconceptions=[
        Misconception(
            lambda t, T, lr_max, lr_min: lr_min + 0.5 * (lr_max - lr_min) * (1 + np.cos(np.pi * t / T)),
            "After T the cosine rises again. The rate has to stay at lr_min.",
        ),
        Misconception(
            lambda t, T, lr_max, lr_min: cosine(t, T - 1, lr_max, lr_min),
            "The minimum is reached one step early: you divide by T - 1.",
        ),
        Misconception(
            lambda t, T, lr_max, lr_min: 0.5 * lr_max * (1 + np.cos(np.pi * min(t / T, 1))),
            "The floor is missing: the rate ends at zero instead of lr_min.",
        ),
        Misconception(
            lambda t, T, lr_max, lr_min: lr_min + 0.5 * lr_max * (1 + np.cos(np.pi * min(t / T, 1))),
            "The curve starts above lr_max: the cosine spans the difference of the two rates.",
        ),
        Misconception(
            lambda t, T, lr_max, lr_min: lr_min + (lr_max - lr_min) * np.cos(np.pi / 2 * min(t / T, 1)),
            "That is a quarter of a cosine: it falls steepest at the end instead of flattening out.",
        ),
    ],
    hints=["How does 1 + cos(πu) run as u goes from 0 to 1?", "What may u never exceed?"],
)


def warmup_cosine(t, warm, T, lr):
    if t < warm:
        return lr * (t + 1) / warm
    part = min((t - warm) / (T - warm), 1)
    return 0.5 * lr * (1 + np.cos(np.pi * part))


_WARMUP_COSINE = Exercise(
    id="schedules/warmup-cosine",
    notebook="5.2",
    title="Warm-up, then cosine",
    statement=r"""
        The rate rises linearly over the first `warm` steps, from `lr/warm` at $t = 0$ to `lr` at the last of them, and then
        follows a cosine from `lr` at `t = warm` to 0 at `t = T`, where it stays.""",
    stub='''
        def warmup_cosine(t, warm, T, lr):
            """The learning rate at step t = 0, 1, …"""
            ...''',
    reference=warmup_cosine,
    cases=lambda rng: [
        *((t, 10, 110, 1.0) for t in (0, 4, 9, 10, 60, 110, 130)),
        (int(rng.integers(20, 90)), 12, 100, rng.uniform(0.1, 1)),
    ],
    misconceptions=[
        Misconception(
            lambda t, warm, T, lr: lr * t / warm if t < warm else warmup_cosine(t, warm, T, lr),
            "The first step has rate zero, so it does nothing. The rise starts at lr/warm.",
        ),
        Misconception(
            lambda t, warm, T, lr: lr * (t + 1) / warm if t < warm else 0.5 * lr * (1 + np.cos(np.pi * min(t / T, 1))),
            "The cosine is not shifted: when the warm-up ends it has already lost a piece, and the rate jumps.",
        ),
        Misconception(
            lambda t, warm, T, lr: (
                lr * (t + 1) / warm if t < warm else 0.5 * lr * (1 + np.cos(np.pi * min((t - warm) / T, 1)))
            ),
            "The cosine starts in the right place but ends `warm` steps late: it has T - warm steps, not T.",
        ),
        Misconception(
            lambda t, warm, T, lr: (
                lr * (t + 1) / warm if t < warm else 0.5 * lr * (1 + np.cos(np.pi * (t - warm) / (T - warm)))
            ),
            "After T the rate rises again; it has to stay at zero.",
        ),
        Misconception(
            lambda t, warm, T, lr: (
                lr * min((t + 1) / warm, 1) * 0.5 * (1 + np.cos(np.pi * min(max(t - warm, 0) / (T - warm), 1)) ** 3)
            ),
            "The shape of the fall is not half a cosine.",
        ),
    ],
    hints=[
        "Two cases: before and after the end of the warm-up.",
        "In the second case, count from where the cosine starts.",
    ],
)


def triangular(k, half, low, high):
    position = k % (2 * half)
    part = position / half if position <= half else 2 - position / half
    return low + (high - low) * part


_TRIANGULAR = Exercise(
    id="schedules/triangular",
    notebook="5.2",
    title="A triangular cycle",
    statement=r"""
        The rate rises from `low` to `high` in `half` steps, falls back to `low` in the next `half`, and starts again.
        Return the rate at step `k`.""",
    stub='''
        def triangular(k, half, low, high):
            """The learning rate at step k = 0, 1, …"""
            ...''',
    reference=triangular,
    cases=lambda rng: [
        *((k, 10, 0.1, 1.0) for k in (0, 5, 10, 15, 20, 33)),
        (int(rng.integers(100)), 8, rng.uniform(0, 0.1), rng.uniform(0.5, 1)),
    ],
    misconceptions=[
        Misconception(
            lambda k, half, low, high: low + (high - low) * (k % half) / half,
            "That is a saw: the rate jumps back to `low` instead of falling.",
        ),
        Misconception(
            lambda k, half, low, high: triangular(k, half / 2, low, high),
            "You take `half` for the whole cycle: it is the number of steps on the way up.",
        ),
        Misconception(
            lambda k, half, low, high: triangular(k + half, half, low, high),
            "Your cycle starts at the top; it starts at `low`.",
        ),
        Misconception(
            lambda k, half, low, high: triangular(min(k, 2 * half), half, low, high),
            "One cycle and then nothing: after 2·half steps it starts again.",
        ),
    ],
    hints=[
        "Where in its cycle is step k? A cycle has 2·half steps.",
        "On the way down, measure from the end of the cycle.",
    ],
)

# --- 5.3 feedback schedules -------------------------------------------------------------------------------------------


def reduce_on_plateau(values, lr, patience, factor, threshold, cooldown):
    best, bad, rest, rates = np.inf, 0, 0, []
    for value in values:
        if value < best * (1 - threshold):
            best, bad = value, 0
        else:
            bad += 1
        if rest > 0:
            rest, bad = rest - 1, 0
        if bad > patience:
            lr, bad, rest = lr * factor, 0, cooldown
        rates.append(lr)
    return np.array(rates)


def _plateau(
    improves=lambda v, best, last, thr: v < best * (1 - thr), acts=lambda bad, p: bad > p, rests=True, reset=True
):
    """A wrong version: another test for improvement, another comparison with the patience, no pause, no new count."""

    def wrong(values, lr, patience, factor, threshold, cooldown):
        best, last, bad, rest, rates = np.inf, np.inf, 0, 0, []
        for value in values:
            if improves(value, best, last, threshold):
                best, bad = min(best, value), 0
            else:
                bad += 1
            last = value
            if rest > 0 and rests:
                rest, bad = rest - 1, 0
            if acts(bad, patience):
                lr, bad, rest = lr * factor, 0 if reset else bad, cooldown
            rates.append(lr)
        return np.array(rates)

    return wrong


_PLATEAU = Exercise(
    id="schedules/reduce-on-plateau",
    notebook="5.3",
    title="Cut on a plateau",
    statement=r"""
        Write the rule of `ReduceLROnPlateau`. Given the successive values of a metric, return the learning rate after each of
        them.

        A value is good if it is below $v_{\text{best}}(1 - \text{threshold})$; it then becomes the best and the count of bad
        values starts again. Otherwise the count grows by one. When it exceeds `patience`, the rate is multiplied by `factor`, the
        count starts again, and the next `cooldown` values leave the count at zero (a good one still becomes the best).""",
    stub='''
        def reduce_on_plateau(values, lr, patience, factor, threshold, cooldown):
            """The learning rate after each value, as an array."""
            ...''',
    reference=reduce_on_plateau,
    cases=lambda rng: [
        ([1.0, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.79, 0.79, 0.79, 0.79], 1.0, 2, 0.1, 1e-4, 0),
        ([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], 1.0, 1, 0.5, 1e-4, 2),
        ([100.0, 99.995, 99.99, 99.985, 99.98], 1.0, 1, 0.1, 1e-3, 0),
        ([0.5, 0.4995, 0.499, 0.4985, 0.498], 1.0, 1, 0.1, 1e-2, 0),
        ([3.0, 1.0, 2.0, 1.9, 1.8, 1.7, 1.6], 1.0, 2, 0.1, 1e-4, 0),
        (list(rng.normal(1, 0.2, 40).round(3)), 0.1, 2, 0.5, 1e-2, 1),
    ],
    misconceptions=[
        Misconception(
            _plateau(acts=lambda bad, p: bad >= p),
            "You cut one bad value too early: a patience of 2 is exceeded at the third.",
        ),
        Misconception(
            _plateau(improves=lambda v, best, last, thr: v < best - thr),
            "Your threshold is absolute. Here it is relative: on losses of 100 it asks for a hundred times as much.",
        ),
        Misconception(
            _plateau(improves=lambda v, best, last, thr: v < best),
            "The threshold is ignored, so the smallest wobble downwards counts as progress.",
        ),
        Misconception(
            _plateau(improves=lambda v, best, last, thr: v < last * (1 - thr)),
            "You compare with the previous value instead of the best so far; a run that recovers from a bump looks like progress.",
        ),
        Misconception(_plateau(rests=False), "The cooldown is missing: right after a cut, bad values must not count."),
        Misconception(_plateau(reset=False), "The count is not started again after a cut, so every further bad value cuts."),
    ],
    hints=["Keep three things: the best value, the number of bad values in a row, and how many values of cooldown are left.",
           "Update the count first, then the cooldown, then decide."],
)  # fmt: skip


def early_stopping(values, patience):
    best = 0
    for i, value in enumerate(values):
        if value < values[best]:
            best = i
        if i - best >= patience:
            return best, i
    return best, len(values) - 1


def _stops_late(values, patience):
    return early_stopping(values, patience + 1)


def _against_the_last(values, patience):
    best = bad = 0
    for i, value in enumerate(values):
        if i == 0 or value < values[i - 1]:
            best, bad = i, 0
        else:
            bad += 1
        if bad >= patience:
            return best, i
    return best, len(values) - 1


_EARLY = Exercise(
    id="schedules/early-stopping",
    notebook="5.3",
    title="Early stopping",
    statement=r"""
        Go through the validation losses in order. Stop at the first one that is `patience` places after the best so far.
        Return a pair: the index of the best value, and the index at which you stopped (the last one, if you never did).""",
    stub='''
        def early_stopping(values, patience):
            """(index of the best value, index of the last value looked at)"""
            ...''',
    reference=early_stopping,
    cases=lambda rng: [
        ([3.0, 2.0, 2.5, 2.4, 2.3, 1.0], 3),
        ([3.0, 2.0, 1.0], 2),
        ([1.0, 2.0, 3.0, 4.0], 1),
        (list(rng.normal(size=25).round(3)), 4),
    ],
    misconceptions=[
        Misconception(
            lambda values, patience: (early_stopping(values, patience)[1],) * 2,
            "You return the place where you stopped as the best one. The best value lies `patience` places before it.",
        ),
        Misconception(_stops_late, "You wait one value too long: stop once `patience` values in a row were no better."),
        Misconception(
            _against_the_last,
            "You compare with the previous value instead of the best so far, so a slow recovery resets the count.",
        ),
        Misconception(
            lambda values, patience: (int(np.argmin(values)), early_stopping(values, patience)[1]),
            "The best index comes from values after the stop, which the run never sees.",
        ),
    ],
    hints=["Remember the index of the best value rather than a count.", "How far behind you is it?"],
)


def train(grad, w0, lr, gamma, epochs, steps_per_epoch):
    w, points = np.array(w0, float), []
    for _ in range(epochs):
        for _ in range(steps_per_epoch):
            w = w - lr * grad(w)
            points.append(w)
        lr = lr * gamma
    return np.array(points)


_BUG = Exercise(
    id="schedules/frozen-run",
    notebook="5.1",
    title="The run that freezes",
    kind="bug hunt",
    statement=r"""
        This training loop should decay the learning rate by the factor `gamma` **once an epoch**. Its runs freeze far from the
        minimum. Find the bug and repair the function. It returns all points, one after each step.""",
    stub='''
        def train(grad, w0, lr, gamma, epochs, steps_per_epoch):
            """The points after each step of gradient descent, with exponential decay once an epoch."""
            w, points = np.array(w0, float), []
            for epoch in range(epochs):
                for step in range(steps_per_epoch):
                    w = w - lr * grad(w)
                    lr = lr * gamma
                    points.append(w)
            return np.array(points)''',
    reference=train,
    probe=lambda answer, curvature, w0, lr, gamma, epochs, steps_per_epoch: answer(
        lambda w: curvature * w, w0, lr, gamma, epochs, steps_per_epoch
    ),
    cases=lambda rng: [
        (np.array([1.0, 2.0]), np.array([1.0, 1.0]), 0.1, 0.5, 2, 3),
        (rng.uniform(0.5, 2, 2), rng.normal(size=2), 0.2, 0.9, 3, 4),
    ],
    misconceptions=[
        Misconception(
            lambda grad, w0, lr, gamma, epochs, steps: train(grad, w0, lr * gamma, gamma, epochs, steps),
            "The decay is in the right loop but comes before the steps: the first epoch should still use the full rate.",
        ),
        Misconception(
            lambda grad, w0, lr, gamma, epochs, steps: train(grad, w0, lr, 1.0, epochs, steps),
            "Now the rate never falls. It should fall, once an epoch.",
        ),
    ],
    hints=[
        "Print the learning rate at every step. How often does it change?",
        "In which of the two loops does that line belong?",
    ],
)


EXERCISES = [
    _LINEAR, _STEP, _BIAS_VARIANCE, _LARGEST, _DECAY_OR_NOT, _BUG, _COSINE, _WARMUP_COSINE, _TRIANGULAR, _PLATEAU, _EARLY,
]  # fmt: skip
