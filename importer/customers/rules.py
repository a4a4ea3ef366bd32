"""The table of all customer fields and the rules between them, each with its evidence; made from the types. Data only.

The types of `importer.customers.step_objects`, and of `customer` below them, say what a field is; the issue codes are
in `codes` and are part of this table's interface. Nothing here judges a value, and nothing heavy is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from importer.core.contract import Evidence, Kind, Rule
from importer.customers.codes import ISSUE_CODES
from importer.customers.members import members
from importer.customers.specs import (
    MAX_METADATA_VALUE_CHARS,
    METADATA_KEY,
    STEPS,
    CustomerField,
    CustomerType,
    Place,
)
from importer.customers.step_objects import Business, Individual

TYPES: Mapping[CustomerType, type] = MappingProxyType(
    {CustomerType.INDIVIDUAL: Individual, CustomerType.BUSINESS: Business}
)
"""What a customer of each type is."""


def _specs(declared: type, place: Place) -> Iterator[CustomerField]:
    for member in members(declared, place):
        if member.spec is not None:
            yield member.spec
        for part, where in member.objects:
            yield from _specs(part, where)


def _all() -> Mapping[str, CustomerField]:
    """Collect the fields of both types: those of the create, addresses last, then those of the steps after it."""
    found: dict[str, CustomerField] = {}
    for kind, declared in TYPES.items():
        for spec in _specs(declared, Place()):
            step = spec.name.partition(".")[0] if spec.name.startswith(_OF_STEPS) else ""
            types = (*found[spec.name].types, kind) if spec.name in found else (kind,)
            if spec.sent or not step:
                found[spec.name] = replace(spec, types=types, step=step)
    return {name: found[name] for name in sorted(found, key=lambda name: name.startswith(_LAST))}


_OF_STEPS = tuple(f"{step}." for step in STEPS)
_LAST = ("addresses.", *_OF_STEPS)


_EVERY = _all()
FIELDS: Mapping[str, CustomerField] = MappingProxyType({name: spec for name, spec in _EVERY.items() if spec.sent})
"""Every field by its dotted name, in the order a template shows them. `metadata.<key>` comes on top."""

READING_FIELDS: Mapping[str, CustomerField] = MappingProxyType(
    {name: spec for name, spec in _EVERY.items() if not spec.sent}
)
"""What a profile may map beside FIELDS: it is never sent, and says how a phone number without its country code is read.
`region` decides it; `country` is the row's own country where no address names one, and is held against the default."""

CUSTOMER_ID = CustomerField(
    "Customer id", Kind.REFERENCE, "id", max_length=100, example="6f2c3b1e-0000-4000-8000-000000000000", sent=False
)
"""By what an update names a customer."""

K, SIB, INF, NF = Evidence.KNOWN, Evidence.SIBLING, Evidence.INFERRED, Evidence.NOT_FOUND
_GUIDE = "get-started-create-an-individual-customer-account"
_GUIDE_B = "get-started-create-a-business-customer-account"
_OWNER = "ca-beneficial-owner-object"
_CREATE = "create-an-individual-customer"
_DOCUMENT = "create-a-document"

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
    Rule("date_not_past", "A date of birth is in the past.", NF, _GUIDE),
    Rule("date_implausible", "A date of birth is less than 120 years ago.", NF, _GUIDE),
    Rule("required_missing", "A beneficial owner has a first and a last name.", K, "ca-create-beneficial-owner"),
    Rule("required_missing", "A passport and a driving license have a number and an issuing country.", K, _DOCUMENT),
    Rule("required_missing", "Any other document has a description.", K, _DOCUMENT),
    Rule("date_in_future", "The issuing date of a document is not in the future.", K, _DOCUMENT),
    Rule("document_expired", "The expiry date of a document is not in the past.", NF, _DOCUMENT),
    Rule("amount_negative", "A limit is not below zero.", K, "transaction-limits-object"),
    Rule("amount_too_precise", "A limit has at most two decimals.", INF, "transaction-limits-object"),
    Rule("amount_other_currency", "All limits of a row are in one currency, USD where none is given.", NF, "limits"),
    Rule("phone_invalid", "A phone number has 7 to 15 digits after its separators are removed.", INF, _OWNER),
)
"""Rules between fields, in words, for the documentation; the types apply them."""


def metadata_spec(key: str) -> CustomerField:
    """Describe the field `metadata.<key>`."""
    return CustomerField(
        f"Metadata '{key}'", Kind.METADATA, name=f"metadata.{key}", max_length=MAX_METADATA_VALUE_CHARS,
        example="crm-2009", length_evidence=K, source=_CREATE,
    )  # fmt: skip


def free_field(name: str) -> CustomerField | None:
    """Look up a field `metadata.<key>`; None: the name is not one."""
    key = name.removeprefix("metadata.")
    return metadata_spec(key) if key != name and METADATA_KEY.fullmatch(key) else None


def field_spec(name: str) -> CustomerField | None:
    """Look a field up by its dotted name, `metadata.<key>` and READING_FIELDS included; None: there is none."""
    return FIELDS.get(name) or READING_FIELDS.get(name) or free_field(name)


def is_known_field(name: str) -> bool:
    """Whether a profile may map this name."""
    return field_spec(name) is not None


def message(code: str, spec: CustomerField | None = None, countries: Sequence[str] = ()) -> str:
    """Write the sentence for an issue code about a field; arguments as of `IssueCode.sentence`."""
    return ISSUE_CODES[code].sentence(spec, countries)
