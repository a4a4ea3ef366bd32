"""A draft from its check to its run: what was checked is what is sent, and who did what is in the receipt."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from importer.core.errors import BusyError, ImporterError, PlanRefusedError, UsageError
from importer.core.events import Event
from importer.delivery import StopSwitch
from importer.journal import CheckChoices, Correction, Draft
from importer.profile import Profile
from importer.results import Report
from importer.runs.context import Machine, People
from importer.runs.drafts import checking, planning, sending
from importer.runs.drafts.drafts import DraftService
from importer.runs.drafts.mapping import choose_mapping, mapping
from importer.runs.drafts.receiving import receive
from importer.runs.history import Begun, begun_by
from importer.runs.receipt_check import check_receipt
from importer.runs.wiring import SystemClock
from tests.approvals import Office

HEADER = "Legacy ID,First Name,Last Name,Email,Phone,Phone Type\n"
FAX = Correction(3, "Phone Type", "Fax", "Work")


def rows(count: int = 3) -> bytes:
    """Customers, of whom the second one has a phone type that nobody knows."""
    types = ["Cell", "Fax", *["Work"] * count]
    lines = [
        f"C-{number},Ana,Green{'abcdefghij'[number % 10]},a{number}@example.com,202 555 01{number:02},{types[number]}\n"
        for number in range(count)
    ]
    return (HEADER + "".join(lines)).encode()


@pytest.fixture
def service(tmp_path: Path) -> DraftService:
    options = {"workspace": tmp_path / "runs", "delivery.rate": "1000/s"}
    return DraftService(Profile.load(options=options, environ={}))


def draft_of(service: DraftService, content: bytes | None = None) -> str:
    async def chunks() -> AsyncIterator[bytes]:
        yield content or rows()

    draft = service.begin("kim").id
    asyncio.run(receive(service, draft, "customers.csv", chunks(), by="kim", most_bytes=10_000_000))
    return draft


def ignore(_: Event) -> None:
    pass


def check(service: DraftService, draft: str) -> Draft:
    return asyncio.run(checking.check(service, draft, by="kim", emit=ignore, stop=StopSwitch()))


def plan(service: DraftService, draft: str, **how: Any) -> Draft:
    return asyncio.run(planning.plan(service, draft, by="kim", emit=ignore, stop=StopSwitch(), **how))


def run(
    service: DraftService, draft: str, emit: Any = ignore, stop: StopSwitch | None = None, by: str = "ana"
) -> Report:
    work = sending.run(service, draft, by=by, emit=emit, stop=stop or StopSwitch(), people=People())
    return asyncio.run(work)


def fix(service: DraftService, draft: str, *corrections: Correction) -> None:
    with service.opened() as drafts:
        drafts.correct(draft, corrections or [FAX], service.act("kim", "corrected"))


def results(service: DraftService, run_id: str) -> list[dict[str, str]]:
    with (service.workspace / run_id / "results.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


# --------------------------------------------------------------------------- checked


def test_a_check_is_a_dry_run_that_the_draft_remembers(service: DraftService) -> None:
    draft = draft_of(service)

    checked = check(service, draft)

    assert checked.is_checked
    assert checked.facts.stage == "fix"
    assert [row["_status"] for row in results(service, checked.facts.checked_run)] == ["valid", "invalid", "valid"]
    assert service.acts(draft)[-1].details == {"run": checked.facts.checked_run, "read": 3, "valid": 2, "invalid": 1}


def test_corrections_are_part_of_the_next_check_and_make_the_last_one_old(service: DraftService) -> None:
    draft = draft_of(service)
    check(service, draft)
    fix(service, draft)
    assert not service.find(draft).is_checked

    checked = check(service, draft)

    assert (checked.is_checked, checked.facts.stage) == (True, "check")
    assert [row["Phone Type"] for row in results(service, checked.facts.checked_run)] == ["Cell", "Work", "Work"]


def test_the_history_says_of_which_draft_a_check_is(service: DraftService) -> None:
    draft = draft_of(service)

    checked = check(service, draft)

    assert begun_by(service.workspace) == {checked.facts.checked_run: Begun("kim", by_night=False, draft=draft)}


@pytest.mark.slow
def test_a_check_that_is_stopped_is_not_remembered(service: DraftService) -> None:
    draft, stop = draft_of(service), StopSwitch()
    stop.request("sigint")

    with pytest.raises(ImporterError, match="Stopped before anything was sent"):
        asyncio.run(checking.check(service, draft, by="kim", emit=ignore, stop=stop))

    assert not service.find(draft).facts.checked_run


@pytest.mark.slow
def test_a_check_of_what_somebody_else_has_chosen_otherwise_meanwhile_is_not_remembered(service: DraftService) -> None:
    draft = draft_of(service)

    def choose(event: Event) -> None:
        if event.name == "run_started":
            choose_mapping(service, draft, None, CheckChoices(duplicates="first"), by="ana")

    with pytest.raises(BusyError, match="Somebody else changed this draft while it was being checked"):
        asyncio.run(checking.check(service, draft, by="kim", emit=choose, stop=StopSwitch()))

    assert not service.find(draft).facts.checked_run


@pytest.mark.slow
def test_corrections_that_are_made_during_a_check_need_another_one(service: DraftService) -> None:
    draft = draft_of(service)

    def correct(event: Event) -> None:
        if event.name == "run_started":
            fix(service, draft)

    checked = asyncio.run(checking.check(service, draft, by="kim", emit=correct, stop=StopSwitch()))

    assert checked.facts.checked_run
    assert not checked.is_checked


# --------------------------------------------------------------------------- planned and sent


def test_what_was_planned_is_sent_and_the_receipt_says_who_did_what(service: DraftService) -> None:
    draft = draft_of(service)
    choose_mapping(service, draft, mapping(service, draft).rules, CheckChoices(), by="kim")
    check(service, draft)
    fix(service, draft)

    planned = plan(service, draft)
    said = planning.judged(service, draft).plan
    report = run(service, draft)

    sent = service.find(draft)
    assert (planned.facts.stage, planned.is_checked, said.rows) == ("approve", True, 3)
    assert (report.counts["created"], report.counts["read"]) == (3, 3)
    assert (sent.facts.run_id, sent.facts.stage) == (report.run_id, "results")
    assert [row["Phone Type"] for row in results(service, report.run_id)] == ["Cell", "Work", "Work"]
    receipt = json.loads((service.workspace / report.run_id / "receipt.json").read_text(encoding="utf-8"))
    assert [(one["by"], one["what"]) for one in receipt["acts"]] == [
        ("kim", "begun"), ("kim", "received"), ("kim", "mapping chosen"), ("kim", "checked"), ("kim", "corrected"),
        ("kim", "planned"), ("ana", "sent"),
    ]  # fmt: skip
    assert receipt["plans"][0]["sha256"] == said.sha256
    assert "Green" not in json.dumps(receipt["acts"])
    with pytest.raises(UsageError, match="This draft was sent as the run"):
        run(service, draft)


@pytest.mark.slow
def test_the_command_line_does_the_same_with_the_files_of_a_draft(service: DraftService, tmp_path: Path) -> None:
    draft = draft_of(service)
    fix(service, draft)
    plan(service, draft)
    report = run(service, draft)

    folder, again = service.folder(service.find(draft)), tmp_path / "again"
    source = str(service.source(service.find(draft)))
    command = [
        sys.executable, "-m", "importer", "run", source, "--config", str(folder / "profile.toml"),
        "--corrections", str(folder / "corrections.csv"), "--workspace", str(again), "--json",
    ]  # fmt: skip
    environ = {name: value for name, value in os.environ.items() if not name.startswith("IMPORTER_")}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)

    said = json.loads(done.stdout)
    assert (done.returncode, said["counts"]["created"]) == (0, 3)
    cells = ["Legacy ID", "Phone Type", "_status", "_warnings"]
    both = [results(service, report.run_id), results(DraftService(Profile(workspace=again)), said["run_id"])]
    assert [[row[cell] for cell in cells] for row in both[0]] == [[row[cell] for cell in cells] for row in both[1]]


@pytest.mark.slow
def test_a_draft_that_was_changed_since_its_plan_is_planned_again(service: DraftService) -> None:
    draft = draft_of(service)
    with pytest.raises(UsageError, match="was not planned yet"):
        run(service, draft)
    plan(service, draft)
    fix(service, draft)

    with pytest.raises(UsageError, match="This draft was changed since it was planned"):
        run(service, draft)
    plan(service, draft)

    assert planning.judged(service, draft).plan.rows == 3


@pytest.mark.slow
def test_what_is_no_longer_as_planned_is_refused_and_the_draft_can_be_changed(service: DraftService) -> None:
    draft = draft_of(service)
    plan(service, draft)
    service.source(service.find(draft)).write_bytes(rows(4))

    with pytest.raises(PlanRefusedError):
        run(service, draft)

    assert (service.find(draft).facts.run_id, service.find(draft).facts.stage) == ("", "approve")
    assert service.acts(draft)[-1].what == "run refused"
    choose_mapping(service, draft, None, CheckChoices(), by="kim")


@pytest.mark.slow
def test_a_run_that_was_stopped_is_remembered_and_gone_on_with(service: DraftService) -> None:
    draft, stop = draft_of(service, rows(40)), StopSwitch()
    plan(service, draft)
    settled = 0

    def stop_early(event: Event) -> None:
        nonlocal settled
        if event.name == "row_settled" and not settled:
            with pytest.raises(BusyError, match="of this draft is under way"):
                service.remove(draft)
        settled += event.name == "row_settled"
        if settled == 5:
            stop.request("sigint")

    stopped = run(service, draft, stop_early, stop)
    assert service.find(draft).facts.run_id == stopped.run_id
    assert stopped.counts["unsent"] > 0

    sending.log_act(service, stopped.run_id, "ana", "stopped")
    work = sending.resume(service, stopped.run_id, by="ben", emit=ignore, stop=StopSwitch(), people=People())
    assert asyncio.run(work).counts["created"] == 39
    receipt = json.loads((service.workspace / stopped.run_id / "receipt.json").read_text(encoding="utf-8"))
    assert [(one["by"], one["what"]) for one in receipt["acts"]][-3:] == [
        ("ana", "sent"), ("ana", "stopped"), ("ben", "resumed"),
    ]  # fmt: skip
    assert check_receipt(service.workspace, stopped.run_id)["exit_code"] == 0


SENDER = """
import asyncio, sys
from pathlib import Path
from importer.delivery import StopSwitch
from importer.profile import Profile
from importer.runs.context import People
from importer.runs.drafts import sending
from importer.runs.drafts.drafts import DraftService

def emit(event):
    if event.name == "row_settled":
        print(event.name, flush=True)

options = {"workspace": Path(sys.argv[1]), "delivery.rate": "20/s"}
service = DraftService(Profile.load(options=options, environ={}))
asyncio.run(sending.run(service, sys.argv[2], by="ana", emit=emit, stop=StopSwitch(), people=People()))
"""


@pytest.mark.slow
def test_a_draft_knows_its_run_after_a_kill_and_the_run_goes_on(service: DraftService) -> None:
    draft = draft_of(service, rows(40))
    fix(service, draft)
    plan(service, draft)
    command = [sys.executable, "-c", SENDER, str(service.workspace), draft]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline()
        killed.send_signal(signal.SIGKILL)

    run_id = service.find(draft).facts.run_id
    work = sending.resume(service, run_id, by="ben", emit=ignore, stop=StopSwitch(), people=People())
    report = asyncio.run(work)

    assert (report.run_id, report.counts["read"]) == (run_id, 40)
    assert report.counts["created"] + report.counts["existing"] == 40
    ids = [row["_customer_id"] for row in results(service, run_id)]
    assert len(set(ids)) == 40


def test_a_plan_is_sent_as_it_was_shown_or_not_at_all(service: DraftService) -> None:
    draft = draft_of(service)
    shown = planning.judged(service, plan(service, draft).id).plan.sha256
    plan(service, draft)
    work = sending.run(service, draft, by="ana", emit=ignore, stop=StopSwitch(), people=People(), shown=shown)
    with pytest.raises(PlanRefusedError, match="planned this draft anew since the plan was shown"):
        asyncio.run(work)
    assert service.find(draft).facts.run_id == ""


class InAMonth(SystemClock):
    """Plans of today have expired."""

    def now(self) -> float:
        return super().now() + 30 * 86_400


@pytest.mark.slow
def test_a_second_person_approves_the_plan_with_their_own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(tmp_path / "office", "sandbox.example.com")
    office.folder.mkdir()
    monkeypatch.setenv("IMPORTER_APPROVAL_POLICY", str(office.decrees()))
    options = {"workspace": tmp_path / "runs", "target": "sandbox", "account_of": "new"}
    targets = {"targets": {"sandbox": {"base_url": "https://sandbox.example.com"}}}
    monkeypatch.setenv("ROCKETKOR_API_KEY", "fictional")
    monkeypatch.setenv("ROCKETKOR_API_SECRET", "fictional")
    service = DraftService(Profile.load(options={**options, **targets}, environ={}))
    draft = draft_of(service)
    plan(service, draft, author=lambda: office.signer("anna"))
    shown = planning.judged(service, draft)
    assert shown.missing

    approved = planning.approve(service, draft, office.signer("ben"), shown.plan.sha256, by="ben")

    assert approved.approved
    assert service.find(draft).facts.stage == "run"
    assert service.acts(draft)[-1].details == {"plan": shown.plan.sha256, "key": "ben"}
    with pytest.raises(PlanRefusedError, match="another one than a moment ago"):
        planning.approve(service, draft, office.signer("ben"), "0" * 64, by="ben")
    with pytest.raises(UsageError, match="ben approved the plan of this draft already, and it still holds"):
        plan(service, draft, author=lambda: office.signer("anna"))
    assert planning.judged(service, draft).approved
    later = DraftService(service.profile, Machine(InAMonth()))
    plan(later, draft, author=lambda: office.signer("anna"))
    assert not planning.judged(later, draft).approved


@pytest.mark.parametrize("target", ["live", "../x", ""])
def test_a_target_that_the_profile_does_not_name_cannot_be_chosen(service: DraftService, target: str) -> None:
    draft = draft_of(service)

    with pytest.raises(UsageError, match="There is no such target in the profile of the console"):
        planning.choose_target(service, draft, target, by="kim")

    assert service.find(draft).facts.target == ""


@pytest.mark.slow
def test_another_target_needs_another_plan(tmp_path: Path) -> None:
    targets = {"targets": {"live": {"base_url": "https://api.example.com"}}}
    service = DraftService(Profile.load(options={"workspace": tmp_path / "runs", **targets}, environ={}))
    draft = draft_of(service)
    plan(service, draft)
    planning.choose_target(service, draft, "emulator", by="kim")
    assert planning.judged(service, draft).plan.target == "emulator"

    planning.choose_target(service, draft, "live", by="kim")

    with pytest.raises(UsageError, match="was changed since it was planned, or was not planned yet"):
        run(service, draft)
    context = checking.context_of(service, service.find(draft), "run", ignore, StopSwitch(), by="kim")
    assert (context.profile.target, context.profile.target_origin) == ("live", "option")
