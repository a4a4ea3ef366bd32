"""A user whose rows are sent by the workers of a real Dask cluster, with a journal in a real PostgreSQL."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString

import psycopg

from tests.acceptance.conftest import Ran, User, Witness, exactly_once, logged, sandbox, wait_for
from tests.dask_cluster import DaskCluster
from tests.postgres import shared_server
from tests.proxy import Proxy

RATE, CONCURRENCY = 60, 8
DELIVERY = [f'rate = "{RATE}/s"', "looks_after_s = [0, 0.1, 0.4]", f"concurrency = {CONCURRENCY}"]
_SENDERS: LiteralString = (
    "SELECT DISTINCT pid FROM importer.leases JOIN importer.lots USING (token) JOIN importer.rows USING (run)"
    " WHERE ordinal BETWEEN first AND last AND state = 'created'"
)


def engines(user: User) -> list[dict[str, object]]:
    """What the logs of all runs say about the engine that checked their rows."""
    return [event for event in map(json.loads, logged(user).splitlines()) if event["event"] == "engine_changed"]


def workers_that_checked(user: User) -> list[object]:
    """How many workers of Dask have checked rows, as the logs of all runs say, one after the other."""
    assert {event["kind"] for event in engines(user)} == {"dask"}
    return [event["workers"] for event in engines(user)]


@dataclass
class Team:
    """A user, a journal in PostgreSQL, an emulator, and a cluster whose workers have all that they need."""

    user: User
    witness: Witness
    cluster: DaskCluster
    profile: Path
    lease_s: str = "2"
    url: str = field(default_factory=lambda: shared_server().emptied())

    @property
    def environ(self) -> Mapping[str, str]:
        return {**self.witness.environ, "IMPORTER_JOURNAL": self.url, "IMPORTER_JOURNAL__LEASE_S": self.lease_s}

    @property
    def by_cluster(self) -> Mapping[str, str]:
        return {"IMPORTER_ENGINE__KIND": "dask", "IMPORTER_ENGINE__SCHEDULER": self.cluster.address}

    def types(self, *command: str | Path, **environ: str) -> Ran:
        options = (*sandbox(self.profile), "--json", "--quiet")
        return self.user.types(*command, *options, **{**self.environ, **self.by_cluster, **environ})

    def starts(self, *command: str | Path, **environ: str) -> subprocess.Popen[str]:
        options = (*sandbox(self.profile), "--json", "--quiet")
        return self.user.starts(*command, *options, **{**self.environ, **self.by_cluster, **environ})

    @contextmanager
    def workers_hang_while_they_check(self, running: subprocess.Popen[str]) -> Iterator[None]:
        """Stop two workers for a block, as soon as they check rows."""
        wait_for(lambda: bool(engines(self.user)), running)
        for number in (1, 2):
            self.cluster.send(number, signal.SIGSTOP)
        try:
            yield
        finally:
            for number in (1, 2):
                self.cluster.send(number, signal.SIGCONT)

    def engine_found(self) -> tuple[str, str]:
        """What `doctor` says of the engine."""
        (found,) = [one for one in self.types("doctor").json["checks"] if one["check"] == "engine"]
        return found["status"], found["message"]

    def at_database(self, way: Proxy) -> Mapping[str, str]:
        """The environment of a worker that reaches the database on this way alone."""
        return {**self.environ, "IMPORTER_JOURNAL": self.url.replace(f":{shared_server().port}/", f":{way.port}/")}

    def nobody_sends(self) -> bool:
        """Whether every lease is over."""
        return self.asked("SELECT FROM importer.leases WHERE expires >= clock_timestamp()") == []

    def holds_nothing(self, process: int) -> bool:
        """Whether what a process was sending is anybody's."""
        return (process,) not in self.asked("SELECT pid FROM importer.leases")

    def nobody_is_connected(self) -> bool:
        """Whether all that the program and its workers did with the journal is over."""
        return self.asked("SELECT FROM pg_stat_activity WHERE application_name = 'importer'") == []

    def sees_senders(self, count: int) -> Callable[[], bool]:
        """A look for workers that have created customers, which remembers those that it has seen."""
        seen: set[tuple[int]] = set()

        def sees() -> bool:
            seen.update(self.asked(_SENDERS))
            return len(seen) >= count

        return sees

    def asked(self, question: LiteralString) -> list[Any]:
        with psycopg.connect(self.url, autocommit=True) as session:
            return session.execute(question).fetchall()

    def sent(self) -> int:
        return int(self.witness.ledger()["customers"])

    def is_complete(self, ran: Ran) -> None:
        """Hold what a run left against what is at the server."""
        shown = ran.json
        assert shown["counts"]["created"] == shown["counts"]["read"], (shown["counts"], logged(self.user))
        exactly_once(self.witness, self.user.reads(shown["files"]["results"]))
        assert self.witness.ledger()["largest_window"] <= RATE
