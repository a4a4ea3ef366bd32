"""The rows and the issues of a run as pandas DataFrames, for programs and notebooks. Reads batches; opens nothing."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from importer.core.columns import ROW_COLUMN
from importer.core.issues import IssueLog
from importer.core.results import ResultBatch
from importer.results.table import Header, added_columns

ISSUE_COLUMNS = ("row", "code", "severity", "field", "column", "message")


def rows_frame(batches: Iterable[ResultBatch], header: Header) -> pd.DataFrame:
    """Return every row as `results.csv` has it: the source's columns, then the added ones.

    The index holds the row numbers that a person sees. Texts are pandas' `str`, a blank one is ""; `_row` and
    `_attempts` are integers, `_http_status` is an integer or missing.
    """
    parts = [_part(batch, header) for batch in batches]
    return pd.concat(parts) if parts else pd.DataFrame(columns=list(header.names), dtype="str")


def _part(batch: ResultBatch, header: Header) -> pd.DataFrame:
    names = header.names[len(header.columns) :]
    added = pd.DataFrame(
        dict(zip(names, added_columns(batch, header), strict=True)), index=batch.frame.index, dtype="str"
    )
    added[ROW_COLUMN] = batch.frame.index
    added["_http_status"] = pd.array(list(batch.http_statuses), dtype="Int64")
    added["_attempts"] = pd.array(list(batch.attempts), dtype="int64")
    return pd.concat([batch.frame.set_axis(list(header.columns), axis="columns"), added], axis="columns")


def issues_frame(batches: Iterable[ResultBatch]) -> pd.DataFrame:
    """Return a line for every issue of every row, in the order of the rows: `ISSUE_COLUMNS`."""
    parts = [_lines(batch.issues, batch) for batch in batches if batch.issues]
    return pd.concat(parts, ignore_index=True) if parts else _lines(IssueLog())


def _lines(log: IssueLog, batch: ResultBatch | None = None) -> pd.DataFrame:
    rows = [batch.rows[ordinal - batch.first] for ordinal in log.ordinals] if batch else []
    texts = {name: [str(getattr(kind, name)) for kind in log.kinds] for name in ISSUE_COLUMNS[1:]}
    kinds = pd.DataFrame({name: pd.array(column, dtype="str") for name, column in texts.items()})
    lines = kinds.take(list(log.which)).reset_index(drop=True)
    lines.insert(0, "row", pd.Series(rows, dtype="int64"))
    return lines
