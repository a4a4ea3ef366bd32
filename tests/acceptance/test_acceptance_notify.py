"""Notifications of single runs: everybody who is named gets them, and their errors never fail a run."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import User, Witness, ended, people, sandbox, serving_here, wait_for
from tests.acceptance.receiver import Receiver

NOBODY = "json://127.0.0.1:9/sekret"


def test_a_run_reports_its_counts_and_where_the_report_is(user: User, receiver: Receiver) -> None:
    ran = user.types("run", user.has("people.csv", people(3)), "--notify", "--json", IMPORTER_NOTIFY_URLS=receiver.url)

    (message,) = receiver.messages
    assert (ran.code, ran.json["notified"]) == (0, True)
    assert (message["title"], message["type"]) == (
        "Customer import done: people.csv, 3 customers created",
        "success",
    )
    assert "people.csv: 3 rows: 3 created." in message["message"]
    assert str(user.home / ran.json["files"]["html"]) in message["message"]
    assert "@example.com" not in message["message"]


def test_without_being_asked_a_run_notifies_nobody_and_a_dry_run_never_does(user: User, receiver: Receiver) -> None:
    user.has("people.csv", people(3))
    ran = user.types("run", "people.csv", "--json", IMPORTER_NOTIFY_URLS=receiver.url)
    given = {"IMPORTER_NOTIFY_URLS": receiver.url, "IMPORTER_NOTIFY__RUNS": "true"}
    user.types("validate", "people.csv", **given)
    user.types("run", "people.csv", "--dry-run", **given)

    assert (ran.code, "notified" in ran.json, receiver.messages) == (0, False, [])


def test_what_stops_is_reported_and_so_is_its_resumption_and_its_retry(
    user: User, receiver: Receiver, profile_for: Callable[..., Path]
) -> None:
    faults = user.has("refuse.toml", '[[rule]]\nfault = "status"\nstatus = 422\non = ["create"]\nfor_requests = 3\n')
    user.environ["IMPORTER_NOTIFY_URLS"] = receiver.url
    user.environ["IMPORTER_NOTIFY_URLS_FILE"] = ""
    with serving_here(faults) as witness:
        more = "[notify]\nruns = true"
        options = sandbox(profile_for(witness, delivery=['rate = "300/s"', "concurrency = 1"], more=more))
        user.has("people.csv", people(20))
        codes = [
            user.types("run", "people.csv", "--fail-fast", *options, **witness.environ).code,
            user.types("resume", "last", *options, **witness.environ).code,
            user.types("retry", "last", *options, **witness.environ).code,
        ]

    titles = [message["title"].partition(":")[0] for message in receiver.messages]
    assert (codes[0], codes[1] in {0, 3}) == (4, True)
    assert titles[0] == "Customer import failed"
    assert len(titles) == 3
    assert "\n  next: importer resume 2" in receiver.messages[0]["message"]


@pytest.mark.parametrize(
    ("content", "environ", "code", "says"),
    [
        ("", {}, 6, "the file cannot be used"),
        (people(2), {"ROCKETKOR_API_SECRET": "wrong"}, 5, "access was refused"),
    ],
)
def test_a_run_that_comes_to_nothing_is_reported_as_failed(
    user: User,
    receiver: Receiver,
    witness: Witness,
    profile_for: Callable[..., Path],
    *,
    content: str,
    environ: dict[str, str],
    code: int,
    says: str,
) -> None:
    options = (*sandbox(profile_for(witness)), "--notify")
    given = {**witness.environ, "IMPORTER_NOTIFY_URLS": receiver.url, **environ}
    ran = user.types("run", user.has("people.csv", content), *options, **given)

    (message,) = receiver.messages
    assert (ran.code, message["type"], says in message["message"]) == (code, "failure", True)


@pytest.mark.slow
def test_a_run_stopped_by_a_signal_is_reported(
    user: User, receiver: Receiver, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    options = sandbox(profile_for(witness, delivery=['rate = "40/s"']))
    user.environ["IMPORTER_NOTIFY_URLS"] = receiver.url
    run = user.starts("run", user.has("people.csv", people(90)), "--notify", "--json", *options, **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] > 5, run)
    run.send_signal(signal.SIGTERM)

    assert ended(run).code == 143
    assert "stopped by hand (exit code 143). Not finished." in receiver.messages[0]["message"]
    assert "importer resume" in receiver.messages[0]["message"].partition("\n  next: ")[2]


def test_a_notification_that_fails_fails_nothing(user: User) -> None:
    ran = user.types("run", user.has("people.csv", people(3)), "--notify", IMPORTER_NOTIFY_URLS=NOBODY)
    assert (ran.code, "notification did not arrive" in ran.err, "sekret" in ran.err) == (0, True, False)

    refused = user.types("run", user.has("empty.csv", ""), "--notify", IMPORTER_NOTIFY_URLS=NOBODY)
    assert (refused.code, "notification did not arrive" in refused.err) == (6, True)


@pytest.mark.parametrize(
    ("environ", "says"),
    [({}, "IMPORTER_NOTIFY_URLS names nobody"), ({"IMPORTER_NOTIFY_URLS": "sekret://x"}, "Address 1 of 1")],
)
def test_where_nobody_can_be_notified_the_run_does_not_begin(user: User, environ: dict[str, str], says: str) -> None:
    ran = user.types("run", user.has("people.csv", people(3)), "--notify", "--json", **environ)

    assert (ran.code, says in ran.json["error"], "sekret" in ran.out + ran.err) == (2, True, False)
    assert [path.name for path in user.home.iterdir()] == ["people.csv"]


def test_only_the_levels_that_are_asked_for_are_sent(user: User, receiver: Receiver) -> None:
    given = {"IMPORTER_NOTIFY_URLS": receiver.url, "IMPORTER_NOTIFY__ON": "failed"}
    user.types("run", user.has("people.csv", people(3)), "--notify", **given)
    assert receiver.messages == []

    user.types("run", user.has("empty.csv", ""), "--notify", **given)
    assert len(receiver.messages) == 1
