"""A workbook as an origin: picks the reader of its kind and the sheet that is meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from itertools import takewhile
from pkgutil import resolve_name

from importer.core.columns import tidy_name
from importer.core.errors import SourceError
from importer.core.sources import SUMMARY_SHEET, Detected, OtherTable
from importer.profile.settings import SourceSettings
from importer.readers.byte_source import ByteSource
from importer.readers.kinds import kind_of
from importer.readers.parser_errors import Parsing
from importer.readers.table.blocks import Block
from importer.readers.table.header import find_header
from importer.readers.workbook.sheetrows import Book, SheetFacts
from importer.readers.workbook.sheets import Sheet, choose_sheet, describe_sheets

BOOKS = {
    "xlsx": "importer.readers.workbook.xlsx.book:XlsxBook",
    "xlsb": "importer.readers.workbook.xlsb.book:XlsbBook",
    "xls": "importer.readers.workbook.xls.book:XlsBook",
    "ods": "importer.readers.workbook.ods.book:OdsBook",
}
"""Kind of workbook to the class that opens it: its bytes and `[source]` in, a `Book` out."""

_FEWEST_TO_CHOOSE, _MOST_SHEETS = 2, 20
_FEWEST_COLUMNS = 2
"""A table of customers has more than one column; notes have one."""
_HINT = "Open it in a spreadsheet program and save it again as .xlsx."


def open_workbook(byte_source: ByteSource, settings: SourceSettings) -> WorkbookOrigin:
    """Open a workbook; the `Opener` of the format `excel`."""
    return WorkbookOrigin(byte_source, settings)


class WorkbookOrigin:
    """One sheet of a workbook.

    Args:
        byte_source: the file's bytes; closed with the origin.
        settings: `[source]` of the profile.
    """

    grid = True
    format = "excel"

    def __init__(self, byte_source: ByteSource, settings: SourceSettings) -> None:
        self._byte_source = byte_source
        self._name = byte_source.name
        with byte_source.open() as stream:
            kind = kind_of(stream).name
        with self._parsing():
            self._book: Book = resolve_name(BOOKS[kind])(byte_source, settings)
        try:
            with self._parsing():
                tables = self._tables()
            self._chosen = choose_sheet(self._book.sheets, settings.sheet, self._name, tables)
        except BaseException:
            self._book.close()
            raise
        self._facts = SheetFacts()
        self.other_tables = tuple(OtherTable(*one) for one in tables.items() if one[0] != self._chosen.name)
        self._about_sheet, self._about_sheets = describe_sheets(
            self._book.sheets,
            self._chosen,
            [other.sheet for other in self.other_tables],
            passed=self._passed(tables) if settings.sheet is None else (),
        )

    @property
    def sheet(self) -> str:
        """The name of the sheet that is read."""
        return self._chosen.name

    @property
    def sheets(self) -> Sequence[str]:
        """The names of all sheets, in their order."""
        return tuple(sheet.name for sheet in self._book.sheets)

    @property
    def detected(self) -> Sequence[Detected]:
        """Which sheet it is, and of how many."""
        return (self._about_sheet,)

    @property
    def warnings(self) -> Sequence[str]:
        """Sentences about the workbook; complete once the sheet was read to its end."""
        return (*self._about_sheets, *self._facts.sentences())

    def blocks(self) -> Iterator[Block]:
        """Yield the sheet's rows from the start."""
        facts = SheetFacts()
        with self._parsing():
            yield from self._book.blocks(self._chosen, facts)
        self._facts = facts

    def _tables(self) -> dict[str, tuple[str, ...]]:
        """Find the visible sheets that hold tables, each with its header; nothing where there is no choice."""
        visible = [sheet for sheet in self._book.sheets if not sheet.hidden and sheet.name != SUMMARY_SHEET]
        if len(visible) < _FEWEST_TO_CHOOSE:
            return {}
        headers = ((sheet.name, self._header_of(sheet)) for sheet in visible[:_MOST_SHEETS])
        return {name: header for name, header in headers if header}

    def _header_of(self, sheet: Sheet) -> tuple[str, ...]:
        """The column names of the table at a sheet's beginning; empty where there is none."""
        with closing(self._book.blocks(sheet, SheetFacts())) as blocks:
            block = next(blocks, None)
        if block is None:
            return ()
        sample = list(zip(block.numbers, block.as_rows(), strict=True))
        try:
            header = find_header(sample, "auto", self._name)
        except SourceError:
            return ()
        names = tuple(filter(None, map(tidy_name, header.cells)))
        has_rows = any(any(map(str.strip, cells)) for number, cells in sample if number > header.number)
        return names if has_rows and len(names) >= _FEWEST_COLUMNS else ()

    def _passed(self, tables: Mapping[str, object]) -> list[str]:
        before = takewhile(lambda sheet: sheet is not self._chosen, self._book.sheets)
        return [sheet.name for sheet in before if not sheet.hidden] if tables else []

    def close(self) -> None:
        """Release the workbook."""
        self._book.close()
        self._byte_source.close()

    def _parsing(self) -> Parsing:
        return Parsing(self._name, "workbook", _HINT)
