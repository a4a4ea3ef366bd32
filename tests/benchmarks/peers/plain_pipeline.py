"""The pipeline that one writes first: pandas in chunks, one pydantic model a row, `EmailStr` and `phonenumbers`.

Usage: plain_pipeline.py SOURCE REJECTS. It finds fewer kinds of errors than the importer, looks for no duplicates,
and writes the rejected rows only: all of that is in its favour.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

import pandas as pd
import phonenumbers
from pydantic import BaseModel, EmailStr, Field, ValidationError, field_validator


class Address(BaseModel):
    """A mailing address."""

    streetLine1: str = Field(min_length=1, max_length=50)  # noqa: N815
    streetLine2: str = Field(max_length=50)  # noqa: N815
    city: str = Field(min_length=1, max_length=25)
    stateCode: str = Field(pattern=r"^[A-Z]{2}$")  # noqa: N815
    zipCode: str = Field(pattern=r"^\d{5}(-\d{4})?$")  # noqa: N815
    countryCode: Literal["US"]  # noqa: N815


class Customer(BaseModel):
    """One row."""

    externalId: str = Field(min_length=1)  # noqa: N815
    type: Literal["individual", "business"]
    firstName: str = Field(min_length=1, max_length=40)  # noqa: N815
    lastName: str = Field(min_length=1, max_length=40)  # noqa: N815
    primaryEmail: EmailStr  # noqa: N815
    primaryPhoneNumber: str  # noqa: N815
    dateOfBirth: date  # noqa: N815
    address: Address

    @field_validator("primaryPhoneNumber")
    @classmethod
    def _e164(cls, value: str) -> str:
        number = phonenumbers.parse(value, "US")
        if not phonenumbers.is_possible_number(number):
            raise ValueError("no possible phone number")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def customer(record: Mapping[Any, Any]) -> Customer:
    """Make a customer of a record."""
    return Customer(
        externalId=record["Customer ID"],
        type=record["Type"],
        firstName=record["First Name"].strip(),
        lastName=record["Last Name"].strip(),
        primaryEmail=record["Email"],
        primaryPhoneNumber=record["Phone"],
        dateOfBirth=record["Date of Birth"],
        address=Address(
            streetLine1=record["Street"],
            streetLine2=record["Apartment"],
            city=record["City"],
            stateCode=record["State"],
            zipCode=record["ZIP"],
            countryCode=record["Country"],
        ),
    )


def main(source: str, rejects: str) -> None:
    """Check a file, and write the rows that cannot be used with what is wrong with them."""
    valid = invalid = 0
    with open(rejects, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123
        writer = None
        for frame in pd.read_csv(source, dtype=str, keep_default_na=False, chunksize=10_000):
            for record in frame.to_dict("records"):
                try:
                    customer(record).model_dump_json()
                    valid += 1
                except (ValidationError, phonenumbers.NumberParseException) as error:
                    invalid += 1
                    writer = writer or csv.DictWriter(file, [*record, "error"])
                    writer.writerow({**record, "error": str(error)})
    print(valid, invalid)  # noqa: T201


main(*sys.argv[1:])
