"""One run that several programs send: each has lots of its own, and those of one that died are taken over."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest

from importer.core.errors import BusyError, JournalError, UsageError
from importer.core.outcomes import Claimed, FieldError, Outcome
from importer.core.states import RowState
from importer.journal import Journal, Location, Message, keep_elsewhere, locks_of, open_journal
from tests.contracts.journals import FIRST, SCOPE, Book, created, filled, sqlite
from tests.postgres import shared_server

KEYS = [f"k{number}" for number in range(10)]


class Run:
    """A run of ten rows in PostgreSQL, taken up by somebody who divides it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = shared_server().emptied()
        self._stack = ExitStack()
        self._open = 0
        self.journal = self._opened()
        self.book = filled(self.journal, FIRST, KEYS)
        self.lots = self.journal.lots(self.book.run)
        self._stack.enter_context(locks_of(self.folder / "1").hold(SCOPE, 1_000.0))

    def sender(self, name: str) -> Book:
        """Another program that sends: it knows the database by another address, as another process would."""
        journal = self._opened()
        lease = self._stack.enter_context(journal.lots(self.book.run).hold(name, 1_000.0))
        return Book(journal, self.book.run, how={"lease": lease})

    def let_expire(self, name: str) -> None:
        """Let the time of a lease be over, as if its owner had died."""
        over = "UPDATE importer.leases SET expires = clock_timestamp() - interval '1 second' WHERE scope = %s"
        with psycopg.connect(self.url, autocommit=True) as session:
            session.execute(over, (f"{SCOPE} {name}".strip(),))

    def close(self) -> None:
        self._stack.close()

    def _opened(self) -> Journal:
        self._open += 1
        workspace = self.folder / str(self._open)
        keep_elsewhere(workspace, f"{self.url}?application_name=importer&keepalives_count={9 + self._open}", 300.0)
        return self._stack.enter_context(closing(open_journal(Location.of_workspace(workspace))))


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    with closing(Run(tmp_path)) as made:
        yield made


def ordinals(claimed: Claimed) -> list[int]:
    return [record.ordinal for record in claimed.records]


def comes_back(book: Book) -> bool:
    return asyncio.run(book.rows.may_come_back())


def test_every_row_is_one_senders_in_order_until_all_are_done(run: Run) -> None:
    assert run.lots.divide(3) == 4
    first, second = run.sender("first"), run.sender("second")

    a, b, rest = first.claim(2), second.claim(4), first.claim(100)

    assert (ordinals(a), ordinals(b), ordinals(rest)) == ([0, 1], [3, 4, 5, 6], [2, 9])
    assert second.claim(100).records[0].ordinal == 7
    assert (second.claim(100), comes_back(second), run.lots.senders()) == (Claimed(), True, 2)
    for book in (first, second):
        book.settle(*(created(one, KEYS[one]) for one, state in run.book.states().items() if state == "sending"))
        break
    assert (comes_back(first), comes_back(second), run.lots.count()) == (True, False, 0)
    assert set(run.book.states().values()) == {RowState.CREATED.value}


def test_the_lots_of_a_dead_sender_are_taken_over_its_rows_in_doubt_and_it_writes_nothing_more(run: Run) -> None:
    run.lots.divide(5)
    dead, other = run.sender("dead"), run.sender("other")
    sent = dead.claim(2).records
    other.claim(5)
    assert other.claim(5) == Claimed()

    run.let_expire("dead")
    taken = other.claim(5).records

    assert [(one.ordinal, one.in_doubt) for one in taken] == [(2, False), (3, False), (4, False), (0, True), (1, True)]
    with pytest.raises(JournalError, match="Another program has taken over"):
        dead.settle(created(sent[0].ordinal, "k0"))
    assert run.lots.senders() == 1


def test_a_sender_that_came_back_before_anybody_took_its_lots_goes_on(run: Run) -> None:
    run.lots.divide(5)
    late = run.sender("late")
    late.claim(2)
    run.let_expire("late")

    late.settle(created(0, "k0"))

    assert run.book.states()[0] == RowState.CREATED.value


def test_a_sender_whose_own_lease_is_over_takes_nothing(run: Run) -> None:
    run.lots.divide(5)
    late = run.sender("late")
    late.claim(2)
    run.let_expire("late")

    assert ordinals(late.claim(10)) == [2, 3, 4]
    with pytest.raises(JournalError, match="has taken over"):
        late.claim(10)
    assert ordinals(run.sender("other").claim(10)) == list(range(10))


def test_what_a_sender_that_stops_does_not_finish_waits_for_the_others(run: Run) -> None:
    run.lots.divide(10)
    book = run.sender("first")
    book.claim(2)
    error = FieldError("", "Nobody knows.", "look_up_failed")
    book.settle(Outcome(0, "k0", RowState.UNSENT), Outcome(1, "k1", RowState.UNKNOWN, errors=(error,)), left=True)
    run.let_expire("first")

    second = run.sender("second")
    taken = second.claim(10).records

    assert [(one.ordinal, one.in_doubt) for one in taken] == [*((one, False) for one in (0, *range(2, 10))), (1, True)]
    second.settle(created(1, "k1"))
    ended = list(run.journal.replay(run.book.run).results())[1]
    assert (ended.state, ended.errors) == (RowState.CREATED, ())


def test_who_sends_a_run_that_was_taken_over_writes_nothing_more(run: Run) -> None:
    run.lots.divide(5)
    sender = run.sender("first")
    sender.claim(2)
    for name in ("first", ""):
        run.let_expire(name)
    sender.settle(created(0, "k0"))

    with locks_of(run.folder / "1").hold(SCOPE, 2_000.0), pytest.raises(JournalError, match="has taken over"):
        sender.settle(created(1, "k1"))


def test_nobody_sends_once_the_run_is_not_at_work_and_nobody_goes_on_with_it_while_somebody_may_send(run: Run) -> None:
    run.lots.divide(5)
    run.sender("first")
    with pytest.raises(BusyError, match="not at work"):
        run.journal.lots(filled(run.journal, "20261125T083000Z-00000d", [], scope="other").run).hold(
            "x", 1.0
        ).__enter__()

    run.let_expire("")
    with pytest.raises(BusyError, match="not at work"):
        run.sender("second")
    assert locks_of(run.folder / "1").owner(SCOPE) == ""


def test_a_lease_that_is_given_back_stays_until_those_under_it_are_over(run: Run) -> None:
    locks = locks_of(run.folder / "1")
    scope = "another"
    other = filled(run.journal, "20261125T083000Z-00000d", KEYS, scope=scope)
    with ExitStack() as stack:
        with locks.hold(scope, 1_000.0):
            stack.enter_context(run.journal.lots(other.run).hold("worker", 1_000.0))
        assert "process" in locks.owner(scope)
        with pytest.raises(BusyError):
            locks.hold(scope, 2_000.0).__enter__()
    with psycopg.connect(run.url, autocommit=True) as session:
        session.execute("UPDATE importer.leases SET expires = clock_timestamp() WHERE scope = %s", (scope,))
    with locks.hold(scope, 3_000.0):
        assert locks.held_since(scope) == 3_000.0


def test_what_senders_say_is_heard_once_in_its_order_and_a_new_division_begins_anew(run: Run) -> None:
    run.lots.divide(5)
    sender = run.sender("first")
    for content in (b"a", b"b"):
        asyncio.run(sender.rows.say("first", content))

    assert run.lots.heard() == [Message("first", b"a"), Message("first", b"b")]
    assert run.lots.heard() == []
    asyncio.run(sender.rows.say("first", b"c"))
    assert (run.lots.divide(3), run.lots.heard()) == (4, [])
    run.lots.end()
    assert run.lots.count() == 0


def test_a_journal_in_a_file_has_no_lots(tmp_path: Path) -> None:
    with closing(sqlite(tmp_path)) as journal:
        book = filled(journal, FIRST, KEYS)
        with pytest.raises(UsageError, match="only where its journal is in PostgreSQL"):
            journal.lots(book.run)
        assert asyncio.run(book.rows.may_come_back()) is False
