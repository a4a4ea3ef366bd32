"""What would be sent is shown before it is: in the terminal, in `inspect`, in the reports, and row by row."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from importer.journal import Location, open_journal, workspace_secret
from importer.runs.rechecker import Rechecker
from tests.acceptance.conftest import SAMPLES, User

HEADER = "ID,First Name,Last Name,Email,Phone,Birth Date\n"
ROWS = (
    "L-0, Ann ,Green,ann@EXAMPLE.com,(212) 555-0101,31/01/1980\n"
    "L-1,Bob,Green,nobody,+12125550102,13/02/1981\n"
    "L-2,Cid,Green,cid@example.com,+12125550103,03/04/1982\n"
)
VALUES = ("ann@", "Green", "555-0101", "5550101", "nobody", "L-1")


def test_the_first_rows_are_shown_before_and_after(user: User) -> None:
    source = user.has("people.csv", HEADER + ROWS)

    ran = user.types("validate", source, "--preview", "3", "--show-values")

    reported = ran.err + ran.out
    for line in (
        "firstName: Ann  <- First Name:  Ann",
        "primaryEmail.value: ann@example.com  <- Email: ann@EXAMPLE.com",
        "primaryPhoneNumber.number: +12125550101  <- Phone: (212) 555-0101",
        "dateOfBirth: 1982-04-03  <- Birth Date: 03/04/1982",
        "Row 3 (invalid)",
        "primaryEmail.value is not sent  <- Email: nobody",
    ):
        assert line in reported
    assert user.types("run", source, "--dry-run", "--preview", "1").out.count("Row ") == 1
    assert "Row 2" not in user.types("validate", source).out


def test_values_are_masked_unless_a_person_asks_for_them(user: User) -> None:
    source = user.has("people.csv", HEADER + ROWS)
    ran = user.types("validate", source, "--preview", "3", "--json")
    files = [(user.home / ran.json["files"][kind]).read_text("utf-8") for kind in ("report", "html")]
    inspected, explained = user.types("inspect", source), user.types("explain", "last", "2")
    previewed = user.types("validate", source, "--preview", "3")

    for text in (ran.out, *files, inspected.out, inspected.err, explained.out, previewed.out, previewed.err):
        assert not [value for value in VALUES if value in text]
    assert "As rows would be sent" in files[1]


def test_the_reports_hold_the_first_rows(user: User) -> None:
    source = user.has("people.csv", HEADER + ROWS)

    report = user.types("validate", source, "--show-values", "--json").json

    assert [row["state"] for row in report["preview"]] == ["valid", "invalid", "valid"]
    fields = {one["field"]: one for one in report["preview"][0]["fields"]}
    assert fields["primaryEmail.value"] == {
        "field": "primaryEmail.value",
        "column": "Email",
        "before": "ann@EXAMPLE.com",
        "after": "ann@example.com",
    }
    assert "ann@EXAMPLE.com" in (user.home / report["files"]["html"]).read_text("utf-8")
    assert user.types("validate", source, "--preview", "0", "--json").json["preview"] == []


def test_inspect_shows_rows_as_they_would_be_sent(user: User) -> None:
    source = user.has("people.csv", HEADER + ROWS)

    seen = user.types("inspect", source, "--show-values", "--preview", "1", "--json").json

    (row,) = seen["preview"]
    assert (row["row"], row["state"]) == (2, "valid")
    assert {one["after"] for one in row["fields"]} >= {"Ann", "ann@example.com", "+12125550101", "1980-01-31"}
    unmapped = user.has("strange.csv", "A,B\n1,2\n")
    assert user.types("inspect", unmapped, "--json").json["preview"] == []


def test_explain_lists_what_each_rule_changed_for_dry_runs_and_real_ones_alike(user: User) -> None:
    source = user.has("people.csv", HEADER + ROWS)
    checked = user.types("validate", source, "--json").json["run_id"]
    sent = user.types("run", source, "--json").json["run_id"]

    stories = [user.types("explain", run, "2", "--show-values", "--json").json for run in (checked, sent)]

    for story in stories:
        changes = {(one["rule"], one["field"]): (one["before"], one["after"]) for one in story["changes"]}
        assert changes["trim", "firstName"] == (" Ann ", "Ann")
        assert changes["phone_e164", "primaryPhoneNumber.number"] == ("(212) 555-0101", "+12125550101")
        assert changes["email_domain_lower", "primaryEmail.value"] == ("ann@EXAMPLE.com", "ann@example.com")
        assert story["body"]["dateOfBirth"] == "1980-01-31"
    assert stories[0]["changes"] == stories[1]["changes"]
    assert [(story["dry_run"], story["source"]) for story in stories] == [(True, "people.csv"), (False, "people.csv")]
    again = user.types("explain", checked, "2", "--show-values", "--json").json  # now the workspace has its key
    assert (again["body"], again["import_key"]) == (stories[1]["body"], stories[1]["import_key"])
    assert user.types("explain", checked, "3", "--json").json["body"] == {}
    reported = user.types("explain", sent, "2", "--show-values").out
    assert "Row 2 of people.csv, run" in reported
    assert "primaryEmail.value: ann@EXAMPLE.com -> ann@example.com  [email_domain_lower]" in reported


@pytest.mark.slow
def test_a_row_that_is_checked_again_shows_what_was_sent(user: User) -> None:
    """Every row of the samples, checked alone from what its run has kept, gives the very body that was sent."""
    for name in ("customers.csv", "customers_messy.csv"):
        if (SAMPLES / name).exists():
            assert user.types("run", SAMPLES / name).code in {0, 3}
    runs = user.home / "runs"
    with closing(open_journal(Location.of_workspace(runs), writes=False)) as journal:
        for _, run_id in journal.runs.ids():
            stored = journal.runs.find(run_id)
            rechecker = Rechecker.of(journal, stored, workspace_secret(runs))
            assert rechecker is not None
            replay = journal.replay(stored.run)
            for row in replay.results():
                payload = replay.payload(row.ordinal)
                if payload:
                    assert rechecker.row(row.row, row.cells).body == json.loads(payload)
