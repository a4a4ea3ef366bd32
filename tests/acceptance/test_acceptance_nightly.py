"""Nights on which something is not as it should be: clear text, the right exit code, and nothing lost."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from importer.core.errors import TryLaterError
from importer.inbox import Inbox, PassReport
from importer.profile import Profile
from importer.runs.file_result import Fate
from importer.runs.wiring import SystemClock
from tests.acceptance.conftest import IMPORTER, SAMPLES, User, Witness, ended, people, serving_here, wait_for

QUICK = {
    "IMPORTER_NIGHTLY__SETTLE_S": "0.02",
    "IMPORTER_NIGHTLY__POLL_S": "0.05",
    "IMPORTER_TARGET": "emulator",  # the target has to be named
}
HEADER_AND_ONE = "\n".join(people(41).splitlines()[:1] + people(41).splitlines()[-1:]) + "\n"
SANDBOX = ("--target", "sandbox", "--json")


@pytest.fixture
def inbox(user: User) -> Path:
    path = user.home / "inbox"
    path.mkdir()
    user.environ.update(QUICK)
    return path


def nightly(profile: Path) -> tuple[str | Path, ...]:
    return ("nightly", "inbox", "--config", profile, *SANDBOX)


# --------------------------------------------------------------------------- nothing there, nothing readable


def test_without_a_named_target_nothing_is_touched(user: User, inbox: Path) -> None:
    (inbox / "a.csv").write_text(people(3))
    unnamed = user.types("nightly", "inbox", IMPORTER_TARGET="")
    looked_at = user.types("doctor", "inbox", "--json", IMPORTER_TARGET="")

    assert (unnamed.code, "No target is named" in unnamed.err) == (2, True)
    assert "--target emulator for a rehearsal" in unnamed.err
    assert [path.name for path in inbox.iterdir()] == ["a.csv"]
    assert looked_at.code == 2
    assert "No target is named" in looked_at.out


@pytest.mark.parametrize("named", ["option", "variable", "profile"])
def test_the_emulator_may_be_named_in_any_place(user: User, inbox: Path, named: str) -> None:
    (inbox / "a.csv").write_text(people(3))
    profile = user.has("p.toml", 'target = "emulator"\n' if named == "profile" else "")
    words = ("--target", "emulator") if named == "option" else ()
    ran = user.types(
        "nightly", "inbox", "--config", profile, *words, IMPORTER_TARGET="emulator" if named == "variable" else ""
    )

    assert ran.code == 0, ran.err


def test_an_empty_folder_is_not_an_error(user: User, inbox: Path) -> None:
    ran = user.types("nightly", "inbox")

    assert (ran.code, "Nothing to do in inbox." in ran.err) == (0, True)


def test_a_folder_that_is_missing_or_a_file_is_a_sentence_and_code_6(user: User, inbox: Path) -> None:
    for name in ("nowhere", user.has("a.csv", "x").name):
        ran = user.types("nightly", name, "--json")
        assert (ran.code, "There is no folder" in ran.json["error"]) == (6, True)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv to be a root that may not read everything")
@pytest.mark.parametrize(("mode", "code", "says"), [(0o000, 6, "cannot be read"), (0o500, 1, "Files cannot be moved")])
@pytest.mark.slow
def test_a_folder_that_cannot_be_used_is_a_sentence(user: User, inbox: Path, mode: int, code: int, says: str) -> None:
    (inbox / "a.csv").write_text(people(3))
    inbox.chmod(mode)
    capless = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all")
    done = subprocess.run(
        [*capless, *IMPORTER, "nightly", "inbox", "--json"],
        cwd=user.home,
        env=user.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    inbox.chmod(0o700)

    assert (done.returncode, says in json.loads(done.stdout)["error"]) == (code, True), done.stdout + done.stderr
    assert [path.name for path in inbox.iterdir()] == ["a.csv"]


def test_a_live_target_that_nobody_confirms_touches_nothing(user: User, inbox: Path) -> None:
    (inbox / "a.csv").write_text(people(3))
    user.has("live.toml", '[targets.live]\nbase_url = "https://api.example.com"\n')
    keys = {"ROCKETKOR_API_KEY": "k", "ROCKETKOR_API_SECRET": "s"}
    ran = user.types("nightly", "inbox", "--config", "live.toml", "--target", "live", "--json", **keys)

    assert (ran.code, "--yes" in ran.json["error"]) == (2, True)
    assert [path.name for path in inbox.iterdir()] == ["a.csv"]


def test_a_night_cannot_be_a_dry_run(user: User, inbox: Path) -> None:
    (inbox / "a.csv").write_text(people(3))
    ran = user.types("nightly", "inbox", IMPORTER_DRY_RUN="true")

    assert (ran.code, "cannot be a dry run" in ran.err) == (2, True)
    assert [path.name for path in inbox.iterdir()] == ["a.csv"]


# --------------------------------------------------------------------------- in the middle


@pytest.mark.slow
def test_of_two_nights_at_once_one_works_and_a_signal_leaves_the_rest_to_the_next(
    user: User, inbox: Path, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "40/s"'])
    (inbox / "a.csv").write_text(people(100))
    first = user.starts(*nightly(profile), **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] > 10, first)
    (inbox / "b.csv").write_text(people(110))

    for workspace in ("runs", "another"):
        second = user.types(*nightly(profile), "--workspace", workspace, **witness.environ)
        assert (second.code, f"process {first.pid}" in second.json["error"]) == (7, True)
    first.send_signal(signal.SIGTERM)
    stopped = ended(first)
    assert (stopped.code, stopped.json["imports"][0]["fate"]) == (143, "held")

    third = user.types(*nightly(profile), "--rate", "500/s", **witness.environ)
    assert third.code == 0, third.out
    assert [(one["file"], one["resumed"], one["fate"]) for one in third.json["imports"]] == [
        ("a.csv", True, "imported"),
        ("b.csv", False, "imported"),
    ]
    assert len(witness.customers()) == 110


@pytest.mark.slow
def test_a_run_that_holds_the_lock_keeps_the_night_waiting(
    user: User, inbox: Path, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness, delivery=['rate = "40/s"'])
    run = user.starts("run", user.has("by-hand.csv", people(60)), "--config", profile, *SANDBOX, **witness.environ)
    wait_for(lambda: witness.ledger()["customers"] > 10, run)
    (inbox / "a.csv").write_text(people(70))
    ran = user.types(*nightly(profile), **witness.environ)

    assert (ran.code, "Another run works" in ran.json["error"]) == (7, True)
    assert ended(run).code == 0
    again = user.types(*nightly(profile), **witness.environ)
    assert (again.code, again.json["counts"]["created"], again.json["counts"]["existing"]) == (0, 10, 60)


def test_under_a_profile_that_changed_a_stopped_run_is_checked_again_and_goes_on(
    user: User, inbox: Path, witness: Witness, profile_for: Callable[..., Path]
) -> None:
    profile = profile_for(witness)
    (inbox / "a.csv").write_text(people(5))
    assert user.types(*nightly(profile), **{**witness.environ, "ROCKETKOR_API_SECRET": "wrong"}).code == 5

    changed = profile_for(witness, "changed.toml", more='[validation]\nphone = "e164"')
    environ = {**witness.environ, "IMPORTER_TARGETS__SANDBOX__ACCOUNT": ""}
    (inbox / "b.csv").write_text(people(7))
    ran = user.types(*nightly(changed), **environ)

    assert ran.code == 0
    assert [(one["file"], one["fate"]) for one in ran.json["imports"]] == [("a.csv", "imported"), ("b.csv", "imported")]
    assert len(witness.customers()) == 7
    assert not list((inbox / "failed").glob("*/why.txt"))


def test_rows_refused_beyond_a_threshold_put_the_file_aside_with_its_results(
    user: User, inbox: Path, profile_for: Callable[..., Path]
) -> None:
    faults = user.has("refuse.toml", '[[rule]]\nfault = "status"\nstatus = 422\non = ["create"]\nfor_requests = 30\n')
    with serving_here(faults) as witness:
        profile = profile_for(witness, delivery=['rate = "300/s"', "concurrency = 2"])
        (inbox / "a.csv").write_text(people(40))
        (inbox / "b.csv").write_text(HEADER_AND_ONE)
        ran = user.types(*nightly(profile), "--max-errors", "2", **witness.environ)

        assert ran.code == 4, ran.out
        assert ran.json["imports"][0]["fate"] == "refused"
        (put,) = (inbox / "failed").glob("*_a.csv")
        assert {"a.csv", "why.txt", "results.csv", "rejects.csv"} <= {path.name for path in put.iterdir()}
        assert f"importer resume {ran.json['imports'][0]['run_id']}" in (put / "why.txt").read_text("utf-8")
        assert ran.json["imports"][1]["file"] == "b.csv"
        assert list((inbox / "processing").iterdir()) == []


def test_a_known_file_is_not_sent_twice_unless_forced(user: User, inbox: Path) -> None:
    counts: dict[str, int] = {}
    for name, options, fate in (("a.csv", (), "imported"), ("b.csv", (), "known"), ("a.csv", ("--force",), "imported")):
        (inbox / name).write_text(people(4))
        ran = user.types("nightly", "inbox", "--json", *options)
        assert (ran.code, ran.json["imports"][0]["fate"]) == (0, fate)
        counts = ran.json["counts"]
    assert counts == {
        **dict.fromkeys(("created", "invalid", "rejected", "failed", "unknown", "unsent"), 0),
        "read": 4,
        "existing": 4,
    }
    assert len(list((inbox / "archive").iterdir())) == 3


def test_a_night_killed_between_the_run_and_the_archive_only_puts_the_file_away(user: User, inbox: Path) -> None:
    (inbox / "a.csv").write_text(people(4))
    run_id = user.types("nightly", "inbox", "--json").json["run_id"]
    (put,) = (inbox / "archive").iterdir()
    (put / "a.csv").rename(inbox / "processing" / "a.csv")
    shutil.rmtree(put)
    ran = user.types("nightly", "inbox", "--json")

    assert [(one["fate"], one["run_id"], one["counts"]["created"]) for one in ran.json["imports"]] == [
        ("imported", run_id, 4)
    ]
    assert {"a.csv", "results.csv", "report.html"} <= {path.name for path in put.iterdir()}


def test_a_file_that_is_still_being_written_is_left_for_later(user: User, inbox: Path) -> None:
    (inbox / "a.csv").write_text(people(4))
    grow = "import sys, time\nfor _ in range(2000): open(sys.argv[1], 'a').write('x'); time.sleep(0.002)"
    writer = subprocess.Popen([sys.executable, "-c", grow, str(inbox / "a.csv")])
    try:
        wait_for(lambda: (inbox / "a.csv").read_text().endswith("x"), writer)  # type: ignore[arg-type]
        ran = user.types("nightly", "inbox", "--json", IMPORTER_NIGHTLY__SETTLE_S="0.2")
    finally:
        writer.kill()
        writer.wait()

    assert (ran.code, ran.json["growing"], ran.json["imports"]) == (75, ["a.csv"], [])


def test_watching_takes_files_as_they_come_and_ends_well_when_idle(user: User, inbox: Path) -> None:
    watching = user.starts("nightly", "inbox", "--watch")
    for number in (1, 2):
        (inbox / f"{number}.csv").write_text(people(number + 2))
        wait_for(lambda number=number: len(list(inbox.glob("archive/*_?.csv"))) >= number, watching)  # type: ignore[misc]
    watching.send_signal(signal.SIGTERM)
    ran = ended(watching)

    assert ran.code == 0, ran.err
    assert ran.err.count("rehearsed") == 2


def test_a_notification_that_fails_fails_nothing_and_wrong_addresses_stop_before_anything(
    user: User, inbox: Path
) -> None:
    (inbox / "a.csv").write_text(people(3))
    wrong = user.types("nightly", "inbox", IMPORTER_NOTIFY_URLS="sekret://nobody/knows")
    assert (wrong.code, "Address 1 of 1" in wrong.err, "sekret" in wrong.err) == (2, True, False)
    assert [path.name for path in inbox.iterdir()] == ["a.csv"]

    ran = user.types("nightly", "inbox", IMPORTER_NOTIFY_URLS="json://127.0.0.1:9/sekret")
    assert (ran.code, "notification did not arrive" in ran.err, "sekret" in ran.err) == (0, True, False)


# --------------------------------------------------------------------------- hours, on a clock of our own


@dataclass
class Clock(SystemClock):
    """Real time, moved to another day."""

    offset_s: float = 0.0

    def now(self) -> float:
        return super().now() + self.offset_s

    def set(self, *at: int) -> None:
        self.offset_s = datetime(*at, tzinfo=UTC).timestamp() - super().now()  # type: ignore[arg-type,misc]


@dataclass
class Nights:
    """A folder at the emulator inside the run, and a clock."""

    home: Path
    options: dict[str, Any] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)

    def once(self, **options: Any) -> PassReport:
        profile = Profile.load(
            options={
                "workspace": str(self.home / "runs"),
                "target": "emulator",
                "delivery.timezone": "UTC",
                "nightly.settle_s": 0.01,
                **self.options,
                **options,
            },
            environ={},
        )
        return asyncio.run(Inbox(profile, self.home / "inbox", clock=self.clock, environ={}).once())


def test_the_end_of_the_window_stops_well_and_the_next_night_goes_on(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.csv").write_text(people(120))
    nights = Nights(tmp_path, {"delivery.window": "22:00-06:00"})

    nights.clock.set(2027, 3, 1, 14)
    with pytest.raises(TryLaterError, match="closed until 2027-03-01 22:00"):
        nights.once()
    assert [path.name for path in (tmp_path / "inbox").iterdir()] == ["a.csv"]

    nights.clock.set(2027, 3, 2, 5, 59, 58)
    first = nights.once(**{"delivery.rate": "30/s"})
    held = first.imports[0]
    assert (first.exit_code, held.fate) == (75, Fate.HELD)
    assert 0 < held.counts["created"] < 100
    assert held.counts["unsent"] + held.counts["created"] == 120
    assert held.forecast["text"].startswith("121 requests take about 4 s at 30/s. It will not finish by 06:00 at 30/s")
    assert not held.forecast["in_time"]

    nights.clock.set(2027, 3, 2, 22, 0, 1)
    second = nights.once()
    assert (second.exit_code, second.imports[0].fate, second.imports[0].counts["created"]) == (0, Fate.IMPORTED, 120)
    assert second.imports[0].forecast["in_time"]
    report = json.loads(Path(second.imports[0].put or tmp_path).joinpath("report.json").read_text("utf-8"))
    assert report["forecast"]["requests"] == held.counts["unsent"] + 1
    log = (tmp_path / "runs" / held.run_id / "run.log.jsonl").read_text("utf-8").splitlines()
    forecasts = [entry for entry in map(json.loads, log) if entry["event"] == "forecast"]
    assert [(entry["requests"], entry["in_time"]) for entry in forecasts] == [
        (121, False),
        (held.counts["unsent"] + 1, True),
    ]


def test_what_all_files_of_a_night_will_take_is_said_before_the_first(user: User, inbox: Path) -> None:
    header, *rows = people(63).splitlines()
    for name, own in (("a", rows[:20]), ("b", rows[20:41]), ("c", rows[41:])):
        (inbox / f"{name}.csv").write_text("\n".join([header, *own]) + "\n")
    soon = datetime.fromtimestamp(SystemClock().now() + 3_600, UTC)
    hours = ("--finish-by", f"{soon:%H:%M}", "--timezone", "UTC", "--rate", "500/s, 80/day")
    ran = user.types("nightly", "inbox", *hours)

    lines = [line for line in ran.err.splitlines() if "orecast" in line]
    assert lines[0].startswith("Forecast of the night: 3 files wait with about 63 rows, an estimate. 66 requests take")
    assert "and make 82% of the day's 80." in lines[0]
    assert [line.split()[1] for line in lines[1:]] == ["21", "22", "23"]
    # The later files' forecasts begin where the earlier ones, logins included, left the day's requests.
    assert ["26% of" in lines[1], "54% of" in lines[2], "82% of" in lines[3]] == [True, True, True]

    (inbox / "d.csv").write_text(people(60))
    again = user.types("nightly", "inbox", "--json", "--rate", "500/s, 80/day").json
    forecasts = again["forecast"]
    assert (forecasts["files"], forecasts["rows"], forecasts["in_time"]) == (1, 60, False)


def test_a_second_file_is_not_begun_after_the_end(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    for name in ("a.csv", "b.csv"):
        (tmp_path / "inbox" / name).write_text(people(60 if name == "a.csv" else 70))
    nights = Nights(tmp_path, {"delivery.finish_by": "06:00", "delivery.rate": "30/s"})
    nights.clock.set(2027, 3, 2, 5, 59, 59)
    report = nights.once()

    assert (report.exit_code, len(report.imports), report.waiting) == (75, 1, 1)


def test_a_file_that_is_expected_every_day_and_does_not_come_is_missed_once_it_is_late(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    nights = Nights(tmp_path, {"nightly.expect": "daily", "nightly.expect_by": "05:00"})
    nights.clock.set(2027, 3, 2, 4, 59)
    assert (nights.once().missing, nights.once().exit_code) == (False, 0)
    nights.clock.set(2027, 3, 2, 5, 1)
    assert (nights.once().missing, nights.once().exit_code) == (True, 75)

    (tmp_path / "inbox" / "a.csv").write_text(people(3))
    assert nights.once().exit_code == 0
    assert nights.once().missing is False
    nights.clock.set(2027, 3, 3, 5, 1)
    assert nights.once().missing is True


@pytest.mark.parametrize("command", ["run", "nightly"])
def test_hours_hold_for_single_runs_too(user: User, inbox: Path, command: str) -> None:
    source = SAMPLES / "customers.csv" if command == "run" else "inbox"
    hour = datetime.now(UTC).hour  # noqa: TID251  # the window has to miss the real hour
    window = f"{(hour + 2) % 24:02}:00-{(hour + 3) % 24:02}:00"
    ran = user.types(command, source, "--window", window, "--timezone", "UTC", "--json")

    assert (ran.code, f"the window {window} (UTC) is closed" in ran.json["error"]) == (75, True)
    if command == "run":
        done = user.types("run", source, "--finish-by", window[:5], "--timezone", "UTC", "--headroom", "0.5")
        assert done.code == 0
        assert "Forecast: 201 requests take about 2 s at 100/s. It will finish by" in done.err


def test_a_name_that_would_forge_a_line_or_steer_a_terminal_does_neither(user: User, inbox: Path) -> None:
    (inbox / "a\nb.csv: imported, 9 rows\x1b[2J.csv").write_text("no customers here\n")
    ran = user.types("nightly", "inbox", **QUICK)

    assert "\x1b" not in ran.err
    assert "\nb.csv: imported" not in ran.err
    (why,) = (inbox / "failed").glob("*/why.txt")
    assert "\x1b" not in why.read_text()
