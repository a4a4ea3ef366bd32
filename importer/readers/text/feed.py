"""Bytes become text in pieces of whole lines. Bounded memory; bytes that are not text are marked, not guessed."""

from __future__ import annotations

import codecs
import threading
from collections import deque
from typing import BinaryIO

from importer.core.errors import SourceError
from importer.profile.settings import SourceLimits

UNDECODABLE = "\ufdd0"
"""Replaces bytes that are not text: a code point that Unicode guarantees never to be a character."""

_HANDLER = "importer.readers.undecodable"
_FIRST_BYTES = 1 << 17
"""Opening a source reads its first piece more than once."""
_PIECE_BYTES = 1 << 20
_LINE_FACTOR = 4
_END_OF_FILE = "\x1a\x00"
"""What DOS programs and pre-allocating copiers leave behind at the end of a file."""


class _Faults(threading.local):
    """Where the codec's error handler leaves what it met: the handler is global, the decoding is not."""

    def __init__(self) -> None:
        self.starts: list[int] = []


_faults = _Faults()


def _mark(fault: UnicodeError) -> tuple[str, int]:
    if not isinstance(fault, UnicodeDecodeError):
        raise fault
    _faults.starts.append(fault.start)
    return UNDECODABLE, fault.end


codecs.register_error(_HANDLER, _mark)


class Feed:
    """Reads a byte stream as text, a piece of whole lines at a time.

    Args:
        stream: the bytes, at their start.
        codec: Python's name of the encoding.
        limits: bounds the length of a line.
    """

    def __init__(self, stream: BinaryIO, codec: str, limits: SourceLimits) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(codec)(_HANDLER)
        self._longest = max(_LINE_FACTOR * limits.max_cell_chars, 1 << 20)
        self._limit = limits.max_cell_chars
        self._piece_bytes = _FIRST_BYTES
        self._tail = ""
        self._bytes = 0
        self._ended = False
        self.offsets: deque[int] = deque()
        """Where in the file the marked bytes are, in the order of the marks."""

    @property
    def ended(self) -> bool:
        """Whether the stream has nothing more to give than what was taken or pushed back."""
        return self._ended

    def take(self) -> str:
        """Return the next whole lines, "" at the end.

        Raises:
            SourceError: a line is longer than any table's.
        """
        text = self._tail
        while not self._ended:
            text += self._decode()
            cut = _last_line_end(text)
            if cut and not self._ended:
                self._tail = text[cut:]
                return text[:cut]
            if len(text) > self._longest:
                raise self._too_long()
        self._tail = ""
        return text.rstrip(_END_OF_FILE) if text.endswith(("\x1a", "\x00")) else text

    def push_back(self, text: str) -> None:
        """Give back whole lines that were taken too many."""
        self._tail = text + self._tail

    def head(self, chars: int) -> str:
        """Return about the first `chars` characters, whole lines only."""
        text = self.take()
        while len(text) < chars and (more := self.take()):
            text += more
        return text[: _last_line_end(text[:chars]) or chars] if len(text) > chars else text

    def _decode(self) -> str:
        piece = self._stream.read(self._piece_bytes)
        self._piece_bytes = _PIECE_BYTES
        self._ended = not piece
        start = self._bytes - len(self._decoder.getstate()[0])
        self._bytes += len(piece)
        text = self._decoder.decode(piece, self._ended)
        if _faults.starts:
            self.offsets.extend(start + at for at in _faults.starts)
            _faults.starts.clear()
        return text

    def _too_long(self) -> SourceError:
        return SourceError(
            f"The source has a line of more than {self._longest:,} characters, so a cell beyond the "
            f"{self._limit:,} that are allowed.",
            "Correct that cell, or raise max_cell_chars in [source.limits].",
        )


def _last_line_end(text: str) -> int:
    """Return where the last complete line ends; a carriage return at the very end may belong to a line feed."""
    return max(text.rfind("\n"), text.rfind("\r", 0, len(text) - 1)) + 1
