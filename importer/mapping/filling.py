"""One field of a batch is filled: from its columns, or with a constant. What goes wrong is an issue of its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from importer.core.batches import ChangeColumn
from importer.core.contract import FieldTable, Kind
from importer.core.issue_codes.mapping import MAPPING_CODES
from importer.core.issues import IssueCollector, IssueKind
from importer.mapping.content import folded, known_words
from importer.mapping.damage import shortened_phones
from importer.mapping.edits import Edit
from importer.mapping.plans import FieldPlan
from importer.mapping.source_cells import SHORTENED, SourceColumns
from importer.mapping.text_columns import Column, are_iso_dates, as_column, constant, edited, filled


@dataclass(slots=True)
class Filling:
    """The fields of one batch, as they are filled.

    Args:
        fields: those of the contract.
        source: the columns that rules look for.
    """

    fields: FieldTable
    source: SourceColumns
    columns: dict[str, Column[Any]] = field(default_factory=dict)
    issues: IssueCollector = field(default_factory=IssueCollector)
    changes: list[ChangeColumn] = field(default_factory=list)

    def from_columns(self, plan: FieldPlan, edit: Edit | None) -> None:
        """Fill a field from its columns.

        Args:
            edit: the steps of its rule; None: the texts stay as they are.
        """
        column, changed = self.source.texts(plan, bare=edit is not None)
        self.changes += [changed] if changed else []
        if edit is not None and not (plan.kind is Kind.DATE and are_iso_dates(column)):
            column, flaws = edited(column, edit)
            for code, places in flaws.items():
                self._report(plan, code, places.tolist())
        if plan.kind is Kind.PHONE and (lost := shortened_phones(column)):
            said = set(self.source.flawed({SHORTENED}, plan.sources))
            self._report(plan, "phone_digits_lost", [place for place in lost if place not in said])
        self.columns[plan.name] = column

    def _report(self, plan: FieldPlan, code: str, places: Sequence[int]) -> None:
        entry, first = MAPPING_CODES[code], self.source.batch.first
        message = entry.message.format(label=self.fields.label(plan.name))
        kind = IssueKind(code, message, plan.name, plan.column, entry.severity)
        self.issues.add_all([first + place for place in places], kind)

    def with_constant(self, plan: FieldPlan) -> None:
        """Fill a field with its constant; where it belongs to others, only in rows that have one of them."""
        value = constant(plan.rule.value or "", self.source.batch.frame)
        masks = [filled(self.columns[name]) for name in plan.only_with if name in self.columns]
        if masks:
            some = masks[0]
            for mask in masks[1:]:
                some = pc.or_(some, mask)
            value = as_column(pc.if_else(some, plan.rule.value or "", "").cast(pa.large_string()), value)
        self.columns[plan.name] = value

    def keep_types_apart(self, plans: Sequence[FieldPlan]) -> Column[Any] | None:
        """Blank what both types share in the rows of the other type.

        Returns:
            The type of each row, "" where it cannot be read; None where the types share no column.
        """
        shared = [plan for plan in plans if plan.only_for is not None]
        if not shared:
            return None
        name = self.fields.type_field
        words = known_words(self.fields.sent[name])
        types, _ = edited(self.columns[name], lambda text: words.get(folded(text), ""))
        unread = types == ""
        for plan in shared:
            self.columns[plan.name] = self.columns[plan.name].where((types == plan.only_for) | unread, "")
        return types
