"""The end of a run: its files are written from the journal, its ending is recorded, and its receipt is made."""

from __future__ import annotations

from pathlib import Path

from importer.core.events import Event
from importer.core.states import RowState
from importer.journal import Journal, RunFacts, StoredRun
from importer.results import Report
from importer.runs import archive_index
from importer.runs.context import Context
from importer.runs.endings import Ending, ending_of
from importer.runs.receipts import write_receipt
from importer.runs.result_files import ResultFiles


def finish(
    context: Context,
    journal: Journal,
    stored: StoredRun,
    directory: Path,
    started_at: float,
    *,
    creates: bool = True,
) -> Report:
    """Write what the journal holds, and record how this pass over the run ended.

    Args:
        stored: as the pass has found it.
        started_at: of this pass, seconds since the epoch.
        creates: False: it sent no row; a run that an earlier pass has stopped before its last row stays stopped.

    Raises:
        StorageError: a file cannot be written; the journal is whole.
    """
    runs, stop = journal.runs, context.stop
    counts = runs.counts(stored.run)
    context.emit(Event("results_started", {"run_id": stored.header.run_id, "rows": counts["read"]}))
    began_at = started_at - context.machine.waited_s
    ending = Ending(context.command, began_at, context.now(), stop.reason, stop.message)
    if counts.get(RowState.UNSENT) and not (creates or stop.reason):
        ending = ending_of(journal, stored, context.command, began_at, ending.ended_at)
    runs.note(stored.run, RunFacts(stopped_by=ending.reason, stopped_message=ending.message))
    archive_index.keep_edited_beside(journal, stored)
    report = ResultFiles(context, journal, stored, directory, ending).write()
    record_end(journal, stored, report, ending)
    if not stored.header.dry_run:
        context.emit(Event("results_stage", {"stage": "receipt"}))
        seal(context, journal, stored, directory, report)
    elapsed_s = context.now() - began_at
    facts = {"counts": dict(report.counts), "exit_code": int(report.exit_code), "elapsed_s": elapsed_s}
    steps = {"open": report.follow_up["open"]} if report.follow_up else {}
    context.emit(Event("run_ended", {**facts, **steps}))
    return report


def record_end(journal: Journal, stored: StoredRun, report: Report, ending: Ending) -> None:
    """Record in the journal that a run has ended, and how."""
    ended_at = report.ended_at or ending.ended_at
    journal.runs.end(stored.run, phase=report.state, exit_code=report.exit_code, ended_at=ended_at)


def seal(context: Context, journal: Journal, stored: StoredRun, directory: Path, report: Report) -> None:
    """Write the receipt, and all files again where the inbox has put them."""
    write_receipt(journal, stored, directory, report, context.now())
    archive_index.renew(journal, stored, report)
