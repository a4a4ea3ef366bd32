"""What a run has learned about its target, in sentences."""

from __future__ import annotations

import pytest

from importer.results import learned_sentences


def test_nothing_learned_is_nothing_said() -> None:
    assert learned_sentences({}) == []
    assert learned_sentences({"keeps_metadata": True}) == []


def test_a_target_that_loses_metadata_is_said_to() -> None:
    (sentence,) = learned_sentences({"keeps_metadata": False})

    assert "does not keep metadata" in sentence


@pytest.mark.parametrize(("rows", "words"), [(1, "1 row was sent"), (1_200, "1,200 rows were sent")])
def test_rows_that_were_sent_again_are_counted(rows: int, words: str) -> None:
    again, twice = learned_sentences({"sent_again": rows, "looked_at": 1, "duplicated": 1})

    assert again.startswith(words)
    assert "duplicated_at_target" in twice


def test_how_late_customers_came_and_what_was_not_waited_for_is_said() -> None:
    assert len(learned_sentences({"latest_arrival_s": 12.0, "caution": "Looks end early."})) == 2
