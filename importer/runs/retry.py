"""Rows of a run are sent again: what failed or is unknown, and what came back fixed in a file."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from importer.core.errors import UsageError
from importer.core.runtime import beside_the_loop
from importer.core.states import RowState
from importer.core.steps import StepState
from importer.journal import LOADING, StoredRun
from importer.results import Report
from importer.runs import registry
from importer.runs.begin import Beginning, begin
from importer.runs.consent import require_consent
from importer.runs.context import Context, in_hours
from importer.runs.kept_files import put_back
from importer.runs.kept_profile import is_other_profile, recalled
from importer.runs.load import at_hand
from importer.runs.plans.authorship import Author, no_author, signer_of
from importer.runs.plans.gate import admitted, requirement
from importer.runs.plans.plan_file import require_replaceable
from importer.runs.plans.register import register
from importer.runs.plans.returning import Returning
from importer.runs.preconditions import require_own_run
from importer.runs.resume import Reopened, destination_again, go_on, recall
from importer.runs.returns import routing
from importer.runs.returns.routing import Back
from importer.runs.wiring import destination, open_workspace
from importer.runs.wiring.sources import LocalSource

if TYPE_CHECKING:
    from importer.runs.plans.return_plan import ReturnPlan

RETRYABLE = Reopened((RowState.FAILED, RowState.UNKNOWN, RowState.UNSENT), steps=(StepState.FAILED, StepState.DIFFERS))
"""What a retry opens again."""


async def retry(
    context: Context, name: str, *, fixed: Path | str | None = None, plan: ReturnPlan | None = None
) -> Report:
    """Send again only what failed, is unknown (after a look-up) or was never sent; errors as for `resume`.

    Args:
        name: a run id, a unique prefix of one, or `last`.
        fixed: a file that was handed out for this run: what was changed in it is checked, and sent as well.
        plan: what is sent: anything else is refused; None: nobody has said that.
    """
    if fixed is not None:
        with ExitStack() as stack:
            local = await beside_the_loop(stack.enter_context, at_hand(context, fixed))
            return await take_back(context, name, local.path, fixed, by_file=False, plan=plan)
    context, stored = await beside_the_loop(recall, context, name)
    other = is_other_profile(context.profile, stored)
    back = Back(None, under_profile=other, plan=plan) if other or plan else None
    async with in_hours(context) as context:
        return await go_on(context, name, RETRYABLE, back)


async def plan_retry(
    context: Context, name: str, *, fixed: Path | str | None = None, author: Author = no_author
) -> ReturnPlan:
    """Make the plan of what `retry` would send; changes nothing. Arguments and errors as for `retry`.

    Args:
        author: asked where a policy is in force: the plan is signed with that key.
    """
    with ExitStack() as stack:
        if fixed is None:
            context, stored = await beside_the_loop(recall, context, name)
            back = Back(None, under_profile=is_other_profile(context.profile, stored))
        else:
            local = await beside_the_loop(stack.enter_context, at_hand(context, fixed))
            context, name, back = await _fixed(context, name, local.path, fixed)
        return await beside_the_loop(_planned, context, name, back, author)


async def write_plan(
    context: Context, name: str, *, fixed: Path | str | None, author: Author, out: Path | None
) -> tuple[str, Path | None]:
    """Make the plan of what `retry` would send, and write it; arguments and errors as for `plan_retry`.

    Args:
        name: empty: the run that the file names.
        out: the file; None: one in the run's directory.

    Returns:
        The run, and the file of its plan; None: there is nothing to send, and no plan.
    """
    await beside_the_loop(require_replaceable, out)
    if not name:
        assert fixed is not None  # noqa: S101  # the face has named one of them
        runs = await beside_the_loop(routing.runs_of, Path(fixed), context.profile.source)
        name = routing.to(context.profile, runs or (), fixed)
    plan = await plan_retry(context, name, fixed=fixed, author=author)
    if plan.sends_nothing:
        return plan.run_id, None
    path = out or context.workspace / plan.run_id / f"return-plan-{plan.sha256[:8]}.json"
    await beside_the_loop(plan.write, path)
    await beside_the_loop(register, context.workspace, plan)
    return plan.run_id, path


async def _fixed(context: Context, name: str, file: Path, source: Path | str) -> tuple[Context, str, Back]:
    """Find the run that a fixed file goes back to, for its plan."""
    context, found, stored = await beside_the_loop(_recall_any, context, name)
    require_own_run(context.profile, stored, source, by_file=False, may_check_again=False)
    run_id = await beside_the_loop(routing.continued_by, context.profile, found)
    if not run_id:
        raise _of_a_dry_run(context, name, source)
    return context, run_id, Back(file)


def _of_a_dry_run(context: Context, name: str, source: Path | str) -> UsageError:
    return UsageError(
        f"The file '{source}' comes back to the dry run {name}, of which nothing was imported yet.",
        f"Plan it as a file of its own: `{context.profile.commands.plan(source, '--as-new')}`.",
    )


def _planned(context: Context, name: str, back: Back, author: Author) -> ReturnPlan:
    context = context.under(context.profile.with_options({"yes": True}))  # nothing is sent
    with closing(open_workspace(context.workspace, create=False)) as workspace:
        stored = workspace.runs.find(name)
        stored.require_whole()
        if stored.phase == LOADING:
            make = context.profile.commands.plan(stored.header.path)
            raise UsageError(
                f"The run {stored.header.run_id} was cut off while it read its source; nothing was sent.",
                f"Plan the file anew, and send that plan with --force: {make}",
            )
        put_back(workspace.journal, stored.run, workspace.path / stored.header.run_id)
        context, where = destination_again(context, workspace, stored, context.now())
        signer = signer_of(context.profile, requirement(context.profile, where), author, context.now())
        return Returning(context, workspace, stored, where, back).plan(signer)


async def take_back(
    context: Context,
    name: str,
    file: Path,
    source: Path | str,
    *,
    by_file: bool,
    plan: ReturnPlan | None = None,
) -> Report:
    """Take the rows of a file back into the run that they are from, and go on with that.

    Args:
        name: of an import or a dry run.
        source: the file as it was named.
        by_file: the file alone named the run.
        plan: as of `retry`.

    Raises:
        ReturnRefusedError: another target or profile than the run's was named.
        ImporterError: as for `resume`.
    """
    context, found, stored = await beside_the_loop(_recall_any, context, name)
    again = context.is_nightly and is_other_profile(context.profile, stored)
    require_own_run(context.profile, stored, source, by_file=by_file, may_check_again=again)
    run_id = await beside_the_loop(routing.continued_by, context.profile, found)
    if not run_id:
        if plan is not None:
            raise _of_a_dry_run(context, name, source)
        return await _import_checked(context, found, file)
    async with in_hours(context) as context:
        return await go_on(context, run_id, RETRYABLE, Back(file, under_profile=again, plan=plan))


def _recall_any(context: Context, name: str) -> tuple[Context, registry.Listed, StoredRun]:
    """Find an import or a dry run, and take over the profile that it has kept where none was named."""
    found = registry.find(context.workspace, name)
    with registry.opened(found) as opened_run:
        stored = opened_run.stored
    stored.require_whole()
    return context.under(recalled(context.profile, stored)), found, stored


async def _import_checked(context: Context, checked: registry.Listed, file: Path) -> Report:
    """Import all rows of a dry run, those that came back fixed among them."""
    from importer.runs.returns.dry_run import continued  # noqa: PLC0415  # its libraries take longer than a small file

    where, started_at, commands = destination(context.profile), context.now(), context.profile.commands
    admitted(context.profile, where, None, "import", started_at, commands.plan(file, "--as-new"))
    require_consent(where, context.profile, context.people.confirm)
    async with in_hours(context) as bounded:
        with ExitStack() as stack:
            found = await beside_the_loop(stack.enter_context, continued(checked, file, context.profile))
            local = LocalSource(Path(found.header.path), found.header.path)
            source = Beginning(local, found.source, found.header.content_hash, started_at, found.facts)
            return await begin(bounded, source, where, force=False)
