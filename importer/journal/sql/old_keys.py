"""Rows that may be customers with nothing left but a key of an earlier rule: their bodies were purged.

Whether they are the same cannot be found out, so such rows are reported before anything is sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from importer.core.contract import Identity
from importer.journal.matching import Comparison, Match
from importer.journal.sql.bulk import PARAMETERS
from importer.journal.sql.database import Connection, Database, Earlier
from importer.journal.sql.likenesses import THERE, Numbered
from importer.journal.sql.packing import unpack_payloads

_INDEXED_RULE = 2
"""The rule that keys older than it are indexed for."""
_CUSTOMERS = f"""
SELECT i.key, i.run, i.ordinal, u.run_id, u.target FROM {{0}}identities i
JOIN {{0}}rows r ON r.run = i.run AND r.ordinal = i.ordinal AND r.state IN {THERE}
JOIN {{0}}runs u ON u.run = i.run WHERE i.scope = ? AND i.rule < ? AND i.key IN ({{1}})
"""


def has_old_keys(connection: Connection, identity: Identity, where: str = "", scope: str = "") -> bool:
    """Whether there are keys of an earlier rule.

    Args:
        where: goes before the names of tables (`Earlier.where`).
        scope: in which they are looked for; empty: in every one.
    """
    # the rule is written out, as an index over a part of a table asks for
    index = connection.dialect.by_index("identities_of_old_rules") if identity.key_rule == _INDEXED_RULE else ""
    old = f"SELECT 1 FROM {where}identities {index} WHERE rule < {identity.key_rule} AND ? IN ('', scope)"
    if scope:
        old = old.replace("? IN ('', scope)", "scope = ?")
    return bool(connection.execute(f"SELECT EXISTS ({old})", (scope,)).fetchone()[0])


def old_matches(
    database: Database, run: int, earlier: Earlier, secret: bytes, how: Comparison
) -> Iterator[list[Match]]:
    """Find rows whose keys are new, and would have been those of known records by an earlier rule."""
    identity = how.contract.identity
    if identity.key_rule == 1:
        return
    numbered = Numbered(earlier)
    secrets = (secret, *earlier.database.carried().secrets)
    for scope in filter(lambda one: _remembers(earlier, identity, one), earlier.scopes):
        for first in batches_of(database, run):
            then = {
                then: ordinal
                for ordinal, key, payload in new_rows(database, run, first, earlier, scope)
                for then in _keys_of_then(identity, secrets, json.loads(payload), key, how.default_region)
            }
            if found := list(_customers(earlier, scope, then, numbered, rule=identity.key_rule)):
                yield found


def _keys_of_then(
    identity: Identity, secrets: Sequence[bytes], body: Mapping[str, Any], key: str, region: str | None
) -> Iterator[str]:
    """The keys that earlier rules may have given to a row, under every secret."""
    keys = [key] if len(secrets) == 1 else identity.keys_under(secrets, body, key)
    for secret, one in zip(secrets, keys, strict=False):
        yield from identity.former_keys(secret, body, one, region)


def _remembers(earlier: Earlier, identity: Identity, scope: str) -> bool:
    with earlier.database.guarded("compared with earlier runs"):
        return has_old_keys(earlier.database.connection, identity, earlier.where, scope)


def batches_of(database: Database, run: int) -> list[int]:
    """Ordinals of the first rows of the batches of a run."""
    with database.guarded("read"):
        found = database.connection.execute("SELECT first FROM batches WHERE run = ? ORDER BY first", (run,))
        return [first for (first,) in found.fetchall()]


def new_rows(database: Database, run: int, first: int, earlier: Earlier, scope: str) -> list[tuple[int, str, bytes]]:
    """Ordinals, keys and bodies of the good rows of a batch whose keys are new to a scope."""
    with database.guarded("compared with earlier runs"):
        (blob,) = database.connection.execute(
            "SELECT payloads FROM batches WHERE run = ? AND first = ?", (run, first)
        ).fetchone()
        payloads = unpack_payloads(blob) if blob else []
        rows = earlier.database.connection.execute(
            f"SELECT r.ordinal, r.key FROM {earlier.lend(run)} r LEFT JOIN {earlier.where}identities i"
            " ON i.scope = ? AND i.key = r.key WHERE r.run = ? AND r.ordinal >= ? AND r.ordinal < ?"
            " AND r.state IN ('ready', 'valid') AND r.key IS NOT NULL AND i.key IS NULL",
            (scope, run, first, first + len(payloads)),
        ).fetchall()
    return [(ordinal, key, payloads[ordinal - first]) for ordinal, key in rows if payloads[ordinal - first]]


def _customers(
    earlier: Earlier, scope: str, then: Mapping[str, int], numbered: Numbered, *, rule: int
) -> Iterator[Match]:
    keys = sorted(then)
    for at in range(0, len(keys), PARAMETERS):
        lot = keys[at : at + PARAMETERS]
        with earlier.database.guarded("compared with earlier runs"):
            known = earlier.database.connection.execute(
                _CUSTOMERS.format(earlier.where, ",".join("?" * len(lot))), (scope, rule, *lot)
            ).fetchall()
        for key, run, ordinal, run_id, target in known:
            yield Match(then[key], (), run_id, target, numbered.row(run, ordinal))
