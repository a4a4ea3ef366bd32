"""Numbers of all rows, kept on disk while a source is read. Gone with the process that made them."""

from __future__ import annotations

import os
import tempfile
from array import array
from pathlib import Path
from typing import BinaryIO
from weakref import finalize

from importer.core.errors import JournalError

HELD = 65_536
"""Up to this many numbers stay in memory: a small file needs no other."""


class SpooledNumbers:
    """A column of numbers. Implements `importer.core.ports.Numbers`.

    Args:
        folder: of its file, which has no name: no other program finds it, and nothing has to remove it.
        typecode: of the `array`s that it is given and gives.
    """

    def __init__(self, folder: Path, typecode: str) -> None:
        self._folder = folder
        self._new = array(typecode)
        self._file: BinaryIO | None = None
        self._on_disk = 0

    def extend(self, numbers: array[int]) -> None:
        """Append numbers.

        Raises:
            JournalError: the disk is full, or the folder cannot be written.
        """
        self._new.extend(numbers)
        if len(self._new) >= HELD:
            self._spill()

    def whole(self) -> array[int]:
        """All numbers at once."""
        numbers = array(self._new.typecode)
        if self._file is not None:
            self._file.seek(0)
            numbers.fromfile(self._file, self._on_disk)
        numbers.extend(self._new)
        return numbers

    def part(self, first: int, size: int) -> array[int]:
        """Numbers that follow each other."""
        numbers = array(self._new.typecode)
        stored = max(0, min(size, self._on_disk - first))
        if self._file is not None and stored:
            numbers.frombytes(os.pread(self._file.fileno(), stored * numbers.itemsize, first * numbers.itemsize))
        start = max(0, first - self._on_disk)
        numbers.extend(self._new[start : start + size - stored])
        return numbers

    def __getitem__(self, place: int) -> int:
        if place >= self._on_disk or self._file is None:
            return self._new[place - self._on_disk]
        one = array(self._new.typecode)
        one.frombytes(os.pread(self._file.fileno(), one.itemsize, place * one.itemsize))
        return one[0]

    def __len__(self) -> int:
        return self._on_disk + len(self._new)

    def _spill(self) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115  # closed with this object
                finalize(self, self._file.close)
            self._file.seek(0, os.SEEK_END)
            self._new.tofile(self._file)
            self._file.flush()
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            raise JournalError(
                f"The rows cannot be compared with each other in {self._folder}: {reason}.", "Free some space there."
            ) from error
        self._on_disk += len(self._new)
        self._new = array(self._new.typecode)
