"""What all who send to one account agree on, over a real server: the state of an account, and long windows."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from importer.core.errors import JournalError, UsageError
from importer.journal import Journal, LedgerTime, Location, keep_elsewhere, open_journal
from importer.journal.port.shared_state import Change, SharedState
from tests.contracts.journals import FIRST, SCOPE, Book, filled, sqlite
from tests.postgres import shared_server


@pytest.fixture
def url() -> str:
    return shared_server().emptied()


def opened(folder: Path, url: str) -> Journal:
    if not Location.of_workspace(folder).url:
        keep_elsewhere(folder, url)
    return open_journal(Location.of_workspace(folder))


@pytest.fixture
def states(tmp_path: Path, url: str) -> Iterator[tuple[SharedState, SharedState]]:
    with closing(opened(tmp_path / "a", url)) as one, closing(opened(tmp_path / "b", url)) as other:
        states = one.shared_state(SCOPE), other.shared_state(SCOPE)
        with closing(states[0]), closing(states[1]):
            yield states


def counted(before: str | None, at: LedgerTime) -> tuple[str, tuple[int, float]]:
    number = json.loads(before or "0") + 1
    return json.dumps(number), (number, at.now)


def test_changes_of_all_come_one_after_the_other_and_none_is_lost(states: tuple[SharedState, SharedState]) -> None:
    found: list[tuple[int, float]] = []
    threads = [
        threading.Thread(target=lambda one=one: found.extend(one.change(counted) for _ in range(25))) for one in states
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found.sort()
    assert [number for number, _ in found] == list(range(1, 51))
    assert [at for _, at in found] == sorted(at for _, at in found)


def test_accounts_have_states_of_their_own_and_a_change_that_fails_changes_nothing(tmp_path: Path, url: str) -> None:
    def fail(before: str | None, _: LedgerTime) -> tuple[str, None]:
        raise ValueError(before)

    with closing(opened(tmp_path, url)) as journal:
        one, other = journal.shared_state("one"), journal.shared_state("other")
        with closing(one), closing(other):
            one.change(counted)
            with pytest.raises(ValueError, match="1"):
                one.change(fail)
            assert (one.change(counted)[0], other.change(counted)[0]) == (2, 1)


def test_a_session_that_was_ended_is_a_sentence_and_the_next_change_makes_another(
    states: tuple[SharedState, SharedState], url: str
) -> None:
    states[0].change(counted)
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    numbers = []
    for _ in range(2):
        try:
            numbers.append(states[0].change(counted)[0])
        except JournalError as error:
            assert "cannot be written" in str(error)  # noqa: PT017  # either is right: who is faster decides

    assert numbers[-1] in {2, 3}


def test_whoever_stops_in_the_middle_keeps_the_others_waiting_for_a_moment_only(
    states: tuple[SharedState, SharedState],
) -> None:
    entered, done = threading.Event(), threading.Event()

    def hang(before: str | None, _: LedgerTime) -> tuple[str, None]:
        entered.set()
        done.wait(30)
        return before or "0", None

    hanging = threading.Thread(target=fails, args=(states[0], hang))
    hanging.start()
    entered.wait(30)
    found = first_change(states[1])
    done.set()
    hanging.join()

    assert found == 1


def fails(state: SharedState, change: Change[None]) -> None:
    with pytest.raises(JournalError):
        state.change(change)


def first_change(state: SharedState) -> int:
    for _ in range(20):
        try:
            return state.change(counted)[0]
        except JournalError:  # the server is slow to end the other one
            continue
    raise AssertionError


def test_a_journal_that_is_a_file_has_no_such_state(tmp_path: Path) -> None:
    with closing(sqlite(tmp_path)) as journal, pytest.raises(UsageError, match="only where its journal is in Postgre"):
        journal.shared_state(SCOPE)


# ------------------------------------------------------------------ long windows


def charged(books: list[Book], lots: list[int]) -> list[float]:
    """Charge these lots, by each in turn."""

    async def main() -> list[float]:
        return [await books[place % len(books)].rows.starts.charge(starts) for place, starts in enumerate(lots)]

    return asyncio.run(main())


@pytest.mark.parametrize("per_s", [60.0, 86_400.0])
def test_all_together_charge_no_more_than_a_long_window_holds(tmp_path: Path, url: str, per_s: float) -> None:
    with closing(opened(tmp_path / "a", url)) as one, closing(opened(tmp_path / "b", url)) as other:
        book = filled(one, FIRST, ["k0"])
        how = {"shared_limits": [(10, per_s), (1_000, 2 * per_s)]}

        found = charged([Book(journal, book.run, how=how) for journal in (one, other)], [4, 4, 4, 2])

    assert (found[0], found[1], found[3]) == (0.0, 0.0, 0.0)
    assert per_s < found[2] < per_s + 12.5


def test_what_is_given_back_can_be_charged_by_others(tmp_path: Path, url: str) -> None:
    with closing(opened(tmp_path, url)) as journal:
        book = filled(journal, FIRST, ["k0"])
        books = [Book(journal, book.run, how={"shared_limits": [(10, 60.0)]}) for _ in range(2)]

        found = charged(books, [10, 1, -3, 3])

    assert [refused_s > 0 for refused_s in found] == [False, True, False, False]


def test_what_no_window_holds_any_more_is_dropped(tmp_path: Path, url: str) -> None:
    with closing(opened(tmp_path, url)) as journal, psycopg.connect(url, autocommit=True) as session:
        book = filled(journal, FIRST, ["k0"])
        session.execute("INSERT INTO importer.starts VALUES (%s, 1000, 7), ('another', 1000, 7)", (SCOPE,))

        charged([Book(journal, book.run, how={"shared_limits": [(10, 60.0)]})], [4])

        found = session.execute("SELECT scope, count FROM importer.starts ORDER BY scope").fetchall()
    assert found == [("another", 7), (SCOPE, 4)]
