"""A mapped batch becomes request bodies and issues: every row is read by its record's type, all its errors at once.

Rows of different record types are parted first. A row is made into the objects of the API, pydantic validates it,
and its body is what pydantic then writes; no rule of a field is here.
Never opens, sends or remembers a row; what readers remember between batches is bounded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from importer.core.batches import CheckedBatch, MappedBatch
from importer.core.contract import Columns, Contract, FieldSpec, FieldTable, Notes, Policy
from importer.core.contract.columns import Texts
from importer.core.errors import ProfileError
from importer.core.issue_codes.checking import GROUP_CODES
from importer.core.issues import Severity
from importer.core.record_json import record_json
from importer.core.sources import Detected, Grouping
from importer.validation.changes import RowChanges, refuse_ids, require_ids
from importer.validation.part import Found, Part, read_rows, whole
from importer.validation.whole_columns import KINDS, Words, groups_of, infer_type, mains_of, specs_of, strays_of
from importer.validation.writing import Wanted, Writing

_ALL = Wanted()


@dataclass(frozen=True, slots=True)
class _Plan:
    """How rows of one record type are read.

    Args:
        kind: None for rows whose type cannot be read.
        rows: makes the objects of the rows.
        strays: mapped fields that this type does not have.
        writing: writes what is sent of them.
    """

    kind: str | None
    rows: Callable[[Columns], Iterator[Any]]
    strays: Sequence[FieldSpec]
    writing: Writing


class Validator:
    """Implements `importer.core.ports.Validator`.

    Args:
        contract: what the records are.
        policy: how strict to be, and what to assume.
        secret: the workspace's key, at most 64 bytes.
        stamp: the metadata name that carries the import key; empty: not stamped.
        grouping: which rows are one business; None: every row is a customer of its own.
        wanted: what anybody wants of the rows.
    """

    def __init__(
        self,
        contract: Contract,
        policy: Policy,
        *,
        secret: bytes,
        stamp: str,
        grouping: Grouping | None = None,
        wanted: Wanted = _ALL,
    ) -> None:
        self.contract, self.policy = contract, policy
        self._secret = secret
        self._stamp = stamp
        self._grouping = grouping
        self._wanted = wanted
        self._plans: dict[str | None, _Plan] = {}
        self._words: dict[str, Words] = {}
        self._names: frozenset[str] = frozenset()
        self._inferred: Detected | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle how to check, and nothing that was seen; the secret travels along."""
        make = partial(
            Validator,
            secret=self._secret,
            stamp=self._stamp,
            grouping=self._grouping,
            wanted=self._wanted,
        )
        return make, (self.contract, self.policy)

    def prepare(self, fields: Collection[str], columns: Mapping[str, str]) -> tuple[Detected, ...]:
        """Make up the plan for the mapped fields; done with the first batch, if not before.

        Args:
            fields: dotted names that are mapped.
            columns: dotted name to source column, for those that come from one.

        Returns:
            What is assumed, for people: the type of customer where no field says it.

        Raises:
            ProfileError: there is no such field, or the import key's metadata name is mapped; or nothing says which
                customers are to be changed, or ids are mapped of customers that are to be created.
        """
        if self._stamp and (name := self.contract.bodies.stamp_field(self._stamp)) in fields:
            raise ProfileError(
                f"'{name}' is mapped, but that name carries the import key.",
                "Map it under another name, or rename the import key: `delivery.import_key_metadata`.",
            )
        table, checks = self.contract.fields, self.contract.checks
        if self.policy.partial:
            require_ids(self.contract, fields)
        else:
            refuse_ids(table, fields)
        specs = specs_of(table, fields)
        self._names = frozenset(fields)
        self._inferred = None if self.policy.partial else infer_type(table, fields)
        self._plans = {kind: self._plan(kind, specs, columns) for kind in (*table.types, None)}
        words = [spec for spec in (*_type_spec(table), *specs.values()) if spec.kind in KINDS]
        self._words = {spec.name: Words(spec, checks, self.policy) for spec in words}
        return (self._inferred,) if self._inferred else ()

    def _plan(self, kind: str | None, specs: Mapping[str, FieldSpec], columns: Mapping[str, str]) -> _Plan:
        rows = self.contract.checks.rows(kind, list(specs))
        fields = self.contract.fields
        writing = self._writing(kind, fields.steps(specs))
        return _Plan(kind, rows, strays_of(fields, kind, specs, columns), writing)

    def check(self, batch: MappedBatch) -> CheckedBatch:
        """Check and normalise all rows of a batch, finding all errors of a row at once."""
        if self._names != set(batch.frame.columns):
            self.prepare(batch.frame.columns, batch.columns)
        kinds, groups = self._of_kinds(batch), self.contract.identity.groups
        if self._grouping is None or groups is None:
            parts = [self._check_part(batch, kind, places) for kind, places in kinds.items()]
            return whole(self.contract, batch, parts)
        aside = [place for kind in kinds if kind not in (groups.record_type, None) for place in kinds[kind]]
        of_rows = groups_of(groups, self._grouping, batch, aside)
        mains, unclear = mains_of(GROUP_CODES["group_primary_unclear"], self._grouping, batch)
        batch = replace(batch, issues=(*batch.issues, *unclear))
        parts = [self._check_part(batch, kind, places, of_rows) for kind, places in kinds.items()]
        return replace(whole(self.contract, batch, parts), groups=of_rows, mains=mains)

    def _of_kinds(self, batch: MappedBatch) -> Mapping[str | None, Sequence[int]]:
        """Part the rows by their record type; None where it cannot be read."""
        size, fields = len(batch.raw), self.contract.fields
        if self.policy.partial:  # the customer's type is known when it is read
            return {None: range(size)}
        if self._inferred or not fields.type_field:
            return {self._inferred.value if self._inferred else fields.first_type: range(size)}
        texts = self._words[fields.type_field].values(batch.texts(fields.type_field))
        if len(different := set(texts)) == 1 and "" not in different:
            return {different.pop(): range(size)}
        groups = {text: [place for place, one in enumerate(texts) if one == text] for text in sorted(different)}
        return {text or None: places for text, places in groups.items()}

    def _check_part(
        self, batch: MappedBatch, kind: str | None, places: Sequence[int], groups: Sequence[str] = ()
    ) -> Part:
        checks, failed = self.contract.checks, _failed(batch, places)
        columns = Columns(self._names, _texts_of(batch, places), len(places), failed, checks.presence_fields)
        notes = checks.notes(
            columns,
            no_change=self.policy.no_change,
            failed={place: set(fields) for place, fields in failed.items()},
            stamped=bool(self._stamp),
        )
        plan = self._plans[kind]
        self._write_words(plan, columns, notes)
        checks.prepare(kind, columns, notes, self.policy, batch.columns)
        for spec in plan.strays:
            notes.warn_all("field_not_sent", spec.name, columns.given(spec.name, range(columns.size)))
        adapter = checks.adapter(kind, self.policy)
        partial = self.policy.partial
        values = read_rows(self.contract, adapter, plan.rows(columns), notes, plan.writing.kept)
        self._forbid_altered_types(batch, places, notes)
        changes = RowChanges(self.contract, self.policy, self._secret)
        ids = changes.ids(columns, batch.columns, values, notes) if partial else ()
        for place in notes.failed_rows():
            values[place] = None
        columns.settle(notes)
        if partial:
            plan.writing.taken_out(values)
            return changes.part(values, ids, self._references(columns), Found(places, notes))
        if kind is None:
            unread = Part.unread(self.contract, Found(places, notes), self._references(columns))
            return replace(unread, digests=plan.writing.hashed(values, ()))
        own_groups = [groups[place] for place in places] if groups else ()
        return self._identified(kind, columns, values, Found(places, notes), own_groups)

    def _write_words(self, plan: _Plan, columns: Columns, notes: Notes) -> None:
        """Write words of short lists as the API has them: a column at a time."""
        for name, words in self._words.items():
            if name in columns.texts and name not in self.policy.no_change and words.spec.is_of(plan.kind):
                columns.texts[name] = words.written(columns.texts[name], notes, columns.dropped(name))

    def _forbid_altered_types(self, batch: MappedBatch, places: Sequence[int], notes: Notes) -> None:
        """Refuse rows whose record type had to be altered to be understood, where that is not allowed."""
        name = self.contract.fields.type_field
        if name in self._names & self.policy.no_change:
            texts = _texts_of(batch, places)(name)
            meant = self._words[name].values(texts)
            for notes.place, (text, value) in enumerate(zip(texts, meant, strict=True)):
                if value not in ("", text):
                    notes.fail("change_forbidden", name)

    def _references(self, columns: Columns) -> Sequence[str]:
        """The ids that the rows have in the source."""
        return columns.column(self.contract.identity.reference_field)

    def _identified(self, kind: str, columns: Columns, values: list[Any], found: Found, groups: Sequence[str]) -> Part:
        """Compute keys and request bodies of rows that were read."""
        from importer.validation.equal_numbers import numbers_of  # noqa: PLC0415  # loads pandas, which rows need

        writing, checks = self._plans[kind].writing, self.contract.checks
        identities = checks.identities(kind, columns, self._secret, groups)
        keys = identities.keys()
        bad = {place for place, value in enumerate(values) if value is None}
        after = writing.taken_out(values)
        return Part(
            found,
            digests=writing.hashed(values, after),
            payloads=writing.written(values, keys),
            keys=[None if place in bad else key for place, key in enumerate(keys)] if bad else keys,
            external_ids=self._references(columns),
            readiness=checks.readiness(kind, columns, bad),
            likenesses={name: numbers_of(texts) for name, texts in identities.likenesses().items()},
            prints=identities.prints() if self._wanted.prints else {},
            after=after,
        )

    def _writing(self, kind: str | None, steps: Collection[str]) -> Writing:
        """How what is sent of records of one type is written."""
        contract = self.contract
        leaves_out = not contract.fields.read_only.keys().isdisjoint(self._names)  # otherwise all that was read is sent
        write = contract.checks.adapter(kind, self.policy).serializer.to_json if leaves_out else record_json
        return Writing(
            contract.bodies.stamp,
            self._stamp,
            write,
            steps,
            bodies=self._wanted.bodies and (self.policy.partial or kind is not None),
            digests=self._wanted.digests,
        )


def _type_spec(fields: FieldTable) -> tuple[FieldSpec, ...]:
    return (fields.sent[fields.type_field],) if fields.type_field else ()


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
