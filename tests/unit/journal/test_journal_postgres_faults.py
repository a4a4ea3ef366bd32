"""A server of PostgreSQL that is cut off, answers nothing, or has lost what was committed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from importer.core.errors import JournalError
from importer.journal import Location, locks_of, open_journal
from importer.journal.location import keep_elsewhere
from importer.journal.postgres.database import PostgresDatabase
from tests.acceptance.conftest import wait_until
from tests.contracts.journals import FIRST, filled
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


def test_a_commit_whose_answer_is_lost_counts_as_not_made_whatever_became_of_it(place: Location, proxy: Proxy) -> None:
    with closing(open_journal(replace(place, lease_s=30.0))) as journal:
        book = filled(journal, FIRST, ["k0", "k1"])
        proxy.lose(COMMITTED)
        with pytest.raises(JournalError, match="cannot be written"):
            book.claim(1)
        again = book.again().claim(2).records

    assert [record.in_doubt for record in again] == [False, True]  # those in doubt come last
