"""The columnar path gives the verdict and the body that the models give, for every row, clean or dirty."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from importer.customers.fields import read
from importer.customers.models import Business, Individual
from importer.customers.reading import Policy
from importer.customers.rules import ADDRESS_TYPES, FIELDS, READING_FIELDS, CustomerType, Kind, field_spec
from importer.customers.shape import nest
from importer.frames import raw_batch
from importer.records import CheckedBatch, MappedBatch, Severity
from importer.validation.validator import ColumnarValidator
from tests.effort import examples

TODAY = date(2026, 11, 22)
SECRET = b"0123456789abcdef0123456789abcdef"
MODELS: dict[CustomerType, type[Individual | Business]] = {
    CustomerType.INDIVIDUAL: Individual,
    CustomerType.BUSINESS: Business,
}

GOOD: dict[Kind, tuple[str, ...]] = {
    Kind.NAME: ("Sarah", "Green", "José", "O'Brien", "O’Neill", "Ngô Thị", "王", "Anne-Marie", "محمد"),
    Kind.TEXT: ("12 Example Street", "Springfield", 'The "Old" Mill', "C:\\Temp", "Straße 5", "x" * 25),
    Kind.METADATA: ("crm-2009", "a b c", "ü"),
    Kind.REFERENCE: ("L-0001", "0007", "900-00-0000", "é-1"),
    Kind.EXTENSION: ("45", "x45", "ext. 7"),
    Kind.PHONE: (
        "+12125550123", "(212) 555-0123", "212-555-0123", "1 212 555 0123", "2125550123", "+15556589", "5551234",
        "+442079460958", "+1 416 555 0123", "(212) 555-0123 x45", "+15550100123", "1-800-555-0199",
        "2079460958", "020 7946 0958", "030 1234567", "0044 20 7946 0958", "011 44 20 7946 0958", "14155550108.0",
        "4165550123", "5005550123", "1-800-FLOWERS",
    ),
    Kind.EMAIL: ("sarah.green@example.com", "Sarah@EXAMPLE.com", "Info@example.org", "a@müller.example.com",
                 "ü@example.com"),
    Kind.DATE: ("1980-01-31", "2000-02-29", "2015-05-05"),
    Kind.ENUM: ("MOBILE", "mobile", "Cell", "WORK", "FEMALE", "f", "Non-binary"),
    Kind.COUNTRY: ("USA", "US", "Canada", "DEU", "Deutschland", "GBR", "usa"),
    Kind.STATE: ("CA", "IL", "California", "ON", "Québec", "AE", "BY", "US-NY", "XX"),
    Kind.POSTAL: ("62701", "62701-1234", "1234", "K1A 0B1", "k1a0b1", "SW1A 1AA", "10115"),
    Kind.INDUSTRY: ("001001", "999999", "1001"),
    Kind.WEBSITE: ("https://bakery.example.com", "bakery.example.com/x", "none"),
}  # fmt: skip
BAD = (
    "", "", " ", "N/A", "-", "0", "x" * 41, "y" * 120, "z" * 1100, "a\nb", "\u200bAnna\u200b", " padded ",
    "no\xa0break",
    "e\u0301", "bad\x00", "\ufffd", "<b>", "PO Box 12", "P.O. Box 7", "1900-01-01", "2026-11-22", "2099-01-01",
    "1980-02-30",
    '="02138"', "'02138", "'-Bob", '=""', "'t Hooft", "''02138", "'=1@example.com", '="a""b"', "'2125550123",
    "1.5551E+10", "=1+1", "a@b", "@", "tom@@example.com", "+999123456", "911", "١٢٣", "INDIVIDUAL", "\ud800",
)  # fmt: skip


LETTERS = "abcXYZ019 @.+-()'\"\\\t\n\x00\xa0\u200b\u200d\u0301\u202eéßİ٣王\ufffd\U0001f600\ue000"


def text_of(dice: Random, name: str) -> str:
    spec = field_spec(name)
    assert spec is not None
    good = dice.choice([*GOOD[spec.kind], *spec.values] if dice.random() < 0.1 or not spec.values else spec.values)
    odd = (good, f" {good}\xa0", dice.choice(BAD), "".join(dice.choices(LETTERS, k=dice.randrange(12))))
    return dice.choice(odd) if dice.random() < 0.1 else good


INDIVIDUAL_FIELDS = [
    "firstName", "lastName", "primaryPhoneNumber.number", "primaryPhoneNumber.type", "primaryEmail.value",
]  # fmt: skip
BUSINESS_FIELDS = ["businessName", *(f"contacts.primary.{name}" for name in INDIVIDUAL_FIELDS)]
SHARED = [
    name for name, spec in FIELDS.items() if len(spec.types) == 2 and name != "type"
] + ["metadata.a", "metadata.b.c"]  # fmt: skip


def names_of(dice: Random, kind: str) -> list[str]:
    names = (
        []
        if kind == "BUSINESS"
        else INDIVIDUAL_FIELDS + some(dice, [n for n, s in FIELDS.items() if s.type == "individual"])
    )
    if kind != "INDIVIDUAL":
        names += BUSINESS_FIELDS + some(dice, [n for n, s in FIELDS.items() if s.type == "business"])
    word = dice.choice(list(ADDRESS_TYPES))
    if dice.random() < 0.6:
        names += [f"addresses.{word}.{part}" for part in ("streetLine1", "zipCode", "stateCode", "countryCode")]
    if dice.random() < 0.3:
        names += [f"addresses.{each}.countryCode" for each in ADDRESS_TYPES]
    if dice.random() < 0.3:
        names += [name for name in READING_FIELDS if name.rpartition(".")[0] + ".number" in names]
    return list(dict.fromkeys(names + some(dice, SHARED)))


def some(dice: Random, names: list[str]) -> list[str]:
    return dice.sample(names, dice.randrange(6))


def table_of(dice: Random) -> dict[str, list[str]]:
    kind = dice.choice(["INDIVIDUAL", "BUSINESS", "MIXED"])
    size = dice.randrange(1, 20)
    table = {name: [text_of(dice, name) for _ in range(size)] for name in names_of(dice, kind)}
    if kind == "MIXED":
        words = ["INDIVIDUAL", "BUSINESS", "individual", "Company", "", "???"]
        table["type"] = dice.choices(words, weights=(6, 6, 1, 1, 1, 1), k=size)
    return table


def batch_of(table: Mapping[str, Sequence[str]]) -> MappedBatch:
    size = len(next(iter(table.values())))
    return MappedBatch(raw_batch(100, range(102, 102 + size), ()), table, {name: f"col {name}" for name in table})


def reference(row: Mapping[str, str], default: str, policy: Policy) -> tuple[dict[str, Any] | None, set[str]]:
    reading = read(FIELDS["type"], row.get("type", default), policy)
    if not reading.value:
        return None, {reading.error or "required_missing"}
    kind = CustomerType(reading.value)
    try:
        model = MODELS[kind].model_validate(nest(row, kind), context={"policy": policy})
    except ValidationError as trouble:
        errors = trouble.errors(include_input=False, include_url=False)
        return None, {"required_missing" if one["type"] == "missing" else one["type"] for one in errors}
    return model.model_dump(by_alias=True, exclude_none=True, mode="json"), set()


def ordered(body: dict[str, Any] | None) -> dict[str, Any] | None:
    if body and "addresses" in body:
        body["addresses"] = sorted(body["addresses"], key=lambda one: one["type"])
    return body


VALIDATORS = {
    phone: ColumnarValidator(Policy(phone=phone, region=region, today=TODAY), secret=SECRET, stamp="")  # type: ignore[arg-type]  # the three literals
    for phone, region in (("possible", "US"), ("e164", None), ("valid", "GB"))
}


@settings(max_examples=examples(300), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_columns_give_what_the_models_give(seed: int) -> None:
    dice = Random(seed)
    table, validator = table_of(dice), dice.choice(list(VALIDATORS.values()))
    checked = validator.check(batch_of(table))
    default = "BUSINESS" if "businessName" in table and "firstName" not in table else "INDIVIDUAL"
    for place in range(len(checked.raw)):
        row = {name: column[place] for name, column in table.items()}
        body, codes = reference(row, default, validator._policy)
        payload = checked.payloads[place]
        assert ordered(json.loads(payload) if payload else None) == ordered(body), (
            row,
            codes,
            issues_of(checked, place),
        )
        if row.get("type", default) not in {
            "",
            "???",
        }:  # cells of a row without a readable type are checked all the same
            assert_same_errors(checked, place, codes)


def issues_of(checked: CheckedBatch, place: int) -> set[str]:
    ordinal = checked.raw.first + place
    return {one.code for one in checked.issues if one.ordinal == ordinal and one.severity is Severity.ERROR}


def assert_same_errors(checked: CheckedBatch, place: int, codes: set[str]) -> None:
    # Models stop at an object whose own parts failed, so rules about the object as a whole may come on top here.
    about_wholes = {
        "state_required",
        "po_box_physical",
        "social_id_country_missing",
        "extension_conflict",
        "required_missing",
    }
    assert codes <= issues_of(checked, place)
    stopped_short = not codes or "extension_conflict" in codes
    assert stopped_short or issues_of(checked, place) - codes <= about_wholes
