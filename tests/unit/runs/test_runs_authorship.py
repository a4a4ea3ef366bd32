"""Every plan says who made it and how long it is good, and its author signs it where they have a key."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from importer.approval import Signer, is_genuine
from importer.profile import Profile
from importer.profile.delivery import TargetSettings
from importer.runs.context import Context, Machine
from importer.runs.plans.authorship import made
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
