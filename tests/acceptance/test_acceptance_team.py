"""Two people, each with a folder of their own, and one journal in PostgreSQL: what one has created, the other knows."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import (
    User,
    Witness,
    ended,
    exactly_once,
    people,
    sandbox,
    user_in,
    wait_for,
    wait_until,
)
from tests.postgres import own_server, shared_server

pytestmark = pytest.mark.slow

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


@pytest.fixture
def journal() -> str:
    return shared_server().database()


def member(user: User, name: str) -> User:
    """Somebody of the team, in a home of their own."""
    home = user.home / name
    home.mkdir()
    return user_in(home)


def test_of_two_people_with_one_file_one_works_and_whoever_goes_on_after_a_death_creates_everybody_once(
    user: User, witness: Witness, profile_for: Callable[..., Path], journal: str
) -> None:
    environ = {**witness.environ, "IMPORTER_JOURNAL": journal, "IMPORTER_JOURNAL__LEASE_S": "2"}
    ana, kim = member(user, "ana"), member(user, "kim")
    profile = profile_for(witness, delivery=['rate = "40/s"', "looks_after_s = [0, 0.1, 0.4]"])
    source = user.has("people.csv", people(300))

    first = ana.starts("run", source, *sandbox(profile), "--quiet", **environ)
    wait_for(lambda: witness.ledger()["customers"] > 20, first)
    refused = kim.types("run", source, *sandbox(profile), "--json", **environ)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    wait_until(
        lambda: kim.types("resume", "last", *sandbox(profile), "--rate", "900/s", "--quiet", **environ).code != 7
    )
    again = kim.types("run", source, *sandbox(profile), "--json", **environ)
    shown = kim.types("show", "last", "--json")

    assert refused.code == 7
    assert f"process {first.pid}" in refused.json["error"]
    assert again.code == 7
    assert shown.json["counts"]["created"] == shown.json["counts"]["read"] == 300
    exactly_once(witness, kim.reads(shown.json["files"]["results"]))


def test_a_check_knows_the_customers_of_the_team_and_a_workspace_keeps_to_its_journal(
    user: User, witness: Witness, profile_for: Callable[..., Path], journal: str
) -> None:
    environ = {**witness.environ, "IMPORTER_JOURNAL": journal}
    ana, kim = member(user, "ana"), member(user, "kim")
    profile = profile_for(witness, delivery=['rate = "900/s"'])
    source = user.has("people.csv", people(40))

    ran = ana.types("run", source, *sandbox(profile), "--json", **environ)
    checked = kim.types("validate", source, "--config", profile, "--json", **environ)
    listed = kim.types("runs", "--json")
    looked_at = kim.types("doctor", "--offline")
    elsewhere = kim.types("runs", IMPORTER_JOURNAL=f"{journal}_other")

    assert ran.code == 0
    assert {one["code"]: one["count"] for one in checked.json["issues"]}["imported_before"] == 40
    assert [run["run_id"] for run in listed.json["runs"]][-1] == ran.json["run_id"]
    assert "sound, in postgresql://127.0.0.1" in looked_at.out
    assert elsewhere.code == 2
    assert "is postgresql://127.0.0.1" in elsewhere.err


def test_a_run_whose_database_goes_away_stops_with_a_sentence_and_is_finished_later(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    with own_server() as server:
        environ = {**witness.environ, "IMPORTER_JOURNAL": server.database(), "IMPORTER_JOURNAL__LEASE_S": "1"}
        profile = profile_for(witness, delivery=['rate = "60/s"', "looks_after_s = [0, 0.1, 0.4]"])
        source = user.has("people.csv", people(200))
        running = user.starts("run", source, *sandbox(profile), "--json", **environ)
        wait_for(lambda: witness.ledger()["customers"] > 20, running)

        server.stop("immediate")
        stopped = ended(running)
        sent = witness.ledger()["customers"]
        unreachable = user.types("resume", "last", *sandbox(profile), "--json", **environ)
        server.start()
        wait_until(lambda: user.types("resume", "last", *sandbox(profile), "--quiet", **environ).code != 7)
        shown = user.types("show", "last", "--json")

    assert stopped.code == 1
    assert "cannot be written" in stopped.json["error"]
    assert sent < 200
    assert unreachable.code == 1
    assert "Check that the server runs" in unreachable.json["error"]
    assert shown.json["counts"]["created"] == 200
    exactly_once(witness, user.reads(shown.json["files"]["results"]))


def test_the_journal_of_a_workspace_is_carried_to_postgresql_whole_and_the_copy_is_safe_to_run_again(
    user: User, witness: Witness, profile_for: Callable[..., Path], journal: str
) -> None:
    profile = profile_for(witness, delivery=['rate = "900/s"'])
    source = user.has("people.csv", people(40))
    user.types("run", source, *sandbox(profile), "--json", **witness.environ)
    named = {**witness.environ, "IMPORTER_JOURNAL": journal}

    refused = user.types("runs", **named)
    copied = user.types("journal", "copy", "--json", **named)
    again = user.types("run", source, *sandbox(profile), "--json", **witness.environ)
    changed = user.has("people.csv", people(41))
    more = user.types("run", changed, *sandbox(profile), "--json", **witness.environ)
    kept = user.home / "runs" / "journal.sqlite3.copied"

    assert refused.code == 2
    assert "importer journal copy" in refused.err
    assert (copied.json["runs"], copied.json["rows"], copied.json["customers"]) == (1, 40, 40)
    assert again.code == 7
    assert {state: count for state, count in more.json["counts"].items() if count} == {
        "read": 41, "created": 1, "existing": 40,
    }  # fmt: skip
    assert kept.exists()
    assert not (user.home / "runs" / "journal.sqlite3").exists()


@pytest.mark.slow
def test_a_runner_with_exactly_the_rights_of_the_ddl_imports_resumes_and_purges_and_doctor_names_what_is_lacking(
    user: User, witness: Witness, profile_for: Callable[..., Path], journal: str
) -> None:
    server, database = shared_server(), journal.rpartition("/")[2]
    runner = f"member_of_{database}"
    server.sql(f"CREATE ROLE {runner} LOGIN")
    owned = user.types("doctor", "--offline", IMPORTER_JOURNAL=journal)
    server.sql((CONFIGS / "journal_roles.sql").read_text(encoding="utf-8"), database)
    kim = member(user, "kim")
    environ = {**witness.environ, "IMPORTER_JOURNAL": server.url(database, runner), "IMPORTER_JOURNAL__LEASE_S": "2"}
    profile = profile_for(witness, delivery=['rate = "40/s"'])
    source = user.has("people.csv", people(120))

    refused = kim.types("doctor", "--offline", "--json", **environ)
    server.sql(f"GRANT importer_runner TO {runner}")
    kim.types("validate", source, "--config", profile, **environ)
    running = kim.starts("run", source, *sandbox(profile), "--quiet", **environ)
    wait_for(lambda: witness.ledger()["customers"] > 2, running)
    running.terminate()
    stopped = ended(running)
    resumed = kim.types("resume", "last", *sandbox(profile), "--rate", "900/s", "--json", **environ)
    server.sql("UPDATE importer.runs SET ended_at = ended_at - 31 * 86400", database)
    purged = kim.types("purge", "--older-than", "30d", "--json", **environ)
    looked_at = kim.types("doctor", "--offline", "--json", **environ)

    assert "is a superuser: more than a runner needs" in owned.out
    assert refused.code == 1
    assert f'GRANT importer_runner TO "{runner}";' in json.dumps(refused.json, ensure_ascii=False).replace('\\"', '"')
    assert (stopped.code, resumed.code, resumed.json["counts"]["created"]) == (143, 0, 120)
    assert [one["run_id"] for one in purged.json["purged"]] == [resumed.json["run_id"]]
    assert {one["status"] for one in looked_at.json["checks"] if one["check"] in {"rights", "journal"}} == {"ok"}
