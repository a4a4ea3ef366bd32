"""Batches as tests write them down: results row by row, customer fields column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from importer.core.batches import MappedBatch, RawBatch
from importer.core.frames import text_frame
from importer.core.issues import Issue, IssueCollector
from importer.core.results import ResultBatch, RowResult


def result_batch(
    results: Sequence[RowResult], follow_up: Mapping[str, Sequence[str]] = MappingProxyType({})
) -> ResultBatch:
    """Turn rows into columns; there is at least one row, and all are as wide.

    Args:
        follow_up: as of `ResultBatch`.
    """
    first, found = results[0].ordinal, IssueCollector()
    for ordinal, one in enumerate(results, first):
        for issue in (*one.errors, *one.warnings):
            found.add(ordinal, issue.kind)
    names = [f"column {number}" for number in range(1, len(results[0].cells) + 1)]
    columns = list(zip(*[one.cells for one in results], strict=True))
    return ResultBatch(
        first=first,
        frame=text_frame(names, columns, [one.row for one in results]),
        states=[one.state for one in results],
        customer_ids=[one.customer_id for one in results],
        keys=[one.key for one in results],
        external_ids=[one.external_id for one in results],
        http_statuses=[one.http_status for one in results],
        trace_ids=[one.trace_id for one in results],
        attempts=[one.attempts for one in results],
        issues=found.log(),
        candidates={place: one.candidates for place, one in enumerate(results) if one.candidates},
        surplus={place: one.surplus for place, one in enumerate(results) if one.surplus},
        follow_up=follow_up,
    )


def mapped_batch(
    raw: RawBatch,
    fields: Mapping[str, Sequence[str]],
    columns: Mapping[str, str],
    issues: Sequence[Issue] = (),
) -> MappedBatch:
    """Make a batch of customer fields of columns of texts.

    Args:
        fields: dotted name to its texts.
        columns: dotted name to the source column(s) it came from.
    """
    frame = text_frame(list(fields), list(fields.values()), raw.rows)
    return MappedBatch(raw, frame, columns, issues)
