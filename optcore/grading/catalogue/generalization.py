"""Exercises of chapter 8, generalization."""

from typing import Any

import numpy as np

from ...intervals import t_interval
from ..exercise import Exercise, Misconception, choice, draw_facts, three_draws
from ..slips import altered

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
    """called three times: twice with rng, a NumPy generator made from the seed, then with another one"""
    return three_draws(lambda rng: split(y, frac, rng), seed)


def _split_facts(splits, y, frac, seed):
    """What holds for every right split: proportions, completeness, chance."""
    first, rest = (np.asarray(part, int) for part in splits[0])
    classes = int(y.max()) + 1
    return {
        "list of class sizes in the first part": np.bincount(y[first], minlength=classes),
        "list of class sizes in the rest": np.bincount(y[rest], minlength=classes),
        "count of different samples in both parts": len(set(first.tolist()) | set(rest.tolist())),
        "choice of the beginning of every class": bool(set(first.tolist()) == set(_unshuffled(y, frac)[0].tolist())),
    } | draw_facts(splits)


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
            "Your split is the same for every `rng`: you draw from a generator of your own, or not at all.",
        ),
        Misconception(
            altered(stratified_split, "rng.permutation", "np.random.permutation"),
            "You draw from NumPy's global generator: the split cannot be made again from the `rng` that is handed in.",
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


def scale_folds(X, fold):
    seen = []
    for k in range(max(fold) + 1):
        train = X[fold != k]
        deviation = train.std(axis=0)
        seen.append((X - train.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0))
    return np.array(seen)


def _each_by_its_own(X, fold):
    seen = scale_folds(X, fold)
    for k in range(max(fold) + 1):
        held = X[fold == k]
        deviation = held.std(axis=0)
        seen[k, fold == k] = (held - held.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
    return seen


_SCALE = Exercise(
    id="generalization/scale-folds",
    notebook="8.1",
    title="Cross-validation without a leak",
    statement=r"""
        In cross-validation row $i$ of `X`, shape (samples, features), is held out in the fold `fold[i]`, one of $0, \dots, K - 1$, and trains
        the models of all other folds. Each model standardizes its inputs, feature by feature, with a mean and a standard deviation (`np.std`
        as it is) in which its held-out rows take no part; a feature that is constant among its training rows is only centred, not divided.
        Return all rows as each of the $K$ models sees them: an array of shape $(K, \text{samples}, \text{features})$.""",
    stub="""
        def scale_folds(X, fold):
            \"\"\"X as the model of each fold sees it, shape (K, samples, features); fold holds whole numbers.\"\"\"
            ...""",
    reference=scale_folds,
    cases=lambda rng: [
        (np.array([[0.0, 5.0], [2.0, 5.0], [4.0, 6.0]]), np.array([0, 0, 1])),
        (rng.normal(3, 0.3, (5, 2)), np.array([1, 0, 1, 0, 1])),
        (np.c_[rng.normal(3, 2, (9, 2)), np.full(9, 7.0)], rng.permutation([0, 1, 2] * 3)),
    ],
    misconceptions=[
        Misconception(
            altered(scale_folds, "train = X[fold != k]", "train = X"),
            "Your statistics are those of all rows: the held-out rows leak into the training of every fold.",
        ),
        Misconception(
            altered(scale_folds, "fold != k", "fold == k"),
            "You take the statistics of the rows that are held out. Those of the training rows are asked for.",
        ),
        Misconception(
            _each_by_its_own,
            "You scale the held-out rows with their own statistics: the same image then gets other inputs in another company.",
        ),
        Misconception(
            altered(scale_folds, "np.where(deviation > 0, deviation, 1.0)", "deviation"),
            "A feature that is constant among the training rows has deviation 0: the division gives nan or inf.",
        ),
        Misconception(
            altered(scale_folds, " / np.where(deviation > 0, deviation, 1.0)", ""),
            "You only centre; the features still have their different spreads.",
        ),
        Misconception(
            altered(scale_folds, "axis=0", "axis=None"),
            "You use one mean and one deviation for all features together; take them down each column.",
        ),
        Misconception(
            altered(scale_folds, "train.std(axis=0)", "train.std(axis=0, ddof=1)"),
            "Your deviation divides by n - 1; asked for is `np.std` as it is, with n.",
        ),
        Misconception(
            altered(scale_folds, "np.where(deviation > 0, deviation, 1.0)", "(deviation + 1e-8)"),
            "A constant feature is divided by 1e-8, and a value that differs from it by 1 becomes a hundred million.",
        ),
    ],
    hints=[
        "Each fold has a mean and a deviation of its own.",
        "`X[fold != 2]` are the rows that train the model of fold 2.",
    ],
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


def elastic_threshold(v, t, s):
    return np.sign(v) * np.maximum(np.abs(v) - t, 0) / (1 + s)


_SOFT = Exercise(
    id="generalization/elastic-threshold",
    notebook="8.2",
    title="Two penalties, one threshold",
    statement=r"""
        The elastic net has both penalties at once. Return, for each entry of the array `v`, the number $w$ that minimizes
        $\frac12 (w - v)^2 + t\,\lvert w \rvert + \frac s2 w^2$ for given $t, s \ge 0$.""",
    stub='''
        def elastic_threshold(v, t, s):
            """The minimizer of (w - v)²/2 + t|w| + s w²/2, entry by entry."""
            ...''',
    reference=elastic_threshold,
    cases=lambda rng: [
        (np.array([3.0, -3.0]), 1.0, 1.0),
        (np.array([2.0, 0.5, 0.0, -0.5, -2.0]), 1.0, 0.0),
        (np.array([1.5, -1.2]), 1.0, 1.0),
        (rng.normal(0, 2, 12), rng.uniform(0.3, 1.0), rng.uniform(0.5, 2)),
    ],
    misconceptions=[
        Misconception(
            lambda v, t, s: np.sign(v) * np.maximum(np.abs(v) / (1 + s) - t, 0),
            "You shrink first and then cut with the full threshold: entries between t and (1 + s) t become zero too early.",
        ),
        Misconception(
            altered(elastic_threshold, " / (1 + s)", ""), "The squared penalty has no effect: that is the soft threshold of L1 alone."
        ),
        Misconception(
            lambda v, t, s: v / (1 + s), "That is ridge alone: everything shrinks by the same factor and nothing becomes zero."
        ),
        Misconception(
            lambda v, t, s: np.where(np.abs(v) > t, v, 0.0) / (1 + s),
            "That threshold is hard: it sets small entries to zero but does not move the large ones by t.",
        ),
        Misconception(
            lambda v, t, s: (v - t * np.sign(v)) / (1 + s),
            "Entries smaller than t jump over zero to the other side instead of stopping there.",
        ),
        Misconception(
            lambda v, t, s: np.maximum(v - t, 0) / (1 + s), "Negative entries are lost: they shrink towards zero from below."
        ),
        Misconception(
            lambda v, t, s: np.maximum(np.abs(v) - t, 0) / (1 + s), "The size is right, the sign of v is lost."
        ),
        Misconception(
            altered(elastic_threshold, "(1 + s)", "(1 + 2 * s)"),
            "The half in front of s w² cancels the 2 of its derivative.",
        ),
        Misconception(
            altered(elastic_threshold, "- t, 0)", "- t / 2, 0)"),
            "You shrink by half the threshold: the half belongs to the squares, not to t.",
        ),
    ],
    hints=["For w > 0 the slope of the objective is w - v + t + s w. When is its zero positive?",
           "Three cases: v > t, v < -t, and in between."],
)  # fmt: skip


def dropout(a, upstream, p, rng, train):
    if not train:
        return a, upstream
    factor = (rng.random(a.shape) >= p) / (1 - p)
    return a * factor, upstream * factor


def _dropped_and_not(layer, a, upstream, p, seed):
    """called with train=True three times (twice with rng from the seed, then another), and with train=False"""
    training = three_draws(lambda rng: layer(a, upstream, p, rng, True), seed)
    return [training, layer(a, upstream, p, np.random.default_rng(seed), False)]


def _dropout_facts(results, a, upstream, p, seed):
    draws, (tested, passed) = results
    out, back = (np.asarray(part, float) for part in draws[0])
    kept = out != 0
    scales = [np.median((out / a)[kept]), np.median((back / upstream)[kept])] if kept.any() else [0.0, 0.0]
    return {
        "shape in training": out.shape,
        "share of units dropped in training": 1 - float(kept.mean()),
        "factor on the units kept in training": float(scales[0]),
        "variety of masks between samples": bool((kept != kept[0]).any()),
        "variety of masks between units": bool((kept != kept[:, :1]).any()),
        "gradient of the dropped units": float(np.abs(back[~kept]).max(initial=0.0)),
        "factor on the gradient of the kept units": float(scales[1]),
        "share of units dropped at test": float((np.asarray(tested) == 0).mean()),
        "factor on the units at test": float(np.median(tested / a)),
        "factor on the gradient at test": float(np.median(passed / upstream)),
    } | draw_facts(draws)


_DROPOUT = Exercise(
    id="generalization/dropout",
    notebook="8.2",
    title="Inverted dropout, forward and back",
    statement=r"""
        `a` holds the activations of a batch, shape (samples, units), `upstream` the gradient of the loss in the layer's **output**. In
        training every entry of `a` is set to zero with probability `p`, independently, and the others are scaled so that the expected
        value stays what it was. At test nothing happens. Draw from `rng`, a NumPy `Generator`. Return the output and the gradient
        in `a`.""",
    stub='''
        def dropout(a, upstream, p, rng, train):
            """(output, gradient in a) of dropout with drop probability p."""
            ...''',
    reference=dropout,
    probe=_dropped_and_not,
    summary=_dropout_facts,
    rtol=0.1,
    cases=lambda rng: [
        (1 + rng.random((400, 60)), 3 + rng.random((400, 60)), 0.2, 0),
        (1 + rng.random((400, 60)), 3 + rng.random((400, 60)), 0.7, int(rng.integers(1000))),
    ],
    misconceptions=[
        Misconception(
            altered(dropout, ") / (1 - p)", ") * 1.0"),
            "Nothing is scaled: in training the layer gives (1 − p) of what it gives at test.",
        ),
        Misconception(
            altered(dropout, ">= p) / (1 - p)", "< p) / p"),
            "You take p for the probability to keep. Here, as in PyTorch, it is the probability to drop.",
        ),
        Misconception(altered(dropout, "/ (1 - p)", "/ p"), "You divide by p, the share that is dropped; the share that is kept counts."),
        Misconception(
            altered(dropout, "if not train", "if False"), "Dropout is still active at test: predictions become random."
        ),
        Misconception(
            altered(dropout, "return a, upstream", "return a * (1 - p), upstream * (1 - p)", ") / (1 - p)", ") * 1.0"),
            "You scale at test. That is the original form; in the inverted form asked for here, training scales and "
            "test does nothing.",
        ),
        Misconception(
            altered(dropout, "return a, upstream", "return a * (1 - p), upstream * (1 - p)"),
            "You scale twice, in training and at test; one of them is enough.",
        ),
        Misconception(
            altered(dropout, "rng.random(a.shape)", "rng.random(a.shape[1])"),
            "All samples of the batch share one mask; each entry should be drawn on its own.",
        ),
        Misconception(
            altered(dropout, "rng.random(a.shape)", "rng.random((len(a), 1))"),
            "Whole samples are dropped: one number decides for a row. Each entry should be drawn on its own.",
        ),
        Misconception(
            altered(dropout, "upstream * factor", "upstream"),
            "The gradient goes through as if nothing had been dropped. What did not act on the output has no gradient.",
        ),
        Misconception(
            altered(dropout, "upstream * factor", "upstream * (factor > 0)"),
            "The gradient is masked and not scaled: the output is the kept activation times a factor, and so is its slope.",
        ),
        Misconception(
            altered(dropout, "upstream * factor", "upstream * (rng.random(a.shape) >= p) / (1 - p)"),
            "You draw a second mask for the gradient. It has to be the one that was used on the way forward.",
        ),
        Misconception(
            altered(dropout, "rng.random", "np.random.random"),
            "You draw from NumPy's global generator: the run cannot be repeated from the `rng` that is handed in.",
        ),
        Misconception(
            altered(dropout, "rng.random", "np.random.default_rng(0).random"),
            "You make a generator of your own, so every step drops the same units.",
        ),
    ],
    also_right=[altered(dropout, "(rng.random(a.shape) >= p)", "(rng.random(a.shape) < 1 - p)"),
                altered(dropout, "(rng.random(a.shape) >= p)", "rng.binomial(1, 1 - p, a.shape)")],
    hints=["A mask of zeros and ones comes from comparing `rng.random(a.shape)` with p. What is its mean?",
           "With the mask held fixed the layer multiplies: what is the derivative of that?"],
)  # fmt: skip


def dropout_solution(X, y, p):
    S = X.T @ X
    return np.linalg.solve(S + p / (1 - p) * np.diag(np.diag(S)), X.T @ y)


def _penalized(penalty):
    return lambda X, y, p: np.linalg.solve(X.T @ X + penalty(X.T @ X, p), X.T @ y)


_DROPOUT_SOLUTION = Exercise(
    id="generalization/derive-dropout-solution",
    notebook="8.2",
    title="Derive: where dropout on the inputs ends",
    statement=r"""
        A linear model is trained by least squares with inverted dropout on its **inputs**: in each step every entry of `X`, shape $(n, d)$,
        is 0 with probability $p$ and divided by $1 - p$ otherwise, independently. What is minimized on average over the masks is
        $\operatorname{E}\sum_i (\hat y_i - y_i)^2$. Derive its minimizer $w$, and return it. The columns of `X` are independent. (Does a feature
        that is measured in other units get another penalty?)""",
    stub='''
        def dropout_solution(X, y, p):
            """The weights, shape (d,), that minimize the expected squared error under dropout of the inputs."""
            ...''',
    reference=dropout_solution,
    cases=lambda rng: [
        (np.array([[2.0]]), np.array([4.0]), 0.5),
        (np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 3.0]]), np.array([1.0, 2.0, -1.0]), 0.2),
        (rng.normal(size=(8, 3)) * [1, 4, 0.5], rng.normal(size=8), rng.uniform(0.1, 0.6)),
    ],
    misconceptions=[
        Misconception(
            _penalized(lambda S, p: 0 * S),
            "That is least squares without dropout. The mean of the prediction is as without it; its variance costs something too.",
        ),
        Misconception(
            _penalized(lambda S, p: p / (1 - p) * np.eye(len(S))),
            "That is ridge. The noise of a dropped feature is as large as the feature, so each has a penalty of its own.",
        ),
        Misconception(
            _penalized(lambda S, p: p * np.diag(np.diag(S))),
            "The variance of a mask that is 0 or 1/(1 - p) is not p: the entries that stay are scaled up.",
        ),
        Misconception(
            _penalized(lambda S, p: p * (1 - p) * np.diag(np.diag(S))),
            "p(1 - p) is the variance of a mask of 0 and 1. Inverted dropout divides it by the square of 1 - p.",
        ),
        Misconception(
            _penalized(lambda S, p: p / (1 - p) * S),
            "The masks of two features are independent: their noise does not go together, so only the diagonal gets a term.",
        ),
        Misconception(
            _penalized(lambda S, p: np.diag(np.diag(S)) / (1 - p)),
            "1/(1 - p) is the mean square of the mask. Take off the square of its mean, which is in XᵀX already.",
        ),
        Misconception(
            _penalized(lambda S, p: p / (1 - p) * np.diag(np.diag(S)) / 2),
            "Penalty and squared error both bring a 2 when they are differentiated: no half is left.",
        ),
        Misconception(
            lambda X, y, p: (1 - p) * dropout_solution(X, y, p),
            "The test time scaling belongs to plain dropout. Inverted dropout has its weights right as they are.",
        ),
    ],
    hints=[
        "E (ŷ - y)² is the squared error of the mean prediction, plus the variance of the prediction.",
        "The variance is the sum of x_j² w_j² times the variance of one mask, over the features; add it up over the examples.",
    ],
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


def _norm_at_work(layer, batches, unseen, settings):
    """made once with the settings (momentum, eps), as far as given; train=True on every batch, then train=False"""
    norm = layer(batches[0].shape[1], *settings)
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
        ([np.array([[0.0], [2.0]])], np.array([[1.0], [5.0]]), []),
        ([rng.normal(2, 3, (4, 3)), rng.normal(2, 3, (6, 3))], rng.normal(2, 3, (3, 3)), [0.1]),
        ([rng.normal(2, 3, (5, 2)) for _ in range(3)], rng.normal(2, 3, (4, 2)), [0.3, 0.5]),
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
            altered(BatchNorm, "/ np.sqrt(var + self.eps)", "/ (np.sqrt(var) + self.eps)"),
            "ε stands outside your root; it is added to the variance.",
        ),
        Misconception(
            altered(BatchNorm, "np.ones(size)", "np.zeros(size)"),
            "Your running variance starts at 0, so that the first tests divide by far too little. It starts at 1.",
        ),
        Misconception(
            altered(BatchNorm, "/ np.sqrt(var + self.eps)", "/ (var + self.eps)"), "The root is missing: you divide by the variance."
        ),
        Misconception(
            altered(BatchNorm, "np.zeros(size)", "np.ones(size)"), "Your running mean starts at 1; it starts at 0."
        ),
        Misconception(
            altered(BatchNorm, "mean, var = self.running_mean, self.running_var", "mean, var = 0.0, 1.0"),
            "At test you leave the data as they are: the running values are there to normalize them.",
        ),
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
        "centred": (
            "The test digits are all centred, so the shifts teach what the test never asks.",
            "It never asks in the longer runs either, and there the shifts cost nothing worth mentioning.",
        ),
        "underfit": (
            "The short run with shifts is not done: it still misses many of its own training images.",
            "Shifts make many more images of the hundred. 64 units and 400 steps do not fit them; 256 units and 2,000 steps do, and "
            "the loss on the test set is gone. A regularizer can be blamed only after the training accuracy was looked at.",
        ),
        "label": (
            "Shifting by a pixel changes the label of some digits, so a part of the data is wrong.",
            "A digit moved by one pixel is still the same digit, and in the longer run all of them are learned.",
        ),
        "bug": (
            "The images are moved wrongly: an augmentation that is right can only add information.",
            "They are moved correctly, and the longer runs show no harm. It does not follow that an augmentation always helps.",
        ),
    },
    "underfit",
    id="generalization/why-shifts-hurt",
    notebook="8.2",
    title="Why did the shifts hurt?",
    statement=r"""
        `evidence()` trains on 100 digits with and without random shifts by one pixel, first a small network for a short time, then a
        larger one for longer, and prints the accuracy on training images as the network saw them and on the centred test digits.
        (It takes about ten seconds.) Why do the shifts cost five points or so in the first pair?""",
    name="reason",
    code="""
        def evidence():
            (X, y), test = oc.digits(100, scale="unit")
            for width, steps in ((64, 400), (256, 2000)):
                for augment in (None, oc.shift_images):
                    net = oc.MLP([64, width, 10])
                    oc.train(net, (X, y), lr=3e-3, steps=steps, batch=32, augment=augment)
                    seen = oc.shift_images(X, rng=0) if augment else X
                    scores = oc.accuracy(net(seen), y), oc.accuracy(net(test[0]), test[1])
                    print(width, steps, "shifts" if augment else "plain ", scores)

        # evidence()""",
    hints=["Compare the first numbers of the four lines.", "What would 8.1 say to a training accuracy below 0.9?"],
)


def ridge_of_stopping(rate, curvature, steps):
    left = (1 - rate * curvature) ** steps
    return curvature * left / (1 - left)


_DERIVE = Exercise(
    id="generalization/derive-ridge-of-stopping",
    notebook="8.2",
    title="Derive: early stopping as ridge",
    statement=r"""
        On $\frac h2 (w - w^\star)^2$, gradient descent from 0 with rate $\eta$ is stopped after some steps; ridge adds
        $\frac\alpha2 w^2$ instead and is solved to the end. Derive both results as a share of $w^\star$, and return the $\alpha$ for
        which they agree. ($0 < \eta h < 1$.) The larger the curvature, the smaller your α: stopping spares steep directions.""",
    stub='''
        def ridge_of_stopping(rate, curvature, steps):
            """The ridge penalty that shrinks as much as stopping after so many steps."""
            ...''',
    reference=ridge_of_stopping,
    cases=lambda rng: [
        (0.5, 1.0, 1),
        (0.1, 1.0, 10),
        (0.1, 5.0, 3),
        (rng.uniform(0.05, 0.3), rng.uniform(0.5, 3), int(rng.integers(2, 20))),
    ],
    misconceptions=[
        Misconception(
            altered(ridge_of_stopping, "curvature * left / (1 - left)", "1 / (rate * steps)"),
            "That is the rule of thumb for ηht far below 1. Solve the equation without the approximation.",
        ),
        Misconception(
            altered(ridge_of_stopping, "curvature * left / (1 - left)", "curvature * (1 - left) / left"),
            "Upside down: the longer the run, the weaker the penalty that does the same.",
        ),
        Misconception(
            altered(ridge_of_stopping, "curvature * left / (1 - left)", "left / (1 - left)"),
            "The units are missing: α is compared with the curvature h.",
        ),
        Misconception(
            altered(ridge_of_stopping, "curvature * left / (1 - left)", "curvature * left"),
            "You set α/h equal to what is still missing. Ridge leaves the share h/(h + α), not 1 - α/h.",
        ),
        Misconception(
            altered(ridge_of_stopping, "(1 - rate * curvature) ** steps", "np.exp(-rate * curvature * steps)"),
            "That is the limit of infinitely small steps; each step leaves exactly 1 - ηh.",
        ),
        Misconception(
            altered(ridge_of_stopping, "** steps", "* steps"),
            "Steps multiply: after t of them the missing share is (1 - ηh)ᵗ.",
        ),
        Misconception(
            altered(ridge_of_stopping, "rate * curvature", "rate"),
            "The error shrinks by 1 - ηh in a step: the curvature takes part.",
        ),
        Misconception(
            altered(ridge_of_stopping, "** steps", "** (2 * steps)"),
            "You square the factor, as for a loss; here the weights are compared.",
        ),
    ],
    hints=["After t steps the share 1 - (1 - ηh)ᵗ of w* is reached.", "Ridge solves h(w - w*) + αw = 0."],
)

# --- 8.3 noise, flatness, implicit bias -------------------------------------------------------------------------------


def scaled_sam(grad, w, rho):
    g = grad(w)
    return grad(w + rho * w**2 * g / np.linalg.norm(w * g))


def _sam_on_quartic(method, A, w, rho):
    """called with the gradient of Σ(Aw)⁴/4"""
    return method(lambda v: A.T @ (A @ v) ** 3, w, rho)


_SAM = Exercise(
    id="generalization/scaled-sam",
    notebook="8.3",
    title="Derive: SAM in a ball that knows the scale",
    statement=r"""
        SAM takes the gradient at the worst point of a ball around `w`. Rescale a weight and its ball stays the same, though the function
        has another shape. Measure each step in units of its weight instead: let $e$ be any step with
        $\sum_i (e_i/w_i)^2 \le \rho^2$. Derive for which of these $g^\top e$ is largest, with $g$ the gradient at `w`, and return the gradient at
        $w + e$. `grad(w)` returns the gradient at `w`; no entry of `w` is zero, nor is the gradient. (Try substituting $u_i = e_i/w_i$.)""",
    stub="""
        def scaled_sam(grad, w, rho):
            \"\"\"The gradient at the worst point of the ellipsoid around w.\"\"\"
            ...""",
    reference=scaled_sam,
    probe=_sam_on_quartic,
    cases=lambda rng: [
        (np.eye(1), np.array([2.0]), 0.25),
        (np.diag([1.0, 2.0]), np.array([1.0, -0.5]), 0.2),
        (np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([3.0, 0.5]), 0.1),
        (rng.normal(size=(3, 3)), rng.normal(size=3) * [10, 1, 0.1], 0.1),
    ],
    misconceptions=[
        Misconception(
            lambda grad, w, rho: grad(w + rho * grad(w) / np.linalg.norm(grad(w))),
            "That is the worst point of a ball, the same for all weights. A step in a weight of 10 may be ten times as long.",
        ),
        Misconception(
            altered(scaled_sam, "w**2 * g", "np.abs(w) * g"),
            "Your point lies inside the set, but not at the worst place: the substitution brings a weight in once for the gradient in "
            "u and once more for the way back to e.",
        ),
        Misconception(
            altered(scaled_sam, "np.linalg.norm(w * g)", "np.linalg.norm(w**2 * g)"),
            "Your direction is right, and its length is measured in the wrong units: it is u that has to have the length ρ.",
        ),
        Misconception(
            altered(scaled_sam, "np.linalg.norm(w * g)", "np.linalg.norm(g)"),
            "You divide by the length of g; what has to be of length ρ is u, with u = e/w.",
        ),
        Misconception(
            altered(scaled_sam, " / np.linalg.norm(w * g)", ""),
            "You do not normalize: the distance is then in proportion to the gradient, and vanishes near a minimum.",
        ),
        Misconception(
            altered(scaled_sam, "w + rho", "w - rho"),
            "You look downhill. The worst point nearby is where the loss rises most.",
        ),
        Misconception(
            lambda grad, w, rho: grad(w) + scaled_sam(grad, w, rho),
            "You add the gradient at w. SAM uses only the one at the moved point.",
        ),
        Misconception(
            lambda grad, w, rho: grad(w + rho * np.abs(w) * np.sign(grad(w))),
            "You move every weight by ρ of its size. That is the worst point of a box; here the squares are added up.",
        ),
        Misconception(
            lambda grad, w, rho: w + rho * w**2 * grad(w) / np.linalg.norm(w * grad(w)),
            "You return the moved point itself; asked for is the gradient there.",
        ),
    ],
    hints=[
        "With u = e/w the set is a ball, and gᵀe = (w ⊙ g)ᵀu.",
        "Where in a ball is a linear function largest? Then go back to e.",
    ],
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
            altered(min_norm, "A.T @ np.linalg.solve(A @ A.T, y)", "np.linalg.solve(A @ A.T, y)"),
            "That is the vector v with AAᵀv = y, one number for each row. The solution is made of the rows with it.",
        ),
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
        Misconception(
            lambda before, after: (
                np.sqrt(sum(_norm(b - a) ** 2 for a, b in zip(before, after, strict=True)))
                / np.sqrt(sum(_norm(a) ** 2 for a in before))
            ),
            "That is one number for the whole network; a layer that stands still hides in it.",
        ),
        Misconception(
            _ratio_like(lambda old, new: (_norm(new - old) / _norm(old)) ** 2), "Those are the squares of the ratios."
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


def _traces(rng):
    flat, one = np.full(5, 2.0), np.ones(5)
    step = lambda *values: np.array(values, float)
    return [
        (np.full(10, 0.3), np.full(10, 1e-3)),
        (step(1, 0.9, 0.8), step(1, 0.9, 0.8)),
        (0.25 - 1e-8 * _GROWTH**2, 1e-4 * _GROWTH),
        (np.full(12, 40.0), 0.01 * 1.4 ** np.arange(12)),
        (step(2, 9, 80), step(1, 20, 300)),
        (step(1, 5, 10), step(1, 1, 1)),  # ten times, and no more
        (step(1, 5, 10.5), step(1, 1, 1)),
        (step(1, 30, 1), step(1, 1, 1)),  # the last loss counts, not the largest
        (step(2, 2, np.nan), step(1, 1, np.nan)),
        (step(2, np.inf, 2), step(1, 1, 1)),
        (flat, step(1, 1, 1, 1, np.inf)),
        (flat, step(1, np.nan, 1, 1, 1)),
        (step(100, 100.2, 100.5), step(1, 1, 1)),  # half a percent of a large loss
        (step(0.1, 0.1, 0.105), step(1, 1, 1)),  # five percent of a small one
        (step(100, 99.5, 99), step(1, 1, 1)),  # one percent, and no more
        (step(100, 99, 98.8), step(1, 1, 1)),
        (step(1, 1.3, 1.2, 1), step(1, 1, 1, 1)),  # back where it was
        (step(1, 1.3, 1.3), step(1, 1, 1)),
        (step(1, 5, 1.03), step(1, 1, 1)),
        (flat, step(1, 1, 1, 1, 2)),  # doubled, and no more
        (flat, step(1, 1, 1, 1, 1.5)),
        (flat, step(1, 2, 2, 2, 2.5)),
        (flat, step(1, 1, 3, 3, 1)),  # grown and fallen again
        (np.linspace(1.0, 0.7, 20), rng.uniform(1, 5, 20) + np.linspace(0, 20, 20)),
        (rng.uniform(0.9, 1) * np.full(8, 1.0), rng.uniform(2, 3) * step(1, 1, 1, 1, 1, 1, 1, 0.5)),
        (rng.uniform(1, 9) * one, rng.uniform(1, 2) * step(1, 1, 1, 1, 3)),
    ]


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
    cases=_traces,
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
        Misconception(
            altered(diagnose, "np.all(np.isfinite([*loss, *gnorm]))", "np.isfinite(loss[-1] + gnorm[-1])"),
            "You ask the last values only. A nan or inf anywhere in the trace says that the run broke down.",
        ),
        Misconception(
            altered(diagnose, "0.01 * abs(loss[0])", "0.01"),
            "Your limit for a flat loss is absolute. Asked for is 1% of the first loss, whatever its size.",
        ),
        Misconception(
            altered(diagnose, "0.01 * abs(loss[0])", "0.01 * abs(loss[-1])"),
            "You take 1% of the last loss; it is measured by the first.",
        ),
        Misconception(
            altered(diagnose, "abs(loss[-1] - loss[0])", "loss.max() - loss.min()"),
            "You take the span of all losses. A run that is back where it was has not moved from first to last.",
        ),
        Misconception(
            altered(diagnose, "loss[-1] > 10 * loss[0]", "loss.max() > 10 * loss[0]"),
            "A peak in the middle is no explosion if the run came back: compare the last loss with the first.",
        ),
        Misconception(
            altered(diagnose, "gnorm[-1] > 2", "gnorm.max() > 2"),
            "A gradient that grew and fell again is not growing: compare the last norm with the first.",
        ),
        Misconception(
            altered(diagnose, "abs(loss[-1] - loss[0])", "loss[0] - loss[-1]"),
            "A loss that rises moves too: what counts is the size of the change.",
        ),
    ],
    hints=["Check in the order of the list.", "`np.isfinite` is false for nan and for inf."],
)


def range_reading(rates, losses):
    mean, lowest, reading = 0.0, np.inf, rates[0]
    for t, (rate, loss) in enumerate(zip(rates, losses, strict=True), 1):
        mean = 0.9 * mean + 0.1 * loss
        smooth = mean / (1 - 0.9**t)
        if not smooth < 4 * lowest:
            break
        if smooth < lowest:
            lowest, reading = smooth, rate
    return reading / 10, lowest


def _smoothed(losses):
    means = [0.0]
    for loss in losses:
        means.append(0.9 * means[-1] + 0.1 * loss)
    return np.array(means[1:]) / (1 - 0.9 ** np.arange(1, len(losses) + 1))


def _steepest(rates, losses):
    return rates[np.gradient(_smoothed(losses)).argmin()], range_reading(rates, losses)[1]


def _to_the_end(rates, losses):
    smooth = _smoothed(losses)
    return rates[np.nanargmin(smooth)] / 10, np.nanmin(smooth)


def _last_stable(rates, losses):
    lowest, reading = np.inf, rates[0]
    for rate, smooth in zip(rates, _smoothed(losses), strict=True):
        if not smooth < 4 * lowest:
            break
        lowest, reading = min(lowest, smooth), rate
    return reading / 10, lowest


def _ramps(rng):
    ramp = lambda steps: np.geomspace(1e-4, 10.0, steps)
    lone = np.linspace(2.3, 1.0, 60) + 0.0
    lone[20] = 0.05  # one lucky batch
    again = np.concatenate([np.linspace(2, 1, 20), np.full(5, 60.0), np.full(75, 0.01)])  # breaks down, then saturates
    broken = np.concatenate([np.linspace(2.3, 0.4, 30), [90.0, np.nan, np.nan, np.nan]])
    noisy = lambda: 2.3 - np.linspace(0, 1.5, 80) + 0.1 * rng.normal(size=80)
    return [
        (ramp(50), np.linspace(2.3, 0.5, 50)),
        (ramp(30), np.linspace(1.0, 3.0, 30)),
        (ramp(60), lone),
        (ramp(100), again),
        (ramp(34), broken),
        (ramp(12), np.r_[2.0, 1.9, 1.8, np.nan, np.full(8, 0.1)]),
        (ramp(40), 20 * again[:40]),  # large losses, which do not matter
        (ramp(40), again[:40] / 40),
        (ramp(40), np.r_[1.0, 8.0, np.zeros(38)]),  # 4.7 times the lowest: that is the end
        (ramp(40), np.r_[1.0, 6.0, np.zeros(38)]),  # 3.6 times, and it goes on
        (ramp(80), noisy()),
        (ramp(80), np.r_[noisy()[:60], np.geomspace(1, 1e6, 20)]),
    ]


_RANGE = Exercise(
    id="generalization/range-reading",
    notebook="8.4",
    title="Read a range test",
    statement=r"""
        `rates` and `losses` are those of a learning-rate range test, step by step. Smooth the losses by
        $m_t = 0.9\, m_{t-1} + 0.1\, \ell_t$ with $m_0 = 0$ and the corrected mean $s_t = m_t / (1 - 0.9^t)$, $t = 1, 2, \dots$ Go through the
        steps until $s_t$ is not below four times the lowest $s$ before it, or is not a number; that step and the later ones do not count.
        Return a tenth of the rate at the lowest $s$, and that $s$.""",
    stub='''
        def range_reading(rates, losses):
            """(a tenth of the rate at which the smoothed loss is lowest before the run breaks down, that loss)."""
            ...''',
    reference=range_reading,
    cases=_ramps,
    misconceptions=[
        Misconception(
            altered(range_reading, "smooth = mean / (1 - 0.9**t)", "smooth = loss"),
            "You take single losses. One lucky batch is then the lowest point: smooth first.",
        ),
        Misconception(
            altered(range_reading, "mean / (1 - 0.9**t)", "mean"),
            "Your running mean starts at 0 and is not corrected: its first values are far too small, and the lowest is the first.",
        ),
        Misconception(
            _to_the_end,
            "You look at all steps. After the run has broken down its loss may be anything, low or not a number: stop there.",
        ),
        Misconception(
            altered(range_reading, "reading / 10, lowest", "reading, lowest"),
            "That is the rate at the lowest point, where steps are about to be too long. Asked for is a tenth of it.",
        ),
        Misconception(
            _steepest, "That is where the loss falls fastest, another reading; asked for is a tenth of the lowest."
        ),
        Misconception(
            _last_stable, "That is the last rate before the breakdown; the lowest smoothed loss comes before it."
        ),
        Misconception(
            altered(range_reading, "if not smooth < 4 * lowest", "if not loss < 4 * lowest"),
            "A single high loss ends your search. Noise does that too: it is the smoothed loss that tells a breakdown.",
        ),
    ],
    hints=[
        "One loop can smooth, watch for the end and remember the lowest.",
        "`not s < 4 * lowest` is true for nan as well.",
    ],
)

_SYMPTOM = choice(
    {
        "rate": (
            "The rate is too small: ten times as much would bring the loss down.",
            "The second line has ten times the rate, and the held-out loss is no lower; and the training loss does move.",
        ),
        "dead": (
            "The hidden units are dead, so that no gradient reaches their weights.",
            "The gradient norms of the hidden matrices are as large as that of the last. Dead units would give 0.",
        ),
        "labels": (
            "The labels do not belong to the images: nothing that is learned from some holds for others.",
            "The gradient flows, twenty examples are learned by heart, and the held-out loss stays at ln 10 or above at every "
            "rate. Inputs and labels have come apart, here by a shuffle of one of them.",
        ),
        "small": (
            "The network is too small for ten digits: more hidden units are needed.",
            "The same network learns the digits to more than nine in ten elsewhere on the page, and here twenty by heart.",
        ),
    },
    "labels",
    id="generalization/symptom",
    notebook="8.4",
    title="Flat on the held-out digits: why?",
    statement=r"""
        A network is trained on 400 digits and its held-out loss does not come below $\ln 10$. `tests()` makes the three tests of the
        table's row *flat from the start*: a larger rate, the gradient norm of each matrix, and twenty examples learned by heart. What is
        the cause?""",
    name="symptom",
    code="""
        def tests():
            (X, y), held = oc.digits(400, test=200)
            y = np.random.default_rng(1).permutation(y)
            for rate in (0.01, 0.1):
                net = oc.MLP([64, 64, 64, 10])
                h = oc.train(net, (X, y), oc.momentum, rate, steps=100, batch=32, every=100, valid=held)
                print(f"rate {rate}: training {h.train_loss[-1]:.2f}, held out {h.valid_loss[-1]:.2f}")
            print("gradient norms of W1, W2, W3:", h.grad_norm[0, :3].round(2))
            h = oc.train(oc.MLP([64, 64, 64, 10]), (X[:20], y[:20]), oc.momentum, 0.1, steps=100, batch=None)
            print(f"twenty examples: training {h.train_loss[-1]:.2f}")

        # tests()""",
    hints=["Go down the causes in the row, and cross out those that a line of the output rules out."],
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
            lambda valid, test: test[:, valid.mean(axis=0).argmax()].mean(),
            "You choose one checkpoint for all runs, by the mean over them; each run has its own best.",
        ),
        Misconception(
            altered(honest_score, "test[np.arange(len(test)), best].mean()", "test[:, best].mean()"),
            "You read every chosen column of every run; run i is scored at its own checkpoint only.",
        ),
        Misconception(
            altered(honest_score, "argmax", "argmin"),
            "You choose the worst checkpoint: accuracies are better when larger.",
        ),
    ],
    hints=["Which numbers may take part in a choice?", "The test set is looked at once, after the choice."],
)


def paired_difference(a, b, target):
    d = a - b
    spread = d.std(ddof=1)
    return d.mean(), spread / np.sqrt(len(d)), int(np.ceil((spread / target) ** 2))


_PAIRED = Exercise(
    id="generalization/paired-difference",
    notebook="8.4",
    title="Capstone, part 4: report, and plan",
    statement=r"""
        `a` and `b` are the scores of two recipes; entry $i$ of both comes from the same data, split and random seed. Return the mean of
        $a - b$, its standard error, and how many pairs it takes in all, if the differences go on to scatter as they do, for the
        standard error to be at most `target`: a whole number.""",
    stub='''
        def paired_difference(a, b, target):
            """(mean, standard error, pairs) of a - b, pair by pair."""
            ...''',
    reference=paired_difference,
    cases=lambda rng: [
        (np.array([0.92, 0.95, 0.90, 0.93]), np.array([0.90, 0.94, 0.90, 0.92]), 0.003),
        (np.array([0.5, 0.8, 0.7, 0.6, 0.9, 0.4]), np.array([0.6, 0.6, 0.65, 0.7, 0.8, 0.4]), 0.1),
        (rng.normal(0.9, 0.05, 8), rng.normal(0.85, 0.05, 8), rng.uniform(0.002, 0.01)),
    ],
    misconceptions=[
        Misconception(
            altered(paired_difference, "ddof=1", "ddof=0"),
            "Your deviation divides by n. The mean was estimated from the same n numbers: divide by n − 1.",
        ),
        Misconception(
            lambda a, b, target: (
                (a - b).mean(),
                np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / len(a)),
                int(np.ceil((a.var(ddof=1) + b.var(ddof=1)) / target**2)),
            ),
            "You treat the two as independent samples and lose the pairing: what both share (data, split, seed) "
            "should cancel.",
        ),
        Misconception(
            altered(paired_difference, "spread / np.sqrt(len(d))", "spread"),
            "That is the spread of single differences. The mean of n of them is known better.",
        ),
        Misconception(
            lambda a, b, target: (-paired_difference(a, b, target)[0], *paired_difference(a, b, target)[1:]),
            "The sign is turned round: the exercise asks for a − b.",
        ),
        Misconception(
            altered(paired_difference, "np.sqrt(len(d))", "len(d)"),
            "The standard error falls with the root of the number of pairs, not with the number.",
        ),
        Misconception(
            altered(paired_difference, "(spread / target) ** 2", "spread / target"),
            "The number of pairs is too small: to halve a standard error takes four times as many.",
        ),
        Misconception(
            altered(paired_difference, "(spread / target) ** 2", "(spread / np.sqrt(len(d)) / target) ** 2"),
            "That many times as many pairs are needed; asked for is their number in all.",
        ),
        Misconception(
            altered(paired_difference, "np.ceil", "np.floor"),
            "You round down: with one pair less than needed the standard error is still above the target.",
        ),
        Misconception(
            altered(paired_difference, "int(np.ceil((spread / target) ** 2))", "(spread / target) ** 2"),
            "Nobody can run a part of a pair: round up to a whole number.",
        ),
    ],
    hints=["Subtract first, then do statistics; `np.std` takes `ddof`.", "The standard error is s/√n. Solve for n."],
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
            "The difference is less than one standard error from zero; with other seeds it may turn round.",
        ),
        "b": (
            "Recipe A: it is simpler, and the data show no difference.",
            "The 95 % interval, mean ± 2.36 standard errors for eight pairs, holds zero, so the simpler one wins; ten times "
            "as many pairs might say more.",
        ),
        "c": (
            "They are proved equal.",
            "No difference was *found*. The interval still allows B to be better by six tenths of a point, or worse by a third.",
        ),
        "d": (
            "Recipe A, because its best run, 0.967, is the best of all sixteen.",
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
    hints=["Is zero within t standard errors of the mean difference, t = 2.36 for eight pairs?"],
)


def _audit(project):
    """What the runs of a project show, and whether its words follow from them. Purpose, recipe, rate, seed, steps, scores."""
    try:
        return _facts(project)
    except (KeyError, TypeError, ValueError, IndexError):
        return {"form of `project` (see the comment in the stub)": False}


def _facts(project):
    runs, baseline, chosen = ([tuple(run) for run in project["runs"]], project["baseline"], project["chosen"])
    choosing = [run for run in runs if run[0] == "choose"]
    reported = [run for run in runs if run[0] == "report"]
    scores: dict[Any, Any] = {}  # recipe -> rate -> validation scores
    for _, recipe, rate, _, _, valid, _ in choosing:
        scores.setdefault(recipe, {}).setdefault(float(rate), []).append(float(valid))
    best = {
        recipe: max((float(np.mean(found)), rate) for rate, found in rates.items()) for recipe, rates in scores.items()
    }
    sides = {
        side: {seed: float(test) for _, recipe, _, seed, _, _, test in reported if recipe == side}
        for side in (chosen, baseline)
    }
    shared = sorted(set(sides[chosen]) & set(sides[baseline]))
    mean, low, high = t_interval([sides[chosen][seed] - sides[baseline][seed] for seed in shared])
    follows = "better" if low > 0 else "worse" if high < 0 else "no difference found"
    rates_at_the_edge = any(
        len(scores[side]) < 3 or best[side][1] in (min(scores[side]), max(scores[side])) for side in (chosen, baseline)
    )
    others = [score for recipe, (score, _) in best.items() if recipe != baseline]
    return {
        "form of `project` (see the comment in the stub)": len(choosing) + len(reported) == len(runs) > 0,
        "budget of 20 runs of at most 500 steps": len(runs) <= 20 and all(run[4] <= 500 for run in runs),
        "choice among three recipes or more, the baseline one of them": len(best) >= 3 and baseline in best != chosen,
        "choice without the test scores, which are None until the report": all(run[6] is None for run in choosing),
        "chosen recipe: another one has the better validation score": best[chosen][0] >= max(others) - 1e-9,
        "rate of baseline and chosen recipe, best on validation and inside three or more": not rates_at_the_edge,
        "rates in the report, which are those chosen on validation": all(
            run[1] in (chosen, baseline) and float(run[2]) == best[run[1]][1] for run in reported
        ),
        "seeds of the report, which have to be fresh": not {run[3] for run in choosing} & {run[3] for run in reported},
        "pairs of the report: the same seeds on both sides, at least four": len(shared) >= 4
        and set(sides[chosen]) == set(sides[baseline])
        and len(reported) == 2 * len(shared),
        "difference, as recomputed from the runs": abs(project["difference"] - mean) < 5e-4,
        "interval of 95%, as recomputed with Student's t": max(abs(np.subtract(project["interval"], (low, high))))
        < 5e-4,
        "conclusion that follows from the interval": project["conclusion"] == follows,
    }


_MY_PROJECT: dict[str, Any] = {
    "runs": [
        ("choose", "plain", 0.0003, 0, 500, 0.715, None),
        ("choose", "plain", 0.001, 0, 500, 0.72, None),
        ("choose", "plain", 0.003, 0, 500, 0.7, None),
        ("choose", "decay", 0.0003, 0, 500, 0.705, None),
        ("choose", "decay", 0.001, 0, 500, 0.72, None),
        ("choose", "decay", 0.003, 0, 500, 0.705, None),
        ("choose", "dropout", 0.0003, 0, 500, 0.7, None),
        ("choose", "dropout", 0.001, 0, 500, 0.72, None),
        ("choose", "dropout", 0.003, 0, 500, 0.715, None),
        ("report", "plain", 0.001, 1, 500, 0.775, 0.9278),
        ("report", "decay", 0.001, 1, 500, 0.795, 0.9278),
        ("report", "plain", 0.001, 2, 500, 0.75, 0.9056),
        ("report", "decay", 0.001, 2, 500, 0.745, 0.9028),
        ("report", "plain", 0.001, 3, 500, 0.755, 0.9306),
        ("report", "decay", 0.001, 3, 500, 0.765, 0.9306),
        ("report", "plain", 0.001, 4, 500, 0.755, 0.9222),
        ("report", "decay", 0.001, 4, 500, 0.75, 0.9278),
        ("report", "plain", 0.001, 5, 500, 0.71, 0.9139),
        ("report", "decay", 0.001, 5, 500, 0.71, 0.9139),
    ],
    "baseline": "plain",
    "chosen": "decay",
    "difference": 0.00056,
    "interval": (-0.00325, 0.00437),
    "conclusion": "no difference found",
}


def _project_with(**changes):
    return {**_MY_PROJECT, **changes}


def _runs_with(change):
    return _project_with(runs=[change(*run) for run in _MY_PROJECT["runs"]])


_PROJECT = Exercise(
    id="generalization/project",
    notebook="8.4",
    title="Capstone: the project, with its runs",
    kind="measure",
    statement=r"""
        Hand in the runs of your project, as they were: 300 digits with 20% wrong labels, at most 20 runs of at most 500 steps. What is
        checked is the evidence. From your runs are recomputed: the budget; three recipes or more, one of them the baseline;
        for baseline and chosen recipe three rates or more, the best of them inside; a choice by validation alone, with the test
        set unseen; a report on at least four fresh seeds, the same for both sides, at the chosen rates; the mean difference (chosen
        less baseline, test accuracy) and its 95% interval by Student's t (`oc.compare` prints both; the ends to three digits);
        and whether the conclusion follows. It is `"better"` or `"worse"` if the interval excludes 0, else `"no difference found"`,
        which earns as much. Your teacher reads the rest by this rubric, two points each:

        - **Traces**: loss, gradient norm and update size of the baseline, with what is normal about them.
        - **Faults**: two ways to break it, each with the trace by which it would be known.
        - **Recipes**: why each was tried; one thing changed at a time.
        - **Words**: the conclusion in two sentences, with numbers, for whom it holds, and what it does not say.
        - **Repeatable**: someone else's run of the notebook gives the same runs.""",
    stub="""
        RECIPES = {"plain": {}, "decay": {"rule": oc.adamw, "weight_decay": 0.3}}      # and yours

        def one_run(recipe, lr, seed, steps=500):
            \"\"\"(validation accuracy, test accuracy) of one run.\"\"\"
            (X, y), test = oc.digits(500, seed=seed)
            rng = np.random.default_rng(seed)
            y = np.where(rng.random(500) < 0.2, rng.integers(10, size=500), y)
            more = {"rule": oc.adam, **RECIPES[recipe]}
            net = oc.MLP([64, 64, 10], dropout=more.pop("dropout", 0.0), seed=seed)
            oc.train(net, (X[:300], y[:300]), lr=lr, steps=steps, every=steps, seed=seed, **more)
            return oc.accuracy(net(X[300:]), y[300:]), oc.accuracy(net(test[0]), test[1])

        # {"runs": [("choose", "plain", 1e-3, 0, 500, 0.72, None),          purpose, recipe, rate, seed, steps,
        #           ("report", "plain", 1e-3, 1, 500, 0.775, 0.928), …],    validation and test accuracy
        #  "baseline": "plain", "chosen": "decay", "difference": …, "interval": (…, …), "conclusion": "…"}
        project = ...""",
    reference=_MY_PROJECT,
    summary=_audit,
    explanation="Budget, choice, pairs, interval and conclusion hold together.",
    misconceptions=[
        Misconception(
            _runs_with(lambda *run: (*run[:6], 0.9 if run[6] is None else run[6])),
            "Test scores stand beside the runs of the choice. The test set is looked at once, for the report.",
        ),
        Misconception(
            _project_with(
                chosen="dropout",
                runs=[
                    (
                        *run[:1],
                        "dropout" if run[1] == "decay" else "decay" if run[1] == "dropout" else run[1],
                        *run[2:5],
                        run[5] - 0.03 * (run[1] == "decay" and run[0] == "choose"),
                        run[6],
                    )
                    for run in _MY_PROJECT["runs"]
                ],
            ),
            "The recipe that you chose is not the one with the best validation score.",
        ),
        Misconception(
            _runs_with(lambda *run: (*run[:3], 0 if run[3] == 1 else run[3], *run[4:])),
            "A seed of the report was used for the choice: the recipe was picked for its luck with it.",
        ),
        Misconception(
            _runs_with(
                lambda *run: (
                    *run[:3],
                    run[3] + 10 if run[0] == "report" and run[1] == "decay" and run[3] == 5 else run[3],
                    *run[4:],
                )
            ),
            "The two sides do not share their seeds: without pairs the luck of data and start does not cancel.",
        ),
        Misconception(
            _project_with(runs=_MY_PROJECT["runs"] + [("choose", "dropout", 1e-2, 0, 500, 0.5, None)] * 2),
            "The budget is exceeded: 20 runs of at most 500 steps.",
        ),
        Misconception(
            _project_with(difference=0.0056),
            "The difference that you state is not the one in your runs: chosen less baseline.",
        ),
        Misconception(
            _project_with(interval=(-0.00214, 0.00326)),
            "The interval is not the one of your runs. With few pairs Student's t is wider than two standard errors.",
        ),
        Misconception(
            _project_with(conclusion="better"),
            "The conclusion does not follow: the interval contains 0. No difference found is a result, too.",
        ),
        Misconception(
            _project_with(runs=[run for run in _MY_PROJECT["runs"] if run[0] == "report" or run[2] < 0.002]),
            "The best rate is the largest that you tried: nobody knows what the next one would have done. Widen the grid.",
        ),
    ],
    hints=[
        "Nine runs choose: three recipes at three rates. Ten report: five fresh seeds for each of two sides.",
        "`oc.compare` and the page's own functions give mean and interval of paired differences.",
    ],
)


# --- 8.5 a loss surface, seen -----------------------------------------------------------------------------------------


def filter_direction(D, W):
    length = lambda A: np.sqrt((A**2).sum(axis=(1, 2, 3), keepdims=True))
    return D / length(D) * length(W)


_FILTER = Exercise(
    id="generalization/filter-direction",
    notebook="8.5",
    title="A direction for a convolution, filter by filter",
    statement=r"""
        The weights `W` of a convolution have the shape (outputs, inputs, height, width), as in PyTorch: `W[o]` is the filter of the
        output `o`, with all its inputs. `D` is a random array of the same shape. Return `D` with every filter brought to the length
        of the filter of `W` in the same place, its direction kept.""",
    stub='''
        def filter_direction(D, W):
            """D, filter by filter as long as W."""
            ...''',
    reference=filter_direction,
    cases=lambda rng: [
        (np.array([[[[2.0]]], [[[-1.0]]]]), np.array([[[[3.0]]], [[[0.5]]]])),
        (rng.normal(size=(2, 3, 2, 2)), rng.normal(size=(2, 3, 2, 2))),
        (rng.normal(size=(3, 3, 1, 2)), rng.normal(size=(3, 3, 1, 2)) * np.array([0.0, 1.0, 5.0])[:, None, None, None]),
    ],
    misconceptions=[
        Misconception(
            lambda D, W: D / np.linalg.norm(D) * np.linalg.norm(W),
            "You bring the layer as a whole to its length. A filter of small weights then gets a step that is far too "
            "long for it.",
        ),
        Misconception(
            altered(filter_direction, "(1, 2, 3)", "(0, 2, 3)"),
            "You measure by input: what belongs together is everything that leads to one output.",
        ),
        Misconception(
            altered(filter_direction, "(1, 2, 3)", "(2, 3)"),
            "You measure every kernel for itself. A filter has one kernel for each input, and they count as one.",
        ),
        Misconception(
            altered(filter_direction, " * length(W)", ""),
            "All your filters have length 1: the direction does not know how long the weights are.",
        ),
        Misconception(
            lambda D, W: D * np.sqrt((W**2).sum(axis=(1, 2, 3), keepdims=True)),
            "You multiply by the length of the weights and leave that of the random filter in it.",
        ),
        Misconception(
            lambda D, W: (
                D / np.abs(D).sum(axis=(1, 2, 3), keepdims=True) * np.abs(W).sum(axis=(1, 2, 3), keepdims=True)
            ),
            "You measure length by the sum of sizes; the Euclidean length is meant.",
        ),
    ],
    hints=[
        "On the page a filter was a column. Which axes does a filter of this layer span?",
        "`keepdims=True` keeps a length for every filter in a shape that divides the array.",
    ],
)


def twin_step(D, E, alpha):
    return D / alpha, alpha[:, None] * E


_TWIN = Exercise(
    id="generalization/derive-twin-step",
    notebook="8.5",
    title="Derive: the step of a rescaled twin",
    statement=r"""
        A ReLU network has one hidden layer of $k$ units: `W1` is (n, k), `W2` is (k, m). Its twin computes the same function with the
        weights $\alpha_j w_j$ into the unit $j$ and $v_j / \alpha_j$ out of it, for factors `alpha` > 0, shape (k,), one for every
        unit. The twin takes a step: `D` (n, k) is added to its first matrix, `E` (k, m) to its second. Which two steps must the
        network take to be equal to the twin again, for every input? Return both.""",
    stub='''
        def twin_step(D, E, alpha):
            """The two steps of the network that match the steps D and E of its twin."""
            ...''',
    reference=twin_step,
    cases=lambda rng: [
        (np.array([[0.2], [0.4]]), np.array([[0.5]]), np.array([10.0])),
        (rng.normal(size=(2, 2)), rng.normal(size=(2, 2)), np.array([0.5, 4.0])),
        (rng.normal(size=(3, 3)), rng.normal(size=(3, 3)), rng.uniform(0.2, 5, 3)),
    ],
    misconceptions=[
        Misconception(
            lambda D, E, alpha: (D * alpha, E / alpha[:, None]),
            "That is the way from the network to its twin: you go in the opposite direction.",
        ),
        Misconception(
            lambda D, E, alpha: (D, E),
            "You take the twin's step as it is. Its units are larger, so that the same step is smaller for them.",
        ),
        Misconception(
            lambda D, E, alpha: (D / alpha, E),
            "The outgoing weights were rescaled as well, and their step counts for more or less than it says.",
        ),
        Misconception(
            lambda D, E, alpha: (D / alpha, E / alpha[:, None]),
            "The factor goes into one layer and out of the other: it cannot divide both steps.",
        ),
        Misconception(
            lambda D, E, alpha: (D / alpha[: len(D), None], alpha[: E.shape[1]] * E),
            "Your factors run along the inputs and outputs. A hidden unit is a column of the first matrix and a row of "
            "the second.",
        ),
        Misconception(
            lambda D, E, alpha: (D / alpha.mean(), alpha.mean() * E),
            "You use one factor for all units. Every unit has its own.",
        ),
    ],
    hints=[
        "Write what a unit of the twin adds to the output after the step, and take its factor out of the ReLU.",
        "Line 3 of the derivation, unit by unit.",
    ],
)


def chord_barrier(losses):
    t = np.linspace(0, 1, len(losses))
    return np.max(losses - (1 - t) * losses[0] - t * losses[-1])


def _below_the_peak(losses):
    at = np.argmax(losses)
    return losses[at] - np.interp(at, [0, len(losses) - 1], losses[[0, -1]])


_CHORD_BARRIER = Exercise(
    id="generalization/chord-barrier",
    notebook="8.5",
    title="A barrier against the chord",
    statement=r"""
        `losses` holds the loss at evenly spaced points of the straight line between two networks, both ends included. When the ends
        differ in loss, a rise above the **chord**, the straight line between the two end losses, is a finer measure of a barrier than
        the rise above the higher end. Return the largest height of the losses above the chord at one of the points (0 if they lie
        nowhere above it: the ends are on it).""",
    stub='''
        def chord_barrier(losses):
            """The largest height of the losses above the line between the first and the last."""
            ...''',
    reference=chord_barrier,
    cases=lambda rng: [
        (np.array([0.0, 2.0, 1.0]),),
        (np.array([1.0, 2.5, 2.8, 3.0]),),
        (np.array([0.4, 0.3, 0.2, 0.1, 0.2]),),
        (rng.uniform(0, 1, 7),),
        (rng.uniform(0, 1, 8) + np.linspace(0, 2, 8),),
    ],
    misconceptions=[
        Misconception(
            lambda losses: np.max(losses) - max(losses[0], losses[-1]),
            "That is the rise above the higher end. With ends of different loss the chord lies below it.",
        ),
        Misconception(
            lambda losses: np.max(losses) - min(losses[0], losses[-1]),
            "You measure from the lower end: going from it to the higher end would count as a barrier by itself.",
        ),
        Misconception(
            lambda losses: np.max(losses) - (losses[0] + losses[-1]) / 2,
            "You take the middle of the chord for the whole chord. The peak need not be in the middle.",
        ),
        Misconception(
            _below_the_peak,
            "You look below the highest loss. The point that is highest above the chord may be another one.",
        ),
        Misconception(
            lambda losses: losses[len(losses) // 2] - (losses[0] + losses[-1]) / 2,
            "You look half-way only. A barrier may stand anywhere on the line.",
        ),
        Misconception(
            altered(chord_barrier, "(1 - t) * losses[0] - t * losses[-1]", "t * losses[0] - (1 - t) * losses[-1]"),
            "Your chord runs the wrong way: it begins at the last loss.",
        ),
        Misconception(
            altered(chord_barrier, "np.max(", "np.sum("),
            "You add the heights of all points; the answer would grow with their number.",
        ),
    ],
    hints=[
        "The chord at the point t is (1 − t) times the first loss plus t times the last.",
        "Subtract first, then look for the largest.",
    ],
)  # fmt: skip


def two_orders(W1, W2, W3, p, q):
    return W1[:, p], W2[p][:, q], W3[q]


_ORDERS = Exercise(
    id="generalization/two-orders",
    notebook="8.5",
    title="Two hidden layers in another order",
    statement=r"""
        A network with two hidden layers and no biases computes `relu(relu(x @ W1) @ W2) @ W3`. Put the units of the first hidden
        layer into the order `p` (the new unit `i` is the old unit `p[i]`) and those of the second into the order `q`, so that the
        network computes what it did. Return the three matrices.""",
    stub='''
        def two_orders(W1, W2, W3, p, q):
            """The matrices of the same network with its hidden units in the orders p and q."""
            ...''',
    reference=two_orders,
    cases=lambda rng: [
        (
            np.array([[1.0, 2.0, 3.0]]),
            np.diag([1.0, 2.0, 3.0]),
            np.ones((3, 1)),
            np.array([1, 2, 0]),
            np.array([0, 1, 2]),
        ),
        (*(rng.normal(size=(4, 4)) for _ in range(3)), np.array([1, 2, 3, 0]), np.array([2, 0, 3, 1])),
        (
            rng.normal(size=(4, 4)),
            rng.normal(size=(4, 4)),
            rng.normal(size=(4, 2)),
            np.array([3, 1, 0, 2]),
            np.array([1, 3, 0, 2]),
        ),
    ],
    misconceptions=[
        Misconception(
            lambda W1, W2, W3, p, q: (W1[:, p], W2[:, q], W3[q]),
            "The second layer still takes its inputs in the old order: the units before it have moved.",
        ),
        Misconception(
            lambda W1, W2, W3, p, q: (W1[:, p], W2[p], W3),
            "You reorder the first hidden layer alone.",
        ),
        Misconception(
            lambda W1, W2, W3, p, q: (W1[:, p], W2[np.argsort(p)][:, q], W3[q]),
            "Into the second layer you undo the order in place of following it. Its row i belongs to the unit that "
            "stands at i now.",
        ),
        Misconception(
            lambda W1, W2, W3, p, q: (W1[:, np.argsort(p)], W2[np.argsort(p)][:, np.argsort(q)], W3[np.argsort(q)]),
            "The function is the same, but your order is the inverse one: the new unit i is to be the old unit p[i].",
        ),
        Misconception(
            lambda W1, W2, W3, p, q: (W1[:, p], W2[:, p][q], W3[q]),
            "In the middle matrix rows and columns are exchanged: its rows come from the first hidden layer.",
        ),
        Misconception(
            lambda W1, W2, W3, p, q: (W1[:, p], W2[p][:, q], W3),
            "The outputs still add up the second hidden layer in its old order.",
        ),
    ],
    hints=[
        "A unit is a column of the matrix before it and a row of the matrix after it.",
        "The matrix in the middle has to follow both orders.",
    ],
)


EXERCISES = [_SPLIT, _SCALE, _PEAK, _UNDERFIT, _SOFT, _DROPOUT, _DROPOUT_SOLUTION, _BATCH_NORM, _ISTA_BUG, _WHY_SHIFTS_HURT,
             _DERIVE, _SAM, _MIN_NORM,
             _CATAPULT, _RATIO, _DIAGNOSE, _SYMPTOM, _RANGE, _CHECKPOINT, _PAIRED, _RECIPE, _LUCK, _PROJECT,
             _FILTER, _TWIN, _CHORD_BARRIER, _ORDERS]  # fmt: skip
