"""A DataFrame as numbered records of text: the origin behind `TableReader` where the source is not a file."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from importer.core.columns import is_extra
from importer.core.errors import EmptySourceError, SourceError
from importer.core.sources import Detected
from importer.profile.settings import SourceSettings
from importer.readers.dataframe.issue_columns import ISSUE_COLUMNS, issue_marks
from importer.readers.dataframe.texts import Converter
from importer.readers.table.blocks import Block, Mark, tabled
from importer.readers.table.header import Header

NAME = "frame"
"""What a DataFrame without a name in its `attrs` is called."""
_ROWS = 8_192
_FIRST_ROW = 1
_UNNUMBERED = (
    "The index of the DataFrame does not number its rows (whole numbers, none below 0, ascending, each once):"
    " they are numbered from 1."
)


class FrameOrigin:
    """One DataFrame.

    Args:
        frame: read as it is at this moment; what is done to it later changes nothing here.
        settings: `[source]` of the profile, of which only the limits concern it.

    Raises:
        SourceError: it has no rows, or its columns are not named by different texts.
    """

    grid = True
    format = "dataframe"
    detected: Sequence[Detected] = ()
    sheets = ()
    other_tables = ()

    def __init__(self, frame: pd.DataFrame, settings: SourceSettings) -> None:
        self._frame = frame.copy(deep=False)
        self.name = _attr(frame, "name") or NAME
        self.sheet = _attr(frame, "sheet")
        _require_names(frame, self.name)
        if frame.empty:
            raise EmptySourceError(f"The DataFrame '{self.name}' has no rows.", "Give it rows, or leave it out.")
        self._numbered = _is_numbered(frame.index)
        self._numbers = frame.index if self._numbered else pd.RangeIndex(_FIRST_ROW, _FIRST_ROW + len(frame))
        self._names = [str(name) for name in frame.columns]
        self._held = [self._names.index(name) if name in self._names else None for name in ISSUE_COLUMNS]
        self._converter = Converter(self.name, settings.limits.max_cell_chars)

    @property
    def header(self) -> Header:
        """The names of the columns, which are above the first row."""
        return Header(int(self._numbers[0]) - 1, tuple(self._names))

    @property
    def warnings(self) -> Sequence[str]:
        """The warnings of the file that it was read from, and how its rows are numbered."""
        given = self._frame.attrs.get("warnings", ())
        warnings = [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
        return warnings if self._numbered else [*warnings, _UNNUMBERED]

    def blocks(self) -> Iterator[Block]:
        """Yield the rows; those that reading has found broken are marked."""
        for numbers, columns in self.parts():
            yield Block(numbers.tolist(), None, tabled(columns), self._marks(columns))

    def parts(self) -> Iterator[tuple[pd.Index[Any], list[list[str]]]]:
        """Yield some rows at a time: their numbers, and their columns as texts."""
        for at in range(0, len(self._frame), _ROWS):
            part, numbers = self._frame.iloc[at : at + _ROWS], self._numbers[at : at + _ROWS]
            yield numbers, [self._converter.texts(part.iloc[:, i], numbers) for i in range(len(self._names))]

    def close(self) -> None:
        """Release the DataFrame."""
        self._frame = self._frame.iloc[:0]

    def _marks(self, columns: Sequence[Sequence[str]]) -> dict[int, list[Mark]]:
        held = [None if at is None else columns[at] for at in self._held]
        marked = {i for column in (held[0], held[-1]) if column for i, text in enumerate(column) if text}
        extras = [columns[at] for at, name in enumerate(self._names) if is_extra(name)]
        found = {
            i: issue_marks(
                [column[i] if column else "" for column in held],
                self._names,
                has_extras=any(column[i].strip() for column in extras),
            )
            for i in sorted(marked)
        }
        return {i: marks for i, marks in found.items() if marks}


def frame_hash(frame: pd.DataFrame) -> str:
    """Return a hash over names and texts as hex, so that the same content is recognised again. The index is not in it.

    Raises:
        SourceError: it cannot be a source.
    """
    origin = FrameOrigin(frame, SourceSettings())
    hashes = [hashlib.sha256(name.encode()) for name in origin.header.cells]
    for _, columns in origin.parts():
        for found, column in zip(hashes, columns, strict=True):
            found.update((",".join(map(str, map(len, column))) + ";" + "".join(column)).encode())
    return hashlib.sha256(b"".join(found.digest() for found in hashes)).hexdigest()


def write_csv(frame: pd.DataFrame, to: Path, settings: SourceSettings) -> None:
    """Write a DataFrame as a CSV file in UTF-8, with its columns unchanged and without its index.

    Raises:
        SourceError: it cannot be a source.
    """
    origin = FrameOrigin(frame, settings)
    with to.open("w", encoding="utf-8", newline="") as stream:
        lines = csv.writer(stream)
        lines.writerow(origin.header.cells)
        for _, columns in origin.parts():
            lines.writerows(zip(*columns, strict=True))


def _attr(frame: pd.DataFrame, key: str) -> str:
    """A text of the DataFrame's `attrs`; empty where there is none."""
    text = frame.attrs.get(key)
    return text if isinstance(text, str) else ""


def _is_numbered(index: pd.Index[Any]) -> bool:
    return (
        pd.api.types.is_integer_dtype(index.dtype)
        and not index.hasnans
        and index.is_monotonic_increasing
        and index.is_unique
        and index[0] >= 0
    )


def _require_names(frame: pd.DataFrame, name: str) -> None:
    """Refuse columns that cannot be named.

    Raises:
        SourceError: a name is not a text, is blank, or occurs twice.
    """
    if frame.columns.nlevels > 1:
        raise SourceError(
            f"The columns of the DataFrame '{name}' have names of {frame.columns.nlevels} levels.",
            "Join them to one text each: frame.columns = frame.columns.map(' '.join)",
        )
    names: list[Any] = list(frame.columns)
    for at, column in enumerate(names, 1):
        if not isinstance(column, str) or not column.strip():
            raise SourceError(
                f"Column {at} of the DataFrame '{name}' has no name, or one that is not a text.",
                "Give every column a name: frame.columns = [...]",
            )
    if not frame.columns.is_unique:
        twice = int(frame.columns.duplicated().argmax()) + 1
        raise SourceError(
            f"Column {twice} of the DataFrame '{name}' has the name of another one.",
            "Give every column a name of its own: frame.columns = [...]",
        )
