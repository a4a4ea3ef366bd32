from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from importer.core.errors import ProfileError
from importer.profile import OPTIONS, Profile
from importer.profile.delivery import DeliverySettings
from importer.profile.problems import places


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "profile.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_everything_has_its_default() -> None:
    profile = Profile.load(environ={})

    assert (profile.target, profile.workspace) == ("emulator", Path("runs"))
    assert profile.target_origin == "default"
    assert profile.source == Profile().source
    assert profile.mapping == {}
    assert profile.validation == Profile().validation
    assert profile.results == Profile().results


def test_only_the_emulator_is_sent_to_in_a_hurry_by_default() -> None:
    assert str(Profile.load(environ={}).delivery.rate) == "200/s"
    assert str(Profile.load(options={"target": "sandbox"}, environ={}).delivery.rate) == "10/s"
    assert str(Profile.load(environ={"IMPORTER_DELIVERY__RATE": "3/s"}).delivery.rate) == "3/s"


def test_an_option_goes_before_the_environment_that_before_the_file_and_that_before_the_default(tmp_path: Path) -> None:
    path = written(tmp_path, "[delivery]\nrate = '1/s'\nconcurrency = 2\nmax_attempts = 3\n")
    environ = {"IMPORTER_DELIVERY__RATE": "5/s", "IMPORTER_DELIVERY__CONCURRENCY": "7"}

    profile = Profile.load(path, options={"delivery.rate": "9/s", "source.limit": None}, environ=environ)

    assert str(profile.delivery.rate) == "9/s"
    assert profile.delivery.concurrency == 7
    assert profile.delivery.max_attempts == 3
    assert profile.delivery.drain_s == 30
    assert profile.source.limit is None


@pytest.mark.parametrize("origin", ["option", "environment", "profile"])
def test_a_targets_keys_go_before_those_of_delivery_in_the_same_place_only(tmp_path: Path, origin: str) -> None:
    path = written(tmp_path, "[delivery]\nrate = '1/s'\n[targets.sandbox]\nrate = '2/s'\nbase_url = 'https://a.test'\n")
    environ = {"IMPORTER_TARGET": "sandbox"} | ({"IMPORTER_DELIVERY__RATE": "3/s"} if origin == "environment" else {})
    options = {"delivery.rate": "4/s"} if origin == "option" else {}

    profile = Profile.load(path, options=options, environ=environ)

    assert str(profile.delivery.rate) == {"profile": "2/s", "environment": "3/s", "option": "4/s"}[origin]


def test_the_keys_of_a_target_that_was_not_chosen_change_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, "[targets.live]\nrate = '2/s'\nbase_url = 'https://a.test'\n")

    assert str(Profile.load(path, options={"target": "sandbox"}, environ={}).delivery.rate) == "10/s"
    assert str(Profile.load(path, options={"target": "live"}, environ={}).delivery.rate) == "2/s"


def test_options_that_come_later_choose_the_target_anew(tmp_path: Path) -> None:
    path = written(tmp_path, "target = 'sandbox'\n[targets.live]\nrate = '2/s'\nbase_url = 'https://a.test'\n")

    later = Profile.load(path, environ={}).with_options({"target": "live"})

    assert (later.target, later.target_origin, str(later.delivery.rate)) == ("live", "option", "2/s")


def test_a_profile_made_in_code_takes_options_too() -> None:
    made = Profile.model_validate({"targets": {"live": {"base_url": "https://a.test", "rate": "2/s"}}})

    later = made.with_options({"target": "live", "delivery.concurrency": 3})

    assert (later.target_origin, str(later.delivery.rate), later.delivery.concurrency) == ("option", "2/s", 3)
    assert later.target_settings().base_url == "https://a.test"


def test_lists_may_be_written_as_one_text() -> None:
    environ = {
        "IMPORTER_RESULTS__FORMATS": "csv, xlsx",
        "IMPORTER_DELIVERY__LOOKS_AFTER_S": "0,1.5",
        "IMPORTER_SOURCE__COLUMNS": '["a,b", "c"]',
        "IMPORTER_VALIDATION__NO_CHANGE": "firstName,lastName",
        "IMPORTER_TARGETS__SANDBOX__BASE_URL": "https://a.test",
        "IMPORTER_LOG__FORMAT": "json",
        "IMPORTER_DRY_RUN": "true",
        "IMPORTER_SOURCE__LIMITS__MAX_ROWS": "12",
        "IMPORTER_CONFIG": "somewhere.toml",
        "IMPORTER_WORKSPACE": "  ",
        "UNRELATED": "x",
    }

    profile = Profile.load(environ=environ)

    assert profile.results.formats == ("csv", "xlsx")
    assert profile.delivery.looks_after_s == (0.0, 1.5)
    assert profile.source.columns == ("a,b", "c")
    assert profile.validation.no_change == ("firstName", "lastName")
    assert profile.targets["sandbox"].base_url == "https://a.test"
    assert profile.log.format == "json"
    assert profile.dry_run
    assert profile.source.limits.max_rows == 12
    assert profile.workspace == Path("runs")


def test_the_process_environment_is_read_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMPORTER_DELIVERY__RATE", "5/s")

    assert str(Profile.load().delivery.rate) == "5/s"


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_bytes(b"\xef\xbb\xbftarget = 'sandbox'\r\n")

    assert Profile.load(path, environ={}).target == "sandbox"


def test_a_field_without_its_quotes_is_understood(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "[mapping]\nprimaryEmail.value = 'Email'\nmetadata.system = { value = 'crm' }\n"
        "[mapping.addresses.mailing]\nzipCode = 'Zip'\n",
    )

    mapping = Profile.load(path, environ={}).mapping

    assert {name: rule.column or rule.value for name, rule in mapping.items()} == {
        "primaryEmail.value": "Email",
        "metadata.system": "crm",
        "addresses.mailing.zipCode": "Zip",
    }


def test_a_rule_is_replaced_whole_by_a_stronger_one(tmp_path: Path) -> None:
    path = written(tmp_path, "[mapping]\n\"firstName\" = { column = 'A', upper = true }\n\"lastName\" = 'B'\n")

    profile = Profile.load(path, options={"mapping.firstName": {"value": "X"}}, environ={})

    assert profile.mapping["firstName"].model_dump(exclude_defaults=True) == {"value": "X"}
    assert profile.mapping["lastName"].column == "B"


def test_blanks_that_mean_something_are_kept(tmp_path: Path) -> None:
    path = written(
        tmp_path, "[source]\ndelimiter = \"\\t\"\n[mapping]\n\"lastName\" = { columns = ['A', 'B'], join = ' ' }\n"
    )

    profile = Profile.load(path, environ={})

    assert profile.source.delimiter == "\t"
    assert profile.mapping["lastName"].join == " "


def test_every_option_has_a_place_in_the_profile() -> None:
    known = {".".join(place) for place in places(Profile)}

    assert set(OPTIONS.values()) <= known


def test_a_profile_cannot_be_changed_and_survives_pickling(tmp_path: Path) -> None:
    profile = Profile.load(written(tmp_path, "target = 'sandbox'\n"), environ={})

    with pytest.raises(ValueError, match="frozen"):
        setattr(profile, "target", "live")  # noqa: B010 - written out, the type checker refuses it
    copy = pickle.loads(pickle.dumps(profile))  # noqa: S301 - our own
    assert copy == profile
    assert copy.target_origin == "profile"


DECIDES: list[dict[str, Any]] = [
    {"source.header_row": 3},
    {"source.sheet": "B"},
    {"source.limit": 5},
    {"mapping.firstName": "A"},
    {"validation.phone": "valid"},
    {"delivery.import_key_metadata": "key"},
    {"validation.decimal": "comma"},
    {"mapping.lastName": {"column": "Last Name", "decimal": "comma"}},
]
DOES_NOT_DECIDE: list[dict[str, Any]] = [
    {"delivery.rate": "5/s"},
    {"delivery.max_errors": 3},
    {"results.formats": "xlsx"},
    {"target": "sandbox"},
    {"workspace": "elsewhere"},
    {"source.on_drift": "warn"},
    {"source.columns": ["A"]},
    {"source.batch_rows": 10},
    {"log.level": "debug"},
]


@pytest.mark.parametrize("options", DECIDES, ids=str)
def test_what_decides_rows_and_bodies_changes_the_fingerprint(options: dict[str, Any]) -> None:
    changed = Profile.load(options=options, environ={}).fingerprint

    assert changed != Profile().fingerprint
    assert int(changed, 16)


@pytest.mark.parametrize("options", DOES_NOT_DECIDE, ids=str)
def test_what_decides_no_row_leaves_the_fingerprint(options: dict[str, Any]) -> None:
    assert Profile.load(options=options, environ={}).fingerprint == Profile().fingerprint


def test_a_profile_without_the_keys_of_later_versions_has_the_fingerprint_that_it_always_had() -> None:
    rules = {"lastName": "Name", "firstName": {"column": "x", "upper": True}}
    fingerprint = "ab8596f2428a356adda57bc7c8635037d3ffdf37f94e648280e3312c4aeff12b"
    assert Profile.model_validate({"mapping": rules}).fingerprint == fingerprint


def test_the_order_of_the_mapping_leaves_the_fingerprint() -> None:
    rules = {"firstName": {"column": "A"}, "lastName": {"column": "B"}}
    turned = dict(reversed(rules.items()))

    assert (
        Profile.model_validate({"mapping": rules}).fingerprint
        == Profile.model_validate({"mapping": turned}).fingerprint
    )


def test_nested_options_are_taken_as_they_are() -> None:
    assert Profile.load(options={"delivery": {"concurrency": 3}}, environ={}).delivery.concurrency == 3
    with pytest.raises(ProfileError):
        Profile.load(options={"delivery": {"concurency": 3}}, environ={})


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ({}, False),
        ({"read_timeout_s": 1.0}, False),
        ({"looks_after_s": [0.0, 0.5]}, False),
        ({"read_timeout_s": 1.0, "looks_after_s": [0.0, 0.5]}, True),
        ({"read_timeout_s": 22.0, "looks_after_s": [0.0, 8.0]}, False),
    ],
)
def test_looks_and_the_wait_for_an_answer_are_judged_together(settings: dict[str, Any], warned: bool) -> None:
    caution = DeliverySettings.model_validate(settings).looks_caution

    assert bool(caution) is warned
    assert ("looks_after_s" in caution and "read_timeout_s" in caution) is warned
