"""The rows of a batch that are customers of one type, checked; and the batch put together from such parts."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TypeVar

from importer.records import ChangeColumn, ChangeLog, CheckedBatch, Issue, RawBatch
from importer.validation.findings import Findings
from importer.validation.readiness import Readiness
from importer.validation.table import Table

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one type of customer, one entry a row.

    Args:
        places: where these rows stand in the batch, ascending.
    """

    places: Sequence[int]
    found: Findings
    payloads: Sequence[bytes | None]
    keys: Sequence[str | None]
    external_ids: Sequence[str]
    readiness: Readiness
    likenesses: Mapping[str, Sequence[str]] = field(default_factory=dict)
    prints: Mapping[str, array[int]] = field(default_factory=dict)


def unread_part(places: Sequence[int], found: Findings, table: Table) -> Part:
    """Make the part of the rows whose type of customer cannot be read: nothing of them is sent."""
    nothing = [None] * len(places)
    return Part(places, found, nothing, nothing, table.column("externalId"), Readiness([False] * len(places)))


def whole(raw: RawBatch, parts: Sequence[Part], before: Sequence[ChangeColumn] = ()) -> CheckedBatch:
    """Put a batch together from its parts, each row in its place.

    Args:
        before: what was changed before the rows were checked.
    """
    size = len(raw)
    missing: Counter[str] = Counter()
    for part in parts:
        missing.update(part.readiness.missing)
    return CheckedBatch(
        raw,
        payloads=_scattered(size, [(part.places, part.payloads) for part in parts]),
        keys=_scattered(size, [(part.places, part.keys) for part in parts]),
        external_ids=_scattered(size, [(part.places, part.external_ids) for part in parts]),
        issues=_issues(parts),
        changes=ChangeLog([*before, *(column for part in parts for column in part.found.changes())]),
        likenesses=_likenesses(size, parts),
        prints=_prints(size, parts),
        idv_ready=_scattered(size, [(part.places, part.readiness.ready) for part in parts]),
        idv_missing=dict(missing),
    )


def _scattered(size: int, parts: Sequence[tuple[Sequence[int], Sequence[T]]]) -> Sequence[T]:
    if len(parts) == 1:
        return parts[0][1]
    found = {place: value for places, values in parts for place, value in zip(places, values, strict=True)}
    return [found[place] for place in range(size)]


def _issues(parts: Sequence[Part]) -> tuple[Issue, ...]:
    issues = [issue for part in parts for issue in part.found.issues]
    return tuple(sorted(issues, key=attrgetter("ordinal")))


def _likenesses(size: int, parts: Sequence[Part]) -> Mapping[str, Sequence[str]]:
    if len(parts) == 1:
        return parts[0].likenesses
    found = {kind: [""] * size for part in parts for kind in part.likenesses}
    for part in parts:
        for kind, texts in part.likenesses.items():
            for place, text in zip(part.places, texts, strict=True):
                found[kind][place] = text
    return found


def _prints(size: int, parts: Sequence[Part]) -> Mapping[str, array[int]]:
    if len(parts) == 1:
        return parts[0].prints
    found = {kind: array("q", bytes(8 * size)) for part in parts for kind in part.prints}
    for part in parts:
        for kind, numbers in part.prints.items():
            for place, number in zip(part.places, numbers, strict=True):
                found[kind][place] = number
    return found
