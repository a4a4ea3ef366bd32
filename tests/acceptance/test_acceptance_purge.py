"""Personal data goes for good, and what later runs need stays."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from importer.journal import locks_of
from tests.acceptance.conftest import User, Witness, people

DAY_S = 86_400.0


def aged(user: User, days: float, run_id: str = "") -> None:
    """Make runs look as if they had ended some days ago."""
    with closing(sqlite3.connect(user.home / "runs" / "journal.sqlite3")) as journal:
        journal.execute(
            "UPDATE runs SET ended_at = ended_at - ?1, started_at = started_at - ?1 WHERE run_id LIKE ?2",
            (days * DAY_S, f"{run_id}%"),
        )
        journal.commit()


def bytes_of_the_journal(user: User) -> bytes:
    return b"".join(path.read_bytes() for path in sorted((user.home / "runs").glob("journal.sqlite3*")))


def test_a_purged_run_is_gone_from_every_byte_and_still_known(user: User) -> None:
    source = user.has("people.csv", people(40))
    first = user.types("run", source, "--json").json
    (user.home / "runs" / "emulator.sqlite3").unlink()
    assert b"person7@example.com" in bytes_of_the_journal(user)
    aged(user, 31)

    done = user.types("purge", "--older-than", "30d", "--json")

    assert (done.code, [run["run_id"] for run in done.json["purged"]]) == (0, [first["run_id"]])
    left = b"".join(path.read_bytes() for path in (user.home / "runs").rglob("*") if path.is_file())
    assert not [word for word in (b"person7@", b"@example.com", b"Given", b"Family", b"+1212555") if word in left]
    assert not (user.home / "runs" / first["run_id"]).exists()

    (listed,) = user.types("runs", "--json").json["runs"]
    assert (listed["run_id"], listed["counts"]["created"], listed["counts"]["read"]) == (first["run_id"], 40, 40)
    assert listed["purged_at"]
    shown = user.types("show", "last", "--json").json
    assert (shown["counts"]["created"], shown["state"]) == (40, "finished")
    assert "purged" in shown["error"]
    assert "purged" in user.types("runs").out


def test_rows_of_a_purged_run_are_still_recognised(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "500/s"'])
    sandbox = ("--config", profile, "--target", "sandbox", "--json")
    assert user.types("run", user.has("first.csv", people(10)), *sandbox, **witness.environ).code == 0
    aged(user, 31)
    assert user.types("purge", "--older-than", "30d").code == 0

    again = user.types("run", user.has("second.csv", people(12)), *sandbox, **witness.environ).json

    assert (again["counts"]["existing"], again["counts"]["created"]) == (10, 2)
    assert len(witness.customers()) == 12
    refused = user.types("run", "first.csv", *sandbox, **witness.environ)
    assert (refused.code, "already" in refused.json["error"]) == (7, True)


def test_what_needs_the_cells_of_a_purged_run_says_so_in_one_sentence(user: User) -> None:
    run_id = user.types("run", user.has("people.csv", people(3)), "--json").json["run_id"]
    aged(user, 31)
    user.types("purge", "--older-than", "30d")

    for command in (["explain", "last", "3"], ["export", "last"], ["resume", "last"], ["retry", run_id]):
        ran = user.types(*command)
        assert ran.code == 2, command
        assert "purged on" in ran.err
        assert len(ran.err.strip().splitlines()) == 1
    assert user.types("show", "last", "--verify", "--json").json["verified"] is True


def test_a_dry_run_of_a_purge_removes_nothing(user: User) -> None:
    run_id = user.types("run", user.has("people.csv", people(3)), "--json").json["run_id"]
    aged(user, 31)
    before = bytes_of_the_journal(user)

    planned = user.types("purge", "--older-than", "30d", "--dry-run", "--json").json

    assert (planned["dry_run"], [run["run_id"] for run in planned["purged"]]) == (True, [run_id])
    assert planned["bytes"] > 0
    assert bytes_of_the_journal(user) == before
    assert (user.home / "runs" / run_id / "results.csv").exists()
    assert run_id in user.types("purge", "--older-than", "30d", "--dry-run").out


def test_younger_runs_stay_whole(user: User) -> None:
    old = user.types("run", user.has("old.csv", people(3)), "--json").json["run_id"]
    aged(user, 31)
    young = user.types("run", user.has("young.csv", people(6)), "--json").json["run_id"]

    assert [run["run_id"] for run in user.types("purge", "--older-than", "30d", "--json").json["purged"]] == [old]
    assert user.types("explain", young, "2", "--json").code == 0
    assert user.types("export", young).code == 0


def test_a_run_that_can_be_resumed_is_kept_unless_forced(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "500/s"', "max_errors = 0"])
    text = people(30).replace("L-0,", f"{'x' * 90},")
    user.types("run", user.has("people.csv", text), "--config", profile, "--target", "sandbox", **witness.environ)
    with closing(sqlite3.connect(user.home / "runs" / "journal.sqlite3")) as journal:
        journal.execute("UPDATE rows SET state = 'unsent' WHERE ordinal = 5")
        journal.commit()
    aged(user, 31)

    kept = user.types("purge", "--older-than", "30d", "--json")
    assert (kept.code, kept.json["purged"], len(kept.json["kept"])) == (3, [], 1)
    assert b"person7@example.com" in bytes_of_the_journal(user)
    assert "--force" in user.types("purge", "--older-than", "30d").out

    forced = user.types("purge", "--older-than", "30d", "--force", "--json")
    assert (forced.code, len(forced.json["purged"])) == (0, 1)
    assert b"person7@example.com" not in bytes_of_the_journal(user)


def test_a_run_at_work_is_never_purged(user: User) -> None:
    user.types("run", user.has("people.csv", people(3)))
    aged(user, 31)
    with locks_of(user.home / "runs").hold("emulator", 0.0):
        ran = user.types("purge", "--older-than", "30d", "--force")

    assert ran.code == 7
    assert b"person1@example.com" in bytes_of_the_journal(user)


def test_dry_runs_and_copies_of_upgrades_go_too(user: User) -> None:
    checked = user.types("validate", user.has("people.csv", people(3)), "--json").json["run_id"]
    runs = user.home / "runs"
    (runs / checked).rename(runs / "20200101T000000Z-aaaaaa")
    user.types("run", user.has("people.csv", people(3)))
    copy = runs / "journal.sqlite3.v1.bak"
    copy.write_text("person1@example.com")
    (runs / "spool" / "copy-cut-off").mkdir(parents=True)
    (runs / "spool" / "copy-cut-off" / "people.csv").write_text("person1@example.com")
    aged(user, 31)

    done = user.types("purge", "--older-than", "4w", "--json").json

    assert sorted(run["kind"] for run in done["purged"]) == ["dry run", "run"]
    assert not copy.exists()
    assert list((runs / "spool").iterdir()) == []
    assert [path for path in runs.iterdir() if path.name.startswith("20")] == []


def test_a_purge_without_an_age_or_a_workspace_is_refused(user: User) -> None:
    assert "--older-than" in user.types("purge").err
    assert user.types("purge", "--older-than", "30d").code == 2
    assert user.types("purge", "--older-than", "soon").code == 2
    user.has("p.toml", '[retention]\nolder_than = "30d"\n')
    user.types("validate", user.has("people.csv", people(3)))
    assert user.types("purge", "--config", "p.toml", "--json").json["purged"] == []


def test_a_run_with_open_steps_is_kept_and_says_so(user: User) -> None:
    user.types("run", user.has("people.csv", people(3)))
    with closing(sqlite3.connect(user.home / "runs" / "journal.sqlite3")) as journal:
        journal.execute("INSERT INTO steps (run, ordinal, step, part, state) VALUES (1, 0, 'limits', '', 'waiting')")
        journal.commit()
    aged(user, 31)

    kept = user.types("purge", "--older-than", "30d", "--json")
    assert (kept.code, [one["why"] for one in kept.json["kept"]]) == (3, ["open_steps"])
    assert "it has open steps after its creates." in user.types("purge", "--older-than", "30d").out
    assert user.types("purge", "--older-than", "30d", "--force").code == 0
