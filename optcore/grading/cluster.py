"""The class on several machines: workers of a Dask cluster run the sandboxes, this process judges."""

import contextlib
import platform
from collections.abc import Iterator
from typing import Any

from . import sandbox


def about() -> dict[str, Any]:
    """What a worker has to have in common with the grader, and whether it can wall off student code."""
    import optcore

    python = ".".join(platform.python_version_tuple()[:2])
    return {"optcore": optcore.__version__, "Python": python, "wall": bool(sandbox.bubblewrap())}


@contextlib.contextmanager
def connected(address: str, plan: bytes, walled: bool) -> Iterator[None]:
    """Let joblib run on the cluster of this scheduler; in the end its workers close their servers.

    Raises RuntimeError, before any student code runs, if a worker has other versions, or no bubblewrap where `walled`.
    """
    try:
        from distributed import Client
        from distributed.comm import get_address_host_port
        from joblib import parallel_config
        from joblib._dask import DaskDistributedBackend
    except ImportError as error:
        raise RuntimeError(f"--dask needs {error.name}: pip install distributed.") from None
    try:
        get_address_host_port(address, strict=True)
        client = Client(address, timeout=5, set_as_default=False)
    except (OSError, ValueError) as error:
        raise RuntimeError(f"No Dask scheduler answers at {address}: {error}.") from None
    with client:
        _check(client, walled)
        try:
            with parallel_config(backend=DaskDistributedBackend(client=client, scatter=[plan]), n_jobs=-1):
                yield
        finally:
            client.run(sandbox.close_all, plan, on_error="ignore")


def _check(client: Any, walled: bool) -> None:
    mine, theirs = about(), client.run(about, on_error="return")
    if not theirs:
        raise RuntimeError("The Dask cluster has no workers yet.")
    for worker, its in theirs.items():
        if isinstance(its, Exception):
            raise RuntimeError(f"Worker {worker} cannot load optcore's grader: {its}.")
        for name in ("optcore", "Python"):
            if its[name] != mine[name]:
                raise RuntimeError(f"Worker {worker} has {name} {its[name]}, here it is {mine[name]}: use the same.")
    bare = [worker for worker, its in theirs.items() if not its["wall"]]
    if walled and bare:
        raise RuntimeError(
            f"No bubblewrap on {len(bare)} of {len(theirs)} workers ({', '.join(bare[:3])}): "
            "install it there, or choose weaker isolation for all with --no-bubblewrap."
        )
