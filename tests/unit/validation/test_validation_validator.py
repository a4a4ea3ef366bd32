"""A mapped batch becomes bodies and issues: all errors of a row at once, every change told, nothing of a value."""

from __future__ import annotations

import gc
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from importer.core.batches import Change, ChangeLog, CheckedBatch, MappedBatch
from importer.core.errors import ProfileError
from importer.core.frames import raw_batch
from importer.core.issues import Issue, Severity
from importer.customers.contract import CUSTOMERS
from importer.customers.identity import import_key
from importer.profile.settings import ValidationSettings
from importer.validation import Validator, policy_of
from importer.validation.equal_numbers import numbers_of
from tests.batches import mapped_batch

SECRET = b"0123456789abcdef0123456789abcdef"
TODAY = date(2026, 11, 22)
SARAH = {
    "firstName": "Sarah",
    "lastName": "Green",
    "primaryPhoneNumber.number": "+12125550123",
    "primaryPhoneNumber.type": "MOBILE",
    "primaryEmail.value": "sarah@example.com",
}
BAKERY = {"businessName": "Example Bakery", **{f"contacts.primary.{name}": text for name, text in SARAH.items()}}
HOME = {
    "addresses.mailing.streetLine1": "12 Example Street",
    "addresses.mailing.cityName": "Springfield",
    "addresses.mailing.stateCode": "IL",
    "addresses.mailing.zipCode": "62701",
    "addresses.mailing.countryCode": "USA",
}


def batch_of(
    *rows: Mapping[str, str], constants: Sequence[str] = (), issues: Sequence[Issue] = (), first: int = 0
) -> MappedBatch:
    names = list(dict.fromkeys(name for row in rows for name in row))
    fields = {name: [row.get(name, "") for row in rows] for name in names}
    columns = {name: "" if name in constants else f"col {name}" for name in names}
    return mapped_batch(raw_batch(first, range(first + 2, first + 2 + len(rows)), ()), fields, columns, tuple(issues))


def check(
    *rows: Mapping[str, str], stamp: str = "", settings: Mapping[str, Any] | None = None, **more: Any
) -> CheckedBatch:
    validator = Validator(
        CUSTOMERS, policy_of(ValidationSettings(**(settings or {})), TODAY), secret=SECRET, stamp=stamp
    )
    return validator.check(batch_of(*rows, **more))


def body(checked: CheckedBatch, place: int = 0) -> dict[str, Any]:
    payload = checked.payloads[place]
    assert payload is not None, checked.issues
    found: dict[str, Any] = json.loads(payload)
    return found


def found(checked: CheckedBatch) -> list[tuple[int, str, str]]:
    return [(issue.ordinal, issue.code, issue.field) for issue in checked.issues]


# ------------------------------------------------------------------ bodies


def test_the_vendors_own_example_becomes_the_vendors_own_request() -> None:
    row = {**SARAH, "primaryPhoneNumber.number": "+15556589", "primaryEmail.value": "sgreen@abc.com"}
    checked = check(row)
    assert body(checked) == {
        "type": "INDIVIDUAL",
        "firstName": "Sarah",
        "lastName": "Green",
        "primaryPhoneNumber": {"number": "+15556589", "type": "MOBILE"},
        "primaryEmail": {"value": "sgreen@abc.com"},
    }
    assert found(checked) == [(0, "phone_local_only", "primaryPhoneNumber.number")]


def test_a_business_has_its_contact_and_its_own_type() -> None:
    assert body(check(BAKERY)) == {
        "type": "BUSINESS",
        "businessName": "Example Bakery",
        "contacts": [
            {
                "primary": True,
                "firstName": "Sarah",
                "lastName": "Green",
                "primaryPhoneNumber": {"number": "+12125550123", "type": "MOBILE"},
                "primaryEmail": {"value": "sarah@example.com"},
            }
        ],
    }


def test_an_address_is_sent_with_its_type_and_as_primary() -> None:
    assert body(check({**SARAH, **HOME}))["addresses"] == [
        {
            "type": "MAILING",
            "primary": True,
            "streetLine1": "12 Example Street",
            "cityName": "Springfield",
            "stateCode": "IL",
            "zipCode": "62701",
            "countryCode": "USA",
        }
    ]


def test_blank_optionals_are_never_sent() -> None:
    full = {**SARAH, **HOME, "middleName": "Jane", "placeOfBirth.city": "Boston", "metadata.a": "b"}
    bare = dict.fromkeys(full, "") | SARAH
    checked = check(full, bare)
    assert set(body(checked, 0)) - set(body(checked, 1)) == {"middleName", "addresses", "placeOfBirth", "metadata"}
    assert b'""' not in (checked.payloads[1] or b"")


def test_an_object_of_blanks_is_not_sent() -> None:
    blanks = {"placeOfBirth.city": "\u200b", "metadata.a": " "}
    assert not body(check({**SARAH, **blanks})).keys() & {"placeOfBirth", "metadata"}


def test_metadata_is_in_the_order_of_the_columns_whatever_other_rows_leave_blank() -> None:
    row = {**SARAH, "metadata.b": "1", "metadata.a": "2"}
    assert check(row, {**row, "metadata.b": ""}).payloads[0] == check(row).payloads[0]
    assert list(body(check(row))["metadata"]) == ["b", "a"]


def test_quotes_and_backslashes_are_escaped() -> None:
    row = {**SARAH, **HOME, "addresses.mailing.streetLine1": 'The "Old" Mill\\', "middleName": '"J"'}
    checked = check(row, {**row, "middleName": ""})
    assert body(checked, 0)["addresses"][0]["streetLine1"] == 'The "Old" Mill\\'
    assert body(checked, 0)["middleName"] == '"J"'
    assert "middleName" not in body(checked, 1)


def test_metadata_keys_may_have_dots() -> None:
    assert body(check({**SARAH, "metadata.crm.id": "7"}))["metadata"] == {"crm.id": "7"}


def test_several_addresses_go_into_one_list() -> None:
    other = {name.replace("mailing", "physical"): text for name, text in HOME.items()}
    checked = check({**SARAH, **HOME, **other}, {**SARAH, **other}, {**SARAH})
    assert [one["type"] for one in body(checked, 0)["addresses"]] == ["MAILING", "PHYSICAL"]
    assert [one["type"] for one in body(checked, 1)["addresses"]] == ["PHYSICAL"]
    assert "addresses" not in body(checked, 2)


# ------------------------------------------------------------------ keys and stamps


def test_every_body_carries_its_import_key() -> None:
    checked = check({**SARAH, "metadata.a": "b"}, stamp="importKey")
    key = import_key(
        SECRET, customer_type="INDIVIDUAL", names=("Sarah", "Green"), email="sarah@example.com", phone="+12125550123"
    )
    assert checked.keys == [key]
    assert body(checked)["metadata"] == {"a": "b", "importKey": key}


def test_keys_are_those_that_identity_computes_one_by_one() -> None:
    rows = [
        {**SARAH, "dateOfBirth": "1980-01-31", "externalId": "L-1"},
        {**SARAH, "dateOfBirth": "1980-01-31", "firstName": "SARAH"},
        {**SARAH, "primaryEmail.value": "Sarah@EXAMPLE.com"},
    ]
    person = {
        "customer_type": "INDIVIDUAL",
        "names": ("Sarah", "Green"),
        "email": "sarah@example.com",
        "phone": "+12125550123",
    }
    assert check(*rows).keys == [
        import_key(SECRET, external_id="L-1"),
        import_key(SECRET, **person, birth_date="1980-01-31"),  # type: ignore[arg-type]  # a dict of keyword arguments
        import_key(SECRET, **person, birth_date=""),  # type: ignore[arg-type]  # as above
    ]


def test_a_business_is_known_by_its_name_and_its_contact() -> None:
    names = ("Example Bakery", "Sarah", "Green")
    key = import_key(SECRET, customer_type="BUSINESS", names=names, email="sarah@example.com", phone="+12125550123")
    assert check(BAKERY).keys == [key]


def test_likenesses_are_normalised_values_and_blank_where_these_are() -> None:
    rows = [{**SARAH, "dateOfBirth": "1980-01-31"}, {**SARAH, "primaryEmail.value": "?", "dateOfBirth": ""}]
    likenesses = check(*rows).likenesses
    assert likenesses["email"] == numbers_of(["sarah@example.com", ""])
    assert likenesses["phone"] == numbers_of(["+12125550123"] * 2)
    assert likenesses["name_birth"] == numbers_of(["sarah\x1fgreen\x1f1980-01-31", ""])
    assert likenesses["email"][1] == 0


def test_the_external_id_is_given_normalised() -> None:
    assert check({**SARAH, "externalId": " L-1 "}, SARAH).external_ids == ["L-1", ""]


def test_the_import_key_takes_one_of_the_five_metadata_places() -> None:
    five = {f"metadata.m{n}": "x" for n in range(5)}
    four = {**five, "metadata.m4": ""}
    checked = check({**SARAH, **five}, {**SARAH, **four}, stamp="importKey")
    assert found(checked) == [(0, "metadata_too_many", "metadata.m4")]
    assert not check({**SARAH, **five}, stamp="").issues


def test_a_field_under_the_import_keys_name_stops_the_run() -> None:
    with pytest.raises(ProfileError, match="import key"):
        check({**SARAH, "metadata.importKey": "x"}, stamp="importKey")


def test_a_field_that_does_not_exist_stops_the_run() -> None:
    with pytest.raises(ProfileError, match="no customer field 'nickname'"):
        check({**SARAH, "nickname": "x"})


# ------------------------------------------------------------------ errors


def test_all_errors_of_a_row_come_at_once_with_field_column_and_sentence() -> None:
    row = {**SARAH, "firstName": "", "primaryEmail.value": "secret", "primaryPhoneNumber.type": "?", "sex": "?"}
    checked = check(SARAH, row)
    assert checked.payloads[1] is None
    assert checked.keys[1] is None
    assert checked.payloads[0] is not None
    assert {(one.code, one.field, one.column) for one in checked.issues} == {
        ("required_missing", "firstName", "col firstName"),
        ("email_invalid", "primaryEmail.value", "col primaryEmail.value"),
        ("enum_unknown", "primaryPhoneNumber.type", "col primaryPhoneNumber.type"),
        ("enum_unknown", "sex", "col sex"),
    }
    assert all(one.ordinal == 1 and "secret" not in one.message for one in checked.issues)


def test_a_required_field_that_nobody_mapped_is_missing_in_every_row() -> None:
    row = {name: text for name, text in SARAH.items() if name != "lastName"}
    assert found(check(row, row)) == [(0, "required_missing", "lastName"), (1, "required_missing", "lastName")]


def test_a_blank_of_spaces_is_missing_too() -> None:
    assert ("required_missing", "lastName") in [one[1:] for one in found(check({**SARAH, "lastName": "\u00a0 "}))]


def test_issues_come_in_row_order() -> None:
    rows = [{**SARAH, "sex": "?"}, {**SARAH, "firstName": ""}, {**SARAH, "primaryEmail.value": "?"}]
    assert [one[0] for one in found(check(*rows, first=100))] == [100, 101, 102]


def test_the_issues_of_a_row_come_in_the_order_of_its_columns_whatever_other_rows_have() -> None:
    both = {**SARAH, "primaryPhoneNumber.type": "FAX", "primaryEmail.value": "none", "firstName": "x" * 1100}
    fields = ["firstName", "primaryPhoneNumber.type", "primaryEmail.value"]
    for others in ([], [{**SARAH, "primaryEmail.value": "none"}], [{**SARAH, "primaryPhoneNumber.type": "FAX"}]):
        checked = check(*others, both)
        assert [name for ordinal, _, name in found(checked) if ordinal == len(others)] == fields


def test_what_reading_and_mapping_found_makes_the_row_invalid_and_is_not_reported_twice() -> None:
    issue = Issue(1, "value_unmapped", "The word is not in the map.", "primaryPhoneNumber.type", "Type")
    checked = check(SARAH, {**SARAH, "primaryPhoneNumber.type": ""}, issues=[issue])
    assert checked.issues == (issue,)
    assert checked.payloads[1] is None


def test_the_text_of_a_cell_that_failed_in_mapping_is_not_judged_again() -> None:
    issue = Issue(0, "date_unreadable", "No date.", "dateOfBirth", "DOB")
    assert check({**SARAH, "dateOfBirth": "garbage"}, issues=[issue]).issues == (issue,)


def test_a_warning_of_mapping_leaves_the_row_valid() -> None:
    issue = Issue(0, "guessed", "Guessed.", "firstName", "First", Severity.WARNING)
    assert check(SARAH, issues=[issue]).payloads[0] is not None


def test_an_error_about_the_row_as_a_whole_makes_it_invalid() -> None:
    raw = raw_batch(0, [2], (), (Issue(0, "row_ragged", "Too many cells."),))
    validator = Validator(CUSTOMERS, policy_of(ValidationSettings(), TODAY), secret=SECRET, stamp="")
    checked = validator.check(mapped_batch(raw, {name: [text] for name, text in SARAH.items()}, {}))
    assert checked.payloads == [None]
    assert [one.code for one in checked.issues] == ["row_ragged"]


# ------------------------------------------------------------------ addresses


@pytest.mark.parametrize(
    ("change", "code", "name"),
    [
        ({"streetLine1": ""}, "required_missing", "streetLine1"),
        ({"zipCode": ""}, "required_missing", "zipCode"),
        ({"stateCode": ""}, "state_required", "stateCode"),
        ({"stateCode": "ZZ"}, "state_unknown", "stateCode"),
        ({"countryCode": "Atlantis"}, "country_unknown", "countryCode"),
        ({"cityName": "x" * 26}, "too_long", "cityName"),
        ({"countryCode": ""}, "country_missing", "countryCode"),
        ({"zipCode": "2134"}, "zip_zero_lost", "zipCode"),
    ],
)
def test_an_address_keeps_its_rules(change: dict[str, str], code: str, name: str) -> None:
    row = {**SARAH, **HOME, **{f"addresses.mailing.{part}": text for part, text in change.items()}}
    assert found(check(SARAH | HOME, row)) == [(1, code, f"addresses.mailing.{name}")]


def test_a_constant_country_alone_makes_no_address() -> None:
    row = {**dict.fromkeys(HOME, ""), **SARAH, "addresses.mailing.countryCode": "USA"}
    checked = check(row, constants=["addresses.mailing.countryCode"])
    assert "addresses" not in body(checked)
    assert not checked.issues


def test_a_country_from_the_file_that_is_alone_is_reported_as_not_sent() -> None:
    row = {**dict.fromkeys(HOME, ""), **SARAH, "addresses.mailing.countryCode": "Atlantis"}
    checked = check(row)
    assert "addresses" not in body(checked)
    assert found(checked) == [(0, "address_not_sent", "addresses.mailing.countryCode")]


def test_a_shipping_address_needs_a_name_and_a_name_alone_is_not_an_address() -> None:
    ship = {name.replace("mailing", "shipping"): text for name, text in HOME.items()}
    name = {"addresses.shipping.name.firstName": "Sarah", "addresses.shipping.name.lastName": "Green"}
    checked = check({**SARAH, **ship, **name}, {**SARAH, **ship}, {**SARAH, **name})
    assert body(checked, 0)["addresses"][0]["name"] == {"firstName": "Sarah", "lastName": "Green"}
    assert [one[:2] for one in found(checked)] == [(1, "required_missing"), (1, "required_missing")]
    assert "addresses" not in body(checked, 2)


def test_a_physical_address_is_not_a_po_box() -> None:
    home = {name.replace("mailing", "physical"): text for name, text in HOME.items()}
    checked = check({**SARAH, **home, "addresses.physical.streetLine1": "P.O. Box 12"}, {**SARAH, **home})
    assert found(checked) == [(0, "po_box_physical", "addresses.physical.streetLine1")]
    assert not check({**SARAH, **HOME, "addresses.mailing.streetLine1": "P.O. Box 12"}).issues


# ------------------------------------------------------------------ other rules between fields


def test_a_national_id_needs_its_country_and_an_american_one_nine_digits() -> None:
    rows = [
        {**SARAH, "socialId": "900-00-0000", "socialIdCountryCode": ""},
        {**SARAH, "socialId": "90000000", "socialIdCountryCode": "US"},
        {**SARAH, "socialId": "X-1", "socialIdCountryCode": "GB"},
    ]
    assert found(check(*rows)) == [
        (0, "social_id_country_missing", "socialIdCountryCode"),
        (1, "social_id_unusual", "socialId"),
    ]


def test_an_extension_behind_the_number_moves_to_its_field() -> None:
    checked = check({**SARAH, "primaryPhoneNumber.number": "(212) 555-0123 x45"}, SARAH)
    assert body(checked)["primaryPhoneNumber"] == {"number": "+12125550123", "type": "MOBILE", "extension": "45"}
    assert "extension" not in body(checked, 1)["primaryPhoneNumber"]
    assert [change.rule for change in checked.changes] == ["phone_e164", "phone_extension_split"]


def test_two_different_extensions_are_a_conflict() -> None:
    row = {**SARAH, "primaryPhoneNumber.number": "212 555 0123 x45", "primaryPhoneNumber.extension": "46"}
    assert found(check(row)) == [(0, "extension_conflict", "primaryPhoneNumber.extension")]
    assert not check({**row, "primaryPhoneNumber.extension": "45"}).issues


# ------------------------------------------------------------------ types of customer


def test_one_file_may_hold_both_types() -> None:
    rows = [{**SARAH, "type": "INDIVIDUAL"}, {**BAKERY, "type": "Company"}, {**SARAH, "type": "person"}]
    checked = check(*rows)
    assert [body(checked, place)["type"] for place in range(3)] == ["INDIVIDUAL", "BUSINESS", "INDIVIDUAL"]
    assert "businessName" in body(checked, 1)
    assert "contacts" not in body(checked, 0)
    assert not checked.issues
    assert len(set(checked.keys)) == 2
    assert [change.ordinal for change in checked.changes] == [1, 2]


def test_a_row_of_no_known_type_is_invalid_and_its_cells_are_checked_all_the_same() -> None:
    rows = [{**SARAH, "type": "?"}, {**SARAH, "type": "", "primaryEmail.value": "?"}, {**SARAH, "type": "INDIVIDUAL"}]
    checked = check(*rows)
    assert found(checked) == [
        (0, "enum_unknown", "type"), (1, "required_missing", "type"), (1, "email_invalid", "primaryEmail.value"),
    ]  # fmt: skip
    assert [payload is None for payload in checked.payloads] == [True, True, False]


def test_a_column_of_the_other_type_is_reported_as_not_sent() -> None:
    checked = check({**SARAH, "type": "INDIVIDUAL", "businessName": "Employer"}, {**BAKERY, "type": "BUSINESS"})
    assert found(checked) == [(0, "field_not_sent", "businessName")]
    assert "businessName" not in body(checked, 0)


def test_a_column_that_feeds_both_types_is_not_reported() -> None:
    rows = [{**SARAH, **BAKERY, "type": "INDIVIDUAL"}, {**SARAH, **BAKERY, "businessName": "", "type": "INDIVIDUAL"}]
    mapped = batch_of(*rows)
    columns = {name: name.removeprefix("contacts.primary.") for name in mapped.columns}
    validator = Validator(CUSTOMERS, policy_of(ValidationSettings(), TODAY), secret=SECRET, stamp="")
    checked = validator.check(replace(mapped, columns=columns))
    assert found(checked) == [(0, "field_not_sent", "businessName")]


def test_without_a_type_the_mapped_fields_decide_and_that_is_reported() -> None:
    validator = Validator(CUSTOMERS, policy_of(ValidationSettings(), TODAY), secret=SECRET, stamp="")
    assert [one.value for one in validator.prepare(list(BAKERY), {})] == ["BUSINESS"]
    assert [one.value for one in validator.prepare(list(SARAH), {})] == ["INDIVIDUAL"]
    assert [one.value for one in validator.prepare([*SARAH, *BAKERY], {})] == ["INDIVIDUAL"]
    assert validator.prepare([*SARAH, "type"], {}) == ()


# ------------------------------------------------------------------ changes


def test_every_change_is_reported_before_and_after() -> None:
    checked = check({**SARAH, "firstName": " Sarah", "primaryPhoneNumber.number": "(212) 555-0123"}, SARAH)
    assert isinstance(checked.changes, ChangeLog)
    assert list(checked.changes) == [
        Change(0, "trim", "firstName", "col firstName", " Sarah", "Sarah"),
        Change(
            0,
            "phone_e164",
            "primaryPhoneNumber.number",
            "col primaryPhoneNumber.number",
            "(212) 555-0123",
            "+12125550123",
        ),
    ]
    assert [len(column) for column in checked.changes.columns] == [1, 1]


def test_every_step_that_altered_a_type_of_customer_is_reported() -> None:
    changes = check({**BAKERY, "type": " Company\xa0"}).changes
    assert [(one.rule, one.before, one.after) for one in changes] == [
        ("nbsp_to_space", " Company\xa0", " Company "),
        ("trim", " Company ", "Company"),
        ("enum_synonym", "Company", "BUSINESS"),
    ]


def test_a_field_that_may_not_change_refuses_what_would() -> None:
    settings = {"no_change": ("primaryEmail.value", "primaryPhoneNumber.number")}
    row = {**SARAH, "primaryEmail.value": "sarah@EXAMPLE.com", "primaryPhoneNumber.number": "212 555 0123"}
    checked = check(SARAH, row, settings=settings)
    assert found(checked) == [
        (1, "change_forbidden", "primaryPhoneNumber.number"),
        (1, "change_forbidden", "primaryEmail.value"),
    ]
    assert not checked.changes


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"phone": "valid"}, "phone_not_valid"),
        ({"phone": "e164"}, "phone_local_only"),
        ({"default_region": None}, "phone_no_country"),
        ({"default_region": "GB"}, "phone_unassigned"),
    ],
)
def test_the_settings_decide_about_phones(settings: dict[str, Any], code: str) -> None:
    checked = check({**SARAH, "primaryPhoneNumber.number": "5556589"}, settings=settings)
    assert [one[1] for one in found(checked)] == [code]


# ------------------------------------------------------------------ readiness and corners


def test_readiness_for_verification_is_a_verdict_of_its_own() -> None:
    home = {name.replace("mailing", "physical"): text for name, text in HOME.items()}
    ready = {**SARAH, **home, "dateOfBirth": "1980-01-31", "socialId": "900-00-0000", "socialIdCountryCode": "USA"}
    rows = [
        ready,
        {**ready, "dateOfBirth": ""},
        {**ready, "addresses.physical.countryCode": "DEU"},
        {**ready, "sex": "?"},
    ]
    checked = check(*rows)
    assert checked.idv_ready == [True, False, False, False]
    assert checked.idv_missing == {"birth_date": 1, "ssn": 0, "physical_address": 1}
    assert check(SARAH).idv_missing == {"birth_date": 1, "ssn": 1, "physical_address": 1}


def test_an_empty_batch_is_an_empty_answer() -> None:
    validator = Validator(CUSTOMERS, policy_of(ValidationSettings(), TODAY), secret=SECRET, stamp="importKey")
    checked = validator.check(mapped_batch(raw_batch(0, [], ()), {name: [] for name in SARAH}, {}))
    assert (list(checked.payloads), list(checked.keys), checked.issues) == ([], [], ())


def test_columns_may_be_any_sequence() -> None:
    validator = Validator(CUSTOMERS, policy_of(ValidationSettings(), TODAY), secret=SECRET, stamp="")
    fields = {name: (text,) for name, text in SARAH.items()}
    assert validator.check(mapped_batch(raw_batch(0, [2], ()), fields, {})).payloads[0] is not None


def test_the_same_rows_give_the_same_answer_whatever_was_seen_before() -> None:
    validator = Validator(CUSTOMERS, policy_of(ValidationSettings(), TODAY), secret=SECRET, stamp="importKey")
    rows = [SARAH | HOME, {**SARAH, **HOME, "addresses.mailing.countryCode": "Kanada", "primaryEmail.value": "?"}]
    first, second = validator.check(batch_of(*rows)), validator.check(batch_of(*rows))
    assert first.payloads == second.payloads
    assert first.issues == second.issues
    assert list(first.changes) == list(second.changes)


# ------------------------------------------------------------------ where phone numbers belong


LONDON = {
    "addresses.mailing.streetLine1": "1 Example Street",
    "addresses.mailing.cityName": "London",
    "addresses.mailing.zipCode": "SW1A 1AA",
    "addresses.mailing.countryCode": "GB",
}
NATIONAL = {"primaryPhoneNumber.number": "020 7946 0958"}


def numbers(checked: CheckedBatch) -> list[str]:
    return [body(checked, place)["primaryPhoneNumber"]["number"] for place in range(len(checked.raw))]


def test_every_row_has_its_own_country() -> None:
    american = {**SARAH, **HOME, "primaryPhoneNumber.number": "(212) 555-0123"}
    checked = check({**SARAH, **LONDON, **NATIONAL}, american, {**SARAH, "primaryPhoneNumber.number": "212 555 0123"})
    assert numbers(checked) == ["+442079460958", "+12125550123", "+12125550123"]
    assert checked.issues == ()


def test_a_country_counts_where_there_is_not_an_address() -> None:
    checked = check({**SARAH, **NATIONAL, "addresses.mailing.countryCode": "United Kingdom"})
    assert numbers(checked) == ["+442079460958"]
    assert "addresses" not in body(checked)


def test_the_physical_address_says_it_before_the_others() -> None:
    there = {name.replace("mailing", "physical"): text for name, text in LONDON.items()}
    assert numbers(check({**SARAH, **HOME, **there, **NATIONAL})) == ["+442079460958"]


def test_the_contact_of_a_business_has_the_country_of_the_business() -> None:
    number = {"contacts.primary.primaryPhoneNumber.number": "030 1234567", "addresses.mailing.countryCode": "DEU"}
    contact = body(check({**BAKERY, **number}))["contacts"][0]
    assert contact["primaryPhoneNumber"] == {"number": "+49301234567", "type": "MOBILE"}


def test_the_region_that_the_profile_names_goes_before_the_country_and_is_never_sent() -> None:
    rows = [
        {**SARAH, **LONDON, "primaryPhoneNumber.number": number, "primaryPhoneNumber.region": region}
        for number, region in (("(212) 555-0123", "USA"), ("2079460958", "GB"), ("020 7946 0958", ""))
    ]
    checked = check(*rows)
    assert numbers(checked) == ["+12125550123", "+442079460958", "+442079460958"]
    assert found(checked) == []
    assert "region" not in body(checked)["primaryPhoneNumber"]


def test_a_country_without_an_address_is_held_against_the_default() -> None:
    rows = [
        {**SARAH, "primaryPhoneNumber.number": number, "primaryPhoneNumber.country": "GB"}
        for number in ("020 7946 0958", "2079460958", "(212) 555-0123", "+12125550123")
    ]
    checked = check(*rows)
    field = "primaryPhoneNumber.number"
    assert found(checked) == [(1, "phone_country_assumed", field), (2, "phone_other_country", field)]
    assert [place for place, payload in enumerate(checked.payloads) if payload is None] == [2]
    assert body(checked)["primaryPhoneNumber"] == {"number": "+442079460958", "type": "MOBILE"}


def test_a_region_that_is_not_a_country_is_an_error_of_its_row() -> None:
    checked = check({**SARAH, "primaryPhoneNumber.region": "Atlantis"})
    assert found(checked) == [(0, "country_unknown", "primaryPhoneNumber.region")]


def test_where_the_country_of_a_number_cannot_be_read_an_address_does_not_replace_it() -> None:
    row = {**SARAH, "primaryPhoneNumber.country": "???", "primaryPhoneNumber.number": "020 7946 0958"}
    row["addresses.physical.countryCode"] = "GBR"
    checked = check(row, constants=["addresses.physical.countryCode"])
    assert (0, "country_unknown", "primaryPhoneNumber.country") in found(checked)
    assert (0, "phone_country_assumed", "primaryPhoneNumber.number") not in found(checked)
    assert "+442079460958" not in {one.after for one in checked.changes}


def test_a_number_of_the_default_country_alone_is_refused_where_the_row_names_another() -> None:
    checked = check({**SARAH, **LONDON, "primaryPhoneNumber.number": "(212) 555-0123"})
    assert found(checked) == [(0, "phone_other_country", "primaryPhoneNumber.number")]
    assert "United Kingdom" in checked.issues[0].message
    assert "United States" in checked.issues[0].message


def test_a_number_of_two_countries_is_one_of_the_rows_with_a_warning() -> None:
    checked = check({**SARAH, **LONDON, "primaryPhoneNumber.number": "2079460958"})
    assert numbers(checked) == ["+442079460958"]
    assert found(checked) == [(0, "phone_country_assumed", "primaryPhoneNumber.number")]


# ------------------------------------------------------------------ what protects texts from spreadsheets


def test_protected_texts_are_sent_bare_and_counted_among_the_changes() -> None:
    home = {**HOME, "addresses.mailing.zipCode": "'02138", "addresses.mailing.stateCode": "MA"}
    row = {**SARAH, **home, "externalId": '="0017"', "lastName": "'-Bob", "primaryPhoneNumber.number": '="2125550123"'}
    checked = check(row)
    sent = body(checked)
    assert (sent["externalId"], sent["lastName"]) == ("0017", "-Bob")
    assert sent["primaryPhoneNumber"]["number"] == "+12125550123"
    assert sent["addresses"][0]["zipCode"] == "02138"
    removed = [change.field for change in checked.changes if change.rule == "protection_removed"]
    assert len(removed) == 4


def test_an_apostrophe_before_a_letter_belongs_to_the_name() -> None:
    checked = check({**SARAH, "firstName": "O'Hara", "lastName": "'t Hooft"})
    assert (body(checked)["firstName"], body(checked)["lastName"]) == ("O'Hara", "'t Hooft")


def test_a_cell_that_failed_while_it_was_read_is_not_judged_again() -> None:
    raw = raw_batch(0, [2], (), (Issue(0, "cell_error", "The cell shows #N/A.", "lastName", "col lastName"),))
    mapped = batch_of({**SARAH, "lastName": "#N/A"})
    checked = Validator(CUSTOMERS, policy_of(ValidationSettings(), TODAY), secret=SECRET, stamp="").check(
        replace(mapped, raw=raw)
    )
    assert found(checked) == [(0, "cell_error", "lastName")]
    assert checked.payloads == [None]


def test_rows_with_errors_leave_nothing_to_the_garbage_collector() -> None:
    row = {**SARAH, **HOME, "firstName": "", "primaryEmail.value": "?", "metadata.a": "x" * 1100, "sex": "?"}
    mapped = batch_of(*[row] * 50)
    validator = Validator(CUSTOMERS, policy_of(ValidationSettings(), TODAY), secret=SECRET, stamp="importKey")
    validator.check(mapped)
    gc.collect()
    gc.disable()
    try:
        assert len(validator.check(mapped).issues) == 200
        assert gc.collect() < 50  # threads of other tests may leave a few
    finally:
        gc.enable()
