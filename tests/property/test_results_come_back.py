"""Whatever text a source held: it is safe in a workbook that we hand out, and comes back as it was."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import openpyxl
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.core.columns import surplus_of
from importer.core.issues import Issue
from importer.core.results import RowResult
from importer.core.sources import SourceInfo
from importer.core.states import RowState
from importer.profile.settings import SourceSettings
from importer.readers import open_source
from importer.results.annotated import write_annotated
from importer.results.report import Report
from importer.results.table import Header, rows_of
from importer.results.xlsx import XlsxTable
from tests.batches import result_batch
from tests.effort import examples

COLUMNS = ("ID", "=Odd name", "Note")
HEADER = Header(COLUMNS, "", "20261129T080000Z-1a2b3c", 1)
ODD = ["=1+1", "-Bob", "+1 415 555 0100", "@SUM(A1)", "#N/A", "'02138", "\t=x", "a\r\nb", "\r", "_x000D_", "\x00\x07"]
ODD += ["_x005F_", "\ufffe\uffff", " x ", "=cmd|' /C calc'!A0", "007", "1e5", "TRUE", "=", "''", "\x85", "\u2028"]
TEXTS = st.one_of(st.sampled_from(ODD), st.text(max_size=40), st.builds(str.__add__, st.sampled_from(ODD), st.text()))


def results(texts: Sequence[str]) -> list[RowResult]:
    wrong = (Issue(0, "row_too_long", "Too many cells."),)
    found = [
        RowResult(i, i + 2, (f"C-{i}", text, "x"), RowState.INVALID, errors=wrong, surplus=surplus_of((text,), 0))
        for i, text in enumerate(texts)
    ]
    return [*found, RowResult(len(found), len(found) + 2, ("C-last", "x", "x"), RowState.VALID)]


def read(path: Path) -> tuple[tuple[str, ...], list[str], list[str]]:
    """The columns, and what stands in the second one and in the first of the surplus cells."""
    with closing(open_source(path, SourceSettings())) as reader:
        batches = list(reader.batches())
    (cells,) = [batch.cells for batch in batches]
    surplus = [batch.surplus.get(place, ("",))[0] for batch in batches for place in range(len(batch))]
    return reader.info.columns, list(cells[1])[:-1], surplus[:-1]


def formulas(path: Path) -> list[object]:
    book = openpyxl.load_workbook(path)
    return [cell.value for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type in "fe"]


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_any_text_comes_back_from_an_annotated_workbook_as_it_was(texts: list[str]) -> None:
    rows = results(texts)
    report = Report(
        command="validate",
        source="customers.csv",
        target="",
        dry_run=True,
        exit_code=3,
        elapsed_seconds=1,
        counts={"read": len(rows), "valid": 1, "invalid": len(texts)},
        source_info=SourceInfo("customers.csv", "csv", COLUMNS),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = write_annotated(lambda: iter([result_batch(rows)]), HEADER, report, Path(folder))
        assert formulas(path) == []
        assert read(path) == (COLUMNS, texts, [text if text.strip() else "" for text in texts])


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_any_text_comes_back_from_results_xlsx_as_it_was(texts: list[str]) -> None:
    rows = results(texts)
    batch = result_batch(rows)
    added = [["1"] * len(batch)] * (len(HEADER.names) - len(COLUMNS) - 1)
    extra = [row.surplus[0] if row.surplus else "" for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.xlsx"
        with closing(XlsxTable(path, HEADER)) as table:
            table.write(rows_of([*batch.cells, extra, *added], len(batch)))
        assert formulas(path) == []
        assert read(path) == (COLUMNS, texts, [text if text.strip() else "" for text in texts])
