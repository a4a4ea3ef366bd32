"""The service account, and its access token: one for all workers, renewed by one of them before it expires.

Lifetimes are counted on the monotonic clock from the moment the exchange was asked for, so neither a
wrong wall clock nor a slow answer makes a token look younger than it is. Never logs, never shows a token.
"""

from __future__ import annotations

import asyncio
import json
import math
from base64 import b64encode
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from multidict import CIMultiDict

from importer.core.errors import AccessError, UsageError
from importer.core.outcomes import Reply
from importer.core.ports import Clock
from importer.targets.access import TargetAccess
from importer.targets.rocketkor import KIND

RENEWAL_SHARE: Final = 0.85
"""Renewed at this share of the lifetime (API facts, section 1: 80 to 90 %)."""

RENEWAL_PAUSE_SHARE: Final = 0.03
"""After a failed renewal the next one waits for this share of the lifetime: a few tries fit before expiry."""

ASSUMED_LIFETIME_S: Final = 300.0
LONGEST_LIFETIME_S: Final = 86_400.0

_SCHEME: Final = "Bearer "
_REMEMBERED: Final = 4

EXPIRY_LEEWAY_S: Final = 1.0
"""Servers count whole seconds: in its last one a token counts as expired when the server says 403."""


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Who we are: the API key and its secret, which travel in one header with a colon between them.

    Args:
        secrets: key, secret, and both as they travel.
        headers: of a token exchange.
    """

    secrets: tuple[str, str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, access: TargetAccess) -> ServiceAccount:
        """Take the credentials of an access.

        Raises:
            UsageError: one is missing or cannot be sent.
        """
        key, secret = (access.credentials[one.name].get_secret_value() for one in KIND.credentials)
        if not key or not secret:
            msg = "The target needs an API key and an API secret, and one of them is missing."
            raise UsageError(msg, f"Set {KIND.variables}.")
        if ":" in key or not (key + secret).isprintable():
            msg = "The API key or the API secret holds a character that cannot be sent."
            raise UsageError(msg, "Copy both again, without line breaks; a key has no colon.")
        basic = b64encode(f"{key}:{secret}".encode()).decode()
        return cls((key, secret, basic), {"Authorization": f"Basic {basic}"})


@dataclass(frozen=True, slots=True)
class Token:
    """One access token.

    Args:
        headers: the headers of a request without a body.
        posting: the headers of a request with one.
        asked_at: monotonic seconds just before the exchange was requested.
        lifetime_s: `expires_in` of the answer, in seconds.
    """

    headers: Mapping[str, str] = field(repr=False)
    posting: Mapping[str, str] = field(repr=False)
    asked_at: float
    lifetime_s: float

    @property
    def renew_at(self) -> float:
        """When a new one should be fetched, on the monotonic clock."""
        return self.asked_at + self.lifetime_s * RENEWAL_SHARE

    @property
    def expires_at(self) -> float:
        """When it may no longer be used, on the monotonic clock."""
        return self.asked_at + self.lifetime_s


def read_token(body: bytes, asked_at: float) -> Token | None:
    """Read the answer of an exchange; None when there is no usable token in it.

    Only `access_token` and `expires_in` are documented (API facts, section 1); everything else is ignored.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None
    value = answer.get("access_token") if isinstance(answer, dict) else None
    if not isinstance(value, str) or not value or not (value.isascii() and value.isprintable()) or " " in value:
        return None
    headers = CIMultiDict({"Authorization": f"{_SCHEME}{value}"})
    posting = CIMultiDict(headers, **{"Content-Type": "application/json"})
    return Token(headers, posting, asked_at, _lifetime_s(answer.get("expires_in")))


def _lifetime_s(stated: object) -> float:
    """Return the stated seconds; a missing or senseless figure counts as five minutes, a 401 would say more."""
    try:
        seconds = float(stated) if isinstance(stated, int | float | str) else math.nan
    except (ValueError, OverflowError):
        seconds = math.nan
    return min(seconds, LONGEST_LIFETIME_S) if seconds > 0 else ASSUMED_LIFETIME_S


class NoTokenError(Exception):
    """The exchange failed temporarily; `reply` says what."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.error_code)
        self.reply = reply


class Tokens:
    """Keeps the one token that all requests share.

    Args:
        exchange: fetches a token; raises AccessError when refused, NoTokenError after a temporary failure.
        clock: only its monotonic side is used.

    Attributes:
        recent: the last few tokens, to redact them in what servers say; never to be shown.
    """

    def __init__(self, exchange: Callable[[], Awaitable[Token]], clock: Clock) -> None:
        self._exchange = exchange
        self._clock = clock
        self._token: Token | None = None
        self._renew_at = 0.0
        self._expires_at = 0.0
        self._flight: asyncio.Task[Token] | None = None
        self._refusal: AccessError | None = None
        self.recent: deque[str] = deque(maxlen=_REMEMBERED)

    def current(self) -> Token | None:
        """Return the token if it is valid; starts its renewal on the side when that is due."""
        now = self._clock.monotonic()
        if now < self._renew_at:
            return self._token
        if self._token is None or now >= self._expires_at:
            return None
        if self._refusal is None:
            self._renew_at = min(now + self._token.lifetime_s * RENEWAL_PAUSE_SHARE, self._expires_at)
            self._start()
        return self._token

    async def obtain(self) -> Token:
        """Return a valid token, fetching one if need be; all who wait share one exchange.

        Cancelling one waiter leaves the exchange to the others.

        Raises:
            AccessError: the credentials were refused, now or before; they are not tried twice.
            NoTokenError: the exchange failed temporarily.
        """
        token = self.current()
        if token is not None:
            return token
        if self._refusal is not None:
            raise AccessError(self._refusal.message, self._refusal.hint)
        flight = self._start()
        await asyncio.wait([flight])
        return flight.result()

    def looks_expired(self, token: Token) -> bool:
        """Return whether a token is at or past its end, so that a refusal may mean just that."""
        return self._clock.monotonic() >= token.expires_at - EXPIRY_LEEWAY_S

    def discard(self, token: Token) -> None:
        """Never use this token again; harmless when another has taken its place already."""
        if self._token is token:
            self._token = None
            self._renew_at = self._expires_at = 0.0

    async def aclose(self) -> None:
        """End an exchange that is still under way."""
        if self._flight is not None:
            self._flight.cancel()
            await asyncio.wait([self._flight])

    def _start(self) -> asyncio.Task[Token]:
        if self._flight is None:
            self._flight = asyncio.create_task(self._renew(), name="token exchange")
            self._flight.add_done_callback(self._landed)
        return self._flight

    async def _renew(self) -> Token:
        token = await self._exchange()
        self._token, self._renew_at, self._expires_at = token, token.renew_at, token.expires_at
        self.recent.append(token.headers["Authorization"].removeprefix(_SCHEME))
        return token

    def _landed(self, flight: asyncio.Task[Token]) -> None:
        self._flight = None
        error = None if flight.cancelled() else flight.exception()  # taken: asyncio reports an exception that is not
        if isinstance(error, AccessError):
            self._refusal = error
        elif isinstance(error, NoTokenError) and error.reply.retry_after_s is not None:
            # The token in use may last until then; a renewal before that would be refused again.
            not_before = self._clock.monotonic() + error.reply.retry_after_s
            self._renew_at = min(max(self._renew_at, not_before), self._expires_at)
