"""The nearest right name to a wrong one, for messages. Never decides anything."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

_NOISE = re.compile(r"[\W_]+")
_MIN_PART = 3


def nearest(name: str, known: Iterable[str]) -> str:
    """Find the known name that contains `name` or looks most like it, case and punctuation aside; "" for none."""
    folded: dict[str, str] = {}
    for candidate in known:
        folded.setdefault(_fold(candidate), candidate)
    wanted = _fold(name)
    inside = [candidate for candidate in folded if wanted in candidate] if len(wanted) >= _MIN_PART else []
    found = inside or difflib.get_close_matches(wanted, folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Word the nearest name as the end of a sentence: `; did you mean 'rate'?`, or a full stop."""
    close = nearest(name, known)
    return f"; did you mean '{close}'?" if close else "."


def either(words: Sequence[str]) -> str:
    """Join alternatives: `a`, `a or b`, `a, b or c`."""
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _fold(name: str) -> str:
    return _NOISE.sub("", name.casefold())
