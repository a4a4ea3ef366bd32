"""A hostile API: rehearsed on purpose, met with a canary, sat out, and never asked for more than it allows."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import select
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from importer.delivery import StopSwitch, StrictLimiter, Window
from importer.runs.wiring import SystemClock
from tests.acceptance.conftest import IMPORTER, User, Witness, people, serving, serving_here, wait_for, wait_until

pytestmark = pytest.mark.slow

QUICK = '[targets.emulator]\nlooks_after_s = [0, 0.7]\nbackoff_base_s = 0.05\nbreaker_probe_s = 0.1\nrate = "500/s"\n'
STRICT = (sys.executable, "-W", "error", *IMPORTER[1:])
REFUSALS = '[[rule]]\nfault = "status"\nstatus = 422\non = ["create"]\n'


def live(user: User, witness: Witness, *lines: str) -> tuple[str | Path, ...]:
    """Options that import into an emulator as if it were the live system."""
    text = "\n".join(["[targets.live]", f'base_url = "{witness.base_url}"', 'rate = "500/s"', *lines, ""])
    return "--config", user.has("live.toml", text), "--target", "live", "--yes"


# ------------------------------------------------------------------ rehearsals


@pytest.mark.slow
def test_a_rehearsal_of_a_bad_night_ends_with_nothing_lost_and_nothing_twice(user: User) -> None:
    source, profile = user.has("people.csv", people(400)), user.has("quick.toml", QUICK)
    ran = user.types(
        "run", source, "--config", profile, "--target", "emulator", "--faults", "migration-night", "--json"
    )

    report = ran.json
    assert ran.code == 0, ran.out + ran.err
    rehearsal = report["rehearsal"]
    assert (rehearsal["customers"], rehearsal["lost"], rehearsal["twice"]) == (400, 0, 0)
    assert rehearsal["faults"]["commit-then-drop"] > 0
    assert report["rate"]["requests"] > 400
    page = (user.home / report["files"]["html"]).read_text(encoding="utf-8")
    assert "400 customers at the emulator, 0 lost, 0 twice;" in page
    assert "allowance" in page


@pytest.mark.slow
def test_a_rehearsal_survives_the_outages_of_a_file_of_faults_and_says_so(user: User) -> None:
    faults = user.has(
        "night.toml", '[[rule]]\nfault = "status"\nstatus = 503\nfrom_s = 0.6\nfor_s = 1.0\nevery_s = 2.5\n'
    )
    profile = user.has("quick.toml", QUICK + "breaker_faults = 5\n" + f'faults = "{faults}"\n')
    ran = user.types("run", user.has("people.csv", people(900)), "--config", profile)

    assert ran.code == 0, ran.err
    assert "rehearsal: 900 customers, 0 lost, 0 twice" in ran.err
    log = next((user.home / "runs").glob("2*/run.log.jsonl")).read_text(encoding="utf-8")
    assert "breaker_opened" in log
    assert "breaker_closed" in log


@pytest.mark.slow
def test_a_rehearsal_that_is_killed_goes_on_with_its_faults_and_ends_with_its_proof(user: User) -> None:
    faults = user.has("plan.toml", '[[rule]]\nfault = "status"\nstatus = 503\nprobability = 0.1\n')
    profile = user.has("quick.toml", QUICK)
    options = ("--config", profile, "--rate", "100/s", "--faults", faults)
    process = user.starts("run", user.has("people.csv", people(300)), *options)
    wait_until(lambda: (user.home / "runs" / "emulator.sqlite3").exists() and _created(user) >= 30)
    process.kill()
    process.communicate()
    faults.unlink()
    resumed = user.types("resume", "last", "--config", profile, "--json")

    rehearsal = resumed.json["rehearsal"]
    assert (resumed.code, rehearsal["customers"], rehearsal["lost"], rehearsal["twice"]) == (0, 300, 0, 0)
    assert rehearsal["faults"]["status"] > 0


def _created(user: User) -> int:
    """How many rows the journal knows to be created."""
    with closing(sqlite3.connect(user.home / "runs" / "journal.sqlite3")) as journal:
        return int(journal.execute("SELECT count(*) FROM rows WHERE state = 'created'").fetchone()[0])


def test_a_rehearsal_that_meets_no_fault_says_that_it_proves_nothing(user: User) -> None:
    ran = user.types("run", user.has("people.csv", people(20)), "--faults", "expiring")

    assert ran.code == 0, ran.err
    assert "20 customers, 0 lost, 0 twice; but it met no fault and proves nothing" in ran.err


@pytest.mark.slow
def test_the_witness_of_a_rehearsal_reports_a_run_that_looks_too_little(user: User) -> None:
    faults = user.has(
        "lag.toml",
        '[[rule]]\nfault = "list-lag"\non = ["create"]\nlag_s = 60.0\n'
        '[[rule]]\nfault = "commit-then-drop"\non = ["create"]\nfrom_request = 3\nfor_requests = 3\n',
    )
    profile = user.has("quick.toml", QUICK.replace("0.7", "0.01"))
    source = user.has("people.csv", people(20, external_ids=False))
    ran = user.types("run", source, "--config", profile, "--faults", faults, "--json")

    assert (ran.code, ran.json["rehearsal"]["twice"]) == (9, 3)
    assert "3 twice" in ran.json["error"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--faults", "migration-nite"), "migration-night"),
        (("--faults", "flaky", "--target", "sandbox"), "--faults"),
        (("--canary", "-1"), "canary"),
        (("--rate", "10/s,fast"), "rate"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused_before_anything_is_written(
    user: User, witness: Witness, profile_for: Callable[..., Path], options: tuple[str, ...], said: str
) -> None:
    source, profile = user.has("people.csv", people(2)), profile_for(witness)
    ran = user.types("run", source, "--config", profile, *options, **witness.environ)

    assert (ran.code, said in ran.err) == (2, True), ran.err
    assert not (user.home / "runs").exists()


# ------------------------------------------------------------------ canary


def test_unattended_a_live_run_stops_at_the_first_error_and_resume_goes_on_as_far_as_it_is_known(user: User) -> None:
    with serving_here(user.has("refuse.toml", REFUSALS)) as witness:
        options = live(user, witness)
        source = user.has("people.csv", people(60))
        stopped = user.types("run", source, *options, "--json", **witness.environ)

        counts = stopped.json["counts"]
        assert (stopped.code, counts["rejected"], counts["unsent"]) == (4, 1, 59)
        assert "EMU_FAULT_422 (1)" in stopped.json["error"]
        known = user.types("resume", "last", *options, "--json", **witness.environ)
        assert (known.code, known.json["counts"]["rejected"]) == (4, 12)
        assert "Of the last 10 rows 10 were refused" in known.json["error"]
        resumed = user.types("resume", "last", *options, "--json", **witness.environ)
        assert (resumed.code, resumed.json["counts"]["rejected"]) == (3, 60)


def test_unattended_a_live_run_stops_when_refusals_jump_among_the_rest(user: User) -> None:
    faults = user.has("later.toml", REFUSALS + "from_request = 30\n")
    with serving_here(faults) as witness:
        options = live(user, witness)
        source = user.has("people.csv", people(400))
        ran = user.types("run", source, *options, "--json", **witness.environ)

        assert (ran.code, "were refused, a far larger share" in ran.json["error"]) == (4, True)
        assert ran.json["counts"]["unsent"] > 200


def test_a_live_run_without_errors_goes_through_and_zero_sends_all_at_once(user: User, witness: Witness) -> None:
    options = live(user, witness)
    ran = user.types("run", user.has("people.csv", people(60)), *options, "--json", **witness.environ)
    assert (ran.code, ran.json["counts"]["created"]) == (0, 60)

    with serving_here(user.has("refuse.toml", REFUSALS)) as hostile:
        options = live(user, hostile)
        source = user.has("others.csv", people(70))
        ran = user.types("run", source, *options, "--canary", "0", "--json", **hostile.environ)
        assert (ran.code, ran.json["counts"]["rejected"]) == (3, 70)


@pytest.mark.parametrize(("answer", "answers", "code"), [(b"y\n", {"422": 1, "201": 39}, 3), (b"n\n", {"422": 1}, 4)])
def test_on_a_terminal_the_canary_asks_and_heeds_the_answer(
    user: User, answer: bytes, answers: dict[str, int], code: int
) -> None:
    first = REFUSALS + "for_requests = 3\n"  # the token is one of them, the look for other workspaces another
    with serving_here(user.has("refuse.toml", first)) as witness:
        options = live(user, witness)
        ours, theirs = pty.openpty()
        with subprocess.Popen(
            [*IMPORTER, "run", str(user.has("people.csv", people(40))), *map(str, options)],
            cwd=user.home,
            env={**user.environ, **witness.environ, "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            seen = _read_until(ours, b"[y/N]")
            os.write(ours, answer)
            seen += _read_until(ours, b"importer re")
            assert process.wait(timeout=30) == code
        os.close(ours)
        assert b"EMU_FAULT_422 (1)" in seen
        assert witness.ledger()["counts"]["create"] == answers


def _read_until(terminal: int, text: bytes) -> bytes:
    seen, end = b"", time.monotonic() + 40.0
    while text not in seen:
        assert time.monotonic() < end, seen
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                seen += os.read(terminal, 65_536)
            except OSError:  # the other end is closed
                break
    assert text in seen, seen
    return seen


# ------------------------------------------------------------------ limits


def test_a_daily_quota_holds_over_runs_and_says_try_later(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = ["300/s", "100/day"]'])
    options = ("--config", profile, "--target", "sandbox", "--json")
    first = user.types("run", user.has("people.csv", people(150)), *options, **witness.environ)

    assert (first.code, first.json["counts"]["created"]) == (
        75,
        98,
    )  # one for the token, and one look for other workspaces
    assert "used up" in first.json["error"]
    assert first.json["rate"]["largest"]["in any day"] == 100
    again = user.types("resume", "last", *options, **witness.environ)
    assert (again.code, again.json["counts"]["created"]) == (75, 98)
    assert again.json["counts"]["unknown"] == 0
    assert again.json["elapsed_seconds"] < 10.0
    assert witness.ledger()["requests"] == 100
    other = profile_for(witness, "more.toml", delivery=['rate = ["300/s", "200/day"]'])
    rest = user.types("resume", "last", "--config", other, "--json", "--target", "sandbox", **witness.environ)
    assert (rest.code, rest.json["counts"]["created"]) == (0, 150)


@pytest.mark.slow
def test_a_killed_run_forgets_none_of_its_quota(user: User, witness: Witness, profile_for: Callable[..., Path]) -> None:
    profile = profile_for(witness, delivery=['rate = ["150/s", "300/day"]', "looks_after_s = [0, 0.1]"])
    options = ("--config", profile, "--target", "sandbox", "--json")
    process = user.starts("run", user.has("people.csv", people(500)), *options, **witness.environ)
    for target in (60, 140):
        wait_for(lambda target=target: witness.ledger()["requests"] >= target, process)  # type: ignore[misc]
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
        process = user.starts("resume", "last", *options, **witness.environ)
    out, _ = process.communicate(timeout=60)

    assert process.returncode == 75
    assert 280 <= witness.ledger()["requests"] <= 300
    rate = json.loads(out)["rate"]
    assert [one and one["requests"] for one in rate["passes"]] == [None, None, rate["requests"]]
    assert (rate["all_passes"]["passes"], rate["all_passes"]["killed_without_a_receipt"]) == (3, 2)


def test_a_token_that_is_renewed_on_the_side_is_one_request_more_in_flight_and_the_receipt_says_so(
    user: User, profile_for: Callable[..., Path]
) -> None:
    faults = user.has("slow.toml", '[[rule]]\nfault = "latency"\ndelay_s = 0.3\n')
    with serving(user, "--token-ttl", "2", "--faults", str(faults)) as slow:
        options = ("--config", profile_for(slow, delivery=["concurrency = 1"]), "--target", "sandbox", "--json")
        ran = user.types("run", user.has("people.csv", people(12)), *options, **slow.environ)

        assert (ran.code, ran.json["counts"]["created"]) == (0, 12)
        assert ran.json["rate"]["most_in_flight"] == slow.ledger()["most_in_flight"] == 2


@pytest.mark.slow
def test_the_receipts_of_a_stopped_run_and_of_its_resume_are_side_by_side(
    user: User, profile_for: Callable[..., Path]
) -> None:
    with serving_here(user.has("slow.toml", '[[rule]]\nfault = "latency"\ndelay_s = 0.2\n')) as slow:
        lines = ['rate = ["300/s", "30/day"]', "concurrency = 4"]
        options = ("--config", profile_for(slow, delivery=lines), "--target", "sandbox", "--json")
        first = user.types("run", user.has("people.csv", people(60)), *options, **slow.environ).json["rate"]
        options = ("--config", profile_for(slow, delivery=[lines[1]]), *options[2:])
        last = user.types("resume", "last", *options, **slow.environ).json["rate"]

        assert (first["requests"], "passes" in first) == (30, False)
        assert last["passes"][0] == first
        assert last["all_passes"]["requests"] == slow.ledger()["requests"] == 64
        assert slow.ledger()["most_in_flight"] == max(first["most_in_flight"], last["most_in_flight"]) <= 4
        page = next((user.home / "runs").glob("2*/report.html")).read_text(encoding="utf-8")
        assert "all passes: requests" in page


@pytest.mark.xdist_group("real_time")
@pytest.mark.parametrize(("rate", "faults"), [(10, ""), (100, ""), (100, "flaky"), (1_000, "")])
@pytest.mark.slow
def test_the_emulators_ledger_sees_no_window_over_the_rate(
    user: User, profile_for: Callable[..., Path], rate: int, faults: str
) -> None:
    """Tokens, creates, look-ups and retries together; how much of the rate is used is shown where time is virtual.

    When a request arrives is the machine's doing as well: of three tries on a busy one, the best is ours.
    """
    source, seen = user.has("people.csv", people(min(rate * 3, 2_000))), []
    delivery = [f'rate = "{rate}/s"', "looks_after_s = [0, 0.1]", "backoff_base_s = 0.05"]
    for number in range(3):
        with serving(user, *(("--faults", faults) if faults else ())) as witness:
            options = ("--config", profile_for(witness, delivery=delivery), "--target", "sandbox", "--json")
            ran = user.types("run", source, *options, "--workspace", f"runs{number}", **witness.environ)
            ledger = witness.ledger()
        receipt = ran.json["rate"]
        assert ran.code == 0, ran.err
        assert receipt["requests"] == ledger["requests"]
        assert receipt["largest"]["in any second"] <= rate
        assert not faults or {"token", "create", "list"} <= set(ledger["counts"])
        seen.append(ledger["largest_window"])
        if seen[-1] <= rate:
            return
    pytest.fail(f"the largest windows at {rate}/s: {seen}")


async def ask_a_thousand_a_second(base_url: str) -> dict[str, Any]:
    """Send 3,000 small requests over plain connections that are up already, and return the limiter's receipt."""
    address = urlsplit(base_url)
    limiter = StrictLimiter([Window(1_000, 1.0)], SystemClock(), StopSwitch())
    left = [3_000]
    connections = [await asyncio.open_connection(address.hostname, address.port) for _ in range(40)]

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: bytes) -> bytes:
        writer.write(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return await reader.readexactly(int(length.partition(b":")[2]))

    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while left[0] > 0:
            left[0] -= 1
            slot = await limiter.reserve()
            slot.depart()
            await ask(reader, writer, b"/nothing")
            slot.answered()
        writer.close()
        await writer.wait_closed()

    for connection in connections:
        await ask(*connection, b"/_emulator/nothing")  # one that the ledger does not count
    async with asyncio.TaskGroup() as group:
        for connection in connections:
            group.create_task(work(*connection))
    return limiter.receipt()


@pytest.mark.xdist_group("real_time")
async def test_a_thousand_a_second_arrive_and_never_more(user: User) -> None:
    """Below the client, which a small machine is too slow for: the limiter before plain connections.

    When a request arrives is the machine's doing as well: of three tries on a busy one, the best is the limiter's.
    """
    seen = []
    for _ in range(3):
        with serving(user) as witness:
            receipt = await ask_a_thousand_a_second(witness.base_url)
            ledger = await asyncio.to_thread(witness.ledger)
        assert receipt["largest"]["in any second"] <= 1_000
        assert ledger["requests"] == 3_000
        seen.append(ledger["largest_window"])
        if seen[-1] <= 1_000:
            return
    pytest.fail(f"the largest windows: {seen}")


@pytest.mark.slow
def test_auto_heeds_a_server_that_refuses_above_its_rate(user: User, profile_for: Callable[..., Path]) -> None:
    with serving(user, "--limit", "60/s") as witness:
        profile = profile_for(witness, delivery=['rate = "auto<=300/s"', "concurrency = 32"])
        source = user.has("people.csv", people(400))
        ran = user.types("run", source, "--config", profile, "--target", "sandbox", "--json", **witness.environ)

        auto = ran.json["rate"]["auto"]
        assert (ran.code, ran.json["counts"]["created"]) == (0, 400)
        assert 25 <= auto["found_per_s"] <= 70
        assert auto["cuts_after_429"] >= 1


@pytest.mark.parametrize(("spelling", "least"), [("ietf", 28.0), ("draft", 14.0), ("x", 14.0), ("x-epoch", 9.0)])
@pytest.mark.slow
def test_auto_learns_the_rate_from_headers_in_every_spelling(
    user: User, profile_for: Callable[..., Path], spelling: str, least: float
) -> None:
    """A reset comes in whole seconds: what stands for a window of one second may be one or two longer."""
    with serving(user, "--limit", "30/s", "--rate-headers", spelling) as witness:
        profile = profile_for(witness, delivery=['rate = "auto<=200/s"', "concurrency = 8"])
        source = user.has("people.csv", people(150))
        ran = user.types("run", source, "--config", profile, "--target", "sandbox", "--json", **witness.environ)

        assert (ran.code, ran.json["counts"]["created"]) == (0, 150)
        assert least <= ran.json["rate"]["auto"]["told_by_headers_per_s"] <= 28.5
        assert witness.ledger()["counts"]["create"].get("429", 0) <= 8


def test_creates_that_stay_away_stop_the_run_although_every_look_up_works(user: User) -> None:
    faults = user.has("posts.toml", '[[rule]]\nfault = "status"\nstatus = 503\non = ["create"]\n')
    profile = user.has("quick.toml", QUICK + "breaker_give_up_s = 2\n")
    ran = user.types("run", user.has("people.csv", people(200)), "--config", profile, "--faults", faults, "--json")

    counts = ran.json["counts"]
    assert (ran.code, counts["failed"], counts["created"]) == (4, 0, 0)
    assert counts["unsent"] > 150
    assert ran.json["rate"]["breaker_openings"] == 1
    assert "times in a row" in ran.json["error"]


# ------------------------------------------------------------------ asyncio hygiene


@pytest.mark.parametrize("options", [("--faults", "flaky"), ("--rate", "auto", "--faults", "rate-limited")])
@pytest.mark.slow
def test_in_debug_mode_with_warnings_as_errors_nothing_is_left_open_or_unread(
    user: User, options: tuple[str, ...]
) -> None:
    profile = user.has("quick.toml", QUICK)
    source = user.has("people.csv", people(120))
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            *IMPORTER[1:],
            "run",
            str(source),
            "--config",
            str(profile),
            *options,
            "--json",
        ],
        cwd=user.home,
        env={**user.environ, "PYTHONASYNCIODEBUG": "1", "PYTHONDEVMODE": "1"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )

    assert (done.returncode, json.loads(done.stdout)["rehearsal"]["lost"]) == (0, 0), done.stdout + done.stderr
    for failure in ("never retrieved", "never awaited", "Unclosed", "destroyed", "Warning", "Traceback"):
        assert failure not in done.stderr


@pytest.mark.slow
def test_a_stopped_run_leaves_nothing_open_either(
    user: User, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile, source = profile_for(witness, delivery=['rate = "100/s"']), user.has("people.csv", people(300))
    process: subprocess.Popen[Any] = subprocess.Popen(
        [*STRICT, "run", str(source), "--config", str(profile), "--target", "sandbox", "--json"],
        cwd=user.home,
        env={**user.environ, **witness.environ, "PYTHONASYNCIODEBUG": "1", "PYTHONDEVMODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: witness.ledger()["customers"] >= 30, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)

    assert process.returncode == 130, out + err
    for failure in ("never retrieved", "never awaited", "Unclosed", "destroyed", "Warning", "Traceback"):
        assert failure not in err
