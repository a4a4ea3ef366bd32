"""An open `.xlsx`: its container, strings and styles, ready to read any of its sheets."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from importer.profile.settings import SourceSettings
from importer.readers.material import Material
from importer.readers.table.blocks import Block
from importer.readers.workbook.package import open_package
from importer.readers.workbook.sheetrows import SheetFacts
from importer.readers.workbook.sheets import Sheet
from importer.readers.workbook.xlsx.description import describe
from importer.readers.workbook.xlsx.plans import RowTexts
from importer.readers.workbook.xlsx.sheet import SheetXml
from importer.readers.workbook.xlsx.strings import read_strings


class XlsxBook:
    """An `.xlsx`.

    Args:
        material: the file's bytes.
        settings: `[source]` of the profile.
    """

    def __init__(self, material: Material, settings: SourceSettings) -> None:
        self._name = name = material.name
        self._limits = settings.limits
        self._archive = open_package(material, settings.limits)
        description = describe(self._archive, name)
        longest = settings.limits.max_cell_chars
        self._strings = read_strings(self._archive, description.strings_part, longest, name)
        self._texts = RowTexts(self._strings.all(), description.renders, longest, name)
        self.sheets: Sequence[Sheet] = description.sheets

    def blocks(self, sheet: Sheet, facts: SheetFacts) -> Generator[Block]:
        """Yield a sheet's rows from the start."""
        yield from SheetXml(self._archive, sheet.part, self._texts, limits=self._limits, name=self._name).blocks(facts)

    def close(self) -> None:
        """Release the container and what was spilled to disk."""
        self._strings.close()
        self._archive.close()
