"""The mapper: batches of the source's columns in, batches of customer fields out. Columns are pandas' own.

A column that needs nothing done passes through without a copy; everything else costs one edit per different text.
Opens nothing, and reports nothing of a cell but its row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from importer.core.batches import MappedBatch, RawBatch
from importer.core.contract import Contract, Kind
from importer.core.sources import Detected
from importer.mapping.amount_columns import DecimalSign, SignEvidence, amount_columns
from importer.mapping.amounts import Sign
from importer.mapping.content import understood_by
from importer.mapping.damage import PostalLengths
from importer.mapping.date_columns import DateOrder, date_columns, date_edit
from importer.mapping.dates import Order, OrderEvidence
from importer.mapping.edits import Edit, Flaw, chained, edits_of
from importer.mapping.filling import Filling
from importer.mapping.judged_columns import JudgedColumns, Verdict
from importer.mapping.notes import not_used, without_steps
from importer.mapping.plans import FieldPlan
from importer.mapping.source_cells import SourceColumns, by_use
from importer.mapping.transform import Transform
from importer.profile.kept import KeptProfile
from importer.profile.mapping_rules import FieldRule

MOST_WORDS = 20
"""Unmapped words that are listed for one field."""


@dataclass(slots=True)
class ColumnMapper:
    """Implements the port `Mapper` for one source.

    Args:
        contract: what the records are.
        plans: one for each field.
        notes: what was decided before any row was seen (matches, assumptions, drift).
        date_order: `auto` judges every date column as a whole.
        today: the day that two-digit years are judged by.
        transform: the user's own function, which rows go through first.
        decimal: `auto` judges every column of amounts as a whole.
    """

    contract: Contract
    plans: Sequence[FieldPlan]
    notes: tuple[Detected, ...] = ()
    date_order: DateOrder = "auto"
    today: date = date.max
    transform: Transform | None = None
    decimal: DecimalSign = "auto"
    unmapped_words: dict[str, list[str]] = field(default_factory=dict, repr=False)
    """To each field with a `map` the words that it does not know, as far as observed; cells, so never for a log."""
    _edits: dict[str, Edit] = field(default_factory=dict)
    _dates: JudgedColumns[Order, OrderEvidence] = field(init=False)
    _amounts: JudgedColumns[Sign, SignEvidence] = field(default_factory=amount_columns, init=False)
    _postal: dict[FieldPlan, PostalLengths] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._dates = date_columns(self.today)
        for plan in self.plans:
            if plan.indices:
                self._prepare(plan)

    def _prepare(self, plan: FieldPlan) -> None:
        steps = edits_of(plan.rule, understood_by(self.contract, plan.name))
        if plan.kind is Kind.AMOUNT or (plan.kind is Kind.DATE and plan.rule.format is None):
            self._judge(plan, chained(steps) if steps else None)
            return
        if plan.kind is Kind.DATE and plan.rule.format is not None:
            steps.append(date_edit(plan, plan.rule.format, self.today))
        if plan.kind is Kind.POSTAL and len(plan.indices) == 1:
            self._postal[plan] = PostalLengths()
        if plan.rule.map is not None:
            self.unmapped_words[plan.name] = []
        if steps:
            self._edits[plan.name] = chained(steps)

    def _judge(self, plan: FieldPlan, before: Edit | None) -> None:
        if plan.kind is Kind.AMOUNT:
            self._amounts.add(plan, plan.rule.decimal or self.decimal, before)
        else:
            self._dates.add(plan, self.date_order, before)

    # ------------------------------------------------------------------ what it is

    @property
    def columns(self) -> dict[str, str]:
        """To each field the source column(s) it comes from; "" for a constant."""
        return {plan.name: plan.column for plan in self.plans}

    @property
    def rules(self) -> dict[str, FieldRule]:
        """The rule of every field, whoever made it: the profile, or the match of the columns' names."""
        return {plan.name: plan.rule for plan in self.plans}

    @property
    def orders(self) -> dict[str, Order | None]:
        """The order in which each date field without a format is read, as far as settled; None: none was needed."""
        return dict(self._dates.choices)

    @property
    def decimals(self) -> dict[str, Sign | None]:
        """The decimal sign by which each amount is read, as far as settled; None: none was needed."""
        return dict(self._amounts.choices)

    def kept(self, settings: dict[str, Any]) -> KeptProfile:
        """What a run keeps of its profile, and of what was decided here over its whole source."""
        made = self.transform.makes if self.transform else ()
        return KeptProfile(
            settings=settings, rules=self.rules, orders=self.orders, decimals=self.decimals, columns=made
        )

    def settled_as(self, orders: Mapping[str, Order | None], decimals: Mapping[str, Sign | None]) -> ColumnMapper:
        """Make the same mapper again with dates and amounts read as they were settled before.

        Fields that are not named are open.
        """
        mapper = ColumnMapper(
            self.contract, self.plans, self.notes, self.date_order, self.today, self.transform, self.decimal
        )
        mapper._dates.settle_as(orders)  # its own maker
        mapper._amounts.settle_as(decimals)
        return mapper

    def without_steps(self, off: Collection[str], *, updates: bool = False) -> ColumnMapper:
        """Make the same mapper again without the fields of some steps after the create, and say so.

        Args:
            off: the names of the steps.
            updates: customers are updated, and none is created.
        """
        gone = [step for step in self.contract.fields.steps(self.columns) if step in off]
        if not gone:
            return self
        said = (Detected("step_off", step, 1.0, not_used(step, updates=updates)) for step in gone)
        notes = (*without_steps(self.notes, gone), *said)
        specs = {plan.name: self.contract.spec(plan.name) for plan in self.plans}
        left = [plan for plan in self.plans if (spec := specs[plan.name]) is None or spec.step not in gone]
        ways = self.date_order, self.today, self.transform, self.decimal
        return ColumnMapper(self.contract, left, notes, *ways)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what is decided, and nothing that was seen: the copy maps rows, and observes none."""
        return _settled, (self.contract, self.plans, self.today, self.transform, (self.orders, self.decimals))

    # ------------------------------------------------------------------ whole columns

    def seen(self, batch: RawBatch) -> RawBatch:
        """Rows with the columns that rules look for: as the user's own function returns them, where there is one."""
        return batch if self.transform is None else self.transform(batch)

    def observe(self, batch: RawBatch) -> None:
        if not (self._dates or self._amounts or self._postal or self.unmapped_words):
            return
        source = SourceColumns(self.seen(batch))
        self._dates.observe(source)
        self._amounts.observe(source)
        for plan, lengths in self._postal.items():
            lengths.observe(source.batch.frame[plan.sources[0]])
        for plan in self.plans:
            if plan.name in self.unmapped_words:
                self._list_words(plan, source)

    def _list_words(self, plan: FieldPlan, source: SourceColumns) -> None:
        words, edit = self.unmapped_words[plan.name], self._edits[plan.name]
        column, _ = source.texts(plan, bare=True)
        for text in column.unique().tolist():
            unknown = edit(text) == Flaw("value_unmapped")
            if unknown and text.strip() not in words and len(words) < MOST_WORDS:
                words.append(text.strip())

    def settle(self) -> bool:
        if not (self._dates.settled and self._amounts.settled):
            return False
        self._dates.settle()
        self._amounts.settle()
        return True

    @property
    def settled_on(self) -> tuple[object, ...]:
        return (*self._dates.choices.items(), *self._amounts.choices.items())

    def decide(self) -> tuple[Detected, ...]:
        found = [*self.notes, *self._dates.decided(), *self._amounts.decided()]
        self._dates.settle()
        self._amounts.settle()
        damaged = {plan.column: lengths.verdict() for plan, lengths in self._postal.items()}
        return (*found, *(Detected("damage", column, 0.8, note) for column, note in damaged.items() if note))

    def verdicts(self) -> list[tuple[FieldPlan, Verdict]]:
        """What `decide` finds out about each column of dates or amounts, or why it refuses it; settles nothing."""
        return [*self._dates.verdicts(), *self._amounts.verdicts()]

    # ------------------------------------------------------------------ batches

    def map(self, batch: RawBatch) -> MappedBatch:
        seen = self.seen(batch)
        filling = Filling(self.contract.fields, SourceColumns(seen))
        edits = {**self._edits, **self._dates.edits, **self._amounts.edits}
        for plan in self.plans:
            if plan.indices:
                filling.from_columns(plan, edits.get(plan.name))
        for plan in self.plans:
            if not plan.indices:
                filling.with_constant(plan)
        remaining = seen.issues if self.transform else None
        raw = by_use(batch, self.plans, filling.keep_types_apart(self.plans), remaining)
        frame = pd.DataFrame(filling.columns, index=batch.frame.index, copy=False)
        return MappedBatch(raw, frame, self.columns, filling.issues.log(), tuple(filling.changes), seen.frame)


def _settled(
    contract: Contract,
    plans: Sequence[FieldPlan],
    today: date,
    transform: Transform | None,
    ways: tuple[Mapping[str, Order | None], Mapping[str, Sign | None]],
) -> ColumnMapper:
    """Make a mapper again that reads dates and amounts in the ways that were settled."""
    return ColumnMapper(contract, plans, today=today, transform=transform).settled_as(*ways)
