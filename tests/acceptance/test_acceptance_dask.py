"""Files that are checked on the workers of a Dask cluster, as users start them."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.acceptance.conftest import User, wait_for, wait_until
from tests.acceptance.dask_team import engines
from tests.dask_cluster import DaskCluster

LINE = "{0},Ann,Example,ann{0}@example.com,+1 415 555 01{1:02d}\n"


def people(user: User, count: int) -> Path:
    header = "Customer ID,First Name,Last Name,Email,Phone\n"
    return user.has("people.csv", header + "".join(LINE.format(number, number % 100) for number in range(count)))


def test_a_plan_that_reads_customers_takes_no_engine(user: User) -> None:
    ran = user.types("plan", people(user, 3), "--update", "--engine", "dask")
    assert (ran.code, "--engine" in ran.err) == (2, True)


@pytest.mark.parametrize("address", ["tcp://192.0.2.1:8786", "tcp://scheduler:8786", "127.0.0.1:8786", "tls://host"])
def test_an_address_that_rows_may_not_be_sent_to_is_refused(user: User, address: str) -> None:
    ran = user.types("validate", people(user, 3), "--engine", "dask", "--scheduler", address)
    assert ran.code == 2
    assert "without TLS only on this machine" in ran.err


def test_a_scheduler_is_not_named_for_nothing(user: User) -> None:
    """Whoever names one does not want this process to do the work."""
    ran = user.types("run", people(user, 3), "--scheduler", "tcp://127.0.0.1:8786")
    assert (ran.code, ran.out) == (2, "")
    assert "--scheduler names a Dask scheduler, and the engine is 'asyncio'. Add --engine dask." in ran.err


@pytest.mark.slow
def test_a_scheduler_that_is_not_there_and_one_without_certificates_are_named(user: User) -> None:
    pytest.importorskip("distributed", reason="the group 'dask' is not installed")
    file = people(user, 3)
    ran = user.types("validate", file, "--engine", "dask", "--scheduler", "tls://127.0.0.1:1")
    assert (ran.code, "tls_ca is not set" in ran.err) == (2, True)
    ran = user.types("validate", file, "--engine", "dask", "--scheduler", "tcp://127.0.0.1:1")
    assert (ran.code, "No Dask scheduler answers at tcp://127.0.0.1:1" in ran.err) == (75, True)


@pytest.mark.slow
def test_a_cluster_with_certificates_checks_a_file_and_makes_a_plan(user: User, dask_cluster: DaskCluster) -> None:
    keys = dask_cluster.use_certificates()
    dask_cluster.start(1)
    lines = [f'{key} = "{value}"' for key, value in {"scheduler": dask_cluster.address, **keys}.items()]
    profile = user.has("dask.toml", "\n".join(["[engine]", 'kind = "dask"', *lines]))
    options = (people(user, 300), "--config", profile, "--quiet", "--json")

    ran = user.types("validate", *options, IMPORTER_SOURCE__BATCH_ROWS="20")
    assert (ran.code, ran.json["counts"]) == (0, {"read": 300, "valid": 300, "invalid": 0})
    assert "--engine" not in ran.json["next_command"]
    planned = user.types("plan", *options)
    assert (planned.code, (user.home / planned.json["files"]["plan"]).exists()) == (0, True)
    assert {(event["kind"], event["workers"]) for event in engines(user)} == {("dask", 1)}

    report = user.types("doctor", "--config", profile, "--json").json
    (found,) = [one for one in report["checks"] if one["check"] == "engine"]
    assert (found["status"], "1 worker of this version" in found["message"]) == ("ok", True)
    assert "example.com" not in dask_cluster.log("worker1") + dask_cluster.log("scheduler")


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_nothing_is_left_when_the_program_ends(user: User, number: signal.Signals, code: int) -> None:
    pytest.importorskip("distributed", reason="the group 'dask' is not installed")
    file, kept = people(user, 60_000), user.home / "kept"
    kept.mkdir()
    settings = {"IMPORTER_SOURCE__BATCH_ROWS": "20", "IMPORTER_SOURCE__PROCESSES": "1", "TMPDIR": str(kept)}
    with user.starts("validate", file, "--engine", "dask", **settings) as process:
        wait_for(lambda: bool(engines(user)), process)
        assert process.poll() is None
        workers = [int(child) for child in children_of(process.pid)]
        process.send_signal(number)
        process.communicate()
    assert process.returncode == code
    assert workers
    wait_until(lambda: not any(map(is_running, workers)) and not list(kept.iterdir()))


def children_of(process: int) -> list[str]:
    return [child for tasks in Path(f"/proc/{process}/task").glob("*/children") for child in tasks.read_text().split()]


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
        return not re.search(r"\) Z ", Path(f"/proc/{process}/stat").read_text())
    except (ProcessLookupError, FileNotFoundError):
        return False
