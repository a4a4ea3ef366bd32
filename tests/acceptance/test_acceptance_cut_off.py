"""A run that was killed: `show` says what its journal knows, `export` writes its files, `resume` goes on."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import User, Witness, ended, exactly_once, people, sandbox, wait_for
from tests.acceptance.test_acceptance_signals import workbook

ROWS = 120
MANY_ROWS = 10_000
"""Their workbook takes longer to write than it takes to see that writing has begun."""


def stopped_and_killed(user: User, witness: Witness, profile: Path) -> str:
    """Stop a run well, and kill the resume that goes on with it; returns its id."""
    source = user.has("people.csv", people(ROWS))
    first = user.starts("run", source, *sandbox(profile), "--json", **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] > 10, first)
    first.send_signal(signal.SIGINT)
    stopped = ended(first).json
    assert stopped["counts"]["unsent"] > 0

    second = user.starts("resume", stopped["run_id"], "--json", **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] > stopped["counts"]["created"] + 20, second)
    second.kill()
    second.communicate()
    return str(stopped["run_id"])


@pytest.mark.slow
def test_after_a_killed_resume_show_says_what_the_journal_knows(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "100/s"', "looks_after_s = [0, 0.2]"])
    run_id = stopped_and_killed(user, witness, profile)

    shown = user.types("show", run_id, "--json").json

    counts, there = shown["counts"], witness.ledger()["customers"]
    assert counts["created"] <= there <= counts["created"] + counts["unknown"]
    assert counts["created"] + counts["unknown"] + counts["unsent"] == counts["read"] == ROWS
    assert shown["state"] == "stopped"
    assert "cut off" in shown["error"]
    assert f"resume {run_id}" in shown["next_command"]
    (listed,) = user.types("runs", "--json").json["runs"]
    assert listed["state"] == "stopped"


@pytest.mark.slow
def test_the_files_of_a_killed_run_are_written_with_its_rows_as_they_stand(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "100/s"', "looks_after_s = [0, 0.2]"])
    run_id = stopped_and_killed(user, witness, profile)

    written = user.types("export", run_id, "--json")

    assert written.code == 4
    assert written.json["counts"] == user.types("show", run_id, "--json").json["counts"]
    rows = user.reads(written.json["files"]["results"])
    states = Counter(row["_status"] for row in rows)
    assert states == {state: count for state, count in written.json["counts"].items() if count and state != "read"}
    assert set(states) <= {"created", "unsent", "unknown"}

    resumed = user.types("resume", run_id, "--json", **witness.environ)
    assert resumed.code == 0, resumed.err
    exactly_once(witness, user.reads(resumed.json["files"]["results"]))
    assert user.types("show", run_id, "--json").json["counts"]["created"] == ROWS


@pytest.mark.slow
def test_a_run_killed_while_its_results_were_written_is_repaired_by_export(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "500/s"'])
    source = workbook(user.home / "people.xlsx", MANY_ROWS, good=20)
    process = user.starts("run", source, *sandbox(profile), "--json", **witness.environ)
    wait_for(lambda: any((user.home / "runs").glob("*/results.csv")), process)
    process.kill()
    process.communicate()

    shown = user.types("show", "last", "--json").json
    assert (shown["counts"]["created"], shown["counts"]["unsent"]) == (20, 0)
    assert f"export {shown['run_id']}" in shown["error"]

    written = user.types("export", "last", "--json")
    assert (written.code, written.json["counts"]) == (3, shown["counts"])
    assert len(user.reads(written.json["files"]["results"])) == MANY_ROWS
    after = user.types("show", "last", "--json").json
    assert (after["state"], after["error"], after["exit_code"]) == ("finished", None, 0)
    assert user.types("show", "last", "--verify").code == 0
    assert len(witness.customers()) == 20


@pytest.mark.slow
def test_a_run_at_work_is_shown_as_such_and_not_exported(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "20/s"'])
    process = user.starts("run", user.has("people.csv", people(100)), *sandbox(profile), "--json", **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] > 5, process)

    shown = user.types("show", "last", "--json").json
    assert (shown["state"], shown["next_step"]) == ("running", "")
    assert f"process {process.pid}" in shown["error"]
    assert user.types("runs", "--json").json["runs"][0]["state"] == "running"
    refused = user.types("export", "last")
    assert (refused.code, f"process {process.pid}" in refused.err) == (7, True)
    assert ended(process).code == 0


@pytest.mark.slow
def test_a_dry_run_killed_while_its_results_were_written_is_repaired_by_export(user: User) -> None:
    source = workbook(user.home / "people.xlsx", MANY_ROWS, good=20)
    process = user.starts("validate", source, "--json")
    wait_for(lambda: any((user.home / "runs").glob("*/results.csv")), process)
    process.kill()
    process.communicate()

    shown = user.types("show", "last", "--json").json
    assert (shown["counts"], shown["state"]) == ({"read": MANY_ROWS, "valid": 20, "invalid": MANY_ROWS - 20}, "stopped")
    written = user.types("export", "last", "--json")
    assert (written.code, written.json["counts"]) == (3, shown["counts"])
    assert user.types("show", "last", "--json").json["state"] == "finished"
