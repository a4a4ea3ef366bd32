"""What is known of one scope becomes known of another, in SQL."""

from __future__ import annotations

from importer.journal.sql.bulk import replacing
from importer.journal.sql.database import Connection

_IDENTITY = ("scope", "key", "run", "ordinal", "since", "body", "person", "rule")
_RANK = """CASE WHEN r.state IN ('created', 'existing') THEN 3
 WHEN r.state IS NULL OR r.state IN ('sending', 'unknown') OR (r.state IN ('ready', 'invalid')) THEN 2 ELSE 1 END"""
"""How certain a key's row is: a customer is there, may be there, is not there."""


def move_scope(tx: Connection, before: str, after: str) -> None:
    """Carry a scope's memory over to another; of a key that both know, the more certain one stays."""
    ranked = (
        f"(SELECT {_RANK} FROM identities i LEFT JOIN rows r ON r.run = i.run AND r.ordinal = i.ordinal"
        " WHERE i.scope = ? AND i.key = o.key)"
    )
    tx.execute(
        f"INSERT INTO identities ({', '.join(_IDENTITY)})"
        " SELECT ?, key, run, ordinal, since, body, person, rule FROM identities o WHERE o.scope = ?"
        f" AND {ranked} > coalesce({ranked}, 0) {replacing(_IDENTITY, 2)}",
        (after, before, before, after),
    )
    tx.execute(
        "INSERT INTO starts (scope, slot, count) SELECT ?, slot, count FROM starts WHERE scope = ?"
        " ON CONFLICT (scope, slot) DO UPDATE SET count = starts.count + excluded.count",
        (after, before),
    )
    for table in ("identities", "starts"):
        tx.execute(f"DELETE FROM {table} WHERE scope = ?", (before,))
    for table in ("runs", "api_keys"):
        tx.execute(f"UPDATE {table} SET scope = ? WHERE scope = ?", (after, before))
