"""The cells of consecutive rows as one value: by column, row by row, or as one block of bytes.

A block is what lies in the journal and what travels between processes. Each form is made from another when it is
first asked for: a file that is only written out again is never parted into its cells. Pure.

Rows are joined by ASCII's unit and record separators, which was measured ten times faster than JSON; a table with a
cell that holds one of them falls back to JSON. The first byte of a block says which it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, overload

UNIT, RECORD = "\x1f", "\x1e"
"""What stands between two cells of a row, and between two rows."""
_BY_ROW = b"r"
_BY_COLUMN = b"s"
"""How journals up to format 3 kept their cells."""
_JSON = b"j"


class Cells(Sequence[Sequence[str]]):
    """A table of texts, read as a sequence of its columns.

    Args:
        columns: all of them as long; a blank cell is "".
    """

    __slots__ = ("_columns", "_packed", "_rows")

    def __init__(self, columns: Sequence[Sequence[str]]) -> None:
        self._columns: Sequence[Sequence[str]] | None = columns
        self._rows: Sequence[str] | None = None
        self._packed = b""

    @classmethod
    def of(cls, columns: Sequence[Sequence[str]]) -> Cells:
        """Take columns as they come, in whatever form they are held."""
        return columns if isinstance(columns, Cells) else cls(columns)

    @classmethod
    def unpacked(cls, data: bytes) -> Cells:
        """Take a block that `packed` has made; looked into only when that is needed."""
        cells = cls(())
        cells._packed, cells._columns = data, None
        return cells

    def joined(self, rows: Sequence[str], delimiter: str) -> None:
        """Be told the same cells as texts of whole rows, which spares joining them.

        Args:
            rows: one text a row.
            delimiter: what stands between two cells, and in none.
        """
        text = RECORD.join(rows)
        if UNIT not in text and text.count(RECORD) == len(rows) - 1:
            self._packed = _BY_ROW + text.replace(delimiter, UNIT).encode("utf-8", "surrogatepass")

    @property
    def packed(self) -> bytes:
        """All cells as one block; lone surrogates survive."""
        if not self._packed:
            self._packed = _packed(self._columns or ())
        return self._packed

    @property
    def columns(self) -> Sequence[Sequence[str]]:
        """One sequence of texts for each column."""
        if self._columns is None:
            self._columns = _columns(self._packed)
        return self._columns

    @property
    def text(self) -> str | None:
        """All rows as one text, with `UNIT` and `RECORD` between them; None where a cell holds one of those."""
        return _text(self._packed) if self._packed[:1] == _BY_ROW else None

    def row(self, place: int) -> tuple[str, ...]:
        """The cells of one row."""
        if self._columns is None and self._rows is None and (text := self.text) is not None:
            self._rows = text.split(RECORD)
        if self._rows is not None:
            return tuple(self._rows[place].split(UNIT))
        return tuple([column[place] for column in self.columns])

    def __reduce__(self) -> tuple[Any, ...]:
        return Cells.unpacked, (self.packed,)

    def __len__(self) -> int:
        return len(self.columns)

    def __iter__(self) -> Iterator[Sequence[str]]:
        return iter(self.columns)

    @overload
    def __getitem__(self, index: int) -> Sequence[str]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Sequence[str]]: ...
    def __getitem__(self, index: int | slice) -> Sequence[str] | Sequence[Sequence[str]]:
        return self.columns[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return list(map(list, self.columns)) == list(map(list, other))

    __hash__ = None  # type: ignore[assignment]  # equal to lists, which have none either

    def __repr__(self) -> str:
        return f"<Cells, {len(self)} columns>"  # never a value: it may end up in a traceback


def _packed(columns: Sequence[Sequence[str]]) -> bytes:
    height = len(columns[0]) if columns else 0
    text = RECORD.join(map(UNIT.join, zip(*columns, strict=True)))
    if height and text.count(UNIT) == height * (len(columns) - 1) and text.count(RECORD) == height - 1:
        return _BY_ROW + text.encode("utf-8", "surrogatepass")
    return _JSON + json.dumps([list(column) for column in columns]).encode("ascii")


def _columns(data: bytes) -> Sequence[Sequence[str]]:
    form = data[:1]
    if form == _JSON:
        columns: list[list[str]] = json.loads(data[1:])
        return columns
    text = _text(data)
    if form == _BY_COLUMN:
        return [column.split(UNIT) for column in text.split(RECORD)]
    width = text.partition(RECORD)[0].count(UNIT) + 1
    cells = text.replace(RECORD, UNIT).split(UNIT)
    return [cells[place::width] for place in range(width)]


def _text(data: bytes) -> str:
    return data[1:].decode("utf-8", "surrogatepass")
