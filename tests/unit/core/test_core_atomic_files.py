"""Files appear whole or not at all, belong to their owner alone, and leave nothing temporary behind."""

from __future__ import annotations

import stat
from pathlib import Path
from unittest import mock

import pytest

from importer.core.atomic_files import AtomicFiles, create_file, discard_unfinished, put_in_place, write_file
from importer.core.errors import StorageError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_has_its_content_and_is_its_owners_alone(tmp_path: Path) -> None:
    create_file(tmp_path / "secret", b"content")
    assert (tmp_path / "secret").read_bytes() == b"content"
    assert mode(tmp_path / "secret") == 0o600


def test_a_file_that_exists_is_never_created_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"first")
    with pytest.raises(FileExistsError):
        create_file(tmp_path / "file", b"second")
    assert (tmp_path / "file").read_bytes() == b"first"


def test_a_rewritten_file_is_whole_and_its_owners_alone(tmp_path: Path) -> None:
    write_file(tmp_path / "file", b"first")
    write_file(tmp_path / "file", b"second")
    assert (tmp_path / "file").read_bytes() == b"second"
    assert mode(tmp_path / "file") == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_a_killed_program_left_of_a_rewrite_does_not_get_in_the_way(tmp_path: Path) -> None:
    (tmp_path / ".file.part").write_bytes(b"half of something much longer")
    write_file(tmp_path / "file", b"whole")
    assert (tmp_path / "file").read_bytes() == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_folder_gets_its_name_with_everything_in_it(tmp_path: Path) -> None:
    (tmp_path / ".part").mkdir()
    create_file(tmp_path / ".part" / "file", b"content")
    put_in_place(tmp_path / ".part", tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert (tmp_path / "folder" / "file").read_bytes() == b"content"


def test_the_content_is_on_the_disk_before_the_name_changes_and_the_name_before_it_returns(tmp_path: Path) -> None:
    happened: list[str] = []
    rename, (aside, path) = Path.replace, (tmp_path / ".part", tmp_path / "file")
    aside.write_bytes(b"content")

    def fsync(descriptor: int) -> None:
        happened.append(f"fsync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")

    def replace(source: Path, target: Path) -> Path:
        happened.append("rename")
        return rename(source, target)

    with mock.patch("os.fsync", fsync), mock.patch.object(Path, "replace", replace):
        put_in_place(aside, path)

    assert happened == ["fsync .part", "rename", f"fsync {tmp_path.name}"]


def test_a_group_of_files_appears_when_its_block_ends(tmp_path: Path) -> None:
    with AtomicFiles(tmp_path) as files:
        files.text("a.txt").write("a")
        files.binary("b.bin").write(b"b")
        assert not (tmp_path / "a.txt").exists()
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == {"a.txt": "a", "b.bin": "b"}
    assert {mode(path) for path in tmp_path.iterdir()} == {0o600}


def test_a_block_that_fails_leaves_the_files_of_before(tmp_path: Path) -> None:
    write_file(tmp_path / "a.txt", b"before")
    with pytest.raises(StorageError, match="The results cannot be written"):
        _break_while_writing(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.txt": b"before"}


def test_a_program_that_ends_in_the_middle_removes_what_is_not_whole(tmp_path: Path) -> None:
    with AtomicFiles(tmp_path) as files:
        files.path("a.txt")
        assert len(list(tmp_path.iterdir())) == 1
        discard_unfinished()
        assert list(tmp_path.iterdir()) == []
        files.path("a.txt")


def _break_while_writing(folder: Path) -> None:
    with AtomicFiles(folder) as files:
        files.text("a.txt").write("after")
        raise FileNotFoundError(2, "no such file")
