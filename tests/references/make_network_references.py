"""What PyTorch gives for losses, layers, initial scales and a short training: `python make_network_references.py`.

Writes network.npz next to this file: inputs and results, float64. Needs PyTorch; the tests need the file alone and,
where PyTorch is installed, make the arrays again and compare. Weights are stored as (in, out).
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

FILE = Path(__file__).with_name("network.npz")


def _tensor(array):
    array = np.asarray(array)
    return torch.tensor(array, dtype=torch.float64 if array.dtype.kind == "f" else torch.int64)


def _leaf(array):
    return _tensor(array).requires_grad_()


def _numpy(*tensors):
    return [t.detach().numpy().copy() for t in tensors]


def losses(rng) -> dict:
    scores, targets = 3 * rng.normal(size=(7, 5)), rng.normal(size=(7, 5))
    labels, rows = rng.integers(0, 5, 7), rng.dirichlet(np.ones(5), 7)
    data = {"scores": scores, "targets": targets, "labels": labels, "rows": rows}
    made = {
        "mse": lambda p: F.mse_loss(p, _tensor(targets)),
        "mae": lambda p: F.l1_loss(p, _tensor(targets)),
        "huber": lambda p: F.huber_loss(p, _tensor(targets), delta=0.7),
        "binary_cross_entropy": lambda p: F.binary_cross_entropy_with_logits(p, _tensor(rows)),
        "cross_entropy": lambda p: F.cross_entropy(p, _tensor(labels)),
        "cross_entropy_rows": lambda p: F.cross_entropy(p, _tensor(rows)),
        "multiclass_hinge": lambda p: 5 * F.multi_margin_loss(p, _tensor(labels)),
    }
    for name, loss in made.items():
        p = _leaf(scores)
        value = loss(p)
        value.backward()
        data |= {f"{name}_value": value.item(), f"{name}_grad": p.grad.numpy()}
    return data


def activations(rng) -> dict:
    z = np.concatenate([np.linspace(-6, 6, 41), [-30.0, 30.0]])
    made = {
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "relu": F.relu,
        "leaky_relu": F.leaky_relu,
        "gelu": lambda x: F.gelu(x, approximate="tanh"),
    }
    data = {"z": z}
    for name, phi in made.items():
        x = _leaf(z)
        a = phi(x)
        a.sum().backward()
        data |= {f"{name}_a": a.detach().numpy(), f"{name}_slope": x.grad.numpy()}
    return data


def norms(rng) -> dict:
    x, g, gamma, beta = rng.normal(2, 3, (6, 4)), rng.normal(size=(6, 4)), rng.normal(size=4), rng.normal(size=4)
    data = {"x": x, "g": g, "gamma": gamma, "beta": beta}
    for name, layer in {"batch": nn.BatchNorm1d(4), "layer": nn.LayerNorm(4)}.items():
        layer = layer.double()
        with torch.no_grad():
            layer.weight[:], layer.bias[:] = _tensor(gamma), _tensor(beta)
        for mode in ("train", "eval"):
            getattr(layer, mode)()
            layer.zero_grad()
            inputs = _leaf(x)
            out = layer(inputs)
            out.backward(_tensor(g))
            kept = _numpy(out, inputs.grad, layer.weight.grad, layer.bias.grad)
            data |= dict(zip((f"{name}_{mode}_{k}" for k in ("out", "dx", "dgamma", "dbeta")), kept, strict=True))
    batch = nn.BatchNorm1d(4).double()
    for part in (x, x[:3] - 1):
        batch(_tensor(part))
    return data | {"running_mean": batch.running_mean.numpy(), "running_var": batch.running_var.numpy()}


def lstm(rng) -> dict:
    x, g = rng.normal(size=(3, 6, 2)), rng.normal(size=(3, 4))
    W, U, b = rng.normal(size=(2, 16)), rng.normal(size=(4, 16)), rng.normal(size=16)
    cell = nn.LSTM(2, 4, batch_first=True).double()
    with torch.no_grad():
        cell.weight_ih_l0[:], cell.weight_hh_l0[:] = _tensor(W.T.copy()), _tensor(U.T.copy())
        cell.bias_ih_l0[:], cell.bias_hh_l0[:] = _tensor(b), torch.zeros(16)
    inputs = _leaf(x)
    _, (h, c) = cell(inputs)
    h[0].backward(_tensor(g))
    grads = [cell.weight_ih_l0.grad.T, cell.weight_hh_l0.grad.T, cell.bias_ih_l0.grad]
    names = ("h", "c", "dx", "dW", "dU", "db")
    return {"x": x, "g": g, "W": W, "U": U, "b": b} | dict(
        zip(names, _numpy(h[0], c[0], inputs.grad, *grads), strict=True)
    )


def transformer(rng) -> dict:
    """Logits and gradients of two blocks with two heads, made of PyTorch's own layers."""
    shapes = dict(E1=(5, 4), P1=(6, 4)) | {f"{key}{k}": (4, 4) for k in (1, 2) for key in "QKVO"}
    shapes |= dict(W1=(4, 16), W2=(16, 4), W3=(4, 16), W4=(16, 4), W5=(4, 5), b1=16, b2=4, b3=16, b4=4, b5=5)
    shapes |= {f"gamma{k}": 4 for k in range(1, 6)}
    start = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    tokens, y = rng.integers(0, 5, (3, 6)), rng.integers(0, 5, (3, 6))
    p = {name: _leaf(value) for name, value in start.items()}
    later = torch.triu(torch.ones(6, 6, dtype=torch.bool), 1)
    x = F.embedding(_tensor(tokens), p["E1"]) + p["P1"]
    for k in (1, 2):
        h = F.rms_norm(x, (4,), p[f"gamma{2 * k - 1}"], eps=1e-5)
        joined = torch.cat([p[f"{key}{k}"].T for key in "QKV"])
        x = x + F.multi_head_attention_forward(
            *(h.transpose(0, 1),) * 3, 4, 2, joined, None, None, None, False, 0.0, p[f"O{k}"].T, None,
            attn_mask=later, need_weights=False,
        )[0].transpose(0, 1)  # fmt: skip
        h = F.rms_norm(x, (4,), p[f"gamma{2 * k}"], eps=1e-5)
        h = F.gelu(h @ p[f"W{2 * k - 1}"] + p[f"b{2 * k - 1}"], approximate="tanh")
        x = x + h @ p[f"W{2 * k}"] + p[f"b{2 * k}"]
    logits = F.rms_norm(x, (4,), p["gamma5"], eps=1e-5) @ p["W5"] + p["b5"]
    F.cross_entropy(logits.reshape(-1, 5), _tensor(y).reshape(-1)).backward()
    data = {"tokens": tokens, "y": y, "logits": logits.detach().numpy()}
    return data | {f"start_{k}": v for k, v in start.items()} | {f"grad_{k}": v.grad.numpy() for k, v in p.items()}


def training(rng) -> dict:
    """60 steps of AdamW on a network with both kinds of parameters, gradients clipped, batches in turn."""
    X, y = rng.normal(size=(40, 6)), rng.integers(0, 3, 40)
    model = nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.Tanh(), nn.Linear(8, 3)).double()
    start = {"W1": rng.normal(size=(6, 8)), "W2": rng.normal(size=(8, 3)), "b1": rng.normal(size=8), "b2": np.ones(3)}
    with torch.no_grad():
        for k, layer in ((1, model[0]), (2, model[3])):
            layer.weight[:], layer.bias[:] = _tensor(start[f"W{k}"].T.copy()), _tensor(start[f"b{k}"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(_tensor(X)), _tensor(y))
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        losses.append(loss.item())
    end = dict(zip(("W1", "b1", "gamma1", "beta1", "W2", "b2"), _numpy(*model.parameters()), strict=True))
    end = {f"end_{k}": v.T if v.ndim == 2 else v for k, v in end.items()}
    return {"X": X, "y": y, "losses": np.array(losses)} | {f"start_{k}": v for k, v in start.items()} | end


def scales(rng) -> dict:
    """Gains, and the largest weight of PyTorch's uniform initializers on a wide matrix."""
    torch.manual_seed(0)
    names = ("linear", "sigmoid", "tanh", "relu", "leaky_relu")
    data = {f"gain_{name}": nn.init.calculate_gain(name) for name in names}
    W = torch.empty(500, 200, dtype=torch.float64)  # (out, in)
    data["xavier"] = nn.init.xavier_uniform_(W, gain=2.0).abs().max().item()
    data["kaiming"] = nn.init.kaiming_uniform_(W, a=0.3, nonlinearity="leaky_relu").abs().max().item()
    linear = nn.Linear(200, 500)
    return data | {"linear": linear.weight.abs().max().item(), "linear_bias": linear.bias.abs().max().item()}


def make() -> dict[str, np.ndarray]:
    """Every array, named topic.name."""
    torch.set_num_threads(1)
    return {
        f"{topic.__name__}.{name}": np.asarray(value)
        for topic in (losses, activations, norms, lstm, transformer, training, scales)
        for name, value in topic(np.random.default_rng(0)).items()
    }


if __name__ == "__main__":
    arrays = make()
    np.savez_compressed(FILE, **arrays)
    print(f"{FILE.name}: {len(arrays)} arrays, {FILE.stat().st_size} bytes, PyTorch {torch.__version__}")
