"""A folder at an address, over SFTP and S3: whole files, nothing overwritten, nothing lost by a kill at any step."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol
from unittest import mock
from uuid import uuid4

import fsspec
import pytest

from importer.core.errors import ImporterError, SourceError, StillWrittenError, UnreachableError, UsageError
from importer.inbox.remote.folder import RemoteFolder
from importer.profile import Profile
from tests.unit.remote.places import TEXT, Sshd, Web

TAG = "20261122T083000Z-1a2b3c"


class Kill(BaseException):
    """What ends a program in the middle of a step."""


class Place(Protocol):
    """The other side, as its owner sees it."""

    address: str

    def write(self, name: str, content: bytes = TEXT, age_s: int = 60) -> None: ...
    def read(self, name: str) -> bytes: ...
    def remove(self, name: str) -> None: ...
    def names(self) -> set[str]:
        """Every file, by its path."""

    def clear(self) -> None: ...


class Directory:
    """A directory that the ssh server serves."""

    def __init__(self, server: Sshd) -> None:
        self.root = server.root / uuid4().hex
        self.root.mkdir()
        self.address = server.address(self.root)

    def write(self, name: str, content: bytes = TEXT, age_s: int = 60) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        at = 1_790_000_000 - age_s
        os.utime(path, (at, at))

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def remove(self, name: str) -> None:
        (self.root / name).unlink()

    def clear(self) -> None:
        for path in self.root.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def names(self) -> set[str]:
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file()}


class Bucket:
    """A bucket of the S3 server."""

    def __init__(self, prefix: str) -> None:
        import s3fs

        self.files = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
        self.bucket = f"bucket-{uuid4().hex}"
        self.files.mkdir(self.bucket)
        self.base = f"{self.bucket}/{prefix}".rstrip("/")
        self.address = f"s3://{self.base}"

    def write(self, name: str, content: bytes = TEXT, age_s: int = 60) -> None:
        self.files.pipe_file(f"{self.base}/{name}", content)

    def read(self, name: str) -> bytes:
        return bytes(self.files.cat_file(f"{self.base}/{name}"))

    def remove(self, name: str) -> None:
        self.files.rm_file(f"{self.base}/{name}")

    def clear(self) -> None:
        for name in self.names():
            self.remove(name)

    def names(self) -> set[str]:
        return {name.removeprefix(f"{self.base}/") for name in self.files.find(self.base)}


class Objects:
    """A bucket of the Google Storage server."""

    def __init__(self, server: Web) -> None:
        server.files = {"/bucket/elsewhere": b""}
        self.server, self.address = server, "gs://bucket/in"

    def write(self, name: str, content: bytes = TEXT, age_s: int = 60) -> None:
        self.server.files[f"/bucket/in/{name}"] = content
        self.server.generations[f"/bucket/in/{name}"] = self.server.generations.get(f"/bucket/in/{name}", 1) + 1

    def read(self, name: str) -> bytes:
        return self.server.files[f"/bucket/in/{name}"]

    def remove(self, name: str) -> None:
        del self.server.files[f"/bucket/in/{name}"]

    def clear(self) -> None:
        self.server.files = {"/bucket/elsewhere": b""}

    def names(self) -> set[str]:
        return {path.removeprefix("/bucket/in/") for path in self.server.files} - {"/bucket/elsewhere"}


@pytest.fixture(params=["sftp", "s3", pytest.param("s3-root", marks=pytest.mark.slow), "gs"])
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "gs":
        return Objects(request.getfixturevalue("gs"))
    if request.param == "sftp":
        return Directory(request.getfixturevalue("at_home"))
    request.getfixturevalue("in_aws")
    return Bucket("" if request.param == "s3-root" else "deep/in")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return tmp_path / "runs"


def inbox(place: Place, workspace: Path, **settings: Any) -> RemoteFolder:
    told = {f"nightly.{name}": value for name, value in settings.items()}
    opened = RemoteFolder(place.address, Profile().with_options({"workspace": workspace, **told}))
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


def test_a_file_is_taken_fetched_and_put_away_with_its_results(place: Place, workspace: Path) -> None:
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


def test_files_are_taken_when_two_looks_agree_or_a_marker_says_so(place: Place, workspace: Path) -> None:
    for name in ("b.csv", "old.csv", "growing.csv", ".hidden.csv", "~$a.xlsx", "notes.pdf", "old.csv.sha256"):
        place.write(name, age_s=90 if name == "old.csv" else 60)
    box = inbox(place, workspace, patterns=["*.csv", "*.xlsx", "*.sha256"])
    before = box.scan()
    place.write("growing.csv", TEXT * 2, age_s=0)
    place.write("new.csv", age_s=0)
    now = box.scan()

    assert {path.name for path in box.complete(before, now)} == {"old.csv", "b.csv"}
    assert [path.name for path in box.growing(now, box.complete(before, now))] == ["growing.csv", "new.csv"]
    place.write("new.csv.done", b"", age_s=0)
    assert Path("new.csv") in box.complete({}, box.scan())


def test_the_oldest_comes_first(at_home: Sshd, workspace: Path) -> None:
    place = Directory(at_home)
    for name, age_s in (("b.csv", 5), ("a.csv", 5), ("old.csv", 60)):
        place.write(name, age_s=age_s)

    assert arrived(inbox(place, workspace)) == ["old.csv", "a.csv", "b.csv"]


def test_where_markers_are_the_rule_no_file_is_taken_without_one(place: Place, workspace: Path) -> None:
    for name in ("a.csv", "b.csv", "b.csv.done"):
        place.write(name)
    box = inbox(place, workspace, ready="marker")
    assert arrived(box) == ["b.csv"]

    box.put_away(taken(box, "b.csv"), box.archive, TAG)
    assert place.names() == {"a.csv", f"archive/{TAG}_b.csv/b.csv"}


def test_a_marker_that_is_older_than_its_file_spoke_of_another_one(at_home: Sshd, workspace: Path) -> None:
    place = Directory(at_home)
    place.write("a.csv.done", b"", age_s=90)
    place.write("a.csv", age_s=60)

    assert arrived(inbox(place, workspace, ready="marker")) == []


def test_the_sum_beside_a_file_is_held_against_it_and_goes_with_it(place: Place, workspace: Path) -> None:
    place.write("a.csv")
    place.write("a.csv.sha256", hashlib.sha256(TEXT).hexdigest().encode())
    place.write("b.csv")
    place.write("b.csv.sha256", hashlib.sha256(b"other").hexdigest().encode())
    box = inbox(place, workspace)
    box.put_away(taken(box), box.archive, TAG)
    with pytest.raises(SourceError, match="came broken"):
        taken(box, "b.csv")
    (broken,) = box.claimed()
    box.put_away(broken, box.failed, TAG, texts={"why.txt": "broken"})

    assert place.names() == {
        *(f"archive/{TAG}_a.csv/{name}" for name in ("a.csv", "a.csv.sha256")),
        *(f"failed/{TAG}_b.csv/{name}" for name in ("b.csv", "b.csv.sha256", "why.txt")),
    }
    assert left(workspace) == []


def test_nothing_in_the_archive_is_overwritten(place: Place, workspace: Path) -> None:
    box = inbox(place, workspace)
    for content in (b"first", b"second"):
        place.write("a.csv", content)
        box.put_away(taken(box), box.archive, TAG, texts={"note.txt": content.decode()})

    assert place.read(f"archive/{TAG}_a.csv/a.csv") == b"first"
    assert place.read(f"archive/{TAG}_a.csv~2/a.csv") == b"second"
    assert place.read(f"archive/{TAG}_a.csv~2/note.txt") == b"second"


def test_a_source_named_like_a_results_file_keeps_its_name(place: Place, workspace: Path) -> None:
    place.write("results.csv", b"source")
    box = inbox(place, workspace)
    box.put_away(taken(box, "results.csv"), box.archive, TAG, files=results(workspace)[:1])

    assert place.read(f"archive/{TAG}_results.csv/results.csv") == b"source"
    assert place.read(f"archive/{TAG}_results.csv/importer-results.csv") == b"results.csv"


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


def test_a_name_that_is_no_text_hides_no_other_file_and_comes_through(at_home: Sshd, workspace: Path) -> None:
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


def test_a_link_is_spoken_of_and_left_alone(at_home: Sshd, workspace: Path) -> None:
    place = Directory(at_home)
    (place.root / "link.csv").symlink_to(place.root / "elsewhere")
    box = inbox(place, workspace)

    assert (arrived(box), box.links()) == ([], ["link.csv"])


# --------------------------------------------------------------------------- others are at work too


def test_a_file_that_is_gone_or_another_one_is_not_taken(place: Place, workspace: Path) -> None:
    place.write("a.csv")
    place.write("b.csv")
    box = inbox(place, workspace)
    assert arrived(box) == ["a.csv", "b.csv"]
    place.remove("a.csv")
    place.write("b.csv", TEXT * 2, age_s=0)

    assert [box.claim(Path(name)) for name in ("a.csv", "b.csv")] == [None, None]
    assert left(workspace) == []


def test_a_file_that_is_replaced_while_it_is_at_work_is_kept_for_the_next_pass(place: Place, workspace: Path) -> None:
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
    "place", ["gs", *(pytest.param(place, marks=pytest.mark.slow) for place in ("sftp", "s3"))], indirect=True
)
@pytest.mark.parametrize(("end", "becomes"), [(Kill, Kill), (ConnectionResetError, UnreachableError)])
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


# --------------------------------------------------------------------------- trouble


def said(address: str, workspace: Path, kind: type[ImporterError], **options: Any) -> str:
    with pytest.raises(kind) as caught:
        RemoteFolder(address, Profile().with_options({"workspace": workspace, **options})).open()
    assert "canary" not in str(caught.value)
    return str(caught.value)


def test_a_folder_that_is_not_there_is_a_sentence(at_home: Sshd, in_aws: None, workspace: Path) -> None:
    for address in (at_home.address(at_home.root / "nowhere", "root:canary@"), "s3://no-such-bucket/in"):
        assert "There is no folder" in said(address, workspace, SourceError)
    assert "There is no folder" in said("s3://no-such-bucket", workspace, SourceError)


def test_a_prefix_of_a_bucket_is_a_folder_even_when_nothing_is_in_it(in_aws: None, workspace: Path) -> None:
    assert arrived(inbox(Bucket("empty/yet"), workspace)) == []


def test_what_cannot_be_a_folder_is_refused_before_anything(workspace: Path) -> None:
    told = said("https://ann:canary@files.example.com/in", workspace, UsageError)
    assert "neither listed nor moved" in told
    assert "import one file, such as https://" in told
    assert "sftp://" in said("ftp://files.example.com/in", workspace, UsageError)
    assert "outside the folder" in said("s3://bucket/in", workspace, UsageError, **{"nightly.archive": "/kept"})
    assert not workspace.exists()


def test_a_host_that_is_not_there_is_for_later(workspace: Path) -> None:
    assert "cannot be reached" in said("sftp://files.invalid/in", workspace, UnreachableError)
    assert "cannot be reached" in said("sftp://127.0.0.1:9/in", workspace, UnreachableError)


def test_two_users_of_one_server_have_two_inboxes(at_home: Sshd, workspace: Path) -> None:
    place = Directory(at_home)
    locks = [RemoteFolder(at_home.address(place.root, user), Profile()).lock for user in ("ann@", "bob@", "ann:pw@")]
    assert locks[0] != locks[1]
    assert locks[0] == locks[2]
