"""What a run has learned about its target, in sentences."""

from __future__ import annotations

import pytest

from importer.results import learned_sentences


def test_nothing_learned_gives_no_sentence() -> None:
    assert learned_sentences({}) == []
    assert learned_sentences({"keeps_metadata": True}) == []


def test_a_target_that_loses_metadata_is_reported() -> None:
    (sentence,) = learned_sentences({"keeps_metadata": False})

    assert "does not keep metadata" in sentence


@pytest.mark.parametrize(("rows", "words"), [(1, "1 row was sent"), (1_200, "1,200 rows were sent")])
def test_rows_that_were_sent_again_are_counted(rows: int, words: str) -> None:
    again, twice = learned_sentences({"sent_again": rows, "looked_at": 1, "duplicated": 1})

    assert again.startswith(words)
    assert "duplicated_at_target" in twice


@pytest.mark.parametrize(("rows", "words"), [(1, "1 of them was looked up"), (45, "45 of them were looked up")])
def test_rows_that_were_looked_up_since_are_counted(rows: int, words: str) -> None:
    (again,) = learned_sentences({"sent_again": 45, "looked_at": rows})

    assert words in again


def test_late_customers_and_early_look_ups_are_reported() -> None:
    assert len(learned_sentences({"latest_arrival_s": 12.0, "caution": "Looks end early."})) == 2
