"""The register of runs, and what runs say to later ones, whatever keeps the journal."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from importer.core.errors import UsageError
from importer.core.outcomes import Outcome
from importer.core.states import RowState
from importer.journal import FINISHED, RUNNING, Ahead, Journal, Place
from tests.contracts.journals import FIRST, SCOPE, SECOND, Book, Opener, begin, created, fill, filled


def test_what_is_ahead_separates_new_rows_from_known_ones_and_those_in_doubt(book: Book, journal: Journal) -> None:
    """The book has five valid rows and two invalid ones."""
    runs = journal.earlier
    first = journal.runs.find("last")
    assert runs.ahead(first) == Ahead(creates=5, known=0, in_doubt=0)

    book.claim(3)
    book.settle(created(0, "k0"), Outcome(1, "k1", RowState.UNKNOWN))
    assert runs.ahead(first) == Ahead(creates=2, known=0, in_doubt=1)

    second = begin(journal, SECOND)
    fill(journal, second, ["k0", "k1", "k3", "new"])
    found = runs.ahead(journal.runs.find("20261123"))
    assert (found.known, found.in_doubt, found.creates) == (1, 2, 3)


def test_what_is_ahead_of_a_stopped_run_is_what_resume_opens_again(book: Book, journal: Journal) -> None:
    runs = journal.earlier
    book.claim(3)
    book.settle(created(0, "k0"), Outcome(1, "k1", RowState.UNKNOWN), Outcome(3, "k3", RowState.REJECTED))
    book.finish()

    assert runs.ahead(journal.runs.find("last")) == Ahead(creates=0, known=0, in_doubt=0)
    assert runs.ahead(journal.runs.find("last"), stopped=True) == Ahead(creates=2, known=0, in_doubt=1)


def test_a_run_is_found_by_its_content_under_whatever_profile(journal: Journal) -> None:
    runs = journal.earlier
    assert runs.newest_with(SCOPE, "c0ffee") is None
    for run_id in (FIRST, SECOND):
        begin(journal, run_id)

    newest = runs.newest_with(SCOPE, "c0ffee")
    assert newest is not None
    assert newest.header.run_id.startswith("20261123")
    assert runs.newest_with("another", "c0ffee") is None


def test_a_run_is_found_by_a_unique_beginning_of_its_id_and_by_being_the_newest(journal: Journal) -> None:
    first, second = begin(journal, FIRST), begin(journal, SECOND)

    assert (journal.runs.find("20261122").run, journal.runs.find("last").run) == (first, second)
    assert [number for number, _ in journal.runs.ids()] == [first, second]
    with pytest.raises(UsageError, match="fits several runs"):
        journal.runs.find("2026")
    with pytest.raises(UsageError, match="There is no run"):
        journal.runs.find("1999")


def test_a_run_that_ended_is_open_again_once_it_is_taken_up(book: Book, journal: Journal) -> None:
    journal.runs.end(book.run, phase=FINISHED, exit_code=3, ended_at=9.0)
    ended = journal.runs.summary(book.run)
    journal.runs.enter(book.run, RUNNING)
    again = journal.runs.summary(book.run)

    assert (ended.state, ended.exit_code, ended.ended_at) == ("finished", 3, 9.0)
    assert (again.state, again.exit_code, again.ended_at) == ("running", None, None)
    assert again.counts == {"read": 7, "ready": 5, "invalid": 2}


def test_a_run_that_was_refused_leaves_nothing(book: Book, journal: Journal) -> None:
    journal.runs.forget(book.run)

    assert not journal.runs.any()
    assert list(journal.replay(begin(journal)).results()) == []


def test_runs_of_the_same_content_and_profile_are_known_once_they_were_read(book: Book, journal: Journal) -> None:
    assert not journal.earlier.of_content(SCOPE, "c0ffee", "")
    assert not journal.earlier.knows_profile("bead")
    journal.runs.enter(book.run, RUNNING)

    assert [one.run for one in journal.earlier.of_content(SCOPE, "c0ffee", "")] == [book.run]
    assert not journal.earlier.of_content(SCOPE, "c0ffee", "another sheet")
    assert journal.earlier.knows_profile("bead")
    assert not journal.earlier.has_sent(book.run)
    book.claim(1)
    assert journal.earlier.has_sent(book.run)


def test_what_a_purged_run_says_is_what_matching_and_audits_need(book: Book, journal: Journal) -> None:
    book.claim(1)
    book.settle(created(0, "k0"))
    book.finish()
    journal.runs.end(book.run, phase=FINISHED, exit_code=3, ended_at=9.0)
    digest = journal.receipts.rows_digest(book.run)
    (old,) = journal.purging.purgeable(10.0)

    journal.purging.purge([book.run], 20.0)
    journal.purging.wipe()

    assert (old.run, old.resumable) == (book.run, True)
    assert not journal.purging.purgeable(10.0)
    assert journal.runs.find(FIRST).purged_at == 20.0
    assert journal.receipts.rows_digest(book.run) == digest
    assert next(journal.replay(book.run).results()).cells == ()
    assert [one.key for one in filled(journal, SECOND, ["k0"]).claim().known] == ["k0"]


def test_files_of_a_run_are_kept_whole_until_it_is_purged_or_forgotten(book: Book, journal: Journal) -> None:
    other = begin(journal, SECOND)
    for run, name, content in (
        (book.run, "plan.json", b"first"),
        (book.run, "a.csv", b"Zo\xc3\xab"),
        (other, "b", b""),
    ):
        journal.files.keep(run, name, content)
    journal.files.keep(book.run, "plan.json", b"\x00" * 100_000)

    assert journal.files.names(book.run) == ["a.csv", "plan.json"]
    assert journal.files.of(book.run, "plan.json") == b"\x00" * 100_000
    assert (journal.files.of(other, "b"), journal.files.of(other, "a.csv")) == (b"", None)

    journal.purging.purge([book.run], 20.0)
    journal.runs.forget(other)

    assert (journal.files.names(book.run), journal.files.names(other)) == ([], [])


def test_plans_are_found_by_the_beginning_of_their_hash_while_they_are_good(journal: Journal) -> None:
    def signed(known: bytes | None) -> bytes:
        return (known or b"plan") + b" signed"

    for sha256, expires_at in (("ab" * 32, 20.0), ("ab" * 32, 20.0), ("ac" * 32, 10.0)):
        journal.plans.keep(sha256, 1.0, expires_at, signed)

    assert journal.plans.good_at(10.0) == [b"plan signed", b"plan signed signed"]
    assert journal.plans.good_at(10.0, "ab") == journal.plans.good_at(15.0) == [b"plan signed signed"]
    journal.plans.keep("ad" * 32, 25.0, 30.0, signed)
    assert journal.plans.good_at(0.0) == [b"plan signed"]


def test_receipts_are_a_chain(book: Book, journal: Journal) -> None:
    first = journal.receipts.add(book.run, 1.0, lambda number, previous: {"number": number, "previous": previous})
    second = journal.receipts.add(book.run, 2.0, lambda number, previous: {"number": number, "previous": previous})

    assert (first.number, first.previous, second.number, second.previous) == (1, "", 2, first.hash)
    assert journal.receipts.of(book.run) == second
    assert list(journal.receipts.all()) == [first, second]
    assert journal.receipts.of(book.run + 1) is None


def test_places_of_files_are_kept_until_they_are_dropped(book: Book, journal: Journal) -> None:
    mine = Place(Path("/archive/a"), "a.csv", book.run, 5.0, Path("/archive"))
    nobodys = Place(Path("/failed/b"), "b.csv", None, 7.0, Path("/archive"), returned=True)
    for place in (nobodys, mine):
        journal.places.add(place)

    assert list(journal.places.of(book.run)) == [mine]
    assert list(journal.places.before(8.0)) == [mine, nobodys]
    journal.places.drop([Path("/archive/a")])
    assert list(journal.places.before(8.0)) == [nobodys]


def test_request_starts_of_a_scope_are_counted_over_all_runs(book: Book, journal: Journal) -> None:
    book.now_s = 1_000.0
    asyncio.run(book.rows.starts.charge(7))
    asyncio.run(book.rows.starts.charge(-2))
    other = filled(journal, SECOND, ["k9"])
    other.now_s = 1_030.0

    assert sum(count for _, count in other.rows.starts.earlier()) == 5
    assert journal.earlier.started_within(SCOPE, 1_030.0, 60.0) == 5
    assert journal.earlier.started_within(SCOPE, 1_030.0, 10.0) == 0
    assert journal.earlier.started_within("elsewhere", 1_030.0, 60.0) == 0


def test_everything_is_there_when_the_journal_is_opened_again(tmp_path: Path, opener: Opener) -> None:
    with closing(opener(tmp_path)) as journal:
        before = filled(journal, FIRST, ["k0", None])
        before.claim()
        before.settle(created(0, "k0"))
        rows = list(journal.replay(before.run).results())
    with closing(opener(tmp_path)) as journal:
        assert list(journal.replay(before.run).results()) == rows
        assert [one.key for one in filled(journal, SECOND, ["k0"]).claim().known] == ["k0"]
