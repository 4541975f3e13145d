"""`train`: the loop that trains a network by mini-batches, and what it saw."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .data import Data, minibatches
from .losses import accuracy, cross_entropy
from .network import Network
from .optimizer import Optimizer
from .rule_spec import is_elementwise
from .rules import adam
from .support import explains, progress_bar, whole

__all__ = ["History", "train"]


@dataclass
class History:
    """What `train` saw. Arrays of one entry a step, then of one entry an evaluation (the first before any step).

    names: the parameters, the last axis of the norms. loss: (steps,), of each mini-batch before its
    step, without penalty; lr: (steps,); grad_norm: (steps, names), before clipping. step:
    (evaluations,), how many steps had been made; train_loss, train_accuracy, valid_loss, valid_accuracy:
    (evaluations,), in evaluation mode, nan where there is nothing to measure; weight_norm: (evaluations,
    names); probes: name -> (evaluations, …). stopped: "budget", "early" or "diverged". best_step: the
    step with the lowest monitored loss.
    """

    names: tuple[str, ...]
    loss: Any = field(default_factory=list)
    lr: Any = field(default_factory=list)
    grad_norm: Any = field(default_factory=list)
    step: Any = field(default_factory=list)
    train_loss: Any = field(default_factory=list)
    train_accuracy: Any = field(default_factory=list)
    valid_loss: Any = field(default_factory=list)
    valid_accuracy: Any = field(default_factory=list)
    weight_norm: Any = field(default_factory=list)
    probes: dict[str, Any] = field(default_factory=dict)
    stopped: str = "budget"
    best_step: int = 0

    def _finish(self) -> "History":
        for name, value in vars(self).items():
            if isinstance(value, list):
                setattr(self, name, np.array(value))
        self.probes = {name: np.array(values) for name, values in self.probes.items()}
        return self

    def summary(self) -> str:
        """One sentence: how long, why it ended, and the last losses and accuracies."""
        parts = [f"{len(self.loss)} steps ({self.stopped})"]
        for part in ("train", "valid"):
            loss, right = getattr(self, f"{part}_loss")[-1], getattr(self, f"{part}_accuracy")[-1]
            if np.isfinite(loss):
                parts.append(f"{part} loss {loss:.3g}" + ("" if np.isnan(right) else f", accuracy {right:.3f}"))
        return "; ".join(parts)


def _norms(vector: np.ndarray, begins: np.ndarray) -> np.ndarray:
    """The Euclidean norms of the parts of a vector."""
    norms = np.sqrt(np.add.reduceat(vector * vector, begins))
    if np.isinf(norms).any() and np.isfinite(vector).all():  # squares of float32 numbers overflow at 2e19
        return np.sqrt(np.add.reduceat(np.square(vector, dtype=float), begins))
    return norms


def _endless(n: int, batch: int | None, rng: np.random.Generator) -> Iterator:
    """Mini-batches epoch after epoch; the whole set, in its order, when there is but one batch."""
    while True:
        yield from [slice(None)] if batch is None or batch >= n else minibatches(n, batch, rng)


def _optimizer(net: Network, rule: Callable, lr: Any, hyper: dict, overrides: Mapping) -> tuple[Optimizer, Any]:
    """The Optimizer and its gradients: on one long vector if the rule is element-wise, else on each layer's arrays."""
    if not overrides and is_elementwise(rule):
        return Optimizer(rule, net.theta, lr, **hyper), net.grad
    return Optimizer(rule, net.params, lr, overrides=overrides, **hyper), net.grads


@explains
def train(
    net: Network,
    data: Data,
    rule: Callable = adam,
    lr: Any = 1e-3,
    *,
    epochs: int = 20,
    steps: int | None = None,
    batch: int | None = 64,
    valid: Data | None = None,
    loss: Callable = cross_entropy,
    penalty: Callable | None = None,
    clip: float | None = None,
    augment: Callable | None = None,
    stop: Any = None,
    overrides: Mapping[str, tuple] | None = None,
    monitor: str | None = None,
    probes: Mapping[str, Callable] | None = None,
    every: int | None = None,
    classify: bool = True,
    seed: int | np.random.Generator = 0,
    progress: bool | None = None,
    **hyper: Any,
) -> History:
    """Train a network in place by mini-batches and return the `History`.

    data, valid: (X, y). lr: a number, a schedule of the step t = 0, 1, …, or a feedback schedule such as
    `ReduceLROnPlateau`, which is told the monitored loss at each evaluation. epochs, or steps when
    given, is the budget; batch=None is the full set. Every `every` steps (an epoch) the losses and
    accuracies of both sets are taken; classify=False leaves the accuracies out. hyper: hyper-parameters
    of the rule.

    penalty(weights) -> (value, grad) is added to the gradient of the matrices, biases left out. clip:
    the largest norm of the whole gradient, all layers together (the factor min(1, c/(‖g‖ + 1e-6)) of
    `clip_norm`). augment(X, rng) changes each batch of inputs. stop: an object such as `EarlyStopping`
    with `step(loss) -> bool`; the parameters of the best evaluation are put back at the end. monitor:
    "valid" (default if there is a validation set), "train" or "batch" (the latest mini-batch): the loss
    that feedback and `stop` see. overrides: another (rule, lr) or (rule, lr, hyper) for some parameters
    by name, or for all "vectors" (biases and norms); matrix rules need it. probes: name -> function of
    the network, recorded at each evaluation.

    Element-wise rules move one long vector, other rules one layer at a time. A loss that is not finite
    ends the run as "diverged". The seed fixes batches and augmentation; progress shows a bar (None: on a
    terminal only). Raises ValueError for empty or ragged data and settings that do not exist.

    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> from optcore import MLP
    >>> net = MLP([2, 8, 2], "tanh", seed=1)
    >>> history = train(net, (X, np.array([0, 1, 1, 0])), lr=0.05, steps=200, batch=None)
    >>> history.stopped, float(history.train_accuracy[-1])
    ('budget', 1.0)
    """
    X, y = np.asarray(data[0], net.dtype), np.asarray(data[1])
    if len(X) == 0 or len(X) != len(y):
        raise ValueError(f"Training needs as many targets as samples and at least one; got {len(y)} and {len(X)}.")
    monitor = monitor or ("train" if valid is None else "valid")
    if monitor not in ("train", "valid", "batch") or (monitor == "valid" and valid is None):
        raise ValueError(f"monitor must be 'train', 'batch', or 'valid' with a validation set; got {monitor!r}.")
    feedback = lr if hasattr(lr, "step") else None
    optimizer, gradients = _optimizer(net, rule, lr, hyper, overrides or {})
    rng = np.random.default_rng(seed)
    batch = None if batch is None else whole("batch", batch)
    every = None if every is None else whole("every", every)
    per_epoch = 1 if batch is None else -(-len(X) // batch)
    budget = whole("epochs", epochs, 0) * per_epoch if steps is None else whole("steps", steps, 0)
    if clip is not None and not clip >= 0:
        raise ValueError(f"clip must be 0 or more; it was {clip}.")
    begins = np.array([place[-1] for place in net._places.values()])
    seen = History(tuple(net.params), probes={name: [] for name in probes or {}})
    best, best_loss = None, np.inf

    def measure(part: str, samples: Data | None) -> float:
        value = right = np.nan
        if samples is not None:
            scores = net(samples[0])
            value = float(loss(scores, samples[1])[0])
            right = accuracy(scores, samples[1]) if classify else np.nan
        getattr(seen, f"{part}_loss").append(value)
        getattr(seen, f"{part}_accuracy").append(right)
        return value

    def evaluate(step: int, latest: float) -> float:
        seen.step.append(step)
        monitored = {"batch": latest, "train": measure("train", (X, y)), "valid": measure("valid", valid)}
        seen.weight_norm.append(_norms(net.theta, begins))
        for name, probe in (probes or {}).items():
            seen.probes[name].append(probe(net))
        return monitored[monitor]

    with np.errstate(over="ignore", invalid="ignore"):
        evaluate(0, np.nan)
        counted = progress_bar(range(1, budget + 1), progress, "step", budget)
        for step, part in zip(counted, _endless(len(X), batch, rng), strict=False):
            inputs = X[part] if augment is None else augment(X[part], rng)
            value, grad = net.loss_and_grad(inputs, y[part], loss)
            if penalty is not None:
                grad[: net.weights.size] += penalty(net.weights)[1]
            norms = _norms(grad, begins)
            seen.loss.append(value)
            seen.grad_norm.append(norms)
            seen.lr.append(optimizer.now()["lr"])
            if not np.isfinite(value):
                seen.stopped = "diverged"
                break
            if clip is not None:
                grad *= min(1.0, clip / (float(np.linalg.norm(norms)) + 1e-6))
            optimizer.step(gradients)
            if step % (every or per_epoch) == 0 or step == budget:
                monitored = evaluate(step, value)
                if monitored < best_loss:
                    best_loss, seen.best_step = monitored, step
                    best = net.copy() if stop is not None else None
                if feedback:
                    feedback.step(monitored)
                if stop is not None and stop.step(monitored):
                    seen.stopped = "early"
                    break
    if best is not None:
        net.load(best)
    return seen._finish()
