"""Where people get in: by the one-time link, or by name and password. Plain forms: nothing runs for strangers."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from importer.console.access import Access, RefusedError
from importer.console.guard import COOKIE, ENTER, SIGN_IN, session_of
from importer.console.plain_pages import plain_page
from importer.console.texts import t
from importer.core.runtime import in_a_thread

_SEE_OTHER = HTTPStatus.SEE_OTHER
_MOST_BYTES = 4_096
"""Of a form with a name and a password."""


def register(application: FastAPI, access: Access, *, secure: bool, entered: Callable[[], None]) -> None:
    """Add the ways in and out.

    Args:
        secure: whether the console is reached by TLS alone.
        entered: called when the one-time link was used.
    """

    def let_in(cookie: str) -> Response:
        answer = RedirectResponse("/", _SEE_OTHER)
        answer.set_cookie(COOKIE, cookie, httponly=True, samesite="strict", secure=secure)
        return answer

    @application.get(ENTER + "{token}")
    async def enter(token: str) -> Response:
        cookie = access.enter(token)
        if cookie is None:
            return _page(access, t("sign_in.spent"), HTTPStatus.FORBIDDEN)
        entered()
        return let_in(cookie)

    @application.get(SIGN_IN)
    async def form() -> Response:
        return _page(access)

    @application.post(SIGN_IN)
    async def sign_in(request: Request) -> Response:
        if int(request.headers.get("content-length", _MOST_BYTES + 1)) > _MOST_BYTES:
            return _page(access, t("sign_in.wrong"), HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        given = await request.form()
        name, password = str(given.get("name", "")), str(given.get("password", ""))
        try:
            cookie = await in_a_thread(lambda: access.sign_in(name, password))
        except RefusedError as error:
            return _page(access, f"{error}", HTTPStatus.TOO_MANY_REQUESTS)
        return _page(access, t("sign_in.wrong"), HTTPStatus.FORBIDDEN) if cookie is None else let_in(cookie)

    @application.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        access.end(session_of(request).id)
        answer = RedirectResponse(SIGN_IN, _SEE_OTHER)
        answer.delete_cookie(COOKIE)
        return answer


def _page(access: Access, problem: str = "", status: int = HTTPStatus.OK) -> Response:
    if access.has_users:
        return plain_page(t("sign_in.title"), status, problem=problem, template="sign_in")
    return plain_page(t("sign_in.title"), status, problem=problem or t("sign_in.link"))
