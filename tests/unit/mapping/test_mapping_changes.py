"""Columns of rows that change customers: none of a customer's fields is needed, nothing is assumed, the id is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pytest

from importer.core.columns import ID_AT_TARGET
from importer.core.frames import raw_batch
from importer.core.sources import SourceInfo
from importer.customers.contract import CUSTOMERS
from importer.mapping import ColumnMapper, Table, build_mapper
from importer.profile.mapping_rules import FieldRule
from importer.profile.settings import SourceSettings, ValidationSettings
from importer.profile.transform import TransformSettings


def mapper(
    columns: Sequence[str], mapping: Mapping[str, FieldRule] | None = None, source: SourceSettings | None = None
) -> ColumnMapper:
    info = SourceInfo("customers.csv", "csv", tuple(columns))
    table = Table.of(TransformSettings(), info, raw_batch(0, [2], [["x"] for _ in columns], names=columns))
    settings = ValidationSettings(partial=True)
    today = date(2026, 11, 22)
    return build_mapper(CUSTOMERS, mapping or {}, table, today=today, source=source, validation=settings)


def test_columns_that_make_no_customer_are_enough() -> None:
    assert mapper(["External ID", "Last Name"]).columns == {"externalId": "External ID", "lastName": "Last Name"}


def test_nothing_is_assumed_that_no_column_says() -> None:
    found = mapper(["External ID", "First Name", "Phone"])
    assert dict(found.columns) == {
        "externalId": "External ID",
        "firstName": "First Name",
        "primaryPhoneNumber.number": "Phone",
    }
    assert set(found.rules) == set(found.columns)


@pytest.mark.parametrize(
    ("column", "field"),
    [
        ("Mailing City", "addresses.mailing.cityName"),
        ("Mailing Zip", "addresses.mailing.zipCode"),
        ("Social ID", "socialId"),
    ],
)
def test_a_part_of_an_address_or_a_customer_is_enough(column: str, field: str) -> None:
    assert mapper(["External ID", column]).columns == {"externalId": "External ID", field: column}


def test_the_id_of_a_results_file_is_taken_for_nothing_else() -> None:
    assert mapper([ID_AT_TARGET, "Last Name"]).columns == {"id": ID_AT_TARGET, "lastName": "Last Name"}


def test_a_profile_needs_no_word_about_the_id_of_a_results_file() -> None:
    found = mapper([ID_AT_TARGET, "Surname"], {"lastName": FieldRule(column="Surname")})
    assert found.columns == {"id": ID_AT_TARGET, "lastName": "Surname"}


def test_the_id_of_a_results_file_is_no_drift() -> None:
    guard = SourceSettings(columns=("External ID", "Last Name"))
    assert mapper([ID_AT_TARGET, "External ID", "Last Name"], source=guard).columns["id"] == ID_AT_TARGET


def test_a_profile_may_name_the_id_itself() -> None:
    mapping = {"id": FieldRule(column="Key"), "lastName": FieldRule(column="Surname")}
    assert mapper(["Key", "Surname", ID_AT_TARGET], mapping).columns == {"id": "Key", "lastName": "Surname"}


TYPE, NUMBER = "primaryPhoneNumber.type", "primaryPhoneNumber.number"


def texts(mapping: Mapping[str, FieldRule], name: str, *rows: Sequence[str]) -> list[str]:
    columns = ["Phone", "Kind"]
    made = mapper(columns, mapping)
    batch = raw_batch(0, range(2, 2 + len(rows)), [list(column) for column in zip(*rows, strict=True)], names=columns)
    made.observe(batch)
    made.settle()
    return list(made.map(batch).texts(name))


@pytest.mark.parametrize(
    "rule",
    [
        FieldRule(column="Kind", default="HOME"),
        FieldRule(column="Kind", map={"Handy": "MOBILE"}, default="HOME"),
        FieldRule(column="Kind", map={"Handy": "MOBILE", " ": "HOME"}),
    ],
)
def test_a_blank_cell_means_nothing_whatever_it_means_in_a_new_customer(rule: FieldRule) -> None:
    assert texts({TYPE: rule}, TYPE, ("", ""), ("", "WORK")) == ["", "WORK"]


def test_a_constant_is_given_where_the_row_says_something_beside_it() -> None:
    mapping = {NUMBER: FieldRule(column="Phone"), TYPE: FieldRule(value="HOME"), "metadata.by": FieldRule(value="crm")}
    rows = (("", "x"), ("+12125550123", "x"))

    assert texts(mapping, TYPE, *rows) == ["", "HOME"]
    assert texts(mapping, "metadata.by", *rows) == ["crm", "crm"]
