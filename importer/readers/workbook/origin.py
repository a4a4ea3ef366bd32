"""Workbooks through calamine: `.xls`, `.xlsb` and `.ods`; an `.xlsx` goes to its own reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from importer.profile.settings import SourceSettings
from importer.readers.kinds import kind_of
from importer.readers.material import Material
from importer.readers.table.blocks import Block, Origin
from importer.readers.trouble import Parsing
from importer.readers.workbook.cells import as_text
from importer.readers.workbook.sheets import Sheet, choose_sheet, describe_sheets
from importer.readers.workbook.xlsx.origin import XlsxOrigin
from importer.records import Detected

_BLOCK_ROWS = 4_096
_HINT = "Open it in a spreadsheet program and save it again as .xlsx."


def open_workbook(material: Material, settings: SourceSettings) -> Origin:
    """Open a workbook; the `Opener` of the format `excel`."""
    with material.open() as stream:
        kind = kind_of(stream).name
    return XlsxOrigin(material, settings) if kind == "xlsx" else WorkbookOrigin(material, settings)


class WorkbookOrigin:
    """One sheet of a workbook.

    Args:
        material: the file's bytes; closed with the origin.
        settings: `[source]` of the profile.
    """

    grid = True
    format = "excel"

    def __init__(self, material: Material, settings: SourceSettings) -> None:
        self._material = material
        self._name = name = material.name
        with Parsing(name, "workbook", _HINT):
            self._book = CalamineWorkbook.from_filelike(material.open())
        sheets = [
            Sheet(sheet.name, hidden=sheet.visible != SheetVisibleEnum.Visible)
            for sheet in self._book.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet
        ]
        chosen = choose_sheet(sheets, settings.sheet, name)
        self.sheet = chosen.name
        found, self.warnings = describe_sheets(sheets, chosen)
        self.detected: Sequence[Detected] = (found,)

    def blocks(self) -> Iterator[Block]:
        """Yield the sheet's rows from the start."""
        with Parsing(self._name, "workbook", _HINT):
            rows = iter(self._book.get_sheet_by_name(self.sheet).iter_rows())
            number = 1
            while chunk := list(islice(rows, _BLOCK_ROWS)):
                yield Block(range(number, number + len(chunk)), [list(map(as_text, row)) for row in chunk])
                number += len(chunk)

    def close(self) -> None:
        """Release the file."""
        self._material.close()
