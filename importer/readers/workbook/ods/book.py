"""An open `.ods`: its content, read as a stream of XML events for one sheet at a time.

Read here and not through calamine, which gives numbers without their formats: of the sample customers as LibreOffice
saves them it changes 95 of 1,585 cells (02139 into 2139, (619) 555-0170 into 6195550170).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from types import MappingProxyType
from zipfile import ZipFile

from importer.core.errors import SourceError
from importer.profile.settings import SourceSettings
from importer.readers.byte_source import ByteSource
from importer.readers.table.blocks import Block
from importer.readers.workbook.ods.cells import Row, SheetEvents
from importer.readers.workbook.package import LAST, open_package, safe_parser
from importer.readers.workbook.sheetrows import LAST_ROW, BlockBuilder, SheetFacts
from importer.readers.workbook.sheets import Sheet

_CONTENT = "content.xml"
_PIECE_BYTES = 1 << 18
_OASIS = "urn:oasis:names:tc:opendocument:xmlns"
_PREFIXES = MappingProxyType(
    {
        f"{_OASIS}:office:1.0": "office",
        f"{_OASIS}:table:1.0": "table",
        f"{_OASIS}:text:1.0": "text",
        f"{_OASIS}:style:1.0": "style",
        f"{_OASIS}:drawing:1.0": "draw",
        "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0": "calcext",
    }
)
_DECLARATION = re.compile(r"xmlns(?::|$)")
_MOST_KEYS = 1_000
_ENCRYPTED = re.compile(rb"<(?:\w+:)?encryption-data\b")


class OdsBook:
    """An `.ods`.

    Args:
        byte_source: the file's bytes.
        settings: `[source]` of the profile.
    """

    def __init__(self, byte_source: ByteSource, settings: SourceSettings) -> None:
        self._name = byte_source.name
        self._longest = settings.limits.max_cell_chars
        self._archive = open_package(byte_source, settings.limits)
        _refuse_encrypted(self._archive, self._name)
        self.sheets: Sequence[Sheet] = self._find_sheets()

    def blocks(self, sheet: Sheet, facts: SheetFacts) -> Generator[Block]:
        """Yield a sheet's rows from the start."""
        builder = BlockBuilder()
        number = 0
        for row in self._rows(sheet, facts):
            count = min(row.count, LAST_ROW - number)
            for _ in range(count if row.cells else 0):
                number += 1
                builder.add(number, row.cells, row.marks)
                if builder.full:
                    yield builder.take()
            number += 0 if row.cells else count
        if builder.rows:
            yield builder.take()

    def close(self) -> None:
        """Release the container."""
        self._archive.close()

    def _rows(self, sheet: Sheet, facts: SheetFacts) -> Iterator[Row]:
        events = SheetEvents(int(sheet.part), facts, self._longest, self._name)
        names = _UsualNames(_PREFIXES)
        parser = safe_parser(self._name)
        parser.StartElementHandler = lambda tag, attributes: events.start(*names.element(tag, attributes))
        parser.EndElementHandler = lambda tag: events.end(names.name(tag))
        parser.CharacterDataHandler = events.characters
        with self._archive.open(_CONTENT) as stream:
            while not events.done and (piece := stream.read(_PIECE_BYTES)):
                parser.Parse(piece)
                yield from events.take()
        yield from events.take()

    def _find_sheets(self) -> list[Sheet]:
        """Read through the content once for the names of the sheets: they are before their rows, far apart."""
        names: list[tuple[str, str]] = []
        hidden: set[str] = set()
        style = ""

        def start(tag: str, attributes: Mapping[str, str]) -> None:
            nonlocal style
            if tag == "table:table":
                names.append((attributes.get("table:name", ""), attributes.get("table:style-name", "")))
            elif tag == "style:style":
                style = attributes.get("style:name", "")
            elif tag == "style:table-properties" and attributes.get("table:display") == "false":
                hidden.add(style)

        prefixed = _UsualNames(_PREFIXES)
        parser = safe_parser(self._name)
        parser.StartElementHandler = lambda tag, attributes: start(*prefixed.element(tag, attributes))
        with self._archive.open(_CONTENT) as stream:
            while piece := stream.read(_PIECE_BYTES):
                parser.Parse(piece)
        parser.Parse(b"", LAST)
        return [Sheet(name, hidden=key in hidden, part=str(i)) for i, (name, key) in enumerate(names)]


def _refuse_encrypted(archive: ZipFile, name: str) -> None:
    manifest = "META-INF/manifest.xml"
    if manifest in archive.namelist() and _ENCRYPTED.search(archive.open(manifest).read(1 << 20)):
        raise SourceError(f"'{name}' is protected with a password.", "Open it, remove the password, and save it again.")


class _UsualNames:
    """Names elements and attributes by the prefixes that a standard uses, whichever the file has.

    Declarations are taken from every element; what uses an undeclared prefix keeps it.

    Args:
        prefixes: namespace to its usual prefix; names in other namespaces become "".
    """

    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self._usual = prefixes
        self._declared: dict[str, str] = {}
        self._known: dict[str, str] = {}
        self._known_keys: dict[tuple[str, ...], tuple[str, ...]] = {}

    def element(self, tag: str, attributes: dict[str, str]) -> tuple[str, dict[str, str]]:
        """Return an element's name and its attributes by usual names."""
        if attributes:
            keys = tuple(attributes)
            usual = self._known_keys.get(keys) or self._usual_keys(keys, attributes)
            if usual != keys:
                attributes = dict(zip(usual, attributes.values(), strict=True))
        return self._known.get(tag) or self.name(tag), attributes

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

    def _usual_keys(self, keys: tuple[str, ...], attributes: Mapping[str, str]) -> tuple[str, ...]:
        """Name the attributes of an element, and remember the names for the next one with the same."""
        declared = {key[6:]: self._usual.get(attributes[key], "") for key in keys if _DECLARATION.match(key)}
        if declared:
            self._declared |= declared
            self._known.clear()
            self._known_keys.clear()
        usual = tuple(map(self.name, keys))
        if not declared and len(self._known_keys) < _MOST_KEYS:
            self._known_keys[keys] = usual
        return usual
