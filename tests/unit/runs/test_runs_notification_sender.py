"""How notifications reach people: through real receivers, within a bounded time, and with no secret in a log."""

from __future__ import annotations

import json
import logging
import socket
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from importer.core.errors import UsageError
from importer.runs.notifications.composing import Notification
from importer.runs.notifications.sender import sender_for

NOTIFICATION = Notification("failed", "Customer import failed", "Line one\nLine two")


class _Hook(BaseHTTPRequestHandler):
    received: list[dict[str, Any]]
    status = 200

    def do_POST(self) -> None:
        self.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, Any]], type[_Hook]]]:
    class Handler(_Hook):
        received: list[dict[str, Any]] = []  # noqa: RUF012  # this test's own

    handler = Handler
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"json://127.0.0.1:{server.server_port}/T0KEN/sekret", handler.received, handler
        server.shutdown()
        thread.join()


def test_a_notification_arrives_at_a_real_receiver(hook: tuple[str, list[dict[str, Any]], type[_Hook]]) -> None:
    url, received, _ = hook
    send = sender_for({"IMPORTER_NOTIFY_URLS": f" {url} "}, 5.0)

    assert send is not None
    assert send(NOTIFICATION)
    assert (received[0]["title"], received[0]["message"], received[0]["type"]) == (
        NOTIFICATION.title,
        NOTIFICATION.body,
        "failure",
    )


def test_addresses_come_from_a_file_with_comments(
    hook: tuple[str, list[dict[str, Any]], type[_Hook]], tmp_path: Path
) -> None:
    url, received, _ = hook
    path = tmp_path / "urls"
    path.write_text(f"# the team\n{url}\n\n{url}?x=1\n")
    send = sender_for({"IMPORTER_NOTIFY_URLS_FILE": str(path)}, 5.0)

    assert send is not None
    assert send(NOTIFICATION)
    assert len(received) == 2


def test_nobody_is_notified_where_nobody_is_named() -> None:
    assert sender_for({}, 5.0) is None
    assert sender_for({"IMPORTER_NOTIFY_URLS": "  "}, 5.0) is None


def test_a_broken_receiver_raises_nothing_and_brings_no_secret_into_a_log(
    hook: tuple[str, list[dict[str, Any]], type[_Hook]],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    url, _, handler = hook
    handler.status = 500
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"json://127.0.0.1:{closed.getsockname()[1]}/T0KEN/sekret"
    with caplog.at_level(logging.DEBUG):
        for urls in (url, nobody):
            send = sender_for({"IMPORTER_NOTIFY_URLS": urls}, 5.0)
            assert send is not None
            assert send(NOTIFICATION) is False

    logged = caplog.text + "".join(capfd.readouterr())
    assert not [word for word in ("sekret", "T0KEN", "127.0.0.1") if word in logged]


def test_a_receiver_that_never_answers_costs_a_bounded_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        send = sender_for({"IMPORTER_NOTIFY_URLS": f"json://127.0.0.1:{silent.getsockname()[1]}"}, 0.2)
        assert send is not None
        began = time.monotonic()
        assert send(NOTIFICATION) is False
        assert time.monotonic() - began < 2.0


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"IMPORTER_NOTIFY_URLS": "json://host sekret-no-url"}, "Address 2 of 2"),
        ({"IMPORTER_NOTIFY_URLS_FILE": "/nowhere/urls"}, "cannot be read"),
        ({"IMPORTER_NOTIFY_URLS": "json://h", "IMPORTER_NOTIFY_URLS_FILE": "/x"}, "both set"),
    ],
)
def test_wrong_addresses_are_refused_at_the_start_without_showing_them(environ: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError, match=says) as refused:
        sender_for(environ, 5.0)
    assert "sekret" not in str(refused.value)


def test_without_the_library_the_start_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)

    with pytest.raises(UsageError, match=r"\.\[notify\]"):
        sender_for({"IMPORTER_NOTIFY_URLS": "json://host"}, 5.0)
