"""What every request passes before it reaches a page: host, origin, session. Refuses, and changes nothing.

A page of another site that is open in the same browser can send requests here, with our cookie. So the name that the
browser asked for must be ours (DNS rebinding), and so must be the page that sends (CSRF, WebSocket hijacking).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from importer.console.access import Access, Session

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

COOKIE = "importer_session"
SIGN_IN = "/sign-in"
ENTER = "/enter/"
ASSETS = "/_nicegui/"
"""Scripts and styles of the library; the same for everybody, and nothing of ours."""
SOCKETS = "/_nicegui_ws/"
"""What pages talk through with the console; without WebSockets it is asked again and again."""
_SHARED = (ASSETS, "/static/")
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
"""Scripts in the page and their evaluation are what NiceGUI's pages are made of."""
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """ASGI middleware.

    Args:
        origins: the addresses under which the console may be used, such as `http://127.0.0.1:8600`.
    """

    def __init__(self, app: App, access: Access, origins: frozenset[str]) -> None:
        self._app = app
        self._access = access
        self._origins = origins
        self._hosts = frozenset(origin.split("://", 1)[1] for origin in origins)
        self._is_secure = all(origin.startswith("https://") for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if refusal := self._refusal(scope, headers):
            await _refused(scope, receive, send, PlainTextResponse(refusal, 403))
            return
        found = self._access.known(_cookie(headers), acts=_is_of_person(scope, headers))
        if found is not None:
            scope.setdefault("state", {})["session"] = found[0]
        elif not _is_open(str(scope["path"])):
            await _refused(scope, receive, send, _sign_in_first(scope, headers))
            return
        begun = await _begun(scope, receive)
        if begun is None:
            return
        with suppress(ClientDisconnect):  # the browser left in the middle of its request: nobody waits for an answer
            await self._app(_whole(scope), begun, self._with_headers(scope, send, found[1] if found else ""))

    def _refusal(self, scope: Scope, headers: Headers) -> str:
        """Why a request is refused that nobody who uses the console would send; empty: it is not."""
        if headers.get("host", "") not in self._hosts:
            return "This address is not the console's."
        origin = headers.get("origin")
        if origin is not None and origin not in self._origins:
            return "A page of another site may not use the console."
        must_name_origin = scope["type"] == "websocket" or scope["method"] in _CHANGING
        if must_name_origin and origin is None:
            return "The request does not say which page it comes from."
        return ""

    def _with_headers(self, scope: Scope, send: Send, cookie: str) -> Send:
        """Add headers of safety to an answer, and the cookie as of now."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if not str(scope["path"]).startswith(_SHARED):
                    headers["cache-control"] = "no-store"
                    if cookie and "set-cookie" not in headers:
                        headers.append("set-cookie", self.cookie_line(cookie))
            await send(message)

        return add

    def cookie_line(self, cookie: str) -> str:
        """Write the `Set-Cookie` of a session."""
        secure = "; Secure" if self._is_secure else ""
        return f"{COOKIE}={cookie}; Path=/; HttpOnly; SameSite=Strict{secure}"


def _is_of_person(scope: Scope, headers: Headers) -> bool:
    """Whether somebody does something by a request; what a page asks for by itself does not let a session go on.

    Browsers say whether it was a person who went to a page (Fetch Metadata); what they do within it, the page reports.
    """
    if str(scope["path"]).startswith((*_SHARED, SOCKETS)) or scope["type"] == "websocket":
        return False
    return scope["method"] in _CHANGING or headers.get("sec-fetch-user") == "?1"


def _is_open(path: str) -> bool:
    """Whether strangers may ask for a path: the ways in, and what pages look like."""
    return path in {SIGN_IN, "/favicon.ico"} or path.startswith((ENTER, *_SHARED))


async def _begun(scope: Scope, receive: Receive) -> Receive | None:
    """Wait until a request to the sockets begins to come in: their library fails where its browser has left before.

    Returns:
        What receives the request; None: nobody is there any more.
    """
    if scope["type"] != "http" or not str(scope["path"]).startswith(SOCKETS):
        return receive
    waiting = [await receive()]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return None if waiting[0]["type"] == "http.disconnect" else again


def _whole(scope: Scope) -> Scope:
    """Have a request be answered as a whole, although its browser left meanwhile.

    Starlette cuts some answers off, for servers before ASGI 2.4, and what NiceGUI has before its pages takes that for a
    bug (Kludex/starlette#2516).
    """
    return {**scope, "asgi": {**scope["asgi"], "spec_version": "2.4"}} if scope["type"] == "http" else scope


def session_of(connection: HTTPConnection) -> Session:
    """The session of a request that has passed the guard."""
    session: Session = connection.state.session
    return session


def _cookie(headers: Headers) -> str:
    try:
        held = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return held.value if held else ""


def _sign_in_first(scope: Scope, headers: Headers) -> Response:
    """Lead people to the page where they sign in; programs get an error."""
    if scope["type"] == "http" and scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
        return RedirectResponse(SIGN_IN, 303)
    return PlainTextResponse("Sign in first.", 401)


async def _refused(scope: Scope, receive: Receive, send: Send, answer: Response) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4403})  # before it is accepted: the browser sees 403
    else:
        await answer(scope, receive, send)
