"""Reads the shared strings of an `.xlsx`."""

from __future__ import annotations

import re
from zipfile import ZipFile

from importer.readers.workbook.package import LAST, safe_parser, unescaped
from importer.readers.workbook.strings import SharedStrings
from importer.readers.workbook.xlsx.markup import Runs, is_ordinary, own_name, plain

_PLAIN = re.compile(rb'<si><t(?: xml:space="preserve")?>([^<]*)</t></si>')


def read_strings(archive: ZipFile, part: str, longest: int, name: str) -> SharedStrings:
    """Read the shared strings of a workbook.

    Args:
        part: where they are; empty when there are none.
        longest: characters that a string may have.
        name: the source's name for people.

    Raises:
        SourceError: one is longer than is allowed.
    """
    strings = SharedStrings(longest, name)
    if part:
        with archive.open(part) as stream:
            runs = Runs(stream, "sst", "si", 8 * longest, name)
            for run in runs:
                strings.add(_strings(run, runs.prefix, name))
        strings.settle()
    return strings


def _strings(run: bytes, prefix: str, name: str) -> list[str]:
    found = _PLAIN.findall(run)
    if len(found) != run.count(b"<si") or not is_ordinary(run):
        return _exact(run, prefix, name)
    if b"&" in run or b"_x" in run:
        return [plain(text.decode()) for text in found]
    return [text.decode() for text in found]


def _exact(run: bytes, prefix: str, name: str) -> list[str]:
    """Parse strings that are more than one plain text each: runs of several fonts, phonetic hints, odd spellings."""
    texts: list[str] = []
    parts: list[str] = []
    path: list[str] = []
    own = f"{prefix}:" if prefix else ""

    def start(tag: str, _: object) -> None:
        path.append(own_name(tag, own))
        if path[-1] == "si":
            parts.clear()

    def characters(text: str) -> None:
        if path[-1] == "t" and "rPh" not in path:
            parts.append(text)

    def end(_: str) -> None:
        if path.pop() == "si":
            texts.append(unescaped("".join(parts)))

    parser = safe_parser(name)
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, characters
    parser.Parse(b"<strings>" + run + b"</strings>", LAST)
    return texts
