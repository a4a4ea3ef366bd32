"""A journal that lost what was written last, an older one, and a copy: noticed, and gone on with by consent only."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.core.errors import JournalError, UsageError, WorkspaceMovedError
from importer.journal.sql.commit_count import CommitCount
from importer.journal.sql.runs import Runs
from importer.journal.sqlite.database import SqliteDatabase
from importer.journal.sqlite.integrity import FileIdentity
from importer.runs.wiring import accept_journal, open_workspace
from tests.unit.journal.conftest import begin

JOURNAL_NAME = "journal.sqlite3"
HERE = FileIdentity(host="a", path="/runs/journal.sqlite3", device=1, inode=2, secret_inode=3)


@contextmanager
def opened(path: Path) -> Iterator[SqliteDatabase]:
    with closing(open_workspace(path)):
        pass  # it is whole, and knows its place
    with closing(SqliteDatabase(path / JOURNAL_NAME)) as database:
        yield database


def with_runs(path: Path, count: int) -> Path:
    """A workspace whose journal knows some runs."""
    with opened(path) as database:
        for number in range(count):
            begin(database, f"20261122T08300{number}Z-00000a")
    return path


def test_every_commit_is_counted_in_the_journal_and_beside_it(tmp_path: Path) -> None:
    with opened(with_runs(tmp_path, 3)) as database:
        (commits,) = database.connection.execute("SELECT commits FROM integrity").fetchone()

    assert commits == CommitCount(tmp_path / JOURNAL_NAME).read() >= 3


def test_an_older_journal_in_the_place_of_a_newer_one_is_refused(tmp_path: Path) -> None:
    journal = with_runs(tmp_path, 1) / JOURNAL_NAME
    older = journal.read_bytes()
    with_runs(tmp_path, 0)
    with opened(tmp_path) as database:
        begin(database, "20261123T083000Z-00000b")
    journal.write_bytes(older)

    with pytest.raises(JournalError, match=r"has lost its last \d+ commits"), opened(tmp_path):
        pytest.fail("it was opened")


def test_a_count_that_is_behind_or_gone_is_not_a_reason_to_refuse(tmp_path: Path) -> None:
    journal = with_runs(tmp_path, 2) / JOURNAL_NAME
    CommitCount(journal).write(1)
    with opened(tmp_path) as database:
        assert Runs(database).any()
    CommitCount(journal).path.unlink()
    with opened(tmp_path) as database:
        assert Runs(database).any()


def test_a_run_whose_receipt_is_beside_a_journal_that_does_not_know_it_is_refused(tmp_path: Path) -> None:
    folder = with_runs(tmp_path, 1) / "20261124T083000Z-00000c"
    folder.mkdir()
    (folder / "receipt.json").write_text("{}", encoding="utf-8")

    with pytest.raises(JournalError, match="does not know the run 20261124T083000Z-00000c"), opened(tmp_path):
        pytest.fail("it was opened")
    accept_journal(tmp_path)
    with opened(tmp_path) as database:
        assert Runs(database).any()


@pytest.mark.parametrize(("event", "is_lost"), [("delivery_started", True), ("run_started", False), ("", False)])
def test_a_run_that_was_cut_off_while_it_sent_is_missed_by_its_log(tmp_path: Path, event: str, is_lost: bool) -> None:
    folder = with_runs(tmp_path, 1) / "20261124T083000Z-00000c"
    folder.mkdir()
    line = f'{{"run_id": "20261124T083000Z-00000c", "event": "{event}"}}\n' if event else "torn \0 of"
    (folder / "run.log.jsonl").write_text(line, encoding="utf-8")
    (folder.with_name("no folder")).write_text("", encoding="utf-8")

    with pytest.raises(JournalError, match="does not know the run") if is_lost else nullcontext(), opened(tmp_path):
        pass


def test_a_run_that_the_journal_knows_is_not_missed_for_what_is_in_its_folder(tmp_path: Path) -> None:
    folder = with_runs(tmp_path, 1) / "another name"
    folder.mkdir()
    line = '{"run_id": "20261122T083000Z-00000a", "event": "delivery_started"}\n'
    (folder / "run.log.jsonl").write_text(line, encoding="utf-8")

    with opened(tmp_path) as database:
        assert Runs(database).any()


def test_a_copy_of_a_runs_folder_by_another_name_is_not_a_lost_run(tmp_path: Path) -> None:
    copy = with_runs(tmp_path, 1) / "for the customer"
    copy.mkdir()
    (copy / "receipt.json").write_text('{"run_id": "20261122T083000Z-00000a"}', encoding="utf-8")

    with opened(tmp_path) as database:
        assert Runs(database).any()


@pytest.mark.parametrize("content", ["", "[]", "{", '{"run_id": 7}', "7"])
def test_a_receipt_that_cannot_be_read_is_that_of_its_folder(tmp_path: Path, content: str) -> None:
    with_runs(tmp_path, 1)
    for name in ("20261122T083000Z-00000a", "20261124T083000Z-00000c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "receipt.json").write_text(content, encoding="utf-8")

    with pytest.raises(JournalError, match="does not know the run 20261124T083000Z-00000c"), opened(tmp_path):
        pytest.fail("it was opened")


def test_what_was_lost_is_gone_on_with_by_consent_once(tmp_path: Path) -> None:
    journal = with_runs(tmp_path, 1) / JOURNAL_NAME
    CommitCount(journal).write(1_000)
    with pytest.raises(JournalError, match="accept-journal"), opened(tmp_path):
        pytest.fail("it was opened")

    accept_journal(tmp_path)
    with opened(tmp_path) as database:
        begin(database, "20261123T083000Z-00000b")
    with opened(tmp_path) as database:
        assert Runs(database).any()


def test_a_copy_asks_and_the_original_does_not(tmp_path: Path) -> None:
    original = with_runs(tmp_path / "runs", 1)
    copy = shutil.copytree(original, tmp_path / "copy")

    with pytest.raises(WorkspaceMovedError, match="moved or copied"), opened(copy):
        pytest.fail("it was opened")
    with opened(original) as database:
        assert Runs(database).any()


def test_a_copy_leaves_its_runs_to_the_original(tmp_path: Path) -> None:
    copy = shutil.copytree(with_runs(tmp_path / "runs", 1), tmp_path / "copy")
    accept_journal(copy, copied=True)

    with opened(copy) as database, pytest.raises(UsageError, match="belongs to the workspace"):
        Runs(database).find("last").require_whole()


def test_a_workspace_that_was_moved_goes_on_with_its_runs(tmp_path: Path) -> None:
    moved = shutil.copytree(with_runs(tmp_path / "runs", 1), tmp_path / "moved")
    accept_journal(moved)

    with opened(moved) as database:
        Runs(database).find("last").require_whole()


def test_renaming_the_folder_asks_nothing(tmp_path: Path) -> None:
    renamed = with_runs(tmp_path / "runs", 1).rename(tmp_path / "renamed")

    with opened(renamed) as database:
        assert Runs(database).any()


def test_nothing_can_be_accepted_where_there_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no journal"):
        accept_journal(tmp_path)


@pytest.mark.parametrize(
    ("there", "same"),
    [
        (HERE, True),
        (replace(HERE, device=9), True),  # another device number after a reboot
        (replace(HERE, host="b", path="/mnt/runs/journal.sqlite3"), True),  # the same disk at another host
        (replace(HERE, path="/moved/journal.sqlite3"), True),  # renamed
        (replace(HERE, inode=7, secret_inode=8), True),  # a file system that makes inodes up
        (replace(HERE, path="/copy/journal.sqlite3", inode=7, secret_inode=8), False),
        (replace(HERE, host="b", inode=7, secret_inode=8), False),
        (replace(HERE, path="/mnt/journal.sqlite3", device=9, secret_inode=8), False),
    ],
)
def test_what_is_the_same_file(there: FileIdentity, same: bool) -> None:
    assert there.is_that_of(HERE) is same
    assert HERE.is_that_of(there) is same


@given(st.integers(min_value=0, max_value=10**19))
def test_the_count_comes_back_as_it_was_written(tmp_path_factory: pytest.TempPathFactory, number: int) -> None:
    count = CommitCount(tmp_path_factory.mktemp("count") / JOURNAL_NAME)
    count.write(number)

    assert count.read() == number
