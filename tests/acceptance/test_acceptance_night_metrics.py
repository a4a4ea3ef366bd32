"""Numbers of real nights: whatever a night came to, an alert can be set on it."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.conftest import User, Witness, ended, people, sandbox, wait_for

CORRUPT = "a,b\n\x00\x01\x02"


@pytest.fixture
def inbox(user: User) -> Path:
    path = user.home / "inbox"
    path.mkdir()
    user.environ.update(
        IMPORTER_NIGHTLY__SETTLE_S="0.02",
        IMPORTER_NIGHTLY__POLL_S="0.05",
        IMPORTER_TARGET="emulator",
        IMPORTER_METRICS__TEXTFILE=str(user.home / "importer.prom"),
    )
    return path


def read(text: str) -> dict[str, float]:
    """Every sample of the last run and the last night; the other label than the target in brackets."""
    found = dict[str, float]()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            label = "".join(f"[{value}]" for name, value in sample.labels.items() if name != "target")
            found[sample.name.removeprefix("importer_last_") + label] = sample.value
    return found


def numbers(user: User) -> dict[str, float]:
    return read((user.home / "importer.prom").read_text(encoding="utf-8"))


def test_a_night_of_good_and_corrupt_files_ends_with_its_worst_code(user: User, inbox: Path) -> None:
    (inbox / "a.csv").write_text(CORRUPT)
    (inbox / "b.csv").write_text(people(3))
    ran = user.types("nightly", "inbox")

    found = numbers(user)
    assert (ran.code, found["night_exit_code"], found["run_exit_code"]) == (6, 6, 0)
    assert (found["night_files[imported]"], found["night_files[refused]"], found["night_files[held]"]) == (1, 1, 0)
    assert found["run_rows[created]"] == 3
    assert found["night_timestamp_seconds"] >= found["run_timestamp_seconds"] > 1_700_000_000
    assert found["importer_run_in_progress"] == 0


def test_a_night_of_one_corrupt_file_has_numbers(user: User, inbox: Path) -> None:
    (inbox / "a.csv").write_text(CORRUPT)
    user.types("nightly", "inbox")

    found = numbers(user)
    assert (found["night_exit_code"], found["run_exit_code"], found["night_files[refused]"]) == (6, 6, 1)


def test_a_night_without_a_file_is_counted_and_keeps_the_earlier_run(user: User, inbox: Path) -> None:
    user.types("nightly", "inbox")
    assert numbers(user)["night_exit_code"] == 0
    assert "run_exit_code" not in numbers(user)

    (inbox / "a.csv").write_text(people(4))
    user.types("nightly", "inbox")
    before = numbers(user)
    user.types("nightly", "inbox", "--expect", "daily", IMPORTER_NIGHTLY__EXPECT_BY="00:00")
    user.types("nightly", "nowhere")
    after = numbers(user)

    assert (after["night_exit_code"], after["run_exit_code"], after["run_rows[created]"]) == (6, 0, 4)
    assert after["run_timestamp_seconds"] == before["run_timestamp_seconds"]
    assert after["night_timestamp_seconds"] > before["night_timestamp_seconds"]


def test_a_single_run_keeps_the_metrics_of_the_last_night(user: User, inbox: Path) -> None:
    (inbox / "a.csv").write_text(CORRUPT)
    user.types("nightly", "inbox")
    user.types("run", user.has("people.csv", people(3)))

    found = numbers(user)
    assert (found["night_exit_code"], found["night_files[refused]"], found["run_exit_code"]) == (6, 1, 0)


def test_a_known_file_is_counted_as_a_file_and_not_as_a_run(user: User, inbox: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (inbox / name).write_text(people(3))
        user.types("nightly", "inbox")

    found = numbers(user)
    assert (found["night_files[known]"], found["night_files[imported]"], found["run_rows[created]"]) == (1, 0, 3)


def test_a_night_that_cannot_begin_leaves_its_exit_code(
    user: User, inbox: Path, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    environ = {**witness.environ, "ROCKETKOR_API_SECRET": ""}
    ran = user.types("nightly", "inbox", *sandbox(profile_for(witness)), **environ)

    assert ran.code == 2
    assert numbers(user)["night_exit_code"] == 2


@pytest.mark.slow
def test_the_port_is_open_as_long_as_the_watch_and_counts_from_file_to_file(user: User, inbox: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def served() -> dict[str, float]:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:  # loopback
            return read(answer.read().decode())

    def settled() -> float:
        try:
            return served().get("importer_rows_settled_total[created]", 0)
        except OSError:
            return -1

    watching = user.starts("nightly", "inbox", "--watch", IMPORTER_METRICS__PORT=str(port))
    wait_for(lambda: settled() == 0, watching)
    for count, total in ((3, 3), (5, 5)):
        (inbox / f"{count}.csv").write_text(people(count))
        wait_for(lambda total=total: settled() == total, watching)  # type: ignore[misc]
    wait_for(lambda: len(list((inbox / "archive").iterdir())) == 2, watching)
    wait_for(lambda: served().get("night_files[imported]") == 1, watching)
    watching.send_signal(signal.SIGTERM)

    assert ended(watching).code == 0
    assert (numbers(user)["night_exit_code"], numbers(user)["importer_run_in_progress"]) == (0, 0)
    with pytest.raises(OSError, match="refused"):
        served()


def test_numbers_that_cannot_be_shown_are_a_warning_on_standard_error_and_stop_nothing(user: User, inbox: Path) -> None:
    (inbox / "a.csv").write_text(people(3))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        environ = {
            "IMPORTER_METRICS__TEXTFILE": str(user.home / "missing" / "importer.prom"),
            "IMPORTER_METRICS__PORT": str(taken.getsockname()[1]),
            "IMPORTER_METRICS__EVERY_S": "0.01",
        }
        ran = user.types("nightly", "inbox", "--json", **environ)

    assert (ran.code, ran.json["imports"][0]["fate"]) == (0, "imported")
    assert "metrics_not_served" in ran.err
    assert "metrics_not_written" in ran.err
