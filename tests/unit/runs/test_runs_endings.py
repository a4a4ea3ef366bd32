"""The exit code of a run: read off its counts and the reason of its stop, the most serious one first."""

from __future__ import annotations

import pytest

from importer.core.errors import ExitCode
from importer.runs.endings import exit_code, is_open

FAILED, UNKNOWN = {"failed": 1, "created": 3}, {"unknown": 1, "failed": 2}


@pytest.mark.parametrize("state", ["invalid", "rejected", "failed"])
def test_one_row_that_failed_makes_exit_code_3_unless_that_is_accepted(state: str) -> None:
    assert exit_code({"created": 9, state: 1}, "") is ExitCode.SOME_FAILED
    assert exit_code({"created": 9, state: 1}, "", partial_ok=True) is ExitCode.OK


def test_a_run_without_failing_rows_ends_with_0() -> None:
    assert exit_code({"created": 9, "existing": 1, "failed": 0}, "") is ExitCode.OK


def test_an_unknown_row_is_never_accepted_and_goes_before_failed_ones() -> None:
    assert exit_code(UNKNOWN, "", partial_ok=True) is ExitCode.SOME_UNKNOWN


def test_refused_lines_of_a_returned_file_count_as_failed_rows() -> None:
    assert exit_code({"created": 9}, "", refused=1) is ExitCode.SOME_FAILED


STEPS_FAILED, STEPS_OPEN = {"failed": 1, "open": 0}, {"failed": 0, "open": 3}


@pytest.mark.parametrize(
    ("counts", "follow_up", "code"),
    [
        ({"created": 9}, STEPS_FAILED, ExitCode.SOME_FAILED),
        ({"created": 9}, STEPS_OPEN, ExitCode.TRY_LATER),
        ({"created": 9}, {"failed": 1, "open": 3}, ExitCode.SOME_FAILED),
        ({"created": 9}, {"failed": 0, "open": 0}, ExitCode.OK),
        ({"created": 8, "invalid": 1}, STEPS_OPEN, ExitCode.SOME_FAILED),
        (UNKNOWN, {"failed": 1, "open": 3}, ExitCode.SOME_UNKNOWN),
    ],
)
def test_failed_steps_count_as_failed_rows_and_open_ones_come_last(
    counts: dict[str, int], follow_up: dict[str, int], code: ExitCode
) -> None:
    assert exit_code(counts, "", follow_up=follow_up) is code


def test_where_failures_are_accepted_open_steps_still_ask_for_another_pass() -> None:
    assert exit_code({"created": 9}, "", partial_ok=True, follow_up=STEPS_FAILED) is ExitCode.OK
    assert exit_code({"created": 9}, "", partial_ok=True, follow_up={"failed": 1, "open": 1}) is ExitCode.TRY_LATER


@pytest.mark.parametrize("reason", ["access", "breaker", "sigint"])
def test_a_stop_and_a_broken_balance_go_before_the_steps(reason: str) -> None:
    stopped = exit_code({"created": 9}, reason)
    assert exit_code({"created": 9}, reason, follow_up={"failed": 1, "open": 1}) is stopped
    assert exit_code({"created": 9}, reason, balanced=False, follow_up=STEPS_OPEN) is ExitCode.BALANCE


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("access", ExitCode.ACCESS),
        ("breaker", ExitCode.STOPPED),
        ("cut_off", ExitCode.STOPPED),
        ("window", ExitCode.TRY_LATER),
        ("sigint", ExitCode.SIGINT),
        ("sigterm", ExitCode.SIGTERM),
    ],
)
def test_the_reason_of_a_stop_goes_before_what_became_of_the_rows(reason: str, code: ExitCode) -> None:
    assert exit_code(UNKNOWN, reason, partial_ok=True) is code


def test_files_that_do_not_agree_with_the_journal_go_before_everything() -> None:
    assert exit_code(FAILED, "sigint", balanced=False, partial_ok=True) is ExitCode.BALANCE


@pytest.mark.parametrize(
    ("state", "expected"), [("ready", True), ("sending", True), ("unsent", False), ("created", False)]
)
def test_a_run_is_open_while_rows_wait_or_are_under_way(state: str, *, expected: bool) -> None:
    assert is_open({"read": 2, state: 1}) is expected
    assert is_open({"read": 2, state: 0}) is False
