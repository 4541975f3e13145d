"""Exercises of chapter 4, adaptive methods."""

import numpy as np

from ..exercise import Exercise, Misconception, choice
from ..slips import altered

# --- 4.1 AdaGrad and RMSProp ------------------------------------------------------------------------------------------


def rmsprop_step(theta, g, r, m, lr, rho, eps):
    r = rho * r + (1 - rho) * g**2
    m = rho * m + (1 - rho) * g
    return theta - lr * g / (np.sqrt(r - m**2) + eps), r, m


_RMSPROP = Exercise(
    id="adaptive-methods/rmsprop",
    notebook="4.1",
    title="RMSProp, centred",
    statement=r"""
        PyTorch's RMSProp has a switch `centered`: beside the average $r$ of the squared gradients it keeps the average $m$ of the
        gradients, with the same decay $\rho$, and divides by the root of $r - m^2$, the variance of the recent gradients. Take one step: update both averages first; $\varepsilon$
        stands outside the root. Return the new $\theta$, $r$ and $m$.""",
    stub='''
        def rmsprop_step(theta, g, r, m, lr, rho, eps):
            """The new (theta, r, m), all shaped like theta."""
            ...''',
    reference=rmsprop_step,
    cases=lambda rng: [
        (np.array([0.0]), np.array([1.0]), np.array([4.0]), np.array([1.0]), 0.1, 0.9, 0.1),
        (np.array([1.0]), np.array([1e-5]), np.array([1e-10]), np.array([-1e-6]), 0.1, 0.9, 1e-7),
        (rng.normal(size=3), rng.uniform(1, 2, 3), rng.uniform(1, 2, 3), rng.uniform(-0.9, 0.9, 3), 0.01, 0.8, 1e-3),
    ],
    misconceptions=[
        Misconception(
            altered(rmsprop_step, "np.sqrt(r - m**2)", "np.sqrt(r)"),
            "You divide by the root of r, as plain RMSProp does. Centred, the square of m is subtracted first.",
        ),
        Misconception(
            altered(rmsprop_step, "(np.sqrt(r - m**2) + eps)", "np.sqrt(r - m**2 + eps)"),
            "ε stands inside your root. For tiny gradients it is then a floor of √ε, and steps are too short.",
        ),
        Misconception(
            altered(rmsprop_step, "r - m**2", "r - m"),
            "You subtract m; a variance is the mean square minus the square of the mean.",
        ),
        Misconception(
            lambda theta, g, r, m, lr, rho, eps: rmsprop_step(theta, g, r, m, lr, 1 - rho, eps),
            "The weights of old and new are swapped: ρ, close to 1, belongs to the old average.",
        ),
        Misconception(
            lambda theta, g, r, m, lr, rho, eps: (
                theta - lr * g / (np.sqrt(r - m**2) + eps),
                *rmsprop_step(theta, g, r, m, lr, rho, eps)[1:],
            ),
            "You divide by the averages from before this gradient; update them first.",
        ),
        Misconception(
            altered(rmsprop_step, "np.sqrt(r - m**2)", "r - m**2"),
            "The root is missing: the variance holds squares, so the step has the wrong units.",
        ),
        Misconception(
            altered(rmsprop_step, "lr * g /", "lr * m /"),
            "You step along the average m; the step is along the gradient, and m serves the division only.",
        ),
        Misconception(
            altered(rmsprop_step, "theta - lr", "theta + lr"), "You step uphill: check the sign of the step."
        ),
        Misconception(
            lambda *case: tuple(rmsprop_step(*case)[k] for k in (1, 2, 0)),
            "The results come in the wrong order: first θ, then r, then m.",
        ),
        Misconception(lambda *case: rmsprop_step(*case)[:2], "The new m is missing: the next step needs it."),
    ],
    hints=[
        "Three lines: two averages, then the step.",
        "With r = 4, m = 1, ρ = 0.9 and g = 1 the variance is 3.7 - 1.",
    ],
)


def adagrad(grads, lr, eps=1e-10):
    theta = r = 0.0
    for g in grads:
        r = r + g**2
        theta = theta - lr * g / (np.sqrt(r) + eps)
    return theta


def _adagrad_with(memory, size=np.sqrt):
    def wrong(grads, lr, eps=1e-10):
        theta = r = 0.0
        for g in grads:
            r = memory(r, g)
            theta = theta - lr * g / (size(r) + eps)
        return theta

    return wrong


_ADAGRAD = Exercise(
    id="adaptive-methods/adagrad",
    notebook="4.1",
    title="AdaGrad",
    statement=r"""
        A parameter starts at 0 and sees the gradients in the list `grads`, whatever it does. Return where AdaGrad takes it.
        The sum of squares starts at 0 and contains the newest gradient; $\varepsilon$ stands outside the root.""",
    stub='''
        def adagrad(grads, lr, eps=1e-10):
            """Where AdaGrad stands after all these gradients, starting from 0."""
            ...''',
    reference=adagrad,
    cases=lambda rng: [
        ([2.0, 2.0], 0.1),
        ([2.0, 2.0, 2.0, 2.0], 0.1),
        ([3.0, -1.0, 0.5], 0.1),
        ([0.0, 0.3], 0.1, 0.1),
        ([2e-10, 1e-10], 0.1),
        (list(rng.normal(size=5) + 2), rng.uniform(0.1, 1), 0.5),
    ],
    misconceptions=[
        Misconception(
            altered(adagrad, "(np.sqrt(r) + eps)", "np.sqrt(r + eps)"),
            "ε stands inside your root, where it matters for all gradients below √ε.",
        ),
        Misconception(
            altered(adagrad, " + eps)", ")"), "ε is missing: a gradient of zero at the start divides zero by zero."
        ),
        Misconception(
            altered(adagrad, "(np.sqrt(r) + eps)", "(np.sqrt(r - g**2) + eps)"),
            "You divide by the sum from before this gradient, so the first step divides by ε alone. Add the newest one first.",
        ),
        Misconception(altered(adagrad, "g**2", "g"), "You add up the gradients; the sum holds their squares."),
        Misconception(altered(adagrad, "theta - lr", "theta + lr"), "You step uphill: check the sign of the step."),
        Misconception(
            altered(adagrad, "lr * g / (np.sqrt(r) + eps)", "lr / (np.sqrt(r) + eps)"),
            "The gradient is missing in the step: it sets direction and size, the root only scales them.",
        ),
        Misconception(
            _adagrad_with(lambda r, g: r + abs(g), lambda r: r),
            "You divide by the sum of the sizes. AdaGrad's steps fall like 1/√k, yours like 1/k.",
        ),
        Misconception(
            _adagrad_with(lambda r, g: 0.9 * r + 0.1 * g**2),
            "That average forgets: it is RMSProp. AdaGrad keeps every square at full weight.",
        ),
        Misconception(
            _adagrad_with(lambda r, g: g**2),
            "Nothing is remembered, so each step is only a sign. The squares have to be summed.",
        ),
        Misconception(
            _adagrad_with(lambda r, g: r + g**2, lambda r: r),
            "The root is missing: the steps fall too fast, and depend on the size of the gradients.",
        ),
    ],
    hints=["Four equal gradients give steps of 1, 1/√2, 1/√3 and 1/√4 times the rate.", "Keep one running sum."],
)

_DISTANCE = Exercise(
    id="adaptive-methods/adagrad-distance",
    notebook="4.1",
    title="How far AdaGrad goes",
    kind="measure",
    statement=r"""
        AdaGrad with $\eta = 0.1$ sees the gradient 7 at every step. Measure how far it has gone after 2500 steps, and how far it
        goes when the gradient is 0.007. Hand in both distances; two correct digits are enough.""",
    stub="""
        # oc.descend(oc.adagrad, None, [0.0], 2500, 0.1, grad=lambda w: 7 + 0*w).final
        distances = ...       # (for 7, for 0.007)""",
    reference=(float(0.1 * np.sum(1 / np.sqrt(np.arange(1, 2501)))),) * 2,
    rtol=0.02,
    misconceptions=[
        Misconception(
            (250.0, 250.0), "That is η times the number of steps: it holds for a rule whose steps do not shrink."
        ),
        Misconception((1750.0, 1.75), "That is plain gradient descent, η times the sum of the gradients."),
        Misconception((5.0, 5.0), "Twice too short: the steps η/√k add up to about 2η√k."),
        Misconception((-9.85, -9.85), "A distance is a length, so give it without the sign."),
        Misconception((9.85, 0.00985), "The second is a guess: measure it. What does AdaGrad divide by?"),
    ],
    hints=["Run the line in the comment, once for each gradient.", "A sum of 1/√k is close to an integral."],
)


# --- 4.2 Adam ---------------------------------------------------------------------------------------------------------


def adam(grads, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    theta = m = v = 0.0
    for t, g in enumerate(grads, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        theta = theta - lr * m_hat / (np.sqrt(v_hat) + eps)
    return theta


def _adam_with(step):
    """Adam whose direction is `step(m, v, t, beta1, beta2, eps)`."""

    def wrong(grads, lr, beta1=0.9, beta2=0.999, eps=1e-8):
        theta = m = v = 0.0
        for t, g in enumerate(grads, 1):
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g**2
            theta = theta - lr * step(m, v, t, beta1, beta2, eps)
        return theta

    return wrong


def _raw(m, v, t, beta1, beta2, eps):
    return m / (np.sqrt(v) + eps)


def _only_m(m, v, t, beta1, beta2, eps):
    return m / (1 - beta1**t) / (np.sqrt(v) + eps)


def _eps_inside(m, v, t, beta1, beta2, eps):
    return m / (1 - beta1**t) / np.sqrt(v / (1 - beta2**t) + eps)


def _eps_hat(m, v, t, beta1, beta2, eps):
    return np.sqrt(1 - beta2**t) / (1 - beta1**t) * m / (np.sqrt(v) + eps)


def _late_clock(m, v, t, beta1, beta2, eps):
    return m / (1 - beta1 ** (t + 1)) / (np.sqrt(v / (1 - beta2 ** (t + 1))) + eps)


def _clock_from_zero(grads, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    theta = m = v = 0.0
    for t, g in enumerate(grads):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        theta = theta - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return theta


def _betas_swapped(grads, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    return adam(grads, lr, beta2, beta1, eps)


_ADAM = Exercise(
    id="adaptive-methods/adam",
    notebook="4.2",
    title="Adam",
    statement=r"""
        A parameter starts at 0 and sees the gradients in the list `grads`, whatever it does. Return where Adam takes it. Both
        moments start at 0 and are corrected; $t$ counts from 1; $\varepsilon$ stands outside the root, after the correction.""",
    stub='''
        def adam(grads, lr, beta1=0.9, beta2=0.999, eps=1e-8):
            """Where Adam stands after all these gradients, starting from 0."""
            ...''',
    reference=adam,
    cases=lambda rng: [
        ([3.0], 0.1),
        ([1e-6], 0.1),
        ([3.0, -1.0, 2.0], 0.1),
        ([1e-8, 2e-8], 0.1),
        ([1.0, 4.0], 0.1, 0.5, 0.8, 1e-2),
        (list(rng.normal(size=4) + 1), rng.uniform(0.1, 1), 0.8, 0.95, 1e-3),
    ],
    misconceptions=[
        Misconception(
            _adam_with(_raw),
            "You left out bias correction: the first step is 3.16 times too long, because v starts near zero too.",
        ),
        Misconception(
            _adam_with(_only_m),
            "Only m is corrected. v starts at zero as well, so the first step is more than 30 times too long.",
        ),
        Misconception(
            _adam_with(_eps_inside),
            "ε stands inside your root: the step for a gradient of 1e-6 is then a hundred times too short.",
        ),
        Misconception(
            _adam_with(_eps_hat),
            "That is the form of Keras: ε is added before v is corrected. Correct first, then take the root and add.",
        ),
        Misconception(
            _clock_from_zero,
            "Your t starts at 0, where both corrections are a division by zero. Count steps from 1.",
        ),
        Misconception(_adam_with(_late_clock), "Your clock is one step ahead: the first gradient has t = 1."),
        Misconception(_betas_swapped, "The two decays are swapped: β₁ belongs to the gradient, β₂ to its square."),
        Misconception(
            altered(adam, "m_hat = m", "m = m", "v_hat = v", "v = v", "m_hat / (np.sqrt(v_hat)", "m / (np.sqrt(v)"),
            "You store the corrected moments and average on from them. The correction is for the step alone; m and v stay raw.",
        ),
        Misconception(
            altered(adam, "m_hat = m / (1 - beta1**t)", "m_hat = m"),
            "Only v is corrected. m starts at zero as well, so the first step is ten times too short.",
        ),
        Misconception(
            altered(adam, "lr * m_hat", "lr * g"),
            "You step along the newest gradient, scaled; Adam steps along the corrected average m.",
        ),
        Misconception(
            altered(adam, "np.sqrt(v_hat)", "v_hat"), "The root is missing: v averages squares, so the step has the wrong units."
        ),
        Misconception(
            altered(adam, "beta1**t", "beta1", "beta2**t", "beta2"),
            "Your correction does not change with time. What the zero start left out fades with the power t of the decay.",
        ),
        Misconception(
            altered(adam, "(1 - beta2) * g**2", "(1 - beta2) * g"), "v averages the gradients; it has to average their squares."
        ),
        Misconception(
            altered(adam, "beta1 * m + (1 - beta1) * g", "beta1 * m + g"),
            "The newest gradient enters m at full weight, as in momentum. In Adam it enters with 1 - β₁.",
        ),
        Misconception(altered(adam, "theta - lr", "theta + lr"), "You step uphill: check the sign of the step."),
    ],
    hints=["The first step has the length lr, for any gradient much larger than ε.",
           "Six lines in the loop: m, v, both corrected, the step, and a counter."],
)  # fmt: skip


def amsgrad(grads, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    theta = m = v = v_max = 0.0
    for t, g in enumerate(grads, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        v_max = np.maximum(v_max, v)
        theta = theta - lr * m / (1 - beta1**t) / (np.sqrt(v_max / (1 - beta2**t)) + eps)
    return theta


def _amsgrad_with(largest, corrected=False):
    """AMSGrad that keeps `largest(kept, v, g)`, of the raw v or of the corrected one."""

    def wrong(grads, lr, beta1=0.9, beta2=0.999, eps=1e-8):
        theta = m = v = kept = 0.0
        for t, g in enumerate(grads, 1):
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g**2
            scale = 1 - beta2**t
            kept = largest(kept, v / scale if corrected else v, g)
            size = kept if corrected else kept / scale
            theta = theta - lr * m / (1 - beta1**t) / (np.sqrt(size) + eps)
        return theta

    return wrong


_AMSGRAD = Exercise(
    id="adaptive-methods/amsgrad",
    notebook="4.2",
    title="AMSGrad",
    statement=r"""
        The same for AMSGrad in the form of PyTorch: the largest $v$ so far, taken of the *uncorrected* $v$, stands in for $v$;
        then Adam's bias correction of that step is applied to it.""",
    stub='''
        def amsgrad(grads, lr, beta1=0.9, beta2=0.999, eps=1e-8):
            """Where AMSGrad stands after all these gradients, starting from 0."""
            ...''',
    reference=amsgrad,
    cases=lambda rng: [
        ([3.0, -1.0, -1.0], 0.1, 0.0, 0.1),
        ([5.0, 0.1, 0.1, 0.1], 0.1, 0.9, 0.5),
        ([5.0, 0.1, 0.1, 0.1, 5.0], 0.1, 0.9, 0.5),
        ([1e-8, 5e-9, 1e-9], 0.1),
        ([4.0, *rng.uniform(0.1, 0.5, 4), 5.0], rng.uniform(0.1, 1), 0.8, 0.7, 0.1),
    ],
    misconceptions=[
        Misconception(adam, "That is Adam: v may shrink. Keep the largest one."),
        Misconception(
            altered(amsgrad, "v_max = np.maximum(v_max, v)", "v = v_max = np.maximum(v_max, v)"),
            "You overwrite the running average with the maximum. v goes on as in Adam; the maximum is a state of its own.",
        ),
        Misconception(
            altered(amsgrad, "(np.sqrt(v_max / (1 - beta2**t)) + eps)", "np.sqrt(v_max / (1 - beta2**t) + eps)"),
            "ε stands inside your root; it is added after the root.",
        ),
        Misconception(
            altered(amsgrad, "v_max / (1 - beta2**t)", "v_max"),
            "The maximum is not corrected: Adam's bias correction of the step is applied to it as well.",
        ),
        Misconception(
            altered(amsgrad, "m / (1 - beta1**t)", "m"),
            "m is not corrected; AMSGrad in this form corrects both moments.",
        ),
        Misconception(
            _amsgrad_with(lambda kept, v, g: max(kept, g**2)),
            "You keep the largest squared gradient; the maximum is taken of the running average v.",
        ),
        Misconception(
            _amsgrad_with(lambda kept, v, g: max(0.9 * kept, v)),
            "Your maximum leaks: it must never fall, or the old failure is back.",
        ),
        Misconception(
            _amsgrad_with(lambda kept, v, g: max(kept, v), corrected=True),
            "You take the maximum of the corrected v, as optax does. Here it is taken of the raw one.",
        ),
    ],
    hints=["One more state, which only grows.", "The running v itself goes on as in Adam; do not overwrite it."],
)


def gain_after_silence(t, quiet, beta1, beta2):
    m = (1 - beta1 ** (t - quiet)) / (1 - beta1**t)
    v = (1 - beta2 ** (t - quiet)) / (1 - beta2**t)
    return m / np.sqrt(v)


_GAIN = Exercise(
    id="adaptive-methods/uncorrected-gain",
    notebook="4.2",
    title="Derive: the step after a silence",
    statement=r"""
        Adam, **with** bias correction, has seen nothing but zeros for `quiet` steps. From then on the gradient is constant. Derive its step
        at time `t` (counted from the very first step, `t > quiet`) in units of $\eta$; neglect $\varepsilon$. With `quiet = 0` the
        answer is 1: the correction then does what it is made for.""",
    stub='''
        def gain_after_silence(t, quiet, beta1, beta2):
            """The step at time t over the learning rate, for a gradient that is constant after `quiet` zeros."""
            ...''',
    reference=gain_after_silence,
    cases=lambda rng: [
        (1, 0, 0.9, 0.999),
        (11, 10, 0.9, 0.999),
        (500, 300, 0.9, 0.999),
        (int(rng.integers(20, 60)), int(rng.integers(1, 20)), rng.uniform(0.5, 0.9), rng.uniform(0.95, 0.99)),
    ],
    misconceptions=[
        Misconception(
            altered(gain_after_silence, "m / np.sqrt(v)", "np.sqrt(v) / m"),
            "Upside down: m stands above the fraction bar, the root of v below it.",
        ),
        Misconception(
            altered(gain_after_silence, "np.sqrt(v)", "v"), "The root is missing: v is an average of squares."
        ),
        Misconception(
            altered(gain_after_silence, "m / np.sqrt(v)", "m"),
            "That is m alone. v has forgotten its share too, and it is divided by.",
        ),
        Misconception(
            lambda t, quiet, beta1, beta2: 1.0 + 0.0 * t,
            "So it would be if the clock started with the first gradient. It has been running through the silence.",
        ),
        Misconception(
            altered(gain_after_silence, " / (1 - beta1**t)", "", " / (1 - beta2**t)", ""),
            "That is Adam without bias correction: the step divides m and v by what their zero start left out.",
        ),
        Misconception(
            lambda t, quiet, beta1, beta2: gain_after_silence(t, quiet, beta2, beta1),
            "The two decays are swapped: β₁ belongs to m, β₂ to v.",
        ),
        Misconception(
            altered(gain_after_silence, "t - quiet", "t - quiet + 1"),
            "You count one gradient too many: at t = quiet + 1 there has been one.",
        ),
    ],
    hints=[
        "After k equal gradients g that follow zeros, what is m? And v?",
        "The corrections divide by 1 - β₁ᵗ and 1 - β₂ᵗ with the full t.",
    ],
)


def corrected_average(grads, betas):
    m, left = 0.0, 1.0  # left: the weight of the zero that m starts from
    for g, beta in zip(grads, betas, strict=True):
        m = beta * m + (1 - beta) * g
        left = beta * left
    return m / (1 - left)


_CORRECTED = Exercise(
    id="adaptive-methods/derive-correction",
    notebook="4.2",
    title="Derive: bias correction for a decay that changes",
    statement=r"""
        Some runs warm up Adam's memory: the decay $\beta_t$ grows from step to step, $m_t = \beta_t m_{t-1} + (1 - \beta_t)\,g_t$ from
        $m_0 = 0$. Write out which weight each gradient has in $m_t$, and what the weights add up to. Derive the factor that makes a constant
        gradient come out as itself, and return the corrected average after the last of `grads`, for the decays in the list `betas`.""",
    stub='''
        def corrected_average(grads, betas):
            """The average of the gradients with decays betas[0], betas[1], …, without the bias of its zero start."""
            ...''',
    reference=corrected_average,
    cases=lambda rng: [
        ([3.0], [0.5]),
        ([1.0, 1.0], [0.5, 0.9]),
        ([2.0, -1.0, 4.0], [0.5, 0.75, 0.9]),
        ([1.0, 0.0, 2.0], [0.0, 0.5, 0.5]),
        (list(rng.normal(size=(5, 2))), list(rng.uniform(0.3, 0.95, size=5))),
    ],
    misconceptions=[
        Misconception(
            lambda grads, betas: (1 - np.prod(betas)) * corrected_average(grads, betas),
            "The correction is missing: the zero that m starts from still has a share of the average.",
        ),
        Misconception(
            lambda grads, betas: (
                (1 - np.prod(betas)) * corrected_average(grads, betas) / max(1 - betas[-1] ** len(betas), 1e-9)
            ),
            "Your correction takes the last decay for all steps. Each step left the share of its own β of what was there before.",
        ),
        Misconception(
            lambda grads, betas: (
                (1 - np.prod(betas)) * corrected_average(grads, betas) / max(1 - np.mean(betas) ** len(betas), 1e-9)
            ),
            "The mean of the decays is not what remains after all of them: shares of shares are multiplied.",
        ),
        Misconception(
            altered(corrected_average, "/ (1 - left)", "/ (1 - beta)"),
            "You correct for the last step alone. What is left of the zero start has gone through all of them.",
        ),
        Misconception(
            altered(corrected_average, "m = beta * m", "m = beta * m / max(1 - left, 1e-9)"),
            "You put corrected values back into the average, so they are corrected again and again.",
        ),
        Misconception(
            altered(corrected_average, "m / (1 - left)", "m * (1 - left)"),
            "Multiplied instead of divided: the bare average is too small, and yours gets smaller still.",
        ),
        Misconception(
            altered(corrected_average, "beta * m + (1 - beta) * g", "(1 - beta) * m + beta * g"),
            "The weights are swapped: β is what stays of the old average.",
        ),
        Misconception(
            lambda grads, betas: np.mean(grads, axis=0),
            "That is the plain mean: it gives a constant back, and forgets that newer gradients count more.",
        ),
    ],
    hints=[
        "Put in g = 1 at every step and follow 1 - m: what does one step multiply it by?",
        "After all steps 1 - m is the product of the decays, which is the weight of the zero start.",
    ],
)  # fmt: skip


def fixed_adam(theta, grads, lr, beta1=0.9, beta2=0.999, eps=1e-8):
    m = v = 0.0
    for t, g in enumerate(grads, 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        theta = theta - lr * m_hat / (np.sqrt(v_hat) + eps)
    return theta


def _published(direction):
    """The published loop with `direction(theta, lr, m_hat, v_hat, eps)` as its last line."""

    def wrong(theta, grads, lr, beta1=0.9, beta2=0.999, eps=1e-8):
        m = v = 0.0
        for t, g in enumerate(grads, 1):
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g**2
            theta = direction(theta, lr, m / (1 - beta1**t), v / (1 - beta2**t), eps)
        return theta

    return wrong


_BUG = Exercise(
    id="adaptive-methods/published-adam",
    notebook="4.2",
    title="Almost Adam",
    kind="bug hunt",
    statement=r"""
        Code like this passes for Adam, and networks do train with it. Compare it with the formula,
        symbol by symbol, for a gradient of zero and a large $\varepsilon$. Repair it.""",
    stub='''
        def fixed_adam(theta, grads, lr, beta1=0.9, beta2=0.999, eps=1e-8):
            """Where Adam takes theta (a number), given these gradients."""
            m = v = 0.0
            for t, g in enumerate(grads, 1):
                m = beta1 * m + (1 - beta1) * g
                v = beta2 * v + (1 - beta2) * g**2
                m_hat = m / (1 - beta1**t)
                v_hat = v / (1 - beta2**t)
                theta = theta - lr * m_hat / np.sqrt(v_hat) + eps
            return theta''',
    reference=fixed_adam,
    cases=lambda rng: [
        (1.0, [2.0], 0.1),
        (1.0, [1e-8, 3e-8], 0.1),
        (1.0, [1e-3, 2e-3], 0.1, 0.9, 0.999, 1e-2),
        (rng.normal(), list(rng.uniform(0.5, 1.5, 4)), 0.05, 0.8, 0.99, 0.1),
    ],
    misconceptions=[
        Misconception(
            _published(lambda theta, lr, m, v, eps: theta - lr * m / np.sqrt(v + eps)),
            "Closer: ε is in the denominator now, but inside the root.",
        ),
        Misconception(
            _published(lambda theta, lr, m, v, eps: theta - lr * m / np.sqrt(v)),
            "ε is gone altogether: a parameter that has never had a gradient becomes nan.",
        ),
        Misconception(
            _published(lambda theta, lr, m, v, eps: theta - lr * (m / np.sqrt(v) + eps)),
            "The bracket is around too much: ε still moves the weight, by lr·ε each step.",
        ),
        Misconception(
            _published(lambda theta, lr, m, v, eps: theta - lr * m / np.sqrt(v) - eps),
            "The sign is not the trouble: ε still moves the weight at every step.",
        ),
    ],
    hints=["What comes first, the division or the sum? Read the last line of the loop as Python does.",
           "With ε = 0.01 and ten steps, how far does the last term alone carry a weight?"],
)  # fmt: skip

# --- 4.3 weight decay and AdamW ---------------------------------------------------------------------------------------


def adamw(theta, grads, lr, schedule, weight_decay, beta1=0.9, beta2=0.999, eps=1e-8):
    m = v = 0.0
    for t, (g, factor) in enumerate(zip(grads, schedule, strict=True), 1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        u = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
        theta = theta - factor * (lr * u + weight_decay * theta)
    return theta


def _adamw_with(step, l2=0.0):
    """AdamW whose last line is `step(theta, u, lr, factor, weight_decay)`; `l2` times the decay goes into the gradient."""

    def wrong(theta, grads, lr, schedule, weight_decay, beta1=0.9, beta2=0.999, eps=1e-8):
        m = v = 0.0
        for t, (g, factor) in enumerate(zip(grads, schedule, strict=True), 1):
            g = g + l2 * weight_decay * theta
            m = beta1 * m + (1 - beta1) * g
            v = beta2 * v + (1 - beta2) * g**2
            u = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
            theta = step(theta, u, lr, factor, weight_decay)
        return theta

    return wrong


_ADAMW = Exercise(
    id="adaptive-methods/adamw",
    notebook="4.3",
    title="AdamW under a schedule, as its paper has it",
    statement=r"""
        In the paper a schedule multiplies step and decay by a factor $f_t$, and the decay does **not** meet the learning rate:
        the weights from before the step lose the share $f_t\lambda$, and $f_t\,\eta$ times Adam's step of the gradients alone is subtracted.
        Return where that takes `theta`, given the gradients in the list `grads` and the factors in the list `schedule`.""",
    stub='''
        def adamw(theta, grads, lr, schedule, weight_decay, beta1=0.9, beta2=0.999, eps=1e-8):
            """Where AdamW takes theta (a number or an array), given these gradients and factors."""
            ...''',
    reference=adamw,
    cases=lambda rng: [
        (2.0, [1.0], 0.1, [1.0], 0.05),
        (2.0, [0.0, 0.0, 0.0], 0.1, [1.0, 0.5, 0.25], 0.05),
        (3.0, [1.0, -2.0, 0.5], 0.1, [0.5, 1.0, 0.2], 0.02),
        (1.0, [1e-8, 2e-8], 0.1, [1.0, 0.5], 0.05),
        (1.0, [0.3, -0.1], 0.1, [0.8, 0.4], 0.05, 0.5, 0.7, 0.1),
        (
            rng.normal(size=3) + 3,
            list(rng.normal(size=(4, 3))),
            rng.uniform(0.05, 0.2),
            list(rng.uniform(0.2, 0.9, size=4)),
            rng.uniform(0.01, 0.1),
        ),
    ],
    misconceptions=[
        Misconception(
            _adamw_with(lambda theta, u, lr, f, wd: (1 - f * lr * wd) * theta - f * lr * u),
            "That is PyTorch's form: its decay is multiplied by the learning rate. In the paper's it meets the schedule alone.",
        ),
        Misconception(
            _adamw_with(lambda theta, u, lr, f, wd: theta - f * lr * u, l2=1.0),
            "The decay is in the gradient, so Adam divides it away: that is Adam with an L2 penalty.",
        ),
        Misconception(
            _adamw_with(lambda theta, u, lr, f, wd: (1 - wd) * theta - f * lr * u),
            "Your decay goes on at full strength while the schedule falls: the factor belongs to it too.",
        ),
        Misconception(
            _adamw_with(lambda theta, u, lr, f, wd: (1 - f * wd) * theta - lr * u),
            "Your step does not know the schedule, only the decay does.",
        ),
        Misconception(
            _adamw_with(lambda theta, u, lr, f, wd: (1 - wd) * theta - lr * u), "The schedule has no effect in your code."
        ),
        Misconception(
            _adamw_with(lambda theta, u, lr, f, wd: (1 - f * wd) * (theta - f * lr * u)),
            "You decay after the step, so the step shrinks too; the decay acts on the weights from before it.",
        ),
        Misconception(
            _adamw_with(lambda theta, u, lr, f, wd: theta - f * lr * u),
            "There is no decay: with zero gradients the weight must shrink all the same.",
        ),
        Misconception(
            _adamw_with(lambda theta, u, lr, f, wd: (1 - f * wd) * theta - f * lr * u, l2=1.0),
            "You decay twice: beside the step, and inside the gradient.",
        ),
        Misconception(
            altered(adamw, "(np.sqrt(v / (1 - beta2**t)) + eps)", "np.sqrt(v / (1 - beta2**t) + eps)"),
            "ε stands inside your root; it is added after the root.",
        ),
        Misconception(
            altered(adamw, "weight_decay * theta", "2 * weight_decay * theta"),
            "You decay by 2λ: the factor of a penalty's derivative. Decoupled decay has none.",
        ),
        Misconception(
            altered(adamw, "lr * u +", "lr * m +"), "You step by the bare average: the corrections and the division by the root are lost."
        ),
    ],
    hints=["From 2 with gradient 1, rate 0.1, factor 1 and decay 0.05: 2·0.95 - 0.1.",
           "Adam's own lines see only g; schedule and decay come in the last line."],
)  # fmt: skip


def torch_weight_decay(lr, lam, n):
    return lr * n, 2 * lam / n


_UNITS = Exercise(
    id="adaptive-methods/torch-weight-decay",
    notebook="4.3",
    title="From a formula to PyTorch",
    statement=r"""
        A page minimizes $\sum_{i=1}^n \ell_i(w) + \lambda \sum_j w_j^2$, a **sum** over the $n$ examples, by gradient descent with the rate
        `lr`. Return the learning rate and the `weight_decay` with which `torch.optim.SGD` takes the same steps when its loss is the
        **mean** of the $\ell_i$.""",
    stub='''
        def torch_weight_decay(lr, lam, n):
            """(lr, weight_decay) of SGD on the mean loss, for the same steps."""
            ...''',
    reference=torch_weight_decay,
    cases=lambda rng: [
        (0.01, 0.5, 10),
        (0.001, 2.0, 100),
        (rng.uniform(0.01, 1), rng.uniform(0.1, 1), int(rng.integers(2, 50))),
    ],
    misconceptions=[
        Misconception(
            altered(torch_weight_decay, "2 * lam / n", "lam / n"),
            "PyTorch adds weight_decay·w to the gradient. What is the gradient of the penalty?",
        ),
        Misconception(
            altered(torch_weight_decay, "lr * n", "lr"),
            "The decay is right, the rate is not: a mean has gradients n times smaller than the sum.",
        ),
        Misconception(
            altered(torch_weight_decay, "lr * n, 2 * lam / n", "lr, 2 * lam"),
            "That is for a page that takes the mean too. Here sum and penalty have other proportions than mean and decay.",
        ),
        Misconception(
            altered(torch_weight_decay, "2 * lam / n", "2 * lam"),
            "The rate is n times as large now, and it multiplies the decay as well.",
        ),
        Misconception(
            altered(torch_weight_decay, "lr * n", "lr / n", "2 * lam / n", "2 * lam * n"),
            "The wrong way round: the mean is the smaller of the two, so its rate is the larger one.",
        ),
        Misconception(
            altered(torch_weight_decay, "2 * lam / n", "lam / 2 / n"),
            "The derivative of a square brings a factor down, it does not take one away.",
        ),
    ],
    hints=[
        "Write one step of each: which factors stand in front of Σ∇ℓᵢ and of w?",
        "PyTorch's step is w - lr·(mean gradient + weight_decay·w).",
    ],
)


_WHO_DECAYS = choice(
    {
        "a": ("The weight with the loud gradient.", "Look again: it keeps almost all of its size."),
        "b": (
            "The weight with the quiet gradient.",
            "The penalty's pull is divided by the size of the gradient, so it acts most where gradients are small.",
        ),
        "c": ("Both the same.", "That is AdamW. Adam with an L2 penalty treats them very differently."),
        "d": ("The larger weight.", "Both start at 1; the sizes part because the decay differs."),
    },
    "b",
    id="adaptive-methods/who-decays",
    notebook="4.3",
    title="Who pays the penalty",
    statement=r"""
        Two weights start at 1 and see only noise, one quiet (0.01), one loud (10). The code trains them with Adam and an L2
        penalty. Which weight does the penalty shrink most, and why?""",
    name="who",
    code="""
        rng = np.random.default_rng(0)
        noise = lambda w: np.array([0.01, 10.0])*rng.normal(size=2)
        print(oc.descend(oc.adam_l2, None, [1.0, 1.0], 2000, 1e-3, grad=noise, weight_decay=0.1).final.round(2))""",
    hints=["Run it and compare the two numbers.", "What does Adam divide the pull by?"],
)

# --- 4.4 layer-wise and matrix-wise steps -----------------------------------------------------------------------------


def trust_ratio(w, g, weight_decay, coefficient=0.001):
    size = np.linalg.norm(w)
    length = np.linalg.norm(g) + weight_decay * size
    return coefficient * size / length if size > 0 and length > 0 else 1.0


def _unguarded(w, g, weight_decay, coefficient=0.001):
    with np.errstate(all="ignore"):
        return coefficient * np.linalg.norm(w) / (np.linalg.norm(g) + weight_decay * np.linalg.norm(w))


_TRUST = Exercise(
    id="adaptive-methods/trust-ratio",
    notebook="4.4",
    title="The trust ratio of LARS",
    statement=r"""
        LAMB measures the whole step, decay included. LARS measures the gradient and the decay one by one: return the
        factor by which it multiplies the gradient with its decay, $g + \lambda w$, before the momentum. That is the trust coefficient times
        $\lVert w\rVert / (\lVert g\rVert + \lambda\lVert w\rVert)$, and 1 where the weights, or the denominator, are 0.""",
    stub='''
        def trust_ratio(w, g, weight_decay, coefficient=0.001):
            """LARS's factor for a layer with the weights w and the gradient g, both of any shape."""
            ...''',
    reference=trust_ratio,
    cases=lambda rng: [
        (np.array([3.0, 4.0]), np.array([0.3, 0.4]), 0.0),
        (np.array([3.0, 4.0]), np.array([0.3, 0.4]), 0.1),
        (np.zeros(2), np.array([0.3, 0.4]), 0.1),
        (np.array([3.0, 4.0]), np.zeros(2), 0.0),
        (np.array([3.0, 4.0]), np.zeros(2), 0.1),
        (np.array([0.3, 0.4]), np.array([0.03, 0.04]), 0.1, 0.5),
        (rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), rng.uniform(0.1, 0.5), 0.02),
    ],
    misconceptions=[
        Misconception(
            altered(trust_ratio, "else 1.0", "else 0.0"),
            "A layer of zeros gets the ratio 0 and never moves. By definition the ratio is 1 there.",
        ),
        Misconception(
            _unguarded,
            "Right for most layers. One that starts at zero never moves, and a gradient of zero without decay divides by zero.",
        ),
        Misconception(
            lambda w, g, weight_decay, coefficient=0.001: trust_ratio(w, g + weight_decay * w, 0.0, coefficient),
            "You measure the gradient and the decay together, as LAMB does. LARS adds up their two norms.",
        ),
        Misconception(
            lambda w, g, weight_decay, coefficient=0.001: trust_ratio(w, g, 0.0, coefficient),
            "The decay is missing in the denominator.",
        ),
        Misconception(
            lambda w, g, weight_decay, coefficient=0.001: trust_ratio(w, g, weight_decay, 1.0),
            "The trust coefficient is missing.",
        ),
        Misconception(
            altered(trust_ratio, "coefficient * size / length", "coefficient * length / size"),
            "Upside down: small weights must get small steps.",
        ),
        Misconception(
            altered(trust_ratio, "np.linalg.norm(w)", "np.sum(w**2)", "np.linalg.norm(g)", "np.sum(g**2)"),
            "Those are squared norms; the ratio is one of lengths.",
        ),
        Misconception(
            altered(trust_ratio, "np.linalg.norm(w)", "np.sum(np.abs(w))", "np.linalg.norm(g)", "np.sum(np.abs(g))"),
            "You add up absolute values. The norm of a layer is the root of the sum of its squares.",
        ),
        Misconception(
            lambda w, g, weight_decay, coefficient=0.001: (
                trust_ratio(w, g, weight_decay, coefficient) * (g + weight_decay * w)
            ),
            "You return the scaled gradient; asked for is the factor.",
        ),
    ],
    hints=[
        "np.linalg.norm takes arrays of any shape.",
        "Two norms in the denominator, two special cases, one answer for both.",
    ],
)


def lamb_step(w, u, lr, weight_decay, low, high):
    step = u + weight_decay * w
    length = np.linalg.norm(step)
    if length == 0:
        return w
    return w - lr * np.clip(np.linalg.norm(w), low, high) / length * step


_LAMB = Exercise(
    id="adaptive-methods/lamb-step",
    notebook="4.4",
    title="LAMB's last line, for weights of any size",
    statement=r"""
        Adam has turned a layer's gradient into the direction `u`. Take LAMB's step with weight decay inside the ratio. So that a layer that
        starts at 0 moves at all, and a huge one not too far, the norm of the weights is replaced by `low` where it is smaller than
        that, and by `high` where it is larger. Return the new weights; where the direction with its decay is 0, they stay.""",
    stub='''
        def lamb_step(w, u, lr, weight_decay, low, high):
            """The layer's weights after the step."""
            ...''',
    reference=lamb_step,
    cases=lambda rng: [
        (np.array([3.0, 4.0]), np.array([1.0, 0.0]), 0.1, 0.5, 0.1, 10.0),
        (np.array([3.0, 4.0]), np.array([1000.0, 0.0]), 0.1, 0.5, 0.1, 2.0),
        (np.zeros(2), np.array([1.0, 0.0]), 0.1, 0.5, 0.3, 10.0),
        (np.zeros(2), np.zeros(2), 0.1, 0.5, 0.1, 10.0),
        (rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), rng.uniform(0.01, 0.1), 0.3, 0.1, 10.0),
    ],
    misconceptions=[
        Misconception(
            altered(lamb_step, "length = np.linalg.norm(step)", "length = np.linalg.norm(u)"),
            "The ratio is taken before the decay is added, so the relative step is not the learning rate any more.",
        ),
        Misconception(
            altered(
                lamb_step, "length = np.linalg.norm(step)", "length = np.linalg.norm(u)",
                " / length * step", " / length * u - lr * weight_decay * w",
            ),
            "The decay stands outside the ratio, as in Keras. Here the ratio acts on step and decay together.",
        ),
        Misconception(
            altered(lamb_step, "lr * np.clip(np.linalg.norm(w), low, high) / length * step", "lr * step"),
            "There is no ratio: that is AdamW's step.",
        ),
        Misconception(
            altered(lamb_step, "u + weight_decay * w", "u"),
            "The decay is missing: it is part of the direction, before the ratio.",
        ),
        Misconception(
            altered(lamb_step, "np.clip(np.linalg.norm(w), low, high)", "np.linalg.norm(w)"),
            "The norm of the weights has no bounds: a layer that starts at 0 stays there for ever.",
        ),
        Misconception(
            altered(lamb_step, "np.clip(np.linalg.norm(w), low, high)", "max(np.linalg.norm(w), low)"),
            "The lower bound is there and the upper one is not.",
        ),
        Misconception(
            altered(lamb_step, "np.clip(np.linalg.norm(w), low, high)", "min(np.linalg.norm(w), high)"),
            "The upper bound is there and the lower one is not: a layer that starts at 0 stays there for ever.",
        ),
        Misconception(
            altered(
                lamb_step, "np.clip(np.linalg.norm(w), low, high) / length", "np.clip(np.linalg.norm(w) / length, low, high)"
            ),
            "You put the bounds on the ratio; they belong to the norm of the weights.",
        ),
        Misconception(
            altered(lamb_step, "np.clip(np.linalg.norm(w), low, high) / length", "length / np.clip(np.linalg.norm(w), low, high)"),
            "The ratio is upside down: small weights must get small steps.",
        ),
        Misconception(
            altered(lamb_step, "lr * np.clip(np.linalg.norm(w), low, high) / length", "lr / length"),
            "Your step has the length lr whatever the weights are. It should be in proportion to their (bounded) norm.",
        ),
        Misconception(
            altered(lamb_step, "    if length == 0:\n        return w\n", ""),
            "Where the direction is 0 you divide by its length: the weights become nan.",
        ),
    ],
    hints=["The change must have the length lr·‖w‖, within the bounds, whatever u is.", "Put the direction together first."],
)  # fmt: skip


def lion(grads, lr, beta1=0.9, beta2=0.99):
    theta = m = 0.0
    for g in grads:
        theta = theta - lr * np.sign(beta1 * m + (1 - beta1) * g)
        m = beta2 * m + (1 - beta2) * g
    return theta


def _memory_first(grads, lr, beta1=0.9, beta2=0.99):
    theta = m = 0.0
    for g in grads:
        m = beta2 * m + (1 - beta2) * g
        theta = theta - lr * np.sign(m)
    return theta


def _sign_only(grads, lr, beta1=0.9, beta2=0.99):
    return -lr * sum(np.sign(g) for g in grads)


def _single_beta(grads, lr, beta1=0.9, beta2=0.99):
    return lion(grads, lr, beta1, beta1)


def _no_sign(grads, lr, beta1=0.9, beta2=0.99):
    theta = m = 0.0
    for g in grads:
        theta = theta - lr * (beta1 * m + (1 - beta1) * g)
        m = beta2 * m + (1 - beta2) * g
    return theta


_LION = Exercise(
    id="adaptive-methods/lion",
    notebook="4.4",
    title="Lion",
    statement=r"""
        A parameter starts at 0 and sees the gradients in the list `grads`, whatever it does. Return where Lion takes it,
        without weight decay: the sign of the short mix of memory and gradient first, then the memory, with its longer decay.""",
    stub='''
        def lion(grads, lr, beta1=0.9, beta2=0.99):
            """Where Lion stands after all these gradients, starting from 0."""
            ...''',
    reference=lion,
    cases=lambda rng: [
        ([5.0, -1.0], 0.1),
        ([5.0, -0.3, -0.3], 0.1),
        ([5.0, *[-0.3] * 12], 0.1),
        ([0.0, 2.0, 0.0], 0.1),
        ([5.0, -1.0, -1.0], 0.1, 0.5, 0.5),
        ([5.0, -1.5, -1.5], 0.1, 0.3, 0.9),
        ([1.0, -0.1, -0.1, -0.1], 0.1, 0.9, 0.2),
        ([4.0, -1.0, 0.2, -0.4, *rng.uniform(0.1, 1.0, 3)], rng.uniform(0.01, 0.1)),
    ],
    misconceptions=[
        Misconception(
            _memory_first,
            "You update the memory and take its sign. Lion votes with a shorter mix, before the memory moves.",
        ),
        Misconception(_sign_only, "That is sign descent: the memory plays no part."),
        Misconception(_single_beta, "You use β₁ for the memory as well; it forgets more slowly, with β₂."),
        Misconception(_no_sign, "The sign is missing: every step has the length lr."),
        Misconception(
            lambda grads, lr, beta1=0.9, beta2=0.99: lion(grads, lr, beta2, beta1),
            "The two decays are swapped: β₁ mixes the vote, β₂, which is longer, the memory.",
        ),
        Misconception(altered(lion, "theta - lr", "theta + lr"), "You step uphill: check the sign of the step."),
    ],
    hints=["With the gradients 5 and -1 the two steps cancel.", "Two mixes of m and g with different weights."],
)


def newton_schulz(G, steps=5):
    a, b, c = 3.4445, -4.7750, 2.0315
    X = G / np.linalg.norm(G)
    for _ in range(steps):
        A = X @ X.T
        X = a * X + (b * A + c * A @ A) @ X
    return X


def _unnormalized(G, steps=5):
    a, b, c = 3.4445, -4.7750, 2.0315
    X = G
    with np.errstate(all="ignore"):
        for _ in range(steps):
            A = X @ X.T
            X = a * X + (b * A + c * A @ A) @ X
    return X


def _cubic(G, steps=5):
    X = G / np.linalg.norm(G)
    for _ in range(steps):
        X = 1.5 * X - 0.5 * X @ X.T @ X
    return X


def _exact(G, steps=5):
    U, _, Vt = np.linalg.svd(G, full_matrices=False)
    return U @ Vt


_NEWTON_SCHULZ = Exercise(
    id="adaptive-methods/newton-schulz",
    notebook="4.4",
    title="Newton-Schulz iteration",
    statement=r"""
        Return nearly the orthogonal factor of the matrix `G`, wide or tall: divide by the Frobenius norm, then iterate
        $X \leftarrow aX + (bA + cA^2)X$ with $A = XX^\top$ and $(a, b, c) = (3.4445, -4.7750, 2.0315)$.""",
    stub='''
        def newton_schulz(G, steps=5):
            """Nearly U @ Vt of G = U @ diag(s) @ Vt, shaped like G."""
            ...''',
    reference=newton_schulz,
    cases=lambda rng: [
        (np.diag([3.0, 0.5]),),
        (1000 * rng.normal(size=(4, 3)),),
        (rng.normal(size=(3, 5)),),
        (rng.normal(size=(5, 3)), 3),
    ],
    rtol=1e-4,
    atol=1e-6,
    also_right=[altered(newton_schulz, "G / np.linalg.norm(G)", "G / (np.linalg.norm(G) + 1e-7)")],
    misconceptions=[
        Misconception(
            altered(newton_schulz, "np.linalg.norm(G)", "np.linalg.norm(G, 2)"),
            "You divide by the largest singular value, which would cost a decomposition. Asked for is the Frobenius norm.",
        ),
        Misconception(
            altered(newton_schulz, "(b * A + c * A @ A) @ X", "b * A @ X"),
            "The term with A² is missing: that is a cubic with the coefficients of the quintic.",
        ),
        Misconception(
            altered(
                newton_schulz,
                "    X = G / np.linalg.norm(G)\n",
                "    X = G\n",
                "A = X",
                "X = X / np.linalg.norm(X)\n        A = X",
            ),
            "You divide by the norm in every round, which undoes what the round has done: once, before the loop.",
        ),
        Misconception(
            _unnormalized,
            "You do not divide by the norm first: singular values above 1 explode.",
        ),
        Misconception(
            _cubic,
            "That is the classical cubic iteration. It is still far from done after five steps.",
        ),
        Misconception(
            _exact,
            "That is the exact factor, by a singular value decomposition. The iteration ends near it, not at it.",
        ),
    ],
    hints=["np.linalg.norm of a matrix is the Frobenius norm.", "A is square, with as many rows as X."],
)


def muon_step(W, G, M, lr, beta, orthogonal):
    fan_in, fan_out = W.shape
    M = beta * M + G
    update = orthogonal(G + beta * M)
    return W - lr * np.sqrt(max(1, fan_out / fan_in)) * update, M


def _with_exact_factor(answer, W, G, M, lr, beta):
    """called with orthogonal(X), the exact orthogonal factor of a matrix"""

    def orthogonal(X):
        U, _, Vt = np.linalg.svd(X, full_matrices=False)
        return U @ Vt

    return answer(W, G, M, lr, beta, orthogonal)


_MUON = Exercise(
    id="adaptive-methods/muon-step",
    notebook="4.4",
    title="One step of Muon",
    statement=r"""
        `W` is a layer's weight matrix, stored as `(in, out)`, as everywhere in this course; `G` its gradient, `M` the momentum so far, and
        `orthogonal(X)` gives the orthogonal factor of a matrix. Take one step: $M \leftarrow \beta M + G$; the direction is the
        orthogonal factor of Nesterov's look-ahead $G + \beta M$ with the new $M$; the step is `lr` times
        $\sqrt{\max(1, \text{fan out}/\text{fan in})}$ times it. Return the new $W$ and the new $M$.""",
    stub='''
        def muon_step(W, G, M, lr, beta, orthogonal):
            """(W, M) after the step, both of shape (in, out)."""
            ...''',
    reference=muon_step,
    probe=_with_exact_factor,
    cases=lambda rng: [
        (np.eye(2), np.diag([2.0, 1.0]), np.zeros((2, 2)), 0.1, 0.9),
        (np.ones((1, 4)), np.array([[1.0, 2.0, 0.0, 2.0]]), np.array([[1.0, 0.0, 0.0, 0.0]]), 0.1, 0.5),
        *(
            (rng.normal(size=s), rng.normal(size=s), rng.normal(size=s), rng.uniform(0.01, 0.1), rng.uniform(0.5, 0.95))
            for s in ((3, 5), (5, 3))
        ),
    ],
    misconceptions=[
        Misconception(
            altered(muon_step, "fan_out / fan_in)", "fan_in / fan_out)"),
            "Your scale is that of weights stored as (out, in), as PyTorch does. Here the rows are the inputs.",
        ),
        Misconception(
            altered(muon_step, "np.sqrt(max(1, fan_out / fan_in)) * ", ""),
            "The scale is missing: a layer that widens would get steps that are too short for its outputs.",
        ),
        Misconception(
            altered(muon_step, "max(1, fan_out / fan_in)", "fan_out / fan_in"),
            "The scale is never below 1: a layer that narrows keeps the bare orthogonal step.",
        ),
        Misconception(
            altered(muon_step, "np.sqrt(max(1, fan_out / fan_in))", "max(1, fan_out / fan_in)"),
            "The root is missing in the scale.",
        ),
        Misconception(
            altered(muon_step, "orthogonal(G + beta * M)", "orthogonal(M)"),
            "Your direction is the momentum itself. The look-ahead takes the new M and adds the newest gradient once more.",
        ),
        Misconception(
            altered(muon_step, "orthogonal(G + beta * M)", "orthogonal(G)"),
            "You orthogonalize the gradient alone: the momentum plays no part in the step.",
        ),
        Misconception(
            altered(muon_step, "beta * M + G\n", "beta * M + (1 - beta) * G\n"),
            "You average: here the newest gradient enters the momentum at full weight.",
        ),
        Misconception(
            altered(muon_step, "orthogonal(G + beta * M)", "orthogonal(G) + beta * orthogonal(M)"),
            "You orthogonalize the parts and add them up; the sum of two orthogonal factors is none.",
        ),
    ],
    hints=[
        "Three lines: momentum, direction, step.",
        "A layer from 1 input to 4 outputs has the scale 2, one from 4 to 1 has 1.",
    ],
)


# --- 4.5 Bits and bytes -----------------------------------------------------------------------------------------------


def kahan_sum(numbers, decimals):
    total = cut = 0.0
    for x in numbers:
        wanted = x + cut
        new = round(total + wanted, decimals)
        cut = round(wanted - (new - total), decimals + 2)
        total = new
    return total, cut


def _rounded_at_the_end(numbers, decimals):
    whole = sum(numbers)
    return round(whole, decimals), round(whole - round(whole, decimals), decimals + 2)


_KAHAN = Exercise(
    id="adaptive-methods/kahan-sum",
    notebook="4.5",
    title="A compensated sum",
    statement=r"""
        A store keeps numbers to `decimals` decimals: what goes into it passes through `round(…, decimals)`. Add up the list `numbers` in it, one after
        the other, without losing what rounding cuts off: that is kept in a second store, with two decimals more, and added to the next number. Return what both stores hold at
        the end.""",
    stub='''
        def kahan_sum(numbers, decimals):
            """(sum, what is missing of it), each as its store holds it."""
            ...''',
    reference=kahan_sum,
    cases=lambda rng: [
        ([1.0, *[0.004] * 8], 2),
        ([1.0, *[-0.004] * 8], 2),
        ([0.3, 0.3, 0.3, 0.3], 0),
        ([0.45, -0.25, 0.45, -0.1], 0),
        ([1.0, *[0.00123] * 10], 1),
        ([10.0, 0.26, 0.26, 0.26, -0.13], 1),
        (list(rng.uniform(0.01, 0.04, 30)), 1),
    ],
    misconceptions=[
        Misconception(
            altered(kahan_sum, "cut = round(wanted - (new - total), decimals + 2)", "cut = 0.0"),
            "You round the sum and remember nothing: steps below half a unit of the store vanish.",
        ),
        Misconception(
            _rounded_at_the_end,
            "You add everything up in full and round at the end; the stores cannot hold the full sum on the way.",
        ),
        Misconception(
            altered(kahan_sum, "x + cut", "x - cut"),
            "You subtract what was cut off. It is missing in the store, so it has to be added to the next number.",
        ),
        Misconception(
            altered(kahan_sum, "wanted - (new - total)", "x - (new - total)"),
            "You remember what is missing of x alone. What was wanted is x and the rest of before.",
        ),
        Misconception(
            altered(
                kahan_sum,
                "        cut = round(wanted - (new - total), decimals + 2)\n        total = new",
                "        total = new\n        cut = round(wanted - (new - total), decimals + 2)",
            ),
            "You overwrite the old sum before you compare with it: new - total is then 0.",
        ),
        Misconception(
            altered(kahan_sum, "round(wanted - (new - total), decimals + 2)", "wanted - (new - total)"),
            "You remember what was cut off in full; the second store has two decimals more than the first.",
        ),
    ],
    hints=[
        "In a store of two decimals 1 and eight times 0.004 make 1.03, and 0.002 are missing.",
        "After each rounding: what should have been added, minus what has been.",
    ],
)


def stochastic_walk(n, u, h):
    return n * u, np.sqrt(n * u * (h - u))


_WALK = Exercise(
    id="adaptive-methods/derive-stochastic-rounding",
    notebook="4.5",
    title="Derivation: a walk by stochastic rounding",
    statement=r"""
        A weight stands on a mark, the marks are $h$ apart, and it gets $n$ steps of the length $u$ with $0 < u < h$, each of which ends on a mark by stochastic rounding.
        Return the mean of the whole way and its standard deviation.""",
    stub='''
        def stochastic_walk(n, u, h):
            """(mean, standard deviation) of the way of n steps u on marks h apart."""
            ...''',
    reference=stochastic_walk,
    cases=lambda rng: [
        (1, 0.25, 1.0),
        (500, 0.001, 2.0**-8),
        (16, 0.5, 2.0),
        (100, 0.3, 0.4),
        (int(rng.integers(2, 50)), rng.uniform(0.1, 0.9), 1.0),
    ],
    misconceptions=[
        Misconception(
            altered(stochastic_walk, "np.sqrt(n * u * (h - u))", "n * u * (h - u)"),
            "That is the variance; the standard deviation is its root.",
        ),
        Misconception(
            altered(stochastic_walk, "np.sqrt(n * u * (h - u))", "n * np.sqrt(u * (h - u))"),
            "You add up standard deviations. For independent steps the variances add up, and the root comes last.",
        ),
        Misconception(
            altered(stochastic_walk, "u * (h - u)", "h**2 / 4"),
            "That is the spread of the worst steps, u = h/2; shorter and longer ones spread less.",
        ),
        Misconception(
            altered(stochastic_walk, "n * u * (h - u)", "n * (u / h) * (1 - u / h)"),
            "You give the spread of the number of moves; each of them is h long.",
        ),
        Misconception(
            altered(stochastic_walk, "n * u * (h - u)", "n * u * h"),
            "That is the mean square of a step times n. The square of the mean has to be taken off.",
        ),
        Misconception(
            lambda n, u, h: (n * h * np.round(u / h), 0.0),
            "That is rounding to the nearest mark, with no chance in it.",
        ),
        Misconception(
            lambda n, u, h: stochastic_walk(n, u, h)[::-1],
            "The results come in the wrong order: first the mean, then the standard deviation.",
        ),
    ],
    hints=[
        "One step is h with the chance u/h, and 0 otherwise.",
        "For u = 1/4 and h = 1 the variance of a step is 3/16.",
    ],
)


def loss_scale(overflows, scale, n):
    good = skipped = 0
    for overflow in overflows:
        if overflow:
            scale, good, skipped = scale / 2, 0, skipped + 1
        else:
            good += 1
            if good == n:
                scale, good = 2 * scale, 0
    return scale, skipped


_SCALE = Exercise(
    id="adaptive-methods/loss-scale",
    notebook="4.5",
    title="A dynamic loss scale",
    statement=r"""
        `overflows` says of each step whether its scaled gradients overflowed. Such a step is skipped and halves the scale. After `n` good steps in a row the scale is doubled, and
        counting begins anew. Return the scale at the end and the number of steps skipped.""",
    stub='''
        def loss_scale(overflows, scale, n):
            """(scale after all steps, number of steps skipped)."""
            ...''',
    reference=loss_scale,
    cases=lambda rng: [
        ([False] * 7, 8.0, 3),
        ([True, True, False], 0.5, 3),
        ([False, False, True, False, False], 8.0, 3),
        ([False, False, False, True, False, False, False, False], 1.0, 2),
        ([False], 4.0, 1),
        ((rng.uniform(size=40) < 0.3).tolist(), 1024.0, 2),
    ],
    misconceptions=[
        Misconception(
            altered(loss_scale, "scale / 2, 0, skipped + 1", "scale / 2, good, skipped + 1"),
            "An overflow does not set your count back: n good steps in a row are asked for.",
        ),
        Misconception(
            altered(loss_scale, "scale, good = 2 * scale, 0", "scale = 2 * scale"),
            "Your count goes on after a doubling, so that there is never another one.",
        ),
        Misconception(
            altered(loss_scale, "if good == n:\n                scale, good = 2 * scale, 0", "if good >= n:\n                scale = 2 * scale"),
            "After n good steps you double at every step: counting must begin anew.",
        ),
        Misconception(
            altered(loss_scale, "good == n", "good > n"),
            "You double one step late: the n-th good step does it.",
        ),
        Misconception(
            altered(loss_scale, "scale / 2, 0", "2 * scale, 0", "2 * scale, 0\n    return", "scale / 2, 0\n    return"),
            "Up and down are exchanged: overflow means that the scale is too large.",
        ),
        Misconception(
            altered(loss_scale, "skipped + 1", "skipped", "good += 1", "good, skipped = good + 1, skipped + 1"),
            "You count the good steps; the ones that overflowed are skipped.",
        ),
    ],
    hints=["Two counts: good steps since the last change, and steps skipped.", "Seven good steps with n = 3 double twice."],
)  # fmt: skip


def adafactor_step(G, r, c, beta):
    r = beta * r + (1 - beta) * np.mean(G**2, axis=1)
    c = beta * c + (1 - beta) * np.mean(G**2, axis=0)
    u = G / np.sqrt(np.outer(r, c) / np.mean(r))
    return u / max(1.0, np.sqrt(np.mean(u**2))), r, c


_ADAFACTOR = Exercise(
    id="adaptive-methods/adafactor-step",
    notebook="4.5",
    title="Adafactor's direction",
    statement=r"""
        Adafactor remembers `r` and `c`, running averages (with decay `beta`) of the means of $G^2$ over each row and over each column. Update both, then divide the gradient `G` by the root of
        $\hat V = r c^\top / \operatorname{mean}(r)$. If the root mean square of the result is above 1, divide the result by it: Adafactor clips its steps. Return the direction and the new `r` and `c`.""",
    stub='''
        def adafactor_step(G, r, c, beta):
            """(direction, r, c): the shape of G, one number a row, one a column."""
            ...''',
    reference=adafactor_step,
    cases=lambda rng: [
        (np.array([[1.0, 2.0, 4.0], [3.0, 6.0, 12.0]]), np.zeros(2), np.zeros(3), 0.0),
        (np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([0.5, 2.0]), np.array([0.5, 2.0]), 0.9),
        (100 * rng.normal(size=(3, 4)), np.ones(3), np.ones(4), 0.9),
        (0.1 * rng.normal(size=(4, 2)), rng.uniform(0.5, 1, 4), rng.uniform(0.5, 1, 2), 0.5),
        (rng.normal(size=(2, 5)), rng.uniform(1, 4, 2), rng.uniform(1, 4, 5), rng.uniform(0.6, 0.9)),
    ],
    misconceptions=[
        Misconception(
            altered(adafactor_step, "np.mean(G**2, axis=1)", "np.mean(G**2, axis=0)", "c + (1 - beta) * np.mean(G**2, axis=0)", "c + (1 - beta) * np.mean(G**2, axis=1)"),
            "Rows and columns are exchanged: the mean over a row runs along axis 1.",
        ),
        Misconception(
            altered(adafactor_step, " / np.mean(r))", ")"),
            "You do not divide by the mean of r: the product of two mean squares has the units of a fourth power.",
        ),
        Misconception(
            altered(adafactor_step, "u / max(1.0, np.sqrt(np.mean(u**2)))", "u"),
            "The clipping is missing: a direction with a root mean square above 1 is divided by it.",
        ),
        Misconception(
            altered(adafactor_step, "max(1.0, np.sqrt(np.mean(u**2)))", "np.sqrt(np.mean(u**2))"),
            "You divide always. Clipping shortens long steps and leaves short ones alone.",
        ),
        Misconception(
            altered(adafactor_step, "np.sqrt(np.outer(r, c) / np.mean(r))", "(np.outer(r, c) / np.mean(r))"),
            "The root is missing: V holds squares.",
        ),
        Misconception(
            lambda G, r, c, beta: (lambda v: (v / max(1.0, np.sqrt(np.mean(v**2))), *adafactor_step(G, r, c, beta)[1:]))(
                G / np.sqrt(np.outer(r + 1e-30, c + 1e-30) / np.mean(r + 1e-30))
            ),
            "You divide by the averages from before this gradient; update them first.",
        ),
        Misconception(
            altered(adafactor_step, "np.mean(G**2, axis=1)", "np.mean(G, axis=1) ** 2", "np.mean(G**2, axis=0)", "np.mean(G, axis=0) ** 2"),
            "You square the mean of the gradients; asked for is the mean of their squares.",
        ),
    ],
    hints=[
        "np.outer makes the table of r times c.",
        "For a gradient that is a row's factor times a column's, with β = 0, all entries of the direction have the size 1.",
    ],
)  # fmt: skip


# --- 4.6 why Adam wins on language ------------------------------------------------------------------------------------


def loss_by_class(logits, y):
    shifted = logits - logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(y)), y]
    return np.array([losses[y == k].mean() for k in range(logits.shape[1])])


_BY_CLASS = Exercise(
    id="adaptive-methods/loss-by-class",
    notebook="4.6",
    title="The loss of each class",
    statement=r"""
        The mean loss hides who pays it. Given `logits` of shape `(n, c)` and the right classes `y`, each of them present, return the mean
        cross-entropy of the examples of class 0, of class 1, and so on. Logits may be in the thousands.""",
    stub='''
        def loss_by_class(logits, y):
            """(c,): entry k is the mean loss of the examples with y == k."""
            ...''',
    reference=loss_by_class,
    cases=lambda rng: [
        (np.array([[2.0, 0.0], [0.0, 1.0], [0.0, 3.0]]), np.array([0, 0, 1])),
        (np.array([[3000.0, 0.0], [0.0, 2000.0], [1.0, 0.0]]), np.array([0, 1, 1])),
        (rng.normal(size=(9, 3)), np.array([0, 0, 0, 0, 0, 1, 1, 1, 2])),
        (rng.normal(size=(7, 4)), np.array([3, 2, 1, 0, 0, 0, 3])),
    ],
    misconceptions=[
        Misconception(
            altered(loss_by_class, "losses[y == k].mean()", "losses[y == k].sum() / len(y)"),
            "You divide by the number of all examples: that is what a class adds to the mean loss, and small for every rare class.",
        ),
        Misconception(
            altered(loss_by_class, "losses[y == k].mean()", "losses[y == k].sum()"),
            "You add up; the mean of each class is asked for.",
        ),
        Misconception(
            altered(loss_by_class, "y == k", "logits.argmax(axis=1) == k"),
            "You group by the class that is predicted. Group by the right one.",
        ),
        Misconception(
            altered(loss_by_class, "logits - logits.max(axis=1, keepdims=True)", "logits"),
            "Right for small logits; in the thousands exp overflows. Subtract the largest of each row first.",
        ),
        Misconception(
            altered(loss_by_class, "losses[y == k].mean()", "-losses[y == k].mean()"),
            "Those are mean logarithms of probabilities; a loss has the other sign.",
        ),
        Misconception(
            altered(loss_by_class, "losses[y == k].mean()", "-np.log(np.exp(-losses[y == k]).mean())"),
            "You average probabilities and take the logarithm then. The loss of a class is the mean of its losses.",
        ),
    ],
    hints=[
        "The loss of an example is the log of the sum of exponentials minus the logit of its class.",
        "A mask `y == k` picks the examples of a class.",
    ],
)


def gradient_at_shares(X, y, c):
    shares = np.bincount(y) / len(y)
    own = np.stack([X[y == k].mean(axis=0) for k in range(c)], axis=1)
    return shares * (X.mean(axis=0)[:, None] - own)


def _by_residuals(X, y, c):
    shares = np.bincount(y) / len(y)
    return X.T @ (shares - np.eye(c)[y]) / len(y)


_AT_SHARES = Exercise(
    id="adaptive-methods/gradient-at-shares",
    notebook="4.6",
    title="The gradient once the shares are known",
    statement=r"""
        Softmax regression, $z = x^\top W + b$, at $W = 0$ and $b_k = \ln \pi_k$ with the shares $\pi_k = n_k/n$ of the classes: every example gets the
        probabilities $\pi$. Return the gradient of the mean cross-entropy in $W$, one column for each of the `c` classes, all of them present (line 2 of the derivation).""",
    stub='''
        def gradient_at_shares(X, y, c):
            """(d, c): the gradient in W for inputs X (n, d) and classes y (n,)."""
            ...''',
    reference=gradient_at_shares,
    also_right=[_by_residuals],
    cases=lambda rng: [
        (np.array([[1.0, 0.0], [1.0, 0.0], [1.0, 4.0]]), np.array([0, 0, 1]), 2),
        (rng.uniform(size=(6, 3)), np.array([0, 1, 0, 2, 0, 1]), 3),
        (rng.normal(size=(8, 2)) + 1, np.array([0, 0, 0, 0, 0, 1, 1, 2]), 3),
    ],
    misconceptions=[
        Misconception(
            altered(gradient_at_shares, "shares * (X.mean(axis=0)[:, None] - own)", "(X.mean(axis=0)[:, None] - own)"),
            "The factor that matters is missing: the gradient of a class is as large as its share.",
        ),
        Misconception(
            altered(gradient_at_shares, "X.mean(axis=0)[:, None] - own", "own - X.mean(axis=0)[:, None]"),
            "That is the way downhill, the negative gradient.",
        ),
        Misconception(
            lambda X, y, c: _by_residuals(X, y, c) + X.mean(axis=0)[:, None] * (1 / c - np.bincount(y) / len(y)),
            "You give every class the probability 1/c, as before the first step. Here the shares are known.",
        ),
        Misconception(
            altered(gradient_at_shares, "shares * (X", "1 / c * (X"),
            "You weigh every class alike. Each has its own share of the examples.",
        ),
        Misconception(
            altered(gradient_at_shares, "X.mean(axis=0)[:, None] - own", "-own"),
            "The part of the probabilities is missing: they pull towards the mean of all inputs.",
        ),
        Misconception(
            altered(
                gradient_at_shares,
                "shares * (X.mean(axis=0)[:, None] - own)",
                "(shares * (X.mean(axis=0)[:, None] - own)).T",
            ),
            "Transposed: a column for each class is asked for, shape (d, c).",
        ),
        Misconception(
            altered(gradient_at_shares, " / len(y)", ""),
            "You use counts in place of shares: the loss is a mean over the examples, and yours a sum.",
        ),
    ],
    hints=[
        "The gradient of an example in W is the outer product of x and (probabilities minus the one-hot class).",
        "Sum the one-hot part over the examples of a class: their mean, times how many they are.",
    ],
)


def largest_rate(X, y):
    shares = np.bincount(y) / len(y)
    steepest = np.linalg.eigvalsh(X.T @ X / len(X))[-1]
    return 2 / (np.max(shares * (1 - shares)) * steepest)


_LARGEST_RATE = Exercise(
    id="adaptive-methods/largest-rate",
    notebook="4.6",
    title="The rate that the most frequent class allows",
    statement=r"""
        Where the shares are known, the second derivative in the weights of class $k$ is $\pi_k(1 - \pi_k)\, X^\top X / n$. Return $2$ over the largest
        curvature of any class in any direction: beyond this rate gradient descent grows there.""",
    stub='''
        def largest_rate(X, y):
            """2 over the largest curvature, a float, for inputs X (n, d) and classes y (n,)."""
            ...''',
    reference=largest_rate,
    also_right=[
        altered(largest_rate, "np.linalg.eigvalsh(X.T @ X / len(X))[-1]", "np.linalg.norm(X, 2) ** 2 / len(X)"),
    ],
    cases=lambda rng: [
        (np.array([[2.0, 0.0], [2.0, 0.0], [0.0, 1.0], [2.0, 0.0]]), np.array([0, 0, 0, 1])),
        (rng.uniform(size=(8, 3)), np.array([0, 0, 0, 0, 0, 0, 1, 2])),
        (rng.uniform(size=(9, 2)) + 1, np.array([0, 0, 0, 1, 1, 2, 2, 3, 4])),
    ],
    misconceptions=[
        Misconception(
            altered(largest_rate, "np.linalg.eigvalsh(X.T @ X / len(X))", "np.linalg.eigvalsh(np.cov(X.T, bias=True))"),
            "You centre the inputs first. It is their mean that makes the curvature large.",
        ),
        Misconception(
            altered(largest_rate, "shares * (1 - shares)", "shares"),
            "The factor 1 - π is missing.",
        ),
        Misconception(
            altered(largest_rate, "np.max(shares", "np.min(shares"),
            "You take the rarest class; the steepest one sets the limit.",
        ),
        Misconception(
            altered(largest_rate, "np.max(shares", "np.mean(shares"),
            "You average over the classes; the steepest one sets the limit.",
        ),
        Misconception(
            altered(largest_rate, "return 2 /", "return 1 /"),
            "At 1/L the step is a Newton step in the steepest direction; the limit is 2/L.",
        ),
        Misconception(
            altered(largest_rate, "X / len(X))", "X)"),
            "The loss is a mean: divide by the number of examples.",
        ),
        Misconception(
            altered(largest_rate, "np.linalg.eigvalsh(X.T @ X / len(X))[-1]", "np.trace(X.T @ X / len(X))"),
            "The trace adds up the curvatures of all directions. The largest eigenvalue is asked for.",
        ),
        Misconception(
            altered(largest_rate, "[-1]", "[0]"),
            "eigvalsh sorts from the smallest up: that is the flattest direction.",
        ),
    ],
    hints=[
        "The largest curvature of a symmetric matrix is its largest eigenvalue.",
        "π(1-π) is largest for the share nearest to one half.",
    ],
)


def schedule_free_step(x, z, t, grad, lr, beta):
    y = (1 - beta) * z + beta * x
    z = z - lr * grad(y)
    return x + (z - x) / t, z


def _on_a_bowl(answer, x, z, t, curvature, lr, beta):
    """called with grad(y) = curvature * y"""
    return answer(x, z, t, lambda y: curvature * y, lr, beta)


_SCHEDULE_FREE = Exercise(
    id="adaptive-methods/schedule-free-step",
    notebook="4.6",
    title="One step without a schedule",
    statement=r"""
        Schedule-free descent keeps two points: $z$ takes the steps, and $x$ is the mean of $z_1, \dots, z_t$, the point to use in the end. Step $t$: take the gradient at
        $y = (1-\beta)z + \beta x$, step from $z$ with it, then let the new $z$ into the mean. Return the new $x$ and the new $z$.""",
    stub='''
        def schedule_free_step(x, z, t, grad, lr, beta):
            """(x, z) after step t = 1, 2, …; grad(y) is the gradient at y."""
            ...''',
    reference=schedule_free_step,
    probe=_on_a_bowl,
    cases=lambda rng: [
        (np.array([1.0]), np.array([1.0]), 1, np.array([1.0]), 0.5, 0.9),
        (np.array([2.0]), np.array([1.0]), 2, np.array([1.0]), 0.5, 0.75),
        (rng.normal(size=3), rng.normal(size=3), 4, rng.uniform(1, 2, 3), 0.1, 0.9),
        (rng.normal(size=3), rng.normal(size=3), 7, rng.uniform(1, 2, 3), 0.3, 0.2),
    ],
    misconceptions=[
        Misconception(
            altered(schedule_free_step, "grad(y)", "grad(z)"),
            "You take the gradient at z: that is plain descent, with an average beside it.",
        ),
        Misconception(
            altered(schedule_free_step, "grad(y)", "grad(x)"),
            "You take the gradient at the mean x. It belongs to y, which lies between the two.",
        ),
        Misconception(
            altered(schedule_free_step, "(1 - beta) * z + beta * x", "beta * z + (1 - beta) * x"),
            "The weights of y are exchanged: β, close to 1, belongs to the mean.",
        ),
        Misconception(
            altered(schedule_free_step, "z = z - lr", "z = y - lr"),
            "You step from y. The gradient comes from there, the step starts at z.",
        ),
        Misconception(
            altered(schedule_free_step, "(z - x) / t", "(z - x) / (t + 1)"),
            "The start does not count: after t steps the mean is one of t points.",
        ),
        Misconception(
            altered(schedule_free_step, "x + (z - x) / t", "x + (z - x) * (1 - beta)"),
            "That is a running mean with the memory β. Here all z count alike.",
        ),
        Misconception(
            lambda x, z, t, grad, lr, beta: (x + (z - x) / t, schedule_free_step(x, z, t, grad, lr, beta)[1]),
            "You let the old z into the mean; step first.",
        ),
        Misconception(
            lambda x, z, t, grad, lr, beta: schedule_free_step(x, z, t, grad, lr, beta)[::-1],
            "Right, but the order is x, the point to use, and then z.",
        ),
    ],
    hints=["Three lines: y, z, x.", "A mean of t points moves by a t-th of the way to the newest."],
)

EXERCISES = [
    _RMSPROP, _ADAGRAD, _DISTANCE, _ADAM, _AMSGRAD, _GAIN, _CORRECTED, _BUG, _ADAMW, _UNITS, _WHO_DECAYS, _TRUST, _LAMB, _LION,
    _NEWTON_SCHULZ, _MUON, _KAHAN, _WALK, _SCALE, _ADAFACTOR,
    _BY_CLASS, _AT_SHARES, _LARGEST_RATE, _SCHEDULE_FREE,
]  # fmt: skip
