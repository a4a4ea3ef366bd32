"""What the guard lets through: host, origin, session."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from importer.console.access import Access
from importer.console.guard import COOKIE, Guard
from importer.console.sessions import Sessions
from importer.profile import ConsoleSettings

HERE = "http://127.0.0.1:8600"
HOST = "127.0.0.1:8600"
IDLE_S = 1_800.0


class Inner:
    """Records what reached it."""

    def __init__(self) -> None:
        self.users: list[str] = []
        self.versions: list[str] = []

    async def __call__(self, scope: MutableMapping[str, Any], _receive: Any, send: Any) -> None:
        session = scope.get("state", {}).get("session")
        self.users.append(session.user if session else "")
        self.versions.append(scope["asgi"].get("spec_version", ""))
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"page"})


class Site:
    """A guard before an application, and somebody who has come in by the link."""

    def __init__(self, workspace: Path) -> None:
        self.at = 1_800_000_000.0
        sessions = Sessions(b"secret", IDLE_S, lambda: self.at, workspace)
        self.access = Access(ConsoleSettings(), sessions, "me", monotonic=lambda: 0.0)
        self.inner = Inner()
        self.first: MutableMapping[str, Any] = {"type": "http.request", "body": b""}
        self.guard = Guard(self.inner, self.access, frozenset({HERE}))
        self.cookie = self.access.enter(self.access.link.token) or ""

    async def ask(
        self, path: str = "/", method: str = "GET", kind: str = "http", **headers: str
    ) -> tuple[int, dict[str, str]]:
        """Send a request; returns the status (of a closed WebSocket its code) and the headers."""
        given = {"host": HOST, **{name.replace("_", "-"): text for name, text in headers.items()}}
        raw = [(name.encode(), text.encode()) for name, text in given.items() if text]
        scope = {"type": kind, "path": path, "headers": raw, "query_string": b"", "method": method, "asgi": {}}
        sent: list[MutableMapping[str, Any]] = []

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        async def receive() -> MutableMapping[str, Any]:
            return self.first

        await self.guard(scope, receive, send)
        if not sent:
            return 0, {}
        first = sent[0]
        held = {name.decode(): value.decode() for name, value in first.get("headers", [])}
        return int(first.get("status") or first["code"]), held

    @property
    def signed_in(self) -> str:
        """The `Cookie` header of whoever has come in."""
        return f"{COOKIE}={self.cookie}"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def test_whoever_has_a_session_reaches_the_page(site: Site) -> None:
    status, headers = await site.ask(cookie=site.signed_in)
    assert status == 200
    assert site.inner.users == ["me"]
    assert headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "HttpOnly; SameSite=Strict" in headers["set-cookie"]


async def test_people_without_a_session_are_led_to_the_sign_in_and_programs_are_refused(site: Site) -> None:
    assert (await site.ask(accept="text/html"))[0] == 303
    assert (await site.ask(accept="application/json"))[0] == 401
    assert (await site.ask(method="POST", origin=HERE))[0] == 401
    assert (await site.ask("/_nicegui_ws/socket.io/", kind="websocket", origin=HERE))[0] == 4403
    assert site.inner.users == []


@pytest.mark.parametrize("path", ["/sign-in", "/enter/token", "/static/console.css", "/_nicegui/3/static/x.js"])
async def test_what_strangers_need_to_get_in_is_open(site: Site, path: str) -> None:
    assert (await site.ask(path))[0] == 200


@pytest.mark.parametrize("path", ["/sign-in-as", "/staticx", "/_nicegui_ws/socket.io/", "/runs/1", "//sign-in"])
async def test_nothing_else_is_open(site: Site, path: str) -> None:
    assert (await site.ask(path))[0] == 401
    assert site.inner.users == []


@pytest.mark.parametrize("host", ["evil.example.com", "evil.example.com:8600", "127.0.0.1", "127.0.0.1:8601", ""])
async def test_another_host_name_is_refused_even_with_a_session(site: Site, host: str) -> None:
    """A name of somebody else's that leads to this computer (DNS rebinding)."""
    assert (await site.ask(host=host, cookie=site.signed_in))[0] == 403
    assert site.inner.users == []


@pytest.mark.parametrize("origin", ["http://evil.example.com", "null", "https://127.0.0.1:8600", "http://127.0.0.1:1"])
async def test_a_page_of_another_site_is_refused_even_with_our_cookie(site: Site, origin: str) -> None:
    assert (await site.ask("/uploads/1", "PUT", origin=origin, cookie=site.signed_in))[0] == 403
    assert (await site.ask("/_nicegui_ws/x", kind="websocket", origin=origin, cookie=site.signed_in))[0] == 4403
    assert site.inner.users == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_what_changes_something_has_to_say_which_page_it_comes_from(site: Site, method: str) -> None:
    assert (await site.ask(method=method, cookie=site.signed_in))[0] == 403
    assert (await site.ask(method=method, cookie=site.signed_in, origin=HERE))[0] == 200


@pytest.mark.parametrize(
    ("asked", "goes_on"),
    [
        ({"path": "/runs/1", "sec_fetch_user": "?1"}, True),
        ({"path": "/drafts/new/file", "method": "PUT", "origin": HERE}, True),
        ({"path": "/runs/1"}, False),  # a page that loads itself again
        ({"path": "/drafts/1/rows.json"}, False),
        ({"path": "/static/console.js", "sec_fetch_user": "?1"}, False),
        ({"path": "/_nicegui_ws/socket.io/", "method": "POST", "origin": HERE}, False),
        ({"path": "/_nicegui_ws/socket.io/", "kind": "websocket", "origin": HERE}, False),
    ],
)
async def test_only_what_a_person_does_lets_a_session_go_on(site: Site, asked: dict[str, str], goes_on: bool) -> None:
    site.at += IDLE_S - 1
    assert (await site.ask(cookie=site.signed_in, **asked))[0] == 200
    site.at += 2
    assert (await site.ask(cookie=site.signed_in))[0] == (200 if goes_on else 401)


async def test_a_request_to_the_sockets_whose_browser_has_left_goes_no_further(site: Site) -> None:
    site.first = {"type": "http.disconnect"}
    assert await site.ask("/_nicegui_ws/socket.io/", cookie=site.signed_in) == (0, {})
    assert site.inner.users == []


@pytest.mark.parametrize("path", ["/_nicegui/3/static/x.js", "/favicon.ico", "/runs/1"])
async def test_an_answer_is_not_cut_off_where_its_browser_leaves(site: Site, path: str) -> None:
    await site.ask(path, cookie=site.signed_in)
    assert site.inner.versions == ["2.4"]  # from there on Starlette sends an answer to its end
