"""Is one of these customers the record in hand? Pure.

The proof is the stamp: every create carries its import key in `metadata`. Where the stamp is switched
off, equality of everything that was sent stands in for it (null, absent and "" are equal), and more than
one equal customer is no proof at all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from importer.customers.identity import compare
from importer.records import Candidate, Record


@dataclass(frozen=True, slots=True)
class Match:
    """What the candidates come to.

    Args:
        ours: the one customer that this very record created; None when there is none.
        same: customers with the same data, by whom ever they were created.
        ambiguous: several could be ours: nobody can tell.
        different: customers under the same externalId with other data, and the fields that differ.
    """

    ours: Candidate | None = None
    same: tuple[Candidate, ...] = ()
    ambiguous: tuple[Candidate, ...] = ()
    different: tuple[tuple[Candidate, tuple[str, ...]], ...] = ()


def compare_with(record: Record, candidates: Sequence[Candidate], stamp: str) -> Match:
    """Judge what a look-up returned.

    Args:
        stamp: the metadata name of the import key; empty when creates are not stamped.
    """
    sent = _without_stamp(json.loads(record.payload), stamp)
    stamped = [one for one in candidates if stamp and _stamp_of(one, stamp) == record.key]
    differing = [(one, compare(sent, _without_stamp(one.body, stamp))) for one in candidates]
    same = tuple(one for one, fields in differing if not fields)
    proofs = stamped if stamp else list(same)
    return Match(
        ours=proofs[0] if len(proofs) == 1 else None,
        same=same,
        ambiguous=tuple(proofs) if len(proofs) > 1 else (),
        different=tuple((one, fields) for one, fields in differing if fields),
    )


def _stamp_of(candidate: Candidate, stamp: str) -> Any:
    metadata = candidate.body.get("metadata")
    return metadata.get(stamp) if isinstance(metadata, Mapping) else None


def _without_stamp(body: Mapping[str, Any], stamp: str) -> Mapping[str, Any]:
    metadata = body.get("metadata")
    if not stamp or not isinstance(metadata, Mapping) or stamp not in metadata:
        return body
    rest = {name: value for name, value in metadata.items() if name != stamp}
    return {**body, "metadata": rest}
