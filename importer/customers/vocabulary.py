"""The names of columns as the mapping takes them: every name with what it can mean, made from the tables of names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

from importer.core.contract import Kind, Meaning, Vocabulary
from importer.core.contract.headers import key
from importer.customers import column_names, column_translations
from importer.customers.column_tables import lines
from importer.customers.rules import FIELDS
from importer.customers.specs import CONTACT
from importer.customers.step_vocabulary import step_names


@lru_cache(maxsize=1)
def numbers_behind() -> tuple[str, ...]:
    """Folded names of house numbers in the languages that write them behind the street."""
    terms = (terms for terms in column_translations.ADDRESSES if not terms.number_first)
    parts = chain.from_iterable(lines(each.names) for each in terms)
    return tuple(key(name) for name, part in parts if part.field == column_names.HOUSE_NUMBER)


def _names() -> Iterator[tuple[str, Meaning]]:
    return chain(_english(), lines(column_translations.NAMES), _translated_addresses(), step_names())


def _english() -> Iterator[tuple[str, Meaning]]:
    yield from _own_names()
    yield from lines(column_names.NAMES)
    for name, meaning in lines(column_names.CONTACT_NAMES):
        for word in column_names.CONTACT_WORDS:
            implies = (CONTACT + meaning.implies[0], meaning.implies[1]) if meaning.implies else None
            yield f"{word} {name}", Meaning(CONTACT + meaning.field, meaning.score, "contact", implies)
    for word, address in lines(column_names.ADDRESS_WORDS):
        yield from _address(word, address)


def _own_names() -> Iterator[tuple[str, Meaning]]:
    """The API's names and the labels of our templates: certain."""
    for spec in (spec for spec in FIELDS.values() if not spec.step):
        parts = spec.name.split(".")
        group = _group(parts[1]) if parts[0] == "addresses" else ""
        label = spec.label.replace("'s ", " ")  # templates say `Contact first name`
        yield from ((name, Meaning(spec.name, 1.0, group)) for name in (spec.name, spec.label, label))


def _address(word: str, address: Meaning) -> Iterator[tuple[str, Meaning]]:
    for name, part in lines(column_names.ADDRESS_NAMES):
        of_person = part.field.startswith("name.") or part.field == column_names.FULL_NAME
        if of_person and address.field != "shipping":
            continue
        meaning = Meaning(f"addresses.{address.field}.{part.field}", address.score, _group(word))
        yield f"{word} {name}", meaning
        if name == "street" and "address" in word:
            yield word, meaning


def _translated_addresses() -> Iterator[tuple[str, Meaning]]:
    """`Ort` alone, which goes with the unnamed columns of any language; `Rechnung Ort`, and `Ville de livraison`."""
    for terms in column_translations.ADDRESSES:
        addresses = list(lines(terms.words))
        for name, part in lines(terms.names):
            yield name, Meaning(f"addresses.mailing.{part.field}", 0.95, _group(""))
            for word, address in addresses:
                meaning = Meaning(f"addresses.{address.field}.{part.field}", address.score, _group(word))
                yield f"{word} {name}", meaning
                yield from ((f"{name} {link} {word}", meaning) for link in terms.links)


def _group(word: str) -> str:
    """Name an address by what its columns begin with; `Address City` and `City` are of the same."""
    return f"{word.removesuffix('address').strip() or 'plain'} address"


def _spelled() -> Iterator[str]:
    """Left out are what steps send, and parts of addresses in other languages: they are many, and comparing is slow."""
    return (name for name, _ in chain(_english(), lines(column_translations.NAMES)))


def _not_ours() -> Iterator[str]:
    return chain(column_names.NOT_OURS.split(","), column_translations.NOT_OURS.split(","))


VOCABULARY = Vocabulary(
    names=_names,
    spelled=_spelled,
    not_ours=_not_ours,
    other_people=frozenset(column_names.OTHER_PEOPLE.split()),
    by_content={Kind.EMAIL: ("primaryEmail.value", 0.75), Kind.PHONE: ("primaryPhoneNumber.number", 0.65)},
)
"""The names of columns that hold customers."""
