"""A run goes on, exactly where it stopped, under the profile that it has kept."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace

from importer.core.plans import Signature
from importer.core.runtime import beside_the_loop
from importer.core.states import RowState
from importer.core.steps import AFTER_CREATE, LOOKED_UP_STEPS, Step, StepState
from importer.journal import LOADING, StoredRun, locks_of
from importer.results import Report
from importer.runs.accounts import settle_account
from importer.runs.consent import ask_consent, require_consent
from importer.runs.context import Context, in_hours
from importer.runs.kept_files import put_back
from importer.runs.kept_profile import for_target, recalled
from importer.runs.leftovers import tidy
from importer.runs.load import load_again
from importer.runs.plans.gate import admitted, requirement
from importer.runs.plans.held import held_again
from importer.runs.plans.returning import Returning
from importer.runs.preconditions import require_scope, require_unchanged
from importer.runs.returns import routing
from importer.runs.returns.routing import Back
from importer.runs.run_directory import run_directory
from importer.runs.send import Sending
from importer.runs.wiring import Destination, Workspace, destination, open_workspace, rehearsed_again
from importer.runs.wiring.engine import require_sendable

RESUMABLE = (RowState.UNSENT, RowState.UNKNOWN)
"""How rows ended that a resume opens again."""
_LOOKED_UP = frozenset({*LOOKED_UP_STEPS, Step.UPDATE})
_REPEATED = frozenset({*AFTER_CREATE, Step.UPDATE})


async def resume(context: Context, name: str) -> Report:
    """Go on with a run, exactly where it stopped.

    Args:
        name: a run id, a unique prefix of one, or `last`.

    Raises:
        SourceChangedError: the source or the profile is not the one the run began with.
        ImporterError: the run was refused; nothing was sent.
    """
    await beside_the_loop(tidy, context.workspace)
    context, _ = await beside_the_loop(recall, context, name)
    async with in_hours(context) as context:
        return await go_on(context, name, Reopened(RESUMABLE), None)


def recall(context: Context, name: str) -> tuple[Context, StoredRun]:
    """Find an import, and take over the profile that it has kept where none was named.

    Raises:
        UsageError: there is no such run, or it is a dry run, of which nothing was sent.
        ProfileError: the profile that it has kept cannot be used.
    """
    routing.require_import(context.profile, name)
    with closing(open_workspace(context.workspace, create=False)) as workspace:
        stored = workspace.runs.find(name)
    stored.require_whole()
    return context.under(recalled(context.profile, stored)), stored


@dataclass(frozen=True, slots=True)
class Reopened:
    """What another pass opens again.

    Args:
        rows: how they ended.
        steps: the same of steps after a create; those that are in doubt and looked up are always opened.
    """

    rows: tuple[RowState, ...]
    steps: tuple[StepState, ...] = ()

    def apply(self, workspace: Workspace, stored: StoredRun, but: Iterable[int]) -> None:
        """Open them; of an update under a plan only changes that the plan lists.

        Args:
            but: ordinals of rows that stay as they are.
        """
        planned = any(one.job == "update" for one in stored.facts.plans)
        if not planned:
            workspace.runs.reopen(stored.run, self.rows, but)
        steps = workspace.journal.steps(stored.run)
        steps.reopen({StepState.UNKNOWN}, _LOOKED_UP, guarded=planned)
        if self.steps:
            steps.reopen(self.steps, _REPEATED, guarded=planned)

    def has_step(self, step: Step, state: StepState) -> bool:
        """Whether a step that ended so is opened again."""
        return (state in self.steps and step in _REPEATED) or (state is StepState.UNKNOWN and step in _LOOKED_UP)


async def go_on(context: Context, name: str, reopened: Reopened, back: Back | None) -> Report:
    """Open rows of a run again, and send what is ready then.

    Args:
        context: under the profile that `recall` gave it, inside its hours.
        reopened: what is opened again.
        back: fixed rows, or another profile, to check rows again with; None: nothing is checked again.

    Raises:
        SourceChangedError: the source or the profile is not the one the run began with.
        ImporterError: the run was refused; nothing was sent.
    """
    started_at = context.now()
    with closing(open_workspace(context.workspace, create=False)) as workspace:
        stored = workspace.runs.find(name)
        stored.require_whole()
        put_back(workspace.journal, stored.run, workspace.path / stored.header.run_id)
        with routing.only_to_its_own(back):
            context, where = destination_again(context, workspace, stored, started_at)
        require_sendable(context.profile, embedded=where.embedded)
        signatures: tuple[Signature, ...] = ()
        if back is None:
            sending = Sending(context, workspace, stored, where, workspace.path / stored.header.run_id, started_at)
            await beside_the_loop(sending.require_approved, reopened.rows, reopened.has_step)
        else:
            back = await beside_the_loop(_held_to_nothing, context, workspace, stored, where, back)
            if back.plan is None or not back.plan.sends_nothing:
                make = context.profile.commands.plan_retry(stored.header.run_id, back.file or "")
                signatures = admitted(context.profile, where, back.plan, "return", context.now(), make)
        require_consent(where, context.profile, context.people.confirm)
        if back is None or (back.file is None and not back.under_profile):
            await beside_the_loop(require_unchanged, workspace, stored, context.profile)
        with (
            locks_of(workspace.path).hold(where.scope, started_at),
            run_directory(context, stored.header.run_id) as (context, directory),
        ):
            stored = workspace.runs.find(stored.header.run_id)  # as whoever held the lock has left it
            stored.require_whole()
            if stored.phase == LOADING:
                planning = await beside_the_loop(
                    held_again, stored.facts, directory, context.profile.commands.plan(stored.header.path)
                )
                await load_again(context, workspace, stored, planning=planning)
            planned = None
            if back is not None:
                planned = Returning(context, workspace, stored, where, back).held_to_its_plan(signatures, directory)
            held = await beside_the_loop(routing.take, workspace, stored, context.profile, back, planned)
            await beside_the_loop(reopened.apply, workspace, stored, held)
            counts = await beside_the_loop(workspace.runs.counts, stored.run)
            ask_consent(where, context.profile, context.people.confirm, counts)
            return await Sending(context, workspace, stored, where, directory, started_at).run()


def _held_to_nothing(context: Context, workspace: Workspace, stored: StoredRun, where: Destination, back: Back) -> Back:
    """Return what comes back, held to a plan of nothing where nothing is to be sent: there is nothing to approve."""
    if back.plan is not None or stored.phase == LOADING or requirement(context.profile, where) is None:
        return back
    plan = Returning(context, workspace, stored, where, back).plan(None)
    return replace(back, plan=plan) if plan.sends_nothing else back


def destination_again(
    context: Context, workspace: Workspace, stored: StoredRun, started_at: float
) -> tuple[Context, Destination]:
    """Return where a run sends to that is taken up again, which may not have changed, and its target's profile.

    Raises:
        SourceChangedError: the target's address or account is another one.
        UsageError: another target was named.
    """
    context = context.under(for_target(context.profile, stored.header))
    where = destination(context.profile)
    where = settle_account(workspace, where, context.profile.account_of, context.people.ask_owner, started_at)
    require_scope(where, workspace.runs.find(stored.header.run_id).header)  # its account may just have got a name
    return context, rehearsed_again(where, stored.facts)
