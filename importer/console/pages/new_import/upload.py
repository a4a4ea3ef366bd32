"""The first step: a file is uploaded, and its first rows are shown as they are read, with the reasons."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from http import HTTPStatus
from pathlib import Path

from fastapi import FastAPI, Request
from nicegui import ui
from nicegui.events import GenericEventArguments
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, JSONResponse, Response

from importer.console.access import Role, Session
from importer.console.console import Console
from importer.console.guard import session_of
from importer.console.layout import card, cells_table, hint
from importer.console.pages.new_import.looking import looked_at
from importer.console.pages.new_import.steps import step_address
from importer.console.texts import catalogue, t
from importer.core.contract import Contract
from importer.core.errors import ImporterError, SourceError, UsageError
from importer.core.runtime import beside_the_loop
from importer.core.sources import SourceInfo
from importer.journal import Draft, Reading
from importer.runs import profile_init
from importer.runs.drafts.reading import ReadSource, choose_reading, first_rows
from importer.runs.drafts.receiving import receive

_FIRST_ROWS = 20
_ENCODINGS = ("utf-8", "cp1252", "iso-8859-1", "cp1250", "cp1251", "mac_roman", "utf-16")
_DELIMITERS = {",": "upload.comma", ";": "upload.semicolon", "\t": "upload.tab", "|": "upload.bar"}


def register(console: Console, application: FastAPI) -> None:
    """Add what receives files, and the blank ones to fill in."""

    @application.put("/drafts/new/file")
    async def receive_file(request: Request, name: str) -> Response:
        session = session_of(request)
        session.require(Role.PREPARE)
        drafts, most = console.drafts, console.profile.console.max_upload_bytes
        draft = await beside_the_loop(drafts.begin, session.user)
        try:
            received = await receive(drafts, draft.id, name, sent_bytes(request), by=session.user, most_bytes=most)
        except ImporterError as error:
            await beside_the_loop(drafts.remove, draft.id)
            return JSONResponse({"problem": str(error)}, HTTPStatus.UNPROCESSABLE_ENTITY)
        return JSONResponse({"next": step_address(received, "upload")})

    @application.get("/templates/{kind}.{form}")
    async def template(request: Request, kind: str, form: str) -> Response:
        session_of(request).require(Role.VIEW)
        return await beside_the_loop(_template, console.profile.contract, kind, form)


async def sent_bytes(request: Request) -> AsyncIterator[bytes]:
    """The bytes of a file, as they come in.

    Raises:
        SourceError: the browser was closed, or the connection lost, before its end.
    """
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        raise SourceError(t("upload.cut_off"), t("upload.send_again")) from None


def _template(contract: Contract, kind: str, form: str) -> Response:
    """A blank file, removed again when it was sent."""
    folder = tempfile.TemporaryDirectory(prefix="importer-template-")
    one = contract.fields.type_called(kind).lower()
    suffix = "csv" if form == "csv" else "xlsx"
    written = profile_init.template(contract, one, Path(folder.name) / f"{one}-template.{suffix}")
    return FileResponse(written, filename=written.name, background=BackgroundTask(folder.cleanup))


def draw_begin(console: Console) -> None:
    """Draw where a file is dropped."""
    with card():
        hint(t("upload.hint"))
        upload_field(t("upload.drop"), "/drafts/new/file")
    with card(t("upload.template")):
        hint(t("upload.template_hint"))
        with ui.element("div").classes("row"):
            for kind in console.profile.contract.fields.types:
                ui.link(t("upload.blank", kind=kind.lower()), f"/templates/{kind.lower()}.xlsx")


def upload_field(label: str, address: str, look_again: Callable[[], Awaitable[None]] | None = None) -> None:
    """A field for one file, which is sent to an address as it is; the page that follows is named by the answer.

    Args:
        look_again: shows what was taken, where not all was; None: nothing was.
    """

    async def failed(event: GenericEventArguments) -> None:
        text = str(event.args or t("upload.failed"))
        ui.notify(text, type="negative", multi_line=True, timeout=0, close_button=True)
        if look_again is not None:
            await look_again()

    with ui.element("label").classes("drop"):
        ui.label(label)
        field = ui.element("input").props(f'type=file data-address="{address}"')
    progress = ui.element("progress").props(f'hidden value=0 max=1 aria-label="{t("upload.progress")}"')
    send = f"event => importerUpload(event.target, getHtmlElement({progress.id}), emit)"
    field.on("change", failed, js_handler=send)


async def draw(console: Console, session: Session, draft: Draft) -> None:
    """Draw how the file is read."""
    shown = partial(first_rows, count=_FIRST_ROWS, show_values=session.sees_values)
    try:
        source = await looked_at(console.drafts.source(draft), partial(shown, console.drafts, draft.id))
    except ImporterError as error:
        ui.label(str(error)).classes("problem").props("role=alert")
        _reading_card(console, session, draft, None)
        return
    if source.came_from:
        ui.label(t("upload.came_from", runs=", ".join(source.came_from))).classes("problem")
    for warning in source.info.warnings:
        ui.label(warning).classes("problem warning")
    _rows_card(source)
    _reading_card(console, session, draft, source.info)
    _found_card(source)


def _found_card(source: ReadSource) -> None:
    with card(t("upload.found")), ui.element("dl").classes("pairs"):
        for found in source.info.detected:
            with ui.element("dt"):
                ui.label(catalogue().get(f"upload.of_{found.what}") or found.what.replace("_", " "))
            with ui.element("dd"):
                ui.label(found.value or t("upload.nothing"))
                if found.note:
                    hint(found.note)


def _reading_card(console: Console, session: Session, draft: Draft, info: SourceInfo | None) -> None:
    """The ways to read it otherwise, and the way on."""
    if not session.may(Role.PREPARE) or draft.facts.run_id:
        return
    chosen, sheets = draft.facts.reading, _sheets(info)
    way_on = ui.element("div").classes("row")
    with card(t("upload.other")):
        hint(t("upload.other_hint"))
        with ui.element("div").classes("row"):
            sheet = _choice("upload.sheet", {name: name for name in sheets}, chosen.sheet) if sheets else None
            header = ui.number(t("upload.header_row"), value=chosen.header_row, min=1, precision=0)
            header.props("outlined dense clearable").classes("field")
            delimiter = encoding = None
            if not sheets:
                delimiter = _choice(
                    "upload.delimiter", {one: t(key) for one, key in _DELIMITERS.items()}, chosen.delimiter
                )
                encoding = _choice("upload.encoding", {one: one for one in _ENCODINGS}, chosen.encoding)

        def reading() -> Reading:
            return Reading(
                sheet=sheet.value or None if sheet else None,
                delimiter=delimiter.value or None if delimiter else None,
                encoding=encoding.value or None if encoding else None,
                header_row=_row(header.value),
            )

        async def choose(step: str) -> None:
            session.require(Role.PREPARE)
            work = partial(choose_reading, by=session.user, seen=draft.version)
            changed = await beside_the_loop(work, console.drafts, draft.id, reading())
            ui.navigate.to(step_address(changed, step))

        ui.button(t("upload.again"), on_click=lambda: choose("upload")).props("no-caps outline")
    with way_on:
        ui.button(t("upload.next"), on_click=lambda: choose("map")).props("no-caps")


def _row(number: float | None) -> int | None:
    if number is not None and number < 1:
        raise UsageError(t("upload.no_row"))
    return None if number is None else int(number)


def _sheets(info: SourceInfo | None) -> list[str]:
    return [info.sheet, *(one.sheet for one in info.other_tables)] if info and info.sheet else []


def _choice(label: str, options: dict[str, str], chosen: str | int | None) -> ui.select:
    """A choice of which the first one is to leave it to the reader."""
    known = {"": t("upload.auto"), **options}
    value = str(chosen) if chosen is not None else ""
    select = ui.select({**known, value: known.get(value, value)}, label=t(label), value=value)
    return select.props("outlined dense options-dense").classes("field")


def _rows_card(source: ReadSource) -> None:
    with card(t("upload.rows")):
        hint(t("upload.rows_hint"))
        cells_table(
            t("upload.rows"),
            (t("upload.row"), *source.info.columns),
            ((str(one.row), *one.cells) for one in source.rows),
        )
