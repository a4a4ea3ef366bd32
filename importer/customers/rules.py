"""The table of all customer fields and the rules between them, each with its evidence; made from the types. Data only.

The types of `importer.customers.customer` say what a field is; the issue codes stand next door in `codes` and
are part of this table's interface. Nothing here judges a value, and nothing heavy is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from importer.customers.codes import ISSUE_CODES, IssueCode
from importer.customers.customer import Business, Individual
from importer.customers.members import members
from importer.customers.specs import (
    ADDRESS_TYPES,
    ADDRESS_WITNESSES,
    ADULT_AGE_YEARS,
    HARD_MAX_CHARS,
    MAX_AGE_YEARS,
    MAX_CONTACTS,
    MAX_METADATA_PAIRS,
    MAX_METADATA_VALUE_CHARS,
    METADATA_KEY,
    PHONE_ADDRESSES,
    STATE_REQUIRED_IN,
    CustomerType,
    Evidence,
    FieldSpec,
    Kind,
    Place,
)

__all__ = [
    "ADDRESS_TYPES",
    "ADDRESS_WITNESSES",
    "ADULT_AGE_YEARS",
    "FIELDS",
    "HARD_MAX_CHARS",
    "ISSUE_CODES",
    "MAX_AGE_YEARS",
    "MAX_CONTACTS",
    "MAX_METADATA_PAIRS",
    "PHONE_ADDRESSES",
    "READING_FIELDS",
    "RULES",
    "STATE_REQUIRED_IN",
    "CustomerType",
    "Evidence",
    "FieldSpec",
    "IssueCode",
    "Kind",
    "Rule",
    "field_spec",
    "fields_of",
    "is_known_field",
    "message",
]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule between fields, or about a whole customer.

    Args:
        code: the issue code that a breach gets.
        sentence: the rule in words.
    """

    code: str
    sentence: str
    evidence: Evidence
    source: str


TYPES: Mapping[CustomerType, type] = MappingProxyType(
    {CustomerType.INDIVIDUAL: Individual, CustomerType.BUSINESS: Business}
)
"""What a customer of each type is."""


def _specs(declared: type, place: Place) -> Iterator[FieldSpec]:
    for member in members(declared, place):
        if member.spec is not None:
            yield member.spec
        for part, where in member.objects:
            yield from _specs(part, where)


def _all() -> Mapping[str, FieldSpec]:
    """Collect the fields of both types, addresses last."""
    found: dict[str, FieldSpec] = {}
    for kind, declared in TYPES.items():
        for spec in _specs(declared, Place()):
            types = (*found[spec.name].types, kind) if spec.name in found else (kind,)
            found[spec.name] = replace(spec, types=types)
    return {name: found[name] for name in sorted(found, key=lambda name: name.startswith("addresses."))}


_EVERY = _all()
FIELDS: Mapping[str, FieldSpec] = MappingProxyType({name: spec for name, spec in _EVERY.items() if spec.sent})
"""Every field by its dotted name, in the order a template shows them. `metadata.<key>` comes on top."""

READING_FIELDS: Mapping[str, FieldSpec] = MappingProxyType(
    {name: spec for name, spec in _EVERY.items() if not spec.sent}
)
"""What a profile may map beside FIELDS: it is never sent, and says how a phone number without its country code is read.
`region` decides it; `country` is the row's own country where no address names one, and is held against the default."""

K, SIB, INF, NF = Evidence.KNOWN, Evidence.SIBLING, Evidence.INFERRED, Evidence.NOT_FOUND
_GUIDE = "get-started-create-an-individual-customer-account"
_GUIDE_B = "get-started-create-a-business-customer-account"
_OWNER = "ca-beneficial-owner-object"
_CREATE = "create-an-individual-customer"

RULES: tuple[Rule, ...] = (
    Rule("state_required", "An address in the USA or Canada has a state.", K, _CREATE),
    Rule("required_missing", "A shipping address has the name of a person.", K, _CREATE),
    Rule("required_missing", "An address has a street and a postal code.", INF, "update-an-individual-customer"),
    Rule("po_box_physical", "A physical address is not a PO box.", K, _CREATE),
    Rule("social_id_country_missing", "A national id comes with its country.", SIB, _OWNER),
    Rule("metadata_too_many", "At most five metadata pairs.", K, _CREATE),
    Rule("too_long", "A metadata value has at most 1024 characters.", K, _CREATE),
    Rule("addresses_primary", "Every address type present has exactly one primary address.", K, _CREATE),
    Rule("contacts_primary", "A business has exactly one primary contact.", K, _GUIDE_B),
    Rule("group_too_large", "A business has at most 100 contacts.", NF, _GUIDE_B),
    Rule("date_not_past", "A date of birth lies in the past.", NF, _GUIDE),
    Rule("date_implausible", "A date of birth lies less than 120 years back.", NF, _GUIDE),
    Rule("phone_invalid", "A phone number has 7 to 15 digits after its separators are removed.", INF, _OWNER),
)
"""Rules between fields, in words, for the documentation; the types apply them."""


def metadata_spec(key: str) -> FieldSpec:
    """Describe the field `metadata.<key>`."""
    return FieldSpec(
        f"Metadata '{key}'", Kind.METADATA, name=f"metadata.{key}", max_length=MAX_METADATA_VALUE_CHARS,
        example="crm-2009", length_evidence=K, source=_CREATE,
    )  # fmt: skip


def field_spec(name: str) -> FieldSpec | None:
    """Look a field up by its dotted name, `metadata.<key>` and READING_FIELDS included; None: there is none."""
    spec = FIELDS.get(name) or READING_FIELDS.get(name)
    if spec is None and name.startswith("metadata.") and METADATA_KEY.fullmatch(name[9:]):
        return metadata_spec(name[9:])
    return spec


def is_known_field(name: str) -> bool:
    """Tell whether a profile may map this name."""
    return field_spec(name) is not None


def fields_of(kind: CustomerType) -> tuple[FieldSpec, ...]:
    """List the fields that customers of one type have, in template order."""
    return tuple(spec for spec in FIELDS.values() if kind in spec.types)


def message(code: str, spec: FieldSpec | None = None, countries: Sequence[str] = ()) -> str:
    """Write the sentence for an issue code about a field; it never holds a value.

    Args:
        countries: names of the row's country and of the default one, for the codes that name both.
    """
    entry = ISSUE_CODES[code]
    if spec is None:
        return entry.message
    return entry.message.format(
        label=spec.label,
        example=spec.example,
        max=spec.max_length or HARD_MAX_CHARS,
        values=", ".join(spec.values),
        condition=spec.condition,
        country=f"{countries[0]} (the country of its row)" if countries else "the country of its row",
        default=f"{countries[1]} (the default region)" if countries else "the default region",
    )
