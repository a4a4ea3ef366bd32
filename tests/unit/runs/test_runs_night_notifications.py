"""What people are told, and how: levels, no personal data, and no notification that fails an import."""

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

from importer.core.errors import ExitCode, UsageError
from importer.profile.nights import NotifySettings
from importer.runs.notifications.night import Notification, broken_off, compose
from importer.runs.notifications.night_report import Fate, Import, NightReport, worst
from importer.runs.notifications.sender import sender_for

SETTINGS = NotifySettings()
NOTICE = Notification("failed", "Customer import failed", "Line one\nLine two")
GOOD = {"read": 100, "created": 99, "existing": 0, "invalid": 1, "rejected": 0, "failed": 0, "unknown": 0, "unsent": 0}


def done(file: str = "a.csv", fate: Fate = Fate.IMPORTED, code: int = 0, **more: Any) -> Import:
    return Import(file=file, fate=fate, exit_code=code, **{"counts": GOOD, "run_id": "r", **more})


def told(*imports: Import, settings: NotifySettings = SETTINGS, **more: Any) -> Notification:
    return compose(NightReport(folder=Path("/in"), target="live", imports=imports, **more), settings)


def test_a_good_night_is_done_with_counts_and_the_path_of_the_report() -> None:
    notification = told(done(report=Path("/runs/r/report.html")))

    assert (notification.level, notification.title) == ("done", "Customer import done: 1 file, 99 customers created")
    assert "a.csv: 100 rows: 99 created, 1 invalid." in notification.body
    assert "report: /runs/r/report.html" in notification.body


@pytest.mark.parametrize(
    ("night", "settings"),
    [
        ({"missing": True}, {}),
        ({"growing": ("b.csv",)}, {}),
        ({"elapsed_s": 61.0}, {"max_duration_s": 60}),
        ({"waiting": 2}, {}),
    ],
)
def test_a_night_that_is_not_as_it_should_be_is_degraded(night: dict[str, Any], settings: dict[str, Any]) -> None:
    assert told(done(), settings=NotifySettings(**settings), **night).level == "degraded"


def test_too_many_rejects_are_degraded_by_a_threshold() -> None:
    bad = done(counts={"read": 10, "created": 8, "invalid": 1, "rejected": 1})

    assert told(bad).level == "degraded"
    assert "20% of its rows made no customer" in told(bad).body
    assert told(bad, settings=NotifySettings(max_reject_share=0.2)).level == "done"
    assert told(bad, settings=NotifySettings(max_reject_share=None)).level == "done"


def test_an_empty_file_is_degraded_unless_nobody_minds() -> None:
    empty = done(fate=Fate.REFUSED, code=6, is_empty=True, counts={})

    assert told(empty).level == "degraded"
    assert told(empty, settings=NotifySettings(empty_source=False)).level == "done"


def test_a_refused_file_is_a_failure_and_a_closed_window_is_not() -> None:
    assert told(done(), done("b.csv", Fate.REFUSED, 6, counts={})).level == "failed"
    assert told(done(fate=Fate.HELD, code=5)).level == "failed"
    assert told(done(fate=Fate.HELD, code=75)).level == "degraded"


def test_no_message_of_a_file_gets_into_a_notice() -> None:
    error = "The column 'jane@example.com' is not known."
    notification = told(done("odd\nname.csv", Fate.REFUSED, 6, error=error, counts={}))

    assert "jane" not in notification.body
    assert "odd?name.csv: the file cannot be used (exit code 6)." in notification.body


def test_many_files_are_told_in_a_bearable_length() -> None:
    assert "… and 450 more files." in told(*(done(f"{number}.csv") for number in range(500))).body


def test_a_pass_that_broke_off_is_told_without_its_message() -> None:
    assert "another run was at work. Exit code: 7." in broken_off("/in", ExitCode.BUSY).body.lower().replace(
        "exit", "Exit"
    )


def test_the_exit_code_is_the_worst_of_the_files() -> None:
    assert worst([]) == 0
    assert [worst(codes) for codes in ((0, 3, 8), (8, 4, 3), (4, 5), (5, 9), (6, 3), (6, 75), (7, 0), (3, 6, 0))] == (
        [8, 4, 5, 9, 6, 75, 7, 6]
    )
    assert {worst([code, 0]) for code in ExitCode} == set(ExitCode)


# --------------------------------------------------------------------------- telling


class _Hook(BaseHTTPRequestHandler):
    heard: list[dict[str, Any]]
    status = 200

    def do_POST(self) -> None:
        self.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, Any]], type[_Hook]]]:
    class Handler(_Hook):
        heard: list[dict[str, Any]] = []  # noqa: RUF012  # this test's own

    handler = Handler
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"json://127.0.0.1:{server.server_port}/T0KEN/sekret", handler.heard, handler
        server.shutdown()
        thread.join()


def test_a_notice_arrives_at_a_real_receiver(hook: tuple[str, list[dict[str, Any]], type[_Hook]]) -> None:
    url, heard, _ = hook
    tell = sender_for({"IMPORTER_NOTIFY_URLS": f" {url} "}, 5.0)

    assert tell is not None
    assert tell(NOTICE)
    assert (heard[0]["title"], heard[0]["message"], heard[0]["type"]) == (NOTICE.title, NOTICE.body, "failure")


def test_addresses_come_from_a_file_with_comments(
    hook: tuple[str, list[dict[str, Any]], type[_Hook]], tmp_path: Path
) -> None:
    url, heard, _ = hook
    path = tmp_path / "urls"
    path.write_text(f"# the team\n{url}\n\n{url}?x=1\n")
    tell = sender_for({"IMPORTER_NOTIFY_URLS_FILE": str(path)}, 5.0)

    assert tell is not None
    assert tell(NOTICE)
    assert len(heard) == 2


def test_nobody_is_told_where_nobody_is_named() -> None:
    assert sender_for({}, 5.0) is None
    assert sender_for({"IMPORTER_NOTIFY_URLS": "  "}, 5.0) is None


def test_a_broken_receiver_is_no_exception_and_no_secret_in_a_log(
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
            tell = sender_for({"IMPORTER_NOTIFY_URLS": urls}, 5.0)
            assert tell is not None
            assert tell(NOTICE) is False

    seen = caplog.text + "".join(capfd.readouterr())
    assert not [word for word in ("sekret", "T0KEN", "127.0.0.1") if word in seen]


def test_a_receiver_that_never_answers_costs_a_bounded_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        tell = sender_for({"IMPORTER_NOTIFY_URLS": f"json://127.0.0.1:{silent.getsockname()[1]}"}, 0.2)
        assert tell is not None
        began = time.monotonic()
        assert tell(NOTICE) is False
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
