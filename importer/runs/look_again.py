"""Rows that were sent more than once are looked at again, where no run is under way: before `show`, and in the inbox.

What is found is recorded, and the files of the run are written anew. Never sends anything.
"""

from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from pathlib import Path

from importer.core.errors import ImporterError
from importer.core.runtime import beside_the_loop
from importer.journal import FINISHED, STOPPED, Location, RunFacts, StoredRun, locks_of
from importer.profile import Profile
from importer.results import Report
from importer.runs.context import Context
from importer.runs.finish import finish
from importer.runs.resume import destination_again, recall
from importer.runs.run_directory import run_directory
from importer.runs.wiring import Destination, Workspace, as_patient_as_needed, open_target, open_workspace
from importer.runs.wiring.sending import Sender, delivering, limiter_for


def look_again(profile: Profile, name: str) -> str:
    """Look again at what a run sent more than once, where that is due and the target can be asked. Blocks.

    Args:
        name: a run id, a unique prefix of one, or `last`.

    Returns:
        A sentence for people about what could not be looked at; empty: there is nothing to say.
    """
    try:
        if not _is_needed(profile.workspace, name):
            return ""
        asyncio.run(look_again_at(Context(profile, "retry"), name))
    except ImporterError as error:
        return f"Rows of this run were sent more than once, and could not be looked at again. {error.message}"
    return ""


async def look_again_at_all(profile: Profile) -> None:
    """Look again at what every run of the profile's target sent more than once; what cannot be asked waits."""
    for run_id in await asyncio.to_thread(_waiting, profile):
        with suppress(ImporterError):
            await look_again_at(Context(profile, "nightly"), run_id)


async def look_again_at(context: Context, name: str) -> Report | None:
    """Look again at the rows of a run that were sent more than once.

    Returns:
        The report, written anew; None: nothing is to be looked at, or nothing new was found.

    Raises:
        ImporterError: the target cannot be asked, or somebody else works with the run.
    """
    started_at = context.now()
    context, _ = await beside_the_loop(recall, context, name)
    context = context.under(context.profile.with_options({"yes": True}))  # to what only asks; nothing can be sent here
    with closing(open_workspace(context.workspace, create=False)) as workspace:
        stored = workspace.runs.find(name)
        if stored.phase not in {FINISHED, STOPPED} or not workspace.runs.has_resent(stored.run):
            return None
        context, where = destination_again(context, workspace, stored, started_at)
        with (
            locks_of(workspace.path).hold(where.scope, started_at),
            run_directory(context, stored.header.run_id) as (context, directory),
        ):
            if not await _is_changed(context, workspace, stored, where):
                return None
            if reason := stored.facts.stopped_by:
                context.stop.request(reason, stored.facts.stopped_message)
            return await beside_the_loop(finish, context, workspace.journal, stored, directory, started_at)


async def _is_changed(context: Context, workspace: Workspace, stored: StoredRun, where: Destination) -> bool:
    """Look at every row that is due; whether any row ended otherwise by that."""
    clock = context.machine.clock
    limiter = limiter_for(context.profile, clock, context.stop)
    before = workspace.runs.counts(stored.run)
    async with open_target(context.profile, where, limiter, clock) as target:
        profile = as_patient_as_needed(context.profile, where)
        parts = delivering(profile, workspace, stored, target, limiter, sender=Sender(context.emit))
        async with parts.journal:
            looked = await parts.second_looks.run(waits=False)
            await parts.journal.flush()
    workspace.runs.note(stored.run, RunFacts(learned=parts.learned(looked, stored.facts.learned.unjudged)))
    return workspace.runs.counts(stored.run) != before


def _is_needed(workspace: Path, name: str) -> bool:
    if not Location.of_workspace(workspace).exists:
        return False
    with suppress(ImporterError), closing(open_workspace(workspace, create=False)) as opened:
        return opened.runs.has_resent(opened.runs.find(name).run)
    return False  # whoever asked for it says what is wrong with it


def _waiting(profile: Profile) -> list[str]:
    if not Location.of_workspace(profile.workspace).exists:
        return []
    with closing(open_workspace(profile.workspace, create=False)) as opened:
        return list(opened.journal.earlier.with_resent(profile.target))
