"""Exercises of chapter 8, generalization."""

import numpy as np

from ..exercise import Exercise, Misconception, choice

# --- 8.1 train vs test ------------------------------------------------------------------------------------------------


def stratified_split(y, frac, rng):
    order = rng.permutation(len(y))
    first, rest = [], []
    for label in np.unique(y):
        mine = order[y[order] == label]
        count = round(frac * len(mine))
        first.extend(mine[:count])
        rest.extend(mine[count:])
    return np.array(first), np.array(rest)


def _two_splits(split, y, frac, seed):
    """called twice, with two random generators"""
    return [split(y, frac, np.random.default_rng(seed + k)) for k in range(2)]


def _split_facts(splits, y, frac, seed):
    """What holds for every right split: proportions, completeness, chance."""
    (first, rest), (other, _) = ([np.asarray(part, int) for part in split] for split in splits)
    classes = int(y.max()) + 1
    return {
        "sizes of the classes in the first part": np.bincount(y[first], minlength=classes),
        "sizes of the classes in the rest": np.bincount(y[rest], minlength=classes),
        "count of different samples in both parts": len(set(first.tolist()) | set(rest.tolist())),
        "dependence on the random generator": bool(set(first.tolist()) != set(other.tolist())),
        "share of the beginning of every class": bool(set(first.tolist()) == set(_unshuffled(y, frac)[0].tolist())),
    }


def _unshuffled(y, frac, rng=None):
    by_class = [np.flatnonzero(y == label) for label in np.unique(y)]
    counts = [round(frac * len(mine)) for mine in by_class]
    first = np.concatenate([mine[:count] for mine, count in zip(by_class, counts, strict=True)])
    return first, np.setdiff1d(np.arange(len(y)), first)


def _without_classes(y, frac, rng):
    order = rng.permutation(len(y))
    return order[: round(frac * len(y))], order[round(frac * len(y)) :]


def _with_replacement(y, frac, rng):
    by_class = [np.flatnonzero(y == label) for label in np.unique(y)]
    first = np.concatenate([rng.choice(mine, round(frac * len(mine))) for mine in by_class])
    return first, np.setdiff1d(np.arange(len(y)), first)


def _class_by_class(y, frac, rng):
    first = [rng.choice(np.flatnonzero(y == c), int(frac * (y == c).sum()), replace=False) for c in np.unique(y)]
    return np.concatenate(first), np.setdiff1d(np.arange(len(y)), np.concatenate(first))


def _labels(counts):
    return np.repeat(np.arange(len(counts)), counts)


_SPLIT = Exercise(
    id="generalization/stratified-split",
    notebook="8.1",
    title="A split that keeps the classes in proportion",
    statement=r"""
        Split the samples with labels `y` (integers from 0) in two parts at random: the first takes the fraction `frac` of **every class**,
        the second the rest. Return two arrays of indices, in any order. All randomness comes from `rng`, a NumPy
        `Generator`. (In the cases the fraction of each class is a whole number.)""",
    stub='''
        def stratified_split(y, frac, rng):
            """Indices of a part with the fraction `frac` of every class, and indices of the rest."""
            ...''',
    reference=stratified_split,
    probe=_two_splits,
    summary=_split_facts,
    cases=lambda rng: [
        (_labels([40, 40]), 0.5, 0),
        (_labels([200, 40]), 0.25, 1),
        (rng.permutation(_labels([60, 100, 20])), 0.2, int(rng.integers(1000))),
    ],
    misconceptions=[
        Misconception(
            _unshuffled,
            "You take the first samples of every class. Data are often sorted by something that matters; draw "
            "them with `rng`.",
        ),
        Misconception(
            _without_classes,
            "You split the whole set at random. The size is right, but a rare class gets its share only on average.",
        ),
        Misconception(
            _with_replacement,
            "You draw with replacement: some samples come twice into the first part, which is then short of others.",
        ),
        Misconception(
            lambda y, frac, rng: stratified_split(y, frac, np.random.default_rng(0)),
            "You make a generator of your own inside the function, so that it gives the same split for every `rng`.",
        ),
        Misconception(
            lambda y, frac, rng: stratified_split(y, frac, rng)[::-1],
            "The two parts are swapped: the first one holds the fraction.",
        ),
    ],
    also_right=[_class_by_class],
    hints=["Handle one class at a time: where is it in `y`, and how many of it are wanted?",
           "`rng.permutation(indices)` shuffles; a slice then takes what you need."],
)  # fmt: skip


def scale_with_train_stats(train, test):
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    return (train - mean) / deviation, (test - mean) / deviation


def _scaled_by(mean_of, deviation_of):
    def scale(train, test):
        result = []
        for part in (train, test):
            mean, deviation = mean_of(train, test, part).mean(axis=0), deviation_of(train, test, part).std(axis=0)
            result.append((part - mean) / np.where(deviation > 0, deviation, 1.0))
        return tuple(result)

    return scale


def _of_train(train, test, part):
    return train


def _of_both(train, test, part):
    return np.concatenate([train, test])


def _of_its_own(train, test, part):
    return part


def _nan_where_constant(train, test):
    with np.errstate(all="ignore"):
        return (train - train.mean(axis=0)) / train.std(axis=0), (test - train.mean(axis=0)) / train.std(axis=0)


_SCALE = Exercise(
    id="generalization/scale-with-train-stats",
    notebook="8.1",
    title="Scaling without a leak",
    statement=r"""
        Standardize two arrays of shape (samples, features) for a model that is fitted on `train` and scored on `test`: subtract a mean
        and divide by a standard deviation, feature by feature (`np.std` as it is). A feature that is constant in `train` is
        only centred, not divided. Return both scaled arrays.""",
    stub='''
        def scale_with_train_stats(train, test):
            """The two arrays, scaled; nothing of `test` may enter `train`."""
            ...''',
    reference=scale_with_train_stats,
    cases=lambda rng: [
        (np.array([[0.0, 5.0], [2.0, 5.0]]), np.array([[4.0, 6.0]])),
        (np.c_[rng.normal(3, 2, (6, 2)), np.full(6, 7.0)], rng.normal(3, 2, (4, 3))),
    ],
    misconceptions=[
        Misconception(
            _scaled_by(_of_both, _of_both),
            "Your statistics are those of both sets together: the test set leaks into the training.",
        ),
        Misconception(
            _scaled_by(_of_its_own, _of_its_own),
            "You scale the test set with its own statistics: the same image then gets other inputs in another company.",
        ),
        Misconception(
            _nan_where_constant, "A feature that is constant in `train` has deviation 0: the division gives nan or inf."
        ),
        Misconception(
            lambda train, test: (train - train.mean(axis=0), test - train.mean(axis=0)),
            "You only centre; the features still have their different spreads.",
        ),
        Misconception(
            lambda train, test: (
                (train - train.mean()) / (train.std() or 1.0),
                (test - train.mean()) / (train.std() or 1.0),
            ),
            "You use one mean and one deviation for all features together; take them down each column.",
        ),
    ],
    hints=["Which of the two arrays may the statistics look at?", "`np.where` puts 1 where the deviation is 0."],
)

_PEAK = Exercise(
    id="generalization/peak",
    notebook="8.1",
    title="Where is the peak?",
    kind="measure",
    statement=r"""
        The code fits ten-digit labels with $p$ random features and the smallest-norm least-squares fit, from **120** training images, and
        returns the test error. At which $p$ of the list is it worst?""",
    stub="""
        def test_error(p, seed=0):
            (X, y), (X_test, y_test) = oc.digits(120)
            V = np.random.default_rng(seed).normal(size=(64, p))
            W = np.linalg.pinv(np.maximum(X @ V, 0)) @ np.eye(10)[y]
            return np.mean((np.maximum(X_test @ V, 0) @ W).argmax(axis=1) != y_test)

        # try p in (10, 30, 64, 90, 120, 150, 240, 640, 2000)
        worst_p = ...""",
    reference=120,
    misconceptions=[
        Misconception(10, "10 is the number of classes. The error there is high because the model is too small; "
                          "look further."),
        Misconception(64, "64 is the number of pixels; nothing special happens there."),
        Misconception(2000, "Far beyond the number of images the error is at its lowest, not at its highest."),
        Misconception(240, "240 numbers would be as many as two features an image; the peak comes earlier."),
    ],
    hints=["Print test_error(p) for every p of the list.", "At the peak the matrix of features is square."],
    explanation="The peak is where the number of features equals the number of training images.",
)  # fmt: skip

_UNDERFIT = choice(
    {
        "a": (
            "The network is too small; more units are the cure.",
            "Look at the second line: the same 64 units reach a training accuracy near 1.",
        ),
        "b": (
            "It was trained for too few steps.",
            "All runs have the same 300 steps, and one of them is done by then.",
        ),
        "c": (
            "The penalty is too strong.",
            "Without the penalty the same network fits in the same time; with it, training is held back, and more "
            "units do not help.",
        ),
        "d": (
            "It overfits, since test accuracy is below 1.",
            "Overfitting shows as a training accuracy far above that on the test set; here both are low.",
        ),
    },
    "c",
    id="generalization/underfit",
    notebook="8.1",
    title="Why does this network underfit?",
    statement=r"""
        The first line that `evidence()` prints is a network that underfits. The others change one thing each. What is the
        cause?""",
    name="cause",
    code="""
        def evidence():
            train, test = oc.digits(200)
            for width, lam in [(64, 0.1), (64, 0.0), (256, 0.1)]:
                net = oc.MLP([64, width, 10])
                run = oc.train(net, train, steps=300, valid=test, lr=3e-3, penalty=lambda w: oc.l2(w, lam))
                print(width, lam, run.summary())

        # evidence()""",
    hints=["Compare the training accuracies of the three lines.", "Which single change brought it to 1?"],
)

# --- 8.2 regularizers -------------------------------------------------------------------------------------------------


def soft_threshold(v, t):
    return np.sign(v) * np.maximum(np.abs(v) - t, 0)


_SOFT = Exercise(
    id="generalization/soft-threshold",
    notebook="8.2",
    title="The soft threshold",
    statement=r"""
        Return, for each entry of the array `v`, the number $w$ that minimizes $\frac12 (w - v)^2 + t\,\lvert w \rvert$ for a given
        $t \ge 0$.""",
    stub='''
        def soft_threshold(v, t):
            """The minimizer of (w - v)²/2 + t|w|, entry by entry."""
            ...''',
    reference=soft_threshold,
    cases=lambda rng: [
        (np.array([3.0, -3.0]), 1.0),
        (np.array([2.0, 0.5, 0.0, -0.5, -2.0]), 1.0),
        (rng.normal(0, 2, 12), rng.uniform(0.3, 1.0)),
    ],
    misconceptions=[
        Misconception(
            lambda v, t: np.where(np.abs(v) > t, v, 0.0),
            "That is the hard threshold: it sets small entries to zero but does not move the large ones.",
        ),
        Misconception(
            lambda v, t: v / (1 + t), "That is ridge: everything shrinks by the same factor and nothing becomes zero."
        ),
        Misconception(
            lambda v, t: v - t * np.sign(v),
            "That is a subgradient step: entries smaller than t jump over zero to the other side instead of "
            "stopping there.",
        ),
        Misconception(
            lambda v, t: np.maximum(v - t, 0), "Negative entries are lost: they shrink towards zero from below."
        ),
        Misconception(
            lambda v, t: np.maximum(np.abs(v) - t, 0), "The size is right, the sign of v is lost."
        ),
    ],
    hints=["For w > 0 the slope of the objective is w - v + t. When is its zero positive?",
           "Three cases: v > t, v < -t, and in between."],
)  # fmt: skip


def dropout(a, p, rng, train):
    if not train:
        return a
    keep = rng.random(a.shape) >= p
    return a * keep / (1 - p)


def _dropped_and_not(layer, a, p, seed):
    """called with train=True, then with train=False"""
    rng = np.random.default_rng(seed)
    return layer(a, p, rng, True), layer(a, p, rng, False)


def _dropout_facts(results, a, p, seed):
    trained, tested = (np.asarray(out, float) for out in results)
    kept = trained != 0
    return {
        "shape in training": trained.shape,
        "share of units dropped in training": 1 - float(kept.mean()),
        "factor on the units kept in training": float(np.median((trained / a)[kept])) if kept.any() else 0.0,
        "variety of masks between samples": bool((kept != kept[0]).any()),
        "share of units dropped at test": float((tested == 0).mean()),
        "factor on the units at test": float(np.median(tested / a)),
    }


def _dropout_like(keep_probability, train_scale, test_scale):
    def layer(a, p, rng, train):
        if not train:
            return a * test_scale(p)
        return a * (rng.random(a.shape) < keep_probability(p)) * train_scale(p)

    return layer


def _drop_p(p):
    return 1 - p


def _keep_p(p):
    return p


def _as_it_is(p):
    return 1.0


def _inverse(p):
    return 1 / (1 - p)


def _one_mask_for_all(a, p, rng, train):
    return a * (rng.random(a.shape[1]) >= p) / (1 - p) if train else a


_DROPOUT = Exercise(
    id="generalization/dropout",
    notebook="8.2",
    title="Inverted dropout",
    statement=r"""
        `a` holds the activations of a batch, shape (samples, units). In training every entry is set to zero with probability `p`,
        independently, and the others are scaled so that the expected value stays what it was. At test nothing happens. Draw
        from `rng`, a NumPy `Generator`.""",
    stub='''
        def dropout(a, p, rng, train):
            """The activations after dropout with drop probability p."""
            ...''',
    reference=dropout,
    probe=_dropped_and_not,
    summary=_dropout_facts,
    rtol=0.1,
    cases=lambda rng: [
        (1 + rng.random((400, 100)), 0.2, 0),
        (1 + rng.random((400, 100)), 0.7, int(rng.integers(1000))),
    ],
    misconceptions=[
        Misconception(
            _dropout_like(_drop_p, _as_it_is, _as_it_is),
            "Nothing is scaled: in training the layer gives (1 − p) of what it gives at test.",
        ),
        Misconception(
            _dropout_like(_keep_p, lambda p: 1 / p, _as_it_is),
            "You take p for the probability to keep. Here, as in PyTorch, it is the probability to drop.",
        ),
        Misconception(
            lambda a, p, rng, train: dropout(a, p, rng, True),
            "Dropout is still active at test: predictions become random.",
        ),
        Misconception(
            _dropout_like(_drop_p, _as_it_is, _drop_p),
            "You scale at test. That is the original form; in the inverted form asked for here, training scales and "
            "test does nothing.",
        ),
        Misconception(
            _dropout_like(_drop_p, _inverse, _drop_p),
            "You scale twice, in training and at test; one of them is enough.",
        ),
        Misconception(
            _one_mask_for_all, "All samples of the batch share one mask; each entry should be drawn on its own."
        ),
    ],
    also_right=[_dropout_like(_drop_p, _inverse, _as_it_is),
                lambda a, p, rng, train: a * rng.binomial(1, 1 - p, a.shape) / (1 - p) if train else a],
    hints=["A mask of zeros and ones comes from comparing `rng.random(a.shape)` with p.",
           "What is the mean of the mask? Divide by it."],
)  # fmt: skip


class BatchNorm:
    def __init__(self, size, momentum=0.1, eps=1e-5):
        self.momentum, self.eps = momentum, eps
        self.running_mean, self.running_var = np.zeros(size), np.ones(size)

    def forward(self, x, train):
        if train:
            mean, var = x.mean(axis=0), x.var(axis=0)
            n = len(x)
            self.running_mean = self.running_mean + self.momentum * (mean - self.running_mean)
            self.running_var = self.running_var + self.momentum * (var * n / (n - 1) - self.running_var)
        else:
            mean, var = self.running_mean, self.running_var
        return (x - mean) / np.sqrt(var + self.eps)


def _norm_at_work(layer, batches, unseen, momentum):
    """made once, called with train=True on every batch, then with train=False on unseen data"""
    norm = layer(batches[0].shape[1], momentum)
    found = {f"output of training batch {k}": norm.forward(x, True) for k, x in enumerate(batches, 1)}
    found["output at test"] = norm.forward(unseen, False)
    return found | {name: getattr(norm, name, None) for name in ("running_mean", "running_var")}


class _UnbiasedNorm(BatchNorm):
    def forward(self, x, train):
        out = super().forward(x, train)
        return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0, ddof=1) + self.eps) if train else out


class _BiasedRunning(BatchNorm):
    def forward(self, x, train):
        before = self.running_var
        out = super().forward(x, train)
        if train:
            self.running_var = before + self.momentum * (x.var(axis=0) - before)
        return out


class _ReversedMomentum(BatchNorm):
    def __init__(self, size, momentum=0.1, eps=1e-5):
        super().__init__(size, 1 - momentum, eps)


class _BatchAtTest(BatchNorm):
    def forward(self, x, train):
        out = super().forward(x, train)
        return out if train else (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + self.eps)


class _LearnsAtTest(BatchNorm):
    def forward(self, x, train):
        out = super().forward(x, train)
        if not train:
            super().forward(x, True)
        return out


class _PerSample(BatchNorm):
    def forward(self, x, train):
        super().forward(x, train)
        return (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + self.eps)


_BATCH_NORM = Exercise(
    id="generalization/batch-norm",
    notebook="8.2",
    title="Batch normalization, train and test",
    statement=r"""
        Write the layer without its scale and shift. In training it normalizes each feature with the mean and the variance (divisor $n$)
        of the batch, and moves `running_mean` (from 0) and `running_var` (from 1) by the fraction `momentum` towards the
        batch's mean and **unbiased** variance (divisor $n-1$), as PyTorch does. At test it normalizes with the running values
        and changes nothing. $\varepsilon$ is added to the variance, inside the root.""",
    stub='''
        class BatchNorm:
            def __init__(self, size, momentum=0.1, eps=1e-5):
                ...

            def forward(self, x, train):
                """The normalized batch, (samples, size)."""
                ...''',
    reference=BatchNorm,
    probe=_norm_at_work,
    cases=lambda rng: [
        ([np.array([[0.0], [2.0]])], np.array([[1.0], [5.0]]), 0.1),
        ([rng.normal(2, 3, (4, 3)), rng.normal(2, 3, (6, 3))], rng.normal(2, 3, (3, 3)), 0.1),
        ([rng.normal(2, 3, (5, 2)) for _ in range(3)], rng.normal(2, 3, (4, 2)), 0.3),
    ],
    misconceptions=[
        Misconception(
            _UnbiasedNorm, "You normalize the batch with the unbiased variance; in training the divisor is n."
        ),
        Misconception(
            _BiasedRunning, "Your running variance follows the biased variance; it should estimate that of unseen data."
        ),
        Misconception(
            _ReversedMomentum,
            "Your momentum is reversed: 0.1 is the share of the new batch, the old value keeps 0.9.",
        ),
        Misconception(
            _BatchAtTest,
            "At test you use the statistics of the batch: a prediction then depends on its neighbours.",
        ),
        Misconception(_LearnsAtTest, "The running values change at test; only training may move them."),
        Misconception(
            _PerSample, "You normalize every sample over its features. That is layer normalization."
        ),
    ],
    hints=["Two variances: one divides the batch, the other goes into the running value.",
           "PyTorch's momentum is the weight of the new value."],
)  # fmt: skip


def proximal_descent(grad, w, lr, lam, steps):
    for _ in range(steps):
        v = w - lr * grad(w)
        w = np.sign(v) * np.maximum(np.abs(v) - lr * lam, 0)
    return w


def _lasso(solver, A, b, lr, lam, steps):
    """called with the gradient of ‖Aw - b‖²/2 and w = 0"""
    return solver(lambda w: A.T @ (A @ w - b), np.zeros(A.shape[1]), lr, lam, steps)


def _proximal_like(step):
    def solver(grad, w, lr, lam, steps):
        for _ in range(steps):
            w = step(grad, w, lr, lam)
        return w

    return solver


def _shrink(v, t):
    return np.sign(v) * np.maximum(np.abs(v) - t, 0)


_ISTA_BUG = Exercise(
    id="generalization/proximal-descent",
    notebook="8.2",
    title="Everything is zero",
    kind="bug hunt",
    statement=r"""
        The code should minimize $f(w) + \lambda \lVert w \rVert_1$ with steps of $\eta$: a gradient step on $f$, then the proximal
        step. It gives far too many zeros, and with a smaller learning rate it gives nothing but zeros. Mend it.""",
    stub='''
        def proximal_descent(grad, w, lr, lam, steps):
            """The point after `steps` proximal gradient steps from w."""
            for _ in range(steps):
                v = w - lr * grad(w)
                w = np.sign(v) * np.maximum(np.abs(v) - lam, 0)
            return w''',
    reference=proximal_descent,
    probe=_lasso,
    cases=lambda rng: [
        (np.eye(2), np.array([3.0, 0.5]), 0.5, 1.0, 1),
        (np.eye(3), np.array([3.0, -2.0, 0.2]), 0.1, 0.5, 200),
        (rng.normal(size=(8, 4)) / 3, rng.normal(size=8) + 1, 0.1, 0.2, 30),
    ],
    misconceptions=[
        Misconception(
            _proximal_like(lambda grad, w, lr, lam: w - lr * (grad(w) + lam * np.sign(w))),
            "That is the subgradient method: it hovers around zero without reaching it. Keep the proximal step.",
        ),
        Misconception(
            _proximal_like(lambda grad, w, lr, lam: _shrink(w - lr * grad(w), lam / lr)),
            "The threshold goes the wrong way with the learning rate: a shorter step must also shrink less.",
        ),
        Misconception(
            _proximal_like(lambda grad, w, lr, lam: _shrink(w, lr * lam) - lr * grad(w)),
            "The right threshold, in the wrong place: shrink what the gradient step gives, so that zeros stay in "
            "the result.",
        ),
        Misconception(
            _proximal_like(lambda grad, w, lr, lam: (w - lr * grad(w)) / (1 + lr * lam)),
            "That is the proximal step of a squared penalty, which has no zeros.",
        ),
    ],
    hints=["What would the code do with lr = 0? What should it do?",
           "One step of size lr on λ|w| moves a weight by how much?"],
)  # fmt: skip

_WHY_SHIFTS_HURT = choice(
    {
        "a": (
            "There is a bug: augmentation can only add information.",
            "The images are moved correctly; see what the test set of the second comparison says.",
        ),
        "b": (
            "The test digits are all centred, so that the shifts teach something that the test does not ask.",
            "The same network is better where test images move too: an augmentation helps if it makes the training "
            "set more like the test set.",
        ),
        "c": (
            "The network is too small to learn both.",
            "It learns both well enough on the shifted test set; what it cannot do is spend the same 100 images twice.",
        ),
        "d": (
            "Shifting changes the label of a digit.",
            "A digit moved by one pixel is still the same digit. Preserving the label is necessary, and not sufficient.",
        ),
    },
    "b",
    id="generalization/why-shifts-hurt",
    notebook="8.2",
    title="Why did the shifts hurt?",
    statement=r"""
        `evidence()` trains with and without random shifts by one pixel, and scores both networks on the centred test digits and on the
        test digits shifted at random. What explains the four numbers?""",
    name="reason",
    code="""
        def evidence():
            train, (X_test, y_test) = oc.digits(100, scale="unit")
            moved = oc.shift_images(X_test, rng=0)
            for augment in (None, oc.shift_images):
                net = oc.MLP([64, 64, 10])
                oc.train(net, train, lr=3e-3, steps=400, batch=32, augment=augment)
                print("shifts" if augment else "plain ", [oc.accuracy(net(X), y_test) for X in (X_test, moved)])

        # evidence()""",
    hints=["Compare the columns, not only the rows.", "Which of the two test sets looks like which training set?"],
)

# --- 8.3 noise, flatness, implicit bias -------------------------------------------------------------------------------


def sam_gradient(grad, w, rho):
    g = grad(w)
    return grad(w + rho * g / np.linalg.norm(g))


def _sam_on_quartic(method, A, w, rho):
    """called with the gradient of Σ(Aw)⁴/4"""
    return method(lambda v: A.T @ (A @ v) ** 3, w, rho)


_SAM = Exercise(
    id="generalization/sam-gradient",
    notebook="8.3",
    title="The gradient of sharpness-aware minimization",
    statement=r"""
        SAM steps along the gradient taken at the worst point nearby: go a distance `rho` uphill along the normalized gradient, and take
        the gradient there. Return it. `grad(w)` returns the gradient at `w` (which is not zero).""",
    stub='''
        def sam_gradient(grad, w, rho):
            """The gradient at the point that lies rho uphill of w."""
            ...''',
    reference=sam_gradient,
    probe=_sam_on_quartic,
    cases=lambda rng: [
        (np.eye(1), np.array([1.0]), 0.5),
        (np.diag([1.0, 2.0]), np.array([1.0, -1.0]), 0.2),
        (rng.normal(size=(3, 3)), rng.normal(size=3), 0.1),
    ],
    misconceptions=[
        Misconception(
            lambda grad, w, rho: grad(w + rho * grad(w)),
            "You do not normalize: the distance is then ρ times the length of the gradient, and vanishes near a "
            "minimum.",
        ),
        Misconception(
            lambda grad, w, rho: grad(w - rho * grad(w) / np.linalg.norm(grad(w))),
            "You look downhill. The worst point nearby lies along +g.",
        ),
        Misconception(
            lambda grad, w, rho: grad(w) + sam_gradient(grad, w, rho),
            "You add the gradient at w. SAM uses only the one at the moved point.",
        ),
        Misconception(
            lambda grad, w, rho: grad(w + rho * np.sign(grad(w))),
            "You move every coordinate by ρ. That is the worst point of a cube; SAM takes a ball.",
        ),
        Misconception(
            lambda grad, w, rho: rho * grad(w) / np.linalg.norm(grad(w)),
            "That is the way to the moved point. The gradient there is still to be taken.",
        ),
    ],
    hints=["Two calls of `grad`.", "The displacement has length rho, whatever the gradient is."],
)


def min_norm(A, y):
    return A.T @ np.linalg.solve(A @ A.T, y)


def _basic_solution(A, y):
    w = np.zeros(A.shape[1])
    w[: len(y)] = np.linalg.solve(A[:, : len(y)], y)
    return w


_MIN_NORM = Exercise(
    id="generalization/min-norm",
    notebook="8.3",
    title="The smallest perfect fit",
    statement=r"""
        `A` has more columns than rows and independent rows, so $Aw = y$ has infinitely many solutions. Return the one with the smallest
        Euclidean norm.""",
    stub='''
        def min_norm(A, y):
            """The solution of A w = y with the smallest norm."""
            ...''',
    reference=min_norm,
    rtol=1e-7,
    cases=lambda rng: [
        (np.array([[1.0, 2.0, 2.0]]), np.array([9.0])),
        (rng.normal(size=(3, 7)) + 2 * np.eye(3, 7), rng.normal(size=3) + 2),
    ],
    misconceptions=[
        Misconception(
            lambda A, y: A.T @ np.linalg.solve(A @ A.T + 0.1 * np.eye(len(y)), y),
            "That is ridge: smaller still, but it does not fit y exactly.",
        ),
        Misconception(
            _basic_solution,
            "That is a basic solution, with zeros in all but the first columns: it fits, but is not the smallest.",
        ),
        Misconception(lambda A, y: A.T @ y, "The directions are right, but A applied to it does not give y yet."),
        Misconception(
            lambda A, y: np.linalg.pinv(A) @ y + (np.eye(A.shape[1]) - np.linalg.pinv(A) @ A) @ np.ones(A.shape[1]),
            "It fits, and has a part that A cannot see. That part costs norm and can be dropped.",
        ),
    ],
    also_right=[
        lambda A, y: np.linalg.pinv(A) @ y,
        lambda A, y: np.linalg.lstsq(A, y, rcond=None)[0],
    ],
    hints=["The smallest solution is a combination of the rows of A: w = Aᵀv.", "Put that into Aw = y."],
)


def _catapult_sharpness():
    """a² + b² where gradient descent from (2.5, 0.3) with learning rate 0.4 ends on (ab - 1)²/2."""
    a, b = 2.5, 0.3
    for _ in range(2000):
        r = a * b - 1
        a, b = a - 0.4 * r * b, b - 0.4 * r * a
    return a * a + b * b


_CATAPULT = Exercise(
    id="generalization/catapult",
    notebook="8.3",
    title="Where a large step ends",
    kind="measure",
    statement=r"""
        Run gradient descent on $\frac12(ab-1)^2$ from $(2.5, 0.3)$ with $\eta = 0.4$ until it stands still, and report the sharpness
        $a^2 + b^2$ of the minimum that it reached, to three digits.""",
    stub="""
        f = lambda w: (w[..., 0] * w[..., 1] - 1)**2 / 2
        # oc.descend(oc.gd, f, [2.5, 0.3], steps=…, lr=…).final
        sharpness = ...""",
    reference=_catapult_sharpness(),
    rtol=5e-3,
    misconceptions=[
        Misconception(6.4748, "That is where a small learning rate ends. With η = 0.4 that minimum is unstable."),
        Misconception(5.0, "2/η = 5 is the bound that a minimum must stay below. Where does the run end?"),
        Misconception(2.0, "2 is the smallest sharpness that exists, at (1, 1). This run does not get that far."),
        Misconception(np.sqrt(_catapult_sharpness()), "That is the distance from the origin; the sharpness is its "
                                                      "square."),
    ],
    hints=["A few hundred steps are enough.", "Sum the squares of the two final coordinates."],
    explanation="Above 2/η a minimum throws the run out; it settles at one that is flatter than 2/η.",
)  # fmt: skip

# --- 8.4 the practitioner's loop --------------------------------------------------------------------------------------


def update_ratio(before, after):
    return [np.linalg.norm(new - old) / np.linalg.norm(old) for old, new in zip(before, after, strict=True)]


def _ratio_like(size):
    return lambda before, after: [size(old, new) for old, new in zip(before, after, strict=True)]


_norm = np.linalg.norm

_RATIO = Exercise(
    id="generalization/update-ratio",
    notebook="8.4",
    title="Capstone, part 1: monitor",
    statement=r"""
        `before` and `after` are lists of a network's matrices before and after one step. Return, for each matrix, the relative size of
        the update: the norm of the change over the norm of the weights before the step (Frobenius norms).""",
    stub='''
        def update_ratio(before, after):
            """The relative sizes of the updates, one number for each matrix."""
            ...''',
    reference=update_ratio,
    cases=lambda rng: [
        ([np.array([[3.0, 4.0]])], [np.array([[3.0, 4.5]])]),
        ([rng.normal(size=(3, 2)), rng.normal(size=(2, 2))], [rng.normal(size=(3, 2)), rng.normal(size=(2, 2))]),
    ],
    misconceptions=[
        Misconception(
            _ratio_like(lambda old, new: _norm(new - old)),
            "That is the absolute size. A change of 0.1 is large for small weights and nothing for large ones.",
        ),
        Misconception(
            _ratio_like(lambda old, new: _norm(new - old) / _norm(new)),
            "You divide by the norm after the step.",
        ),
        Misconception(
            _ratio_like(lambda old, new: np.mean(np.abs(new - old) / np.abs(old))),
            "You average the ratios of single weights: one weight near zero spoils the mean.",
        ),
        Misconception(
            _ratio_like(lambda old, new: abs(_norm(new) - _norm(old)) / _norm(old)),
            "That is the change of the norm. A matrix can turn without growing.",
        ),
    ],
    hints=["One number for each matrix.", "`np.linalg.norm` of a matrix is its Frobenius norm."],
)


def diagnose(loss, gnorm):
    if not np.all(np.isfinite([*loss, *gnorm])) or loss[-1] > 10 * loss[0]:
        return "exploding"
    if abs(loss[-1] - loss[0]) > 0.01 * abs(loss[0]):
        return "moving"
    return "leaving a saddle" if gnorm[-1] > 2 * gnorm[0] else "stationary"


def _loss_only(loss, gnorm):
    answer = diagnose(loss, np.ones(len(loss)))
    return answer if np.all(np.isfinite(gnorm)) else diagnose(loss, gnorm)


def _small_is_stationary(loss, gnorm):
    answer = diagnose(loss, gnorm)
    return "stationary" if answer == "leaving a saddle" and gnorm[-1] < 0.1 else answer


def _blind_to_nan(loss, gnorm):
    if loss[-1] > 10 * loss[0]:
        return "exploding"
    if abs(loss[-1] - loss[0]) > 0.01 * abs(loss[0]):
        return "moving"
    return "leaving a saddle" if gnorm[-1] > 2 * gnorm[0] else "stationary"


def _growing_gradient_explodes(loss, gnorm):
    return "exploding" if gnorm[-1] > 2 * gnorm[0] else diagnose(loss, gnorm)


_GROWTH = 1.1 ** np.arange(30)
_FLAT = 0.25 - 1e-8 * _GROWTH**2

_DIAGNOSE = Exercise(
    id="generalization/diagnose",
    notebook="8.4",
    title="Capstone, part 2: diagnose",
    statement=r"""
        `loss` and `gnorm` are the losses and gradient norms of the latest steps, oldest first. Return the first that holds:

        - `"exploding"`: some value is not finite, or the last loss is more than ten times the first;
        - `"moving"`: the loss has changed by more than 1% of its first value;
        - `"leaving a saddle"`: the loss is flat, but the gradient norm has more than doubled;
        - `"stationary"`: none of these.""",
    stub='''
        def diagnose(loss, gnorm):
            """What the run is doing, as a short text."""
            ...''',
    reference=diagnose,
    cases=lambda rng: [
        (np.full(10, 0.3), np.full(10, 1e-3)),
        (np.array([1.0, 0.9, 0.8]), np.array([1.0, 0.9, 0.8])),
        (_FLAT, 1e-4 * _GROWTH),
        (np.full(12, 40.0), 0.01 * 1.4 ** np.arange(12)),
        (np.array([2.0, 9.0, 80.0]), np.array([1.0, 20.0, 300.0])),
        (np.array([2.0, 2.0, np.nan]), np.array([1.0, 1.0, np.nan])),
        (np.full(5, 2.0), np.array([1.0, 1.0, 1.0, 1.0, np.inf])),
        (np.linspace(1.0, 0.7, 20), rng.uniform(1, 5, 20) + np.linspace(0, 20, 20)),
        (rng.uniform(0.9, 1) * np.full(8, 1.0), rng.uniform(2, 3) * np.array([1.0, 1, 1, 1, 1, 1, 1, 0.5])),
    ],
    misconceptions=[
        Misconception(
            _loss_only,
            "You look only at the loss. Beside a saddle it is flat too; the growing gradient tells it from a minimum.",
        ),
        Misconception(
            _small_is_stationary,
            "A small gradient is not yet a stationary point. Ask whether it grows, not whether it is small.",
        ),
        Misconception(
            _blind_to_nan,
            "nan slips through: every comparison with nan is false. Ask for finite values first.",
        ),
        Misconception(
            _growing_gradient_explodes,
            "A growing gradient alone is no explosion: on the way out of a saddle it grows while the loss is flat.",
        ),
        Misconception(
            lambda loss, gnorm: diagnose(loss, gnorm) if np.all(np.isfinite([*loss, *gnorm])) else "stationary",
            "A run with nan or inf in it is not stationary; it has exploded.",
        ),
    ],
    hints=["Check in the order of the list.", "`np.isfinite` is false for nan and for inf."],
)


def honest_score(valid, test):
    best = valid.argmax(axis=1)
    return test[np.arange(len(test)), best].mean()


_CHECKPOINT = Exercise(
    id="generalization/honest-score",
    notebook="8.4",
    title="Capstone, part 3: choose",
    kind="bug hunt",
    statement=r"""
        Each row of `valid` and `test` is one run, each column one checkpoint, the entries are accuracies. The function should report the
        mean test accuracy of the checkpoints that would have been **chosen**. Its numbers are better than what anyone gets
        who uses the model afterwards. Find out why, and mend it.""",
    stub='''
        def honest_score(valid, test):
            """Mean over the runs of the test accuracy of the chosen checkpoint."""
            best = test.argmax(axis=1)
            return test[np.arange(len(test)), best].mean()''',
    reference=honest_score,
    cases=lambda rng: [
        (np.array([[0.7, 0.9, 0.8]]), np.array([[0.6, 0.8, 0.85]])),
        (rng.uniform(0.5, 1, (6, 10)), rng.uniform(0.5, 1, (6, 10))),
    ],
    misconceptions=[
        Misconception(
            lambda valid, test: valid.max(axis=1).mean(),
            "You report the validation score of the best checkpoint. It was chosen for being high, so it is "
            "optimistic.",
        ),
        Misconception(
            lambda valid, test: test[:, -1].mean(),
            "You take the last checkpoint of every run; that is honest, but it is not the one that was chosen.",
        ),
        Misconception(
            lambda valid, test: test.mean(axis=1).mean(), "You average over all checkpoints; only one of them is used."
        ),
        Misconception(
            lambda valid, test: test[:, valid.mean(axis=0).argmin()].mean(),
            "You choose one checkpoint for all runs, and the worst one; each run has its own best.",
        ),
    ],
    hints=["Which numbers may take part in a choice?", "The test set is looked at once, after the choice."],
)


def paired_difference(a, b):
    d = a - b
    return d.mean(), d.std(ddof=1) / np.sqrt(len(d))


_PAIRED = Exercise(
    id="generalization/paired-difference",
    notebook="8.4",
    title="Capstone, part 4: report",
    statement=r"""
        `a` and `b` are the scores of two recipes; entry $i$ of both comes from the same data, split and random seed. Return the mean of
        $a - b$ and its standard error.""",
    stub='''
        def paired_difference(a, b):
            """Mean and standard error of a - b, pair by pair."""
            ...''',
    reference=paired_difference,
    cases=lambda rng: [
        (np.array([0.92, 0.95, 0.90, 0.93]), np.array([0.90, 0.94, 0.90, 0.92])),
        (rng.normal(0.9, 0.05, 8), rng.normal(0.85, 0.05, 8)),
    ],
    misconceptions=[
        Misconception(
            lambda a, b: ((a - b).mean(), (a - b).std() / np.sqrt(len(a))),
            "Your deviation divides by n. The mean was estimated from the same n numbers: divide by n − 1.",
        ),
        Misconception(
            lambda a, b: ((a - b).mean(), np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a))),
            "You treat the two as independent samples and lose the pairing: what both share (data, split, seed) "
            "should cancel.",
        ),
        Misconception(
            lambda a, b: ((a - b).mean(), (a - b).std(ddof=1)),
            "That is the spread of single differences. The mean of n of them is known better.",
        ),
        Misconception(
            lambda a, b: ((b - a).mean(), (a - b).std(ddof=1) / np.sqrt(len(a))),
            "The sign is turned round: the exercise asks for a − b.",
        ),
        Misconception(
            lambda a, b: ((a - b).mean(), (a - b).std(ddof=1) / len(a)),
            "The standard error falls with the root of the number of pairs, not with the number.",
        ),
    ],
    hints=["Subtract first, then do statistics.", "`np.std` takes `ddof`."],
)


_LUCK = Exercise(
    id="generalization/best-of-fifty",
    notebook="8.4",
    title="The luck of the best of fifty",
    kind="measure",
    statement=r"""
        Fifty configurations are equally good. Each is scored once, with a standard error of 0.01. By how much does the best of them
        look better than it is, on average? Simulate it; two digits are enough.""",
    stub="""
        # np.random.default_rng(0).normal(0, 0.01, size=(…, 50))
        luck = ...""",
    reference=0.0225,
    rtol=0.03,
    misconceptions=[
        Misconception(0.0, "The mean of all fifty is unbiased. The best of them was picked for its luck."),
        Misconception(0.0187, "That is the best of 20. With more tries the luckiest is luckier."),
        Misconception(0.01, "That is the standard error of one score; the largest of fifty lies further out."),
        Misconception(
            0.03, "Three standard errors is a common bound for a single score; simulate the largest of fifty."
        ),
    ],
    hints=["Draw many rows of 50 scores with true value 0.", "Take the largest of each row, then the mean."],
)

_RECIPE = choice(
    {
        "a": (
            "Recipe B: its mean is higher.",
            "The difference is smaller than its own standard error; with other seeds it may turn round.",
        ),
        "b": (
            "Recipe A: it is simpler, and the data show no difference.",
            "Within two standard errors nothing separates them, so the simpler one wins; ten times as many pairs might "
            "say more.",
        ),
        "c": (
            "They are proved equal.",
            "No difference was *found*. The interval still allows one of about a percent in either direction.",
        ),
        "d": (
            "Recipe B, because its best run is the best of all.",
            "The best run of a set says more about luck and the number of tries than about the recipe.",
        ),
    },
    "b",
    id="generalization/recipe",
    notebook="8.4",
    title="Capstone, part 5: decide",
    statement=r"""
        Recipe A is plain; recipe B is the same with one more hyper-parameter, a dropout of 0.1. Eight paired runs on clean digits gave
        the scores below. Compute the mean difference and its standard error: what do you report?""",
    name="decision",
    code="""
        A = np.array([0.956, 0.961, 0.947, 0.967, 0.950, 0.964, 0.953, 0.958])
        B = np.array([0.961, 0.956, 0.953, 0.964, 0.958, 0.956, 0.958, 0.961])
        print((B - A).mean().round(4), oc.mean_se(B - A)[1].round(4))""",
    hints=["Is zero within two standard errors of the mean difference?"],
)

EXERCISES = [_SPLIT, _SCALE, _PEAK, _UNDERFIT, _SOFT, _DROPOUT, _BATCH_NORM, _ISTA_BUG, _WHY_SHIFTS_HURT, _SAM, _MIN_NORM,
             _CATAPULT, _RATIO, _DIAGNOSE, _CHECKPOINT, _PAIRED, _RECIPE, _LUCK]  # fmt: skip
