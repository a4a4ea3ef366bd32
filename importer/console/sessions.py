"""Which sessions there are: begun, known again by their cookie, ended by signing out or by doing nothing.

A session is a signed cookie, so that it outlives a restart of the console. What a user did last is kept in memory; who
has signed out is kept in a file of the workspace. Knows no HTTP, and nothing of roles.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from itsdangerous import BadSignature, URLSafeSerializer

from importer.core.atomic_files import create_once, storage_error

ENDED: Final = "console-signed-out.txt"
"""Name of the file in the workspace: a line for each session that was ended, with its id and when that was."""
_KEY: Final = "console.key"
_KEY_BYTES = 32
_KEPT_S = 366 * 86_400.0
"""How long it is remembered that somebody signed out: no session lasts as long without its user doing something."""


def key_of(workspace: Path) -> bytes:
    """The key that signs the cookies of a workspace's console, so that they outlive a restart; made once.

    It is in a file of its own: the secret of a journal is the whole team's, who could let themselves in with it.

    Raises:
        StorageError: it cannot be read or written.
    """
    path = workspace / _KEY
    try:
        create_once(path, secrets.token_bytes(_KEY_BYTES))
        return path.read_bytes()
    except OSError as error:
        raise storage_error(error, workspace) from error


class Known(NamedTuple):
    """What a cookie says.

    Args:
        id: of the session.
        user: its name.
    """

    id: str
    user: str


class Sessions:
    """All sessions of a console.

    Args:
        secret: signs cookies; as of `key_of`.
        idle_s: a session ends when its user does nothing for this long, in seconds.
        now: seconds since the epoch.
        workspace: keeps who has signed out.
    """

    def __init__(self, secret: bytes, idle_s: float, now: Callable[[], float], workspace: Path) -> None:
        self._secret = hmac.new(secret, b"console sessions", sha256).digest()
        self._signer = URLSafeSerializer(self._secret, salt="session")
        self._idle_s = idle_s
        self._now = now
        self._seen: dict[str, float] = {}
        self._file = workspace / ENDED
        self._ended = set(self._kept())

    def begin(self, user: str, password_hash: str) -> str:
        """Begin a session; returns its cookie.

        Args:
            password_hash: the session lasts no longer than the user has it.
        """
        session = secrets.token_urlsafe(16)
        self._seen[session] = self._now()
        return self.cookie(Known(session, user), password_hash)

    def cookie(self, known: Known, password_hash: str) -> str:
        """The cookie of a session as of what its user did last."""
        at = int(self._seen[known.id])
        return str(self._signer.dumps({"id": known.id, "user": known.user, "of": self._mark(password_hash), "at": at}))

    def read(self, cookie: str, hash_of: Callable[[str], str]) -> Known | None:
        """Find the session of a cookie; to be seen does not let it go on.

        Args:
            hash_of: gives the hash of a user's password; empty: they have none.

        Returns:
            It; None: there is none, or it has ended.
        """
        try:
            held: Mapping[str, object] = self._signer.loads(cookie)
        except BadSignature:
            return None
        known, at = Known(str(held["id"]), str(held["user"])), float(str(held["at"]))
        if not hmac.compare_digest(str(held.get("of", "")), self._mark(hash_of(known.user))):
            return None
        self._seen[known.id] = max(self._seen.get(known.id, 0.0), at)
        return known if self.is_alive(known.id) else None

    def go_on(self, session: str) -> None:
        """Let a session go on that has not ended: its user does something."""
        if self.is_alive(session):
            self._seen[session] = self._now()

    def is_alive(self, session: str) -> bool:
        """Whether a session has not ended."""
        return session not in self._ended and self._now() - self._seen.get(session, 0.0) <= self._idle_s

    def end(self, session: str) -> None:
        """End a session, also for a console that is started later: its user has signed out."""
        self._ended.add(session)
        with os.fdopen(
            os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "w", encoding="ascii"
        ) as file:
            file.write(f"{session} {self._now():.0f}\n")
            file.flush()
            os.fsync(file.fileno())

    def _kept(self) -> Iterator[str]:
        """The sessions that were ended before this console began."""
        for line in self._file.read_text("ascii").splitlines() if self._file.exists() else ():
            session, _, at = line.partition(" ")
            if float(at or 0) > self._now() - _KEPT_S:
                yield session

    def _mark(self, password_hash: str) -> str:
        """Mark a password hash in a cookie without showing it."""
        return hmac.new(self._secret, password_hash.encode(), sha256).hexdigest()[:32]
