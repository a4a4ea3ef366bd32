from __future__ import annotations

import pytest

from importer.core.errors import ExitCode, SourceError
from importer.core.sources import SourceInfo
from importer.mapping.build import check_drift
from importer.profile import SourceSettings

MADE_FOR = ("First Name", "Last Name", "Email", "Phone")


def settings(on_drift: str) -> SourceSettings:
    return SourceSettings.model_validate({"columns": MADE_FOR, "on_drift": on_drift})


def source(*columns: str) -> SourceInfo:
    return SourceInfo("x.csv", "csv", columns)


DRIFTED = source("First Name", "LastName", "Email", "Shoe Size")


def test_the_same_header_in_another_order_is_not_drift() -> None:
    assert check_drift(settings("stop"), source(*reversed(MADE_FOR))) == ()


def test_a_difference_stops_the_run_and_is_named() -> None:
    with pytest.raises(SourceError) as caught:
        check_drift(settings("stop"), DRIFTED)

    assert "'Last Name' is now called 'LastName'; 'Phone' is missing; 'Shoe Size' is new" in caught.value.message
    assert caught.value.exit_code == ExitCode.SOURCE
    assert "source.on_drift" in caught.value.hint


def test_a_difference_may_only_warn() -> None:
    notes = check_drift(settings("warn"), DRIFTED)

    assert [(note.what, note.value) for note in notes] == [
        ("drift", "'Last Name' is now called 'LastName'"),
        ("drift", "'Phone' is missing"),
        ("drift", "'Shoe Size' is new"),
    ]


def test_a_difference_may_be_ignored_and_no_header_guards_nothing() -> None:
    assert check_drift(settings("ignore"), DRIFTED) == ()
    assert check_drift(SourceSettings(), DRIFTED) == ()
