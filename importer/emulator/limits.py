"""The endpoints of transaction limits: list those of a customer, set amounts, show what is used.

Every customer has one limit for each type and currency of the account. Nothing is stored for a limit until its amount
is set: its id is the customer's with the bits of type and currency, so that either is found from the other.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from importer.emulator.answers import Answer, Refusal, encoded, refuse
from importer.emulator.checks import Problem, Problems, day, inside, missing
from importer.emulator.related_store import LimitAmount
from importer.emulator.routes import Call, Endpoint, Server
from importer.emulator.settings import EmulatorSettings
from importer.emulator.store import Store

_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,2})?").fullmatch
_SCOPES = ("CUSTOMER", "FA_KFA")
_UUID_FIELDS = ~((0xF << 76) | (0x3 << 62))
"""All bits but those that say which sort of UUID it is."""


class Limit(NamedTuple):
    """One limit; its amount is a decimal number in text."""

    id: str
    customer_id: str
    limit_type: str
    currency: str
    amount: str


def limits_of(customer_id: str, store: Store, settings: EmulatorSettings) -> Iterator[Limit]:
    """Give all limits of a customer."""
    amounts = store.related.amounts(customer_id)
    for limit_type, currency in _sorts(settings):
        limit_id = _turned(customer_id, limit_type, currency)
        yield Limit(limit_id, customer_id, limit_type, currency, amounts.get(limit_id, settings.limit_amount))


def limit_object(limit: Limit) -> dict[str, Any]:
    """Make the object of the API; the amount is exact."""
    return {
        "id": limit.id,
        "limitType": limit.limit_type,
        "scopeId": limit.customer_id,
        "scopeType": "CUSTOMER",
        "currency": limit.currency,
        "amount": Decimal(limit.amount),
    }


def _sorts(settings: EmulatorSettings) -> Iterator[tuple[str, str]]:
    return ((limit_type, currency) for currency in settings.currencies for limit_type in settings.limit_types)


def _turned(some_id: str, limit_type: str, currency: str) -> str:
    """Turn the id of a customer into that of its limit, and back."""
    bits = uuid.uuid5(uuid.NAMESPACE_URL, f"{limit_type}:{currency}").int & _UUID_FIELDS
    return str(uuid.UUID(int=uuid.UUID(some_id).int ^ bits))


class Limits:
    """The endpoints of transaction limits."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._store, self._settings = server.store, server.settings

    def endpoints(self) -> Mapping[str, Endpoint]:
        """Give the endpoints by name."""
        return {"limits": self._list, "set_limits": self._set, "utilisation": self._utilisation}

    async def _list(self, call: Call) -> Answer:
        return Answer(200, _array(limit_object(limit) for limit in self._scope(call)))

    async def _utilisation(self, call: Call) -> Answer:
        problems: Problems = []
        if call.query.get("referenceDate"):
            day(call.query["referenceDate"], "referenceDate", problems)
        refuse(problems, "The request has wrong parameters")
        unused = {"amountUsed": Decimal(0)}
        return Answer(200, _array({**limit_object(limit), **unused} for limit in self._scope(call)))

    async def _set(self, call: Call) -> Answer:
        amounts = _amounts(call.content())
        known = [self._known(limit_id) for limit_id in amounts]
        changed = [limit._replace(amount=amount) for limit, amount in zip(known, amounts.values(), strict=True)]
        self._store.related.set_amounts(LimitAmount(one.id, one.customer_id, one.amount) for one in changed)
        self._server.committed(call.number, changed[0].customer_id, "limits_set")
        return Answer(200, _array(limit_object(limit) for limit in changed))

    def _scope(self, call: Call) -> list[Limit]:
        """The limits that a query is about."""
        scope_id, scope_type = call.query.get("scopeId"), call.query.get("scopeType")
        problems = [missing(name) for name in ("scopeId", "scopeType") if not call.query.get(name)]
        if scope_type and scope_type not in _SCOPES:
            problems.append(Problem("scopeType", f"must be one of {', '.join(_SCOPES)}", "EMU_ENUM"))
        refuse(problems, "The request has wrong or missing parameters")
        if scope_type != "CUSTOMER" or not scope_id:
            return []
        self._store.found(scope_id)
        return list(limits_of(scope_id, self._store, self._settings))

    def _known(self, limit_id: str) -> Limit:
        try:
            for limit_type, currency in _sorts(self._settings):
                customer_id = _turned(limit_id, limit_type, currency)
                if self._store.body(customer_id) is not None:
                    return Limit(_turned(customer_id, limit_type, currency), customer_id, limit_type, currency, "0")
        except ValueError:
            pass
        raise Refusal(404, "EMU_NOT_FOUND", "There is no limit of one of these ids; none was set")


def _amounts(body: Mapping[str, Any]) -> dict[str, str]:
    """Read the amounts of a request by the ids of their limits."""
    problems = [] if body else [Problem("", "must name at least one limit", "EMU_REQUIRED")]
    amounts = {}
    for limit_id, value in body.items():
        path = inside(limit_id, "amount")
        amount = value.get("amount") if isinstance(value, dict) else None
        if amount is None:
            problems.append(missing(path))
        elif not isinstance(amount, str):
            problems.append(Problem(path, "must be a string", "EMU_TYPE"))
        elif not _AMOUNT(amount):
            problems.append(Problem(path, "must be an amount of 0 or more with at most 2 decimals", "EMU_FORMAT"))
        else:
            amounts[limit_id] = f"{Decimal(amount):f}"
    refuse(problems, "The limits have wrong or missing data")
    return amounts


def _array(limits: Iterable[Mapping[str, Any]]) -> bytes:
    """Write limits as JSON; decimal numbers keep all their digits."""
    return b"[%b]" % b",".join(_exact(limit) for limit in limits)


def _exact(limit: Mapping[str, Any]) -> bytes:
    numbers = {name: value for name, value in limit.items() if isinstance(value, Decimal)}
    rest = encoded({name: value for name, value in limit.items() if name not in numbers})
    return b"%b,%b}" % (rest[:-1], b",".join(f'"{name}":{value:f}'.encode() for name, value in numbers.items()))
