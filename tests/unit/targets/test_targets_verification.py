from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from importer.core.errors import StoppingError
from importer.core.outcomes import FieldError, Reply, Verdict
from importer.core.step_tasks import Applications, StepReply, StepTask, VerificationProfile
from importer.core.steps import Step, StepState
from importer.targets.rocketkor.lookups import MAX_COMPLETIONS
from importer.targets.rocketkor.pages import MAX_PAGES
from importer.targets.rocketkor.verification import LATE_LOOKS
from tests.unit.targets.scripted import Opened, Request, Script, hang_up, opened, reply, reset, server, silence
from tests.unit.targets.scripted import Step as Said

FAST = {"connect_timeout_s": 0.6, "read_timeout_s": 0.5, "total_timeout_s": 1.0}
STANDARD = VerificationProfile("p-1", "Standard", ("INDIVIDUAL",), {})
WALL = 1_790_000_000.0
"""The clock of these tests: 2026-09-21T13:33:20Z."""


def task(**changes: Any) -> StepTask:
    return StepTask(0, 2, Step.VERIFICATION, "", "c-1", "9f86d081884c7d65", b"", **changes)


def ready(it: Opened) -> Opened:
    it.target.verify_by(STANDARD)
    return it


async def attempt(*steps: Said, **changes: Any) -> tuple[StepReply, Script]:
    async with server(Script(list(steps))) as script, opened(script.url, **changes) as it:
        said = await ready(it).target.attempt(task())
        assert it.limiter.slots == it.limiter.departed == len(script.requests)
    return said, script


def at(path: str) -> Mapping[str, str]:
    return {"Location": path}


# --------------------------------------------------------------------------- profiles


async def test_profiles_are_read_with_the_types_of_records_that_they_take() -> None:
    minimum = {"individual": {"info": ["DATE_OF_BIRTH"]}}
    listed = [
        {"id": "p-1", "name": "Standard", "allowedAccountTypes": ["INDIVIDUAL_CUSTOMER", "BUSINESS_CUSTOMER"],
         "minimumInformationRequired": minimum, "allowedAccountStatuses": ["ACTIVE"]},
        {"id": "p-2", "name": "Ours", "allowedAccountTypes": ["BUSINESS_ACCOUNT", "business_customer", 7]},
        {"id": "p-3", "name": None, "minimumInformationRequired": []},
        {"name": "has no id"},
    ]  # fmt: skip
    async with server(Script([reply(200, listed)])) as script, opened(script.url) as it:
        profiles = await it.target.verification_profiles()

    assert profiles == [
        VerificationProfile("p-1", "Standard", ("INDIVIDUAL", "BUSINESS"), minimum),
        VerificationProfile("p-2", "Ours", ("BUSINESS",), {}),
        VerificationProfile("p-3", "", ("INDIVIDUAL", "BUSINESS"), {}),
    ]
    assert [(call.method, call.path) for call in script.calls] == [("GET", "/v1/identity-verification-profiles")]


@pytest.mark.parametrize(
    ("step", "verdict"),
    [
        (reply(200, b"<html>"), Verdict.RETRY),
        (reply(200, [1]), Verdict.RETRY),
        (reply(404), Verdict.REJECT),
        (reply(403), Verdict.ABORT),
        (reply(503), Verdict.RETRY),
        (hang_up(), Verdict.RETRY),
    ],
)
async def test_profiles_that_cannot_be_read_are_a_failure(step: Said, verdict: Verdict) -> None:
    async with server(Script([step])) as script, opened(script.url) as it:
        failure = await it.target.verification_profiles()

    assert isinstance(failure, Reply)
    assert failure.verdict is verdict
    assert failure.message


# --------------------------------------------------------------------------- submit


@pytest.mark.parametrize(
    "answer",
    [
        reply(201, headers=at("/v1/identity-verifications/a-1")),
        reply(201, headers=at("https://api.example.com/gate/v1/identity-verifications/a-1/?x=1")),
        reply(201, b"<html>", headers=at("/v1/identity-verifications/a-1")),
        reply(200, {"id": "a-1", "latestStatus": "NEW"}),
        reply(202, {"id": "a-1"}),
    ],
)
async def test_a_customer_is_submitted_and_the_id_found_where_ever_it_is(answer: bytes) -> None:
    said, script = await attempt(answer)

    assert (said.reply.verdict, said.state, said.reference) == (Verdict.ACCEPT, StepState.SUBMITTED, "a-1")
    call = script.calls[0]
    assert (call.method, call.path) == ("POST", "/v1/identity-verifications")
    assert json.loads(call.body) == {"accountId": "c-1", "identityVerificationProfileId": "p-1"}


@pytest.mark.parametrize(
    "answer",
    [
        reply(201),
        reply(201, {"id": ""}),
        reply(201, b'{"id": "a-'),
        reply(204),
        reply(201, headers=at("/login")),
        reply(201, headers=at("/v1/identity-verifications/a%2F..%2Fb")),
        reply(201, headers=at("http://[broken")),
    ],
)
async def test_a_yes_without_an_id_is_in_doubt(answer: bytes) -> None:
    said, _ = await attempt(answer)

    assert (said.reply.verdict, said.reply.error_code) == (Verdict.IN_DOUBT, "answer_unreadable")


@pytest.mark.parametrize("step", [hang_up(), reset(), silence(), hang_up(b"HTTP/1.1 20"), reply(500), reply(303)])
async def test_a_lost_answer_is_in_doubt_and_nothing_is_sent_twice(step: Said) -> None:
    said, script = await attempt(step, **FAST)

    assert said.reply.verdict is Verdict.IN_DOUBT
    assert len(script.calls) == 1


async def test_what_broke_before_it_left_is_sent_again_later() -> None:
    async with opened("http://127.0.0.1:1") as it:
        assert (await ready(it).target.attempt(task())).reply.verdict is Verdict.RETRY


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (400, {}, Verdict.REJECT),
        (401, {}, Verdict.ABORT),
        (403, {}, Verdict.ABORT),
        (404, {}, Verdict.REJECT),
        (409, {}, Verdict.DUPLICATE),
        (422, {"message": "the account is not active"}, Verdict.REJECT),
        (422, {"message": "An application exists already"}, Verdict.DUPLICATE),
        (429, {}, Verdict.RETRY),
    ],
)
async def test_every_status_has_its_verdict(status: int, body: Any, verdict: Verdict) -> None:
    said, _ = await attempt(reply(status, body))

    assert (said.reply.verdict, said.reply.http_status) == (verdict, status)
    assert said.reply.message


async def test_a_refusal_keeps_codes_and_fields_and_no_word_about_the_person() -> None:
    errors = [{"path": "socialId", "message": "Sarah Green has none", "errorCode": "E2"}]
    said, _ = await attempt(reply(422, {"message": "Sarah Green", "errorCode": "E1", "errors": errors}))

    assert said.reply.field_errors == (FieldError("socialId", "The API refused this field.", "E2"),)
    assert said.reply.error_code == "E1"
    assert "Sarah" not in repr(said)
    said, _ = await attempt(reply(422, {"errorCode": "Sarah Green", "traceId": "Sarah Green", "errors": errors}))
    assert said.reply.error_code == "rule_failed"
    assert "Sarah" not in repr(said)


async def test_a_token_that_ran_out_is_replaced_and_the_request_made_again() -> None:
    said, script = await attempt(reply(401), reply(201, {"id": "a-1"}))

    assert said.reference == "a-1"
    assert len(script.exchanged) == 2


async def test_a_run_that_stops_submits_nothing_and_still_looks() -> None:
    async with server(Script([reply(200, [])])) as script, opened(script.url) as it:
        await it.target.check()
        it.limiter.stopping = True
        with pytest.raises(StoppingError):
            await ready(it).target.attempt(task())
        assert (await it.target.made_by(task())).references == ()

    assert len(script.calls) == 1


# --------------------------------------------------------------------------- look-up


def application(reference: str, **changes: Any) -> dict[str, Any]:
    return {"id": reference, "accountId": "c-1", "identityVerificationProfileId": "p-1"} | changes


def page(*content: Any, more: bool = False) -> bytes:
    return reply(200, {"content": list(content), "hasNext": more})


def query(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}


def dated(script: Script, *, ahead_s: float = 0.0) -> Script:
    """Let the token exchange say what the time is at the API."""
    headers = {"Date": formatdate(WALL + ahead_s, usegmt=True)}
    script.exchanges = [reply(200, {"access_token": "t", "expires_in": 3600}, headers=headers)]
    return script


async def found(*steps: Said, **changes: Any) -> tuple[list[str], Script]:
    async with server(dated(Script(list(steps)))) as script, opened(script.url) as it:
        said = await ready(it).target.made_by(task(**changes))
        assert it.limiter.slots == len(script.requests)
    assert said.failure is None
    return list(said.references), script


async def test_applications_are_matched_by_account_and_profile() -> None:
    references, script = await found(
        page(
            application("a-1"),
            application("a-2", accountId="c-2"),
            application("a-3", identityVerificationProfileId="p-2"),
            more=True,
        ),
        page({"id": "a-4", "account": {"id": "c-1"}}, {"id": "a-5", "entities": [1, {"account": {"id": "c-1"}}]}),
    )

    assert references == ["a-1", "a-4", "a-5"]
    assert [query(call)["page"] for call in script.calls] == ["0", "1"]
    assert query(script.calls[0]) == {
        "identityVerificationProfileId": "p-1", "sort": "createdAt,DESC", "page": "0", "size": "100",
    }  # fmt: skip


async def test_only_days_that_matter_are_asked_for_where_the_clock_of_the_api_is_known() -> None:
    _, script = await found(page(), in_doubt=True, doubt_since=WALL - 60.0)

    asked = query(script.calls[0])
    assert (asked["createdDateFrom"], asked["timeZone"]) == ("2026-09-20", "UTC")


def dated_page(*ages_s: float, more: bool = True) -> bytes:
    texts = [datetime.fromtimestamp(WALL - age_s, UTC).isoformat() for age_s in ages_s]
    return page(
        *(application(f"o-{text}", accountId="c-9", createdAt=text) for text in texts),
        more=more,
    )


async def test_pages_that_run_from_new_to_old_end_before_the_moment_of_doubt() -> None:
    _, script = await found(dated_page(1, 50), dated_page(50.5, 6_000), page(), in_doubt=True, doubt_since=WALL - 60)

    assert len(script.calls) == 2


async def test_pages_in_another_order_are_read_to_the_end() -> None:
    references, script = await found(
        dated_page(6_000, 5_000), dated_page(4_000, 4_001), page(application("a-1")), in_doubt=True,
        doubt_since=WALL - 60,
    )  # fmt: skip

    assert (references, len(script.calls)) == (["a-1"], 3)


async def test_a_clock_that_is_far_away_leaves_room() -> None:
    script = dated(Script([dated_page(5_000, 6_000), page()]), ahead_s=-7_200)
    async with server(script), opened(script.url) as it:
        await ready(it).target.made_by(task(in_doubt=True, doubt_since=WALL - 60))

    assert len(script.calls) == 2


async def test_a_list_of_summaries_is_completed_one_by_one() -> None:
    references, script = await found(
        page({"id": "a-1"}, {"id": "a-2"}, {"id": "a-3"}),
        reply(200, application("a-1", accountId="c-2")),
        reply(200, application("a-2")),
        reply(404),
    )

    assert references == ["a-2"]
    assert [urlsplit(call.path).path for call in script.calls[1:]] == [
        f"/v1/identity-verifications/a-{number}" for number in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    "steps",
    [
        [reply(200, b"<html>")],
        [reply(200, {"content": [{"accountId": "c-1"}]})],
        [page(*({"id": f"a-{number}"} for number in range(MAX_COMPLETIONS + 1)))],
        [page({"id": "a-1"}), reply(200, b"[]")],
        [page({"id": "a-1"}), hang_up()],
        [page(application("a-1"), more=True), page(application("a-1"), more=True)],
        [reply(503)],
        [hang_up()],
    ],
)
async def test_a_look_up_that_proves_nothing_is_made_again_later(steps: list[Said]) -> None:
    async with server(Script(steps)) as script, opened(script.url) as it:
        said = await ready(it).target.made_by(task())

    assert said.references == ()
    assert said.failure is not None
    assert said.failure.verdict is Verdict.RETRY


async def test_a_list_without_an_end_is_left() -> None:
    count = 0

    async def endless(_: Request, writer: Any) -> None:
        nonlocal count
        count += 1
        writer.write(page(application(f"a-{count}", accountId="c-2"), more=True))

    async with server(Script([endless])) as script, opened(script.url) as it:
        said = await ready(it).target.made_by(task())

    assert said.failure is not None
    assert (said.failure.error_code, count) == ("look_up_incomplete", MAX_PAGES)


# --------------------------------------------------------------------------- progress


async def progress(*steps: Said, **changes: Any) -> tuple[StepReply, Script]:
    async with server(Script(list(steps))) as script, opened(script.url) as it:
        said = await ready(it).target.progress(task(**({"reference": "a-1"} | changes)))
    return said, script


@pytest.mark.parametrize(
    ("status", "outcome", "expected"),
    [
        ("COMPLETED", "Approved", (StepState.DONE, "COMPLETED", "APPROVED")),
        ("completed", "DECLINED", (StepState.DONE, "COMPLETED", "DECLINED")),
        ("COMPLETED", None, (StepState.DONE, "COMPLETED", "")),
        ("COMPLETED", {"name": "x"}, (StepState.DONE, "COMPLETED", "")),
        ("PENDING_REVIEW", None, (StepState.NEEDS_PERSON, "PENDING_REVIEW", "")),
        ("Pending Documents", "", (StepState.NEEDS_PERSON, "PENDING_DOCUMENTS", "")),
        ("AWAITING_INFORMATION", None, (StepState.NEEDS_PERSON, "AWAITING_INFORMATION", "")),
        ("NEW", "x", (StepState.SUBMITTED, "NEW", "")),
        ("PENDING", None, (StepState.SUBMITTED, "PENDING", "")),
        ("PROCESSING", None, (StepState.SUBMITTED, "PROCESSING", "")),
        ("SOMETHING_NEW", None, (StepState.SUBMITTED, "SOMETHING_NEW", "")),
    ],
)
async def test_every_status_has_its_state(status: str, outcome: Any, expected: tuple[Any, ...]) -> None:
    said, script = await progress(reply(200, application("a-1", latestStatus=status, outcome=outcome)))

    assert said.reply.verdict is Verdict.ACCEPT
    assert (said.state, said.status, said.outcome) == expected
    assert said.reference == "a-1"
    assert [(call.method, call.path) for call in script.calls] == [("GET", "/v1/identity-verifications/a-1")]


@pytest.mark.parametrize("status", ["EXPIRED", "error"])
async def test_a_verification_that_ended_without_an_outcome_has_failed(status: str) -> None:
    said, _ = await progress(reply(200, application("a-1", latestStatus=status)))

    assert (said.reply.verdict, said.reply.error_code) == (Verdict.REJECT, "idv_failed")
    assert (said.state, said.status) == (StepState.FAILED, status.upper())
    assert status.upper() in said.reply.message


@pytest.mark.parametrize(
    "body", [b"<html>", b'{"latestStatus": "COMP', [], {}, {"latestStatus": 7}, {"latestStatus": "Sarah's case: odd!"}]
)
async def test_a_state_that_cannot_be_read_is_asked_for_again(body: Any) -> None:
    said, _ = await progress(reply(200, body))

    assert (said.reply.verdict, said.reply.error_code) == (Verdict.RETRY, "answer_unreadable")
    assert "Sarah" not in repr(said)


async def test_an_application_may_be_late_and_may_be_gone() -> None:
    early, _ = await progress(reply(404))
    late, _ = await progress(reply(404), looks=LATE_LOOKS)

    assert (early.reply.verdict, late.reply.verdict) == (Verdict.RETRY, Verdict.REJECT)


async def test_an_id_that_no_address_can_hold_is_not_asked_for() -> None:
    said, script = await progress(reply(200), reference="../customers")

    assert (said.reply.verdict, said.reply.error_code) == (Verdict.REJECT, "id_unusable")
    assert script.requests == []


@pytest.mark.parametrize("step", [hang_up(), reply(500, b"Sarah Green"), reply(429)])
async def test_a_look_that_fails_can_be_made_again(step: Said) -> None:
    said, _ = await progress(step)

    assert said.reply.verdict is Verdict.RETRY
    assert "Sarah" not in repr(said)


# --------------------------------------------------------------------------- all applications


async def test_applications_are_listed_page_by_page_with_the_customers_that_they_are_about() -> None:
    content = [
        {"id": "a-1", "accountId": "c-1"},
        {"id": "a-2", "account": {"id": "c-2"}, "entities": [{"accountId": "c-3"}]},
        {"id": "a-3"},
    ]
    page = {"content": content, "hasNext": True}
    answers: list[Said] = [
        reply(200, page),
        reply(200, {"id": "a-3", "accountId": "c-4"}),
        reply(200, {"content": []}),
    ]
    async with server(Script(answers)) as script, opened(script.url) as it:
        first = await it.target.applications(WALL, 0)
        second = await it.target.applications(WALL, 1)

    assert isinstance(first, Applications)
    assert first._replace(took_s=0.0) == Applications(
        {"a-1": frozenset({"c-1"}), "a-2": frozenset({"c-2", "c-3"}), "a-3": frozenset({"c-4"})}, is_last=False
    )
    assert isinstance(second, Applications)
    assert second.is_last
    listed, one, last = script.calls
    asked = parse_qs(urlsplit(listed.path).query)
    assert (asked["createdDateFrom"], asked["sort"], asked["page"]) == (["2026-09-20"], ["createdAt,ASC"], ["0"])
    assert one.path == "/v1/identity-verifications/a-3"
    assert parse_qs(urlsplit(last.path).query)["page"] == ["1"]


@pytest.mark.parametrize("answer", [reply(503, {}), reply(200, b"<html>"), reply(200, {"content": [{"no": "id"}]})])
async def test_a_page_of_applications_that_cannot_be_read_is_a_failure(answer: Said) -> None:
    async with server(Script([answer])) as script, opened(script.url) as it:
        failure = await it.target.applications(WALL, 0)
    assert isinstance(failure, Reply)
    assert failure.verdict is Verdict.RETRY


async def test_where_there_are_no_applications_at_all_it_says_so() -> None:
    async with server(Script([reply(404, {})])) as script, opened(script.url) as it:
        failure = await it.target.applications(WALL, 0)
    assert isinstance(failure, Reply)
    assert failure.error_code == "not_offered"
