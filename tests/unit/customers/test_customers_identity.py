"""Import keys, look-up terms, equality of data, and readiness for verification."""

from __future__ import annotations

from typing import Any

import pytest

from importer.core.contract import Columns, occurrence_key
from importer.customers.bodies import meaning
from importer.customers.identity import import_key, search_terms
from importer.customers.readiness import judge_readiness

SECRET = b"a fictional secret of 32 bytes.."
PERSON: dict[str, Any] = {
    "customer_type": "INDIVIDUAL",
    "names": ("Sarah", "Green"),
    "email": "sarah@example.com",
    "phone": "+12125550123",
}
BODY: dict[str, Any] = {
    "type": "INDIVIDUAL",
    "externalId": "L-1",
    "firstName": "Sarah",
    "lastName": "Green",
    "primaryPhoneNumber": {"number": "+12125550123", "type": "MOBILE"},
    "primaryEmail": {"value": "sarah@example.com"},
    "socialId": "900-00-0000",
    "addresses": [
        {
            "type": "MAILING",
            "primary": True,
            "streetLine1": "12 Example Street",
            "zipCode": "62701",
            "countryCode": "USA",
        },
        {"type": "PHYSICAL", "primary": True, "streetLine1": "1 Other Street", "zipCode": "62702"},
    ],
    "metadata": {"legacy": "crm"},
}


def test_a_key_is_32_hexadecimal_characters_and_the_same_every_time() -> None:
    key = import_key(SECRET, **PERSON)
    assert len(key) == 32
    assert int(key, 16) >= 0
    assert key == import_key(SECRET, **PERSON)


def test_capitals_do_not_count() -> None:
    shouted = {**PERSON, "names": ("SARAH", "GREEN"), "email": "Sarah@Example.com"}
    assert import_key(SECRET, **shouted) == import_key(SECRET, **PERSON)


@pytest.mark.parametrize(
    "other",
    [
        {"customer_type": "BUSINESS"}, {"names": ("Sarah", "Greene")}, {"names": ("Sarah Green", "")},
        {"email": "s@example.com"}, {"phone": "+12125550124"}, {"birth_date": ""}, {"birth_date": "1980-01-31"},
        {"external_id": "L-1"},
    ],
)  # fmt: skip
def test_every_part_counts(other: dict[str, Any]) -> None:
    assert import_key(SECRET, **{**PERSON, **other}) != import_key(SECRET, **PERSON)


def test_an_external_id_is_all_that_counts() -> None:
    assert import_key(SECRET, external_id="L-1") == import_key(SECRET, **{**PERSON, "external_id": "L-1"})


def test_another_secret_gives_another_key() -> None:
    assert import_key(b"another", **PERSON) != import_key(SECRET, **PERSON)


def test_allowed_duplicates_get_keys_of_their_own() -> None:
    key = import_key(SECRET, **PERSON)
    keys = {key, *(occurrence_key(key, n) for n in range(2, 100))}
    assert len(keys) == 99
    assert occurrence_key(key, 2) == occurrence_key(key, 2)
    assert len(occurrence_key(key, 2)) == 32


def test_a_person_is_looked_up_by_email_phone_and_type() -> None:
    assert search_terms(BODY) == ("sarah@example.com", "+12125550123", "INDIVIDUAL")


def test_a_business_is_looked_up_by_its_primary_contact() -> None:
    contact = {"primaryEmail": {"value": "a@example.com"}, "primaryPhoneNumber": {"number": "+12125550100"}}
    body = {"type": "BUSINESS", "contacts": [{"primary": False}, {**contact, "primary": True}]}
    assert search_terms(body) == ("a@example.com", "+12125550100", "BUSINESS")


def test_readiness_names_what_verification_lacks() -> None:
    place = "addresses.physical."
    ready = {
        "dateOfBirth": "1980-01-31", "socialId": "900-00-0000", "socialIdCountryCode": "USA",
        f"{place}streetLine1": "1 A", f"{place}cityName": "B", f"{place}stateCode": "IL", f"{place}zipCode": "62701",
        f"{place}countryCode": "USA",
    }  # fmt: skip

    def missing(texts: dict[str, str], kind: str = "INDIVIDUAL") -> list[str]:
        columns = Columns(texts.keys(), lambda name: [texts[name]], 1, {})
        return [name for name, count in judge_readiness(kind, columns, ()).missing.items() if count]

    assert missing(ready) == []
    assert missing({**ready, "dateOfBirth": ""}) == ["birth_date"]
    assert missing({**ready, "socialIdCountryCode": "CAN"}) == ["ssn"]
    assert missing({**ready, f"{place}zipCode": ""}) == ["physical_address"]
    assert missing({}, "BUSINESS") == ["legal_name", "tax_id", "physical_address"]


def test_a_body_means_the_same_whatever_its_order_and_its_blanks() -> None:
    stamped = {**BODY, "metadata": {"importKey": "k1", "legacy": "crm"}, "middleName": None, "website": ""}
    turned = dict(reversed(BODY.items())) | {"addresses": [*reversed(BODY["addresses"])], "metadata": {"legacy": "crm"}}

    assert meaning(stamped, "k1") == meaning(turned, "k2")


@pytest.mark.parametrize("changed", [{"lastName": "Greene"}, {"metadata": {"legacy": "erp"}}, {"addresses": []}])
def test_a_body_with_another_value_means_something_else(changed: dict[str, Any]) -> None:
    assert meaning(BODY, "k") != meaning(BODY | changed, "k")
