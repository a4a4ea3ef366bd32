"""The endpoints: what each does with an accepted request, and which path and method lead to it.

Creating is not idempotent: an `Idempotency-Key` is ignored, and the same body twice is two customers.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from multidict import MultiMapping

from importer.emulator.answers import Answer, Refusal, encoded
from importer.emulator.auth import Tokens
from importer.emulator.customers import new_customer, parsed, replaced, row_of, touched, with_blanks
from importer.emulator.listing import list_customers
from importer.emulator.rules import check_customer
from importer.emulator.settings import EmulatorSettings
from importer.emulator.store import Store


class Call(NamedTuple):
    """One request, as the endpoints see it.

    Args:
        number: its number in the ledger.
        customer_id: from the path; empty where the path has none.
        epoch_s: when it is processed.
        lag_s: how much later than usual a created customer appears in lists.
    """

    number: int
    authorization: str
    customer_id: str
    query: MultiMapping[str]
    body: bytes
    epoch_s: float
    lag_s: float


Endpoint = Callable[[Call], Awaitable[Answer]]
Committed = Callable[[int, str], None]


class Route(NamedTuple):
    """The endpoint of a method and path: the kind of request, the path without its values, and the endpoint's name."""

    kind: str
    path: str
    endpoint: str
    changes: bool = False


_EXCHANGE, _CUSTOMERS = "/v1/api-keys/exchange", "/v1/customers"
_ONE, _SUSPEND, _ACTIVATE = f"{_CUSTOMERS}/{{id}}", f"{_CUSTOMERS}/{{id}}/suspend", f"{_CUSTOMERS}/{{id}}/activate"
ROUTES: Mapping[str, Mapping[str, Route]] = {
    _EXCHANGE: {"POST": Route("token", _EXCHANGE, "exchange")},
    _CUSTOMERS: {
        "POST": Route("create", _CUSTOMERS, "create", changes=True),
        "GET": Route("list", _CUSTOMERS, "list"),
    },
    _ONE: {
        "GET": Route("get", _ONE, "get"),
        "PUT": Route("update", _ONE, "update", changes=True),
        "DELETE": Route("delete", _ONE, "delete", changes=True),
    },
    _SUSPEND: {"PUT": Route("update", _SUSPEND, "suspend", changes=True)},
    _ACTIVATE: {"PUT": Route("update", _ACTIVATE, "activate", changes=True)},
}


def find_route(method: str, path: str) -> tuple[Route, str]:
    """Find where a request leads, and the customer id in its path; an unknown path leads to `unknown`."""
    known, customer_id = ROUTES.get(path), ""
    if known is None and path.startswith(f"{_CUSTOMERS}/"):
        customer_id, _, rest = path.removeprefix(f"{_CUSTOMERS}/").partition("/")
        known = ROUTES.get(f"{_ONE}/{rest}" if rest else _ONE)
    if known is None or not (customer_id or path in ROUTES):
        return Route("other", "(unknown)", "unknown"), ""
    if method not in known:
        return Route("other", next(iter(known.values())).path, "not_allowed"), ""
    return known[method], customer_id


class Api:
    """The endpoints of one server.

    Args:
        committed: gets the request's number and the customer's id once a create is durable.
    """

    def __init__(self, settings: EmulatorSettings, store: Store, tokens: Tokens, committed: Committed) -> None:
        self._settings = settings
        self._store = store
        self._tokens = tokens
        self._committed = committed
        self._account_id = str(uuid.uuid5(uuid.NAMESPACE_URL, settings.api_key))
        self._endpoints: Mapping[str, Endpoint] = {
            "exchange": self._exchange,
            "create": self._create,
            "list": self._list,
            "get": self._get,
            "update": self._update,
            "suspend": self._suspend,
            "activate": self._activate,
            "delete": self._delete,
        }

    async def answer(self, route: Route, call: Call) -> Answer:
        """Do what the request asks for.

        Raises:
            Refusal: it is answered with an error.
        """
        if route.endpoint == "unknown":
            raise Refusal(404, "EMU_NO_SUCH_PATH", "There is nothing at this path")
        if route.endpoint == "not_allowed":
            raise Refusal(
                405, "EMU_METHOD", "This path does not accept this method", (), {"Allow": _allowed(route.path)}
            )
        if route.endpoint != "exchange":
            self._tokens.check(call.authorization)
            if route.changes:
                self._tokens.check_may_change()
        return await self._endpoints[route.endpoint](call)

    async def _exchange(self, call: Call) -> Answer:
        return Answer(200, encoded(self._tokens.exchange(call.authorization)))

    async def _create(self, call: Call) -> Answer:
        fields = self._with_metadata(self._checked(call.body))
        self._refuse_taken(fields.get("externalId"))
        customer = new_customer(fields, str(uuid.uuid4()), self._account_id, call.epoch_s)
        now_ms = int(call.epoch_s * 1000)
        visible_ms = now_ms + int((self._settings.list_lag_s + call.lag_s) * 1000)
        body = _written(customer)
        await self._store.add(row_of(customer, body, self._settings.stamp, (now_ms, now_ms, visible_ms)))
        self._committed(call.number, customer["id"])
        return Answer(201, body.encode(), customer_id=customer["id"])

    async def _list(self, call: Call) -> Answer:
        return list_customers(call.query, self._store, self._settings, call.epoch_s)

    async def _get(self, call: Call) -> Answer:
        return Answer(200, self._found(call).encode())

    async def _update(self, call: Call) -> Answer:
        old = parsed(self._found(call))
        fields = self._checked(call.body)
        if fields["type"] != old["type"]:
            raise Refusal(422, "EMU_TYPE_CHANGE", "A customer cannot change its type")
        self._refuse_taken(fields.get("externalId"), but=old["id"])
        return Answer(200, self._rewrite(replaced(old, fields, self._account_id, call.epoch_s), call).encode())

    async def _suspend(self, call: Call) -> Answer:
        return self._set_status(call, "SUSPENDED")

    async def _activate(self, call: Call) -> Answer:
        return self._set_status(call, "ACTIVE")

    def _set_status(self, call: Call, status: str) -> Answer:
        old = parsed(self._found(call))
        self._rewrite(touched({**old, "status": status}, self._account_id, call.epoch_s), call)
        return Answer(200, f"Customer is {status.lower()}".encode(), "text/plain")

    async def _delete(self, call: Call) -> Answer:
        self._found(call)
        self._store.remove(call.customer_id)
        return Answer(204, b"")

    def _with_metadata(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Change metadata as this server is set to."""
        metadata, mode = fields.get("metadata"), self._settings.metadata
        if mode == "keep" or not metadata:
            return fields
        kept = {name.lower(): value.lower() for name, value in metadata.items()} if mode == "lower" else {}
        return {**fields, "metadata": kept}

    def _checked(self, content: bytes) -> dict[str, Any]:
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            raise Refusal(400, "EMU_MALFORMED", "The body is not JSON") from None
        if not isinstance(body, dict):
            raise Refusal(400, "EMU_MALFORMED", "The body is not a JSON object")
        fields, problems = check_customer(body)
        if problems:
            raise Refusal(400, "EMU_VALIDATION", "The customer has wrong or missing data", problems)
        return fields

    def _refuse_taken(self, external_id: str | None, but: str = "") -> None:
        if self._settings.enforce_external_id == "off" or external_id is None:
            return
        if self._store.is_taken(external_id, but):
            status = int(self._settings.enforce_external_id)
            raise Refusal(status, "EMU_DUPLICATE_EXTERNAL_ID", "A customer with this externalId exists already")

    def _found(self, call: Call) -> str:
        body = self._store.body(call.customer_id)
        if body is None:
            raise Refusal(404, "EMU_NOT_FOUND", "There is no such customer")
        return body

    def _rewrite(self, customer: dict[str, Any], call: Call) -> str:
        body = _written(customer)
        created_ms, visible_ms = self._store.times(call.customer_id)
        times_ms = (created_ms, int(call.epoch_s * 1000), visible_ms)
        self._store.replace(row_of(customer, body, self._settings.stamp, times_ms))
        return body


def _written(customer: dict[str, Any]) -> str:
    return json.dumps(with_blanks(customer), ensure_ascii=False, separators=(",", ":"))


def _allowed(path: str) -> str:
    return ", ".join(sorted(ROUTES[path]))
