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


@pytest.mark.parametrize(
    ("rows", "looked_at", "words"),
    [
        (1, 1, "1 of 1 row that was sent more than once was looked up again since."),
        (1_200, 1, "1 of 1,200 rows that were sent more than once was looked up again since."),
        (45, 45, "45 of 45 rows that were sent more than once were looked up again since."),
    ],
)
def test_rows_that_were_looked_up_since_are_counted(rows: int, looked_at: int, words: str) -> None:
    assert learned_sentences({"sent_again": rows, "looked_at": looked_at}) == [words]


def test_how_many_rows_are_twice_at_the_target_is_said_by_their_issue_alone() -> None:
    assert len(learned_sentences({"sent_again": 9, "looked_at": 9, "duplicated": 2})) == 1


def test_late_customers_and_early_look_ups_are_reported() -> None:
    assert len(learned_sentences({"latest_arrival_s": 12.0, "caution": "Looks end early."})) == 2
