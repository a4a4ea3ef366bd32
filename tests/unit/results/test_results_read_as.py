from __future__ import annotations

from typing import Any

import pytest

from importer.customers.contract import CUSTOMERS
from importer.results.read_as import label, read_as


def found(what: str, value: str, confidence: float = 1.0, note: str = "") -> dict[str, Any]:
    return {"what": what, "value": value, "confidence": confidence, "note": note}


def test_how_a_file_was_read_is_one_line_and_a_line_for_each_decision() -> None:
    detected = [
        found("encoding", "cp1252"),
        found("delimiter", ";", 0.9, "90% of the first rows have 11 cells"),
        found("quote", '"'),
        found("header_row", "2"),
        found("assumed", "primaryPhoneNumber.type = MOBILE", 0.5),
        found("assumed", "type = INDIVIDUAL", 0.5),
        found("phone_region", "column 'Land', else US"),
        found("date_order", "Born: day: day first"),
        found("damage", "PLZ", 0.8, "leading zeros were probably lost"),
        found("unmapped", "Fax"),
        found("unmapped", "Notes"),
    ]
    assert list(read_as(detected, CUSTOMERS.fields)) == [
        "Read as: encoding cp1252, cells separated by semicolons (90% sure), column names in row 2",
        "Assumed, where no cell says it: phone type MOBILE, customer type INDIVIDUAL",
        "Phone numbers without a country code: column 'Land', else US",
        "Dates in 'Born: day': day first",
        "Look at 'PLZ': leading zeros were probably lost",
        "Not used: 'Fax', 'Notes'",
    ]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (",", "cells separated by commas"),
        ("tab", "cells separated by tabs"),
        ("~", "cells separated by '~'"),
        ("none", "one column"),
    ],
)
def test_a_delimiter_is_named_in_words(value: str, words: str) -> None:
    assert list(read_as([found("delimiter", value)], CUSTOMERS.fields)) == [f"Read as: {words}"]


@pytest.mark.parametrize(
    ("value", "words"), [("none", "not accepted"), ("column 'C', else none", "column 'C', else not accepted")]
)
def test_phone_numbers_without_any_country_are_reported_as_not_accepted(value: str, words: str) -> None:
    assert list(read_as([found("phone_region", value)], CUSTOMERS.fields)) == [
        f"Phone numbers without a country code: {words}"
    ]


def test_names_with_braces_stay_as_they_are() -> None:
    assert list(read_as([found("drift", "'{x}' is new")], CUSTOMERS.fields)) == ["Not as in the profile: '{x}' is new"]


def test_nothing_detected_gives_no_line() -> None:
    assert list(read_as([], CUSTOMERS.fields)) == []


def test_what_was_detected_has_a_name_for_people() -> None:
    assert (label("header_row"), label("something_new")) == ("Row of column names", "Something new")
