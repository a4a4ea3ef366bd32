"""An update under a plan: a list of what it would change becomes the plan, and the update goes on from that list.

Nothing is changed that the list does not say, and nothing at all where anything differs from the plan.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from importer.core.errors import PlanRefusedError, UsageError
from importer.core.runtime import beside_the_loop
from importer.core.states import RowState
from importer.journal import FINISHED
from importer.results import Report
from importer.runs.consent import ask_consent
from importer.runs.context import Context, in_hours
from importer.runs.follow import NOT_UNDOING
from importer.runs.load import at_hand
from importer.runs.plans.authorship import Author, NextOf, made, no_author, signer_of
from importer.runs.plans.gate import admitted, is_begun, note, requirement
from importer.runs.plans.held import source_of
from importer.runs.plans.import_plan import refused
from importer.runs.plans.kinds import read_plan_of
from importer.runs.plans.plan_file import require_replaceable
from importer.runs.plans.register import register
from importer.runs.plans.update_plan import FILE, UpdatePlan, content_of
from importer.runs.resume import recall, resume
from importer.runs.send import Sending
from importer.runs.take_up import TakenUp, taken_up
from importer.runs.update import open_listed, update

if TYPE_CHECKING:
    from importer.profile import Profile
    from importer.runs.wiring.sources import Source

_HASH = 8
"""Digits of a hash that people are shown."""


async def plan_update(
    context: Context, source: Source, *, out: Path | None = None, author: Author = no_author
) -> Report:
    """List what an update would change, and write a plan of it; reads every customer, and changes none.

    Args:
        out: the plan file; None: one in the directory of the list.
        author: asked where a policy is in force: the plan is signed with that key.

    Returns:
        The report of the list, with the plan among its files; without one where it was stopped.

    Raises:
        ImporterError: as for `update`; there is no plan.
    """
    await beside_the_loop(require_replaceable, out)
    report = await update(context.under(context.profile.with_options({"dry_run": True})), source)
    context, stored = await beside_the_loop(recall, context, report.run_id)
    if stored.phase != FINISHED:
        return report
    context = context.under(context.profile.with_options({"yes": True}))  # nothing is changed
    return await beside_the_loop(_planned, context, report, out, author)


def _planned(context: Context, report: Report, out: Path | None, author: Author) -> Report:
    """Make the plan of a list that has ended."""
    with taken_up(context, report.run_id) as run:
        profile = run.context.profile
        asked = requirement(profile, run.where)
        content = content_of(run.workspace.journal, run.stored, profile.contract)
        signer = signer_of(profile, asked, author, run.context.now())
        plan = made(
            UpdatePlan,
            run.context,
            run.where,
            signer,
            run_id=report.run_id,
            rows=content.bodies.count,
            content=content,
        )
        path = out or run.directory / FILE
        plan.write(path)
        register(context.workspace, plan)
    commands = context.profile.commands
    what = NextOf.of(plan, asked, path, commands)
    advice, command = what.step("To change exactly that, run:", commands.update_plan(path), commands.show(str(path)))
    return replace(
        report,
        files={**report.files, "plan": path},
        verdict=f"{report.verdict} This is the plan {plan.sha256[:_HASH]}. {what.until} {what.approval}".strip(),
        next_step=f"{advice} {command}",
        next_command=command,
    )


async def update_planned(context: Context, path: Path, source: Source | None = None) -> Report:
    """Change customers exactly as a plan lists it; one that somebody has changed since is left alone.

    What was begun in time under a plan goes on under it, also after it has expired.

    Args:
        path: of the plan; the profile of its list holds where no other one is named.
        source: None: the one that the list was made of.

    Raises:
        PlanRefusedError: something differs from the plan, all of which is named; nothing was changed.
        ApprovalMissingError: it is not approved, and has to be.
        ImporterError: as for `resume`.
    """
    plan = await beside_the_loop(read_plan_of, UpdatePlan, path, context.profile.commands)
    _require_asked(context.profile, plan)
    try:
        context, _ = await beside_the_loop(recall, context, plan.run_id)
    except UsageError as error:
        raise PlanRefusedError(f"The list of the plan cannot be gone on with. {error.message}", error.hint) from error
    source = source_of(plan.content.source) if source is None else source
    async with in_hours(context) as bounded:
        with taken_up(bounded, plan.run_id) as run:
            begun = is_begun(run.stored.facts, plan)
            make = run.context.profile.commands.plan(plan.content.source.path, "--update")
            signatures = admitted(
                run.context.profile, run.where, plan, "update", run.context.now(), make, expiry=not begun
            )
            await _require_same(run, plan, source)
            if not begun:
                await beside_the_loop(plan.require_list, run.workspace.journal, run.stored)
                ask_consent(run.where, run.context.profile, run.context.people.confirm, {RowState.READY: plan.rows})
                await beside_the_loop(note, run.workspace.journal, run.stored, plan, signatures, run.directory)
                await beside_the_loop(open_listed, run.workspace, run.stored)
                return await Sending(*run, steps=NOT_UNDOING, waits=False).run()
    return await resume(context, plan.run_id)


def _require_asked(profile: Profile, plan: UpdatePlan) -> None:
    """Refuse options that ask for something else than the plan says; the profile of its list would go before them.

    Raises:
        PlanRefusedError: there are some; all are named.
    """
    if profile.target_origin == "option" and profile.target != plan.target:
        raise refused([f"the target (then '{plan.target}', now '{profile.target}')"])
    if not profile.is_named:
        plan.require_profile(profile.over(plan.content.kept["settings"], plan.run_id))


async def _require_same(run: TakenUp, plan: UpdatePlan, source: Source) -> None:
    """Refuse another target or content, another profile, or other rules of the program; errors as of the plan's."""
    if (run.where.scope, run.where.host) != (plan.scope, plan.host):
        raise refused([f"the target (then {plan.scope}, now {run.where.scope})"])
    with ExitStack() as stack:
        local = await beside_the_loop(stack.enter_context, at_hand(run.context, source))
        content = await beside_the_loop(local.content_hash)
    await beside_the_loop(plan.require_same, run.context.profile, local.file_name, content)
