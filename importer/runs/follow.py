"""The steps after the creates of a run go on, without any create: for `follow`, for `verify`, and in the inbox."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import closing, suppress

from importer.core.errors import ImporterError, UsageError
from importer.core.runtime import beside_the_loop
from importer.core.steps import LOOKED_UP_STEPS, UNDOING, Step, StepState
from importer.delivery import StopSwitch, stopped_with
from importer.journal import Location, StoredRun
from importer.profile import Profile
from importer.results import Report
from importer.runs.context import Context, in_hours
from importer.runs.endings import is_open
from importer.runs.resume import recall
from importer.runs.send import Opens, Sending, no_step
from importer.runs.take_up import taken_up
from importer.runs.wiring import Workspace, open_workspace

NOT_UNDOING = tuple(step for step in Step if step not in UNDOING)
"""What goes on by itself: who takes creates back says so each time."""

Prepare = Callable[[Workspace, StoredRun], None]
"""Opens or plans steps before they are done. Blocks."""


async def follow(context: Context, name: str) -> Report:
    """Go on with every open step of a run, and look again at those that ask for a person.

    Args:
        name: a run id, a unique prefix of one, or `last`.

    Raises:
        UsageError: the run has no such step, or rows of it are still to be sent.
        ImporterError: as for `resume`.
    """
    return await steps_alone(context, name, _open_again, opens=_opens)


async def steps_alone(
    context: Context,
    name: str,
    prepare: Prepare,
    *,
    opens: Opens = no_step,
    steps: Collection[Step] = NOT_UNDOING,
    waits: bool = True,
) -> Report:
    """Do steps of a run, and nothing else.

    Args:
        opens: whether `prepare` opens a step again that ended in a state.
        steps: these, as far as its rows have them.
        waits: whether outcomes are waited for, as long as the profile says.

    Raises:
        ImporterError: as for `follow`.
    """
    context, _ = await beside_the_loop(recall, context, name)
    context = context.under(context.profile.with_options({"yes": True}))  # who began the run was asked
    async with in_hours(context) as bounded:
        with taken_up(bounded, name) as run:
            _require_sent(run.context, run.workspace, run.stored)
            sending = Sending(*run, steps=steps, waits=waits)
            await beside_the_loop(sending.require_approved, (), opens)
            await beside_the_loop(prepare, run.workspace, run.stored)
            return await sending.run()


def _require_sent(context: Context, workspace: Workspace, stored: StoredRun) -> None:
    """Refuse a run of which rows are still to be sent: their steps would be missing.

    Raises:
        UsageError: there are such rows.
    """
    stored.require_whole()
    stored.require_loaded()
    if is_open(workspace.runs.counts(stored.run)):
        run_id = stored.header.run_id
        raise UsageError(
            f"The run {run_id} was cut off before its rows were sent.",
            f"Go on with it first: {context.profile.commands.resume(run_id)}",
        )


def _open_again(workspace: Workspace, stored: StoredRun) -> None:
    steps = workspace.journal.steps(stored.run)
    if not any(one.step not in UNDOING for one in steps.counts()):
        raise UsageError(
            f"The run {stored.header.run_id} has no steps after its creates.",
            "Its profile names none in [after_create].",
        )
    steps.reopen({StepState.NEEDS_PERSON})
    steps.reopen({StepState.UNKNOWN}, LOOKED_UP_STEPS)


def _opens(step: Step, state: StepState) -> bool:
    """Whether that opens a step of which a request may be sent then."""
    return state is StepState.UNKNOWN and step in LOOKED_UP_STEPS


async def follow_all(profile: Profile, stop: StopSwitch, *, waits: bool) -> dict[str, Report]:
    """Go on with the open steps of every run of the profile's target; what cannot be done now waits.

    Args:
        stop: what stops all of it.
        waits: whether outcomes are waited for; if not, a run of which nothing is due is left alone.

    Returns:
        Run id to the report, written anew.
    """
    reports: dict[str, Report] = {}
    due_by = None if waits else Context(profile).now()
    for run_id in await beside_the_loop(_with_open_steps, profile, due_by):
        context = Context(profile, "nightly")
        async with stopped_with(stop, context.stop):
            if not stop.requested:
                with suppress(ImporterError):  # the next pass tries it again
                    reports[run_id] = await steps_alone(context, run_id, _leave, waits=waits)
    return reports


def _leave(workspace: Workspace, stored: StoredRun) -> None:
    """Nothing is opened again."""


def _with_open_steps(profile: Profile, due_by: float | None) -> list[str]:
    if not Location.of_workspace(profile.workspace).exists:
        return []
    with closing(open_workspace(profile.workspace, create=False)) as opened:
        return list(opened.journal.earlier.with_open_steps(profile.target, due_by))
