"""Rows that are known under a key that another secret has made: of a workspace that was carried into this journal.

They get the key of then, so that everything after this goes by keys. A row is asked about when it is compared, and once
more when it is taken to be sent: its run may have been loaded before the other workspace came.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from importer.core.contract import Identity
from importer.journal.matching import Comparison
from importer.journal.sql.backlog import Waiting
from importer.journal.sql.bulk import PARAMETERS
from importer.journal.sql.database import Connection, Database, Earlier
from importer.journal.sql.old_keys import batches_of, new_rows
from importer.journal.sql.same_rows import rekey

_KNOWN = """
SELECT i.key, i.key FROM {0}identities i WHERE i.scope = ? AND i.key IN ({1})
UNION ALL SELECT n.key, n.was FROM {0}renewed_keys n
JOIN {0}identities i ON i.scope = ? AND i.key = n.was WHERE n.key IN ({1})
"""


def adopt_keys_of_other_secrets(database: Database, run: int, earlier: Earlier, secret: bytes, how: Comparison) -> None:
    """Give the rows of a run the keys that other secrets have made of them, where those are known.

    Args:
        secret: that the keys of the run were made with.
    """
    others = earlier.database.carried().secrets
    if not others:
        return
    for scope in earlier.scopes:
        keys = KnownKeys(earlier.database.connection, earlier.where, scope, (secret, *others), how.contract.identity)
        for first in batches_of(database, run):
            rows = new_rows(database, run, first, earlier, scope)
            with earlier.database.guarded("compared with earlier runs"):
                known = keys.known(rows)
            if known:
                with database.transaction() as tx:
                    rekey(tx, run, known)


def as_known(tx: Connection, run: int, rows: Sequence[Waiting], keys: KnownKeys) -> list[Waiting]:
    """Give rows that are about to be sent the keys that they are known by."""
    found = keys.known((row.ordinal, row.key, row.payload) for row in rows if not row.in_doubt)
    rekey(tx, run, found)
    return [_under(row, found.get(row.ordinal, row.key)) for row in rows]


def _under(row: Waiting, key: str) -> Waiting:
    return row._replace(key=key, payload=row.payload.replace(row.key.encode(), key.encode()))


class KnownKeys:
    """What one scope of a journal knows of rows, whichever secret has made their keys.

    Args:
        where: goes before the names of tables (`Earlier.where`).
        secrets: every one that a key of the journal was made with.
    """

    def __init__(
        self, connection: Connection, where: str, scope: str, secrets: Sequence[bytes], identity: Identity
    ) -> None:
        self._connection, self._where, self._scope = connection, where, scope
        self._secrets, self._identity = secrets, identity

    def known(self, rows: Iterable[tuple[int, str, bytes]]) -> dict[int, str]:
        """Ordinal to the key that is known, where that is another one than the row's.

        Args:
            rows: ordinals, keys and bodies.
        """
        keys = {ordinal: self._keys(key, payload) for ordinal, key, payload in rows}
        there = self._there(sorted({key for every in keys.values() for key in every}))
        found = {ordinal: [there[key] for key in every if key in there] for ordinal, every in keys.items()}
        return {ordinal: known[0] for ordinal, known in found.items() if known and known[0] != keys[ordinal][0]}

    def _keys(self, key: str, payload: bytes) -> list[str]:
        """The row's own key, and what the other secrets make of it."""
        return list(dict.fromkeys([key, *self._identity.keys_under(self._secrets, json.loads(payload), key)]))

    def _there(self, keys: Sequence[str]) -> dict[str, str]:
        """Keys that are known, and those that are of an earlier rule, to what they are known as."""
        found: dict[str, str] = {}
        for at in range(0, len(keys), PARAMETERS // 2):
            lot = keys[at : at + PARAMETERS // 2]
            query = _KNOWN.format(self._where, ",".join("?" * len(lot)))
            found |= dict(self._connection.execute(query, (self._scope, *lot, self._scope, *lot)).fetchall())
        return found
