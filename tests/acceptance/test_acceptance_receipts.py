"""A receipt says what went in and what came out; working it out again names what differs."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import User, people


def imported(user: User, name: str = "people.csv", count: int = 5) -> dict[str, Any]:
    return user.types("run", user.has(name, people(count)), "--json").json


def receipt(user: User, run_id: str) -> dict[str, Any]:
    value = json.loads((user.home / "runs" / run_id / "receipt.json").read_text(encoding="utf-8"))
    assert isinstance(value, dict)
    return value


def test_a_receipt_holds_hashes_counts_operator_and_versions(user: User) -> None:
    report = imported(user)
    said = receipt(user, report["run_id"])

    assert report["files"]["receipt"].endswith("receipt.json")
    assert said["source"] == {
        "name": "people.csv",
        "sha256": hashlib.sha256((user.home / "people.csv").read_bytes()).hexdigest(),
    }
    results = (user.home / report["files"]["results"]).read_bytes()
    assert said["files"]["results.csv"] == hashlib.sha256(results).hexdigest()
    assert {"results.csv", "rejects.csv", "id-map.csv", "report.json", "report.html"} <= set(said["files"])
    assert said["counts"] == report["counts"]
    assert "@" in said["operator"]
    assert said["versions"]["importer"]
    body = {name: value for name, value in said.items() if name != "hash"}
    assert said["hash"] == hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def test_receipts_are_chained_over_the_runs_of_a_workspace(user: User) -> None:
    first = receipt(user, imported(user)["run_id"])
    second = receipt(user, imported(user, "more.csv", 8)["run_id"])

    assert (first["number"], first["previous"]) == (1, "")
    assert (second["number"], second["previous"]) == (2, first["hash"])


def test_an_untouched_run_verifies(user: User) -> None:
    imported(user)
    ran = user.types("show", "last", "--verify", "--json")

    assert (ran.code, ran.json["verified"]) == (0, True)
    assert {check["status"] for check in ran.json["checks"]} == {"ok"}
    assert "The receipt matches." in user.types("show", "last", "--verify").out


def change_results(home: Path, run: Path, journal: sqlite3.Connection) -> None:
    (run / "results.csv").write_text("other")


def remove_the_id_map(home: Path, run: Path, journal: sqlite3.Connection) -> None:
    (run / "id-map.csv").unlink()


def change_the_source(home: Path, run: Path, journal: sqlite3.Connection) -> None:
    (home / "people.csv").write_text("other")


def change_the_receipt(home: Path, run: Path, journal: sqlite3.Connection) -> None:
    text = (run / "receipt.json").read_text()
    (run / "receipt.json").write_text(text.replace('"operator": "', '"operator": "nobody'))


def change_a_row(home: Path, run: Path, journal: sqlite3.Connection) -> None:
    journal.execute("UPDATE rows SET customer_id = 'another' WHERE ordinal = 3")


def change_a_state(home: Path, run: Path, journal: sqlite3.Connection) -> None:
    journal.execute("UPDATE rows SET state = 'failed' WHERE ordinal = 3")


def change_the_profile(home: Path, run: Path, journal: sqlite3.Connection) -> None:
    journal.execute("UPDATE runs SET profile_hash = 'another'")


def change_an_older_receipt(home: Path, run: Path, journal: sqlite3.Connection) -> None:
    journal.execute("UPDATE receipts SET body = replace(body, '\"read\": 3', '\"read\": 4') WHERE number = 1")


def drop_an_older_receipt(home: Path, run: Path, journal: sqlite3.Connection) -> None:
    journal.execute("DELETE FROM receipts WHERE number = 1")


def forge_an_older_receipt(home: Path, run: Path, journal: sqlite3.Connection) -> None:
    (body,) = journal.execute("SELECT body FROM receipts WHERE number = 1").fetchone()
    forged = body.replace('"read": 3', '"read": 4')
    journal.execute(
        "UPDATE receipts SET body = ?, hash = ? WHERE number = 1", (forged, hashlib.sha256(forged.encode()).hexdigest())
    )


@pytest.mark.parametrize(
    ("harm", "named"),
    [
        (change_results, {"results.csv"}),
        (remove_the_id_map, {"id-map.csv"}),
        (change_the_source, {"source"}),
        (change_the_receipt, {"receipt.json"}),
        (change_a_row, {"rows"}),
        (change_a_state, {"rows", "counts"}),
        (change_the_profile, {"profile"}),
        (change_an_older_receipt, {"chain"}),
        (drop_an_older_receipt, {"chain"}),
        (forge_an_older_receipt, {"chain"}),
    ],
)
def test_whatever_was_changed_is_named(
    user: User, harm: Callable[[Path, Path, sqlite3.Connection], None], named: set[str]
) -> None:
    imported(user, "before.csv", 3)
    run = user.home / "runs" / imported(user)["run_id"]
    with closing(sqlite3.connect(user.home / "runs" / "journal.sqlite3")) as journal:
        harm(user.home, run, journal)
        journal.commit()

    ran = user.types("show", "last", "--verify", "--json")

    assert (ran.code, ran.json["verified"]) == (9, False)
    assert {check["what"] for check in ran.json["checks"] if check["status"] in {"differs", "missing"}} == named
    reported = user.types("show", "last", "--verify")
    assert reported.code == 9
    assert all(name in reported.out for name in named)


def test_a_source_that_was_moved_away_is_not_a_difference(user: User) -> None:
    imported(user)
    (user.home / "people.csv").unlink()
    ran = user.types("show", "last", "--verify", "--json")

    assert ran.code == 0
    assert [check["what"] for check in ran.json["checks"] if check["status"] == "gone"] == ["source"]


def test_an_export_gets_a_receipt_of_its_own(user: User) -> None:
    run_id = imported(user)["run_id"]
    assert user.types("export", "last", "--format", "jsonl").code == 0
    said = receipt(user, run_id)

    assert (said["number"], said["command"]) == (2, "export")
    assert "results.jsonl" in said["files"]
    assert user.types("show", "last", "--verify").code == 0


def test_a_dry_run_has_no_receipt(user: User) -> None:
    report = user.types("validate", user.has("people.csv", people(3)), "--json").json

    assert "receipt" not in report["files"]
    assert user.types("show", "last", "--verify").code == 2
