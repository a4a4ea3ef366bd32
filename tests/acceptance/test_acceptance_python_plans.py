"""A Python programmer who plans before sending: the same plans, refusals and approvals as at the command line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from importer import Profile, plan, read, run
from importer.core.errors import ApprovalMissingError, PlanRefusedError, UsageError
from importer.runs.plans.import_plan import ImportPlan
from importer.runs.wiring import SystemClock
from tests.acceptance.conftest import User, Witness, people
from tests.acceptance.plans import Site, site_of

ROWS = 20


@pytest.fixture
def source(user: User) -> Path:
    return user.has("people.csv", people(ROWS))


@pytest.fixture
def profile(user: User) -> Profile:
    return Profile(workspace=user.home / "runs")


async def test_a_dataframe_is_planned_and_sent_as_it_was_planned_and_no_other_one_is(
    source: Path, profile: Profile
) -> None:
    customers = read(source, profile=profile)
    planned = plan(customers, profile=profile)
    assert (planned.exit_code, planned.counts, planned.dry_run) == (
        0,
        {"read": ROWS, "valid": ROWS, "invalid": 0},
        True,
    )
    assert "20 customers would be created at emulator" in planned.verdict
    where = planned.files["plan"]
    assert planned.next_step.endswith(f"run: await importer.run(frame, plan='{where}')")

    changed = customers.copy()
    changed.iloc[4, 1] = "Other"
    with pytest.raises(PlanRefusedError, match="row 6"):
        await run(changed, profile=profile, plan=where)
    with pytest.raises(UsageError, match="made of a DataFrame, which is gone") as gone:
        await run(profile=profile, plan=where)
    assert "--" not in gone.value.hint

    sent = await run(customers, profile=profile, plan=where)
    assert (sent.exit_code, sent.counts["created"]) == (0, ROWS)
    assert len(list(profile.workspace.glob("2*"))) == 2


@pytest.mark.slow
async def test_the_plan_of_a_file_is_where_it_is_wanted_and_names_the_file(source: Path, profile: Profile) -> None:
    where = source.with_name("plan.json")
    assert plan(str(source), profile=profile, out=str(where), limit=5).files["plan"] == where

    sent = await run(profile=profile, plan=str(where))
    assert sent.counts["created"] == 5


@pytest.mark.slow
async def test_what_cannot_be_planned_or_sent_by_a_plan_is_refused(source: Path, profile: Profile) -> None:
    with pytest.raises(UsageError, match="There is neither a source nor a plan"):
        await run(profile=profile)
    with pytest.raises(UsageError, match="A plan is a path"):
        await run(source, profile=profile, plan=plan(source, profile=profile))  # type: ignore[arg-type]
    with pytest.raises(PlanRefusedError, match="not a plan"):
        await run(source, profile=profile, plan=source)

    rows = (await run(read(source, profile=profile).head(3), profile=profile)).rows()
    with pytest.raises(UsageError, match="comes back to its run"):
        plan(rows, profile=profile)
    assert plan(rows, profile=profile, as_new=True).counts["valid"] == 3


@pytest.mark.slow
def test_a_dataframe_beside_the_plan_of_a_return_is_refused(user: User, profile: Profile) -> None:
    wrong = people(3).replace("person1@example.com", "nobody")
    outcome = asyncio.run(run(user.has("people.csv", wrong), profile=profile))
    rejects = outcome.files["rejects"]
    rejects.write_text(rejects.read_text().replace("nobody", "person1@example.com"))
    made = user.types("plan", "--retry", "last", "--fixed", rejects, "--json").json["files"]["plan"]

    with pytest.raises(UsageError, match="of rows that are sent again, and of a file"):
        asyncio.run(run(outcome.rows(), profile=profile, plan=user.home / made))
    assert asyncio.run(run(rejects, profile=profile, plan=user.home / made)).counts["created"] == 3


@pytest.fixture
def site(user: User, witness: Witness, profile_for: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Site:
    found = site_of(user, witness, profile_for)
    for name, value in {**witness.environ, "IMPORTER_APPROVAL_POLICY": str(found.office.path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("IMPORTER_KEYS", str(found.office.keys))
    return found


async def test_the_policy_binds_programs_too(site: Site, source: Path, profile: Profile) -> None:
    chosen = Profile.load(site.profile).with_options({"workspace": profile.workspace})
    customers = read(source, profile=chosen)
    with pytest.raises(ApprovalMissingError, match="without an approved plan"):
        await run(customers, profile=chosen, target="sandbox")
    assert site.asked == 0

    where = plan(customers, profile=chosen, target="sandbox", key="anna").files["plan"]
    assert [(one.name, one.role) for one in ImportPlan.read(where).signatures] == [("anna", "author")]
    with pytest.raises(ApprovalMissingError, match="not approved"):
        await run(customers, profile=chosen, target="sandbox", plan=where)
    assert site.asked == 0

    site.office.signs(ImportPlan.read(where), "ben", at=SystemClock().now()).write(where)
    sent = await run(customers, profile=chosen, target="sandbox", plan=where)
    assert (sent.exit_code, sent.counts["created"]) == (0, ROWS)
