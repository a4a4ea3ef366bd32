"""Suspending and deleting a customer: read first, done once, and never where somebody else has changed it."""

from __future__ import annotations

from typing import Any

import pytest

from importer.core.outcomes import Verdict
from importer.core.step_tasks import StepReply, StepTask
from importer.core.steps import Step, StepState
from importer.customers.changes import fingerprint
from tests.unit.targets.scripted import PERSON, Script, hang_up, opened, reply, server
from tests.unit.targets.scripted import Step as Said

ACTIVE: dict[str, Any] = {**PERSON, "id": "c-1", "status": "ACTIVE", "updatedAt": "2026-11-23T00:42:50.311Z"}
GUARD = fingerprint(ACTIVE)
SUSPENDED = {**ACTIVE, "status": "SUSPENDED", "updatedAt": "2026-11-23T00:43:00.000Z"}
GONE = reply(404, {"errorCode": "EMU_NOT_FOUND", "message": "Sarah Green is gone"})
YES = {Step.SUSPEND: reply(200, b"Customer is suspended"), Step.DELETE: reply(204, b"")}
each = pytest.mark.parametrize("step", [Step.SUSPEND, Step.DELETE])


async def attempt(step: Step, *steps: Said, **more: Any) -> tuple[StepReply, list[tuple[str, str]]]:
    task = StepTask(0, 2, step, "", "c-1", "9f86d081884c7d65", b"", guard=GUARD)._replace(**more)
    async with server(Script(list(steps))) as script, opened(script.url) as it:
        said = await it.target.attempt(task)
        assert it.limiter.slots == it.limiter.departed == len(script.requests)
    return said, [(call.method, call.path) for call in script.calls]


async def test_a_customer_is_read_then_suspended_and_the_answer_is_no_json() -> None:
    said, calls = await attempt(Step.SUSPEND, reply(200, ACTIVE), YES[Step.SUSPEND])

    assert (said.reply.verdict, said.state) == (Verdict.ACCEPT, StepState.DONE)
    assert calls == [("GET", "/v1/customers/c-1"), ("PUT", "/v1/customers/c-1/suspend")]


async def test_a_customer_is_read_then_deleted() -> None:
    said, calls = await attempt(Step.DELETE, reply(200, ACTIVE), YES[Step.DELETE])

    assert (said.reply.verdict, said.state) == (Verdict.ACCEPT, StepState.DONE)
    assert calls == [("GET", "/v1/customers/c-1"), ("DELETE", "/v1/customers/c-1")]


@each
@pytest.mark.parametrize("in_doubt", [False, True])
async def test_a_customer_that_was_changed_since_is_left_alone(step: Step, in_doubt: bool) -> None:
    said, calls = await attempt(step, reply(200, {**ACTIVE, "lastName": "Grey"}), in_doubt=in_doubt)

    assert (said.reply.verdict, said.reply.error_code) == (Verdict.REJECT, "changed_since")
    assert len(calls) == 1


@each
async def test_without_a_guard_whatever_the_customer_is_like_counts(step: Step) -> None:
    said, calls = await attempt(step, reply(200, {**ACTIVE, "lastName": "Grey"}), YES[step], guard="")

    assert (said.reply.verdict, len(calls)) == (Verdict.ACCEPT, 2)


@pytest.mark.parametrize(("in_doubt", "verdict"), [(True, Verdict.ACCEPT), (False, Verdict.REJECT)])
@each
async def test_what_is_done_already_is_ours_only_where_our_request_may_have_done_it(
    step: Step, in_doubt: bool, verdict: Verdict
) -> None:
    there = reply(200, SUSPENDED) if step is Step.SUSPEND else GONE
    said, calls = await attempt(step, there, in_doubt=in_doubt)

    assert (said.reply.verdict, len(calls)) == (verdict, 1)
    assert verdict is Verdict.ACCEPT or said.reply.error_code == "changed_since"


async def test_one_that_is_suspended_is_not_suspended_even_where_the_guard_says_so() -> None:
    said, calls = await attempt(Step.SUSPEND, reply(200, SUSPENDED), guard=fingerprint(SUSPENDED))

    assert (said.reply.error_code, len(calls)) == ("changed_since", 1)


async def test_a_customer_that_is_gone_cannot_be_suspended_and_no_word_of_the_api_is_passed_on() -> None:
    for answers in ((GONE,), (reply(200, ACTIVE), GONE)):
        said, _ = await attempt(Step.SUSPEND, *answers)
        assert said.reply.verdict is Verdict.REJECT
        assert "Sarah" not in said.reply.message


async def test_one_that_is_gone_when_the_delete_arrives_is_deleted() -> None:
    said, _ = await attempt(Step.DELETE, reply(200, ACTIVE), GONE)

    assert (said.reply.verdict, said.state) == (Verdict.ACCEPT, StepState.DONE)


@each
@pytest.mark.parametrize(
    "lost",
    [hang_up(), reply(500, {}), reply(504, b"<html>"), reply(200, b"<html>A gateway</html>")],
    ids=["hang up", "500", "504", "a page"],
)
async def test_a_lost_answer_leaves_a_doubt(step: Step, lost: Said) -> None:
    said, calls = await attempt(step, reply(200, ACTIVE), lost)

    assert said.reply.verdict is Verdict.IN_DOUBT
    assert len(calls) == 2


@each
@pytest.mark.parametrize(
    ("answer", "verdict"),
    [(reply(429, {}), Verdict.RETRY), (reply(403, {}), Verdict.ABORT), (reply(422, {}), Verdict.REJECT)],
    ids=["429", "403", "422"],
)
async def test_a_clear_no_leaves_none(step: Step, answer: Said, verdict: Verdict) -> None:
    said, _ = await attempt(step, reply(200, ACTIVE), answer)

    assert said.reply.verdict is verdict


@each
async def test_a_customer_that_cannot_be_read_is_not_changed(step: Step) -> None:
    said, calls = await attempt(step, reply(503, {}))

    assert said.reply.verdict is Verdict.RETRY
    assert len(calls) == 1
