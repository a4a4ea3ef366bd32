"""The file of corrections: which cells of a source are read as another text. Read as a whole; corrects nothing itself.

A CSV file in UTF-8 with the columns `row`, `column`, `before` and `after`, a line for each cell; other columns are for
people. A spreadsheet program may have written it, with its own delimiter.
"""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from importer.core.atomic_files import AtomicFiles
from importer.core.corrections import CORRECTION_COLUMNS, Correction
from importer.core.errors import SourceError
from importer.core.labels import counted, named
from importer.core.sources import Detected
from importer.profile.settings import SourceLimits
from importer.readers.byte_source import open_byte_source

_DELIMITERS = ",;\t"
_COLUMNS = "Its first line names the columns: row,column,before,after."
_AGAIN = "Correct that line, or make the corrections again."


@dataclass(frozen=True, slots=True)
class Corrections:
    """The corrections of a source.

    Args:
        name: of their file, for people.
        all: by row, one a cell.
        rows: the row of each.
    """

    name: str
    all: Sequence[Correction]
    rows: array[int]

    @property
    def detected(self) -> Detected:
        """What the reader says of them."""
        return Detected("corrections", self.name, note=counted(len(self.all), "cell"))

    @classmethod
    def of(cls, corrections: Iterable[Correction], name: str) -> Corrections:
        """Sort corrections, of which no two are of one cell."""
        found = sorted(corrections, key=lambda one: one.row)
        return cls(name, found, array("q", (one.row for one in found)))


def read_corrections(path: Path, limits: SourceLimits) -> Corrections:
    """Read a file of corrections.

    Args:
        limits: those of the source hold for its corrections, too.

    Raises:
        SourceError: it cannot be read, is not such a file, or corrects a cell twice.
    """
    byte_source = open_byte_source(path, limits.max_file_bytes)
    with closing(byte_source), io.TextIOWrapper(byte_source.open(), "utf-8-sig", newline="") as text:
        try:
            return Corrections.of(_distinct(_lines(text, path.name, limits), path.name), path.name)
        except UnicodeDecodeError as error:
            raise SourceError(f"The corrections in '{path.name}' are not UTF-8 text.", "Save them as UTF-8.") from error


def write_corrections(corrections: Iterable[Correction], path: Path) -> None:
    """Write a file of corrections, complete or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    with AtomicFiles(path.parent) as files:
        lines = csv.writer(files.text(path.name))
        lines.writerow(CORRECTION_COLUMNS)
        lines.writerows((one.row, one.column, one.before, one.after) for one in corrections)


def _lines(text: io.TextIOWrapper, name: str, limits: SourceLimits) -> Iterator[tuple[int, Correction]]:
    """Yield every correction with the line that it ends on."""
    csv.field_size_limit(limits.max_cell_chars)
    first = text.readline()
    delimiter = max(_DELIMITERS, key=first.count)
    header = [cell.strip().lower() for cell in next(csv.reader([first], delimiter=delimiter), [])]
    places = [_place(header, column, name) for column in CORRECTION_COLUMNS]
    lines = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        for cells in filter(None, lines):
            yield lines.line_num + 1, _correction(cells, places, lines.line_num + 1, name)
    except csv.Error as error:
        raise SourceError(f"Line {lines.line_num + 1:,} of '{name}' cannot be read as CSV.", _AGAIN) from error


def _place(header: Sequence[str], column: str, name: str) -> int:
    if column not in header:
        raise SourceError(f"The file of corrections '{name}' has no column '{column}'.", _COLUMNS)
    return header.index(column)


def _correction(cells: Sequence[str], places: Sequence[int], line: int, name: str) -> Correction:
    if len(cells) <= max(places):
        raise SourceError(f"Line {line:,} of '{name}' has only {len(cells)} cells.", _AGAIN)
    row, column, before, after = (cells[place] for place in places)
    if not (row.strip().isascii() and row.strip().isdigit()):
        raise SourceError(f"Line {line:,} of '{name}' names no row: its number is missing or wrong.", _AGAIN)
    if "\x00" in after:
        raise SourceError(f"Line {line:,} of '{name}' holds a zero byte.", _AGAIN)
    return Correction(int(row), column, before, after)


def _distinct(lines: Iterable[tuple[int, Correction]], name: str) -> Iterator[Correction]:
    seen: set[tuple[int, str]] = set()
    for line, one in lines:
        if (one.row, one.column) in seen:
            raise SourceError(
                f"Line {line:,} of '{name}' corrects a cell that an earlier line has corrected: row {one.row:,}, column"
                f" {named(one.column)}.",
                "Keep one of the two lines.",
            )
        seen.add((one.row, one.column))
        yield one
