"""Tokens: exchanged for key and secret, checked on every other call, expired by time or by a fault."""

from __future__ import annotations

import base64
import binascii
import hmac
import math
import secrets
from collections.abc import Callable

from importer.emulator.answers import Refusal
from importer.emulator.settings import EmulatorSettings

_KEPT = 10_000


class Tokens:
    """The tokens that one server has given out.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, settings: EmulatorSettings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._ends: dict[str, float] = {}

    def exchange(self, authorization: str) -> dict[str, str | int | float]:
        """Give out a token for `Basic base64(key:secret)`.

        Raises:
            Refusal: 401, the credentials are absent or wrong.
        """
        expected = f"{self._settings.api_key}:{self._settings.api_secret}".encode()
        if not hmac.compare_digest(_basic(authorization), expected):
            raise Refusal(401, "EMU_BAD_CREDENTIALS", "The API key or secret is absent or wrong")
        token = secrets.token_urlsafe(24)
        self._ends[token] = self._clock() + self._settings.token_ttl_s
        if len(self._ends) > _KEPT:
            del self._ends[next(iter(self._ends))]
        ttl_s = self._settings.token_ttl_s
        return {"access_token": token, "expires_in": int(ttl_s) if float(ttl_s).is_integer() else ttl_s}

    def check(self, authorization: str) -> None:
        """Accept a request with a valid token.

        Raises:
            Refusal: 401 for an absent or unknown token; an expired one gets the configured status.
        """
        scheme, _, token = authorization.partition(" ")
        ends = self._ends.get(token.strip()) if scheme.lower() == "bearer" else None
        if ends is None:
            raise Refusal(401, "EMU_UNAUTHENTICATED", "The access token is absent or unknown")
        if self._clock() >= ends:
            raise Refusal(self._settings.expiry_status, "EMU_TOKEN_EXPIRED", "The access token has expired")

    def check_may_change(self) -> None:
        """Accept callers with a role that may change customers.

        Raises:
            Refusal: 403, the role may only read.
        """
        if self._settings.role == "view-only":
            raise Refusal(403, "EMU_FORBIDDEN", "The role of this service account may not change customers")

    def expire_all(self) -> None:
        """End every token now."""
        self._ends = dict.fromkeys(self._ends, -math.inf)


def _basic(authorization: str) -> bytes:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""
