"""Who may use the console, and what they may do: the one-time link, users, roles, sessions. Knows no HTTP.

A session is a signed cookie, so that it outlives a restart of the console; what a user did last is kept in memory.
"""

from __future__ import annotations

import hmac
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from threading import Lock
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from itsdangerous import BadSignature, URLSafeSerializer

from importer.core.errors import AccessError, ImporterError
from importer.profile import ConsoleSettings

LOCAL: Final = ""
"""The name under which the sessions of whoever opened the link are kept; shown as the user of this computer."""
_TRIES = 5
_TRIES_WITHIN_S = 60.0


class Role(StrEnum):
    """What somebody may do; whoever may do anything may view."""

    VIEW = "view"
    PREPARE = "prepare"
    APPROVE = "approve"
    RUN = "run"


class RefusedError(ImporterError):
    """Somebody may not do what they asked for; nothing was changed."""

    exit_code = AccessError.exit_code


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who has signed in.

    Args:
        id: of this session; another sign-in of the same user is another one.
        user: their name.
        access: knows whether it still holds: it ends by itself when its user does nothing.
    """

    id: str
    user: str
    roles: frozenset[Role]
    access: Access = field(repr=False, compare=False)

    @property
    def is_alive(self) -> bool:
        """Whether it still holds; asking does not let it go on."""
        return self.access.is_alive(self.id)

    @property
    def sees_values(self) -> bool:
        """Whether cell values are shown to them; else masks."""
        return bool(self.roles - {Role.VIEW})

    def may(self, role: Role) -> bool:
        """Whether they may do what a role allows."""
        return role in self.roles or (role is Role.VIEW and bool(self.roles))

    def require(self, role: Role) -> None:
        """Refuse what a role does not allow, or what comes after the session has ended.

        Raises:
            RefusedError: they may not.
        """
        if not self.access.goes_on(self.id):
            raise RefusedError("Your session has ended.", "Sign in again.")
        if not self.may(role):
            raise RefusedError(
                f"{self.user} may not do this: it needs the role '{role.value}'.",
                "Ask somebody who has it, or whoever keeps [console.users] of the profile.",
            )

    def require_values(self) -> None:
        """Refuse whoever sees masks only.

        Raises:
            RefusedError: they do, or may nothing.
        """
        self.require(Role.VIEW)
        if not self.sees_values:
            raise RefusedError("This holds values, and your role does not see them.")


class OneTimeLink:
    """The link that lets whoever reads the terminal in. Each one works once; then there is another."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(32)

    def spend(self, token: str) -> bool:
        """Use a link up; returns whether it was the one that is open."""
        fits = hmac.compare_digest(token.encode(), self.token.encode())
        if fits:
            self.token = secrets.token_urlsafe(32)
        return fits


class Access:
    """Lets people in, and knows them again.

    Args:
        secret: signs cookies; the workspace's, so that sessions outlive a restart.
        local_user: what whoever opens the link is called.
        monotonic: seconds that never go backwards.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        settings: ConsoleSettings,
        secret: bytes,
        local_user: str,
        *,
        monotonic: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        self.link = OneTimeLink()
        self._settings = settings
        self._local_user = local_user
        self._monotonic = monotonic
        self._now = now
        self._signer = URLSafeSerializer(hmac.new(secret, b"console sessions", sha256).digest(), salt="session")
        self._seen: dict[str, float] = {}
        self._ended: set[str] = set()
        self._failed: dict[str, deque[float]] = {}
        self._counting = Lock()

    @property
    def has_users(self) -> bool:
        """Whether people sign in by name and password; else by the link."""
        return bool(self._settings.users)

    def enter(self, token: str) -> str | None:
        """Let somebody in by the one-time link; returns their cookie, or None."""
        return None if self.has_users or not self.link.spend(token) else self._begin(LOCAL)

    def sign_in(self, name: str, password: str) -> str | None:
        """Let a user in; takes some tens of milliseconds of processor time.

        Returns:
            Their cookie; None: no such user, or another password.

        Raises:
            RefusedError: it was tried too often.
        """
        self._note_try(name)  # before it is compared, which takes time: others try at the same moment
        user = self._settings.users.get(name)
        fits = _fits(user.password if user else _NOBODY, password)
        if user is None or not fits:
            return None
        self._failed.pop(name, None)
        return self._begin(name)

    def _note_try(self, name: str) -> None:
        """Count that somebody tries a password, until it was the right one.

        Raises:
            RefusedError: there were too many of late.
        """
        key, now = name if name in self._settings.users else "", self._monotonic()
        with self._counting:
            tries = self._failed.setdefault(key, deque())
            while tries and tries[0] < now - _TRIES_WITHIN_S:
                tries.popleft()
            if len(tries) >= _TRIES:
                raise RefusedError("Too many wrong passwords.", f"Try again in {_TRIES_WITHIN_S:.0f} seconds.")
            tries.append(now)

    def _begin(self, name: str) -> str:
        session = secrets.token_urlsafe(16)
        self._seen[session] = self._now()
        return self._cookie(session, name)

    def _cookie(self, session: str, name: str) -> str:
        return str(self._signer.dumps({"id": session, "user": name, "at": int(self._now())}))

    def known(self, cookie: str) -> tuple[Session, str] | None:
        """Find the session of a cookie, which thereby goes on.

        Returns:
            It, and its cookie as of now; None: there is none, or it has ended.
        """
        try:
            held: Mapping[str, object] = self._signer.loads(cookie)
        except BadSignature:
            return None
        session, name, at = str(held["id"]), str(held["user"]), float(str(held["at"]))
        roles = self._roles(name)
        self._seen[session] = max(self._seen.get(session, 0.0), at)
        if not roles or not self.goes_on(session):
            return None
        return Session(session, name or self._local_user, roles, self), self._cookie(session, name)

    def goes_on(self, session: str) -> bool:
        """Whether a session has not ended; what its user does now lets it go on."""
        alive = self.is_alive(session)
        if alive:
            self._seen[session] = self._now()
        return alive

    def end(self, session: str) -> None:
        """End a session: its user has signed out."""
        self._ended.add(session)

    def is_alive(self, session: str) -> bool:
        """Whether a session has not ended."""
        return session not in self._ended and self._now() - self._seen.get(session, 0.0) <= self._settings.idle_s

    def _roles(self, name: str) -> frozenset[Role]:
        if name == LOCAL:
            return frozenset() if self.has_users else frozenset(Role)
        user = self._settings.users.get(name)
        return frozenset(map(Role, user.roles)) if user else frozenset()


def password_hash(password: str) -> str:
    """Hash a password by Argon2id, with the library's parameters (RFC 9106, low memory)."""
    return PasswordHasher().hash(password)


_NOBODY = password_hash(secrets.token_urlsafe(16))
"""Compared with where there is no such user, so that the time taken shows nothing."""


def _fits(hashed: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(hashed, password)
    except (Argon2Error, InvalidHashError):
        return False
