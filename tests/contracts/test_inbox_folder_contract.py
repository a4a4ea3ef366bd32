"""What every folder that files arrive in promises, on this machine and at an address.

A new kind of folder adds a place of its own to `PLACES`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from importer.core.errors import SourceError
from importer.inbox.folder import InboxFolder
from importer.inbox.local_folder import LocalFolder
from importer.inbox.remote.folder import RemoteFolder
from importer.profile import Profile
from tests.arrival_places import Directory, LocalDirectory, Place, place_of
from tests.remote_servers import TEXT

pytestmark = pytest.mark.slow

S3 = pytest.param("s3", marks=pytest.mark.xdist_group("s3"))
"""Its libraries take a second to load: one worker does it for all."""
PLACES = ["local", "sftp", S3, "gs"]
WITH_TIMES = ["local", "sftp"]
"""Places where a test says when a file was written."""
TAG, LATER_TAG = "20261122T020000Z-aaaaaa", "20261123T020000Z-bbbbbb"


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> Place:
    return place_of(request)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def folder_at(place: Place, workspace: Path, **settings: Any) -> InboxFolder:
    """The folder as one pass sees it; a second call is the next pass."""
    given = {f"nightly.{name}": value for name, value in settings.items()}
    profile = Profile().with_options({"workspace": workspace, **given})
    is_local = isinstance(place, LocalDirectory) and not isinstance(place, Directory)
    folder: InboxFolder = (
        LocalFolder(Path(place.address), profile.nightly) if is_local else RemoteFolder(place.address, profile)
    )
    folder.open()
    folder.recover()
    return folder


def complete(folder: InboxFolder) -> list[Path]:
    before = folder.scan()
    return folder.complete(before, folder.scan())


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def claimed(folder: InboxFolder, name: str = "a.csv") -> Path:
    (arrived,) = [path for path in complete(folder) if path.name == name]
    path = folder.claim(arrived)
    assert path is not None
    folder.fetch(path)
    return path


def result_files(workspace: Path) -> list[Path]:
    found = []
    for name in ("results.csv", "report.json"):
        path = workspace / TAG / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        found.append(path)
    return found


# --------------------------------------------------------------------------- arriving


def test_a_file_is_complete_when_two_scans_agree(place: Place, workspace: Path) -> None:
    for name in ("a.csv", "growing.csv"):
        place.write(name)
    folder = folder_at(place, workspace)
    before = folder.scan()
    place.write("growing.csv", TEXT * 2, age_s=0)
    place.write("new.csv", age_s=0)
    now = folder.scan()
    found = folder.complete(before, now)

    assert names(found) == ["a.csv"]
    assert names(folder.growing(now, found)) == ["growing.csv", "new.csv"]


def test_hidden_and_temporary_files_and_those_of_no_pattern_are_left_alone(place: Place, workspace: Path) -> None:
    for name in (".a.csv", "~$a.xlsx", "a.csv.part", "a.csv.filepart", "notes.pdf", "A.CSV"):
        place.write(name)
    folder = folder_at(place, workspace)

    assert names(complete(folder)) == ["A.CSV"]


def test_a_marker_makes_a_file_complete_at_once_and_goes_with_it(place: Place, workspace: Path) -> None:
    place.write("a.csv")
    place.write("a.csv.done", b"", age_s=0)
    folder = folder_at(place, workspace)
    (found,) = folder.complete({}, folder.scan())
    path = folder.claim(found)
    assert path is not None
    folder.fetch(path)
    folder.put_away(path, folder.archive, TAG)

    assert place.names() == {f"archive/{TAG}_a.csv/a.csv"}


def test_where_markers_are_the_rule_no_file_is_taken_without_one(place: Place, workspace: Path) -> None:
    for name in ("a.csv", "b.csv", "b.csv.done"):
        place.write(name)
    folder = folder_at(place, workspace, ready="marker")
    now = folder.scan()

    assert names(folder.complete(now, now)) == ["b.csv"]
    assert folder.growing(now, folder.complete(now, now)) == []


@pytest.mark.parametrize("place", WITH_TIMES, indirect=True)
def test_a_marker_that_is_older_than_its_file_belonged_to_another_one(place: Place, workspace: Path) -> None:
    place.write("a.csv.done", b"", age_s=90)
    place.write("a.csv", age_s=60)
    folder = folder_at(place, workspace, ready="marker")
    now = folder.scan()

    assert folder.complete(now, now) == []
    assert names(folder.growing(now, [])) == ["a.csv"]


@pytest.mark.parametrize("place", WITH_TIMES, indirect=True)
def test_the_oldest_file_comes_first(place: Place, workspace: Path) -> None:
    for name, age_s in (("b.csv", 5), ("a.csv", 5), ("old.csv", 60)):
        place.write(name, age_s=age_s)

    assert names(complete(folder_at(place, workspace))) == ["old.csv", "a.csv", "b.csv"]


@pytest.mark.parametrize("place", WITH_TIMES, indirect=True)
def test_a_symbolic_link_is_reported_and_left_alone(place: LocalDirectory, workspace: Path) -> None:
    (place.root / "link.csv").symlink_to(place.root / "elsewhere")
    (place.root / "link.pdf").symlink_to(place.root / "elsewhere")
    folder = folder_at(place, workspace)

    assert (complete(folder), folder.links()) == ([], ["link.csv"])


@pytest.mark.parametrize("place", WITH_TIMES, indirect=True)
def test_a_folder_that_does_not_exist_is_an_error_of_the_source(place: LocalDirectory, workspace: Path) -> None:
    place.root.rmdir()
    with pytest.raises(SourceError, match="There is no folder"):
        folder_at(place, workspace)


# --------------------------------------------------------------------------- claiming


def test_a_claimed_file_can_be_read_and_does_not_arrive_again(place: Place, workspace: Path) -> None:
    place.write("a.csv")
    folder = folder_at(place, workspace)
    path = claimed(folder)

    assert path.read_bytes() == TEXT
    assert complete(folder) == []


def test_a_file_that_is_gone_is_not_claimed(place: Place, workspace: Path) -> None:
    place.write("a.csv")
    folder = folder_at(place, workspace)
    (path,) = complete(folder)
    place.remove("a.csv")

    assert folder.claim(path) is None
    assert folder.claimed() == []


def test_the_next_pass_finds_what_was_claimed_and_not_put_away(place: Place, workspace: Path) -> None:
    place.write("a.csv")
    path = claimed(folder_at(place, workspace))
    folder = folder_at(place, workspace)

    assert folder.claimed() == [path]
    folder.fetch(path)
    assert path.read_bytes() == TEXT
    folder.put_away(path, folder.archive, TAG)
    assert folder_at(place, workspace).claimed() == []


# --------------------------------------------------------------------------- leaving


def test_a_file_is_put_away_with_everything_about_it_beside_it(place: Place, workspace: Path) -> None:
    place.write("a.csv")
    folder = folder_at(place, workspace)
    put = folder.put_away(
        claimed(folder), folder.archive, TAG, files=result_files(workspace), texts={"note.txt": "note"}
    )

    beside = ("a.csv", "results.csv", "report.json", "note.txt")
    assert str(put) == f"{place.address}/archive/{TAG}_a.csv"
    assert place.names() == {f"archive/{TAG}_a.csv/{name}" for name in beside}
    assert place.read(f"archive/{TAG}_a.csv/a.csv") == TEXT
    assert place.read(f"archive/{TAG}_a.csv/note.txt") == b"note"


def test_nothing_in_the_archive_is_overwritten(place: Place, workspace: Path) -> None:
    folder = folder_at(place, workspace)
    for content in (b"first", b"second"):
        place.write("a.csv", content)
        folder.put_away(claimed(folder), folder.archive, TAG, texts={"note.txt": content.decode()})

    assert place.read(f"archive/{TAG}_a.csv/a.csv") == b"first"
    assert place.read(f"archive/{TAG}_a.csv~2/a.csv") == b"second"
    assert place.read(f"archive/{TAG}_a.csv~2/note.txt") == b"second"


def test_a_source_with_the_name_of_a_results_file_keeps_its_name(place: Place, workspace: Path) -> None:
    place.write("results.csv", b"source")
    folder = folder_at(place, workspace)
    folder.put_away(claimed(folder, "results.csv"), folder.archive, TAG, files=result_files(workspace)[:1])

    assert place.read(f"archive/{TAG}_results.csv/results.csv") == b"source"
    assert place.read(f"archive/{TAG}_results.csv/importer-results.csv") == b"results.csv"


def test_what_was_put_away_is_known_by_its_tag_and_name(place: Place, workspace: Path) -> None:
    folder = folder_at(place, workspace)
    assert (folder.newest_tag(), folder.has_archived(TAG, "a.csv")) == ("", False)
    for name, into, tag in (("b.csv", folder.archive, LATER_TAG), ("a.csv", folder.failed, TAG)):
        place.write(name)
        folder.put_away(claimed(folder, name), into, tag)

    assert folder.newest_tag() == LATER_TAG
    asked = [(TAG, "a.csv"), (LATER_TAG, "a.csv"), (LATER_TAG, "b.csv")]
    assert [folder.has_archived(*one) for one in asked] == [True, False, True]
