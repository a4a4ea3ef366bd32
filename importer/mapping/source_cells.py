"""What the columns of a field hold before a rule reads them, and what a flaw of a cell means where it is used. Pure.

A cell that shows an error of a spreadsheet program, or whose formula was never calculated, holds nothing. That is an
error of its row where a field is filled from it, and only worth a warning where none is. The same goes for long numbers
whose last digits a program dropped, where the field is one of which every digit counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from operator import is_

from importer.customers.rules import CustomerType, Kind, field_spec
from importer.customers.text import may_be_protected, unprotected
from importer.profile.settings import FieldRule
from importer.records import ChangeColumn, Issue, RawBatch, Severity

NO_VALUE = frozenset({"cell_error", "formula_without_value"})
SHORTENED = "number_shortened"
PROTECTION_REMOVED = "protection_removed"
_BY_USE = NO_VALUE | {SHORTENED}
_EVERY_DIGIT_COUNTS = frozenset({Kind.REFERENCE, Kind.PHONE})


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """How one field is filled.

    Args:
        name: the API's dotted name.
        rule: the profile's rule.
        indices: places of its columns in the source; empty for a constant.
        column: the columns' names, for messages.
        only_for: the customer type whose rows get it, where both types share a column; None: all rows.
        only_with: fields one of which must be filled for a constant to be given; empty: every row gets it.
        sources: the columns' names, one by one, in the order of `indices`.
    """

    name: str
    rule: FieldRule
    indices: tuple[int, ...] = ()
    column: str = ""
    only_for: CustomerType | None = None
    only_with: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


# --------------------------------------------------------------------------- flaws of cells, by their use


def by_use(
    batch: RawBatch, plans: Sequence[FieldPlan], types: Sequence[str] = (), standing: AbstractSet[Issue] | None = None
) -> RawBatch:
    """Give every flaw of a cell the field that uses it, and the severity that it has there.

    Args:
        types: the customer type of each row where both types share columns; "" where it cannot be read.
        standing: issues of cells that are mapped as they stand in the source; None: all are.
    """
    if not any(issue.code in _BY_USE for issue in batch.issues):
        return batch
    issues = [
        settled
        for issue in batch.issues
        for settled in _by_use(
            issue,
            plans if standing is None or issue in standing else (),
            types[issue.ordinal - batch.first] if types else "",
        )
    ]
    return replace(batch, issues=tuple(issues))


def _by_use(issue: Issue, plans: Sequence[FieldPlan], kind: str) -> Iterator[Issue]:
    if issue.code not in _BY_USE:
        yield issue
        return
    users = [plan for plan in plans if issue.column in plan.sources and plan.only_for in (None, kind or plan.only_for)]
    harmed = [plan for plan in users if issue.code in NO_VALUE or _needs_every_digit(plan)]
    for plan in harmed:
        yield replace(issue, field=plan.name, column=plan.column, severity=Severity.ERROR)
    if not harmed:
        yield replace(issue, severity=Severity.WARNING)


def _needs_every_digit(plan: FieldPlan) -> bool:
    spec = field_spec(plan.name)
    return spec is not None and spec.kind in _EVERY_DIGIT_COUNTS


def places_of(code: str, plan: FieldPlan, batch: RawBatch) -> frozenset[int]:
    """Find the places in a batch whose cells, used by a field, have one kind of flaw."""
    return frozenset(
        issue.ordinal - batch.first for issue in batch.issues if issue.code == code and issue.column in plan.sources
    )


# --------------------------------------------------------------------------- texts of cells


def source_texts(plan: FieldPlan, batch: RawBatch, *, bare: bool) -> tuple[Sequence[str], ChangeColumn | None]:
    """Return a field's texts, one a row: the very same list where a column has nothing that must be left out.

    Args:
        bare: whether to take away what protects texts from spreadsheets, since a step of the rule reads them. Several
            columns that are joined are always bare.

    Returns:
        The texts, and what was taken away.
    """
    columns = [_without_errors(plan, i, batch) for i in range(len(plan.indices))]
    read = [_bare(column) for column in columns] if bare or len(columns) > 1 else columns
    after = _joined(plan, read)
    if all(map(is_, columns, read)):
        return after, None
    return after, _change(plan, _joined(plan, columns), after, batch.first)


def _joined(plan: FieldPlan, columns: Sequence[Sequence[str]]) -> Sequence[str]:
    if len(columns) == 1:
        return columns[0]
    joint, rows = plan.rule.join, zip(*columns, strict=True)
    return [joint.join([cell.strip() for cell in row if cell and not cell.isspace()]) for row in rows]


def _without_errors(plan: FieldPlan, i: int, batch: RawBatch) -> Sequence[str]:
    texts = batch.cells[plan.indices[i]]
    first, name = batch.first, plan.sources[i]
    bad = [one.ordinal - first for one in batch.issues if one.code in NO_VALUE and one.column == name]
    if not bad:
        return texts
    kept = list(texts)
    for place in bad:
        kept[place] = ""
    return kept


def _change(plan: FieldPlan, before: Sequence[str], after: Sequence[str], first: int) -> ChangeColumn | None:
    places = [place for place, text in enumerate(after) if text != before[place]]
    if not places:
        return None
    ordinals = [first + place for place in places]
    texts = [before[place] for place in places], [after[place] for place in places]
    return ChangeColumn(PROTECTION_REMOVED, plan.name, plan.column, ordinals, *texts)


def _bare(texts: Sequence[str]) -> Sequence[str]:
    return [bare_text(text) for text in texts] if may_be_protected(texts) else texts


def bare_text(text: str) -> str:
    """Take from one cell what protects it from spreadsheets; other cells stay as they are, spaces included."""
    trimmed = text.strip()
    return unprotected(trimmed) if trimmed[:1] in ("'", "=") else text
