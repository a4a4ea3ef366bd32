"""Claim and settle, whatever keeps the journal: marked before it is sent, and remembered by later runs."""

from __future__ import annotations

import pytest

from importer.core.errors import JournalError
from importer.core.outcomes import Attempt, FieldError, Outcome, Record, Verdict
from importer.core.states import TRANSITIONS, RowState
from importer.journal import Journal
from tests.contracts.journals import SECOND, Book, begin, created, fill, filled


def put(book: Book, state: RowState) -> int:
    """Lead a row of the book to a state; returns its ordinal."""
    if state is RowState.INVALID:
        return 2
    if state is RowState.UNSENT:
        book.finish()
    elif state is not RowState.READY:
        book.claim(1)
        if state is not RowState.SENDING:
            book.settle(Outcome(0, "k0", state, customer_id="cust-0"))
    return 0


@pytest.mark.parametrize("before", [state for state in RowState if state is not RowState.VALID])
@pytest.mark.parametrize("after", list(RowState))
def test_the_journal_allows_exactly_the_transitions_of_the_table(book: Book, before: RowState, after: RowState) -> None:
    ordinal = put(book, before)
    outcome = Outcome(ordinal, "k0", after, customer_id="cust-0")

    if after in TRANSITIONS[before]:
        book.again().settle(outcome)
        assert book.states()[ordinal] == after.value
    else:
        with pytest.raises(JournalError, match="cannot become"):
            book.again().settle(outcome)
        assert book.states()[ordinal] == before.value


def test_whether_a_doubtful_body_bore_a_stamp_is_remembered(journal: Journal) -> None:
    records: list[Record] = []
    for number, body in enumerate((b'{"metadata":{"importKey":"k0"}}', b"{}")):
        run = begin(journal, f"20261122T083000Z-00000{number}", scope=f"scope {number}")
        fill(journal, run, ["k0"], payloads=[body])
        Book(journal, run, f"scope {number}").claim()
        later = filled(journal, f"20261123T083000Z-00000{number}", ["k0"], scope=f"scope {number}")
        records += later.claim().records

    assert [(record.in_doubt, record.sent_unstamped) for record in records] == [(True, False), (True, True)]


def test_once_a_write_has_failed_nothing_more_is_claimed(book: Book) -> None:
    with pytest.raises(JournalError, match="cannot become"):
        book.settle(created(0, "never claimed"))

    with pytest.raises(JournalError):
        book.claim()
    assert book.states()[0] == "ready"


def test_claims_follow_the_source_and_pass_over_invalid_rows(book: Book) -> None:
    claimed = [record for _ in range(4) for record in book.claim(2).records]

    assert [(record.ordinal, record.row, record.key) for record in claimed] == [
        (0, 2, "k0"), (1, 3, "k1"), (3, 5, "k3"), (4, 6, "k4"), (5, 7, "k5"),
    ]  # fmt: skip
    assert claimed[2].payload == b'{"key":"k3"}'
    assert not book.claim(2)


def test_every_outcome_is_read_back_with_its_row(book: Book, journal: Journal) -> None:
    book.claim()
    attempt = Attempt(1, "create", 5.0, 0.25, Verdict.REJECT, 422, "EMU_LENGTH", "t-7")
    refused = Outcome(
        3,
        "k3",
        RowState.REJECTED,
        errors=(FieldError("lastName", "Too long.", "EMU_LENGTH"),),
        http_status=422,
        trace_id="t-7",
        attempts=(attempt,),
    )
    book.settle(created(0, "k0"), refused)

    rows = list(journal.replay(book.run).results())
    assert [row.ordinal for row in rows] == list(range(7))
    assert (rows[0].state, rows[0].customer_id, rows[0].cells) == (RowState.CREATED, "cust-0", ("name 0", "0"))
    assert (rows[3].http_status, rows[3].trace_id, rows[3].attempts) == (422, "t-7", 1)
    assert [(error.code, error.field, error.column) for error in rows[3].errors] == [
        ("EMU_LENGTH", "lastName", "Surname")
    ]
    assert journal.replay(book.run).attempts(3) == [attempt]


def test_a_row_that_a_dead_process_left_sending_is_in_doubt(book: Book) -> None:
    book.claim(2, now=1_000.0)
    book.settle(created(1, "k1"))

    again = book.again().claim(now=9_000.0).records

    assert [record.ordinal for record in again] == [3, 4, 5, 0]
    assert (again[-1].in_doubt, again[-1].doubt_since) == (True, 1_000.0)
    assert not any(record.in_doubt for record in again[:-1])


def test_a_row_that_an_earlier_run_created_is_existing_without_a_request(book: Book, journal: Journal) -> None:
    book.claim()
    book.settle(created(0, "k0", "cust-old"))
    later = begin(journal, SECOND)
    fill(journal, later, ["k9", "k0"])

    claimed = Book(journal, later).claim()

    assert [record.key for record in claimed.records] == ["k9"]
    assert [(one.ordinal, one.state, one.customer_id) for one in claimed.known] == [(1, RowState.EXISTING, "cust-old")]


def test_a_row_in_doubt_in_an_earlier_run_is_in_doubt_in_this_one(book: Book, journal: Journal) -> None:
    book.claim(1, now=500.0)
    book.finish()
    later = begin(journal, SECOND)
    fill(journal, later, ["k0"])

    (record,) = Book(journal, later).claim(now=900.0).records

    assert (record.in_doubt, record.doubt_of_other_run, record.doubt_since) == (True, True, 500.0)


def test_a_row_that_an_earlier_run_could_not_create_is_simply_sent(book: Book, journal: Journal) -> None:
    book.claim()
    book.settle(
        Outcome(0, "k0", RowState.REJECTED), Outcome(1, "k1", RowState.FAILED), Outcome(3, "k3", RowState.UNSENT)
    )
    later = begin(journal, SECOND)
    fill(journal, later, ["k0", "k1", "k3"])

    assert [record.in_doubt for record in Book(journal, later).claim().records] == [False] * 3


def test_another_account_knows_nothing_of_it(book: Book, journal: Journal) -> None:
    book.claim()
    book.settle(created(0, "k0"))
    elsewhere = begin(journal, SECOND, scope="https://sandbox.example.com#main")
    fill(journal, elsewhere, ["k0"])

    claimed = Book(journal, elsewhere, "https://sandbox.example.com#main").claim()

    assert len(claimed.records) == 1
    assert not claimed.known


def test_a_run_in_doubt_learns_that_a_later_run_found_its_customer(book: Book, journal: Journal) -> None:
    book.claim(1)
    later = begin(journal, SECOND)
    fill(journal, later, ["k0"])
    second = Book(journal, later)
    second.claim()
    second.settle(created(0, "k0", "cust-found"))

    claimed = book.again().claim()

    assert [(one.ordinal, one.customer_id) for one in claimed.known] == [(0, "cust-found")]


def test_a_stopped_run_leaves_rows_unsent_or_unknown_and_they_can_be_opened_again(book: Book, journal: Journal) -> None:
    book.claim(2)
    book.settle(created(0, "k0"))
    book.finish()
    assert book.states() == {
        0: "created", 1: "unknown", 2: "invalid", 3: "unsent", 4: "unsent", 5: "unsent", 6: "invalid",
    }  # fmt: skip

    journal.runs.reopen(book.run, (RowState.UNSENT, RowState.UNKNOWN))
    records = book.again().claim().records

    assert [(record.ordinal, record.in_doubt) for record in records] == [(3, False), (4, False), (5, False), (1, True)]


def test_opening_a_failed_row_again_drops_its_old_errors(book: Book, journal: Journal) -> None:
    book.claim()
    book.settle(Outcome(0, "k0", RowState.FAILED, errors=(FieldError("", "Slower, please.", "rate_limited"),)))

    journal.runs.reopen(book.run, (RowState.FAILED,))

    first = next(journal.replay(book.run).results())
    assert (first.state, first.errors) == (RowState.READY, ())


def test_ten_thousand_rows_can_be_claimed_in_small_lots(journal: Journal) -> None:
    run = begin(journal)
    fill(journal, run, [f"k{number}" for number in range(10_000)], batch_rows=1_000)
    book = Book(journal, run)
    seen = 0
    while claimed := book.claim(700):
        seen += len(claimed.records)
        book.settle(*(created(record.ordinal, record.key) for record in claimed.records))

    assert seen == 10_000
    assert journal.runs.counts(run) == {"read": 10_000, "created": 10_000}
