"""Transaction limits of a customer: read, set where they are not as wanted, compared with the answer (API facts, 9).

All limits of a row, or none. Amounts are decimals, never floats. One attempt a call; setting them again changes
nothing, so nothing is ever in doubt here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from yarl import URL

from importer.core.outcomes import FieldError, Reply
from importer.core.step_tasks import HeldLimit, StepReply, StepTask
from importer.core.steps import STEP_RULES, Step
from importer.targets.rocketkor.bodies import load_object, read_error_body
from importer.targets.rocketkor.http import Answer
from importer.targets.rocketkor.session import Session
from importer.targets.rocketkor.step_answers import done, judge_step, objects, safe_id, unlike, with_names

TYPES: Final = ("single", "daily", "weekly", "monthly")
"""The types of limits (K), as the profile writes them; the API writes them in capitals."""

SCOPE: Final = "CUSTOMER"
"""Whose limits are meant (K); financial accounts have limits of their own."""

_FAILED: Final = "limits_failed"
_WORD: Final = re.compile(r"[A-Za-z]{1,20}")
_DECIMALS: Final = json.JSONDecoder(parse_float=Decimal, parse_int=Decimal)


class Limit(NamedTuple):
    """One limit of a customer; `amount` is None where it cannot be read."""

    id: str
    type: str
    currency: str
    amount: Decimal | None


class Wanted(NamedTuple):
    """What one limit is to be: its type as the profile writes it, and the amount."""

    name: str
    amount: str


NONE: Final[Mapping[str, Wanted]] = MappingProxyType({})


class Limits:
    """The step `limits`.

    Args:
        session: makes the requests.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._url = URL(f"{session.api}/limits")

    async def attempt(self, task: StepTask) -> StepReply:
        """Set the limits of a row, all of them with one request; none where they are as wanted already."""
        answer = await self._read(task.customer_id)
        if isinstance(answer, Reply):
            return StepReply(answer)
        held = read_limits(answer, task.customer_id)
        if held is None:
            return StepReply(self._judged(answer))
        wanted, lacking = find_limits(load_object(task.payload), held)
        if lacking:
            return StepReply(unlike(done(answer, self._session.now()), "limit_missing", lacking))
        if not others(wanted, held):
            return StepReply(done(answer, self._session.now()))
        return StepReply(await self._set(task.customer_id, wanted))

    async def held(self, customer_id: str) -> Reply | Sequence[HeldLimit]:
        """Fetch the limits of one customer, or the failure."""
        answer = await self._read(customer_id)
        if isinstance(answer, Reply):
            return answer
        held = read_limits(answer, customer_id)
        if held is None:
            return self._judged(answer)
        return [HeldLimit(one.type, one.currency, _plain(one.amount)) for one in held]

    async def _read(self, customer_id: str) -> Answer | Reply:
        query = {"scopeId": customer_id, "scopeType": SCOPE}
        return await self._session.read(self._url.with_query(query), finishing=False)

    async def _set(self, customer_id: str, wanted: Mapping[str, Wanted]) -> Reply:
        payload = json.dumps({limit_id: {"amount": one.amount} for limit_id, one in wanted.items()}).encode()
        answer = await self._session.ask("PUT", self._url, payload, repeatable=True)
        if isinstance(answer, Reply):
            return answer
        held = read_limits(answer, customer_id)
        if held is None or not set(wanted) <= {one.id for one in held}:
            return self._judged(answer, payload, wanted)  # the next attempt reads what they are now
        reply, differing = done(answer, self._session.now()), others(wanted, held)
        return unlike(reply, _FAILED, differing) if differing else reply

    def _judged(self, answer: Answer, payload: bytes = b"", wanted: Mapping[str, Wanted] = NONE) -> Reply:
        said = read_error_body(answer.body, payload, self._session.secrets)
        said = with_names(said, lambda path: _field(path, wanted))
        return judge_step(answer, said, self._session.now(), STEP_RULES[Step.LIMITS])


def read_limits(answer: Answer, customer_id: str) -> list[Limit] | None:
    """Read a list of limits; None when it is none. Numbers become decimals, digit by digit.

    Args:
        customer_id: those of anybody or anything else are left out.
    """
    listed = objects(answer, _DECIMALS.decode)
    if listed is None:
        return None
    return [
        Limit(safe_id(one), _word(one, "limitType"), _word(one, "currency"), _amount(one))
        for one in listed
        if safe_id(one) and _is_of(one, customer_id)
    ]


def _is_of(one: Mapping[str, Any], customer_id: str) -> bool:
    """Whether a limit is this customer's, or does not say whose it is: it was asked for by customer."""
    kind, scope = one.get("scopeType") or SCOPE, one.get("scopeId") or customer_id
    return (str(kind).upper(), str(scope)) == (SCOPE, customer_id)


def find_limits(after: Mapping[str, Any], held: Sequence[Limit]) -> tuple[dict[str, Wanted], list[FieldError]]:
    """Find the limits that are meant: to the id of each what is wanted, and what the account lacks.

    Args:
        after: the currency, and to each type the amount.
    """
    wanted: dict[str, Wanted] = {}
    lacking, currency = [], str(after.get("currency", ""))
    for name in (one for one in TYPES if one in after):
        meant = [one.id for one in held if (one.type, one.currency) == (name.upper(), currency)]
        wanted |= dict.fromkeys(meant, Wanted(name, str(after[name])))
        if not meant:
            lacking.append(FieldError(f"limits.{name}", _lacks(name, currency, held), "limit_missing"))
    return wanted, lacking


def others(wanted: Mapping[str, Wanted], held: Sequence[Limit]) -> list[FieldError]:
    """Say which limits are not as wanted."""
    amounts = {one.id: one.amount for one in held}
    return [
        FieldError(f"limits.{one.name}", f"The API keeps another {one.name.upper()} limit than asked for.", _FAILED)
        for limit_id, one in wanted.items()
        if amounts.get(limit_id) != Decimal(one.amount)
    ]


def _lacks(name: str, currency: str, held: Sequence[Limit]) -> str:
    currencies = ", ".join(sorted({one.currency for one in held} - {""})) or "no currency"
    return f"The account has no {name.upper()} limit in {currency}: it has limits in {currencies}. None was set."


def _field(path: str, wanted: Mapping[str, Wanted]) -> str:
    """Name the limit that a path is about: the API names it by its id."""
    meant = next((one for limit_id, one in wanted.items() if limit_id in path.split(".")), None)
    return f"limits.{meant.name}" if meant else path


def _word(one: Mapping[str, Any], name: str) -> str:
    text = one.get(name)
    return text.strip().upper() if isinstance(text, str) and _WORD.fullmatch(text.strip()) else ""


def _plain(amount: Decimal | None) -> str:
    """One text for every spelling of an amount; empty: it cannot be read."""
    return "" if amount is None or not amount.is_finite() else f"{amount:.2f}"


def _amount(one: Mapping[str, Any]) -> Decimal | None:
    written = one.get("amount")
    try:
        amount = Decimal(written) if isinstance(written, str | Decimal) else None
    except ArithmeticError:
        return None
    return amount if amount is not None and amount.is_finite() else None  # some of the others cannot be compared
