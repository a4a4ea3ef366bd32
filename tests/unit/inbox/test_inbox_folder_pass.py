"""One pass: which files it takes, in which order, and what its report says when it ends early."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from importer.core.errors import ExitCode, UnreachableError
from importer.delivery import StopSwitch
from importer.inbox.folder import FileState
from importer.inbox.folder_pass import DailyFile, FolderPass, Stops
from importer.inbox.local_folder import LocalFolder
from importer.inbox.report import PassReport
from importer.profile.nightly import NightlySettings
from importer.runs.file_result import Fate, FileResult
from importer.runs.hours import Hours
from importer.runs.wiring import SystemClock

SETTINGS = NightlySettings(settle_s=0)


@dataclass
class Importing:
    """Imports files as a script says.

    Args:
        results: per file, what becomes of it each time; after the last one nothing more may happen.
    """

    results: Mapping[str, Sequence[FileResult]]
    imported: list[tuple[str, bool]] = field(default_factory=list)
    stop_after: str = ""
    stop: StopSwitch = field(default_factory=StopSwitch)

    async def __call__(self, path: Path, *, claimed: bool) -> FileResult | None:
        times = sum(name == path.name for name, _ in self.imported)
        self.imported.append((path.name, claimed))
        if path.name == self.stop_after:
            self.stop.request("sigterm")
        return self.results[path.name][times]


class GoneAfterwards(LocalFolder):
    """A folder that can be reached once, for what was claimed, and not for a scan."""

    def scan(self) -> dict[Path, FileState]:
        raise UnreachableError("The folder cannot be reached.")


def result(name: str, fate: Fate = Fate.IMPORTED, code: int = 0, **more: Any) -> FileResult:
    return FileResult(file=name, fate=fate, exit_code=code, **more)


def lacks_a_column(name: str) -> FileResult:
    return result(name, Fate.HELD, ExitCode.USAGE)


@pytest.fixture
def folder(tmp_path: Path) -> LocalFolder:
    return opened(LocalFolder(tmp_path, SETTINGS))


def opened(folder: LocalFolder) -> LocalFolder:
    folder.open()
    return folder


def arrives(folder: LocalFolder, *names: str, claimed: bool = False) -> None:
    for name in names:
        ((folder.processing if claimed else folder.folder) / name).write_text("x")


async def one_pass(folder: LocalFolder, importing: Importing, **settings: Any) -> PassReport:
    nightly = SETTINGS.model_copy(update=settings)
    stops = Stops(importing.stop, StopSwitch(), SystemClock())
    empty = PassReport(folder=folder.folder, target="sandbox")
    return await FolderPass(nightly, folder, importing, stops, DailyFile(nightly, Hours()), empty).run()


async def test_what_an_earlier_pass_claimed_comes_before_what_is_new(folder: LocalFolder) -> None:
    arrives(folder, "claimed.csv", claimed=True)
    arrives(folder, "new.csv")
    importing = Importing({name: [result(name)] for name in ("claimed.csv", "new.csv")})
    report = await one_pass(folder, importing)

    assert importing.imported == [("claimed.csv", True), ("new.csv", False)]
    assert (report.exit_code, report.waiting, report.missing) == (0, 0, False)


async def test_an_error_that_befalls_every_file_ends_the_pass_and_the_others_wait(folder: LocalFolder) -> None:
    arrives(folder, "a.csv", "b.csv", "c.csv")
    refused = result("a.csv", Fate.HELD, ExitCode.ACCESS, ends_pass=True)
    report = await one_pass(folder, Importing({"a.csv": [refused]}))

    assert [one.file for one in report.imports] == ["a.csv"]
    assert (report.exit_code, report.stopped) == (ExitCode.ACCESS, None)
    assert report.waiting == 3  # this script moves no file


async def test_a_stop_by_a_person_leaves_the_other_files_to_the_next_pass(folder: LocalFolder) -> None:
    arrives(folder, "a.csv", "b.csv")
    importing = Importing({"a.csv": [result("a.csv")]}, stop_after="a.csv")
    report = await one_pass(folder, importing)

    assert [one.file for one in report.imports] == ["a.csv"]
    assert (report.stopped, report.exit_code) == (ExitCode.SIGTERM, ExitCode.SIGTERM)


async def test_a_file_that_lacks_a_column_is_imported_again_once_another_one_fits(folder: LocalFolder) -> None:
    arrives(folder, "a.csv", claimed=True)
    arrives(folder, "b.csv")
    refused = result("a.csv", Fate.REFUSED, ExitCode.SOURCE)
    importing = Importing({"a.csv": [lacks_a_column("a.csv"), refused], "b.csv": [result("b.csv")]})
    report = await one_pass(folder, importing)

    assert importing.imported == [("a.csv", True), ("b.csv", False), ("a.csv", True)]
    assert [(one.file, one.fate) for one in report.imports] == [("b.csv", "imported"), ("a.csv", "refused")]


async def test_where_no_file_fits_the_profile_is_wrong_and_all_are_held(folder: LocalFolder) -> None:
    arrives(folder, "a.csv", "b.csv")
    importing = Importing({name: [lacks_a_column(name)] for name in ("a.csv", "b.csv")})
    report = await one_pass(folder, importing)

    assert len(importing.imported) == 2
    assert [one.fate for one in report.imports] == ["held", "held"]


async def test_a_pass_that_is_stopped_still_reports_the_files_that_it_would_have_tried_again(
    folder: LocalFolder,
) -> None:
    arrives(folder, "a.csv", claimed=True)
    arrives(folder, "b.csv")
    results = {"a.csv": [lacks_a_column("a.csv")], "b.csv": [result("b.csv")]}
    report = await one_pass(folder, Importing(results, stop_after="b.csv"))

    assert [one.file for one in report.imports] == ["a.csv", "b.csv"]
    assert report.exit_code == ExitCode.USAGE


async def test_what_is_done_is_reported_although_the_folder_is_gone_afterwards(tmp_path: Path) -> None:
    folder = opened(GoneAfterwards(tmp_path, SETTINGS))
    arrives(folder, "a.csv", claimed=True)
    report = await one_pass(folder, Importing({"a.csv": [result("a.csv")]}))

    assert [one.file for one in report.imports] == ["a.csv"]
    assert report.stopped == ExitCode.TRY_LATER


async def test_a_folder_that_cannot_be_reached_at_all_is_an_error(tmp_path: Path) -> None:
    folder = opened(GoneAfterwards(tmp_path, SETTINGS))
    with pytest.raises(UnreachableError):
        await one_pass(folder, Importing({}))


def test_a_file_of_the_day_is_missing_once_a_day_and_not_before_its_time(folder: LocalFolder) -> None:
    settings = SETTINGS.model_copy(update={"expect": "daily", "expect_by": datetime(2027, 3, 1, 8, tzinfo=UTC).time()})
    daily = DailyFile(settings, Hours())

    def at(day: int, hour: int) -> float:
        return datetime(2027, 3, day, hour, tzinfo=UTC).timestamp()

    asked = [daily.is_missing(folder, at(*moment)) for moment in ((1, 7), (1, 9), (1, 10), (2, 7), (2, 9))]
    assert asked == [False, True, False, False, True]
    (folder.archive / "20270303T060000Z_a.csv").mkdir()
    assert not daily.is_missing(folder, at(3, 9))
