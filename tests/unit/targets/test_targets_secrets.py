from __future__ import annotations

import asyncio
import gc
import json
import logging
import traceback
from base64 import b64encode
from typing import Any

import pytest

from importer.core.errors import AccessError
from importer.core.step_tasks import StepTask
from importer.core.steps import Step
from tests.unit.targets.scripted import (
    KEY,
    PERSON,
    SECRET,
    Script,
    access,
    created,
    hang_up,
    opened,
    record,
    reply,
    reset,
    server,
)
from tests.unit.targets.scripted import Step as Said

TOKEN = "canary-token-3d77"
CANARIES = [KEY, SECRET, TOKEN, b64encode(f"{KEY}:{SECRET}".encode()).decode()]
PERSONAL = ["Sarah", "sgreen@example.com", "12025550142", "12 Elm Street", "LEGACY-0042"]
ECHO = " ".join([*CANARIES, *PERSONAL])
GOOD = reply(200, {"access_token": TOKEN, "expires_in": 3600})


@pytest.mark.parametrize(
    ("exchange", "step"),
    [
        (GOOD, created()),
        (GOOD, reply(400, {"message": ECHO, "errorCode": ECHO, "traceId": ECHO, "errors": [{"message": ECHO}]})),
        (GOOD, reply(401, {"message": f"Bearer {TOKEN}"})),
        (GOOD, reply(403, {"message": "no"}, headers={"Location": f"/{KEY}", "Retry-After": KEY})),
        (GOOD, reply(400, b"", headers={"Set-Cookie": f"bad {ECHO}=1; Path=/", "Content-Type": ECHO})),
        (GOOD, reply(500, ECHO.encode())),
        (GOOD, hang_up(ECHO.encode())),
        (GOOD, reset()),
        (reply(401, {"message": ECHO}), created()),
        (reply(302, headers={"Location": f"https://{KEY}:{SECRET}@example.com"}), created()),
        (reply(500, ECHO.encode()), created()),
        (hang_up(), created()),
        (reply(200, {"access_token": f"{TOKEN} broken"}), created()),
    ],
)
async def test_neither_secrets_nor_people_reach_replies_logs_or_tracebacks(
    exchange: Said, step: Said, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    left = []
    async with server(Script([step], exchanges=[exchange])) as script, opened(script.url) as it:
        left += [repr(it.target), repr(await it.target.send(record())), repr(await it.target.find(record()))]
        left.append(repr(await it.target.get("c-1")))
        try:
            left.append(repr(await it.target.check()))
        except AccessError as refusal:
            left += [str(refusal), repr(refusal), "".join(traceback.format_exception(refusal, chain=True))]
    gc.collect()
    out = capfd.readouterr()
    everything = "\n".join([*left, caplog.text, out.out, out.err])

    assert not [canary for canary in CANARIES if canary in everything]
    assert not [value for value in PERSONAL if value.lower() in everything.lower()]


async def test_the_secrets_travel_in_headers_alone() -> None:
    async with server(Script([created()], exchanges=[GOOD])) as script, opened(script.url) as it:
        await it.target.send(record())
        script.steps = [reply(200, {"content": []})]
        await it.target.find(record())

    for request in script.requests:
        assert not [canary for canary in CANARIES if canary in request.path or canary.encode() in request.body]
    assert TOKEN in script.calls[0].headers["authorization"]
    assert TOKEN not in script.exchanged[0].headers["authorization"]


async def test_a_redirect_to_another_host_gets_no_secret_from_us() -> None:
    async with server(Script([created()])) as thief:
        away = reply(307, headers={"Location": f"{thief.url}/v1/customers"})
        async with server(Script([away], exchanges=[GOOD, away])) as script, opened(script.url) as it:
            await it.target.send(record())
            await it.target.find(record())

    assert not thief.requests


async def test_a_failing_run_leaves_no_task_and_no_open_connection() -> None:
    async with server(Script([reset()])) as script:
        before = asyncio.all_tasks()
        async with opened(script.url) as it:
            await asyncio.gather(*(it.target.send(record()) for _ in range(8)))
        mine = {task for task in asyncio.all_tasks() - before if "token" in task.get_name()}

    assert not mine


def test_a_secret_in_the_settings_stays_masked_in_every_spelling() -> None:
    shown = access("https://api.example.com")
    spelled: list[Any] = [repr(shown), str(shown), f"{shown}", json.dumps(repr(shown))]

    assert not [text for text in spelled if KEY in text or SECRET in text]


def test_the_sample_person_is_what_the_canaries_look_for() -> None:
    assert all(value.lower() in json.dumps(PERSON).lower() for value in PERSONAL)


OWNER = {"firstName": "Sarah", "lastName": "Elm Street", "primaryEmail": {"value": "sgreen@example.com"}}
TASKS = [
    StepTask(0, 2, Step.BENEFICIARIES, "1", "c-1", "k", json.dumps(OWNER).encode(), reference="b-1"),
    StepTask(0, 2, Step.LIMITS, "", "c-1", "k", b'{"currency": "USD", "daily": "1.00"}'),
    StepTask(0, 2, Step.VERIFICATION, "", "c-1", "k", b"", reference="a-1"),
]
SAID = {"message": TOKEN, "errorCode": TOKEN, "traceId": TOKEN, "errors": [{"path": "x", "message": TOKEN}]}


@pytest.mark.parametrize(
    "step", [reply(422, SAID), reply(500, ECHO.encode()), reply(401, SAID), hang_up(ECHO.encode())]
)
async def test_steps_keep_the_secrets_too(step: Said, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    left = []
    async with server(Script([step], exchanges=[GOOD])) as script, opened(script.url) as it:
        for task in TASKS:
            left += [repr(await it.target.attempt(task)), repr(await it.target.made_by(task))]
            left.append(repr(await it.target.progress(task)))
        left.append(repr(await it.target.verification_profiles()))
    everything = "\n".join([*left, caplog.text])

    assert not [canary for canary in CANARIES if canary in everything]
    assert not [value for value in ("Sarah", "sgreen") if value in everything]
