"""Is one of these customers the record in hand? Pure.

The proof is the stamp: every create carries its import key in `metadata`, and a key is nobody else's. Whether a
customer without it can be ours depends on the target (`stamps`); what is equal then is told here (null, absent
and "" are equal).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from importer.core.outcomes import Candidate, Record
from importer.customers.identity import compare


@dataclass(frozen=True, slots=True)
class Match:
    """What the candidates come to.

    Args:
        stamped: customers that bear this row's import key: ours by proof.
        unstamped: customers with the same data and nobody's key.
        same: customers with the same data, by whom ever they were created.
        different: customers under the same externalId with other data, and the fields that differ.
    """

    stamped: tuple[Candidate, ...] = ()
    unstamped: tuple[Candidate, ...] = ()
    same: tuple[Candidate, ...] = ()
    different: tuple[tuple[Candidate, tuple[str, ...]], ...] = ()


def compare_with(record: Record, candidates: Sequence[Candidate], stamp: str, *, loses_metadata: bool = False) -> Match:
    """Judge what a look-up returned.

    Args:
        stamp: the metadata name of the import key; empty when creates are not stamped.
        loses_metadata: the target was seen to lose it, so a customer without any may be the same one.
    """
    sent = _without_stamp(json.loads(record.payload), stamp)
    differing = [
        (one, _differences(sent, _without_stamp(one.body, stamp), loses_metadata=loses_metadata)) for one in candidates
    ]
    same = tuple(one for one, fields in differing if not fields)
    return Match(
        stamped=tuple(one for one in candidates if bears(one, record.key)),
        unstamped=tuple(one for one in same if not (stamp and _names(one.body, stamp)) and not bears(one, record.key)),
        same=same,
        different=tuple((one, fields) for one, fields in differing if fields),
    )


def bears(candidate: Candidate, key: str) -> bool:
    """Tell whether a customer bears an import key; some servers change the names and letters of metadata."""
    return any(
        isinstance(value, str) and value.casefold() == key.casefold() for value in _metadata(candidate.body).values()
    )


def _differences(sent: Mapping[str, Any], body: Mapping[str, Any], *, loses_metadata: bool) -> tuple[str, ...]:
    fields = compare(sent, body)
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
