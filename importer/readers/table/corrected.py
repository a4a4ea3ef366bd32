"""Cells of a table are read as they were corrected, in one pass over it. Refuses what does not fit the table.

A correction says what the source held when it was made, so that none of them meets a cell that it was not made for.
What reading noticed about a cell goes away with its old text. What it noticed about the shape of a row goes away once
its surplus cells are corrected to blank ones, or its last cell is corrected or confirmed (before and after the same).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence

from importer.core.columns import extra_columns, is_extra
from importer.core.corrections import Correction
from importer.core.errors import SourceError
from importer.core.frames import text_array
from importer.core.labels import did_you_mean, named, quotable
from importer.readers.corrections import Corrections
from importer.readers.table.blocks import Block, Mark
from importer.readers.table.columns import Columns

AGAIN = "Make the corrections again, or name the file that they were made for."


class Correcting:
    """One pass over a table.

    Args:
        corrections: all of them.
        columns: of the table.
        source: its name, for people.

    Raises:
        SourceError: a column is not there.
    """

    def __init__(self, corrections: Corrections, columns: Columns, source: str) -> None:
        self._corrections = corrections
        self._places = dict(zip(columns.names, columns.picks, strict=True))
        self._last = columns.picks[-1]
        self._source = source
        self._done = 0
        self._require_columns()

    def block(self, block: Block) -> Block:
        """Return the same records with their corrections, each of which is used once.

        Raises:
            SourceError: a row is not there, or a cell holds another text than its correction says.
        """
        if not block.numbers:
            return block
        rows = self._corrections.rows
        first, end = self._done, bisect_right(rows, block.numbers[-1], self._done)
        self._done = end
        return self._corrected(block, self._corrections.all[first:end]) if first < end else block

    def end(self) -> None:
        """Refuse corrections of rows that are behind the last one.

        Raises:
            SourceError: there are some.
        """
        if self._done < len(self._corrections.rows):
            raise self._no_row(self._corrections.rows[self._done])

    def _require_columns(self) -> None:
        for column in dict.fromkeys(one.column for one in self._corrections.all):
            if column not in self._places and not is_extra(column):
                name = named(column)
                raise SourceError(
                    f"'{self._corrections.name}' corrects the column {name}, which '{self._source}' does not have"
                    f"{did_you_mean(column, quotable(self._places))}",
                    AGAIN,
                )

    def _corrected(self, block: Block, corrections: Sequence[Correction]) -> Block:
        found: dict[int, dict[int, Correction]] = defaultdict(dict)
        surplus = dict(block.surplus)
        for one in corrections:
            at = self._at(block, one.row)
            if one.column in self._places:
                found[self._places[one.column]][at] = one
            else:
                surplus[at] = self._with_extra(surplus.get(at, ()), one)
        table = block.table
        for place, cells in found.items():
            assert table is not None  # noqa: S101  # it was brought to the width of the header
            table = table.set_column(place, str(place), text_array(self._column(block, place, cells)))
        filled = {at: tuple(filter(str.strip, extra)) for at, extra in surplus.items()}
        kept = {at: extra for at, extra in filled.items() if extra}
        return Block(block.numbers, None, table, self._marks(block, found, kept), None, block.unterminated, kept)

    def _at(self, block: Block, row: int) -> int:
        at = bisect_left(block.numbers, row)
        if at == len(block.numbers) or block.numbers[at] != row:
            raise self._no_row(row)
        return at

    def _column(self, block: Block, place: int, corrections: Mapping[int, Correction]) -> list[str]:
        texts = block.column(place)
        for at, one in corrections.items():
            self._require_before(texts[at], one)
            texts[at] = one.after
        return texts

    def _with_extra(self, cells: tuple[str, ...], one: Correction) -> tuple[str, ...]:
        names = extra_columns(len(cells))
        if one.column not in names:
            raise self._does_not_hold(one)
        at = names.index(one.column)
        self._require_before(cells[at], one)
        return (*cells[:at], one.after, *cells[at + 1 :])

    def _marks(
        self, block: Block, found: Mapping[int, Mapping[int, Correction]], surplus: Mapping[int, Sequence[str]]
    ) -> dict[int, Sequence[Mark]]:
        """What reading noticed, without what was corrected."""
        left: dict[int, Sequence[Mark]] = {}
        for at, marks in block.marks.items():
            in_shape = at not in surplus and (at in block.surplus or at in found.get(self._last, ()))
            left[at] = [
                mark for mark in marks if not (in_shape if mark.column < 0 else _is_changed(at, found.get(mark.column)))
            ]
        return {at: marks for at, marks in left.items() if marks}

    def _require_before(self, text: str, one: Correction) -> None:
        if text != one.before:
            raise self._does_not_hold(one)

    def _does_not_hold(self, one: Correction) -> SourceError:
        name, where = self._corrections.name, f"row {one.row:,}, column {named(one.column)}"
        return SourceError(f"'{name}' corrects {where}, and '{self._source}' does not hold there what it says.", AGAIN)

    def _no_row(self, row: int) -> SourceError:
        name = self._corrections.name
        return SourceError(f"'{name}' corrects row {row:,}, and '{self._source}' has no such row.", AGAIN)


def _is_changed(at: int, corrections: Mapping[int, Correction] | None) -> bool:
    """Whether a cell gets another text; one that is only confirmed does not."""
    one = (corrections or {}).get(at)
    return one is not None and one.before != one.after
