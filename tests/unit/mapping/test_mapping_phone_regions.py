"""By which country phone numbers without a country code are read is said before a row is read."""

from __future__ import annotations

import pytest

from importer.customers.contract import CUSTOMERS
from importer.mapping import phone_regions
from importer.profile.mapping_rules import FieldRule
from importer.profile.settings import ValidationSettings

PHONE = {"primaryPhoneNumber.number": FieldRule(column="Phone")}
COUNTRY = {"addresses.mailing.countryCode": FieldRule(column="Country")}


@pytest.mark.parametrize(
    ("rules", "default", "value"),
    [
        (PHONE, "US", "US"),
        (PHONE, None, "none"),
        ({**PHONE, **COUNTRY}, "US", "column 'Country', else US"),
        ({**PHONE, "addresses.mailing.countryCode": FieldRule(value="GBR")}, "US", "GBR, else US"),
        ({**PHONE, "primaryPhoneNumber.country": FieldRule(column="Country")}, "US", "column 'Country', else US"),
        (
            {**PHONE, **COUNTRY, "primaryPhoneNumber.region": FieldRule(column="Line")},
            "DE",
            "column 'Line', else column 'Country', else DE",
        ),
    ],
)
def test_the_order_is_the_profiles_region_the_rows_country_the_default(
    rules: dict[str, FieldRule], default: str | None, value: str
) -> None:
    (said,) = phone_regions(CUSTOMERS, rules, ValidationSettings(default_region=default))

    assert (said.what, said.value) == ("phone_region", value)


def test_without_phone_numbers_nothing_is_assumed() -> None:
    assert phone_regions(CUSTOMERS, COUNTRY, ValidationSettings()) == ()
