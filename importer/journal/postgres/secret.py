"""The secret of a team: made once in the database under a lock, or kept by the team and only recognised there."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import closing
from hashlib import blake2b
from pathlib import Path

from importer.core.errors import JournalError, UsageError
from importer.journal.location import Location
from importer.journal.postgres.database import PostgresDatabase
from importer.journal.secret import SECRET_BYTES
from importer.journal.sql.database import Connection

_VARIABLE = "IMPORTER_SECRET"


def team_secret(location: Location, environ: Mapping[str, str] = os.environ) -> bytes:
    """The secret of a journal, made when there is none yet.

    Raises:
        UsageError: IMPORTER_SECRET is not one.
        JournalError: it is another one than the journal's hashes were made with, or is missing here.
    """
    given = _given(environ)
    with closing(PostgresDatabase(location)) as database:
        with database.guarded("read"):
            kept = _kept(database.connection)
        if kept is None:
            with database.transaction() as tx:
                kept = _kept(tx) or _make(tx, given or secrets.token_bytes(SECRET_BYTES), is_kept=given is None)
    return _agreed(kept, given, location.place)


def adopt(tx: Connection, secret: bytes, place: str, environ: Mapping[str, str] = os.environ) -> None:
    """Take over the secret of a workspace: as the journal's own where it has none, else as a former one.

    Raises:
        UsageError: IMPORTER_SECRET is not one.
        JournalError: IMPORTER_SECRET is not the journal's, or is missing here.
    """
    given = _given(environ)
    kept = _kept(tx) or _make(tx, given or secret, is_kept=given is None)
    if _agreed(kept, given, place) != secret:
        tx.execute(
            "INSERT INTO former_secrets (fingerprint, secret) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (_fingerprint(secret), secret),
        )


def known_secret(location: Location, environ: Mapping[str, str] = os.environ) -> bytes | None:
    """The secret of a journal; None: it has none yet, and none is made. Errors as of `team_secret`."""
    with closing(PostgresDatabase(location, writes=False)) as database, database.guarded("read"):
        kept = _kept(database.connection)
    return None if kept is None else _agreed(kept, _given(environ), location.place)


def _kept(connection: Connection) -> tuple[bytes | None, str] | None:
    found: tuple[bytes | None, str] | None = connection.execute("SELECT secret, fingerprint FROM secret").fetchone()
    return found


def _make(tx: Connection, secret: bytes, *, is_kept: bool) -> tuple[bytes | None, str]:
    """Make a secret the journal's; one that the team keeps elsewhere is only recognised."""
    kept = secret if is_kept else None, _fingerprint(secret)
    tx.execute("INSERT INTO secret (secret, fingerprint) VALUES (?, ?)", kept)
    return kept


def _agreed(kept: tuple[bytes | None, str], given: bytes | None, place: str) -> bytes:
    secret, fingerprint = kept
    found = given or secret
    if found is None:
        raise JournalError(
            f"The journal {place} was begun with a secret that is kept outside of it.",
            f"Set {_VARIABLE}, or {_VARIABLE}_FILE to a file that holds it.",
        )
    if _fingerprint(found) != fingerprint:
        raise JournalError(
            f"{_VARIABLE} is not the secret that the journal {place} was begun with: no customer would be recognised.",
            "Set the right one; where the journal has a secret of its own, set none.",
        )
    return found


def _fingerprint(secret: bytes) -> str:
    return blake2b(b"importer", key=secret, digest_size=16).hexdigest()


def _given(environ: Mapping[str, str]) -> bytes | None:
    text, file = environ.get(_VARIABLE, ""), environ.get(f"{_VARIABLE}_FILE", "")
    try:
        said = text or (Path(file).expanduser().read_text(encoding="ascii") if file else "")
        secret = bytes.fromhex(said.strip())
    except (OSError, ValueError):
        secret = b"?"
    if not secret:
        return None
    if len(secret) != SECRET_BYTES:
        raise UsageError(
            f"{_VARIABLE}{'' if text else '_FILE'} holds no secret: it is {2 * SECRET_BYTES} hexadecimal digits.",
            f"`openssl rand -hex {SECRET_BYTES}` makes one.",
        )
    return secret
