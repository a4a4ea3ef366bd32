"""Updating a customer: read first, written as a whole and once, and only where something changes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from importer.core.outcomes import Verdict
from importer.core.step_tasks import StepReply, StepTask
from importer.core.steps import Step, StepState
from importer.customers.changes import fingerprint
from tests.unit.targets.scripted import PERSON, Request, Script, hang_up, opened, reply, server
from tests.unit.targets.scripted import Step as Said

HELD: dict[str, Any] = {**PERSON, "id": "c-1", "status": "ACTIVE", "updatedAt": "2026-11-23T00:42:50.311Z"}
GUARD = fingerprint(HELD)
BROWN = {**HELD, "lastName": "Brown", "updatedAt": "2026-11-23T00:43:00.000Z"}
ROW = {"id": "c-1", "lastName": "Brown"}


async def attempt(*steps: Said, row: Any = ROW, **more: Any) -> tuple[StepReply, list[Request]]:
    task = StepTask(0, 2, Step.UPDATE, "", "c-1", "9f86d081884c7d65", json.dumps(row).encode())._replace(**more)
    async with server(Script(list(steps))) as script, opened(script.url) as it:
        said = await it.target.attempt(task)
        assert it.limiter.slots == it.limiter.departed == len(script.requests)
    return said, list(script.calls)


async def test_a_customer_is_read_then_written_as_a_whole() -> None:
    said, calls = await attempt(reply(200, HELD), reply(200, BROWN))

    assert (said.reply.verdict, said.state, said.status) == (Verdict.ACCEPT, StepState.DONE, "changed")
    assert said.detail == (f"lastName: {PERSON['lastName'][0]}••• → B•••",)
    assert [(call.method, call.path) for call in calls] == [("GET", "/v1/customers/c-1"), ("PUT", "/v1/customers/c-1")]
    assert json.loads(calls[1].body) == {**PERSON, "lastName": "Brown"}


async def test_an_answer_without_a_body_is_a_yes() -> None:
    said, calls = await attempt(reply(200, HELD), reply(204, b""))

    assert (said.reply.verdict, said.status, len(said.detail), len(calls)) == (Verdict.ACCEPT, "changed", 1, 2)


async def test_a_customer_that_is_as_the_row_says_is_not_written() -> None:
    said, calls = await attempt(reply(200, BROWN))

    assert (said.reply.verdict, said.state, said.status) == (Verdict.ACCEPT, StepState.DONE, "unchanged")
    assert len(calls) == 1


@pytest.mark.parametrize("more", [{"in_doubt": True}, {"in_doubt": True, "guard": GUARD}])
async def test_what_an_earlier_request_has_written_counts_as_changed(more: dict[str, Any]) -> None:
    said, calls = await attempt(reply(200, BROWN), **more)

    assert (said.state, said.status, len(calls)) == (StepState.DONE, "changed", 1)


async def test_what_somebody_else_has_written_since_the_list_does_not_count_as_changed() -> None:
    said, calls = await attempt(reply(200, BROWN), guard=GUARD)

    assert (said.state, said.status, len(calls)) == (StepState.DONE, "unchanged", 1)


async def test_a_customer_that_was_changed_since_the_list_is_left_alone() -> None:
    said, calls = await attempt(reply(200, {**HELD, "firstName": "Eva"}), guard=GUARD)

    assert (said.reply.verdict, said.reply.error_code) == (Verdict.REJECT, "changed_since")
    assert len(calls) == 1


async def test_a_list_says_what_would_change_and_writes_nothing() -> None:
    said, calls = await attempt(reply(200, HELD), lists_only=True)

    assert (said.reply.verdict, said.state, said.reference) == (Verdict.ACCEPT, StepState.LISTED, GUARD)
    assert said.detail == (f"lastName: {PERSON['lastName'][0]}••• → B•••",)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("held", "row", "code"),
    [
        ({**HELD, "socialId": "*****0000"}, ROW, "value_hidden"),
        (HELD, {**ROW, "type": "BUSINESS"}, "cannot_change"),
        (HELD, {"businessName": "Example Bakery"}, "cannot_change"),
    ],
)
async def test_what_may_not_be_written_is_one_sentence(held: dict[str, Any], row: dict[str, Any], code: str) -> None:
    said, calls = await attempt(reply(200, held), row=row)

    assert (said.reply.verdict, said.reply.error_code, len(calls)) == (Verdict.REJECT, code, 1)
    assert said.reply.message.endswith("nothing was sent.")


async def test_a_customer_that_is_gone_is_refused() -> None:
    said, calls = await attempt(reply(404, {"errorCode": "EMU_NOT_FOUND"}))

    assert (said.reply.verdict, said.reply.error_code, len(calls)) == (Verdict.REJECT, "customer_gone", 1)


@pytest.mark.parametrize(
    "lost",
    [hang_up(), reply(500, {}), reply(504, b"<html>"), reply(200, b"<html>A gateway</html>")],
    ids=["hang up", "500", "504", "a page"],
)
async def test_a_lost_answer_leaves_a_doubt(lost: Said) -> None:
    said, _ = await attempt(reply(200, HELD), lost)

    assert said.reply.verdict is Verdict.IN_DOUBT


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [(reply(429, {}), Verdict.RETRY), (reply(403, {}), Verdict.ABORT), (reply(422, {}), Verdict.REJECT)],
    ids=["429", "403", "422"],
)
async def test_a_clear_no_leaves_none(answer: Said, verdict: Verdict) -> None:
    said, _ = await attempt(reply(200, HELD), answer)

    assert said.reply.verdict is verdict


async def test_a_customer_that_cannot_be_read_is_not_written() -> None:
    said, calls = await attempt(reply(503, {}))

    assert (said.reply.verdict, len(calls)) == (Verdict.RETRY, 1)
