"""The rows of a draft that are, or may be, one customer: side by side. Changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from importer.core.issue_codes import all_codes
from importer.core.issue_codes.checking import DUPLICATE_IN_FILE
from importer.core.issues import Severity
from importer.runs.drafts.corrected_rows import CorrectedRows
from importer.runs.drafts.drafts import DraftService
from importer.runs.drafts.fixing import RowView, view_rows

_MOST_SHOWN = 20
"""Rows of one group that are shown; all are counted."""


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Rows that are, or may be, one customer.

    Args:
        code: of the issue that they have.
        rows: the first of them.
        count: how many there are.
        differing: the places of the columns in which the rows shown differ.
    """

    code: str
    severity: Severity
    title: str
    rows: Sequence[RowView]
    count: int
    differing: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DuplicatesPage:
    """Some of the groups, those that keep rows out first.

    Args:
        first: how many of them come before.
        total: how many there are.
    """

    columns: tuple[str, ...]
    groups: Sequence[DuplicateGroup]
    first: int
    total: int


def duplicates(
    service: DraftService, draft: str, first: int = 0, count: int = 20, *, show_values: bool = True
) -> DuplicatesPage:
    """Show the rows of a draft that are, or may be, one customer.

    Args:
        first: how many groups are left out before them.
        show_values: False masks every cell.

    Raises:
        UsageError: there is no such draft, or as of `DraftService.rows_of`.
    """
    now = service.rows_of(service.find(draft))
    groups = _groups(now)
    shown = [_view(now, code, places, show_values=show_values) for code, places in groups[first : first + count]]
    return DuplicatesPage(tuple(now.checked.columns), shown, first, len(groups))


def _groups(now: CorrectedRows) -> list[tuple[str, Sequence[int]]]:
    """The groups, each with its code: those of one import key first, which keep rows out, then in the order of rows."""
    places, checks = now.possible_duplicates, now.checked.checks
    alike = {kind: one.code for kind, one in checks.contract.identity.likenesses.items() if one.code}
    keys: dict[int, str | None] = {}
    found: dict[tuple[str, str | int], list[int]] = defaultdict(list)
    for place, verdict in zip(places, now.verdicts(places), strict=True):
        keys[place] = verdict.key
        if verdict.key and checks.duplicates != "allow":
            found[DUPLICATE_IN_FILE.code, verdict.key].append(place)
        for kind, number in verdict.likenesses.items():
            if kind in alike:
                found[alike[kind], number].append(place)
    groups = [(code, group) for (code, _), group in found.items() if _is_shown(code, group, keys)]
    return sorted(groups, key=lambda one: (one[0] != DUPLICATE_IN_FILE.code, one[1][0], one[0]))


def _is_shown(code: str, group: Sequence[int], keys: Mapping[int, str | None]) -> bool:
    """Whether rows are several, and not shown as rows with one import key already."""
    same = {keys[place] for place in group}
    return len(group) > 1 and (code == DUPLICATE_IN_FILE.code or len(same) > 1 or None in same)


def _view(now: CorrectedRows, code: str, places: Sequence[int], *, show_values: bool) -> DuplicateGroup:
    few = places[:_MOST_SHOWN]
    entry = all_codes(now.checked.checks.contract.codes)[code]
    columns = zip(*(row.cells for row in now.rows(few)), strict=True)
    differing = tuple(at for at, texts in enumerate(columns) if len(set(texts)) > 1)
    shown = [view if show_values else view.masked() for view in view_rows(now, few)]
    return DuplicateGroup(code, entry.severity, entry.title, shown, len(places), differing)
