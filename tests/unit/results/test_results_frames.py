"""The rows and issues of a run as DataFrames: the same as results.csv has, with types."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from importer.core.columns import ADDED_COLUMNS
from importer.core.errors import UsageError
from importer.core.issues import Issue, Severity
from importer.core.results import ResultBatch, RowResult
from importer.core.states import RowState
from importer.profile.settings import ResultsSettings
from importer.results.balance import Recount
from importer.results.report import Report
from importer.results.table import Header
from importer.results.tables import ISSUE_COLUMNS, issues_frame, rows_frame, write_results
from tests.batches import result_batch

HEADER = Header(("Name", "Phone, home"), "Customers", "20261129T080000Z-1a2b3c", extra=1)


def issue(ordinal: int, code: str, severity: Severity = Severity.ERROR) -> Issue:
    return Issue(ordinal, code, f"About {code}.", f"{code}.field", "Phone, home", severity)


ROWS = [
    RowResult(0, 2, ("Ann", ""), RowState.CREATED, customer_id="c-1", key="k1", http_status=201, attempts=1),
    RowResult(1, 3, ("Zoë", "=1+1"), RowState.EXISTING, customer_id="c-2", trace_id="t-9", attempts=2),
    RowResult(
        2,
        5,
        ('say "hi"', "two\nlines"),
        RowState.INVALID,
        errors=(issue(2, "a"), issue(2, "b")),
        warnings=(issue(2, "w", Severity.WARNING),),
        surplus=("beyond",),
    ),
    RowResult(3, 9, ("", " x "), RowState.REJECTED, errors=(issue(3, "c"),), http_status=400, attempts=1),
]


def batches(size: int = 3) -> list[ResultBatch]:
    return [result_batch(ROWS[at : at + size]) for at in range(0, len(ROWS), size)]


@pytest.mark.parametrize("size", [1, 3, 9])
def test_the_rows_are_those_of_results_csv(tmp_path: Path, size: int) -> None:
    files = write_results(
        lambda: iter(batches(size)),
        HEADER,
        tmp_path,
        formats=(),
        settings=ResultsSettings(),
        recount=Recount(HEADER),
    )
    with files["results"].open(encoding="utf-8", newline="") as stream:
        written = list(csv.reader(stream))

    frame = rows_frame(batches(size), HEADER)

    assert list(frame.columns) == written[0] == [*HEADER.columns, "_extra_1", *ADDED_COLUMNS]
    assert frame.astype("str").fillna("").to_numpy().tolist() == written[1:]
    assert frame.index.name == "row"
    assert list(frame.index) == [2, 3, 5, 9]


def test_the_rows_are_texts_and_three_numbers() -> None:
    frame = rows_frame(batches(), HEADER)

    assert {name: str(kind) for name, kind in frame.dtypes.items() if kind != "str"} == {
        "_row": "int64",
        "_http_status": "Int64",
        "_attempts": "int64",
    }
    assert frame["_http_status"].isna().tolist() == [False, True, True, False]
    assert not frame.drop(columns="_http_status").isna().any(axis=None)


def test_every_issue_is_a_line() -> None:
    frame = issues_frame(batches())

    assert tuple(frame.columns) == ISSUE_COLUMNS
    assert frame[["row", "code", "severity"]].to_numpy().tolist() == [
        [5, "a", "error"],
        [5, "b", "error"],
        [5, "w", "warning"],
        [9, "c", "error"],
    ]
    assert frame.loc[3].to_dict() == {
        "row": 9,
        "code": "c",
        "severity": "error",
        "field": "c.field",
        "column": "Phone, home",
        "message": "About c.",
    }


def test_without_rows_and_issues_the_columns_are_there() -> None:
    assert list(rows_frame([], HEADER).columns) == list(HEADER.names)
    empty = issues_frame([result_batch(ROWS[:2])])
    assert tuple(empty.columns) == ISSUE_COLUMNS
    assert empty.empty
    assert isinstance(empty, pd.DataFrame)


def test_a_report_without_rows_is_refused() -> None:
    report = Report(command="run", source="a.csv", target="", dry_run=False, exit_code=6, elapsed_seconds=0)
    assert repr(report) == "Report(source='a.csv', run_id='', counts={}, '')"

    with pytest.raises(UsageError, match="has no rows"):
        report.rows()
    with pytest.raises(UsageError, match="has no rows"):
        report.issues()
