"""Rows that the workers of a Dask cluster send, as users start it: each exactly once, whoever dies meanwhile."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.conftest import (
    Ran,
    User,
    Witness,
    ended,
    exactly_once,
    logged,
    people,
    sandbox,
    wait_for,
    wait_until,
)
from tests.dask_cluster import DaskCluster
from tests.postgres import shared_server

ROWS, RATE, LEASE_S = 120, 60, "2"


@dataclass
class Team:
    """A user, a journal in PostgreSQL, an emulator, and a cluster whose workers have all that they need."""

    user: User
    witness: Witness
    cluster: DaskCluster
    profile: Path
    url: str = field(default_factory=lambda: shared_server().emptied())

    @property
    def environ(self) -> Mapping[str, str]:
        return {**self.witness.environ, "IMPORTER_JOURNAL": self.url, "IMPORTER_JOURNAL__LEASE_S": LEASE_S}

    @property
    def by_cluster(self) -> Mapping[str, str]:
        return {"IMPORTER_ENGINE__KIND": "dask", "IMPORTER_ENGINE__SCHEDULER": self.cluster.address}

    def types(self, *command: str | Path, **environ: str) -> Ran:
        options = (*sandbox(self.profile), "--json", "--quiet")
        return self.user.types(*command, *options, **{**self.environ, **self.by_cluster, **environ})

    def starts(self, *command: str | Path) -> subprocess.Popen[str]:
        options = (*sandbox(self.profile), "--json", "--quiet")
        return self.user.starts(*command, *options, **self.environ, **self.by_cluster)

    def nobody_sends(self) -> bool:
        """Whether every lease is over."""
        with psycopg.connect(self.url, autocommit=True) as session:
            found = session.execute(
                "SELECT count(*) FROM importer.leases WHERE expires >= clock_timestamp()"
            ).fetchone()
        return found == (0,)

    def sent(self) -> int:
        return int(self.witness.ledger()["customers"])

    def is_complete(self, ran: Ran) -> None:
        """Hold what a run left against what is at the server."""
        shown = ran.json
        assert shown["counts"]["created"] == shown["counts"]["read"], (shown["counts"], logged(self.user))
        exactly_once(self.witness, self.user.reads(shown["files"]["results"]))
        assert self.witness.ledger()["largest_window"] <= RATE


@pytest.fixture
def team(user: User, witness: Witness, profile_for: Callable[..., Path], dask_cluster: DaskCluster) -> Team:
    lines = [f'rate = "{RATE}/s"', "looks_after_s = [0, 0.1, 0.4]", "concurrency = 8"]
    return Team(user, witness, dask_cluster, profile_for(witness, delivery=lines))


def test_a_journal_in_a_file_is_refused(user: User) -> None:
    pytest.importorskip("distributed", reason="the group 'dask' is not installed")
    ran = user.types("run", user.has("people.csv", people(3)), "--engine", "dask")
    assert ran.code == 2
    assert "sends only where the journal is in PostgreSQL" in ran.err
    assert "--engine asyncio" in ran.err
    assert not (user.home / "runs").exists()

    (user.home / "inbox").mkdir()
    ran = user.types("nightly", "inbox", "--target", "emulator", IMPORTER_ENGINE__KIND="dask")
    assert (ran.code, "sends only where" in ran.err) == (2, True)


def test_the_emulator_inside_the_run_is_refused(user: User) -> None:
    pytest.importorskip("distributed", reason="the group 'dask' is not installed")
    ran = user.types(
        "run", user.has("people.csv", people(3)), "--engine", "dask", IMPORTER_JOURNAL=shared_server().emptied()
    )
    assert (ran.code, "cannot send to the emulator inside the run" in ran.err) == (2, True)


@pytest.mark.slow
def test_a_worker_that_lacks_something_is_named_and_nothing_is_sent(team: Team) -> None:
    team.cluster.start(1, {"IMPORTER_JOURNAL": team.url})

    ran = team.types("run", team.user.has("people.csv", people(3)))

    assert ran.code == 2
    assert "ROCKETKOR_API_KEY and ROCKETKOR_API_SECRET are not set in its environment" in ran.json["error"]
    assert team.sent() == 0


@pytest.mark.slow
def test_two_workers_send_a_file(team: Team) -> None:
    team.cluster.start(2, team.environ)

    ran = team.types("run", team.user.has("people.csv", people(ROWS)))

    assert ran.code == 0, ran
    team.is_complete(ran)
    assert ran.json["rate"]["workers"] >= 1  # one of them may have been quick enough for all rows
    workers = {event.get("worker") for event in map(json.loads, logged(team.user).splitlines())}
    assert len(workers - {None}) >= 2


@pytest.mark.slow
def test_a_worker_is_killed_and_the_others_send_its_rows(team: Team) -> None:
    team.cluster.start(2, team.environ)
    running = team.starts("run", team.user.has("people.csv", people(ROWS)))
    wait_for(lambda: team.sent() > ROWS // 6, running)

    team.cluster.send(1, signal.SIGKILL)

    ran = ended(running)
    assert ran.code == 0, ran
    team.is_complete(ran)


@pytest.mark.slow
def test_the_program_is_killed_its_workers_stop_and_a_resume_goes_on(team: Team) -> None:
    team.cluster.start(2, team.environ)
    running = team.starts("run", team.user.has("people.csv", people(ROWS)))
    wait_for(lambda: team.sent() > ROWS // 6, running)

    running.send_signal(signal.SIGKILL)
    running.communicate()
    wait_until(team.nobody_sends)
    left = team.sent()
    ran = team.types("resume", "last")

    assert left < ROWS
    assert ran.code == 0, ran
    team.is_complete(ran)


@pytest.mark.slow
def test_the_scheduler_is_killed_with_all_workers_and_the_program_sends_the_rest_itself(team: Team) -> None:
    team.cluster.start(1, team.environ)
    running = team.starts("run", team.user.has("people.csv", people(ROWS)))
    wait_for(lambda: team.sent() > ROWS // 6, running)

    team.cluster.send(0, signal.SIGKILL)
    team.cluster.send(1, signal.SIGKILL)

    ran = ended(running)
    assert ran.code == 0, ran
    team.is_complete(ran)


@pytest.mark.slow
def test_a_stop_reaches_the_workers_and_what_is_under_way_is_finished(team: Team) -> None:
    team.cluster.start(2, team.environ)
    running = team.starts("run", team.user.has("people.csv", people(20 * ROWS)))
    wait_for(lambda: team.sent() > ROWS // 6, running)

    running.send_signal(signal.SIGINT)

    ran = ended(running)
    counts = ran.json["counts"]
    assert (ran.code, counts["created"] + counts["unsent"], counts["unknown"]) == (130, 20 * ROWS, 0)
    assert (counts["created"], team.nobody_sends()) == (team.sent(), True)


@pytest.mark.slow
def test_workers_of_this_machine_get_what_they_need_from_the_program(team: Team) -> None:
    environ = {"IMPORTER_ENGINE__SCHEDULER": "", "IMPORTER_SOURCE__PROCESSES": "2"}

    ran = team.types("run", team.user.has("people.csv", people(ROWS)), **environ)

    assert ran.code == 0, ran
    team.is_complete(ran)
    assert ran.json["rate"]["workers"] >= 1
