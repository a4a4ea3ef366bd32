from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from importer.core.issue_codes import all_codes
from importer.core.issues import Issue, Severity
from importer.core.results import Cluster, RowResult
from importer.core.sources import Detected, SourceInfo
from importer.core.states import RowState
from importer.customers.codes import ISSUE_CODES
from importer.customers.contract import CUSTOMERS
from importer.customers.rules import field_spec, message
from importer.results import Report, UnknownRow, UnknownRows, write_json
from importer.results import clusters as clusters_of
from importer.results.clusters import EXAMPLE_ROWS, advise
from tests.batches import result_batch

ALL_CODES = all_codes(CUSTOMERS.codes)


def invalid(row: int, *codes: str, warnings: tuple[str, ...] = ()) -> RowResult:
    return RowResult(
        row - 2,
        row,
        (),
        RowState.INVALID,
        errors=tuple(Issue(row - 2, code, f"Fix {code}.", "f", "C") for code in codes),
        warnings=tuple(Issue(row - 2, code, "Look.", "f", "C", Severity.WARNING) for code in warnings),
    )


def clusters(rows: Iterable[RowResult]) -> list[Cluster]:
    return clusters_of(CUSTOMERS, (result_batch([row]) for row in rows))


def test_issues_are_grouped_by_code_field_and_column_with_full_counts() -> None:
    found = clusters([invalid(2, "a", "b"), invalid(3, "a")])
    assert [(c.code, c.field, c.column, c.count, c.rows) for c in found] == [
        ("a", "f", "C", 2, (2, 3)),
        ("b", "f", "C", 1, (2,)),
    ]


def test_example_rows_end_at_twenty_and_the_count_does_not() -> None:
    (found,) = clusters(invalid(row, "a") for row in range(2, 102))
    assert found.count == 100
    assert found.rows == tuple(range(2, 2 + EXAMPLE_ROWS))


def test_a_row_with_the_same_issue_twice_is_one_example() -> None:
    (found,) = clusters([invalid(7, "a", "a")])
    assert (found.count, found.rows) == (2, (7,))


def test_a_cluster_of_steps_that_came_to_different_things_says_what_they_have_in_common() -> None:
    def waits(row: int, status: str) -> RowResult:
        sentence = f"The identity verification asks for a person: {status}."
        issue = Issue(row - 2, "idv_needs_person", sentence, severity=Severity.WARNING)
        return RowResult(row - 2, row, (), RowState.CREATED, warnings=(issue,))

    (found,) = clusters([waits(2, "PENDING_REVIEW"), waits(3, "PENDING_DOCUMENTS")])
    assert found.message == (
        "The identity verification asks for a person; _warnings in the results says more of each row."
    )
    (found,) = clusters([waits(2, "PENDING_REVIEW"), waits(3, "PENDING_REVIEW")])
    assert found.message == "The identity verification asks for a person: PENDING_REVIEW."


def test_a_cluster_with_rows_that_name_each_other_has_the_documented_sentence() -> None:
    def twice(row: int, other: int) -> RowResult:
        issue = Issue(row - 2, "duplicate_in_file", f"This customer also appears in row {other}.")
        return RowResult(row - 2, row, (), RowState.INVALID, errors=(issue,))

    (found,) = clusters([twice(2, 9), twice(5, 7)])
    assert found.message == ISSUE_CODES["duplicate_in_file"].message
    assert clusters([twice(2, 9)])[0].message == "This customer also appears in row 9."


def test_a_cluster_with_rows_of_several_countries_names_none_of_them() -> None:
    name = "primaryPhoneNumber.number"

    def assumed(row: int, country: str) -> RowResult:
        text = message("phone_country_assumed", field_spec(name), (country, "United States"))
        issue = Issue(row - 2, "phone_country_assumed", text, name, "Phone", Severity.WARNING)
        return replace(invalid(row), warnings=(issue,))

    (mixed,) = clusters([assumed(2, "United Kingdom"), assumed(3, "Germany")])
    (alike,) = clusters([assumed(2, "Germany"), assumed(3, "Germany")])

    assert "the country of its row" in mixed.message
    assert "Kingdom" not in mixed.message
    assert "Germany (the country of its row)" in alike.message


def test_errors_come_before_warnings_however_frequent() -> None:
    found = clusters([invalid(2, warnings=("w",)), invalid(3, "e", warnings=("w",))])
    assert [(c.code, c.severity) for c in found] == [("e", "error"), ("w", "warning")]


def report() -> Report:
    return Report(
        command="run",
        run_id="20261122T083000Z-1a2b3c",
        source="customers.csv",
        target="emulator",
        dry_run=False,
        state="finished",
        counts={"read": 2, "created": 1, "invalid": 1},
        clusters=[Cluster("phone_invalid", "primaryPhoneNumber.number", "Phone", Severity.ERROR, "Short.", 1, (3,))],
        files={"results": Path("runs/x/results.csv")},
        elapsed_seconds=1.23456,
        exit_code=3,
        started_at=0.0,
        source_info=SourceInfo("customers.csv", "csv", ("Phone",), detected=(Detected("encoding", "utf-8"),)),
        changes={"trim": 4},
        unknown=[UnknownRow(9, ("c-1", "c-2"))],
    )


def test_the_report_has_the_interfaces_keys_in_its_order() -> None:
    keys = list(report().as_json())
    assert keys[:11] == [
        "command",
        "run_id",
        "source",
        "target",
        "dry_run",
        "counts",
        "issues",
        "files",
        "elapsed_seconds",
        "exit_code",
        "error",
    ]


def test_the_written_report_is_the_structure_itself(tmp_path: Path) -> None:
    path = write_json(report(), tmp_path)
    assert path == tmp_path / "report.json"
    assert json.loads(path.read_text("utf-8")) == report().as_json()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_report_has_times_source_and_candidates() -> None:
    reported = report().as_json()
    assert reported["started_at"] == "1970-01-01T00:00:00+00:00"
    assert reported["elapsed_seconds"] == 1.235
    assert reported["source_info"]["detected"][0]["value"] == "utf-8"
    assert reported["unknown"] == [{"row": 9, "candidates": ["c-1", "c-2"]}]


def test_a_report_of_an_early_error_needs_no_run() -> None:
    reported = Report(
        command="run",
        source="no.csv",
        target="",
        dry_run=False,
        exit_code=6,
        elapsed_seconds=0,
        error="There is no file.",
    ).as_json()
    assert (reported["run_id"], reported["counts"], reported["error"]) == ("", {}, "There is no file.")
    json.dumps(reported)


def test_unknown_rows_are_collected_with_their_candidates() -> None:
    watcher = UnknownRows()
    rows = [RowResult(0, 2, (), RowState.CREATED), RowResult(1, 3, (), RowState.UNKNOWN, candidates=("c-1",))]
    watcher(result_batch(rows))
    assert watcher.rows == [UnknownRow(3, ("c-1",))]


@pytest.mark.parametrize("code", ALL_CODES)
@pytest.mark.parametrize("column", ["Phone", ""])
def test_every_documented_issue_has_a_title_and_a_fix_without_open_places(code: str, column: str) -> None:
    advice = advise(Cluster(code, "some.field", column, Severity.ERROR, "x", 1, (2,)), ALL_CODES)
    assert advice.title
    assert advice.fix
    assert not re.search(r"\{(field|column)\}|\{\{|\}\}", advice.fix)


def test_an_undocumented_refusal_points_to_the_rejects_and_an_undocumented_warning_to_nothing() -> None:
    refused = Cluster("EMU_LIMIT", "lastName", "Surname", Severity.ERROR, "Too much.", 1, (2,))
    assert "Correct column 'Surname' in rejects.csv" in advise(refused, ALL_CODES).fix
    assert advise(refused, ALL_CODES).title == "Emu limit"
    assert advise(replace(refused, severity=Severity.WARNING), ALL_CODES).fix == ""


def test_advice_names_the_column_in_quotation_marks_and_needs_none() -> None:
    missing = Cluster("required_missing", "firstName", "Vorname", Severity.ERROR, "", 1, (2,))
    assert advise(missing, ALL_CODES).fix.startswith("Fill the blank cells of column 'Vorname'")
    assert advise(replace(missing, column=""), ALL_CODES).fix.startswith("Fill the blank cells of the column, or")


def test_a_title_leaves_out_what_only_the_table_of_codes_needs() -> None:
    seen = Cluster("cell_error", "", "A", Severity.ERROR, "", 1, (2,))
    assert ";" in ALL_CODES["cell_error"].title
    assert advise(seen, ALL_CODES).title == "A cell that shows an error such as #N/A"
