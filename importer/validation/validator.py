"""A mapped batch becomes request bodies and issues: every row is read by its customer's type, all its errors at once.

Rows of different types of customer are parted first. A row is made into the objects of the API, pydantic validates it,
and its body is what pydantic then writes; no rule of a field stands here.
Never opens, sends or remembers a row; what readers remember between batches is bounded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from pydantic_core import to_json

from importer.core.batches import CheckedBatch, MappedBatch
from importer.core.errors import ProfileError
from importer.core.issues import Severity
from importer.core.sources import Detected, Grouping
from importer.customers.notes import Notes
from importer.customers.reading import Policy
from importer.customers.rules import FIELDS, READING_FIELDS, CustomerType, FieldSpec, Kind, metadata_spec
from importer.customers.types import customer_adapter
from importer.validation.groups import groups_of, mains_of
from importer.validation.identities import Identities
from importer.validation.numbers import write_numbers
from importer.validation.part import Found, Part, Values, read_rows, whole
from importer.validation.plan import infer_type, specs_of, strays_of
from importer.validation.readiness import judge_readiness
from importer.validation.rows import Columns, Texts
from importer.validation.shape import ObjectShape, shape_of
from importer.validation.words import KINDS, Words

_TYPE = FIELDS["type"]


@dataclass(frozen=True, slots=True)
class _Plan:
    """How rows of one type of customer are read.

    Args:
        kind: None for rows whose type cannot be read.
        strays: mapped fields that this type does not have.
        numbers: fields of phone numbers.
    """

    kind: CustomerType | None
    shape: ObjectShape
    strays: Sequence[FieldSpec]
    numbers: Sequence[str]


class Validator:
    """Implements `importer.core.ports.Validator`.

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
        self.policy = policy
        self._secret = secret
        self._stamp = stamp
        self._no_change = frozenset(no_change)
        self._grouping = grouping
        self._writes_bodies = writes_bodies
        self._compares = compares
        self._plans: dict[CustomerType | None, _Plan] = {}
        self._words: dict[str, Words] = {}
        self._names: frozenset[str] = frozenset()
        self._inferred: Detected | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle how to check, and nothing that was seen; the secret travels along."""
        make = partial(
            Validator,
            secret=self._secret,
            stamp=self._stamp,
            no_change=self._no_change,
            grouping=self._grouping,
            writes_bodies=self._writes_bodies,
            compares=self._compares,
        )
        return make, (self.policy,)

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
        if self._stamp and (name := metadata_spec(self._stamp).name) in fields:
            raise ProfileError(
                f"'{name}' is mapped, but that name carries the import key.",
                "Map it under another name, or rename the import key: `delivery.import_key_metadata`.",
            )
        specs = specs_of(fields)
        self._names = frozenset(fields)
        self._inferred = infer_type(fields)
        self._plans = {kind: self._plan(kind, specs, columns) for kind in (*CustomerType, None)}
        words = [spec for spec in (_TYPE, *specs.values()) if spec.kind in KINDS]
        self._words = {spec.name: Words(spec, self.policy) for spec in words}
        return (self._inferred,) if self._inferred else ()

    @staticmethod
    def _plan(kind: CustomerType | None, specs: Mapping[str, FieldSpec], columns: Mapping[str, str]) -> _Plan:
        mine = [spec for spec in specs.values() if kind is None or kind in spec.types]
        numbers = [spec.name for spec in mine if spec.kind is Kind.PHONE]
        return _Plan(kind, shape_of(kind, list(specs)), strays_of(kind, specs, columns), numbers)

    def check(self, batch: MappedBatch) -> CheckedBatch:
        """Check and normalise all rows of a batch, finding all errors of a row at once."""
        if self._names != set(batch.frame.columns):
            self.prepare(batch.frame.columns, batch.columns)
        kinds = self._of_kinds(batch)
        if self._grouping is None:
            return whole(batch, [self._check_part(batch, kind, places) for kind, places in kinds.items()])
        groups = groups_of(self._grouping, batch, kinds.get(CustomerType.INDIVIDUAL, ()))
        mains, unclear = mains_of(self._grouping, batch)
        batch = replace(batch, issues=(*batch.issues, *unclear))
        parts = [self._check_part(batch, kind, places, groups) for kind, places in kinds.items()]
        return replace(whole(batch, parts), groups=groups, mains=mains)

    def _of_kinds(self, batch: MappedBatch) -> Mapping[CustomerType | None, Sequence[int]]:
        """Part the rows by their type of customer; None where it cannot be read."""
        size = len(batch.raw)
        if self._inferred:
            return {CustomerType(self._inferred.value): range(size)}
        texts = self._words[_TYPE.name].values(batch.texts(_TYPE.name))
        if len(different := set(texts)) == 1 and "" not in different:
            return {CustomerType(different.pop()): range(size)}
        groups = {text: [place for place, one in enumerate(texts) if one == text] for text in sorted(different)}
        return {CustomerType(text) if text else None: places for text, places in groups.items()}

    def _check_part(
        self, batch: MappedBatch, kind: CustomerType | None, places: Sequence[int], groups: Sequence[str] = ()
    ) -> Part:
        failed = _failed(batch, places)
        columns = Columns(self._names, _texts_of(batch, places), len(places), failed)
        notes = Notes(
            no_change=self._no_change,
            failed={place: set(fields) for place, fields in failed.items()},
            countries=columns.countries(),
            stamped=bool(self._stamp),
        )
        plan = self._plans[kind]
        self._write_usual(plan, columns, notes)
        _point_out(plan, batch.columns, columns, notes)
        rows = plan.shape.rows(columns.texts, columns.size, columns.absent)
        adapter = customer_adapter(kind, self.policy)
        values = read_rows(adapter, rows, notes, keep=self._writes_bodies and kind is not None)
        self._forbid_altered_types(batch, places, notes)
        for place in notes.failed_rows():
            values[place] = None
        columns.settle(notes)
        if kind is None:
            return Part.unread(Found(places, notes), columns.column("externalId"))
        own_groups = [groups[place] for place in places] if groups else ()
        return self._identified(kind, columns, values, Found(places, notes), own_groups)

    def _write_usual(self, plan: _Plan, columns: Columns, notes: Notes) -> None:
        """Write words of short lists, and usual phone numbers, as the API has them: a column at a time."""
        for name, words in self._words.items():
            if name in columns.texts and name not in self._no_change and words.concern(plan.kind):
                columns.texts[name] = words.written(columns.texts[name], notes, columns.dropped(name))
        for name in plan.numbers:
            if name in columns.texts and name not in self._no_change:
                write_numbers(name, columns, notes, self.policy)

    def _forbid_altered_types(self, batch: MappedBatch, places: Sequence[int], notes: Notes) -> None:
        """Refuse rows whose type of customer had to be altered to be understood, where that is not allowed."""
        if _TYPE.name in self._names & self._no_change:
            texts = _texts_of(batch, places)(_TYPE.name)
            meant = self._words[_TYPE.name].values(texts)
            for notes.place, (text, value) in enumerate(zip(texts, meant, strict=True)):
                if value not in ("", text):
                    notes.fail("change_forbidden", _TYPE.name)

    def _identified(
        self, kind: CustomerType, columns: Columns, values: Values, found: Found, groups: Sequence[str]
    ) -> Part:
        """Compute keys and request bodies of rows that were read."""
        identities = Identities(kind, columns, self._secret, groups)
        keys = identities.keys()
        bad = {place for place, value in enumerate(values) if value is None}
        return Part(
            found,
            payloads=self._payloads(kind, values, keys),
            keys=[None if place in bad else key for place, key in enumerate(keys)] if bad else keys,
            external_ids=columns.column("externalId"),
            readiness=judge_readiness(kind, columns, bad),
            likenesses=identities.likenesses(),
            prints=identities.prints() if self._compares else {},
        )

    def _payloads(self, kind: CustomerType, values: Values, keys: Sequence[str]) -> list[bytes | None]:
        """Have pydantic write the body of every customer, with its import key in it."""
        if not self._writes_bodies:
            return [None if value is None else b"" for value in values]
        leaves_out = not READING_FIELDS.keys().isdisjoint(self._names)  # otherwise all that was read is sent
        write = customer_adapter(kind, self.policy).serializer.to_json if leaves_out else to_json
        if self._stamp:
            for value, key in zip(values, keys, strict=True):
                if value is not None:
                    value.setdefault("metadata", {})[self._stamp] = key
        return [None if value is None else write(value) for value in values]


def _texts_of(batch: MappedBatch, places: Sequence[int]) -> Texts:
    """Give the texts of a field in some rows: the one place that knows how a batch holds them."""
    if len(places) == len(batch.raw):
        return batch.texts
    return lambda name: [batch.texts(name)[place] for place in places]


def _failed(batch: MappedBatch, places: Sequence[int]) -> Mapping[int, Collection[str]]:
    """To each row with an error of reading or mapping the fields whose cells failed; "" is the row as a whole."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    if batch.raw.issues or batch.issues:
        at = {batch.raw.first + place: index for index, place in enumerate(places)}
        for issue in (*batch.raw.issues, *batch.issues):
            if issue.severity is Severity.ERROR and issue.ordinal in at:
                found[at[issue.ordinal]].add(issue.field)
    return found


def _point_out(plan: _Plan, named: Mapping[str, str], columns: Columns, notes: Notes) -> None:
    """Warn of cells that are not sent: fields of the other type of customer, and places without an address.

    Args:
        named: dotted name to source column; what no column says is nobody's cell.
    """
    for spec in plan.strays:
        notes.warn_all("field_not_sent", spec.name, columns.given(spec.name, range(columns.size)))
    for name in columns.texts:
        if name.endswith((".countryCode", ".stateCode")) and named.get(name):
            notes.warn_all("address_not_sent", name, columns.given(name, columns.dropped(name)))
