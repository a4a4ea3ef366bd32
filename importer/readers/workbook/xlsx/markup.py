"""Cuts a part's XML into runs of whole elements, so that it can be read piece by piece in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO
from xml.sax.saxutils import unescape

from importer.core.errors import SourceError
from importer.readers.workbook.package import hostile, unescaped

_PIECE_BYTES = 1 << 19
_LONGEST_HEAD = 16 << 20
_LONGEST_TAG = 4096
_QUOTES = {"&quot;": '"', "&apos;": "'"}


class Runs:
    """The repeated elements of a part: the rows of a sheet, the items of the string table.

    After the last run, `tail` holds what follows the elements.

    Args:
        stream: the part's bytes.
        parent: the element around them (`sheetData`, `sst`).
        child: the repeated element (`row`, `si`).
        longest: bytes that one of them may have.
        name: the source's name for people.
    """

    def __init__(self, stream: IO[bytes], parent: str, child: str, longest: int, name: str) -> None:
        self._stream = stream
        self._longest = longest
        self._name = name
        self._open = re.compile(rf"<(?:(\w+):)?{parent}\b[^>]*?(/?)>".encode())
        self._parent = parent
        self._child = child
        self.head = b""
        self.tail = b""
        self.prefix = ""

    def __iter__(self) -> Iterator[bytes]:
        """Yield runs of whole elements.

        Raises:
            SourceError: one is longer than is allowed, or the part declares entities.
        """
        text, blank = self._after_head()
        if blank:
            self.tail = text
            return
        prefix = f"{self.prefix}:" if self.prefix else ""
        end, last = f"</{prefix}{self._child}>".encode(), f"</{prefix}{self._parent}>".encode()
        while True:
            cut = text.rfind(end) + len(end) if end in text else 0
            if cut:
                yield text[:cut]
            text = text[cut:]
            if last in text:
                break
            if len(text) > self._longest:
                raise self._too_long()
            piece = self._stream.read(max(_PIECE_BYTES, len(text)))
            if not piece:
                raise ValueError("the part ends in the middle")
            text += piece
        at = text.find(last)
        self.tail = text[at:]
        if b"<" in text[:at]:
            yield text[:at]

    def _after_head(self) -> tuple[bytes, bool]:
        """Return what follows the parent's start, and whether the parent is empty."""
        text, seen = b"", 0
        while not (match := self._open.search(text, seen)):
            piece = self._stream.read(_PIECE_BYTES)
            if b"<!DOCTYPE" in text:
                raise hostile(self._name)
            if not piece or len(text) > _LONGEST_HEAD:
                raise ValueError("the part does not hold what it should")
            seen = max(0, len(text) - _LONGEST_TAG)
            text += piece
        self.head = text[: match.start()]
        if b"<!DOCTYPE" in self.head:
            raise hostile(self._name)
        self.prefix = (match[1] or b"").decode()
        return text[match.end() :], bool(match[2])

    def _too_long(self) -> SourceError:
        return SourceError(
            f"'{self._name}' has a row or a cell of more than {self._longest:,} bytes.",
            "Correct that cell, or raise max_cell_chars in [source.limits].",
        )


def plain(text: str) -> str:
    """Return the characters that a piece of XML text means."""
    return unescaped(unescape(text, _QUOTES)) if "&" in text else unescaped(text)


def is_ordinary(run: bytes) -> bool:
    """Whether a run holds only what a plain reading understands: no comments, sections, coded characters."""
    if b"\r" in run or (b"#" in run and b"&#" in run):
        return False
    return not ((b"!" in run and b"<!" in run) or (b"?" in run and b"<?" in run))


def own_name(tag: str, prefix: str) -> str:
    """Return the local name of an element of the sheet itself; "" for one of an extension.

    Args:
        prefix: of the part's own elements, with its colon; empty where they have none.
    """
    if not tag.startswith(prefix):
        return ""
    name = tag[len(prefix) :]
    return "" if ":" in name else name
