"""The addresses of a new import: where it begins, and one page for each step of a draft."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from fastapi import FastAPI, Request
from nicegui import ui

from importer.console.access import Role, Session
from importer.console.console import Console
from importer.console.guard import session_of
from importer.console.layout import PATIENCE_S, card, page_frame, target_banner
from importer.console.pages.new_import import approving, checking, fixing, mapping, rows_api, upload, waiting
from importer.console.pages.new_import.steps import step_list
from importer.console.texts import t
from importer.core.errors import ImporterError, UsageError
from importer.core.runtime import beside_the_loop
from importer.journal import Draft
from importer.runs.drafts.returning import target_of

Draw = Callable[[Console, Session, Draft], Awaitable[None]]

_PAGES: Mapping[str, Draw] = {
    "upload": upload.draw,
    "map": mapping.draw,
    "fix": fixing.draw,
    "check": checking.draw,
    "approve": approving.draw,
    "run": waiting.draw_run,
}


def register(console: Console, application: FastAPI) -> None:
    """Add the pages, and what they receive."""
    for receiving in (upload, mapping, rows_api):
        receiving.register(console, application)

    @ui.page("/new")
    async def new(request: Request) -> None:
        session = session_of(request)
        session.require(Role.PREPARE)
        with page_frame(session, t("nav.new"), "/new"):
            step_list(None, "upload")
            upload.draw_begin(console)

    @ui.page("/drafts/{draft_id}/{step}", response_timeout=PATIENCE_S)
    async def step(request: Request, draft_id: str, step: str) -> None:
        session = session_of(request)
        session.require(Role.VIEW)
        draft = await beside_the_loop(console.drafts.find, draft_id)
        if step not in _PAGES:
            raise UsageError(t("steps.unknown", step=step), t("steps.known", steps=", ".join(_PAGES)))
        target = await beside_the_loop(_target, console, draft)
        elsewhere = await beside_the_loop(_elsewhere, console, draft)
        with page_frame(session, draft.facts.file, "/new", banner=lambda: target_banner(console.profile, target)):
            step_list(draft, step)
            if elsewhere:
                with card():
                    ui.label(elsewhere).classes("problem")
            else:
                await _PAGES[step](console, session, draft)


def _elsewhere(console: Console, draft: Draft) -> str:
    """Where the file of a draft is, in sentences; empty: it is here."""
    try:
        console.drafts.require_here(draft)
    except UsageError as error:
        return str(error)
    return ""


def _target(console: Console, draft: Draft) -> str:
    """Where a draft is sent to; one whose rows go back to no run here is sent nowhere, and its steps say why."""
    try:
        return target_of(console.drafts, draft)
    except ImporterError:
        return draft.facts.target or console.profile.target
