"""Workspaces with secrets of their own are carried into one journal: whoever is in any of them is known to all."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.conftest import Ran, User, Witness, ended, people, sandbox, user_in, wait_for, wait_until
from tests.postgres import shared_server

ProfileFor = Callable[..., Path]


@pytest.fixture
def journal() -> str:
    return shared_server().database()


@pytest.fixture
def team(user: User, witness: Witness) -> list[User]:
    """Three people, each with a home of their own."""
    found = []
    for name in ("ana", "kim", "lee"):
        (user.home / name).mkdir()
        found.append(user_in(user.home / name))
        found[-1].environ.update(witness.environ)
    return found


def part(of: str, first: int, end: int) -> str:
    """Some lines of a file of people."""
    header, *lines = of.splitlines()
    return "\n".join([header, *lines[first:end]]) + "\n"


def counted(ran: Ran) -> dict[str, int]:
    return {state: count for state, count in ran.json["counts"].items() if count}


def warned(ran: Ran) -> dict[str, int]:
    return {one["code"]: one["count"] for one in ran.json["issues"]}


@pytest.mark.slow
@pytest.mark.parametrize("external_ids", [True, False])
def test_customers_of_two_workspaces_with_different_secrets_are_known_to_whoever_imports_them_again(
    user: User, team: list[User], witness: Witness, profile_for: ProfileFor, journal: str, *, external_ids: bool
) -> None:
    profile, (ana, kim, lee) = profile_for(witness, delivery=['rate = "900/s"']), team
    everybody = people(50, external_ids=external_ids)
    for one, rows in ((ana, (0, 20)), (kim, (20, 40))):
        one.types("run", one.has("people.csv", part(everybody, *rows)), *sandbox(profile), "--quiet")
    file = lee.has("people.csv", everybody)

    first = ana.types("journal", "copy", "--json", IMPORTER_JOURNAL=journal)
    second = kim.types("journal", "copy", "--json", IMPORTER_JOURNAL=journal)
    lee.environ["IMPORTER_JOURNAL"] = journal
    checked = lee.types("validate", file, "--config", profile, "--json")
    planned = lee.types("plan", file, *sandbox(profile), "--json")
    imported = lee.types("run", "--plan", planned.json["files"]["plan"], "--target", "sandbox", "--json")
    other = part(everybody, 19, 22).replace("person20@example.com", "other20@example.com")
    changed = lee.types("run", lee.has("changed.csv", other), *sandbox(profile), "--json") if external_ids else None
    renamed = part(everybody, 25, 26).replace("L-25,", "M-25,").replace("Givenz", "Zoe")
    alike = lee.types("validate", lee.has("alike.csv", renamed), "--config", profile, "--json")
    runs = [one["run_id"] for one in kim.types("runs", "--json").json["runs"]]
    verified = kim.types("show", runs[-2], "--verify", "--json")

    assert [first.json["customers"], second.json["customers"]] == [20, 20]
    assert warned(checked) == {"imported_before": 40}
    assert (counted(imported), warned(imported)) == ({"read": 50, "created": 10, "existing": 40}, {})
    if changed is not None:
        assert (counted(changed), warned(changed)) == ({"read": 3, "existing": 3}, {"differs_from_imported": 1})
    assert witness.ledger()["customers"] == 50
    assert warned(alike).get("possible_duplicate") == 1
    assert (len(runs), verified.code) == (4 if external_ids else 3, 0)


@pytest.mark.slow
def test_a_run_that_was_stopped_before_another_workspace_came_creates_nobody_of_it_again(
    user: User, team: list[User], witness: Witness, profile_for: ProfileFor, journal: str
) -> None:
    profile, (ana, kim, _) = profile_for(witness, delivery=['rate = "30/s"']), team
    everybody = people(150)
    running = ana.starts("run", ana.has("people.csv", everybody), *sandbox(profile), "--quiet")
    wait_for(lambda: witness.ledger()["customers"] > 2, running)
    running.send_signal(signal.SIGTERM)
    stopped = ended(running)
    others = part(everybody, 140, 150)
    kim.types("run", kim.has("others.csv", others), *sandbox(profile), "--rate", "900/s", "--quiet")

    for one in (kim, ana):  # the rows of the stopped run are under a former secret
        assert one.types("journal", "copy", "--json", IMPORTER_JOURNAL=journal).code == 0
    resumed = ana.types("resume", "last", *sandbox(profile), "--rate", "900/s", "--json")

    assert stopped.code == 143
    assert counted(resumed) == {"read": 150, "created": 140, "existing": 10}
    assert witness.ledger()["customers"] == 150


@pytest.mark.slow
def test_a_copy_that_is_killed_in_the_middle_leaves_nothing_and_can_be_made_again(
    user: User, team: list[User], witness: Witness, profile_for: ProfileFor, journal: str
) -> None:
    profile, (ana, kim, _) = profile_for(witness, delivery=['rate = "900/s"']), team
    everybody = people(20)
    for one, rows in ((ana, (0, 10)), (kim, (10, 20))):
        one.types("run", one.has("people.csv", part(everybody, *rows)), *sandbox(profile), "--quiet")
    named = {"IMPORTER_JOURNAL": journal, "IMPORTER_JOURNAL__LEASE_S": "1"}
    ana.types("journal", "copy", **named)

    with psycopg.connect(journal) as session:
        session.execute("LOCK importer.receipts")  # one of the last tables: everything before it is written by then
        copying = kim.starts("journal", "copy", **named)
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'importer.receipts'::regclass"
        wait_until(lambda: session.execute(waiting).fetchone() != (0,) or copying.poll() is not None)
        copying.send_signal(signal.SIGKILL)
        copying.communicate()
    with psycopg.connect(journal) as session:
        left = session.execute("SELECT (SELECT count(*) FROM importer.runs), (SELECT count(*) FROM importer.rows)")
        half = left.fetchone()
    attempts: list[Ran] = []

    def is_copied() -> bool:
        attempts.append(kim.types("journal", "copy", "--json", **named))
        return attempts[-1].code != 7

    wait_until(is_copied)
    with psycopg.connect(journal) as session:
        whole = session.execute("SELECT count(*) FROM importer.runs").fetchone()

    assert (half, whole) == ((1, 10), (2,))
    assert attempts[-1].json["customers"] == 10


@pytest.mark.slow
def test_a_row_that_comes_back_fixed_is_known_as_the_customer_of_another_workspace(
    user: User, team: list[User], witness: Witness, profile_for: ProfileFor, journal: str
) -> None:
    profile, (ana, kim, _) = profile_for(witness, delivery=['rate = "900/s"']), team
    good = people(6)
    bad = good.replace("person3@example.com", "person3.example.com").replace("person4@example.com", "person4@")
    kim.types("run", kim.has("people.csv", part(bad, 2, 6)), *sandbox(profile), "--quiet")
    ana.types("run", ana.has("people.csv", part(good, 0, 4)), *sandbox(profile), "--quiet")
    created = witness.ledger()["customers"]

    for one in (ana, kim):  # the rows of the run that is fixed are under a former secret
        assert one.types("journal", "copy", IMPORTER_JOURNAL=journal).code == 0
    run_id = kim.types("runs", "--json").json["runs"][0]["run_id"]
    rejects = (kim.home / "runs" / run_id / "rejects.csv").read_text(encoding="utf-8")
    fixed = kim.has("fixed.csv", rejects.replace("person3.example.com", "person3@example.com"))
    retried = kim.types("retry", run_id, "--fixed", fixed, *sandbox(profile), "--json")

    assert retried.json["counts"]["existing"] == 1
    assert witness.ledger()["customers"] == created
