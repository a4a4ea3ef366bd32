"""The mapping and the checks of a run, put together again: a row is checked alone, exactly as its run did it.

A run keeps the cells, the mapping that was used and how it read dates: what each rule changed is worked out when
somebody asks, and is kept nowhere. Opens and sends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from importer.core.batches import Checked, CheckedBatch, RawBatch
from importer.core.errors import ImporterError
from importer.core.frames import raw_batch
from importer.core.issues import Issue
from importer.core.sources import SourceInfo
from importer.journal import Journal, StoredRun
from importer.mapping import ColumnMapper, Table, build_mapper, grouping_of
from importer.profile import Profile
from importer.runs.kept_profile import kept_profile
from importer.validation import Validator, policy_of

NO_SECRET = b"nobody keeps this key"
"""For import keys that are not shown to anybody."""


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
        """Put together what a run has kept.

        Args:
            secret: the workspace's key for import keys; None: bodies get no stamp.

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
        stamp, policy = profile.delivery.import_key_metadata if secret else "", policy_of(profile.validation, day)
        validator = Validator(profile.contract, policy, secret=secret or NO_SECRET, stamp=stamp, grouping=grouping)
        return cls(mapper.settled_as(kept.orders, kept.decimals), validator, info.columns)

    def check(self, batch: RawBatch) -> CheckedBatch:
        """Map and check rows."""
        return self.validator.check(self.mapper.map(batch))

    def batch(self, row: int, cells: Sequence[str], reading: Sequence[Issue] = ()) -> RawBatch:
        """Return one row as a batch; arguments as of `row`."""
        return raw_batch(0, [row], [[cell] for cell in cells], tuple(reading), names=self.columns)

    def row(self, row: int, cells: Sequence[str], reading: Sequence[Issue] = ()) -> Checked:
        """Check one row.

        Args:
            reading: what reading itself found wrong with it.
        """
        checked = self.check(self.batch(row, cells, reading))
        payload = checked.payloads[0]
        after = checked.after[0] if checked.after else None
        return Checked(
            json.loads(payload) if payload else {},
            checked.keys[0] or "",
            tuple(checked.changes),
            json.loads(after) if after else {},
        )
