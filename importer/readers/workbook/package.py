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

_NO_NAMESPACE = ""
SPREADSHEET_NAMESPACES = frozenset(
    {
        _NO_NAMESPACE,
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://purl.oclc.org/ooxml/spreadsheetml/main",
    }
)
"""Of the elements of an `.xlsx`, as programs write them, as the strict form of ISO/IEC 29500 has them, or left out."""
RELATION_NAMESPACES = frozenset({_NO_NAMESPACE, "http://schemas.openxmlformats.org/package/2006/relationships"})
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


class UsualNames:
    """Names elements and attributes by the prefixes that a standard uses, whichever the file has.

    Declarations are taken from every element; what uses an undeclared prefix keeps it.

    Args:
        prefixes: namespace to its usual prefix; names in other namespaces become "".
    """

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self._usual = prefixes
        self._declared: dict[str, str] = {}
        self._known: dict[str, str] = {}

    def element(self, tag: str, attributes: Mapping[str, str]) -> tuple[str, dict[str, str]]:
        """Return an element's name and its attributes by usual names."""
        if any(key.startswith("xmlns") for key in attributes):
            self._declare(attributes)
        return self.name(tag), {self.name(key): value for key, value in attributes.items()}

    def name(self, name: str) -> str:
        """Return the usual form of a name."""
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = self._named(name)
        return known

    def _named(self, name: str) -> str:
        prefix, colon, local = name.rpartition(":")
        usual = self._declared.get(prefix, prefix)
        return f"{usual}:{local}" if usual else "" if colon else name

    def _declare(self, attributes: Mapping[str, str]) -> None:
        for key, namespace in attributes.items():
            if key == "xmlns" or key.startswith("xmlns:"):
                self._declared[key[6:]] = self._usual.get(namespace, "")
        self._known.clear()


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
