"""The first rows of a run or of a source as they were or would be sent, beside the cells that they came from.

Opens and sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from importer.core.batches import Checked, CheckedBatch, RawBatch
from importer.core.errors import ImporterError
from importer.core.issues import Severity
from importer.core.results import RowResult
from importer.core.sources import SourceInfo
from importer.core.states import RowState
from importer.journal import Journal, StoredRun
from importer.mapping import ColumnMapper, Table, build_mapper
from importer.profile import Profile
from importer.results import PreviewedField, PreviewedRow, shown
from importer.runs.rechecker import NO_SECRET, Rechecker
from importer.runs.wiring.clock import today
from importer.validation import Validator, policy_of


def preview(journal: Journal, stored: StoredRun, count: int, *, show_values: bool = False) -> tuple[PreviewedRow, ...]:
    """The first rows of a run as they were or would be sent.

    Args:
        show_values: False masks every value.
    """
    rechecker = Rechecker.of(journal, stored) if count else None
    if rechecker is None:
        return ()
    found: list[PreviewedRow] = []
    replay = journal.replay(stored.run)
    for batch in replay.batches():
        rows = [batch[place] for place in range(min(count - len(found), len(batch)))]
        found += (_previewed(rechecker, row, replay.payload(row.ordinal)) for row in rows)
        if len(found) >= count:
            break
    return tuple(_masked(one, show_values=show_values) for one in found)


def _masked(row: PreviewedRow, *, show_values: bool) -> PreviewedRow:
    fields = tuple(
        replace(
            one,
            before=shown(one.before, show_values=show_values),
            after=shown(one.after, show_values=show_values or not one.column),  # a constant is nobody's value
        )
        for one in row.fields
    )
    return replace(row, fields=fields)


def _previewed(rechecker: Rechecker, row: RowResult, payload: bytes) -> PreviewedRow:
    checked = Checked() if row.state is RowState.INVALID else rechecker.row(row.row, row.cells)
    body = {**(json.loads(payload) if payload else checked.body), **checked.after}
    seen = rechecker.mapper.seen(rechecker.batch(row.row, row.cells))
    fields = _fields(rechecker.mapper, [column[0] for column in seen.cells], body)
    errors = tuple(issue.message for issue in row.errors)
    return PreviewedRow(row.row, row.state.value, tuple(fields), errors)


def preview_of_source(
    profile: Profile, info: SourceInfo, sample: RawBatch | None, count: int, *, show_values: bool = False
) -> tuple[PreviewedRow, ...]:
    """The first rows of an open source as they would be sent; none where its columns make no customer.

    Args:
        sample: its first rows; they decide how its dates are read, where the profile does not.
    """
    if sample is None or not count:
        return ()
    day = today()
    try:
        table = Table.of(profile.transform, info, sample)
        mapper = build_mapper(profile.contract, profile.mapping, table, today=day, validation=profile.validation)
        mapper = mapper.without_steps(profile.after_create.steps_off)
        mapper.observe(sample)
        mapper.decide()
    except ImporterError:
        return ()
    validator = Validator(profile.contract, policy_of(profile.validation, day), secret=NO_SECRET, stamp="")
    checked = validator.check(mapper.map(sample))
    found = _of_sample(mapper, sample, checked, min(count, len(sample)))
    return tuple(_masked(one, show_values=show_values) for one in found)


def _of_sample(mapper: ColumnMapper, sample: RawBatch, checked: CheckedBatch, count: int) -> Iterator[PreviewedRow]:
    columns = mapper.seen(sample).cells
    for place in range(count):
        payload = checked.payloads[place]
        cells = [column[place] for column in columns]
        mine = (one for one in checked.issues if one.ordinal == sample.first + place)
        errors = tuple(issue.message for issue in mine if issue.severity is Severity.ERROR)
        state = RowState.INVALID if payload is None else RowState.VALID
        after = checked.after[place] if checked.after else None
        body = {**json.loads(payload or b"{}"), **json.loads(after or b"{}")}
        fields = _fields(mapper, cells, body)
        yield PreviewedRow(sample.rows[place], state.value, tuple(fields), errors)


def _fields(mapper: ColumnMapper, cells: Sequence[str], body: Mapping[str, Any]) -> Iterator[PreviewedField]:
    """Every field that has a value before or after."""
    after = mapper.contract.bodies.flat(body)
    for plan in mapper.plans:
        before = " / ".join(cells[index] for index in plan.indices if cells[index].strip())
        if before or after.get(plan.name):
            yield PreviewedField(plan.name, plan.column, before, after.get(plan.name, ""))
