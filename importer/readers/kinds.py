"""Detects from its first bytes what a file is. Never parses, and never trusts the name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

HEAD_BYTES = 8192
_MIMETYPE_BYTES = 80


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is.

    Args:
        name: `text`, `xlsx`, `xlsb`, `ods`, `xls`, `encrypted`, `gzip`, `zstd`, `zip` or, for what
            cannot be read, `other`.
        article: the same for people.
    """

    name: str
    article: str


TEXT = Kind("text", "a text file (CSV)")
_KINDS = {
    "xlsx": Kind("xlsx", "an Excel workbook (.xlsx)"),
    "xlsb": Kind("xlsb", "a binary Excel workbook (.xlsb)"),
    "ods": Kind("ods", "an OpenDocument spreadsheet (.ods)"),
    "xls": Kind("xls", "an Excel 97-2003 workbook (.xls)"),
    "encrypted": Kind("encrypted", "a password-protected workbook"),
    "gzip": Kind("gzip", "a gzip archive"),
    "zstd": Kind("zstd", "a zstd archive"),
    "zip": Kind("zip", "a zip archive"),
}
WORKBOOKS = ("xlsx", "xlsb", "ods", "xls")
PACKED = ("gzip", "zip", "zstd")

_OTHER: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), article)
    for pattern, article in (
        (rb"%PDF-", "a PDF document"),
        (rb"PAR1", "a Parquet file"),
        (rb"\{\\rtf", "a Rich Text document"),
        (rb"\s*(<!doctype html|<html|<table|<meta|<head)", "a web page (HTML), whatever its name says"),
        (rb"\s*<\?xml.{0,400}(<html|xhtml)", "a web page (HTML), whatever its name says"),
        (rb"\s*<\?xml.{0,400}Excel\.Sheet", "an Excel 2003 XML file"),
        (rb"\s*<\?xml", "an XML file"),
        (rb'\s*(\{\s*"|\{\s*\}|\[\s*[\{\[])', "a JSON file"),
        (rb"\x89PNG|\xff\xd8\xff|GIF8|II\*\x00|MM\x00\*", "a picture"),
        (rb"\x7fELF|MZ.{1,300}PE\x00\x00", "a program"),
        (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
        (rb"Rar!", "a RAR archive"),
        (rb"BZh[1-9]1AY", "a bzip2 archive"),
        (rb"\xfd7zXZ\x00", "an xz archive"),
        (rb"SQLite format 3\x00", "a SQLite database"),
        (rb"ID;P[^\r\n]*\r?\n[CFBPEO];[A-Z]", "a SYLK file"),
    )
)


def kind_of(handle: BinaryIO) -> Kind:
    """Detect what an open file is; its position is the start afterwards."""
    handle.seek(0)
    head = handle.read(HEAD_BYTES)
    kind = _kind(head, handle)
    handle.seek(0)
    return kind


def _kind(head: bytes, handle: BinaryIO) -> Kind:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_kind(handle)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _ole_kind(handle)
    if head.startswith(b"\x1f\x8b"):
        return _KINDS["gzip"]
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return _KINDS["zstd"]
    for pattern, article in _OTHER:
        if pattern.match(head):
            return Kind("other", article)
    return TEXT


def _zip_kind(handle: BinaryIO) -> Kind:
    try:
        with ZipFile(handle) as archive:
            names = set(archive.namelist())
            mimetype = archive.open("mimetype").read(_MIMETYPE_BYTES) if "mimetype" in names else b""
    except (BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError):
        return _KINDS["zip"]
    if any(name.lower() == "xl/workbook.bin" for name in names):
        return _KINDS["xlsb"]
    if any(name.lower().startswith("xl/") for name in names) and "[Content_Types].xml" in names:
        return _KINDS["xlsx"]
    if b"opendocument.spreadsheet" in mimetype:
        return _KINDS["ods"]
    if "[Content_Types].xml" in names or mimetype:
        return Kind("other", "a document, not a spreadsheet")
    return _KINDS["zip"]


def _ole_kind(handle: BinaryIO) -> Kind:
    """Look for the names of the streams, which an OLE file spells in UTF-16 somewhere in its directory."""
    handle.seek(0)
    streams = {name: name.encode("utf-16-le") + b"\x00\x00" for name in ("EncryptedPackage", "Workbook", "Book")}
    found: set[str] = set()
    tail = b""
    while piece := handle.read(1 << 20):
        found.update(name for name, spelled in streams.items() if spelled in tail + piece)
        tail = piece[-64:]
    if "EncryptedPackage" in found:
        return _KINDS["encrypted"]
    if found:
        return _KINDS["xls"]
    return Kind("other", "an Office document without a sheet")
