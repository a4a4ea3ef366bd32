"""Date fields without a format: their columns are judged as a whole, and then read in one order. Guesses none."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Literal

from importer.core.errors import SourceError
from importer.core.sources import Detected
from importer.mapping.dates import REMEMBERED, Order, OrderEvidence, Parse, by_format, by_order
from importer.mapping.edits import Edit, as_date
from importer.mapping.judged_columns import JudgedColumns
from importer.mapping.plans import FieldPlan
from importer.mapping.text_columns import are_iso_dates

DateOrder = Literal["auto", "mdy", "dmy", "ymd"]
_YEARS_AHEAD = 49
"""Of dates that may be in the future (the expiry of a document)."""
_ORDER_WORDS = {"mdy": "month first", "dmy": "day first", "ymd": "year first"}


def date_columns(today: date) -> JudgedColumns[Order, OrderEvidence]:
    """Make what judges the date fields of one source.

    Args:
        today: the day that two-digit years are judged by.
    """
    return JudgedColumns(
        lambda plan: OrderEvidence(_latest(plan, today)),
        lambda plan, order: _remembered(by_order(order, _latest(plan, today))),
        _decided,
        are_iso_dates,
    )


def date_edit(plan: FieldPlan, form: str, today: date) -> Edit:
    """Make the step that reads dates of one `strptime` format."""
    return _remembered(by_format(form, _latest(plan, today)))


def _latest(plan: FieldPlan, today: date) -> date:
    """The latest day that a year of two digits can mean."""
    return date(min(today.year + _YEARS_AHEAD, date.max.year), 12, 31) if plan.in_future else today


def _remembered(parse: Parse) -> Edit:
    return lru_cache(maxsize=REMEMBERED)(as_date(parse))


def _decided(plan: FieldPlan, evidence: OrderEvidence, given: Order | None) -> Detected | None:
    """Word what was found out about one date column.

    Raises:
        SourceError: its dates contradict each other, or nothing decides how to read them.
    """
    bound = "less than 50 years in the future" if plan.in_future else "not in the future"
    years = f" two-digit years are the latest that are {bound}" if evidence.short_years else ""
    if given is not None:
        return Detected("date_order", f"{plan.column}: {_ORDER_WORDS[given]}", 1.0, years.strip())
    if len(evidence.proofs) > 1:
        raise SourceError(
            f"The dates in column '{plan.column}' contradict each other: {_proofs(evidence)}.", _fix(plan)
        )
    if evidence.choice is None and evidence.open_cells:
        raise SourceError(
            f"The dates in column '{plan.column}' can be read with the day or the month first, and no cell of the "
            f"column decides it (the first of them is in row {evidence.first_open}).",
            _fix(plan),
        )
    if evidence.choice is None:
        return None
    note = _proofs(evidence) + (";" + years if years else "")
    return Detected("date_order", f"{plan.column}: {_ORDER_WORDS[evidence.choice]}", 1.0, note)


def _proofs(evidence: OrderEvidence) -> str:
    return ", ".join(
        f"row {row} has the {_ORDER_WORDS[order]} ({why})" for order, (row, why) in evidence.proofs.items()
    )


def _fix(plan: FieldPlan) -> str:
    return (
        'Say which it is: validation.date_order = "mdy" (month first), "dmy" (day first) or "ymd" in the profile, '
        f'or IMPORTER_VALIDATION__DATE_ORDER=mdy, or a format for "{plan.name}" under [mapping].'
    )
