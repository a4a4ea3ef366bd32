"""Whatever a server says, a create ends in a reply, in bounded time, and never in a false yes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from importer.core.outcomes import Verdict
from importer.targets.rocketkor.bodies import first_id, load_object, profile_path, read_error_body
from importer.targets.rocketkor.classification import created_id, judge_look_up, judge_refusal, retry_after_s
from importer.targets.rocketkor.http import Answer
from importer.targets.rocketkor.redaction import API_WORDS, Redaction
from tests.effort import examples
from tests.unit.targets.scripted import Script, hang_up, opened, record, server

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
ERROR_BODY = st.fixed_dictionaries(
    {},
    optional={
        "message": JSON,
        "errorCode": JSON,
        "error": JSON,
        "traceId": JSON,
        "errors": JSON
        | st.lists(st.fixed_dictionaries({"path": JSON}, optional={"message": JSON, "errorCode": JSON}), max_size=4),
    },
)
TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(said=st.binary(max_size=200), well_begun=st.booleans())
@example(said=b"HTTP/1.1 \xff\xfe\r\n\r\n", well_begun=False)
@example(said=b"HTTP/1.1 201 Created\r\nSet-Cookie: \xff\x00\r\n\r\n", well_begun=False)
@example(said=b"HTTP/2.0 201 Created\r\nContent-Length: -1\r\n\r\n", well_begun=False)
@example(said=b"\r\nTransfer-Encoding: chunked, gzip, identity\r\n\r\nffffffffffffffffff\r\n", well_begun=True)
@example(said=b"\r\nContent-Type: \xff;;;=\r\nContent-Length: 2\r\n\r\n{}", well_begun=True)
@example(said=b"\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n", well_begun=True)
def test_no_bytes_make_a_create_raise_or_say_yes(said: bytes, well_begun: bool) -> None:
    answer = (b"HTTP/1.1 201 Created" if well_begun else b"") + said

    async def send() -> Any:
        async with server(Script([hang_up(answer)])) as script, opened(script.url, read_timeout_s=1.0) as it:
            return await it.target.send(record())

    reply = asyncio.run(send())
    assert reply.verdict is not Verdict.ACCEPT or b'"id"' in said
    assert (reply.verdict is Verdict.ACCEPT) == bool(reply.customer_id)


@given(status=st.integers(0, 999), body=ERROR_BODY | JSON, retry_after=st.none() | st.text(max_size=30))
def test_every_answer_gets_a_reply(status: int, body: Any, retry_after: str | None) -> None:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    answer = Answer(status, headers, json.dumps(body).encode())
    for reply in (judge_refusal(answer, record().payload, 0.0), judge_look_up(answer, record().payload, 0.0)):
        assert reply.error_code
        assert reply.message.isprintable()
        assert reply.retry_after_s is None or reply.retry_after_s >= 0


@given(body=st.binary(max_size=100), location=st.text(max_size=60))
def test_an_id_is_one_printable_line_or_none(body: bytes, location: str) -> None:
    found = created_id(Answer(201, {"Location": location}, body))

    assert found.isprintable()
    assert len(found) <= 200


@given(customer_id=JSON, rest=st.dictionaries(st.text(max_size=8), JSON, max_size=3), indent=st.none() | st.just(2))
def test_an_id_named_first_is_the_one_that_reading_it_all_finds(
    customer_id: Any, rest: dict[str, Any], indent: int | None
) -> None:
    body = json.dumps(
        {"id": customer_id} | {name: value for name, value in rest.items() if name != "id"}, indent=indent
    )
    found = first_id(body.encode())

    assert found in ("", load_object(body.encode())["id"])


def test_a_new_customers_id_is_read_without_the_rest_of_its_body() -> None:
    body = b'{"id":"3f0c8d5e-1111-4222-8333-444455556666","type":"INDIVIDUAL"}'
    assert first_id(body) == "3f0c8d5e-1111-4222-8333-444455556666"
    assert first_id(body[:-1]) == ""
    assert first_id(b'{"type":"INDIVIDUAL","id":"3f0c8d5e"}') == ""


@given(text=st.text(max_size=40), now=st.floats(0, 4e9))
def test_retry_after_is_a_number_or_nothing(text: str, now: float) -> None:
    seconds = retry_after_s({"Retry-After": text}, now)

    assert seconds is None or 0 <= seconds < float("inf")


@given(path=st.text(max_size=300), sent=st.dictionaries(st.sampled_from(["addresses", "contacts"]), JSON))
def test_a_path_is_plain_or_empty(path: str, sent: dict[str, Any]) -> None:
    found = profile_path(path, sent)

    assert found.isprintable()
    assert "[" not in found
    assert profile_path(found, {}) == found


@given(
    values=st.lists(TEXT.filter(lambda text: len(text.strip()) > 3 and text not in API_WORDS), min_size=1, max_size=5),
    before=TEXT,
    after=TEXT,
)
def test_a_value_never_survives_in_a_text(values: list[str], before: str, after: str) -> None:
    redaction = Redaction({f"field{index}": value for index, value in enumerate(values)})
    for value in values:
        shown = redaction.text(f"{before}{value}{after}")
        assert value not in shown or value in "[…]"


@settings(deadline=None)
@given(text=st.sampled_from(["a", "1", "a@", "1 ", "+1-", "@.", "\\"]), count=st.sampled_from([10, 16_000]))
def test_redaction_takes_no_longer_than_it_should(text: str, count: int) -> None:
    shown = Redaction({"name": "aaaa", "other": "1111"}).text((text * count)[:16_000])

    assert len(shown) <= 500


@given(body=st.binary(max_size=200), payload=st.binary(max_size=100))
def test_an_error_body_of_any_kind_is_read(body: bytes, payload: bytes) -> None:
    assert read_error_body(body, payload).message.isprintable()
