"""A row that came back and is checked again, alone or as a part of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from importer.core.batches import CheckedBatch, RawBatch
from importer.core.frames import raw_batch, text_frame
from importer.core.issues import Issue
from importer.core.results import ResultBatch, RowResult
from importer.core.states import RowState
from importer.journal import Revision
from importer.runs.returns.file import Changed


@dataclass(slots=True)
class ReturnedRow:
    """A row that is checked again.

    Args:
        was: the row as the run has it.
        cells: all of its cells as they are now.
        surplus: its cells beyond the source's columns.
        reading: what reading found wrong with it.
        payload: the body to send; None: it cannot be sent.
        after: what it brings for steps after its create; empty: nothing.
        leader: the ordinal of the row that speaks for its business; None: it is a customer of its own.
        issues: what checking found.
    """

    was: RowResult
    cells: tuple[str, ...]
    surplus: tuple[str, ...]
    reading: tuple[Issue, ...]
    payload: bytes | None = None
    after: bytes = b""
    key: str | None = None
    external_id: str = ""
    leader: int | None = None
    issues: list[Issue] = field(default_factory=list)

    def revision(self, state: RowState) -> Revision:
        """Return the change of the row that the journal is to write."""
        was = self.was
        issues = tuple(self.issues)
        return Revision(was.ordinal, was.state, state, self.cells, self.surplus, leader=self.leader, issues=issues)

    def refuse(self, issue: Issue) -> None:
        """Add an error: the row cannot be sent."""
        self.issues.append(issue)
        self.payload = None


def overlaid(batch: ResultBatch, changed: Mapping[int, Changed]) -> pd.DataFrame:
    """Return the rows of a batch with those that came back changed."""
    here = [ordinal for ordinal in range(batch.first, batch.first + len(batch)) if ordinal in changed]
    if not here:
        return batch.frame
    columns = [list(column) for column in batch.cells]
    for ordinal in here:
        for column, text in zip(columns, changed[ordinal].cells, strict=True):
            column[ordinal - batch.first] = text
    return text_frame(list(batch.frame.columns), columns, batch.rows)


def as_batch(part: Sequence[ReturnedRow], first: int, names: Sequence[str]) -> RawBatch:
    """Return rows from anywhere in the run as one batch.

    Args:
        first: the place of the first one among all rows that are checked again.
        names: the source's columns.
    """
    cells = list(zip(*[one.cells for one in part], strict=True))
    issues = [replace(issue, ordinal=first + at) for at, one in enumerate(part) for issue in one.reading]
    return raw_batch(first, [one.was.row for one in part], cells, tuple(issues), names=names)


def take_over(checked: CheckedBatch, part: Sequence[ReturnedRow], first: int) -> None:
    """Write into rows what checking them as a batch has found; arguments as of `as_batch`."""
    for place, one in enumerate(part):
        one.payload, one.key, one.external_id = (
            checked.payloads[place],
            checked.keys[place],
            checked.external_ids[place],
        )
        one.after = (checked.after[place] if checked.after else None) or b""
    for issue in checked.issues:
        one = part[issue.ordinal - first]
        one.issues.append(replace(issue, ordinal=one.was.ordinal))
