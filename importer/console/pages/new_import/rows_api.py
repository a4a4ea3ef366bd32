"""What the grid of rows asks for, and files that go out to be fixed and come back."""

from __future__ import annotations

import secrets
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import FastAPI, Query, Request
from starlette.responses import FileResponse, JSONResponse, Response

from importer.console.access import Role
from importer.console.console import Console
from importer.console.guard import session_of
from importer.console.pages.new_import.steps import step_address
from importer.console.pages.new_import.upload import sent_bytes
from importer.console.texts import t
from importer.core.errors import ImporterError
from importer.core.runtime import beside_the_loop
from importer.runs.drafts.fixed_files import TakenFixed, annotated, take_fixed
from importer.runs.drafts.fixing import CellView, Problem, RowView, rows
from importer.runs.drafts.receiving import received_file
from importer.runs.drafts.row_filter import ClusterKey, RowFilter, Show

_MOST_ROWS = 200
_MOST_KEPT = 500
_MOST_LINES = 5
SEARCH = "x-search"
"""The header with the text that is searched: an address is in the logs of proxies, where no cell value belongs."""
Place = Annotated[int, Query(ge=0, le=2**31)]
"""Of a row, or how many of them."""


def register(console: Console, application: FastAPI) -> None:
    """Add them."""

    @application.get("/drafts/{draft_id}/rows.json")
    async def some_rows(
        request: Request, draft_id: str, first: Place, count: Place, show: Show = "failing"
    ) -> Response:
        session = session_of(request)
        session.require(Role.VIEW)
        wanted = _filter(request, show, sees_values=session.sees_values)
        look = partial(rows, show_values=session.sees_values)
        try:
            page = await beside_the_loop(look, console.drafts, draft_id, first, min(count, _MOST_ROWS), wanted)
        except ImporterError as error:
            return JSONResponse({"problem": str(error)}, HTTPStatus.UNPROCESSABLE_ENTITY)
        return JSONResponse({"rows": [_row(one) for one in page.rows], "total": page.total})

    @application.get("/drafts/{draft_id}/annotated.xlsx")
    async def workbook(request: Request, draft_id: str) -> Response:
        session_of(request).require_values()
        path = await beside_the_loop(annotated, console.drafts, draft_id)
        return FileResponse(path, filename=path.name)

    @application.put("/drafts/{draft_id}/fixed")
    async def fixed(request: Request, draft_id: str, name: str) -> Response:
        session = session_of(request)
        session.require(Role.PREPARE)
        try:
            draft = await beside_the_loop(console.drafts.find, draft_id)
            most = console.profile.console.max_upload_bytes
            async with received_file(console.drafts, draft, name, sent_bytes(request), most_bytes=most) as path:
                taken = await beside_the_loop(partial(take_fixed, by=session.user), console.drafts, draft.id, path)
        except ImporterError as error:
            return JSONResponse({"problem": str(error)}, HTTPStatus.UNPROCESSABLE_ENTITY)
        if problem := not_taken(taken):
            return JSONResponse({"problem": problem})
        again = secrets.token_hex(2)  # the same address with another query: the page is loaded again
        return JSONResponse({"next": f"{step_address(taken.draft, 'fix')}?{again}"})


def not_taken(taken: TakenFixed) -> str:
    """Say which lines of a fixed file were not taken, or that it brought nothing; empty: all is well."""
    if not taken.refused:
        return "" if taken.cells else t("fix.nothing_changed")
    lines = [t("fix.line", line=f"{one.line:,}", why=one.message) for one in taken.refused[:_MOST_LINES]]
    if more := len(taken.refused) - len(lines):
        lines.append(t("fix.more_lines", count=f"{more:,}"))
    return t("fix.partly", rows=f"{taken.rows:,}", count=f"{len(taken.refused):,}", lines="\n".join(lines))


def _filter(request: Request, show: Show, *, sees_values: bool) -> RowFilter:
    asked = request.query_params
    code = asked.get("code", "")
    cluster = ClusterKey(code, asked.get("field", ""), asked.get("column", "")) if code else None
    kept = [int(one) for one in asked.get("kept", "").split(",")[:_MOST_KEPT] if one.isdecimal() and len(one) < 10]
    text = unquote(request.headers.get(SEARCH, "")) if sees_values else ""
    return RowFilter(show, cluster, text, tuple(kept))


def _row(row: RowView) -> dict[str, Any]:
    return {
        "row": row.row,
        "state": row.state,
        "cells": [_cell(cell) for cell in row.cells],
        "extra": [cell.text for cell in row.extra],
        "problems": [_problem(one) for one in row.problems],
    }


def _cell(cell: CellView) -> dict[str, Any]:
    shown: dict[str, Any] = {"t": cell.text}
    if cell.original is not None:
        shown["o"] = cell.original
    if cell.problems:
        shown["p"] = [_problem(one) for one in cell.problems]
    return shown


def _problem(one: Problem) -> dict[str, str]:
    return {"s": one.severity.value, "c": one.code, "m": one.message}
