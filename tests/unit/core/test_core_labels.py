"""What may be quoted as the name of a column, and what may be a customer's cell."""

from __future__ import annotations

import pytest

from importer.core.errors import ExitCode, SourceError
from importer.core.labels import UNNAMED, counted, is_data, named, quotable
from importer.core.sources import SourceInfo
from importer.mapping.build import check_drift, differences
from importer.profile import SourceSettings


@pytest.mark.parametrize(
    "name",
    [
        "james.lee2@example.com",
        "Lee <lee@example.com>",
        "(212) 555-0102",
        "+1 212 555 0102",
        "1982-04-03",
        "03/04/1982",
    ],
)
def test_a_value_is_never_quoted(name: str) -> None:
    assert is_data(name)
    assert named(name) == UNNAMED
    assert quotable([name, "Phone"]) == ["Phone"]


@pytest.mark.parametrize("name", ["Phone 2", "E-Mail", "Adresse 1", "Geburtsdatum (TT.MM.JJJJ)", "Kd.-Nr.", ""])
def test_a_name_is_quoted(name: str) -> None:
    assert not is_data(name)
    assert named(name) == f"'{name}'"


def test_drift_names_new_columns_and_never_a_customer() -> None:
    found = list(differences(("First Name", "Email"), ("First Name", "E-Mails", "Phone", "ann@example.com")))

    assert found == ["'Email' is now called 'E-Mails'", "'Phone' is new", f"{UNNAMED} is new"]


def test_a_header_of_which_nothing_is_known_is_not_quoted_at_all() -> None:
    settings = SourceSettings.model_validate({"columns": ("First Name", "Email"), "on_drift": "stop"})

    with pytest.raises(SourceError) as caught:
        check_drift(settings, SourceInfo("x.csv", "csv", ("James", "Lee", "Berlin")))

    assert caught.value.exit_code == ExitCode.SOURCE
    assert not [cell for cell in ("James", "Lee", "Berlin") if cell in str(caught.value)]


def test_one_thing_is_counted_without_an_s() -> None:
    assert [counted(count, "row") for count in (0, 1, 2, 1_000)] == ["0 rows", "1 row", "2 rows", "1,000 rows"]
