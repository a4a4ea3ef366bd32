"""However ragged a table is: the cells of a record are in its row, and what does not fit is an issue of it."""

from __future__ import annotations

import io
import tempfile
from contextlib import closing
from pathlib import Path

import openpyxl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from importer.core.errors import SourceError
from importer.core.ports import Reader
from importer.profile.settings import SourceSettings
from importer.readers import open_source
from tests.effort import examples

NAMES = ["first", "last", "phone", "email"]
CELLS = st.sampled_from(
    ["", "", " ", "Ann", "Grey", "+14155550101", "ann@example.com", "call back", "10:30", 'say "hi"']
)
RECORDS = st.lists(st.lists(CELLS, max_size=9), min_size=1, max_size=12)


def kept(reader: Reader) -> tuple[dict[int, list[str]], dict[int, set[str]]]:
    """The filled cells of every row, and the codes of its issues; by its number."""
    texts: dict[int, list[str]] = {}
    codes: dict[int, set[str]] = {}
    for batch in reader.batches():
        for place, number in enumerate(batch.rows):
            row = [*(column[place] for column in batch.cells), *batch.surplus.get(place, ())]
            texts[number] = [cell for cell in row if cell.strip()]
        for issue in batch.issues:
            codes.setdefault(batch.rows[issue.ordinal - batch.first], set()).add(issue.code)
    return texts, codes


def filled(records: list[list[str]]) -> dict[int, list[str]]:
    rows = {number: [cell for cell in record if cell.strip()] for number, record in enumerate(records, 2)}
    return {number: cells for number, cells in rows.items() if cells}


@settings(max_examples=examples(200), deadline=None)
@given(RECORDS, st.sampled_from(",;\t|"), st.integers(0, 2))
@pytest.mark.slow
def test_no_cell_of_a_text_is_lost(records: list[list[str]], delimiter: str, trailing: int) -> None:
    lines = [[*NAMES, *[""] * trailing], *[record or [""] for record in records]]
    quoted = [['"' + cell.replace('"', '""') + '"' if '"' in cell else cell for cell in line] for line in lines]
    text = "".join(delimiter.join(line) + "\n" for line in quoted)
    assume(filled(records))
    try:
        with closing(open_source("-", SourceSettings(), stdin=io.BytesIO(text.encode()))) as reader:
            texts, codes = kept(reader)
            assume(len(reader.info.columns) > 1)  # where no row has a second cell, the text is one of one column
    except SourceError as refusal:
        assert "has no name" in refusal.hint or "no delimiter" in refusal.message  # noqa: PT017  # both are answers
        return

    assert texts == filled(records)
    for number, record in enumerate(records, 2):
        if any(cell.strip() for cell in record[4 + trailing :]):
            assert "row_too_long" in codes[number]


@settings(max_examples=examples(60), deadline=None)
@given(RECORDS)
def test_no_cell_of_a_workbook_is_lost(records: list[list[str]]) -> None:
    assume(filled(records))
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for line in [NAMES, *records]:
        sheet.append([cell or None for cell in line])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "customers.xlsx"
        book.save(path)
        with closing(open_source(path, SourceSettings())) as reader:
            texts, codes = kept(reader)
            width = len(reader.info.columns)

    assert texts == filled(records)
    for number, record in enumerate(records, 2):
        if any(cell.strip() for cell in record[width:]):
            assert "cell_outside_table" in codes[number]
