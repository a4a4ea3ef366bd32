"""The mapper: batches of columns in, batches of customer fields out. Columnar, since it is in every row's way.

A column that needs nothing done passes through as the very same list; everything else costs one look-up a row and
one edit per different text. Opens nothing, and says nothing of a cell but its row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Literal

from importer.customers.rules import FIELDS, Kind, field_spec
from importer.errors import SourceError
from importer.issue_codes.mapping import MAPPING_CODES
from importer.mapping.content import folded, known_words, understood_by
from importer.mapping.damage import PostalLengths, shortened_phones
from importer.mapping.dates import REMEMBERED, Order, OrderEvidence, Parse, by_format, by_order
from importer.mapping.edits import Edit, Flaw, as_date, chained, edits_of
from importer.mapping.source_cells import SHORTENED, FieldPlan, by_use, places_of, source_texts
from importer.mapping.transform import Transform
from importer.profile.kept import KeptProfile
from importer.profile.settings import FieldRule
from importer.records import ChangeColumn, Detected, Issue, MappedBatch, RawBatch

DateOrder = Literal["auto", "mdy", "dmy", "ymd"]
_ORDER_WORDS = {"mdy": "month first", "dmy": "day first", "ymd": "year first"}
MOST_WORDS = 20
"""Unmapped words that are listed for one field."""
_TYPE_WORDS = known_words(FIELDS["type"])


@dataclass(slots=True)
class _DateColumn:
    """A date field whose order is still open, or given."""

    plan: FieldPlan
    before: Edit | None
    evidence: OrderEvidence


@dataclass(slots=True)
class ColumnMapper:
    """Implements the port `Mapper` for one source.

    Args:
        plans: one for each field.
        notes: what was decided before any row was seen (matches, assumptions, drift).
        date_order: `auto` judges every date column as a whole.
        today: the day that two-digit years are judged by.
        transform: the user's own function, which rows go through first.
    """

    plans: Sequence[FieldPlan]
    notes: tuple[Detected, ...] = ()
    date_order: DateOrder = "auto"
    today: date = date.max
    transform: Transform | None = None
    unmapped_words: dict[str, list[str]] = field(default_factory=dict, repr=False)
    """To each field with a `map` the words that it does not know, as far as observed; cells, so never for a log."""
    _edits: dict[str, Edit] = field(default_factory=dict)
    _open_dates: list[_DateColumn] = field(default_factory=list)
    _orders: dict[str, Order | None] = field(default_factory=dict)
    _unchanged: dict[str, set[str]] = field(default_factory=dict)
    _postal: dict[int, PostalLengths] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for plan in self.plans:
            spec = field_spec(plan.name)
            steps = edits_of(plan.rule, understood_by(spec)) if plan.indices else []
            if spec is not None and spec.kind is Kind.DATE and plan.indices:
                self._prepare_date(plan, steps)
            elif steps:
                self._edits[plan.name] = chained(steps)
            if spec is not None and spec.kind is Kind.POSTAL and len(plan.indices) == 1:
                self._postal[plan.indices[0]] = PostalLengths()
            if plan.rule.map is not None and plan.indices:
                self.unmapped_words[plan.name] = []

    def _prepare_date(self, plan: FieldPlan, steps: list[Edit]) -> None:
        if plan.rule.format is not None:
            self._edits[plan.name] = chained([*steps, _remembered(by_format(plan.rule.format, self.today))])
        else:
            self._open_dates.append(_DateColumn(plan, chained(steps) if steps else None, OrderEvidence(self.today)))

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
        return dict(self._orders)

    def kept(self, settings: dict[str, Any]) -> KeptProfile:
        """What a run keeps of its profile, and of what was decided here over its whole source."""
        made = self.transform.makes if self.transform else ()
        return KeptProfile(settings=settings, rules=self.rules, orders=self.orders, columns=made)

    def settled_as(self, orders: Mapping[str, Order | None]) -> ColumnMapper:
        """Make the same mapper again with dates read as they were settled before; fields not in `orders` are open."""
        mapper = ColumnMapper(self.plans, self.notes, self.date_order, self.today, self.transform)
        for dates in mapper._open_dates:  # its own maker
            if dates.plan.name in orders:
                mapper._read_dates(dates, orders[dates.plan.name])
        return mapper

    def seen(self, batch: RawBatch) -> RawBatch:
        """Rows with the columns that rules look for: as the user's own function returns them, where there is one."""
        return batch if self.transform is None else self.transform(batch)

    def observe(self, batch: RawBatch) -> None:
        if not (self._open_dates or self._postal or self.unmapped_words):
            return
        batch = self.seen(batch)
        for dates in self._open_dates:
            texts, _ = source_texts(dates.plan, batch, bare=True)
            if dates.before is not None:
                texts = [text if isinstance(text, str) else text.text for text in map(dates.before, texts)]
            dates.evidence.observe(texts, batch.rows)
        for index, lengths in self._postal.items():
            lengths.observe(batch.cells[index])
        for plan in self.plans:
            if plan.name in self.unmapped_words:
                self._list_words(plan, batch)

    def _list_words(self, plan: FieldPlan, batch: RawBatch) -> None:
        words, edit = self.unmapped_words[plan.name], self._edits[plan.name]
        texts, _ = source_texts(plan, batch, bare=True)
        for text in dict.fromkeys(texts):
            unknown = edit(text) == Flaw("value_unmapped")
            if unknown and text.strip() not in words and len(words) < MOST_WORDS:
                words.append(text.strip())

    def settle(self) -> bool:
        if self.date_order == "auto" and not all(dates.evidence.settled for dates in self._open_dates):
            return False
        self._settle_dates()
        return True

    def _settle_dates(self) -> None:
        for dates in self._open_dates:
            order = dates.evidence.order if self.date_order == "auto" else self.date_order
            if dates.plan.name not in self._orders or self._orders[dates.plan.name] != order:
                self._read_dates(dates, order)

    def _read_dates(self, dates: _DateColumn, order: Order | None) -> None:
        last = _remembered(by_order(order, self.today))
        self._edits[dates.plan.name] = chained([dates.before, last]) if dates.before else last
        self._orders[dates.plan.name] = order
        self._unchanged.pop(dates.plan.name, None)

    def decide(self) -> tuple[Detected, ...]:
        found = list(self.notes)
        for dates in self._open_dates:
            note = _decided(dates.plan, dates.evidence, self.date_order)
            found += [note] if note else []
        self._settle_dates()
        damaged = {plan.column: self._postal[plan.indices[0]].verdict() for plan in self.plans if self._is_postal(plan)}
        return (*found, *(Detected("damage", column, 0.8, note) for column, note in damaged.items() if note))

    def _is_postal(self, plan: FieldPlan) -> bool:
        return bool(plan.indices) and plan.indices[0] in self._postal

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what is decided, and nothing that was seen: the copy maps rows, and observes none."""
        return _settled, (self.plans, self.today, dict(self._orders), self.transform)

    @property
    def settled_on(self) -> tuple[object, ...]:
        return tuple(self._orders.items())

    def map(self, batch: RawBatch) -> MappedBatch:
        fields: dict[str, Sequence[str]] = {}
        issues: list[Issue] = []
        changes: list[ChangeColumn] = []
        seen = self.seen(batch)
        for plan in self.plans:
            if plan.indices:
                fields[plan.name] = self._filled(plan, seen, issues, changes)
        for plan in self.plans:
            if not plan.indices:
                fields[plan.name] = _constant(plan, fields, len(batch))
        raw = by_use(batch, self.plans, self._keep_types_apart(fields), frozenset(seen.issues))
        found = tuple(sorted(issues, key=lambda issue: issue.ordinal))
        return MappedBatch(raw, fields, self.columns, found, tuple(changes), seen.cells)

    def _filled(
        self, plan: FieldPlan, batch: RawBatch, issues: list[Issue], changes: list[ChangeColumn]
    ) -> Sequence[str]:
        edit, unchanged = self._edits.get(plan.name), self._unchanged.setdefault(plan.name, set())
        texts, changed = source_texts(plan, batch, bare=edit is not None)
        changes += [changed] if changed else []
        if edit is not None and not unchanged.issuperset(texts):
            texts, flaws = _edited(texts, edit, unchanged)
            issues += _issues(plan, flaws, batch.first)
        spec = field_spec(plan.name)
        if spec is not None and spec.kind is Kind.PHONE:
            said = places_of(SHORTENED, plan, batch)
            lost = {place: "phone_digits_lost" for place in shortened_phones(texts) if place not in said}
            issues += _issues(plan, lost, batch.first)
        return texts

    def _keep_types_apart(self, fields: dict[str, Sequence[str]]) -> Sequence[str]:
        """Blank what both types share in the rows of the other type.

        Returns:
            The type of each row, "" where it cannot be read; nothing where the types share no column.
        """
        shared = [plan for plan in self.plans if plan.only_for is not None]
        if not shared:
            return ()
        meanings = {text: _TYPE_WORDS.get(folded(text), "") for text in set(fields["type"])}
        types = [meanings[text] for text in fields["type"]]
        for plan in shared:
            texts = fields[plan.name]
            fields[plan.name] = [
                text if kind == plan.only_for or not kind else "" for text, kind in zip(texts, types, strict=True)
            ]
        return types


def _settled(
    plans: Sequence[FieldPlan], today: date, orders: Mapping[str, Order | None], transform: Transform | None
) -> ColumnMapper:
    """Make a mapper again that reads dates in the orders that were settled."""
    return ColumnMapper(plans, today=today, transform=transform).settled_as(orders)


def _remembered(parse: Parse) -> Edit:
    return lru_cache(maxsize=REMEMBERED)(as_date(parse))


def _edited(texts: Sequence[str], edit: Edit, unchanged: set[str]) -> tuple[list[str], dict[int, str]]:
    """Edit every different text once; the flaws by their place in the batch, and what stayed as it is remembered."""
    table: dict[str, str] = {}
    flawed: dict[str, str] = {}
    for text in set(texts):
        result = edit(text)
        if isinstance(result, Flaw):
            table[text], flawed[text] = result.text, result.code
        else:
            table[text] = result
    if len(unchanged) < REMEMBERED:
        unchanged.update(text for text, result in table.items() if text == result and text not in flawed)
    flaws = {place: flawed[text] for place, text in enumerate(texts) if text in flawed} if flawed else {}
    return [table[text] for text in texts], flaws


def _issues(plan: FieldPlan, flaws: Mapping[int, str], first: int) -> list[Issue]:
    spec = field_spec(plan.name)
    label = spec.label if spec else plan.name
    made: list[Issue] = []
    for place, code in flaws.items():
        entry = MAPPING_CODES[code]
        message = entry.message.format(label=label)
        made.append(Issue(first + place, code, message, plan.name, plan.column, entry.severity))
    return made


def _constant(plan: FieldPlan, fields: Mapping[str, Sequence[str]], rows: int) -> list[str]:
    value = plan.rule.value or ""
    anchors = [fields[name] for name in plan.only_with if name in fields]
    if not anchors:
        return [value] * rows
    return [value if "".join(row).strip() else "" for row in zip(*anchors, strict=True)]


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
            f"The dates in column '{plan.column}' contradict each other: {_proofs(evidence)}.", _mend(plan)
        )
    if evidence.order is None and evidence.open_cells:
        raise SourceError(
            f"The dates in column '{plan.column}' can be read with the day or the month first, and no cell of the "
            f"column decides it (the first of them is in row {evidence.first_open}).",
            _mend(plan),
        )
    if evidence.order is None:
        return None
    note = _proofs(evidence) + (";" + years if years else "")
    return Detected("date_order", f"{plan.column}: {_ORDER_WORDS[evidence.order]}", 1.0, note)


def _proofs(evidence: OrderEvidence) -> str:
    return ", ".join(
        f"row {row} has the {_ORDER_WORDS[order]} ({why})" for order, (row, why) in evidence.proofs.items()
    )


def _mend(plan: FieldPlan) -> str:
    return (
        'Say which it is: validation.date_order = "mdy" (month first), "dmy" (day first) or "ymd" in the profile, '
        f'or IMPORTER_VALIDATION__DATE_ORDER=mdy, or a format for "{plan.name}" under [mapping].'
    )
