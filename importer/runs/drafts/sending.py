"""A draft becomes a run: sent exactly as planned, and gone on with. Decides nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from importer.core.errors import ImporterError
from importer.core.events import Event
from importer.core.ports import Events
from importer.core.runtime import beside_the_loop, in_a_thread
from importer.delivery import StopSwitch
from importer.journal import Act, ActFacts, DraftFacts, RunFacts
from importer.profile import Profile
from importer.results import Report
from importer.runs import registry
from importer.runs.context import Context, People
from importer.runs.drafts.checking import context_of
from importer.runs.drafts.drafts import DraftService
from importer.runs.drafts.planning import plan_of
from importer.runs.export import export
from importer.runs.kept_profile import recalled_under
from importer.runs.resume import resume as go_on
from importer.runs.run import run_planned


async def run(
    service: DraftService,
    draft: str,
    *,
    by: str,
    emit: Events,
    stop: StopSwitch,
    people: People,
    shown: str | None = None,
) -> Report:
    """Send a draft exactly as planned. Once the run has begun, the draft remembers it, and is not changed any more.

    Args:
        by: the person.
        people: who is asked.
        shown: as of `planning.plan_of`.

    Raises:
        ImporterError: as of `runs.run.run_planned`; where nothing is left of the run, the draft can be changed again.
    """
    found = await in_a_thread(partial(service.editable, draft))
    path = await in_a_thread(partial(plan_of, service, found, shown))
    await in_a_thread(partial(service.note, found, DraftFacts(stage="run"), service.act(by, "sent")))
    begun: list[str] = []

    def listen(event: Event) -> None:
        if event.name == "run_started" and not begun:
            begun.append(str(event.data["run_id"]))
            _remember(service, draft, begun[0], by)
        emit(event)

    context = await beside_the_loop(partial(context_of, by=by), service, found, "run", listen, stop)
    context = replace(context, people=replace(people, by=by))
    noted = await in_a_thread(partial(_acts_of, service, draft))
    try:
        return await run_planned(context, path, service.source(found), facts=noted)
    except ImporterError:
        await in_a_thread(partial(_forget_refused, service, draft, begun, by))
        raise


async def resume(
    service: DraftService, run_id: str, *, by: str, emit: Events, stop: StopSwitch, people: People
) -> Report:
    """Go on with a run, of a draft or not, under the profile that it has kept.

    Args:
        by: the person.

    Raises:
        ImporterError: as of `runs.resume.resume`.
    """
    await in_a_thread(partial(log_act, service, run_id, by, "resumed"))
    profile = await in_a_thread(partial(profile_of_run, service, run_id))
    return await go_on(Context(profile, "resume", emit, stop, people, service.machine), run_id)


def write_again(service: DraftService, run_id: str, *, by: str) -> Report:
    """Write the files of a run that has ended, as the journal has it, under the profile that it has kept. Blocks.

    Args:
        by: the person.

    Raises:
        ImporterError: as of `runs.export.export`.
    """
    log_act(service, run_id, by, "files written")
    people = People(by=by)
    return export(Context(profile_of_run(service, run_id), "export", people=people, machine=service.machine), run_id)


def profile_of_run(service: DraftService, run_id: str) -> Profile:
    """The profile that a run has kept: that of the console is for all runs, and knows nothing of their files."""
    with registry.opened_run(service.workspace, run_id) as opened:
        return recalled_under(service.profile, opened.stored)


def log_act(service: DraftService, run_id: str, by: str, what: str) -> None:
    """Have the receipt of a run say that somebody has done something to it; errors as of `log_acts`."""
    log_acts(service, run_id, [service.act(by, what)])


def log_acts(service: DraftService, run_id: str, acts: Iterable[Act]) -> None:
    """Have the receipt of a run say who did what to it, also while it is under way.

    Raises:
        UsageError: there is no such run.
        JournalError: the journal cannot be written.
    """
    with registry.opened_run(service.workspace, run_id, writes=True) as run:
        noted = (*run.stored.facts.acts, *map(_noted, acts))
        run.journal.runs.note(run.stored.run, RunFacts(acts=noted))


def _acts_of(service: DraftService, draft: str) -> RunFacts:
    """Who did what to a draft, for the receipt of its run."""
    return RunFacts(acts=tuple(map(_noted, service.acts(draft))))


def _noted(act: Act) -> ActFacts:
    return ActFacts(at=act.at, by=act.by, what=act.what, details=act.details)


def _remember(service: DraftService, draft: str, run_id: str, by: str) -> None:
    """Note the run of a draft; empty: nothing is left of it."""
    what = "run begun" if run_id else "run refused"
    with service.opened() as drafts:
        drafts.note(draft, DraftFacts(run_id=run_id, stage="results" if run_id else "approve"), service.act(by, what))


def _forget_refused(service: DraftService, draft: str, begun: Sequence[str], by: str) -> None:
    """Have a draft be changed again whose run never began, or of which nothing is left."""
    left = {one.run_id for one in registry.listed(service.workspace)}
    if left.isdisjoint(begun) and service.find(draft).facts.run_id in {"", *begun}:  # else another program sends it
        _remember(service, draft, "", by)
