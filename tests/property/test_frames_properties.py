"""Cells come back as they were, whatever they hold, and leave as the lines that the csv module would write."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.core.frames import frame_from_bytes, frame_to_bytes, raw_batch, text_frame
from importer.journal.sqlite.renewal import old_columns
from importer.results.csvfile import cells_of, lines

TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(',"\r\n\x1e\x1f\x00'), max_size=8)
TABLES = st.integers(1, 5).flatmap(
    lambda rows: st.lists(st.lists(TEXTS, min_size=rows, max_size=rows), min_size=1, max_size=4)
)


def named(columns: Sequence[Sequence[str]]) -> list[str]:
    return [f"column {place}" for place in range(len(columns))]


@given(TABLES)
def test_any_table_of_texts_comes_back_as_it_was(columns: list[list[str]]) -> None:
    rows = range(2, 2 + len(columns[0]))
    frame = text_frame(named(columns), columns, rows)

    back = frame_from_bytes(frame_to_bytes(frame), rows)

    assert back.equals(frame)
    assert set(map(str, back.dtypes)) == {"str"}
    assert [series.tolist() for _, series in back.items()] == columns
    assert (back.index.name, back.index.tolist()) == ("row", list(rows))


@given(TABLES, st.data())
def test_a_part_of_a_frame_is_written_as_that_part_alone(columns: list[list[str]], data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(columns[0])))
    start = data.draw(st.integers(0, end))
    frame = text_frame(named(columns), columns, range(len(columns[0]))).iloc[start:end]

    assert frame_from_bytes(frame_to_bytes(frame), range(start, end)).equals(frame)


@given(TABLES, st.text(',"a', max_size=2))
def test_lines_are_what_the_csv_module_writes(columns: list[list[str]], shared: str) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([[*row, shared, shared] for row in zip(*columns, strict=True)])

    made = lines([*cells_of(text_frame(named(columns), columns, range(len(columns[0])))), shared, shared])

    assert "".join(made.to_pylist()) == stream.getvalue()


@pytest.mark.parametrize(("first", "inside", "between"), [("r", "\x1f", "\x1e"), ("s", "\x1e", "\x1f")])
@given(columns=TABLES)
def test_texts_of_older_journals_are_read(first: str, inside: str, between: str, columns: list[list[str]]) -> None:
    if any(sign in text for column in columns for text in column for sign in "\x1e\x1f"):
        return  # those were kept as JSON
    rows = list(zip(*columns, strict=True))
    text = between.join(map(inside.join, rows)) if first == "r" else inside.join(map(between.join, columns))

    assert list(map(list, old_columns((first + text).encode()))) == columns


@given(TABLES)
def test_json_of_older_journals_is_read(columns: list[list[str]]) -> None:
    assert old_columns(b"j" + json.dumps(columns).encode()) == columns


def test_a_lone_surrogate_is_not_text_and_becomes_the_sign_for_that() -> None:
    assert raw_batch(0, [2], [["a\udc80\U0001f600"]]).cells == [["a\ufffd\U0001f600"]]


def test_no_cell_is_in_a_repr() -> None:
    assert "secret" not in repr(raw_batch(0, [2], [["secret"]]))


def test_a_table_without_columns_keeps_its_rows() -> None:
    assert len(frame_from_bytes(frame_to_bytes(text_frame((), (), range(3))), range(3))) == 3
