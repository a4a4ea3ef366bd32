"""A mapped batch becomes request bodies and issues: every row judged, all errors of a row at once.

Columnar throughout. Rows of different types of customer are parted first, so that each part has one plan.
Never opens, sends or remembers a row; what the columns remember between batches is bounded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from importer.customers.reading import Policy
from importer.customers.rules import FIELDS, CustomerType, metadata_spec
from importer.errors import ProfileError
from importer.records import CheckedBatch, Detected, Grouping, MappedBatch
from importer.validation.between import (
    check_addresses,
    check_metadata,
    check_required,
    check_social_id,
    split_extensions,
)
from importer.validation.bodies import bodies
from importer.validation.cells import CellCheck, Texts
from importer.validation.checks import check_for
from importer.validation.columns import ColumnCheck
from importer.validation.findings import Findings
from importer.validation.groups import groups_of, mains_of
from importer.validation.identities import Identities
from importer.validation.parts import Part, unread_part, whole
from importer.validation.plan import Plan, infer_type, make_plan
from importer.validation.readiness import judge_readiness
from importer.validation.table import Table

_TYPE = FIELDS["type"]
T = TypeVar("T")


class ColumnarValidator:
    """Implements `importer.ports.Validator`.

    Args:
        policy: how strict to be, and what to assume.
        secret: the workspace's key, at most 64 bytes.
        stamp: the metadata name that carries the import key; empty: not stamped.
        no_change: fields that must be sent as they stand in the source.
        grouping: which rows are one business; None: every row is a customer of its own.
        writes_bodies: whether anybody will send what is valid; the body of a valid row is empty where nobody will.
        compares: whether anybody will compare the rows with customers of earlier runs.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        secret: bytes,
        stamp: str,
        no_change: Collection[str] = (),
        grouping: Grouping | None = None,
        writes_bodies: bool = True,
        compares: bool = True,
    ) -> None:
        self._policy = policy
        self._secret = secret
        self._named_stamp = stamp
        self._stamp = metadata_spec(stamp).name if stamp else ""
        self._no_change = frozenset(no_change)
        self._grouping = grouping
        self._writes_bodies = writes_bodies
        self._compares = compares
        self._checks: dict[str, ColumnCheck] = {}
        self._plans: dict[CustomerType | None, Plan] = {}
        self._names: frozenset[str] = frozenset()
        self._inferred: Detected | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle how to check, and nothing that was seen; the secret travels along."""
        make = partial(
            ColumnarValidator,
            secret=self._secret,
            stamp=self._named_stamp,
            no_change=self._no_change,
            grouping=self._grouping,
            writes_bodies=self._writes_bodies,
            compares=self._compares,
        )
        return make, (self._policy,)

    def prepare(self, fields: Collection[str], columns: Mapping[str, str]) -> tuple[Detected, ...]:
        """Make up the plan for the mapped fields; done with the first batch, if not before.

        Args:
            fields: dotted names that are mapped.
            columns: dotted name to source column, for those that come from one.

        Returns:
            What is assumed, for people: the type of customer where no field says it.

        Raises:
            ProfileError: there is no such field, or the import key's metadata name is mapped.
        """
        if self._stamp and self._stamp in fields:
            raise ProfileError(
                f"'{self._stamp}' is mapped, but that name carries the import key.",
                "Map it under another name, or rename the import key: `delivery.import_key_metadata`.",
            )
        self._names = frozenset(fields)
        self._inferred = infer_type(fields)
        self._plans = {kind: make_plan(kind, fields, columns) for kind in (*CustomerType, None)}
        self._checks = {spec.name: check_for(spec, self._policy) for spec in (_TYPE, *self._plans[None].checked)}
        return (self._inferred,) if self._inferred else ()

    def check(self, batch: MappedBatch) -> CheckedBatch:
        """Check and normalise all rows of a batch, finding all errors of a row at once."""
        if self._names != batch.fields.keys():
            self.prepare(batch.fields.keys(), batch.columns)
        kinds = self._of_kinds(batch)
        if self._grouping is None:
            parts = [self._check_part(batch, kind, places) for kind, places in kinds.items()]
            return whole(batch.raw, parts, batch.changes)
        groups = groups_of(self._grouping, batch, kinds.get(CustomerType.INDIVIDUAL, ()))
        mains, unclear = mains_of(self._grouping, batch)
        batch = replace(batch, issues=(*batch.issues, *unclear))
        parts = [self._check_part(batch, kind, places, groups) for kind, places in kinds.items()]
        return replace(whole(batch.raw, parts, batch.changes), groups=groups, mains=mains)

    def _of_kinds(self, batch: MappedBatch) -> Mapping[CustomerType | None, Sequence[int]]:
        """Part the rows by their type of customer; None where it cannot be read."""
        size = len(batch.raw)
        if self._inferred:
            return {CustomerType(self._inferred.value): range(size)}
        texts = self._checks[_TYPE.name].check(batch.fields[_TYPE.name], Findings(range(size), {}))
        if len(different := set(texts)) == 1 and "" not in different:
            return {CustomerType(different.pop()): range(size)}
        groups = {text: [place for place, one in enumerate(texts) if one == text] for text in sorted(different)}
        return {CustomerType(text) if text else None: places for text, places in groups.items()}

    def _check_part(
        self, batch: MappedBatch, kind: CustomerType | None, places: Sequence[int], groups: Sequence[str] = ()
    ) -> Part:
        found = self._findings(batch, places)
        cells = CellCheck(self._checks, _texts_of(batch, places), len(places), found)
        if _TYPE.name in self._names:
            cells.column(_TYPE)
        table = Table(len(places), cells.check(self._plans[kind]))
        split_extensions(table, found, self._policy)
        if kind is None:
            check_required((_TYPE,), table, found)
            return unread_part(places, found, table)
        check_required(self._plans[kind].required, table, found)
        check_addresses(table, found, cells.absent)
        check_social_id(table, found)
        check_metadata(table, found, stamped=bool(self._stamp))
        return self._written(kind, table, places, found, [groups[place] for place in places] if groups else ())

    def _written(
        self, kind: CustomerType, table: Table, places: Sequence[int], found: Findings, groups: Sequence[str]
    ) -> Part:
        """Compute keys and request bodies of rows that were judged."""
        identities = Identities(kind, table, self._secret, groups)
        keys = identities.keys()
        readiness = judge_readiness(kind, table, found.bad)
        if self._stamp:
            table.columns[self._stamp] = keys
        return Part(
            places,
            found,
            payloads=_without(found.bad, bodies(kind, table) if self._writes_bodies else [b""] * table.size),
            keys=_without(found.bad, keys),
            external_ids=table.column("externalId"),
            readiness=readiness,
            likenesses=identities.likenesses(),
            prints=identities.prints() if self._compares else {},
        )

    def _findings(self, batch: MappedBatch, places: Sequence[int]) -> Findings:
        first = batch.raw.first
        found = Findings([first + place for place in places], batch.columns, self._no_change)
        if batch.raw.issues or batch.issues:
            at = {first + place: index for index, place in enumerate(places)}
            found.adopt((*batch.raw.issues, *batch.issues), at)
        return found


def _texts_of(batch: MappedBatch, places: Sequence[int]) -> Texts:
    if len(places) == len(batch.raw):
        return batch.fields.__getitem__
    return lambda name: [batch.fields[name][place] for place in places]


def _without(bad: Collection[int], values: Sequence[T]) -> list[T | None]:
    """Blank out what belongs to invalid rows."""
    kept: list[T | None] = list(values)
    for place in bad:
        kept[place] = None
    return kept
