"""What a run keeps of its profile: all that it needs to be taken up again, and no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from importer.profile import KeptProfile, Profile

FILE = """
[source]
delimiter = ";"
encoding = "cp1252"
[mapping]
"firstName" = "Vorname"
"lastName" = { column = "Name", upper = true }
[validation]
default_region = "DE"
[delivery]
rate = ["10/s", "300/min"]
window = "22:00-06:00"
finish_by = "06:30"
max_errors = 7
[targets.live]
base_url = "https://api.example.com"
account = "main"
rate = "3/s"
[targets.sandbox]
base_url = "https://sandbox.example.com"
rate = "4/s"
[metrics]
textfile = "numbers/importer.prom"
"""


@pytest.fixture
def used(tmp_path: Path) -> Profile:
    path = tmp_path / "p.toml"
    path.write_text(FILE, encoding="utf-8")
    return Profile.load(path, options={"target": "live", "yes": True, "workspace": "elsewhere"}, environ={})


def recalled(used: Profile, **options: str) -> Profile:
    kept = KeptProfile(settings=used.settings_to_keep()).model_dump_json()
    settings = KeptProfile.model_validate_json(kept).settings
    return Profile.load(options=options, environ={}).recalled(settings, "RUN")


def test_a_kept_profile_reads_checks_and_sends_as_the_first_one(used: Profile) -> None:
    again = recalled(used)

    assert again.fingerprint == used.fingerprint
    for section in ("target", "source", "mapping", "validation", "delivery", "results", "notify", "otel", "remote"):
        assert getattr(again, section) == getattr(used, section)
    assert again.target_settings().base_url == "https://api.example.com"


def test_consent_and_workspace_belong_to_one_command(used: Profile) -> None:
    again = recalled(used)

    assert (again.yes, again.workspace) == (False, Path("runs"))


def test_a_folder_of_the_first_command_is_the_same_from_another_folder(used: Profile) -> None:
    textfile = recalled(used).metrics.textfile
    assert textfile is not None
    assert textfile.is_absolute()


def test_what_is_given_now_goes_before_what_was_kept(used: Profile) -> None:
    again = recalled(used, **{"delivery.rate": "1/s"})

    assert str(again.delivery.rate) == "1/s"
    assert str(recalled(used).delivery.rate) == "3/s"


def test_another_target_of_a_kept_profile_keeps_its_own_rate(used: Profile) -> None:
    assert str(recalled(used, target="sandbox").delivery.rate) == "4/s"


def test_the_environment_of_today_decides_no_row_of_an_earlier_run(used: Profile) -> None:
    environ = {"IMPORTER_VALIDATION__DEFAULT_REGION": "US", "IMPORTER_DELIVERY__CONCURRENCY": "3"}
    again = Profile.load(environ=environ).recalled(used.settings_to_keep(), "RUN")

    assert again.fingerprint == used.fingerprint
    assert again.delivery.concurrency == 3


@pytest.mark.parametrize(
    ("profile", "named"),
    [
        (Profile(), False),
        (Profile(workspace=Path("x"), target="sandbox"), False),
        (Profile.load(options={"delivery.rate": "1/s"}, environ={}), False),
        (Profile.model_validate({"validation": {"default_region": "DE"}}), True),
    ],
)
def test_only_settings_beyond_the_command_line_count_as_a_profile(profile: Profile, named: bool) -> None:
    assert profile.is_named is named


def test_what_an_earlier_program_kept_without_a_later_key_is_no_other_profile(used: Profile) -> None:
    settings = used.settings_to_keep()
    del settings["validation"]["decimal"]

    assert "decimal" not in settings["mapping"]["lastName"]
    assert used.differs_from(settings) == []
    assert Profile.load(options={"validation.decimal": "comma"}, environ={}).differs_from(settings) != []
