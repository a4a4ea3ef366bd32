"""Which fields show that a row has an object that it may lack: an address, limits, an owner, a document. Data only."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType

from importer.core.contract import PresenceFields
from importer.customers.rules import FIELDS
from importer.customers.specs import ADDRESS_PRESENCE, ADDRESS_TYPES, MAX_OWNERS

_OFTEN_CONSTANT = ("countrycode", ".type", ".sex")
"""Ends of the names of what is often the same in all rows, those without the object included."""


def _presence() -> Iterator[tuple[str, tuple[str, ...]]]:
    """What is inside another object comes before it."""
    for word in ADDRESS_TYPES:
        yield _with(f"addresses.{word}.", *ADDRESS_PRESENCE)
    yield _with("limits.", "single", "daily", "weekly", "monthly")
    for number in range(1, MAX_OWNERS + 1):
        owner = f"beneficiaries.{number}."
        yield _with(f"{owner}addresses.physical.", *ADDRESS_PRESENCE)
        yield _with(f"{owner}primaryPhoneNumber.", "number")
        yield _with(f"{owner}primaryEmail.", "value")
        own = (name for name in FIELDS if name.startswith(owner) and not name.lower().endswith(_OFTEN_CONSTANT))
        yield owner, tuple(own)
    for name in FIELDS:
        if name.startswith("documents.") and name.endswith(".file"):
            yield _with(name.removesuffix("file"), "file")


def _with(prefix: str, *keys: str) -> tuple[str, tuple[str, ...]]:
    return prefix, tuple(prefix + key for key in keys)


PRESENCE_FIELDS: PresenceFields = MappingProxyType(dict(_presence()))
"""What the names of an object's fields begin with, to the fields of which a row has one where it has the object."""
