from __future__ import annotations

import pytest

from importer.observe.redaction import EMAIL, PERSONAL, PHONE, SECRET, redact, redact_text


@pytest.mark.parametrize(
    "text",
    [
        "+1 415 555 0100",
        "(415) 555-0100",
        "415.555.0100",
        "4155550100",
        "14155550100",
        "+442079460123",
        "%2B14155550100",
        "call 415-555-0100 now",
    ],
)
def test_phone_numbers_are_redacted_in_every_usual_shape(text: str) -> None:
    assert PHONE in redact_text(text)
    assert "0100" not in redact_text(text)


@pytest.mark.parametrize("text", ["sarah.green@example.com", "<s+x@mail.example.org>", "q=zoë%40example.net&size=100"])
def test_email_addresses_are_redacted(text: str) -> None:
    assert EMAIL in redact_text(text)
    assert "example" not in redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdef123456",
        "basic dXNlcjpzZWNyZXQ=",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "https://user:hunter2@example.com/",
        "password=hunter2",
        '{"api_secret": "hunter2"}',
    ],
)
def test_secrets_are_redacted_by_their_shape(text: str) -> None:
    cleaned = redact_text(text)
    assert SECRET in cleaned
    assert not any(secret in cleaned for secret in ("abcdef", "dXNl", "eyJ", "hunter2"))


@pytest.mark.parametrize(
    "text",
    [
        "batch_checked",
        "127.0.0.1:8080",
        "9f1c2d3e-1234-4321-8888-123456789abc",
        "20261122T083000Z-1a2b3c",
        "importer/delivery/retry.py:104 in deliver",
        "2026-11-22T08:30:00Z",
        "1.25",
    ],
)
def test_ids_times_and_places_stay_readable(text: str) -> None:
    assert redact_text(text) == text


def test_secrets_and_people_are_redacted_by_the_name_of_their_key_at_any_depth() -> None:
    entry = {
        "api_key": "k",
        "access_token": 5,
        "deep": {"Authorization": ["x"], "firstName": "Sarah", "ok": 7},
        "payload": b"x",
        "email": "s",
        "primaryPhoneNumber": {"number": "1"},
    }
    assert redact(None, "", entry) == {
        "api_key": SECRET,
        "access_token": SECRET,
        "deep": {"Authorization": SECRET, "firstName": PERSONAL, "ok": 7},
        "payload": PERSONAL,
        "email": PERSONAL,
        "primaryPhoneNumber": PERSONAL,
    }


def test_numbers_that_could_be_phones_go_and_measures_stay() -> None:
    entry = {"x": 14155550100, "rows": 1_000_000, "size_bytes": 20_000_000_000, "ok": True, "n": None, "t": 1.7e9}
    assert redact(None, "", dict(entry)) == {**entry, "x": PHONE}


def test_bytes_never_pass() -> None:
    assert redact(None, "", {"x": [b"secret"]}) == {"x": [PERSONAL]}
