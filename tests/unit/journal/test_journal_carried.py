"""Journals of workspaces are carried to PostgreSQL: of every format, of three sizes, and one beside another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from importer.core.errors import BusyError, JournalError, UsageError
from importer.core.states import RowState
from importer.journal import (
    AccountMatch,
    Location,
    Place,
    copy_elsewhere,
    keep_elsewhere,
    locks_of,
    open_journal,
    workspace_secret,
)
from importer.journal.postgres.database import PostgresDatabase
from importer.journal.sqlite.database import SqliteDatabase
from importer.runs.receipt_check import chain
from tests.contracts.journals import FIRST, SCOPE, SECOND, THIRD, begin, filled
from tests.postgres import Server, shared_server
from tests.unit.journal.test_journal_migrations import OLD_VERSIONS, old_journal

SERVER = "https://api.example.com"
UP_TO = "WITH RECURSIVE n (i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"


@pytest.fixture
def url() -> str:
    server: Server = shared_server()
    return server.emptied()


@pytest.fixture
def homes(tmp_path: Path) -> list[Path]:
    """Two workspaces with secrets of their own."""
    found = [tmp_path / "ana", tmp_path / "kim"]
    for home, run_id, keys in zip(found, (FIRST, SECOND), ("ab", "cde"), strict=True):
        home.mkdir()
        secret = workspace_secret(home)
        with closing(open_journal(Location.of_workspace(home))) as journal:
            book = filled(journal, run_id, [*keys, None])
            book.create_all()
            for _ in range(2):
                journal.receipts.add(book.run, 1.0, lambda number, previous: {"number": number, "previous": previous})
            journal.accounts(secret).bind(SERVER, "key-of-both", SCOPE if home.name == "ana" else f"{SERVER}#key-1111")
            journal.places.add(Place(home / "archive", "a.csv", book.run, 1.0, home))
    return found


@pytest.fixture
def carried(homes: list[Path], url: str) -> Iterator[PostgresDatabase]:
    """The journal that both were carried into."""
    for home in homes:
        copy_elsewhere(home, url, 30.0, 1.0)
    with closing(PostgresDatabase(Location.of_workspace(homes[1]))) as database:
        yield database


def sized(home: Path, rows: int) -> None:
    """A workspace with one run of this size."""
    workspace_secret(home)
    path = Location.of_workspace(home).path
    with closing(open_journal(Location.of_workspace(home))) as journal:
        filled(journal, FIRST, ["k0", "k1", "k2"]).create_all()
    with closing(SqliteDatabase(path)) as database, database.transaction() as tx:
        of_run_one = (
            "rows (run, ordinal, state, key, customer_id) SELECT 1, i, 'created', printf('%032x', i), 'cust-' || i",
            "identities (scope, key, run, ordinal, since) SELECT 'live', printf('%032x', i), 1, i, 1.0",
            "attempts SELECT 1, i, 1, 'create', i * 0.1, 0.01, 'accept', 201, '', 'trace-' || i",
            "likenesses SELECT i * 7919, CAST(printf('%016d', i) AS BLOB)",
            "likenesses SELECT i * -7919, CAST(printf('%016d', i) AS BLOB)",
            (
                "batches (run, first, length, rows, cells, payloads)"
                " SELECT 1, i * 100, 100, x'00', randomblob(10000), randomblob(4000)"
            ),
        )
        for values in of_run_one:
            last = rows // 100 if values.startswith("batches") else rows - 1
            tx.execute(f"{UP_TO} INSERT INTO {values} FROM n", (last,))


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_a_journal_of_an_earlier_program_is_led_to_the_format_of_today_on_the_way(
    tmp_path: Path, url: str, version: int
) -> None:
    workspace_secret(tmp_path)
    old_journal(tmp_path / "journal.sqlite3", version)

    copied = copy_elsewhere(tmp_path, url, 30.0, 1.0)

    assert (copied.runs, copied.rows) == (1, 2)
    with closing(open_journal(Location.of_workspace(tmp_path))) as journal:
        results = list(journal.replay(1).results())
    assert [(one.state, one.customer_id, len(one.errors) + len(one.warnings)) for one in results] == [
        (RowState.CREATED, "c0", 1),
        (RowState.FAILED, "", 2),
    ]


@pytest.mark.parametrize("rows", [30, 1_000, pytest.param(50_000, marks=pytest.mark.slow)])
def test_a_workspace_of_any_size_is_carried_whole(tmp_path: Path, url: str, rows: int) -> None:
    sized(tmp_path, rows)

    copied = copy_elsewhere(tmp_path, url, 30.0, 1.0)

    with closing(PostgresDatabase(Location.of_workspace(tmp_path))) as database:
        (counts,) = database.connection.execute(
            "SELECT (SELECT count(*) FROM rows), (SELECT count(*) FROM identities), (SELECT count(*) FROM attempts),"
            " (SELECT count(*) FROM likenesses)"
        ).fetchall()
    assert copied == (1, rows, rows, 0)
    assert counts == (rows, rows, rows - 3, 2 * (rows - 3))


def test_a_copy_that_was_cut_off_is_finished_and_one_that_went_on_is_refused(homes: list[Path], url: str) -> None:
    ana, kim = homes
    file = ana / "journal.sqlite3"

    first = copy_elsewhere(ana, url, 30.0, 1.0)
    (ana / "journal.sqlite3.copied").rename(file)  # as it was before its last step
    with closing(open_journal(Location.of_workspace(ana))) as journal:
        begin(journal, THIRD)  # others go on meanwhile
    again = copy_elsewhere(ana, url, 30.0, 1.0)
    (ana / "journal.sqlite3.copied").rename(file)
    (ana / "journal.toml").unlink()
    with closing(open_journal(Location.of_workspace(ana))) as journal:
        begin(journal, "20261125T083000Z-00000d")  # it went on by itself
    with pytest.raises(UsageError, match="both have a run: this one was carried there and has gone on"):
        copy_elsewhere(ana, url, 30.0, 1.0)
    other = copy_elsewhere(kim, url, 30.0, 1.0)

    assert first == again == (1, 3, 2, 0)
    assert other == (1, 4, 3, 0)


def test_runs_of_the_second_workspace_follow_those_of_the_first_and_keep_their_ids(carried: PostgresDatabase) -> None:
    with closing(open_journal(Location.of_workspace(carried.folder))) as journal:
        ids = journal.runs.ids()
        counts = [journal.runs.counts(number)["created"] for number, _ in ids]
        places = [[place.folder.parent.name for place in journal.places.of(number)] for number, _ in ids]
        third = begin(journal, THIRD)

    assert list(ids) == [(1, FIRST), (2, SECOND)]
    assert (counts, places, third) == ([2, 3], [["ana"], ["kim"]], 3)


def test_receipts_of_both_are_chains_one_after_the_other_and_a_changed_one_is_found(carried: PostgresDatabase) -> None:
    with closing(open_journal(Location.of_workspace(carried.folder))) as journal:
        journal.receipts.add(1, 1.0, lambda number, previous: {"number": number, "previous": previous})
        receipts, chains = journal.receipts.all(), journal.receipts.chains()

    assert [one.number for one in receipts] == [1, 2, 3, 4, 5]
    assert [json.loads(one.body)["number"] for one in receipts] == [1, 2, 1, 2, 5]
    assert chain(receipts, chains).status == "ok"
    for left_out in (0, 1, 2, 3):
        assert chain(receipts[:left_out] + receipts[left_out + 1 :], chains).status == "differs"


def test_an_account_that_both_know_by_another_name_becomes_one(carried: PostgresDatabase) -> None:
    secret = workspace_secret(carried.folder)
    with closing(open_journal(Location.of_workspace(carried.folder))) as journal:
        accounts = journal.accounts(secret)
        found = accounts.match(SERVER, "", f"{SERVER}#key-2222", "key-of-both")
        accounts.rename(found.called_before, found.scope)
        after = accounts.match(SERVER, "", f"{SERVER}#key-2222", "key-of-both")

    assert found == AccountMatch(SCOPE, called_before=f"{SERVER}#key-1111")
    assert after == AccountMatch(SCOPE)


def test_nothing_is_carried_while_a_run_is_at_work_in_the_same_account_there(
    homes: list[Path], url: str, tmp_path: Path
) -> None:
    keep_elsewhere(tmp_path / "lee", url)

    with locks_of(tmp_path / "lee").hold(SCOPE, 1.0), pytest.raises(BusyError, match="Another run works"):
        copy_elsewhere(homes[0], url, 30.0, 1.0)

    assert Location.of_workspace(homes[0]).url == ""


def test_a_team_that_keeps_its_secret_elsewhere_keeps_it_and_a_workspaces_own_is_a_former_one(
    homes: list[Path], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = workspace_secret(homes[0])
    monkeypatch.setenv("IMPORTER_SECRET", "ab" * 32)

    copy_elsewhere(homes[0], url, 30.0, 1.0)
    with closing(PostgresDatabase(Location.of_workspace(homes[0]))) as database:
        former, kept = database.carried().secrets, database.connection.execute("SELECT secret FROM secret").fetchall()
    shared = workspace_secret(homes[0])
    monkeypatch.delenv("IMPORTER_SECRET")

    assert (former, kept, shared) == ([own], [(None,)], bytes.fromhex("ab" * 32))
    with pytest.raises(JournalError, match="kept outside of it"):
        copy_elsewhere(homes[1], url, 30.0, 1.0)
