from __future__ import annotations

from pathlib import Path

import pytest

from importer.core.errors import ProfileError
from importer.profile import Profile

CONFIGS = sorted((Path(__file__).parents[3] / "configs").glob("*.toml"))


def named(name: str) -> Path:
    return next(path for path in CONFIGS if path.stem == name)


def test_the_shipped_profiles_are_there() -> None:
    assert {path.stem for path in CONFIGS} == {
        "emulator",
        "sandbox",
        "live",
        "legacy_crm",
        "nightly",
        "onboarding",
        "transform",
        "console",
    }


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_shipped_profile_loads_and_explains_itself(path: Path) -> None:
    Profile.load(path, environ={})

    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert sum("#" in line for line in lines) >= 10
    assert max(map(len, lines)) <= 140


def test_the_emulator_profile_can_be_used_as_it_is() -> None:
    profile = Profile.load(named("emulator"), environ={})

    assert profile.target_settings().base_url == ""
    assert str(profile.delivery.rate) == "50/s"


@pytest.mark.parametrize(
    ("name", "target"),
    [("sandbox", None), ("live", "live"), ("legacy_crm", "sandbox"), ("nightly", "sandbox"), ("console", "sandbox")],
)
def test_a_placeholder_is_recognised_and_refused(name: str, target: str | None) -> None:
    profile = Profile.load(named(name), options={"target": target}, environ={})

    with pytest.raises(ProfileError, match="still a placeholder"):
        profile.target_settings()


def test_the_live_profile_slows_down_only_for_the_live_target() -> None:
    sandbox = Profile.load(named("live"), options={"target": "sandbox"}, environ={})

    assert str(sandbox.delivery.rate) == "10/s"
    assert str(Profile.load(named("live"), options={"target": "live"}, environ={}).delivery.rate) == "5/s, 20000/day"


def test_the_live_profile_alone_sends_to_the_emulator() -> None:
    assert Profile.load(named("live"), environ={}).target == "emulator"


def test_the_passwords_of_the_console_profile_are_those_that_it_says() -> None:
    argon2 = pytest.importorskip("argon2")
    profile = Profile.load(named("console"), environ={})

    assert {name: user.roles for name, user in profile.console.users.items()} == {
        "anna": ("prepare", "run"),
        "ben": ("approve",),
        "cleo": ("view",),
    }
    for name, user in profile.console.users.items():
        assert argon2.PasswordHasher().verify(user.password, f"fictional-password-of-{name}")
        assert f"fictional-password-of-{name}" in named("console").read_text(encoding="utf-8")
