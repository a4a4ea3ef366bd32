"""Rows that a run has held back are fixed in a draft, and go back into that run: nobody is created twice."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from importer.core.errors import PlanRefusedError, UsageError
from importer.core.events import Event
from importer.delivery import StopSwitch
from importer.journal import Draft
from importer.profile import Profile
from importer.results import Report
from importer.runs import registry
from importer.runs.check import check
from importer.runs.context import Context, People
from importer.runs.drafts import checking, planning
from importer.runs.drafts.correcting import Edit, correct
from importer.runs.drafts.drafts import DraftService
from importer.runs.drafts.receiving import receive
from importer.runs.drafts.returning import begin_return, give_back, plan_return, run_of
from importer.runs.history import Begun, begun_by
from importer.runs.receipt_check import check_receipt
from importer.runs.receipts import operator
from importer.runs.run import run
from tests.unit.runs.drafts.conftest import BY, HEADER, line


def ignore(_: Event) -> None:
    pass


@pytest.fixture
def service(tmp_path: Path) -> DraftService:
    return DraftService(Profile.load(options={"workspace": tmp_path / "runs"}, environ={}))


@pytest.fixture
def imported(service: DraftService, tmp_path: Path) -> Report:
    """Three people, of whom two have a wrong address."""
    file = tmp_path / "people.csv"
    lines = [HEADER, line(0), line(1, Email="nobody"), line(2, Email="nowhere")]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    context = Context(service.profile, "run", ignore, StopSwitch(), People(), service.machine)
    return asyncio.run(run(context, file))


def begun(service: DraftService, run_id: str) -> Draft:
    return asyncio.run(begin_return(service, run_id, by=BY))


def checked(service: DraftService, draft: str) -> Draft:
    return asyncio.run(checking.check(service, draft, by=BY, emit=ignore, stop=StopSwitch()))


def planned(service: DraftService, draft: str) -> Draft:
    return asyncio.run(plan_return(service, draft, by=BY, emit=ignore, stop=StopSwitch()))


def given_back(service: DraftService, draft: str) -> Report:
    return asyncio.run(give_back(service, draft, by="ana", emit=ignore, stop=StopSwitch(), people=People()))


def results(service: DraftService, run_id: str) -> list[tuple[str, str, str]]:
    with (service.workspace / run_id / "results.csv").open(encoding="utf-8", newline="") as lines:
        return [(row["ID"], row["Email"], row["_status"]) for row in csv.DictReader(lines)]


def test_rows_that_are_fixed_in_a_draft_become_customers_of_their_own_run(
    service: DraftService, imported: Report
) -> None:
    draft = begun(service, imported.run_id)
    checked(service, draft.id)
    correct(service, draft.id, [Edit(2, "Email", "fixed@example.com")], by=BY)

    report = given_back(service, draft.id)

    assert report.run_id == imported.run_id
    assert results(service, imported.run_id) == [
        ("L-0", "person0@example.com", "created"),
        ("L-1", "fixed@example.com", "created"),
        ("L-2", "nowhere", "invalid"),
    ]
    now = service.find(draft.id)
    assert (now.facts.run_id, now.facts.stage) == (imported.run_id, "results")
    receipt = json.loads((service.workspace / imported.run_id / "receipt.json").read_text(encoding="utf-8"))
    assert [(one["by"], one["what"]) for one in receipt["acts"]][-2:] == [(BY, "corrected"), ("ana", "returned")]
    assert check_receipt(service.workspace, imported.run_id)["exit_code"] == 0
    with pytest.raises(UsageError, match="was sent as the run"):
        given_back(service, draft.id)


@pytest.mark.slow
def test_a_draft_of_returned_rows_is_never_planned_as_new_customers(service: DraftService, imported: Report) -> None:
    draft = begun(service, imported.run_id)

    with pytest.raises(UsageError, match="comes back to its run"):
        asyncio.run(planning.plan(service, draft.id, by=BY, emit=ignore, stop=StopSwitch()))

    assert not service.find(draft.id).facts.plan


def test_a_return_is_planned_and_sent_as_planned(service: DraftService, imported: Report) -> None:
    draft = begun(service, imported.run_id)
    checked(service, draft.id)
    with pytest.raises(UsageError, match="there is nothing to send"):
        planned(service, draft.id)
    correct(service, draft.id, [Edit(2, "Email", "fixed@example.com")], by=BY)
    checked(service, draft.id)
    planned(service, draft.id)
    plan = planning.judged(service, draft.id).plan
    assert (plan.job, plan.run_id, plan.rows) == ("return", imported.run_id, 1)

    report = given_back(service, draft.id)

    assert report.counts["created"] == 2
    with registry.opened_run(service.workspace, imported.run_id) as run:
        assert [one.sha256 for one in run.stored.facts.plans] == [plan.sha256]


def test_a_run_that_has_gone_on_since_a_return_was_planned_takes_nothing(
    service: DraftService, imported: Report
) -> None:
    drafts = [begun(service, imported.run_id).id for _ in range(2)]
    for row, draft in enumerate(drafts, 2):
        checked(service, draft)
        correct(service, draft, [Edit(row, "Email", f"fixed{row}@example.com")], by=BY)
        checked(service, draft)
        planned(service, draft)
    given_back(service, drafts[0])
    with pytest.raises(PlanRefusedError, match="the run has gone on since"):
        given_back(service, drafts[1])


@pytest.mark.slow
def test_a_row_that_was_left_out_stays_as_its_run_has_it(service: DraftService, imported: Report) -> None:
    draft = begun(service, imported.run_id)
    checked(service, draft.id)
    cells = HEADER.split(",")
    correct(service, draft.id, [Edit(2, name, "") for name in cells] + [Edit(3, "Email", "c@example.com")], by=BY)

    given_back(service, draft.id)

    assert [status for _, _, status in results(service, imported.run_id)] == ["created", "invalid", "created"]


@pytest.mark.slow
def test_the_same_rows_from_two_drafts_are_sent_once(service: DraftService, imported: Report) -> None:
    drafts = [begun(service, imported.run_id) for _ in range(2)]
    for draft in drafts:
        checked(service, draft.id)
        correct(service, draft.id, [Edit(2, "Email", "fixed@example.com")], by=BY)

    given_back(service, drafts[0].id)
    report = given_back(service, drafts[1].id)

    assert (report.counts["created"], report.counts["read"]) == (2, 3)


@pytest.mark.slow
def test_rows_of_a_check_are_not_returned(service: DraftService, imported: Report) -> None:
    draft = begun(service, imported.run_id)
    checked_run = checked(service, draft.id).facts.checked_run
    with pytest.raises(UsageError, match="has no rows to return"):
        begun(service, checked_run)
    file = service.workspace / checked_run / "rejects.csv"

    async def chunks() -> AsyncIterator[bytes]:
        yield file.read_bytes()

    other = service.begin(BY).id
    asyncio.run(receive(service, other, "rejects.csv", chunks(), by=BY, most_bytes=10**6))
    with pytest.raises(UsageError, match="of which nothing was sent"):
        run_of(service, service.find(other))


def test_the_history_names_who_has_sent_a_run_or_else_who_ran_the_program(
    service: DraftService, imported: Report
) -> None:
    assert begun_by(service.workspace) == {imported.run_id: Begun(operator(), by_night=False)}
    draft = begun(service, imported.run_id)
    checked_run = checked(service, draft.id).facts.checked_run
    assert begun_by(service.workspace)[checked_run] == Begun(BY, by_night=False, draft=draft.id)
    given_back(service, draft.id)
    assert begun_by(service.workspace)[imported.run_id] == Begun("ana", by_night=False)


def test_the_history_names_who_has_checked_a_file_on_the_command_line(service: DraftService, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text(f"{HEADER}\n{line(0)}\n", encoding="utf-8")
    report = check(Context(service.profile, "validate", ignore, StopSwitch(), People(), service.machine), file)
    assert begun_by(service.workspace) == {report.run_id: Begun(operator(), by_night=False)}
