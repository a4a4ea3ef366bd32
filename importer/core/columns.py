"""The columns that are added to those of a source: their names, their order, and what they hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal

ROW_COLUMN, RUN_COLUMN = "_row", "_run"
"""Together they identify a line of a returned file."""
SHEET_COLUMN, STATUS_COLUMN = "_sheet", "_status"
ERROR_CODE, ERROR_FIELD, ERROR_COLUMN, ERROR_MESSAGE = "_error_code", "_error_field", "_error_column", "_error_message"
WARNINGS_COLUMN = "_warnings"
HTTP_STATUS, ATTEMPTS = "_http_status", "_attempts"
VERIFIED, DIFFERENCES, LIMITS = "_verified", "_differences", "_limits"
TRACE_ID = "_trace_id"
IDV_STATUS, IDV_OUTCOME, IDV_ID = "_idv_status", "_idv_outcome", "_idv_id"
CUSTOMER_ID = "_customer_id"
ID_AT_TARGET = "id_at_target"
"""What the column of ids is called where an update reads it."""
Keeps = Literal["none", "id", "all"]
"""Which of the added columns are read from a file that has them."""
STEP_COLUMNS = (VERIFIED, DIFFERENCES, LIMITS, IDV_STATUS, IDV_OUTCOME, IDV_ID)
"""Only in files of runs that have steps after a create."""

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        ROW_COLUMN: "the row number as a spreadsheet shows it: the header is 1, the first row under it 2",
        SHEET_COLUMN: "the sheet, for workbooks",
        STATUS_COLUMN: "the row's state",
        CUSTOMER_ID: "the customer's id at the target",
        ERROR_CODE: "a code per error, joined with ` | `, as in the next three",
        ERROR_FIELD: "the customer field, by the API's name",
        ERROR_COLUMN: "your column",
        ERROR_MESSAGE: "what is wrong, and how to fix it",
        WARNINGS_COLUMN: "what to check in a row that is valid",
        HTTP_STATUS: "the API's last answer",
        TRACE_ID: "the id that the target's support asks for",
        VERIFIED: "read back: `same` or `differs`",
        DIFFERENCES: "the fields that differ at the target, and how; of an update, masked: before → after",
        LIMITS: "`set`, or why they are not",
        IDV_STATUS: "the state of the identity verification",
        IDV_OUTCOME: "what came of the identity verification",
        IDV_ID: "the id of the identity verification at the target",
        ATTEMPTS: "requests made for this row, look-ups included",
        RUN_COLUMN: "the run; with `_row` it identifies the row, however lines are sorted",
    }
)
"""Each added column and what it holds, for people."""

ADDED_COLUMNS: tuple[str, ...] = tuple(name for name in MEANINGS if name not in STEP_COLUMNS)
"""What files for people add at the end of every row, always last and in this order (fixed by the interface)."""

ADDED_WITH_STEPS: tuple[str, ...] = tuple(MEANINGS)
"""The same for runs that have steps after a create."""

NUMBER_COLUMNS = frozenset({ROW_COLUMN, HTTP_STATUS, ATTEMPTS})
"""The added columns that hold numbers; all others hold texts."""

MOST_EXTRA = 20
"""At most this many columns for surplus cells: every row of a table is as wide as the widest one."""

JOINT = " | "
"""What is between the errors of one row in an added column."""

_EXTRA_NAME = re.compile(r"_extra_[1-9]\d*")
_INVISIBLE = re.compile("[\\x00-\\x1f\\x7f\\u200b-\\u200d\\u2060\\ufeff]+|\\s+")


def tidy_name(text: str) -> str:
    """Return a header text without invisible characters, line breaks and outer spaces."""
    return _INVISIBLE.sub(" ", text).strip()


def joined(parts: Sequence[str]) -> str:
    """Join what an added column reports of one row, so that it can be split at `JOINT` again."""
    return JOINT.join(part.replace(JOINT, " / ") for part in parts)


def extra_columns(count: int) -> tuple[str, ...]:
    """Name the columns for cells beyond those of the source; they are between the source's and the added ones."""
    return tuple(f"_extra_{number}" for number in range(1, count + 1))


def is_extra(name: str) -> bool:
    """Whether a column holds surplus cells of an earlier reading."""
    return _EXTRA_NAME.fullmatch(name) is not None


def is_added(name: str) -> bool:
    """Whether a column is one that the importer adds: a fixed file that comes back has them."""
    return name in MEANINGS or is_extra(name)


def surplus_of(cells: Sequence[str], width: int) -> tuple[str, ...]:
    """Return the cells of a record beyond its table's width, without blank ones.

    Of more than `MOST_EXTRA` cells the last one holds the rest, joined with ` | `.
    """
    found = [cell for cell in cells[width:] if cell.strip()]
    if len(found) > MOST_EXTRA:
        found[MOST_EXTRA - 1 :] = [JOINT.join(found[MOST_EXTRA - 1 :])]
    return tuple(found)
