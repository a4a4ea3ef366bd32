"""One run: what it does while it is under way, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from nicegui import ui
from starlette.responses import FileResponse, Response

from importer.console.access import Role, Session
from importer.console.console import Console
from importer.console.guard import session_of
from importer.console.jobs import Job
from importer.console.layout import PATIENCE_S, card, counts_list, heading, hint, number, page_frame, target_banner
from importer.console.pages.live_run import live_card
from importer.console.pages.new_import.returning import return_button
from importer.console.pages.new_import.steps import step_list
from importer.console.pages.row_search import search_card
from importer.console.texts import catalogue, t
from importer.core.errors import UsageError
from importer.core.runtime import beside_the_loop
from importer.runs.context import People
from importer.runs.drafts.sending import resume, write_again
from importer.runs.history import one_run

_MASKED = frozenset({"report"})
"""Files without values: whoever may view may have them."""
_ENDED = frozenset({"finished", "stopped"})
_STATES = ("read", "created", "existing", "valid", "invalid", "rejected", "failed", "unknown", "unsent")
_TO_RETURN = ("invalid", "rejected", "failed", "unknown", "unsent")
_OPEN_KINDS = 3
"""Kinds of problem that are unfolded as the page opens, as in the report."""
_ELSEWHERE_EVERY_S = 3.0


def register(console: Console, application: FastAPI) -> None:
    """Add the page, and the files of a run."""

    @ui.page("/runs/{run_id}", response_timeout=PATIENCE_S)
    async def run(request: Request, run_id: str) -> None:
        session = session_of(request)
        session.require(Role.VIEW)
        report = await beside_the_loop(one_run, console.workspace, run_id)
        job = console.jobs.find(report["run_id"])
        drafts = await beside_the_loop(console.drafts.all)
        draft = next((one for one in drafts if one.facts.run_id == report["run_id"]), None)
        with page_frame(session, report["source"], "", banner=lambda: target_banner(console.profile, report["target"])):
            if draft is not None:
                step_list(draft, "results" if job is None or job.is_done else "run")
            if job is not None and not job.is_done:
                live_card(console, session, job)
            else:
                with ui.element("div") as state:
                    _state_card(console, session, report, job)
                if report["state"] == "running":
                    hint(t("run.elsewhere"))
                    follow = partial(_follow, console, session, report["run_id"], state)
                    ui.timer(_ELSEWHERE_EVERY_S, follow, immediate=False)
            _return_card(console, session, report)
            _files_card(session, report)
            _issues_card(report)
            search_card(console, session, report["run_id"])

    @application.get("/runs/{run_id}/files/{kind}")
    async def file(request: Request, run_id: str, kind: str) -> Response:
        session = session_of(request)
        session.require(Role.VIEW)
        if kind not in _MASKED:
            session.require_values()
        report = await beside_the_loop(one_run, console.workspace, run_id)
        return await beside_the_loop(_file, report, kind)


def _file(report: Mapping[str, Any], kind: str) -> Response:
    """A file of a run, found by its kind: no path comes from a browser."""
    path = Path(report["files"].get(kind, ""))
    if kind not in report["files"] or not path.is_file():
        raise UsageError(t("run.no_file"))
    is_page = kind == "html"
    return FileResponse(path, filename=None if is_page else path.name, media_type="text/html" if is_page else None)


async def _follow(console: Console, session: Session, run_id: str, state: ui.element) -> None:
    """Show how far a run is that another program works on; once it does no longer, the whole page is another one."""
    report = await beside_the_loop(one_run, console.workspace, run_id)
    if report["state"] != "running":
        ui.navigate.reload()
        return
    state.clear()
    with state:
        _state_card(console, session, report, None)


def _state_card(console: Console, session: Session, report: Mapping[str, Any], job: Job | None) -> None:
    with card(t("run.state")):
        if report.get("verdict"):
            ui.label(report["verdict"])
        if job is not None and job.is_done and job.error is not None:
            ui.label(str(job.error)).classes("problem").props("role=alert")
        elif report.get("error"):
            ui.label(report["error"]).classes("problem")
        counts_list({state: report["counts"].get(state, 0) for state in _STATES})
        is_open = report["state"] == "stopped" and not report["dry_run"]
        if is_open and session.may(Role.RUN) and (job is None or job.is_done):
            ui.button(t("run.resume"), on_click=lambda: _resume(console, session, report)).props("no-caps")
        elif report["state"] in _ENDED and _may_be_written(report) and session.may(Role.RUN):
            ui.button(t("run.write_files"), on_click=lambda: _write_files(console, session, report)).props("no-caps")


def _may_be_written(report: Mapping[str, Any]) -> bool:
    """Whether the files of a run are not here, and can be: another host of the team has written them."""
    return not (report["files"] or report["dry_run"] or report["purged_at"])


async def _write_files(console: Console, session: Session, report: Mapping[str, Any]) -> None:
    session.require(Role.RUN)
    await beside_the_loop(write_again, console.drafts, str(report["run_id"]), by=session.user)
    ui.navigate.reload()


def _resume(console: Console, session: Session, report: Mapping[str, Any]) -> None:
    """Go on with a run; the page then shows what it does."""
    run_id = str(report["run_id"])

    async def work(job: Job) -> object:
        people = People(confirm=lambda _host, _rows: True, ask=job.live.ask)  # the banner names the host
        return await resume(console.drafts, run_id, by=session.user, emit=job.live, stop=job.stop, people=people)

    console.jobs.begin(run_id, session, Role.RUN, work)
    ui.navigate.reload()


def _issues_card(report: Mapping[str, Any]) -> None:
    if not report["issues"]:
        return
    with card(t("run.issues")), ui.element("ul").classes("clusters"):
        for place, cluster in enumerate(report["issues"]):
            with (
                ui.element("li").classes(f"cluster {cluster['severity']}"),
                ui.element("details").props("open" if place < _OPEN_KINDS else ""),
            ):
                with ui.element("summary").classes("row"):
                    number(cluster["count"])
                    heading(cluster["title"], 3)
                    if cluster["column"]:
                        ui.label(t("run.in_column", column=cluster["column"])).classes("hint")
                ui.label(cluster["message"])
                if fix := cluster.get("fix_by_hand", cluster["fix"]):  # an earlier program wrote both ways as one
                    hint(fix)


def _return_card(console: Console, session: Session, report: Mapping[str, Any]) -> None:
    """The way to fix the rows that became no customers, and to send them again in the same run."""
    count = sum(report["counts"].get(state, 0) for state in _TO_RETURN)
    is_over = report["state"] == "finished" and not report["dry_run"] and "rejects" in report["files"]
    if is_over and count and session.may(Role.PREPARE) and session.sees_values:
        with card(t("returning.held_back")):
            hint(t("returning.what"))
            return_button(console, session, str(report["run_id"]), count)


def _files_card(session: Session, report: Mapping[str, Any]) -> None:
    shown = [kind for kind in report["files"] if kind in _MASKED or session.sees_values]
    if not shown:
        return
    with card(t("run.files")), ui.element("ul").classes("files"):
        for kind in shown:
            with ui.element("li"):
                link = ui.link(Path(report["files"][kind]).name, f"/runs/{report['run_id']}/files/{kind}")
                if kind == "html":
                    link.props("target=_blank")
                if meaning := catalogue().get(f"files.{kind}"):
                    hint(meaning)
