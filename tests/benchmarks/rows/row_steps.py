"""Steps after the creates: how full they keep the rate, and what customers cost who wait for their outcome."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.benchmarks.bench import IMPORTER, Figure, Settings, a_folder, environ
from tests.benchmarks.emulating import Target, emulator, profile_for
from tests.benchmarks.measuring import measure, watched
from tests.benchmarks.people import HEADER, people
from tests.benchmarks.rows.row_resume import started

RATE, USE_TARGET, MEMORY_TARGET, RESUME_TARGET_S = 200, 0.95, 1.1, 10.0
STEPS = frozenset({"limits", "limits_set", "idv_submit", "get"})
"""The kinds of request of the three steps; looks at outcomes come after them."""
ENDED = (0, 3, 75)
WATCHED_S = 15.0

_MAPPING = {
    "type": '{ value = "INDIVIDUAL" }',
    "externalId": '"Customer ID"',
    "firstName": '"First Name"',
    "lastName": '"Last Name"',
    "primaryEmail.value": '"Email"',
    "primaryPhoneNumber.number": '"Phone"',
    "primaryPhoneNumber.type": '{ value = "MOBILE" }',
    "dateOfBirth": '{ column = "Date of Birth", format = "%Y-%m-%d" }',
    "socialId": '"SSN"',
    "socialIdCountryCode": '{ value = "USA" }',
    "addresses.physical.streetLine1": '"Street"',
    "addresses.physical.cityName": '"City"',
    "addresses.physical.stateCode": '"State"',
    "addresses.physical.zipCode": '"ZIP"',
    "addresses.physical.countryCode": '"Country"',
    "limits.daily": '"Daily"',
}
_WAITING = """
UPDATE rows SET state = 'created', customer_id = printf('00000000-0000-4000-8000-%012x', ordinal), http_status = 201,
       attempts = 1
 WHERE state IN ('ready', 'unsent');
UPDATE steps SET state = 'submitted', reference = printf('10000000-0000-4000-8000-%012x', ordinal), attempts = 1,
       next_at = 0
 WHERE step = 'verification' AND state = 'waiting';
"""
"""Every row was created, and its verification submitted."""


def run(settings: Settings) -> Iterator[Figure]:
    """Measure the steps."""
    yield from _share_of_the_rate(settings)
    yield from _memory(settings)
    yield from _resumed(settings)


def _share_of_the_rate(settings: Settings) -> Iterator[Figure]:
    rows, uses, windows = settings.scaled(5_000, 200), [], []
    source = _source(settings, rows)
    for _ in range(settings.rounds):
        with a_folder() as folder, emulator(folder, "--idv-seconds", "0") as target:
            three = ("limits = true", 'identity_verification = "Standard"', "verify = true")
            _run(source, folder, target, rate=f"{RATE}/s", steps=three)
            times = [one["at_s"] for one in _arrivals(target) if one["kind"] in STEPS]
            # From the first request to the last one: a rate of n/s has n starts in a second, and so n - 1 gaps.
            uses.append((len(times) - 1) / (max(times) - min(times)) / RATE)
            windows.append(float(target.ledger()["largest_window"]))
    what = f"share used of {RATE}/s by three steps of {rows:,} rows"
    yield Figure.judged("steps", what, tuple(uses), "x", at_least=USE_TARGET, settings=settings)
    yield Figure.judged("steps", f"most in any second at {RATE}/s", (max(windows),), "requests", at_most=RATE)


def _memory(settings: Settings) -> Iterator[Figure]:
    """Follow runs of few and of many customers that all wait."""
    counts, peaks = (settings.scaled(1_000, 100), settings.scaled(10_000, 1_000)), []
    for rows in counts:
        source = _source(settings, rows)
        with a_folder() as folder, emulator(folder, "--idv-seconds", "3600") as target:
            profile = _submitted(source, folder, target)
            peaks.append(_waiting_mb(profile, folder, target))
            yield Figure("steps", f"memory while {rows:,} customers wait", peaks[-1], "MB")
    what = f"memory of {counts[1]:,} waiting against {counts[0]:,}"
    ratio = (peaks[1] / peaks[0],)
    yield Figure.judged("steps", what, ratio, "x", at_most=MEMORY_TARGET, settings=settings)


def _waiting_mb(profile: Path, folder: Path, target: Target) -> float:
    """Follow for a while; the results, which take more memory, are not written any more."""
    before = _looks(target)
    words: list[str | Path] = ["follow", "last", "--target", "sandbox", "--follow-up", "10m"]
    with started(words, profile, folder / "runs", target, folder) as process:
        try:
            _wait_for_a_look(target, before, process)
            until = time.monotonic() + WATCHED_S
            return watched(process.pid, lambda: time.monotonic() >= until)
        finally:
            process.kill()


def _resumed(settings: Settings) -> Iterator[Figure]:
    rows, taken = settings.scaled(100_000, 1_000), []
    source = _source(settings, rows)
    with a_folder() as folder, emulator(folder) as target:
        profile = _submitted(source, folder, target, rate="1/s", stopped=True)
        for _ in range(settings.rounds):
            with closing(sqlite3.connect(folder / "runs" / "journal.sqlite3")) as journal:
                journal.executescript(_WAITING)
            taken.append(_first_look_s(profile, folder, target))
    what = f"to the first look, {rows:,} customers waiting"
    yield Figure.judged("steps", what, tuple(taken), "s", at_most=RESUME_TARGET_S, settings=settings)


def _first_look_s(profile: Path, folder: Path, target: Target) -> float:
    before, began = _looks(target), time.perf_counter()
    words: list[str | Path] = ["resume", "last", "--target", "sandbox", "--yes"]
    with started(words, profile, folder / "runs", target, folder) as process:
        try:
            _wait_for_a_look(target, before, process)
            return time.perf_counter() - began
        finally:
            process.kill()


def _wait_for_a_look(target: Target, before: int, process: subprocess.Popen[bytes]) -> None:
    while _looks(target) <= before:
        assert process.poll() is None, "it ended without a look"
        time.sleep(0.02)  # noqa: TID251  # a stopwatch on another process


def _looks(target: Target) -> int:
    return sum(target.ledger()["counts"].get("idv_get", {}).values())


def _submitted(source: Path, folder: Path, target: Target, *, rate: str = "2000/s", stopped: bool = False) -> Path:
    """Have a run whose customers all wait for their outcome; returns its profile.

    Args:
        stopped: killed as soon as it sends, with all of it planned.
    """
    steps = ('identity_verification = "Standard"', 'follow_up = "0s"')
    if not stopped:
        return _run(source, folder, target, rate=rate, steps=steps)
    profile = _profile(folder, target, rate=rate, steps=steps)
    words: list[str | Path] = ["run", source, "--target", "sandbox", "--yes"]
    with started(words, profile, folder / "runs", target, folder) as process:
        while not target.ledger()["counts"].get("create"):
            assert process.poll() is None, "it ended without a request"
            time.sleep(0.02)  # noqa: TID251  # a stopwatch on another process
        process.send_signal(signal.SIGINT)
        process.wait()
    return _profile(folder, target, rate="2000/s", steps=('identity_verification = "Standard"',))


def _run(source: Path, folder: Path, target: Target, *, rate: str, steps: tuple[str, ...]) -> Path:
    profile = _profile(folder, target, rate=rate, steps=steps)
    options = ["--target", "sandbox", "--config", profile, "--workspace", folder / "runs", "--yes", "--json"]
    measure([*IMPORTER, "run", source, *options], cwd=folder, environ=environ(**target.credentials), allowed=ENDED)
    return profile


def _profile(folder: Path, target: Target, *, rate: str, steps: tuple[str, ...]) -> Path:
    mapping = [f'"{name}" = {how}' for name, how in _MAPPING.items()]
    more = "\n".join(["[mapping]", *mapping, "[after_create]", *steps])
    return profile_for(target, folder, rate=rate, concurrency=64, more=more)


def _source(settings: Settings, rows: int) -> Path:
    path = settings.data / f"steps-{rows}.csv"
    if not path.exists():
        lines = (f"{line},900-10-{number % 10_000:04d},100.50" for number, line in enumerate(people(rows)))
        path.write_text("\n".join([f"{HEADER},SSN,Daily", *lines, ""]), encoding="utf-8")
    return path


def _arrivals(target: Target) -> Iterator[dict[str, Any]]:
    with urlopen(f"{target.base_url}/_emulator/arrivals", timeout=60) as answer:  # noqa: S310  # loopback
        yield from map(json.loads, answer)
