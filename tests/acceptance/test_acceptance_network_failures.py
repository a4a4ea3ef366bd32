"""A network that fails in its own ways: names that do not exist, doors that are shut, answers that trickle."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.components import free_port
from tests.acceptance.conftest import SOON, User, exactly_once, people, sandbox, serving, serving_here

CREDENTIALS = {"ROCKETKOR_API_KEY": "key", "ROCKETKOR_API_SECRET": "secret"}
QUICK = ("breaker_faults = 5", "max_attempts = 3", "backoff_base_s = 0.01", "connect_timeout_s = 1.0", *SOON)


@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        ("https://no-such-host.test", "name is not found|No connection in time"),
        ("http://127.0.0.1:{port}", "No answer at the target's address"),
    ],
)
def test_an_address_where_nobody_is_stops_the_run_soon_and_no_row_is_in_doubt(
    user: User, base_url: str, words: str
) -> None:
    lines = ["[delivery]", *QUICK, "[targets.sandbox]", f'base_url = "{base_url.format(port=free_port())}"', ""]
    began = time.monotonic()
    arguments = ("run", user.has("people.csv", people(30)), *sandbox(user.has("p.toml", "\n".join(lines))))
    ran = user.types(*arguments, "--json", **CREDENTIALS)

    counts = ran.json["counts"]
    assert ran.code == 4, ran.out
    assert re.search(words, ran.json["error"])
    assert counts["failed"] + counts["unsent"] == 30
    assert time.monotonic() - began < 20


def test_a_target_that_comes_up_late_gets_every_row_by_retry(user: User, profile_for: Callable[..., Path]) -> None:
    port = str(free_port())
    living = User(user.home, {**user.environ, "EMULATOR_API_KEY": "key", "EMULATOR_API_SECRET": "secret"})
    lines = ["[delivery]", *QUICK, "[targets.sandbox]", f'base_url = "http://127.0.0.1:{port}"', ""]
    profile = user.has("p.toml", "\n".join(lines))
    early = user.types("run", user.has("people.csv", people(30)), *sandbox(profile), "--json", **CREDENTIALS)
    with serving(living, "--port", port) as witness:
        late = user.types("retry", "last", *sandbox(profile), "--json", **CREDENTIALS)

        assert (early.code, late.code) == (4, 0), late.out
        exactly_once(witness, user.reads(late.json["files"]["results"]))


def test_answers_that_trickle_are_given_up_in_time_and_make_no_duplicates(
    user: User, profile_for: Callable[..., Path]
) -> None:
    """Each byte comes in time, the whole never does: only the total timeout ends that."""
    faults = user.has(
        "slow.toml",
        'seed = 2\n[[rule]]\nfault = "dribble"\non = ["create", "list"]\ndelay_s = 0.05\nprobability = 0.1\n',
    )
    with serving_here(faults) as witness:
        delivery = ['rate = "400/s"', "total_timeout_s = 0.5", "looks_after_s = [0, 0.1]", "backoff_base_s = 0.05"]
        profile = profile_for(witness, delivery=[*delivery, "breaker_faults = 1000"])
        ran = user.types("run", user.has("people.csv", people(120)), *sandbox(profile), "--json", **witness.environ)

        assert ran.code == 0, ran.out
        assert witness.ledger()["faults"]["dribble"] > 5
        exactly_once(witness, user.reads(ran.json["files"]["results"]))


def test_connections_that_break_before_and_after_the_work_make_no_duplicates(
    user: User, profile_for: Callable[..., Path]
) -> None:
    with serving_here("flaky") as witness:
        delivery = ['rate = "600/s"', "looks_after_s = [0, 0.1]", "backoff_base_s = 0.05", "breaker_faults = 1000"]
        profile = profile_for(witness, delivery=delivery)
        ran = user.types("run", user.has("people.csv", people(400)), *sandbox(profile), "--json", **witness.environ)

        assert ran.code == 0, ran.out
        assert {"commit-then-drop", "drop-before-commit"} <= set(witness.ledger()["faults"])
        exactly_once(witness, user.reads(ran.json["files"]["results"]))


@pytest.mark.slow
def test_in_debug_mode_nothing_is_left_open_unawaited_or_unretrieved(
    user: User, profile_for: Callable[..., Path]
) -> None:
    """Every warning is an error, and what Python cannot raise it prints: standard error has to stay empty."""
    strict = {"PYTHONASYNCIODEBUG": "1", "PYTHONDEVMODE": "1", "PYTHONWARNINGS": "error"}
    source = user.has("people.csv", people(40))
    with serving_here("flaky") as witness:
        delivery = ['rate = "600/s"', "looks_after_s = [0, 0.1]", "backoff_base_s = 0.05", "breaker_faults = 1000"]
        strictly = ("run", source, "--json", "--quiet", "--verbose")
        sent = (*strictly, *sandbox(profile_for(witness, delivery=delivery)))
        ran = user.types_for_real(*sent, **strict, **witness.environ)
        wrong = {**witness.environ, "ROCKETKOR_API_SECRET": "wrong"}
        refused = user.types_for_real(*sent, "--workspace", "runs/refused", **strict, **wrong)
    embedded = user.types_for_real(*strictly, "--workspace", "runs/embedded", **strict)

    assert (ran.code, refused.code, embedded.code) == (0, 5, 0), ran.out + refused.out + embedded.out
    assert (ran.err, refused.err, embedded.err) == ("", "", "")
    logs = [_read_log(path) for path in user.home.rglob("run.log.jsonl")]
    foreign = [entry for log in logs for entry in log if "logger" in entry]
    assert not [entry for entry in foreign if not _is_slow(entry)]
    assert max(len(_sending(log)) for log in logs) > 40
    for log in logs:
        assert sum(map(_is_slow, _sending(log))) <= _STALLS, log


_STALLS = 2
"""Long steps of the loop while requests are made: a busy machine may cause one or two, work that blocks causes many."""


def _read_log(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _is_slow(entry: dict[str, object]) -> bool:
    """Whether this tells of a step that held the loop for more than a tenth of a second."""
    return str(entry["event"]).startswith("Executing")


def _sending(log: list[dict[str, object]]) -> list[dict[str, object]]:
    """What was logged between the first request and the last one; before that, opening and importing do no harm."""
    places = [place for place, entry in enumerate(log) if entry["event"] == "request_done"]
    return log[places[0] : places[-1]] if places else []
