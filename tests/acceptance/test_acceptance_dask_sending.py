"""Rows that the workers of a Dask cluster send, as users start it: each exactly once, whoever dies meanwhile."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.acceptance.collector import attributes, collecting
from tests.acceptance.conftest import Ran, User, Witness, ended, logged, people, serving_here, wait_for, wait_until
from tests.acceptance.dask_team import CONCURRENCY, DELIVERY, Team, engines, workers_that_checked
from tests.dask_cluster import DaskCluster, cluster_in
from tests.postgres import JOURNAL, shared_server
from tests.proxy import proxy_to

ROWS = 120
IMPATIENT = ["read_timeout_s = 3", "breaker_faults = 6", "breaker_probe_s = 0.5", "breaker_give_up_s = 4"]
"""For whoever is cut off from the target."""
HANGS, WITHOUT_API, WITHOUT_DATABASE, WITHOUT_SCHEDULER = 1, 2, 3, 4
ProfileFor = Callable[..., Path]
BY_ONE = {"IMPORTER_ENGINE__KIND": "asyncio", "IMPORTER_SOURCE__PROCESSES": "1"}
WRONG = "".join(f"W-{number},,Example,,\nV-{number},Ann,,ann@example,555\n" for number in range(1_500))


def rejected(user: User, ran: Ran) -> list[dict[str, str]]:
    """What a run says about rows that are wrong, but for its own name."""
    return [{**row, "_run": ""} for row in user.reads(ran.json["files"]["rejects"])]


@pytest.fixture
def team(user: User, witness: Witness, profile_for: ProfileFor, dask_cluster: DaskCluster) -> Team:
    """With a cluster that the test starts, and may end."""
    return Team(user, witness, dask_cluster, profile_for(witness, delivery=DELIVERY))


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DaskCluster, Witness]]:
    """A cluster of two workers, and the emulator whose credentials they have."""
    with cluster_in(tmp_path_factory.mktemp("shared") / "cluster") as cluster, serving_here() as witness:
        cluster.start(2, {**witness.environ, "IMPORTER_JOURNAL": shared_server().url(JOURNAL)})
        yield cluster, witness


@pytest.fixture
def team_of_two(user: User, profile_for: ProfileFor, two_workers: tuple[DaskCluster, Witness]) -> Team:
    """With a cluster that is as it was after the test."""
    cluster, witness = two_workers
    return Team(user, witness, cluster, profile_for(witness, delivery=DELIVERY))


def test_a_journal_in_a_file_is_refused(user: User) -> None:
    pytest.importorskip("distributed", reason="the group 'dask' is not installed")
    ran = user.types("run", user.has("people.csv", people(3)), "--engine", "dask")
    assert ran.code == 2
    assert "sends only where the journal is in PostgreSQL" in ran.err
    assert "--engine asyncio" in ran.err
    assert not (user.home / "runs").exists()

    user.types("run", "people.csv")
    for command in ("resume", "retry"):
        ran = user.types(command, "last", "--engine", "dask")
        assert (ran.code, "sends only where" in ran.err) == (2, True)

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
@pytest.mark.xdist_group("dask_sending")
def test_workers_send_a_file_and_go_on_after_the_program_was_stopped_and_after_it_was_killed(team_of_two: Team) -> None:
    team, rows = team_of_two, 3 * ROWS
    planned = team.types("plan", team.user.has("people.csv", people(rows)), "--out", "plan.json", **BY_ONE)
    assert planned.code == 0, planned
    stopped = team.starts("run", "--plan", "plan.json")  # refused, if workers made other bodies of the rows
    wait_for(lambda: team.sent() > ROWS // 6, stopped)
    stopped.send_signal(signal.SIGINT)
    ran = ended(stopped)
    counts = ran.json["counts"]
    assert (ran.code, counts["created"] + counts["unsent"], counts["unknown"]) == (130, rows, 0)
    assert workers_that_checked(team.user) == [2]
    assert (counts["created"], team.nobody_sends()) == (team.sent(), True)

    killed = team.starts("resume", "last")
    wait_for(lambda: team.sent() > counts["created"] + ROWS // 6, killed)
    killed.kill()
    killed.communicate()
    wait_until(team.nobody_sends)
    assert team.sent() < rows

    left, dask = rows - team.sent(), ("--engine", "dask", "--scheduler", team.cluster.address)
    with collecting() as collector:
        otel = {"IMPORTER_OTEL__ENABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        ran = team.types(
            "resume", "last", *dask, IMPORTER_ENGINE__KIND="asyncio", IMPORTER_ENGINE__SCHEDULER="", **otel
        )
    assert ran.code == 0, ran
    team.is_complete(ran)
    (run,) = collector.named("run")
    creates = [one for one in map(attributes, collector.named("request")) if one["importer.kind"] == "create"]
    assert [one.get("importer.worker", "") != "" for one in creates] == [True] * left
    assert {(one.trace_id, one.parent_span_id) for one in collector.named("request")} == {(run.trace_id, run.span_id)}
    assert ran.json["rate"]["workers"] >= 1  # one of them may have been quick enough for all rows
    workers = {event.get("worker") for event in map(json.loads, logged(team.user).splitlines())}
    assert len(workers - {None}) >= 2


@pytest.mark.slow
@pytest.mark.xdist_group("dask_sending")
def test_a_run_that_is_stopped_or_killed_while_workers_check_it_is_checked_again_as_one_process_does(
    team_of_two: Team,
) -> None:
    team, user = team_of_two, team_of_two.user
    file, by_row = user.has("wrong.csv", people(0) + WRONG), {"IMPORTER_SOURCE__BATCH_ROWS": "1"}
    stopped = team.starts("run", file, **by_row)
    with team.workers_hang_while_they_check(stopped):
        stopped.send_signal(signal.SIGINT)
        ran = ended(stopped)
    assert (ran.code, team.asked("SELECT FROM importer.runs"), engines(user)) == (130, [], [])

    killed = team.starts("run", file, **by_row)
    with team.workers_hang_while_they_check(killed):
        killed.kill()
        killed.communicate()
    wait_until(team.nobody_sends)
    assert team.asked("SELECT phase FROM importer.runs") == [("loading",)]

    ran = team.types("resume", "last")
    alone = team.types("run", "--dry-run", file, **BY_ONE)
    assert (ran.code, workers_that_checked(user)) == (3, [2, 2]), ran
    assert rejected(user, ran) == rejected(user, alone)


@pytest.mark.slow
@pytest.mark.xdist_group("dask_sending")
def test_a_worker_that_lacks_something_is_named_and_nothing_is_sent(team_of_two: Team) -> None:
    team = team_of_two
    sent = team.sent()
    able = f"dask at {team.cluster.address}: 2 workers of this version with the variables that sending needs"
    assert team.engine_found() == ("ok", able)
    team.cluster.start_worker(3, {"IMPORTER_JOURNAL": team.url})
    team.cluster.wait_for_workers(3)

    status, found = team.engine_found()
    ran = team.types("run", team.user.has("people.csv", people(3)))
    team.cluster.send(3, signal.SIGKILL)

    missing = "ROCKETKOR_API_KEY and ROCKETKOR_API_SECRET are not set in its environment"
    assert (ran.code, status) == (2, "fail")
    assert missing in found
    assert missing in ran.json["error"]
    assert team.sent() == sent


@pytest.mark.slow
def test_a_worker_is_killed_then_all_and_the_scheduler_and_the_program_sends_the_rest_itself(team: Team) -> None:
    team.cluster.start(2, team.environ)
    running = team.starts("run", team.user.has("people.csv", people(2 * ROWS)))
    wait_for(lambda: team.sent() > ROWS // 6, running)
    team.cluster.send(1, signal.SIGKILL)
    wait_for(lambda: team.sent() > ROWS, running)
    team.cluster.send(0, signal.SIGKILL)
    team.cluster.send(2, signal.SIGKILL)

    ran = ended(running)
    assert ran.code == 0, ran
    team.is_complete(ran)


@pytest.mark.slow
def test_workers_that_hang_or_are_cut_off_lose_their_rows_and_send_none_of_them_again(
    team: Team, profile_for: ProfileFor
) -> None:
    cluster, team = team.cluster, replace(team, lease_s="4")
    with proxy_to(shared_server().port) as database, proxy_to(cluster.port) as scheduler:
        cluster.start(0)
        cluster.start_worker(HANGS, team.environ)
        cluster.start_worker(WITHOUT_API, team.environ)
        cluster.start_worker(WITHOUT_DATABASE, team.at_database(database))
        cluster.start_worker(WITHOUT_SCHEDULER, team.environ, scheduler=f"tcp://127.0.0.1:{scheduler.port}")
        cluster.wait_for_workers(4)
        hangs, without_api, without_database, _ = (one.pid for one in cluster.processes[1:])
        with proxy_to(urlsplit(team.witness.base_url).port or 0, (hangs, without_api)) as api:
            way = replace(team.witness, base_url=f"http://127.0.0.1:{api.port}")
            behind = replace(team, profile=profile_for(way, delivery=[*DELIVERY, *IMPATIENT]))
            running = behind.starts("run", team.user.has("people.csv", people(2 * ROWS)))
            wait_for(team.sees_senders(4), running)

            api.hold(hangs)
            api.hold(without_api)
            wait_for(lambda: min(api.held_back[hangs], api.held_back[without_api]) >= CONCURRENCY, running)
            cluster.send(HANGS, signal.SIGSTOP)  # all its requests are under way
            api.heal(hangs)
            database.hold()
            scheduler.hold()
            assert running.poll() is None
            wait_for(lambda: team.holds_nothing(without_database), running)
            database.heal()
            scheduler.heal()

            ran = ended(running, within_s=150)
            assert ran.code == 0, ran
            team.is_complete(ran)
            asked = team.witness.ledger()["counts"]["create"]

            cluster.send(HANGS, signal.SIGCONT)
            wait_until(team.nobody_is_connected)
            assert team.witness.ledger()["counts"]["create"] == asked
            team.is_complete(ran)


@pytest.mark.slow
def test_workers_that_the_target_refuses_leave_their_rows_to_others_and_the_last_ones_to_the_program(
    team: Team, profile_for: ProfileFor
) -> None:
    team.cluster.start(2, team.environ)
    rows = 2 * ROWS
    one, other = (process.pid for process in team.cluster.processes[1:3])
    with proxy_to(urlsplit(team.witness.base_url).port or 0, (one, other)) as api:
        way = replace(team.witness, base_url=f"http://127.0.0.1:{api.port}")
        behind = replace(team, profile=profile_for(way, delivery=[*DELIVERY, "breaker_give_up_s = 2"]))
        api.hold(one)
        api.hold(other)
        running = behind.starts("run", team.user.has("people.csv", people(rows)))
        wait_for(lambda: min(api.held_back[one], api.held_back[other]) > 0, running)
        api.heal(one)
        api.heal(other)
        wait_for(lambda: team.sent() > ROWS // 6, running)

        api.reset(one)
        sent = team.sent()
        wait_for(lambda: api.refused[one] > 0 and team.sent() > sent + ROWS // 3, running)
        assert running.poll() is None
        api.reset(other)
        sent = team.sent()
        wait_for(lambda: api.refused[other] > 0, running)

        ran = ended(running, within_s=150)
        assert (ran.code, sent < rows) == (0, True), ran
        team.is_complete(ran)


@pytest.mark.slow
def test_workers_of_this_machine_get_what_they_need_from_the_program(team: Team) -> None:
    environ = {"IMPORTER_ENGINE__SCHEDULER": "", "IMPORTER_SOURCE__PROCESSES": "2"}

    ran = team.types("run", team.user.has("people.csv", people(ROWS)), **environ)

    assert ran.code == 0, ran
    team.is_complete(ran)
    assert ran.json["rate"]["workers"] >= 1
