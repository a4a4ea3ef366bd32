"""Dates of birth, and words and ids from short lists."""

from __future__ import annotations

from datetime import date

import pytest

from importer.core.contract import Policy
from importer.customers.fields import read
from importer.customers.rules import FIELDS
from importer.customers.simple_fields import read_birth_date, read_industry, read_reference, read_website

TODAY = Policy(today=date(2026, 11, 22))


@pytest.mark.parametrize("written", ["1980-01-31", "2000-02-29", "1906-11-23", "2008-11-22"])
def test_a_date_of_a_grown_person_passes(written: str) -> None:
    assert read_birth_date(written, TODAY).clean


@pytest.mark.parametrize(
    ("written", "error"),
    [
        ("1980-02-30", "date_invalid"), ("1900-02-29", "date_invalid"), ("1980-13-01", "date_invalid"),
        ("01/31/1980", "date_invalid"), ("1980-1-31", "date_invalid"), ("19800131", "date_invalid"),
        ("1980-W05-4", "date_invalid"), ("1980-01-31T00:00:00", "date_invalid"), ("0000-00-00", "date_invalid"),
        ("٢٠٠٠-٠١-٠١", "date_invalid"), ("soon", "date_invalid"), ("2026-11-22", "date_not_past"),
        ("2099-01-01", "date_not_past"), ("1906-11-22", "date_implausible"), ("1900-01-01", "date_implausible"),
        ("0001-01-01", "date_implausible"), ("", ""),
    ],
)  # fmt: skip
def test_other_dates_are_refused_with_their_reason(written: str, error: str) -> None:
    assert read_birth_date(written, TODAY).error == error


def test_a_customer_below_18_is_pointed_out() -> None:
    assert read_birth_date("2008-11-23", TODAY).warnings == ("date_minor",)


def test_without_a_day_to_judge_by_only_the_calendar_counts() -> None:
    assert read_birth_date("2099-01-01", Policy()).clean


@pytest.mark.parametrize(
    ("name", "written", "sent"),
    [
        ("sex", "female", "FEMALE"), ("sex", "F", "FEMALE"), ("sex", "Non-Binary", "NONBINARY"),
        ("primaryPhoneNumber.type", "cell phone", "MOBILE"), ("primaryPhoneNumber.type", "Office", "WORK"),
        ("type", "individual", "INDIVIDUAL"), ("type", "Company", "BUSINESS"), ("type", "", ""),
    ],
)  # fmt: skip
def test_words_of_a_list_are_read_in_any_capitals(name: str, written: str, sent: str) -> None:
    assert read(FIELDS[name], written, TODAY).value == sent


@pytest.mark.parametrize("name", ["sex", "primaryPhoneNumber.type", "type"])
def test_other_words_are_refused(name: str) -> None:
    assert read(FIELDS[name], "whatever", TODAY).error == "enum_unknown"


@pytest.mark.parametrize(
    ("written", "error"),
    [("001001", ""), ("999999", ""), ("1001", "industry_code_invalid"), ("000999", "industry_code_invalid"),
     ("12345x", "industry_code_invalid"), ("1234567", "industry_code_invalid"), ("", "")],
)  # fmt: skip
def test_industry_codes_keep_their_leading_zeros(written: str, error: str) -> None:
    assert read_industry(written).error == error


@pytest.mark.parametrize(
    "written", ["https://bakery.example.com", "bakery.example.com/menu?x=1", "http://a.example:81"]
)
def test_usual_websites_pass(written: str) -> None:
    assert read_website(written).clean


@pytest.mark.parametrize("written", ["none", "my site", "htp:/x"])
def test_unusual_websites_only_warn(written: str) -> None:
    assert read_website(written).warnings == ("website_unusual",)


def test_references_keep_every_letter_and_warn_beyond_ascii() -> None:
    assert read_reference("00012-aB").clean
    assert read_reference("Nº-7").warnings == ("reference_unusual",)


@pytest.mark.parametrize(
    ("name", "length", "error", "warnings"),
    [
        ("firstName", 40, "", ()), ("firstName", 41, "too_long", ()),
        ("addresses.mailing.cityName", 26, "too_long", ()),
        ("addresses.mailing.streetLine1", 51, "too_long", ()), ("businessName", 101, "", ("too_long_unconfirmed",)),
        ("businessName", 1025, "too_long", ()), ("externalId", 101, "", ("too_long_unconfirmed",)),
        ("socialId", 51, "too_long", ()), ("businessName", 1_000_000, "too_long", ()),
    ],
)  # fmt: skip
def test_a_length_that_nobody_documented_only_warns(
    name: str, length: int, error: str, warnings: tuple[str, ...]
) -> None:
    reading = read(FIELDS[name], "x" * length, TODAY)
    assert (reading.error, reading.warnings) == (error, warnings)
