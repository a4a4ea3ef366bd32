"""Column names made comparable: case, spaces, punctuation, accents and camel case aside. Compares, never decides."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from importer.mapping.synonyms import FILLERS

_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_APOSTROPHES = re.compile("['`\u2019\u00b4]")
_GAPS = re.compile(r"[\W_]+")
_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]")

_FILLERS = frozenset(FILLERS.split())


def words(header: str) -> tuple[str, ...]:
    """Split a column name into plain words: `Customer's E-Mail` becomes `customers`, `e`, `mail`."""
    plain = _APOSTROPHES.sub("", header)
    if not plain.isascii():
        plain = "".join(char for char in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(char))
    return tuple(_GAPS.sub(" ", _HUMPS.sub(" ", plain)).casefold().split())


def key(header: str) -> str:
    """Fold a column name for comparison: `First_Name`, `firstName` and `FIRST NAME` are one."""
    return "".join(words(header))


def keys(header: str) -> list[tuple[str, float]]:
    """List the ways to read a column name, each with how much it is worth (1: as it stands).

    An aside in brackets (`Birth Date (MM/DD/YYYY)`) and filling words (`Customer Email`) may be left out.
    """
    ways = {key(header): 1.0}
    bare = words(_ASIDE.sub(" ", header))
    ways.setdefault("".join(bare), 0.98)
    meant = [word for word in bare if word not in _FILLERS]
    ways.setdefault("".join(meant), 0.95)
    return [(way, worth) for way, worth in ways.items() if way]


def find(name: str, columns: Sequence[str]) -> int | None:
    """Find a column that a profile names: exactly, or case, spaces and punctuation aside when only one fits."""
    if name in columns:
        return columns.index(name)
    alike = [index for index, column in enumerate(columns) if key(column) == key(name)]
    return alike[0] if len(alike) == 1 else None
