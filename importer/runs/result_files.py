"""Every file of a run is written from its journal into one directory, and counted again. Never decides about a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

from importer.core.atomic_files import publish
from importer.core.errors import BalanceError, StorageError
from importer.core.events import Event
from importer.core.results import ResultBatch
from importer.core.runtime import rare_collections
from importer.journal import Journal, RehearsalFacts, RunFacts, StoredRun
from importer.observe import LOG_NAME
from importer.results import Header, Recount, Report, Share, compare, digests, keep_edited, write_json
from importer.results.html import write_html
from importer.results.tables import Batches, write_results
from importer.runs.context import Context
from importer.runs.endings import Ending
from importer.runs.kept_corrections import kept_corrections
from importer.runs.kept_files import CORRECTIONS
from importer.runs.planned_steps import planned_steps
from importer.runs.preview import preview
from importer.runs.receipts import RECEIPT_NAME
from importer.runs.rehearsal import sentence
from importer.runs.reports import Seen, compose, judge, table_header, with_exit_code

_WRITTEN_ALONE = 16
"""Batches that are written and counted before another process counts the rest."""


@dataclass(frozen=True)
class ResultFiles:
    """The files of one run.

    Args:
        journal: where it can only be read, nothing is noted, and `directory` is not the run's own.
        directory: where they are written.
        ending: how the run ended.
    """

    context: Context
    journal: Journal
    stored: StoredRun
    directory: Path
    ending: Ending

    def write(self) -> Report:
        """Write every file, count the rows in it again, and say how the run ended.

        Raises:
            StorageError: the directory cannot be written; files of an earlier pass are still whole.
            UsageError: a results format needs a library that is not installed.
        """
        try:
            with rare_collections(), self.context.pool() as pool:
                return self._written(partial(pool.map, alone=_WRITTEN_ALONE))
        except StorageError as error:
            raise StorageError(error.message, f"{error.hint} {self._how_again()}".strip()) from error

    def _how_again(self) -> str:
        header = self.stored.header
        if self.ending.command == "export" or header.dry_run:
            return ""
        return f"`{self.context.profile.commands.resume(header.run_id)}` then writes them, and sends nothing again."

    def _written(self, share: Share) -> Report:
        facts, profile = self.journal.runs.facts(self.stored.run), self.context.profile
        settings, seen = profile.results, Seen.of(profile.contract)
        keep_edited(self.directory, facts.files)
        tables, recount = self._tables(seen, share)
        report = compose(self.journal, self.stored.run, self.ending, seen, commands=profile.commands)
        imbalance = _imbalance(recount, tables["results"], report.counts) or _broken_rehearsal(facts.rehearsal)
        report = with_exit_code(report, self.ending, imbalance, partial_ok=settings.partial_ok)
        stored = self.journal.runs.find(self.stored.header.run_id)  # with the profile that reading it has left
        rows = preview(self.journal, stored, settings.preview, show_values=settings.show_values)
        planned = planned_steps(profile, report.mapping) if report.dry_run else ""
        report = replace(report, preview=rows, after_create=planned)
        files = {**tables, **self._annotated(report, facts)}
        self._stage("report")
        return self._with_report(report, files, seen)

    def _tables(self, seen: Seen, share: Share) -> tuple[dict[str, Path], Recount]:
        header, settings = self._header, self.context.profile.results
        recount = Recount(header, share)
        tables = write_results(
            self._announced(then="recount"),
            header,
            self.directory,
            formats=settings.formats,
            settings=settings,
            recount=recount,
            watchers=(seen.clusters, seen.unknown, seen.failing),
        )
        return tables, recount

    def _annotated(self, report: Report, facts: RunFacts) -> dict[str, Path]:
        """Write the user's own sheet with the wrong cells marked: for workbooks, and where a workbook was asked for."""
        is_workbook = report.source_info is not None and report.source_info.format == "excel"
        if not is_workbook and "xlsx" not in self.context.profile.results.formats:
            return {}
        self._stage("workbook", rows=report.counts.get("read", 0))
        from importer.results.annotated import write_annotated  # noqa: PLC0415  # slower to load than a small file

        batches, source = self._announced(then="workbook_saved"), Path(facts.path)
        beside = self.context.workspace / self.stored.header.run_id
        corrected = (one.row for one in kept_corrections(self.journal, self.stored.run, beside))
        fixed = frozenset((*facts.fixed, *corrected))
        path = write_annotated(batches, self._header, report, self.directory, source=source, fixed=fixed)
        return {"annotated": path}

    def _with_report(self, report: Report, tables: Mapping[str, Path], seen: Seen) -> Report:
        """Write the report itself, which names every file; the time that writing took is a part of the run."""
        settings, writes = self.context.profile.results, self.journal.writes
        files = {**tables, "html": self.directory / "report.html", "report": self.directory / "report.json"}
        report = judge(replace(self._timed(report), files={**files, **(self._beside() if writes else {})}))
        columns = self._header.columns
        write_html(report, seen.failing, columns, self.directory, show_values=settings.show_values)
        report = self._timed(report)
        write_json(report, self.directory)
        if writes:
            self.journal.runs.note(self.stored.run, RunFacts(files=digests(files)))
            if settings.out is not None:
                publish(files, settings.out)
        return report

    def _timed(self, report: Report) -> Report:
        ended_at = self.context.now()
        return replace(report, elapsed_seconds=ended_at - self.ending.started_at, ended_at=ended_at)

    def _beside(self) -> dict[str, Path]:
        """Name what others write into the run's own directory: plans, the newest first, log and receipt."""
        receipt = {} if self.stored.header.dry_run else {"receipt": self.directory / RECEIPT_NAME}
        kept = [self.directory / one.file for one in reversed(self.journal.runs.facts(self.stored.run).plans)]
        there = filter(Path.is_file, kept)  # the copies of earlier programs are in no journal, and may be elsewhere
        plans = {f"plan_{number}" if number > 1 else "plan": path for number, path in enumerate(there, 1)}
        corrections = self.directory / CORRECTIONS
        if corrections.is_file():
            plans["corrections"] = corrections
        return {**plans, "log": self.directory / LOG_NAME, **receipt}

    @cached_property
    def _header(self) -> Header:
        runs, run = self.journal.runs, self.stored.run
        return table_header(runs.summary(run), runs.facts(run), self.context.profile.contract)

    def _announced(self, *, then: str) -> Batches:
        """Replay the rows of the run, and announce each batch when it was written.

        Args:
            then: the part that begins when all of them were.
        """
        replay = self.journal.replay(self.stored.run, show_open=True)

        def batches() -> Iterator[ResultBatch]:
            for batch in replay.batches():
                yield batch
                self.context.emit(Event("results_written", {"rows": len(batch)}))
            self._stage(then)

        return batches

    def _stage(self, name: str, **numbers: int) -> None:
        """Announce that a part begins; with `rows`, where it is known how many it has."""
        self.context.emit(Event("results_stage", {"stage": name, **numbers}))


def _imbalance(recount: Recount, results: Path, counts: Mapping[str, int]) -> str:
    """Return where the recount of the written file differs, as a sentence; empty: nowhere."""
    try:
        compare(counts, recount.counts(results))
    except BalanceError as error:
        return str(error)
    return ""


def _broken_rehearsal(found: RehearsalFacts) -> str:
    if not found.lost and not found.twice:
        return ""
    return f"The emulator holds something else than the results say ({sentence(found.as_json())}): this is a bug."
