"""The file that an undo is planned in: for its owner alone, of one run, and not to be edited."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from importer.core.commands import Commands
from importer.core.errors import PlanRefusedError, StorageError
from importer.core.states import RowState
from importer.core.step_tasks import PlannedStep
from importer.core.steps import Step
from importer.journal import BodyOfRow, RunFacts, RunHeader, StoredRun
from importer.runs.undo_plan import Entry, Skipped, UndoPlan, hash_of

HEADER = RunHeader(
    "20261130T000000Z-abcdef", "https://api.example#main", "sandbox", "a.csv", "/a.csv", "c0", "p0",
    dry_run=False, started_at=1.0,
)  # fmt: skip
MADE_AT = 1_790_000_000.0
STORED = StoredRun(1, "finished", HEADER, RunFacts())
ROWS = [BodyOfRow(n, n + 2, RowState.CREATED, b"{}", b"", f"c-{n}") for n in range(3)]


def a_plan(**other: Any) -> UndoPlan:
    content: dict[str, Any] = {
        "action": "suspend",
        "created": hash_of(ROWS),
        "entries": (Entry(row=2, ordinal=0, customer_id="c-0", guard="f" * 64),),
        "skipped": (Skipped(row=3, customer_id="c-1", why="Its status is SUSPENDED."),),
    }
    heading: dict[str, Any] = {
        "run_id": HEADER.run_id, "made_at": MADE_AT, "expires_at": MADE_AT + 604_800.0, "author": "anna@desk",
        "target": HEADER.target, "host": "api.example", "scope": HEADER.scope, "rows": 1,
    }  # fmt: skip
    return UndoPlan(**{**heading, **content, **other}).sealed()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "plan.json"


def test_a_plan_is_read_as_it_was_written_by_its_owner_alone(path: Path) -> None:
    a_plan().write(path)

    assert UndoPlan.read(path) == a_plan()
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["made_at"] == MADE_AT
    assert a_plan().planned() == [PlannedStep(0, Step.SUSPEND, guard="f" * 64)]


@pytest.mark.parametrize(
    "edit",
    [
        {"entries": []},
        {"skipped": []},
        {"action": "delete"},
        {"target": "live"},
        {"run_id": "other"},
        {"created": "0"},
        {"rows": 0},
        {"expires_at": MADE_AT + 9e6},
        {"author": "ben@desk"},
        {"sha256": "0" * 64},
        {"sha256": ""},
    ],
)
def test_an_edited_plan_is_refused(path: Path, edit: dict[str, Any]) -> None:
    a_plan().write(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **edit}))

    with pytest.raises(PlanRefusedError, match="was edited"):
        UndoPlan.read(path)


@pytest.mark.parametrize("content", ["", "[]", "{}", "\udce9", '{"format": "undo-plan 3", "job": "undo"}'])
def test_what_is_not_a_plan_is_refused(path: Path, content: str) -> None:
    path.write_bytes(content.encode("utf-8", "surrogateescape"))

    with pytest.raises(PlanRefusedError, match="is not a plan"):
        UndoPlan.read(path)


def test_a_plan_that_is_not_there_is_refused(path: Path) -> None:
    with pytest.raises(PlanRefusedError, match="that file does not exist"):
        UndoPlan.read(path)


def test_a_plan_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        a_plan().write(tmp_path / "none" / "plan.json")


@pytest.mark.parametrize(
    "other",
    [{"run_id": "20261130T000000Z-000000"}, {"scope": "https://api.example#other"}, {"target": "live"}],
)
def test_a_plan_of_another_run_or_account_is_refused(other: dict[str, str]) -> None:
    plan = a_plan().model_copy(update=other)
    with pytest.raises(
        PlanRefusedError, match=r"not of 20261130T000000Z-abcdef\..*importer undo 20261130T000000Z-abcdef --plan"
    ):
        plan.require(STORED, "suspend", Commands())


def test_a_plan_to_suspend_is_none_to_delete() -> None:
    with pytest.raises(
        PlanRefusedError, match=r"is one to suspend customers, not to delete them\. Apply it without --delete"
    ):
        a_plan().require(STORED, "delete", Commands())
    with pytest.raises(PlanRefusedError, match="Apply it with --delete"):
        a_plan(action="delete").require(STORED, "suspend", Commands())


def test_a_plan_of_a_run_that_has_gone_on_is_refused() -> None:
    a_plan().require_current(ROWS, Commands())
    with pytest.raises(PlanRefusedError, match="has gone on"):
        a_plan().require_current(ROWS[:2], Commands())


@pytest.mark.parametrize("other", [{"ordinal": 7}, {"row": 9}, {"customer_id": "c-of-somebody"}])
def test_a_plan_that_names_what_the_run_has_not_created_is_refused(other: dict[str, Any]) -> None:
    forged = a_plan(entries=(a_plan().entries[0].model_copy(update=other),))
    with pytest.raises(PlanRefusedError, match="customers that the run has not created"):
        forged.require_current(ROWS, Commands())


def test_a_plan_whose_entry_could_be_any_customer_is_none(path: Path) -> None:
    a_plan(entries=(Entry.model_construct(row=2, ordinal=0, customer_id="c-0", guard=""),)).write(path)
    with pytest.raises(PlanRefusedError, match="not a plan of an undo"):
        UndoPlan.read(path)
