"""Rows that change records which exist: by what they name them, and what of them is to change. Pure.

Such a row is a part of a record. Its body holds the id of the record, where it is known, beside what is to change.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from importer.core.contract import Columns, Contract, FieldSpec, FieldTable, Notes, Policy
from importer.core.contract.keyed_hashes import SEPARATOR, keys_of
from importer.core.errors import ProfileError
from importer.core.record_json import record_json
from importer.validation.part import Found, Part, Values


def require_ids(contract: Contract, names: Collection[str]) -> None:
    """Refuse rows that can name no record.

    Args:
        names: the mapped fields.

    Raises:
        ProfileError: neither the id of a record nor its external id is mapped, or such records cannot be changed.
    """
    known, reference = contract.fields.known_id, contract.identity.reference_field
    if known is None:
        raise ProfileError("Customers of this target cannot be updated.")
    if known.name not in names and reference not in names:
        raise ProfileError(
            "Nothing in the file says which customers are to be changed.",
            f"Use a results file, which has their ids (_customer_id), or map a column to '{known.name}' or"
            f" '{reference}'.",
        )


def refuse_ids(fields: FieldTable, names: Collection[str]) -> None:
    """Refuse ids of records where rows are to become records.

    Raises:
        ProfileError: they are mapped.
    """
    if fields.known_id is not None and fields.known_id.name in names:
        raise ProfileError(
            f"'{fields.known_id.name}' is mapped, and a customer that is to be created has no id yet.",
            "Take it out of [mapping]: only an update names customers by their ids.",
        )


@dataclass(frozen=True, slots=True)
class RowChanges:
    """Reads rows that change records, as far as they are read otherwise than others.

    Args:
        secret: the workspace's key, at most 64 bytes.
    """

    contract: Contract
    policy: Policy
    secret: bytes

    def ids(self, columns: Columns, sources: Mapping[str, str], values: Values, notes: Notes) -> Sequence[str]:
        """Read the ids by which rows name records, "" where one has none; note rows without any, or without a change.

        Args:
            sources: field to source column; constants have none.
            values: what was read of each row; None where it has an error.
        """
        references = columns.column(self.contract.identity.reference_field)
        ids = [""] * columns.size
        for notes.place, text in enumerate(columns.column(self._spec.name)):
            reading, value = self.contract.checks.read(self._spec, text, self.policy), values[notes.place]
            ids[notes.place] = reading.value
            if reading.error:
                notes.fail(reading.error, self._spec.name)
            elif not (reading.value or references[notes.place].strip()):
                notes.fail("no_customer_id", "")
            elif value is not None and not self._named(sources, value, by_id=bool(reading.value)):
                notes.fail("nothing_to_update", "")
        return ids

    def part(self, values: Values, ids: Sequence[str], references: Sequence[str], found: Found) -> Part:
        """Make the part of a batch; a row without an id is known by its external id.

        Args:
            ids: as they were read.
            references: the external ids of the rows.
        """
        name, reference = self._spec.name, self.contract.identity.reference_field
        named = zip(ids, references, strict=True)
        texts = [SEPARATOR.join((name, known) if known else (reference, other)) for known, other in named]
        write = self.contract.checks.adapter(None, self.policy).serializer.to_python
        bodies = [None if value is None else write(value) for value in values]
        payloads = [
            None if body is None else record_json({name: known, **body} if known else body)
            for known, body in zip(ids, bodies, strict=True)
        ]
        keys = [None if body is None else key for body, key in zip(bodies, keys_of(self.secret, texts), strict=True)]
        return Part(found, payloads, keys, references, None)

    @property
    def _spec(self) -> FieldSpec:
        spec = self.contract.fields.known_id
        assert spec is not None  # noqa: S101  # required before the first row
        return spec

    def _named(self, sources: Mapping[str, str], value: Mapping[str, Any], *, by_id: bool) -> set[str]:
        """The fields that a row wants to change; what only constants say does not count.

        Args:
            by_id: its external id is not what names the record.
        """
        fields = self.contract.fields
        names = {name for name in self.contract.bodies.flat(value) if sources.get(name)} - {fields.type_field}
        return names if by_id else names - {self.contract.identity.reference_field}
