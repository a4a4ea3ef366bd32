"""All cells of a column that are alike are corrected at once: looked at first, then as one change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from importer.core.errors import UsageError
from importer.core.labels import did_you_mean, named, quotable
from importer.journal import Draft
from importer.results.failing import masked, pointed_at
from importer.runs.drafts.corrected_rows import CorrectedRows
from importer.runs.drafts.correcting import corrections_of, keep, place_of, require_text
from importer.runs.drafts.drafts import DraftService

_SHOWN = 20


class SetTo(NamedTuple):
    """Every cell gets this text."""

    text: str

    def __call__(self, _: str) -> str:
        """The text of a cell after it."""
        return self.text


class Replace(NamedTuple):
    """Every place of a cell that holds one text gets another there."""

    text: str
    by: str

    def __call__(self, before: str) -> str:
        """The text of a cell after it."""
        return before.replace(self.text, self.by) if self.text else before


class Alike(NamedTuple):
    """Cells of one column that are alike.

    Args:
        row: the number of the row that others are compared with.
        code: cells with an issue of this code are alike; empty: those that hold the same text.
    """

    row: int
    column: str
    code: str = ""


class AlikeCell(NamedTuple):
    """One cell that would be corrected."""

    row: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class AlikePreview:
    """What would be corrected.

    Args:
        count: how many cells.
        alike: how many cells are alike, those that would stay as they are among them.
        cells: the first of those that would be corrected.
    """

    count: int
    alike: int
    cells: Sequence[AlikeCell]


def alike(
    service: DraftService, draft: str, cells: Alike, change: SetTo | Replace, *, show_values: bool = True
) -> AlikePreview:
    """Show what correcting all cells that are alike would do.

    Args:
        show_values: False masks every cell.

    Raises:
        UsageError: there is no such cell, or a text cannot be one; or as of `DraftService.rows_of`.
    """
    now = service.rows_of(service.find(draft))
    places = _alike(now, cells)
    changed = _changed(service, now, places, cells.column, change)
    shown = [AlikeCell(now.checked.numbers[place], before, after) for place, before, after in changed[:_SHOWN]]
    if not show_values:
        shown = [AlikeCell(row, masked(before), masked(after)) for row, before, after in shown]
    return AlikePreview(len(changed), len(places), shown)


def correct_alike(
    service: DraftService, draft: str, cells: Alike, change: SetTo | Replace, *, by: str, seen: int | None = None
) -> Draft:
    """Correct all cells that are alike, as one change; arguments and errors as of `alike` and `correcting.correct`."""
    found = service.editable(draft, seen)
    now = service.rows_of(found)
    changed = _changed(service, now, _alike(now, cells), cells.column, change)
    made = corrections_of(now, {place: {cells.column: after} for place, _, after in changed})
    return keep(service, found, made, by, "corrected alike")


def _changed(
    service: DraftService, now: CorrectedRows, places: Sequence[int], column: str, change: SetTo | Replace
) -> list[tuple[int, str, str]]:
    """The places of the cells that get another text, with the text of before and after."""
    at, most = now.checked.columns[column], service.profile.source.limits.max_cell_chars
    cells = [(place, row.cells[at]) for place, row in zip(places, now.rows(places), strict=True)]
    changed = [(place, before, change(before)) for place, before in cells]
    for _, _, after in changed:
        require_text(after, most)
    return [one for one in changed if one[1] != one[2]]


def _alike(now: CorrectedRows, cells: Alike) -> Sequence[int]:
    """The places of the rows whose cells are alike, ascending."""
    columns, place = now.checked.columns, place_of(now, cells.row)
    if cells.column not in columns:
        near = did_you_mean(cells.column, quotable(columns))
        raise UsageError(f"There is no column {named(cells.column)}{near}")
    if not cells.code:
        [row] = now.rows([place])
        return list(_same_text(now, cells.column, row.cells[columns[cells.column]]))
    at = columns[cells.column]
    return now.with_issue(lambda kind: kind.code == cells.code and at in pointed_at(kind.column, columns))


def _same_text(now: CorrectedRows, column: str, text: str) -> Iterator[int]:
    at = now.checked.columns[column]
    changed = {place: one.row.cells[at] == text for place, one in now.changed.items()}
    then = {place for place in now.checked.holding(column, text) if place not in changed}
    return iter(sorted(then.union(place for place, same in changed.items() if same)))
