"""A server of PostgreSQL that is cut off, answers nothing, or has lost what was committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from importer.core.errors import JournalError
from importer.journal import Location, locks_of, open_journal
from importer.journal.location import keep_elsewhere
from importer.journal.postgres.database import PostgresDatabase
from importer.journal.sql.group_commit import GroupCommit
from tests.acceptance.conftest import wait_until
from tests.contracts.journals import FIRST, Book, filled
from tests.postgres import shared_server
from tests.proxy import Proxy, proxy_to

SCOPE = "https://api.example.com#main"
LEASE_S = 1.0
COMMITTED = b"C\0\0\0\x0bCOMMIT\0"
"""What the server answers."""


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with proxy_to(shared_server().port) as proxy:
        yield proxy


@pytest.fixture
def place(tmp_path: Path, proxy: Proxy) -> Location:
    """A journal that is reached through a proxy."""
    url = shared_server().emptied().replace(f":{shared_server().port}/", f":{proxy.port}/")
    keep_elsewhere(tmp_path, url, lease_s=LEASE_S)
    return Location.of_workspace(tmp_path)


def direct(place: Location) -> psycopg.Connection[tuple[object, ...]]:
    """A session that knows no proxy."""
    return psycopg.connect(shared_server().url(place.url.rpartition("/")[2]), autocommit=True)


def test_nothing_is_sent_while_a_lease_cannot_be_renewed_and_something_again_once_it_was(
    place: Location, proxy: Proxy
) -> None:
    with locks_of(place.folder).hold(SCOPE, 1.0), closing(PostgresDatabase(place)) as database:
        before = database.may_send()
        proxy.hold()
        wait_until(lambda: not database.may_send())
        proxy.heal()
        wait_until(database.may_send)

    assert before
    assert database.may_send()  # nothing is held any more


def test_nothing_is_sent_any_more_once_another_host_has_taken_the_lease_over(place: Location, proxy: Proxy) -> None:
    with locks_of(place.folder).hold(SCOPE, 1.0), closing(open_journal(place)) as journal:
        book = filled(journal, FIRST, ["k0"])
        proxy.hold()
        wait_until(lambda: not book.rows.may_send())
        with direct(place) as other:
            other.execute("UPDATE importer.leases SET token = 'of another host'")
        proxy.heal()
        with pytest.raises(JournalError, match="Another program has taken over"):
            wait_until(book.rows.may_send)


@pytest.mark.slow
def test_a_run_whose_lease_stays_over_ends_although_it_has_nothing_to_write(place: Location, proxy: Proxy) -> None:
    with locks_of(place.folder).hold(SCOPE, 1.0), closing(PostgresDatabase(place)) as database:
        proxy.hold()
        with pytest.raises(JournalError, match="cannot be reached any more") as found:
            wait_until(lambda: database.may_send() and False)
        proxy.heal()

    assert "importer resume last" in found.value.hint


def write_while_cut_off(database: PostgresDatabase, proxy: Proxy) -> None:
    with database.transaction() as tx:
        proxy.hold()
        tx.execute("UPDATE api_keys SET scope = 'within'")


@pytest.mark.slow
def test_a_server_that_takes_everything_and_answers_nothing_is_given_up_after_a_lease(
    place: Location, proxy: Proxy
) -> None:
    with locks_of(place.folder).hold(SCOPE, 1.0), closing(PostgresDatabase(place)) as database:
        with database.transaction() as tx:
            tx.execute("INSERT INTO api_keys VALUES ('s', 'k', 'before')")
        with pytest.raises(JournalError, match=r"the server did not answer for \d+ s") as found:
            write_while_cut_off(database, proxy)
        proxy.heal()

    assert "Check that the server runs" in found.value.hint
    with direct(place) as session:
        assert session.execute("SELECT scope FROM importer.api_keys").fetchall() == [("before",)]


def test_a_program_that_hangs_in_a_brief_transaction_keeps_the_others_from_writing_for_a_lease_at_most(
    place: Location,
) -> None:
    with locks_of(place.folder).hold(SCOPE, 1.0), closing(open_journal(place)) as journal:
        book = filled(journal, FIRST, ["k0"])
        with (
            closing(PostgresDatabase(place)) as hangs,
            pytest.raises(JournalError, match="idle-in-transaction timeout"),
            hangs.transaction(brief=True),
        ):
            assert journal.lots(book.run).divide(1) == 1


@pytest.mark.parametrize(("lease_s", "limit"), [(LEASE_S, "1s"), (60.0, "10s")])
async def test_what_a_program_that_sends_writes_is_brief(place: Location, lease_s: float, limit: str) -> None:
    async def at_once(work: Callable[[], Any]) -> Any:
        return work()

    with closing(PostgresDatabase(replace(place, lease_s=lease_s))) as database:
        async with GroupCommit(database, at_once) as commits:
            asked = commits.submit(lambda tx: tx.execute("SHOW idle_in_transaction_session_timeout").fetchone())
            assert await asked == (limit,)


def test_a_commit_whose_answer_is_lost_counts_as_not_made_whatever_became_of_it(place: Location, proxy: Proxy) -> None:
    with closing(open_journal(replace(place, lease_s=30.0))) as journal:
        book = filled(journal, FIRST, ["k0", "k1"])
        proxy.lose(COMMITTED)
        with pytest.raises(JournalError, match="cannot be written"):
            book.claim(1)
        again = book.again().claim(2).records

    assert [record.in_doubt for record in again] == [False, True]  # those in doubt come last


def test_a_database_that_has_lost_commits_is_refused_until_a_person_accepts_it(place: Location) -> None:
    with closing(open_journal(place)) as journal:
        book = filled(journal, FIRST, ["k0", "k1"])
        book.claim(1)
        with direct(place) as session:
            session.execute("UPDATE importer.integrity SET commits = commits - 3")
        with pytest.raises(JournalError, match="has lost its last 3 commits") as within:
            book.claim(1)
    with closing(open_journal(place)) as journal:
        with pytest.raises(JournalError, match="has lost its last 3 commits"):
            journal.require_integrity()
        journal.accept_as_it_is()
        journal.require_integrity()
        again = Book(journal, book.run).claim(2).records
    with closing(open_journal(place)) as journal:
        journal.require_integrity()

    assert "doctor --accept-journal" in within.value.hint
    assert [record.in_doubt for record in again] == [False, True]


def test_a_transaction_reads_what_others_have_written_whatever_the_database_is_set_to(place: Location) -> None:
    url = shared_server().url("journal")
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("ALTER DATABASE journal SET default_transaction_isolation = 'serializable'")
    try:
        with closing(PostgresDatabase(place)) as database, database.transaction() as tx:
            with direct(place) as other:
                other.execute("INSERT INTO importer.api_keys VALUES ('s', 'k', 'before')")
            assert tx.execute("SELECT scope FROM api_keys").fetchall() == [("before",)]
    finally:
        with psycopg.connect(url, autocommit=True) as session:
            session.execute("ALTER DATABASE journal RESET default_transaction_isolation")
