"""Words of messages: counts, alternatives, nearest right names, names of columns. No cell of a customer is quoted."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

_ADDRESS = re.compile(r"\S@\S+\.\S")
_DATE = re.compile(r"(?<!\d)\d{1,4}[./-]\d{1,2}[./-]\d{1,4}(?!\d)")
_MANY_DIGITS = 5
_NOT_COMPARED = re.compile(r"[\W_]+")
_SHORTEST_PART = 3
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


def nearest(name: str, known: Iterable[str]) -> str:
    """Find the known name that contains `name` or is most similar, whatever its case and punctuation; "" for none."""
    folded: dict[str, str] = {}
    for candidate in known:
        folded.setdefault(_fold(candidate), candidate)
    wanted = _fold(name)
    inside = [candidate for candidate in folded if wanted in candidate] if len(wanted) >= _SHORTEST_PART else []
    found = inside or difflib.get_close_matches(wanted, folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the nearest name as the end of a sentence: `; did you mean 'rate'?`, or a full stop."""
    close = nearest(name, known)
    return f"; did you mean '{close}'?" if close else "."


def either(words: Sequence[str]) -> str:
    """Join alternatives: `a`, `a or b`, `a, b or c`."""
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _fold(name: str) -> str:
    return _NOT_COMPARED.sub("", name.casefold())
