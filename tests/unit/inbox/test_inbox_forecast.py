"""What a whole night is expected to take, estimated before its first file."""

from __future__ import annotations

import asyncio
import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from importer.core.errors import SourceError
from importer.core.events import Event
from importer.inbox.folder import FileState
from importer.inbox.forecast import InboxForecast, InboxForecaster, forecast_files, sizes_of
from importer.profile import Profile
from importer.runs.context import Context
from importer.runs.run import run
from importer.runs.wiring import SystemClock, destination
from tests.acceptance.conftest import people

NOW = datetime(2027, 3, 1, 2, tzinfo=UTC).timestamp()


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return profile_at(tmp_path)


def profile_at(home: Path, **options: Any) -> Profile:
    given = {"workspace": str(home / "runs"), "delivery.timezone": "UTC", "delivery.rate": "200/s, 10000/day"}
    return Profile.load(options={**given, **options}, environ={})


def forecast_of(profile: Profile, *paths: Path, ends_at: float | None = None, force: bool = False) -> InboxForecast:
    scope, sizes = destination(profile, {}).scope, sizes_of(paths)
    found = forecast_files(profile, scope, sizes, now=Context(profile).now(), ends_at=ends_at, force=force)
    assert found is not None
    return found


def file(home: Path, name: str, count: int) -> Path:
    path = home / name
    path.write_text(people(count))
    return path


def imported(profile: Profile, path: Path) -> None:
    asyncio.run(run(Context(profile), path))


def test_without_files_there_is_no_forecast(profile: Profile) -> None:
    assert forecast_files(profile, "s", {}, now=NOW, ends_at=None) is None


def test_rows_are_counted_and_every_run_logs_in(profile: Profile, tmp_path: Path) -> None:
    found = forecast_of(profile, file(tmp_path, "a.csv", 30), file(tmp_path, "b.csv", 12))

    assert (found.files, found.rows, found.unknown, found.forecast.requests) == (2, 42, 0, 44)
    assert found.text.startswith("2 files wait with about 42 rows, an estimate. 44 requests take about 1 s at 200/s")


def test_each_file_may_be_in_time_and_all_of_them_not(tmp_path: Path) -> None:
    paths = [file(tmp_path, f"{name}.csv", 60) for name in "abc"]
    profile = profile_at(tmp_path, **{"delivery.rate": "10/s"})
    now = Context(profile).now()
    scope = destination(profile, {}).scope

    def alone(path: Path) -> InboxForecast | None:
        return forecast_files(profile, scope, sizes_of([path]), now=now, ends_at=now + 10)

    together = forecast_files(profile, scope, sizes_of(paths), now=now, ends_at=now + 10)
    assert [one is not None and one.forecast.in_time for one in map(alone, paths)] == [True, True, True]
    assert together is not None
    assert not together.forecast.in_time
    assert "It will not finish by" in together.text


def test_beyond_the_sample_lines_are_taken_to_be_as_long_as_in_it(profile: Profile, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Email,Phone\n" + "jo@example.com,+12125550100\n" * 100_000)

    assert path.stat().st_size > 2 * 1024**2
    assert forecast_of(profile, path).rows == pytest.approx(100_000, rel=0.001)


@pytest.mark.parametrize(("text", "rows"), [("", 0), ("a,b", 0), ("a,b\n1,2", 1), ("a,b\r1,2\r3,4\r", 2)])
def test_lines_are_counted_however_they_end(profile: Profile, tmp_path: Path, text: str, rows: int) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())

    assert forecast_of(profile, path).rows == rows


def test_rows_of_small_packed_files_are_counted(profile: Profile, tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(people(25).encode()))
    broken = tmp_path / "b.xlsx"
    broken.write_bytes(b"PK\x03\x04 no workbook")

    assert (forecast_of(profile, path).rows, forecast_of(profile, broken).rows) == (25, 0)


def test_rows_of_what_is_not_here_yet_follow_from_the_runs_before(profile: Profile, tmp_path: Path) -> None:
    scope, elsewhere = destination(profile, {}).scope, tmp_path / "elsewhere" / "b.csv"
    before = forecast_files(profile, scope, {elsewhere: 5_000}, now=NOW, ends_at=None)
    assert before is not None
    assert (before.rows, before.unknown) == (0, 1)
    assert "1 file waits (1 of them of unknown length) with about 0 rows" in before.text

    path = file(tmp_path, "a.csv", 40)
    imported(profile, path)
    after = forecast_files(profile, scope, {elsewhere: 2 * path.stat().st_size}, now=NOW, ends_at=None)
    assert after is not None
    assert (after.rows, after.unknown) == (80, 0)


def test_requests_follow_from_the_runs_before_where_most_rows_were_known(profile: Profile, tmp_path: Path) -> None:
    for count in (20, 40, 50):  # every full export holds the people of the one before
        imported(profile, file(tmp_path, f"{count}.csv", count))
    found = forecast_of(profile, file(tmp_path, "next.csv", 60))

    assert found.rows == 60
    assert found.forecast.requests == round(60 * 50 / 110) + 1


def test_what_was_imported_before_needs_nothing_unless_forced(profile: Profile, tmp_path: Path) -> None:
    path = file(tmp_path, "a.csv", 20)
    imported(profile, path)

    assert forecast_of(profile, path).forecast.requests == 0
    assert forecast_of(profile, path, force=True).forecast.requests == 21


def test_a_stopped_run_needs_only_the_rows_that_are_left(tmp_path: Path) -> None:
    path = file(tmp_path, "a.csv", 60)
    profile = profile_at(tmp_path, **{"delivery.rate": "1000/s, 25/day"})
    imported(profile, path)
    found = forecast_of(profile, path)

    assert (found.rows, found.forecast.requests) == (36, 37)
    assert found.forecast.quota_share == pytest.approx((25 + 37) / 25)
    assert not found.forecast.in_time


def test_the_requests_of_the_day_are_counted_as_by_the_limiter(profile: Profile, tmp_path: Path) -> None:
    imported(profile, file(tmp_path, "a.csv", 20))
    found = forecast_of(profile, file(tmp_path, "b.csv", 9))

    assert found.forecast.quota_share == pytest.approx((21 + 10) / 10_000)


def test_a_journal_that_cannot_be_read_does_not_stop_a_night(profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "journal.sqlite3").write_bytes(b"no database at all" * 300)

    assert forecast_files(profile, "s", {file(tmp_path, "a.csv", 3): 9}, now=NOW, ends_at=None) is None


def test_files_that_have_gone_are_left_out(tmp_path: Path) -> None:
    path = file(tmp_path, "a.csv", 3)

    assert sizes_of([path, tmp_path / "b.csv"]) == {path: path.stat().st_size}


class Folder:
    """A folder of files that lie on this machine; what cannot be read is an error that a look would raise."""

    def __init__(self, *paths: Path, broken: bool = False) -> None:
        self.paths, self.broken = paths, broken

    def claimed(self) -> list[Path]:
        return []

    def scan(self) -> dict[Path, FileState]:
        if self.broken:
            raise SourceError("The folder cannot be read.")
        return {path: FileState(path.stat().st_size, 0, 0) for path in self.paths}


def test_the_same_files_are_forecast_once_and_others_again(profile: Profile, tmp_path: Path) -> None:
    events: list[Event] = []
    forecaster = InboxForecaster(profile, events.append, SystemClock())
    first, second = file(tmp_path, "a.csv", 3), file(tmp_path, "b.csv", 4)
    found = [forecaster.forecast(Folder(*paths), None).get("rows") for paths in ([first], [first], [first, second], [])]

    assert found == [3, None, 7, None]
    assert [(event.name, event.data["rows"]) for event in events] == [("night_forecast", 3), ("night_forecast", 7)]


def test_a_folder_that_cannot_be_read_has_no_forecast(profile: Profile) -> None:
    events: list[Event] = []

    assert InboxForecaster(profile, events.append, SystemClock()).forecast(Folder(broken=True), None) == {}
    assert events == []
