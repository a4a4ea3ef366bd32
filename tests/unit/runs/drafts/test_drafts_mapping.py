"""The mapping of a draft: what a person sees to judge it, what is chosen, and the profile that comes of it."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from importer.core.errors import ProfileError
from importer.journal import CheckChoices, Correction, Reading
from importer.profile import Profile
from importer.runs.drafts.drafts import DraftService
from importer.runs.drafts.mapping import ColumnView, MappingView, choose_mapping, mapping
from importer.runs.drafts.profiles import profile_text, write_files
from importer.runs.drafts.reading import choose_reading
from importer.runs.drafts.receiving import receive
from importer.runs.profile_init import init

HEADER = "Legacy ID;Vorname;Last Name;E-Mail;Phone;Phone Type;Born;Remark\n"
LINES = [
    "C-1;Ana;Green;ana@example.com;202 555 0101;Cell;25/04/1980;x",
    "C-2;Kim;Brown;kim@example.com;202 555 0102;Fax;03/04/1980;",
    "C-3;Eva;Black;eva@example.com;202 555 0103;cell;05/06/1980;y",
    "C-4;Uwe;White;uwe@example.com;202 555 0104;;05/06/1981;z",
]
BASE = """
target = "sandbox"
[source]
on_drift = "warn"
columns = ["Something else"]
[source.limits]
max_columns = 40
[mapping]
"externalId" = "Nowhere"
group_by = "businessName"
[validation]
phone = "valid"
possible_duplicate = "reject"
[delivery]
rate = "7/s"
canary = 5
[targets.sandbox]
base_url = "https://sandbox.example.com"
[targets.live]
base_url = "https://api.example.com"
rate = "20/s"
[approval]
valid = "2d"
[log]
level = "debug"
"""


def service_of(tmp_path: Path, base: str = "") -> DraftService:
    config = tmp_path / "console.toml"
    config.write_text(base, encoding="utf-8")
    options = {"workspace": tmp_path / "runs"}
    return DraftService(Profile.load(config if base else None, options=options, environ={}))


@pytest.fixture
def service(tmp_path: Path) -> DraftService:
    return service_of(tmp_path)


def draft_of(service: DraftService, text: str = HEADER + "\n".join(LINES) + "\n", name: str = "people.csv") -> str:
    async def chunks() -> AsyncIterator[bytes]:
        yield text.encode()

    draft = service.begin("kim").id
    asyncio.run(receive(service, draft, name, chunks(), by="kim", most_bytes=10_000_000))
    return draft


def column(view: MappingView, name: str) -> ColumnView:
    return next(one for one in view.columns if one.name == name)


def reversed_dates(lines: int) -> str:
    """Dates that only the last row decides."""
    body = [f"C-{number};Ana;Green;a{number}@example.com;;;03/04/1980;" for number in range(lines)]
    return HEADER + "\n".join([*body, "C-x;Uwe;White;uwe@example.com;;;25/04/1980;"]) + "\n"


# --------------------------------------------------------------------------- what is seen


def test_every_column_is_shown_with_cells_its_field_why_and_what_else_it_could_be(service: DraftService) -> None:
    view = mapping(service, draft_of(service))

    email, remark = column(view, "E-Mail"), column(view, "Remark")
    assert [one.name for one in view.columns] == HEADER.strip().split(";")
    assert (email.fields, email.samples) == (
        ["primaryEmail.value"],
        ["ana@example.com", "kim@example.com", "eva@example.com"],
    )
    assert email.score > 0.9
    assert "name" in email.why
    assert (remark.fields, remark.why) == ([], "no customer field has this name")
    assert all(one.field not in email.fields for one in email.others)
    assert view.rules["primaryEmail.value"] == "E-Mail"
    assert {spec.name for spec in view.fields} >= {"firstName", "primaryEmail.value", "addresses.mailing.stateCode"}


def test_words_are_counted_over_the_whole_file_and_unknown_ones_have_no_meaning(service: DraftService) -> None:
    (words,) = (one for one in mapping(service, draft_of(service)).words if one.field == "primaryPhoneNumber.type")

    assert [(one.text, one.count, one.meaning) for one in words.words] == [("Cell", 2, "MOBILE"), ("Fax", 1, "")]
    assert (words.values, words.blank) == (("WORK", "HOME", "MOBILE"), 1)


def test_the_order_of_dates_is_judged_over_the_whole_file(service: DraftService) -> None:
    (born,) = mapping(service, draft_of(service, reversed_dates(5_000))).ways

    assert (born.field, born.column, born.found, born.problem) == ("dateOfBirth", "Born", "day first", "")
    assert "row 5002 has the day first" in born.evidence


def test_dates_that_nothing_decides_are_a_problem_until_a_person_says_it(service: DraftService) -> None:
    draft = draft_of(service, HEADER + LINES[1] + "\n")
    (born,) = mapping(service, draft).ways
    assert born.found == ""
    assert "can be read with the day or the month first" in born.problem

    choose_mapping(service, draft, None, CheckChoices(date_order="dmy"), by="kim")

    (born,) = mapping(service, draft).ways
    assert (born.found, born.problem) == ("day first", "")


def test_required_fields_that_nothing_fills_are_named(service: DraftService) -> None:
    view = mapping(service, draft_of(service, "Vorname;City\nAna;Ulm\n"))

    assert "lastName" in [spec.name for spec in view.missing]


def test_phone_regions_and_what_is_assumed_are_said(service: DraftService) -> None:
    draft = draft_of(service)
    view = mapping(service, draft)
    assert [one.value for one in view.regions] == ["US"]
    assert any("INDIVIDUAL" in one.value for one in view.assumed)
    assert view.checks.default_region == "US"

    choose_mapping(service, draft, None, CheckChoices(default_region="DE"), by="kim")

    assert [one.value for one in mapping(service, draft).regions] == ["DE"]
    assert mapping(service, draft).checks.default_region == "DE"


def test_who_may_not_see_values_sees_none(service: DraftService) -> None:
    view = mapping(service, draft_of(service), show_values=False)

    shown = [cell for one in view.columns for cell in one.samples]
    assert not {"ana@example.com", "Green", "Ana"}.intersection(shown)
    assert not {"Cell", "Fax"}.intersection(word.text for one in view.words for word in one.words)


# --------------------------------------------------------------------------- what is chosen


def test_a_choice_is_kept_and_shown_again(service: DraftService, tmp_path: Path) -> None:
    draft = draft_of(service)
    rules: dict[str, JsonValue] = {
        **mapping(service, draft).rules,
        "metadata.remark": "Remark",
        "primaryPhoneNumber.type": {"column": "Phone Type", "map": {"Fax": "WORK"}, "default": "MOBILE"},
    }
    del rules["dateOfBirth"]

    chosen = choose_mapping(service, draft, rules, CheckChoices(duplicates="first"), by="kim")

    again = DraftService(service.profile)
    view = mapping(again, draft)
    assert (chosen.facts.stage, view.rules) == ("fix", rules)
    assert column(view, "Remark").fields == ["metadata.remark"]
    assert column(view, "Born").fields == []
    (words,) = (one for one in view.words if one.field == "primaryPhoneNumber.type")
    assert [(one.text, one.meaning) for one in words.words] == [("Cell", "MOBILE"), ("Fax", "WORK")]
    assert view.ways == []


def test_the_proposal_is_chosen_as_it_is(service: DraftService) -> None:
    draft = draft_of(service)
    before = profile_text(service, draft)

    view = mapping(service, draft)
    choose_mapping(service, draft, view.rules, view.checks, by="kim")

    assert profile_text(service, draft) == before
    assert (service.find(draft).facts.rules, service.find(draft).facts.validation) == (None, CheckChoices())


@pytest.mark.parametrize(
    ("rules", "checks", "said"),
    [
        ({"firstNam": "Vorname"}, CheckChoices(), "firstName"),
        ({"firstName": "Nowhere"}, CheckChoices(), "a column 'Nowhere', which the source does not have"),
        ({"firstName": {"colum": "Vorname"}}, CheckChoices(), "column"),
        (None, CheckChoices(date_order="upside down"), "date_order"),
        (None, CheckChoices(default_region="Germany"), "default_region"),
    ],
)
def test_a_choice_that_makes_no_sense_changes_nothing(
    service: DraftService, rules: Mapping[str, JsonValue] | None, checks: CheckChoices, said: str
) -> None:
    draft = draft_of(service)
    before = service.find(draft)

    with pytest.raises(ProfileError, match=said):
        choose_mapping(service, draft, rules, checks, by="kim")

    assert service.find(draft) == before


def test_a_mapping_without_what_is_required_is_kept_and_stays_at_its_step(service: DraftService) -> None:
    draft = draft_of(service)

    chosen = choose_mapping(service, draft, {"firstName": "Vorname"}, CheckChoices(), by="kim")

    assert chosen.facts.stage == "map"
    assert "lastName" in [spec.name for spec in mapping(service, draft).missing]
    assert "required: put the name of its column here" in profile_text(service, draft)


def test_dates_that_contradict_each_other_stay_at_the_step_until_a_person_decides(service: DraftService) -> None:
    day_first, month_first = "31/01/1990", "01/31/1990"
    lines = [f"Ana;Green;a{at}@example.com;202 555 010{at};{born}" for at, born in enumerate((day_first, month_first))]
    draft = draft_of(service, "\n".join(["First Name;Last Name;E-Mail;Phone;Birthday", *lines]) + "\n")

    assert choose_mapping(service, draft, None, CheckChoices(), by="kim").facts.stage == "map"
    assert choose_mapping(service, draft, None, CheckChoices(date_order="mdy"), by="kim").facts.stage == "fix"


def test_what_is_mapped_otherwise_has_to_be_checked_again(service: DraftService) -> None:
    draft = draft_of(service)
    checked = service.find(draft).facts.model_copy(update={"checked_run": "20261122T083000Z-00000a"})
    service.note(service.find(draft), checked, service.act("kim", "checked"))
    choose_mapping(service, draft, None, CheckChoices(), by="kim")
    assert service.find(draft).facts.checked_run

    choose_mapping(service, draft, None, CheckChoices(date_order="dmy"), by="kim")

    assert not service.find(draft).facts.checked_run


# --------------------------------------------------------------------------- the profile


def test_without_a_choice_the_profile_is_what_init_writes(service: DraftService, tmp_path: Path) -> None:
    draft = draft_of(service)

    written = init(service.source(service.find(draft)), service.profile, tmp_path / "init.toml")

    assert profile_text(service, draft) == written.read_text(encoding="utf-8")


def test_the_profile_says_what_was_chosen(service: DraftService, tmp_path: Path) -> None:
    draft = draft_of(service)
    choose_reading(service, draft, Reading(delimiter=";"), by="kim")
    rules: dict[str, JsonValue] = {
        "type": {"value": "INDIVIDUAL"},
        "firstName": "Vorname",
        "lastName": {"columns": ["Last Name", "Remark"], "join": " / "},
        "externalId": {"column": "Legacy ID", "map": {"C-1": "D-1", "": "none"}},
        "primaryPhoneNumber.type": {"column": "Phone Type", "upper": True, "map": {"Fax": "WORK", "Telex": "WORK"}},
    }
    choose_mapping(service, draft, rules, CheckChoices(date_order="dmy", duplicates="first"), by="kim")

    path = tmp_path / "p.toml"
    path.write_text(profile_text(service, draft), encoding="utf-8")
    loaded = Profile.load(path, environ={})

    assert loaded.source.delimiter == ";"
    assert (loaded.validation.date_order, loaded.validation.duplicates) == ("dmy", "first")
    assert loaded.mapping["lastName"].columns == ("Last Name", "Remark")
    assert loaded.mapping["externalId"].map == {"C-1": "D-1", "": "none"}
    phone = loaded.mapping["primaryPhoneNumber.type"]
    assert (phone.map, phone.upper) == ({"Cell": "MOBILE", "Fax": "WORK", "Telex": "WORK"}, True)
    assert loaded.mapping.keys() == rules.keys()


def test_what_the_profile_of_the_console_says_holds_and_is_written_where_a_command_needs_it(tmp_path: Path) -> None:
    service = service_of(tmp_path, BASE)
    draft = draft_of(service)
    choose_mapping(service, draft, None, CheckChoices(date_order="dmy"), by="kim")

    profile = write_files(service, service.find(draft))
    alone = Profile.load(profile.file, environ={})

    for one in (profile, alone):
        assert (one.target, one.delivery.rate, one.delivery.canary) == ("sandbox", service.profile.delivery.rate, 5)
        assert one.targets.keys() >= {"sandbox", "live"}
        assert (one.validation.phone, one.validation.possible_duplicate, one.validation.date_order) == (
            "valid", "reject", "dmy",
        )  # fmt: skip
        assert one.source.columns == tuple(HEADER.strip().split(";"))
        assert (one.source.on_drift, one.source.limits.max_columns) == ("warn", 40)
        assert one.mapping["externalId"].column == "Legacy ID"
        assert one.grouping.group_by == ("businessName",)
        assert one.approval.valid == service.profile.approval.valid
    assert (profile.log.level, alone.log.level) == ("debug", Profile().log.level)
    assert (profile.fingerprint, profile.checking) == (alone.fingerprint, alone.checking)


def test_rules_of_the_console_hold_for_files_that_have_their_columns(tmp_path: Path) -> None:
    base = '[mapping]\n"firstName" = "Last Name"\n"lastName" = "Vorname"\n'
    service = service_of(tmp_path, base)

    view = mapping(service, draft_of(service))

    assert view.rules == {"type": {"value": "INDIVIDUAL"}, "firstName": "Last Name", "lastName": "Vorname"}
    assert "primaryEmail.value" in mapping(service, draft_of(service, "E-Mail;Name\na@example.com;Ana B\n")).rules


def test_the_target_and_the_corrections_of_a_draft_are_part_of_what_it_is_checked_with(tmp_path: Path) -> None:
    service = service_of(tmp_path, BASE)
    draft = draft_of(service)
    plain = write_files(service, service.find(draft))
    assert plain.source.corrections is None

    facts = service.find(draft).facts.model_copy(update={"target": "live"})
    service.note(service.find(draft), facts, service.act("kim", "target chosen"))
    with service.opened() as drafts:
        drafts.correct(draft, [Correction(2, "Vorname", "Ana", "Anna")], service.act("kim", "corrected"))
    profile = write_files(service, service.find(draft))

    assert (profile.target, profile.target_origin, profile.delivery.rate) == ("live", "option", profile.delivery.rate)
    assert profile.source.corrections is not None
    assert profile.source.corrections.read_text(encoding="utf-8").splitlines()[1] == "2,Vorname,Ana,Anna"
    assert "--corrections" in profile.commands.run("people.csv")
    assert profile.file in profile.commands.run("people.csv")


def test_a_function_of_the_consoles_profile_is_found_beside_it(tmp_path: Path) -> None:
    (tmp_path / "own_rules_of_a_draft.py").write_text("def clean(frame):\n    return frame\n", encoding="utf-8")
    service = service_of(tmp_path, '[mapping]\ntransform = "own_rules_of_a_draft:clean"\n')
    draft = draft_of(service)

    profile = write_files(service, service.find(draft))

    assert profile.transform == service.profile.transform
    assert tomllib.loads(profile_text(service, draft))["mapping"]["transform"] == "own_rules_of_a_draft:clean"
