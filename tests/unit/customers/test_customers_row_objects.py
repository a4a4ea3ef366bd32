"""Rows are made by an expression that is compiled: names and texts are data in it, whatever they hold."""

from __future__ import annotations

import pytest

from importer.customers.row_objects import shape_of
from importer.customers.specs import CustomerType

HOSTILE = "'] or __import__('os').abort() or ['"


@pytest.mark.parametrize("name", [HOSTILE, '"""', "{part}", "v0", "a\nb", "\\"])
def test_a_name_of_metadata_is_a_key_and_nothing_else(name: str) -> None:
    columns = {f"metadata.{name}": ["yes", ""]}
    shape = shape_of(CustomerType.INDIVIDUAL, columns)

    first, second = shape.rows(columns, 2, dict.fromkeys(("mailing", "physical", "shipping"), ()))
    assert first["metadata"] == {name: "yes"}
    assert "metadata" not in second


def test_a_text_is_a_value_and_nothing_else() -> None:
    columns = {"firstName": [HOSTILE], "lastName": ["part := 1"]}
    shape = shape_of(CustomerType.INDIVIDUAL, columns)

    (row,) = shape.rows(columns, 1, dict.fromkeys(("mailing", "physical", "shipping"), ()))
    assert (row["firstName"], row["lastName"]) == (HOSTILE, "part := 1")
