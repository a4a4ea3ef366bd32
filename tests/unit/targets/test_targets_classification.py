from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from http import HTTPStatus

import aiohttp
import aiohttp.client_exceptions
import pytest

from importer.core.outcomes import Verdict
from importer.targets.rocketkor.classification import judge_failure
from importer.targets.rocketkor.classification_rules import (
    CLASSES,
    EXCEPTIONS,
    STATUSES,
    rule_for_exception,
    rule_for_status,
)
from importer.targets.rocketkor.connections import BrokenRequestError

NEVER_SENT = {
    "ClientConnectorDNSError",
    "ClientConnectorError",
    "UnixClientConnectorError",
    "ClientProxyConnectionError",
    "ClientHttpProxyError",
    "ConnectionTimeoutError",
    "ClientSSLError",
    "ClientConnectorSSLError",
    "ClientConnectorCertificateError",
    "ServerFingerprintMismatch",
    "InvalidURL",
    "InvalidUrlClientError",
    "NonHttpUrlClientError",
    "StaleConnectionError",
}


def _tree(root: type[BaseException]) -> Iterator[type[BaseException]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


CLIENT_ERRORS = sorted(
    {kind for kind in _tree(aiohttp.ClientError) if kind is not BrokenRequestError}, key=lambda kind: kind.__name__
)


@pytest.mark.parametrize("kind", CLIENT_ERRORS, ids=lambda kind: kind.__name__)
def test_every_exception_class_of_the_library_has_a_line_of_its_own(kind: type[BaseException]) -> None:
    assert kind in EXCEPTIONS, f"{kind.__name__} is new: could the server have acted? Say so in replies.EXCEPTIONS."


def test_every_exported_exception_was_looked_at() -> None:
    exported = {getattr(aiohttp.client_exceptions, name) for name in aiohttp.client_exceptions.__all__}

    assert {kind for kind in exported if issubclass(kind, aiohttp.ClientError)} <= set(EXCEPTIONS)


@pytest.mark.parametrize("kind", CLIENT_ERRORS, ids=lambda kind: kind.__name__)
def test_only_what_breaks_before_the_request_is_known_not_created(kind: type[BaseException]) -> None:
    rule = rule_for_exception(kind.__new__(kind))

    assert (rule.verdict in {Verdict.RETRY, Verdict.ABORT}) == (kind.__name__ in NEVER_SENT)


@pytest.mark.parametrize(
    "failure",
    [
        OSError(5, "input/output error"),
        ConnectionResetError(),
        BrokenPipeError(),
        ssl.SSLError(),
        ssl.SSLEOFError(),
        TimeoutError(),
        json.JSONDecodeError("x", "", 0),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"),
        ValueError(),
        RuntimeError(),
        KeyError("unforeseen"),
        type("BrandNewError", (aiohttp.ClientError,), {})(),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_everything_else_is_in_doubt(failure: BaseException) -> None:
    said = judge_failure(failure, creating=True)

    assert said.verdict is Verdict.IN_DOUBT
    assert "customer was created" not in said.message  # looks may still settle that


@pytest.mark.parametrize("kind", CLIENT_ERRORS, ids=lambda kind: kind.__name__)
def test_what_never_began_to_be_written_is_never_in_doubt(kind: type[BaseException]) -> None:
    said = judge_failure(BrokenRequestError(kind.__new__(kind), begun=False), creating=True)

    assert said.verdict in {Verdict.RETRY, Verdict.ABORT}


@pytest.mark.parametrize("status", [status for status in HTTPStatus if status >= 200])
def test_every_status_has_a_line_and_only_certain_ones_are_certain(status: HTTPStatus) -> None:
    rule = rule_for_status(status)

    if status // 100 in {2, 5}:
        assert rule.verdict is Verdict.IN_DOUBT
    if status // 100 == 4 and status != 408:
        assert rule.verdict is not Verdict.IN_DOUBT


@pytest.mark.parametrize("status", [-1, 0, 99, 101, 600, 999, 10_000])
def test_a_status_that_does_not_exist_is_in_doubt(status: int) -> None:
    assert rule_for_status(status).verdict is Verdict.IN_DOUBT


def test_every_line_names_its_source_and_speaks_in_sentences() -> None:
    for rule in [*STATUSES.values(), *CLASSES.values(), *EXCEPTIONS.values()]:
        assert rule.source.startswith(("facts", "RFC")), rule
        assert rule.sentence.endswith("."), rule
        assert rule.code.replace("_", "").isalpha(), rule
        assert rule.code == rule.code.lower(), rule
