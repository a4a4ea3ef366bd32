"""What is shown while a draft is checked, planned or begins to be sent; the page goes on by itself after that."""

from __future__ import annotations

from nicegui import ui

from importer.console.access import Role, Session
from importer.console.console import Console
from importer.console.jobs import Job
from importer.console.layout import card, hint
from importer.console.pages.new_import.steps import step_address
from importer.console.texts import t
from importer.journal import Draft
from importer.runs.drafts.checking import check

_EVERY_S = 0.5


def check_first(console: Console, session: Session, draft: Draft) -> None:
    """Check a draft, and show how far that is."""
    job = console.jobs.find(draft.id)
    if job is not None and not job.is_done:
        show_job(session, job)
    elif job is not None and (job.error is not None or job.is_broken):
        failed_job(job)
        ui.link(t("waiting.to_map"), step_address(draft, "map"))
        _begin_button(console, session, draft)
    elif session.may(Role.PREPARE):
        begin_check(console, session, draft)
    else:
        ui.label(t("waiting.not_checked"))


def shows_job(console: Console, session: Session, draft: Draft) -> bool:
    """Show how far the work on a draft is, or why it could not be done; returns whether it is still under way."""
    job = console.jobs.find(draft.id)
    if job is not None and not job.is_done:
        show_job(session, job)
        return True
    if job is not None and (job.error is not None or job.is_broken):
        failed_job(job)
    return False


def begin_check(console: Console, session: Session, draft: Draft) -> None:
    """Begin a check, and show how far it is."""

    async def work(job: Job) -> object:
        return await check(console.drafts, draft.id, by=session.user, emit=job.live, stop=job.stop)

    show_job(session, console.jobs.begin(draft.id, session, Role.PREPARE, work))


def show_job(session: Session, job: Job) -> None:
    """Show how far a job is, and the way to stop it."""
    with card(t("waiting.title")):
        line = ui.label(job.live.tally.line()).props("role=status aria-live=off")
        bar = ui.linear_progress(show_value=False).props(f'aria-label="{t("live.progress")}"')
        if session.may(job.role):
            ui.button(t("live.stop"), on_click=lambda: job.stop_by(session)).props("no-caps outline")

    def update() -> None:
        if job.is_done:
            ui.navigate.reload()
            return
        tally = job.live.tally
        line.set_text(tally.line())
        bar.set_value(tally.done / tally.total if tally.total else 0)

    ui.timer(_EVERY_S, update)


async def draw_run(console: Console, session: Session, draft: Draft) -> None:
    """The sixth step: the run begins; as soon as it has a name, its own page shows it."""
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
            ui.link(t("running.back"), step_address(draft, "approve" if draft.facts.plan else "check"))


def failed_job(job: Job) -> None:
    """Say why a job could not be done."""
    ui.label(str(job.error) if job.error else t("app.bug")).classes("problem").props("role=alert")


def _begin_button(console: Console, session: Session, draft: Draft) -> None:
    if session.may(Role.PREPARE):
        ui.button(t("waiting.again"), on_click=lambda: _again(console, session, draft)).props("no-caps")


def _again(console: Console, session: Session, draft: Draft) -> None:
    session.require(Role.PREPARE)
    console.jobs.forget(draft.id)
    ui.navigate.reload()
