"""Reads the tables of `column_names` and its like: a field, how sure a name makes us, what it implies, the names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from importer.core.contract import Meaning
from importer.customers.column_names import IMPLIED

_LINE = re.compile(r"(?P<field>\(.*?\)|\S+) (?P<score>[\d.]+)(?: (?P<implied>[A-Z]+))?:(?P<names>.*(?:\n    .*)*)")


def lines(table: str) -> Iterator[tuple[str, Meaning]]:
    """Yield every name of a table with what it means."""
    for line in _LINE.finditer(table):
        field, implied = line["field"], line["implied"]
        implies = (IMPLIED[field], implied) if implied else None
        for name in line["names"].split(","):
            yield name.strip(), Meaning(field, float(line["score"]), implies=implies)
