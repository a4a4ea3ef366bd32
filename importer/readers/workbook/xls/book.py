"""An open `.xls`: its values through calamine, and what calamine keeps to itself from the records."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from importer.errors import SourceError
from importer.profile.settings import SourceSettings
from importer.readers.material import Material
from importer.readers.table.blocks import Block, Mark
from importer.readers.workbook.cells import as_text
from importer.readers.workbook.sheetrows import Pile, SheetFacts
from importer.readers.workbook.sheets import Sheet
from importer.readers.workbook.troubles import cell_error, too_long
from importer.readers.workbook.xls.container import workbook_stream
from importer.readers.workbook.xls.overlay import Overlay, Workbook

_LARGEST = 512 << 20
"""65,536 rows of 256 columns do not fill more; the file is held in memory."""


@contextmanager
def _muted_panics() -> Iterator[None]:
    """Keep the parser from writing a stack trace over the terminal when a damaged file makes it panic.

    It writes to the file descriptor, behind Python's back; the panic itself still arrives as an exception.
    """
    try:
        kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    except OSError:
        yield
        return
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class XlsBook:
    """An `.xls`.

    Args:
        material: the file's bytes.
        settings: `[source]` of the profile.

    Raises:
        SourceError: it is larger than any sound one, or protected with a password.
    """

    def __init__(self, material: Material, settings: SourceSettings) -> None:
        if material.size > _LARGEST:
            raise SourceError(f"'{material.name}' is larger than an .xls can be.", "Save it as .xlsx.")
        self._name = material.name
        self._longest = settings.limits.max_cell_chars
        with material.open() as stream:
            self._records = Workbook(workbook_stream(stream.read()), material.name)
        with _muted_panics():
            self._book = CalamineWorkbook.from_filelike(material.open())
        self.sheets: Sequence[Sheet] = [
            Sheet(sheet.name, hidden=sheet.visible != SheetVisibleEnum.Visible)
            for sheet in self._book.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet
        ]

    def blocks(self, sheet: Sheet, facts: SheetFacts) -> Iterator[Block]:
        """Yield a sheet's rows from the start."""
        overlay = self._records.overlay(sheet.name)
        pile = Pile()
        with _muted_panics():
            rows = self._book.get_sheet_by_name(sheet.name).iter_rows()
        for number, values in enumerate(rows):
            pile.add(0, *self._row(number, values, overlay))
            if pile.full:
                yield pile.take()
        if pile.rows:
            yield pile.take()
        found = overlay.facts
        facts.hidden_rows, facts.hidden_columns = found.hidden_rows, found.hidden_columns
        facts.filtered, facts.merged = found.filtered, found.merged

    def close(self) -> None:
        """Do nothing: the workbook holds no file."""

    def _row(self, number: int, values: Sequence[Any], overlay: Overlay) -> tuple[list[str], list[Mark]]:
        cells = [as_text(value) for value in values]
        if max(map(len, cells), default=0) > self._longest:
            raise too_long(self._longest, self._name)
        marks: list[Mark] = []
        for column in range(len(cells)) if overlay.errors or overlay.renders else ():
            place = (number, column)
            if place in overlay.errors:
                cells[column] = overlay.errors[place]
                marks.append(cell_error(cells[column], column))
            elif place in overlay.renders and cells[column]:
                cells[column] = overlay.renders[place](cells[column])
        return cells, marks
