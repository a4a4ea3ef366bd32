"""A run begins: it is refused, or its source is read into the journal and its rows are sent."""

from __future__ import annotations

from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from importer.core.errors import UsageError
from importer.core.runtime import beside_the_loop, held_beside_the_loop
from importer.journal import RunFacts, RunHeader, StoredRun, locks_of
from importer.results import Report, check_out
from importer.runs.accounts import settle_account
from importer.runs.consent import ask_consent
from importer.runs.context import Context
from importer.runs.kept_files import keep
from importer.runs.kept_profile import pace_of
from importer.runs.load import kept_now, load
from importer.runs.plans.held import Held
from importer.runs.preconditions import refuse_repeated
from importer.runs.receipts import operator
from importer.runs.run_directory import forgotten_if_refused, new_header, run_directory
from importer.runs.send import Sending
from importer.runs.wiring import Destination, Workspace, open_workspace, rehearsing
from importer.runs.wiring.checking import checking_pool
from importer.runs.wiring.sources import LocalSource, Opened


@dataclass(frozen=True, slots=True)
class Beginning:
    """An open source that is to become a run.

    Args:
        content: hash of the source's bytes, from before it was opened.
        started_at: when the command began its work, seconds since the epoch.
        facts: what the run notes of where its source comes from.
        held: the plan that it is held to; None: there is none.
    """

    local: LocalSource
    found: Opened
    content: str
    started_at: float
    facts: RunFacts = field(default_factory=RunFacts)
    held: Held | None = None


async def begin(context: Context, source: Beginning, where: Destination, *, force: bool) -> Report:
    """Begin a run of an open source, and send its rows.

    Args:
        force: import it although a source of this very content was imported before.

    Raises:
        ImporterError: the run was refused; nothing was sent, and nothing is left of it.
    """
    profile, started_at, held = context.profile, source.started_at, source.held
    async with AsyncExitStack() as stack:
        workspace = await beside_the_loop(_opened, stack, context.workspace)
        where = settle_account(workspace, where, profile.account_of, context.people.ask_owner, started_at)
        if held:
            held.require_account(where)
        stack.enter_context(locks_of(workspace.path).hold(where.scope, started_at))
        check_out(profile.results, source.local.path)
        header = new_header(
            context, source.local, source.found, content=source.content, scope=where.scope, started_at=started_at
        )
        if not force:
            refuse_repeated(workspace.journal.earlier, header, source.found.reader.info.sheet, profile)
        checking = held_beside_the_loop(checking_pool(context, source.local.path, workspace.secret))
        pool = await stack.enter_async_context(checking)
        context, directory = stack.enter_context(run_directory(context, header.run_id))
        noted = held.noted(directory) if held else None
        stored = await beside_the_loop(_stored, context, workspace, header, where, noted)
        with forgotten_if_refused(workspace.runs, stored, directory):
            workspace.runs.note(stored.run, source.facts)
            planning = held.planning if held else None
            await load(context, workspace, stored, source.found, pool, planning=planning)
            counts = await beside_the_loop(workspace.runs.counts, stored.run)
            ask_consent(where, profile, context.people.confirm, counts)
        quiet_s = workspace.journal.earlier.quiet_s(stored.run, where.scope, started_at)
        try:
            return await Sending(context, workspace, stored, where, directory, started_at, quiet_s).run()
        except UsageError:  # the target, or a worker, lacks what is asked for: found out before the first create
            with forgotten_if_refused(workspace.runs, stored, directory):
                raise


def _opened(stack: AsyncExitStack, path: Path) -> Workspace:
    """Open the workspace until the end of a block."""
    return stack.enter_context(closing(open_workspace(path)))


def _stored(
    context: Context, workspace: Workspace, header: RunHeader, where: Destination, noted: RunFacts | None
) -> StoredRun:
    stored = workspace.runs.begin(header, noted)  # cut off from here on, it is still held to its plan
    for plan in noted.plans if noted else ():
        keep(workspace.journal, stored.run, workspace.path / header.run_id / plan.file)
    limit, by = context.profile.source.limit, context.people.by or operator()
    asked = RunFacts(limit=limit, pace=pace_of(context.profile), begun_by=by)
    workspace.runs.note(stored.run, asked.merged(rehearsing(where)))
    workspace.runs.keep_profile(stored.run, kept_now(context).model_dump_json())
    return stored
