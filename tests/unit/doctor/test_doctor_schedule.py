"""Whether a run could begin now: hours, and the day's requests."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from importer.doctor import Finding
from importer.doctor.schedule import check_hours, check_quota
from importer.journal.sqlite.database import SqliteDatabase
from importer.profile import Profile

SCOPE = "sandbox"
DAY = datetime(2027, 3, 1, tzinfo=UTC).timestamp()
HOUR_S = 3_600.0


def profile(**options: Any) -> Profile:
    given = {f"delivery.{name}": value for name, value in options.items() if name != "workspace"}
    workspace = {"workspace": str(options["workspace"])} if "workspace" in options else {}
    return Profile.load(options={"delivery.timezone": "UTC", **given, **workspace}, environ={})


def hours(hour: float, **options: Any) -> list[Finding]:
    return list(check_hours(profile(**options), {}, DAY + hour * HOUR_S))


def test_without_hours_there_is_nothing_to_say() -> None:
    assert hours(12) == []


def test_an_open_window_is_reported_with_its_end() -> None:
    (found,) = hours(23, window="22:00-06:00", finish_by="05:00")

    assert (found.status, found.message) == ("ok", "something may be sent now, until 2027-03-02 05:00 (UTC)")


def test_a_closed_window_is_reported_with_its_opening() -> None:
    (found,) = hours(12, window="22:00-06:00")

    assert found.status == "warn"
    assert "the window 22:00-06:00 (UTC) opens at 2027-03-01 22:00" in found.message
    assert "exit code 75" in found.message


@pytest.mark.parametrize(
    ("used", "status", "says"),
    [
        (0, "ok", "0 of the day's 1,000 requests are used, 1,000 are left"),
        (899, "ok", "101 are left"),
        (900, "warn", "100 are left"),
        (1_000, "warn", "0 are left"),
        (1_200, "warn", "1,200 of the day's 1,000 requests are used, 0 are left"),
    ],
)
def test_the_quota_is_what_the_limiter_will_count(tmp_path: Path, used: int, status: str, says: str) -> None:
    database = SqliteDatabase(tmp_path / "journal.sqlite3")
    with database.transaction() as tx:
        rows = [(SCOPE, DAY, used), (SCOPE, DAY - 25 * HOUR_S, 5_000), ("another", DAY, 7)]
        tx.executemany("INSERT INTO starts VALUES (?, ?, ?)", rows)
    database.close()
    (found,) = check_quota(profile(rate="10/s, 1000/day", workspace=tmp_path), SCOPE, DAY + HOUR_S)

    assert (found.status, says in found.message) == (status, True), found.message


def test_the_share_that_is_left_to_others_is_not_ours_to_use(tmp_path: Path) -> None:
    (found,) = check_quota(profile(rate="1000/day", headroom=0.25, workspace=tmp_path), SCOPE, DAY)

    assert "0 of the day's 750 requests" in found.message


def test_without_a_limit_of_a_day_or_a_known_target_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert list(check_quota(profile(rate="10/s, 1000/h", workspace=tmp_path), SCOPE, DAY)) == []
    assert list(check_quota(profile(rate="1000/day", workspace=tmp_path), "", DAY)) == []


def test_a_journal_that_cannot_be_read_is_reported_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"no database at all" * 300)

    assert list(check_quota(profile(rate="1000/day", workspace=tmp_path), SCOPE, DAY)) == []
