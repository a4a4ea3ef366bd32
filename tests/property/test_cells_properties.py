"""Cells come back as they were, whatever they hold and whichever form they were last held in."""

from __future__ import annotations

import pickle

from hypothesis import given
from hypothesis import strategies as st

from importer.cells import RECORD, UNIT, Cells
from importer.results.csvfile import cell_lines, lines

TEXTS = st.text(alphabet=st.characters() | st.sampled_from(f'{UNIT}{RECORD},"\r\n'), max_size=8)
TABLES = st.integers(1, 5).flatmap(
    lambda rows: st.lists(st.lists(TEXTS, min_size=rows, max_size=rows), min_size=1, max_size=4)
)


@given(TABLES)
def test_any_table_of_texts_comes_back_as_it_was(columns: list[list[str]]) -> None:
    cells = Cells.unpacked(Cells(columns).packed)

    assert cells == columns
    assert pickle.loads(pickle.dumps(cells)) == columns  # noqa: S301  # made here
    assert [cells.row(place) for place in range(len(columns[0]))] == list(zip(*columns, strict=True))


@given(TABLES)
def test_a_row_can_be_had_without_the_columns(columns: list[list[str]]) -> None:
    packed = Cells(columns).packed

    assert [Cells.unpacked(packed).row(place) for place in range(len(columns[0]))] == list(zip(*columns, strict=True))


@given(TABLES, st.sampled_from([",", ";", "\t"]))
def test_rows_that_are_known_as_texts_make_the_same_block(columns: list[list[str]], delimiter: str) -> None:
    rows = [delimiter.join(row) for row in zip(*columns, strict=True)]
    if any(delimiter in text for column in columns for text in column):
        return  # then it would not be known to stand in no cell
    told = Cells(columns)
    told.joined(rows, delimiter)

    assert told.packed == Cells(columns).packed


@given(TABLES.filter(lambda columns: len(columns) > 1))
def test_the_lines_of_a_packed_table_are_those_of_its_columns(columns: list[list[str]]) -> None:
    size = len(columns[0])

    assert cell_lines(Cells.unpacked(Cells(columns).packed), size) == lines(columns, size)


def test_no_cell_stands_in_a_repr() -> None:
    assert "secret" not in repr(Cells([["secret"]]))


def test_a_table_without_columns_is_one() -> None:
    assert list(Cells.unpacked(Cells(()).packed)) == []
