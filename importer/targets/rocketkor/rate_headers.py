"""What headers say about the allowance and about time, in every spelling in use. Pure; nonsense counts as absent.

Three families: `RateLimit` with `RateLimit-Policy` (IETF draft-ietf-httpapi-ratelimit-headers, since 08),
`RateLimit-Limit`, `-Remaining`, `-Reset` (its earlier versions), and the same with `X-` (never standardised;
its reset is seconds with some servers and a moment since the epoch with others).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

from importer.core.outcomes import RateHint

_EPOCH_S: Final = 1_000_000_000.0
"""A reset beyond this is not a duration but a moment in seconds, beyond its thousandfold one in milliseconds."""

_NUMBER: Final = re.compile(r"\s*(\d{1,15}(?:\.\d{1,9})?)")
_PARAMETER: Final = re.compile(r";\s*([a-z]+)\s*=\s*(\d{1,15})", re.IGNORECASE)


def rate_hint(headers: Mapping[str, str], now: float) -> RateHint | None:
    """Read the hint of an answer; None when it says nothing.

    Args:
        now: seconds since the epoch, for a reset that is a moment, where the answer does not say when it was sent.
    """
    for prefix in ("RateLimit", "X-RateLimit"):
        limit = headers.get(f"{prefix}-Limit")
        if limit is not None:
            return _separate(headers, prefix, limit, now)
    combined = headers.get("RateLimit")
    return None if combined is None else _combined(combined, headers.get("RateLimit-Policy", ""))


def _separate(headers: Mapping[str, str], prefix: str, limit: str, now: float) -> RateHint:
    reset = _number(headers.get(f"{prefix}-Reset", ""))
    return RateHint(
        limit=_whole(_number(limit)),
        remaining=_whole(_number(headers.get(f"{prefix}-Remaining", ""))),
        reset_s=None if reset is None else _seconds(reset, headers, now),
        window_s=_parameters(f"{limit},{headers.get('RateLimit-Policy', '')}").get("w"),
    )


def _combined(text: str, policy: str) -> RateHint:
    now, rules = _parameters(text), _parameters(policy)
    return RateHint(_whole(rules.get("q")), _whole(now.get("r")), now.get("t"), rules.get("w"))


def _parameters(text: str) -> dict[str, float]:
    """Return the parameters of the first item that has any."""
    for item in text.split(","):
        found = {name.lower(): float(value) for name, value in _PARAMETER.findall(item)}
        if found:
            return found
    return {}


def _number(text: str) -> float | None:
    match = _NUMBER.match(text)
    return float(match[1]) if match else None


def _whole(number: float | None) -> int | None:
    return None if number is None else math.floor(number)


def _seconds(reset: float, headers: Mapping[str, str], now: float) -> float:
    if reset < _EPOCH_S:
        return reset
    moment = reset / 1_000.0 if reset >= _EPOCH_S * 1_000.0 else reset
    return max(0.0, moment - server_now(headers, now))


def moment_of(date: str) -> float:
    """Read a date of a header (RFC 9110 5.6.7): seconds since the epoch, not a number when it is none."""
    try:
        moment = parsedate_to_datetime(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return math.nan


def server_now(headers: Mapping[str, str], now: float) -> float:
    """When an answer was sent, by its own `Date`: what else it names goes by the same clock, however wrong ours is.

    Args:
        now: our own clock, seconds since the epoch; used where the answer has no date.
    """
    sent = moment_of(headers.get("Date", ""))
    return now if math.isnan(sent) else sent
