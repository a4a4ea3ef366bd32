"""What an answer to a request of a step means: as for creates, except where the table below says otherwise.

Pure: nothing here touches the network, waits or raises.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from importer.core.outcomes import FieldError, Reply, Verdict
from importer.core.steps import StepRule
from importer.targets.rocketkor.bodies import ErrorBody
from importer.targets.rocketkor.classification import reply_of
from importer.targets.rocketkor.classification_rules import Rule, rule_for_status
from importer.targets.rocketkor.http import Answer
from importer.targets.rocketkor.pages import id_of, is_safe_in_a_path
from importer.targets.rocketkor.rate_headers import rate_hint

CHANGES_NOTHING: Final = StepRule(repeatable=True)
"""The rule of a request that only reads."""

_NO_SUCH = "The API offers no such thing at its address."

STATUSES: Final[Mapping[int, Rule]] = MappingProxyType(
    {
        # A customer was created at this address: what is missing now is what the request names.
        404: Rule(Verdict.REJECT, "customer_gone", "The customer is not there any more.", "facts 4, 7"),
        405: Rule(Verdict.REJECT, "not_offered", _NO_SUCH, "RFC 9110 15.5.6"),
        406: Rule(Verdict.REJECT, "not_offered", _NO_SUCH, "RFC 9110 15.5.7"),
        409: Rule(Verdict.DUPLICATE, "conflict", "The API says that it has this already.", "facts 7"),
        410: Rule(Verdict.REJECT, "customer_gone", "The customer is not there any more.", "RFC 9110 15.5.11"),
        415: Rule(Verdict.REJECT, "not_offered", _NO_SUCH, "RFC 9110 15.5.16"),
    }
)
"""Statuses that mean something else here than for a create."""

NO_NAME: Final = Rule(
    Verdict.IN_DOUBT, "answer_unreadable", "The API said yes in an answer that cannot be read.", "facts 8 to 10"
)
NOT_OFFERED: Final = Rule(Verdict.REJECT, "not_offered", _NO_SUCH, "facts 7")
"""For a 404 where the request names no customer."""

UNUSABLE_ID: Final = Reply(
    Verdict.REJECT, error_code="id_unusable", message="The id has characters that no address can hold."
)


def judge_step(
    answer: Answer,
    said: ErrorBody,
    now: float,
    how: StepRule,
    *,
    missing: Rule = STATUSES[404],
    in_words: bool = True,
) -> Reply:
    """Judge an answer that is not a clear yes.

    Args:
        said: its body, cleared of what must not be shown.
        now: seconds since the epoch, by our clock.
        how: how the request may be repeated: without that, a lost answer is in doubt.
        missing: what a 404 means.
        in_words: pass on what the API says; it may name a person, of whom a request that only bears ids holds nothing
            to look for in it.
    """
    rule = missing if answer.status == 404 else STATUSES.get(answer.status) or rule_for_status(answer.status)
    if 200 <= answer.status < 300:
        rule = NO_NAME
    verdict = rule.verdict
    if verdict is Verdict.IN_DOUBT and how.repeatable:
        verdict = Verdict.ABORT if 300 <= answer.status < 400 else Verdict.RETRY
    elif answer.status in {400, 422} and said.says_already:
        verdict = Verdict.DUPLICATE
    if verdict is Verdict.DUPLICATE and not how.looked_up:
        verdict = Verdict.REJECT
    return reply_of(rule, verdict, said if in_words else _without_words(said), answer, now)


def done(answer: Answer, now: float) -> Reply:
    """Reply to a clear yes."""
    hint = rate_hint(answer.headers, now)
    return Reply(Verdict.ACCEPT, http_status=answer.status, allowance=hint, took_s=answer.took_s)


def unlike(reply: Reply, code: str, errors: Sequence[FieldError]) -> Reply:
    """Turn a yes into a refusal of our own: what the API said is not what was asked for."""
    message = errors[0].message
    return reply._replace(verdict=Verdict.REJECT, error_code=code, message=message, field_errors=tuple(errors))


def with_names(said: ErrorBody, name: Callable[[str], str]) -> ErrorBody:
    """Name the fields of a refusal as the profile does.

    Args:
        name: the API's path, dotted, to the name of the profile; empty for none.
    """
    return replace(said, fields=tuple(replace(one, path=name(one.path)) for one in said.fields))


def objects(answer: Answer, decode: Callable[[str], Any] = json.loads) -> list[dict[str, Any]] | None:
    """Read a list of objects, bare or in the envelope of a page; None when it is neither.

    Args:
        decode: reads JSON.
    """
    try:
        page = decode((answer.body or b"").decode()) if answer.status == 200 else None
    except (ValueError, ArithmeticError, RecursionError):
        return None
    content = page.get("content") if isinstance(page, dict) else page
    return content if isinstance(content, list) and all(isinstance(one, dict) for one in content) else None


def safe_id(one: Mapping[str, Any]) -> str:
    """Read an id that may be used in an address; empty: there is none."""
    text = id_of(one)
    return text if is_safe_in_a_path(text) else ""


def _without_words(said: ErrorBody) -> ErrorBody:
    fields = tuple(
        replace(one, message="The API refused this field.", code=_one_word(one.code), path=_one_word(one.path))
        for one in said.fields
    )
    return ErrorBody(code=_one_word(said.code), trace_id=_one_word(said.trace_id), fields=fields)


def _one_word(text: str) -> str:
    return "" if " " in text else text
