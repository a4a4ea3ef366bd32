"""Rows on their way into the journal, whatever keeps it: loaded, checked, judged and compared with earlier runs."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from importer.core.batches import CheckedBatch, DuplicateVerdict
from importer.core.errors import BusyError
from importer.core.frames import raw_batch
from importer.core.issues import Issue, Severity
from importer.core.outcomes import Outcome
from importer.core.states import RowState
from importer.customers.contract import CUSTOMERS
from importer.journal import RUNNING, Comparison, Journal, Merging
from tests.contracts.journals import FIRST, IGNORED, SCOPE, SECOND, SECRET, Book, begin, created, fill

REJECTED = Comparison(
    CUSTOMERS, "reject", external_id_decides=False, target="live", columns={"primaryEmail.value": "Mail"}
)
BUSINESS = Merging("importKey", ("businessName",), {"externalId": "Number"})


def loaded(
    journal: Journal, run_id: str, keys: Sequence[str], prints: Mapping[str, Sequence[int]], how: Comparison
) -> Book:
    """A run with rows of these import keys and likenesses, compared with earlier runs."""
    run = begin(journal, run_id)
    intake = journal.intake(run, CUSTOMERS)
    raw = raw_batch(0, range(2, len(keys) + 2), ([""] * len(keys),))
    intake.load(raw)
    bodies = [json.dumps({"metadata": {"importKey": key}}).encode() for key in keys]
    found = {kind: array("q", numbers) for kind, numbers in prints.items()}
    intake.record(CheckedBatch(raw, bodies, keys, [""] * len(keys), prints=found))
    intake.judged(DuplicateVerdict())
    intake.compare_and_remember(SCOPE, SECRET, how)
    return Book(journal, run)


def grouped(journal: Journal, run_id: str, *, wrong: int | None = None) -> Book:
    """A run with three rows that are one business, of which the second one is sent; one of them may be wrong."""
    run = begin(journal, run_id)
    intake = journal.intake(run, CUSTOMERS, merging=BUSINESS)
    raw = raw_batch(0, range(2, 5), ([""] * 3,))
    intake.load(raw)
    contacts = [{"primary": True, "firstName": f"Person {ordinal}"} for ordinal in range(3)]
    firms = [{"type": "BUSINESS", "businessName": "Firm", "contacts": [contact]} for contact in contacts]
    bodies = [None if ordinal == wrong else json.dumps(firm).encode() for ordinal, firm in enumerate(firms)]
    issues = () if wrong is None else (Issue(wrong, "email_invalid", "This is not a valid email address."),)
    intake.record(CheckedBatch(raw, bodies, [None if body is None else "firm" for body in bodies], [""] * 3, issues))
    intake.judged(DuplicateVerdict(leaders=array("q", [1, 1, 1])))
    return Book(journal, run)


def test_duplicates_become_invalid_and_allowed_ones_get_their_own_key(journal: Journal) -> None:
    run = begin(journal)
    fill(journal, run, ["same", "same", "other", "twice", "twice"], batch_rows=2)
    journal.intake(run, CUSTOMERS).judged(
        DuplicateVerdict(
            (Issue(0, "duplicate_row", "Twice."), Issue(2, "same_email", "Look.", severity=Severity.WARNING)),
            {4: "twice#2"},
        )
    )

    book = Book(journal, run)
    records = book.claim().records
    assert [(record.ordinal, record.key, record.payload) for record in records] == [
        (1, "same", b'{"key":"same"}'),
        (2, "other", b'{"key":"other"}'),
        (3, "twice", b'{"key":"twice"}'),
        (4, "twice#2", b'{"key":"twice#2"}'),
    ]
    assert book.states()[0] == "invalid"


def test_what_reading_found_is_kept_once_and_in_order(journal: Journal) -> None:
    run = begin(journal)
    raw = raw_batch(0, [2, 5], (["a", "b"],), (Issue(1, "row_too_long", "Too many cells."),))
    intake = journal.intake(run, CUSTOMERS)
    intake.load(raw)
    (loaded,) = intake.raw()
    assert (list(loaded.rows), loaded.issues) == ([2, 5], raw.issues)

    intake.record(
        CheckedBatch(loaded, [b"{}", None], ["k", None], ["", ""], (*loaded.issues, Issue(1, "missing", "Fill it.")))
    )
    intake.judged(DuplicateVerdict())

    rows = list(Book(journal, run).states().items())
    assert rows == [(0, "ready"), (1, "invalid")]


def test_cells_beyond_the_columns_are_kept_and_given_back_with_their_row(journal: Journal) -> None:
    run = begin(journal)
    intake = journal.intake(run, CUSTOMERS)
    surplus = {1: ("call back", "\ud83d lone")}
    batches = [raw_batch(0, [2, 5], (["a", "b"],), (), surplus), raw_batch(2, [6], (["c"],))]
    for batch in batches:
        intake.load(batch)
    assert [dict(batch.surplus) for batch in intake.raw()] == [surplus, {}]
    for batch in batches:
        count = len(batch)
        intake.record(CheckedBatch(batch, [b"{}"] * count, [f"k{batch.first}{i}" for i in range(count)], [""] * count))

    assert [row.surplus for row in journal.replay(run).results()] == [(), surplus[1], ()]
    assert journal.runs.summary(run).extra == 2


def test_a_loading_that_begins_again_forgets_how_wide_its_rows_were(journal: Journal) -> None:
    run = begin(journal)
    intake = journal.intake(run, CUSTOMERS)
    intake.load(raw_batch(0, [2], (["a"],), (), {0: ("x", "y", "z")}))

    intake.restart()
    intake.load(raw_batch(0, [2], (["a"],), (), {0: ("x",)}))

    assert journal.runs.summary(run).extra == 1


def test_a_loading_that_was_cut_off_begins_again(journal: Journal) -> None:
    run = begin(journal)
    fill(journal, run, ["k0", "k1"])
    intake = journal.intake(run, CUSTOMERS)
    intake.restart()
    fill(journal, run, ["k0"])

    assert journal.runs.counts(run) == {"read": 1, "ready": 1}


def test_a_run_that_is_being_sent_is_never_loaded_again(journal: Journal) -> None:
    run = begin(journal)
    fill(journal, run, ["k0"])
    journal.runs.enter(run, RUNNING)
    with pytest.raises(BusyError, match="taken up this run"):
        journal.intake(run, CUSTOMERS).restart()

    assert journal.runs.counts(run) == {"read": 1, "ready": 1}


def test_a_row_that_is_like_a_customer_under_another_key_is_refused_or_warned_of(journal: Journal) -> None:
    first = loaded(journal, FIRST, ["a" * 32, "b" * 32], {"email": [7, 8]}, IGNORED)
    first.claim()
    first.settle(created(0, "a" * 32), Outcome(1, "b" * 32, RowState.REJECTED))

    second = loaded(journal, SECOND, ["c" * 32, "d" * 32], {"email": [7, 8]}, REJECTED)

    alike, new = journal.replay(second.run).results()
    assert [(issue.code, issue.field, issue.column) for issue in alike.errors] == [
        ("possible_duplicate", "primaryEmail.value", "Mail")
    ]
    assert f"The run {FIRST} has a customer with the same email in row 2" in alike.errors[0].message
    assert (alike.state, new.state, new.errors) == (RowState.INVALID, RowState.READY, ())
    third = loaded(journal, "20261125T083000Z-00000d", ["e" * 32], {"email": [7]}, replace(REJECTED, target="other"))
    (warned,) = journal.replay(third.run).results()
    assert (warned.state, [issue.code for issue in warned.warnings]) == (RowState.READY, ["possible_duplicate"])


def test_the_same_content_under_another_profile_is_matched_by_its_places(journal: Journal) -> None:
    first = loaded(journal, FIRST, ["a" * 32, "b" * 32], {}, IGNORED)
    first.claim()
    first.settle(created(0, "a" * 32, "cust-a"), created(1, "b" * 32, "cust-b"))

    second = loaded(journal, SECOND, ["c" * 32, "b" * 32], {}, replace(IGNORED, content="c0ffee"))

    assert [one.customer_id for one in second.claim().known] == ["cust-a", "cust-b"]


def test_one_row_of_a_business_is_sent_and_the_others_end_as_it_does(journal: Journal) -> None:
    book = grouped(journal, FIRST)
    (record,) = book.claim().records
    book.settle(created(1, "firm", "cust-firm"))

    assert (record.ordinal, len(json.loads(record.payload)["contacts"])) == (1, 3)
    rows = list(journal.replay(book.run).results())
    assert [(row.state, row.customer_id) for row in rows] == [(RowState.CREATED, "cust-firm")] * 3
    assert list(journal.replay(book.run).group(0)) == [3, 2, 4]
    assert journal.runs.unsent_beside(book.run) == 0
    again = grouped(journal, SECOND)
    again.claim()
    assert set(again.states().values()) == {"existing"}
    assert [known.rows for known in journal.earlier.known_from(again.run)] == [3]


def test_one_row_of_a_business_with_an_error_holds_the_others(journal: Journal) -> None:
    book = grouped(journal, FIRST, wrong=2)

    assert not book.claim().records
    rows = list(journal.replay(book.run).results())
    assert [[issue.code for issue in row.errors] for row in rows] == [["group_held"], ["group_held"], ["email_invalid"]]
    assert set(book.states().values()) == {"invalid"}


def test_a_group_that_was_stopped_is_opened_again_as_one(journal: Journal) -> None:
    book = grouped(journal, FIRST)
    assert journal.runs.unsent_beside(book.run) == 2
    book.finish()
    assert set(book.states().values()) == {"unsent"}

    journal.runs.reopen(book.run, (RowState.UNSENT,))

    assert len(book.again().claim().records) == 1
