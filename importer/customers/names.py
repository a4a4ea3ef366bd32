"""Names of people: any script, any apostrophe; signs that are rare in names are pointed out, never refused."""

from __future__ import annotations

import re

from importer.customers.reading import Reading
from importer.customers.text import clean

UNUSUAL = re.compile(r'[0-9@<>{}\[\]|\\=;:/_$%^*+~"#!?]')


def read_name(text: str) -> Reading:
    """Read a name; it warns where there is a rare sign, or no letter at all."""
    reading = clean(text)
    if reading.value and is_unusual(reading.value):
        return reading.warn("name_unusual")
    return reading


def is_unusual(name: str) -> bool:
    """Tell whether a name holds digits or rare signs, or no letter at all (a placeholder such as `-`)."""
    return UNUSUAL.search(name) is not None or not any(map(str.isalpha, name))
