"""The reference holds every declaration, whole: nothing is missing from it, and nothing is made up."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import typer

from importer.cli.entry import app
from importer.core.errors import UsageError
from importer.core.issue_codes import all_codes
from importer.customers.contract import CUSTOMERS
from importer.customers.rules import FIELDS, READING_FIELDS, RULES, field_spec
from importer.profile import OPTIONS, Profile
from importer.profile.console import ConsoleUser
from importer.profile.delivery import TargetSettings
from importer.profile.mapping_rules import FieldRule, GroupingSettings
from importer.profile.problems import places, variable
from importer.reference.codes import codes
from importer.reference.documents import codes_markdown, fields_markdown, profile_file, profile_markdown
from importer.reference.fields import fields, rules
from importer.reference.profile_keys import KeyEntry, profile_keys, sections

KEYS = profile_keys()
ALL_CODES = all_codes(CUSTOMERS.codes)


def defaults(path: Path | None = None, environ: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    """What a profile comes to for the sandbox: the emulator has a pace of its own."""
    return Profile.load(path, options={"target": "sandbox"}, environ=environ).model_dump(exclude={"targets"})


# ------------------------------------------------------------------ fields


def test_every_field_that_a_profile_may_map_is_listed() -> None:
    listed = {entry.spec.name: entry for entry in fields(CUSTOMERS)}

    first = {
        name for name in FIELDS if not name.startswith(tuple(f"beneficiaries.{number}" for number in (2, 3, 4, 5)))
    }
    assert listed.keys() == {*first, *READING_FIELDS, "metadata.KEY"}
    assert {name for name, entry in listed.items() if not entry.spec.sent} == set(READING_FIELDS)
    assert all(entry.spec is field_spec(name) for name, entry in listed.items() if name != "metadata.KEY")


def test_a_field_says_who_has_it_who_needs_it_and_how_well_that_is_known() -> None:
    (kind,) = fields(CUSTOMERS, ["primaryPhoneNumber.type"])
    (city,) = fields(CUSTOMERS, ["addresses.mailing.cityName"])

    entry = kind.as_json()
    assert (entry["type"], entry["required"], entry["values"]) == ("individual", True, ["WORK", "HOME", "MOBILE"])
    assert entry["synonyms"]["CELL"] == "MOBILE"
    assert (entry["length_evidence"], city.as_json()["length_evidence"]) == (None, "K")
    assert (kind.needed, city.needed) == ("required", "optional")


def test_fields_of_one_type_of_customer_are_listed_alone() -> None:
    assert {entry.type for entry in fields(CUSTOMERS, kind="business")} == {"business", "both"}


def test_a_part_of_a_name_or_label_finds_fields_and_a_whole_name_itself_alone() -> None:
    assert fields(CUSTOMERS, ["first name"])[0].spec.name == "firstName"
    assert len(fields(CUSTOMERS, ["firstName"])) == 1
    assert {one.spec.label for one in fields(CUSTOMERS, ["zipcode"])} == {
        "Mailing postal code",
        "Physical postal code",
        "Shipping postal code",
        "Beneficial owner 1's physical postal code",
    }
    named = ["limits.daily", "beneficiaries.3.title"]
    assert [one.spec.name for one in fields(CUSTOMERS, named)] == named


def test_what_is_not_in_the_body_of_a_create_says_so() -> None:
    sent = {one.spec.name: one.sent for one in fields(CUSTOMERS)}
    assert (sent["firstName"], sent["limits.daily"]) == ("", "sent after the create (limits)")
    assert sent["primaryPhoneNumber.region"] == "never sent"


def test_every_rule_between_fields_is_listed_with_a_code_that_exists() -> None:
    assert [(one["code"], one["sentence"]) for one in rules(CUSTOMERS)] == [
        (rule.code, rule.sentence) for rule in RULES
    ]
    assert {one["code"] for one in rules(CUSTOMERS)} <= set(ALL_CODES)
    assert all(one["sentence"] in fields_markdown(CUSTOMERS, fields(CUSTOMERS)) for one in rules(CUSTOMERS))


def test_a_wrong_field_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UsageError, match=r"There is no customer field 'firstNme'; did you mean 'firstName'\?"):
        fields(CUSTOMERS, ["lastName", "firstNme"])


# ------------------------------------------------------------------ codes


def test_every_issue_code_is_listed_as_it_is_declared() -> None:
    listed = {one.entry.code: one for one in codes(CUSTOMERS)}

    assert {code: one.entry for code, one in listed.items()} == dict(ALL_CODES)
    for code, one in listed.items():
        entry = one.as_json()
        assert (entry["code"], entry["severity"]) == (code, ALL_CODES[code].severity)
        assert "{" not in entry["message"]
        assert bool(entry["message"]) == bool(ALL_CODES[code].message)


def test_the_fields_that_sentences_are_shown_with_exist() -> None:
    assert all(field_spec(name) for name in CUSTOMERS.fields.examples.values())
    assert {code.partition("_")[0] for code in ALL_CODES} >= {word for word in CUSTOMERS.fields.examples if word}


def test_a_stage_finds_its_codes_and_a_part_of_a_title_too() -> None:
    assert {one.stage for one in codes(CUSTOMERS, ["returning"])} == {"returning"}
    assert "zero_byte" in {one.entry.code for one in codes(CUSTOMERS, ["a zero byte"])}
    with pytest.raises(UsageError, match="did you mean 'phone_invalid'"):
        codes(CUSTOMERS, ["phone_invald"])


# ------------------------------------------------------------------ the profile


def test_every_key_of_the_schema_is_listed_once_and_none_that_is_not_one() -> None:
    settings = {".".join(place) for place in places(Profile) if place[0] not in {"grouping", "transform"}}
    grouping = {f"mapping.{key}" for key in (*GroupingSettings.model_fields, "transform")}
    rules = {f'mapping."FIELD".{key}' for key in FieldRule.model_fields}
    targets = {f"targets.NAME.{key}" for key in TargetSettings.model_fields}
    users = {f"console.users.NAME.{key}" for key in ConsoleUser.model_fields}

    assert sorted(one.place for one in KEYS) == sorted(
        {*settings, *grouping, *rules, *targets, *users, 'mapping."FIELD"'},
    )


@pytest.mark.parametrize("one", KEYS, ids=lambda one: one.place)
def test_every_key_says_what_it_means_and_what_it_is(one: KeyEntry) -> None:
    assert one.meaning.endswith("."), one.place
    assert one.meaning[0].isupper() or one.meaning[0] in "`t"
    assert one.type
    assert one.default is not None or "not set" in one.meaning.lower() or one.is_free


@pytest.mark.parametrize("one", [one for one in KEYS if one.variable and one.default], ids=lambda one: one.variable)
def test_the_variable_of_every_key_sets_it(one: KeyEntry) -> None:
    name = one.variable.replace("NAME", "LIVE")
    value = one.as_json()["default"]
    text = str(value).lower() if isinstance(value, bool) else str(value).replace("'", '"')
    assert defaults(environ={name: text}) == defaults()


def test_the_whole_profile_is_valid_and_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "every-key.toml"
    path.write_text(profile_file(KEYS, 100, whole=True), encoding="utf-8")

    assert defaults(path) == defaults()
    assert Profile.load(path, environ={}).fingerprint == Profile.load(environ={}).fingerprint


def test_what_the_profile_holds_in_comments_is_what_is_not_set_or_has_no_name_yet() -> None:
    text = profile_file(KEYS, 100, whole=True)

    assert len(tomllib.loads(text)["delivery"]) == sum(
        one.section == "delivery" and one.default is not None for one in KEYS
    )
    assert "\n# max_errors = …\n" in text
    assert "\n# [targets.NAME]\n" in text
    assert max(len(line) for line in text.splitlines() if line.startswith("#")) <= 100


def test_every_table_says_what_it_is_about() -> None:
    assert [name for name, about in sections().items() if not about] == [""]
    assert {one.section for one in KEYS} == sections().keys()


def test_a_section_a_key_or_a_place_finds_keys() -> None:
    assert {one.section for one in profile_keys(["[source]"])} == {"source", "source.limits"}
    assert [one.place for one in profile_keys(["rate"])] == ["delivery.rate"]
    assert [one.place for one in profile_keys(["IMPORTER_LOG__LEVEL"])] == ["log.level"]
    assert profile_keys(["delivery.rate"])[0].option == "--rate"
    assert {one.key for one in profile_keys(["mapping"])} >= {'"FIELD"', "group_by", "part"}
    with pytest.raises(UsageError, match=r"did you mean 'delivery\.concurrency'"):
        profile_keys(["concurency"])


def test_types_are_said_in_words() -> None:
    words = {one.place: one.type for one in KEYS}
    assert words["delivery.rate"].startswith("a rate such as 10/s")
    assert words["delivery.headroom"] == "a number from 0 to below 1"
    assert words["source.header_row"] == 'a whole number above 0 or "auto"'
    assert words["results.formats"] == 'a list of "csv", "xlsx", "jsonl" or "parquet"'
    assert words["delivery.finish_by"] == "a time of day such as 06:00"
    assert words["delivery.looks_after_s"] == "a list of numbers"


def test_every_option_that_sets_a_key_is_named_beside_it() -> None:
    group: Any = typer.main.get_command(app)
    taken = {flag for command in group.commands.values() for one in command.params for flag in one.opts}
    assert set(OPTIONS) <= taken
    named = {one.place: one.option for one in KEYS if one.option}
    assert named == {place: option for option, place in OPTIONS.items()}
    assert variable(("delivery", "rate")) in {one.variable for one in KEYS}


# ------------------------------------------------------------------ Markdown


def test_markdown_tables_have_a_row_for_every_entry_and_as_many_cells_in_each() -> None:
    for text, count, tables in (
        (fields_markdown(CUSTOMERS, fields(CUSTOMERS)).partition("| rule")[0], len(fields(CUSTOMERS)), 1),
        (codes_markdown(codes(CUSTOMERS)), len(codes(CUSTOMERS)), 1),
        (profile_markdown(KEYS), len(KEYS), len(sections())),
    ):
        rows = [line for line in text.splitlines() if line.startswith("|")]
        assert len(rows) == count + 2 * tables
        assert len({line.replace(r"\|", "").count("|") for line in rows}) == 1
