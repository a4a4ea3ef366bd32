"""What one of a team has planned, had approved and sent: another one sees it, writes it again, and goes on with it."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from importer.runs.purge import purge
from tests.acceptance.conftest import User, Witness, exactly_once, people, sandbox, wait_for, wait_until
from tests.acceptance.plans import Site, site_of
from tests.acceptance.test_acceptance_corrections import FIXED, WRONG
from tests.acceptance.test_acceptance_team import member
from tests.postgres import shared_server

ROWS = 12
LATER = 4_000_000_000.0
"""Seconds since the epoch."""


@pytest.fixture
def team(user: User) -> User:
    """Somebody whose journal is that of a team."""
    environ = {**user.environ, "IMPORTER_JOURNAL": shared_server().emptied(), "IMPORTER_JOURNAL__LEASE_S": "2"}
    return replace(user, environ=environ)


def members(team: User, witness: Witness, profile_for: Callable[..., Path], *lines: str) -> tuple[Site, Site]:
    """Two of a team, each with a home of their own, under one policy."""
    site = site_of(team, witness, profile_for)
    slow = profile_for(witness, "slow.toml", delivery=lines) if lines else site.profile
    ana, kim = (replace(team, home=member(team, name).home) for name in ("ana", "kim"))
    return replace(site, user=ana, profile=slow), replace(site, user=kim)


def test_a_plan_is_seen_and_approved_on_another_host_and_its_run_is_seen_and_written_again_there(
    team: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    ana, kim = members(team, witness, profile_for)
    plan = ana.plans(team.has("people.csv", people(ROWS)))
    (waits,) = kim.looks("runs").json["plans"]
    told = kim.user.types("runs", **kim.environ).out
    seen = kim.looks("show", waits["plan"][:8])
    approved = kim.approves(kim.user.home / seen.json["files"]["plan"])
    signed = ana.looks("show", waits["plan"][:8]).json["files"]["plan"]
    ran = ana.types("run", "--plan", signed).json

    assert (waits["job"], waits["rows"], waits["signatures"]) == ("import", ROWS, ["anna"])
    assert f"Plan {waits['plan'][:8]}: import of {ROWS} customers at sandbox" in told
    assert (seen.json["approved"], approved.code) == (False, 0)
    assert waits["plan"] == json.loads(plan.read_text(encoding="utf-8"))["sha256"]
    assert kim.looks("runs").json["plans"] == []

    (listed,) = kim.looks("runs").json["runs"]
    shown = kim.looks("show", "last").json
    unseen = kim.looks("show", "last", "--verify")
    exported = kim.looks("export", "last")
    verified = kim.looks("show", "last", "--verify")

    assert (listed["run_id"], listed["counts"]["created"]) == (ran["run_id"], ROWS)
    assert [(one["author"], [sign["name"] for sign in one["signatures"]]) for one in shown["plans"]] == [
        (ran["plans"][0]["author"], ["anna", "ben"])
    ]
    assert unseen.code == 9
    assert "importer export" in unseen.json["error"]
    assert (exported.code, verified.code) == (0, 0)
    for kind in ("plan", "results", "id_map"):
        theirs = (ana.user.home / ran["files"][kind]).read_bytes()
        assert (kim.user.home / exported.json["files"][kind]).read_bytes() == theirs
    assert verified.json["number"] == 2


@pytest.mark.slow
def test_a_run_by_an_approved_plan_is_gone_on_with_on_another_host_when_nothing_of_the_first_one_is_left(
    team: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    ana, kim = members(team, witness, profile_for, 'rate = "40/s"', "looks_after_s = [0, 0.1]")
    plan = ana.plans(ana.user.has("people.csv", people(120)))
    ana.approves(plan)
    running = ana.user.starts("run", "--plan", plan, *sandbox(ana.profile), "--quiet", **ana.environ)
    wait_for(lambda: witness.ledger()["customers"] > 10, running)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    shutil.rmtree(ana.user.home)

    wait_until(lambda: kim.types("resume", "last").code != 7)
    shown = kim.looks("show", "last").json

    assert shown["counts"]["created"] == 120
    exactly_once(witness, kim.user.reads(shown["files"]["results"]))
    assert kim.looks("show", "last", "--verify").code == 0


def test_corrections_are_in_the_journal_until_a_purge_and_each_host_purges_its_own_files(
    team: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile, environ = profile_for(witness, delivery=['rate = "900/s"']), witness.environ
    ana, kim = (replace(team, home=member(team, name).home) for name in ("ana", "kim"))
    source, corrections = team.has("people.csv", WRONG), team.has("corrections.csv", FIXED)
    ran = ana.types("run", source, "--corrections", corrections, *sandbox(profile), "--json", **environ)

    explained = kim.types("explain", "last", "3", "--show-values", "--json").json
    exported = kim.types("export", "last", "--json").json
    purged = purge(kim.home / "runs", 1.0, LATER)
    gone = kim.types("explain", "last", "3", "--json")
    purge(ana.home / "runs", 1.0, LATER)

    assert ran.code == 0, ran.out
    assert explained["corrected"] == [{"column": "Email", "before": "nobody", "after": "person1@example.com"}]
    assert Path(exported["files"]["corrections"]).name == "corrections.csv"
    assert [one.run_id for one in purged.going] == [ran.json["run_id"]]
    assert gone.code == 2
    assert not [*ana.home.rglob("*.csv"), *kim.home.rglob("*.csv")]


def test_corrections_that_an_earlier_program_has_kept_in_a_directory_alone_are_carried_along(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile, named = profile_for(witness, delivery=['rate = "900/s"']), {"IMPORTER_JOURNAL": shared_server().emptied()}
    ana, kim = member(user, "ana"), member(user, "kim")
    source, corrections = user.has("people.csv", WRONG), user.has("corrections.csv", FIXED)
    ana.types("run", source, "--corrections", corrections, *sandbox(profile), **witness.environ)
    with closing(sqlite3.connect(ana.home / "runs" / "journal.sqlite3")) as journal, journal:
        journal.execute("DELETE FROM run_files")

    carried = ana.types("journal", "copy", "--json", **named)
    explained = kim.types("explain", "last", "3", "--show-values", "--json", **named).json

    assert carried.code == 0, carried.out
    assert explained["corrected"] == [{"column": "Email", "before": "nobody", "after": "person1@example.com"}]
