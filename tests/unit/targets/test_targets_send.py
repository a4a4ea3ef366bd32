from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from importer.core.errors import StoppingError
from importer.core.outcomes import FieldError, RateHint, Verdict
from tests.unit.targets.scripted import PERSON, Script, created, opened, record, reply, server


async def test_a_created_customer_is_accepted_with_its_id() -> None:
    async with server(Script([created("c-77")])) as script, opened(script.url) as it:
        answer = await it.target.send(record())

    assert (answer.verdict, answer.customer_id, answer.http_status) == (Verdict.ACCEPT, "c-77", 201)


async def test_the_request_is_the_payload_byte_for_byte_with_the_documented_headers() -> None:
    sent = record()
    async with server(Script([created()])) as script, opened(script.url) as it:
        await it.target.send(sent)

    exchange, create = script.requests
    assert (exchange.method, exchange.path, exchange.body) == ("POST", "/v1/api-keys/exchange", b"")
    assert exchange.headers["authorization"].startswith("Basic ")
    assert (create.method, create.path, create.body) == ("POST", "/v1/customers", sent.payload)
    assert create.headers["authorization"] == "Bearer token-1"
    assert create.headers["content-type"] == "application/json"
    assert create.headers["accept"] == "application/json"
    assert create.headers["user-agent"].startswith("importer")


async def test_a_path_in_front_of_the_api_is_kept_and_a_trailing_version_is_not_doubled() -> None:
    async with server(Script([created()])) as script, opened(f"{script.url}/gate/v1/") as it:
        await it.target.send(record())

    assert [request.path for request in script.requests] == ["/gate/v1/api-keys/exchange", "/gate/v1/customers"]


@pytest.mark.parametrize(
    ("answer", "customer_id"),
    [
        (reply(200, {"id": "c-1"}), "c-1"),
        (reply(201, {"id": 4711}), "4711"),
        (reply(201, b'\xef\xbb\xbf{"id": "c-1"}'), "c-1"),
        (reply(201, b'{"id": "c-1"}', headers={"Content-Type": "text/html"}), "c-1"),
        (reply(201, b"", headers={"Location": "/v1/customers/c%2D9"}), "c-9"),
        (reply(201, b"<html>", headers={"Location": "https://api.example.com/v1/customers/c-9/"}), "c-9"),
        (reply(201, b'6\r\n{"id":\r\n6\r\n"c-1"}\r\n0\r\n\r\n', headers={"Transfer-Encoding": "chunked"}), "c-1"),
    ],
)
async def test_the_id_is_found_wherever_the_api_may_put_it(answer: bytes, customer_id: str) -> None:
    async with server(Script([answer])) as script, opened(script.url) as it:
        said = await it.target.send(record())

    assert (said.verdict, said.customer_id) == (Verdict.ACCEPT, customer_id)


@pytest.mark.parametrize(
    "answer",
    [
        reply(201),
        reply(200, b"<html>welcome</html>"),
        reply(201, b'{"id": "c-1'),
        reply(201, {"customer": "c-1"}),
        reply(201, {"id": ""}),
        reply(201, {"id": None}),
        reply(201, {"id": True}),
        reply(201, ["c-1"]),
        reply(201, b"[" * 100_000),
        reply(201, {"id": "x" * 10_000}),
        reply(202, {"id": "c-1"}),
        reply(204),
        reply(201, b"", headers={"Location": "/login"}),
        reply(201, b"", headers={"Location": "http://[broken"}),
    ],
)
async def test_a_yes_without_an_id_is_in_doubt(answer: bytes) -> None:
    async with server(Script([answer])) as script, opened(script.url) as it:
        said = await it.target.send(record())

    assert (said.verdict, said.customer_id) == (Verdict.IN_DOUBT, "")
    assert said.message


STATUSES = {
    400: Verdict.REJECT,
    402: Verdict.REJECT,
    403: Verdict.ABORT,
    404: Verdict.ABORT,
    405: Verdict.ABORT,
    406: Verdict.ABORT,
    407: Verdict.ABORT,
    408: Verdict.IN_DOUBT,
    409: Verdict.DUPLICATE,
    410: Verdict.ABORT,
    413: Verdict.REJECT,
    415: Verdict.ABORT,
    418: Verdict.REJECT,
    422: Verdict.REJECT,
    425: Verdict.RETRY,
    429: Verdict.RETRY,
    300: Verdict.IN_DOUBT,
    301: Verdict.IN_DOUBT,
    302: Verdict.IN_DOUBT,
    303: Verdict.IN_DOUBT,
    307: Verdict.ABORT,
    308: Verdict.ABORT,
    500: Verdict.IN_DOUBT,
    501: Verdict.IN_DOUBT,
    502: Verdict.IN_DOUBT,
    503: Verdict.IN_DOUBT,
    504: Verdict.IN_DOUBT,
    599: Verdict.IN_DOUBT,
    777: Verdict.IN_DOUBT,
}


@pytest.mark.parametrize("body", [b"", b"<html><body>Bad</body></html>", b'{"errorCode": "E1", "mess', b"[]", b"null"])
async def test_every_status_has_its_verdict_whatever_the_body(body: bytes) -> None:
    async with server(Script([b""])) as script, opened(script.url) as it:
        for status, verdict in STATUSES.items():
            script.steps = [reply(status, body, headers={"Location": "/v1/elsewhere"})]
            said = await it.target.send(record())
            assert (said.verdict, said.http_status, said.customer_id) == (verdict, status, ""), status
            assert said.message, status
            assert said.error_code, status


async def test_a_refused_token_is_replaced_once_and_the_request_made_again() -> None:
    async with server(Script([reply(401), created()])) as script, opened(script.url) as it:
        said = await it.target.send(record())

    assert said.verdict is Verdict.ACCEPT
    assert [call.headers["authorization"] for call in script.calls] == ["Bearer token-1", "Bearer token-2"]
    assert script.calls[0].body == script.calls[1].body
    assert it.limiter.slots == len(script.requests) == 4


async def test_a_fresh_token_that_is_refused_too_stops_the_run() -> None:
    async with server(Script([reply(401)])) as script, opened(script.url) as it:
        said = await it.target.send(record())

    assert said.verdict is Verdict.ABORT
    assert len(script.calls) == 3


async def test_a_fresh_token_that_is_revoked_before_its_first_use_stops_nothing() -> None:
    async with server(Script([reply(401), reply(401), created()])) as script, opened(script.url) as it:
        said = await it.target.send(record())

    assert said.verdict is Verdict.ACCEPT
    assert (len(script.calls), len(script.exchanged)) == (3, 3)


async def test_a_role_refusal_stops_the_run_without_a_second_request() -> None:
    async with server(Script([reply(403, {"message": "no permission"})])) as script, opened(script.url) as it:
        said = await it.target.send(record())

    assert said.verdict is Verdict.ABORT
    assert "no permission" in said.message
    assert len(script.calls) == 1


async def test_a_403_at_the_end_of_the_token_renews_it() -> None:
    async with server(Script([reply(403), created()])) as script, opened(script.url) as it:

        def grow_old(slot: int) -> None:
            if slot == 2:  # the create's slot: the token is valid now, and expired when the answer comes
                it.clock.ticks += 3_599.5

        it.limiter.on_slot = grow_old
        said = await it.target.send(record())

    assert said.verdict is Verdict.ACCEPT
    assert len(script.exchanged) == 2


async def test_a_role_refusal_with_an_expired_token_stops_the_run_after_two_renewals() -> None:
    script = Script([reply(403)], exchanges=[reply(200, {"access_token": "t", "expires_in": 1})])
    async with server(script), opened(script.url) as it:
        said = await it.target.send(record())

    assert said.verdict is Verdict.ABORT
    assert (len(script.calls), len(script.exchanged)) == (3, 3)


async def test_a_run_that_stops_creates_nothing_more_and_repeats_no_refused_create() -> None:
    async with server(Script([reply(401), created()])) as script, opened(script.url) as it:
        await it.target.check()

        def stop(slot: int) -> None:
            it.limiter.stopping |= slot == 2  # during the first create

        it.limiter.on_slot = stop
        for _ in range(2):
            with pytest.raises(StoppingError):
                await it.target.send(record())

    assert len(script.calls) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(status: int) -> None:
    script = Script([reply(status, headers={"Location": "/v1/customers"})])
    async with server(script), opened(script.url) as it:
        await it.target.send(record())

    assert len(script.calls) == 1


RETRY_AFTER = {
    "7": 7.0,
    "0": 0.0,
    "1.5": 1.5,
    "Mon, 21 Sep 2026 14:13:50 GMT": 30.0,
    "Mon, 21 Sep 2026 14:13:50": 30.0,
    "Mon, 21 Sep 2026 09:13:50 -0500": 30.0,
    "Fri, 01 Jan 1999 00:00:00 GMT": 0.0,
    "-5": None,
    "nan": None,
    "1e999": None,
    "soon": None,
    "Mon, 99 Foo 2026 99:99:99 GMT": None,
    "": None,
}


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_read_as_seconds_and_as_a_date(status: int) -> None:
    async with server(Script([b""])) as script, opened(script.url) as it:
        it.clock.wall = 1_790_000_000.0  # 2026-09-21T14:13:20Z
        for said, seconds in RETRY_AFTER.items():
            script.steps = [reply(status, headers={"Retry-After": said})]
            answer = await it.target.send(record())
            assert answer.retry_after_s == (seconds if seconds is None else pytest.approx(seconds)), said


@pytest.mark.parametrize("ahead_s", [-600.0, 60.0])
async def test_a_retry_after_date_is_read_by_the_servers_clock_and_not_by_ours(ahead_s: float) -> None:
    """Both dates are the server's: 30 s are 30 s, whatever our clock says."""
    headers = {"Date": "Mon, 21 Sep 2026 14:13:20 GMT", "Retry-After": "Mon, 21 Sep 2026 14:13:50 GMT"}
    async with server(Script([reply(429, headers=headers)])) as script, opened(script.url) as it:
        it.clock.wall = 1_790_000_000.0 + ahead_s
        answer = await it.target.send(record())

        assert answer.retry_after_s == 30.0


async def test_a_rate_limit_reset_that_is_a_moment_is_read_by_the_servers_clock_as_well() -> None:
    headers = {"Date": "Mon, 21 Sep 2026 14:13:20 GMT", "X-RateLimit-Limit": "9", "X-RateLimit-Reset": "1790000020"}
    async with server(Script([reply(201, {"id": "c"}, headers=headers)])) as script, opened(script.url) as it:
        it.clock.wall = 1_790_000_300.0
        answer = await it.target.send(record())

        assert answer.allowance == RateHint(9, None, 20.0, None)


V3 = {
    "timestamp": "2025-04-01T10:00:00.000Z",
    "traceId": "0af7651916cd43dd8448eb211c80319c",
    "message": "Validation failed",
    "errorCode": "EMU_VALIDATION",
    "errors": [
        {"path": "addresses[1].zipCode", "message": "must match", "errorCode": "EMU_ZIP"},
        {"path": "addresses.0.streetLine1", "message": "too long"},
        {"path": "$.primaryEmail.value", "message": "is no email"},
        {"path": "/lastName", "message": "is missing"},
        {"path": "addresses[9].zipCode", "message": "no such entry"},
        {"path": "metadata['importKey']", "message": "too long"},
        {"path": None, "message": "whole row"},
        "noise",
        {"path": "<script>", "message": 12},
    ],
}


async def test_the_newer_error_body_is_read_whole_with_paths_in_the_profiles_names() -> None:
    async with server(Script([reply(422, V3)])) as script, opened(script.url) as it:
        said = await it.target.send(record())

    assert (said.verdict, said.error_code, said.message) == (Verdict.REJECT, "EMU_VALIDATION", "Validation failed")
    assert said.trace_id == "0af7651916cd43dd8448eb211c80319c"
    assert said.field_errors == (
        FieldError("addresses.shipping.zipCode", "must match", "EMU_ZIP"),
        FieldError("addresses.mailing.streetLine1", "too long"),
        FieldError("primaryEmail.value", "is no email"),
        FieldError("lastName", "is missing"),
        FieldError("addresses.9.zipCode", "no such entry"),
        FieldError("metadata.importKey", "too long"),
        FieldError("", "whole row"),
        FieldError("", "12"),
    )


async def test_the_older_error_body_is_read_too() -> None:
    body = {"timestamp": "2023-01-01", "traceId": "abc-1", "error": "BAD_THING", "message": "It is bad"}
    async with server(Script([reply(400, body)])) as script, opened(script.url) as it:
        said = await it.target.send(record())

    assert (said.error_code, said.message, said.trace_id) == ("BAD_THING", "It is bad", "abc-1")


async def test_contacts_of_a_business_have_the_profiles_names_and_a_further_one_its_number() -> None:
    business = {"type": "BUSINESS", "contacts": [{"firstName": "Ann", "primary": True}, {"firstName": "Bob"}, {}]}
    names = ("contacts[0].firstName", "contacts[2].primaryEmail.value")
    body = {"errors": [{"path": name, "message": "Not accepted."} for name in names]}
    async with server(Script([reply(400, body)])) as script, opened(script.url) as it:
        said = await it.target.send(record(business))

    assert [(error.path, error.message) for error in said.field_errors] == [
        ("contacts.primary.firstName", "Not accepted."),
        ("contacts.primary.primaryEmail.value", "Contact 3 of the business: Not accepted."),
    ]


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"path": "externalId", "message": "already in use"}]},
        {"errors": [{"path": "externalId", "message": "refused", "errorCode": "EMU_DUPLICATE"}]},
        {"errorCode": "DUPLICATE_EXTERNAL_ID", "message": "refused"},
        {"error": "BUSINESS_RULE", "message": "A customer with this external id already exists"},
    ],
)
async def test_a_refusal_that_names_a_duplicate_external_id_is_one(status: int, body: dict[str, Any]) -> None:
    async with server(Script([reply(status, body)])) as script, opened(script.url) as it:
        said = await it.target.send(record())

    assert (said.verdict, said.http_status) == (Verdict.DUPLICATE, status)


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"path": "externalId", "message": "too long"}]},
        {"errors": [{"path": "primaryEmail.value", "message": "already in use"}]},
        {"message": "The external id is mistaken"},
        {"message": "This already failed"},
    ],
)
async def test_other_refusals_are_none(body: dict[str, Any]) -> None:
    async with server(Script([reply(422, body)])) as script, opened(script.url) as it:
        said = await it.target.send(record())

    assert said.verdict is Verdict.REJECT


async def test_nothing_that_was_sent_comes_back_in_a_reply() -> None:
    values = [value for value in _leaves(PERSON) if value not in {"INDIVIDUAL", "MOBILE", "MAILING", "SHIPPING"}]
    echo = ", ".join([*values, "SGREEN@EXAMPLE.COM", "sArAh", "(202) 555-0142", "12025550142", "1980-02-29"])
    body = {
        "message": f"Refused: {echo}",
        "errorCode": f"E-{PERSON['primaryPhoneNumber']['number']}",
        "traceId": f"trace-{PERSON['externalId']}",
        "errors": [{"path": "Sarah", "message": f"not {echo}", "errorCode": echo}],
    }
    async with server(Script([reply(400, body)])) as script, opened(script.url) as it:
        shown = re.sub(r"\d+\.\d+", "", repr(await it.target.send(record())))  # times may hold any digits

    assert not [value for value in [*values, "555-0142", "1980-02-29"] if value.lower() in shown.lower()]
    assert "Refused: […]" in shown


async def test_a_short_value_is_redacted_as_a_word_and_leaves_other_words_alone() -> None:
    body = {"message": "Li is listed, MOBILE is allowed"}
    async with server(Script([reply(400, body)])) as script, opened(script.url) as it:
        said = await it.target.send(record(PERSON | {"firstName": "Li"}))

    assert said.message == "[…] is listed, MOBILE is allowed"


async def test_messages_are_one_line_of_bounded_length() -> None:
    body = {"message": "a\nb\x1b[31m\t" + "word " * 500, "errors": [{"path": "p", "message": "m"}] * 500}
    async with server(Script([reply(400, body)])) as script, opened(script.url) as it:
        said = await it.target.send(record())

    assert len(said.message) == 500
    assert said.message.isprintable()
    assert len(said.field_errors) == 50


async def test_a_hundred_megabytes_are_cut_off_and_the_connection_with_them() -> None:
    head = reply(400, headers={"Content-Length": str(100 * 1024 * 1024)})
    written = 0

    async def flood(_: Any, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(head)
        for _step in range(100):
            writer.write(b" " * (1024 * 1024))
            await writer.drain()
            written += 1

    async with server(Script([flood, created()])) as script, opened(script.url) as it:
        said = await it.target.send(record())
        after = await it.target.send(record())

    assert (said.verdict, after.verdict) == (Verdict.REJECT, Verdict.ACCEPT)
    assert written < 20
    assert script.connections == 2


async def test_a_body_too_large_to_be_true_leaves_a_create_in_doubt() -> None:
    huge = json.dumps({"id": "c-1", "filler": "x" * 1_200_000}).encode()
    async with server(Script([reply(201, huge)])) as script, opened(script.url) as it:
        said = await it.target.send(record())

    assert said.verdict is Verdict.IN_DOUBT


def _leaves(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        return [leaf for part in (value.values() if isinstance(value, dict) else value) for leaf in _leaves(part)]
    return [str(value)]


async def test_an_id_that_is_not_a_uuid_is_a_warning() -> None:
    usual, odd = "0b0a4b6e-6a3e-4a53-8f4e-2f1f0c9b7a11", "../../etc"
    async with server(Script([created(usual), created(odd)])) as script, opened(script.url) as it:
        first, second = [await it.target.send(record()) for _ in range(2)]

    assert (first.customer_id, first.warnings) == (usual, ())
    assert (second.customer_id, [one.code for one in second.warnings]) == (odd, ["customer_id_unusual"])


@pytest.mark.parametrize("status", [404, 405, 415])
async def test_after_a_success_an_answer_that_denies_the_address_is_about_its_row_and_several_in_a_row_are_not(
    status: int,
) -> None:
    odd = reply(status)
    steps = [created(), odd, odd, created(), odd, odd, odd]
    async with server(Script([*steps])) as script, opened(script.url) as it:
        verdicts = [(await it.target.send(record())).verdict for _ in steps]

    row, run = Verdict.REJECT, Verdict.ABORT
    assert verdicts == [Verdict.ACCEPT, row, row, Verdict.ACCEPT, row, row, run]


@pytest.mark.parametrize("status", [404, 405, 415])
async def test_before_any_success_an_answer_that_denies_the_address_stops_the_run(status: int) -> None:
    async with server(Script([reply(status)])) as script, opened(script.url) as it:
        assert (await it.target.send(record())).verdict is Verdict.ABORT


async def test_what_reached_the_wrong_server_is_sent_again_on_a_new_connection() -> None:
    async with server(Script([created(), reply(421), created()])) as script, opened(script.url) as it:
        verdicts = [(await it.target.send(record())).verdict for _ in range(3)]

    assert verdicts == [Verdict.ACCEPT, Verdict.RETRY, Verdict.ACCEPT]
    first, refused, again = script.calls
    assert first.connection == refused.connection != again.connection
