"""What a notification reports of a single run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from importer.core.commands import Commands
from importer.core.errors import ExitCode
from importer.profile.nightly import NotifySettings
from importer.runs.notifications.composing import CORRECTED, Notification
from importer.runs.notifications.run import compose_run, refused_run

GOOD = {"read": 100, "created": 99, "existing": 0, "invalid": 1, "rejected": 0, "failed": 0, "unknown": 0, "unsent": 0}


def reported(settings: NotifySettings | None = None, **more: Any) -> Notification:
    report = {
        "run_id": "r-1",
        "source": "a.csv",
        "target": "live",
        "counts": GOOD,
        "issues": [],
        "files": {"html": "runs/r-1/report.html"},
        "elapsed_seconds": 9.0,
        "exit_code": 0,
        "error": "The column 'jane@example.com' is not known.",
    }
    return compose_run({**report, **more}, settings or NotifySettings(), Commands(Path("my runs")))


def test_a_good_run_is_done_with_counts_and_the_whole_path_of_the_report() -> None:
    notification = reported(exit_code=3)

    assert (notification.level, notification.title) == ("done", "Customer import done: a.csv, 99 customers created")
    assert "a.csv: 100 rows: 99 created, 1 invalid." in notification.body
    assert f"report: {Path.cwd()}/runs/r-1/report.html" in notification.body
    assert "Run: r-1. Target: live. Exit code: 3." in notification.body
    assert "jane" not in notification.body


@pytest.mark.parametrize(
    ("code", "level", "says"),
    [
        (
            ExitCode.STOPPED,
            "failed",
            "a.csv: stopped, too much went wrong (exit code 4). Not finished. 100 rows: 99 created",
        ),
        (ExitCode.STOPPED, "failed", f"\n  next: importer resume r-1 --workspace '{Path.cwd()}/my runs'"),
        (ExitCode.ACCESS, "failed", "access was refused"),
        (ExitCode.SIGTERM, "failed", "stopped by hand"),
        (ExitCode.BALANCE, "failed", "\n  next: importer show r-1"),
        (ExitCode.TRY_LATER, "degraded", "\n  next: importer resume r-1"),
        (ExitCode.SOME_UNKNOWN, "done", "99 created"),
    ],
)
def test_a_run_that_stopped_says_why_and_what_comes_next(code: ExitCode, level: str, says: str) -> None:
    notification = reported(exit_code=code)

    assert (notification.level, says in notification.body) == (level, True), notification.body


def test_corrections_that_were_not_sent_are_reported() -> None:
    issues = [{"code": "differs_from_imported", "count": 3}, {"code": "imported_before", "count": 5}]
    assert CORRECTED.format(3) in reported(issues=issues).body


def test_thresholds_make_a_run_degraded() -> None:
    bad = {"read": 10, "created": 8, "invalid": 2}

    assert reported(counts=bad).level == "degraded"
    assert "20% of its rows made no customer" in reported(counts=bad).body
    assert reported(NotifySettings(max_reject_share=None), counts=bad).level == "done"
    assert reported(NotifySettings(max_duration_s=8)).level == "degraded"


@pytest.mark.parametrize(
    ("about", "name"),
    [
        ("/srv/in/a.csv", "a.csv"),
        ("sftp://user:sekret@files.example.com/out/a.csv?token=sekret", "a.csv"),
        ("last", "last"),
        ("odd\nname.csv", "odd?name.csv"),
        ("https://example.com/", "the source"),
    ],
)
def test_a_run_that_could_not_begin_is_reported_by_name_and_reason(about: str, name: str) -> None:
    notification = refused_run(about, ExitCode.SOURCE)

    assert (notification.level, notification.title) == ("failed", f"Customer import failed: {name}")
    assert f"{name}: the file cannot be used. Exit code: 6." in notification.body
    assert "sekret" not in notification.body


def test_a_run_for_which_there_was_nothing_to_do_is_only_degraded() -> None:
    assert refused_run("a.csv", ExitCode.BUSY).level == "degraded"
    assert refused_run("a.csv", ExitCode.BUG).level == "failed"


OPEN_STEPS = {
    "steps": {"verification": {"submitted": 31}, "verify": {"done": 99}},
    "outcomes": {},
    "open": 31,
    "failed": 0,
}


def test_a_run_that_only_waits_for_outcomes_is_done_and_names_what_goes_on_with_it() -> None:
    notification = reported(exit_code=75, state="finished", follow_up=OPEN_STEPS)

    assert notification.level == "done"
    assert "99 created, 1 invalid. Steps: 99 verified; identity: 31 open." in notification.body
    assert f"\n  next: importer follow r-1 --workspace '{Path.cwd()}/my runs'" in notification.body


def test_failed_steps_are_a_warning() -> None:
    steps = {"steps": {"limits": {"done": 97, "failed": 2}}, "outcomes": {}, "open": 0, "failed": 2}
    notification = reported(exit_code=3, state="finished", follow_up=steps)

    assert notification.level == "degraded"
    assert "a.csv: 2 steps after its creates failed or found a difference." in notification.body
    assert "Steps: limits set for 97, 2 failed." in notification.body


@pytest.mark.parametrize(("command", "did"), [("follow", "open steps followed"), ("verify", "customers read back")])
def test_a_command_that_creates_nothing_names_no_new_customers(command: str, did: str) -> None:
    assert reported(command=command, state="finished").title == f"Customer import done: a.csv, {did}"
