"""An open `.xls`, through calamine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from importer.profile.settings import SourceSettings
from importer.readers.material import Material
from importer.readers.table.blocks import Block
from importer.readers.workbook.cells import as_text
from importer.readers.workbook.sheetrows import Pile, SheetFacts
from importer.readers.workbook.sheets import Sheet


class XlsBook:
    """An `.xls`.

    Args:
        material: the file's bytes.
        settings: `[source]` of the profile.
    """

    def __init__(self, material: Material, settings: SourceSettings) -> None:
        self._settings = settings
        self._book = CalamineWorkbook.from_filelike(material.open())
        self.sheets: Sequence[Sheet] = [
            Sheet(sheet.name, hidden=sheet.visible != SheetVisibleEnum.Visible)
            for sheet in self._book.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet
        ]

    def blocks(self, sheet: Sheet, facts: SheetFacts) -> Iterator[Block]:  # noqa: ARG002  # nothing is known beyond the cells
        """Yield a sheet's rows from the start."""
        pile = Pile()
        for row in self._book.get_sheet_by_name(sheet.name).iter_rows():
            pile.add(0, [as_text(value) for value in row], ())
            if pile.full:
                yield pile.take()
        if pile.rows:
            yield pile.take()

    def close(self) -> None:
        """Do nothing: the workbook holds no file."""
