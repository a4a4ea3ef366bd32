"""What a notification reports of a pass: levels, counts and paths, and no personal data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from importer.core.errors import ExitCode
from importer.inbox.notifications import PassNotifications, compose_pass
from importer.inbox.report import PassReport
from importer.profile.nightly import NotifySettings
from importer.runs.file_result import Fate, FileResult
from importer.runs.notifications.composing import Notification, compose_failure

SETTINGS = NotifySettings()
GOOD = {"read": 100, "created": 99, "existing": 0, "invalid": 1, "rejected": 0, "failed": 0, "unknown": 0, "unsent": 0}


def result(file: str = "a.csv", fate: Fate = Fate.IMPORTED, code: int = 0, **more: Any) -> FileResult:
    return FileResult(file=file, fate=fate, exit_code=code, **{"counts": GOOD, "run_id": "r", **more})


def reported(*imports: FileResult, settings: NotifySettings = SETTINGS, **more: Any) -> Notification:
    return compose_pass(PassReport(folder=Path("/in"), target="live", imports=imports, **more), settings)


def test_a_good_pass_is_done_with_counts_and_the_path_of_the_report() -> None:
    notification = reported(result(report=Path("/runs/r/report.html")))

    assert (notification.level, notification.title) == ("done", "Customer import done: 1 file, 99 customers created")
    assert "a.csv: 100 rows: 99 created, 1 invalid." in notification.body
    assert "report: /runs/r/report.html" in notification.body


@pytest.mark.parametrize(
    ("report", "settings"),
    [
        ({"missing": True}, {}),
        ({"growing": ("b.csv",)}, {}),
        ({"elapsed_s": 61.0}, {"max_duration_s": 60}),
        ({"waiting": 2}, {}),
    ],
)
def test_a_pass_that_is_not_as_it_should_be_is_degraded(report: dict[str, Any], settings: dict[str, Any]) -> None:
    assert reported(result(), settings=NotifySettings(**settings), **report).level == "degraded"


def test_outcomes_of_earlier_files_are_reported_although_no_file_came() -> None:
    steps = {"steps": {"verification": {"done": 2}}, "outcomes": {"APPROVED": 2}, "open": 0, "failed": 0}
    notification = reported(earlier=(result(follow_up=steps),))

    title = "Customer import done: steps of 1 file imported earlier are done"
    assert (notification.level, notification.title) == ("done", title)
    assert "a.csv, imported earlier: Steps: identity: 2 approved." in notification.body


def test_too_many_rejects_are_degraded_by_a_threshold() -> None:
    bad = result(counts={"read": 10, "created": 8, "invalid": 1, "rejected": 1})

    assert reported(bad).level == "degraded"
    assert "20% of its rows made no customer" in reported(bad).body
    assert reported(bad, settings=NotifySettings(max_reject_share=0.2)).level == "done"
    assert reported(bad, settings=NotifySettings(max_reject_share=None)).level == "done"


def test_an_empty_file_is_degraded_unless_the_settings_say_otherwise() -> None:
    empty = result(fate=Fate.REFUSED, code=6, is_empty=True, counts={})

    assert reported(empty).level == "degraded"
    assert reported(empty, settings=NotifySettings(empty_source=False)).level == "done"


def test_a_refused_file_is_a_failure_and_a_closed_window_is_not() -> None:
    assert reported(result(), result("b.csv", Fate.REFUSED, 6, counts={})).level == "failed"
    assert reported(result(fate=Fate.HELD, code=5)).level == "failed"
    assert reported(result(fate=Fate.HELD, code=75)).level == "degraded"


def test_no_message_of_a_file_gets_into_a_notification() -> None:
    error = "The column 'jane@example.com' is not known."
    notification = reported(result("odd\nname.csv", Fate.REFUSED, 6, error=error, counts={}))

    assert "jane" not in notification.body
    assert "odd?name.csv: the file cannot be used (exit code 6)." in notification.body


def test_of_many_files_only_the_first_are_listed() -> None:
    assert "… and 450 more files." in reported(*(result(f"{number}.csv") for number in range(500))).body


def test_a_pass_that_could_not_begin_is_reported_without_its_message() -> None:
    notification = compose_failure("/in", ExitCode.BUSY)

    assert (notification.level, notification.title) == ("failed", "Customer import failed: /in")
    assert notification.body.startswith("/in: another run was at work. Exit code: 7.")


def waits(error: str = "The plan waits: it needs the signatures of 2 people and has 0.") -> FileResult:
    return result(fate=Fate.UNAPPROVED, code=5, counts={"read": 2}, error=error, next_step="importer approve a.json")


def test_a_file_that_waits_for_an_approval_is_degraded_and_says_what_to_do() -> None:
    notification = reported(waits())

    title = "Customer import degraded: 1 file, 0 customers created, 1 file to approve"
    assert (notification.level, notification.title) == ("degraded", title)
    assert "a.csv: The plan waits: it needs the signatures of 2 people and has 0. Nothing was sent." in (
        notification.body
    )
    assert "next: importer approve a.json" in notification.body


async def test_a_watched_folder_reports_what_waits_once_and_is_looked_into_as_often_as_before() -> None:
    sending = PassNotifications(SETTINGS, Path("/in"), {})
    sending.watching = True
    seen = []
    for one in (waits(), waits(), waits("The plan waits: it needs the signatures of 2 people and has 1."), result()):
        await sending.sent(sending.notifier(), PassReport(folder=Path("/in"), target="live", imports=(one,)))
        seen.append((sending.still_unapproved, sending.repeated))

    assert seen == [(False, 0), (True, 0), (False, 0), (False, 0)]
