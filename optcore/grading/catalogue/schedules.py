"""Exercises of chapter 5, learning-rate schedules."""

import numpy as np

from ..exercise import Exercise, Misconception, choice
from ..slips import altered

# --- 5.1 why and when to decay ----------------------------------------------------------------------------------------


def extended_decay(k, eps0, tau, eps_tau, at, longer):
    if k <= at:
        return eps0 + (eps_tau - eps0) * k / tau
    reached = eps0 + (eps_tau - eps0) * at / tau
    part = min((k - at) / (longer - at), 1)
    return reached + (eps_tau - reached) * part


_EXTENDED = Exercise(
    id="schedules/extended-decay",
    notebook="5.1",
    title="Linear decay, and then the budget grows",
    statement=r"""
        The learning rate falls on a straight line from $\varepsilon_0$ at step $k = 0$ towards $\varepsilon_\tau$ at $k = \tau$. At the step
        `at` $\le \tau$ the budget is extended to `longer` $> \tau$ steps: from the rate that it has there, without a jump, the rate now falls
        on a straight line to $\varepsilon_\tau$ at the step `longer`, and stays there. Return the rate at step `k`.""",
    stub='''
        def extended_decay(k, eps0, tau, eps_tau, at, longer):
            """The learning rate at step k = 0, 1, …"""
            ...''',
    reference=extended_decay,
    cases=lambda rng: [
        (0, 0.1, 200, 0.001, 100, 400),
        (50, 0.1, 200, 0.001, 100, 400),
        (100, 0.1, 200, 0.001, 100, 400),
        (300, 0.1, 200, 0.001, 100, 400),
        (400, 0.1, 200, 0.001, 100, 400),
        (450, 0.1, 200, 0.001, 100, 400),
        (250, 0.1, 200, 0.001, 200, 400),
        (3, 0.5, 8, 0.1, 2, 10),
        (int(rng.integers(30, 70)), rng.uniform(0.1, 1), 50, rng.uniform(0.01, 0.05), 25, 90),
    ],
    misconceptions=[
        Misconception(
            lambda k, eps0, tau, eps_tau, at, longer: eps0 + (eps_tau - eps0) * min(k / longer, 1),
            "That is the line of a run that knew of the longer budget from the start: up to `at` the rate fell faster.",
        ),
        Misconception(
            lambda k, eps0, tau, eps_tau, at, longer: (
                eps0 + (eps_tau - eps0) * (k / tau if k <= at else min(k / longer, 1))
            ),
            "At the extension your rate jumps up, to the line of the longer budget; it goes on from where it is.",
        ),
        Misconception(
            lambda k, eps0, tau, eps_tau, at, longer: eps0 + (eps_tau - eps0) * min(k / tau, 1),
            "The extension has no effect in your code.",
        ),
        Misconception(
            altered(extended_decay, "min((k - at) / (longer - at), 1)", "(k - at) / (longer - at)"),
            "Right up to the end, but the line goes on below its floor after it, and is negative in the end.",
        ),
        Misconception(
            altered(extended_decay, "(k - at) / (longer - at)", "(k - at) / longer"),
            "From `at` there are longer - at steps left, and not longer: your line does not get down in time.",
        ),
        Misconception(
            altered(extended_decay, "(k - at) / (longer - at)", "k / longer"),
            "Your second line starts in the middle: at the extension itself none of its way is covered.",
        ),
        Misconception(
            altered(extended_decay, "reached + (eps_tau - reached) * part", "reached * (1 - part)"),
            "The second line ends at zero: the run stops dead. It ends at eps_tau and stays there.",
        ),
        Misconception(
            altered(extended_decay, "reached + (eps_tau - reached) * part", "eps0 + (eps_tau - eps0) * part"),
            "At the extension the rate goes back to the top: that is a restart. It goes on from where it is.",
        ),
    ],
    hints=["Which rate has been reached at the step `at`? There the second line begins.",
           "What part of the way from `at` to `longer` is covered at step k? It cannot be more than all of it."],
)  # fmt: skip


def step_decay(k, lr, milestones, gamma):
    return lr * gamma ** sum(k >= milestone for milestone in milestones)


_STEP = Exercise(
    id="schedules/step-decay",
    notebook="5.1",
    title="Step decay at milestones",
    statement=r"""
        The learning rate is multiplied by $\gamma$ at each of the steps in the list `milestones`, which may stand there in any order: the
        step itself already uses the smaller rate. A milestone that stands there twice cuts twice. Return the rate at step `k`.""",
    stub='''
        def step_decay(k, lr, milestones, gamma):
            """The learning rate at step k = 0, 1, …"""
            ...''',
    reference=step_decay,
    cases=lambda rng: [
        *((k, 0.5, [30, 60], 0.1) for k in (0, 29, 30, 31, 59, 60, 75)),
        *((k, 1.0, [80, 20, 50], 0.5) for k in (10, 30, 60, 90)),
        (40, 1.0, [30, 30], 0.5),
        (7, 0.3, [], 0.5),
        (int(rng.integers(100)), rng.uniform(0.1, 1), rng.permutation([10, 25, 70]).tolist(), rng.uniform(0.2, 0.9)),
    ],
    misconceptions=[
        Misconception(
            altered(step_decay, "k >=", "k >"),
            "Each cut comes one step too late: the milestone is the first step with the smaller rate.",
        ),
        Misconception(
            altered(step_decay, "k >= milestone", "k + 1 >= milestone"),
            "Each cut comes one step too early: the step before the milestone still has the larger rate.",
        ),
        Misconception(
            altered(step_decay, "in milestones)", "in set(milestones))"),
            "A milestone that is listed twice cuts once in your version; it should cut twice.",
        ),
        Misconception(
            altered(step_decay, "sum(k", "any(k"),
            "You cut once for all: every milestone that has been passed cuts again.",
        ),
        Misconception(
            altered(
                step_decay,
                "lr * gamma ** sum(k >= milestone for milestone in milestones)",
                "lr - lr * (1 - gamma) * sum(k >= milestone for milestone in milestones)",
            ),
            "Each cut multiplies the rate by γ; you subtract the same amount each time, and some cuts later the rate is negative.",
        ),
        Misconception(
            altered(
                step_decay,
                "sum(k >= milestone for milestone in milestones)",
                "int(np.searchsorted(milestones, k, side='right'))",
            ),
            "You search as in a sorted list; the milestones may stand in any order.",
        ),
        Misconception(
            altered(step_decay, "k >= milestone", "k == milestone"),
            "The rate jumps back after the milestone. A cut lasts for the rest of the run.",
        ),
    ],
    hints=["How many cuts have been made before or at step k?", "A sum of truth values counts."],
)


def bias_variance(etas, batches, x0, h):
    mean, variance = x0, 0.0
    for eta, b in zip(etas, batches, strict=True):
        mean = (1 - eta * h) * mean
        variance = (1 - eta * h) ** 2 * variance + eta**2 / b
    return mean**2, variance


_BIAS_VARIANCE = Exercise(
    id="schedules/bias-variance",
    notebook="5.1",
    title="The error of a noisy run, without sampling",
    statement=r"""
        A run on $\frac12 h x^2$ takes the steps $x \leftarrow x - \eta_t (hx + \xi_t)$ from the number `x0`. At step $t$ it averages
        `batches[t]` examples, so that the noise $\xi_t$ has mean 0 and variance 1/`batches[t]`, independently of all others.
        Return the squared mean and the variance of $x$ after all the steps: rates may fall, batches may grow.""",
    stub='''
        def bias_variance(etas, batches, x0, h):
            """(bias2, variance): squared mean and variance of x after one step with each rate and batch size."""
            ...''',
    reference=bias_variance,
    cases=lambda rng: [
        ([0.5], [1], 1.0, 1.0),
        ([0.5], [4], 1.0, 2.0),
        ([0.1] * 400, [2] * 400, 1.0, 0.5),
        ([0.5, 0.25], [1, 8], -2.0, 1.5),
        (list(rng.uniform(0, 1, 20)), rng.integers(1, 9, 20).tolist(), rng.normal(), rng.uniform(0.5, 1.5)),
    ],
    misconceptions=[
        Misconception(
            altered(bias_variance, "(1 - eta * h) ** 2 * variance", "(1 - eta * h) * variance"),
            "The variance shrinks too slowly: a factor on x acts on its variance squared.",
        ),
        Misconception(
            altered(bias_variance, "eta**2 / b", "eta / b"),
            "The noise enters multiplied by η, so its variance enters with the square of η.",
        ),
        Misconception(
            altered(bias_variance, "(1 - eta * h) ** 2 * variance", "variance"),
            "You only add noise; the step shrinks the noise that is already in x as well.",
        ),
        Misconception(
            altered(bias_variance, "mean**2, variance", "abs(mean), variance"),
            "You return the mean itself (without its sign); the first number is its square.",
        ),
        Misconception(
            altered(bias_variance, "mean = (1 - eta * h) * mean", "mean = (1 - eta * h) ** 2 * mean"),
            "The mean shrinks too fast: it is squared once, at the end.",
        ),
        Misconception(
            altered(bias_variance, "eta**2 / b", "eta**2 / b**2"),
            "You divide by the square of the batch size: a mean of b independent numbers has a b-th of their variance.",
        ),
        Misconception(
            altered(bias_variance, "eta**2 / b", "eta**2"), "The batch size has no effect: more examples mean less noise."
        ),
        Misconception(
            altered(bias_variance, "eta * h", "eta"), "The curvature has no effect: the step shrinks x by the factor 1 - ηh."
        ),
        Misconception(
            altered(bias_variance, "eta**2 / b", "(eta * h)**2 / b"),
            "The curvature multiplies x and not the noise, which comes on top of the gradient.",
        ),
        Misconception(
            altered(bias_variance, "(1 - eta * h) ** 2 * variance + eta**2 / b", "eta**2 / b"),
            "Only the noise of the last step is left; that of earlier steps is still in x.",
        ),
    ],
    hints=["One step: x becomes (1 - ηh)x - ηξ. What is the variance of a sum of independent terms?",
           "Two numbers, updated together in each step."],
)  # fmt: skip


def rate_for_floor(floor, h, sigma):
    return 2 * h * floor / (sigma**2 + h**2 * floor)


_DERIVE = Exercise(
    id="schedules/derive-rate-for-floor",
    notebook="5.1",
    title="Derive: the rate that ends at a given floor",
    statement=r"""
        $x \leftarrow x - \eta(hx + \xi)$ with independent noise of mean 0 and standard deviation $\sigma$: after long enough, the mean of
        $x^2$ no longer changes. Write down that it is the same before and after a step, and solve for $\eta$: return the rate whose
        floor $\operatorname{E}x^2$ is `floor`.""",
    stub='''
        def rate_for_floor(floor, h, sigma):
            """The constant rate at which the mean of x² settles at `floor`."""
            ...''',
    reference=rate_for_floor,
    cases=lambda rng: [
        (0.02, 1.0, 1.0),
        (1 / 3, 1.0, 1.0),
        (0.5, 2.0, 1.0),
        (0.1, 1.0, 3.0),
        (rng.uniform(0.01, 0.5), rng.uniform(0.5, 3), rng.uniform(0.5, 3)),
    ],
    misconceptions=[
        Misconception(
            altered(rate_for_floor, " / (sigma**2 + h**2 * floor)", " / sigma**2"),
            "That is the rule for small rates. The term with η² in the shrinking of x is missing.",
        ),
        Misconception(
            altered(rate_for_floor, "sigma**2", "sigma"),
            "σ is a standard deviation: what enters the mean of x² is its square.",
        ),
        Misconception(
            altered(rate_for_floor, "2 * h * floor", "h * floor"),
            "A factor 2 is missing: (1 - ηh)² holds -2ηh.",
        ),
        Misconception(
            altered(rate_for_floor, "h**2 * floor", "h * floor"),
            "Check the units: σ² and the term beside it must be of one kind.",
        ),
        Misconception(
            altered(
                rate_for_floor, "2 * h * floor / (sigma**2 + h**2 * floor)", "floor * sigma**2 / (h * (2 - floor * h))"
            ),
            "That is the floor that a rate has, with the two exchanged: solve it for the rate.",
        ),
        Misconception(
            altered(rate_for_floor, "sigma**2 + h**2", "sigma**2 - h**2"),
            "The sign is wrong in the denominator: bring all terms with η on one side again.",
        ),
    ],
    hints=["F = (1 - ηh)²F + η²σ². Subtract F and divide by η.", "What is left is linear in η."],
)


def momentum_floor(lr, beta, h, sigma):
    return lr * sigma**2 * (1 + beta) / (h * (1 - beta) * (2 * (1 + beta) - lr * h))


def _by_moments(lr, beta, h, sigma):
    """The three moments (E x², E xu, E u²) that one step leaves as they are, from their linear equations."""
    keep = np.array(
        [
            [(1 - lr * h) ** 2, -2 * lr * beta * (1 - lr * h), (lr * beta) ** 2],
            [h * (1 - lr * h), beta * (1 - 2 * lr * h), -lr * beta**2],
            [h**2, 2 * beta * h, beta**2],
        ]
    )
    return np.linalg.solve(np.eye(3) - keep, sigma**2 * np.array([lr**2, -lr, 1.0]))[0]


_MOMENTUM_FLOOR = Exercise(
    id="schedules/derive-momentum-floor",
    notebook="5.1",
    title="Derive: the noise floor with momentum",
    statement=r"""
        Each step is $u \leftarrow \beta u + hx + \xi$, then $x \leftarrow x - \eta u$, with independent noise $\xi$ of mean 0 and standard
        deviation $\sigma$. After long enough three moments stand still: $\operatorname{E} x^2$, $\operatorname{E} xu$ and
        $\operatorname{E} u^2$. Write down that each is the same before and after a step, solve, and return $\operatorname{E} x^2$. (Solving
        the three equations by `np.linalg.solve` counts as well. How much higher is the floor for $\beta = 0.9$ than without momentum?)""",
    stub='''
        def momentum_floor(lr, beta, h, sigma):
            """The mean of x² in the long run, for the heavy ball on h x²/2 with gradient noise."""
            ...''',
    reference=momentum_floor,
    also_right=[_by_moments],
    cases=lambda rng: [
        (0.5, 0.0, 1.0, 1.0),
        (0.1, 0.9, 1.0, 1.0),
        (0.4, 0.5, 2.0, 3.0),
        (rng.uniform(0.05, 0.5), rng.uniform(0.3, 0.95), rng.uniform(0.5, 3), rng.uniform(0.5, 2)),
    ],
    misconceptions=[
        Misconception(
            lambda lr, beta, h, sigma: momentum_floor(lr, 0.0, h, sigma),
            "That is the floor without momentum. Noise of one step goes on acting for many, and the floor is higher.",
        ),
        Misconception(
            lambda lr, beta, h, sigma: momentum_floor(lr / (1 - beta), 0.0, h, sigma),
            "You put the effective rate η/(1 - β) into the floor without momentum. That is right only while ηh is small.",
        ),
        Misconception(
            lambda lr, beta, h, sigma: lr * sigma**2 / (2 * h * (1 - beta)),
            "That is the limit of small rates. The equations give it exactly, with a term more in the denominator.",
        ),
        Misconception(
            lambda lr, beta, h, sigma: h / 2 * momentum_floor(lr, beta, h, sigma),
            "That is the mean loss. Asked for is the mean of x².",
        ),
        Misconception(
            lambda *case: np.sqrt(momentum_floor(*case)), "That is the standard deviation. Asked for is the mean of x²."
        ),
        Misconception(
            altered(momentum_floor, "sigma**2", "sigma"), "Variances add up, not standard deviations: σ comes squared."
        ),
        Misconception(
            altered(momentum_floor, "sigma**2", "(1 - beta) ** 2 * sigma**2"),
            "That belongs to the average form, u ← βu + (1 - β)(…). In the sum form noise enters at full weight.",
        ),
    ],
    hints=[
        "Put u' = βu + hx + ξ into x' = x - ηu' and multiply out x'², x'u' and u'²; ξ is independent of x and u.",
        "Three linear equations in E x², E xu, E u². From E x'² = E x² follows 2 E xu' = η E u'²: two unknowns are left.",
    ],
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
    rtol=0.015,
    misconceptions=[
        Misconception(0.02, "That is η with a floor of 0.01: for small rates the floor is about half of η."),
        Misconception(0.2, "At 0.2 the floor is 0.11, five times what is asked."),
        Misconception(0.04, "At 0.04 the floor is 0.0204, just above the limit: half of η is only nearly the floor."),
        Misconception(0.0008, "There the standard deviation is 0.02. Asked for is the mean square."),
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


def cosine_restarts(t, T, factor, lr_max, lr_min):
    while t >= T:
        t, T = t - T, factor * T
    return lr_min + 0.5 * (lr_max - lr_min) * (1 + np.cos(np.pi * t / T))


_COSINE = Exercise(
    id="schedules/cosine-restarts",
    notebook="5.2",
    title="A cosine that starts again",
    statement=r"""
        The rate follows half a cosine from $\eta_{\max}$ at $t = 0$ on its way to $\eta_{\min}$ at $t = T$. At that step it starts
        again at $\eta_{\max}$, with a period `factor` times as long, and so on: periods of $T$, `factor`·$T$, `factor`²·$T$, … Return the
        rate at step `t`; `factor` is 1 or larger.""",
    stub="""
        def cosine_restarts(t, T, factor, lr_max, lr_min):
            \"\"\"The learning rate at step t = 0, 1, …\"\"\"
            ...""",
    reference=cosine_restarts,
    cases=lambda rng: [
        *((t, 10, 2, 0.1, 0.001) for t in (0, 5, 9, 10, 20, 29, 30, 50, 75)),
        (25, 10, 1, 1.0, 0.0),
        (29, 8, 3, 1.0, 0.1),
        (int(rng.integers(1, 100)), 12, 2, rng.uniform(0.1, 1), rng.uniform(0, 0.05)),
    ],
    misconceptions=[
        Misconception(
            altered(cosine_restarts, "    while t >= T:\n        t, T = t - T, factor * T\n", ""),
            "After T your cosine climbs back up by itself. A restart jumps to the top, and starts a longer way down.",
        ),
        Misconception(
            altered(cosine_restarts, "    while t >= T:\n        t, T = t - T, factor * T\n", "    t = min(t, T)\n"),
            "Your rate stays at lr_min after T; it has to start again.",
        ),
        Misconception(
            altered(cosine_restarts, "factor * T", "T"),
            "All your periods have the length T; each is `factor` times as long as the last.",
        ),
        Misconception(
            altered(cosine_restarts, "    while", "    if"),
            "Yours restarts once. The second period ends too, and a third begins.",
        ),
        Misconception(
            altered(cosine_restarts, "t >= T", "t > T"),
            "Your restart comes one step late: at t = T the rate is at the top already.",
        ),
        Misconception(
            altered(cosine_restarts, "t, T = t - T, factor * T", "T = factor * T"),
            "You lengthen the period and keep counting from the start; each period begins at its own step 0.",
        ),
        Misconception(
            altered(cosine_restarts, "np.pi * t / T", "np.pi * t / (T - 1)"),
            "You reach lr_min on the last step of a period: that divides by T - 1, one step early.",
        ),
        Misconception(
            altered(cosine_restarts, "lr_min + 0.5 * (lr_max - lr_min)", "0.5 * lr_max"),
            "The floor is missing: the rate falls to zero instead of lr_min.",
        ),
        Misconception(
            altered(cosine_restarts, "(lr_max - lr_min)", "lr_max"),
            "The curve starts above lr_max: the cosine spans the difference of the two rates.",
        ),
        Misconception(
            altered(
                cosine_restarts,
                "0.5 * (lr_max - lr_min) * (1 + np.cos(np.pi * t / T))",
                "(lr_max - lr_min) * np.cos(np.pi / 2 * t / T)",
            ),
            "That is a quarter of a cosine: it falls steepest at the end instead of flattening out.",
        ),
    ],
    hints=[
        "First find the period in which t lies, and how far into it.",
        "How does 1 + cos(πu) run as u goes from 0 to 1?",
    ],
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
        *((t, 10, 110, 1.0) for t in (0, 4, 9, 10, 35, 60, 110, 130)),
        (3, 10, 110, 0.2),
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
            altered(warmup_cosine, "0.5 * lr * (1 + np.cos(np.pi * part))", "lr * (1 - part)"),
            "After the warm-up your rate falls on a straight line; asked for is half a cosine, which is flat at both ends.",
        ),
        Misconception(
            altered(warmup_cosine, "lr * (t + 1) / warm", "(t + 1) / warm"),
            "The warm-up rises to 1 and not to `lr`.",
        ),
        Misconception(
            altered(warmup_cosine, "0.5 * lr * (1", "lr * (1"),
            "The cosine starts at twice the rate: 1 + cos is 2 at the top.",
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
        ([1.0, 1.0, 1.0, 0.5, 0.5], 1.0, 1, 0.5, 0.0, 0),
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
        Misconception(
            altered(reduce_on_plateau, "        if rest > 0:\n            rest, bad = rest - 1, 0\n        if bad > patience:\n            lr, bad, rest = lr * factor, 0, cooldown\n",
                    "        if bad > patience:\n            lr, bad, rest = lr * factor, 0, cooldown\n        if rest > 0:\n            rest, bad = rest - 1, 0\n"),
            "The value that causes the cut already counts as the first one of the cooldown; that begins with the next.",
        ),
        Misconception(
            altered(reduce_on_plateau, "best, bad, rest, rates = np.inf, 0, 0, []", "best, bad, rest, rates, start = np.inf, 0, 0, [], lr", "lr * factor", "start * factor"),
            "Every cut starts from the first rate again; cuts multiply up.",
        ),
        Misconception(
            altered(reduce_on_plateau, "best, bad = value, 0\n        else:\n            bad += 1\n", "best = value\n        else:\n            bad += 1\n"),
            "A good value does not start the count again: you count all bad values, not those in a row.",
        ),
    ],
    hints=["Keep three things: the best value, the number of bad values in a row, and how many values of cooldown are left.",
           "Update the count first, then the cooldown, then decide."],
)  # fmt: skip


def early_stopping(values, patience, min_delta, mode):
    sign = 1 if mode == "min" else -1
    best = 0
    for i, value in enumerate(values):
        if sign * (values[best] - value) > min_delta:
            best = i
        if i - best >= patience:
            return best, i
    return best, len(values) - 1


_EARLY = Exercise(
    id="schedules/early-stopping",
    notebook="5.3",
    title="Early stopping, for losses and for accuracies",
    statement=r"""
        Go through the validation scores in order. A score is an improvement if it is better than the best so far by **more than**
        `min_delta`, and it then becomes the best; better means smaller if `mode` is `"min"` and larger if it is `"max"`. Stop at the first
        score that is `patience` places after the best so far. Return a pair: the index of the best, and the index at which you stopped
        (the last one, if you never did).""",
    stub='''
        def early_stopping(values, patience, min_delta, mode):
            """(index of the best score, index of the last one looked at)"""
            ...''',
    reference=early_stopping,
    cases=lambda rng: [
        ([3.0, 2.0, 2.5, 2.4, 2.3, 1.0], 3, 0.0, "min"),
        ([3.0, 2.0, 1.0], 2, 0.0, "min"),
        ([1.0, 2.0, 3.0, 4.0], 1, 0.0, "min"),
        ([2.0, 2.0, 2.0, 2.0], 2, 0.0, "min"),
        ([0.5, 0.75, 0.625, 0.75, 0.875], 3, 0.0, "max"),
        ([0.5, 0.75, 0.625, 0.25, 0.875], 2, 0.0, "max"),
        ([4.0, 3.75, 3.5, 3.25, 3.0], 2, 0.5, "min"),
        ([0.25, 0.5, 0.625, 0.75, 1.0], 2, 0.25, "max"),
        ([4.0, 2.0, 1.0, 1.5], 5, 0.5, "min"),
        ([0.5, 0.625, 0.5, 0.5], 3, 0.2, "max"),
        (list(rng.normal(size=25).round(3)), 4, 0.1, str(rng.choice(["min", "max"]))),
    ],
    misconceptions=[
        Misconception(
            lambda values, patience, min_delta, mode: (early_stopping(values, patience, min_delta, mode)[1],) * 2,
            "You return the place where you stopped as the best one. The best lies before it, by `patience` places.",
        ),
        Misconception(
            altered(early_stopping, ">= patience", "> patience"),
            "You wait one value too long: stop once `patience` values in a row were no better.",
        ),
        Misconception(
            altered(
                early_stopping,
                "    best = 0\n",
                "    best = last = 0\n",
                "sign * (values[best] - value) > min_delta",
                "i == 0 or sign * (values[i - 1] - value) > min_delta",
            ),
            "You compare with the previous value instead of the best so far, so a slow recovery resets the count.",
        ),
        Misconception(
            lambda values, patience, min_delta, mode: (
                int(np.argmin(values) if mode == "min" else np.argmax(values)),
                early_stopping(values, patience, min_delta, mode)[1],
            ),
            "The best index comes from all values: from those after the stop too, which the run never sees.",
        ),
        Misconception(
            lambda values, patience, min_delta, mode: early_stopping(values, patience, min_delta, "min"),
            "For accuracies you wait for the smallest value: progress counts as bad, and the run stops early.",
        ),
        Misconception(
            lambda values, patience, min_delta, mode: early_stopping(values, patience, 0.0, mode),
            "`min_delta` has no effect: the smallest wobble counts as progress.",
        ),
        Misconception(
            altered(early_stopping, "> min_delta", ">= min_delta"),
            "An improvement of exactly `min_delta` counts in your version, and so does an equal value. It has to be more.",
        ),
        Misconception(
            altered(
                early_stopping,
                "return best, i\n    return best, len(values) - 1",
                "return i, best\n    return len(values) - 1, best",
            ),
            "The two results are in the wrong order: first the best, then the stop.",
        ),
        Misconception(
            altered(early_stopping, "return best, i\n", "return best, i - 1\n"),
            "You return the index before the one at which you stopped.",
        ),
        Misconception(
            altered(early_stopping, "values[best] - value", "value - values[best]"),
            "The comparison is turned round: you wait for things to get worse.",
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
            "Now the rate never falls while it is in use. It should fall, once an epoch.",
        ),
        Misconception(
            altered(train, "lr = lr * gamma", "lr = lr - gamma * lr"),
            "The rate falls once an epoch now, but by the share γ; it should be multiplied by γ.",
        ),
    ],
    hints=[
        "Print the learning rate at every step. How often does it change?",
        "In which of the two loops does that line belong?",
    ],
)


EXERCISES = [
    _EXTENDED, _STEP, _BIAS_VARIANCE, _DERIVE, _MOMENTUM_FLOOR, _LARGEST, _DECAY_OR_NOT, _BUG, _COSINE, _WARMUP_COSINE, _TRIANGULAR, _PLATEAU, _EARLY,
]  # fmt: skip
