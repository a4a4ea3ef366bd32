"""A share of the customers, as `verify --sample` takes it."""

from __future__ import annotations

import pytest

from importer.cli.importing import share_of
from importer.core.errors import UsageError


@pytest.mark.parametrize(
    ("typed", "share"), [(None, None), ("5%", 0.05), (" 12.5 % ", 0.125), ("0.05", 0.05), ("100%", 1.0), ("1", 1.0)]
)
def test_a_share_is_written_in_percent_or_as_a_number(typed: str | None, share: float | None) -> None:
    assert share_of(typed) == share


@pytest.mark.parametrize("typed", ["", "five", "0", "0%", "101%", "-5%", "5", "nan", "%"])
def test_anything_else_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(UsageError, match="not a share") as caught:
        share_of(typed)
    assert "5%" in caught.value.hint
