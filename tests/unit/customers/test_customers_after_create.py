"""What a customer lacks for one profile of identity verification, as the target writes profiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from importer.core.step_tasks import VerificationProfile, VerificationRules
from importer.customers.after_create import NEEDS, CustomerSteps
from importer.customers.contract import CUSTOMERS
from importer.emulator.idv_profiles import PROFILES

STEPS, RULES = CustomerSteps(), VerificationRules()
BOTH = ("INDIVIDUAL", "BUSINESS")
NAME = ["FIRST", "LAST"]
ADDRESS = ["LINE1", "CITY", "STATE", "POSTAL_CODE", "COUNTRY"]
REACH = ["PRIMARY_EMAIL_ADDRESS", "PRIMARY_PHONE_NUMBER"]
STANDARD = {
    "individual": {"name": NAME, "info": ["DATE_OF_BIRTH", "SSN", *REACH], "physicalAddress": ADDRESS},
    "business": {"info": ["BUSINESS_LEGAL_NAME", "TAX_ID", *REACH], "physicalAddress": ADDRESS},
    "beneficiary": {"name": NAME, "info": ["DATE_OF_BIRTH", "SSN"], "physicalAddress": ADDRESS},
}
HOME = {
    "type": "PHYSICAL", "primary": True, "streetLine1": "12 Example Street", "cityName": "Springfield",
    "countryCode": "USA", "stateCode": "IL", "zipCode": "62701",
}  # fmt: skip
REACHED = {
    "firstName": "Sarah",
    "lastName": "Green",
    "primaryPhoneNumber": {"number": "+12125550123", "type": "MOBILE"},
    "primaryEmail": {"value": "sarah@example.com"},
}
ID = {"dateOfBirth": "1980-01-31", "socialId": "900-00-0000", "socialIdCountryCode": "USA"}
PERSON: dict[str, Any] = {"type": "INDIVIDUAL", **REACHED, **ID, "addresses": [HOME]}
BAKERY: dict[str, Any] = {
    "type": "BUSINESS",
    "businessName": "Example Bakery",
    "legalName": "Example Bakery LLC",
    "taxId": "00-0000000",
    "contacts": [{"primary": True, **REACHED}],
    "addresses": [HOME],
}
OWNER: dict[str, Any] = {"firstName": "Ada", "lastName": "Owner", **ID, "addresses": [HOME]}


def profile(requires: Mapping[str, Any], types: tuple[str, ...] = BOTH) -> VerificationProfile:
    return VerificationProfile("p-1", "Standard", types, requires)


def missing(
    body: Mapping[str, Any], requires: Mapping[str, Any] = STANDARD, rules: VerificationRules = RULES, **after: Any
) -> tuple[str, ...]:
    return STEPS.missing(body, after, profile(requires), rules)


def without(body: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


def test_whole_customers_lack_nothing() -> None:
    assert missing(PERSON) == ()
    assert missing(BAKERY, beneficiaries={"1": OWNER, "2": OWNER}) == ()


def test_every_field_that_is_missing_is_named_in_the_order_of_the_profile() -> None:
    assert missing(without(PERSON, "dateOfBirth", "socialId", "addresses")) == (
        "dateOfBirth",
        "socialId",
        "addresses.physical.streetLine1",
        "addresses.physical.cityName",
        "addresses.physical.stateCode",
        "addresses.physical.zipCode",
        "addresses.physical.countryCode",
    )
    assert missing(without(BAKERY, "legalName", "contacts"), beneficiaries={"1": OWNER}) == (
        "legalName",
        "contacts.primary.primaryEmail.value",
        "contacts.primary.primaryPhoneNumber.number",
    )


def test_a_mailing_address_is_not_the_physical_one() -> None:
    assert "addresses.physical.streetLine1" in missing({**PERSON, "addresses": [{**HOME, "type": "MAILING"}]})


def test_a_national_id_of_another_country_is_no_social_security_number() -> None:
    assert missing({**PERSON, "socialIdCountryCode": "CAN"}) == ("socialId",)


def test_a_type_that_the_profile_does_not_take_is_named() -> None:
    assert STEPS.missing(PERSON, {}, profile(STANDARD, ("BUSINESS",)), RULES) == ("type",)


def test_customers_of_other_countries_cannot_be_verified() -> None:
    abroad = {**PERSON, "addresses": [{**HOME, "countryCode": "CAN"}]}
    assert missing(abroad) == ("addresses.physical.countryCode",)
    assert missing(abroad, rules=VerificationRules(countries=("USA", "CAN"))) == ()
    assert missing(abroad, rules=VerificationRules(countries=())) == ()
    assert missing(abroad, rules=VerificationRules(countries=("us", "Canada"))) == ()
    assert missing(abroad, {}) == ("addresses.physical.countryCode",)
    mailed = {**PERSON, "addresses": [{**HOME, "type": "MAILING", "countryCode": "CAN"}]}
    assert missing(mailed, {}) == ("addresses.mailing.countryCode",)
    assert missing(without(PERSON, "addresses"), {}) == ()


def test_each_owner_is_asked_and_one_is_needed() -> None:
    assert missing(BAKERY, beneficiaries={"1": OWNER, "3": without(OWNER, "dateOfBirth")}) == (
        "beneficiaries.3.dateOfBirth",
    )
    assert missing(BAKERY)[:2] == ("beneficiaries.1.firstName", "beneficiaries.1.lastName")
    assert missing(BAKERY, without(STANDARD, "beneficiary")) == ()


def test_documents_are_asked_for_by_kind_and_detail() -> None:
    asked = {"individual": {"documents": {"passport": ["ISSUING_COUNTRY", "EXPIRY_DATE"]}}}
    assert missing(PERSON, asked) == (
        "documents.passport.file",
        "documents.passport.issuingCountryCode",
        "documents.passport.expiryDate",
    )
    passport = {"file": "a.pdf", "issuingCountryCode": "USA"}
    assert missing(PERSON, asked, documents={"passport": passport}) == ("documents.passport.expiryDate",)
    assert missing(BAKERY, {"business": {"documents": ["formation"]}}) == ("documents.formation.file",)
    assert missing(PERSON, {"individual": {"documents": {"driving-license": []}}}) == ("documents.drivingLicense.file",)


def test_marks_of_true_and_false_are_read_as_lists_are() -> None:
    asked = {"individual": {"info": {"DATE_OF_BIRTH": True, "SSN": False}}}
    assert missing(without(PERSON, "dateOfBirth", "socialId"), asked) == ("dateOfBirth",)


def test_the_key_of_persons_is_a_setting() -> None:
    asked = {"Natural Person": {"info": ["DATE_OF_BIRTH"]}}
    lacking = without(PERSON, "dateOfBirth")
    assert missing(lacking, asked) == ()
    assert missing(lacking, asked, VerificationRules(individual_party="naturalPerson")) == ("dateOfBirth",)


def test_what_is_not_known_makes_no_row_unready_and_is_named_once() -> None:
    asked = {"individual": {"info": ["SHOE_SIZE"], "documents": {"visa": []}}, "trustee": {"name": NAME}}
    assert missing(PERSON, asked) == ()
    assert STEPS.unknown_requirements(profile(asked), RULES) == (
        "trustee",
        "individual.info.SHOE_SIZE",
        "individual.documents.visa",
    )
    assert STEPS.unknown_requirements(profile(STANDARD), RULES) == ()


@pytest.mark.parametrize("odd", [None, 7, [], "x", {"individual": None}, {"individual": [7, None, {"a": [[]]}]}])
def test_nothing_that_a_target_writes_raises(odd: Any) -> None:
    requires = odd if isinstance(odd, dict) else {"individual": odd}
    missing(PERSON, requires)
    STEPS.unknown_requirements(profile(requires), RULES)


@pytest.mark.parametrize("one", PROFILES, ids=lambda one: one["name"])
def test_everything_that_the_emulators_profiles_ask_for_is_known(one: Mapping[str, Any]) -> None:
    asked = profile(one["minimumInformationRequired"])
    passport = {"file": "a.pdf", "number": "X0000000", "issuingCountryCode": "USA", "expiryDate": "2099-01-31"}
    after = {"beneficiaries": {"1": OWNER}, "documents": {"passport": passport}}
    assert STEPS.unknown_requirements(asked, RULES) == ()
    assert STEPS.missing(PERSON, after, asked, RULES) == ()
    assert STEPS.missing(BAKERY, after, asked, RULES) == ()


def test_every_field_that_can_be_missing_can_be_mapped() -> None:
    for need in NEEDS.values():
        assert CUSTOMERS.spec(need.name) is not None
        assert not need.of_business or CUSTOMERS.spec(need.of_business) is not None
