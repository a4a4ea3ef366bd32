"""Customers that exist are changed by the rows of a source: a run of its own, in which nobody is created.

A list (`--dry-run`) is the same run without its last step: it reads every customer, says what would change, and keeps
what the customer was like. The update of the same content goes on from it, and leaves alone who has changed since.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING

from importer.core.errors import AlreadyImportedError
from importer.core.runtime import beside_the_loop
from importer.core.states import RowState
from importer.core.steps import Step, StepState
from importer.journal import FINISHED, UPDATE_JOB, Location, RunFacts, StoredRun
from importer.results import Report
from importer.runs.accounts import settle_account
from importer.runs.begin import Beginning, begin
from importer.runs.consent import ask_consent, require_consent
from importer.runs.context import Context, in_hours
from importer.runs.follow import steps_alone
from importer.runs.leftovers import tidy
from importer.runs.load import at_hand, opened_source
from importer.runs.plans.gate import admitted
from importer.runs.resume import resume
from importer.runs.wiring import Destination, Workspace, destination, open_workspace
from importer.runs.wiring.sources import typed

if TYPE_CHECKING:
    from importer.runs.wiring.sources import Source


async def update(context: Context, source: Source, *, force: bool = False) -> Report:
    """Change customers that exist; with the profile's `dry_run`, list what would change.

    What was listed, or begun, of the same content under the same profile goes on.

    Args:
        force: begin anew, whatever there is.

    Raises:
        AlreadyImportedError: the list of this content was not finished.
        ImporterError: the run was refused; nothing was sent.
    """
    lists = context.profile.dry_run
    settings = {"validation.partial": True, "dry_run": False, **({"yes": True} if lists else {})}
    context = replace(context, profile=context.profile.with_options(settings))
    where, started_at = destination(context.profile), context.now()
    if not lists:
        make = context.profile.commands.plan(typed(source), "--update")
        admitted(context.profile, where, None, "update", started_at, make)
    require_consent(where, context.profile, context.people.confirm)
    await beside_the_loop(tidy, context.workspace)
    with ExitStack() as stack:
        local = await beside_the_loop(stack.enter_context, at_hand(context, source))
        content = await beside_the_loop(local.content_hash)
        found = await beside_the_loop(stack.enter_context, opened_source(context, local))
        sheet = found.reader.info.sheet
        earlier = None if lists or force else await beside_the_loop(_newest, context, where, content, sheet)
        if earlier is None:
            async with in_hours(context) as bounded:
                facts = RunFacts(job=UPDATE_JOB, lists_only=lists)
                return await begin(bounded, Beginning(local, found, content, started_at, facts), where, force=True)
    return await _gone_on(context, where, earlier)


async def _gone_on(context: Context, where: Destination, earlier: StoredRun) -> Report:
    run_id, commands = earlier.header.run_id, context.profile.commands
    if not earlier.facts.lists_only:
        return await resume(context, run_id)
    if earlier.phase != FINISHED:
        raise AlreadyImportedError(
            f"The list {run_id} of what this file changes has not finished.",
            f"`{commands.resume(run_id)}` goes on with it; --force updates without it.",
        )
    listed = await beside_the_loop(_listed, context, earlier)
    ask_consent(where, context.profile, context.people.confirm, {RowState.READY: listed})
    return await steps_alone(context, run_id, open_listed, waits=False)


def _newest(context: Context, where: Destination, content: str, sheet: str) -> StoredRun | None:
    """The newest update of this content under this profile, where there is something to go on with."""
    if not Location.of_workspace(context.workspace).exists:
        return None
    with closing(open_workspace(context.workspace, create=False)) as workspace:
        where = settle_account(workspace, where, context.profile.account_of, context.people.ask_owner, context.now())
        for one in workspace.journal.earlier.of_content(where.scope, content, sheet):
            if one.facts.job == UPDATE_JOB and one.header.profile_hash == context.profile.fingerprint:
                return one if one.facts.lists_only or one.phase != FINISHED else None
    return None


def _listed(context: Context, stored: StoredRun) -> int:
    with closing(open_workspace(context.workspace, create=False)) as workspace:
        counts = workspace.journal.steps(stored.run).counts()
    return sum(one.entries for one in counts if one.state is StepState.LISTED)


def open_listed(workspace: Workspace, stored: StoredRun) -> None:
    """Have everything done that a list says."""
    workspace.runs.note(stored.run, RunFacts(lists_only=False))
    workspace.journal.steps(stored.run).reopen({StepState.LISTED}, {Step.UPDATE})
