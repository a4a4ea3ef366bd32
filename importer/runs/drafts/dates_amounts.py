"""How the dates and amounts in the file of a draft are written: each column is judged over the whole file."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from importer.core.batches import RawBatch
from importer.core.contract import Contract, Kind
from importer.core.errors import SourceError
from importer.core.ports import Reader
from importer.journal import Draft
from importer.mapping import ColumnMapper, FieldPlan, Verdict, column_words, plans
from importer.profile import Profile
from importer.profile.mapping_rules import FieldRule
from importer.runs.drafts.drafts import DraftService
from importer.runs.drafts.profiles import all_rules, words_key
from importer.runs.drafts.reading import opened, read_key, table_of
from importer.runs.wiring.clock import today

_JUDGED = (Kind.DATE, Kind.AMOUNT)


@dataclass(frozen=True, slots=True)
class WayView:
    """How a column of dates or amounts is read.

    Args:
        found: in words (`month first`); empty: it needs no deciding, or could not be decided.
        evidence: which row shows it.
        problem: why it cannot be read, and what to choose; empty: it can.
    """

    field: str
    column: str
    kind: Kind
    found: str
    evidence: str
    problem: str


def ways_of(service: DraftService, draft: Draft, profile: Profile) -> list[WayView]:
    """Judge every column of dates and amounts; the words of all columns are counted in the same pass over the file.

    Args:
        profile: with what was chosen for checking.

    Raises:
        SourceError: the file cannot be read as was chosen.
        ProfileError: what was chosen does not fit the file.
    """
    contract, checks, table = profile.contract, profile.validation, table_of(service, draft)
    rules = all_rules(service, draft, table)
    judged = {name: rule for name, rule in rules.items() if _kind(contract, name) in _JUDGED}

    def look() -> list[WayView]:
        planned = list(plans(contract, judged, table.info.columns))
        mapper = ColumnMapper(contract, planned, (), checks.date_order, today(), table.transform, checks.decimal)
        with opened(service, draft) as reader:
            batches = _observed(mapper, reader)
            service.remembered(words_key(draft), lambda: column_words(table, batches))
            deque(batches, maxlen=0)  # to the end, where the words were known already
        return [_way(plan, verdict) for plan, verdict in mapper.verdicts()]

    said = json.dumps({name: as_written(rule) for name, rule in judged.items()})
    return service.remembered(("ways", *read_key(draft), said, checks.date_order, checks.decimal), look)


def _observed(mapper: ColumnMapper, reader: Reader) -> Iterator[RawBatch]:
    for batch in reader.batches():
        mapper.observe(batch)
        yield batch


def _kind(contract: Contract, name: str) -> Kind | None:
    spec = contract.spec(name)
    return spec.kind if spec else None


def _way(plan: FieldPlan, verdict: Verdict) -> WayView:
    kind = plan.kind or Kind.DATE
    if isinstance(verdict, SourceError):
        return WayView(plan.name, plan.column, kind, "", "", verdict.message)
    if verdict is None:
        return WayView(plan.name, plan.column, kind, "", "", "")
    return WayView(plan.name, plan.column, kind, verdict.value.removeprefix(f"{plan.column}: "), verdict.note, "")


def as_written(rule: FieldRule) -> JsonValue:
    """A rule as a profile has it: the name of its column alone, or a table."""
    given: dict[str, JsonValue] = rule.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    return given["column"] if list(given) == ["column"] else given
