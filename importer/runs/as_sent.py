"""Rows as they were or would be sent, beside the cells that they came from.

A run keeps the cells, the mapping that was used and how it read dates, and so a row is mapped and checked again, alone,
exactly as the run did it: what each rule altered is worked out when somebody asks, and is kept nowhere.
Opens and sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from importer.core.batches import Checked, CheckedBatch, RawBatch
from importer.core.errors import ImporterError
from importer.core.frames import raw_batch
from importer.core.issues import Issue, Severity
from importer.core.results import RowResult
from importer.core.sources import Grouping, SourceInfo
from importer.core.states import RowState
from importer.journal import Journal, StoredRun
from importer.mapping import ColumnMapper, Table, build_mapper, grouping_of
from importer.profile import Profile
from importer.results import PreviewedField, PreviewedRow, shown
from importer.runs.preconditions import kept_profile
from importer.runs.wiring.clock import today
from importer.validation import Validator, policy_of

_NO_SECRET = b"nobody keeps this key"


@dataclass(frozen=True, slots=True)
class Rechecker:
    """The mapping and the checks of one run, put together again.

    Args:
        columns: the source's.
    """

    mapper: ColumnMapper
    validator: Validator
    columns: tuple[str, ...]

    @classmethod
    def of(cls, journal: Journal, stored: StoredRun, secret: bytes | None = None) -> Rechecker | None:
        """Put them together from what a run has kept.

        Args:
            secret: the workspace's key for import keys; None: bodies bear no stamp.

        Returns:
            None where that cannot be done: an earlier program kept no mapping, or this one no longer understands it.
        """
        try:
            kept = kept_profile(stored)
            if kept is None or not kept.rules:
                return None
            profile = Profile().recalled(kept.settings, stored.header.run_id)
            summary = journal.runs.summary(stored.run)
            day = datetime.fromtimestamp(stored.header.started_at, UTC).date()
            info = SourceInfo(summary.source, "", summary.columns, summary.sheet)
            table = Table.of(profile.transform, info, makes=kept.columns)
            mapper = build_mapper(profile.contract, kept.rules, table, today=day, validation=profile.validation)
            grouping = grouping_of(profile.contract, profile.grouping, mapper.rules, table.info.columns)
        except ImporterError:
            return None
        stamp = profile.delivery.import_key_metadata if secret else ""
        validator = _validator(profile, day, secret, stamp, grouping)
        return cls(mapper.settled_as(kept.orders), validator, info.columns)

    def check(self, batch: RawBatch) -> CheckedBatch:
        """Map and check rows."""
        return self.validator.check(self.mapper.map(batch))

    def batch(self, row: int, cells: Sequence[str], reading: Sequence[Issue] = ()) -> RawBatch:
        """One row as a batch; arguments as of `row`."""
        return raw_batch(0, [row], [[cell] for cell in cells], tuple(reading), names=self.columns)

    def row(self, row: int, cells: Sequence[str], reading: Sequence[Issue] = ()) -> Checked:
        """Check one row.

        Args:
            reading: what reading itself found wrong with it.
        """
        checked = self.check(self.batch(row, cells, reading))
        payload = checked.payloads[0]
        return Checked(json.loads(payload) if payload else {}, checked.keys[0] or "", tuple(checked.changes))


def _validator(
    profile: Profile, day: date, secret: bytes | None, stamp: str, grouping: Grouping | None = None
) -> Validator:
    policy = policy_of(profile.validation, day)
    return Validator(profile.contract, policy, secret=secret or _NO_SECRET, stamp=stamp, grouping=grouping)


# --------------------------------------------------------------------------- previews


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
    if payload:
        body = json.loads(payload)
    else:
        body = {} if row.state is RowState.INVALID else rechecker.row(row.row, row.cells).body
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
        mapper.observe(sample)
        mapper.decide()
    except ImporterError:
        return ()
    checked = _validator(profile, day, None, "").check(mapper.map(sample))
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
        fields = _fields(mapper, cells, json.loads(payload) if payload else {})
        yield PreviewedRow(sample.rows[place], state.value, tuple(fields), errors)


def _fields(mapper: ColumnMapper, cells: Sequence[str], body: Mapping[str, Any]) -> Iterator[PreviewedField]:
    """Every field that has a value before or after."""
    after = mapper.contract.bodies.flat(body)
    for plan in mapper.plans:
        before = " / ".join(cells[index] for index in plan.indices if cells[index].strip())
        if before or after.get(plan.name):
            yield PreviewedField(plan.name, plan.column, before, after.get(plan.name, ""))
