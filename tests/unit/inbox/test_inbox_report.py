"""The report of a pass, and of several passes together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from importer.core.errors import ExitCode
from importer.inbox.report import PassReport, worst
from importer.results import Report
from importer.runs.file_result import Fate, FileResult


def result(file: str, fate: Fate = Fate.IMPORTED, code: int = 0, created: int = 1) -> FileResult:
    return FileResult(file=file, fate=fate, exit_code=code, counts={"read": created, "created": created})


def report(*imports: FileResult, **more: Any) -> PassReport:
    return PassReport(folder=Path("/in"), target="live", imports=imports, **more)


def test_counts_and_times_add_up_and_the_worst_code_stays() -> None:
    total = (
        report(result("a.csv", code=3), elapsed_s=1.0)
        .and_then(report(result("b.csv"), elapsed_s=2.0))
        .and_then(report())
    )

    assert (total.counts, total.exit_code, total.elapsed_s) == ({"read": 2, "created": 2}, 3, 3.0)


def test_a_file_that_was_held_counts_as_the_next_pass_left_it() -> None:
    total = report(result("a.csv", Fate.HELD, 7), result("b.csv")).and_then(report(result("a.csv", created=5)))

    assert [(one.file, one.fate) for one in total.imports] == [("b.csv", Fate.IMPORTED), ("a.csv", Fate.IMPORTED)]
    assert (total.exit_code, total.counts["created"]) == (0, 6)


def test_a_file_of_the_same_name_that_came_another_day_counts_as_well() -> None:
    assert report(result("a.csv")).and_then(report(result("a.csv"))).counts["created"] == 2


def test_a_missing_file_is_missing_until_one_comes() -> None:
    missing = report(missing=True)

    assert missing.and_then(report()).missing
    assert not missing.and_then(report(result("a.csv"))).missing


def test_one_notification_that_did_not_arrive_is_remembered() -> None:
    assert report(notified=False).and_then(report(notified=True)).notified is False
    assert report(notified=True).and_then(report()).notified is True
    assert report().and_then(report()).notified is None


def test_the_exit_code_is_the_worst_of_the_files() -> None:
    assert worst([]) == 0
    assert [worst(codes) for codes in ((0, 3, 8), (8, 4, 3), (4, 5), (5, 9), (6, 3), (6, 75), (7, 0), (3, 6, 0))] == (
        [8, 4, 5, 9, 6, 75, 7, 6]
    )
    assert {worst([code, 0]) for code in ExitCode} == set(ExitCode)


FOLLOW_UP = {"steps": {"verification": {"done": 2}}, "outcomes": {"APPROVED": 2}, "open": 0, "failed": 0}


def followed_run(run_id: str) -> Report:
    return Report(
        command="nightly",
        source=f"{run_id}.csv",
        target="live",
        dry_run=False,
        exit_code=0,
        elapsed_seconds=1.0,
        run_id=run_id,
        counts={"read": 2, "created": 2},
        follow_up=FOLLOW_UP,
    )


def test_runs_of_earlier_passes_are_named_with_what_their_steps_came_to() -> None:
    done = report(replace(result("b.csv", code=75), run_id="b"))
    total = done.followed({"b": followed_run("b"), "a": followed_run("a")})

    assert [(one.file, one.exit_code, one.follow_up) for one in total.imports] == [("b.csv", 0, FOLLOW_UP)]
    assert [(one.file, one.run_id, one.follow_up) for one in total.earlier] == [("a.csv", "a", FOLLOW_UP)]
    assert [one["run_id"] for one in total.as_json()["earlier"]] == ["a"]
    assert total.counts == {"read": 2, "created": 2}


def test_a_run_that_is_followed_in_several_passes_is_named_once() -> None:
    first, second = (report().followed({"a": followed_run("a")}) for _ in range(2))
    assert [one.run_id for one in first.and_then(second).earlier] == ["a"]


def test_a_pass_in_which_the_last_open_step_of_an_earlier_run_was_done_is_worth_a_notification() -> None:
    still_open = replace(followed_run("b"), follow_up={**FOLLOW_UP, "open": 1})

    assert not report().followed({"b": still_open}).happened
    assert report().followed({"a": followed_run("a"), "b": still_open}).happened


def test_a_file_that_waits_for_an_approval_is_counted_and_a_later_pass_says_what_became_of_it() -> None:
    waits = report(result("a.csv", Fate.UNAPPROVED, code=5, created=0), result("b.csv"))
    assert (waits.exit_code, waits.unapproved, waits.as_json()["unapproved"]) == (5, 1, 1)

    total = waits.and_then(report(result("a.csv")))
    assert (total.exit_code, total.unapproved, [one.file for one in total.imports]) == (0, 0, ["b.csv", "a.csv"])
