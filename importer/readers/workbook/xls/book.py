"""An open `.xls`: its container, strings and styles, ready to read any of its sheets.

Read here and not through calamine: on about one damaged file in a thousand that asks the system for
more memory than any machine has, and the whole process is aborted.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Generator, Sequence

from importer.errors import SourceError
from importer.profile.settings import SourceSettings
from importer.readers.material import Material
from importer.readers.table.blocks import Block
from importer.readers.workbook.numberformats import renderers
from importer.readers.workbook.sheetrows import SheetFacts
from importer.readers.workbook.sheets import Sheet
from importer.readers.workbook.xls.container import workbook_stream
from importer.readers.workbook.xls.records import BEGIN, Cursor, Record, plain_string, read_records
from importer.readers.workbook.xls.sheet import SheetRecords

_SHEET, _STRINGS, _FORMAT, _STYLE, _PASSWORD, _EPOCH, _CODE_PAGE = 0x85, 0xFC, 0x41E, 0xE0, 0x2F, 0x22, 0x42
_WORKSHEET = 0
_BIFF8 = 0x600
_LARGEST = 512 << 20
"""65,536 rows of 256 columns do not fill more; the file is held in memory."""


class XlsBook:
    """An `.xls`.

    Args:
        material: the file's bytes.
        settings: `[source]` of the profile; `.xls` cells cannot pass its limits.

    Raises:
        SourceError: it is larger than any sound one, or protected with a password.
    """

    def __init__(self, material: Material, settings: SourceSettings) -> None:  # noqa: ARG002  # the signature of every book
        if material.size > _LARGEST:
            raise SourceError(f"'{material.name}' is larger than an .xls can be.", "Save it as .xlsx.")
        self._name = material.name
        with material.open() as stream:
            self._stream = workbook_stream(stream.read())
        self._sheets: list[tuple[Sheet, int]] = []
        self._strings: list[str] = []
        self._formats: dict[int, str] = {}
        self._styles: list[int] = []
        self._codec = ""
        self._epoch_1904 = False
        for record in read_records(self._stream, 0):
            self._note(record)
        self._renders = renderers(self._styles, self._formats, epoch_1904=self._epoch_1904)

    @property
    def sheets(self) -> Sequence[Sheet]:
        """Its worksheets in order."""
        return [sheet for sheet, _ in self._sheets]

    def blocks(self, sheet: Sheet, facts: SheetFacts) -> Generator[Block]:
        """Yield a sheet's rows from the start."""
        start = next(start for known, start in self._sheets if known is sheet)
        records = SheetRecords(self._strings, self._renders, self._codec, facts)
        yield from records.blocks(read_records(self._stream, start))

    def close(self) -> None:
        """Let go of the file's content."""
        self._stream = b""

    def _note(self, record: Record) -> None:
        kind, content = record.kind, record.content
        if kind == _PASSWORD:
            raise SourceError(
                f"'{self._name}' is protected with a password.", "Open it, remove the password, and save it again."
            )
        if kind == BEGIN:
            self._codec = "" if struct.unpack_from("<H", content)[0] >= _BIFF8 else "cp1252"
        elif kind == _CODE_PAGE and self._codec:
            self._codec = _codec(struct.unpack_from("<H", content)[0])
        elif kind == _SHEET:
            self._note_sheet(record)
        elif kind == _STRINGS:
            self._note_strings(record)
        elif kind == _EPOCH:
            self._epoch_1904 = content[:1] == b"\x01"
        else:
            self._note_style(record)

    def _note_sheet(self, record: Record) -> None:
        start, state, kind, count = struct.unpack_from("<I3B", record.content)
        if kind != _WORKSHEET:
            return
        if self._codec:
            title = record.content[7 : 7 + count].decode(self._codec, "replace")
        else:
            title = Cursor(record.parts, 8).characters(count, wide=bool(record.content[7] & 1))
        self._sheets.append((Sheet(title, hidden=bool(state & 3)), start))

    def _note_strings(self, record: Record) -> None:
        cursor = Cursor(record.parts, 8)
        (count,) = struct.unpack_from("<I", record.content, 4)
        while not cursor.ended and len(self._strings) < count:
            self._strings.append(cursor.string())

    def _note_style(self, record: Record) -> None:
        if record.kind == _STYLE:
            self._styles.append(struct.unpack_from("<H", record.content, 2)[0])
        elif record.kind == _FORMAT and not self._codec:
            self._formats[struct.unpack_from("<H", record.content)[0]] = plain_string(record.parts, 2, codec="")
        elif record.kind == _FORMAT:
            number, count = struct.unpack_from("<HB", record.content)
            self._formats[number] = record.content[3 : 3 + count].decode(self._codec, "replace")


def _codec(code_page: int) -> str:
    name = {1200: "utf-16-le", 10_000: "mac_roman", 32_768: "mac_roman"}.get(code_page, f"cp{code_page}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"
