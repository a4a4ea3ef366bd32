"""Date fields without a format: their columns are judged as a whole, and then read in one order. Guesses none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from importer.core.errors import SourceError
from importer.core.sources import Detected
from importer.mapping.dates import REMEMBERED, Order, OrderEvidence, Parse, by_format, by_order
from importer.mapping.edits import Edit, as_date, chained
from importer.mapping.plans import FieldPlan
from importer.mapping.source_cells import SourceColumns
from importer.mapping.text_columns import Column, are_iso_dates, edited

DateOrder = Literal["auto", "mdy", "dmy", "ymd"]
_ORDER_WORDS = {"mdy": "month first", "dmy": "day first", "ymd": "year first"}


def date_edit(form: str, today: date) -> Edit:
    """Make the step that reads dates of one `strptime` format."""
    return _remembered(by_format(form, today))


def _remembered(parse: Parse) -> Edit:
    return lru_cache(maxsize=REMEMBERED)(as_date(parse))


@dataclass(slots=True)
class _DateColumn:
    """A date field whose order is still open, or given."""

    plan: FieldPlan
    before: Edit | None
    evidence: OrderEvidence

    def observe(self, source: SourceColumns) -> None:
        column, _ = source.texts(self.plan, bare=True)
        if self.before is not None:
            column, _ = edited(column, self.before)
        if not are_iso_dates(column):
            self.evidence.observe(column.unique().tolist(), lambda text: _first_row(column, text))


def _first_row(column: Column[Any], text: str) -> int:
    return int(column.index[int((column == text).argmax())])


@dataclass(slots=True)
class DateColumns:
    """The date fields of one source that name no format.

    Args:
        given: `auto` judges every column as a whole.
        today: the day that two-digit years are judged by.
        orders: the order in which each field is read, as far as settled; None: none was needed.
        edits: to each field of `orders` the step that reads it.
    """

    given: DateOrder
    today: date
    orders: dict[str, Order | None] = field(default_factory=dict)
    edits: dict[str, Edit] = field(default_factory=dict)
    _columns: list[_DateColumn] = field(default_factory=list)

    def add(self, plan: FieldPlan, before: Edit | None) -> None:
        """Take a field.

        Args:
            before: the steps of its rule that come first.
        """
        self._columns.append(_DateColumn(plan, before, OrderEvidence(self.today)))

    def __len__(self) -> int:
        return len(self._columns)

    def observe(self, source: SourceColumns) -> None:
        """See a batch."""
        for one in self._columns:
            one.observe(source)

    @property
    def settled(self) -> bool:
        """Whether every date seen so far can be read already."""
        return self.given != "auto" or all(one.evidence.settled for one in self._columns)

    def settle(self) -> None:
        """Read every column in the order that is proved by now, or given."""
        for one in self._columns:
            order = one.evidence.order if self.given == "auto" else self.given
            if one.plan.name not in self.orders or self.orders[one.plan.name] != order:
                self._read(one, order)

    def settle_as(self, orders: Mapping[str, Order | None]) -> None:
        """Read columns in orders that were settled before; fields not in `orders` stay open."""
        for one in self._columns:
            if one.plan.name in orders:
                self._read(one, orders[one.plan.name])

    def _read(self, one: _DateColumn, order: Order | None) -> None:
        last = _remembered(by_order(order, self.today))
        self.edits[one.plan.name] = chained([one.before, last]) if one.before else last
        self.orders[one.plan.name] = order

    def decided(self) -> list[Detected]:
        """Word what was found out.

        Raises:
            SourceError: the dates of a column contradict each other, or nothing decides how to read them.
        """
        return [note for one in self._columns if (note := _decided(one.plan, one.evidence, self.given))]


def _decided(plan: FieldPlan, evidence: OrderEvidence, given: DateOrder) -> Detected | None:
    """Word what was found out about one date column.

    Raises:
        SourceError: its dates contradict each other, or nothing decides how to read them.
    """
    years = " two-digit years are the latest that are not in the future" if evidence.short_years else ""
    if given != "auto":
        return Detected("date_order", f"{plan.column}: {_ORDER_WORDS[given]}", 1.0, years.strip())
    if len(evidence.proofs) > 1:
        raise SourceError(
            f"The dates in column '{plan.column}' contradict each other: {_proofs(evidence)}.", _fix(plan)
        )
    if evidence.order is None and evidence.open_cells:
        raise SourceError(
            f"The dates in column '{plan.column}' can be read with the day or the month first, and no cell of the "
            f"column decides it (the first of them is in row {evidence.first_open}).",
            _fix(plan),
        )
    if evidence.order is None:
        return None
    note = _proofs(evidence) + (";" + years if years else "")
    return Detected("date_order", f"{plan.column}: {_ORDER_WORDS[evidence.order]}", 1.0, note)


def _proofs(evidence: OrderEvidence) -> str:
    return ", ".join(
        f"row {row} has the {_ORDER_WORDS[order]} ({why})" for order, (row, why) in evidence.proofs.items()
    )


def _fix(plan: FieldPlan) -> str:
    return (
        'Say which it is: validation.date_order = "mdy" (month first), "dmy" (day first) or "ymd" in the profile, '
        f'or IMPORTER_VALIDATION__DATE_ORDER=mdy, or a format for "{plan.name}" under [mapping].'
    )
