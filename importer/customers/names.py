"""Names of people: any script, any apostrophe; signs that are rare in names are pointed out, never refused."""

from __future__ import annotations

import re

from importer.core.contract import Reading
from importer.core.contract.text import clean

UNUSUAL = re.compile(r'[0-9@<>{}\[\]|\\=;:/_$%^*+~"#!?]')

_NOTHING = ("null", "nil", "none", "nan", "undefined", "(null)", "(none)", "(blank)", "(empty)")
NOTHING = frozenset(spelled for word in _NOTHING for spelled in (word, word.upper(), word.capitalize())) | {"NaN", "NA"}
"""What programs write in place of a value that is missing; a few people are called so."""


def read_name(text: str) -> Reading:
    """Read a name; it warns where there is a rare sign, no letter at all, or a word for nothing."""
    reading = clean(text)
    if reading.value in NOTHING:
        return reading.warn("name_placeholder")
    if reading.value and is_unusual(reading.value):
        return reading.warn("name_unusual")
    return reading


def is_unusual(name: str) -> bool:
    """Tell whether a name holds digits or rare signs, or no letter at all (a placeholder such as `-`)."""
    return UNUSUAL.search(name) is not None or not any(map(str.isalpha, name))
