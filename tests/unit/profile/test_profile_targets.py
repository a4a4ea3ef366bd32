from __future__ import annotations

from pathlib import Path

import pytest

from importer.core.errors import ProfileError
from importer.profile import Profile

SECTIONS = "[targets.live]\nbase_url = 'https://live.test'\n[targets.sandbox]\nbase_url = 'https://sandbox.test'\n"


def loaded(tmp_path: Path, text: str, target: str | None = None, environ: dict[str, str] | None = None) -> Profile:
    path = tmp_path / "p.toml"
    path.write_text(text, encoding="utf-8")
    return Profile.load(path, options={"target": target}, environ=environ or {})


def test_the_emulator_needs_no_section() -> None:
    settings = Profile.load(environ={}).target_settings()

    assert (settings.kind, settings.base_url) == ("rocketkor", "")


def test_an_emulator_that_is_served_elsewhere_has_an_address(tmp_path: Path) -> None:
    profile = loaded(tmp_path, "[targets.emulator]\nbase_url = 'http://127.0.0.1:8080'\n")

    assert profile.target_settings().base_url == "http://127.0.0.1:8080"


@pytest.mark.usefixtures("club_site")
@pytest.mark.parametrize(
    ("written", "rate"),
    [("", "50/s"), ("rate = '7/s'\n", "7/s"), ("[delivery]\nrate = '8/s'\n", "8/s")],
    ids=["nothing is written", "of the target", "of all targets"],
)
def test_a_kind_of_target_has_defaults_of_its_own(tmp_path: Path, written: str, rate: str) -> None:
    profile = loaded(tmp_path, f"[targets.club]\nkind = 'club'\nbase_url = 'https://club.test'\n{written}", "club")

    assert str(profile.delivery.rate) == rate
    assert str(Profile.load(environ={}).delivery.rate) == "200/s"


def test_a_file_alone_may_choose_the_sandbox(tmp_path: Path) -> None:
    profile = loaded(tmp_path, "target = 'sandbox'\n" + SECTIONS)

    assert profile.target_origin == "profile"
    assert profile.target_settings().base_url == "https://sandbox.test"


def test_a_file_alone_never_chooses_a_live_system(tmp_path: Path) -> None:
    profile = loaded(tmp_path, "target = 'live'\n" + SECTIONS)

    with pytest.raises(
        ProfileError, match=r"is named only by .*p\.toml: no file alone may choose a live system"
    ) as caught:
        profile.target_settings()
    assert caught.value.hint == "Add --target live, or set IMPORTER_TARGET=live."


def test_an_option_or_a_variable_chooses_a_live_system(tmp_path: Path) -> None:
    by_option = loaded(tmp_path, "target = 'live'\n" + SECTIONS, "live")
    by_variable = loaded(tmp_path, "target = 'live'\n" + SECTIONS, environ={"IMPORTER_TARGET": "live"})

    assert (by_option.target_origin, by_variable.target_origin) == ("option", "environment")
    assert by_option.target_settings() == by_variable.target_settings()
    assert by_option.target_settings().base_url == "https://live.test"


def test_an_unknown_target_names_the_nearest_one_and_how_to_set_it_up(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="'sandbx' is not set up; did you mean 'sandbox'") as caught:
        loaded(tmp_path, SECTIONS, "sandbx").target_settings()
    assert "IMPORTER_TARGETS__SANDBX__BASE_URL" in caught.value.hint

    with pytest.raises(ProfileError, match="'sandbox' is not set up"):
        Profile.load(options={"target": "sandbox"}, environ={}).target_settings()


ADDRESSES = {
    "": "has no address",
    "https://replace-me.invalid": "still a placeholder",
    "https://…": "still a placeholder",
    "https://<host>/v1": "still a placeholder",
    "http://sandbox.test": "must begin with https://",
    "sandbox.test": "must begin with https://",
    "ftp://127.0.0.1": "must begin with https://",
    "https://": "must begin with https://",
}


@pytest.mark.parametrize(("address", "sentence"), ADDRESSES.items())
def test_an_address_that_cannot_be_used_is_refused(tmp_path: Path, address: str, sentence: str) -> None:
    profile = loaded(tmp_path, f"[targets.sandbox]\nbase_url = '{address}'\n", "sandbox")

    with pytest.raises(ProfileError, match=sentence) as caught:
        profile.target_settings()
    assert "[targets.sandbox] base_url" in caught.value.hint


def test_plain_http_is_fine_on_this_computer(tmp_path: Path) -> None:
    profile = loaded(tmp_path, "[targets.sandbox]\nbase_url = 'http://localhost:9'\n", "sandbox")

    assert profile.target_settings().base_url == "http://localhost:9"
