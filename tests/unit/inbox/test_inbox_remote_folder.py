"""What only a folder at an address does, over SFTP, S3 and Google Storage; for the rest see `tests/contracts`."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

import fsspec
import pytest

from importer.core.errors import ImporterError, SourceError, StillWrittenError, UnreachableError, UsageError
from importer.inbox.remote.folder import RemoteFolder
from importer.profile import Profile
from tests.arrival_places import Bucket, Directory, Place, place_of
from tests.remote_servers import TEXT, Sshd

pytestmark = pytest.mark.slow

TAG = "20261122T083000Z-1a2b3c"


class Kill(BaseException):
    """What ends a program in the middle of a step."""


S3 = pytest.param("s3", marks=pytest.mark.xdist_group("s3"))
"""Its libraries take a second to load: one worker does it for all."""


@pytest.fixture(params=["sftp", S3, pytest.param("s3-root", marks=pytest.mark.slow), "gs"])
def place(request: pytest.FixtureRequest) -> Place:
    return place_of(request)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def inbox(place: Place, workspace: Path, team: str = "", **settings: Any) -> RemoteFolder:
    given = {f"nightly.{name}": value for name, value in settings.items()}
    opened = RemoteFolder(place.address, Profile().with_options({"workspace": workspace, **given}), team=team)
    opened.open()
    opened.recover()
    return opened


def arrived(box: RemoteFolder) -> list[str]:
    before = box.scan()
    return [path.name for path in box.complete(before, box.scan())]


def taken(box: RemoteFolder, name: str = "a.csv") -> Path:
    assert name in arrived(box)
    path = box.claim(Path(name))
    assert path is not None
    box.fetch(path)
    return path


def results(workspace: Path) -> list[Path]:
    found = []
    for name in ("results.csv", "report.json"):
        path = workspace / TAG / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        found.append(path)
    return found


def left(workspace: Path) -> list[str]:
    """What the workspace still keeps of files that were put away."""
    (home,) = (workspace / "inboxes").iterdir()
    kept = [home / "processing", home / "tickets", *home.glob("results-*")]
    return sorted(path.name for part in kept for path in part.iterdir())


PUT = {f"archive/{TAG}_a.csv/{name}" for name in ("a.csv", "results.csv", "report.json")}

# --------------------------------------------------------------------------- the way of a file


def test_a_file_is_claimed_fetched_and_put_away_with_its_results(place: Place, workspace: Path) -> None:
    place.write("a.csv")
    box = inbox(place, workspace)
    path = taken(box)
    assert path.read_bytes() == TEXT
    assert path.stat().st_mode & 0o777 == 0o600
    assert arrived(box) == []

    put = box.put_away(path, box.archive, TAG, files=results(workspace), texts={"note.txt": "so"})

    assert put == f"{place.address}/archive/{TAG}_a.csv"
    assert place.names() == PUT | {f"archive/{TAG}_a.csv/note.txt"}
    assert place.read(f"archive/{TAG}_a.csv/a.csv") == TEXT
    assert (box.has_archived(TAG, "a.csv"), box.has_archived(TAG, "b.csv"), box.newest_tag()) == (True, False, TAG)
    assert left(workspace) == []


def test_checksum_files_never_arrive_by_themselves(place: Place, workspace: Path) -> None:
    for name in ("a.csv", "a.csv.sha256"):
        place.write(name)

    assert arrived(inbox(place, workspace, patterns=["*.csv", "*.sha256"])) == ["a.csv"]


def test_the_checksum_file_beside_a_file_is_compared_and_goes_with_it(place: Place, workspace: Path) -> None:
    place.write("a.csv")
    place.write("a.csv.sha256", hashlib.sha256(TEXT).hexdigest().encode())
    place.write("b.csv")
    place.write("b.csv.sha256", hashlib.sha256(b"other").hexdigest().encode())
    box = inbox(place, workspace)
    box.put_away(taken(box), box.archive, TAG)
    with pytest.raises(SourceError, match="arrived damaged"):
        taken(box, "b.csv")
    (broken,) = box.claimed()
    box.put_away(broken, box.failed, TAG, texts={"why.txt": "broken"})

    assert place.names() == {
        *(f"archive/{TAG}_a.csv/{name}" for name in ("a.csv", "a.csv.sha256")),
        *(f"failed/{TAG}_b.csv/{name}" for name in ("b.csv", "b.csv.sha256", "why.txt")),
    }
    assert left(workspace) == []


def test_an_empty_file_is_fetched_and_one_that_is_too_large_is_not(place: Place, workspace: Path) -> None:
    place.write("a.csv", b"")
    place.write("b.csv", TEXT * 3)
    profile = Profile().with_options({"workspace": workspace, "source.limits.max_file_bytes": len(TEXT) * 2})
    box = RemoteFolder(place.address, profile)
    box.open()
    assert taken(box).read_bytes() == b""
    with pytest.raises(SourceError, match="is larger than"):
        taken(box, "b.csv")
    assert [path.name for path in box.claimed() if path.exists()] == ["a.csv"]


def test_a_name_that_is_not_text_hides_no_other_file_and_is_kept(at_home: Sshd, workspace: Path) -> None:
    place, name = Directory(at_home), os.fsdecode(b"caf\xe9.csv")
    for one in (name, "a.csv"):
        place.write(one)
    box = inbox(place, workspace)
    assert sorted(arrived(box)) == sorted([name, "a.csv"])
    paths = [taken(box, one) for one in (name, "a.csv")]
    put = [box.put_away(path, box.archive, TAG) for path in paths]

    assert put[0].endswith("_caf\\xe9.csv")
    assert place.read(f"archive/{TAG}_caf\\xe9.csv/{name}") == TEXT
    assert left(workspace) == []


# --------------------------------------------------------------------------- others are at work too


def test_a_file_that_was_replaced_is_not_claimed(place: Place, workspace: Path) -> None:
    place.write("a.csv")
    place.write("b.csv")
    box = inbox(place, workspace)
    assert arrived(box) == ["a.csv", "b.csv"]
    place.remove("a.csv")
    place.write("b.csv", TEXT * 2, age_s=0)

    assert [box.claim(Path(name)) for name in ("a.csv", "b.csv")] == [None, None]
    assert left(workspace) == []


def test_a_file_that_is_replaced_while_it_is_imported_is_kept_for_the_next_pass(place: Place, workspace: Path) -> None:
    place.write("a.csv", b"first")
    box = inbox(place, workspace)
    path = taken(box)
    place.write("a.csv", b"second", age_s=0)
    box.put_away(path, box.archive, TAG)

    assert place.read(f"archive/{TAG}_a.csv/a.csv") == b"first"
    assert place.read("a.csv") == b"second"
    assert arrived(box) == ["a.csv"]


def test_a_file_that_was_replaced_before_it_was_fetched_is_left_to_the_next_pass(in_aws: None, workspace: Path) -> None:
    place = Bucket("in")
    place.write("a.csv", b"first")
    box = inbox(place, workspace)
    assert arrived(box) == ["a.csv"]
    path = box.claim(Path("a.csv"))
    assert path is not None
    place.write("a.csv", b"second")
    with pytest.raises(StillWrittenError, match="not the file that was taken"):
        box.fetch(path)

    assert taken(box).read_bytes() == b"second"


def test_a_claimed_file_that_somebody_still_writes_is_given_back(at_home: Sshd, workspace: Path) -> None:
    place = Directory(at_home)
    place.write("a.csv")
    box = inbox(place, workspace)
    assert arrived(box) == ["a.csv"]
    with (place.root / "a.csv").open("ab") as upload:
        path = box.claim(Path("a.csv"))
        upload.write(b"more\n")
    assert path is not None
    with pytest.raises(StillWrittenError):
        box.fetch(path)

    assert (place.names(), left(workspace)) == ({"a.csv"}, [])


def test_of_two_workspaces_over_sftp_one_gets_the_file(at_home: Sshd, tmp_path: Path) -> None:
    place = Directory(at_home)
    place.write("a.csv")
    first, second = (inbox(place, tmp_path / name) for name in ("one", "two"))
    assert arrived(first) == arrived(second) == ["a.csv"]
    path = first.claim(Path("a.csv"))

    assert (path is not None, second.claim(Path("a.csv"))) == (True, None)
    assert (arrived(second), second.claimed(), len(first.claimed())) == ([], [], 1)


# --------------------------------------------------------------------------- kills


class Dying:
    """The library's files, for a program that is killed when it is about to ask them for the n-th time."""

    def __init__(self, files: Any, left: list[int], end: type[BaseException]) -> None:
        self._files, self._left, self._end = files, left, end

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._files, name)
        if not callable(found):
            return found
        self._count()
        return found

    @property
    def client(self) -> Any:
        self._count()
        return Lasting(self._files.client)

    def _count(self) -> None:
        self._left[0] -= 1
        if self._left[0] == 0:
            raise self._end


class Lasting:
    """A connection that is used again."""

    def __init__(self, client: Any) -> None:
        self.start_sftp_client = client.start_sftp_client

    def close(self) -> None:
        """It lasts."""


class Mortal:
    """Opens the library's files once, and ends a program at its n-th request to them."""

    def __init__(self) -> None:
        self._real = fsspec.url_to_fs
        self._open: dict[str, tuple[Any, str]] = {}

    @contextmanager
    def ended_at(self, number: int, end: type[BaseException] = Kill) -> Iterator[None]:
        left = [number]

        def opened(address: str, **more: Any) -> tuple[Any, str]:
            files, path = self._open.get(address) or self._real(address, **more)
            self._open[address] = (files, path)
            return Dying(files, left, end), path

        with mock.patch("fsspec.url_to_fs", opened):
            yield


def the_whole_way(box: RemoteFolder, files: list[Path]) -> None:
    for path in box.claimed():
        box.fetch(path)
        assert path.read_bytes() == TEXT
        box.put_away(path, box.archive, TAG, files=files)
    if "a.csv" in arrived(box):
        box.put_away(taken(box), box.archive, TAG, files=files)


@pytest.mark.parametrize(
    ("place", "end", "becomes"),
    [("sftp", Kill, Kill), ("s3", Kill, Kill), ("gs", ConnectionResetError, UnreachableError)],
    indirect=["place"],
)
@pytest.mark.slow
def test_an_end_at_any_step_loses_nothing_and_doubles_nothing(
    place: Place, workspace: Path, end: type[BaseException], becomes: type[BaseException]
) -> None:
    """Killed or cut off at its first request, at its second, and so on, until it gets through."""
    mortal, files, survived, number = Mortal(), results(workspace), False, 0
    while not survived:
        number += 1
        place.write("a.csv")
        place.write("a.csv.sha256", hashlib.sha256(TEXT).hexdigest().encode())
        place.write("a.csv.done", b"", age_s=0)
        with mortal.ended_at(number, end), suppress(becomes):
            the_whole_way(inbox(place, workspace), files)
            survived = True

        with mortal.ended_at(-1):
            the_whole_way(inbox(place, workspace), files)
        assert place.names() == PUT | {f"archive/{TAG}_a.csv/a.csv.sha256"}, number
        assert left(workspace) == [], number
        place.clear()
    assert number > 25


# --------------------------------------------------------------------------- errors


def said(address: str, workspace: Path, kind: type[ImporterError], **options: Any) -> str:
    with pytest.raises(kind) as caught:
        RemoteFolder(address, Profile().with_options({"workspace": workspace, **options})).open()
    assert "canary" not in str(caught.value)
    return str(caught.value)


def test_a_missing_folder_is_an_error_of_the_source_without_the_password(
    at_home: Sshd, in_aws: None, workspace: Path
) -> None:
    for address in (at_home.address(at_home.root / "nowhere", "root:canary@"), "s3://no-such-bucket/in"):
        assert "There is no folder" in said(address, workspace, SourceError)
    assert "There is no folder" in said("s3://no-such-bucket", workspace, SourceError)


def test_a_prefix_of_a_bucket_is_a_folder_even_when_nothing_is_in_it(in_aws: None, workspace: Path) -> None:
    assert arrived(inbox(Bucket("empty/yet"), workspace)) == []


def test_what_cannot_be_a_folder_is_refused_before_anything(workspace: Path) -> None:
    message = said("https://ann:canary@files.example.com/in", workspace, UsageError)
    assert "neither listed nor moved" in message
    assert "import one file, such as https://" in message
    assert "sftp://" in said("ftp://files.example.com/in", workspace, UsageError)
    assert "outside the folder" in said("s3://bucket/in", workspace, UsageError, **{"nightly.archive": "/kept"})
    assert not workspace.exists()


def test_a_host_that_cannot_be_reached_is_an_error_that_may_pass(workspace: Path) -> None:
    assert "cannot be reached" in said("sftp://files.invalid/in", workspace, UnreachableError)
    assert "cannot be reached" in said("sftp://127.0.0.1:9/in", workspace, UnreachableError)


def test_two_users_of_one_server_have_two_inboxes(at_home: Sshd, workspace: Path) -> None:
    place = Directory(at_home)
    locks = [RemoteFolder(at_home.address(place.root, user), Profile()).lock for user in ("ann@", "bob@", "ann:pw@")]
    assert locks[0] != locks[1]
    assert locks[0] == locks[2]


# --------------------------------------------------------------------------- several hosts


@pytest.mark.parametrize("place", ["sftp"], indirect=True)
def test_what_a_host_has_claimed_that_died_another_one_of_its_team_goes_on_with(place: Place, tmp_path: Path) -> None:
    place.write("a.csv")
    place.write("a.csv.sha256", f"{hashlib.sha256(TEXT).hexdigest()}  a.csv\n".encode())
    taken(inbox(place, tmp_path / "first", team="0123abcd"))

    other = inbox(place, tmp_path / "second", team="0123abcd")
    stranger = inbox(place, tmp_path / "third")
    (path,) = other.claimed()
    other.fetch(path)
    other.put_away(path, other.archive, TAG, files=results(tmp_path / "second"))
    back = inbox(place, tmp_path / "first", team="0123abcd")

    assert stranger.claimed() == []
    assert place.read(f"archive/{TAG}_a.csv/a.csv") == TEXT
    assert place.names() >= PUT
    assert [one.name for one in back.claimed()] == ["a.csv"]  # its own record, which the next pass finds archived
    assert back.has_archived(TAG, "a.csv")


@pytest.mark.parametrize("place", ["sftp"], indirect=True)
def test_a_workspace_that_comes_to_a_team_first_ends_what_it_had_claimed(place: Place, tmp_path: Path) -> None:
    place.write("a.csv")
    taken(inbox(place, tmp_path / "first"))

    alone = inbox(place, tmp_path / "first", team="0123abcd")
    (path,) = alone.claimed()
    alone.put_away(path, alone.archive, TAG, files=results(tmp_path / "first"))
    place.write("b.csv")
    taken(inbox(place, tmp_path / "first", team="0123abcd"), "b.csv")

    assert place.names() - PUT == {"processing/0123abcd/b.csv"}
