"""Rows that are like customers of earlier runs, found before anything is sent. Works in lots: memory stays flat.

The journal keeps keyed hashes of what customers are alike in (`likenesses`), each with the import key that had it.
They hold no personal data, so they stay when a run is purged. Whether the customer behind such a key exists is
asked of `identities` and its row, at that moment.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from importer.core.batches import CheckedBatch
from importer.core.contract import Identity, is_another, person_of
from importer.core.ports import Numbers
from importer.journal.matching import Match, compared_kinds
from importer.journal.sql.bulk import PARAMETERS
from importer.journal.sql.database import Database, Earlier
from importer.journal.sql.packing import unpack_payloads, unpack_rows

LOT = 32_768
"""Rows that are compared at a time: their look-ups are in order, so that each page of the index is read once a lot."""
_FEW_ROWS = 20_000
_COMMITTED = 50_000
"""Entries of one commit: other runs of the workspace need not wait long."""
THERE = "('created', 'existing', 'sending', 'unknown')"
"""States of rows that have, or may have, a customer."""
_BATCHES_HELD = 256
_KEYS_OF_PRINTS = "SELECT print, key FROM {}likenesses WHERE print IN ({})"
_CUSTOMERS_OF_KEYS = f"""
SELECT i.key, i.run, i.ordinal, u.run_id, u.target, coalesce(i.person, '') FROM {{0}}identities i
JOIN {{0}}rows r ON r.run = i.run AND r.ordinal = i.ordinal AND r.state IN {THERE}
JOIN {{0}}runs u ON u.run = i.run WHERE i.scope = ? AND i.run <> ? AND i.key IN ({{1}})
"""


class _Known(NamedTuple):
    """A customer of an earlier run."""

    key: str
    run: int
    ordinal: int
    run_id: str
    target: str
    person: str


class Likenesses:
    """What the rows of one run have in common with customers of earlier runs.

    Args:
        identity: what records are alike in.
        numbers: makes a column of numbers of an `array` type code.
    """

    def __init__(self, database: Database, run: int, identity: Identity, numbers: Callable[[str], Numbers]) -> None:
        self._db = database
        self._run = run
        self._identity = identity
        self._numbers = numbers
        self._prints = {kind: numbers("q") for kind in (*compared_kinds(identity), *identity.personal)}
        self._size = 0

    def observe(self, batch: CheckedBatch) -> None:
        """Remember what the rows of a batch have; batches come in source order."""
        blank = array("q", bytes(8 * len(batch.raw)))
        for kind, column in self._prints.items():
            column.extend(batch.prints.get(kind, blank))
        self._size += len(batch.raw)

    def under(self, secret: bytes) -> Likenesses:
        """The same rows as another secret hashes them; their bodies have to be there."""
        found = Likenesses(self._db, self._run, self._identity, self._numbers)
        with self._db.guarded("read"):
            batches = self._db.connection.execute(
                "SELECT length, payloads FROM batches WHERE run = ? ORDER BY first", (self._run,)
            )
            for length, blob in batches:
                found._observe_bodies(secret, unpack_payloads(blob) if blob else [b""] * length)
        return found

    def _observe_bodies(self, secret: bytes, payloads: Sequence[bytes]) -> None:
        kinds = list(self._prints)
        every = [self._identity.prints_of(secret, json.loads(body), kinds) if body else {} for body in payloads]
        for kind, column in self._prints.items():
            column.extend(array("q", [one.get(kind, 0) for one in every]))
        self._size += len(payloads)

    def matches(self, earlier: Earlier, former: Sequence[Likenesses] = ()) -> Iterator[Match]:
        """Find rows that may be customers of earlier runs under another import key, or others under the same one.

        Args:
            former: the same rows under other secrets that customers are known by.
        """
        if not earlier.scopes or not _anything(earlier):
            return
        numbered = Numbered(earlier)
        for first in range(0, self._size, LOT):
            rows, *others = (
                _Lot(self._db, self._run, self._identity, earlier, one.part(first), first=first)
                for one in (self, *former)
            )
            yield from rows.others_under_their_key(numbered, others)
            found = chain.from_iterable(one.alike(numbered) for one in (rows, *others))
            yield from {match.ordinal: match for match in found}.values()

    def remember(self) -> None:
        """Keep what the rows of this run have, for later runs; does no harm when called again."""
        keys = self._keys()
        for kind in compared_kinds(self._identity):
            for lot in _in_order(self._prints[kind], keys):
                with self._db.transaction() as tx:
                    tx.executemany("INSERT INTO likenesses (print, key) VALUES (?, ?) ON CONFLICT DO NOTHING", lot)

    def part(self, first: int) -> Mapping[str, Sequence[int]]:
        """What the rows of a lot have, from this ordinal on."""
        size = min(LOT, self._size - first)
        return {kind: column.part(first, size) for kind, column in self._prints.items()}

    def _keys(self) -> bytearray:
        """The keys of all rows, 16 bytes each; zeros where a row has none."""
        keys = bytearray(16 * self._size)
        with self._db.guarded("read"):
            for ordinal, key in self._db.connection.execute(
                "SELECT r.ordinal, coalesce(r.key, l.key) FROM rows r"
                " LEFT JOIN rows l ON l.run = r.run AND l.ordinal = r.leader"
                " WHERE r.run = ? AND coalesce(r.key, l.key) IS NOT NULL",
                (self._run,),
            ):
                if len(key) == 32:
                    keys[16 * ordinal : 16 * ordinal + 16] = bytes.fromhex(key)
        return keys


def _anything(earlier: Earlier) -> bool:
    with earlier.database.guarded("read"):
        (found,) = earlier.database.connection.execute(
            f"SELECT EXISTS (SELECT 1 FROM {earlier.where}identities)"
        ).fetchone()
    return bool(found)


class _Lot:
    """Rows that follow each other, compared at once.

    Args:
        prints: kind to one number a row.
        first: ordinal of the first one.
    """

    def __init__(
        self,
        database: Database,
        run: int,
        identity: Identity,
        earlier: Earlier,
        prints: Mapping[str, Sequence[int]],
        *,
        first: int,
    ) -> None:
        self._identity, self._earlier = identity, earlier
        self._own = run if earlier.is_own else -1
        self._prints, self._first = prints, first
        end = first + len(next(iter(prints.values()), ()))
        self._keys = dict(
            _select(
                database,
                "SELECT ordinal, key FROM rows WHERE run = ? AND ordinal >= ? AND ordinal < ?"
                " AND state IN ('ready', 'valid') AND key IS NOT NULL",
                (run, first, end),
            )
        )
        self._known = {one.key: one for one in self._customers(sorted(set(self._keys.values())))}

    def others_under_their_key(self, numbered: Numbered, others: Sequence[_Lot]) -> Iterator[Match]:
        """Rows with a key that another person had before; only a reference makes such a key.

        Args:
            others: the same rows under the other secrets that a known person may be hashed with.
        """
        for ordinal, key in self._keys.items():
            known = self._known.get(key)
            if known and known.person and all(is_another(known.person, one.person(ordinal)) for one in (self, *others)):
                yield Match(ordinal, (), known.run_id, known.target, numbered.row(known.run, known.ordinal))

    def alike(self, numbered: Numbered) -> Iterator[Match]:
        """Rows with a new key that are like a customer under another one."""
        found = self._found()
        customers = {one.key: one for one in self._customers(sorted({key for _, key in found}))}
        best: dict[int, tuple[_Known, tuple[str, ...]]] = {}
        for (ordinal, key), kinds in found.items():
            known = customers.get(key)
            if known and len(kinds) > len(best.get(ordinal, (known, ()))[1]):
                best[ordinal] = known, tuple(kinds)
        for ordinal, (known, alike) in best.items():
            yield Match(ordinal, alike, known.run_id, known.target, numbered.row(known.run, known.ordinal))

    def _found(self) -> dict[tuple[int, str], list[str]]:
        """Row and another key to the kinds that they are alike in."""
        found: dict[tuple[int, str], list[str]] = {}
        new = [ordinal for ordinal, key in self._keys.items() if key not in self._known]
        for kind in compared_kinds(self._identity):
            column = self._prints[kind]
            wanted: dict[int, list[int]] = {}
            for ordinal in new:
                if number := column[ordinal - self._first]:
                    wanted.setdefault(number, []).append(ordinal)
            for number, found_key in self._among(_KEYS_OF_PRINTS, wanted):
                key = found_key.hex()
                for ordinal in wanted[number]:
                    if key != self._keys[ordinal]:
                        found.setdefault((ordinal, key), []).append(kind)
        return found

    def _customers(self, keys: Sequence[str]) -> Iterator[_Known]:
        for scope in self._earlier.scopes:
            for one in self._among(_CUSTOMERS_OF_KEYS, keys, scope, self._own):
                yield _Known(*one)

    def _among(self, query: str, values: Iterable[int] | Iterable[str], *first: str | int) -> Iterator[tuple[Any, ...]]:
        """Ask for many values in few statements, in their order."""
        ordered: list[Any] = sorted(values)
        for at in range(0, len(ordered), PARAMETERS):
            lot = ordered[at : at + PARAMETERS]
            yield from _select(
                self._earlier.database, query.format(self._earlier.where, ",".join("?" * len(lot))), (*first, *lot)
            )

    def person(self, ordinal: int) -> str:
        """Who a row is, under a reference."""
        kinds = self._identity.personal
        return person_of({kind: self._prints[kind][ordinal - self._first] for kind in kinds}, kinds)


def _select(database: Database, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
    with database.guarded("compared with earlier runs"):
        return database.connection.execute(query, values).fetchall()


class Numbered:
    """Row numbers of earlier runs, as people see them; the batches asked for last are in memory."""

    def __init__(self, earlier: Earlier) -> None:
        self._db, self._where = earlier.database, earlier.where
        self._held = lru_cache(_BATCHES_HELD)(self._numbers)

    def row(self, run: int, ordinal: int) -> int:
        """The number of a row; 0 where its run is not there any more."""
        with self._db.guarded("read"):
            (first,) = self._db.connection.execute(
                f"SELECT max(first) FROM {self._where}batches WHERE run = ? AND first <= ?", (run, ordinal)
            ).fetchone()
        numbers = array("q") if first is None else self._held(run, first)
        return numbers[ordinal - first] if first is not None and ordinal - first < len(numbers) else 0

    def _numbers(self, run: int, first: int) -> array[int]:
        with self._db.guarded("read"):
            (rows,) = self._db.connection.execute(
                f"SELECT rows FROM {self._where}batches WHERE run = ? AND first = ?", (run, first)
            ).fetchone()
        return unpack_rows(rows)


def _in_order(column: Numbers, keys: bytearray) -> Iterator[list[tuple[int, bytes]]]:
    """Every number with the key that has it, blanks of both aside, in lots and in the numbers' order.

    So an index grows page by page.

    Args:
        keys: 16 bytes a row; zeros are blank.
    """
    if len(column) <= _FEW_ROWS:
        found = ((number, bytes(keys[16 * at : 16 * at + 16])) for at, number in enumerate(column.whole()) if number)
        if lot := sorted((number, key) for number, key in found if any(key)):
            yield lot
        return
    import numpy as np  # noqa: PLC0415 - it takes longer to load than a small file

    numbers, named = np.frombuffer(column.whole(), np.int64), np.frombuffer(keys, "V16")
    there = np.flatnonzero((numbers != 0) & np.frombuffer(keys, np.uint64).reshape(-1, 2).any(axis=1))
    order = there[np.argsort(numbers[there])]
    for at in range(0, len(order), _COMMITTED):
        places = order[at : at + _COMMITTED]
        yield list(zip(numbers[places].tolist(), named[places].tolist(), strict=True))
