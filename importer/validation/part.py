"""The rows of a batch that are records of one type, read by pydantic; and the batch put together from such parts."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from importer.core.batches import ChangeColumn, ChangeLog, CheckedBatch, MappedBatch
from importer.core.contract import Contract, Notes, Readiness
from importer.core.issues import IssueCollector, IssueKind

T = TypeVar("T")
Values = list[dict[str, Any] | None]
"""What pydantic made of each row; None where the row has an error."""
_NO_DIGEST = bytes(32)


def read_rows(
    contract: Contract,
    adapter: TypeAdapter[dict[str, Any]],
    rows: Iterable[Any],
    notes: Notes,
    kept: Callable[[dict[str, Any]], T],
) -> list[T | None]:
    """Have every row validated as a record, one after the other; what is wrong with it is noted.

    Args:
        kept: makes of a valid record what is kept of it.
    """
    validate = adapter.validator.validate_python
    values: list[T | None] = []
    for place, row in enumerate(rows):
        notes.place = place
        try:
            value = validate(row, context=notes, extra="ignore")  # rows are made from the type: there is none
            values.append(kept(value))
        except ValidationError as error:
            if place not in notes.failed_rows():  # the type notes nothing itself
                _note(contract, error, notes)
            values.append(None)
    return values


def _note(contract: Contract, error: ValidationError, notes: Notes) -> None:
    """Note what pydantic's own types refused: under the name of pydantic's error, or as `value_invalid`.

    Raises:
        ValidationError: it is not about the row, or the contract has no code for it.
    """
    for line in error.errors(include_url=False, include_input=False):
        name = ".".join(str(step) for step in line["loc"])
        code = line["type"] if line["type"] in contract.codes else _PLAIN.get(line["type"], "value_invalid")
        if code not in contract.codes or contract.spec(name) is None:
            raise error
        notes.fail(code, name)


_PLAIN = {"missing": "required_missing", "string_too_long": "too_long"}
"""Pydantic's errors for which every contract has a code."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in rows of one record type.

    Args:
        places: where these rows are in the batch, ascending.
    """

    places: Sequence[int]
    notes: Notes


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one record type, one entry a row."""

    found: Found
    payloads: Sequence[bytes | None]
    keys: Sequence[str | None]
    external_ids: Sequence[str]
    readiness: Readiness | None
    likenesses: Mapping[str, array[int]] = field(default_factory=dict)
    prints: Mapping[str, array[int]] = field(default_factory=dict)
    after: Sequence[bytes | None] = ()
    digests: Sequence[bytes | None] = ()

    @classmethod
    def unread(cls, contract: Contract, found: Found, external_ids: Sequence[str]) -> Part:
        """Make the part of rows whose record type cannot be read: nothing of them is sent, nor is missing."""
        errors, of_types = found.notes.errors, contract.checks.codes_of_types
        for said in [said for said in errors if said[0] in of_types and said[1] != contract.fields.type_field]:
            del errors[said]
        nothing = [None] * len(found.places)
        return cls(found, nothing, nothing, external_ids, Readiness([False] * len(found.places)))

    @property
    def places(self) -> Sequence[int]:
        """Where these rows are in the batch."""
        return self.found.places


def whole(contract: Contract, batch: MappedBatch, parts: Sequence[Part]) -> CheckedBatch:
    """Put a batch together from its parts, each row in its place."""
    size = len(batch.raw)
    ready = [(part.places, part.readiness.ready) for part in parts if part.readiness is not None]
    missing: Counter[str] = Counter()
    for part in parts:
        missing.update(part.readiness.missing if part.readiness is not None else {})
    return CheckedBatch(
        batch.raw,
        payloads=_scattered(size, [(part.places, part.payloads) for part in parts]),
        keys=_scattered(size, [(part.places, part.keys) for part in parts]),
        external_ids=_scattered(size, [(part.places, part.external_ids) for part in parts]),
        issues=_issues(contract, batch, parts),
        changes=ChangeLog([*batch.changes, *(column for part in parts for column in _changes(batch, part))]),
        likenesses=_numbers(size, [(part.places, part.likenesses) for part in parts]),
        prints=_numbers(size, [(part.places, part.prints) for part in parts]),
        idv_ready=_scattered(size, ready) if len(ready) == len(parts) else None,
        idv_missing=dict(missing),
        after=_optional(size, [(part, part.after) for part in parts]),
        digests=_joined(_optional(size, [(part, part.digests) for part in parts])),
    )


def _issues(contract: Contract, batch: MappedBatch, parts: Sequence[Part]) -> Sequence[Any]:
    if not (
        batch.raw.issues or batch.issues or any(part.found.notes.errors or part.found.notes.warnings for part in parts)
    ):
        return ()
    collector = IssueCollector()
    collector.extend(batch.raw.issues)
    collector.extend(batch.issues)
    order = {name: place for place, name in enumerate(dict.fromkeys((*contract.fields.sent, *batch.columns)))}
    for part in parts:
        for found in (part.found.notes.errors, part.found.notes.warnings):
            # Issues of a row come by field and code: the order in which a batch met them is not that of another batch.
            for said, places in sorted(found.items(), key=lambda one: (order.get(one[0][1], len(order)), one[0][0])):
                collector.add_all(_ordinals(batch, part, places), _kind(contract, batch, *said))
    return collector.log()


def _kind(contract: Contract, batch: MappedBatch, code: str, name: str, countries: tuple[str, ...]) -> IssueKind:
    text = contract.message(code, contract.spec(name), countries)
    return IssueKind(code, text, name, batch.columns.get(name, ""), contract.codes[code].severity)


def _changes(batch: MappedBatch, part: Part) -> Iterable[ChangeColumn]:
    """All changes of a part, by field and rule, each in row order."""
    order = {name: place for place, name in enumerate(batch.frame.columns)}
    changes = part.found.notes.changes
    for rule, name in sorted(changes, key=lambda one: order.get(one[1], len(order))):
        places, before, after = changes[rule, name]
        yield ChangeColumn(rule, name, batch.columns.get(name, ""), _ordinals(batch, part, places), before, after)


def _ordinals(batch: MappedBatch, part: Part, places: Sequence[int]) -> Sequence[int]:
    first = batch.raw.first
    if len(part.places) == len(batch.raw):
        return [first + place for place in places] if first else places
    return [first + part.places[place] for place in places]


def _scattered(size: int, parts: Sequence[tuple[Sequence[int], Sequence[T]]]) -> Sequence[T]:
    if len(parts) == 1:
        return parts[0][1]
    found = {place: value for places, values in parts for place, value in zip(places, values, strict=True)}
    return [found[place] for place in range(size)]


def _optional(size: int, parts: Sequence[tuple[Part, Sequence[bytes | None]]]) -> Sequence[bytes | None]:
    if not any(values for _, values in parts):
        return ()
    return _scattered(size, [(part.places, values or [None] * len(part.places)) for part, values in parts])


def _joined(digests: Sequence[bytes | None]) -> bytes:
    if None not in digests:
        return b"".join(cast("Sequence[bytes]", digests))
    return b"".join([one or _NO_DIGEST for one in digests])


def _numbers(size: int, parts: Sequence[tuple[Sequence[int], Mapping[str, array[int]]]]) -> Mapping[str, array[int]]:
    """Put columns of numbers together; 0 where a part has none of a kind."""
    if len(parts) == 1:
        return parts[0][1]
    found = {kind: array("q", bytes(8 * size)) for _, columns in parts for kind in columns}
    for places, columns in parts:
        for kind, numbers in columns.items():
            for place, number in zip(places, numbers, strict=True):
                found[kind][place] = number
    return found
