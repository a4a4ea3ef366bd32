"""A dry run goes on to the import: what it checked is a source again, with the rows that came back fixed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from importer.core.batches import RawBatch
from importer.core.errors import ReturnRefusedError
from importer.core.issue_codes.reading import READING_CODES
from importer.core.issues import IssueLog
from importer.core.sources import SourceInfo
from importer.journal import RunFacts, RunHeader, RunRows
from importer.mapping import Table, build_mapper, grouping_of
from importer.profile import Profile
from importer.runs import registry
from importer.runs.kept_profile import kept_profile
from importer.runs.returns.file import Changed, opened_return, sort_out
from importer.runs.returns.recheck import what_came_back
from importer.runs.returns.rows import overlaid
from importer.runs.wiring.clock import today
from importer.runs.wiring.sources import Opened

_FOUND_BY_READING = frozenset({"encoding", "delimiter", "quote", "escape", "line_end", "sheet", "header_row"})


@dataclass(frozen=True, slots=True)
class Continued:
    """What a dry run hands on.

    Args:
        header: of the dry run.
        source: its rows, those that came back as they came back.
        facts: what the import notes of where it comes from.
    """

    header: RunHeader
    source: Opened
    facts: RunFacts


@dataclass(frozen=True, slots=True)
class CheckedSource:
    """The rows of a dry run, read once more. Implements `ports.Reader`."""

    info: SourceInfo
    rows: RunRows
    changed: Mapping[int, Changed]

    def batches(self) -> Iterator[RawBatch]:
        for batch in self.rows.batches():
            found = (issue for issue in batch.issues if issue.code in READING_CODES)
            issues = [issue for issue in found if issue.ordinal not in self.changed]
            surplus = dict(batch.surplus)
            for place in range(len(batch)):
                came_back = self.changed.get(batch.first + place)
                if came_back is not None:
                    issues += came_back.reading
                    surplus[place] = came_back.surplus
            kept = {place: cells for place, cells in surplus.items() if cells}
            yield RawBatch(batch.first, overlaid(batch, self.changed), IssueLog.of(issues), kept)

    def close(self) -> None:
        """Nothing: the journal behind it is closed by whoever opened it."""


@contextmanager
def continued(checked: registry.Listed, file: Path, profile: Profile) -> Iterator[Continued]:
    """Have all rows of a dry run as a source.

    Args:
        file: what came back for it.
        profile: the dry run's own.

    Raises:
        ReturnRefusedError: the file was not handed out by this program.
        SourceError: it cannot be used.
        UsageError, JournalError: the dry run's rows are not there any more.
    """
    with registry.opened(checked) as run, opened_return(file, profile.source) as returned:
        run.stored.require_whole()
        run.stored.require_loaded()
        if returned is None:
            raise ReturnRefusedError(f"The file '{file.name}' does not say which run and row its lines are from.")
        summary = run.journal.runs.summary(run.stored.run)
        rows = run.journal.rows(run.stored.run)
        brought = sort_out(returned, frozenset({checked.run_id}), summary.columns, rows)
        facts = run.stored.facts
        info = facts.source.info(summary.source, summary.columns, summary.sheet)
        info = replace(info, detected=tuple(one for one in info.detected if one.what in _FOUND_BY_READING))
        reader = CheckedSource(info, rows, brought.changed)
        kept = kept_profile(run.stored)
        table = Table.of(profile.transform, reader.info, next(reader.batches(), None))
        mapper = build_mapper(
            profile.contract,
            kept.rules if kept and kept.rules else profile.mapping,
            table,
            today=today(),
            validation=profile.validation,
        ).without_steps(profile.after_create.steps_off)
        grouping = grouping_of(profile.contract, profile.grouping, mapper.rules, table.info.columns)
        origin = Path(facts.path or run.stored.header.path)
        came_back = what_came_back(returned, brought, ()).model_copy(update={"continues": checked.run_id})
        yield Continued(
            run.stored.header,
            Opened(reader, mapper, origin, run.stored.header.path, grouping),
            RunFacts(
                continues=checked.run_id,
                returned=came_back,
                fixed=tuple(sorted(one.was.row for one in brought.changed.values())),
            ),
        )
