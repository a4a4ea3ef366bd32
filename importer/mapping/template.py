"""The columns of a blank file to fill in. Plain data: whoever writes CSV or workbooks renders it.

Every header is found again by automatic matching with score 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from importer.customers.rules import FIELDS, CustomerType, FieldSpec, Kind

_SHOWN = (
    "type", "externalId", "businessName", "legalName", "firstName", "middleName", "lastName",
    "contacts.primary.firstName", "contacts.primary.lastName",
    "primaryPhoneNumber.number", "primaryPhoneNumber.type", "primaryEmail.value",
    "contacts.primary.primaryPhoneNumber.number", "contacts.primary.primaryPhoneNumber.type",
    "contacts.primary.primaryEmail.value", "dateOfBirth", "website",
    "addresses.mailing.streetLine1", "addresses.mailing.streetLine2", "addresses.mailing.cityName",
    "addresses.mailing.stateCode", "addresses.mailing.zipCode", "addresses.mailing.countryCode",
)  # fmt: skip
"""The fields people fill in by hand, in the order they think of them; all others can be added by name."""

_KIND_NOTES = {
    Kind.PHONE: "With country and area code, as text.",
    Kind.DATE: "Year-month-day.",
    Kind.COUNTRY: "Three-letter code.",
    Kind.STATE: "State or province code.",
    Kind.POSTAL: "As text, leading zeros included.",
}
_KIND_NAMES = {"individual": CustomerType.INDIVIDUAL, "business": CustomerType.BUSINESS}


@dataclass(frozen=True, slots=True)
class TemplateColumn:
    """One column of a template.

    Args:
        header: the column's name.
        note: what belongs into it, for people.
        example: a fictional value.
        choices: what alone is allowed; empty where any text is.
        required: whether every row needs it.
    """

    field: str
    header: str
    note: str
    example: str
    choices: tuple[str, ...] = ()
    required: bool = False


def template_columns(kind: Literal["individual", "business"]) -> tuple[TemplateColumn, ...]:
    """List the columns of the template for one type of customer."""
    customer = _KIND_NAMES[kind]
    return tuple(_column(FIELDS[name], customer) for name in _SHOWN if customer in FIELDS[name].types)


def _column(spec: FieldSpec, customer: CustomerType) -> TemplateColumn:
    choices = (str(customer),) if spec.name == "type" else spec.values
    example = str(customer) if spec.name == "type" else spec.example
    header = spec.label.replace("'s ", " ")
    return TemplateColumn(spec.name, header, _note(spec, choices), example, choices, spec.required)


def _note(spec: FieldSpec, choices: tuple[str, ...]) -> str:
    parts = ["Required." if spec.required else _optional(spec), _KIND_NOTES.get(spec.kind, "")]
    if choices:
        parts.append(f"One of: {', '.join(choices)}.")
    elif spec.max_length:
        parts.append(f"At most {spec.max_length} characters.")
    return (
        " ".join([*filter(None, parts), f"Example: {spec.example}"]) if not choices else " ".join(filter(None, parts))
    )


def _optional(spec: FieldSpec) -> str:
    return f"Needed {spec.condition}." if spec.condition else "Optional."
