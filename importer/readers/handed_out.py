"""Detects a file that the importer handed out for fixing, and how it is to be read. Never judges a row.

Such a file carries the columns `_run` and `_row`. It may have gone through a spreadsheet program since, which writes
its own delimiter, encoding and sheets: so it is read by what it is, not by what the profile says of its sources.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO
from zipfile import ZipFile

from importer.core.columns import ROW_COLUMN, RUN_COLUMN, tidy_name
from importer.core.errors import ReturnRefusedError, SourceError
from importer.profile.settings import SourceSettings
from importer.readers.byte_source import ByteSource
from importer.readers.kinds import Kind
from importer.readers.parser_errors import Parsing

if TYPE_CHECKING:
    from importer.readers.table.blocks import Origin  # loads Arrow, which opening a source needs

_MARK = RUN_COLUMN.encode()
_WIDE_MARKS = (RUN_COLUMN.encode("utf-16-le"), RUN_COLUMN.encode("utf-16-be"))
_HEAD_BYTES = 1 << 18
_PIECE_BYTES = 1 << 20
_MUCH_BYTES = 1 << 28
"""A workbook of more text than this is left to the reader, which refuses hostile ones."""
_HEADER_ROWS = 300
"""A workbook's header may be under titles; in a text file of the importer it is the first record."""
_TEXT_HEADER_ROWS = 3
_MOST_SHEETS = 50
_DELIMITERS = ",;\t|"
_HINT = "Export it again from its run."


def as_handed_out(
    byte_source: ByteSource, kind: Kind, settings: SourceSettings, *, alone: bool = False
) -> SourceSettings | None:
    """How to read a file that the importer handed out; None for any other file.

    Args:
        settings: `[source]` of the profile; its limits hold for every file.
        alone: refuse a workbook with several such sheets, since it is not known which of them has the fixes.

    Raises:
        ReturnRefusedError: there are several.
    """
    if kind.name == "text":
        return _of_text(byte_source, settings)
    if not _may_be_ours(byte_source, kind):
        return None
    found = list(islice(_of_workbook(byte_source, settings), 2 if alone else 1))
    if len(found) > 1:
        raise ReturnRefusedError(
            f"Sheets {found[0].sheet} and {found[1].sheet} of '{byte_source.name}' both have the columns"
            f" '{RUN_COLUMN}' and '{ROW_COLUMN}': it is not clear which of them holds the fixed rows.",
            "Delete the other one, and return the workbook again.",
        )
    return found[0] if found else None


# --------------------------------------------------------------------------- text


def _of_text(byte_source: ByteSource, settings: SourceSettings) -> SourceSettings | None:
    with closing(byte_source.open()) as stream:
        head = stream.read(_HEAD_BYTES)
    if _MARK not in head and not any(mark in head for mark in _WIDE_MARKS):
        return None
    text = _decoded(head)
    for delimiter in _DELIMITERS:
        records = _records(text, delimiter)
        if row := _header_row(records):
            header = "auto" if records[0][0].lower().startswith("sep=") else row  # Excel's word for its delimiter
            encoding = _encoding(byte_source)
            return _own(settings, format="csv", delimiter=delimiter, quote='"', encoding=encoding, header_row=header)
    return None


def _decoded(head: bytes) -> str:
    wide = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return head.decode("utf-16" if head.startswith(wide) else "utf-8-sig", "replace")


def _records(text: str, delimiter: str) -> list[list[str]]:
    """The first records; empty where they cannot be read."""
    found: list[list[str]] = []
    with suppress(csv.Error):
        found.extend(islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), _TEXT_HEADER_ROWS))
    return [record or [""] for record in found]


def _encoding(byte_source: ByteSource) -> str:
    """UTF-8 proves itself; any other file was saved by a spreadsheet program, in the code page of its country."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with closing(byte_source.open()) as stream:
        try:
            while piece := stream.read(_PIECE_BYTES):
                decoder.decode(piece)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "auto"
    return "utf-8"


# --------------------------------------------------------------------------- workbooks


def _may_be_ours(byte_source: ByteSource, kind: Kind) -> bool:
    """Rule out most workbooks without parsing them: the column's name must be somewhere in their texts."""
    with closing(byte_source.open()) as stream:
        if kind.name in {"xlsx", "ods"}:
            return _in_archive(stream, byte_source.name)
    return True  # binary workbooks are small, or at least rare


def _in_archive(stream: BinaryIO, name: str) -> bool:
    try:
        with Parsing(name, "workbook", _HINT), ZipFile(stream) as archive:
            parts = archive.namelist()
            texts = [part for part in parts if part.lower().endswith("sharedstrings.xml")]
            sheets = [part for part in parts if "/worksheets/" in part.lower() or part == "content.xml"]
            return any(_holds_mark(archive, part) for part in (*texts, *sheets))
    except SourceError:
        return True  # the reader reports what is wrong with it


def _holds_mark(archive: ZipFile, name: str) -> bool:
    """Whether a part holds the column's name; of what is not a list of texts only the beginning, where a header is."""
    tail, read, whole = b"", 0, name.lower().endswith("sharedstrings.xml")
    with archive.open(name) as part:
        while piece := part.read(_PIECE_BYTES):
            read += len(piece)
            if _MARK in tail + piece or read > _MUCH_BYTES:
                return True
            tail = piece[-len(_MARK) :]
            if not whole:
                return False
    return False


def _of_workbook(byte_source: ByteSource, settings: SourceSettings) -> Iterator[SourceSettings]:
    """How to read each sheet that has our columns."""
    from importer.readers.workbook.origin import WorkbookOrigin  # noqa: PLC0415  # loads only where it is needed

    for number in range(1, _MOST_SHEETS + 1):
        chosen = _own(settings, format="excel", sheet=number, header_row="auto")
        try:
            with Parsing(byte_source.name, "workbook", _HINT):
                origin = WorkbookOrigin(_Kept(byte_source), chosen)
        except SourceError:  # there is no such sheet, or the file is broken: the reader reports it
            return
        with closing(origin):
            row = _header_row_of(origin, byte_source.name)
        if row:
            yield chosen.model_copy(update={"header_row": row})


class _Kept(ByteSource):
    """The bytes of a source that the caller closes."""

    def __init__(self, byte_source: ByteSource) -> None:
        self._byte_source = byte_source
        self.name, self.size = byte_source.name, byte_source.size

    def open(self) -> BinaryIO:
        return self._byte_source.open()

    def close(self) -> None:
        """Does nothing: the caller closes it."""


def _header_row_of(origin: Origin, name: str) -> int:
    try:
        with Parsing(name, "workbook", _HINT):
            for block in origin.blocks():
                for number, cells in zip(block.numbers, block.as_rows(), strict=True):
                    if number > _HEADER_ROWS:
                        return 0
                    if _is_header(cells):
                        return number
    except SourceError:
        return 0
    return 0


# --------------------------------------------------------------------------- both


def _header_row(records: Sequence[Sequence[str]]) -> int:
    return next((number for number, cells in enumerate(records, 1) if _is_header(cells)), 0)


def _is_header(cells: Sequence[str]) -> bool:
    names = {tidy_name(cell) for cell in cells}
    return {RUN_COLUMN, ROW_COLUMN} <= names


def _own(settings: SourceSettings, **known: object) -> SourceSettings:
    """Our own dialect under the profile's limits; nothing else of the profile's `[source]` holds for it."""
    kept = {name: getattr(settings, name) for name in ("corrections", "limit", "batch_rows", "processes", "limits")}
    return SourceSettings.model_validate({**kept, **known})
