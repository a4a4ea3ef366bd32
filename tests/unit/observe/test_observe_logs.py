from __future__ import annotations

import asyncio
import errno
import gc
import io
import json
import logging
import stat
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import structlog

from importer.core.errors import StorageError
from importer.core.events import Event
from importer.observe.event_log import EventLog
from importer.observe.logs import LOG_NAME, Level, configure, row_context, run_context
from importer.observe.observed import observed
from importer.profile.operating import LogSettings

CANARIES = (
    "Canarina",
    "canarina.birdsong@example.com",
    "4155550142",
    "(415) 555-0142",
    "hunter2",
    "sk-very-secret",
    "12 Feather Lane",
)


def entries(run_dir: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run_dir / LOG_NAME).read_text("utf-8").splitlines()]


def test_entries_are_json_lines_with_level_and_utc_time(tmp_path: Path) -> None:
    with configure(tmp_path):
        structlog.stdlib.get_logger("x").info("source_read", rows=7)
    (entry,) = entries(tmp_path)
    assert entry["event"] == "source_read"
    assert entry["rows"] == 7
    assert entry["level"] == "info"
    assert entry["timestamp"].endswith("Z")


def test_the_log_is_readable_by_its_owner_alone_and_grows_when_a_run_is_resumed(tmp_path: Path) -> None:
    for _ in range(2):
        with configure(tmp_path):
            structlog.stdlib.get_logger("x").info("once")
    assert len(entries(tmp_path)) == 2
    assert stat.S_IMODE((tmp_path / LOG_NAME).stat().st_mode) == 0o600


def test_run_and_row_are_bound_also_for_libraries_and_tasks(tmp_path: Path) -> None:
    async def work() -> None:
        with row_context(17):
            structlog.stdlib.get_logger("x").info("ours")
            await asyncio.create_task(theirs())

    async def theirs() -> None:
        logging.getLogger("aiohttp.client").warning("Unclosed client session")

    with configure(tmp_path), run_context("20261122T083000Z-1a2b3c"):
        asyncio.run(work())
    assert [(e["event"], e["run_id"], e["row"]) for e in entries(tmp_path)] == [
        ("ours", "20261122T083000Z-1a2b3c", 17),
        ("Unclosed client session", "20261122T083000Z-1a2b3c", 17),
    ]


def test_people_see_warnings_and_everything_with_debug(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    levels: tuple[Level, ...] = ("info", "debug")
    for level in levels:
        with configure(tmp_path, level=level):
            structlog.stdlib.get_logger("x").info("quite_normal")
            structlog.stdlib.get_logger("x").warning("look_here")
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("quite_normal") == 1
    assert shown.err.count("look_here") == 2


def test_quiet_shows_errors_only_and_the_file_keeps_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with configure(tmp_path, quiet=True):
        structlog.stdlib.get_logger("x").warning("look_here")
        structlog.stdlib.get_logger("x").error("broken")
    assert "look_here" not in (err := capsys.readouterr().err)
    assert "broken" in err
    assert [entry["event"] for entry in entries(tmp_path)] == ["look_here", "broken"]


def test_standard_error_as_json_is_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    with configure(format="json"):
        structlog.stdlib.get_logger("x").info("hello", rows=1)
    assert json.loads(capsys.readouterr().err)["rows"] == 1


def test_everything_is_undone_at_the_end(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.getLogger("asyncio").level, structlog.get_config())
    with configure(tmp_path, level="debug"):
        assert structlog.is_configured()
    assert (list(root.handlers), root.level, logging.getLogger("asyncio").level, structlog.get_config()) == before


def test_an_unwritable_log_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"), configure(tmp_path / "file"):
        pass


def test_a_log_is_never_written_through_a_planted_link(tmp_path: Path) -> None:
    (tmp_path / LOG_NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError), configure(tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()


class _Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError(text)


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", _Broken())
    with configure(tmp_path):
        structlog.stdlib.get_logger("x").error("canary", name=CANARIES[0])
    assert len(entries(tmp_path)) == 1


def test_exceptions_are_logged_by_type_and_our_own_frames(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with configure(tmp_path):
        try:
            with configure(tmp_path / "file" / "run"):
                pass
        except StorageError:
            structlog.stdlib.get_logger("x").exception("stopped")
    outer, inner = entries(tmp_path)[0]["exceptions"]
    assert outer["type"] == "importer.core.errors.StorageError"
    assert {frame.split(":")[0] for frame in outer["frames"]} == {"importer/observe/logs.py"}
    assert inner["type"] == "builtins.NotADirectoryError"
    assert inner["errno"] == errno.ENOTDIR
    assert "message" not in inner


def test_an_endless_chain_of_causes_ends(tmp_path: Path) -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    with configure(tmp_path):
        structlog.stdlib.get_logger("x").error("stopped", exc_info=first)
    assert len(entries(tmp_path)[0]["exceptions"]) == 2


def failing(local: str) -> None:
    hidden = local.upper()
    try:
        raise KeyError(local)
    except KeyError as error:
        raise ExceptionGroup(f"group {local}", [ValueError(hidden), RuntimeError(local)]) from error


def leak_everywhere(canary: str) -> None:
    """Everything that a careless line of code, a library or the event loop could do with a value."""
    listener = EventLog()
    for name in ("run_started", "row_settled", "request_done", "paused", "stopping", "batch_checked", "run_ended", "?"):
        listener(Event(name, {"row": 2, "name": canary, "cells": [canary], "error": canary, "code": f"a {canary}"}))
        listener(Event(name, {"state": "failed", "reason": f"{canary}, really", "counts": {"read": 3}}))
    log = structlog.stdlib.get_logger("importer.x")
    log.warning("careless", first_name=canary, payload={"deep": canary}, api_secret=canary, row=2)
    for logger in (logging.getLogger("aiohttp.client"), logging.getLogger("asyncio")):
        logger.error("Cannot connect to %s", canary)
        logger.error(f"Exception in callback send({canary!r})")  # noqa: G004  (as the event loop does)
        logger.error(f"Task exception was never retrieved\nfuture: <Task {canary}>")  # noqa: G004
    try:
        failing(canary)
    except ExceptionGroup:
        log.exception("stopped")
        logging.getLogger("asyncio").exception("Task exception was never retrieved")


@pytest.mark.parametrize("canary", CANARIES)
@pytest.mark.parametrize("style", ["console", "json"])
def test_no_value_and_no_secret_reaches_any_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], canary: str, style: Any
) -> None:
    gc.collect()  # what other tests have left is reported now, not in between
    with configure(tmp_path, format=style, level="debug"), run_context("r1"):
        leak_everywhere(canary)
    logged = (tmp_path / LOG_NAME).read_text("utf-8")
    shown = capsys.readouterr()
    assert len(logged.splitlines()) == len([line for line in shown.err.splitlines() if line.strip()]) == 25
    for text in (logged, shown.err, shown.out):
        assert canary.casefold() not in text.casefold()


def test_events_are_logged_with_their_numbers_codes_and_ids(tmp_path: Path) -> None:
    listener = EventLog()
    with configure(tmp_path):
        listener(
            Event("run_started", {"run_id": "r1", "source": "customers.csv", "target": "emulator", "dry_run": False})
        )
        listener(Event("row_settled", {"ordinal": 0, "state": "created", "attempts": 1}))
        listener(Event("row_settled", {"ordinal": 1, "state": "rejected", "attempts": 2}))
        listener(Event("request_done", {"kind": "create", "status": 503, "verdict": "in_doubt", "duration_s": 0.25}))
        listener(Event("run_ended", {"counts": {"read": 2, "created": 1}, "exit_code": 3, "elapsed_s": 1.5}))
    logged = [{k: v for k, v in entry.items() if k not in {"timestamp", "level"}} for entry in entries(tmp_path)]
    assert logged == [
        {"event": "run_started", "run_id": "r1", "source": "customers.csv", "target": "emulator", "dry_run": False},
        {"event": "row_settled", "ordinal": 1, "state": "rejected", "attempts": 2},
        {"event": "request_done", "kind": "create", "status": 503, "verdict": "in_doubt", "duration_s": 0.25},
        {"event": "run_ended", "counts": {"read": 2, "created": 1}, "exit_code": 3, "elapsed_s": 1.5},
    ]


def test_an_observed_run_has_its_id_in_every_entry_and_its_events_in_the_log(tmp_path: Path) -> None:
    with observed("r7", tmp_path, LogSettings(level="debug")) as listener:
        listener(Event("row_settled", {"ordinal": 0, "state": "created", "attempts": 1}))
        structlog.stdlib.get_logger("x").warning("elsewhere")
    assert [(entry["event"], entry["run_id"]) for entry in entries(tmp_path)] == [
        ("row_settled", "r7"),
        ("elsewhere", "r7"),
    ]


def test_a_bug_is_in_the_log_of_its_run_without_any_value(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyError), observed("R1", tmp_path, LogSettings()):
        raise KeyError("canarina.birdsong@example.com")
    (entry,) = entries(tmp_path)
    assert (entry["event"], entry["level"], entry["run_id"]) == ("bug", "error", "R1")
    assert entry["exceptions"][0]["type"] == "builtins.KeyError"
    assert "canarina" not in (tmp_path / LOG_NAME).read_text("utf-8")
    assert capsys.readouterr().err == ""


def test_a_refusal_is_not_logged_as_a_bug(tmp_path: Path) -> None:
    with pytest.raises(StorageError), observed("R1", tmp_path, LogSettings()):
        raise StorageError("The disk is full.")
    assert entries(tmp_path) == []


def say(run_id: str, event: str) -> None:
    with run_context(run_id):
        structlog.stdlib.get_logger("x").info(event)


def test_two_runs_at_once_have_their_own_entries_alone(tmp_path: Path) -> None:
    with configure(), observed("A", tmp_path / "a", LogSettings()), observed("B", tmp_path / "b", LogSettings()):
        for run_id in ("A", "B", "A"):
            say(run_id, f"of_{run_id}")
        logging.getLogger("aiohttp.client").warning("Unclosed client session")
    assert [entry["event"] for entry in entries(tmp_path / "a")] == ["of_A", "of_A"]
    assert [entry["event"] for entry in entries(tmp_path / "b")] == ["of_B", "Unclosed client session"]


def test_what_belongs_to_no_run_may_be_about_each_and_is_in_the_logs_of_all(tmp_path: Path) -> None:
    with configure(tmp_path / "a", run_id="A"), configure(tmp_path / "b", run_id="B"):
        structlog.stdlib.get_logger("x").warning("nobodys")
    for name in ("a", "b"):
        assert [entry["event"] for entry in entries(tmp_path / name)] == ["nobodys"]


def test_a_run_within_a_console_is_shown_once_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with configure(), observed("A", tmp_path, LogSettings()):
        structlog.stdlib.get_logger("x").warning("look_here")
    assert capsys.readouterr().err.count("look_here") == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (0, 2, 1)])
def test_blocks_may_end_in_any_order_and_those_that_last_go_on_logging(tmp_path: Path, order: tuple[int, ...]) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.getLogger("asyncio").level, structlog.get_config())
    blocks = [ExitStack() for _ in range(3)]
    for number, block in enumerate(blocks):
        block.enter_context(configure(tmp_path / str(number), run_id=str(number), level="debug"))
    for ended, number in enumerate(order):
        for open_one in order[ended:]:
            say(str(open_one), f"before_{ended}")
        blocks[number].close()
    for ended, number in enumerate(order):
        assert [one["event"] for one in entries(tmp_path / str(number))] == [f"before_{n}" for n in range(ended + 1)]
    assert (list(root.handlers), root.level, logging.getLogger("asyncio").level, structlog.get_config()) == before


def test_a_quieter_run_hides_nothing_of_another_one(tmp_path: Path) -> None:
    with configure(tmp_path / "a", run_id="A", level="debug"), configure(tmp_path / "b", run_id="B", level="error"):
        with run_context("A"):
            structlog.stdlib.get_logger("x").debug("fine")
        say("B", "not_wanted")
    assert [entry["event"] for entry in entries(tmp_path / "a")] == ["fine"]
    assert entries(tmp_path / "b") == []
