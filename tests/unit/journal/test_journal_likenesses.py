"""Who is like a customer of an earlier run: found by kind, in lots, and only where that customer exists."""

from __future__ import annotations

import tracemalloc
from array import array
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import count

import pytest

from importer.core.batches import CheckedBatch
from importer.core.contract import person_of
from importer.core.frames import raw_batch
from importer.customers.contract import CUSTOMERS
from importer.customers.likeness import EMAIL, NAME, PERSONAL, PHONE
from importer.journal.matching import Match
from importer.journal.sql.database import Database, Earlier
from importer.journal.sql.likenesses import LOT, Likenesses
from importer.validation.duplicates import HeldNumbers
from tests.unit.journal.conftest import OVER_BOTH, SCOPE, begin

RUN_IDS = (f"20261122T083000Z-{number:06x}" for number in count(1))


def key(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def load(
    database: Database,
    keys: Sequence[str],
    prints: Mapping[str, Sequence[int]],
    *,
    state: str = "ready",
    batch: int = 5_000,
) -> tuple[int, str, Likenesses]:
    """A run with rows of these keys, checked."""
    run_id = next(RUN_IDS)
    run = begin(database, run_id)
    alike = Likenesses(database, run, CUSTOMERS.identity, HeldNumbers)
    for first in range(0, len(keys), batch):
        mine = keys[first : first + batch]
        rows = array("q", range(first + 2, first + 2 + len(mine)))
        columns = {kind: array("q", column[first : first + batch]) for kind, column in prints.items()}
        raw = raw_batch(first, rows, ())
        with database.transaction() as tx:
            tx.execute(
                "INSERT INTO batches (run, first, length, rows) VALUES (?, ?, ?, ?)",
                (run, first, len(mine), rows.tobytes()),
            )
            tx.executemany(
                "INSERT INTO rows (run, ordinal, state, key) VALUES (?, ?, ?, ?)",
                [(run, first + at, state, one) for at, one in enumerate(mine)],
            )
        alike.observe(CheckedBatch(raw, [b"{}"] * len(mine), mine, [""] * len(mine), prints=columns))
    return run, run_id, alike


def customers(
    database: Database, keys: Sequence[str], prints: Mapping[str, Sequence[int]], state: str = "created"
) -> str:
    """The same, after they were created."""
    run, run_id, alike = load(database, keys, prints, state=state)
    people = [person_of({kind: column[at] for kind, column in prints.items()}, PERSONAL) for at in range(len(keys))]
    with database.transaction() as tx:
        tx.executemany(
            "INSERT INTO identities (scope, key, run, ordinal, since, person) VALUES (?, ?, ?, ?, 1.0, ?)",
            [(SCOPE, one, run, at, person) for at, (one, person) in enumerate(zip(keys, people, strict=True))],
        )
    alike.remember()
    alike.remember()
    return run_id


@OVER_BOTH
def test_a_new_key_that_is_like_an_old_one_is_found_with_all_that_they_share(database: Database) -> None:
    earlier = customers(database, [key("ann"), key("bob")], {EMAIL: [11, 12], PHONE: [21, 22], NAME: [1, 2]})
    _, _, alike = load(database, [key("cat"), key("ann2"), key("bob")], {EMAIL: [13, 11, 99], PHONE: [23, 21, 22]})

    assert list(alike.matches(Earlier(database, [SCOPE]))) == [Match(1, (EMAIL, PHONE), earlier, "live", 2)]


@OVER_BOTH
def test_blanks_are_no_likeness(database: Database) -> None:
    customers(database, [key("ann")], {EMAIL: [0], PHONE: [21]})
    _, _, alike = load(database, [key("bob")], {EMAIL: [0], PHONE: [22]})

    assert list(alike.matches(Earlier(database, [SCOPE]))) == []


@OVER_BOTH
def test_another_scope_knows_nobody(database: Database) -> None:
    customers(database, [key("ann")], {EMAIL: [11]})
    _, _, alike = load(database, [key("bob")], {EMAIL: [11]})

    assert list(alike.matches(Earlier(database, ["https://other.example.com#main"]))) == []


@OVER_BOTH
def test_who_was_not_created_is_nobody(database: Database) -> None:
    customers(database, [key("ann")], {EMAIL: [11]}, state="rejected")
    _, _, alike = load(database, [key("bob")], {EMAIL: [11]})

    assert list(alike.matches(Earlier(database, [SCOPE]))) == []


@OVER_BOTH
def test_a_row_is_not_like_itself_in_another_pass(database: Database) -> None:
    customers(database, [key("ann")], {EMAIL: [11], NAME: [1]})
    _, _, alike = load(database, [key("ann")], {EMAIL: [12], NAME: [1]})

    assert list(alike.matches(Earlier(database, [SCOPE]))) == []


@OVER_BOTH
def test_one_key_and_nothing_in_common_is_another_person(database: Database) -> None:
    earlier = customers(database, [key("ann")], {EMAIL: [11], NAME: [1], PHONE: [21]})
    _, _, alike = load(database, [key("ann")], {EMAIL: [12], NAME: [2], PHONE: [22]})

    assert list(alike.matches(Earlier(database, [SCOPE]))) == [Match(0, (), earlier, "live", 2)]


@pytest.mark.slow
def test_lots_of_rows_are_compared_with_lots_of_customers_in_flat_memory(database: Database) -> None:
    size = 2 * LOT + 100
    numbers = [at * 7_919 + 1 for at in range(size)]
    earlier = customers(database, [key(f"a{at}") for at in range(size)], {EMAIL: numbers, PHONE: numbers})
    twins = {5: numbers[size - 1], LOT: numbers[0], size - 1: numbers[LOT]}
    fresh = [twins.get(at, -number) for at, number in enumerate(numbers)]
    _, _, alike = load(database, [key(f"b{at}") for at in range(size)], {EMAIL: fresh})

    tracemalloc.start()
    found = list(alike.matches(Earlier(database, [SCOPE])))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found == [
        Match(5, (EMAIL,), earlier, "live", size + 1),
        Match(LOT, (EMAIL,), earlier, "live", 2),
        Match(size - 1, (EMAIL,), earlier, "live", LOT + 2),
    ]
    assert peak < 40 * 1024 * 1024


@OVER_BOTH
def test_rows_of_one_run_are_no_earlier_customers_of_each_other(database: Database) -> None:
    run, _, alike = load(database, [key("ann"), key("ann2")], {EMAIL: [11, 11], NAME: [1, 2], PHONE: [21, 22]})
    with database.transaction() as tx:
        tx.execute("UPDATE rows SET state = 'unknown' WHERE ordinal = 0")
        tx.execute(
            "INSERT INTO identities (scope, key, run, ordinal, since, person) VALUES (?, ?, ?, 0, 1.0, ?)",
            (SCOPE, key("ann"), run, person_of({EMAIL: 99, NAME: 98, PHONE: 97}, PERSONAL)),
        )
        tx.execute("UPDATE rows SET state = 'ready' WHERE ordinal = 0")
    alike.remember()

    assert list(alike.matches(Earlier(database, [SCOPE]))) == []


@OVER_BOTH
def test_what_is_blank_is_not_remembered(database: Database) -> None:
    size = 20_001
    keys = [key(str(at)) for at in range(size)]
    _, _, alike = load(database, keys, {EMAIL: [at % 2 for at in range(size)]})
    with database.transaction() as tx:
        tx.execute("UPDATE rows SET key = NULL WHERE ordinal >= 10")
    alike.remember()

    assert database.connection.execute("SELECT count(*), min(print), max(print) FROM likenesses").fetchone() == (
        5,
        1,
        1,
    )
