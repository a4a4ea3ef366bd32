from __future__ import annotations

import csv
import io
import itertools
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from importer.core.issues import Issue, Severity
from importer.core.results import ResultBatch, RowResult
from importer.core.states import FINAL_STATES, RowState
from importer.profile.settings import ResultsSettings
from importer.results.balance import Recount, compare
from importer.results.cell_text import MAX_CELL_CHARS, safe_text
from importer.results.csvfile import CsvTable, lines
from importer.results.table import LINE_END, Header, escape_formula, reportable
from importer.results.tables import write_results
from tests.batches import result_batch
from tests.effort import examples

ISSUES = st.builds(
    Issue,
    st.just(0),
    st.sampled_from(["phone_invalid", "email_invalid"]),
    st.sampled_from(["Wrong.", "Wrong, | again."]),
    column=st.sampled_from(["", "Phone", "a | b"]),
    severity=st.sampled_from(Severity),
)
CELLS = st.text(st.sampled_from("ab,\"\r\n\t =;'é\x00\u2028") | st.characters(codec="utf-8"), max_size=8)


@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6))
def test_the_fast_path_writes_what_the_csv_module_writes(rows: list[list[str]]) -> None:
    ours, theirs = io.BytesIO(), io.StringIO(newline="")
    table = CsvTable(ours, ["a", 'b"', "c,d"])
    table.append(lines([[row[i] for row in rows] for i in range(3)]))
    csv.writer(theirs, lineterminator=LINE_END).writerows([["a", 'b"', "c,d"], *rows])
    assert ours.getvalue().decode() == theirs.getvalue()


@given(st.lists(st.tuples(st.sampled_from(FINAL_STATES), CELLS, CELLS), max_size=12), st.tuples(CELLS, CELLS))
@settings(max_examples=examples(40), deadline=None)
def test_whatever_is_written_is_read_back_and_balances(
    rows: list[tuple[object, str, str]], columns: tuple[str, str]
) -> None:
    made = [RowResult(i, i + 2, (a, b), state) for i, (state, a, b) in enumerate(rows)]  # type: ignore[arg-type]
    expected = {"read": len(made), **Counter(str(result.state) for result in made)}
    with tempfile.TemporaryDirectory() as folder:
        recount = Recount(Header(columns))
        files = write_results(
            lambda: batched(made, 5),
            Header(columns),
            Path(folder),
            formats=(),
            settings=ResultsSettings(),
            recount=recount,
        )
        compare(expected, recount.counts(files["results"]))
        with files["results"].open(encoding="utf-8", newline="") as stream:
            back = list(csv.reader(stream))[1:]
    assert [tuple(line[:2]) for line in back] == [result.cells for result in made]


def results(cells: st.SearchStrategy[str]) -> st.SearchStrategy[list[RowResult]]:
    """Rows of three cells, with everything that a row can have."""
    one = st.builds(
        RowResult,
        ordinal=st.just(0),
        row=st.just(0),
        cells=st.tuples(cells, cells, cells),
        state=st.sampled_from([*FINAL_STATES, RowState.VALID]),
        customer_id=st.sampled_from(["", "c-1"]),
        key=st.sampled_from(["", "k"]),
        external_id=cells,
        errors=st.lists(ISSUES.filter(lambda issue: issue.severity is Severity.ERROR), max_size=2).map(tuple),
        warnings=st.lists(ISSUES.filter(lambda issue: issue.severity is Severity.WARNING), max_size=2).map(tuple),
        http_status=st.sampled_from([None, 201, 400]),
        trace_id=st.sampled_from(["", "t-1"]),
        attempts=st.integers(0, 3),
    )
    return st.lists(one, max_size=12).map(lambda rows: list(itertools.starmap(_at, enumerate(rows))))


def _at(ordinal: int, row: RowResult) -> RowResult:
    errors, warnings = (tuple([replace(one, ordinal=ordinal) for one in found]) for found in (row.errors, row.warnings))
    return replace(row, ordinal=ordinal, row=ordinal + 2, errors=errors, warnings=warnings)


@given(results(CELLS), st.integers(1, 12), st.booleans())
@settings(max_examples=examples(100), deadline=None)
def test_columns_come_to_the_same_bytes_as_row_after_row(rows: list[RowResult], size: int, escape: bool) -> None:
    header = Header(("A", "=B", "C,d"), "Sheet, 1", "run-1")
    chosen = ResultsSettings(escape_formulas=escape)
    with tempfile.TemporaryDirectory() as folder:
        files = write_results(
            lambda: batched(rows, size),
            header,
            Path(folder),
            formats=(),
            settings=chosen,
            recount=Recount(header),
        )
        written = {kind: path.read_bytes().decode() for kind, path in files.items()}
    fine = {RowState.CREATED, RowState.EXISTING, RowState.VALID}
    whole = [by_hand(row, header) for row in rows]
    assert written["results"] == table_of([[*header.names], *whole], escape=escape)
    failed = [line for row, line in zip(rows, whole, strict=True) if row.state not in fine]
    assert written["rejects"] == table_of([[*header.names], *failed], escape=escape)
    ids = [[row.key, row.external_id, row.customer_id] for row in rows if row.state in fine - {RowState.VALID}]
    assert written["id_map"] == table_of([["import_key", "external_id", "customer_id"], *ids], escape=False)
    shown = [result for batch in batched(rows, size) for result in reportable(batch)]
    assert shown == [row for row in rows if row.errors or row.warnings or row.state not in fine]


def batched(rows: list[RowResult], size: int) -> Iterator[ResultBatch]:
    """Batches of so many rows."""
    return (result_batch(rows[at : at + size]) for at in range(0, len(rows), size))


def by_hand(row: RowResult, header: Header) -> list[str]:
    """One row of the table as the interface describes it, without any columns."""
    parts = [[error.code, error.field, error.column, error.message] for error in row.errors]
    if len(parts) > 1:
        parts = [[text.replace(" | ", " / ") for text in part] for part in parts]
    reported = [" | ".join(texts) for texts in zip(*parts, strict=True)] if parts else [""] * 4
    status = "" if row.http_status is None else str(row.http_status)
    warnings = " | ".join(f"{one.code}: {one.message}".replace(" | ", " / ") for one in row.warnings)
    known = [str(row.row), header.sheet, str(row.state), row.customer_id]
    return [*row.cells, *known, *reported, warnings, status, row.trace_id, str(row.attempts), header.run_id]


def table_of(rows: list[list[str]], *, escape: bool) -> str:
    """What the csv module makes of rows."""
    stream = io.StringIO(newline="")
    safe = [[escape_formula(cell) for cell in row] for row in rows] if escape else rows
    csv.writer(stream, lineterminator=LINE_END).writerows(safe)
    return stream.getvalue().encode("utf-8", "replace").decode()


@given(st.text())
def test_no_text_runs_in_a_workbook_or_is_refused_by_one(text: str) -> None:
    safe = safe_text(text)
    assert not safe.startswith(("=", "@", "\t", "\r"))
    assert len(safe) <= MAX_CELL_CHARS
    safe.encode("utf-8")
