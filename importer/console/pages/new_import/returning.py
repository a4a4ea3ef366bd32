"""Rows of a run go back to it: from its page into a draft, and from the check of that into the run."""

from __future__ import annotations

from urllib.parse import urlsplit

from nicegui import ui

from importer.console.access import Role, Session
from importer.console.console import Console
from importer.console.jobs import Job
from importer.console.layout import card, hint, localized_text
from importer.console.pages.new_import.approving import live_question
from importer.console.pages.new_import.steps import step_address
from importer.console.texts import t
from importer.core.errors import ImporterError
from importer.core.runtime import beside_the_loop
from importer.journal import Draft
from importer.profile import HARMLESS_TARGETS
from importer.runs.context import People
from importer.runs.drafts.returning import begin_return, give_back, needs_plan, target_of


def return_button(console: Console, session: Session, run_id: str, count: int) -> None:
    """The button of a run that begins a draft of its rows to fix."""

    async def begin() -> None:
        session.require(Role.PREPARE)
        button.disable()
        try:
            draft = await begin_return(console.drafts, run_id, by=session.user)
        finally:
            button.enable()
        ui.navigate.to(step_address(draft, "fix"))

    with ui.button(on_click=begin).props("no-caps") as button:
        localized_text("returning.fix", count=count)


async def needs_plan_first(console: Console, run_id: str) -> bool:
    """Whether the rows of a draft are planned before they go back to their run; where that is unclear, it is said."""
    try:
        return await beside_the_loop(needs_plan, console.drafts, run_id)
    except ImporterError as error:
        ui.label(str(error)).classes("problem").props("role=alert")
        return False


async def return_card(console: Console, session: Session, draft: Draft, run_id: str) -> None:
    """Send the rows of a draft back to their run; the page then shows how far that is."""
    target = await beside_the_loop(target_of, console.drafts, draft)
    settings = console.profile.targets.get(target)
    host = "" if target in HARMLESS_TARGETS else urlsplit((settings and settings.base_url) or "").hostname or target
    with card(t("returning.title")):
        hint(t("returning.hint", run=run_id))
        if not session.may(Role.RUN):
            ui.label(t("returning.who"))
            return
        require_typed = live_question(host, "returning.live")

        def send() -> None:
            require_typed()
            _begin(console, session, draft)

        ui.button(t("returning.send"), on_click=send).props("no-caps")


def _begin(console: Console, session: Session, draft: Draft) -> None:
    async def work(job: Job) -> object:
        people = People(confirm=lambda _host, _rows: True, ask=job.live.ask)  # the host was typed on the page
        return await give_back(console.drafts, draft.id, by=session.user, emit=job.live, stop=job.stop, people=people)

    console.jobs.begin(draft.id, session, Role.RUN, work)
    ui.navigate.to(step_address(draft, "run"))
