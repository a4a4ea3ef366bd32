"""What request bodies mean: whether one and a customer that the API returned are equal, and how both carry a stamp.

Null, absent and "" are equal. What the server owns or hides (ids, dates, statuses, a truncated
`socialId`) does not count, nor do metadata that we did not send. A field that we know, that the server
has and that we did not send, is a difference: it may be another person's record.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from importer.customers.rules import READING_FIELDS, field_spec, is_known_field
from importer.customers.shape import flatten, primary_last

_HIDDEN = frozenset({"socialId"})
_METADATA = "metadata."


def compare(payload: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[str, ...]:
    """Name the fields, dotted and sorted, that differ between what we send and what the API returned.

    Letters' case does not count in email addresses, countries and states; phones are compared by their digits;
    addresses by type, whatever their order.
    """
    sent = dict(flatten(payload))
    known = {name: value for name, value in flatten(_like(payload, body)) if _is_compared(name)}
    names = set(sent) | {name for name in known if not name.startswith(_METADATA)}
    return tuple(sorted(name for name in names if name not in _HIDDEN and _differ(name, sent, known)))


def meaning(body: Mapping[str, Any], key: str) -> bytes:
    """Write down what a request body means, the same for every body that means the same.

    The order of members and of addresses or contacts does not count, nor do null, absent, "" and empty objects, nor
    metadata that hold the import key.

    Args:
        key: the import key that the body carries, under whatever name.
    """
    if isinstance(metadata := body.get("metadata"), dict):
        body = {**body, "metadata": {name: value for name, value in metadata.items() if value != key}}
    return json.dumps(_canonical(body), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _canonical(value: Any) -> Any:
    """Leave out what says nothing, and give lists one order; None where nothing is left."""
    if isinstance(value, dict):
        members = ((name, _canonical(part)) for name, part in value.items())
        return {name: part for name, part in members if part is not None} or None
    if isinstance(value, list):
        parts = [part for part in map(_canonical, value) if part is not None]
        if len(parts) > 1:
            parts.sort(key=lambda part: json.dumps(part, sort_keys=True))
        return parts or None
    return None if value == "" else value


def _is_compared(name: str) -> bool:
    return is_known_field(name) and name not in READING_FIELDS


def _like(payload: Mapping[str, Any], body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of several addresses of one type in the body, prefer the one that equals ours."""
    ours = {one.get("type"): dict(flatten({"addresses": [one]})) for one in payload.get("addresses") or ()}
    chosen: dict[str, Mapping[str, Any]] = {}
    for address in primary_last(body.get("addresses")):
        kind = str(address.get("type"))
        if kind not in chosen or not _equal(ours.get(kind, {}), chosen[kind]):
            chosen[kind] = address
    return {**body, "addresses": list(chosen.values())}


def _equal(ours: Mapping[str, str], address: Mapping[str, Any]) -> bool:
    theirs = dict(flatten({"addresses": [address]}))
    return not any(_differ(name, ours, theirs) for name in set(ours) | set(theirs))


def _differ(name: str, ours: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
    return _comparable(name, ours.get(name, "")) != _comparable(name, theirs.get(name, ""))


def _comparable(name: str, text: str) -> str:
    spec = field_spec(name)
    match spec.kind if spec else None:
        case "phone":
            return re.sub(r"\D", "", text)
        case "email":
            return text.lower()
        case "enum" | "country" | "state" | "postal":
            return text.upper()
        case _:
            return text


# --------------------------------------------------------------------------- stamps


class CustomerBodies:
    """Bodies of customers, which carry their import key in `metadata`. Implements `core.contract.Bodies`."""

    meaning = staticmethod(meaning)

    def bears(self, body: Mapping[str, Any], key: str) -> bool:
        """Whether a pair of metadata holds an import key."""
        wanted = key.casefold()
        return any(isinstance(value, str) and value.casefold() == wanted for value in _metadata(body).values())

    def stamp_of(self, body: Mapping[str, Any], name: str) -> object | None:
        """The pair of metadata under a name, in whatever letters."""
        named = _names(body, name)
        return _metadata(body)[named[0]] if named else None

    def differences(
        self, payload: bytes, body: Mapping[str, Any], stamp: str, *, loses_metadata: bool = False
    ) -> tuple[str, ...]:
        """Name the fields that differ, the stamp aside."""
        fields = compare(_without_stamp(json.loads(payload), stamp), _without_stamp(body, stamp))
        if not loses_metadata:
            return fields
        return tuple(name for name in fields if not name.startswith(_METADATA))

    def flat(self, body: Mapping[str, Any]) -> dict[str, str]:
        """The texts of a body by dotted name."""
        return dict(flatten(body))

    def stamp_field(self, name: str) -> str:
        """A pair of metadata."""
        return f"{_METADATA}{name}"

    def stamp(self, body: dict[str, Any], name: str, key: str) -> None:
        """Add a pair of metadata."""
        body.setdefault("metadata", {})[name] = key


def _names(body: Mapping[str, Any], stamp: str) -> tuple[str, ...]:
    """The metadata names that are the stamp's, in whatever letters."""
    return tuple(name for name in _metadata(body) if name.casefold() == stamp.casefold())


def _metadata(body: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = body.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}


def _without_stamp(body: Mapping[str, Any], stamp: str) -> Mapping[str, Any]:
    names = _names(body, stamp) if stamp else ()
    if not names:
        return body
    rest = {name: value for name, value in _metadata(body).items() if name not in names}
    return {**body, "metadata": rest}
