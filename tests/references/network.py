"""The arrays of network.npz, by topic (see make_network_references.py)."""

from pathlib import Path

import numpy as np

ARRAYS = dict(np.load(Path(__file__).with_name("network.npz")))


def topic(name: str) -> dict[str, np.ndarray]:
    """What is stored as name.…, under the rest of its key."""
    found = {key.removeprefix(f"{name}."): value for key, value in ARRAYS.items() if key.startswith(f"{name}.")}
    assert found, f"no arrays of {name}"
    return found
