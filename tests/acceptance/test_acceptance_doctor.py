"""The doctor: one line a check, the fix beside it, and the exit code that a run would end with."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from importer.journal import locks_of
from tests.acceptance.conftest import User, Witness, people

CREDENTIALS = {"ROCKETKOR_API_KEY": "key-canary", "ROCKETKOR_API_SECRET": "secret-canary"}


def found(report: dict[str, Any]) -> dict[str, str]:
    """The worst status of every check."""
    order = ("ok", "warn", "fail")
    worst: dict[str, str] = {}
    for one in report["checks"]:
        worst[one["check"]] = max(worst.get(one["check"], "ok"), one["status"], key=order.index)
    return worst


def line(report: dict[str, Any], check: str) -> dict[str, str]:
    return next(one for one in report["checks"] if one["check"] == check and one["status"] != "ok")


def test_all_is_well_before_the_first_run_and_nothing_is_made(user: User) -> None:
    ran = user.types("doctor", "--json")

    assert (ran.code, set(found(ran.json).values())) == (0, {"ok"})
    assert {"profile", "target", "credentials", "clock", "limits", "workspace", "disk"} <= set(found(ran.json))
    assert list(user.home.iterdir()) == []


def test_all_is_well_after_a_run(user: User) -> None:
    user.types("run", user.has("people.csv", people(3)))
    ran = user.types("doctor", "--json")

    assert (ran.code, set(found(ran.json).values())) == (0, {"ok"})
    assert {"permissions", "journal", "secret", "lock", "last run"} <= set(found(ran.json))


def test_the_lines_are_for_people_and_the_fix_is_under_them(user: User) -> None:
    user.has("live.toml", '[targets.live]\nbase_url = "https://api.example.com"\n')
    ran = user.types("doctor", "--config", "live.toml", "--target", "live")

    assert ran.code == 2
    assert "ok    target        live: https://api.example.com" in ran.out
    assert "fail  credentials" in ran.out
    assert "→ Set ROCKETKOR_API_KEY" in ran.out


def test_credentials_are_exchanged_for_real(user: User, witness: Witness, profile_for: Callable[..., Path]) -> None:
    options = ("doctor", "--config", profile_for(witness), "--target", "sandbox", "--json")
    ran = user.types(*options, **witness.environ)
    assert (ran.code, found(ran.json)["credentials"], found(ran.json)["clock"]) == (0, "ok", "ok")
    assert witness.ledger()["requests"] == 1
    assert witness.customers() == []

    refused = user.types(*options, **CREDENTIALS)
    assert (refused.code, found(refused.json)["credentials"]) == (5, "fail")
    assert "canary" not in refused.out + refused.err


def test_a_target_that_does_not_answer_is_named(user: User) -> None:
    user.has("down.toml", '[targets.sandbox]\nbase_url = "http://127.0.0.1:9"\n')
    ran = user.types("doctor", "--config", "down.toml", "--target", "sandbox", "--json", **CREDENTIALS)

    assert (ran.code, found(ran.json)["connection"]) == (4, "fail")
    assert "network" in line(ran.json, "connection")["fix"]


@pytest.mark.parametrize(
    ("profile", "options", "check", "code"),
    [
        ("[delivery]\nconcurency = 3\n", (), "profile", 2),
        ('[targets.live]\nbase_url = "https://replace-me.invalid"\n', ("--target", "live"), "target", 2),
        ("", ("--target", "nowhere"), "target", 2),
    ],
)
def test_a_wrong_profile_is_a_line_of_its_own(
    user: User, profile: str, options: tuple[str, ...], check: str, code: int
) -> None:
    user.has("p.toml", profile)
    ran = user.types("doctor", "--config", "p.toml", "--json", *options, **CREDENTIALS)

    assert (ran.code, found(ran.json)[check]) == (code, "fail")
    assert line(ran.json, check)["fix"]


def test_files_of_credentials_that_others_may_read_are_warned_of(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    key = user.has("key", witness.environ["ROCKETKOR_API_KEY"])
    secret = user.has("secret", witness.environ["ROCKETKOR_API_SECRET"])
    key.chmod(0o644)
    secret.chmod(0o600)
    files = {"ROCKETKOR_API_KEY_FILE": str(key), "ROCKETKOR_API_SECRET_FILE": str(secret)}
    ran = user.types("doctor", "--config", profile_for(witness), "--target", "sandbox", "--json", **files)

    assert (ran.code, found(ran.json)["credentials"]) == (0, "warn")
    assert "chmod 600" in line(ran.json, "credentials")["fix"]


def test_a_locked_workspace_names_the_owner(user: User) -> None:
    user.types("run", user.has("people.csv", people(3)))
    with locks_of(user.home / "runs").hold("emulator", 0.0):
        ran = user.types("doctor", "--json")

    assert (ran.code, found(ran.json)["lock"]) == (7, "fail")
    assert str(os.getpid()) in line(ran.json, "lock")["message"]


def journal(user: User, statement: str) -> None:
    with closing(sqlite3.connect(user.home / "runs" / "journal.sqlite3")) as connection:
        connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(
    ("statement", "check", "status", "code", "said"),
    [
        ("UPDATE runs SET phase = 'stopped'", "last run", "warn", 0, "importer resume"),
        ("UPDATE runs SET phase = 'running'", "last run", "warn", 0, "importer resume"),
        ("UPDATE runs SET exit_code = 3", "last run", "warn", 0, "importer show"),
        ("PRAGMA user_version = 99", "journal", "fail", 1, "newer program"),
    ],
)
def test_the_state_of_the_journal_is_reported(
    user: User, *, statement: str, check: str, status: str, code: int, said: str
) -> None:
    user.types("run", user.has("people.csv", people(3)))
    journal(user, statement)
    ran = user.types("doctor", "--json")

    assert (ran.code, found(ran.json)[check]) == (code, status)
    assert said in line(ran.json, check)["fix"]


def test_an_old_journal_is_not_upgraded_by_looking_at_it(user: User) -> None:
    user.types("run", user.has("people.csv", people(3)))
    journal(user, "PRAGMA user_version = 1")
    ran = user.types("doctor", "--json")

    assert (ran.code, found(ran.json)["journal"]) == (0, "ok")
    assert "will be upgraded" in ran.out
    with closing(sqlite3.connect(user.home / "runs" / "journal.sqlite3")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def lose_the_secret(runs: Path) -> None:
    (runs / "import-key.secret").unlink()


def damage_the_secret(runs: Path) -> None:
    (runs / "import-key.secret").write_bytes(b"short")


def damage_the_journal(runs: Path) -> None:
    for name in ("journal.sqlite3-wal", "journal.sqlite3-shm"):
        (runs / name).unlink(missing_ok=True)
    (runs / "journal.sqlite3").write_bytes(b"no database at all" * 300)


def let_others_look(runs: Path) -> None:
    (runs / "journal.sqlite3").chmod(0o644)


@pytest.mark.parametrize(
    ("harm", "check", "status", "code"),
    [
        (lose_the_secret, "secret", "fail", 1),
        (damage_the_secret, "secret", "fail", 1),
        (damage_the_journal, "journal", "fail", 1),
        (let_others_look, "permissions", "warn", 0),
    ],
)
def test_what_happened_to_the_workspace_is_seen(
    user: User, harm: Callable[[Path], None], check: str, status: str, code: int
) -> None:
    user.types("run", user.has("people.csv", people(3)))
    harm(user.home / "runs")
    ran = user.types("doctor", "--json")

    assert (ran.code, found(ran.json)[check]) == (code, status)
    assert line(ran.json, check)["fix"]
    assert not (harm is lose_the_secret and (user.home / "runs" / "import-key.secret").exists())


def test_a_workspace_that_cannot_be_one_fails(user: User) -> None:
    assert user.types("doctor", "--workspace", user.has("file", "x")).code == 1
    assert user.types("doctor", "--workspace", user.home / "file" / "below").code == 1


def test_a_live_target_without_a_brake_is_warned_of(user: User) -> None:
    user.has("live.toml", '[targets.live]\nbase_url = "https://localhost:9"\n')
    ran = user.types("doctor", "--config", "live.toml", "--target", "live", "--json", **CREDENTIALS)

    assert found(ran.json)["limits"] == "warn"
    assert "max_error_rate" in line(ran.json, "limits")["fix"]


def test_more_connections_than_open_files_are_a_failure(user: User) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (900, before[1]))
    try:
        ran = user.types("doctor", "--json", IMPORTER_DELIVERY__CONCURRENCY="1000")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert found(ran.json)["limits"] == "fail"


# --------------------------------------------------------------------------- offline: a health check


def test_offline_the_credentials_are_not_exchanged_and_nothing_is_asked(user: User) -> None:
    user.has("live.toml", '[targets.live]\nbase_url = "https://api.example.com"\n')
    ran = user.types("doctor", "--offline", "--config", "live.toml", "--target", "live", "--json", **CREDENTIALS)

    assert (ran.code, set(found(ran.json).values())) == (0, {"ok", "warn"})
    (reported,) = [one["message"] for one in ran.json["checks"] if one["check"] == "credentials"]
    assert reported == "present; not exchanged for a token (--offline)"
    assert "connection" not in found(ran.json)


def test_offline_credentials_that_are_not_there_are_a_failure_still(user: User) -> None:
    user.has("live.toml", '[targets.live]\nbase_url = "https://api.example.com"\n')

    assert user.types("doctor", "--offline", "--config", "live.toml", "--target", "live").code == 2


def test_offline_a_run_at_work_is_healthy(user: User) -> None:
    user.types("run", user.has("people.csv", people(3)))
    workspace = user.home / "runs"
    with locks_of(workspace).hold("emulator", 0.0):
        asked, healthy = user.types("doctor", "--json"), user.types("doctor", "--offline", "--json")

    assert (asked.code, found(asked.json)["lock"]) == (7, "fail")
    assert (healthy.code, found(healthy.json)["lock"]) == (0, "ok")


def test_offline_a_folder_at_an_address_is_not_looked_at(user: User) -> None:
    ran = user.types("doctor", "sftp://files.example.invalid/in", "--target", "emulator", "--offline", "--json")

    assert (ran.code, found(ran.json)["folder"]) == (0, "ok")


def test_a_workspace_that_may_not_be_read_is_a_line_with_its_fix(user: User) -> None:
    user.types("run", user.has("people.csv", people(3)))
    if os.getuid() == 0:
        pytest.skip("a superuser may read every folder; the test of the image looks without rights")
    (user.home / "runs").chmod(0)
    ran = user.types("doctor", "--json")
    (user.home / "runs").chmod(0o700)

    assert (ran.code, found(ran.json)["workspace"]) == (2, "fail")
