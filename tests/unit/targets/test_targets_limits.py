from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from importer.core.errors import StoppingError
from importer.core.outcomes import FieldError, Reply, Verdict
from importer.core.step_tasks import HeldLimit, StepReply, StepTask
from importer.core.steps import Step, StepState
from tests.unit.targets.scripted import Script, hang_up, opened, reply, reset, server, silence
from tests.unit.targets.scripted import Step as Said

FAST = {"connect_timeout_s": 0.6, "read_timeout_s": 0.5, "total_timeout_s": 1.0}
WANTED = {"currency": "USD", "single": "50.00", "daily": "99.99"}


def task(wanted: Any = WANTED) -> StepTask:
    return StepTask(0, 2, Step.LIMITS, "", "c-1", "9f86d081884c7d65", json.dumps(wanted).encode())


def limit(kind: str, amount: Any, currency: Any = "USD", **changes: Any) -> dict[str, Any]:
    limit_id = f"{kind.lower()}-{str(currency).lower()}"
    return {"id": limit_id, "limitType": kind, "scopeId": "c-1", "scopeType": "CUSTOMER", "currency": currency,
            "amount": amount, **changes}  # fmt: skip


HELD = [limit("SINGLE", 10), limit("DAILY", 10), limit("WEEKLY", 10), limit("DAILY", 10, "CAD")]
SET = [limit("SINGLE", 50.00), limit("DAILY", 99.99)]


async def attempt(*steps: Said, wanted: Any = WANTED, **changes: Any) -> tuple[StepReply, Script]:
    async with server(Script(list(steps))) as script, opened(script.url, **changes) as it:
        said = await it.target.attempt(task(wanted))
        assert it.limiter.slots == it.limiter.departed == len(script.requests)
    return said, script


async def test_limits_are_read_then_set_with_one_request_and_amounts_as_text() -> None:
    said, script = await attempt(reply(200, HELD), reply(200, SET))

    assert (said.reply.verdict, said.state) == (Verdict.ACCEPT, StepState.DONE)
    read, written = script.calls
    assert (read.method, urlsplit(read.path).path) == ("GET", "/v1/limits")
    assert parse_qs(urlsplit(read.path).query) == {"scopeId": ["c-1"], "scopeType": ["CUSTOMER"]}
    assert (written.method, written.path) == ("PUT", "/v1/limits")
    assert json.loads(written.body) == {"single-usd": {"amount": "50.00"}, "daily-usd": {"amount": "99.99"}}
    assert written.headers["authorization"] == "Bearer token-1"


async def test_limits_that_are_as_wanted_already_are_not_set() -> None:
    said, script = await attempt(reply(200, [*SET, limit("WEEKLY", 1)]))

    assert (said.reply.verdict, said.state) == (Verdict.ACCEPT, StepState.DONE)
    assert [call.method for call in script.calls] == ["GET"]


@pytest.mark.parametrize("amount", ["90071992547409930.10", "0.10", "123456789012345678.01"])
async def test_amounts_are_compared_as_decimals_and_not_as_floats(amount: str) -> None:
    written = json.dumps([limit("DAILY", 0)]).replace('"amount": 0', f'"amount": {amount}').encode()
    near = json.dumps([limit("DAILY", 0)]).replace('"amount": 0', f'"amount": {amount[:-1]}9').encode()
    wanted = {"currency": "USD", "daily": amount}

    assert (await attempt(reply(200, written), wanted=wanted))[0].reply.verdict is Verdict.ACCEPT
    said, _ = await attempt(reply(200, HELD), reply(200, near), wanted=wanted)
    assert (said.reply.verdict, said.reply.error_code) == (Verdict.REJECT, "limits_failed")


@pytest.mark.parametrize("amount", [100, "100.00", 100.0])
async def test_one_amount_has_several_spellings(amount: Any) -> None:
    said, script = await attempt(reply(200, [limit("DAILY", amount)]), wanted={"currency": "USD", "daily": "100.00"})

    assert said.reply.verdict is Verdict.ACCEPT
    assert len(script.calls) == 1


@pytest.mark.parametrize("amount", ["sNaN", "NaN", "Infinity", "much", None, True])
async def test_what_is_no_amount_is_another_one_than_asked_for(amount: Any) -> None:
    said, _ = await attempt(
        reply(200, HELD), reply(200, [limit("DAILY", amount)]), wanted={"daily": "5.00", "currency": "USD"}
    )

    assert (said.reply.verdict, said.reply.error_code) == (Verdict.REJECT, "limits_failed")


async def test_a_limit_that_the_account_lacks_is_refused_and_no_other_one_is_set() -> None:
    said, script = await attempt(reply(200, HELD), wanted={**WANTED, "monthly": "7.00"})

    sentence = "The account has no MONTHLY limit in USD: it has limits in CAD, USD. None was set."
    assert (said.reply.verdict, said.reply.error_code) == (Verdict.REJECT, "limit_missing")
    assert said.reply.message == sentence
    assert said.reply.field_errors == (FieldError("limits.monthly", sentence, "limit_missing"),)
    assert [call.method for call in script.calls] == ["GET"]


async def test_a_currency_that_the_account_lacks_names_every_type() -> None:
    said, _ = await attempt(reply(200, HELD), wanted={**WANTED, "currency": "EUR"})

    assert [error.path for error in said.reply.field_errors] == ["limits.single", "limits.daily"]
    assert said.reply.message.startswith("The account has no SINGLE limit in EUR: it has limits in CAD, USD.")


async def test_an_account_without_any_limit_says_so() -> None:
    said, _ = await attempt(reply(200, []))

    assert "it has limits in no currency" in said.reply.message


@pytest.mark.parametrize(
    "other",
    [
        limit("DAILY", 1, id="", currency="USD"),
        limit("DAILY", 1, id=None),
        limit("DAILY", 1, scopeType="FA_KFA"),
        limit("DAILY", 1, scopeId="c-2"),
        limit("DAILY", 1, limitType=None),
        limit("DAILY", 1, currency=7),
    ],
)
async def test_what_is_not_a_limit_of_the_customer_is_not_set(other: dict[str, Any]) -> None:
    said, script = await attempt(reply(200, [limit("SINGLE", 10), other]))

    assert said.reply.error_code == "limit_missing"
    assert len(script.calls) == 1


async def test_an_answer_with_other_amounts_is_a_failure_that_names_the_limit() -> None:
    said, _ = await attempt(reply(200, HELD), reply(200, [limit("SINGLE", 50), limit("DAILY", 50)]))

    assert (said.reply.verdict, said.reply.error_code) == (Verdict.REJECT, "limits_failed")
    assert [error.path for error in said.reply.field_errors] == ["limits.daily"]
    assert "99.99" not in repr(said)


@pytest.mark.parametrize("answer", [
    reply(200, b"<html>"), reply(200, b'[{"id": "daily'), reply(200, {"id": "daily-usd"}), reply(200, ["x"]),
    reply(200, b"[" * 100_000), reply(200, b"null"), reply(200), reply(204),
    reply(200, b'[{"id": "daily-usd", "amount": 1e99999999999999999999}]'),
])  # fmt: skip
async def test_an_answer_that_cannot_be_read_is_asked_for_again_later(answer: bytes) -> None:
    for steps in ([answer], [reply(200, HELD), answer]):
        said, _ = await attempt(*steps)
        assert (said.reply.verdict, said.reply.error_code) == (Verdict.RETRY, "answer_unreadable")


@pytest.mark.parametrize("amount", [b"NaN", b'"1e999999999999999999999"', b"true", b"null", b"[]", b'"ten"'])
async def test_an_amount_that_cannot_be_read_is_another_one(amount: bytes) -> None:
    odd = json.dumps([limit("DAILY", 0)]).encode().replace(b'"amount": 0', b'"amount": ' + amount)
    wanted = {"currency": "USD", "daily": "9.00"}
    said, script = await attempt(reply(200, odd), reply(200, [limit("DAILY", 9)]), wanted=wanted)

    assert said.reply.verdict is Verdict.ACCEPT
    assert len(script.calls) == 2


async def test_an_answer_that_mentions_only_some_limits_is_read_again_later() -> None:
    said, _ = await attempt(reply(200, HELD), reply(200, SET[:1]))

    assert said.reply.verdict is Verdict.RETRY


@pytest.mark.parametrize("step", [hang_up(), reset(), silence(), hang_up(b"HTTP/1.1 20"), reply(500), reply(503)])
async def test_nothing_is_ever_in_doubt(step: Said) -> None:
    for steps in ([step], [reply(200, HELD), step]):
        said, _ = await attempt(*steps, **FAST)
        assert said.reply.verdict is Verdict.RETRY
        assert said.reply.message


async def test_a_server_that_is_not_there_is_asked_again_later() -> None:
    async with opened("http://127.0.0.1:1") as it:
        assert (await it.target.attempt(task())).reply.verdict is Verdict.RETRY


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (400, Verdict.REJECT), (401, Verdict.ABORT), (403, Verdict.ABORT), (404, Verdict.REJECT),
        (405, Verdict.REJECT), (409, Verdict.REJECT), (410, Verdict.REJECT), (422, Verdict.REJECT),
        (429, Verdict.RETRY), (302, Verdict.ABORT), (308, Verdict.ABORT), (502, Verdict.RETRY),
    ],
)  # fmt: skip
async def test_every_status_has_its_verdict(status: int, verdict: Verdict) -> None:
    answer = reply(status, {"message": "no"}, headers={"Location": "/v1/elsewhere", "Retry-After": "7"})
    for steps in ([answer], [reply(200, HELD), answer]):
        said, _ = await attempt(*steps)
        assert (said.reply.verdict, said.reply.http_status) == (verdict, status)
        assert said.reply.retry_after_s == 7


async def test_a_customer_that_is_gone_is_a_sentence() -> None:
    said, _ = await attempt(reply(404))

    assert (said.reply.error_code, said.reply.message) == ("customer_gone", "The customer is not there any more.")


async def test_a_refusal_names_our_fields_and_keeps_no_amount() -> None:
    errors = [{"path": "daily-usd.amount", "message": "99.99 is more than allowed", "errorCode": "E2"}]
    body = {"message": "amount 99.99 refused", "errorCode": "E1", "errors": errors, "traceId": "t-9"}
    said, _ = await attempt(reply(200, HELD), reply(422, body))

    assert said.reply.field_errors == (FieldError("limits.daily", "[…] is more than allowed", "E2"),)
    assert (said.reply.error_code, said.reply.trace_id) == ("E1", "t-9")
    assert "99.99" not in repr(said)


async def test_a_token_that_ran_out_is_replaced_and_the_request_made_again() -> None:
    said, script = await attempt(reply(200, HELD), reply(401), reply(200, SET))

    assert said.reply.verdict is Verdict.ACCEPT
    assert [call.method for call in script.calls] == ["GET", "PUT", "PUT"]
    assert len(script.exchanged) == 2


async def test_a_run_that_stops_sets_no_more_limits() -> None:
    async with server(Script([reply(200, HELD)])) as script, opened(script.url) as it:
        await it.target.check()
        it.limiter.stopping = True
        with pytest.raises(StoppingError):
            await it.target.attempt(task())

    assert script.calls == []


async def test_the_limits_of_a_customer_are_shown_whatever_their_spelling() -> None:
    held = [limit("DAILY", 10), limit("WEEKLY", "20.5"), limit("SINGLE", "x"), {**limit("DAILY", 1), "scopeId": "c-2"}]
    async with server(Script([reply(200, held)])) as script, opened(script.url) as it:
        assert await it.target.limits_of("c-1") == [
            HeldLimit("DAILY", "USD", "10.00"),
            HeldLimit("WEEKLY", "USD", "20.50"),
            HeldLimit("SINGLE", "USD", ""),
        ]


@pytest.mark.parametrize(("answer", "verdict"), [(reply(503, {}), Verdict.RETRY), (reply(200, {}), Verdict.RETRY)])
async def test_limits_that_cannot_be_read_are_a_failure(answer: Said, verdict: Verdict) -> None:
    async with server(Script([answer])) as script, opened(script.url) as it:
        held = await it.target.limits_of("c-1")
        assert isinstance(held, Reply)
        assert held.verdict is verdict
