"""A workbook's values become the text that a person sees: no exponent, no `.0`, dates as ISO. Pure."""

from __future__ import annotations

import datetime as dt
import math
import struct
from decimal import Decimal
from typing import Literal

_MIDNIGHT = dt.time(0)
_DAY_S = 86_400
_LEAP_1900 = 60
"""Day 60 of the 1900 system is 29 February 1900, which did not exist: Excel kept a bug of an older program."""
_LAST_SERIAL = 2_958_465
"""31 December 9999."""
_DAYS_TO_1904 = 1_462

ERROR_TEXTS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
"""The code of a cell's error to what the cell shows ([MS-XLSB] 2.5.97.2)."""


def number_text(raw: str) -> str:
    """Return a stored number in full: 15 significant digits (all that a workbook keeps), no exponent, no `.0`."""
    try:
        value = float(raw)
    except ValueError:
        return raw
    if not math.isfinite(value):
        return str(value)
    if value == int(value):
        return str(int(value))
    return format(Decimal(format(value, ".15g")), "f")


def serial_text(raw: str, kind: Literal["date", "datetime", "time", "duration"], *, epoch_1904: bool) -> str:
    """Return a stored day count as the date or time it means; as a number where it cannot be one.

    Args:
        raw: days since the epoch, with a fraction for the time of day.
        kind: what the cell's format shows of it.
        epoch_1904: whether days are counted from 1904 instead of 1900.
    """
    try:
        serial = float(raw)
    except ValueError:
        return raw
    if not 0 <= serial < _LAST_SERIAL + 1:
        return number_text(raw)
    if kind == "duration":
        return time_text(dt.timedelta(days=serial))
    days, seconds = divmod(round(serial * _DAY_S), _DAY_S)
    if days > _LAST_SERIAL - (_DAYS_TO_1904 if epoch_1904 else 0):
        return number_text(raw)
    clock = dt.time(seconds // 3600, seconds // 60 % 60, seconds % 60)
    if kind == "time" and days == 0:
        return clock.isoformat()
    day = _day_text(days, epoch_1904=epoch_1904)
    return day if kind == "date" or clock == _MIDNIGHT else f"{day} {clock.isoformat()}"


def _day_text(days: int, *, epoch_1904: bool) -> str:
    if epoch_1904:
        return (dt.date(1904, 1, 1) + dt.timedelta(days=days)).isoformat()
    if days == _LEAP_1900:
        return "1900-02-29"
    return (dt.date(1899, 12, 31) + dt.timedelta(days=days - (days > _LEAP_1900))).isoformat()


def time_text(value: dt.datetime | dt.date | dt.time | dt.timedelta) -> str:
    """Return a date, a time or a duration as text, to the second; the time of day only where there is one."""
    if isinstance(value, dt.datetime):
        value = (value + dt.timedelta(milliseconds=500)).replace(microsecond=0)
        return value.date().isoformat() if value.time() == _MIDNIGHT else value.isoformat(" ")
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"
    return value.isoformat()


def iso_text(text: str) -> str:
    """Return a date that is stored as ISO text, without a time of day when that is midnight."""
    try:
        return time_text(dt.datetime.fromisoformat(text.removesuffix("Z")))
    except ValueError:
        return text


def rk_number(packed: int) -> float:
    """Return the number in a packed 32-bit form: a double without its lower half, or an integer; by 100 or not."""
    if packed & 2:
        value = float((packed >> 2) - ((packed & 0x80000000) >> 1))
    else:
        value = float(struct.unpack("<d", struct.pack("<Q", (packed & 0xFFFFFFFC) << 32))[0])
    return value / 100 if packed & 1 else value
