"""What only a folder of this machine does; what every folder does is in `tests/contracts`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from importer.core import atomic_files
from importer.core.errors import StorageError
from importer.inbox.folder import is_plan, is_planned, plan_of
from importer.inbox.local_folder import LocalFolder
from importer.inbox.open_files import shows_writers
from importer.profile.nightly import NightlySettings

TAG, OTHER_TAG = "20261122T020000Z-aaaaaa", "20261122T020000Z-bbbbbb"


def inbox(folder: Path, **settings: Any) -> LocalFolder:
    opened = LocalFolder(folder, NightlySettings(**settings))
    opened.open()
    return opened


def arrives(folder: Path, name: str, content: str = "x", age_s: int = 0) -> Path:
    path = folder / name
    path.write_text(content)
    os.utime(path, (1_000_000 - age_s, 1_000_000 - age_s))
    return path


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_a_file_rewritten_to_the_same_size_is_not_complete(tmp_path: Path) -> None:
    box = inbox(tmp_path)
    arrives(tmp_path, "a.csv", "one", age_s=10)
    before = box.scan()
    arrives(tmp_path, "a.csv", "two", age_s=9)

    assert box.complete(before, box.scan()) == []


def test_the_name_of_markers_is_a_setting(tmp_path: Path) -> None:
    box = inbox(tmp_path, ready="marker", marker=".ok")
    arrives(tmp_path, "a.csv")
    arrives(tmp_path, "b.csv")
    arrives(tmp_path, "b.csv.ok")
    look = box.scan()

    assert names(box.complete(look, look)) == ["b.csv"]


def test_folders_and_links_are_not_files_that_arrived(tmp_path: Path) -> None:
    box = inbox(tmp_path)
    arrives(tmp_path, "A.CSV")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "A.CSV")

    assert names(list(box.scan())) == ["A.CSV"]


def test_names_as_long_as_the_file_system_allows_are_put_away(tmp_path: Path) -> None:
    box = inbox(tmp_path)
    name = "ü" * 125 + ".csv"
    taken = box.claim(arrives(tmp_path, name))
    assert taken is not None

    assert (box.put_away(taken, box.failed, "20261122T020000Z-aaaaaa", texts={"why.txt": "so"}) / name).is_file()


def test_a_kill_while_a_file_is_put_away_loses_nothing(tmp_path: Path) -> None:
    """Before the folder has its name: it is filled again. After: only the source is moved in."""
    box = inbox(tmp_path)
    taken = box.claim(arrives(tmp_path, "a.csv", "source"))
    assert taken is not None
    (box.archive / f".{TAG}_a.csv.part").mkdir()
    (box.archive / f".{TAG}_a.csv.part" / "results.csv").write_text("half")
    box.recover()
    assert list(box.archive.iterdir()) == []

    (box.archive / f"{TAG}_a.csv").mkdir()
    (box.archive / f"{TAG}_a.csv" / "results.csv").write_text("whole")
    assert not box.has_archived(TAG, "a.csv")
    put = box.put_away(taken, box.archive, TAG, files=[])
    assert put == box.archive / f"{TAG}_a.csv"
    assert sorted(path.name for path in put.iterdir()) == ["a.csv", "results.csv"]


def test_a_marker_left_by_a_kill_says_nothing_about_the_next_file_of_that_name(tmp_path: Path) -> None:
    box = inbox(tmp_path)
    box.claim(arrives(tmp_path, "a.csv"))
    arrives(tmp_path, "a.csv.done")
    box.recover()

    assert names(box.claimed()) == ["a.csv"]
    assert not (tmp_path / "a.csv.done").exists()


def test_a_file_that_is_gone_is_not_an_error_and_a_claimed_one_is_not_overwritten(tmp_path: Path) -> None:
    box = inbox(tmp_path)
    assert box.claim(tmp_path / "gone.csv") is None
    box.claim(arrives(tmp_path, "a.csv", "first"))
    with pytest.raises(StorageError, match="worked on already"):
        box.claim(arrives(tmp_path, "a.csv", "second"))
    assert (tmp_path / "processing" / "a.csv").read_text() == "first"


def test_the_archive_may_be_another_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    box = inbox(tmp_path / "in", archive=tmp_path / "kept" / "deep")
    taken = box.claim(arrives(tmp_path / "in", "a.csv"))
    assert taken is not None

    assert box.put_away(taken, box.archive, "t").parent == tmp_path / "kept" / "deep"


def test_a_marker_older_than_its_file_belonged_to_another_one_and_goes_with_it(tmp_path: Path) -> None:
    box = inbox(tmp_path)
    arrives(tmp_path, "a.csv.done", age_s=60)
    path = arrives(tmp_path, "a.csv", age_s=10)
    look = box.scan()

    assert box.complete({}, look) == []
    assert names(box.complete(look, box.scan())) == ["a.csv"]
    box.claim(path)
    assert not (tmp_path / "a.csv.done").exists()


def test_a_file_that_somebody_has_open_for_writing_is_not_complete_however_long_they_pause(tmp_path: Path) -> None:
    box = inbox(tmp_path)
    path = arrives(tmp_path, "a.csv", "whole")
    if not shows_writers(path):
        pytest.skip("the system does not show it")
    with path.open("a"):
        look = box.scan()
        assert box.complete(look, look) == []
        assert names(box.growing(look, [])) == ["a.csv"]
    with path.open():
        assert names(box.complete(look, box.scan())) == ["a.csv"]


def test_what_others_keep_in_the_archive_is_left_alone(tmp_path: Path) -> None:
    box = inbox(tmp_path)
    (box.archive / ".backup.part").mkdir()
    (box.archive / ".x.part").touch()
    (box.archive / "zzz").mkdir()
    box.recover()

    assert sorted(path.name for path in box.archive.iterdir()) == [".backup.part", ".x.part", "zzz"]
    assert box.newest_tag() == ""


@pytest.mark.skipif(os.name != "posix", reason="names of files are bytes elsewhere too, but not any bytes")
def test_a_name_that_is_not_text_is_put_away_under_one_that_is(tmp_path: Path) -> None:
    box = inbox(tmp_path)
    path = tmp_path / os.fsdecode(b"caf\xe9.csv")
    path.write_text("x")
    look = box.scan()
    taken = box.claim(*box.complete(look, look))
    assert taken is not None

    put = box.put_away(taken, box.failed, TAG, texts={"why.txt": "so"})
    assert put.name == f"{TAG}_caf\\xe9.csv"
    assert sorted(map(os.fsencode, names(list(put.iterdir())))) == [b"caf\xe9.csv", b"why.txt"]


def approving(folder: Path) -> LocalFolder:
    opened = LocalFolder(folder, NightlySettings(), approves=True)
    opened.open()
    opened.recover()
    return opened


def test_files_of_one_name_wait_for_their_approvals_beside_each_other_and_plans_go_with_them(tmp_path: Path) -> None:
    waiting, box = [], approving(tmp_path)
    for age_s in (20, 10):
        arrives(tmp_path, "a.csv", age_s=age_s)
        look = box.scan()
        waiting.append(box.claim(*box.complete(look, look)))
    assert waiting == [box.approval / "a.csv", box.approval / "2" / "a.csv"]

    for path in box.claimed():
        plan_of(path).write_text("{}")
    assert approving(tmp_path).claimed() == waiting
    assert inbox(tmp_path).claimed() == waiting
    box.put_away(box.approval / "2" / "a.csv", box.archive, TAG)
    box.recover()
    assert {path.name for path in box.approval.iterdir()} == {"a.csv", "a.csv.plan.json"}


def test_a_plan_that_is_just_being_signed_is_no_file_that_waits(tmp_path: Path) -> None:
    box = approving(tmp_path)
    path = box.approval / "a.csv"
    path.write_text("x")
    plan_of(path).write_text("{}")
    replaced: list[list[Path]] = []

    def put_in_place(temporary: Path, to: Path) -> None:
        assert temporary.parent == box.approval
        replaced.append(box.claimed())
        temporary.replace(to)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(atomic_files, "put_in_place", put_in_place)
        atomic_files.write_file(plan_of(path), b"{}")
    assert replaced == [[path]]


def test_a_plan_that_a_killed_pass_left_without_its_file_is_cleared_away(tmp_path: Path) -> None:
    box = approving(tmp_path)
    (box.approval / "2").mkdir()
    for place in (box.approval, box.approval / "2"):
        plan_of(place / "a.csv").write_text("{}")
    box.recover()

    assert list(box.approval.iterdir()) == []


def test_a_name_that_leaves_no_room_for_the_name_of_its_plan_has_one_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 251 + ".csv")
    plan_of(path).touch()

    assert is_planned(path)
    assert is_plan(plan_of(path))
