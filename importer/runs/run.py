"""A source is imported: as a new run, or back into the run that it was handed out by. In a dry run it is checked."""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from importer.core.commands import FRAME
from importer.core.errors import ReturnRefusedError, UsageError
from importer.core.runtime import beside_the_loop
from importer.journal import RunFacts
from importer.readers import is_frame, is_returned
from importer.results import Report
from importer.runs.begin import Beginning, begin
from importer.runs.check import check
from importer.runs.consent import require_consent
from importer.runs.context import Context, in_hours
from importer.runs.leftovers import SPOOL_NAME, private_folder, tidy
from importer.runs.load import at_hand, opened_source
from importer.runs.plans.gate import admitted
from importer.runs.plans.held import Held, admit, plan_to_send, source_of, under_plan
from importer.runs.plans.return_plan import ReturnPlan
from importer.runs.preconditions import require_whole_rows
from importer.runs.retry import retry, take_back
from importer.runs.returns import routing
from importer.runs.wiring import Destination, destination, make_directory
from importer.runs.wiring.engine import require_sendable
from importer.runs.wiring.remote_sources import is_remote
from importer.runs.wiring.sources import typed

if TYPE_CHECKING:
    from pandas import DataFrame

    from importer.runs.wiring.sources import Source

_NOTHING = RunFacts()
_RETURNED_NAME = "returned.csv"
"""What rows are called, for people, that came back in a DataFrame."""


async def run_planned(
    context: Context,
    path: Path,
    source: Source | None = None,
    *,
    force: bool = False,
    facts: RunFacts = _NOTHING,
) -> Report:
    """Import exactly what a plan says.

    Args:
        path: of the plan; its profile holds where no other one is named.
        source: None: the one that the plan was made of.
        force: as of `run`.
        facts: what a new run notes of how it came about.

    Raises:
        PlanRefusedError: something differs from the plan, all of which is named; nothing was sent, nothing is left.
        ImporterError: as of `run`.
    """
    plan = await beside_the_loop(plan_to_send, path, context.profile.commands)
    if isinstance(plan, ReturnPlan):
        if source is None:
            return await retry(context, plan.run_id, plan=plan)
        if is_frame(source):
            raise UsageError(
                f"'{path}' is a plan of rows that are sent again, and of a file if any came back, not of a DataFrame.",
                "Name the file that the plan was made of; where it was made of none, name the plan alone.",
            )
        return await take_back(context, plan.run_id, Path(source), source, by_file=True, plan=plan)
    context = under_plan(context, plan)
    require_whole_rows(context.profile)
    where = destination(context.profile)
    require_sendable(context.profile, embedded=where.embedded)
    held = await beside_the_loop(admit, context, plan, where)
    require_consent(where, context.profile, context.people.confirm)
    source = source_of(plan.content.source) if source is None else source
    async with in_hours(context) as bounded:
        return await _run_new(bounded, source, where, force=force, as_new=True, held=held, facts=facts)


async def run(context: Context, source: Source, *, force: bool = False, as_new: bool = False) -> Report:
    """Import a source; in a dry run, only check it. What came back fixed is taken into its own run.

    Args:
        force: import it although a source of this very content was imported before; rows are matched by key.
        as_new: import what came back like any other source.

    Raises:
        ImporterError: the run was refused; nothing was sent.
    """
    require_whole_rows(context.profile)
    if context.profile.dry_run:
        return await beside_the_loop(check, context, source)
    if is_frame(source):
        if not as_new and is_returned(source):
            return await _run_returned(context, source)
    elif not (as_new or is_remote(source)):  # before anything is asked of a target that it may not be meant for
        run_id = await _run_of(context, Path(source), source)
        if run_id:
            return await take_back(context, run_id, Path(source), source, by_file=True)
    where = destination(context.profile)
    require_sendable(context.profile, embedded=where.embedded)
    admitted(context.profile, where, None, "import", context.now(), context.profile.commands.plan(typed(source)))
    require_consent(where, context.profile, context.people.confirm)
    async with in_hours(context) as bounded:
        return await _run_new(bounded, source, where, force=force, as_new=as_new)


async def _run_of(context: Context, file: Path, source: Path | str) -> str:
    """Return the run that a file was handed out by; empty: it was not handed out."""
    runs = await beside_the_loop(routing.runs_if_any, file, context.profile.source)
    return "" if runs is None else routing.to(context.profile, runs, source)


async def _run_returned(context: Context, frame: DataFrame) -> Report:
    """Take rows back that somebody fixed in a DataFrame, as a file of them would be."""
    from importer.readers.dataframe.origin import write_csv  # noqa: PLC0415  # pandas, half a second

    make_directory(context.workspace)
    with private_folder(context.workspace / SPOOL_NAME) as folder:
        file = folder / _RETURNED_NAME
        await beside_the_loop(write_csv, frame, file, context.profile.source)
        try:
            return await run(context, file)
        except ReturnRefusedError as error:
            raise ReturnRefusedError(
                error.message.replace(str(file), FRAME),
                "Leave its columns '_run' and '_row' out, or say as_new=True, to import it like any other one.",
            ) from error


async def _run_new(
    context: Context,
    source: Source,
    where: Destination,
    *,
    force: bool,
    as_new: bool,
    held: Held | None = None,
    facts: RunFacts = _NOTHING,
) -> Report:
    started_at = context.now()
    await beside_the_loop(tidy, context.workspace)
    with ExitStack() as stack:
        local = await beside_the_loop(stack.enter_context, at_hand(context, source))
        if not (as_new or is_frame(source)) and is_remote(source):
            run_id = await _run_of(context, local.path, source)
            if run_id:
                return await take_back(context, run_id, local.path, source, by_file=True)
        # Before it is opened: what is written to it from here on is another content.
        content = await beside_the_loop(local.content_hash)
        with held.explained(local.file_name, content) if held else nullcontext():
            found = await beside_the_loop(stack.enter_context, opened_source(context, local))
            beginning = Beginning(local, found, content, started_at, facts, held)
            return await begin(context, beginning, where, force=force)
