"""Columns of rows that change customers: none of a customer's fields is needed, nothing is assumed, the id is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

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
