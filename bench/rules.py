"""Update rules against PyTorch, optax and the machine's memory: `python -m bench.rules`.

1. A sweep: 10,000 momentum runs (lr × β) of 300 steps on Rosenbrock in float64, all points kept.
   Goals: at most 1.0 × optax (jit, vmap and scan, compiled beforehand), at most 0.5 × torch.func.vmap.
2. One Adam step on ten million float32 parameters. Goals: at most 5 × the time that memory alone needs for its
   4 reads and 3 writes of 40 MB, and faster than torch foreach. As a loop that Numba compiles: at most 1 × memory
   alone, and faster than torch's fused kernel; what compiling took is printed, and what taking it from the disk took.

Contenders take turns in one process on one thread; printed are median and best of the rounds, in processor time,
so that other work on the machine counts less. What is not installed is left out.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

import optcore as oc

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

ROUNDS, STEPS, START = 9, 300, [-1.2, 1.0]
LR, BETA = np.meshgrid(np.geomspace(1e-5, 1e-3, 100), np.linspace(0, 0.99, 100), indexing="ij")
SIZE = 10_000_000


def take_turns(contenders: dict[str, Callable]) -> dict[str, np.ndarray]:
    """Seconds of each round for each contender, after one round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS + 1):
        for name, run in contenders.items():
            begin = time.process_time()
            run()
            seconds[name].append(time.process_time() - begin)
    return {name: np.array(times[1:]) for name, times in seconds.items()}


def table(title: str, seconds: dict[str, np.ndarray], unit: str, reference: float) -> None:
    print(f"{title}\n{'':34}{'median ms':>10}{'best ms':>10}{unit:>18}")
    for name, times in seconds.items():
        print(f"  {name:32}{1e3 * np.median(times):10.1f}{1e3 * times.min():10.1f}{np.median(times) / reference:18.2f}")


# ----------------------------------------------------------------------------------------------------------- sweep


def rosenbrock(w):
    return (1 - w[..., 0]) ** 2 + 100 * (w[..., 1] - w[..., 0] ** 2) ** 2


def sweep_optcore():
    return oc.descend(oc.momentum, oc.rosenbrock, START, STEPS, LR[..., None], beta=BETA[..., None]).points


def sweep_optax(keep: bool) -> Callable:
    import jax
    import optax

    jax.config.update("jax_enable_x64", True)
    grad = jax.grad(rosenbrock)

    def run(lr, beta):
        transform = optax.sgd(lr, momentum=beta)

        def step(carry, _):
            w, state = carry
            updates, state = transform.update(grad(w), state)
            w = optax.apply_updates(w, updates)
            return (w, state), w if keep else None

        start = jax.numpy.array(START)
        (final, _), points = jax.lax.scan(step, (start, transform.init(start)), None, length=STEPS)
        return points if keep else final

    compiled = jax.jit(jax.vmap(jax.vmap(run)))
    return lambda: compiled(LR, BETA).block_until_ready()


def sweep_torch(gradient_of: str) -> Callable:
    import torch

    torch.set_num_threads(1)
    lr, beta = (torch.tensor(a[..., None]) for a in (LR, BETA))

    def by_autograd(w):
        w = w.detach().requires_grad_()
        return torch.autograd.grad(rosenbrock(w).sum(), w)[0]

    by_vmap = torch.func.vmap(torch.func.vmap(torch.func.grad(rosenbrock)))
    grad = {"vmap": by_vmap, "autograd": by_autograd}[gradient_of]

    def run():
        path = torch.empty((STEPS + 1, *LR.shape, 2), dtype=torch.float64)
        path[0] = torch.tensor(START, dtype=torch.float64)
        u = torch.zeros_like(path[0])
        for k in range(STEPS):
            u = beta * u + grad(path[k])
            path[k + 1] = path[k] - lr * u
        return path

    return run


def bench_sweep() -> None:
    contenders: dict[str, Callable] = {"optcore.descend": sweep_optcore}
    last = {"optcore.descend": lambda points: points[-1]}
    if find_spec("optax"):
        contenders |= {"optax vmap + scan": sweep_optax(True), "optax, end points only": sweep_optax(False)}
        last |= {"optax vmap + scan": lambda points: points[..., -1, :], "optax, end points only": lambda w: w}
    if find_spec("torch"):
        contenders |= {"torch.func.vmap(grad)": sweep_torch("vmap"), "torch autograd": sweep_torch("autograd")}
        last |= dict.fromkeys(("torch.func.vmap(grad)", "torch autograd"), last["optcore.descend"])
    for name, run in contenders.items():
        np.testing.assert_allclose(last[name](run()), sweep_optcore()[-1], rtol=1e-6, err_msg=name)
    seconds = take_turns(contenders)
    table(
        f"Sweep, {LR.size:,} momentum runs × {STEPS} steps", seconds, "× optcore", np.median(seconds["optcore.descend"])
    )


# ------------------------------------------------------------------------------------------------ ten million numbers


def step_optcore(w, g, fused: bool = False) -> Callable:
    optimizer = oc.Optimizer(oc.adam, w, lr=1e-3, fused=fused)
    return lambda: optimizer.step(g)


def compile_time() -> None:
    """Seconds of a first step in a new process: compiled, then from the disk; and of one that compiles nothing."""
    script = "import numpy as np, optcore as oc; o = oc.Optimizer(oc.adam, np.ones(2), fused={}); o.step(np.ones(2))"
    with tempfile.TemporaryDirectory() as folder:
        took = []
        for fused in (True, True, False):
            begin = time.perf_counter()
            environment = {**os.environ, "OPTCORE_FUSED": folder}
            subprocess.run([sys.executable, "-c", script.format(fused)], env=environment, check=True)
            took.append(time.perf_counter() - begin)
    compiling, reading, without = took
    print(
        f"  A process with one step: {compiling:.1f} s compiling, {reading:.1f} s from the disk, {without:.1f} s plain"
    )


def step_torch(w, g, **options) -> Callable:
    import torch

    torch.set_num_threads(1)
    p = torch.nn.Parameter(torch.from_numpy(w))
    p.grad = torch.from_numpy(g)
    return torch.optim.Adam([p], lr=1e-3, **options).step


def memory_alone(w, g) -> Callable:
    """What the step must move at the least: g, w, m and v read, w, m and v written, with one operation each."""
    w, m, v = w.copy(), np.zeros_like(w), np.zeros_like(w)

    def run():
        np.add(w, g, out=w)
        np.negative(m, out=m)
        np.negative(v, out=v)

    return run


def bench_adam() -> None:
    rng = np.random.default_rng(0)
    start, g = rng.standard_normal((2, SIZE), dtype=np.float32)
    weights = {"optcore.Optimizer": start.copy()}
    contenders = {"optcore.Optimizer": step_optcore(weights["optcore.Optimizer"], g)}
    if find_spec("numba"):
        weights["optcore.Optimizer, Numba"] = start.copy()
        contenders["optcore.Optimizer, Numba"] = step_optcore(weights["optcore.Optimizer, Numba"], g, fused=True)
    if find_spec("torch"):
        for name, options in {
            "torch fused": {"fused": True},
            "torch foreach": {"foreach": True},
            "torch, one by one": {"foreach": False},
        }.items():
            weights[name] = start.copy()
            contenders[name] = step_torch(weights[name], g, **options)
    contenders["memory alone"] = memory_alone(start, g)
    seconds = take_turns(contenders)
    for name, w in weights.items():
        np.testing.assert_allclose(w, weights["optcore.Optimizer"], atol=1e-6, err_msg=name)
    floor = np.median(seconds["memory alone"])
    title = f"One Adam step on {SIZE:,} float32; memory moves {7 * start.nbytes / floor / 1e9:.0f} GB/s"
    table(title, seconds, "× memory alone", floor)
    if find_spec("numba"):
        compile_time()


if __name__ == "__main__":
    bench_sweep()
    print()
    bench_adam()
