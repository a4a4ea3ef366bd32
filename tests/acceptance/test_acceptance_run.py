"""The main job, as a user sees it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import SAMPLES, User, Witness, people

STATES = ("created", "existing", "invalid", "rejected", "failed", "unknown", "unsent")


@pytest.mark.parametrize(
    ("sample", "rows", "code"),
    [("customers.csv", 200, 0), ("customers.xlsx", 120, 0), ("businesses.csv", 60, 0), ("customers_messy.csv", 150, 3)],
)
def test_every_sample_imports_into_the_emulator(user: User, sample: str, rows: int, code: int) -> None:
    ran = user.types("run", SAMPLES / sample, "--json")

    report = ran.json
    counts = report["counts"]
    assert (ran.code, report["exit_code"], report["error"]) == (code, code, None)
    assert counts["read"] == rows == sum(counts[state] for state in STATES)
    assert [row["_status"] for row in user.reads(report["files"]["results"])].count("created") == counts["created"]


def test_every_id_in_the_results_answers_with_that_rows_data(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "500/s"'])
    ran = user.types(
        "run", SAMPLES / "customers.csv", "--config", profile, "--target", "sandbox", "--json", **witness.environ
    )

    assert ran.code == 0, ran.out + ran.err
    there = {customer["id"]: customer for customer in witness.customers()}
    rows = user.reads(ran.json["files"]["results"])
    assert len(there) == len(rows) == 200
    for row in rows:
        customer = there.pop(row["_customer_id"])
        assert customer["firstName"] == row["First Name"]
        assert customer["primaryEmail"]["value"].lower() == row["Email"].lower()
    assert there == {}


def test_the_vendors_own_example_is_created(user: User) -> None:
    source = user.has("sarah.csv", "First Name,Last Name,Phone,Email\nSarah,Green,+15556589,sgreen@abc.com\n")
    ran = user.types("run", source, "--json")

    assert (ran.code, ran.json["counts"]["created"]) == (0, 1)
    assert [(issue["severity"], issue["field"]) for issue in ran.json["issues"]] == [
        ("warning", "primaryPhoneNumber.number")
    ]


def test_the_summary_reports_counts_issues_files_and_what_to_type_next(user: User) -> None:
    ran = user.types("run", SAMPLES / "customers_messy.csv")

    assert ran.out == ""
    for text in (
        "created",
        "invalid",
        "email_at_twice",
        "results.csv",
        "rejects.csv",
        "Fix the rows",
        "importer retry",
    ):
        assert text in ran.err


def test_results_hold_the_source_verbatim_in_its_order_and_rejects_import_as_they_are(user: User) -> None:
    source = user.has(
        "mixed.csv",
        "First Name,Last Name,Email,Phone\n"
        "Ann,Example,ann@example.com,+12125550101\n"
        'Bob,"Exa,mple",not an email,+12125550102\n'
        "Cy,Example,cy@example.com,+12125550103\n",
    )
    first = user.types("run", source, "--json").json
    results = user.reads(first["files"]["results"])
    assert [row["_row"] for row in results] == ["2", "3", "4"]
    assert [row["_status"] for row in results] == ["created", "invalid", "created"]
    assert (results[1]["Last Name"], results[1]["_error_column"]) == ("Exa,mple", "Email")

    rejects = user.home / first["files"]["rejects"]
    text = rejects.read_text(encoding="utf-8").replace("not an email", "bob@example.com")
    fixed = user.has("fixed.csv", text)
    alone = user.types("run", fixed, "--as-new", "--workspace", "elsewhere", "--json")
    assert (alone.code, alone.json["counts"]["created"], alone.json["counts"]["read"]) == (0, 1, 1)
    second = user.types("run", fixed, "--json")
    assert (second.code, second.json["counts"]["created"], second.json["counts"]["read"]) == (0, 3, 3)


def test_rows_of_an_earlier_run_are_existing_without_a_request(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "500/s"'])
    sandbox = ("--config", profile, "--target", "sandbox", "--json")
    user.types("run", user.has("first.csv", people(20)), *sandbox, **witness.environ)
    requests = witness.ledger()["requests"]

    again = user.types("run", user.has("second.csv", people(25)), *sandbox, **witness.environ)

    assert (again.json["counts"]["existing"], again.json["counts"]["created"]) == (20, 5)
    assert witness.ledger()["requests"] - requests == 5 + 2  # five creates, a token, and the look at the newest page
    assert len(witness.customers()) == 25


def test_the_same_file_again_says_so_and_force_matches_by_key(user: User) -> None:
    source = user.has("people.csv", people(5))
    assert user.types("run", source, "--json").code == 0

    refused = user.types("run", source)
    assert refused.code == 7
    assert "already" in refused.err

    forced = user.types("run", source, "--force", "--json")
    assert (forced.code, forced.json["counts"]["existing"]) == (0, 5)


def test_a_dry_run_sends_nothing_and_remembers_nothing(user: User) -> None:
    ran = user.types("validate", SAMPLES / "customers_messy.csv", "--json")

    report = ran.json
    assert (ran.code, set(report["counts"])) == (3, {"read", "valid", "invalid"})
    assert report["counts"]["read"] == report["counts"]["valid"] + report["counts"]["invalid"]
    workspace = user.home / "runs"
    assert [path.name for path in workspace.iterdir()] == [report["run_id"]]
    assert (
        user.types("run", SAMPLES / "customers_messy.csv", "--json").json["counts"]["invalid"]
        == (report["counts"]["invalid"])
    )


def test_a_dry_run_reports_which_rows_earlier_runs_created_and_leaves_the_journal_alone(user: User) -> None:
    run_id = user.types("run", user.has("first.csv", people(3)), "--json").json["run_id"]
    journal = user.home / "runs" / "journal.sqlite3"
    before = journal.read_bytes()

    ran = user.types("validate", user.has("second.csv", people(5)), "--json")

    (known,) = (issue for issue in ran.json["issues"] if issue["code"] == "imported_before")
    assert (ran.code, known["count"], known["rows"], run_id in known["message"]) == (0, 3, [2, 3, 4], True)
    assert journal.read_bytes() == before


def test_further_formats_hold_the_same_table(user: User) -> None:
    source = user.has("people.csv", people(4))
    files = user.types("run", source, "--format", "csv,xlsx,jsonl,parquet", "--json").json["files"]

    lines = (user.home / files["jsonl"]).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["_status"] for line in lines] == ["created"] * 4
    assert (user.home / files["xlsx"]).stat().st_size > 1_000
    assert (user.home / files["parquet"]).read_bytes()[:4] == b"PAR1"


def test_results_are_for_their_owner_alone(user: User) -> None:
    files = user.types("run", user.has("people.csv", people(3)), "--json").json["files"]

    assert {(user.home / path).stat().st_mode & 0o777 for path in files.values()} == {0o600}


def test_runs_show_and_explain_report_what_happened(user: User) -> None:
    run_id = user.types("run", user.has("people.csv", people(3)), "--json").json["run_id"]

    assert run_id in user.types("runs").out
    assert user.types("show", "last", "--json").json["run_id"] == run_id
    story = user.types("explain", run_id[:10], "3", "--json").json
    assert (story["state"], story["attempts"][0]["http_status"]) == ("created", 201)
    assert "person1@example.com" not in json.dumps(story)
    assert "person1@example.com" in user.types("explain", "last", "3", "--show-values").out


def test_export_writes_the_results_again_elsewhere(user: User) -> None:
    user.types("run", user.has("people.csv", people(3)), "--json")
    ran = user.types("export", "last", "--format", "jsonl", "--out", "handover", "--json")

    assert ran.code == 0
    assert len((user.home / "handover" / "results.jsonl").read_text().splitlines()) == 3


def test_standard_input_is_a_source_like_any_other(user: User) -> None:
    ran = user.types_for_real("run", "-", "--json", stdin=people(3))
    assert (ran.code, ran.json["source"], ran.json["counts"]["created"]) == (0, "-", 3)

    nothing = user.types_for_real("run", "-", stdin="")
    assert nothing.code == 6
