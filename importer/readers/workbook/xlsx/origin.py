"""An `.xlsx` sheet as an origin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from importer.profile.settings import SourceSettings
from importer.readers.material import Material
from importer.readers.table.blocks import Block
from importer.readers.trouble import Parsing
from importer.readers.workbook.package import open_package
from importer.readers.workbook.sheets import choose_sheet, describe_sheets
from importer.readers.workbook.xlsx.book import read_book
from importer.readers.workbook.xlsx.plans import RowTexts
from importer.readers.workbook.xlsx.sheet import SheetFacts, SheetXml
from importer.readers.workbook.xlsx.strings import read_strings
from importer.records import Detected

_HINT = "Open it in a spreadsheet program and save it again as .xlsx."


class XlsxOrigin:
    """One sheet of an `.xlsx`.

    Args:
        material: the file's bytes; closed with the origin.
        settings: `[source]` of the profile.
    """

    grid = True
    format = "excel"

    def __init__(self, material: Material, settings: SourceSettings) -> None:
        name = self._name = material.name
        self._material = material
        longest = settings.limits.max_cell_chars
        with Parsing(name, "workbook", _HINT):
            self._archive = open_package(material, settings.limits)
            book = read_book(self._archive, name)
            chosen = choose_sheet(book.sheets, settings.sheet, name)
            self._strings = read_strings(self._archive, book.strings_part, longest, name)
            texts = RowTexts(self._strings.all(), book.renders, longest, name)
            self._sheet = SheetXml(self._archive, chosen.part, texts, limits=settings.limits, name=name)
        self.sheet = chosen.name
        found, self._warnings = describe_sheets(book.sheets, chosen)
        self.detected: Sequence[Detected] = (found,)

    @property
    def warnings(self) -> Sequence[str]:
        """Sentences about the workbook; complete once the sheet was read to its end."""
        return (*self._warnings, *_about(self._sheet.facts))

    def blocks(self) -> Iterator[Block]:
        """Yield the sheet's rows from the start."""
        with Parsing(self._name, "workbook", _HINT):
            yield from self._sheet.blocks()

    def close(self) -> None:
        """Release the file and what was spilled to disk."""
        self._strings.close()
        self._archive.close()
        self._material.close()


def _about(facts: SheetFacts) -> Iterator[str]:
    if facts.hidden_rows:
        how = "hidden by a filter" if facts.filtered else "hidden"
        yield f"{facts.hidden_rows:,} rows of the sheet are {how}; they are read like the others."
    if facts.hidden_columns:
        yield "Some columns of the sheet are hidden; they are read like the others."
    if facts.merged > 1:
        yield (
            f"Cells are merged over several rows, the last ones in row {facts.merged:,}: "
            "only the first row of such a cell has its value."
        )
