"""What is reference is asked of the program: fields, issue codes, keys of a profile."""

from __future__ import annotations

import json

import pytest

from tests.acceptance.conftest import User

KEYS = {
    "fields": "name label type kind required condition max_length values synonyms example sent step evidence"
    " length_evidence source",
    "codes": "code stage severity title message fix",
    "profile": "section key place type default meaning environment option",
}
"""The stable shape of an entry in JSON."""


@pytest.mark.parametrize("command", KEYS)
def test_json_is_one_object_whose_entries_have_a_stable_shape(user: User, command: str) -> None:
    ran = user.types(command, "--json")
    entries = ran.json["keys" if command == "profile" else command]

    assert (ran.code, ran.err) == (0, "")
    assert (ran.json["command"], ran.json["exit_code"], ran.json["error"]) == (command, 0, None)
    assert len(entries) > 50
    assert {tuple(entry) for entry in entries} == {tuple(KEYS[command].split())}


@pytest.mark.parametrize("command", KEYS)
def test_text_and_markdown_go_to_standard_output_without_colours(user: User, command: str) -> None:
    text, markdown = user.types(command), user.types(command, "--markdown")

    assert (text.code, markdown.code, text.err, markdown.err) == (0, 0, "", "")
    assert "\x1b" not in text.out + markdown.out
    assert "| --- |" in markdown.out


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("fields", "dateOfBrith"), "dateOfBirth"),
        (("codes", "emial_invalid"), "email_invalid"),
        (("profile", "delivery.rat3"), "delivery.rate"),
    ],
)
def test_a_wrong_name_is_refused_with_the_nearest_right_one(user: User, words: tuple[str, str], near: str) -> None:
    ran = user.types(*words)
    asked = user.types(*words, "--json")

    assert (ran.code, ran.out) == (2, "")
    assert f"did you mean '{near}'?" in ran.err
    assert asked.code == asked.json["exit_code"] == 2
    assert near in asked.json["error"]


def test_an_entry_is_shown_in_full_by_its_name(user: User) -> None:
    field, code = user.types("fields", "primaryPhoneNumber.type").out, user.types("codes", "phone_too_short").out

    assert "Accepted: WORK, HOME, MOBILE. 8 other words are understood" in field
    assert "Known: documented for customers" in field
    assert "Phone number has too few digits" in code
    assert "Fix: Correct the cells of the column" in code
    assert "Never sent" in user.types("fields", "primaryPhoneNumber.region").out


def test_fields_of_one_type_are_listed_alone(user: User) -> None:
    names = {entry["name"] for entry in user.types("fields", "--type", "business", "--json").json["fields"]}

    assert "businessName" in names
    assert "dateOfBirth" not in names


def test_the_printed_profile_can_be_used_as_it_is(user: User) -> None:
    profile = user.has("every-key.toml", user.types("profile").out)
    user.has("customers.csv", "First Name,Last Name,Phone,Phone Type,Email\nAda,Gray,+12125550123,HOME,a@example.com\n")

    assert user.types("validate", "customers.csv", "--config", profile).code == 0


def test_the_profile_may_ask_for_json_and_markdown_goes_before_it(user: User) -> None:
    asked = user.has("json.toml", '[output]\nformat = "json"\n')

    assert json.loads(user.types("codes", "--config", asked).out)["command"] == "codes"
    assert user.types("codes", "--markdown", IMPORTER_OUTPUT__FORMAT="json").out.startswith("| code |")
    assert user.types("codes", "--markdown", "--json").code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("runs",),
        ("show", "last"),
        ("show", "last", "--verify"),
        ("explain", "last", "2"),
        ("export", "last"),
        ("purge", "--older-than", "30d"),
        ("doctor", "--offline"),
        ("nightly", "inbox", "--target", "emulator"),
    ],
)
def test_commands_print_json_where_the_profile_asks_for_it(user: User, words: tuple[str, ...]) -> None:
    profile = user.has("json.toml", '[output]\nformat = "json"\n')
    (user.home / "inbox").mkdir()
    user.has("customers.csv", "First Name,Last Name,Phone,Phone Type,Email\nAda,Gray,+12125550123,HOME,a@example.com\n")
    assert user.types("run", "customers.csv").code == 0

    assert user.types(*words, "--config", profile).json["command"] == words[0]
