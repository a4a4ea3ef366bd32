"""Keys over changes of the rules: an upgrade forgets nobody."""

from __future__ import annotations

from typing import Any

import pytest

from importer.core.contract import occurrence_key
from importer.customers.former import key_today, keys_of_then, keys_under, phone_today
from importer.customers.identity import import_key

SECRET = b"a fictional secret of 32 bytes.."


def today(body: dict[str, Any], key: str) -> str:
    return key_today(SECRET, body, key, phone_today(body))


def person(phone: str, country: str = "", **more: Any) -> dict[str, Any]:
    address = [{"type": "PHYSICAL", "primary": True, "countryCode": country}] if country else []
    return {
        "type": "INDIVIDUAL", "firstName": "Kim", "lastName": "Reed", "addresses": address,
        "primaryPhoneNumber": {"number": phone}, "primaryEmail": {"value": "kim@example.com"}, **more,
    }  # fmt: skip


def key_of(phone: str, **more: Any) -> str:
    of: dict[str, Any] = {"names": ("Kim", "Reed"), "email": "kim@example.com", "phone": phone, **more}
    return import_key(SECRET, customer_type="INDIVIDUAL", **of)


@pytest.mark.parametrize(
    ("then", "country", "now"),
    [
        ("+12079460958", "GBR", "+442079460958"), ("+10301234567", "DEU", "+49301234567"),
        ("+12125550123", "USA", ""), ("+442079460958", "GBR", ""), ("+12125550123", "", ""),
        ("+12125550123", "GBR", ""),
    ],
)  # fmt: skip
def test_a_national_number_of_another_country_is_read_again(then: str, country: str, now: str) -> None:
    assert phone_today(person(then, country)) == now


@pytest.mark.parametrize("born", [{}, {"birth_date": ""}, {"birth_date": "1980-01-31"}])
def test_the_key_of_today_is_that_of_the_number_of_today(born: dict[str, str]) -> None:
    given = {"dateOfBirth": born["birth_date"]} if born.get("birth_date") else {}
    body = person("+12079460958", "GBR", **given)

    assert today(body, key_of("+12079460958", **born)) == key_of("+442079460958", **born)


def test_a_twin_stays_the_twin_that_it_was() -> None:
    then, now = key_of("+12079460958"), key_of("+442079460958")
    body = person("+12079460958", "GBR")

    assert today(body, occurrence_key(then, 3)) == occurrence_key(now, 3)


@pytest.mark.parametrize("wrapped", ['="0042"', "'0042"])
def test_a_reference_loses_what_protected_it_from_spreadsheets(wrapped: str) -> None:
    then, now = import_key(SECRET, external_id=wrapped), import_key(SECRET, external_id="0042")
    body = person("+12125550123")

    assert today(body | {"externalId": wrapped}, then) == now
    assert then in set(keys_of_then(SECRET, body | {"externalId": "0042"}, now, "US"))


def test_what_has_not_changed_has_the_key_that_it_had() -> None:
    business = {
        "type": "BUSINESS", "businessName": "Example Ltd.",
        "contacts": [{"primary": True, "firstName": "Kim", "lastName": "Reed",
                      "primaryPhoneNumber": {"number": "+12125550123"}, "primaryEmail": {"value": "a@example.com"}}],
    }  # fmt: skip
    names = ("Example Ltd.", "Kim", "Reed")
    key = import_key(SECRET, customer_type="BUSINESS", names=names, email="a@example.com", phone="+12125550123")

    assert today(business, key) == key
    assert today(person("+12125550123", "USA"), key_of("+12125550123")) == key_of("+12125550123")
    assert today(person("+12079460958", "GBR"), "f" * 32) == "f" * 32


@pytest.mark.parametrize(("now", "then"), [("+442079460958", "+12079460958"), ("+49301234567", "+10301234567")])
def test_the_number_of_then_is_among_those_that_are_tried(now: str, then: str) -> None:
    assert key_of(then) in set(keys_of_then(SECRET, person(now), key_of(now), "US"))


def test_a_number_of_the_default_region_was_never_another_one() -> None:
    assert list(keys_of_then(SECRET, person("+12125550123"), key_of("+12125550123"), "US")) == []


def test_a_business_is_known_under_another_secret_whichever_contact_has_made_its_key() -> None:
    other, of = b"another fictional secret of 32 b", ("Bakery", "Ann", "Reed")
    ann, kim = (
        {"firstName": name, "lastName": "Reed", "primary": name == "Kim", "primaryPhoneNumber": {"number": phone}}
        for name, phone in (("Ann", "+12125550123"), ("Kim", "+12125550124"))
    )
    body = {"type": "BUSINESS", "businessName": "Bakery", "contacts": [ann, kim]}
    now, then = (
        import_key(secret, customer_type="BUSINESS", names=of, phone="+12125550123") for secret in (SECRET, other)
    )

    assert list(keys_under((SECRET, other), body, now)) == [now, then]
    assert list(keys_under((SECRET, other), body, occurrence_key(then, 2))) == [
        occurrence_key(one, 2) for one in (now, then)
    ]
    assert list(keys_under((SECRET, other), body, "of something else")) == []
