"""Killed, cut off, started twice: every valid row has exactly one customer, and the results say which."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import (
    User,
    Witness,
    ended,
    exactly_once,
    logged,
    people,
    sandbox,
    serving_here,
    wait_for,
)


@pytest.mark.parametrize(("kills", "rows"), [(2, 200), pytest.param(4, 400, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_again_and_again_and_resumed_creates_every_customer_once(
    user: User, witness: Witness, profile_for: Callable[..., Path], kills: int, rows: int
) -> None:
    rng = random.Random(20261122)
    profile = profile_for(witness, delivery=['rate = "900/s"', "concurrency = 16", "looks_after_s = [0, 0.1, 0.4]"])
    source = user.has("people.csv", people(rows, external_ids=False))
    process = user.starts("run", source, *sandbox(profile), "--quiet", **witness.environ)
    before = 0
    for number in range(kills):
        target = before + rng.randint(20, rows // kills - 20)
        wait_for(lambda target=target: witness.ledger()["customers"] >= target, process)  # type: ignore[misc]
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        before = witness.ledger()["customers"]
        assert before < rows, f"nothing left to kill at kill {number}"
        process = user.starts("resume", "last", *sandbox(profile), "--json", **witness.environ)
    last = ended(process)

    assert last.code == 0, last.out + last.err
    assert last.json["counts"]["created"] == last.json["counts"]["read"] == rows
    exactly_once(witness, user.reads(last.json["files"]["results"]))


def test_dropped_answers_make_no_duplicates_and_no_unknowns(user: User, profile_for: Callable[..., Path]) -> None:
    faults = user.has(
        "faults.toml", 'seed = 5\n[[rule]]\nfault = "commit-then-drop"\non = ["create"]\nprobability = 0.05\n'
    )
    with serving_here(faults) as witness:
        profile = profile_for(witness, delivery=['rate = "900/s"', "looks_after_s = [0, 0.2]", "breaker_faults = 1000"])
        source = user.has("people.csv", people(1_000, external_ids=False))
        ran = user.types("run", source, *sandbox(profile), "--json", **witness.environ)

        assert ran.code == 0, ran.out
        assert ran.json["counts"]["unknown"] == 0
        assert witness.ledger()["faults"]["commit-then-drop"] > 20
        exactly_once(witness, user.reads(ran.json["files"]["results"]))


@pytest.mark.slow
def test_of_two_runs_at_once_one_works_and_the_other_does_no_harm(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "100/s"'])
    source = user.has("people.csv", people(300))
    first = user.starts("run", source, *sandbox(profile), "--json", **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] > 10, first)

    second = user.types("run", source, *sandbox(profile), "--json", **witness.environ)

    assert second.code == 7
    assert f"process {first.pid}" in second.json["error"]
    ran = ended(first)
    assert ran.code == 0
    exactly_once(witness, user.reads(ran.json["files"]["results"]))


@pytest.mark.parametrize(
    ("number", "code"), [pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow), (signal.SIGTERM, 143)]
)
def test_a_signal_stops_well_and_resume_goes_on(
    user: User, witness: Witness, profile_for: Callable[..., Path], number: signal.Signals, code: int
) -> None:
    profile = profile_for(witness, delivery=['rate = "100/s"'])
    source = user.has("people.csv", people(300))
    process = user.starts("run", source, *sandbox(profile), "--json", **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] > 20, process)
    process.send_signal(number)
    stopped = ended(process)

    counts = stopped.json["counts"]
    assert stopped.code == code
    assert counts["unsent"] > 0
    assert counts["unknown"] == 0
    assert counts["created"] == witness.ledger()["customers"]
    assert len(user.reads(stopped.json["files"]["results"])) == 300
    run_id = stopped.json["run_id"]
    refused = user.types("run", source, *sandbox(profile), **witness.environ)
    assert (refused.code, f"importer resume {run_id}" in refused.err) == (7, True)

    resumed = user.types("resume", run_id, *sandbox(profile), "--json", **witness.environ)
    assert resumed.code == 0
    exactly_once(witness, user.reads(resumed.json["files"]["results"]))


@pytest.mark.slow
def test_what_the_command_line_said_of_the_pace_holds_for_the_resume_too(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "300/s"', "looks_after_s = [0, 0.2]"])
    source = user.has("people.csv", people(80))
    process = user.starts("run", source, *sandbox(profile), "--rate", "40/s", **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] > 5, process)
    process.kill()
    process.communicate()

    resumed = user.types("resume", "last", *sandbox(profile), "--json", **witness.environ)
    assert (resumed.code, resumed.json["rate"]["allowance"]) == (0, "40/s")
    assert witness.ledger()["largest_window"] <= 40


def test_with_fail_fast_few_rows_more_are_sent_after_the_first_refusal(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "300/s"', "concurrency = 16"])
    source = user.has("people.csv", people(60))
    assert user.types("run", source, *sandbox(profile), **witness.environ).code == 0
    other = user.has("others.csv", people(60).replace("@example.com", "@example.org"))
    options = ("--workspace", "elsewhere", "--fail-fast", "--rate", "8/s", "--json")
    stopped = user.types("run", other, *sandbox(profile), *options, **witness.environ)

    assert stopped.code == 4
    assert stopped.json["next_step"].endswith(f"{stopped.json['run_id']} --workspace elsewhere")
    assert 1 <= stopped.json["counts"]["rejected"] <= 6  # not as many as there are workers
    assert stopped.json["counts"]["unsent"] >= 54


@pytest.mark.slow
def test_a_second_signal_ends_at_once_and_resume_still_works(user: User, profile_for: Callable[..., Path]) -> None:
    """The requests under way are answered in an hour: the program does not wait for them."""
    hour = 'fault = "latency"\non = ["create"]\ncommit = true\ndelay_s = 3600.0\nfor_requests = 8\n'
    with serving_here(user.has("slow.toml", f"[[rule]]\n{hour}")) as witness:
        profile = profile_for(witness, delivery=['rate = "100/s"', "concurrency = 4", "looks_after_s = [0, 0.1]"])
        source = user.has("people.csv", people(30))
        process = user.starts("run", source, *sandbox(profile), **witness.environ)
        wait_for(lambda: witness.ledger()["customers"] == 4, process)
        process.send_signal(signal.SIGINT)
        wait_for(lambda: '"stopping"' in logged(user), process)
        process.send_signal(signal.SIGINT)
        cut_short = ended(process)

        assert cut_short.code == 130
        assert "importer resume" in cut_short.err
        resumed = user.types("resume", "last", *sandbox(profile), "--json", **witness.environ)
        assert resumed.code == 0
        exactly_once(witness, user.reads(resumed.json["files"]["results"]))


def test_resume_refuses_a_source_or_a_profile_that_changed(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "100/s"'])
    source = user.has("people.csv", people(60))
    environ = {**witness.environ, "IMPORTER_DELIVERY__FAIL_FAST": "true"}
    user.types("run", source, *sandbox(profile), **environ)

    other = profile_for(witness, "other.toml", more='[validation]\nphone = "valid"')
    changed_profile = user.types("resume", "last", *sandbox(other), **witness.environ)
    assert (changed_profile.code, "profile" in changed_profile.err) == (6, True)
    user.has("people.csv", people(61))
    changed_source = user.types("resume", "last", *sandbox(profile), **witness.environ)
    assert (changed_source.code, "people.csv changed" in changed_source.err) == (6, True)
    assert witness.ledger()["customers"] == 60


def test_thresholds_stop_a_run_and_leave_the_rest_unsent(user: User, profile_for: Callable[..., Path]) -> None:
    faults = user.has("refuse.toml", '[[rule]]\nfault = "status"\nstatus = 422\non = ["create"]\nprobability = 0.5\n')
    with serving_here(faults) as witness:
        profile = profile_for(witness, delivery=['rate = "200/s"', "concurrency = 4"])
        source = user.has("people.csv", people(200))
        for options in (("--max-errors", "5"), ("--fail-fast",), ("--max-error-rate", "0.2")):
            workspace = f"runs{options[0]}"
            ran = user.types(
                "run", source, *sandbox(profile), *options, "--workspace", workspace, "--json", **witness.environ
            )
            counts = ran.json["counts"]
            assert ran.code == 4
            assert counts["unsent"] > 50
            assert sum(counts.values()) == 2 * counts["read"]


def test_an_outage_opens_the_breaker_and_retry_finishes_the_job(user: User, profile_for: Callable[..., Path]) -> None:
    faults = user.has(
        "outage.toml",
        '[[rule]]\nfault = "status"\nstatus = 503\nprobability = 1.0\nfrom_request = 50\nfor_requests = 40\n',
    )
    with serving_here(faults) as witness:
        profile = profile_for(
            witness,
            delivery=[
                'rate = "300/s"',
                "breaker_faults = 10",
                "breaker_probe_s = 0.02",
                "breaker_give_up_s = 0.5",
                "backoff_base_s = 0.01",
                "looks_after_s = [0, 0.1]",
            ],
        )
        ran = user.types("run", user.has("people.csv", people(200)), *sandbox(profile), "--json", **witness.environ)
        assert ran.code == 4, ran.out
        assert "times in a row" in ran.json["error"]
        for _ in range(15):
            ran = user.types("retry", "last", *sandbox(profile), "--json", **witness.environ)
            if ran.code == 0:
                break
        assert ran.code == 0, ran.out
        exactly_once(witness, user.reads(ran.json["files"]["results"]))


def test_a_refused_login_sends_nothing_and_leaves_every_row_unsent(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness)
    wrong = {"ROCKETKOR_API_KEY": "nobody", "ROCKETKOR_API_SECRET": "wrong"}
    ran = user.types("run", user.has("people.csv", people(5)), *sandbox(profile), "--json", **wrong)

    assert ran.code == 5
    assert ran.json["counts"]["unsent"] == 5
    assert witness.ledger()["customers"] == 0


def test_a_journal_that_cannot_be_written_stops_before_the_next_request(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    """A file size limit is the full disk of one process."""
    profile = profile_for(witness, delivery=['rate = "500/s"', "looks_after_s = [0, 0.2]"])
    source = user.has("people.csv", people(900))
    limited = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, 900_000));"
        "from importer.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited, "run", str(source), *map(str, sandbox(profile)), "--json"],
        cwd=user.home,
        env={**user.environ, **witness.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr + done.stdout
    reported = json.loads(done.stdout)
    assert (done.returncode, "journal" in reported["error"]) == (1, True), done.stdout + done.stderr
    assert witness.ledger()["customers"] < 900

    resumed = user.types("resume", "last", *sandbox(profile), "--json", **witness.environ)
    assert resumed.code == 0, resumed.out
    exactly_once(witness, user.reads(resumed.json["files"]["results"]))
