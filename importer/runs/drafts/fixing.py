"""The rows of a draft, page by page, with what is wrong with each cell, and how to fix it. Changes nothing.

Rows are those of the draft's last check, with the corrections made since laid over them and checked again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from importer.core.columns import extra_columns
from importer.core.corrections import Correction
from importer.core.issue_codes import all_codes
from importer.core.issues import Severity
from importer.journal import Change, Draft
from importer.results import clusters as clusters_of
from importer.results.clusters import advise
from importer.results.failing import masked, pointed_at
from importer.runs.drafts.checked_rows import Row
from importer.runs.drafts.corrected_rows import CorrectedRows
from importer.runs.drafts.drafts import DraftService
from importer.runs.drafts.row_filter import ClusterKey, RowFilter, places_of

_FAILING, _LEFT_OUT = RowFilter(), RowFilter("left_out")


class Problem(NamedTuple):
    """One thing wrong with a cell, or with a row as a whole."""

    severity: Severity
    code: str
    message: str


class CellView(NamedTuple):
    """One cell.

    Args:
        original: what the source holds; None: it is not corrected.
    """

    text: str
    original: str | None = None
    problems: tuple[Problem, ...] = ()

    def masked(self) -> CellView:
        """The same cell without its texts."""
        return self._replace(text=masked(self.text), original=None if self.original is None else masked(self.original))


@dataclass(frozen=True, slots=True)
class RowView:
    """One row.

    Args:
        row: its number in the spreadsheet.
        state: `left_out`: its cells were corrected to blank ones, so it is not read.
        extra: its cells beyond the columns, called `_extra_1`, `_extra_2`, …
        problems: what is wrong with the row as a whole.
    """

    row: int
    state: Literal["valid", "invalid", "left_out"]
    cells: tuple[CellView, ...]
    extra: tuple[CellView, ...] = ()
    problems: tuple[Problem, ...] = ()

    def masked(self) -> RowView:
        """The same row without the texts of its cells."""
        return replace(
            self, cells=tuple(one.masked() for one in self.cells), extra=tuple(one.masked() for one in self.extra)
        )


@dataclass(frozen=True, slots=True)
class RowsPage:
    """Some of the rows that were asked for.

    Args:
        first: how many of them come before.
        total: how many there are.
        is_checked: whether every correction was part of the last check; if not, check again to be sure.
    """

    columns: tuple[str, ...]
    rows: Sequence[RowView]
    first: int
    total: int
    is_checked: bool


@dataclass(frozen=True, slots=True)
class ClusterView:
    """All issues of one kind in one column.

    Args:
        message: the sentence about one of the rows.
        fix: how to fix all of them in the file; empty where only the profile can be changed.
        count: rows that have it.
    """

    key: ClusterKey
    severity: Severity
    title: str
    message: str
    fix: str
    in_profile: str
    count: int


@dataclass(frozen=True, slots=True)
class FixingCounts:
    """How far the fixing is.

    Args:
        rows: those of the last check.
        corrected: rows with cells that are read as another text.
        left_out: rows that are not read, those among them that the last check did not read either.
        is_checked: as of `RowsPage`.
    """

    rows: int
    failing: int
    warnings: int
    corrected: int
    cells: int
    left_out: int
    is_checked: bool


def rows(
    service: DraftService,
    draft: str,
    first: int = 0,
    count: int = 100,
    wanted: RowFilter = _FAILING,
    *,
    show_values: bool = True,
) -> RowsPage:
    """Show some rows of a draft.

    Args:
        first: how many of the wanted rows are left out before them.
        show_values: False masks every cell.

    Raises:
        UsageError: there is no such draft, or as of `DraftService.rows_of`.
    """
    found = service.find(draft)
    now = service.rows_of(found)
    if wanted == _LEFT_OUT:
        every = _left_out(now)
        views, total = every[first : first + count], len(every)
    else:
        places = places_of(now, wanted)
        views, total = view_rows(now, list(places[first : first + count])), len(places)
    shown = views if show_values else [view.masked() for view in views]
    return RowsPage(tuple(now.checked.columns), shown, first, total, _is_checked(found))


def _left_out(now: CorrectedRows) -> list[RowView]:
    """Every row that is left out, in order; of those that the last check did not read, what corrections know."""
    gone = [
        RowView(number, "left_out", tuple(_gone(cells.get(name)) for name in now.checked.columns))
        for number, cells in now.gone.items()
    ]
    return sorted([*view_rows(now, now.left_out), *gone], key=lambda view: view.row)


def _gone(one: Correction | None) -> CellView:
    return CellView("") if one is None else CellView(one.after, one.before)


def view_rows(now: CorrectedRows, places: Sequence[int]) -> list[RowView]:
    """Show rows.

    Args:
        places: ascending.
    """
    return [_view(now, place, row) for place, row in zip(places, now.rows(places), strict=True)]


def _view(now: CorrectedRows, place: int, row: Row) -> RowView:
    columns = now.checked.checks.columns
    of_cells, of_row = _problems(now, place)
    issues = [one for found in (*of_cells.values(), of_row) for one in found]
    invalid = any(one.severity is Severity.ERROR for one in issues)
    names = extra_columns(len(row.surplus))
    return RowView(
        now.checked.numbers[place],
        "left_out" if row.is_blank else "invalid" if invalid else "valid",
        tuple(
            CellView(text, now.original(place, name), tuple(of_cells.get(at, ())))
            for at, (name, text) in enumerate(zip(columns, row.cells, strict=True))
        ),
        tuple(CellView(text, now.original(place, name)) for name, text in zip(names, row.surplus, strict=True)),
        tuple(of_row),
    )


def _problems(now: CorrectedRows, place: int) -> tuple[Mapping[int, list[Problem]], list[Problem]]:
    """What is wrong with the cells of a row, by the place of their column, and with the row as a whole."""
    of_cells, of_row = defaultdict[int, list[Problem]](list), list[Problem]()
    for issue in now.issues.between(place, place + 1):
        problem = Problem(issue.severity, issue.code, issue.message)
        columns = pointed_at(issue.column, now.checked.columns)
        for at in columns:
            of_cells[at].append(problem)
        if not columns:
            of_row.append(problem)
    return of_cells, of_row


def _is_checked(draft: Draft) -> bool:
    return draft.edits == draft.facts.checked_edits


def clusters(service: DraftService, draft: str) -> list[ClusterView]:
    """The issues of a draft's rows, grouped: errors before warnings, the most frequent first; errors as of `rows`."""
    now = service.rows_of(service.find(draft))
    contract, issues = now.checked.checks.contract, now.issues
    batches = (
        replace(stretch, issues=issues.between(stretch.first, stretch.first + len(stretch)))
        for stretch in now.checked.stretches
    )
    codes = all_codes(contract.codes)
    found = ((one, advise(one, codes)) for one in clusters_of(contract, batches))
    return [
        ClusterView(
            ClusterKey(one.code, one.field, one.column),
            one.severity,
            advice.title,
            one.message,
            advice.in_file,
            advice.in_profile,
            one.count,
        )
        for one, advice in found
    ]


def counts(service: DraftService, draft: str) -> FixingCounts:
    """Count the rows of a draft by how they are; errors as of `rows`."""
    found = service.find(draft)
    now = service.rows_of(found)
    return FixingCounts(
        rows=len(now.checked.numbers),
        failing=len(places_of(now, RowFilter("failing"))),
        warnings=len(places_of(now, RowFilter("warnings"))),
        corrected=len(now.corrected_places),
        cells=sum(one.before != one.after for cells in now.corrections.values() for one in cells.values()),
        left_out=len(now.left_out) + len(now.gone),
        is_checked=_is_checked(found),
    )


def changes(service: DraftService, draft: str) -> list[Change]:
    """Every change of a draft's cells, the newest first, those that were undone too."""
    with service.opened() as drafts:
        return drafts.changes(draft)
