"""Rows that change customers: every value is checked as always, and what a row does not name is not missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from importer.core.batches import CheckedBatch
from importer.core.errors import ProfileError
from tests.unit.validation.test_validation_validator import BAKERY, HOME, SARAH, body, check, found

ID = {"id": "6f2c"}


def changes(*rows: Mapping[str, str], **more: Any) -> CheckedBatch:
    return check(*rows, settings={"partial": True}, stamp="importKey", **more)


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ({"lastName": " Brown "}, {"lastName": "Brown"}),
        ({"businessName": "Example Bakery"}, {"businessName": "Example Bakery"}),
        ({"primaryPhoneNumber.type": "cell"}, {"primaryPhoneNumber": {"type": "MOBILE"}}),
        ({"primaryPhoneNumber.number": "212-555-0123 x45"},
         {"primaryPhoneNumber": {"number": "+12125550123", "extension": "45"}}),
        ({"addresses.mailing.cityName": "Springfield", "addresses.mailing.stateCode": "Illinois"},
         {"addresses": [{"type": "MAILING", "primary": True, "cityName": "Springfield", "stateCode": "IL"}]}),
        ({"addresses.mailing.cityName": "Springfield", "addresses.mailing.countryCode": "US"},
         {"addresses": [{"type": "MAILING", "primary": True, "cityName": "Springfield", "countryCode": "USA"}]}),
        ({"contacts.primary.lastName": "Brown"}, {"contacts": [{"primary": True, "lastName": "Brown"}]}),
        ({"socialId": "900-00-0000"}, {"socialId": "900-00-0000"}),
        ({"metadata.legacy": "crm"}, {"metadata": {"legacy": "crm"}}),
        ({"type": "individual", "sex": "f"}, {"type": "INDIVIDUAL", "sex": "FEMALE"}),
    ],
)  # fmt: skip
def test_a_row_is_what_it_names_and_the_id_of_its_customer(row: Mapping[str, str], named: Mapping[str, Any]) -> None:
    checked = changes({**ID, **row})
    assert body(checked) == {**ID, **named}
    assert [issue for issue in checked.issues if issue.severity == "error"] == []


def test_a_customer_is_named_by_its_external_id_as_well() -> None:
    checked = changes({"externalId": "L-1", "lastName": "Brown"})
    assert body(checked) == {"externalId": "L-1", "lastName": "Brown"}
    assert checked.external_ids == ["L-1"]
    assert checked.keys == check({**SARAH, "externalId": "L-1"}).keys


def test_blank_cells_of_mapped_columns_are_not_taken() -> None:
    rows = ({**ID, **SARAH, **HOME}, {"id": "71aa", "lastName": "Brown", "firstName": " "})
    checked = changes(*rows)
    assert body(checked, 1) == {"id": "71aa", "lastName": "Brown"}
    assert set(body(checked)) == {"id", "firstName", "lastName", "primaryPhoneNumber", "primaryEmail", "addresses"}


def test_rows_of_both_types_need_not_say_which_they_are() -> None:
    rows = ({**ID, "lastName": "Brown"}, {"id": "71aa", **BAKERY})
    assert body(changes(*rows), 1)["contacts"][0]["firstName"] == "Sarah"
    assert body(changes(*rows)) == {**ID, "lastName": "Brown"}


@pytest.mark.parametrize(
    ("row", "code", "field"),
    [
        ({"id": "", "lastName": "Brown"}, "no_customer_id", ""),
        ({"id": " ", "externalId": "", "lastName": "Brown"}, "no_customer_id", ""),
        ({**ID, "lastName": ""}, "nothing_to_update", ""),
        ({"externalId": "L-1", "lastName": " "}, "nothing_to_update", ""),
        ({**ID, "type": "INDIVIDUAL"}, "nothing_to_update", ""),
        ({**ID, "primaryEmail.value": "nobody"}, "email_invalid", "primaryEmail.value"),
        ({**ID, "lastName": "x" * 41}, "too_long", "lastName"),
        ({**ID, "type": "robot"}, "enum_unknown", "type"),
        ({"id": "6f\x002c", "lastName": "Brown"}, "text_unreadable", "id"),
    ],
)
def test_a_row_that_cannot_change_anything_is_one_error(row: Mapping[str, str], code: str, field: str) -> None:
    checked = changes(row)
    assert found(checked) == [(0, code, field)]
    assert (checked.payloads, checked.keys) == ([None], [None])


def test_constants_alone_are_nothing_to_change() -> None:
    row = {**ID, "lastName": "", "metadata.source": "crm"}
    assert found(changes(row, constants=["metadata.source"])) == [(0, "nothing_to_update", "")]


def test_two_rows_about_one_customer_have_one_key() -> None:
    first, second, other = changes(*({**ID, "lastName": name} for name in "AB"), {"id": "71aa", "lastName": "C"}).keys
    assert first == second != other


def test_a_file_in_which_nothing_names_a_customer_is_refused() -> None:
    with pytest.raises(ProfileError, match="Nothing in the file says which customers"):
        changes({"lastName": "Brown"})


def test_an_id_is_refused_where_rows_become_customers() -> None:
    with pytest.raises(ProfileError, match="'id' is mapped, and a customer that is to be created"):
        check({**SARAH, **ID})


def test_columns_of_later_steps_change_nothing() -> None:
    assert body(changes({**ID, "lastName": "Brown", "limits.daily": "100.00"})) == {**ID, "lastName": "Brown"}
