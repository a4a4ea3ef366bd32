"""A dry run is kept like a run: its rows can be explained and exported, and go when it is purged."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

from tests.acceptance.conftest import User, people

BAD = """\
ID,First Name,Last Name,Email,Phone
L-0,Ann,Example,ann@example.com,+12125550101
L-1,Bob,,nobody,+12125550102
"""


def checked(user: User, text: str = BAD, *options: str) -> str:
    """Check a file and return the id of the dry run."""
    return str(user.types("validate", user.has("people.csv", text), "--json", *options).json["run_id"])


def test_a_row_of_a_dry_run_is_explained(user: User) -> None:
    run_id = checked(user)

    reported = user.types("explain", run_id, "3", "--show-values", "--json")

    assert reported.code == 0, reported.err
    story = reported.json
    assert (story["run_id"], story["source"], story["dry_run"]) == (run_id, "people.csv", True)
    assert (story["state"], story["attempts"], story["customer_id"]) == ("invalid", [], "")
    assert story["cells"] == {
        "ID": "L-1",
        "First Name": "Bob",
        "Last Name": "",
        "Email": "nobody",
        "Phone": "+12125550102",
    }
    assert {issue["code"] for issue in story["issues"]} == {"required_missing", "email_invalid"}
    assert user.types("explain", run_id, "2", "--json").json["state"] == "valid"
    assert "ann@" not in user.types("explain", run_id, "2").out


def test_the_last_run_may_be_a_dry_run(user: User) -> None:
    user.types("run", user.has("first.csv", people(2)))
    run_id = checked(user)

    for command in (["explain", "last", "2"], ["show", "last"], ["export", "last"]):
        assert user.types(*command, "--json").json["run_id"] == run_id, command


def test_the_files_of_a_dry_run_are_written_again(user: User) -> None:
    run_id = checked(user)
    before = user.reads(f"runs/{run_id}/results.csv")
    for name in ("results.csv", "rejects.csv", "report.json", "report.html"):
        (user.home / "runs" / run_id / name).unlink()

    written = user.types("export", run_id, "--format", "jsonl", "--json")

    assert written.code == 3
    assert written.json["counts"] == {"read": 2, "valid": 1, "invalid": 1}
    assert user.reads(f"runs/{run_id}/results.csv") == before
    assert (user.home / "runs" / run_id / "results.jsonl").exists()
    assert "receipt" not in written.json["files"]


def test_a_dry_run_leaves_the_workspaces_journal_alone_and_goes_with_its_directory(user: User) -> None:
    run_id = checked(user)
    runs = user.home / "runs"
    kept = runs / run_id / "checked.sqlite3"

    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in runs.iterdir()] == [run_id]
    assert [path.name for path in kept.parent.iterdir() if path.name.startswith((".", "checked"))] == [kept.name]

    old = runs / "20200101T000000Z-aaaaaa"
    kept.parent.rename(old)
    assert [run["kind"] for run in user.types("purge", "--older-than", "30d", "--json").json["purged"]] == ["dry run"]
    assert not old.exists()


def test_a_dry_run_of_an_earlier_importer_says_what_is_left_of_it(user: User) -> None:
    run_id = checked(user)
    (user.home / "runs" / run_id / "checked.sqlite3").unlink()

    assert user.types("runs", "--json").json["runs"][0]["run_id"] == run_id
    assert user.types("show", run_id, "--json").json["counts"]["read"] == 2
    reported = user.types("explain", run_id, "2")
    assert (reported.code, "results.csv" in reported.err) == (2, True)


def test_the_newest_run_is_the_newest_by_the_journals_own_order(user: User) -> None:
    """A clock that went back gives later runs earlier ids."""
    runs = user.home / "runs"
    first = user.types("run", user.has("first.csv", people(2)), "--json").json["run_id"]
    renamed(runs, checked(user), "19990101T000000Z-bbbbbb")
    renamed(runs, checked(user), "19980101T000000Z-cccccc")

    listed = [run["run_id"] for run in user.types("runs", "--json").json["runs"]]
    assert listed == ["19980101T000000Z-cccccc", "19990101T000000Z-bbbbbb", first]
    assert user.types("explain", "last", "2", "--json").json["run_id"] == listed[0]

    second = user.types("run", user.has("second.csv", people(3)), "--json").json["run_id"]
    assert [run["run_id"] for run in user.types("runs", "--json").json["runs"]] == [second, *listed]


def renamed(runs: Path, run_id: str, name: str) -> None:
    """Make a dry run look as if the clock had stood elsewhere when it began."""
    import sqlite3
    from contextlib import closing

    shutil.move(runs / run_id, runs / name)
    with closing(sqlite3.connect(runs / name / "checked.sqlite3")) as journal:
        journal.execute("UPDATE runs SET run_id = ?", (name,))
        journal.commit()
    report = runs / name / "report.json"
    report.write_text(report.read_text("utf-8").replace(run_id, name), "utf-8")
