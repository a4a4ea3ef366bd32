"""Claim and settle: what is sent is marked first, and what an earlier run did is remembered."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from importer.core.errors import JournalError
from importer.core.outcomes import Attempt, FieldError, Outcome, Record, Verdict
from importer.core.states import TRANSITIONS, RowState
from importer.journal.sqlite.database import Database
from importer.journal.sqlite.replay import Replay
from importer.journal.sqlite.runs import Runs
from tests.unit.journal.conftest import Book, begin, created, fill, open_book


def test_a_claim_is_on_disk_when_it_returns(book: Book) -> None:
    book.claim(2)

    with closing(sqlite3.connect(book.database.path)) as stranger:
        rows = stranger.execute("SELECT ordinal FROM rows WHERE state = 'sending' ORDER BY ordinal").fetchall()
    assert rows == [(0,), (1,)]


def test_claims_follow_the_source_and_pass_over_invalid_rows(book: Book) -> None:
    claimed = [record for _ in range(4) for record in book.claim(2).records]

    assert [(record.ordinal, record.row, record.key) for record in claimed] == [
        (0, 2, "k0"), (1, 3, "k1"), (3, 5, "k3"), (4, 6, "k4"), (5, 7, "k5"),
    ]  # fmt: skip
    assert claimed[2].payload == b'{"key":"k3"}'
    assert not book.claim(2)


def test_every_outcome_is_read_back_with_its_row(book: Book) -> None:
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

    rows = list(Replay(book.database, book.run).results())
    assert [row.ordinal for row in rows] == list(range(7))
    assert (rows[0].state, rows[0].customer_id, rows[0].cells) == (RowState.CREATED, "cust-0", ("name 0", "0"))
    assert (rows[3].http_status, rows[3].trace_id, rows[3].attempts) == (422, "t-7", 1)
    assert [(error.code, error.field, error.column) for error in rows[3].errors] == [
        ("EMU_LENGTH", "lastName", "Surname")
    ]
    assert Replay(book.database, book.run).attempts(3) == [attempt]


@pytest.mark.parametrize("before", [state for state in RowState if state is not RowState.VALID])
@pytest.mark.parametrize("after", list(RowState))
def test_the_journal_allows_exactly_the_transitions_of_the_table(book: Book, before: RowState, after: RowState) -> None:
    with book.database.transaction() as tx:
        tx.execute("UPDATE rows SET state = ? WHERE ordinal = 0", (before.value,))
    outcome = Outcome(0, "k0", after, customer_id="cust-0")

    if after in TRANSITIONS[before]:
        book.settle(outcome)
        assert book.states()[0] == after.value
    else:
        with pytest.raises(JournalError, match="cannot become"):
            book.settle(outcome)
        assert book.states()[0] == before.value


def test_a_row_that_a_dead_process_left_sending_is_in_doubt(book: Book) -> None:
    book.claim(2, now=1_000.0)
    book.settle(created(1, "k1"))

    again = open_book(book.database, book.run).claim(now=9_000.0).records

    assert [record.ordinal for record in again] == [3, 4, 5, 0]
    assert (again[-1].in_doubt, again[-1].doubt_since) == (True, 1_000.0)
    assert not any(record.in_doubt for record in again[:-1])


def test_a_row_that_an_earlier_run_created_is_existing_without_a_request(book: Book) -> None:
    book.claim()
    book.settle(created(0, "k0", "cust-old"))
    later = begin(book.database, "20261123T083000Z-00000b")
    fill(book.database, later, ["k9", "k0"])

    claimed = open_book(book.database, later).claim()

    assert [record.key for record in claimed.records] == ["k9"]
    assert [(one.ordinal, one.state, one.customer_id) for one in claimed.known] == [(1, RowState.EXISTING, "cust-old")]


@pytest.mark.parametrize("loaded_anew", [None, RowState.READY, RowState.INVALID])
def test_a_key_whose_row_is_gone_or_new_is_in_doubt(book: Book, loaded_anew: RowState | None) -> None:
    book.claim()
    book.settle(created(0, "k0", "cust-old"))
    later = begin(book.database, "20261123T083000Z-00000b")
    fill(book.database, later, ["k0"])
    with book.database.transaction() as tx:
        tx.execute("DELETE FROM rows WHERE run = ?", (book.run,))
        if loaded_anew:
            tx.execute(
                "INSERT INTO rows (run, ordinal, state, key) VALUES (?, 0, ?, 'k0')", (book.run, loaded_anew.value)
            )

    (record,) = open_book(book.database, later).claim().records

    assert (record.key, record.in_doubt, record.doubt_elsewhere) == ("k0", True, True)


def test_a_row_in_doubt_in_an_earlier_run_is_in_doubt_in_this_one(book: Book) -> None:
    book.claim(1, now=500.0)
    book.finish()
    later = begin(book.database, "20261123T083000Z-00000b")
    fill(book.database, later, ["k0"])

    (record,) = open_book(book.database, later).claim(now=900.0).records

    assert (record.in_doubt, record.doubt_elsewhere, record.doubt_since) == (True, True, 500.0)


def test_a_row_that_an_earlier_run_could_not_create_is_simply_sent(book: Book) -> None:
    book.claim()
    book.settle(
        Outcome(0, "k0", RowState.REJECTED), Outcome(1, "k1", RowState.FAILED), Outcome(3, "k3", RowState.UNSENT)
    )
    later = begin(book.database, "20261123T083000Z-00000b")
    fill(book.database, later, ["k0", "k1", "k3"])

    assert [record.in_doubt for record in open_book(book.database, later).claim().records] == [False] * 3


def test_another_account_knows_nothing_of_it(book: Book) -> None:
    book.claim()
    book.settle(created(0, "k0"))
    elsewhere = begin(book.database, "20261123T083000Z-00000b", scope="https://sandbox.example.com#main")
    fill(book.database, elsewhere, ["k0"])

    claimed = open_book(book.database, elsewhere, scope="https://sandbox.example.com#main").claim()

    assert len(claimed.records) == 1
    assert not claimed.known


def test_a_run_in_doubt_learns_that_a_later_run_found_its_customer(book: Book) -> None:
    book.claim(1)
    later = begin(book.database, "20261123T083000Z-00000b")
    fill(book.database, later, ["k0"])
    second = open_book(book.database, later)
    second.claim()
    second.settle(created(0, "k0", "cust-found"))

    claimed = open_book(book.database, book.run).claim()

    assert [(one.ordinal, one.customer_id) for one in claimed.known] == [(0, "cust-found")]


def test_a_stopped_run_leaves_rows_unsent_or_unknown_and_they_can_be_opened_again(book: Book) -> None:
    book.claim(2)
    book.settle(created(0, "k0"))
    book.finish()
    assert book.states() == {
        0: "created", 1: "unknown", 2: "invalid", 3: "unsent", 4: "unsent", 5: "unsent", 6: "invalid",
    }  # fmt: skip

    Runs(book.database).reopen(book.run, (RowState.UNSENT, RowState.UNKNOWN))
    records = open_book(book.database, book.run).claim().records

    assert [(record.ordinal, record.in_doubt) for record in records] == [(3, False), (4, False), (5, False), (1, True)]


def test_opening_a_failed_row_again_drops_its_old_errors(book: Book) -> None:
    book.claim()
    book.settle(Outcome(0, "k0", RowState.FAILED, errors=(FieldError("", "Slower, please.", "rate_limited"),)))

    Runs(book.database).reopen(book.run, (RowState.FAILED,))

    first = next(Replay(book.database, book.run).results())
    assert (first.state, first.errors) == (RowState.READY, ())


def test_ten_thousand_rows_can_be_claimed_in_small_lots(database: Database) -> None:
    run = begin(database)
    fill(database, run, [f"k{number}" for number in range(10_000)], batch_rows=1_000)
    book = open_book(database, run)
    seen = 0
    while claimed := book.claim(700):
        seen += len(claimed.records)
        book.settle(*(created(record.ordinal, record.key) for record in claimed.records))

    assert seen == 10_000
    assert Runs(database).counts(run) == {"read": 10_000, "created": 10_000}


def test_whether_a_doubtful_body_bore_a_stamp_is_remembered(database: Database) -> None:
    for number, body in enumerate((b'{"metadata":{"importKey":"k0"}}', b"{}")):
        run = begin(database, f"20261122T083000Z-00000{number}", scope=f"scope {number}")
        fill(database, run, ["k0"])
        with database.transaction() as tx:
            tx.execute("UPDATE batches SET payloads = ? WHERE run = ?", (body, run))
        open_book(database, run, scope=f"scope {number}").claim()
    later = [begin(database, f"20261123T083000Z-00000{number}", scope=f"scope {number}") for number in (0, 1)]
    records: list[Record] = []
    for number, run in enumerate(later):
        fill(database, run, ["k0"])
        records += open_book(database, run, scope=f"scope {number}").claim().records

    assert [(record.in_doubt, record.sent_unstamped) for record in records] == [(True, False), (True, True)]
