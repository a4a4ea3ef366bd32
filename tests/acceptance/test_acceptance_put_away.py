"""Files that a night put away: whole, found again by their runs, renewed when these go on, and purged with them."""

from __future__ import annotations

import random
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from importer.inbox.open_files import shows_writers
from tests.acceptance.conftest import User, Witness, ended, people, serving_here, wait_for

SANDBOX = ("--target", "sandbox", "--json")
NIGHTLY = ("nightly", "inbox", "--json")


@pytest.fixture
def inbox(user: User) -> Path:
    path = user.home / "inbox"
    path.mkdir()
    user.environ.update(IMPORTER_NIGHTLY__SETTLE_S="0.02", IMPORTER_TARGET="emulator")
    return path


def one(ran_json: dict[str, Any]) -> dict[str, Any]:
    (done,) = ran_json["imports"]
    assert isinstance(done, dict)
    return done


def said(verified: dict[str, Any], status: str) -> list[str]:
    return [check["what"] for check in verified["checks"] if check["status"] == status]


# --------------------------------------------------------------------------- whole


@pytest.mark.slow
def test_what_is_written_to_a_file_while_it_is_imported_is_imported_by_the_next_night(
    user: User, inbox: Path, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "20/s"'])
    whole = people(30).splitlines(keepends=True)
    (inbox / "a.csv").write_text("".join(whole[:11]))
    night = user.starts("nightly", "inbox", "--config", profile, *SANDBOX, **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] > 1, night)
    with (inbox / "processing" / "a.csv").open("a") as late:
        late.write("".join(whole[11:]))
    first = ended(night)

    assert (first.code, one(first.json)["fate"], one(first.json)["counts"]["created"]) == (75, "held", 10)
    assert "still writing" in one(first.json)["error"]
    assert list((inbox / "archive").iterdir()) == []

    verified = user.types("show", one(first.json)["run_id"], "--verify", "--json")
    assert (verified.code, said(verified.json, "gone")) == (0, ["source"])

    second = user.types("nightly", "inbox", "--config", profile, "--rate", "500/s", *SANDBOX, **witness.environ)
    counts = one(second.json)["counts"]
    assert (second.code, counts["existing"], counts["created"]) == (0, 10, 20)
    assert len(witness.customers()) == 30
    (put,) = (inbox / "archive").glob("*/a.csv")
    assert put.read_text() == people(30)


def test_a_file_whose_writer_pauses_longer_than_the_rule_is_left_until_it_is_closed(user: User, inbox: Path) -> None:
    if not shows_writers(inbox):
        pytest.skip("the system does not show it")
    whole = people(30).splitlines(keepends=True)
    with (inbox / "a.csv").open("w") as writer:
        writer.write("".join(whole[:11]))
        writer.flush()
        first = user.types(*NIGHTLY)
        assert (first.code, first.json["growing"], first.json["imports"]) == (75, ["a.csv"], [])
        writer.write("".join(whole[11:]))

    assert one(user.types(*NIGHTLY).json)["counts"]["created"] == 30


@pytest.mark.parametrize("seed", [7, 8])
@pytest.mark.slow
def test_nights_that_are_killed_at_any_moment_lose_nothing_and_leave_every_run_verifiable(
    user: User, inbox: Path, witness: Witness, profile_for: Callable[..., Path], seed: int
) -> None:
    profile = profile_for(witness, delivery=['rate = "400/s"', "looks_after_s = [0, 0.1]"])
    options = ("nightly", "inbox", "--config", profile, *SANDBOX)
    moments = random.Random(seed)
    for night in range(1, 7):
        (inbox / f"{night}.csv").write_text(people(30 * night))
        killed = user.starts(*options, **witness.environ)
        with suppress(subprocess.TimeoutExpired):
            killed.wait(0.4 + moments.random())
        killed.kill()
        killed.communicate()
    done = user.types(*options, **witness.environ)

    assert (done.code, user.types(*options, **witness.environ).json["imports"]) == (0, [])
    assert sorted(customer["primaryEmail"]["value"] for customer in witness.customers()) == sorted(
        f"person{number}@example.com" for number in range(180)
    )
    assert sorted(path.name for path in inbox.glob("archive/*/?.csv")) == [f"{night}.csv" for night in range(1, 7)]
    assert not list((inbox / "archive").glob(".*"))
    assert not list((inbox / "processing").iterdir())
    for run in user.types("runs", "--json").json["runs"]:
        assert user.types("show", run["run_id"], "--verify").code == 0


# --------------------------------------------------------------------------- found again


def test_a_run_of_yesterday_is_not_mistaken_for_todays_file_of_the_same_name(
    user: User, inbox: Path, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "500/s"'])
    nightly = ("nightly", "inbox", "--config", profile, *SANDBOX)
    (inbox / "customers.csv").write_text(people(5).replace("person3@example.com", "nonsense"))
    yesterday = one(user.types(*nightly, **witness.environ).json)
    assert yesterday["counts"]["invalid"] == 1
    (inbox / "customers.csv").write_text(people(9))
    (inbox / "customers.csv").rename(inbox / "processing" / "customers.csv")  # a night that was killed at once

    verified = user.types("show", yesterday["run_id"], "--verify", "--json")
    assert (verified.code, {check["status"] for check in verified.json["checks"]}) == (0, {"ok"})
    retried = user.types("retry", yesterday["run_id"], "--config", profile, *SANDBOX, **witness.environ)
    assert (retried.code, retried.json["error"]) == (3, None)

    (put,) = (inbox / "archive").glob("*/customers.csv")
    put.write_text("other")
    assert user.types("show", yesterday["run_id"], "--verify").code == 9
    put.unlink()
    moved = user.types("show", yesterday["run_id"], "--verify", "--json")
    assert (moved.code, said(moved.json, "gone")) == (0, ["source"])
    assert one(user.types(*nightly, **witness.environ).json)["counts"]["created"] == 5


def test_an_annotated_workbook_of_yesterday_is_made_from_yesterdays_file(user: User, inbox: Path) -> None:
    run_id = ""
    for name, first in (("yesterday", "Ann"), ("today", "Bob")):
        book = openpyxl.Workbook()
        for line in (("ID", "First Name", "Last Name", "Email", "Phone"), (name, first, "Doe", "nonsense", "1")):
            book.active.append(line)  # type: ignore[union-attr]
        book.save(inbox / "customers.xlsx")
        if name == "yesterday":
            run_id = one(user.types(*NIGHTLY).json)["run_id"]
    (inbox / "customers.xlsx").rename(inbox / "processing" / "customers.xlsx")
    assert user.types("export", run_id).code in {0, 3}

    annotated = openpyxl.load_workbook(user.home / "runs" / run_id / "customers.annotated.xlsx")
    assert "Ann" in [cell.value for cell in annotated.worksheets[0][2]]


def test_a_receipt_is_compared_with_the_profile_that_is_given(user: User) -> None:
    user.has("p.toml", '[validation]\nphone = "e164"\n')
    user.has("other.toml", '[validation]\nphone = "valid"\n')
    user.types("run", user.has("people.csv", people(3)), "--config", "p.toml")

    assert user.types("show", "last", "--verify", "--config", "p.toml").code == 0
    other = user.types("show", "last", "--verify", "--config", "other.toml", "--json")
    assert (other.code, said(other.json, "differs")) == (9, ["profile"])


# --------------------------------------------------------------------------- renewed


@pytest.fixture
def refused(user: User, inbox: Path, profile_for: Callable[..., Path]) -> Any:
    """A file that was put aside since the API refused too many of its rows; it takes them from now on."""
    faults = user.has("refuse.toml", '[[rule]]\nfault = "status"\nstatus = 422\non = ["create"]\nfor_requests = 7\n')
    with serving_here(faults) as witness:
        profile = profile_for(witness, delivery=['rate = "300/s"', "concurrency = 2", "max_errors = 2"])
        (inbox / "a.csv").write_text(people(40))
        night = user.types("nightly", "inbox", "--config", profile, *SANDBOX, **witness.environ)
        assert (night.code, one(night.json)["fate"]) == (4, "refused")
        environ = {**witness.environ, "IMPORTER_DELIVERY__MAX_ERRORS": "99"}
        yield (
            one(night.json)["run_id"],
            lambda command, run_id: user.types(command, run_id, "--config", profile, *SANDBOX, **environ),
        )


def test_a_refused_file_whose_run_goes_on_by_hand_moves_to_the_archive_with_what_is_true_now(
    user: User, inbox: Path, refused: Any
) -> None:
    run_id, types = refused
    (put,) = (inbox / "failed").iterdir()
    (put / "rejects.csv").rename(put / "rejects.csv.old")
    (put / "rejects.csv").write_text("fixed by hand")
    done = types("resume", run_id)

    assert done.json["counts"]["created"] + done.json["counts"]["rejected"] == 40, done.out
    assert list((inbox / "failed").iterdir()) == []
    (put,) = (inbox / "archive").iterdir()
    statuses = [row["_status"] for row in user.reads(put / "results.csv")]
    assert statuses.count("created") == done.json["counts"]["created"]
    assert not (put / "why.txt").exists()
    assert (put / "a.csv").read_text() == people(40)
    assert (put / "rejects.edited-1.csv").read_text() == "fixed by hand"
    assert user.types("show", run_id, "--verify", "--json").json["verified"] is True


@pytest.mark.slow
def test_results_in_the_archive_are_renewed_when_a_run_is_retried(
    user: User, inbox: Path, profile_for: Callable[..., Path]
) -> None:
    faults = user.has("fail.toml", '[[rule]]\nfault = "status"\nstatus = 500\non = ["create"]\nfor_requests = 3\n')
    with serving_here(faults) as witness:
        profile = profile_for(witness, delivery=['rate = "300/s"', "max_attempts = 1", "concurrency = 1"])
        (inbox / "results.csv").write_text(people(5))
        options = ("--config", profile, *SANDBOX)
        night = one(user.types("nightly", "inbox", *options, **witness.environ).json)
        assert (night["fate"], night["counts"]["created"] < 5) == ("imported", True)
        again = user.types("retry", night["run_id"], *options, **witness.environ)
        assert again.json["counts"]["created"] == 5

    (put,) = (inbox / "archive").iterdir()
    assert {row["_status"] for row in user.reads(put / "importer-results.csv")} == {"created"}
    assert (put / "results.csv").read_text() == people(5)


# --------------------------------------------------------------------------- purged


def aged(user: User, days: float) -> None:
    with closing(sqlite3.connect(user.home / "runs" / "journal.sqlite3")) as journal:
        past = (days * 86_400,)
        journal.execute("UPDATE runs SET ended_at = ended_at - ?1, started_at = started_at - ?1", past)
        journal.execute("UPDATE places SET put_at = put_at - ?1", past)
        journal.commit()


def test_what_nights_put_away_is_purged_with_its_runs_and_what_never_became_one_as_well(
    user: User, inbox: Path
) -> None:
    (inbox / "a.csv").write_text(people(4))
    (inbox / "broken.csv").write_bytes(b"\x00\x01person1@example.com" * 9)
    assert user.types(*NIGHTLY).code == 6
    (inbox / "again.csv").write_text(people(4))
    assert one(user.types(*NIGHTLY).json)["fate"] == "known"
    aged(user, 31)
    (inbox / "young.csv").write_text(people(6))
    assert one(user.types(*NIGHTLY).json)["fate"] == "imported"
    (inbox / "archive" / "20200101T000000Z_theirs").mkdir()
    old = {path.name for path in inbox.glob("*/20*") if "young" not in path.name and "theirs" not in path.name}
    assert len(old) == 3

    planned = user.types("purge", "--older-than", "30d", "--dry-run", "--json").json
    assert {Path(path).name for path in planned["places"]} == old
    assert all(name in user.types("purge", "--older-than", "30d", "--dry-run").out for name in old)
    assert old <= {path.name for path in inbox.glob("*/20*")}

    purged = user.types("purge", "--older-than", "30d", "--json")
    assert (purged.code, {Path(path).name for path in purged.json["places"]}) == (0, old)
    left = sorted(path.name.partition("_")[2] for path in inbox.glob("*/20*"))
    assert left == ["theirs", "young.csv"]
    assert user.types("purge", "--older-than", "30d", "--json").json["places"] == []


def test_a_file_whose_run_is_kept_is_kept_too(user: User, inbox: Path) -> None:
    (inbox / "a.csv").write_text(people(4))
    user.types(*NIGHTLY)
    with closing(sqlite3.connect(user.home / "runs" / "journal.sqlite3")) as journal:
        journal.execute("UPDATE rows SET state = 'unsent' WHERE ordinal = 2")
        journal.commit()
    aged(user, 31)
    kept = user.types("purge", "--older-than", "30d", "--json")

    assert (kept.code, kept.json["places"], len(list((inbox / "archive").iterdir()))) == (3, [], 1)


def test_what_cannot_be_seen_from_here_is_said_and_not_forgotten(user: User, inbox: Path) -> None:
    (inbox / "a.csv").write_text(people(4))
    user.types(*NIGHTLY)
    aged(user, 31)
    inbox.rename(user.home / "elsewhere")
    first = user.types("purge", "--older-than", "30d", "--json").json
    assert (first["places"], "1 folder of nightly left there" in "".join(first["notes"])) == ([], True)

    (user.home / "elsewhere").rename(inbox)
    assert len(user.types("purge", "--older-than", "30d", "--json").json["places"]) == 1
    assert list((inbox / "archive").iterdir()) == []


def test_a_night_killed_while_it_put_a_file_away_is_done_by_the_next_one_and_forgets_no_folder(
    user: User, inbox: Path
) -> None:
    """The folder is kept in the journal before the file goes into it."""
    (inbox / "a.csv").write_text(people(4))
    run_id = one(user.types(*NIGHTLY).json)["run_id"]
    (put,) = (inbox / "archive").iterdir()
    (put / "a.csv").rename(inbox / "processing" / "a.csv")
    assert user.types("show", run_id, "--verify", "--json").json["verified"] is True

    assert one(user.types(*NIGHTLY).json)["fate"] == "imported"
    assert (put / "a.csv").read_text() == people(4)
    aged(user, 31)
    assert user.types("purge", "--older-than", "30d", "--json").json["places"] == [str(put)]
    (inbox / "processing" / "a.csv").write_text("of another day")
    assert user.types("show", run_id, "--verify").code == 0


def test_results_that_cannot_be_renewed_are_reported_and_those_of_the_run_are_whole(user: User, inbox: Path) -> None:
    (inbox / "a.csv").write_text(people(4))
    run_id = one(user.types(*NIGHTLY).json)["run_id"]
    (put,) = (inbox / "archive").iterdir()
    (put / "report.json").unlink()
    (put / "report.json").mkdir()
    (put / "report.json" / "in the way").touch()
    ran = user.types("export", run_id, "--json")

    assert (ran.code, "are those of the last time" in ran.json["error"]) == (1, True)
    assert user.types("show", run_id, "--verify").code == 0
