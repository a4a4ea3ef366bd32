"""What the columns of a field hold before a rule reads them, and what a flaw of a cell means where it is used. Pure.

A cell that shows an error of a spreadsheet program, or whose formula was never calculated, holds nothing. That is an
error of its row where a field is filled from it, and only worth a warning where none is. The same goes for long numbers
whose last digits a program dropped, where the field is one of which every digit counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from operator import is_
from typing import Any

import pyarrow.compute as pc

from importer.customers.rules import Kind
from importer.customers.text import unprotected
from importer.mapping.plans import FieldPlan
from importer.mapping.text_columns import Column, blanked, joined, places_where, replaced, texts_of
from importer.records import ChangeColumn, Issue, RawBatch, Severity

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
    standing: AbstractSet[Issue] | None = None,
) -> RawBatch:
    """Give every flaw of a cell the field that uses it, and the severity that it has there.

    Args:
        types: the customer type of each row where both types share columns, "" where it cannot be read; None: they
            share none.
        standing: issues of cells that are mapped as they stand in the source; None: all are.
    """
    if not any(issue.code in _BY_USE for issue in batch.issues):
        return batch
    kinds = [""] * len(batch) if types is None else types.tolist()
    issues: list[Issue] = []
    for issue in batch.issues:
        using = plans if standing is None or issue in standing else ()
        issues += _by_use(issue, using, kinds[issue.ordinal - batch.first])
    return replace(batch, issues=tuple(issues))


def _by_use(issue: Issue, plans: Sequence[FieldPlan], kind: str) -> Iterator[Issue]:
    if issue.code not in _BY_USE:
        yield issue
        return
    users = [plan for plan in plans if issue.column in plan.sources and plan.only_for in (None, kind or plan.only_for)]
    harmed = [plan for plan in users if issue.code in NO_VALUE or plan.kind in _EVERY_DIGIT_COUNTS]
    for plan in harmed:
        yield replace(issue, field=plan.name, column=plan.column, severity=Severity.ERROR)
    if not harmed:
        yield replace(issue, severity=Severity.WARNING)


def places_of(codes: AbstractSet[str], columns: Sequence[str], batch: RawBatch) -> list[int]:
    """Find the places in a batch whose cells of some columns have some kinds of flaw."""
    return [one.ordinal - batch.first for one in batch.issues if one.code in codes and one.column in columns]


# --------------------------------------------------------------------------- texts of cells


def source_texts(plan: FieldPlan, batch: RawBatch, *, bare: bool) -> tuple[Column[Any], ChangeColumn | None]:
    """Return a field's texts, one a row: the very same column where one has nothing that must be left out.

    Args:
        bare: whether to take away what protects texts from spreadsheets, since a step of the rule reads them. Several
            columns that are joined are always bare.

    Returns:
        The texts, and what was taken away.
    """
    columns = [_without_errors(name, batch) for name in plan.sources]
    read = [_bare(column) for column in columns] if bare or len(columns) > 1 else columns
    after = joined(read, plan.rule.join)
    if all(map(is_, columns, read)):
        return after, None
    return after, _change(plan, joined(columns, plan.rule.join), after, batch.first)


def _without_errors(name: str, batch: RawBatch) -> Column[Any]:
    column = batch.frame[name]
    bad = places_of(NO_VALUE, (name,), batch)
    return blanked(column, bad) if bad else column


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
