"""The witness of a rehearsal notices what a run gets wrong."""

from __future__ import annotations

from typing import Any

import pytest

from importer.core.states import RowState
from importer.runs.rehearsal import compare, sentence

CREATED, EXISTING, FAILED, UNKNOWN = RowState.CREATED, RowState.EXISTING, RowState.FAILED, RowState.UNKNOWN


def customer(customer_id: str, key: str = "") -> dict[str, Any]:
    return {"id": customer_id, "metadata": {"importKey": key} if key else None}


@pytest.mark.parametrize(
    ("customers", "endings", "found"),
    [
        ([("1", "a"), ("2", "b")], [("a", CREATED, "1"), ("b", CREATED, "2")], (2, 0, 0)),
        ([("1", "a")], [("a", CREATED, "1"), ("b", CREATED, "2")], (1, 1, 0)),  # the row names nobody
        ([("1", "a"), ("9", "a")], [("a", CREATED, "1")], (2, 0, 1)),
        ([("1", "a")], [("a", FAILED, "")], (1, 1, 0)),  # made, and denied
        ([("1", "a")], [("a", UNKNOWN, "")], (1, 0, 0)),  # nobody claims to know
        ([("1", "z")], [("a", CREATED, "1")], (0, 1, 0)),  # somebody else's customer
        ([("1", "z")], [("a", EXISTING, "1")], (0, 0, 0)),  # found by its data, made by somebody else
        ([("1", "z"), ("2", "")], [], (0, 0, 0)),  # earlier runs
        ([("1", "a"), ("9", "a")], [("a", UNKNOWN, "")], (2, 0, 0)),  # twice, and said to be
        ([("1", "")], [("a", CREATED, "1")], (1, 0, 0)),  # metadata is lost, ids are not
    ],
)
def test_the_emulators_customers_are_held_against_the_rows(
    customers: list[tuple[str, str]], endings: list[tuple[str, RowState, str]], found: tuple[int, int, int]
) -> None:
    result = compare([customer(*one) for one in customers], endings, "importKey")

    assert tuple(result.values()) == found


def test_without_a_stamp_customers_are_known_by_their_ids() -> None:
    found = compare([customer("1"), customer("2")], [("a", CREATED, "1"), ("b", CREATED, "3")], "")

    assert found == {"customers": 1, "lost": 1, "twice": 0}


@pytest.mark.parametrize(
    ("faults", "reported"),
    [
        ({"status": 1_000, "close": 2}, "; 1,002 faults met"),
        ({"status": 1}, "; 1 fault met"),
        ({}, "; but it met no fault and proves nothing: give it more rows, new ones, or a lower --rate"),
    ],
)
def test_it_is_reported_in_one_sentence(faults: dict[str, int], reported: str) -> None:
    found = {"customers": 1_200, "lost": 0, "twice": 0, "faults": faults}

    assert sentence(found) == "rehearsal: 1,200 customers, 0 lost, 0 twice" + reported


def test_a_stamp_counts_in_whatever_letters_its_name_is_kept() -> None:
    customers = [{"id": "1", "metadata": {"importkey": "a"}}, {"id": "2", "metadata": {"importkey": "a"}}]

    assert compare(customers, [("a", CREATED, "1")], "importKey") == {"customers": 2, "lost": 0, "twice": 1}
