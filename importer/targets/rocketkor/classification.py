"""From an answer, or the lack of one, to a reply: the tables of `classification_rules` applied to one case.

Pure: the same answer always gets the same reply. Never raises, whatever came.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from importer.core.errors import AccessError
from importer.core.outcomes import FieldError, Reply, Verdict
from importer.targets.rocketkor.bodies import ErrorBody, first_id, load_object, read_error_body
from importer.targets.rocketkor.classification_rules import Rule, rule_for_exception, rule_for_status
from importer.targets.rocketkor.connections import BrokenRequestError
from importer.targets.rocketkor.http import Answer
from importer.targets.rocketkor.rate_headers import moment_of, rate_hint, server_now

_ID_CHARS: Final = 200
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UNUSUAL_ID: Final = FieldError(
    path="",
    code="customer_id_unusual",
    message="The API named the new customer with an id that is not a UUID.",
)
_NO_KEY: Final = "Check ROCKETKOR_API_KEY and ROCKETKOR_API_SECRET, and that they belong to this target."

_FOR_READING: Final[Mapping[Verdict, Verdict]] = {
    Verdict.IN_DOUBT: Verdict.RETRY,  # a look-up changes nothing: it can always be asked again
    Verdict.DUPLICATE: Verdict.REJECT,
}


def accepted(answer: Answer, now: float) -> Reply | None:
    """Return the reply to a clear yes: a success that names the new customer; None for everything else.

    Args:
        now: seconds since the epoch, for headers that name a moment.
    """
    customer_id = created_id(answer) if answer.status in {200, 201} else ""
    if not customer_id:
        return None
    hint = rate_hint(answer.headers, now)
    odd = () if _UUID.fullmatch(customer_id) else (_UNUSUAL_ID,)
    return Reply(Verdict.ACCEPT, customer_id, answer.status, allowance=hint, took_s=answer.took_s, warnings=odd)


def judge_refusal(answer: Answer, payload: bytes, now: float, secrets: Iterable[str] = ()) -> Reply:
    """Judge a refusal, or anything else that is not a clear yes, of an attempt to create a customer.

    Args:
        payload: what was sent, so that it is not repeated.
        now: seconds since the epoch, for a `Retry-After` that is a date.
        secrets: what went along in headers, so that it is not repeated either.
    """
    said = read_error_body(answer.body, payload, secrets)
    rule = rule_for_status(answer.status)
    reply = reply_of(rule, rule.verdict, said, answer, now)
    if answer.status in {400, 422} and said.names_a_duplicate:
        return reply._replace(verdict=Verdict.DUPLICATE)
    return reply


def judge_look_up(answer: Answer, payload: bytes, now: float, secrets: Iterable[str] = ()) -> Reply:
    """Judge a look-up that brought no list: whether asking again can help."""
    rule = rule_for_status(answer.status)
    said = read_error_body(answer.body, payload, secrets)
    redirected = 300 <= answer.status < 400
    verdict = Verdict.ABORT if redirected else _FOR_READING.get(rule.verdict, rule.verdict)
    return reply_of(rule, verdict, said, answer, now)


def judge_exchange(answer: Answer, now: float) -> Reply | AccessError:
    """Judge an exchange that brought no token: a temporary failure, or a refusal that stops the run.

    The body is not passed on: it answers to a request that carried the credentials.
    """
    status, rule = answer.status, rule_for_status(answer.status)
    if 200 <= status < 300:
        return Reply(Verdict.RETRY, "", status, "token_unreadable", "The API gave an access token that cannot be read.")
    if status in {400, 401, 403, 422}:
        return AccessError(f"The API refused the API key or its secret (HTTP {status}).", _NO_KEY)
    if 300 <= status < 500 and status not in {408, 425, 429}:
        hint = rule.sentence if rule.verdict is not Verdict.REJECT else _NO_KEY
        return AccessError(f"The target's address gives no access token (HTTP {status}).", hint)
    wait_s = retry_after_s(answer.headers, now)
    return Reply(Verdict.RETRY, "", status, rule.code, rule.sentence, retry_after_s=wait_s, took_s=answer.took_s)


def judge_failure(failure: BaseException, *, creating: bool) -> Reply:
    """Judge a request that brought no answer at all.

    Args:
        failure: what was raised; only what broke after writing began leaves a doubt.
        creating: whether the request, had it arrived, would have changed something.
    """
    cause, begun = (failure.cause, failure.begun) if isinstance(failure, BrokenRequestError) else (failure, True)
    rule = rule_for_exception(cause)
    doubtful = rule.verdict is Verdict.IN_DOUBT
    verdict = Verdict.RETRY if doubtful and not (begun and creating) else rule.verdict
    return Reply(verdict, error_code=rule.code, message=rule.sentence)


def reply_of(rule: Rule, verdict: Verdict, said: ErrorBody, answer: Answer, now: float) -> Reply:
    """Compose a reply of its rule, the verdict in this case, and what the API said, cleared of our values."""
    if verdict in {Verdict.REJECT, Verdict.DUPLICATE}:
        message = said.message or rule.sentence
    else:
        message = rule.sentence + (f' The API says: "{said.message}"' if said.message else "")
    return Reply(
        verdict,
        http_status=answer.status,
        error_code=said.code or rule.code,
        message=message,
        field_errors=said.fields,
        trace_id=said.trace_id,
        retry_after_s=retry_after_s(answer.headers, now),
        allowance=rate_hint(answer.headers, now),
        took_s=answer.took_s,
    )


def created_id(answer: Answer, collection: str = "customers") -> str:
    """Return the id of what is new: from the body, else from the Location header (API facts, sections 2.8 and 10).

    Args:
        collection: the segment of the address that comes before the id.
    """
    if early := first_id(answer.body):
        return early
    value = load_object(answer.body).get("id")
    if isinstance(value, str | int) and not isinstance(value, bool) and (text := _as_id(str(value))):
        return text
    try:
        path = urlsplit(answer.headers.get("Location", "")).path
    except ValueError:
        return ""
    head, _, tail = path.rstrip("/").rpartition("/")
    return _as_id(unquote(tail)) if head.endswith(f"/{collection}") else ""


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """Return what `Retry-After` asks for, in seconds from now; None when it says nothing that makes sense.

    Args:
        now: seconds since the epoch, for a date where the answer does not say when it was sent.
    """
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = _seconds_until(text, server_now(headers, now))
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def server_ahead_s(headers: Mapping[str, str], now: float) -> float | None:
    """Return how far the target's clock is ahead of ours, by its `Date`, to half a second; None: it says nothing.

    Args:
        now: seconds since the epoch.
    """
    ahead_s = moment_of(headers.get("Date", "")) - now + 0.5  # a date is cut to whole seconds (RFC 9110 5.6.7)
    return ahead_s if math.isfinite(ahead_s) else None


def _seconds_until(date: str, now: float) -> float:
    until_s = moment_of(date) - now
    return until_s if math.isnan(until_s) else max(0.0, until_s)


def _as_id(text: str) -> str:
    text = text.strip()
    return text if 0 < len(text) <= _ID_CHARS and text.isprintable() else ""
