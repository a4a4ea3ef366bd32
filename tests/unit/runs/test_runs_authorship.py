"""Every plan says who made it and how long it is good, and its author signs it where they have a key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from importer.approval import Signer, is_genuine, load_policy
from importer.core.commands import Commands
from importer.core.errors import ApprovalMissingError
from importer.profile import Profile
from importer.profile.delivery import TargetSettings
from importer.runs.context import Context, Machine
from importer.runs.plans.authorship import NextOf, made, signer_of
from importer.runs.plans.gate import Requirement
from importer.runs.plans.plan_file import PlanFile
from importer.runs.wiring import Destination, SystemClock
from tests.approvals import Office

NOW = 1_790_000_000.0
DAY = 86_400.0
HOST = "sandbox.example.com"
WHERE = Destination("sandbox", TargetSettings(base_url=f"https://{HOST}"), f"https://{HOST}#main", HOST)


class Stopped(SystemClock):
    def now(self) -> float:
        return NOW


def a_plan(signer: Signer | None, **approval: Any) -> PlanFile:
    profile = Profile.load(options={"approval": approval}, environ={})
    context = Context(profile, machine=Machine(clock=Stopped()))
    return made(PlanFile, context, WHERE, signer, format="plan 1", job="undo", run_id="run", rows=3)


def test_a_plan_says_where_it_sends_to_who_made_it_and_how_long_it_is_good() -> None:
    plan = a_plan(None, valid="36h")

    assert (plan.target, plan.host, plan.scope, plan.rows) == ("sandbox", HOST, WHERE.scope, 3)
    assert (plan.made_at, plan.expires_at) == (NOW, NOW + 1.5 * DAY)
    assert re.fullmatch(r"[^@]+@\S+", plan.author)
    assert plan.sha256 == plan.computed()
    assert not plan.signatures


def test_its_author_signs_it(tmp_path: Path) -> None:
    anna = Office(tmp_path, HOST).signer("anna")
    (signature,) = a_plan(anna).signatures

    assert (signature.role, signature.name, signature.signed_at) == ("author", "anna", NOW)
    assert is_genuine(signature, a_plan(None).sha256, anna.public)


# --------------------------------------------------------------------------- who signs


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    found = Office(tmp_path, HOST)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IMPORTER_KEYS", str(tmp_path / "keys"))
    found.decrees()
    return found


def asked(office: Office) -> Requirement:
    return Requirement(load_policy({"IMPORTER_APPROVAL_POLICY": str(office.path)}, Path("/nonexistent")), HOST, 9e9, 2)


def signs(office: Office, name: str, key: str = "", *, policy: bool = True) -> str:
    """Who signs a plan as its author, where that key is at hand."""
    profile = Profile.load(options={"approval": {"key": key}}, environ={})
    signer = signer_of(profile, asked(office) if policy else None, lambda: office.signer(name), NOW)
    return signer.name if signer else ""


@pytest.mark.parametrize("key", ["", "anna"])
def test_whoever_may_make_plans_signs_them(office: Office, key: str) -> None:
    assert signs(office, "anna", key) == "anna"


def test_the_only_key_does_not_sign_where_its_owner_may_not_make_plans(office: Office) -> None:
    assert not signs(office, "ben")


def test_a_key_that_was_named_and_may_not_sign_plans_is_refused_with_those_that_may(office: Office) -> None:
    with pytest.raises(ApprovalMissingError, match=r"ben may not make plans\. No plan was made\..* by anna or carol"):
        signs(office, "ben", "ben")
    with pytest.raises(ApprovalMissingError, match="dora is not in the approval policy"):
        signs(office, "dora", "dora")


def test_where_no_policy_is_a_key_signs_only_where_it_was_named(office: Office) -> None:
    assert signs(office, "ben", "ben", policy=False) == "ben"
    assert not signs(office, "ben", policy=False)


# --------------------------------------------------------------------------- what is said of it


def what_next(plan: PlanFile, needed: Requirement | None) -> NextOf:
    return NextOf.of(plan, needed, Path("plan.json"), Commands())


def test_where_no_approval_is_needed_a_plan_may_be_sent_at_once(office: Office) -> None:
    found = what_next(a_plan(office.signer("anna")), None)

    assert found == NextOf("It is good until 2026-09-28 14:13 UTC.")
    assert found.step("To send it:", "send", "show") == ("To send it:", "send")


def test_who_has_signed_it_and_who_may_approve_it_is_said(office: Office) -> None:
    found = what_next(a_plan(office.signer("anna")), asked(office))

    assert found.approval == (
        "anna has signed it as its author. It can be approved by ben (up to 50,000 customers) or carol."
    )
    command = "importer approve plan.json --key ben"
    assert found.step("To send it:", "send", "show") == ("To approve it, run:", command)


def test_a_plan_that_no_author_has_signed_says_so(office: Office) -> None:
    found = what_next(a_plan(None), asked(office))

    assert found.approval.startswith("No author has signed it: ")
    assert found.approval.endswith("It can be approved by ben (up to 50,000 customers) or carol.")


def test_where_its_author_is_the_only_approver_nobody_is_asked_to_approve_it(office: Office) -> None:
    office.decrees(but=["ben"])
    found = what_next(a_plan(office.signer("carol")), asked(office))

    assert "Nobody but carol may approve it, who has signed it already" in found.approval
    assert found.step("To send it:", "send", "show") == ("To see the plan, run:", "show")


def test_the_policy_shortens_how_long_it_is_good(office: Office) -> None:
    office.decrees(head='valid = "1d"')

    assert what_next(a_plan(None), asked(office)).until == "It is good until 2026-09-22 14:13 UTC."


def test_where_no_policy_says_who_may_approve_that_is_said() -> None:
    found = what_next(a_plan(None), Requirement(None, HOST, 9e9, 2))

    assert "no policy on this machine says who may give it" in found.approval
    assert found.approve == "importer approve plan.json"
