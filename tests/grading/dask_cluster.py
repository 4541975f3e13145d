"""A scheduler and two workers of Dask, each a process of its own on 127.0.0.1."""

import contextlib
import os
import subprocess
import sys
import time

import psutil

from book.course import ROOT

QUIET = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "3", "DASK_DISTRIBUTED__DIAGNOSTICS__NVML": "False"}


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


class Cluster:
    """Its address, its processes, the folder for temporary files of each worker."""

    def __init__(self, folder, walls):
        self.folder, self.processes = folder, []
        file = folder / "scheduler.json"
        self.start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        until(file.exists)
        self.workers = []
        for number, wall in enumerate(walls):
            scratch = folder / f"scratch {number}"
            scratch.mkdir()
            (scratch / "of somebody else").write_text("stays")
            more = {"TMPDIR": str(scratch)} | ({} if wall else {"PATH": str(folder)})
            self.workers.append(
                self.start(
                    "worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-nanny", "--no-dashboard",
                    "--local-directory", str(scratch), **more,
                )
            )  # fmt: skip
        from distributed import Client

        with Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(len(walls), timeout=60)
            self.address = client.scheduler.address

    def start(self, what, *words, **env):
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *words]
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **QUIET, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.processes.append(process)
        return process

    def servers(self, worker):
        with contextlib.suppress(psutil.NoSuchProcess):
            return psutil.Process(worker.pid).children(recursive=True)
        return []
