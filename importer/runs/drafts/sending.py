"""A draft becomes a run: planned, approved, sent exactly as planned, and gone on with. Decides nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from importer.approval import Signer
from importer.core.errors import ImporterError, UsageError
from importer.core.events import Event
from importer.core.ports import Events
from importer.core.runtime import beside_the_loop, in_a_thread
from importer.delivery import StopSwitch
from importer.journal import Act, ActFacts, Draft, DraftFacts, RunFacts
from importer.profile import Profile
from importer.results import Report
from importer.runs import registry
from importer.runs.context import Context, People
from importer.runs.drafts.checking import context_of, note_check
from importer.runs.drafts.drafts import DraftService
from importer.runs.kept_profile import recalled_under
from importer.runs.plans.approve import Judged
from importer.runs.plans.approve import approve as sign_plan
from importer.runs.plans.authorship import Author, no_author
from importer.runs.plans.kinds import read_plan
from importer.runs.plans.make import plan as make_plan
from importer.runs.resume import resume as go_on
from importer.runs.run import run_planned

PLAN = "plan.json"
"""Name of the plan in the folder of a draft."""


def choose_target(service: DraftService, draft: str, target: str, *, by: str, seen: int | None = None) -> Draft:
    """Choose where a draft is sent to; another target needs another check and plan.

    Args:
        target: one that the console's profile names.
        by: the person.
        seen: as of `DraftService.editable`.

    Raises:
        UsageError: the profile does not name it; or as of `DraftService.editable`.
        BusyError: as there.
    """
    found = service.editable(draft, seen)
    if target not in service.profile.targets:
        raise UsageError("There is no such target in the profile of the console.", "Choose one of those it names.")
    facts, act = DraftFacts(target=target), service.act(by, "target chosen", target=target)
    if target != (found.facts.target or service.profile.target):
        facts = facts.merged(DraftFacts(checked_run="", plan=""))
    return service.note(found, facts, act)


async def plan(
    service: DraftService,
    draft: str,
    *,
    by: str,
    emit: Events,
    stop: StopSwitch,
    author: Author = no_author,
    seen: int | None = None,
) -> Draft:
    """Make the plan of a draft: a dry run that says what would be sent, which counts as its check.

    Args:
        by: the person.
        author: gives the key of that person, where a policy asks for signatures.
        seen: as of `DraftService.editable`.

    Raises:
        UsageError: its rows are of a run: they go back there (`returning`), and never become new customers.
        ImporterError: as of `runs.plans.make.plan`; a plan that somebody has approved, and that still holds, is kept.
        BusyError: the draft was chosen otherwise by somebody meanwhile.
    """
    found = await in_a_thread(partial(service.editable, draft, seen))
    context = await beside_the_loop(partial(context_of, by=by), service, found, "plan", emit, stop)
    path, holds = service.folder(found) / PLAN, has_plan(found)
    make = partial(make_plan, out=path, instead=not holds, author=author)
    report = await beside_the_loop(make, context, service.source(found))
    facts = DraftFacts(plan=PLAN if "plan" in report.files else "", stage="approve")
    return await in_a_thread(partial(note_check, service, found, report, facts, service.act(by, "planned")))


def has_plan(draft: Draft) -> bool:
    """Whether there is a plan of a draft as it is now."""
    return bool(draft.facts.plan) and draft.is_checked


def plan_of(service: DraftService, draft: Draft) -> Path:
    """The plan of a draft.

    Raises:
        UsageError: there is none, or the draft was changed since.
    """
    if not has_plan(draft):
        raise UsageError("This draft was changed since it was planned, or was not planned yet.", "Plan it first.")
    return service.folder(draft) / draft.facts.plan


def judged(service: DraftService, draft: str) -> Judged:
    """The plan of a draft, who has signed it, and what is missing.

    Raises:
        UsageError: as of `plan_of`.
        PlanRefusedError: its file was edited.
    """
    path = plan_of(service, service.find(draft))
    return Judged.of(read_plan(path), service.profile.approval, service.machine.clock.now())


def approve(service: DraftService, draft: str, signer: Signer, sha256: str, *, by: str) -> Judged:
    """Sign the plan of a draft.

    Args:
        sha256: of the plan that the person was shown.
        by: the person.

    Raises:
        UsageError: as of `plan_of`.
        ApprovalMissingError, PlanRefusedError, StorageError: as of `runs.plans.approve.approve`.
    """
    found = service.editable(draft)
    sign_plan(plan_of(service, found), signer, sha256, service.machine.clock.now())
    now = judged(service, draft)
    facts = DraftFacts(stage="approve" if now.missing else "run")
    with service.opened() as drafts:  # whoever has changed the draft since: the plan is signed
        drafts.note(draft, facts, service.act(by, "approved", plan=sha256, key=signer.name))
    return now


async def run(
    service: DraftService,
    draft: str,
    *,
    by: str,
    emit: Events,
    stop: StopSwitch,
    people: People,
    force: bool = False,
) -> Report:
    """Send a draft exactly as planned. Once the run has begun, the draft remembers it, and is not changed any more.

    Args:
        by: the person.
        people: who is asked.
        force: send it although this very content was imported before.

    Raises:
        ImporterError: as of `runs.run.run_planned`; where nothing is left of the run, the draft can be changed again.
    """
    found = await in_a_thread(partial(service.editable, draft))
    path = plan_of(service, found)
    await in_a_thread(partial(service.note, found, DraftFacts(stage="run"), service.act(by, "sent")))
    begun: list[str] = []

    def listen(event: Event) -> None:
        if event.name == "run_started" and not begun:
            begun.append(str(event.data["run_id"]))
            _remember(service, draft, begun[0], by)
        emit(event)

    context = await beside_the_loop(partial(context_of, by=by), service, found, "run", listen, stop)
    context, noted = (
        replace(context, people=replace(people, by=by)),
        await in_a_thread(partial(_acts_of, service, draft)),
    )
    try:
        return await run_planned(context, path, service.source(found), force=force, facts=noted)
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
    if left.isdisjoint(begun):
        _remember(service, draft, "", by)
