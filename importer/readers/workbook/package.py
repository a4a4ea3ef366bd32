"""The zip container of a workbook: judged by its directory before anything is unpacked; its parts."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO
from xml.parsers import expat
from zipfile import ZipFile

from importer.core.errors import SourceError
from importer.profile.settings import SourceLimits
from importer.readers.byte_source import ByteSource
from importer.readers.packed import allowed_bytes, bomb

_MOST_PARTS = 20_000
_LARGEST_SMALL_PART = 64 << 20
"""Parts other than sheets and strings (styles, relations) are read whole; a sound one has kilobytes."""
_PIECE_BYTES = 1 << 18
LAST = True
"""For an XML parser: nothing follows."""

_RELATION_NAMESPACES = frozenset({"", "http://schemas.openxmlformats.org/package/2006/relationships"})
_REFERENCE_NAMESPACES = frozenset(
    {
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "http://purl.oclc.org/ooxml/officeDocument/relationships",
    }
)
_SEPARATOR = " "
"""Between namespace and name; no namespace has a blank."""

Start = Callable[[str, Mapping[str, str]], None]
"""Called for each element of the part's own namespace, with its local name and its attributes by local name."""


def open_package(byte_source: ByteSource, limits: SourceLimits) -> ZipFile:
    """Open the container of a workbook.

    Raises:
        SourceError: it would unpack to more than is believable, or holds too many parts.
    """
    archive = ZipFile(byte_source.open())
    allowed = allowed_bytes(byte_source.size, limits)
    members = archive.infolist()
    if len(members) > _MOST_PARTS or sum(member.file_size for member in members) > allowed:
        archive.close()
        raise bomb(byte_source.name, allowed)
    return archive


def find_part(archive: ZipFile, path: str) -> str:
    """Return the name of a part as the container spells it; "" when it is not there."""
    wanted = path.lstrip("/").replace("\\", "/").lower()
    return next((name for name in archive.namelist() if name.replace("\\", "/").lower() == wanted), "")


def walk(archive: ZipFile, part: str, start: Start, name: str, namespaces: frozenset[str]) -> None:
    """Read a small part and report each of its elements; those of extensions, in other namespaces, are passed by.

    Args:
        name: the source's name for people.
        namespaces: of the elements that are meant.

    Raises:
        SourceError: the part is larger than any sound one, or declares entities.
    """
    if archive.getinfo(part).file_size > _LARGEST_SMALL_PART:
        raise SourceError(f"'{name}' describes itself in more than 64 MB: it is damaged or hostile.", "Save it again.")

    def element(tag: str, attributes: Mapping[str, str]) -> None:
        namespace, local = _parted(tag)
        if namespace in namespaces:
            start(local, _own(attributes))

    parser = safe_parser(name, by_namespace=True)
    parser.StartElementHandler = element
    with archive.open(part) as stream:
        feed(parser, stream)  # type: ignore[arg-type]  # a ZipExtFile reads like a BinaryIO


def _own(attributes: Mapping[str, str]) -> dict[str, str]:
    """The attributes of the format itself, among them references to other parts, by local name."""
    parted = ((*_parted(key), value) for key, value in attributes.items())
    return {local: value for namespace, local, value in parted if not namespace or namespace in _REFERENCE_NAMESPACES}


def _parted(name: str) -> tuple[str, str]:
    namespace, _, local = name.rpartition(_SEPARATOR)
    return namespace, local


@dataclass(frozen=True, slots=True)
class Relations:
    """What one part refers to.

    Args:
        part: the part itself.
        targets: key to the kind of relation and the name of the part it leads to.
    """

    part: str
    targets: Mapping[str, tuple[str, str]]

    def of_kind(self, ending: str) -> str:
        """Return the part at the end of the first relation of a kind; "" when there is none."""
        return next((part for kind, part in self.targets.values() if kind.endswith(ending)), "")


def read_relations(archive: ZipFile, part: str, name: str) -> Relations:
    """Read what a part refers to; the container as a whole for the part "".

    Args:
        name: the source's name for people.
    """
    folder, file = posixpath.split(part)
    found: dict[str, tuple[str, str]] = {}

    def start(tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "Relationship":
            target = find_part(archive, _resolved(folder, attributes.get("Target", "")))
            found[attributes.get("Id", "")] = (attributes.get("Type", ""), target)

    relations = find_part(archive, posixpath.join(folder, "_rels", f"{file}.rels"))
    if relations:
        walk(archive, relations, start, name, _RELATION_NAMESPACES)
    return Relations(part, found)


def workbook_relations(archive: ZipFile, usual: str, name: str) -> Relations:
    """Find the workbook's own part and read what it refers to.

    Args:
        usual: where it is in nearly all files.
        name: the source's name for people.

    Raises:
        SourceError: there is none.
    """
    part = read_relations(archive, "", name).of_kind("/officeDocument") or find_part(archive, usual)
    if not part:
        raise SourceError(f"'{name}' has no workbook in it: it is damaged.", "Open it in Excel and save it again.")
    return read_relations(archive, part, name)


def _resolved(folder: str, target: str) -> str:
    return target if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def safe_parser(name: str, *, by_namespace: bool = False) -> expat.XMLParserType:
    """Return an XML parser that refuses a document type, the seat of every entity attack.

    Args:
        by_namespace: report names with their namespace and a blank before them.
    """

    def refuse(*_: object) -> None:
        raise hostile(name)

    parser = expat.ParserCreate(namespace_separator=_SEPARATOR if by_namespace else None)
    parser.StartDoctypeDeclHandler = refuse
    parser.buffer_text = True
    return parser


def feed(parser: expat.XMLParserType, stream: BinaryIO) -> None:
    """Feed a stream to a parser."""
    while piece := stream.read(_PIECE_BYTES):
        parser.Parse(piece)
    parser.Parse(b"", LAST)


_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def unescaped(text: str) -> str:
    """Undo the escapes by which Excel stores characters that XML forbids (`_x000D_`), halves of a pair included."""
    if "_x" not in text:
        return text
    plain = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return plain if plain.isascii() else plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def hostile(name: str) -> SourceError:
    """Return the error for a workbook that declares XML entities."""
    return SourceError(
        f"'{name}' declares XML entities, which no spreadsheet program writes: it is refused as hostile.",
        "Open it in a spreadsheet program and save it as a new file.",
    )
