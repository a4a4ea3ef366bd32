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

from importer.core.batches import CheckedBatch, DuplicateVerdict
from importer.core.errors import BusyError, JournalError, UsageError
from importer.core.frames import raw_batch
from importer.core.issues import Issue, Severity
from importer.core.outcomes import Outcome
from importer.core.states import RowState
from importer.customers.contract import CUSTOMERS
from importer.journal import RUNNING, RunToSend, locks_of, workspace_secret
from importer.journal.sqlite.database import Database
from importer.journal.sqlite.delivery import RunDelivery
from importer.journal.sqlite.group_commit import GroupCommit
from importer.journal.sqlite.intake import RunIntake
from importer.journal.sqlite.purging import Purging
from importer.journal.sqlite.replay import Replay
from importer.journal.sqlite.runs import Runs
from tests.unit.journal.conftest import SCOPE, Book, begin, created, fill, open_book


def test_a_journal_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    database = Database(path)
    database.connection.execute("PRAGMA user_version = 99")
    database.close()

    with pytest.raises(JournalError, match="newer importer"):
        Database(path)


def test_a_file_that_is_no_journal_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    path.write_bytes(b"not a database, but somebody's letter" * 50)

    with pytest.raises(JournalError, match="cannot be opened"):
        Database(path)
    assert path.read_bytes().startswith(b"not a database")


def test_journal_and_secret_are_for_their_owner_alone(tmp_path: Path) -> None:
    Database(tmp_path / "journal.sqlite3").close()
    workspace_secret(tmp_path)

    for name in ("journal.sqlite3", "import-key.secret"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    database = Database(tmp_path / "journal.sqlite3")

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


def test_duplicates_become_invalid_and_allowed_ones_get_their_own_key(database: Database) -> None:
    run = begin(database)
    fill(database, run, ["same", "same", "other", "twice", "twice"], batch_rows=2)
    RunIntake(database, run, CUSTOMERS).judged(
        DuplicateVerdict(
            (Issue(0, "duplicate_row", "Twice."), Issue(2, "same_email", "Look.", severity=Severity.WARNING)),
            {4: "twice#2"},
        )
    )

    book = open_book(database, run)
    records = book.claim().records
    assert [(record.ordinal, record.key, record.payload) for record in records] == [
        (1, "same", b'{"key":"same"}'),
        (2, "other", b'{"key":"other"}'),
        (3, "twice", b'{"key":"twice"}'),
        (4, "twice#2", b'{"key":"twice#2"}'),
    ]
    assert book.states()[0] == "invalid"


def test_what_reading_found_is_kept_once_and_in_order(database: Database) -> None:
    run = begin(database)
    raw = raw_batch(0, [2, 5], (["a", "b"],), (Issue(1, "row_too_long", "Too many cells."),))
    intake = RunIntake(database, run, CUSTOMERS)
    intake.load(raw)
    (loaded,) = intake.raw()
    assert (list(loaded.rows), loaded.issues) == ([2, 5], raw.issues)

    intake.record(
        CheckedBatch(loaded, [b"{}", None], ["k", None], ["", ""], (*loaded.issues, Issue(1, "missing", "Fill it.")))
    )
    intake.judged(DuplicateVerdict())

    rows = list(open_book(database, run).states().items())
    assert rows == [(0, "ready"), (1, "invalid")]


def test_cells_beyond_the_columns_are_kept_and_given_back_with_their_row(database: Database) -> None:
    run = begin(database)
    intake = RunIntake(database, run, CUSTOMERS)
    surplus = {1: ("call back", "\ud83d lone")}
    batches = [raw_batch(0, [2, 5], (["a", "b"],), (), surplus), raw_batch(2, [6], (["c"],))]
    for batch in batches:
        intake.load(batch)
    assert [dict(batch.surplus) for batch in intake.raw()] == [surplus, {}]
    for batch in batches:
        count = len(batch)
        intake.record(CheckedBatch(batch, [b"{}"] * count, [f"k{batch.first}{i}" for i in range(count)], [""] * count))

    assert [row.surplus for row in Replay(database, run).results()] == [(), surplus[1], ()]
    assert Runs(database).summary(run).extra == 2


def test_a_purge_takes_cells_beyond_the_columns_too(database: Database) -> None:
    run = begin(database)
    RunIntake(database, run, CUSTOMERS).load(raw_batch(0, [2], (["a"],), (), {0: ("call back",)}))

    Purging(database).purge([run], 2.0)

    assert database.connection.execute("SELECT cells, surplus FROM batches").fetchall() == [(None, None)]


def test_a_loading_that_begins_again_forgets_how_wide_its_rows_were(database: Database) -> None:
    run = begin(database)
    intake = RunIntake(database, run, CUSTOMERS)
    intake.load(raw_batch(0, [2], (["a"],), (), {0: ("x", "y", "z")}))

    intake.restart()
    intake.load(raw_batch(0, [2], (["a"],), (), {0: ("x",)}))

    assert Runs(database).summary(run).extra == 1


def test_a_loading_that_was_cut_off_begins_again(database: Database) -> None:
    run = begin(database)
    fill(database, run, ["k0", "k1"])
    intake = RunIntake(database, run, CUSTOMERS)
    intake.restart()
    fill(database, run, ["k0"])

    assert Runs(database).counts(run) == {"read": 1, "ready": 1}


def test_a_run_that_is_being_sent_is_never_loaded_again(database: Database) -> None:
    run = begin(database)
    fill(database, run, ["k0"])
    Runs(database).enter(run, RUNNING)
    with pytest.raises(BusyError, match="taken up this run"):
        RunIntake(database, run, CUSTOMERS).restart()

    assert Runs(database).counts(run) == {"read": 1, "ready": 1}


def test_a_run_is_found_by_a_unique_beginning_or_as_the_last(database: Database) -> None:
    begin(database, "20261122T083000Z-aaaaaa")
    begin(database, "20261122T093000Z-bbbbbb")
    runs = Runs(database)

    assert runs.find("last").header.run_id == "20261122T093000Z-bbbbbb"
    assert runs.find("20261122T08").header.run_id == "20261122T083000Z-aaaaaa"
    with pytest.raises(UsageError, match="several"):
        runs.find("2026")
    with pytest.raises(UsageError, match="no run"):
        runs.find("1999")


def test_a_forgotten_run_leaves_nothing(database: Database) -> None:
    run = begin(database)
    fill(database, run, ["k0", None], issues=[Issue(1, "missing", "Fill it.")])
    Runs(database).forget(run)

    assert Runs(database).summaries() == []
    tables = ("batches", "rows", "issues", "attempts", "changes")
    assert [database.connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in tables] == [(0,)] * 5  # noqa: S608
