"""Rows that come back, whatever keeps the journal: in one commit, from no state that they may not be opened from."""

from __future__ import annotations

import pytest

from importer.core.errors import JournalError
from importer.core.issues import Issue
from importer.core.outcomes import Outcome
from importer.core.states import RowState
from importer.journal import Journal, Revision
from tests.contracts.journals import FIRST, created, filled


def test_rows_come_back_with_their_cells_bodies_keys_and_issues(journal: Journal) -> None:
    book = filled(journal, FIRST, [None, "k1"])
    book.claim()
    book.settle(Outcome(1, "k1", RowState.REJECTED))
    width = len(journal.rows(book.run).at(0).cells)

    bad = Issue(1, "email_invalid", "This is not a valid email address.")
    book.revise(
        Revision(0, RowState.INVALID, RowState.READY, ["new"] * width, key="n0", payload=b'{"a":1}'),
        Revision(1, RowState.REJECTED, RowState.INVALID, ["other"] * width, issues=(bad,)),
    )

    rows = journal.rows(book.run)
    assert (rows.at(0).state, rows.at(0).key, list(rows.at(0).cells)) == (RowState.READY, "n0", ["new"] * width)
    assert rows.payload(0) == b'{"a":1}'
    assert (rows.at(1).state, rows.at(1).errors) == (RowState.INVALID, (bad,))
    records = book.again().claim().records
    assert [(record.ordinal, record.key, record.in_doubt) for record in records] == [(0, "n0", False)]


@pytest.mark.parametrize("done", [RowState.CREATED, RowState.EXISTING])
def test_a_row_that_is_done_is_never_opened_and_nothing_else_of_that_return_is_written(
    journal: Journal, done: RowState
) -> None:
    book = filled(journal, FIRST, [None, "k1"])
    book.claim()
    book.settle(Outcome(1, "k1", done, customer_id="cust-1"))

    with pytest.raises(JournalError):
        book.revise(
            Revision(0, RowState.INVALID, RowState.READY, key="n0", payload=b"{}"),
            Revision(1, done, RowState.READY, key="n1", payload=b"{}"),
        )
    assert book.states() == {0: "invalid", 1: done.value}


def test_a_row_that_has_changed_since_it_was_judged_is_not_written(journal: Journal) -> None:
    book = filled(journal, FIRST, ["k0"])
    book.claim()
    book.settle(created(0, "k0"))

    with pytest.raises(JournalError, match="changed while it was taken back"):
        book.revise(Revision(0, RowState.INVALID, RowState.READY, key="n0", payload=b"{}"))


def test_a_row_in_doubt_keeps_every_form_that_may_have_been_sent(journal: Journal) -> None:
    book = filled(journal, FIRST, ["k0"])
    sent = journal.rows(book.run).payload(0)
    book.claim()
    book.settle(Outcome(0, "k0", RowState.UNKNOWN))
    book.revise(Revision(0, RowState.UNKNOWN, RowState.SENDING, key="n0", payload=b'{"n":0}'))
    book.revise(Revision(0, RowState.SENDING, RowState.SENDING, key="n1", payload=b'{"n":1}'))

    (record,) = book.again().claim().records
    assert (record.in_doubt, record.key) == (True, "n1")
    assert [(form.key, form.payload) for form in record.earlier] == [("k0", sent), ("n0", b'{"n":0}')]


def test_rows_are_found_by_the_number_that_a_person_sees(journal: Journal) -> None:
    book = filled(journal, FIRST, ["k0", "k1", "k2"])
    rows = journal.rows(book.run)
    numbers = [rows.number_of(ordinal) for ordinal in range(len(rows))]

    assert [found.ordinal for number in numbers if (found := rows.find(number))] == [0, 1, 2]
    assert rows.find(0) is rows.find(max(numbers) + 1) is None
