"""Claim and settle: what is sent is marked first, and what an earlier run did is remembered."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from importer.core.states import RowState
from tests.unit.journal.conftest import OVER_BOTH, Book, begin, created, fill, open_book


def test_a_claim_is_on_disk_when_it_returns(book: Book) -> None:
    book.claim(2)

    with closing(sqlite3.connect(book.database.path)) as stranger:
        rows = stranger.execute("SELECT ordinal FROM rows WHERE state = 'sending' ORDER BY ordinal").fetchall()
    assert rows == [(0,), (1,)]


@pytest.mark.parametrize("loaded_anew", [None, RowState.READY, RowState.INVALID])
@OVER_BOTH
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

    assert (record.key, record.in_doubt, record.doubt_of_other_run) == ("k0", True, True)
