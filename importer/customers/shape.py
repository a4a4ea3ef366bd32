"""Between a row's dotted names and the API's nested bodies, both ways. Names only; no value is judged.

An address exists where one of its telling parts is given; a country, a state or a name alone make none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from unicodedata import normalize

from importer.customers.places import find_country
from importer.customers.rules import ADDRESS_TYPES, ADDRESS_WITNESSES, PHONE_ADDRESSES, CustomerType, field_spec
from importer.customers.text import clean, is_blank

_WORDS = {api: word for word, api in ADDRESS_TYPES.items()}


def nest(row: Mapping[str, str], customer_type: CustomerType) -> dict[str, Any]:
    """Turn a row of texts by dotted names into a body for `Individual` or `Business`; blanks are left out.

    Fields that this type of customer does not have are left out too.
    """
    given = {name: text for name, text in row.items() if _belongs(name, customer_type) and not is_blank(text)}
    body: dict[str, Any] = {"type": customer_type.value}
    for name, text in given.items():
        if name != "type" and not name.startswith(("addresses.", "contacts.")):
            _put(body, name.split(".", 1) if name.startswith("metadata.") else name.split("."), text)
    country = _own_country(given)
    if country and "primaryPhoneNumber" in body:
        body["primaryPhoneNumber"].setdefault("country", country)
    if addresses := [_address(word, given) for word in ADDRESS_TYPES if _has_address(word, given)]:
        body["addresses"] = addresses
    if customer_type is CustomerType.BUSINESS:
        contact = _below("contacts.primary.", given)
        if country and "primaryPhoneNumber" in contact:
            contact["primaryPhoneNumber"].setdefault("country", country)
        body["contacts"] = [{"primary": True, **contact}]
    return body


def _own_country(given: Mapping[str, str]) -> str:
    """Find the country (alpha-3) that the row names for its phone numbers, an address or not; empty: none."""
    texts = (given.get(f"addresses.{word}.countryCode", "") for word in PHONE_ADDRESSES)
    return next(filter(None, (find_country(clean(text).value) for text in texts)), "")


def _belongs(name: str, customer_type: CustomerType) -> bool:
    spec = field_spec(name)
    return spec is not None and customer_type in spec.types


def _has_address(word: str, given: Mapping[str, str]) -> bool:
    return any(f"addresses.{word}.{part}" in given for part in ADDRESS_WITNESSES)


def _address(word: str, given: Mapping[str, str]) -> dict[str, Any]:
    address = {"type": ADDRESS_TYPES[word], "primary": True, **_below(f"addresses.{word}.", given)}
    if word == "shipping":
        address.setdefault("name", {})
    return address


def _below(prefix: str, given: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, text in given.items():
        if name.startswith(prefix):
            _put(found, name.removeprefix(prefix).split("."), text)
    return found


def _put(body: dict[str, Any], path: list[str], text: str) -> None:
    for step in path[:-1]:
        body = body.setdefault(step, {})
    body[path[-1]] = text


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
