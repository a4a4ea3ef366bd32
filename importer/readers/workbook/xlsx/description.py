"""The small parts of an `.xlsx`: which sheets there are, and what each cell style makes of a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zipfile import ZipFile

from importer.readers.workbook.numberformats import Render, renderers
from importer.readers.workbook.package import SPREADSHEET_NAMESPACES, walk
from importer.readers.workbook.relations import Relations, workbook_relations
from importer.readers.workbook.sheets import Sheet


@dataclass(frozen=True, slots=True)
class Description:
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
    """What the parts' elements told so far."""

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


def describe(archive: ZipFile, name: str) -> Description:
    """Read the small parts.

    Raises:
        SourceError: the workbook's own description is missing or hostile.
    """
    relations = workbook_relations(archive, "xl/workbook.xml", name)
    found = _Found()
    walk(archive, relations.part, found.workbook, name, SPREADSHEET_NAMESPACES)
    styles = relations.of_kind("/styles")
    if styles:
        walk(archive, styles, found.style, name, SPREADSHEET_NAMESPACES)
    renders = renderers(found.styles, found.codes, epoch_1904=found.epoch_1904)
    return Description(_sheets(relations, found), relations.of_kind("/sharedStrings"), renders)


def _sheets(relations: Relations, found: _Found) -> list[Sheet]:
    sheets = []
    for title, state, key in found.sheets:
        kind, part = relations.targets.get(key, ("", ""))
        if part and kind.endswith("/worksheet"):
            sheets.append(Sheet(title, hidden=state != "visible", part=part))
    return sheets


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
