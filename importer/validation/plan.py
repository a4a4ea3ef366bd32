"""Which of the mapped fields concern records of a type. Decided once a run, not once a row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from importer.core.commands import Commands
from importer.core.contract import FieldSpec, FieldTable
from importer.core.errors import ProfileError
from importer.core.sources import Detected


def specs_of(fields: FieldTable, names: Collection[str]) -> dict[str, FieldSpec]:
    """Look up the mapped fields.

    Raises:
        ProfileError: there is no such field.
    """
    return {name: _spec(fields, name) for name in names}


def _spec(fields: FieldTable, name: str) -> FieldSpec:
    spec = fields.spec(name)
    if spec is None:
        raise ProfileError(
            f"There is no customer field '{name}'.", f"`{Commands().template()}` writes a file with every field."
        )
    return spec


def strays_of(
    fields: FieldTable, kind: str | None, specs: Mapping[str, FieldSpec], columns: Mapping[str, str]
) -> Sequence[FieldSpec]:
    """List the mapped fields of other record types whose column feeds none of this type's.

    Args:
        kind: None for rows whose type cannot be read: they have no strays.
        columns: field to source column; constants have none.
    """
    if kind is None:
        return ()
    feeding = {columns.get(name) for name, spec in specs.items() if spec.is_of(kind) and name != fields.type_field}
    others = (spec for spec in specs.values() if spec.sent and not spec.is_of(kind))
    return [spec for spec in others if columns.get(spec.name) and columns[spec.name] not in feeding]


def infer_type(fields: FieldTable, names: Collection[str]) -> Detected | None:
    """Say which type all rows are taken for where no field that is mapped says it; None where one does.

    The first type, unless only fields of another one are mapped.
    """
    if not fields.type_field or fields.type_field in names:
        return None
    kind = fields.typical_type(names)
    if kind != fields.first_type:
        return Detected("customer_type", kind, note=f"only fields of {fields.types[kind]} are mapped")
    return Detected("customer_type", kind, note="no field says otherwise")
