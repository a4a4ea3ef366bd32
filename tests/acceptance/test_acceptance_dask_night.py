"""A bad night on a cluster: everything is killed that can be, and each customer is created once, never too fast.

Off by default: `DASK_NIGHT_ROWS=20000` plays it with so many rows, at 400/s over three workers.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.conftest import User, Witness, exactly_once, people, sandbox, serving, wait_until
from tests.dask_cluster import DaskCluster
from tests.postgres import Server, own_server

ROWS = int(os.environ.get("DASK_NIGHT_ROWS", "0"))
RATE, WORKERS, LEASE_S, KILLS = 400, 3, "4", 8
LOOK_S, STRETCH_S, AFTER_S = 0.25, 3.0, 8.0
"""How often it is looked how many requests have come, how long a stretch is, and how long after a fault one begins."""
WELL_USED, MANY_LEFT = 0.95, 0.9
"""The share of the rate that is used until this share of the rows was sent: at the end, rows are looked up alone."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ROWS, reason="DASK_NIGHT_ROWS says how many rows"),
    pytest.mark.timeout(1_800),
]


@dataclass
class Night:
    """A run of many rows, and all that it depends on."""

    user: User
    witness: Witness
    cluster: DaskCluster
    server: Server
    profile: Path
    url: str
    faults: list[tuple[float, float]] = field(default_factory=list)
    looks: list[tuple[float, int, int, int]] = field(default_factory=list)
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
            began = time.monotonic()
            fault()
            self.faults.append((began, time.monotonic()))

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

    # ------------------------------------------------------------------ what is seen

    def watched(self, over: threading.Event) -> None:
        """Note how many requests have come, and how many of them were refused for a while."""
        while not over.wait(LOOK_S):
            with suppress(OSError):
                ledger = self.witness.ledger()
                refused = ledger["faults"].get("status", 0)
                self.looks.append((time.monotonic(), ledger["requests"], refused, ledger["customers"]))

    def shares(self) -> Sequence[float]:
        """The share of the rate that was used in every stretch in which nothing went wrong."""
        return list(self._shares())

    def _shares(self) -> Iterator[float]:
        steps = int(STRETCH_S / LOOK_S)
        before = int(2 / LOOK_S)
        for first in range(before, len(self.looks) - steps):
            began, requests, *_ = self.looks[first]
            ended, more, refused, customers = self.looks[first + steps]
            calm = all(not (fault - STRETCH_S <= began <= mended + AFTER_S) for fault, mended in self.faults)
            if calm and customers < MANY_LEFT * ROWS and refused == self.looks[first - before][2]:
                yield (more - requests) / (ended - began) / RATE


@pytest.fixture
def night(user: User, profile_for: Callable[..., Path], dask_cluster: DaskCluster) -> Iterator[Night]:
    with own_server(durable=True) as server, serving(user, "--faults", "migration-night") as witness:
        lines = [f'rate = "{RATE}/s"', "concurrency = 32", "looks_after_s = [0, 0.5, 2]"]
        profile = profile_for(witness, delivery=lines)
        yield Night(user, witness, dask_cluster, server, profile, server.database())


def test_workers_scheduler_program_and_database_are_killed_and_each_customer_is_created_once(night: Night) -> None:
    over = threading.Event()
    watch = threading.Thread(target=night.watched, args=(over,))
    night.cluster.start(WORKERS, night.environ)
    watch.start()
    try:
        night.plays()
        code = night.ends()
    finally:
        over.set()
        watch.join()
    ledger, shares = night.witness.ledger(), night.shares()
    used = f"{statistics.mean(shares or [0]):.3f} on average, {min(shares, default=0):.3f} at least"
    print(f"{ledger['requests']} requests, {ledger['largest_window']} in the busiest second")  # noqa: T201
    print(f"{len(shares)} calm stretches; used: {used}")  # noqa: T201

    (results,) = night.user.home.glob("runs/*/results.csv")  # `show` would look at every row again that was in doubt
    assert code == 0
    assert len(night.user.reads(results)) == ROWS
    exactly_once(night.witness, night.user.reads(results))
    assert ledger["largest_window"] <= RATE
    assert not shares or statistics.mean(shares) >= WELL_USED
