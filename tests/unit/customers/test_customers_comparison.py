"""What was sent and what the server has: every difference is found and named, and none is invented."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.core.steps import Difference
from importer.customers.bodies import CustomerBodies
from importer.customers.comparison import compare, names_of

STAMP, KEY = "importKey", "0123456789abcdef" * 2
RECOGNITION = CustomerBodies()
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


def differing(payload: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[str, ...]:
    return names_of(compare(payload, body))


def test_what_the_server_returns_for_what_was_sent_is_the_same() -> None:
    returned = {
        **BODY,
        "id": "6f2c", "status": "ACTIVE", "createdAt": "2026-11-22T00:00:00.000Z", "createdBy": {"id": "", "type": "x"},
        "verificationStatus": {"status": "UNVERIFIED"}, "limits": {"daily": "5.00"},
        "middleName": "", "website": None, "socialId": "***0000",
        "primaryPhoneNumber": {"number": "+1 (212) 555-0123", "type": "MOBILE", "verified": False, "extension": ""},
        "primaryEmail": {"value": "Sarah@EXAMPLE.com", "verified": False},
        "addresses": [{**one, "streetLine3": ""} for one in reversed(BODY["addresses"])],
        "metadata": {"legacy": "crm", "batch": "7"},
    }  # fmt: skip
    assert differing(BODY, returned) == ()


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"firstName": "Sara"}, ("firstName",)),
        ({"firstName": None}, ("firstName",)),
        ({"middleName": "Jane"}, ("middleName",)),
        ({"primaryPhoneNumber": {"number": "+12125550199", "type": "HOME"}},
         ("primaryPhoneNumber.number", "primaryPhoneNumber.type")),
        ({"metadata": {}}, ("metadata.legacy",)),
        ({"addresses": BODY["addresses"][:1]}, ("addresses.physical.streetLine1", "addresses.physical.zipCode")),
        ({"addresses": None}, tuple(sorted([
            "addresses.mailing.countryCode", "addresses.mailing.streetLine1", "addresses.mailing.zipCode",
            "addresses.physical.streetLine1", "addresses.physical.zipCode"]))),
        ({"type": "BUSINESS"}, ("type",)),
        ({"addresses": "nonsense", "metadata": "nonsense", "primaryEmail": "nonsense"},
         ("addresses.mailing.countryCode", "addresses.mailing.streetLine1", "addresses.mailing.zipCode",
          "addresses.physical.streetLine1", "addresses.physical.zipCode", "metadata.legacy", "primaryEmail.value")),
    ],
)  # fmt: skip
def test_other_data_are_named_field_by_field(change: dict[str, Any], fields: tuple[str, ...]) -> None:
    assert differing(BODY, {**BODY, **change}) == fields


@pytest.mark.parametrize("odd", [[{"type": ["x"]}], [None, 7], {"type": "MAILING"}, 7])
def test_whatever_the_server_answers_nothing_raises(odd: Any) -> None:
    assert differing(BODY, {**BODY, "addresses": odd, "contacts": odd, "metadata": odd, "firstName": odd})


def test_of_several_addresses_of_a_type_the_one_like_ours_counts() -> None:
    other = {"type": "MAILING", "primary": True, "streetLine1": "9 New Street", "zipCode": "1"}
    ours = {**BODY["addresses"][0], "primary": False}
    assert differing(BODY, {**BODY, "addresses": [ours, other, BODY["addresses"][1]]}) == ()
    assert differing(BODY, {**BODY, "addresses": [other, BODY["addresses"][1]]}) == (
        "addresses.mailing.countryCode", "addresses.mailing.streetLine1", "addresses.mailing.zipCode",
    )  # fmt: skip


def test_businesses_are_compared_by_their_primary_contact() -> None:
    contact = {"firstName": "Sarah", "lastName": "Green", "primary": True, "primaryEmail": {"value": "s@example.com"}}
    sent = {"type": "BUSINESS", "businessName": "Bakery", "contacts": [contact]}
    assert differing(sent, {**sent, "contacts": [{"firstName": "Other", "primary": False}, contact]}) == ()
    changed = {**sent, "contacts": [{**contact, "firstName": "Sara"}]}
    assert differing(sent, changed) == ("contacts.primary.firstName",)


# --------------------------------------------------------------------------- planted differences

ADA: dict[str, Any] = {
    "firstName": "Ada", "lastName": "Baker", "primary": True,
    "primaryPhoneNumber": {"number": "+12125550123", "type": "WORK", "extension": "045"},
    "primaryEmail": {"value": "ada@bakery.example.com"},
}  # fmt: skip
BEN: dict[str, Any] = {
    "firstName": "Ben", "lastName": "Baker", "primary": False,
    "primaryPhoneNumber": {"number": "+12125550124", "type": "MOBILE"},
    "primaryEmail": {"value": "ben@bakery.example.com"},
}  # fmt: skip
BAKERY: dict[str, Any] = {
    "type": "BUSINESS",
    "businessName": "Example Bakery",
    "taxId": "00-0000000",
    "taxIdCountryCode": "USA",
    "industryCode": "001001",
    "website": "https://bakery.example.com",
    "contacts": [ADA, BEN],
    "metadata": {STAMP: KEY, "branch": "north"},
}
SARAH: dict[str, Any] = {
    **BODY,
    "prefix": "Dr",
    "sex": "FEMALE",
    "dateOfBirth": "1980-04-02",
    "placeOfBirth": {"city": "Springfield", "countryCode": "USA"},
    "socialIdCountryCode": "USA",
    "primaryPhoneNumber": {"number": "+12125550123", "type": "MOBILE", "extension": "45"},
    "metadata": {STAMP: KEY, "legacy": "crm"},
}


def put(*path: str | int, value: Any) -> Callable[[dict[str, Any]], None]:
    """Write a value into a body; None takes the member away."""

    def change(body: Any) -> None:
        for name in path[:-1]:
            body = body[name]
        if value is None:
            del body[path[-1]]
        else:
            body[path[-1]] = value

    return change


ANOTHER, MISSING, NOT_SENT = Difference
PLANTED: list[tuple[dict[str, Any], Callable[[dict[str, Any]], None], str, Difference]] = [
    (SARAH, put("lastName", value="Greene"), "lastName", ANOTHER),
    (SARAH, put("firstName", value="sarah"), "firstName", ANOTHER),
    (SARAH, put("middleName", value="Jane"), "middleName", NOT_SENT),
    (SARAH, put("prefix", value=""), "prefix", MISSING),
    (SARAH, put("externalId", value="L-2"), "externalId", ANOTHER),
    (SARAH, put("sex", value="MALE"), "sex", ANOTHER),
    (SARAH, put("dateOfBirth", value="1980-02-04"), "dateOfBirth", ANOTHER),
    (SARAH, put("placeOfBirth", "countryCode", value="CAN"), "placeOfBirth.countryCode", ANOTHER),
    (SARAH, put("socialId", value="***-**-0001"), "socialId", ANOTHER),
    (SARAH, put("socialId", value=None), "socialId", MISSING),
    (SARAH, put("primaryPhoneNumber", "number", value="+12125550132"), "primaryPhoneNumber.number", ANOTHER),
    (SARAH, put("primaryPhoneNumber", "type", value="HOME"), "primaryPhoneNumber.type", ANOTHER),
    (SARAH, put("primaryPhoneNumber", "extension", value="46"), "primaryPhoneNumber.extension", ANOTHER),
    (SARAH, put("primaryEmail", "value", value="sara@example.com"), "primaryEmail.value", ANOTHER),
    (SARAH, put("addresses", 0, "zipCode", value="62710"), "addresses.mailing.zipCode", ANOTHER),
    (SARAH, put("addresses", 1, "streetLine2", value="Floor 3"), "addresses.physical.streetLine2", NOT_SENT),
    (SARAH, put("addresses", 0, "countryCode", value=None), "addresses.mailing.countryCode", MISSING),
    (SARAH, put("addresses", 0, "primary", value=False), "addresses.mailing.primary", MISSING),
    (SARAH, put("metadata", "legacy", value="erp"), "metadata.legacy", ANOTHER),
    (SARAH, put("metadata", "legacy", value=None), "metadata.legacy", MISSING),
    (BAKERY, put("businessName", value="Sample Bakery"), "businessName", ANOTHER),
    (BAKERY, put("legalName", value="Example Bakery LLC"), "legalName", NOT_SENT),
    (BAKERY, put("taxId", value="*****0001"), "taxId", ANOTHER),
    (BAKERY, put("industryCode", value="001002"), "industryCode", ANOTHER),
    (BAKERY, put("website", value=None), "website", MISSING),
    (BAKERY, put("contacts", 0, "lastName", value="Becker"), "contacts.primary.lastName", ANOTHER),
    (BAKERY, put("contacts", 1, "primaryEmail", "value", value="b@example.com"), "contacts.2.primaryEmail.value",
     ANOTHER),
    (BAKERY, put("contacts", 0, "primaryPhoneNumber", "extension", value="45"),
     "contacts.primary.primaryPhoneNumber.extension", ANOTHER),
]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "plant", "name", "how"), PLANTED, ids=[f"{place}-{one[2]}" for place, one in enumerate(PLANTED)]
)
def test_a_planted_difference_is_found_and_named_and_nothing_else(
    sent: dict[str, Any], plant: Callable[[dict[str, Any]], None], name: str, how: Difference
) -> None:
    there = copy.deepcopy(sent)
    plant(there)
    assert RECOGNITION.read_back(json.dumps(sent).encode(), there, STAMP) == ((name, how),)


def test_all_planted_differences_together_are_found() -> None:
    for sent in (SARAH, BAKERY):
        there = copy.deepcopy(sent)
        plants = {name: plant for body, plant, name, _ in PLANTED if body is sent}
        for plant in plants.values():
            plant(there)
        assert {name for name, _ in RECOGNITION.read_back(json.dumps(sent).encode(), there, STAMP)} == set(plants)


@pytest.mark.parametrize(
    ("name", "ours", "theirs"),
    [
        ("firstName", "Jose\u0301  Luis ", "José Luis"),
        ("dateOfBirth", "1980-04-02", "1980-04-02T00:00:00Z"),
        ("dateOfBirth", "1980-04-02", "1980-04-02T00:00:00.000+00:00"),
        ("socialId", "900-00-1234", "*****1234"),
        ("socialId", "900-00-1234", "***-**-1234"),
        ("socialId", "900-00-1234", "XXX-XX-1234"),
        ("socialId", "900-00-1234", "900-**-****"),
        ("socialId", "900-00-1234", "*********"),
        ("socialId", "900-00-1234", "1234"),
        ("socialId", "900-00-1234", "900001234"),
        ("socialId", "12", "*****12"),
        ("socialId", "900-00-1234", "9**-0*-1*34"),
        ("sex", "FEMALE", "female"),
        ("socialIdCountryCode", "USA", "usa"),
        ("website", "", None),
        ("externalId", "7", 7),
    ],
)
def test_what_is_written_otherwise_and_means_the_same_is_no_difference(name: str, ours: Any, theirs: Any) -> None:
    assert compare({**SARAH, name: ours}, {**SARAH, name: theirs}) == ()


@pytest.mark.parametrize(
    ("name", "ours", "theirs"),
    [
        ("firstName", "José", "Jose"),
        ("socialId", "900-00-1234", "*****1235"),
        ("socialId", "900-00-1234", "901-**-****"),
        ("socialId", "900-00-1234", "1235"),
        ("socialId", "900-00-1234", "900-00-1235"),
        ("socialId", "1234", "*12345"),
        ("socialId", "1234", "123*234"),
        ("socialId", "900-00-1234", "9*2*1*34"),
        ("dateOfBirth", "1980-04-02", "1980-04-03T00:00:00Z"),
    ],
)
def test_what_means_something_else_differs(name: str, ours: Any, theirs: Any) -> None:
    assert compare({**SARAH, name: ours}, {**SARAH, name: theirs}) == ((name, ANOTHER),)


@pytest.mark.parametrize(
    ("theirs", "names"),
    [
        ({"number": "+1 (212) 555-0123", "extension": "x45"}, []),
        ({"number": "2125550123", "extension": "45"}, []),
        ({"number": "12125550123;ext=45"}, []),
        ({"number": "+1 212-555-0123 ext. 45"}, []),
        ({"number": "+12125550123"}, ["extension"]),
        ({"number": "+442125550123", "extension": "45"}, ["number"]),
        ({"number": "+2125550123", "extension": "45"}, ["number"]),
    ],
)
def test_phones_are_compared_by_what_they_dial(theirs: dict[str, str], names: list[str]) -> None:
    sent = {"primaryPhoneNumber": {"number": "+12125550123", "extension": "45"}}
    found = differing(sent, {"primaryPhoneNumber": {**theirs, "verified": False}})
    assert found == tuple(f"primaryPhoneNumber.{name}" for name in names)


def test_contacts_are_compared_by_person_whatever_their_order() -> None:
    carla = {**BEN, "firstName": "Carla", "primaryEmail": {"value": "carla@example.com"}}
    sent = {**BAKERY, "contacts": [ADA, BEN, carla]}
    assert compare(sent, {**sent, "contacts": [carla, BEN, ADA]}) == ()
    moved = {**carla, "primaryPhoneNumber": {**carla["primaryPhoneNumber"], "type": "HOME"}}
    assert compare(sent, {**sent, "contacts": [moved, BEN, ADA]}) == (
        ("contacts.3.primaryPhoneNumber.type", ANOTHER),
    )  # fmt: skip
    gone = compare(sent, {**sent, "contacts": [carla, ADA]})
    assert {(name.split(".")[1], how) for name, how in gone} == {("2", MISSING)}


def test_another_primary_contact_differs() -> None:
    there = {**BAKERY, "contacts": [{**ADA, "primary": False}, {**BEN, "primary": True}]}
    assert compare(BAKERY, there) == (("contacts.primary.primary", MISSING),)


def test_addresses_of_one_type_are_paired_by_what_they_are() -> None:
    old, new = BODY["addresses"][0], {**BODY["addresses"][0], "streetLine1": "9 New Street", "primary": False}
    sent = {**BODY, "addresses": [old, new]}
    assert compare(sent, {**sent, "addresses": [new, old]}) == ()
    assert compare(sent, {**sent, "addresses": [{**new, "zipCode": "1"}, old]}) == (
        ("addresses.mailing.zipCode", ANOTHER),
    )  # fmt: skip


def test_what_the_server_adds_of_its_own_is_no_difference() -> None:
    owned = {
        "id": "6f2c", "status": "ACTIVE", "createdAt": "2026-11-22T00:00:00.000Z", "createdBy": {"id": "", "type": "x"},
        "updatedAt": "2026-11-22T00:00:00.000Z", "verificationStatus": {"status": "UNVERIFIED", "reason": ""},
        "middleName": None, "legalName": "", "riskScore": 7,
    }  # fmt: skip
    assert compare(SARAH, {**SARAH, **owned, "metadata": {**SARAH["metadata"], "seenBy": "x"}}) == ()


def test_a_difference_is_never_told_with_a_value() -> None:
    there = {**SARAH, "lastName": "Secret", "addresses": [], "metadata": {}}
    said = str(RECOGNITION.read_back(json.dumps(SARAH).encode(), there, STAMP))
    assert not any(text in said for text in ("Secret", "Green", "62701", "crm", KEY))


def test_metadata_that_a_target_loses_do_not_differ_then() -> None:
    payload, there = json.dumps(SARAH).encode(), {**SARAH, "metadata": {}}
    assert RECOGNITION.read_back(payload, there, STAMP) == (("metadata.legacy", MISSING),)
    assert RECOGNITION.read_back(payload, there, STAMP, loses_metadata=True) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*SARAH, *BAKERY, *ADA, "number"]), inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*SARAH, *BAKERY]), JSON))
def test_whatever_a_server_answers_is_compared_and_named_without_a_value(there: dict[str, Any]) -> None:
    for sent in (SARAH, BAKERY):
        found = RECOGNITION.read_back(json.dumps(sent).encode(), there, STAMP)
        assert {how for _, how in found} <= set(Difference)
        assert len({name for name, _ in found}) == len(found)


@pytest.mark.parametrize("text", ["9" * 100_000, "*a" * 50_000, "+1 " * 50_000, "x" * 100_000])
def test_a_long_answer_takes_no_time(text: str) -> None:
    there = {**SARAH, "socialId": text, "primaryPhoneNumber": {"number": text}}
    began = perf_counter()
    assert compare({**SARAH, "socialId": "a" * 49 + "b"}, there)
    assert perf_counter() - began < 2
