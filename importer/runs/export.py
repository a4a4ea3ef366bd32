"""The files of a run are written once more, as the journal has it. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from importer.core.errors import BusyError, JournalError, StorageError
from importer.journal import FINISHED, STOPPED, Journal, StoredRun, locks_of
from importer.results import Report, check_out
from importer.runs import archive_index, registry
from importer.runs.archive_index import source_of
from importer.runs.context import Context
from importer.runs.endings import ending_of, is_open
from importer.runs.finish import record_end, seal
from importer.runs.kept_files import put_back
from importer.runs.kept_profile import recalled
from importer.runs.registry import OpenedRun
from importer.runs.result_files import ResultFiles
from importer.runs.run_directory import run_directory


def export(context: Context, name: str) -> Report:
    """Write the results of a run again, in the profile's formats and folder. Blocks.

    A workspace that cannot be written is only read; the files are in the profile's folder alone then.

    Args:
        name: of an import or a dry run: an id, a unique prefix of one, or `last`.

    Raises:
        BusyError: somebody works on the run.
        ImporterError: there is no such run, or its files cannot be written.
    """
    started_at = context.now()
    try:
        return _exported(context, name, started_at)
    except (JournalError, StorageError) as error:
        if context.profile.results.out is not None:
            return _exported_to(context, name, context.profile.results.out, started_at)
        hint = f"{error.hint} Another folder for the files can be named with --out."
        raise type(error)(error.message, hint.strip()) from error


def _exported_to(context: Context, name: str, out: Path, started_at: float) -> Report:
    with registry.opened_run(context.workspace, name) as opened:
        stored, journal = opened.stored, opened.journal
        context = _exporting(context, journal, stored)
        ending = ending_of(journal, stored, context.command, started_at, context.now())
        return ResultFiles(context, journal, stored, out, ending).write()


def _exported(context: Context, name: str, started_at: float) -> Report:
    with (
        registry.opened_run(context.workspace, name, writes=True) as opened,
        _alone(context.workspace, opened, started_at),
    ):
        journal = opened.journal
        stored = journal.runs.find(opened.stored.header.run_id)
        context = _exporting(context, journal, stored)
        put_back(journal, stored.run, context.workspace / stored.header.run_id)
        with run_directory(context, stored.header.run_id) as (context, directory):
            return _written_again(context, journal, stored, directory, started_at)


def _exporting(context: Context, journal: Journal, stored: StoredRun) -> Context:
    """Take over the run's profile, and refuse what cannot be exported."""
    context = context.under(recalled(context.profile, stored))
    stored.require_whole()
    stored.require_loaded()
    check_out(context.profile.results, source_of(journal, stored) or Path(stored.header.path))
    return context


@contextmanager
def _alone(workspace: Path, opened: OpenedRun, started_at: float) -> Iterator[None]:
    """Hold the lock of a run that was cut off while its files are written.

    Raises:
        BusyError: somebody works on it.
    """
    stored = opened.stored
    if worker := registry.worker_of(workspace, stored):
        raise BusyError(f"The run {stored.header.run_id} has not ended: {worker} works on it.", "Wait for it.")
    if stored.phase in {FINISHED, STOPPED} or stored.header.dry_run or locks_of(workspace).owner(stored.header.scope):
        yield
        return
    with locks_of(workspace).hold(stored.header.scope, started_at):
        yield


def _written_again(context: Context, journal: Journal, stored: StoredRun, directory: Path, started_at: float) -> Report:
    """Write the files of a run that has ended, or was cut off, as the journal has it."""
    ending = ending_of(journal, stored, context.command, started_at, context.now())
    archive_index.keep_edited_beside(journal, stored)
    report = ResultFiles(context, journal, stored, directory, ending).write()
    if is_open(journal.runs.counts(stored.run)):
        return report  # it has not ended: a resume goes on with it
    if stored.phase not in {FINISHED, STOPPED}:
        record_end(journal, stored, report, ending)
    if not stored.header.dry_run:
        seal(context, journal, stored, directory, report)
    return report
