"""Words of messages: counts, and names of columns. What looks like a customer's cell is never quoted."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ADDRESS = re.compile(r"\S@\S+\.\S")
_DATE = re.compile(r"(?<!\d)\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?!\d)")
_MANY_DIGITS = 5
UNNAMED = "a column whose name looks like data"


def is_data(name: str) -> bool:
    """Whether a column's name looks like a value: an email address, a date, or a number of some length."""
    if _ADDRESS.search(name) or _DATE.search(name):
        return True
    digits = sum(map(str.isdigit, name))
    return digits >= _MANY_DIGITS and digits > sum(map(str.isalpha, name))


def named(name: str) -> str:
    """A column as a message names it: quoted, unless its name looks like data."""
    return UNNAMED if is_data(name) else f"'{name}'"


def quotable(names: Iterable[str]) -> list[str]:
    """The names that a message may quote."""
    return [name for name in names if not is_data(name)]


def counted(count: int, what: str) -> str:
    """A number of things: `1 row`, `2,000 rows`.

    Args:
        what: one of them; several have an s.
    """
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
