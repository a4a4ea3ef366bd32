"""An open `.xlsb`: its container, strings and styles, ready to read any of its sheets. After [MS-XLSB].

Read here and not by a library: calamine and pyxlsb give numbers without their formats, 02139 as 2139.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator, Sequence
from zipfile import ZipFile

from importer.profile.settings import SourceSettings
from importer.readers.byte_source import ByteSource
from importer.readers.table.blocks import Block
from importer.readers.workbook.numberformats import renderers
from importer.readers.workbook.package import Relations, open_package, workbook_relations
from importer.readers.workbook.sheetrows import SheetFacts
from importer.readers.workbook.sheets import Sheet
from importer.readers.workbook.strings import SharedStrings
from importer.readers.workbook.xlsb.records import read_records, wide_string
from importer.readers.workbook.xlsb.sheet import SheetRecords

_SHEET, _PROPERTIES, _STRING, _FORMAT, _STYLE = 156, 153, 19, 44, 47
_BEGIN_CELL_STYLES, _END_CELL_STYLES = 617, 618
_STRINGS_AT_ONCE = 10_000


class XlsbBook:
    """An `.xlsb`.

    Args:
        byte_source: the file's bytes.
        settings: `[source]` of the profile.
    """

    def __init__(self, byte_source: ByteSource, settings: SourceSettings) -> None:
        self._name = name = byte_source.name
        self._longest = settings.limits.max_cell_chars
        self._archive = open_package(byte_source, settings.limits)
        relations = workbook_relations(self._archive, "xl/workbook.bin", name)
        self.sheets, epoch_1904 = _read_workbook(self._archive, relations, name)
        formats, codes = _read_styles(self._archive, relations.of_kind("/styles"), name)
        self._renders = renderers(formats, codes, epoch_1904=epoch_1904)
        self._strings = SharedStrings(self._longest, name)
        self._read_strings(relations.of_kind("/sharedStrings"))

    def blocks(self, sheet: Sheet, facts: SheetFacts) -> Generator[Block]:
        """Yield a sheet's rows from the start."""
        records = SheetRecords(self._strings.all(), self._renders, self._longest, self._name)
        with self._archive.open(sheet.part) as stream:
            yield from records.blocks(read_records(stream, self._name), facts)

    def close(self) -> None:
        """Release the container and what was spilled to disk."""
        self._strings.close()
        self._archive.close()

    def _read_strings(self, part: str) -> None:
        texts: list[str] = []
        for content in _of_kind(self._archive, part, _STRING, self._name):
            texts.append(wide_string(content, 1)[0])
            if len(texts) >= _STRINGS_AT_ONCE:
                self._strings.add(texts)
                texts = []
        self._strings.add(texts)
        self._strings.settle()


def _read_workbook(archive: ZipFile, relations: Relations, name: str) -> tuple[Sequence[Sheet], bool]:
    sheets: list[Sheet] = []
    epoch_1904 = False
    with archive.open(relations.part) as stream:
        for kind, content in read_records(stream, name):
            if kind == _PROPERTIES:
                epoch_1904 = bool(content[0] & 1)
            elif kind == _SHEET:
                key, end = wide_string(content, 8)
                relation, part = relations.targets.get(key, ("", ""))
                if part and relation.endswith("/worksheet"):
                    hidden = struct.unpack_from("<I", content)[0] != 0
                    sheets.append(Sheet(wide_string(content, end)[0], hidden=hidden, part=part))
    return sheets, epoch_1904


def _read_styles(archive: ZipFile, part: str, name: str) -> tuple[list[int], dict[int, str]]:
    formats: list[int] = []
    codes: dict[int, str] = {}
    inside = False
    if not part:
        return formats, codes
    with archive.open(part) as stream:
        for kind, content in read_records(stream, name):
            if kind in {_BEGIN_CELL_STYLES, _END_CELL_STYLES}:
                inside = kind == _BEGIN_CELL_STYLES
            elif kind == _FORMAT:
                codes[struct.unpack_from("<H", content)[0]] = wide_string(content, 2)[0]
            elif kind == _STYLE and inside:
                formats.append(struct.unpack_from("<H", content, 2)[0])
    return formats, codes


def _of_kind(archive: ZipFile, part: str, wanted: int, name: str) -> Iterator[bytes]:
    if not part:
        return
    with archive.open(part) as stream:
        for kind, content in read_records(stream, name):
            if kind == wanted:
                yield content
