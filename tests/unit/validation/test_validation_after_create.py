"""What a row brings for the steps after its create: read with the row, kept apart from the body of the create."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from importer.core.batches import CheckedBatch
from importer.core.issues import Issue
from importer.core.steps import Step, parts_of
from tests.unit.validation.test_validation_validator import BAKERY, HOME, SARAH, check

LIMITS = {"limits.daily": "1000.00", "limits.monthly": "20000.00"}
OWNER = {"beneficiaries.1.firstName": "Ada", "beneficiaries.1.lastName": "Owner"}
PASSPORT = {
    "documents.passport.file": "scans/0001.pdf",
    "documents.passport.number": "X0000000",
    "documents.passport.issuingCountryCode": "USA",
}


def after(checked: CheckedBatch, place: int = 0) -> dict[str, Any]:
    kept = checked.after[place]
    return {} if kept is None else dict(json.loads(kept))


def after_of(*rows: Mapping[str, str], **more: Any) -> dict[str, Any]:
    checked = check(*rows, **more)
    assert [one for one in checked.issues if one.severity == "error"] == []
    return after(checked)


def found(*rows: Mapping[str, str], **more: Any) -> list[tuple[str, str]]:
    return [(one.code, one.field) for one in check(*rows, **more).issues]


def sentence(issues: Sequence[Issue]) -> str:
    (one,) = issues
    return one.message


# --------------------------------------------------------------------------- the body of the create


@pytest.mark.parametrize("brought", [LIMITS, PASSPORT, {**LIMITS, **PASSPORT}])
def test_the_body_and_the_key_are_the_same_with_and_without_them(brought: Mapping[str, str]) -> None:
    alone, with_them = (
        check({**SARAH, **HOME}, stamp="importKey"),
        check({**SARAH, **HOME, **brought}, stamp="importKey"),
    )
    assert with_them.payloads == alone.payloads
    assert with_them.keys == alone.keys
    assert with_them.prints == alone.prints
    assert with_them.likenesses == alone.likenesses


def test_nothing_is_kept_where_no_such_field_is_mapped() -> None:
    assert check(SARAH).after == ()


def test_a_row_without_them_keeps_nothing() -> None:
    checked = check({**SARAH, **LIMITS}, {**SARAH, "limits.daily": " "})
    assert after(checked) == {"limits": {"currency": "USD", "daily": "1000.00", "monthly": "20000.00"}}
    assert checked.after[1] is None


def test_an_invalid_row_keeps_nothing() -> None:
    checked = check({**SARAH, **LIMITS, "primaryEmail.value": "nobody"})
    assert checked.payloads == [None]
    assert checked.after == [None]


def test_rows_of_both_types_keep_each_its_own() -> None:
    person = {"type": "INDIVIDUAL", **SARAH, **PASSPORT}
    business = {"type": "BUSINESS", **BAKERY, **OWNER, "limits.single": "5"}
    checked = check(person, business, {**person, "documents.passport.file": ""})
    assert list(after(checked)) == ["documents"]
    assert list(after(checked, 1)) == ["beneficiaries", "limits"]
    assert checked.after[2] is None


def test_the_parts_are_those_of_the_steps() -> None:
    row = {**BAKERY, **OWNER, **{name.replace(".1.", ".3."): text for name, text in OWNER.items()}, **LIMITS}
    assert [(step, part) for step, part, _ in parts_of(after_of(row))] == [
        (Step.BENEFICIARIES, "1"),
        (Step.BENEFICIARIES, "3"),
        (Step.LIMITS, ""),
    ]


# --------------------------------------------------------------------------- limits


def test_amounts_get_two_decimals_and_the_change_is_noted() -> None:
    checked = check({**SARAH, "limits.daily": "1000", "limits.single": "$5.5"})
    assert after(checked)["limits"] == {"currency": "USD", "single": "5.50", "daily": "1000.00"}
    assert [(one.rule, one.field) for one in checked.changes] == [
        ("amount_decimals", "limits.daily"),
        ("currency_sign_removed", "limits.single"),
        ("amount_decimals", "limits.single"),
    ]


def test_the_currency_is_taken_from_the_amounts_where_it_is_not_mapped() -> None:
    assert after_of({**SARAH, "limits.daily": "CAD 10", "limits.single": "5"})["limits"]["currency"] == "CAD"


def test_a_currency_without_a_limit_is_no_limit() -> None:
    assert check({**SARAH, "limits.currency": "USD", "limits.daily": ""}).after == [None]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("-1", "amount_negative"),
        ("1.005", "amount_too_precise"),
        ("none", "amount_invalid"),
        ("1E+05", "amount_invalid"),
        ("1,000", "amount_invalid"),
        ("1000000000000", "amount_too_large"),
        ("5 EUR", "amount_other_currency"),
        ("\u0661", "amount_invalid"),
    ],
)
def test_an_amount_that_cannot_be_sent_is_one_error(text: str, code: str) -> None:
    assert found({**SARAH, "limits.currency": "USD", "limits.daily": text}) == [(code, "limits.daily")]


def test_amounts_of_two_currencies_in_one_row_are_an_error() -> None:
    assert found({**SARAH, "limits.single": "1 USD", "limits.daily": "5 CAD"}) == [
        ("amount_other_currency", "limits.daily")
    ]


def test_a_currency_is_its_code() -> None:
    row = {**SARAH, **LIMITS}
    assert after_of({**row, "limits.currency": "cad"})["limits"]["currency"] == "CAD"
    assert found({**row, "limits.currency": "dollars"}) == [("currency_unknown", "limits.currency")]
    assert found({**row, "limits.currency": "EUR"}) == [("currency_unusual", "limits.currency")]


# --------------------------------------------------------------------------- beneficial owners


def test_an_owner_is_the_object_of_the_api() -> None:
    row = {
        **BAKERY,
        **OWNER,
        "beneficiaries.1.primaryPhoneNumber.number": "(212) 555-0123",
        "beneficiaries.1.primaryPhoneNumber.type": "cell",
        "beneficiaries.1.primaryEmail.value": "ada@example.com",
        "beneficiaries.1.dateOfBirth": "1980-01-31",
        "beneficiaries.1.socialIdCountryCode": "US",
        "beneficiaries.1.socialId": "900-00-0000",
        "beneficiaries.1.ownershipPercentage": "25 %",
        "beneficiaries.1.controller": "Yes",
        "beneficiaries.1.addresses.physical.streetLine1": "12 Example Street",
        "beneficiaries.1.addresses.physical.stateCode": "Illinois",
        "beneficiaries.1.addresses.physical.zipCode": "62701",
        "beneficiaries.1.addresses.physical.countryCode": "USA",
    }
    assert after_of(row)["beneficiaries"]["1"] == {
        "firstName": "Ada",
        "lastName": "Owner",
        "primaryPhoneNumber": {"number": "+12125550123", "type": "MOBILE"},
        "primaryEmail": {"value": "ada@example.com"},
        "dateOfBirth": "1980-01-31",
        "socialIdCountryCode": "USA",
        "socialId": "900-00-0000",
        "ownershipPercentage": "25",
        "controller": True,
        "addresses": [
            {
                "primary": True,
                "type": "PHYSICAL",
                "streetLine1": "12 Example Street",
                "countryCode": "USA",
                "stateCode": "IL",
                "zipCode": "62701",
            }
        ],
    }


def test_an_owner_needs_both_names() -> None:
    assert found({**BAKERY, "beneficiaries.2.firstName": "Ada"}) == [("required_missing", "beneficiaries.2.lastName")]


def test_what_is_often_the_same_in_all_rows_makes_no_owner() -> None:
    row = {**BAKERY, **dict.fromkeys(OWNER, ""), "beneficiaries.1.citizenshipCountryCode": "USA"}
    assert check(row).after == [None]
    assert check(row).issues == ()


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("primaryEmail.value", "nobody", "email_invalid"),
        ("dateOfBirth", "2030-01-01", "date_not_past"),
        ("ownershipPercentage", "101", "percentage_invalid"),
        ("controller", "perhaps", "enum_unknown"),
        ("addresses.physical.zipCode", "62701", "required_missing"),
        ("socialId", "900-00-0000", "social_id_country_missing"),
    ],
)
def test_the_rules_of_persons_apply_to_owners(name: str, text: str, code: str) -> None:
    (issue,) = check({**BAKERY, **OWNER, f"beneficiaries.1.{name}": text}).issues
    assert issue.code == code
    assert issue.field.startswith("beneficiaries.1.")


@pytest.mark.parametrize(("text", "share"), [("25", "25"), ("33.3 %", "33.3"), ("12,5", "12.5"), ("33,333%", "33.333")])
def test_a_share_may_have_a_decimal_comma(text: str, share: str) -> None:
    owner = after_of({**BAKERY, **OWNER, "beneficiaries.1.ownershipPercentage": text})["beneficiaries"]["1"]
    assert owner["ownershipPercentage"] == share


def test_persons_have_no_owners() -> None:
    checked = check({"type": "INDIVIDUAL", **SARAH, **OWNER})
    assert {one.code for one in checked.issues} == {"field_not_sent"}
    assert checked.after == [None]


# --------------------------------------------------------------------------- documents


def test_a_passport_has_a_number_and_a_country() -> None:
    assert after_of({**SARAH, **PASSPORT})["documents"] == {
        "passport": {"file": "scans/0001.pdf", "number": "X0000000", "issuingCountryCode": "USA"}
    }
    assert found({**SARAH, "documents.passport.file": "a.pdf"}) == [
        ("required_missing", "documents.passport.number"),
        ("required_missing", "documents.passport.issuingCountryCode"),
    ]


def test_another_document_has_a_description() -> None:
    row = {**BAKERY, "documents.formation.file": "a.pdf"}
    assert found(row) == [("required_missing", "documents.formation.description")]
    assert after_of({**row, "documents.formation.description": "Articles"})["documents"]["formation"]["file"] == "a.pdf"


def test_a_document_without_its_file_is_not_sent() -> None:
    checked = check({**SARAH, **PASSPORT, "documents.passport.file": ""})
    assert [(one.code, one.field) for one in checked.issues] == [("document_without_file", "documents.passport.number")]
    assert checked.after == [None]


@pytest.mark.parametrize(
    ("name", "text", "codes"),
    [
        ("expiryDate", "2026-11-21", ["document_expired"]),
        ("expiryDate", "2026-11-22", []),
        ("expiryDate", "2036-01-31", []),
        ("issuingDate", "2026-11-23", ["date_in_future"]),
        ("issuingDate", "2026-11-22", []),
        ("issuingDate", "2026-02-30", ["date_invalid"]),
        ("issuingStateCode", "IL", []),
        ("file", "a\x07b.pdf", ["text_unreadable"]),
    ],
)
def test_dates_and_names_of_documents_are_checked(name: str, text: str, codes: list[str]) -> None:
    row = {**SARAH, **PASSPORT, f"documents.passport.{name}": text}
    assert [one.code for one in check(row).issues] == codes


def test_a_sentence_names_the_document() -> None:
    row = {**SARAH, **PASSPORT, "documents.passport.expiryDate": "2020-01-31"}
    assert sentence(check(row).issues) == (
        "Expiry date of the passport is in the past; a document that has expired is not accepted."
    )
