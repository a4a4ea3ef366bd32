from __future__ import annotations

import fcntl
import io
import os
import re
import select
import struct
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from importer.core.events import Event
from importer.observe.progress import LiveProgress, NoProgress, PlainProgress, progress
from importer.observe.tally import Tally
from tests.screen import Screen


@dataclass
class Seconds:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def settled(state: str = "created") -> Event:
    return Event("row_settled", {"row": 2, "state": state, "attempts": 1})


def sending(seconds: Seconds, rows: int, per_s: float, total: int = 1000) -> Tally:
    tally = Tally(seconds)
    tally(Event("delivery_started", {"total": total, "already_done": 0}))
    for _ in range(rows):
        seconds.now += 1 / per_s
        tally(settled())
    return tally


def test_the_line_shows_phase_share_states_rate_and_time_left() -> None:
    tally = sending(Seconds(), 100, 10)
    tally(settled("rejected"))
    assert tally.line() == "Sending 101 of 1,000 (10%) · 1 rejected · 10.0/s · 1:30 left"


def test_the_rate_is_that_of_the_last_seconds() -> None:
    seconds = Seconds()
    tally = sending(seconds, 100, 10)
    for _ in range(40):
        seconds.now += 1
        tally(settled())
    assert tally.per_s == pytest.approx(1, rel=0.1)


def test_nothing_is_guessed_too_early() -> None:
    tally = sending(Seconds(), 1, 10)
    assert tally.per_s is None
    assert tally.left_s is None


def test_reading_and_checking_count_rows() -> None:
    seconds = Seconds()
    tally = Tally(seconds)
    assert tally.line() == "Starting"
    tally(Event("batch_loaded", {"rows": 4096}))
    assert tally.line() == "Reading 4,096 rows"
    tally(Event("source_read", {"rows": 5000}))
    tally(Event("batch_checked", {"rows": 4096, "invalid": 3}))
    assert tally.line() == "Checking 4,096 of 5,000 (82%) · 3 invalid"


def test_a_resumed_run_counts_what_was_done_before() -> None:
    tally = Tally(Seconds())
    tally(Event("delivery_started", {"total": 200, "already_done": 150}))
    tally(settled())
    assert tally.line() == "Sending 151 of 200 (76%)"


def test_a_pause_is_shown_while_it_lasts() -> None:
    seconds = Seconds()
    tally = sending(seconds, 1, 10)
    tally(Event("paused", {"seconds": 30.0, "reason": "429"}))
    assert "pause of 30 s" in tally.line()
    seconds.now += 31
    assert "pause" not in tally.line()


def test_stopping_is_shown_until_the_end() -> None:
    tally = sending(Seconds(), 1, 10)
    tally(Event("stopping", {"reason": "sigint"}))
    assert "stopping as asked: finishing requests under way" in tally.line()
    tally(Event("run_ended", {"counts": {}, "exit_code": 130, "elapsed_s": 1.0}))
    assert "stopping" not in tally.line()


def test_an_unknown_event_is_ignored() -> None:
    tally = Tally(Seconds())
    tally(Event("something_new", {"x": 1}))
    assert tally.line() == "Starting"


def test_an_empty_source_divides_by_nothing() -> None:
    tally = Tally(Seconds())
    tally(Event("source_read", {"rows": 0}))
    assert tally.line() == "Checking 0 of 0, finishing"


def phases(seconds: Seconds) -> Iterator[tuple[str, str]]:
    """What is shown after every event of a run of 200 rows, to its end."""
    tally, batch = Tally(seconds), {"rows": 200}
    events: list[tuple[str, dict[str, Any]]] = [
        ("batch_loaded", batch),
        ("source_read", batch),
        ("batch_checked", {**batch, "invalid": 0}),
        ("rows_checked", {}),
        ("delivery_started", {"total": 200, "already_done": 0}),
        *[("row_settled", {"state": "created"})] * 200,
        ("results_started", batch),
        ("results_written", batch),
        ("results_stage", {"stage": "recount"}),
        ("results_stage", {"stage": "workbook", **batch}),
        ("results_written", batch),
        ("results_stage", {"stage": "workbook_saved"}),
        ("results_stage", {"stage": "report"}),
        ("results_stage", {"stage": "receipt"}),
    ]
    for name, data in events:
        tally(Event(name, data))
        seconds.now += 2.0
        yield name, tally.line()


def test_progress_stays_below_100_percent_while_work_goes_on() -> None:
    assert [line for _, line in phases(Seconds()) if "100%" in line] == []


def test_a_share_is_never_rounded_up_to_the_end() -> None:
    tally = sending(Seconds(), 999, 10)
    assert tally.line().startswith("Sending 999 of 1,000 (99%)")


def test_writing_the_results_has_its_own_numbers_and_time() -> None:
    seconds = Seconds()
    tally = sending(seconds, 1000, 100)
    tally(Event("results_started", {"rows": 1000}))
    assert tally.line().startswith("Writing results 0 of 1,000 (0%)")
    for _ in range(5):
        seconds.now += 1
        tally(Event("results_written", {"rows": 100}))
    assert tally.line() == "Writing results 500 of 1,000 (50%) · 100/s · 0:05 left"


def test_a_phase_that_cannot_be_counted_shows_how_long_it_has_taken() -> None:
    seconds = Seconds()
    tally = Tally(seconds)
    tally(Event("results_stage", {"stage": "workbook_saved"}))
    assert tally.line() == "Saving the workbook"
    seconds.now += 65
    assert tally.line() == "Saving the workbook · 1:05"


def test_every_phase_after_the_results_is_named() -> None:
    shown = dict(phases(Seconds()))
    assert shown["rows_checked"].startswith("Comparing the rows")
    assert shown["results_stage"].startswith("Writing the receipt")


def test_elsewhere_a_plain_line_comes_every_few_seconds() -> None:
    seconds, stream = Seconds(), io.StringIO()
    with progress(stream=stream, monotonic=seconds) as shown:
        assert isinstance(shown, PlainProgress)
        shown(Event("delivery_started", {"total": 100, "already_done": 0}))
        for _ in range(80):
            seconds.now += 0.25
            shown(settled())
    lines = stream.getvalue().splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("Sending 20 of 100 (20%) · 4.0/s")
    assert "\x1b" not in stream.getvalue()


def test_a_storm_of_pauses_is_not_a_storm_of_lines() -> None:
    seconds, stream = Seconds(), io.StringIO()
    with progress(stream=stream, monotonic=seconds) as shown:
        for _ in range(100):
            seconds.now += 0.02
            shown(Event("paused", {"seconds": 1.0, "reason": "429"}))
    assert len(stream.getvalue().splitlines()) <= 2


def test_a_closed_stream_stops_nothing() -> None:
    seconds, stream = Seconds(), io.StringIO()
    with progress(stream=stream, monotonic=seconds) as shown:
        stream.close()
        seconds.now += 100
        shown(settled())


def test_quiet_shows_nothing() -> None:
    stream = io.StringIO()
    with progress(quiet=True, stream=stream) as shown:
        assert isinstance(shown, NoProgress)
        shown(settled())
    assert stream.getvalue() == ""


@pytest.fixture
def terminal() -> Iterator[tuple[io.TextIOWrapper, int]]:
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        yield stream, ours
    os.close(ours)


def everything(ours: int) -> str:
    drawn = b""
    while select.select([ours], [], [], 0)[0]:
        drawn += os.read(ours, 65536)
    return drawn.decode()


@pytest.mark.parametrize(("columns", "bar"), [("120", True), ("60", False)])
def test_on_a_terminal_a_live_line_fits_its_width_and_is_gone_at_the_end(
    terminal: tuple[io.TextIOWrapper, int], monkeypatch: pytest.MonkeyPatch, columns: str, bar: bool
) -> None:
    stream, ours = terminal
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("NO_COLOR", "1")
    with progress(stream=stream, monotonic=Seconds()) as shown:
        assert isinstance(shown, LiveProgress)
        shown(Event("delivery_started", {"total": 100, "already_done": 50}))
    drawn = everything(ours)
    assert "Sending 50 of 100 (50%)" in drawn
    assert ("━" in drawn) is bar
    assert "\x1b[3" not in drawn.replace("\x1b[?25", "")  # no colours
    assert drawn.rstrip().endswith("\x1b[2K")  # the line was erased


@pytest.mark.parametrize("name", ["dumb", ""])
def test_a_dumb_terminal_gets_plain_lines(
    terminal: tuple[io.TextIOWrapper, int], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("TERM", name)
    assert isinstance(progress(stream=terminal[0]), PlainProgress)


# --------------------------------------------------------------------------- a terminal of any width


@pytest.mark.parametrize("colours", [True, False])
@pytest.mark.parametrize("columns", [1, 20, 40, 79, 80, 81, 200])
def test_at_any_width_there_is_one_line_and_none_is_left_behind(
    terminal: tuple[io.TextIOWrapper, int], monkeypatch: pytest.MonkeyPatch, columns: int, colours: bool
) -> None:
    stream, ours = terminal
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    if not colours:
        monkeypatch.setenv("NO_COLOR", "1")
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    screen, seconds, drawn = Screen(columns), Seconds(), ""
    with progress(stream=stream, monotonic=seconds) as shown:
        assert isinstance(shown, LiveProgress)
        for done in (0, 50, 1_999_950):
            shown(Event("delivery_started", {"total": 2_000_000, "already_done": done}))
            for state in ("created", "invalid", "rejected", "unknown") * 12:
                seconds.now += 0.1
                shown(settled(state))
            shown.redraw()
            drawn += (new := everything(ours))
            screen.show(new)
            assert len(screen.standing()) <= 1, screen.standing()
    drawn += (new := everything(ours))
    screen.show(new)

    assert screen.standing() == []
    assert ("\x1b[3" in drawn.replace("\x1b[?25", "")) is (colours and columns > 80)
    assert not re.search(r"\x1b\[(3[15]|91|38;5;(1|9|160|196|197|198|199)|38;2;249)", drawn)  # nothing is red
