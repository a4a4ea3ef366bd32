"""Answers before they become HTTP: bodies of errors in both documented shapes."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from importer.emulator.checks import Problem


class Answer(NamedTuple):
    """The answer of an endpoint.

    Args:
        code: the error code, for the ledger; empty where there is no error.
    """

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = MappingProxyType({})
    code: str = ""


class Refusal(Exception):  # noqa: N818 - an answer rather than an error
    """The request ends here with an error answer.

    Args:
        message: a sentence that never repeats what was sent.
        problems: one entry for each wrong field.
        headers: to send along.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        problems: Sequence[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, code)
        self.status = status
        self.code = code
        self.message = message
        self.problems = problems
        self.headers = headers or {}


def refuse(problems: Sequence[Problem], message: str) -> None:
    """Refuse a request with problems, if there are any.

    Raises:
        Refusal: 400.
    """
    if problems:
        raise Refusal(400, "EMU_VALIDATION", message, problems)


def timestamp(epoch_s: float) -> str:
    """Write a time as the API does: UTC with milliseconds and a Z."""
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def encoded(value: Any) -> bytes:
    """Write JSON without spaces, as UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def error_answer(refusal: Refusal, epoch_s: float, shape: str) -> Answer:
    """Write the error body of the newer (`v3`) or older (`v2`) documentation."""
    body: dict[str, Any] = {
        "timestamp": timestamp(epoch_s),
        "traceId": f"emu-{secrets.token_hex(8)}",
        "message": refusal.message,
    }
    if shape == "v2":
        body["error"] = refusal.code
    else:
        body["errorCode"] = refusal.code
        if refusal.problems:
            body["errors"] = [
                {"path": path, "message": message, "errorCode": code} for path, message, code in refusal.problems
            ]
    return Answer(refusal.status, encoded(body), headers=refusal.headers, code=refusal.code)
