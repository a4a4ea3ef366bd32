"""An open `.xls`: its container, strings and styles, ready to read any of its sheets.

Read here and not by a library. xlrd refuses a sound workbook in which the two halves of a character (an emoji)
are in two records, and files of 6 KB make it work without end or fill the memory (a link over a whole sheet, names
that double, a table of strings that goes backwards), as does one in 1,500 of those that were damaged at random; it is
no faster, and takes half as much memory again. calamine asks for more memory than any machine has on about one
damaged file in a thousand, and the process is aborted.
"""

from __future__ import annotations

import codecs
import struct
from collections.abc import Generator, Sequence

from importer.core.errors import SourceError
from importer.profile.settings import SourceSettings
from importer.readers.byte_source import ByteSource
from importer.readers.table.blocks import Block
from importer.readers.workbook.numberformats import renderers
from importer.readers.workbook.sheetrows import SheetFacts
from importer.readers.workbook.sheets import Sheet
from importer.readers.workbook.xls.container import workbook_stream
from importer.readers.workbook.xls.records import BEGIN, Cursor, plain_string, read_records
from importer.readers.workbook.xls.sheet import SheetRecords

_SHEET, _STRINGS, _FORMAT, _STYLE, _PASSWORD, _EPOCH, _CODE_PAGE = 0x85, 0xFC, 0x41E, 0xE0, 0x2F, 0x22, 0x42
_WORKSHEET = 0
_BIFF8 = 0x600
_LARGEST = 512 << 20
"""65,536 rows of 256 columns do not fill more; the file is held in memory."""


class XlsBook:
    """An `.xls`.

    Args:
        byte_source: the file's bytes.
        settings: `[source]` of the profile; `.xls` cells cannot pass its limits.

    Raises:
        SourceError: it is larger than any sound one, or protected with a password.
    """

    def __init__(self, byte_source: ByteSource, settings: SourceSettings) -> None:  # noqa: ARG002  # the signature of every book
        if byte_source.size > _LARGEST:
            raise SourceError(f"'{byte_source.name}' is larger than an .xls can be.", "Save it as .xlsx.")
        self._name = byte_source.name
        with byte_source.open() as stream:
            self._stream = workbook_stream(stream.read())
        self._sheets: list[tuple[Sheet, int]] = []
        self._strings: list[str] = []
        self._formats: dict[int, str] = {}
        self._styles: list[int] = []
        self._codec = ""
        self._epoch_1904 = False
        for kind, parts in read_records(self._stream, 0):
            self._note(kind, parts)
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

    def _note(self, kind: int, parts: Sequence[bytes]) -> None:
        content = parts[0]
        if kind == _PASSWORD:
            raise SourceError(
                f"'{self._name}' is protected with a password.", "Open it, remove the password, and save it again."
            )
        if kind == BEGIN:
            self._codec = "" if struct.unpack_from("<H", content)[0] >= _BIFF8 else "cp1252"
        elif kind == _CODE_PAGE and self._codec:
            self._codec = _codec(struct.unpack_from("<H", content)[0])
        elif kind == _SHEET:
            self._note_sheet(parts)
        elif kind == _STRINGS:
            self._note_strings(parts)
        elif kind == _EPOCH:
            self._epoch_1904 = content[:1] == b"\x01"
        else:
            self._note_style(kind, parts)

    def _note_sheet(self, parts: Sequence[bytes]) -> None:
        start, state, kind, count = struct.unpack_from("<I3B", parts[0])
        if kind != _WORKSHEET:
            return
        if self._codec:
            title = parts[0][7 : 7 + count].decode(self._codec, "replace")
        else:
            title = Cursor(parts, 8).characters(count, wide=bool(parts[0][7] & 1))
        self._sheets.append((Sheet(title, hidden=bool(state & 3)), start))

    def _note_strings(self, parts: Sequence[bytes]) -> None:
        cursor = Cursor(parts, 8)
        (count,) = struct.unpack_from("<I", parts[0], 4)
        while not cursor.ended and len(self._strings) < count:
            self._strings.append(cursor.string())

    def _note_style(self, kind: int, parts: Sequence[bytes]) -> None:
        content = parts[0]
        if kind == _STYLE:
            self._styles.append(struct.unpack_from("<H", content, 2)[0])
        elif kind == _FORMAT and not self._codec:
            self._formats[struct.unpack_from("<H", content)[0]] = plain_string(parts, 2, codec="")
        elif kind == _FORMAT:
            number, count = struct.unpack_from("<HB", content)
            self._formats[number] = content[3 : 3 + count].decode(self._codec, "replace")


def _codec(code_page: int) -> str:
    name = {1200: "utf-16-le", 10_000: "mac_roman", 32_768: "mac_roman"}.get(code_page, f"cp{code_page}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"
