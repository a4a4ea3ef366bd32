"""Journals of earlier programs: led forward whole, with a copy beside them, or left exactly as they were."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from importer.core.errors import BusyError, JournalError
from importer.core.frames import text_frame
from importer.core.issues import Issue, Severity
from importer.core.states import RowState
from importer.customers.contract import CUSTOMERS
from importer.journal import locks_of
from importer.journal.port.delivery import RunToSend
from importer.journal.sql.claims import Claims
from importer.journal.sql.entries import Receipts
from importer.journal.sql.issue_rows import insert_issues
from importer.journal.sql.packing import pack_cells, pack_payloads, pack_rows
from importer.journal.sql.replay import Replay
from importer.journal.sql.runs import Runs
from importer.journal.sqlite.database import SqliteDatabase
from importer.journal.sqlite.file import connected
from importer.journal.sqlite.migrations import MIGRATIONS, SCHEMA_VERSION, backup_of, backups, bring_up_to_date
from tests.unit.journal.conftest import begin, fill

OLD_VERSIONS = sorted(int(path.stem.rpartition("v")[2]) for path in Path(__file__).parent.glob("schema_v*.sql"))
"""Each with the schema as the programs of its time began a journal: those files never change."""
EVERYTHING = "SELECT type, name, tbl_name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name"


RECEIPT = '{"number": 1}'
UNUSUAL = ("name_unusual", "Unusual.", "firstName", "Name", Severity.WARNING)
ISSUES = [Issue(0, *UNUSUAL), Issue(1, "api_timeout", "No answer."), Issue(1, *UNUSUAL)]


def old_journal(path: Path, version: int = 1) -> Path:
    """A journal as an earlier program wrote it: one run, two rows, one of them created."""
    schema = Path(__file__).with_name(f"schema_v{version}.sql").read_text(encoding="utf-8")
    with closing(connected(str(path))) as old:
        old.executescript(f"PRAGMA journal_mode=WAL; {schema} PRAGMA user_version={version};")
        old.execute(
            "INSERT INTO runs (run_id, scope, target, source, path, content_hash, profile_hash, dry_run, phase,"
            " columns, started_at) VALUES ('20261122T083000Z-00000a', 'live#main', 'live', 'a.csv', '/a.csv', 'c0ffee',"
            " 'bead', 0, 'finished', '[\"Name\"]', 1.0)"
        )
        cells, bodies = b"sAnn\x1fBob", pack_payloads([b"{}", b"{}"])  # by column, as it was then
        if version > 7:
            cells = pack_cells(text_frame(["Name"], [["Ann", "Bob"]], [2, 3]))
        old.execute(
            "INSERT INTO batches (run, first, length, rows, cells, payloads) VALUES (1, 0, 2, ?, ?, ?)",
            (pack_rows([2, 3]), cells, bodies),
        )
        old.execute("INSERT INTO rows (run, ordinal, state, key, customer_id) VALUES (1, 0, 'created', 'k0', 'c0')")
        old.execute("INSERT INTO rows (run, ordinal, state, key) VALUES (1, 1, 'failed', 'k1')")
        if version > 7:
            insert_issues(old, 1, ISSUES)
        else:
            old.executemany(
                "INSERT INTO issues (run, ordinal, code, severity, field, col, message) VALUES (1, ?, ?, ?, ?, ?, ?)",
                [
                    (one.ordinal, one.code, one.severity.value, one.field, one.column, one.message)
                    for one in (ISSUES[1], ISSUES[0], ISSUES[2])
                ],
            )
        if version < 6:
            old.execute(
                "INSERT INTO identities (scope, key, state, customer_id, run, ordinal, since)"
                " VALUES ('live#main', 'k0', 'created', 'c0', 1, 0, 1.0)"
            )
        else:
            old.execute(
                "INSERT INTO identities (scope, key, run, ordinal, since) VALUES ('live#main', 'k0', 1, 0, 1.0)"
            )
        if version > 1:
            digest = hashlib.sha256(RECEIPT.encode()).hexdigest()
            old.execute("INSERT INTO receipts VALUES (1, 1, 2.0, '', ?, ?)", (digest, RECEIPT))
        if version > 2:
            old.execute("INSERT INTO starts VALUES ('live#main', 1790000000, 7)")
    return path


def columns(database: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    tables = [name for kind, name, _ in database.execute(EVERYTHING).fetchall() if kind == "table"]
    return {table: [row[1:] for row in database.execute(f"PRAGMA table_info({table})")] for table in tables}


def test_the_formats_that_had_a_schema_of_their_own_are_all_here() -> None:
    assert OLD_VERSIONS == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    assert max(OLD_VERSIONS) < SCHEMA_VERSION


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_an_old_journal_is_led_forward_with_every_row(tmp_path: Path, version: int) -> None:
    with closing(SqliteDatabase(old_journal(tmp_path / "journal.sqlite3", version))) as database:
        (summary,) = Runs(database).summaries()
        results = list(Replay(database, 1).results())

        assert database.connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert (summary.run_id, summary.counts) == ("20261122T083000Z-00000a", {"read": 2, "created": 1, "failed": 1})
        assert [(result.cells, result.customer_id) for result in results] == [(("Ann",), "c0"), (("Bob",), "")]
        assert database.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


OLD_CELLS = {
    "row by row": b"rAnn\x1f1\x1eBob\x1f2",
    "by column": b"sAnn\x1fBob\x1e1\x1f2",
    "as JSON": b'j[["Ann", "Bob"], ["1", "2"]]',
}


@pytest.mark.parametrize("form", OLD_CELLS)
def test_cells_of_every_old_form_are_led_forward_under_their_names(tmp_path: Path, form: str) -> None:
    path = old_journal(tmp_path / "journal.sqlite3", 7)
    with closing(sqlite3.connect(path)) as old:
        old.execute("UPDATE batches SET cells = ?", (OLD_CELLS[form],))
        old.execute("""UPDATE runs SET columns = '["Name", "Number"]'""")
        old.commit()

    with closing(SqliteDatabase(path)) as database:
        (batch,) = Replay(database, 1).batches()

    assert batch.frame.to_dict("index") == {2: {"Name": "Ann", "Number": "1"}, 3: {"Name": "Bob", "Number": "2"}}


@pytest.mark.parametrize(("kept", "shown"), [(None, []), (b'j[["a\\udc80", "b"]]', [("a\ufffd",), ("b",)])])
def test_purged_cells_stay_purged_and_what_is_not_text_gets_a_sign_for_it(
    tmp_path: Path, kept: bytes | None, shown: list[tuple[str]]
) -> None:
    path = old_journal(tmp_path / "journal.sqlite3", 7)
    with closing(sqlite3.connect(path)) as old:
        old.execute("UPDATE batches SET cells = ?", (kept,))
        old.commit()

    with closing(SqliteDatabase(path)) as database:
        (batch,) = Replay(database, 1).batches()

    assert batch.rows == [2, 3]
    assert list(zip(*batch.cells, strict=True)) == shown


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_the_issues_of_an_old_journal_are_led_forward_in_their_order(tmp_path: Path, version: int) -> None:
    with closing(SqliteDatabase(old_journal(tmp_path / "journal.sqlite3", version))) as database:
        found = [issue for batch in Replay(database, 1).batches() for issue in batch.issues]

    assert found == ISSUES


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_what_an_old_journal_knows_of_import_keys_is_led_forward(tmp_path: Path, version: int) -> None:
    with closing(SqliteDatabase(old_journal(tmp_path / "journal.sqlite3", version))) as database:
        run = begin(database, "20261123T083000Z-00000b", scope="live#main")
        fill(database, run, ["k9", "k0"])
        with database.transaction() as tx:
            claimed = Claims(database, RunToSend(run, "live#main", CUSTOMERS)).claim(tx, 100, 1_000.0)

    assert [record.key for record in claimed.records] == ["k9"]
    assert [(one.key, one.state, one.customer_id) for one in claimed.known] == [("k0", RowState.EXISTING, "c0")]


@pytest.mark.parametrize("version", [version for version in OLD_VERSIONS if version > 1])
def test_receipts_and_the_requests_of_the_day_are_led_forward(tmp_path: Path, version: int) -> None:
    with closing(SqliteDatabase(old_journal(tmp_path / "journal.sqlite3", version))) as database:
        kept = Receipts(database).of(1)
        started = database.connection.execute("SELECT scope, count FROM starts").fetchall()

    assert kept is not None
    assert (kept.number, kept.body) == (1, RECEIPT)
    assert started == ([("live#main", 7)] if version > 2 else [])


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_the_copy_is_the_old_journal_whole_and_for_its_owner_alone(tmp_path: Path, version: int) -> None:
    path = old_journal(tmp_path / "journal.sqlite3", version)
    SqliteDatabase(path).close()

    (copy,) = backups(path)
    assert copy == backup_of(path, version) == tmp_path / f"journal.sqlite3.v{version}.bak"
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (version,)
        assert old.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert old.execute("SELECT key FROM rows ORDER BY ordinal").fetchall() == [("k0",), ("k1",)]


def test_rows_still_in_the_write_ahead_log_are_in_the_copy(tmp_path: Path) -> None:
    path = old_journal(tmp_path / "journal.sqlite3")
    with closing(sqlite3.connect(path)) as still_open:  # keeps the log from being folded back
        still_open.execute("INSERT INTO rows (run, ordinal, state) VALUES (1, 2, 'invalid')")
        still_open.commit()
        SqliteDatabase(path).close()

    with closing(sqlite3.connect(backup_of(path, 1))) as old:
        assert old.execute("SELECT count(*) FROM rows").fetchone() == (3,)


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_all_steps_together_come_to_the_schema_of_a_new_journal(tmp_path: Path, version: int) -> None:
    with (
        closing(SqliteDatabase(old_journal(tmp_path / "old.sqlite3", version))) as old,
        closing(SqliteDatabase(tmp_path / "new.sqlite3")) as new,
    ):
        objects = [one.connection.execute(EVERYTHING).fetchall() for one in (old, new)]
        assert objects[0] == objects[1]
        assert columns(old.connection) == columns(new.connection)


def test_the_steps_are_numbered_without_a_gap() -> None:
    assert list(MIGRATIONS) == list(range(2, SCHEMA_VERSION + 1))


def test_a_journal_of_this_format_is_not_copied(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    SqliteDatabase(path).close()
    SqliteDatabase(path).close()

    assert backups(path) == []


def test_a_copy_that_cannot_be_made_leaves_the_journal_as_it_was(tmp_path: Path) -> None:
    path = old_journal(tmp_path / "journal.sqlite3")
    (tmp_path / "journal.sqlite3.v1.bak").mkdir()
    (tmp_path / "journal.sqlite3.v1.bak" / "in the way").touch()

    with pytest.raises(JournalError, match="cannot be opened"):
        SqliteDatabase(path)
    with closing(sqlite3.connect(path)) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (1,)
        assert "purged_at" not in [row[1] for row in old.execute("PRAGMA table_info(runs)")]


def test_a_newer_journal_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = old_journal(tmp_path / "journal.sqlite3")
    with closing(sqlite3.connect(path)) as old:
        old.execute(f"PRAGMA user_version={SCHEMA_VERSION + 1}")

    with pytest.raises(JournalError, match=rf"newer importer \(format {SCHEMA_VERSION + 1}"):
        SqliteDatabase(path)
    assert backups(path) == []


def test_no_journal_is_upgraded_under_a_program_that_works_with_it(tmp_path: Path) -> None:
    path = old_journal(tmp_path / "journal.sqlite3")
    with locks_of(tmp_path).hold("live#main", 1.0):
        (lock,) = (tmp_path / "locks").iterdir()
        lock.write_text('{"host": "migration.example.com", "pid": 4711, "started_at": 1.0}', encoding="ascii")
        with pytest.raises(BusyError, match=r"An earlier importer works .*process 4711 on migration\.example\.com"):
            SqliteDatabase(path)
    assert backups(path) == []
    SqliteDatabase(path).close()
    assert len(backups(path)) == 1


def test_a_program_upgrades_under_its_own_lock(tmp_path: Path) -> None:
    path = old_journal(tmp_path / "journal.sqlite3")
    with locks_of(tmp_path).hold("night", 1.0):
        SqliteDatabase(path).close()
    assert len(backups(path)) == 1


def test_two_programs_that_upgrade_at_once_do_it_once(tmp_path: Path) -> None:
    path = old_journal(tmp_path / "journal.sqlite3")
    failures: list[BaseException] = []

    def upgrade() -> None:
        try:
            SqliteDatabase(path).close()
        except JournalError as error:
            failures.append(error)

    threads = [threading.Thread(target=upgrade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with closing(sqlite3.connect(backup_of(path, 1))) as old:
        assert old.execute("PRAGMA user_version").fetchone() == (1,)


def test_a_step_that_fails_takes_all_steps_back(tmp_path: Path) -> None:
    path = old_journal(tmp_path / "journal.sqlite3")
    with closing(connected(str(path))) as old:
        old.execute("CREATE TABLE receipts (something_else TEXT)")
        with pytest.raises(sqlite3.OperationalError):
            bring_up_to_date(old, path)

        assert old.execute("PRAGMA user_version").fetchone() == (1,)
        assert "purged_at" not in [row[1] for row in old.execute("PRAGMA table_info(runs)")]


@pytest.mark.parametrize("version", [version for version in OLD_VERSIONS if version < 7])
def test_scopes_of_other_spellings_are_led_forward(tmp_path: Path, version: int) -> None:
    path = old_journal(tmp_path / "journal.sqlite3", version)
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute("UPDATE runs SET scope = 'http://127.0.0.1:8080#key-1'")
        old.execute("UPDATE identities SET scope = 'http://127.0.0.1:8080#key-1'")
    with closing(SqliteDatabase(path)) as database:
        found = database.connection.execute("SELECT scope FROM runs UNION SELECT scope FROM identities").fetchall()
    assert found == [("http://localhost:8080#key-1",)]
