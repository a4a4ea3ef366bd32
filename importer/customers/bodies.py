"""What request bodies mean, and how they and the customers that the API returns carry a stamp. Pure.

How a body is compared with such a customer is in `comparison`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from importer.core.steps import Difference
from importer.customers.comparison import METADATA, compare, names_of
from importer.customers.shape import flatten


def meaning(body: Mapping[str, Any], key: str) -> bytes:
    """Write down what a request body means, the same for every body that means the same.

    The order of members and of addresses or contacts does not count, nor do null, absent, "" and empty objects, nor
    metadata that hold the import key.

    Args:
        key: the import key that the body carries, under whatever name.
    """
    if isinstance(metadata := body.get("metadata"), dict):
        body = {**body, "metadata": {name: value for name, value in metadata.items() if value != key}}
    return json.dumps(canonical(body), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def canonical(value: Any) -> Any:
    """Leave out what says nothing, and give lists one order; None where nothing is left."""
    if isinstance(value, dict):
        members = ((name, canonical(part)) for name, part in value.items())
        return {name: part for name, part in members if part is not None} or None
    if isinstance(value, list):
        parts = [part for part in map(canonical, value) if part is not None]
        if len(parts) > 1:
            parts.sort(key=lambda part: json.dumps(part, sort_keys=True))
        return parts or None
    return None if value == "" else value


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

    def read_back(
        self, payload: bytes, body: Mapping[str, Any], stamp: str, *, loses_metadata: bool = False
    ) -> tuple[tuple[str, Difference], ...]:
        """Name the fields that differ and how, the stamp aside."""
        found = compare(_without_stamp(json.loads(payload), stamp), _without_stamp(body, stamp))
        return tuple(one for one in found if not (loses_metadata and one[0].startswith(METADATA)))

    def differences(
        self, payload: bytes, body: Mapping[str, Any], stamp: str, *, loses_metadata: bool = False
    ) -> tuple[str, ...]:
        """Name the fields that differ, the stamp aside."""
        return names_of(self.read_back(payload, body, stamp, loses_metadata=loses_metadata))

    def flat(self, body: Mapping[str, Any]) -> dict[str, str]:
        """The texts of a body by dotted name."""
        return dict(flatten(body))

    def stamp_field(self, name: str) -> str:
        """A pair of metadata."""
        return f"{METADATA}{name}"

    def stamp(self, body: dict[str, Any], name: str, key: str) -> None:
        """Add a pair of metadata."""
        body.setdefault("metadata", {})[name] = key

    def unstamp(self, body: dict[str, Any], name: str) -> None:
        """Take the pair of metadata out; a body without other pairs has none."""
        metadata = body.get("metadata")
        if isinstance(metadata, dict) and metadata.pop(name, None) is not None and not metadata:
            del body["metadata"]


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
