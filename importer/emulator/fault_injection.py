"""Carries out the planned faults: alters answers, cuts connections, sends byte by byte.

What happens to which request is decided in `faults`; here it is only done.
"""

from __future__ import annotations

import asyncio
import json
import math
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate

from aiohttp import web

from importer.emulator.answers import Answer, Refusal
from importer.emulator.faults import Injection, Rule

Pause = Callable[[float], Awaitable[None]]
"""Waits this many seconds, or until the server stops."""

_PAGE = b"<html><head><title>%d</title></head><body><h1>Bad gateway</h1></body></html>"
_WITHOUT_WORK = frozenset({"drop-before-commit", "redirect"})
_SENT_SPECIALLY = frozenset({"truncated", "huge", "dribble", "close"})


class Dropped(Exception):  # noqa: N818 - it ends one connection, and is not an error of ours
    """The connection is to be cut without an answer."""


def before_work(injection: Injection, epoch_s: float) -> Answer | None:
    """Do what comes before the request is worked on.

    Returns:
        The answer instead of the work; None: work on it.

    Raises:
        Dropped: cut the connection.
        Refusal: answer with this error.
    """
    rule = injection.rule
    if rule is None or not (rule.fault in _WITHOUT_WORK or (rule.fault == "status" and not rule.commit)):
        return None
    if rule.fault == "drop-before-commit":
        raise Dropped
    if rule.fault == "redirect":
        return Answer(rule.status, b"", headers={"Location": rule.location}, code="EMU_FAULT_REDIRECT")
    return _failing(rule, epoch_s)


def after_work(injection: Injection, answer: Answer, epoch_s: float) -> Answer:
    """Alter the answer after the work is done.

    Raises:
        Dropped: cut the connection.
        Refusal: answer with this error instead.
    """
    rule = injection.rule
    if rule is None:
        return answer
    if rule.fault == "commit-then-drop":
        raise Dropped
    if rule.fault == "status" and rule.commit:
        return _failing(rule, epoch_s)
    return _altered(rule.fault, answer)


def _altered(fault: str, answer: Answer) -> Answer:
    match fault:
        case "html":
            return answer._replace(body=_PAGE % answer.status, content_type="text/html", headers={})
        case "empty":
            return answer._replace(body=b"")
        case "no-id":
            headers = {name: value for name, value in answer.headers.items() if name != "Location"}
            return answer._replace(body=_without_id(answer.body), headers=headers)
        case "wrong-type":
            return answer._replace(content_type="text/plain")
        case _:
            return answer


def _failing(rule: Rule, epoch_s: float) -> Answer:
    headers = {} if rule.retry_after_s is None else {"Retry-After": _retry_after(rule, rule.retry_after_s, epoch_s)}
    code = f"EMU_FAULT_{rule.status}"
    if rule.body == "html":
        return Answer(rule.status, _PAGE % rule.status, "text/html", headers, code)
    if rule.body == "empty":
        return Answer(rule.status, b"", "application/json", headers, code)
    raise planned_failure(rule, headers)


def planned_failure(rule: Rule, headers: Mapping[str, str] | None = None) -> Refusal:
    """The error answer of a rule."""
    return Refusal(rule.status, f"EMU_FAULT_{rule.status}", "This failure is part of the plan of faults", (), headers)


def _retry_after(rule: Rule, wait_s: float, epoch_s: float) -> str:
    if rule.retry_after_form == "date":
        return formatdate(math.ceil(epoch_s + wait_s), usegmt=True)
    return str(math.ceil(wait_s))


def _without_id(body: bytes) -> bytes:
    try:
        content = json.loads(body)
    except ValueError:
        return body
    if not isinstance(content, dict):
        return body
    kept = {name: value for name, value in content.items() if name not in {"id", "access_token"}}
    return json.dumps(kept, separators=(",", ":")).encode()


def cut(request: web.BaseRequest, injection: Injection) -> None:
    """Cut the connection: half of the times by closing it (the peer sees an end), half by a reset."""
    transport = request.transport
    if transport is None:
        return
    link = transport.get_extra_info("socket")
    if link is not None and injection.draw < 0.5:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def is_special(injection: Injection) -> bool:
    """Whether the answer has to be sent in an unusual way."""
    return injection.rule is not None and injection.rule.fault in _SENT_SPECIALLY


async def send_specially(
    request: web.BaseRequest, answer: Answer, response: web.Response, rule: Rule, pause: Pause
) -> web.StreamResponse:
    """Send an answer cut short, padded to a huge size, byte by byte, or with the connection closed after it.

    Raises:
        Dropped: an answer without a body is to be cut short.
    """
    if rule.fault == "close":
        if request.transport is not None:
            # After the answer has left, so that the peer believes in a connection that it can use again.
            asyncio.get_running_loop().call_later(0.01, request.transport.close)
        return response
    if rule.fault == "truncated" and not answer.body:
        raise Dropped  # there is nothing to cut short
    size = rule.size_bytes if rule.fault == "huge" else len(answer.body)
    stream = web.StreamResponse(status=answer.status, headers={**answer.headers, "Content-Type": answer.content_type})
    stream.content_length = size
    await stream.prepare(request)
    if rule.fault == "huge":
        await _send_huge(stream, size)
    elif rule.fault == "dribble":
        await _send_dribbling(stream, answer.body, rule.delay_s, pause)
    else:
        await stream.write(answer.body[: len(answer.body) // 2])
        if request.transport is not None:
            request.transport.close()
    return stream


async def _send_huge(stream: web.StreamResponse, size: int) -> None:
    chunk = b" " * 65_536
    for start in range(0, size, len(chunk)):
        await stream.write(chunk[: size - start])


async def _send_dribbling(stream: web.StreamResponse, body: bytes, delay_s: float, pause: Pause) -> None:
    for place in range(len(body)):
        await stream.write(body[place : place + 1])
        await pause(delay_s)
