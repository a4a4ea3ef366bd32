"""The balance proof: counts taken again from the written file, and compared with what the run believes.

Reads the file as any other program would. Never looks at the rows in memory or in the journal:
a proof that shares the maker's data proves nothing.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path

from importer.errors import BalanceError, StorageError
from importer.records import DRY_RUN_STATES, FINAL_STATES
from importer.results.table import ADDED_COLUMNS

_LONGEST_CELL = 1 << 30
_STATES = frozenset(FINAL_STATES) | frozenset(DRY_RUN_STATES)


def recount(path: Path, columns: Sequence[str]) -> dict[str, int]:
    """Count the data rows of a written `results.csv`, in all and per state.

    Columns are found by position, so a source column may bear any name.

    Args:
        path: the file.
        columns: the source's columns, as the table was written with them.

    Returns:
        `read`, and every state that occurs.

    Raises:
        BalanceError: the header or a row is not what was meant to be written.
        StorageError: the file cannot be read.
    """
    # The module's limit is global; it is only ever raised, since cells longer than its default are legal here.
    csv.field_size_limit(max(_LONGEST_CELL, csv.field_size_limit()))
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            counts = Counter(_states(csv.reader(stream, strict=True), columns, path))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        msg = f"The results cannot be read back from {path} ({type(error).__name__})."
        raise StorageError(msg, "Write them again with: importer export.") from error
    return {"read": counts.total(), **dict(sorted(counts.items()))}


def _states(rows: Iterator[list[str]], columns: Sequence[str], path: Path) -> Iterator[str]:
    width = len(columns) + len(ADDED_COLUMNS)
    header = next(rows, [])
    if len(header) != width or header[-len(ADDED_COLUMNS) :] != list(ADDED_COLUMNS):
        msg = f"{path} does not have the columns that were written."
        raise BalanceError(msg)
    status = itemgetter(len(columns) + ADDED_COLUMNS.index("_status"))
    for number, row in enumerate(rows, 1):
        if len(row) != width or status(row) not in _STATES:
            msg = f"Data row {number} of {path} is damaged."
            raise BalanceError(msg, "Write the results again with: importer export.")
        yield status(row)


def compare(expected: Mapping[str, int], found: Mapping[str, int]) -> None:
    """Compare the run's counts with the recount; a count that is missing is nought.

    Raises:
        BalanceError: they differ; the message names every difference.
    """
    names = [name for name in {**expected, **found} if expected.get(name, 0) != found.get(name, 0)]
    if names:
        parts = [f"{name}: {expected.get(name, 0):,} expected, {found.get(name, 0):,} found" for name in names]
        msg = f"The balance does not close between the run and results.csv ({'; '.join(parts)})."
        raise BalanceError(msg, "Keep the run directory and report this.")
    total = sum(count for name, count in found.items() if name != "read")
    if total != found.get("read", 0):
        msg = f"The balance does not close: {found.get('read', 0):,} rows read, {total:,} accounted for."
        raise BalanceError(msg, "Keep the run directory and report this.")
