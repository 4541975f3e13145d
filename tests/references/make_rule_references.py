"""The paths that PyTorch and optax take: `python -m tests.references.make_rule_references`, from the root.

Writes rules.npz next to this file and prints, for each call, how far optcore's path is from it and how far optcore's
own path moves when its start moves by 1e-15. Needs torch, jax and optax; the tests need the file alone and, where these
are installed, make the arrays again and compare.
"""

from unittest.mock import patch

import jax
import numpy as np
import optax
import optax.contrib
import torch

import optcore as oc
from tests.references import rules as R

jax.config.update("jax_enable_x64", True)
torch.set_default_dtype(torch.float64)


def clipped(p, max_norm):
    """The parameter p, whose gradient is clipped to a norm before each step."""

    def clip(p):
        torch.nn.utils.clip_grad_norm_([p], max_norm)

    p.register_post_accumulate_grad_hook(clip)
    return p


def in_float64(optimizer):
    """An optimizer class whose step leaves out the rounding to bfloat16."""

    class Exact(optimizer):
        def step(self):
            with patch.object(torch.Tensor, "bfloat16", lambda tensor: tensor):
                super().step()

    return Exact


def torch_path(call, start, gradient, lr, steps=R.STEPS):
    p = torch.tensor(start, requires_grad=True)
    optimizer = eval(call, {"torch": torch, "p": p, "lr": lr, "clipped": clipped, "in_float64": in_float64})
    points = [start]
    for _ in range(steps):
        p.grad = None
        # a linear loss, so that autograd delivers the given gradient
        (p * torch.tensor(gradient(points[-1]))).sum().backward()
        optimizer.step()
        points.append(p.detach().numpy().copy())
    return np.array(points)


def optax_path(call, start, gradient, lr, steps=R.STEPS):
    transform = eval(call, {"optax": optax, "lr": lr})
    p = jax.numpy.asarray(start)
    state, points = transform.init(p), [start]
    for _ in range(steps):
        updates, state = transform.update(jax.numpy.asarray(gradient(points[-1])), state, p)
        p = optax.apply_updates(p, updates)
        points.append(np.array(p))
    return np.array(points)


def path(call, start, gradient, lr):
    return (optax_path if call.startswith("optax") else torch_path)(call, start, gradient, lr)


def schedule(call):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    scheduler = eval(call, vars(torch.optim.lr_scheduler) | {"o": optimizer})
    rates = []
    for _ in range(R.EPOCHS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if scheduler.last_epoch < R.EPOCHS - 1:
            scheduler.step()
    return np.array(rates)


def histories():
    """Falling, noisy, partly negative metrics with runs of equal values and a nan here and there."""
    rng = np.random.default_rng(7)
    falling = np.exp(-np.arange(80) / rng.uniform(2, 40, (50, 1))) + rng.uniform(-1, 1, (50, 1))
    noisy = np.round(falling + rng.normal(size=(50, 80)) * rng.uniform(0, 0.1, (50, 1)), 2)
    return np.where(rng.random((50, 80)) < 0.01, np.nan, noisy)


def plateau(settings, history):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **settings)
    rates = []
    for value in history:
        scheduler.step(value)
        rates.append(optimizer.param_groups[0]["lr"])
    return np.array(rates)


def lbfgs():
    p = torch.tensor(R.START, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [p], R.LBFGS_LR, max_iter=1, history_size=R.LBFGS_MEMORY, tolerance_grad=0, tolerance_change=0
    )

    def closure():
        p.grad = torch.tensor(R.convex_gradient(p.detach().numpy()))
        return torch.zeros(())

    points = [R.START]
    for _ in range(R.LBFGS_STEPS):
        optimizer.step(closure)
        points.append(p.detach().numpy().copy())
    return np.array(points)


def make() -> dict[str, np.ndarray]:
    arrays = {"lbfgs": lbfgs(), "histories": histories()}
    for cases, start, gradient in (
        (R.RULES, R.START, R.gradient),
        (R.MATRIX_RULES, R.MATRIX_START, R.matrix_gradient),
    ):
        for case in cases.values():
            arrays |= {call: path(call, start, gradient, case.lr)[:: R.EVERY] for call in case.calls}
    arrays |= {call: schedule(call) for _, call in R.SCHEDULES.values()}
    for k, settings in enumerate(R.PLATEAUS):
        arrays[f"plateau {k}"] = np.array([plateau(settings, h) for h in arrays["histories"]])
    return arrays


if __name__ == "__main__":
    made = make()
    np.savez_compressed(R.FILE, **made)
    print(f"{'largest difference':>20} {'own sensitivity':>16}  call")
    for cases, start, gradient in (
        (R.RULES, R.START, R.gradient),
        (R.MATRIX_RULES, R.MATRIX_START, R.matrix_gradient),
    ):
        for case in cases.values():
            ours, moved = (
                oc.descend(case.rule, None, x, R.STEPS, case.lr, grad=gradient, **case.hyper).points[:: R.EVERY]
                for x in (start, start + 1e-15)
            )
            for call in case.calls:
                print(f"{np.abs(ours - made[call]).max():20.1e} {np.abs(ours - moved).max():16.1e}  {call}")
