"""One epoch of a 64-32-10 ReLU network on 1,437 samples, batches of 64, against PyTorch: `python -m bench.network`.

The shapes are those of the digits data. Contenders take turns in one process on one thread, from the same weights
through the same batches; printed are medians and their ratios to PyTorch's eager loop (goal: at most 0.4).
"""

import time

import numpy as np

import optcore as oc

N, SIZES, BATCH, LR, ROUNDS, EPOCHS = 1437, (64, 32, 10), 64, 0.05, 9, 20
rng = np.random.default_rng(0)
X = rng.standard_normal((N, SIZES[0])).astype(np.float32)
y = np.argmax(X @ rng.standard_normal((SIZES[0], SIZES[-1])), axis=1)
start = oc.MLP(SIZES, dtype=np.float32)


def with_optcore() -> list[np.ndarray]:
    net = start.copy()
    oc.train(net, (X, y), oc.momentum, LR, epochs=EPOCHS, batch=BATCH, every=10**9, seed=0)
    return [net.params[name] for name in ("W1", "b1", "W2", "b2")]


def with_torch(foreach: bool) -> list[np.ndarray]:
    linears = [torch.nn.Linear(a, b) for a, b in zip(SIZES[:-1], SIZES[1:], strict=True)]
    model = torch.nn.Sequential(linears[0], torch.nn.ReLU(), linears[1])
    with torch.no_grad():
        for k, linear in enumerate(linears, start=1):
            linear.weight[:] = torch.from_numpy(start.params[f"W{k}"].T.copy())
            linear.bias[:] = torch.from_numpy(start.params[f"b{k}"].copy())
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9, foreach=foreach)
    samples, labels, batches = torch.from_numpy(X), torch.from_numpy(y), np.random.default_rng(0)
    for _ in range(EPOCHS):
        for part in oc.minibatches(N, BATCH, batches):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(samples[part]), labels[part]).backward()
            optimizer.step()
    return [array.detach().numpy() for linear in linears for array in (linear.weight.T, linear.bias)]


contenders = {"optcore": with_optcore}
try:
    import torch
except ImportError:
    print("PyTorch is not installed: optcore alone is timed.")
else:
    torch.set_num_threads(1)
    contenders["torch eager"] = lambda: with_torch(foreach=False)
    contenders["torch foreach"] = lambda: with_torch(foreach=True)

seconds: dict[str, list[float]] = {name: [] for name in contenders}
for _ in range(ROUNDS):
    results = {}
    for name, run in contenders.items():
        begin = time.perf_counter()
        results[name] = run()
        seconds[name].append(time.perf_counter() - begin)

median = {name: float(np.median(times)) / EPOCHS for name, times in seconds.items()}
reference = median.get("torch eager", median["optcore"])
for name, value in median.items():
    apart = max(np.abs(a - b).max() for a, b in zip(results[name], results["optcore"], strict=True))
    print(f"{name:14} {1e3 * value:7.2f} ms an epoch   ratio {value / reference:5.2f}   weights differ by {apart:.0e}")
