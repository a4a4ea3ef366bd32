"""The names of columns that steps after the create send, made from the tables of `step_column_names`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from importer.core.contract import Meaning
from importer.customers import column_translations
from importer.customers import step_column_names as names
from importer.customers.column_tables import lines
from importer.customers.rules import FIELDS
from importer.customers.specs import ACCOUNT_CURRENCIES, MAX_OWNERS


def step_names() -> Iterator[tuple[str, Meaning]]:
    """Every name, and what it means."""
    for spec in FIELDS.values():
        if spec.step:
            yield from ((name, Meaning(spec.name, 1.0)) for name in (spec.name, spec.label.replace("'s ", " ")))
    yield from _limits()
    yield from _owners()
    yield from _documents()


def _limits() -> Iterator[tuple[str, Meaning]]:
    yield from lines(names.LIMIT_CURRENCY)
    for name, meaning in chain(lines(names.LIMITS), lines(column_translations.LIMITS)):
        limit = replace(meaning, field=f"limits.{meaning.field}")
        for one in (name, f"{meaning.field} limit"):
            yield one, limit
            for code in ACCOUNT_CURRENCIES:
                yield f"{one} {code}", replace(limit, implies=("limits.currency", code))
                yield f"{one} in {code}", replace(limit, implies=("limits.currency", code))


def _owners() -> Iterator[tuple[str, Meaning]]:
    for number in range(1, MAX_OWNERS + 1):
        words = [f"{word} {number}" for word in names.OWNER_WORDS]
        words += names.FIRST_OWNER_WORDS if number == 1 else ()
        for name, meaning in lines(names.OWNER_NAMES):
            owner = _below(f"beneficiaries.{number}.", meaning)
            yield from ((f"{word} {name}", owner) for word in words)


def _documents() -> Iterator[tuple[str, Meaning]]:
    yield from lines(names.RECORDS)
    for word, document in lines(names.DOCUMENT_WORDS):
        for name, part in lines(names.DOCUMENT_NAMES):
            meaning = Meaning(f"documents.{document.field}.{part.field}", document.score)
            yield from ((one, meaning) for one in (f"{word} {name}", f"{name} of {word}"))


def _below(prefix: str, meaning: Meaning) -> Meaning:
    """The same of a field that is inside another object, what it implies included."""
    implies = (prefix + meaning.implies[0], meaning.implies[1]) if meaning.implies else None
    return replace(meaning, field=prefix + meaning.field, implies=implies)
