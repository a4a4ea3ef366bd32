"""The shared strings of a workbook: as text while they are few, read from disk one by one once they are many."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Sequence
from typing import IO, overload

from importer.readers.workbook.cell_problems import too_long

_MOST_IN_MEMORY = 1_000_000
_CHARS_IN_MEMORY = 40_000_000
"""Together about 100 MB; a sheet with more different texts than that has them read from disk one by one."""


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
