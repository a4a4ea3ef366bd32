"""The fingerprint of a customer: another one once somebody has changed it."""

from __future__ import annotations

from typing import Any

import pytest

from importer.core.steps import Step
from importer.customers.contract import CUSTOMERS

BODY: dict[str, Any] = {
    "id": "c-1",
    "type": "INDIVIDUAL",
    "status": "ACTIVE",
    "firstName": "Ada",
    "lastName": "Example",
    "middleName": "",
    "primaryEmail": {"value": "ada@example.com"},
    "addresses": [{"type": "MAILING", "zipCode": "12345"}, {"type": "SHIPPING", "zipCode": "54321"}],
    "createdAt": "2026-11-23T00:42:50.311Z",
    "updatedAt": "2026-11-23T00:42:50.311Z",
    "verificationStatus": {"status": "UNVERIFIED"},
}


def fingerprint(**other: Any) -> str:
    assert CUSTOMERS.changes is not None
    return CUSTOMERS.changes.fingerprint({**BODY, **other})


def test_the_same_customer_has_the_same_fingerprint_whatever_the_order_and_blanks() -> None:
    turned = dict(reversed(BODY.items()))
    turned["addresses"] = list(reversed(BODY["addresses"]))
    del turned["middleName"]
    assert CUSTOMERS.changes is not None
    assert CUSTOMERS.changes.fingerprint(turned) == fingerprint()


def test_what_only_the_server_moves_does_not_count() -> None:
    assert fingerprint(verificationStatus={"status": "APPROVED"}) == fingerprint()


@pytest.mark.parametrize(
    "changed",
    [
        {"lastName": "Sample"},
        {"status": "SUSPENDED"},
        {"updatedAt": "2026-11-23T00:42:51.000Z"},
        {"metadata": {"note": "x"}},
        {"addresses": []},
        {"unknownMember": True},
    ],
)
def test_any_change_shows(changed: dict[str, Any]) -> None:
    assert fingerprint(**changed) != fingerprint()


def test_nothing_can_be_read_from_it() -> None:
    assert len(fingerprint()) == 64
    assert "Ada" not in fingerprint()


@pytest.mark.parametrize(
    ("other", "by_us", "why"),
    [
        ({}, (), ""),
        ({"status": None}, (), ""),
        ({"status": "SUSPENDED"}, (), "Its status is SUSPENDED."),
        ({"status": "SUSPENDED"}, (Step.SUSPEND,), ""),
        ({"status": "ARCHIVED"}, (Step.SUSPEND,), "Its status is ARCHIVED."),
        ({"status": "<script>"}, (), "Its status is another one."),
        ({"updatedAt": "2026-11-23T00:42:50.900Z"}, (), ""),
        ({"updatedAt": "2026-11-23T00:42:52.000Z"}, (), "It was changed after it was created."),
        ({"updatedAt": "2026-11-23T00:42:52"}, (Step.VERIFY,), "It was changed after it was created."),
        ({"updatedAt": "2026-11-23T00:42:52.000Z"}, (Step.VERIFICATION, Step.VERIFY), ""),
        ({"updatedAt": "later"}, (), ""),
        ({"createdAt": None, "updatedAt": "2026-11-24T00:00:00Z"}, (), ""),
    ],
)
def test_its_status_and_times_show_whether_somebody_has_touched_it(
    other: dict[str, Any], by_us: tuple[Step, ...], why: str
) -> None:
    assert CUSTOMERS.changes is not None
    assert CUSTOMERS.changes.touched({**BODY, **other}, by_us) == why
