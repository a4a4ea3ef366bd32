"""Rows that were sent again, whatever keeps the journal: kept once, and changed by what a later look finds."""

from __future__ import annotations

import pytest

from importer.core.errors import JournalError
from importer.core.outcomes import FieldError, Outcome
from importer.core.states import RowState
from importer.journal import Journal
from tests.contracts.journals import SCOPE, SECOND, Book, created, filled

DUPLICATED = FieldError("", "Two customers.", "duplicated_at_target")


@pytest.mark.parametrize(
    ("scope", "key", "shares"), [(SCOPE, "k0", False), (SCOPE, "other", True), ("elsewhere", "other", False)]
)
def test_a_customer_that_a_row_of_another_run_was_answered_with_is_shared(
    book: Book, journal: Journal, scope: str, key: str, shares: bool
) -> None:
    book.claim()
    book.settle(Outcome(0, "k0", RowState.UNKNOWN))
    other = filled(journal, SECOND, [key], scope=scope)
    other.claim()
    other.settle(created(0, key, "same"))
    book.amend(created(0, "k0", "same"))

    assert list(book.shared_customers()) == ([("same", [0])] if shares else [])


def test_a_customer_of_any_run_has_an_owner(book: Book, journal: Journal) -> None:
    book.claim(1)
    book.settle(created(0, "k0", "mine"))
    other = filled(journal, SECOND, ["new"], scope="elsewhere")

    assert other.is_owned("mine")
    assert not other.is_owned("nobodys")


def test_a_row_that_is_sent_again_twice_is_warned_of_once_and_keeps_its_last_send(book: Book, journal: Journal) -> None:
    book.claim()
    book.send_again(1, now=1_000.0)
    book.send_again(1, now=2_000.0)
    book.settle(created(1, "k1"))
    (row,) = book.resent()
    result = next(one for one in journal.replay(book.run).results() if one.ordinal == 1)

    assert (row.record.key, row.state, row.customer_id, row.sent_at) == ("k1", RowState.CREATED, "cust-1", 2_000.0)
    assert row.record.payload == b'{"key":"k1"}'
    assert [issue.code for issue in result.warnings] == ["sent_again"]


def test_the_row_that_was_sent_first_is_looked_at_first(book: Book, journal: Journal) -> None:
    book.claim()
    for ordinal, now in ((0, 30.0), (1, 10.0), (3, 20.0)):
        book.send_again(ordinal, now)
        book.settle(created(ordinal, f"k{ordinal}"))
    assert [row.record.ordinal for row in book.resent()] == [1, 3, 0]


def test_a_later_look_makes_a_created_row_unknown_and_a_row_without_a_customer_created(
    book: Book, journal: Journal
) -> None:
    book.claim()
    book.settle(
        created(0, "k0"), Outcome(1, "k1", RowState.UNKNOWN, errors=(FieldError("", "Nobody knows.", "timeout"),))
    )
    book.amend(Outcome(0, "", RowState.UNKNOWN, errors=(DUPLICATED,), candidates=("a", "b")))
    book.amend(Outcome(1, "", RowState.CREATED, customer_id="c"))
    first, second, *_ = journal.replay(book.run).results()

    assert (first.state, first.customer_id, first.candidates) == (RowState.UNKNOWN, "", ("a", "b"))
    assert [issue.code for issue in first.errors] == ["duplicated_at_target"]
    assert (second.state, second.customer_id, second.errors) == (RowState.CREATED, "c", ())


def test_a_row_that_was_never_sent_cannot_be_amended(book: Book) -> None:
    with pytest.raises(JournalError, match="cannot become"):
        book.amend(Outcome(0, "", RowState.UNKNOWN))


def test_rows_that_share_a_customer_are_found_and_only_among_created_ones(book: Book, journal: Journal) -> None:
    book.claim()
    book.settle(created(0, "k0", "same"), created(1, "k1", "own"), created(3, "k3", "same"))
    book.settle(Outcome(4, "k4", RowState.EXISTING, customer_id="own"))
    ((customer_id, ordinals),) = book.shared_customers()

    assert (customer_id, sorted(ordinals)) == ("same", [0, 3])


def test_a_customer_is_owned_by_the_row_that_has_it_and_not_by_the_row_that_asks(book: Book, journal: Journal) -> None:
    book.claim()
    book.settle(created(0, "k0", "mine"))
    assert not book.is_owned("mine", 0)
    assert book.is_owned("mine", 1)
    assert not book.is_owned("nobodys", 1)


def test_what_was_looked_at_for_the_last_time_or_purged_is_not_looked_at_again(book: Book, journal: Journal) -> None:
    book.claim()
    for ordinal in (0, 1):
        book.send_again(ordinal)
        book.settle(created(ordinal, f"k{ordinal}"))
    book.looked_at_last(0)
    assert [row.record.ordinal for row in book.resent()] == [1]
    journal.purging.purge([book.run], 9_000.0)

    assert not journal.runs.has_resent(book.run)
