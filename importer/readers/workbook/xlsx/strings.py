"""The shared strings of an `.xlsx`, kept as bytes and read one at a time: millions of them stay small."""

from __future__ import annotations

import os
import re
import tempfile
from array import array
from collections.abc import Sequence
from typing import IO, overload
from zipfile import ZipFile

from importer.readers.workbook.package import LAST, local, safe_parser, unescaped
from importer.readers.workbook.troubles import too_long
from importer.readers.workbook.xlsx.markup import Runs, is_ordinary, plain

_MOST_IN_MEMORY = 1_000_000
_CHARS_IN_MEMORY = 40_000_000
"""Together about 100 MB; a sheet with more different texts than that has them read from disk one by one."""
_PLAIN = re.compile(rb'<si><t(?: xml:space="preserve")?>([^<]*)</t></si>')


class SharedStrings(Sequence[str]):
    """Strings by their number, as text while they are few and as bytes on disk once they are many.

    Args:
        longest: characters that a string may have.
        name: the source's name for people.
    """

    def __init__(self, longest: int, name: str) -> None:
        self._texts: list[str] = []
        self._chars = 0
        self._ends = array("Q", [0])
        self._spilled: IO[bytes] | None = None
        self._longest = longest
        self._name = name

    def __len__(self) -> int:
        return len(self._texts) or len(self._ends) - 1

    @overload
    def __getitem__(self, number: int) -> str: ...
    @overload
    def __getitem__(self, number: slice) -> list[str]: ...
    def __getitem__(self, number: int | slice) -> str | list[str]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        if self._spilled is None:
            return self._texts[number]
        start, end = self._ends[number], self._ends[number + 1]
        return os.pread(self._spilled.fileno(), end - start, start).decode()

    def all(self) -> Sequence[str]:
        """Return the quickest sequence of the strings."""
        return self._texts if self._spilled is None else self

    def add(self, texts: Sequence[str]) -> None:
        """Append strings.

        Raises:
            SourceError: one is longer than is allowed.
        """
        if max(map(len, texts), default=0) > self._longest:
            raise too_long(self._longest, self._name)
        if self._spilled is None:
            self._texts += texts
            self._chars += sum(map(len, texts))
            if len(self._texts) > _MOST_IN_MEMORY or self._chars > _CHARS_IN_MEMORY:
                self._spilled = tempfile.TemporaryFile(buffering=1 << 20)  # noqa: SIM115  # lives as long as the workbook
                texts, self._texts = self._texts, []
        if self._spilled is not None:
            self._write(texts, self._spilled)

    def settle(self) -> None:
        """Make sure that all strings can be read."""
        if self._spilled is not None:
            self._spilled.flush()

    def close(self) -> None:
        """Release what was spilled to disk."""
        if self._spilled is not None:
            self._spilled.close()

    def _write(self, texts: Sequence[str], spilled: IO[bytes]) -> None:
        end = self._ends[-1]
        for text in texts:
            data = text.encode("utf-8", "replace")
            end += len(data)
            self._ends.append(end)
            spilled.write(data)


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
            for run in Runs(stream, "sst", "si", 8 * longest, name):
                strings.add(_strings(run, name))
        strings.settle()
    return strings


def _strings(run: bytes, name: str) -> list[str]:
    found = _PLAIN.findall(run)
    if len(found) != run.count(b"<si") or not is_ordinary(run):
        return _exact(run, name)
    if b"&" in run or b"_x" in run:
        return [plain(text.decode()) for text in found]
    return [text.decode() for text in found]


def _exact(run: bytes, name: str) -> list[str]:
    """Parse strings that are more than one plain text each: runs of several fonts, phonetic hints, odd spellings."""
    texts: list[str] = []
    parts: list[str] = []
    path: list[str] = []

    def start(tag: str, _: object) -> None:
        path.append(local(tag))
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
