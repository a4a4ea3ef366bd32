"""Limits as people write them: `10/s`, or several with commas between them: `10/s, 300/min, 20000/day`."""

from __future__ import annotations

import re

Rates = tuple[tuple[int, float], ...]
"""Each as how many, and the length of the window in seconds."""

_RATE = re.compile(r"(\d{1,9})\s*/\s*(s|sec|second|m|min|minute|h|hour|d|day)", re.IGNORECASE)
_UNIT_S = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


def parsed_rates(text: str) -> Rates:
    """Read one limit or several.

    Raises:
        ValueError: a part is not a rate, or allows nothing.
    """
    return tuple(_rate(part.strip()) for part in text.split(","))


def _rate(text: str) -> tuple[int, float]:
    match = _RATE.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise ValueError(
            f"a rate is written like 10/s or 600/min, several with commas between them, and {text!r} is none"
        )
    return int(match[1]), _UNIT_S[match[2][0].lower()]
