"""The journal as a file: versions, damage, locks, secrets, and many writers with one commit."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from importer.core.errors import BusyError, JournalError
from importer.core.frames import raw_batch
from importer.core.issues import Issue
from importer.core.outcomes import Outcome
from importer.core.states import RowState
from importer.customers.contract import CUSTOMERS
from importer.journal import Location, RunToSend, locks_of, workspace_secret
from importer.journal.sql.delivery import RunDelivery
from importer.journal.sql.group_commit import GroupCommit
from importer.journal.sql.intake import RunIntake
from importer.journal.sql.purging import Purging
from importer.journal.sql.runs import Runs
from importer.journal.sqlite.database import SqliteDatabase
from tests.unit.journal.conftest import SCOPE, Book, begin, created, fill


def test_a_journal_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    database = SqliteDatabase(path)
    database.connection.execute("PRAGMA user_version = 99")
    database.close()

    with pytest.raises(JournalError, match="newer importer"):
        SqliteDatabase(path)


def test_a_file_that_is_not_a_journal_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    path.write_bytes(b"not a database, but somebody's letter" * 50)

    with pytest.raises(JournalError, match="cannot be opened"):
        SqliteDatabase(path)
    assert path.read_bytes().startswith(b"not a database")


def test_journal_and_secret_are_for_their_owner_alone(tmp_path: Path) -> None:
    SqliteDatabase(tmp_path / "journal.sqlite3").close()
    workspace_secret(tmp_path)

    for name in ("journal.sqlite3", "import-key.secret"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "journal.sqlite3")

    assert database.connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert database.connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


def test_the_secret_is_made_once(tmp_path: Path) -> None:
    assert workspace_secret(tmp_path) == workspace_secret(tmp_path)


def test_a_damaged_secret_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "import-key.secret").write_bytes(b"short")

    with pytest.raises(JournalError, match="damaged"):
        workspace_secret(tmp_path)


def test_the_second_run_learns_who_holds_the_lock(tmp_path: Path) -> None:
    owner = f"process {os.getpid()} on .*, since 1970-01-01"
    with (
        locks_of(tmp_path).hold("live#main", 0.0),
        locks_of(tmp_path).hold("sandbox#main", 1.0),
        pytest.raises(BusyError, match=owner),
        locks_of(tmp_path).hold("live#main", 1.0),
    ):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from importer.journal import locks_of\n"
        "with locks_of(Path(sys.argv[1])).hold('live', 0.0):\n    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusyError), locks_of(tmp_path).hold("live", 1.0):
            pass
        holder.kill()
        holder.wait()

    with locks_of(tmp_path).hold("live", 2.0):
        owner = json.loads((tmp_path / "locks" / "live.lock").read_text())
    assert owner["pid"] == os.getpid()


async def inline(work: Callable[[], Any]) -> Any:
    return work()


def rows_of(book: Book) -> RunDelivery:
    return RunDelivery(book.database, RunToSend(book.run, SCOPE, CUSTOMERS), lambda: 1.0, lambda: 1.0, inline)


async def test_writes_that_gather_during_a_commit_share_the_next_one(book: Book) -> None:
    groups: list[int] = []

    async def slow(work: Callable[[], Any]) -> Any:
        await asyncio.sleep(0)  # noqa: TID251  # let the others hand in their writes
        results = work()
        groups.append(len(results))
        return results

    commits = GroupCommit(book.database, slow)
    await asyncio.gather(*(commits.submit(lambda tx: tx.execute("SELECT 1").fetchone()) for _ in range(50)))

    assert sum(groups) == 50
    assert len(groups) <= 2


async def test_once_the_journal_cannot_be_written_nothing_may_be_sent(book: Book) -> None:
    journal = rows_of(book)
    claimed = await journal.claim(2)
    book.database.connection.execute("PRAGMA query_only = ON")
    journal.settle(created(0, claimed.records[0].key))

    with pytest.raises(JournalError, match="cannot be written"):
        await journal.claim(2)
    with pytest.raises(JournalError):
        journal.settle(created(1, "k1"))
    with pytest.raises(JournalError):
        await journal.flush()


async def test_a_transition_that_is_not_allowed_fails_its_whole_group(book: Book) -> None:
    journal = rows_of(book)
    journal.settle(Outcome(0, "k0", RowState.CREATED, customer_id="never claimed"))

    with pytest.raises(JournalError, match="cannot become"):
        await journal.flush()
    assert book.states()[0] == "ready"


def test_a_purge_takes_cells_beyond_the_columns_too(database: SqliteDatabase) -> None:
    run = begin(database)
    RunIntake(database, run, CUSTOMERS).load(raw_batch(0, [2], (["a"],), (), {0: ("call back",)}))

    Purging(database).purge([run], 2.0)

    assert database.connection.execute("SELECT cells, surplus FROM batches").fetchall() == [(None, None)]


def test_a_forgotten_run_leaves_nothing(database: SqliteDatabase) -> None:
    run = begin(database)
    fill(database, run, ["k0", None], issues=[Issue(1, "missing", "Fill it.")])
    Runs(database).forget(run)

    assert Runs(database).summaries() == []
    tables = ("batches", "rows", "issues", "attempts", "changes")
    assert [database.connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in tables] == [(0,)] * 5  # noqa: S608


@pytest.mark.parametrize("text", ["url = ", "lease_s = 30", b"\xff", "url = 'postgresql://host/db'\nlease_s = 'long'"])
def test_a_damaged_note_of_where_the_journal_is_is_refused_and_no_other_journal_is_taken(
    tmp_path: Path, text: str | bytes
) -> None:
    (tmp_path / "journal.toml").write_bytes(text.encode() if isinstance(text, str) else text)

    with pytest.raises(JournalError, match="cannot be read"):
        Location.of_workspace(tmp_path)
