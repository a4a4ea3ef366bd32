"""Rows of a run are sent again: what failed or is unknown, and what came back fixed in a file."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from importer.core.runtime import beside_the_loop
from importer.core.states import RowState
from importer.core.steps import StepState
from importer.journal import StoredRun
from importer.results import Report
from importer.runs import registry
from importer.runs.begin import Beginning, allowed, begin
from importer.runs.context import Context, in_hours
from importer.runs.kept_profile import is_other_profile, recalled
from importer.runs.load import at_hand
from importer.runs.plans.gate import admitted
from importer.runs.preconditions import require_own_run
from importer.runs.resume import Reopened, go_on, recall
from importer.runs.returns import routing
from importer.runs.returns.routing import Back
from importer.runs.wiring.sources import LocalSource

RETRYABLE = Reopened((RowState.FAILED, RowState.UNKNOWN, RowState.UNSENT), steps=(StepState.FAILED, StepState.DIFFERS))
"""What a retry opens again."""


async def retry(context: Context, name: str, *, fixed: Path | str | None = None) -> Report:
    """Send again only what failed, is unknown (after a look-up) or was never sent; errors as for `resume`.

    Args:
        name: a run id, a unique prefix of one, or `last`.
        fixed: a file that was handed out for this run: what was changed in it is checked, and sent as well.
    """
    if fixed is not None:
        with ExitStack() as stack:
            local = await beside_the_loop(stack.enter_context, at_hand(context, fixed))
            return await take_back(context, name, local.path, fixed, by_file=False)
    context, stored = await beside_the_loop(recall, context, name)
    back = Back(None, under_profile=True) if is_other_profile(context.profile, stored) else None
    async with in_hours(context) as context:
        return await go_on(context, name, RETRYABLE, back)


async def take_back(context: Context, name: str, file: Path, source: Path | str, *, by_file: bool) -> Report:
    """Take the rows of a file back into the run that they are from, and go on with that.

    Args:
        name: of an import or a dry run.
        source: the file as it was named.
        by_file: the file alone named the run.

    Raises:
        ReturnRefusedError: another target or profile than the run's was named.
        ImporterError: as for `resume`.
    """
    context, found, stored = await beside_the_loop(_recall_any, context, name)
    again = context.is_nightly and is_other_profile(context.profile, stored)
    require_own_run(context.profile, stored, source, by_file=by_file, may_check_again=again)
    run_id = await beside_the_loop(routing.continued_by, context.profile, found)
    if not run_id:
        return await _import_checked(context, found, file)
    async with in_hours(context) as context:
        return await go_on(context, run_id, RETRYABLE, Back(file, under_profile=again))


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

    where, started_at, commands = allowed(context), context.now(), context.profile.commands
    admitted(context.profile, where, None, "return", started_at, commands.plan_retry(checked.run_id, file))
    async with in_hours(context) as bounded:
        with ExitStack() as stack:
            found = await beside_the_loop(stack.enter_context, continued(checked, file, context.profile))
            local = LocalSource(Path(found.header.path), found.header.path)
            source = Beginning(local, found.source, found.header.content_hash, started_at, found.facts)
            return await begin(bounded, source, where, force=False)
