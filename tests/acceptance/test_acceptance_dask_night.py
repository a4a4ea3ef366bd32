"""A bad night on a cluster: everything is killed that can be, and each customer is created once, never too fast.

`DASK_NIGHT_ROWS=20000` plays the whole night, at 400/s over three workers; by default it is a short one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.conftest import User, Witness, exactly_once, people, sandbox, serving, wait_until
from tests.dask_cluster import DaskCluster
from tests.postgres import Server, own_server

ROWS = int(os.environ.get("DASK_NIGHT_ROWS", "1500"))
RATE, WORKERS, LEASE_S, KILLS = 400, 3, "4", 8

SECOND_S = 1.0 if ROWS >= 20_000 else 0.75
"""Beside other tests, when a request arrives is the machine's doing as well: the witness's second is a shorter one."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_800)]


@dataclass
class Night:
    """A run of many rows, and all that it depends on."""

    user: User
    witness: Witness
    cluster: DaskCluster
    server: Server
    profile: Path
    url: str
    running: subprocess.Popen[str] | None = None
    workers: int = WORKERS

    @property
    def environ(self) -> dict[str, str]:
        return {**self.witness.environ, "IMPORTER_JOURNAL": self.url, "IMPORTER_JOURNAL__LEASE_S": LEASE_S}

    def starts(self, *command: str | Path) -> None:
        by_cluster = {"IMPORTER_ENGINE__KIND": "dask", "IMPORTER_ENGINE__SCHEDULER": self.cluster.address}
        options = (*sandbox(self.profile), "--json", "--quiet")
        self.running = self.user.starts(*command, *options, **self.environ, **by_cluster)

    def sent(self) -> int:
        return int(self.witness.ledger()["customers"])

    # ------------------------------------------------------------------ what goes wrong

    def kill_worker(self) -> None:
        """Kill the oldest worker, and start another one."""
        alive = [number for number, one in enumerate(self.cluster.processes) if number and one.poll() is None]
        self.cluster.send(alive[0], signal.SIGKILL)
        self.start_worker()

    def start_worker(self) -> None:
        self.workers += 1
        self.cluster.start_worker(self.workers, self.environ)

    def kill_scheduler(self) -> None:
        """Kill the scheduler, and start it again with new workers: those that there were end with it, or hang."""
        self.cluster.send(0, signal.SIGKILL)
        for one in self.cluster.processes:
            try:
                one.wait(10)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()
        self.cluster.processes.clear()
        self.cluster.start(0)
        for _ in range(WORKERS):
            self.start_worker()

    def kill_client(self) -> None:
        """Kill the program, and go on with its run as soon as that is free."""
        assert self.running is not None
        self.running.kill()
        self.running.communicate()
        wait_until(self._nobody_sends)
        self.starts("resume", "last")

    def restart_database(self) -> None:
        self.server.stop("immediate")
        self.server.start()

    def _nobody_sends(self) -> bool:
        with psycopg.connect(self.url, autocommit=True) as session:
            found = session.execute(
                "SELECT count(*) FROM importer.leases WHERE expires >= clock_timestamp()"
            ).fetchone()
        return found == (0,)

    def plays(self) -> None:
        """Start the run, and do all that to it, evenly spread over its rows."""
        kills = [self.kill_worker] * (KILLS // 4)
        planned = [*kills, self.kill_scheduler, *kills, self.restart_database, *kills, self.kill_client, *kills]
        self.starts("run", self.user.has("people.csv", people(ROWS)))
        for number, fault in enumerate(planned, start=1):
            self._until_sent(ROWS * number // (len(planned) + 1))
            fault()

    def ends(self) -> int:
        """Wait for its end, and go on with it where it has stopped for the database."""
        for _ in range(3):
            assert self.running is not None
            out, err = self.running.communicate(timeout=900)
            assert "Traceback" not in out + err
            print(f"exit {self.running.returncode}: {out[-400:] if self.running.returncode else ''}")  # noqa: T201
            if self.running.returncode == 0:
                return 0
            self.starts("resume", "last")
        return 1

    def _until_sent(self, rows: int) -> None:
        while self.sent() < rows:
            assert self.running is not None
            if self.running.poll() is not None:
                self.ends()
            time.sleep(0.1)  # noqa: TID251  # what other processes do is real


@pytest.fixture
def night(user: User, profile_for: Callable[..., Path], dask_cluster: DaskCluster) -> Iterator[Night]:
    with own_server(durable=True) as server, serving(user, "--faults", "migration-night") as witness:
        lines = [f'rate = "{RATE}/s"', "concurrency = 32", "looks_after_s = [0, 0.5, 2]"]
        profile = profile_for(witness, delivery=lines)
        yield Night(user, witness, dask_cluster, server, profile, server.database())


def test_workers_scheduler_program_and_database_are_killed_and_each_customer_is_created_once(night: Night) -> None:
    night.cluster.start(WORKERS, night.environ)
    night.plays()

    assert night.ends() == 0
    (results,) = night.user.home.glob("runs/*/results.csv")  # `show` would look at every row again that was in doubt
    assert len(night.user.reads(results)) == ROWS
    exactly_once(night.witness, night.user.reads(results))
    assert night.witness.ledger(SECOND_S)["largest_window"] <= RATE
