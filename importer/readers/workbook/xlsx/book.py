"""An open `.xlsx`: its container, strings and styles, ready to read any of its sheets."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from zipfile import ZipFile

from importer.profile.settings import SourceSettings
from importer.readers.byte_source import ByteSource
from importer.readers.table.blocks import Block
from importer.readers.workbook.numberformats import Render, renderers
from importer.readers.workbook.package import Relations, open_package, walk, workbook_relations
from importer.readers.workbook.sheetrows import SheetFacts
from importer.readers.workbook.sheets import Sheet
from importer.readers.workbook.xlsx.plans import RowTexts
from importer.readers.workbook.xlsx.sheet import SheetXml
from importer.readers.workbook.xlsx.strings import read_strings

_NAMESPACES = frozenset(
    {
        "",
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://purl.oclc.org/ooxml/spreadsheetml/main",
    }
)
"""Of the elements of an `.xlsx`, as programs write them, as the strict form of ISO/IEC 29500 has them, or left out."""


class XlsxBook:
    """An `.xlsx`.

    Args:
        byte_source: the file's bytes.
        settings: `[source]` of the profile.
    """

    def __init__(self, byte_source: ByteSource, settings: SourceSettings) -> None:
        self._name = name = byte_source.name
        self._limits = settings.limits
        self._archive = open_package(byte_source, settings.limits)
        description = _describe(self._archive, name)
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


@dataclass(frozen=True, slots=True)
class _Description:
    """What an `.xlsx` says about itself.

    Args:
        sheets: its worksheets in order.
        strings_part: where its shared strings are; empty when it has none.
        renders: one renderer per cell style.
    """

    sheets: Sequence[Sheet]
    strings_part: str
    renders: Sequence[Render]


@dataclass(slots=True)
class _Found:
    """What the elements of the parts say so far."""

    sheets: list[tuple[str, str, str]] = field(default_factory=list)
    codes: dict[int, str] = field(default_factory=dict)
    styles: list[int] = field(default_factory=list)
    inside: str = ""
    epoch_1904: bool = False

    def workbook(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "workbookPr":
            self.epoch_1904 = attributes.get("date1904") in {"1", "true"}
        elif tag == "sheet":
            key = attributes.get("id", "")
            self.sheets.append((attributes.get("name", ""), attributes.get("state", "visible"), key))

    def style(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "numFmt":
            self.codes[_number(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
        elif tag == "xf":
            if self.inside == "cellXfs":
                self.styles.append(_number(attributes.get("numFmtId")))
        elif tag in {"cellXfs", "cellStyleXfs", "dxfs", "cellStyles"}:
            self.inside = tag


def _describe(archive: ZipFile, name: str) -> _Description:
    """Read the small parts.

    Raises:
        SourceError: the workbook's own description is missing or hostile.
    """
    relations = workbook_relations(archive, "xl/workbook.xml", name)
    found = _Found()
    walk(archive, relations.part, found.workbook, name, _NAMESPACES)
    styles = relations.of_kind("/styles")
    if styles:
        walk(archive, styles, found.style, name, _NAMESPACES)
    renders = renderers(found.styles, found.codes, epoch_1904=found.epoch_1904)
    return _Description(_sheets(relations, found), relations.of_kind("/sharedStrings"), renders)


def _sheets(relations: Relations, found: _Found) -> list[Sheet]:
    sheets = []
    for title, state, key in found.sheets:
        kind, part = relations.targets.get(key, ("", ""))
        if part and kind.endswith("/worksheet"):
            sheets.append(Sheet(title, hidden=state != "visible", part=part))
    return sheets


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
