"""A workbook as an origin: picks the reader of its kind and the sheet that is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module

from importer.profile.settings import SourceSettings
from importer.readers.kinds import kind_of
from importer.readers.material import Material
from importer.readers.table.blocks import Block
from importer.readers.trouble import Parsing
from importer.readers.workbook.sheetrows import Book, SheetFacts
from importer.readers.workbook.sheets import choose_sheet, describe_sheets
from importer.records import Detected

BOOKS = {
    "xlsx": "importer.readers.workbook.xlsx.book:XlsxBook",
    "xlsb": "importer.readers.workbook.xlsb.book:XlsbBook",
    "xls": "importer.readers.workbook.xls.book:XlsBook",
    "ods": "importer.readers.workbook.ods.book:OdsBook",
}
"""Kind of workbook to the class that opens it: its bytes and `[source]` in, a `Book` out."""

_HINT = "Open it in a spreadsheet program and save it again as .xlsx."


def open_workbook(material: Material, settings: SourceSettings) -> WorkbookOrigin:
    """Open a workbook; the `Opener` of the format `excel`."""
    return WorkbookOrigin(material, settings)


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
        self._name = material.name
        with material.open() as stream:
            kind = kind_of(stream).name
        with self._parsing():
            self._book = _load(BOOKS[kind])(material, settings)
        try:
            self._chosen = choose_sheet(self._book.sheets, settings.sheet, self._name)
        except BaseException:
            self._book.close()
            raise
        self._facts = SheetFacts()
        self._about_sheet, self._about_sheets = describe_sheets(self._book.sheets, self._chosen)

    @property
    def sheet(self) -> str:
        """The name of the sheet that is read."""
        return self._chosen.name

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

    def close(self) -> None:
        """Release the workbook."""
        self._book.close()
        self._material.close()

    def _parsing(self) -> Parsing:
        return Parsing(self._name, "workbook", _HINT)


def _load(place: str) -> Callable[[Material, SourceSettings], Book]:
    module, _, name = place.partition(":")
    book: Callable[[Material, SourceSettings], Book] = getattr(import_module(module), name)
    return book
