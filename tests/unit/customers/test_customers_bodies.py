"""Is a customer that the API returned the record in hand? By its stamp, or by equal data."""

from __future__ import annotations

import json
from typing import Any

import pytest

from importer.customers.bodies import CustomerBodies

STAMP, KEY = "importKey", "0123456789abcdef" * 2
PERSON: dict[str, Any] = {"type": "INDIVIDUAL", "firstName": "Ada", "metadata": {STAMP: KEY, "branch": "north"}}
PAYLOAD = json.dumps(PERSON).encode()
RECOGNITION = CustomerBodies()


@pytest.mark.parametrize("metadata", [{STAMP: KEY}, {"importkey": KEY.upper()}, {"other": KEY}])
def test_a_stamp_is_recognised_under_whatever_name_and_in_whatever_letters(metadata: dict[str, Any]) -> None:
    assert RECOGNITION.bears({"metadata": metadata}, KEY)


@pytest.mark.parametrize("body", [{}, {"metadata": None}, {"metadata": {STAMP: "f" * 32}}, {"metadata": {STAMP: 7}}])
def test_what_bears_another_stamp_or_none_is_not_recognised(body: dict[str, Any]) -> None:
    assert not RECOGNITION.bears(body, KEY)


def test_the_stamp_of_others_is_read_under_its_name() -> None:
    assert RECOGNITION.stamp_of({"metadata": {"IMPORTKEY": "f" * 32}}, STAMP) == "f" * 32
    assert RECOGNITION.stamp_of({"metadata": {"branch": "north"}}, STAMP) is None


def test_the_stamp_does_not_differ_and_other_data_does() -> None:
    body = {"type": "INDIVIDUAL", "firstName": "Eve", "metadata": {"branch": "south"}}

    assert RECOGNITION.differences(PAYLOAD, body, STAMP) == ("firstName", "metadata.branch")
    assert RECOGNITION.differences(PAYLOAD, body, STAMP, loses_metadata=True) == ("firstName",)


def test_without_stamps_whatever_is_under_their_name_counts() -> None:
    assert RECOGNITION.differences(PAYLOAD, {**PERSON, "metadata": {"branch": "north"}}, "") == (f"metadata.{STAMP}",)
