"""The cells of a results workbook: one for each look, filled anew for every value that is written.

No cell can run as a formula, and no text is changed for that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Sequence
from functools import cached_property, partial
from itertools import chain
from typing import Any

from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Alignment, PatternFill
from openpyxl.worksheet.worksheet import Worksheet

from importer.results.cell_text import may_run, stored_text
from importer.results.sheets import (
    ADDED_FILL,
    HEADER_FILL,
    HEADER_FONT,
    NO_FILL,
    STATE_FILLS,
    put_text,
)
from importer.results.table import Row

_NUMBER = re.compile(r"(?:0|[1-9]\d*|[1-9]\d{0,2}(?P<thousands>(?:,\d{3})+))(?:\.(?P<decimals>\d+))?", re.ASCII)
"""What Excel shows of a number by a format; `007`, `$5` and `+5` are not shown so."""
_MOST_LETTERS = 15
"""Of a number: a workbook keeps 15 digits."""


class RowCells:
    """The cells of one sheet's rows.

    Args:
        places: where the value of each column is in a row.
        looks: for each column whether it holds numbers, and whether it holds sentences, which are wrapped.
        coloured: how many columns, from the first one on, have the colour of the row's state.
        state: which of the columns says the state.
    """

    def __init__(
        self, sheet: Worksheet, places: Sequence[int], looks: Sequence[tuple[bool, bool]], *, coloured: int, state: int
    ) -> None:
        self._sheet, self._state, self._first = sheet, places[state], places[:coloured]
        made = {kind: _Look(sheet, is_numeric=kind[0], wrap=kind[1]) for kind in set(looks)}
        self._others = [(place, made[kind]) for place, kind in zip(places[coloured:], looks[coloured:], strict=True)]
        self._coloured = looks[:coloured]
        self._by_state: dict[str, list[_Look]] = {}

    def header(self, names: Sequence[str], of_source: Collection[int]) -> list[Cell]:
        """Return the cells of the header.

        Args:
            of_source: the places of the names that are the source's own.
        """
        cells = []
        for at, name in enumerate(names):
            cell = WriteOnlyCell(self._sheet)
            put_text(cell, name)
            cell.font, cell.fill = HEADER_FONT, HEADER_FILL if at in of_source else ADDED_FILL
            cells.append(cell)
        return cells

    def of(self, row: Row) -> Generator[Any]:
        """Yield the cells of a row; each is written before the next one is asked for."""
        coloured = self._by_state.get(row[self._state]) or self._looks_of(row[self._state])
        for place, look in chain(zip(self._first, coloured, strict=True), self._others):
            text = row[place]
            yield look.filled(text) if text else look.blank

    def _looks_of(self, state: str) -> list[_Look]:
        """Make the looks of a state when its first row comes: most workbooks have one or two."""
        fill = STATE_FILLS.get(state, NO_FILL)
        found = [_Look(self._sheet, is_numeric=is_numeric, fill=fill) for is_numeric, _ in self._coloured]
        return self._by_state.setdefault(state, found)


class _Look:
    """The cells of one look: for texts, for texts that must not run, and for numbers of each format.

    Args:
        is_numeric: what can be stored as a number is one; everything else is a text.
        wrap: show a long text in several lines.
        fill: its colour; a blank cell has it, too.
    """

    def __init__(
        self, sheet: Worksheet, *, is_numeric: bool = False, wrap: bool = False, fill: PatternFill = NO_FILL
    ) -> None:
        self._is_numeric, is_coloured = is_numeric, fill is not NO_FILL
        alignment = Alignment("left" if is_coloured else None, "top", wrap_text=wrap)
        self._made = partial(_Refilled, sheet, alignment, fill)
        self._text = self._made("@")
        self._numbers: dict[str, _Refilled] = {}
        self.blank = self._made("@") if is_coloured else None

    def filled(self, text: str) -> Cell:
        """Return the cell with a text, which is not blank."""
        if self._is_numeric and len(text) <= _MOST_LETTERS and (found := _NUMBER.fullmatch(text)):
            code = ("#,##0." if found["thousands"] else "0.") + "0" * len(found["decimals"] or "")
            return self._number(code.rstrip("."), text.replace(",", ""))
        return (self._guarded if may_run(text) else self._text).filled(stored_text(text), "s")

    @cached_property
    def _guarded(self) -> _Refilled:
        return self._made("@", quotePrefix=True)

    def _number(self, number_format: str, text: str) -> Cell:
        if number_format not in self._numbers:
            self._numbers[number_format] = self._made(number_format)
        return self._numbers[number_format].filled(float(text) if "." in text else int(text), "n")


class _Refilled(Cell):
    """A cell of one style that takes one value after the other.

    openpyxl asks every cell for its style several times, and checks every text again: a third of the time is saved.
    """

    __slots__ = ("_known_style",)
    has_style = True

    def __init__(
        self, sheet: Worksheet, alignment: Alignment, fill: PatternFill, number_format: str, **more: bool
    ) -> None:
        super().__init__(sheet, 1, 1)
        for look, value in {"alignment": alignment, "fill": fill, "number_format": number_format, **more}.items():
            setattr(self, look, value)
        self._known_style = super().style_id

    @property
    def style_id(self) -> int:
        return self._known_style

    def __repr__(self) -> str:
        return ""  # openpyxl asks for it whenever it finds a cell among values

    def filled(self, value: str | float, kind: str) -> Cell:
        """Return the cell with a value, stored as openpyxl's `data_type` says."""
        self._value, self.data_type = value, kind
        return self
