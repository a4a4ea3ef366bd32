"""Tokens that run out, credentials that are refused, roles that may not: what a whole run makes of them."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.components import free_port
from tests.acceptance.conftest import User, exactly_once, people, sandbox, serving, serving_here, wait_until

pytestmark = pytest.mark.slow

Profiles = Callable[..., Path]

EXPIRING = '[[rule]]\nfault = "token-expiry"\nfrom_request = 20\nfor_requests = 1\nevery_requests = 90\n'


def test_tokens_that_live_a_second_are_renewed_ahead_by_one_for_all(user: User, profile_for: Profiles) -> None:
    with serving(user, "--token-ttl", "1") as witness:
        profile = profile_for(witness, delivery=['rate = "100/s"'])
        ran = user.types("run", user.has("people.csv", people(250)), *sandbox(profile), "--json", **witness.environ)

        assert ran.code == 0, ran.out
        results = user.reads(ran.json["files"]["results"])
        exactly_once(witness, results)
        assert {row["_attempts"] for row in results} == {"1"}
        counts = witness.ledger()["counts"]
        assert counts["create"].get("401", 0) < 16, "a whole pool met the end of a token"
        assert 3 <= counts["token"]["200"] <= ran.json["elapsed_seconds"] / 0.85 + 2


@pytest.mark.parametrize("options", [(), ("--expiry-status", "403", "--token-ttl", "1")])
def test_a_token_that_expires_in_mid_run_costs_no_row(
    user: User, profile_for: Profiles, options: tuple[str, ...]
) -> None:
    """With 401 always; with 403 where the token is at its end, since 403 means the role otherwise."""
    faults = user.has("expiring.toml", EXPIRING)
    with serving(user, "--faults", str(faults), *options) as witness:
        profile = profile_for(witness, delivery=['rate = "400/s"', "max_attempts = 1"])
        ran = user.types("run", user.has("people.csv", people(200)), *sandbox(profile), "--json", **witness.environ)

        assert ran.code == 0, ran.out
        exactly_once(witness, user.reads(ran.json["files"]["results"]))
        assert witness.ledger()["codes"]["EMU_TOKEN_EXPIRED"] > 0
        assert witness.ledger()["counts"]["token"]["200"] > 2


def test_exchanges_that_are_refused_for_a_while_cost_no_row_an_attempt_and_no_slot(
    user: User, profile_for: Profiles
) -> None:
    """The token dies while the exchange asks for a pause: nothing is sent, nothing is counted, and then it goes on."""
    busy = '[[rule]]\nfault = "status"\nstatus = 429\nretry_after_s = 1\n'
    when = 'on = ["token"]\nfrom_request = 20\nfor_requests = 3\n'
    dead = '[[rule]]\nfault = "token-expiry"\non = ["create"]\nfrom_request = 19\nfor_requests = 1\n'
    faults = user.has("busy.toml", busy + when + dead)
    with serving_here(faults) as witness:
        profile = profile_for(witness, delivery=['rate = "100/s"', "max_attempts = 1", "concurrency = 16"])
        ran = user.types("run", user.has("people.csv", people(60)), *sandbox(profile), "--json", **witness.environ)
        ledger = witness.ledger()

    assert ran.code == 0, ran.out
    assert ran.json["rate"]["requests"] == ledger["requests"]
    assert ledger["counts"]["token"]["429"] >= 1
    assert {row["_attempts"] for row in user.reads(ran.json["files"]["results"])} == {"1"}
    assert ran.json["rate"]["pauses"]


def test_a_403_while_the_token_is_young_is_a_matter_of_permission_and_stops(user: User, profile_for: Profiles) -> None:
    faults = user.has("expiring.toml", EXPIRING)
    with serving(user, "--faults", str(faults), "--expiry-status", "403") as witness:
        profile = profile_for(witness, delivery=['rate = "400/s"'])
        ran = user.types("run", user.has("people.csv", people(200)), *sandbox(profile), "--json", **witness.environ)

        counts = ran.json["counts"]
        assert ran.code == 5, ran.out
        assert counts["created"] == witness.ledger()["customers"]
        assert counts["created"] + counts["unsent"] == 200


@pytest.mark.slow
def test_a_role_that_may_only_look_stops_the_run_and_resume_finishes_it_with_a_better_one(
    user: User, profile_for: Profiles
) -> None:
    port = str(free_port())
    living = User(user.home, {**user.environ, "EMULATOR_API_KEY": "key", "EMULATOR_API_SECRET": "the-one-secret"})
    with serving(living, "--role", "view-only", "--port", port) as witness:
        profile = profile_for(witness, delivery=['rate = "400/s"', "concurrency = 4"])
        ran = user.types("run", user.has("people.csv", people(60)), *sandbox(profile), "--json", **witness.environ)

        assert (ran.code, ran.json["counts"]["unsent"]) == (5, 60), ran.out
        assert "role" in ran.json["error"]
        assert witness.ledger()["counts"]["create"] == {"403": len(asked(user, ran.json["files"]["results"]))}
        assert witness.ledger()["counts"]["create"]["403"] <= 4
    with serving(living, "--port", port) as witness:
        resumed = user.types("resume", "last", *sandbox(profile), "--json", **witness.environ)

        assert resumed.code == 0, resumed.out
        exactly_once(witness, user.reads(resumed.json["files"]["results"]))


def asked(user: User, results: str) -> list[dict[str, str]]:
    """The rows for which a request was made."""
    return [row for row in user.reads(results) if row["_attempts"] != "0"]


@pytest.mark.slow
def test_credentials_that_are_withdrawn_in_mid_run_stop_it_and_new_ones_finish_it(
    user: User, profile_for: Profiles
) -> None:
    """The same key with a new secret: the account stays the same, and so does what it knows."""
    options = ("--port", str(free_port()), "--store", str(user.home / "store.sqlite3"))
    keys = {"EMULATOR_API_KEY": "the-key", "EMULATOR_API_SECRET": "old-secret"}
    source = user.has("people.csv", people(200))
    with serving(User(user.home, {**user.environ, **keys}), *options) as old:
        lines = ['rate = "80/s"', "max_attempts = 40", "backoff_base_s = 0.1", "backoff_cap_s = 0.3"]
        lines += ["breaker_faults = 100000", "looks_after_s = [0, 0.1]"]
        profile = profile_for(old, delivery=lines)
        process = user.starts("run", source, *sandbox(profile), "--json", **old.environ)
        wait_until(lambda: old.ledger()["customers"] > 30)
        old.process.send_signal(signal.SIGTERM)
        old.process.wait()
    keys["EMULATOR_API_SECRET"] = "new-secret"
    with serving(User(user.home, {**user.environ, **keys}), *options) as new:
        out, err = process.communicate(timeout=60)
        stopped = json.loads(out)
        counts = stopped["counts"]
        assert (process.returncode, err.count("Traceback")) == (5, 0), out + err
        assert "refused the API key or its secret" in stopped["error"]
        assert counts["unsent"] > 0
        assert counts["created"] + counts["unsent"] + counts["unknown"] == 200
        assert counts["created"] <= new.ledger()["customers"]

        resumed = user.types("resume", "last", *sandbox(profile), "--json", **new.environ)
        assert resumed.code == 0, resumed.out
        exactly_once(new, user.reads(resumed.json["files"]["results"]))


def test_nobody_asks_twice_for_a_token_that_was_refused(user: User, profile_for: Profiles) -> None:
    with serving(user) as witness:
        profile = profile_for(witness, delivery=['rate = "400/s"'])
        wrong = {**witness.environ, "ROCKETKOR_API_SECRET": "wrong"}
        ran = user.types("run", user.has("people.csv", people(60)), *sandbox(profile), "--json", **wrong)

        assert (ran.code, ran.json["counts"]["unsent"]) == (5, 60)
        assert witness.ledger()["counts"] == {"token": {"401": 1}}
