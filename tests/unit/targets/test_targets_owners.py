from __future__ import annotations

import json
from typing import Any

import pytest

from importer.core.outcomes import FieldError, Verdict
from importer.core.step_tasks import StepFound, StepReply, StepTask
from importer.core.steps import Step
from importer.targets.rocketkor.lookups import MAX_COMPLETIONS
from tests.unit.targets.scripted import Script, hang_up, opened, reply, reset, server, silence
from tests.unit.targets.scripted import Step as Said

FAST = {"connect_timeout_s": 0.6, "read_timeout_s": 0.5, "total_timeout_s": 1.0}
OWNER: dict[str, Any] = {
    "firstName": "Ann",
    "lastName": "van Green",
    "primaryEmail": {"value": "ann@example.com"},
    "primaryPhoneNumber": {"number": "+12025550142", "type": "MOBILE"},
    "dateOfBirth": "1980-01-31",
    "addresses": [{"type": "PHYSICAL", "streetLine1": "12 Elm Street", "zipCode": "20001"}],
}
NAMES = {"firstName": "ANN ", "lastName": "Van  Green"}


def task(owner: Any = OWNER, **changes: Any) -> StepTask:
    return StepTask(0, 2, Step.BENEFICIARIES, "1", "c-1", "9f86d081", json.dumps(owner).encode())._replace(**changes)


async def attempt(*steps: Said, **changes: Any) -> tuple[StepReply, Script]:
    async with server(Script(list(steps))) as script, opened(script.url, **FAST) as it:
        said = await it.target.attempt(task(**changes))
        assert it.limiter.slots == it.limiter.departed == len(script.requests)
    return said, script


async def look(*steps: Said, owner: Any = OWNER) -> tuple[StepFound, Script]:
    async with server(Script(list(steps))) as script, opened(script.url, **FAST) as it:
        said = await it.target.made_by(task(owner))
        assert it.limiter.slots == len(script.requests)
    return said, script


@pytest.mark.parametrize(
    "answer",
    [reply(201, {"id": "b-1", **OWNER}), reply(201, headers={"Location": "/v1/customers/c-1/beneficiaries/b-1"})],
)
async def test_an_owner_is_created_as_it_was_given(answer: bytes) -> None:
    said, script = await attempt(answer)

    assert (said.reply.verdict, said.reference) == (Verdict.ACCEPT, "b-1")
    call = script.calls[0]
    assert (call.method, call.path, call.body) == ("POST", "/v1/customers/c-1/beneficiaries", task().payload)


@pytest.mark.parametrize("step", [hang_up(), reset(), silence(), reply(201), reply(201, b"<html>"), reply(503)])
async def test_a_lost_answer_is_in_doubt_and_nothing_is_sent_twice(step: Said) -> None:
    said, script = await attempt(step)

    assert said.reply.verdict is Verdict.IN_DOUBT
    assert len(script.calls) == 1


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (400, Verdict.REJECT),
        (403, Verdict.ABORT),
        (404, Verdict.REJECT),
        (409, Verdict.DUPLICATE),
        (429, Verdict.RETRY),
    ],
)
async def test_every_status_has_its_verdict(status: int, verdict: Verdict) -> None:
    said, _ = await attempt(reply(status))

    assert (said.reply.verdict, said.reply.http_status) == (verdict, status)


async def test_a_refusal_names_the_fields_of_this_owner_and_none_of_its_values() -> None:
    errors = [
        {"path": "lastName", "message": "van Green is odd", "errorCode": "E1"},
        {"path": "addresses[0].zipCode", "message": "20001 is odd"},
        {"message": "ann@example.com"},
    ]
    said, _ = await attempt(reply(400, {"message": "Ann van Green", "errors": errors}))

    assert said.reply.field_errors == (
        FieldError("beneficiaries.1.lastName", "[…] is odd", "E1"),
        FieldError("beneficiaries.1.addresses.physical.zipCode", "[…] is odd"),
        FieldError("beneficiaries.1", "[…]"),
    )
    assert not [value for value in ("van Green", "20001", "ann@") if value in repr(said)]


async def test_a_customer_id_that_no_address_can_hold_is_not_sent() -> None:
    said, script = await attempt(reply(201), customer_id="c/1")

    assert (said.reply.verdict, said.reply.error_code) == (Verdict.REJECT, "id_unusable")
    assert script.requests == []


@pytest.mark.parametrize(
    "summary",
    [
        {"primaryEmail": {"value": "Ann@Example.com"}, "primaryPhoneNumber": {"number": "2025550142"},
         "dateOfBirth": "1980-01-31"},
        {"primaryEmail": "ann@example.com", "primaryPhoneNumber": "+1 202 555 0142",
         "dateOfBirth": "1980-01-31T00:00Z"},
    ],
)  # fmt: skip
async def test_an_owner_is_found_by_its_names_and_what_else_both_sides_have(summary: Any) -> None:
    found, script = await look(reply(200, [{"id": "b-1", **NAMES, **summary}, {"id": "b-2", **NAMES, "lastName": "B"}]))

    assert found.references == ("b-1",)
    assert [(call.method, call.path) for call in script.calls] == [("GET", "/v1/customers/c-1/beneficiaries")]


@pytest.mark.parametrize(
    "other",
    [
        {"firstName": "Anna"},
        {"lastName": "Green"},
        {"middleName": "Bo"},
        {"primaryEmail": {"value": "bo@example.com"}},
        {"primaryPhoneNumber": {"number": "+12025550143"}},
        {"primaryPhoneNumber": {"number": "0142"}},
        {"dateOfBirth": "1980-01-30"},
    ],
)
async def test_an_owner_that_differs_is_another_one(other: Any) -> None:
    found, script = await look(reply(200, [{"id": "b-1", **NAMES, **other}]))

    assert (found.references, found.failure) == ((), None)
    assert len(script.calls) == 1


async def test_a_summary_that_says_too_little_is_read_whole() -> None:
    found, script = await look(
        reply(200, [{"id": f"b-{number}", **NAMES} for number in (1, 2, 3)] + [{"id": "b-4"}]),
        reply(200, {"id": "b-1", **OWNER, "dateOfBirth": "1990-01-31"}),
        reply(200, {"id": "b-2", **OWNER, "dateOfBirth": ""}),
        reply(404),
        reply(200, {"id": "b-4", **OWNER, "dateOfBirth": ""}),
    )

    assert found.references == ("b-2", "b-4")
    assert [call.path.rpartition("/")[2] for call in script.calls[1:]] == ["b-1", "b-2", "b-3", "b-4"]


async def test_names_alone_are_enough_where_nothing_else_was_sent_and_nothing_else_is_there() -> None:
    listed = [{"id": "b-1", **NAMES, "dateOfBirth": ""}, {"id": "b-2", **NAMES, "dateOfBirth": "1990-01-31"}]
    found, script = await look(reply(200, listed), owner={"firstName": "Ann", "lastName": "van Green"})

    assert found.references == ("b-1",)
    assert len(script.calls) == 1


async def test_one_that_has_all_that_was_sent_is_taken_before_one_that_lacks_some() -> None:
    found, _ = await look(
        reply(200, [{"id": "b-1", **NAMES}, {"id": "b-2", **OWNER}]), reply(200, {"id": "b-1", **NAMES})
    )

    assert found.references == ("b-2",)


async def test_several_that_could_be_it_are_all_named() -> None:
    found, _ = await look(reply(200, [{"id": "b-1", **OWNER}, {"id": "b-2", **OWNER}]))

    assert found.references == ("b-1", "b-2")


async def test_a_list_in_pages_is_read_to_its_end() -> None:
    found, script = await look(
        reply(200, {"content": [{"id": "b-1", **NAMES, "firstName": "Bo"}], "hasNext": True}),
        reply(200, {"content": [{"id": "b-2", **OWNER}], "hasNext": False}),
    )

    assert found.references == ("b-2",)
    assert "page=1" in script.calls[1].path


@pytest.mark.parametrize(
    "steps",
    [
        [reply(200, b"<html>")],
        [reply(200, [{"firstName": "Ann"}])],
        [reply(200, [{"id": f"b-{number}"} for number in range(MAX_COMPLETIONS + 1)])],
        [reply(200, [{"id": "b-1"}]), reply(200, b"{")],
        [reply(200, [{"id": "b-1"}]), hang_up()],
        [reply(500, b"Ann van Green")],
        [hang_up()],
    ],
)
async def test_a_look_up_that_proves_nothing_is_made_again_later(steps: list[Said]) -> None:
    found, _ = await look(*steps)

    assert found.references == ()
    assert found.failure is not None
    assert found.failure.verdict is Verdict.RETRY
    assert "Green" not in repr(found)
