"""The bridge from the rule table to pydantic: a `str` marked `Ruled` is read and judged as its rule says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, cast

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from importer.customers.fields import read
from importer.customers.phones import place_of
from importer.customers.reading import Policy
from importer.customers.rules import FIELDS, READING_FIELDS, FieldSpec, Kind, message

CONTEXT_KEY = "policy"
"""Where a validation context carries its `Policy`; without one the defaults hold and birth dates are not judged."""

_FORMATS: Mapping[Kind, Mapping[str, Any]] = MappingProxyType(
    {
        Kind.PHONE: {"pattern": r"^\+[0-9]{7,15}$"},
        Kind.EMAIL: {"format": "email"},
        Kind.DATE: {"format": "date"},
        Kind.COUNTRY: {"pattern": "^[A-Z]{3}$"},
        Kind.STATE: {"pattern": "^[A-Z0-9]{2,3}$"},
        Kind.INDUSTRY: {"pattern": "^[0-9]{6}$"},
        Kind.EXTENSION: {"pattern": "^[0-9]{1,10}$"},
    }
)


def trouble(code: str, spec: FieldSpec | None = None, countries: Sequence[str] = ()) -> PydanticCustomError:
    """Make pydantic's error for an issue code: its type is the code, its message never holds a value."""
    # The types ask for literals, so that templates are not made from data; ours are made from the rule table.
    return PydanticCustomError(cast("Any", code), cast("Any", message(code, spec, countries)))


def policy_of(info: ValidationInfo[Any]) -> Policy:
    """Find the policy in a validation context."""
    found = (info.context or {}).get(CONTEXT_KEY)
    return found if isinstance(found, Policy) else Policy()


class Ruled:
    """Marks a `str` as one of the API's fields.

    Args:
        name: the field's dotted name; for parts that several objects share, that of any one of them.
        label: the name people use, where the shared part's own is too narrow.
    """

    def __init__(self, name: str, label: str = "") -> None:
        spec = FIELDS.get(name) or READING_FIELDS[name]
        self.spec = replace(spec, label=label) if label else spec

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read the text after pydantic made sure that it is one."""
        return core_schema.with_info_after_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe the normalised text."""
        described = {"title": self.spec.label, "minLength": 1, "examples": [self.spec.example]}
        if self.spec.max_length:
            described["maxLength"] = self.spec.max_length
        if self.spec.values:
            described["enum"] = list(self.spec.values)
        return {**handler(schema), **described, **_FORMATS.get(self.spec.kind, {})}

    def _read(self, text: str, info: ValidationInfo[Any]) -> str:
        reading = read(self.spec, text, policy_of(info), self._place(info.data))
        if reading.error or not reading.value:
            raise trouble(reading.error or "required_missing", self.spec, reading.countries)
        return reading.value

    def _place(self, beside: Mapping[str, Any]) -> str:
        """Say where the text belongs, from what stands before it in its object."""
        if self.spec.kind is Kind.PHONE:
            return place_of(beside.get("region") or "", beside.get("country") or "")
        return (beside.get("country_code") or "") if self.spec.kind in {Kind.STATE, Kind.POSTAL} else ""
