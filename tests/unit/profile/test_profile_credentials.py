from __future__ import annotations

from pathlib import Path

import pytest

from importer.core.errors import ExitCode, UsageError
from importer.core.target_kinds import Credential, TargetKind, target_kind
from importer.profile import credentials

KIND = target_kind("rocketkor")
KEY, SECRET = "ROCKETKOR_API_KEY", "ROCKETKOR_API_SECRET"


def test_credentials_come_from_the_environment_and_are_masked() -> None:
    found = credentials(KIND, {KEY: "the-key", SECRET: "the-secret"})

    assert found["api_key"].get_secret_value() == "the-key"
    assert found["api_secret"].get_secret_value() == "the-secret"
    assert "the-" not in repr(found) + str(found)


def test_credentials_come_from_files_without_the_white_space_around_them(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"\xef\xbb\xbf  the-secret\r\n")

    found = credentials(KIND, {KEY: " the-key ", f"{SECRET}_FILE": str(path)})

    assert found["api_key"].get_secret_value() == "the-key"
    assert found["api_secret"].get_secret_value() == "the-secret"


def test_what_is_missing_is_named() -> None:
    with pytest.raises(UsageError, match="ROCKETKOR_API_KEY and ROCKETKOR_API_SECRET are not set") as caught:
        credentials(KIND, {KEY: ""})
    assert caught.value.exit_code == ExitCode.USAGE
    with pytest.raises(UsageError, match="ROCKETKOR_API_SECRET is not set"):
        credentials(KIND, {KEY: "the-key"})


def test_a_secret_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ROCKETKOR_API_KEY and ROCKETKOR_API_KEY_FILE are both set"):
        credentials(KIND, {KEY: "a", f"{KEY}_FILE": str(tmp_path / "key"), SECRET: "s"})


@pytest.mark.parametrize(
    ("content", "sentence"), [(b" \n", "is empty"), (b"x" * 70_000, "too long to hold a key"), (b"a\xff", "no key has")]
)
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)

    with pytest.raises(UsageError, match=sentence):
        credentials(KIND, {f"{KEY}_FILE": str(path), SECRET: "s"})


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="of ROCKETKOR_API_KEY_FILE cannot be read: No such file"):
        credentials(KIND, {f"{KEY}_FILE": str(tmp_path / "nowhere"), SECRET: "s"})


def test_blanks_and_line_breaks_are_not_credentials() -> None:
    with pytest.raises(UsageError, match="holds nothing but blanks"):
        credentials(KIND, {KEY: "  ", SECRET: "s"})
    with pytest.raises(UsageError, match="characters that no key has") as caught:
        credentials(KIND, {KEY: "one\ntwo", SECRET: "s"})
    assert "two" not in str(caught.value)


def test_another_kind_of_target_asks_for_credentials_of_its_own() -> None:
    asked = (Credential("token", "TOY_TOKEN"),)
    kind = TargetKind(title="Toys", opener="toys:open", contract="toys:TOYS", credentials=asked)

    assert credentials(kind, {"TOY_TOKEN": "t"})["token"].get_secret_value() == "t"
    with pytest.raises(UsageError, match="There are no credentials: TOY_TOKEN is not set") as caught:
        credentials(kind, {KEY: "a", SECRET: "s"})
    assert "Set TOY_TOKEN, or TOY_TOKEN_FILE to files that hold them." in str(caught.value)
