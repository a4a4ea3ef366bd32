"""The account of an API key: a person's answer is remembered, since the API does not report the account.

An account without a name is called after the first key that was used for it, `#key-…`. Keys are remembered by a
keyed hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from importer.journal.entries import UNNAMED, AccountMatch, AccountUsed
from importer.journal.sql.database import Database
from importer.journal.sql.scopes import move_scope


class Accounts:
    """The accounts of one workspace.

    Args:
        secret: the workspace's: without it keys cannot be guessed.
    """

    def __init__(self, database: Database, secret: bytes) -> None:
        self._db = database
        self._secret = secret

    def match(self, server: str, named: str, proposed: str, api_key: str) -> AccountMatch:
        used = self._used_at(server)
        scopes = {one.scope for one in used}
        every = self._bound(server, api_key) or [self._after_key(proposed, scopes) if not named else ""]
        bound, unnamed = every[0], next((one for one in every[1:] if UNNAMED in one), "")
        if named:
            return self._named(proposed, unnamed or bound, used)
        if unnamed:  # a workspace that was carried here has called it so
            return AccountMatch(bound, called_before=unnamed)
        if bound or not used:
            return AccountMatch(bound or proposed)
        return AccountMatch(candidates=used)

    def _named(self, scope: str, bound: str, used: Sequence[AccountUsed]) -> AccountMatch:
        """What a person named: known, the new name of what this key did, or an account to be asked about."""
        is_known = any(one.scope == scope for one in used)
        if bound and bound != scope and (not is_known or UNNAMED in bound):
            return AccountMatch(scope, called_before=bound)
        unnamed = [one for one in used if not one.is_named]
        if is_known or bound or not unnamed:
            return AccountMatch(scope)
        return AccountMatch(candidates=unnamed)

    @staticmethod
    def _after_key(proposed: str, scopes: set[str]) -> str:
        """The account that earlier programs called after this very key."""
        return proposed if proposed in scopes else ""

    def _used_at(self, server: str) -> list[AccountUsed]:
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                "SELECT scope, run_id FROM runs WHERE run IN"
                " (SELECT max(run) FROM runs WHERE dry_run = 0 GROUP BY scope) ORDER BY run DESC"
            ).fetchall()
        return [AccountUsed(scope, run_id) for scope, run_id in found if scope.rpartition("#")[0] == server]

    def bind(self, server: str, api_key: str, scope: str) -> None:
        if self._bound(server, api_key)[:1] == [scope]:
            return
        with self._db.transaction() as tx:
            tx.execute(
                "INSERT INTO api_keys (server, key, scope) VALUES (?, ?, ?)"
                " ON CONFLICT (server, key) DO UPDATE SET scope = excluded.scope",
                (server, self._hash(api_key, self._secret), scope),
            )

    def rename(self, before: str, after: str) -> None:
        with self._db.transaction() as tx:
            move_scope(tx, before, after)

    def _bound(self, server: str, api_key: str) -> list[str]:
        """The accounts that a key is for, as it is remembered under every secret; those that a person named first."""
        keys = [self._hash(api_key, secret) for secret in (self._secret, *self._db.carried().secrets)]
        with self._db.guarded("read"):
            found = self._db.connection.execute(
                f"SELECT key, scope FROM api_keys WHERE server = ? AND key IN ({','.join('?' * len(keys))})",
                (server, *keys),
            ).fetchall()
        scopes = [scope for _, scope in sorted(found, key=lambda one: (UNNAMED in one[1], keys.index(one[0])))]
        return list(dict.fromkeys(scopes))

    @staticmethod
    def _hash(api_key: str, secret: bytes) -> str:
        return blake2b(api_key.encode(), key=secret, digest_size=16).hexdigest()
