"""Who may use the console, and what they may do: the one-time link, users, roles. Knows no HTTP."""

from __future__ import annotations

import hmac
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from importer.console.sessions import Sessions
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
        sessions: knows whether it still holds: it ends by itself when its user does nothing.
    """

    id: str
    user: str
    roles: frozenset[Role]
    sessions: Sessions = field(repr=False, compare=False)

    @property
    def is_alive(self) -> bool:
        """Whether it still holds; asking does not let it go on."""
        return self.sessions.is_alive(self.id)

    def go_on(self) -> None:
        """Let it go on, where it has not ended: its user does something."""
        self.sessions.go_on(self.id)

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
        if not self.is_alive:
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
        local_user: what whoever opens the link is called.
        monotonic: seconds that never go backwards.
    """

    def __init__(
        self,
        settings: ConsoleSettings,
        sessions: Sessions,
        local_user: str,
        *,
        monotonic: Callable[[], float],
    ) -> None:
        self.link = OneTimeLink()
        self._settings = settings
        self._local_user = local_user
        self._monotonic = monotonic
        self._sessions = sessions
        self._failed: dict[str, deque[float]] = {}
        self._counting = Lock()

    @property
    def has_users(self) -> bool:
        """Whether people sign in by name and password; else by the link."""
        return bool(self._settings.users)

    def enter(self, token: str) -> str | None:
        """Let somebody in by the one-time link; returns their cookie, or None."""
        return None if self.has_users or not self.link.spend(token) else self._sessions.begin(LOCAL, "")

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
        return self._sessions.begin(name, user.password)

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

    def known(self, cookie: str, *, acts: bool = False) -> tuple[Session, str] | None:
        """Find the session of a cookie.

        Args:
            acts: whether its user does something, which lets it go on; to look alone does not.

        Returns:
            It, and its cookie as of now; None: there is none, or it has ended.
        """
        found = self._sessions.read(cookie, self._hash)
        roles = self._roles(found.user) if found else frozenset()
        if found is None or not roles:
            return None
        if acts:
            self._sessions.go_on(found.id)
        session = Session(found.id, found.user or self._local_user, roles, self._sessions)
        return session, self._sessions.cookie(found, self._hash(found.user))

    def end(self, session: str) -> None:
        """End a session: its user has signed out."""
        self._sessions.end(session)

    def _hash(self, name: str) -> str:
        user = self._settings.users.get(name)
        return user.password if user else ""

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
