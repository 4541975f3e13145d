"""Exercises of chapter 3, gradient descent and its variants."""

import numpy as np

from ..exercise import Exercise, Misconception

# --- 3.1 gradient descent and the step size ---------------------------------------------------------------------------


def gradient_descent(grad, w0, lr, steps):
    history = [np.array(w0, float)]
    for _ in range(steps):
        history.append(history[-1] - lr*grad(history[-1]))
    return np.array(history)


def _on_quadratic(gradient_descent, A, b, w0, lr, steps):
    """called with grad(w) = A @ w - b"""
    return gradient_descent(lambda w: A @ w - b, w0, lr, steps)


def _gd_cases(rng):
    random = [rng.normal(size=(3, 3)) for _ in range(2)]
    return [(np.array([[2.0]]), np.array([2.0]), np.array([2.0]), 0.1, 2),
            (np.array([[2.0, 1.0], [1.0, 3.0]]), np.zeros(2), np.array([1.0, -1.0]), 0.25, 3),
            *((M @ M.T/3, rng.normal(size=3), rng.normal(size=3), rng.uniform(0.05, 0.2), 5) for M in random)]


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
    w -= lr*grad(w)
    return w


def _one_coordinate_after_the_other(grad, w, lr):
    w = w.copy()
    for i in range(w.size):
        w[i] -= lr*grad(w)[i]
    return w


def _gradient_of_the_start(grad, w0, lr, steps):
    return w0 - lr*np.arange(steps + 1)[:, None]*grad(w0)


_GD = Exercise(
    id="gradient-descent/gd", notebook="3.1", title="Gradient descent",
    statement=r"""
        Write batch gradient descent, $w_{k+1} = w_k - \eta\,\nabla f(w_k)$.

        `grad` is a function that gives the gradient at a point, `w0` the starting point, an array of shape
        `(n,)`, `lr` the learning rate $\eta$. Return every point visited, the start included, as an array of
        shape `(steps + 1, n)`. The caller's `w0` stays as it was.""",
    stub='''
        def gradient_descent(grad, w0, lr, steps):
            """All points of `steps` steps of gradient descent from `w0`, shape (steps + 1, n)."""
            ...''',
    reference=gradient_descent, probe=_on_quadratic, cases=_gd_cases,
    misconceptions=[
        Misconception(_descend(lambda grad, w, lr: w + lr*grad(w)),
                      "You walk uphill: the gradient points to where f grows, and the step goes the other "
                      "way."),
        Misconception(lambda *case: gradient_descent(*case)[-1],
                      "You return only the last point; the exercise asks for all of them, one row each."),
        Misconception(lambda *case: gradient_descent(*case)[1:],
                      "The start is missing: the first row of the history is `w0` itself, before any step."),
        Misconception(lambda grad, w0, lr, steps: gradient_descent(grad, w0, lr, steps + 1),
                      "You take one step too many: `steps` steps visit `steps + 1` points."),
        Misconception(lambda grad, w0, lr, steps: gradient_descent(grad, w0, lr, steps - 1),
                      "You take one step too few: the start is not a step."),
        Misconception(_descend(lambda grad, w, lr: w - grad(w)),
                      "The learning rate is not used: your step is the whole gradient."),
        Misconception(_descend(_in_place, keep=lambda w: w),
                      "All rows are equal: `w -= …` changes the array that the history already holds, so "
                      "every row is the same array. Store a copy, or make a new array in each step."),
        Misconception(_descend(_in_place, start=np.asarray, keep=lambda w: w),
                      "All rows are equal and the caller's `w0` is overwritten: every row, and `w0` too, "
                      "is one array that `-=` changes in place."),
        Misconception(_descend(_in_place, start=np.asarray),
                      "The points are right, but the caller's `w0` has moved: `w = w0` gives the array a "
                      "second name, it does not copy it, and `w -= …` then writes into it."),
        Misconception(_descend(_one_coordinate_after_the_other),
                      "You move one coordinate after the other, so the later ones see a gradient at a "
                      "point that is already half moved. All coordinates of a step use the same gradient."),
        Misconception(_gradient_of_the_start,
                      "You use the gradient of the start in every step; it has to be taken afresh at each "
                      "point."),
        Misconception(_descend(lambda grad, w, lr: w - lr*grad(w)/np.linalg.norm(grad(w))),
                      "You divide the gradient by its length, so that every step is equally long. In "
                      "gradient descent the steps shrink with the slope."),
    ],
    hints=["Two points suffice to see the pattern: what is the point after `w0`? And the one after that?",
           "A list that starts with a copy of `w0` and grows by one point per step becomes the result with "
           "`np.array`.",
           "In each step take the newest point of the list, and make a *new* array from it rather than "
           "changing it."])


def contraction(mu, L, lr):
    return max(abs(1 - lr*mu), abs(1 - lr*L))


_CONTRACTION = Exercise(
    id="gradient-descent/contraction", notebook="3.1", title="How fast the error shrinks",
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
    cases=lambda rng: [(1.0, 100.0, 2/101), (1.0, 100.0, 0.001), (1.0, 100.0, 0.021), (1.0, 3.0, 1.5),
                       (rng.uniform(0.1, 1), rng.uniform(2, 9), rng.uniform(0.1, 1))],
    misconceptions=[
        Misconception(lambda mu, L, lr: abs(1 - lr*mu),
                      "You look at the flattest direction only. Beyond lr = 2/(L + μ) the steepest one is "
                      "worse, and beyond 2/L it diverges."),
        Misconception(lambda mu, L, lr: abs(1 - lr*L),
                      "You look at the steepest direction only. With a small learning rate the flattest "
                      "one is the slow one."),
        Misconception(lambda mu, L, lr: max(1 - lr*mu, 1 - lr*L),
                      "A factor of −1.1 makes the error grow just as 1.1 does: what counts is its size, "
                      "not its sign."),
        Misconception(lambda mu, L, lr: (L - mu)/(L + mu),
                      "That is the rate at the best learning rate, 2/(L + μ); here the learning rate is "
                      "given."),
        Misconception(lambda mu, L, lr: max(abs(1 - lr*mu), abs(1 - lr*L))**2,
                      "That is the factor of the loss, which is quadratic in the error; asked for is the "
                      "error itself."),
        Misconception(lambda mu, L, lr: min(abs(1 - lr*mu), abs(1 - lr*L)),
                      "You return the best direction; the worst one decides."),
    ],
    hints=["Along an eigenvector with eigenvalue λ the error e becomes e − η λ e. By which factor is that?",
           "The factor is linear in λ, so its size is largest at one of the two ends of the interval."])


def backtracking(f, grad, w, c):
    lr, g = 1.0, grad(w)
    while f(w - lr*g) > f(w) - c*lr*(g @ g):
        lr = lr/2
    return lr


def _line_search(f_enough, *, then=lambda lr: lr):
    """A wrong line search: `f_enough(f0, c, lr, gg)` is the value it is content with."""
    def wrong(f, grad, w, c):
        lr, g = 1.0, grad(w)
        while f(w - lr*g) > f_enough(f(w), c, lr, g @ g):
            lr /= 2
        return then(lr)
    return wrong


def _halve_once(f, grad, w, c):
    g = grad(w)
    return 1.0 if f(w - g) <= f(w) - c*(g @ g) else 0.5


def _search_on_quadratic(backtracking, A, w, c):
    """called with f(w) = w @ A @ w / 2 and grad(w) = A @ w"""
    return backtracking(lambda w: w @ A @ w/2, lambda w: A @ w, w, c)


def _search_cases(rng):
    slopes = np.geomspace(1, 300, 6)*rng.uniform(0.9, 1.1, 6)
    return [(np.array([[2.0]]), np.array([1.0]), 1e-4), (np.array([[100.0]]), np.array([0.5]), 1e-4),
            *((np.diag([L, rng.uniform(0.2, 1)]), rng.normal(size=2), c)
              for L, c in zip(slopes, (0.9, 0.6, 0.4, 0.3, 0.6, 0.9), strict=True))]


_BACKTRACKING = Exercise(
    id="gradient-descent/backtracking", notebook="3.1", title="Backtracking line search",
    statement=r"""
        Find a learning rate without knowing $L$: begin with $\eta = 1$ and halve it until Armijo's condition
        $f(w - \eta g) \le f(w) - c\,\eta\,\lVert g\rVert^2$ holds, $g = \nabla f(w)$. Return that $\eta$.""",
    stub='''
        def backtracking(f, grad, w, c):
            """The first of 1, 1/2, 1/4, … that meets Armijo's condition at `w`."""
            ...''',
    reference=backtracking, probe=_search_on_quadratic, cases=_search_cases,
    misconceptions=[
        Misconception(_line_search(lambda f0, c, lr, gg: np.nextafter(f0, -np.inf)),
                      "You are content with any decrease. Armijo asks for a share c of the decrease that "
                      "the slope promises; without it the steps can stall."),
        Misconception(_line_search(lambda f0, c, lr, gg: f0),
                      "You accept a step that leaves f as high as before: on f(w) = w² from 1, lr = 1 "
                      "jumps to −1 and back, for ever."),
        Misconception(_halve_once, "You halve at most once: keep halving while the condition fails."),
        Misconception(_line_search(lambda f0, c, lr, gg: f0 - c*lr*np.sqrt(gg)),
                      "You take the length of the gradient where its square belongs: along −g the slope is "
                      "−‖g‖²."),
        Misconception(_line_search(lambda f0, c, lr, gg: f0 + c*lr*gg),
                      "The sign is turned round: your condition allows f to rise."),
        Misconception(_line_search(lambda f0, c, lr, gg: f0 - c*lr*gg, then=lambda lr: lr/2),
                      "You halve once more after the condition already holds."),
    ],
    hints=["Which is the first learning rate to try, and what is to be compared with what?",
           "A `while` loop whose condition is the *opposite* of Armijo's, with one line in its body.",
           "The promise of the slope: a step lr along −g changes f by about −lr times g·g."])


EXERCISES = [_GD, _CONTRACTION, _BACKTRACKING]
