"""A whole source as one DataFrame of text, with what reading found, for programs that inspect it before an import."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from importer.core.batches import RawBatch
from importer.core.columns import SHEET_COLUMN, extra_columns
from importer.core.issues import Issue
from importer.core.ports import Reader
from importer.core.sources import SourceInfo
from importer.profile.settings import SourceSettings
from importer.readers.dataframe.issue_columns import issue_columns
from importer.readers.dataframe.origin import FrameOrigin
from importer.readers.table.reader import TableReader

_Found = dict[int, list[Issue]]


def read_frame(reader: Reader, settings: SourceSettings) -> pd.DataFrame:
    """Read a source to its end.

    The columns are those of the source, all of text, a blank cell is ""; the index holds the row numbers that a person
    sees. Cells beyond the header are in `_extra_1`, …, and what is wrong with a row, where its cells do not show it,
    in `_error_code`, `_error_column`, `_error_message` and `_warnings`; these columns are there only where they are
    needed. In `attrs` are `name`, `format`, `sheet`, `detected` and `warnings`.

    Raises:
        SourceError: the source is broken at some later place.
    """
    batches = list(reader.batches())
    frame = pd.concat([batch.frame for batch in batches])
    frame.attrs = _attrs(reader.info)
    _add_extras(frame, batches, reader.info.sheet)
    _add(frame, _not_seen_again(frame, _found(batches), settings))
    return frame


def _attrs(info: SourceInfo) -> dict[Any, Any]:
    return {
        "name": info.name,
        "format": info.format,
        "sheet": info.sheet,
        "detected": {one.what: one.value for one in info.detected},
        "warnings": list(info.warnings),
    }


def _add_extras(frame: pd.DataFrame, batches: Sequence[RawBatch], sheet: str) -> None:
    surplus = {batch.first + place: cells for batch in batches for place, cells in batch.surplus.items()}
    names = extra_columns(max(map(len, surplus.values()), default=0))
    for at, name in enumerate(names):
        cells = [""] * len(frame)
        for ordinal, found in surplus.items():
            cells[ordinal] = found[at] if at < len(found) else ""
        frame[name] = pd.array(cells, dtype="str")
    if names and sheet:  # in a sheet it is a cell beside the table, in a text a surplus cell
        frame[SHEET_COLUMN] = sheet


def _found(batches: Iterable[RawBatch]) -> _Found:
    found: _Found = {}
    for batch in batches:
        rows = batch.rows if batch.issues else []
        for issue in batch.issues:
            found.setdefault(rows[issue.ordinal - batch.first], []).append(issue)
    return found


def _not_seen_again(frame: pd.DataFrame, found: _Found, settings: SourceSettings) -> _Found:
    """Leave out what a reader of the DataFrame finds in its cells again."""
    if not found:
        return found
    origin = FrameOrigin(frame, settings)
    again = _found(
        TableReader(origin, SourceSettings(limits=settings.limits), origin.name, header=origin.header).batches()
    )
    seen = {(row, issue.code, issue.column) for row, issues in again.items() for issue in issues}
    left = {row: [one for one in issues if (row, one.code, one.column) not in seen] for row, issues in found.items()}
    return {row: issues for row, issues in left.items() if issues}


def _add(frame: pd.DataFrame, held: _Found) -> None:
    if held:
        for name, texts in issue_columns(held, frame.index.tolist()).items():
            frame[name] = pd.array(texts, dtype="str")
