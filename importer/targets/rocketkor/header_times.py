"""Moments that headers name, by the clock of the server that named them. Pure; what makes no sense is not a moment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime


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
        now: our own clock, seconds since the epoch; used where the answer bears no date.
    """
    sent = moment_of(headers.get("Date", ""))
    return now if math.isnan(sent) else sent
