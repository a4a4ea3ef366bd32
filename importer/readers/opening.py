"""Opens a source: checks the path, unpacks, detects the format (by content, then by name), calls its reader."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoints, entry_points
from pathlib import Path, PurePath
from pkgutil import resolve_name
from typing import TYPE_CHECKING, BinaryIO

from importer.core.columns import ROW_COLUMN, RUN_COLUMN, Keeps
from importer.core.errors import SourceError, UndecidedEncodingError
from importer.core.ports import Reader
from importer.profile.settings import SourceSettings
from importer.readers.byte_source import ByteSource, content_hash, open_byte_source, save_stream, spool, too_large
from importer.readers.handed_out import as_handed_out
from importer.readers.kinds import PACKED, WORKBOOKS, Kind, kind_of
from importer.readers.packed import unpack
from importer.readers.parser_errors import Parsing

if TYPE_CHECKING:
    import pandas as pd
    from typing_extensions import TypeIs

    from importer.readers.table.blocks import Origin  # loads Arrow, which opening a source needs

__all__ = [
    "STDIN",
    "content_hash",
    "is_frame",
    "is_returned",
    "keep_stdin",
    "open_frame",
    "open_handed_out",
    "open_source",
    "require_readable",
]

STDIN = "-"
_MOST_WRAPPINGS = 2
_SAVE_AS_UTF8 = "Save it as UTF-8 (in Excel: the file type 'CSV UTF-8'), and return that file."
_HINT = "Copy it again from where it came from, or export it again."

ENTRY_POINTS = "importer.readers"
"""The entry point group of third parties: name of the format to an `Opener`."""

Opener = Callable[[ByteSource, SourceSettings], "Origin"]
"""Opens a source's bytes under `[source]` as an origin that closes them, or raises `SourceError`."""


@dataclass(frozen=True, slots=True)
class Format:
    """One entry of the table.

    Args:
        opener: `module:function` of an `Opener`; loaded when the first file of the kind is opened.
        suffixes: file name endings, lower case, with the dot.
        article: what a file of the kind is, for messages.
    """

    opener: str
    suffixes: tuple[str, ...]
    article: str

    def load(self) -> Opener:
        """Import the opener."""
        opener: Opener = resolve_name(self.opener)
        return opener


FORMATS: dict[str, Format] = {
    "csv": Format(
        "importer.readers.text.origin:open_text", (".csv", ".tsv", ".tab", ".txt", ".psv"), "a text file (CSV)"
    ),
    "excel": Format(
        "importer.readers.workbook.origin:open_workbook",
        (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"),
        "a workbook (Excel or OpenDocument)",
    ),
}


def open_source(
    path: Path | str, settings: SourceSettings, *, stdin: BinaryIO | None = None, keeps: Keeps = "none"
) -> Reader:
    """Open a file of customers. One that the importer handed out is read by what it is, its added columns left out.

    Args:
        path: the file; `-` reads standard input, through a temporary file.
        settings: `[source]` of the profile.
        stdin: what `-` reads; None is the process's standard input.
        keeps: which of the importer's own added columns are read; `id` is called `core.columns.ID_AT_TARGET`.

    Raises:
        SourceError: it cannot be read, or is refused; nothing else is ever raised for a file.
    """
    byte_source = _take(path, settings, stdin)
    name = byte_source.name
    try:
        byte_source, kind = _unpacked(byte_source, settings)
        own = as_handed_out(byte_source, kind, settings)
        if own is not None:
            return _read_ours(byte_source, kind, own, name, keeps)
        return _read(byte_source, _format(byte_source.name, kind, settings), settings, name, keeps)
    except BaseException:
        byte_source.close()
        raise


def require_readable(path: Path, settings: SourceSettings) -> None:
    """Refuse a file of a kind that no reader takes; nothing of it is read but what shows its kind.

    Raises:
        SourceError: it is one of these, or cannot be read.
    """
    byte_source = _take(path, settings, None)
    try:
        byte_source, kind = _unpacked(byte_source, settings)
        _format(byte_source.name, kind, settings)
    finally:
        byte_source.close()


def is_frame(source: object) -> TypeIs[pd.DataFrame]:
    """Whether a source is a DataFrame. Without pandas there is none: it is not loaded for this."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(source, pandas.DataFrame)


def is_returned(frame: pd.DataFrame) -> bool:
    """Whether a DataFrame has the run and the row of each of its rows."""
    return {RUN_COLUMN, ROW_COLUMN} <= set(frame.columns)


def open_frame(frame: pd.DataFrame, settings: SourceSettings, *, keeps: Keeps = "none") -> Reader:
    """Open a DataFrame of customers; columns that the importer adds to files are left out.

    Args:
        frame: values that mean one text are read as that text; see `importer.readers.dataframe.texts`.
        settings: `[source]` of the profile.
        keeps: as of `open_source`.

    Raises:
        SourceError: it cannot be read, or is refused.
    """
    from importer.readers.dataframe.origin import FrameOrigin  # noqa: PLC0415  # opening a source loads its reader
    from importer.readers.table.reader import TableReader  # noqa: PLC0415

    origin = FrameOrigin(frame, settings)
    return TableReader(origin, settings, origin.name, header=origin.header, keeps=keeps)


def open_handed_out(path: Path | str, settings: SourceSettings) -> Reader | None:
    """Open a file that the importer handed out for fixing, its added columns among the others; None for any other.

    Raises:
        SourceError: it cannot be read.
        ReturnRefusedError: several sheets of a workbook have those columns.
    """
    settings = settings.model_copy(update={"corrections": None})  # what came back has its fixes in it
    byte_source = _take(path, settings, None)
    name = byte_source.name
    try:
        byte_source, kind = _unpacked(byte_source, settings)
        own = as_handed_out(byte_source, kind, settings, alone=True)
        if own is None:
            byte_source.close()
            return None
        return _read_ours(byte_source, kind, own, name, "all")
    except BaseException:
        byte_source.close()
        raise


def _read_ours(byte_source: ByteSource, kind: Kind, own: SourceSettings, name: str, keeps: Keeps) -> Reader:
    """Read a file that the importer handed out: no setting of the profile helps where its encoding is in doubt."""
    try:
        return _read(byte_source, _format(byte_source.name, kind, own), own, name, keeps)
    except UndecidedEncodingError as error:
        raise SourceError(error.message, _SAVE_AS_UTF8) from error


def keep_stdin(to: Path, settings: SourceSettings, stream: BinaryIO | None = None) -> Path:
    """Write standard input to a file, so that it can be read twice and after a crash.

    Args:
        to: where to; replaced if it is there.
        stream: what to read instead of standard input.

    Raises:
        SourceError: nothing came, or more than `max_file_bytes`.
    """
    with Parsing("Standard input", "stream", "Save the data as a file, and import that."):
        save_stream(stream or sys.stdin.buffer, to, settings.limits.max_file_bytes)
    return to


def _take(path: Path | str, settings: SourceSettings, stdin: BinaryIO | None) -> ByteSource:
    limit = settings.limits.max_file_bytes
    if str(path) == STDIN:
        with Parsing("Standard input", "stream", "Save the data as a file, and import that."):
            return spool(stdin or sys.stdin.buffer, STDIN, limit, too_large("Standard input", limit))
    return open_byte_source(Path(path), limit)


def _unpacked(byte_source: ByteSource, settings: SourceSettings) -> tuple[ByteSource, Kind]:
    for _ in range(_MOST_WRAPPINGS):
        with Parsing(byte_source.name, "file", _HINT), byte_source.open() as stream:
            kind = kind_of(stream)
        if kind.name not in PACKED:
            return byte_source, kind
        inner = unpack(byte_source, kind.name, settings.limits)
        byte_source.close()
        byte_source = inner
    byte_source.close()
    raise SourceError(
        f"'{byte_source.name}' is packed more than once.", "Unpack it, and import the file that was in it."
    )


def _read(byte_source: ByteSource, name_of_format: str, settings: SourceSettings, name: str, keeps: Keeps) -> Reader:
    from importer.readers.table.reader import TableReader  # noqa: PLC0415  # opening a source is what loads its reader

    with Parsing(name, "file", _HINT):
        origin = find_format(name_of_format).load()(byte_source, settings)
    try:
        return TableReader(origin, settings, name, keeps=keeps)
    except BaseException:
        origin.close()
        raise


def _format(name: str, kind: Kind, settings: SourceSettings) -> str:
    suffix = PurePath(name).suffix.lower()
    foreign = _third_party_format(suffix)
    if foreign:
        return foreign
    _refuse_unreadable(name, kind)
    actual = "excel" if kind.name in WORKBOOKS else "csv"
    if settings.format not in {"auto", actual}:
        raise _not_as_asked(name, kind, settings.format)
    claimed = next((key for key, entry in FORMATS.items() if suffix in entry.suffixes), actual)
    if settings.format == "auto" and claimed != actual:
        raise _not_as_named(name, kind, suffix, actual)
    return actual


def find_format(name: str) -> Format:
    """Return a format by its name, built in or of a third party.

    Raises:
        SourceError: no installed package offers it.
    """
    if name in FORMATS:
        return FORMATS[name]
    for point in _third_party_formats(tuple(sys.path)).select(name=name):
        return Format(point.value, (), f"a file of the format '{name}'")
    raise SourceError(f"No reader for the format '{name}' is installed.", f"Known are: {', '.join(FORMATS)}.")


def _third_party_format(suffix: str) -> str:
    """Return the format that a third party registered for a file name ending, or ""."""
    name = suffix.removeprefix(".")
    return name if name and name in _third_party_formats(tuple(sys.path)).names else ""


@cache
def _third_party_formats(_folders: tuple[str, ...]) -> EntryPoints:
    """Look for them once for the folders that Python imports from: a file of every installed package is read."""
    return entry_points(group=ENTRY_POINTS)


def _refuse_unreadable(name: str, kind: Kind) -> None:
    if kind.name == "encrypted":
        raise SourceError(
            f"'{name}' is protected with a password.", "Open it in Excel, remove the password, and save it again."
        )
    if kind.name == "other":
        raise SourceError(
            f"'{name}' is {kind.article}; customers are read from CSV files and workbooks.",
            "Open it in a spreadsheet program and save it as .xlsx or .csv.",
        )


def _not_as_named(name: str, kind: Kind, suffix: str, actual: str) -> SourceError:
    return SourceError(
        f"'{name}' is {kind.article}, although its name ends in '{suffix}'.",
        f'Rename it to what it is, or set format = "{actual}" in [source].',
    )


def _not_as_asked(name: str, kind: Kind, asked: str) -> SourceError:
    return SourceError(
        f"'{name}' is {kind.article}, not {FORMATS[asked].article} as the profile says.",
        "Correct format in [source], or leave it out.",
    )
