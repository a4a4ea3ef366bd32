"""Rows of a run are fixed in a draft and sent back into that run: they never become customers of a run of their own."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from importer.core.atomic_files import AtomicFiles
from importer.core.columns import is_added
from importer.core.corrections import Correction
from importer.core.errors import UsageError
from importer.core.ports import Events, Reader
from importer.core.runtime import in_a_thread
from importer.delivery import StopSwitch
from importer.journal import CheckChoices, Draft, DraftFacts
from importer.readers import open_handed_out
from importer.results import Report
from importer.runs import registry
from importer.runs.context import Context, People
from importer.runs.drafts.drafts import DraftService
from importer.runs.drafts.mapping import choose_mapping
from importer.runs.drafts.planning import PLAN, has_plan, keep_plan, plan_of
from importer.runs.drafts.reading import came_from
from importer.runs.drafts.receiving import receive
from importer.runs.drafts.sending import log_acts, profile_of_run
from importer.runs.kept_profile import for_target, kept_profile, recalled_under
from importer.runs.plans.authorship import Author, no_author
from importer.runs.plans.gate import requirement
from importer.runs.plans.kinds import read_plan_of
from importer.runs.plans.return_plan import ReturnPlan
from importer.runs.retry import plan_retry, retry
from importer.runs.returns import routing
from importer.runs.wiring import destination

FIXED = "fixed.csv"
"""Name, in the folder of a draft, of what goes back to a run."""
_CHUNK_BYTES = 1 << 20


async def begin_return(service: DraftService, run_id: str, *, by: str) -> Draft:
    """Begin a draft with the rows of a run that are to be fixed, mapped as they were in the run.

    Args:
        run_id: of an import.
        by: the person.

    Raises:
        UsageError: there is no such run, it is a dry run, or it has no rows to fix.
        ImporterError: as of `receiving.receive`.
    """
    file = await in_a_thread(partial(_rejects, service, run_id))
    draft = await in_a_thread(partial(service.begin, by))
    try:
        size = file.stat().st_size + 1
        await receive(service, draft.id, file.name, _chunks(file), by=by, most_bytes=size)
        return await in_a_thread(partial(_map_as_in_the_run, service, run_id, draft.id, by))
    except BaseException:
        await in_a_thread(partial(service.remove, draft.id))
        raise


def run_of(service: DraftService, draft: Draft) -> registry.Listed | None:
    """The import that the file of a draft goes back to; None: it is a file of its own.

    Raises:
        UsageError: it comes from a dry run.
        ReturnRefusedError: its run is not in the workspace, or there are several.
    """
    runs = came_from(service, draft)
    if not runs:
        return None
    found = registry.find(service.workspace, routing.to(service.profile, runs, draft.facts.file))
    if found.dry_run:
        raise UsageError(
            f"This file comes back from the check {found.run_id}, of which nothing was sent.",
            "Upload it in the step Fix of the draft that was checked.",
        )
    return found


def target_of(service: DraftService, draft: Draft) -> str:
    """Where the rows of a draft are sent to: where its run sends, where they go back to one. Errors as of `run_of`."""
    run = run_of(service, draft) if draft.facts.file else None
    if run is None:
        return draft.facts.target or service.profile.target
    with registry.opened(run) as opened:
        return opened.stored.header.target


def needs_plan(service: DraftService, run_id: str) -> bool:
    """Whether the target of a run takes nothing that no plan says, as far as this machine knows.

    Raises:
        ImporterError: as of `gate.requirement`, or the target cannot be used any more.
    """
    with registry.opened_run(service.workspace, run_id) as run:
        profile = for_target(recalled_under(service.profile, run.stored), run.stored.header)
    return requirement(profile, destination(profile)) is not None


async def plan_return(
    service: DraftService, draft: str, *, by: str, emit: Events, stop: StopSwitch, author: Author = no_author
) -> Draft:
    """Make the plan of what a draft, as it is corrected now, sends into the run that its rows are from.

    Args:
        by: the person.
        author: as of `planning.plan`.

    Raises:
        UsageError: the file of the draft is one of its own, or there is nothing to send; or as of
            `DraftService.editable`.
        ImporterError: as of `runs.retry.plan_retry`; a plan that somebody has approved, and that still holds, is kept.
    """
    found = await in_a_thread(partial(service.editable, draft))
    run_id, file = await in_a_thread(partial(_returned, service, found))
    profile = await in_a_thread(partial(profile_of_run, service, run_id))
    context = Context(profile, "plan", emit, stop, People(by=by), service.machine)
    plan = await plan_retry(context, run_id, fixed=file, author=author)
    if plan.sends_nothing:
        raise UsageError("Nothing was fixed in these rows, so there is nothing to send.", "Fix one of them first.")
    await in_a_thread(partial(keep_plan, service, found, plan))
    return await in_a_thread(
        partial(service.note, found, DraftFacts(plan=PLAN, stage="approve"), service.act(by, "planned"))
    )


async def give_back(
    service: DraftService,
    draft: str,
    *,
    by: str,
    emit: Events,
    stop: StopSwitch,
    people: People,
    shown: str | None = None,
) -> Report:
    """Send the rows of a draft, as they are corrected now, back into the run that they are from.

    Where there is a plan of that, exactly what it says is sent.

    Args:
        by: the person.
        people: who is asked.
        shown: as of `planning.plan_of`.

    Raises:
        UsageError: the file of the draft is one of its own; or as of `DraftService.editable` and `planning.plan_of`.
        ImporterError: as of `runs.retry.retry`; the draft can still be changed.
    """
    found = await in_a_thread(partial(service.editable, draft))
    run_id, file = await in_a_thread(partial(_returned, service, found))
    profile, plan = await in_a_thread(partial(profile_of_run, service, run_id)), None
    if shown is not None or has_plan(found):
        plan = read_plan_of(ReturnPlan, plan_of(service, found, shown), profile.commands)
    await in_a_thread(partial(log_acts, service, run_id, [*service.acts(draft), service.act(by, "returned")]))
    context = Context(profile, "retry", emit, stop, replace(people, by=by), service.machine)
    report = await retry(context, run_id, fixed=file, plan=plan)
    facts = DraftFacts(run_id=report.run_id, stage="results")
    with service.opened() as drafts:  # whoever has changed the draft since: its rows are sent
        drafts.note(draft, facts, service.act(by, "returned", run=report.run_id))
    return report


def _returned(service: DraftService, draft: Draft) -> tuple[str, Path]:
    """The run that a draft goes back to, and what goes back, which is written here.

    Raises:
        UsageError: the file of the draft is one of its own.
    """
    run = run_of(service, draft)
    if run is None:
        raise UsageError("The file of this draft was not handed out by a run.", "Plan it, and send the plan.")
    return run.run_id, _write_fixed(service, draft)


def _map_as_in_the_run(service: DraftService, run_id: str, draft: str, by: str) -> Draft:
    """Choose what the run has kept, so that the draft is checked as the run will check it."""
    with registry.opened_run(service.workspace, run_id) as run:
        kept = kept_profile(run.stored)
    if kept is None:
        return service.find(draft)
    rules = {name: rule.model_dump(mode="json", exclude_defaults=True) for name, rule in kept.rules.items()}
    chosen = {name: kept.settings["validation"].get(name) for name in CheckChoices.model_fields}
    return choose_mapping(service, draft, rules, CheckChoices.model_validate(chosen), by=by)


def _rejects(service: DraftService, run_id: str) -> Path:
    found = registry.find(service.workspace, run_id)
    file = service.workspace / found.run_id / "rejects.csv"
    if found.dry_run or not file.is_file():
        raise UsageError(f"The run {found.run_id} has no rows to return.", "Choose an import that held rows back.")
    return file


async def _chunks(file: Path) -> AsyncIterator[bytes]:
    with file.open("rb") as stream:  # opening waits for nobody
        while chunk := await in_a_thread(partial(stream.read, _CHUNK_BYTES)):
            yield chunk


def _write_fixed(service: DraftService, draft: Draft) -> Path:
    """Write the file of a draft with its corrections in it, and with the columns that say which rows they are."""
    reader = open_handed_out(service.source(draft), service.profile.source)
    assert reader is not None  # noqa: S101  # it names its run
    with service.opened() as drafts:
        corrections = drafts.corrections(draft.id)
    with closing(reader), AtomicFiles(service.folder(draft)) as files:
        lines = csv.writer(files.text(FIXED))
        lines.writerow(reader.info.columns)
        lines.writerows(_fixed_lines(reader, corrections))
    return service.folder(draft) / FIXED


def _fixed_lines(reader: Reader, corrections: Sequence[Correction]) -> Iterator[Sequence[str]]:
    """Every line as it is corrected; one that was left out does not go back, and stays in its run as it is."""
    after = {(one.row, one.column): one.after for one in corrections}
    names = reader.info.columns
    own = [place for place, name in enumerate(names) if not is_added(name)]
    for batch in reader.batches():
        for row, cells in zip(batch.rows, zip(*batch.cells, strict=True), strict=True):
            fixed = [after.get((row, name), cell) for name, cell in zip(names, cells, strict=True)]
            if any(fixed[place] for place in own):
                yield fixed
