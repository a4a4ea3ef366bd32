"""The small parts of an `.xlsx`: which sheets there are, and what each cell style makes of a number."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zipfile import ZipFile

from importer.errors import SourceError
from importer.readers.workbook.numberformats import Render, plain_text, renderer
from importer.readers.workbook.package import find_part, walk
from importer.readers.workbook.sheets import Sheet

_WORKSHEET = "/worksheet"
_MOST_STYLES = 100_000


@dataclass(slots=True)
class Description:
    """What an `.xlsx` says about itself.

    Args:
        sheets: its worksheets in order.
        strings_part: where its shared strings are; empty when it has none.
        renders: one renderer per cell style.
    """

    sheets: Sequence[Sheet] = ()
    strings_part: str = ""
    renders: Sequence[Render] = (plain_text,)


@dataclass(slots=True)
class _Found:
    """What the parts' elements told so far."""

    targets: dict[str, tuple[str, str]] = field(default_factory=dict)
    sheets: list[tuple[str, str, str]] = field(default_factory=list)
    codes: dict[int, str] = field(default_factory=dict)
    styles: list[int] = field(default_factory=list)
    inside: str = ""
    epoch_1904: bool = False

    def relation(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "Relationship":
            self.targets[attributes.get("Id", "")] = (attributes.get("Type", ""), attributes.get("Target", ""))

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
    workbook = _workbook_part(archive, name)
    folder, file = posixpath.split(workbook)
    found = _Found()
    walk(archive, workbook, found.workbook, name)
    relations = find_part(archive, f"{folder}/_rels/{file}.rels")
    if relations:
        walk(archive, relations, found.relation, name)
    styles = _related(archive, folder, found, "/styles")
    if styles:
        walk(archive, styles, found.style, name)
    return Description(
        _sheets(archive, folder, found), _related(archive, folder, found, "/sharedStrings"), _renders(found)
    )


def _workbook_part(archive: ZipFile, name: str) -> str:
    found = _Found()
    relations = find_part(archive, "_rels/.rels")
    if relations:
        walk(archive, relations, found.relation, name)
    part = _related(archive, "", found, "/officeDocument") or find_part(archive, "xl/workbook.xml")
    if not part:
        raise SourceError(f"'{name}' has no workbook in it: it is damaged.", "Open it in Excel and save it again.")
    return part


def _related(archive: ZipFile, folder: str, found: _Found, kind: str) -> str:
    for relation, target in found.targets.values():
        if relation.endswith(kind):
            return find_part(archive, _resolved(folder, target))
    return ""


def _resolved(folder: str, target: str) -> str:
    return target if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def _sheets(archive: ZipFile, folder: str, found: _Found) -> list[Sheet]:
    sheets = []
    for title, state, key in found.sheets:
        relation, target = found.targets.get(key, ("", ""))
        part = find_part(archive, _resolved(folder, target)) if relation.endswith(_WORKSHEET) else ""
        if part:
            sheets.append(Sheet(title, hidden=state != "visible", part=part))
    return sheets


def _renders(found: _Found) -> list[Render]:
    known: dict[int, Render] = {}
    for key in set(found.styles[:_MOST_STYLES]):
        known[key] = renderer(key, found.codes.get(key), epoch_1904=found.epoch_1904)
    return [known[key] for key in found.styles[:_MOST_STYLES]] or [plain_text]


def _number(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0
