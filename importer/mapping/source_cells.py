"""What the columns of a field hold before a rule reads them, and what a flaw of a cell means where it is used. Pure.

A cell that shows an error of a spreadsheet program, or whose formula was never calculated, holds nothing. That is an
error of its row where a field is filled from it, and only worth a warning where none is. The same goes for long numbers
whose last digits a program dropped, where the field is one of which every digit counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from operator import is_
from typing import Any

import pyarrow.compute as pc

from importer.core.batches import ChangeColumn, RawBatch
from importer.core.contract import Kind
from importer.core.contract.text import unprotected
from importer.core.issues import Issue, IssueCollector, IssueKind, IssueLog, Severity
from importer.mapping.plans import FieldPlan
from importer.mapping.text_columns import Column, blanked, joined, places_where, replaced, texts_of

NO_VALUE = frozenset({"cell_error", "formula_without_value"})
SHORTENED = "number_shortened"
PROTECTION_REMOVED = "protection_removed"
_BY_USE = NO_VALUE | {SHORTENED}
_EVERY_DIGIT_COUNTS = frozenset({Kind.REFERENCE, Kind.PHONE})


# --------------------------------------------------------------------------- flaws of cells, by their use


def by_use(
    batch: RawBatch,
    plans: Sequence[FieldPlan],
    types: Column[Any] | None = None,
    remaining: Sequence[Issue] | None = None,
) -> RawBatch:
    """Give every flaw of a cell the field that uses it, and the severity that it has there.

    Args:
        types: the customer type of each row where both types share columns, "" where it cannot be read; None: they
            share none.
        remaining: issues of cells that are mapped as they are in the source; None: all are.
    """
    log = IssueLog.of(batch.issues)
    if not any(kind.code in _BY_USE for kind in log.kinds):
        return batch
    kinds = [""] * len(batch) if types is None else types.tolist()
    still = None if remaining is None else {(issue.ordinal, issue.kind) for issue in remaining}
    settled: dict[tuple[int, bool, str], Sequence[IssueKind]] = {}
    found = IssueCollector()
    for ordinal, number in zip(log.ordinals, log.which, strict=True):
        remains = still is None or (ordinal, log.kinds[number]) in still
        case = number, remains, kinds[ordinal - batch.first]
        if case not in settled:
            settled[case] = _settled(log.kinds[number], plans if remains else (), case[2])
        for kind in settled[case]:
            found.add(ordinal, kind)
    return replace(batch, issues=found.log())


def _settled(found: IssueKind, plans: Sequence[FieldPlan], kind: str) -> Sequence[IssueKind]:
    """What an issue is for the fields that use its cell.

    Args:
        kind: the customer type of its row.
    """
    if found.code not in _BY_USE:
        return (found,)
    users = [plan for plan in plans if found.column in plan.sources and plan.only_for in (None, kind or plan.only_for)]
    harmed = [plan for plan in users if found.code in NO_VALUE or plan.kind in _EVERY_DIGIT_COUNTS]
    errors = [found._replace(field=plan.name, column=plan.column, severity=Severity.ERROR) for plan in harmed]
    return errors or (found._replace(severity=Severity.WARNING),)


# --------------------------------------------------------------------------- texts of cells


class SourceColumns:
    """The columns of a batch that rules look for, without the cells that hold nothing."""

    def __init__(self, batch: RawBatch) -> None:
        self.batch = batch
        self._flaws: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for found in IssueLog.of(batch.issues).columns() if batch.issues else ():
            if found.kind.code in _BY_USE:
                self._flaws[found.kind.code, found.kind.column] += [one - batch.first for one in found.ordinals]

    def flawed(self, codes: AbstractSet[str], columns: Collection[str]) -> list[int]:
        """The places whose cells of some columns have some kinds of flaw."""
        return [
            place
            for (code, column), places in self._flaws.items()
            if code in codes and column in columns
            for place in places
        ]

    def column(self, name: str) -> Column[Any]:
        """One column; the very same where all of its cells hold what they show."""
        column = self.batch.frame[name]
        bad = self.flawed(NO_VALUE, (name,)) if self._flaws else ()
        return blanked(column, bad) if bad else column

    def texts(self, plan: FieldPlan, *, bare: bool) -> tuple[Column[Any], ChangeColumn | None]:
        """Return a field's texts, one a row: the very same column where one has nothing that must be left out.

        Args:
            bare: whether to take away what protects texts from spreadsheets, since a step of the rule reads them.
                Several columns that are joined are always bare.

        Returns:
            The texts, and what was taken away.
        """
        columns = [self.column(name) for name in plan.sources]
        read = [_bare(column) for column in columns] if bare or len(columns) > 1 else columns
        after = joined(read, plan.rule.join)
        if all(map(is_, columns, read)):
            return after, None
        return after, _change(plan, joined(columns, plan.rule.join), after, self.batch.first)


def _change(plan: FieldPlan, before: Column[Any], after: Column[Any], first: int) -> ChangeColumn | None:
    differs = (before != after).to_numpy()
    if not differs.any():
        return None
    ordinals = [first + int(place) for place in differs.nonzero()[0]]
    texts = before[differs].tolist(), after[differs].tolist()
    return ChangeColumn(PROTECTION_REMOVED, plan.name, plan.column, ordinals, *texts)


def _bare(column: Column[Any]) -> Column[Any]:
    trimmed = pc.utf8_ltrim_whitespace(texts_of(column))
    marked = places_where(pc.or_(pc.starts_with(trimmed, "'"), pc.starts_with(trimmed, "=")))
    return replaced(column, marked, bare_text) if len(marked) else column


def bare_text(text: str) -> str:
    """Take from one cell what protects it from spreadsheets; other cells stay as they are, spaces included."""
    trimmed = text.strip()
    if trimmed[:1] not in ("'", "="):
        return text
    bare = unprotected(trimmed)
    return text if bare == trimmed else bare
