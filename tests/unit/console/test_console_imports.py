"""The list of imports: a draft that is checked again and again does not fill it."""

from __future__ import annotations

import pytest

pytest.importorskip("nicegui", reason="the console is not installed")

from importer.console.pages.imports import newest_checks
from importer.runs.history import Begun


def test_of_the_checks_of_a_draft_only_the_newest_is_listed() -> None:
    night, draft, other = Begun("kim", by_night=True), Begun("", False, "d1"), Begun("", False, "d2")
    checks = [({"run_id": f"check-{number}", "dry_run": True}, draft) for number in range(20, 0, -1)]
    of_other = ({"run_id": "other", "dry_run": True}, other)
    sent = ({"run_id": "sent", "dry_run": False}, draft)
    nights = [({"run_id": f"night-{number}", "dry_run": True}, night) for number in (2, 1)]

    listed = [run["run_id"] for run, _ in newest_checks([sent, *checks, of_other, *nights])]

    assert listed == ["sent", "check-20", "other", "night-2", "night-1"]
