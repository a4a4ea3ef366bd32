"""A draft is planned, and its plan is looked at and signed. Sends nothing, and decides nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from importer.approval import Signer
from importer.core.errors import PlanRefusedError, UsageError
from importer.core.ports import Events
from importer.core.runtime import beside_the_loop, in_a_thread
from importer.delivery import StopSwitch
from importer.journal import Draft, DraftFacts
from importer.runs.drafts.checking import context_of, note_check
from importer.runs.drafts.drafts import DraftService
from importer.runs.plans.approve import Judged
from importer.runs.plans.approve import approve as sign_plan
from importer.runs.plans.authorship import Author, no_author
from importer.runs.plans.kinds import read_plan
from importer.runs.plans.make import plan as make_plan
from importer.runs.plans.plan_file import PlanFile
from importer.runs.plans.register import register

PLAN = "plan.json"
"""Name of the plan in the folder of a draft."""
_MADE = "plan-made.json"
"""Name of a plan that was just made, until it is known that it may take the place of the one before."""
_OF_ITS_MAKING = {"made_at", "expires_at", "author", "signatures", "sha256", "forecast", "run_id"}
"""What two plans that say the same may differ in."""


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
    made = service.folder(found) / _MADE
    make = partial(make_plan, out=made, instead=True, author=author)
    report = await beside_the_loop(make, context, service.source(found))
    if "plan" in report.files:
        try:
            await in_a_thread(partial(keep_plan, service, found, read_plan(made)))
        finally:
            made.unlink()
    facts = DraftFacts(plan=PLAN if "plan" in report.files else "", stage="approve")
    return await in_a_thread(partial(note_check, service, found, report, facts, service.act(by, "planned")))


def has_plan(draft: Draft) -> bool:
    """Whether there is a plan of a draft as it is now."""
    return bool(draft.facts.plan) and draft.is_checked


def keep_plan(service: DraftService, draft: Draft, made: PlanFile) -> None:
    """Write the plan of a draft.

    Raises:
        UsageError: people have approved one that says the same, and is still good: their work is not lost.
        StorageError: it cannot be written.
    """
    if has_plan(draft):
        before = judged(service, draft.id)
        names = [one.name for one in before.plan.signatures if one.role == "approver"]
        if names and not before.expired and _says(before.plan) == _says(made):
            raise UsageError(
                f"{' and '.join(names)} approved the plan of this draft already, and it still holds.",
                "Send it; or change the draft, and plan it then.",
            )
    made.write(service.folder(draft) / PLAN, instead=True)
    register(service.workspace, made)


def _says(plan: PlanFile) -> Mapping[str, Any]:
    return plan.model_dump(exclude=_OF_ITS_MAKING)


def plan_of(service: DraftService, draft: Draft, shown: str | None = None) -> Path:
    """The plan of a draft.

    Args:
        shown: hash of the plan that a person was shown; None: of whichever there is.

    Raises:
        UsageError: there is none, or the draft was changed since.
        PlanRefusedError: it is another one than was shown.
    """
    if not has_plan(draft):
        raise UsageError("This draft was changed since it was planned, or was not planned yet.", "Plan it first.")
    path = service.folder(draft) / draft.facts.plan
    if shown is not None and read_plan(path).sha256 != shown:
        raise PlanRefusedError(
            "Somebody has planned this draft anew since the plan was shown; nothing was sent.",
            "Look at the new plan first.",
        )
    return path


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
    sign_plan(plan_of(service, found), signer, sha256, service.machine.clock.now(), service.workspace)
    now = judged(service, draft)
    facts = DraftFacts(stage="approve" if now.missing else "run")
    with service.opened() as drafts:  # whoever has changed the draft since: the plan is signed
        drafts.note(draft, facts, service.act(by, "approved", plan=sha256, key=signer.name))
    return now
