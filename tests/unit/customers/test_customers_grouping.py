"""Bodies of one business made one: contacts kept, blanks filled, contradictions named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer.core.contract import Contradiction
from importer.customers.grouping import merge


def body(contact: str, **own: Any) -> dict[str, Any]:
    metadata = own.pop("metadata", {})
    return {
        "type": "BUSINESS",
        "businessName": "Example Bakery",
        **own,
        "metadata": {**metadata, "importKey": f"key of {contact}"},
        "contacts": [{"primary": True, "firstName": contact, "primaryEmail": {"value": f"{contact}@example.com"}}],
    }


def merged(*bodies: dict[str, Any], main: int = 0) -> dict[str, Any]:
    made = merge(bodies, main, stamp="importKey", key="k", alike=("businessName",))
    assert isinstance(made, dict)
    return made


def contradiction(*bodies: dict[str, Any]) -> Contradiction:
    made = merge(bodies, 0, stamp="importKey", key="k", alike=("businessName",))
    assert isinstance(made, Contradiction)
    return made


def mailing(**parts: str) -> list[dict[str, Any]]:
    return [{"type": "MAILING", "primary": True, "streetLine1": "1 Main St", "zipCode": "10001", **parts}]


def test_contacts_keep_their_order_and_the_main_one_comes_first() -> None:
    made = merged(body("ada"), body("bob"), body("cid"), main=1)
    assert [(one["firstName"], one["primary"]) for one in made["contacts"]] == [
        ("bob", True),
        ("ada", False),
        ("cid", False),
    ]
    assert made["metadata"] == {"importKey": "k"}


def test_contacts_that_are_equal_in_everything_are_one() -> None:
    assert len(merged(body("ada"), body("ada"), body("bob"))["contacts"]) == 2


def test_what_one_row_leaves_blank_comes_from_another() -> None:
    made = merged(body("ada"), body("bob", externalId="B-1", addresses=mailing(), metadata={"crm": "7"}))
    assert (made["externalId"], made["addresses"], made["metadata"]) == (
        "B-1",
        mailing(),
        {"crm": "7", "importKey": "k"},
    )


def test_what_steps_after_the_create_send_is_taken_from_the_rows_that_bring_it() -> None:
    made = merged(
        body("ada", limits={"currency": "USD", "daily": "5.00"}),
        body("bob", beneficiaries={"1": {"lastName": "Owner"}}),
        body("cid", limits={"currency": "USD", "daily": "5.00"}, beneficiaries={"2": {"lastName": "Other"}}),
    )
    assert made["limits"] == {"currency": "USD", "daily": "5.00"}
    assert made["beneficiaries"] == {"1": {"lastName": "Owner"}, "2": {"lastName": "Other"}}


def test_the_main_row_decides_how_the_name_is_written() -> None:
    assert merged(body("ada"), body("bob", businessName="EXAMPLE BAKERY"), main=1)["businessName"] == "EXAMPLE BAKERY"


@pytest.mark.parametrize(
    ("one", "other", "field"),
    [
        ({"externalId": "B-1"}, {"externalId": "B-2"}, "externalId"),
        ({"metadata": {"crm": "7"}}, {"metadata": {"crm": "8"}}, "metadata.crm"),
        ({"addresses": mailing(cityName="A")}, {"addresses": mailing(cityName="B")}, "addresses.mailing.cityName"),
        ({"addresses": mailing()}, {"addresses": mailing(cityName="B")}, "addresses.mailing.cityName"),
        ({"limits": {"daily": "1.00"}}, {"limits": {"daily": "2.00"}}, "limits.daily"),
        (
            {"beneficiaries": {"1": {"lastName": "A", "title": "CEO"}}},
            {"beneficiaries": {"1": {"lastName": "B", "title": "CEO"}}},
            "beneficiaries.1.lastName",
        ),
    ],
)
def test_rows_that_say_different_things_are_named_with_the_field(
    one: dict[str, Any], other: dict[str, Any], field: str
) -> None:
    found = contradiction(body("ada"), body("bob", **one), body("cid", **other))
    assert (found.field, found.places, found.code) == (field, (1, 2), "group_differs")


def test_metadata_of_all_rows_together_have_to_fit_into_five() -> None:
    found = contradiction(
        body("ada", metadata={"a": "1", "b": "1", "c": "1"}), body("bob", metadata={"d": "1", "e": "1"})
    )
    assert (found.field, found.code) == ("metadata.e", "metadata_too_many")


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=12), st.data())
def test_every_contact_is_there_once_and_exactly_one_is_primary(names: list[str], data: st.DataObject) -> None:
    main = data.draw(st.integers(0, len(names) - 1))
    people = merged(*map(body, names), main=main)["contacts"]
    assert sorted(one["firstName"] for one in people) == sorted(set(names))
    assert [one["firstName"] for one in people if one["primary"]] == [names[main]]
