"""What reading found wrong with rows, as columns of a DataFrame that stay with their rows, and as marks again. Pure.

The columns are called like those of `results.csv`, so they are not columns of the source. An error keeps its row out
until its `_error_code` is made blank. Cells beyond the header are in `_extra_1`, `_extra_2`, …, and keep it out too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from importer.core.columns import ERROR_CODE, ERROR_COLUMN, ERROR_MESSAGE, JOINT, WARNINGS_COLUMN, joined
from importer.core.issue_codes.reading import READING_CODES
from importer.core.issues import Issue, Severity
from importer.readers.table.blocks import Mark

ISSUE_COLUMNS = (ERROR_CODE, ERROR_COLUMN, ERROR_MESSAGE, WARNINGS_COLUMN)
_WARNING = re.compile(r"(\w+)(?: in '(.*?)')?: (.*)", re.DOTALL)
_SHOWN_BY_EXTRAS = frozenset({"row_too_long", "cell_outside_table"})


def issue_columns(found: Mapping[int, Sequence[Issue]], rows: Sequence[int]) -> dict[str, list[str]]:
    """Return the columns that hold issues.

    Args:
        found: row number to the issues of that row.
        rows: the numbers of all rows.
    """
    texts = {row: _texts(issues) for row, issues in found.items()}
    blank = [""] * len(ISSUE_COLUMNS)
    columns = zip(*[texts.get(row, blank) for row in rows], strict=True)
    return dict(zip(ISSUE_COLUMNS, map(list, columns), strict=True))


def _texts(issues: Sequence[Issue]) -> list[str]:
    errors = [issue for issue in issues if issue.severity is Severity.ERROR]
    warnings = [_warning(issue) for issue in issues if issue.severity is Severity.WARNING]
    columns = zip(*[(error.code, error.column, error.message) for error in errors], strict=True) if errors else [()] * 3
    return [joined(parts) for parts in (*columns, warnings)]


def _warning(issue: Issue) -> str:
    where = f" in '{issue.column}'" if issue.column else ""
    return f"{issue.code}{where}: {issue.message}"


def issue_marks(texts: Sequence[str], names: Sequence[str], *, has_extras: bool) -> list[Mark]:
    """Return the marks of a row; those that reading does not give are left out: the row is checked again.

    Args:
        texts: of `ISSUE_COLUMNS`, in that order.
        names: all columns of the DataFrame.
        has_extras: whether the row has extra cells, which show by themselves what is wrong.
    """
    place = {name: at for at, name in enumerate(names)}
    return [
        Mark(code, message, place.get(column, -1), severity)
        for code, column, message, severity in (*_errors(texts), *_warnings(texts[-1]))
        if code in READING_CODES and not (has_extras and code in _SHOWN_BY_EXTRAS)
    ]


def _errors(texts: Sequence[str]) -> Iterator[tuple[str, str, str, Severity]]:
    codes, columns, messages = (text.split(JOINT) for text in texts[:3])
    for at, code in enumerate(codes):
        message = messages[at] if at < len(messages) and messages[at] else "Reading found this row broken."
        yield code, columns[at] if at < len(columns) else "", message, Severity.ERROR


def _warnings(text: str) -> Iterator[tuple[str, str, str, Severity]]:
    for one in text.split(JOINT):
        if found := _WARNING.fullmatch(one):
            code, column, message = found.groups(default="")
            yield code, column, message, Severity.WARNING
