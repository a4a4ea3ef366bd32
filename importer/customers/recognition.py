"""Whether a customer that the API returned is the record in hand: the stamp in its metadata, and the rest of it.

Pure. What is equal is said by `customers.comparison`: null, absent and "" are equal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from importer.customers.comparison import compare


class CustomerRecognition:
    """Recognises customers. Implements `ports.Recognition`."""

    def bears(self, body: Mapping[str, Any], key: str) -> bool:
        wanted = key.casefold()
        return any(isinstance(value, str) and value.casefold() == wanted for value in _metadata(body).values())

    def stamp_of(self, body: Mapping[str, Any], name: str) -> object | None:
        named = _names(body, name)
        return _metadata(body)[named[0]] if named else None

    def differences(
        self, payload: bytes, body: Mapping[str, Any], stamp: str, *, loses_metadata: bool = False
    ) -> tuple[str, ...]:
        fields = compare(_without_stamp(json.loads(payload), stamp), _without_stamp(body, stamp))
        if not loses_metadata:
            return fields
        return tuple(name for name in fields if not name.startswith("metadata."))


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
