"""The sixth step: the run begins; as soon as it has a name, its own page shows it."""

from __future__ import annotations

from nicegui import ui

from importer.console.access import Session
from importer.console.console import Console
from importer.console.layout import card, hint
from importer.console.pages.new_import.steps import step_address
from importer.console.pages.new_import.waiting import failed_job, show_job
from importer.console.texts import t
from importer.journal import Draft

_EVERY_S = 0.5


async def draw(console: Console, session: Session, draft: Draft) -> None:
    """Draw it."""
    job = console.jobs.find(draft.id)
    if draft.facts.run_id:
        ui.navigate.to(step_address(draft, "run"))
    elif job is not None and not job.is_done:
        show_job(session, job)
        ui.timer(_EVERY_S, lambda: ui.navigate.to(f"/runs/{job.live.run_id}") if job.live.run_id else None)
    else:
        if job is not None:
            failed_job(job)
        with card():
            hint(t("running.none"))
            ui.link(t("running.back"), step_address(draft, "approve"))
