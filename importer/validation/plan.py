"""Which of the mapped fields concern customers of a type. Decided once a run, not once a row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from importer.core.commands import Commands
from importer.core.errors import ProfileError
from importer.core.sources import Detected
from importer.customers.rules import FIELDS, CustomerType, FieldSpec, field_spec


def specs_of(names: Collection[str]) -> dict[str, FieldSpec]:
    """Look up the mapped fields.

    Raises:
        ProfileError: there is no such field.
    """
    return {name: _spec(name) for name in names}


def _spec(name: str) -> FieldSpec:
    spec = field_spec(name)
    if spec is None:
        raise ProfileError(
            f"There is no customer field '{name}'.", f"`{Commands().template()}` writes a file with every field."
        )
    return spec


def strays_of(
    kind: CustomerType | None, specs: Mapping[str, FieldSpec], columns: Mapping[str, str]
) -> Sequence[FieldSpec]:
    """List the mapped fields of the other type whose column feeds none of this type's.

    Args:
        kind: None for rows whose type cannot be read: they have no strays.
        columns: dotted name to source column; constants have none.
    """
    if kind is None:
        return ()
    feeding = {columns.get(name) for name, spec in specs.items() if kind in spec.types and name != "type"}
    others = (spec for spec in specs.values() if spec.sent and kind not in spec.types)
    return [spec for spec in others if columns.get(spec.name) and columns[spec.name] not in feeding]


def infer_type(names: Collection[str]) -> Detected | None:
    """Say which type all rows are taken for where `type` is not mapped; None where it is.

    Individuals, unless only fields of businesses are mapped.
    """
    if "type" in names:
        return None
    mapped = {spec.types for name in names if (spec := FIELDS.get(name)) and len(spec.types) == 1}
    if mapped == {(CustomerType.BUSINESS,)}:
        return Detected("customer_type", CustomerType.BUSINESS, note="only fields of businesses are mapped")
    return Detected("customer_type", CustomerType.INDIVIDUAL, note="no field says otherwise")
