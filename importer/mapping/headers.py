"""The ways to read a column's name, and how a column is found that a profile names. Compares, never decides."""

from __future__ import annotations

import re
from collections.abc import Sequence

from importer.core.contract.headers import key, words

_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]")

_FILLER_WORDS = """
customer customers client clients person persons user users member members patient patients guest guests contact
contacts applicant applicants cardholder account holder holders primary main the your his her their enter please
required optional mandatory legacy current
"""
_FILLERS = frozenset(_FILLER_WORDS.split())
"""Words that say whose value it is, or that it matters, and nothing about what it is."""


def keys(header: str) -> list[tuple[str, float]]:
    """List the ways to read a column name, each with how much it is worth (1: as it is).

    An aside in brackets (`Birth Date (MM/DD/YYYY)`) and filling words (`Customer Email`) may be left out.
    """
    ways = {key(header): 1.0}
    bare = words(_BRACKETS.sub(" ", header))
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
