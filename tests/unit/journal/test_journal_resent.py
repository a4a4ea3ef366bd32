"""Rows that were sent again, in the journal: kept once, told once, and changed by what a later look finds."""

from __future__ import annotations

import pytest

from importer.core.errors import JournalError
from importer.core.outcomes import FieldError, Outcome
from importer.core.states import RowState
from importer.journal.sqlite.database import Database
from importer.journal.sqlite.purging import Purging
from importer.journal.sqlite.replay import Replay
from importer.journal.sqlite.resent import is_customer_of_a_row
from importer.journal.sqlite.runs import Runs
from tests.unit.journal.conftest import Book, created

DUPLICATED = FieldError("", "Two customers.", "duplicated_at_target")


def again(book: Book, ordinal: int, now: float = 1_000.0) -> None:
    with book.database.transaction() as tx:
        book.claims.sends_again(tx, ordinal, now)


def amend(book: Book, outcome: Outcome) -> None:
    with book.database.transaction() as tx:
        book.claims.amend(tx, outcome)


def test_a_row_that_is_sent_again_twice_is_warned_of_once_and_keeps_its_last_send(book: Book) -> None:
    book.claim()
    again(book, 1, now=1_000.0)
    again(book, 1, now=2_000.0)
    book.settle(created(1, "k1"))
    with book.database.transaction() as tx:
        (row,) = book.claims.resent(tx)
    result = next(one for one in Replay(book.database, book.run).results() if one.ordinal == 1)

    assert (row.record.key, row.state, row.customer_id, row.sent_at) == ("k1", RowState.CREATED, "cust-1", 2_000.0)
    assert row.record.payload == b'{"key":"k1"}'
    assert [issue.code for issue in result.warnings] == ["sent_again"]


def test_the_row_that_was_sent_first_is_looked_at_first(book: Book) -> None:
    book.claim()
    for ordinal, now in ((0, 30.0), (1, 10.0), (3, 20.0)):
        again(book, ordinal, now)
        book.settle(created(ordinal, f"k{ordinal}"))
    with book.database.transaction() as tx:
        assert [row.record.ordinal for row in book.claims.resent(tx)] == [1, 3, 0]


def test_a_later_look_makes_a_created_row_unknown_and_a_row_without_a_customer_created(book: Book) -> None:
    book.claim()
    book.settle(
        created(0, "k0"), Outcome(1, "k1", RowState.UNKNOWN, errors=(FieldError("", "Nobody knows.", "timeout"),))
    )
    amend(book, Outcome(0, "", RowState.UNKNOWN, errors=(DUPLICATED,), candidates=("a", "b")))
    amend(book, Outcome(1, "", RowState.CREATED, customer_id="c"))
    first, second, *_ = Replay(book.database, book.run).results()

    assert (first.state, first.customer_id, first.candidates) == (RowState.UNKNOWN, "", ("a", "b"))
    assert [issue.code for issue in first.errors] == ["duplicated_at_target"]
    assert (second.state, second.customer_id, second.errors) == (RowState.CREATED, "c", ())


def test_a_row_that_was_never_sent_cannot_be_amended(book: Book) -> None:
    with pytest.raises(JournalError, match="cannot become"):
        amend(book, Outcome(0, "", RowState.UNKNOWN))


def test_rows_that_share_a_customer_are_found_and_only_among_created_ones(book: Book) -> None:
    book.claim()
    book.settle(created(0, "k0", "same"), created(1, "k1", "own"), created(3, "k3", "same"))
    book.settle(Outcome(4, "k4", RowState.EXISTING, customer_id="own"))
    with book.database.transaction() as tx:
        ((customer_id, ordinals),) = book.claims.shared_customers(tx)

    assert (customer_id, sorted(ordinals)) == ("same", [0, 3])


@pytest.mark.parametrize(("scope", "key", "shares"), [("s", "k0", False), ("s", "other", True), ("t", "other", False)])
def test_a_customer_that_a_row_of_another_run_was_answered_with_is_shared(
    book: Book, scope: str, key: str, shares: bool
) -> None:
    book.claim()
    book.settle(created(0, "k0", "same"))
    with book.database.transaction() as tx:
        own = tx.execute("SELECT scope FROM runs WHERE run = ?", (book.run,)).fetchone()[0]
        tx.execute(
            "INSERT INTO runs (run, run_id, scope, target, source, path, content_hash, profile_hash, dry_run, phase,"
            " started_at) VALUES (90, 'other', ?, '', '', '', '', '', 0, 'finished', 0)",
            (own if scope == "s" else "elsewhere",),
        )
        tx.execute(
            "INSERT INTO rows (run, ordinal, state, key, customer_id) VALUES (90, 0, 'created', ?, 'same')", (key,)
        )
        assert book.claims.shared_customers(tx) == ([("same", [0])] if shares else [])


def test_a_customer_is_owned_by_the_row_that_has_it_and_not_by_the_row_that_asks(book: Book) -> None:
    book.claim()
    book.settle(created(0, "k0", "mine"))
    with book.database.transaction() as tx:
        assert not book.claims.owned_by_another(tx, "mine", 0)
        assert book.claims.owned_by_another(tx, "mine", 1)
        assert not book.claims.owned_by_another(tx, "nobodys", 1)


def test_whose_a_customer_is_is_found_without_reading_every_row(database: Database) -> None:
    asked: list[str] = []
    database.connection.set_trace_callback(asked.append)
    is_customer_of_a_row(database.connection, "mine")
    database.connection.set_trace_callback(None)
    (statement,) = asked
    plan = " ".join(step for *_, step in database.connection.execute(f"EXPLAIN QUERY PLAN {statement}"))

    assert "rows_by_customer" in plan
    assert "SCAN rows" not in plan


def test_what_was_looked_at_for_the_last_time_or_purged_is_not_looked_at_again(book: Book, database: Database) -> None:
    book.claim()
    for ordinal in (0, 1):
        again(book, ordinal)
        book.settle(created(ordinal, f"k{ordinal}"))
    with book.database.transaction() as tx:
        book.claims.looked_at_last(tx, 0)
        assert [row.record.ordinal for row in book.claims.resent(tx)] == [1]
    Purging(database).purge([book.run], 9_000.0)

    assert not Runs(database).has_resent(book.run)
