"""The steps after the creates of a run that a journal holds: in its report, in the list of runs, explained by row."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from importer.cli import tables
from importer.core.outcomes import Attempt, FieldError, Verdict
from importer.core.sources import SourceInfo
from importer.core.step_tasks import PlannedStep, StepResult
from importer.core.steps import Step, StepState
from importer.journal import FINISHED, AfterCreateFacts, RunFacts
from importer.runs import history
from importer.runs.explain import explain
from importer.runs.reports import recorded_rows, report_of
from tests.contracts.journals import FIRST, Book, begin, fill, sqlite

AFTER = json.dumps({"limits": {"currency": "USD", "daily": "100.00"}}).encode()
STEPS = (Step.LIMITS, Step.VERIFICATION, Step.VERIFY)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A finished run of two rows: one verified, with limits and an open verification; the other with failed limits."""
    with closing(sqlite(tmp_path)) as journal:
        run = begin(journal)
        journal.runs.opened(run, SourceInfo("a.csv", "csv", ("column 1", "column 2")))
        fill(journal, run, ["k0", "k1"], after=[AFTER, AFTER])
        book = Book(journal, run)
        journal.steps(run).plan([PlannedStep(ordinal, step) for ordinal in (0, 1) for step in STEPS])
        journal.runs.note(run, RunFacts(after_create=AfterCreateFacts(steps=tuple(STEPS))))
        book.create_all()
        asked = Attempt(1, "limits", 1_000.0, 0.25, Verdict.ACCEPT, 200)
        error = FieldError("limit_missing", "The account has no such limit.", "limits.daily")
        first, second = book.claim_steps(Step.LIMITS)
        book.settle_steps(
            StepResult(first.ordinal, Step.LIMITS, "", StepState.DONE, attempts=(asked,)),
            StepResult(second.ordinal, Step.LIMITS, "", StepState.FAILED, error=error),
        )
        for task in book.claim_steps(Step.VERIFICATION):
            submitted = StepResult(
                task.ordinal, Step.VERIFICATION, "", StepState.SUBMITTED, f"a-{task.row}", "PROCESSING"
            )
            book.settle_steps(submitted)
        first, second = book.claim_steps(Step.VERIFY)
        detail = ("lastName: another value",)
        book.settle_steps(
            StepResult(first.ordinal, Step.VERIFY, "", StepState.DONE),
            StepResult(second.ordinal, Step.VERIFY, "", StepState.DIFFERS, detail=detail),
        )
        journal.runs.end(run, phase=FINISHED, exit_code=3, ended_at=2_000.0)
    return tmp_path


def test_a_report_counts_the_steps_and_ends_with_their_exit_code(workspace: Path) -> None:
    with closing(sqlite(workspace)) as journal:
        report = report_of(journal, journal.runs.find(FIRST), 2_000.0)
    assert report.follow_up == {
        "steps": {
            "limits": {"done": 1, "failed": 1},
            "verification": {"submitted": 2},
            "verify": {"done": 1, "differs": 1},
        },
        "outcomes": {},
        "open": 2,
        "failed": 2,
    }
    assert report.exit_code == 3
    assert report.next_command.startswith(f"importer retry {FIRST}")


def test_the_list_of_runs_shows_what_is_open(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (line,) = history.all_runs(workspace)
    assert (line["state"], line["open_steps"]) == ("finished", 2)
    tables.print_runs([line])
    assert "2 created, 2 steps open" in capsys.readouterr().out


def test_a_run_without_steps_has_none_open(tmp_path: Path) -> None:
    with closing(sqlite(tmp_path)) as journal:
        fill(journal, begin(journal), ["k0"])
    assert history.all_runs(tmp_path)[0]["open_steps"] == 0


def test_a_row_is_explained_with_its_steps_their_requests_and_differences(workspace: Path) -> None:
    first, second = explain(workspace, FIRST, 2)["steps"], explain(workspace, FIRST, 3)["steps"]
    assert [(one["step"], one["state"]) for one in first] == [
        ("limits", "done"),
        ("verification", "submitted"),
        ("verify", "done"),
    ]
    assert [one["http_status"] for one in first[0]["attempts"]] == [200]
    assert (first[1]["reference"], first[1]["status"], first[1]["outcome"]) == ("a-2", "PROCESSING", "")
    assert (second[2]["state"], second[2]["detail"]) == ("differs", ["lastName: another value"])


def test_an_explained_row_is_printed_with_its_steps(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables.print_row(explain(workspace, FIRST, 3))
    printed = capsys.readouterr().out
    assert "Step limits: failed\n" in printed
    assert "Step verification: submitted (status PROCESSING, reference a-3)\n" in printed
    assert "Step verify: differs\n  lastName: another value\n" in printed
    tables.print_row(explain(workspace, FIRST, 2))
    assert (
        "Step limits: done\n  1. 1970-01-01T00:16:40.000+00:00 limits: 200 → accept (0.250 s)\n"
        in capsys.readouterr().out
    )


def test_what_a_row_brings_for_its_steps_is_masked_as_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    row = {
        "dry_run": True,
        "run_id": "r",
        "row": 2,
        "source": "a.csv",
        "state": "valid",
        "customer_id": "",
        "group": [],
    }
    row |= {
        "candidates": [],
        "shows_values": False,
        "cells": {},
        "changes": [],
        "corrected": [],
        "body": {},
        "issues": [],
        "attempts": [],
    }
    tables.print_row({**row, "after": {"limits": {"daily": "•••"}}, "steps": []})
    assert "For the steps after the create\n" in capsys.readouterr().out


def test_the_rows_of_a_report_have_the_columns_of_its_steps(workspace: Path) -> None:
    with recorded_rows(workspace, FIRST) as (header, batches):
        found = [dict(batch.follow_up) for batch in batches]
        assert header.has_steps
    assert found[0]["_limits"] == ["set", "failed"]
    assert found[0]["_differences"] == ["", "lastName: another value"]
