"""What the doctor says of a folder at an address: as a night would find it, and without touching it."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

import pytest

from importer.core.errors import ExitCode
from importer.doctor import Finding
from importer.doctor.folder import check_remote_folder
from importer.inbox.remote.folder import RemoteFolder
from importer.journal import locks_of
from importer.profile import Profile
from tests.remote_servers import TEXT, Sshd


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    return Profile.load(options={"workspace": str(tmp_path / "runs"), "remote.silence_s": 5}, environ={})


@pytest.fixture
def inbox(at_home: Sshd) -> Path:
    """A folder that the ssh server serves."""
    path = at_home.root / uuid4().hex
    path.mkdir()
    return path


def examined(address: str, profile: Profile) -> dict[str, Finding]:
    return {one.check: one for one in check_remote_folder(address, profile)}


def test_a_folder_with_files_is_fine_and_nothing_is_made(at_home: Sshd, inbox: Path, profile: Profile) -> None:
    (inbox / "a.csv").write_bytes(TEXT)
    found = examined(at_home.address(inbox), profile)

    assert {one.status for one in found.values()} == {"ok"}
    assert found["waiting"].message == "1 file(s)"
    assert os.listdir(inbox) == ["a.csv"]  # noqa: PTH208
    assert not profile.workspace.exists()


def test_a_folder_that_does_not_exist_or_cannot_be_one_fails_as_a_pass_would(
    at_home: Sshd, inbox: Path, profile: Profile
) -> None:
    gone = examined(at_home.address(inbox / "nowhere"), profile)
    web = examined("https://user:sekret@files.example.com/out/", profile)

    assert [(list(one), one["folder"].status) for one in (gone, web)] == [(["folder"], "fail")] * 2
    assert (gone["folder"].code, web["folder"].code) == (ExitCode.SOURCE, ExitCode.USAGE)
    assert "sekret" not in str(web)


def test_a_pass_under_way_and_what_one_left_are_reported(at_home: Sshd, inbox: Path, profile: Profile) -> None:
    (inbox / "a.csv").write_bytes(TEXT)
    night = RemoteFolder(at_home.address(inbox), profile)
    night.open()
    (path,) = night.scan()
    night.claim(path)
    with locks_of(night.lock[0]).hold(night.lock[1], 0.0):
        assert examined(at_home.address(inbox), profile)["night"].code == ExitCode.BUSY

    left = examined(at_home.address(inbox), profile)
    assert (left["night"].status, left["waiting"].message) == ("warn", "no file")
