"""Columns of phone numbers: where all rows belong to the USA and Canada, usual numbers are written in E.164 at once.

What is usual says `importer.customers.nanp`; every other number stays as it is, for the customer's type to read.
"""

from __future__ import annotations

from collections.abc import Sequence

from importer.customers.nanp import belongs_here, written_in_e164
from importer.customers.notes import Notes, country_of
from importer.customers.reading import Policy
from importer.validation.rows import Columns


def write_numbers(name: str, columns: Columns, notes: Notes, policy: Policy) -> None:
    """Write the usual numbers of a column, and note each that was altered.

    Args:
        name: the field.
    """
    if _says_where(name, columns) or not _all_belong_here(columns, policy):
        return
    texts = columns.texts[name]
    numbers = written_in_e164(texts)
    if numbers:
        before = [texts[place] for place in numbers]
        notes.change_all("phone_e164", name, list(numbers), before, list(numbers.values()))
        columns.texts[name] = _replaced(texts, numbers)


def _says_where(name: str, columns: Columns) -> bool:
    """Tell whether other fields say where each number belongs."""
    phone = name.rpartition(".")[0]
    return any(f"{phone}.{part}" in columns.texts for part in ("region", "country"))


def _all_belong_here(columns: Columns, policy: Policy) -> bool:
    countries = {text for column in columns.countries() for text in set(column)}
    return all(belongs_here(policy.region, country_of(text)) for text in {"", *countries})


def _replaced(texts: Sequence[str], others: dict[int, str]) -> Sequence[str]:
    return [others.get(place, text) for place, text in enumerate(texts)]
