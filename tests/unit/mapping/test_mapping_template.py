from __future__ import annotations

from typing import Literal

import pytest

from importer.core.frames import raw_batch
from importer.core.sources import SourceInfo
from importer.customers.contract import CUSTOMERS
from importer.customers.rules import FIELDS
from importer.customers.specs import CustomerType
from importer.mapping import proposal, template_columns

KINDS: tuple[Literal["individual", "business"], ...] = ("individual", "business")


@pytest.mark.parametrize("kind", KINDS)
def test_every_header_of_a_template_is_found_again_for_certain(kind: Literal["individual", "business"]) -> None:
    columns = template_columns(CUSTOMERS, kind)
    info = SourceInfo("t.csv", "csv", tuple(column.header for column in columns))

    for sample in (None, raw_batch(0, [2], [[column.example] for column in columns])):
        found = {match.column: (match.field, match.score) for match in proposal(CUSTOMERS, info, sample).matches}
        if sample is None and kind == "business":
            continue  # without a row nothing says that the type column holds businesses only
        assert found == {column.header: (column.field, 1.0) for column in columns}


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_has_every_required_field_of_its_type(kind: Literal["individual", "business"]) -> None:
    customer = CustomerType(kind.upper())
    required = {spec.name for spec in FIELDS.values() if spec.required and customer in spec.types}
    columns = template_columns(CUSTOMERS, kind)

    assert required == {column.field for column in columns if column.required}
    assert len({column.header for column in columns}) == len(columns)


def test_choices_notes_and_examples_help_to_fill_it_in() -> None:
    columns = {column.field: column for column in template_columns(CUSTOMERS, "individual")}

    assert columns["type"].choices == ("INDIVIDUAL",)
    assert columns["primaryPhoneNumber.type"].choices == ("WORK", "HOME", "MOBILE")
    assert columns["firstName"].note.startswith("Required.")
    assert columns["dateOfBirth"].choices == ()
    assert all(column.example for column in columns.values())
    assert "where a mailing address is given" in columns["addresses.mailing.zipCode"].note
