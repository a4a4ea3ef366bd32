"""What is to be done with the mapped fields for customers of one type. Decided once a run, not once a row."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from importer.commands import Commands
from importer.customers.rules import FIELDS, READING_FIELDS, CustomerType, FieldSpec, Kind, field_spec
from importer.errors import ProfileError
from importer.records import Detected


@dataclass(frozen=True, slots=True)
class Plan:
    """The fields of one type of customer, among those that are mapped.

    Args:
        kind: the type; None for rows whose type cannot be read, which are only checked cell by cell.
        checked: fields to check, those first that others look at.
        required: fields that must not be blank, mapped or not.
        strays: mapped fields of the other type whose column feeds none of this type's.
    """

    kind: CustomerType | None
    checked: tuple[FieldSpec, ...]
    required: tuple[FieldSpec, ...]
    strays: tuple[FieldSpec, ...]


def make_plan(kind: CustomerType | None, names: Collection[str], columns: Mapping[str, str]) -> Plan:
    """Plan the checks of one type of customer.

    Args:
        names: the mapped fields.
        columns: dotted name to source column; constants have none.

    Raises:
        ProfileError: there is no such field.
    """
    specs = [_spec(name) for name in names if name != "type"]
    if kind is None:
        return Plan(None, _countries_first(specs), (), ())
    own = [spec for spec in specs if kind in spec.types]
    feeding = {columns.get(spec.name) for spec in own}
    strays = [spec for spec in specs if _is_sent(spec) and kind not in spec.types and columns.get(spec.name)]
    return Plan(
        kind,
        _countries_first(own),
        tuple(spec for spec in FIELDS.values() if spec.required and kind in spec.types and spec.name != "type"),
        tuple(spec for spec in strays if columns[spec.name] not in feeding),
    )


def _is_sent(spec: FieldSpec) -> bool:
    return spec.name not in READING_FIELDS


def _spec(name: str) -> FieldSpec:
    spec = field_spec(name)
    if spec is None:
        raise ProfileError(
            f"There is no customer field '{name}'.", f"`{Commands().template()}` writes a file with every field."
        )
    return spec


def _countries_first(specs: Collection[FieldSpec]) -> tuple[FieldSpec, ...]:
    return tuple(sorted(specs, key=lambda spec: spec.kind is not Kind.COUNTRY))


def country_field(spec: FieldSpec) -> str:
    """Name the field that says in which country a state or postal code lies; empty where none does."""
    beside = spec.kind in {Kind.STATE, Kind.POSTAL} and spec.name.startswith("addresses.")
    return spec.name.rpartition(".")[0] + ".countryCode" if beside else ""


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
