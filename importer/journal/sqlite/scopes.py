"""Scopes: a server and an account, `https://api.example.com#main`. What was created is known inside one.

Two addresses are one server by letters alone: loopback names, case, default port and slashes at the end; what a name
server says of two names is not a proof.
"""

from __future__ import annotations

import sqlite3
from urllib.parse import urlsplit

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"http": 80, "https": 443}
_RANK = """CASE WHEN r.state IN ('created', 'existing') THEN 3
 WHEN r.state IS NULL OR r.state IN ('sending', 'unknown') OR (r.state IN ('ready', 'invalid')) THEN 2 ELSE 1 END"""
"""How much a key's row says: that there is a customer, that there may be one, that there is none."""


def same_server(base_url: str) -> str:
    """One spelling for every address of one API: loopback names, case, default port, `/v1` and last slashes aside."""
    parts = urlsplit(base_url.strip())
    port = "" if parts.port in {None, _PORTS.get(parts.scheme)} else f":{parts.port}"
    path = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    host = (parts.hostname or "").rstrip(".")
    return f"{parts.scheme}://{'localhost' if host in _LOOPBACK else host}{port}{path}"


def move_scope(tx: sqlite3.Connection, before: str, after: str) -> None:
    """Carry a scope's memory over to another; of a key that both know, the one stays that says more."""
    ranked = (
        f"(SELECT {_RANK} FROM identities i LEFT JOIN rows r ON r.run = i.run AND r.ordinal = i.ordinal"
        " WHERE i.scope = ? AND i.key = o.key)"
    )
    tx.execute(
        "INSERT OR REPLACE INTO identities (scope, key, run, ordinal, since, body, person, rule)"
        " SELECT ?, key, run, ordinal, since, body, person, rule FROM identities o WHERE o.scope = ?"
        f" AND {ranked} > coalesce({ranked}, 0)",
        (after, before, before, after),
    )
    tx.execute(
        "INSERT INTO starts (scope, slot, count) SELECT ?, slot, count FROM starts WHERE scope = ?"
        " ON CONFLICT DO UPDATE SET count = count + excluded.count",
        (after, before),
    )
    for table in ("identities", "starts"):
        tx.execute(f"DELETE FROM {table} WHERE scope = ?", (before,))
    for table in ("runs", "api_keys"):
        tx.execute(f"UPDATE {table} SET scope = ? WHERE scope = ?", (after, before))


def carry_scopes_forward(tx: sqlite3.Connection, _: bytes = b"") -> None:
    """Give the scopes of earlier programs, which knew fewer spellings of a server, the names that they have now."""
    scopes = [scope for (scope,) in tx.execute("SELECT DISTINCT scope FROM runs WHERE scope LIKE '%://%#%'").fetchall()]
    for scope in scopes:
        server, _, account = scope.rpartition("#")
        now = f"{same_server(server)}#{account}"
        if now != scope:
            move_scope(tx, scope, now)
