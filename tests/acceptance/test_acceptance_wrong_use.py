"""Wrong use: one clear sentence, the right exit code, and nothing half-written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.conftest import SAMPLES, User, people

LIVE = '[targets.live]\nbase_url = "https://api.example.com"\n'
CREDENTIALS = {"ROCKETKOR_API_KEY": "key-zq7kestrel", "ROCKETKOR_API_SECRET": "secret-zq7kestrel"}


def nothing_was_written(user: User, *besides: str) -> bool:
    """Whether the user's folder holds only what was there before."""
    return sorted(path.name for path in user.home.iterdir()) == sorted(besides)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "people.csv", "--no-such-option"], 2, "--no-such-option"),
        (["rum", "people.csv"], 2, "rum"),
        (["run"], 2, "FILE"),
        (["run", "missing.csv"], 6, "missing.csv"),
        (["run", "people.csv", "--config", "missing.toml"], 2, "missing.toml"),
        (["run", "people.csv", "--config", "broken.toml"], 2, "line 1"),
        (["run", "people.csv", "--config", "typo.toml"], 2, "concurrency"),
        (["run", "people.csv", "--rate", "quick"], 2, "rate"),
        (["run", "people.csv", "--concurrency", "many"], 2, "many"),
        (["run", "people.csv", "--target", "sandbox"], 2, "sandbox"),
        (["run", "people.csv", "--config", "live.toml", "--target", "live"], 2, "credentials"),
        (["run", "people.csv", "--config", "live.toml", "--target", "liv"], 2, "live"),
        (["run", "empty.csv"], 6, "empty"),
        (["run", "header.csv"], 6, "header"),
        (["run", "strange.csv"], 6, "importer inspect"),
        (["run", "people.csv", "--workspace", "people.csv"], 1, "people.csv"),
        (["show", "last"], 2, "no run"),
        (["resume", "last"], 2, "no runs"),
    ],
)
def test_wrong_use_gets_one_sentence_and_leaves_nothing(user: User, arguments: list[str], code: int, said: str) -> None:
    user.has("people.csv", people(2))
    user.has("empty.csv", "")
    user.has("header.csv", "First Name,Last Name,Email,Phone\n")
    user.has("strange.csv", "alpha,beta\n1,2\n")
    user.has("broken.toml", "[source\n")
    user.has("typo.toml", "[delivery]\nconcurency = 3\n")
    user.has("live.toml", LIVE)
    before = {path.name: path.read_bytes() for path in user.home.iterdir()}

    ran = user.types(*arguments)

    assert ran.code == code, ran.err
    assert said.lower() in ran.err.lower()
    assert len(ran.err.strip().splitlines()) == 1
    assert ran.out == ""
    assert {path.name: path.read_bytes() for path in user.home.iterdir()} == before

    as_json = user.types(*arguments, "--json").json
    assert (as_json["exit_code"], as_json["counts"]) == (code, {})
    assert said.lower() in as_json["error"].lower()


def test_a_live_target_is_not_sent_to_without_consent(user: User) -> None:
    user.has("live.toml", LIVE)
    user.has("people.csv", people(2))

    ran = user.types_for_real("run", "people.csv", "--config", "live.toml", "--target", "live", **CREDENTIALS)

    assert ran.code == 2
    assert "api.example.com" in ran.err
    assert "--yes" in ran.err
    assert nothing_was_written(user, "live.toml", "people.csv")


def test_a_profile_alone_never_chooses_a_live_target(user: User) -> None:
    user.has("live.toml", 'target = "live"\n' + LIVE)
    ran = user.types("run", user.has("people.csv", people(2)), "--config", "live.toml", "--yes", **CREDENTIALS)

    assert ran.code == 2
    assert "--target live" in ran.err


def test_no_secret_is_ever_printed_or_written(user: User) -> None:
    quick = "backoff_base_s = 0.01\nbreaker_give_up_s = 0.1\n"
    user.has("live.toml", f'[targets.live]\nbase_url = "https://localhost:9"\n[delivery]\n{quick}')
    source = user.has("people.csv", people(2))
    ran = user.types(
        "run", source, "--config", "live.toml", "--target", "live", "--yes", "--verbose", "--fail-fast", **CREDENTIALS
    )

    left_behind = (
        ran.out
        + ran.err
        + "".join(path.read_bytes().decode("latin-1") for path in user.home.rglob("*") if path.is_file())
    )
    assert "zq7kestrel" not in left_behind


@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_file_that_is_not_what_its_name_says_is_refused(user: User, command: str) -> None:
    (user.home / "customers.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2_000)
    ran = user.types(command, "customers.xlsx")

    assert ran.code == 6
    assert len(ran.err.strip().splitlines()) == 1


def test_samples_are_plainly_fictional() -> None:
    for sample in SAMPLES.glob("*.csv"):
        text = sample.read_bytes().decode("cp1252")
        assert "gmail" not in text
        assert "example." in text


def test_json_is_one_object_even_when_the_command_is_unknown(user: User) -> None:
    ran = user.types("fly", "--json")

    assert json.loads(ran.out)["exit_code"] == ran.code == 2


def test_help_is_there_for_every_command(user: User) -> None:
    listed = user.types_for_real("--help")
    assert listed.code == 0
    for command in ("run", "validate", "resume", "retry", "runs", "show", "explain", "export", "emulator", "template"):
        reported = user.types(command, "--help")
        assert reported.code == 0
        assert "Example:" in reported.out, command


def test_the_module_is_the_same_program(user: User, tmp_path: Path) -> None:
    assert user.types_for_real("--version").out.startswith("importer 0.")
