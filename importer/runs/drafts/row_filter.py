"""Which rows of a draft a person wants to see. Reads nothing but rows that are held in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from importer.core.issues import IssueKind, Severity
from importer.core.results import ResultBatch
from importer.runs.drafts.corrected_rows import CorrectedRows

Show = Literal["all", "failing", "warnings", "corrected", "duplicates", "left_out"]
_FEW = 10_000
"""Of no more rows than this, each is searched by itself; of more, whole columns are."""


class ClusterKey(NamedTuple):
    """What the issues of one cluster have in common."""

    code: str
    field: str = ""
    column: str = ""

    @classmethod
    def of(cls, kind: IssueKind) -> ClusterKey:
        """The cluster that an issue belongs to."""
        return cls(kind.code, kind.field, kind.column)


@dataclass(frozen=True, slots=True)
class RowFilter:
    """Which rows; all conditions have to hold.

    Args:
        show: by what is wrong with them, or was done to them.
        cluster: rows with an issue of it; None: whatever is wrong.
        text: rows with a cell that contains it, in any case of letters; empty: all.
        kept: numbers of rows that are shown all the same: whoever has just corrected one still looks at it.
    """

    show: Show = "failing"
    cluster: ClusterKey | None = None
    text: str = ""
    kept: tuple[int, ...] = ()


def places_of(rows: CorrectedRows, wanted: RowFilter) -> Sequence[int]:
    """Find rows; returns their places, ascending."""
    found = rows.found.get(wanted)
    if found is None:
        found = rows.found[wanted] = _places(rows, wanted)
    return found


def _places(rows: CorrectedRows, wanted: RowFilter) -> Sequence[int]:
    found = _shown(rows, wanted.show)
    if wanted.cluster is not None:
        of_cluster = set(rows.with_issue(lambda kind: ClusterKey.of(kind) == wanted.cluster))
        found = [place for place in found if place in of_cluster]
    if wanted.text:
        found = _with_text(rows, found, wanted.text.lower())
    kept = {place for number in wanted.kept if (place := rows.checked.place(number)) is not None}
    return sorted(kept.union(found)) if kept else found


def _shown(rows: CorrectedRows, show: Show) -> Sequence[int]:
    if show == "all":
        return range(len(rows.checked.numbers))
    if show == "corrected":
        return sorted(rows.corrected_places)
    if show == "left_out":
        return sorted(rows.left_out)
    codes = rows.checked.checks.duplicate_codes
    tests: dict[str, Callable[[IssueKind], bool]] = {
        "failing": lambda kind: kind.severity is Severity.ERROR,
        "warnings": lambda kind: kind.severity is Severity.WARNING,
        "duplicates": lambda kind: kind.code in codes,
    }
    return rows.with_issue(tests[show])


def _with_text(rows: CorrectedRows, places: Sequence[int], text: str) -> Sequence[int]:
    if len(places) <= _FEW:
        return _holding(rows, places, text)
    found = {place for stretch in rows.checked.stretches for place in _searched(stretch, text)}
    again = sorted({*rows.changed, *rows.checked.with_surplus})  # what no column of a stretch has
    found = found.difference(rows.changed).union(_holding(rows, again, text))
    return [place for place in places if place in found]


def _searched(stretch: ResultBatch, text: str) -> Iterator[int]:
    """The places of the rows of a stretch with a cell that contains a text."""
    holds = np.zeros(len(stretch), dtype=bool)
    for at in range(stretch.frame.shape[1]):
        holds |= stretch.frame.iloc[:, at].str.contains(text, case=False, regex=False).to_numpy(bool)
    return (stretch.first + int(place) for place in np.flatnonzero(holds))


def _holding(rows: CorrectedRows, places: Sequence[int], text: str) -> list[int]:
    """Those of some rows with a cell that contains a text, which is in small letters."""
    found = zip(places, rows.rows(places), strict=True)
    return [place for place, row in found if any(text in cell.lower() for cell in (*row.cells, *row.surplus))]
