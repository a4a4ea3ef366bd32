"""The columns that are added to a source's own: their names, and their order."""

from __future__ import annotations

import re
from collections.abc import Sequence

ROW_COLUMN, RUN_COLUMN = "_row", "_run"
"""What a line of a returned file is known by: the row and the run that it is from."""


ADDED_COLUMNS: tuple[str, ...] = (
    ROW_COLUMN,
    "_sheet",
    "_status",
    "_customer_id",
    "_error_code",
    "_error_field",
    "_error_column",
    "_error_message",
    "_warnings",
    "_http_status",
    "_trace_id",
    "_attempts",
    RUN_COLUMN,
)
"""What files for people add at the end of every row, always last and in this order (fixed by the interface)."""


MOST_EXTRA = 20
"""Columns for surplus cells at most: every row of a table pays for the widest one."""


_EXTRA_NAME = re.compile(r"_extra_[1-9]\d*")


def extra_columns(count: int) -> tuple[str, ...]:
    """Name the columns for cells beyond those of the source; they stand between the source's and the added ones."""
    return tuple(f"_extra_{number}" for number in range(1, count + 1))


def is_extra(name: str) -> bool:
    """Tell whether a column holds surplus cells of an earlier reading."""
    return _EXTRA_NAME.fullmatch(name) is not None


def is_added(name: str) -> bool:
    """Tell whether a column is one of those that the importer adds: a fixed file that comes back carries them."""
    return name in ADDED_COLUMNS or is_extra(name)


def surplus_of(cells: Sequence[str], width: int) -> tuple[str, ...]:
    """Return what stands in a record beyond its table's width, without blank cells.

    Of more than `MOST_EXTRA` cells the last one holds the rest, joined with ` | `.
    """
    found = [cell for cell in cells[width:] if cell.strip()]
    if len(found) > MOST_EXTRA:
        found[MOST_EXTRA - 1 :] = [" | ".join(found[MOST_EXTRA - 1 :])]
    return tuple(found)
