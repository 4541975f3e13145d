"""A class on a real Dask cluster: a scheduler and two workers, each a process of its own on 127.0.0.1."""

import signal

import psutil
import pytest

from optcore.grading.demo import write_class
from tests.grading.dask_cluster import Cluster, until
from tests.grading.test_classroom import finished, rows, run
from tests.grading.wall import require_wall

STUDENTS = 24


@pytest.fixture
def cluster(tmp_path):
    started = []

    def start(*walls):
        (tmp_path / "cluster").mkdir()
        started.append(Cluster(tmp_path / "cluster", walls))
        return started[0]

    yield start
    for process in (process for one in started for process in reversed(one.processes)):
        process.kill()
        process.wait()


@pytest.fixture
def small_class(tmp_path):
    write_class(tmp_path / "class", STUDENTS)
    return tmp_path / "class"


def grades(path):
    return {student: {**row, "notes": ""} for student, row in rows(path).items()}


def test_a_worker_that_is_killed_costs_nobody_a_grade(cluster, small_class, tmp_path):
    require_wall()
    finished(run(small_class, tmp_path / "alone.csv"))
    made = cluster(True, True)
    process = run(small_class, tmp_path / "grades.csv", "--dask", made.address)
    journal = tmp_path / "grades.jsonl"
    until(lambda: process.poll() is not None or (journal.exists() and journal.read_bytes().count(b"\n") > 5))
    assert process.poll() is None
    victim, survivor = made.workers
    its_servers = until(lambda: made.servers(victim))
    victim.send_signal(signal.SIGKILL)
    out = finished(process)
    assert out.startswith("Isolation: bubblewrap on every worker; no network")
    assert (
        grades(tmp_path / "grades.csv") == grades(tmp_path / "alone.csv")
        and len(rows(journal.with_suffix(".csv"))) == 24
    )
    assert (tmp_path / "grades.html").read_text().count("<details>") == STUDENTS
    until(lambda: not made.servers(survivor))
    until(lambda: not any(server.is_running() and server.status() != psutil.STATUS_ZOMBIE for server in its_servers))


def test_a_worker_without_a_wall_is_an_error_or_weak_isolation_and_loses_nothing(cluster, small_class, tmp_path):
    require_wall()
    made = cluster(True, False)
    process = run(small_class, tmp_path / "grades.csv", "--dask", made.address)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1 and err.startswith("error: No bubblewrap on 1 of 2 workers (tcp://127.0.0.1:")
    assert (tmp_path / "grades.jsonl").read_bytes().count(b"\n") == 1  # a head: nobody ran
    out = finished(run(small_class, tmp_path / "grades.csv", "--dask", made.address, "--no-bubblewrap"))
    assert out.startswith("Isolation: WEAK (bubblewrap is switched off)")
    finished(run(small_class, tmp_path / "alone.csv", "--no-bubblewrap"))
    assert grades(tmp_path / "grades.csv") == grades(tmp_path / "alone.csv")
    for number in range(2):
        scratch = made.folder / f"scratch {number}"
        assert (scratch / "of somebody else").read_text() == "stays"
        assert not list(scratch.glob("optcore-*"))
    until(lambda: not any(map(made.servers, made.workers)))


def test_run_after_run_leaves_no_process(cluster, small_class, tmp_path):
    made = cluster(True, True)
    for number in range(2):
        finished(run(small_class, tmp_path / f"{number}.csv", "--dask", made.address))
        until(lambda: not any(map(made.servers, made.workers)))


@pytest.mark.parametrize("address, why", [("tcp://127.0.0.1:1", "No Dask scheduler answers"), ("nowhere", "No Dask")])
def test_a_scheduler_that_is_not_there_is_one_line(small_class, tmp_path, address, why):
    process = run(small_class, tmp_path / "grades.csv", "--dask", address)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1 and why in err and "Traceback" not in err
