"""Real gateways in front of the API: nginx that limits, fails and waits in vain, HAProxy that hangs up when idle."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.components import free_port, haproxy, nginx
from tests.acceptance.conftest import (
    User,
    Witness,
    exactly_once,
    logged,
    people,
    sandbox,
    serving,
    serving_here,
    wait_until,
)

PATIENT: dict[str, object] = {
    "max_attempts": 60,
    "backoff_base_s": 0.1,
    "backoff_cap_s": 0.5,
    "looks_after_s": [0, 0.2],
    "look_again_after_s": 0.2,
    "breaker_faults": 100_000,
}


def reaching(user: User, base_url: str, rate: str, **delivery: object) -> tuple[str | Path, ...]:
    """The options of a run that reaches its sandbox at an address, with settings of `[delivery]`."""
    lines = ["[delivery]", f'rate = "{rate}"', *(f"{name} = {value}" for name, value in delivery.items())]
    lines += ["[targets.sandbox]", f'base_url = "{base_url}"', 'account = "tests"']
    return sandbox(user.has("reaching.toml", "\n".join(lines) + "\n"))


def upstream(witness: Witness) -> str:
    return witness.base_url.removeprefix("http://")


@pytest.mark.parametrize(("status", "rows"), [("429", 120), ("503", 120)])
def test_the_limit_of_a_real_nginx_is_obeyed_and_costs_no_row(
    user: User, witness: Witness, status: str, rows: int
) -> None:
    """nginx says neither how long to wait nor anything a program could read: a page of HTML.

    503 is its own choice, and all patience is what it is by default.
    """
    http = "limit_req_zone $server_addr zone=api:1m rate=60r/s;"
    location = f"limit_req zone=api burst=20 nodelay; limit_req_status {status};"
    with nginx(user.home, upstream(witness), http=http, location=location) as front:
        options = reaching(user, front.base_url, "300/s", looks_after_s=[0, 0.2], look_again_after_s=0.2)
        ran = user.types("run", user.has("people.csv", people(rows)), *options, "--json", **witness.environ)

        assert ran.code == 0, ran.out
        exactly_once(witness, user.reads(ran.json["files"]["results"]))
        answers = Counter(front.statuses())
        assert answers["201"] == rows
        assert 0 < answers[status] < 2 * rows
        assert ran.json["rate"]["paused_s"] > 0
        assert witness.ledger()["largest_window"] <= 120  # 80, and what a busy machine delivers in bunches; 300 asked


@pytest.mark.slow
def test_a_backend_that_dies_and_returns_behind_nginx_costs_no_row(user: User) -> None:
    """nginx says 502 while nobody listens behind it; the backend's customers outlive it."""
    port = free_port()
    options = ("--port", str(port), "--store", str(user.home / "store.sqlite3"))
    environ = {"EMULATOR_API_KEY": "the-key", "EMULATOR_API_SECRET": "the-secret"}
    living = User(user.home, {**user.environ, **environ})
    with nginx(user.home, f"127.0.0.1:{port}") as front:
        with serving(living, *options) as first:
            arguments = reaching(user, front.base_url, "150/s", **PATIENT)
            process = user.starts("run", user.has("people.csv", people(120)), *arguments, "--json", **first.environ)
            wait_until(lambda: first.ledger()["customers"] > 40)
            first.process.send_signal(signal.SIGKILL)
            first.process.wait()
        wait_until(lambda: front.statuses().count("502") >= 20)
        with serving(living, *options) as second:
            out, err = process.communicate(timeout=60)

            assert (process.returncode, "Traceback" in err) == (0, False), out + err
            exactly_once(second, user.reads(str(next(user.home.glob("runs/*/results.csv")))))


def test_a_gateway_that_waits_in_vain_makes_no_duplicates(user: User) -> None:
    """nginx says 504, while the customer is created all the same, later."""
    faults = user.has(
        "slow.toml",
        'seed = 3\n[[rule]]\nfault = "latency"\non = ["create"]\ndelay_s = 0.6\ncommit = true\nprobability = 0.1\n'
        '[[rule]]\nfault = "latency"\non = ["create"]\ndelay_s = 0.6\nprobability = 0.1\n',
    )
    with (
        serving_here(faults) as witness,
        nginx(user.home, upstream(witness), location="proxy_read_timeout 200ms;") as front,
    ):
        options = reaching(user, front.base_url, "300/s", **{**PATIENT, "looks_after_s": [0, 0.8]})
        ran = user.types("run", user.has("people.csv", people(150)), *options, "--json", **witness.environ)

        assert ran.code == 0, ran.out
        assert front.statuses().count("504") > 10
        exactly_once(witness, user.reads(ran.json["files"]["results"]))


@pytest.fixture
def apart(user: User) -> Iterator[Witness]:
    """An emulator that can be stopped, for it has a process for itself."""
    with serving(user) as running:
        yield running


@pytest.mark.slow
def test_a_server_that_hangs_for_a_while_makes_no_duplicates(user: User, apart: Witness) -> None:
    """Half-open: connections live, nobody answers; what was asked is done when the server goes on."""
    options = reaching(user, apart.base_url, "200/s", read_timeout_s=0.3, **PATIENT)
    process = user.starts("run", user.has("people.csv", people(200)), *options, "--json", **apart.environ)
    wait_until(lambda: apart.ledger()["customers"] > 40)
    apart.process.send_signal(signal.SIGSTOP)
    try:
        wait_until(lambda: '"in_doubt"' in logged(user))
    finally:
        apart.process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=60)

    assert (process.returncode, "Traceback" in err) == (0, False), out + err
    exactly_once(apart, user.reads(str(next(user.home.glob("runs/*/results.csv")))))


def test_haproxy_that_hangs_up_between_requests_raises_no_false_doubt(user: User, witness: Witness) -> None:
    with haproxy(user.home, upstream(witness), defaults="timeout http-keep-alive 10ms") as front:
        options = reaching(user, front.base_url, "10/s", concurrency=1)
        ran = user.types("run", user.has("people.csv", people(20)), *options, "--json", **witness.environ)

        assert ran.code == 0, ran.out
        results = user.reads(ran.json["files"]["results"])
        exactly_once(witness, results)
        assert {row["_attempts"] for row in results} == {"1"}
        assert witness.ledger()["counts"] == {"token": {"200": 1}, "list": {"200": 1}, "create": {"201": 20}}


def test_haproxy_that_hangs_up_just_when_the_next_request_leaves_makes_no_duplicates(
    user: User, witness: Witness
) -> None:
    with haproxy(user.home, upstream(witness), defaults="timeout http-keep-alive 10ms") as front:
        options = reaching(user, front.base_url, "100/s", concurrency=1, **PATIENT)
        ran = user.types("run", user.has("people.csv", people(200)), *options, "--json", **witness.environ)

        assert ran.code == 0, ran.out
        exactly_once(witness, user.reads(ran.json["files"]["results"]))
