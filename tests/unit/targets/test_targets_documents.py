from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from importer.core.outcomes import FieldError, Verdict
from importer.core.step_tasks import StepReply, StepTask, UnreadFile
from importer.core.steps import Step
from importer.targets.rocketkor.documents import MOST_BYTES
from importer.targets.rocketkor.uploads import TRIES, upload_url
from tests.unit.targets.scripted import Opened, Script, hang_up, opened, reply, reset, server, silence
from tests.unit.targets.scripted import Step as Said

FAST = {"connect_timeout_s": 0.2, "read_timeout_s": 0.15, "total_timeout_s": 0.4}
SCAN = b"%PDF-1.7 of the passport"
PASSPORT = {"file": "scans/0001.pdf", "number": "X0000001", "issuingCountryCode": "USA"}
SIGNED = "/put/d-1?signature=canary-signature-6a%2Bb"


class Cabinet:
    """Files that a test has put there."""

    def __init__(self, content: bytes | UnreadFile) -> None:
        self.content = content
        self.asked: list[tuple[str, int, str]] = []

    async def read(self, name: str, most_bytes: int, sha256: str = "") -> bytes | UnreadFile:
        self.asked.append((name, most_bytes, sha256))
        return self.content


def task(document: Any = PASSPORT, part: str = "passport") -> StepTask:
    return StepTask(0, 2, Step.DOCUMENTS, part, "c-1", "9f86d081", json.dumps(document).encode())


def announced(host: Script, **changes: Any) -> bytes:
    return reply(201, {"id": "d-1", "status": "NEW", "url": {"value": host.url + SIGNED}, **changes})


@asynccontextmanager
async def hosts(*puts: Said, content: bytes | UnreadFile = SCAN) -> AsyncIterator[tuple[Opened, Script, Script]]:
    """The API and the host that it names for uploads, and a target that knows where files are."""
    api, host = Script([b""]), Script(list(puts or (reply(200),)))
    async with server(host), server(api), opened(api.url, **FAST) as it:
        api.steps = [announced(host)]
        it.target.files_from(Cabinet(content))
        yield it, api, host
        assert it.limiter.slots == it.limiter.departed == len(api.requests) + len(host.requests)


async def attempt(*puts: Said, **changes: Any) -> tuple[StepReply, Script]:
    async with hosts(*puts, **changes) as (it, _, host):
        return await it.target.attempt(task()), host


async def test_a_document_is_announced_then_its_bytes_put_where_the_api_says() -> None:
    async with hosts() as (it, api, host):
        said = await it.target.attempt(task())

    assert (said.reply.verdict, said.reference) == (Verdict.ACCEPT, "d-1")
    assert [(call.method, call.path) for call in api.calls] == [("POST", "/v1/documents")]
    assert json.loads(api.calls[0].body) == {
        "holderId": "c-1", "holderType": "CUSTOMER", "documentType": "passport", "name": "passport",
        "number": "X0000001", "issuingCountryCode": "USA", "extension": "PDF", "contentLength": len(SCAN),
    }  # fmt: skip
    assert [(put.method, put.path, put.body) for put in host.requests] == [("PUT", SIGNED, SCAN)]


async def test_no_token_and_no_header_of_ours_goes_to_the_host_of_uploads() -> None:
    _, host = await attempt()

    assert set(host.requests[0].headers) == {"host", "content-length"}


@pytest.mark.parametrize(
    ("content", "extension"), [(b"\xff\xd8\xff\xe0rest", "JPG"), (b"\x89PNG\r\n\x1a\nrest", "PNG"), (SCAN, "PDF")]
)
async def test_the_kind_of_a_file_is_seen_in_its_bytes(content: bytes, extension: str) -> None:
    async with hosts(content=content) as (it, api, _):
        await it.target.attempt(task())

    assert json.loads(api.calls[0].body)["extension"] == extension


async def test_a_document_has_its_own_name_and_the_word_of_the_api_for_its_type() -> None:
    async with hosts() as (it, api, _):
        await it.target.attempt(task({**PASSPORT, "name": "Scan"}, "drivingLicense"))

    body = json.loads(api.calls[0].body)
    assert (body["documentType"], body["name"]) == ("driving-license", "Scan")


@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        (UnreadFile("There is no such file."), Verdict.REJECT),
        (UnreadFile("The address gave no answer.", later=True), Verdict.RETRY),
        (b"", Verdict.REJECT),
        (b"%PDF-" + b"x" * MOST_BYTES, Verdict.REJECT),
        (b"MZ\x90", Verdict.REJECT),
    ],
)
async def test_a_file_that_cannot_be_used_is_not_announced(content: bytes | UnreadFile, verdict: Verdict) -> None:
    async with hosts(content=content) as (it, api, _):
        said = await it.target.attempt(task())

    assert (said.reply.verdict, said.reply.error_code) == (verdict, "document_failed")
    assert [error.path for error in said.reply.field_errors] == ["documents.passport.file"]
    assert said.reply.message
    assert "0001.pdf" not in repr(said)
    assert api.requests == []


async def test_where_nothing_says_where_files_are_none_is_sent() -> None:
    async with server(Script([b""])) as script, opened(script.url) as it:
        assert (await it.target.attempt(task())).reply.verdict is Verdict.REJECT

    assert script.requests == []


async def test_files_are_asked_for_by_the_name_in_the_cell_and_never_beyond_the_largest_size() -> None:
    async with hosts() as (it, _, _):
        cabinet = Cabinet(SCAN)
        it.target.files_from(cabinet)
        await it.target.attempt(task())

    assert cabinet.asked == [("scans/0001.pdf", MOST_BYTES, "")]


async def test_the_content_that_was_planned_is_asked_for_and_never_sent() -> None:
    async with hosts(reply(200)) as (it, api, _):
        cabinet = Cabinet(SCAN)
        it.target.files_from(cabinet)
        bound = {**json.loads(task().payload), "sha256": "d" * 64}
        await it.target.attempt(task()._replace(payload=json.dumps(bound).encode()))

    assert cabinet.asked == [("scans/0001.pdf", MOST_BYTES, "d" * 64)]
    assert not [one for one in api.requests if b"dddd" in one.body]


async def test_a_file_that_is_not_the_one_of_the_plan_is_refused_with_a_code_of_its_own() -> None:
    async with hosts() as (it, api, _):
        it.target.files_from(Cabinet(UnreadFile("It is another one.", code="document_changed")))
        found = await it.target.attempt(task())

    assert (found.reply.verdict, found.reply.error_code) == (Verdict.REJECT, "document_changed")
    assert not [one for one in api.requests if "documents" in one.path]


@pytest.mark.parametrize("step", [hang_up(), reset(), silence(), reply(201), reply(201, b"<html>"), reply(503)])
async def test_an_announcement_whose_answer_is_lost_is_in_doubt(step: Said) -> None:
    async with hosts() as (it, api, host):
        api.steps = [step]
        said = await it.target.attempt(task())

    assert said.reply.verdict is Verdict.IN_DOUBT
    assert (len(api.calls), host.requests) == (1, [])


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(400, Verdict.REJECT), (403, Verdict.ABORT), (404, Verdict.REJECT), (409, Verdict.REJECT), (429, Verdict.RETRY)],
)
async def test_every_status_of_an_announcement_has_its_verdict(status: int, verdict: Verdict) -> None:
    async with hosts() as (it, api, _):
        api.steps = [reply(status)]
        said = await it.target.attempt(task())

    assert (said.reply.verdict, said.reply.http_status) == (verdict, status)


async def test_a_refusal_names_the_fields_of_this_document() -> None:
    errors = [
        {"path": "number", "message": "X0000001 is odd"},
        {"path": "contentLength", "message": "too much"},
        {"path": "holderId", "message": "gone"},
    ]
    async with hosts() as (it, api, _):
        api.steps = [reply(400, {"message": "scans/0001.pdf", "errors": errors})]
        said = await it.target.attempt(task())

    assert said.reply.field_errors == (
        FieldError("documents.passport.number", "[…] is odd"),
        FieldError("documents.passport.file", "too much"),
        FieldError("documents.passport", "gone"),
    )
    assert not [value for value in ("X0000001", "0001.pdf") if value in repr(said)]


@pytest.mark.parametrize(
    "puts",
    [
        [reply(500), reply(503), reply(204)],
        [hang_up(), reset(), reply(201)],
        [silence(), reply(429), reply(200)],
    ],
)
async def test_an_upload_that_fails_is_tried_again_at_once(puts: list[Said]) -> None:
    said, host = await attempt(*puts)

    assert said.reply.verdict is Verdict.ACCEPT
    assert [put.body for put in host.requests] == [SCAN] * TRIES


@pytest.mark.parametrize(
    ("put", "verdict", "tries"),
    [
        (reply(403, SIGNED.encode()), Verdict.REJECT, 1),
        (reply(400), Verdict.REJECT, 1),
        (reply(307, headers={"Location": "/elsewhere"}), Verdict.REJECT, 1),
        (reply(429), Verdict.RETRY, TRIES),
        (reply(500), Verdict.RETRY, TRIES),
        (hang_up(), Verdict.RETRY, TRIES),
        (silence(), Verdict.RETRY, TRIES),
    ],
)
async def test_an_upload_that_fails_keeps_the_document_and_says_nothing_of_the_rate(
    put: Said, verdict: Verdict, tries: int
) -> None:
    said, host = await attempt(put)

    assert (said.reply.verdict, said.reference) == (verdict, "d-1")
    assert said.reply.message
    assert not said.reply.throttled
    assert not said.reply.overloaded
    assert len(host.requests) == tries


async def test_the_next_attempt_uploads_to_the_same_address_and_announces_nothing() -> None:
    async with hosts() as (it, api, host):
        host.steps = [*[reply(503)] * TRIES, reply(200)]
        first, second = await it.target.attempt(task()), await it.target.attempt(task())

    assert (first.reply.verdict, second.reply.verdict) == (Verdict.RETRY, Verdict.ACCEPT)
    assert (first.reference, second.reference) == ("d-1", "d-1")
    assert len(api.calls) == 1
    assert {put.path for put in host.requests} == {host.requests[0].path}


async def test_a_host_that_is_not_there_may_be_there_later() -> None:
    async with hosts() as (it, api, _):
        api.steps = [reply(201, {"id": "d-1", "url": {"value": "http://127.0.0.1:1/put"}})]
        said = await it.target.attempt(task())
        it.limiter.slots = it.limiter.departed = len(api.requests)

    assert said.reply.verdict is Verdict.RETRY


@pytest.mark.parametrize("url", [None, {}, {"value": 7}, {"value": "http://example.com/put"}, "ftp://127.0.0.1/"])
async def test_an_address_that_may_not_be_used_ends_the_document(url: Any) -> None:
    async with hosts() as (it, api, host):
        api.steps = [reply(201, {"id": "d-1", "url": url})]
        said = await it.target.attempt(task())

    assert (said.reply.verdict, said.reply.error_code, said.reference) == (Verdict.REJECT, "upload_failed", "d-1")
    assert host.requests == []


async def test_a_run_that_stops_after_the_announcement_still_uploads() -> None:
    async with hosts() as (it, _, host):

        def stop(slot: int) -> None:
            it.limiter.stopping |= slot == 2  # the announcement's

        it.limiter.on_slot = stop
        said = await it.target.attempt(task())

    assert said.reply.verdict is Verdict.ACCEPT
    assert len(host.requests) == 1


async def test_the_address_of_an_upload_is_shown_nowhere(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    left = []
    for put in (reply(200), reply(403, SIGNED.encode()), reply(500), hang_up(SIGNED.encode()), reset()):
        said, _ = await attempt(put)
        left.append(repr(said))
    out = capfd.readouterr()

    assert "canary-signature" not in "\n".join([*left, caplog.text, out.out, out.err])


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("https://uploads.example.com/put?a=%2B+b", True),
        ("http://127.0.0.1:8080/put", True),
        ("http://[::1]/put", True),
        ("http://localhost/put", True),
        ("http://10.0.0.1/put", False),
        ("https://user:word@uploads.example.com/put", False),
        ("https://uploads.example.com/a b", False),
        ("https://uploads.example.com/\r\nX: y", False),
        ("https://uploads.example.com/é", False),
        ("https://" + "x" * 9_000, False),
        ("https://[broken", False),
        ("https:///put", False),
        ("file:///etc/passwd", False),
        ("", False),
        (7, False),
    ],
)
def test_documents_go_over_https_or_stay_on_this_machine(address: Any, allowed: bool) -> None:
    url = upload_url(address)

    assert (url is not None) == allowed
    assert url is None or str(url) == address
