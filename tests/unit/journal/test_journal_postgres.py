"""What a journal in PostgreSQL has of its own: leases, a team's secret, a server that goes away and comes back."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from importer.core.errors import BusyError, JournalError, UsageError
from importer.core.states import RowState
from importer.journal import (
    Location,
    check_memory,
    examine_journal,
    keep_elsewhere,
    known_secret,
    locks_of,
    open_journal,
    workspace_secret,
)
from importer.journal.postgres.database import PostgresDatabase
from importer.journal.postgres.leases import PostgresLocks
from importer.journal.postgres.migrations import FORMAT
from importer.journal.postgres.secret import team_secret
from tests.contracts.journals import FIRST, Book, begin, created, filled
from tests.postgres import Server, own_server, shared_server

SECRET = "ab" * 32
ROLES = Path(__file__).resolve().parents[3] / "configs" / "journal_roles.sql"
SCOPE = "https://api.example.com#main"


@pytest.fixture
def server() -> Server:
    return shared_server()


@pytest.fixture
def place(tmp_path: Path, server: Server) -> Location:
    keep_elsewhere(tmp_path, server.emptied(), lease_s=30)
    return Location.of_workspace(tmp_path)


@pytest.fixture
def book(place: Location) -> Iterator[Book]:
    with closing(open_journal(place)) as journal:
        yield filled(journal, FIRST, ["k0", "k1"])


def expire_all(place: Location) -> None:
    """Let the time of every lease be over, as if their owners had died."""
    with psycopg.connect(place.url, autocommit=True) as session:
        session.execute("UPDATE importer.leases SET expires = clock_timestamp() - interval '1 second'")


def cut_off(place: Location) -> None:
    """End every other session, as a restart of the server or a broken network does."""
    with psycopg.connect(place.url, autocommit=True) as session:
        session.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_a_lease_is_held_by_one_and_the_other_is_told_by_whom(place: Location) -> None:
    locks = locks_of(place.folder)

    with locks.hold(SCOPE, 1_000.0):
        with pytest.raises(BusyError, match=r"Another run works .* \(process \d+ on .*, since 1970-01-01 00:16:40 UTC"):
            locks_of(place.folder).hold(SCOPE, 2_000.0).__enter__()
        with locks_of(place.folder).hold("another", 2_000.0):
            held = locks.held_since(SCOPE), locks.owner("another") != ""

    assert held == (1_000.0, True)
    assert (locks.owner(SCOPE), locks.held_since(SCOPE)) == ("", None)


def test_a_lease_that_ends_while_it_is_asked_who_has_it_is_taken(
    place: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = PostgresLocks.owner

    def owner_of_what_ends(self: PostgresLocks, scope: str) -> str:
        expire_all(place)
        return owner(self, scope)

    with locks_of(place.folder).hold(SCOPE, 1_000.0):
        monkeypatch.setattr(PostgresLocks, "owner", owner_of_what_ends)
        with locks_of(place.folder).hold(SCOPE, 2_000.0):
            since = locks_of(place.folder).held_since(SCOPE)

    assert since == 2_000.0


def test_a_lease_of_the_dead_is_taken_over_and_whoever_comes_back_writes_nothing_more(
    place: Location, book: Book
) -> None:
    with locks_of(place.folder).hold(SCOPE, 1_000.0):
        record, *_ = book.claim(1).records
        expire_all(place)
        book.settle(created(record.ordinal, "k0"))  # nobody has taken it over
        with psycopg.connect(place.url, autocommit=True) as other:
            other.execute("UPDATE importer.leases SET token = 'of another host'")
        with pytest.raises(JournalError, match="Another program has taken over"):
            book.claim(1)

    assert book.states() == {0: RowState.CREATED.value, 1: RowState.READY.value}


def test_a_lost_connection_is_made_again_before_a_transaction_and_never_within_one(place: Location) -> None:
    with closing(PostgresDatabase(place)) as database:
        cut_off(place)
        with database.transaction() as tx:
            run = tx.execute("INSERT INTO api_keys VALUES ('s', 'k', 'before') RETURNING scope").fetchone()
        with pytest.raises(JournalError, match="cannot be written") as found:
            write_while_cut_off(place, database)

        assert run == ("before",)
        assert "`importer resume last" in found.value.hint
        assert database.connection.execute("SELECT scope FROM api_keys").fetchall() == [("before",)]


def write_while_cut_off(place: Location, database: PostgresDatabase) -> None:
    with database.transaction() as tx:
        tx.execute("UPDATE api_keys SET scope = 'within'")
        cut_off(place)
        tx.execute("UPDATE api_keys SET scope = 'after'")


def test_a_server_that_takes_no_writes_stops_a_run_with_a_sentence(place: Location) -> None:
    soon = replace(place, lease_s=1.0)  # half of it is how long a server is waited for
    with closing(open_journal(soon)) as journal:
        book = filled(journal, FIRST, ["k0", "k1"])
        with psycopg.connect(place.url, autocommit=True) as session:
            session.execute("ALTER DATABASE journal SET default_transaction_read_only = on")
        try:
            cut_off(place)
            with pytest.raises(JournalError, match="read-only") as found:
                book.claim(1)
        finally:
            with psycopg.connect(place.url, autocommit=True) as session:
                session.execute("SET default_transaction_read_only = off")
                session.execute("ALTER DATABASE journal RESET default_transaction_read_only")
        states = book.states()

    assert "takes no writes" in found.value.hint
    assert states == {0: RowState.READY.value, 1: RowState.READY.value}


def test_several_that_begin_at_once_make_one_journal_with_one_secret(tmp_path: Path, server: Server) -> None:
    keep_elsewhere(tmp_path, server.database())
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(workspace_secret(tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 4
    assert len(set(found)) == 1
    assert known_secret(Location.of_workspace(tmp_path)) == found[0]
    assert examine_journal(Location.of_workspace(tmp_path)).version == FORMAT


def test_a_secret_that_the_team_keeps_is_not_in_the_database_and_no_other_is_taken(place: Location) -> None:
    assert team_secret(place, {"IMPORTER_SECRET": SECRET}) == bytes.fromhex(SECRET)
    with psycopg.connect(place.url) as session:
        assert session.execute("SELECT secret FROM importer.secret").fetchall() == [(None,)]
    with pytest.raises(JournalError, match="kept outside of it"):
        team_secret(place, {})
    with pytest.raises(JournalError, match="is not the secret"):
        team_secret(place, {"IMPORTER_SECRET": "cd" * 32})
    with pytest.raises(UsageError, match="64 hexadecimal digits"):
        team_secret(place, {"IMPORTER_SECRET": "short"})


def test_a_workspace_keeps_to_its_journal(tmp_path: Path, server: Server) -> None:
    url = server.url("journal")
    keep_elsewhere(tmp_path, url)
    keep_elsewhere(tmp_path, url)
    check_memory(Location.of_workspace(tmp_path))
    with pytest.raises(UsageError, match="would be created again"):
        keep_elsewhere(tmp_path, server.url("other"))

    own = tmp_path / "own"
    own.mkdir()
    with closing(open_journal(Location.of_workspace(own))) as journal:
        begin(journal)
    with pytest.raises(UsageError, match="has a journal of its own"):
        keep_elsewhere(own, url)


def test_what_cannot_be_reached_is_said_without_a_password(tmp_path: Path, server: Server) -> None:
    keep_elsewhere(tmp_path, "postgresql://kim@127.0.0.1:1/imports")
    with pytest.raises(JournalError, match=r"^The journal postgresql://127.0.0.1:1/imports cannot be opened") as found:
        open_journal(Location.of_workspace(tmp_path))
    assert "Check that the server runs" in found.value.hint

    with pytest.raises(JournalError, match='database "nowhere" does not exist') as missing:
        open_journal(Location(tmp_path / "journal.toml", server.url("nowhere")))
    assert "create the database" in missing.value.hint


def test_a_newer_journal_is_refused(place: Location) -> None:
    with psycopg.connect(place.url, autocommit=True) as session:
        session.execute("UPDATE importer.format SET version = 99")
    try:
        with pytest.raises(JournalError, match="was written by a newer importer"):
            open_journal(place)
    finally:
        with psycopg.connect(place.url, autocommit=True) as session:
            session.execute("UPDATE importer.format SET version = %s", (FORMAT,))


def columns_of(url: str) -> list[tuple[str, ...]]:
    with psycopg.connect(url) as session:
        return session.execute(
            "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns"
            " WHERE table_schema = 'importer' ORDER BY table_name, ordinal_position"
        ).fetchall()


def test_a_journal_of_an_earlier_program_gets_the_tables_of_today_in_one_step(tmp_path: Path, server: Server) -> None:
    place = Location(tmp_path / "journal.toml", server.database())
    with closing(open_journal(place)):
        new = columns_of(place.url)
    with psycopg.connect(place.url, autocommit=True) as session:
        for table in (
            "drafts", "draft_changes", "draft_corrections", "draft_acts", "run_files", "former_secrets", "carried",
            "plans", "lots", "messages", "shared_sending",
        ):  # fmt: skip
            session.execute(f"DROP TABLE importer.{table}".encode())
        session.execute("ALTER TABLE importer.leases DROP COLUMN under")
        session.execute("UPDATE importer.format SET version = 9")

    with closing(open_journal(place)):
        led = columns_of(place.url)

    assert led == new
    assert examine_journal(place).version == FORMAT


def test_a_journal_in_postgresql_names_the_group_to_install_where_its_library_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith(("psycopg", "importer.journal.postgres"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    keep_elsewhere(tmp_path, "postgresql://127.0.0.1/imports")

    with pytest.raises(UsageError, match=r"psycopg.*\[postgres\]"):
        locks_of(tmp_path)


def test_a_role_with_the_least_rights_can_do_a_whole_run_and_one_without_is_told_what_to_do(
    tmp_path: Path, server: Server
) -> None:
    url = server.database()
    name = url.rpartition("/")[2]
    with closing(open_journal(Location(tmp_path / "journal.toml", url))):
        server.sql("CREATE ROLE kim LOGIN")
    keep_elsewhere(tmp_path, server.url(name, user="kim"))

    with pytest.raises(JournalError, match="permission denied") as refused:
        open_journal(Location.of_workspace(tmp_path))
    server.sql(ROLES.read_text(encoding="utf-8"), name)
    server.sql("GRANT importer_runner TO kim")
    workspace_secret(tmp_path)
    with locks_of(tmp_path).hold(SCOPE, 1.0), closing(open_journal(Location.of_workspace(tmp_path))) as journal:
        book = filled(journal, FIRST, ["k0", "k1"])
        book.create_all()
        journal.runs.end(book.run, phase="finished", exit_code=0, ended_at=2.0)
        journal.purging.purge([book.run], 3.0)
        journal.purging.wipe()
        states = book.states()

    assert states == {0: RowState.CREATED.value, 1: RowState.CREATED.value}
    assert "journal_roles.sql" in refused.value.hint


def test_a_transaction_waits_for_a_server_that_is_restarted_and_a_look_at_the_journal_does_not(tmp_path: Path) -> None:
    with own_server() as server:
        keep_elsewhere(tmp_path, server.database(), lease_s=60)
        place = Location.of_workspace(tmp_path)
        with closing(PostgresDatabase(place)) as database:
            server.stop("immediate")
            starting = threading.Thread(target=server.start)
            starting.start()
            with database.transaction() as tx:
                tx.execute("INSERT INTO api_keys VALUES ('s', 'k', 'after')")
            starting.join()
            server.stop()
            with pytest.raises(JournalError, match="cannot be read"), database.guarded("read"):
                database.connection.execute("SELECT scope FROM api_keys")
            server.start()

            assert database.connection.execute("SELECT scope FROM api_keys").fetchall() == [("after",)]


def test_the_password_is_in_the_environment_or_in_a_file_that_it_names(tmp_path: Path) -> None:
    place, file = Location(tmp_path / "journal.toml", "postgresql://db/x"), tmp_path / "password"
    file.write_text("a fictional phrase\n", encoding="utf-8")

    assert place.password({}) is None
    assert place.password({"IMPORTER_JOURNAL_PASSWORD": "plain"}) == "plain"
    assert place.password({"IMPORTER_JOURNAL_PASSWORD_FILE": str(file)}) == "a fictional phrase"
    with pytest.raises(UsageError, match="IMPORTER_JOURNAL_PASSWORD_FILE cannot be read"):
        place.password({"IMPORTER_JOURNAL_PASSWORD_FILE": str(tmp_path / "missing")})


@pytest.mark.parametrize(
    ("state", "advice"),
    [
        ("53100", "disk of the database is full"),
        ("40001", "Another session wrote"),
        ("57014", "cancelled"),
        ("53300", "no means left"),
    ],
)
def test_what_the_server_refuses_is_said_with_what_to_do_and_nothing_of_it_is_kept(
    place: Location, server: Server, state: str, advice: str
) -> None:
    refusing = (
        "CREATE OR REPLACE FUNCTION importer.refuse() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '{state}'; END $$;"
        " CREATE OR REPLACE TRIGGER refuse BEFORE INSERT ON importer.api_keys EXECUTE FUNCTION importer.refuse()"
    )
    server.sql(refusing, "journal")
    try:
        with closing(open_journal(place)) as journal:
            with pytest.raises(JournalError, match="cannot be written: refused") as found:
                journal.accounts(b"s" * 32).bind("https://api.example.com", "a fictional key", SCOPE)
            run = begin(journal)
    finally:
        server.sql("DROP TRIGGER refuse ON importer.api_keys", "journal")

    assert advice in found.value.hint
    assert "importer resume last" in found.value.hint
    assert run > 0
