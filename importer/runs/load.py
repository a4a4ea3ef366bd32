"""A source is read and checked into the journal, as a whole and before the first request. Sends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from importer.core.commands import FRAME
from importer.core.errors import ImporterError, InterruptedRunError, TryLaterError, UsageError
from importer.core.events import Event
from importer.core.runtime import beside_the_loop, ended, held_beside_the_loop, rare_collections
from importer.core.sources import Detected
from importer.core.states import RowState
from importer.delivery import StopSwitch
from importer.engines import Pool
from importer.journal import (
    RUNNING,
    Journal,
    Location,
    RunFacts,
    RunIntake,
    SourceFacts,
    StoredRun,
    VerificationFacts,
    compares_bodies,
)
from importer.mapping import ColumnMapper
from importer.observe import require_libraries
from importer.profile import KeptProfile
from importer.readers import is_frame
from importer.runs.after_create import steps_of
from importer.runs.archive_index import source_of
from importer.runs.context import Context
from importer.runs.documents import sends_documents
from importer.runs.kept_corrections import keep_corrections
from importer.runs.kept_files import keep
from importer.runs.leftovers import SPOOL_NAME
from importer.runs.plans.checked_hashes import CheckedHashes
from importer.runs.plans.content import Loaded, Planning
from importer.runs.preconditions import require_content
from importer.runs.wiring import Workspace, make_directory
from importer.runs.wiring.checking import checking_pool, comparison, merging_of, preparation
from importer.runs.wiring.engine import require_files_at_hand
from importer.runs.wiring.remote_sources import is_remote, local_copy
from importer.runs.wiring.sources import LocalSource, Opened, on_disk, opened

if TYPE_CHECKING:
    from importer.runs.wiring.sources import Source


@contextmanager
def at_hand(context: Context, source: Source) -> Iterator[LocalSource]:
    """Have a source that can be opened: what is at an address is fetched, standard input is kept.

    Raises:
        SourceError, TryLaterError, AccessError: it cannot be fetched or read.
        UsageError: a library that the profile needs is not installed.
    """
    require_libraries(context.profile.metrics, context.profile.otel)
    corrections = context.profile.source.corrections
    if is_frame(source):
        frame = source.copy(deep=False)  # what its owner changes meanwhile has no effect here
        yield LocalSource(frame, corrections=corrections)
    elif is_remote(source):
        make_directory(context.workspace)
        spool = context.workspace / SPOOL_NAME
        pause = context.machine.clock.pause
        with local_copy(source, context.profile, pause, spool=spool, stop=context.stop) as local:
            if local.warning:
                context.emit(Event("source_unverified", {"text": local.warning}))
            yield LocalSource(local.path, local.origin, corrections)
    else:
        with on_disk(source, context.profile) as path:
            yield LocalSource(path, str(path.absolute()), corrections)


@contextmanager
def opened_source(context: Context, source: LocalSource) -> Iterator[Opened]:
    """Open a source and match its columns.

    Errors as of `wiring.sources.opened`, `after_create.steps_of` and `wiring.engine.require_files_at_hand`.

    Garbage is collected rarely from here on, until what is done with it has ended.
    """
    # The inbox moves its files away: a command that names one would not find it.
    name = "" if context.is_nightly else source.name
    with rare_collections(), opened(source, context.profile, name=name) as found:
        steps_of(context.profile, found.mapper.columns)
        if sends_documents(context.profile, found.mapper.columns):
            require_files_at_hand(context.profile)
        yield found


def kept_now(context: Context, mapper: ColumnMapper | None = None) -> KeptProfile:
    """Return what a run keeps of its profile; with the mapper, what that decided over the whole source."""
    settings = context.profile.settings_to_keep()
    return KeptProfile(settings=settings) if mapper is None else mapper.kept(settings)


async def load(
    context: Context,
    workspace: Workspace,
    stored: StoredRun,
    source: Opened,
    pool: Pool,
    *,
    planning: Planning | None = None,
) -> None:
    """Read and check a whole source into the workspace's journal, beside the event loop; all else as of `prepare`."""
    work = partial(prepare, secret=workspace.secret, pool=pool, planning=planning)
    preparing = asyncio.create_task(beside_the_loop(work, context, workspace.journal, stored, source))
    try:
        await asyncio.shield(preparing)
    except asyncio.CancelledError:
        context.stop.request("sigint")  # a thread cannot be cancelled: it is asked to stop
        await ended(preparing)
        raise


async def load_again(
    context: Context, workspace: Workspace, stored: StoredRun, *, planning: Planning | None = None
) -> None:
    """Read the source of a run from its beginning that was cut off while it read it.

    Args:
        planning: as of `prepare`.

    Raises:
        PlanRefusedError: as of `prepare`.
        SourceChangedError: it is not the content that the run began with.
        UsageError: it was a DataFrame, which is gone.
        SourceError: it cannot be read.
    """
    if stored.header.path == FRAME:
        raise UsageError(
            f"The run {stored.header.run_id} was cut off before its DataFrame was read to the end; nothing was sent.",
            "Run that DataFrame again.",
        )
    async with AsyncExitStack() as stack:
        source = source_of(workspace.journal, stored) or stored.header.path
        local = await beside_the_loop(stack.enter_context, at_hand(context, source))
        await beside_the_loop(require_content, stored, local.path)
        checking = held_beside_the_loop(checking_pool(context, local.path, workspace.secret))
        pool = await stack.enter_async_context(checking)
        found = await beside_the_loop(stack.enter_context, opened_source(context, local))
        await load(context, workspace, stored, found, pool, planning=planning)


def prepare(
    context: Context,
    journal: Journal,
    stored: StoredRun,
    source: Opened,
    *,
    secret: bytes,
    pool: Pool,
    planning: Planning | None = None,
) -> None:
    """Read and check a whole source into a journal.

    Args:
        planning: what is done with what would be sent; None: nothing.

    Raises:
        PlanRefusedError: it is not what a plan says; the run is not read to its end then.
        SourceError: it cannot be read, or is refused.
        InterruptedRunError, TryLaterError: the run was stopped meanwhile.
        JournalError: the journal cannot be written.
    """
    header, profile = stored.header, context.profile
    facts = {"run_id": header.run_id, "source": header.source, "target": header.target, "dry_run": header.dry_run}
    context.emit(Event("run_started", facts))
    corrections = keep_corrections(profile.source.corrections, context.workspace / header.run_id)
    if corrections is not None and not header.dry_run:
        keep(journal, stored.run, corrections)
    memory = Location.of_workspace(context.workspace)
    compared = header.dry_run and memory.exists
    intake = _intake(context, journal, stored, source, compared=compared, planned=planning is not None)
    intake.restart()
    hashes = CheckedHashes(intake.numbers("Q"), intake.numbers("Q")) if planning else None
    decided = preparation(context, source, intake, pool, secret=secret, hashes=hashes).run()
    if context.stop.requested:
        raise _cut_short(context.stop)
    scope = planning.scope if planning else ""
    how = comparison(profile, header, source.mapper.columns, source.reader.info.sheet, scope)
    if compared:
        intake.compare(memory, secret, how)
    elif not (header.dry_run or profile.validation.partial):  # a change of a customer is nobody new
        intake.compare_and_remember(header.scope, secret, how)
    if planning and hashes:
        planning(Loaded(context, journal, stored, source, intake, memory if header.dry_run else None), hashes)
    runs = journal.runs
    runs.opened(stored.run, source.reader.info)
    runs.keep_profile(stored.run, kept_now(context, source.mapper).model_dump_json())
    runs.note(stored.run, _facts_of(source, decided, intake.idv))
    runs.enter(stored.run, RUNNING)


def _intake(
    context: Context, journal: Journal, stored: StoredRun, source: Opened, *, compared: bool, planned: bool
) -> RunIntake:
    """Make the way into the journal.

    Args:
        compared: a dry run is compared with the customers of earlier runs, and does not enter their memory.
        planned: it ends in a plan.
    """
    profile, memory = context.profile, Location.of_workspace(context.workspace)
    distinguished = planned and compared and profile.validation.duplicates == "allow"
    documented = planned and sends_documents(profile, source.mapper.columns)
    return journal.intake(
        stored.run,
        profile.contract,
        valid_state=RowState.VALID if stored.header.dry_run else RowState.READY,
        keyed=compared or documented,
        merging=merging_of(profile, source),
        keeps_bodies=distinguished or documented or (compared and compares_bodies(memory, profile.contract.identity)),
    )


def _facts_of(source: Opened, decided: tuple[Detected, ...], idv: VerificationFacts) -> RunFacts:
    """Return what later reports and a resume need to know of a source."""
    return RunFacts(
        path=str(source.path),
        size_bytes=source.path.stat().st_size if source.path.is_file() else 0,
        mapping=source.mapper.columns,
        source=SourceFacts.of(source.reader.info, decided),
        idv=idv,
    )


def _cut_short(stop: StopSwitch) -> ImporterError:
    if stop.reason == "window":
        return TryLaterError("The time allowed was over before anything was sent.", "Start it again at the next one.")
    return InterruptedRunError(stop.reason)
