"""The steps after the creates on the way: the progress line, plain lines, the log, metrics."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from importer.core.events import Event
from importer.core.ports import Events
from importer.observe.event_log import EventLog
from importer.observe.logs import LOG_NAME, configure
from importer.observe.metrics import metered
from importer.observe.progress import progress
from importer.observe.tally import Tally
from importer.profile import MetricsSettings
from tests.unit.observe.test_observe_metrics import numbers


class Seconds:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def settled(step: str, state: str = "done", outcome: str = "") -> Event:
    return Event("step_settled", {"step": step, "state": state, "outcome": outcome})


def started(step: str, total: int) -> Event:
    return Event("steps_started", {"step": step, "total": total})


def following(opened: int, until: float = 8_200.0) -> Event:
    return Event("following", {"open": opened, "until": until})


@pytest.mark.parametrize(
    ("step", "phase"),
    [
        ("beneficiaries", "Creating beneficial owners"),
        ("limits", "Setting limits"),
        ("documents", "Uploading documents"),
        ("verification", "Submitting for verification"),
        ("verify", "Reading back"),
        ("update", "Updating"),
        ("suspend", "Suspending"),
        ("delete", "Deleting"),
    ],
)
def test_every_step_is_a_phase_with_its_own_numbers(step: str, phase: str) -> None:
    tally = Tally(Seconds())
    tally(Event("delivery_started", {"total": 5, "already_done": 0}))
    tally(Event("row_settled", {"state": "rejected"}))
    tally(started(step, 4))
    tally(settled(step))
    assert tally.line() == f"{phase} 1 of 4 (25%)"
    tally(settled(step, "failed"))
    assert tally.line() == f"{phase} 2 of 4 (50%) · 1 failed"


def test_a_step_has_its_rate_and_time_left_and_the_next_one_begins_anew() -> None:
    seconds = Seconds()
    tally = Tally(seconds)
    tally(started("limits", 100))
    for _ in range(40):
        seconds.now += 0.1
        tally(settled("limits", "unknown" if seconds.now < 1_000.15 else "done"))
    assert tally.line() == "Setting limits 40 of 100 (40%) · 1 unknown · 10.0/s · 0:06 left"
    tally(started("verify", 100))
    assert tally.line() == "Reading back 0 of 100 (0%)"


def test_the_wait_for_outcomes_shows_what_is_open_what_came_and_how_long_it_lasts() -> None:
    seconds = Seconds()
    tally = Tally(seconds, seconds)
    tally(started("verification", 30))
    for _ in range(30):
        tally(settled("verification", "submitted"))
    tally(following(30))
    assert tally.line() == "Waiting for outcomes: 30 open · 2:00:00 left"
    seconds.now += 60
    for outcome in ("APPROVED", "APPROVED", "DECLINED"):
        tally(settled("verification", "done", outcome))
    tally(settled("verification", "needs_person"))
    tally(settled("verification", "submitted"))
    came = "2 approved · 1 declined · 1 need a person"
    assert tally.line() == f"Waiting for outcomes: 26 open · {came} · 1:59:00 left"


def test_the_wait_may_be_announced_again_with_other_numbers() -> None:
    seconds = Seconds()
    tally = Tally(seconds, seconds)
    tally(following(3))
    tally(settled("verification", "done", "APPROVED"))
    tally(following(2, 4_600.0))
    assert tally.line() == "Waiting for outcomes: 2 open · 1 approved · 1:00:00 left"


def test_without_a_clock_the_time_left_is_not_guessed() -> None:
    tally = Tally(Seconds())
    tally(following(3))
    assert tally.line() == "Waiting for outcomes: 3 open"


def test_while_outcomes_are_waited_for_a_plain_line_comes_every_minute() -> None:
    seconds, stream = Seconds(), io.StringIO()
    with progress(stream=stream, monotonic=seconds, now=seconds) as shown:
        shown(following(9))
        for _ in range(20):
            seconds.now += 10
            shown(settled("verification", "submitted"))
    assert len(stream.getvalue().splitlines()) == 3


def happen(sink: Events) -> None:
    sink(Event("steps_planned", {"steps": {"limits": 2, "verification": 2}}))
    sink(started("limits", 2))
    sink(settled("limits"))
    sink(settled("limits", "failed"))
    sink(Event("steps_ended", {"step": "limits"}))
    sink(settled("verification", "needs_person"))
    sink(following(1))
    sink(Event("step_notice", {"text": "The account has no limits in EUR (Ann Example)."}))


def test_the_log_has_steps_states_and_numbers_and_no_sentence(tmp_path: Path) -> None:
    with configure(tmp_path):
        happen(EventLog())
    text = (tmp_path / LOG_NAME).read_text("utf-8")
    logged: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    assert [{k: v for k, v in one.items() if k not in {"timestamp", "level"}} for one in logged] == [
        {"event": "steps_planned", "steps": {"limits": 2, "verification": 2}},
        {"event": "steps_started", "step": "limits", "total": 2},
        {"event": "step_settled", "step": "limits", "state": "failed"},
        {"event": "steps_ended", "step": "limits"},
        {"event": "step_settled", "step": "verification", "state": "needs_person"},
        {"event": "following", "open": 1, "until": 8200.0},
        {"event": "step_notice"},
    ]
    assert "Ann" not in text


def test_metrics_count_steps_by_state_and_show_what_is_open(tmp_path: Path) -> None:
    path = tmp_path / "importer.prom"
    with metered(MetricsSettings(textfile=path), "live") as metrics:
        happen(metrics)
        assert metrics.registry.get_sample_value("importer_last_run_open_steps", {"target": "live"}) == 1
        metrics(Event("run_ended", {"counts": {"read": 2}, "exit_code": 75, "elapsed_s": 1.0, "open": 1}))
    found = numbers(path.read_text())
    assert found["importer_steps_total[done][limits]"] == 1
    assert found["importer_steps_total[failed][limits]"] == 1
    assert found["importer_last_run_open_steps"] == 1


def test_a_run_without_steps_leaves_none_open(tmp_path: Path) -> None:
    path = tmp_path / "importer.prom"
    with metered(MetricsSettings(textfile=path), "live") as metrics:
        metrics(Event("run_ended", {"counts": {"read": 2}, "exit_code": 0, "elapsed_s": 1.0}))
    assert numbers(path.read_text())["importer_last_run_open_steps"] == 0


def test_customers_that_are_read_before_they_are_taken_back_are_counted() -> None:
    tally = Tally(Seconds())
    tally(Event("undo_looked", {"total": 200, "done": 0}))
    for done in range(1, 51):
        tally(Event("undo_looked", {"done": done}))
    assert tally.line().startswith("Reading customers 50 of 200 (25%)")
