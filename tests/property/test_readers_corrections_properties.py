"""A source that is read with corrections is what a source would be in which those cells were changed."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.core.corrections import Correction
from importer.core.errors import SourceError
from importer.core.ports import Reader
from importer.profile.settings import SourceSettings
from importer.readers import open_frame, open_source, read_corrections, write_corrections
from tests.effort import examples

HOW = SourceSettings(batch_rows=3, encoding="utf-8", delimiter=",", quote='"', header_row=1)
HEADER = ["Name", "Email", "Phone", "ZIP", "Born"]
USUAL = [
    "",
    " ",
    "Ann",
    "ann@example.com",
    "#N/A",
    "4.16E+09",
    "caf\u00c3\u00a9",
    "Total",
    "Records: 5",
    "02134",
    "33050",
]
WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\ufdd0\ufeff\r", exclude_categories=["Cs", "Cc"]), max_size=6
)
CELLS = st.one_of(st.sampled_from([*USUAL, *HEADER]), WORDS)
TABLES = st.lists(st.lists(CELLS, min_size=5, max_size=5), min_size=1, max_size=10)
CHANGES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4), CELLS), max_size=8)
quick = settings(max_examples=examples(40), deadline=None)


def text_file(rows: list[list[str]], folder: Path) -> Path:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([HEADER, *rows])
    (folder / "people.csv").write_bytes(out.getvalue().encode())
    return folder / "people.csv"


def workbook(rows: list[list[str]], folder: Path) -> Path:
    book = xlsxwriter.Workbook(str(folder / "people.xlsx"))
    sheet = book.add_worksheet()
    for at, cells in enumerate([HEADER, *rows]):
        for place, cell in enumerate(cells):
            if cell:
                sheet.write_string(at, place, cell)
    book.close()
    return folder / "people.xlsx"


def changed(rows: list[list[str]], changes: list[tuple[int, int, str]]) -> tuple[list[list[str]], list[Correction]]:
    """The rows with other texts, and the corrections that say so; a blank row of a workbook is not there."""
    after = [list(row) for row in rows]
    changes = [one for one in changes if any(map(str.strip, rows[one[0] % len(rows)]))]
    for row, place, text in changes:
        after[row % len(rows)][place] = text
    made = [
        Correction(at + 2, HEADER[place], rows[at][place], after[at][place])
        for at, place in {(row % len(rows), place) for row, place, _ in changes}
    ]
    return after, made


def facts(open_: Callable[[], Reader]) -> object:
    """Everything that reading gives, or why it cannot be read."""
    try:
        with closing(open_()) as reader:
            batches = [(b.first, b.rows, b.cells, list(b.issues), dict(b.surplus)) for b in reader.batches()]
            info = reader.info
            return batches, info.columns, info.warnings, [one for one in info.detected if one.what != "corrections"]
    except SourceError as error:
        return type(error)


@pytest.mark.parametrize("write", [text_file, workbook])
@quick
@given(rows=TABLES, changes=CHANGES)
def test_a_corrected_file_is_the_file_in_which_the_cells_were_changed(
    write: Callable[[list[list[str]], Path], Path], rows: list[list[str]], changes: list[tuple[int, int, str]]
) -> None:
    after, made = changed(rows, changes)
    with TemporaryDirectory() as here, TemporaryDirectory() as there:
        path = write(rows, Path(here))
        write_corrections(made, Path(here) / "corrections.csv")
        corrected = HOW.model_copy(update={"corrections": Path(here) / "corrections.csv"})
        other = write(after, Path(there))

        assert facts(lambda: open_source(path, corrected)) == facts(lambda: open_source(other, HOW))


@quick
@given(rows=TABLES, changes=CHANGES)
def test_a_corrected_dataframe_is_the_dataframe_in_which_the_cells_were_changed(
    rows: list[list[str]], changes: list[tuple[int, int, str]]
) -> None:
    after, made = changed(rows, changes)
    before, wanted = (
        pd.DataFrame(cells, columns=HEADER, index=range(2, len(rows) + 2), dtype="str") for cells in (rows, after)
    )
    with TemporaryDirectory() as here:
        write_corrections(made, Path(here) / "corrections.csv")
        corrected = HOW.model_copy(update={"corrections": Path(here) / "corrections.csv"})

        assert facts(lambda: open_frame(before, corrected)) == facts(lambda: open_frame(wanted, HOW))


@quick
@given(
    st.lists(
        st.builds(Correction, st.integers(1, 10**6), WORDS, WORDS, WORDS), unique_by=lambda one: (one.row, one.column)
    )
)
def test_corrections_are_read_as_they_were_written(made: list[Correction]) -> None:
    with TemporaryDirectory() as here:
        write_corrections(made, Path(here) / "corrections.csv")
        read = read_corrections(Path(here) / "corrections.csv", HOW.limits)

        assert sorted(read.all, key=lambda one: (one.row, one.column)) == sorted(
            made, key=lambda one: (one.row, one.column)
        )
        assert list(read.rows) == sorted(one.row for one in made)
