"""Names of columns made comparable: case, spaces, punctuation, accents and camel case aside. Decides nothing."""

from __future__ import annotations

import re
import unicodedata

_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_APOSTROPHES = re.compile("['`\u2019\u00b4]")
_GAPS = re.compile(r"[\W_]+")


def words(header: str) -> tuple[str, ...]:
    """Split a column name into plain words: `Customer's E-Mail` becomes `customers`, `e`, `mail`."""
    plain = _APOSTROPHES.sub("", header)
    if not plain.isascii():
        plain = "".join(char for char in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(char))
    return tuple(_GAPS.sub(" ", _HUMPS.sub(" ", plain)).casefold().split())


def key(header: str) -> str:
    """Fold a column name for comparison: `First_Name`, `firstName` and `FIRST NAME` are one."""
    return "".join(words(header))
