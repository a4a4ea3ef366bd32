"""Which earlier row a row is, where its import key is not enough: by its place in the same content, by its body.

The same content under another profile gives other keys; a row at the same place is the same customer. Rows
that share a key, where that is allowed, are distinguished by their bodies. Both give a row the key of the earlier one,
so that everything after this goes by keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain, count
from typing import NamedTuple

from importer.core.contract import occurrence_key
from importer.journal.sql.database import Connection, Database, Earlier
from importer.journal.sql.packing import pack_payloads, unpack_payloads, unpack_rows
from importer.journal.sql.sent import Hashing

_FEW = 500


def rekey(tx: Connection, run: int, keys: Mapping[int, str]) -> None:
    """Give rows other import keys, also in the stamps inside their bodies."""
    by_batch: dict[int, list[int]] = {}
    for ordinal in keys:
        (first,) = tx.execute("SELECT max(first) FROM batches WHERE run = ? AND first <= ?", (run, ordinal)).fetchone()
        by_batch.setdefault(first, []).append(ordinal)
    for first, ordinals in by_batch.items():
        _restamp(tx, run, first, {ordinal: keys[ordinal] for ordinal in ordinals})
    changed = [(key, run, ordinal) for ordinal, key in keys.items()]
    tx.executemany("UPDATE rows SET key = ? WHERE run = ? AND ordinal = ?", changed)


def _restamp(tx: Connection, run: int, first: int, keys: Mapping[int, str]) -> None:
    (blob,) = tx.execute("SELECT payloads FROM batches WHERE run = ? AND first = ?", (run, first)).fetchone()
    if blob is None:  # a dry run keeps no bodies
        return
    payloads = unpack_payloads(blob)
    for ordinal, key in keys.items():
        row = (run, ordinal)
        (old,) = tx.execute("SELECT key FROM rows WHERE run = ? AND ordinal = ?", row).fetchone()
        payloads[ordinal - first] = payloads[ordinal - first].replace(old.encode(), key.encode())
    tx.execute("UPDATE batches SET payloads = ? WHERE run = ? AND first = ?", (pack_payloads(payloads), run, first))


# --------------------------------------------------------------------------- the same content


def adopt_keys_of_same_content(database: Database, run: int, earlier: Earlier, content: str, sheet: str) -> None:
    """Give every row the key that the row at its place had when this content was imported before.

    Args:
        content: hash of the source's bytes.
        sheet: the sheet that was read: another one has other rows.
    """
    places = [_Places(earlier, scope, other) for scope, other in _runs_of(run, earlier, content, sheet)]
    if not places:
        return
    own = Earlier(database, ())
    for batch in _batches(own, run):
        mine = _keyed(own, run, batch)
        known: dict[int, str] = {}
        for one in places:
            known = one.up_to(max(batch.numbers, default=0)) | known
        others = {ordinal: known[number] for number, (ordinal, key) in mine.items() if known.get(number, key) != key}
        if others:
            with database.transaction() as tx:
                rekey(tx, run, others)


def _runs_of(run: int, earlier: Earlier, content: str, sheet: str) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for scope in earlier.scopes:
        with earlier.database.guarded("compared with earlier runs"):
            runs = earlier.database.connection.execute(
                f"SELECT run FROM {earlier.where}runs WHERE scope = ? AND content_hash = ? AND sheet = ?"
                " AND dry_run = 0 ORDER BY run",
                (scope, content, sheet),
            ).fetchall()
        found += [(scope, other) for (other,) in runs if not earlier.is_own or other != run]
    return found


class _Places:
    """Row numbers and keys of an earlier run, given out in their order; only keys that were claimed count."""

    def __init__(self, earlier: Earlier, scope: str, run: int) -> None:
        self._earlier, self._scope, self._run = earlier, scope, run
        self._batches = _batches(earlier, run)
        self._held: dict[int, str] = {}
        self._reached = -1

    def up_to(self, number: int) -> dict[int, str]:
        """All that was not given out yet, up to a row number."""
        while self._reached < number and (batch := next(self._batches, None)) is not None:
            found = _keyed(self._earlier, self._run, batch, scope=self._scope)
            self._held |= {row: key for row, (_, key) in found.items()}
            self._reached = max([self._reached, *batch.numbers[-1:]])
        given = {row: key for row, key in self._held.items() if row <= number}
        self._held = {row: key for row, key in self._held.items() if row > number}
        return given


class _Batch(NamedTuple):
    """A stored batch: the ordinal of its first row, and the numbers of all as people see them."""

    first: int
    numbers: Sequence[int]


def _batches(earlier: Earlier, run: int) -> Iterator[_Batch]:
    after = -1
    while True:
        with earlier.database.guarded("compared with earlier runs"):
            found = earlier.database.connection.execute(
                f"SELECT first, rows FROM {earlier.where}batches WHERE run = ? AND first > ? ORDER BY first LIMIT 1",
                (run, after),
            ).fetchone()
        if found is None:
            return
        after = found[0]
        yield _Batch(found[0], unpack_rows(found[1]))


def _keyed(earlier: Earlier, run: int, batch: _Batch, *, scope: str = "") -> dict[int, tuple[int, str]]:
    """Row number to ordinal and key of the rows of a batch that have one; with a scope, one that was claimed in it."""
    claimed = f"JOIN {earlier.where}identities i ON i.scope = :scope AND i.key = r.key" if scope else ""
    with earlier.database.guarded("compared with earlier runs"):
        found = earlier.database.connection.execute(
            f"SELECT r.ordinal, r.key FROM {earlier.where}rows r {claimed} WHERE r.run = :run AND r.ordinal >= :first"
            " AND r.ordinal < :end AND r.key IS NOT NULL",
            {"scope": scope, "run": run, "first": batch.first, "end": batch.first + len(batch.numbers)},
        ).fetchall()
    return {batch.numbers[ordinal - batch.first]: (ordinal, key) for ordinal, key in found}


# --------------------------------------------------------------------------- keys of earlier rules


def adopt_keys_of_earlier_rules(database: Database, run: int, earlier: Earlier) -> None:
    """Give rows the keys that they had before the rules of keys changed, where those are known."""
    for scope in earlier.scopes:
        with earlier.database.guarded("compared with earlier runs"):
            found = earlier.database.connection.execute(
                f"SELECT r.ordinal, n.was FROM {earlier.lend(run)} r"
                f" JOIN {earlier.where}renewed_keys n ON n.key = r.key"
                f" JOIN {earlier.where}identities i ON i.scope = ? AND i.key = n.was WHERE r.run = ?",
                (scope, run),
            ).fetchall()
        if found:
            with database.transaction() as tx:
                rekey(tx, run, dict(found))


# --------------------------------------------------------------------------- rows that share a key


def assign_occurrences(
    database: Database, run: int, earlier: Earlier, hashing: Hashing, groups: Sequence[Sequence[int]]
) -> None:
    """Give rows of one key, where several are allowed, the keys of earlier rows with the same meaning.

    Args:
        earlier: of one scope.
        groups: ordinals of the rows that share a key, in row order; the first of each has that key itself.
    """
    alone = _known_alone(database, run, earlier, {ordinal for group in groups for ordinal in group})
    for group in (*groups, *alone):
        keys = _assigned(database, run, earlier, hashing, group)
        if keys:
            with database.transaction() as tx:
                rekey(tx, run, keys)


def _known_alone(database: Database, run: int, earlier: Earlier, grouped: set[int]) -> Iterator[list[int]]:
    """Rows that are the only one of their key here, where earlier runs know several."""
    after = -1
    while True:
        with database.guarded("read"):
            found = database.connection.execute(
                "SELECT ordinal, key FROM rows WHERE run = ? AND ordinal > ? AND state IN ('ready', 'valid')"
                " AND key IS NOT NULL ORDER BY ordinal LIMIT ?",
                (run, after, _FEW),
            ).fetchall()
        if not found:
            return
        after = found[-1][0]
        second = {occurrence_key(key, 2): ordinal for ordinal, key in found if ordinal not in grouped}
        with earlier.database.guarded("read"):
            known = earlier.database.connection.execute(
                f"SELECT key FROM {earlier.where}identities WHERE scope = ?"
                f" AND key IN ({','.join('?' * len(second)) or 'NULL'})",
                (earlier.scopes[0], *second),
            ).fetchall()
        yield from ([second[key]] for (key,) in known)


def _assigned(database: Database, run: int, earlier: Earlier, hashing: Hashing, group: Sequence[int]) -> dict[int, str]:
    """Ordinal to its new key, where that is another one."""
    keys = dict(
        database.connection.execute(
            f"SELECT ordinal, key FROM rows WHERE run = ? AND ordinal IN ({','.join('?' * len(group))})",
            (run, *group),
        ).fetchall()
    )
    group = [ordinal for ordinal in group if keys[ordinal]]  # rows of a business that has an error have none
    if not group:
        return {}
    base = keys[group[0]]
    known = _occurrences(earlier, base)
    free, chosen = dict(known), {}
    for ordinal in group:
        said = hashing.sent(_body(database, run, ordinal), keys[ordinal])
        same = next((key for key, body in free.items() if said.means_the_same(body)), None)
        if same is not None:
            chosen[ordinal] = same
            del free[same]
    others = chain(free, (_nth(base, n) for n in count(len(known) + 1)))
    found = {ordinal: chosen.get(ordinal) or next(others) for ordinal in group}
    return {ordinal: key for ordinal, key in found.items() if key != keys[ordinal]}


def _nth(base: str, n: int) -> str:
    return base if n == 1 else occurrence_key(base, n)


def _occurrences(earlier: Earlier, base: str) -> dict[str, str]:
    """The keys that rows of one key were claimed under, in their order, to the hashes of their bodies."""
    found: dict[str, str] = {}
    with earlier.database.guarded("read"):
        for key in map(partial(_nth, base), count(1)):
            one = earlier.database.connection.execute(
                f"SELECT coalesce(body, '') FROM {earlier.where}identities WHERE scope = ? AND key = ?",
                (earlier.scopes[0], key),
            ).fetchone()
            if one is None:
                break
            found[key] = one[0]
    return found


def _body(database: Database, run: int, ordinal: int) -> bytes:
    with database.guarded("read"):
        first, blob = database.connection.execute(
            "SELECT first, payloads FROM batches WHERE run = ? AND first <= ? ORDER BY first DESC LIMIT 1",
            (run, ordinal),
        ).fetchone()
    found: bytes = unpack_payloads(blob)[ordinal - first]
    return found
