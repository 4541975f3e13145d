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


def cautious(optimizer):
    """An optimizer class whose step keeps the coordinates that go against the gradient (Liang et al. 2024)."""

    class Cautious(optimizer):
        def step(self):
            (p,) = self.param_groups[0]["params"]
            before = p.detach().clone()
            super().step()
            with torch.no_grad():
                update = before - p
                mask = (update * p.grad > 0).to(p.dtype)
                p.copy_(before - update * mask / mask.mean().clamp(min=1e-3))

    return Cautious


class adan(torch.optim.Optimizer):
    """Adan as Algorithm 1 of Xie et al. 2022 says it, their β being 1 minus these, with corrected means."""

    def __init__(self, p, lr):
        super().__init__([p], {"lr": lr})

    @torch.no_grad()
    def step(self):
        (p,) = self.param_groups[0]["params"]
        g, state, betas = p.grad, self.state[p], (0.98, 0.92, 0.99)
        if not state:
            state |= {"t": 0, "before": g.clone(), "means": [torch.zeros_like(g) for _ in betas]}
        state["t"] += 1
        change = g - state["before"]
        for mean, beta, new in zip(state["means"], betas, (g, change, (g + 0.92 * change).square()), strict=True):
            mean.mul_(beta).add_(new, alpha=1 - beta)
        m, v, n = (mean / (1 - b ** state["t"]) for mean, b in zip(state["means"], betas, strict=True))
        p.sub_(self.param_groups[0]["lr"] * (m + 0.92 * v) / (n.sqrt() + 1e-8))
        state["before"] = g.clone()


class soap(torch.optim.Optimizer):
    """SOAP as Algorithms 3 and 4 of Vyas et al. 2024 say it: Adam in axes that follow the means of GGᵀ and GᵀG."""

    def __init__(self, p, lr, eps):
        super().__init__([p], {"lr": lr, "eps": eps})

    @torch.no_grad()
    def step(self):
        (group,) = self.param_groups
        (p,) = group["params"]
        g, state, beta = p.grad, self.state[p], 0.95
        squares = g @ g.T, g.T @ g
        if not state:
            state |= {"t": 0, "m": torch.zeros_like(g), "v": torch.zeros_like(g)}
            state["squares"] = [square * (1 - beta) for square in squares]
            state["axes"] = [torch.linalg.eigh(square).eigenvectors.flip(1) for square in squares]
            return
        state["t"] += 1
        left, right = state["axes"]
        state["m"].lerp_(g, 1 - beta)
        state["v"].lerp_((left.T @ g @ right).square(), 1 - beta)
        correction = 1 - beta ** state["t"]
        turned = (left.T @ state["m"] @ right / correction) / ((state["v"] / correction).sqrt() + group["eps"])
        p.sub_(group["lr"] * left @ turned @ right.T)
        for k, square in enumerate(squares):
            state["squares"][k].lerp_(square, 1 - beta)
            state["axes"][k] = torch.linalg.qr(state["squares"][k] @ state["axes"][k]).Q


def torch_path(call, start, gradient, lr, steps=R.STEPS):
    p = torch.tensor(start.T.copy(), requires_grad=True)  # torch stores a matrix as (out, in)
    tools = {"clipped": clipped, "in_float64": in_float64, "cautious": cautious, "adan": adan, "soap": soap}
    optimizer = eval(call, {"torch": torch, "p": p, "lr": lr} | tools)
    points = [start]
    for _ in range(steps):
        p.grad = None
        # a linear loss, so that autograd delivers the given gradient
        (p * torch.tensor(gradient(points[-1]).T.copy())).sum().backward()
        optimizer.step()
        points.append(p.detach().numpy().T.copy())
    return np.array(points)


def optax_path(call, start, gradient, lr, steps=R.STEPS):
    transform = eval(call, {"optax": optax, "lr": lr})
    p = jax.numpy.asarray(start)
    looks = call.startswith("optax.lookahead")
    p = optax.LookaheadParams.init_synced(p) if looks else p
    state, points = transform.init(p), [start]
    for _ in range(steps):
        updates, state = transform.update(jax.numpy.asarray(gradient(points[-1])), state, p)
        p = optax.apply_updates(p, updates)
        points.append(np.array(p.fast if looks else p))
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


def weight_average():
    """The average beside Adam's path; one call before the first step makes it start from the first weights."""
    swa, model = torch.optim.swa_utils, torch.nn.ParameterList([torch.tensor(R.START)])
    average = swa.AveragedModel(model, multi_avg_fn=swa.get_ema_multi_avg_fn(R.MEMORY))
    average.update_parameters(model)
    optimizer, means = torch.optim.Adam(model.parameters(), R.AVERAGED_LR), []
    for _ in range(R.STEPS):
        model[0].grad = torch.tensor(R.gradient(model[0].detach().numpy()))
        optimizer.step()
        average.update_parameters(model)
        means.append(average.module[0].detach().numpy().copy())
    return np.array(means)[:: R.EVERY]


def make() -> dict[str, np.ndarray]:
    arrays = {"lbfgs": lbfgs(), "histories": histories(), "weight average": weight_average()}
    for cases, start, gradient in (
        (R.RULES, R.START, R.gradient),
        (R.MATRIX_RULES, R.MATRIX_START, R.matrix_gradient),
    ):
        for case in cases.values():
            begin = start if case.start is None else case.start
            arrays |= {call: path(call, begin, gradient, case.lr)[:: R.EVERY] for call in case.calls}
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
            begin = start if case.start is None else case.start
            ours, moved = (
                oc.descend(case.rule, None, x, R.STEPS, case.lr, grad=gradient, **case.hyper).points[:: R.EVERY]
                for x in (begin, begin + 1e-15)
            )
            for call in case.calls:
                print(f"{np.abs(ours - made[call]).max():20.1e} {np.abs(ours - moved).max():16.1e}  {call}")
