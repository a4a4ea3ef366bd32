"""A draft is checked: a dry run of its file with what was chosen and corrected."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from importer.core.errors import BusyError
from importer.core.ports import Events
from importer.core.runtime import beside_the_loop, in_a_thread
from importer.delivery import StopSwitch
from importer.journal import Act, Draft, DraftFacts
from importer.results import Report
from importer.runs.check import check as check_source
from importer.runs.context import Context, People
from importer.runs.drafts.drafts import DraftService
from importer.runs.drafts.profiles import write_files

_DECIDES_ROWS = ("kept_in", "reading", "rules", "validation", "target")
"""What was chosen of a draft, and what a check of it depends on."""


async def check(
    service: DraftService, draft: str, *, by: str, emit: Events, stop: StopSwitch, seen: int | None = None
) -> Draft:
    """Check a draft, remember the dry run, and have its rows at hand. Corrections made meanwhile need another check.

    Args:
        by: the person.
        emit: gets every event of the dry run.
        stop: ends it early; then nothing is remembered.
        seen: as of `DraftService.editable`.

    Raises:
        ImporterError: the file or what was chosen cannot be used, or it was stopped.
        BusyError: it was read, mapped or checked otherwise by somebody meanwhile.
    """
    found = await in_a_thread(partial(service.editable, draft, seen))
    context = await beside_the_loop(partial(context_of, by=by), service, found, "validate", emit, stop)
    report = await beside_the_loop(check_source, context, service.source(found))
    facts = DraftFacts(plan="", stage="fix" if report.counts.get("invalid") else "check")
    noted = await in_a_thread(partial(note_check, service, found, report, facts, service.act(by, "checked")))
    await beside_the_loop(lambda: service.rows_of(noted).know_duplicates())
    return noted


def context_of(
    service: DraftService, draft: Draft, command: str, emit: Events, stop: StopSwitch, *, by: str
) -> Context:
    """Write the files of a draft, and return what a command on it shares.

    Args:
        by: the person.

    Raises:
        SourceError, ProfileError, StorageError: as of `profiles.write_files`.
    """
    profile = write_files(service, draft)
    return Context(profile, command, emit, stop, People(by=by), service.machine)


def note_check(service: DraftService, draft: Draft, report: Report, facts: DraftFacts, act: Act) -> Draft:
    """Remember what a draft was checked with, as it was when that began.

    Raises:
        BusyError: it was chosen otherwise since.
    """
    now = service.editable(draft.id)
    if any(getattr(now.facts, name) != getattr(draft.facts, name) for name in _DECIDES_ROWS):
        raise BusyError("Somebody else changed this draft while it was being checked.", "Check it again.")
    checked = facts.merged(DraftFacts(checked_run=report.run_id, checked_edits=draft.edits))
    counts = {name: count for name, count in report.counts.items() if count}
    return service.note(now, checked, replace(act, details={"run": report.run_id, **counts}))
