"""Rows that may be customers with nothing left but a key of an earlier rule: their bodies were purged.

Whether they are the same cannot be found out, so such rows are reported before anything is sent.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from importer.core.contract import Identity
from importer.journal.matching import Comparison, Match
from importer.journal.sqlite.bulk import PARAMETERS
from importer.journal.sqlite.database import Database
from importer.journal.sqlite.likenesses import THERE, Earlier, Numbered
from importer.journal.sqlite.migrations import version_of
from importer.journal.sqlite.packing import unpack_payloads

_WITH_RULES = 7
"""The first journal format in which keys carry their rule."""
_INDEXED_RULE = 2
"""The rule that keys older than it are indexed for."""
_CUSTOMERS = f"""
SELECT i.key, i.run, i.ordinal, u.run_id, u.target FROM {{0}}.identities i
JOIN {{0}}.rows r ON r.run = i.run AND r.ordinal = i.ordinal AND r.state IN {THERE}
JOIN {{0}}.runs u ON u.run = i.run WHERE i.scope = ? AND i.rule < ? AND i.key IN ({{1}})
"""


def remembers_old_keys(journal: Path, identity: Identity) -> bool:
    """Whether a journal, which is only looked at, has keys of an earlier rule; False for one of an older format."""
    try:
        with closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            if version_of(connection) < _WITH_RULES:
                return False
            return bool(connection.execute(f"SELECT EXISTS (SELECT 1 FROM {_old_ones(identity)})").fetchone()[0])
    except sqlite3.Error:
        return False  # opening it for reading reports what is wrong


def _old_ones(identity: Identity) -> str:
    """Where keys of earlier rules are; the rule is written out, as an index over a part of a table asks for."""
    index = "INDEXED BY identities_of_old_rules " if identity.key_rule == _INDEXED_RULE else ""
    return f"identities {index}WHERE rule < {identity.key_rule}"


def old_matches(
    database: Database, run: int, earlier: Earlier, secret: bytes, how: Comparison
) -> Iterator[list[Match]]:
    """Find rows whose keys are new, and would have been those of known records by an earlier rule."""
    identity = how.contract.identity
    if identity.key_rule == 1:
        return
    numbered = Numbered(database, earlier.where)
    for scope in filter(lambda one: _has_old_keys(database, earlier, one, identity), earlier.scopes):
        for first in _batches(database, run):
            then = {
                then: ordinal
                for ordinal, key, payload in _new_rows(database, run, first, earlier, scope)
                for then in identity.former_keys(secret, json.loads(payload), key, how.default_region)
            }
            if found := list(_customers(database, earlier, scope, then, numbered, rule=identity.key_rule)):
                yield found


def _has_old_keys(database: Database, earlier: Earlier, scope: str, identity: Identity) -> bool:
    with database.guarded("compared with earlier runs"):
        (found,) = database.connection.execute(
            f"SELECT EXISTS (SELECT 1 FROM {earlier.where}.{_old_ones(identity)} AND scope = ?)", (scope,)
        ).fetchone()
    return bool(found)


def _batches(database: Database, run: int) -> list[int]:
    with database.guarded("read"):
        found = database.connection.execute("SELECT first FROM main.batches WHERE run = ? ORDER BY first", (run,))
        return [first for (first,) in found.fetchall()]


def _new_rows(database: Database, run: int, first: int, earlier: Earlier, scope: str) -> list[tuple[int, str, bytes]]:
    """Ordinals, keys and bodies of the good rows of a batch whose keys are new to a scope."""
    with database.guarded("compared with earlier runs"):
        (blob,) = database.connection.execute(
            "SELECT payloads FROM main.batches WHERE run = ? AND first = ?", (run, first)
        ).fetchone()
        payloads = unpack_payloads(blob) if blob else []
        rows = database.connection.execute(
            f"SELECT r.ordinal, r.key FROM main.rows r LEFT JOIN {earlier.where}.identities i"
            " ON i.scope = ? AND i.key = r.key WHERE r.run = ? AND r.ordinal >= ? AND r.ordinal < ?"
            " AND r.state IN ('ready', 'valid') AND r.key IS NOT NULL AND i.key IS NULL",
            (scope, run, first, first + len(payloads)),
        ).fetchall()
    return [(ordinal, key, payloads[ordinal - first]) for ordinal, key in rows if payloads[ordinal - first]]


def _customers(
    database: Database, earlier: Earlier, scope: str, then: Mapping[str, int], numbered: Numbered, *, rule: int
) -> Iterator[Match]:
    keys = sorted(then)
    for at in range(0, len(keys), PARAMETERS):
        lot = keys[at : at + PARAMETERS]
        with database.guarded("compared with earlier runs"):
            known = database.connection.execute(
                _CUSTOMERS.format(earlier.where, ",".join("?" * len(lot))), (scope, rule, *lot)
            ).fetchall()
        for key, run, ordinal, run_id, target in known:
            yield Match(then[key], (), run_id, target, numbered.row(run, ordinal))
