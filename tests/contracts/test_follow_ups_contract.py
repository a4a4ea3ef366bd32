"""What every target promises that takes steps after a create, run over each kind that does.

A new kind adds a world of its own to `WORLDS`: a server that really does the steps.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from importer.core.contract import contract_of
from importer.core.outcomes import Reply, Verdict
from importer.core.ports import FollowUps, ShowsAdditions, TakesFiles, Verifies
from importer.core.step_tasks import StepTask
from importer.core.steps import STEP_RULES, UNDOING, Step, StepState
from importer.emulator import Emulator, EmulatorSettings, Faults
from importer.targets import OpenTarget, TargetAccess, connect, kinds
from tests.emulator.client import BAKERY
from tests.unit.targets.scripted import CountingLimiter, FixedClock, credentials, record

IDV_S = 10.0
STEPS = (Step.BENEFICIARIES, Step.LIMITS, Step.DOCUMENTS, Step.VERIFICATION)
each_step = pytest.mark.parametrize("step", STEPS)
PAYLOADS: Mapping[Step, tuple[str, Any]] = {
    Step.BENEFICIARIES: ("1", {"firstName": "Olga", "lastName": "Owner", "dateOfBirth": "1980-01-31"}),
    Step.LIMITS: ("", {"currency": "CAD", "single": "50.00", "daily": "99.99"}),
    Step.DOCUMENTS: ("formation", {"file": "scan.pdf", "description": "Certificate of formation"}),
    Step.VERIFICATION: ("", None),
}
FAULTS = {
    Step.BENEFICIARIES: "beneficiary",
    Step.LIMITS: "limits_set",
    Step.DOCUMENTS: "document",
    Step.VERIFICATION: "idv_submit",
}
TABLES = {
    Step.BENEFICIARIES: "beneficiaries",
    Step.LIMITS: "limits",
    Step.DOCUMENTS: "documents",
    Step.VERIFICATION: "applications",
}


class Scans:
    """One file, whatever its name."""

    async def read(self, name: str, most_bytes: int, sha256: str = "") -> bytes:
        return b"%PDF-1.7"


@dataclass
class World:
    """A target, and a server that holds one customer.

    Args:
        dead: the same target where no server is.
    """

    target: Any
    dead: Any
    emulator: Emulator
    limiter: CountingLimiter
    clock: FixedClock
    customer_id: str = ""

    def task(self, step: Step, **changes: Any) -> StepTask:
        part, body = PAYLOADS.get(step, ("", None))
        payload = b"" if body is None else json.dumps(body).encode()
        return StepTask(0, 2, step, part, self.customer_id, "9f86d081884c7d65", payload)._replace(**changes)

    def made(self, step: Step) -> int:
        """How many of what a step makes are at the target."""
        return int(self.emulator.numbers()["stored"][TABLES[step]])

    @property
    def requests(self) -> int:
        return self.emulator.ledger.requests


@asynccontextmanager
async def rocketkor_world(**rule: Any) -> AsyncIterator[World]:
    clock, limiter = FixedClock(), CountingLimiter()
    faults = Faults.of(rule) if rule else None
    async with Emulator(EmulatorSettings(idv_s=IDV_S, faults=faults), clock=clock.now) as emulator:
        keys = credentials(emulator.api_key, emulator.api_secret)
        target = await connect("rocketkor", TargetAccess(emulator.base_url, keys), limiter, clock)
        dead = await connect("rocketkor", TargetAccess("http://127.0.0.1:1", keys), CountingLimiter(), clock)
        for one in (target, dead):
            await prepared(one, target)
        world = World(target, dead, emulator, limiter, clock)
        world.customer_id = (await target.send(record(BAKERY))).customer_id
        try:
            yield world
        finally:
            await target.aclose()
            await dead.aclose()


async def prepared(one: OpenTarget, target: OpenTarget) -> None:
    """Do what a run does before its first step."""
    assert isinstance(one, FollowUps)
    assert isinstance(one, TakesFiles)
    assert isinstance(one, Verifies)
    assert isinstance(target, Verifies)
    one.files_from(Scans())
    profiles = await target.verification_profiles()
    assert not isinstance(profiles, tuple)
    one.verify_by(next(profile for profile in profiles if "BUSINESS" in profile.record_types))


WORLDS: Mapping[str, Callable[..., AbstractAsyncContextManager[World]]] = {"rocketkor": rocketkor_world}
each_kind = pytest.mark.parametrize("kind", sorted(WORLDS))


@pytest.mark.usefixtures("club_site")
def test_every_kind_with_steps_has_a_world() -> None:
    assert set(WORLDS) == {kind for kind in kinds() if contract_of(kind).after_create is not None}


@each_kind
@each_step
async def test_a_step_is_done_once_and_every_request_has_paid_for_its_slot(kind: str, step: Step) -> None:
    async with WORLDS[kind]() as world:
        before = world.requests - world.limiter.slots
        said = await world.target.attempt(world.task(step))

        assert said.reply.verdict is Verdict.ACCEPT
        assert said.state is (StepState.SUBMITTED if step is Step.VERIFICATION else StepState.DONE)
        assert bool(said.reference) != STEP_RULES[step].repeatable
        assert world.made(step) == (2 if step is Step.LIMITS else 1)
        assert world.requests - world.limiter.slots == before == 0


@each_kind
async def test_what_may_be_repeated_changes_nothing_when_it_is(kind: str) -> None:
    async with WORLDS[kind]() as world:
        first = await world.target.attempt(world.task(Step.LIMITS))
        stored = world.emulator.numbers()["stored"]
        again = await world.target.attempt(world.task(Step.LIMITS))

        assert (first.reply.verdict, again.reply.verdict) == (Verdict.ACCEPT, Verdict.ACCEPT)
        assert world.emulator.numbers()["stored"] == stored


@each_kind
@each_step
async def test_a_lost_answer_leaves_a_doubt_that_a_look_up_ends_or_none(kind: str, step: Step) -> None:
    async with WORLDS[kind](fault="commit-then-drop", on=[FAULTS[step]]) as world:
        task = world.task(step)
        lost = await world.target.attempt(task)
        if STEP_RULES[step].repeatable:
            assert lost.reply.verdict is Verdict.RETRY
            assert (await world.target.attempt(task)).reply.verdict is Verdict.ACCEPT
            return

        assert lost.reply.verdict is Verdict.IN_DOUBT
        assert world.made(step) == 1
        if STEP_RULES[step].looked_up:
            found = await world.target.made_by(task._replace(in_doubt=True, doubt_since=world.clock.now()))
            assert (len(found.references), found.failure) == (1, None)


@each_kind
@pytest.mark.parametrize("step", [step for step in STEPS if STEP_RULES[step].looked_up])
async def test_a_look_up_finds_what_an_attempt_has_made_and_nothing_before_that(kind: str, step: Step) -> None:
    async with WORLDS[kind]() as world:
        other = (await world.target.send(record(BAKERY))).customer_id
        await world.target.attempt(world.task(step, customer_id=other))
        before = await world.target.made_by(world.task(step))
        said = await world.target.attempt(world.task(step))
        after = await world.target.made_by(world.task(step))

        assert (before.references, before.failure) == ((), None)
        assert after.references == (said.reference,)


@each_kind
async def test_a_submitted_step_is_decided_in_time(kind: str) -> None:
    async with WORLDS[kind]() as world:
        said = await world.target.attempt(world.task(Step.VERIFICATION))
        task = world.task(Step.VERIFICATION, reference=said.reference)
        early = await world.target.progress(task)
        world.clock.wall += 2 * IDV_S
        late = await world.target.progress(task)

        assert (early.reply.verdict, early.state, early.outcome) == (Verdict.ACCEPT, StepState.SUBMITTED, "")
        assert (late.reply.verdict, late.state, late.outcome) == (Verdict.ACCEPT, StepState.DONE, "APPROVED")


@each_kind
async def test_what_the_account_lacks_is_refused_before_anything_is_set(kind: str) -> None:
    async with WORLDS[kind]() as world:
        wanted = json.dumps({"currency": "EUR", "daily": "1.00"}).encode()
        said = await world.target.attempt(world.task(Step.LIMITS, payload=wanted))

        assert (said.reply.verdict, said.reply.error_code) == (Verdict.REJECT, "limit_missing")
        assert world.made(Step.LIMITS) == 0


@each_kind
@each_step
async def test_a_customer_that_is_gone_is_refused(kind: str, step: Step) -> None:
    async with WORLDS[kind]() as world:
        gone = "00000000-0000-4000-8000-000000000000"
        said = await world.target.attempt(world.task(step, customer_id=gone))

        assert said.reply.verdict is Verdict.REJECT
        assert said.reply.message


@each_kind
@each_step
async def test_a_dead_server_leaves_replies_and_no_exceptions(kind: str, step: Step) -> None:
    async with WORLDS[kind]() as world:
        task = world.task(step, reference="a-1")
        assert (await world.dead.attempt(task)).reply.verdict is Verdict.RETRY
        if STEP_RULES[step].looked_up:
            found = await world.dead.made_by(task)
            assert found.failure is not None
            assert found.failure.verdict is Verdict.RETRY
        if step is Step.VERIFICATION:
            assert (await world.dead.progress(task)).reply.verdict is Verdict.RETRY


@each_kind
async def test_a_customer_can_be_read_back(kind: str) -> None:
    async with WORLDS[kind]() as world:
        found = await world.target.get(world.customer_id)

        assert [one.customer_id for one in found.candidates] == [world.customer_id]


# --------------------------------------------------------------------------- what takes a create back


async def guard_of(world: World, kind: str) -> str:
    """The fingerprint of the world's customer as it is now."""
    changes = contract_of(kind).changes
    assert changes is not None
    found = await world.target.get(world.customer_id)
    return changes.fingerprint(found.candidates[0].body)


each_way_back = pytest.mark.parametrize("step", sorted(UNDOING))


@each_kind
@each_way_back
async def test_a_create_is_taken_back_once(kind: str, step: Step) -> None:
    async with WORLDS[kind]() as world:
        task = world.task(step, guard=await guard_of(world, kind))
        said = await world.target.attempt(task)
        again = await world.target.attempt(task)
        doubted = await world.target.attempt(task._replace(in_doubt=True))

        assert (said.reply.verdict, said.state) == (Verdict.ACCEPT, StepState.DONE)
        assert (again.reply.verdict, again.reply.error_code) == (Verdict.REJECT, "changed_since")
        assert (doubted.reply.verdict, doubted.state) == (Verdict.ACCEPT, StepState.DONE)
        assert world.emulator.ledger.committed[step.value] == 1
        assert world.requests == world.limiter.slots


@each_kind
@each_way_back
@pytest.mark.parametrize("fault", ["commit-then-drop", "drop-before-commit"])
async def test_a_lost_answer_to_a_way_back_is_read_before_anything_else(kind: str, step: Step, fault: str) -> None:
    async with WORLDS[kind](fault=fault, on=[step.value], for_requests=12) as world:
        task = world.task(step, guard=await guard_of(world, kind))
        lost = await world.target.attempt(task)
        while world.requests < 12:
            await world.target.get(world.customer_id)
        found = await world.target.attempt(task._replace(in_doubt=True))

        assert lost.reply.verdict is Verdict.IN_DOUBT
        assert (found.reply.verdict, found.state) == (Verdict.ACCEPT, StepState.DONE)
        assert world.emulator.ledger.committed[step.value] == 1


@each_kind
@each_way_back
@pytest.mark.parametrize("in_doubt", [False, True])
async def test_a_customer_that_somebody_has_changed_is_left_alone(kind: str, step: Step, in_doubt: bool) -> None:
    async with WORLDS[kind]() as world:
        said = await world.target.attempt(world.task(step, guard="0" * 64, in_doubt=in_doubt))

        assert (said.reply.verdict, said.reply.error_code) == (Verdict.REJECT, "changed_since")
        assert not world.emulator.ledger.committed[step.value]


@each_kind
@each_way_back
async def test_a_dead_server_leaves_a_way_back_to_be_tried_again(kind: str, step: Step) -> None:
    async with WORLDS[kind]() as world:
        assert (await world.dead.attempt(world.task(step))).reply.verdict is Verdict.RETRY


@each_kind
async def test_what_a_customer_was_given_is_shown(kind: str) -> None:
    async with WORLDS[kind]() as world:
        shows = world.target
        assert isinstance(shows, ShowsAdditions)
        before = await shows.limits_of(world.customer_id)
        await world.target.attempt(world.task(Step.LIMITS))
        after = await shows.limits_of(world.customer_id)
        submitted = await world.target.attempt(world.task(Step.VERIFICATION))
        listed = await shows.applications(world.clock.now(), 0)

        assert not isinstance(before, Reply)
        assert not isinstance(after, Reply)
        changed = {(one.type.lower(), one.currency, one.amount) for one in set(after) - set(before)}
        assert changed == {("single", "CAD", "50.00"), ("daily", "CAD", "99.99")}
        assert not isinstance(listed, Reply)
        assert (listed.customers, listed.is_last) == ({submitted.reference: frozenset({world.customer_id})}, True)
