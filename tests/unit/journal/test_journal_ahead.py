"""What a run has before it, counted before it sends."""

from __future__ import annotations

from importer.core.outcomes import Outcome
from importer.core.states import RowState
from importer.journal import Ahead
from importer.journal.sqlite.database import Database
from importer.journal.sqlite.earlier_runs import EarlierRuns
from importer.journal.sqlite.runs import Runs
from tests.unit.journal.conftest import SCOPE, Book, begin, created, fill


def test_what_is_ahead_tells_new_rows_from_known_ones_and_those_in_doubt(book: Book) -> None:
    """The book has five valid rows and two invalid ones."""
    runs = EarlierRuns(book.database)
    first = Runs(book.database).find("last")
    assert runs.ahead(first) == Ahead(creates=5, known=0, in_doubt=0)

    book.claim(3)
    book.settle(created(0, "k0"), Outcome(1, "k1", RowState.UNKNOWN))
    assert runs.ahead(first) == Ahead(creates=2, known=0, in_doubt=1)

    second = begin(book.database, "20261123T083000Z-00000b")
    fill(book.database, second, ["k0", "k1", "k3", "new"])
    found = runs.ahead(Runs(book.database).find("20261123"))
    assert (found.known, found.in_doubt, found.creates) == (1, 2, 3)


def test_what_is_ahead_of_a_stopped_run_is_what_resume_opens_again(book: Book) -> None:
    runs = EarlierRuns(book.database)
    book.claim(3)
    book.settle(created(0, "k0"), Outcome(1, "k1", RowState.UNKNOWN), Outcome(3, "k3", RowState.REJECTED))
    book.finish()

    assert runs.ahead(Runs(book.database).find("last")) == Ahead(creates=0, known=0, in_doubt=0)
    assert runs.ahead(Runs(book.database).find("last"), stopped=True) == Ahead(creates=2, known=0, in_doubt=1)


def test_a_run_is_found_by_its_content_under_whatever_profile(database: Database) -> None:
    runs = EarlierRuns(database)
    assert runs.newest_with(SCOPE, "c0ffee") is None
    for run_id in ("20261122T083000Z-00000a", "20261123T083000Z-00000b"):
        begin(database, run_id)

    newest = runs.newest_with(SCOPE, "c0ffee")
    assert newest is not None
    assert newest.header.run_id.startswith("20261123")
    assert runs.newest_with("another", "c0ffee") is None
