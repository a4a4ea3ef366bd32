"""Several rows that are one business become one request body with several contacts, or contradict each other. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from importer.core.contract import Contradiction
from importer.customers.codes import ISSUE_CODES
from importer.customers.likeness import folded_name
from importer.customers.shape import flatten
from importer.customers.specs import MAX_CONTACTS, MAX_METADATA_PAIRS, STEPS, CustomerType


def merge(
    bodies: Sequence[Mapping[str, Any]], main: int, *, stamp: str, key: str, alike: Sequence[str] = ()
) -> dict[str, Any] | Contradiction:
    """Make one body of the bodies of a group's rows.

    What is blank in one row is taken from another. Contacts that are equal in everything are one.

    Args:
        bodies: valid request bodies of businesses, with one contact each, and what steps after the create send.
        main: place of the row whose contact is the main one, and whose spelling is taken.
        stamp: the metadata name of the import key; empty: it is not stamped.
        key: the import key of the group.
        alike: fields that the rows are grouped by: equal but for their writing.
    """
    parts: dict[str, tuple[int, Any]] = {}
    for place in (main, *(other for other in range(len(bodies)) if other != main)):
        for name, value in _own_parts(bodies[place], stamp):
            before, known = parts.setdefault(name, (place, value))
            if known != value and name not in alike:
                return Contradiction(_first_difference(name, known, value), (min(before, place), max(before, place)))
    pairs = {name.removeprefix(_METADATA): value for name, (_, value) in parts.items() if name.startswith(_METADATA)}
    if stamp:
        pairs[stamp] = key
    if len(pairs) > MAX_METADATA_PAIRS:
        last = next(name for name in reversed(parts) if name.startswith(_METADATA))
        return Contradiction(last, (0, len(bodies) - 1), "metadata_too_many", ISSUE_CODES["metadata_too_many"].message)
    own = {name: value for name, (_, value) in parts.items() if not name.startswith((_METADATA, _ADDRESS, *_OF_STEPS))}
    addresses = [value for name, (_, value) in parts.items() if name.startswith(_ADDRESS)]
    return {
        **own,
        **({"addresses": addresses} if addresses else {}),
        **({"metadata": pairs} if pairs else {}),
        "contacts": _contacts(bodies, main),
        **_of_steps({name: value for name, (_, value) in parts.items()}),
    }


def _of_steps(parts: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, value in parts.items():
        if name.startswith(_OF_STEPS):
            step, _, part = name.partition(".")
            found.setdefault(step, {})[part] = value
    return found


_METADATA, _ADDRESS = "metadata.", "addresses."
_OF_STEPS = tuple(f"{step}." for step in STEPS)


def _own_parts(body: Mapping[str, Any], stamp: str) -> Iterator[tuple[str, Any]]:
    """Take a body apart into what can be given or left out as one: a field, an address, a pair, an owner."""
    for name, value in body.items():
        if name == "addresses":
            yield from ((f"{_ADDRESS}{address['type']}", address) for address in value)
        elif name == "metadata":
            yield from ((f"{_METADATA}{pair}", text) for pair, text in value.items() if pair != stamp)
        elif name in STEPS:
            yield from ((f"{name}.{part}", one) for part, one in value.items())
        elif name != "contacts":
            yield name, value


def _first_difference(name: str, one: Any, other: Any) -> str:
    """Name the field in which two parts of one name differ."""
    root = name.partition(".")[0]
    if root == "addresses":
        mine, theirs = dict(flatten({root: [one]})), dict(flatten({root: [other]}))
    elif root in STEPS and isinstance(one, Mapping) and isinstance(other, Mapping):
        mine, theirs = ({f"{name}.{key}": text for key, text in flatten(part)} for part in (one, other))
    else:
        return name
    return next((field for field in {**mine, **theirs} if mine.get(field) != theirs.get(field)), name)


def _contacts(bodies: Sequence[Mapping[str, Any]], main: int) -> list[dict[str, Any]]:
    people = [bodies[main]["contacts"][0], *(body["contacts"][0] for body in bodies)]
    different = {json.dumps({**person, "primary": True}, sort_keys=True): person for person in people}
    return [{**person, "primary": first} for first, person in zip(_first_only(), different.values(), strict=False)]


def _first_only() -> Iterator[bool]:
    yield True
    while True:
        yield False


class Businesses:
    """Rows that are one business with a contact from each. Implements `core.contract.Groups`."""

    record_type: str = CustomerType.BUSINESS
    name_field: str = "businessName"
    most: int = MAX_CONTACTS
    several_mains: str = "contacts_primary"
    merge = staticmethod(merge)

    def distinguishes(self, name: str) -> bool:
        """A contact's fields differ from row to row."""
        return not name.startswith("contacts.") and name != "type"

    def folded(self, name: str, texts: Sequence[str]) -> list[str]:
        """A business's name counts by its letters and digits, everything else without case and surplus blanks."""
        if name == self.name_field:
            return list(map(folded_name, texts))
        return [" ".join(text.casefold().split()) for text in texts]
