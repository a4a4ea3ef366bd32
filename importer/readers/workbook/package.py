"""The zip container of a workbook: judged by its directory before anything in it is unpacked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import BinaryIO
from xml.parsers import expat
from zipfile import ZipFile

from importer.errors import SourceError
from importer.profile.settings import SourceLimits
from importer.readers.material import Material
from importer.readers.packed import allowed_bytes, bomb
from importer.readers.workbook.troubles import hostile

_MOST_PARTS = 20_000
_LARGEST_SMALL_PART = 64 << 20
"""Parts beside sheets and strings (styles, relations) are read whole; a sound one has kilobytes."""
_PIECE_BYTES = 1 << 18
LAST = True
"""Tells an XML parser that nothing follows."""

Start = Callable[[str, Mapping[str, str]], None]
"""Called for each element with its local name and its attributes by local name."""


def open_package(material: Material, limits: SourceLimits) -> ZipFile:
    """Open the container of a workbook.

    Raises:
        SourceError: it would unpack to more than is believable, or holds too many parts.
    """
    archive = ZipFile(material.open())
    allowed = allowed_bytes(material.size, limits)
    members = archive.infolist()
    if len(members) > _MOST_PARTS or sum(member.file_size for member in members) > allowed:
        archive.close()
        raise bomb(material.name, allowed)
    return archive


def find_part(archive: ZipFile, path: str) -> str:
    """Return the name of a part as the container spells it; "" when it is not there."""
    wanted = path.lstrip("/").replace("\\", "/").lower()
    return next((name for name in archive.namelist() if name.replace("\\", "/").lower() == wanted), "")


def walk(archive: ZipFile, part: str, start: Start, name: str) -> None:
    """Read a small part and report each of its elements.

    Args:
        name: the source's name for people.

    Raises:
        SourceError: the part is larger than any sound one, or declares entities.
    """
    if archive.getinfo(part).file_size > _LARGEST_SMALL_PART:
        raise SourceError(f"'{name}' describes itself in more than 64 MB: it is damaged or hostile.", "Save it again.")
    parser = safe_parser(name)
    parser.StartElementHandler = lambda tag, attributes: start(
        local(tag), {local(key): value for key, value in attributes.items()}
    )
    with archive.open(part) as stream:
        feed(parser, stream)  # type: ignore[arg-type]  # a ZipExtFile reads like a BinaryIO


def safe_parser(name: str) -> expat.XMLParserType:
    """Return an XML parser that refuses a document type, the seat of every entity attack."""

    def refuse(*_: object) -> None:
        raise hostile(name)

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.buffer_text = True
    return parser


def feed(parser: expat.XMLParserType, stream: BinaryIO) -> None:
    """Feed a stream to a parser."""
    while piece := stream.read(_PIECE_BYTES):
        parser.Parse(piece)
    parser.Parse(b"", LAST)


def local(tag: str) -> str:
    """Return a name without its namespace prefix."""
    return tag.rpartition(":")[2]


_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def unescaped(text: str) -> str:
    """Undo the escapes by which Excel stores characters that XML forbids (`_x000D_`), halves of a pair included."""
    if "_x" not in text:
        return text
    plain = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return plain if plain.isascii() else plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
