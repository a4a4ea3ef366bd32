"""The synonyms made ready to look up: every folded name with what it can mean. Built once, when first asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from importer.customers.rules import FIELDS
from importer.mapping import synonyms, translations
from importer.mapping.headers import key

CONTACT = "contacts.primary."

_LINE = re.compile(r"(?P<field>\(.*?\)|\S+) (?P<score>[\d.]+)(?: (?P<implied>[A-Z]+))?:(?P<names>.*(?:\n    .*)*)")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one name means.

    Args:
        field: the API's dotted name, persons in the shape that individuals have; or a stand-in of `synonyms`.
        score: how sure the name alone makes us, 0 to 1.
        group: columns of one group belong together (the address `home`); empty for a column on its own.
        implies: a field and its value that follow from the name (`Mobile Phone` is a MOBILE).
    """

    field: str
    score: float
    group: str = ""
    implies: tuple[str, str] | None = None


@lru_cache(maxsize=1)
def lexicon() -> Mapping[str, tuple[Meaning, ...]]:
    """Every folded name with its meanings, the likeliest first."""
    found: dict[str, dict[str, Meaning]] = {}
    for name, meaning in _all():
        found.setdefault(key(name), {}).setdefault(meaning.field, meaning)
    return {name: tuple(sorted(known.values(), key=lambda each: -each.score)) for name, known in found.items()}


@lru_cache(maxsize=1)
def names_by_length() -> Mapping[int, tuple[str, ...]]:
    """The folded names of each length that a misspelled name is compared with.

    Parts of addresses in other languages are not among them: they are many, and comparing takes time.
    """
    found: dict[int, dict[str, None]] = {}
    for name, _ in chain(_english(), _lines(translations.NAMES)):
        folded = key(name)
        found.setdefault(len(folded), {}).setdefault(folded)
    return {length: tuple(names) for length, names in found.items()}


@lru_cache(maxsize=1)
def numbers_behind() -> tuple[str, ...]:
    """Folded names of house numbers in the languages that write them behind the street."""
    terms = (terms for terms in translations.ADDRESSES if not terms.number_first)
    parts = chain.from_iterable(_lines(each.names) for each in terms)
    return tuple(key(name) for name, part in parts if part.field == synonyms.HOUSE_NUMBER)


@lru_cache(maxsize=1)
def not_ours() -> frozenset[str]:
    """Folded names that are something else."""
    return frozenset(key(name) for table in (synonyms.NOT_OURS, translations.NOT_OURS) for name in table.split(","))


def _all() -> Iterator[tuple[str, Meaning]]:
    return chain(_english(), _lines(translations.NAMES), _translated_addresses())


def _english() -> Iterator[tuple[str, Meaning]]:
    yield from _own_names()
    yield from _lines(synonyms.NAMES)
    for name, meaning in _lines(synonyms.CONTACT_NAMES):
        for word in synonyms.CONTACT_WORDS:
            implies = (CONTACT + meaning.implies[0], meaning.implies[1]) if meaning.implies else None
            yield f"{word} {name}", Meaning(CONTACT + meaning.field, meaning.score, "contact", implies)
    for word, address in _lines(synonyms.ADDRESS_WORDS):
        yield from _address(word, address)


def _own_names() -> Iterator[tuple[str, Meaning]]:
    """The API's names and the labels of our templates: certain."""
    for spec in FIELDS.values():
        parts = spec.name.split(".")
        group = _group(parts[1]) if parts[0] == "addresses" else ""
        label = spec.label.replace("'s ", " ")  # templates say `Contact first name`
        yield from ((name, Meaning(spec.name, 1.0, group)) for name in (spec.name, spec.label, label))


def _address(word: str, address: Meaning) -> Iterator[tuple[str, Meaning]]:
    for name, part in _lines(synonyms.ADDRESS_NAMES):
        of_person = part.field.startswith("name.") or part.field == synonyms.FULL_NAME
        if of_person and address.field != "shipping":
            continue
        meaning = Meaning(f"addresses.{address.field}.{part.field}", address.score, _group(word))
        yield f"{word} {name}", meaning
        if name == "street" and "address" in word:
            yield word, meaning


def _translated_addresses() -> Iterator[tuple[str, Meaning]]:
    """`Ort` alone, which goes with the unnamed columns of any language; `Rechnung Ort`, and `Ville de livraison`."""
    for terms in translations.ADDRESSES:
        addresses = list(_lines(terms.words))
        for name, part in _lines(terms.names):
            yield name, Meaning(f"addresses.mailing.{part.field}", 0.95, _group(""))
            for word, address in addresses:
                meaning = Meaning(f"addresses.{address.field}.{part.field}", address.score, _group(word))
                yield f"{word} {name}", meaning
                yield from ((f"{name} {link} {word}", meaning) for link in terms.links)


def _group(word: str) -> str:
    """Name an address by what its columns begin with; `Address City` and `City` are of the same."""
    return f"{word.removesuffix('address').strip() or 'plain'} address"


def _lines(table: str) -> Iterator[tuple[str, Meaning]]:
    for line in _LINE.finditer(table):
        field, implied = line["field"], line["implied"]
        implies = (synonyms.IMPLIED[field], implied) if implied else None
        for name in line["names"].split(","):
            yield name.strip(), Meaning(field, float(line["score"]), implies=implies)
