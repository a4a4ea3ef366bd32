"""What a format hands to the table it fills: numbered records, and what it noticed about single ones. Values only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from importer.core.frames import text_table
from importer.core.issues import Severity
from importer.core.sources import Detected, OtherTable


@dataclass(frozen=True, slots=True)
class Mark:
    """Something a format noticed about one record; becomes an `Issue` if the record is a data row.

    Args:
        code: stable, lower snake case.
        message: the sentence for a person, without the row number.
        column: position of the cell in the record, from 0; -1 for the record as a whole.
    """

    code: str
    message: str
    column: int = -1
    severity: Severity = Severity.ERROR


@dataclass(slots=True)
class Block:
    """Consecutive records as text, either row by row or as an Arrow table.

    Args:
        numbers: the row number a person sees, one per record, ascending.
        rows: the records; of any width. None when `table` is given.
        table: the same for records that are all of one width: one column of large strings for each cell, called by
            its place.
        marks: position in the block to what was noticed there.
        text: the text the records were made of, for quick tests on the whole block; None where there is none.
        unterminated: whether the source ends with this block and without a line end.
        surplus: position in the block to the cells beyond the table; known once it was brought to its width.
    """

    numbers: Sequence[int]
    rows: Sequence[Sequence[str]] | None = None
    table: pa.Table | None = None
    marks: Mapping[int, Sequence[Mark]] = field(default_factory=dict)
    text: str | None = None
    unterminated: bool = False
    surplus: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def as_rows(self) -> Sequence[Sequence[str]]:
        """Return the records row by row, whichever way they are held."""
        if self.rows is not None:
            return self.rows
        return list(zip(*map(self.column, range(self.width)), strict=True))

    @property
    def width(self) -> int:
        """The columns of its table."""
        return 0 if self.table is None else int(self.table.num_columns)

    def column(self, place: int) -> list[str]:
        """One column of its table as texts."""
        texts: list[str] = self.cells(place).to_numpy().tolist()
        return texts

    def cells(self, place: int) -> pa.ChunkedArray:
        """One column of its table."""
        assert self.table is not None  # noqa: S101  # blocks of rows have no columns yet
        return self.table.column(place)

    def named(self, picks: Sequence[int], names: Sequence[str]) -> pa.Table:
        """Some columns of its table, under their names."""
        assert self.table is not None  # noqa: S101  # as above
        return self.table.select(picks).rename_columns(names).combine_chunks()


def tabled(columns: Sequence[Sequence[str]]) -> pa.Table:
    """Make the table of a block from its columns."""
    return text_table(place_names(len(columns)), columns)


def place_names(width: int) -> list[str]:
    """What the columns of a block's table are called."""
    return list(map(str, range(width)))


class Origin(Protocol):
    """One open file of one format: the part of a reader that a new format has to bring."""

    @property
    def format(self) -> str:
        """The registry's name of the format."""
        ...

    @property
    def grid(self) -> bool:
        """Whether every cell knows its place, so that a record may end early (workbooks)."""
        ...

    @property
    def sheet(self) -> str:
        """The sheet's name; empty where there are none."""
        ...

    @property
    def sheets(self) -> Sequence[str]:
        """The names of all sheets; empty where there are none."""
        ...

    @property
    def detected(self) -> Sequence[Detected]:
        """What was detected on opening."""
        ...

    @property
    def warnings(self) -> Sequence[str]:
        """Sentences about the file as a whole; may grow while it is read."""
        ...

    @property
    def other_tables(self) -> Sequence[OtherTable]:
        """Sheets that are not read and hold tables, too."""
        ...

    def blocks(self) -> Iterator[Block]:
        """Yield every record from the start, header and blank ones included; may be called again."""
        ...

    def close(self) -> None:
        """Release the file; harmless when called twice."""
        ...
