"""From the API's nested bodies to dotted names. Names only; no value is judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from unicodedata import normalize

from importer.customers.specs import ADDRESS_TYPES

_WORDS = {api: word for word, api in ADDRESS_TYPES.items()}


def flatten(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the dotted names and texts of a body, blanks and marks of primacy aside.

    Of several addresses of a type, or contacts, the primary one comes last.
    """
    for name, value in body.items():
        if name == "addresses":
            for address in primary_last(value):
                yield from _flat(f"addresses.{_WORDS.get(str(address.get('type')), 'other')}", _unmarked(address))
        elif name == "contacts":
            for contact in primary_last(value)[-1:]:
                yield from _flat("contacts.primary", _unmarked(contact))
        else:
            yield from _flat(name, value)


def _unmarked(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in {"type", "primary"}}


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _flat(f"{name}.{key}", part)
    elif value not in (None, "", []):
        yield name, normalize("NFC", str(value)).strip()


def primary_last(items: Any) -> list[Mapping[str, Any]]:
    """Order addresses or contacts so that the primary one comes last; anything that is none is left out."""
    found = [one for one in items or () if isinstance(one, Mapping)] if isinstance(items, list | tuple) else []
    return sorted(found, key=lambda one: bool(one.get("primary")))
